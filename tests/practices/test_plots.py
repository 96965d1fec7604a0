from decimal import Decimal

import pytest

from practices import plots
from practices.ratings import EEF, OWN, Gain


def own(value, low=None, high=None, effect="0.5"):
    interval = {} if low is high is None else {"ci_low": Decimal("0.1"), "ci_high": Decimal("0.9")}
    return Gain(value=value, origin=OWN, effect=Decimal(effect), low=low, high=high, **interval)


@pytest.mark.parametrize(("months", "x"), [(-4, 2), (0, 26), (1, 32), (12, 98), (-5, 2), (-12, 2), (13, 98)])
def test_position_on_the_axis_and_at_its_ends(months, x):
    assert plots.position(months) == x


def test_ticks_every_two_months_with_words_every_four():
    assert [(tick.x, tick.label) for tick in plots.ticks()] == [
        (2, "−4"), (14, ""), (26, "0"), (38, ""), (50, "+4"), (62, ""), (74, "+8"), (86, ""), (98, "+12"),
    ]  # fmt: skip
    assert [tick.x for tick in plots.ticks() if tick.is_zero] == [26]


@pytest.mark.parametrize(
    ("gain", "mark"),
    [
        (Gain(), plots.Mark()),
        (Gain(value=6, origin=EEF), plots.Mark(x=62, is_open=True)),
        (Gain(value=6), plots.Mark(x=62, is_open=True)),
        (own(6), plots.Mark(x=62)),
        (own(6, 5, 7), plots.Mark(x=62, low=56, high=68)),
        (own(-2, -4, 0), plots.Mark(x=14, low=2, high=26)),
        (own(-3, -6, 0), plots.Mark(x=8, low=2, high=26, beyond_low=True)),
    ],
)
def test_mark(gain, mark):
    assert plots.mark(gain) == mark


def test_an_interval_beyond_the_table_ends_in_an_arrow():
    gain = Gain(
        value=None, origin=OWN, effect=Decimal("1.2"), ci_low=Decimal("0.8"), ci_high=Decimal("1.6"), low=10, high=None
    )
    assert plots.mark(gain) == plots.Mark(x=None, low=86, high=98, beyond_high=True)


def test_plot_places_points_by_gain_and_strength_in_the_shape_of_their_cost():
    entries = [(1, own(6, 5, 7), 5, 2), (2, Gain(value=-2, origin=EEF), 0, None), (3, own(-6, -8, -5), 3, 4)]
    assert plots.plot(entries).points == [
        plots.Mark(x=62, low=56, high=68, y=8, shape="circle", number=1),
        plots.Mark(x=14, is_open=True, y=78, shape="diamond", number=2),
        plots.Mark(x=2, low=2, high=2, beyond_low=True, y=36, shape="triangle", number=3),
    ]


@pytest.mark.parametrize(
    ("cost", "shape"),
    [(None, "diamond"), (1, "circle"), (2, "circle"), (3, "square"), (4, "triangle"), (5, "triangle")],
)
def test_every_cost_has_a_shape_that_can_be_drawn(cost, shape):
    assert plots.shape_of(cost) == shape
    assert plots.Mark(shape=shape).outline.startswith("M")


def test_stronger_evidence_stands_higher():
    plot = plots.plot([])
    assert plot.rows == [(5, 8), (4, 22), (3, 36), (2, 50), (1, 64), (0, 78), (plots.UNKNOWN_ROW, 92)]
    assert plot.columns == plots.ticks()
    assert plot.points == []


def test_unknown_strength_has_a_row_of_its_own():
    [point] = plots.plot([(1, own(6), None, 1)]).points
    assert point.y == plots.strength_y(plots.UNKNOWN_ROW)


def test_a_practice_without_a_gain_has_no_point():
    assert plots.plot([(1, Gain(), 3, 1)]).points == []


def test_points_at_the_same_place_are_set_apart_by_the_width_of_a_point():
    points = plots.plot([(number, own(6), 3, 1) for number in (1, 2, 3, 4)]).points
    assert [(point.left_edge, point.top_edge) for point in points] == [
        ("-0.5em", "-0.5em"), ("-0.5em", "-1.5em"), ("-0.5em", "0.5em"), ("0.5em", "-0.5em"),
    ]  # fmt: skip


def test_all_points_lie_within_the_drawing():
    points = plots.plot(
        (1, own(months), strength, 1) for months in (-12, -4, 0, 12) for strength in (0, 5, None)
    ).points
    assert len(points) == 12
    assert all(0 < point.x < 100 and 0 < point.y < 100 for point in points)
