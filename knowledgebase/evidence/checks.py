"""How much a pooled result depends on small studies, on missing ones, and on any single one. Notes, never the rating."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from .pooling import NEGLIGIBLE, Array, Fit, Method, NotEstimable, Pooled, Test, mean, ones, pool, steady, tau2_of


@dataclass(frozen=True)
class Egger:
    """The slope on the predictor with its test, and the estimate for a study without error."""

    statistic: float
    df: float | None
    pval: float
    slope: float
    slope_se: float
    limit_estimate: float
    limit_ci_lb: float
    limit_ci_ub: float


def egger(y: Array, v: Array, *, predictor: Array | None = None) -> Egger:
    """Weighted regression of effects on their standard errors with a residual scale. Egger et al. 1997,
    10.1136/bmj.315.7109.629. For standardised mean differences pass `smd_predictor`.

    Raises NotEstimable below three effects, when all predictors are equal, or when the effects lie exactly on a line.
    """
    X, T = _line(y, v, predictor)
    df = len(y) - 2
    fit = Fit(y, v, X, 0.0)
    if not fit.q:
        raise NotEstimable("The effects lie exactly on a line: there is no scatter to test with.")
    b, se = T @ fit.b, np.sqrt(np.diag(T @ fit.vcov @ T.T) * (fit.q / df))
    quantile, statistic = float(stdtrit(df, 0.975)), float(b[1] / se[1])
    return Egger(
        statistic=statistic,
        df=float(df),
        pval=2 * float(stdtr(df, -abs(statistic))),
        slope=float(b[1]),
        slope_se=float(se[1]),
        limit_estimate=float(b[0]),
        limit_ci_lb=float(b[0] - quantile * se[0]),
        limit_ci_ub=float(b[0] + quantile * se[0]),
    )


def _line(y: Array, v: Array, predictor: Array | None) -> tuple[Array, Array]:
    """A line on the predictor, by itself the standard error, as `steady` gives it."""
    try:
        if len(y) > 2:
            return steady(np.column_stack([np.ones(len(y)), np.sqrt(v) if predictor is None else predictor]))
    except NotEstimable:
        pass
    raise NotEstimable("This test needs three or more studies of different size.")


def egger_random(
    y: Array, v: Array, *, method: Method = "REML", test: Test = "z", predictor: Array | None = None
) -> Egger:
    """The same test as a random-effects meta-regression. Raises NotEstimable below three effects or with equal predictors."""
    _line(y, v, predictor)
    X = np.column_stack([np.ones(len(y)), np.sqrt(v) if predictor is None else predictor])
    fit = pool(y, v, X=X, method=method, test=test)
    return Egger(
        statistic=float(fit.statistics[1]),
        df=fit.df,
        pval=float(fit.pvalues[1]),
        slope=float(fit.b[1]),
        slope_se=float(fit.se_b[1]),
        limit_estimate=float(fit.b[0]),
        limit_ci_lb=float(fit.lower[0]),
        limit_ci_ub=float(fit.upper[0]),
    )


def smd_predictor(n1: Array, n2: Array) -> Array:
    """sqrt(1/n1 + 1/n2): an error that is not tied to the effect. Pustejovsky & Rodgers 2019, 10.1002/jrsm.1332."""
    return np.sqrt(1 / n1 + 1 / n2)


@dataclass(frozen=True)
class Filled:
    """Trim and fill: how many studies seem to miss on which side, and the result with them filled in."""

    k0: int
    se_k0: float
    side: str
    pooled: Pooled


def trim_fill(y: Array, v: Array, *, method: Method = "REML", test: Test = "z") -> Filled:
    """Estimator L0 (Duval & Tweedie 2000, 10.1111/j.0006-341X.2000.00455.x), side by the sign of the Egger slope.

    Raises NotEstimable below three effects, when all variances are equal (no side follows), or when the number of missing
    studies goes round in a circle.
    """
    k = len(y)
    if k < 3:
        raise NotEstimable("Trim and fill needs three or more studies.")
    _line(y, v, None)
    slope = pool(y, v, X=np.column_stack([np.ones(k), np.sqrt(v)]), method=method, test="z").b[1]
    side = "right" if slope < 0 else "left"
    flipped = -1.0 if side == "right" else 1.0
    order = np.argsort(flipped * y, kind="stable")
    effects, variances = flipped * y[order], v[order]
    k0, before, raw, center = 0, -1, 0.0, 0.0
    seen: set[int] = set()
    while k0 != before:
        if k0 in seen:
            raise NotEstimable("Trim and fill finds no number of missing studies that stays.")
        seen.add(k0)
        before = k0
        center = mean(effects[: k - k0], variances[: k - k0], method)
        distance = effects - center
        distance[np.abs(distance) < 1e-13 * np.abs(effects)] = 0.0  # rounding has no side
        ranks = np.empty(k)
        ranks[np.argsort(np.abs(distance), kind="stable")] = np.arange(1, k + 1)
        total = float(ranks[distance > 0].sum())
        raw = max(0.0, (4 * total - k * (k + 1)) / (2 * k - 1))
        k0 = round(raw)  # half to even, as in R
    spread = (
        k * (k + 1) * (2 * k + 1) + 10 * raw**3 + 27 * raw**2 + 17 * raw - 18 * k * raw**2 - 18 * k * raw
        + 6 * k**2 * raw
    ) / 24  # fmt: skip
    se = float(np.sqrt(16 * spread) / (2 * k - 1))
    missing = slice(k - k0, k) if k0 else slice(0, 0)
    filled = np.concatenate([effects, 2 * center - effects[missing]])
    pooled = pool(flipped * filled, np.concatenate([variances, variances[missing]]), method=method, test=test)
    return Filled(k0, se, side, pooled)


def leave_one_out(
    y: Array, v: Array, *, method: Method = "REML", test: Test = "z", clusters: Sequence[object] | None = None
) -> list[Pooled]:
    """The result without each effect, or without all effects of each study when `clusters` names the studies.

    Raises NotEstimable when nothing would be left.
    """
    labels = list(range(len(y))) if clusters is None else list(clusters)
    distinct = list(dict.fromkeys(labels))
    if len(distinct) < 2:
        raise NotEstimable("There is only one study.")
    keeps = (np.array([label != gone for label in labels]) for gone in distinct)
    return [pool(y[keep], v[keep], method=method, test=test) for keep in keeps]


@dataclass(frozen=True)
class Influence:
    """Per effect: deleted residual, change in fit, Cook's distance, covariance ratio, leverage, tau2 without it."""

    rstudent: Array
    dffits: Array
    cook_d: Array
    cov_r: Array
    hat: Array
    tau2_del: Array


