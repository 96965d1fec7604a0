from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgebase.evidence.records import Interval, Result, Row, SmallStudies
from practices.ratings import (
    BEYOND,
    CONVERSION,
    CONVERSIONS,
    EEF,
    FIRST_RULE_PARAMS,
    OWN,
    Figure,
    Gain,
    RuleUnreadable,
    Step,
    StrengthRule,
    as_given,
    extra_pupils,
    gain_of,
    key_figures,
    months,
    rounded,
    strength_of,
)

TABLE = CONVERSIONS["maanden-2021"]
# The published table, typed over: months, from, to.
PUBLISHED = [
    (0, "0.00", "0.05"),
    (1, "0.06", "0.09"),
    (2, "0.10", "0.18"),
    (3, "0.19", "0.26"),
    (4, "0.27", "0.35"),
    (5, "0.36", "0.44"),
    (6, "0.45", "0.52"),
    (7, "0.53", "0.61"),
    (8, "0.62", "0.69"),
    (9, "0.70", "0.78"),
    (10, "0.79", "0.87"),
    (11, "0.88", "0.95"),
    (12, "0.96", "1.00"),
]
effects = st.decimals(min_value=-2, max_value=2, places=3, allow_nan=False)


def own(**fields):
    return SimpleNamespace(**{
        "effect": None, "ci_low": None, "ci_high": None, "strength": None, "cost": None, "studies": None,
        "conversion": CONVERSION,
    } | {name: Decimal(value) if isinstance(value, str) and name != "conversion" else value
         for name, value in fields.items()})  # fmt: skip


def theirs(**fields):
    return SimpleNamespace(**{"months": None, "strength": None, "cost": None, "studies": None} | fields)


def test_table_is_the_published_one():
    assert [(count, str(low), str(high)) for count, low, high in TABLE.rows] == PUBLISHED
    assert TABLE.highest == 12
    assert CONVERSION in CONVERSIONS


@pytest.mark.parametrize(("count", "low", "high"), PUBLISHED)
def test_both_ends_of_a_row_and_their_mirror_images(count, low, high):
    assert months(Decimal(low), TABLE) == count
    assert months(Decimal(high), TABLE) == count
    assert months(-Decimal(low), TABLE) == -count
    assert months(-Decimal(high), TABLE) == -count


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        ("0.054", 0), ("0.055", 1), ("0.094", 1), ("0.095", 2), ("0.184", 2), ("0.185", 3), ("0.186", 3),
        ("0.265", 4), ("0.355", 5), ("0.445", 6), ("0.525", 7), ("0.615", 8), ("0.695", 9), ("0.785", 10),
        ("0.875", 11), ("0.955", 12), ("1.004", 12), ("1.005", None), ("1.10", None), ("99", None),
        ("-0.055", -1), ("-0.185", -3), ("-1.004", -12), ("-1.005", None), ("0", 0), ("-0.05", 0), ("-0.0001", 0),
    ],
)  # fmt: skip
def test_gaps_of_the_table_are_closed_by_rounding_half_up_first(effect, expected):
    assert months(Decimal(effect), TABLE) == expected


@given(effects)
def test_months_round_first_mirror_and_never_fall(effect):
    found = months(effect, TABLE)
    assert found == months(rounded(effect), TABLE)
    mirrored = months(-effect, TABLE)
    assert mirrored == (None if found is None else -found)
    assert (found is None) == (abs(rounded(effect)) > 1)
    if found is not None and effect + Decimal("0.01") <= 1:
        assert months(effect + Decimal("0.01"), TABLE) in {found, found + 1}


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [("0.185", "0.01", "0.19"), ("-0.185", "0.01", "-0.19"), ("0.1849", "0.01", "0.18"), ("2.5", "1", "3")],
)
def test_rounding_is_half_up_away_from_zero(value, places, expected):
    assert str(rounded(Decimal(value), places)) == expected


