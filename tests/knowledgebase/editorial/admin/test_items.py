from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.formats import date_format
from django.utils.timezone import localtime, now
from django.utils.translation import gettext as _

from knowledgebase.editorial import audit
from knowledgebase.editorial.reviews import start_revalidation
from knowledgebase.editorial.transitions import discard, schedule
from knowledgebase.models import (
    ROOT_PAGES,
    AuditEvent,
    Item,
    SiteState,
    SlugRedirect,
    Summary,
    SummaryVersion,
    Theme,
    Version,
)
from knowledgebase.search import matching
from practices.models import Practice, PracticeVersion
from tests.admin import admin_url, change_url, each_role, form_data, logged_in, messages_of
from tests.factories import (
    anybody,
    bring_to,
    decision,
    in_review,
    make_concept,
    make_practice,
    make_summary,
    make_theme,
    make_version,
)

pytestmark = pytest.mark.django_db
LIST = "/admin/practices/practice/"
MOMENT = now() + timedelta(days=3)
EDITORS = ("redacteur", "eindredacteur")


def titles(response) -> list[str]:
    return [item.title for item in response.context["cl"].result_list]


# -- the list


def test_it_lists_every_text_with_what_is_public_and_what_is_being_written():
    make_practice("feedback", title="Feedback")
    published = make_practice("huiswerk", title="Huiswerk")
    make_version(published.item, title="Huiswerk in het lager")

    response = logged_in("redacteur").get(LIST)

    rows = [
        (item.title, item.public_number, item.open_number, item.open_state, item.changed_by)
        for item in response.context["cl"].result_list
    ]
    assert rows == [
        ("Feedback", 1, None, None, "iemand"),
        ("Huiswerk in het lager", 1, 2, "draft", "iemand"),
    ]


def test_who_saved_last_is_in_the_list():
    version = make_practice("feedback", state="draft")
    client = logged_in("redacteur")
    client.post(change_url(version), form_data(client.get(change_url(version)), title="Feedback geven"))

    item = client.get(LIST).context["cl"].result_list[0]

    assert (item.title, item.changed_by) == ("Feedback geven", client.user.username)


@each_role
def test_every_role_may_read_the_list(role):
    make_practice("feedback", title="Feedback")

    assert titles(logged_in(role).get(LIST)) == ["Feedback"]


def test_a_stranger_is_sent_to_the_login_page():
    response = Client().get(LIST)

    assert response.status_code == 302
    assert response.url == f"/admin/login/?next={LIST}"


def test_an_account_without_a_role_sees_nothing():
    client = logged_in("", is_staff=True)

    assert client.get(LIST).status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("stand=published", ["Feedback", "Huiswerk"]),
        ("stand=draft", ["Huiswerk", "Quiz"]),
        ("stand=withdrawn", ["Klassen"]),
        ("stand=nooit", ["Quiz"]),
        ("stand=onzin", ["Feedback", "Huiswerk", "Klassen", "Quiz"]),
        ("demo=ja", ["Quiz"]),
        ("demo=nee", ["Feedback", "Huiswerk", "Klassen"]),
        ("demo=onzin", ["Feedback", "Huiswerk", "Klassen", "Quiz"]),
        ("niveau=basis", ["Feedback"]),
        ("niveau=lager", ["Feedback"]),
        ("niveau=onbestaand", []),
        ("thema=toetsen", ["Quiz"]),
        ("q=QUIZ", ["Quiz"]),
        ("q=huiswerk", ["Huiswerk"]),
        ("q=sleutel", ["Klassen"]),
    ],
)
def test_it_filters_and_searches(query, found):
    basis = make_concept("niveau", "basis")
    lager, secundair = make_concept("niveau", "lager", broader=basis), make_concept("niveau", "secundair")
    readers = make_concept("publiek", "leerkracht")
    make_practice("feedback", title="Feedback", concepts=[lager, readers])
    published = make_practice("huiswerk", title="Huiswerk", concepts=[secundair, readers])
    make_version(published.item)
    klassen = make_practice("klassen", title="Klassen", state="draft", concepts=[secundair, readers])
    Item.objects.filter(pk=klassen.item_id).update(key="sleutel")
    bring_to(PracticeVersion.objects.get(pk=klassen.pk), "withdrawn")
    make_practice(
        "quiz", title="Quiz", state="draft", is_demo=True, concepts=[secundair, make_concept("thema", "toetsen")]
    )

    assert titles(logged_in("redacteur").get(f"{LIST}?{query}")) == found


