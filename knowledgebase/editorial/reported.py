"""Statistics as they stand in a paper, and how each kind becomes an effect with its variance.

The arithmetic is in knowledgebase.evidence.effect_sizes; scipy is imported only when something is converted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from knowledgebase.models import EffectSize, Measure

if TYPE_CHECKING:
    from knowledgebase.evidence.effect_sizes import Effect

MISSING = frozenset({"", "na", "n/a", "nan", "nvt", "n.v.t.", "null", "none", "-", "–", "—", "?", "#n/a", "#n/b"})
MOST = 2**30  # of people; two groups of so many still fit in a column
_MINUS = str.maketrans({"−": "-", "–": "-", "\u00a0": "", "\u202f": "", "\u2009": "", " ": "", "'": "", "’": ""})
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?\Z", re.ASCII)
_MESSAGES = (  # what effect_sizes says, for the catalogue
    gettext_noop("Too few people for a standardised difference."),
    gettext_noop("A group has two people or more."),
    gettext_noop("A standard deviation is above zero."),
    gettext_noop("F is zero or more."),
    gettext_noop("Say in which direction the difference goes."),
    gettext_noop("p lies between 0 and 1."),
    gettext_noop("A correlation lies between -1 and 1."),
    gettext_noop("Four people or more."),
    gettext_noop("Five people or more."),
    gettext_noop("A count is zero or more."),
    gettext_noop("Both groups have people."),
    gettext_noop("Nobody, or everybody, succeeded: this table says nothing about a difference."),
    gettext_noop("A cluster has one pupil or more."),
    gettext_noop("An intraclass correlation lies from 0 to 1."),
    gettext_noop("The clusters are too large for so few pupils."),
    gettext_noop("An estimate lies inside its interval."),
    gettext_noop("These numbers give no effect with a variance above zero."),
)


class NotConverted(ValueError):
    """These statistics give no effect; the message says why, for an editor."""


@dataclass(frozen=True)
class Statistic:
    """One number that a paper reports."""

    name: str
    label: Any
    whole: bool = False
    default: str = ""
    choices: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Kind:
    """What a paper may report about one comparison, and the formula that serves it."""

    name: str
    label: Any
    statistics: tuple[Statistic, ...]
    measure: str = Measure.G
    formula: str = ""  # named to the editor beside the result

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(statistic.name for statistic in self.statistics)


_N1 = Statistic("n1", gettext_lazy("pupils with the intervention"), whole=True)
_N2 = Statistic("n2", gettext_lazy("pupils without"), whole=True)
_N = Statistic("n", gettext_lazy("pupils in all"), whole=True)
_M1 = Statistic("m1", gettext_lazy("mean with the intervention"))
_M2 = Statistic("m2", gettext_lazy("mean without"))
_SD2 = Statistic("sd2", gettext_lazy("standard deviation without"))
_SIGN = Statistic(
    "sign",
    gettext_lazy("which group did better"),
    whole=True,
    choices=(("1", gettext_lazy("with the intervention")), ("-1", gettext_lazy("without"))),
)
_R = Statistic("r", gettext_lazy("correlation between both measurements"))
_TABLE = (
    Statistic("a", gettext_lazy("successes with the intervention"), whole=True),
    Statistic("b", gettext_lazy("failures with the intervention"), whole=True),
    Statistic("c", gettext_lazy("successes without"), whole=True),
    Statistic("d", gettext_lazy("failures without"), whole=True),
)
_TWO_ARMS = (
    Statistic("pre1", gettext_lazy("mean before, with the intervention")),
    Statistic("post1", gettext_lazy("mean after, with the intervention")),
    Statistic("sd1", gettext_lazy("standard deviation before, with the intervention")),
    _N1,
    Statistic("pre2", gettext_lazy("mean before, without")),
    Statistic("post2", gettext_lazy("mean after, without")),
    Statistic("sd2", gettext_lazy("standard deviation before, without")),
    _N2,
    _R,
)
_D = Statistic("d", gettext_lazy("Cohen's d"))
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "means",
            gettext_lazy("means and standard deviations of two groups"),
            (
                _M1,
                Statistic("sd1", gettext_lazy("standard deviation with the intervention")),
                _N1,
                _M2,
                _SD2,
                _N2,
            ),
            formula="Hedges 1981",
        ),
        Kind("d", gettext_lazy("Cohen's d of two groups"), (_D, _N1, _N2), formula="Hedges 1981"),
        Kind(
            "t",
            gettext_lazy("t of two independent groups, without covariates"),
            (Statistic("t", "t"), _N1, _N2),
            formula="d = t √(1/n₁ + 1/n₂)",
        ),
        Kind(
            "F",
            gettext_lazy("F of two independent groups, without covariates"),
            (Statistic("f", "F"), _N1, _N2, _SIGN),
            formula="t = √F",
        ),
        Kind(
            "p",
            gettext_lazy("exact two-sided p of a t test"),
            (Statistic("p", "p"), _N1, _N2, _SIGN),
            formula="t = T⁻¹(1 − p/2)",
        ),
        Kind(
            "glass",
            gettext_lazy("means, with the standard deviation of the control group only"),
            (
                _M1,
                _N1,
                _M2,
                _SD2,
                _N2,
            ),
            formula="Glass",
        ),
        Kind(
            "r",
            gettext_lazy("correlation of two equal groups with the outcome, as a difference"),
            (Statistic("r", "r"), _N),
            formula="d = 2r / √(1 − r²)",
        ),
        Kind(
            "z",
            gettext_lazy("correlation"),
            (Statistic("r", "r"), _N),
            measure=Measure.Z,
            formula="Fisher z",
        ),
        Kind("2x2", gettext_lazy("2 × 2 table, as a difference"), _TABLE, formula="ln OR · √3/π"),
        Kind("odds", gettext_lazy("2 × 2 table, as a log odds ratio"), _TABLE, Measure.LOG_ODDS, "ln OR"),
        Kind(
            "pre-post",
            gettext_lazy("before and after in one group"),
            (
                Statistic("pre", gettext_lazy("mean before")),
                Statistic("post", gettext_lazy("mean after")),
                Statistic("sd", gettext_lazy("standard deviation before")),
                _N,
                _R,
            ),
            measure=Measure.CHANGE,
            formula="SMCR",
        ),
        Kind("ppc2", gettext_lazy("before and after in two groups"), _TWO_ARMS, formula="Morris 2008, d_ppc2"),
        Kind(
            "becker",
            gettext_lazy("before and after in two groups, as a difference of two changes"),
            _TWO_ARMS,
            formula="Becker 1988",
        ),
        Kind(
            "adjusted",
            gettext_lazy("adjusted means of two groups (analysis of covariance)"),
            (
                Statistic("m1", gettext_lazy("adjusted mean with the intervention")),
                Statistic("m2", gettext_lazy("adjusted mean without")),
                Statistic("sd", gettext_lazy("unadjusted pooled standard deviation")),
                _N1,
                _N2,
                Statistic("r", gettext_lazy("correlation of the covariates with the outcome")),
                Statistic("covariates", gettext_lazy("number of covariates"), whole=True, default="1"),
            ),
            formula="Borenstein 2009",
        ),
        Kind(
            "clusters",
            gettext_lazy("whole classes or schools assigned, pupils analysed"),
            (
                _D,
                _N1,
                _N2,
                Statistic("size", gettext_lazy("pupils in a class or school, on average")),
                Statistic("icc", gettext_lazy("intraclass correlation")),
            ),
            formula="Hedges 2007",
        ),
        Kind(
            "interval",
            gettext_lazy("estimate with its interval"),
            (
                Statistic("estimate", gettext_lazy("estimate")),
                Statistic("lower", gettext_lazy("interval from")),
                Statistic("upper", gettext_lazy("interval to")),
                Statistic("level", gettext_lazy("level of the interval"), default="0.95"),
            ),
            measure="",
            formula="SE = (upper − lower) / 2z",
        ),
    )
}


def number(text: Any) -> float | None:
    """A number as people and programs write it: `0,65`, `−0.75`, `6,5E-01`; None for a missing one (empty, NA).

    Raises ValueError when it is no number.
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        value = float(text)
    else:
        written = str(text or "").strip()
        if written.lower() in MISSING:
            return None
        plain = written.translate(_MINUS)
        if "," in plain and "." in plain:  # the last of the two is the decimal mark
            thousands, mark = (".", ",") if plain.rindex(",") > plain.rindex(".") else (",", ".")
            plain = plain.replace(thousands, "").replace(mark, ".")
        elif plain.count(",") == 1:
            plain = plain.replace(",", ".")
        if not _NUMBER.match(plain):
            raise ValueError(written)
        value = float(plain)
    if not math.isfinite(value):
        raise ValueError(str(text))
    return value


