import numpy as np
import pytest

from knowledgebase.evidence import dependent
from knowledgebase.evidence.pooling import NotEstimable, pool

from .reference import CLOSED, SETS, agree, clusters, columns, effects, results

NESTED = [name for name in SETS if "dependent" in results(name)]
every_set = pytest.mark.parametrize("name", NESTED)
LOOSE = 1e-5  # R's own optimiser keeps no more


def robust_as(found, expected, relative=1e-8):
    agree(found.b.tolist(), expected["estimate"], relative=relative)
    agree(found.se.tolist(), expected["se"], relative=relative)
    agree(found.df.tolist(), expected["df"], relative=10 * relative)


def fit_as(found, expected, v):
    agree(found.loglik, expected["fit"]["ll"], relative=0, absolute=1e-7)
    agree(found.b.tolist(), expected["estimate"], relative=LOOSE)
    agree(found.se_b.tolist(), expected["se"], relative=LOOSE)
    total = sum(expected["sigma2"])
    size = total if total > 1e-9 else float(np.mean(v)) / 100
    agree(list(found.sigma2), expected["sigma2"], relative=0, absolute=LOOSE * size)
    agree(found.QE, expected["QE"])
    agree(found.QM, expected["QM"], relative=3 * LOOSE)
    if expected.get("prediction"):
        interval = [expected["prediction"]["lb"], expected["prediction"]["ub"]]
        agree(list(found.prediction_interval()), interval, relative=10 * LOOSE)
    if expected.get("I2"):
        agree(found.I2_total, expected["I2"]["I2_total"], relative=10 * LOOSE, absolute=1e-6)


@every_set
def test_aggregate(name):
    y, v = effects(name)
    expected = results(name)["dependent"]["aggregate_rho0.6"]
    places = {label: place for place, label in enumerate(dict.fromkeys(clusters(name)))}
    order = [places[str(label)] for label in expected["cluster"]]
    found_y, found_v = dependent.aggregate(y, v, clusters(name), rho=0.6)
    agree(found_y[order].tolist(), expected["yi"], relative=CLOSED)
    agree(found_v[order].tolist(), expected["vi"], relative=CLOSED)
    pooled = pool(found_y, found_v, method="REML", test="knha")
    agree(pooled.estimate, expected["REML_knha"]["estimate"])
    agree(pooled.ci_lb, expected["REML_knha"]["ci_lb"])


@every_set
def test_robust_errors_around_a_plain_mean(name):
    y, v = effects(name)
    tau2 = pool(y, v, method="REML", test="z").tau2
    found = dependent.cr2(dependent.independent(y, v, clusters(name), tau2=tau2))
    robust_as(found, results(name)["dependent"]["univariate_REML_robust"]["clubSandwich_CR2_Satterthwaite"])


@every_set
def test_three_level_and_che(name):
    y, v = effects(name)
    compared = 0
    for key, expected in results(name)["dependent"].items():
        if key == "three_level_z" or key.startswith("CHE_rho"):
            rho = float(key.removeprefix("CHE_rho")) if key.startswith("CHE") else 0.0
            found = dependent.three_level(y, v, clusters(name), rho=rho)
            fit_as(found, expected, v)
            if "robust" in expected:
                robust_as(dependent.cr2(found.working), expected["robust"]["clubSandwich_CR2_Satterthwaite"], LOOSE)
            compared += 1
    assert compared >= 1


@every_set
def test_moderators_with_robust_joint_test(name):
    y, v = effects(name)
    compared = 0
    for key, expected in results(name)["dependent"].items():
        if not key.startswith(("three_level_subgroup", "three_level_metareg")):
            continue
        X, keep = columns(name, expected["coef_names"])
        study = [label for label, whole in zip(clusters(name), keep, strict=True) if whole]
        found = dependent.three_level(y[keep], v[keep], study, X=X)
        fit_as(found, expected, v[keep])
        robust = dependent.cr2(found.working)
        robust_as(robust, expected["robust"]["clubSandwich_CR2_Satterthwaite"], LOOSE)
        if "Fstat" in expected.get("wald_HTZ", {}):
            f, _q, df, p = robust.joint(np.eye(X.shape[1])[1:])
            agree(f, expected["wald_HTZ"]["Fstat"], relative=1e-4)
            agree(df, expected["wald_HTZ"]["df_denom"], relative=1e-4)
            agree(p, expected["wald_HTZ"]["pval"], relative=1e-3)
        compared += 1
    assert compared >= 1