def test_a_list_costs_the_same_number_of_queries_at_one_and_at_three_texts(django_assert_num_queries):
    client = logged_in("redacteur")
    make_version(make_practice("een").item)
    client.get(LIST)
    with CaptureQueriesContext(connection) as one:
        client.get(LIST)
    make_version(make_practice("twee").item)
    make_version(make_practice("drie").item)
    with django_assert_num_queries(len(one)):
        response = client.get(LIST)
    assert len(response.context["cl"].result_list) == 3


# -- whose turn it is


def one_of_each_turn() -> None:
    """A text in every situation, named after it."""
    make_practice("concept", state="draft")
    make_practice("gevraagd", state="changes_requested")
    make_practice("bij-beide", state="in_review")
    for slug, code in (("bij-wetenschap", "user"), ("bij-gebruikers", "scientific")):
        decision(in_review(make_practice(slug, state="draft")), code)
    make_practice("klaar", state="approved")
    planned = make_practice("gepland", state="approved")
    schedule(planned, by=anybody(), at=MOMENT)
    make_practice("rustig")
    confirming = make_practice("bevestigen")
    decision(start_revalidation(confirming), "scientific", quorum_needed=0, quorum_reached=0)


def test_the_list_says_who_has_to_act():
    one_of_each_turn()

    found = {item.slug: (item.turn, item.confirming) for item in logged_in("lid").get(LIST).context["cl"].result_list}

    assert found == {
        "concept": ("redactie", ""),
        "gevraagd": ("redactie", ""),
        "bij-beide": ("beide", ""),
        "bij-wetenschap": ("wetenschap", ""),
        "bij-gebruikers": ("gebruikers", ""),
        "klaar": ("eindredactie", ""),
        "gepland": ("gepland", ""),
        "rustig": ("", ""),
        "bevestigen": ("", "gebruikers"),
    }


@pytest.mark.parametrize(
    ("turn", "slugs"),
    [
        ("redactie", ["concept", "gevraagd"]),
        ("gebruikers", ["bevestigen", "bij-beide", "bij-gebruikers"]),
        ("wetenschap", ["bij-beide", "bij-wetenschap"]),
        ("beide", ["bij-beide"]),
        ("eindredactie", ["klaar"]),
        ("gepland", ["gepland"]),
    ],
)
def test_the_list_is_filtered_by_who_has_to_act(turn, slugs):
    one_of_each_turn()

    response = logged_in("redacteur").get(f"{LIST}?beurt={turn}")

    assert sorted(item.slug for item in response.context["cl"].result_list) == slugs


def test_an_unknown_turn_filters_nothing():
    make_practice("concept", state="draft")

    assert titles(logged_in("redacteur").get(f"{LIST}?beurt=onzin")) == ["Concept"]


def test_the_planned_moment_is_in_the_list():
    schedule(make_practice("gepland", state="approved"), by=anybody(), at=MOMENT)

    assert date_format(localtime(MOMENT), "SHORT_DATETIME_FORMAT") in logged_in("lid").get(LIST).content.decode()


def test_what_the_system_did_last_is_said():
    item = make_practice("feedback").item
    audit.record("settle", by=None, role=audit.SYSTEM, item=item)

    assert _("the system") in logged_in("lid").get(LIST).content.decode()


def test_titles_are_escaped():
    make_practice("x", title="<script>alert(1)</script>")
    client = logged_in("redacteur")

    content = client.get(LIST).content.decode()

    assert "<script>alert" not in content
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in content


