from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.models import User
from practices.ratings import FIRST_RULE, FIRST_RULE_PARAMS, RuleUnreadable, StrengthRule


def first_params() -> dict[str, Any]:
    """The parameters of the first rule, to begin a proposal from."""
    return {name: dict(part) for name, part in FIRST_RULE_PARAMS.items()}


class RatingRule(models.Model):
    """A rule for the strength of the evidence, as data with a version: one is adopted, ratings keep the one they had.

    What was adopted once never changes; another rule is another version (practices.rules.adopt).
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", gettext_lazy("proposed")
        ADOPTED = "adopted", gettext_lazy("adopted")
        REPLACED = "replaced", gettext_lazy("replaced")

    FIXED: ClassVar[tuple[str, ...]] = ("version", "params")  # as soon as it was adopted

    version = models.SlugField(
        gettext_lazy("version"), max_length=20, unique=True, help_text=gettext_lazy("For example sterkte-2027.")
    )
    params = models.JSONField(gettext_lazy("rule"), default=first_params)
    note = models.TextField(gettext_lazy("why this rule"), blank=True)
    state = models.CharField(gettext_lazy("state"), max_length=8, choices=State, default=State.PROPOSED, editable=False)
    decision = models.CharField(
        gettext_lazy("decision"), max_length=300, blank=True, editable=False
    )  # when and where the commissions decided
    adopted_at = models.DateTimeField(gettext_lazy("adopted on"), null=True, editable=False)
    adopted_by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=gettext_lazy("adopted by")
    )

    class Meta:
        ordering = ["-pk"]
        verbose_name = gettext_lazy("rule for the strength")
        verbose_name_plural = gettext_lazy("rules for the strength")
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="adopted"), name="one_rule_is_adopted"),
            models.CheckConstraint(
                condition=Q(state="proposed", adopted_at__isnull=True)
                | ~Q(state="proposed") & Q(adopted_at__isnull=False),
                name="adopted_rule_says_when",
            ),
        ]

    def __str__(self) -> str:
        return self.version

    def clean(self) -> None:
        try:
            self.rule()
        except RuleUnreadable as error:
            raise ValidationError({"params": sentence(error)}) from error
        before = RatingRule.objects.filter(pk=self.pk).exclude(state=self.State.PROPOSED).first()
        if before and any(getattr(before, name) != getattr(self, name) for name in self.FIXED):
            raise ValidationError(_("A rule that was adopted does not change. Propose another version."))

    def rule(self) -> StrengthRule:
        """What it says. Raises RuleUnreadable."""
        return StrengthRule.read(self.version, self.params)

    @classmethod
    def adopted(cls) -> StrengthRule:
        """The rule that drafts follow now."""
        found = cls.objects.filter(state=cls.State.ADOPTED).first()
        return found.rule() if found else StrengthRule.read(FIRST_RULE, FIRST_RULE_PARAMS)

    @classmethod
    def of_version(cls, version: str) -> StrengthRule | None:
        """The rule that a rating is pinned to; None when there is no such rule."""
        found = cls.objects.filter(version=version).first()
        if found is None and version == FIRST_RULE:
            return StrengthRule.read(FIRST_RULE, FIRST_RULE_PARAMS)
        return found.rule() if found else None


def sentence(error: RuleUnreadable) -> str:
    """What is wrong with a rule, for who wrote it."""
    words = {
        "parts": _("Write exactly these parts: %(place)s."),
        "rising": _("The numbers of studies rise from 1 to 5 points."),
        "yes-or-no": _("%(place)s is true or false."),
        "number": _("%(place)s is a number."),
        "whole": _("%(place)s is a whole number."),
    }
    facts = {"place": error.place, "range": error.code.replace(" to ", " – ")}
    return words.get(error.code, _("%(place)s lies in %(range)s.")) % facts
