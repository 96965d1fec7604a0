import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from knowledgebase.evidence import checks, dependent
from knowledgebase.evidence.pooling import pool
from knowledgebase.evidence.records import METHOD_VERSION, OUTLIER_RULE, Excluded, Interval, Row, Settings, Switches
from knowledgebase.evidence.selection import result_of

from .reference import SETS, agree, clusters, effects, results, rows

CHE, THREE = Settings(model="che"), Settings(model="three-level")


def row(study, effect, variance, *, uid="", **fields):
    known = {
        "year": 2000, "country": "", "level": "", "subject": "", "design": "unknown", "risk": "unknown",
        "outcome": "", "measure": "g",
    }  # fmt: skip
    return Row(uid=uid or f"{study}-{effect}-{variance}", study=study, label=f"Studie {study}",
               effect=effect, variance=variance, **known | fields)  # fmt: skip


def labels(name):
    """The study of each row; its number where a set has one effect a study."""
    return clusters(name) if "dependent" in results(name) else [f"{n:03}" for n in range(len(rows(name)))]


def of_set(name, *, moderators=(), pupils=""):
    """The rows of a reference set."""
    found = []
    for number, (told, study) in enumerate(zip(rows(name), labels(name), strict=True)):
        values = {column: told[column] for column in moderators if told[column]}
        size = int(float(told[pupils])) if pupils and told[pupils] else None
        year = int(float(told["year"])) if told.get("year") else None
        found.append(
            row(str(study), float(told["yi"]), float(told["vi"]), uid=f"{number:05}", moderators=values, pupils=size,
                year=year)
        )  # fmt: skip
    return found


def alone(count=6):
    return [row(f"s{n}", 0.1 + 0.08 * n, 0.02 + 0.01 * (n % 3)) for n in range(count)]


# -- against the reference


def test_one_effect_a_study_is_reml_with_hartung_knapp_never_narrower():
    found = result_of(of_set("bangertdrowns2004", pupils="ni"), Settings())
    expected = results("bangertdrowns2004")["univariate"]["REML_adhoc"]
    for name in ("estimate", "se", "tau2", "I2"):
        agree(getattr(found, name), expected[name])
    agree([found.ci.low, found.ci.high], [expected["ci_lb"], expected["ci_ub"]])
    agree(found.p, expected["pval"])
    riley = expected["prediction"]["riley_t_km2"]
    agree([found.pi.low, found.pi.high], [riley["lb"], riley["ub"]])
    assert (found.model, found.method, found.test, found.rho, found.df, found.pi_df) == (
        "independent", "REML", "adhoc", None, 47.0, 46.0,
    )  # fmt: skip
    assert (found.k_effects, found.k_studies, found.total_studies, found.refusal) == (48, 48, 48, "")
    assert found.method_version == METHOD_VERSION
    agree(sum(study.weight for study in found.studies), 100.0)
    profile = results("bangertdrowns2004")["tau2_ci_qprofile"]["tau2"]
    agree([found.tau2_ci.low, found.tau2_ci.high], [profile["lb"], profile["ub"]], relative=1e-7)


@pytest.mark.parametrize("name", ["konstantopoulos2011", "crede2010", "bornmann2007"])
@pytest.mark.parametrize(("how", "key"), [(CHE, "CHE_rho0.6"), (THREE, "three_level_z")])
def test_several_effects_a_study_have_cr2_errors(name, how, key):
    found = result_of(of_set(name), how)
    expected = results(name)["dependent"][key]
    robust = expected["robust"]["clubSandwich_CR2_Satterthwaite"]
    agree([found.estimate], expected["estimate"], relative=1e-5)
    agree(found.tau2, sum(expected["sigma2"]), relative=1e-4)
    agree([found.se], robust["se"], relative=1e-5)
    agree([found.df], robust["df"], relative=1e-4)
    for place, rho in enumerate((0.2, 0.8)):
        if f"CHE_rho{rho}" in results(name)["dependent"]:
            agree(
                [found.sensitivity[place].estimate],
                results(name)["dependent"][f"CHE_rho{rho}"]["estimate"],
                relative=1e-5,
            )
    assert (found.test, found.model, found.rho) == ("CR2", how.model, 0.6 if how == CHE else 0.0)
    assert [other.rho for other in found.sensitivity] == [0.2, 0.8]
    assert found.tau2_ci is None
    assert found.pi.low < found.ci.low < found.estimate < found.ci.high < found.pi.high


