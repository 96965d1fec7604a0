from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from .editorial import Item, KindManager, Version


class Summary(Item):
    """A research summary: what research answers to one question."""

    objects: ClassVar[KindManager] = KindManager(Item.Kind.SUMMARY)

    class Meta:
        proxy = True
        verbose_name = _("research summary")
        verbose_name_plural = _("research summaries")


class SummaryVersion(Version):
    kind = Item.Kind.SUMMARY
    markdown_fields = ("key_findings", "unknown", "method")
    plain_fields = ("lead", "question", "answer")
    short_fields = ("question", "answer", "key_findings")

    scientific_fields = Version.scientific_fields | {"method"}

    question = models.CharField(_("question"), max_length=240, help_text=_("The question a teacher would ask."))
    answer = models.TextField(_("answer in one sentence"))
    key_findings = models.TextField(_("key findings"), blank=True)
    unknown = models.TextField(_("what we do not know"), blank=True)
    method = models.TextField(_("how we made this summary"), blank=True)

    class Meta:
        verbose_name = _("version of a research summary")
        verbose_name_plural = _("versions of research summaries")

    def publication_gaps(self) -> list[tuple[str, str]]:
        gaps = super().publication_gaps()
        if not self.key_findings.strip():
            gaps.append(("key_findings", str(_("Write the key findings."))))
        if not self.source_links.exists():
            gaps.append(("source_links", str(_("Add at least one source."))))
        return gaps
