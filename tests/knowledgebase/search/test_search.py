import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgebase.models import ConceptLabel, SearchEntry
from knowledgebase.search import MAX_WORDS, fold, index, matching, remove, words_of
from tests.factories import make_concept, make_practice, make_summary


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Feedback", "feedback"),
        ("Coëfficiënt", "coefficient"),
        ("E\u0301e\u0301n", "een"),
        ("STRASSE straße", "strasse strasse"),
        ("ﬁguur ²", "figuur 2"),
        ("\u210c\u2111", "hi"),
        ("İstanbul", "istanbul"),
        ("Čeština Łódź", "cestina łodz"),
    ],
)
def test_fold(text, folded):
    assert fold(text) == folded


def test_folding_twice_changes_nothing_and_leaves_no_capital():
    """A capital left in the index is found by SQLite and not by PostgreSQL."""
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    assert [c for c in characters if fold(fold(c)) != fold(c) or set(fold(c)) & set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", []),
        ("  \t", []),
        ("!? — ‘’", []),
        ("a b c", []),
        ("Lezen & schrijven", ["lezen", "schrijven"]),
        ("co-teaching", ["co", "teaching"]),
        ("50% _x%", ["50"]),
        ("één", ["een"]),
        ("a1 " * 20, ["a1"] * MAX_WORDS),
    ],
)
def test_words_of(query, words):
    assert words_of(query) == words


@given(st.text(max_size=200))
def test_any_query_gives_at_most_eight_plain_words(query):
    words = words_of(query)
    assert len(words) <= MAX_WORDS
    assert all(len(word) > 1 and word.isalnum() and word == fold(word) for word in words)


@pytest.mark.django_db
def test_a_text_is_found_by_its_own_words_and_the_labels_of_what_it_is_about():
    concept = make_concept("niveau", "lager", "Lager onderwijs")
    ConceptLabel.objects.create(concept=concept, label="Basisschool", relation="alt")
    practice = make_practice(title="Gerichte Feedbáck", lead="Je zegt wat beter kan.", concepts=[
        concept, make_concept("publiek", "leerkracht")])  # fmt: skip
    make_summary(title="Feedback samengevat")
    for query in ("feedback", "FEEDBÁCK gerichte", "beter", "basisschool", "lager onderwijs", "leerkracht"):
        assert matching(query, "practice") == [practice.item_id], query
    for query in ("huiswerk", "samengevat"):
        assert matching(query, "practice") == [], query


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["", "?", "a", "\x00"])
def test_a_query_without_words_is_no_query(query):
    assert matching(query, "practice") is None


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["%%", "__", "f%k", "\\\\", "'; drop table", "feedback\x00"])
def test_signs_with_a_meaning_in_sql_have_none_here(query):
    practice = make_practice(title="Feedback")
    assert matching(query, "practice") in (None, [], [practice.item_id] if "feedback" in query else [])


@pytest.mark.django_db
def test_indexing_again_replaces_and_removing_removes():
    practice = make_practice(title="Feedback")
    index(practice)
    assert SearchEntry.objects.filter(kind="practice").count() == 1
    remove(practice.item)
    assert matching("feedback", "practice") == []
    index(practice)
    assert matching("feedback", "practice") == [practice.item_id]


@pytest.mark.django_db
def test_a_summary_is_found_by_its_question_and_answer():
    summary = make_summary(question="Helpt huiswerk?", answer="Vooral in de bovenbouw.")
    assert matching("huiswerk bovenbouw", "summary") == [summary.item_id]
