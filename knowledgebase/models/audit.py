"""The audit trail: append-only, one chain of hashes per item and one for the site."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .editorial import Item


class AuditActor(models.Model):
    """The name of somebody who acted, apart from the trail: it can be replaced without breaking a chain."""

    user_id = models.PositiveIntegerField(unique=True)
    name = models.CharField(_("name"), max_length=160)

    class Meta:
        verbose_name = _("name in the audit trail")
        verbose_name_plural = _("names in the audit trail")

    def __str__(self) -> str:
        return self.name


class AuditEvent(models.Model):
    """One deed. `hash` is the HMAC of this row's content and of `prev_hash`; knowledgebase.editorial.audit writes it."""

    item = models.ForeignKey(Item, models.PROTECT, null=True, related_name="audit_events", verbose_name=_("text"))
    seq = models.PositiveIntegerField(_("number"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    actor_id = models.PositiveIntegerField(_("actor"), null=True)  # empty: the system itself
    actor_role = models.CharField(_("role"), max_length=40)
    on_behalf_of = models.PositiveIntegerField(_("on behalf of"), null=True)
    action = models.CharField(_("deed"), max_length=40)
    version_number = models.PositiveIntegerField(_("version"), null=True)
    from_state = models.CharField(_("from"), max_length=20, blank=True)
    to_state = models.CharField(_("to"), max_length=20, blank=True)
    content_hash = models.CharField(max_length=64, blank=True)
    data: Any = models.JSONField(default=dict, blank=True)
    prev_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["item", "seq"]
        verbose_name = _("event")
        verbose_name_plural = _("audit trail")
        constraints = [
            models.UniqueConstraint(fields=["item", "seq"], name="audit_chain_has_no_fork"),
            models.UniqueConstraint(fields=["seq"], condition=Q(item=None), name="audit_chain_of_the_site_has_no_fork"),
        ]
        indexes = [models.Index(fields=["-at"], name="audit_by_time")]

    def __str__(self) -> str:
        return f"{self.item or '–'} {self.seq}: {self.action}"
