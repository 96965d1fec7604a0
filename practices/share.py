"""The picture of a practice that people see when somebody shares its address: 1200 by 630, in the look of the site.

Imports Pillow, so it is itself imported only where a picture is made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1200, 630
SCALE = 2  # drawn larger and brought down, as Pillow draws circles and lines without smooth edges
PAPER, INK, MUTED, LINE, ACCENT = "#fbfaf6", "#1b2430", "#475059", "#d9d5c9", "#1d4f91"
FONT = Path(__file__).resolve().parent.parent / "static" / "fonts" / "atkinson-hyperlegible-next.woff2"
REGULAR, BOLD = 400, 700

LEFT, RIGHT = 72, WIDTH - 72
TITLE_SIZES = (80, 68, 58, 50, 44)
TITLE_TOP, TITLE_HEIGHT = 126, 168
LEAD_SIZE, LEAD_LEADING = 30, 39
AXIS_Y, TICK, TICK_LABEL_Y = 402, 22, 430
FIRST_MONTH, LAST_MONTH = -4, 12
FACTS_Y = 506


@dataclass(frozen=True)
class SharedCard:
    """What the picture says, in words that are ready, and the numbers of its mark. No months: the axis stays empty."""

    title: str
    lead: str
    gain: tuple[str, str, str]  # label, words, note: “learning gain”, “+6 months”, “+5 to +7”
    facts: tuple[tuple[str, str, str], ...]  # the same of strength and cost; the note says whose a figure is
    months: int | None = None
    interval: tuple[int, int] | None = None  # ends in months, those beyond the axis outside -4 to 12
    is_open: bool = False  # a verdict of others: an open point
    note: str = ""


class _Pen(NamedTuple):
    """Draws in the units of the picture, whatever the scale."""

    draw: ImageDraw.ImageDraw

    @staticmethod
    def font(size: int, weight: int = REGULAR) -> ImageFont.FreeTypeFont:
        font = ImageFont.truetype(FONT, size * SCALE)
        font.set_variation_by_axes([weight])
        return font

    @staticmethod
    def width(text: str, font: ImageFont.FreeTypeFont) -> float:
        return font.getlength(text) / SCALE

    def text(self, x: float, y: float, text: str, font: ImageFont.FreeTypeFont, fill: str, anchor: str = "ls") -> None:
        self.draw.text((x * SCALE, y * SCALE), text, font=font, fill=fill, anchor=anchor)

    def line(self, x1: float, y1: float, x2: float, y2: float, fill: str, width: int) -> None:
        self.draw.line((x1 * SCALE, y1 * SCALE, x2 * SCALE, y2 * SCALE), fill=fill, width=width * SCALE)

    def circle(self, x: float, y: float, radius: float, fill: str, outline: str | None = None, width: int = 1) -> None:
        box = ((x - radius) * SCALE, (y - radius) * SCALE, (x + radius) * SCALE, (y + radius) * SCALE)
        self.draw.ellipse(box, fill=fill, outline=outline, width=width * SCALE)


@lru_cache(maxsize=64)
def share_image(card: SharedCard) -> bytes:
    """The picture as PNG."""
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), PAPER)
    pen = _Pen(ImageDraw.Draw(image))
    _wordmark(pen, card.note)
    bottom = _title(pen, card.title)
    _lead(pen, card.lead, bottom)
    _axis(pen, card)
    _facts(pen, card)
    buffer = BytesIO()
    image.reduce(SCALE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _wordmark(pen: _Pen, note: str) -> None:
    y = 70
    pen.line(LEFT, y, LEFT + 64, y, INK, 5)
    pen.circle(LEFT + 38, y, 15, PAPER)
    pen.circle(LEFT + 38, y, 11, ACCENT)
    pen.text(LEFT + 80, y + 12, "Leerpunt", pen.font(36, BOLD), INK)
    if note:
        pen.text(RIGHT, y + 12, note, pen.font(28), MUTED, anchor="rs")


def _title(pen: _Pen, title: str) -> float:
    """The title as large as it fits, and where it ends; beyond three small lines it is cut."""
    for size in TITLE_SIZES:
        font = pen.font(size, BOLD)
        lines = _wrapped(pen, title, font, RIGHT - LEFT)
        if len(lines) * size * 1.12 <= TITLE_HEIGHT:
            break
    lines = _cut(pen, lines, int(TITLE_HEIGHT // (size * 1.12)), font, RIGHT - LEFT)
    y: float = TITLE_TOP
    for line in lines:
        y += size * 1.12
        pen.text(LEFT, y - size * 0.2, line, font, INK)
    return y


def _lead(pen: _Pen, lead: str, top: float) -> None:
    """As many whole sentences as fit above the axis, so that no "but" is lost halfway."""
    font = pen.font(LEAD_SIZE)
    most = int((AXIS_Y - TICK - LEAD_SIZE / 2 - top) // LEAD_LEADING)
    sentences = re.split(r"(?<=[.!?])\s+", lead.strip())
    shorter = (_wrapped(pen, " ".join(sentences[:count]), font, RIGHT - LEFT) for count in range(len(sentences), 0, -1))
    lines = next((lines for lines in shorter if len(lines) <= most), None)
    if lines is None:
        lines = _cut(pen, _wrapped(pen, lead, font, RIGHT - LEFT), most, font, RIGHT - LEFT)
    for number, line in enumerate(lines, start=1):
        pen.text(LEFT, top + number * LEAD_LEADING, line, font, MUTED)


def _axis_x(months: float) -> float:
    """Where a month stands; beyond the ends of the axis it stands at the end."""
    within = min(max(months, FIRST_MONTH), LAST_MONTH)
    return LEFT + 20 + (within - FIRST_MONTH) * (RIGHT - LEFT - 40) / (LAST_MONTH - FIRST_MONTH)


def _axis(pen: _Pen, card: SharedCard) -> None:
    font = pen.font(22)
    for month in range(FIRST_MONTH, LAST_MONTH + 1, 2):
        fill, width = (MUTED, 3) if month == 0 else (LINE, 2)
        pen.line(_axis_x(month), AXIS_Y - TICK, _axis_x(month), AXIS_Y + TICK, fill, width)
        if month % 4 == 0:
            words = f"+{month}" if month > 0 else str(month).replace("-", "\N{MINUS SIGN}")
            pen.text(_axis_x(month), TICK_LABEL_Y, words, font, MUTED, anchor="mt")
    if card.interval:
        low, high = card.interval
        pen.line(_axis_x(low), AXIS_Y, _axis_x(high), AXIS_Y, INK, 5)
        for end, beyond, tip in ((_axis_x(low), low < FIRST_MONTH, -1), (_axis_x(high), high > LAST_MONTH, 1)):
            if beyond:
                pen.line(end, AXIS_Y - 10, end + tip * 12, AXIS_Y + 1, INK, 5)
                pen.line(end, AXIS_Y + 10, end + tip * 12, AXIS_Y - 1, INK, 5)
    if card.months is not None and card.is_open:
        pen.circle(_axis_x(card.months), AXIS_Y, 17, PAPER, outline=ACCENT, width=5)
    elif card.months is not None:
        pen.circle(_axis_x(card.months), AXIS_Y, 20, PAPER)
        pen.circle(_axis_x(card.months), AXIS_Y, 16, ACCENT)


def _facts(pen: _Pen, card: SharedCard) -> None:
    columns = [(LEFT, card.gain, 548)]
    columns += [(x, fact, 228) for x, fact in zip((640, 900), card.facts, strict=False)]
    for x, (label, value, note), room in columns:
        pen.text(x, FACTS_Y, label, pen.font(24), MUTED)
        font, words = _fitting(pen, value, room, (44, 36, 30, 26), BOLD)
        pen.text(x, FACTS_Y + 50, words, font, INK)
        font, words = _fitting(pen, note, room, (26, 22, 18), REGULAR)
        pen.text(x, FACTS_Y + 86, words, font, MUTED)


def _fitting(
    pen: _Pen, text: str, room: float, sizes: tuple[int, ...], weight: int
) -> tuple[ImageFont.FreeTypeFont, str]:
    """The largest of the sizes in which the text fits on a line; in the smallest it is cut."""
    for size in sizes:
        font = pen.font(size, weight)
        if pen.width(text, font) <= room:
            return font, text
    return font, "".join(_cut(pen, _wrapped(pen, text, font, room), 1, font, room))


def _wrapped(pen: _Pen, text: str, font: ImageFont.FreeTypeFont, room: float) -> list[str]:
    """The text in lines that fit; a word that does not fit on a line of its own is broken."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and pen.width(longer, font) <= room:
            lines[-1] = longer
            continue
        rest = word
        while pen.width(rest, font) > room:
            fits = next(end for end in range(len(rest) - 1, 0, -1) if end == 1 or pen.width(rest[:end], font) <= room)
            lines.append(rest[:fits])
            rest = rest[fits:]
        lines.append(rest)
    return lines


def _cut(pen: _Pen, lines: list[str], most: int, font: ImageFont.FreeTypeFont, room: float) -> list[str]:
    """At most so many lines; what was cut ends in an ellipsis."""
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    while pen.width(f"{last}…", font) > room:
        last = last[:-1].rstrip(",;:. ")
    return [*lines[: most - 1], f"{last}…"]
