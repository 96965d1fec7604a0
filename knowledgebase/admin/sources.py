import re
from decimal import InvalidOperation
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.editorial.admin import ReferenceAdmin
from knowledgebase.figures import Kind, reported, value_of
from knowledgebase.models import Source, normalise_doi


class AuthorsField(forms.CharField):
    """People one a line, “Family name, initials”, for a list of {family, given}."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 5, "class": "vLargeTextField"})
        super().__init__(widget=widget, required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(", ".join(filter(None, (person.get("family"), person.get("given")))) for person in value)

    def to_python(self, value: Any) -> Any:
        people = []
        for number, line in enumerate(str(value or "").splitlines(), start=1):
            if not line.strip():
                continue
            family, _comma, given = (part.strip() for part in line.partition(","))
            if not family:
                message = _("Line %(number)s has no family name. Write “Okkinga, M.”.")
                raise ValidationError(message % {"number": number}, code="author")
            people.append({"family": family, "given": given} if given else {"family": family})
        return people

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != str(data or "").replace("\r\n", "\n"))


# What an editor writes for a kind of figure; English words for it are in knowledgebase.figures.
FIGURE_WORDS = {
    "maanden": Kind.MONTHS, "effect": Kind.EFFECT, "studies": Kind.STUDIES, "leerlingen": Kind.PUPILS,
    "procent": Kind.SHARE, "score": Kind.RATING,
}  # fmt: skip
_FIGURE = re.compile(r"(?P<word>\w+)\s+(?P<value>[^:]+?)\s*(?::\s*(?P<what>.*))?")


class FiguresField(forms.CharField):
    """Figures one a line, “effect 0,48: all kinds of feedback”, for a list of {kind, value, what}."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 5, "class": "vLargeTextField"})
        super().__init__(widget=widget, required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        words = {kind: word for word, kind in FIGURE_WORDS.items()}
        lines = []
        for known in reported(value, ""):
            number = f"{known.value:f}".replace(".", ",")
            lines.append(f"{words[known.kind]} {number}" + (f": {known.where}" if known.where else ""))
        return "\n".join(lines)

    def to_python(self, value: Any) -> Any:
        rows = []
        for number, line in enumerate(str(value or "").splitlines(), start=1):
            if not line.strip():
                continue
            found = _FIGURE.fullmatch(line.strip())
            kind = FIGURE_WORDS.get(found["word"].lower()) if found else None
            if found is None or kind is None:
                message = _(
                    "Line %(number)s: begin with one of %(words)s, then the number, as in “effect 0,48: average”."
                )
                facts = {"number": number, "words": ", ".join(FIGURE_WORDS)}
                raise ValidationError(message % facts, code="figure")
            try:
                amount = value_of(found["value"])
            except InvalidOperation as error:
                message = _("Line %(number)s: “%(value)s” is no number.")
                raise ValidationError(message % {"number": number, "value": found["value"]}, code="figure") from error
            rows.append({"kind": kind.value, "value": str(amount), "what": (found["what"] or "").strip()})
        return rows or None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((self.prepare_value(initial) or "") != str(data or "").replace("\r\n", "\n"))


class SourceForm(forms.ModelForm):
    reported = FiguresField(
        label=gettext_lazy("figures that it reports"),
        help_text=gettext_lazy(
            "One a line: “effect 0,48: all kinds of feedback”, “studies 435”, “leerlingen 61 000”, “procent 26”, "
            "“maanden 5” or “score 3”. A figure in a text that cites this source must be one of these."
        ),
    )
    authors = AuthorsField(
        label=gettext_lazy("authors"),
        help_text=gettext_lazy("One a line: “Okkinga, M.”. An organisation stands on its line without a comma."),
    )

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
    list_display = ("key", "title", "year", "kind", "grade", "retraction")
    list_filter = ("kind", "grade", "retraction", "open_access", "language")
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
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Texts cite a source by its key."""
        return ("key",) if obj else ()
