"""Pool several effects of one study: working models with correlated effects, and errors that hold when they are wrong.

Notation as in pooling.py. Studies (clusters) are blocks: M_j is the working covariance of the effects of study j,
W_j its inverse, B = (sum X_j'W_j X_j)^-1. Blocks of equal size are handled together.
Checked against metafor, clubSandwich and robumeta (tests/knowledgebase/evidence).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc, ndtr, stdtr, stdtrit

from .pooling import Z_975, Array, NotEstimable, ones, steady, tested

Index = NDArray[np.int64]
MOST_STEPS = 200


@dataclass(frozen=True)
class Blocks:
    """Rows grouped by study: for each number of effects, the row numbers of the studies that have so many."""

    labels: tuple[object, ...]  # studies in order of first appearance
    groups: tuple[tuple[Index, Index], ...]  # (numbers of the studies, their rows: studies x effects)

    @classmethod
    def of(cls, clusters: Sequence[object] | Blocks) -> Blocks:
        if isinstance(clusters, Blocks):
            return clusters
        rows: dict[object, list[int]] = {}
        for row, label in enumerate(clusters):
            rows.setdefault(label, []).append(row)
        numbers = {label: number for number, label in enumerate(rows)}
        by_size: dict[int, list[object]] = {}
        for label, members in rows.items():
            by_size.setdefault(len(members), []).append(label)
        groups = tuple(
            (np.array([numbers[label] for label in labels]), np.array([rows[label] for label in labels]))
            for _size, labels in sorted(by_size.items())
        )
        return cls(tuple(rows), groups)

    @property
    def number(self) -> int:
        return len(self.labels)


def sampling_blocks(v: Array, blocks: Blocks, rho: float) -> list[Array]:
    """V_j of every study, stacked by size: variances with correlation rho between effects of one study."""
    stacks: list[Array] = []
    for _numbers, rows in blocks.groups:
        sd = np.sqrt(v[rows])
        stack = rho * sd[:, :, None] * sd[:, None, :]
        place = np.arange(rows.shape[1])
        stack[:, place, place] = v[rows]
        stacks.append(stack)
    return stacks


def check_correlation(rho: Any) -> None:
    """Raises NotEstimable outside 0 <= rho < 1."""
    if not (isinstance(rho, int | float) and 0 <= rho < 1):
        raise NotEstimable("A correlation of effects within a study is 0 or more and below 1.")


def aggregate(y: Array, v: Array, clusters: Sequence[object] | Blocks, *, rho: float = 0.6) -> tuple[Array, Array]:
    """One effect a study: 1'V^-1 y / 1'V^-1 1, with variance 1 / 1'V^-1 1; studies in order of first appearance.

    Raises NotEstimable outside 0 <= rho < 1.
    """
    check_correlation(rho)
    blocks = Blocks.of(clusters)
    effects, variances = np.empty(blocks.number), np.empty(blocks.number)
    for (numbers, rows), stack in zip(blocks.groups, sampling_blocks(v, blocks, rho), strict=True):
        weights = np.linalg.solve(stack, np.ones((*rows.shape, 1)))[:, :, 0]
        total = weights.sum(axis=1)
        effects[numbers], variances[numbers] = (weights * y[rows]).sum(axis=1) / total, 1 / total
    return effects, variances


# -- a working model and its fit -------------------------------------------------------------------


@dataclass(frozen=True)
class Working:
    """Generalised least squares with block-diagonal covariance M (stacks by size).

    The arithmetic is done on X, a steady form of the design; `b` and `vcov` are those of the design itself.
    """

    y: Array
    design: Array
    blocks: Blocks
    M: list[Array]

    @cached_property
    def _steady(self) -> tuple[Array, Array]:
        return steady(self.design)

    @property
    def X(self) -> Array:
        return self._steady[0]

    @property
    def T(self) -> Array:
        return self._steady[1]

    @cached_property
    def W(self) -> list[Array]:
        return [np.linalg.inv(stack) for stack in self.M]

    @cached_property
    def XW(self) -> list[Array]:
        """X_j'W_j, stacked."""
        return [np.swapaxes(self.X[rows], 1, 2) @ W for (_n, rows), W in zip(self.blocks.groups, self.W, strict=True)]

    @cached_property
    def information(self) -> Array:
        p = self.X.shape[1]
        total = np.zeros((p, p))
        for (_n, rows), XW in zip(self.blocks.groups, self.XW, strict=True):
            total += (XW @ self.X[rows]).sum(axis=0)
        return total

    @cached_property
    def B(self) -> Array:
        return np.linalg.inv(self.information)

    @cached_property
    def vcov(self) -> Array:
        return np.asarray(self.T @ self.B @ self.T.T)

    @cached_property
    def _b(self) -> Array:
        right = np.zeros(self.X.shape[1])
        for (_n, rows), XW in zip(self.blocks.groups, self.XW, strict=True):
            right += (XW @ self.y[rows][:, :, None]).sum(axis=0)[:, 0]
        return np.linalg.solve(self.information, right)

    @cached_property
    def b(self) -> Array:
        return np.asarray(self.T @ self._b)

    @cached_property
    def residuals(self) -> Array:
        return self.y - self.X @ self._b

    @cached_property
    def q(self) -> float:
        return float(
            sum(
                np.sum(self.residuals[rows] * (W @ self.residuals[rows][:, :, None])[:, :, 0])
                for (_n, rows), W in zip(self.blocks.groups, self.W, strict=True)
            )
        )


