import pytest

from knowledgebase.models import ConceptLabel, Scheme
from knowledgebase.search import analysis
from knowledgebase.search.thesaurus import thesaurus
from tests.factories import make_concept

Relation = ConceptLabel.Relation


def name(preferred, scheme=Scheme.SEARCH, **labels):
    """A concept with labels by their relation: alternative=[("bijles", 80)]."""
    concept = make_concept(scheme, preferred.replace(" ", "-").lower(), preferred)
    for relation, rows in labels.items():
        for text, weight in rows:
            ConceptLabel.objects.create(concept=concept, label=text, relation=Relation[relation.upper()], weight=weight)
    return concept


def keys(text):
    return tuple(word.key for word in analysis.words(text))


def synonyms(text):
    return {synonym.label: synonym.weight for synonym in thesaurus().synonyms(keys(text))}


@pytest.fixture
def tutoring(db):
    return name(
        "individuele begeleiding",
        alternative=[("bijles", 90), ("privéles", 80)],
        abbreviation=[("RT", 60)],
        hidden=[("byles", 50)],
        narrower=[("huiswerkklas", 70), ("studiehulp", 40)],
        related=[("remediëring", 50), ("taakklas", 50)],
    )


def test_a_name_finds_all_others_of_its_concept_but_the_hidden_ones(tutoring):
    assert synonyms("individuele begeleiding") == {
        "bijles": 90,
        "privéles": 80,
        "RT": 60,
        "huiswerkklas": 70,
        "studiehulp": 40,
        "remediëring": 35,
        "taakklas": 35,
    }


def test_an_abbreviation_finds_its_expansion_and_the_other_way_round(tutoring):
    assert synonyms("RT")["individuele begeleiding"] == 60
    assert synonyms("individuele begeleiding")["RT"] == 60


def test_a_hidden_label_finds_its_concept(tutoring):
    assert synonyms("byles")["individuele begeleiding"] == 50


def test_kinds_of_a_concept_find_the_concept_and_not_each_other(tutoring):
    assert synonyms("huiswerkklas") == {"individuele begeleiding": 70, "bijles": 63, "privéles": 56, "RT": 42}
    assert synonyms("remediëring") == {"individuele begeleiding": 50, "bijles": 45, "privéles": 40, "RT": 30}


def test_what_is_too_far_away_is_left_out(db):
    name("toets", alternative=[("proef", 40)], related=[("punten", 25)])
    assert synonyms("toets") == {"proef": 40}
    assert synonyms("proef") == {"toets": 40}


def test_small_words_of_a_label_need_not_be_typed(db):
    name("leerlingenbegeleiding", alternative=[("begeleiding van de leerling", 90)])
    assert synonyms("begeleiding van de leerling") == synonyms("begeleiding leerling") == {"leerlingenbegeleiding": 90}
    assert synonyms("begeleiding") == {}


def test_a_label_that_keeps_one_word_only_is_meant_as_it_stands(db):
    name("leerachterstand", alternative=[("kan niet volgen", 80)])
    assert synonyms("kan niet volgen") == {"leerachterstand": 80}
    assert synonyms("volgen") == {}


def test_two_concepts_of_one_name_both_answer_with_the_nearest_weight(db):
    name("mentor", alternative=[("coach", 50), ("begeleider", 40)])
    name("instructiecoaching", alternative=[("coach", 90), ("begeleider", 30)])
    assert synonyms("coach") == {"instructiecoaching": 90, "mentor": 50, "begeleider": 27}


def test_every_vocabulary_takes_part_but_that_of_word_forms(db):
    name("Kleuteronderwijs", scheme=Scheme.LEVEL, alternative=[("kleuterschool", 60)])
    name("lezen", scheme=Scheme.WORD, hidden=[("las", 60)])
    assert synonyms("kleuterschool") == {"Kleuteronderwijs": 60}
    assert synonyms("las") == {}


def test_it_says_whose_name_it_is(tutoring):
    assert {synonym.concept for synonym in thesaurus().synonyms(keys("bijles"))} == {"individuele begeleiding"}


def test_it_is_made_in_one_query_and_kept_until_a_label_changes(tutoring, django_assert_num_queries):
    analysis.refresh()
    with django_assert_num_queries(2):
        assert not thesaurus().named(keys("inhaalles"))
    with django_assert_num_queries(1):
        thesaurus()
    ConceptLabel.objects.create(concept=tutoring, label="inhaalles", weight=70)
    with django_assert_num_queries(2):
        assert thesaurus().named(keys("inhaalles"))
