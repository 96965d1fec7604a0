"""From the rows of a selection to its result: which model, what is left out, what may be said.

The rules (docs/decisions/0012): one effect a study -> random effects, REML, Hartung-Knapp never narrower; several ->
correlated and hierarchical effects, rho 0.6, CR2 errors with Satterthwaite degrees of freedom; no pooled figure below
three studies, no interval below four degrees of freedom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import cast

import numpy as np
from scipy.special import ndtri, stdtrit

from . import checks, dependent
from .pooling import Z_975, Array, Method, NotEstimable, Test, ones, pool, tau2_interval
from .records import (
    FEWEST_DF,
    FEWEST_FOR_CHECKS,
    FEWEST_STUDIES,
    METHOD_VERSION,
    OUTLIER,
    OUTLIER_RULE,
    Excluded,
    GroupResult,
    Interval,
    Result,
    Row,
    Sensitivity,
    Settings,
    Slope,
    SmallStudies,
    StudyResult,
    Subgroups,
    Switches,
    finite,
    matching,
    supports_share,
)

SENSITIVITY = (0.2, 0.8)  # other correlations than the one of the settings
MOST_LEVELS = 5  # numbers with more different values than this are a slope, not groups
SIMPLE = frozenset({"independent", "per-study"})  # models of one effect a study
SMD = frozenset({"g", "d", "SMD"})  # measures whose standard error is tied to the effect


@dataclass(frozen=True)
class Data:
    """The rows of one analysis as arrays; the order is by study and row, whatever the order they came in."""

    rows: tuple[Row, ...]
    y: Array
    v: Array
    studies: tuple[str, ...]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Data:
        ordered = tuple(sorted(rows, key=lambda row: (row.study, row.uid)))
        return cls(
            ordered,
            np.array([row.effect for row in ordered]),
            np.array([row.variance for row in ordered]),
            tuple(row.study for row in ordered),
        )

    @cached_property
    def names(self) -> list[str]:
        return list(dict.fromkeys(self.studies))

    @cached_property
    def blocks(self) -> dependent.Blocks:
        return dependent.Blocks.of(self.studies)

    def where(self, keep: Sequence[bool]) -> Data:
        return Data.of(row for row, kept in zip(self.rows, keep, strict=True) if kept)


@dataclass(frozen=True)
class Estimate:
    """What a model says of the mean."""

    estimate: float
    se: float
    df: float | None
    statistic: float
    p: float
    tau2: float
    tau2_parts: tuple[float, float] | None
    I2: float
    Q: float
    Q_df: int
    weights: Array = field(repr=False)  # of the studies, in the order of Data.names; together 100

    robust: bool = False  # df are Satterthwaite's, of CR2

    @property
    def enough(self) -> bool:
        return not self.robust or (self.df is not None and self.df >= FEWEST_DF)

    def around(self, level: float, spread: float, df: float | None) -> Interval:
        """The central interval at a level: estimate ± t(df) spread (normal without df)."""
        tail = (1 + level) / 2
        half = float(ndtri(tail) if df is None else stdtrit(df, tail)) * spread
        return Interval(self.estimate - half, self.estimate + half)


def result_of(rows: Iterable[Row], settings: Settings, switches: Switches | None = None) -> Result:
    """Pool the rows that the switches leave. Every row is in the result or in what is left out, with its reason."""
    switches = switches or Switches()
    usable, excluded = _usable(rows)
    data = Data.of(matching(usable, switches))
    outliers: tuple[Excluded, ...] = ()
    if switches.without_outliers:
        data, outliers = _without_outliers(data, settings.rho)
    model = _model(settings, switches, data)
    pupils = _pupils(data.rows)
    result = Result(
        k_effects=len(data.rows),
        k_studies=len(data.names),
        total_studies=len({row.study for row in usable}),
        total_effects=len(usable),
        pupils=sum(pupils.values()) if pupils else None,
        pupils_known=len(pupils),
        model=model,
        method=settings.method if model in SIMPLE else "REML",
        test=settings.test if model in SIMPLE else "CR2",
        rho=None if model == "independent" else 0.0 if model == "three-level" else settings.rho,
        measure=settings.measure,
        excluded=excluded,
        outliers=outliers,
        outlier_rule=OUTLIER_RULE if switches.without_outliers else "",
        method_version=METHOD_VERSION,
    )
    if not data.rows:
        return replace(result, refusal="no-rows")
    if not 0 <= settings.rho < 1:
        return replace(result, refusal="not-estimable")
    together = _together(data, model, settings.rho)
    if len(data.names) < FEWEST_STUDIES:
        return replace(result, refusal="too-few-studies", studies=_studies(data, together, pupils))
    try:
        found = _estimate(data, together, model, settings)
    except (NotEstimable, np.linalg.LinAlgError):
        return replace(result, refusal="not-estimable", studies=_studies(data, together, pupils))
    # By all rows, so that a switch does not make groups of what is a slope.
    measured = [name for name in settings.moderators if _is_slope(value_of(row, name) for row in usable)]
    grouped = [name for name in settings.moderators if name not in measured]
    result = replace(
        result,
        estimate=found.estimate,
        tau2=found.tau2,
        tau2_parts=found.tau2_parts,
        tau2_ci=Interval(*tau2_interval(*together)) if model in SIMPLE else None,
        I2=found.I2,
        Q=found.Q,
        Q_df=found.Q_df,
        df=found.df,
        studies=_studies(data, together, pupils, found.weights),
        subgroups=tuple(_subgroups(data, model, settings, grouped)),
        slopes=tuple(_slopes(data, model, settings, measured)),
        sensitivity=() if model in SIMPLE else tuple(_sensitivity(data, found)),
        small_studies=_small_studies(data, together, settings),
    )
    if not found.enough:
        return replace(result, refusal="too-few-df")
    pi_df = float(len(data.names) - 2) if model in SIMPLE else found.df
    spread = float(np.sqrt(found.se**2 + found.tau2))
    share = supports_share(len(data.names), found.tau2)
    return replace(
        result,
        se=found.se,
        statistic=finite(found.statistic),
        p=finite(found.p),
        ci=found.around(0.95, found.se, found.df),
        pi=found.around(0.95, spread, pi_df),
        pi_df=pi_df,
        share_interval=found.around(0.8, spread, pi_df) if share else None,
    )


def _usable(rows: Iterable[Row]) -> tuple[list[Row], tuple[Excluded, ...]]:
    usable, excluded = [], []
    for row in sorted(rows, key=lambda row: (row.study, row.uid)):
        if not row.included:
            reason = row.reason
        elif finite(row.effect) is None:
            reason = "effect-missing"
        elif finite(row.variance) is None:
            reason = "variance-missing"
        elif row.variance <= 0:
            reason = "variance-not-positive"
        else:
            usable.append(row)
            continue
        excluded.append(Excluded(row.uid, row.study, row.label, reason, by_editor=not row.included))
    return usable, tuple(excluded)


def _without_outliers(data: Data, rho: float) -> tuple[Data, tuple[Excluded, ...]]:
    """Leave out studies by the rule of OUTLIER, judged once on all that the other switches leave."""
    if len(data.names) < FEWEST_STUDIES or not 0 <= rho < 1:
        return data, ()
    residuals = checks.deleted_residuals(*_together(data, "che", rho))
    far = {name for name, residual in zip(data.names, residuals, strict=True) if abs(residual) > OUTLIER}
    gone = tuple(Excluded(row.uid, row.study, row.label, "outlier") for row in data.rows if row.study in far)
    return data.where([name not in far for name in data.studies]), gone


def _model(settings: Settings, switches: Switches, data: Data) -> str:
    if len(data.names) == len(data.rows):
        return "independent"
    model = switches.model or settings.model
    return "che" if model == "independent" else model


def _together(data: Data, model: str, rho: float) -> tuple[Array, Array]:
    """One effect and variance a study, in the order of `names`."""
    if model == "independent" or len(data.names) == len(data.rows):
        return data.y, data.v
    return dependent.aggregate(data.y, data.v, data.blocks, rho=rho)


def _pupils(rows: Iterable[Row]) -> dict[str, int]:
    """The pupils of each study that says so: the most that any of its rows names."""
    known: dict[str, int] = {}
    for row in rows:
        if row.pupils is not None:
            known[row.study] = max(known.get(row.study, 0), row.pupils)
    return known


def _studies(
    data: Data, together: tuple[Array, Array], pupils: dict[str, int], weights: Array | None = None
) -> tuple[StudyResult, ...]:
    first = {row.study: row for row in reversed(data.rows)}
    effects = Counter(data.studies)
    lines = []
    for place, (name, y, v) in enumerate(zip(data.names, *together, strict=True)):
        estimate, se = float(y), float(np.sqrt(v))
        lines.append(
            StudyResult(
                study=name,
                label=first[name].label,
                year=first[name].year,
                effects=effects[name],
                estimate=estimate,
                se=se,
                ci=Interval(estimate - Z_975 * se, estimate + Z_975 * se),
                weight=0.0 if weights is None else float(weights[place]),
                pupils=pupils.get(name),
            )
        )
    return tuple(lines)


def _estimate(data: Data, together: tuple[Array, Array], model: str, settings: Settings) -> Estimate:
    if model not in SIMPLE:
        return _dependent(data, rho=0.0 if model == "three-level" else settings.rho)
    y, v = together
    fit = pool(y, v, method=cast(Method, settings.method), test=cast(Test, settings.test))
    weights = 1 / (v + fit.tau2)
    return Estimate(
        fit.estimate, fit.se, fit.df, fit.statistic, fit.pval, fit.tau2, None, fit.I2, fit.Q, fit.Q_df,
        100 * weights / weights.sum(),
    )  # fmt: skip


def _dependent(data: Data, *, rho: float, start: tuple[float, float] | None = None) -> Estimate:
    fit = dependent.three_level(data.y, data.v, data.blocks, rho=rho, start=start)
    robust = dependent.cr2(fit.working)
    weights = np.empty(fit.working.blocks.number)
    for (numbers, _rows), XW in zip(fit.working.blocks.groups, fit.working.XW, strict=True):
        weights[numbers] = XW.sum(axis=(1, 2))
    return Estimate(
        float(robust.b[0]), float(robust.se[0]), float(robust.df[0]), float(robust.statistics[0]),
        float(robust.pvalues[0]), sum(fit.sigma2), fit.sigma2, fit.I2_total, fit.QE, fit.QE_df,
        100 * weights / weights.sum(), robust=True,
    )  # fmt: skip


def _sensitivity(data: Data, near: Estimate) -> Iterable[Sensitivity]:
    for rho in SENSITIVITY:
        try:
            found = _dependent(data, rho=rho, start=near.tau2_parts)
        except (NotEstimable, np.linalg.LinAlgError):
            continue
        yield Sensitivity(rho, found.estimate, found.around(0.95, found.se, found.df) if found.enough else None)


# -- groups and slopes -----------------------------------------------------------------------------


def value_of(row: Row, moderator: str) -> object:
    """What a row says of a moderator: a column of its own, or one that every study has. Empty is unknown."""
    own = row.moderators.get(moderator)
    return getattr(row, moderator) if own in (None, "") and moderator in FACETS else own


FACETS = ("level", "subject", "design", "country", "risk", "outcome", "year")


def _is_slope(values: Iterable[object]) -> bool:
    known = {value for value in values if value not in (None, "")}
    return len(known) > MOST_LEVELS and all(isinstance(value, int | float) for value in known)


def _name(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _subgroups(data: Data, model: str, settings: Settings, moderators: Iterable[str]) -> Iterable[Subgroups]:
    for moderator in moderators:
        values = [value_of(row, moderator) for row in data.rows]
        names = ["" if value in (None, "", "unknown") else _name(value) for value in values]
        studies: dict[str, set[str]] = {}
        for name, study in zip(names, data.studies, strict=True):
            studies.setdefault(name, set()).add(study)
        known = set().union(*(group for name, group in studies.items() if name)) if studies else set()
        unknown = len(studies.pop("", set()) - known)
        if not studies:
            continue
        yield _grouped(data, model, settings, moderator, names, studies, unknown)


def _grouped(
    data: Data,
    model: str,
    settings: Settings,
    moderator: str,
    names: list[str],
    studies: dict[str, set[str]],
    unknown: int,
) -> Subgroups:
    figures = {name: GroupResult(name, len(members), names.count(name)) for name, members in sorted(studies.items())}
    levels = [name for name, group in figures.items() if group.k_studies >= FEWEST_STUDIES]
    nothing = Subgroups(moderator, tuple(figures.values()), unknown, refusal="too-few-groups")
    if not levels:
        return nothing
    name_of = {id(row): name for row, name in zip(data.rows, names, strict=True)}
    part = data.where([name in levels for name in names])
    X = np.array([[float(name_of[id(row)] == level) for level in levels] for row in part.rows])
    try:
        fit = _fit(part, X, model, settings)
    except (NotEstimable, np.linalg.LinAlgError):
        return replace(nothing, refusal="not-estimable")
    for place, level in enumerate(levels):
        figures[level] = replace(figures[level], estimate=float(fit.b[place]), ci=fit.interval(place), df=fit.df[place])
    shown = replace(nothing, groups=tuple(figures.values()))
    if len(levels) < 2:
        return shown
    f, df1, df2, p = fit.robust.joint(np.eye(len(levels))[1:] - np.eye(len(levels))[:1])
    if not (df2 > 0 and np.isfinite([f, df2, p]).all()):
        return shown
    return replace(shown, statistic=float(f), df1=float(df1), df2=float(df2), p=float(p), refusal="")


@dataclass(frozen=True)
class Coefficients:
    """Coefficients with their intervals and degrees of freedom, and the robust errors for joint tests."""

    b: Array
    se: Array
    lower: Array
    upper: Array
    pvalues: Array
    df: list[float | None]
    robust: dependent.Robust
    satterthwaite: bool

    def enough(self, place: int) -> bool:
        df = self.df[place]
        return not self.satterthwaite or (df is not None and df >= FEWEST_DF)

    def interval(self, place: int) -> Interval | None:
        """None where the degrees of freedom are too few."""
        return Interval(float(self.lower[place]), float(self.upper[place])) if self.enough(place) else None


def _fit(data: Data, X: Array, model: str, settings: Settings) -> Coefficients:
    """One effect a study: the model of the headline. Several: CHE (or three levels) with CR2, also where the headline
    takes each study as one effect, since a study may have effects in two groups.
    """
    y, v, labels = data.y, data.v, data.blocks
    if model != "independent":
        rho = 0.0 if model == "three-level" else settings.rho
        robust = dependent.cr2(dependent.three_level(y, v, labels, X=X, rho=rho).working)
        df: list[float | None] = [float(value) for value in robust.df]
        return Coefficients(robust.b, robust.se, robust.lower, robust.upper, robust.pvalues, df, robust, True)
    fit = pool(y, v, X=X, method=cast(Method, settings.method), test=cast(Test, settings.test))
    robust = dependent.cr2(dependent.independent(y, v, labels, tau2=fit.tau2, X=X))
    return Coefficients(fit.b, fit.se_b, fit.lower, fit.upper, fit.pvalues, [fit.df] * len(fit.b), robust, False)


def _slopes(data: Data, model: str, settings: Settings, moderators: Iterable[str]) -> Iterable[Slope]:
    for moderator in moderators:
        values = [value_of(row, moderator) for row in data.rows]
        keep = [value not in (None, "") for value in values]
        place = {id(row): value for row, value in zip(data.rows, values, strict=True)}
        part = data.where(keep)
        if len(part.names) < FEWEST_FOR_CHECKS:
            continue
        numbers = np.array([float(cast(float, place[id(row)])) for row in part.rows])
        X = np.column_stack([ones(len(numbers)), numbers - numbers.mean()])
        try:
            fit = _fit(part, X, model, settings)
        except (NotEstimable, np.linalg.LinAlgError):
            continue
        yield Slope(
            moderator=moderator,
            k_studies=len(part.names),
            estimate=float(fit.b[1]),
            se=float(fit.se[1]),
            ci=fit.interval(1),
            df=fit.df[1],
            p=finite(float(fit.pvalues[1])) if fit.enough(1) else None,
        )


# -- small studies ---------------------------------------------------------------------------------


def _small_studies(data: Data, together: tuple[Array, Array], settings: Settings) -> SmallStudies | None:
    y, v = together
    if len(y) < FEWEST_FOR_CHECKS:
        return None
    name, predictor = _predictor(data, settings.measure)
    try:
        slope = checks.egger(y, v, predictor=predictor)
        filled = checks.trim_fill(y, v, method="REML", test=cast(Test, settings.test))
    except (NotEstimable, np.linalg.LinAlgError):
        return None
    if finite(slope.pval) is None:
        return None
    return SmallStudies(
        name, slope.slope, slope.pval, slope.df, filled.k0, filled.side, filled.pooled.estimate,
        Interval(filled.pooled.ci_lb, filled.pooled.ci_ub),
    )  # fmt: skip


def _predictor(data: Data, measure: str) -> tuple[str, Array | None]:
    """What small-study effects are regressed on: for standardised differences the sizes of the groups, where known.

    Of a study with several effects the largest groups count. With the total only, groups are taken as equal.
    """
    if measure not in SMD:
        return "error", None
    largest: dict[str, tuple[float, float]] = {}
    exact = True
    for row in data.rows:
        if row.n1 and row.n2:
            sizes = (float(row.n1), float(row.n2))
        elif row.pupils:
            sizes, exact = (row.pupils / 2, row.pupils / 2), False
        else:
            return "error", None
        largest[row.study] = max(largest.get(row.study, (0.0, 0.0)), sizes, key=sum)
    one, two = np.array([largest[name] for name in data.names]).T
    return "sizes" if exact else "size", checks.smd_predictor(one, two)
