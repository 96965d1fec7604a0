from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from knowledgebase.models import Item, Version
from leerpunt import content, reference_files
from leerpunt.content import NoDocument, Problem


class Command(BaseCommand):
    help = (
        "Write every text as a Markdown file with front matter below DIR/texts, and what the texts refer to as YAML in "
        "DIR. Of a text the public version is written, else the one being written; --open turns that around."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--kind", choices=Item.Kind.values, help="Only texts of this kind.")
        parser.add_argument("--open", action="store_true", help="What is being written, where somebody writes.")
        parser.add_argument("--texts-only", action="store_true", help="No concepts, sources and study rows.")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        texts = folder / "texts"
        if folder.exists() and not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        written: set[Path] = set()
        problems: list[Problem] = []
        for version in self.versions(options["kind"], open_first=options["open"]):
            try:
                document = content.document_of(version.specific())
            except NoDocument as error:
                problems += error.problems
                continue
            path = texts / document.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content.written(document), encoding="utf-8", newline="\n")
            written.add(path)
        if not options["texts_only"]:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in reference_files.files():
                (folder / name).write_text(text, encoding="utf-8", newline="\n")
        for problem in problems:
            self.stderr.write(f"{problem.file}, {problem.name}: {problem.message}")
        for path in content.files_in(texts):
            if path not in written and not options["kind"]:
                self.stderr.write(f"{path.relative_to(folder)} is left from before: no text of ours is there now.")
        self.stdout.write(f"{len(written)} texts written.")
        if problems:
            raise CommandError(f"{len(problems)} texts do not fit in a file.", returncode=1)

    def versions(self, kind: str | None, *, open_first: bool) -> list[Version]:
        """One version of each text that is public or being written."""
        chosen: dict[int, Version] = {}
        live = Version.objects.live().select_related("item").order_by("item__kind", "item__slug")
        for version in live.filter(item__kind=kind) if kind else live:
            if version.item_id not in chosen or version.is_published != open_first:
                chosen[version.item_id] = version
        return list(chosen.values())
