"""From effect sizes to what a teacher reads. Pure functions; scales are data with a version, passed in.

Sources: the months table is Leerpunt's and the EEF's since the 2021 edition
(https://leerpunt.be/toolkit/wat-betekenen-de-iconen-van-de-toolkits); the cost bands are the EEF's
(http://educationendowmentfoundation.org.uk/evidence-summaries/about-the-toolkits/cost/).
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from statistics import NormalDist
from typing import Protocol

OWN, EEF = "own", "eef"
BEYOND = 99  # ranks above every month of every table
NORM_SHARE = 50  # of 100 pupils, who reach the norm without the practice, unless a reader says otherwise


@dataclass(frozen=True)
class Conversion:
    """A table from effect size (in standard deviations, two decimals) to months of progress in a school year."""

    version: str
    rows: tuple[tuple[int, Decimal, Decimal], ...]  # months, from, to: both included

    @property
    def highest(self) -> int:
        return self.rows[-1][0]


def _table(*upper: str) -> tuple[tuple[int, Decimal, Decimal], ...]:
    """Rows from the upper bound of each month; the lower bound is a hundredth above the bound before it."""
    rows, low = [], Decimal("0.00")
    for months, bound in enumerate(upper):
        rows.append((months, low, Decimal(bound)))
        low = Decimal(bound) + Decimal("0.01")
    return tuple(rows)


CONVERSIONS = {
    table.version: table
    for table in (
        Conversion(
            "maanden-2021",
            _table(
                "0.05", "0.09", "0.18", "0.26", "0.35", "0.44", "0.52", "0.61", "0.69", "0.78", "0.87", "0.95", "1.00"
            ),
        ),
    )
}  # fmt: skip
CONVERSION = "maanden-2021"  # what a new rating is pinned to

# Extra cost per pupil per year in pounds; the bound belongs to the band. The last band has none.
COST_BANDS = {"kost-eef": ((1, 80), (2, 200), (3, 720), (4, 1200), (5, None))}
COST_SCALE = "kost-eef"
STRENGTH_SCALE = "sterkte-2021"  # 0 (too little) to 5 (very much), as the EEF counts since 2021


def rounded(value: Decimal, places: str = "0.01") -> Decimal:
    """Half up, as people round; never before this point, and always before a look-up."""
    return value.quantize(Decimal(places), rounding=ROUND_HALF_UP)


def months(effect: Decimal, table: Conversion) -> int | None:
    """Months of progress for an effect size, mirrored below zero; None beyond the table.

    The effect is rounded to two decimals first: the table has gaps between its rows (0.055 stands in none).
    """
    size = rounded(abs(effect))
    for count, low, high in table.rows:
        if low <= size <= high:
            return -count if effect < 0 else count
    return None


def extra_pupils(effect: Decimal, share: int = NORM_SHARE) -> int:
    """How many more of 100 pupils reach a norm that `share` of them reach without the practice (1 to 99).

    Pupils are taken to be normally distributed and all to gain the same (Cohen's U3; with share 50 it is the
    improvement index of the What Works Clearinghouse). Raises ValueError for another share.
    """
    if not 1 <= share <= 99:
        raise ValueError(f"share is {share}: it must be 1 to 99")
    normal = NormalDist()
    reached = normal.cdf(normal.inv_cdf(share / 100) + float(effect)) * 100
    return int(rounded(Decimal(repr(reached)), "1")) - share


class Rating(Protocol):
    """What key_figures asks of our own rating of a context."""

    effect: Decimal | None
    ci_low: Decimal | None
    ci_high: Decimal | None
    strength: int | None
    cost: int | None
    studies: int | None
    conversion: str


class Verdict(Protocol):
    """What key_figures asks of the EEF's verdict on the same context."""

    months: int | None
    strength: int | None
    cost: int | None
    studies: int | None


@dataclass(frozen=True)
class Figure:
    """One figure as a page shows it: ours, the EEF's in its place, or unknown (value None, origin empty)."""

    value: int | None = None
    origin: str = ""

    @property
    def known(self) -> bool:
        return self.value is not None


@dataclass(frozen=True)
class Gain(Figure):
    """Months of progress; an interval only where it is ours. What lies beyond the table is None: see `effect`."""

    effect: Decimal | None = None
    ci_low: Decimal | None = None
    ci_high: Decimal | None = None
    low: int | None = None
    high: int | None = None

    @property
    def has_interval(self) -> bool:
        return self.ci_low is not None

    @property
    def rank(self) -> int | None:
        """Its place among other gains, also beyond the table; None when unknown."""
        if self.value is None and self.effect is not None:
            return BEYOND if self.effect > 0 else -BEYOND
        return self.value


@dataclass(frozen=True)
class KeyFigures:
    gain: Gain
    strength: Figure
    cost: Figure
    studies: Figure


def gain_of(rating: Rating) -> Gain:
    """Our own learning gain with its interval, converted by the table that the rating is pinned to."""
    if rating.effect is None:
        return Gain()
    table = CONVERSIONS[rating.conversion]
    interval = rating.ci_low is not None and rating.ci_high is not None
    return Gain(
        value=months(rating.effect, table),
        origin=OWN,
        effect=rating.effect,
        ci_low=rating.ci_low,
        ci_high=rating.ci_high,
        low=months(rating.ci_low, table) if interval and rating.ci_low is not None else None,
        high=months(rating.ci_high, table) if interval and rating.ci_high is not None else None,
    )


def _either(own: int | None, other: int | None) -> Figure:
    if own is not None:
        return Figure(own, OWN)
    return Figure(other, EEF) if other is not None else Figure()


def key_figures(rating: Rating | None, verdict: Verdict | None) -> KeyFigures:
    """The figures a page shows: each our own where known, else the EEF's, else unknown."""
    gain = gain_of(rating) if rating else Gain()
    if gain.origin != OWN and verdict and verdict.months is not None:
        gain = Gain(value=verdict.months, origin=EEF)
    return KeyFigures(
        gain=gain,
        strength=_either(rating.strength if rating else None, verdict.strength if verdict else None),
        cost=_either(rating.cost if rating else None, verdict.cost if verdict else None),
        # A count of studies belongs to the gain that is shown, never to the other basis.
        studies=_either(
            rating.studies if rating and gain.origin != EEF else None,
            verdict.studies if verdict and gain.origin != OWN else None,
        ),
    )


def as_given(verdict: Verdict) -> KeyFigures:
    """The figures of a verdict on their own, for a text that already says whose they are."""
    return KeyFigures(
        gain=Gain(value=verdict.months),
        strength=Figure(verdict.strength),
        cost=Figure(verdict.cost),
        studies=Figure(verdict.studies),
    )
