from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from knowledgebase import results
from knowledgebase.figures import Kind, Known
from knowledgebase.models import Concept, ConceptLink, Scheme, Selection, Source, VersionChild
from practices.ratings import (
    CONVERSION,
    CONVERSIONS,
    STRENGTH_SCALE,
    StrengthRule,
    Waterfall,
    gain_of,
    rounded,
    strength_of,
)

from .practices import PracticeVersion
from .rules import RatingRule


class Context(VersionChild):
    """For whom or in which form a figure holds: everybody, or a level, a subject, a group, a dose, a form.

    `context_key` is never empty, so that one context has one row: `overall`, `niveau:lager`, `vorm:mondeling`.
    """

    OVERALL = "overall"
    FREE = ("dosis", "vorm")  # contexts with words of their own instead of a concept
    named_by: ClassVar[tuple[str, ...]] = ("context_key", "label")
    concept_keys = ("context_key",)

    concept = models.ForeignKey(
        Concept,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"scheme__in": [Scheme.LEVEL, Scheme.SUBJECT, Scheme.PUPIL_GROUP]},
        verbose_name=_("level, subject or group of pupils"),
    )
    context_key = models.CharField(
        _("context"),
        max_length=100,
        default=OVERALL,
        help_text=_(
            "overall, or niveau:…, vak:…, doelgroep:… with the address of a concept, or dosis:…, vorm:… of your own."
        ),
    )
    label = models.CharField(_("words for the context"), max_length=120, blank=True)

    class Meta:
        abstract = True

    @property
    def is_overall(self) -> bool:
        return self.context_key == self.OVERALL

    def clean(self) -> None:
        scheme, _colon, slug = self.context_key.partition(":")
        if self.is_overall:
            self.concept = None
        elif scheme in self.FREE:
            self.concept = None
            if not re.fullmatch(r"[a-z0-9-]+", slug):
                raise ValidationError(
                    {"context_key": _("After the colon, write small letters, digits and hyphens only.")}
                )
            if not self.label.strip():
                raise ValidationError({"label": _("Give this context a name in words.")})
        elif scheme in (Scheme.LEVEL, Scheme.SUBJECT, Scheme.PUPIL_GROUP):
            self.concept = Concept.objects.filter(scheme=scheme, slug=slug).first()
            if self.concept is None:
                raise ValidationError(
                    {"context_key": _("There is no such concept: check the address after the colon.")}
                )
        else:
            raise ValidationError({"context_key": _("Start with overall, niveau:, vak:, doelgroep:, dosis: or vorm:.")})


COMPUTED = (
    "source", "metric", "effect", "ci_low", "ci_high", "studies", "pupils", "pupils_at_least", "strength",
    "strength_scale",
)  # fmt: skip  # what a rating on study rows takes from them
LARGEST = 100  # an effect that a rating can hold


def kept(value: float) -> Decimal:
    """Three decimals, half up, from which two decimals are those of the value itself (0.2446 is 0.24, so not 0.245)."""
    exact = Decimal(repr(value))
    three, two = rounded(exact, "0.001"), rounded(exact)
    return three if rounded(three) == two else exact.quantize(Decimal("0.001"), rounding=ROUND_DOWN)


