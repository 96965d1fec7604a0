"""Each button asks first, on its own page, and makes one move when it is posted."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localtime, now
from django.utils.translation import gettext as _

from knowledgebase.editorial.admin.moves import MOVES
from knowledgebase.models import AuditEvent, RenderedText, ReviewRound, Version
from practices.models import PracticeVersion
from tests.admin import admin_url, change_url, each_role, form_data, logged_in, messages_of
from tests.factories import bring_to, chair, in_review, make_practice, make_user, make_version

pytestmark = pytest.mark.django_db
WRITERS, CHIEF = ("redacteur", "eindredacteur"), ("eindredacteur",)
REASON = {"reason": "De studie is ingetrokken."}
TOMORROW = localtime(now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
# name: (a state in which it may be made, who may, what is filled in, the state after it)
EACH = {
    "submit": ("draft", WRITERS, {"remark": "Let op het cijfer."}, "in_review"),
    "recall": ("in_review", (), {}, "draft"),
    "publish": ("approved", CHIEF, {}, "published"),
    "schedule": ("approved", CHIEF, {"at": TOMORROW}, "approved"),
    "unschedule": ("approved", CHIEF, {}, "approved"),
    "revalidate": ("published", CHIEF, {}, "published"),
    "withdraw": ("published", CHIEF, REASON, "withdrawn"),
    "restore": ("superseded", WRITERS, {}, "superseded"),
    "discard": ("changes_requested", WRITERS, {}, "discarded"),
}
each_move = pytest.mark.parametrize("name", EACH)


def url_of(version, name: str) -> str:
    return admin_url(type(version), name, version.pk)


def ready(name: str, by=None):
    """A practice in the state in which this move may be made, with a chair in both commissions."""
    chair("user"), chair("scientific")
    version = make_practice("feedback", state="draft", by=by)
    if name == "recall":
        in_review(version, by=by)
    else:
        bring_to(version, EACH[name][0])
    if name == "unschedule":
        client = logged_in("eindredacteur")
        press(client, version, "schedule", at=TOMORROW)
    return PracticeVersion.objects.get(pk=version.pk)


def press(client, version, name: str, **data):
    """What a browser does: open the page that asks, fill it in, and send it."""
    lock = client.get(url_of(version, name)).context["form"]["lock_version"].value()
    return client.post(url_of(version, name), {"lock_version": lock} | data, follow=True)


def may(name: str):
    """Somebody who may make the move, and a version for it."""
    client = logged_in(EACH[name][1][0] if EACH[name][1] else "redacteur")
    return client, ready(name, by=client.user)


def test_every_move_is_tested():
    assert [move.name for move in MOVES] == list(EACH)


@each_move
def test_it_asks_first_and_then_moves(name):
    client, version = may(name)
    state = version.state

    question = client.get(url_of(version, name))
    version.refresh_from_db()
    assert (question.status_code, version.state) == (200, state)
    response = press(client, version, name, **EACH[name][2])

    version.refresh_from_db()
    assert (response.status_code, version.state) == (200, EACH[name][3])
    assert [message.level_tag for message in response.context["messages"]] == ["success"]
    assert AuditEvent.objects.filter(item=version.item_id, actor_id=client.user.pk).exists()


@each_move
@each_role
def test_who_may(name, role):
    version = ready(name)
    client = logged_in(role)
    expected = 200 if role in EACH[name][1] else 403

    assert client.get(url_of(version, name)).status_code == expected
    page = client.get(change_url(version))
    assert (url_of(version, name) in [url for _label, url in page.context["moves"]]) == (expected == 200)
    if expected == 403:
        refused = client.post(url_of(version, name), {"lock_version": str(version.lock_version)} | EACH[name][2])
        assert refused.status_code == 403
        version.refresh_from_db()
        assert version.state == EACH[name][0]


@each_move
def test_a_stranger_is_sent_to_the_login_page(name):
    version = ready(name)

    response = Client().post(url_of(version, name), {"lock_version": "0"} | EACH[name][2])

    assert (response.status_code, response.url.split("?")[0]) == (302, "/admin/login/")


@each_move
def test_other_verbs_are_refused(name):
    client, version = may(name)

    assert client.put(url_of(version, name)).status_code == 405
    assert client.delete(url_of(version, name)).status_code == 405


@each_move
def test_what_is_not_there_is_not_found(name):
    client = logged_in("eindredacteur")

    assert client.get(admin_url(PracticeVersion, name, 999)).status_code == 404
    if name != "discard":
        assert client.post(admin_url(PracticeVersion, name, 999), {}).status_code == 404


def test_throwing_a_draft_away_twice_says_that_it_is_gone():
    draft = make_version(make_practice("feedback").item)
    client = logged_in("redacteur")
    press(client, draft, "discard")

    response = client.post(url_of(draft, "discard"), {"lock_version": "0"}, follow=True)

    assert response.redirect_chain == [("/admin/practices/practice/", 302)]
    assert [message.level_tag for message in response.context["messages"]][-1] == "info"


@each_move
def test_only_our_own_form_counts(name):
    client, version = may(name)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(client.user)

    assert strict.post(url_of(version, name), {"lock_version": str(version.lock_version)}).status_code == 403


@each_move
@pytest.mark.parametrize("lock_version", ["", "x", "77"])
def test_only_what_was_shown_is_moved_and_what_was_typed_is_kept(name, lock_version):
    client, version = may(name)
    state, typed = version.state, EACH[name][2]

    response = client.post(url_of(version, name), typed | {"lock_version": lock_version})

    version.refresh_from_db()
    form = response.context["form"]
    assert (response.status_code, version.state) == (200, state)
    assert len(form.non_field_errors()) == 1
    assert {field: form[field].value() for field in typed} == typed
    assert form["lock_version"].value() == str(version.lock_version)  # pressing again is on purpose


def test_a_stale_page_names_who_was_before():
    version = ready("submit")
    client, editor = logged_in("eindredacteur"), logged_in("redacteur", username="an")
    shown = client.get(url_of(version, "submit")).context["form"]["lock_version"].value()
    editor.post(change_url(version), form_data(editor.get(change_url(version)), title="Anders"))

    response = client.post(url_of(version, "submit"), {"lock_version": shown})

    version.refresh_from_db()
    assert (response.status_code, version.state) == (200, "draft")
    assert response.context["form"].non_field_errors()[0].split()[0] == "an"


TWICE = [name for name in EACH if name != "restore"]  # that leads to the draft there is


@pytest.mark.parametrize("name", TWICE)
def test_a_second_press_says_that_it_is_done_and_is_no_error(name):
    client, version = may(name)
    lock = client.get(url_of(version, name)).context["form"]["lock_version"].value()
    data = {"lock_version": lock} | EACH[name][2]
    client.post(url_of(version, name), data)
    events = AuditEvent.objects.count()

    response = client.post(url_of(version, name), data, follow=True)

    assert [message.level_tag for message in response.context["messages"]][-1] == "info"
    assert AuditEvent.objects.count() == events


# -- publishing


@pytest.mark.parametrize("state", ["draft", "in_review", "changes_requested", "superseded", "withdrawn", "discarded"])
def test_only_what_is_approved_is_published(state):
    version = make_practice("feedback", state=state)
    client = logged_in("eindredacteur")

    response = client.post(url_of(version, "publish"), {"lock_version": str(version.lock_version)}, follow=True)

    before = version.published_at
    version.refresh_from_db()
    assert (version.state, version.published_at) == (state, before)
    assert [message.level_tag for message in response.context["messages"]] == ["error"]
    assert client.get(url_of(version, "publish")).status_code == 302


def test_publishing_fills_what_is_derived():
    client, version = may("publish")

    response = press(client, version, "publish")

    version.refresh_from_db()
    assert (version.published_by, RenderedText.objects.filter(version=version).exists()) == (client.user, True)
    assert messages_of(response) == [_("Published: readers see this version now.")]


def test_an_approval_that_was_revoked_keeps_it_from_being_published():
    client, version = may("publish")
    ask = client.get(url_of(version, "publish"))
    assert ask.context["problems"] == []
    from knowledgebase.editorial.reviews import revoke
    from knowledgebase.models import Decision

    decision = Decision.objects.filter(round__version=version, commission__code="user").get()
    revoke(decision, by=decision.decided_by, reason="Te vroeg.")

    response = client.post(
        url_of(version, "publish"), {"lock_version": ask.context["form"]["lock_version"].value()}, follow=True
    )

    version.refresh_from_db()
    assert version.state == "changes_requested"
    assert [message.level_tag for message in response.context["messages"]] == ["error"]


# -- submitting


def test_what_is_missing_is_named_with_a_link_and_keeps_it_from_being_submitted():
    chair("user"), chair("scientific")
    version = make_practice("feedback", state="draft", when_not="", sources=[])
    client = logged_in("redacteur")

    page = client.get(url_of(version, "submit"))
    response = client.post(url_of(version, "submit"), {"lock_version": "0"}, follow=True)

    version.refresh_from_db()
    links = {finding.field: url for finding, _label, url in page.context["findings"]}
    assert links["when_not"] == f"{change_url(version)}#id_when_not"
    assert links["source_links"] == f"{change_url(version)}#source_links-group"
    content = client.get(change_url(version)).content.decode()
    assert 'id="id_when_not"' in content
    assert 'id="source_links-group"' in content
    assert page.context["blocked"] is True
    assert 'type="submit" class="default"' not in page.content.decode()
    assert messages_of(response) == [
        _("Write when it does not work. If nobody knows, say so."), _("Add at least one source."),
    ]  # fmt: skip
    assert version.state == "draft"


def test_advice_keeps_nothing_from_being_submitted():
    version = ready("submit")
    PracticeVersion.objects.filter(pk=version.pk).update(lead="")
    client = logged_in("redacteur")

    assert client.get(url_of(version, "submit")).context["blocked"] is False
    press(client, version, "submit", remark="Nagekeken.")

    version.refresh_from_db()
    assert version.state == "in_review"
    assert ReviewRound.objects.get(version=version).remark == "Nagekeken."


def test_a_text_that_did_not_change_is_not_submitted_again():
    client, version = may("discard")

    response = press(client, version, "submit")

    version.refresh_from_db()
    assert version.state == "changes_requested"
    assert messages_of(response) == [
        _("Nothing was changed since the last round. Change what was asked, then submit the text again.")
    ]


def test_without_a_chair_nothing_is_submitted():
    version = make_practice("feedback", state="draft")

    response = press(logged_in("redacteur"), version, "submit")

    version.refresh_from_db()
    assert version.state == "draft"
    assert [message.level_tag for message in response.context["messages"]] == ["error"]


# -- recalling, planning, throwing away, restoring


def test_only_who_submitted_recalls_and_is_told_so():
    version = ready("recall", by=make_user("an", role="redacteur"))

    response = logged_in("redacteur").post(url_of(version, "recall"), {"lock_version": str(version.lock_version)})

    assert response.status_code == 403
    assert _("Only who submitted a text recalls it.") in response.content.decode()


@pytest.mark.parametrize(
    "at",
    ["", "morgen", "2020-01-01T10:00", "2199-01-01T10:00", "9999-12-31T23:59", "0001-01-01T00:00", "2027-03-28T02:30"],
)
def test_a_moment_that_cannot_be_is_refused_and_nothing_is_planned(at):
    client, version = may("schedule")

    response = press(client, version, "schedule", at=at)

    version.refresh_from_db()
    assert (response.status_code, version.publish_at) == (200, None)


def test_a_plan_may_be_moved():
    client, version = may("schedule")
    press(client, version, "schedule", at=TOMORROW)
    later = localtime(now() + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M")

    press(client, version, "schedule", at=later)

    version.refresh_from_db()
    assert localtime(version.publish_at).strftime("%Y-%m-%dT%H:%M") == later


def test_a_draft_that_was_never_submitted_is_gone_and_its_text_stays():
    draft = make_version(make_practice("feedback").item)
    client = logged_in("redacteur")

    response = press(client, draft, "discard")

    assert not Version.objects.filter(pk=draft.pk).exists()
    assert response.redirect_chain == [(f"/admin/practices/practice/{draft.item_id}/change/", 302)]
    assert messages_of(response) == [_("Version %(number)s was thrown away.") % {"number": 2}]


def test_an_older_version_begins_a_new_draft():
    client, version = may("restore")

    press(client, version, "restore")

    draft = Version.objects.open().get()
    assert (draft.based_on_id, draft.title, draft.created_by) == (version.pk, version.title, client.user)


def test_an_open_version_is_returned_and_not_doubled():
    client, version = may("restore")
    draft = make_version(version.item)

    response = press(client, version, "restore")

    assert list(Version.objects.open()) == [Version.objects.get(pk=draft.pk)]
    assert response.redirect_chain == [(change_url(draft), 302)]
    assert messages_of(response) == [
        _("This text already has a draft: version %(number)s. Nothing was copied.") % {"number": draft.number}
    ]


def test_nothing_is_restored_while_the_open_version_is_with_the_commissions():
    client, version = may("restore")
    in_review(make_version(version.item))

    response = press(client, version, "restore")

    assert Version.objects.count() == 3
    assert messages_of(response) == [_("The open version is with the commissions: nobody can edit it now.")]


# -- withdrawing


@pytest.mark.parametrize("reason", ["", "   "])
def test_withdrawing_needs_a_reason(reason):
    client, version = may("withdraw")

    response = press(client, version, "withdraw", reason=reason)

    version.refresh_from_db()
    assert (response.status_code, version.state) == (200, "published")
    assert list(response.context["form"].errors) == ["reason"]


def test_a_chair_with_a_role_in_the_admin_withdraws_alone():
    _client, version = may("withdraw")
    seat = chair("scientific")
    seat.user.is_staff = True
    seat.user.save()
    seat.user.groups.add(make_user(role="voorzitter").groups.get())
    client = Client()
    client.force_login(seat.user)

    press(client, version, "withdraw", note="Alleen voor het logboek.", **REASON)

    version.refresh_from_db()
    event = AuditEvent.objects.filter(item=version.item_id).order_by("-seq").first()
    assert (version.state, version.withdrawal_reason, version.withdrawn_by) == (
        "withdrawn",
        REASON["reason"],
        seat.user,
    )
    assert event.data == {"reason": REASON["reason"], "note": "Alleen voor het logboek."}


# -- whatever the database refuses


def test_a_refusal_of_the_database_is_a_message(monkeypatch):
    client, version = may("publish")

    def refused(*_args, **_kwargs):
        raise IntegrityError("version_approved: both commissions approve exactly this text, by two people")

    monkeypatch.setattr("knowledgebase.editorial.transitions.publish", refused)
    response = press(client, version, "publish")

    assert response.status_code == 200
    assert [message.level_tag for message in response.context["messages"]] == ["error"]


def test_the_page_that_asks_costs_the_same_for_one_and_for_three_sources(django_assert_num_queries):
    from tests.factories import make_source

    one = make_practice("een", state="draft")
    three = make_practice("drie", state="draft", sources=[make_source() for _number in range(3)])
    client = logged_in("redacteur")
    client.get(url_of(one, "submit"))
    with CaptureQueriesContext(connection) as captured:
        client.get(url_of(one, "submit"))
    with django_assert_num_queries(len(captured)):
        assert client.get(url_of(three, "submit")).status_code == 200
