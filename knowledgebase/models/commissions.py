"""The advisory commissions, who sits in them, and the criteria by which they judge."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Commission(models.Model):
    """One of the two bodies that approve every version before it is public."""

    class Code(models.TextChoices):
        USER = "user", _("user commission")
        SCIENTIFIC = "scientific", _("scientific commission")

    code = models.CharField(_("commission"), max_length=10, choices=Code, unique=True)
    quorum = models.PositiveSmallIntegerField(
        _("quorum"), default=2, help_text=_("How many members give a recommendation before the chair decides.")
    )
    review_days = models.PositiveSmallIntegerField(
        _("days for a review"), default=21, help_text=_("Counted from the day on which a text is submitted.")
    )

    class Meta:
        ordering = ["-code"]  # readers before science, as in every list
        verbose_name = _("commission")
        verbose_name_plural = _("commissions")
        constraints = [
            models.CheckConstraint(condition=Q(code__in=["user", "scientific"]), name="commission_is_one_of_two"),
            models.CheckConstraint(condition=Q(quorum__gte=1), name="quorum_is_at_least_one"),
        ]

    def __str__(self) -> str:
        return str(self.get_code_display())


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self, on: date | None = None) -> Self:
        """Seats that are held on a day (today, unless told)."""
        day = on or timezone.localdate()
        return self.filter(Q(valid_to=None) | Q(valid_to__gte=day), valid_from__lte=day, user__is_active=True)

    def leading(self) -> Self:
        """Those who may record a decision: chairs and their deputies."""
        return self.filter(role__in=Membership.LEADING)


class Membership(models.Model):
    """A seat in a commission. It is closed with a last day, never deleted."""

    class Role(models.TextChoices):
        CHAIR = "chair", _("chair")
        DEPUTY = "deputy", _("deputy chair")
        MEMBER = "member", _("member")

    LEADING = (Role.CHAIR, Role.DEPUTY)

    commission = models.ForeignKey(Commission, models.PROTECT, related_name="memberships", verbose_name=_("commission"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships", verbose_name=_("account")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.MEMBER)
    valid_from = models.DateField(_("from"), default=timezone.localdate)
    valid_to = models.DateField(_("up to and including"), null=True, blank=True)
    name_is_public = models.BooleanField(
        _("name may be shown"), default=False, help_text=_("Without this consent readers see the role only.")
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["commission", "role", "user__username"]
        verbose_name = _("seat")
        verbose_name_plural = _("seats")
        constraints = [
            models.UniqueConstraint(
                fields=["commission", "user"], condition=Q(valid_to=None), name="person_has_one_open_seat"
            ),
            models.UniqueConstraint(
                fields=["commission"], condition=Q(valid_to=None, role="chair"), name="commission_has_one_chair"
            ),
            models.UniqueConstraint(
                fields=["commission"], condition=Q(valid_to=None, role="deputy"), name="commission_has_one_deputy"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="seat_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()}, {self.commission}"

    @property
    def is_leading(self) -> bool:
        return self.role in self.LEADING


class Criterion(models.Model):
    """A question that a commission answers in every review. Reviews keep the text as it stood."""

    commission = models.ForeignKey(Commission, models.PROTECT, related_name="criteria", verbose_name=_("commission"))
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    text = models.CharField(_("criterion"), max_length=240)
    help = models.TextField(_("explanation"), blank=True)
    is_active = models.BooleanField(_("asked in new reviews"), default=True)

    class Meta:
        ordering = ["commission", "order", "pk"]
        verbose_name = _("criterion")
        verbose_name_plural = _("criteria")
        constraints = [models.UniqueConstraint(fields=["commission", "text"], name="criterion_is_asked_once")]

    def __str__(self) -> str:
        return self.text
