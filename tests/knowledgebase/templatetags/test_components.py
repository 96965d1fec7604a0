import pytest

from knowledgebase.templatetags.components import decimals, tied


@pytest.mark.parametrize(
    ("value", "places", "words"), [(0.25, 2, "0,25"), (-0.5, 1, "−0,5"), (3.0, 0, "3"), (0.30000000000000004, 1, "0,3")]
)
def test_numbers_along_an_axis_have_the_decimals_of_its_step(value, places, words):
    assert decimals(value, places) == words


def test_no_line_breaks_at_an_equals_sign():
    assert tied("De winst is 3 maanden (g = 0,24).") == (
        "De winst is 3 maanden (g\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0,24)."
    )
