"""From a selection of study rows to a result that pages can show, with what a reader switched.

Results of published versions are stored (`store`); what readers switch is kept for a while in the memory of the process,
by the content of the rows. numpy is imported only where something is computed that neither of them holds.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from functools import cached_property
from hashlib import sha256
from threading import Lock
from typing import Any, Generic, TypeVar

from knowledgebase.evidence.records import METHOD_VERSION, Result, Row, Settings, Switches, matching
from knowledgebase.models import ComputedResult, Concept, Scheme, Selection, SiteState, Version

MOST_RESULTS = 256  # kept by a process: some 20 kB each
MOST_SELECTIONS = 8  # of which a process keeps what was stored
MOST_KEPT = 24  # parts of frozen versions: the selections of one, their rows, their ratings

Value = TypeVar("Value")


class _Recent(Generic[Value]):
    """The values that were last asked for, by key."""

    def __init__(self, most: int) -> None:
        self.most, self.kept, self.lock = most, OrderedDict[Hashable, Value](), Lock()

    def get(self, key: Hashable) -> Value | None:
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
            return self.kept.get(key)

    def keep(self, key: Hashable, value: Value) -> Value:
        with self.lock:
            self.kept[key] = value
            self.kept.move_to_end(key)
            while len(self.kept) > self.most:
                self.kept.popitem(last=False)
        return value


class Rows(tuple[Row, ...]):
    """Rows that know a hash of their values."""

    @cached_property
    def content(self) -> str:
        return sha256("\n".join(sorted(map(repr, self))).encode()).hexdigest()


_results: _Recent[Result] = _Recent(MOST_RESULTS)
_stored: _Recent[Result] = _Recent(MOST_SELECTIONS)
_kept: _Recent[Any] = _Recent(MOST_KEPT)


def forget() -> None:
    """Drop what this process keeps of results."""
    _results.kept.clear()


def settings_of(selection: Selection) -> Settings:
    """How a selection says that it is pooled."""
    return Settings(
        model=selection.model,
        method=selection.method,
        test=selection.test,
        rho=float(selection.rho),
        measure=selection.measure,
        months=selection.months,
        moderators=tuple(selection.moderators),
    )


def is_frozen(version: Version) -> bool:
    """Whether what it holds cannot change."""
    return not version.is_editable and bool(version.content_hash)


def read_once(version: Version, part: Hashable, read: Callable[[], Value], content_key: str | None = None) -> Value:
    """A part of a version as `read` finds it; of a frozen one a process reads it once while the site stays as it is."""
    if not is_frozen(version):
        return read()
    key = (version.pk, version.content_hash, part, content_key or SiteState.current().content_key)
    found: Value | None = _kept.get(key)
    return _kept.keep(key, read()) if found is None else found


def rows_of(selection: Selection, content_key: str | None = None) -> Rows:
    """Its rows, in and out (two queries)."""
    return read_once(selection.version, ("rows", selection.uid), lambda: Rows(_read_rows(selection)), content_key)


def _read_rows(selection: Selection) -> Iterable[Row]:
    concepts = Concept.objects.in_scheme(Scheme.LEVEL, Scheme.SUBJECT).values_list("pk", "slug", "broader_id")
    tree = {pk: (slug, broader) for pk, slug, broader in concepts}

    def path(pk: int | None) -> tuple[str, ...]:
        found: list[str] = []
        while pk is not None and pk in tree and tree[pk][0] not in found:
            slug, pk = tree[pk]
            found.append(slug)
        return tuple(found)

    for chosen in selection.rows():
        effect, study = chosen.effect, chosen.effect.study
        levels, subjects = path(study.level_id), path(study.subject_id)
        yield Row(
            uid=str(effect.uid),
            study=study.key,
            label=study.label,
            year=study.year,
            country=study.country,
            level=levels[0] if levels else "",
            subject=subjects[0] if subjects else "",
            design=study.design,
            risk=study.risk_of_bias,
            outcome=effect.outcome,
            measure=effect.measure,
            effect=effect.effect,
            variance=effect.variance,
            n1=effect.n1,
            n2=effect.n2,
            pupils=effect.total if study.pupils is None else study.pupils,
            moderators=effect.moderators,
            included=chosen.included,
            reason=chosen.reason,
            levels=levels,
            subjects=subjects,
        )


def result_of(rows: Iterable[Row], settings: Settings, switches: Switches | None = None) -> Result:
    """The result of rows, computed once by a process for the same content and method version.

    Switches that leave the same rows share one result: how many there can be follows from the rows, not from the words
    in an address.
    """
    switches = switches or Switches()
    rows = rows if isinstance(rows, Rows) else Rows(rows)
    left = "\n".join(sorted(row.uid for row in matching(rows, switches)))
    given = (METHOD_VERSION, rows.content, settings, switches.model, switches.without_outliers)
    key = sha256(f"{given!r}\n{left}".encode()).hexdigest()
    if (kept := _results.get(key)) is not None:
        return kept
    from knowledgebase.evidence.selection import result_of as compute  # numpy takes a fifth of a second

    return _results.keep(key, compute(rows, settings, switches))


def result_for(selection: Selection, switches: Switches | None = None) -> Result:
    """The result as a page shows it: stored where the version is published and nothing is switched, else computed."""
    if (switches is None or not switches.chosen) and (stored := stored_result(selection)) is not None:
        return stored
    return result_of(rows_of(selection), settings_of(selection), switches)


def stored_result(selection: Selection) -> Result | None:
    """What was stored when the version was published, by this version of the method; read once by a process."""
    key, frozen = (selection.version.content_hash, selection.uid, METHOD_VERSION), is_frozen(selection.version)
    if frozen and (kept := _stored.get(key)) is not None:
        return kept
    found = ComputedResult.objects.filter(
        version=selection.version_id, selection=selection.uid, method=METHOD_VERSION
    ).values_list("content", flat=True)
    if not found:
        return None
    result = Result.from_dict(json.loads(found[0]))
    return _stored.keep(key, result) if frozen else result


def store(version: Version) -> None:
    """Keep the results of a version, for readers."""
    ComputedResult.objects.filter(version=version).delete()
    ComputedResult.objects.bulk_create(
        ComputedResult(
            version_id=version.pk,
            selection=selection.uid,
            method=METHOD_VERSION,
            content=json.dumps(result_of(rows_of(selection), settings_of(selection)).as_dict()),
        )
        for selection in version.selections.select_related("version")
    )
