"""From effect sizes to what a teacher reads. Pure functions; scales are data with a version, passed in.

Sources: the months table is Leerpunt's and the EEF's since the 2021 edition
(https://leerpunt.be/toolkit/wat-betekenen-de-iconen-van-de-toolkits); the cost bands are the EEF's
(http://educationendowmentfoundation.org.uk/evidence-summaries/about-the-toolkits/cost/).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from statistics import NormalDist
from typing import Any, Protocol

from knowledgebase.evidence.records import Result, Row

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


# -- strength of the evidence ----------------------------------------------------------------------

MOST_STRENGTH = 5
SHARES = ("design", "indirect", "old")  # threats that a share of the studies triggers

# The rule with which the site starts, as data; later ones are rows of RatingRule. Where it comes from and what it costs
# is in docs/decisions/0012.
FIRST_RULE = "sterkte-2026"
FIRST_RULE_PARAMS: dict[str, Any] = {
    "starts": {"1": 10, "2": 25, "3": 45, "4": 70, "5": 90},
    "design": {"above": 0.5, "minus": 1},
    "spread": {"zero_in_prediction": True, "i2_above": None, "minus": 1},
    "asymmetry": {"p_below": 0.05, "minus": 1},
    "indirect": {"above": 0.5, "minus": 1},
    "old": {"before": 1990, "above": 0.5, "minus": 1},
}


class RuleUnreadable(ValueError):
    """A rule that says something else than a rule can say: `code` is what is wrong, at `place`."""

    def __init__(self, code: str, place: str) -> None:
        super().__init__(f"{place}: {code}")
        self.code, self.place = code, place


@dataclass(frozen=True)
class StrengthRule:
    """How strong evidence is: points for the number of studies, minus each threat. `minus` 0 takes a threat away."""

    version: str
    starts: tuple[tuple[int, int], ...]  # points, from this many studies; rising
    minus: Mapping[str, int]
    above: Mapping[str, float]  # the share of studies above which a threat counts
    zero_in_prediction: bool
    i2_above: float | None
    p_below: float
    before: int

    @classmethod
    def read(cls, version: str, params: Any) -> "StrengthRule":
        """The rule of JSON like FIRST_RULE_PARAMS. Raises RuleUnreadable."""
        if not isinstance(params, dict) or params.keys() != FIRST_RULE_PARAMS.keys():
            raise RuleUnreadable("parts", ", ".join(FIRST_RULE_PARAMS))
        for name, default in FIRST_RULE_PARAMS.items():
            if not isinstance(params[name], dict) or params[name].keys() != default.keys():
                raise RuleUnreadable("parts", f"{name}: {', '.join(default)}")
        starts = [(points, params["starts"][str(points)]) for points in range(1, MOST_STRENGTH + 1)]
        counts = [_number(f"starts {points}", count, 1, 100_000, whole=True) for points, count in starts]
        if sorted(set(counts)) != counts:
            raise RuleUnreadable("rising", "starts")
        spread = params["spread"]
        if not isinstance(spread["zero_in_prediction"], bool):
            raise RuleUnreadable("yes-or-no", "spread zero_in_prediction")
        i2 = spread["i2_above"]
        return cls(
            version=version,
            starts=tuple((points, int(count)) for (points, _given), count in zip(starts, counts, strict=True)),
            minus={
                name: int(_number(f"{name} minus", part["minus"], 0, MOST_STRENGTH, whole=True))
                for name, part in params.items()
                if name != "starts"
            },
            above={name: _number(f"{name} above", params[name]["above"], 0, 1) for name in SHARES},
            zero_in_prediction=spread["zero_in_prediction"],
            i2_above=None if i2 is None else _number("spread i2_above", i2, 0, 100),
            p_below=_number("asymmetry p_below", params["asymmetry"]["p_below"], 0, 1),
            before=int(_number("old before", params["old"]["before"], 1800, 2100, whole=True)),
        )


def _number(place: str, value: Any, low: float, high: float, *, whole: bool = False) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or (whole and value != int(value)):
        raise RuleUnreadable("whole" if whole else "number", place)
    if not low <= value <= high:
        raise RuleUnreadable(f"{low:g} to {high:g}", place)
    return float(value)


@dataclass(frozen=True)
class Step:
    """One step of a waterfall: points for the studies, or what one threat takes away and the share that did it.

    `judged` is False where the rows do not say enough to judge: then nothing is taken, and that is said.
    """

    code: str  # studies, design, spread, asymmetry, indirect, old
    points: int
    judged: bool = True
    count: int | None = None  # studies that the threat is about, of `of`
    of: int | None = None
    unknown: int = 0  # studies that do not say, among the counted ones where unknown counts as a threat
    limit: float | None = None  # the share, the p or the year of the rule
    value: float | None = None  # I2, or p

    @property
    def share(self) -> float | None:
        return self.count / self.of if self.count is not None and self.of else None


@dataclass(frozen=True)
class Waterfall:
    """A strength with every step towards it, by a version of the rule."""

    rule: str
    strength: int
    steps: tuple[Step, ...] = field(default=())
    studies_for_more: int | None = None  # at which number of studies the start would be one point higher

    @property
    def lost(self) -> list[Step]:
        return [step for step in self.steps if step.points < 0]


def strength_of(rows: Iterable[Row], result: Result, levels: Collection[str], rule: StrengthRule) -> Waterfall:
    """The strength of what rows say: `result` is theirs without switches, `levels` the levels that the text is for.

    Per study, not per effect. A study of which neither design nor risk of bias is known counts as one that we cannot
    trust, and the step says how many of those there are. Small-study asymmetry costs a point only where the result
    with the missing studies filled in would no longer exclude zero: it is a note otherwise, never the rating.
    """
    studies: dict[str, Row] = {}
    for row in rows:
        if row.included:
            studies.setdefault(row.study, row)
    of = result.k_studies
    start = max((points for points, fewest in rule.starts if of >= fewest), default=0)
    steps = [Step("studies", start, count=of, of=of)]
    if start:
        steps += [
            _design(studies.values(), rule),
            _spread(result, rule),
            _asymmetry(result, rule),
            _indirect(studies.values(), levels, rule),
            _old(studies.values(), rule),
        ]
    more = next((fewest for points, fewest in rule.starts if points == start + 1), None)
    return Waterfall(rule.version, max(0, sum(step.points for step in steps)), tuple(steps), more)


def _share_step(code: str, count: int, of: int, unknown: int, judged: bool, rule: StrengthRule) -> Step:
    limit = rule.above[code]
    lost = rule.minus[code] if judged and of and count / of > limit else 0
    return Step(code, -lost, judged=judged, count=count, of=of, unknown=unknown, limit=limit)


def _design(studies: Collection[Row], rule: StrengthRule) -> Step:
    weak = sum(1 for row in studies if row.design == "observational" or row.risk == "high")
    unknown = sum(1 for row in studies if row.design in ("", "unknown") and row.risk in ("", "unknown"))
    return _share_step("design", weak + unknown, len(studies), unknown, True, rule)


def _spread(result: Result, rule: StrengthRule) -> Step:
    if result.pi is None or result.I2 is None:
        return Step("spread", 0, judged=False, limit=rule.i2_above)
    crosses = rule.zero_in_prediction and result.pi.low <= 0 <= result.pi.high
    large = rule.i2_above is not None and rule.i2_above < result.I2
    lost = rule.minus["spread"] if crosses or large else 0
    return Step("spread", -lost, limit=rule.i2_above, value=result.I2)


def _asymmetry(result: Result, rule: StrengthRule) -> Step:
    checks = result.small_studies
    if checks is None:
        return Step("asymmetry", 0, judged=False, limit=rule.p_below)
    tilted = checks.egger_p < rule.p_below and checks.filled_ci.low <= 0 <= checks.filled_ci.high
    return Step(
        "asymmetry", -rule.minus["asymmetry"] if tilted else 0, count=checks.missing, of=result.k_studies,
        limit=rule.p_below, value=checks.egger_p,
    )  # fmt: skip


def _indirect(studies: Collection[Row], levels: Collection[str], rule: StrengthRule) -> Step:
    """Studies at another level than those the text is for; a study that names none is not counted as such."""
    known = [row for row in studies if row.level]
    elsewhere = sum(1 for row in known if not {row.level, *row.levels} & set(levels))
    judged = bool(known and levels)
    return _share_step("indirect", elsewhere, len(studies), len(studies) - len(known), judged, rule)


def _old(studies: Collection[Row], rule: StrengthRule) -> Step:
    known = [row for row in studies if row.year is not None]
    old = sum(1 for row in known if row.year is not None and row.year < rule.before)
    return _share_step("old", old, len(studies), len(studies) - len(known), bool(known), rule)
