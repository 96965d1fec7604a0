"""Where points and intervals stand: one axis from −4 to +12 months everywhere. Whole numbers only, so that a template
prints them the same in every language. No Django."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .ratings import OWN, Gain

FIRST, LAST = -4, 12
STEP = 30  # units of the drawing per month
MARGIN = 20
WIDTH = 2 * MARGIN + (LAST - FIRST) * STEP


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


@dataclass(frozen=True)
class Mark:
    """A point with its interval on the axis. `x` is None where nothing is known: the axis stays empty."""

    x: int | None = None
    low: int | None = None
    high: int | None = None
    is_open: bool = False  # a verdict of others: an open point without interval
    beyond_low: bool = False
    beyond_high: bool = False


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


STRENGTH_STEP = 66
UNKNOWN_ROW = -1  # below 0: a known gain on evidence whose strength nobody rated
PLOT_LEFT, PLOT_TOP, PLOT_BOTTOM = 130, 20, 60


@dataclass(frozen=True)
class PlotPoint:
    """One practice in the plot of strength against gain, numbered to its row in the table."""

    number: int
    x: int
    y: int
    low: int | None
    high: int | None
    is_open: bool
    cost: int | None
    label: str


@dataclass(frozen=True)
class Plot:
    width: int
    height: int
    points: Sequence[PlotPoint]
    columns: Sequence[Tick]
    rows: Sequence[tuple[int, int]]  # strength (UNKNOWN_ROW last), y
    axis_y: int  # where the lines of the months end and their words begin

    @property
    def middle(self) -> int:
        return (PLOT_LEFT + self.width) // 2

    @property
    def centre_y(self) -> int:
        return self.axis_y // 2


def strength_y(strength: int) -> int:
    """5 on top, 0 below, under it the row of unknown strength."""
    return PLOT_TOP + 24 + (5 - strength) * STRENGTH_STEP


def plot(entries: Iterable[tuple[int, Gain, int | None, int | None, str]]) -> Plot:
    """Strength of evidence against learning gain. Entries: (number, gain, strength, cost, label); an unknown gain
    has no point, an unknown strength has a row of its own.

    Points that would cover each other are set apart: three above each other, the next three a little to their right.
    """
    taken: dict[tuple[int, int], int] = {}
    points = []
    for number, gain, strength, cost, label in entries:
        shape = mark(gain)
        if shape.x is None:
            continue
        row = UNKNOWN_ROW if strength is None else strength
        place = (shape.x, row)
        right, down = divmod(taken.get(place, 0), 3)
        taken[place] = taken.get(place, 0) + 1
        shift = PLOT_LEFT - MARGIN
        points.append(
            PlotPoint(
                number=number,
                x=shape.x + shift + right * 10,
                y=strength_y(row) + (0, -20, 20)[down],
                low=None if shape.low is None else shape.low + shift,
                high=None if shape.high is None else shape.high + shift,
                is_open=shape.is_open,
                cost=cost,
                label=label,
            )
        )
    columns = [Tick(t.x + PLOT_LEFT - MARGIN, t.label, t.is_zero) for t in ticks()]
    return Plot(
        width=WIDTH + PLOT_LEFT - MARGIN,
        height=strength_y(UNKNOWN_ROW) + 24 + PLOT_BOTTOM,
        points=points,
        columns=columns,
        rows=[(strength, strength_y(strength)) for strength in range(5, UNKNOWN_ROW - 1, -1)],
        axis_y=strength_y(UNKNOWN_ROW) + 24,
    )
