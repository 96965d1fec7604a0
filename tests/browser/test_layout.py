"""Reflow, enlarged text, text spacing and steadiness while the font loads."""

import pytest

from .a11y import TEXT_200, TEXT_SPACING, add_style, clipped_text, overflowing, overlapping_text
from .pages import HOME, OVERVIEW, OWN_FIGURE, PAGES

# Width, height and style. 640 by 400 is a window of 1280 by 800 at 200% zoom (1.4.4), 320 wide is reflow (1.4.10);
# the others are text of twice the size and the spacing of 1.4.12.
CONDITIONS = {
    "320 px": (320, 640, ""),
    "200% zoom": (640, 400, ""),
    "768 px": (768, 1024, ""),
    "text 200% at 1280": (1280, 800, TEXT_200),
    "text 200% at 768": (768, 1024, TEXT_200),
    "spacing at 1280": (1280, 800, TEXT_SPACING),
    "spacing at 320": (320, 640, TEXT_SPACING),
}
PAINTED = """() => new Promise(done =>
  new PerformanceObserver(() => requestAnimationFrame(() => requestAnimationFrame(() => done())))
    .observe({type: 'paint', buffered: true}))"""
FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"


@pytest.mark.parametrize("name", PAGES)
def test_everything_fits(page, name):
    page.goto(PAGES[name])
    wrong = {}
    for condition, (width, height, style) in CONDITIONS.items():
        page.set_viewport_size({"width": width, "height": height})
        add_style(page, style)
        faults = overflowing(page)[:8] + clipped_text(page)[:8] + overlapping_text(page)[:8]
        if faults:
            wrong[condition] = faults
    assert wrong == {}


@pytest.mark.parametrize("path", [HOME, OVERVIEW, OWN_FIGURE])
@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_moves_when_the_font_comes_late(new_context, path, width):
    page = new_context(viewport={"width": width, "height": 800}).new_page()
    waiting = []
    page.route("**/*.woff2", lambda route: waiting.extend([route]))
    page.goto(path, wait_until="domcontentloaded")
    page.evaluate(PAINTED)
    assert waiting, "the font was not asked for"
    for route in waiting:
        route.continue_()
    page.wait_for_load_state("load")
    page.evaluate("() => document.fonts.ready.then(() => null)")
    page.evaluate(FRAMES)
    shifts = page.evaluate("""() => new Promise(done => {
      const observer = new PerformanceObserver(list => done(list.getEntries().map(
        entry => [entry.value, ...entry.sources.map(s => s.node?.parentElement?.outerHTML.slice(0, 80))])));
      observer.observe({type: 'layout-shift', buffered: true});
      requestAnimationFrame(() => requestAnimationFrame(() => done([])));
    })""")
    assert shifts == []
