"""Texts as files: one Markdown file with front matter each, loaded as drafts.

The front matter names the item, what it is also searched as, its contexts, sources, ratings and verdicts; each section
of the body is opened by a level-1 heading with the name of the field it fills. Errors name the file and what is wrong
with it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from knowledgebase.editorial import transitions
from knowledgebase.models import (
    Concept,
    ConceptLink,
    EffectSize,
    Item,
    ItemLink,
    Scheme,
    SelectedEffect,
    Selection,
    Source,
    SourceLink,
    User,
    Version,
)
from knowledgebase.rendering import citations_in
from practices.models import EvidenceRating, ExternalVerdict

CONCEPT_KEYS = {
    "levels": Scheme.LEVEL,
    "subjects": Scheme.SUBJECT,
    "pupil_groups": Scheme.PUPIL_GROUP,
    "audiences": Scheme.AUDIENCE,
    "themes": Scheme.THEME,
    "outcomes": Scheme.OUTCOME,
    "resources": Scheme.RESOURCE,
}
FIELDS = ("title", "lead", "question", "answer", "checked_on", "searched_on")
KNOWN = {
    "kind",
    "key",
    "slug",
    "theme",
    "sources",
    "related",
    "summaries",
    "ratings",
    "verdicts",
    "selections",
    "also_searched_as",
    "is_demo",
    *FIELDS,
    *CONCEPT_KEYS,
}
_SECTION = re.compile(r"^# ([a-z_]+)[ \t]*$", re.MULTILINE)


class TextError(Exception):
    """A file that cannot be read as a text; the message names the file and what to mend."""


@dataclass(frozen=True)
class TextFile:
    path: Path
    front: dict[str, Any]
    sections: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> "TextFile":
        """Raises TextError when the file has no front matter or a section that its kind does not know."""
        parts = path.read_text(encoding="utf-8").split("---\n", 2)
        if len(parts) != 3 or parts[0].strip():
            raise TextError(f"{path.name}: begin with front matter between two lines of ---.")
        try:
            front = yaml.safe_load(parts[1])
        except yaml.YAMLError as error:
            raise TextError(f"{path.name}: the front matter is no YAML: {error}") from error
        if not isinstance(front, dict) or not {"kind", "key", "slug"} <= front.keys():
            raise TextError(f"{path.name}: the front matter gives at least kind, key and slug.")
        if unknown := front.keys() - KNOWN:
            raise TextError(f"{path.name}: unknown in the front matter: {', '.join(sorted(unknown))}.")
        searched = front.get("also_searched_as") or []
        if not isinstance(searched, list) or not all(isinstance(line, str) for line in searched):
            raise TextError(f"{path.name}: also_searched_as is a list of lines.")
        pieces = _SECTION.split(parts[2])
        if pieces[0].strip():
            raise TextError(f"{path.name}: text before the first section heading.")
        sections = dict(zip(pieces[1::2], (text.strip() for text in pieces[2::2]), strict=True))
        if len(sections) < len(pieces) // 2:
            raise TextError(f"{path.name}: a section stands there twice.")
        known = Version.model_for(front.get("kind", "")).markdown_fields if front.get("kind") in Item.Kind else None
        if known is None:
            raise TextError(f"{path.name}: kind is one of {', '.join(Item.Kind)}.")
        if unknown := set(sections) - set(known):
            raise TextError(f"{path.name}: unknown section {', '.join(sorted(unknown))}.")
        return cls(path, front, sections)

    def also_searched_as(self) -> str:
        """What readers type who look for this text, one a line."""
        return "\n".join(self.front.get("also_searched_as") or ())

    def missing_sources(self) -> set[str]:
        """Citations in the text that the front matter does not list."""
        cited = {key for text in self.sections.values() for key in citations_in(text)}
        return cited - set(self.front.get("sources") or ())


def read_folder(folder: Path) -> list[TextFile]:
    """Every text below a folder, in the order of their addresses."""
    return [TextFile.read(path) for path in sorted(folder.rglob("*.md"))]


@transaction.atomic
def load(files: Iterable[TextFile], *, by: User, is_demo: bool = False) -> list[Version]:
    """Make a draft of every file whose item does not exist yet; what exists is left alone.

    Items come first, so that texts may refer to each other. Returns the drafts. Raises TextError.
    """
    new: list[tuple[TextFile, Item]] = []
    items: dict[tuple[str, str], Item] = {}
    for file in files:
        kind, key = file.front["kind"], file.front["key"]
        item_key = key if kind == Item.Kind.PRACTICE else f"{kind}-{key}"
        try:
            own = {"kind": kind, "slug": file.front["slug"], "also_searched_as": file.also_searched_as()}
            item, created = Item.objects.get_or_create(key=item_key, defaults=own)
        except IntegrityError as error:
            raise TextError(f"{file.path.name}: another {kind} has the address {file.front['slug']}.") from error
        items[kind, key] = item
        if created:
            new.append((file, item))
    return [_draft(file, item, items, by=by, is_demo=is_demo) for file, item in new]


def _draft(file: TextFile, item: Item, items: dict[tuple[str, str], Item], *, by: User, is_demo: bool) -> Version:
    front = file.front
    if missing := file.missing_sources():
        raise TextError(f"{file.path.name}: not in sources: {', '.join(sorted(missing))}.")
    try:
        draft: Any = transitions.begin(item, by=by)
        for name in FIELDS:
            if front.get(name) is not None and hasattr(draft, name):
                setattr(draft, name, front[name])
        for name, text in file.sections.items():
            setattr(draft, name, text)
        if "theme" in front:
            draft.concept = Concept.objects.get(scheme=Scheme.THEME, slug=front["theme"])
        draft.is_demo = is_demo or front.get("is_demo") is True
        draft.full_clean()
        draft.save()
        _link(draft, front, items)
        for model, rows in ((EvidenceRating, front.get("ratings")), (ExternalVerdict, front.get("verdicts"))):
            for order, row in enumerate(rows or ()):
                child = model(version=draft, order=order, **_fields(dict(row)))
                child.full_clean()
                child.save()
        for order, row in enumerate(front.get("selections") or ()):
            _select(draft, dict(row), order)
        transitions.saved(draft, by=by)
    except (ValidationError, TypeError, KeyError, Concept.DoesNotExist, Source.DoesNotExist) as error:
        raise TextError(f"{file.path.name}: {error!r}") from error
    return cast("Version", draft)


def _link(draft: Version, front: dict[str, Any], items: dict[tuple[str, str], Item]) -> None:
    for key, scheme in CONCEPT_KEYS.items():
        for order, slug in enumerate(front.get(key) or ()):
            ConceptLink.objects.create(
                version=draft, order=order, concept=Concept.objects.get(scheme=scheme, slug=slug)
            )
    for order, key in enumerate(front.get("sources") or ()):
        SourceLink.objects.create(version=draft, order=order, source=Source.objects.get(key=key))
    for kind, name in ((Item.Kind.PRACTICE, "related"), (Item.Kind.SUMMARY, "summaries")):
        for order, key in enumerate(front.get(name) or ()):
            ItemLink.objects.create(version=draft, order=order, item=items[kind, key])


def _select(draft: Version, row: dict[str, Any], order: int) -> None:
    """A selection of every row of a synthesis, but for the studies that are left out with a reason."""
    synthesis, left_out = Source.objects.get(key=row["synthesis"]), row.pop("left_out", None) or {}
    fields = row | {"synthesis": synthesis, "context_key": row["context"]}
    selection = Selection(version=draft, order=order, **{key: fields[key] for key in fields if key != "context"})
    selection.full_clean()
    selection.save()
    effects = EffectSize.objects.current().filter(study__synthesis=synthesis).order_by("pk").select_related("study")
    if unknown := left_out.keys() - {effect.study.key for effect in effects}:
        raise KeyError(", ".join(sorted(unknown)))
    if not effects:
        raise KeyError(f"rows of {synthesis.key}")
    SelectedEffect.objects.bulk_create(
        SelectedEffect(
            version_id=draft.pk, selection=selection.uid, effect=effect, order=place,
            included=effect.study.key not in left_out, reason=left_out.get(effect.study.key, ""),
        )
        for place, effect in enumerate(effects)
    )  # fmt: skip


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    """A rating or a verdict of the front matter as fields of its model."""
    row["context_key"] = row.pop("context")
    if "interval" in row:
        row["ci_low"], row["ci_high"] = row.pop("interval")
    if "source" in row:
        row["source"] = Source.objects.get(key=row["source"])
    if "reason" in row:
        row["unknown_reason"] = row.pop("reason")
    return {name: value for name, value in row.items() if value is not None}
