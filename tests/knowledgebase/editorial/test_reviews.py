"""What members and chairs may do, what is refused and why, and what each deed leaves in the trail and the outbox."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone, translation

from knowledgebase.editorial import reviews, transitions
from knowledgebase.editorial.refusals import AlreadyDone, MoveRefused, NotAllowed
from knowledgebase.editorial.reviews import Answer
from knowledgebase.models import (
    AuditEvent,
    Comment,
    Commission,
    CriterionAnswer,
    Decision,
    Item,
    Membership,
    OutboxMessage,
    Recusal,
    Review,
    ReviewRound,
    User,
    Version,
)
from tests.commissions import decide, quorum, review
from tests.factories import (
    chair,
    commission,
    make_member,
    make_practice,
    make_source,
    make_summary,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db
State = Version.State
CODES = ("user", "scientific")


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def cast():
    """An editor, an editor in chief, and a chair with two members in both commissions."""
    return SimpleNamespace(
        writer=make_user("schrijver", role="redacteur"),
        publisher=make_user("chef", role="eindredacteur"),
        user=[chair("user"), make_member("user", "u1"), make_member("user", "u2")],
        scientific=[chair("scientific"), make_member("scientific", "w1"), make_member("scientific", "w2")],
    )


@pytest.fixture
def round(cast):
    """A first version of a summary, laid before both commissions."""
    return transitions.submit(make_summary("lezen", state=State.DRAFT, by=cast.writer), by=cast.writer)


def deeds(item):
    """The trail of a text since it was submitted: what, who, in which role."""
    names = {user.pk: user.username for user in User.objects.all()}
    events = AuditEvent.objects.filter(item=item).order_by("seq").exclude(action__in=["begin", "save", "submit"])
    return [(event.action, names.get(event.actor_id), event.actor_role) for event in events]


def told(kind):
    """Who was told, but for the account behind texts of which nobody asks who wrote them."""
    messages = OutboxMessage.objects.filter(kind=kind).exclude(recipient__username="iemand")
    return sorted(messages.values_list("recipient__username", flat=True))


def state_of(round):
    return Version.objects.get(pk=round.version_id).state


def answers(code, value="yes"):
    return [Answer(criterion, value) for criterion in commission(code).criteria.filter(is_active=True)]


def give(round, seat, **fields):
    """A review with everything that is asked, or with what `fields` says."""
    complete = {
        "commission": seat.commission, "by": seat.user, "seen": round.content_hash, "recommendation": "approve",
        "interest": "none", "answers": answers(seat.commission.code),
    }  # fmt: skip
    return reviews.submit_review(round, **complete | fields)


def settle(round, code, outcome="approve"):
    quorum(round, code)
    return decide(round, chair(code), outcome)


def say(round, seat, *, is_blocking=False, **fields):
    given = {"field": "answer", "body": "Leg uit voor wie dit geldt.", "is_blocking": is_blocking} | fields
    return reviews.comment(round, commission=seat.commission, by=seat.user, **given)


def refused(kind, match, call, *args, **kwargs):
    """The call is refused for this reason, and nothing at all is written."""
    models = (Review, CriterionAnswer, Recusal, Decision, Comment, AuditEvent, OutboxMessage, Version, ReviewRound)

    def written():
        return [list(model.objects.order_by("pk").values()) for model in models]

    before = written()
    with pytest.raises(MoveRefused, match=match) as raised:
        call(*args, **kwargs)
    assert type(raised.value) is kind
    assert written() == before


# -- reviews


def test_a_review_keeps_what_was_asked_and_answered(cast, round):
    made = give(
        round, cast.user[1], recommendation="changes", interest="declared", interest_text=" Ik gaf een vorming. ",
        body=" Te lang. ", answers=answers("user", "partly"),
    )  # fmt: skip
    assert (made.commission, made.membership) == (commission("user"), cast.user[1])
    assert (made.interest, made.interest_text) == ("declared", "Ik gaf een vorming.")
    assert (made.recommendation, made.body) == ("changes", "Te lang.")
    criteria = commission("user").criteria.all()
    first = criteria[0]
    type(first).objects.filter(pk=first.pk).update(text="Is de tekst veranderd?")
    kept = [answer.criterion_text for answer in made.answers.all()]
    assert len(kept) == len(criteria) == 4
    assert "Is de tekst veranderd?" not in kept
    assert set(made.answers.values_list("value", flat=True)) == {"partly"}
    assert deeds(round.version.item) == [("review", "u1", "member user")]
    assert AuditEvent.objects.get(action="review").data == {"round": 1, "recommendation": "changes"}
    assert state_of(round) == State.IN_REVIEW


def test_an_interest_that_is_not_declared_is_not_kept(cast, round):
    assert give(round, cast.user[1], interest_text="Toch niet.").interest_text == ""


def test_a_chair_reviews_like_a_member(cast, round):
    give(round, cast.user[0])
    assert reviews.standing(round, commission("user")).reviews == 1


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"answers": []}, "Answer every criterion"),
        ({"recommendation": "misschien"}, "Choose a recommendation"),
        ({"recommendation": ""}, "Choose a recommendation"),
        ({"interest": ""}, "whether you have an interest"),
        ({"interest": "declared", "interest_text": "  "}, "which interest you declare"),
        ({"recommendation": "changes", "body": " \n"}, "Explain your recommendation"),
        ({"recommendation": "abstain"}, "Explain your recommendation"),
        ({"seen": "0" * 64}, "has changed since you opened it"),
    ],
)
def test_a_review_says_all_that_is_asked(cast, round, fields, why):
    refused(MoveRefused, why, give, round, cast.user[1], **fields)


def test_every_criterion_that_is_asked_now_is_answered_with_a_known_answer(cast, round):
    given = answers("user")
    refused(MoveRefused, "Answer every criterion", give, round, cast.user[1], answers=given[1:])
    odd = [*given[1:], Answer(given[0].criterion, "soms")]
    refused(MoveRefused, "Answer every criterion", give, round, cast.user[1], answers=odd)
    refused(MoveRefused, "Answer every criterion", give, round, cast.user[1], answers=answers("scientific"))
    criterion = given[0].criterion
    criterion.is_active = False
    criterion.save()
    assert give(round, cast.user[1], answers=given).answers.count() == len(given) - 1


def test_who_has_no_seat_reviews_nothing(cast, round):
    superuser = make_user("opper", role="eindredacteur", is_superuser=True)
    for user in (superuser, cast.publisher, make_user("lezer")):
        refused(NotAllowed, "no seat", give, round, cast.user[1], by=user)


def test_members_of_one_commission_never_act_for_the_other(cast, round):
    refused(NotAllowed, "never act for the other", give, round, cast.user[1], by=cast.scientific[1].user)


@pytest.mark.parametrize(
    "fields",
    [
        {"valid_from": timezone.localdate() - timedelta(9), "valid_to": timezone.localdate() - timedelta(1)},
        {"valid_from": timezone.localdate() + timedelta(1)},
    ],
)
def test_a_seat_counts_while_it_is_held(round, fields):
    seat = make_member("user", "elders", **fields)
    refused(NotAllowed, "no seat", give, round, seat)


def test_a_seat_counts_up_to_and_including_its_last_day(round):
    seat = make_member("user", "bijna", valid_to=timezone.localdate())
    assert give(round, seat).membership == seat


def test_a_closed_account_has_no_seat(cast, round):
    User.objects.filter(pk=cast.user[1].user_id).update(is_active=False)
    refused(NotAllowed, "no seat", give, round, cast.user[1])


def test_who_ever_wrote_in_the_text_never_judges_it(cast):
    """In an earlier version: neither the last editor nor the submitter of this one."""
    first = make_summary(state=State.PUBLISHED, by=cast.writer)
    for seat in (cast.user[1], cast.scientific[0]):
        first.contributors.create(user=seat.user)
    round = transitions.submit(make_version(first.item, by=cast.writer), by=cast.writer)
    assert {"u1", "chair-scientific"}.isdisjoint(told("review"))
    why = "Who writes in a text never judges it"
    refused(NotAllowed, why, give, round, cast.user[1])
    refused(NotAllowed, why, say, round, cast.user[1])
    quorum(round, "scientific")
    refused(NotAllowed, why, decide, round, cast.scientific[0])


def test_a_second_review_changes_nothing(cast, round):
    give(round, cast.user[1])
    refused(AlreadyDone, "already", give, round, cast.user[1], recommendation="changes", body="Toch.")


def test_a_second_seat_gives_no_second_review(cast, round):
    give(round, cast.user[1])
    seat = cast.user[1]
    Membership.objects.filter(pk=seat.pk).update(valid_to=timezone.localdate())
    again = Membership.objects.create(commission=seat.commission, user=seat.user, role="deputy")
    refused(AlreadyDone, "already", give, round, again)


def test_a_round_that_is_over_takes_no_reviews(cast, round):
    transitions.recall(round.version, by=cast.writer)
    for call in (give, say, decide):
        refused(MoveRefused, "Round 1 is closed", call, round, cast.user[0])
    refused(
        MoveRefused, "Round 1 is closed", reviews.recuse, round, commission=commission("user"), by=cast.user[1].user,
        reason="Ik ken de auteur.",
    )  # fmt: skip


# -- the quorum


def test_the_chair_is_asked_once_the_quorum_is_there(cast, round):
    give(round, cast.user[1])
    assert told("decide") == []
    give(round, cast.user[2])
    assert told("decide") == ["chair-user"]
    give(round, cast.user[0])
    assert told("decide") == ["chair-user"]


def test_the_states_of_a_commission_in_a_round(cast, round):
    def now():
        found = reviews.standing(round, commission("user"))
        return found.state, found.reviews

    assert now() == ("waiting", 0)
    give(round, cast.user[1])
    assert now() == ("reviewing", 1)
    give(round, cast.user[2])
    assert now() == ("ready", 2)
    decide(round, cast.user[0], "changes")
    assert now() == ("changes", 2)
    settle(round, "scientific")
    assert reviews.standing(round, commission("scientific")).state == "approved"


def test_who_abstains_does_not_count(cast, round):
    give(round, cast.user[1])
    give(round, cast.user[2], recommendation="abstain", body="Ik ken dit vak niet.")
    assert reviews.standing(round, commission("user")).reviews == 1
    refused(MoveRefused, "1 of the 2 recommendations", decide, round, cast.user[0])


def test_the_quorum_is_what_the_commission_says(cast, round):
    give(round, cast.user[1])
    Commission.objects.filter(code="user").update(quorum=1)
    made = decide(round, chair("user"))
    assert (made.quorum_needed, made.quorum_reached) == (1, 1)


# -- stepping back


def step_back(round, seat, reason="Ik ken de auteur."):
    return reviews.recuse(round, commission=seat.commission, by=seat.user, reason=reason)


def test_a_review_of_who_steps_back_no_longer_counts_and_the_chair_is_told(cast, round):
    quorum(round, "user")
    step_back(round, cast.user[1], " Ik werk mee aan die studie. ")
    assert Recusal.objects.get().reason == "Ik werk mee aan die studie."
    assert told("recused") == ["chair-user"]
    assert reviews.standing(round, commission("user")).state == "reviewing"
    refused(MoveRefused, "1 of the 2", decide, round, cast.user[0])
    assert deeds(round.version.item)[-1] == ("recuse", "u1", "member user")


def test_who_stepped_back_takes_no_part(cast, round):
    step_back(round, cast.user[1])
    refused(NotAllowed, "stepped back", give, round, cast.user[1])
    refused(NotAllowed, "stepped back", say, round, cast.user[1])
    refused(AlreadyDone, "already", step_back, round, cast.user[1])
    step_back(round, cast.user[0])
    quorum(round, "scientific")
    give(round, make_member("user", "u3"))
    give(round, cast.user[2])
    refused(NotAllowed, "stepped back", decide, round, cast.user[0])


@pytest.mark.parametrize("reason", ["", " \n"])
def test_stepping_back_needs_a_reason(cast, round, reason):
    refused(MoveRefused, "Say why you step back", step_back, round, cast.user[1], reason)


def test_who_decided_first_revokes(cast, round):
    settle(round, "user")
    refused(MoveRefused, "Revoke your decision first", step_back, round, cast.user[0])


def test_who_has_no_seat_does_not_step_back(cast, round):
    refused(NotAllowed, "no seat", reviews.recuse, round, commission=commission("user"), by=cast.writer, reason="Nee.")


# -- decisions


def test_a_decision_keeps_its_reasons_and_what_it_was_based_on(cast):
    other = make_summary("feedback")
    practice = make_practice("oefenen", state=State.DRAFT, by=cast.writer, related=[other.item])
    round = transitions.submit(practice, by=cast.writer)
    quorum(round, "scientific")
    made = reviews.decide(
        round, commission=commission("scientific"), by=cast.scientific[0].user, seen=round.content_hash,
        outcome="approve", rationale=" Klopt. ", minority_note=" Eén lid twijfelt. ", interest_text=" Geen. ",
    )  # fmt: skip
    assert (made.outcome, made.rationale, made.minority_note) == ("approve", "Klopt.", "Eén lid twijfelt.")
    assert (made.membership, made.decided_by) == (cast.scientific[0], cast.scientific[0].user)
    assert (made.quorum_needed, made.quorum_reached, made.content_hash) == (2, 2, round.content_hash)
    assert made.evidence_manifest == {"summary/feedback": 1}
    assert deeds(practice.item)[-1] == ("decide", "chair-scientific", "chair scientific")
    assert state_of(round) == State.IN_REVIEW


def test_two_approvals_make_it_approved_and_the_editor_in_chief_is_told(cast, round):
    for code in CODES:
        settle(round, code)
    round.refresh_from_db()
    assert (state_of(round), round.outcome, round.is_open) == (State.APPROVED, "approved", False)
    assert told("publish") == ["chef"]
    assert deeds(round.version.item)[-2:] == [
        ("decide", "chair-scientific", "chair scientific"), ("settle", "chair-scientific", "chair scientific"),
    ]  # fmt: skip
    assert transitions.publish(round.version, by=cast.publisher).state == State.PUBLISHED


@pytest.mark.parametrize("first", CODES)
def test_one_that_asks_for_changes_waits_for_the_other(cast, round, first):
    second = next(code for code in CODES if code != first)
    settle(round, first, "changes")
    assert (state_of(round), told("changes")) == (State.IN_REVIEW, [])
    settle(round, second)
    assert (state_of(round), told("changes")) == (State.CHANGES_REQUESTED, ["schrijver"])
    round.refresh_from_db()
    assert round.outcome == "changes"


def test_after_the_last_day_one_that_asks_for_changes_is_enough(cast, round):
    settle(round, "user", "changes")
    later = timezone.localdate() + timedelta(days=22)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(timezone, "localdate", lambda *_args: later)
        transitions.settle(round, by=None, role="system")
    assert state_of(round) == State.CHANGES_REQUESTED


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"outcome": "abstain"}, "Choose whether your commission approves"),
        ({"outcome": ""}, "Choose whether your commission approves"),
        ({"rationale": " \n"}, "Give the reasons"),
        ({"seen": "f" * 64}, "has changed since you opened it"),
    ],
)
def test_a_decision_says_what_and_why_of_this_text(cast, round, fields, why):
    quorum(round, "user")
    complete = {"seen": round.content_hash, "outcome": "approve", "rationale": "Goed."} | fields
    refused(
        MoveRefused, why, reviews.decide, round, commission=commission("user"), by=cast.user[0].user, **complete
    )  # fmt: skip


def test_only_the_chair_decides(cast, round):
    quorum(round, "user")
    refused(NotAllowed, "Only the chair", decide, round, cast.user[1])
    superuser = make_user("opper", role="eindredacteur", is_superuser=True)
    for user in (superuser, cast.publisher, cast.writer, cast.scientific[0].user):
        refused(
            NotAllowed, "no seat", reviews.decide, round, commission=commission("user"), by=user,
            seen=round.content_hash, outcome="approve", rationale="Goed.",
        )  # fmt: skip


def test_a_second_press_says_who_decided(cast, round):
    settle(round, "user")
    refused(AlreadyDone, "chair-user recorded the decision", decide, round, cast.user[0], "changes")
    settle(round, "scientific")
    refused(AlreadyDone, "chair-user recorded the decision", decide, round, cast.user[0])


def test_one_person_never_decides_for_both(cast, round):
    both = cast.user[0].user
    deputy = Membership.objects.create(commission=commission("scientific"), user=both, role="deputy")
    settle(round, "user")
    quorum(round, "scientific")
    refused(NotAllowed, "One person never decides for both", decide, round, deputy)
    assert [seat.user.username for seat in list(reviews.standing(round, commission("scientific")).deciding)] == [
        "chair-scientific"
    ]


def test_the_deputy_decides_on_behalf_of_the_chair(cast, round):
    deputy = make_member("user", "plaatsvervanger", role="deputy")
    quorum(round, "user")
    decide(round, deputy)
    event = AuditEvent.objects.get(action="decide")
    assert (event.actor_id, event.on_behalf_of) == (deputy.user_id, cast.user[0].user_id)
    assert event.actor_role == "deputy user"


def test_a_chair_with_an_interest_leaves_it_to_the_deputy(cast, round):
    deputy = make_member("user", "plaatsvervanger", role="deputy")
    step_back(round, cast.user[0])
    quorum(round, "user")
    assert told("decide") == ["plaatsvervanger"]
    refused(NotAllowed, "stepped back", decide, round, cast.user[0])
    decide(round, deputy)
    assert reviews.standing(round, commission("user")).state == "approved"


def test_without_anybody_free_the_round_waits_and_says_so(cast, round):
    step_back(round, cast.user[0])
    quorum(round, "user")
    assert list(reviews.standing(round, commission("user")).deciding) == []
    assert (told("decide"), told("stuck")) == ([], ["chef"])
    assert state_of(round) == State.IN_REVIEW


# -- comments


def test_a_comment_is_about_a_field_and_the_authors_hear_of_it(cast, round):
    made = say(round, cast.user[1], body=" Voor wie? ", quote=" Soms. ", is_blocking=True)
    assert (made.field, made.quote, made.body, made.is_blocking) == ("answer", "Soms.", "Voor wie?", True)
    assert (made.version_id, made.author, made.commission) == (round.version_id, cast.user[1].user, commission("user"))
    assert told("comment") == ["schrijver"]
    assert deeds(round.version.item) == [("comment", "u1", "member user")]
    refused(MoveRefused, "Write what you want to say", say, round, cast.user[1], body=" \n")
    refused(NotAllowed, "no seat", say, round, SimpleNamespace(commission=commission("user"), user=cast.writer))


def test_a_blocking_comment_keeps_its_own_commission_from_approving(cast, round):
    said = say(round, cast.user[1], is_blocking=True)
    quorum(round, "user")
    refused(MoveRefused, "1 comments must be settled", decide, round, cast.user[0])
    settle(round, "scientific")
    reviews.resolve(said, by=cast.user[1].user)
    decide(round, cast.user[0])
    assert state_of(round) == State.APPROVED


def test_a_blocking_comment_keeps_nobody_from_asking_for_changes(cast, round):
    say(round, cast.user[1], is_blocking=True)
    settle(round, "user", "changes")
    assert reviews.standing(round, commission("user")).state == "changes"


def test_a_comment_is_resolved_by_who_wrote_it_or_by_the_chair(cast, round):
    said, second = say(round, cast.user[1]), say(round, cast.user[1], body="En dit?")
    refused(NotAllowed, "Who wrote a comment resolves it", reviews.resolve, said, by=cast.user[2].user)
    refused(NotAllowed, "no seat", reviews.resolve, said, by=cast.writer)
    refused(NotAllowed, "no seat", reviews.resolve, said, by=cast.scientific[0].user)
    assert reviews.resolve(said, by=cast.user[1].user).resolved_by == cast.user[1].user
    refused(AlreadyDone, "resolved already", reviews.resolve, said, by=cast.user[0].user)
    assert reviews.resolve(second, by=cast.user[0].user).resolved_at is not None
    assert deeds(round.version.item)[-1] == ("resolve", "chair-user", "chair user")


# -- who reads what


def test_members_read_each_other_after_their_own_review(cast, round):
    give(round, cast.user[1])
    first = Review.objects.get()
    seen = {seat.user.username: list(reviews.visible_reviews(round, to=seat.user)) for seat in cast.user}
    assert seen == {"chair-user": [], "u1": [first], "u2": []}
    give(round, cast.user[2])
    assert len(reviews.visible_reviews(round, to=cast.user[2].user)) == 2
    assert len(reviews.visible_reviews(round, to=cast.user[0].user)) == 2  # the chair, past the quorum
    assert list(reviews.visible_reviews(round, to=cast.scientific[0].user)) == []


def test_editors_read_everything_when_the_round_is_over(cast, round):
    settle(round, "user")
    assert list(reviews.visible_reviews(round, to=cast.writer)) == []
    settle(round, "scientific", "changes")
    round.refresh_from_db()
    assert len(reviews.visible_reviews(round, to=cast.writer)) == 4
    assert len(reviews.visible_reviews(round, to=cast.scientific[0].user)) == 2
    assert list(reviews.visible_reviews(round, to=make_user("lezer"))) == []


# -- taking back, closing early, confirming


def revoke(decision, seat, reason="Een fout in de tabel."):
    return reviews.revoke(decision, by=seat.user, reason=reason)


def test_a_revoked_approval_sends_the_text_back_and_clears_the_plan(cast, round):
    given = [settle(round, code) for code in CODES]
    at = timezone.now() + timedelta(hours=1)
    transitions.schedule(round.version, by=cast.publisher, at=at)
    version = revoke(given[0], cast.user[0])
    version.refresh_from_db()
    assert (version.state, version.publish_at, version.scheduled_by) == (State.CHANGES_REQUESTED, None, None)
    given[0].refresh_from_db()
    assert (given[0].revoked_by, given[0].revoked_reason) == (cast.user[0].user, "Een fout in de tabel.")
    assert told("revoked") == ["chair-scientific", "chef", "schrijver"]
    assert [deed[0] for deed in deeds(version.item)[-2:]] == ["revoke", "reopen"]
    with pytest.raises(MoveRefused, match="cannot become “published”"):
        transitions.publish(version, by=cast.publisher)


def test_a_decision_is_revoked_during_the_round_and_given_anew(cast, round):
    given = settle(round, "user")
    revoke(given, cast.user[0])
    assert state_of(round) == State.IN_REVIEW
    refused(AlreadyDone, "revoked already", revoke, given, cast.user[0])
    decide(round, cast.user[0], "changes")
    assert Decision.objects.standing().get().outcome == "changes"


def test_who_may_revoke_and_what_it_takes(cast, round):
    given = settle(round, "user")
    refused(MoveRefused, "Say why the decision is revoked", revoke, given, cast.user[0], " ")
    refused(NotAllowed, "Only the chair", revoke, given, cast.user[1])
    refused(NotAllowed, "no seat", revoke, given, cast.scientific[0])
    deputy = make_member("user", "plaatsvervanger", role="deputy")
    revoke(given, deputy)
    assert AuditEvent.objects.get(action="revoke").on_behalf_of == cast.user[0].user_id


def test_after_publication_nothing_is_revoked(cast, round):
    given = [settle(round, code) for code in CODES]
    transitions.publish(round.version, by=cast.publisher)
    refused(MoveRefused, "This round is over", revoke, given[0], cast.user[0])


def test_a_commission_that_asks_for_changes_closes_the_round_early(cast, round):
    settle(round, "user", "changes")
    early = {"commission": commission("user"), "by": cast.user[0].user}
    refused(NotAllowed, "Only the chair", reviews.close_early, round, **early | {"by": cast.user[1].user})
    other = {"commission": commission("scientific"), "by": cast.scientific[0].user}
    refused(MoveRefused, "Only a commission that asked for changes", reviews.close_early, round, **other)
    assert reviews.close_early(round, **early).state == State.CHANGES_REQUESTED
    assert told("changes") == ["schrijver"]
    refused(MoveRefused, "Round 1 is closed", reviews.close_early, round, **early)


def test_a_commission_that_approves_closes_nothing(cast, round):
    settle(round, "user")
    early = {"commission": commission("user"), "by": cast.user[0].user}
    refused(MoveRefused, "Only a commission that asked for changes", reviews.close_early, round, **early)


def again(cast, round, **changes):
    """The text submitted anew after both commissions answered, with these fields changed."""
    draft = Version.objects.get(pk=round.version_id).specific()
    for name, value in changes.items():
        setattr(draft, name, value)
    draft.save()
    return transitions.submit(draft, by=cast.writer, readability_reason="Het gaat hier om de ronde.")


def confirm(round, seat):
    return reviews.confirm_earlier(round, commission=seat.commission, by=seat.user, seen=round.content_hash)


def test_an_earlier_approval_is_confirmed_where_nothing_of_its_own_changed(cast, round):
    model = type(round.version.specific())
    of_science = next(name for name in model.scientific_fields if name in model.markdown_fields)
    first = settle(round, "user")
    settle(round, "scientific", "changes")
    second = again(cast, round, **{of_science: "Een andere aanpak."})
    assert reviews.confirmable(second, commission("user")) == first
    assert reviews.confirmable(second, commission("scientific")) is None
    refused(MoveRefused, "no earlier approval", confirm, second, cast.scientific[0])
    made = confirm(second, cast.user[0])
    assert (made.confirms, made.content_hash, made.rationale) == (first, second.content_hash, first.rationale)
    assert deeds(round.version.item)[-1] == ("confirm", "chair-user", "chair user")
    refused(AlreadyDone, "already", confirm, second, cast.user[0])
    settle(second, "scientific")
    assert state_of(second) == State.APPROVED


def test_what_changed_in_its_area_is_not_confirmed(cast, round):
    settle(round, "user")
    settle(round, "scientific", "changes")
    second = again(cast, round, lead="Een andere inleiding.", title="Een andere titel")
    refused(MoveRefused, "the text changed in your area", confirm, second, cast.user[0])
    refused(NotAllowed, "Only the chair", confirm, second, cast.user[1])


def test_a_blocking_comment_is_settled_before_confirming(cast, round):
    model = type(round.version.specific())
    of_science = next(name for name in model.scientific_fields if name in model.markdown_fields)
    settle(round, "user")
    settle(round, "scientific", "changes")
    second = again(cast, round, **{of_science: "Een andere aanpak."})
    say(second, cast.user[1], is_blocking=True)
    refused(MoveRefused, "1 comments", confirm, second, cast.user[0])


# -- looking again at what is public


@pytest.fixture
def public(cast):
    """A published summary whose review date has come."""
    version = make_summary("oud", by=cast.writer, state=State.PUBLISHED)
    Item.objects.filter(pk=version.item_id).update(review_due_on=timezone.localdate())
    return version


def test_two_confirmations_move_the_review_date(cast, public):
    round = reviews.start_revalidation(public, by=cast.publisher)
    assert (round.kind, round.content_hash) == ("revalidation", public.content_hash)
    assert told("revalidate") == ["chair-scientific", "chair-user", "u1", "u2", "w1", "w2"]
    for code in CODES:
        decide(round, chair(code))
    item = Item.objects.get(pk=public.item_id)
    assert item.review_due_on == transitions.next_review()
    round.refresh_from_db()
    assert (round.outcome, state_of(round)) == ("approved", State.PUBLISHED)
    assert [deed[0] for deed in deeds(item)][-4:] == ["revalidate", "decide", "decide", "confirmed"]


def test_one_that_does_not_confirm_is_told_to_the_editors_and_the_text_stays(cast, public):
    round = reviews.start_revalidation(public)
    assert deeds(public.item)[-1] == ("revalidate", None, "system")
    decide(round, chair("user"), "changes")
    decide(round, chair("scientific"))
    round.refresh_from_db()
    assert (round.outcome, state_of(round)) == ("changes", State.PUBLISHED)
    assert Item.objects.get(pk=public.item_id).review_due_on == timezone.localdate()
    assert {"schrijver", "chef"} <= set(told("changes"))
    assert deeds(public.item)[-1][0] == "not_confirmed"


def test_who_asks_for_a_confirmation_and_of_what(cast, public, round):
    refused(NotAllowed, "Only the editor in chief", reviews.start_revalidation, public, by=cast.writer)
    refused(MoveRefused, "Only a published version", reviews.start_revalidation, round.version, by=cast.publisher)
    reviews.start_revalidation(public, by=cast.publisher)
    refused(AlreadyDone, "asked already", reviews.start_revalidation, public, by=cast.publisher)


def test_a_source_that_changed_is_no_matter_of_confirming(cast, public):
    source = make_source("jansen-2020")
    source.year = 1999
    source.save()
    refused(MoveRefused, "Make a new version instead", reviews.start_revalidation, public, by=cast.publisher)


def test_a_source_that_changed_meanwhile_stops_the_last_confirmation(cast, public):
    round = reviews.start_revalidation(public, by=cast.publisher)
    decide(round, chair("user"))
    source = make_source("jansen-2020")
    source.year = 1999
    source.save()
    refused(MoveRefused, "Make a new version instead", decide, round, chair("scientific"))


def test_a_revalidation_ends_when_the_text_leaves_the_site(cast, public):
    round = reviews.start_revalidation(public, by=cast.publisher)
    transitions.withdraw(public, by=cast.user[0].user, reason="Achterhaald.")
    round.refresh_from_db()
    assert (round.outcome, round.is_open) == ("withdrawn", False)
    refused(MoveRefused, "is closed", decide, round, chair("user"))


def test_a_next_version_ends_the_revalidation_of_the_old(cast, public):
    round = reviews.start_revalidation(public, by=cast.publisher)
    make_version(public.item, state=State.PUBLISHED)
    round.refresh_from_db()
    assert (round.outcome, round.is_open) == ("withdrawn", False)


def test_reviews_are_given_in_a_revalidation_too(cast, public):
    round = reviews.start_revalidation(public)
    review(round, cast.user[1])
    assert reviews.standing(round, commission("user")).state == "ready"
