import threading
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection, connections
from django.utils import timezone

from knowledgebase.editorial import mails, notifications, outbox, transitions
from knowledgebase.models import OutboxMessage, Version
from tests.commissions import review
from tests.factories import approve, chair, make_member, make_practice, make_user

pytestmark = pytest.mark.django_db
Kind = OutboxMessage.Kind
State = Version.State
BEFORE_SEVEN = datetime.fromisoformat("2026-11-22T06:30:00+01:00")
AFTER_SEVEN = datetime.fromisoformat("2026-11-22T07:00:00+01:00")
needs_postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time")


def person(name, **fields):
    return make_user(name, **{"email": f"{name}@example.org"} | fields)


def published(*recipients, **fields):
    """A published text of which these people are told, in their digests."""
    version = make_practice(**{"title": "Feedback"} | fields)
    notifications.tell(Kind.PUBLISHED, version, recipients, by=None, about="1")
    return version


def withdrawn(*recipients, **fields):
    """Something urgent, told to these people."""
    version = make_practice(state=State.WITHDRAWN, **{"title": "Leerstijlen"} | fields)
    OutboxMessage.objects.all().delete()
    notifications.tell(Kind.WITHDRAWN, version, recipients, by=None, about="1", reason="De studie klopt niet.")
    return version


def at(moment):
    return time_machine.travel(moment, tick=False)


def states():
    return [
        "sent" if m.sent_at else "skipped" if m.skipped_at else "waits" for m in OutboxMessage.objects.order_by("pk")
    ]


# -- what goes out when ---------------------------------------------------------------------------


def test_an_urgent_message_goes_out_alone_and_at_once(inbox):
    an = person("an", first_name="An", last_name="De Smet")
    withdrawn(an, title="Leerstijlen & <b>meer</b>")

    sent = outbox.send_due()

    [(recipients, mail)] = inbox.mails
    assert recipients == ["an@example.org"]
    assert str(mail["To"]) == "An De Smet <an@example.org>"
    assert str(mail["Subject"]) == "Ingetrokken: Leerstijlen & <b>meer</b>"
    assert str(mail["Auto-Submitted"]) == "auto-generated"
    assert str(mail["List-Id"]) == "Leerpunt <meldingen.127.0.0.1>"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert "De studie klopt niet." in inbox.text()
    assert "De studie klopt niet." in inbox.html()
    assert (sent.mails, sent.skipped, sent.failed, sent.waiting, sent.errors) == (1, 0, 0, 0, ())
    assert states() == ["sent"]


def test_nothing_in_the_html_is_markup_of_others_or_comes_from_elsewhere(inbox):
    version = withdrawn(person("an", first_name="<i>An</i>"))
    OutboxMessage.objects.update(data={"version": version.number, "reason": "<script>alert(1)</script>"})

    outbox.send_due()

    html = inbox.html()
    assert "<script" not in html
    assert "<i>" not in html
    assert "&lt;script&gt;" in html
    assert [word for word in ("<img", "style", "http-equiv", "cdn") if word in html] == []
    assert "<script>alert(1)</script>" in inbox.text()


def test_the_rest_is_one_digest_a_day(inbox):
    an, bert = person("an"), person("bert")
    with at(BEFORE_SEVEN):
        published(an, bert, title="Feedback")
        published(an, title="Huiswerk")
        outbox.send_due()
        assert inbox.subjects == []
    with at(AFTER_SEVEN):
        outbox.send_due()
        published(an, title="Later")
        outbox.send_due()

        assert inbox.subjects == [
            ("an@example.org", "Leerpunt: 2 meldingen"),
            ("bert@example.org", "Gepubliceerd: Feedback"),
        ]
        digest = next(mail for to, mail in inbox.mails if to == ["an@example.org"])
        text = digest.get_body(("plain",)).get_content()
        assert [title in text for title in ("Feedback", "Huiswerk", "Later")] == [True, True, False]
    with at(AFTER_SEVEN + timedelta(days=1)):
        outbox.send_due()
    assert inbox.mails[-1][0] == ["an@example.org"]
    assert inbox.mails[-1][1]["Subject"] == "Gepubliceerd: Later"
    assert len(inbox.mails) == 3


