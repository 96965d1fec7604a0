"""Where studies, averages and intervals stand in a drawing. Places are per cent of the drawing, heights and points are
in em, so that words grow with the reader's text size. No Django.

What is drawn is a finite number on the scale that readers see; the axis always holds 0 and every point. An interval that
reaches much further is cut off and ends in an arrow.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeGuard

MARGIN = 2.0  # per cent left and right of the axis
ROW = 1.75  # em from one row to the next
SMALLEST, LARGEST = 0.2, 0.55  # em: radius of a point
REACH = 0.75  # how far an interval may stretch the axis, as a share of the span of the points
ALONE = 2  # zero and one point
MOST_TICKS = 8
NOTHING = 1e-12  # a span that nobody sees
STANDARD = 1.959964  # of the normal distribution: 95% lies within


def place(value: float) -> str:
    """A place in per cent, as SVG reads it in every language: 12.5."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Tick:
    x: str
    value: float
    places: int  # decimals in its words
    is_zero: bool = False


@dataclass(frozen=True)
class Axis:
    """A line of numbers from `low` to `high`, both included."""

    low: float
    high: float
    step: float

    def share(self, value: float) -> float:
        """Where a number stands, from 0 to 100; beyond the ends at the end."""
        inside = min(max(value, self.low), self.high)
        return MARGIN + (inside - self.low) / (self.high - self.low) * (100 - 2 * MARGIN)

    def x(self, value: float) -> str:
        return place(self.share(value))

    @property
    def ticks(self) -> list[Tick]:
        places = max(0, -math.floor(math.log10(self.step) + 1e-9))
        first, last = math.ceil(self.low / self.step - 1e-9), math.floor(self.high / self.step + 1e-9)
        return [
            Tick(self.x(count * self.step), count * self.step, places, count == 0) for count in range(first, last + 1)
        ]


def axis(points: Iterable[float], ends: Iterable[float] = (), *, most: int = MOST_TICKS) -> Axis:
    """An axis that holds 0 and every point, and as much of the ends as keeps the points readable."""
    inside = [0.0, *(value for value in points if math.isfinite(value))]
    low, high = min(inside), max(inside)
    outside = [value for value in ends if math.isfinite(value)]
    if high - low < NOTHING:  # nothing, or zeros only
        high = max((abs(value) for value in outside), default=0.0)
        high = high if high >= NOTHING else 1.0
        low = -high
    reach = (high - low) * REACH if len(inside) > ALONE else math.inf  # a point alone is readable in any interval
    low, high = max(min([low, *outside]), low - reach), min(max([high, *outside]), high + reach)
    return Axis(low, high, _step((high - low) / most))


def _step(smallest: float) -> float:
    """The first of 1, 2, 5, 10, 20 … (and 0.5, 0.2 …) that is not below this."""
    size = 10.0 ** math.floor(math.log10(smallest))
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor >= smallest * (1 - 1e-9))


@dataclass(frozen=True)
class Entry:
    """What one row of a plot says: a heading when there is no figure at all, an empty line when it is unknown."""

    label: str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    words: str = ""  # the figure in words
    detail: str = ""  # what may be left out where there is little room
    share: float | None = None  # of the largest weight, from 0 to 1: how large its point is
    kind: str = "study"  # study, group, average, range or heading


@dataclass(frozen=True)
class Drawn:
    """A row as it is drawn."""

    label: str
    kind: str
    y: str
    words: str = ""
    detail: str = ""
    x: str = ""
    radius: str = ""
    low: str = ""
    high: str = ""
    beyond_low: bool = False
    beyond_high: bool = False


@dataclass(frozen=True)
class Rows:
    """A plot of rows below each other along one axis: a forest plot, or the groups of a comparison."""

    rows: Sequence[Drawn]
    ticks: Sequence[Tick]
    height: str  # em
    average: str = ""  # where the line of the average stands


def rows(entries: Sequence[Entry], *, average: float | None = None) -> Rows:
    """Entries on one axis, from top to bottom."""
    points = [entry.estimate for entry in entries if _is_number(entry.estimate)]
    ends = [end for entry in entries for end in (entry.low, entry.high) if _is_number(end)]
    line = axis([*points, *([average] if _is_number(average) else [])], ends)
    count = max(len(entries), 1)
    drawn = [_drawn(entry, line, place((number + 0.5) / count * 100)) for number, entry in enumerate(entries)]
    return Rows(drawn, line.ticks, place(count * ROW), line.x(average) if _is_number(average) else "")


def _drawn(entry: Entry, line: Axis, y: str) -> Drawn:
    interval = {}
    if _is_number(entry.low) and _is_number(entry.high):
        interval = {
            "low": line.x(entry.low),
            "high": line.x(entry.high),
            "beyond_low": entry.low < line.low,
            "beyond_high": entry.high > line.high,
        }
    point = {}
    if _is_number(entry.estimate):
        point = {"x": line.x(entry.estimate), "radius": radius(entry.share)}
    return Drawn(entry.label, entry.kind, y, entry.words, entry.detail, **point, **interval)  # type: ignore[arg-type]  # texts and flags


def radius(share: float | None) -> str:
    """The radius of a point in em whose surface is this share of the largest."""
    if share is None:
        return place(0.4)
    return place(max(SMALLEST, LARGEST * math.sqrt(min(max(share, 0.0), 1.0))))


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


@dataclass(frozen=True)
class Funnel:
    """Effects against their standard errors: the most precise on top, in the funnel that chance alone would fill."""

    points: Sequence[tuple[str, str]]
    columns: Sequence[Tick]
    rows: Sequence[Tick]  # of standard errors; `x` is their height from the top
    average: str = ""
    left: str = ""  # where the funnel ends below
    right: str = ""


def funnel(studies: Iterable[tuple[float, float]], *, average: float | None = None) -> Funnel:
    """Studies as (effect, standard error); points on the same spot are drawn once."""
    known = [(effect, error) for effect, error in studies if math.isfinite(effect) and math.isfinite(error)]
    deep = axis([error for _effect, error in known], most=4)
    effects = [effect for effect, _error in known]
    if not _is_number(average):
        line = axis(effects)
        return Funnel(_spots(known, line, deep), line.ticks, deep.ticks)
    left, right = average - deep.high * STANDARD, average + deep.high * STANDARD
    line = axis([*effects, left, right])
    spots = _spots(known, line, deep)
    return Funnel(spots, line.ticks, deep.ticks, line.x(average), line.x(left), line.x(right))


def _spots(known: Sequence[tuple[float, float]], line: Axis, deep: Axis) -> list[tuple[str, str]]:
    return list(dict.fromkeys((line.x(effect), deep.x(error)) for effect, error in known))
