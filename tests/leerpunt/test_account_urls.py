import pytest
from django.test import Client

from tests.factories import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "een-lang-wachtwoord"
LOGIN = "/aanmelden/"


@pytest.fixture
def editor():
    return make_user("an", role="redacteur", password=PASSWORD)


def log_in(client, password=PASSWORD, **more):
    return client.post(LOGIN, {"username": "an", "password": password} | more)


def test_the_page_has_fields_that_password_managers_know(client):
    content = client.get(LOGIN).content.decode()

    assert 'autocomplete="username"' in content
    assert 'autocomplete="current-password"' in content
    assert "onpaste" not in content
    assert '<label for="id_username">' in content
    assert 'content="noindex"' in content


def test_the_right_password_opens_the_admin(client, editor):
    response = log_in(client)

    assert (response.status_code, response.url) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_a_wrong_password_keeps_the_name_and_forgets_the_password(client, editor):
    response = log_in(client, "mis")

    content = response.content.decode()
    assert response.status_code == 200
    assert 'value="an"' in content
    assert "mis" not in content.partition('name="password"')[2].partition(">")[0]
    assert list(response.context["form"].non_field_errors()) != []
    assert 'role="alert"' in content


def test_an_inactive_account_cannot_log_in(client, editor):
    editor.is_active = False
    editor.save()

    assert log_in(client).status_code == 200
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    ("target", "goes_to"),
    [
        ("/admin/practices/practice/", "/admin/practices/practice/"),
        ("https://elders.example/", "/admin/"),
        ("//elders.example/", "/admin/"),
        ("/\\elders.example/", "/admin/"),
        ("javascript:alert(1)", "/admin/"),
    ],
)
def test_it_goes_on_inside_this_site_only(client, editor, target, goes_to):
    assert log_in(client, next=target).url == goes_to


def test_who_is_logged_in_goes_on(client, editor):
    client.force_login(editor)

    assert client.get(LOGIN).url == "/admin/"


def test_a_name_is_never_shown_as_markup(client):
    response = client.post(LOGIN, {"username": '"><script>alert(1)</script>', "password": "x"})

    assert "<script>alert" not in response.content.decode()


def test_ten_wrong_passwords_block_and_say_what_to_do(client, editor):
    statuses = [log_in(client, "mis").status_code for _attempt in range(10)]
    blocked = log_in(client)

    assert statuses == [200] * 9 + [429]
    assert blocked.status_code == 429
    assert "registration/locked_out.html" in [template.name for template in blocked.templates]
    assert "an" in blocked.content.decode()
    assert client.get("/admin/").status_code == 302


def test_another_address_may_still_log_in(client, editor):
    for _attempt in range(10):
        log_in(client, "mis")

    assert Client(REMOTE_ADDR="192.0.2.7").post(LOGIN, {"username": "an", "password": PASSWORD}).status_code == 302


def test_logging_out_takes_a_post(client, editor):
    client.force_login(editor)

    assert client.get("/afmelden/").status_code == 405
    assert client.get("/admin/").status_code == 200
    response = client.post("/afmelden/")
    assert (response.status_code, response.url) == (302, "/")
    assert client.get("/admin/").status_code == 302


def test_forms_of_other_sites_are_refused(editor):
    client = Client(enforce_csrf_checks=True)

    assert log_in(client).status_code == 403


def test_the_password_is_changed_in_the_admin(client, editor):
    client.force_login(editor)
    new = "een-nog-langer-wachtwoord"

    client.post("/admin/password_change/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})

    editor.refresh_from_db()
    assert editor.check_password(new)