def test_days_on_which_nothing_ran_end_in_one_digest(inbox):
    an = person("an")
    for day in range(3):
        with at(AFTER_SEVEN + timedelta(days=day, hours=2)):
            published(an, title=f"Tekst {day}")
    with at(AFTER_SEVEN + timedelta(days=5)):
        sent = outbox.send_due()

    assert (sent.mails, inbox.subjects) == (1, [("an@example.org", "Leerpunt: 3 meldingen")])


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-28T23:30:00+01:00", "2026-03-29T07:00:00+02:00"),  # the night in which summer time begins
        ("2026-10-24T23:30:00+02:00", "2026-10-25T07:00:00+01:00"),  # and ends
        ("2026-10-25T02:30:00+01:00", "2026-10-25T07:00:00+01:00"),  # the second half past two of that night
        ("2026-06-01T07:00:00+02:00", "2026-06-02T07:00:00+02:00"),
        ("2026-06-01T06:59:59+02:00", "2026-06-01T07:00:00+02:00"),
        ("2026-12-31T23:59:00+01:00", "2027-01-01T07:00:00+01:00"),
    ],
)
def test_the_hour_of_the_digest_is_that_of_the_clock_in_brussels(now, due):
    assert notifications.next_digest(datetime.fromisoformat(now)) == datetime.fromisoformat(due)


def test_a_line_that_would_be_said_twice_is_said_once(inbox):
    an = person("an")
    with at(BEFORE_SEVEN):
        version = make_practice(state=State.IN_REVIEW, title="Feedback")
        for about in "123":
            notifications.tell(Kind.COMMENT, version, [an], by=None, about=about)
    with at(AFTER_SEVEN):
        outbox.send_due()

    assert inbox.subjects == [("an@example.org", "Nieuwe opmerkingen: Feedback")]
    assert states() == ["sent"] * 3


# -- who gets nothing -----------------------------------------------------------------------------


def test_the_actor_is_never_told_and_the_same_is_told_once():
    an, bert, closed = person("an"), person("bert"), person("carla", is_active=False)
    version = make_practice()
    for _time in range(2):
        notifications.tell(Kind.RECUSED, version, [an, bert, closed, bert], by=an, about="1")

    assert list(OutboxMessage.objects.filter(kind=Kind.RECUSED).values_list("recipient", flat=True)) == [bert.pk]


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"email": ""}, "Het account heeft geen mailadres."), ({"is_active": False}, "Het account is afgesloten.")],
)
def test_who_cannot_get_mail_is_skipped_with_the_reason(inbox, fields, why):
    an = person("an")
    withdrawn(an, person("bert"))
    type(an).objects.filter(pk=an.pk).update(**fields)

    sent = outbox.send_due()

    assert inbox.subjects == [("bert@example.org", "Ingetrokken: Leerstijlen")]
    assert (sent.mails, sent.skipped, sent.failed) == (1, 1, 0)
    message = OutboxMessage.objects.get(recipient=an)
    assert (message.sent_at, message.skipped_at is None, message.last_error) == (None, False, why)
    assert outbox.send_due().skipped == 0


# -- what goes wrong ------------------------------------------------------------------------------


def test_a_refused_address_stops_nobody_else_and_is_tried_again_later(inbox):
    people = [person(name) for name in ("an", "bert", "carla")]
    inbox.refuse = {"bert@example.org"}
    with at(AFTER_SEVEN):
        withdrawn(*people)
        sent = outbox.send_due()

        assert [to for to, _subject in inbox.subjects] == ["an@example.org", "carla@example.org"]
        assert (sent.mails, sent.failed) == (2, 1)
        message = OutboxMessage.objects.get(recipient=people[1])
        assert "no such mailbox" in message.last_error
        assert (message.attempts, message.sent_at, message.due_at) == (1, None, AFTER_SEVEN + timedelta(minutes=5))
        inbox.refuse = set()
        assert outbox.send_due().mails == 0
    with at(AFTER_SEVEN + timedelta(minutes=5)):
        assert outbox.send_due().mails == 1
    message.refresh_from_db()
    assert (message.attempts, message.last_error, message.claimed_until) == (2, "", None)


def test_the_wait_doubles_and_ends(inbox):
    an = person("an")
    inbox.refuse = {"an@example.org"}
    withdrawn(an)
    waits = []
    for _attempt in range(outbox.MOST_ATTEMPTS):
        message = OutboxMessage.objects.get()
        with at(message.due_at + timedelta(seconds=1)):
            now = timezone.now()
            outbox.send_due()
            message.refresh_from_db()
            waits.append(round((message.due_at - now).total_seconds() / 60))

    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 720, 720, 720, 720]
    assert states() == ["skipped"]
    assert "no such mailbox" in message.last_error
    with at(message.due_at + timedelta(days=9)):
        assert outbox.send_due().failed == 0


