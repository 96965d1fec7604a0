from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.models.signals import post_delete, post_migrate, post_save, pre_migrate
from django.utils.translation import gettext_lazy as _


class KnowledgebaseConfig(AppConfig):
    name = "knowledgebase"
    verbose_name = _("Knowledge base")

    def ready(self) -> None:
        from .editorial import guards
        from .editorial.norms import sync_norms
        from .editorial.permissions import sync_commissions, sync_roles
        from .models import Concept, ConceptLabel, Membership, ReadabilityNorm, SiteState, Source, User
        from .search import live
        from .search.checks import check_index

        def reference_changed(**_kwargs: Any) -> None:
            SiteState.touch()

        def seat_changed(created: bool, **_kwargs: Any) -> None:
            if not created:  # who just got a seat has approved nothing yet
                SiteState.touch()

        def account_changed(instance: User, update_fields: frozenset[str] | None, **_kwargs: Any) -> None:
            """Names stand beside approvals, with consent. A login saves other fields."""
            named = update_fields is None or {"first_name", "last_name"} & update_fields
            if named and Membership.objects.filter(user=instance.pk, name_is_public=True).exists():
                SiteState.touch()

        def migrating(using: str, **_kwargs: Any) -> None:
            guards.remove(using)

        def migrated(sender: AppConfig, using: str, **_kwargs: Any) -> None:
            sync_roles()
            if sender is self:  # the tables of all apps are there by now
                sync_commissions()
                if ReadabilityNorm._meta.db_table in connections[using].introspection.table_names():
                    sync_norms()  # not after migrating back to where there were none
                if guards.missing(using):
                    guards.install(using)

        for model in (Concept, ConceptLabel, Source):
            for signal in (post_save, post_delete):
                signal.connect(reference_changed, sender=model, weak=False, dispatch_uid=f"touch-{model.__name__}")
        live.connect()
        post_save.connect(seat_changed, sender=Membership, weak=False, dispatch_uid="touch-seat")
        post_save.connect(account_changed, sender=User, weak=False, dispatch_uid="touch-account")
        pre_migrate.connect(migrating, sender=self, weak=False, dispatch_uid="remove-guards")
        post_migrate.connect(migrated, weak=False, dispatch_uid="sync-roles")
        connection_created.connect(guards.register_door, weak=False, dispatch_uid="register-door")
        checks.register(guards.check_guards, checks.Tags.database)
        checks.register(check_index, checks.Tags.database)
