"""Mails to send: written in the transaction of the deed, sent after it by a command."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .editorial import Item


class OutboxQuerySet(models.QuerySet["OutboxMessage"]):
    def due(self, at: datetime | None = None) -> Self:
        """Waiting, and time to send; rows that a sender works on are not."""
        now = at or timezone.now()
        return self.waiting().filter(due_at__lte=now).filter(Q(claimed_until=None) | Q(claimed_until__lte=now))

    def waiting(self) -> Self:
        """Neither sent nor skipped."""
        return self.filter(sent_at=None, skipped_at=None)


class OutboxMessage(models.Model):
    """One thing that one person should hear. Urgent ones go out alone, the others in one digest a day.

    knowledgebase.editorial.notifications writes them, .outbox sends them. One that is not sent in the end says why in
    `last_error`.
    """

    class Kind(models.TextChoices):
        REVIEW = "review", _("your review is asked")
        DECIDE = "decide", _("your decision is asked")
        CHANGES = "changes", _("changes are asked")
        PUBLISH = "publish", _("ready to publish")
        RECALLED = "recalled", _("recalled by the editors")
        REVOKED = "revoked", _("an approval was revoked")
        PUBLISHED = "published", _("published")
        WITHDRAWN = "withdrawn", _("withdrawn")
        RECUSED = "recused", _("a member stepped back")
        COMMENT = "comment", _("a comment")
        DUE_SOON = "due_soon", _("a deadline comes near")
        OVERDUE = "overdue", _("a deadline has passed")
        REVALIDATE = "revalidate", _("a text must be looked at again")
        FAILED = "failed", _("a scheduled publication failed")
        STUCK = "stuck", _("nobody may decide")
        STALE = "stale", _("a source changed since approval")
        HEADS = "heads", _("the heads of the audit trail")
        RESET = "reset", _("a new password")
        INVITE = "invite", _("an invitation")

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    item = models.ForeignKey(Item, models.PROTECT, null=True, blank=True, related_name="+")
    data = models.JSONField(default=dict, blank=True)
    is_urgent = models.BooleanField(_("at once"), default=False)
    dedupe_key = models.CharField(max_length=200, unique=True)
    due_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    skipped_at = models.DateTimeField(_("not sent, at"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "pk"]
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(fields=["due_at"], condition=Q(sent_at=None, skipped_at=None), name="outbox_by_due_moment"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(sent_at=None) | Q(skipped_at=None), name="message_is_sent_or_skipped"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} → {self.recipient}"
