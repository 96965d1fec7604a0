"""The one entry point: `analyse` takes effects and returns every quantity under the names of the reference files.

The mapping to the reference files is in docs/evidence.md, with an example per kind of set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from . import checks, dependent
from .pooling import Array, Method, NotEstimable, Pooled, Test, ones, pool, prediction_interval, read, tau2_interval
from .records import FEWEST_FOR_CHECKS, METHOD_VERSION

POOLED = (
    "method", "test", "k", "p", "estimate", "se", "statistic", "pval", "ci_lb", "ci_ub", "df", "tau2", "I2", "H2", "Q",
    "Q_df", "Qp",
)  # fmt: skip


def analyse(
    effects: Sequence[float | None],
    variances: Sequence[float | None],
    *,
    clusters: Sequence[object] | None = None,
    moderators: Mapping[str, Sequence[object]] | None = None,
    n1: Sequence[float] | None = None,
    n2: Sequence[float] | None = None,
    method: Method = "REML",
    test: Test = "adhoc",
    rho: float = 0.6,
) -> dict[str, Any]:
    """Pool effects (g or another measure) with their sampling variances.

    `clusters` names the study of each effect; `moderators` are columns of numbers (a slope each) or of words (levels,
    the first in alphabetical order is the reference). Returns plain numbers, lists and dicts; what cannot be estimated
    is {"error": why}. Raises NotEstimable for data that cannot be read at all.
    """
    data = read(effects, variances)
    y, v = data.y, data.v
    labels = None if clusters is None else [clusters[row] for row in data.rows]
    columns = {name: [values[row] for row in data.rows] for name, values in (moderators or {}).items()}
    result: dict[str, Any] = {
        "method_version": METHOD_VERSION,
        "k": len(y),
        "excluded": [{"row": row, "reason": reason} for row, reason in data.excluded],
        "univariate": _attempt(lambda: _univariate(y, v, method=method, test=test)),
        "tau2_ci_qprofile": _attempt(lambda: dict(zip(("lb", "ub"), tau2_interval(y, v), strict=True))),
        "subgroup": {
            name: _attempt(partial(_subgroup, y, v, values, method, test))
            for name, values in columns.items()
            if _is_words(values)
        },
        "meta_regression": {},
        "small_study": _small_study(y, v, data.rows, n1, n2, method=method, test=test),
        "leave_one_out": _attempt(lambda: _leave_one_out(y, v, labels, method=method, test=test)),
        "influence": _attempt(lambda: {name: values.tolist() for name, values in
                                       vars(checks.influence(y, v, method=method)).items()}),
    }  # fmt: skip
    if columns:
        key, keep = " + ".join(columns), _complete(columns)
        whole = {
            name: [value for value, kept in zip(values, keep, strict=True) if kept] for name, values in columns.items()
        }
        without = int(np.sum(~keep))
        result["meta_regression"][key] = _attempt(
            lambda: _meta_regression(y[keep], v[keep], whole, method, test) | {"left_out": without}
        )
    if labels is not None:
        result["dependent"] = _dependent(y, v, labels, method=method, test=test, rho=rho)
        if columns:
            study = [label for label, kept in zip(labels, keep, strict=True) if kept]
            for name, correlation in (("three_level", 0.0), (f"CHE_rho{rho}", rho)):
                result["dependent"][f"{name}|{key}"] = _attempt(
                    partial(_multilevel, y[keep], v[keep], study, whole, correlation)
                )
    return result


def _complete(columns: Mapping[str, Sequence[object]]) -> Any:
    """Which rows have every moderator; an empty text or None is missing."""
    return np.array([all(value not in (None, "") for value in row) for row in zip(*columns.values(), strict=True)])


def _attempt(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except NotEstimable as refusal:
        return {"error": str(refusal)}


def _pooled(fit: Pooled) -> dict[str, Any]:
    return {name: getattr(fit, name) for name in POOLED}


def _univariate(y: Array, v: Array, *, method: Method, test: Test) -> dict[str, Any]:
    fit = pool(y, v, method=method, test=test)
    default, riley = prediction_interval(fit), prediction_interval(fit, df=fit.k - 2)
    interval = {
        name: None if pair is None else {"lb": pair[0], "ub": pair[1]}
        for name, pair in (("default", default), ("riley_t_km2", riley))
    }
    return _pooled(fit) | {"ll": fit.loglik, "prediction": interval}


def _is_words(values: Sequence[object]) -> bool:
    return any(isinstance(value, str) for value in values)


def design(columns: Mapping[str, Sequence[object]], k: int) -> tuple[Array, list[str]]:
    """The design matrix with its intercept, and the names of its columns as R gives them."""
    parts, names = [ones(k)], ["intrcpt"]
    for name, values in columns.items():
        if _is_words(values):
            for level in sorted({str(value) for value in values})[1:]:
                parts.append(np.array([[float(str(value) == level)] for value in values]))
                names.append(f"factor({name}){level}")
        else:
            parts.append(np.array(values, dtype=float)[:, None])
            names.append(name)
    return np.hstack(parts), names


def _coefficients(fit: Pooled, names: list[str]) -> dict[str, Any]:
    return {
        "coef_names": names,
        "estimate": fit.b.tolist(),
        "se": fit.se_b.tolist(),
        "statistic": fit.statistics.tolist(),
        "pval": fit.pvalues.tolist(),
        "ci_lb": fit.lower.tolist(),
        "ci_ub": fit.upper.tolist(),
        "vcov": fit.vcov.tolist(),
        "QM": fit.QM,
        "QM_df": list(fit.QM_df),
        "QMp": fit.QMp,
        "tau2": fit.tau2,
        "I2": fit.I2,
        "H2": fit.H2,
        "Q": fit.Q,
        "Q_df": fit.Q_df,
        "Qp": fit.Qp,
    }


def _meta_regression(
    y: Array, v: Array, columns: Mapping[str, Sequence[object]], method: Method, test: Test
) -> dict[str, Any]:
    X, names = design(columns, len(y))
    fit, without = pool(y, v, X=X, method=method, test=test), pool(y, v, method=method, test=test)
    explained = max(0.0, 100 * (without.tau2 - fit.tau2) / without.tau2) if without.tau2 else None
    return _coefficients(fit, names) | {"R2": explained}


def _subgroup(y: Array, v: Array, values: Sequence[object], method: Method, test: Test) -> dict[str, Any]:
    """Each level with its own tau2, the test between them, and both tests with one common tau2."""
    keep = _complete({"": values})
    y, v, values = y[keep], v[keep], [value for value, kept in zip(values, keep, strict=True) if kept]
    levels = sorted({str(value) for value in values})
    if len(levels) < 2:
        raise NotEstimable("There is only one group.")
    per_level: dict[str, Pooled] = {}
    for level in levels:
        keep = np.array([str(value) == level for value in values])
        per_level[level] = pool(y[keep], v[keep], method=method, test="z")
    means = np.array([fit.estimate for fit in per_level.values()])
    between = pool(means, np.array([fit.se**2 for fit in per_level.values()]), method="EE", test="z")
    X, names = design({"": values}, len(y))
    common = pool(y, v, X=X, method=method, test=test)
    return {
        "levels": levels,
        "per_level": {level: _pooled(fit) for level, fit in per_level.items()},
        "between_separate_tau2": {"Q_between": between.Q, "df": between.Q_df, "pval": between.Qp},
        "between_common_tau2": _coefficients(common, names),
    }


def _small_study(
    y: Array, v: Array, rows: Any, n1: Sequence[float] | None, n2: Sequence[float] | None, *, method: Method, test: Test
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "enough": len(y) >= FEWEST_FOR_CHECKS,
        "egger_lm_sei": _attempt(lambda: vars(checks.egger(y, v))),
        "egger_rma_sei": _attempt(lambda: vars(checks.egger_random(y, v, method=method, test=test))),
        "trimfill_L0": _attempt(lambda: _filled(y, v, method, test)),
    }
    if n1 is not None and n2 is not None:
        one, two = np.array(n1, dtype=float)[rows], np.array(n2, dtype=float)[rows]
        predictor = checks.smd_predictor(one, two)
        found["egger_lm_smd"] = _attempt(lambda: vars(checks.egger(y, v, predictor=predictor)))
    return found


def _filled(y: Array, v: Array, method: Method, test: Test) -> dict[str, Any]:
    filled = checks.trim_fill(y, v, method=method, test=test)
    return _pooled(filled.pooled) | {"k0": filled.k0, "se_k0": filled.se_k0, "side": filled.side}


def _leave_one_out(
    y: Array, v: Array, labels: Sequence[object] | None, *, method: Method, test: Test
) -> dict[str, list[Any]]:
    fits = checks.leave_one_out(y, v, method=method, test=test, clusters=labels)
    names = ("estimate", "se", "ci_lb", "ci_ub", "pval", "Q", "tau2", "I2")
    without = list(range(len(y))) if labels is None else list(dict.fromkeys(labels))
    return {"without": without} | {name: [getattr(fit, name) for fit in fits] for name in names}


def _dependent(
    y: Array,
    v: Array,
    labels: Sequence[object],
    *,
    method: Method,
    test: Test,
    rho: float,
) -> dict[str, Any]:
    def aggregated() -> dict[str, Any]:
        effects, variances = dependent.aggregate(y, v, labels, rho=rho)
        clusters = list(dict.fromkeys(labels))
        return {"cluster": clusters, "yi": effects.tolist(), "vi": variances.tolist()} | _univariate(
            effects, variances, method=method, test=test
        )

    def plain() -> dict[str, Any]:
        tau2 = pool(y, v, method=method, test="z").tau2
        return _robust(dependent.cr2(dependent.independent(y, v, labels, tau2=tau2)), ["intrcpt"])

    def correlated() -> dict[str, Any]:
        fit = dependent.correlated_effects(y, v, labels)
        return {"tau2": fit.tau2, "I2": fit.I2} | _robust(fit.robust, ["intrcpt"])

    return {
        f"aggregate_rho{rho}": _attempt(aggregated),
        "univariate_robust": _attempt(plain),
        "three_level": _attempt(lambda: _multilevel(y, v, labels, {}, 0.0)),
        f"CHE_rho{rho}": _attempt(lambda: _multilevel(y, v, labels, {}, rho)),
        "robumeta_CORR_small": _attempt(correlated),
    }


def _multilevel(
    y: Array, v: Array, labels: Sequence[object], columns: Mapping[str, Sequence[object]], rho: float
) -> dict[str, Any]:
    X, names = design(columns, len(y))
    fit = dependent.three_level(y, v, labels, X=X, rho=rho)
    found: dict[str, Any] = {
        "k": len(y),
        "coef_names": names,
        "estimate": fit.b.tolist(),
        "se": fit.se_b.tolist(),
        "pval": fit.pvalues.tolist(),
        "ci_lb": fit.lower.tolist(),
        "ci_ub": fit.upper.tolist(),
        "sigma2": list(fit.sigma2),
        "ll": fit.loglik,
        "QE": fit.QE,
        "QE_df": fit.QE_df,
        "QEp": fit.QEp,
        "QM": fit.QM,
        "QMp": fit.QMp,
        "I2": {"I2_total": fit.I2_total, "I2_level": list(fit.I2_level)},
        "robust": _attempt(lambda: _robust(dependent.cr2(fit.working), names)),
    }
    if len(names) == 1:
        found["prediction"] = dict(zip(("lb", "ub"), fit.prediction_interval(), strict=True))
    return found


def _robust(robust: dependent.Robust, names: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "coef_names": names,
        "estimate": robust.b.tolist(),
        "se": robust.se.tolist(),
        "tstat": robust.statistics.tolist(),
        "df": robust.df.tolist(),
        "pval": robust.pvalues.tolist(),
        "ci_lb": robust.lower.tolist(),
        "ci_ub": robust.upper.tolist(),
        "n_clusters": robust.clusters,
    }
    if len(names) > 1:
        f, q, denominator, p = robust.joint(np.eye(len(names))[1:])
        found["wald_HTZ"] = {"Fstat": f, "df_num": q, "df_denom": denominator, "pval": p}
    return found
