import itertools
import unicodedata
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from knowledgebase.models import ConceptLabel, Scheme, SiteState
from knowledgebase.search import analysis
from knowledgebase.search.analysis import LONGEST_KEY, Word, key_of, words
from knowledgebase.search.wordforms import WordForms
from leerpunt import reference_data
from tests.factories import make_concept

FAMILIES = Path(__file__).parents[2] / "data" / "search" / "families.txt"


@pytest.fixture
def edited(db):
    """The word forms of the fixtures, in use."""
    reference_data.load(settings.BASE_DIR / "fixtures" / "word-forms.yaml")
    analysis.refresh()


def test_words_stand_where_they_were_written():
    text = "Leerlingen lezen, ‘één’ voor een!"
    found = words(text)
    assert found[:2] == [Word("Leerlingen", 0, 10, "leerling"), Word("lezen", 11, 16, "lees")]
    assert [text[word.start : word.end] for word in found] == ["Leerlingen", "lezen", "één", "voor", "een"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sociaal-emotioneel", [("sociaalemotioneel", ("sociaal", "emotioneel"))]),
        ("co-teaching", [("coteaching", ("co", "teaching"))]),
        ("AVI-niveau", [("aviniveau", ("avi", "niveau"))]),
        ("NT2", [("nt2", ())]),
        ("1-op-1", [("1op1", ("op",))]),
        ("foto's", [("foto", ())]),
        ("foto’s", [("foto", ())]),
        ("taal- en rekenles", [("taal", ()), ("en", ()), ("rekenles", ("reken", "les"))]),
        ("gedragsproblemen", [("gedragprobleem", ("gedrag", "probleem"))]),
        ("ge\u00addrag", [("gedrag", ())]),  # a soft hyphen
        ("2,5 jaar", [("2", ()), ("5", ()), ("jaar", ())]),
        ("مرحبا", [("مرحبا", ())]),
        ("😀 — !? ''", []),
        ("\x00 \x1b[0m", [("0m", ())]),
    ],
)
def test_tokens(text, expected):
    assert [(word.key, word.parts) for word in words(text)] == expected


def test_an_accent_typed_apart_or_left_out_is_the_same_word():
    apart = unicodedata.normalize("NFD", "coördinator")
    assert len(apart) == 12
    assert key_of("Coördinator") == key_of(apart) == key_of("coordinator") == "coordinator"


def test_a_text_of_no_words_has_no_key():
    assert key_of("") == key_of("?!") == ""


@pytest.mark.parametrize(
    "same",
    [
        "klasgrootte klassengrootte",
        "groepswerk groepwerk",
        "leesmaatje leesmaatjes",
        "zorgcoördinator zorgcoördinatoren zorgcoordinator",
        "co-teaching coteaching Co\u2011teaching",
    ],
)
def test_spellings_of_a_compound_are_one_word(same):
    assert len({key_of(word) for word in same.split()}) == 1


def test_inflections_are_joined_and_families_apart(edited):
    families = [line.split() for line in FAMILIES.read_text(encoding="utf-8").splitlines()]
    keys = [[key_of(word) for word in family] for family in families]
    pairs = [one == other for family in keys for one, other in itertools.combinations(family, 2)]
    assert len(families) >= 60
    assert sum(pairs) / len(pairs) >= 0.95
    for one, other in itertools.combinations(range(len(families)), 2):
        assert not set(keys[one]) & set(keys[other]), (families[one], families[other])


def test_most_inflections_are_joined_without_help_of_editors():
    families = [line.split() for line in FAMILIES.read_text(encoding="utf-8").splitlines()]
    keys = [[key_of(word) for word in family] for family in families]
    pairs = [one == other for family in keys for one, other in itertools.combinations(family, 2)]
    assert sum(pairs) / len(pairs) >= 0.9


def test_editors_decide_what_a_form_becomes(db):
    assert key_of("tekening") != key_of("tekenen")
    concept = make_concept(Scheme.WORD, "tekenen", "tekenen")
    ConceptLabel.objects.create(concept=concept, label="tekening", relation=ConceptLabel.Relation.HIDDEN)
    before = analysis.version()
    analysis.refresh()
    assert key_of("tekening") == key_of("tekenen") == key_of("Tekeningen") == "tekenen"
    assert analysis.version() != before


def test_refreshing_costs_one_query_and_nothing_when_the_version_is_given(db, django_assert_num_queries):
    analysis.refresh()
    content_key = SiteState.current().content_key
    with django_assert_num_queries(1):
        analysis.refresh()
    with django_assert_num_queries(0):
        analysis.refresh(content_key)


def test_the_version_is_that_of_the_code_and_of_the_word_forms():
    assert analysis.version() == f"{analysis.VERSION}-0"
    analysis.use(WordForms({"juffen": "juf"}, frozenset({"juf"})))
    assert analysis.version().startswith(f"{analysis.VERSION}-")
    assert analysis.version() != f"{analysis.VERSION}-0"


@pytest.mark.parametrize(
    ("word", "exists"),
    [("leraar", True), ("leesmaatjes", True), ("vergeetcurve", True), ("zittenblijve", False), ("metacogntie", False)],
)
def test_is_word(word, exists):
    assert analysis.is_word(word) is exists


@given(st.text(max_size=300))
def test_any_text_has_words_with_keys_that_fit(text):
    for word in words(text):
        assert text[word.start : word.end] == word.text
        assert len(word.key) <= LONGEST_KEY
        assert all(part and len(part) <= LONGEST_KEY and " " not in part for part in word.parts)
        assert " " not in word.key
