"""What differs between two contents of a text, in the words of readers and editors.

It compares canonical contents (`versions.canonical`, `ReviewRound.content`): fields in reading order, then the child
rows by uid. Only the names of concepts, sources and texts are asked of the database, each kind at once.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from django.db import models
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from knowledgebase.models import PUBLIC_ONCE, Concept, EffectSize, SelectedEffect, Source, Version, VersionChild

from .versions import BOOKKEEPING, CHANGE_FIELDS, children_of

SAME, ADDED, REMOVED, CHANGED, MOVED = "same", "added", "removed", "changed", "moved"
AROUND = 8  # words that are kept on either side of a change
LEAST_ALIKE = 0.35  # two paragraphs with fewer words in common are not one paragraph that changed
MOST_ROWS = 8  # study rows that are named in one sentence
MOST_PAIRS = 20_000  # of equal words, which is what comparing costs: beyond it a paragraph is shown whole
_BLANK_LINES = re.compile(r"\n\s*\n")
_OWN_LINE = re.compile(r"\s*(?:[-*+]|\d+[.)]|#+|>|\|)\s|\s*\|")  # Markdown that starts a block without a blank line
Names = Mapping[tuple[str, ...], str]


@dataclass(frozen=True)
class Piece:
    """Some words that stayed, came or went."""

    kind: str
    text: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph or list item: same, added, removed, or changed in some of its pieces."""

    kind: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Change:
    """One field before and after: a text as paragraphs, any other value in words (empty where there was none)."""

    name: str
    label: str
    old: str = ""
    new: str = ""
    paragraphs: tuple[Paragraph, ...] = ()


@dataclass(frozen=True)
class Difference:
    """A field, or a child row (`uid`, `row`), that was added, removed, changed or moved."""

    name: str
    label: str
    kind: str
    changes: tuple[Change, ...] = ()
    uid: str = ""
    row: str = ""


def differences(
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any],
    *,
    model: type[Version],
    without: Collection[str] = (),
) -> list[Difference]:
    """What `new` says otherwise than `old` (nothing before a first version), in reading order.

    `without` leaves fields and kinds of child rows out by name.
    """
    before = old or {}
    children = [pair for pair in _children(model) if pair[0] not in without]
    names = _names([before, new], model, [accessor for accessor, child in children if child is not SelectedEffect])
    own = [field for field in _fields(model) if field.name not in without]
    last = [field for field in own if field.name in CHANGE_FIELDS]
    found = [_field(field, before, new, names) for field in own if field not in last]
    for accessor, child in children:
        if child is SelectedEffect:
            found += _study_rows(accessor, before, new)
        else:
            found += _rows(accessor, child, before.get(accessor, []), new.get(accessor, []), names)
    found += [_field(field, before, new, names) for field in last]
    return [difference for difference in found if difference is not None]


# -- texts


def compare_texts(old: str, new: str) -> list[Paragraph]:
    """Two texts, paragraph by paragraph and word by word; equal words once, the pieces in reading order."""
    before, after = _blocks(old), _blocks(new)
    paragraphs: list[Paragraph] = []
    for tag, i1, i2, j1, j2 in _matcher(before, after).get_opcodes():
        if tag == "equal":
            paragraphs += [Paragraph(SAME, (Piece(SAME, " ".join(block)),)) for block in after[j1:j2]]
        else:
            paragraphs += _replaced(before[i1:i2], after[j1:j2])
    return paragraphs


def shortened(paragraphs: Iterable[Paragraph]) -> tuple[Paragraph, ...]:
    """The same without what stayed far from a change: long unchanged stretches become a few words and “…”."""
    kept: list[Paragraph] = []
    skipped: list[Paragraph] = []
    for paragraph in paragraphs:
        if paragraph.kind == SAME:
            skipped.append(paragraph)
            continue
        if skipped:
            kept.append(_glimpse(skipped[-1], more_before=len(skipped) > 1))
            skipped = []
        last = len(paragraph.pieces) - 1
        pieces = [
            replace(piece, text=_short(piece.text, head=index > 0, tail=index < last)) if piece.kind == SAME else piece
            for index, piece in enumerate(paragraph.pieces)
        ]
        kept.append(replace(paragraph, pieces=tuple(pieces)))
    if skipped and kept:
        kept.append(_glimpse(skipped[0], more_after=len(skipped) > 1))
    return tuple(kept)