class EvidenceRating(Context):
    """Our own reading of the evidence in one context, resting on one named basis; months are derived from it."""

    class Basis(models.TextChoices):
        SYNTHESIS = "synthesis", _("one synthesis")
        STUDIES = "studies", _("study rows, computed by us")
        UNKNOWN = "unknown", _("unknown, because …")

    class Metric(models.TextChoices):
        D = "d", _("Cohen's d")
        G = "g", _("Hedges' g")
        SMD = "SMD", _("standardised mean difference")

    hash_fields = (
        "order", "context_key", "label", "basis", "metric", "effect", "ci_low", "ci_high", "studies", "pupils",
        "pupils_at_least", "note", "unknown_reason", "strength", "strength_reason", "cost", "cost_euro", "cost_year",
        "cost_reason", "cost_assumptions", "conversion", "strength_scale",
    )  # fmt: skip

    version = models.ForeignKey(PracticeVersion, models.CASCADE, related_name="ratings")
    basis = models.CharField(_("basis"), max_length=10, choices=Basis)
    source = models.ForeignKey(
        Source, models.PROTECT, null=True, blank=True, related_name="ratings", verbose_name=_("the synthesis")
    )
    metric = models.CharField(_("metric"), max_length=4, choices=Metric, blank=True)
    effect = models.DecimalField(_("effect size"), max_digits=5, decimal_places=3, null=True, blank=True)
    ci_low = models.DecimalField(_("95% interval from"), max_digits=5, decimal_places=3, null=True, blank=True)
    ci_high = models.DecimalField(_("95% interval to"), max_digits=5, decimal_places=3, null=True, blank=True)
    studies = models.PositiveIntegerField(_("number of studies"), null=True, blank=True)
    pupils = models.PositiveIntegerField(_("number of pupils"), null=True, blank=True)
    pupils_at_least = models.BooleanField(_("at least this number"), default=False)
    note = models.CharField(_("what this figure is"), max_length=300, blank=True)
    unknown_reason = models.TextField(_("why the learning gain is unknown"), blank=True)
    strength = models.PositiveSmallIntegerField(_("strength of evidence (0 to 5)"), null=True, blank=True)
    strength_reason = models.TextField(_("why this strength, or why unknown"), blank=True)
    cost = models.PositiveSmallIntegerField(_("cost (1 to 5)"), null=True, blank=True)
    cost_euro = models.DecimalField(_("euro per pupil per year"), max_digits=8, decimal_places=2, null=True, blank=True)
    cost_year = models.PositiveSmallIntegerField(_("prices of"), null=True, blank=True)
    cost_reason = models.TextField(_("why this cost, or why unknown"), blank=True)
    cost_assumptions = models.TextField(_("what the cost assumes"), blank=True)
    conversion = models.CharField(
        _("months table"), max_length=20, default=CONVERSION, choices=[(name, name) for name in CONVERSIONS]
    )
    strength_scale = models.CharField(_("strength scale"), max_length=20, default=STRENGTH_SCALE, editable=False)

    class Meta:
        ordering = ["order", "id"]
        verbose_name = _("evidence rating")
        verbose_name_plural = _("evidence ratings")
        constraints = [
            models.UniqueConstraint(fields=["version", "uid"], name="rating_uid_is_unique"),
            models.UniqueConstraint(fields=["version", "context_key"], name="context_is_rated_once"),
            models.CheckConstraint(condition=~Q(context_key=""), name="rating_has_a_context"),
            models.CheckConstraint(
                condition=Q(basis="synthesis", source__isnull=False, effect__isnull=False) & ~Q(metric="")
                | Q(basis="studies") & (Q(effect__isnull=True) | ~Q(metric=""))  # empty where too little is known
                | Q(basis="unknown", effect__isnull=True) & ~Q(unknown_reason=""),
                name="rating_has_a_basis_or_says_why_not",
                violation_error_message=_(
                    "Give the synthesis with its effect size and metric, or choose unknown and say why."
                ),
            ),
            models.CheckConstraint(
                condition=Q(ci_low__isnull=True, ci_high__isnull=True)
                | Q(ci_low__isnull=False, ci_high__isnull=False, effect__isnull=False)
                & Q(effect__gte=F("ci_low"), effect__lte=F("ci_high")),
                name="interval_holds_the_effect",
                violation_error_message=_("Give both ends of the interval; the effect size lies between them."),
            ),
            models.CheckConstraint(
                condition=Q(strength__isnull=True) | Q(strength__lte=5),
                name="strength_is_0_to_5",
                violation_error_message=_("Strength is a number from 0 to 5, or empty when unknown."),
            ),
            models.CheckConstraint(
                condition=Q(cost__isnull=True) | Q(cost__range=(1, 5)),
                name="cost_is_1_to_5",
                violation_error_message=_("Cost is a number from 1 to 5, or empty when unknown."),
            ),
        ]

    def __str__(self) -> str:
        return self.context_key

    def content(self) -> dict[str, Any]:
        return super().content() | {"source": self.source.key if self.source else ""}

    def figures(self) -> Iterator[Known]:
        """The figures of this row with its source; months as they are derived. Nothing without a source."""
        if self.source is None:
            return
        where = self.label or self.context_key
        gain = gain_of(self)
        values = (
            (Kind.EFFECT, self.effect), (Kind.EFFECT, self.ci_low), (Kind.EFFECT, self.ci_high),
            (Kind.MONTHS, gain.value), (Kind.MONTHS, gain.low), (Kind.MONTHS, gain.high),
            (Kind.STUDIES, self.studies), (Kind.PUPILS, self.pupils),
            (Kind.RATING, self.strength), (Kind.RATING, self.cost),
        )  # fmt: skip
        for kind, value in values:
            if value is not None:
                yield Known(kind, Decimal(value), self.source.key, where)

    @property
    def is_computed(self) -> bool:
        """Whether it rests on study rows."""
        return self.basis == self.Basis.STUDIES

    def selection(self) -> Selection | None:
        """The study rows that it rests on."""
        found = Selection.objects.filter(version=self.version_id, context_key=self.context_key)
        selection = found.select_related("synthesis").first()
        if selection is not None:
            selection.version = self.version
        return selection

    def waterfall(self, rule: StrengthRule | None = None) -> Waterfall | None:
        """How its strength comes about from its study rows, by the rule it is pinned to or by another."""
        selection, rule = self.selection(), rule or RatingRule.of_version(self.strength_scale)
        if not self.is_computed or selection is None or rule is None:
            return None
        return strength_of(results.rows_of(selection), results.result_for(selection), self.levels(), rule)

    def levels(self) -> set[str]:
        """The slugs of the levels that its text is about."""
        links = ConceptLink.objects.filter(version=self.version_id, concept__scheme=Scheme.LEVEL)
        return set(links.values_list("concept__slug", flat=True))

    def computed(self) -> dict[str, Any]:
        """What the study rows say, by field: for a draft by the adopted rule, else by the one it is pinned to.

        An effect, and so months, only where the selection says that the table applies, and where a headline may be
        given; what cannot be computed is empty.
        """
        rule = RatingRule.adopted() if self.version.is_editable else RatingRule.of_version(self.strength_scale)
        selection = self.selection()
        if selection is None or rule is None:
            return dict.fromkeys(COMPUTED) | {
                "metric": "",
                "pupils_at_least": False,
                "strength_scale": self.strength_scale,
            }
        result, waterfall = results.result_for(selection), self.waterfall(rule)
        values: dict[str, Any] = {
            "source": selection.synthesis,
            "metric": "",
            "effect": None,
            "ci_low": None,
            "ci_high": None,
            "studies": result.k_studies,
            "pupils": result.pupils,
            "pupils_at_least": result.pupils is not None and result.pupils_known < result.k_studies,
            "strength": waterfall.strength if waterfall else None,
            "strength_scale": rule.version,
        }
        if selection.months and selection.measure in self.Metric.values and result.ci and result.estimate is not None:
            effect, low, high = (kept(value) for value in (result.estimate, result.ci.low, result.ci.high))
            if max(abs(low), abs(effect), abs(high)) < LARGEST:
                values |= {"metric": selection.measure, "effect": effect, "ci_low": low, "ci_high": high}
        return values

    def derive(self) -> bool:
        """Take over what its study rows say; returns whether anything changed. Other bases are left alone."""
        if not self.is_computed:
            return False
        values = self.computed()
        changed = [name for name, value in values.items() if getattr(self, name) != value]
        for name in changed:
            setattr(self, name, values[name])
        if changed:
            self.save(update_fields=changed)
        return bool(changed)

    def differences(self) -> list[str]:
        """Where it says something else than its study rows, as sentences; empty for other bases."""
        if not self.is_computed:
            return []
        if self.selection() is None:
            message = _("The rating “%(context)s” rests on study rows, but no selection has this context.")
            return [message % {"context": self.context_key}]
        fields = [name for name, value in self.computed().items() if getattr(self, name) != value]
        names = ", ".join(str(getattr(self._meta.get_field(name), "verbose_name", name)) for name in fields)
        message = _("The rating “%(context)s” is not what its study rows say now (%(fields)s). Save the text again.")
        return [message % {"context": self.context_key, "fields": names}] if fields else []

    def gaps(self) -> list[str]:
        """What the overall rating must still say before it may be public."""
        gaps = []
        # Of computed ones the rows themselves say why there is no figure.
        if self.effect is None and not self.unknown_reason.strip() and not self.is_computed:
            gaps.append(str(_("Give the learning gain, or say why it is unknown.")))
        if self.strength is None and not self.strength_reason.strip():
            gaps.append(str(_("Give the strength of the evidence, or say why it is unknown.")))
        if self.cost is None and not self.cost_reason.strip():
            gaps.append(str(_("Give the cost, or say why it is unknown.")))
        return gaps


