import threading
from datetime import date, datetime, timedelta
from unittest.mock import patch

import pytest
import time_machine
from django.db import OperationalError, connection, connections, transaction
from django.utils import timezone
from django.utils.translation import gettext

from knowledgebase.editorial import audit, jobs, notifications, reviews, transitions
from knowledgebase.models import (
    AuditEvent,
    ConceptLabel,
    Item,
    Membership,
    OutboxMessage,
    ReviewRound,
    Scheme,
    SearchIndex,
    Version,
)
from knowledgebase.search.engine import search
from knowledgebase.search.understanding import understand
from tests.commissions import decide, quorum, review
from tests.factories import (
    approve,
    chair,
    in_review,
    make_concept,
    make_member,
    make_practice,
    make_source,
    make_term,
    make_user,
)

pytestmark = pytest.mark.django_db
Kind = OutboxMessage.Kind
State = Version.State
NOON = datetime.fromisoformat("2026-11-22T12:00:00+01:00")
needs_postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time")


def at(moment):
    return time_machine.travel(moment, tick=False)


def planned(slug="", *, by=None, when=NOON, **fields):
    """An approved text whose publication is planned."""
    with at(when - timedelta(days=2)):
        by = by or make_user(role="eindredacteur", email="chef@example.org")
        return transitions.schedule(approve(make_practice(slug, state=State.DRAFT, **fields)), by=by, at=when)


def state_of(version):
    return Version.objects.get(pk=version.pk).state


def told(kind):
    """The usernames of those who were told."""
    return sorted(OutboxMessage.objects.filter(kind=kind).values_list("recipient__username", flat=True))


def events(action):
    return AuditEvent.objects.filter(action=action).count()


# -- planned publications -------------------------------------------------------------------------


def test_what_is_due_is_published_and_the_rest_waits():
    due, later = planned("nu"), planned("later", when=NOON + timedelta(minutes=1))
    with at(NOON):
        report = jobs.publish_due()

    assert (report.done, report.failures) == ("1 published, 0 failed, 0 busy", [])
    assert (state_of(due), state_of(later)) == (State.PUBLISHED, State.APPROVED)
    due.refresh_from_db()
    assert (due.publish_at, due.scheduled_by) == (None, None)
    event = AuditEvent.objects.get(action="publish", item=due.item_id)
    assert (event.actor_id, event.actor_role, event.on_behalf_of) == (None, audit.SYSTEM, due.published_by_id)


def test_days_on_which_nothing_ran_lose_no_publication():
    version = planned()
    with at(NOON + timedelta(days=9)):
        jobs.publish_due()

    assert state_of(version) == State.PUBLISHED


def test_publishing_twice_does_nothing_the_second_time():
    planned()
    with at(NOON):
        jobs.publish_due()
        report = jobs.publish_due()

    assert (report.done, report.failures) == ("0 published, 0 failed, 0 busy", [])
    assert events("publish") == 1


def test_a_failure_keeps_the_plan_stops_no_other_and_is_told_once_a_day():
    broken, fine = planned("stuk"), planned("goed", when=NOON + timedelta(minutes=1))
    publish = transitions.publish

    def fail(version, **kwargs):
        if version.item_id == broken.item_id:
            raise RuntimeError("de schijf is vol")
        return publish(version, **kwargs)

    with patch.object(jobs, "publish", fail):
        with at(NOON + timedelta(minutes=5)):
            reports = [jobs.publish_due() for _run in range(3)]
        with at(NOON + timedelta(days=1)):
            jobs.publish_due()

    assert (reports[0].done, reports[1].done) == ("1 published, 1 failed, 0 busy", "0 published, 1 failed, 0 busy")
    assert reports[0].failures == ["practice/stuk v1: RuntimeError: de schijf is vol"]
    assert (state_of(broken), state_of(fine)) == (State.APPROVED, State.PUBLISHED)
    assert Version.objects.get(pk=broken.pk).publish_at == NOON
    assert events("publish_failed") == 2  # one on each day
    first = OutboxMessage.objects.filter(kind=Kind.FAILED).first()
    assert (first.is_urgent, first.data["reason"]) == (True, "RuntimeError: de schijf is vol")
    assert OutboxMessage.objects.filter(kind=Kind.FAILED).values("dedupe_key").distinct().count() == len(
        told(Kind.FAILED)
    )
    with at(NOON + timedelta(days=2)):
        jobs.publish_due()
    assert state_of(broken) == State.PUBLISHED


