"""Checks that axe cannot make. Each returns what is wrong; test_seeded.py shows each of them its defect."""

from typing import Any

from playwright.sync_api import Page

_LOOK = """e => { const s = getComputedStyle(e);
  return [s.outlineStyle === 'none' || s.outlineWidth === '0px' ? 'none' : s.outline, s.boxShadow, s.borderColor,
    s.backgroundColor, s.textDecoration].join('|'); }"""
_FOCUSED = f"""() => {{
  const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return null;
  window.stops ??= [];
  if (window.stops.includes(e)) return null;
  window.stops.push(e);
  const s = getComputedStyle(e), look = {_LOOK};
  const seen = [...e.getClientRects()].some(r => [0.1, 0.5, 0.9].some(part => {{
    const above = Math.max(r.top, 0), below = Math.min(r.bottom, innerHeight);  // a table may be taller than the window
    const x = r.left + r.width * part, y = (above + below) / 2;
    if (!r.width || above >= below || x < 0 || x > innerWidth) return false;
    const top = document.elementFromPoint(x, y);
    return !!top && (e.contains(top) || top.contains(e) || [...(e.labels ?? [])].some(l => l.contains(top)));
  }}));
  return {{
    name: (e.ariaLabel || e.labels?.[0]?.innerText || e.innerText || e.value || e.id || e.tagName).trim(),
    visible: seen && s.visibility === 'visible', look: look(e)}};
}}"""
_AT_REST = f"""() => {{ const look = {_LOOK}; document.activeElement?.blur(); return window.stops.map(look); }}"""
_FOCUSABLE = """() => {
  const groups = new Set();
  return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
    .filter(e => !e.disabled && e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length)
    .filter(e => {
      if (e.type !== 'radio') return true;
      const group = e.name + '|' + (e.form?.id ?? '');
      return groups.has(group) ? false : groups.add(group);
    }).length;
}"""


def focus_walk(page: Page, limit: int = 400) -> list[dict[str, Any]]:
    """Tab from the top until focus leaves the page: the name of every stop, is it in view, does its look change."""
    stops: list[dict[str, Any]] = []
    for _ in range(limit):
        page.keyboard.press("Tab")
        stop = page.evaluate(_FOCUSED)
        if stop is None:
            break
        stops.append(stop)
    else:
        raise AssertionError("a keyboard trap, or too many stops")
    if stops:
        for stop, look in zip(stops, page.evaluate(_AT_REST), strict=True):
            stop["indicator"] = look != stop["look"]
    return stops


def focusable(page: Page) -> int:
    """How many stops a walk must have; a trap makes it shorter."""
    return int(page.evaluate(_FOCUSABLE))


def overflowing(page: Page) -> list[str]:
    """What makes the page scroll sideways; what lies in a scrollable region may."""
    return list(
        page.evaluate("""() => {
      const d = document.documentElement;
      if (d.scrollWidth <= d.clientWidth) return [];
      const inScroller = e => { for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
        if (/(auto|scroll|hidden|clip)/.test(getComputedStyle(p).overflowX)) return true; return false; };
      const out = [...document.body.querySelectorAll('*')]
        .filter(e => e.getBoundingClientRect().right > d.clientWidth + 1 && !inScroller(e))
        .map(e => `${e.tagName}${e.id ? '#' + e.id : ''}.${e.getAttribute('class') ?? ''}`);
      return out.length ? out : [`the page scrolls sideways: ${d.scrollWidth} > ${d.clientWidth}`];
    }""")
    )


def clipped_text(page: Page) -> list[str]:
    """Boxes that cut off a part of their text."""
    return list(
        page.evaluate("""() => [...document.body.querySelectorAll('*')].filter(e => {
      const s = getComputedStyle(e);
      return e.innerText && s.clipPath === 'none' && /(hidden|clip)/.test(s.overflowX + s.overflowY) && e.clientHeight > 1 &&
        (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1);
    }).map(e => e.tagName + (e.id ? '#' + e.id : ''))""")
    )


def overlapping_text(page: Page) -> list[str]:
    """Lines of text that lie over one another."""
    return list(
        page.evaluate("""() => {
      const lines = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      for (let node; (node = walker.nextNode());) {
        const e = node.parentElement;
        if (!node.data.trim() || e.closest('svg, .visually-hidden, option') || !e.checkVisibility()) continue;
        if (getComputedStyle(e).clipPath !== 'none') continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const r of range.getClientRects()) if (r.width > 3 && r.height > 3)
          lines.push({e, text: node.data.trim().slice(0, 30), l: r.left, r: r.right, t: r.top + r.height * .3, b: r.bottom - r.height * .3});
      }
      lines.sort((a, b) => a.t - b.t);
      const out = [];
      for (let i = 0; i < lines.length; i++) for (let j = i + 1; j < lines.length && lines[j].t < lines[i].b; j++) {
        const a = lines[i], b = lines[j];
        if (Math.min(a.r, b.r) - Math.max(a.l, b.l) > 3 && Math.min(a.b, b.b) > Math.max(a.t, b.t))
          out.push(`"${a.text}" and "${b.text}"`);
      }
      return out;
    }""")
    )


def running_animations(page: Page, longest_ms: int = 20) -> list[str]:
    """Animations and transitions that last longer than a blink, and smooth scrolling."""
    return list(
        page.evaluate(
            """(longest) => {
      const ms = t => t.split(',').map(x => parseFloat(x) * (x.trim().endsWith('ms') ? 1 : 1000));
      const bad = [];
      for (const e of document.querySelectorAll('*')) for (const pseudo of [null, '::before', '::after']) {
        const s = getComputedStyle(e, pseudo);
        const total = (d, n) => Math.max(...ms(d).map((x) => x * (n === 'infinite' ? 1e9 : parseFloat(n) || 1)));
        if (s.animationName !== 'none' && total(s.animationDuration, s.animationIterationCount) > longest)
          bad.push(e.tagName + ' animation');
        if (Math.max(...ms(s.transitionDuration)) > longest && s.transitionProperty !== 'none')
          bad.push(e.tagName + ' transition');
        if (!pseudo && s.scrollBehavior === 'smooth') bad.push(e.tagName + ' smooth scroll');
      }
      return bad;
    }""",
            longest_ms,
        )
    )


def hidden_in_forced_colors(page: Page) -> list[str]:
    """Controls that lose their edge in forced colours, and marks of a drawing that take no system colour."""
    return list(
        page.evaluate("""() => [...document.querySelectorAll(
        'button:not(.term), input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea')].filter(e => {
      const s = getComputedStyle(e);
      return s.forcedColorAdjust === 'none' ||
        (parseFloat(s.borderTopWidth) === 0 && parseFloat(s.borderBottomWidth) === 0 && s.outlineStyle === 'none');
    }).map(e => e.tagName + (e.id ? '#' + e.id : ''))""")
    )


def add_style(page: Page, css: str) -> None:
    """The style of a test in place of the one before; not by a style element, which the policy refuses."""
    page.evaluate(
        """css => { const s = new CSSStyleSheet(); s.replaceSync(css);
      document.adoptedStyleSheets = [s]; }""",
        css,
    )


TEXT_SPACING = (
    "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }"
    " p { margin-bottom: 2em !important }"
)
TEXT_200 = "html { font-size: 200% !important }"
