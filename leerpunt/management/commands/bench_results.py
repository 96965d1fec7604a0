"""How fast a text that rests on study rows answers to a switch: the page recomputed, nothing kept, in a warm server.

48 real rows (one effect a study) and 1,653 (many), in a database of its own; the year of the latter is made up, so that
every request of "since" leaves other rows. Requests go through the whole of Django inside the process.
"""

import csv
import json
import os
import statistics
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.test import Client

from knowledgebase import results
from knowledgebase.models import EffectSize, Study

from .bench import TARGET, Measured, has_postgres, in_process, timed

ROUNDS = 30
DATA = settings.BASE_DIR / "tests" / "data" / "meta-analysis"
SETS = {  # file, column of the study, limit in milliseconds for the median
    "50 rows": ("bangertdrowns2004", "id", 60),
    "1,653 rows": ("mccurdy2020", "article", 400),
}
HEADING = "## Study rows recomputed"
YEARS = range(1970, 1995)
PACE = "a loop of a million sums, to compare machines and hours (median / slowest)"


class Command(BaseCommand):
    help = "Measure how fast switches on study rows answer, and write that part of docs/benchmarks.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rounds", type=int, default=ROUNDS, help="Requests for each page.")
        parser.add_argument(
            "--measure", action="store_true", help="Fill the empty database of DATABASE_URL and measure."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["measure"]:
            self.stdout.write(json.dumps([asdict(page) for page in measure(options["rounds"])]))
            return
        found = {
            name: in_process(name, ["bench_results", "--measure", f"--rounds={options['rounds']}"])
            for name in ("SQLite", *(["PostgreSQL"] if has_postgres() else []))
        }
        report = table(found, options["rounds"])
        self.stdout.write(report)
        before = TARGET.read_text(encoding="utf-8") if TARGET.exists() else "# Benchmarks\n"
        TARGET.write_text(f"{before.partition(HEADING)[0].rstrip()}\n\n{report}", encoding="utf-8")


def measure(rounds: int) -> list[Measured]:
    call_command("migrate", verbosity=0)
    client = Client(headers={"host": "localhost", "accept-encoding": "br"})
    found, paces = [], []
    for size, (name, study, _limit) in SETS.items():
        address = f"{published(name, study)}cijfers/"
        pages = {
            "page as published": [address],
            "rows since a year": [f"{address}?vanaf={year}" for year in YEARS],
            "without outliers": [f"{address}?zonder-uitschieters=ja"],
            "another model": [f"{address}?model=drie-niveaus", f"{address}?model=per-studie"],
        }
        for page, addresses in pages.items():
            asked = [addresses[place % len(addresses)] for place in range(rounds)]
            paces.append(pace())
            found.append(timed(client, f"{page}, {size}", asked, before=forget))
    middle = round(statistics.median(paces), 1)
    return [*found, Measured(PACE, middle, round(max(paces), 1), middle)]


def pace() -> float:
    """How fast the machine is just now: milliseconds of processor time for a fixed loop."""
    started = time.process_time()
    total = 0
    for number in range(1_000_000):
        total += number * number
    return (time.process_time() - started) * 1_000


def forget() -> None:
    """What the process keeps of results; that rows of a published version are kept is how the server works."""
    results.forget()


def published(name: str, study: str) -> str:
    """A published practice that rests on the rows of a reference set; its address."""
    make = import_module("tests.factories")  # a bench runs beside the tests
    rows = list(read(name))
    synthesis, by = make.make_source(name), make.anybody()
    keys = dict.fromkeys(row[study] for row in rows)
    Study.objects.bulk_create(
        Study(
            key=f"{name}-{number}", label=f"Studie {key}", synthesis=synthesis,
            year=YEARS[number % len(YEARS)], pupils=20 + number, design=("randomised", "quasi", "unknown")[number % 3],
        )
        for number, key in enumerate(keys)
    )  # fmt: skip
    studies = dict(zip(keys, Study.objects.filter(synthesis=synthesis).order_by("pk"), strict=True))
    effects = EffectSize.objects.bulk_create(
        EffectSize(
            study=studies[row[study]], outcome=f"uitkomst {number}", effect=float(row["yi"]), variance=float(row["vi"]),
            moderators={"soort": row.get("condition") or row.get("grade") or ""}, created_by=by,
        )
        for number, row in enumerate(rows)
    )  # fmt: skip
    version = make.make_practice(
        name, effects=effects, selection={"moderators": ["soort", "design"], "synthesis": synthesis},
        ratings=[make.rating(basis="studies", unknown_reason="", strength_reason="")],
    )  # fmt: skip
    return str(version.get_absolute_url())


def read(name: str) -> Iterator[dict[str, str]]:
    with (DATA / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        yield from (row for row in csv.DictReader(file) if row["yi"] and row["vi"])


def table(found: dict[str, list[Measured]], rounds: int) -> str:
    """The part of the report, as Markdown."""
    limits = " and ".join(f"{limit} ms on {size}" for size, (_name, _study, limit) in SETS.items())
    lines = [
        HEADING,
        "",
        "Written by `make bench`. Milliseconds for the whole page `cijfers/` in a warm process, recomputed for every request",
        f"(no result is kept): median and 95th percentile of {rounds} requests, and the median of processor time.",
        f"Aims for the median: {limits}.",
        f"Other programs kept {max(0.0, os.getloadavg()[1] - 1):.0f} processes busy on {os.cpu_count()} processors meanwhile.",
        "",
        "| page | " + " | ".join(found) + " |",
        "|---|" + "---:|" * len(found),
    ]
    for place, page in enumerate(next(iter(found.values()))):
        cells = [f"{pages[place].p50} / {pages[place].p95} ({pages[place].cpu})" for pages in found.values()]
        lines.append(f"| {page.page} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
