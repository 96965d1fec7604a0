"""Triggers that keep the promise where Python cannot: legal moves, approvals, frozen content, write-once rows.

One list of guards serves both databases. A guard is a condition on OLD and NEW under which a write is refused; it is
installed after every migrate, removed before (SQLite drops or breaks triggers when it remakes a table), and a system
check compares what the database has with this module. `maintenance` is the one door past them.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core import checks
from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from knowledgebase.models import (
    EDITABLE,
    AuditEvent,
    Comment,
    CriterionAnswer,
    Decision,
    EffectSize,
    Item,
    Membership,
    Recusal,
    Review,
    ReviewRound,
    SelectedEffect,
    Study,
    User,
    Version,
    VersionChild,
    VersionContributor,
)

from . import audit
from .transitions import EDGES
from .versions import BOOKKEEPING

State = Version.State
PREFIX = "guard_"
DOOR = "leerpunt.maintenance"  # a setting of the PostgreSQL session
DOOR_FUNCTION = "leerpunt_maintenance"  # a function of the SQLite connection
_open_doors: dict[int, str] = {}
_of_other_apps: dict[Callable[[], Iterable["Guard"]], None] = {}


@dataclass(frozen=True)
class Guard:
    """Refuse `event` on `table` when `refuse` holds; PostgreSQL first takes the lock of `lock` (SQL)."""

    name: str
    table: str
    event: str  # INSERT, UPDATE, DELETE or (PostgreSQL) TRUNCATE
    refuse: str  # SQL on OLD and NEW; `IS DISTINCT FROM` is written for both databases
    because: str
    lock: str = ""


def _table(model: type[models.Model]) -> str:
    return model._meta.db_table


def _among(states: Iterable[str]) -> str:
    return "({})".format(", ".join(f"'{state}'" for state in sorted(states)))


def differ(columns: Iterable[str]) -> str:
    """SQL: whether a write changes one of these columns."""
    return "({})".format(" OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in sorted(columns)))


def _columns(model: type[models.Model], *, without: Iterable[str] = ()) -> set[str]:
    left_out = set(without)
    return {str(field.column) for field in model._meta.local_concrete_fields if field.name not in left_out}


def guards() -> list[Guard]:
    """Every guard, from the models and the edges as they are now."""
    own = (_version_guards, _content_guards, _study_guards, _write_once_guards, _people_guards)
    return [guard for part in (*own, *_of_other_apps) for guard in part()]


def register(part: Callable[[], Iterable[Guard]]) -> None:
    """Add the guards of an app that this one does not know; called when that app is ready."""
    _of_other_apps[part] = None


def _version_guards() -> Iterator[Guard]:
    table, rounds, decisions = _table(Version), _table(ReviewRound), _table(Decision)
    editable = _among(EDITABLE)
    edges = _among(f"{before}>{after}" for before, after in EDGES)
    standing = (
        f"FROM {decisions} d JOIN {rounds} r ON r.id = d.round_id WHERE r.version_id = NEW.id "
        "AND r.kind = 'review' AND r.number = NEW.round_no AND r.content_hash = NEW.content_hash AND r.outcome = 'approved' "
        "AND d.content_hash = NEW.content_hash AND d.outcome = 'approve' AND d.revoked_at IS NULL"
    )
    content = _columns(Version, without=BOOKKEEPING)
    moved = "OLD.state <> NEW.state"
    yield Guard(
        "version_starts_as_draft", table, "INSERT",
        "NEW.state <> 'draft' OR NEW.round_no <> 0 OR NEW.published_at IS NOT NULL OR NEW.content_hash <> ''",
        "a version begins as a draft",
    )  # fmt: skip
    yield Guard(
        "version_edge", table, "UPDATE", f"{moved} AND (OLD.state || '>' || NEW.state) NOT IN {edges}",
        "this change of state does not exist",
    )  # fmt: skip
    yield Guard(
        "version_identity", table, "UPDATE",
        differ(["item_id", "number", "created_by_id", "created_at", "based_on_id"]), "the identity of a version stays",
    )  # fmt: skip
    yield Guard(
        "version_frozen", table, "UPDATE",
        f"NOT (OLD.state IN {editable} AND NEW.state IN {editable}) AND {differ(content)}",
        "this version is frozen: start a new one",
    )  # fmt: skip
    submitted = ["content_hash", "hash_version", "round_no", "submitted_at", "submitted_by_id"]
    yield Guard(
        "version_hash", table, "UPDATE",
        f"{differ(submitted)} AND NOT (OLD.state IN {editable} AND NEW.state = 'in_review')",
        "the hash is set on submission",
    )  # fmt: skip
    yield Guard(
        "version_submitted", table, "UPDATE",
        f"{moved} AND NEW.state = 'in_review' AND NOT EXISTS (SELECT 1 FROM {rounds} r WHERE r.version_id = NEW.id "
        "AND r.number = NEW.round_no AND r.content_hash = NEW.content_hash AND r.kind = 'review' AND r.closed_at IS NULL)",
        "a submission opens a round for exactly this text",
    )  # fmt: skip
    yield Guard(
        "version_leaves_review", table, "UPDATE",
        f"OLD.state = 'in_review' AND NEW.state IN {editable} AND EXISTS (SELECT 1 FROM {rounds} r "
        "WHERE r.version_id = NEW.id AND r.closed_at IS NULL)",
        "a text returns to its editors when its round is closed",
    )  # fmt: skip
    yield Guard(
        "version_approved", table, "UPDATE",
        f"{moved} AND NEW.state IN ('approved', 'published') AND ("
        f"(SELECT count(DISTINCT d.commission_id) {standing}) < 2 OR (SELECT count(DISTINCT d.decided_by_id) {standing}) < 2)",
        "both commissions approve exactly this text, by two people",
    )  # fmt: skip
    yield Guard(
        "version_published", table, "UPDATE",
        f"{differ(['published_at', 'published_by_id'])} AND NOT (OLD.state = 'approved' AND NEW.state = 'published')",
        "who published and when is written once",
    )  # fmt: skip
    yield Guard(
        "version_withdrawn", table, "UPDATE",
        f"{differ(['withdrawn_at', 'withdrawn_by_id', 'withdrawal_reason'])} "
        "AND NOT (OLD.state = 'published' AND NEW.state = 'withdrawn')",
        "who withdrew, when and why is written once",
    )  # fmt: skip
    yield Guard(
        "version_scheduled", table, "UPDATE",
        f"{differ(['publish_at', 'scheduled_by_id'])} AND OLD.state <> 'approved'", "only what is approved is planned",
    )  # fmt: skip
    yield Guard(
        "version_kept", table, "DELETE", "OLD.state <> 'draft' OR OLD.round_no > 0",
        "a version that was submitted is never deleted",
    )  # fmt: skip
    yield Guard(
        "item_identity", _table(Item), "UPDATE",
        f"{differ(['kind', 'key'])} AND EXISTS (SELECT 1 FROM {table} v WHERE v.item_id = OLD.id AND v.round_no > 0)",
        "kind and key of a text stay once it was submitted",
    )  # fmt: skip


def content_tables() -> dict[str, str]:
    """Table -> column of the version, for every table that holds what a version says beside the version itself."""
    tables = {_table(model): "version_ptr_id" for model in Version.__subclasses__()}
    for model in apps.get_models():
        if issubclass(model, VersionChild):
            tables[_table(model)] = "version_id"
    return tables


def _content_guards() -> Iterator[Guard]:
    version, editable = _table(Version), _among(EDITABLE)
    for table, column in sorted(content_tables().items()):
        for event, rows in (("INSERT", ["NEW"]), ("UPDATE", ["OLD", "NEW"]), ("DELETE", ["OLD"])):
            ids = ", ".join(f"{row}.{column}" for row in rows)
            yield Guard(
                f"frozen_{event.lower()}_{table}", table, event,
                f"EXISTS (SELECT 1 FROM {version} v WHERE v.id IN ({ids}) AND v.state NOT IN {editable})",
                "this version is frozen: start a new one",
                lock=f"PERFORM 1 FROM {version} WHERE id IN ({ids}) FOR SHARE;",
            )  # fmt: skip


def _study_guards() -> Iterator[Guard]:
    """Rows that a submitted version rests on stay as they were hashed; a submission that is under way is waited for."""
    version, selected, effects = _table(Version), _table(SelectedEffect), _table(EffectSize)
    of_effect = f"SELECT s.version_id FROM {selected} s WHERE s.effect_id = OLD.id"
    of_study = f"SELECT s.version_id FROM {selected} s JOIN {effects} e ON e.id = s.effect_id WHERE e.study_id = OLD.id"
    for model, using in ((EffectSize, of_effect), (Study, of_study)):
        for event in ("UPDATE", "DELETE"):
            yield Guard(
                f"used_{event.lower()}_{model._meta.model_name}", _table(model), event,
                f"EXISTS (SELECT 1 FROM {version} v WHERE v.id IN ({using}) AND v.round_no > 0)",
                "a submitted text rests on this row: enter a correction",
                lock=f"PERFORM 1 FROM {version} v WHERE v.id IN ({using}) FOR SHARE;",
            )  # fmt: skip


def _write_once_guards() -> Iterator[Guard]:
    rounds, decisions, reviews = _table(ReviewRound), _table(Decision), _table(Review)
    version, members, contributors = _table(Version), _table(Membership), _table(VersionContributor)
    round_of_new = f"SELECT 1 FROM {rounds} r WHERE r.id = NEW.round_id"

    def wrote(user: str) -> str:
        """Whether this person (SQL) wrote in any version of the text of the new row's round."""
        return (
            f"EXISTS (SELECT 1 FROM {rounds} r JOIN {version} v ON v.id = r.version_id "
            f"JOIN {version} w ON w.item_id = v.item_id JOIN {contributors} c ON c.version_id = w.id "
            f"WHERE r.id = NEW.round_id AND c.user_id = {user})"
        )

    def seat(and_role: str = "") -> str:
        """An open seat of the new row's member in the new row's commission."""
        return (
            f"SELECT 1 FROM {members} m WHERE m.id = NEW.membership_id AND m.commission_id = NEW.commission_id "
            f"AND (m.valid_to IS NULL OR m.valid_to >= CURRENT_DATE){and_role}"
        )

    def never(model: type[models.Model], *events: str) -> Iterator[Guard]:
        for event in events:
            yield Guard(f"{model._meta.model_name}_no_{event.lower()}", _table(model), event, "1 = 1", "this row stays")

    def only(model: type[models.Model], *fields: str, while_: str) -> Guard:
        """Of this model only these fields ever change, and only as long as `while_` holds."""
        others = _columns(model, without=fields)
        return Guard(
            f"{model._meta.model_name}_written_once", _table(model), "UPDATE", f"{differ(others)} OR NOT ({while_})",
            "what was written stays",
        )  # fmt: skip

    yield Guard(
        "round_opens_on_a_draft", rounds, "INSERT",
        "NEW.closed_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM "
        f"{version} v WHERE v.id = NEW.version_id AND ((NEW.kind = 'review' AND v.state IN {_among(EDITABLE)}) OR "
        "(NEW.kind = 'revalidation' AND v.state = 'published' AND v.content_hash = NEW.content_hash)))",
        "a round opens for a draft, or for a published version that is looked at again",
    )  # fmt: skip
    yield only(ReviewRound, "closed_at", "outcome", while_="OLD.closed_at IS NULL")
    yield from never(ReviewRound, "DELETE")
    reviewer = f"(SELECT s.user_id FROM {members} s WHERE s.id = NEW.membership_id)"
    yield Guard(
        "review_of_a_member", _table(Review), "INSERT",
        f"NOT EXISTS ({seat()}) OR NOT EXISTS ({round_of_new} AND r.closed_at IS NULL) OR "
        f"EXISTS (SELECT 1 FROM {reviews} o JOIN {members} m ON m.id = o.membership_id WHERE o.round_id = NEW.round_id "
        f"AND o.commission_id = NEW.commission_id AND m.user_id = {reviewer}) OR " + wrote(reviewer),
        "an independent member of the commission reviews an open round",
    )  # fmt: skip
    yield from never(Review, "UPDATE", "DELETE")
    yield from never(CriterionAnswer, "UPDATE", "DELETE")
    yield from never(Recusal, "UPDATE", "DELETE")
    leading = seat(" AND m.user_id = NEW.decided_by_id AND m.role IN ('chair', 'deputy')")
    yield Guard(
        "decision_of_a_chair", decisions, "INSERT",
        f"NOT EXISTS ({leading}) OR NEW.revoked_at IS NOT NULL OR "
        f"NOT EXISTS ({round_of_new} AND r.closed_at IS NULL AND r.content_hash = NEW.content_hash) OR "
        + wrote("NEW.decided_by_id"),
        "an independent chair decides on exactly the text of an open round",
    )  # fmt: skip
    yield only(Decision, "revoked_at", "revoked_by", "revoked_reason", while_="OLD.revoked_at IS NULL")
    yield Guard(
        "decision_revoked_in_time", decisions, "UPDATE",
        f"EXISTS (SELECT 1 FROM {rounds} r JOIN {version} v ON v.id = r.version_id WHERE r.id = OLD.round_id "
        "AND r.closed_at IS NOT NULL AND NOT (v.state = 'approved' AND v.round_no = r.number))",
        "a decision is revoked before publication",
    )  # fmt: skip
    yield from never(Decision, "DELETE")
    yield only(Comment, "resolved_at", "resolved_by", while_="OLD.resolved_at IS NULL")
    yield from never(Comment, "DELETE")
    yield from never(AuditEvent, "UPDATE", "DELETE", "TRUNCATE")


