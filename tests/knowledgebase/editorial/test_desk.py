from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from knowledgebase.editorial import reviews
from knowledgebase.editorial.desk import Viewer, deeds, desk_of, due_in_words, part, progress, told
from knowledgebase.models import Membership, VersionContributor
from tests.desk import advise
from tests.factories import (
    chair,
    commission,
    decision,
    in_review,
    make_member,
    make_practice,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english():
    with override("en"):
        yield


def under_review(slug="", **fields):
    return in_review(make_practice(slug, state="draft", **fields))


def lines(rows):
    return [(line.version.item.slug, line.asked) for line in rows]


def part_of(round, seat):
    return part(round, seat, reviews.standing(round, seat.commission))


# -- where commissions stand


def test_a_standing_counts_and_names_who_may_still_act():
    leader, first, second, writer = chair(), make_member(), make_member(), make_member()
    round = under_review()
    VersionContributor.objects.create(version_id=round.version_id, user=writer.user)
    advise(round, first, "abstain")
    advise(round, second)

    standing = reviews.standing(round, commission())

    assert (standing.state, standing.reviews, standing.decision) == ("reviewing", 1, None)
    assert standing.reviewed == {first.user_id, second.user_id}
    assert standing.contributed == {writer.user_id}
    assert standing.expected == (leader,)
    assert standing.deciding == (leader,)


def test_the_review_of_who_steps_back_does_not_count():
    chair()
    first, second = make_member(), make_member()
    round = under_review()
    advise(round, first)
    advise(round, second)
    assert reviews.standing(round, commission()).state == "ready"

    reviews.recuse(round, commission=commission(), by=second.user, reason="Mijn zus schreef dit.")

    standing = reviews.standing(round, commission())
    assert (standing.state, standing.reviews, standing.recused) == ("reviewing", 1, {second.user_id})


def test_who_decided_may_not_decide_for_the_other_commission():
    leader = chair("user")
    deputy = make_member("user", role="deputy")
    seat = Membership.objects.create(commission=commission("scientific"), user=deputy.user, role="deputy")
    round = under_review()
    assert reviews.standing(round, commission("user")).deciding == (leader, deputy)

    decision(round, "scientific", membership=seat, decided_by=deputy.user)

    assert [found.state for found in reviews.standings([round])[round.pk]] == ["waiting", "approved"]
    assert reviews.standing(round, commission("user")).deciding == (leader,)


def test_standings_of_many_rounds_are_those_of_each_in_as_many_queries():
    seats = [chair("user"), make_member("user"), make_member("scientific")]
    rounds = [under_review()]
    advise(rounds[0], seats[1])
    with CaptureQueriesContext(connection) as few:
        reviews.standings(rounds)
    rounds += [under_review(), under_review()]
    advise(rounds[1], seats[0])
    advise(rounds[1], seats[1])
    advise(rounds[2], seats[2])
    with CaptureQueriesContext(connection) as many:
        found = reviews.standings(rounds)

    assert len(few) == len(many)
    assert {
        pk: [(standing.commission.code, standing.state, standing.reviews) for standing in standings]
        for pk, standings in found.items()
    } == {
        rounds[0].pk: [("user", "reviewing", 1), ("scientific", "waiting", 0)],
        rounds[1].pk: [("user", "ready", 2), ("scientific", "waiting", 0)],
        rounds[2].pk: [("user", "waiting", 0), ("scientific", "reviewing", 1)],
    }


# -- what a seat may do


def test_a_member_may_review_comment_and_step_back():
    seat = make_member()
    found = part_of(under_review(), seat)

    assert (found.may_review, found.may_comment, found.may_recuse, found.may_decide) == (True, True, True, False)
    assert found.deed == "review"


def test_a_chair_may_decide_after_the_quorum_and_not_before():
    leader, first, second = chair(), make_member(), make_member()
    round = under_review()
    advise(round, first)
    before = part_of(round, leader)
    assert (before.may_decide, before.waits_for_quorum, before.still_to_come) == (False, True, second.user.username)

    advise(round, second)
    after = part_of(round, leader)
    assert (after.may_decide, after.waits_for_quorum, after.deed) == (True, False, "decide")


def test_who_wrote_in_a_text_may_nothing_but_read_why():
    seat = chair()
    round = under_review()
    VersionContributor.objects.create(version_id=round.version_id, user=seat.user)

    found = part_of(round, seat)

    assert found.refusal == "You wrote in this text. Who writes in a text never judges it."
    assert (found.may_review, found.may_recuse, found.may_comment, found.may_decide, found.deed) == (False,) * 4 + ("",)


def test_who_decided_for_one_commission_does_not_decide_for_the_other():
    first = chair("user")
    second = Membership.objects.create(commission=commission("scientific"), user=first.user, role="deputy")
    round = under_review()
    decision(round, "user")

    found = part_of(round, second)

    assert (found.may_decide, found.decided_for_other) == (False, True)


def test_who_asked_for_changes_may_close_early_or_revoke():
    leader = chair()
    round = under_review()
    decision(round, "user", outcome="changes")

    found = part_of(round, leader)

    assert (found.may_close_early, found.may_revoke, found.may_recuse, found.deed) == (True, True, False, "")


# -- what waits


def test_what_waits_for_a_member_and_what_for_others():
    seat = make_member()
    chair()
    todo, done = under_review("te-doen"), under_review("gedaan")
    advise(done, seat)
    make_practice("terug", state="changes_requested")

    desk = desk_of(Viewer.of(seat.user))

    assert lines(desk.mine) == [("te-doen", "Give your review")]
    assert lines(desk.others) == [("gedaan", ""), ("terug", "")]
    assert desk.mine[0].href == f"/redactie/ronde/{todo.pk}/#review-user"
    assert desk.others[1].note == "Waits for the editors: a commission asked for changes."


def test_what_waits_for_a_chair():
    leader, first, second = chair(), make_member(), make_member()
    ready = under_review("klaar")
    advise(ready, first)
    advise(ready, second)
    public = make_practice("openbaar")
    reviews.start_revalidation(public)

    desk = desk_of(Viewer.of(leader.user))

    assert set(lines(desk.mine)) == {
        ("klaar", "Record the decision of your commission"),
        ("openbaar", "Say for your commission whether the text still holds"),
    }


def test_what_waits_for_editors():
    make_practice("terug", state="changes_requested")
    make_practice("goed", state="approved")
    editor, chief = make_user(role="redacteur"), make_user(role="eindredacteur")
    keeper = make_user(role="beheerder")

    change, publish = (
        "Make the changes that the commissions ask for",
        "Publish: both commissions approved",
    )
    assert lines(desk_of(Viewer.of(editor)).mine) == [("terug", change)]
    assert set(lines(desk_of(Viewer.of(chief)).mine)) == {("terug", change), ("goed", publish)}
    assert lines(desk_of(Viewer.of(keeper)).mine) == []
    assert {slug for slug, _asked in lines(desk_of(Viewer.of(keeper)).others)} == {"terug", "goed"}


def test_contributors_are_asked_nothing_and_told_why():
    seat = make_member()
    round = under_review("eigen")
    VersionContributor.objects.create(version_id=round.version_id, user=seat.user)

    desk = desk_of(Viewer.of(seat.user))

    assert desk.mine == []
    assert [line.note for line in desk.others] == ["You wrote in this text. Who writes in a text never judges it."]


def test_a_member_learns_nothing_of_the_other_commission_while_a_round_is_open():
    seat = make_member("scientific")
    chair("scientific")
    first = make_member("user", "els")
    round = under_review()
    advise(round, first)
    decision(round, "user", outcome="changes")
    viewer = Viewer.of(seat.user)

    found = progress(round, reviews.standings([round])[round.pk], viewer)

    assert found[0].sentence == "has decided."
    assert "els" not in found[0].sentence


def test_editors_see_numbers_and_names_but_no_outcome():
    leader, first, second = chair(), make_member("user", "els"), make_member("user", "fatih")
    round = under_review()
    advise(round, first)
    viewer = Viewer.of(make_user(role="redacteur"))

    [user, scientific] = progress(round, reviews.standings([round])[round.pk], viewer)
    assert user.sentence == "1 of the 2 recommendations are there; still awaited: chair-user, fatih."
    assert scientific.is_stuck

    advise(round, second)
    [user, _scientific] = progress(round, reviews.standings([round])[round.pk], viewer)
    assert user.sentence == "2 of the 2 recommendations are there; still awaited: chair-user; may decide: chair-user."

    decision(round, "user", outcome="changes")
    [user, _scientific] = progress(round, reviews.standings([round])[round.pk], viewer)
    assert user.sentence == "has decided."
    assert leader.user.username not in user.sentence


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 3, 10), "due today"),
        (date(2026, 3, 11), "1 day left"),
        (date(2026, 3, 13), "3 days left"),
        (date(2026, 3, 9), "1 day late"),
        (date(2026, 2, 28), "10 days late"),
    ],
)
def test_deadlines_in_words(day, words):
    assert due_in_words(day, today=date(2026, 3, 10)) == words


