"""The same totals, order and counts everywhere: each database is compared with one ranking in plain Python."""

import pytest

from knowledgebase.search.analysis import words
from knowledgebase.search.database import DatabaseEngine
from knowledgebase.search.scoring import prepare

from .reference import DUTCH, Reference, documents, queries

pytestmark = pytest.mark.django_db
SIZE = 10


def keys_of(vocabulary):
    return list(dict.fromkeys(key for word in words(" ".join(vocabulary)) for key in (word.key, *word.parts)))


def compare(made, asked, engine):
    reference = Reference(made)
    found_something = 0
    for number, (query, filters, page) in enumerate(asked):
        found = engine.search(query, filters=filters, page=page, size=SIZE)
        shown = [(hit.key, hit.score) for hit in found.hits]
        expected = reference.found(query, filters, page, SIZE)
        assert (shown, found.total, found.facets) == expected, f"query {number}: {query} {filters}"
        found_something += found.total > 0
    return found_something


def test_500_queries_on_50_documents():
    made, engine = documents(50, seed=1), DatabaseEngine()
    engine.index(made)
    assert compare(made, queries(500, seed=2, keys=keys_of(DUTCH)), engine) > 250


def test_what_is_changed_and_taken_out_again_leaves_nothing():
    engine, others = DatabaseEngine(), documents(40, seed=9)
    engine.index(others)
    made = documents(30, seed=3)
    engine.index(made)  # the first 30 again, otherwise
    engine.index(made)
    numbers = {document.object_id: document for document in made}
    unchanged = {(document.kind, document.object_id) for document in made}
    for document in others:
        if (document.kind, document.object_id) not in unchanged:
            engine.remove(document.kind, [document.object_id])
    assert len(numbers) == 30
    compare(made, queries(100, seed=4, keys=keys_of(DUTCH)), engine)


@pytest.mark.slow
def test_500_queries_on_10_000_documents():
    vocabulary = [*DUTCH, *(f"{first}{second}{third}" for first in ("ba", "ko", "mi", "tu", "re") for second in
                            ("la", "no", "ri", "su", "de", "fo") for third in ("k", "m", "n", "s", "ta", "vel"))]  # fmt: skip
    made, engine = documents(10_000, seed=5, vocabulary=vocabulary, length=40), DatabaseEngine()
    for start in range(0, len(made), 500):
        engine.index(made[start : start + 500])
    assert compare(made, queries(500, seed=6, keys=keys_of(vocabulary)), engine) > 250


def test_a_text_says_the_same_whatever_else_there_is():
    [text] = documents(1, seed=1)
    assert prepare(text).digest == prepare(text).digest