@pytest.mark.parametrize(
    ("effect", "share", "extra"),
    # Improvement indices of the WWC: 0.25 -> 10, 0.48 -> 18, 1.00 -> 34; and the ends of the scale.
    [("0", 50, 0), ("0.25", 50, 10), ("0.48", 50, 18), ("1.00", 50, 34), ("-0.25", 50, -10), ("0.48", 70, 14),
     ("0.48", 1, 2), ("9", 50, 50), ("-9", 50, -50), ("9", 99, 1), ("0", 1, 0), ("0", 99, 0)],
)  # fmt: skip
def test_extra_pupils(effect, share, extra):
    assert extra_pupils(Decimal(effect), share) == extra


def test_extra_pupils_starts_at_half_unless_told():
    assert extra_pupils(Decimal("0.48")) == extra_pupils(Decimal("0.48"), 50)


@given(effects, st.integers(1, 99))
def test_extra_pupils_is_symmetric_bounded_and_of_the_sign_of_the_effect(effect, share):
    extra = extra_pupils(effect, share)
    assert extra == -extra_pupils(-effect, 100 - share)
    assert 0 <= share + extra <= 100
    assert extra * effect >= 0
    assert extra_pupils(effect + Decimal("0.1"), share) >= extra


@pytest.mark.parametrize("share", [-1, 0, 100, 101])
def test_extra_pupils_refuses_a_share_without_room(share):
    with pytest.raises(ValueError, match="1 to 99"):
        extra_pupils(Decimal("0.2"), share)


def test_own_gain_with_its_interval():
    gain = gain_of(own(effect="0.48", ci_low="0.350", ci_high="0.610"))
    assert gain == Gain(6, OWN, Decimal("0.48"), Decimal("0.350"), Decimal("0.610"), 4, 7)
    assert gain.has_interval
    assert gain.known
    assert gain.rank == 6


def test_interval_beyond_the_table_has_no_month():
    gain = gain_of(own(effect="0.90", ci_low="-1.200", ci_high="1.800"))
    assert (gain.value, gain.low, gain.high) == (11, None, None)
    assert gain.has_interval


@pytest.mark.parametrize(("effect", "rank"), [("1.2", BEYOND), ("-1.2", -BEYOND)])
def test_gain_beyond_the_table_has_no_month_but_a_rank(effect, rank):
    gain = gain_of(own(effect=effect))
    assert (gain.value, gain.origin, gain.rank) == (None, OWN, rank)
    assert Gain().rank is None


def test_a_rating_keeps_the_table_it_is_pinned_to():
    with pytest.raises(KeyError):
        gain_of(own(effect="0.48", conversion="maanden-1999"))


@pytest.mark.parametrize(
    ("rating", "verdict", "expected"),
    [
        (None, None, (None, "", None, "", None, "", None, "")),
        (own(), None, (None, "", None, "", None, "", None, "")),
        (own(effect="0.48", strength=3, cost=2, studies=435), theirs(months=8, strength=5, cost=1, studies=9),
         (6, OWN, 3, OWN, 2, OWN, 435, OWN)),
        (own(effect="0.48"), theirs(months=8, strength=5, cost=1, studies=9), (6, OWN, 5, EEF, 1, EEF, None, "")),
        (own(studies=7), theirs(months=8, strength=5, cost=1, studies=9), (8, EEF, 5, EEF, 1, EEF, 9, EEF)),
        (own(studies=7), theirs(months=8), (8, EEF, None, "", None, "", None, "")),
        (own(studies=7, strength=0), theirs(strength=5, studies=9), (None, "", 0, OWN, None, "", 7, OWN)),
        (own(), theirs(studies=9), (None, "", None, "", None, "", 9, EEF)),
        (None, theirs(months=-2, strength=0, cost=5, studies=0), (-2, EEF, 0, EEF, 5, EEF, 0, EEF)),
        (own(effect="1.2", studies=3), theirs(months=8, studies=9), (None, OWN, None, "", None, "", 3, OWN)),
    ],
)  # fmt: skip
def test_key_figures_fall_back_one_by_one_and_studies_stay_with_the_gain(rating, verdict, expected):
    figures = key_figures(rating, verdict)
    shown = (figures.gain, figures.strength, figures.cost, figures.studies)
    assert tuple(part for figure in shown for part in (figure.value, figure.origin)) == expected


def test_zero_is_known():
    assert Figure(0, OWN).known
    assert not Figure().known


