import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from knowledgebase.evidence import analyse
from knowledgebase.evidence.pooling import NotEstimable

from .reference import FOLDER, SETS, agree, clusters, effects, results, rows

# -- every quantity of the reference files, as docs/evidence.md says to ask for it ------------------

METHODS = ("EE", "DL", "REML", "PM")
PARTS = (
    "univariate", "weights_percent", "tau2_ci_qprofile", "subgroup", "meta_regression", "small_study", "leave_one_out",
    "dependent",
)  # fmt: skip
# What docs/evidence.md says is not given, and R's own texts.
ELSEWHERE = {
    "call", "note", "warnings", "what", "V_call", "se_tau2", "deviance", "AIC", "BIC", "AICc", "sigma2_names",
    "sigma2_profile_ci", "begg_rank", "bivariate_r0.66", "robumeta_HIER_large", "robumeta_CORR_large",
    "metafor_robust_adjusted", "metafor_robust_unadjusted",
    "metafor_robust_clubSandwich", "clubSandwich_CR0_Satterthwaite", "clubSandwich_CR1_Satterthwaite",
    "clubSandwich_CR3_Satterthwaite", "clubSandwich_CR1_naive_t",
}  # fmt: skip
OTHER_METHODS = ("ML", "HE", "HS", "SJ", "EB")


def value(text):
    try:
        return float(text) if text else None
    except ValueError:
        return text


def column(name, term):
    """The values of a term of R's formula."""
    if term.startswith("log("):
        return [None if row[term[4:-1]] == "" else math.log(float(row[term[4:-1]])) for row in rows(name)]
    return [value(row[term.removeprefix("factor(").removesuffix(")")]) for row in rows(name)]


def merge(into, part):
    for key, found in part.items():
        if isinstance(found, dict) and isinstance(into.get(key), dict):
            merge(into[key], found)
        else:
            into[key] = found


def asked_as_documented(name):
    """One call for each method and test, rho, subgroup and formula that the reference file has."""
    expected, (y, v), found = results(name), effects(name), {}
    several = expected["multiple_effects_per_cluster"]
    cluster = {"clusters": [value(text) for text in clusters(name)]} if several else {}
    if name == "konstantopoulos2011":
        cluster["levels"] = [row["school"] for row in rows(name)]

    def ask(parts, **options):
        merge(found, analyse(y.tolist(), v.tolist(), parts=parts, **options))

    left_out = expected.get("leave_one_out", {})
    for key in expected["univariate"]:
        method, _, test = key.partition("_")
        if method in METHODS:
            parts = {"univariate", "weights_percent", "tau2_ci_qprofile", "small_study"}
            ask(parts | ({"leave_one_out"} if key in left_out else set()), method=method, test=test or "z")
    for rho in (0.2, 0.6, 0.8) if several else ():
        ask({"dependent"}, rho=rho, test="knha", **cluster)
    for moderator in expected["subgroup"]:
        term = f"factor({moderator})"
        for test in ("z", "knha"):
            own = f"three_level_subgroup_{moderator}" in expected.get("dependent", {})
            parts = {"subgroup"} | ({"dependent"} if own and test == "z" else set())
            ask(parts, moderators={term: column(name, term)}, test=test, **cluster)
    formulas = {tuple(key.split("|")) for key in expected["meta_regression"]}
    formulas |= {(key.split("|")[1], "REML", "z") for key in expected.get("dependent", {}) if "|" in key}
    for formula, method, test in formulas:
        own = f"three_level_metareg|{formula}" in expected.get("dependent", {}) and (method, test) == ("REML", "z")
        if method in METHODS:
            terms = {term: column(name, term) for term in formula.split(" + ")}
            parts = {"meta_regression"} | ({"dependent"} if own else set())
            ask(parts, moderators=terms, method=method, test=test, **cluster)
    return found


