from django.urls import path

from .views import desk, recount, rounds

urlpatterns = [
    path("", desk.desk, name="desk"),
    path("geschiedenis/", desk.history, name="desk-history"),
    # a text before the commissions
    path("ronde/<int:pk>/", rounds.round_detail, name="desk-round"),
    path("ronde/<int:pk>/beoordelen/", rounds.review, name="desk-review"),
    path("ronde/<int:pk>/terugtreden/", rounds.recuse, name="desk-recuse"),
    path("ronde/<int:pk>/opmerken/", rounds.comment, name="desk-comment"),
    path("ronde/<int:pk>/beslissen/", rounds.decide, name="desk-decide"),
    path("ronde/<int:pk>/bevestigen/", rounds.confirm, name="desk-confirm"),
    path("ronde/<int:pk>/afsluiten/", rounds.close_early, name="desk-close"),
    path("opmerking/<int:pk>/afhandelen/", rounds.resolve_comment, name="desk-resolve"),
    path("besluit/<int:pk>/herroepen/", rounds.revoke, name="desk-revoke"),
    # public texts
    path("leesbaarheid/", desk.readability, name="desk-readability"),
    path("gepubliceerd/", desk.published, name="desk-published"),
    path("versie/<int:pk>/intrekken/", desk.withdrawal, name="desk-withdraw"),
    path("versie/<int:pk>/cijfers/", recount.recount, name="desk-recount"),
    path("versie/<int:pk>/cijfers/<str:name>", recount.download, name="desk-recount-file"),
]
