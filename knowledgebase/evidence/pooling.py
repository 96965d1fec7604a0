"""Pool independent effects: fixed and random effects, with moderators or without.

Notation: y effects, v sampling variances (both shape k), X design matrix (k x p, the first column ones), tau2 the
between-study variance, w = 1/(v + tau2). Every statistic of a weighted fit follows from `Fit`.
Checked against R's metafor 3.8 (tests/knowledgebase/evidence).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri, fdtrc, ndtr, stdtr, stdtrit

Array: TypeAlias = NDArray[np.floating[Any]]
Method = Literal["EE", "DL", "REML", "PM"]
Test = Literal["z", "t", "knha", "adhoc"]
METHODS: tuple[str, ...] = get_args(Method)
TESTS: tuple[str, ...] = get_args(Test)
Z_975 = 1.959963984540054
LARGEST = 1e100  # beyond this a number is as good as infinite: its square cannot be written down
EXACT = 1e-26  # a sum of squares below this part of the whole is rounding
NEGLIGIBLE = 1e-9  # a tau2 below this part of the smallest variance is 0


class NotEstimable(ValueError):
    """The data do not allow this analysis; the message says why."""


@dataclass(frozen=True)
class Data:
    """Effects that were let in, and what was left out and why (row number, reason)."""

    y: Array
    v: Array
    rows: NDArray[np.int64]  # where the effects stood in what was given
    excluded: tuple[tuple[int, str], ...] = ()


def read(effects: object, variances: object) -> Data:
    """Check effects and variances (missing as None, NaN or "") and leave out what cannot be used, each with a reason.

    Raises NotEstimable when a variance is zero or negative (no weight follows from it), when something is not a number,
    or when the lengths differ.
    """
    y, v = numbers(effects, "the effect"), numbers(variances, "the variance")
    if y.shape != v.shape or y.ndim != 1:
        raise NotEstimable("Give one variance for each effect.")
    excluded = []
    for row in range(len(y)):
        if not np.abs(y[row]) < LARGEST:
            excluded.append((row, "the effect is missing"))
        elif not v[row] < LARGEST:
            excluded.append((row, "the variance is missing or infinite"))
        elif v[row] < 1 / LARGEST:
            raise NotEstimable(f"Row {row + 1}: a variance is above zero, not {v[row]:g}.")
    left_out = {row for row, _reason in excluded}
    rows = np.array([row for row in range(len(y)) if row not in left_out], dtype=np.int64)
    if not len(rows):
        raise NotEstimable("There is no effect to analyse.")
    return Data(y[rows], v[rows], rows, tuple(excluded))


def numbers(values: object, what: str) -> Array:
    """A column of numbers; None and an empty text are missing (NaN). Raises NotEstimable for a word."""
    given: list[Any] = list(values) if isinstance(values, Iterable) and not isinstance(values, str) else [values]
    column = np.full(len(given), np.nan)
    for row, value in enumerate(given):
        try:
            column[row] = np.nan if value is None or value == "" else float(value)
        except (TypeError, ValueError):
            raise NotEstimable(f"Row {row + 1}: {what} is not a number: {value!r}.") from None
    return column


# -- one weighted fit ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fit:
    """Weighted least squares at a given tau2."""

    y: Array
    v: Array
    X: Array
    tau2: float

    @cached_property
    def w(self) -> Array:
        return 1 / (self.v + self.tau2)

    @cached_property
    def _qr(self) -> tuple[Array, Array]:
        """QR of W^1/2 X: steadier than X'WX where the variances, or the moderators, differ by many orders."""
        weighted = np.sqrt(self.w)[:, None] * self.X
        if weighted.shape[1] == 1:  # of one column, its length
            size = np.sqrt((weighted**2).sum(axis=0, keepdims=True))
            return weighted / size, size
        q, r = np.linalg.qr(weighted)
        return q, r

    @cached_property
    def vcov(self) -> Array:
        """B = (X'WX)^-1."""
        root = np.linalg.inv(self._qr[1])
        return root @ root.T

    @cached_property
    def b(self) -> Array:
        q, r = self._qr
        return np.linalg.solve(r, q.T @ (np.sqrt(self.w) * self.y))

    @cached_property
    def residuals(self) -> Array:
        return self.y - self.X @ self.b

    @cached_property
    def q(self) -> float:
        """Q(tau2) = y'Py; 0 where only rounding is left."""
        whole = float(np.sum(self.w * self.residuals**2))
        return whole if whole > EXACT * float(np.sum(self.w * self.y**2)) else 0.0

    @cached_property
    def hat(self) -> Array:
        """The diagonal of X B X'W."""
        return np.asarray((self._qr[0] ** 2).sum(axis=1))

    @cached_property
    def trace_p(self) -> float:
        """tr P, with P = W - W X B X'W."""
        return float(np.sum(self.w) - np.sum(self.w * self.hat))

    def reml(self) -> float:
        """The restricted log-likelihood, with the constants that metafor has. Viechtbauer 2005, 10.3102/10769986030003261."""
        k, p = self.X.shape
        return float(
            -0.5 * (k - p) * np.log(2 * np.pi)
            + 0.5 * np.linalg.slogdet(self.X.T @ self.X)[1]
            - 0.5 * np.sum(np.log(self.v + self.tau2))
            - np.sum(np.log(np.abs(np.diag(self._qr[1]))))
            - 0.5 * self.q
        )

    def full(self) -> float:
        """The log-likelihood."""
        return float(-0.5 * (len(self.y) * np.log(2 * np.pi) + np.sum(np.log(self.v + self.tau2)) + self.q))


