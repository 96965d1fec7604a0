import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from knowledgebase.editorial.findings import OPINIONS, Finding, Rule, findings, idle_sources
from knowledgebase.models import Item, Version


class Command(BaseCommand):
    help = (
        "Look in every public and open text for what readers would find broken or wrong: figures that the data "
        "contradicts or that stand without a source, tokens, citations, links, images; and for sources on which no "
        "text relies. Exits with 1 when it finds any."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kind", choices=Item.Kind.values, help="Only texts of this kind.")
        parser.add_argument("--json", action="store_true", help="Write a list that programs read.")
        parser.add_argument("--advice", action="store_true", help="Also what editors may leave as it is.")

    def handle(self, *args: Any, **options: Any) -> None:
        versions = Version.objects.live().select_related("item").order_by("item__kind", "item__slug", "number")
        if options["kind"]:
            versions = versions.filter(item__kind=options["kind"])
        rows = [row for version in versions for row in self.rows(version, advice=options["advice"])]
        if not options["kind"]:
            rows += self.idle_sources()
        if options["json"]:
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2))
        else:
            for row in rows:
                place = f"{row['text']} v{row['version']}, {row['field']}" if row["version"] else row["text"]
                line = f", line {row['line']}" if row["line"] else ""
                self.stderr.write(f"{place}{line} [{row['rule']}]: {row['message']}")
        wrong = sum(row["rule"] not in OPINIONS for row in rows)
        if wrong:
            raise CommandError(f"{wrong} findings in {len(versions)} texts.", returncode=1)
        if not options["json"]:
            self.stdout.write(f"{len(versions)} texts: nothing is wrong.")

    def rows(self, version: Version, *, advice: bool) -> Iterator[dict[str, Any]]:
        for finding in findings(version.specific()):
            if advice or finding.rule not in OPINIONS:
                yield self.row(version, finding)

    def idle_sources(self) -> list[dict[str, Any]]:
        """What belongs to no text: sources that are cited nowhere."""
        message = _("No text relies on %(source)s: cite it, or take it out of the sources.")
        return [
            {
                "text": f"source/{source.key}", "version": None, "field": "", "line": None,
                "rule": Rule.IDLE_SOURCE.value, "blocking": False, "value": "", "says": "",
                "message": message % {"source": f"{source.key} ({source.short})"},
            }
            for source in idle_sources()
        ]  # fmt: skip

    def row(self, version: Version, finding: Finding) -> dict[str, Any]:
        return {
            "text": f"{version.item.kind}/{version.item.slug}",
            "version": version.number,
            "field": finding.field,
            "line": finding.line,
            "rule": finding.rule.value,
            "blocking": finding.blocking,
            "value": finding.value,
            "says": finding.says,
            "message": finding.message,
        }
