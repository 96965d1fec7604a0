"""Pool several effects of one study: working models with correlated effects, and errors that hold when they are wrong.

Notation as in pooling.py. Studies (clusters) are blocks: M_j is the working covariance of the effects of study j,
W_j its inverse, B = (sum X_j'W_j X_j)^-1. Blocks of equal size are handled together.
Checked against metafor, clubSandwich and robumeta (tests/knowledgebase/evidence).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc, ndtr, stdtr, stdtrit

from .pooling import Z_975, Array, NotEstimable, ones

Index = NDArray[np.int64]
MOST_STEPS = 200


@dataclass(frozen=True)
class Blocks:
    """Rows grouped by study: for each number of effects, the row numbers of the studies that have so many."""

    labels: tuple[object, ...]  # studies in order of first appearance
    groups: tuple[tuple[Index, Index], ...]  # (numbers of the studies, their rows: studies x effects)

    @classmethod
    def of(cls, clusters: Sequence[object]) -> Blocks:
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


def aggregate(y: Array, v: Array, clusters: Sequence[object], *, rho: float = 0.6) -> tuple[Array, Array]:
    """One effect a study: 1'V^-1 y / 1'V^-1 1, with variance 1 / 1'V^-1 1; studies in order of first appearance."""
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
    """Generalised least squares with block-diagonal covariance M (stacks by size)."""

    y: Array
    X: Array
    blocks: Blocks
    M: list[Array]

    @cached_property
    def W(self) -> list[Array]:
        return [np.linalg.inv(stack) for stack in self.M]

    @cached_property
    def XW(self) -> list[Array]:
        """X_j'W_j, stacked."""
        return [
            np.einsum("gnp,gnm->gpm", self.X[rows], W) for (_n, rows), W in zip(self.blocks.groups, self.W, strict=True)
        ]

    @cached_property
    def information(self) -> Array:
        p = self.X.shape[1]
        total = np.zeros((p, p))
        for (_n, rows), XW in zip(self.blocks.groups, self.XW, strict=True):
            total += np.einsum("gpn,gnq->pq", XW, self.X[rows])
        return total

    @cached_property
    def B(self) -> Array:
        return np.linalg.inv(self.information)

    @cached_property
    def b(self) -> Array:
        right = np.zeros(self.X.shape[1])
        for (_n, rows), XW in zip(self.blocks.groups, self.XW, strict=True):
            right += np.einsum("gpn,gn->p", XW, self.y[rows])
        return np.linalg.solve(self.information, right)

    @cached_property
    def residuals(self) -> Array:
        return self.y - self.X @ self.b

    @cached_property
    def q(self) -> float:
        return float(
            sum(
                np.einsum("gn,gnm,gm->", self.residuals[rows], W, self.residuals[rows])
                for (_n, rows), W in zip(self.blocks.groups, self.W, strict=True)
            )
        )

    @cached_property
    def trace_p(self) -> float:
        total = 0.0
        for XW, W in zip(self.XW, self.W, strict=True):
            total += float(np.einsum("gnn->", W)) - float(np.einsum("pq,gqn,gpn->", self.B, XW, XW))
        return total

    @cached_property
    def reml(self) -> float:
        k, p = self.X.shape
        log_m = sum(float(np.linalg.slogdet(stack)[1].sum()) for stack in self.M)
        return float(
            -0.5 * (k - p) * np.log(2 * np.pi)
            + 0.5 * np.linalg.slogdet(self.X.T @ self.X)[1]
            - 0.5 * log_m
            - 0.5 * np.linalg.slogdet(self.information)[1]
            - 0.5 * self.q
        )

    def times_w(self, vector: Array) -> Array:
        """W u for a vector u."""
        product = np.empty_like(vector)
        for (_n, rows), W in zip(self.blocks.groups, self.W, strict=True):
            product[rows] = np.einsum("gnm,gm->gn", W, vector[rows])
        return product

    def project(self, vector: Array) -> Array:
        """P u, with P = W - W X B X'W."""
        weighted = self.times_w(vector)
        return weighted - self.times_w(self.X @ (self.B @ (self.X.T @ weighted)))


def _sum_within(vector: Array, blocks: Blocks) -> Array:
    """J u: every entry becomes the sum over its study."""
    total = np.empty_like(vector)
    for _n, rows in blocks.groups:
        total[rows] = vector[rows].sum(axis=1, keepdims=True)
    return total


