"""Whether the index in the database is there, and made by the analysis of words that is in use now."""

from collections.abc import Iterable
from typing import Any

from django.core import checks
from django.db import connections

from knowledgebase.models import SearchIndex, Version

from . import analysis


def is_outdated(using: str = "default") -> bool:
    """Whether the index is missing, or was made by another analysis of words."""
    analysis.refresh()
    index = SearchIndex.objects.using(using).filter(is_live=True).first()
    if index is None:
        return Version.objects.using(using).published().exists()
    return index.analysis_version != analysis.version()


def check_index(databases: Iterable[str] | None = None, **_kwargs: Any) -> list[checks.CheckMessage]:
    """A system check (`check --database default`): the live index is there, made by this analysis of words."""
    return [
        checks.Warning(
            "There is no search index, or another analysis of words made it.",
            hint="Run `manage.py rebuild_search`: readers keep the old index until the new one is whole.",
            id="knowledgebase.W002",
        )
        for using in databases or ()
        if SearchIndex._meta.db_table in connections[using].introspection.table_names() and is_outdated(using)
    ]
