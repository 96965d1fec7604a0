from decimal import Decimal

import pytest
from django.utils import translation

from knowledgebase.evidence.records import Interval, Result
from knowledgebase.wording import headline
from practices import wording
from practices.ratings import (
    EEF,
    FIRST_RULE,
    FIRST_RULE_PARAMS,
    OWN,
    Figure,
    Gain,
    KeyFigures,
    Step,
    StrengthRule,
    Waterfall,
)
from practices.wording import Months, rule_words, strength_steps

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


# What study rows say, in months


@pytest.fixture
def _dutch():
    with translation.override("nl"):
        yield


def pooled(**fields):
    return Result(
        **{
            "k_effects": 46,
            "k_studies": 46,
            "total_studies": 46,
            "total_effects": 46,
            "pupils": None,
            "pupils_known": 0,
            "model": "independent",
            "method": "REML",
            "test": "adhoc",
            "rho": None,
            "measure": "g",
            "estimate": 0.2446,
            "ci": Interval(0.13, 0.34),
            "share_interval": Interval(-0.07, 0.55),
        }
        | fields
    )


@pytest.mark.usefixtures("_dutch")
def test_a_result_in_months_gives_the_effect_as_well():
    assert headline(pooled(), Months()) == [
        "Over 46 studies is de leerwinst gemiddeld 3 maanden (g = 0,24).",
        "Het gemiddelde ligt vrij zeker tussen 2 en 4 maanden (g van 0,13 tot 0,34).",
        "In 8 van de 10 vergelijkbare scholen ligt de winst tussen −1 en 7 maanden (g van −0,07 tot 0,55).",
    ]


@pytest.mark.usefixtures("_dutch")
def test_a_result_beyond_the_months_table_says_more_than():
    assert headline(pooled(estimate=1.4, ci=Interval(0.9, 1.9), share_interval=Interval(-1.2, 2.0)), Months()) == [
        "Over 46 studies is de leerwinst gemiddeld meer dan 12 maanden (g = 1,40).",
        "Het gemiddelde ligt vrij zeker tussen 11 en meer dan 12 maanden (g van 0,90 tot 1,90).",
        "In 8 van de 10 vergelijkbare scholen ligt de winst tussen minder dan −12 en meer dan 12 maanden (g van −1,20 tot"
        " 2,00).",
    ]


@pytest.mark.usefixtures("_dutch")
def test_a_loss_is_said_with_minus():
    assert headline(pooled(estimate=-0.2), Months())[0] == (
        "Over 46 studies is de leerwinst gemiddeld min 3 maanden (g = −0,20)."
    )


RULE = StrengthRule.read(FIRST_RULE, FIRST_RULE_PARAMS)


@pytest.mark.usefixtures("_dutch")
def test_the_steps_of_a_strength_in_words():
    waterfall = Waterfall(
        FIRST_RULE,
        1,
        (
            Step("studies", 2, count=30, of=30),
            Step("design", -1, count=20, of=30, unknown=1, limit=0.5),
            Step("spread", 0, value=10.0),
            Step("asymmetry", 0, count=2, of=30, limit=0.05, value=0.2),
            Step("indirect", 0, judged=False, count=0, of=30, limit=0.5),
            Step("old", 0, count=3, of=30, limit=0.5),
        ),
        45,
    )
    assert [(step.name, step.points, step.total) for step in strength_steps(waterfall, RULE)] == [
        ("Aantal studies", "2", 2),
        ("Hoe de studies zijn opgezet", "−1", 1),
        ("Hoe sterk de studies verschillen", "0", 1),
        ("Studies die misschien ontbreken", "0", 1),
        ("Andere niveaus dan die van deze tekst", "0", 1),
        ("Oude studies", "0", 1),
    ]
    assert [step.why for step in strength_steps(waterfall, RULE)] == [
        "30 studies. Vanaf 45 studies is dat een punt meer.",
        "20 van de 30 studies namen alleen waar, hebben een hoog risico op vertekening of zeggen niet hoe ze zijn opgezet."
        " Boven 50% kost dat een punt. Van 1 studie kennen we opzet noch risico.",
        "Ook in een vergelijkbare school is het effect heel waarschijnlijk niet nul.",
        "Ook met de studies die misschien ontbreken (2), blijft het besluit overeind (p = 0,20).",
        "We weten te weinig over de studies om dit te beoordelen. Het kost dus niets.",
        "3 van de 30 studies zijn van voor 1990. Boven 50% kost dat een punt.",
    ]


