"""How long a search takes as the index grows, on both databases, with the plans that the databases make.

Each size gets a database of its own in a process of its own. Its texts are invented: words drawn as often as our own
texts use them, and rarer ones from the word list, so that common words are common and the vocabulary grows. They go
into the index in batches, as `rebuild_search` does it, without the workflow.
"""

import json
import os
import platform
import random
import statistics
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from knowledgebase.models import SearchPosting, SearchTerm, SearchWord
from knowledgebase.search import analysis, engine
from knowledgebase.search.database import DatabaseEngine, ask, statement
from knowledgebase.search.engine import Document
from knowledgebase.search.lexicon import lexicon
from knowledgebase.search.understanding import understand
from leerpunt import content, reference_data

from .bench import has_postgres, said_by

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 3
TARGET = settings.BASE_DIR / "docs" / "benchmarks-search.md"
FIXTURES = settings.BASE_DIR / "fixtures"
BATCH = 1_000
RARE = 0.25  # of the words of a text come from the word list
AIMS = {10_000: 60, 100_000: 400}  # milliseconds of the 95th percentile on PostgreSQL
MOST_TYPING = 20
QUERIES = (
    "feedback geven", "begrijpend lezen", "huiswerk", "zittenblijven", "hoe krijg ik mijn klas stil", "rekenen",
    "samenwerken in groepjes", "woordenschat uitbreiden bij kleuters", "formatief evalueren", "leren leren",
    "differentiëren in de klas", "spelling oefenen", "automatiseren van de tafels", "tutoring", "klasgrootte",
    "motivatie van leerlingen in de tweede graad", "co-teaching", "voorkennis ophalen", "metacognitie", "lezen",
    "effect van muziek op leren", "uitgewerkte voorbeelden", "ouders betrekken", "wat werkt bij zwakke lezers",
    "groepswerk", "toetsen", '"begrijpend lezen"', "feedback -huiswerk", "leesonderwijs", "rekenfeiten",
    "meertalige leerlingen", "gedrag in de klas", "zelfregulerend leren", "instructie", "woordenschatonderwijs",
    "peer tutoring wiskunde", "schrijven", "kleine groepen", "beweging tijdens de les", "leerkracht leerling relatie",
)  # fmt: skip
FILTERS: Sequence[dict[str, list[str]]] = (
    {}, {"soort": ["praktijk"]}, {"niveau": ["lager", "kleuter"]}, {"soort": ["praktijk"], "sterkte": ["3"]},
)  # fmt: skip
TYPED = (
    "l",
    "le",
    "lez",
    "fee",
    "rek",
    "woo",
    "hui",
    "feedback g",
    "samen le",
    "kla",
    "mo",
    "begrijpend l",
    "zit",
    "to",
)


@dataclass(frozen=True)
class Measured:
    """What one size of index gave; times in milliseconds."""

    texts: int
    terms: int
    postings: int
    words: int
    search: tuple[float, float]
    busy: (
        float  # milliseconds of processor, ours and the database's, of a search on average: a busy machine is no matter
    )
    slowest: str
    typing: tuple[float, float]
    seconds: float  # that filling took
    plan: list[str]