def tolerance(path):
    if any(part.startswith(("three_level", "CHE")) for part in path):
        return {"relative": 1e-4 if path[-1].startswith("df") else 3e-5, "absolute": 1e-7}
    if any(part.startswith("trimfill_REML") for part in path):
        return {"relative": 1e-4}
    return {"relative": 1e-5 if any("year" in part for part in path) else 1e-8}


def walk(found, expected, path, differences):
    """Every number of the reference file that is not left out above is there, under its name."""
    if isinstance(expected, dict):
        if isinstance(found, dict) and "error" not in expected:
            for key in expected.keys() - ELSEWHERE:
                if key.partition("_")[0] in OTHER_METHODS or key.endswith("_R0"):
                    continue
                if key in found:
                    walk(found[key], expected[key], (*path, key), differences)
                elif expected[key] is not None:
                    differences.append((*path, key))
        elif not isinstance(found, dict):
            differences.append(path)
    elif isinstance(expected, list):
        if len(found) != len(expected):
            differences.append(path)
        for one, other in zip(found, expected, strict=False):
            walk(one, other, path, differences)
    elif isinstance(expected, str):
        if str(found) != expected:
            differences.append((*path, found, expected))
    else:
        try:
            agree(found, expected, **tolerance(path))
        except AssertionError:
            differences.append((*path, found, expected))


def differences(name):
    expected, found = results(name), asked_as_documented(name)
    told = []
    for part in PARTS:
        if part in expected:
            walk(found[part], expected[part], (part,), told)
    return told


def is_documented(difference):
    """One study of its own has no prediction interval; metafor names the estimate in the interval of tau2 again."""
    return difference[-2] == "prediction" or difference == ("tau2_ci_qprofile", "tau2", "estimate")


@pytest.mark.parametrize("name", SETS)
def test_every_quantity_has_its_name(name):
    assert [difference for difference in differences(name) if not is_documented(difference)] == []


def test_the_documented_examples_run(monkeypatch):
    """The page is written for people who have another set: what it says of this one is so."""
    text = (Path(__file__).parents[3] / "docs" / "evidence.md").read_text()
    monkeypatch.chdir(FOLDER)
    example = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "def table" in block)
    known = {}
    exec(example, known)  # noqa: S102
    assert known["result"]["dependent"]["three_level_z"]["sigma2"] == pytest.approx([0.0650619, 0.0327365], rel=1e-5)
    for part in re.findall(r'result\["([a-z_0-9]+)"\]', example):
        assert part in known["result"]


def test_simulated_sets_by_their_short_names():
    case = results("sim")["independent"][2]
    found = analyse(case["yi"], case["vi"], moderators={"x": case["x"]}, test="knha")
    told = []
    walk(found["meta_regression"]["x|REML|knha"], case["results"]["metareg_x_REML_knha"], (), told)
    walk(found["univariate"]["REML_knha"], case["results"]["REML_knha"], (), told)
    case = results("sim")["nested"][0]
    found = analyse(case["yi"], case["vi"], clusters=case["study"], moderators={"x": case["x"]}, test="knha")
    for ours, theirs in (("three_level_z", "three_level"), ("CHE_rho0.6", "CHE_rho0.6"), ("CHE_rho0.6_x",) * 2):
        expected = dict(case["results"][theirs])
        robust = {"clubSandwich_CR2_Satterthwaite": expected.pop("CR2")}
        walk(found["dependent"][ours], expected | {"robust": robust}, (ours,), told)
    walk(found["dependent"]["aggregate_rho0.6"], case["results"]["aggregate_rho0.6"], (), told)
    assert told == []


# -- figures that others printed -------------------------------------------------------------------


def printed(found, expected, digits=4):
    assert [round(value, digits) for value in found] == pytest.approx(expected, abs=0.51 * 10**-digits)