def _loglik(working: Working) -> float:
    """The restricted log-likelihood, from the blocks themselves: the quick one loses digits where rho is near 1."""
    k, p = working.X.shape
    logs = sum(float(np.linalg.slogdet(M)[1].sum()) for M in working.M) + float(
        np.linalg.slogdet(working.information)[1]
    )
    constant = float(np.linalg.slogdet(working.X.T @ working.X)[1]) - (k - p) * float(np.log(2 * np.pi))
    return float(0.5 * (constant - logs - working.q))


def _with_components(V: list[Array], sigma2: Array, blocks: Blocks, units: Index | None) -> list[Array]:
    """M_j: rows of one study share sigma1, rows of one unit in it sigma2 (each row is a unit of its own by itself)."""
    own = np.arange(sum(rows.size for _n, rows in blocks.groups)) if units is None else units
    same = (own[rows][:, :, None] == own[rows][:, None, :] for _n, rows in blocks.groups)
    return [stack + sigma2[0] + sigma2[1] * shared for stack, shared in zip(V, same, strict=True)]


def _units(levels: Sequence[object] | None, blocks: Blocks) -> Index | None:
    """A number for each (study, level); None when every row is a unit of its own."""
    if levels is None:
        return None
    own = np.empty(len(levels), dtype=np.int64)
    for numbers, rows in blocks.groups:
        own[rows] = numbers[:, None]
    codes: dict[object, int] = {}
    units = np.array([codes.setdefault(pair, len(codes)) for pair in zip(own.tolist(), levels, strict=True)])
    return None if len(codes) == len(units) else units


# -- the three-level model -------------------------------------------------------------------------


@dataclass(frozen=True)
class Multilevel:
    """A fitted three-level model; arrays have one entry per coefficient."""

    working: Working
    b: Array
    se_b: Array
    pvalues: Array
    lower: Array
    upper: Array
    sigma2: tuple[float, float]  # between studies, within studies
    units: int  # how many share the second of these
    loglik: float
    QE: float
    QE_df: int
    QEp: float
    QM: float
    QM_df: int
    QMp: float
    typical: float  # the typical sampling variance, against which I2 is counted
    I2_total: float
    I2_level: tuple[float, float]

    @property
    def estimate(self) -> float:
        return float(self.b[0])

    @property
    def se(self) -> float:
        return float(self.se_b[0])

    def prediction_interval(self, *, quantile: float = Z_975) -> tuple[float, float]:
        """95% interval for a new effect in a new study (by itself with a normal quantile)."""
        spread = quantile * float(np.sqrt(self.se**2 + sum(self.sigma2)))
        return self.estimate - spread, self.estimate + spread