def _blocks(text: str) -> list[tuple[str, ...]]:
    """The words of every paragraph and list item; lines that merely go on are one block."""
    blocks: list[list[str]] = []
    for paragraph in _BLANK_LINES.split(text.strip()):
        fresh = True
        for line in paragraph.splitlines():
            if fresh or _OWN_LINE.match(line):
                blocks.append([])
            fresh = False
            blocks[-1] += line.split()
    return [tuple(block) for block in blocks if block]


def _matcher(old: Sequence[Any], new: Sequence[Any]) -> SequenceMatcher:
    """difflib's, which looks away from what occurs all over a long sequence: else that is very slow."""
    return SequenceMatcher(None, old, new)


def _replaced(old: Sequence[tuple[str, ...]], new: Sequence[tuple[str, ...]]) -> list[Paragraph]:
    """What stands in the place of other paragraphs: those that are still alike side by side, the others whole."""
    paragraphs, start = [], 0
    for block in new:
        found = next((i for i in range(start, min(start + 20, len(old))) if _are_alike(old[i], block)), None)
        if found is None:
            paragraphs.append(_whole(ADDED, block))
            continue
        paragraphs += [_whole(REMOVED, gone) for gone in old[start:found]]
        paragraphs.append(_words(old[found], block))
        start = found + 1
    paragraphs += [_whole(REMOVED, gone) for gone in old[start:]]
    if {paragraph.kind for paragraph in paragraphs} == {ADDED, REMOVED}:  # written anew: the old text first
        paragraphs.sort(key=lambda paragraph: paragraph.kind == ADDED)
    return paragraphs


def _are_alike(old: tuple[str, ...], new: tuple[str, ...]) -> bool:
    before, after = Counter(old), Counter(new)
    common = sum((before & after).values())
    pairs = sum(count * after[word] for word, count in before.items())
    return 2 * common >= LEAST_ALIKE * (len(old) + len(new)) and pairs <= MOST_PAIRS


def _whole(kind: str, block: Iterable[str]) -> Paragraph:
    return Paragraph(kind, (Piece(kind, " ".join(block)),))


def _words(old: tuple[str, ...], new: tuple[str, ...]) -> Paragraph:
    """One paragraph, word by word; a lone word that stayed between two changes goes with them."""
    runs: list[tuple[list[str], list[str], bool]] = []  # old words, new words, whether they are the same
    for tag, i1, i2, j1, j2 in _matcher(old, new).get_opcodes():
        same = tag == "equal"
        if same and runs and j2 - j1 == 1 and i2 < len(old) and j2 < len(new):
            same = False
        if runs and not same and not runs[-1][2]:
            runs[-1][0].extend(old[i1:i2])
            runs[-1][1].extend(new[j1:j2])
        else:
            runs.append((list(old[i1:i2]), list(new[j1:j2]), same))
    pieces: list[Piece] = []
    for gone, come, same in runs:
        if same:
            pieces.append(Piece(SAME, " ".join(come)))
            continue
        pieces += [Piece(REMOVED, " ".join(gone))] if gone else []
        pieces += [Piece(ADDED, " ".join(come))] if come else []
    return Paragraph(CHANGED, tuple(pieces))


def _short(text: str, *, head: bool, tail: bool) -> str:
    """The words that touch a change: the first ones (`head`), the last ones (`tail`), or both."""
    words = text.split()
    kept_head, kept_tail = AROUND * head, AROUND * tail
    if len(words) <= kept_head + kept_tail + AROUND:
        return text
    return " ".join([*words[:kept_head], "…", *words[len(words) - kept_tail :]])


def _glimpse(paragraph: Paragraph, *, more_before: bool = False, more_after: bool = False) -> Paragraph:
    words = paragraph.pieces[0].text.split()
    text = " ".join(words[:AROUND]) + (" …" if len(words) > AROUND or more_after else "")
    return Paragraph(SAME, (Piece(SAME, f"… {text}" if more_before else text),))


# -- fields and rows


