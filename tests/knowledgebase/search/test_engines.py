"""The contract of every engine: the database's always, OpenSearch's where OPENSEARCH_URL names a cluster."""

import os
import uuid

import pytest

from knowledgebase.search.database import DatabaseEngine
from knowledgebase.search.engine import Document, explain, search, suggest
from knowledgebase.search.opensearch import OpenSearchEngine
from knowledgebase.search.understanding import Alternative, Clause, Understood
from tests.factories import make_practice, rating

pytestmark = pytest.mark.django_db(transaction=True)
ENGINES = [DatabaseEngine, *([OpenSearchEngine] if os.environ.get("OPENSEARCH_URL") else [])]


@pytest.fixture(params=ENGINES)
def engine(request, settings):
    settings.OPENSEARCH_INDEX = f"leerpunt-test-{uuid.uuid4().hex[:12]}"
    made = request.param()
    made.index(TEXTS)
    yield made
    if isinstance(made, OpenSearchEngine):
        made.client.indices.delete(index=f"{settings.OPENSEARCH_INDEX}-*")


def text(number, title, **fields):
    return Document(
        kind=fields.pop("kind", "practice"),
        object_id=number,
        key=f"t{number}",
        title=title,
        url=f"/{number}/",
        **fields,
    )


TEXTS = [
    text(1, "Feedback geven", summary="Zeg wat beter kan.", facets=("niveau:lager", "sterkte:0"), strength=3),
    text(2, "Huiswerk", summary="Met feedback.", body="Thuis oefenen.", facets=("niveau:lager",)),
    text(3, "Toetsen", body="Na het huiswerk komt feedback.", also="overhoren", facets=("niveau:secundair",)),
    text(4, "Rekenfeiten", body="Vlot rekenen.", facets=("niveau:secundair",)),
    text(1, "Feedback works", kind="source", summary="Jansen, 2020."),
]


def asking(*words, **fields):
    from knowledgebase.search.analysis import key_of

    clauses = tuple(Clause(word, (Alternative((key_of(word),), 100),)) for word in words)
    keyed = {name: tuple(map(key_of, value)) for name, value in fields.items() if name == "excluded"}
    phrases = tuple(tuple(map(key_of, phrase)) for phrase in fields.get("phrases", ()))
    return Understood(clauses, phrases=phrases, **keyed)


def found(engine, query, **filters):
    answer = engine.search(query, filters=filters, page=1, size=10)
    return [(hit.kind, hit.object_id) for hit in answer.hits]


def test_titles_before_summaries_before_texts(engine):
    assert found(engine, asking("feedback"), soort=["praktijk"]) == [("practice", 1), ("practice", 2), ("practice", 3)]


def test_what_is_also_searched_weighs_as_a_title_and_parts_of_compounds_are_found(engine):
    assert found(engine, asking("overhoren")) == [("practice", 3)]
    assert found(engine, asking("rekenen")) == [("practice", 4)]


def test_totals_pages_and_facets(engine):
    answer = engine.search(asking("feedback"), filters={"niveau": ["lager"]}, page=2, size=1)
    assert (answer.total, answer.pages, answer.page) == (2, 2, 2)
    assert [hit.title for hit in answer.hits] == ["Huiswerk"]
    assert answer.facets["niveau"] == {"lager": 2, "secundair": 1}
    assert answer.facets["soort"] == {"praktijk": 2}
    beyond = engine.search(asking("feedback"), filters={}, page=99, size=10)
    assert (beyond.hits, beyond.total) == ([], 4)


def test_filters_hold_together_and_within_one_any_value(engine):
    query = asking("feedback")
    assert len(found(engine, query, niveau=["lager", "secundair"])) == 3
    assert found(engine, query, niveau=["secundair"], soort=["praktijk"]) == [("practice", 3)]
    assert found(engine, query, niveau=["secundair"], soort=["bron"]) == []
    assert found(engine, query, soort=["bron"]) == [("source", 1)]


