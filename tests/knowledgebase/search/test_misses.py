from datetime import date, timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from knowledgebase.models import SearchMiss
from knowledgebase.search import misses

pytestmark = pytest.mark.django_db
TODAY = "2026-11-22T10:00:00+00:00"


@pytest.fixture(autouse=True)
def _fresh_minute(monkeypatch, time_machine):
    monkeypatch.setattr(misses, "_this_minute", {"minute": 0, "written": 0})
    time_machine.move_to(TODAY, tick=False)


def counted():
    return [(miss.day.isoformat(), miss.query, miss.times) for miss in SearchMiss.objects.all()]


def test_a_query_is_counted_once_a_day_however_it_is_written(time_machine):
    for query in ("Klas  op stelten", "klas op stelten ", "KLAS OP STELTEN", "iets anders"):
        misses.count(query)
    time_machine.move_to("2026-11-23T10:00:00+00:00", tick=False)
    misses.count("klas op stelten")
    assert counted() == [
        ("2026-11-23", "klas op stelten", 1),
        ("2026-11-22", "klas op stelten", 3),
        ("2026-11-22", "iets anders", 1),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "", "   ", "x" * 81, "woord " * 20, "an.peeters@school.be", "bel 0470 12 34 56", "85.07.30-033.28",
        "03/123.45.67", "leerling 123456",
    ],
)  # fmt: skip
def test_what_is_long_empty_or_looks_personal_is_not_kept(query):
    misses.count(query)
    assert counted() == []


@pytest.mark.parametrize("query", ["x" * 80, "groep 3 en 4", "1 op 5", "4-jarigen in 2026", "'; DROP TABLE x; --"])
def test_short_queries_with_a_number_are_counted(query):
    misses.count(query)
    assert counted() == [("2026-11-22", query.casefold(), 1)]


def test_a_robot_fills_neither_the_table_nor_the_disk(monkeypatch):
    monkeypatch.setattr(misses, "MOST_A_DAY", 3)
    for number in range(5):
        misses.count(f"onzin-{number}")
    misses.count("onzin-0")
    assert [(query, times) for _day, query, times in counted()] == [("onzin-0", 2), ("onzin-1", 1), ("onzin-2", 1)]
    monkeypatch.setattr(misses, "MOST_A_MINUTE", 7)
    misses.count("onzin-0")
    with CaptureQueriesContext(connection) as queries:
        misses.count("onzin-0")
    assert len(queries) == 0
    assert counted()[0][2] == 3


def test_old_counts_are_thrown_away_by_the_first_of_a_day():
    today = date(2026, 11, 22)
    SearchMiss.objects.create(day=today - misses.KEPT - timedelta(days=1), query="oud")
    SearchMiss.objects.create(day=today - misses.KEPT, query="net niet")
    misses.count("nieuw")
    assert [query for _day, query, _times in counted()] == ["nieuw", "net niet"]


def test_a_database_that_cannot_write_now_harms_no_reader(monkeypatch):
    def busy(_text):
        raise OperationalError("database is locked")

    monkeypatch.setattr(misses, "_write", busy)
    misses.count("iets")
    assert counted() == []


def test_waiting_for_another_writer_is_short_and_only_here():
    def patience():
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout" if connection.vendor == "sqlite" else "SHOW lock_timeout")
            return cursor.fetchone()[0]

    usual = patience()
    with misses._patience():
        assert patience() == (misses.WAIT if connection.vendor == "sqlite" else usual)
    misses.count("iets")
    if connection.vendor == "sqlite":
        assert patience() == usual
