import json
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import call_command

from knowledgebase.management.commands import bench_words

pytestmark = pytest.mark.django_db
STEPS = 9


def test_every_step_is_measured(capsys, monkeypatch):
    monkeypatch.setattr(bench_words, "WORDS", 50)
    call_command("bench_words", "--measure")

    found = json.loads(capsys.readouterr().out)
    assert len(found) == STEPS
    assert all(seconds >= 0 for seconds, _megabytes in found.values())


def test_the_median_of_fresh_processes_is_a_table(capsys, monkeypatch):
    rounds = iter([{"een": (0.1, 1.0), "twee": (0.2, 0.0)}, {"een": (0.3, 3.0), "twee": (0.2, 0.5)}] * 2)
    monkeypatch.setattr(bench_words, "in_fresh_process", lambda: next(rounds))
    call_command("bench_words", "--rounds", "3")

    assert capsys.readouterr().out.splitlines() == [
        "| step | CPU time | memory of the process alone |",
        "|---|---|---|",
        "| een | 100.0 ms | +1.0 MB |",
        "| twee | 200.0 ms | +0.0 MB |",
    ]


def test_without_a_database_it_says_what_makes_one(capsys, monkeypatch):
    monkeypatch.setattr(bench_words.connection.introspection, "table_names", list)
    call_command("bench_words")

    assert capsys.readouterr().err == "There is no database with words yet: `make demo` makes one.\n"


@pytest.mark.slow
def test_a_worker_opens_the_lexicon_in_no_time_and_in_little_memory(monkeypatch, tmp_path):
    monkeypatch.setenv("LEERPUNT_MODE", "development")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'words.sqlite3'}")
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, check=True, cwd=settings.BASE_DIR)
    found = bench_words.in_fresh_process()
    opening = sum(found[step][0] for step in list(found)[:3])
    memory = sum(megabytes for _seconds, megabytes in found.values())
    assert (opening < 0.5, memory < 20) == (True, True), found
