"""Makes static/fonts/atkinson-hyperlegible-next.woff2; static/fonts/README.md says how to run it.

The package holds the whole font as static files. Regular and Bold have the same points, so they are the two masters of one
variable font (wght 400 to 700). Arrows and the tick are not in the source font: they are drawn here, as strong as its minus. The
zero loses its slash.

usage: build.py FOLDER_OF_THE_PACKAGE OUTPUT.woff2
"""

import sys
from pathlib import Path

from fontTools import subset, varLib
from fontTools.designspaceLib import DesignSpaceDocument
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import GlyphCoordinates

LATIN = [
    chr(n) for n in (*range(0x20, 0x7F), *range(0xA0, 0x100)) if chr(n) not in "\xad¤¦ª¬¯µ¸º"
]  # left out: not used, or not there
EUROPEAN = "ĀāĂăĄąĆćČčĎďĐđĒēĖėĘęĚěĞğĢģĪīĮįİıĶķĻļĽľŁłŃńŅņŇňŐőŒœŘřŚśŞşŠšŤťŪūŮůŰűŲųŸŹźŻżŽžȘșȚț"  # in names we print
SIGNS = "–—‘’‚“”„†•…‹›⁄€−√∞≈≠≤≥™"
DRAWN = "←↑→↓↗✓"
FEATURES = ["kern", "tnum"]


def slab(ax, ay, bx, by, thick, cut=0.0):
    """The four corners of a stroke from a to b; `cut` lengthens both ends."""
    length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
    ux, uy = (bx - ax) / length, (by - ay) / length
    ax, ay, bx, by = ax - ux * cut, ay - uy * cut, bx + ux * cut, by + uy * cut
    ox, oy = -uy * thick / 2, ux * thick / 2
    return [(ax + ox, ay + oy), (bx + ox, by + oy), (bx - ox, by - oy), (ax - ox, ay - oy)]


def drawn(font):
    """Strokes of each drawn sign in an upright box, from the minus sign of this weight."""
    glyphs, cmap = font["glyf"], font.getBestCmap()
    minus = glyphs[cmap[0x2212]]
    thick = minus.yMax - minus.yMin
    middle = (minus.yMax + minus.yMin) / 2
    wide, head = 720, 215
    left, right = 60.0, wide - 60.0
    up, down = middle + (right - left) / 2, middle - (right - left) / 2
    half, centre = thick / 2, wide / 2
    joint = half * 0.9
    strokes = {
        "→": [slab(left, middle, right - half, middle, thick)]
        + [slab(right - head - half, middle + s * head, right - half, middle, thick, joint * 0.55) for s in (1, -1)],
        "←": [slab(left + half, middle, right, middle, thick)]
        + [slab(left + head + half, middle + s * head, left + half, middle, thick, joint * 0.55) for s in (1, -1)],
        "↑": [slab(centre, down, centre, up - half, thick)]
        + [slab(centre + s * head, up - head - half, centre, up - half, thick, joint * 0.55) for s in (1, -1)],
        "↓": [slab(centre, up, centre, down + half, thick)]
        + [slab(centre + s * head, down + head + half, centre, down + half, thick, joint * 0.55) for s in (1, -1)],
        "↗": [
            slab(left + 50, down + 50, right - 50 - half, up - 50 - half, thick),
            slab(right - 50 - 300, up - 50 - half, right - 50, up - 50 - half, thick),
            slab(right - 50 - half, up - 50 - 300, right - 50 - half, up - 50, thick),
        ],
        "✓": [
            slab(130, middle - 15, 285, middle - 185, thick, joint * 0.55),
            slab(285, middle - 185, 600, middle + 235, thick, joint * 0.55),
        ],
    }
    return wide, strokes


def with_drawn(font):
    wide, strokes = drawn(font)
    order = font.getGlyphOrder()
    for sign in DRAWN:
        pen = TTGlyphPen(None)
        for corners in strokes[sign]:
            area = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True))
            points = corners if area < 0 else corners[::-1]  # clockwise, so that overlaps stay filled
            pen.moveTo(tuple(round(c) for c in points[0]))
            for point in points[1:]:
                pen.lineTo(tuple(round(c) for c in point))
            pen.closePath()
        name = f"uni{ord(sign):04X}"
        glyph = pen.glyph()
        font["glyf"][name] = glyph
        glyph.recalcBounds(font["glyf"])
        font["hmtx"][name] = (wide, glyph.xMin)
        if name not in order:
            order.append(name)
        for table in font["cmap"].tables:
            if table.isUnicode():
                table.cmap[ord(sign)] = name
    font.setGlyphOrder(order)
    font["maxp"].numGlyphs = len(order)
    return font


def with_open_zero(font):
    """Zero without its slash; the tabular zero is made of it and follows."""
    glyphs = font["glyf"]
    points, ends, flags = glyphs["zero"].getCoordinates(glyphs)
    contours, start = [], 0
    for end in ends:
        contours.append(
            [(x, y, flag & 1) for (x, y), flag in zip(points[start : end + 1], flags[start : end + 1], strict=True)]
        )
        start = end + 1
    outer = max(contours, key=lambda c: max(x for x, _, _ in c) - min(x for x, _, _ in c))
    slashed = [point for contour in contours if contour is not outer for point in contour]

    def box(some):
        return (
            min(x for x, _, _ in some),
            min(y for _, y, _ in some),
            max(x for x, _, _ in some),
            max(y for _, y, _ in some),
        )

    (ax, ay, bx, by), (cx, cy, dx, dy) = box(outer), box(slashed)
    inner = [
        (cx + (x - ax) * (dx - cx) / (bx - ax), cy + (y - ay) * (dy - cy) / (by - ay), on)
        for x, y, on in reversed(outer)
    ]
    zero = glyphs["zero"]
    zero.coordinates = GlyphCoordinates([(round(x), round(y)) for x, y, _ in outer + inner])
    zero.flags = bytearray(on for _, _, on in outer + inner)
    zero.endPtsOfContours = [len(outer) - 1, 2 * len(outer) - 1]
    zero.numberOfContours = 2
    zero.recalcBounds(glyphs)
    return font


def main():
    source, output = Path(sys.argv[1]), Path(sys.argv[2])
    space, kerning = DesignSpaceDocument(), None
    space.addAxisDescriptor(name="Weight", tag="wght", minimum=400, default=400, maximum=700)
    for folder, weight in (("400Regular", 400), ("700Bold", 700)):
        font = with_open_zero(with_drawn(TTFont(source / folder / f"AtkinsonHyperlegibleNext_{folder}.ttf")))
        kerning = font["GPOS"] = kerning or font["GPOS"]  # the kerning of Regular serves both: saves two kilobytes
        space.addSourceDescriptor(
            name=folder,
            font=font,
            location={"Weight": weight},
            familyName="Atkinson Hyperlegible Next",
            styleName=folder[3:],
        )
    variable = varLib.build(space)[0]
    options = subset.Options(
        flavor="woff2", layout_features=FEATURES, hinting=False, name_IDs=[0, 1, 2, 5, 13, 14], notdef_outline=True
    )
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join([*LATIN, *EUROPEAN, *SIGNS, *DRAWN]))
    cutter.subset(variable)
    variable.recalcTimestamp = False  # the same bytes every time
    variable.flavor = "woff2"
    variable.save(output)
    has = set(variable.getBestCmap())
    missing = [c for c in [*LATIN, *EUROPEAN, *SIGNS, *DRAWN] if ord(c) not in has]
    sys.stdout.write(f"{output.stat().st_size} bytes, {len(has)} characters, without {''.join(missing)}\n")


if __name__ == "__main__":
    main()
