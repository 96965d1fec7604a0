"""Fields of the form of a source: people and figures, one a line."""

import re
from decimal import InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.figures import Kind, reported, value_of


class LinesField(forms.CharField):
    """A list that is written one a line; `prepare_value` writes it, `to_python` reads it."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 5, "class": "vLargeTextField"})
        super().__init__(widget=widget, required=False, **kwargs)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((self.prepare_value(initial) or "") != str(data or "").replace("\r\n", "\n"))


class AuthorsField(LinesField):
    """People one a line, “Family name, initials”, for a list of {family, given}."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = gettext_lazy("One a line: “Okkinga, M.”. An organisation stands on its line without a comma.")
        super().__init__(label=capfirst(gettext_lazy("authors")), help_text=help_text, **kwargs)

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


# What an editor writes for a kind of figure; English words for it are in knowledgebase.figures.
FIGURE_WORDS = {
    "maanden": Kind.MONTHS, "effect": Kind.EFFECT, "studies": Kind.STUDIES, "leerlingen": Kind.PUPILS,
    "procent": Kind.SHARE, "score": Kind.RATING,
}  # fmt: skip
_FIGURE = re.compile(r"(?P<word>\w+)\s+(?P<value>[^:]+?)\s*(?::\s*(?P<what>.*))?")


class FiguresField(LinesField):
    """Figures one a line, “effect 0,48: all kinds of feedback”, for a list of {kind, value, what}."""

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
