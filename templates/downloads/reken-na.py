"""Reken na: dit script maakt van de rijen hetzelfde resultaat als de website.

Zet dit bestand naast rijen.csv (en naast resultaat.json, als je wilt vergelijken) en start het:

    python3 -m pip install numpy scipy
    python3 reken-na.py

Het gebruikt niets van de website: alle formules staan hier. Staat resultaat.json ernaast, dan vergelijkt het elk cijfer en
stopt het met een fout als er een verschilt. Met --json komt het resultaat als JSON.

@CITATION@
"""

import csv
import json
import sys
from itertools import pairwise
from math import isfinite, sqrt
from pathlib import Path

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import chdtri, fdtrc, ndtr, ndtri, stdtr, stdtrit

SETTINGS = json.loads(r"""@SETTINGS@""")
TOLERANCE = 1e-9  # relatief, en absoluut onder 1
FACETS = ("level", "subject", "design", "country", "risk", "outcome", "year")


# -- de rijen


def read(path):
    """De rijen die meetellen, op volgorde van studie en rij."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = [{name: plain(cell) for name, cell in row.items()} for row in csv.DictReader(file) if row["used"] == "1"]
    return sorted(rows, key=lambda row: (row["study"], row["row"]))


def plain(cell):
    """Zonder het apostrof dat een rekenblad belet om woorden als formule te lezen."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@") else cell


def numbers(rows, column):
    return np.array([float(row[column]) for row in rows])


def value_of(row, moderator):
    """Een kenmerk van de rij, of van de studie."""
    return row.get(f"moderator_{moderator}") or (row[moderator] if moderator in FACETS else "")


def group_of(row, moderator):
    value = value_of(row, moderator)
    if value in ("", "unknown"):
        return ""
    return f"{float(value):g}" if "." in value and value.replace(".", "").replace("-", "").isdigit() else value


def places(rows):
    """Studie -> de plaatsen van haar rijen."""
    found = {}
    for place, row in enumerate(rows):
        found.setdefault(row["study"], []).append(place)
    return {study: np.array(where) for study, where in found.items()}


# -- één effect per studie (DerSimonian & Laird 1986; Paule & Mandel 1982; Viechtbauer 2005; Hartung & Knapp 2001)


def weighted(y, v, X, tau2):
    """Gewogen kleinste kwadraten: B, b, residuen, Q en P."""
    w = 1 / (v + tau2)
    B = np.linalg.inv((X.T * w) @ X)
    b = B @ (X.T @ (w * y))
    residuals = y - X @ b
    return w, B, b, residuals, float(np.sum(w * residuals**2))


def trace_p(v, X, tau2):
    w = 1 / (v + tau2)
    B = np.linalg.inv((X.T * w) @ X)
    return float(w.sum() - np.trace(B @ ((X.T * w**2) @ X)))


def score(y, v, X, tau2):
    """De helling van de REML-aannemelijkheid in tau2."""
    w, _B, _b, residuals, _q = weighted(y, v, X, tau2)
    return 0.5 * (float(np.sum((w * residuals) ** 2)) - trace_p(v, X, tau2))


def loglik(y, v, X, tau2):
    w, B, _b, _residuals, q = weighted(y, v, X, tau2)
    return 0.5 * (np.log(w).sum() + np.linalg.slogdet(B)[1] - q)


def tau2_of(y, v, X, method):
    k, p = X.shape
    q0 = weighted(y, v, X, 0.0)[4]
    if method == "DL":
        return max(0.0, (q0 - (k - p)) / trace_p(v, X, 0.0))
    top = max(float(np.var(y)) * 2, float(np.median(v)), float(v.min()))
    if method == "PM":
        if q0 <= k - p:
            return 0.0
        while weighted(y, v, X, top)[4] > k - p:
            top *= 2
        return brentq(lambda t: weighted(y, v, X, t)[4] - (k - p), 0, top, xtol=1e-300, rtol=1e-15)
    while score(y, v, X, top) > 0:
        top *= 2
    grid = [0.0, *(top * np.logspace(-10, 0, 60))]
    found = [0.0]
    for low, high in pairwise(grid):
        if score(y, v, X, low) > 0 >= score(y, v, X, high):
            found.append(brentq(lambda t: score(y, v, X, t), low, high, xtol=1e-300, rtol=1e-15))
    best = max(found, key=lambda t: loglik(y, v, X, t))
    return 0.0 if best < 1e-12 * v.mean() else best


