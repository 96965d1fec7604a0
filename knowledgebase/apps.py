from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.db.backends.signals import connection_created
from django.db.models.signals import post_delete, post_migrate, post_save, pre_migrate
from django.utils.translation import gettext_lazy as _


class KnowledgebaseConfig(AppConfig):
    name = "knowledgebase"
    verbose_name = _("Knowledge base")

    def ready(self) -> None:
        from .editorial import guards
        from .editorial.permissions import sync_commissions, sync_roles
        from .models import Concept, ConceptLabel, SiteState, Source

        def reference_changed(**_kwargs: Any) -> None:
            SiteState.touch()

        def migrating(using: str, **_kwargs: Any) -> None:
            guards.remove(using)

        def migrated(sender: AppConfig, using: str, **_kwargs: Any) -> None:
            sync_roles()
            if sender is self:  # the tables of all apps are there by now
                sync_commissions()
                if guards.missing(using):
                    guards.install(using)

        for model in (Concept, ConceptLabel, Source):
            for signal in (post_save, post_delete):
                signal.connect(reference_changed, sender=model, weak=False, dispatch_uid=f"touch-{model.__name__}")
        pre_migrate.connect(migrating, sender=self, weak=False, dispatch_uid="remove-guards")
        post_migrate.connect(migrated, weak=False, dispatch_uid="sync-roles")
        connection_created.connect(guards.register_door, weak=False, dispatch_uid="register-door")
        checks.register(guards.check_guards, checks.Tags.database)
