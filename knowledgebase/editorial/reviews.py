"""What members and chairs of the commissions do. A decision moves the version through transitions.settle.

Every verb locks the item first, looks again, and raises MoveRefused (NotAllowed, AlreadyDone) with what to do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from knowledgebase.models import (
    Comment,
    Commission,
    Criterion,
    CriterionAnswer,
    Decision,
    Item,
    Membership,
    Recusal,
    Review,
    ReviewRound,
    SiteState,
    User,
    Version,
    VersionContributor,
)

from . import audit, notifications
from .permissions import check_independent, check_publishes, is_recused, role_of, seat_of
from .refusals import AlreadyDone, MoveRefused, NotAllowed
from .transitions import ask_for_reviews, close, locked, next_review, open_round, reopen_after_revocation, settle
from .versions import canonical, content_hash, hash_of

Kind = notifications.Kind
State = Version.State


@dataclass(frozen=True)
class Answer:
    """How a member answers one criterion."""

    criterion: Criterion
    value: str
    comment: str = ""


def _locked(round: ReviewRound) -> ReviewRound:
    Item.objects.locked().get(pk=round.version.item_id)
    return ReviewRound.objects.select_for_update(of=("self",)).select_related("version__item").get(pk=round.pk)


def _check_open(round: ReviewRound) -> None:
    if not round.is_open:
        raise MoveRefused(
            _("Round %(number)s is closed. Look at the desk for what is asked of you now.") % {"number": round.number}
        )


def _check_text(round: ReviewRound, seen: str) -> None:
    if seen != round.content_hash:
        raise MoveRefused(_("The text has changed since you opened it. Read it again before you judge."))


def _seat(user: User, commission: Commission) -> Membership:
    seat = seat_of(user, commission)
    if seat is None:
        raise NotAllowed(
            _("You have no seat in the %(commission)s now. Members of one commission never act for the other.")
            % {"commission": commission}
        )
    return seat


def _leading_seat(user: User, commission: Commission) -> Membership:
    seat = _seat(user, commission)
    if not seat.is_leading:
        raise NotAllowed(
            _("Only the chair or the deputy chair of the %(commission)s does this.") % {"commission": commission}
        )
    return seat


def _role(seat: Membership) -> str:
    return f"{seat.role} {seat.commission.code}"


def _on_behalf_of(seat: Membership) -> User | None:
    """The chair for whom a deputy acts."""
    if seat.role != Membership.Role.DEPUTY:
        return None
    chair = Membership.objects.active().filter(commission=seat.commission, role=Membership.Role.CHAIR).first()
    return chair.user if chair else None


def submit_review(
    round: ReviewRound,
    *,
    commission: Commission,
    by: User,
    seen: str,
    recommendation: str,
    interest: str,
    interest_text: str = "",
    body: str = "",
    answers: Iterable[Answer] = (),
) -> Review:
    """Record what a member recommends; `seen` is the content hash of the text that was on the screen."""
    with transaction.atomic():
        round = _locked(round)
        seat = _seat(by, commission)
        _check_open(round)
        check_independent(by, round, seat)
        if Review.objects.filter(round=round, commission=commission, membership__user=by).exists():
            raise AlreadyDone(_("You reviewed this round already: nothing was changed."))
        _check_text(round, seen)
        answers = list(answers)
        asked = set(commission.criteria.filter(is_active=True).values_list("pk", flat=True))
        if asked - {answer.criterion.pk for answer in answers if answer.value in CriterionAnswer.Value.values}:
            raise MoveRefused(_("Answer every criterion. “Does not apply” is an answer too."))
        if recommendation not in Review.Recommendation.values or interest not in Review.Interest.values:
            raise MoveRefused(_("Choose a recommendation, and say whether you have an interest."))
        if interest == Review.Interest.DECLARED and not interest_text.strip():
            raise MoveRefused(_("Say which interest you declare: readers see it with the approval."))
        if recommendation != Review.Recommendation.APPROVE and not body.strip():
            raise MoveRefused(_("Explain your recommendation, so that the editors know what to do."))
        review = Review.objects.create(
            round=round,
            commission=commission,
            membership=seat,
            interest=interest,
            interest_text=interest_text.strip() if interest == Review.Interest.DECLARED else "",
            recommendation=recommendation,
            body=body.strip(),
        )
        CriterionAnswer.objects.bulk_create(
            CriterionAnswer(
                review=review,
                criterion=answer.criterion,
                criterion_text=answer.criterion.text,
                value=answer.value,
                comment=answer.comment.strip(),
            )
            for answer in answers
            if answer.criterion.pk in asked
        )
        audit.record(
            "review", by=by, role=_role(seat), version=round.version,
            data={"round": round.number, "recommendation": recommendation},
        )  # fmt: skip
        ask_to_decide(round, by=by)
    return review


def ask_to_decide(round: ReviewRound, *, by: User | None) -> None:
    """Tell whose turn it is to decide, once; the editors in chief hear it when a commission has nobody who may."""
    for found in standings([round])[round.pk]:
        if found.state != "ready":
            continue
        asked = [seat.user for seat in _asked(found)]
        notifications.tell(
            Kind.DECIDE if asked else Kind.STUCK, round.version, asked or notifications.publishers(), by=by,
            about=f"{round.number}-{found.commission.code}", round=round.number, commission=found.commission.code,
            due_on=round.due_on.isoformat(),
        )  # fmt: skip


def still_to_review(round: ReviewRound, commission: Commission) -> list[Membership]:
    """The seats from which a recommendation is still awaited in an open round."""
    found = standing(round, commission)
    return list(found.expected) if round.is_open and found.decision is None else []


def asked_to_decide(round: ReviewRound, commission: Commission) -> list[Membership]:
    """Whose turn it is to decide in an open round: the chair, else the deputy; empty before the quorum."""
    found = standing(round, commission)
    return _asked(found) if round.is_open and found.state == "ready" else []


def _asked(found: "Standing") -> list[Membership]:
    return [seat for seat in found.deciding if seat.role == Membership.Role.CHAIR] or list(found.deciding)


def recuse(round: ReviewRound, *, commission: Commission, by: User, reason: str) -> Recusal:
    """Step back from a round. A review that was given no longer counts; the chair is told."""
    with transaction.atomic():
        round = _locked(round)
        seat = _seat(by, commission)
        _check_open(round)
        if is_recused(seat, round):
            raise AlreadyDone(_("You stepped back from this round already: nothing was changed."))
        if not reason.strip():
            raise MoveRefused(_("Say why you step back. Your commission and the editors see it."))
        if round.decisions.standing().filter(decided_by=by).exists():
            raise MoveRefused(_("You decided in this round. Revoke your decision first."))
        recusal = Recusal.objects.create(round=round, membership=seat, reason=reason.strip())
        audit.record("recuse", by=by, role=_role(seat), version=round.version, data={"round": round.number})
        leading = [seat.user for seat in notifications.seats(commission, leading=True) if not is_recused(seat, round)]
        notifications.tell(
            Kind.RECUSED, round.version, leading, by=by, about=f"{round.number}-{seat.pk}", round=round.number
        )
        ask_to_decide(round, by=by)
    return recusal


def decide(
    round: ReviewRound,
    *,
    commission: Commission,
    by: User,
    seen: str,
    outcome: str,
    rationale: str,
    minority_note: str = "",
    interest_text: str = "",
) -> Decision:
    """Record what a commission decides, after its quorum; the last decision moves the version."""
    with transaction.atomic():
        round = _locked(round)
        seat = _may_decide(round, commission, by)
        _check_text(round, seen)
        if outcome not in Decision.Outcome.values:
            raise MoveRefused(_("Choose whether your commission approves the text."))
        if not rationale.strip():
            raise MoveRefused(_("Give the reasons of your commission: readers see them with the text."))
        if outcome == Decision.Outcome.APPROVE:
            _check_no_blocking(round, commission)
        reached = standing(round, commission).reviews
        needed = commission.quorum if round.kind == ReviewRound.Kind.REVIEW else 0
        if reached < needed:
            raise MoveRefused(
                _("%(reached)s of the %(needed)s recommendations are there. Wait for the others.")
                % {"reached": reached, "needed": needed}
            )
        return _decide(
            round, seat, by=by, outcome=outcome, rationale=rationale, minority_note=minority_note,
            interest_text=interest_text, needed=needed, reached=reached,
        )  # fmt: skip


def confirm_earlier(round: ReviewRound, *, commission: Commission, by: User, seen: str) -> Decision:
    """Approve again what a commission approved in an earlier round, when nothing in its area changed since."""
    with transaction.atomic():
        round = _locked(round)
        seat = _may_decide(round, commission, by)
        _check_text(round, seen)
        earlier = confirmable(round, commission)
        if earlier is None:
            raise MoveRefused(_("There is no earlier approval to confirm: the text changed in your area."))
        _check_no_blocking(round, commission)
        return _decide(
            round, seat, by=by, outcome=Decision.Outcome.APPROVE, rationale=earlier.rationale,
            minority_note=earlier.minority_note, interest_text=earlier.interest_text, needed=earlier.quorum_needed,
            reached=earlier.quorum_reached, confirms=earlier,
        )  # fmt: skip


def confirmable(round: ReviewRound, commission: Commission) -> Decision | None:
    """The approval of a commission in an earlier round of this version whose area reads the same now."""
    if round.kind != ReviewRound.Kind.REVIEW:
        return None
    earlier = (
        Decision.objects.standing()
        .filter(round__version=round.version_id, round__number__lt=round.number, commission=commission)
        .select_related("round")
        .order_by("-round__number")
        .first()
    )
    if earlier is None or earlier.outcome != Decision.Outcome.APPROVE:
        return None
    model = Version.model_for(round.version.item.kind)
    others = model.scientific_fields if commission.code == Commission.Code.USER else model.user_fields
    return earlier if _area(earlier.round.content, others) == _area(round.content, others) else None


def _area(content: dict[str, Any], others: Iterable[str]) -> dict[str, Any]:
    left_out = {*others, "change_type", "conclusion_changed", "change_note"}
    return {name: value for name, value in content.items() if name not in left_out}


def _may_decide(round: ReviewRound, commission: Commission, by: User) -> Membership:
    seat = _leading_seat(by, commission)
    given = round.decisions.standing().filter(commission=commission).select_related("decided_by").first()
    if given is not None:
        raise AlreadyDone(
            _("%(who)s recorded the decision of the %(commission)s already: nothing was changed.")
            % {"who": given.decided_by.get_full_name() or given.decided_by, "commission": commission}
        )
    _check_open(round)
    check_independent(by, round, seat)
    if round.decisions.standing().filter(decided_by=by).exists():
        raise NotAllowed(_("You decided for the other commission. One person never decides for both."))
    return seat


def _check_no_blocking(round: ReviewRound, commission: Commission) -> None:
    open_comments = Comment.objects.blocking().filter(version=round.version_id, commission=commission).count()
    if open_comments:
        raise MoveRefused(
            _("%(count)s comments must be settled before your commission approves. Resolve them first.")
            % {"count": open_comments}
        )


def _decide(
    round: ReviewRound,
    seat: Membership,
    *,
    by: User,
    outcome: str,
    rationale: str,
    minority_note: str,
    interest_text: str,
    needed: int,
    reached: int,
    confirms: Decision | None = None,
) -> Decision:
    version = locked(round.version)
    decision = Decision.objects.create(
        round=round,
        commission=seat.commission,
        membership=seat,
        outcome=outcome,
        content_hash=round.content_hash,
        decided_by=by,
        quorum_needed=needed,
        quorum_reached=reached,
        confirms=confirms,
        interest_text=interest_text.strip(),
        rationale=rationale.strip(),
        minority_note=minority_note.strip(),
        evidence_manifest=manifest(version),
    )
    audit.record(
        "confirm" if confirms else "decide", by=by, role=_role(seat), version=version,
        on_behalf_of=_on_behalf_of(seat), data={"round": round.number, "outcome": outcome},
    )  # fmt: skip
    if round.kind == ReviewRound.Kind.REVIEW:
        settle(round, by=by, role=_role(seat))
    else:
        _settle_revalidation(round, by=by, role=_role(seat))
    if round.is_open:
        ask_to_decide(round, by=by)  # who decided here decides nothing for the other commission
    return decision


def manifest(version: Version) -> dict[str, int]:
    """The published version, now, of every text that this one refers to: {"summary/feedback": 3}."""
    linked = Version.objects.published().filter(item__linked_from__version=version.pk).select_related("item")
    return {f"{other.item.kind}/{other.item.key or other.item.slug}": other.number for other in linked}


def revoke(decision: Decision, *, by: User, reason: str) -> Version:
    """Take a commission's decision back before publication; an approved text returns to the editors."""
    with transaction.atomic():
        round = _locked(decision.round)
        version: Version = locked(round.version)
        decision = Decision.objects.select_for_update(of=("self",)).select_related("commission").get(pk=decision.pk)
        seat = _leading_seat(by, decision.commission)
        if decision.revoked_at is not None:
            raise AlreadyDone(_("This decision was revoked already: nothing was changed."))
        if not reason.strip():
            raise MoveRefused(_("Say why the decision is revoked."))
        current = round.number == version.round_no and version.state in {State.IN_REVIEW, State.APPROVED}
        if not current and not round.is_open:
            raise MoveRefused(_("This round is over. A published text is withdrawn, or gets a new version."))
        decision.revoked_at, decision.revoked_by, decision.revoked_reason = timezone.now(), by, reason.strip()
        decision.save(update_fields=["revoked_at", "revoked_by", "revoked_reason"])
        audit.record(
            "revoke", by=by, role=_role(seat), version=version, on_behalf_of=_on_behalf_of(seat),
            data={"round": round.number, "reason": reason.strip()},
        )  # fmt: skip
        if version.state == State.APPROVED:
            reopen_after_revocation(version, by=by, role=_role(seat), reason=reason.strip())
        told = [*notifications.authors_of(version), *notifications.publishers()]
        told += [other.decided_by for other in round.decisions.standing().select_related("decided_by")]
        notifications.tell(Kind.REVOKED, version, told, by=by, about=str(decision.pk), reason=reason.strip())
    return version


