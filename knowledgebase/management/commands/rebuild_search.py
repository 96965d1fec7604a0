from typing import Any

from django.core.management.base import BaseCommand

from knowledgebase.search.engine import engine


class Command(BaseCommand):
    help = "Make the search index anew beside the live one, and swap (after a change of the analysis of words)."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{engine().rebuild()} entries.")
