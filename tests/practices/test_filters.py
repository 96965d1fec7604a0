import random
from decimal import Decimal
from itertools import product

import pytest
from django.http import QueryDict
from django.utils.translation import gettext as _

from knowledgebase.models import Concept, Scheme
from practices import facets
from practices.filters import ORDERS, PAGE_SIZE, VIEWS, PracticeFilter
from practices.models import PracticeVersion
from tests.factories import make_concept, make_practice, make_practices, make_source, rating, verdict

pytestmark = pytest.mark.django_db

NO_WORDS = "In je zoekopdracht staat geen woord van minstens twee letters. We lieten ze weg."


def left_out(value, name):
    return f"We kennen ‘{value}’ niet bij ‘{name}’. We lieten dat weg."


def slugs(query, start=1):
    selection = PracticeFilter(QueryDict(query))
    by_pk = {version.item_id: version.item.slug for version in PracticeVersion.objects.select_related("item")}
    return [by_pk[pk] for pk in selection.page(start)]


def options(query, name):
    return {
        option.value: option
        for group in PracticeFilter(QueryDict(query)).groups()
        if group.name == name
        for option in group.options
    }


def counts(query, name):
    return {value: option.count for value, option in options(query, name).items()}


@pytest.fixture
def vocabulary():
    """Levels (lager with two grades under it), subjects, readers and themes."""
    lager = make_concept(Scheme.LEVEL, "lager", "Lager onderwijs", order=1)
    return {
        "lager": lager,
        "eerste-graad": make_concept(Scheme.LEVEL, "eerste-graad", "Eerste graad", order=2, broader=lager),
        "tweede-graad": make_concept(Scheme.LEVEL, "tweede-graad", "Tweede graad", order=3, broader=lager),
        "secundair": make_concept(Scheme.LEVEL, "secundair", "Secundair onderwijs", order=4),
        "kleuter": make_concept(Scheme.LEVEL, "kleuter", "Kleuteronderwijs", order=5),
        "wiskunde": make_concept(Scheme.SUBJECT, "wiskunde", "Wiskunde", order=1),
        "Frans": make_concept(Scheme.SUBJECT, "frans", "Frans", order=2),
        "leerkracht": make_concept(Scheme.AUDIENCE, "leerkracht", "Leerkrachten"),
        "lezen": make_concept(Scheme.THEME, "lezen", "Lezen en taal", order=1),
        "toetsen": make_concept(Scheme.THEME, "toetsen", "Toetsen", order=2),
    }


@pytest.fixture
def practices(vocabulary):
    """Five practices: of each a letter, its concepts, gain, strength and cost."""

    def made(slug, *concepts, effect=None, months=None, strength=None, cost=None):
        make_practice(
            slug,
            concepts=[vocabulary[name] for name in (*concepts, "leerkracht")],
            ratings=[rating(effect, strength=strength, cost=cost)],
            verdicts=[] if months is None else [verdict(months)],
        )

    made("a", "lager", "wiskunde", "toetsen", effect="0.48", strength=4, cost=1)
    made("b", "eerste-graad", "Frans", "lezen", effect="-0.12", strength=2, cost=3)
    made("c", "secundair", "wiskunde", "lezen", months=3, strength=0, cost=5)
    made("d", "tweede-graad", "secundair", "Frans")
    made("e", "lager", "toetsen", effect="1.40", strength=5, cost=2)


LEFT = {
    # no filter: by theme, without a theme last, from A to Z within
    "": "bcaed",
    # within one vocabulary or, between vocabularies and; broader includes narrower
    "niveau=lager": "baed",
    "niveau=eerste-graad": "b",
    "niveau=eerste-graad&niveau=tweede-graad": "bd",
    "niveau=lager&niveau=secundair": "bcaed",
    "niveau=lager&vak=wiskunde": "a",
    "niveau=secundair&vak=wiskunde&vak=frans": "cd",
    "niveau=kleuter": "",
    "thema=lezen&publiek=leerkracht": "bc",
    # cost at most, strength at least, gain at least; the unknown fits no bound
    "kost=1": "a",
    "kost=2": "ae",
    "kost=4": "bae",
    "kost=5": "bcae",
    "sterkte=0": "bcae",
    "sterkte=2": "bae",
    "sterkte=5": "e",
    "winst=-12": "bcae",
    "winst=-2": "bcae",
    "winst=-1": "cae",
    "winst=0": "cae",
    "winst=6": "ae",
    "winst=7": "e",
    "winst=12": "e",
    "niveau=lager&kost=3&sterkte=3&winst=1": "ae",
    # other orders; unknown last
    "sorteer=naam": "abcde",
    "sorteer=winst": "eacbd",
    "sorteer=sterkte": "eabcd",
    "sorteer=kost": "aebcd",
    "sorteer=gewijzigd": "edcba",
    # words
    "q=lager": "ae",
    "q=WISKUNDE": "ca",
    "q=wiskunde+toetsen": "cae",
    "q=xyzzy": "",
    "q=a": "bcaed",
}


