from typing import Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from .editorial import Item, Version, VersionChild
from .sources import Source
from .taxonomy import Concept


class ConceptLink(VersionChild):
    """What a version is about or for: a level, a subject, a group of pupils, readers, a theme, an outcome, a resource."""

    named_by = ("concept",)

    version = models.ForeignKey(Version, models.CASCADE, related_name="concept_links")
    concept = models.ForeignKey(Concept, models.PROTECT, related_name="links", verbose_name=_("concept"))

    class Meta:
        ordering = ["order", "id"]
        verbose_name = _("context")
        verbose_name_plural = _("contexts")
        constraints = [
            models.UniqueConstraint(fields=["version", "uid"], name="concept_link_uid_is_unique"),
            models.UniqueConstraint(fields=["version", "concept"], name="concept_is_linked_once"),
        ]

    def __str__(self) -> str:
        return str(self.concept)

    def content(self) -> dict[str, Any]:
        return {"concept": list(self.concept.natural_key()), "order": self.order}


class SourceLinkQuerySet(models.QuerySet["SourceLink"]):
    def retracted(self) -> Self:
        """To sources that were retracted."""
        return self.filter(source__retraction=Source.Retraction.RETRACTED)


class SourceLink(VersionChild):
    """A source that a version relies on."""

    named_by = ("source",)

    version = models.ForeignKey(Version, models.CASCADE, related_name="source_links")
    source = models.ForeignKey(Source, models.PROTECT, related_name="links", verbose_name=_("source"))

    objects = SourceLinkQuerySet.as_manager()

    class Meta:
        ordering = ["order", "id"]
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        constraints = [
            models.UniqueConstraint(fields=["version", "uid"], name="source_link_uid_is_unique"),
            models.UniqueConstraint(fields=["version", "source"], name="source_is_linked_once"),
        ]

    def __str__(self) -> str:
        return str(self.source)

    def content(self) -> dict[str, Any]:
        source = self.source
        printed = ("title", "authors", "year", "container", "volume", "issue", "pages", "doi", "url")
        shown = {name: value for name in printed if (value := getattr(source, name))}
        return {"source": source.key, "printed": shown, "order": self.order}


class ItemLink(VersionChild):
    """Another text that belongs with this one: a related practice, a research summary behind it.

    It points at the identity, so that it never dangles when the other text gets a new version.
    """

    named_by = ("item",)

    version = models.ForeignKey(Version, models.CASCADE, related_name="item_links")
    item = models.ForeignKey(Item, models.PROTECT, related_name="linked_from", verbose_name=_("text"))

    class Meta:
        ordering = ["order", "id"]
        verbose_name = _("related text")
        verbose_name_plural = _("related texts")
        constraints = [
            models.UniqueConstraint(fields=["version", "uid"], name="item_link_uid_is_unique"),
            models.UniqueConstraint(fields=["version", "item"], name="item_is_linked_once"),
        ]

    def __str__(self) -> str:
        return str(self.item)

    def content(self) -> dict[str, Any]:
        return {"item": [self.item.kind, self.item.key or self.item.slug], "order": self.order}
