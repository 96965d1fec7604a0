"""What happens by the clock: `manage.py run_jobs`. Every job may run twice, or twice at the same time.

A job looks for what is due with "on or before", so that a day on which nothing ran loses nothing, and takes the lock
of one text at a time.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import override

from knowledgebase.models import (
    AuditEvent,
    Commission,
    Decision,
    Item,
    Membership,
    OutboxMessage,
    ReviewRound,
    SearchIndex,
    User,
    Version,
)
from knowledgebase.search.checks import is_outdated
from knowledgebase.search.engine import engine

from . import audit, notifications, outbox
from .refusals import AlreadyDone, MoveRefused
from .reviews import asked_to_decide, start_revalidation, still_to_review
from .transitions import publish, settle

Kind = notifications.Kind
State = Version.State
REMIND_BEFORE = timedelta(days=3)
LONGEST_REBUILD = timedelta(hours=1)  # after this, who began to make the index anew is taken to have died
DATABASE_GONE = (OperationalError, InterfaceError)


@dataclass
class Report:
    """What a job did, in one line, and what failed: sentences for who keeps the site."""

    job: str
    done: str
    failures: list[str] = field(default_factory=list)


def run() -> Iterator[Report]:
    """Run every job once, in an order in which the messages of one are sent by the last."""
    with override(settings.LANGUAGE_CODE):
        for job in JOBS:
            yield job()


# -- publications that were planned


def publish_due() -> Report:
    """Publish what was approved and planned for now or before. What fails keeps its plan, and is tried again."""
    due = Version.objects.filter(state=State.APPROVED, publish_at__lte=timezone.now()).order_by("publish_at", "pk")
    report, published, busy = Report("publish_due", ""), 0, 0
    for version in due.select_related("item"):
        try:
            with transaction.atomic():
                if (
                    not Item.objects.select_for_update(skip_locked=True, no_key=True)
                    .filter(pk=version.item_id)
                    .exists()
                ):
                    busy += 1  # somebody works on this text now: the next run looks again
                    continue
                publish(version)
            published += 1
        except AlreadyDone:
            continue
        except MoveRefused as refusal:
            _publication_failed(version, str(refusal), report)
        except DATABASE_GONE:
            raise
        except Exception as error:  # noqa: BLE001  # a text that cannot be published keeps no other from being so
            _publication_failed(version, f"{type(error).__name__}: {error}", report)
    report.done = f"{published} published, {len(report.failures)} failed, {busy} busy"
    return report


def _publication_failed(version: Version, reason: str, report: Report) -> None:
    """Report a failure; write it down and tell the editors in chief once a day for each reason."""
    with transaction.atomic():
        Item.objects.locked().get(pk=version.item_id)
        version = Version.objects.select_related("item", "scheduled_by").get(pk=version.pk)
        if version.state != State.APPROVED or version.publish_at is None or version.publish_at > timezone.now():
            return  # somebody changed the plan meanwhile
        report.failures.append(f"{version.item.kind}/{version.item.slug} v{version.number}: {reason}")
        today = timezone.localdate()
        known = AuditEvent.objects.filter(
            item=version.item_id, action="publish_failed", version_number=version.number, data__reason=reason,
            data__day=today.isoformat(),
        )  # fmt: skip
        if known.exists():
            return
        audit.record(
            "publish_failed", by=None, role=audit.SYSTEM, version=version, from_state=version.state,
            on_behalf_of=version.scheduled_by, data={"reason": reason, "day": today.isoformat()},
        )  # fmt: skip
        about = f"{today}:{hashlib.sha256(reason.encode()).hexdigest()[:12]}"
        notifications.tell(Kind.FAILED, version, notifications.publishers(), by=None, about=about, reason=reason)


# -- rounds


def settle_overdue() -> Report:
    """Return texts of which a commission asks for changes, when the other did not decide in time."""
    overdue = ReviewRound.objects.open().filter(
        kind=ReviewRound.Kind.REVIEW, due_on__lt=timezone.localdate(), decisions__revoked_at=None,
        decisions__outcome=Decision.Outcome.CHANGES,
    )  # fmt: skip
    settled = 0
    for round in overdue.distinct().select_related("version__item").order_by("pk"):
        with transaction.atomic():
            Item.objects.locked().get(pk=round.version.item_id)
            now = ReviewRound.objects.select_related("version__item").get(pk=round.pk)
            if now.is_open:
                settled += settle(now, by=None, role=audit.SYSTEM).state == State.CHANGES_REQUESTED
    return Report("settle_overdue", f"{settled} returned to the editors")


def revalidate() -> Report:
    """Ask the commissions whether a published text still holds when its review date has come."""
    due = Version.objects.published().filter(item__review_due_on__lte=timezone.localdate()).select_related("item")
    asked = refused = 0
    for version in due.order_by("item__review_due_on", "pk"):
        last = version.rounds.order_by("-number").first()
        if last is not None and last.kind == ReviewRound.Kind.REVALIDATION and last.outcome != "approved":
            continue  # they were asked already; what did not hold waits for a new version
        try:
            start_revalidation(version)
            asked += 1
        except AlreadyDone:
            continue
        except MoveRefused as refusal:
            refused += 1
            notifications.tell(
                Kind.STALE, version, notifications.publishers(), by=None, about=str(version.item.review_due_on),
                reason=str(refusal),
            )  # fmt: skip
    return Report("revalidate", f"{asked} asked, {refused} need a new version")


def remind() -> Report:
    """Remind who is awaited, once before a round is due and once after, also when days were missed in between."""
    today = timezone.localdate()
    before = OutboxMessage.objects.count()
    near = ReviewRound.objects.open().filter(due_on__lte=today + REMIND_BEFORE).select_related("version__item")
    for round in near.order_by("due_on", "pk"):
        kind = Kind.OVERDUE if round.due_on < today else Kind.DUE_SOON
        for task, seats_of in _tasks(round):
            awaited = [seat.user for commission in Commission.objects.all() for seat in seats_of(round, commission)]
            notifications.tell(
                kind, round.version, awaited, by=None, about=f"{round.number}:{round.due_on}", round=round.number,
                task=task,
            )  # fmt: skip
    return Report("remind", f"{OutboxMessage.objects.count() - before} reminders")


def _tasks(round: ReviewRound) -> Iterator[tuple[str, Callable[[ReviewRound, Commission], list[Membership]]]]:
    """Who may do both is reminded of deciding; a revalidation needs the chairs only."""
    yield "decide", asked_to_decide
    if round.kind == ReviewRound.Kind.REVIEW:
        yield "review", still_to_review


# -- the audit trail


def mail_heads() -> Report:
    """Once a day, have a digest of the trail up to midnight mailed to both chairs: evidence outside this machine."""
    today = timezone.localdate()
    if OutboxMessage.objects.filter(kind=Kind.HEADS, dedupe_key__startswith=f"{Kind.HEADS}:{today}:").exists():
        return Report("mail_heads", "told already")
    until = timezone.make_aware(datetime.combine(today, time.min))
    heads = audit.heads(until=until)
    recipients = [user for commission in Commission.objects.all() for user in _chair_of(commission)]
    if not heads.events or not recipients:
        return Report("mail_heads", "nothing to tell")
    content = {
        "day": today.isoformat(), "until": until.isoformat(), "chains": heads.chains, "events": heads.events,
        "digest": heads.digest,
    }  # fmt: skip
    OutboxMessage.objects.bulk_create(
        [
            OutboxMessage(
                recipient=user, kind=Kind.HEADS, is_urgent=True, data=content,
                dedupe_key=f"{Kind.HEADS}:{today}:{user.pk}",
            )
            for user in dict.fromkeys(recipients)
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    return Report(
        "mail_heads", f"{heads.events} events in {heads.chains} chains, told to {len(set(recipients))} chairs"
    )


def _chair_of(commission: Commission) -> list[User]:
    """The chair, or the deputy as long as nobody chairs."""
    leading = notifications.seats(commission, leading=True)
    chairs = [seat.user for seat in leading if seat.role == Membership.Role.CHAIR]
    return chairs or [seat.user for seat in leading]


def send_mails() -> Report:
    """Send what the outbox holds."""
    sent = outbox.send_due()
    done = f"{sent.mails} mails sent, {sent.skipped} messages skipped, {sent.failed} failed, {sent.waiting} wait"
    if not settings.EMAIL_IS_ON:
        done = f"mail is off (set EMAIL_URL), {sent.waiting} messages wait"
    return Report("send_mails", done, list(sent.errors))


# -- the search


def renew_search() -> Report:
    """Make the index anew when editors changed the word forms, or a new release analyses words otherwise."""
    if not is_outdated():
        return Report("renew_search", "the index is up to date")
    since = timezone.now() - LONGEST_REBUILD
    if SearchIndex.objects.filter(is_live=False, made_at__gte=since).exists():
        return Report("renew_search", "somebody else makes the index anew")
    return Report("renew_search", f"{engine().rebuild()} entries indexed anew")


JOBS: tuple[Callable[[], Report], ...] = (
    publish_due,
    settle_overdue,
    revalidate,
    remind,
    mail_heads,
    send_mails,
    renew_search,  # last: it may take minutes
)
