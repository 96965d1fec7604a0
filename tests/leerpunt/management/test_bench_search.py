import json

import pytest
from django.core.management import call_command

from knowledgebase.models import SearchEntry
from knowledgebase.search.engine import search
from knowledgebase.search.understanding import understand
from leerpunt.management.commands import bench_search
from leerpunt.management.commands.bench_search import Measured, fill, plan_of

MADE = {
    "texts": 1000, "terms": 9, "postings": 99, "words": 8, "search": (1.5, 2.5), "busy": 1.2, "slowest": "lezen", "typing": (0.5, 0.6),
    "seconds": 3.2, "plan": ["Sort", *["Append"] * 50],
}  # fmt: skip


@pytest.mark.django_db
def test_an_invented_index_is_searched_as_a_real_one(monkeypatch):
    monkeypatch.setattr(bench_search, "BATCH", 7)
    monkeypatch.setattr(bench_search, "tidy", lambda: None)  # no VACUUM inside a transaction
    fill(20)
    assert SearchEntry.objects.count() == 20
    assert search(understand("lezen leerlingen")).total > 0
    assert any("SEARCH" in line or "Index" in line or "Scan" in line for line in plan_of("lezen leerlingen"))


def test_the_report_holds_every_size_with_its_plan(monkeypatch, tmp_path, capsys):
    asked = []
    monkeypatch.setattr(bench_search, "said_by", lambda *words: asked.append(words) or json.loads(json.dumps(MADE)))
    monkeypatch.setattr(bench_search, "has_postgres", lambda: True)
    monkeypatch.setattr(bench_search, "TARGET", tmp_path / "search.md")
    call_command("bench_search", sizes=[1000], rounds=2)
    report = (tmp_path / "search.md").read_text(encoding="utf-8")
    assert report in capsys.readouterr().out
    assert report.count("| 1,000 | 9 | 99 | 1.5 / 2.5 | 1.2 | 0.5 / 0.6 | 3 s | lezen |") == 2
    assert report.count("… 11 lines more") == 2
    assert asked == [(name, ["bench_search", "--measure=1000", "--rounds=2"]) for name in ("SQLite", "PostgreSQL")]
    assert Measured(**MADE).texts == 1000


def test_without_postgres_only_sqlite_is_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(bench_search, "said_by", lambda *_words: MADE)
    monkeypatch.setattr(bench_search, "has_postgres", lambda: False)
    monkeypatch.setattr(bench_search, "TARGET", tmp_path / "search.md")
    call_command("bench_search", sizes=[1000])
    assert "## PostgreSQL" not in (tmp_path / "search.md").read_text(encoding="utf-8")
