import csv
import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext as _

from knowledgebase.admin.trail import deed_of
from knowledgebase.editorial import audit
from knowledgebase.models import AuditEvent, Decision, OutboxMessage, Review, Source
from tests.admin import admin_url, logged_in
from tests.factories import make_item, make_user

pytestmark = pytest.mark.django_db
TRAIL, OUTBOX = "/admin/knowledgebase/auditevent/", "/admin/knowledgebase/outboxmessage/"
READERS = ("redacteur", "eindredacteur", "beheerder")


def superuser() -> Client:
    client = Client()
    client.force_login(make_user("baas", is_staff=True, is_superuser=True))
    return client


def some_events():
    """Three events: two on a text by An and by the system, one on the site by Bo."""
    an, bo = make_user("an", first_name="An", last_name="Claes"), make_user("bo")
    item = make_item(slug="feedback")
    audit.record("save", by=an, role="redacteur", item=item)
    audit.record(
        "settle", by=None, role=audit.SYSTEM, on_behalf_of=bo, item=item, from_state="in_review", to_state="approved"
    )
    audit.record("add_source", by=bo, role="beheerder", data={"object": ["smit-2010"]})
    return item


def listed(response) -> list[tuple]:
    return [(event.action, event.actor_name) for event in response.context["cl"].result_list]


@pytest.mark.parametrize("role", READERS)
def test_the_trail_is_read_with_names_newest_first(role):
    some_events()

    assert listed(logged_in(role).get(TRAIL)) == [("add_source", "bo"), ("settle", None), ("save", "An Claes")]


@pytest.mark.parametrize("role", ["voorzitter", "lid"])
def test_others_do_not_read_the_trail(role):
    some_events()
    client = logged_in(role)

    for path in (TRAIL, f"{TRAIL}uitvoer.csv", f"{TRAIL}uitvoer.json"):
        assert client.get(path).status_code == 403


def test_a_stranger_is_sent_to_the_login_page():
    assert Client().get(f"{TRAIL}uitvoer.csv").url.startswith("/admin/login/")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("keten=site", ["add_source"]),
        ("keten=tekst", ["settle", "save"]),
        ("keten=onzin", ["add_source", "settle", "save"]),
        ("daad=settle", ["settle"]),
        ("actor_role__exact=redacteur", ["save"]),
        ("q=feedback", ["settle", "save"]),
    ],
)
def test_the_trail_is_filtered(query, found):
    some_events()

    assert [action for action, _name in listed(logged_in("beheerder").get(f"{TRAIL}?{query}"))] == found


def test_the_trail_of_one_text():
    item = some_events()
    audit.record("save", by=None, role=audit.SYSTEM, item=make_item(slug="quiz"))

    assert len(listed(logged_in("redacteur").get(f"{TRAIL}?item__id__exact={item.pk}"))) == 2


def test_one_event_is_read_in_full():
    some_events()
    event = AuditEvent.objects.get(action="settle")

    content = logged_in("beheerder").get(admin_url(AuditEvent, "change", event.pk)).content.decode()

    assert event.hash in content
    assert "bo" in content


@pytest.mark.parametrize("model", [AuditEvent, OutboxMessage])
def test_nobody_writes_in_the_trail_or_the_outbox(model):
    some_events()
    OutboxMessage.objects.create(recipient=make_user("cas"), kind="review", item=make_item(), dedupe_key="een")
    row, client = model.objects.first(), superuser()

    for path, data in (("change", {"action": "anders"}), ("delete", {"post": "yes"})):
        assert client.post(admin_url(model, path, row.pk), data).status_code == 403
    assert client.post(admin_url(model, "add"), {}).status_code == 403
    client.post(
        admin_url(model, "changelist"), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    )
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", [Review, Decision])
def test_reviews_and_decisions_are_not_in_the_admin(model):
    assert superuser().get(f"/admin/knowledgebase/{model._meta.model_name}/").status_code == 404


def test_it_is_saved_as_csv_as_it_was_filtered():
    some_events()
    audit.record("save", by=make_user("x", first_name="=cmd()"), role="redacteur")

    response = logged_in("beheerder").get(f"{TRAIL}uitvoer.csv?keten=site")

    rows = list(csv.DictReader(response.content.decode().splitlines()))
    assert [(row["action"], row["actor_name"]) for row in rows] == [("add_source", "bo"), ("save", "'=cmd()")]
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="logboek-')


def test_it_is_saved_as_json_in_the_order_of_the_chains():
    item = some_events()

    rows = json.loads(logged_in("redacteur").get(f"{TRAIL}uitvoer.json").content)

    assert [(row["text"], row["seq"], row["action"]) for row in rows] == [
        ("", 1, "add_source"), (f"practice/{item.slug}", 1, "save"), (f"practice/{item.slug}", 2, "settle"),
    ]  # fmt: skip
    assert rows[2]["on_behalf_of_name"] == "bo"


def test_saving_is_asked_for_by_get():
    assert logged_in("beheerder").post(f"{TRAIL}uitvoer.csv").status_code == 405


@pytest.mark.parametrize("path", [TRAIL, OUTBOX])
def test_the_lists_cost_the_same_for_one_and_for_three(path, django_assert_num_queries):
    def more(number):
        audit.record("save", by=make_user(), role="redacteur", item=make_item())
        OutboxMessage.objects.create(recipient=make_user(), kind="review", item=make_item(), dedupe_key=str(number))

    client = logged_in("beheerder")
    more(1)
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    more(2), more(3)
    with django_assert_num_queries(len(captured)):
        assert len(client.get(path).context["cl"].result_list) == 3


@pytest.mark.parametrize(
    ("query", "found"), [("ja", ["a"]), ("wacht", ["b"]), ("niet", ["c"]), ("onzin", ["a", "b", "c"])]
)
def test_the_outbox_is_filtered_by_what_was_sent(query, found):
    from django.utils.timezone import now

    user = make_user()
    for key, fields in (("a", {"sent_at": now()}), ("b", {}), ("c", {"skipped_at": now()})):
        OutboxMessage.objects.create(recipient=user, kind="review", item=make_item(), dedupe_key=key, **fields)

    response = logged_in("beheerder").get(f"{OUTBOX}?verstuurd={query}")

    assert sorted(message.dedupe_key for message in response.context["cl"].result_list) == found


@pytest.mark.parametrize("role", ["redacteur", "eindredacteur", "voorzitter", "lid"])
def test_only_the_administrator_reads_the_outbox(role):
    assert logged_in(role).get(OUTBOX).status_code == 403


def test_what_is_in_a_mail_stays_out_of_sight():
    message = OutboxMessage.objects.create(
        recipient=make_user(), kind="reset", data={"link": "geheim"}, dedupe_key="sleutel"
    )

    content = logged_in("beheerder").get(admin_url(OutboxMessage, "change", message.pk)).content.decode()

    assert "geheim" not in content
    assert "sleutel" not in content


def test_deeds_read_as_words():
    assert deed_of("publish_failed") == _("a planned publication failed")
    assert deed_of("add_source") == f"{_('added')}: {Source._meta.verbose_name}"
    assert deed_of("iets_anders") == "iets_anders"