def test_lipsey_and_wilson_2001():
    """Practical meta-analysis, exhibits 7.3 to 7.7."""
    y = [-0.33, 0.32, 0.39, 0.31, 0.17, 0.64, -0.33, 0.15, -0.02, 0.00]
    v = [0.084, 0.035, 0.017, 0.034, 0.072, 0.117, 0.102, 0.093, 0.012, 0.067]
    random, intensity = [0] * 6 + [1] * 4, [7, 3, 7, 5, 7, 7, 4, 4, 5, 6]
    equal = analyse(y, v, method="EE", test="z", moderators={"factor(random)": random})
    whole, groups = equal["univariate"]["EE"], equal["subgroup"]["random"]
    printed(
        [whole[name] for name in ("estimate", "se", "pval", "ci_lb", "Q")], [0.1549, 0.0609, 0.0109, 0.0356, 14.764]
    )
    printed([groups["per_level"][level]["EE_z"]["estimate"] for level in "01"], [0.2984, -0.0277])
    printed([groups["between_fixed_effect"]["QM"], groups["between_separate_tau2"]["Q_between"]], [7.0739, 7.0739])
    mixed = analyse(y, v, method="DL", test="z", moderators={"random": random, "intensity": intensity})
    slopes = mixed["meta_regression"]["random + intensity|DL|z"]
    printed(slopes["estimate"], [0.3311, -0.3269, -0.0068])
    printed(slopes["se"], [0.3198, 0.1439, 0.0528])
    printed([slopes["QM"], slopes["QMp"]], [5.5711, 0.0617])
    printed([mixed["univariate"]["DL"]["tau2"], slopes["tau2"], slopes["R2"] / 1000], [0.025955, 0.00488, 0.0812], 4)


def test_teacher_expectancy():
    """Raudenbush 2009 (The handbook of research synthesis), tables 16.2 and 16.3."""
    y = [0.03, 0.12, -0.14, 1.18, 0.26, -0.06, -0.02, -0.32, 0.27, 0.80, 0.54, 0.18, -0.02, 0.23, -0.18, -0.06, 0.30,
         0.07, -0.07]  # fmt: skip
    v = [0.0156, 0.0216, 0.0279, 0.1391, 0.1362, 0.0106, 0.0106, 0.0484, 0.0269, 0.0630, 0.0912, 0.0497, 0.0835, 0.0841,
         0.0253, 0.0279, 0.0193, 0.0088, 0.0303]  # fmt: skip
    weeks = [2, 3, 3, 0, 0, 3, 3, 3, 0, 1, 0, 0, 1, 2, 3, 3, 1, 2, 3]
    for key, expected in {
        "EE": [0, 0.060, 0.036, -0.011, 0.132],
        "DL": [0.026, 0.089, 0.056, -0.020, 0.199],
        "REML": [0.019, 0.084, 0.052, -0.018, 0.185],
        "REML_knha": [0.019, 0.084, 0.062, -0.046, 0.213],
    }.items():
        method, _, test = key.partition("_")
        found = analyse(y, v, method=method, test=test or "z", moderators={"weeks": weeks})
        printed([found["univariate"][key][name] for name in ("tau2", "estimate", "se", "ci_lb", "ci_ub")], expected, 3)
        if key == "REML":
            interval = found["univariate"][key]["prediction"]["default"]
            printed([interval["lb"], interval["ub"]], [-0.204, 0.371], 3)
            printed(found["meta_regression"]["weeks|REML|z"]["estimate"], [0.407, -0.157], 3)


# -- what may be given -----------------------------------------------------------------------------

Y, V = [0.1, 0.3, 0.2, 0.6, 0.4], [0.02, 0.03, 0.05, 0.04, 0.01]
STUDIES = ["a", "a", "b", "b", "c"]


KINDS = {
    "arrays": np.array,
    "tuples": tuple,
    "numbers for studies": lambda values: [{"a": 7, "b": 3.0, "c": 11}.get(value, value) for value in values],
    "texts for studies": lambda values: [{"a": "7", "b": "3.0", "c": "é"}.get(value, value) for value in values],
}