def _with_components(V: list[Array], sigma2: Array) -> list[Array]:
    return [stack + sigma2[0] + sigma2[1] * np.eye(stack.shape[1]) for stack in V]


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
    loglik: float
    QE: float
    QE_df: int
    QEp: float
    QM: float
    QMp: float
    I2_total: float
    I2_level: tuple[float, float]

    @property
    def estimate(self) -> float:
        return float(self.b[0])

    @property
    def se(self) -> float:
        return float(self.se_b[0])

    def prediction_interval(self) -> tuple[float, float]:
        """95% interval for a new effect in a new study (normal quantile)."""
        spread = Z_975 * float(np.sqrt(self.se**2 + sum(self.sigma2)))
        return self.estimate - spread, self.estimate + spread


def three_level(
    y: Array, v: Array, clusters: Sequence[object], *, X: Array | None = None, rho: float = 0.0
) -> Multilevel:
    """REML of M_j = V_j + sigma1 J + sigma2 I (Konstantopoulos 2011, 10.1002/jrsm.35).

    With rho above 0 V_j has correlated errors: the correlated and hierarchical effects model (Pustejovsky & Tipton 2022,
    10.1007/s11121-021-01246-3). Raises NotEstimable for one study only, or too few effects for the moderators.
    """
    X = ones(len(y)) if X is None else X
    blocks = Blocks.of(clusters)
    k, p = X.shape
    if blocks.number < 2 or k <= p or np.linalg.matrix_rank(X) < p:
        raise NotEstimable("There are too few studies or effects for a model with studies and effects within them.")
    V = sampling_blocks(v, blocks, rho)
    sigma2 = _fit_components(y, X, blocks, V, scale=float(np.mean(v)))
    working = Working(y, X, blocks, _with_components(V, sigma2))
    fixed = Working(y, X, blocks, V)
    se = np.sqrt(np.diag(working.B))
    tested = slice(1, None) if p > 1 else slice(0, 1)
    qm = float(working.b[tested] @ np.linalg.solve(working.B[tested, tested], working.b[tested]))
    typical = (k - p) / fixed.trace_p
    total = float(sigma2.sum())
    return Multilevel(
        working=working,
        b=working.b,
        se_b=se,
        pvalues=2 * ndtr(-np.abs(working.b / se)),
        lower=working.b - Z_975 * se,
        upper=working.b + Z_975 * se,
        sigma2=(float(sigma2[0]), float(sigma2[1])),
        loglik=working.reml,
        QE=fixed.q,
        QE_df=k - p,
        QEp=float(chdtrc(k - p, fixed.q)),
        QM=qm,
        QMp=float(chdtrc(max(1, p - 1), qm)),
        I2_total=100 * total / (total + typical),
        I2_level=(100 * float(sigma2[0]) / (total + typical), 100 * float(sigma2[1]) / (total + typical)),
    )


def _fit_components(y: Array, X: Array, blocks: Blocks, V: list[Array], *, scale: float) -> Array:
    """The variance components with the highest restricted likelihood, 0 allowed, from several starts."""
    spread = max(float(np.var(y)), scale)
    fits = [
        _climb(y, X, blocks, V, np.array(start)) for start in ((spread / 2, spread / 2), (spread, 0.0), (0.0, spread))
    ]
    best, _loglik = max(fits, key=lambda fit: fit[1])
    return best


def _climb(y: Array, X: Array, blocks: Blocks, V: list[Array], sigma2: Array) -> tuple[Array, float]:
    """Average-information steps with halving; a component that wants below 0 stays at 0."""
    fit = Working(y, X, blocks, _with_components(V, sigma2))
    for _step in range(MOST_STEPS):
        gradient, information = _score(fit)
        free = (sigma2 > 0) | (gradient > 0)
        if not free.any():
            break
        step = np.zeros(2)
        step[free] = np.linalg.lstsq(information[np.ix_(free, free)], gradient[free], rcond=None)[0]
        size, moved = 1.0, False
        while size > 1e-10:
            tried = np.maximum(0.0, sigma2 + size * step)
            other = Working(y, X, blocks, _with_components(V, tried))
            if other.reml >= fit.reml:
                moved = bool(np.any(np.abs(tried - sigma2) > 1e-13 * (sigma2.sum() + 1e-300)))
                gained = other.reml - fit.reml
                sigma2, fit = tried, other
                break
            size /= 2
        else:
            break
        if not moved or (gained < 1e-13 and size == 1.0 and np.all(np.abs(step) < 1e-9 * (sigma2.sum() + 1e-300))):
            break
    return sigma2, fit.reml


