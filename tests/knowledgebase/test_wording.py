from dataclasses import replace
from decimal import Decimal

import pytest

from knowledgebase import wording
from knowledgebase.evidence.records import GroupResult, Interval, Result, Slope, SmallStudies, StudyResult, Subgroups
from knowledgebase.wording import Scale


def study(label="Jansen 2020", estimate=0.5, low=0.1, high=0.9, weight=50.0):
    return StudyResult(label, label, 2020, 1, estimate, 0.2, Interval(low, high), weight)


def result(**fields):
    """A result of 46 studies that may be said."""
    return Result(
        **{
            "k_effects": 48,
            "k_studies": 46,
            "total_studies": 46,
            "total_effects": 48,
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
            "tau2": 0.054,
            "I2": 57.2,
        }
        | fields
    )


@pytest.mark.parametrize(
    ("value", "places", "words"),
    [
        (0.225, "0.01", "0,23"), (-0.005, "0.01", "−0,01"), (-0.004, "0.01", "0,00"), (1e-7, "0.01", "0,00"),
        (Decimal("0.2250"), "0.01", "0,23"), (12, "1", "12"), (1e6, "0.1", "1000000,0"), (0.05, "1e-2", "0,05"),
    ],
)  # fmt: skip
def test_decimals_are_rounded_half_up_with_a_comma_and_a_real_minus(value, places, words):
    assert wording.decimal(value, places) == words


@pytest.mark.parametrize(
    ("p", "words"), [(0.0004, "p < 0,001"), (0.036, "p = 0,036"), (0.5, "p = 0,50"), (1, "p = 1,00")]
)
def test_probability(p, words):
    assert wording.probability(p) == words


def test_effects_are_counted():
    assert [wording.effects(count) for count in (1, 1653)] == ["1 effect", "1.653 effecten"]


def test_the_headline_says_the_average_its_interval_and_what_schools_may_find():
    assert wording.headline(result(), Scale()) == [
        "Over 46 studies is het effect gemiddeld g = 0,24.",
        "Het gemiddelde ligt vrij zeker tussen 0,13 en 0,34.",
        "In 8 van de 10 vergelijkbare scholen ligt het effect tussen −0,07 en 0,55.",
    ]


def test_an_interval_over_zero_is_said():
    assert wording.headline(result(ci=Interval(-0.1, 0.6)), Scale())[2] == (
        "Ook nul ligt daartussen: misschien is er helemaal geen verschil."
    )


def test_a_correlation_has_words_of_its_own_and_is_led_back_from_z():
    assert wording.headline(
        result(measure="z", estimate=0.5, ci=Interval(0.4, 0.6), share_interval=Interval(0.1, 0.9)), Scale("z")
    ) == [
        "Over 46 studies is de samenhang gemiddeld r = 0,46.",
        "Het gemiddelde ligt vrij zeker tussen 0,38 en 0,54.",
        "In 8 van de 10 vergelijkbare studies ligt de samenhang tussen 0,10 en 0,72.",
    ]
    assert "tanh" in Scale("z").note
    assert Scale("g").note == ""


@pytest.mark.parametrize(
    ("measure", "symbol", "name", "raw"),
    [
        ("g", "g", "effectgrootte (g van Hedges)", "effectgrootte (g van Hedges)"),
        ("SMD", "d", "effectgrootte (gestandaardiseerd verschil)", "effectgrootte (gestandaardiseerd verschil)"),
        ("z", "r", "samenhang (r)", "z van Fisher"),
        ("lnOR", "ln OR", "log-oddsratio (ln OR)", "log-oddsratio (ln OR)"),
        ("SMCR", "d", "effectgrootte (verandering binnen één groep)", "effectgrootte (verandering binnen één groep)"),
    ],
)
def test_every_measure_has_a_name(measure, symbol, name, raw):
    scale = Scale(measure)
    assert (scale.symbol, scale.name, scale.raw_name) == (symbol, name, raw)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"k_studies": 9}, "Hoeveel het van school tot school verschilt, kunnen we niet zeggen: daarvoor vragen we"
         " minstens 10 studies."),
        ({}, "De studies verschillen niet meer dan toeval verklaart. Over aparte scholen zeggen we dus niet meer dan"
         " over het gemiddelde."),
    ],
)  # fmt: skip
def test_why_nothing_is_said_about_schools(fields, sentence):
    assert wording.headline(result(share_interval=None, **fields), Scale())[-1] == sentence


@pytest.mark.parametrize(
    ("refusal", "count", "sentence"),
    [
        ("no-rows", 0, "Er blijft geen enkele studie over, dus er is geen cijfer."),
        ("too-few-studies", 2, "Te weinig studies: 2 studies. We geven een cijfer vanaf 3 studies."),
        ("too-few-df", 5, "Te weinig studies voor een zeker cijfer: er zijn er wel (5 studies), maar enkele daarvan"
         " bepalen bijna alles (minder dan 4 vrijheidsgraden)."),
        ("not-estimable", 5, "Deze studies laten zich niet samennemen: de berekening vindt geen antwoord."),
    ],
)  # fmt: skip
def test_without_a_figure_there_is_a_sentence(refusal, count, sentence):
    assert wording.headline(result(refusal=refusal, k_studies=count, ci=None), Scale()) == [sentence]


