"""A visitor leaves no trace here and needs no script: the one there is only helps to type a search."""

import pytest

from .pages import COMPARE_TWO, HOME, OVERVIEW, OWN_FIGURE, PAGES, PRIVATE, PUBLIC, SEARCH

VISIT = list(PUBLIC.values())
FIRST_VIEW_BYTES, FIRST_VIEW_REQUESTS = 60_000, 8


def test_a_visit_leaves_nothing_behind(page, context, faults):
    assert len(VISIT) >= 20
    for path in VISIT:
        page.goto(path)
        assert context.cookies() == [], path
        kept = page.evaluate("""async () => ({
          local: localStorage.length, session: sessionStorage.length,
          databases: (await indexedDB.databases()).length, workers: (await navigator.serviceWorker.getRegistrations()).length})""")
        assert page.locator("script:not([type='application/ld+json'], [src*='/static/js/search-box.'])").count() == 0, (
            path
        )
        assert kept == {"local": 0, "session": 0, "databases": 0, "workers": 0}, path
    assert faults == []


def test_every_public_page_works_without_javascript(new_context, page):
    still = new_context(java_script_enabled=False).new_page()
    for path in [HOME, OVERVIEW, OWN_FIGURE, COMPARE_TWO, SEARCH]:
        still.goto(path)
        page.goto(path)
        assert still.locator("main").inner_text() == page.locator("main").inner_text(), path


@pytest.mark.parametrize("name", sorted(PRIVATE))
def test_a_private_page_keeps_one_cookie_for_its_form(page, context, name):
    page.goto(PAGES[name])
    assert [cookie["name"] for cookie in context.cookies()] == ["csrftoken"]
    assert context.cookies()[0]["httpOnly"]
    page.goto(HOME)
    assert len(context.cookies()) == 1


@pytest.mark.parametrize("path", [HOME, OVERVIEW, OWN_FIGURE, SEARCH])
def test_the_first_view_is_light(page, path):
    """All bytes over the wire with an empty cache, headers included."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    addresses, sizes = {}, {}
    session.on("Network.requestWillBeSent", lambda e: addresses.update({e["requestId"]: e["request"]["url"]}))
    session.on("Network.loadingFinished", lambda e: sizes.update({e["requestId"]: int(e["encodedDataLength"])}))
    page.goto(path, wait_until="networkidle")
    seen = {addresses[request].rpartition("/")[2] or "page": size for request, size in sizes.items()}
    assert len(addresses) <= FIRST_VIEW_REQUESTS, list(addresses.values())
    assert len(sizes) >= 5, seen
    assert sum(sizes.values()) <= FIRST_VIEW_BYTES, seen


def test_static_files_are_hashed_compressed_and_kept(page):
    answers = []
    page.on("response", lambda answer: answers.extend([answer]))
    page.goto(HOME, wait_until="networkidle")
    files = [answer for answer in answers if "/static/" in answer.url]
    assert len(files) >= 4
    for answer in files:
        headers = answer.headers
        assert "immutable" in headers["cache-control"], answer.url
        if answer.url.endswith(".css"):
            assert headers["content-encoding"] in ("br", "gzip"), answer.url


def test_the_card_image_opens(page):
    page.goto(OWN_FIGURE)
    address = page.locator("meta[property='og:image']").get_attribute("content")
    size = page.evaluate(
        """async address => { const image = new Image(); image.src = address; await image.decode();
        return [image.naturalWidth, image.naturalHeight]; }""",
        address,
    )
    assert size == [1200, 630]