def close_early(round: ReviewRound, *, commission: Commission, by: User) -> Version:
    """Give a text back to the editors before the other commission has decided, because this one asks for changes."""
    with transaction.atomic():
        round = _locked(round)
        seat = _leading_seat(by, commission)
        _check_open(round)
        own = round.decisions.standing().filter(commission=commission, outcome=Decision.Outcome.CHANGES)
        if round.kind != ReviewRound.Kind.REVIEW or not own.exists():
            raise MoveRefused(_("Only a commission that asked for changes closes the round before the other decides."))
        version: Version = settle(round, by=by, role=_role(seat), early=True)
    return version


# -- comments


def comment(
    round: ReviewRound,
    *,
    commission: Commission,
    by: User,
    field: str,
    body: str,
    target_uid: UUID | None = None,
    quote: str = "",
    is_blocking: bool = False,
) -> Comment:
    """Say something about a field, a child row (`target_uid`) or a passage (`quote`) of the text under review."""
    with transaction.atomic():
        round = _locked(round)
        seat = _seat(by, commission)
        _check_open(round)
        check_independent(by, round, seat)
        if not body.strip():
            raise MoveRefused(_("Write what you want to say."))
        made = Comment.objects.create(
            version=round.version,
            round=round,
            commission=commission,
            author=by,
            field=field,
            target_uid=target_uid,
            quote=quote.strip(),
            body=body.strip(),
            is_blocking=is_blocking,
        )
        audit.record(
            "comment", by=by, role=_role(seat), version=round.version, data={"comment": made.pk, "field": field}
        )
        authors = notifications.authors_of(round.version)
        notifications.tell(Kind.COMMENT, round.version, authors, by=by, about=str(made.pk))
    return made


