from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practices.ratings import (
    BEYOND,
    CONVERSION,
    CONVERSIONS,
    EEF,
    OWN,
    Figure,
    Gain,
    as_given,
    extra_pupils,
    gain_of,
    key_figures,
    months,
    rounded,
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
