import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext as _

from knowledgebase.editorial import reviews
from knowledgebase.models import AuditEvent, Version
from tests.admin import messages_of
from tests.desk import advise, at_desk
from tests.factories import chair, in_review, make_member, make_practice, make_practices, make_summary, make_user
from tests.pages import Page

pytestmark = pytest.mark.django_db
DESK, HISTORY, PUBLISHED = "/redactie/", "/redactie/geschiedenis/", "/redactie/gepubliceerd/"


def withdraw_url(version):
    return f"/redactie/versie/{version.pk}/intrekken/"


def queries(client, path):
    with CaptureQueriesContext(connection) as found:
        assert client.get(path).status_code == 200
    return len(found)


# -- the same questions for every page


@pytest.mark.parametrize("path", [DESK, HISTORY, PUBLISHED, "/redactie/ronde/1/", "/redactie/versie/1/intrekken/"])
def test_who_is_not_logged_in_logs_in_first(client, path):
    response = client.get(path)

    assert (response.status_code, response.url) == (302, f"/aanmelden/?next={path}")


@pytest.mark.parametrize("path", [DESK, HISTORY, PUBLISHED, "/redactie/versie/1/intrekken/"])
def test_an_account_without_seat_or_role_reads_why(path):
    response = at_desk(make_user("niemand")).get(path)

    page = Page(response, status=403)
    assert page.one("h1").text == "Je hebt nog geen zitje of rol"
    assert 'action="/afmelden/"' in page.html
    assert 'href="/redactie/geschiedenis/"' not in page.html


@pytest.mark.parametrize("path", [DESK, HISTORY, PUBLISHED])
def test_pages_are_for_nobody_else(path):
    response = at_desk(chair().user).get(path)

    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert '<meta name="robots" content="noindex">' in response.content.decode()


@pytest.mark.parametrize("path", [DESK, HISTORY, PUBLISHED])
def test_pages_are_read_only(path):
    assert at_desk(chair().user).post(path).status_code == 405


@pytest.mark.parametrize("role", ["redacteur", "eindredacteur", "beheerder", "voorzitter", "lid"])
def test_every_role_may_read_the_desk(role):
    user = make_user(role=role)

    page = Page(at_desk(user).get(DESK))

    assert page.root.one("div", "desk-who").one("strong").text == user.username
    assert "/admin/" in [link["href"] for link in page.root.all("a")]


def test_the_header_says_who_you_are():
    seat = chair("scientific")
    seat.user.first_name, seat.user.last_name = "Dina", "Claes"
    seat.user.save()

    page = Page(at_desk(seat.user).get(DESK))

    assert page.root.one("div", "desk-who").texts("p") == ["Dina Claes voorzitter van de wetenschappelijke commissie"]
    assert "/admin/" not in [link["href"] for link in page.root.all("a")]


# -- the desk


def test_the_desk_says_what_waits_for_whom():
    seat = make_member()
    chair("user"), chair("scientific")
    todo = in_review(make_practice("te-doen", state="draft", title="Te doen"))
    done = in_review(make_summary("gedaan", state="draft", title="Gedaan"))
    advise(done, seat)

    page = Page(at_desk(seat.user).get(DESK))

    [mine, others, deeds] = page.all("section")
    assert [line["data-key"] for line in mine.all("li", data_key=True)] == ["te-doen"]
    assert mine.one("a")["href"] == f"/redactie/ronde/{todo.pk}/#review-user"
    assert mine.one("p", "desk-asked").text == "Geef je beoordeling (gebruikerscommissie)"
    assert [line["data-key"] for line in others.all("li", data_key=True)] == ["gedaan"]
    assert deeds.texts("a") == ["Gedaan"]


def test_nothing_waits():
    page = Page(at_desk(make_member().user).get(DESK))

    assert page.texts("p")[:3] == [
        "Er wacht nu niets op jou.", "Er wacht nu niets op anderen.", "Je beoordeelde of besliste nog niets.",
    ]  # fmt: skip


@pytest.mark.parametrize("who", ["member", "chair", "redacteur", "eindredacteur"])
def test_more_texts_ask_no_more_queries(who):
    chair("user"), chair("scientific"), make_member()
    user = {"member": make_member().user, "chair": chair().user}.get(who) or make_user(role=who)
    client = at_desk(user)
    seat = make_member()

    def add(number):
        round = in_review(make_practice(f"praktijk-{number}", state="draft"))
        advise(round, seat)
        advise(round, chair())
        make_practice(f"terug-{number}", state="changes_requested")
        make_practice(f"goed-{number}", state="approved")
        reviews.start_revalidation(make_practice(f"opnieuw-{number}"))

    add(1)
    few = queries(client, DESK)
    add(2)
    add(3)

    assert queries(client, DESK) == few


# -- what you did


def test_the_history_is_paged_and_costs_the_same(monkeypatch):
    monkeypatch.setattr("knowledgebase.editorial.views.desk.PAGE_SIZE", 3)
    seat = make_member()
    client = at_desk(seat.user)
    advise(in_review(make_practice("een", state="draft", title="Een")), seat)
    few = queries(client, HISTORY)
    for name in ("twee", "drie", "vier"):
        advise(in_review(make_practice(name, state="draft", title=name.capitalize())), seat)

    first, second = Page(client.get(HISTORY)), Page(client.get(HISTORY + "?pagina=2"))
    assert first.one("ul", "desk-deeds").texts("a") == ["Vier", "Drie", "Twee"]
    assert second.one("ul", "desk-deeds").texts("a") == ["Een"]
    assert queries(client, HISTORY) == few
    assert Page(client.get(HISTORY + "?pagina=9")).notices == [_("That page does not exist, so you see the first one.")]


