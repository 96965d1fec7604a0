import gzip
import inspect
import json
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from knowledgebase.models import ConceptLabel

LIBRARIES = "import marisa_trie; from rapidfuzz import process; from rapidfuzz.distance import OSA"
LIBRARIES_STEP = "the libraries"
WORDS, EVERY = 20_000, 13  # of the word list
SLIP = "hoe werkt feedbakc in de klas"
ROUNDS = 3


class Command(BaseCommand):
    help = "Measures what the analysis of words costs a process: start, memory, and time for a word and for a query."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rounds", type=int, default=ROUNDS, help="Fresh processes; the median counts.")
        parser.add_argument("--measure", action="store_true", help="Measure in this process, and print it as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["measure"]:
            self.stdout.write(json.dumps(measured()))
            return
        if ConceptLabel._meta.db_table not in connection.introspection.table_names():
            self.stderr.write("There is no database with words yet: `make demo` makes one.")
            return
        found = [in_fresh_process() for _round in range(options["rounds"])]
        self.stdout.write("| step | CPU time | memory of the process alone |\n|---|---|---|")
        for step in found[0]:
            seconds, megabytes = (median(round[step][place] for round in found) for place in (0, 1))
            self.stdout.write(f"| {step} | {seconds * 1000:.1f} ms | {megabytes:+.1f} MB |")


def in_fresh_process() -> Any:
    command = [sys.executable, "manage.py", "bench_words", "--measure"]
    done = subprocess.run(command, check=True, capture_output=True, cwd=settings.BASE_DIR, text=True)  # noqa: S603  # ours
    return json.loads(done.stdout)


def measured() -> dict[str, tuple[float, float]]:
    """CPU seconds and private megabytes of each step, in the order in which a fresh worker takes them."""
    from knowledgebase.search import (
        analysis,
        lexicon,
        thesaurus,
        typos,
        understanding,
    )  # after the first look at memory

    with gzip.open(lexicon.SOURCE, "rt", encoding="utf-8") as lines:
        words = [line.strip() for line in islice(lines, 0, WORDS * EVERY, EVERY)]

    def read(content_key: str) -> None:
        analysis.refresh(content_key)
        thesaurus.thesaurus(content_key)

    steps: dict[str, Callable[[], object]] = {
        LIBRARIES_STEP: lambda: None,
        "the lexicon is opened": lexicon.lexicon,
        "the first word": lambda: analysis.words("Leerlingen lezen samen."),
        "word forms and thesaurus are read": lambda: read("0"),
        "and again, after a publication": lambda: read("1"),
        "the words of the site are read": lambda: typos.vocabulary("1"),
        "a query with a misspelt word": lambda: understanding.understand(SLIP),
        "the same again": lambda: understanding.understand(SLIP),
        f"{WORDS} words that were not seen before": lambda: [analysis.words(word) for word in words],
    }
    found = {}
    for step, taken in steps.items():
        memory, before = private(), time.process_time()
        taken()
        found[step] = (time.process_time() - before, private() - memory)
    found[LIBRARIES_STEP] = libraries()
    return found


def libraries() -> tuple[float, float]:
    """What importing them costs, measured where nothing else has imported them."""
    source = inspect.getsource(private)
    code = (
        f"import json, time\nfrom pathlib import Path\n{source}\nmemory, before = private(), time.process_time()\n"
        f"{LIBRARIES}\nprint(json.dumps([time.process_time() - before, private() - memory]))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603  # ours
    seconds, megabytes = json.loads(done.stdout)
    return seconds, megabytes


def private() -> float:
    """Megabytes that belong to this process alone; mapped files that others share are not among them (Linux)."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1024
