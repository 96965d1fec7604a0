"""The overview's filters: what a reader chose, said in words, and the set that it leaves.

A value that is unknown or malformed is dropped with a notice; the rest of the filter works.
"""

from array import array
from collections.abc import Callable, Iterable
from typing import Any

import django_filters
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from knowledgebase import search
from knowledgebase.models import Item
from knowledgebase.search.bitmaps import bits_of
from knowledgebase.search.engine import STRENGTH
from knowledgebase.search.fields import (
    KindChoiceField,
    KindMultipleField,
    KindNumberField,
    KindTextField,
    notices_of,
)
from knowledgebase.search.filters import TITLES, ConceptFilters, evidence_at_least, levels, out_of_five
from knowledgebase.search.options import Group

from . import wording
from .facets import EVERYTHING, Bitmaps

PAGE_SIZE = 20
ORDERS = {
    "thema": gettext_lazy("by theme"),
    "naam": gettext_lazy("from A to Z"),
    "sterkte": gettext_lazy("strongest evidence first"),
    "winst": gettext_lazy("largest gain first"),
    "kost": gettext_lazy("lowest cost first"),
    "gewijzigd": gettext_lazy("last changed first"),
}
RELEVANCE = "relevantie"  # an order only where words are searched for
VIEWS = {
    "kaarten": gettext_lazy("List"),
    "tabel": gettext_lazy("Table"),
    "grafiek": gettext_lazy("Plot"),
}
GAINS = (1, 3, 5)  # the choices we offer: small, medium, large


class KindMultipleFilter(django_filters.Filter):
    field_class = KindMultipleField


class KindNumberFilter(django_filters.Filter):
    field_class = KindNumberField


class KindChoiceFilter(django_filters.Filter):
    field_class = KindChoiceField


class KindTextFilter(django_filters.Filter):
    field_class = KindTextField


class PracticeFilter(django_filters.FilterSet):
    """Reads the query string and answers from the facet index."""

    niveau = KindMultipleFilter()
    vak = KindMultipleFilter()
    doelgroep = KindMultipleFilter()
    publiek = KindMultipleFilter()
    thema = KindMultipleFilter()
    kost = KindNumberFilter(lowest=1, highest=5)
    sterkte = KindNumberFilter(lowest=0, highest=5)
    winst = KindNumberFilter(lowest=-12, highest=12)
    q = KindTextFilter()
    sorteer = KindChoiceFilter(choices=(*ORDERS.items(), (RELEVANCE, gettext_lazy("best match first"))))
    weergave = KindChoiceFilter(choices=tuple(VIEWS.items()))

    def __init__(self, data: Any) -> None:
        super().__init__(data, queryset=Item.objects.none())
        self.concepts = ConceptFilters(self.form, TITLES)
        self.form.is_valid()
        self.chosen: dict[str, Any] = self.form.cleaned_data
        self.query: str = self.chosen["q"]
        self.order: str = self.chosen["sorteer"]
        self.view: str = self.chosen["weergave"]
        self.bitmaps = Bitmaps(self.order)
        self.sets = self._sets()
        if self.order == RELEVANCE and "q" not in self.sets:
            self.order = next(iter(ORDERS))
            self.bitmaps = Bitmaps(self.order)
        self.bits = self._all_but(None)
        self.total = self.bits.bit_count()

    def _sets(self) -> dict[str, int]:
        """Per active filter the set of practices that it leaves."""
        sets = {
            name: self.bitmaps.union(f"{name}:{value}" for value in values)
            for name, values in self.concepts.chosen.items()
        }
        for name in ("kost", STRENGTH, "winst"):
            if (number := self.chosen.get(name)) is not None:
                sets[name] = self.bitmaps[f"{name}:{number}"]
        found = search.matching(self.query, Item.Kind.PRACTICE) if self.query else None
        if found is not None:
            sets["q"] = bits_of(found)
            if self.order == RELEVANCE:
                self.bitmaps.order = array("I", found)
        return sets

    def _all_but(self, name: str | None) -> int:
        bits = self.bitmaps[EVERYTHING]
        for other, allowed in self.sets.items():
            if other != name:
                bits &= allowed
        return bits

    def page(self, number: int) -> list[int]:
        """Item ids of a page (1 is the first)."""
        return self.bitmaps.ordered(self.bits, (number - 1) * PAGE_SIZE, number * PAGE_SIZE)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))

    @property
    def orders(self) -> dict[str, Any]:
        """The orders to choose from; the best match first only where words are searched for."""
        return {RELEVANCE: gettext_lazy("best match first")} | ORDERS if "q" in self.sets else ORDERS

    @property
    def is_active(self) -> bool:
        return bool(self.sets)

    @property
    def active_count(self) -> int:
        return len(self.sets)

    def notices(self) -> list[str]:
        """What of the query string was left out, as sentences."""
        return notices_of(self.form)

    def groups(self) -> list[Group]:
        """Every filter with its options and counts; a zero stays visible but cannot be chosen."""
        left = {name: self._all_but(name) for name in self.form.fields}

        def count(name: str, value: object) -> int:
            return (left[name] & self.bitmaps[f"{name}:{value}"]).bit_count()

        def limit(name: str, title: str, values: Iterable[int], say: Callable[[int], str] = out_of_five) -> Group:
            return levels(
                name, title, values, chosen=self.chosen[name], unlimited=left[name].bit_count(),
                count=lambda value: count(name, value), say=say,
            )  # fmt: skip

        return [
            *self.concepts.groups(count),
            limit("kost", _("Cost at most"), range(1, 5)),
            limit(STRENGTH, _("Evidence at least"), range(1, 6)),
            limit("winst", _("Learning gain at least"), GAINS, wording.signed_months),
        ]

    def sentence(self) -> str:
        """What is shown, in words."""
        parts = self.concepts.said()
        if (cost := self.chosen.get("kost")) is not None:
            parts.append(_("cost at most %(value)s out of 5") % {"value": cost})
        if (strength := self.chosen.get(STRENGTH)) is not None:
            parts.append(evidence_at_least(strength))
        if (gain := self.chosen.get("winst")) is not None:
            parts.append(_("gain at least %(months)s") % {"months": wording.signed_months(gain)})
        if "q" in self.sets:
            parts.append(_("with “%(query)s”") % {"query": self.query})
        parts.append(str(self.orders[self.order]))
        count = ngettext("%(count)s practice", "%(count)s practices", self.total) % {"count": self.total}
        return f"{count} {', '.join(parts)}"
