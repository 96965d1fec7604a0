from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localdate

from knowledgebase.models import AuditEvent, Commission, Criterion, CriterionAnswer, Membership, Review
from tests.admin import admin_url, change_url, form_data, logged_in
from tests.factories import commission, in_review, make_member, make_practice, make_user

pytestmark = pytest.mark.django_db
OTHERS = ("redacteur", "eindredacteur", "voorzitter", "lid")
SEATS = "/admin/knowledgebase/membership/"


def superuser() -> Client:
    client = Client()
    client.force_login(make_user("baas", is_staff=True, is_superuser=True))
    return client


def last_event() -> tuple:
    event = AuditEvent.objects.filter(item=None).order_by("-seq").first()
    return event.action, event.actor_id, event.actor_role, event.data


# -- commissions


def test_the_administrator_sets_quorum_and_term():
    client, user = logged_in("beheerder"), commission("user")

    client.post(change_url(user), form_data(client.get(change_url(user)), quorum="3", review_days="14"))

    user.refresh_from_db()
    assert (user.quorum, user.review_days, user.code) == (3, 14, "user")
    assert last_event() == (
        "change_commission", client.user.pk, "beheerder", {"object": user.pk, "fields": ["quorum", "review_days"]},
    )  # fmt: skip


@pytest.mark.parametrize("changes", [{"quorum": "0"}, {"quorum": "-1"}, {"quorum": "veel"}, {"review_days": "1" * 12}])
def test_a_quorum_or_term_that_cannot_be_is_refused(changes):
    client, user = logged_in("beheerder"), commission("user")

    response = client.post(change_url(user), form_data(client.get(change_url(user)), **changes))

    assert response.status_code == 200
    assert list(response.context["errors"]) != []
    assert Commission.objects.get(pk=user.pk).quorum == user.quorum


def test_there_are_two_commissions_and_there_stay_two():
    client = superuser()

    assert client.post(admin_url(Commission, "add"), {"code": "derde"}).status_code == 403
    assert client.post(admin_url(Commission, "delete", commission().pk), {"post": "yes"}).status_code == 403
    assert Commission.objects.count() == 2


@pytest.mark.parametrize("role", OTHERS)
@pytest.mark.parametrize("model", [Commission, Membership, Criterion])
def test_nobody_else_keeps_commissions_seats_and_criteria(role, model):
    make_member()
    client, row = logged_in(role), model.objects.first()

    assert client.get(admin_url(model, "changelist")).status_code == 403
    assert client.post(change_url(row), {"quorum": "1"}).status_code == 403
    assert client.post(admin_url(model, "add"), {}).status_code == 403


# -- seats


def seat_data(**fields) -> dict:
    return {"commission": commission().pk, "role": "member", "valid_from": localdate().isoformat()} | fields


def test_the_administrator_gives_a_seat():
    user, client = make_user("an"), logged_in("beheerder")

    response = client.post(f"{SEATS}add/", seat_data(user=user.pk, name_is_public="on"))

    seat = Membership.objects.get()
    assert response.status_code == 302
    assert (seat.user, seat.commission, seat.role, seat.valid_to, seat.name_is_public) == (
        user, commission(), "member", None, True,
    )  # fmt: skip
    assert last_event()[0] == "add_membership"


@pytest.mark.parametrize(
    "changes",
    [
        {"user": "999"},
        {"user": ""},
        {"role": "baas"},
        {"valid_to": "2020-01-01"},
        {"valid_from": "9999-12-31"},
        {"role": "chair"},
    ],
)
def test_a_seat_that_cannot_be_is_refused(changes):
    make_member(role="chair")

    response = logged_in("beheerder").post(f"{SEATS}add/", seat_data(user=make_user("an").pk) | changes)

    assert response.status_code == 200
    assert list(response.context["errors"]) != []
    assert Membership.objects.count() == 1


def test_nobody_holds_two_open_seats_in_one_commission():
    seat = make_member()

    response = logged_in("beheerder").post(f"{SEATS}add/", seat_data(user=seat.user.pk))

    assert response.status_code == 200
    assert Membership.objects.count() == 1


def test_a_seat_is_closed_with_a_last_day_and_consent_may_change():
    seat, client = make_member(), logged_in("beheerder")

    client.post(change_url(seat), {"valid_to": localdate().isoformat(), "name_is_public": "on"})

    seat.refresh_from_db()
    assert (seat.valid_to, seat.name_is_public) == (localdate(), True)
    assert last_event()[0] == "change_membership"