def influence(y: Array, v: Array, *, method: Method = "REML") -> Influence:
    """Case diagnostics of a pooled mean. Viechtbauer & Cheung 2010, 10.1002/jrsm.11. Raises NotEstimable below three."""
    k = len(y)
    if k < 3:
        raise NotEstimable("Diagnostics need three or more studies.")
    X = ones(k)
    whole = Fit(y, v, X, tau2_of(y, v, X, method))
    columns = np.empty((6, k))
    for place in range(k):
        keep = np.arange(k) != place
        tau2 = tau2_of(y[keep], v[keep], X[keep], method)
        other = Fit(y[keep], v[keep], X[keep], tau2)
        variance = float(other.vcov[0, 0])
        moved = float(whole.b[0] - other.b[0])
        columns[:, place] = (
            (y[place] - other.b[0]) / np.sqrt(v[place] + tau2 + variance),
            moved / np.sqrt(whole.hat[place] * (v[place] + tau2)),
            moved**2 / float(whole.vcov[0, 0]),
            variance / float(whole.vcov[0, 0]),
            whole.hat[place],
            tau2,
        )
    return Influence(*columns)


def deleted_residuals(y: Array, v: Array) -> Array:
    """`influence(...).rstudent` with REML, all at once: how far each effect lies from what the others lead to expect.

    Raises NotEstimable below three effects.
    """
    k = len(y)
    if k < 3:
        raise NotEstimable("Diagnostics need three or more studies.")
    others = ~np.eye(k, dtype=bool)

    def fitted(tau2: Array) -> tuple[Array, Array, Array, Array]:
        """Weights, their sums, means and residuals without each effect, for one tau2 an effect."""
        w = others / (v + tau2[:, None])
        total = w.sum(axis=1)
        center = (w @ y) / total
        return w, total, center, y - center[:, None]

    def score(tau2: Array) -> Array:
        w, total, _center, left = fitted(tau2)
        return np.asarray(((w * left) ** 2).sum(axis=1) - (total - (w**2).sum(axis=1) / total))

    def likelihood(tau2: Array) -> Array:
        w, total, _center, left = fitted(tau2)
        logs = np.log(np.where(others, v + tau2[:, None], 1.0)).sum(axis=1)
        return np.asarray(-logs - np.log(total) - (w * left**2).sum(axis=1))

    top = np.full(k, max(float(np.var(y)), float(np.median(v)), float(np.min(v))))
    while np.any(rising := score(top) > 0):
        top = np.where(rising, 4 * top, top)
    grid = np.concatenate([[0.0], np.logspace(-10, 0, 21)])[:, None] * top
    scores = np.array([score(point) for point in grid])
    best, height = np.zeros(k), likelihood(np.zeros(k))
    crossed, place = (scores[:-1] > 0) & (scores[1:] <= 0), np.arange(k)
    while (has := crossed.any(axis=0)).any():  # the next root of every effect that has one
        first = np.argmax(crossed, axis=0)
        root = _falling_root(score, grid[first, place], grid[first + 1, place], top)
        reached = likelihood(root)
        higher = has & (reached > height)
        best, height = np.where(higher, root, best), np.where(higher, reached, height)
        crossed[first, place] = False
    best = np.where(best < NEGLIGIBLE * float(np.min(v)), 0.0, best)
    _w, total, center, _left = fitted(best)
    return np.asarray((y - center) / np.sqrt(v + best + 1 / total))


def _falling_root(f: Callable[[Array], Array], low: Array, high: Array, scale: Array) -> Array:
    """Bisection of many functions at once, each between its own ends; meaningless where the ends hold no root."""
    low, high = low.copy(), high.copy()
    while np.any(high - low > 4e-16 * np.maximum(high, scale * 1e-3)):
        middle = (low + high) / 2
        if np.all((middle == low) | (middle == high)):
            break
        above = f(middle) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2