def three_level(
    y: Array,
    v: Array,
    clusters: Sequence[object] | Blocks,
    *,
    X: Array | None = None,
    rho: float = 0.0,
    levels: Sequence[object] | None = None,
    start: tuple[float, float] | None = None,
) -> Multilevel:
    """REML of M_j = V_j + sigma1 J + sigma2 I (Konstantopoulos 2011, 10.1002/jrsm.35).

    With rho above 0 V_j has correlated errors: the correlated and hierarchical effects model (Pustejovsky & Tipton 2022,
    10.1007/s11121-021-01246-3). `levels` names the units within studies that share sigma2 (schools in districts with
    several effects each); without it every effect is one. `start` names components to climb from, when a fit that is
    much like this one is known. Raises NotEstimable for one study only, or too few effects for the moderators.
    """
    X = ones(len(y)) if X is None else X
    blocks = Blocks.of(clusters)
    k, p = X.shape
    check_correlation(rho)
    if blocks.number < 2 or k <= p:
        raise NotEstimable("There are too few studies or effects for a model with studies and effects within them.")
    units = _units(levels, blocks)
    likelihood = _Likelihood(y, steady(X)[0], v, blocks, rho=rho, units=units)
    sigma2 = _fit_components(likelihood, scale=float(np.mean(v)), start=start)
    working = Working(y, X, blocks, _with_components(sampling_blocks(v, blocks, rho), sigma2, blocks, units))
    fixed = likelihood.at(np.zeros(2))
    se = np.sqrt(np.diag(working.vcov))
    joint = tested(X)
    qm = float(working.b[joint] @ np.linalg.solve(working.vcov[joint, joint], working.b[joint]))
    trace = fixed.trace_p()
    typical = (k - p) / trace if trace > 0 else 0.0  # variances so far apart that the trace is rounding
    total = float(sigma2.sum())
    whole = total + typical or 1.0
    return Multilevel(
        working=working,
        b=working.b,
        se_b=se,
        pvalues=2 * ndtr(-np.abs(working.b / se)),
        lower=working.b - Z_975 * se,
        upper=working.b + Z_975 * se,
        sigma2=(float(sigma2[0]), float(sigma2[1])),
        units=k if units is None else int(units.max()) + 1,
        loglik=_loglik(working),
        QE=fixed.q,
        QE_df=k - p,
        QEp=float(chdtrc(k - p, fixed.q)),
        QM=qm,
        QM_df=len(working.b[joint]),
        QMp=float(chdtrc(len(working.b[joint]), qm)),
        typical=float(typical),
        I2_total=100 * total / whole,
        I2_level=(100 * float(sigma2[0]) / whole, 100 * float(sigma2[1]) / whole),
    )


GRID = (0.0, 1e-3, 0.03, 0.2, 0.6, 1.5)  # parts of the spread of the effects: where a climb may start


