"""Whether the texts are still what the commissions judged: frozen content against its hash, and that against the trail."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from knowledgebase.models import EDITABLE, AuditEvent, Decision, ReviewRound, Version

from .versions import canonical, hash_of

REFERENCE = "printed"  # of a source: what its record says now, which is not the text's
# The deeds that write down the hash of the text that they are about.
WITNESSES = ("submit", "review", "decide", "confirm", "revoke", "settle", "publish", "supersede", "withdraw")


@dataclass(frozen=True)
class Mismatch:
    """A version that is not what was submitted, approved or published."""

    text: str
    version: int
    why: str

    def __str__(self) -> str:
        return f"{self.text} v{self.version}: {self.why}"


@dataclass
class Content:
    """What was looked at. `dated` texts cite a source whose record was edited since: no tampering, a reason to look."""

    versions: int = 0
    rounds: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    dated: list[str] = field(default_factory=list)


def check_content() -> Content:
    """Recompute the hash of every frozen version and of every round, and compare them with each other and the trail."""
    found = Content()
    submitted = (
        Version.objects.exclude(round_no=0).select_related("item").order_by("item__kind", "item__slug", "number")
    )
    for version in submitted.iterator(chunk_size=200):
        name = f"{version.item.kind}/{version.item.slug}"
        rounds = list(version.rounds.order_by("number"))
        found.versions += 1
        found.rounds += len(rounds)
        whys = [*_faults_of_rounds(version, rounds), *_faults_of_trail(version, rounds)]
        if version.state not in EDITABLE:
            why, is_dated = _fault_of_text(version, rounds)
            whys += [why] if why else []
            if is_dated:
                found.dated.append(f"{name} v{version.number}")
        found.mismatches += [Mismatch(name, version.number, why) for why in whys]
    return found


def _faults_of_rounds(version: Version, rounds: list[ReviewRound]) -> Iterator[str]:
    for round in rounds:
        if hash_of(round.content) != round.content_hash:
            yield f"the text of round {round.number} is not the one of its hash"
    other = Decision.objects.standing().filter(round__version=version.pk).select_related("round")
    for decision in other:
        if decision.content_hash != decision.round.content_hash:
            yield f"a decision of round {decision.round.number} is about another text"


def _faults_of_trail(version: Version, rounds: list[ReviewRound]) -> Iterator[str]:
    """The trail is sealed with a key, so that a text, its round and its hash cannot be replaced together."""
    hashes = {round.number: round.content_hash for round in rounds}
    events = AuditEvent.objects.filter(item=version.item_id, version_number=version.number, action__in=WITNESSES)
    for event in events.order_by("seq"):
        expected = hashes.get(event.data.get("round"), version.content_hash)
        if event.content_hash != expected:
            yield f"event {event.seq} ({event.action}) is about another text"


def _fault_of_text(version: Version, rounds: list[ReviewRound]) -> tuple[str, bool]:
    """What is wrong with the frozen text itself, and whether only the record of a source differs."""
    round = next((round for round in rounds if round.number == version.round_no), None)
    if round is None:
        return "its round is missing", False
    if version.content_hash != round.content_hash:
        return f"its hash is not the one of round {round.number}", False
    content = canonical(version.specific())
    if hash_of(content) == version.content_hash:
        return "", False
    if _own(content) == _own(round.content):
        return "", True
    differing = sorted(name for name in {*content, *round.content} if content.get(name) != round.content.get(name))
    return f"its text was changed: {', '.join(differing)}", False


def _own(content: dict[str, Any]) -> dict[str, Any]:
    """The content without what it shows of the records of sources."""
    return {
        name: [{key: v for key, v in row.items() if key != REFERENCE} for row in value] if _is_rows(value) else value
        for name, value in content.items()
    }


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)
