from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from knowledgebase.editorial import export
from knowledgebase.models import AuditEvent, Item


class Command(BaseCommand):
    help = "Write the audit trail, or that of one text, to the standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--item", metavar="KIND/SLUG", help="Only this text, as in practice/feedback.")
        parser.add_argument("--format", choices=["json", "csv"], default="json")

    def handle(self, *args: Any, **options: Any) -> None:
        events = AuditEvent.objects.order_by("item__kind", "item__slug", "seq")
        if options["item"] is not None:
            events = events.filter(item=self.item(options["item"]))
        self.stdout.ending = ""
        write = export.write_csv if options["format"] == "csv" else export.write_json
        write(events, self.stdout)

    def item(self, name: str) -> Item:
        kind, _slash, slug = name.partition("/")
        item = Item.objects.filter(kind=kind, slug=slug).first()
        if item is None:
            raise CommandError(f"There is no text {name}. Write kind and slug, as in practice/feedback.")
        return item
