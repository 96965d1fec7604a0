"""Texts as files, written and read without loss, in one fixed way of writing: Markdown with front matter.

A Document is what a file says of one text: the front matter, with every figure and word as the data holds it, and the
sections. The same document always gives the same bytes. docs/content-files.md tells editors about it.
"""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import yaml
from django.core.exceptions import ValidationError
from django.db import models

from knowledgebase.models import EffectSize, Item, Scheme, SelectedEffect, Selection, Source, Version, VersionChild
from knowledgebase.rendering import citations_in
from practices.models import EvidenceRating, ExternalVerdict

FOLDERS: dict[str, str] = {
    Item.Kind.PRACTICE: "praktijken",
    Item.Kind.SUMMARY: "samenvattingen",
    Item.Kind.THEME: "themas",
    Item.Kind.PAGE: "paginas",
}
TEXTS = ("title", "question", "answer", "lead", "licence", "change_type", "conclusion_changed", "change_note")
DATES = ("searched_on", "checked_on")
CONCEPT_KEYS: dict[str, Scheme] = {
    "levels": Scheme.LEVEL,
    "subjects": Scheme.SUBJECT,
    "pupil_groups": Scheme.PUPIL_GROUP,
    "audiences": Scheme.AUDIENCE,
    "themes": Scheme.THEME,
    "outcomes": Scheme.OUTCOME,
    "resources": Scheme.RESOURCE,
}
ITEM_LINKS: dict[str, str] = {"related": Item.Kind.PRACTICE, "summaries": Item.Kind.SUMMARY}
ORDER = (
    "kind", "key", "slug", "title", "theme", "question", "answer", "lead", "also_searched_as", *CONCEPT_KEYS,
    *ITEM_LINKS, *DATES, "sources", "licence", "is_demo", "change_type", "conclusion_changed", "change_note",
    "old_slugs", "selections", "ratings", "verdicts",
)  # fmt: skip
# Written even when they say nothing, so that an editor sees what can be filled in.
_FOR_ALL = {"kind", "key", "slug", "title", "sources", *DATES}
_FACETS = {"levels", "subjects", "pupil_groups", "audiences", "themes", "outcomes"}
ALWAYS: dict[str, set[str]] = {
    Item.Kind.PRACTICE: _FOR_ALL | _FACETS | {"lead", "resources", "related", "summaries", "ratings", "verdicts"},
    Item.Kind.SUMMARY: _FOR_ALL | _FACETS | {"question", "answer"},
    Item.Kind.THEME: _FOR_ALL | {"theme", "lead", "audiences"},
    Item.Kind.PAGE: _FOR_ALL | {"lead"},
}
CHANGE = frozenset({"change_type", "conclusion_changed", "change_note"})
# Of the item, not of a version: no draft holds them.
OF_ITEM = frozenset({"kind", "key", "slug", "also_searched_as", "old_slugs"})
_SECTION = re.compile(r"^# ([a-z_]+)[ \t]*$", re.MULTILINE)
_LIKE_A_SECTION = re.compile(r"^#( +)([a-z_]+[ \t]*)$", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?…]) (?=[A-Z‘“0-9])")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*|https?://[\w./?=&%~-]+")
WIDTH = 118


@dataclass(frozen=True)
class Rows:
    """A kind of rows in the front matter: its model, and the words of the file for fields of the model."""

    model: type[VersionChild]
    fields: tuple[str, ...]  # as files name them, in the order in which they are written
    words: Mapping[str, str] = field(default_factory=dict)  # word of the file -> field of the model
    named_by: tuple[str, ...] = ("context",)  # a text has one row of each

    def model_field(self, name: str) -> models.Field:
        return cast("models.Field", self.model._meta.get_field(self.words.get(name, name)))

    def word(self, model_field: str) -> str:
        """What files call a field of the model."""
        if model_field in ("ci_low", "ci_high"):
            return "interval"
        return next((word for word, name in self.words.items() if name == model_field), model_field)


