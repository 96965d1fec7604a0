from django.contrib import admin
from django.urls import include, path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("practices.urls")),
    path("", include("knowledgebase.urls")),
    path("", include("leerpunt.around_urls")),
    path("", include("leerpunt.account_urls")),
    path("redactie/", include("knowledgebase.editorial.urls")),
    path("onderdelen/", views.gallery, name="gallery"),
    path("admin/", admin.site.urls),
]