def resolve(comment: Comment, *, by: User) -> Comment:
    """Settle a comment: its author does, or who leads the commission."""
    with transaction.atomic():
        Item.objects.locked().get(pk=comment.version.item_id)
        comment = Comment.objects.select_for_update(of=("self",)).select_related("commission").get(pk=comment.pk)
        seat = _seat(by, comment.commission)
        if comment.author_id != by.pk and not seat.is_leading:
            raise NotAllowed(_("Who wrote a comment resolves it, or the chair of the commission."))
        if comment.resolved_at is not None:
            raise AlreadyDone(_("This comment was resolved already: nothing was changed."))
        comment.resolved_at, comment.resolved_by = timezone.now(), by
        comment.save(update_fields=["resolved_at", "resolved_by"])
        audit.record("resolve", by=by, role=_role(seat), version=comment.version, data={"comment": comment.pk})
    return comment


# -- a published text whose review date has come


def start_revalidation(version: Version, *, by: User | None = None) -> ReviewRound:
    """Ask both commissions whether a published version still holds. Without `by` the jobs do, on its review date."""
    with transaction.atomic():
        version = locked(version)
        if by is not None:
            check_publishes(by)
        if version.state != State.PUBLISHED:
            raise MoveRefused(_("Only a published version is confirmed again."))
        if version.rounds.open().exists():
            raise AlreadyDone(_("The commissions were asked already: nothing was changed."))
        content = canonical(version)
        if hash_of(content) != version.content_hash:
            raise MoveRefused(
                _("A source or a term in this text changed since its approval. Make a new version instead.")
            )
        round = open_round(
            version, content=content, hashed=version.content_hash, by=by, kind=ReviewRound.Kind.REVALIDATION
        )
        audit.record(
            "revalidate", by=by, role=role_of(by) if by else audit.SYSTEM, version=version,
            data={"round": round.number},
        )  # fmt: skip
        SiteState.touch()  # readers see that the commissions look again
        ask_for_reviews(round, by=by)
        ask_to_decide(round, by=by)
    return round