def pool(y, v, X=None, method="REML", test="adhoc"):
    """b, fouten, vrijheidsgraden, tau2, Q en I2; adhoc is Hartung-Knapp, nooit smaller dan z."""
    X = np.ones((len(y), 1)) if X is None else X
    k, p = X.shape
    tau2 = tau2_of(y, v, X, method)
    _w, B, b, _residuals, q = weighted(y, v, X, tau2)
    scale = q / (k - p) if test in ("adhoc", "knha") else 1.0
    B = B * (max(1.0, scale) if test == "adhoc" else scale)
    df = None if test == "z" else float(k - p)
    q0, typical = weighted(y, v, X, 0.0)[4], (k - p) / trace_p(v, X, 0.0)
    return {"b": b, "se": np.sqrt(np.diag(B)), "df": df, "tau2": tau2, "Q": q0, "Q_df": k - p,
            "I2": 100 * tau2 / (tau2 + typical)}  # fmt: skip


def quantile(tail, df):
    return float(ndtri(tail) if df is None else stdtrit(df, tail))


def p_value(statistic, df):
    return 2 * float(ndtr(-abs(statistic)) if df is None else stdtr(df, -abs(statistic)))


def around(center, spread, df, level=0.95):
    half = quantile((1 + level) / 2, df) * spread
    return {"low": center - half, "high": center + half}


def tau2_interval(y, v):
    """Q-profiel (Viechtbauer 2007)."""
    X, df = np.ones((len(y), 1)), len(y) - 1

    def bound(target):
        if weighted(y, v, X, 0.0)[4] <= target:
            return 0.0
        top = max(float(np.var(y)), float(v.max()))
        while weighted(y, v, X, top)[4] > target:
            top *= 4
        return brentq(lambda t: weighted(y, v, X, t)[4] - target, 0, top, xtol=1e-300, rtol=1e-15)

    return {"low": bound(float(chdtri(df, 0.025))), "high": bound(float(chdtri(df, 0.975)))}


# -- meer effecten per studie (Konstantopoulos 2011; Pustejovsky & Tipton 2018 en 2022; Tipton 2015)


def sampling(v, where, rho):
    """De covariantie van de fouten binnen elke studie."""
    found = {}
    for study, rows in where.items():
        sd = np.sqrt(v[rows])
        found[study] = rho * np.outer(sd, sd) * (1 - np.eye(len(rows))) + np.diag(v[rows])
    return found


def aggregate(y, v, where, rho):
    """Eén effect per studie."""
    effects, variances = [], []
    for study, V in sampling(v, where, rho).items():
        w = np.linalg.solve(V, np.ones(len(V)))
        effects.append(w @ y[where[study]] / w.sum())
        variances.append(1 / w.sum())
    return np.array(effects), np.array(variances)


