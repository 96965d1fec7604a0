from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.editorial.admin import DemoFilter, StateFilter, TextAdmin, TurnFilter, VersionAdmin
from knowledgebase.editorial.forms import NewItemForm
from knowledgebase.editorial.refusals import MoveRefused
from knowledgebase.models import Concept, Scheme, Theme, ThemeVersion


class NewThemeForm(NewItemForm):
    concept = forms.ModelChoiceField(
        Concept.objects.in_scheme(Scheme.THEME),
        label=gettext_lazy("theme"),
        help_text=gettext_lazy("What is linked to this concept stands on the page of the theme."),
    )

    def draft_fields(self) -> dict[str, Any]:
        return super().draft_fields() | {"concept": self.cleaned_data["concept"]}


@admin.register(Theme)
class ThemeAdmin(TextAdmin):
    version_model = ThemeVersion
    add_form = NewThemeForm
    list_filter = (TurnFilter, StateFilter, DemoFilter)

    def fields_again(self, item: Any) -> dict[str, Any]:
        """The concept of the same address, else the first theme: the editor chooses in the draft."""
        themes = Concept.objects.in_scheme(Scheme.THEME)
        concept = themes.filter(slug=item.slug).first() or themes.first()
        if concept is None:
            raise MoveRefused(_("There is no theme in the vocabulary. Ask the editor in chief to add one."))
        return super().fields_again(item) | {"concept": concept}


@admin.register(ThemeVersion)
class ThemeVersionAdmin(VersionAdmin):
    opening_fields = ("title", "concept", "lead")
    autocomplete_fields = ("concept",)