def test_there_is_nothing_to_do_with_many_texts_at_once():
    version = make_practice("feedback", state="draft")
    client = logged_in("eindredacteur")

    assert client.get(LIST).context["action_form"] is None
    client.post(LIST, {"action": "delete_selected", "_selected_action": [version.item_id], "post": "yes"})
    assert Version.objects.filter(pk=version.pk).exists()


# -- the page of one text


def test_a_text_shows_its_versions_newest_first():
    version = make_practice("feedback", title="Feedback")
    draft = make_version(version.item, title="Feedback geven")

    response = logged_in("lid").get(change_url(Practice.objects.get()))

    assert [(shown.pk, url) for shown, url in response.context["versions"]] == [
        (draft.pk, change_url(draft)),
        (version.pk, change_url(version)),
    ]
    assert response.context["can_start"] is False


@pytest.mark.parametrize("slug", [*ROOT_PAGES, "werkwijze"])
def test_a_published_text_links_to_its_page(slug):
    from tests.factories import make_page

    item = make_page(slug).item

    response = logged_in("redacteur").get(admin_url(type(item), "change", item.pk), follow=True)

    assert f'href="{item.get_absolute_url()}"' in response.content.decode()


def test_a_new_address_keeps_the_old_one_working():
    item = Practice.objects.get(pk=make_practice("feedback").item_id)
    client = logged_in("redacteur")
    before = SiteState.current().content_version

    client.post(change_url(item), form_data(client.get(change_url(item)), slug="feedback-geven"))

    item.refresh_from_db()
    assert item.slug == "feedback-geven"
    assert list(SlugRedirect.objects.values_list("kind", "slug", "item")) == [("practice", "feedback", item.pk)]
    assert SiteState.current().content_version == before + 1
    event = AuditEvent.objects.filter(item=item).order_by("-seq").first()
    assert (event.action, event.actor_id, event.data) == (
        "change_text", client.user.pk, {"fields": ["slug"], "address": ["feedback", "feedback-geven"]},
    )  # fmt: skip


def test_what_a_text_is_also_searched_as_finds_it_at_once():
    item = Practice.objects.get(pk=make_practice("feedback").item_id)
    client = logged_in("redacteur")
    before = SiteState.current().content_version
    assert matching("knuffelbeer", "practice") == []

    lines = "waar is mijn knuffelbeer\r\nrode pen"
    client.post(change_url(item), form_data(client.get(change_url(item)), also_searched_as=lines))

    assert matching("knuffelbeer", "practice") == [item.pk]
    assert SiteState.current().content_version == before + 1
    event = AuditEvent.objects.filter(item=item).order_by("-seq").first()
    assert (event.action, event.actor_id, event.data) == (
        "change_text", client.user.pk, {"fields": ["also_searched_as"]},
    )  # fmt: skip


def test_what_a_draft_is_also_searched_as_waits_for_its_publication():
    item = Practice.objects.get(pk=make_practice("feedback", state="draft").item_id)
    client = logged_in("redacteur")

    client.post(change_url(item), form_data(client.get(change_url(item)), also_searched_as="knuffelbeer"))

    item.refresh_from_db()
    assert item.also_searched_as == "knuffelbeer"
    assert matching("knuffelbeer", "practice") == []


def test_an_address_may_be_taken_back():
    item = Practice.objects.get(pk=make_practice("feedback").item_id)
    client = logged_in("redacteur")
    for slug in ("anders", "feedback"):
        client.post(change_url(item), form_data(client.get(change_url(item)), slug=slug))

    assert list(SlugRedirect.objects.values_list("slug", flat=True)) == ["anders"]


@pytest.mark.parametrize("slug", ["quiz", "vroeger", "vergelijk", "met spaties", ""])
def test_an_address_that_is_taken_or_no_address_is_refused(slug):
    quiz = make_practice("quiz").item
    SlugRedirect.objects.create(item=quiz, kind="practice", slug="vroeger")
    item = Practice.objects.get(pk=make_practice("feedback").item_id)
    client = logged_in("redacteur")

    response = client.post(change_url(item), form_data(client.get(change_url(item)), slug=slug))

    assert response.status_code == 200
    assert list(response.context["errors"]) != []
    item.refresh_from_db()
    assert item.slug == "feedback"