def ones(k: int) -> Array:
    return np.ones((k, 1))


def steady(X: Array) -> tuple[Array, Array]:
    """X with columns that say nothing of each other, and T: coefficients of X are T times those of it.

    A calendar year, or an income in euros, then costs no digits. Raises NotEstimable for fewer rows than columns, a
    column that is a constant, or columns that say the same.
    """
    k, p = X.shape
    middle, size = np.zeros(p), np.sqrt((X**2).mean(axis=0))
    if has_intercept(X):
        middle = X.mean(axis=0)
        middle[0] = 0.0
        size = np.sqrt(((X - middle) ** 2).mean(axis=0))
    varies = size > 1e-12 * np.abs(middle)
    if k < p or not varies.all():
        raise NotEstimable(COLLINEAR)
    Z = (X - middle) / size
    T = np.diag(1 / size)
    T[0] -= middle / size
    if p == 1:
        return Z, T
    q, r = np.linalg.qr(Z)
    spread = np.linalg.svd(r, compute_uv=False)
    if spread[-1] < 1e-10 * spread[0]:
        raise NotEstimable(COLLINEAR)
    return q * np.sqrt(k), T @ np.linalg.inv(r) * np.sqrt(k)


COLLINEAR = "There are too few effects for so many moderators, or two moderators say the same, or one never varies."


def has_intercept(X: Array) -> bool:
    return bool(np.all(X[:, 0] == 1))


def tested(X: Array) -> slice:
    """The coefficients that a joint test is about: all but the intercept, or the intercept when it is alone."""
    return slice(1, None) if X.shape[1] > 1 and has_intercept(X) else slice(0, None)


# -- between-study variance ------------------------------------------------------------------------


def tau2_of(y: Array, v: Array, X: Array, method: Method) -> float:
    """The between-study variance, never below 0; 0 for one study and for the equal-effects model."""
    k, p = X.shape
    if method == "EE" or k <= p:
        return 0.0
    start = Fit(y, v, X, 0.0)
    if method == "DL":  # DerSimonian & Laird 1986, 10.1016/0197-2456(86)90046-2
        return float(max(0.0, (start.q - (k - p)) / start.trace_p))
    if method == "PM":  # Paule & Mandel 1982, 10.6028/jres.087.022
        return _root(_excess(y, v, X, k - p), _scale(y, v, X)) if start.q > k - p else 0.0
    return _reml(y, v, X)


def _scale(y: Array, v: Array, X: Array) -> float:
    """A first upper bound for tau2 in the units of the data."""
    left = y - (y.mean() if _is_mean(X) else X @ np.linalg.lstsq(X, y, rcond=None)[0])
    spread = float(left @ left) / max(1, len(y) - X.shape[1])
    return float(max(spread, np.median(v), np.min(v)))


def _root(f: Callable[[float], float], high: float) -> float:
    """The root of a falling function that is positive at 0; the bracket grows until it holds the root."""
    while f(high) > 0:
        high *= 4
    return float(brentq(f, 0.0, high, xtol=high * 1e-30, rtol=8.9e-16, maxiter=1000))


def _excess(y: Array, v: Array, X: Array, over: float) -> Callable[[float], float]:
    """How far Q(tau2) lies above a value, as a function of tau2."""

    def of_mean(tau2: float) -> float:
        w = 1 / (v + tau2)
        left = y - w @ y / w.sum()
        return float(w @ (left * left)) - over

    return of_mean if _is_mean(X) else lambda tau2: Fit(y, v, X, tau2).q - over


