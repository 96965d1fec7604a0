"""What can be found: the one place where a kind of public thing registers what the search knows of it.

A kind of texts gives its versions (`of_versions`); reference data, which is live, gives its rows. Practices register
themselves, as this app does not know them.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import islice
from typing import Any

import nh3
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from knowledgebase import rendering
from knowledgebase.models import Concept, ConceptLabel, ConceptLink, Item, Scheme, Source, ThemeVersion, Version

from .engine import STRENGTH, Document

BATCH = 50
FACET_SCHEMES = (Scheme.LEVEL, Scheme.SUBJECT, Scheme.PUPIL_GROUP, Scheme.AUDIENCE, Scheme.THEME)
_FINDING = ConceptLabel.Relation
LABELS = (_FINDING.PREFERRED, _FINDING.ALTERNATIVE, _FINDING.HIDDEN, _FINDING.ABBREVIATION)

_BLOCK_END = re.compile(r"</(?:p|li|h[1-6]|td|th|dt|dd)>")

Documents = Callable[[Collection[int] | None], Iterator[Document]]


@dataclass(frozen=True)
class Kind:
    """A kind of public thing. `documents` gives those of some ids that are public now, or all."""

    name: str
    slug: str  # in addresses: soort=praktijk
    one: str | Promise
    title: str | Promise  # of many
    documents: Documents
    ids: Callable[[], Collection[int]]
    boost: int = 100  # percent
    weighs: bool = True  # its texts say how rare a word is; a kind in another language does not

    def count(self, number: int) -> str:
        """So many of them, in words."""
        return f"{number} {str(self.one if number == 1 else self.title).lower()}"


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make things of this kind findable."""
    KINDS[kind.name] = kind


def kind_of(slug: str) -> Kind | None:
    """The kind that addresses call so."""
    return next((kind for kind in KINDS.values() if kind.slug == slug), None)


def batches(ids: Collection[int], size: int = BATCH) -> Iterator[list[int]]:
    """Ids in their order, so many at a time."""
    ordered = iter(sorted(ids))
    while batch := list(islice(ordered, size)):
        yield batch


def published(kind: str) -> list[int]:
    """The items of a kind that readers see."""
    return list(Version.objects.published().filter(item__kind=kind).order_by().values_list("item", flat=True))


Strengths = Callable[[Sequence[Any]], Mapping[int, int | None]]


def of_versions(kind: str, items: Collection[int] | None, *, strengths: Strengths | None = None) -> Iterator[Document]:
    """What is found of published texts; `strengths` gives the strength of evidence by version, where there is one."""
    for batch in batches(published(kind) if items is None else items):
        versions: list[Any] = list(
            Version.model_for(kind).objects.filter(state=Version.State.PUBLISHED, item__in=batch).select_related("item")
        )
        strength = strengths(versions) if strengths else {}
        html, linked, chains = rendering.html_of_all(versions), _linked(versions), broader_chains()
        labels = labels_of({concept for concepts in linked.values() for concept in concepts})
        for version in versions:
            concepts = linked[version.pk]
            facets = {name for concept in concepts for name in chains.get(concept, ())}
            degree = strength.get(version.pk)
            if degree is not None:
                facets |= {f"{STRENGTH}:{value}" for value in range(degree + 1)}
            summary, *rest = [text for name in version.plain_fields if (text := getattr(version, name).strip())] or [""]
            body = [words_of(html[version.pk][name]) for name in version.markdown_fields if name in html[version.pk]]
            yield Document(
                kind=kind,
                object_id=version.item_id,
                key=version.item.key or version.item.slug,
                title=version.title,
                url=version.item.get_absolute_url(),
                summary=" ".join([summary, *rest]),
                body="\n".join(body),
                also=version.item.also_searched_as,
                about="\n".join(label for concept in concepts for label in labels[concept]),
                strength=degree or 0,
                facets=tuple(sorted(facets)),
            )