@pytest.mark.parametrize("role", ["beheerder", "voorzitter", "lid"])
def test_who_only_reads_cannot_change_a_text(role):
    item = Practice.objects.get(pk=make_practice("feedback").item_id)

    assert logged_in(role).post(change_url(item), {"slug": "anders"}).status_code == 403


def test_nobody_deletes_a_text():
    item = Practice.objects.get(pk=make_practice("feedback").item_id)
    client = Client()
    from tests.factories import make_user

    client.force_login(make_user("baas", is_staff=True, is_superuser=True))

    assert client.post(admin_url(Practice, "delete", item.pk), {"post": "yes"}).status_code == 403


# -- a new text


@pytest.mark.parametrize("role", EDITORS)
def test_a_new_text_begins_as_a_draft(role):
    client = logged_in(role)

    response = client.post(admin_url(Summary, "add"), {"title": "Helpt huiswerk?", "slug": "helpt-huiswerk"})

    version = SummaryVersion.objects.get()
    assert response.status_code == 302
    assert response.url == change_url(version)
    assert (version.title, version.number, version.state, version.created_by) == (
        "Helpt huiswerk?", 1, "draft", client.user,
    )  # fmt: skip
    assert (version.item.kind, version.item.slug, version.item.key) == (
        "summary", "helpt-huiswerk", "summary-helpt-huiswerk",
    )  # fmt: skip


def test_a_new_practice_may_have_a_key_of_its_own():
    logged_in("redacteur").post(admin_url(Practice, "add"), {"title": "Quiz", "slug": "quiz", "key": "quizzing"})

    assert list(Item.objects.values_list("kind", "slug", "key")) == [("practice", "quiz", "quizzing")]


def test_a_new_theme_comes_with_its_concept():
    concept = make_concept("thema", "toetsen")
    client = logged_in("redacteur")

    client.post(admin_url(Theme, "add"), {"title": "Toetsen", "slug": "toetsen", "concept": concept.pk})

    assert Version.objects.get().specific().concept == concept


@pytest.mark.parametrize("changes", [{"slug": "feedback"}, {"title": ""}, {"slug": ""}, {"key": "feedback"}])
def test_a_new_text_that_is_wrong_is_refused(changes):
    make_practice("feedback")
    data = {"title": "Anders", "slug": "anders"} | changes

    response = logged_in("redacteur").post(admin_url(Practice, "add"), data)

    assert response.status_code == 200
    assert list(response.context["errors"]) != []
    assert Item.objects.count() == Version.objects.count() == 1


@pytest.mark.parametrize("role", ["beheerder", "voorzitter", "lid"])
def test_who_only_reads_cannot_add_a_text(role):
    response = logged_in(role).post(admin_url(Practice, "add"), {"title": "Anders", "slug": "anders"})

    assert response.status_code == 403
    assert not Item.objects.exists()


# -- a new version


@pytest.mark.parametrize("role", EDITORS)
def test_a_new_version_is_a_copy_of_the_published_one(role):
    published = make_practice("feedback", in_short="- Kort.")
    client = logged_in(role)

    response = client.post(admin_url(Practice, "new_version", published.item_id), follow=True)

    draft = PracticeVersion.objects.get(state="draft")
    assert response.redirect_chain == [(change_url(draft), 302)]
    assert (draft.number, draft.in_short, draft.based_on_id, draft.created_by) == (
        2, "- Kort.", published.pk, client.user,
    )  # fmt: skip


def test_a_second_new_version_is_the_first_one():
    item = make_practice("feedback").item
    url = admin_url(Practice, "new_version", item.pk)
    client = logged_in("redacteur")
    client.post(url)

    response = client.post(url, follow=True)

    draft = PracticeVersion.objects.get(state="draft")
    assert response.redirect_chain == [(change_url(draft), 302)]
    assert messages_of(response)[-1] == _("This text already has a draft: version %(number)s.") % {"number": 2}