def test_a_seat_does_not_end_before_it_begins():
    seat = make_member()
    before = (seat.valid_from - timedelta(days=1)).isoformat()

    response = logged_in("beheerder").post(change_url(seat), {"valid_to": before})

    assert response.status_code == 200
    seat.refresh_from_db()
    assert seat.valid_to is None


def test_a_seat_is_not_opened_again_when_somebody_else_has_it():
    old = make_member(role="chair", valid_to=localdate())
    make_member(role="chair")

    response = logged_in("beheerder").post(change_url(old), {"valid_to": ""})

    assert response.status_code == 200
    assert list(response.context["errors"]) != []
    old.refresh_from_db()
    assert old.valid_to == localdate()


def test_a_seat_is_not_rewritten_or_deleted_by_a_superuser_either():
    seat, other, client = make_member(), make_user("ander"), superuser()

    client.post(change_url(seat), {"user": other.pk, "role": "chair", "commission": commission("scientific").pk})
    deleted = client.post(admin_url(Membership, "delete", seat.pk), {"post": "yes"})

    same = Membership.objects.get()
    assert deleted.status_code == 403
    assert (same.user, same.role, same.commission) == (seat.user, "member", commission())


def test_a_refusal_of_the_database_is_a_message_with_what_was_typed(monkeypatch):
    seat, client = make_member(), logged_in("beheerder")
    monkeypatch.setattr("knowledgebase.admin.commissions.MembershipAdmin.given", ())

    response = client.post(change_url(seat), seat_data(user=make_user("ander").pk, role="member"))

    assert response.status_code == 409
    assert response.context["reasons"] != []
    assert "ander" in dict(response.context["typed"]).values()
    assert Membership.objects.get().user == seat.user


@pytest.mark.parametrize(
    ("query", "found"), [("nu=ja", ["nu"]), ("nu=nee", ["vroeger"]), ("nu=onzin", ["nu", "vroeger"])]
)
def test_the_list_of_seats_is_filtered_by_who_holds_them_now(query, found):
    day = localdate()
    make_member("user", "nu")
    make_member("user", "vroeger", valid_from=day - timedelta(days=9), valid_to=day - timedelta(days=1))

    response = logged_in("beheerder").get(f"{SEATS}?{query}")

    assert sorted(seat.user.username for seat in response.context["cl"].result_list) == found


def test_the_list_of_seats_costs_the_same_for_one_and_for_three(django_assert_num_queries):
    client = logged_in("beheerder")
    make_member()
    client.get(SEATS)
    with CaptureQueriesContext(connection) as captured:
        client.get(SEATS)
    make_member("scientific")
    make_member("scientific")
    with django_assert_num_queries(len(captured)):
        assert len(client.get(SEATS).context["cl"].result_list) == 3


# -- criteria


def test_a_criterion_may_be_reworded_and_reviews_keep_what_was_asked():
    criterion, member = commission().criteria.first(), make_member()
    review = Review.objects.create(
        round=in_review(make_practice(state="draft")), commission=commission(), membership=member, interest="none",
        recommendation="approve",
    )  # fmt: skip
    asked = criterion.text
    CriterionAnswer.objects.create(review=review, criterion=criterion, criterion_text=asked, value="yes")
    client = logged_in("beheerder")

    client.post(change_url(criterion), form_data(client.get(change_url(criterion)), text="Anders gevraagd?"))

    criterion.refresh_from_db()
    assert criterion.text == "Anders gevraagd?"
    assert CriterionAnswer.objects.get().criterion_text == asked
    assert last_event()[0] == "change_criterion"


def test_a_criterion_is_added_and_switched_off_and_never_deleted():
    client = logged_in("beheerder")
    data = {"commission": commission().pk, "order": "9", "text": "Nieuw?", "help": "", "is_active": "on"}
    client.post(admin_url(Criterion, "add"), data)
    criterion = Criterion.objects.get(text="Nieuw?")
    page = form_data(client.get(change_url(criterion)))
    page.pop("is_active")

    client.post(change_url(criterion), page)

    criterion.refresh_from_db()
    assert criterion.is_active is False
    assert superuser().post(admin_url(Criterion, "delete", criterion.pk), {"post": "yes"}).status_code == 403


def test_the_same_criterion_twice_is_refused():
    first, second = commission().criteria.all()[:2]
    client = logged_in("beheerder")

    response = client.post(change_url(second), form_data(client.get(change_url(second)), text=first.text))

    assert response.status_code == 200
    assert list(response.context["errors"]) != []
