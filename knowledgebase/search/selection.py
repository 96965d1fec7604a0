"""What a reader asks of the search page: words, filters and a page, read from the query string and said in words."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from knowledgebase.models import Concept, Scheme

from .engine import KIND
from .entries import KINDS
from .fields import KindChoiceField, KindMultipleField, KindNumberField, KindTextField
from .options import Group, Option, tree

STRENGTH = "sterkte"
SCHEMES = {
    Scheme.LEVEL: gettext_lazy("Education level"),
    Scheme.SUBJECT: gettext_lazy("Subject"),
    Scheme.THEME: gettext_lazy("Theme"),
}
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


class Selection:
    """A reader's question to the search page."""

    def __init__(self, data: Any) -> None:
        self.form = SearchForm(data)
        self.kinds = sorted(KINDS.values(), key=lambda kind: -kind.boost)
        self.concepts = list(Concept.objects.in_scheme(*SCHEMES))
        for scheme in SCHEMES:
            field = self.form.fields[scheme.value]
            field.choices = [(c.slug, str(c)) for c in self.concepts if c.scheme == scheme]  # type: ignore[attr-defined]
        self.form.fields[KIND].choices = [(kind.slug, kind.title) for kind in self.kinds]  # type: ignore[attr-defined]
        self.form.is_valid()
        self.chosen: dict[str, Any] = self.form.cleaned_data
        self.query: str = self.chosen["q"]
        self.literal = bool(self.chosen["letterlijk"])

    @property
    def filters(self) -> dict[str, list[str]]:
        """The filters that are active, by their name in the query string."""
        named = {name: self.chosen[name] for name in (KIND, *SCHEMES) if self.chosen[name]}
        strength = self.chosen[STRENGTH]
        return named | ({STRENGTH: [str(strength)]} if strength is not None else {})

    def notices(self) -> list[str]:
        """What of the query string was left out, as sentences."""
        sentences = []
        for name, field in self.form.fields.items():
            for value in getattr(field, "dropped", ()):
                shown = value if len(value) <= 40 else f"{value[:40]}…"
                sentences.append(
                    _("We do not know “%(value)s” in “%(name)s”, so we left it out.") % {"value": shown, "name": name}
                )
            sentences += getattr(field, "notices", ())
        return sentences

    def groups(self, facets: Facets, unlimited: int) -> list[Group]:
        """Every filter with its options and counts; a zero stays visible but cannot be chosen.

        `unlimited` is how many results there would be whatever the strength of their evidence.
        """
        kinds, chosen = facets.get(KIND, {}), self.chosen[KIND]
        groups = [
            Group(
                KIND,
                _("Kind"),
                [Option(k.slug, str(k.title), kinds.get(k.slug, 0), k.slug in chosen) for k in self.kinds],
            )
        ]
        for scheme, title in SCHEMES.items():
            counts, chosen = facets.get(scheme.value, {}), self.chosen[scheme.value]
            options = [
                Option(c.slug, str(c), counts.get(c.slug, 0), c.slug in chosen, depth)
                for c, depth in tree([c for c in self.concepts if c.scheme == scheme])
            ]
            groups.append(Group(scheme.value, str(title), options))
        strengths, least = facets.get(STRENGTH, {}), self.chosen[STRENGTH]
        options = [Option("", _("no limit"), unlimited, least is None)]
        options += [
            Option(str(value), _("%(value)s out of 5") % {"value": value}, strengths.get(str(value), 0), value == least)
            for value in range(1, 6)
        ]
        return [*groups, Group(STRENGTH, _("Evidence at least"), options, single=True)]

    def sentence(self, total: int, searched: str) -> str:
        """What was searched and how much was found, in words; a typing error may have been repaired."""
        kinds = [kind for kind in self.kinds if kind.slug in self.chosen[KIND]]
        parts = [_("with “%(query)s”") % {"query": searched}]
        for scheme in SCHEMES:
            if values := self.chosen[scheme.value]:
                names = [str(c).lower() if scheme != Scheme.SUBJECT else str(c)
                         for c in self.concepts if c.scheme == scheme and c.slug in values]  # fmt: skip
                preposition = _("on") if scheme == Scheme.THEME else _("for")
                parts.append(f"{preposition} {_(' or ').join(names)}")
        if (least := self.chosen[STRENGTH]) is not None:
            parts.append(_("evidence at least %(value)s out of 5") % {"value": least})
        found = kinds[0].count(total) if len(kinds) == 1 else _results(total)
        return f"{found} {', '.join(parts)}"

    def per_kind(self, facets: Facets) -> list[str]:
        """How much was found of each kind, where more than one was searched."""
        chosen, counts = self.chosen[KIND], facets.get(KIND, {})
        if len(chosen) == 1:
            return []
        return [
            kind.count(counts[kind.slug])
            for kind in self.kinds
            if counts.get(kind.slug) and (not chosen or kind.slug in chosen)
        ]


def _results(count: int) -> str:
    return ngettext("%(count)s result", "%(count)s results", count) % {"count": count}
