"""Searching: with the keyboard, as a screen reader hears it, with a finger, and without the script."""

import re

import pytest
from playwright.sync_api import Page, expect

from .a11y import TEXT_200, add_style, hidden_in_forced_colors, overflowing
from .pages import HOME, OVERVIEW, SEARCH
from .test_journey import tab_to

FIELD = "#zoek"


def combobox(page: Page):
    return page.get_by_role("combobox", name="Zoek op deze site")


def options(page: Page):
    return page.get_by_role("listbox", name="Voorstellen").get_by_role("option")


def active(page: Page) -> str:
    """The words of the option that a screen reader reads: the one that the field points at."""
    return page.evaluate(
        """() => { const id = document.activeElement.getAttribute('aria-activedescendant');
        return id ? document.getElementById(id).firstChild.textContent : ''; }"""
    )


def heard(page: Page) -> str:
    return page.locator(".site-search [role=status]").inner_text()


def keys(page: Page) -> list[str]:
    return page.eval_on_selector_all(".search-result", "rows => rows.map(row => row.querySelector('a').pathname)")


def boxes(page: Page) -> list[list[object]]:
    """Every field of the filters as the reader left it."""
    return page.eval_on_selector_all(
        ".filters input", "inputs => inputs.map(i => [i.name, i.value, i.checked, i.disabled])"
    )


def test_type_pick_filter_open_and_back_with_the_keyboard(page):
    page.goto(HOME)
    tab_to(page, FIELD)
    assert combobox(page).get_attribute("aria-expanded") == "false"
    page.keyboard.type("feed")
    expect(options(page).first).to_be_visible()
    assert combobox(page).get_attribute("aria-expanded") == "true"
    count = options(page).count()
    assert re.fullmatch(rf"{count} voorstel(len)?\. Kies met de pijltjes\.", heard(page))
    assert active(page) == ""

    page.keyboard.press("ArrowDown")
    first = active(page)
    assert first == "Feedback"
    assert options(page).first.get_attribute("aria-selected") == "true"
    expect(combobox(page)).to_be_focused()
    page.keyboard.press("ArrowUp")
    assert active(page) == ""  # back in the field
    page.keyboard.press("ArrowUp")
    assert active(page) == options(page).last.locator("span").inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert active(page) == first
    assert page.locator("[role=option][aria-selected=true]").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_url("**/praktijken/feedback/")

    # What was typed itself, by Enter.
    tab_to(page, FIELD)
    page.keyboard.type("feedback geven")
    page.keyboard.press("Enter")
    page.wait_for_url("**/zoeken/?q=feedback+geven")
    expect(page.get_by_role("heading", level=1)).to_have_text("Wat we vonden")
    expect(page.locator(".summary-line")).to_contain_text("met ‘feedback geven’")
    everything = keys(page)
    assert everything[0] == "/praktijken/feedback/"

    tab_to(page, "[name=soort][value=praktijk]")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**/zoeken/?*soort=praktijk*")
    practices = keys(page)
    assert practices
    assert all(path.startswith("/praktijken/") for path in practices)
    expect(page.locator("[name=soort][value=praktijk]")).to_be_checked()
    address, fields = page.url, boxes(page)

    tab_to(page, ".search-result:nth-child(2) a")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{practices[1]}")
    page.go_back()
    assert page.url == address
    assert keys(page) == practices
    assert boxes(page) == fields
    expect(page.locator(FIELD)).to_have_value("feedback geven")
    expect(page.locator(".suggestions")).to_be_hidden()
    page.go_back()
    assert keys(page) == everything


def test_escape_closes_then_empties_and_tab_leaves_without_choosing(page):
    page.goto(OVERVIEW)
    page.focus(FIELD)
    page.keyboard.type("reken")
    expect(options(page).first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator(".suggestions")).to_be_hidden()
    assert active(page) == ""
    assert combobox(page).get_attribute("aria-expanded") == "false"
    expect(page.locator(FIELD)).to_have_value("reken")
    page.keyboard.press("ArrowDown")
    expect(options(page).first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(".suggestions")).to_be_hidden()
    expect(page.locator(FIELD)).to_have_value("reken")
    expect(page.locator(".site-search button")).to_be_focused()
    page.focus(FIELD)
    page.keyboard.press("Escape")
    expect(page.locator(FIELD)).to_have_value("")


def test_nothing_to_suggest_is_said_and_two_letters_are_needed(page):
    page.goto(HOME)
    page.focus(FIELD)
    page.fill(FIELD, "qqxzqqxz")
    expect(page.locator(".site-search [role=status]")).to_have_text("Geen voorstellen. Druk op Enter om te zoeken.")
    expect(page.locator(".suggestions")).to_be_hidden()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.fill(FIELD, "r")
    expect(page.locator(".site-search [role=status]")).to_have_text("")
    assert asked == []


def test_a_suggestion_by_mouse_and_by_touch(page, new_context):
    phone = new_context(viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True).new_page()
    for reader, choose in ((page, "click"), (phone, "tap")):
        reader.goto(HOME)
        reader.focus(FIELD)
        reader.keyboard.type("huisw")
        option = options(reader).filter(has_text="Huiswerk").first
        expect(option).to_be_visible()
        assert overflowing(reader) == []
        getattr(option, choose)()
        reader.wait_for_url("**/praktijken/huiswerk/")


def test_the_open_list_is_accessible(page, axe):
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 700})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.goto(HOME)
            page.focus(FIELD)
            page.keyboard.type("feed")
            expect(options(page).first).to_be_visible()
            page.keyboard.press("ArrowDown")
            assert axe() == [], f"{width} px, {scheme}"
            expect(options(page).first).to_be_in_viewport(ratio=1)
            assert overflowing(page) == []
            for option in options(page).all():
                assert option.bounding_box()["height"] >= 24
    page.set_viewport_size({"width": 768, "height": 700})
    add_style(page, TEXT_200)
    assert overflowing(page) == []
    page.emulate_media(forced_colors="active")
    assert hidden_in_forced_colors(page) == []


def test_a_server_that_does_not_answer_leaves_a_plain_field(page, faults):
    page.route("**/zoeken/suggesties/**", lambda route: route.fulfill(status=429, body=""))
    page.goto(HOME)
    page.focus(FIELD)
    with page.expect_response("**/zoeken/suggesties/**"):
        page.keyboard.type("feed")
    expect(page.locator(".suggestions")).to_be_hidden()
    page.keyboard.press("Enter")
    page.wait_for_url("**/zoeken/?q=feed")
    assert [fault for fault in faults if "429" not in fault] == []
    faults.clear()  # a refused answer is told in the console: here that is the point


def test_without_javascript_the_form_submits(browser, browser_context_args):
    context = browser.new_context(**browser_context_args, java_script_enabled=False)
    still = context.new_page()
    still.goto(HOME)
    still.fill(FIELD, "feedback")
    still.locator(".site-search button").click()
    still.wait_for_url("**/zoeken/?q=feedback")
    still.locator("[name=soort][value=praktijk]").check()
    still.get_by_role("button", name="Toon de resultaten").click()
    still.wait_for_url("**/zoeken/?*soort=praktijk*")
    assert still.locator(".search-result").count() > 1
    assert still.locator("#zoek").get_attribute("type") == "search"
    context.close()


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_the_first_result_is_near_the_top(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(SEARCH)
    expect(page.locator(".search-result h2").first).to_be_in_viewport(ratio=1)
    expect(page.locator(".search-result mark").first).to_be_visible()