@pytest.mark.usefixtures("practices")
def test_what_a_query_leaves_and_in_which_order():
    assert {query: "".join(slugs(query)) for query in LEFT} == LEFT
    assert {query: PracticeFilter(QueryDict(query)).total for query in LEFT} == {
        q: len(left) for q, left in LEFT.items()
    }


@pytest.mark.usefixtures("practices")
def test_counts_leave_their_own_vocabulary_out():
    assert counts("niveau=secundair", "niveau") == {
        "lager": 4, "eerste-graad": 1, "tweede-graad": 1, "secundair": 2, "kleuter": 0,
    }  # fmt: skip
    assert counts("niveau=secundair", "vak") == {"wiskunde": 1, "frans": 1}
    assert counts("vak=wiskunde&kost=2", "niveau") == {
        "lager": 1, "eerste-graad": 0, "tweede-graad": 0, "secundair": 0, "kleuter": 0,
    }  # fmt: skip
    assert counts("", "kost") == {"": 5, "1": 1, "2": 2, "3": 3, "4": 3}
    assert counts("kost=1", "kost") == {"": 5, "1": 1, "2": 2, "3": 3, "4": 3}
    assert counts("", "sterkte") == {"": 5, "1": 3, "2": 3, "3": 2, "4": 2, "5": 1}
    assert counts("", "winst") == {"": 5, "1": 3, "3": 3, "5": 2}


@pytest.mark.usefixtures("practices")
def test_a_chosen_bound_that_we_do_not_offer_is_offered_in_its_place():
    assert counts("winst=-2", "winst") == {"": 5, "-2": 4, "1": 3, "3": 3, "5": 2}
    assert options("winst=-2", "winst")["-2"].label == "−2 maanden"
    assert list(options("kost=5", "kost")) == ["", "1", "2", "3", "4", "5"]
    assert list(options("sterkte=0", "sterkte")) == ["", "0", "1", "2", "3", "4", "5"]


@pytest.mark.usefixtures("practices")
def test_a_zero_is_visible_but_cannot_be_chosen():
    kleuter = options("", "niveau")["kleuter"]
    assert (kleuter.count, kleuter.chosen, kleuter.disabled) == (0, False, True)
    kleuter = options("niveau=kleuter", "niveau")["kleuter"]
    assert (kleuter.count, kleuter.chosen, kleuter.disabled) == (0, True, False)


def test_groups_in_the_order_of_the_page(vocabulary):
    groups = PracticeFilter(QueryDict("niveau=eerste-graad&sterkte=3")).groups()
    assert [(group.name, group.title, group.single, group.active) for group in groups] == [
        ("niveau", "Onderwijsniveau", False, True),
        ("vak", "Vak", False, False),
        ("doelgroep", "Groep leerlingen", False, False),
        ("publiek", "Voor welke lezer", False, False),
        ("thema", "Thema", False, False),
        ("kost", "Kost hoogstens", True, False),
        ("sterkte", "Bewijs minstens", True, True),
        ("winst", "Leerwinst minstens", True, False),
    ]
    levels = groups[0]
    assert [(option.value, option.depth) for option in levels.options] == [
        ("lager", 0), ("eerste-graad", 1), ("tweede-graad", 1), ("secundair", 0), ("kleuter", 0),
    ]  # fmt: skip
    assert [(top.value, [o.value for o in narrower]) for top, narrower in levels.branches] == [
        ("lager", ["eerste-graad"]), ("secundair", []), ("kleuter", []),
    ]  # fmt: skip
    assert levels.open_branches == {"lager"}


def test_a_circle_of_concepts_does_no_harm(vocabulary):
    Concept.objects.filter(pk=vocabulary["lager"].pk).update(broader=vocabulary["eerste-graad"])
    assert set(options("", "niveau")) == {"secundair", "kleuter"}


