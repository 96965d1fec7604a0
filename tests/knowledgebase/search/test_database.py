from dataclasses import replace

import pytest
from django.db import OperationalError, connection

from knowledgebase.search import database
from knowledgebase.search.database import DatabaseEngine
from knowledgebase.search.understanding import Alternative, Clause, Understood, understand

from .reference import documents as invented

ONE = Understood((Clause("feedback", (Alternative(("feedback",), 100),)),))


def documents(number, *, seed):
    """So many documents that all hold the word of the query."""
    return [replace(document, summary=f"feedback {document.summary}") for document in invented(number, seed=seed)]


@pytest.mark.django_db
@pytest.mark.parametrize("number", [1, 3, 30])
def test_a_page_asks_the_same_of_the_database(django_assert_num_queries, number):
    engine = DatabaseEngine()
    engine.index(documents(number, seed=1))
    with django_assert_num_queries(4):  # facets, terms, hits, texts
        engine.search(ONE, filters={"niveau": ["lager"]}, page=1, size=20)
    with django_assert_num_queries(3):
        engine.matching(ONE, "practice")


@pytest.mark.django_db
@pytest.mark.parametrize("number", [1, 3, 30])
def test_indexing_asks_the_same_for_one_and_many(django_assert_max_num_queries, number):
    engine = DatabaseEngine()
    engine.index(documents(2, seed=2))
    with django_assert_max_num_queries(40):  # a row of a bitmap each
        engine.index(documents(number, seed=1))


@pytest.mark.django_db
def test_the_same_again_writes_nothing(django_assert_num_queries):
    engine, made = DatabaseEngine(), documents(3, seed=1)
    engine.index(made)
    with django_assert_num_queries(6):  # the word forms, a savepoint, the lock, the entries, what is stored
        engine.index(made)


@pytest.mark.django_db(transaction=True)
def test_a_search_that_takes_too_long_is_stopped(monkeypatch):
    engine = DatabaseEngine()
    engine.index(documents(5, seed=1))
    if connection.vendor == "postgresql":
        monkeypatch.setattr(database, "AT_MOST", 100)
        monkeypatch.setattr(database, "statement", lambda _plan: ("SELECT 1, 1, true, 1 FROM pg_sleep(5)", []))
        found = engine.search(ONE, filters={}, page=1, size=20)
        assert (found.too_slow, found.hits, found.total) == (True, [], 0)
        assert engine.matching(ONE, "practice") == []
    else:  # nothing stops SQLite; a fault is a fault
        monkeypatch.setattr(database, "statement", lambda _plan: ("SELECT nothing FROM nowhere", []))
        with pytest.raises(OperationalError):
            engine.search(ONE, filters={}, page=1, size=20)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed",
    ["a" * 10_000, "de het een", "\x00\x01\x7f", "'; DROP TABLE x; --", '"', '""', "NEAR(a b) OR *", "🙂🙂", "القراءة",
     "-", "--", "-lezen", '-"lezen"', "lezen " * 3_000, "%_%", "\\", "{}[]()", "a" * 61, "\ud800lezen"],
)  # fmt: skip
def test_whatever_is_typed_gives_an_answer(typed):
    engine = DatabaseEngine()
    engine.index(documents(20, seed=1))
    found = engine.search(understand(typed), filters={"niveau": ["'; --", "\x00"]}, page=1, size=20)
    assert found.total >= 0
    assert engine.suggest(typed, limit=5) is not None


@pytest.mark.django_db
def test_a_page_that_does_not_exist_is_empty():
    engine = DatabaseEngine()
    engine.index(documents(20, seed=1))
    whole = engine.search(ONE, filters={}, page=1, size=100)
    assert whole.pages == 1
    for page in (0, -1, 99):
        found = engine.search(ONE, filters={}, page=page, size=5)
        assert (found.hits, found.total) == ([], whole.total)
