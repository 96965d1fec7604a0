"""The words of the interface: found in code and templates, kept in locale/ without gettext tools (polib writes the files).

Found are calls of Django's gettext functions with a literal first argument, and what templates mark for translation.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polib
from django.utils.translation.template import templatize

CODE = ("leerpunt", "knowledgebase", "practices")
PLURAL_FORMS = "nplurals=2; plural=(n != 1);"
# Function -> which of its arguments are the context, the message and the plural.
CALLS: dict[str, tuple[int | None, int, int | None]] = {
    name: places
    for names, places in (
        (("_", "gettext", "gettext_lazy", "gettext_noop"), (None, 0, None)),
        (("ngettext", "ngettext_lazy"), (None, 0, 1)),
        (("pgettext", "pgettext_lazy"), (0, 1, None)),
        (("npgettext", "npgettext_lazy"), (0, 1, 2)),
    )
    for name in names
}
_MARKED = re.compile(
    r"\b(?P<call>_|n?p?gettext)\((?P<literals>\s*u?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")"
    r"(?:,\s*u?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"))*)"
)
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w*)\}")


class ConflictingPlurals(Exception):
    """One message with two different plurals: a catalogue cannot hold both."""


@dataclass
class Message:
    context: str | None
    text: str
    plural: str = ""
    files: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str | None, str]:
        return (self.context, self.text)


def in_python(source: str) -> Iterator[Message]:
    """Messages in Python code, in order."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
            texts = [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args]
            yield from _message(name, texts)


def in_template(source: str) -> Iterator[Message]:
    """Messages in a Django template, in order."""
    for found in _MARKED.finditer(templatize(source)):
        texts = ast.literal_eval(f"[{found['literals']}]")
        yield from _message(found["call"], texts)


def _message(call: str, texts: Sequence[object]) -> Iterator[Message]:
    if call not in CALLS:
        return
    context, message, plural = (None if place is None else texts[place : place + 1] for place in CALLS[call])
    if message and isinstance(message[0], str) and message[0]:
        yield Message(
            context=str(context[0]) if context else None, text=message[0], plural=str(plural[0]) if plural else ""
        )


def messages(root: Path) -> dict[tuple[str | None, str], Message]:
    """Every message of the project with the files that use it. Raises ConflictingPlurals."""
    found: dict[tuple[str | None, str], Message] = {}
    for path in sources(root):
        read = in_python if path.suffix == ".py" else in_template
        name = path.relative_to(root).as_posix()
        for message in read(path.read_text(encoding="utf-8")):
            known = found.setdefault(message.key, message)
            if message.plural and known.plural and message.plural != known.plural:
                raise ConflictingPlurals(
                    f"{name}: “{message.text}” has the plurals “{known.plural}”, “{message.plural}”."
                )
            known.plural = known.plural or message.plural
            if name not in known.files:
                known.files.append(name)
    return found


def sources(root: Path) -> list[Path]:
    code = [path for folder in CODE for path in (root / folder).rglob("*.py") if "migrations" not in path.parts]
    templates = [path for path in (root / "templates").rglob("*") if path.suffix in {".html", ".txt", ".xml"}]
    return sorted(code) + sorted(templates)


def updated(catalogue: polib.POFile, found: dict[tuple[str | None, str], Message], language: str) -> polib.POFile:
    """The catalogue with exactly these messages, translations kept; what is no longer used is marked obsolete."""
    fresh = polib.POFile(wrapwidth=100)
    fresh.metadata = {
        "Project-Id-Version": "leerpunt",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURAL_FORMS,
    }
    known: dict[tuple[str | None, str], polib.POEntry]
    known = {(entry.msgctxt, entry.msgid): entry for entry in catalogue}
    for message in found.values():
        entry = known.pop(message.key, None) or polib.POEntry(msgctxt=message.context, msgid=message.text)
        entry.obsolete = False
        entry.msgid_plural = message.plural
        if message.plural:
            entry.msgstr_plural = entry.msgstr_plural or {0: "", 1: ""}
            entry.msgstr = ""
        else:
            entry.msgstr = entry.msgstr or entry.msgstr_plural.get(0, "")
            entry.msgstr_plural = {}
        entry.occurrences = [(name, "") for name in message.files]
        fresh.append(entry)
    for entry in sorted(known.values(), key=lambda entry: entry.msgid):
        if entry.msgstr or any(entry.msgstr_plural.values()):
            entry.obsolete, entry.occurrences = True, []
            fresh.append(entry)
    return fresh


def problems(catalogue: polib.POFile, found: dict[tuple[str | None, str], Message]) -> list[str]:
    """What keeps a catalogue from being complete, as sentences."""
    known = {(entry.msgctxt, entry.msgid): entry for entry in catalogue if not entry.obsolete}
    said = [f"Not in the catalogue: “{text}”." for context, text in found if (context, text) not in known]
    said += [f"No longer used: “{text}”." for context, text in known if (context, text) not in found]
    for entry in known.values():
        translations = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        if "fuzzy" in entry.flags or not all(translations):
            said.append(f"Not translated: “{entry.msgid}”.")
            continue
        allowed = _placeholders(entry.msgid) | _placeholders(entry.msgid_plural)
        for text in translations:
            given = _placeholders(text)
            # A singular may leave out its number: "one study".
            if not (given <= allowed if entry.msgid_plural else given == allowed):
                said.append(f"Other placeholders than “{entry.msgid}”: “{text}”.")
    return said


def _placeholders(text: str) -> set[str]:
    return {match[0] for match in _PLACEHOLDER.finditer(text)}