def test_a_source_that_changed_since_approval_is_a_reason_to_fail():
    version = planned()
    source = make_source("jansen-2020")
    source.title = "Een andere titel"
    source.save()
    with at(NOON):
        report = jobs.publish_due()

    why = gettext("The text is not the one that was approved. Ask the administrator to verify the audit trail.")
    assert report.failures == [f"practice/{version.item.slug} v1: {why}"]
    assert state_of(version) == State.APPROVED


def test_a_revoked_approval_is_not_published():
    version = planned()
    round = version.rounds.get()
    with at(NOON - timedelta(days=1)):
        reviews.revoke(round.decisions.first(), by=round.decisions.first().decided_by, reason="Toch niet.")
    with at(NOON):
        report = jobs.publish_due()

    assert (report.done, report.failures, state_of(version)) == (
        "0 published, 0 failed, 0 busy", [], State.CHANGES_REQUESTED,
    )  # fmt: skip


def test_a_database_that_is_away_is_no_fault_of_a_text():
    planned()
    gone = patch.object(jobs, "publish", side_effect=OperationalError("gone"))
    with at(NOON), gone, pytest.raises(OperationalError):
        jobs.publish_due()
    assert events("publish_failed") == 0


@needs_postgres
@pytest.mark.django_db(transaction=True)
def test_runs_side_by_side_publish_everything_once():
    boss = make_user(role="eindredacteur")
    versions = [planned(f"tekst-{number}", by=boss) for number in range(6)]
    start, reports = threading.Barrier(4), []

    def run():
        try:
            start.wait()
            reports.append(jobs.publish_due())
        finally:
            connections.close_all()

    with at(NOON):
        threads = [threading.Thread(target=run) for _number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while "0 published" not in jobs.publish_due().done:
            pass

    assert len(reports) == 4
    assert [failure for report in reports for failure in report.failures] == []
    assert {state_of(version) for version in versions} == {State.PUBLISHED}
    assert events("publish") == 6
    assert list(audit.broken_links()) == []


@needs_postgres
@pytest.mark.django_db(transaction=True)
def test_a_text_that_somebody_works_on_waits_for_the_next_run():
    version = planned()
    locked, done = threading.Event(), threading.Event()

    def work():
        try:
            with transaction.atomic():
                Item.objects.locked().get(pk=version.item_id)
                locked.set()
                done.wait(10)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    locked.wait(10)
    with at(NOON):
        report = jobs.publish_due()
    done.set()
    thread.join()

    assert (report.done, state_of(version)) == ("0 published, 0 failed, 1 busy", State.APPROVED)


# -- rounds past their date -----------------------------------------------------------------------


def under_review(due_on=date(2026, 11, 22), **fields):
    """A text in review with three independent members in each commission, one of them the chair."""
    for code in ("user", "scientific"):
        chair(code)
        make_member(code)
        make_member(code)
    version = make_practice(state=State.DRAFT, by=make_user(role="redacteur", email="red@example.org"), **fields)
    with patch.object(transitions, "timedelta", lambda days: due_on - timezone.localdate()):
        return transitions.submit(version, by=version.created_by)


def test_a_text_that_one_commission_returns_waits_until_its_date_has_passed():
    with at(NOON - timedelta(days=5)):
        round = under_review()
        quorum(round, "user")
        decide(round, chair("user"), outcome="changes")
    states = []
    for day in (0, 1):
        with at(NOON + timedelta(days=day)):
            jobs.settle_overdue()
            states.append(state_of(round.version))

    assert states == [State.IN_REVIEW, State.CHANGES_REQUESTED]
    assert told(Kind.CHANGES) == [round.version.submitted_by.username]
    event = AuditEvent.objects.get(action="settle")
    assert (event.actor_id, event.actor_role) == (None, audit.SYSTEM)
    with at(NOON + timedelta(days=2)):
        assert jobs.settle_overdue().done == "0 returned to the editors"


def test_a_text_that_one_commission_approves_keeps_waiting():
    with at(NOON - timedelta(days=5)):
        round = under_review()
        quorum(round, "user")
        decide(round, chair("user"))
    with at(NOON + timedelta(days=30)):
        jobs.settle_overdue()

    assert state_of(round.version) == State.IN_REVIEW


# -- review dates ---------------------------------------------------------------------------------


def test_a_text_is_asked_about_when_its_review_date_comes():
    boss = chair("user").user
    chair("scientific")
    member = make_member("user", "lid").user
    with at(NOON):
        version = make_practice()
        Item.objects.filter(pk=version.item_id).update(review_due_on=date(2028, 11, 22))
        OutboxMessage.objects.all().delete()
    with at(NOON + timedelta(days=700)):
        assert jobs.revalidate().done == "0 asked, 0 need a new version"
    with at(datetime.fromisoformat("2028-11-25T08:00:00+01:00")):  # three days were missed
        first, second = jobs.revalidate(), jobs.revalidate()

    assert (first.done, second.done) == ("1 asked, 0 need a new version", "0 asked, 0 need a new version")
    round = version.rounds.get(kind=ReviewRound.Kind.REVALIDATION)
    assert (round.opened_by, round.is_open) == (None, True)
    assert told(Kind.DECIDE) == sorted([boss.username, chair("scientific").user.username])
    assert member.username in told(Kind.REVALIDATE)


def test_a_text_that_was_not_confirmed_is_not_asked_about_again():
    for code in ("user", "scientific"):
        chair(code)
    with at(NOON):
        version = make_practice()
        Item.objects.filter(pk=version.item_id).update(review_due_on=date(2026, 11, 22))
        jobs.revalidate()
        round = version.rounds.open().get()
        for code in ("user", "scientific"):
            decide(round, chair(code), outcome="changes")
        report = jobs.revalidate()

    assert report.done == "0 asked, 0 need a new version"
    assert version.rounds.filter(kind=ReviewRound.Kind.REVALIDATION).count() == 1


def test_a_text_whose_source_changed_needs_a_new_version_which_is_said_once():
    boss = make_user(role="eindredacteur")
    with at(NOON):
        version = make_practice()
        Item.objects.filter(pk=version.item_id).update(review_due_on=date(2026, 11, 22))
        source = make_source("jansen-2020")
        source.title = "Een andere titel"
        source.save()
    for day in range(3):
        with at(NOON + timedelta(days=day)):
            assert jobs.revalidate().done == "0 asked, 1 need a new version"

    assert told(Kind.STALE).count(boss.username) == 1
    assert not version.rounds.open().exists()


# -- reminders ------------------------------------------------------------------------------------


def reminders():
    """(kind, who) of every reminder, in the order in which they were written."""
    rows = OutboxMessage.objects.filter(kind__in=[Kind.DUE_SOON, Kind.OVERDUE]).order_by("pk")
    return [(message.kind, message.recipient.username) for message in rows]


def test_reminders_come_once_before_and_once_after():
    with at(NOON - timedelta(days=20)):
        round = under_review()
        awaited = sorted(
            seat.user.username for seat in Membership.objects.active() if seat.user != round.version.submitted_by
        )
    counts = {}
    for days in (-4, -3, -2, 0, 1, 2, 9):
        with at(NOON + timedelta(days=days)):
            jobs.remind()
            counts[days] = len(reminders())

    each = len(awaited)
    assert counts == {-4: 0, -3: each, -2: each, 0: each, 1: 2 * each, 2: 2 * each, 9: 2 * each}
    assert sorted(reminders()) == sorted([(kind, who) for kind in ("due_soon", "overdue") for who in awaited])


def test_missed_days_lose_no_reminder():
    with at(NOON - timedelta(days=20)):
        under_review()
    with at(NOON - timedelta(days=1)):
        jobs.remind()
        assert {kind for kind, _who in reminders()} == {"due_soon"}
    with at(NOON + timedelta(days=40)):
        jobs.remind()
    assert {kind for kind, _who in reminders()} == {"due_soon", "overdue"}


@pytest.mark.parametrize(
    ("now", "kinds"),
    [
        ("2026-03-26T23:30:00+01:00", set()),  # three days and half an hour before the night of summer time
        ("2026-03-27T00:30:00+01:00", {"due_soon"}),
        ("2026-03-30T23:30:00+02:00", {"due_soon"}),
        ("2026-03-31T00:30:00+02:00", {"overdue"}),  # in Brussels it is tomorrow, in London and in UTC not yet
    ],
)
def test_a_day_is_a_day_in_brussels_also_when_the_clock_changes(now, kinds):
    with at(datetime.fromisoformat("2026-03-01T12:00:00+01:00")):
        under_review(due_on=date(2026, 3, 30))
    with at(datetime.fromisoformat(now)):
        jobs.remind()

    assert {kind for kind, _who in reminders()} == kinds


def test_who_did_their_part_stepped_back_or_wrote_is_not_reminded():
    with at(NOON - timedelta(days=20)):
        round = under_review()
        done, back, rest = Membership.objects.active().filter(commission__code="user").order_by("pk")
        review(round, back)
        reviews.recuse(round, commission=rest.commission, by=rest.user, reason="Familie.")
        transitions.VersionContributor.objects.get_or_create(version_id=round.version_id, user=done.user)
    with at(NOON):
        jobs.remind()

    names = {who for _kind, who in reminders()}
    assert names.isdisjoint({done.user.username, back.user.username, rest.user.username})
    assert len(names) == 3


def test_a_commission_that_decided_is_left_alone_and_its_chair_was_asked():
    with at(NOON - timedelta(days=20)):
        round = under_review()
        quorum(round, "user")
        decide(round, chair("user"))
        quorum(round, "scientific")
    with at(NOON):
        jobs.remind()

    tasks = {m.recipient.username: m.data["task"] for m in OutboxMessage.objects.filter(kind=Kind.DUE_SOON)}
    assert tasks == {chair("scientific").user.username: "decide"}


def test_the_deputy_is_asked_where_the_chair_may_not_decide():
    with at(NOON - timedelta(days=20)):
        round = under_review()
        deputy = make_member("user", "ondervoorzitter", role="deputy")
        reviews.recuse(round, commission=deputy.commission, by=chair("user").user, reason="Mijn eigen onderzoek.")
        quorum(round, "user")

    assert told(Kind.DECIDE) == ["ondervoorzitter"]


def test_the_editors_in_chief_hear_when_nobody_may_decide():
    boss = make_user(role="eindredacteur")
    with at(NOON - timedelta(days=20)):
        round = under_review()
        quorum(round, "user")
        assert told(Kind.DECIDE) == [chair("user").user.username]
        reviews.recuse(round, commission=chair("user").commission, by=chair("user").user, reason="Familie.")

    assert boss.username in told(Kind.STUCK)
    assert told(Kind.RECUSED) == []


# -- the heads of the trail -----------------------------------------------------------------------


def test_the_chairs_get_one_digest_of_the_trail_a_day(inbox):
    for code in ("user", "scientific"):
        user = chair(code).user
        user.email = f"{code}@example.org"
        user.save()
    with at(NOON):
        make_practice()
        assert jobs.mail_heads().done == "nothing to tell"
    OutboxMessage.objects.all().delete()
    for hours in (24, 25, 48):
        with at(NOON + timedelta(hours=hours)):
            jobs.mail_heads()
            jobs.send_mails()

    assert inbox.subjects == [
        (f"{code}@example.org", f"Auditspoor tot {day} november 2026")
        for code in ("scientific", "user") for day in (23, 24)
    ]  # fmt: skip
    heads = audit.heads(until=datetime.fromisoformat("2026-11-24T00:00:00+01:00"))
    assert heads.digest in inbox.text()
    assert "2026-11-24T00:00:00+01:00" in inbox.text()


def test_heads_differ_when_a_chain_lost_its_end():
    version = make_practice()
    until = timezone.now() + timedelta(minutes=1)
    before = audit.heads(until=until)
    audit.record("save", by=None, role=audit.SYSTEM, version=version)
    after = audit.heads(until=until)

    assert (after.events, after.chains) == (before.events + 1, before.chains)
    assert before.digest != after.digest
    assert audit.heads(until=until) == after


# -- who hears of what ----------------------------------------------------------------------------


def test_members_who_wrote_in_the_text_are_not_asked():
    member = make_member("user", "schrijvend-lid")
    for code in ("user", "scientific"):
        chair(code)
    version = make_practice(state=State.DRAFT, by=make_user(role="redacteur"))
    transitions.VersionContributor.objects.create(version=version, user=member.user)
    transitions.submit(version, by=version.created_by)

    assert member.user.username not in told(Kind.REVIEW)
    assert chair("user").user.username in told(Kind.REVIEW)


def test_a_recall_is_told_to_members_who_did_not_step_back():
    round = under_review()
    back = chair("user")
    reviews.recuse(round, commission=back.commission, by=back.user, reason="Familie.")
    transitions.recall(round.version, by=round.version.submitted_by)

    names = told(Kind.RECALLED)
    assert back.user.username not in names
    assert chair("scientific").user.username in names


def test_a_comment_waits_for_the_digest_of_the_authors():
    round = under_review()
    seat = chair("user")
    reviews.comment(round, commission=seat.commission, by=seat.user, field="lead", body="Korter graag.")

    message = OutboxMessage.objects.get(kind=Kind.COMMENT)
    assert (message.recipient, message.is_urgent) == (round.version.submitted_by, False)
    assert message.due_at == notifications.next_digest()


def test_the_turn_goes_to_the_editors_in_chief_and_then_to_everybody_who_worked_on_it():
    boss, other = make_user(role="eindredacteur"), make_user(role="eindredacteur")
    round = under_review()
    for code in ("user", "scientific"):
        quorum(round, code)
        decide(round, chair(code))
    assert set(told(Kind.PUBLISH)) >= {boss.username, other.username}
    transitions.publish(Version.objects.get(pk=round.version_id), by=boss)

    deciders = {chair(code).user.username for code in ("user", "scientific")}
    assert set(told(Kind.PUBLISHED)) == {round.version.submitted_by.username, *deciders}


# -- the search ------------------------------------------------------------------------------------


def test_the_index_is_made_anew_when_word_forms_changed():
    make_term("tekenles", "Tekenles", definition="Een tekening maken.")
    assert jobs.renew_search().done == "the index is up to date"
    assert [hit.title for hit in search(understand("tekenen")).hits] == ["Tekenles"]

    word = make_concept(Scheme.WORD, "tekenwerk", "tekenwerk")
    ConceptLabel.objects.create(concept=word, label="tekenles", relation=ConceptLabel.Relation.HIDDEN)
    assert jobs.renew_search().done == "1 entries indexed anew"
    assert [hit.title for hit in search(understand("tekenwerk")).hits] == ["Tekenles"]
    assert jobs.renew_search().done == "the index is up to date"


def test_one_process_at_a_time_makes_the_index_anew():
    make_term("tekenles", "Tekenles")
    SearchIndex.objects.update(analysis_version="0")
    beside = SearchIndex.objects.create(is_live=False, analysis_version="1", base=0)
    assert jobs.renew_search().done == "somebody else makes the index anew"
    SearchIndex.objects.filter(pk=beside.pk).update(made_at=timezone.now() - 2 * jobs.LONGEST_REBUILD)
    assert jobs.renew_search().done == "1 entries indexed anew"
    assert not SearchIndex.objects.filter(pk=beside.pk).exists()


def test_all_jobs_run_in_one_go_and_say_what_they_did():
    in_review(make_practice(state=State.DRAFT))

    assert [report.job for report in jobs.run()] == [
        "publish_due", "settle_overdue", "revalidate", "remind", "mail_heads", "send_mails", "renew_search",
    ]  # fmt: skip