def whole(text: Any) -> int | None:
    """A whole number; None for a missing one. Raises ValueError."""
    value = number(text)
    if value is None:
        return None
    if value != int(value) or abs(value) > MOST:
        raise ValueError(str(text))
    return int(value)


def count(text: Any) -> int | None:
    """A number of people, or a year; None for a missing one. Raises ValueError."""
    value = whole(text)
    if value is not None and value < 0:
        raise ValueError(str(text))
    return value


def characteristic(text: str) -> str | int | float:
    """A characteristic of a row: a number where it is one, else the words."""
    try:
        value = number(text)
    except ValueError:
        return text
    if value is None:
        return text
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def converted(kind: str, reported: Mapping[str, Any]) -> Effect:
    """The effect and variance that these statistics give. Raises NotConverted."""
    from knowledgebase.evidence import effect_sizes  # scipy, only where something is computed

    if kind not in KINDS:
        raise NotConverted(_("There is no conversion “%(kind)s”.") % {"kind": kind})
    values = _values(KINDS[kind], reported)
    try:
        effect: Effect = _FORMULAS[kind](effect_sizes, **values)
    except effect_sizes.Impossible as error:
        raise NotConverted(_(str(error))) from error
    except (ArithmeticError, ValueError) as error:
        raise NotConverted(_("These numbers cannot belong together.")) from error
    return effect