def _people_guards() -> Iterator[Guard]:
    version, members, events = _table(Version), _table(Membership), _table(AuditEvent)
    yield Guard(
        "seat_is_closed_not_rewritten", members, "UPDATE", differ(["commission_id", "user_id", "role", "valid_from"]),
        "close this seat and give a new one",
    )  # fmt: skip
    yield Guard("seat_stays", members, "DELETE", "1 = 1", "close this seat instead")
    kept = f"EXISTS (SELECT 1 FROM {version} v WHERE v.id = OLD.version_id AND v.round_no > 0)"
    contributors = _table(VersionContributor)
    yield Guard("contributor_stays", contributors, "DELETE", kept, "who wrote in a text is not forgotten")
    yield Guard(
        "contributor_is_not_rewritten", contributors, "UPDATE", differ(["version_id", "user_id"]),
        "who wrote in a text is not forgotten",
    )  # fmt: skip
    yield Guard(
        "person_who_acted_stays", _table(User), "DELETE",
        f"EXISTS (SELECT 1 FROM {events} e WHERE e.actor_id = OLD.id OR e.on_behalf_of = OLD.id)",
        "close this account instead: the audit trail names it",
    )  # fmt: skip


# -- in the database


def _statements(connection: BaseDatabaseWrapper, guard: Guard) -> list[str]:
    name, message = PREFIX + guard.name, f"{guard.name}: {guard.because}".replace("'", "''")
    if connection.vendor == "sqlite":
        refuse = guard.refuse.replace("IS DISTINCT FROM", "IS NOT")
        return [
            f"CREATE TRIGGER {name} BEFORE {guard.event} ON {guard.table} WHEN {DOOR_FUNCTION}() IS NULL AND ({refuse}) "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        ]
    row = "NULL" if guard.event == "TRUNCATE" else "OLD" if guard.event == "DELETE" else "NEW"
    level = "STATEMENT" if guard.event == "TRUNCATE" else "ROW"
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN "
        f"IF coalesce(current_setting('{DOOR}', true), '') <> '' THEN RETURN {row}; END IF; {guard.lock} "
        f"IF {guard.refuse} THEN RAISE EXCEPTION '{message}' USING ERRCODE = '23000'; END IF; "
        f"RETURN {row}; END $guard$",
        f"CREATE TRIGGER {name} BEFORE {guard.event} ON {guard.table} FOR EACH {level} EXECUTE FUNCTION {name}()",
    ]


