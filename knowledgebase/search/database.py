"""The search in the database: an inverted index in plain tables, the same answers on SQLite and PostgreSQL.

Writers wait for each other (they lock the rows of SearchIndex), so that counters and bitmaps are never lost; whoever
holds the row of SiteState as well takes that one first. A reader asks one statement for every hit in its order;
bitmaps then say which of them the filters leave, how many that are, and what every facet would leave
(docs/decisions/0011). An index that is being built gets every change that the live one gets.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Max

from knowledgebase.models import (
    SearchEntry,
    SearchFacet,
    SearchIndex,
    SearchPosting,
    SearchTerm,
    SearchText,
    SearchTitleWord,
    SearchWord,
    SiteState,
)
from knowledgebase.models.search import LONGEST_WORD

from . import analysis
from .bitmaps import bits_of, from_bytes, positions, to_bytes
from .engine import KIND, Document, Explanation, Found, Hit, Point, Suggestion
from .entries import KINDS, batches
from .lexicon import fold
from .scoring import (
    ENOUGH,
    TIE,
    Known,
    Option,
    Plan,
    Planned,
    Prepared,
    boost_of,
    keys_of,
    plan,
    points,
    prepare,
    tie,
)
from .understanding import Understood

WEIGHS = "weegt"  # the bitmap of the entries that say how rare a word is
AT_MOST = 2_000  # milliseconds that PostgreSQL may search for one reader
MOST_SPELT = 6  # words of what somebody is typing
MOST_SUGGESTED = 400  # title words looked at while somebody types
INDEX, ENTRY, TEXT, TERM, POSTING, WORD, TITLE_WORD, FACET = (
    model._meta.db_table
    for model in (
        SearchIndex, SearchEntry, SearchText, SearchTerm, SearchPosting, SearchWord, SearchTitleWord, SearchFacet,
    )
)  # fmt: skip
LIVE = f"(SELECT id FROM {INDEX} WHERE is_live)"  # a value to the planner, so that an index gives the order

# Every name and number in the statements below is our own; what readers typed goes in as a parameter.
# ruff: noqa: S608


class DatabaseEngine:
    """Publications write the index in their own transaction; see the module for how."""

    # -- writing

    def index(self, documents: Sequence[Document]) -> None:
        if not documents:
            return
        analysis.refresh()
        prepared = [prepare(document) for document in documents]
        with transaction.atomic():
            for index in _locked():
                _write(index, prepared)

    def remove(self, kind: str, object_ids: Collection[int]) -> None:
        if not object_ids:
            return
        with transaction.atomic():
            for index in _locked():
                _erase(index, kind, object_ids)

    def rebuild(self) -> int:
        analysis.refresh()
        with transaction.atomic():
            SiteState.locked()
            for stale in _locked():
                if not stale.is_live:
                    _drop(stale.pk)
            made = SearchIndex.objects.create(analysis_version=analysis.version(), base=_base())
            beside = Index(made.pk, made.base, is_live=False)
        for kind in list(KINDS.values()):
            for batch in batches(kind.ids()):
                with transaction.atomic():
                    SiteState.locked()  # first, as publications do: what is read here is what is public
                    _locked()
                    _write(beside, [prepare(document) for document in kind.documents(batch)])
        with transaction.atomic():
            SiteState.touch()
            old = [index.pk for index in _locked() if index.is_live]
            SearchIndex.objects.filter(pk__in=old).update(is_live=False)
            SearchIndex.objects.filter(pk=beside.pk).update(is_live=True)
        with transaction.atomic():
            for pk in old:
                _drop(pk)
        return SearchEntry.objects.filter(index=beside.pk).count()

    # -- reading

    def search(self, query: Understood, *, filters: Mapping[str, Sequence[str]], page: int, size: int) -> Found:
        asked = ask(query)
        if asked.rows is None:
            return Found(query, missing=asked.plan.missing, too_slow=asked.too_slow)
        sets = {name: asked.union(f"{name}:{value}" for value in values) for name, values in filters.items() if values}
        left = _all(asked.bits, sets.values())
        total = left.bit_count()
        pages = max(1, -(-total // size))
        start = (page - 1) * size
        chosen = asked.ordered(left, start, start + size) if page > 0 else []
        return Found(query, _hits(chosen), total, asked.facets(sets), page, pages, asked.plan.missing)

    def matching(self, query: Understood, kind: str) -> list[int]:
        asked = ask(query)
        left = asked.bits & asked.union([f"{KIND}:{KINDS[kind].slug}"])
        return [row[3] for row in asked.ordered(left, 0, left.bit_count())]

    def suggest(self, prefix: str, *, limit: int) -> list[Suggestion]:
        spelt = [fold(word.text) for word in analysis.words(prefix[:200])][:MOST_SPELT]
        if not spelt:
            return []
        texts = _titles(spelt, limit)
        known = {text.text.casefold() for text in texts}
        head = prefix.rstrip()
        before = head[: analysis.words(head)[-1].start]
        words = [Suggestion(before + word) for word in _words(spelt[-1], limit)]
        return [*texts, *(word for word in words if word.text.casefold() not in known)][:limit]

    def explain(self, query: Understood, kind: str, object_id: int) -> Explanation | None:
        entry = SearchEntry.objects.filter(index__is_live=True, kind=kind, object_id=object_id).first()
        if entry is None:
            return None
        asked = ask(query)
        listed, planned = any(row[0] == entry.pk for row in asked.rows or ()), asked.plan
        wanted = {term for clause in planned.clauses for option in clause.options for term in option.terms}
        impacts = dict(
            SearchPosting.objects.filter(entry_id=entry.pk, term_id__in=wanted).values_list("term_id", "impact")
        )
        given = [best for clause in planned.clauses if (best := _best(clause, impacts)) is not None]
        total = sum(clause.mass for clause in planned.clauses)
        met = {point.clause for point in given}
        covered = sum(clause.mass for clause in planned.clauses if clause.text in met)
        score = sum(point.points for point in given) * entry.boost
        return Explanation(given, covered * 100 // total if total else 0, entry.boost, score, listed)


# -- one writer at a time


@dataclass(frozen=True)
class Index:
    """A row of SearchIndex as writers need it."""

    pk: int
    base: int
    is_live: bool


def _locked() -> list[Index]:
    """Every index, the live one first, locked until the transaction ends; the first index is made here."""
    indexes = _lock()
    if not any(index.is_live for index in indexes):
        made = {"analysis_version": analysis.version(), "base": _base()}
        SearchIndex.objects.get_or_create(is_live=True, defaults=made)
        indexes = _lock()
    return sorted(indexes, key=lambda index: not index.is_live)


def _lock() -> list[Index]:
    suffix = "FOR UPDATE" if connection.features.has_select_for_update else ""
    return [Index(*row) for row in _fetch(f"SELECT id, base, is_live FROM {INDEX} ORDER BY id {suffix}")]


def _fetch(sql: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
        return rows


def _base() -> int:
    newest: int | None = SearchEntry.objects.aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def _rows(**columns: tuple[str, Sequence[Any]]) -> tuple[str, list[Any]]:
    """A table expression of lists side by side (name=(type, values)), and its parameters."""
    if connection.vendor == "postgresql":
        marks = ", ".join(f"%s::{kind}[]" for kind, _values in columns.values())
        return f"unnest({marks}) AS given({', '.join(columns)})", [list(values) for _kind, values in columns.values()]
    picked = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(columns))
    rows = json.dumps(list(zip(*(values for _kind, values in columns.values()), strict=True)), ensure_ascii=False)
    return f"(SELECT {picked} FROM json_each(%s)) AS given", [rows]


@dataclass(frozen=True)
class _Stored:
    """What an entry brought into an index."""

    pk: int
    words: str
    terms: list[str]
    facets: list[str]
    weighs: bool
    digest: str


def _stored(entries: Sequence[int]) -> dict[int, _Stored]:
    source, given = _rows(entry=("int", entries))
    rows = _fetch(
        f"SELECT entry_id, words, terms, facets, weighs, digest FROM {TEXT} "
        f"WHERE entry_id IN (SELECT entry FROM {source})",
        given,
    )
    return {
        pk: _Stored(pk, words, terms.split(" ") if terms else [], facets.split(" "), weighs, digest)
        for pk, words, terms, facets, weighs, digest in rows
    }


def _write(index: Index, documents: Sequence[Prepared]) -> None:
    """Put documents in one index; those that are in it already, word for word, are left alone."""
    if not documents:
        return
    given = [prepared.document for prepared in documents]
    source, values = _rows(
        kind=("text", [document.kind for document in given]),
        object_id=("bigint", [document.object_id for document in given]),
        boost=("smallint", [boost_of(KINDS[document.kind].boost, document.strength) for document in given]),
        tie=("bigint", [tie(document.kind, document.key) for document in given]),
        key=("text", [document.key[:100] for document in given]),
    )
    numbers = {
        (kind, object_id): pk
        for pk, kind, object_id in _fetch(
            f"INSERT INTO {ENTRY} (index_id, kind, object_id, boost, tie, key) "
            f"SELECT %s, kind, object_id, boost, tie, key FROM {source} WHERE true "
            "ON CONFLICT (index_id, kind, object_id) DO UPDATE SET boost = excluded.boost, tie = excluded.tie, "
            "key = excluded.key RETURNING id, kind, object_id",
            [index.pk, *values],
        )
    }
    pairs = [(numbers[prepared.document.kind, prepared.document.object_id], prepared) for prepared in documents]
    stored = _stored([pk for pk, _prepared in pairs])
    changed = [
        (pk, prepared, stored.get(pk))
        for pk, prepared in pairs
        if pk not in stored or stored[pk].digest != prepared.digest
    ]
    if not changed:
        return
    terms = _count_terms(index, [(old, prepared) for _pk, prepared, old in changed])
    _drop_postings(
        [(terms[key], pk) for pk, prepared, old in changed if old for key in set(old.terms) - prepared.impacts.keys()]
    )
    _put_postings(
        (terms[key], pk, impact) for pk, prepared, _old in changed for key, impact in prepared.impacts.items()
    )
    _count_words(index, [(old, prepared) for _pk, prepared, old in changed])
    _put_texts(changed)
    _put_title_words(index, changed)
    _put_facets(index, [(pk, set(old.facets) if old else set(), _facets(prepared)) for pk, prepared, old in changed])


def _facets(prepared: Prepared) -> set[str]:
    kind = KINDS[prepared.document.kind]
    return {*prepared.document.facets, f"{KIND}:{kind.slug}", *([WEIGHS] if kind.weighs else [])}


def _put_texts(changed: Sequence[tuple[int, Prepared, _Stored | None]]) -> None:
    given = [(pk, prepared, prepared.document) for pk, prepared, _old in changed]
    columns: dict[str, tuple[str, Sequence[Any]]] = {
        "entry_id": ("int", [pk for pk, _prepared, _document in given]),
        "title": ("text", [document.title[:400] for _pk, _prepared, document in given]),
        "url": ("text", [document.url[:500] for _pk, _prepared, document in given]),
        "summary": ("text", [document.summary for _pk, _prepared, document in given]),
        "body": ("text", [document.body for _pk, _prepared, document in given]),
        "keys": ("text", [prepared.keys for _pk, prepared, _document in given]),
        "words": ("text", [" ".join(sorted(_counted_words(prepared))) for _pk, prepared, _document in given]),
        "terms": ("text", [" ".join(sorted(prepared.impacts)) for _pk, prepared, _document in given]),
        "facets": ("text", [" ".join(sorted(_facets(prepared))) for _pk, prepared, _document in given]),
        "weighs": ("boolean", [KINDS[document.kind].weighs for _pk, _prepared, document in given]),
        "digest": ("text", [prepared.digest for _pk, prepared, _document in given]),
    }
    source, values = _rows(**columns)
    names = ", ".join(columns)
    taken = ", ".join(f"{name} = excluded.{name}" for name in columns if name != "entry_id")
    _fetch(
        f"INSERT INTO {TEXT} ({names}) SELECT {names} FROM {source} WHERE true "
        f"ON CONFLICT (entry_id) DO UPDATE SET {taken}",
        values,
    )


def _put_title_words(index: Index, changed: Sequence[tuple[int, Prepared, _Stored | None]]) -> None:
    if renewed := [pk for pk, _prepared, old in changed if old]:
        source, values = _rows(entry=("int", renewed))
        _fetch(f"DELETE FROM {TITLE_WORD} WHERE entry_id IN (SELECT entry FROM {source})", values)
    rows = [(pk, *row) for pk, prepared, _old in changed for row in prepared.title_words.items()]
    source, values = _rows(
        entry=("int", [row[0] for row in rows]),
        folded=("text", [row[1] for row in rows]),
        is_title=("boolean", [row[2] for row in rows]),
    )
    _fetch(
        f"INSERT INTO {TITLE_WORD} (index_id, entry_id, folded, is_title) "
        f"SELECT %s, entry, folded, is_title FROM {source}",
        [index.pk, *values],
    )


def _counted_words(prepared: Prepared) -> frozenset[str]:
    """The words of a document that suggestions and corrections know."""
    return prepared.words if KINDS[prepared.document.kind].weighs else frozenset()


def _count_terms(index: Index, pairs: Sequence[tuple[_Stored | None, Prepared | None]]) -> dict[str, int]:
    """Count what documents bring and what they take away; returns the ids of all their terms.

    In the order of the keys, so that no two writers wait for each other in a ring.
    """
    df: Counter[str] = Counter()
    uses: Counter[str] = Counter()
    for old, new in pairs:
        for key in old.terms if old else ():
            uses[key] -= 1
            df[key] -= old.weighs if old else 0
        for key in new.impacts if new else ():
            uses[key] += 1
            df[key] += KINDS[new.document.kind].weighs if new else 0
    keys = sorted(uses)
    source, given = _rows(
        key=("text", keys), df=("int", [df[key] for key in keys]), uses=("int", [uses[key] for key in keys])
    )
    rows = _fetch(
        f"INSERT INTO {TERM} (index_id, key, df, uses) SELECT %s, key, df, uses FROM {source} WHERE true "
        f"ON CONFLICT (index_id, key) DO UPDATE SET df = {TERM}.df + excluded.df, uses = {TERM}.uses + excluded.uses "
        "RETURNING key, id",
        [index.pk, *given],
    )
    return dict(rows)


def _drop_postings(pairs: Sequence[tuple[int, int]]) -> None:
    if not pairs:
        return
    source, given = _rows(term=("int", [pair[0] for pair in pairs]), entry=("int", [pair[1] for pair in pairs]))
    _fetch(f"DELETE FROM {POSTING} WHERE (term_id, entry_id) IN (SELECT term, entry FROM {source})", given)
    source, given = _rows(term=("int", sorted({pair[0] for pair in pairs})))
    _fetch(f"DELETE FROM {TERM} WHERE uses <= 0 AND id IN (SELECT term FROM {source})", given)


def _put_postings(postings: Iterable[tuple[int, int, int]]) -> None:
    rows = sorted(postings)
    source, given = _rows(
        term=("int", [row[0] for row in rows]),
        entry=("int", [row[1] for row in rows]),
        impact=("smallint", [row[2] for row in rows]),
    )
    _fetch(
        f"INSERT INTO {POSTING} (term_id, entry_id, impact) SELECT term, entry, impact FROM {source} WHERE true "
        "ON CONFLICT (term_id, entry_id) DO UPDATE SET impact = excluded.impact",
        given,
    )


def _count_words(index: Index, pairs: Sequence[tuple[_Stored | None, Prepared | None]]) -> None:
    df: Counter[str] = Counter()
    for old, new in pairs:
        if old:
            df.subtract(old.words.split())
        if new:
            df.update(_counted_words(new))
    words = sorted(word for word, count in df.items() if count)
    if not words:
        return
    source, given = _rows(
        word=("text", words),
        folded=("text", [fold(word)[:LONGEST_WORD] for word in words]),
        df=("int", [df[word] for word in words]),
    )
    _fetch(
        f"INSERT INTO {WORD} (index_id, word, folded, df) SELECT %s, word, folded, df FROM {source} WHERE true "
        f"ON CONFLICT (index_id, word) DO UPDATE SET df = {WORD}.df + excluded.df",
        [index.pk, *given],
    )
    if gone := [word for word in words if df[word] < 0]:
        source, given = _rows(word=("text", gone))
        _fetch(
            f"DELETE FROM {WORD} WHERE index_id = %s AND df <= 0 AND word IN (SELECT word FROM {source})",
            [index.pk, *given],
        )


def _put_facets(index: Index, changes: Sequence[tuple[int, set[str], set[str]]]) -> None:
    """Set and clear bits: per entry what it had and what it has."""
    bits: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))  # per facet what to set and what to clear
    for entry, had, has in changes:
        bit = 1 << (entry - index.base)
        for name in has - had:
            put, cleared = bits[name]
            bits[name] = put | bit, cleared
        for name in had - has:
            put, cleared = bits[name]
            bits[name] = put, cleared | bit
    if not bits:
        return
    source, given = _rows(name=("text", sorted(bits)))
    stored = dict(
        _fetch(
            f"SELECT name, data FROM {FACET} WHERE index_id = %s AND name IN (SELECT name FROM {source})",
            [index.pk, *given],
        )
    )
    rows = [
        (index.pk, name, to_bytes(from_bytes(stored.get(name, b"")) & ~cleared | put))
        for name, (put, cleared) in sorted(bits.items())
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {FACET} (index_id, name, data) VALUES (%s, %s, %s) "
            "ON CONFLICT (index_id, name) DO UPDATE SET data = excluded.data",
            rows,
        )


def _erase(index: Index, kind: str, object_ids: Collection[int]) -> None:
    source, given = _rows(object_id=("bigint", sorted(object_ids)))
    found = _fetch(
        f"SELECT id FROM {ENTRY} WHERE index_id = %s AND kind = %s AND object_id IN (SELECT object_id FROM {source})",
        [index.pk, kind, *given],
    )
    texts = list(_stored([pk for (pk,) in found]).values())
    if not texts:
        return
    terms = _count_terms(index, [(text, None) for text in texts])
    _drop_postings([(terms[key], text.pk) for text in texts for key in text.terms])
    _count_words(index, [(text, None) for text in texts])
    _put_facets(index, [(text.pk, set(text.facets), set()) for text in texts])
    source, given = _rows(entry=("int", [text.pk for text in texts]))
    for table, column in ((TITLE_WORD, "entry_id"), (TEXT, "entry_id"), (ENTRY, "id")):
        _fetch(f"DELETE FROM {table} WHERE {column} IN (SELECT entry FROM {source})", given)


def _drop(pk: int) -> None:
    """Throw an index away, the largest table first."""
    _fetch(f"DELETE FROM {POSTING} WHERE term_id IN (SELECT id FROM {TERM} WHERE index_id = %s)", [pk])
    for table in (TITLE_WORD, WORD, TERM, FACET):
        _fetch(f"DELETE FROM {table} WHERE index_id = %s", [pk])
    _fetch(f"DELETE FROM {TEXT} WHERE entry_id IN (SELECT id FROM {ENTRY} WHERE index_id = %s)", [pk])
    _fetch(f"DELETE FROM {ENTRY} WHERE index_id = %s", [pk])
    _fetch(f"DELETE FROM {INDEX} WHERE id = %s", [pk])


def _all(bits: int, sets: Iterable[int]) -> int:
    for allowed in sets:
        bits &= allowed
    return bits


# -- one reader's question

Row = tuple[int, int, bool, int]  # an entry, its score, whether it holds every word, its object


class Asked:
    """A query as the live index answers it: every hit in its order, and the bitmaps of the facets."""

    def __init__(self) -> None:
        self.plan = Plan()
        self.rows: list[Row] | None = None
        self.index = self.base = 0
        self.bits = 0
        self.maps: dict[str, int] = {}
        self.too_slow = False

    def load(self) -> bool:
        """Read the facets of the live index; whether there is one."""
        for self.index, self.base, name, data in _fetch(
            f"SELECT live.id, live.base, facet.name, facet.data FROM {INDEX} AS live "
            f"JOIN {FACET} AS facet ON facet.index_id = live.id WHERE live.is_live"
        ):
            self.maps[name] = from_bytes(data)
        return bool(self.maps)

    def answered(self, rows: list[Row]) -> None:
        """Per kind: where enough hold every word of the query, the others are left out."""
        self.rows = rows
        strict = self.bits_of(row for row in rows if row[2])
        loose = self.bits_of(rows)
        for kind in KINDS.values():
            own = self.maps.get(f"{KIND}:{kind.slug}", 0)
            self.bits |= strict & own if (strict & own).bit_count() >= ENOUGH else loose & own

    def bits_of(self, rows: Iterable[Row]) -> int:
        return bits_of(row[0] - self.base for row in rows)

    def union(self, names: Iterable[str]) -> int:
        bits = 0
        for name in names:
            bits |= self.maps.get(name, 0)
        return bits

    def ordered(self, bits: int, start: int, stop: int) -> list[Row]:
        """The hits of a set from place `start` to before `stop`, best first."""
        rows = self.rows or []
        return [rows[place] for place in positions(bits, (row[0] - self.base for row in rows), start, stop)]

    def facets(self, sets: Mapping[str, int]) -> dict[str, dict[str, int]]:
        every = _all(self.bits, sets.values())
        left = {name: _all(self.bits, (bits for other, bits in sets.items() if other != name)) for name in sets}
        counts: dict[str, dict[str, int]] = defaultdict(dict)
        for name, bits in sorted(self.maps.items()):
            facet, colon, value = name.partition(":")
            if colon and (count := (left.get(facet, every) & bits).bit_count()):
                counts[facet][value] = count
        return dict(counts)


def ask(query: Understood) -> Asked:
    """Ask the live index; on PostgreSQL it is stopped after a while."""
    asked = Asked()
    keys = sorted(keys_of(query))
    if keys and asked.load():
        source, given = _rows(key=("text", keys))
        terms = _fetch(
            f"SELECT key, id, df FROM {TERM} WHERE index_id = %s AND key IN (SELECT key FROM {source})",
            [asked.index, *given],
        )
        known = Known({key: (pk, df) for key, pk, df in terms}, asked.maps.get(WEIGHS, 0).bit_count())
        asked.plan = plan(query, known)
        if asked.plan.clauses and not asked.plan.impossible:
            try:
                asked.answered(_run(*statement(asked.plan)))
            except OperationalError:
                if connection.vendor != "postgresql":
                    raise
                asked.too_slow = True
    return asked


def _run(sql: str, given: Sequence[Any]) -> list[Row]:
    bounded = connection.vendor == "postgresql" and not connection.in_atomic_block
    with transaction.atomic() if bounded else nullcontext(), connection.cursor() as cursor:
        if bounded:
            cursor.execute(f"SET LOCAL statement_timeout = {AT_MOST}")
        cursor.execute(sql, given)
        rows: list[Row] = cursor.fetchall()
        return rows


def statement(planned: Plan) -> tuple[str, list[Any]]:
    """One statement for every hit, best first: its number, its score, whether it holds every word."""
    hits = _hits_of(planned)
    where, given = [], []
    if planned.phrases:
        where += ["text.keys LIKE %s"] * len(planned.phrases)
        given = [f"%{phrase}%" for phrase in planned.phrases]
    if planned.excluded:
        terms = ", ".join(map(str, planned.excluded))
        where.append(
            f"NOT EXISTS (SELECT 1 FROM {POSTING} AS x WHERE x.term_id IN ({terms}) AND x.entry_id = hit.entry_id)"
        )
    return (
        f"SELECT hit.entry_id, hit.s * entry.boost AS score, hit.h >= {planned.hard} AS whole, entry.object_id "
        f"FROM ({hits}) AS hit JOIN {ENTRY} AS entry ON entry.id = hit.entry_id "
        + (f"JOIN {TEXT} AS text ON text.entry_id = hit.entry_id " if planned.phrases else "")
        + (f"WHERE {' AND '.join(where)} " if where else "")
        + "ORDER BY score DESC, entry.tie"
    ), given


def _hits_of(planned: Plan) -> str:
    """Every entry that meets enough of the query, with what all clauses give together; one clause is always enough."""
    clauses = [_clause(clause) for clause in planned.clauses]
    if len(clauses) == 1:
        return f"SELECT entry_id, CAST(s AS bigint) AS s, h FROM ({clauses[0]}) AS clause"
    quoted = sum(clause.phrase for clause in planned.clauses)
    conditions = [f"SUM(m) * 100 >= {planned.needed}", "SUM(h) > 0", *([f"SUM(q) = {quoted}"] if quoted else [])]
    return (
        f"SELECT entry_id, CAST(SUM(s) AS bigint) AS s, SUM(h) AS h FROM ({' UNION ALL '.join(clauses)}) AS clause "
        f"GROUP BY entry_id HAVING {' AND '.join(conditions)}"
    )


def _clause(clause: Planned) -> str:
    """Every entry that meets a clause, with the most that one of its options gives."""
    rest = f"{clause.mass} AS m, {int(not clause.soft)} AS h, {int(clause.phrase)} AS q"
    options = [_option(clause, option) for option in clause.options]
    if len(options) == 1:
        return f"SELECT entry_id, s, {rest} FROM ({options[0]}) AS option"
    return f"SELECT entry_id, MAX(s) AS s, {rest} FROM ({' UNION ALL '.join(options)}) AS option GROUP BY entry_id"


def _option(clause: Planned, option: Option) -> str:
    """Every entry that holds all terms of an option: read from the rarest, whose rows look the others up."""
    divided = f" / {TIE}" if clause.soft else ""
    rarest_first = sorted(zip(option.df, option.terms, option.factors, strict=True))
    points = " + ".join(f"p{place}.impact * {factor}" for place, (_df, _term, factor) in enumerate(rarest_first))
    tables = " CROSS JOIN ".join(f"{POSTING} AS p{place}" for place in range(len(rarest_first)))
    where = " AND ".join(
        f"p{place}.term_id = {term}" + (f" AND p{place}.entry_id = p0.entry_id" if place else "")
        for place, (_df, term, _factor) in enumerate(rarest_first)
    )
    return f"SELECT p0.entry_id, ({points}) / {len(rarest_first)}{divided} AS s FROM {tables} WHERE {where}"


def _hits(rows: Sequence[Row]) -> list[Hit]:
    """What is shown of hits; one that was withdrawn this very moment is not."""
    source, given = _rows(entry=("int", [row[0] for row in rows]))
    texts = {
        pk: Hit(*shown)
        for pk, *shown in _fetch(
            f"SELECT entry.id, entry.kind, entry.object_id, entry.key, text.title, text.url, text.summary, text.body "
            f"FROM {ENTRY} AS entry JOIN {TEXT} AS text ON text.entry_id = entry.id "
            f"WHERE entry.id IN (SELECT entry FROM {source})",
            given,
        )
    }
    return [replace(texts[row[0]], score=row[1]) for row in rows if row[0] in texts]


def _best(clause: Planned, impacts: Mapping[int, int]) -> Point | None:
    """The option of a clause that gives an entry most."""
    met = [
        (option, tuple(impacts[term] for term in option.terms))
        for option in clause.options
        if all(term in impacts for term in option.terms)
    ]
    if not met:
        return None
    option, found = max(met, key=lambda pair: points(clause, *pair))
    return Point(
        clause.text, option.keys, option.weight, clause.soft, option.df, option.idf, found,
        points(clause, option, found),
    )  # fmt: skip


# -- while somebody types


def _after(prefix: str) -> str:
    """What comes after every word with this beginning, in the order of code points."""
    return prefix + "\U0010ffff"


def _binary(column: str) -> str:
    """The column in the order of code points, as its index has it."""
    return f'{column} COLLATE "C"' if connection.vendor == "postgresql" else column


def _words(beginning: str, limit: int) -> list[str]:
    """Words with this beginning, those of most texts first."""
    rows = _fetch(
        f"SELECT word.word FROM {WORD} AS word WHERE word.index_id = {LIVE} "
        f"AND {_binary('word.folded')} >= %s AND {_binary('word.folded')} < %s "
        f"ORDER BY word.df DESC, {_binary('word.folded')}, {_binary('word.word')} LIMIT %s",
        [beginning, _after(beginning), limit],
    )
    return [word for (word,) in rows]


def _titles(spelt: Sequence[str], limit: int) -> list[Suggestion]:
    """Texts whose title, or what they are also searched as, holds the words, the last one only begun."""
    *whole, begun = spelt
    joins = "".join(
        f" JOIN {TITLE_WORD} AS w{place} ON w{place}.index_id = {LIVE} AND {_binary(f'w{place}.folded')} = %s"
        f" AND w{place}.entry_id = word.entry_id"
        for place in range(len(whole))
    )
    begun_so = (
        f"SELECT word.entry_id, CASE WHEN word.is_title THEN 1 ELSE 0 END AS is_title FROM {TITLE_WORD} AS word{joins} "
        f"WHERE word.index_id = {LIVE} AND {_binary('word.folded')} >= %s AND {_binary('word.folded')} < %s "
        f"ORDER BY {_binary('word.folded')}, word.entry_id LIMIT %s"
    )
    rows = _fetch(
        f"SELECT text.title, entry.kind, text.url FROM ({begun_so}) AS found "
        f"JOIN {ENTRY} AS entry ON entry.id = found.entry_id JOIN {TEXT} AS text ON text.entry_id = entry.id "
        "GROUP BY entry.id, entry.kind, entry.boost, entry.tie, text.title, text.url "
        "ORDER BY MAX(found.is_title) DESC, entry.boost DESC, entry.tie LIMIT %s",
        [*whole, begun, _after(begun), MOST_SUGGESTED, limit],
    )
    return [Suggestion(*row) for row in rows]
