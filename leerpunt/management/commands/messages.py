from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from leerpunt.catalogues import ConflictingPlurals, messages, problems, updated


class Command(BaseCommand):
    requires_system_checks = ()  # it mends what a check may stumble over
    help = "Find the words to translate, put them in locale/*/LC_MESSAGES/django.po and compile those to .mo."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing; fail when something is missing.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = messages(settings.BASE_DIR)
        except ConflictingPlurals as error:
            raise CommandError(str(error)) from error
        wrong = []
        for path in sorted(Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/django.po")):
            catalogue = polib.pofile(str(path), wrapwidth=100)
            compiled = path.with_suffix(".mo")
            if options["check"]:
                wrong += problems(catalogue, found)
                if not compiled.exists() or compiled.read_bytes() != catalogue.to_binary():
                    wrong.append(f"{compiled.name} is not what {path.name} compiles to.")
                continue
            catalogue = updated(catalogue, found, language=path.parent.parent.name)
            path.write_text(f"{catalogue}\n", encoding="utf-8")
            compiled.write_bytes(catalogue.to_binary())
            for problem in problems(catalogue, found):
                self.stdout.write(problem)
        if wrong:
            raise CommandError("\n".join([*wrong, "Run `make messages`, translate what is empty, and run it again."]))
