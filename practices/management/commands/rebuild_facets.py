from typing import Any

from django.core.management.base import BaseCommand

from knowledgebase.models import SiteState
from practices import facets


class Command(BaseCommand):
    help = "Make the index behind the overview of practices anew."

    def handle(self, *args: Any, **options: Any) -> None:
        facets.rebuild()
        SiteState.touch()
        self.stdout.write("Done.")