def _serving(connection: BaseDatabaseWrapper) -> list[Guard]:
    """The guards for the tables that this database has; SQLite knows no TRUNCATE."""
    tables = set(connection.introspection.table_names())
    return [g for g in guards() if g.table in tables and (g.event != "TRUNCATE" or connection.vendor != "sqlite")]


def _installed(connection: BaseDatabaseWrapper) -> dict[str, tuple[str, str]]:
    """Trigger -> its table and its definition (empty when it is switched off), of every guard that the database has."""
    query = (
        "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
        if connection.vendor == "sqlite"
        else "SELECT t.tgname, c.relname, CASE WHEN t.tgenabled IN ('O', 'A') THEN p.prosrc ELSE '' END FROM pg_trigger t "
        "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {name: (table, text) for name, table, text in cursor.fetchall() if name.startswith(PREFIX)}


def remove(using: str = "default") -> None:
    """Take every guard away: before migrations, which install them again."""
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for name, (table, _text) in _installed(connection).items():
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER {name}")
            else:
                cursor.execute(f"DROP TRIGGER {name} ON {table}")
                cursor.execute(f"DROP FUNCTION {name}()")


def install(using: str = "default") -> None:
    """Put every guard in place, as this module defines them now."""
    remove(using)
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for guard in _serving(connection):
            for statement in _statements(connection, guard):
                cursor.execute(statement)


def missing(using: str = "default") -> list[str]:
    """The names of guards that the database lacks or has with another text."""
    connection = connections[using]
    there = _installed(connection)
    names = []
    for guard in _serving(connection):
        name, statements = PREFIX + guard.name, _statements(connection, guard)
        _table_name, text = there.get(name, ("", ""))
        if not text or text not in statements[0]:
            names.append(name)
    return names


def check_guards(databases: Iterable[str] | None = None, **_kwargs: Any) -> list[checks.CheckMessage]:
    """A system check (`check --database default`): every guard is there, unchanged."""
    return [
        checks.Error(
            f"The database lacks guards or has others: {', '.join(names)}.",
            hint="Run `manage.py migrate`, which installs them again.",
            id="knowledgebase.E001",
        )
        for using in databases or ()
        if _table(Version) in connections[using].introspection.table_names() and (names := missing(using))
    ]


def register_door(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    """Give a SQLite connection the function that its guards ask; a connection without it can write nothing guarded."""
    if connection.vendor == "sqlite":
        key = id(connection)
        connection.connection.create_function(DOOR_FUNCTION, 0, lambda: _open_doors.get(key))


@contextmanager
def door(reason: str, *, using: str = "default") -> Iterator[None]:
    """Lift the guards for this connection: `maintenance` and the flush of tests are the only callers."""
    connection = connections[using]
    if connection.vendor == "sqlite":
        _open_doors[id(connection)] = reason
        try:
            yield
        finally:
            _open_doors.pop(id(connection), None)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, false)", [DOOR, reason])
    try:
        yield
    finally:
        if not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config(%s, '', false)", [DOOR])


@contextmanager
def maintenance(reason: str, *, by: User, using: str = "default") -> Iterator[None]:
    """Write past the guards, in one transaction, with an event in the audit trail: for data migrations and repairs."""
    if not reason.strip():
        raise ValueError("Give the reason: the audit trail keeps it.")
    with transaction.atomic(using=using):
        audit.record("maintenance", by=by, role="maintenance", data={"reason": reason})
        with door(reason, using=using):
            yield
