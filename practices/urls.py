from django.urls import path, re_path

from knowledgebase.editorial.history import VersionHistory
from practices.models import PracticeVersion

from .views import practices

urlpatterns = [
    path("praktijken/", practices.practice_list, name="practices"),
    path("praktijken/vergelijk/", practices.compare, name="compare"),
    path("praktijken/<slug:slug>/", practices.PracticeDetail.as_view(), name="practice"),
    path("praktijken/<slug:slug>/versies/", VersionHistory.as_view(model=PracticeVersion)),
    path("praktijken/<slug:slug>/versies/<int:number>/", practices.PracticeDetail.as_view()),
    re_path(r"^praktijken/(?P<slug>[-\w]+)/citeren\.(?P<form>ris|bib)$", practices.cite, name="practice-citation"),
]
