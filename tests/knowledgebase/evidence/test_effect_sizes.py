import pytest

from knowledgebase.evidence import effect_sizes as es

from .reference import agree, results

CASES = {case["id"]: case for part in ("escalc", "formulas") for case in results("escalc")[part]}


def inputs(case):
    return CASES[case]["inputs"]


def same(effect, case):
    agree([effect.value, effect.variance], [CASES[case]["yi"], CASES[case]["vi"]], relative=1e-10)


@pytest.mark.parametrize("letter", "ab")
def test_means(letter):
    given = inputs(f"smd_LS_{letter}")
    means = [given[name] for name in ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")]
    same(es.from_means(*means), f"smd_LS_{letter}")
    same(es.from_means(*means, corrected=True), f"smd_LS2_{letter}")
    glass = inputs(f"glass_{letter}")
    same(es.glass_delta(*(glass[name] for name in ("m1i", "n1i", "m2i", "sd2i", "n2i"))), f"glass_{letter}")


@pytest.mark.parametrize("letter", "ab")
def test_t_and_f(letter):
    given = inputs(f"smd_t_{letter}")
    t, n1, n2 = given["ti"], given["n1i"], given["n2i"]
    same(es.from_t(t, n1, n2), f"smd_t_{letter}")
    same(es.from_f(t**2, n1, n2, sign=1 if t > 0 else -1), f"smd_t_{letter}")
    same(es.from_d(t * (1 / n1 + 1 / n2) ** 0.5, n1, n2), f"smd_t_{letter}")


@pytest.mark.parametrize("letter", "ab")
def test_correlations(letter):
    same(es.fisher_z(inputs(f"zcor_{letter}")["ri"], inputs(f"zcor_{letter}")["ni"]), f"zcor_{letter}")


@pytest.mark.parametrize("case", ["or_a", "or_zero_a"])
def test_tables(case):
    cells = [inputs(case)[name] for name in ("ai", "bi", "ci", "di")]
    same(es.log_odds_ratio(*cells), case)
    same(es.from_table(*cells), case.replace("or_", "or2dl_"))
    same(es.from_table(*cells, normal=True), case.replace("or_", "or2dn_"))


def test_pre_and_post():
    given = inputs("smcr_a")
    # R's m1i is the later mean here: the change is m1i - m2i.
    same(es.pre_post(given["m2i"], given["m1i"], given["sd1i"], given["ni"], given["ri"]), "smcr_a")


def test_pre_and_post_with_a_control_group():
    given, expected = inputs("prepost_control_a"), CASES["prepost_control_a"]["result"]
    treated = es.Arm(given["mpreT"], given["mpostT"], given["sdpreT"], given["nT"])
    control = es.Arm(given["mpreC"], given["mpostC"], given["sdpreC"], given["nC"])
    morris = es.d_ppc2(treated, control, given["r"])
    agree([morris.value, morris.variance], [expected["d_ppc2"], expected["var_morris"]], relative=1e-10)
    becker, theirs = es.pre_post_control(treated, control, given["r"]), expected["metafor_difference_of_SMCR"]
    agree([becker.value, becker.variance], [theirs["yi"], theirs["vi"]], relative=1e-10)


def test_the_small_sample_factor():
    for case in ("J_a", "J_b"):
        agree(es.small_sample(inputs(case)["m"]), CASES[case]["result"]["exact"], relative=1e-10)


def test_point_biserial():
    expected = CASES["r_to_d_a"]["result"]
    found = es.from_r(inputs("r_to_d_a")["r"], inputs("r_to_d_a")["n"])
    agree([found.value, found.variance], [expected["g_Jexact"], expected["vg_Jexact"]], relative=1e-10)


def test_adjusted_means():
    given, expected = inputs("ancova_a"), CASES["ancova_a"]["result"]
    found = es.from_adjusted_means(
        given["madjT"], given["madjC"], given["sd_unadjusted_pooled"], given["nT"], given["nC"],
        r=given["R"], covariates=given["q_covariates"],
    )  # fmt: skip
    agree([found.value, found.variance], [expected["g"], expected["vg"]], relative=1e-10)


@pytest.mark.parametrize("case", ["cluster_a", "cluster_b", "cluster_n1"])
def test_clusters(case):
    given, expected = inputs(case), CASES[case]["result"]
    found = es.from_clusters(given["d_naive"], given["nT"], given["nC"], size=given["cluster_size_n"], icc=given["icc"])
    agree([found.value, found.variance], [expected["g_T"], expected["var_g_T"]], relative=1e-10)


def test_p_and_interval():
    given, expected = inputs("p_to_g_a"), CASES["p_to_g_a"]["result"]
    found = es.from_p(given["p"], given["n1"], given["n2"], sign=given["sign"])
    agree([found.value, found.variance], [expected["g"], expected["vg"]], relative=1e-10)
    given, expected = inputs("se_from_ci_a"), CASES["se_from_ci_a"]["result"]
    found = es.from_interval(given["est"], given["lb"], given["ub"], level=given["level"])
    agree(found.variance, expected["vi"], relative=1e-10)


REFUSED = {
    "no spread": (lambda: es.from_means(1, 0, 20, 2, 0, 20), "above zero"),
    "one person": (lambda: es.from_means(1, 1, 1, 2, 1, 20), "two people or more"),
    "F below zero": (lambda: es.from_f(-1, 20, 20, sign=1), "zero or more"),
    "F without direction": (lambda: es.from_f(4, 20, 20, sign=0), "direction"),
    "p of nothing": (lambda: es.from_p(0, 20, 20, sign=1), "between 0 and 1"),
    "perfect correlation": (lambda: es.from_r(1, 20), "between -1 and 1"),
    "three people": (lambda: es.fisher_z(0.2, 3), "Four people"),
    "nobody succeeded": (lambda: es.log_odds_ratio(0, 20, 0, 15), "says nothing"),
    "negative count": (lambda: es.log_odds_ratio(-1, 20, 3, 15), "zero or more"),
    "no spread before": (lambda: es.pre_post(1, 2, 0, 20, 0.5), "above zero"),
    "large clusters": (lambda: es.from_clusters(0.3, 10, 10, size=30, icc=0.9), "too large"),
    "interval turned round": (lambda: es.from_interval(0.3, 0.5, 0.1), "inside its interval"),
    "a level in per cent": (lambda: es.from_interval(0.3, 0.1, 0.5, level=95), "no effect"),
    "no number": (lambda: es.from_t(float("nan"), 20, 20), "no effect"),
    "no end": (lambda: es.from_means(float("inf"), 1, 20, 0, 1, 20), "no effect"),
    "no freedom": (lambda: es.small_sample(1), "Too few"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused(case):
    work, message = REFUSED[case]
    with pytest.raises(es.Impossible, match=message):
        work()
