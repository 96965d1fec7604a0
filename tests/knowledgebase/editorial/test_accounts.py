import pytest
from django.test import Client

from knowledgebase.editorial import audit
from knowledgebase.editorial.accounts import has_acted, pseudonymise
from knowledgebase.editorial.refusals import AlreadyDone, MoveRefused, NotAllowed
from knowledgebase.models import AuditActor, AuditEvent
from tests.factories import make_member, make_practice, make_user

pytestmark = pytest.mark.django_db


def administrator():
    return make_user(role="beheerder")


def person():
    """An editor who acted once."""
    user = make_user("an", role="redacteur", first_name="An", last_name="Claes", email="an@example.org", password="x")
    audit.record("save", by=user, role="redacteur", item=make_practice().item)
    return user


def test_the_name_goes_and_what_was_done_stays():
    user, by = person(), administrator()
    browser = Client()
    browser.force_login(user)

    pseudonymise(user, by=by)

    user.refresh_from_db()
    assert (user.username, user.get_full_name(), user.email) == (f"oud-{user.pk}", "", "")
    assert (user.is_active, user.is_staff, user.has_usable_password(), user.groups.count()) == (False, False, False, 0)
    assert "An" not in AuditActor.objects.get(user_id=user.pk).name.split()
    assert AuditEvent.objects.filter(actor_id=user.pk, action="save").exists()
    event = AuditEvent.objects.get(action="pseudonymise")
    assert (event.item, event.actor_id, event.data) == (None, by.pk, {"account": user.pk})
    assert list(audit.broken_links()) == []
    assert browser.get("/admin/").status_code == 302


def test_somebody_who_never_acted_gets_no_name_in_the_trail_either():
    user = make_user("bo", role="lid", first_name="Bo")

    pseudonymise(user, by=administrator())

    assert "Bo" not in AuditActor.objects.get(user_id=user.pk).name


@pytest.mark.parametrize("role", ["redacteur", "eindredacteur", "voorzitter", "lid", ""])
def test_only_the_administrator_may(role):
    user = person()

    with pytest.raises(NotAllowed):
        pseudonymise(user, by=make_user(role=role))

    user.refresh_from_db()
    assert user.get_full_name() == "An Claes"


def test_a_superuser_is_left_alone_by_the_administrator():
    boss = make_user("baas", is_staff=True, is_superuser=True)

    with pytest.raises(NotAllowed):
        pseudonymise(boss, by=administrator())


def test_nobody_does_it_to_themselves():
    by = administrator()

    with pytest.raises(MoveRefused):
        pseudonymise(by, by=by)


def test_a_second_time_changes_nothing():
    user, by = person(), administrator()
    pseudonymise(user, by=by)

    with pytest.raises(AlreadyDone):
        pseudonymise(user, by=by)

    assert AuditEvent.objects.filter(action="pseudonymise").count() == 1


def test_an_open_seat_is_closed_first():
    seat = make_member()

    with pytest.raises(MoveRefused):
        pseudonymise(seat.user, by=administrator())

    seat.user.refresh_from_db()
    assert seat.user.is_active


def test_who_acted():
    user, acted, seated, absent = make_user("niets"), person(), make_member().user, make_user("weg")
    audit.record("decide", by=acted, role="deputy", on_behalf_of=absent, item=make_practice().item)

    assert [has_acted(somebody) for somebody in (user, acted, seated, absent)] == [False, True, True, True]
