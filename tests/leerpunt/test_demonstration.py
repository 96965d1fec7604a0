"""What the demonstration leaves behind: every text through both commissions, and work for every role."""

from datetime import date

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from knowledgebase.editorial import audit, guards, reviews
from knowledgebase.models import (
    Comment,
    Commission,
    CriterionAnswer,
    Decision,
    Item,
    OutboxMessage,
    Review,
    ReviewRound,
    User,
    Version,
)
from leerpunt import demonstration
from practices import facets
from practices.facets import EVERYTHING, Bitmaps
from tests.snapshots import built

pytestmark = pytest.mark.django_db  # also when these tests run alone: the database is made for marked tests
State = Version.State


def played():
    demonstration.make_accounts("geheim", chosen=True)
    demonstration.seat_accounts()
    call_command("load_texts", "--by=redacteur", "--demo", verbosity=0)
    demonstration.play()


@pytest.fixture(scope="module")
def _played(django_db_setup, django_db_blocker):
    """Played once for the tests of this module, and taken out again after them."""
    with django_db_blocker.unblock(), transaction.atomic():
        built("demonstration", played)
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _demonstration(_played, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


def version(key, state):
    return Version.objects.get(item__key=key, state=state)


def standing(key):
    """How far both commissions are with the text of this item."""
    [round] = ReviewRound.objects.open().filter(version__item__key=key)
    return {c.code: (s.state, s.reviews) for c in Commission.objects.all() if (s := reviews.standing(round, c))}


def test_there_is_a_text_in_every_state():
    assert set(Version.objects.values_list("state", flat=True)) == {*State.values} - {State.DISCARDED}
    assert version("homework", State.DRAFT).number == 2
    assert version("phonics", State.CHANGES_REQUESTED).number == 2
    assert version("retrieval-practice", State.APPROVED).publish_at is None
    assert version("reading-comprehension-strategies", State.APPROVED).publish_at == demonstration.next_monday()
    assert version("metacognition-self-regulation", State.SUPERSEDED).number == 1
    assert version(demonstration.WITHDRAWN, State.WITHDRAWN).number == 1


def test_one_text_waits_for_members_and_one_for_chairs():
    assert standing("feedback") == {"user": ("reviewing", 1), "scientific": ("waiting", 0)}
    assert standing("peer-tutoring") == {"user": ("ready", 2), "scientific": ("ready", 2)}


def test_one_published_text_is_looked_at_again():
    [round] = ReviewRound.objects.open().filter(kind=ReviewRound.Kind.REVALIDATION)
    assert round.version.item.key == "learning-styles"
    assert round.version.item.review_due_on < timezone.localdate()


def test_changes_are_asked_in_words_and_comments():
    draft = version("phonics", State.CHANGES_REQUESTED)
    outcomes = dict(Decision.objects.filter(round__version=draft).values_list("commission__code", "outcome"))
    assert outcomes == {"user": "approve", "scientific": "changes"}
    comments = Comment.objects.filter(version=draft)
    assert sorted(comments.values_list("commission__code", "is_blocking")) == [("scientific", True), ("user", False)]
    assert all(comment.quote in draft.specific().time_and_roles for comment in comments)


def test_a_text_has_two_public_versions_that_differ_and_say_so():
    old, new = Version.objects.filter(item__key="metacognition-self-regulation").order_by("number")
    assert (old.state, new.state, new.change_note) == (
        State.SUPERSEDED, State.PUBLISHED, "We noemen een valkuil die ontbrak, en zeggen wanneer je terugkijkt.",
    )  # fmt: skip
    assert new.specific().pitfalls.startswith(old.specific().pitfalls)
    assert new.specific().pitfalls != old.specific().pitfalls


def test_everything_public_was_approved_by_both_after_a_quorum():
    published = Version.objects.published()
    assert published.count() == Item.objects.published().count() > 40
    for shown in published:
        [round] = shown.rounds.filter(kind=ReviewRound.Kind.REVIEW)
        decisions = round.decisions.standing()
        assert {d.commission.code for d in decisions} == {"user", "scientific"}
        assert [(d.quorum_needed, d.quorum_reached) for d in decisions] == [(2, 2), (2, 2)]
    assert guards.missing() == []


def test_no_reason_passes_for_that_of_a_real_commission():
    for decision in Decision.objects.all():
        assert "Dit is een demonstratie: geen echte" in decision.rationale
    withdrawn = version(demonstration.WITHDRAWN, State.WITHDRAWN)
    assert withdrawn.withdrawal_reason.startswith("Dit is een demonstratie")
    assert not Version.objects.filter(is_demo=False).exists()


def test_every_member_answered_every_criterion():
    for review in Review.objects.select_related("commission"):
        asked = set(review.commission.criteria.values_list("text", flat=True))
        assert set(review.answers.values_list("criterion_text", flat=True)) == asked
    assert set(CriterionAnswer.objects.values_list("value", flat=True)) == {"yes"}


def test_every_role_finds_a_message_of_its_own():
    waiting = OutboxMessage.objects.waiting().values_list("recipient__username", "kind")
    for username, kind in (
        ("lid-gebruikers-2", "review"), ("lid-wetenschap-1", "review"), ("voorzitter-gebruikers", "decide"),
        ("voorzitter-wetenschap", "decide"), ("redacteur", "changes"), ("eindredacteur", "publish"),
    ):  # fmt: skip
        assert (username, kind) in set(waiting)
    assert not OutboxMessage.objects.waiting().filter(item__key="repeating-a-year").exists()


def test_the_trail_holds_and_the_index_is_what_is_public():
    assert list(audit.broken_links()) == []
    before = Bitmaps("naam")[EVERYTHING]
    facets.rebuild()
    assert Bitmaps("naam")[EVERYTHING] == before


def test_accounts_have_the_seats_that_their_names_say():
    for username in demonstration.ACCOUNTS:
        seats = [(seat.commission.code, seat.role) for seat in User.objects.get(username=username).memberships.all()]
        code = {"gebruikers": "user", "wetenschap": "scientific"}.get(username.partition("-")[2].partition("-")[0])
        role = "chair" if username.startswith("voorzitter") else "member"
        assert seats == ([(code, role)] if code else [])


def test_the_planned_moment_is_a_monday_morning_to_come(monkeypatch):
    for day in range(1, 15):
        monkeypatch.setattr(timezone, "localdate", lambda day=day: date(2027, 3, day))
        moment = timezone.localtime(demonstration.next_monday())
        assert (moment.weekday(), moment.hour) == (0, 8)
        assert 1 <= (moment.date() - date(2027, 3, day)).days <= 7