class _Likelihood:
    """The restricted likelihood of (sigma1, sigma2), quick: every M_j is a diagonal plus two outer products.

    M_j = D + U C U' with D = diag((1 - rho) v + sigma2), U = [sqrt v, 1], C = diag(rho, sigma1), so that Woodbury's
    identity gives M_j^-1 and |M_j| from sums over the effects of a study; nothing larger than 2 x 2 is inverted.
    Units of several effects make D a diagonal plus one outer product a unit, which the same identity inverts first.
    """

    def __init__(self, y: Array, X: Array, v: Array, blocks: Blocks, *, rho: float, units: Index | None = None) -> None:
        own = np.empty(len(y), dtype=np.int64)
        for numbers, rows in blocks.groups:
            own[rows] = numbers[:, None]
        order = np.lexsort((np.arange(len(y)) if units is None else units, own))
        self.study = own[order]
        self.unit = None
        if units is not None:
            first = np.diff(units[order], prepend=-1) != 0
            self.unit, self.unit_starts = np.cumsum(first) - 1, np.flatnonzero(first)
        self.starts = np.searchsorted(self.study, np.arange(blocks.number))
        self.X, self.v, self.rho = X[order], v[order], rho
        self.s = np.sqrt(self.v)
        self.Z = np.column_stack([X[order], y[order]])
        self.fixed = 0.5 * float(np.linalg.slogdet(X.T @ X)[1]) - 0.5 * (len(y) - X.shape[1]) * float(np.log(2 * np.pi))

    def sums(self, values: Array) -> Array:
        """Sums over the effects of each study."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=0))

    def unit_sums(self, values: Array) -> Array:
        """Sums over the effects of each unit."""
        return np.asarray(np.add.reduceat(values, self.unit_starts, axis=0))

    def at(self, sigma2: Array) -> _Point:
        return _Point(self, float(sigma2[0]), float(sigma2[1]))

    def best_of(self, points: Array) -> Array:
        """The pair with the highest likelihood (points x 2), all in one go."""
        if self.unit is not None:
            return np.asarray(max(points, key=lambda point: self.at(point).reml))
        one, two = points[:, :1], points[:, 1:]
        d = (1 - self.rho) * self.v + two
        i = 1 / d
        si = self.s * i
        g00, g01, g11 = (np.add.reduceat(part, self.starts, axis=1) for part in (si * self.s, si, i))
        size = (1 + self.rho * g00) * (1 + one * g11) - self.rho * one * g01**2
        first = np.add.reduceat(si[:, :, None] * self.Z, self.starts, axis=1)
        second = np.add.reduceat(i[:, :, None] * self.Z, self.starts, axis=1)
        k00, k01, k11 = (
            self.rho * (1 + one * g11) / size,
            -self.rho * one * g01 / size,
            one * (1 + self.rho * g00) / size,
        )
        mixed = np.swapaxes(k01[:, :, None] * first, 1, 2) @ second
        inner = (self.Z.T * i[:, None, :]) @ self.Z - (
            np.swapaxes(k00[:, :, None] * first, 1, 2) @ first
            + mixed
            + np.swapaxes(mixed, 1, 2)
            + np.swapaxes(k11[:, :, None] * second, 1, 2) @ second
        )  # Z'WZ
        information, right = inner[:, :-1, :-1], inner[:, :-1, -1:]
        q = inner[:, -1, -1] - (np.swapaxes(right, 1, 2) @ np.linalg.solve(information, right))[:, 0, 0]
        reml = np.log(d).sum(axis=1) + np.log(size).sum(axis=1) + np.linalg.slogdet(information)[1] + q
        return np.asarray(points[int(np.argmin(reml))])


class _Point:
    """The likelihood at one pair of components."""

    def __init__(self, of: _Likelihood, sigma1: float, sigma2: float) -> None:
        self.of, rho, self.sigma2 = of, of.rho, sigma2
        d = (1 - rho) * of.v + (sigma2 if of.unit is None else 0.0)
        self.own = 1 / d
        log_d = float(np.log(d).sum())
        if of.unit is not None:
            self.unit_sum = of.unit_sums(self.own)
            log_d += float(np.log1p(sigma2 * self.unit_sum).sum())
        self.i, self.si = self.without_studies(np.ones_like(d)), self.without_studies(of.s)
        ones_, self.one, two = of.sums(self.si * of.s), of.sums(self.si), of.sums(self.i)
        self.two = two
        size = (1 + rho * ones_) * (1 + sigma1 * two) - rho * sigma1 * self.one**2
        self.k00 = rho * (1 + sigma1 * two) / size
        self.k01 = -rho * sigma1 * self.one / size
        self.k11 = sigma1 * (1 + rho * ones_) / size
        p = of.X.shape[1]
        self.WZ = self.weigh(of.Z)
        self.WX = self.WZ[:, :p]
        information = of.X.T @ self.WX
        self.B = np.linalg.inv(information)
        self.b = self.B @ (of.X.T @ self.WZ[:, p])
        self.py = self.WZ[:, p] - self.WX @ self.b
        self.q = float(of.Z[:, p] @ self.py)
        log_m = log_d + float(np.log(size).sum())
        self.reml = of.fixed - 0.5 * (log_m + float(np.linalg.slogdet(information)[1]) + self.q)

    def without_studies(self, Z: Array) -> Array:
        """D^-1 Z."""
        own = self.own if Z.ndim == 1 else self.own[:, None]
        if self.of.unit is None:
            return np.asarray(own * Z)
        share = self.sigma2 / (1 + self.sigma2 * self.unit_sum)
        sums = self.of.unit_sums(own * Z) * (share if Z.ndim == 1 else share[:, None])
        return np.asarray(own * (Z - sums[self.of.unit]))

    def weigh(self, Z: Array) -> Array:
        """W Z."""
        of = self.of
        first, second = of.sums(self.si[:, None] * Z), of.sums(self.i[:, None] * Z)
        left = self.k00[:, None] * first + self.k01[:, None] * second
        right = self.k01[:, None] * first + self.k11[:, None] * second
        between = self.si[:, None] * left[of.study] + self.i[:, None] * right[of.study]
        return np.asarray(self.without_studies(Z) - between)

    def trace_p(self) -> float:
        """tr P, with P = W - W X B X'W."""
        of = self.of
        trace_d = self.own.sum()
        if of.unit is not None:
            trace_d -= np.sum(self.sigma2 / (1 + self.sigma2 * self.unit_sum) * of.unit_sums(self.own**2))
        trace_w = trace_d - np.sum(
            self.k00 * of.sums(self.si**2) + 2 * self.k01 * of.sums(self.si * self.i) + self.k11 * of.sums(self.i**2)
        )
        return float(trace_w - np.sum(self.B * (self.WX.T @ self.WX)))

    def score(self) -> tuple[Array, Array]:
        """Gradient and average information of the restricted likelihood for (sigma1, sigma2).

        With J the sums over a study, and K those over a unit: (y'P J P y - tr P J) / 2 and (y'P K P y - tr P K) / 2.
        """
        of = self.of
        jpy = of.sums(self.py)[of.study]
        within = self.two - (
            self.k00 * self.one**2 + 2 * self.k01 * self.one * self.two + self.k11 * self.two**2
        )  # 1'W_j 1
        sums = of.sums(self.WX)
        trace = np.array([within.sum() - np.sum(self.B * (sums.T @ sums)), self._trace_units()])
        kpy = self.py if of.unit is None else of.unit_sums(self.py)[of.unit]
        both = np.column_stack([jpy, kpy])
        weighed = self.weigh(both)
        projected = weighed - self.WX @ (self.B @ (of.X.T @ weighed))
        quadratic = np.array([float(self.py @ jpy), float(self.py @ kpy)])
        return 0.5 * (quadratic - trace), 0.5 * both.T @ projected

    def _trace_units(self) -> float:
        """tr P K."""
        of = self.of
        if of.unit is None:
            return self.trace_p()
        study = of.study[of.unit_starts]
        s, i = of.unit_sums(self.si), of.unit_sums(self.i)
        between = self.k00[study] * s**2 + 2 * self.k01[study] * s * i + self.k11[study] * i**2
        within = self.unit_sum / (1 + self.sigma2 * self.unit_sum) - between
        sums = of.unit_sums(self.WX)
        return float(within.sum() - np.sum(self.B * (sums.T @ sums)))


