import json

import pytest
from django.core.management import call_command

from leerpunt.management.commands import bench_results
from leerpunt.management.commands.bench import Measured

KINDS = ["page as published", "rows since a year", "without outliers", "another model"]


@pytest.mark.slow
@pytest.mark.django_db
def test_every_switch_is_asked_of_both_sets(capsys):
    call_command("bench_results", measure=True, rounds=2)
    measured = [Measured(**page) for page in json.loads(capsys.readouterr().out.splitlines()[-1])]
    pages = [f"{kind}, {size}" for size in bench_results.SETS for kind in KINDS]
    assert [page.page for page in measured] == [*pages, bench_results.PACE]
    assert all(0 < page.p50 <= page.p95 for page in measured)


def test_its_part_of_the_report_is_replaced_and_the_rest_stays(monkeypatch, tmp_path):
    target = tmp_path / "benchmarks.md"
    target.write_text("# Benchmarks\n\nAndere cijfers.\n", encoding="utf-8")
    asked = []
    monkeypatch.setattr(bench_results, "TARGET", target)
    monkeypatch.setattr(bench_results, "has_postgres", lambda: True)
    monkeypatch.setattr(
        bench_results, "in_process", lambda name, words: [asked.append((name, words)), Measured("een", 1, 2, 0.5)][1:]
    )
    for _ in range(2):
        call_command("bench_results", rounds=7)
    assert asked[:2] == [(name, ["bench_results", "--measure", "--rounds=7"]) for name in ("SQLite", "PostgreSQL")]
    report = target.read_text(encoding="utf-8")
    assert report.startswith("# Benchmarks\n\nAndere cijfers.\n\n## Study rows recomputed\n")
    assert report.count("## Study rows recomputed") == 1
    assert "60 ms on 50 rows and 400 ms on 1,653 rows" in report
    assert report.endswith("| een | 1 / 2 (0.5) | 1 / 2 (0.5) |\n")