@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_any_kind(kind):
    given = KINDS[kind]
    x, words = [1, 2, 3, 5, 8], ["p", "q", "p", "q", "p"]
    plain = analyse(Y, V, clusters=STUDIES, moderators={"x": x, "words": words})
    found = analyse(given(Y), given(V), clusters=given(STUDIES), moderators={"x": given(x), "words": given(words)})
    for answer in (plain, found):
        answer.pop("leave_one_study_out")
        answer["dependent"]["aggregate_rho0.6"].pop("cluster")
    assert json.dumps(found, allow_nan=False) == json.dumps(plain, allow_nan=False)


def test_the_order_of_rows_is_nothing():
    order = [3, 0, 4, 2, 1]
    plain = analyse(Y, V, clusters=STUDIES, moderators={"factor(x)": [1, 2, 10, 2, 10]})
    moved = analyse(*([values[row] for row in order] for values in (Y, V)), clusters=[STUDIES[row] for row in order],
                    moderators={"factor(x)": [[1, 2, 10, 2, 10][row] for row in order]})  # fmt: skip
    told = []
    for part in ("univariate", "tau2_ci_qprofile", "subgroup", "meta_regression", "small_study"):
        walk(moved[part], plain[part], (part,), told)
    for key in ("three_level_z", "CHE_rho0.6", "three_level_metareg|factor(x)", "robumeta_CORR_small"):
        walk(moved["dependent"][key], plain["dependent"][key], (key,), told)
    assert told == []


def test_missing_values():
    nan = float("nan")
    found = analyse(
        [0.1, None, 0.5, 0.4, nan, "", 0.3, 0.2], ["0.02", 0.02, 0.02, 0.02, 0.02, 0.02, math.inf, 0.02],
        clusters=["a", None, "a", "b", None, None, None, "c"], moderators={"hours": [1, 2, nan, 4, 5, 6, 7, 8]},
        n1=[20, 20, None, 20, 20, 20, 20, 30], n2=[20] * 8,
    )  # fmt: skip
    assert [row["row"] for row in found["excluded"]] == [1, 4, 5, 6]
    assert found["meta_regression"]["hours|REML|adhoc"]["k"] == 3
    assert found["meta_regression"]["hours|REML|adhoc"]["left_out"] == 1
    assert found["small_study"]["egger_lm_smd"]["left_out"] == 1
    words = analyse([0.1, 0.2, 0.5, 0.4], [0.02] * 4, moderators={"level": ["a", "a", "", "b"]})
    assert words["subgroup"]["level"]["levels"] == ["a", "b"]


def test_numbers_beyond_reckoning_are_left_out():
    found = analyse([*Y, 1e200, 0.2], [*V, 0.02, 1e300], clusters=[*STUDIES, "d", "e"])
    assert [row["row"] for row in found["excluded"]] == [5, 6]
    assert found["univariate"] == analyse(Y, V)["univariate"]


def test_terms_are_named_as_in_r():
    numbers = analyse(Y, V, moderators={"factor(year)": [1999, 2005.0, 2005, 987, 987], "x": [1, 2, 3, 4, 6]})
    names = numbers["meta_regression"]["factor(year) + x|REML|adhoc"]["coef_names"]
    assert names == ["intrcpt", "factor(year)1999", "factor(year)2005", "x"]
    words = analyse(Y, V, moderators={"level": ["a", "b", "a", "b", "c"], "done": [True, False, True, True, False]})
    names = words["meta_regression"]["level + done|REML|adhoc"]["coef_names"]
    assert names == ["intrcpt", "levelb", "levelc", "doneTRUE"]
    assert words["subgroup"]["level"]["between_common_tau2_adhoc"]["coef_names"][1] == "factor(level)b"
    means = analyse(Y, V, moderators={"level": ["a", "b", "a", "b", "a"]}, intercept=False)
    found = means["meta_regression"]["level - 1|REML|adhoc"]
    assert (found["coef_names"], found["QM_df"]) == (["levela", "levelb"], [2, 3])
    assert found["estimate"] == means["subgroup"]["level"]["level_means_common_tau2_adhoc"]["estimate"]


