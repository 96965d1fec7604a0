"""The audit trail as a file, with the names that belong to the numbers in it."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from knowledgebase.models import AuditActor, AuditEvent

COLUMNS = (
    "text", "seq", "at", "actor", "actor_name", "role", "on_behalf_of", "on_behalf_of_name", "action", "version", "from",
    "to", "content_hash", "data", "prev_hash", "hash",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def write_csv(events: QuerySet[AuditEvent], file: Any) -> None:
    """To anything with a `write`."""
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows(events):
        data = json.dumps(row["data"], ensure_ascii=False, sort_keys=True)
        writer.writerow({name: _harmless(value) for name, value in (row | {"data": data}).items()})


def write_json(events: QuerySet[AuditEvent], file: Any) -> None:
    """One list, an event a line."""
    file.write("[")
    for number, row in enumerate(rows(events)):
        file.write((",\n" if number else "\n") + json.dumps(row, ensure_ascii=False))
    file.write("\n]\n")


def rows(events: QuerySet[AuditEvent]) -> Iterator[dict[str, Any]]:
    names = dict(AuditActor.objects.values_list("user_id", "name"))
    for event in events.select_related("item").iterator(chunk_size=2_000):
        yield {
            "text": f"{event.item.kind}/{event.item.slug}" if event.item else "",
            "seq": event.seq,
            "at": event.at.isoformat(timespec="microseconds"),
            "actor": event.actor_id,
            "actor_name": names.get(event.actor_id or 0, ""),
            "role": event.actor_role,
            "on_behalf_of": event.on_behalf_of,
            "on_behalf_of_name": names.get(event.on_behalf_of or 0, ""),
            "action": event.action,
            "version": event.version_number,
            "from": event.from_state,
            "to": event.to_state,
            "content_hash": event.content_hash,
            "data": event.data,
            "prev_hash": event.prev_hash,
            "hash": event.hash,
        }


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