def _fields(model: type[Version]) -> list[models.Field]:
    """The fields that hold what a version says, as a reader meets them: title, question, lead, texts, the rest."""
    places = {name: 3 + order for order, name in enumerate(("lead", *model.markdown_fields))} | {"title": 0}
    base = {field.name for field in Version._meta.concrete_fields}

    def place(field: models.Field) -> int:
        return places.get(field.name, 1 if field.name not in base else 99)

    own = [field for field in model._meta.concrete_fields if field.name not in BOOKKEEPING]
    return sorted(own, key=place)


def _children(model: type[Version]) -> list[tuple[str, type[VersionChild]]]:
    """The kinds of child rows; those that only this kind of text has come first."""
    common = {accessor for accessor, _child in children_of(Version)}
    return sorted(children_of(model), key=lambda pair: pair[0] in common)


def _field(field: models.Field, old: Mapping[str, Any], new: Mapping[str, Any], names: Names) -> Difference | None:
    change = _change(field, old.get(field.name), new.get(field.name), names)
    if change is None:
        return None
    kind = ADDED if field.name not in old else REMOVED if field.name not in new else CHANGED
    return Difference(field.name, change.label, kind, (change,))


def _change(field: models.Field, old: Any, new: Any, names: Names) -> Change | None:
    if old == new:
        return None
    label = str(field.verbose_name)
    if isinstance(field, (models.TextField, models.CharField)) and not field.choices and _is_prose(old, new):
        paragraphs = shortened(compare_texts(old or "", new or ""))
        return Change(field.name, label[:1].upper() + label[1:], paragraphs=paragraphs) if paragraphs else None
    return Change(field.name, label[:1].upper() + label[1:], _in_words(field, old, names), _in_words(field, new, names))


def _is_prose(*values: Any) -> bool:
    return any(isinstance(value, str) and " " in value.strip() for value in values)


def _in_words(field: models.Field, value: Any, names: Names) -> str:
    """A value as a reader would say it; nothing for no value."""
    if value in (None, "", []):
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, models.ForeignKey):
        return names.get(_key(field, value), str(value))
    if isinstance(field, models.DateField):
        return date_format(date.fromisoformat(value[:10]), "DATE_FORMAT")
    if isinstance(field, models.DecimalField):
        return number_format(Decimal(value))
    if isinstance(value, int):
        return number_format(value, force_grouping=abs(value) >= 10_000)
    return _listed(value)


