import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext as _

from knowledgebase.editorial import audit, outbox
from knowledgebase.editorial.permissions import ROLES
from knowledgebase.models import AuditEvent, OutboxMessage, User
from tests.admin import admin_url, change_url, form_data, logged_in
from tests.factories import make_member, make_practice, make_user

pytestmark = pytest.mark.django_db
LIST, ADD = "/admin/knowledgebase/user/", "/admin/knowledgebase/user/add/"
PASSWORD = "een-lang-wachtwoord"
OTHERS = ("redacteur", "eindredacteur", "voorzitter", "lid")


def new(**fields) -> dict:
    return {"username": "an", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD} | fields


def test_the_administrator_makes_an_account_with_a_role():
    group = Group.objects.get(name="redacteur")

    response = logged_in("beheerder").post(ADD, new(groups=[group.pk], email="an@example.org"))

    user = User.objects.get(username="an")
    assert response.status_code == 302
    assert (user.is_staff, user.is_superuser, list(user.groups.all())) == (True, False, [group])
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize("role", OTHERS)
def test_nobody_else_sees_or_makes_accounts(role):
    client = logged_in(role)

    assert client.get(LIST).status_code == 403
    assert client.post(ADD, new()).status_code == 403
    assert not User.objects.filter(username="an").exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password2": "anders-dan-het-eerste"}, "password2"),
        ({"password1": "kort", "password2": "kort"}, "password2"),
        ({"username": ""}, "username"),
        ({"username": "iemand"}, "username"),
        ({"email": "geen adres"}, "email"),
    ],
)
def test_a_wrong_account_is_refused(changes, field):
    make_user("iemand")

    response = logged_in("beheerder").post(ADD, new(**changes))

    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors


def test_the_administrator_changes_roles():
    user = make_user("an", role="lid")
    group = Group.objects.get(name="voorzitter")
    client = logged_in("beheerder")

    client.post(change_url(user), form_data(client.get(change_url(user)), groups=[group.pk]))

    assert list(user.groups.all()) == [group]


def test_nobody_gives_themselves_a_role_or_rights():
    client = logged_in("beheerder")
    url = change_url(client.user)
    group = Group.objects.get(name="eindredacteur")

    client.post(url, form_data(client.get(url), groups=[group.pk], is_superuser="on", is_staff="on", first_name="An"))

    client.user.refresh_from_db()
    assert (client.user.first_name, client.user.is_superuser) == ("An", False)
    assert [group.name for group in client.user.groups.all()] == ["beheerder"]


def test_the_administrator_makes_no_superusers_and_changes_none():
    boss, user = make_user("baas", is_staff=True, is_superuser=True), make_user("an", role="lid")
    client = logged_in("beheerder")

    client.post(change_url(user), form_data(client.get(change_url(user)), is_superuser="on"))
    changed = client.post(change_url(boss), {"username": "anders"})
    password = client.post(f"{LIST}{boss.pk}/password/", {"password1": PASSWORD, "password2": PASSWORD})

    user.refresh_from_db()
    boss.refresh_from_db()
    assert user.is_superuser is False
    assert (changed.status_code, password.status_code) == (403, 403)
    assert (boss.username, boss.has_usable_password()) == ("baas", False)


def test_a_superuser_may():
    user, client = make_user("an", role="lid"), Client()
    client.force_login(make_user("baas", is_staff=True, is_superuser=True))

    client.post(change_url(user), form_data(client.get(change_url(user)), is_superuser="on"))

    user.refresh_from_db()
    assert user.is_superuser is True


def test_a_used_account_is_kept_and_an_unused_one_may_go():
    used, unused = make_user("an", role="lid"), make_user("per-ongeluk", role="lid")
    Client().force_login(used)
    client = logged_in("beheerder")

    assert client.post(admin_url(User, "delete", used.pk), {"post": "yes"}).status_code == 403
    assert client.post(admin_url(User, "delete", unused.pk), {"post": "yes"}).status_code == 302
    assert list(User.objects.filter(pk__in=[used.pk, unused.pk])) == [used]


def test_who_wrote_a_text_is_not_deleted():
    author = make_user("auteur", role="redacteur")
    make_practice("feedback", by=author)

    logged_in("beheerder").post(admin_url(User, "delete", author.pk), {"post": "yes"})

    assert User.objects.filter(pk=author.pk).exists()


