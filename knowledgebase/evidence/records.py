"""What goes into a pooled result and what comes out, as plain records. No numpy: pages read stored results with them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self
from urllib.parse import urlencode

METHOD_VERSION = "1"  # raise it when the same rows would give other digits: every stored result is then made anew
FEWEST_STUDIES = 3  # below this nothing is pooled, anywhere
FEWEST_DF = 4  # below these Satterthwaite degrees of freedom there is no interval and no headline (Tipton 2015)
FEWEST_FOR_CHECKS = 10  # small-study checks are noted from this many studies
FEWEST_FOR_SHARE = 10  # "8 of 10 comparable schools" is said from this many studies, see `supports_share`
OUTLIER = 3.0  # a study further than this many standard errors from what the others lead to expect is an outlier
OUTLIER_RULE = "studentised-deleted-residual-above-3"
DESIGNS = ("randomised", "quasi", "observational", "unknown")
MODELS = ("independent", "che", "three-level", "per-study")
OUTSIDE_EUROPE = "buiten-europa"
_EUROPE = (
    "AD AL AT BA BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS SE "
    "SI SK SM UA VA XK"
)
COUNTRY_GROUPS = {
    "benelux": frozenset({"BE", "NL", "LU"}),
    "europa": frozenset(_EUROPE.split()),
    "noord-amerika": frozenset({"CA", "US"}),
    OUTSIDE_EUROPE: frozenset(),  # every known country that is not in Europe
}


@dataclass(frozen=True, slots=True)
class Row:
    """One effect size of a selection, with what the switches need to know of its study. Empty text is unknown."""

    uid: str
    study: str  # the study's key: effects with the same key are effects of one study
    label: str
    year: int | None
    country: str
    level: str  # the slug of a concept; `levels` holds it and the broader ones
    subject: str
    design: str
    risk: str
    outcome: str
    measure: str
    effect: float
    variance: float
    n1: int | None = None
    n2: int | None = None
    pupils: int | None = None
    moderators: dict[str, Any] = field(default_factory=dict)
    included: bool = True
    reason: str = ""
    levels: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """How a selection is pooled; part of the version, so in its hash."""

    model: str = "independent"  # with several effects a study, `che` is used unless it says otherwise
    method: str = "REML"
    test: str = "adhoc"
    rho: float = 0.6
    measure: str = "g"
    months: bool = False
    moderators: tuple[str, ...] = ()  # columns of the rows whose groups are shown


@dataclass(frozen=True, slots=True)
class Switches:
    """What a reader chose to recompute with; nothing chosen is everything. Addresses are in Dutch."""

    level: str = ""
    subject: str = ""
    design: str = ""
    country: str = ""  # ISO code of two letters, or a name in COUNTRY_GROUPS
    since: int | None = None
    without_outliers: bool = False
    model: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """From the parameters of an address; what cannot be read is left out (see `unread`)."""
        found: dict[str, Any] = {}
        for name, parameter in PARAMETERS.items():
            value = _read(name, query.get(parameter, "").strip())
            if value is not None:
                found[name] = value
        return cls(**found)

    @staticmethod
    def unread(query: Mapping[str, str]) -> list[str]:
        """The parameters that were given a value that means nothing."""
        return [
            parameter
            for name, parameter in PARAMETERS.items()
            if (value := query.get(parameter, "").strip()) and _read(name, value) is None
        ]

    @property
    def chosen(self) -> dict[str, str]:
        """The parameters that say the same, in a fixed order."""
        words = {
            "level": self.level,
            "subject": self.subject,
            "design": DESIGN_WORDS.get(self.design, ""),
            "country": self.country,
            "since": "" if self.since is None else str(self.since),
            "without_outliers": "ja" if self.without_outliers else "",
            "model": MODEL_WORDS.get(self.model, ""),
        }
        return {PARAMETERS[name]: value for name, value in words.items() if value}

    @property
    def query(self) -> str:
        """`niveau=lager&vanaf=2000`, the same for the same choice."""
        return urlencode(self.chosen)

    def without(self, name: str) -> Self:
        """The same choice but for one field."""
        default: dict[str, Any] = {name: getattr(type(self)(), name)}
        return replace(self, **default)


PARAMETERS = {
    "level": "niveau",
    "subject": "vak",
    "design": "opzet",
    "country": "land",
    "since": "vanaf",
    "without_outliers": "zonder-uitschieters",
    "model": "model",
}
DESIGN_WORDS = {
    "randomised": "gerandomiseerd",
    "quasi": "quasi-experiment",
    "observational": "observationeel",
    "unknown": "onbekend",
}
MODEL_WORDS = {"che": "che", "three-level": "drie-niveaus", "per-study": "per-studie"}
_EARLIEST, _LATEST, _LONGEST = 1800, 2200, 80


def _read(name: str, value: str) -> Any:
    """The value of a field, or None when the text says nothing that can be used."""
    if not value or len(value) > _LONGEST:
        return None
    if name == "since":
        year = int(value) if value.isascii() and value.isdigit() and len(value) == 4 else 0
        return year if _EARLIEST <= year <= _LATEST else None
    if name == "without_outliers":
        return True if value.lower() in {"ja", "1", "on", "true"} else None
    if name in {"design", "model"}:
        words = DESIGN_WORDS if name == "design" else MODEL_WORDS
        return next((key for key, word in words.items() if value.lower() in {key, word}), None)
    if name == "country":
        if value.lower() in COUNTRY_GROUPS:
            return value.lower()
        return value.upper() if len(value) == 2 and value.isascii() and value.isalpha() else None
    return value.lower() if all(letter.isalnum() or letter in "-_" for letter in value) else None


def matching(rows: Iterable[Row], switches: Switches) -> list[Row]:
    """The rows that a choice leaves (all but outliers, which follow from the rows). Unknown never matches a choice."""
    wanted = COUNTRY_GROUPS.get(switches.country)

    def fits(row: Row) -> bool:
        return (
            (not switches.level or switches.level in (row.level, *row.levels))
            and (not switches.subject or switches.subject in (row.subject, *row.subjects))
            and (not switches.design or switches.design == row.design)
            and (switches.since is None or (row.year is not None and row.year >= switches.since))
            and (not switches.country or _in_country(row.country, switches.country, wanted))
        )

    return [row for row in rows if fits(row)]


def _in_country(country: str, chosen: str, group: frozenset[str] | None) -> bool:
    if group is None:
        return country == chosen
    if chosen == OUTSIDE_EUROPE:
        return bool(country) and country not in COUNTRY_GROUPS["europa"]
    return country in group


def supports_share(k_studies: int, tau2: float) -> bool:
    """Whether an 80% prediction interval may be told as "8 of 10 comparable schools".

    From ten studies with a variance between them above zero. Below that tau2 is hardly known, and the interval holds
    far fewer schools than it says (Partlett & Riley 2017, 10.1002/sim.7140: coverage is near what it says with larger
    numbers of studies and real heterogeneity); with tau2 estimated as zero it is only the interval of the mean.
    """
    return k_studies >= FEWEST_FOR_SHARE and tau2 > 0


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class StudyResult:
    """One study as a forest plot draws it: its effects taken together, and its share of the weight (percent)."""

    study: str
    label: str
    year: int | None
    effects: int
    estimate: float
    se: float
    ci: Interval
    weight: float  # of 100; 0 where nothing is pooled
    pupils: int | None = None


@dataclass(frozen=True, slots=True)
class GroupResult:
    """One group of a subgroup analysis; without a figure below three studies."""

    name: str
    k_studies: int
    k_effects: int
    estimate: float | None = None
    ci: Interval | None = None
    df: float | None = None


@dataclass(frozen=True, slots=True)
class Subgroups:
    """Groups of one moderator with one common variance between studies, and the HTZ test that they are equal."""

    moderator: str
    groups: tuple[GroupResult, ...]
    unknown_studies: int  # studies that do not say
    statistic: float | None = None
    df1: float | None = None
    df2: float | None = None
    p: float | None = None
    refusal: str = ""  # why there is no test: too-few-groups, not-estimable


@dataclass(frozen=True, slots=True)
class Slope:
    """The change of the effect per unit of a moderator in numbers."""

    moderator: str
    k_studies: int
    estimate: float
    se: float
    ci: Interval | None
    df: float | None
    p: float | None


@dataclass(frozen=True, slots=True)
class SmallStudies:
    """Notes on small and missing studies, on studies (their effects taken together); only from ten studies."""

    predictor: str  # sizes (n1 and n2), size (n, groups taken as equal) or error (standard error)
    egger_slope: float
    egger_p: float
    egger_df: float | None
    missing: int  # studies that trim and fill adds
    side: str  # where they are missing: left or right
    filled_estimate: float
    filled_ci: Interval


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The same result with another correlation between the effects of a study."""

    rho: float
    estimate: float
    ci: Interval | None


