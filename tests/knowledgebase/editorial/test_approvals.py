from datetime import UTC, datetime

import pytest

from knowledgebase.editorial import reviews
from knowledgebase.editorial.approvals import Approvals, Interest, NewerEvidence, approvals_of, newer_evidence
from knowledgebase.editorial.transitions import publish, withdraw
from knowledgebase.models import Decision, Membership, Recusal, Review, ReviewRound, Version
from tests.factories import (
    anybody,
    approve,
    chair,
    decision,
    in_review,
    make_item,
    make_member,
    make_practice,
    make_summary,
    make_version,
)

pytestmark = pytest.mark.django_db
State = Version.State


def close(round, outcome="approved"):
    """End a round as the verbs do, with the state that follows from it."""
    round.closed_at, round.outcome = round.opened_at, outcome
    round.save(update_fields=["closed_at", "outcome"])
    version = round.version.specific()
    version.state = State.APPROVED if outcome == "approved" else State.CHANGES_REQUESTED
    version.save(update_fields=["state"])
    return version


def of(version):
    return approvals_of([version])[version.pk]


def review(round, seat, **fields):
    return Review.objects.create(
        **{"round": round, "commission": seat.commission, "membership": seat, "recommendation": "approve"} | fields
    )


def named(code, first, last, *, consent):
    seat = chair(code)
    seat.user.first_name, seat.user.last_name = first, last
    seat.user.save()
    seat.name_is_public = consent
    seat.save()
    return seat


def revalidated(version, user="approve", scientific="approve"):
    round = reviews.start_revalidation(version, by=anybody())
    for code, outcome in (("user", user), ("scientific", scientific)):
        seat = chair(code)
        reviews.decide(
            round, commission=seat.commission, by=seat.user, seen=round.content_hash, outcome=outcome, rationale="Om."
        )
    return round


def test_both_commissions_say_who_when_and_why(time_machine):
    named("user", "An", "Peeters", consent=True)
    named("scientific", "Bo", "Jans", consent=False)
    draft = make_practice(state="draft")
    time_machine.move_to(datetime(2027, 3, 1, 9, tzinfo=UTC), tick=False)
    round = in_review(draft)
    decision(round, "user", rationale="Bruikbaar.")
    time_machine.move_to(datetime(2027, 3, 4, 9, tzinfo=UTC), tick=False)
    decision(round, "scientific", rationale="Juist.", minority_note="Een lid twijfelt.", quorum_reached=3)
    approvals = of(publish(close(round), by=anybody()))
    assert [
        (a.commission, a.approves, a.role, a.name, a.at.date().isoformat(), a.advices, a.rationale, a.minority_note)
        for a in approvals.decisions
    ] == [
        ("gebruikerscommissie", True, "voorzitter", "An Peeters", "2027-03-01", 2, "Bruikbaar.", ""),
        ("wetenschappelijke commissie", True, "voorzitter", "", "2027-03-04", 3, "Juist.", "Een lid twijfelt."),
    ]
    assert approvals.at == approvals.last_approved_at == datetime(2027, 3, 4, 9, tzinfo=UTC)
    assert (approvals.looks, approvals.last_look, approvals.evidence) == ((), None, {})


def test_consent_without_a_name_shows_no_user_name():
    seat = chair("user")
    seat.name_is_public = True
    seat.save()
    assert of(make_practice()).decisions[0].name == ""


@pytest.mark.parametrize("state", ["draft", "in_review", "changes_requested"])
def test_what_is_not_approved_has_no_approvals(state):
    assert of(make_practice(state=state)) == Approvals()
    assert not of(make_practice(state=state))


def test_a_revoked_decision_is_no_approval():
    version = make_practice(state="approved")
    given = Decision.objects.filter(round__version=version.pk, commission__code="user").get()
    reviews.revoke(given, by=given.decided_by, reason="Toch niet.")
    version.refresh_from_db()
    assert of(version) == Approvals()


def test_declared_interests_without_those_who_stepped_back():
    round = in_review(make_practice(state="draft"))
    known = make_member("scientific", name_is_public=True)
    known.user.first_name, known.user.last_name = "Cas", "Smit"
    known.user.save()
    away = make_member("scientific")
    review(round, known, interest="declared", interest_text="Ik schreef een studie.")
    review(round, away, interest="declared", interest_text="Ik verkoop het.")
    review(round, make_member("scientific"), interest="none")
    Recusal.objects.create(round=round, membership=away, reason="Mijn zaak.")
    decision(round, "user", interest_text="Ik geef er les in.")
    decision(round, "scientific")
    user, scientific = of(publish(close(round), by=anybody())).decisions
    assert user.interests == (Interest("voorzitter", "", "Ik geef er les in."),)
    assert scientific.interests == (Interest("lid", "Cas Smit", "Ik schreef een studie."),)