def _fit_components(likelihood: _Likelihood, *, scale: float, start: tuple[float, float] | None = None) -> Array:
    """The variance components with the highest restricted likelihood, 0 allowed: a climb from the best of a grid.

    Average-information steps with halving; a component that wants below 0 stays at 0. Near the top the likelihood is
    flat to the last digit: there steps are taken as long as they shrink.
    """
    spread = max(float(np.var(likelihood.Z[:, -1])), scale)
    points = np.array([(one, two) for one in GRID for two in GRID]) * spread
    sigma2 = likelihood.best_of(points) if start is None else np.array(start)
    here, before = likelihood.at(sigma2), np.inf
    for _step in range(MOST_STEPS):
        gradient, information = here.score()
        free = (sigma2 > 0) | (gradient > 0)
        if not free.any():
            break
        step = np.zeros(2)
        step[free] = np.linalg.lstsq(information[np.ix_(free, free)], gradient[free], rcond=None)[0]
        length = float(np.abs(np.maximum(0.0, sigma2 + step) - sigma2).max()) / float(sigma2.sum() + spread * 1e-12)
        if length < 1e-14 or (length < 1e-6 and length >= before):
            break
        before, size, other = length, 1.0, likelihood.at(np.maximum(0.0, sigma2 + step))
        while length >= 1e-6 and other.reml < here.reml and size > 1e-10:
            size /= 2
            other = likelihood.at(np.maximum(0.0, sigma2 + size * step))
        sigma2, here = np.maximum(0.0, sigma2 + size * step), other
    return sigma2


