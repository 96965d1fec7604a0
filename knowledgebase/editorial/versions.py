"""Copy a version with its children, hash it, and number the next one."""

import hashlib
import json
import unicodedata
import uuid
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.db.models import Max

from knowledgebase.models import EDITABLE, Concept, Item, User, Version, VersionChild

HASH_VERSION = 1
# What the workflow writes on a version, and what belongs to one version only: neither copied nor hashed as content.
BOOKKEEPING = frozenset({
    "id", "version_ptr", "item", "number", "state", "lock_version", "content_hash", "hash_version", "based_on",
    "created_by", "created_at", "round_no", "submitted_at", "submitted_by", "publish_at", "scheduled_by",
    "published_by", "published_at", "withdrawn_at", "withdrawn_by", "withdrawal_reason",
})  # fmt: skip
CHANGE_FIELDS = frozenset({"change_type", "conclusion_changed", "change_note"})


class OpenVersionNotEditable(Exception):
    """The item has an open version that nobody may edit now (in review, or approved)."""


def children_of(model: type[Version]) -> Iterator[tuple[str, type[VersionChild]]]:
    """(accessor, model) of every kind of row that belongs to a version of this model, its base included."""
    for relation in model._meta.related_objects:
        child = relation.related_model
        if issubclass(child, VersionChild):
            yield str(relation.get_accessor_name()), child


def text_fields(version: Version) -> Iterator[models.Field]:
    """The fields that hold what this version says."""
    for field in version._meta.concrete_fields:
        if field.name not in BOOKKEEPING:
            yield field


def start_draft(item: Item, *, by: User, based_on: Version | None = None) -> Any:
    """The open version of an item: the one there is, else a new draft.

    A draft is a copy of `based_on`, else of the published version, else of the newest one; the first draft of an item
    is empty and not saved yet. Raises OpenVersionNotEditable when the open version is with the commissions.
    """
    with transaction.atomic():
        Item.objects.locked().get(pk=item.pk)
        if (current := item.versions.open().first()) is not None:
            if current.state not in EDITABLE:
                raise OpenVersionNotEditable(current)
            return current.specific()
        origin = based_on or item.versions.published().first() or item.versions.order_by("-number").first()
        if origin is not None:
            return copy(origin.specific(), by=by)
        draft = Version.model_for(item.kind)(item=item, created_by=by, number=next_number(item))
        draft.full_clean(exclude=[f.name for f in draft._meta.fields if f.name not in {"item", "number"}])
        return draft


def next_number(item: Item) -> int:
    """The number after the highest one; call it with the item locked."""
    highest = Version.objects.filter(item=item).aggregate(highest=Max("number"))["highest"]
    return (highest or 0) + 1


def copy(version: Version, *, by: User) -> Any:
    """A new draft of the same item that says the same, in one transaction; children keep their uid."""
    model = type(version)
    with transaction.atomic():
        item = Item.objects.locked().get(pk=version.item_id)
        kept = {f.attname: getattr(version, f.attname) for f in text_fields(version) if f.name not in CHANGE_FIELDS}
        new = model.objects.create(item=item, number=next_number(item), created_by=by, based_on_id=version.pk, **kept)
        for accessor, child_model in children_of(model):
            rows = list(getattr(version, accessor).all())
            for row in rows:
                row.pk, row.version_id = None, new.pk
                row._state.adding = True
            child_model._base_manager.bulk_create(rows)
    return new


def canonical(version: Version) -> dict[str, Any]:
    """What a version says, without keys of this database or moments: fields, then children by accessor and uid.

    Empty values are left out, so that a field added later changes no old hash.
    """
    content: dict[str, Any] = {"kind": version.item.kind, "item": version.item.key or version.item.slug}
    for field in text_fields(version):
        value = getattr(version, field.name)
        content[field.name] = list(value.natural_key()) if isinstance(value, Concept) else _plain(value)
    for accessor, child in children_of(type(version)):
        content[accessor] = [
            {"uid": str(row.uid)} | _filled({name: _plain(value) for name, value in row.content().items()})
            for row in sorted(_rows(version, accessor, child), key=lambda row: str(row.uid))
        ]
    return _filled(content)


def _rows(version: Version, accessor: str, child: type[VersionChild]) -> Any:
    """The rows of one kind with what they refer to, in one query; those that were fetched before, in none."""
    rows = getattr(version, accessor).all()
    named = [field.name for field in child._meta.fields if field.many_to_one and field.name != "version"]
    named += child.content_needs
    fetched = accessor in getattr(version, "_prefetched_objects_cache", {})
    return rows.select_related(*named) if named and not fetched else rows


def content_hash(version: Version) -> str:
    """SHA-256 of what a version says, as 64 hexadecimal digits."""
    return hash_of(canonical(version))


def hash_of(content: dict[str, Any]) -> str:
    """SHA-256 of canonical content as JSON (sorted keys, NFC text, no spaces), as 64 hexadecimal digits."""
    payload = {"hash_version": HASH_VERSION} | content
    text = json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode()).hexdigest()


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    return value