def _linked(versions: Sequence[Any]) -> dict[int, list[int]]:
    """The concepts of every version, the one that a theme is about first."""
    linked: dict[int, list[int]] = defaultdict(list)
    for version in versions:
        if isinstance(version, ThemeVersion):
            linked[version.pk].append(version.concept_id)
    links = ConceptLink.objects.filter(version__in=[version.pk for version in versions]).order_by("order", "id")
    for version_id, concept in links.values_list("version", "concept"):
        if concept not in linked[version_id]:
            linked[version_id].append(concept)
    return linked


def broader_chains() -> dict[int, list[str]]:
    """Every concept of the filters with all that is broader than it, itself first, as values of facets."""
    rows = Concept.objects.in_scheme(*FACET_SCHEMES).order_by().values_list("pk", "scheme", "slug", "broader")
    concepts = {pk: (f"{scheme}:{slug}", broader) for pk, scheme, slug, broader in rows}
    chains: dict[int, list[str]] = {}
    for pk in concepts:
        chain: list[str] = []
        current = concepts.get(pk)
        while current is not None and current[0] not in chain:
            chain.append(current[0])
            current = concepts.get(current[1])
        chains[pk] = chain
    return chains


def labels_of(concepts: Collection[int]) -> dict[int, list[str]]:
    """The labels under which each concept is found, the one that we print first."""
    labels: dict[int, list[str]] = defaultdict(list)
    rows = ConceptLabel.objects.filter(concept__in=concepts, relation__in=LABELS, language="nl")
    for concept, label, relation in rows.order_by("-weight", "label").values_list("concept", "label", "relation"):
        labels[concept].insert(0 if relation == _FINDING.PREFERRED else len(labels[concept]), label)
    return labels


def words_of(html: str) -> str:
    """The words of stored HTML, one line a paragraph, without the links to its references."""
    blocks = _BLOCK_END.sub(r"\g<0>\n", rendering.without_citations(html))
    lines = (" ".join(line.split()) for line in unescape(nh3.clean(blocks, tags=set())).splitlines())
    return "\n".join(line for line in lines if line)


def _sources(ids: Collection[int] | None) -> Iterator[Document]:
    sources: QuerySet[Source] = Source.objects.order_by("pk")
    for source in sources if ids is None else sources.filter(pk__in=ids):
        names = [name for person in source.authors for name in person.values()]
        yield Document(
            kind="source",
            object_id=source.pk,
            key=source.key,
            title=source.title,
            url=source.get_absolute_url(),
            summary=f"{source.short}. {source.container}".strip(),
            about="\n".join(map(str, [source.key, *names])),
            facets=(),
        )


def _terms(ids: Collection[int] | None) -> Iterator[Document]:
    terms = Concept.objects.in_scheme(Scheme.TERM).order_by("pk")
    concepts = list(terms if ids is None else terms.filter(pk__in=ids))
    labels = labels_of({concept.pk for concept in concepts})
    for concept in concepts:
        name, *others = labels[concept.pk] or [concept.slug]
        yield Document(
            kind="term",
            object_id=concept.pk,
            key=concept.slug,
            title=name,
            url=f"{reverse('glossary')}#{concept.slug}",
            summary=concept.definition,
            also="\n".join(others),
        )


def _version_kind(name: str, slug: str, one: str | Promise, title: str | Promise, boost: int) -> Kind:
    return Kind(name, slug, one, title, lambda ids: of_versions(name, ids), lambda: published(name), boost)


register(_version_kind(Item.Kind.SUMMARY, "samenvatting", _("Research summary"), _("Research summaries"), 95))
register(_version_kind(Item.Kind.THEME, "thema", _("Theme"), _("Themes"), 95))
register(_version_kind(Item.Kind.PAGE, "pagina", _("Site page"), _("Site pages"), 80))
register(
    Kind("term", "begrip", _("Term"), _("Terms"), _terms,
         lambda: list(Concept.objects.in_scheme(Scheme.TERM).order_by().values_list("pk", flat=True)), 75, weighs=False)
)  # fmt: skip
register(
    Kind("source", "bron", _("Source"), _("Sources"), _sources,
         lambda: list(Source.objects.order_by().values_list("pk", flat=True)), 60, weighs=False)
)  # fmt: skip