# -- robust errors ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Robust:
    """Cluster-robust inference; arrays have one entry per coefficient."""

    b: Array
    vcov: Array
    se: Array
    df: Array
    statistics: Array
    pvalues: Array
    lower: Array
    upper: Array
    clusters: int
    _u: list[Array]
    _working: Working

    def joint(self, constraints: Array) -> tuple[float, float, float, float]:
        """HTZ test that C b = 0: F, both degrees of freedom, p. Tipton & Pustejovsky 2015, 10.3102/1076998615606099.

        With too few studies for so many constraints (no denominator degrees of freedom), or when one study decides a
        constraint alone, F and p are NaN.
        """
        C = np.atleast_2d(constraints)
        inner = C @ self._working.T
        q = C.shape[0]
        cross = _cross(self._working, self._u)
        expected = np.array([cross(row, row).trace() for row in inner])
        if np.any(expected <= SCATTER * np.einsum("sp,pq,sq->s", inner, self._working.B, inner)):
            return float("nan"), float(q), float("nan"), float("nan")
        size = np.sqrt(expected)[:, None]
        C, inner = C / size, inner / size  # the units of the moderators are nothing to the test
        omega = np.array([[cross(inner[s], inner[t]).trace() for t in range(q)] for s in range(q)])
        root = _inverse_root(omega)
        standard = root @ inner
        products = [[cross(standard[s], standard[t]) for t in range(q)] for s in range(q)]
        spread = sum(
            float(np.sum(products[s][s] * products[t][t].T) + np.sum(products[s][t] * products[s][t].T))
            for s in range(q)
            for t in range(q)
        )
        eta = q * (q + 1) / spread
        effect = C @ self.b
        wald = float(effect @ np.linalg.solve(C @ self.vcov @ C.T, effect))
        denominator = eta - q + 1
        if denominator <= 0:
            return float("nan"), float(q), denominator, float("nan")
        f = denominator / (eta * q) * wald
        return f, float(q), denominator, float(fdtrc(q, denominator, f))


SCATTER = 1e-8  # below this part of the model's variance one study decides alone: nothing to learn an error from


def cr2(working: Working) -> Robust:
    """CR2 errors with Satterthwaite degrees of freedom. Tipton 2015, 10.1037/met0000011; Pustejovsky & Tipton 2018,
    10.1080/07350015.2016.1247004. A coefficient that one study decides alone (the mean of a group of one study) has NaN
    for its error and what follows. Raises NotEstimable with as many coefficients as studies.
    """
    p = working.X.shape[1]
    if working.blocks.number <= p:
        raise NotEstimable("There are too few studies for errors that allow for dependence.")
    meat = np.zeros((p, p))
    u: list[Array] = []
    for (_n, rows), M, XW in zip(working.blocks.groups, working.M, working.XW, strict=True):
        X = working.X[rows]
        D = np.swapaxes(np.linalg.cholesky(M), 1, 2)  # M = D'D
        G = M - X @ working.B @ np.swapaxes(X, 1, 2)
        A = np.swapaxes(D, 1, 2) @ _inverse_root(D @ G @ np.swapaxes(D, 1, 2)) @ D
        bread = XW @ A  # X'W A
        score = (bread @ working.residuals[rows][:, :, None])[:, :, 0]
        meat += score.T @ score
        u.append(np.swapaxes(bread, 1, 2))  # A'W X
    vcov = working.T @ working.B @ meat @ working.B @ working.T.T
    cross = _cross(working, u)
    df = np.full(p, np.nan)
    for place in range(p):
        K = cross(working.T[place], working.T[place])
        if K.trace() > SCATTER * working.vcov[place, place]:
            df[place] = K.trace() ** 2 / np.sum(K**2)
    se = np.where(np.isnan(df), np.nan, np.sqrt(np.maximum(np.diag(vcov), 0.0)))
    with np.errstate(divide="ignore", invalid="ignore"):  # effects that are all equal have no scatter
        statistics = working.b / se
    quantiles = stdtrit(df, 0.975)
    return Robust(
        b=working.b,
        vcov=vcov,
        se=se,
        df=df,
        statistics=statistics,
        pvalues=2 * stdtr(df, -np.abs(statistics)),
        lower=working.b - quantiles * se,
        upper=working.b + quantiles * se,
        clusters=working.blocks.number,
        _u=u,
        _working=working,
    )