def sizes(kind: str, reported: Mapping[str, Any]) -> dict[str, int]:
    """The numbers of pupils among the statistics: n1 and n2, or n."""
    values = _values(KINDS[kind], reported)
    if kind in ("2x2", "odds"):
        return {"n1": int(values["a"] + values["b"]), "n2": int(values["c"] + values["d"])}
    return {name: int(values[name]) for name in ("n1", "n2", "n") if name in values}


def _values(kind: Kind, reported: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for statistic in kind.statistics:
        given = reported.get(statistic.name, statistic.default)
        facts = {"what": f"{statistic.label} ({statistic.name})", "value": given}
        try:
            value = whole(given) if statistic.whole else number(given)
        except ValueError as error:
            message = (
                _("%(what)s: “%(value)s” is no whole number.")
                if statistic.whole
                else _("%(what)s: “%(value)s” is no number.")
            )
            raise NotConverted(message % facts) from error
        if value is None and statistic.default:
            value = number(statistic.default)
        if value is None:
            raise NotConverted(_("%(what)s is missing.") % facts)
        values[statistic.name] = value
    return values


def _arms(es: Any, values: Mapping[str, float]) -> tuple[Any, Any, float]:
    one = es.Arm(values["pre1"], values["post1"], values["sd1"], values["n1"])
    other = es.Arm(values["pre2"], values["post2"], values["sd2"], values["n2"])
    return one, other, values["r"]


_FORMULAS: dict[str, Any] = {
    "means": lambda es, **v: es.from_means(v["m1"], v["sd1"], v["n1"], v["m2"], v["sd2"], v["n2"]),
    "d": lambda es, **v: es.from_d(v["d"], v["n1"], v["n2"]),
    "t": lambda es, **v: es.from_t(v["t"], v["n1"], v["n2"]),
    "F": lambda es, **v: es.from_f(v["f"], v["n1"], v["n2"], sign=v["sign"]),
    "p": lambda es, **v: es.from_p(v["p"], v["n1"], v["n2"], sign=v["sign"]),
    "glass": lambda es, **v: es.glass_delta(v["m1"], v["n1"], v["m2"], v["sd2"], v["n2"]),
    "r": lambda es, **v: es.from_r(v["r"], v["n"]),
    "z": lambda es, **v: es.fisher_z(v["r"], v["n"]),
    "2x2": lambda es, **v: es.from_table(v["a"], v["b"], v["c"], v["d"]),
    "odds": lambda es, **v: es.log_odds_ratio(v["a"], v["b"], v["c"], v["d"]),
    "pre-post": lambda es, **v: es.pre_post(v["pre"], v["post"], v["sd"], v["n"], v["r"]),
    "ppc2": lambda es, **v: es.d_ppc2(*_arms(es, v)),
    "becker": lambda es, **v: es.pre_post_control(*_arms(es, v)),
    "adjusted": lambda es, **v: es.from_adjusted_means(
        v["m1"], v["m2"], v["sd"], v["n1"], v["n2"], r=v["r"], covariates=v["covariates"]
    ),
    "clusters": lambda es, **v: es.from_clusters(v["d"], v["n1"], v["n2"], size=v["size"], icc=v["icc"]),
    "interval": lambda es, **v: es.from_interval(v["estimate"], v["lower"], v["upper"], level=v["level"]),
}


def name_of(conversion: str) -> str:
    """A conversion in words."""
    if conversion == EffectSize.AS_REPORTED:
        return _("effect and variance as the source gives them")
    return str(KINDS[conversion].label) if conversion in KINDS else conversion
