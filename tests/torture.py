"""Kills processes while they move texts, and looks at what is left: `make torture`, with its figures in docs/torture.md.

Workers make moves on PostgreSQL through the verbs of the workflow. A worker says on a pipe which move it begins, and
again when the verb has returned: the move is then acknowledged. The parent kills workers with SIGKILL at random moments
and starts others in their place. Afterwards every acknowledged move is in the database and in the audit trail, no move is
there in part, and no text is in a state that cannot be.

    bash tests/with_postgres.sh python -m tests.torture --kills 200 --write docs/torture.md
"""

import argparse
import json
import os
import random
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

TEXTS = 6
WORKERS = 3
DEEDS = ("begin", "submit", "recall", "review", "decide", "revoke", "publish", "withdraw")
PAUSE = (0.02, 0.5)  # seconds between two kills


@dataclass
class Move:
    """What a worker told: the deed, the text, and the word by which the deed is found again."""

    deed: str
    version: int
    token: str
    begun_in: int  # the process


@dataclass
class Figures:
    """What came of it."""

    kills: int = 0
    acknowledged: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    idle_kills: int = 0
    kept: Counter[str] = field(default_factory=Counter)  # killed in the middle, and wholly there
    undone: Counter[str] = field(default_factory=Counter)  # killed in the middle, and wholly absent
    lost: list[str] = field(default_factory=list)
    half_done: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    broken_links: int = 0
    events: int = 0
    seconds: float = 0.0
    states: Counter[str] = field(default_factory=Counter)

    @property
    def is_sound(self) -> bool:
        return not (self.lost or self.half_done or self.faults or self.broken_links)


# -- a worker


def work(pipe: int, seed: int) -> None:
    """Move texts until killed."""
    from knowledgebase.editorial.refusals import MoveRefused
    from knowledgebase.editorial.versions import OpenVersionNotEditable

    chance = random.Random(seed)  # noqa: S311  # no secret
    count = 0
    while True:
        count += 1
        found = next_move(chance, f"w{os.getpid()}-{count}")
        if found is None:
            continue
        move, verb = found
        tell(pipe, "begin", move)
        try:
            verb()
        except (MoveRefused, OpenVersionNotEditable):  # another worker was first
            tell(pipe, "refused", move)
        else:
            tell(pipe, "done", move)


def tell(pipe: int, what: str, move: Move) -> None:
    line = json.dumps([what, move.deed, move.version, move.token]) + "\n"
    os.write(pipe, line.encode())  # shorter than PIPE_BUF: it arrives whole or not at all


