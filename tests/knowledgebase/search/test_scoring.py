from dataclasses import replace

import pytest

from knowledgebase.search import scoring
from knowledgebase.search.analysis import key_of
from knowledgebase.search.engine import Document
from knowledgebase.search.scoring import Known, idf, keys_of, plan, prepare, tie
from knowledgebase.search.understanding import MOST_ALTERNATIVES, MOST_WORDS, Alternative, Clause, Understood

pytestmark = pytest.mark.django_db  # the analysis asks for the word forms of the editors
EMPTY = Document(kind="practice", object_id=1, key="a", title="", url="/a/")


def clause(*alternatives, soft=False):
    return Clause(" ".join(alternatives[0][0]), tuple(Alternative(*row) for row in alternatives), soft)


def known(total=100, **dfs):
    return Known({key: (number, df) for number, (key, df) in enumerate(dfs.items(), start=1)}, total)


def test_nothing_says_nothing():
    prepared = prepare(EMPTY)
    assert (prepared.impacts, prepared.words, prepared.title_words) == ({}, frozenset(), {})


@pytest.mark.parametrize(
    ("field", "impact"), [("title", 833), ("also", 714), ("summary", 749), ("body", 675), ("about", 455)]
)
def test_a_word_counts_by_where_it_stands(field, impact):
    [(key, found)] = prepare(replace(EMPTY, **{field: "Feedback"})).impacts.items()
    assert (key, found) == ("feedback", impact)


def test_a_word_counts_less_in_a_long_text_and_more_when_it_comes_back():
    once, long = replace(EMPTY, body="feedback"), replace(EMPTY, body="feedback " + "woord " * 2_000)
    twice = replace(EMPTY, body="feedback feedback")
    found = [prepare(document).impacts["feedback"] for document in (long, once, twice)]
    assert found == sorted(found)
    assert len(set(found)) == 3


def test_parts_of_a_compound_count_half():
    impacts = prepare(replace(EMPTY, about="klasmanagement")).impacts
    assert len(impacts) == 3
    assert sorted(impacts.values()) == [294, 294, 455]


def test_a_query_under_which_a_text_is_looked_for_counts_once():
    assert prepare(replace(EMPTY, also="stil\nstil\nstil")).impacts == prepare(replace(EMPTY, also="stil")).impacts


def test_keys_stand_in_their_order_and_no_phrase_runs_over_a_field():
    document = replace(EMPTY, title="Feedback", body="Huiswerk feedback", also="geheim", about="verborgen")
    assert prepare(document).keys == f" feedback | | {key_of('huiswerk')} feedback | "


def test_words_longer_than_any_word_are_left_out():
    prepared = prepare(replace(EMPTY, title="x" * 500))
    assert all(len(key) <= 60 for key in prepared.impacts)
    assert prepared.words == frozenset()


def test_a_rare_word_tells_more():
    assert [idf(df, 1_000) for df in (1, 10, 100, 500, 1_000)] == [650, 456, 230, 69, 1]
    assert idf(5, 0) == idf(0, 0) == 69


def test_the_tie_is_the_same_in_every_database():
    assert tie("practice", "feedback") == 3_370_986_473_088_769_694
    assert tie("practice", "a") != tie("source", "a")
    assert 0 <= tie("x", "y") < 2**63


def test_words_that_no_text_holds_are_left_out_and_named():
    planned = plan(Understood((clause((("a",), 100)), clause((("b",), 100)))), known(a=3))
    assert [each.text for each in planned.clauses] == ["a"]
    assert planned.missing == ("b",)
    assert planned.needed == 30 * idf(3, 100)


def test_an_alternative_counts_when_all_its_words_are_known():
    [planned] = plan(Understood((clause((("x",), 100), (("a", "b"), 80), (("a", "z"), 80)),)), known(a=3, b=4)).clauses
    assert [option.keys for option in planned.options] == [("a", "b")]
    assert planned.options[0].points((1_000, 500)) == (1_000 * idf(3, 100) + 500 * idf(4, 100)) * 80 // 2


def test_common_words_only_break_ties_beside_others():
    words = (clause((("veel",), 100)), clause((("rare",), 100)))
    first, second = plan(Understood(words), known(veel=60, rare=2)).clauses
    assert (first.soft, first.mass, second.soft) == (True, 0, False)
    [alone] = plan(Understood(words[:1]), known(veel=60)).clauses
    assert (alone.soft, alone.mass) == (False, idf(60, 100))
    assert scoring.points(first, first.options[0], (1_000,)) == 1_000 * idf(60, 100) * 100 // scoring.TIE


def test_a_word_in_very_many_texts_breaks_no_ties_either():
    words = (clause((("veel",), 100)), clause((("rare",), 100)))
    planned = plan(Understood(words), known(100_000, veel=60_000, rare=2))
    assert [each.text for each in planned.clauses] == ["rare"]


def test_a_common_word_stands_for_no_other():
    [planned] = plan(Understood((clause((("rare",), 100), (("veel",), 90)),)), known(veel=60, rare=2)).clauses
    assert [option.keys for option in planned.options] == [("rare",)]


@pytest.mark.parametrize(("total", "options"), [(100, 2), (10_000, 1)])
def test_common_words_stand_for_another_together_until_they_are_in_very_many_texts(total, options):
    words = clause((("rare",), 100), (("veel", "meer"), 90))
    [planned] = plan(Understood((words,)), known(total, veel=total // 2, meer=total // 2, rare=2)).clauses
    assert len(planned.options) == options


def test_a_phrase_with_a_word_that_no_text_holds_is_impossible():
    assert plan(Understood((), phrases=(("a", "x"),)), known(a=1)).impossible
    planned = plan(Understood((), phrases=(("a", "b"),)), known(a=1, b=1))
    assert (planned.impossible, planned.phrases, planned.hard) == (False, (" a b ",), 1)


def test_what_is_left_out_needs_to_be_known():
    assert plan(Understood((clause((("a",), 100)),), excluded=("b", "x")), known(a=1, b=1)).excluded == (2,)


def test_a_query_has_a_most_of_everything():
    clauses = tuple(clause(*(((f"k{n}-{m}",), 100) for m in range(50))) for n in range(50))
    assert len(keys_of(Understood(clauses))) == MOST_WORDS * MOST_ALTERNATIVES
