"""The admin's own pages of the workflow: WCAG 2.2 A and AA, and usable without a mouse."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from .server import serving
from .ways import follow, log_in

WAYS = ((1280, "dark"), (768, "light"))


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """A site with a text in every state, and somebody of every role."""
    with serving(demo=False, prepare="tests.browser.prepare_desk") as url:
        yield url


@pytest.fixture(autouse=True)
def no_faults(faults: list[str]) -> Iterator[None]:
    """As for readers' pages, but the lists that Django's admin searches in (select2) write styles, which are refused."""
    yield
    expected = ("inline style", "preload assets")  # the second is what axe says of such a style
    assert [fault for fault in faults if not any(words in fault for words in expected)] == []


def open_version(page: Page, slug: str) -> None:
    """The page of the newest version of a practice, through its list and its own page."""
    page.goto(f"/admin/practices/practice/?q={slug}")
    follow(page.locator("#result_list tbody th a").first)
    follow(page.locator(".versions tbody th a").first)


def move(page: Page, path: str) -> None:
    follow(page.locator(f".object-tools a[href$='/{path}/']"))


def assert_accessible(page: Page, axe) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    for width, scheme in WAYS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert axe() == [], f"{page.url}, {width} px, {scheme}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            f"{page.url}, {width} px is too narrow"
        )


@pytest.mark.parametrize("path", ["", "?beurt=redactie"])
def test_the_list(page, axe, path):
    log_in(page, "redacteur")
    page.goto(f"/admin/practices/practice/{path}")
    assert_accessible(page, axe)


def test_a_version_with_what_the_commissions_asked(page, axe):
    log_in(page, "redacteur")
    open_version(page, "spelling")
    expect(page.locator("section.report")).to_be_visible()
    assert_accessible(page, axe)


def test_check_and_submit(page, axe):
    log_in(page, "redacteur")
    open_version(page, "spelling")
    page.fill("#id_when_not", "")
    follow(page.locator("[name=_continue]"))
    move(page, "indienen")
    expect(page.locator(".findings .blocking")).to_have_count(1)
    assert_accessible(page, axe)
    follow(page.locator(".findings .blocking a"))
    expect(page).to_have_url(re.compile("#id_when_not$"))
    page.fill("#id_when_not", "Dat weet nog niemand.")
    follow(page.locator("[name=_continue]"))


def test_a_stale_save_shows_both_texts_and_is_saved_on_purpose(page, axe):
    log_in(page, "redacteur")
    open_version(page, "spelling")
    address = page.url
    page.fill("#id_lead", "Van mij.")
    other = page.context.new_page()
    other.goto(address)
    other.fill("#id_lead", "Van de ander.")
    follow(other.locator("[name=_continue]"))
    other.close()
    follow(page.locator("[name=_continue]"))
    expect(page.locator(".conflicts td")).to_have_text(["Van mij.", "Van de ander."])
    expect(page.locator("#id_lead")).to_have_value("Van mij.")
    assert_accessible(page, axe)
    follow(page.locator("[name=_continue]"))
    expect(page.locator(".conflicts")).to_have_count(0)
    expect(page.locator("#id_lead")).to_have_value("Van mij.")


def test_a_preview_link_from_making_to_reading_to_revoking(page, axe, browser, base_url):
    log_in(page, "redacteur")
    open_version(page, "spelling")
    follow(page.locator(".previews p a"))
    assert_accessible(page, axe)
    page.fill("#id_note", "Voor An")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    link = page.locator("#preview-link").input_value()
    assert_accessible(page, axe)
    reader = browser.new_context(base_url=base_url, reduced_motion="reduce")
    guest = reader.new_page()
    # The site's own address of these tests has another port than the link's SITE_URL says.
    path = link.split("/", 3)[3]
    answer = guest.goto(f"/{path}")
    assert answer.headers["referrer-policy"] == "no-referrer"
    expect(guest.locator("h1")).to_have_text("Spelling oefenen")
    follow(page.locator(".move-page p a"))
    assert_accessible(page, axe)
    follow(page.locator(".previews form button").first)
    assert guest.goto(f"/{path}").status == 404
    reader.close()


@pytest.mark.parametrize("path", ["publiceren", "plannen"])
def test_publishing_and_planning_ask_first(page, axe, path):
    log_in(page, "eindredacteur")
    open_version(page, "lezen")
    move(page, path)
    assert_accessible(page, axe)


@pytest.mark.parametrize("path", ["intrekken"])
def test_what_is_public_is_taken_offline_after_a_question(page, axe, path):
    log_in(page, "eindredacteur")
    open_version(page, "klassikaal")
    move(page, path)
    assert_accessible(page, axe)


def test_the_keyboard_alone_plans_a_publication(page):
    log_in(page, "eindredacteur")
    open_version(page, "lezen")
    link = page.locator(".object-tools a[href$='/plannen/']")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/plannen/")
    page.locator("#id_at").evaluate("field => { field.value = '2027-06-01T09:00' }")
    page.locator("#id_at").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist .success")).to_have_count(1)
    expect(page.locator(".version-state")).to_contain_text("1 juni 2027")


ADMINISTRATOR = {
    "index": "/admin/",
    "commissions": "/admin/knowledgebase/commission/",
    "seats": "/admin/knowledgebase/membership/",
    "seat": "/admin/knowledgebase/membership/add/",
    "criteria": "/admin/knowledgebase/criterion/",
    "criterion": "/admin/knowledgebase/criterion/1/change/",
    "trail": "/admin/knowledgebase/auditevent/",
    "event": "/admin/knowledgebase/auditevent/1/change/",
    "misses": "/admin/knowledgebase/searchmiss/",
    "outbox": "/admin/knowledgebase/outboxmessage/",
    "account": "/admin/knowledgebase/user/1/change/",
    "name": "/admin/knowledgebase/user/1/naam-wegnemen/",
}


@pytest.mark.parametrize("name", ADMINISTRATOR)
def test_the_pages_of_the_administrator(page, axe, name):
    log_in(page, "beheerder")
    assert page.goto(ADMINISTRATOR[name]).status == 200
    assert_accessible(page, axe)


def test_a_preview_that_does_not_open(page, axe):
    assert page.goto(f"/voorbeeld/{'x' * 43}/").status == 404
    assert_accessible(page, axe)
