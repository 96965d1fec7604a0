from argparse import ArgumentParser
from pathlib import Path
from statistics import median
from typing import Any

from django.core.management.base import BaseCommand

from knowledgebase.editorial.norms import Report, readability_of_public
from knowledgebase.readability import Kind

HEAD = """# Readability of the public texts

Written by `manage.py readability --write docs/readability.md` over the demonstration texts. Flesch-Douma counts glossary
terms as words of two syllables; in brackets without that. Decision 10 says how it is counted and what it is worth.

| Text | Part | Flesch-Douma | LIX | Words a sentence | Over 20 words | Longest over 35 | Jargon unexplained |
|---|---|---|---|---|---|---|---|
"""


class Command(BaseCommand):
    help = "A table of the readability of every public text, in Markdown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--write", type=Path, metavar="FILE", help="Write it to a file instead of the output.")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = sorted(readability_of_public(), key=lambda row: (row[0]["url"], row[0]["title"]))
        text = HEAD + "".join(_lines(facts["url"], report) for facts, report in rows) + _medians(rows)
        if options["write"]:
            options["write"].write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text)


def _lines(name: str, report: Report) -> str:
    lines = ""
    for part in report.parts:
        score = part.measured
        if score.douma_plain is None or score.douma is None:
            continue
        very_long = sum(int(remark.words) > 35 for remark in score.of(Kind.LONG))
        jargon = len(score.of(Kind.JARGON))
        lines += (
            f"| {name} | {part.name} | {score.douma_plain:.0f} ({score.douma:.0f}) | {score.lix:.0f} "
            f"| {score.mean_sentence:.1f} | {part.long_percent}% | {very_long} | {jargon} |\n"
        )
    return lines


def _medians(rows: list[tuple[dict[str, Any], Report]]) -> str:
    found: dict[tuple[str, str], list[float]] = {}
    for facts, report in rows:
        for part in report.parts:
            if part.measured.douma_plain is not None:
                found.setdefault((facts["url"].split("/")[1], part.name), []).append(part.measured.douma_plain)
    lines = "\n## Medians of Flesch-Douma\n\n| Texts | Part | Median | Number |\n|---|---|---|---|\n"
    for (kind, part_name), scores in sorted(found.items()):
        lines += f"| {kind} | {part_name} | {median(scores):.0f} | {len(scores)} |\n"
    return lines
