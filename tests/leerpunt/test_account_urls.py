from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client

from knowledgebase.editorial import outbox
from knowledgebase.models import OutboxMessage
from tests.factories import make_member, make_user

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


@pytest.mark.parametrize("is_staff", [False, True])
def test_who_sits_in_a_commission_goes_on_to_the_desk(client, is_staff):
    seat = make_member("user", "an")
    seat.user.is_staff = is_staff
    seat.user.set_password(PASSWORD)
    seat.user.save()

    assert log_in(client).url == "/redactie/"
    assert client.get(LOGIN).url == "/redactie/"


def test_an_account_without_seat_or_role_goes_on_to_a_page_that_says_so(client):
    make_user("an", password=PASSWORD)

    response = log_in(client)

    assert response.url == "/redactie/"
    assert client.get(response.url).status_code == 403


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


# -- a new password by mail -----------------------------------------------------------------------

FORGOTTEN, SENT = "/aanmelden/wachtwoord-vergeten/", "/aanmelden/wachtwoord-vergeten/verstuurd/"
NEW = "een-nog-langer-wachtwoord"


def link_in(inbox):
    """The path of the link in the last mail."""
    [address] = [word for word in inbox.text().split() if "/aanmelden/wachtwoord/" in word]
    return address.removeprefix("http://127.0.0.1:8000")


def choose(client, path, password=NEW, again=NEW):
    """Open the link of a mail and send the form behind it."""
    opened = client.get(path)
    return client.post(opened.url, {"new_password1": password, "new_password2": again})


@pytest.fixture
def forgetful(editor):
    editor.email = "an@example.org"
    editor.save()
    return editor


def test_the_login_page_leads_to_a_new_password(client):
    assert f'href="{FORGOTTEN}"' in client.get(LOGIN).content.decode()


@pytest.mark.parametrize("address", [FORGOTTEN, SENT, "/aanmelden/wachtwoord/gekozen/", "/aanmelden/wachtwoord/MQ/x/"])
def test_these_pages_are_private_and_not_indexed(client, address):
    response = client.get(address)

    assert response.status_code == 200
    assert 'content="noindex"' in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]


def test_a_forgotten_password_is_chosen_anew(client, forgetful, inbox):
    asked = client.post(FORGOTTEN, {"email": "AN@example.org"})
    outbox.send_due()
    path = link_in(inbox)
    chosen = choose(client, path)

    assert (asked.status_code, asked.url) == (302, SENT)
    assert inbox.subjects == [("an@example.org", "Kies een nieuw wachtwoord")]
    assert (chosen.status_code, chosen.url) == (302, "/aanmelden/wachtwoord/gekozen/")
    assert log_in(client, NEW).status_code == 302
    assert "werkt niet meer" in Client().get(path).content.decode()


def test_the_answer_does_not_say_whether_there_is_an_account(client, forgetful):
    known, unknown = (client.post(FORGOTTEN, {"email": email}) for email in ("an@example.org", "x@example.org"))

    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert OutboxMessage.objects.count() == 1


def test_asking_often_sends_one_mail(client, forgetful, inbox):
    with time_machine.travel(datetime(2026, 11, 22, 9, tzinfo=UTC), tick=False):
        for _time in range(20):
            client.post(FORGOTTEN, {"email": "an@example.org"})
            outbox.send_due()
        assert len(inbox.mails) == 1
    with time_machine.travel(datetime(2026, 11, 22, 9, 15, tzinfo=UTC), tick=False):
        client.post(FORGOTTEN, {"email": "an@example.org"})
        outbox.send_due()
        assert len(inbox.mails) == 2


def test_a_closed_account_gets_no_link(client, forgetful):
    type(forgetful).objects.update(is_active=False)
    client.post(FORGOTTEN, {"email": "an@example.org"})

    assert OutboxMessage.objects.count() == 0


@pytest.mark.parametrize(
    "email", ["", "geen adres", "a" * 300 + "@example.org", "an@example.org\r\nBcc: x@example.org"]
)
def test_no_address_is_said_and_kept(client, forgetful, email):
    response = client.post(FORGOTTEN, {"email": email})

    assert response.status_code == 200
    assert response.context["form"].errors["email"]
    assert response.context["form"]["email"].value() == email
    assert OutboxMessage.objects.count() == 0


@pytest.mark.parametrize(("password", "again"), [("kort", "kort"), (NEW, NEW + "x"), ("123456789012", "123456789012")])
def test_a_weak_or_mistyped_password_is_refused(client, forgetful, inbox, password, again):
    client.post(FORGOTTEN, {"email": "an@example.org"})
    outbox.send_due()
    response = choose(client, link_in(inbox), password, again)

    assert response.status_code == 200
    assert response.context["form"].errors["new_password2"]
    forgetful.refresh_from_db()
    assert forgetful.check_password(PASSWORD)


def test_a_link_of_more_than_three_days_opens_nothing(client, forgetful, inbox):
    with time_machine.travel(datetime(2026, 11, 22, 9, tzinfo=UTC), tick=False):
        client.post(FORGOTTEN, {"email": "an@example.org"})
        outbox.send_due()
    with time_machine.travel(datetime(2026, 11, 25, 10, tzinfo=UTC), tick=False):
        response = client.get(link_in(inbox))

    assert response.status_code == 200
    assert "werkt niet meer" in response.content.decode()


def test_who_was_locked_out_may_log_in_with_the_new_password(client, forgetful, inbox):
    for _attempt in range(10):
        log_in(client, "mis")
    client.post(FORGOTTEN, {"email": "an@example.org"})
    outbox.send_due()
    choose(client, link_in(inbox))

    assert log_in(client, NEW).status_code == 302


def test_a_site_without_mail_says_whom_to_ask(client, forgetful, settings):
    settings.EMAIL_IS_ON = False
    page = client.get(FORGOTTEN).content.decode()
    client.post(FORGOTTEN, {"email": "an@example.org"})

    assert "Vraag een beheerder om een nieuw wachtwoord." in page
    assert 'name="email"' not in page
    assert OutboxMessage.objects.count() == 0
