import pytest
from django.test import Client
from django.utils.translation import gettext as _

from knowledgebase.editorial.previews import revoke, share
from tests.factories import (
    anybody,
    bring_to,
    make_page,
    make_practice,
    make_summary,
    make_theme,
    make_version,
)
from tests.pages import Page
from tests.recount import studied_practice

pytestmark = pytest.mark.django_db
BANNER = "Preview, not approved."


def shared(version) -> str:
    _token, secret = share(version, by=anybody(), days=7)
    return f"/voorbeeld/{secret}/"


def assert_private(response) -> None:
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Cache-Control"] == "private, no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "ETag" not in response
    assert '<meta name="robots" content="noindex">' in response.content.decode()


@pytest.mark.parametrize("make", [make_practice, make_summary, make_theme, make_page])
def test_whoever_has_the_link_reads_the_text_as_readers_will(make):
    version = make("feedback", state="draft", title="Feedback geven")

    response = Client().get(shared(version))

    page = Page(response)
    assert response.status_code == 200
    assert page.one("h1").text == "Feedback geven"
    assert _(BANNER) in response.content.decode()
    assert_private(response)


@pytest.mark.parametrize("slug", ["over", "privacy"])
def test_a_page_with_an_address_of_its_own_is_shown_too(slug):
    assert Client().get(shared(make_page(slug, state="draft"))).status_code == 200


def test_it_shows_the_draft_and_leaves_the_published_page_alone():
    published = make_practice("feedback", title="Feedback")
    draft = make_version(published.item, title="Feedback, nieuw")

    preview, public = Client().get(shared(draft)), Client().get("/praktijken/feedback/")

    assert Page(preview).one("h1").text == "Feedback, nieuw"
    assert Page(public).one("h1").text == "Feedback"
    assert _(BANNER) not in public.content.decode()


def test_it_shows_the_text_as_it_is_now():
    version = make_practice("feedback", state="draft", title="Feedback")
    url = shared(version)
    version.title = "Feedback geven"
    version.save()

    assert Page(Client().get(url)).one("h1").text == "Feedback geven"


@pytest.mark.parametrize("why", ["unknown", "revoked", "published", "discarded"])
def test_every_dead_link_gives_the_same_answer(why):
    version = make_practice("feedback", state="draft", title="Geheim")
    token, secret = share(version, by=anybody(), days=7)
    if why == "revoked":
        revoke(token, by=anybody())
    elif why != "unknown":
        bring_to(version, why)

    dead = Client().get(f"/voorbeeld/{secret if why != 'unknown' else 'x' * 43}/")

    assert dead.status_code == 404
    assert Page(dead, status=404).one("h1").text == _("This preview does not open (any more)")
    assert "Geheim" not in dead.content.decode()
    assert_private(dead)


@pytest.mark.parametrize("secret", ["x", "%00", "../admin", "é", "x" * 500])
def test_an_odd_address_is_not_found(secret):
    assert Client().get(f"/voorbeeld/{secret}/").status_code == 404


def test_other_verbs_are_refused():
    url = shared(make_practice("feedback", state="draft"))

    assert Client().head(url).status_code == 200
    for verb in ("post", "put", "delete"):
        assert getattr(Client(), verb)(url).status_code == 405


def test_figures_of_study_rows_are_said_but_the_sums_are_for_who_works_on_the_text():
    response = Client().get(shared(studied_practice(state="draft")))
    page = Page(response)
    assert "Over 12 studies is de leerwinst gemiddeld 6 maanden (g = 0,50)." in page.texts("p")
    assert [href for _words, href in page.links if "cijfers/" in href] == []