ROWS: dict[str, Rows] = {
    "selections": Rows(
        Selection,
        ("context", "label", "synthesis", "measure", "model", "test", "method", "rho", "months", "caveats",
         "moderators", "left_out"),
        {"context": "context_key"},
    ),
    "ratings": Rows(
        EvidenceRating,
        ("context", "label", "basis", "source", "metric", "effect", "interval", "studies", "pupils", "pupils_at_least",
         "note", "reason", "strength", "strength_reason", "cost", "cost_euro", "cost_year", "cost_reason",
         "cost_assumptions", "conversion", "strength_scale"),
        {"context": "context_key", "reason": "unknown_reason"},
    ),
    "verdicts": Rows(
        ExternalVerdict,
        ("issuer", "context", "label", "months", "strength", "cost", "studies", "statement", "edition", "url",
         "seen_on", "confidence", "previous"),
        {"context": "context_key"},
        ("issuer", "context"),
    ),
}  # fmt: skip
# What a rating takes from its study rows is computed again, so it stands in no file.
COMPUTED = frozenset({
    "source", "metric", "effect", "interval", "studies", "pupils", "pupils_at_least", "strength", "strength_scale",
})  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """Something in a file that has to be mended, and where."""

    file: str
    message: str
    line: int = 1
    name: str = ""

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}{', ' if self.name else ''}{self.name}: {self.message}"


class NoDocument(Exception):
    """A file or a version that cannot be a document; `problems` say what to mend."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(" ".join(map(str, problems)))
        self.problems = list(problems)


@dataclass(frozen=True)
class Document:
    """What a file says of one text. `front` holds plain values: text, numbers, dates, lists and rows."""

    front: dict[str, Any]
    sections: dict[str, str]
    path: Path = Path()
    lines: dict[tuple[Any, ...], int] = field(default_factory=dict, compare=False)  # ("ratings", 0, "effect") -> line

    @property
    def kind(self) -> str:
        return str(self.front["kind"])

    @property
    def item_key(self) -> str:
        """The key of its item: a practice has its own, the others begin with their kind."""
        key = str(self.front["key"])
        return key if self.kind == Item.Kind.PRACTICE else f"{self.kind}-{key}"

    def says(self) -> dict[str, Any]:
        """What a version holds of it, to compare two: without what belongs to the item, and without the change note."""
        front = {name: value for name, value in self.front.items() if name not in OF_ITEM | CHANGE}
        filled = {name: value for name, value in front.items() if value not in (None, "", [], False)}
        return filled | {"sections": {name: text for name, text in self.sections.items() if text}}

    def line(self, *place: Any) -> int:
        """The line of a place in the file, or of the nearest place around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def problem(self, message: str, *place: Any) -> Problem:
        name = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in place)
        return Problem(self.path.name, message, self.line(*place), name)


# -- from the database ----------------------------------------------------------------------------


def file_key(item: Item) -> str:
    """The key of an item as files write it."""
    key = item.key or item.slug
    return key if item.kind == Item.Kind.PRACTICE else key.removeprefix(f"{item.kind}-")


def path_of(item: Item) -> Path:
    """Where the file of an item stands below the folder of the texts."""
    return Path(FOLDERS[item.kind], f"{file_key(item)}.md")


