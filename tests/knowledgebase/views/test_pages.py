import pytest

from tests.factories import make_page, make_source
from tests.pages import Page

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("slug", "address"),
    [
        ("over", "/over/"), ("privacy", "/privacy/"), ("toegankelijkheid", "/toegankelijkheid/"),
        ("werkwijze", "/over/werkwijze/"),
    ],
)  # fmt: skip
def test_a_page_has_one_address(client, slug, address):
    version = make_page(slug, title="Titel", lead="Kort.", body="## Kop\n\nTekst.")
    assert version.get_absolute_url() == address
    page = Page(client.get(address))
    assert (page.one("h1").text, page.main["data-key"]) == ("Titel", slug)
    assert page.headings[:2] == ["Titel", "Kop"]
    if address != f"/over/{slug}/":
        assert client.get(f"/over/{slug}/").status_code == 404


def test_the_method_shows_the_tables_of_the_code(client):
    make_page("werkwijze")
    page = Page(client.get("/over/werkwijze/"))
    assert len(page.all("table")) == 2
    assert page.one("h2", id="maandentabel").text == "De maandentabel"


def test_about_leads_on_and_sources_are_listed_where_there_are_any(client):
    make_page("over", body="Zie [@bron].", sources=[make_source("bron")])
    page = Page(client.get("/over/"))
    assert page.href("Wie we zijn") == "/over/structuur/"
    assert page.one("li", id="bron-bron")
    make_page("privacy")
    assert "Bronnen" not in Page(client.get("/privacy/")).headings


def test_a_retracted_source_is_said_at_the_top(client):
    make_page("werkwijze", sources=[make_source("weg", retraction="retracted")])
    page = Page(client.get("/over/werkwijze/"))
    assert page.one("p", "caution", role="note").text.startswith("Let op: een bron van deze tekst is ingetrokken.")