def _is_mean(X: Array) -> bool:
    return X.shape[1] == 1 and has_intercept(X)


def _reml(y: Array, v: Array, X: Array) -> float:
    """The best of 0 and of every root of the score between the points of a grid (relative to the data's scale)."""
    is_mean = _is_mean(X)

    def score(tau2: float) -> float:
        return _mean_score(y, v, tau2) if is_mean else float(_scores(y, v, X, np.array([tau2]))[0])

    top = _scale(y, v, X)
    while score(top) > 0:
        top *= 4
    grid = np.concatenate([[0.0], top * np.logspace(-10, 0, 21)])
    scores = _scores(y, v, X, grid)
    roots = []
    for low, high, before, after in zip(grid, grid[1:], scores, scores[1:], strict=False):
        if before > 0 >= after:
            roots.append(float(brentq(score, low, high, xtol=high * 1e-30, rtol=8.9e-16, maxiter=1000)))
    if len(roots) == 1 and scores[0] > 0:  # it rises from 0 to its only top
        best = roots[0]
    else:
        best = max([0.0, *roots], key=lambda t: Fit(y, v, X, t).reml()) if roots else 0.0
    return 0.0 if best < NEGLIGIBLE * float(np.min(v)) else best


def _scores(y: Array, v: Array, X: Array, points: Array) -> Array:
    """The score of the restricted likelihood, (y'PPy - tr P) / 2, at many values of tau2 at once."""
    w = 1 / (v + points[:, None])
    if _is_mean(X):
        total = w.sum(axis=1)
        left = w * (y - ((w @ y) / total)[:, None])
        return np.asarray(0.5 * ((left**2).sum(axis=1) - total + (w**2).sum(axis=1) / total))
    XW = X.T * w[:, None, :]
    B = np.linalg.inv(XW @ X)
    left = y - (X @ (B @ (XW @ y)[:, :, None]))[:, :, 0]
    hat = ((X @ B) * X).sum(axis=2) * w
    return np.asarray(0.5 * (((w * left) ** 2).sum(axis=1) - (w * (1 - hat)).sum(axis=1)))


def _mean_score(y: Array, v: Array, tau2: float) -> float:
    """`_scores` at one tau2, of a mean only."""
    w = 1 / (v + tau2)
    total = w.sum()
    left = w * (y - w @ y / total)
    return float(0.5 * (left @ left - total + w @ w / total))


def tau2_interval(y: Array, v: Array, X: Array | None = None) -> tuple[float, float]:
    """95% Q-profile interval of tau2; (0, 0) when the set is empty. Viechtbauer 2007, 10.1002/sim.2514.

    Raises NotEstimable for as many effects as coefficients.
    """
    X = ones(len(y)) if X is None else steady(X)[0]
    df = X.shape[0] - X.shape[1]
    if df < 1:
        raise NotEstimable("An interval of the between-study variance needs two studies or more.")
    at_zero, scale = Fit(y, v, X, 0.0).q, _scale(y, v, X)
    lower, upper = float(chdtri(df, 0.025)), float(chdtri(df, 0.975))
    low = _root(_excess(y, v, X, lower), scale) if at_zero > lower else 0.0
    high = _root(_excess(y, v, X, upper), scale) if at_zero > upper else 0.0
    return low, high


def mean(y: Array, v: Array, method: Method) -> float:
    """The pooled mean alone."""
    X = ones(len(y))
    return float(Fit(y, v, X, tau2_of(y, v, X, method)).b[0])


# -- the pooled result -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Pooled:
    """A fitted model. Arrays have one entry per coefficient; `estimate` and its kin are those of the first."""

    method: Method
    test: Test
    k: int
    p: int
    b: Array
    se_b: Array
    statistics: Array
    pvalues: Array
    lower: Array
    upper: Array
    vcov: Array
    df: float | None
    tau2: float
    I2: float
    H2: float
    Q: float
    Q_df: int
    Qp: float
    QM: float | None
    QM_df: tuple[int, float | None]
    QMp: float | None
    loglik: float | None

    @property
    def estimate(self) -> float:
        return float(self.b[0])

    @property
    def se(self) -> float:
        return float(self.se_b[0])

    @property
    def statistic(self) -> float:
        return float(self.statistics[0])

    @property
    def pval(self) -> float:
        return float(self.pvalues[0])

    @property
    def ci_lb(self) -> float:
        return float(self.lower[0])

    @property
    def ci_ub(self) -> float:
        return float(self.upper[0])


