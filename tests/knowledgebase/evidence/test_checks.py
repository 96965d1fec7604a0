import numpy as np
import pytest

from knowledgebase.evidence import checks
from knowledgebase.evidence.pooling import NotEstimable

from .reference import CLOSED, FITTED, SETS, agree, effects, results

every_set = pytest.mark.parametrize("name", SETS)
EGGER = ("statistic", "pval", "slope", "slope_se", "limit_estimate", "limit_ci_lb", "limit_ci_ub")


@every_set
def test_egger(name):
    y, v = effects(name)
    expected = results(name)["small_study"]
    tests = {
        "egger_lm_sei": checks.egger(y, v),
        "egger_rma_REML_sei": checks.egger_random(y, v),
        "egger_rma_REML_knha_sei": checks.egger_random(y, v, test="knha"),
        "egger_rma_REML_vi": checks.egger_random(y, v, predictor=v),
    }
    for key, found in tests.items():
        for quantity in EGGER:
            tolerance = CLOSED if "lm" in key else FITTED
            agree(getattr(found, quantity), expected[key].get(quantity), relative=tolerance)


@every_set
@pytest.mark.parametrize("method", ["EE", "DL", "REML"])
def test_trim_and_fill(name, method):
    y, v = effects(name)
    expected = results(name)["small_study"].get(f"trimfill_{method}_L0")
    if expected is None or "error" in expected:
        pytest.fail("the reference has this for every set") if name != "mccurdy2020" else None
        return
    found = checks.trim_fill(y, v, method=method)
    tolerance = 1e-4 if method == "REML" else CLOSED
    assert found.k0 == expected["k0"]
    assert found.side == expected["side"]
    agree(found.se_k0, expected["se_k0"])
    for quantity in ("estimate", "se", "ci_lb", "ci_ub", "tau2", "Q", "I2"):
        agree(getattr(found.pooled, quantity), expected[quantity], relative=tolerance)


@pytest.mark.parametrize("name", [name for name in SETS if results(name).get("leave_one_out")])
def test_leave_one_out(name):
    y, v = effects(name)
    for key, expected in results(name)["leave_one_out"].items():
        method, _, test = key.partition("_")
        if method == "influence":
            continue
        found = checks.leave_one_out(y, v, method=method, test=test or "z")
        for quantity in ("estimate", "se", "ci_lb", "ci_ub", "pval", "Q", "tau2", "I2"):
            if expected.get(quantity):
                agree([getattr(fit, quantity) for fit in found], expected[quantity])


@pytest.mark.parametrize("name", [name for name in SETS if "influence_REML" in results(name).get("leave_one_out", {})])
def test_influence(name):
    y, v = effects(name)
    found = checks.influence(y, v)
    for quantity in ("rstudent", "dffits", "cook_d", "cov_r", "hat"):
        agree(
            getattr(found, quantity).tolist(), results(name)["leave_one_out"]["influence_REML"][quantity], relative=1e-6
        )


def test_leaving_out_a_study_leaves_out_all_its_effects():
    y, v = np.array([0.1, 0.3, 0.8, 0.2]), np.array([0.02, 0.02, 0.03, 0.04])
    found = checks.leave_one_out(y, v, clusters=["a", "b", "b", "c"])
    assert [fit.k for fit in found] == [3, 2, 3]
    with pytest.raises(NotEstimable, match="only one study"):
        checks.leave_one_out(y, v, clusters=["a"] * 4)


def test_too_few_or_equal_studies_are_refused():
    two = np.array([0.1, 0.2])
    for work in (checks.egger, checks.egger_random, checks.trim_fill, checks.influence):
        with pytest.raises(NotEstimable, match="three or more"):
            work(two, two)
    with pytest.raises(NotEstimable, match="different size"):
        checks.egger(np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.1, 0.1]))


def test_the_predictor_for_standardised_differences_knows_sizes_only():
    agree(checks.smd_predictor(np.array([20.0]), np.array([30.0])).tolist(), [(1 / 20 + 1 / 30) ** 0.5])
