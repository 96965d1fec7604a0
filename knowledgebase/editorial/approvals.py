"""Who approved a version and why, as readers see it: names only with consent, and what happened since."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from knowledgebase.models import Decision, Membership, Recusal, Review, ReviewRound, Version

State = Version.State
LOOKED = (ReviewRound.Outcome.APPROVED, ReviewRound.Outcome.CHANGES)


@dataclass(frozen=True)
class Interest:
    """An interest that somebody declared who judged the text; no name without consent."""

    role: str
    name: str
    text: str


@dataclass(frozen=True)
class Approval:
    """What a commission decided on a version, recorded by its chair or deputy; no name without consent."""

    commission: str
    approves: bool
    role: str
    name: str
    at: datetime
    advices: int
    rationale: str
    minority_note: str
    interests: tuple[Interest, ...]
    confirms_at: datetime | None  # when the same commission first approved this, in an earlier round


@dataclass(frozen=True)
class SecondLook:
    """A published version before both commissions again, when its review date had come."""

    at: datetime
    confirmed: bool
    decisions: tuple[Approval, ...]


@dataclass(frozen=True)
class Approvals:
    """All that readers see of the approval of one version."""

    decisions: tuple[Approval, ...] = ()
    looks: tuple[SecondLook, ...] = ()
    evidence: dict[str, int] = field(default_factory=dict)  # the version of every linked text when it was last approved

    def __bool__(self) -> bool:
        return bool(self.decisions)

    @property
    def at(self) -> datetime:
        """When the last of the commissions approved."""
        return max(decision.at for decision in self.decisions)

    @property
    def last_approved_at(self) -> datetime:
        """When the commissions last said that the text holds."""
        return max([self.at, *(look.at for look in self.looks if look.confirmed)])

    @property
    def last_look(self) -> SecondLook | None:
        """The last time that the commissions looked at it again."""
        return self.looks[-1] if self.looks else None


@dataclass(frozen=True)
class NewerEvidence:
    """A text that was linked when a version was approved and has changed since; `now` is None when it is gone."""

    title: str
    url: str
    then: int
    now: int | None


def approvals_of(versions: Iterable[Version]) -> dict[int, Approvals]:
    """The approvals of versions by id, in two queries."""
    rounds = {version.pk: version.round_no for version in versions}
    decisions: dict[int, list[Decision]] = {pk: [] for pk in rounds}
    found = Decision.objects.filter(round__version__in=rounds).defer("round__content")
    for decision in found.select_related("round", "commission", "membership__user"):
        decisions[decision.round.version_id].append(decision)
    interests = _interests(rounds)
    return {pk: _approvals(number, decisions[pk], interests) for pk, number in rounds.items()}


def _interests(versions: Iterable[int]) -> dict[tuple[int, int], list[Interest]]:
    """What members declared, by round and commission; who stepped back did not judge."""
    recused = Recusal.objects.filter(round=OuterRef("round"), membership__user=OuterRef("membership__user"))
    reviews = Review.objects.filter(~Exists(recused), round__version__in=versions, interest=Review.Interest.DECLARED)
    found: dict[tuple[int, int], list[Interest]] = {}
    for review in reviews.select_related("membership__user").order_by("round", "submitted_at", "pk"):
        declared = Interest(*_person(review.membership), review.interest_text)
        found.setdefault((review.round_id, review.commission_id), []).append(declared)
    return found


def _approvals(
    number: int, decisions: Sequence[Decision], interests: dict[tuple[int, int], list[Interest]]
) -> Approvals:
    known = {decision.pk: decision for decision in decisions}
    standing = [decision for decision in decisions if decision.revoked_at is None]
    approving = [
        decision
        for decision in standing
        if decision.round.number == number
        and decision.round.kind == ReviewRound.Kind.REVIEW
        and decision.outcome == Decision.Outcome.APPROVE
    ]
    if len(approving) < 2:
        return Approvals()  # nothing that readers could rely on
    again: dict[int, list[Decision]] = {}
    for decision in standing:
        if decision.round.kind == ReviewRound.Kind.REVALIDATION and decision.round.outcome in LOOKED:
            again.setdefault(decision.round.number, []).append(decision)
    looks = [
        SecondLook(
            at=max(decision.decided_at for decision in given),
            confirmed=_confirmed(given),
            decisions=tuple(_approval(decision, known, interests) for decision in given),
        )
        for _number, given in sorted(again.items())
    ]
    last = next((given for _n, given in sorted(again.items(), reverse=True) if _confirmed(given)), approving)
    evidence: dict[str, int] = {}
    for decision in last:
        for key, seen in decision.evidence_manifest.items():
            evidence[key] = min(seen, evidence.get(key, seen))
    return Approvals(tuple(_approval(decision, known, interests) for decision in approving), tuple(looks), evidence)


def _confirmed(given: Sequence[Decision]) -> bool:
    return given[0].round.outcome == ReviewRound.Outcome.APPROVED


def _approval(
    decision: Decision, known: dict[int, Decision], interests: dict[tuple[int, int], list[Interest]]
) -> Approval:
    chain = list(_chain(decision, known))
    first = chain[-1]
    declared = [Interest(*_person(first.membership), first.interest_text)] if first.interest_text else []
    for step in reversed(chain):
        declared += interests.get((step.round_id, step.commission_id), [])
    role, name = _person(decision.membership)
    return Approval(
        commission=str(decision.commission),
        approves=decision.outcome == Decision.Outcome.APPROVE,
        role=role,
        name=name,
        at=decision.decided_at,
        advices=decision.quorum_reached,
        rationale=decision.rationale,
        minority_note=decision.minority_note,
        interests=tuple(dict.fromkeys(declared)),
        confirms_at=first.decided_at if first is not decision else None,
    )


def _chain(decision: Decision, known: dict[int, Decision]) -> Iterator[Decision]:
    """A decision, the one that it confirms, and so on back to the one that members gave their advice for."""
    step: Decision | None = decision
    while step is not None:
        yield step
        step = known.get(step.confirms_id) if step.confirms_id else None


def _person(seat: Membership) -> tuple[str, str]:
    return seat.get_role_display(), seat.user.get_full_name() if seat.name_is_public else ""


def newer_evidence(approvals: Approvals) -> list[NewerEvidence]:
    """The linked texts that readers no longer see as they were when this version was last approved."""
    if not approvals.evidence:
        return []
    keys = {key.partition("/")[2] for key in approvals.evidence}
    linked = Version.objects.filter(
        Q(item__key__in=keys) | Q(item__key=None, item__slug__in=keys), state__in=[State.PUBLISHED, State.WITHDRAWN]
    ).select_related("item")
    newest: dict[str, Version] = {}
    for version in linked.order_by("number"):
        newest[f"{version.item.kind}/{version.item.key or version.item.slug}"] = version
    found = []
    for key, then in sorted(approvals.evidence.items()):
        if key not in newest:
            continue
        version = newest[key]
        if (version.number, version.state) != (then, State.PUBLISHED):
            now = version.number if version.is_published else None
            found.append(NewerEvidence(version.title, version.get_absolute_url(), then, now))
    return found
