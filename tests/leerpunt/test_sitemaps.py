from xml.etree import ElementTree

import pytest

from tests.factories import make_page, make_practice, make_source, make_summary, make_theme

pytestmark = pytest.mark.django_db
NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
OVERVIEWS = ["/", "/praktijken/", "/samenvattingen/", "/themas/", "/bronnen/", "/begrippen/"]


@pytest.fixture(autouse=True)
def _address(settings):
    settings.SITE_URL = "https://www.example.org"


def locations(client):
    """Address -> last change, of everything in the sitemap."""
    response = client.get("/sitemap.xml", headers={"host": "localhost"})
    assert response.status_code == 200
    urls = ElementTree.fromstring(response.content).findall(f"{NAMESPACE}url")  # noqa: S314  # our own
    return {
        url.findtext(f"{NAMESPACE}loc").removeprefix("https://www.example.org"): url.findtext(f"{NAMESPACE}lastmod")
        for url in urls
    }


def test_empty_site_has_its_overviews(client):
    assert locations(client) == dict.fromkeys(OVERVIEWS)


def test_everything_that_is_public_with_its_last_change(client, time_machine):
    time_machine.move_to("2026-03-01T12:00:00+00:00", tick=False)
    source = make_source("hattie-2007")
    make_source("ongebruikt-2007")
    make_practice("feedback", sources=[source])
    make_practice("klad", state="draft", sources=[make_source("klad-2007")])
    make_practice("weg", state="withdrawn", sources=[make_source("weg-2007")])
    make_summary("toetsen", sources=[source])
    make_theme("lezen")
    make_page("over")
    make_page("hergebruik")
    texts = ["/praktijken/feedback/", "/samenvattingen/toetsen/", "/themas/lezen/", "/over/", "/over/hergebruik/"]
    expected = dict.fromkeys([*texts, "/bronnen/hattie-2007/"], "2026-03-01")
    assert locations(client) == dict.fromkeys(OVERVIEWS) | expected


def test_every_address_answers(client):
    make_practice()
    make_summary()
    make_theme()
    for path in locations(client):
        assert client.get(path, headers={"host": "localhost"}).status_code == 200, path


def test_versions_of_a_text_are_not_listed(client):
    make_practice("feedback", state="superseded")
    make_practice("weg", state="withdrawn")
    found = locations(client)
    assert "/praktijken/feedback/" in found
    assert not [path for path in found if "versies" in path or "weg" in path]


def test_demonstration_has_a_sitemap_too(client):
    make_practice("feedback", is_demo=True)
    assert "/praktijken/feedback/" in locations(client)


@pytest.mark.parametrize("count", [1, 3])
def test_sitemap_asks_the_same_of_the_database(client, django_assert_num_queries, count):
    for _number in range(count):
        make_practice()
        make_summary()
        make_theme()
        make_page()
    with django_assert_num_queries(11):
        locations(client)