def document_of(version: Any) -> Document:
    """What a version (as the model of its kind) says. Raises NoDocument for what a file cannot hold."""
    item = version.item
    front: dict[str, Any] = {"kind": item.kind, "key": file_key(item), "slug": item.slug}
    for name in (*TEXTS, *DATES):
        if hasattr(version, name):
            value = getattr(version, name)
            front[name] = value.replace("\r\n", "\n").replace("\r", "\n").strip() if isinstance(value, str) else value
    if front["licence"] == Version._meta.get_field("licence").default:
        front["licence"] = ""
    front["is_demo"] = version.is_demo
    front["also_searched_as"] = [line.strip() for line in item.also_searched_as.splitlines() if line.strip()]
    front["old_slugs"] = sorted(item.redirects.values_list("slug", flat=True))
    if hasattr(version, "concept"):
        front["theme"] = version.concept.slug
    links = list(version.concept_links.select_related("concept"))
    for name, scheme in CONCEPT_KEYS.items():
        front[name] = [link.concept.slug for link in links if link.concept.scheme == scheme]
    front["sources"] = [link.source.key for link in version.source_links.select_related("source")]
    others = [link.item for link in version.item_links.select_related("item")]
    for name, kind in ITEM_LINKS.items():
        front[name] = [file_key(other) for other in others if other.kind == kind]
    problems = [
        Problem(path_of(item).name, f"the file form has no word for a link to the {other.kind} “{other.slug}”.")
        for other in others
        if other.kind not in ITEM_LINKS.values()
    ]
    front["selections"] = [_selection_row(version, row, problems) for row in version.selections.all()]
    for name in ("ratings", "verdicts"):
        if hasattr(version, name):
            front[name] = [row_of(name, child) for child in getattr(version, name).all()]
    if problems:
        raise NoDocument(*problems)
    sections = {name: _plain(getattr(version, name)) for name in version.markdown_fields}
    return Document(
        {name: front[name] for name in ORDER if name in front},
        {name: text for name, text in sections.items() if text},
        path_of(item),
    )


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def row_of(kind: str, child: Any) -> dict[str, Any]:
    """A row of a version as a file writes it: what is empty or usual is left out."""
    rows, written = ROWS[kind], {}
    for name in rows.fields:
        if name == "left_out" or (kind == "ratings" and child.is_computed and name in COMPUTED):
            continue
        if name == "interval":
            if child.ci_low is not None and child.ci_high is not None:
                written[name] = [_value(child.ci_low), _value(child.ci_high)]
            continue
        model_field = rows.model_field(name)
        value = getattr(child, model_field.name)
        usual = model_field.default if model_field.has_default() and not callable(model_field.default) else None
        if name == "context" or (value not in (None, "", [], {}) and value != usual):
            written[name] = _value(value)
    return written


def _selection_row(version: Version, selection: Selection, problems: list[Problem]) -> dict[str, Any]:
    """A selection of all rows of a synthesis but for whole studies; other selections fit in no file."""
    row = row_of("selections", selection)
    chosen = list(selection.rows())
    ours = {link.effect_id for link in chosen}
    theirs = EffectSize.objects.current().filter(study__synthesis=selection.synthesis_id)
    left_out: dict[str, set[str]] = {}
    for link in chosen:
        left_out.setdefault(link.effect.study.key, set()).add("" if link.included else link.reason)
    mixed = [key for key, reasons in left_out.items() if len(reasons) > 1]
    if mixed or ours != set(theirs.values_list("pk", flat=True)) or selection.synthesis_id is None:
        message = "its study rows are chosen one by one, which the file form cannot say."
        problems.append(Problem(path_of(version.item).name, message, name=f"selections {selection.context_key}"))
    reasons = {key: reason for key, found in sorted(left_out.items()) if (reason := next(iter(found)))}
    return row | ({"left_out": reasons} if reasons else {})


def _value(value: Any) -> Any:
    """A value as a file holds it: figures as the text of a number with at least two decimals."""
    if isinstance(value, Source):
        return value.key
    if isinstance(value, Decimal):
        whole, _point, decimals = f"{value:f}".partition(".")
        return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
    if isinstance(value, str):
        return _plain(value)
    return str(value) if isinstance(value, models.Model) else value


# -- writing --------------------------------------------------------------------------------------


def written(document: Document) -> str:
    """The file of a document, always the same for the same document."""
    lines = ["---"]
    always = ALWAYS[document.kind]
    for name in ORDER:
        value = document.front.get(name)
        if value in (None, "", [], False) and name not in always:
            continue
        lines += _entry(name, value)
    lines.append("---")
    body = [f"# {name}\n\n{_guarded(text)}\n" for name, text in document.sections.items()]
    return "\n".join(lines) + "\n" + "\n".join(body)


def _guarded(text: str) -> str:
    """A heading in the text that looks like the name of a section gets a blank more, which reading takes off."""
    return _LIKE_A_SECTION.sub(r"# \1\2", text)