class ExternalVerdict(Context):
    """What another organisation concludes, on its own scale. It never changes our own rating."""

    EEF = "EEF"

    class Confidence(models.TextChoices):
        CORROBORATED = "corroborated", _("two or more texts agree")
        SINGLE = "single-source", _("seen in one text")

    hash_fields = (
        "order", "issuer", "context_key", "label", "months", "strength", "cost", "studies", "statement", "edition",
        "url", "seen_on", "confidence", "previous",
    )  # fmt: skip

    named_by = ("issuer", "context_key", "label")

    version = models.ForeignKey(PracticeVersion, models.CASCADE, related_name="verdicts")
    issuer = models.CharField(_("issuer"), max_length=60, help_text=_("EEF, WWC, Campbell …"))
    months = models.SmallIntegerField(_("months"), null=True, blank=True)
    strength = models.PositiveSmallIntegerField(_("strength (0 to 5)"), null=True, blank=True)
    cost = models.PositiveSmallIntegerField(_("cost (1 to 5)"), null=True, blank=True)
    studies = models.PositiveIntegerField(_("number of studies"), null=True, blank=True)
    statement = models.TextField(_("verdict in our words"), blank=True)
    edition = models.CharField(_("edition"), max_length=160)
    url = models.URLField(_("address"), max_length=400)
    seen_on = models.DateField(_("seen on"))
    confidence = models.CharField(_("confidence"), max_length=14, choices=Confidence)
    previous = models.JSONField(_("earlier editions"), default=list, blank=True)

    class Meta:
        ordering = ["order", "id"]
        verbose_name = _("verdict of others")
        verbose_name_plural = _("verdicts of others")
        constraints = [
            models.UniqueConstraint(fields=["version", "uid"], name="verdict_uid_is_unique"),
            models.UniqueConstraint(fields=["version", "issuer", "context_key"], name="issuer_judges_a_context_once"),
            models.CheckConstraint(condition=~Q(context_key=""), name="verdict_has_a_context"),
            models.CheckConstraint(
                condition=(Q(strength__isnull=True) | Q(strength__lte=5))
                & (Q(cost__isnull=True) | Q(cost__range=(1, 5))),
                name="verdict_is_on_its_scale",
                violation_error_message=_("Strength is 0 to 5 and cost 1 to 5, or empty."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.issuer} {self.context_key}"

    def figures(self, key: str) -> Iterator[Known]:
        """The figures of this verdict and of its earlier editions, under the key of a source."""
        kinds = {
            "months": Kind.MONTHS, "studies": Kind.STUDIES, "strength": Kind.RATING, "cost": Kind.RATING,
        }  # fmt: skip
        now = {name: getattr(self, name) for name in kinds} | {"edition": self.edition}
        earlier = self.previous if isinstance(self.previous, list) else []
        for row in (now, *(row for row in earlier if isinstance(row, dict))):
            where = f"{self.issuer} {row.get('edition', '')}, {self.label or self.context_key}"
            for name, kind in kinds.items():
                if isinstance(row.get(name), int):
                    yield Known(kind, Decimal(row[name]), key, where)
