"""Write and verify the audit trail: a chain of hashes per item, and one for what belongs to no item."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from knowledgebase.models import AuditActor, AuditEvent, Item, SiteState, User, Version

SYSTEM = "system"


@dataclass(frozen=True)
class BrokenLink:
    """The first event of a chain that is not what was written."""

    item: Item | None
    seq: int
    why: str


@dataclass(frozen=True)
class Heads:
    """The last event of every chain up to a moment, as one digest that fits in a mail."""

    chains: int
    events: int
    digest: str


def record(
    action: str,
    *,
    by: User | None,
    role: str,
    item: Item | None = None,
    version: Version | None = None,
    from_state: str = "",
    to_state: str = "",
    on_behalf_of: User | None = None,
    data: dict[str, Any] | None = None,
) -> AuditEvent:
    """Append an event inside the transaction of the deed; without `by` the system itself did it.

    Locks the head of the chain (the item, or the row of the site) until the transaction ends.
    """
    with transaction.atomic():
        if version is not None:
            item = version.item
        if item is not None:
            Item.objects.locked().get(pk=item.pk)
        else:
            SiteState.locked()
        last = AuditEvent.objects.filter(item=item).order_by("-seq").first()
        if by is not None:
            AuditActor.objects.get_or_create(user_id=by.pk, defaults={"name": by.get_full_name() or by.get_username()})
        event = AuditEvent(
            item=item,
            seq=last.seq + 1 if last else 1,
            at=timezone.now(),
            actor_id=by.pk if by else None,
            actor_role=role,
            on_behalf_of=on_behalf_of.pk if on_behalf_of else None,
            action=action,
            version_number=version.number if version else None,
            from_state=from_state,
            to_state=to_state,
            content_hash=version.content_hash if version else "",
            data=data or {},
            prev_hash=last.hash if last else "",
        )
        event.hash = hash_of(event)
        event.save(force_insert=True)
    return event


def hash_of(event: AuditEvent) -> str:
    """HMAC-SHA256, with the key of AUDIT_KEY, of the canonical JSON of an event and the hash before it."""
    content = {
        "item": event.item_id,
        "seq": event.seq,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": event.actor_id,
        "role": event.actor_role,
        "on_behalf_of": event.on_behalf_of,
        "action": event.action,
        "version": event.version_number,
        "from": event.from_state,
        "to": event.to_state,
        "content_hash": event.content_hash,
        "data": event.data,
        "prev": event.prev_hash,
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hmac.new(settings.AUDIT_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def broken_links() -> Iterator[BrokenLink]:
    """The first broken link of every chain that is broken: a row changed, missing, or out of its place."""
    item_id: int | None = None
    expected, before, broken, begun = 1, "", False, False
    for event in AuditEvent.objects.order_by("item_id", "seq").select_related("item").iterator(chunk_size=2_000):
        if not begun or event.item_id != item_id:
            begun, item_id, expected, before, broken = True, event.item_id, 1, "", False
        if broken:
            continue
        why = _fault(event, expected, before)
        if why:
            broken = True
            yield BrokenLink(event.item, event.seq, why)
        expected, before = expected + 1, event.hash


def _fault(event: AuditEvent, expected: int, before: str) -> str:
    if event.seq < expected:
        return "another event has this number too"
    if event.seq != expected:
        return f"event {expected} is missing"
    if event.prev_hash != before:
        return "it does not follow from the event before it"
    if not hmac.compare_digest(event.hash, hash_of(event)):
        return "its content was changed"
    return ""


def heads(*, until: datetime) -> Heads:
    """The digest of the trail up to a moment: it differs when any event before it was changed, removed or added.

    With `verify_audit --until MOMENT --digest DIGEST` a copy outside this machine shows that a chain lost its end.
    """
    last: dict[int | None, tuple[int, str]] = {}
    events = 0
    rows = AuditEvent.objects.filter(at__lt=until).order_by("item_id", "seq").values_list("item_id", "seq", "hash")
    for item_id, seq, hashed in rows.iterator(chunk_size=2_000):
        last[item_id] = (seq, hashed)
        events += 1
    lines = [f"{item_id or 0} {seq} {hashed}" for item_id, (seq, hashed) in last.items()]
    digest = hashlib.sha256("\n".join([str(events), *sorted(lines)]).encode()).hexdigest()
    return Heads(len(last), events, digest)