def _unguarded(text: str) -> str:
    return _LIKE_A_SECTION.sub(lambda match: f"#{match[1][1:]}{match[2]}" if len(match[1]) > 1 else match[0], text)


def _entry(name: str, value: Any) -> list[str]:
    if name == "lead":
        return _folded(name, value or "")
    if name == "also_searched_as":
        return [f"{name}:", *(f"  - {scalar(line)}" for line in value)]
    if name in ROWS and value:
        return [f"{name}:", *(line for row in value for line in _row(row))]
    return [f"{name}: {scalar(value) if isinstance(value, str) else _flow(value)}"]


def _folded(name: str, text: str) -> list[str]:
    """A paragraph with each sentence on a line of its own, which a reader of YAML joins again."""
    sentences = _SENTENCE_END.split(text)
    wrapped = (textwrap.wrap(one, WIDTH, break_long_words=False, break_on_hyphens=False) for one in sentences)
    lines = [line for sentence in wrapped for line in sentence]
    entry = [f"{name}: >-", *(f"  {line}" for line in lines)]
    return entry if text and _reads_as("\n".join(entry), {name: text}) else [f"{name}: {scalar(text)}"]


def _row(row: dict[str, Any]) -> Iterator[str]:
    for place, (name, value) in enumerate(row.items()):
        start = "  - " if place == 0 else "    "
        if name == "previous" and isinstance(value, list) and all(isinstance(part, dict) for part in value):
            yield f"{start}{name}:"
            yield from (f"      - {_flow(_in_order(part))}" for part in value)
        elif name == "left_out":
            yield f"{start}{name}:"
            yield from (f"      {_word(key)}: {_quoted(words)}" for key, words in value.items())
        else:
            yield f"{start}{name}: {_flow(value)}"