def test_more_words_find_what_holds_most_of_them(engine):
    assert found(engine, asking("huiswerk", "feedback"), soort=["praktijk"])[:2] == [("practice", 2), ("practice", 3)]


def test_words_that_no_text_holds(engine):
    assert found(engine, asking("xyzzy")) == []
    assert len(found(engine, asking("xyzzy", "huiswerk"))) == 2


def test_phrases_and_what_is_left_out(engine):
    assert found(engine, asking(phrases=[("thuis", "oefenen")])) == [("practice", 2)]
    assert found(engine, asking(phrases=[("oefenen", "thuis")])) == []
    assert found(engine, asking(phrases=[("beter", "kan"), ("feedback", "geven")])) == [("practice", 1)]
    assert found(engine, asking("feedback", excluded=["huiswerk"]), soort=["praktijk"]) == [("practice", 1)]


def test_a_phrase_does_not_run_from_title_to_text(engine):
    assert found(engine, asking(phrases=[("huiswerk", "met")])) == []


def test_matching_is_the_same_without_pages(engine):
    assert engine.matching(asking("feedback"), "practice") == [1, 2, 3]
    assert engine.matching(asking("feedback"), "source") == [1]
    assert engine.matching(Understood(()), "practice") == []


def test_removing_and_replacing(engine):
    engine.remove("practice", [1, 99])
    engine.index([text(2, "Klasmanagement")])
    assert sorted(found(engine, asking("feedback"))) == [("practice", 3), ("source", 1)]
    assert found(engine, asking("klasmanagement")) == [("practice", 2)]


def test_rebuilding_holds_what_is_public(engine):
    make_practice(title="Nakijken samen")
    assert engine.rebuild() == 2  # and its source
    assert found(engine, asking("huiswerk")) == []
    assert len(found(engine, asking("nakijken"))) == 1


def test_suggestions_are_titles_first(engine):
    assert [(one.text, one.url) for one in engine.suggest("feedb", limit=3)] == [
        ("Feedback geven", "/1/"), ("Feedback works", "/1/"), ("feedback", ""),
    ]  # fmt: skip
    assert [one.text for one in engine.suggest("Feedback GE", limit=3)] == ["Feedback geven"]
    assert [one.text for one in engine.suggest("overh", limit=3)] == ["Toetsen", "overhoren"]
    assert engine.suggest("", limit=3) == engine.suggest("?!", limit=3) == []


def test_a_query_of_nothing_finds_nothing(engine):
    answer = engine.search(Understood(()), filters={}, page=1, size=10)
    assert (answer.hits, answer.total, answer.facets, answer.pages) == ([], 0, {}, 1)


def test_an_explanation_adds_up_to_the_score(engine):
    answer = engine.search(asking("feedback", "geven"), filters={}, page=1, size=10)
    why = engine.explain(asking("feedback", "geven"), "practice", 1)
    assert [point.clause for point in why.points] == ["feedback", "geven"]
    assert (why.coverage, why.boost, why.is_hit) == (100, 109, True)
    assert why.score == sum(point.points for point in why.points) * why.boost
    if type(engine) is DatabaseEngine:
        assert answer.hits[0].score == why.score
    assert engine.explain(asking("feedback"), "practice", 99) is None
    assert engine.explain(asking("feedback"), "practice", 4).is_hit is False


def test_the_chosen_engine_finds_practices_by_their_strength():
    practice = make_practice(title="Feedback", ratings=[rating("0.48", strength=4)])
    answer = search(asking("feedback"), filters={"sterkte": ["3"]})
    assert [hit.object_id for hit in answer.hits] == [practice.item_id]
    assert search(asking("feedback"), filters={"sterkte": ["5"]}).total == 0
    assert explain(asking("feedback"), "practice", practice.item_id).boost == 112
    assert [one.text for one in suggest("feedb")] == ["Feedback"]
