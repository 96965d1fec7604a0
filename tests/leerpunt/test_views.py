from datetime import UTC, datetime

import pytest
from django.test import Client

from knowledgebase.models import Scheme
from tests.factories import make_concept, make_practice, make_summary, make_theme, make_user, rating
from tests.pages import Page

pytestmark = pytest.mark.django_db


def test_an_empty_site_says_so(client):
    page = Page(client.get("/"))
    assert page.headings == ["Wat werkt, voor wie en tegen welke kost?", "Laatst gewijzigd", "Per thema"]
    assert "Er zijn nog geen gepubliceerde praktijken." in page.texts("p")
    assert page.texts("ul", "theme-list") == ["Er zijn nog geen thema’s."]
    assert page.keys == []


def test_home_shows_the_newest_practices_levels_themes_and_questions(client, time_machine):
    reader = make_concept(Scheme.AUDIENCE, "leerkracht")
    secundair = make_concept(Scheme.LEVEL, "secundair", "Secundair onderwijs", order=2)
    lager = make_concept(Scheme.LEVEL, "lager", "Lager onderwijs", order=1)
    grade = make_concept(Scheme.LEVEL, "eerste-graad", "Eerste graad", order=3, broader=lager)
    make_concept(Scheme.LEVEL, "kleuter", "Kleuteronderwijs", order=4)
    for day, slug in enumerate(("een", "twee", "drie", "vier", "vijf"), start=1):
        time_machine.move_to(datetime(2026, 1, day, tzinfo=UTC), tick=False)
        make_practice(slug, concepts=[grade if day % 2 else secundair, reader])
        make_summary(f"s-{slug}", question=f"Helpt {slug}?", answer=f"{slug} soms.")
    for order, slug in ((2, "toetsen"), (1, "lezen")):
        make_theme(slug, lead="Kort.", concept=make_concept(Scheme.THEME, slug, order=order))
    page = Page(client.get("/"))
    assert page.keys == ["vijf", "vier", "drie", "twee"]
    assert [(a.text, a["href"]) for a in page.one("p", "level-links").all("a")] == [
        ("Lager onderwijs 3", "/praktijken/?niveau=lager"), ("Secundair onderwijs 2", "/praktijken/?niveau=secundair"),
    ]  # fmt: skip
    assert page.href("Bekijk alle 5 praktijken") == "/praktijken/"
    assert page.one("ul", "theme-list").texts("a") == ["Lezen", "Toetsen"]
    assert page.one("ul", "question-list").texts("a") == ["Helpt vijf?", "Helpt vier?", "Helpt drie?"]
    assert page.href("Alle onderzoekssamenvattingen") == "/samenvattingen/"


def test_one_practice_in_the_singular(client):
    make_practice("een", ratings=[rating("1.40")])
    page = Page(client.get("/"))
    assert page.href("Bekijk de ene praktijk") == "/praktijken/"
    assert "meer dan 12 maanden" in page.one("li", "practice-row").text


def test_gallery_is_for_staff(client, settings):
    assert client.get("/onderdelen/").status_code == 404
    member = Client()
    member.force_login(make_user("lezer"))
    assert member.get("/onderdelen/").status_code == 404
    staff = Client()
    staff.force_login(make_user(role="redacteur"))
    make_practice("feedback")
    page = Page(staff.get("/onderdelen/"))
    assert page.one("h1").text == "Onderdelen"
    assert page.keys == ["feedback"]
    assert [len(page.one("svg", name).all("circle")) for name in ("rows-plot", "funnel-plot")] == [3, 3]
    assert page.one("li", "search-result").one("mark").text == "gemarkeerd"
    assert page.all("details", "filter-group")
    settings.DEBUG = True
    assert Page(client.get("/onderdelen/")).keys == ["feedback"]