# -- who looks, and what they did


def test_who_has_business_at_the_desk():
    assert Viewer.of(make_member().user).has_business
    assert Viewer.of(make_user(role="beheerder")).has_business
    assert not Viewer.of(make_user("lezer")).has_business
    assert not Viewer.of(make_member(valid_from=date(2020, 1, 1), valid_to=date(2021, 1, 1)).user).has_business


def test_roles_in_words():
    seat = chair()
    assert Viewer.of(seat.user).roles == ["chair of the user commission"]
    assert Viewer.of(make_user(role="redacteur")).roles == ["redacteur"]
    assert Viewer.of(make_user(role="lid")).roles == ["reader of the desk"]


def test_what_somebody_did_newest_first():
    leader = chair()
    first, second = under_review("een"), under_review("twee")
    advise(first, leader)
    reviews.recuse(second, commission=commission(), by=leader.user, reason="Mijn school deed mee.")
    decision(first, "user")

    found = told(deeds(leader.user))

    assert [(deed.round.version.item.slug, deed.words, deed.note) for deed in found] == [
        ("een", "You recorded the decision: approved", ""),
        ("twee", "You stepped back", "Mijn school deed mee."),
        ("een", "You recommended: approve", ""),
    ]


def test_comments_of_colleagues_are_read_after_ones_own_review():
    first, second, other = make_member(), make_member(), make_member("scientific")
    editor, keeper = make_user(role="redacteur"), make_user(role="beheerder")
    round = under_review()
    made = reviews.comment(round, commission=commission(), by=first.user, field="in_short", body="Te lang.")

    def read(user):
        return list(reviews.visible_comments(round, to=user))

    assert (read(first.user), read(second.user), read(other.user)) == ([made], [], [])
    assert (read(editor), read(keeper)) == ([made], [])
    advise(round, second)
    assert read(second.user) == [made]


def test_comments_of_an_earlier_round_are_read_at_once_and_by_their_commission_only():
    first, second, other = make_member(), make_member(), make_member("scientific")
    version = make_practice(state="draft")
    before = in_review(version)
    made = reviews.comment(before, commission=commission(), by=first.user, field="in_short", body="Te lang.")
    decision(before, "user", outcome="changes")
    before.closed_at, before.outcome = before.opened_at, "changes"
    before.save()
    version.state = "changes_requested"
    version.save()
    version.in_short = "- Korter."
    version.save()
    round = in_review(version)

    assert list(reviews.visible_comments(round, to=second.user)) == [made]
    assert list(reviews.visible_comments(before, to=second.user)) == [made]
    assert list(reviews.visible_comments(before, to=other.user)) == []


def test_a_new_version_of_a_published_text_is_one_line():
    seat = make_member()
    public = make_practice("feedback")
    in_review(make_version(public.item))

    assert lines(desk_of(Viewer.of(seat.user)).mine) == [("feedback", "Give your review")]
