"""WCAG 2.2 A and AA on every kind of page: what axe sees, and keyboard, motion and forced colours, which it does not."""

import re

import pytest
from playwright.sync_api import expect

from .a11y import focus_walk, focusable, hidden_in_forced_colors, running_animations
from .pages import COMPARE_TWO, HOME, OVERVIEW, OWN_FIGURE, PAGES, PLOT, RECOUNT, SEARCH, STATUS

# Pages share their components: these six hold most of them; the others are seen narrow in the light and wide in the dark.
OWN_COMPONENTS = ("home", "overview", "practice-own-figure", "recount", "compare-four", "search")
FOUR_WAYS = ((320, "light"), (1280, "dark"), (320, "dark"), (1280, "light"))


@pytest.mark.parametrize("name", PAGES)
def test_axe(page, axe, name):
    answer = page.goto(PAGES[name])
    assert answer.status == STATUS.get(name, 200)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    for width, scheme in FOUR_WAYS if name in OWN_COMPONENTS else FOUR_WAYS[:2]:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        assert axe() == [], f"{width} px, {scheme}"
    assert running_animations(page) == []  # with reduced motion, as all contexts here


@pytest.mark.parametrize(("name", "width"), [(name, 1280) for name in PAGES] + [(name, 320) for name in OWN_COMPONENTS])
def test_keyboard(page, name, width):
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(PAGES[name])
    expected = focusable(page)
    stops = focus_walk(page)
    if name != "login":  # starts in its first field
        assert stops[0]["name"] == "Ga naar de inhoud"
    assert [stop["name"] for stop in stops if not stop["visible"]] == []
    assert [stop["name"] for stop in stops if not stop["indicator"]] == []
    assert len(stops) >= (1 if name == "login" else expected)


@pytest.mark.parametrize("path", [HOME, OVERVIEW, OWN_FIGURE, COMPARE_TWO, "/bestaat-niet/"])
def test_skip_link(page, path):
    page.goto(path)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("!document.activeElement.closest('header.site-header')")


@pytest.mark.parametrize(
    "path", [HOME, OVERVIEW, OVERVIEW + "?weergave=grafiek", OWN_FIGURE, RECOUNT, COMPARE_TWO, SEARCH, "/aanmelden/"]
)
def test_forced_colors(page, path):
    page.emulate_media(forced_colors="active")
    page.goto(path)
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    assert hidden_in_forced_colors(page) == []
    assert [stop["name"] for stop in focus_walk(page) if not stop["indicator"]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_in_forced_colors_use_system_colours(page, scheme):
    """A filled point, an open one and an interval stay apart when the reader's own colours replace ours."""
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    page.goto(OVERVIEW)
    text, background = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    marks = page.evaluate("""() => [
        ['.axis .mark:not(.open) .dot', 'fill'], ['.axis .interval', 'stroke'], ['.points .on', 'stroke'],
        ['.axis .open .dot', 'stroke'], ['.axis .open .dot', 'fill'], ['.axis .halo', 'stroke']
    ].map(([name, property]) => getComputedStyle(document.querySelector(name))[property])""")
    assert marks == [text, text, text, text, background, background]


def test_words_on_an_axis_grow_with_the_text(page):
    for path, words in (
        (OWN_FIGURE, ".axis-large text"), (PLOT, ".axis-plot .mark text"), (PLOT, ".axis .row-name"),
        (RECOUNT, ".rows-plot .row-label"), (RECOUNT, ".funnel-plot .tick"),
    ):  # fmt: skip
        page.goto(path)
        height = page.locator(words).first.bounding_box()["height"]
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.locator(words).first.bounding_box()["height"] == pytest.approx(2 * height, rel=0.1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_plots_of_studies_in_forced_colours_use_system_colours(page, scheme):
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    page.goto(RECOUNT)
    text, background = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    marks = page.evaluate("""() => [
        ['.rows-plot .study circle', 'fill'], ['.rows-plot .interval', 'stroke'], ['.rows-plot .row-label', 'fill'],
        ['.funnel-plot circle', 'fill'], ['.rows-plot .average circle', 'stroke'], ['.rows-plot .average circle', 'fill']
    ].map(([name, property]) => getComputedStyle(document.querySelector(name))[property])""")
    assert marks == [text, text, text, text, text, background]


@pytest.mark.parametrize(
    ("width", "size"), [(1280, "100%"), (768, "100%"), (320, "100%"), (1280, "200%"), (768, "200%")]
)
def test_words_of_a_plot_of_studies_stay_apart(page, width, size):
    """At every width and text size: names do not touch figures, and both stay inside the page."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(RECOUNT)
    page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
    wrong = page.evaluate("""() => [...document.querySelectorAll('.rows-plot > svg')].flatMap(row => {
      const [name, words] = [...row.querySelectorAll('text')].map(text => text.getBoundingClientRect());
      const faults = [];
      if (words && name.right > words.left && name.bottom > words.top && words.bottom > name.top) faults.push('touch');
      if (name.left < -1 || (words ?? name).right > document.documentElement.clientWidth + 1) faults.push('outside');
      return faults.map(fault => `${fault}: ${row.textContent.trim()}`);
    })""")
    assert wrong == []


def test_page_titles_differ_and_name_the_site(page):
    titles = {}
    for name in (
        "home",
        "overview",
        "practice-own-figure",
        "compare-four",
        "summaries",
        "glossary",
        "login",
        "not-found",
    ):
        page.goto(PAGES[name])
        titles[name] = page.title()
    assert len(set(titles.values())) >= len(titles) - 1, titles
    assert all(title.endswith("| Leerpunt") for title in titles.values()), titles


def test_language_and_landmarks(page):
    page.goto(OWN_FIGURE)
    assert re.match(r"nl", page.locator("html").get_attribute("lang"))
    for role in ("banner", "main", "contentinfo", "search"):
        expect(page.get_by_role(role)).to_have_count(1)
    names = [nav.get_attribute("aria-label") for nav in page.get_by_role("navigation").all()]
    assert len(set(names)) == len(names)
    assert all(names)