def next_move(chance: random.Random, token: str) -> tuple[Move, Callable[[], Any]] | None:
    """A move that a text may make now, and the verb that makes it."""
    from knowledgebase.editorial import reviews, transitions
    from knowledgebase.models import Commission, Item, Membership, Review, ReviewRound, User, Version

    state_of = Version.State
    item = chance.choice(list(Item.objects.order_by("pk")))
    editor, chief = (User.objects.get(username=name) for name in ("redacteur", "eindredacteur"))
    version = item.versions.open().first()
    if version is None:
        version = item.versions.published().first() or item.versions.order_by("-number").first()
        if version.state == state_of.PUBLISHED and chance.random() < 0.15:
            reason = f"Ingetrokken: {token}"
            return _move("withdraw", version, token, lambda: transitions.withdraw(version, by=chief, reason=reason))
        return _move("begin", version, token, lambda: write(item, by=editor, token=token))
    if version.state == state_of.APPROVED:
        return _move("publish", version, token, lambda: transitions.publish(version, by=chief))
    if version.state in {state_of.DRAFT, state_of.CHANGES_REQUESTED}:
        last = version.rounds.order_by("-number").first()
        if version.state == state_of.CHANGES_REQUESTED and last.content.get("change_note") == version.change_note:
            return _move(
                "begin", version, token, lambda: write(item, by=editor, token=token, seen=version.lock_version)
            )
        return _move("submit", version, token, lambda: transitions.submit(version, by=editor, remark=token))
    round = version.rounds.open().filter(kind=ReviewRound.Kind.REVIEW).first()
    if round is None:
        return None
    if chance.random() < 0.03:
        return _move("recall", version, token, lambda: transitions.recall(version, by=editor))
    commission = chance.choice(list(Commission.objects.all()))
    seats = Membership.objects.filter(commission=commission).select_related("user")
    done = Review.objects.filter(round=round, commission=commission).values("membership")
    waiting = seats.exclude(pk__in=done).first()
    if waiting is not None:
        answers = [reviews.Answer(criterion, "yes") for criterion in commission.criteria.filter(is_active=True)]
        return _move(
            "review", version, token,
            lambda: reviews.submit_review(
                round, commission=commission, by=waiting.user, seen=round.content_hash, recommendation="approve",
                interest="none", body=token, answers=answers,
            ),
        )  # fmt: skip
    leader = seats.get(role="chair").user
    given = round.decisions.standing().filter(commission=commission).first()
    if given is not None:
        if chance.random() < 0.1:
            return _move("revoke", version, token, lambda: reviews.revoke(given, by=leader, reason=token))
        return None
    outcome = "approve" if chance.random() < 0.85 else "changes"
    return _move(
        "decide", version, token,
        lambda: reviews.decide(
            round, commission=commission, by=leader, seen=round.content_hash, outcome=outcome, rationale=token
        ),
    )  # fmt: skip


def _move(deed: str, version: Any, token: str, verb: Callable[[], Any]) -> tuple[Move, Callable[[], Any]]:
    return Move(deed, version.pk, token, os.getpid()), verb


def write(item: Any, *, by: Any, token: str, seen: int = 1) -> None:
    """Start a draft, or take the one that was `seen`, and save another text in it, in one transaction."""
    from django.db import transaction

    from knowledgebase.editorial import refusals, transitions

    with transaction.atomic():
        draft = transitions.begin(item, by=by)
        if draft.lock_version != seen:
            raise refusals.MoveRefused("Somebody else saved it.")
        draft.change_type, draft.conclusion_changed, draft.change_note = "taal", "nee", token
        draft.save(update_fields=["change_type", "conclusion_changed", "change_note"])
        transitions.saved(draft, by=by)


# -- what is left of a move


def is_there(move: Move) -> bool:
    """Whether the deed itself is in the database."""
    from knowledgebase.models import Decision, Review, ReviewRound, Version

    version = Version.objects.filter(pk=move.version)
    found: dict[str, Callable[[], bool]] = {
        "submit": lambda: ReviewRound.objects.filter(version=move.version, remark=move.token).exists(),
        "review": lambda: Review.objects.filter(round__version=move.version, body=move.token).exists(),
        "decide": lambda: Decision.objects.filter(round__version=move.version, rationale=move.token).exists(),
        "revoke": lambda: Decision.objects.filter(round__version=move.version, revoked_reason=move.token).exists(),
        "publish": lambda: version.filter(published_at__isnull=False).exists(),
        "withdraw": lambda: version.filter(withdrawal_reason__endswith=move.token).exists(),
        "recall": lambda: ReviewRound.objects.filter(version=move.version, outcome="recalled").exists(),
        "begin": lambda: (
            Version.objects.filter(change_note=move.token).exists()
            or ReviewRound.objects.filter(content__change_note=move.token).exists()
        ),
    }  # fmt: skip
    return found[move.deed]()


EVENTS = {"decide": ["decide", "confirm"], "begin": ["begin", "save"]}


def missing_events(acknowledged: list[Move]) -> Iterator[str]:
    """More acknowledged deeds of a kind on a text than its trail has events of that kind."""
    from knowledgebase.models import AuditEvent, Version

    items = dict(Version.objects.values_list("pk", "item"))
    told = Counter((items[move.version], move.deed) for move in acknowledged)
    for (item, deed), number in told.items():
        events = AuditEvent.objects.filter(item=item, action__in=EVENTS.get(deed, [deed])).count()
        if events < number:
            yield f"item {item}: {number} × {deed} acknowledged, {events} in the audit trail"