def _settle_revalidation(round: ReviewRound, *, by: User, role: str) -> None:
    outcomes = list(round.decisions.standing().values_list("outcome", flat=True))
    if len(outcomes) < 2:
        return
    version = round.version
    SiteState.touch()  # readers see what came of it
    if outcomes == [Decision.Outcome.APPROVE] * 2:
        if content_hash(version.specific()) != round.content_hash:
            raise MoveRefused(_("A source in this text changed since it was approved. Make a new version instead."))
        close(round, ReviewRound.Outcome.APPROVED)
        due = next_review()
        Item.objects.filter(pk=version.item_id).update(review_due_on=due)
        audit.record("confirmed", by=by, role=role, version=version, data={"review_due_on": due.isoformat()})
    else:
        close(round, ReviewRound.Outcome.CHANGES)
        audit.record("not_confirmed", by=by, role=role, version=version, data={"round": round.number})
        notifications.tell(
            Kind.CHANGES, version, [*notifications.authors_of(version), *notifications.publishers()], by=by,
            about=str(round.number), round=round.number,
        )  # fmt: skip


# -- where a round stands


@dataclass(frozen=True)
class Standing:
    """How far a commission is in a round, and who may still act in it."""

    commission: Commission
    state: str  # waiting, reviewing, ready, approved or changes
    reviews: int  # that count for the quorum
    decision: Decision | None
    reviewed: frozenset[int] = frozenset()  # the people who gave a review
    recused: frozenset[int] = frozenset()
    contributed: frozenset[int] = frozenset()
    expected: tuple[Membership, ...] = ()  # the seats that may still give one
    deciding: tuple[Membership, ...] = ()  # the chair and the deputy, as far as they may decide