class Blocks:
    """M_j = V_j + s1 + s2 I per studie, met alles wat daaruit volgt."""

    def __init__(self, y, X, V, where, s1, s2):
        self.y, self.X, self.where = y, X, where
        self.M = {study: V[study] + s1 + s2 * np.eye(len(rows)) for study, rows in where.items()}
        self.W = {study: np.linalg.inv(M) for study, M in self.M.items()}
        self.information = sum(X[rows].T @ self.W[study] @ X[rows] for study, rows in where.items())
        self.B = np.linalg.inv(self.information)
        self.b = self.B @ sum(X[rows].T @ self.W[study] @ y[rows] for study, rows in where.items())
        self.residuals = y - X @ self.b

    def times(self, u):
        """W u."""
        product = np.empty_like(u)
        for study, rows in self.where.items():
            product[rows] = self.W[study] @ u[rows]
        return product

    def q(self):
        return float(self.residuals @ self.times(self.residuals))

    def loglik(self):
        logs = sum(np.linalg.slogdet(M)[1] for M in self.M.values())
        return -0.5 * (logs + np.linalg.slogdet(self.information)[1] + self.q())

    def within(self, u):
        """J u: de som binnen de studie."""
        total = np.empty_like(u)
        for rows in self.where.values():
            total[rows] = u[rows].sum()
        return total

    def project(self, u):
        weighed = self.times(u)
        return weighed - self.times(self.X @ (self.B @ (self.X.T @ weighed)))

    def traces(self):
        """tr PJ en tr P."""
        between = within = 0.0
        for study, rows in self.where.items():
            W, X = self.W[study], self.X[rows]
            between += W.sum() - np.trace(self.B @ np.outer(X.T @ W.sum(axis=1), X.T @ W.sum(axis=1)))
            within += np.trace(W) - np.trace(self.B @ (X.T @ W @ W @ X))
        return np.array([between, within])

    def gradient(self):
        py = self.project(self.y)
        return 0.5 * (np.array([py @ self.within(py), py @ py]) - self.traces())

    def information_of_components(self):
        """De gemiddelde informatie."""
        py = self.project(self.y)
        both = np.column_stack([self.within(py), py])
        return 0.5 * both.T @ np.column_stack([self.project(both[:, 0]), self.project(both[:, 1])])


def components(y, X, v, where, rho):
    """De variantiecomponenten met de grootste REML-aannemelijkheid; nul mag."""
    V, spread = sampling(v, where, rho), max(float(np.var(y)), float(v.mean()))

    def height(s):
        blocks = Blocks(y, X, V, where, *np.maximum(0, s) * spread)
        return -blocks.loglik(), -blocks.gradient() * spread

    starts = [(a, b) for a in (0.01, 0.5) for b in (0.01, 0.5)]
    best = min((minimize(height, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * 2) for start in starts),
               key=lambda fit: fit.fun)  # fmt: skip
    s, before = np.maximum(0, best.x) * spread, float("inf")
    for _step in range(100):  # de laatste cijfers
        here = Blocks(y, X, V, where, *s)
        gradient = here.gradient()
        free = (s > 1e-12 * spread) | (gradient > 0)
        s = np.where(free, s, 0.0)
        if not free.any():
            break
        step = np.zeros(2)
        step[free] = np.linalg.lstsq(here.information_of_components()[np.ix_(free, free)], gradient[free], rcond=None)[
            0
        ]
        moved = np.maximum(0, s + step) - s
        length = float(np.abs(moved).max()) / spread
        if length < 1e-15 or (length < 1e-7 and length >= before):
            break
        s, before = s + moved, length
    return s


def inverse_root(matrix):
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    roots = np.array([1 / sqrt(value) if value > 1e-12 * np.abs(values).max() else 0.0 for value in values])
    return (vectors * roots) @ vectors.T


class Robust:
    """CR2-fouten met vrijheidsgraden van Satterthwaite, en de HTZ-toets."""

    def __init__(self, blocks):
        self.blocks, meat, self.U = blocks, 0, {}
        for study, rows in blocks.where.items():
            X, M, W = blocks.X[rows], blocks.M[study], blocks.W[study]
            D = np.linalg.cholesky(M).T
            A = D.T @ inverse_root(D @ (M - X @ blocks.B @ X.T) @ D.T) @ D
            self.U[study] = A @ W @ X
            u = self.U[study].T @ blocks.residuals[rows]
            meat = meat + np.outer(u, u)
        self.b, self.vcov = blocks.b, blocks.B @ meat @ blocks.B
        self.se = np.sqrt(np.diag(self.vcov))
        self.df = []
        for place in range(len(self.b)):
            K = self.cross(np.eye(len(self.b))[place], np.eye(len(self.b))[place])
            self.df.append(float(K.trace() ** 2 / np.sum(K**2)))

    def cross(self, first, second):
        """g_i'M g_j voor twee contrasten."""
        blocks, own, left, right = self.blocks, [], [], []
        for study, rows in blocks.where.items():
            one, two = self.U[study] @ blocks.B @ first, self.U[study] @ blocks.B @ second
            own.append(one @ blocks.M[study] @ two)
            left.append(blocks.X[rows].T @ one)
            right.append(blocks.X[rows].T @ two)
        return np.diag(own) - np.array(left) @ blocks.B @ np.array(right).T

    def joint(self, C):
        """F, beide vrijheidsgraden en p (Tipton & Pustejovsky 2015)."""
        q = len(C)
        standard = inverse_root(np.array([[self.cross(one, two).trace() for two in C] for one in C])) @ C
        K = [[self.cross(one, two) for two in standard] for one in standard]
        spread = sum(np.sum(K[s][s] * K[t][t].T) + np.sum(K[s][t] * K[s][t].T) for s in range(q) for t in range(q))
        eta = q * (q + 1) / spread
        effect = C @ self.b
        wald = float(effect @ np.linalg.solve(C @ self.vcov @ C.T, effect))
        denominator = eta - q + 1
        if not denominator > 0:
            return None
        f = denominator / (eta * q) * wald
        return {"statistic": f, "df1": float(q), "df2": float(denominator), "p": float(fdtrc(q, denominator, f))}


