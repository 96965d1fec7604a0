from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate, post_save
from django.utils.translation import gettext_lazy as _


class KnowledgebaseConfig(AppConfig):
    name = "knowledgebase"
    verbose_name = _("Knowledge base")

    def ready(self) -> None:
        from .editorial.permissions import sync_roles
        from .models import Concept, ConceptLabel, SiteState, Source

        def reference_changed(**_kwargs: Any) -> None:
            SiteState.touch()

        def migrated(**_kwargs: Any) -> None:
            sync_roles()

        for model in (Concept, ConceptLabel, Source):
            for signal in (post_save, post_delete):
                signal.connect(reference_changed, sender=model, weak=False, dispatch_uid=f"touch-{model.__name__}")
        post_migrate.connect(migrated, weak=False, dispatch_uid="sync-roles")
