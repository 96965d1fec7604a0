"""The moves of a version through its states. Every change of state goes through a verb of this module.

Each verb locks the item first and the version next, looks again, and writes the audit event and the messages in the
same transaction. All raise MoveRefused (NotAllowed for the wrong person, AlreadyDone for a repeated press).
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from knowledgebase import rendering, results, search
from knowledgebase.models import (
    AuditEvent,
    Commission,
    Decision,
    Item,
    Membership,
    ReviewRound,
    SiteState,
    User,
    Version,
    VersionContributor,
)

from . import audit, notifications
from .findings import Rule, blocking, findings
from .permissions import chairs, check_publishes, check_writes, has_contributed, role_of
from .refusals import AlreadyDone, MoveRefused, NotAllowed
from .versions import HASH_VERSION, canonical, content_hash, hash_of, start_draft

# Sent inside the transaction with `version`: what is derived from published texts is renewed with it.
version_published = Signal()
version_withdrawn = Signal()

State = Version.State
Kind = notifications.Kind
EDGES = frozenset({
    (State.DRAFT, State.IN_REVIEW),
    (State.CHANGES_REQUESTED, State.IN_REVIEW),
    (State.IN_REVIEW, State.DRAFT),
    (State.IN_REVIEW, State.CHANGES_REQUESTED),
    (State.IN_REVIEW, State.APPROVED),
    (State.APPROVED, State.CHANGES_REQUESTED),
    (State.APPROVED, State.PUBLISHED),
    (State.PUBLISHED, State.SUPERSEDED),
    (State.PUBLISHED, State.WITHDRAWN),
    (State.DRAFT, State.DISCARDED),
    (State.CHANGES_REQUESTED, State.DISCARDED),
})  # fmt: skip


def locked(version: Version) -> Any:
    """The version as its kind, read again under the lock of its item (lock order: item, version, children)."""
    Item.objects.locked().get(pk=version.item_id)
    rows = Version.model_for(version.item.kind).objects.select_related("item")
    # Both rows: the guards of the children wait for the one of the base table.
    found = rows.select_for_update(of=("self", "version_ptr")).filter(pk=version.pk).first()
    if found is None:
        raise AlreadyDone(_("This draft was thrown away: nothing was changed."))
    return found


def can_become(version: Version, to: str) -> bool:
    return (version.state, to) in EDGES


def check_edge(version: Version, to: str) -> None:
    """Raises MoveRefused where there is no such move from the state that a version is in."""
    if version.state == to:
        raise AlreadyDone(
            _("Version %(number)s is “%(state)s” already: nothing was changed.")
            % {"number": version.number, "state": version.get_state_display()}
        )
    if not can_become(version, to):
        raise MoveRefused(
            _("Version %(number)s is “%(state)s” and cannot become “%(to)s”.")
            % {"number": version.number, "state": version.get_state_display(), "to": State(to).label}
        )


def _move(version: Any, to: str, *fields: str, **values: Any) -> str:
    """Write the new state with these fields; the counter that stale forms are known by grows with it."""
    before = str(version.state)
    version.state = to
    for name, value in values.items():
        setattr(version, name, value)
    version.lock_version += 1
    version.save(update_fields=["state", "lock_version", *values, *fields])
    return before


def begin(item: Item, *, by: User, based_on: Version | None = None) -> Any:
    """The draft to write in: the open one, or a copy (of an older version with `based_on`), or a first empty one.

    A first draft is not saved yet: whoever fills it calls `saved`. Raises OpenVersionNotEditable.
    """
    with transaction.atomic():
        check_writes(by)
        Item.objects.locked().get(pk=item.pk)
        known = set(item.versions.values_list("pk", flat=True))
        draft = start_draft(item, by=by, based_on=based_on)
        if draft.pk is not None and draft.pk not in known:
            saved(draft, by=by)
    return draft


def saved(version: Version, *, by: User) -> None:
    """Say who saved a draft: they count as its author from then on, and forms that were open are stale.

    What follows from its study rows is filled in.
    """
    with transaction.atomic():
        check_writes(by)
        draft = locked(version)
        if not draft.is_editable:
            raise MoveRefused(_("This version is frozen: it can no longer be saved."))
        draft.derive()
        contributor, _created = VersionContributor.objects.get_or_create(version_id=version.pk, user=by)
        contributor.save(update_fields=["last_at"])
        Version.objects.filter(pk=version.pk).update(lock_version=F("lock_version") + 1)
        begun = AuditEvent.objects.filter(item=version.item_id, version_number=version.number).exists()
        based_on = version.based_on.number if version.based_on else None
        audit.record(
            "save" if begun else "begin", by=by, role=role_of(by), version=version, to_state=version.state,
            data={} if begun or based_on is None else {"based_on": based_on},
        )  # fmt: skip
    version.refresh_from_db(fields=["lock_version"])


def submit(version: Version, *, by: User, remark: str = "", readability_reason: str = "") -> ReviewRound:
    """Freeze a draft and lay it before both commissions. Returns the new round.

    A text that is harder to read than the norm needs a reason, which the commissions read below the remark.
    """
    with transaction.atomic():
        version = locked(version)
        check_writes(by)
        check_edge(version, State.IN_REVIEW)
        found = findings(version)
        if problems := blocking(found):
            raise MoveRefused(*problems)
        if above := [finding.message for finding in found if finding.rule == Rule.READABILITY]:
            if not readability_reason.strip():
                raise MoveRefused(_("The text is harder to read than the norm. Say why, or make it easier."), *above)
            remark = _with_reason(remark, readability_reason)
        content = canonical(version)
        hashed = hash_of(content)
        last = version.rounds.exclude(outcome=ReviewRound.Outcome.RECALLED).order_by("-number").first()
        if last is not None and last.content_hash == hashed:
            raise MoveRefused(
                _("Nothing was changed since the last round. Change what was asked, then submit the text again.")
            )
        if missing := [str(commission) for commission in Commission.objects.all() if not _has_chair(commission)]:
            raise MoveRefused(
                _("Nobody chairs the %(commission)s now. Ask the administrator to fill the seat.")
                % {"commission": _(" and the ").join(missing)}
            )
        round = open_round(version, content=content, hashed=hashed, by=by, remark=remark)
        before = _move(
            version,
            State.IN_REVIEW,
            content_hash=hashed,
            hash_version=HASH_VERSION,
            round_no=round.number,
            submitted_at=round.opened_at,
            submitted_by=by,
        )
        audit.record(
            "submit",
            by=by,
            role=role_of(by),
            version=version,
            from_state=before,
            to_state=version.state,
            data={"round": round.number, "due_on": round.due_on.isoformat(), "seats": _roster()},
        )
        ask_for_reviews(round, by=by)
    return round


def _with_reason(remark: str, reason: str) -> str:
    """The remark with the reason below it, as the commissions read it."""
    told = _("Above the norm for readability, because: %(reason)s") % {"reason": reason.strip()}
    return "\n\n".join(filter(None, (remark.strip(), told)))


def _has_chair(commission: Commission) -> bool:
    return Membership.objects.active().leading().filter(commission=commission).exists()


def _roster() -> list[int]:
    return list(Membership.objects.active().order_by("pk").values_list("pk", flat=True))


def open_round(
    version: Version,
    *,
    content: dict[str, Any],
    hashed: str,
    by: User | None,
    kind: str = ReviewRound.Kind.REVIEW,
    remark: str = "",
) -> ReviewRound:
    """The next round of a version, due after the longest term that a commission takes."""
    days = max(Commission.objects.values_list("review_days", flat=True))
    last = version.rounds.order_by("-number").first()
    return ReviewRound.objects.create(
        version_id=version.pk,
        number=last.number + 1 if last else 1,
        kind=kind,
        content_hash=hashed,
        content=content,
        remark=remark.strip(),
        opened_by=by,
        due_on=timezone.localdate() + timedelta(days=days),
    )


def ask_for_reviews(round: ReviewRound, *, by: User | None) -> None:
    """Tell every member who may judge this text that it is their turn."""
    kind = Kind.REVIEW if round.kind == ReviewRound.Kind.REVIEW else Kind.REVALIDATE
    notifications.tell(
        kind, round.version, independent_members(round), by=by, about=str(round.number), round=round.number,
        due_on=round.due_on.isoformat(),
    )  # fmt: skip


def independent_members(round: ReviewRound) -> list[User]:
    """The members of both commissions who did not write in the text and did not step back from the round."""
    recused = set(round.recusals.values_list("membership__user", flat=True))
    seats = (seat for commission in Commission.objects.all() for seat in notifications.seats(commission))
    return [
        seat.user for seat in seats if seat.user_id not in recused and not has_contributed(seat.user, round.version)
    ]


def recall(version: Version, *, by: User) -> Any:
    """Take a text back from the commissions, as long as none of them decided. Returns the draft."""
    with transaction.atomic():
        version = locked(version)
        check_writes(by)
        check_edge(version, State.DRAFT)
        if by.pk != version.submitted_by_id:
            raise NotAllowed(_("Only who submitted a text recalls it."))
        round = version.rounds.open().get()
        if round.decisions.standing().exists():
            raise MoveRefused(_("A commission has decided. Wait for the other one: you then get both answers at once."))
        close(round, ReviewRound.Outcome.RECALLED)
        before = _move(version, State.DRAFT)
        audit.record(
            "recall", by=by, role=role_of(by), version=version, from_state=before, to_state=version.state,
            data={"round": round.number},
        )  # fmt: skip
        asked = independent_members(round)
        notifications.tell(Kind.RECALLED, version, asked, by=by, about=str(round.number), round=round.number)
    return version


def close(round: ReviewRound, outcome: str) -> None:
    round.closed_at, round.outcome = timezone.now(), outcome
    round.save(update_fields=["closed_at", "outcome"])


def settle(round: ReviewRound, *, by: User | None, role: str, early: bool = False) -> Any:
    """Move a version whose commissions have decided: approved, or back to the editors with all that is asked.

    Called with the item locked, after every decision and by the jobs. One that asks for changes waits for the other
    commission until the day on which the round is due, unless `early`. Returns the version, moved or not.
    """
    version = locked(round.version)
    if version.state != State.IN_REVIEW or version.round_no != round.number:
        return version
    outcomes = list(round.decisions.standing().values_list("outcome", flat=True))
    asks = Decision.Outcome.CHANGES in outcomes
    if asks and (len(outcomes) == 2 or early or round.due_on < timezone.localdate()):
        to, outcome = State.CHANGES_REQUESTED, ReviewRound.Outcome.CHANGES
    elif outcomes == [Decision.Outcome.APPROVE] * 2:
        to, outcome = State.APPROVED, ReviewRound.Outcome.APPROVED
    else:
        return version
    close(round, outcome)
    before = _move(version, to)
    audit.record(
        "settle", by=by, role=role, version=version, from_state=before, to_state=to, data={"round": round.number}
    )
    if to == State.APPROVED:
        kind, told = Kind.PUBLISH, notifications.publishers()
    else:
        kind, told = Kind.CHANGES, notifications.authors_of(version)
    notifications.tell(kind, version, told, by=by, about=str(round.number), round=round.number)
    return version


def reopen_after_revocation(version: Any, *, by: User, role: str, reason: str) -> None:
    """An approved version whose approval was revoked goes back to the editors; called with the item locked."""
    before = _move(version, State.CHANGES_REQUESTED, publish_at=None, scheduled_by=None)
    audit.record(
        "reopen", by=by, role=role, version=version, from_state=before, to_state=version.state, data={"reason": reason}
    )


def schedule(version: Version, *, by: User, at: datetime) -> Any:
    """Set the moment at which an approved version is published. Returns the version."""
    with transaction.atomic():
        version = locked(version)
        check_publishes(by)
        if version.state != State.APPROVED:
            check_edge(version, State.PUBLISHED)
        if at <= timezone.now():
            raise MoveRefused(_("Choose a moment in the future, or publish the text now."))
        _move(version, version.state, publish_at=at, scheduled_by=by)
        audit.record("schedule", by=by, role=role_of(by), version=version, data={"at": at.isoformat()})
    return version


def unschedule(version: Version, *, by: User) -> Any:
    """Forget the moment of publication. Returns the version."""
    with transaction.atomic():
        version = locked(version)
        check_publishes(by)
        if version.publish_at is None or version.state != State.APPROVED:
            raise AlreadyDone(_("No publication is planned: nothing was changed."))
        _move(version, version.state, publish_at=None, scheduled_by=None)
        audit.record("unschedule", by=by, role=role_of(by), version=version)
    return version


def publish(version: Version, *, by: User | None = None) -> Any:
    """Make an approved version public in place of the one that was; fill what is derived from it, in one transaction.

    Without `by` the scheduler does it, on behalf of who planned it. Returns the published version.
    """
    with transaction.atomic():
        version = locked(version)
        SiteState.touch()  # first, so that publications wait for each other: all of them write the index
        planned_by = version.scheduled_by
        if by is not None:
            check_publishes(by)
        elif planned_by is None or version.publish_at is None or version.publish_at > timezone.now():
            raise MoveRefused(_("No publication is planned for now."))
        check_edge(version, State.PUBLISHED)
        if refusals := approval_gaps(version):
            raise MoveRefused(*refusals)
        previous = version.item.versions.published().first()
        if previous is not None:
            close_revalidation(previous)
            before = _move(previous, State.SUPERSEDED)
            audit.record(
                "supersede", by=by, role=_publisher_role(by), version=previous, from_state=before,
                to_state=previous.state, data={"by_version": version.number},
            )  # fmt: skip
        before = _move(
            version, State.PUBLISHED, published_at=timezone.now(), published_by=by or planned_by, publish_at=None,
            scheduled_by=None,
        )  # fmt: skip
        Item.objects.filter(pk=version.item_id).update(review_due_on=next_review())
        rendering.store(version)
        results.store(version)
        search.index(version)
        version_published.send(type(version), version=version)
        audit.record(
            "publish",
            by=by,
            role=_publisher_role(by),
            version=version,
            from_state=before,
            to_state=version.state,
            on_behalf_of=None if by else planned_by,
        )
        told = [*notifications.authors_of(version), *_deciders(version)]
        notifications.tell(Kind.PUBLISHED, version, told, by=by, about=str(version.round_no))
    return version


def _publisher_role(by: User | None) -> str:
    return role_of(by) if by else audit.SYSTEM


def _deciders(version: Version) -> list[User]:
    round = version.rounds.filter(number=version.round_no).first()
    return (
        [decision.decided_by for decision in round.decisions.standing().select_related("decided_by")] if round else []
    )


def next_review(today: date | None = None) -> date:
    """The day on which a text that is approved today is looked at again."""
    today = today or timezone.localdate()
    years, month = divmod(today.month - 1 + settings.REVIEW_AFTER_MONTHS, 12)
    return date(today.year + years, month + 1, min(today.day, 28))


def approval_gaps(version: Version) -> list[str]:
    """Why the approvals of a version do not let it be published; empty when both hold for exactly this text."""
    round = version.rounds.filter(number=version.round_no).first()
    standing = list(round.decisions.standing().select_related("commission")) if round else []
    approved = {d.commission.code for d in standing if d.outcome == Decision.Outcome.APPROVE}
    gaps = [
        _("The %(commission)s has not approved this text.") % {"commission": commission}
        for commission in Commission.objects.all()
        if commission.code not in approved
    ]
    if content_hash(version) != version.content_hash or any(d.content_hash != version.content_hash for d in standing):
        gaps.append(_("The text is not the one that was approved. Ask the administrator to verify the audit trail."))
    return gaps


def withdraw(version: Version, *, by: User, reason: str, note: str = "") -> Any:
    """Take a published version offline; its address then says why. One chair or the editor in chief is enough.

    `reason` is public, `note` is for the audit trail. Returns the version.
    """
    with transaction.atomic():
        version = locked(version)
        SiteState.touch()
        role = withdrawing_role(by)
        if not role:
            raise NotAllowed(_("Only the editor in chief and the chairs of the commissions withdraw a text."))
        check_edge(version, State.WITHDRAWN)
        if not reason.strip():
            raise MoveRefused(_("Say why the text is withdrawn: readers will see this reason."))
        close_revalidation(version)
        before = _move(
            version, State.WITHDRAWN, withdrawn_at=timezone.now(), withdrawn_by=by, withdrawal_reason=reason.strip()
        )
        search.remove(version.item)
        version_withdrawn.send(type(version), version=version, by=by)
        audit.record(
            "withdraw", by=by, role=role, version=version, from_state=before, to_state=version.state,
            data={"reason": reason.strip(), "note": note.strip()},
        )  # fmt: skip
        leading = [
            seat.user
            for commission in Commission.objects.all()
            for seat in notifications.seats(commission, leading=True)
        ]
        told = [*notifications.authors_of(version), *notifications.publishers(), *leading]
        notifications.tell(Kind.WITHDRAWN, version, told, by=by, about="withdrawn", reason=reason.strip())
    return version


def withdrawing_role(user: User) -> str:
    """The role in which somebody may withdraw a text; empty when they may not."""
    if user.has_perm("knowledgebase.publish_version"):
        return role_of(user) or "publisher"
    return next((f"{seat.role} {seat.commission.code}" for seat in chairs(user)), "")


def close_revalidation(version: Version) -> None:
    """A version that leaves the site needs no confirmation any more."""
    for round in version.rounds.open():
        close(round, ReviewRound.Outcome.WITHDRAWN)


def discard(version: Version, *, by: User) -> None:
    """Throw an open version away: one that was never submitted leaves the database, another stays as discarded."""
    with transaction.atomic():
        version = locked(version)
        check_writes(by)
        check_edge(version, State.DISCARDED)
        if version.round_no == 0:
            audit.record("delete", by=by, role=role_of(by), version=version, from_state=version.state)
            version.delete()
            return
        before = _move(version, State.DISCARDED)
        audit.record("discard", by=by, role=role_of(by), version=version, from_state=before, to_state=version.state)
