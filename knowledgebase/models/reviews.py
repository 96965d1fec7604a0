"""What the commissions do with a version: rounds, reviews, decisions and comments.

Rows are written by knowledgebase.editorial.reviews and .transitions; guard triggers keep what was written.
"""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .commissions import Commission, Criterion, Membership
from .editorial import Version


class ReviewRoundQuerySet(models.QuerySet["ReviewRound"]):
    def open(self) -> Self:
        return self.filter(closed_at=None)


class ReviewRound(models.Model):
    """One text, frozen, before both commissions. `content` is the canonical content that `content_hash` is of."""

    class Kind(models.TextChoices):
        REVIEW = "review", pgettext_lazy("by a commission", "review")
        REVALIDATION = "revalidation", _("revalidation")

    class Outcome(models.TextChoices):
        APPROVED = "approved", _("approved")
        CHANGES = "changes", _("changes requested")
        RECALLED = "recalled", _("recalled")
        WITHDRAWN = "withdrawn", _("withdrawn")

    version = models.ForeignKey(Version, models.PROTECT, related_name="rounds")
    number = models.PositiveSmallIntegerField(_("round"))
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.REVIEW)
    content_hash = models.CharField(max_length=64)
    content = models.JSONField()
    remark = models.TextField(_("remark of the editors"), blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    due_on = models.DateField(_("due on"))
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)

    objects = ReviewRoundQuerySet.as_manager()

    class Meta:
        ordering = ["version", "number"]
        verbose_name = _("review round")
        verbose_name_plural = _("review rounds")
        constraints = [
            models.UniqueConstraint(fields=["version", "number"], name="round_number_is_unique"),
            models.UniqueConstraint(fields=["version"], condition=Q(closed_at=None), name="version_has_one_open_round"),
            models.CheckConstraint(
                condition=Q(closed_at=None, outcome="") | Q(closed_at__isnull=False) & ~Q(outcome=""),
                name="closed_round_says_when_and_how",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version}, {self.get_kind_display()} {self.number}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class Review(models.Model):
    """What one member recommends in one round. It is written once."""

    class Recommendation(models.TextChoices):
        APPROVE = "approve", _("approve")
        CHANGES = "changes", _("ask for changes")
        ABSTAIN = "abstain", _("abstain")

    class Interest(models.TextChoices):
        NONE = "none", _("no interest")
        DECLARED = "declared", _("an interest, declared")

    round = models.ForeignKey(ReviewRound, models.PROTECT, related_name="reviews")
    commission = models.ForeignKey(Commission, models.PROTECT, related_name="+")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="reviews")
    interest = models.CharField(_("interest"), max_length=10, choices=Interest)
    interest_text = models.TextField(_("which interest"), blank=True)
    recommendation = models.CharField(_("recommendation"), max_length=10, choices=Recommendation)
    body = models.TextField(_("explanation"), blank=True)
    submitted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["round", "submitted_at"]
        verbose_name = pgettext_lazy("by a commission", "review")
        verbose_name_plural = _("reviews")
        constraints = [
            models.UniqueConstraint(fields=["round", "membership"], name="member_reviews_once_a_round"),
            models.CheckConstraint(
                condition=Q(interest="none") | ~Q(interest_text=""), name="declared_interest_says_which"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership.user}: {self.get_recommendation_display()}"


class CriterionAnswer(models.Model):
    """The answer to one criterion in a review, with the text of the criterion as it was asked."""

    class Value(models.TextChoices):
        YES = "yes", _("yes")
        PARTLY = "partly", _("partly")
        NO = "no", _("no")
        NOT_APPLICABLE = "na", _("does not apply")

    review = models.ForeignKey(Review, models.PROTECT, related_name="answers")
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="+")
    criterion_text = models.CharField(max_length=240)
    value = models.CharField(max_length=10, choices=Value)
    comment = models.TextField(blank=True)

    class Meta:
        ordering = ["review", "criterion__order", "pk"]
        constraints = [models.UniqueConstraint(fields=["review", "criterion"], name="criterion_is_answered_once")]

    def __str__(self) -> str:
        return f"{self.criterion_text} {self.get_value_display()}"


