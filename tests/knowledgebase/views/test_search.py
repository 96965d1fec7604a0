import json
import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from knowledgebase.editorial.transitions import withdraw
from knowledgebase.models import ConceptLabel, Scheme, SearchMiss
from knowledgebase.search import misses
from tests.factories import (
    anybody,
    make_concept,
    make_page,
    make_practice,
    make_source,
    make_summary,
    make_term,
    make_theme,
    make_user,
    rating,
)
from tests.pages import Page, assert_inert, assert_the_same_for_everyone

pytestmark = pytest.mark.django_db
ROWS = json.loads((Path(__file__).parents[2] / "data" / "xss-vectors.json").read_text())


@pytest.fixture(autouse=True)
def _fresh_minute(monkeypatch):
    monkeypatch.setattr(misses, "_this_minute", {"minute": 0, "written": 0})


@pytest.fixture
def everything():
    """One thing of each kind about magnets, and a practice that is about something else."""
    primary = make_concept(Scheme.LEVEL, "lager", "Lager onderwijs")
    secondary = make_concept(Scheme.LEVEL, "secundair", "Secundair onderwijs")
    theme = make_concept(Scheme.THEME, "natuur", "Natuur en techniek")
    subject, reader = make_concept(Scheme.SUBJECT, "frans", "Frans"), make_concept(Scheme.AUDIENCE, "leerkracht")
    make_practice(
        "magneten",
        title="Magneten in de klas",
        lead="Je onderzoekt magneten met je leerlingen.",
        what_it_is="Een magneet trekt ijzer aan.",
        concepts=[primary, theme, reader],
        ratings=[rating("0.48", ci_low="0.35", ci_high="0.61", strength=4, cost=1)],
    )
    make_practice("spoor", title="Een spoor", lead="Met een magneet zoek je ijzer.", concepts=[secondary, reader])
    make_practice("zingen", title="Zingen", lead="Je zingt samen.", concepts=[primary, subject, reader])
    make_summary("aantrekking", title="Aantrekking", question="Waarom trekt een magneet?", concepts=[primary])
    make_theme("natuur", title="Natuur en techniek", body="Over magneten en planten.", concept=theme)
    make_page("over", title="Over de magneet van dit portaal")
    make_term("magneet", "magneet", definition="Een ding dat ijzer aantrekt.")
    make_source("smit-2001", title="The magneten review")


def kinds(page):
    return [li["data-kind"] for li in page.all("li", "search-result")]


@pytest.mark.usefixtures("everything")
def test_everything_public_is_searched_and_each_result_names_its_kind(client):
    page = Page(client.get("/zoeken/", {"q": "magneten"}))
    assert_the_same_for_everyone(page.response)
    assert_inert(page.html)
    assert {"praktijk", "samenvatting", "thema", "begrip", "bron", "pagina"} == set(kinds(page))
    assert page.keys[0] == "magneten"
    assert set(page.keys) == {"magneten", "spoor"}
    first = page.all("li", "search-result")[0]
    assert first["data-kind"] == "praktijk"
    assert first.one("p", "kind-label").text == "Praktijk"
    assert first.one("h2").one("a")["href"] == "/praktijken/magneten/"
    assert [mark.text for mark in first.one("h2").all("mark")] == ["Magneten"]
    assert first.one("p", "passage").all("mark")
    figures = first.one("div", "result-figures")
    assert "+6 maanden" in figures.text
    assert "4 op 5" in figures.text
    assert "1 op 5" in figures.text
    assert page.one("h1").text == "Wat we vonden"
    assert page.root.one("title").text == "‘magneten’: zoekresultaten | Leerpunt"
    assert page.root.one("input", id="zoek")["value"] == "magneten"
    assert page.root.one("meta", name="robots")["content"] == "noindex"
    assert page.root.one("link", rel="canonical")["href"] == "http://127.0.0.1:8000/zoeken/"


@pytest.mark.usefixtures("everything")
def test_one_kind_gives_the_keys_of_practices_in_order(client):
    page = Page(client.get("/zoeken/", {"q": "magneten", "soort": "praktijk"}))
    assert kinds(page) == ["praktijk", "praktijk"]
    assert page.keys == ["magneten", "spoor"]
    assert page.one("p", "summary-line").text == "2 praktijken met ‘magneten’"


@pytest.mark.usefixtures("everything")
def test_filters_count_without_themselves_and_show_zeros_disabled(client):
    page = Page(client.get("/zoeken/", {"q": "magneten", "soort": "praktijk", "niveau": "lager"}))
    assert page.keys == ["magneten"]
    assert page.one("p", "summary-line").text == "1 praktijk met ‘magneten’, voor lager onderwijs"

    def option(name, value):
        box = page.one("input", name=name, value=value)
        return int(box.parent.one("small").text), "checked" in box.attributes, "disabled" in box.attributes

    assert option("niveau", "lager") == (1, True, False)
    assert option("niveau", "secundair") == (1, False, False)
    assert option("soort", "praktijk") == (1, True, False)
    assert option("soort", "samenvatting") == (1, False, False)
    assert option("soort", "bron") == (0, False, True)
    assert option("vak", "frans") == (0, False, True)
    assert option("thema", "natuur") == (1, False, False)
    assert option("sterkte", "4") == (1, False, False)
    assert option("sterkte", "5") == (0, False, True)
    assert "Filters (2 actief)" in page.texts("summary")
    assert page.href("Wis alle filters") == "?q=magneten"