# -- the parent


@dataclass
class Worker:
    """A process, what it said, and the move that it is in."""

    pid: int
    pipe: int
    rest: bytes = b""
    doing: Move | None = None
    done: list[Move] = field(default_factory=list)
    refused: int = 0

    def read(self) -> None:
        """Take in all that was said until now."""
        while select.select([self.pipe], [], [], 0)[0]:
            said = os.read(self.pipe, 65_536)
            if not said:
                break
            self.rest += said
        *lines, self.rest = self.rest.split(b"\n")
        for line in lines:
            what, deed, version, token = json.loads(line)
            move = Move(deed, version, token, self.pid)
            self.doing = move if what == "begin" else None
            if what == "done":
                self.done.append(move)
            self.refused += what == "refused"


def start(seed: int) -> Worker:
    """A process of its own, which begins without a connection."""
    from django.db import connections

    connections.close_all()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        code = 1
        try:
            work(writing, seed)
        except BaseException:
            import traceback

            traceback.print_exc()
            raise
        finally:
            os._exit(code)
    os.close(writing)
    return Worker(pid, reading)


def torture(*, kills: int, seed: int) -> Figures:
    """Kill that many workers; the database holds the texts of `prepare`."""
    from django.db import connection

    chance = random.Random(seed)  # noqa: S311  # no secret
    figures, acknowledged, cut = Figures(), [], []
    begun = time.monotonic()
    workers = [start(chance.getrandbits(32)) for _ in range(WORKERS)]
    try:
        while figures.kills < kills:
            until = time.monotonic() + chance.uniform(*PAUSE)
            while (left := until - time.monotonic()) > 0:
                select.select([worker.pipe for worker in workers], [], [], left)
                for worker in workers:
                    worker.read()
            victim = chance.choice(workers)
            os.kill(victim.pid, signal.SIGKILL)
            _pid, status = os.waitpid(victim.pid, 0)
            if not os.WIFSIGNALED(status):
                raise RuntimeError("A worker failed by itself: see above.")
            figures.kills += 1
            _collect(victim, figures, acknowledged, cut)
            workers[workers.index(victim)] = start(chance.getrandbits(32))
    finally:
        for worker in workers:
            os.kill(worker.pid, signal.SIGKILL)
            os.waitpid(worker.pid, 0)
    for worker in workers:  # they end as the others did, and are not counted
        _collect(worker, Figures(), acknowledged, cut)
    figures.seconds = time.monotonic() - begun
    _wait_for_silence(connection)
    _judge(figures, acknowledged, cut)
    return figures


def _collect(worker: Worker, figures: Figures, acknowledged: list[Move], cut: list[Move]) -> None:
    worker.read()
    os.close(worker.pipe)
    acknowledged += worker.done
    figures.refused += worker.refused
    if worker.doing is None:
        figures.idle_kills += 1
    else:
        cut.append(worker.doing)


