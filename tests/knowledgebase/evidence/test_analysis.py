import json
import subprocess
import sys

import pytest

from knowledgebase.evidence import analyse
from knowledgebase.evidence.pooling import NotEstimable

from .reference import SETS, agree, clusters, effects, results, rows


def analysis(name, **options):
    y, v = effects(name)
    return analyse(y.tolist(), v.tolist(), **options)


@pytest.mark.parametrize("name", [name for name in SETS if name != "mccurdy2020"])
def test_names_are_those_of_the_reference(name):
    expected = results(name)
    found = analysis(name, test="knha")
    for quantity in ("estimate", "se", "pval", "ci_lb", "ci_ub", "tau2", "I2", "H2", "Q", "Qp"):
        agree(found["univariate"][quantity], expected["univariate"]["REML_knha"][quantity])
    agree(found["univariate"]["prediction"]["riley_t_km2"]["lb"],
          expected["univariate"]["REML_knha"]["prediction"]["riley_t_km2"]["lb"])  # fmt: skip
    agree(found["tau2_ci_qprofile"]["ub"], expected["tau2_ci_qprofile"]["tau2"]["ub"])
    agree(found["small_study"]["egger_lm_sei"]["statistic"], expected["small_study"]["egger_lm_sei"]["statistic"])
    agree(found["leave_one_out"]["estimate"], expected["leave_one_out"]["REML_knha"]["estimate"])


def test_several_effects_a_study():
    expected = results("konstantopoulos2011")["dependent"]
    found = analysis("konstantopoulos2011", clusters=clusters("konstantopoulos2011"))["dependent"]
    agree(found["three_level"]["estimate"], expected["three_level_z"]["estimate"], relative=1e-5)
    agree(found["CHE_rho0.6"]["sigma2"], expected["CHE_rho0.6"]["sigma2"], relative=1e-4)
    agree(found["CHE_rho0.6"]["robust"]["df"],
          expected["CHE_rho0.6"]["robust"]["clubSandwich_CR2_Satterthwaite"]["df"], relative=1e-4)  # fmt: skip
    agree(found["robumeta_CORR_small"]["tau2"], expected["robumeta_CORR_small"]["tau2"])
    agree(found["aggregate_rho0.6"]["yi"], expected["aggregate_rho0.6"]["yi"])
    left_out = analysis("konstantopoulos2011", clusters=clusters("konstantopoulos2011"))["leave_one_out"]
    assert left_out["without"] == list(dict.fromkeys(clusters("konstantopoulos2011")))


def test_subgroups_and_moderators():
    name = "konstantopoulos2011"
    era = [row["era"] for row in rows(name)]
    expected = results(name)["subgroup"]["era"]
    found = analysis(name, clusters=clusters(name), moderators={"era": era}, test="z")
    agree(found["subgroup"]["era"]["between_separate_tau2"]["Q_between"],
          expected["between_separate_tau2"]["Q_between"])  # fmt: skip
    common = found["subgroup"]["era"]["between_common_tau2"]
    agree(common["estimate"], expected["between_common_tau2_z"]["estimate"])
    agree(common["QM"], expected["between_common_tau2_z"]["QM"])
    three_level = results(name)["dependent"]["three_level_subgroup_era"]
    agree(found["dependent"]["three_level|era"]["robust"]["wald_HTZ"]["df_denom"],
          three_level["wald_HTZ"]["df_denom"], relative=1e-4)  # fmt: skip
    assert found["dependent"]["three_level|era"]["coef_names"] == three_level["coef_names"]
    year = analysis(name, moderators={"year_c": [float(row["year_c"]) for row in rows(name)]}, test="z")
    agree(year["meta_regression"]["year_c"]["estimate"], results(name)["meta_regression"]["year_c|REML|z"]["estimate"])


def test_rows_without_a_moderator_are_left_out_and_counted():
    found = analyse([0.1, 0.2, 0.5, 0.4, 0.3], [0.02] * 5, moderators={"hours": [1.0, 2.0, None, 4.0, 5.0]})
    assert found["meta_regression"]["hours"]["left_out"] == 1
    words = analyse([0.1, 0.2, 0.5, 0.4], [0.02] * 4, moderators={"level": ["a", "a", "", "b"]})
    assert words["subgroup"]["level"]["levels"] == ["a", "b"]


def test_what_cannot_be_estimated_says_why():
    found = analyse([0.4, None], [0.04, 0.1], clusters=["a", "b"], n1=[20, 20], n2=[21, 21])
    assert found["excluded"] == [{"row": 1, "reason": "the effect is missing"}]
    assert found["univariate"]["estimate"] == pytest.approx(0.4)
    assert found["univariate"]["prediction"] == {"default": None, "riley_t_km2": None}
    for part in (found["tau2_ci_qprofile"], found["leave_one_out"], found["dependent"]["three_level"]):
        assert part["error"]
    assert found["small_study"]["enough"] is False
    assert found["small_study"]["egger_lm_smd"]["error"]
    with pytest.raises(NotEstimable):
        analyse([0.1], [-1])


def test_a_result_is_plain_json():
    text = json.dumps(
        analysis("bcg", clusters=list(range(13)), moderators={"alloc": [r["alloc"] for r in rows("bcg")]})
    )
    assert json.loads(text)["k"] == 13


def test_the_site_starts_without_numpy():
    code = "import django, sys; django.setup(); import leerpunt.urls; assert 'numpy' not in sys.modules, 'numpy'"
    subprocess.run([sys.executable, "-c", code], check=True)
