"""What texts refer to, as YAML: concepts with their names, sources, and study rows with their effects.

Written in the form that leerpunt.reference_data loads. Taking in only adds: these rows are live, so a file never changes
one that is there. What differs is changed in the admin.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.db import transaction

from knowledgebase.editorial import audit
from knowledgebase.editorial.permissions import check_writes, role_of
from knowledgebase.models import Concept, ConceptLabel, EffectSize, Scheme, Source, Study, User
from leerpunt.reference_data import ReferenceDataError, load, read_yaml

CONCEPTS, SOURCES, STUDIES = "concepts.yaml", "sources.yaml", "studies.yaml"
LINKS = {"level": Scheme.LEVEL, "subject": Scheme.SUBJECT}
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def files() -> Iterator[tuple[str, str]]:
    """Name and text of every file; the same rows always give the same text."""
    yield CONCEPTS, _written([*_concepts(), *_labels()])
    yield SOURCES, _written([_row(source) for source in Source.objects.order_by("key")])
    effects = EffectSize.objects.current().with_study().order_by("pk")
    studies = Study.objects.current().select_related("synthesis", "source", *LINKS).order_by("key")
    if rows := [study.content() for study in studies]:
        yield STUDIES, _written({"studies": rows, "effects": [_effect_row(effect) for effect in effects]})


def _written(rows: Any) -> str:
    return str(yaml.dump(rows, Dumper=_DUMPER, allow_unicode=True, sort_keys=False, width=1_000_000))


def _concepts() -> Iterator[dict[str, Any]]:
    for concept in Concept.objects.select_related("broader").order_by("scheme", "order", "slug"):
        row = _row(concept)
        row["fields"]["broader"] = list(concept.broader.natural_key()) if concept.broader else None
        yield row


def _labels() -> Iterator[dict[str, Any]]:
    labels = ConceptLabel.objects.select_related("concept")
    for label in labels.order_by("concept__scheme", "concept__order", "concept__slug", "language", "relation", "label"):
        row = _row(label)
        yield {"model": row["model"], "fields": {"concept": list(label.concept.natural_key()), **row["fields"]}}


def _row(instance: Any) -> dict[str, Any]:
    """The fields of a row that are its own."""
    own = [f for f in instance._meta.concrete_fields if not (f.is_relation or f.primary_key)]
    return {"model": instance._meta.label_lower, "fields": {f.name: getattr(instance, f.name) for f in own}}


def _effect_row(effect: EffectSize) -> dict[str, Any]:
    return effect.content() | {"study": effect.study.key}


def take_in(folder: Path, *, by: User) -> dict[str, int]:
    """Add what the files of a folder name and what is not there yet; how many of each. Raises ReferenceDataError."""
    check_writes(by)
    paths = [path for name in (CONCEPTS, SOURCES) if (path := folder / name).is_file()]
    with transaction.atomic():
        added = {"concepts, names and sources": load(*paths, only_new=True) if paths else 0}
        if (path := folder / STUDIES).is_file():
            added["study rows"] = _take_in_studies(path, by=by)
        if any(added.values()):
            audit.record("import_reference_data", by=by, role=role_of(by), data=added)
    return added


def _take_in_studies(path: Path, *, by: User) -> int:
    whole = read_yaml(path)
    if not isinstance(whole, dict) or whole.keys() != {"studies", "effects"}:
        raise ReferenceDataError(f"{path.name} has studies and effects, nothing else.")
    known = {study.key: study for study in Study.objects.all()}
    there = {str(uid) for uid in EffectSize.objects.values_list("uid", flat=True)}
    for number, row in enumerate(whole["studies"] or (), start=1):
        if isinstance(row, dict) and row.get("key") in known:
            continue
        study = _made(f"{path.name}, study {number}", Study, row)
        known[study.key] = study
    added = 0
    for number, row in enumerate(whole["effects"] or (), start=1):
        if isinstance(row, dict) and row.get("row") in there:
            continue
        _made(f"{path.name}, effect {number}", EffectSize, row, studies=known, by=by)
        added += 1
    return added


def _made(
    where: str,
    model: type[Study] | type[EffectSize],
    row: Any,
    *,
    studies: dict[str, Study] | None = None,
    by: User | None = None,
) -> Any:
    """A row of a study or an effect, saved."""
    try:
        values = dict(row)
        for name in ("synthesis", "source"):
            if name in values:
                values[name] = Source.objects.get(key=values[name])
        for name, scheme in LINKS.items():
            if name in values:
                values[name] = Concept.objects.get(scheme=scheme, slug=values[name])
        if studies is not None:
            values |= {"study": studies[values["study"]], "uid": values.pop("row"), "created_by": by}
        made = model(**values)
        made.full_clean()
        made.save(force_insert=True)
    except ValidationError as error:
        raise ReferenceDataError(f"{where}: {' '.join(error.messages)}") from error
    except (KeyError, TypeError, ValueError, Source.DoesNotExist, Concept.DoesNotExist) as error:
        raise ReferenceDataError(f"{where}: {error}") from error
    return made
