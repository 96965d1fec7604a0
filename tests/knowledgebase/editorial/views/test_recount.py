import pytest

from knowledgebase.models import EffectSize, Version
from tests.desk import at_desk, page_of
from tests.factories import in_review, make_member, make_practice, make_theme, make_user
from tests.pages import Page, assert_inert
from tests.recount import studied_practice, studied_summary, study_rows

pytestmark = pytest.mark.django_db
FILES = ("rijen.csv", "datapackage.json", "resultaat.json", "reken-na.py", "reken-na.R")


def sums(version, name=""):
    return f"/redactie/versie/{version.pk}/cijfers/{name}"


# It works


def test_a_member_audits_the_figures_of_a_text_before_it_is_public():
    rows = study_rows(5)
    version = studied_practice(state="draft", effects=[*rows[:4], (rows[4], "Een andere vraag.")])
    round = in_review(version)
    client = at_desk(make_member("scientific").user)
    page = Page(client.get(page_of(round)))
    assert page.href("Reken na: zie elke studie en kies welke meetellen") == sums(version)
    page = Page(client.get(sums(version)))
    assert page.one("h1").text == "Schrijven"
    assert "Je ziet de cijfers van versie 1 (in beoordeling), zoals lezers ze zien zodra ze openbaar is." in page.texts(
        "p"
    )
    assert page.one("section", aria_labelledby="niet-meegeteld").one("tbody").text == "Studie 05 Een andere vraag."
    assert page.one("nav", "breadcrumbs").all("a")[1]["href"] == page_of(round)
    links = [a["href"] for a in page.one("section", aria_labelledby="zelf-rekenen").all("a") if "cijfers" in a["href"]]
    assert links == [sums(version, name) for name in FILES]
    for link in links:
        response = client.get(link)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
        assert "Access-Control-Allow-Origin" not in response.headers
    assert client.get(sums(version, "rijen.csv")).content.count(b"\n") == 6


def test_the_switches_work_at_the_desk():
    version = studied_summary(state="in_review")
    page = Page(at_desk(make_member("user").user).get(f"{sums(version)}?niveau=lager"))
    assert "Er blijven 6 van de 12 studies over, met 6 effecten." in page.texts("p")
    assert page.one("form", id="keuzes")["action"] == f"{sums(version)}#uitkomst"
    assert page.root.one("meta", name="robots")["content"] == "noindex"
    assert_inert(page.html)


def test_an_editor_sees_the_figures_of_a_draft():
    version = studied_practice(state="draft")
    page = Page(at_desk(make_user(role="redacteur")).get(sums(version)))
    assert "(ontwerp)" in page.one("p", "notices").text
    assert len(page.one("nav", "breadcrumbs").all("a")) == 1  # there is no round yet


def test_the_rows_of_a_draft_are_shown_as_they_are_now():
    version = studied_practice(state="draft")
    client = at_desk(make_user(role="redacteur"))
    for outcome in ("Toetsen", "Opstellen"):
        EffectSize.objects.filter(selected__version=version).update(outcome=outcome)
        table = Page(client.get(sums(version))).one("table", "study-table")
        place = [column.text for column in table.one("thead").all("th")].index("Uitkomst")
        rows = table.one("tbody").all("tr")
        assert {row.all("td")[place - 1].text for row in rows} == {outcome}  # the first column has a heading


# Who may not


def test_a_member_does_not_read_what_was_never_submitted():
    version = studied_practice(state="draft")
    client = at_desk(make_member("scientific").user)
    for name in ("", *FILES):
        page = Page(client.get(sums(version, name)), 403)
        assert "De redactie diende deze versie nog niet in: vraag haar dat te doen." in page.main.text


def test_others_do_not_read_it(client):
    version = studied_practice(state="in_review")
    for name in ("", "rijen.csv"):
        response = client.get(sums(version, name))
        assert (response.status_code, response.headers["Location"].partition("?")[0]) == (302, "/aanmelden/")
        assert at_desk(make_user()).get(sums(version, name)).status_code == 403


# What is not there


def test_what_does_not_exist_is_not_found():
    client = at_desk(make_user(role="redacteur"))
    bare, theme, version = make_practice(state="draft"), make_theme(state="draft"), studied_practice(state="draft")
    absent = Version.objects.order_by("-pk").first().pk + 1
    for address in (
        sums(bare), sums(bare, "rijen.csv"), sums(theme), sums(version, "rijen.exe"), sums(version, "..%2Fx"),
        f"/redactie/versie/{absent}/cijfers/", f"/redactie/versie/{absent}/cijfers/rijen.csv",
    ):  # fmt: skip
        assert client.get(address).status_code == 404, address


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
def test_another_verb_is_refused(verb):
    client = at_desk(make_user(role="redacteur"))
    version = studied_practice(state="draft")
    for name in ("", "rijen.csv"):
        assert getattr(client, verb)(sums(version, name)).status_code == 405
