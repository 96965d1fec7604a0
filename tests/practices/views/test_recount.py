import pytest

from knowledgebase.models import Scheme
from tests.factories import make_concept, make_practice, make_study, rating
from tests.pages import Page, assert_inert
from tests.recount import studied_practice, study_rows

pytestmark = pytest.mark.django_db
TEXT, SUMS = "/praktijken/schrijven/", "/praktijken/schrijven/cijfers/"


def sure(page):
    """What stands under "how sure is this"."""
    return page.one("section", aria_labelledby="hoe-zeker")


# On the page of the practice


def test_the_text_says_the_headline_and_that_it_rests_on_study_rows(client):
    studied_practice()
    page = Page(client.get(TEXT))
    assert sure(page).texts("p")[:3] == [
        "Over 12 studies is de leerwinst gemiddeld 6 maanden (g = 0,50).",
        "Het gemiddelde ligt vrij zeker tussen 4 en 9 maanden (g van 0,28 tot 0,73).",
        "In 8 van de 10 vergelijkbare scholen ligt de winst tussen 1 en 11 maanden (g van 0,06 tot 0,94).",
    ]
    assert sure(page).one("dl").all("dd")[0].text.startswith("Op aparte studies, die we zelf samennamen en narekenden.")
    assert page.href("Reken na: zie elke studie en kies welke meetellen") == SUMS
    assert ("Waarom deze sterkte?", f"{SUMS}#sterkte") in page.links


def test_a_figure_of_one_synthesis_says_so_and_has_no_sums(client):
    make_practice("schrijven", ratings=[rating("0.48")])
    page = Page(client.get(TEXT))
    assert sure(page).one("dl").all("dd")[0].text == (
        "Op één synthese van anderen. De studies erachter rekenden we niet na: Jansen, 2020"
    )
    assert not [href for _words, href in page.links if "cijfers/" in href]


def test_without_enough_studies_the_text_gives_no_figure_but_says_why(client):
    studied_practice(effects=study_rows(2))
    page = Page(client.get(TEXT))
    why = "Te weinig studies: 2 studies. We geven een cijfer vanaf 3 studies."
    assert why in page.one("section", id="kerncijfers").text
    assert sure(page).texts("p")[0] == why


def test_without_months_the_text_gives_the_effect(client):
    studied_practice(selection={"months": False})
    page = Page(client.get(TEXT))
    assert sure(page).texts("p")[0] == "Over 12 studies is het effect gemiddeld g = 0,50."
    assert outcome(Page(client.get(SUMS))) == "Over 12 studies is het effect gemiddeld g = 0,50."


def outcome(page):
    return page.one("section", aria_labelledby="uitkomst").one("p", "recount-headline").text


# Why this strength


def steps(page):
    rows = page.one("section", aria_labelledby="sterkte").one("tbody").all("tr")
    return [[cell.text for cell in row.all() if cell.tag in ("th", "td")] for row in rows]


def test_the_strength_is_explained_step_by_step(client):
    studied_practice(effects=study_rows(30))
    page = Page(client.get(SUMS))
    assert_inert(page.html)
    found = steps(page)
    assert found[0] == ["Aantal studies", "2", "2", "30 studies. Vanaf 45 studies is dat een punt meer."]
    assert [row[0] for row in found[1:]] == [
        "Hoe de studies zijn opgezet", "Hoe sterk de studies verschillen", "Studies die misschien ontbreken",
        "Andere niveaus dan die van deze tekst", "Oude studies",
    ]  # fmt: skip
    strength = found[-1][2]
    assert page.one("h2", id="sterkte").text == f"Waarom {strength} van de 5?"
    assert "Regel sterkte-2026, op ons eigen cijfer" in page.one("section", aria_labelledby="sterkte").text
    text = Page(client.get(TEXT))
    assert f"{strength} op 5" in text.one("section", id="kerncijfers").text  # the same on the page of the text


def test_choices_do_not_change_the_strength(client):
    studied_practice(effects=study_rows(30))
    assert steps(Page(client.get(f"{SUMS}?niveau=lager"))) == steps(Page(client.get(SUMS)))


def test_threats_take_points_and_name_their_share(client):
    old = study_rows(30, year=1980, design="unknown", level=make_concept(Scheme.LEVEL, "hoger"))
    studied_practice(effects=old)
    found = {row[0]: row[1:] for row in steps(Page(client.get(SUMS)))}
    assert found["Hoe de studies zijn opgezet"][0] == "−1"
    assert found["Hoe de studies zijn opgezet"][2] == (
        "30 van de 30 studies namen alleen waar, hebben een hoog risico op vertekening of zeggen niet hoe ze zijn opgezet."
        " Boven 50% kost dat een punt. Van 30 studies kennen we opzet noch risico."
    )
    assert found["Andere niveaus dan die van deze tekst"][0] == "−1"
    assert found["Andere niveaus dan die van deze tekst"][2] == (
        "30 van de 30 studies gaan over een ander niveau dan dat van deze tekst. Boven 50% kost dat een punt."
    )
    assert found["Oude studies"][2] == "30 van de 30 studies zijn van voor 1990. Boven 50% kost dat een punt."


def test_a_practice_whose_rating_rests_on_a_synthesis_explains_no_strength(client):
    make_practice("schrijven", effects=study_rows(5), selection={"months": True}, ratings=[rating("0.48")])
    page = Page(client.get(SUMS))
    assert page.all("section", aria_labelledby="sterkte") == []


def test_as_many_questions_with_and_without_many_studies(client, django_assert_max_num_queries):
    make_study()
    studied_practice(effects=study_rows(40))
    client.get(TEXT)
    with django_assert_max_num_queries(32):
        client.get(TEXT)


def test_a_switch_reads_the_version_and_what_the_frame_of_every_page_needs(client, django_assert_num_queries):
    studied_practice(effects=study_rows(30))
    client.get(SUMS)
    with django_assert_num_queries(3):  # the state of the site, the version, whether this is a demonstration
        page = Page(client.get(f"{SUMS}?niveau=lager&vanaf=2010"))
    assert page.one("section", aria_labelledby="sterkte")


def test_a_page_names_its_parts(client):
    studied_practice(effects=study_rows(12))
    page = Page(client.get(SUMS))
    named = [(link["href"], link.text) for link in page.one("nav", "recount-contents").all("a")]
    assert ("#sterkte", "Waarom deze sterkte?") in named
    assert all(page.one("h2", id=href.removeprefix("#")) for href, _words in named)
