"""The one entry point: `analyse` takes effects and returns every quantity under the names of the reference files.

The mapping to the reference files is in docs/evidence.md, with an example per kind of set.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import numpy as np
from scipy.special import stdtr, stdtrit

from . import checks, dependent
from .pooling import (
    LARGEST,
    METHODS,
    TESTS,
    Array,
    Fit,
    Method,
    NotEstimable,
    Pooled,
    Test,
    numbers,
    ones,
    pool,
    prediction_interval,
    read,
    tau2_interval,
)
from .records import FEWEST_FOR_CHECKS, METHOD_VERSION

PARTS = (
    "univariate", "weights_percent", "tau2_ci_qprofile", "subgroup", "meta_regression", "small_study", "leave_one_out",
    "leave_one_study_out", "dependent",
)  # fmt: skip
POOLED = (
    "k", "p", "method", "test", "estimate", "se", "statistic", "df", "pval", "ci_lb", "ci_ub", "tau2", "I2", "H2", "Q",
    "Q_df", "Qp",
)  # fmt: skip


def analyse(
    effects: Sequence[float | None],
    variances: Sequence[float | None],
    *,
    clusters: Sequence[object] | None = None,
    levels: Sequence[object] | None = None,
    moderators: Mapping[str, Sequence[object]] | None = None,
    intercept: bool = True,
    n1: Sequence[float | None] | None = None,
    n2: Sequence[float | None] | None = None,
    method: Method = "REML",
    test: Test = "adhoc",
    rho: float = 0.6,
    parts: Collection[str] | None = None,
) -> dict[str, Any]:
    """Pool effects (g or another measure) with their sampling variances.

    Every column is a list, a numpy array or a pandas series with one value an effect; None, NaN and "" are missing.

    - `clusters` names the study of each effect, `levels` the unit within it (a school in a district, when a school has
      several effects; by itself every effect is a unit): any text or numbers.
    - `moderators` are the terms of a formula, by the name that R gives them: numbers make a slope, words (or any values
      under a name `factor(x)`) make levels, the first of which is the reference. Numbers written as text are words.
      Without `intercept` each level of the first of those has its own mean.
    - `n1`, `n2` are the sizes of both groups, for the Egger test of standardised differences.
    - `method` is EE, DL, REML or PM; `test` z, t, knha (Hartung-Knapp) or adhoc (the same, never narrower than z); `rho`
      the correlation of sampling errors within a study, from 0 to below 1.
    - `parts` names the parts of the result that are wanted (PARTS), all by itself: of 2,000 effects `leave_one_out` takes
      some ten seconds, the rest one or two.

    Returns plain numbers, texts, lists and dicts, as JSON has them: what is undefined is None, an infinite number "Inf"
    or "-Inf", and what cannot be estimated {"error": why}. Raises NotEstimable when there is nothing to estimate from: no
    row left, a variance of zero or below, a word or an infinity for a number, a column of another length, an effect
    without its study, another method, test or part, a rho outside its range.
    """
    wanted = set(PARTS if parts is None else parts)
    if not wanted <= set(PARTS):
        raise NotEstimable(f"Choose parts from {', '.join(PARTS)}.")
    if method not in METHODS or test not in TESTS:
        raise NotEstimable(f"Choose a method from {', '.join(METHODS)} and a test from {', '.join(TESTS)}.")
    dependent.check_correlation(rho)
    effects, variances = _plain_list(effects), _plain_list(variances)
    data = read(effects, variances)
    given = len(effects)
    if levels is not None and clusters is None:
        raise NotEstimable("Levels lie within clusters: give those as well.")
    if (n1 is None) != (n2 is None):
        raise NotEstimable("Give the sizes of both groups: n1 and n2.")

    def column(values: Any, name: str) -> list[Any]:
        return _column(values, name, given, data.rows)

    sizes = [numbers(column(values, name), name) for name, values in (("n1", n1), ("n2", n2)) if values is not None]
    work = _Work(
        data.y,
        data.v,
        None if clusters is None else _identifiers(column(clusters, "clusters"), "clusters"),
        None if levels is None else _identifiers(column(levels, "levels"), "levels"),
        {name: _moderator(column(values, name), name) for name, values in (moderators or {}).items()},
        intercept,
        method,
        test,
        rho,
    )
    whole: dict[str, Callable[[], Any]] = {
        "univariate": lambda: {work.key: _attempt(lambda: _univariate(work.pool()))},
        "weights_percent": lambda: {method: _attempt(work.weights)},
        "tau2_ci_qprofile": lambda: _attempt(lambda: _qprofile(work.y, work.v)),
        "subgroup": lambda: _subgroups(work),
        "meta_regression": lambda: _formula(work),
        "small_study": lambda: _small_study(work, sizes),
        "leave_one_out": lambda: {
            work.key: _attempt(lambda: _leave_one_out(work)),
            f"influence_{method}": _attempt(lambda: vars(checks.influence(work.y, work.v, method=method))),
        },
    }
    if work.clusters is not None:
        studies = work.clusters
        whole["leave_one_study_out"] = lambda: {work.key: _attempt(lambda: _leave_one_out(work, clusters=studies))}
        whole["dependent"] = lambda: _dependent(work, studies)
    told = {
        "method_version": METHOD_VERSION,
        "k": len(data.y),
        "excluded": [{"row": row, "reason": reason} for row, reason in data.excluded],
    }
    return cast(dict[str, Any], _json(told | {name: part() for name, part in whole.items() if name in wanted}))


# -- what comes in ---------------------------------------------------------------------------------


def _plain_list(values: Any) -> list[Any]:
    """A list of plain values from a list, an array or a series."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    return list(values) if isinstance(values, Iterable) and not isinstance(values, str) else [values]


