"""What a reader asks of the search page: words, filters and a page, read from the query string and said in words."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from knowledgebase.models import Scheme

from .engine import KIND, STRENGTH
from .entries import KINDS
from .fields import KindChoiceField, KindMultipleField, KindNumberField, KindTextField, notices_of
from .filters import ConceptFilters, evidence_at_least, levels
from .options import Group, Option

Facets = Mapping[str, Mapping[str, int]]


class SearchForm(forms.Form):
    """Knows every parameter of the search page but the page number; it refuses nothing."""

    q = KindTextField()
    letterlijk = KindChoiceField(choices=[("", ""), ("1", "")])
    soort = KindMultipleField()
    niveau = KindMultipleField()
    vak = KindMultipleField()
    thema = KindMultipleField()
    sterkte = KindNumberField(lowest=1, highest=5)


class Question:
    """A reader's question to the search page."""

    def __init__(self, data: Any) -> None:
        self.form = SearchForm(data)
        self.kinds = sorted(KINDS.values(), key=lambda kind: -kind.boost)
        self.form.fields[KIND].choices = [(kind.slug, kind.title) for kind in self.kinds]  # type: ignore[attr-defined]
        self.concepts = ConceptFilters(self.form, (Scheme.LEVEL, Scheme.SUBJECT, Scheme.THEME))
        self.form.is_valid()
        read = self.form.cleaned_data
        self.query: str = read["q"]
        self.literal = bool(read["letterlijk"])
        self.chosen_kinds: list[str] = read[KIND]
        self.strength: int | None = read[STRENGTH]

    @property
    def filters(self) -> dict[str, list[str]]:
        """The filters that are active, by their name in the query string."""
        kinds = {KIND: self.chosen_kinds} if self.chosen_kinds else {}
        strength = {STRENGTH: [str(self.strength)]} if self.strength is not None else {}
        return kinds | self.concepts.chosen | strength

    def notices(self) -> list[str]:
        """What of the query string was left out, as sentences."""
        return notices_of(self.form)

    def groups(self, facets: Facets, unlimited: int) -> list[Group]:
        """Every filter with its options and counts; a zero stays visible but cannot be chosen.

        `unlimited` is how many results there would be whatever the strength of their evidence.
        """

        def count(name: str, value: str) -> int:
            return facets.get(name, {}).get(value, 0)

        kinds = [
            Option(kind.slug, str(kind.title), count(KIND, kind.slug), kind.slug in self.chosen_kinds)
            for kind in self.kinds
        ]
        strength = levels(
            STRENGTH, _("Evidence at least"), range(1, 6),
            chosen=self.strength, unlimited=unlimited, count=lambda value: count(STRENGTH, str(value)),
        )  # fmt: skip
        return [Group(KIND, _("Kind"), kinds), *self.concepts.groups(count), strength]

    def sentence(self, total: int, searched: str) -> str:
        """What was searched and how much was found, in words; a typing error may have been repaired."""
        kinds = [kind for kind in self.kinds if kind.slug in self.chosen_kinds]
        parts = [_("with “%(query)s”") % {"query": searched}, *self.concepts.said()]
        if self.strength is not None:
            parts.append(evidence_at_least(self.strength))
        found = kinds[0].count(total) if len(kinds) == 1 else _results(total)
        return f"{found} {', '.join(parts)}"

    def per_kind(self, facets: Facets) -> list[str]:
        """How much was found of each kind, where more than one was searched."""
        chosen, counts = self.chosen_kinds, facets.get(KIND, {})
        if len(chosen) == 1:
            return []
        return [
            kind.count(counts[kind.slug])
            for kind in self.kinds
            if counts.get(kind.slug) and (not chosen or kind.slug in chosen)
        ]


def _results(count: int) -> str:
    return ngettext("%(count)s result", "%(count)s results", count) % {"count": count}
