import pytest

from knowledgebase.models import Source
from knowledgebase.views.sources import PAGE_SIZE
from tests.factories import make_practice, make_source, make_summary
from tests.pages import Page

pytestmark = pytest.mark.django_db


def shown(page):
    return [a["href"].split("/")[2] for a in page.all("a") if a["href"].startswith("/bronnen/") and a.parent.classes]


@pytest.fixture
def cited():
    sources = [
        make_source("élan"[1:] + "-2019", title="Élan vital", kind="report", container="Revue"),
        make_source("okkinga-2018", title="Reading", authors=[{"family": "Okkinga", "given": "M."}]),
        make_source("zee-2020", title="Reading at sea", container="Élan"),
    ]
    make_practice("feedback", title="Feedback", sources=sources[:2])
    make_summary("toetsen", title="Amper", sources=sources[1:])
    make_practice("klad", state="draft", sources=[make_source("geheim-2020")])
    make_practice("weg", state="withdrawn", sources=[make_source("vroeger-2020")])
    make_source("nergens-2020")


@pytest.mark.usefixtures("cited")
def test_list_holds_what_published_texts_rely_on(client):
    unknown_kind = "We kennen deze soort bron niet. Je ziet alle soorten."
    no_words = "In je zoekopdracht staat geen woord van minstens twee letters. We lieten ze weg."
    everything = ["lan-2019", "okkinga-2018", "zee-2020"]
    expected = {
        "": (everything, []),
        "?soort=report": (["lan-2019"], []),
        "?soort=meta_analysis&q=SEA": (["zee-2020"], []),
        "?q=elan": (["lan-2019", "zee-2020"], []),
        "?q=%C3%89LAN": (["lan-2019", "zee-2020"], []),
        "?q=okkinga+reading": (["okkinga-2018", "zee-2020"], []),
        "?q=family": ([], []),
        "?soort=boek": (everything, [unknown_kind]),
        "?q=%00": (everything, [no_words]),
        "?q=%25": (everything, [no_words]),
        "?pagina=2": (everything, ["Die bladzijde bestaat niet. Je ziet de eerste."]),
    }
    pages = {query: Page(client.get(f"/bronnen/{query}")) for query in expected}
    assert {query: (shown(page), page.notices) for query, page in pages.items()} == expected
    assert pages[""].one("p", "summary-line").text == "3 bronnen"
    assert pages["?soort=report"].one("p", "summary-line").text == "1 bron"


def test_pages_keep_the_filters(client):
    make_practice(sources=[make_source(f"bron-{number:03}") for number in range(PAGE_SIZE + 1)])
    page = Page(client.get("/bronnen/?soort=meta_analysis&q=bron+%26"))
    first = shown(page)
    assert len(first) == PAGE_SIZE
    assert page.href("Volgende bladzijde") == "?pagina=2&soort=meta_analysis&q=bron%20%26"
    page = Page(client.get(f"/bronnen/{page.href('Volgende bladzijde')}"))
    assert sorted([*first, *shown(page)]) == [f"bron-{number:03}" for number in range(PAGE_SIZE + 1)]
    assert page.href("Vorige bladzijde") == "?pagina=1&soort=meta_analysis&q=bron%20%26"


@pytest.mark.usefixtures("cited")
def test_a_source_names_the_texts_that_rely_on_it(client):
    page = Page(client.get("/bronnen/okkinga-2018/"))
    assert page.one("h1").text == "Reading"
    assert page.one("h1")["lang"] == "en"
    assert [(words, href) for words, href in page.links if href.startswith(("/praktijken/f", "/samenvattingen/t"))] == [
        ("Amper", "/samenvattingen/toetsen/"), ("Feedback", "/praktijken/feedback/"),
    ]  # fmt: skip
    assert page.linked_data[0]["@graph"][0]["name"] == "Reading"
    for key in ("geheim-2020", "vroeger-2020", "nergens-2020"):
        assert "Geen gepubliceerde tekst." in Page(client.get(f"/bronnen/{key}/")).texts("li")


@pytest.mark.usefixtures("cited")
def test_a_retracted_source_says_so(client):
    Source.objects.filter(key="zee-2020").update(retraction="retracted")
    page = Page(client.get("/bronnen/zee-2020/"))
    assert page.one("p", "caution").text == "Let op: deze bron is ingetrokken."


@pytest.mark.usefixtures("cited")
@pytest.mark.parametrize(("form", "start"), [("ris", "TY  - "), ("bib", "@")])
def test_citation_as_a_file(client, form, start):
    response = client.get(f"/bronnen/okkinga-2018/citeren.{form}")
    assert response.headers["Content-Disposition"] == f'attachment; filename="okkinga-2018.{form}"'
    assert response.content.decode().startswith(start)
    assert "Okkinga" in response.content.decode()
