import pytest
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.urls import include, path
from django.views.decorators.csrf import csrf_protect

from tests.factories import make_practice

pytestmark = pytest.mark.urls(__name__)


def refuse(request):
    raise PermissionDenied


def misread(request):
    raise BadRequest


def fail(request):
    raise RuntimeError


@csrf_protect
def form(request):
    return HttpResponse("ok")


urlpatterns = [
    path("redactie/verboden/", refuse),
    path("redactie/onleesbaar/", misread),
    path("redactie/kapot/", fail),
    path("redactie/formulier/", form),
    path("", include("leerpunt.urls")),
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "status", "heading"),
    [
        ("/bestaat-niet/", 404, "Deze pagina bestaat niet"),
        ("/praktijken/bestaat-niet/", 404, "Deze pagina bestaat niet"),
        ("/redactie/verboden/", 403, "Je mag deze pagina niet openen"),
        ("/redactie/onleesbaar/", 400, "We begrijpen deze vraag niet"),
        ("/redactie/kapot/", 500, "Er ging iets mis bij ons"),
    ],
)
def test_error_page_says_what_to_do_next(address, status, heading):
    response = Client(raise_request_exception=False).get(address)
    html = response.content.decode()
    assert response.status_code == status
    assert f"<h1>{heading}</h1>" in html
    assert 'href="/"' in html
    assert 'href="/praktijken/"' in html


@pytest.mark.django_db
def test_refused_form_says_what_to_do():
    response = Client(enforce_csrf_checks=True).post("/redactie/formulier/")
    assert response.status_code == 403
    assert "<h1>We konden dit formulier niet aanvaarden</h1>" in response.content.decode()


@pytest.mark.django_db
def test_withdrawn_text_says_why(client):
    version = make_practice("feedback", title="Feedback <b>", state="withdrawn")
    response = client.get("/praktijken/feedback/")
    html = response.content.decode()
    assert response.status_code == 410
    assert "<h1>Feedback &lt;b&gt;</h1>" in html
    assert "We hebben deze tekst ingetrokken." in html
    assert version.withdrawal_reason in html


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_what_may_be_shown_when_all_is_broken_needs_nothing(name):
    """No request, no context, no database."""
    html = render_to_string(name)
    assert '<html lang="nl-BE">' in html
    assert "/static/css/base.css" in html
    assert "{{" not in html
