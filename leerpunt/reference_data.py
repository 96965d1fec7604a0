"""Vocabularies and sources as files: YAML as Django's loaddata reads it, loaded a table at a time.

A row may also give all names of one concept at once: `{pref: peer tutoring, alt: {tutorleren, maatjeswerk: 80}}` is a
search term with its labels and their weights, `scheme` says that it is something else, and `{of: [begrip, feedback],
narrower: {tips en tops}}` gives names to a concept that is already there.

A file is the truth for the rows it names: new ones are made, others become as the file says, and rows that it does not
name are left alone. Where all is as the file says, nothing is written and no page changes.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.text import slugify

from knowledgebase import search
from knowledgebase.models import Concept, ConceptLabel, Scheme, SiteState, Source

MODELS: dict[str, type[models.Model]] = {model._meta.label_lower: model for model in (Concept, ConceptLabel, Source)}
WEIGHTS: dict[str, int] = {  # of a name that comes without a weight, by its relation
    ConceptLabel.Relation.PREFERRED: 100,
    ConceptLabel.Relation.ALTERNATIVE: 90,
    ConceptLabel.Relation.ABBREVIATION: 90,
    ConceptLabel.Relation.NARROWER: 80,
    ConceptLabel.Relation.HIDDEN: 60,
    ConceptLabel.Relation.RELATED: 50,
    ConceptLabel.Relation.WHOLE: 100,
}
Rows = Sequence[tuple[str, dict[str, Any]]]  # where it stands, its fields
Key = tuple[Any, ...]
Kept = TypeVar("Kept", bound=models.Model)


class ReferenceDataError(Exception):
    """A file that cannot be loaded; the message names the row and what is wrong with it."""


def load(*paths: Path, only_new: bool = False) -> int:
    """Load all files or nothing; returns how many rows were made or changed.

    With `only_new` what is there stays as it is, the names of a concept included.
    """
    rows: dict[type[models.Model], list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for path in paths:
        for where, model, fields in _read(path):
            rows[model].append((where, fields))
    if only_new:
        rows = _not_there(rows)
    try:
        with transaction.atomic():
            written = _load_concepts(rows[Concept]) + _load_labels(rows[ConceptLabel]) + _load_sources(rows[Source])
            if written:
                SiteState.touch()
                for kind in ("term", "source"):
                    search.index_kind(kind)
    except IntegrityError as error:
        raise ReferenceDataError(f"The database refuses a row: {error}") from error
    return written


def _not_there(
    rows: dict[type[models.Model], list[tuple[str, dict[str, Any]]]],
) -> dict[type[models.Model], list[tuple[str, dict[str, Any]]]]:
    """The rows of concepts and sources that are new, with the names of those concepts."""
    concepts = {concept.natural_key() for concept in Concept.objects.all()}
    sources = set(Source.objects.values_list("key", flat=True))

    def is_new(model: type[models.Model], fields: dict[str, Any]) -> bool:
        if model is Source:
            return fields.get("key") not in sources
        key = fields.get("concept") if model is ConceptLabel else [fields.get("scheme"), fields.get("slug")]
        return not isinstance(key, list) or tuple(key) not in concepts

    return {model: [row for row in rows[model] if is_new(model, row[1])] for model in (Concept, ConceptLabel, Source)}


def load_folder(folder: Path) -> int:
    """Load every file of a folder; returns how many rows were made or changed."""
    return load(*sorted(folder.glob("*.yaml")))


def read_yaml(path: Path) -> Any:
    """What a file of YAML holds. Raises ReferenceDataError."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506  # safe, both of them
    except yaml.YAMLError as error:
        raise ReferenceDataError(f"{path.name} is no YAML: {error}") from error


def _read(path: Path) -> Iterable[tuple[str, type[models.Model], dict[str, Any]]]:
    entries = read_yaml(path)
    if not isinstance(entries, list):
        raise ReferenceDataError(f"{path.name} is no list of rows.")
    for number, entry in enumerate(entries, start=1):
        where = f"{path.name}, row {number}"
        if isinstance(entry, dict) and entry.keys() & {"pref", "of"}:
            yield from _names(where, entry)
            continue
        if not isinstance(entry, dict) or entry.keys() != {"model", "fields"} or not isinstance(entry["fields"], dict):
            raise ReferenceDataError(f"{where}: a row has a model and fields, nothing else.")
        if entry["model"] not in MODELS:
            raise ReferenceDataError(f"{where}: the model is one of {', '.join(MODELS)}.")
        yield where, MODELS[entry["model"]], entry["fields"]


def _names(where: str, entry: dict[str, Any]) -> Iterable[tuple[str, type[models.Model], dict[str, Any]]]:
    """The concept and the labels that a row of names stands for."""
    if "pref" in entry:
        preferred, known = str(entry["pref"]), {"pref", "scheme"}
        key = [entry.get("scheme", Scheme.SEARCH), slugify(preferred)[:80]]
        yield where, Concept, {"scheme": key[0], "slug": key[1]}
        yield where, ConceptLabel, _name(key, ConceptLabel.Relation.PREFERRED, preferred)
    else:
        key, known = entry["of"], {"of"}
    for relation, names in entry.items():
        if relation in known:
            continue
        if relation not in WEIGHTS or not isinstance(names, dict):
            raise ReferenceDataError(f"{where}: names stand as {{name: weight}} under {', '.join(WEIGHTS)}.")
        for label, weight in names.items():
            yield where, ConceptLabel, _name(key, relation, str(label), weight)