def test_a_digest_that_failed_is_still_one_digest(inbox):
    an = person("an")
    with at(BEFORE_SEVEN):
        published(an, title="Gisteren")
    inbox.refuse = {"an@example.org"}
    with at(AFTER_SEVEN + timedelta(hours=23, minutes=58)):
        outbox.send_due()
        published(an, title="Vandaag")
    inbox.refuse = set()
    with at(AFTER_SEVEN + timedelta(days=1)):
        sent = outbox.send_due()

    assert (sent.mails, inbox.subjects) == (1, [("an@example.org", "Leerpunt: 2 meldingen")])


def test_a_server_that_takes_nothing_is_not_asked_for_everybody(inbox, settings):
    with at(AFTER_SEVEN):
        withdrawn(person("an"), person("bert"))
        settings.EMAIL_PORT = 1  # nobody listens there
        sent = outbox.send_due()

        assert (sent.mails, sent.failed, sent.waiting) == (0, 1, 1)
        assert "ConnectionRefusedError" in sent.errors[-1]
        assert sorted(OutboxMessage.objects.values_list("attempts", flat=True)) == [0, 1]


def test_what_was_claimed_behind_a_server_that_went_away_is_free_again(inbox, settings):
    an = person("an")
    with at(AFTER_SEVEN):
        withdrawn(an)
        notifications.tell(Kind.WITHDRAWN, make_practice(state=State.WITHDRAWN), [an], by=None, about="2")
        settings.EMAIL_PORT = 1
        outbox.send_due()

        first, second = OutboxMessage.objects.filter(recipient=an).order_by("-attempts")
        assert (first.attempts, second.attempts) == (1, 0)
        assert (first.claimed_until, second.claimed_until) == (None, None)
        assert list(OutboxMessage.objects.due().filter(recipient=an)) == [second]


def test_a_busy_server_is_asked_again_later(inbox):
    inbox.busy = True
    withdrawn(person("an"))

    sent = outbox.send_due()

    assert (sent.mails, sent.failed, states()) == (0, 1, ["waits"])


def test_a_title_with_a_line_break_is_one_line_in_the_subject(inbox):
    withdrawn(person("an"), title="Een\r\nBcc: iedereen@example.org")

    outbox.send_due()

    assert inbox.subjects == [("an@example.org", "Ingetrokken: Een Bcc: iedereen@example.org")]


def test_a_message_that_cannot_be_written_keeps_no_other_from_being_sent(inbox):
    an = person("an")
    withdrawn(an)
    OutboxMessage.objects.create(recipient=an, kind=Kind.HEADS, is_urgent=True, dedupe_key="x", data={})

    sent = outbox.send_due()

    assert (sent.mails, sent.failed) == (1, 1)
    assert "KeyError" in sent.errors[0]


def test_without_a_mail_server_messages_wait(settings, mailoutbox):
    settings.EMAIL_IS_ON = False
    withdrawn(person("an"))

    sent = outbox.send_due()

    assert (sent.mails, sent.waiting, mailoutbox, states()) == (0, 1, [], ["waits"])


def test_a_sender_that_died_leaves_its_messages_to_the_next_one(inbox):
    an = person("an")
    with at(AFTER_SEVEN):
        withdrawn(an)
        outbox._claim(an.pk)
        assert outbox.send_due().mails == 0
    with at(AFTER_SEVEN + outbox.CLAIM):
        assert outbox.send_due().mails == 1


@needs_postgres
@pytest.mark.django_db(transaction=True)
def test_senders_side_by_side_send_everything_once(inbox):
    people = [person(f"lid-{number}") for number in range(8)]
    for title in ("Een", "Twee", "Drie"):
        version = make_practice(title=title)
        notifications.tell(Kind.PUBLISHED, version, people, by=None, about="1")
    notifications.tell(Kind.REVOKED, version, people, by=None, about="2", reason="Toch niet.")
    OutboxMessage.objects.filter(recipient__email="").delete()
    OutboxMessage.objects.update(due_at=timezone.now())
    start, sent = threading.Barrier(4), []

    def send():
        try:
            start.wait()
            sent.append(outbox.send_due())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(run.mails for run in sent) == 16
    assert [(run.failed, run.errors) for run in sent] == [(0, ())] * 4
    assert sorted({to: 0 for to, _subject in inbox.subjects}) == [user.email for user in people]
    assert len(inbox.mails) == 16
    assert set(states()) == {"sent"}


