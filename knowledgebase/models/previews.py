"""Addresses at which somebody without an account reads a version that is not public."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .editorial import PUBLIC_ONCE, State, Version


class PreviewTokenQuerySet(models.QuerySet["PreviewToken"]):
    def live(self) -> Self:
        """Not revoked, not expired, and of a version that is neither public nor thrown away."""
        dead = (*PUBLIC_ONCE, State.DISCARDED)
        return self.filter(revoked_at=None, expires_at__gt=timezone.now()).exclude(version__state__in=dead)


class PreviewToken(models.Model):
    """A link to a preview; only the hash of its secret is stored."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="preview_tokens")
    token_sha256 = models.CharField(max_length=64, unique=True)
    note = models.CharField(_("for whom"), max_length=120, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(_("valid until"))
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = PreviewTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("preview link")
        verbose_name_plural = _("preview links")
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=models.F("created_at")), name="preview_expires_later"),
        ]

    def __str__(self) -> str:
        return self.note or str(self.pk)