def test_a_history_shows_only_ones_own_deeds():
    first, second = make_member(), make_member()
    advise(in_review(make_practice("een", state="draft")), first)

    assert Page(at_desk(second.user).get(HISTORY)).all("ul", "desk-deeds") == []


# -- public texts


def test_public_texts_from_a_to_z_and_by_their_words():
    make_practice("feedback", title="Feedback geven")
    make_summary("eten", title="Één vraag")
    make_practice("concept", state="draft", title="Feedback in klad")
    client = at_desk(chair().user)

    assert Page(client.get(PUBLISHED)).keys == ["eten", "feedback"]
    assert Page(client.get(PUBLISHED + "?q=FEEDBACK")).keys == ["feedback"]
    assert Page(client.get(PUBLISHED + "?q=een")).keys == ["eten"]
    nothing = Page(client.get(PUBLISHED + "?q=xyz%3Cb%3E"))
    assert nothing.keys == []
    assert "Geen gepubliceerde tekst heeft deze woorden in de titel." in nothing.texts("p")


def test_public_texts_are_paged_and_cost_the_same(monkeypatch):
    monkeypatch.setattr("knowledgebase.editorial.views.desk.PAGE_SIZE", 2)
    client = at_desk(make_user(role="eindredacteur"))
    make_practices(1)
    few = queries(client, PUBLISHED)
    make_practices(3, prefix="andere")

    assert queries(client, PUBLISHED) == few
    assert Page(client.get(PUBLISHED + "?pagina=2&q=andere")).keys == ["andere-03"]
    page = Page(client.get(PUBLISHED + "?pagina=x"))
    assert page.notices == [_("That page does not exist, so you see the first one.")]


@pytest.mark.parametrize("role", ["redacteur", "beheerder", "voorzitter", "lid"])
def test_who_may_not_withdraw(role):
    version = make_practice("feedback")
    client = at_desk(make_user(role=role))

    for response in (client.get(PUBLISHED), client.get(withdraw_url(version)),
                     client.post(withdraw_url(version), {"reason": "Zomaar."})):  # fmt: skip
        assert response.status_code == 403
    version.refresh_from_db()
    assert version.state == Version.State.PUBLISHED


def test_members_do_not_withdraw():
    version = make_practice("feedback")

    assert at_desk(make_member().user).post(withdraw_url(version), {"reason": "Zomaar."}).status_code == 403


@pytest.mark.parametrize("who", ["user", "scientific", "eindredacteur"])
def test_one_chair_or_the_editor_in_chief_withdraws(who):
    version = make_practice("feedback", title="Feedback")
    user = make_user(role=who) if who == "eindredacteur" else chair(who).user
    typed = {"reason": "De studie is ingetrokken.", "note": "Gezien bij de uitgever."}

    response = at_desk(user).post(withdraw_url(version), typed, follow=True)

    assert response.redirect_chain == [(PUBLISHED, 302)]
    assert messages_of(response) == ["“Feedback” is offline. Op het adres staat waarom."]
    version.refresh_from_db()
    assert (version.state, version.withdrawal_reason) == ("withdrawn", "De studie is ingetrokken.")
    event = AuditEvent.objects.filter(item=version.item, action="withdraw").get()
    assert event.data == {"reason": "De studie is ingetrokken.", "note": "Gezien bij de uitgever."}
    tombstone = Client().get(version.item.get_absolute_url())
    assert tombstone.status_code == 410
    assert "Gezien bij de uitgever" not in tombstone.content.decode()


def test_without_a_reason_nothing_is_withdrawn_and_the_note_stays():
    version = make_practice("feedback")

    response = at_desk(chair().user).post(withdraw_url(version), {"reason": " ", "note": "Een <b>nota"})

    page = Page(response, status=422)
    assert page.one("div", "desk-errors").texts("p")[1:] == [
        _("Say why the text is withdrawn: readers will see this reason.")
    ]
    assert page.one("textarea", name="note").text == "Een <b>nota"
    version.refresh_from_db()
    assert version.state == Version.State.PUBLISHED


def test_a_second_press_is_told_and_changes_nothing():
    version = make_practice("feedback")
    client = at_desk(chair().user)
    client.post(withdraw_url(version), {"reason": "Eerste reden."})

    response = client.post(withdraw_url(version), {"reason": "Tweede reden."}, follow=True)

    assert response.redirect_chain == [(PUBLISHED, 302)]
    version.refresh_from_db()
    assert version.withdrawal_reason == "Eerste reden."
    assert "niets" in Page(client.get(withdraw_url(version))).texts("p")[-2]


def test_what_is_not_public_is_not_withdrawn():
    version = make_practice("klad", state="draft")

    response = at_desk(chair().user).post(withdraw_url(version), {"reason": "Zomaar."})

    assert response.status_code == 422
    assert at_desk(chair().user).get("/redactie/versie/999/intrekken/").status_code == 404
