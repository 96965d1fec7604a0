"""What members and chairs do in tests, through the verbs."""

from knowledgebase.editorial import reviews
from knowledgebase.models import Commission, Membership


def review(round, seat, recommendation="approve"):
    """A member's recommendation, with every criterion answered."""
    answers = [reviews.Answer(criterion, "yes") for criterion in seat.commission.criteria.filter(is_active=True)]
    return reviews.submit_review(
        round, commission=seat.commission, by=seat.user, seen=round.content_hash, recommendation=recommendation,
        interest="none", body="Omdat het zo is.", answers=answers,
    )  # fmt: skip


def decide(round, seat, outcome="approve"):
    return reviews.decide(
        round, commission=seat.commission, by=seat.user, seen=round.content_hash, outcome=outcome,
        rationale="De commissie vindt dit.",
    )  # fmt: skip


def seats(code):
    return list(Membership.objects.active().filter(commission__code=code).select_related("user", "commission"))


def quorum(round, code):
    """Two members of a commission, who do not chair it, recommend approval."""
    members = [seat for seat in seats(code) if seat.role == "member"][:2]
    for seat in members:
        review(round, seat)


def commissions():
    return list(Commission.objects.all())