def test_units_within_studies():
    """Schools in districts with several effects each: the restricted likelihood of the whole matrices, and its top."""
    rng = np.random.default_rng(6)
    district, school = np.repeat(np.arange(6), 5), np.tile([0, 0, 1, 1, 2], 6)
    v = rng.uniform(0.01, 0.2, 30)
    y = 0.3 + rng.normal(0, 0.7, 6)[district] + rng.normal(0, 0.3, (6, 3))[district, school] + rng.normal(0, v**0.5)
    same = district[:, None] == district
    unit = same & (school[:, None] == school)

    def likelihood(sigma2):
        M = (
            np.where(np.eye(30, dtype=bool), v, 0.5 * np.sqrt(np.outer(v, v)) * same)
            + sigma2[0] * same
            + sigma2[1] * unit
        )
        W = np.linalg.inv(M)
        mean = W.sum(axis=0) @ y / W.sum()
        left = y - mean
        return -0.5 * (29 * math.log(2 * math.pi) - math.log(30) + np.linalg.slogdet(M)[1] + math.log(W.sum())
                       + left @ W @ left), mean, W.sum() ** -0.5  # fmt: skip

    levels = [f"school {number}" for number in school]
    found = analyse(y, v, clusters=district, levels=levels, rho=0.5, parts=["dependent"])["dependent"]["CHE_rho0.5"]
    top, mean, se = likelihood(found["sigma2"])
    agree([found["fit"]["ll"], found["estimate"][0], found["se"][0]], [top, mean, se], relative=1e-9)
    assert found["sigma2_nlevels"] == [6, 18]
    assert min(found["sigma2"]) > 0
    for step in (1e-3, -1e-3):
        for place in (0, 1):
            moved = list(found["sigma2"])
            moved[place] *= 1 + step
            assert likelihood(moved)[0] < top


# -- what cannot be ---------------------------------------------------------------------------------

