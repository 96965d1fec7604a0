"""Studies with their effects, and which of them a version rests on.

Rows that a submitted version uses never change (the guards of the database); a correction is a new row that supersedes,
made by knowledgebase.editorial.studies. The arithmetic is in knowledgebase.evidence.
"""

from __future__ import annotations

import math
import uuid
from decimal import Decimal
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .editorial import Version, VersionChild
from .sources import Source
from .taxonomy import Concept, Scheme

LARGEST = 1_000_000.0  # of an effect or a variance: beyond it stands no standardised measure


class Measure(models.TextChoices):
    """The scale of an effect; effects of one scale are pooled, never of two."""

    G = "g", _("standardised mean difference (Hedges' g)")
    SMD = "SMD", _("standardised mean difference (formula not reported)")
    Z = "z", _("correlation (Fisher's z)")
    LOG_ODDS = "lnOR", _("log odds ratio")
    CHANGE = "SMCR", _("standardised change in one group")


class StudyQuerySet(models.QuerySet["Study"]):
    def current(self) -> Self:
        """Without the rows that a correction took the place of."""
        return self.filter(superseded_by=None)


class Study(models.Model):
    """One study, sample or district as a synthesis describes it: effects of one study are not independent."""

    class Design(models.TextChoices):
        RANDOMISED = "randomised", _("randomised")
        QUASI = "quasi", _("quasi-experimental")
        OBSERVATIONAL = "observational", _("observational")
        UNKNOWN = "unknown", _("unknown")

    class Risk(models.TextChoices):
        LOW = "low", _("low")
        SOME = "some", _("some")
        HIGH = "high", _("high")
        UNKNOWN = "unknown", _("unknown")

    key = models.SlugField(_("key"), max_length=100, unique=True, help_text=_("For example ashworth-1992."))
    synthesis = models.ForeignKey(
        Source,
        models.PROTECT,
        related_name="studies",
        verbose_name=_("the synthesis that gave the rows"),
        help_text=_(
            "The meta-analysis in which we found these figures; for a study that we read ourselves, the study."
        ),
    )
    source = models.ForeignKey(
        Source,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("its own publication"),
        help_text=_("Empty when we have the figures from the synthesis only."),
    )
    label = models.CharField(_("name in tables"), max_length=160, help_text=_("For example Ashworth 1992."))
    year = models.PositiveSmallIntegerField(_("year"), null=True, blank=True)
    country = models.CharField(
        _("country"),
        max_length=2,
        blank=True,
        validators=[RegexValidator(r"\A[A-Z]{2}\Z", _("Two capitals, as in BE; empty when unknown."))],
        help_text=_("Two capitals (ISO 3166), as in BE. Empty when unknown."),
    )
    level = models.ForeignKey(
        Concept,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"scheme": Scheme.LEVEL},
        verbose_name=_("education level"),
    )
    subject = models.ForeignKey(
        Concept,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"scheme": Scheme.SUBJECT},
        verbose_name=_("subject"),
    )
    subject_text = models.CharField(_("subject in the words of the source"), max_length=120, blank=True)
    pupils = models.PositiveIntegerField(_("number of pupils"), null=True, blank=True)
    design = models.CharField(_("design"), max_length=13, choices=Design, default=Design.UNKNOWN)
    risk_of_bias = models.CharField(_("risk of bias"), max_length=7, choices=Risk, default=Risk.UNKNOWN)
    note = models.TextField(_("note"), blank=True)
    supersedes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="superseded_by"
    )

    objects = StudyQuerySet.as_manager()

    class Meta:
        ordering = ["label", "key"]
        verbose_name = _("study")
        verbose_name_plural = _("studies")
        constraints = [
            models.CheckConstraint(
                condition=Q(year__isnull=True) | Q(year__range=(1800, 2100)), name="study_year_is_plausible"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def natural_key(self) -> tuple[str]:
        return (self.key,)

    @property
    def place(self) -> tuple[Any, ...]:
        """What names this study within its synthesis."""
        return self.label.casefold(), self.year

    def content(self) -> dict[str, Any]:
        """What a reader sees of this study, without keys of this database; empty values are left out."""
        shown = {
            "key": self.key,
            "synthesis": self.synthesis.key,
            "source": self.source.key if self.source else "",
            "label": self.label,
            "year": self.year,
            "country": self.country,
            "level": self.level.slug if self.level else "",
            "subject": self.subject.slug if self.subject else "",
            "subject_text": self.subject_text,
            "pupils": self.pupils,
            "design": self.design if self.design != self.Design.UNKNOWN else "",
            "risk_of_bias": self.risk_of_bias if self.risk_of_bias != self.Risk.UNKNOWN else "",
            "note": self.note,
        }
        return {name: value for name, value in shown.items() if value not in (None, "")}


class EffectQuerySet(models.QuerySet["EffectSize"]):
    def current(self) -> Self:
        """Without the rows that a correction took the place of."""
        return self.filter(superseded_by=None)

    def with_study(self) -> Self:
        return self.select_related(*(f"study__{name}" for name in ("synthesis", "source", "level", "subject")))


def check_moderators(value: Any) -> None:
    """Raises ValidationError unless this is a flat object of names with words, numbers or nothing."""
    flat = isinstance(value, dict) and all(
        isinstance(name, str) and (part is None or isinstance(part, (str, int, float, bool)))
        for name, part in value.items()
    )
    if not flat:
        raise ValidationError(_("Give a word or a number for each characteristic."), code="moderators")


class EffectSize(models.Model):
    """One effect of a study: what the paper reports, how that was converted, and the result."""

    AS_REPORTED = "as-reported"  # effect and variance stand in the source itself

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    study = models.ForeignKey(Study, models.PROTECT, related_name="effects", verbose_name=_("study"))
    outcome = models.CharField(_("outcome"), max_length=160, blank=True, help_text=_("What was measured."))
    contrast = models.CharField(
        _("comparison"), max_length=160, blank=True, help_text=_("Which groups, schools or samples.")
    )
    measure = models.CharField(_("measure"), max_length=4, choices=Measure, default=Measure.G)
    reported = models.JSONField(_("as it stands in the paper"), default=dict, blank=True)
    conversion = models.CharField(_("conversion"), max_length=40, default=AS_REPORTED)
    effect = models.FloatField(_("effect"))
    variance = models.FloatField(_("variance"))
    n1 = models.PositiveIntegerField(_("pupils with the intervention"), null=True, blank=True)
    n2 = models.PositiveIntegerField(_("pupils without"), null=True, blank=True)
    n = models.PositiveIntegerField(
        _("pupils in all"), null=True, blank=True, help_text=_("When the source does not give the groups.")
    )
    moderators = models.JSONField(_("characteristics"), default=dict, blank=True, validators=[check_moderators])
    supersedes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="superseded_by"
    )
    created_by = models.ForeignKey("User", models.PROTECT, editable=False, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EffectQuerySet.as_manager()

    class Meta:
        ordering = ["study_id", "id"]
        verbose_name = _("effect")
        verbose_name_plural = _("effects")
        constraints = [
            models.CheckConstraint(
                condition=Q(variance__gt=0, variance__lt=LARGEST),
                name="variance_is_above_zero",
                violation_error_message=_("A variance is above zero."),
            ),
            models.CheckConstraint(
                condition=Q(effect__gt=-LARGEST, effect__lt=LARGEST),
                name="effect_is_a_number",
                violation_error_message=_("An effect is a number."),
            ),
            models.CheckConstraint(condition=~Q(supersedes=F("id")), name="effect_does_not_supersede_itself"),
        ]

    def __str__(self) -> str:
        return ", ".join(filter(None, [self.study.label, self.outcome, self.contrast]))

    def clean(self) -> None:
        for name in ("effect", "variance"):
            if (value := getattr(self, name)) is not None and not math.isfinite(value):
                raise ValidationError({name: _("This is no number.")})

    @property
    def place(self) -> tuple[Any, ...]:
        """What names this row within its synthesis: the study, the outcome and the comparison."""
        return (*self.study.place, self.outcome.casefold(), self.contrast.casefold())

    @property
    def total(self) -> int | None:
        """Pupils in this comparison; None when unknown."""
        return self.n1 + self.n2 if self.n1 is not None and self.n2 is not None else self.n

    def content(self) -> dict[str, Any]:
        """The values of this row and of its study, without keys of this database; empty values are left out."""
        own = (
            "outcome", "contrast", "measure", "reported", "conversion", "effect", "variance", "n1", "n2", "n", "moderators",
        )  # fmt: skip
        shown = {name: getattr(self, name) for name in own}
        filled = {name: value for name, value in shown.items() if value not in (None, "", {})}
        return {"row": str(self.uid), "study": self.study.content()} | filled


class Selection(VersionChild):
    """What a figure of a version is computed from and how: one for each context that rests on study rows."""

    class Model(models.TextChoices):
        INDEPENDENT = "independent", _("one effect a study")
        CHE = "che", _("correlated and hierarchical effects")
        THREE_LEVEL = "three-level", _("three levels")

    class Test(models.TextChoices):
        ADHOC = "adhoc", _("Hartung-Knapp, never narrower")
        Z = "z", "z"

    class Method(models.TextChoices):
        REML = "REML", "REML"
        DL = "DL", "DerSimonian-Laird"
        PM = "PM", "Paule-Mandel"

    hash_fields = (
        "order", "context_key", "label", "measure", "model", "test", "method", "rho", "months", "caveats", "moderators",
    )  # fmt: skip
    named_by: ClassVar[tuple[str, ...]] = ("context_key", "label")
    concept_keys = ("context_key",)

    version = models.ForeignKey(Version, models.CASCADE, related_name="selections")
    context_key = models.CharField(
        _("context"),
        max_length=100,
        default="overall",
        help_text=_("As in the rating that rests on it: overall, niveau:… and so on."),
    )
    synthesis = models.ForeignKey(
        Source,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("synthesis"),
        help_text=_("The meta-analysis that gave the rows; empty for a collection of our own."),
    )
    label = models.CharField(_("what is computed"), max_length=160, blank=True)
    measure = models.CharField(_("measure"), max_length=4, choices=Measure, default=Measure.G)
    model = models.CharField(_("model"), max_length=12, choices=Model, default=Model.INDEPENDENT)
    test = models.CharField(_("test"), max_length=5, choices=Test, default=Test.ADHOC)
    method = models.CharField(_("method"), max_length=4, choices=Method, default=Method.REML)
    rho = models.DecimalField(
        _("correlation of effects within a study"),
        max_digits=3,
        decimal_places=2,
        default=Decimal("0.60"),
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )
    months = models.BooleanField(
        _("in months"),
        default=True,
        help_text=_("Whether the months table applies: not for correlations, and not for another age group."),
    )
    caveats = models.TextField(_("what the data cannot say"), blank=True)
    moderators = models.JSONField(
        _("characteristics to compare"),
        default=list,
        blank=True,
        help_text=_('The names of characteristics by which readers compare studies, as in ["feedback"].'),
    )

    class Meta:
        ordering = ["order", "id"]
        verbose_name = _("selection of studies")
        verbose_name_plural = _("selections of studies")
        constraints = [
            models.UniqueConstraint(fields=["version", "uid"], name="selection_uid_is_unique"),
            models.UniqueConstraint(fields=["version", "context_key"], name="context_has_one_selection"),
            models.CheckConstraint(condition=~Q(context_key=""), name="selection_has_a_context"),
            models.CheckConstraint(condition=Q(rho__gte=0, rho__lte=1), name="rho_is_a_correlation"),
        ]

    def __str__(self) -> str:
        return self.label or self.context_key

    def clean(self) -> None:
        names = self.moderators
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise ValidationError({"moderators": _('Write a list of names, like ["feedback"].')})

    def content(self) -> dict[str, Any]:
        return super().content() | {"synthesis": self.synthesis.key if self.synthesis else ""}

    def rows(self) -> models.QuerySet[SelectedEffect]:
        """Its effects, in and out, with their studies."""
        rows = SelectedEffect.objects.filter(version=self.version_id, selection=self.uid)
        return rows.select_related(*SelectedEffect.content_needs)


class SelectedEffectQuerySet(models.QuerySet["SelectedEffect"]):
    def submitted(self) -> Self:
        """Those of versions that were ever submitted: on them rest rows that stay."""
        return self.filter(version__round_no__gt=0)


class SelectedEffect(VersionChild):
    """An effect that a selection counts, or leaves out for a reason."""

    content_needs = (
        "effect__study__synthesis", "effect__study__source", "effect__study__level", "effect__study__subject",
    )  # fmt: skip

    version = models.ForeignKey(Version, models.CASCADE, related_name="selected_effects")
    selection = models.UUIDField(_("selection"), editable=False)  # the uid of a Selection of the same version
    effect = models.ForeignKey(EffectSize, models.PROTECT, related_name="selected", verbose_name=_("effect"))
    included = models.BooleanField(_("counts"), default=True)
    reason = models.CharField(_("why it is left out"), max_length=300, blank=True)

    objects = SelectedEffectQuerySet.as_manager()

    class Meta:
        ordering = ["order", "id"]
        verbose_name = _("selected effect")
        verbose_name_plural = _("selected effects")
        constraints = [
            models.UniqueConstraint(fields=["version", "uid"], name="selected_effect_uid_is_unique"),
            models.UniqueConstraint(fields=["version", "selection", "effect"], name="effect_is_selected_once"),
        ]

    def __str__(self) -> str:
        return str(self.effect)

    def content(self) -> dict[str, Any]:
        """The values of the row, so that the hash holds them."""
        shown = {"order": self.order, "selection": str(self.selection), "effect": self.effect.content()}
        return shown | ({} if self.included else {"left_out": True, "reason": self.reason})