def _score(fit: Working) -> tuple[Array, Array]:
    """Gradient and average information of the restricted likelihood for (sigma1, sigma2)."""
    py = fit.project(fit.y)
    jpy = _sum_within(py, fit.blocks)
    trace = np.zeros(2)
    for XW, W in zip(fit.XW, fit.W, strict=True):
        rows = W.sum(axis=2)
        trace[0] += float(rows.sum()) - float(np.einsum("pq,gq,gp->", fit.B, XW.sum(axis=2), XW.sum(axis=2)))
        trace[1] += float(np.einsum("gnn->", W)) - float(np.einsum("pq,gqn,gpn->", fit.B, XW, XW))
    quadratic = np.array([float(py @ jpy), float(py @ py)])
    pj, pp = fit.project(jpy), fit.project(py)
    information = 0.5 * np.array([[float(jpy @ pj), float(jpy @ pp)], [float(jpy @ pp), float(py @ pp)]])
    return 0.5 * (quadratic - trace), information


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
        """HTZ test that C b = 0: F, both degrees of freedom, p. Tipton & Pustejovsky 2015, 10.3102/1076998615606099."""
        C = np.atleast_2d(constraints)
        q = C.shape[0]
        cross = _cross(self._working, self._u)
        omega = np.array([[cross(C[s], C[t]).trace() for t in range(q)] for s in range(q)])
        root = _inverse_root(omega)
        standard = root @ C
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
        f = denominator / (eta * q) * wald
        return f, float(q), denominator, float(fdtrc(q, denominator, f)) if denominator > 0 else float("nan")


def cr2(working: Working) -> Robust:
    """CR2 errors with Satterthwaite degrees of freedom. Tipton 2015, 10.1037/met0000011; Pustejovsky & Tipton 2018,
    10.1080/07350015.2016.1247004. Raises NotEstimable with as many coefficients as studies.
    """
    p = working.X.shape[1]
    if working.blocks.number <= p:
        raise NotEstimable("There are too few studies for errors that allow for dependence.")
    meat, u = np.zeros((p, p)), []
    for (_n, rows), M, XW in zip(working.blocks.groups, working.M, working.XW, strict=True):
        X = working.X[rows]
        D = np.swapaxes(np.linalg.cholesky(M), 1, 2)  # M = D'D
        G = M - np.einsum("gnp,pq,gmq->gnm", X, working.B, X)
        A = np.swapaxes(D, 1, 2) @ _inverse_root(D @ G @ np.swapaxes(D, 1, 2)) @ D
        bread = np.einsum("gpn,gnm->gpm", XW, A)  # X'W A
        score = np.einsum("gpn,gn->gp", bread, working.residuals[rows])
        meat += score.T @ score
        u.append(np.swapaxes(bread, 1, 2))  # A'W X
    vcov = working.B @ meat @ working.B
    se = np.sqrt(np.diag(vcov))
    cross = _cross(working, u)
    df = np.empty(p)
    for place in range(p):
        K = cross(np.eye(p)[place], np.eye(p)[place])
        df[place] = K.trace() ** 2 / np.sum(K**2)
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
    return np.asarray(np.einsum("...ij,...j,...kj->...ik", vectors, roots, vectors))


def _cross(working: Working, u: list[Array]) -> Callable[[Array, Array], Array]:
    """K_ij of two contrasts: g_i'M g_j with g_j = (I - H)'_.j A_j'W_j X_j B c, studies by studies."""

    def of(first: Array, second: Array) -> Array:
        B, m, p = working.B, working.blocks.number, working.X.shape[1]
        own, left, right = np.zeros(m), np.zeros((m, p)), np.zeros((m, p))
        for (numbers, rows), M, stack in zip(working.blocks.groups, working.M, u, strict=True):
            one, two = stack @ (B @ first), stack @ (B @ second)
            own[numbers] = np.einsum("gn,gnm,gm->g", one, M, two)
            X = working.X[rows]
            left[numbers], right[numbers] = np.einsum("gnp,gn->gp", X, one), np.einsum("gnp,gn->gp", X, two)
        return np.asarray(np.diag(own) - left @ B @ right.T)

    return of


def independent(y: Array, v: Array, clusters: Sequence[object], *, tau2: float, X: Array | None = None) -> Working:
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
    y: Array, v: Array, clusters: Sequence[object], *, X: Array | None = None, rho: float = 0.8
) -> Correlated:
    """Weights 1/(k_j (mean v_j + tau2)), tau2 by moments; small-sample (CR2) errors. Hedges, Tipton & Johnson 2010,
    10.1002/jrsm.5. Raises NotEstimable with as many coefficients as studies.
    """
    X = ones(len(y)) if X is None else X
    blocks = Blocks.of(clusters)
    p = X.shape[1]
    if blocks.number <= p:
        raise NotEstimable("There are too few studies for errors that allow for dependence.")

    def weighted(tau2: float) -> Working:
        M = [
            (v[rows].mean(axis=1) + tau2)[:, None, None] * rows.shape[1] * np.eye(rows.shape[1])
            for _n, rows in blocks.groups
        ]
        return Working(y, X, blocks, M)

    start = weighted(0.0)
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