def test_verdict_of_others_never_has_an_interval():
    gain = key_figures(own(), theirs(months=8)).gain
    assert not gain.has_interval
    assert (gain.effect, gain.low, gain.high) == (None, None, None)


def test_verdict_as_given_names_nobody():
    figures = as_given(theirs(months=6, strength=4, cost=1, studies=155))
    assert figures.gain == Gain(6)
    assert (figures.strength, figures.cost, figures.studies) == (Figure(4), Figure(1), Figure(155))


# -- strength

RULE = StrengthRule.read("proef", FIRST_RULE_PARAMS)


def rows(count, *, included=True, **fields):
    """Rows of as many studies, about which everything good is known unless asked otherwise."""
    known = {"year": 2010, "country": "BE", "level": "lager", "subject": "", "design": "randomised", "risk": "low"}
    values = known | {"outcome": "", "measure": "g", "effect": 0.3, "variance": 0.02} | fields
    return [Row(uid=f"{fields}{n}", study=f"{fields}{n}", label="", included=included, **values) for n in range(count)]


def result(count, *, pi=(0.1, 0.5), p=0.5, filled=(0.1, 0.4), **fields):
    checks = SmallStudies("sizes", 1.0, p, 8.0, 3, "left", 0.25, Interval(*filled)) if p is not None else None
    values = {"pi": Interval(*pi) if pi else None, "I2": 40.0, "small_studies": checks} | fields
    return Result(
        k_effects=count, k_studies=count, total_studies=count, total_effects=count, pupils=None, pupils_known=0,
        model="independent", method="REML", test="adhoc", rho=None, measure="g", **values,
    )  # fmt: skip


def steps(found):
    return {step.code: step.points for step in found.steps}


@pytest.mark.parametrize(
    ("studies", "points", "more"),
    [(0, 0, 10), (2, 0, 10), (9, 0, 10), (10, 1, 25), (24, 1, 25), (25, 2, 45), (44, 2, 45), (45, 3, 70), (69, 3, 70),
     (70, 4, 90), (89, 4, 90), (90, 5, None), (400, 5, None)],
)  # fmt: skip
def test_strength_starts_with_the_number_of_studies(studies, points, more):
    found = strength_of(rows(studies), result(studies), {"lager"}, RULE)
    assert (found.rule, found.strength, found.steps[0], found.studies_for_more) == (
        "proef",
        points,
        Step("studies", points, count=studies, of=studies),
        more,
    )
    assert found.lost == []


def test_below_the_first_step_no_threat_is_counted():
    assert steps(strength_of(rows(9, design="unknown", risk="unknown"), result(9), set(), RULE)) == {"studies": 0}


def test_weak_and_unknown_studies_count_together_and_unknown_is_said():
    mixed = [*rows(46), *rows(20, risk="high"), *rows(24, design="unknown", risk="unknown")]
    design = strength_of(mixed, result(90), {"lager"}, RULE).steps[1]
    assert design == Step("design", 0, count=44, of=90, unknown=24, limit=0.5)
    mixed = [*rows(44), *rows(22, design="observational"), *rows(24, design="unknown", risk="unknown")]
    design = strength_of(mixed, result(90), {"lager"}, RULE).steps[1]
    assert design == Step("design", -1, count=46, of=90, unknown=24, limit=0.5)
    assert design.share == pytest.approx(46 / 90)


def test_a_known_risk_makes_an_unknown_design_known():
    assert strength_of(rows(90, design="unknown"), result(90), {"lager"}, RULE).strength == 5


@pytest.mark.parametrize(("pi", "points"), [((0.01, 0.5), 0), ((0.0, 0.5), -1), ((-0.2, 0.5), -1), ((-0.5, -0.1), 0)])
def test_spread_costs_a_point_where_a_new_study_may_find_nothing(pi, points):
    found = strength_of(rows(90), result(90, pi=pi), {"lager"}, RULE)
    assert found.steps[2] == Step("spread", points, value=40.0)


