"""What must hold of every text at every moment, asked of the database itself.

Every function gives the faults that it finds, as sentences; none means that the invariant holds. I1 to I10 are those of
the workflow's design. `faults` asks all that can be seen at one moment; `Written` compares two moments, for what may
never change or disappear.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.db.models import Count

from knowledgebase.editorial import audit
from knowledgebase.editorial.transitions import EDGES
from knowledgebase.editorial.versions import canonical, content_hash, hash_of
from knowledgebase.models import (
    OPEN,
    AuditEvent,
    Comment,
    Commission,
    Criterion,
    CriterionAnswer,
    Decision,
    Item,
    Membership,
    OutboxMessage,
    Recusal,
    RenderedText,
    Review,
    ReviewRound,
    SearchEntry,
    SearchText,
    User,
    Version,
    VersionContributor,
)

State = Version.State
Outcome = ReviewRound.Outcome
FROZEN = (State.IN_REVIEW, State.APPROVED, State.PUBLISHED, State.SUPERSEDED, State.WITHDRAWN)
APPROVED_ONCE = (State.APPROVED, State.PUBLISHED, State.SUPERSEDED, State.WITHDRAWN)
WRITTEN_ONCE = {  # model -> the fields that may still change
    ReviewRound: {"closed_at", "outcome"},
    Review: set(),
    CriterionAnswer: set(),
    Recusal: set(),
    Decision: {"revoked_at", "revoked_by_id", "revoked_reason"},
    Comment: {"resolved_at", "resolved_by_id"},
    AuditEvent: set(),
}


def faults() -> list[str]:
    """Everything that is wrong now."""
    checks = (
        i1_one_published_and_one_open_version,
        i2_public_was_approved_by_two_people,
        i3_only_legal_moves,
        i4_frozen_text_is_the_text_that_was_judged,
        i6_reviewed_versions_are_kept,
        i6b_reviews_and_decisions_are_sound,
        i8_audit_chains_hold,
        i9_who_acted_is_known,
        rounds_fit_their_versions,
        nothing_waits_for_nobody,
        derived_rows_are_those_of_the_public_texts,
        nobody_hears_of_their_own_deeds,
    )
    return [f"{check.__name__}: {fault}" for check in checks for fault in check()]


def i1_one_published_and_one_open_version() -> Iterator[str]:
    for name, states in (("published", [State.PUBLISHED]), ("open", OPEN)):
        several = Version.objects.filter(state__in=states).values("item").annotate(n=Count("pk")).filter(n__gt=1)
        for row in several.order_by():
            yield f"item {row['item']} has {row['n']} {name} versions"


def i2_public_was_approved_by_two_people() -> Iterator[str]:
    for version in Version.objects.filter(state__in=APPROVED_ONCE):
        standing = Decision.objects.filter(
            round__version=version, round__number=version.round_no, round__kind=ReviewRound.Kind.REVIEW,
            round__content_hash=version.content_hash, content_hash=version.content_hash,
            outcome=Decision.Outcome.APPROVE, revoked_at=None, round__outcome=Outcome.APPROVED,
        )  # fmt: skip
        commissions = set(standing.values_list("commission__code", flat=True))
        deciders = set(standing.values_list("decided_by", flat=True))
        if commissions != set(Commission.Code.values) or len(deciders) < 2:
            yield f"{version} is {version.state} with approvals of {sorted(commissions)} by {len(deciders)} people"


def i3_only_legal_moves() -> Iterator[str]:
    """Every recorded move is an edge, begins where the one before it ended, and the last one led to the state now."""
    paths: dict[tuple[int, int], list[tuple[str, str]]] = defaultdict(list)
    moves = AuditEvent.objects.exclude(item=None).exclude(from_state="").exclude(to_state="").order_by("item", "seq")
    for item, number, before, after in moves.values_list("item", "version_number", "from_state", "to_state"):
        paths[item, number].append((before, after))
    states = {(item, number): state for item, number, state in Version.objects.values_list("item", "number", "state")}
    for key, path in paths.items():
        for move in path:
            if move not in EDGES:
                yield f"item {key[0]} v{key[1]} went from {move[0]} to {move[1]}"
        for (_from, there), (here, _to) in pairwise(path):
            if there != here:
                yield f"item {key[0]} v{key[1]} was {there} and moved from {here}"
        if states.get(key) != path[-1][1]:
            yield f"item {key[0]} v{key[1]} is {states.get(key)}, its last move led to {path[-1][1]}"


def i4_frozen_text_is_the_text_that_was_judged() -> Iterator[str]:
    """I5 too: a row that slipped in after the submission would be in the text and not in its hash."""
    for version in Version.objects.filter(state__in=FROZEN).select_related("item"):
        text = version.specific()
        round = version.rounds.filter(number=version.round_no).first()
        if content_hash(text) != version.content_hash:
            yield f"{version} is {version.state} and no longer says what its hash is of"
        if round is None or round.content_hash != version.content_hash or round.content != canonical(text):
            yield f"{version} is {version.state} and is not the text of its round"
    for round in ReviewRound.objects.all():
        if hash_of(round.content) != round.content_hash:
            yield f"{round} keeps a text that is not the one of its hash"


def i6_reviewed_versions_are_kept() -> Iterator[str]:
    there = set(Version.objects.values_list("item", "number"))
    submitted = AuditEvent.objects.filter(action="submit").values_list("item", "version_number")
    for item, number in set(submitted) - there:
        yield f"item {item} v{number} was submitted and is gone"


def i6b_reviews_and_decisions_are_sound() -> Iterator[str]:
    """By independent people with a seat, once each, with a quorum of different people."""
    first: dict[tuple[int, int], Any] = {}
    for item, user, at in VersionContributor.objects.values_list("version__item", "user", "first_at"):
        first[item, user] = min(at, first.get((item, user), at))
    people: dict[tuple[int, int], set[int]] = defaultdict(set)
    abstain = Review.Recommendation.ABSTAIN
    for review in Review.objects.select_related("round__version", "membership"):
        user, key = review.membership.user_id, (review.round_id, review.commission_id)
        if review.membership.commission_id != review.commission_id:
            yield f"{review} is for a commission in which they have no seat"
        if first.get((review.round.version.item_id, user), review.submitted_at) < review.submitted_at:
            yield f"{review} is of somebody who wrote in the text"
        if user in people[key]:
            yield f"{review} is the second one of this person in this round"
        people[key].add(user)
    counting = Counter(Review.objects.exclude(recommendation=abstain).values_list("round", "commission").order_by())
    for decision in Decision.objects.select_related("round__version", "membership", "confirms"):
        seat, version = decision.membership, decision.round.version
        if (seat.user_id, seat.commission_id) != (
            decision.decided_by_id,
            decision.commission_id,
        ) or not seat.is_leading:
            yield f"decision {decision.pk} is not of a chair of the {decision.commission}"
        if first.get((version.item_id, decision.decided_by_id), decision.decided_at) < decision.decided_at:
            yield f"decision {decision.pk} is of somebody who wrote in the text"
        if decision.content_hash != decision.round.content_hash:
            yield f"decision {decision.pk} is about another text than its round"
        if not decision.confirms and counting[decision.round_id, decision.commission_id] < decision.quorum_needed:
            yield f"decision {decision.pk} has no quorum"
    for round in ReviewRound.objects.all():
        standing = list(round.decisions.standing().values_list("commission", "decided_by"))
        if len({c for c, _ in standing}) < len(standing) or len({p for _, p in standing}) < len(standing):
            yield f"{round} has two standing decisions of one commission or one person"


def i8_audit_chains_hold() -> Iterator[str]:
    """I7 too, as far as one moment shows it: no event was changed, removed or put between others."""
    for link in audit.broken_links():
        yield f"{link.item} {link.seq}: {link.why}"
    for row in AuditEvent.objects.values("item", "seq").annotate(n=Count("pk")).filter(n__gt=1).order_by():
        yield f"item {row['item']} has event {row['seq']} twice"


def i9_who_acted_is_known() -> Iterator[str]:
    people = set(User.objects.values_list("pk", flat=True))
    named = set(AuditEvent.objects.exclude(actor_id=None).values_list("actor_id", flat=True))
    named |= set(AuditEvent.objects.exclude(on_behalf_of=None).values_list("on_behalf_of", flat=True))
    for user in named - people:
        yield f"account {user} acted and is gone"


def rounds_fit_their_versions() -> Iterator[str]:
    """The round that is open is the one that the state of the version speaks of."""
    last_outcome = {
        State.APPROVED: {Outcome.APPROVED},
        State.PUBLISHED: {Outcome.APPROVED},
        State.SUPERSEDED: {Outcome.APPROVED},
        State.WITHDRAWN: {Outcome.APPROVED},
        State.CHANGES_REQUESTED: {Outcome.CHANGES, Outcome.APPROVED},  # approved: the approval was revoked
        State.DRAFT: {Outcome.RECALLED},
        State.IN_REVIEW: {""},
    }
    for version in Version.objects.prefetch_related("rounds"):
        rounds = sorted(version.rounds.all(), key=lambda round: round.number)
        open_kinds = [round.kind for round in rounds if round.is_open]
        allowed = {State.IN_REVIEW: [["review"]], State.PUBLISHED: [[], ["revalidation"]]}.get(version.state, [[]])
        if open_kinds not in allowed:
            yield f"{version} is {version.state} with open rounds {open_kinds}"
        if [round.number for round in rounds] != list(range(1, len(rounds) + 1)):
            yield f"{version} misses a round"
        own = [round for round in rounds if round.kind == ReviewRound.Kind.REVIEW]
        if version.round_no != (own[-1].number if own else 0):
            yield f"{version} says round {version.round_no} and has {len(own)}"
        if own and version.state in last_outcome and own[-1].outcome not in last_outcome[version.state]:
            yield f"{version} is {version.state} after a round that ended as {own[-1].outcome or 'open'}"


def nothing_waits_for_nobody() -> Iterator[str]:
    """No round stays open once both commissions decided: the second decision moves the text."""
    for round in ReviewRound.objects.open():
        if round.decisions.standing().count() == 2:
            yield f"{round} has both decisions and is still open"


def derived_rows_are_those_of_the_public_texts() -> Iterator[str]:
    public = set(Version.objects.published().values_list("item", flat=True))
    found = set(SearchEntry.objects.filter(kind__in=Item.Kind).values_list("object_id", flat=True))
    if public != found:
        yield f"published are items {sorted(public)}, in the search index {sorted(found)}"
    for version in Version.objects.published().select_related("item"):
        if version.specific().markdown_fields and not RenderedText.objects.filter(version=version).exists():
            yield f"{version} is public and not rendered"
        if version.item.review_due_on is None:
            yield f"{version} is public and will never be looked at again"


def nobody_hears_of_their_own_deeds() -> Iterator[str]:
    for message in OutboxMessage.objects.select_related("recipient"):
        if message.data["by"] == message.recipient_id:
            yield f"{message} is about what they did themselves"


def half_done() -> list[str]:
    """Deeds without their event or events without their deed; for texts whose every move went through a verb."""
    pairs = (
        ("rounds", _per_version(ReviewRound, "version"), ("submit", "revalidate")),
        ("reviews", _per_version(Review, "round__version"), ("review",)),
        ("decisions", _per_version(Decision, "round__version"), ("decide", "confirm")),
        ("revocations", _per_version(Decision, "round__version", revoked_at__isnull=False), ("revoke",)),
        ("recusals", _per_version(Recusal, "round__version"), ("recuse",)),
        ("publications", _per_version(Version, "", published_at__isnull=False), ("publish",)),
        ("withdrawals", _per_version(Version, "", withdrawn_at__isnull=False), ("withdraw",)),
        ("replacements", _per_version(Version, "", state=State.SUPERSEDED), ("supersede",)),
    )
    found = []
    for name, rows, actions in pairs:
        events = Counter(AuditEvent.objects.filter(action__in=actions).values_list("item", "version_number").order_by())
        found += [
            f"item {key[0]} v{key[1]}: {rows[key]} {name}, {events[key]} events"
            for key in rows.keys() | events.keys()
            if rows[key] != events[key]
        ]
    asked = CriterionAnswer.objects.values("review").annotate(n=Count("pk")).order_by()
    answers = {row["review"]: row["n"] for row in asked}
    criteria = Counter(Criterion.objects.filter(is_active=True).values_list("commission", flat=True).order_by())
    found += [
        f"review {pk} has {answers.get(pk, 0)} answers"
        for pk, commission in Review.objects.values_list("pk", "commission")
        if answers.get(pk, 0) != criteria[commission]
    ]
    return found


def _per_version(model: Any, path: str, **condition: Any) -> Counter:
    prefix = f"{path}__" if path else ""
    return Counter(model.objects.filter(**condition).values_list(f"{prefix}item", f"{prefix}number").order_by())


@dataclass
class Written:
    """What was in the database at a moment, to hold the next moment against: I4, I6, I6b, I7, I9 and I10."""

    rows: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    seats: dict[int, tuple] = field(default_factory=dict)
    people: set[int] = field(default_factory=set)
    versions: dict[int, tuple[str, int, int, str]] = field(default_factory=dict)

    @classmethod
    def now(cls) -> "Written":
        written = cls()
        for model, changeable in WRITTEN_ONCE.items():
            names = [f.attname for f in model._meta.concrete_fields if f.attname not in changeable]
            for row in model.objects.values(*names):
                written.rows[model.__name__, row["id"]] = row
        seats = Membership.objects.values_list("pk", "commission", "user", "role", "valid_from")
        written.seats = {row[0]: row for row in seats}
        written.people = set(AuditEvent.objects.exclude(actor_id=None).values_list("actor_id", flat=True))
        for version in Version.objects.select_related("item"):
            text = content_hash(version.specific())
            written.versions[version.pk] = (version.state, version.round_no, version.lock_version, text)
        return written

    def faults_since(self, before: "Written") -> list[str]:
        """What was written once and is gone or another, what froze and changed, what changed unseen by open forms."""
        found = [
            f"{key} was {old} and is {self.rows.get(key)}"
            for key, old in before.rows.items()
            if old != self.rows.get(key)
        ]
        found += [f"seat {pk} was rewritten" for pk, old in before.seats.items() if old != self.seats.get(pk)]
        found += [f"account {pk} no longer acted" for pk in before.people - self.people]
        for pk, old in before.versions.items():
            new = self.versions.get(pk)
            if new is None:
                if old[1] > 0 or old[0] != State.DRAFT:
                    found.append(f"version {pk} was submitted and is gone")
                continue
            if old[0] in FROZEN and old[3] != new[3]:
                found.append(f"version {pk} was {old[0]} and says something else now")
            if (old[0], old[3]) != (new[0], new[3]) and new[2] <= old[2]:
                found.append(f"version {pk} changed and its lock_version did not grow: an open form would overwrite it")
            if old[0] != new[0] and (old[0], new[0]) not in EDGES:
                found.append(f"version {pk} went from {old[0]} to {new[0]}")
        return found


def public_items() -> list[Item]:
    """Every text that has, or had, an address of its own."""
    return list(Item.objects.order_by("kind", "slug"))


def index() -> list[tuple]:
    """The search index, word for word."""
    rows = SearchText.objects.filter(entry__kind__in=Item.Kind).order_by("entry__object_id")
    return list(rows.values_list("entry__object_id", "entry__kind", "digest"))
