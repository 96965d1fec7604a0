import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from knowledgebase.editorial.permissions import ROLES
from knowledgebase.models import User
from tests.admin import admin_url, change_url, form_data, logged_in
from tests.factories import make_practice, make_user

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