@pytest.mark.parametrize("name", [name for name in SETS if name != "mccurdy2020"])
def test_deleted_residuals_are_those_of_the_diagnostics(name):
    y, v = effects(name)
    if "dependent" in results(name):
        y, v = dependent.aggregate(y, v, clusters(name))
    agree(checks.deleted_residuals(y, v).tolist(), checks.influence(y, v).rstudent.tolist(), relative=1e-9)


# -- which model


def test_the_model_follows_from_the_rows():
    several = [*alone(), row("s0", 0.3, 0.02)]
    assert result_of(alone(), CHE).model == "independent"
    assert result_of(several, Settings()).model == "che"
    assert result_of(several, THREE).model == "three-level"
    assert result_of(several, THREE, Switches(model="che")).model == "che"
    assert result_of(several, CHE, Switches(model="per-study")).model == "per-study"
    assert result_of(alone(), CHE, Switches(model="per-study")).model == "independent"


def test_per_study_pools_what_was_taken_together():
    several = [*alone(), row("s0", 0.3, 0.02)]
    found = result_of(several, CHE, Switches(model="per-study"))
    data = sorted(several, key=lambda one: (one.study, one.uid))
    y, v = dependent.aggregate(
        np.array([one.effect for one in data]), np.array([one.variance for one in data]), [one.study for one in data]
    )
    fit = pool(y, v)
    assert (found.estimate, found.ci, found.k_studies, found.k_effects) == (
        fit.estimate, Interval(fit.ci_lb, fit.ci_ub), 6, 7,
    )  # fmt: skip


# -- what is refused


@pytest.mark.parametrize(("count", "refusal"), [(0, "no-rows"), (1, "too-few-studies"), (2, "too-few-studies")])
def test_below_three_studies_nothing_is_pooled(count, refusal):
    found = result_of(alone(count), Settings())
    assert (found.refusal, found.headline_allowed) == (refusal, False)
    assert (found.estimate, found.ci, found.pi, found.tau2, found.subgroups) == (None, None, None, None, ())
    assert [study.weight for study in found.studies] == [0.0] * count


def test_three_studies_are_pooled_with_a_wide_prediction():
    found = result_of(alone(3), Settings())
    assert (found.refusal, found.df, found.pi_df, found.share_interval) == ("", 2.0, 1.0, None)


def test_many_effects_of_two_studies_are_too_few():
    several = [row(f"s{n % 2}", 0.1 * n, 0.02) for n in range(20)]
    assert result_of(several, CHE).refusal == "too-few-studies"


def test_below_four_degrees_of_freedom_there_is_no_interval():
    several = [row(f"s{n % 4}", 0.05 * n, 0.02) for n in range(12)]
    found = result_of(several, CHE)
    assert found.df < 4
    assert (found.refusal, found.ci, found.pi, found.se, found.p) == ("too-few-df", None, None, None, None)
    assert found.estimate is not None


@pytest.mark.parametrize("rho", [-0.1, 1.0])
def test_a_correlation_that_cannot_be(rho):
    assert result_of([*alone(), row("s0", 0.3, 0.02)], Settings(model="che", rho=rho)).refusal == "not-estimable"


