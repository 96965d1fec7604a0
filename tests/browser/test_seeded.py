"""Each check of a11y.py finds its own defect on a page that has it."""

from .a11y import (
    clipped_text,
    focus_walk,
    focusable,
    hidden_in_forced_colors,
    overflowing,
    overlapping_text,
    running_animations,
)

TINY = "width:10px;height:10px;padding:0;margin:0"
PALE = ("oklch(80% 0 0)", "light-dark(#ddd, #000)", "color-mix(in oklch, white 70%, black)")


def show(page, html):
    page.set_content(f"<!doctype html><html lang=nl><head><title>t</title></head><body><main>{html}")


def test_axe_sees_small_targets(page, axe):
    show(page, f"<h1>x</h1><button style='{TINY}' aria-label=a></button><button style='{TINY}' aria-label=b></button>")
    assert "target-size" in [rule for rule, _nodes in axe()]


def test_axe_sees_pale_text_in_modern_colours(page, axe):
    show(page, "<h1>x</h1>" + "".join(f"<p style='color:{color};background:#fff'>pale</p>" for color in PALE))
    assert {rule: len(nodes) for rule, nodes in axe()} == {"color-contrast": len(PALE)}


def test_focus_without_an_indicator(page):
    show(page, "<style>#b:focus { outline: none }</style><button id=a>a</button><button id=b>b</button>")
    assert [stop["indicator"] for stop in focus_walk(page)] == [True, False]


def test_focus_out_of_sight(page):
    bar = "position:fixed;top:0;left:0;right:0;height:100px;background:#ccc"
    show(
        page,
        f"<div style='{bar}'>h</div><button>under</button><a href='#x' style='position:absolute;left:-999px'>off</a>",
    )
    assert [stop["visible"] for stop in focus_walk(page)] == [False, False]


def test_keyboard_trap(page):
    trap = "<script>b.onkeydown = e => { if (e.key == 'Tab') { e.preventDefault(); a.focus() } }</script>"
    show(page, f"<button id=a>a</button><button id=b>b</button>{trap}<button>c</button>")
    assert len(focus_walk(page)) < focusable(page)


def test_sideways_scrolling(page):
    page.set_viewport_size({"width": 320, "height": 600})
    show(page, "<p id=w style='width:500px'>w</p>")
    assert any("#w" in name for name in overflowing(page))
    show(page, "<div style='overflow-x:auto'><p style='width:500px'>w</p></div>")
    assert overflowing(page) == []


def test_clipped_text(page):
    show(page, "<div id=c style='height:1.2em;overflow:hidden'>one<br>two</div>")
    assert clipped_text(page) == ["DIV#c"]


def test_text_over_text(page):
    show(page, "<p>under</p><p style='margin-top:-2em'>over</p><p>apart</p>")
    assert overlapping_text(page) == ['"under" and "over"']


def test_motion(page):
    page.emulate_media(reduced_motion="reduce")
    style = "@keyframes k { to { opacity: 0 } } #m { animation: k 3s infinite } #t { transition: all 1s }"
    show(page, f"<style>{style}</style><p id=m>m</p><p id=t>t</p>")
    assert running_animations(page) == ["P animation", "P transition"]


def test_controls_without_an_edge(page):
    page.emulate_media(forced_colors="active")
    show(page, "<button id=n style='border:0;background:#06c;color:#fff'>n</button><button>ok</button>")
    assert hidden_in_forced_colors(page) == ["BUTTON#n"]
