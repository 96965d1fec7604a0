from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from knowledgebase import rendering, results, search
from knowledgebase.models import SiteState, Version


class Command(BaseCommand):
    help = "Make the stored HTML, the results of study rows and the search entries of all published texts anew (after a change of the renderer)."

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for version in Version.objects.published().select_related("item").iterator(chunk_size=200):
            with transaction.atomic():
                specific = version.specific()
                rendering.store(specific)
                results.store(specific)
                search.index(specific)
            count += 1
        SiteState.touch()
        self.stdout.write(f"{count} texts.")