REFUSED = {
    "no rows": (([], []), {}, "no effect"),
    "nothing but missing values": (([None], [0.1]), {}, "no effect"),
    "a variance of zero": (([0.1, 0.2], [0, 0.1]), {}, "above zero"),
    "a variance below zero": (([0.1, 0.2], [0.1, -1]), {}, "above zero"),
    "a word for an effect": (([0.1, "much"], [0.1, 0.1]), {}, "Row 2: the effect is not a number"),
    "a word for a variance": (([0.1, 0.2], ["?", 0.1]), {}, "Row 1: the variance is not a number"),
    "fewer variances": ((Y, V[:3]), {}, "one variance for each"),
    "another method": ((Y, V), {"method": "XX"}, "Choose a method"),
    "another test": ((Y, V), {"test": "hksj"}, "Choose a method"),
    "another part": ((Y, V), {"parts": ["everything"]}, "Choose parts"),
    "rho of 1": ((Y, V), {"clusters": STUDIES, "rho": 1}, "0 or more and below 1"),
    "rho below 0": ((Y, V), {"clusters": STUDIES, "rho": -0.2}, "0 or more and below 1"),
    "rho as text": ((Y, V), {"clusters": STUDIES, "rho": "0.6"}, "0 or more and below 1"),
    "a moderator beyond reckoning": ((Y, V), {"moderators": {"x": [1, 2, 1e200, 4, 5]}}, "infinite"),
    "a variance that is nothing": ((Y, [1e-310, *V[1:]]), {}, "above zero"),
    "rho that is no number": ((Y, V), {"clusters": STUDIES, "rho": math.nan}, "0 or more and below 1"),
    "fewer clusters": ((Y, V), {"clusters": STUDIES[:3]}, "clusters has 3 values for 5 effects"),
    "more clusters": ((Y, V), {"clusters": [*STUDIES, "d"]}, "clusters has 6 values for 5 effects"),
    "fewer values of a moderator": ((Y, V), {"moderators": {"x": [1, 2]}}, "x has 2 values for 5 effects"),
    "more values of a moderator": ((Y, V), {"moderators": {"x": [1] * 6}}, "x has 6 values for 5 effects"),
    "an infinite moderator": ((Y, V), {"moderators": {"x": [1, 2, math.inf, 4, 5]}}, "infinite"),
    "an effect of no study": ((Y, V), {"clusters": ["a", None, "b", "b", "c"]}, "no value in clusters"),
    "an effect of no level": ((Y, V), {"clusters": STUDIES, "levels": [1, 2, "", 4, 5]}, "no value in levels"),
    "levels of nothing": ((Y, V), {"levels": [1, 2, 3, 4, 5]}, "Levels lie within clusters"),
    "one size": ((Y, V), {"n1": [20] * 5}, "sizes of both groups"),
    "fewer sizes": ((Y, V), {"n1": [20] * 5, "n2": [20]}, "n2 has 1 values for 5 effects"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused(case):
    given, options, message = REFUSED[case]
    with pytest.raises(NotEstimable, match=message):
        analyse(*given, **options)


def errors(answer, path=()):
    if isinstance(answer, dict):
        if "error" in answer:
            return [path]
        return [found for name, part in answer.items() for found in errors(part, (*path, name))]
    return []


SMALL = {"small_study", "leave_one_out"}
ESTIMATED = {
    "two studies": (([0.3, 0.4], [0.1, 0.2]), {"clusters": [1, 2]}, SMALL | {"dependent"}),
    "two equal studies": (([0.3, 0.3], [0.1, 0.1]), {"clusters": [1, 2]}, SMALL | {"dependent"}),
    "all effects equal": (([0.3] * 5, V), {"clusters": STUDIES}, {"small_study"}),
    "all effects zero": (([0.0] * 5, V), {"clusters": STUDIES}, {"small_study"}),
    "all studies equal": (([0.3] * 5, [0.1] * 5), {"clusters": STUDIES}, {"small_study"}),
    "each effect a study": ((Y, V), {"clusters": [1, 2, 3, 4, 5]}, {"dependent"}),
    "one study": ((Y, V), {"clusters": ["a"] * 5}, {"dependent", "leave_one_study_out"}),
    "a group of one": ((Y, V), {"moderators": {"g": ["p", "p", "p", "p", "q"]}, "clusters": STUDIES}, set()),
    "one group": ((Y, V), {"moderators": {"g": ["p"] * 5}}, {"subgroup", "meta_regression"}),
    "no group": ((Y, V), {"moderators": {"g": [None] * 5}}, {"meta_regression"}),
    "a constant": ((Y, V), {"moderators": {"x": [0.1] * 5}}, {"meta_regression"}),
    "twice the same": ((Y, V), {"moderators": {"x": [1, 2, 3, 4, 5], "z": [0.1, 0.2, 0.3, 0.4, 0.5]}},
                       {"meta_regression"}),
    "as many coefficients as studies": ((Y, V), {"moderators": {"x": [1, 2, 3, 4, 6], "z": [3, 1, 5, 2, 2]},
                                                 "clusters": STUDIES}, {"dependent"}),
    "nearly alike within a study": ((Y, V), {"clusters": STUDIES, "rho": 0.99}, set()),
    "a giant variance": ((Y, [0.02, 0.03, 1e12, 0.04, 0.01]), {"clusters": STUDIES}, set()),
    "variances far apart": ((Y, [1e-8, 1, 1e-4, 0.04, 0.01]), {"clusters": STUDIES}, set()),
    "tiny numbers": (([y * 1e-8 for y in Y], [v * 1e-16 for v in V]), {"clusters": STUDIES}, set()),
    "huge numbers": (([y * 1e6 for y in Y], [v * 1e12 for v in V]), {"clusters": STUDIES}, set()),
    "equal effects of unlike studies": (([0.3] * 5, [0.0087, 40.7, 2.384, 1.3897, 81.89]), {"method": "PM"},
                                        {"small_study"}),
    "groups of nobody": ((Y, V), {"n1": [0] * 5, "n2": [20] * 5}, {"small_study"}),
}  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("test", ["z", "knha"])
@pytest.mark.parametrize("case", ESTIMATED)
def test_what_cannot_be_estimated_says_why(case, test):
    given, options, refused = ESTIMATED[case]
    found = analyse(*given, test=test, **options)
    assert {path[0] for path in errors(found)} == refused
    assert json.loads(json.dumps(found, allow_nan=False))["k"] == len(given[0])


def test_one_study_is_shown_as_it_is():
    found = analyse([0.4, None], [0.04, 0.1], clusters=["a", "b"], n1=[20, 20], n2=[21, 21])
    assert found["excluded"] == [{"row": 1, "reason": "the effect is missing"}]
    assert found["univariate"]["REML_adhoc"]["estimate"] == pytest.approx(0.4)
    assert found["univariate"]["REML_adhoc"]["prediction"] == {"default": None, "riley_t_km2": None}
    for part in (found["tau2_ci_qprofile"], found["leave_one_out"]["REML_adhoc"], found["dependent"]["three_level_z"]):
        assert part["error"]
    assert found["small_study"]["enough"] is False
    assert found["small_study"]["egger_lm_smd"]["error"]


def test_equal_effects_have_no_scatter():
    found = analyse([0.25] * 5, V, test="knha")["univariate"]["REML_knha"]
    assert (found["se"], found["statistic"], found["pval"], found["tau2"]) == (0, "Inf", 0, 0)


def test_the_unit_of_a_moderator_is_nothing():
    rng = np.random.default_rng(8)
    study, x, group = np.repeat(np.arange(10), 3).tolist(), rng.normal(size=30), ["p", "q", "r"] * 10
    y, v = rng.normal(size=30), rng.uniform(0.01, 0.1, 30)
    plain = analyse(y, v, clusters=study, moderators={"x": x, "g": group}, parts=["meta_regression", "dependent"])
    for unit, zero in ((1e9, 0), (1e-9, 0), (10, 1990), (1, 1e6)):
        moderators = {"x": x * unit + zero, "g": group}
        means = analyse(y, v, clusters=study, moderators=moderators, intercept=False, parts=["dependent"])
        one, other = (answer["dependent"]["CHE_rho0.6_x + g" + end] for answer, end in ((plain, ""), (means, " - 1")))
        agree([other["fit"]["ll"], other["QE"]], [one["fit"]["ll"], one["QE"]], relative=1e-7)
        agree(other["se"][0] * unit, one["se"][1], relative=1e-7)
        found = analyse(y, v, clusters=study, moderators=moderators, parts=["meta_regression", "dependent"])
        one, other = (answer["meta_regression"]["x + g|REML|adhoc"] for answer in (plain, found))
        agree([other["QM"], other["estimate"][1] * unit], [one["QM"], one["estimate"][1]], relative=1e-7)
        one, other = (answer["dependent"]["CHE_rho0.6_x + g"] for answer in (plain, found))
        agree([other["QM"], other["se"][1] * unit], [one["QM"], one["se"][1]], relative=1e-7)
        agree(list(other["wald_HTZ"].values()), list(one["wald_HTZ"].values()), relative=1e-7)


def test_a_result_is_plain_json():
    text = json.dumps(
        analyse(*effects("bcg"), clusters=np.arange(13), moderators={"alloc": [r["alloc"] for r in rows("bcg")]}),
        allow_nan=False,
    )
    assert json.loads(text)["k"] == 13


def test_the_site_starts_without_numpy():
    code = "import django, sys; django.setup(); import leerpunt.urls; assert 'numpy' not in sys.modules, 'numpy'"
    subprocess.run([sys.executable, "-c", code], check=True)