def test_a_withdrawn_text_goes_on_from_what_it_said():
    withdrawn = make_practice("feedback", state="withdrawn", in_short="- Kort.")

    logged_in("redacteur").post(admin_url(Practice, "new_version", withdrawn.item_id))

    draft = PracticeVersion.objects.get(state="draft")
    assert (draft.number, draft.in_short, draft.based_on_id) == (2, "- Kort.", withdrawn.pk)


def test_a_text_with_the_commissions_gets_no_new_version():
    version = make_practice("feedback", state="in_review")

    response = logged_in("redacteur").post(admin_url(Practice, "new_version", version.item_id), follow=True)

    assert PracticeVersion.objects.count() == 1
    assert messages_of(response) == [_("The open version is with the commissions: nobody can edit it now.")]


@pytest.mark.parametrize("make", [make_practice, make_theme])
def test_a_text_whose_only_draft_was_thrown_away_begins_again(make):
    draft = make("feedback", state="draft")
    discard(draft, by=anybody())
    client = logged_in("redacteur")
    url = admin_url({"practice": Practice, "theme": Theme}[draft.item.kind], "new_version", draft.item_id)

    response = client.post(url)

    again = Version.objects.get(item=draft.item_id)
    assert (response.status_code, response.url) == (302, change_url(again.specific()))
    assert (again.title, again.number, again.state, again.created_by) == ("Feedback", 1, "draft", client.user)
    assert logged_in("lid").get(LIST).status_code == 200


@pytest.mark.parametrize("role", ["beheerder", "voorzitter", "lid"])
def test_who_only_reads_starts_no_version(role):
    item = make_practice("feedback").item

    assert logged_in(role).post(admin_url(Practice, "new_version", item.pk)).status_code == 403
    assert Version.objects.count() == 1


def test_a_version_of_no_text_is_not_found():
    summary = make_summary("helpt-het")

    client = logged_in("redacteur")

    assert client.post(admin_url(Practice, "new_version", 99)).status_code == 404
    assert client.post(admin_url(Practice, "new_version", summary.item_id)).status_code == 404


def test_a_version_is_started_by_a_post_only():
    item = make_practice("feedback").item

    assert logged_in("redacteur").get(admin_url(Practice, "new_version", item.pk)).status_code == 405
    assert Version.objects.count() == 1


def test_a_version_is_started_by_our_own_form_only():
    item = make_practice("feedback").item
    client = Client(enforce_csrf_checks=True)
    client.force_login(logged_in("redacteur").user)

    assert client.post(admin_url(Practice, "new_version", item.pk)).status_code == 403


# -- every text, for autocompletes


def test_a_text_is_found_by_its_title_and_named_with_its_kind():
    item = make_practice("feedback", title="Feedback geven").item
    make_summary("helpt-het", title="Helpt het?")

    response = logged_in("redacteur").get(
        "/admin/autocomplete/",
        {"term": "geven", "app_label": "knowledgebase", "model_name": "itemlink", "field_name": "item"},
    )

    assert response.json()["results"] == [{"id": str(item.pk), "text": f"Feedback geven ({item.get_kind_display()})"}]


def test_the_page_of_any_text_is_that_of_its_kind():
    item = make_summary("helpt-het").item
    client = logged_in("lid")

    assert client.get(f"/admin/knowledgebase/item/{item.pk}/change/").url == admin_url(Summary, "change", item.pk)
    assert client.get("/admin/knowledgebase/item/99/change/").status_code == 404
    assert client.get("/admin/knowledgebase/item/").url == "/admin/"
    assert client.get("/admin/knowledgebase/item/add/").status_code == 403
    assert client.post(f"/admin/knowledgebase/item/{item.pk}/delete/").status_code == 403


def test_a_superseded_version_stays_in_the_list_of_versions():
    version = make_practice("feedback")
    bring_to(make_version(version.item), "published")

    response = logged_in("lid").get(change_url(Practice.objects.get()))

    assert [shown.state for shown, _url in response.context["versions"]] == ["published", "superseded"]