SENTENCES = {
    "": "5 praktijken per thema",
    "kost=1": "1 praktijk kost hoogstens 1 op 5, per thema",
    "niveau=kleuter": "0 praktijken voor kleuteronderwijs, per thema",
    "niveau=lager&niveau=secundair&vak=frans&kost=3&sterkte=1&winst=-3&sorteer=naam": (
        "1 praktijk voor lager onderwijs of secundair onderwijs, voor Frans, kost hoogstens 3 op 5, bewijs"
        " minstens 1 op 5, leerwinst minstens −3 maanden, van A tot Z"
    ),
    "thema=lezen&q=Frans&sorteer=winst": "1 praktijk over lezen en taal, met ‘Frans’, grootste leerwinst eerst",
    "winst=1": "3 praktijken leerwinst minstens +1 maand, per thema",
    "q=a": "5 praktijken per thema",
}


@pytest.mark.usefixtures("practices")
def test_sentence():
    assert {query: PracticeFilter(QueryDict(query)).sentence() for query in SENTENCES} == SENTENCES


NOTICES = {
    "": [],
    "niveau=&vak=&kost=&sterkte=&winst=&q=&sorteer=&weergave=": [],
    "niveau=lager&niveau=mars&niveau=": [left_out("mars", "niveau")],
    "kost=0": [left_out("0", "kost")],
    "kost=6&sterkte=6&winst=13": [left_out("6", "kost"), left_out("6", "sterkte"), left_out("13", "winst")],
    "kost=²&sterkte=x": [left_out("²", "kost"), left_out("x", "sterkte")],
    "sorteer=z&weergave=z": [left_out("z", "sorteer"), left_out("z", "weergave")],
    "vak=" + "x" * 10_000: [left_out("x" * 40 + "…", "vak")],
    "niveau=%00": [left_out("", "niveau")],
    "q=%00": [NO_WORDS],
    "q=a": [NO_WORDS],
    "q=%F0%9F%99%82": [NO_WORDS],
    "niveau=LAGER": [left_out("LAGER", "niveau")],
    "thema=lager": [left_out("lager", "thema")],
    "onbekend=1&utm_source=x": [],
}


@pytest.mark.usefixtures("practices")
def test_what_is_unknown_is_left_out_with_a_notice():
    assert {query: PracticeFilter(QueryDict(query)).notices() for query in NOTICES} == NOTICES
    totals = {query: PracticeFilter(QueryDict(query)).total for query in NOTICES}
    assert totals == {query: 4 if "niveau=lager" in query else 5 for query in NOTICES}


def test_the_last_of_repeated_single_values_counts():
    selection = PracticeFilter(QueryDict("kost=1&kost=3&sorteer=naam&sorteer=kost&weergave=tabel&weergave=grafiek"))
    assert (selection.chosen["kost"], selection.order, selection.view) == (3, "kost", "grafiek")


def test_defaults():
    selection = PracticeFilter(QueryDict())
    assert (selection.order, selection.view, selection.query) == ("thema", "kaarten", "")
    assert (selection.total, selection.pages, selection.page(1), selection.is_active) == (0, 1, [], False)


@pytest.mark.usefixtures("practices")
def test_active_filters():
    active = {"": 0, "q=a": 0, "sorteer=naam&weergave=tabel": 0, "niveau=lager&kost=2&q=lager": 3}
    assert {query: PracticeFilter(QueryDict(query)).active_count for query in active} == active
    assert [PracticeFilter(QueryDict(query)).is_active for query in active] == [False, False, False, True]


def test_every_order_and_view_is_one_that_the_index_knows():
    assert set(ORDERS) == set(facets.ORDERS)
    assert list(VIEWS) == ["kaarten", "tabel", "grafiek"]


def test_pages_of_twenty(vocabulary):
    made = [version.item.slug for version in make_practices(2 * PAGE_SIZE + 1)]
    assert PracticeFilter(QueryDict()).pages == 3
    assert [slugs("", number) for number in (1, 2, 3, 4)] == [made[:20], made[20:40], made[40:], []]


def test_the_same_queries_for_any_number_of_practices(vocabulary, django_assert_num_queries):
    for number in (1, 3, 50):
        make_practices(number, prefix=f"p{number}")
        with django_assert_num_queries(
            9
        ):  # six of the query: what is known of words (once per change of the site), facets, terms, hits
            selection = PracticeFilter(QueryDict("niveau=lager&q=lager"))
            selection.groups(), selection.sentence(), selection.notices(), selection.page(1)


