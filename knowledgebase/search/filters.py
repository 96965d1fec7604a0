"""The filters of the overview and of the search page: what a reader chose, counted and said in one way.

Within one vocabulary OR, between vocabularies AND; a broader concept includes its narrower ones.
"""

from collections.abc import Callable, Iterable

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledgebase.models import Concept, Scheme

from .options import Group, Option, tree

TITLES = {
    Scheme.LEVEL: gettext_lazy("Education level"),
    Scheme.SUBJECT: gettext_lazy("Subject"),
    Scheme.PUPIL_GROUP: gettext_lazy("Group of pupils"),
    Scheme.AUDIENCE: gettext_lazy("For whom to read"),
    Scheme.THEME: gettext_lazy("Theme"),
}


class ConceptFilters:
    """The fields of a form that choose concepts: one a vocabulary, named as the vocabulary is."""

    def __init__(self, form: forms.Form, schemes: Iterable[Scheme]) -> None:
        """Give the fields their concepts; the form is not read before that."""
        self.form = form
        self.concepts: dict[Scheme, list[Concept]] = {scheme: [] for scheme in schemes}
        for concept in Concept.objects.in_scheme(*self.concepts):
            self.concepts[Scheme(concept.scheme)].append(concept)
        for scheme, concepts in self.concepts.items():
            form.fields[scheme.value].choices = [(c.slug, str(c)) for c in concepts]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> dict[str, list[str]]:
        """The values of every vocabulary in which something was chosen."""
        read = self.form.cleaned_data
        return {scheme.value: read[scheme.value] for scheme in self.concepts if read[scheme.value]}

    def groups(self, count: Callable[[str, str], int]) -> list[Group]:
        """Every vocabulary with its concepts; `count` says how much a value would leave."""
        chosen = self.chosen
        return [
            Group(
                scheme.value,
                str(TITLES[scheme]),
                [
                    Option(
                        concept.slug,
                        str(concept),
                        count(scheme.value, concept.slug),
                        concept.slug in chosen.get(scheme.value, ()),
                        depth,
                    )
                    for concept, depth in tree(concepts)
                ],
            )
            for scheme, concepts in self.concepts.items()
        ]

    def said(self) -> list[str]:
        """What was chosen, as parts of a sentence."""
        parts, chosen = [], self.chosen
        for scheme, concepts in self.concepts.items():
            if values := chosen.get(scheme.value):
                names = [str(c) if scheme == Scheme.SUBJECT else str(c).lower() for c in concepts if c.slug in values]
                preposition = _("on") if scheme == Scheme.THEME else _("for")
                parts.append(f"{preposition} {_(' or ').join(names)}")
        return parts


def replaced(query: QueryDict, **values: str) -> str:
    """The query string with other values; a change of anything but the page goes back to the first page."""
    changed = query.copy()
    changed.pop("pagina", None)
    for name, value in values.items():
        changed[name] = value
    return f"?{changed.urlencode()}"


def out_of_five(value: int) -> str:
    return _("%(value)s out of 5") % {"value": value}


def levels(
    name: str,
    title: str,
    values: Iterable[int],
    *,
    chosen: int | None,
    unlimited: int,
    count: Callable[[int], int],
    say: Callable[[int], str] = out_of_five,
) -> Group:
    """A filter of one limit; a limit that we do not offer is shown where it was chosen."""
    offered = sorted({*values, *([chosen] if chosen is not None else [])})
    options = [Option(str(value), say(value), count(value), value == chosen) for value in offered]
    return Group(name, title, [Option("", _("no limit"), unlimited, chosen is None), *options], single=True)


def evidence_at_least(value: int) -> str:
    """The limit on the strength of evidence, as a part of a sentence."""
    return _("evidence at least %(value)s out of 5") % {"value": value}
