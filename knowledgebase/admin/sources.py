from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.editorial.admin import ReferenceAdmin
from knowledgebase.models import Source, normalise_doi

from .source_fields import AuthorsField, FiguresField
from .source_records import add_records


class SourceForm(forms.ModelForm):
    reported = FiguresField(
        label=capfirst(gettext_lazy("figures that it reports")),
        help_text=gettext_lazy(
            "One a line: “effect 0,48: all kinds of feedback”, “studies 435”, “leerlingen 61 000”, “procent 26”, "
            "“maanden 5” or “score 3”. A figure in a text that cites this source must be one of these."
        ),
    )
    authors = AuthorsField()

    def clean_doi(self) -> str | None:
        if not (text := self.cleaned_data["doi"]):
            return None
        doi = normalise_doi(text)
        other = Source.objects.filter(doi=doi).exclude(pk=self.instance.pk).first()
        if other is not None:
            message = _("This DOI belongs to %(key)s (%(source)s): use that source.")
            raise ValidationError(message % {"key": other.key, "source": other.short}, code="unique")
        return doi


@admin.register(Source)
class SourceAdmin(ReferenceAdmin):
    form = SourceForm
    change_list_template = "admin/knowledgebase/source/change_list.html"
    list_display = ("key", "title", "year", "kind", "grade", "retraction", "link_state")
    list_filter = (
        "kind",
        "grade",
        "retraction",
        ("link_check__state", admin.ChoicesFieldListFilter),
        "open_access",
        "language",
    )
    list_select_related = ("link_check",)
    list_per_page = 100
    search_fields = ("key", "title", "container", "doi")
    search_help_text = gettext_lazy("Search in keys, titles, journals and DOIs.")
    view_on_site = False
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    fieldsets = (
        (None, {"fields": ("key", "kind", "title", "authors", "year", "language")}),
        (gettext_lazy("Where it appeared"), {"fields": ("container", ("volume", "issue", "pages"), "doi", "url")}),
        (gettext_lazy("What we know of it"), {"fields": ("grade", "retraction", "open_access", "licence", "note")}),
        (gettext_lazy("Figures"), {"fields": ("reported",)}),
        (gettext_lazy("Link"), {"fields": ("link_found",)}),
    )

    @admin.display(description=gettext_lazy("link"), ordering="link_check__state")
    def link_state(self, source: Source) -> str:
        check = source.checked_link
        return check.get_state_display() if check else self.get_empty_value_display()

    @admin.display(description=gettext_lazy("last check of the link"))
    def link_found(self, source: Source) -> str:
        check = source.checked_link
        if check is None:
            return _("Not checked yet.")
        facts = {
            "state": check.get_state_display(),
            "date": date_format(timezone.localtime(check.checked_at), "DATE_FORMAT"),
            "more": " ".join(filter(None, (str(check.status or ""), check.why, check.moved_to))),
        }
        return (_("%(state)s, %(date)s (%(more)s)") if facts["more"] else _("%(state)s, %(date)s")) % facts

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(lambda request: add_records(self, request))
        return [path("toevoegen/", view, name="knowledgebase_source_records"), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Texts cite a source by its key."""
        return ("key", "link_found") if obj else ("link_found",)
