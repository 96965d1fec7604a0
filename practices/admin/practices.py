from typing import Any, cast

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.editorial.admin import (
    DemoFilter,
    FrozenWithVersion,
    LevelFilter,
    StateFilter,
    TextAdmin,
    ThemeFilter,
    TurnFilter,
    VersionAdmin,
)
from knowledgebase.editorial.forms import ChildForm
from knowledgebase.models import ConceptLabel, ConceptLink, Scheme
from practices import wording
from practices.models import EvidenceRating, ExternalVerdict, Practice, PracticeVersion
from practices.models.ratings import COMPUTED
from practices.ratings import gain_of


class ConfidenceFilter(admin.SimpleListFilter):
    """By how well the verdicts of others in the newest version are confirmed."""

    title = gettext_lazy("verdicts of others")
    parameter_name = "zekerheid"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, label) for value, label in ExternalVerdict.Confidence.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ExternalVerdict.Confidence.values:
            return queryset
        verdicts = ExternalVerdict.objects.filter(version=OuterRef("newest_id"), confidence=self.value())
        return queryset.filter(Exists(verdicts))


@admin.register(Practice)
class PracticeAdmin(TextAdmin):
    version_model = PracticeVersion
    list_display = (
        "shown_title",
        "public",
        "being_written",
        "to_act",
        "last_change",
        "theme",
    )  # who scrolls misses least
    list_filter = (TurnFilter, StateFilter, LevelFilter, ThemeFilter, ConfidenceFilter, DemoFilter)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        themes = ConceptLink.objects.filter(
            version=OuterRef("newest_id"),
            concept__scheme=Scheme.THEME,
            concept__labels__relation=ConceptLabel.Relation.PREFERRED,
            concept__labels__language="nl",
        ).order_by("order", "pk")
        main_theme = Subquery(themes.values("concept__labels__label")[:1])
        return cast(QuerySet, super().get_queryset(request).annotate(main_theme=main_theme))

    @admin.display(description=gettext_lazy("main theme"), ordering="main_theme")
    def theme(self, practice: Any) -> str:
        return practice.main_theme or self.get_empty_value_display()


class RatingForm(ChildForm):
    """A rating; what follows from study rows is not typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        basis = self.data.get(self.add_prefix("basis")) if self.is_bound else self.instance.basis
        if basis == EvidenceRating.Basis.STUDIES:
            for name in COMPUTED:
                if name in self.fields:
                    self.fields[name].disabled = True
                    self.fields[name].help_text = _("Computed from the study rows when you save.")


class RatingInline(FrozenWithVersion, admin.StackedInline):
    model = EvidenceRating
    form = RatingForm
    autocomplete_fields = ("source",)
    readonly_fields = ("months_shown",)
    fieldsets = (
        (
            None,
            {
                "fields": (("context_key", "label", "order"), "basis", "unknown_reason"),
                "description": gettext_lazy("One rating per context; the first one is “overall”."),
            },
        ),
        (
            gettext_lazy("Learning gain"),
            {
                "fields": (
                    ("source", "metric"), ("effect", "ci_low", "ci_high"), ("months_shown", "conversion"),
                    ("studies", "pupils", "pupils_at_least"), "note",
                ),
                "description": gettext_lazy(
                    "As the synthesis reports it. What it does not give stays empty: it is shown as unknown."
                ),
            },
        ),
        (gettext_lazy("Strength of the evidence"), {"fields": ("strength", "strength_reason")}),
        (gettext_lazy("Cost"), {"fields": (("cost", "cost_euro", "cost_year"), "cost_reason", "cost_assumptions")}),
    )  # fmt: skip

    @admin.display(description=gettext_lazy("months, derived when saved"))
    def months_shown(self, rating: EvidenceRating) -> str:
        if rating.effect is None:
            return _("unknown")
        gain = gain_of(rating)
        words = wording.signed_months(gain.value) if gain.value is not None else wording.bound(None, rating.effect)
        return f"{words} ({wording.interval(gain)})" if gain.has_interval else words


class VerdictInline(FrozenWithVersion, admin.StackedInline):
    model = ExternalVerdict
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("issuer", "edition", "order"), ("context_key", "label"), ("months", "strength", "cost", "studies"),
                    "statement",
                ),
                "description": gettext_lazy("What others conclude, on their own scale. It never changes our rating."),
            },
        ),
        (gettext_lazy("Where we saw it"), {"fields": ("url", ("seen_on", "confidence"), "previous")}),
    )  # fmt: skip


@admin.register(PracticeVersion)
class PracticeVersionAdmin(VersionAdmin):
    inlines = (RatingInline, VerdictInline, *VersionAdmin.inlines)
    markdown_sections = (
        (gettext_lazy("At a glance"), ("in_short", "when_not")),
        (gettext_lazy("What it is"), ("what_it_is", "what_it_is_not", "behind_average", "equal_opportunities")),
        (
            gettext_lazy("In the classroom"),
            ("active_ingredients", "steps", "time_and_roles", "pitfalls", "scenario", "cost"),
        ),
        (gettext_lazy("How sure we are"), ("certainty", "change_our_mind")),
    )
