import pytest

from knowledgebase.models import Scheme
from tests.factories import make_concept, make_practice, make_source, make_summary
from tests.pages import Page

pytestmark = pytest.mark.django_db


def questions(page):
    return page.one("ul", "question-list").texts("a")


@pytest.fixture
def three():
    lezen, toetsen = make_concept(Scheme.THEME, "lezen", "Lezen"), make_concept(Scheme.THEME, "toetsen", "Toetsen")
    make_summary("b", title="iets", question="Helpt iets?", concepts=[lezen])
    make_summary("a", title="Écrire", question="Helpt écrire?", concepts=[lezen, toetsen])
    make_summary("c", title="Zeker", question="Helpt zeker?", concepts=[toetsen])
    make_summary("d", title="Klad", state="draft", concepts=[make_concept(Scheme.THEME, "leeg")])


@pytest.mark.usefixtures("three")
def test_list_from_a_to_z_and_its_filters(client):
    expected = {
        "": (["Helpt écrire?", "Helpt iets?", "Helpt zeker?"], []),
        "?thema=lezen": (["Helpt écrire?", "Helpt iets?"], []),
        "?thema=toetsen&q=ECRIRE": (["Helpt écrire?"], []),
        "?q=helpt+zeker": (["Helpt zeker?"], []),
        "?thema=leeg": (
            ["Helpt écrire?", "Helpt iets?", "Helpt zeker?"],
            ["We kennen dit thema niet. Je ziet de samenvattingen van alle thema’s."],
        ),
        "?q=a": (
            ["Helpt écrire?", "Helpt iets?", "Helpt zeker?"],
            ["In je zoekopdracht staat geen woord van minstens twee letters. We lieten ze weg."],
        ),
    }
    pages = {query: Page(client.get(f"/samenvattingen/{query}")) for query in expected}
    assert {query: (questions(page), page.notices) for query, page in pages.items()} == expected
    assert pages[""].one("p", "summary-line").text == "3 onderzoekssamenvattingen"
    assert pages["?q=helpt+zeker"].one("p", "summary-line").text == "1 onderzoekssamenvatting"
    assert [option["value"] for option in pages[""].all("option")] == ["", "lezen", "toetsen"]
    assert pages["?thema=lezen"].one("option", selected=True)["value"] == "lezen"
    assert pages["?q=helpt+zeker"].one("input", name="q")["value"] == "helpt zeker"


@pytest.mark.usefixtures("three")
def test_nothing_found(client):
    page = Page(client.get("/samenvattingen/?q=xyzzy"))
    assert questions(page) == ["Bekijk alle samenvattingen"]
    assert page.href("Bekijk alle samenvattingen") == "/samenvattingen/"


def test_a_summary_in_full(client):
    source = make_source("jansen-2020")
    practice = make_practice("feedback", title="Feedback")
    make_summary(
        "toetsen", title="Toetsen", question="Helpt toetsen?", answer="Ja, meestal.", unknown="- Bij kleuters.",
        method="Gezocht in 2025.", key_findings="- Het helpt [@jansen-2020].", sources=[source],
        related=[practice.item],
    )  # fmt: skip
    page = Page(client.get("/samenvattingen/toetsen/"))
    assert (page.one("h1").text, page.one("p", "question").text, page.one("p", "lede").text) == (
        "Toetsen", "Helpt toetsen?", "Ja, meestal.",
    )  # fmt: skip
    assert page.headings == [
        "Toetsen", "Belangrijkste bevindingen", "Wat we niet weten", "Hoe we dit maakten", "Praktijken bij deze samenvatting",
        "Bronnen", "Goedkeuring en versies", "Citeren en hergebruiken",
    ]  # fmt: skip
    assert page.keys == ["feedback"]
    assert page.texts("p", "tags") == ["Lager"]
    assert page.linked_data[0]["@graph"][0]["@type"] == "Article"
    # the way back, from the practice
    assert Page(client.get("/praktijken/feedback/")).href("Toetsen") == "/samenvattingen/toetsen/"


@pytest.mark.parametrize(("name", "file"), [("citeren", "lezen"), ("bronnen", "lezen-bronnen")])
@pytest.mark.parametrize("form", ["ris", "bib"])
def test_a_summary_and_its_sources_are_cited_as_files(client, name, file, form):
    make_summary("lezen")
    response = client.get(f"/samenvattingen/lezen/{name}.{form}")
    assert response.headers["Content-Disposition"] == f'attachment; filename="{file}.{form}"'
    assert f"/samenvattingen/lezen/{name}.{form}" in client.get("/samenvattingen/lezen/").content.decode()


def test_a_retracted_source_is_said_at_the_top(client):
    make_summary("lezen", sources=[make_source("weg", retraction="retracted")])
    page = Page(client.get("/samenvattingen/lezen/"))
    assert page.one("p", "caution", role="note").text.startswith("Let op: een bron van deze tekst is ingetrokken.")
