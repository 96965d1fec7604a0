"""What comes out of the printer."""

import re

import pytest

from .pages import COMPARE_FOUR, COMPARE_TWO, OWN_FIGURE, RECOUNT

A4 = (595, 842)  # points


def sheets(page, path):
    """The (width, height) in points of every sheet that printing the page takes."""
    page.goto(path)
    pdf = page.pdf(prefer_css_page_size=True)
    count = len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", pdf)
    assert len(boxes) == count
    return [(round(float(width)), round(float(height))) for width, height in boxes]


COMPARE_THREE = COMPARE_FOUR.rpartition("&")[0]


@pytest.mark.parametrize("path", [COMPARE_TWO, COMPARE_THREE, COMPARE_FOUR])
def test_a_comparison_fits_one_a4_on_its_side(page, path):
    assert sheets(page, path) == [A4[::-1]]


def test_a_practice_prints_upright(page):
    pages = sheets(page, OWN_FIGURE)
    assert set(pages) == {A4}
    assert len(pages) <= 8


def test_sums_print_upright_with_their_plots_and_without_the_forms(page):
    pages = sheets(page, RECOUNT)
    assert set(pages) == {A4}
    assert len(pages) <= 9
    page.emulate_media(media="print")
    for kept in ("#uitkomst", ".rows-plot >> nth=0", ".funnel-plot", "#sterkte", ".study-table"):
        assert page.locator(kept).is_visible(), kept
    for dropped in ("#keuzes", ".inline-form >> nth=0"):
        assert not page.locator(dropped).is_visible(), dropped


def test_print_keeps_the_content_and_drops_the_controls(page):
    page.goto(OWN_FIGURE)
    page.emulate_media(media="print")
    for kept in ("h1", "#kerncijfers", "#bronnen", ".term-card >> nth=0", ".demo-notice", ".version-line"):
        assert page.locator(kept).is_visible(), kept
    for dropped in (".main-nav", "search", ".contents", ".metrics", ".skip-link", ".site-footer nav"):
        assert not page.locator(dropped).is_visible(), dropped


def test_dark_mode_prints_dark_ink_on_paper(page):
    page.emulate_media(color_scheme="dark", media="print")
    page.goto(OWN_FIGURE)
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 36, 48)"