def _wait_for_silence(connection: Any) -> None:
    """Until the server has undone what the killed left open."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(others)
            if cursor.fetchone()[0] == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("The server still works for processes that are gone.")


def _judge(figures: Figures, acknowledged: list[Move], cut: list[Move]) -> None:
    from knowledgebase.editorial import audit
    from knowledgebase.models import AuditEvent, Version
    from tests import invariants

    figures.acknowledged = Counter(move.deed for move in acknowledged)
    figures.lost = [
        f"{move.deed} {move.token} on version {move.version}" for move in acknowledged if not is_there(move)
    ]
    figures.lost += missing_events(acknowledged)
    for move in cut:
        (figures.kept if is_there(move) else figures.undone)[move.deed] += 1
    figures.half_done = invariants.half_done()
    figures.faults = invariants.faults()
    figures.broken_links = len(list(audit.broken_links()))
    figures.events = AuditEvent.objects.count()
    figures.states = Counter(Version.objects.values_list("state", flat=True).order_by())


# -- its database


@contextmanager
def own_database() -> Iterator[None]:
    """A database of its own on the server of DATABASE_URL, with tables, guards and texts; gone afterwards."""
    from django.core.management import call_command
    from django.db import connection, connections

    name = f"torture_{os.getpid()}"
    settings, outside = connection.settings_dict, connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    connection.close()
    settings["NAME"] = name
    try:
        call_command("migrate", verbosity=0)
        prepare()
        yield
    finally:
        connections.close_all()
        settings["NAME"] = outside
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.close()


def prepare() -> None:
    """People for every role, two commissions with a chair and a member each, and a few complete drafts."""
    from tests.factories import make_member, make_practice, make_user

    editor = make_user("redacteur", role="redacteur")
    make_user("eindredacteur", role="eindredacteur")
    for code in ("user", "scientific"):
        make_member(code, f"voorzitter-{code}", role="chair")
        make_member(code, f"lid-{code}")
    for number in range(TEXTS):
        make_practice(f"praktijk-{number}", state="draft", by=editor)


# -- on paper


def page(figures: Figures, *, seed: int) -> str:
    """The figures, as docs/torture.md."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        server = cursor.fetchone()[0].split()[0]
    cut = sum(figures.kept.values()) + sum(figures.undone.values())
    rows = "\n".join(f"| {deed} | {figures.acknowledged[deed]} |" for deed in DEEDS)
    states = ", ".join(f"{number} {state}" for state, number in sorted(figures.states.items()))
    return f"""# Processes killed in the middle of their work

`make torture` runs {WORKERS} processes side by side that move {TEXTS} texts through the whole workflow on PostgreSQL, and kills
one with SIGKILL every {PAUSE[0]} to {PAUSE[1]} seconds. A move counts as acknowledged when its verb returned and the process said so on
a pipe. Afterwards `tests/invariants.py` looks at every text, the audit chains are verified, and every acknowledged move
is looked for in the tables and in the audit trail. `tests/test_torture.py` does the same with ten kills.

Run of {datetime.now(UTC):%d %B %Y}, PostgreSQL {server}, Python {sys.version.split()[0]}, seed {seed}, {figures.seconds:.0f} seconds.

| | |
|---|---|
| kills | {figures.kills} |
| of them in the middle of a move, up to its acknowledgement | {figures.kills - figures.idle_kills} |
| moves acknowledged | {sum(figures.acknowledged.values())} |
| moves refused, as another process was first | {figures.refused} |
| moves cut off, those of the last {WORKERS} processes included | {cut} |
| – wholly there: killed after the commit | {sum(figures.kept.values())} |
| – wholly absent: undone by the database | {sum(figures.undone.values())} |
| – there in part | {len(figures.half_done)} |
| acknowledged moves lost | {len(figures.lost)} |
| texts in an impossible state | {len(figures.faults)} |
| broken links in the audit trail ({figures.events} events) | {figures.broken_links} |
| faults found | {len(figures.lost) + len(figures.half_done) + len(figures.faults) + figures.broken_links} |

Acknowledged, by deed:

| deed | moves |
|---|---|
{rows}

What was left: {states}.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--write", type=Path, help="the page for the figures")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leerpunt.settings")
    import django

    django.setup()
    from django.db import connection

    if connection.vendor != "postgresql":
        parser.error("set DATABASE_URL to a PostgreSQL server, or use tests/with_postgres.sh")
    with own_database():
        figures = torture(kills=options.kills, seed=options.seed)
        text = page(figures, seed=options.seed)
    print(text)  # noqa: T201  # that is what the command is for
    for fault in [*figures.lost, *figures.half_done, *figures.faults]:
        print(fault, file=sys.stderr)  # noqa: T201
    if options.write and figures.is_sound:
        options.write.write_text(text)
    return 0 if figures.is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