def last_event() -> tuple:
    event = AuditEvent.objects.filter(item=None).order_by("-seq").first()
    return event.action, event.actor_id, event.data


def test_who_acted_is_kept_and_it_is_said_why():
    user, client = make_user("an", role="lid"), logged_in("beheerder")
    audit.record("save", by=user, role="redacteur")

    for send in (client.get, client.post):
        response = send(admin_url(User, "delete", user.pk), {"post": "yes"}, follow=True)
        assert response.redirect_chain == [(change_url(user), 302)]
        assert [message.level_tag for message in response.context["messages"]] == ["error"]
    assert User.objects.filter(pk=user.pk).exists()


def test_what_only_the_guards_notice_is_a_message_too(monkeypatch):
    user, client = make_user("an", role="lid"), logged_in("beheerder")
    audit.record("save", by=user, role="redacteur")
    monkeypatch.setattr("knowledgebase.admin.people.has_acted", lambda _user: False)

    response = client.post(admin_url(User, "delete", user.pk), {"post": "yes"}, follow=True)

    assert response.redirect_chain == [(change_url(user), 302)]
    assert [str(message) for message in response.context["messages"]] == [
        _("This account did something that the audit trail keeps. Make it inactive instead.")
    ]
    assert User.objects.filter(pk=user.pk).exists()


def test_changes_of_accounts_are_in_the_trail_without_names():
    client, group = logged_in("beheerder"), Group.objects.get(name="redacteur")

    client.post(ADD, new(groups=[group.pk], email="an@example.org"))
    user = User.objects.get(username="an")
    assert last_event() == ("add_user", client.user.pk, {"object": user.pk})
    client.post(change_url(user), form_data(client.get(change_url(user)), last_name="Claes", groups=[]))
    assert last_event() == ("change_user", client.user.pk, {"object": user.pk, "fields": ["last_name", "groups"]})
    other = {"password1": "nog-een-lang-wachtwoord", "password2": "nog-een-lang-wachtwoord"}
    client.post(f"{LIST}{user.pk}/password/", other)
    assert last_event() == ("change_user", client.user.pk, {"object": user.pk, "fields": ["password"]})


def test_the_administrator_takes_the_name_from_an_account_after_a_question():
    user, client = make_user("an", role="lid", first_name="An"), logged_in("beheerder")
    url = admin_url(User, "pseudonymise", user.pk)

    assert client.get(url).status_code == 200
    user.refresh_from_db()
    assert user.first_name == "An"
    for level in ("success", "info"):
        response = client.post(url, follow=True)
        assert [message.level_tag for message in response.context["messages"]][-1] == level
    user.refresh_from_db()
    assert (user.username, user.first_name, user.is_active) == (f"oud-{user.pk}", "", False)


def test_a_seat_keeps_the_name():
    seat, client = make_member(), logged_in("beheerder")

    response = client.post(admin_url(User, "pseudonymise", seat.user.pk), follow=True)

    assert [message.level_tag for message in response.context["messages"]] == ["error"]
    seat.user.refresh_from_db()
    assert seat.user.is_active


@pytest.mark.parametrize("role", OTHERS)
def test_nobody_else_takes_a_name(role):
    user, client = make_user("an", role="lid"), logged_in(role)

    for send in (client.get, client.post):
        assert send(admin_url(User, "pseudonymise", user.pk)).status_code == 403
    assert User.objects.filter(username="an").exists()


def test_taking_a_name_with_another_verb_or_from_nobody():
    user, client = make_user("an", role="lid"), logged_in("beheerder")

    assert client.put(admin_url(User, "pseudonymise", user.pk)).status_code == 405
    assert client.post(admin_url(User, "pseudonymise", 999_999)).status_code == 404


# -- letting in again


def blocked() -> User:
    user = make_user("an", role="redacteur", password=PASSWORD)
    for _attempt in range(10):
        Client().post("/aanmelden/", {"username": "an", "password": "mis"})
    return user


def can_log_in() -> bool:
    return Client().post("/aanmelden/", {"username": "an", "password": PASSWORD}).status_code == 302


def test_the_administrator_lets_somebody_in_again():
    user = blocked()
    assert not can_log_in()

    response = logged_in("beheerder").post(admin_url(User, "unlock", user.pk))

    assert response.url == change_url(user)
    assert can_log_in()