def standing(round: ReviewRound, commission: Commission) -> Standing:
    """Computed from reviews and decisions, never stored."""
    return next(found for found in standings([round])[round.pk] if found.commission == commission)


def standings(rounds: Iterable[ReviewRound]) -> dict[int, list[Standing]]:
    """Where both commissions stand in each of these rounds, in as many queries for one as for many."""
    rounds = list(rounds)
    commissions = list(Commission.objects.all())
    seats = list(Membership.objects.active().select_related("user", "commission"))
    decisions = {
        (decision.round_id, decision.commission_id): decision
        for decision in Decision.objects.standing().filter(round__in=rounds).select_related("membership__user")
    }
    reviews = _people(
        Review.objects.filter(round__in=rounds), "round", "commission", "recommendation", "membership__user"
    )
    recusals = _people(Recusal.objects.filter(round__in=rounds), "round", "membership__user")
    wrote = _people(
        VersionContributor.objects.filter(
            version__item__versions__rounds__in=rounds, user__in={seat.user_id for seat in seats}
        ).distinct(),
        "version__item",
        "user",
    )
    found: dict[int, list[Standing]] = {}
    for round in rounds:
        recused = frozenset(user for pk, user in recusals if pk == round.pk)
        contributed = frozenset(user for item, user in wrote if item == round.version.item_id)
        found[round.pk] = [
            _standing(
                round,
                commission,
                decision=decisions.get((round.pk, commission.pk)),
                given=[(how, who) for pk, code, how, who in reviews if (pk, code) == (round.pk, commission.pk)],
                recused=recused,
                contributed=contributed,
                seats=[seat for seat in seats if seat.commission_id == commission.pk],
                others={
                    given.decided_by_id
                    for (pk, code), given in decisions.items()
                    if pk == round.pk and code != commission.pk
                },
            )
            for commission in commissions
        ]
    return found


