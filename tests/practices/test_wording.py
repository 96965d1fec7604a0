from decimal import Decimal

import pytest
from django.utils import translation

from practices import wording
from practices.ratings import EEF, OWN, Figure, Gain, KeyFigures

OWN_GAIN = Gain(6, OWN, Decimal("0.48"), Decimal("0.35"), Decimal("0.61"), 4, 7)


@pytest.fixture(autouse=True)
def _english():
    """The words of the code; the Dutch ones are the catalogue's."""
    with translation.override("en"):
        yield


@pytest.mark.parametrize(("count", "words"), [(6, "+6"), (0, "0"), (-2, "−2")])
def test_signed(count, words):
    assert wording.signed(count) == words


@pytest.mark.parametrize(
    ("count", "words", "headline"),
    [
        (6, "6 months", "+6 months"),
        (1, "1 month", "+1 month"),
        (0, "0 months", "0 months"),
        (-1, "minus 1 month", "−1 month"),
        (-2, "minus 2 months", "−2 months"),
    ],
)
def test_months(count, words, headline):
    assert wording.months(count) == words
    assert wording.signed_months(count) == headline


@pytest.mark.parametrize(
    ("value", "words"),
    [("0.48", "0,48"), ("0.485", "0,49"), ("-0.2", "−0,20"), ("-0.004", "0,00"), ("1", "1,00"), ("0", "0,00")],
)
def test_decimal_has_a_comma_and_no_minus_before_zero(value, words):
    assert wording.decimal(Decimal(value)) == words


@pytest.mark.parametrize(("count", "words"), [(1, "1 study"), (435, "435 studies"), (48478, "48.478 studies")])
def test_studies(count, words):
    assert wording.studies(count) == words


@pytest.mark.parametrize(
    ("low", "high", "ci_low", "ci_high", "short", "sentence"),
    [
        (4, 7, "0.35", "0.61", "+4 to +7", "4 to 7 months"),
        (-1, 2, "-0.07", "0.12", "−1 to +2", "−1 to +2 months"),
        (0, 2, "0.01", "0.12", "0 to +2", "0 to 2 months"),
        (10, None, "0.80", "1.30", "+10 to more than +12", "10 to more than 12 months"),
        (None, -1, "-1.30", "-0.06", "less than −12 to −1", "less than −12 to −1 months"),
    ],
)
def test_interval(low, high, ci_low, ci_high, short, sentence):
    gain = Gain(1, OWN, Decimal("0.06"), Decimal(ci_low), Decimal(ci_high), low, high)
    assert wording.interval(gain) == short
    assert wording.interval_in_words(gain) == sentence


def test_interval_of_none_is_unknown_in_a_sentence():
    assert wording.interval(Gain(6, EEF)) == ""
    assert wording.interval_in_words(Gain(6, EEF)) == "unknown"


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (Gain(), "unknown"),
        (Gain(6, OWN, Decimal("0.48")), "6 months"),
        (Gain(None, OWN, Decimal("1.20")), "more than 12 months"),
        (Gain(None, OWN, Decimal("-1.20")), "less than minus 12 months"),
    ],
)
def test_gain_in_a_sentence_also_beyond_the_table(gain, words):
    assert wording.gained(gain) == words


def test_tokens_of_our_own_figures():
    figures = KeyFigures(OWN_GAIN, Figure(3, OWN), Figure(1, OWN), Figure(435, OWN))
    assert wording.tokens(figures) == {
        "winst": "6 months",
        "winst-woorden": "six months",
        "winst-teken": "+6",
        "interval": "4 to 7 months",
        "interval-teken": "+4 to +7",
        "effect": "0,48",
        "sterkte": "3 out of 5",
        "sterkte-woorden": "three out of five",
        "kost": "1 out of 5",
        "kost-woorden": "one out of five",
        "studies": "435 studies",
        "studies-aantal": "435",
    }


def test_tokens_of_others_say_whose_they_are():
    figures = KeyFigures(Gain(8, EEF), Figure(0, EEF), Figure(1, EEF), Figure(9, EEF))
    assert wording.tokens(figures) == {
        "winst": "8 months (according to the EEF)",
        "winst-woorden": "eight months (according to the EEF)",
        "winst-teken": "+8 (according to the EEF)",
        "interval": "unknown",
        "interval-teken": "unknown",
        "effect": "unknown",
        "sterkte": "0 out of 5 (according to the EEF)",
        "sterkte-woorden": "zero out of five (according to the EEF)",
        "kost": "1 out of 5 (according to the EEF)",
        "kost-woorden": "one out of five (according to the EEF)",
        "studies": "9 studies (according to the EEF)",
        "studies-aantal": "9 (according to the EEF)",
    }


def test_tokens_say_unknown_and_carry_their_context():
    figures = KeyFigures(Gain(), Figure(), Figure(), Figure())
    assert wording.tokens(figures, "niveau:lager") == {
        f"{name}:niveau:lager": "unknown"
        for name in (
            "winst", "winst-woorden", "winst-teken", "interval", "interval-teken", "effect", "sterkte",
            "sterkte-woorden", "kost", "kost-woorden", "studies", "studies-aantal",
        )
    }  # fmt: skip


@pytest.mark.parametrize(
    ("count", "words"),
    [(4, "four months"), (1, "one month"), (0, "zero months"), (-2, "minus two months"), (15, "15 months")],
)
def test_months_in_words(count, words):
    assert wording.months_in_words(count) == words
