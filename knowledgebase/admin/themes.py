from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from knowledgebase.editorial.admin import DemoFilter, StateFilter, TextAdmin, VersionAdmin
from knowledgebase.editorial.forms import NewItemForm
from knowledgebase.models import Concept, Scheme, Theme, ThemeVersion


class NewThemeForm(NewItemForm):
    concept = forms.ModelChoiceField(
        Concept.objects.in_scheme(Scheme.THEME),
        label=_("theme"),
        help_text=_("What is linked to this concept stands on the page of the theme."),
    )

    def draft_fields(self) -> dict[str, Any]:
        return super().draft_fields() | {"concept": self.cleaned_data["concept"]}


@admin.register(Theme)
class ThemeAdmin(TextAdmin):
    version_model = ThemeVersion
    add_form = NewThemeForm
    list_filter = (StateFilter, DemoFilter)


@admin.register(ThemeVersion)
class ThemeVersionAdmin(VersionAdmin):
    opening_fields = ("title", "concept", "lead")
    autocomplete_fields = ("concept",)
