from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import ngettext

from knowledgebase.models import Scheme
from practices import cards, plots
from practices.models import EvidenceRating, ExternalVerdict
from practices.ratings import EEF, OWN, Figure, Gain
from tests.factories import make_concept, make_practice, make_practices, rating, verdict

MONTHS = (
    "Maanden zijn een manier om een verschil in toetsscores voor te stellen. Je wint geen tijd en het is geen"
    " belofte voor jouw klas."
)
EFFECT = "De effectgrootte: het verschil tussen de groepen, uitgedrukt in standaardafwijkingen."


def of_100(count, signed):
    return ngettext("%(count)s pupil in 100", "%(count)s pupils in 100", abs(count)) % {"count": signed}


def pupils(share):
    return f"Zoveel leerlingen op 100 halen de norm extra, of minder. We rekenen dat {share} op 100 die al halen zonder de praktijk."


def own(value, effect, ci=(None, None), ends=(None, None)):
    low, high = (None if end is None else Decimal(end) for end in ci)
    return Gain(value, OWN, Decimal(effect), low, high, *ends)


PLUS = own(6, "0.48", ("0.35", "0.61"), (4, 7))
MINUS = own(-2, "-0.10", ("-0.20", "0.03"), (-3, 0))
BARE = own(0, "0.02")
BEYOND = own(None, "1.20", ("0.80", "1.60"), (10, None))
THEIRS = Gain(value=-3, origin=EEF)


@pytest.mark.parametrize(
    ("gain", "metric", "share", "value", "spoken", "interval", "meaning"),
    [
        (PLUS, "maanden", 50, "+6 maanden", "6 maanden", "+4 tot +7", MONTHS),
        (MINUS, "maanden", 50, "−2 maanden", "min 2 maanden", "−3 tot 0", MONTHS),
        (BARE, "maanden", 50, "0 maanden", "0 maanden", "", MONTHS),
        (THEIRS, "maanden", 50, "−3 maanden", "min 3 maanden", "", MONTHS),
        (PLUS, "effect", 50, "0,48", "0,48", "0,35 tot 0,61", EFFECT),
        (MINUS, "effect", 50, "−0,10", "min 0,10", "−0,20 tot 0,03", EFFECT),
        (BARE, "effect", 50, "0,02", "0,02", "", EFFECT),
        (BEYOND, "effect", 50, "1,20", "1,20", "0,80 tot 1,60", EFFECT),
    ],
)
def test_headline(gain, metric, share, value, spoken, interval, meaning):
    assert cards.headline(gain, metric, share) == cards.Headline(value, spoken, interval, meaning)


@pytest.mark.parametrize(
    ("gain", "share", "count", "value", "spoken", "interval"),
    [
        (PLUS, 50, 18, "+18", "18", "+14 tot +23"),
        (MINUS, 50, -4, "−4", "min 4", "−8 tot +1"),
        (PLUS, 90, 6, "+6", "6", "+5 tot +7"),
        (BARE, 50, 1, "+1", "1", ""),
        (BEYOND, 50, 38, "+38", "38", "+29 tot +45"),
    ],
)
def test_headline_in_pupils(gain, share, count, value, spoken, interval):
    assert cards.headline(gain, "leerlingen", share) == cards.Headline(
        of_100(count, value), of_100(count, spoken), interval, pupils(share)
    )


@pytest.mark.parametrize(
    ("gain", "metric"),
    [
        (Gain(), "maanden"), (Gain(), "effect"), (Gain(), "leerlingen"),
        (THEIRS, "effect"), (THEIRS, "leerlingen"), (BEYOND, "maanden"),
    ],
)  # fmt: skip
def test_no_headline_where_the_measure_is_unknown(gain, metric):
    assert cards.headline(gain, metric) is None


class _Version:
    def __init__(self, title):
        self.title = title


def card(title, gain=Gain(), strength=None, cost=None):  # noqa: B008  # frozen
    def figure(value):
        return Figure() if value is None else Figure(value, OWN)

    figures = cards.KeyFigures(gain, figure(strength), figure(cost), Figure())
    return cards.Card(_Version(title), figures, {})


def test_differences_name_the_best_and_the_unknown():
    shown = [card("A", PLUS, 4, 1), card("B", MINUS, 4, 3), card("C")]
    assert cards.differences(shown) == [
        "De grootste leerwinst: A (+6 maanden).",
        "De grootste leerwinst: onbekend voor C.",
        "Het sterkste bewijs: overal gelijk (4 op 5).",
        "Het sterkste bewijs: onbekend voor C.",
        "De laagste kost: A (1 op 5).",
        "De laagste kost: onbekend voor C.",
    ]


def test_differences_with_ties_and_two_origins():
    shown = [card("A", PLUS), card("B", PLUS), card("C", THEIRS, 1), card("D", BARE, 0)]
    assert cards.differences(shown) == [
        "De grootste leerwinst: A en B (+6 maanden).",
        "Het sterkste bewijs: C (1 op 5).",
        "Het sterkste bewijs: onbekend voor A en B.",
        "De laagste kost: onbekend voor A, B, C en D.",
        "Let op: sommige cijfers zijn onze eigen lezing van één synthese, andere het oordeel van de EEF.",
    ]