def _column(values: Any, name: str, given: int, rows: Any) -> list[Any]:
    """The values of the effects that were let in."""
    whole = _plain_list(values)
    if len(whole) != given:
        raise NotEstimable(f"{name} has {len(whole)} values for {given} effects.")
    return [whole[row] for row in rows]


def _is_missing(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _identifiers(values: list[Any], name: str) -> list[Any]:
    if any(_is_missing(value) for value in values):
        raise NotEstimable(f"An effect has no value in {name}.")
    return values


def _moderator(values: list[Any], name: str) -> list[Any]:
    if any(isinstance(value, int | float) and abs(value) >= LARGEST for value in values):
        raise NotEstimable(f"{name} has an infinite value.")
    return [None if _is_missing(value) else value for value in values]


def _bare(name: str) -> str:
    return name.removeprefix("factor(").removesuffix(")") if name.startswith("factor(") else name


def _has_levels(name: str, values: Sequence[object]) -> bool:
    return name.startswith("factor(") or any(isinstance(value, str | bool) for value in values)


def _label(value: object) -> str:
    """A level as R writes it."""
    if isinstance(value, bool):
        return str(value).upper()
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _levels(values: Sequence[Any]) -> list[str]:
    """The levels in order: numbers by size, anything else as text."""
    distinct = {value for value in values if value is not None}
    if all(isinstance(value, int | float) for value in distinct):
        return list(dict.fromkeys(_label(value) for value in sorted(distinct)))
    return sorted({_label(value) for value in distinct})


@dataclass(frozen=True)
class _Work:
    """What is analysed and how."""

    y: Array
    v: Array
    clusters: list[Any] | None
    levels: list[Any] | None
    moderators: dict[str, list[Any]]
    intercept: bool
    method: Method
    test: Test
    rho: float
    left_out: int = 0

    @property
    def key(self) -> str:
        return self.method if self.test == "z" else f"{self.method}_{self.test}"

    @property
    def formula(self) -> str:
        return " + ".join(self.moderators) + ("" if self.intercept else " - 1")

    def pool(self, X: Array | None = None) -> Pooled:
        return pool(self.y, self.v, X=X, method=self.method, test=self.test)

    def weights(self) -> Array:
        w = Fit(self.y, self.v, ones(len(self.y)), self.pool().tau2).w
        return np.asarray(100 * w / w.sum())

    def complete(self, moderators: Mapping[str, list[Any]], *, intercept: bool | None = None) -> _Work:
        """The rows that have every one of these moderators."""
        keep = [all(value is not None for value in row) for row in zip(*moderators.values(), strict=True)]

        def kept(values: list[Any]) -> list[Any]:
            return [value for value, has in zip(values, keep, strict=True) if has]

        if not any(keep):
            raise NotEstimable("No effect has all moderators.")
        return _Work(
            self.y[keep],
            self.v[keep],
            None if self.clusters is None else kept(self.clusters),
            None if self.levels is None else kept(self.levels),
            {name: kept(values) for name, values in moderators.items()},
            self.intercept if intercept is None else intercept,
            self.method,
            self.test,
            self.rho,
            keep.count(False),
        )

    def design(self) -> tuple[Array, list[str]]:
        """The design matrix, and the names of its columns as R gives them."""
        k = len(self.y)
        parts, names = ([ones(k)], ["intrcpt"]) if self.intercept else ([], [])
        whole = not self.intercept  # the first factor of a formula without intercept keeps all its levels
        for name, values in self.moderators.items():
            if _has_levels(name, values):
                levels = _levels(values)
                if len(levels) < 2:
                    raise NotEstimable(f"{name} has one level only.")
                for level in levels[0 if whole else 1 :]:
                    parts.append(np.array([[float(_label(value) == level)] for value in values]))
                    names.append(name + level)
                whole = False
            else:
                parts.append(numbers(values, name)[:, None])
                names.append(name)
        return np.hstack(parts), names


# -- what comes out --------------------------------------------------------------------------------


def _json(value: Any) -> Any:
    """Plain values only: what is undefined as None, infinity as R's text."""
    if isinstance(value, Mapping):
        return {name: _json(part) for name, part in value.items()}
    if isinstance(value, np.ndarray):
        return _json(value.tolist())
    if isinstance(value, list | tuple):
        return [_json(part) for part in value]
    if isinstance(value, np.generic):
        return _json(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Inf" if value > 0 else "-Inf"
    return value


def _attempt(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except NotEstimable as refusal:
        return {"error": str(refusal)}
    except np.linalg.LinAlgError:
        return {"error": "The numbers lie too many orders of size apart for this model."}


def _bounds(interval: tuple[float, float] | None) -> dict[str, float] | None:
    return None if interval is None else {"lb": interval[0], "ub": interval[1]}


def _pooled(fit: Pooled) -> dict[str, Any]:
    return {name: getattr(fit, name) for name in POOLED}


def _univariate(fit: Pooled) -> dict[str, Any]:
    found = _pooled(fit)
    if fit.loglik is not None:
        found["fit"] = {"ll": fit.loglik}
    if fit.method != "EE":
        riley = _bounds(prediction_interval(fit, df=fit.k - 2))
        found["prediction"] = {"default": _bounds(prediction_interval(fit)), "riley_t_km2": riley}
    return found


def _qprofile(y: Array, v: Array) -> dict[str, Any]:
    """The interval of tau2, and what it means for I2 and H2."""
    low, high = tau2_interval(y, v)
    typical = (len(y) - 1) / Fit(y, v, ones(len(y)), 0.0).trace_p
    return {
        "tau2": {"lb": low, "ub": high},
        "I2": {"lb": 100 * low / (low + typical), "ub": 100 * high / (high + typical)},
        "H2": {"lb": 1 + low / typical, "ub": 1 + high / typical},
    }


def _coefficients(fit: Pooled, names: list[str]) -> dict[str, Any]:
    return {
        "k": fit.k,
        "p": fit.p,
        "method": fit.method,
        "test": fit.test,
        "coef_names": names,
        "estimate": fit.b,
        "se": fit.se_b,
        "statistic": fit.statistics,
        "df": [fit.df] * fit.p,
        "pval": fit.pvalues,
        "ci_lb": fit.lower,
        "ci_ub": fit.upper,
        "vcov": fit.vcov,
        "QM": fit.QM,
        "QM_df": fit.QM_df,
        "QMp": fit.QMp,
        "tau2": fit.tau2,
        "I2": fit.I2,
        "H2": fit.H2,
        "Q": fit.Q,
        "Q_df": fit.Q_df,
        "Qp": fit.Qp,
    } | ({} if fit.loglik is None else {"fit": {"ll": fit.loglik}})


def _meta_regression(work: _Work) -> dict[str, Any]:
    X, names = work.design()
    fit = work.pool(X)
    explained = None
    if work.intercept:
        before = work.pool()
        if work.method == "EE":
            explained = max(0.0, 100 * (1 - fit.H2 / before.H2)) if before.H2 else None  # adjusted R2
        else:
            explained = max(0.0, 100 * (before.tau2 - fit.tau2) / before.tau2) if before.tau2 else 0.0
    return _coefficients(fit, names) | {"R2": explained, "left_out": work.left_out}


def _formula(work: _Work) -> dict[str, Any]:
    if not work.moderators:
        return {}
    key = f"{work.formula}|{work.method}|{work.test}"
    return {key: _attempt(lambda: _meta_regression(work.complete(work.moderators)))}


def _subgroups(work: _Work) -> dict[str, Any]:
    return {
        _bare(name): _attempt(partial(_subgroup, work, name, values))
        for name, values in work.moderators.items()
        if _has_levels(name, values)
    }


def _subgroup(whole: _Work, name: str, values: list[Any]) -> dict[str, Any]:
    """Each level with its own tau2, the test between them, and both tests with one common tau2."""
    term = f"factor({_bare(name)})"
    work, means = whole.complete({term: values}, intercept=True), whole.complete({term: values}, intercept=False)
    labels, levels = [_label(value) for value in work.moderators[term]], _levels(values)
    if len(levels) < 2:
        raise NotEstimable("There is only one group.")
    y, v = work.y, work.v
    per_level: dict[str, dict[str, Pooled]] = {}
    for level in levels:
        keep = np.array([label == level for label in labels])
        per_level[level] = {
            test: pool(y[keep], v[keep], method=work.method, test=test)
            for test in cast(tuple[Test, ...], ("z", work.test))
        }
    fits = [tests["z"] for tests in per_level.values()]
    between = pool(
        np.array([fit.estimate for fit in fits]), np.array([fit.se**2 for fit in fits]), method="EE", test="z"
    )
    return {
        "moderator": _bare(name),
        "k": len(y),
        "levels": sorted(levels),
        "per_level": {
            level: {f"{work.method}_{test}": _univariate(fit) for test, fit in tests.items()}
            for level, tests in per_level.items()
        },
        "between_separate_tau2": {"Q_between": between.Q, "df": between.Q_df, "pval": between.Qp},
        f"between_common_tau2_{work.test}": _meta_regression(work),
        f"level_means_common_tau2_{work.test}": _meta_regression(means),
        "between_fixed_effect": _meta_regression(replace(work, method="EE", test="z")),
    }


def _small_study(work: _Work, sizes: list[Array]) -> dict[str, Any]:
    y, v = work.y, work.v

    def egger_random(predictor: Array | None = None) -> dict[str, Any]:
        return vars(checks.egger_random(y, v, method=work.method, test=work.test, predictor=predictor))

    found: dict[str, Any] = {
        "enough": len(y) >= FEWEST_FOR_CHECKS,
        "egger_lm_sei": _attempt(lambda: vars(checks.egger(y, v))),
        f"egger_rma_{work.key}_sei": _attempt(egger_random),
        f"egger_rma_{work.key}_vi": _attempt(lambda: egger_random(v)),
        f"trimfill_{work.key}_L0": _attempt(lambda: _filled(work)),
    }
    if sizes:
        found["egger_lm_smd"] = _attempt(lambda: _egger_smd(y, v, *sizes))
    return found


def _egger_smd(y: Array, v: Array, n1: Array, n2: Array) -> dict[str, Any]:
    known = np.isfinite(n1) & np.isfinite(n2)
    if np.any(n1[known] <= 0) or np.any(n2[known] <= 0):
        raise NotEstimable("A group has at least one person.")
    predictor = checks.smd_predictor(n1[known], n2[known])
    return vars(checks.egger(y[known], v[known], predictor=predictor)) | {"left_out": int(np.sum(~known))}


def _filled(work: _Work) -> dict[str, Any]:
    filled = checks.trim_fill(work.y, work.v, method=work.method, test=work.test)
    told = {"k0": filled.k0, "se_k0": filled.se_k0, "side": filled.side, "k_filled": filled.pooled.k}
    return _pooled(filled.pooled) | told


def _leave_one_out(work: _Work, *, clusters: list[Any] | None = None) -> dict[str, Any]:
    """Without each effect, or without each study."""
    fits = checks.leave_one_out(work.y, work.v, method=work.method, test=work.test, clusters=clusters)
    names = ("estimate", "se", "ci_lb", "ci_ub", "pval", "Q", "tau2", "I2")
    without = {} if clusters is None else {"without": list(dict.fromkeys(clusters))}
    return without | {name: [getattr(fit, name) for fit in fits] for name in names}


# -- several effects a study -----------------------------------------------------------------------


def _dependent(work: _Work, clusters: list[Any]) -> dict[str, Any]:
    y, v = work.y, work.v

    def aggregated() -> dict[str, Any]:
        effects, variances = dependent.aggregate(y, v, clusters, rho=work.rho)
        studies = list(dict.fromkeys(clusters))
        fit = pool(effects, variances, method=work.method, test=work.test)
        told = {"k": len(studies), "cluster": studies, "yi": effects, "vi": variances}
        return told | {f"{work.method}_{work.test}": _univariate(fit)}

    def plain() -> dict[str, Any]:
        return _robust(dependent.cr2(dependent.independent(y, v, clusters, tau2=work.pool().tau2)), ["intrcpt"])

    def correlated() -> dict[str, Any]:
        fit = dependent.correlated_effects(y, v, clusters)
        told = {"tau2": fit.tau2, "I2": fit.I2, "n_studies": fit.robust.clusters, "k": len(y)}
        return _robust_part(fit.robust, ["X.Intercept."]) | told

    def hierarchical() -> dict[str, Any]:
        fit = dependent.hierarchical_effects(y, v, clusters)
        told = {"tau2": fit.tau2, "omega2": fit.omega2, "n_studies": fit.robust.clusters, "k": len(y)}
        return _robust_part(fit.robust, ["X.Intercept."]) | told

    che = f"CHE_rho{work.rho:g}"
    bare = replace(work, moderators={}, intercept=True)
    return (
        {
            f"aggregate_rho{work.rho:g}": _attempt(aggregated),
            f"univariate_{work.method}_robust": _attempt(plain),
        }
        | _means(bare, "three_level_z", "three_level_t", rho=0.0)
        | _means(bare, che, f"{che}_t", rho=work.rho)
        | _with_moderators(work, che)
        | {"robumeta_CORR_small": _attempt(correlated), "robumeta_HIER_small": _attempt(hierarchical)}
    )


def _means(bare: _Work, key: str, key_t: str, *, rho: float) -> dict[str, Any]:
    """A model without moderators, tested with z and with t (one degree of freedom less than there are studies)."""
    try:
        fit = _fit(bare, rho)
    except NotEstimable as refusal:
        return {key: {"error": str(refusal)}, key_t: {"error": str(refusal)}}
    told = _multilevel(fit, ["intrcpt"])
    df = fit.working.blocks.number - 1
    statistic, quantile = fit.estimate / fit.se, float(stdtrit(df, 0.975))
    p = 2 * float(stdtr(df, -abs(statistic)))
    tested = {
        "test": "t",
        "df": [df],
        "pval": [p],
        "ci_lb": [fit.estimate - quantile * fit.se],
        "ci_ub": [fit.estimate + quantile * fit.se],
        "QM_df": [1, df],
        "QMp": p,
        "prediction": _bounds(fit.prediction_interval(quantile=quantile)),
    }
    robust = {"robust": _attempt(lambda: _robust(dependent.cr2(fit.working), ["intrcpt"]))}
    told["prediction"] = _bounds(fit.prediction_interval())
    return {key: told | robust, key_t: told | tested}


def _with_moderators(work: _Work, che: str) -> dict[str, Any]:
    """The whole formula, and each moderator with levels alone."""
    if not work.moderators:
        return {}

    def fitted(moderators: dict[str, list[Any]], rho: float, intercept: bool) -> dict[str, Any]:
        part = work.complete(moderators, intercept=intercept)
        fit, names = _fit(part, rho), part.design()[1]
        found = _multilevel(fit, names) | {"left_out": part.left_out}
        found["robust"] = _attempt(lambda: _robust(dependent.cr2(fit.working), names))
        if len(names) > 1:
            found["wald_HTZ"] = _attempt(lambda: _joint(dependent.cr2(fit.working), part.intercept))
        return found

    found = {
        f"three_level_subgroup_{_bare(name)}": _attempt(
            partial(fitted, {f"factor({_bare(name)})": values}, 0.0, intercept=True)
        )
        for name, values in work.moderators.items()
        if _has_levels(name, values)
    }
    for key, rho in ((f"three_level_metareg|{work.formula}", 0.0), (f"{che}_{work.formula}", work.rho)):
        found[key] = _attempt(partial(fitted, work.moderators, rho, work.intercept))
    return found


def _fit(work: _Work, rho: float) -> dependent.Multilevel:
    clusters = work.clusters or []
    return dependent.three_level(work.y, work.v, clusters, X=work.design()[0], rho=rho, levels=work.levels)


def _multilevel(fit: dependent.Multilevel, names: list[str]) -> dict[str, Any]:
    p = len(names)
    return {
        "k": len(fit.working.y),
        "p": p,
        "test": "z",
        "coef_names": names,
        "estimate": fit.b,
        "se": fit.se_b,
        "statistic": fit.b / fit.se_b,
        "df": [None] * p,
        "pval": fit.pvalues,
        "ci_lb": fit.lower,
        "ci_ub": fit.upper,
        "sigma2": fit.sigma2,
        "sigma2_nlevels": [fit.working.blocks.number, fit.units],
        "QE": fit.QE,
        "QE_df": fit.QE_df,
        "QEp": fit.QEp,
        "QM": fit.QM,
        "QM_df": [fit.QM_df, None],
        "QMp": fit.QMp,
        "fit": {"ll": fit.loglik},
        "I2": {"typical_variance": fit.typical, "I2_total": fit.I2_total, "I2_level": fit.I2_level},
    }


def _robust(robust: dependent.Robust, names: list[str]) -> dict[str, Any]:
    return {"clubSandwich_CR2_Satterthwaite": _robust_part(robust, names)}


def _robust_part(robust: dependent.Robust, names: list[str]) -> dict[str, Any]:
    return {
        "coef_names": names,
        "estimate": robust.b,
        "se": robust.se,
        "tstat": robust.statistics,
        "df": robust.df,
        "pval": robust.pvalues,
        "ci_lb": robust.lower,
        "ci_ub": robust.upper,
        "n_clusters": robust.clusters,
    }


def _joint(robust: dependent.Robust, intercept: bool) -> dict[str, Any]:
    """The test that every coefficient but the intercept is 0."""
    f, q, denominator, p = robust.joint(np.eye(len(robust.b))[int(intercept) :])
    return {"Fstat": f, "df_num": q, "df_denom": denominator, "pval": p}