def dependent(y, v, where, rho, X=None):
    X = np.ones((len(y), 1)) if X is None else X
    s = components(y, X, v, where, rho)
    V = sampling(v, where, rho)
    return s, Blocks(y, X, V, where, *s), Blocks(y, X, V, where, 0.0, 0.0)


def independent(y, v, where, tau2, X):
    return Blocks(y, X, {study: np.diag(v[rows] + tau2) for study, rows in where.items()}, where, 0.0, 0.0)


# -- groepen, hellingen en kleine studies


def fit(rows, X):
    """Coëfficiënten, fouten, vrijheidsgraden en CR2 van een model met kenmerken."""
    y, v, where = numbers(rows, "effect"), numbers(rows, "variance"), places(rows)
    if SETTINGS["model"] == "independent":
        found = pool(y, v, X, SETTINGS["method"], SETTINGS["test"])
        return (
            found["b"],
            found["se"],
            [found["df"]] * len(found["b"]),
            Robust(independent(y, v, where, found["tau2"], X)),
        )
    robust = Robust(dependent(y, v, where, 0.0 if SETTINGS["model"] == "three-level" else SETTINGS["rho"], X)[1])
    return robust.b, robust.se, robust.df, robust


def interval(b, se, df):
    if SETTINGS["model"] != "independent" and df < SETTINGS["fewest_df"]:
        return None
    return around(float(b), float(se), df)


def subgroups(rows, moderator):
    names = [group_of(row, moderator) for row in rows]
    studies = {
        name: {row["study"] for row, own in zip(rows, names) if own == name} for name in sorted(set(names)) if name
    }
    groups = {name: {"name": name, "k_studies": len(members), "k_effects": names.count(name), "estimate": None,
                     "ci": None, "df": None} for name, members in studies.items()}  # fmt: skip
    levels = [name for name in groups if len(studies[name]) >= SETTINGS["fewest_studies"]]
    test = None
    if levels:
        part = [row for row, name in zip(rows, names) if name in levels]
        X = np.array([[float(group_of(row, moderator) == level) for level in levels] for row in part])
        b, se, df, robust = fit(part, X)
        for place, level in enumerate(levels):
            groups[level] |= {
                "estimate": float(b[place]),
                "ci": interval(b[place], se[place], df[place]),
                "df": df[place],
            }
        if len(levels) > 1:
            test = robust.joint(np.eye(len(levels))[1:] - np.eye(len(levels))[:1])
    return {"moderator": moderator, "groups": list(groups.values())} | (
        test or dict.fromkeys(("statistic", "df1", "df2", "p")))  # fmt: skip


def slope(rows, moderator):
    part = [row for row in rows if value_of(row, moderator)]
    x = np.array([float(value_of(row, moderator)) for row in part])
    b, se, df, _robust = fit(part, np.column_stack([np.ones(len(x)), x - x.mean()]))
    return {"moderator": moderator, "k_studies": len(places(part)), "estimate": float(b[1]), "se": float(se[1]),
            "ci": interval(b[1], se[1], df[1]), "df": df[1]}  # fmt: skip