@every_set
def test_correlated_effects(name):
    y, v = effects(name)
    expected = results(name)["dependent"]["robumeta_CORR_small"]
    found = dependent.correlated_effects(y, v, clusters(name), rho=0.8)
    agree(found.tau2, expected["tau2"], relative=CLOSED)
    agree(found.I2, expected["I2"], relative=CLOSED)
    robust_as(found.robust, expected)


@every_set
def test_hierarchical_effects(name):
    y, v = effects(name)
    expected = results(name)["dependent"]["robumeta_HIER_small"]
    found = dependent.hierarchical_effects(y, v, clusters(name))
    agree([found.tau2, found.omega2], [expected["tau2"], expected["omega2"]], relative=CLOSED)
    robust_as(found.robust, expected)


def test_hierarchical_effects_with_a_moderator():
    """The moments of the whole matrices."""
    rng = np.random.default_rng(4)
    study, v = rng.integers(0, 8, 30), rng.uniform(0.01, 0.3, 30)
    X = np.column_stack([np.ones(30), rng.normal(size=30)])
    y = rng.normal(0, 0.4, 8)[study] + rng.normal(0, 0.4, 30) + rng.normal(0, v**0.5)
    W, J = np.diag(1 / v), np.equal.outer(study, study).astype(float)
    R = np.eye(30) - X @ np.linalg.inv(X.T @ W @ X) @ X.T @ W
    forms = [R.T @ form @ R for form in (W, J)]
    expected = np.linalg.solve(
        [[np.trace(form @ J), np.trace(form)] for form in forms],
        [y @ form @ y - np.trace(form @ np.diag(v)) for form in forms],
    )
    assert (expected > 0).all()
    found = dependent.hierarchical_effects(y, v, study.tolist(), X=X)
    agree([found.tau2, found.omega2], expected.tolist(), relative=1e-9)


@pytest.mark.parametrize("number", range(len(results("sim")["nested"])))
def test_simulated(number):
    case = results("sim")["nested"][number]
    y, v, study = np.array(case["yi"]), np.array(case["vi"]), case["study"]
    for key, rho, X in (
        ("three_level", 0.0, None),
        ("CHE_rho0.6", 0.6, None),
        ("CHE_rho0.6_x", 0.6, np.column_stack([np.ones(len(y)), case["x"]])),
    ):
        found = dependent.three_level(y, v, study, X=X, rho=rho)
        fit_as(found, case["results"][key], v)
        robust_as(dependent.cr2(found.working), case["results"][key]["CR2"], LOOSE)
    correlated = dependent.correlated_effects(y, v, study, rho=0.8)
    agree(correlated.tau2, case["results"]["robumeta_CORR_small"]["tau2"], relative=CLOSED)


def test_too_few_studies_are_refused():
    y, v = np.array([0.1, 0.2, 0.4]), np.array([0.02, 0.02, 0.03])
    with pytest.raises(NotEstimable):
        dependent.three_level(y, v, ["a", "a", "a"])
    with pytest.raises(NotEstimable):
        dependent.cr2(dependent.independent(y, v, ["a", "a", "a"], tau2=0.0))


def test_a_group_of_one_study_has_no_error():
    """Its residual is nothing: a robust error of zero would be a lie."""
    y, v = np.array([0.1, 0.3, 0.2, 0.6, 0.4, 0.1]), np.array([0.02, 0.03, 0.05, 0.04, 0.01, 0.02])
    X = np.column_stack([[1.0, 0, 0, 0, 0, 0], [0, 1.0, 1, 1, 1, 1]])
    found = dependent.cr2(dependent.independent(y, v, ["a", "b", "b", "c", "d", "e"], tau2=0.01, X=X))
    assert np.isnan([found.se[0], found.df[0], found.pvalues[0], found.lower[0]]).all()
    assert found.se[1] > 0
    assert np.isnan(found.joint(np.eye(2))[0])


def test_no_more_than_everything_is_heterogeneity():
    rng = np.random.default_rng(2)
    study, x = rng.integers(0, 8, 15), rng.normal(size=(15, 6))
    v = np.where(np.arange(15) < 7, 1e-9, rng.uniform(1, 9, 15))
    X = np.column_stack([np.ones(15), x])
    found = dependent.three_level(rng.normal(size=15), v, study.tolist(), X=X, rho=0.6)
    assert 0 <= found.I2_total <= 100


def test_one_effect_a_study_is_the_plain_model():
    y, v = effects("bangertdrowns2004")
    found = dependent.three_level(y, v, list(range(len(y))))
    plain = pool(y, v, method="REML", test="z")
    agree(sum(found.sigma2), plain.tau2, relative=1e-6)
    agree(found.estimate, plain.estimate, relative=1e-6)