@dataclass(frozen=True, slots=True)
class Excluded:
    uid: str
    study: str
    label: str
    reason: str  # an editor's words, or a code: outlier, effect-missing, variance-missing, variance-not-positive
    by_editor: bool = False  # then the reason is an editor's words


@dataclass(frozen=True)
class Result:
    """A pooled result. `refusal` says why there is no headline: no-rows, too-few-studies, too-few-df, not-estimable."""

    k_effects: int
    k_studies: int
    total_studies: int  # in the selection, before the switches
    total_effects: int
    pupils: int | None  # of the studies that say so
    pupils_known: int  # how many studies say so
    model: str  # what was used: independent, che, three-level, per-study
    method: str
    test: str
    rho: float | None
    measure: str
    estimate: float | None = None
    se: float | None = None
    ci: Interval | None = None  # 95%
    pi: Interval | None = None  # 95%, for the true effect in a new study
    pi_df: float | None = None
    share_interval: Interval | None = None  # 80% prediction interval, only where "8 of 10" may be said
    tau2: float | None = None
    tau2_ci: Interval | None = None
    tau2_parts: tuple[float, float] | None = None  # between studies, within studies
    I2: float | None = None
    Q: float | None = None
    Q_df: int | None = None
    df: float | None = None
    statistic: float | None = None
    p: float | None = None
    refusal: str = ""
    studies: tuple[StudyResult, ...] = ()
    subgroups: tuple[Subgroups, ...] = ()
    slopes: tuple[Slope, ...] = ()
    sensitivity: tuple[Sensitivity, ...] = ()
    small_studies: SmallStudies | None = None
    excluded: tuple[Excluded, ...] = ()  # by the editor or because they cannot be used
    outliers: tuple[Excluded, ...] = ()  # left out by the switch
    outlier_rule: str = ""
    method_version: str = ""

    @property
    def headline_allowed(self) -> bool:
        return not self.refusal

    def as_dict(self) -> dict[str, Any]:
        """For JSON; floats keep all their digits."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """The result that `as_dict` gave, after JSON."""
        known = {entry.name for entry in fields(cls)}
        values = {name: value for name, value in stored.items() if name in known}
        for name in ("ci", "pi", "share_interval", "tau2_ci"):
            values[name] = _interval(values.get(name))
        if values.get("tau2_parts") is not None:
            values["tau2_parts"] = tuple(values["tau2_parts"])
        values["studies"] = tuple(
            StudyResult(**{**row, "ci": Interval(**row["ci"])}) for row in values.get("studies", ())
        )
        values["subgroups"] = tuple(
            Subgroups(
                **{
                    **row,
                    "groups": tuple(GroupResult(**{**group, "ci": _interval(group["ci"])}) for group in row["groups"]),
                }
            )
            for row in values.get("subgroups", ())
        )
        values["slopes"] = tuple(Slope(**{**row, "ci": _interval(row["ci"])}) for row in values.get("slopes", ()))
        values["sensitivity"] = tuple(
            Sensitivity(**{**row, "ci": _interval(row["ci"])}) for row in values.get("sensitivity", ())
        )
        if (small := values.get("small_studies")) is not None:
            values["small_studies"] = SmallStudies(**{**small, "filled_ci": Interval(**small["filled_ci"])})
        for name in ("excluded", "outliers"):
            values[name] = tuple(Excluded(**row) for row in values.get(name, ()))
        return cls(**values)


def _interval(stored: Mapping[str, float] | None) -> Interval | None:
    return None if stored is None else Interval(stored["low"], stored["high"])


def finite(value: float | None) -> float | None:
    """None for what JSON cannot hold."""
    return value if value is not None and math.isfinite(value) else None
