import pytest
from django.http import QueryDict

from knowledgebase.models import Concept, Scheme
from knowledgebase.search.question import Question
from tests.factories import make_concept

pytestmark = pytest.mark.django_db
FACETS = {
    "soort": {"praktijk": 3, "begrip": 1},
    "niveau": {"lager": 2, "eerste-graad": 1},
    "vak": {"frans": 3},
    "sterkte": {"0": 3, "1": 2, "2": 2, "3": 1},
}


@pytest.fixture(autouse=True)
def vocabulary():
    primary = make_concept(Scheme.LEVEL, "lager", "Lager onderwijs")
    make_concept(Scheme.LEVEL, "eerste-graad", "Eerste graad", broader=Concept.objects.get(pk=primary.pk))
    make_concept(Scheme.LEVEL, "secundair", "Secundair onderwijs")
    make_concept(Scheme.SUBJECT, "frans", "Frans")
    make_concept(Scheme.THEME, "lezen", "Lezen en taal")


def ask(query):
    return Question(QueryDict(query))


def test_filters_that_are_active():
    assert ask("q=x").filters == {}
    query = "q=x&soort=praktijk&soort=bron&niveau=lager&vak=frans&thema=lezen&sterkte=3&x=1"
    assert ask(query).filters == {
        "soort": ["praktijk", "bron"],
        "niveau": ["lager"],
        "vak": ["frans"],
        "thema": ["lezen"],
        "sterkte": ["3"],
    }


@pytest.mark.parametrize(
    ("query", "notice"),
    [
        ("soort=boek", "We kennen ‘boek’ niet bij ‘soort’. We lieten dat weg."),
        ("soort=practice", "We kennen ‘practice’ niet bij ‘soort’. We lieten dat weg."),
        ("niveau=%00", "We kennen ‘’ niet bij ‘niveau’. We lieten dat weg."),
        ("vak=lager", "We kennen ‘lager’ niet bij ‘vak’. We lieten dat weg."),
        ("sterkte=6", "We kennen ‘6’ niet bij ‘sterkte’. We lieten dat weg."),
        ("sterkte=0", "We kennen ‘0’ niet bij ‘sterkte’. We lieten dat weg."),
        ("letterlijk=2", "We kennen ‘2’ niet bij ‘letterlijk’. We lieten dat weg."),
    ],
)
def test_what_is_unknown_is_left_out_with_a_notice(query, notice):
    question = ask(f"q=x&{query}")
    assert question.filters == {}
    assert not question.literal
    assert notice in question.notices()


def test_groups_show_zeros_that_cannot_be_chosen():
    groups = {group.name: group for group in ask("q=x&niveau=secundair").groups(FACETS, 4)}
    assert [(name, group.title, group.active) for name, group in groups.items()] == [
        ("soort", "Soort", False),
        ("niveau", "Onderwijsniveau", True),
        ("vak", "Vak", False),
        ("thema", "Thema", False),
        ("sterkte", "Bewijs minstens", False),
    ]
    shown = {
        name: [(o.value, o.count, o.chosen, o.disabled, o.depth) for o in group.options]
        for name, group in groups.items()
    }
    assert shown["soort"] == [
        ("praktijk", 3, False, False, 0), ("samenvatting", 0, False, True, 0), ("thema", 0, False, True, 0),
        ("pagina", 0, False, True, 0), ("begrip", 1, False, False, 0), ("bron", 0, False, True, 0),
    ]  # fmt: skip
    assert shown["niveau"] == [
        ("lager", 2, False, False, 0), ("eerste-graad", 1, False, False, 1), ("secundair", 0, True, False, 0),
    ]  # fmt: skip
    assert shown["thema"] == [("lezen", 0, False, True, 0)]
    assert shown["sterkte"] == [
        ("", 4, True, False, 0), ("1", 2, False, False, 0), ("2", 2, False, False, 0), ("3", 1, False, False, 0),
        ("4", 0, False, True, 0), ("5", 0, False, True, 0),
    ]  # fmt: skip
    assert groups["sterkte"].single


@pytest.mark.parametrize(
    ("query", "total", "sentence", "each"),
    [
        ("q=feedback", 4, "4 resultaten met ‘feedback’", ["3 praktijken", "1 begrip"]),
        ("q=feedback", 1, "1 resultaat met ‘feedback’", ["3 praktijken", "1 begrip"]),
        ("q=feedback&soort=praktijk", 3, "3 praktijken met ‘feedback’", []),
        ("q=feedback&soort=begrip", 1, "1 begrip met ‘feedback’", []),
        ("q=feedback&soort=praktijk&soort=bron", 3, "3 resultaten met ‘feedback’", ["3 praktijken"]),
        (
            "q=feedback&niveau=lager&niveau=secundair&vak=frans&thema=lezen&sterkte=3",
            0,
            "0 resultaten met ‘feedback’, voor lager onderwijs of secundair onderwijs, voor Frans, over lezen en taal,"
            " bewijs minstens 3 op 5",
            ["3 praktijken", "1 begrip"],
        ),
    ],
)
def test_what_was_searched_and_found_in_words(query, total, sentence, each):
    question = ask(query)
    assert question.sentence(total, "feedback") == sentence
    assert question.per_kind(FACETS) == each
