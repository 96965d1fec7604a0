"""Preview links on the page of a version: made, shown once, listed, revoked."""

import re

import pytest
from django.test import Client

from knowledgebase.editorial.previews import share
from knowledgebase.models import PreviewToken
from practices.models import PracticeVersion
from tests.admin import admin_url, change_url, logged_in
from tests.factories import anybody, make_practice

pytestmark = pytest.mark.django_db


def url_of(version, name: str = "share", *args) -> str:
    return admin_url(PracticeVersion, name, version.pk, *args)


@pytest.mark.parametrize("role", ["redacteur", "eindredacteur"])
def test_an_editor_makes_a_link_and_sees_it_once(role):
    version, client = make_practice("feedback", state="draft", title="Feedback"), logged_in(role)
    assert client.get(url_of(version)).status_code == 200

    made = client.post(url_of(version), {"days": "3", "note": "Voor An"})

    [link] = re.findall(r'value="(http://testserver/voorbeeld/[^"]+/)"', made.content.decode())
    assert "no-store" in made["Cache-Control"]
    assert Client().get(link).status_code == 200
    page = client.get(change_url(version)).content.decode()
    assert "Voor An" in page
    assert link not in page
    token = PreviewToken.objects.get()
    assert (token.note, token.created_by, (token.expires_at - token.created_at).days) == ("Voor An", client.user, 3)


@pytest.mark.parametrize("days", ["", "0", "31", "-1", "drie", "1" * 30])
def test_a_wrong_number_of_days_is_refused_and_the_note_is_kept(days):
    version = make_practice("feedback", state="draft")

    response = logged_in("redacteur").post(url_of(version), {"days": days, "note": "Voor An"})

    assert response.status_code == 200
    assert list(response.context["form"].errors) == ["days"]
    assert response.context["form"]["note"].value() == "Voor An"
    assert not PreviewToken.objects.exists()


def test_what_is_public_gets_no_link():
    version = make_practice("feedback")
    client = logged_in("redacteur")

    response = client.post(url_of(version), {"days": "3"}, follow=True)

    assert [message.level_tag for message in response.context["messages"]] == ["error"]
    assert client.get(change_url(version)).context["share_url"] == ""


def test_an_editor_revokes_a_link():
    version, client = make_practice("feedback", state="draft"), logged_in("redacteur")
    token, secret = share(version, by=anybody(), days=3)

    for level in ("success", "info"):  # a second press is no error
        response = client.post(url_of(version, "unshare", token.pk), follow=True)
        assert [message.level_tag for message in response.context["messages"]][-1] == level
    assert Client().get(f"/voorbeeld/{secret}/").status_code == 404


@pytest.mark.parametrize("role", ["beheerder", "voorzitter", "lid"])
def test_nobody_else_shares_revokes_or_sees_the_links(role):
    version = make_practice("feedback", state="draft")
    token, _secret = share(version, by=anybody(), days=3, note="Voor An")
    client = logged_in(role)

    assert client.get(url_of(version)).status_code == 403
    assert client.post(url_of(version), {"days": "3"}).status_code == 403
    assert client.post(url_of(version, "unshare", token.pk)).status_code == 403
    assert "Voor An" not in client.get(change_url(version)).content.decode()
    assert PreviewToken.objects.get().revoked_at is None


def test_wrong_verbs_and_links_of_another_version():
    version, other = make_practice("feedback", state="draft"), make_practice("quiz", state="draft")
    token, _secret = share(version, by=anybody(), days=3)
    client = logged_in("redacteur")

    assert client.get(url_of(version, "unshare", token.pk)).status_code == 405
    assert client.put(url_of(version)).status_code == 405
    assert client.post(url_of(other, "unshare", token.pk)).status_code == 404
    assert client.post(admin_url(PracticeVersion, "share", 999), {"days": "3"}).status_code == 404
    assert PreviewToken.objects.get().revoked_at is None