def small_studies(rows, y, v):
    """Egger (voor verschillen met sqrt(1/n1 + 1/n2): Pustejovsky & Rodgers 2019) en trim and fill (Duval & Tweedie 2000)."""
    X = np.column_stack([np.ones(len(y)), predictor(rows, v)])
    _w, B, b, _residuals, q = weighted(y, v, X, 0.0)
    df = len(y) - 2
    statistic = b[1] / sqrt(B[1, 1] * q / df)
    side = "right" if pool(y, v, np.column_stack([np.ones(len(y)), np.sqrt(v)]), test="z")["b"][1] < 0 else "left"
    flip, k = (-1.0 if side == "right" else 1.0), len(y)
    order = np.argsort(flip * y, kind="stable")
    effects, variances = flip * y[order], v[order]
    missing, before, center = 0, -1, 0.0
    while missing != before:
        before = missing
        center = float(pool(effects[: k - missing], variances[: k - missing], test="z")["b"][0])
        distance = effects - center
        ranks = np.empty(k)
        ranks[np.argsort(np.abs(distance), kind="stable")] = np.arange(1, k + 1)
        missing = round(max(0.0, (4 * ranks[distance > 0].sum() - k * (k + 1)) / (2 * k - 1)))
    added = slice(k - missing, k) if missing else slice(0, 0)
    filled = pool(flip * np.concatenate([effects, 2 * center - effects[added]]),
                  np.concatenate([variances, variances[added]]), test=SETTINGS["test"])  # fmt: skip
    estimate = float(filled["b"][0])
    return {"egger_slope": float(b[1]), "egger_p": p_value(statistic, df), "egger_df": float(df), "missing": missing,
            "side": side, "filled_estimate": estimate,
            "filled_ci": around(estimate, float(filled["se"][0]), filled["df"])}  # fmt: skip


def predictor(rows, v):
    largest = {}
    for row in rows:
        if SETTINGS["predictor"] == "error":
            break
        total = float(row["pupils"] or 0)
        sizes = (float(row["n1"]), float(row["n2"])) if row["n1"] and row["n2"] else (total / 2, total / 2)
        largest[row["study"]] = max(largest.get(row["study"], (0.0, 0.0)), sizes, key=sum)
    return np.array([sqrt(1 / one + 1 / two) for one, two in largest.values()]) if largest else np.sqrt(v)


# -- alles samen