@pytest.mark.usefixtures("everything")
def test_strength_of_evidence_counts_what_no_limit_would_leave(client):
    page = Page(client.get("/zoeken/", {"q": "magneten", "soort": "praktijk", "sterkte": "3"}))
    assert page.keys == ["magneten"]
    assert page.one("input", name="sterkte", value="").parent.one("small").text == "2"
    assert page.one("p", "summary-line").text == "1 praktijk met ‘magneten’, bewijs minstens 3 op 5"


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("address", ["/zoeken/", "/zoeken/?q=", "/zoeken/?q=%20%20", "/zoeken/?q=!"])
def test_without_words_the_page_helps(client, address):
    page = Page(client.get(address))
    assert page.one("h1").text == "Zoeken"
    field = page.one("input", id="zoek-alles")
    assert field["name"] == "q"
    assert "Natuur en techniek" in [words for words, _href in page.links]
    for words, href in page.links:
        if href.startswith("/zoeken/?q="):
            assert client.get(href).status_code == 200, words
    assert not page.all("li", "search-result")


@pytest.mark.usefixtures("everything")
def test_nothing_found_shows_ways_on_and_is_counted(client):
    page = Page(client.get("/zoeken/", {"q": "Ruimtevaartkunde"}))
    assert page.one("p", "summary-line").text == "0 resultaten met ‘Ruimtevaartkunde’"
    assert {"/praktijken/", "/begrippen/", "/samenvattingen/", "/themas/natuur/"} <= {href for _w, href in page.links}
    client.get("/zoeken/", {"q": "ruimtevaartkunde"})
    client.head("/zoeken/", {"q": "ruimtevaartkunde"})
    assert list(SearchMiss.objects.values_list("query", "times")) == [("ruimtevaartkunde", 2)]


@pytest.mark.usefixtures("everything")
def test_nothing_found_with_filters_offers_to_drop_them_and_is_not_counted(client):
    page = Page(client.get("/zoeken/", {"q": "zingen", "niveau": "secundair"}))
    assert page.keys == []
    assert page.href("Zoek zonder de filters") == "?q=zingen"
    assert Page(client.get("/zoeken/?q=zingen")).keys == ["zingen"]
    assert not SearchMiss.objects.exists()


@pytest.mark.usefixtures("everything")
def test_a_words_beginning_is_offered_when_nothing_is_found(client):
    page = Page(client.get("/zoeken/", {"q": "magnesiumtablet", "letterlijk": "1"}))
    assert not page.keys
    assert "/zoeken/?q=magneten" in {href for _words, href in page.links}


@pytest.mark.usefixtures("everything")
def test_a_typing_error_is_repaired_and_can_be_searched_literally(client):
    page = Page(client.get("/zoeken/", {"q": "magnetten", "soort": "praktijk"}))
    assert "magneten" in page.keys
    note = page.one("div", "search-notes")
    assert "Resultaten voor ‘magneten’" in note.text
    literal = page.href("zoek toch naar ‘magnetten’")
    assert literal == "?q=magnetten&soort=praktijk&letterlijk=1"
    page = Page(client.get(f"/zoeken/{literal}"))
    assert page.keys == []
    assert page.one("input", name="letterlijk")["value"] == "1"


def test_pages_of_twenty_keep_the_question(client):
    for number in range(23):
        make_practice(f"magneten-{number:02}", title=f"Magneten {number}")
    first = Page(client.get("/zoeken/?q=magneten&soort=praktijk"))
    assert len(first.keys) == 20
    assert first.href("Volgende bladzijde") == "?q=magneten&soort=praktijk&pagina=2"
    assert "Bladzijde 1 van 2" in first.one("nav", "pages").text
    second = Page(client.get("/zoeken/?q=magneten&soort=praktijk&pagina=2"))
    assert len(second.keys) == 3
    assert not set(first.keys) & set(second.keys)
    assert second.href("Vorige bladzijde") == "?q=magneten&soort=praktijk&pagina=1"
    assert second.one("ol", "search-results")["start"] == "21"
    beyond = Page(client.get("/zoeken/?q=magneten&soort=praktijk&pagina=3"))
    assert beyond.keys == first.keys
    assert beyond.notices == ["Die bladzijde bestaat niet. Je ziet de eerste."]


@pytest.mark.parametrize("state", ["draft", "in_review", "approved", "withdrawn"])
def test_what_is_not_public_is_not_found(client, state):
    make_practice("geheim", state=state, title="Geheime magneten")
    for address in ("/zoeken/?q=magneten", "/zoeken/suggesties/?q=magn"):
        assert "Geheime" not in client.get(address).content.decode()