def _inverse_root(stack: Array) -> Array:
    """The symmetric root of the (pseudo-)inverse of symmetric matrices."""
    values, vectors = np.linalg.eigh((stack + np.swapaxes(stack, -1, -2)) / 2)
    floor = 1e-12 * np.max(np.abs(values), axis=-1, keepdims=True)
    roots = np.where(values > floor, 1 / np.sqrt(np.where(values > floor, values, 1.0)), 0.0)
    return np.asarray((vectors * roots[..., None, :]) @ np.swapaxes(vectors, -1, -2))


def _cross(working: Working, u: list[Array]) -> Callable[[Array, Array], Array]:
    """K_ij of two contrasts: g_i'M g_j with g_j = (I - H)'_.j A_j'W_j X_j B c, studies by studies."""

    def of(first: Array, second: Array) -> Array:
        B, m, p = working.B, working.blocks.number, working.X.shape[1]
        own, left, right = np.zeros(m), np.zeros((m, p)), np.zeros((m, p))
        for (numbers, rows), M, stack in zip(working.blocks.groups, working.M, u, strict=True):
            one, two = stack @ (B @ first), stack @ (B @ second)
            own[numbers] = (one * (M @ two[:, :, None])[:, :, 0]).sum(axis=1)
            X = np.swapaxes(working.X[rows], 1, 2)
            left[numbers], right[numbers] = (X @ one[:, :, None])[:, :, 0], (X @ two[:, :, None])[:, :, 0]
        return np.asarray(np.diag(own) - left @ B @ right.T)

    return of


def independent(
    y: Array, v: Array, clusters: Sequence[object] | Blocks, *, tau2: float, X: Array | None = None
) -> Working:
    """The working model of independent effects with one tau2, for robust errors around a plain pooled mean."""
    blocks = Blocks.of(clusters)
    M = [np.einsum("gn,nm->gnm", v[rows] + tau2, np.eye(rows.shape[1])) for _n, rows in blocks.groups]
    return Working(y, ones(len(y)) if X is None else X, blocks, M)


@dataclass(frozen=True)
class Correlated:
    """Robust variance estimation with correlated-effects weights."""

    tau2: float
    I2: float
    robust: Robust


def correlated_effects(
    y: Array, v: Array, clusters: Sequence[object] | Blocks, *, X: Array | None = None, rho: float = 0.8
) -> Correlated:
    """Weights 1/(k_j (mean v_j + tau2)), tau2 by moments; small-sample (CR2) errors. Hedges, Tipton & Johnson 2010,
    10.1002/jrsm.5. Raises NotEstimable with as many coefficients as studies.
    """
    design = ones(len(y)) if X is None else X
    blocks = Blocks.of(clusters)
    p = design.shape[1]
    if blocks.number <= p:
        raise NotEstimable("There are too few studies for errors that allow for dependence.")

    def weighted(tau2: float) -> Working:
        M = [
            (v[rows].mean(axis=1) + tau2)[:, None, None] * rows.shape[1] * np.eye(rows.shape[1])
            for _n, rows in blocks.groups
        ]
        return Working(y, design, blocks, M)

    start = weighted(0.0)
    X = start.X
    own, within, total, squares = np.zeros((p, p)), np.zeros((p, p)), 0.0, np.zeros((p, p))
    for _n, rows in blocks.groups:
        size = rows.shape[1]
        w = 1 / (size * v[rows].mean(axis=1))
        sums = X[rows].sum(axis=1)
        own += np.einsum("g,gnp,gnq->pq", w / size, X[rows], X[rows])
        within += np.einsum("g,gp,gq->pq", w / size, sums, sums)
        squares += np.einsum("g,gp,gq->pq", w**2, sums, sums)
        total += float(np.sum(w * size))
    expected = blocks.number - (1 - rho) * np.trace(start.B @ own) - rho * np.trace(start.B @ within)
    tau2 = max(0.0, float((start.q - expected) / (total - np.trace(start.B @ squares))))
    i2 = max(0.0, float(100 * (start.q - expected) / start.q)) if start.q else 0.0
    return Correlated(tau2, i2, cr2(weighted(tau2)))