def _in_order(edition: dict[str, Any]) -> dict[str, Any]:
    """An earlier edition as it is always written: PostgreSQL keeps no order of names."""
    first = [name for name in ("edition", "months", "strength", "cost") if name in edition]
    return {name: edition[name] for name in [*first, *sorted(edition.keys() - set(first))]}


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_word(str(key))}: {_flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _word(value) if isinstance(value, str) else str(value)


def scalar(text: str) -> str:
    """Text of a line of its own: as it is where YAML reads it back as that text, else between double quotes."""
    is_plain = bool(text) and len(text.splitlines()) == 1 and _reads_as(f"- {text}", [text])
    return text if is_plain else _quoted(text)


def _word(text: str) -> str:
    """Text inside a row or a list: a name or an address as it is, anything else between double quotes."""
    return text if _WORD.fullmatch(text) and _reads_as(f"[{text}]", [text]) else _quoted(text)


def _quoted(text: str) -> str:
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
    if _reads_as(f"- {quoted}", [text]) and len(quoted.splitlines()) == 1:
        return quoted
    return yaml.dump(text, default_style='"', width=float("inf")).strip()  # signs that YAML reads as line ends


def _reads_as(text: str, value: Any) -> bool:
    try:
        return bool(_load(text) == value)
    except yaml.YAMLError:
        return False


def _load(text: str) -> Any:
    return yaml.load(text, Loader=_LOADER)  # noqa: S506  # safe, both of them


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


# -- reading --------------------------------------------------------------------------------------


def files_in(folder: Path) -> list[Path]:
    """Every file of a text below a folder, in the order of their addresses."""
    return sorted(folder.rglob("*.md"))


def read(path: Path) -> Document:
    """The document in a file. Raises NoDocument with everything that is wrong with its form."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NoDocument(Problem(path.name, f"this is no text in UTF-8: {error}")) from error
    parts = re.match(r"---[ \t]*\n(.*?)^---[ \t]*\n(.*)\Z", f"{text}\n", re.DOTALL | re.MULTILINE)
    if parts is None:
        raise NoDocument(Problem(path.name, "begin with front matter between two lines of ---."))
    try:
        front = _load(parts[1])
        lines = _lines(parts[1])
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 2
        message = getattr(error, "problem", None) or str(error)
        raise NoDocument(Problem(path.name, f"the front matter is no YAML: {message}", line)) from error
    except ValueError as error:  # a date like 2026-02-31
        raise NoDocument(Problem(path.name, f"the front matter holds what cannot be: {error}", 2)) from error
    if not isinstance(front, dict):
        raise NoDocument(Problem(path.name, "the front matter is a list of names and values.", 2))
    document = Document(front, {}, path, lines)
    problems = list(_check_front(document))
    if front.get("kind") in FOLDERS:
        first = parts.string.count("\n", 0, parts.start(2)) + 1
        problems += _read_sections(document, parts[2], first)
    if problems:
        raise NoDocument(*problems)
    return document


def _lines(text: str) -> dict[tuple[Any, ...], int]:
    """Where every name and row of the front matter stands, counted from the first line of the file."""
    found: dict[tuple[Any, ...], int] = {}

    def walk(node: Any, place: tuple[Any, ...]) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                found[(*place, str(key.value))] = key.start_mark.line + 2
                walk(value, (*place, str(key.value)))
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                found[(*place, number)] = value.start_mark.line + 2
                walk(value, (*place, number))

    walk(yaml.compose(text, Loader=_LOADER), ())
    return found


def _check_front(document: Document) -> Iterator[Problem]:
    front = document.front
    for name in ("kind", "key", "slug", "title"):
        if not isinstance(front.get(name), str) or not front[name].strip():
            yield document.problem("is missing: give it a text.", name)
    if "kind" in front and front["kind"] not in FOLDERS:
        yield document.problem(f"is one of {', '.join(FOLDERS)}.", "kind")
    for name, value in front.items():
        if name not in ORDER:
            yield document.problem("no such name: look for a typing error.", name)
        elif name in ROWS:
            yield from _check_rows(document, name, value)
        elif name in CONCEPT_KEYS or name in {*ITEM_LINKS, "sources", "also_searched_as", "old_slugs"}:
            yield from _check_list(document, name, value)
        elif name in DATES:
            if value is not None and type(value) is not date:
                yield document.problem("is a date like 2026-11-22, or null.", name)
        elif name == "is_demo":
            if not isinstance(value, bool):
                yield document.problem("is true or false.", name)
        elif value is not None and not isinstance(value, str):
            yield document.problem("is text: put it between quotes.", name)


def _check_list(document: Document, name: str, value: Any) -> Iterator[Problem]:
    if not isinstance(value, list | None):
        yield document.problem("is a list, as in [een, twee].", name)
        return
    seen: set[Any] = set()
    for number, part in enumerate(value or ()):
        if not isinstance(part, str) or not part.strip():
            yield document.problem("is text: put it between quotes.", name, number)
        elif part in seen:
            yield document.problem(f"“{part}” stands there twice.", name, number)
        else:
            seen.add(part)


def _check_rows(document: Document, name: str, value: Any) -> Iterator[Problem]:
    if not isinstance(value, list | None):
        yield document.problem("is a list of rows.", name)
        return
    seen: set[tuple[Any, ...]] = set()
    for number, row in enumerate(value or ()):
        if not isinstance(row, dict):
            yield document.problem("a row has names and values.", name, number)
            continue
        for part in row:
            if part not in ROWS[name].fields:
                yield document.problem("no such name: look for a typing error.", name, number, part)
        if "context" not in row:
            yield document.problem("context is missing.", name, number)
        identity = tuple(str(row.get(part)) for part in ROWS[name].named_by)
        if identity in seen:
            yield document.problem(f"“{' '.join(identity)}” stands there twice.", name, number)
        seen.add(identity)


def _read_sections(document: Document, body: str, first: int) -> Iterator[Problem]:
    known = Version.model_for(document.kind).markdown_fields
    starts = list(_SECTION.finditer(body))
    before = body[: starts[0].start()] if starts else body
    if before.strip():
        yield Problem(document.path.name, "text before the first section: open it with # and its name.", first)
    for place, start in enumerate(starts):
        name, line = start[1], first + body.count("\n", 0, start.start())
        end = starts[place + 1].start() if place + 1 < len(starts) else len(body)
        document.lines[(name,)] = line
        if name not in known:
            yield Problem(document.path.name, f"no such section; they are {', '.join(known)}.", line, name)
        elif name in document.sections:
            yield Problem(document.path.name, "this section stands there twice.", line, name)
        else:
            document.sections[name] = _unguarded(body[start.end() : end].strip())


def rows_in(document: Document, kind: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a kind, each with its place."""
    yield from enumerate(document.front.get(kind) or ())


def values_of(document: Document, kind: str, number: int, row: dict[str, Any], sources: Mapping[str, Source]) -> Any:
    """The fields of the model for a row of a file. Raises NoDocument."""
    rows, problems = ROWS[kind], []
    values: dict[str, Any] = {}
    for name, value in row.items():
        place = (kind, number, name)
        if name == "interval":
            if not isinstance(value, list) or len(value) != 2:
                problems.append(document.problem('is two numbers, as in ["0.35", "0.61"].', *place))
            else:
                values["ci_low"], values["ci_high"] = map(str, value)
        elif name == "left_out":
            if not isinstance(value, dict) or not all(isinstance(reason, str) and reason for reason in value.values()):
                problems.append(document.problem("gives each study that is left out a reason.", *place))
        elif isinstance(rows.model_field(name), models.ForeignKey):
            if value not in sources:
                problems.append(document.problem(f"there is no source “{value}”.", *place))
            else:
                values[name] = sources[value]
        elif value is not None:
            values[rows.model_field(name).name] = str(value) if isinstance(value, float) else value
    if problems:
        raise NoDocument(*problems)
    return values


def row_problems(document: Document, kind: str, number: int, error: ValidationError) -> Iterator[Problem]:
    """What is wrong with a row, each with the line of its field."""
    for name, messages in messages_of(error).items():
        word = ROWS[kind].word(name) if name else ""
        for message in messages:
            yield document.problem(message, kind, number, *((word,) if word else ()))


def messages_of(error: ValidationError) -> dict[str, list[str]]:
    """Field -> messages; those of no field under the empty name."""
    if hasattr(error, "error_dict"):
        return {name.replace("__all__", ""): messages for name, messages in error.message_dict.items()}
    return {"": error.messages}


def missing_sources(document: Document) -> Iterator[Problem]:
    """Citations in the sections of sources that the front matter does not list."""
    listed = set(document.front.get("sources") or ())
    for name, text in document.sections.items():
        for key in dict.fromkeys(citations_in(text)):
            if key not in listed:
                yield document.problem(f"[@{key}] is cited but does not stand in sources.", name)


def normal(document: Document, instance: Callable[[str, int], Any]) -> Document:
    """The same document with the values of rows as the data holds them: figures rounded, what is usual left out."""
    front = dict(document.front)
    for kind in ROWS:
        if kind in front:
            rows = []
            for number, row in rows_in(document, kind):
                written_row = row_of(kind, instance(kind, number))
                left_out = row.get("left_out")
                rows.append(written_row | ({"left_out": dict(sorted(left_out.items()))} if left_out else {}))
            front[kind] = rows
    for name in TEXTS:
        if isinstance(front.get(name), str):
            front[name] = _plain(front[name])
    if front.get("licence") == Version._meta.get_field("licence").default:
        front["licence"] = ""
    front["old_slugs"] = sorted(front.get("old_slugs") or ())
    return Document(front, document.sections, document.path, document.lines)


def selected(selection: Selection, left_out: Mapping[str, str]) -> Iterable[SelectedEffect]:
    """The rows of a selection of all rows of its synthesis; whole studies may be left out, with a reason."""
    effects = EffectSize.objects.current().filter(study__synthesis=selection.synthesis_id).order_by("pk")
    return [
        SelectedEffect(
            version_id=selection.version_id, selection=selection.uid, effect=effect, order=place,
            included=effect.study.key not in left_out, reason=left_out.get(effect.study.key, ""),
        )
        for place, effect in enumerate(effects.select_related("study"))
    ]  # fmt: skip
