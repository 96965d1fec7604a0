"""The front door of the search: what goes in, what comes out, and which engine does it (settings.SEARCH_ENGINE)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from .understanding import Understood

PAGE_SIZE = 20
KIND = "soort"  # the facet of the kinds; its values are the words of addresses: praktijk, bron
STRENGTH = "sterkte"  # the facet of the evidence; its values are the degrees that it reaches at least


@dataclass(frozen=True, slots=True)
class Document:
    """A public thing as it is found. `also` and `about` are searched and never shown."""

    kind: str  # its name in the registry: practice, source
    object_id: int
    key: str  # the same in every database
    title: str
    url: str
    summary: str = ""
    body: str = ""
    also: str = ""  # queries under which it is looked for, one a line
    about: str = ""  # the labels of its concepts, its authors
    strength: int = 0  # of the evidence, 0 to 5
    facets: tuple[str, ...] = ()  # `niveau:lager`


@dataclass(frozen=True, slots=True)
class Hit:
    """One result, with the texts from which a passage is shown."""

    kind: str
    object_id: int
    key: str
    title: str
    url: str
    summary: str
    body: str
    score: int = 0


@dataclass(frozen=True)
class Found:
    """A page of results. `facets` holds per facet how many results each value would leave, the facet itself left out."""

    understood: Understood
    hits: list[Hit] = field(default_factory=list)
    total: int = 0
    facets: dict[str, dict[str, int]] = field(default_factory=dict)
    page: int = 1
    pages: int = 1
    missing: tuple[str, ...] = ()  # words of the query that no text holds
    too_slow: bool = False  # the database was stopped: nothing is known of the results


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What somebody who is typing may mean: a text with its address, or a word without."""

    text: str
    kind: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """What one clause of a query gives an entry, by the alternative that gives most."""

    clause: str
    keys: tuple[str, ...]
    weight: int
    soft: bool
    df: tuple[int, ...]
    idf: tuple[int, ...]
    impacts: tuple[int, ...]
    points: int


@dataclass(frozen=True)
class Explanation:
    """Why an entry ranks where it does: `score` is the sum of the points times the boost (in percent)."""

    points: list[Point]
    coverage: int  # percent of the query, by how telling its words are
    boost: int
    score: int
    is_hit: bool


class Engine(Protocol):
    """What a search engine does for us. Filters: per facet some values; one of them within a facet, all facets."""

    def index(self, documents: Sequence[Document]) -> None:
        """Put documents in, in place of what was there of them."""

    def remove(self, kind: str, object_ids: Collection[int]) -> None:
        """Take things out."""

    def search(self, query: Understood, *, filters: Mapping[str, Sequence[str]], page: int, size: int) -> Found:
        """A page of results (1 is the first; one that does not exist has no hits) with the count of every facet."""

    def matching(self, query: Understood, kind: str) -> list[int]:
        """The ids of all objects of a kind that a query finds, best first."""

    def suggest(self, prefix: str, *, limit: int) -> list[Suggestion]:
        """Titles and words that somebody may be typing."""

    def explain(self, query: Understood, kind: str, object_id: int) -> Explanation | None:
        """Why an entry ranks where it does; None when it is not in the index."""

    def rebuild(self) -> int:
        """Make a new index of all that is public beside the live one, and swap. Returns how many entries it has."""


@lru_cache(maxsize=1)
def _engine(path: str) -> Engine:
    made: Engine = import_string(path)()
    return made


def engine() -> Engine:
    """The engine of this site."""
    return _engine(settings.SEARCH_ENGINE)


def search(
    query: Understood, *, filters: Mapping[str, Sequence[str]] | None = None, page: int = 1, size: int = PAGE_SIZE
) -> Found:
    return engine().search(query, filters=filters or {}, page=page, size=size)


def suggest(prefix: str, *, limit: int = 8) -> list[Suggestion]:
    return engine().suggest(prefix, limit=limit)


def explain(query: Understood, kind: str, object_id: int) -> Explanation | None:
    return engine().explain(query, kind, object_id)