def _listed(value: Any) -> str:
    """Data without a model of its own: “edition 2018, months 2; edition 2014”."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_listed(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "; ".join(_listed(part) for part in value)
    return str(value)


def _rows(
    accessor: str, child: type[VersionChild], old: Sequence[Mapping], new: Sequence[Mapping], names: Names
) -> Iterator[Difference]:
    """The child rows that were added, removed, changed or moved, in the order of the new version."""
    before, after = ({row["uid"]: row for row in sorted(rows, key=_order)} for rows in (old, new))
    label = str(child._meta.verbose_name)
    label = label[:1].upper() + label[1:]
    moved = _moved([uid for uid in before if uid in after], [uid for uid in after if uid in before])
    for uid in [*after, *(uid for uid in before if uid not in after)]:
        row = after.get(uid) or before[uid]
        changes = tuple(_row_changes(child, before.get(uid), after.get(uid), names))
        if uid not in before:
            kind = ADDED
        elif uid not in after:
            kind, changes = REMOVED, ()
        elif changes:
            kind = CHANGED
        elif uid in moved:
            kind = MOVED
        else:
            continue
        yield Difference(accessor, label, kind, changes, uid, _row_name(child, row, names))


def _row_changes(
    child: type[VersionChild], old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, names: Names
) -> Iterator[Change]:
    """What differs inside a row; of an added row all that it says, except what its name says already."""
    if new is None:
        return
    known = {*child.named_by, "printed"} if old is None else set()
    fields = {field.name: field for field in child._meta.concrete_fields}
    for name in [*fields, "printed"]:
        before, after = (old or {}).get(name), new.get(name)
        if name in {"uid", "order"} | known or before == after:
            continue
        if name == "printed":
            yield from _printed(before or {}, after or {}, names)
        elif name in child.concept_keys:
            label = str(fields[name].verbose_name)
            yield Change(name, label[:1].upper() + label[1:], _context(before, names), _context(after, names))
        elif (change := _change(fields[name], before, after, names)) is not None:
            yield change


def _printed(old: Mapping[str, Any], new: Mapping[str, Any], names: Names) -> Iterator[Change]:
    """What a source shows of itself, where that changed."""
    for field in Source._meta.concrete_fields:
        before, after = old.get(field.name), new.get(field.name)
        if field.name == "authors":
            before, after = _authors(before), _authors(after)
        if (change := _change(field, before, after, names)) is not None:
            yield change


def _authors(people: Iterable[Mapping[str, str]] | None) -> str:
    return "; ".join(", ".join(filter(None, [who.get("family"), who.get("given")])) for who in people or ())


def _row_name(child: type[VersionChild], row: Mapping[str, Any], names: Names) -> str:
    words = []
    for name in child.named_by:
        field = child._meta.get_field(name)
        if name in child.concept_keys:
            words.append("" if row.get("label") else _context(row.get(name), names))
        elif isinstance(field, models.Field):
            words.append(_in_words(field, row.get(name), names))
    return ", ".join(word for word in words if word)


def _context(key: str | None, names: Names) -> str:
    """`niveau:lager` by the name of the concept; `overall` and words of its own as they are called."""
    if not key or key == "overall":
        return _("Overall") if key else ""
    return names.get(("concept", *key.split(":", 1)), key)


def _order(row: Mapping[str, Any]) -> tuple[int, str]:
    return row.get("order", 0), row["uid"]


def _moved(old: Sequence[str], new: Sequence[str]) -> set[str]:
    """The fewest rows that changed places: all but a longest run that kept its order."""
    places = {uid: place for place, uid in enumerate(old)}
    tails: list[int] = []
    chains: list[tuple[str, ...]] = []
    for uid in new:
        place = places[uid]
        at = bisect_left(tails, place)
        chain = (*(chains[at - 1] if at else ()), uid)
        tails[at : at + 1], chains[at : at + 1] = [place], [chain]
    return set(new) - set(chains[-1] if chains else ())


# -- study rows, of which there may be hundreds


def _study_rows(accessor: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """What changed in the rows of each selection, in a few sentences that name the first ones."""
    label = str(SelectedEffect._meta.verbose_name_plural)
    label = label[:1].upper() + label[1:]
    selections = {row["uid"]: row for content in (old, new) for row in content.get("selections", [])}
    before, after = (_by_selection(content.get(accessor, [])) for content in (old, new))
    for uid in [*after, *(uid for uid in before if uid not in after)]:
        selection = selections.get(uid, {})
        changes = tuple(_selected_changes(before.get(uid, {}), after.get(uid, {})))
        if changes:
            kind = ADDED if uid not in before else REMOVED if uid not in after else CHANGED
            yield Difference(
                accessor, label, kind, changes, uid, selection.get("label") or selection.get("context_key", "")
            )


def _by_selection(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Mapping[str, Any]]]:
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in sorted(rows, key=_order):
        found.setdefault(row["selection"], {})[row["uid"]] = row
    return found


def _selected_changes(old: Mapping[str, Mapping], new: Mapping[str, Mapping]) -> Iterator[Change]:
    stayed = [(old[uid], row) for uid, row in new.items() if uid in old]
    came = [row for uid, row in new.items() if uid not in old]
    out = [(was, row) for was, row in stayed if row.get("left_out")]
    groups = (
        ("added", _("Came in"), [_row_words(row) for row in came if not row.get("left_out")]),
        ("added_out", _("Came in, but does not count"), [_row_words(row) for row in came if row.get("left_out")]),
        ("removed", _("Taken out"), [_row_words(row) for uid, row in old.items() if uid not in new]),
        ("left_out", _("No longer counts"), [_row_words(row) for was, row in out if not was.get("left_out")]),
        ("counts", _("Counts again"),
         [_row_words(row) for was, row in stayed if was.get("left_out") and not row.get("left_out")]),
        ("reason", _("Left out for another reason"),
         [_row_words(row) for was, row in out if was.get("left_out") and was.get("reason") != row.get("reason")]),
        ("values", _("Other values"),
         [words for was, row in stayed if (words := _value_words(was["effect"], row["effect"]))]),
    )  # fmt: skip
    for name, label, rows in groups:
        if rows:
            counted = ngettext("%(count)s effect", "%(count)s effects", len(rows)) % {"count": len(rows)}
            more = " …" if len(rows) > MOST_ROWS else ""
            text = f"{counted}: {'; '.join(rows[:MOST_ROWS])}{more}"
            yield Change(name, label, old=text if name == "removed" else "", new="" if name == "removed" else text)


def _row_words(row: Mapping[str, Any]) -> str:
    """Study, outcome and comparison, with the reason of a row that is left out."""
    effect = row["effect"]
    name = ", ".join(filter(None, [effect["study"].get("label"), effect.get("outcome"), effect.get("contrast")]))
    return f"{name} ({row['reason']})" if row.get("left_out") and row.get("reason") else name


def _value_words(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What a row says otherwise: “Bos 2001: effect 0,3 → −0,3”; nothing when only its own number changed."""
    parts = []
    for before, after in ((old, new), (old["study"], new["study"])):
        for name in sorted({*before, *after} - {"row", "study", "key"}):
            if before.get(name) != after.get(name):
                label = _("characteristics") if name == "moderators" else _effect_label(name)
                parts.append(f"{label} {_figure(before.get(name))} → {_figure(after.get(name))}")
    return f"{_row_words({'effect': new})}: {', '.join(parts)}" if parts else ""