@dataclass(frozen=True)
class Hierarchical:
    """Robust variance estimation with hierarchical-effects weights; variances between studies and within them."""

    tau2: float
    omega2: float
    robust: Robust


def hierarchical_effects(
    y: Array, v: Array, clusters: Sequence[object] | Blocks, *, X: Array | None = None
) -> Hierarchical:
    """Weights 1/(v + tau2 + omega2), both by moments; small-sample (CR2) errors. Hedges, Tipton & Johnson 2010,
    10.1002/jrsm.5. Raises NotEstimable with as many coefficients as studies, or with one effect in every study.

    With residuals e of the fit by 1/v, and J what shares a study, e'We and e'Je have expectations that are linear in
    tau2 and omega2: two equations; an omega2 below 0 is 0, and then a tau2 below 0.
    """
    design = ones(len(y)) if X is None else X
    blocks = Blocks.of(clusters)
    k, p = design.shape
    if blocks.number <= p:
        raise NotEstimable("There are too few studies for errors that allow for dependence.")

    def weighted(between: float) -> Working:
        M = [np.einsum("gn,nm->gnm", v[rows] + between, np.eye(rows.shape[1])) for _n, rows in blocks.groups]
        return Working(y, design, blocks, M)

    start = weighted(0.0)
    Z, B, e = start.X, start.B, start.residuals
    w, number = 1 / v, np.empty(k, dtype=np.int64)
    for numbers, rows in blocks.groups:
        number[rows] = numbers[:, None]

    def by_study(values: Array) -> Array:
        sums = np.zeros((blocks.number, *values.shape[1:]))
        np.add.at(sums, number, values)
        return sums

    x, wx, size = by_study(Z), by_study(w[:, None] * Z), by_study(np.ones(k))
    shared, weighted_shared, squares = x.T @ x, wx.T @ wx, (Z.T * w**2) @ Z
    left = np.array([start.q - (k - p), float(np.sum(by_study(e) ** 2) - (v.sum() - np.trace(B @ shared)))])
    tau2_parts = np.array(
        [
            np.sum(by_study(w)) - np.trace(B @ weighted_shared),
            np.sum(size**2) - 2 * np.trace(B @ (x.T * size) @ wx) + np.trace(B @ shared @ B @ weighted_shared),
        ]
    )
    omega2_parts = np.array(
        [
            w.sum() - np.trace(B @ squares),
            k - 2 * np.trace(B @ x.T @ wx) + np.trace(B @ shared @ B @ squares),
        ]
    )
    scale = tau2_parts[0] * omega2_parts[1] - tau2_parts[1] * omega2_parts[0]
    if abs(scale) <= 1e-10 * abs(tau2_parts[0] * omega2_parts[1]):
        raise NotEstimable("With one effect in every study nothing within studies can be told.")
    omega2 = max(0.0, float((tau2_parts[0] * left[1] - tau2_parts[1] * left[0]) / scale))
    tau2 = max(0.0, float((left[1] - omega2 * omega2_parts[1]) / tau2_parts[1]))
    return Hierarchical(tau2, omega2, cr2(weighted(tau2 + omega2)))