# -- what no longer holds -------------------------------------------------------------------------


def test_a_closed_round_asks_nothing_any_more(inbox):
    member = make_member("user", "lid", role="member")
    member.user.email = "lid@example.org"
    member.user.save()
    version = make_practice(state=State.IN_REVIEW)
    round = version.rounds.get()
    notifications.tell(Kind.REVIEW, version, [member.user], by=None, about="1", round=1)
    transitions.close(round, "recalled")

    sent = outbox.send_due()

    assert (sent.mails, sent.skipped) == (0, 1)
    assert OutboxMessage.objects.get(kind=Kind.REVIEW).last_error == "De ronde is afgesloten."


def test_who_reviewed_already_is_not_asked_again(inbox):
    member = make_member("user", "lid")
    version = make_practice(state=State.IN_REVIEW)
    round = version.rounds.get()
    notifications.tell(Kind.REVIEW, version, [member.user], by=None, about="1", round=1)
    review(round, member)

    message = OutboxMessage.objects.get(kind=Kind.REVIEW)
    with pytest.raises(mails.NoLongerApplies):
        mails.line_of(message)


def test_a_recall_is_told_to_those_who_were_asked(inbox):
    editor = make_user(role="redacteur")
    for code in ("user", "scientific"):
        chair(code)
    asked = make_member("user", "lid").user
    asked.email = "lid@example.org"
    asked.save()
    version = make_practice(state=State.DRAFT, by=editor)
    transitions.submit(version, by=editor)
    transitions.recall(version, by=editor)
    message = OutboxMessage.objects.get(kind=Kind.RECALLED, recipient=asked)

    with pytest.raises(mails.NoLongerApplies):
        mails.line_of(message)
    OutboxMessage.objects.filter(kind=Kind.REVIEW, recipient=asked).update(sent_at=timezone.now())
    assert mails.line_of(message).subject.startswith("Teruggetrokken: ")


def test_a_mail_to_a_member_leads_to_the_round(client):
    member = make_member("user", "lid")
    version = make_practice(state=State.IN_REVIEW)
    notifications.tell(Kind.REVIEW, version, [member.user], by=None, about="1", round=1)
    line = mails.line_of(OutboxMessage.objects.get(kind=Kind.REVIEW))
    client.force_login(member.user)

    assert line.url == f"http://127.0.0.1:8000/redactie/ronde/{version.rounds.get().pk}/"
    assert client.get(line.url.removeprefix("http://127.0.0.1:8000")).status_code == 200


def test_what_was_published_needs_no_publisher(inbox):
    boss = make_user(role="eindredacteur", email="boss@example.org")
    version = approve(make_practice(state=State.DRAFT))
    notifications.tell(Kind.PUBLISH, version, [boss], by=None, about="1", round=1)
    message = OutboxMessage.objects.get(kind=Kind.PUBLISH)
    assert mails.line_of(message).url.endswith(f"/admin/practices/practice/{version.item_id}/change/")
    transitions.publish(version, by=boss)

    with pytest.raises(mails.NoLongerApplies):
        mails.line_of(message)


def test_a_message_about_a_deleted_draft_is_dropped():
    version = make_practice(state=State.DRAFT)
    notifications.tell(Kind.COMMENT, version, [person("an")], by=None, about="1")
    version.delete()

    with pytest.raises(mails.NoLongerApplies):
        mails.line_of(OutboxMessage.objects.get())


def test_every_kind_of_message_has_its_words():
    assert {*mails.WORDS, *mails.ACCOUNT} == set(Kind.values)


def test_a_link_to_a_password_is_made_when_the_mail_is(inbox):
    an = person("an")
    for _time in range(3):
        notifications.send_link(Kind.RESET, an)
    assert OutboxMessage.objects.count() == 1
    assert "/aanmelden/wachtwoord/" not in str(OutboxMessage.objects.values())

    outbox.send_due()

    assert inbox.subjects == [("an@example.org", "Kies een nieuw wachtwoord")]
    assert "http://127.0.0.1:8000/aanmelden/wachtwoord/" in inbox.text()


def test_a_link_that_was_asked_long_ago_is_not_sent(inbox):
    an = person("an")
    with at(AFTER_SEVEN):
        notifications.send_link(Kind.RESET, an)
    with at(AFTER_SEVEN + timedelta(days=2)):
        sent = outbox.send_due()

    assert (sent.mails, sent.skipped) == (0, 1)
