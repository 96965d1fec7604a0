import pytest
from django.test import Client
from django.urls import reverse

from knowledgebase import rendering
from tests.admin import change_url, each_role, logged_in
from tests.factories import make_practice, make_source, make_user, rating

pytestmark = pytest.mark.django_db


def url(version) -> str:
    return reverse("preview", args=[version.pk])


@each_role
def test_a_preview_is_what_readers_will_see(role):
    version = make_practice("feedback", state="draft", ratings=[rating("0.48")], sources=[make_source("jansen-2020")])
    text = "# Kop\n\nJe leerlingen winnen {{ winst }} [@jansen-2020]. {{ onbekend-teken }} [@niemand-1900]"

    response = logged_in(role).post(url(version), {"text": text})

    assert response.status_code == 200
    html = rendering.render(text, tokens=version.token_values(), citations={"jansen-2020": "Jansen, 2020"})
    assert response.content.decode().startswith(html)
    assert "{{ winst }}" not in response.content.decode()
    assert 'href="#bron-jansen-2020"' in response.content.decode()


def test_a_preview_says_how_easy_the_text_reads_and_what_makes_it_hard():
    version = make_practice("feedback", state="draft")

    page = logged_in("redacteur").post(url(version), {"text": "Het curriculum wordt <b>aangepast</b> door je team."})
    empty = logged_in("redacteur").post(url(version), {"text": ""})

    told = page.content.decode()
    assert "Flesch-Douma" in told
    assert "“curriculum” <q>Het curriculum wordt &lt;b&gt;aangepast&lt;/b&gt; door je team.</q>" in told
    assert empty.content.decode().strip() == ""


def test_a_preview_runs_nothing():
    version = make_practice("feedback", state="draft")

    response = logged_in("redacteur").post(url(version), {"text": "<script>alert(1)</script> [x](javascript:alert(1))"})

    assert "<script" not in response.content.decode()
    assert "javascript:" not in response.content.decode()


@pytest.mark.parametrize("text", ["[" * 101, "x" * 100_001])
def test_a_text_that_is_too_much_is_explained(text):
    version = make_practice("feedback", state="draft")
    with pytest.raises(rendering.TextTooComplex) as error:
        rendering.render(text)

    response = logged_in("redacteur").post(url(version), {"text": text})

    assert (response.status_code, response.content.decode()) == (422, str(error.value))
    assert response["Content-Type"] == "text/plain; charset=utf-8"


def test_no_text_gives_an_empty_preview():
    version = make_practice("feedback", state="draft")

    response = logged_in("redacteur").post(url(version))

    assert (response.status_code, response.content) == (200, b"")


def test_who_has_no_business_here_gets_no_preview():
    version = make_practice("feedback", state="draft")
    reader, idle = Client(), Client()
    reader.force_login(make_user("lezer"))
    idle.force_login(make_user("nieuw", is_staff=True))

    for client in (Client(), reader, idle):
        assert client.post(url(version), {"text": "x"}).status_code == 403


def test_a_preview_of_no_version_is_not_found():
    assert logged_in("redacteur").post(reverse("preview", args=[99]), {"text": "x"}).status_code == 404


def test_a_preview_is_posted_with_the_token_of_the_form():
    version = make_practice("feedback", state="draft")
    client = Client(enforce_csrf_checks=True)
    client.force_login(logged_in("redacteur").user)

    assert client.get(url(version)).status_code == 405
    assert client.post(url(version), {"text": "x"}).status_code == 403


def test_the_form_says_where_its_fields_are_previewed():
    version = make_practice("feedback", state="draft")

    form = logged_in("redacteur").get(change_url(version)).context["adminform"].form

    previewed = {name for name in form.fields if "data-preview-url" in form.fields[name].widget.attrs}
    assert previewed == set(version.markdown_fields)
    assert form.fields["steps"].widget.attrs["data-preview-url"] == url(version)