def _effect_label(name: str) -> str:
    for model in (EffectSize, EffectSize._meta.get_field("study").related_model):
        if any(field.name == name for field in model._meta.concrete_fields):
            return str(getattr(model._meta.get_field(name), "verbose_name", name))
    return name


def _figure(value: Any) -> str:
    if value in (None, "", {}):
        return "–"
    if isinstance(value, float):
        return number_format(Decimal(f"{value:.6g}")).replace("-", "−")
    return _listed(value)


# -- names


def _key(field: models.ForeignKey, value: Any) -> tuple[str, ...]:
    """The natural key in a content, with the kind of thing it is the key of."""
    kind = str(field.related_model._meta.model_name)
    return (kind, value) if isinstance(value, str) else (kind, *map(str, value))


def _names(contents: Iterable[Mapping[str, Any]], model: type[Version], accessors: Collection[str]) -> Names:
    """The names of every concept, source and text in the contents: a query for each kind there is."""
    wanted: set[tuple[str, ...]] = set()
    kinds = dict(children_of(model))
    for content in contents:
        wanted |= set(_references(content, _fields(model), ()))
        for accessor in accessors:
            child = kinds[accessor]
            for row in content.get(accessor, []):
                wanted |= set(_references(row, child._meta.concrete_fields, child.concept_keys))
    by_kind: dict[str, list[tuple[str, ...]]] = {}
    for kind, *key in wanted:
        by_kind.setdefault(kind, []).append(tuple(key))
    return {
        **_concept_names(by_kind.get("concept", [])),
        **_source_names([key for (key,) in by_kind.get("source", [])]),
        **_item_names(by_kind.get("item", [])),
    }


def _references(
    content: Mapping[str, Any], fields: Iterable[models.Field], concept_keys: Iterable[str]
) -> Iterator[tuple[str, ...]]:
    for field in fields:
        if isinstance(field, models.ForeignKey) and content.get(field.name):
            yield _key(field, content[field.name])
    for name in concept_keys:
        if ":" in (key := content.get(name, "")):
            yield ("concept", *key.split(":", 1))


def _concept_names(keys: Collection[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    if not keys:
        return {}
    found = Concept.objects.filter(scheme__in={key[0] for key in keys}, slug__in={key[1] for key in keys})
    return {("concept", concept.scheme, concept.slug): str(concept) for concept in found}


def _source_names(keys: Collection[str]) -> dict[tuple[str, ...], str]:
    found = Source.objects.filter(key__in=keys) if keys else ()
    return {("source", source.key): f"{source.short}: {source.title}" for source in found}


def _item_names(keys: Collection[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Texts by the title that readers last saw; one that was never public by its key."""
    if not keys:
        return {}
    slugs = {key[1] for key in keys}
    seen = Version.objects.filter(
        models.Q(item__key__in=slugs) | models.Q(item__key=None, item__slug__in=slugs), state__in=PUBLIC_ONCE
    ).order_by("number")
    rows = seen.values_list("item__kind", "item__key", "item__slug", "title")
    titles: dict[tuple[str, ...], str] = {("item", kind, key or slug): title for kind, key, slug, title in rows}
    return {("item", *key): titles.get(("item", *key), key[1]) for key in keys}
