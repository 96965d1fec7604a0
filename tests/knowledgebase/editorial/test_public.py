import pytest

from knowledgebase.editorial.public import by_title, linked_items
from knowledgebase.editorial.transitions import withdraw
from knowledgebase.editorial.versions import copy
from knowledgebase.models import Item, SlugRedirect
from tests.factories import CHANGE, bring_to, make_practice, make_summary, make_user, make_version
from tests.pages import Page

pytestmark = pytest.mark.django_db


def changed(draft, **fields):
    """A later version that says what changed."""
    for name, value in (CHANGE | fields).items():
        setattr(draft, name, value)
    draft.save()
    return draft


def test_linked_in_either_direction_from_a_to_z_and_only_what_is_public():
    names = {"z": "zeker", "e": "Écrire", "i": "iPad"}
    forward = {slug: make_practice(slug, title=title) for slug, title in names.items()}
    draft, gone = make_practice("klad", state="draft"), make_practice("weg", state="withdrawn")
    summary = make_summary("s")
    related = [v.item for v in (*forward.values(), draft, gone, summary)]
    hub = make_practice("spil", related=related)
    make_practice("terug", title="Aan", related=[hub.item])
    make_practice("terug-klad", state="draft", related=[hub.item])
    assert [v.title for v in linked_items(hub, Item.Kind.PRACTICE)] == ["Aan", "Écrire", "iPad", "zeker"]
    assert [v.item.slug for v in linked_items(hub, Item.Kind.SUMMARY)] == ["s"]


def test_linked_both_ways_is_listed_once_and_never_itself():
    one = make_practice("een")
    two = make_practice("twee", related=[one.item])
    one = make_version(one.item, state="published", related=[two.item, one.item])
    assert [v.item.slug for v in linked_items(one, Item.Kind.PRACTICE)] == ["twee"]
    assert linked_items(one, Item.Kind.SUMMARY) == []


def test_a_link_follows_the_newest_published_version():
    other = make_practice("ander", title="Oud")
    hub = make_practice("spil", related=[other.item])
    make_version(other.item, state="published", title="Nieuw")
    make_version(other.item, title="Ontwerp")
    assert [v.title for v in linked_items(hub, Item.Kind.PRACTICE)] == ["Nieuw"]


def test_by_title_knows_no_capitals_or_accents():
    versions = [make_practice(title=title, state="draft") for title in ("b", "Á", "C", "a")]
    assert [v.title for v in sorted(versions, key=by_title)] == ["Á", "a", "b", "C"]


def test_a_text_that_comes_back_is_public_again(client):
    version = make_practice("feedback", state="withdrawn")
    assert client.get("/praktijken/feedback/").status_code == 410
    draft = copy(version, by=version.created_by)
    assert client.get("/praktijken/feedback/").status_code == 410
    bring_to(changed(draft), "published")
    assert Page(client.get("/praktijken/feedback/")).one("h1").text == "Feedback"


def test_the_reason_of_the_last_withdrawal_is_shown(client):
    by = make_user(role="eindredacteur")
    version = make_practice("feedback")
    withdraw(version, by=by, reason="Eerste reden.")
    second = changed(copy(version, by=by), title="Nieuwe titel")
    withdraw(bring_to(second, "published"), by=by, reason="Tweede reden.\n<b>Echt.</b>")
    page = Page(client.get("/praktijken/feedback/"), 410)
    assert page.one("h1").text == "Nieuwe titel"
    assert "Tweede reden. <b>Echt.</b>" in page.texts("p")
    assert "Eerste reden." not in page.main.text


def test_an_old_address_of_a_text_that_is_gone_leads_to_its_tombstone(client):
    version = make_practice("nieuw", state="withdrawn")
    SlugRedirect.objects.create(item=version.item, kind="practice", slug="oud")
    response = client.get("/praktijken/oud/", follow=True)
    assert (response.redirect_chain, response.status_code) == ([("/praktijken/nieuw/", 301)], 410)


def test_a_published_text_wins_over_an_old_address(client):
    other = make_practice("ander")
    SlugRedirect.objects.create(item=other.item, kind="practice", slug="feedback")
    make_practice("feedback")
    assert Page(client.get("/praktijken/feedback/")).one("h1").text == "Feedback"


def test_an_old_address_of_another_kind_does_not_count(client):
    SlugRedirect.objects.create(item=make_summary("nieuw").item, kind="summary", slug="oud")
    assert client.get("/praktijken/oud/").status_code == 404
