import gc
import logging
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leerpunt.settings")
# A server that forgets to say what it is, is a production server.
os.environ.setdefault("LEERPUNT_MODE", "production")

from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connection


def warm() -> None:
    """Read the words of the site, so that the first reader who searches does not wait half a second for them."""
    from knowledgebase.search.understanding import understand

    try:
        understand("")
    except DatabaseError as error:
        logging.getLogger(__name__).warning("The words of the site were not read yet: %s", error)
    finally:
        connection.close()


application = get_wsgi_application()
warm()
# What lives as long as the process need not be searched for garbage: whoever asked then would wait some 80 ms.
gc.collect()
gc.freeze()