def _people(rows: Any, *fields: str) -> list[Any]:
    return list(rows.order_by().values_list(*fields))


def _standing(
    round: ReviewRound,
    commission: Commission,
    *,
    decision: Decision | None,
    given: list[tuple[str, int]],
    recused: frozenset[int],
    contributed: frozenset[int],
    seats: list[Membership],
    others: set[int],
) -> Standing:
    reviewed = frozenset(who for _how, who in given)
    count = sum(how != Review.Recommendation.ABSTAIN and who not in recused for how, who in given)
    if decision is not None:
        state = "approved" if decision.outcome == Decision.Outcome.APPROVE else "changes"
    elif round.kind == ReviewRound.Kind.REVALIDATION or count >= commission.quorum:
        state = "ready"
    else:
        state = "reviewing" if count else "waiting"
    free = [seat for seat in seats if seat.user_id not in recused | contributed]
    return Standing(
        commission,
        state,
        count,
        decision,
        reviewed=reviewed,
        recused=recused,
        contributed=contributed,
        expected=tuple(seat for seat in free if seat.user_id not in reviewed),
        deciding=tuple(seat for seat in free if seat.is_leading and seat.user_id not in others),
    )


def visible_reviews(round: ReviewRound, *, to: User) -> Any:
    """The reviews that somebody may read: members only their own commission's, and only after giving their own."""
    seats = list(Membership.objects.active().filter(user=to))
    own = Review.objects.filter(round=round, membership__in=seats)
    reviewed = set(own.values_list("commission", flat=True))
    leading = {seat.commission_id for seat in seats if seat.is_leading and _past_quorum(round, seat.commission)}
    shown = Q(membership__in=seats) | Q(commission__in=reviewed | leading)
    if not round.is_open:
        shown |= Q(commission__in={seat.commission_id for seat in seats})
    if not seats and to.has_perm("knowledgebase.write_version") and not round.is_open:
        shown = Q()  # editors get all reports at once, when the round is over
    elif not seats:
        return Review.objects.none()
    return Review.objects.filter(shown, round=round).select_related("membership__user", "commission")


def _past_quorum(round: ReviewRound, commission: Commission) -> bool:
    return standing(round, commission).reviews >= commission.quorum


def visible_comments(round: ReviewRound, *, to: User) -> Any:
    """The comments on a text that somebody may read: editors all, members those of their own commission.

    What colleagues say in a round that is open, members see after giving their own review, like the reviews.
    """
    comments = Comment.objects.filter(version=round.version_id).select_related(
        "author", "commission", "round", "resolved_by"
    )
    seats = list(Membership.objects.active().filter(user=to).select_related("commission"))
    if not seats:
        return comments if to.has_perm("knowledgebase.write_version") else comments.none()
    own = {seat.commission_id for seat in seats}
    if not round.is_open:
        return comments.filter(commission__in=own)
    reviewed = set(Review.objects.filter(round=round, membership__in=seats).values_list("commission", flat=True))
    leading = {seat.commission_id for seat in seats if seat.is_leading and _past_quorum(round, seat.commission)}
    heard = ~Q(round=round) | Q(author=to) | Q(commission__in=reviewed | leading)
    return comments.filter(heard, commission__in=own)
