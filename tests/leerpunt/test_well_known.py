from xml.etree import ElementTree

import pytest

from tests.factories import make_practice
from tests.pages import parse

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _address(settings):
    settings.SITE_URL = "https://www.example.org"


ROBOTS = """\
User-agent: *
Disallow: /admin/
Disallow: /aanmelden/
Disallow: /redactie/
Allow: /

Sitemap: https://www.example.org/sitemap.xml
"""


def test_robots_may_read_what_readers_may(client):
    response = client.get("/robots.txt")
    assert response.content.decode() == ROBOTS
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_robots_may_read_a_demonstration_to_see_its_noindex(client):
    make_practice(is_demo=True)
    assert client.get("/robots.txt").content.decode() == ROBOTS


def test_security_txt_says_where_to_report(client, settings, time_machine):
    settings.SECURITY_CONTACT = "veilig@example.org"
    time_machine.move_to("2026-01-01T12:00:00+00:00", tick=False)
    assert client.get("/.well-known/security.txt").content.decode() == (
        "Contact: mailto:veilig@example.org\n"
        "Expires: 2026-06-30T00:00:00+02:00\n"
        "Preferred-Languages: nl, en\n"
        "Canonical: https://www.example.org/.well-known/security.txt\n"
    )


@pytest.mark.parametrize("contact", ["https://example.org/meld", "mailto:veilig@example.org"])
def test_contact_may_be_an_address_already(client, settings, contact):
    settings.SECURITY_CONTACT = contact
    assert f"Contact: {contact}\n" in client.get("/.well-known/security.txt").content.decode()


def test_no_security_txt_without_a_contact(client, settings):
    settings.SECURITY_CONTACT = ""
    assert client.get("/.well-known/security.txt").status_code == 404


@pytest.mark.parametrize("path", ["/robots.txt", "/.well-known/security.txt"])
def test_only_read(client, path):
    assert client.post(path).status_code == 405


def test_a_browser_learns_how_to_search_here(client):
    response = client.get("/opensearch.xml")
    assert response.headers["Content-Type"] == "application/opensearchdescription+xml"
    root = ElementTree.fromstring(response.content)  # noqa: S314  # our own
    space = "{http://a9.com/-/spec/opensearch/1.1/}"
    assert root.tag == f"{space}OpenSearchDescription"
    assert {child.tag.removeprefix(space): child.text for child in root} == {
        "ShortName": "Leerpunt",
        "Description": "Zoek wat onderzoek zegt over lesgeven",
        "InputEncoding": "UTF-8",
        "Language": "nl-BE",
        "Image": "https://www.example.org/static/img/icon-180.png",
        "Url": None,
    }
    assert root.find(f"{space}Url").attrib == {
        "type": "text/html",
        "method": "get",
        "template": "https://www.example.org/zoeken/?q={searchTerms}",
    }
    make_practice("feedback")
    head = parse(client.get("/").content.decode()).one("link", rel="search")
    assert (head["href"], head["type"]) == ("/opensearch.xml", "application/opensearchdescription+xml")