def _expected(practice, query):
    """What the filters promise, in plain Python on what a practice says."""
    levels, subjects, gain, strength, cost = practice
    wide = set(levels) | {"lager" for level in levels if level in ("eerste-graad", "tweede-graad")}
    checks = {
        "niveau": lambda values: wide & set(values),
        "vak": lambda values: set(subjects) & set(values),
        "kost": lambda value: cost is not None and cost <= value,
        "sterkte": lambda value: strength is not None and strength >= value,
        "winst": lambda value: gain is not None and gain >= value,
    }
    return all(checks[name](value) for name, value in query.items())


def test_results_and_counts_equal_counting_by_hand(vocabulary):
    chance = random.Random(20261122)  # noqa: S311  # a repeatable draw
    level_names, subject_names = (
        ["lager", "eerste-graad", "tweede-graad", "secundair", "kleuter"],
        ["wiskunde", "frans"],
    )
    concepts = vocabulary | {"frans": vocabulary["Frans"]}
    effects = {None: None, "-0.30": -4, "0.02": 0, "0.14": 2, "0.30": 4, "0.60": 7, "1.50": 99, "-1.50": -99}
    drawn, source = {}, make_source("jansen-2020")
    for number in range(24):
        levels = chance.sample(level_names, chance.randint(1, 3))
        subjects = chance.sample(subject_names, chance.randint(0, 2))
        effect, strength = chance.choice(list(effects)), chance.choice([None, *range(6)])
        cost = chance.choice([None, *range(1, 6)])
        version = make_practice(
            f"draw-{number}",
            concepts=[concepts[name] for name in (*levels, *subjects, "leerkracht")],
            sources=[source],
            ratings=[rating(effect, strength=strength, cost=cost)],
        )
        drawn[version.item_id] = (levels, subjects, effects[effect], strength, cost)
    sample = list(
        product([[], ["lager"], ["eerste-graad", "kleuter"]], [[], ["frans"]], [None, 2], [None, 3], [None, 0, -3, 5])
    )
    for levels, subjects, cost, strength, gain in chance.sample(sample, 24):
        asked = {"niveau": levels, "vak": subjects, "kost": cost, "sterkte": strength, "winst": gain}
        query = {name: value for name, value in asked.items() if value not in (None, [])}
        data = QueryDict(mutable=True)
        for name, value in query.items():
            data.setlist(name, value if isinstance(value, list) else [str(value)])
        selection = PracticeFilter(data)
        matching = {pk for pk, practice in drawn.items() if _expected(practice, query)}
        assert set(selection.bitmaps.ordered(selection.bits, 0, 1000)) == matching
        for group in selection.groups():
            if group.name not in ("niveau", "vak", "kost", "sterkte", "winst"):
                continue
            others = {name: value for name, value in query.items() if name != group.name}
            for option in group.options:
                value = [option.value] if not group.single else option.value and int(option.value)
                one = others | ({group.name: value} if option.value else {})
                assert option.count == sum(_expected(practice, one) for practice in drawn.values()), (query, option)


def test_a_withdrawn_practice_leaves_the_overview_and_its_counts(vocabulary):
    make_practice("weg", state="withdrawn", concepts=[vocabulary["lager"], vocabulary["leerkracht"]])
    make_practice("klad", state="draft", concepts=[vocabulary["lager"], vocabulary["leerkracht"]])
    assert slugs("") == []
    assert counts("", "niveau")["lager"] == 0


def test_long_words_keep_what_fits():
    selection = PracticeFilter(QueryDict("q=" + "lezen+" * 2_000))
    assert len(selection.query) == 200
    assert selection.notices() == [
        _("Your search is longer than %(limit)s characters. We used the first %(limit)s.") % {"limit": 200}
    ]


def test_a_decimal_effect_is_filtered_by_its_months():
    make_practice("rand", ratings=[rating(Decimal("0.095"))])
    assert slugs("winst=2") == ["rand"]
    assert slugs("winst=3") == []


def test_the_best_match_first_where_words_are_searched_for(vocabulary):
    in_text = make_practice("a", title="Huiswerk", lead="Met feedback.")
    in_title = make_practice("b", title="Feedback")
    found = PracticeFilter(QueryDict("q=feedback&sorteer=relevantie"))
    assert found.page(1) == [in_title.item_id, in_text.item_id]
    assert next(iter(found.orders)) == found.order == "relevantie"
    assert found.notices() == []
    assert "relevantie" not in PracticeFilter(QueryDict("")).orders
    without = PracticeFilter(QueryDict("sorteer=relevantie"))
    assert (without.order, without.page(1)) == ("thema", PracticeFilter(QueryDict("")).page(1))
    assert PracticeFilter(QueryDict("q=feedback&sorteer=naam")).page(1) == [in_title.item_id, in_text.item_id]
