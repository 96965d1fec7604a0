from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from knowledgebase.editorial.admin import ReferenceAdmin
from knowledgebase.editorial.forms import ConceptChoiceField, concept_label
from knowledgebase.models import Concept, ConceptLabel, Scheme

from .search_trial import try_search

Relation = ConceptLabel.Relation


class LabelFormSet(BaseInlineFormSet):
    def clean(self) -> None:
        """One preferred label in each language, and one in Dutch: it is the name of the concept."""
        super().clean()
        rows = [form.cleaned_data for form in self.forms if getattr(form, "cleaned_data", None)]
        preferred = [
            row.get("language") for row in rows if row.get("relation") == Relation.PREFERRED and not row.get("DELETE")
        ]
        if len(preferred) != len(set(preferred)):
            raise ValidationError(_("Give one preferred label per language."))
        if "nl" not in preferred and not any(self.errors):
            raise ValidationError(_("Give a preferred label in Dutch (nl): it is the name of the concept."))


class LabelInline(admin.TabularInline):
    model = ConceptLabel
    formset = LabelFormSet
    extra = 0
    min_num = 1
    ordering = ("language", "-weight", "label")


@admin.register(Concept)
class ConceptAdmin(ReferenceAdmin):
    list_display = ("name", "scheme", "slug", "broader_name", "origin", "order")
    list_display_links = ("name", "slug")
    list_filter = ("scheme", "origin")
    list_per_page = 100
    search_fields = ("labels__label", "slug")
    search_help_text = _("Search in labels and addresses.")
    autocomplete_fields = ("broader",)
    fields = ("scheme", "slug", "broader", "definition", "order", "origin")
    inlines = (LabelInline,)
    view_on_site = False

    label_of = staticmethod(concept_label)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if form.instance.scheme == Scheme.WORD:
            self.message_user(
                request,
                _("Search knows this word in all texts once the jobs of the site have indexed them anew."),
                messages.INFO,
            )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(lambda request: try_search(self, request))
        return [path("zoeken-proberen/", view, name="knowledgebase_concept_search_trial"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        names = ConceptLabel.objects.filter(
            concept=OuterRef("broader"), relation=Relation.PREFERRED, language="nl"
        ).values("label")
        concepts: QuerySet = super().get_queryset(request)
        return cast(QuerySet, concepts.annotate(broader_label=Subquery(names[:1])))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Texts and addresses name a concept by these two."""
        return ("scheme", "slug") if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(db_field, request, **kwargs | {"form_class": ConceptChoiceField})

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        widgets = {"definition": forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"})}
        return super().get_form(request, obj, change, widgets=widgets, **kwargs)

    @admin.display(description=_("name"), ordering="name")
    def name(self, concept: Any) -> str:
        return str(concept)

    @admin.display(description=_("broader concept"), ordering="broader_label")
    def broader_name(self, concept: Any) -> str:
        return concept.broader_label or self.get_empty_value_display()