def pool(y: Array, v: Array, *, X: Array | None = None, method: Method = "REML", test: Test = "adhoc") -> Pooled:
    """Fit the equal-effects (EE) or a random-effects model, with moderators in X (after a column of ones, if any).

    Tests: z; t with k - p df; knha = Hartung & Knapp 2001, 10.1002/sim.791 (with moderators Knapp & Hartung 2003,
    10.1002/sim.1482); adhoc = knha but never narrower than z. One study is always tested with z.
    Raises NotEstimable for another method or test, and when there are fewer effects than coefficients or the moderators
    say the same.
    """
    if method not in METHODS or test not in TESTS:
        raise NotEstimable(f"Choose a method from {', '.join(METHODS)} and a test from {', '.join(TESTS)}.")
    Z, T = steady(ones(len(y)) if X is None else X)
    k, p = Z.shape
    if k == p:
        test = "z"
    tau2 = tau2_of(y, v, Z, method)
    fit, start = Fit(y, v, Z, tau2), Fit(y, v, Z, 0.0)
    df = k - p
    s2 = fit.q / df if test in {"knha", "adhoc"} and df else 1.0
    vcov = T @ fit.vcov @ T.T * (max(1.0, s2) if test == "adhoc" else s2)
    b, se = T @ fit.b, np.sqrt(np.diag(vcov))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = b / se
    quantile = Z_975 if test == "z" else float(stdtrit(df, 0.975))
    joint = tested(ones(k) if X is None else X)
    qm, qm_df, qm_p = _joint(b[joint], vcov[joint, joint], df if test != "z" else None)
    i2, h2 = heterogeneity(start, tau2=None if method == "EE" else tau2)
    return Pooled(
        method=method,
        test=test,
        k=k,
        p=p,
        b=b,
        se_b=se,
        statistics=statistics,
        pvalues=2 * (ndtr(-np.abs(statistics)) if test == "z" else stdtr(df, -np.abs(statistics))),
        lower=b - quantile * se,
        upper=b + quantile * se,
        vcov=vcov,
        df=None if test == "z" else float(df),
        tau2=tau2,
        I2=i2,
        H2=h2,
        Q=start.q,
        Q_df=df,
        Qp=float(chdtrc(df, start.q)) if df else 1.0,
        QM=qm,
        QM_df=qm_df,
        QMp=qm_p,
        loglik=fit.reml() if method == "REML" else fit.full() if method == "EE" else None,
    )


def _joint(b: Array, vcov: Array, df: float | None) -> tuple[float | None, tuple[int, float | None], float | None]:
    """The joint (Wald) test that coefficients are 0: chi2, or F with `df` denominator degrees of freedom."""
    m = len(b)
    try:
        wald = float(b @ np.linalg.solve(vcov, b))
    except np.linalg.LinAlgError:
        return None, (m, df), None
    if df is None:
        return wald, (m, None), float(chdtrc(m, wald))
    return wald / m, (m, df), float(fdtrc(m, df, wald / m))


def heterogeneity(start: Fit, *, tau2: float | None) -> tuple[float, float]:
    """I2 in percent and H2 of a tau2 against the typical sampling variance. Higgins & Thompson 2002, 10.1002/sim.1186.

    `start` is the fit at tau2 = 0. Without tau2 (the equal-effects model) both follow from Q.
    """
    df = start.X.shape[0] - start.X.shape[1]
    if df < 1:
        return 0.0, 1.0
    if tau2 is None:
        return max(0.0, 100 * (start.q - df) / start.q) if start.q else 0.0, start.q / df
    typical = df / start.trace_p
    return 100 * tau2 / (tau2 + typical), 1 + tau2 / typical


def prediction_interval(pooled: Pooled, *, df: float | None = None) -> tuple[float, float] | None:
    """95% interval for the true effect in a new study: b ± t(df) sqrt(SE² + tau2); None for one study.

    `df` k - 2 gives Higgins, Thompson & Spiegelhalter 2009, 10.1111/j.1467-985X.2008.00552.x; without it the quantile of
    the model's own test is used (metafor's default). Below one degree of freedom one is taken, as metafor does.
    """
    if pooled.method == "EE" or pooled.k < 2:
        return None
    spread = float(np.sqrt(pooled.se**2 + pooled.tau2))
    chosen = pooled.df if df is None else df
    quantile = Z_975 if chosen is None else float(stdtrit(max(1.0, chosen), 0.975))
    return pooled.estimate - quantile * spread, pooled.estimate + quantile * spread
