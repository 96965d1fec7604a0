import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leerpunt.settings")
# A server that forgets to say what it is, is a production server.
os.environ.setdefault("LEERPUNT_MODE", "production")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
