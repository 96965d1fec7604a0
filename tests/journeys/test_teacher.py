"""A teacher looks for something that fits, with nothing but links and forms of the pages themselves."""

import re
from urllib.parse import urljoin

import pytest
from django.db import transaction

from tests.pages import Page, assert_the_same_for_everyone
from tests.snapshots import built, published_texts

pytestmark = pytest.mark.django_db  # also when these tests run alone: the database is made for marked tests


@pytest.fixture(scope="module")
def _demonstration(django_db_setup, django_db_blocker):
    """The reference data and the texts, published once for the readers of this module, and taken out again."""
    with django_db_blocker.unblock(), transaction.atomic():
        built("texts", published_texts)
        yield
        transaction.set_rollback(True)


@pytest.fixture
def demonstration(_demonstration, django_db_blocker):
    with django_db_blocker.unblock():
        yield


@pytest.mark.usefixtures("demonstration")
def test_from_home_to_a_choice_for_the_team(client):
    visited = []

    def visit(address, base=""):
        page = Page(client.get(f"{base}{address}"))
        assert_the_same_for_everyone(page.response)
        visited.append(page)
        return page

    # Home: my level, and how many practices there are for it.
    home = visit("/")
    level = home.one("p", "level-links").all("a")[0]
    name, count = level.text.rsplit(" ", 1)
    overview = visit(level["href"])
    assert overview.one("p", "summary-line").text == f"{count} praktijken voor {name.lower()}, per thema"

    # Cheap and well-proven: what the form would send with two more choices.
    form = overview.one("form", "filters")
    chosen = [(i["name"], i["value"]) for i in form.all("input", checked=True) if i["value"]]
    query = [*chosen, ("kost", "2"), ("sterkte", "3"), ("sorteer", "winst")]
    offered = {(i["name"], i["value"]): i for i in form.all("input", value=True)}
    assert "disabled" not in offered["kost", "2"].attributes
    page = visit(form["action"] + "?" + "&".join(f"{name}={value}" for name, value in query))
    assert page.notices == []
    assert 2 <= len(page.keys) <= int(count)
    table = visit(page.one("ul", "tabs").all("a")[1]["href"], base="/praktijken/")
    assert table.keys == page.keys

    # Two side by side: the checkboxes belong to the form below the list.
    bar = table.one("form", id="vergelijk")
    boxes = [i for i in table.all("input", type="checkbox", name="p") if i["form"] == "vergelijk"]
    compared = visit(bar["action"] + "?" + "&".join(f"p={box['value']}" for box in boxes[:2]))
    assert compared.keys == table.keys[:2]
    assert compared.one("section", aria_labelledby="verschillen").texts("li")

    # One of them: its figures, its sources, and back to what it is about.
    practice = visit(compared.one("thead").all("a")[0]["href"])
    assert practice.main["data-key"] == compared.keys[0]
    effect = visit(practice.one("nav", "metrics").all("a")[1]["href"].partition("#")[0])
    assert effect.one("nav", "metrics").one("a", aria_current="true").text == "effectgrootte"
    sources = visit("/bronnen/")
    first = next(href for _words, href in sources.links if href.startswith("/bronnen/") and href != "/bronnen/")
    assert visit(first).one("h1").text

    # A word, through the box at the top.
    search = visited[0].root.one("form", "site-search")
    found = visit(f"{search['action']}?{search.one('input')['name']}=feedback")
    assert "feedback" in found.keys
    assert "met ‘feedback’" in found.one("p", "summary-line").text
    assert not client.cookies


@pytest.mark.usefixtures("demonstration")
def test_everything_on_the_site_can_be_reached_from_home(client):
    seen, todo = {"/"}, ["/"]
    while todo:
        here = todo.pop()
        page = Page(client.get(here))
        for a in page.root.all("a", href=True):
            href = urljoin(here, a["href"]).partition("#")[0]
            if (
                href.startswith("/")
                and re.fullmatch(r"[^?]*(\?pagina=\d+)?", href)
                and href not in seen
                and "." not in href
                and not href.startswith("/feed/")
            ):
                seen.add(href)
                todo.append(href)
    listed = {line.partition("8000")[2] for line in client.get("/sitemap.xml").content.decode().split("<loc>")}
    wanted = {address.partition("</loc>")[0] for address in listed if address.startswith("/")}
    assert wanted - seen == set()
