from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from knowledgebase.editorial.refusals import MoveRefused
from knowledgebase.models import User
from leerpunt import content, reference_data, study_rows
from leerpunt.content_import import Fate, take_in
from practices import facets

FIXTURES = settings.BASE_DIR / "fixtures"


class Command(BaseCommand):
    help = "Load reference data, study rows and texts as drafts; what is there already is left alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--folder", type=Path, default=FIXTURES / "texts")
        parser.add_argument("--by", required=True, help="The account that writes the drafts.")
        parser.add_argument("--demo", action="store_true", help="Mark the texts as demonstration content.")

    def handle(self, *args: Any, **options: Any) -> None:
        author = User.objects.filter(username=options["by"]).first()
        if author is None:
            raise CommandError(f"There is no account {options['by']}.")
        try:
            with transaction.atomic():
                if reference_data.load_folder(FIXTURES):
                    facets.rebuild()
                rows = study_rows.load(study_rows.read_folder(FIXTURES / "studies"), by=author)
                files = content.files_in(options["folder"])
                report = take_in(files, by=author, only_new=True, is_demo=options["demo"])
                if report.problems:
                    raise CommandError("\n".join(map(str, report.problems)))
        except (reference_data.ReferenceDataError, study_rows.StudyRowsError, MoveRefused) as error:
            raise CommandError(str(error)) from error
        if rows:
            self.stdout.write(f"{rows} new study rows.")
        self.stdout.write(f"{report.count(Fate.NEW)} new texts.")
