from django.urls import path, re_path

from knowledgebase.editorial.downloads import PATTERN
from knowledgebase.editorial.history import VersionHistory
from knowledgebase.editorial.public import cite, cite_sources
from practices.models import PracticeVersion

from .views import practices, recount

KIND = {"kind": PracticeVersion.kind}

urlpatterns = [
    path("praktijken/", practices.practice_list, name="practices"),
    path("praktijken/vergelijk/", practices.compare, name="compare"),
    path("praktijken/<slug:slug>/", practices.PracticeDetail.as_view(), name="practice"),
    path("praktijken/<slug:slug>/versies/", VersionHistory.as_view(model=PracticeVersion)),
    path("praktijken/<slug:slug>/versies/<int:number>/", practices.PracticeDetail.as_view()),
    path("praktijken/<slug:slug>/cijfers/", recount.PracticeRecount.as_view(), name="practice-recount"),
    path("praktijken/<slug:slug>/versies/<int:number>/cijfers/", recount.PracticeRecount.as_view()),
    re_path(rf"^praktijken/(?P<slug>[-\w]+)/cijfers/(?P<name>{PATTERN})$", recount.PracticeDownload.as_view()),
    re_path(
        rf"^praktijken/(?P<slug>[-\w]+)/versies/(?P<number>[0-9]{{1,9}})/cijfers/(?P<name>{PATTERN})$",
        recount.PracticeDownload.as_view(),
    ),
    re_path(r"^praktijken/(?P<slug>[-\w]+)/citeren\.(?P<form>ris|bib)$", cite, KIND, name="practice-citation"),
    re_path(
        r"^praktijken/(?P<slug>[-\w]+)/bronnen\.(?P<form>ris|bib)$", cite_sources, KIND, name="practice-source-list"
    ),
]