def test_what_is_withdrawn_is_gone_at_once(client):
    version = make_practice("weg", title="Magneten")
    address = "/zoeken/?q=magneten"
    before = client.get(address)
    assert Page(before).keys == ["weg"]
    assert client.get(address, headers={"if-none-match": before.headers["ETag"]}).status_code == 304
    withdraw(version, by=anybody(), reason="Ingetrokken.")
    assert Page(client.get(address, headers={"if-none-match": before.headers["ETag"]})).keys == []


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_vectors_in_texts_and_questions_are_inert(client, row):
    text = row["markdown"].replace("\x00", "")
    make_practice("v", title=f"Magneten {text}"[:160], lead=f"magneten {text}", what_it_is=f"{text}\n\nmagneten {text}")
    concept = make_concept(Scheme.TERM, "v", text[:110] or "x", definition=f"magneten {text}")
    ConceptLabel.objects.create(concept=concept, label=f"magneten {text}"[:120])
    page = Page(client.get("/zoeken/", {"q": "magneten"}))
    assert_inert(page.html)
    assert "v" in page.keys
    assert_inert(client.get("/zoeken/", {"q": row["markdown"]}).content.decode())
    answer = client.get("/zoeken/suggesties/", {"q": "magn"})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert any(listed["text"].startswith("Magneten") for listed in answer.json()["suggestions"])


def test_marks_stand_inside_compounds_too(client):
    make_practice("feit", title="Rekenfeiten", lead="Vlot rekenfeiten kennen helpt.")
    page = Page(client.get("/zoeken/?q=rekenen&soort=praktijk"))
    assert page.keys == ["feit"]
    assert [mark.text for mark in page.all("mark")] == ["Rekenfeiten", "rekenfeiten"]


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("address", ["/zoeken/?q=a", "/zoeken/suggesties/?q=a", "/opensearch.xml"])
def test_another_verb_is_refused(verb, address):
    assert getattr(Client(), verb)(address).status_code == 405


# Suggestions


@pytest.mark.usefixtures("everything")
def test_suggestions_are_titles_with_their_kind_and_words(client):
    response = client.get("/zoeken/suggesties/?q=magn")
    assert_the_same_for_everyone(response)
    assert response.headers["Cache-Control"] == "public, max-age=60"
    assert response.headers["X-Robots-Tag"] == "noindex"
    answer = response.json()
    assert answer["suggestions"][0] == {
        "text": "Magneten in de klas",
        "kind": "Praktijk",
        "url": "/praktijken/magneten/",
    }
    assert {"text": "magneet", "kind": "Begrip", "url": "/begrippen/#magneet"} in answer["suggestions"]
    assert len(answer["suggestions"]) <= 8
    assert answer["status"] == f"{len(answer['suggestions'])} voorstellen. Kies met de pijltjes."
    for suggestion in answer["suggestions"]:
        assert client.get(suggestion["url"]).status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", ""),
        ("%20", ""),
        ("zzzz", "Geen voorstellen. Druk op Enter om te zoeken."),
        ("%00%FF", None),
        ("%25_", None),
    ],
)
def test_suggestions_for_nothing(client, query, status):
    answer = client.get(f"/zoeken/suggesties/?q={query}").json()
    assert answer["suggestions"] == []
    assert status is None or answer["status"] == status


def test_one_suggestion_in_words(client):
    make_practice("zingen", title="Zingen", lead="Samen.")
    answer = client.get("/zoeken/suggesties/?q=zing").json()
    assert answer["status"] in ("1 voorstel. Kies met de pijltjes.", "2 voorstellen. Kies met de pijltjes.")


# The database


def test_one_result_and_three_take_the_same_queries(client):
    asked = []
    for number in range(3):
        make_practice(f"magneten-{number}", title=f"Magneten {number}")
        if number == 1:
            continue
        address = "/zoeken/?q=magneten&niveau=lager&sterkte=0"
        client.get(address)
        taken = []
        for path in (address, "/zoeken/?q=magneten", "/zoeken/suggesties/?q=magn"):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            taken.append(len(queries))
        asked.append(taken)
    assert asked[0] == asked[1]
    assert max(asked[1]) <= 22


def test_editors_get_the_same_page(client):
    make_practice("magneten")
    staff = Client()
    staff.force_login(make_user(role="eindredacteur", is_superuser=True))
    for address in ("/zoeken/?q=magneten", "/zoeken/suggesties/?q=magn", "/zoeken/"):
        assert staff.get(address).content == client.get(address).content


def test_what_readers_type_is_in_no_log(client, caplog):
    with caplog.at_level("DEBUG", logger="django.request"):
        client.get("/zoeken/?q=geheimewoorden")
        client.get("/zoeken/bestaat-niet/?q=geheimewoorden")
        client.post("/zoeken/?q=geheimewoorden")
    assert not re.search("geheimewoorden", caplog.text)
