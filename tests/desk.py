"""How a test works at the desk: somebody in a seat, what their forms would post, and reviews that are given."""

from django.test import Client
from django.urls import reverse

from knowledgebase.editorial import reviews
from knowledgebase.models import Membership, Review, ReviewRound, User


def at_desk(user: User) -> Client:
    """A browser in which somebody is logged in."""
    client = Client()
    client.force_login(user)
    return client


def page_of(round: ReviewRound) -> str:
    return reverse("desk-round", args=[round.pk])


def deed(name: str, round: ReviewRound) -> str:
    """The address of a deed in a round."""
    return reverse(f"desk-{name}", args=[round.pk])


def data(seat: Membership, round: ReviewRound, **typed: str) -> dict[str, str]:
    """What every form of this seat posts, with what was typed in it."""
    return {"commission": seat.commission.code, "seen": round.content_hash} | typed


def review_data(seat: Membership, round: ReviewRound, **typed: str) -> dict[str, str]:
    """A review that approves, every question answered with yes."""
    criteria = seat.commission.criteria.filter(is_active=True)
    answers = {f"criterion-{criterion.pk}": "yes" for criterion in criteria}
    return data(seat, round, recommendation="approve", interest="none", **answers) | typed


def advise(round: ReviewRound, seat: Membership, recommendation: str = "approve", **more: str) -> Review:
    """A review, given through the verb."""
    criteria = seat.commission.criteria.filter(is_active=True)
    return reviews.submit_review(
        round,
        commission=seat.commission,
        by=seat.user,
        seen=round.content_hash,
        recommendation=recommendation,
        **{"interest": "none", "body": "Leg dit beter uit."} | more,
        answers=[reviews.Answer(criterion, "yes") for criterion in criteria],
    )
