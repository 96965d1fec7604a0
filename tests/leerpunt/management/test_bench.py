import json
import subprocess

import pytest
from django.core.management import CommandError, call_command

from leerpunt.management.commands import bench
from leerpunt.management.commands.bench import Measured
from tests.factories import make_concept, make_source

PAGES = [
    "overview",
    "overview, two filters",
    "overview, filters, words, sorted",
    "overview, last page",
    "practice",
]


@pytest.mark.django_db
def test_every_page_is_asked_and_answers(capsys):
    for scheme, slugs in {"niveau": ["kleuter", "lager", "secundair"], "publiek": ["leerkracht", "directeur"]}.items():
        for slug in slugs:
            make_concept(scheme, slug)
    for number in range(8):
        make_source(f"bron-{number}")
    call_command("bench", measure=25, rounds=4)
    measured = [Measured(**page) for page in json.loads(capsys.readouterr().out.splitlines()[-1])]
    assert [page.page for page in measured] == PAGES
    assert all(0 < page.p50 <= page.p95 for page in measured)


def test_the_report_holds_every_size_of_every_database(monkeypatch, tmp_path, capsys):
    def measured(database, size, rounds):
        return [Measured("overview", size / 10 if database == "SQLite" else size, size * 2 + rounds)]

    monkeypatch.setattr(bench, "in_own_process", measured)
    monkeypatch.setattr(bench, "has_postgres", lambda: True)
    monkeypatch.setattr(bench, "TARGET", tmp_path / "docs" / "benchmarks.md")
    call_command("bench", sizes=[100, 500], rounds=7)
    report = (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert "## SQLite" in report
    assert "| page | 100 practices | 500 practices | growth |" in report
    assert "| overview | 10.0 / 207 | 50.0 / 1007 | 5.0 |" in report
    assert "| overview | 100 / 207 | 500 / 1007 | 5.0 |" in report
    assert report in capsys.readouterr().out


def test_without_postgres_the_report_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "in_own_process", lambda *_: [Measured("overview", 1, 2)])
    monkeypatch.setattr(bench, "POSTGRES", tmp_path / "no-such-script")
    monkeypatch.setattr(bench, "TARGET", tmp_path / "benchmarks.md")
    call_command("bench", sizes=[100])
    assert "PostgreSQL was not measured" in (tmp_path / "benchmarks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("database", "first"), [("SQLite", "python"), ("PostgreSQL", "bash")])
def test_each_size_is_measured_in_a_process_and_database_of_its_own(monkeypatch, database, first):
    asked = {}

    def run(command, **options):
        asked.update(command=command, **options)
        return subprocess.CompletedProcess(command, 0, stdout='noise\n[{"page": "x", "p50": 1, "p95": 2}]\n', stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    assert bench.in_own_process(database, 100, 5) == [Measured("x", 1, 2)]
    assert first in asked["command"][0]
    assert "--measure=100" in asked["command"]
    assert asked["env"]["LEERPUNT_MODE"] == "development"
    if database == "SQLite":
        assert asked["env"]["DATABASE_URL"].startswith("sqlite:///")


def test_a_failure_is_told_with_its_cause(monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", "no disk"))
    with pytest.raises(CommandError, match="no disk"):
        bench.in_own_process("SQLite", 100, 5)


@pytest.mark.django_db
def test_an_error_page_is_never_fast(client):
    with pytest.raises(CommandError, match="answered 404"):
        bench.timed(client, "practice", ["/praktijken/bestaat-niet/"] * 3)
