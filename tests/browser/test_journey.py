"""A teacher's way through the site, with the keyboard alone and with a finger."""

import re

from playwright.sync_api import Page, expect

from .pages import HOME, OWN_FIGURE
from .ways import follow


def tab_to(page: Page, selector: str, limit: int = 120) -> None:
    """Tab until the focus is on what the selector names."""
    expect(page.locator(selector).first).to_be_attached()
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached with Tab")


def press_link(page: Page, selector: str) -> None:
    tab_to(page, selector)
    page.keyboard.press("Enter")


def test_from_home_to_a_printed_comparison_by_keyboard(page):
    page.set_viewport_size({"width": 800, "height": 700})  # the filters are folded here
    page.goto(HOME)
    press_link(page, ".level-links a[href*='niveau=basis']")
    page.wait_for_url("**/praktijken/?niveau=basis")
    before = int(re.search(r"\d+", page.locator(".summary-line").inner_text())[0])

    tab_to(page, ".filter-fold > summary")
    page.keyboard.press("Enter")
    while not page.evaluate("document.activeElement.matches('.filter-group:has([name=sterkte]) > summary')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    tab_to(page, "[name=sterkte]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/praktijken/?*sterkte=*")
    assert "niveau=basis" in page.url
    after = int(re.search(r"\d+", page.locator(".summary-line").inner_text())[0])
    assert 2 <= after < before

    for _ in range(2):
        tab_to(page, "[name=p]:not(:checked)")
        page.keyboard.press("Space")
    chosen = page.eval_on_selector_all("[name=p]:checked", "boxes => boxes.map(box => box.value)")
    assert len(chosen) == 2
    press_link(page, "#vergelijk button")
    page.wait_for_url("**/praktijken/vergelijk/?*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Praktijken vergelijken")
    assert page.locator("thead [data-key]").count() == 2

    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 1


def test_a_filter_survives_a_change_of_view_and_back(page):
    page.goto("/praktijken/?niveau=lager")
    shown = page.eval_on_selector_all(".practice-row", "rows => rows.map(row => row.dataset.key)")
    follow(page.get_by_role("link", name="Tabel"))
    expect(page).to_have_url(re.compile("niveau=lager"))
    assert page.eval_on_selector_all("tr[data-key]", "rows => rows.map(row => row.dataset.key)") == shown
    page.go_back()
    assert page.eval_on_selector_all(".practice-row", "rows => rows.map(row => row.dataset.key)") == shown


def test_a_term_by_keyboard(page):
    page.goto(OWN_FIGURE)
    tab_to(page, "button.term")
    card = page.locator(f"#{page.evaluate('document.activeElement.getAttribute(`popovertarget`)')}")
    expect(card).to_be_hidden()
    page.keyboard.press("Enter")
    expect(card).to_be_visible()
    expect(card).to_contain_text(re.compile(r"\w{3,} .{20,}"))
    expect(card).to_be_in_viewport(ratio=1)
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    assert page.evaluate("document.activeElement.matches('button.term')")


def test_a_term_by_touch(new_context):
    page = new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True).new_page()
    page.goto(OWN_FIGURE)
    term = page.locator("button.term").first
    card = page.locator(f"#{term.get_attribute('popovertarget')}")
    term.tap()
    expect(card).to_be_visible()
    expect(card).to_be_in_viewport(ratio=1)
    page.touchscreen.tap(5, 5)
    expect(card).to_be_hidden()


def test_the_key_figures_change_measure_by_link(page):
    page.goto(OWN_FIGURE)
    page.get_by_role("navigation", name="Toon de winst in").get_by_role("link").last.click()
    expect(page).to_have_url(re.compile("maat="))
    expect(page.locator("#kerncijfers")).to_be_in_viewport()


def test_the_contents_lead_to_the_sections(page):
    page.goto(OWN_FIGURE)
    for link in page.locator(".contents a").all():
        link.click()
        expect(page.locator(link.get_attribute("href"))).to_be_in_viewport()
