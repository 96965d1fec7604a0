"""The desk of the commissions in a real browser: accessible, usable by keyboard, and without JavaScript."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .a11y import clipped_text, focus_walk, focusable, hidden_in_forced_colors, overflowing, running_animations
from .server import serving
from .ways import log_in

DESK = "/redactie/"
# Who looks at which page; a title instead of an address is followed from the desk.
PAGES = {
    "member-desk": ("bart", DESK),
    "member-review": ("bart", "Feedback geven"),
    "member-history": ("bart", "/redactie/geschiedenis/"),
    "chair-decision": ("chair-user", "Gespreid herhalen"),
    "chair-revalidation": ("chair-user", "Klassikaal overhoren"),
    "chair-conflict": ("chair-scientific", "Huiswerk"),
    "chair-public": ("chair-user", "/redactie/gepubliceerd/"),
    "editor-desk": ("redacteur", DESK),
    "editor-report": ("redacteur", "Wat de commissies zeiden"),
    "nobody": ("niemand", DESK),
}


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """A site with a text in every state instead of the demonstration."""
    with serving(prepare="tests.browser.prepare_desk") as url:
        yield url


def visit(page: Page, name: str) -> None:
    who, where = PAGES[name]
    log_in(page, who)
    if not where.startswith("/"):
        page.goto(DESK)
        where = page.locator("main").get_by_role("link", name=where).first.get_attribute("href")
    page.goto(where)
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")


@pytest.mark.parametrize("name", PAGES)
def test_axe_and_layout(page, axe, name):
    visit(page, name)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    for width, scheme in ((1280, "dark"), (768, "light"), (320, "light")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        assert axe() == [], f"{width} px, {scheme}"
        assert overflowing(page) == [], width
        assert clipped_text(page) == [], width
    assert running_animations(page) == []


@pytest.mark.parametrize("name", ["member-desk", "member-review", "chair-decision"])
@pytest.mark.parametrize("width", [1280, 320])
def test_keyboard(page, name, width):
    page.set_viewport_size({"width": width, "height": 700})
    visit(page, name)
    page.goto(page.url.partition("#")[0])
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    expected = focusable(page)
    stops = focus_walk(page)
    assert stops[0]["name"] == "Ga naar de inhoud"
    # Of a field with many lines the browser brings only the line with the caret into view.
    texts = {
        label.strip() for label in page.locator("label:has(+ * ~ textarea), label:has(+ textarea)").all_inner_texts()
    }
    assert {stop["name"] for stop in stops if not stop["visible"]} <= texts
    assert [stop["name"] for stop in stops if not stop["indicator"]] == []
    assert len(stops) >= expected


@pytest.mark.parametrize("name", ["member-desk", "member-review"])
def test_forced_colors(page, name):
    page.emulate_media(forced_colors="active")
    visit(page, name)
    assert hidden_in_forced_colors(page) == []


def test_selected_words_are_taken_over_into_a_comment(page):
    visit(page, "member-review")
    page.evaluate("""() => {
        const range = document.createRange();
        range.selectNodeContents(document.querySelector('[data-quotable] .prose li'));
        getSelection().removeAllRanges();
        getSelection().addRange(range);
    }""")
    page.get_by_role("button", name="Neem de geselecteerde woorden over uit de tekst").click()
    passage = page.get_by_label("Passage (hoeft niet)")
    expect(passage).to_have_value("Je geeft feedback op de taak, niet op de leerling.")
    expect(passage).to_be_focused()


def test_a_review_by_keyboard_alone_and_without_javascript(browser, browser_context_args):
    """A member reads, comments, answers and recommends; what was forgotten is said, and nothing is lost."""
    context: BrowserContext = browser.new_context(**browser_context_args, java_script_enabled=False)
    page = context.new_page()
    log_in(page, "chris")
    page.get_by_role("link", name="Feedback geven", exact=True).first.focus()
    page.keyboard.press("Enter")
    form = page.locator("#review-user")
    form.get_by_label("Toelichting").focus()
    page.keyboard.type("Het voorbeeld helpt. Dank je.")
    form.get_by_role("button", name="Leg je beoordeling vast").focus()
    page.keyboard.press("Enter")

    expect(form.get_by_role("alert")).to_contain_text("Dit is niet vastgelegd.")
    expect(form.get_by_label("Toelichting")).to_have_value("Het voorbeeld helpt. Dank je.")
    for group in form.locator("fieldset").all():
        group.get_by_role("radio").first.focus()
        page.keyboard.press("Space")
    form.get_by_role("button", name="Leg je beoordeling vast").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("Dank je: je beoordeling is vastgelegd.")
    expect(page.get_by_role("heading", name="Je beoordeling: goedkeuren")).to_be_visible()
    context.close()