def _name(key: Any, relation: str, label: str, weight: int | None = None) -> dict[str, Any]:
    return {
        "concept": key,
        "label": label,
        "relation": relation,
        "weight": WEIGHTS[relation] if weight is None else weight,
    }


def _load_concepts(rows: Rows) -> int:
    stored: dict[Key, Concept] = {concept.natural_key(): concept for concept in Concept.objects.all()}
    named: dict[Key, Concept] = {}
    for where, fields in rows:
        concept = _build(where, Concept, {name: value for name, value in fields.items() if name != "broader"})
        _put(where, named, concept.natural_key(), concept)
    new = _new(named, stored)
    for (where, fields), concept in zip(rows, named.values(), strict=True):
        if fields.get("broader") is not None:
            concept.broader = _find(where, {**stored, **named}, fields["broader"])
    waiting = new
    while waiting:  # a generation at a time: a concept needs the number of its broader one
        ready = [concept for concept in waiting if concept.broader is None or concept.broader.pk]
        if not ready:
            raise ReferenceDataError(f"Broader than themselves: {', '.join(concept.slug for concept in waiting)}.")
        Concept.objects.bulk_create(ready)
        waiting = [concept for concept in waiting if concept._state.adding]
    for (where, _fields), concept in zip(rows, named.values(), strict=True):
        concept.broader = concept.broader  # takes over the number that the other was given
        try:
            concept.clean()
        except ValidationError as error:
            raise ReferenceDataError(f"{where}: {_sentence(error)}") from error
    changed = _changed(named, stored)
    _update(Concept, changed)
    return len(new) + len(changed)


def _load_labels(rows: Rows) -> int:
    concepts = {concept.natural_key(): concept for concept in Concept.objects.all()}
    stored: dict[Key, ConceptLabel] = {_label_key(label): label for label in ConceptLabel.objects.all()}
    named: dict[Key, ConceptLabel] = {}
    for where, fields in rows:
        label = _build(where, ConceptLabel, {name: value for name, value in fields.items() if name != "concept"})
        label.concept = _find(where, concepts, fields.get("concept"))
        _put(where, named, _label_key(label), label)
    new, changed = _new(named, stored), _changed(named, stored)
    # One preferred label a concept, at every moment: who steps down goes first, a new one comes last.
    preferred = ConceptLabel.Relation.PREFERRED
    _update(ConceptLabel, [label for label in changed if label.relation != preferred])
    _update(ConceptLabel, [label for label in changed if label.relation == preferred])
    ConceptLabel.objects.bulk_create(new)
    return len(new) + len(changed)


def _label_key(label: ConceptLabel) -> Key:
    return (label.concept_id, label.language, label.label)


def _load_sources(rows: Rows) -> int:
    stored: dict[Key, Source] = {source.natural_key(): source for source in Source.objects.all()}
    named: dict[Key, Source] = {}
    for where, fields in rows:
        source = _build(where, Source, fields)
        _put(where, named, source.natural_key(), source)
    new, changed = _new(named, stored), _changed(named, stored)
    _update(Source, changed)
    Source.objects.bulk_create(new)
    return len(new) + len(changed)


def _build(where: str, model: type[Kept], fields: dict[str, Any]) -> Kept:
    """An unsaved row, each field in the form and within the limits of the model; references come later."""
    own = {field.name: field for field in model._meta.concrete_fields if not (field.is_relation or field.primary_key)}
    if unknown := fields.keys() - own.keys():
        raise ReferenceDataError(f"{where}: unknown fields {', '.join(sorted(unknown))}.")
    row = model()
    try:
        for name, value in fields.items():
            setattr(row, name, own[name].to_python(value))
        row.clean_fields(exclude={field.name for field in model._meta.concrete_fields} - own.keys())
    except ValidationError as error:
        raise ReferenceDataError(f"{where}: {_sentence(error)}") from error
    return row


def _put(where: str, named: dict[Key, Kept], key: Key, row: Kept) -> None:
    if key in named:
        raise ReferenceDataError(f"{where}: stands there twice.")
    named[key] = row


def _find(where: str, concepts: dict[Key, Concept], key: Any) -> Concept:
    if not isinstance(key, list) or tuple(key) not in concepts:
        raise ReferenceDataError(f"{where}: there is no concept {key}.")
    return concepts[tuple(key)]


def _columns(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if not field.primary_key]


def _new(named: dict[Key, Kept], stored: dict[Key, Kept]) -> list[Kept]:
    """The rows that are not there yet; the others are given their number."""
    for key in named.keys() & stored.keys():
        named[key].pk = stored[key].pk
    return [row for key, row in named.items() if key not in stored]


def _changed(named: dict[Key, Kept], stored: dict[Key, Kept]) -> list[Kept]:
    """The rows that are there and differ from the file."""
    return [
        row
        for key, row in named.items()
        if key in stored and any(getattr(row, name) != getattr(stored[key], name) for name in _columns(type(row)))
    ]


def _update(model: type[Kept], rows: list[Kept]) -> None:
    model._base_manager.bulk_update(rows, _columns(model))


def _sentence(error: ValidationError) -> str:
    if hasattr(error, "error_dict"):
        return " ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
    return " ".join(error.messages)
