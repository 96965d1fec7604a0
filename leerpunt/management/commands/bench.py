"""Response times of the overview and of practice pages at several sizes of corpus, on both databases.

Each size gets a database of its own in a process of its own. Requests go through the whole of Django (middleware
included) inside that process, so that no network is measured; no request is conditional, so every page is rendered.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.test import Client

from knowledgebase.models import Item

SIZES = (100, 10_000, 50_000)
ROUNDS = 40
WARM_UP = 3
POSTGRES = settings.BASE_DIR / "tests" / "with_postgres.sh"
TARGET = settings.BASE_DIR / "docs" / "benchmarks.md"
MOST_GROWTH, MOST_P95 = 10, 150  # between the smallest and the largest corpus; milliseconds on PostgreSQL


@dataclass(frozen=True)
class Measured:
    """Milliseconds of one page; `cpu` is the median of the processor's own time."""

    page: str
    p50: float
    p95: float
    cpu: float = 0.0


class Command(BaseCommand):
    help = "Measure response times on SQLite and PostgreSQL and write docs/benchmarks.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="Practices in the corpus.")
        parser.add_argument("--rounds", type=int, default=ROUNDS, help="Requests for each page.")
        parser.add_argument("--measure", type=int, help="Fill the empty database of DATABASE_URL and measure there.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["measure"]:
            measured = measure(options["measure"], options["rounds"])
            self.stdout.write(json.dumps([asdict(page) for page in measured]))
            return
        found: dict[str, dict[int, list[Measured]]] = {}
        for name in ("SQLite", *(["PostgreSQL"] if has_postgres() else [])):
            found[name] = {}
            for size in options["sizes"]:
                self.stdout.write(f"{name}, {size} practices …")
                self.stdout.flush()
                found[name][size] = in_own_process(name, size, options["rounds"])
        report = table(found, options["rounds"])
        self.stdout.write(report)
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(report, encoding="utf-8")


def has_postgres() -> bool:
    return subprocess.run(["bash", str(POSTGRES), "--find"], capture_output=True, check=False).returncode == 0  # noqa: S603, S607  # a script of our own


def in_own_process(database: str, size: int, rounds: int) -> list[Measured]:
    """Run `bench --measure` against a fresh database that is gone afterwards."""
    return in_process(database, ["bench", f"--measure={size}", f"--rounds={rounds}"])


def in_process(database: str, words: Sequence[str]) -> list[Measured]:
    """Run a command against a fresh database that is gone afterwards; what it measured."""
    return [Measured(**page) for page in said_by(database, words)]


def said_by(database: str, words: Sequence[str]) -> Any:
    """The last line of a command that runs against a fresh database, read as JSON."""
    command = [sys.executable, "manage.py", *words]
    environment = os.environ | {"LEERPUNT_MODE": "development", "DEBUG": "0"}
    with tempfile.TemporaryDirectory(prefix="leerpunt-bench-") as folder:
        if database == "PostgreSQL":
            command = ["bash", str(POSTGRES), *command]
        else:
            environment["DATABASE_URL"] = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        done = subprocess.run(  # noqa: S603  # a command of our own
            command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise CommandError(f"Measuring {' '.join(words)} on {database} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(size: int, rounds: int) -> list[Measured]:
    call_command("migrate", verbosity=0)
    call_command("generate_corpus", practices=size, verbosity=0, stdout=sys.stderr)
    client = Client(headers={"host": "localhost", "accept-encoding": "br"})
    slugs = list(Item.objects.order_by("pk").values_list("slug", flat=True))
    details = [f"/praktijken/{slugs[place * len(slugs) // rounds]}/" for place in range(rounds)]
    deepest = max(1, size // 20)
    pages = {
        "overview": ["/praktijken/"] * rounds,
        "overview, two filters": ["/praktijken/?niveau=lager&kost=2"] * rounds,
        "overview, filters, words, sorted": ["/praktijken/?niveau=lager&publiek=leerkracht&q=lezen&sorteer=winst"]
        * rounds,
        "overview, last page": [f"/praktijken/?sorteer=naam&pagina={deepest}"] * rounds,
        "practice": details,
    }
    return [timed(client, name, addresses) for name, addresses in pages.items()]


def timed(client: Client, name: str, addresses: Sequence[str], before: Callable[[], None] = lambda: None) -> Measured:
    """`before` is called before each request, outside the clock."""
    for address in addresses[:WARM_UP]:
        client.get(address)
    times, worked = [], []
    for address in addresses:
        before()
        started, busy = time.perf_counter(), time.process_time()
        response = client.get(address)
        times.append((time.perf_counter() - started) * 1_000)
        worked.append((time.process_time() - busy) * 1_000)
        if response.status_code != 200:
            raise CommandError(f"{address} answered {response.status_code}.")
    cuts = statistics.quantiles(times, n=20, method="inclusive")
    return Measured(name, round(cuts[9], 1), round(cuts[18], 1), round(statistics.median(worked), 1))


def table(found: dict[str, dict[int, list[Measured]]], rounds: int) -> str:
    """The report as Markdown."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. Milliseconds for a whole page inside the process (middleware, queries, template, brotli),",
        f'without network and without the answer "not modified": median and 95th percentile of {rounds} requests.',
        f"Aims: growth from the smallest to the largest corpus below {MOST_GROWTH} times, and 95 of 100 requests under",
        f"{MOST_P95} ms on PostgreSQL.",
        "",
        f"Python {platform.python_version()}, {os.cpu_count()} processors.",
    ]
    for database, sizes in found.items():
        first, last = min(sizes), max(sizes)
        lines += ["", f"## {database}", "", "| page | " + " | ".join(f"{size:,} practices" for size in sizes) + " | growth |",
                  "|---|" + "---:|" * (len(sizes) + 1)]  # fmt: skip
        for place, page in enumerate(sizes[first]):
            cells = [f"{sizes[size][place].p50} / {sizes[size][place].p95}" for size in sizes]
            growth = sizes[last][place].p50 / page.p50
            lines.append(f"| {page.page} | {' | '.join(cells)} | {growth:.1f} |")
    if len(found) == 1:
        lines += ["", "PostgreSQL was not measured: no server programs were found."]
    return "\n".join(lines) + "\n"
