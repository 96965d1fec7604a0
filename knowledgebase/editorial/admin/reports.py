"""What the commissions said of a version, as editors read it."""

from dataclasses import dataclass
from typing import Any

from knowledgebase.editorial.reviews import visible_reviews
from knowledgebase.editorial.versions import children_of
from knowledgebase.models import Comment, Decision, Review, ReviewRound, User, Version


@dataclass(frozen=True)
class Remark:
    """A comment with the name of what it is about, and where that stands in the form."""

    comment: Comment
    label: str
    anchor: str


@dataclass(frozen=True)
class Report:
    """The last round that was closed: both decisions, and the reviews that this person may read."""

    round: ReviewRound
    decisions: list[Decision]
    reviews: list[Review]


def places(version: Version) -> dict[str, tuple[str, str]]:
    """Field or kind of child row -> its name and the id that it has in the form."""
    fields = {field.name: (str(field.verbose_name), f"id_{field.name}") for field in version._meta.concrete_fields}
    rows = {
        accessor: (str(model._meta.verbose_name_plural), f"{accessor}-group")
        for accessor, model in children_of(type(version))
    }
    return fields | rows


def report_of(version: Version, *, to: User) -> Report | None:
    """What the last closed round brought, unless it was recalled before anybody decided."""
    round = version.rounds.exclude(closed_at=None).order_by("-number").first()
    if round is None or round.outcome == ReviewRound.Outcome.RECALLED:
        return None
    round.version = version
    decisions = round.decisions.standing().select_related("commission", "decided_by")
    shown = visible_reviews(round, to=to).prefetch_related("answers")
    return Report(round, list(decisions), list(shown))


def remarks_on(version: Version) -> list[Remark]:
    """Every comment on a version, open ones first."""
    comments = version.comments.select_related("commission", "author", "resolved_by", "round").order_by("pk")
    where = places(version)
    remarks = [Remark(comment, *where.get(comment.field, (comment.field, ""))) for comment in comments]
    return sorted(remarks, key=lambda remark: remark.comment.resolved_at is not None)


def as_links(version: Version, found: list[Any], url: str) -> list[tuple[Any, str, str]]:
    """Findings with the name of their field and its address in the form."""
    where = places(version)
    return [(finding, where[finding.field][0], f"{url}#{where[finding.field][1]}") for finding in found]
