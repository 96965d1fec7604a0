"""From what a paper reports to a standardised mean difference (Hedges' g, positive = intervention better) and its variance.

Every function takes plain numbers, returns an `Effect` that names its formula, and raises Impossible when the numbers
cannot be what they are said to be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import gammaln, ndtri, stdtrit


class Impossible(ValueError):
    """The reported statistics contradict themselves; the message says how."""


@dataclass(frozen=True)
class Effect:
    """An effect with its sampling variance and the name of the conversion. Raises Impossible when either is no number."""

    value: float
    variance: float
    formula: str

    def __post_init__(self) -> None:
        _check(
            math.isfinite(self.value) and math.isfinite(self.variance) and self.variance > 0,
            "These numbers give no effect with a variance above zero.",
        )


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise Impossible(message)


def small_sample(m: float) -> float:
    """J(m), exact. Hedges 1981, 10.3102/10769986006002107; m > 1 degrees of freedom."""
    _check(m > 1, "Too few people for a standardised difference.")
    return float(math.exp(gammaln(m / 2) - gammaln((m - 1) / 2)) / math.sqrt(m / 2))


def small_sample_approximate(m: float) -> float:
    """1 - 3/(4m - 1), which the papers of the designs with covariates and with clusters use."""
    _check(m > 1, "Too few people for a standardised difference.")
    return 1 - 3 / (4 * m - 1)


def _groups(n1: float, n2: float) -> None:
    _check(n1 >= 2 and n2 >= 2, "A group has two people or more.")


def _g(d: float, n1: float, n2: float, formula: str) -> Effect:
    g = small_sample(n1 + n2 - 2) * d
    return Effect(g, 1 / n1 + 1 / n2 + g**2 / (2 * (n1 + n2)), formula)


def from_means(
    m1: float, sd1: float, n1: float, m2: float, sd2: float, n2: float, *, corrected: bool = False
) -> Effect:
    """Means, standard deviations and sizes of two groups; variance as metafor's LS, `corrected` by J² as its LS2."""
    _groups(n1, n2)
    _check(sd1 >= 0 and sd2 >= 0 and sd1 + sd2 > 0, "A standard deviation is above zero.")
    pooled = math.sqrt(((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (n1 + n2 - 2))
    d = (m1 - m2) / pooled
    if corrected:
        j = small_sample(n1 + n2 - 2)
        return Effect(j * d, j**2 * (1 / n1 + 1 / n2 + d**2 / (2 * (n1 + n2))), "means, LS2")
    return _g(d, n1, n2, "means")


def from_d(d: float, n1: float, n2: float) -> Effect:
    """An uncorrected d of two independent groups."""
    _groups(n1, n2)
    return _g(d, n1, n2, "d")


def from_t(t: float, n1: float, n2: float) -> Effect:
    """t of independent groups without covariates: d = t sqrt(1/n1 + 1/n2)."""
    _groups(n1, n2)
    return _g(t * math.sqrt(1 / n1 + 1 / n2), n1, n2, "t")


def from_f(f: float, n1: float, n2: float, *, sign: int) -> Effect:
    """F(1, df) of two groups; the paper's text gives the sign (1 or -1)."""
    _check(f >= 0, "F is zero or more.")
    _check(sign in (1, -1), "Say in which direction the difference goes.")
    effect = from_t(sign * math.sqrt(f), n1, n2)
    return Effect(effect.value, effect.variance, "F")


def from_p(p: float, n1: float, n2: float, *, sign: int) -> Effect:
    """An exact two-sided p of a t test of two groups; "p < .05" is not exact."""
    _check(0 < p <= 1, "p lies between 0 and 1.")
    _check(sign in (1, -1), "Say in which direction the difference goes.")
    effect = from_t(sign * float(stdtrit(n1 + n2 - 2, 1 - p / 2)), n1, n2)
    return Effect(effect.value, effect.variance, "p")


def glass_delta(m1: float, n1: float, m2: float, sd2: float, n2: float) -> Effect:
    """Standardised by the control group's standard deviation."""
    _groups(n1, n2)
    _check(sd2 > 0, "A standard deviation is above zero.")
    g = small_sample(n2 - 1) * (m1 - m2) / sd2
    return Effect(g, 1 / n1 + 1 / n2 + g**2 / (2 * n2), "Glass")


def fisher_z(r: float, n: float) -> Effect:
    """A correlation as Fisher's z, variance 1/(n - 3)."""
    _check(-1 < r < 1, "A correlation lies between -1 and 1.")
    _check(n > 3, "Four people or more.")
    return Effect(math.atanh(r), 1 / (n - 3), "Fisher z")


def from_r(r: float, n: float) -> Effect:
    """A point-biserial correlation of equal groups as g. Borenstein et al. 2009, chapter 7."""
    _check(-1 < r < 1, "A correlation lies between -1 and 1.")
    _check(n > 3, "Four people or more.")
    j, d = small_sample(n - 2), 2 * r / math.sqrt(1 - r**2)
    variance = 4 * ((1 - r**2) ** 2 / (n - 1)) / (1 - r**2) ** 3
    return Effect(j * d, j**2 * variance, "r")


def log_odds_ratio(a: float, b: float, c: float, d: float) -> Effect:
    """Successes and failures with (a, b) and without (c, d) the intervention; one zero cell adds a half to all."""
    cells = (a, b, c, d)
    _check(all(cell >= 0 for cell in cells), "A count is zero or more.")
    _check(a + b > 0 and c + d > 0, "Both groups have people.")
    _check(a + c > 0 and b + d > 0, "Nobody, or everybody, succeeded: this table says nothing about a difference.")
    if 0 in cells:
        a, b, c, d = (cell + 0.5 for cell in cells)
    return Effect(math.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d, "log odds ratio")


def from_table(a: float, b: float, c: float, d: float, *, normal: bool = False) -> Effect:
    """A 2x2 table as a standardised difference: log odds ratio times sqrt(3)/pi (logistic), or over 1.65 (normal)."""
    effect = log_odds_ratio(a, b, c, d)
    factor = 1 / 1.65 if normal else math.sqrt(3) / math.pi
    return Effect(effect.value * factor, effect.variance * factor**2, "2x2, normal" if normal else "2x2")


def pre_post(pre: float, post: float, sd_pre: float, n: float, r: float) -> Effect:
    """Change in one group over the standard deviation before (SMCR); not comparable with two groups."""
    _check(sd_pre > 0, "A standard deviation is above zero.")
    _check(-1 < r < 1, "A correlation lies between -1 and 1.")
    g = small_sample(n - 1) * (post - pre) / sd_pre
    return Effect(g, 2 * (1 - r) / n + g**2 / (2 * n), "pre-post")


@dataclass(frozen=True)
class Arm:
    """One group before and after."""

    pre: float
    post: float
    sd_pre: float
    n: float


def pre_post_control(treated: Arm, control: Arm, r: float) -> Effect:
    """Difference of two standardised changes (Becker 1988): each arm as `pre_post`, subtracted."""
    one = pre_post(treated.pre, treated.post, treated.sd_pre, treated.n, r)
    other = pre_post(control.pre, control.post, control.sd_pre, control.n, r)
    return Effect(one.value - other.value, one.variance + other.variance, "pre-post with control")


def d_ppc2(treated: Arm, control: Arm, r: float) -> Effect:
    """Change against change over the pooled standard deviation before. Morris 2008, 10.1177/1094428106291059, eq. 8, 25."""
    n1, n2 = treated.n, control.n
    _groups(n1, n2)
    _check(n1 + n2 > 4, "Five people or more.")
    _check(-1 < r < 1, "A correlation lies between -1 and 1.")
    df, share = n1 + n2 - 2, (n1 + n2) / (n1 * n2)
    pooled = math.sqrt(((n1 - 1) * treated.sd_pre**2 + (n2 - 1) * control.sd_pre**2) / df)
    _check(pooled > 0, "A standard deviation is above zero.")
    correction = small_sample_approximate(df)
    d = correction * ((treated.post - treated.pre) - (control.post - control.pre)) / pooled
    noise = 2 * (1 - r) * share
    return Effect(d, correction**2 * noise * df / (df - 2) * (1 + d**2 / noise) - d**2, "d_ppc2")


def from_adjusted_means(m1: float, m2: float, sd: float, n1: float, n2: float, *, r: float, covariates: int) -> Effect:
    """Adjusted means over the unadjusted pooled standard deviation. Borenstein 2009, Handbook, chapter 12."""
    _groups(n1, n2)
    _check(sd > 0, "A standard deviation is above zero.")
    _check(-1 < r < 1, "A correlation lies between -1 and 1.")
    df = n1 + n2 - 2 - covariates
    j, d = small_sample_approximate(df), (m1 - m2) / sd
    return Effect(j * d, j**2 * ((1 / n1 + 1 / n2) * (1 - r**2) + d**2 / (2 * df)), "adjusted means")


def from_clusters(d: float, n1: float, n2: float, *, size: float, icc: float) -> Effect:
    """Whole classes or schools assigned, pupils analysed. Hedges 2007, 10.3102/1076998606298043, eq. 15-16."""
    _groups(n1, n2)
    _check(size >= 1, "A cluster has one pupil or more.")
    _check(0 <= icc < 1, "An intraclass correlation lies from 0 to 1.")
    total = n1 + n2
    rest = total - 2 - 2 * (size - 1) * icc
    _check(rest > 0, "The clusters are too large for so few pupils.")
    bracket = (
        (total - 2) * (1 - icc) ** 2 + size * (total - 2 * size) * icc**2 + 2 * (total - 2 * size) * icc * (1 - icc)
    )
    shrunk = d * math.sqrt(1 - 2 * (size - 1) * icc / (total - 2))
    variance = total / (n1 * n2) * (1 + (size - 1) * icc) + shrunk**2 * bracket / (2 * (total - 2) * rest)
    j = small_sample_approximate(rest**2 / bracket)
    return Effect(j * shrunk, j**2 * variance, "clusters")


def from_interval(estimate: float, lower: float, upper: float, *, level: float = 0.95) -> Effect:
    """An estimate with its interval: se = width / 2z."""
    _check(lower < upper and lower <= estimate <= upper, "An estimate lies inside its interval.")
    se = (upper - lower) / (2 * float(ndtri(0.5 + level / 2)))
    return Effect(estimate, se**2, "interval")