def test_rows_that_cannot_be_used_are_named_with_their_reason():
    bad = [
        row("x1", math.nan, 0.02, uid="a"),
        row("x2", 0.1, math.inf, uid="b"),
        row("x3", 0.1, 0.0, uid="c"),
        row("x4", 0.1, 0.02, uid="d", included=False, reason="andere leeftijd"),
    ]
    found = result_of([*bad, *alone()], Settings())
    assert found.k_studies == found.total_studies == 6
    assert found.excluded == (
        Excluded("a", "x1", "Studie x1", "effect-missing"),
        Excluded("b", "x2", "Studie x2", "variance-missing"),
        Excluded("c", "x3", "Studie x3", "variance-not-positive"),
        Excluded("d", "x4", "Studie x4", "andere leeftijd", by_editor=True),
    )


def test_equal_effects_have_an_interval_that_is_not_nothing():
    found = result_of([row(f"s{n}", 0.3, 0.04) for n in range(5)], Settings())
    assert (found.tau2, found.estimate) == (0.0, pytest.approx(0.3))
    assert found.ci.high - found.ci.low > 0.3


# -- switches


def test_switches_say_what_is_left_of_what():
    some = [replace(one, year=1990 + n, country="BE" if n % 2 else "US") for n, one in enumerate(alone(8))]
    found = result_of(some, Settings(), Switches(since=1992, country="BE"))
    assert (found.k_studies, found.k_effects, found.total_studies, found.total_effects) == (3, 3, 8, 8)


def test_outliers_are_left_out_by_a_named_rule():
    far = row("ver", 5.0, 0.01, uid="ver")
    found = result_of([*alone(8), far], Settings(), Switches(without_outliers=True))
    assert found.outliers == (Excluded("ver", "ver", "Studie ver", "outlier"),)
    assert (found.outlier_rule, found.k_studies, found.total_studies) == (OUTLIER_RULE, 8, 9)
    assert replace(found, outliers=(), outlier_rule="", total_studies=8, total_effects=8) == result_of(
        alone(8), Settings()
    )
    assert result_of([*alone(8), far], Settings()).outliers == ()
    two = result_of(alone(2), Settings(), Switches(without_outliers=True))
    assert (two.outliers, two.refusal) == ((), "too-few-studies")


# -- the share of schools, groups, slopes, small studies


def test_eight_of_ten_is_said_from_ten_studies_with_real_differences():
    wide = [row(f"s{n}", 0.1 * n, 0.02) for n in range(12)]
    found = result_of(wide, Settings())
    assert found.pi.low < found.share_interval.low < found.estimate < found.share_interval.high < found.pi.high
    assert result_of(wide[:9], Settings()).share_interval is None
    same = [row(f"s{n}", 0.3, 0.02) for n in range(12)]
    assert result_of(same, Settings()).share_interval is None