def test_a_confirmation_says_what_it_confirms_and_keeps_the_interests(time_machine):
    time_machine.move_to(datetime(2026, 3, 1, 9, tzinfo=UTC), tick=False)
    draft = make_practice(state="draft")
    first = in_review(draft)
    review(first, make_member("user"), interest="declared", interest_text="Mijn boek gaat hierover.")
    decision(first, "user", interest_text="Mijn school doet dit.")
    decision(first, "scientific", outcome="changes")
    draft = close(first, "changes")
    time_machine.move_to(datetime(2026, 4, 1, 9, tzinfo=UTC), tick=False)
    draft.verdicts.create(
        issuer="EEF", edition="2021", url="https://e.org", seen_on="2026-01-01", confidence="corroborated"
    )
    second = in_review(draft)
    user = chair("user")
    reviews.confirm_earlier(second, commission=user.commission, by=user.user, seen=second.content_hash)
    decision(second, "scientific")
    given = of(publish(close(second), by=anybody())).decisions[0]
    assert (given.at.date().isoformat(), given.confirms_at.date().isoformat()) == ("2026-04-01", "2026-03-01")
    assert given.interests == (
        Interest("voorzitter", "", "Mijn school doet dit."),
        Interest("lid", "", "Mijn boek gaat hierover."),
    )


def test_a_second_look_that_confirmed_counts_as_approval(time_machine):
    version = make_practice()
    time_machine.move_to(datetime(2031, 5, 1, tzinfo=UTC), tick=False)
    revalidated(version)
    approvals = of(version)
    [look] = approvals.looks
    assert (look.confirmed, [d.approves for d in look.decisions]) == (True, [True, True])
    assert approvals.last_look is look
    assert approvals.last_approved_at == datetime(2031, 5, 1, tzinfo=UTC)
    assert approvals.at < approvals.last_approved_at


def test_a_second_look_that_did_not_confirm_is_shown_and_approves_nothing():
    version = make_practice()
    revalidated(version, scientific="changes")
    approvals = of(version)
    assert [(d.commission, d.approves, d.rationale) for d in approvals.looks[0].decisions] == [
        ("gebruikerscommissie", True, "Om."),
        ("wetenschappelijke commissie", False, "Om."),
    ]
    assert (approvals.looks[0].confirmed, approvals.last_approved_at) == (False, approvals.at)


def test_a_second_look_that_still_runs_is_not_shown():
    version = make_practice()
    round = reviews.start_revalidation(version, by=anybody())
    decision(round, "user")
    assert of(version).looks == ()


def published_with(manifest, **fields):
    round = in_review(make_practice(state="draft", **fields))
    decision(round, "user", evidence_manifest=manifest)
    decision(round, "scientific", evidence_manifest=manifest)
    return publish(close(round), by=anybody())


def test_evidence_that_changed_since_the_approval():
    same, newer, gone = make_summary("gelijk"), make_summary("nieuwer"), make_summary("weg", title="Weg")
    manifest = {"summary/gelijk": 1, "summary/nieuwer": 1, "summary/weg": 1, "page/nieuwer": 1, "summary/onbekend": 1}
    version = published_with(manifest, related=[same.item, newer.item, gone.item])
    assert newer_evidence(of(version)) == []
    make_version(newer.item, state="published", title="Nieuwere titel")
    make_version(same.item, state="approved")
    withdraw(gone, by=anybody(), reason="Fout.")
    assert newer_evidence(of(version)) == [
        NewerEvidence("Nieuwere titel", "/samenvattingen/nieuwer/", 1, 2),
        NewerEvidence("Weg", "/samenvattingen/weg/", 1, None),
    ]


def test_a_second_look_saw_the_newer_evidence():
    summary = make_summary("samen")
    version = published_with({"summary/samen": 1}, related=[summary.item])
    make_version(summary.item, state="published")
    assert len(newer_evidence(of(version))) == 1
    revalidated(version)
    assert newer_evidence(of(version)) == []


def test_evidence_without_a_key_goes_by_its_address():
    item = make_item("page", "uitleg", key=None)
    make_version(item, state="published", title="Uitleg")
    version = published_with({"page/uitleg": 1})
    make_version(item, state="published")
    assert [(e.url, e.now) for e in newer_evidence(of(version))] == [("/over/uitleg/", 2)]


@pytest.mark.parametrize("count", [1, 3, 12])
def test_approvals_of_many_versions_take_two_questions(django_assert_num_queries, count):
    version = make_practice()
    for _number in range(count - 1):
        make_version(version.item, state="published")
    versions = list(Version.objects.filter(item=version.item_id))
    with django_assert_num_queries(2):
        found = approvals_of(versions)
    assert sorted(found) == sorted(v.pk for v in versions)
    assert all(len(approvals.decisions) == 2 for approvals in found.values())
    assert ReviewRound.objects.count() == count
    assert Membership.objects.count() == 2


def test_approved_but_not_yet_public_is_known_too():
    assert len(of(approve(make_practice(state="draft"))).decisions) == 2
