from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PracticesConfig(AppConfig):
    name = "practices"
    verbose_name = _("Practices")

    def ready(self) -> None:
        from knowledgebase.editorial import guards

        from . import entries, facets, rules
        from .models import RatingRule

        def migrated(using: str, **_kwargs: Any) -> None:
            if RatingRule._meta.db_table in connections[using].introspection.table_names():
                rules.sync_rules()  # not after migrating back to where there were none

        facets.connect()
        entries.connect()
        guards.register(rules.rule_guards)
        post_migrate.connect(migrated, sender=self, weak=False, dispatch_uid="sync-rules")