def test_groups_need_three_studies_and_share_one_variance():
    some = [replace(one, moderators={"soort": "abcc"[min(n // 4, 3)]}) for n, one in enumerate(alone(13))]
    some.append(row("leeg", 0.2, 0.03))
    found = result_of(some, Settings(moderators=("soort",)))
    (groups,) = found.subgroups
    assert [(group.name, group.k_studies) for group in groups.groups] == [("a", 4), ("b", 4), ("c", 5)]
    assert (groups.unknown_studies, groups.refusal, groups.df1) == (1, "", 2.0)
    few = result_of(some[:6], Settings(moderators=("soort",))).subgroups[0]
    assert [(group.name, group.estimate is None) for group in few.groups] == [("a", False), ("b", True)]
    assert (few.refusal, few.p) == ("too-few-groups", None)


def test_groups_are_those_of_the_reference():
    found = result_of(
        of_set("konstantopoulos2011", moderators=("era",)), Settings(model="three-level", moderators=("era",))
    )
    expected = results("konstantopoulos2011")["dependent"]["three_level_subgroup_era"]["wald_HTZ"]
    (groups,) = found.subgroups
    agree(groups.statistic, expected["Fstat"], relative=1e-4)
    agree(groups.df2, expected["df_denom"], relative=1e-3)
    agree(groups.p, expected["pval"], relative=1e-3)
    late, early = groups.groups
    assert (late.name, late.ci is None, early.name, early.ci) == ("from1990", False, "to1989", None)
    assert early.df < 4


def test_numbers_with_many_values_are_a_slope():
    some = [replace(one, moderators={"duur": 2 * n}) for n, one in enumerate(alone(12))]
    found = result_of(some, Settings(moderators=("duur", "year", "weet-niet")))
    (slope,) = found.slopes
    assert (slope.moderator, slope.k_studies, slope.df) == ("duur", 12, 10.0)
    assert slope.estimate == pytest.approx(0.04, abs=1e-6)
    assert [groups.moderator for groups in found.subgroups] == ["year"]
    assert result_of(some[:9], Settings(moderators=("duur",))).slopes == ()


def test_a_switch_makes_no_groups_of_a_slope():
    some = [replace(one, year=2000 + n, moderators={"duur": 2 * n}) for n, one in enumerate(alone(12))]
    found = result_of(some, Settings(moderators=("duur",)), Switches(since=2008))
    assert (found.k_studies, found.subgroups, found.slopes) == (4, (), ())


@pytest.mark.parametrize(
    ("fields", "measure", "predictor"),
    [({"n1": 20, "n2": 30}, "g", "sizes"), ({"pupils": 60}, "g", "size"), ({}, "g", "error"), ({"pupils": 60}, "z", "error")],
)  # fmt: skip
def test_small_studies_are_noted_from_ten(fields, measure, predictor):
    some = [replace(one, **{name: value + 3 * n for name, value in fields.items()}) for n, one in enumerate(alone(12))]
    assert result_of(some, Settings(measure=measure)).small_studies.predictor == predictor
    assert result_of(some[:9], Settings(measure=measure)).small_studies is None


def test_studies_of_one_size_say_nothing_of_small_ones():
    same = [replace(one, n1=20, n2=20, variance=0.1) for one in alone(12)]
    assert result_of(same, Settings()).small_studies is None


# -- properties; the same examples every time

numbers = st.floats(-2, 2).map(lambda value: round(value, 3))
variances = st.floats(0.005, 0.5).map(lambda value: round(value, 4))
independent = st.lists(st.tuples(numbers, variances), min_size=3, max_size=14).map(
    lambda pairs: [row(f"s{n:02}", y, v, uid=f"{n:02}") for n, (y, v) in enumerate(pairs)]
)
nested = st.lists(st.tuples(st.integers(0, 5), numbers, variances), min_size=8, max_size=20).map(
    lambda triples: [row(f"s{study}", y, v, uid=f"{n:02}") for n, (study, y, v) in enumerate(triples)]
)
steady = settings(derandomize=True, max_examples=25, deadline=None)


def pooled(rows_, how=None):
    found = result_of(rows_, how or Settings())
    assume(found.refusal == "")
    return found


@steady
@given(st.one_of(independent, nested), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(some, random):
    shuffled = list(some)
    random.shuffle(shuffled)
    assert result_of(shuffled, CHE) == result_of(some, CHE)


@steady
@given(st.one_of(independent, nested))
def test_the_other_sign_mirrors_everything(some):
    one = pooled(some, CHE)
    other = result_of([replace(row, effect=-row.effect) for row in some], CHE)
    close = {"rel": 1e-6, "abs": 1e-7}
    assert other.estimate == pytest.approx(-one.estimate, **close)
    assert (other.ci.low, other.ci.high) == pytest.approx((-one.ci.high, -one.ci.low), **close)
    assert (other.pi.low, other.pi.high) == pytest.approx((-one.pi.high, -one.pi.low), **close)
    assert (other.tau2, other.I2, other.Q, other.p) == pytest.approx((one.tau2, one.I2, one.Q, one.p), **close)


@steady
@given(st.one_of(independent, nested), st.sampled_from([0.01, 0.5, 3.0, 100.0]))
def test_another_scale_changes_the_scale_only(some, factor):
    one = pooled(some, CHE)
    scaled = [replace(row, effect=factor * row.effect, variance=factor**2 * row.variance) for row in some]
    other = result_of(scaled, CHE)
    close = {"rel": 1e-6, "abs": 1e-7}
    assert other.estimate / factor == pytest.approx(one.estimate, **close)
    assert (other.ci.low / factor, other.ci.high / factor) == pytest.approx((one.ci.low, one.ci.high), **close)
    assert other.tau2 / factor**2 == pytest.approx(one.tau2, **close)
    assert (other.I2, other.Q, other.p) == pytest.approx((one.I2, one.Q, one.p), **close)


@steady
@given(independent)
def test_the_whole_set_twice_is_the_same_answer_with_more_certainty(some):
    equal = Settings(method="EE", test="z")
    once = pooled(some, equal)
    twice = result_of([*some, *(replace(row, study=f"{row.study}-2", uid=f"{row.uid}-2") for row in some)], equal)
    assert twice.estimate == pytest.approx(once.estimate, abs=1e-9)
    assert twice.se == pytest.approx(once.se / math.sqrt(2), rel=1e-9)
    assert twice.k_studies == 2 * once.k_studies


@steady
@given(independent, st.data())
def test_a_study_twice_pulls_the_mean_and_an_effect_twice_does_not_make_a_study(some, data):
    equal = Settings(method="EE", test="z")
    once, doubled = pooled(some, equal), data.draw(st.sampled_from(some))
    twice = result_of([*some, replace(doubled, study="nog-een", uid="nog-een")], equal)
    low, high = sorted((once.estimate, doubled.effect))
    assert low - 1e-9 <= twice.estimate <= high + 1e-9
    inside = result_of([*some, replace(doubled, uid="nog-een")], equal, Switches(model="per-study"))
    assert (inside.k_studies, inside.k_effects) == (once.k_studies, once.k_effects + 1)
    assert abs(inside.estimate - doubled.effect) >= abs(twice.estimate - doubled.effect) - 1e-9


@steady
@given(independent, st.data(), st.sampled_from([2.0, 10.0, 1e4]))
def test_a_less_certain_study_weighs_less(some, data, factor):
    equal = Settings(method="EE", test="z")
    chosen = data.draw(st.sampled_from(some))
    vague = [replace(row, variance=factor * row.variance) if row is chosen else row for row in some]
    before = {study.study: study.weight for study in pooled(some, equal).studies}[chosen.study]
    found = result_of(vague, equal)
    assert {study.study: study.weight for study in found.studies}[chosen.study] < before
    assert found.Q <= pooled(some, equal).Q + 1e-9


@steady
@given(independent)
def test_a_study_that_knows_nothing_counts_for_nothing(some):
    nothing = row("niets", 1.5, 1e9)
    with_it, without = result_of([*some, nothing], Settings(test="z")), pooled(some, Settings(test="z"))
    assert with_it.estimate == pytest.approx(without.estimate, abs=1e-4)
    assert with_it.tau2 == pytest.approx(without.tau2, rel=1e-3, abs=1e-5)


@steady
@given(independent)
def test_without_certainty_there_is_no_heterogeneity(some):
    vague = [replace(row, variance=1e5 * row.variance) for row in some]
    found = result_of(vague, Settings())
    assert (found.tau2, found.I2) == (0.0, 0.0)
    weights = np.array([1 / row.variance for row in some])
    mean = float(np.average([row.effect for row in some], weights=weights))
    assert found.estimate == pytest.approx(mean, abs=1e-9)


@steady
@given(st.one_of(independent, nested))
def test_the_prediction_is_never_narrower_than_the_interval(some):
    found = pooled(some, CHE)
    assert found.pi.low <= found.ci.low + 1e-12
    assert found.pi.high >= found.ci.high - 1e-12
    assert found.share_interval is None or found.pi.low <= found.share_interval.low
    assert sum(study.weight for study in found.studies) == pytest.approx(100)
