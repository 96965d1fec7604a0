from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from knowledgebase.editorial.transitions import MoveRefused, publish
from knowledgebase.models import User
from leerpunt.texts import TextError, load, read_folder
from practices import facets

FIXTURES = settings.BASE_DIR / "fixtures"


class Command(BaseCommand):
    help = "Load reference data and texts as drafts; what is there already is left alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--folder", type=Path, default=FIXTURES / "texts")
        parser.add_argument("--by", required=True, help="The account that writes the drafts.")
        parser.add_argument("--publish-by", help="Publish the new drafts through this account.")
        parser.add_argument("--demo", action="store_true", help="Mark the texts as demonstration content.")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = {user.username: user for user in User.objects.all()}
        for name in filter(None, (options["by"], options["publish_by"])):
            if name not in accounts:
                raise CommandError(f"There is no account {name}.")
        try:
            with transaction.atomic():
                call_command("loaddata", FIXTURES / "concepts.yaml", FIXTURES / "sources.yaml", verbosity=0)
                facets.rebuild()  # loaded vocabularies may differ from those that were there
                drafts = load(read_folder(options["folder"]), by=accounts[options["by"]], is_demo=options["demo"])
                if options["publish_by"]:
                    for draft in drafts:
                        publish(draft, by=accounts[options["publish_by"]])
        except (TextError, MoveRefused) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{len(drafts)} new texts.")
