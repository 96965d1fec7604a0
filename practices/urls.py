from django.urls import path, re_path

from .views import practices

urlpatterns = [
    path("praktijken/", practices.practice_list, name="practices"),
    path("praktijken/vergelijk/", practices.compare, name="compare"),
    path("praktijken/<slug:slug>/", practices.PracticeDetail.as_view(), name="practice"),
    re_path(r"^praktijken/(?P<slug>[-\w]+)/citeren\.(?P<form>ris|bib)$", practices.cite, name="practice-citation"),
]
