from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .editorial import Item


class ReadabilityNorm(models.Model):
    """How easy one kind of text must read: what readers meet first, and the rest. The user commission sets it."""

    class Part(models.TextChoices):
        SHORT = "short", _("what readers meet first")
        BODY = "body", _("the rest of the text")

    kind = models.CharField(_("kind"), max_length=10, choices=Item.Kind)
    part = models.CharField(_("part of the text"), max_length=5, choices=Part)
    douma = models.PositiveSmallIntegerField(
        _("Flesch-Douma, at least"),
        validators=[MaxValueValidator(120)],
        help_text=_("60 to 70 is ordinary, 45 to 60 rather hard. Glossary terms count as short words."),
    )
    mean_sentence = models.PositiveSmallIntegerField(
        _("mean sentence, at most (words)"), validators=[MinValueValidator(5), MaxValueValidator(60)]
    )
    long_share = models.PositiveSmallIntegerField(
        _("sentences over 20 words, at most (%)"), validators=[MaxValueValidator(100)]
    )
    longest_sentence = models.PositiveSmallIntegerField(
        _("longest sentence, at most (words)"), validators=[MinValueValidator(5), MaxValueValidator(200)]
    )
    explains_jargon = models.BooleanField(
        _("all jargon is explained"), default=True, help_text=_("In the glossary, under any of the names of a term.")
    )

    class Meta:
        ordering = ["kind", "-part"]
        verbose_name = _("norm for readability")
        verbose_name_plural = _("norms for readability")
        constraints = [
            models.UniqueConstraint(fields=["kind", "part"], name="part_of_a_kind_has_one_norm"),
            models.CheckConstraint(
                condition=Q(long_share__lte=100, mean_sentence__gte=5, longest_sentence__gte=5),
                name="norm_is_possible",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_part_display()}"
