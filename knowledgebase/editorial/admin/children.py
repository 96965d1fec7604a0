from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from knowledgebase.editorial.forms import ChildForm, ChildFormSet, ConceptChoiceField, ItemChoiceField
from knowledgebase.models import Concept, ConceptLink, Item, ItemLink, SourceLink, Version

from .items import newest


class FrozenWithVersion(admin.options.InlineModelAdmin):
    """Rows of a version, which may be written as long as the version may."""

    form = ChildForm
    formset = ChildFormSet
    extra = 0
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and _may_be_written(obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_be_written(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_be_written(obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.related_model is Concept:
            kwargs["form_class"] = ConceptChoiceField
        elif db_field.related_model is Item:
            kwargs |= {"form_class": ItemChoiceField, "queryset": newest(Item.objects.all())}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


def _may_be_written(version: Version | None) -> bool:
    return version is None or version.is_editable


class ChildInline(FrozenWithVersion, admin.TabularInline):
    """One row a line."""


class ConceptLinkInline(ChildInline):
    model = ConceptLink
    autocomplete_fields = ("concept",)
    fields = ("concept", "order")


class SourceLinkInline(ChildInline):
    model = SourceLink
    autocomplete_fields = ("source",)
    fields = ("source", "order")


class ItemLinkInline(ChildInline):
    model = ItemLink
    autocomplete_fields = ("item",)
    fields = ("item", "order")