@pytest.mark.parametrize(
    ("i2", "start"),
    [(0, "De studies vinden bijna hetzelfde: ongeveer 0%"), (57.5, "De studies verschillen: ongeveer 58%"),
     (75, "De studies verschillen sterk: ongeveer 75%")],
)  # fmt: skip
def test_how_much_studies_differ_in_words(i2, start):
    assert wording.differences(result(I2=i2)).startswith(start)


def test_what_is_not_known_of_the_differences_is_not_said():
    assert wording.differences(result(I2=None)) == ""
    assert wording.differences(result(estimate=None)) == ""


def test_how_many_studies_a_choice_leaves():
    assert wording.left(result(k_studies=8, k_effects=9)) == "Er blijven 8 van de 46 studies over, met 9 effecten."
    assert wording.left(result(k_studies=1, k_effects=1)) == "Er blijft 1 van de 46 studies over, met 1 effect."


def small(p, missing):
    return result(small_studies=SmallStudies("size", 1.2, p, 40, missing, "left", 0.184, Interval(0.1, 0.3)))


def test_small_studies():
    assert wording.small_studies(small(0.036, 6), Scale()) == [
        "Kleine studies vinden iets anders dan grote (toets van Egger, p = 0,036). Misschien zijn studies die tegenvielen"
        " nooit gepubliceerd.",
        "De methode “trim and fill” vult 6 studies aan die misschien ontbreken; het gemiddelde is dan 0,18.",
    ]
    assert wording.small_studies(small(0.4, 0), Scale()) == [
        "Kleine en grote studies vinden ongeveer hetzelfde (toets van Egger, p = 0,40).",
        "De methode “trim and fill” vult geen studies aan.",
    ]
    assert wording.small_studies(result(k_studies=9), Scale()) == [
        "Met minder dan 10 studies zegt een toets op ontbrekende studies niets, dus doen we er geen."
    ]
    assert wording.small_studies(result(), Scale()) == ["Of er studies ontbreken, konden we hier niet berekenen."]


def test_a_forest_plot_in_sentences():
    studies = (study(), study("Peeters 2021", -0.2, -0.6, 0.2), study("Maes 2022", 0.1, -0.3, 0.5))
    assert wording.forest(result(studies=studies), Scale()) == (
        "De cijfers van 3 studies gaan van −0,20 (Peeters 2021) tot 0,50 (Jansen 2020). Boven nul liggen er 2, eronder 1."
        " Bij 1 studie ligt het hele interval aan één kant van nul. Samen: 0,24 (95%-interval 0,13 tot 0,34)."
    )
    assert wording.forest(result(studies=(study(),), refusal="too-few-studies"), Scale()) == (
        "Eén studie, Jansen 2020: 0,50."
    )
    assert wording.forest(result(studies=(), refusal="no-rows"), Scale()) == "Er is geen studie om te tekenen."


def test_a_funnel_plot_in_sentences():
    assert wording.funnel(37, 46) == (
        "Elke stip is een studie: hoe hoger, hoe nauwkeuriger. 37 van de 46 studies liggen in de trechter die bij toeval"
        " alleen hoort. Blijft onderaan één kant leeg, dan ontbreken er misschien studies."
    )
    assert wording.funnel(0, 0) == "Elke stip is een studie: hoe hoger, hoe nauwkeuriger."


GROUPS = Subgroups(
    "feedback",
    (GroupResult("ja", 28, 28, 0.294, Interval(0.17, 0.42), 27), GroupResult("nee", 2, 2)),
    unknown_studies=1,
    statistic=5.954,
    df1=1,
    df2=28.24,
    p=0.021,
)


def test_groups_in_sentences():
    assert wording.subgroups("Feedback", GROUPS, ["ja", "nee"], Scale()) == (
        "Feedback. ja: 0,29 (28 studies); nee: geen cijfer (2 studies). De groepen verschillen meer dan toeval verklaart"
        " (F(1; 28,2) = 5,95, p = 0,021). Van 1 studie weten we het niet."
    )
    by_chance = replace(GROUPS, p=0.2, unknown_studies=0)
    assert wording.subgroups("Feedback", by_chance, ["ja", "nee"], Scale()).endswith(
        "Het verschil tussen de groepen kan toeval zijn (F(1; 28,2) = 5,95, p = 0,20)."
    )
    untested = replace(by_chance, p=None)
    assert wording.subgroups("Feedback", untested, ["ja", "nee"], Scale()).endswith(
        "Of de groepen echt verschillen, kunnen we met zo weinig studies niet toetsen."
    )
    alone = replace(untested, groups=GROUPS.groups[:1])
    assert wording.subgroups("Feedback", alone, ["ja"], Scale()) == "Feedback. ja: 0,29 (28 studies)."


@pytest.mark.parametrize(
    ("p", "sentence"),
    [
        (
            0.041,
            "Duur: telkens als dit getal met 1 stijgt, verandert het effect met 0,016, meer dan toeval verklaart"
            " (44 studies, p = 0,041).",
        ),
        (
            0.4,
            "Duur: telkens als dit getal met 1 stijgt, verandert het effect met 0,016. Dat kan toeval zijn"
            " (44 studies, p = 0,40).",
        ),
        (
            None,
            "Duur: 0,016 telkens als dit getal met 1 stijgt, over 44 studies. Dat zijn er te weinig om meer te zeggen.",
        ),
    ],
)
def test_a_slope_in_a_sentence(p, sentence):
    assert wording.slope("Duur", Slope("duur", 44, 0.0155, 0.007, None, 42, p)) == sentence
