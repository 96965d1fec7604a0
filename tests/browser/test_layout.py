"""Reflow, enlarged text, text spacing and steadiness while fonts load."""

import pytest

from .a11y import TEXT_200, TEXT_SPACING, add_style, clipped_text, overflowing, overlapping_text
from .pages import HOME, OVERVIEW, OWN_FIGURE, PAGES

pages = pytest.mark.parametrize("name", PAGES)


@pages
def test_reflow_at_320_pixels(page, name):
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(PAGES[name])
    assert overflowing(page) == []
    assert overlapping_text(page) == []


@pages
def test_reflow_at_200_percent_zoom(new_context, name):
    """A window of 1280 by 800 at 200%."""
    page = new_context(viewport={"width": 640, "height": 400}, device_scale_factor=2).new_page()
    page.goto(PAGES[name])
    assert overflowing(page) == []
    assert overlapping_text(page) == []


@pages
@pytest.mark.parametrize("width", [1280, 768])
def test_text_at_200_percent(page, name, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(PAGES[name])
    add_style(page, TEXT_200)
    assert overflowing(page) == []
    assert clipped_text(page) == []
    assert overlapping_text(page) == []


@pages
@pytest.mark.parametrize("width", [1280, 320])
def test_text_spacing(page, name, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(PAGES[name])
    add_style(page, TEXT_SPACING)
    assert overflowing(page) == []
    assert clipped_text(page) == []
    assert overlapping_text(page) == []


@pytest.mark.parametrize("path", [HOME, OVERVIEW, OWN_FIGURE])
@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_moves_when_the_font_comes_late(new_context, path, width):
    context = new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    waiting = []
    page.route("**/*.woff2", waiting.append)
    page.goto(path, wait_until="domcontentloaded")
    frames = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    page.evaluate(frames)
    assert waiting, "the font was not asked for"
    assert not page.evaluate("document.fonts.check('16px \"Atkinson Hyperlegible Next\"')")
    with page.expect_event("load"):
        for route in waiting:
            route.continue_()
    page.evaluate("() => document.fonts.ready.then(() => null)")
    page.evaluate(frames)
    shifts = page.evaluate("""() => new Promise(done => {
      const all = [];
      const observer = new PerformanceObserver(list => all.push(...list.getEntries()));
      observer.observe({type: 'layout-shift', buffered: true});
      requestAnimationFrame(() => requestAnimationFrame(() => {
        all.push(...observer.takeRecords());
        done(all.map(e => [e.value, ...e.sources.map(s => s.node?.parentElement?.className + ' ' + s.node?.nodeName)]));
      }));
    })""")
    assert shifts == []
