"""The search by an OpenSearch cluster: the same keys, sent as words between blanks, for a site that outgrows one table.

The database keeps its own index as well, in the publication's transaction: suggestions, corrections and explanations
come from there, and so do results while the cluster does not answer. Writes go to the cluster after the commit. The
settings are SEARCH_ENGINE=opensearch, OPENSEARCH_URL and OPENSEARCH_INDEX (docs/search.md).
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import combinations
from typing import Any

from django.conf import settings
from django.db import transaction

from . import analysis
from .database import DatabaseEngine
from .engine import KIND, STRENGTH, Document, Found, Hit
from .entries import FACET_SCHEMES, KINDS, batches
from .scoring import (
    COVERAGE,
    ENOUGH,
    FIELDS,
    K1,
    PART,
    TIE,
    B,
    boost_of,
    idf,
    tie,
)
from .understanding import MOST_ALTERNATIVES, Alternative, Clause, Understood

log = logging.getLogger(__name__)
FACETS = (KIND, *(scheme.value for scheme in FACET_SCHEMES), STRENGTH)
MOST_VALUES = 500  # of a facet
MOST_CLAUSES = 8  # that must be covered in part: the ways to do so grow quickly
MOST_MATCHING = 10_000  # what OpenSearch gives at once
SECONDS = 2  # that the cluster may take for one reader


def mapping() -> dict[str, Any]:
    """The settings and fields of an index. Analysis has been done: words stand between blanks."""
    keys = {"type": "text", "analyzer": "whitespace", "similarity": "keys"}
    shown = {"type": "keyword", "index": False, "doc_values": False}
    return {
        "settings": {"index": {"similarity": {"keys": {"type": "BM25", "k1": K1, "b": B}}}},
        "mappings": {
            "dynamic": "strict",
            "_meta": {"analysis": analysis.version()},
            "properties": {
                **{name: keys for field in FIELDS for name in (f"{field}_keys", f"{field}_parts")},
                "keys": {"type": "text", "analyzer": "whitespace", "norms": False},
                "facets": {"type": "keyword"},
                "kind": {"type": "keyword"},
                "boost": {"type": "integer"},
                "tie": {"type": "long"},
                "object_id": {"type": "long"},
                **dict.fromkeys(("key", "title", "url", "summary", "body"), shown),
            },
        },
    }


def source(document: Document) -> dict[str, Any]:
    """A document as it is sent."""
    fields: dict[str, Any] = {}
    order: list[str] = []
    for name in FIELDS:
        words = analysis.words(getattr(document, name))
        fields[f"{name}_keys"] = " ".join(word.key for word in words)
        fields[f"{name}_parts"] = " ".join(part for word in words for part in set(word.parts) - {word.key})
        if name not in ("also", "about"):
            order += [*(word.key for word in words), "|"]
    kind = KINDS[document.kind]
    return fields | {
        "keys": " ".join(order),
        "facets": [*document.facets, f"{KIND}:{kind.slug}"],
        "kind": document.kind,
        "boost": boost_of(kind.boost, document.strength),
        "tie": tie(document.kind, document.key),
        "object_id": document.object_id,
        "key": document.key,
        "title": document.title,
        "url": document.url,
        "summary": document.summary,
        "body": document.body,
    }


def identifier(kind: str, object_id: int) -> str:
    return f"{kind}-{object_id}"


# -- what is asked


def key_query(key: str) -> dict[str, Any]:
    """A key in any field, each by its weight; a part of a compound counts half."""
    fields = [
        f"{name}_{form}^{weight * share:g}"
        for name, (weight, _length) in FIELDS.items()
        for form, share in (("keys", 1.0), ("parts", PART))
    ]
    return {"multi_match": {"query": key, "fields": fields, "type": "most_fields", "analyzer": "whitespace"}}


def alternative_query(alternative: Alternative, share: float) -> dict[str, Any]:
    boost = alternative.weight / 100 * share / len(alternative.keys)
    return {"bool": {"must": [key_query(key) for key in alternative.keys], "boost": round(boost, 4)}}


def clause_query(clause: Clause) -> dict[str, Any]:
    """The best of the alternatives of a clause."""
    share = 1 / TIE if clause.soft else 1
    alternatives = [alternative for alternative in clause.alternatives[:MOST_ALTERNATIVES] if alternative.keys]
    return {"dis_max": {"queries": [alternative_query(alternative, share) for alternative in alternatives]}}


def hard_clauses(query: Understood) -> list[Clause]:
    """The clauses of which a hit holds all, or enough; soft ones only when there are no others."""
    clauses = [clause for clause in query.clauses if clause.alternatives]
    return ([clause for clause in clauses if not clause.soft] or clauses)[:MOST_CLAUSES]


def always(query: Understood) -> dict[str, list[dict[str, Any]]]:
    """What holds whether a hit has all words or some: phrases, and what is left out."""
    phrases = [{"match_phrase": {"keys": " ".join(phrase)}} for phrase in query.phrases]
    return {"must": phrases, "must_not": [key_query(key) for key in query.excluded]}


def counting(query: Understood) -> dict[str, Any]:
    """The first request: per kind how many hold every word, and in how many texts each clause is."""
    hard = hard_clauses(query)
    every = always(query)
    whole = {"bool": {"filter": [*every["must"], *map(clause_query, hard)], "must_not": every["must_not"]}}
    clauses = {str(place): clause_query(clause) for place, clause in enumerate(hard)}
    aggregations: dict[str, Any] = {"whole": {"filter": whole, "aggs": {"kinds": {"terms": {"field": "kind"}}}}}
    if clauses:
        aggregations["clauses"] = {"filters": {"filters": clauses}}
    return {"size": 0, "track_total_hits": True, "aggs": aggregations}


def enough(masses: Sequence[int]) -> list[tuple[int, ...]]:
    """The smallest sets of clauses that cover enough of a query, by how telling each is."""
    needed, found = COVERAGE * sum(masses), list[tuple[int, ...]]()
    for size in range(1, len(masses) + 1):
        for chosen in combinations(range(len(masses)), size):
            covered = sum(masses[place] for place in chosen) * 100 >= needed
            if covered and not any(set(smaller) <= set(chosen) for smaller in found):
                found.append(chosen)
    return found


def body(
    query: Understood,
    *,
    strict: Collection[str],
    masses: Sequence[int],
    filters: Mapping[str, Sequence[str]],
    start: int,
    size: int,
) -> dict[str, Any]:
    """The second request: a page, best first, with the counts of the facets.

    In the kinds of `strict` a hit holds every clause; elsewhere enough of the query, a clause without mass aside.
    """
    hard = [(clause, mass) for clause, mass in zip(hard_clauses(query), masses, strict=True) if mass]
    soft = [clause for clause in query.clauses if clause.soft and clause not in [clause for clause, _mass in hard]]
    every = always(query)
    whole = [clause_query(clause) for clause, _mass in hard]
    some = [{"bool": {"filter": [whole[place] for place in chosen]}} for chosen in enough([mass for _c, mass in hard])]
    matched: list[dict[str, Any]] = [
        {"bool": {"filter": [{"terms": {"kind": sorted(strict)}}, *whole]}},
        {"bool": {"filter": [{"bool": {"should": some, "minimum_should_match": 1}}] if some else [],
                  "must_not": [{"terms": {"kind": sorted(strict)}}]}},
    ]  # fmt: skip
    asked = {
        "bool": {
            "must": every["must"],
            "must_not": every["must_not"],
            "should": [*whole, *map(clause_query, soft)],
            "filter": [{"bool": {"should": matched, "minimum_should_match": 1}}],
        }
    }
    return {
        "from": start,
        "size": size,
        "track_total_hits": True,
        "query": {
            "script_score": {"query": asked, "script": {"source": "_score * doc['boost'].value / 100.0"}},
        },
        "post_filter": {"bool": {"filter": chosen_values(filters)}},
        "aggs": {facet: facet_count(facet, filters) for facet in FACETS},
        "sort": [{"_score": "desc"}, {"tie": "asc"}],
        "_source": ["kind", "object_id", "key", "title", "url", "summary", "body"],
    }


def chosen_values(filters: Mapping[str, Sequence[str]], without: str = "") -> list[dict[str, Any]]:
    return [
        {"terms": {"facets": [f"{name}:{value}" for value in values]}}
        for name, values in filters.items()
        if values and name != without
    ]


def facet_count(facet: str, filters: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """How many hits each value would leave, the facet itself left out."""
    values = {"terms": {"field": "facets", "include": f"{facet}:.*", "size": MOST_VALUES}}
    return {"filter": {"bool": {"filter": chosen_values(filters, facet)}}, "aggs": {"values": values}}


# -- the cluster


class OpenSearchEngine(DatabaseEngine):
    """Results from the cluster; all else, and results while the cluster fails, from the database."""

    @cached_property
    def client(self) -> Any:
        from opensearchpy import OpenSearch  # only here: who does not use it does not load it

        return OpenSearch(settings.OPENSEARCH_URL, timeout=SECONDS, max_retries=1)

    @property
    def live(self) -> str:
        """The name under which readers ask; the index behind it changes."""
        return settings.OPENSEARCH_INDEX

    @property
    def building(self) -> str:
        return f"{settings.OPENSEARCH_INDEX}-building"

    def index(self, documents: Sequence[Document]) -> None:
        super().index(documents)
        rows = [(identifier(document.kind, document.object_id), source(document)) for document in documents]
        transaction.on_commit(lambda: self._send([({"index": {"_id": pk}}, fields) for pk, fields in rows]))

    def remove(self, kind: str, object_ids: Collection[int]) -> None:
        super().remove(kind, object_ids)
        gone = [identifier(kind, pk) for pk in object_ids]
        transaction.on_commit(lambda: self._send([({"delete": {"_id": pk}}, None) for pk in gone]))

    def _targets(self) -> list[str]:
        """The live index, and the one that is being built beside it."""
        if not self.client.indices.exists_alias(name=self.live):
            self.client.indices.create(index=self._new_name(), body=mapping() | {"aliases": {self.live: {}}})
        found: dict[str, Any] = self.client.indices.get_alias(
            name=f"{self.live},{self.building}", ignore_unavailable=True
        )
        return sorted(name for name in found if "aliases" in found[name])

    def _new_name(self) -> str:
        return f"{self.live}-{datetime.now(UTC):%Y%m%d%H%M%S%f}"

    def _send(self, changes: Sequence[tuple[dict[str, Any], dict[str, Any] | None]]) -> None:
        """Send changes and wait until readers see them. A cluster that fails is made anew later (rebuild_search)."""
        if not changes:
            return
        try:
            for target in self._targets():
                lines = [line for change in changes for line in change if line is not None]
                self._checked(self.client.bulk(index=target, body=lines, refresh=True, request_timeout=30))
        except Exception:
            log.exception("OpenSearch did not take a change: run rebuild_search when it is back.")

    @staticmethod
    def _checked(answer: Mapping[str, Any]) -> None:
        """A deletion of what was not there is no fault."""
        faults = [
            item for row in answer["items"] for item in row.values() if item["status"] >= 400 and item["status"] != 404
        ]
        if faults:
            raise RuntimeError(f"OpenSearch refused {len(faults)} changes, first {faults[0]}")

    def rebuild(self) -> int:
        count = super().rebuild()
        made = self._new_name()
        for name in self.client.indices.get_alias(name=self.building, ignore=404):
            if name.startswith(self.live):  # of a rebuild that was broken off
                self.client.indices.delete(index=name, ignore=404)
        self.client.indices.create(index=made, body=mapping() | {"aliases": {self.building: {}}})
        for kind in list(KINDS.values()):
            for batch in batches(kind.ids()):
                lines = [
                    line
                    for document in kind.documents(batch)
                    for line in ({"index": {"_index": made, "_id": identifier(document.kind, document.object_id)}}, source(document))
                ]  # fmt: skip
                if lines:
                    self._checked(self.client.bulk(body=lines, request_timeout=60))
        self.client.indices.refresh(index=made)
        old = [name for name in self.client.indices.get_alias(name=self.live, ignore=404) if name.startswith(self.live)]
        self.client.indices.update_aliases(body={"actions": swap(made, old, self.live, self.building)})
        for name in old:
            self.client.indices.delete(index=name, ignore=404)
        return count

    def search(self, query: Understood, *, filters: Mapping[str, Sequence[str]], page: int, size: int) -> Found:
        if not (query.clauses or query.phrases) or page < 1:
            return super().search(query, filters=filters, page=page, size=size)
        try:
            answer = self._ask(query, filters=filters, start=(page - 1) * size, size=size)
        except Exception:
            log.exception("OpenSearch did not answer: the database does.")
            return super().search(query, filters=filters, page=page, size=size)
        total = answer["hits"]["total"]["value"]
        hits = [
            Hit(**{name: found["_source"][name] for name in ("kind", "object_id", "key", "title", "url", "summary", "body")},
                score=round(found["_score"] * 1_000))
            for found in answer["hits"]["hits"]
        ]  # fmt: skip
        return Found(query, hits, total, dict(counts(answer)), page, max(1, -(-total // size)))

    def matching(self, query: Understood, kind: str) -> list[int]:
        if not (query.clauses or query.phrases):
            return []
        try:
            answer = self._ask(query, filters={KIND: [KINDS[kind].slug]}, start=0, size=MOST_MATCHING)
        except Exception:
            log.exception("OpenSearch did not answer: the database does.")
            return super().matching(query, kind)
        return [found["_source"]["object_id"] for found in answer["hits"]["hits"]]

    def _ask(self, query: Understood, *, filters: Mapping[str, Sequence[str]], start: int, size: int) -> dict[str, Any]:
        first = self.client.search(index=self.live, body=counting(query))
        total = first["hits"]["total"]["value"]
        buckets = first["aggregations"].get("clauses", {}).get("buckets", {})
        found = [buckets[str(place)]["doc_count"] for place in range(len(buckets))]
        kinds = first["aggregations"]["whole"]["kinds"]["buckets"]
        strict = [bucket["key"] for bucket in kinds if bucket["doc_count"] >= ENOUGH]
        masses = [idf(df, total) if df else 0 for df in found]
        if not any(masses) and not query.phrases:
            return {"hits": {"total": {"value": 0}, "hits": []}, "aggregations": {}}
        asked = body(query, strict=strict, masses=masses, filters=filters, start=start, size=size)
        answer: dict[str, Any] = self.client.search(index=self.live, body=asked)
        return answer


def swap(made: str, old: Iterable[str], live: str, building: str) -> list[dict[str, Any]]:
    """The steps, taken at once, after which readers ask the new index."""
    return [
        *({"remove": {"index": name, "alias": live}} for name in old),
        {"add": {"index": made, "alias": live}},
        {"remove": {"index": made, "alias": building}},
    ]


def counts(answer: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, int]]]:
    """The facets of an answer that have values."""
    for facet in FACETS:
        buckets = answer["aggregations"].get(facet, {}).get("values", {}).get("buckets", ())
        values = {bucket["key"].partition(":")[2]: bucket["doc_count"] for bucket in buckets}
        if values:
            yield facet, values
