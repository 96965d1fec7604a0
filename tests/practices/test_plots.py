from decimal import Decimal

import pytest

from practices import plots
from practices.ratings import EEF, OWN, Gain


def own(value, low=None, high=None, effect="0.5"):
    interval = {} if low is high is None else {"ci_low": Decimal("0.1"), "ci_high": Decimal("0.9")}
    return Gain(value=value, origin=OWN, effect=Decimal(effect), low=low, high=high, **interval)


@pytest.mark.parametrize(("months", "x"), [(-4, 20), (0, 140), (1, 170), (12, 500), (-5, 20), (-12, 20), (13, 500)])
def test_position_on_the_axis_and_at_its_ends(months, x):
    assert plots.position(months) == x


def test_ticks_every_two_months_with_words_every_four():
    assert [(tick.x, tick.label) for tick in plots.ticks()] == [
        (20, "−4"), (80, ""), (140, "0"), (200, ""), (260, "+4"), (320, ""), (380, "+8"), (440, ""), (500, "+12"),
    ]  # fmt: skip
    assert [tick.x for tick in plots.ticks() if tick.is_zero] == [140]
    assert plots.WIDTH == 520


@pytest.mark.parametrize(
    ("gain", "mark"),
    [
        (Gain(), plots.Mark()),
        (Gain(value=6, origin=EEF), plots.Mark(x=320, is_open=True)),
        (Gain(value=6), plots.Mark(x=320, is_open=True)),
        (own(6), plots.Mark(x=320)),
        (own(6, 5, 7), plots.Mark(x=320, low=290, high=350)),
        (own(-2, -4, 0), plots.Mark(x=80, low=20, high=140)),
        (own(-3, -6, 0), plots.Mark(x=50, low=20, high=140, beyond_low=True)),
    ],
)
def test_mark(gain, mark):
    assert plots.mark(gain) == mark


def test_an_interval_beyond_the_table_ends_in_an_arrow():
    gain = Gain(
        value=None, origin=OWN, effect=Decimal("1.2"), ci_low=Decimal("0.8"), ci_high=Decimal("1.6"), low=10, high=None
    )
    assert plots.mark(gain) == plots.Mark(x=None, low=440, high=500, beyond_high=True)


def test_plot_places_points_by_gain_and_strength():
    plot = plots.plot([(1, own(6, 5, 7), 5, 2, "A"), (2, Gain(value=-2, origin=EEF), 0, None, "B")])
    first, second = plot.points
    shift = plots.PLOT_LEFT - plots.MARGIN
    assert (first.number, first.x, first.y, first.low, first.high, first.is_open, first.cost, first.label) == (
        1, 320 + shift, plots.strength_y(5), 290 + shift, 350 + shift, False, 2, "A",
    )  # fmt: skip
    assert (second.number, second.x, second.y, second.low, second.high, second.is_open, second.cost) == (
        2, 80 + shift, plots.strength_y(0), None, None, True, None,
    )  # fmt: skip


def test_stronger_evidence_stands_higher():
    heights = [y for _strength, y in plots.plot([]).rows]
    assert heights == sorted(heights)
    assert [strength for strength, _y in plots.plot([]).rows] == [5, 4, 3, 2, 1, 0, plots.UNKNOWN_ROW]
    assert plots.plot([]).points == []


def test_unknown_strength_has_a_row_of_its_own():
    [point] = plots.plot([(1, own(6), None, 1, "A")]).points
    assert point.y == plots.strength_y(plots.UNKNOWN_ROW)


def test_a_practice_without_a_gain_has_no_point():
    assert plots.plot([(1, Gain(), 3, 1, "A")]).points == []


def test_points_at_the_same_place_are_set_apart():
    points = plots.plot([(n, own(6), 3, 1, str(n)) for n in (1, 2, 3)]).points
    assert len({(point.x, point.y) for point in points}) == 3


def test_all_points_lie_within_the_drawing():
    plot = plots.plot([(n, own(months), strength, 1, "") for n, (months, strength) in enumerate(
        (months, strength) for months in (-12, -4, 0, 12) for strength in (0, 5, None))])  # fmt: skip
    assert all(0 < point.x < plot.width and 0 < point.y < plot.height for point in plot.points)
    assert 0 < plot.axis_y < plot.height
    assert plots.PLOT_LEFT < plot.middle < plot.width
    assert 0 < plot.centre_y < plot.axis_y