def test_a_gain_beyond_the_table_is_the_largest_and_not_unknown():
    low = own(None, "-1.30")
    assert cards.differences([card("A", PLUS, 1, 1), card("B", BEYOND, 1, 1), card("C", low, 1, 1)])[0] == (
        "De grootste leerwinst: B (meer dan 12 maanden)."
    )
    assert cards.differences([card("A", low, 1, 1), card("B", low, 1, 1)])[0] == (
        "De grootste leerwinst: overal gelijk (minder dan min 12 maanden)."
    )


def test_one_known_figure_is_no_difference():
    assert cards.differences([card("A", PLUS, 3, 1), card("B")]) == [
        "De grootste leerwinst: onbekend voor B.",
        "Het sterkste bewijs: onbekend voor B.",
        "De laagste kost: onbekend voor B.",
    ]


def test_plot_sentence():
    assert cards.plot_sentence([card("A"), card("B")]) == (
        "Van geen enkele praktijk in deze lijst kennen we de leerwinst."
    )
    assert cards.plot_sentence([card("A", PLUS), card("B", THEIRS), card("C")]) == (
        "Van 2 van de 3 praktijken kennen we de leerwinst: van min 3 maanden (B) tot 6 maanden (A)."
        " In 1 gevallen is dat onze eigen lezing, anders het oordeel van de EEF."
    )


@pytest.mark.django_db
def test_context_names():
    level = make_concept(Scheme.LEVEL, "lager", "Lager onderwijs")
    rows = [
        EvidenceRating(context_key="overall"),
        EvidenceRating(context_key="niveau:lager", concept=level),
        EvidenceRating(context_key="vorm:mondeling", label="Mondeling"),
        ExternalVerdict(context_key="niveau:weg", concept_id=level.pk + 1),
    ]
    names = cards.names_of(rows)
    assert [cards.context_name(row, names) for row in rows] == [
        "Gemiddeld",
        "Lager onderwijs",
        "Mondeling",
        "niveau:weg",
    ]


@pytest.mark.django_db
def test_names_are_asked_once_or_not_at_all(django_assert_num_queries):
    level = make_concept(Scheme.LEVEL, "lager", "Lager onderwijs")
    with django_assert_num_queries(1):
        assert cards.names_of([EvidenceRating(concept=level)] * 5) == {level.pk: "Lager onderwijs"}


@pytest.mark.django_db
def test_context_rows_and_verdict_rows():
    version = make_practice(
        ratings=[rating("0.48", ci_low="0.35", ci_high="0.61"), rating("-0.1", context_key="niveau:lager")],
        verdicts=[verdict(5, strength=3, cost=1), verdict(None, issuer="WWC")],
    )
    ratings, verdicts, figures = cards.overall_of(version)
    names = cards.names_of(ratings)
    rows = cards.context_rows([row for row in ratings if not row.is_overall], names, "effect", 50)
    assert [(row.name, row.gain.value, row.mark.x, row.headline.value) for row in rows] == [
        ("Lager", -2, plots.position(-2), "−0,10")
    ]
    assert [(row.name, row.figures.gain.value, row.mark.is_open, row.mark.x) for row in cards.verdict_rows(verdicts, {})] == [
        ("Gemiddeld", 5, True, plots.position(5)), ("Gemiddeld", None, False, None),
    ]  # fmt: skip
    assert (figures.gain.value, figures.gain.origin) == (6, OWN)
    assert (figures.strength, figures.cost) == (Figure(3, EEF), Figure(1, EEF))


@pytest.mark.django_db
def test_another_issuer_never_stands_in_for_the_eef():
    version = make_practice(verdicts=[verdict(5, issuer="WWC"), verdict(4, context_key="vorm:x", label="X")])
    _ratings, _verdicts, figures = cards.overall_of(version)
    assert not figures.gain.known


@pytest.mark.django_db
def test_cards_keep_the_order_asked_and_leave_out_what_is_not_published():
    one, two, draft = make_practice("een"), make_practice("twee"), make_practice("klad", state="draft")
    gone = make_practice("weg", state="withdrawn")
    asked = [two.item_id, gone.item_id, draft.item_id, one.item_id, 10**9]
    assert [card.version.pk for card in cards.cards_of_items(asked)] == [two.pk, one.pk]


@pytest.mark.django_db
def test_card_knows_its_levels_and_first_theme_in_the_order_of_the_text():
    themes = [make_concept(Scheme.THEME, slug, order=order) for order, slug in enumerate("zy")]
    levels = [make_concept(Scheme.LEVEL, "secundair"), make_concept(Scheme.LEVEL, "lager")]
    reader = make_concept(Scheme.AUDIENCE, "leerkracht")
    version = make_practice(concepts=[levels[0], reader, themes[1], levels[1], themes[0]])
    [found] = cards.cards_of([version])
    assert found.levels == levels
    assert found.theme == themes[1]
    assert [str(concept) for concept in found.levels] == ["Secundair", "Lager"]
    assert found.mark == plots.Mark()


@pytest.mark.django_db
def test_cards_ask_the_same_of_the_database_for_1_3_and_50():
    items = [version.item_id for version in make_practices(50, verdicts=[verdict(5)])]
    asked = []
    for count in (1, 3, 50):
        with CaptureQueriesContext(connection) as queries:
            assert len(cards.cards_of_items(items[:count])) == count
        asked.append(len(queries))
    assert asked == [6, 6, 6]
