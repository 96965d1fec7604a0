from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _


class Scheme(models.TextChoices):
    """The vocabularies. A concept is added in the admin; only a new vocabulary needs code."""

    LEVEL = "niveau", _("Education level")
    SUBJECT = "vak", _("Subject")
    PUPIL_GROUP = "doelgroep", _("Group of pupils")
    AUDIENCE = "publiek", _("Readers")
    THEME = "thema", _("Theme")
    OUTCOME = "uitkomst", _("Outcome")
    RESOURCE = "leermiddel", _("Learning resource")
    TERM = "begrip", _("Glossary term")
    SEARCH = "zoekterm", _("Search term")  # only for finding: no page and no filter shows it
    WORD = "woordvorm", _("Word form")  # what the analysis of words must know: forms of one word, words never to split


class ConceptQuerySet(models.QuerySet["Concept"]):
    def in_scheme(self, *schemes: str) -> Self:
        return self.filter(scheme__in=schemes)


class ConceptManager(models.Manager.from_queryset(ConceptQuerySet)):  # type: ignore[misc]  # built by Django at run time
    """Every concept comes with its preferred label as `name`."""

    def get_queryset(self) -> ConceptQuerySet:
        preferred = ConceptLabel.objects.filter(
            concept=OuterRef("pk"), relation=ConceptLabel.Relation.PREFERRED, language="nl"
        )
        named: ConceptQuerySet = super().get_queryset().annotate(name=Subquery(preferred.values("label")[:1]))
        return named

    def get_by_natural_key(self, scheme: str, slug: str) -> "Concept":
        concept: Concept = self.get(scheme=scheme, slug=slug)
        return concept


class Concept(models.Model):
    """A thing that texts are about, in one of the vocabularies (after SKOS: https://www.w3.org/TR/skos-reference/)."""

    class Origin(models.TextChoices):
        OFFICIAL = "flemish-education", _("an official list of Flemish education")
        OWN = "leerpunt", _("our own vocabulary")

    scheme = models.CharField(_("vocabulary"), max_length=20, choices=Scheme)
    slug = models.SlugField(_("address"), max_length=80)
    definition = models.TextField(_("definition"), blank=True)
    broader = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="narrower", verbose_name=_("broader concept")
    )
    order = models.PositiveIntegerField(_("order"), default=0)
    origin = models.CharField(_("origin"), max_length=20, choices=Origin, default=Origin.OWN)

    objects = ConceptManager()

    class Meta:
        base_manager_name = "objects"
        ordering = ["scheme", "order", "slug"]
        verbose_name = _("concept")
        verbose_name_plural = _("concepts")
        constraints = [
            models.UniqueConstraint(fields=["scheme", "slug"], name="concept_slug_is_unique_in_scheme"),
            models.CheckConstraint(condition=~Q(broader=models.F("id")), name="concept_is_not_broader_than_itself"),
        ]

    def __str__(self) -> str:
        return str(getattr(self, "name", None) or self.slug)

    def natural_key(self) -> tuple[str, str]:
        return (self.scheme, self.slug)

    def clean(self) -> None:
        seen, broader = {self.pk}, self.broader
        while broader is not None:
            if broader.scheme != self.scheme:
                raise ValidationError({"broader": _("Choose a concept of the same vocabulary.")})
            if broader.pk in seen and broader.pk is not None:
                raise ValidationError({"broader": _("A concept cannot be broader than itself.")})
            seen.add(broader.pk)
            broader = broader.broader


class ConceptLabelManager(models.Manager["ConceptLabel"]):
    def get_by_natural_key(self, scheme: str, slug: str, language: str, label: str) -> "ConceptLabel":
        return self.get(concept__scheme=scheme, concept__slug=slug, language=language, label=label)


class ConceptLabel(models.Model):
    """A word for a concept: the one we print, or another under which people look for it."""

    class Relation(models.TextChoices):
        PREFERRED = "pref", _("preferred")
        ALTERNATIVE = "alt", _("alternative")
        HIDDEN = "hidden", _("hidden (inflected or misspelt)")
        ABBREVIATION = "abbreviation", _("abbreviation")
        NARROWER = "narrower", _("narrower (a kind of it)")
        RELATED = "related", _("related (finds it, less strongly)")
        WHOLE = "whole", _("never split")

    ONLY_TO_FIND = (Relation.NARROWER, Relation.RELATED, Relation.WHOLE)  # no names of the concept: nothing prints them

    concept = models.ForeignKey(Concept, models.CASCADE, related_name="labels", verbose_name=_("concept"))
    label = models.CharField(_("label"), max_length=120)
    relation = models.CharField(_("relation"), max_length=12, choices=Relation, default=Relation.ALTERNATIVE)
    weight = models.PositiveSmallIntegerField(_("weight"), default=60)
    language = models.CharField(_("language"), max_length=5, default="nl")

    objects = ConceptLabelManager()

    class Meta:
        ordering = ["concept_id", "-weight", "label"]
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        constraints = [
            models.UniqueConstraint(fields=["concept", "language", "label"], name="label_is_unique_for_concept"),
            models.UniqueConstraint(
                fields=["concept", "language"], condition=Q(relation="pref"), name="concept_has_one_preferred_label"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def natural_key(self) -> tuple[Any, ...]:
        return (*self.concept.natural_key(), self.language, self.label)

    natural_key.dependencies = ["knowledgebase.concept"]  # type: ignore[attr-defined]  # Django's way to order a dump
