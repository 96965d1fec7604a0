from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from knowledgebase.editorial.refusals import MoveRefused
from knowledgebase.models import User
from leerpunt import content, reference_data, reference_files
from leerpunt.content_import import Fate, Report, take_in
from practices import facets


class Command(BaseCommand):
    help = (
        "Make drafts of the files below DIR/texts, after adding the concepts, sources and study rows of DIR that are "
        "not there yet. What is with the commissions, approved or public is never touched. Exits with 1 when a file "
        "is refused, with 2 when a text was left that says something else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--by", required=True, help="The account that writes the drafts.")
        parser.add_argument("--overwrite-drafts", action="store_true", help="Also drafts that say something else.")
        parser.add_argument("--dry-run", action="store_true", help="Only tell what would happen.")

    def handle(self, *args: Any, **options: Any) -> None:
        author = User.objects.filter(username=options["by"]).first()
        if author is None:
            raise CommandError(f"There is no account {options['by']}.")
        folder: Path = options["folder"]
        if not (folder / "texts").is_dir():
            raise CommandError(f"{folder} has no folder texts: is it what export_content wrote?")
        with transaction.atomic():
            try:
                added = reference_files.take_in(folder, by=author)
            except (reference_data.ReferenceDataError, MoveRefused) as error:
                raise CommandError(str(error)) from error
            files = content.files_in(folder / "texts")
            report = take_in(files, by=author, overwrite_drafts=options["overwrite_drafts"])
            if any(added.values()):
                facets.rebuild()
            transaction.set_rollback(options["dry_run"])
        self.tell(report, added)
        if report.problems:
            raise CommandError(f"{report.count(Fate.REFUSED)} files refused.", returncode=1)
        if left := report.count(Fate.LEFT):
            raise CommandError(f"{left} texts were left as they are.", returncode=2)

    def tell(self, report: Report, added: dict[str, int]) -> None:
        for problem in report.problems:
            self.stderr.write(str(problem))
        for told in report.told:
            if told.fate != Fate.REFUSED and (told.words or told.fate not in (Fate.NEW, Fate.SAME)):
                self.stdout.write(": ".join(filter(None, (told.file, told.fate.value, told.words))))
        counts = ", ".join(f"{report.count(fate)} {fate.value}" for fate in Fate if report.count(fate))
        extra = ", ".join(f"{count} {name}" for name, count in added.items() if count)
        self.stdout.write(f"{len(report.told)} files: {counts or 'nothing'}." + (f" Added: {extra}." if extra else ""))