def test_a_rule_may_look_at_heterogeneity_too():
    strict = StrengthRule.read(
        "i2", FIRST_RULE_PARAMS | {"spread": {"zero_in_prediction": False, "i2_above": 39, "minus": 2}}
    )
    found = strength_of(rows(90), result(90, pi=(-0.2, 0.5)), {"lager"}, strict)
    assert (found.strength, found.steps[2]) == (3, Step("spread", -2, limit=39, value=40.0))


def test_without_a_prediction_interval_spread_is_not_judged():
    found = strength_of(rows(12), result(12, pi=None), {"lager"}, RULE)
    assert (found.strength, found.steps[2]) == (1, Step("spread", 0, judged=False))


@pytest.mark.parametrize(
    ("p", "filled", "points"), [(0.04, (-0.01, 0.3), -1), (0.04, (0.01, 0.3), 0), (0.05, (-0.01, 0.3), 0)]
)
def test_asymmetry_costs_a_point_only_where_the_answer_would_change(p, filled, points):
    found = strength_of(rows(90), result(90, p=p, filled=filled), {"lager"}, RULE)
    assert found.steps[3] == Step("asymmetry", points, count=3, of=90, limit=0.05, value=p)


def test_without_checks_asymmetry_is_not_judged():
    found = strength_of(rows(90), result(90, p=None), {"lager"}, RULE)
    assert found.steps[3] == Step("asymmetry", 0, judged=False, limit=0.05)


def test_studies_at_another_level_are_indirect_and_a_broader_level_is_not():
    mixed = [*rows(44), *rows(46, level="hoger")]
    assert strength_of(mixed, result(90), {"lager"}, RULE).steps[4] == Step("indirect", -1, count=46, of=90, limit=0.5)
    narrower = rows(90, level="graad-1", levels=("graad-1", "lager"))
    assert strength_of(narrower, result(90), {"lager"}, RULE).strength == 5


@pytest.mark.parametrize(("level", "levels"), [("", {"lager"}), ("hoger", set())])
def test_where_levels_are_unknown_indirectness_is_not_judged(level, levels):
    found = strength_of(rows(90, level=level), result(90), levels, RULE)
    assert (found.strength, found.steps[4].judged, found.steps[4].points) == (5, False, 0)


def test_old_studies_cost_a_point():
    mixed = [*rows(30), *rows(50, year=1989), *rows(10, year=None)]
    assert strength_of(mixed, result(90), {"lager"}, RULE).steps[5] == Step(
        "old", -1, count=50, of=90, unknown=10, limit=0.5
    )
    assert not strength_of(rows(90, year=None), result(90), {"lager"}, RULE).steps[5].judged


def test_strength_never_falls_below_zero_and_rows_left_out_do_not_count():
    bad = rows(12, design="observational", risk="high", level="hoger", year=1950)
    found = strength_of(
        [*bad, *rows(80, included=False)], result(12, pi=(-1, 1), p=0.01, filled=(-1, 1)), {"lager"}, RULE
    )
    assert (found.strength, len(found.lost)) == (0, 5)
    assert steps(found) == {"studies": 1, "design": -1, "spread": -1, "asymmetry": -1, "indirect": -1, "old": -1}


def test_several_effects_of_a_study_count_once():
    twice = [row for row in rows(12) for _ in range(2)]
    assert strength_of(twice, result(12), {"lager"}, RULE).steps[1].of == 12


@pytest.mark.parametrize(
    ("params", "code"),
    [(None, "parts"), (FIRST_RULE_PARAMS | {"extra": {}}, "parts"),
     (FIRST_RULE_PARAMS | {"starts": {"1": 30, "2": 25, "3": 45, "4": 70, "5": 90}}, "rising"),
     (FIRST_RULE_PARAMS | {"starts": {"1": True, "2": 25, "3": 45, "4": 70, "5": 90}}, "whole"),
     (FIRST_RULE_PARAMS | {"design": {"above": 1.1, "minus": 1}}, "0 to 1"),
     (FIRST_RULE_PARAMS | {"asymmetry": {"p_below": "0.05", "minus": 1}}, "number")],
)  # fmt: skip
def test_a_rule_that_says_something_else_is_refused(params, code):
    with pytest.raises(RuleUnreadable) as refusal:
        StrengthRule.read("fout", params)
    assert refusal.value.code == code
