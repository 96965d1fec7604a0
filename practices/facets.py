"""The index behind the overview: which published practices hold a term, and in which orders they can be listed.

A bitmap has one bit per item (bit n = item n), an order holds item ids of four bytes. Counting a facet is then an `&`
and a count of bits, at 100 practices as at 50,000 (docs/decisions). The index is derived: kept by the transaction that
publishes or withdraws, made anew by `rebuild`.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.signals import post_save

from knowledgebase.editorial.transitions import version_published, version_withdrawn
from knowledgebase.models import Concept, ConceptLink, Scheme, SiteState
from knowledgebase.search import fold
from knowledgebase.search.bitmaps import bits_of, from_bytes, positions, to_bytes
from knowledgebase.search.engine import STRENGTH
from knowledgebase.search.entries import FACET_SCHEMES, broader_chains

from .models import EvidenceRating, ExternalVerdict, FacetIndex, PracticeVersion
from .ratings import KeyFigures, key_figures

ORDERS = ("thema", "naam", "winst", "sterkte", "kost", "gewijzigd")
EVERYTHING = "alles"
UNKNOWN_LAST = 1_000_000  # sorts after every figure and every theme
MONTHS = range(-12, 13)


def connect() -> None:
    """Keep the index with every publication and every change of a vocabulary (called when the app is ready)."""
    version_published.connect(_published, sender=PracticeVersion, dispatch_uid="facets")
    version_withdrawn.connect(_withdrawn, sender=PracticeVersion, dispatch_uid="facets")
    post_save.connect(_concept_saved, sender=Concept, dispatch_uid="facets")


def _published(version: PracticeVersion, **_kwargs: Any) -> None:
    put(version)


def _withdrawn(version: PracticeVersion, **_kwargs: Any) -> None:
    drop(version.item_id)


def _concept_saved(instance: Concept, *, created: bool, raw: bool, **_kwargs: Any) -> None:
    """Another address, place or broader concept changes what is counted; a new concept is in no practice yet."""
    if instance.scheme in FACET_SCHEMES and not created and not raw:
        rebuild()


def figures_of(versions: Iterable[int]) -> dict[int, KeyFigures]:
    """The key figures shown of practice versions (by their ids), in two queries."""
    ids = list(versions)
    ratings = {row.version_id: row for row in EvidenceRating.objects.filter(version__in=ids, context_key="overall")}
    verdicts = {
        row.version_id: row
        for row in ExternalVerdict.objects.filter(version__in=ids, context_key="overall", issuer=ExternalVerdict.EEF)
    }
    return {pk: key_figures(ratings.get(pk), verdicts.get(pk)) for pk in ids}


def terms_of(figures: KeyFigures, concepts: Iterable[int], chains: dict[int, list[str]]) -> set[str]:
    """The terms under which a practice is counted."""
    terms = {EVERYTHING, *(term for pk in concepts for term in chains.get(pk, ()))}
    if figures.cost.value is not None:
        terms |= {f"kost:{level}" for level in range(figures.cost.value, 6)}
    if figures.strength.value is not None:
        terms |= {f"{STRENGTH}:{level}" for level in range(figures.strength.value + 1)}
    if (rank := figures.gain.rank) is not None:
        terms |= {f"winst:{months}" for months in MONTHS if months <= rank}
    return terms


def sort_keys(version: Any, figures: KeyFigures, theme_order: int) -> dict[str, tuple[Any, ...]]:
    """The place of a practice in each order; unknown figures come last, ties by name."""
    name = (fold(version.title), version.item_id)

    def highest_first(value: int | None) -> int:
        return UNKNOWN_LAST if value is None else -value

    return {
        "thema": (theme_order, *name),
        "naam": name,
        "winst": (highest_first(figures.gain.rank), *name),
        "sterkte": (highest_first(figures.strength.value), *name),
        "kost": (UNKNOWN_LAST if figures.cost.value is None else figures.cost.value, *name),
        "gewijzigd": (-version.published_at.timestamp(), *name),
    }


def theme_orders(versions: Iterable[int]) -> dict[int, int]:
    """The order of the main theme (the first one linked) of each version; versions without one come last."""
    links = (
        ConceptLink.objects.filter(version__in=versions, concept__scheme=Scheme.THEME)
        .order_by("version", "-order", "-id")
        .values_list("version", "concept__order")
    )
    return dict(links)  # the last one stays: the first theme of the version


def _rows(versions: QuerySet) -> Iterator[tuple[Any, KeyFigures, list[int], int]]:
    """What the index needs of practice versions: the version, its figures, its concepts, the order of its theme."""
    listed = list(versions.only("pk", "item_id", "title", "published_at"))
    pks = [version.pk for version in listed]
    links: dict[int, list[int]] = defaultdict(list)
    figures: dict[int, KeyFigures] = {}
    themes: dict[int, int] = {}
    for start in range(0, len(pks), 500):
        part = pks[start : start + 500]
        figures |= figures_of(part)
        themes |= theme_orders(part)
        pairs = ConceptLink.objects.filter(version__in=part).values_list("version", "concept")
        for version, concept in pairs:
            links[version].append(concept)
    for version in listed:
        yield version, figures[version.pk], links[version.pk], themes.get(version.pk, UNKNOWN_LAST)


def rebuild() -> None:
    """Make the whole index anew from the published practices."""
    holders: dict[str, list[int]] = defaultdict(list)
    places: dict[str, list[tuple[tuple[Any, ...], int]]] = {order: [] for order in ORDERS}
    with transaction.atomic():
        SiteState.touch()  # first, as publications do: one writer at a time
        chains = broader_chains()
        for version, figures, concepts, theme in _rows(PracticeVersion.objects.published()):
            for term in terms_of(figures, concepts, chains):
                holders[term].append(version.item_id)
            for order, key in sort_keys(version, figures, theme).items():
                places[order].append((key, version.item_id))
        FacetIndex.objects.all().delete()
        FacetIndex.objects.bulk_create(
            FacetIndex(name=term, data=to_bytes(bits_of(items))) for term, items in holders.items()
        )
        FacetIndex.objects.bulk_create(
            FacetIndex(name=f"order:{order}", data=array("I", [pk for _key, pk in sorted(keys)]).tobytes())
            for order, keys in places.items()
        )


def put(version: PracticeVersion) -> None:
    """Put one practice in the index, in place of what was there of it."""
    [(row, figures, concepts, theme)] = _rows(PracticeVersion.objects.published().filter(pk=version.pk))
    _replace(version.item_id, terms_of(figures, concepts, broader_chains()))
    keys = sort_keys(row, figures, theme)
    stored = {row.name: bytes(row.data) for row in FacetIndex.objects.filter(name__startswith="order:")}
    others = {
        order: [pk for pk in array("I", stored.get(f"order:{order}", b"")) if pk != version.item_id] for order in ORDERS
    }
    _write(
        {
            f"order:{order}": array("I", [*others[order][:place], version.item_id, *others[order][place:]]).tobytes()
            for order, place in _places(others, keys).items()
        }
    )


def _write(rows: dict[str, bytes]) -> None:
    """Write rows of the index in one statement."""
    FacetIndex.objects.bulk_create(
        [FacetIndex(name=name, data=data) for name, data in sorted(rows.items())],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["data"],
    )


def _places(listed: dict[str, list[int]], keys: dict[str, tuple[Any, ...]]) -> dict[str, int]:
    """Where a practice belongs in each order: one binary search of all orders side by side, to ask few queries."""
    bounds = {order: (0, len(items)) for order, items in listed.items()}
    while middles := {order: (low + high) // 2 for order, (low, high) in bounds.items() if low < high}:
        met = {listed[order][middle] for order, middle in middles.items()}
        theirs = {
            version.item_id: sort_keys(version, figures, theme)
            for version, figures, _concepts, theme in _rows(PracticeVersion.objects.published().filter(item__in=met))
        }
        for order, middle in middles.items():
            low, high = bounds[order]
            is_after = theirs[listed[order][middle]][order] < keys[order]
            bounds[order] = (middle + 1, high) if is_after else (low, middle)
    return {order: low for order, (low, _high) in bounds.items()}


def drop(item: int) -> None:
    """Take one practice out of the index."""
    _replace(item, set())
    orders = FacetIndex.objects.filter(name__startswith="order:").values_list("name", "data")
    _write({name: array("I", [pk for pk in array("I", bytes(data)) if pk != item]).tobytes() for name, data in orders})


def _replace(item: int, terms: set[str]) -> None:
    rows = FacetIndex.objects.exclude(name__startswith="order:").values_list("name", "data")
    stored = {name: from_bytes(data) for name, data in rows}
    changed: dict[str, bytes] = {}
    for name in stored.keys() | terms:
        bits = stored.get(name, 0)
        wanted = bits | (1 << item) if name in terms else bits & ~(1 << item)
        if wanted != bits:
            changed[name] = to_bytes(wanted)
    _write(changed)


class Bitmaps:
    """The index as a reader's request needs it: every term as an integer, and one order, in one query."""

    def __init__(self, order: str) -> None:
        wanted = ~Q(name__startswith="order:") | Q(name=f"order:{order}")
        rows = dict(FacetIndex.objects.filter(wanted).values_list("name", "data"))
        self.order = array("I", bytes(rows.pop(f"order:{order}", b"")))
        self.terms = {name: from_bytes(data) for name, data in rows.items()}

    def __getitem__(self, term: str) -> int:
        return self.terms.get(term, 0)

    def union(self, terms: Iterable[str]) -> int:
        bits = 0
        for term in terms:
            bits |= self[term]
        return bits

    def ordered(self, bits: int, start: int, stop: int) -> list[int]:
        """The item ids of a set from place `start` to before `stop` in this order."""
        return [self.order[position] for position in positions(bits, self.order, start, stop)]