def result(rows):
    where = places(rows)
    found = {"k_effects": len(rows), "k_studies": len(where)}
    if not rows:
        return found
    y, v, model = numbers(rows, "effect"), numbers(rows, "variance"), SETTINGS["model"]
    one_y, one_v = (y, v) if model == "independent" else aggregate(y, v, where, SETTINGS["rho"])
    simple = model in ("independent", "per-study")
    weights = np.zeros(len(where))
    if len(where) >= SETTINGS["fewest_studies"]:
        if simple:
            fitted = pool(one_y, one_v, None, SETTINGS["method"], SETTINGS["test"])
            estimate, se, df = float(fitted["b"][0]), float(fitted["se"][0]), fitted["df"]
            found |= {"tau2": fitted["tau2"], "tau2_ci": tau2_interval(one_y, one_v), "I2": fitted["I2"],
                      "Q": fitted["Q"], "Q_df": fitted["Q_df"]}  # fmt: skip
            weights = 1 / (one_v + fitted["tau2"])
        else:
            s, blocks, start = dependent(y, v, where, 0.0 if model == "three-level" else SETTINGS["rho"])
            robust = Robust(blocks)
            estimate, se, df = float(robust.b[0]), float(robust.se[0]), robust.df[0]
            total, typical = float(s.sum()), (len(y) - 1) / start.traces()[1]
            found |= {"tau2": total, "tau2_parts": list(s), "I2": 100 * total / (total + typical), "Q": start.q(),
                      "Q_df": len(y) - 1}  # fmt: skip
            weights = np.array([blocks.W[study].sum() for study in where])
            found["sensitivity"] = []
            for rho in SETTINGS["sensitivity"]:
                other = Robust(dependent(y, v, where, rho)[1])
                ci = around(float(other.b[0]), float(other.se[0]), other.df[0])
                found["sensitivity"].append({"rho": rho, "estimate": float(other.b[0]),
                                             "ci": ci if other.df[0] >= SETTINGS["fewest_df"] else None})  # fmt: skip
        weights = 100 * weights / weights.sum()
        found |= {"estimate": estimate, "df": df}
        if simple or df >= SETTINGS["fewest_df"]:
            pi_df = float(len(where) - 2) if simple else df
            spread = sqrt(se**2 + found["tau2"])
            share = len(where) >= SETTINGS["fewest_for_share"] and found["tau2"] > 0
            found |= {"se": se, "statistic": estimate / se if se else None, "p": p_value(estimate / se, df) if se else None,
                      "ci": around(estimate, se, df), "pi": around(estimate, spread, pi_df), "pi_df": pi_df,
                      "share_interval": around(estimate, spread, pi_df, 0.8) if share else None}  # fmt: skip
        found["subgroups"] = [subgroups(rows, moderator) for moderator in SETTINGS["groups"]]
        found["slopes"] = [slope(rows, moderator) for moderator in SETTINGS["slopes"]]
        if SETTINGS["predictor"]:
            found["small_studies"] = small_studies(rows, one_y, one_v)
    found["studies"] = [
        {"study": study, "estimate": float(effect), "se": sqrt(variance), "weight": float(weight),
         "ci": around(float(effect), sqrt(variance), None)}
        for study, effect, variance, weight in zip(where, one_y, one_v, weights)
    ]  # fmt: skip
    return found


def differences(mine, theirs, place=""):
    """Waar een cijfer verschilt van dat van de website."""
    if isinstance(mine, dict):
        for name, value in mine.items():
            yield from differences(value, theirs.get(name) if isinstance(theirs, dict) else None, f"{place}{name} ")
    elif isinstance(mine, (list, tuple)):
        if not isinstance(theirs, list) or len(theirs) != len(mine):
            yield f"{place}: een andere lijst"
        else:
            for number, (one, other) in enumerate(zip(mine, theirs)):
                yield from differences(one, other, f"{place}{number + 1} ")
    elif isinstance(mine, float) and isinstance(theirs, (int, float)) and isfinite(mine):
        if abs(mine - theirs) > TOLERANCE * max(1.0, abs(theirs)):
            yield f"{place}: {mine!r}, op de website {theirs!r}"
    elif mine != theirs:
        yield f"{place}: {mine!r}, op de website {theirs!r}"


def told(value):
    return "onbekend" if value is None else f"{value:.3f}".replace(".", ",")


def main():
    here = Path(__file__).resolve().parent
    found = result(read(here / "rijen.csv"))
    if "--json" in sys.argv:
        print(json.dumps(found, indent=1))
    else:
        print(
            f"{found['k_studies']} studies, {found['k_effects']} effecten ({SETTINGS['measure']}, {SETTINGS['model']})"
        )
        for name, label in (
            ("estimate", "gemiddelde"),
            ("tau2", "variantie tussen studies"),
            ("I2", "I2 (%)"),
            ("p", "p"),
        ):
            print(f"{label}: {told(found.get(name))}")
        for name, label in (("ci", "interval van 95%"), ("pi", "voorspelling van 95%")):
            ends = found.get(name)
            print(f"{label}: {told(ends['low'])} tot {told(ends['high'])}" if ends else f"{label}: onbekend")
    if (here / "resultaat.json").exists():
        theirs = json.loads((here / "resultaat.json").read_text(encoding="utf-8"))["result"]
        wrong = list(differences(found, theirs))
        print("\n".join(wrong) if wrong else "Alle cijfers zijn gelijk aan die van de website (tot op 1e-9).",
              file=sys.stderr if "--json" in sys.argv else sys.stdout)  # fmt: skip
        sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
