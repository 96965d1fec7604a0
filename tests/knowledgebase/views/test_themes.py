import pytest

from knowledgebase.models import Scheme
from tests.factories import make_concept, make_practice, make_source, make_summary, make_theme
from tests.pages import Page

pytestmark = pytest.mark.django_db


def test_list_in_the_order_of_the_vocabulary(client):
    for order, slug in ((2, "toetsen"), (1, "lezen"), (3, "anders")):
        make_theme(slug, lead=f"Over {slug}.", concept=make_concept(Scheme.THEME, slug, order=order))
    make_theme("klad", state="draft")
    page = Page(client.get("/themas/"))
    assert page.one("ul", "theme-list").texts("li") == [
        "Lezen Over lezen.",
        "Toetsen Over toetsen.",
        "Anders Over anders.",
    ]


def test_a_theme_gathers_what_is_about_it(client):
    theme, reader = make_concept(Scheme.THEME, "lezen"), make_concept(Scheme.AUDIENCE, "leerkracht")
    concepts = [make_concept(), reader, theme]
    own, ours, theirs = make_source("eigen"), make_source("bron-a"), make_source("bron-b")
    make_practice("zingen", concepts=concepts, sources=[theirs, ours])
    make_practice("klanken", concepts=concepts, sources=[ours])
    make_practice("klad", concepts=concepts, state="draft", sources=[make_source("geheim")])
    make_practice("ander", sources=[make_source("elders")])
    make_summary("toetsen", question="Helpt het?", concepts=[theme], sources=[ours])
    make_theme("lezen", title="Lezen", body="Zie [@eigen].", concept=theme, sources=[own])
    page = Page(client.get("/themas/lezen/"))
    assert page.keys == ["klanken", "zingen"]
    assert page.one("ul", "question-list").texts("a") == ["Helpt het?"]
    assert [li["id"] for li in page.one("ul", "reference-list").children if not isinstance(li, str)] == [
        "bron-bron-a", "bron-bron-b", "bron-eigen",
    ]  # fmt: skip
    assert ("(Jansen, 2020)", "#bron-eigen") in page.links
    assert page.href("Filter en vergelijk deze praktijken") == "/praktijken/?thema=lezen"


def test_a_theme_without_anything_says_so(client):
    make_theme("lezen")
    page = Page(client.get("/themas/lezen/"))
    assert "In dit thema staan nog geen praktijken." in page.texts("p")
    assert page.one("ul", "question-list").text == "In dit thema staan nog geen samenvattingen."
    assert "Bronnen achter dit thema" not in page.headings


@pytest.mark.parametrize("own", [True, False], ids=["of the theme", "of a practice in it"])
def test_a_retracted_source_is_said_at_the_top(client, own):
    concept, gone = make_concept(Scheme.THEME, "lezen"), make_source("weg", retraction="retracted")
    make_theme("lezen", concept=concept, sources=[gone] if own else [])
    make_practice("praktijk", concepts=[concept], sources=[make_source("jansen-2020")] if own else [gone])
    page = Page(client.get("/themas/lezen/"))
    assert page.one("p", "caution", role="note").text.startswith("Let op: een bron van deze tekst is ingetrokken.")


def test_a_theme_with_sources_in_order_says_nothing(client):
    concept = make_concept(Scheme.THEME, "lezen")
    make_theme("lezen", concept=concept)
    make_practice("praktijk", concepts=[concept], sources=[make_source("jansen-2020")])
    assert Page(client.get("/themas/lezen/")).all("p", "caution") == []
