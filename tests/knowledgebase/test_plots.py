from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from knowledgebase import plots
from knowledgebase.plots import Axis, Drawn, Entry, Tick

numbers = st.floats(min_value=-1e6, max_value=1e6)


@pytest.mark.parametrize(
    ("value", "words"), [(12.5, "12.5"), (2.0, "2"), (33.3333, "33.33"), (0.001, "0"), (100, "100")]
)
def test_a_place_is_written_as_svg_reads_it(value, words):
    assert plots.place(value) == words


@pytest.mark.parametrize(
    ("points", "ends", "axis"),
    [
        ([], [], Axis(-1, 1, 0.5)),
        ([0], [], Axis(-1, 1, 0.5)),
        ([0], [-0.2, 0.4], Axis(-0.4, 0.4, 0.1)),
        ([0.65, -0.75, 1.5], [-2, 9], Axis(-2, 3.1875, 1)),  # the intervals are cut off
        ([0.2, 0.8], [0.1, 1.0], Axis(0, 1.0, 0.2)),
        ([0.09], [-0.53, 0.71], Axis(-0.53, 0.71, 0.2)),  # a study alone is drawn whole
        ([1e6, -1e6], [], Axis(-1e6, 1e6, 5e5)),
        ([float("nan"), 1, float("inf")], [float("-inf")], Axis(0, 1, 0.2)),
    ],
)
def test_an_axis_holds_zero_and_every_point_but_not_every_end(points, ends, axis):
    assert plots.axis(points, ends) == axis


def test_where_numbers_stand_on_an_axis_and_beyond_it():
    line = Axis(-1, 1, 0.5)
    assert [line.x(value) for value in (-1, 0, 0.25, 1, -9, 9)] == ["2", "50", "62", "98", "2", "98"]
    assert line.ticks == [
        Tick("2", -1, 1), Tick("26", -0.5, 1), Tick("50", 0, 1, True), Tick("74", 0.5, 1), Tick("98", 1, 1),
    ]  # fmt: skip


def test_small_numbers_get_as_many_decimals_as_they_need():
    assert [(tick.value, tick.places) for tick in plots.axis([0.03]).ticks] == [
        (0, 3), (0.005, 3), (0.01, 3), (0.015, 3), (0.02, 3), (0.025, 3), (0.03, 3),
    ]  # fmt: skip


@example([], [5e-324])
@given(st.lists(numbers, max_size=20), st.lists(numbers, max_size=20))
def test_every_axis_can_be_drawn(points, ends):
    line = plots.axis(points, ends)
    assert line.low <= 0 <= line.high
    assert line.low < line.high
    assert all(line.low <= point <= line.high for point in points)
    places = [float(tick.x) for tick in line.ticks]
    assert 1 <= len(places) <= plots.MOST_TICKS + 1
    assert sum(tick.is_zero for tick in line.ticks) == 1
    assert all(first < second for first, second in pairwise(places))
    assert all(plots.MARGIN <= x <= 100 - plots.MARGIN for x in places)


def test_rows_stand_below_each_other_on_one_axis():
    drawn = plots.rows(
        [
            Entry("Jansen 2020", 0.5, 0.1, 0.9, "0,50", "(0,10 tot 0,90)", share=1),
            Entry("Peeters 2021", 0.2, -3, 40, "0,20", share=0.25),
            Entry("Onbekend"),
            Entry("Gemiddelde", 0.4, 0.2, 0.6, kind="average"),
        ],
        average=0.4,
    )
    assert drawn.rows == [
        Drawn("Jansen 2020", "study", "12.5", "0,50", "(0,10 tot 0,90)", "69.2", "0.55", "38.48", "98", False, True),
        Drawn("Peeters 2021", "study", "37.5", "0,20", "", "46.16", "0.28", "2", "98", True, True),
        Drawn("Onbekend", "study", "62.5"),
        Drawn("Gemiddelde", "average", "87.5", "", "", "61.52", "0.4", "46.16", "76.88"),
    ]
    assert (drawn.height, drawn.average) == ("7", "61.52")
    assert [(tick.x, round(tick.value, 1)) for tick in drawn.ticks] == [
        ("15.44", -0.2), ("30.8", 0), ("46.16", 0.2), ("61.52", 0.4), ("76.88", 0.6), ("92.24", 0.8),
    ]  # fmt: skip


def test_one_study_and_none():
    [one] = plots.rows([Entry("Jansen 2020", 0.5, 0.1, 0.9)]).rows
    assert (one.y, one.x, one.low, one.high) == ("50", "55.33", "12.67", "98")
    none = plots.rows([])
    assert (none.rows, none.height, none.average) == ([], "1.75", "")


def test_what_is_no_number_is_not_drawn():
    nan, inf = float("nan"), float("inf")
    first, second = plots.rows([Entry("a", nan, 0.1, 0.2), Entry("b", 0.1, -inf, inf)], average=nan).rows
    assert (first.x, second.low, second.high) == ("", "", "")
    assert second.x == "50"


@pytest.mark.parametrize(
    ("share", "radius"), [(None, "0.4"), (1, "0.55"), (0.25, "0.28"), (0, "0.2"), (-1, "0.2"), (7, "0.55")]
)
def test_the_surface_of_a_point_is_its_weight(share, radius):
    assert plots.radius(share) == radius


def test_many_studies_take_their_place_in_order():
    drawn = plots.rows([Entry(str(number), number / 1000, -90, 90) for number in range(1653)])
    assert drawn.height == "2892.75"
    places = [float(row.y) for row in drawn.rows]
    assert places == sorted(places)
    assert places[-1] < 100
    assert all(row.beyond_low and row.beyond_high for row in drawn.rows)


def test_a_funnel_stands_on_its_widest_error():
    drawn = plots.funnel([(0.1, 0.2), (0.3, 0.1), (0.1, 0.2)], average=0.2)
    assert drawn.points == [("37.75", "98"), ("62.25", "50")]
    assert (drawn.average, drawn.left, drawn.right) == ("50", "2", "98")
    assert [tick.x for tick in drawn.columns] == ["13.26", "25.51", "37.75", "50", "62.25", "74.49", "86.74"]
    assert [(tick.x, round(tick.value, 2)) for tick in drawn.rows] == [
        ("2", 0), ("26", 0.05), ("50", 0.1), ("74", 0.15), ("98", 0.2)
    ]  # fmt: skip


def test_a_funnel_without_an_average_or_without_studies():
    alone = plots.funnel([(0.1, 0.2)])
    assert (alone.points, alone.average, alone.left, alone.right) == ([("98", "98")], "", "", "")
    assert plots.funnel([]).points == []
    assert plots.funnel([(float("nan"), 0.1), (0.1, float("inf"))]).points == []


def test_a_funnel_of_many_studies_draws_each_spot_once():
    spots = plots.funnel([(number % 50 / 100, number % 10 / 10) for number in range(1653)], average=0.2).points
    assert len(spots) == 50
