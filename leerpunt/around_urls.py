from django.contrib.sitemaps.views import sitemap
from django.urls import path

from practices.views import share

from . import health, well_known
from .sitemaps import SITEMAPS
from .syndication import ChangedConclusions, NewTexts

urlpatterns = [
    # for readers and their programs
    path("feed/", NewTexts(), name="feed"),
    path("feed/conclusies/", ChangedConclusions(), name="feed-conclusions"),
    path("sitemap.xml", sitemap, {"sitemaps": SITEMAPS}, name="sitemap"),
    path("opensearch.xml", well_known.search_description, name="search-description"),
    path("robots.txt", well_known.robots, name="robots"),
    path(".well-known/security.txt", well_known.security_txt, name="security-txt"),
    path("praktijken/<slug:slug>/kaart.png", share.practice_image, name="practice-image"),
    # for the machines that run the site
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
]