class Command(BaseCommand):
    help = "Measure the search on SQLite and PostgreSQL and write docs/benchmarks-search.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="Texts in the index.")
        parser.add_argument("--rounds", type=int, default=ROUNDS, help="How often each query is asked.")
        parser.add_argument("--databases", nargs="+", default=["SQLite", "PostgreSQL"])
        parser.add_argument("--measure", type=int, help="Fill the empty database of DATABASE_URL and measure there.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["measure"]:
            self.stdout.write(json.dumps(asdict(measure(options["measure"], options["rounds"]))))
            return
        found: dict[str, list[Measured]] = {}
        for name in options["databases"]:
            if name == "PostgreSQL" and not has_postgres():
                continue
            found[name] = []
            for size in options["sizes"]:
                self.stdout.write(f"{name}, {size} texts …")
                self.stdout.flush()
                found[name].append(
                    Measured(**said_by(name, ["bench_search", f"--measure={size}", f"--rounds={options['rounds']}"]))
                )
        report = table(found, options["rounds"])
        self.stdout.write(report)
        TARGET.write_text(report, encoding="utf-8")


# -- an index to measure


def measure(size: int, rounds: int) -> Measured:
    call_command("migrate", verbosity=0)
    reference_data.load_folder(FIXTURES)
    started = time.perf_counter()
    fill(size)
    seconds = time.perf_counter() - started
    asked = [(query, filters) for _round in range(rounds) for query in QUERIES for filters in FILTERS]
    for query in QUERIES[:5]:
        page_of(query, {})
    before = busy()
    times = [timed(page_of, query, filters) for query, filters in asked]
    spent = (busy() - before) * 1_000 / len(asked)
    slowest = asked[times.index(max(times))][0]
    typed = [timed(engine.suggest, prefix) for _round in range(rounds * 3) for prefix in TYPED]
    return Measured(
        size, SearchTerm.objects.count(), SearchPosting.objects.count(), SearchWord.objects.count(), middle(times),
        round(spent, 1), slowest, middle(typed), round(seconds, 1), plan_of(slowest),
    )  # fmt: skip


def page_of(query: str, filters: dict[str, list[str]]) -> None:
    """A page of results with its counts, from the words as typed."""
    engine.search(understand(query), filters=filters)


def timed(deed: Callable[..., Any], *given: Any) -> float:
    started = time.perf_counter()
    deed(*given)
    return (time.perf_counter() - started) * 1_000


def busy() -> float:
    """Seconds of processor so far: of this process and, where it is on this machine, of the database's."""
    seconds = time.process_time()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
        if stat.exists():
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


def middle(times: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    cuts = statistics.quantiles(times, n=20, method="inclusive")
    return round(cuts[9], 1), round(cuts[18], 1)


def fill(size: int) -> None:
    analysis.refresh()
    made, batch = invented(size), DatabaseEngine()
    for start in range(0, size, BATCH):
        batch.index([next(made) for _number in range(min(BATCH, size - start))])
    tidy()


def tidy() -> None:
    """What the database does by itself on a site that lives: know its tables."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def invented(size: int) -> Iterator[Document]:
    """Texts that look like ours in length and in how often they use a word, and say nothing."""
    chance = random.Random(1)  # noqa: S311  # repeatable on purpose
    counts: Counter[str] = Counter()
    for path in content.files_in(FIXTURES / "texts"):
        sections = content.read(path).sections
        counts.update(word.text.lower() for text in sections.values() for word in analysis.words(text))
    usual, weights = list(counts), list(accumulate(counts.values()))
    rare = rare_words(chance)

    def text(length: int) -> str:
        drawn = chance.choices(usual, cum_weights=weights, k=length)
        for place in range(length):
            if chance.random() < RARE:
                drawn[place] = rare[min(int(chance.paretovariate(0.6)), len(rare)) - 1]
        return " ".join(drawn)

    for number in range(1, size + 1):
        strength = chance.randint(0, 5)
        facets = {f"niveau:{chance.choice(['kleuter', 'lager', 'secundair'])}", f"thema:{chance.randint(1, 12)}"}
        facets |= {f"vak:{chance.randint(1, 25)}"} | {f"sterkte:{value}" for value in range(strength + 1)}
        yield Document(
            kind=chance.choice(["practice", "practice", "practice", "summary", "page"]), object_id=number,
            key=f"tekst-{number}", title=text(chance.randint(2, 8)), url=f"/{number}/", summary=text(25),
            body=text(chance.randint(70, 150)), strength=strength, facets=tuple(sorted(facets)),
        )  # fmt: skip


def rare_words(chance: random.Random) -> list[str]:
    words = sorted(word for word in lexicon().trie.iterkeys() if 4 <= len(word) <= 14)
    chance.shuffle(words)
    return words[:15_000]


def plan_of(query: str) -> list[str]:
    """How the database answers a query."""
    sql, given = statement(ask(understand(query)).plan)
    how = "EXPLAIN (ANALYZE, TIMING OFF)" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{how} {sql}", given)
        return [str(row[-1]).rstrip() for row in cursor.fetchall()]


def table(found: dict[str, list[Measured]], rounds: int) -> str:
    """The report as Markdown."""
    lines = [
        "# Benchmarks of the search",
        "",
        "Written by `manage.py bench_search` (`make bench` calls it). Milliseconds, median / 95th percentile, of a page of",
        f"results (analysis of the query, hits, total, facets, texts of 20 results): {len(QUERIES)} queries with",
        f"{len(FILTERS)} sets of filters, {rounds} times; and of suggestions for {len(TYPED)} beginnings. The column",
        "“processor” is what a search costs on average in the site and the database together: it hardly depends on what",
        "else the machine does.",
        f"Aims on PostgreSQL: 95 of 100 below {AIMS[10_000]} ms at 10,000 texts and {AIMS[100_000]} ms at 100,000;",
        f"suggestions {MOST_TYPING} ms.",
        "",
        f"Python {platform.python_version()}, {os.cpu_count()} processors.",
    ]
    for database, sizes in found.items():
        lines += [
            "", f"## {database}", "",
            "| texts | different terms | postings | search | processor | suggestions | filled in | slowest query |",
            "|---:|---:|---:|---:|---:|---:|---:|---|",
            *(
                f"| {each.texts:,} | {each.terms:,} | {each.postings:,} | {each.search[0]} / {each.search[1]} "
                f"| {each.busy} | {each.typing[0]} / {each.typing[1]} | {each.seconds:.0f} s | {each.slowest} |"
                for each in sizes
            ),
        ]  # fmt: skip
        for each in sizes:
            lines += ["", f"Plan at {each.texts:,} texts, “{each.slowest}”:", "", "```", *shortened(each.plan), "```"]
    return "\n".join(lines) + "\n"


def shortened(plan: Sequence[str], most: int = 40) -> list[str]:
    """A plan without what repeats for every clause."""
    kept = [line[:160] for line in plan[:most]]
    return [*kept, f"… {len(plan) - most} lines more"] if len(plan) > most else kept