@pytest.mark.usefixtures("_dutch")
def test_threats_that_cost_a_point_say_why_and_a_strength_never_falls_below_zero():
    waterfall = Waterfall(
        FIRST_RULE,
        0,
        (
            Step("studies", 1, count=120, of=120),
            Step("spread", -1, value=90.0),
            Step("asymmetry", -1, count=6, of=120, limit=0.05, value=0.01),
        ),
    )
    steps = strength_steps(waterfall, RULE)
    assert [(step.why, step.total) for step in steps] == [
        ("120 studies.", 1),
        (
            "In een vergelijkbare school kan het effect ook nul of minder zijn: het 95%-voorspellingsinterval bevat nul.",
            0,
        ),
        (
            "Kleine studies vinden iets anders dan grote (p = 0,010). Met de studies die lijken te ontbreken (6) kan het"
            " gemiddelde nul zijn.",
            0,
        ),
    ]


@pytest.mark.usefixtures("_dutch")
@pytest.mark.parametrize(
    ("spread", "step", "why"),
    [
        (
            {"i2_above": 75},
            Step("spread", -1, value=90.0),
            "Ongeveer 90% van de verschillen is echt. Boven 75% kost dat een punt.",
        ),
        (
            {"i2_above": 75},
            Step("spread", 0, value=10.0),
            "Ook in een vergelijkbare school is het effect heel waarschijnlijk niet nul.",
        ),
        (
            {"i2_above": 75, "zero_in_prediction": False},
            Step("spread", 0, value=10.0),
            "Ongeveer 10% van de verschillen is echt. Boven 75% kost dat een punt.",
        ),
        ({"zero_in_prediction": False}, Step("spread", 0, value=90.0), "Volgens deze regel kost dit niets."),
        ({"minus": 0}, Step("spread", 0, value=90.0), "Volgens deze regel kost dit niets."),
    ],
)
def test_the_words_of_a_spread_follow_the_rule(spread, step, why):
    rule = StrengthRule.read("sterkte-2027", FIRST_RULE_PARAMS | {"spread": FIRST_RULE_PARAMS["spread"] | spread})
    assert [told.why for told in strength_steps(Waterfall("sterkte-2027", 0, (step,)), rule)] == [why]


@pytest.mark.usefixtures("_dutch")
def test_a_step_names_the_studies_of_which_level_or_year_is_unknown():
    steps = (
        Step("indirect", 0, count=0, of=48, unknown=21, limit=0.5),
        Step("old", 0, count=3, of=48, unknown=1, limit=0.5),
    )
    assert [step.why for step in strength_steps(Waterfall(FIRST_RULE, 0, steps), RULE)] == [
        "0 van de 48 studies gaan over een ander niveau dan dat van deze tekst. Boven 50% kost dat een punt."
        " Van 21 studies kennen we het niveau niet, of staat het niet in onze lijst.",
        "3 van de 48 studies zijn van voor 1990. Boven 50% kost dat een punt. Van 1 studie kennen we het jaar niet.",
    ]


@pytest.mark.usefixtures("_dutch")
def test_a_rule_in_words():
    assert rule_words(RULE) == [
        (
            "Aantal studies",
            "punten om mee te beginnen: 1 vanaf 10 studies; 2 vanaf 25 studies; 3 vanaf 45 studies; 4 vanaf 70 studies;"
            " 5 vanaf 90 studies.",
        ),
        (
            "Hoe de studies zijn opgezet",
            "1 punt minder als meer dan 50% van de studies alleen waarnam, een hoog risico op vertekening heeft of niets"
            " zegt over de opzet.",
        ),
        ("Hoe sterk de studies verschillen", "1 punt minder als het voorspellingsinterval nul bevat."),
        (
            "Studies die misschien ontbreken",
            "1 punt minder als kleine studies iets anders vinden (p < 0,05) en het gemiddelde met de studies die"
            " ontbreken nul kan zijn.",
        ),
        (
            "Andere niveaus dan die van deze tekst",
            "1 punt minder als meer dan 50% van de studies over een ander niveau gaat.",
        ),
        ("Oude studies", "1 punt minder als meer dan 50% van de studies van voor 1990 is."),
    ]


@pytest.mark.usefixtures("_dutch")
@pytest.mark.parametrize(
    ("spread", "words"),
    [
        (
            {"i2_above": 75, "minus": 2},
            "2 punten minder als het voorspellingsinterval nul bevat of meer dan 75% van de verschillen echt is.",
        ),
        ({"zero_in_prediction": False}, "kost niets."),
        ({"minus": 0}, "kost niets."),
    ],
)
def test_a_spread_in_words(spread, words):
    rule = StrengthRule.read("sterkte-2027", FIRST_RULE_PARAMS | {"spread": FIRST_RULE_PARAMS["spread"] | spread})
    assert dict(rule_words(rule))["Hoe sterk de studies verschillen"] == words
