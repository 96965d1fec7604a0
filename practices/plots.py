"""Where points and intervals stand: one axis from −4 to +12 months everywhere. Places are whole percentages of the
drawing, which has no scale of its own, so that its words grow with the reader's text size. No Django."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .ratings import OWN, Gain

FIRST, LAST = -4, 12
STEP = 6  # per cent of the axis per month
MARGIN = 2


def position(months: int) -> int:
    """Where a month stands on the axis; beyond its ends it stands at the end."""
    return MARGIN + (min(max(months, FIRST), LAST) - FIRST) * STEP


@dataclass(frozen=True)
class Tick:
    x: int
    label: str  # empty for a line without words
    is_zero: bool


def ticks() -> list[Tick]:
    """A line every two months, words every four."""
    return [
        Tick(position(month), _signed(month) if month % 4 == 0 else "", month == 0)
        for month in range(FIRST, LAST + 1, 2)
    ]


def _signed(month: int) -> str:
    return f"+{month}" if month > 0 else f"\N{MINUS SIGN}{-month}" if month < 0 else "0"


SHAPES = {  # in a square from −16 to 16
    "circle": "M-12 0a12 12 0 1 0 24 0a12 12 0 1 0 -24 0z",
    "square": "M-12 -12h24v24h-24z",
    "triangle": "M0 -18L18 12L-18 12z",
    "diamond": "M0 -16L16 0L0 16L-16 0z",
}


@dataclass(frozen=True)
class Mark:
    """A point with its interval on the axis. `x` is None where nothing is known: the axis stays empty.

    In the plot it has a place between top and bottom, the shape of its cost and the number of its row in the table.
    """

    x: int | None = None
    low: int | None = None
    high: int | None = None
    is_open: bool = False  # a verdict of others: an open point without interval
    beyond_low: bool = False
    beyond_high: bool = False
    y: int = 50
    right: int = 0  # moved aside, in widths of a point
    down: int = 0
    shape: str = "circle"
    number: int | None = None

    @property
    def outline(self) -> str:
        return SHAPES[self.shape]

    @property
    def left_edge(self) -> str:
        return f"{self.right - 0.5}em"

    @property
    def top_edge(self) -> str:
        return f"{self.down - 0.5}em"


def mark(gain: Gain) -> Mark:
    """The mark of a learning gain. An interval that leaves the axis or the months table ends in an arrow."""
    if gain.value is None and not gain.has_interval:
        return Mark()
    x = None if gain.value is None else position(gain.value)
    if not gain.has_interval:
        return Mark(x=x, is_open=gain.origin != OWN)
    low = gain.low if gain.low is not None else FIRST - 1
    high = gain.high if gain.high is not None else LAST + 1
    return Mark(x=x, low=position(low), high=position(high), beyond_low=low < FIRST, beyond_high=high > LAST)


UNKNOWN_ROW = -1  # below 0: a known gain on evidence whose strength nobody rated


@dataclass(frozen=True)
class Plot:
    points: Sequence[Mark]
    columns: Sequence[Tick]
    rows: Sequence[tuple[int, int]]  # strength (UNKNOWN_ROW last), y


def strength_y(strength: int) -> int:
    """5 on top, 0 below, under it the row of unknown strength."""
    return 8 + (5 - strength) * 14


def shape_of(cost: int | None) -> str:
    if cost is None:
        return "diamond"
    return "circle" if cost <= 2 else "square" if cost == 3 else "triangle"


def plot(entries: Iterable[tuple[int, Gain, int | None, int | None]]) -> Plot:
    """Strength of evidence against learning gain. Entries: (number, gain, strength, cost); an unknown gain has no
    point, an unknown strength has a row of its own.

    Points that would cover each other are set apart: three above each other, the next three a little to their right.
    """
    taken: dict[tuple[int, int], int] = {}
    points = []
    for number, gain, strength, cost in entries:
        drawn = mark(gain)
        if drawn.x is None:
            continue
        row = UNKNOWN_ROW if strength is None else strength
        place = (drawn.x, row)
        right, down = divmod(taken.get(place, 0), 3)
        taken[place] = taken.get(place, 0) + 1
        points.append(
            replace(
                drawn,
                y=strength_y(row),
                right=right,
                down=(0, -1, 1)[down],
                shape=shape_of(cost),
                number=number,
            )
        )
    rows = [(strength, strength_y(strength)) for strength in range(5, UNKNOWN_ROW - 1, -1)]
    return Plot(points=points, columns=ticks(), rows=rows)