def test_nobody_else_lets_in_and_not_by_following_a_link():
    user = blocked()

    assert logged_in("eindredacteur").post(admin_url(User, "unlock", user.pk)).status_code == 403
    assert logged_in("beheerder").get(admin_url(User, "unlock", user.pk)).status_code == 405
    assert logged_in("beheerder").post(admin_url(User, "unlock", 999_999)).status_code == 404
    assert not can_log_in()


def test_the_list_costs_the_same_number_of_queries_at_one_and_at_three(django_assert_num_queries):
    client = logged_in("beheerder")
    client.get(LIST)
    with CaptureQueriesContext(connection) as one:
        client.get(LIST)
    make_user("an", role="lid", first_name="An", last_name="Claes")
    make_user("bo", role="lid")
    with django_assert_num_queries(len(one)):
        content = client.get(LIST).content.decode()
    assert "An Claes" in content


# -- roles


def test_roles_are_read_with_what_they_may_do():
    client = logged_in("beheerder")

    response = client.get("/admin/auth/group/")

    assert [group.name for group in response.context["cl"].result_list] == sorted(role.name for role in ROLES)
    group = Group.objects.get(name="redacteur")
    assert client.get(change_url(group)).status_code == 200
    for page in ("change", "delete"):
        assert client.post(admin_url(Group, page, group.pk), {"name": "anders", "post": "yes"}).status_code == 403
    assert client.post("/admin/auth/group/add/", {"name": "anders"}).status_code == 403


# -- an invitation by mail ------------------------------------------------------------------------


def invitations():
    return list(OutboxMessage.objects.filter(kind="invite").values_list("recipient__username", flat=True))


def test_a_new_account_without_a_password_is_invited(inbox):
    logged_in("beheerder").post(
        ADD, {"username": "an", "usable_password": "false", "password1": "", "password2": "", "email": "an@example.org"}
    )
    outbox.send_due()

    assert inbox.subjects == [("an@example.org", "Je account voor Leerpunt")]
    path = next(word for word in inbox.text().split() if "/aanmelden/wachtwoord/" in word)
    browser = Client()
    opened = browser.get(path.removeprefix("http://127.0.0.1:8000"))
    browser.post(opened.url, {"new_password1": PASSWORD, "new_password2": PASSWORD})
    assert User.objects.get(username="an").check_password(PASSWORD)


@pytest.mark.parametrize("fields", [{}, {"email": "an@example.org"}])
def test_an_account_with_a_password_is_not_invited_by_itself(fields):
    logged_in("beheerder").post(ADD, new(**fields))

    assert User.objects.filter(username="an").exists()
    assert invitations() == []


def test_the_administrator_invites_again():
    user = make_user("an", email="an@example.org")
    client = logged_in("beheerder")
    assert f"/admin/knowledgebase/user/{user.pk}/uitnodigen/" in client.get(change_url(user)).content.decode()

    response = client.post(f"/admin/knowledgebase/user/{user.pk}/uitnodigen/", follow=True)

    assert invitations() == ["an"]
    assert "An krijgt een mail met een link om een wachtwoord te kiezen." in response.content.decode()


@pytest.mark.parametrize("fields", [{"email": ""}, {"is_active": False}, {"last_login": "2026-11-01T12:00:00Z"}])
def test_who_cannot_be_invited_is_said(fields):
    user = make_user("an", **{"email": "an@example.org"} | fields)
    client = logged_in("beheerder")
    response = client.post(f"/admin/knowledgebase/user/{user.pk}/uitnodigen/", follow=True)

    assert "Er is geen uitnodiging verstuurd" in response.content.decode()
    assert invitations() == []


@pytest.mark.parametrize("role", OTHERS)
def test_nobody_else_invites(role):
    user = make_user("an", email="an@example.org")

    assert logged_in(role).post(f"/admin/knowledgebase/user/{user.pk}/uitnodigen/").status_code == 403
    assert invitations() == []


def test_an_invitation_takes_a_post_and_an_account():
    client = logged_in("beheerder")
    user = make_user("an", email="an@example.org")

    assert client.get(f"/admin/knowledgebase/user/{user.pk}/uitnodigen/").status_code == 405
    assert client.post("/admin/knowledgebase/user/987654/uitnodigen/").status_code == 404
    assert Client().post(f"/admin/knowledgebase/user/{user.pk}/uitnodigen/").status_code == 302
    assert invitations() == []