class Recusal(models.Model):
    """A member steps back from a round, before or after a review: that review then no longer counts."""

    round = models.ForeignKey(ReviewRound, models.PROTECT, related_name="recusals")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="recusals")
    reason = models.TextField(_("reason"))
    declared_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["round", "declared_at"]
        verbose_name = _("recusal")
        verbose_name_plural = _("recusals")
        constraints = [
            models.UniqueConstraint(fields=["round", "membership"], name="member_steps_back_once_a_round"),
            models.CheckConstraint(condition=~Q(reason=""), name="recusal_says_why"),
        ]

    def __str__(self) -> str:
        return str(self.membership.user)


class DecisionQuerySet(models.QuerySet["Decision"]):
    def standing(self) -> Self:
        """Not revoked."""
        return self.filter(revoked_at=None)


class Decision(models.Model):
    """What a commission decided in a round, recorded by its chair or deputy. It can only be revoked."""

    class Outcome(models.TextChoices):
        APPROVE = "approve", _("approved")
        CHANGES = "changes", _("changes requested")

    round = models.ForeignKey(ReviewRound, models.PROTECT, related_name="decisions")
    commission = models.ForeignKey(Commission, models.PROTECT, related_name="decisions")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="decisions")
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome)
    content_hash = models.CharField(max_length=64)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=timezone.now)
    quorum_needed = models.PositiveSmallIntegerField()
    quorum_reached = models.PositiveSmallIntegerField()
    confirms = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    interest_text = models.TextField(_("declared interest"), blank=True)
    rationale = models.TextField(_("public rationale"))
    minority_note = models.TextField(_("minority note"), blank=True)
    evidence_manifest = models.JSONField(default=dict, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    revoked_reason = models.TextField(blank=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["round", "-commission__code"]
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            models.UniqueConstraint(
                fields=["round", "commission"], condition=Q(revoked_at=None), name="commission_decides_once_a_round"
            ),
            models.UniqueConstraint(
                fields=["round", "decided_by"], condition=Q(revoked_at=None), name="nobody_decides_for_both"
            ),
            models.CheckConstraint(
                condition=Q(quorum_reached__gte=models.F("quorum_needed")) | Q(confirms__isnull=False),
                name="decision_has_quorum",
            ),
            models.CheckConstraint(condition=~Q(rationale=""), name="decision_says_why"),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by=None, revoked_reason="")
                | Q(revoked_at__isnull=False, revoked_by__isnull=False) & ~Q(revoked_reason=""),
                name="revocation_says_when_who_and_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.commission}: {self.get_outcome_display()}"


class CommentQuerySet(models.QuerySet["Comment"]):
    def unresolved(self) -> Self:
        return self.filter(resolved_at=None)

    def blocking(self) -> Self:
        """What has to be settled before the commission of its author approves."""
        return self.unresolved().filter(is_blocking=True)


class Comment(models.Model):
    """A remark on a field, a child row or a selected passage of a version. Editors see it; its author resolves it."""

    version = models.ForeignKey(Version, models.PROTECT, related_name="comments")
    round = models.ForeignKey(ReviewRound, models.PROTECT, related_name="comments")
    commission = models.ForeignKey(Commission, models.PROTECT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    field = models.CharField(max_length=60, help_text=_("The name of a field, or of a kind of child row."))
    target_uid = models.UUIDField(null=True, blank=True, help_text=_("The uid of the child row."))
    quote = models.TextField(_("passage"), blank=True)
    body = models.TextField(_("comment"))
    is_blocking = models.BooleanField(_("must be settled before approval"), default=False)
    created_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ["version", "created_at", "pk"]
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        constraints = [
            models.CheckConstraint(condition=~Q(body=""), name="comment_says_something"),
            models.CheckConstraint(
                condition=Q(resolved_at=None, resolved_by=None)
                | Q(resolved_at__isnull=False, resolved_by__isnull=False),
                name="resolution_says_when_and_who",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.author}: {self.body[:60]}"
