import threading

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils.translation import gettext as _

from knowledgebase.editorial.versions import content_hash
from knowledgebase.models import ConceptLink, Item, RenderedText, Version
from practices.models import EvidenceRating, PracticeVersion
from tests.admin import admin_url, change_url, each_role, form_data, logged_in, messages_of
from tests.factories import (
    CHANGE,
    make_concept,
    make_page,
    make_practice,
    make_source,
    make_summary,
    make_theme,
    make_user,
    make_version,
    rating,
)

pytestmark = pytest.mark.django_db
FROZEN = ("in_review", "approved", "published", "superseded", "withdrawn", "discarded")
EDITORS = ("redacteur", "eindredacteur")


def superuser() -> Client:
    client = Client()
    client.force_login(make_user("baas", is_staff=True, is_superuser=True))
    return client


# -- writing


@pytest.mark.parametrize("role", EDITORS)
@pytest.mark.parametrize("make", [make_practice, make_summary, make_theme, make_page])
def test_a_draft_is_saved(make, role):
    version = make("feedback", state="draft")
    client = logged_in(role)

    response = client.post(change_url(version), form_data(client.get(change_url(version)), title="Anders"))

    version.refresh_from_db()
    assert response.status_code == 302
    assert (version.title, version.state, version.lock_version) == ("Anders", "draft", 1)


def test_saving_unchanged_changes_nothing_of_what_it_says():
    version = make_practice("feedback", state="draft", ratings=[rating("0.48", ci_low="0.35", ci_high="0.61")])
    before = content_hash(version)
    client = logged_in("redacteur")

    response = client.post(change_url(version), form_data(client.get(change_url(version))))

    assert response.status_code == 302
    assert content_hash(PracticeVersion.objects.get(pk=version.pk)) == before


def test_changes_requested_may_be_written_too():
    version = make_practice("feedback", state="changes_requested")
    client = logged_in("redacteur")

    client.post(change_url(version), form_data(client.get(change_url(version)), title="Anders"))

    version.refresh_from_db()
    assert version.title == "Anders"


def test_what_changed_is_asked_from_the_second_version_on():
    published = make_practice("feedback")
    draft = make_version(published.item)
    client = logged_in("redacteur")

    first, second = client.get(change_url(published)), client.get(change_url(draft))

    assert "change_note" not in first.context["adminform"].form.fields
    assert second.context["adminform"].form.initial["change_note"] == CHANGE["change_note"]


@pytest.mark.parametrize("changes", [{"title": ""}, {"checked_on": "gisteren"}, {"title": "x" * 161}])
def test_a_wrong_field_is_refused_and_what_was_typed_is_kept(changes):
    version = make_practice("feedback", state="draft", title="Feedback")
    client = logged_in("redacteur")
    data = form_data(client.get(change_url(version)), when_not="Getypt.", **changes)

    response = client.post(change_url(version), data)

    assert response.status_code == 200
    assert list(response.context["errors"]) != []
    assert response.context["adminform"].form["when_not"].value() == "Getypt."
    version.refresh_from_db()
    assert version.title == "Feedback"


# -- rows that belong to a version


def test_rows_are_added_in_the_order_of_their_numbers_and_at_the_end_without():
    version = make_practice("feedback", state="draft")
    concept = make_concept("thema", "toetsen")
    client = logged_in("redacteur")
    page = client.get(change_url(version))
    data = form_data(page) | {
        "concept_links-TOTAL_FORMS": "3",
        "concept_links-2-id": "",
        "concept_links-2-version": str(version.pk),
        "concept_links-2-concept": str(concept.pk),
        "concept_links-2-order": "",
        "concept_links-0-order": "",
    }

    assert client.post(change_url(version), data).status_code == 302

    links = ConceptLink.objects.filter(version=version).values_list("concept__slug", "order")
    assert list(links) == [("leerkracht", 1), ("lager", 2), ("toetsen", 3)]


def test_a_row_may_be_taken_out():
    version = make_practice("feedback", state="draft")
    client = logged_in("redacteur")

    client.post(change_url(version), form_data(client.get(change_url(version)), **{"source_links-0-DELETE": "on"}))

    assert not version.source_links.exists()


def test_the_same_source_twice_is_an_error_of_the_form():
    version = make_practice("feedback", state="draft")
    source = version.source_links.get().source
    client = logged_in("redacteur")
    data = form_data(client.get(change_url(version))) | {
        "source_links-TOTAL_FORMS": "2",
        "source_links-1-version": str(version.pk),
        "source_links-1-source": str(source.pk),
    }

    response = client.post(change_url(version), data)

    assert response.status_code == 200
    assert version.source_links.count() == 1


def test_concepts_are_named_with_their_vocabulary():
    version = make_practice("feedback", state="draft")

    content = logged_in("redacteur").get(change_url(version)).content.decode()

    concept = ConceptLink.objects.get(concept__slug="lager").concept
    assert f"Lager ({concept.get_scheme_display()})" in content


# -- two at once


def test_a_stale_form_is_refused_names_the_other_and_keeps_what_was_typed():
    version = make_practice("feedback", state="draft", title="Feedback")
    slow, quick = logged_in("redacteur"), logged_in("redacteur", username="an")
    opened = slow.get(change_url(version))
    quick.post(change_url(version), form_data(quick.get(change_url(version)), title="Van An"))

    response = slow.post(change_url(version), form_data(opened, title="Van mij", when_not="Getypt."))

    version.refresh_from_db()
    form = response.context["adminform"].form
    assert (response.status_code, version.title, version.lock_version) == (200, "Van An", 1)
    assert "an" in form.non_field_errors()[0].split()
    assert (form["title"].value(), form["when_not"].value()) == ("Van mij", "Getypt.")


@pytest.mark.parametrize("lock_version", ["", "x", "7"])
def test_a_form_without_the_right_lock_is_refused(lock_version):
    version = make_practice("feedback", state="draft", title="Feedback")
    client = logged_in("redacteur")

    response = client.post(
        change_url(version), form_data(client.get(change_url(version)), title="Anders", lock_version=lock_version)
    )

    version.refresh_from_db()
    assert (response.status_code, version.title) == (200, "Feedback")
    assert _("Somebody else") in response.context["adminform"].form.non_field_errors().as_text()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one at a time by itself")
@pytest.mark.django_db(transaction=True)
def test_of_two_savers_at_the_same_moment_one_wins():
    from django.core.management import call_command

    call_command("migrate", verbosity=0)  # roles: a transactional test begins without them
    version = make_practice("feedback", state="draft", title="Feedback")
    clients = [logged_in("redacteur"), logged_in("redacteur")]
    opened = [client.get(change_url(version)) for client in clients]
    barrier, statuses = threading.Barrier(2), []

    def save(client, page, title):
        data = form_data(page, title=title)
        barrier.wait()
        statuses.append(client.post(change_url(version), data).status_code)
        connections.close_all()

    threads = [
        threading.Thread(target=save, args=(*pair, f"T{n}")) for n, pair in enumerate(zip(clients, opened, strict=True))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    version.refresh_from_db()
    assert sorted(statuses) == [200, 302]
    assert version.lock_version == 1


# -- frozen


@pytest.mark.parametrize("state", FROZEN)
def test_what_is_frozen_is_only_read_also_by_a_superuser(state):
    version = make_practice("feedback", state=state, title="Feedback")
    client = superuser()

    page = client.get(change_url(version))

    assert page.context["has_change_permission"] is False
    assert list(page.context["adminform"].form.fields) == ["lock_version"]
    for inline in page.context["inline_admin_formsets"]:
        assert not any((inline.has_add_permission, inline.has_change_permission, inline.has_delete_permission))
    assert 'name="_save"' not in page.content.decode()


@pytest.mark.parametrize("state", FROZEN)
def test_a_post_made_by_hand_changes_nothing_of_what_is_frozen(state):
    version = make_practice("feedback", state=state, title="Feedback")
    concepts = ConceptLink.objects.filter(version=version).count()
    client = superuser()
    data = {
        "title": "Anders",
        "lock_version": "0",
        "ratings-TOTAL_FORMS": "0",
        "ratings-INITIAL_FORMS": "0",
        "concept_links-TOTAL_FORMS": "1",
        "concept_links-INITIAL_FORMS": "1",
        "concept_links-0-id": str(ConceptLink.objects.filter(version=version).first().pk),
        "concept_links-0-DELETE": "on",
    }

    response = client.post(change_url(version), data)

    version.refresh_from_db()
    assert response.status_code == 403
    assert (version.title, ConceptLink.objects.filter(version=version).count()) == ("Feedback", concepts)


def test_who_saves_what_was_frozen_meanwhile_gets_the_typed_text_back():
    version = make_practice("feedback", state="draft", title="Feedback")
    client, chief = logged_in("redacteur"), logged_in("eindredacteur")
    opened = client.get(change_url(version))
    chief.post(admin_url(PracticeVersion, "publish", version.pk), {"lock_version": "0"})

    response = client.post(change_url(version), form_data(opened, when_not="Een <b>lange</b> gedachte."))

    assert response.status_code == 403
    assert ("Een <b>lange</b> gedachte.") in dict(response.context["typed"]).values()
    assert "Een &lt;b&gt;lange&lt;/b&gt; gedachte." in response.content.decode()


@each_role
@pytest.mark.parametrize("state", ["draft", "published"])
def test_every_role_may_read_a_version(role, state):
    version = make_practice("feedback", state=state)

    assert logged_in(role).get(change_url(version)).status_code == 200


@pytest.mark.parametrize("role", ["beheerder", "voorzitter", "lid"])
def test_who_only_reads_cannot_write_a_draft(role):
    version = make_practice("feedback", state="draft", title="Feedback")

    response = logged_in(role).post(change_url(version), {"title": "Anders", "lock_version": "0"})

    version.refresh_from_db()
    assert (response.status_code, version.title) == (403, "Feedback")


def test_versions_are_not_added_or_listed_by_hand():
    client = superuser()

    assert client.get(admin_url(PracticeVersion, "add")).status_code == 403
    assert client.get(admin_url(PracticeVersion, "changelist")).url == "/admin/practices/practice/"


def test_a_version_that_is_not_there_leads_back_to_the_index():
    client = logged_in("redacteur")

    for pk in ("99", "abc"):
        assert client.get(f"/admin/practices/practiceversion/{pk}/change/").status_code == 302
        assert client.post(f"/admin/practices/practiceversion/{pk}/change/", {}).status_code == 302


# -- throwing a draft away


def test_the_draft_of_a_published_text_may_be_thrown_away():
    published = make_practice("feedback")
    draft = make_version(published.item)
    client = logged_in("redacteur")
    url = admin_url(PracticeVersion, "delete", draft.pk)

    assert client.get(url).status_code == 200
    assert client.post(url, {"post": "yes"}).url == "/admin/practices/practice/"
    assert list(Version.objects.values_list("pk", flat=True)) == [published.pk]


def test_a_text_goes_with_its_only_draft():
    draft = make_practice("feedback", state="draft")

    logged_in("redacteur").post(admin_url(PracticeVersion, "delete", draft.pk), {"post": "yes"})

    assert not Item.objects.exists()
    assert not EvidenceRating.objects.exists()


def test_the_only_draft_of_a_text_that_others_refer_to_stays():
    draft = make_practice("feedback", state="draft")
    make_practice("huiswerk", related=[draft.item])

    response = superuser().post(admin_url(PracticeVersion, "delete", draft.pk), {"post": "yes"})

    assert response.status_code == 403
    assert Version.objects.filter(pk=draft.pk).exists()


@pytest.mark.parametrize("state", [*FROZEN, "changes_requested"])
def test_what_was_public_or_with_the_commissions_is_never_deleted(state):
    version = make_practice("feedback", state=state)

    assert superuser().post(admin_url(PracticeVersion, "delete", version.pk), {"post": "yes"}).status_code == 403
    assert Version.objects.filter(pk=version.pk).exists()


@pytest.mark.parametrize("role", ["beheerder", "voorzitter", "lid"])
def test_who_only_reads_throws_nothing_away(role):
    version = make_practice("feedback", state="draft")

    response = logged_in(role).post(admin_url(PracticeVersion, "delete", version.pk), {"post": "yes"})

    assert response.status_code == 403


# -- publishing


@pytest.mark.parametrize("state", ["draft", "approved"])
def test_the_editor_in_chief_publishes_after_a_question(state):
    version = make_practice("feedback", state=state)
    client = logged_in("eindredacteur")
    url = admin_url(PracticeVersion, "publish", version.pk)

    question = client.get(url)
    version.refresh_from_db()
    assert (question.status_code, version.state) == (200, state)
    response = client.post(url, {"lock_version": question.context["form"]["lock_version"].value()}, follow=True)

    version.refresh_from_db()
    assert (version.state, version.published_by) == ("published", client.user)
    assert messages_of(response) == [_("Published: readers see this version now.")]
    assert RenderedText.objects.filter(version=version).exists()


def test_what_is_missing_is_said_before_and_after_and_nothing_is_lost():
    version = make_practice("feedback", state="draft", when_not="", in_short="- Kort.")
    client = logged_in("eindredacteur")
    url = admin_url(PracticeVersion, "publish", version.pk)

    problems = client.get(url).context["problems"]
    response = client.post(url, {"lock_version": "0"}, follow=True)

    version.refresh_from_db()
    assert problems == [_("Write when it does not work. If nobody knows, say so.")]
    assert messages_of(response) == problems
    assert (version.state, version.in_short) == ("draft", "- Kort.")


def test_a_later_version_is_not_published_without_saying_what_changed():
    draft = make_version(make_practice("feedback").item, change_note="")
    client = logged_in("eindredacteur")
    url = admin_url(PracticeVersion, "publish", draft.pk)

    problems = client.get(url).context["problems"]
    response = client.post(url, {"lock_version": "0"}, follow=True)

    assert problems == [_("Say what kind of change this is, whether the conclusion changed, and what changed.")]
    assert messages_of(response) == problems


def test_only_what_was_shown_is_published():
    version = make_practice("feedback", state="draft")
    client, editor = logged_in("eindredacteur"), logged_in("redacteur", username="an")
    url = admin_url(PracticeVersion, "publish", version.pk)
    shown = client.get(url).context["form"]["lock_version"].value()
    editor.post(change_url(version), form_data(editor.get(change_url(version)), title="Anders"))

    response = client.post(url, {"lock_version": shown})

    version.refresh_from_db()
    assert (response.status_code, version.state) == (200, "draft")
    assert "an" in response.context["form"].non_field_errors()[0].split()


def test_a_second_press_says_that_it_is_done():
    version = make_practice("feedback", state="draft")
    client = logged_in("eindredacteur")
    url = admin_url(PracticeVersion, "publish", version.pk)
    client.post(url, {"lock_version": "0"})

    response = client.post(url, {"lock_version": "0"}, follow=True)

    assert Version.objects.published().count() == 1
    assert _("This version is “%(state)s”: there is nothing to do here.").split("“")[0] in messages_of(response)[-1]


@pytest.mark.parametrize("role", ["redacteur", "beheerder", "voorzitter", "lid"])
@pytest.mark.parametrize(("page", "state"), [("publish", "draft"), ("withdraw", "published")])
def test_only_the_editor_in_chief_moves_a_version(role, page, state):
    version = make_practice("feedback", state=state)
    client = logged_in(role)

    for response in (
        client.get(admin_url(PracticeVersion, page, version.pk)),
        client.post(admin_url(PracticeVersion, page, version.pk), {"lock_version": "0", "reason": "Zomaar."}),
    ):
        assert response.status_code == 403
    version.refresh_from_db()
    assert version.state == state
    assert not client.get(change_url(version)).context[f"may_{page}"]


@pytest.mark.parametrize("page", ["publish", "withdraw"])
def test_moving_what_is_not_there_is_not_found(page):
    assert logged_in("eindredacteur").post(admin_url(PracticeVersion, page, 99)).status_code == 404


def test_a_stranger_moves_nothing():
    version = make_practice("feedback", state="draft")

    response = Client().post(admin_url(PracticeVersion, "publish", version.pk), {"lock_version": "0"})

    assert response.url.startswith("/admin/login/")
    version.refresh_from_db()
    assert version.state == "draft"


# -- withdrawing


def test_the_editor_in_chief_withdraws_with_a_reason():
    version = make_practice("feedback")
    client = logged_in("eindredacteur")
    url = admin_url(PracticeVersion, "withdraw", version.pk)

    assert client.get(url).status_code == 200
    response = client.post(url, {"lock_version": "0", "reason": "De studie is ingetrokken."}, follow=True)

    version.refresh_from_db()
    assert (version.state, version.withdrawal_reason) == ("withdrawn", "De studie is ingetrokken.")
    assert messages_of(response) == [_("Withdrawn: the address of the text now says why.")]


@pytest.mark.parametrize("reason", ["", "   "])
def test_withdrawing_needs_a_reason(reason):
    version = make_practice("feedback")

    response = logged_in("eindredacteur").post(
        admin_url(PracticeVersion, "withdraw", version.pk), {"lock_version": "0", "reason": reason}
    )

    version.refresh_from_db()
    assert (response.status_code, version.state) == (200, "published")
    assert list(response.context["form"].errors) == ["reason"]


def test_a_draft_is_not_withdrawn():
    version = make_practice("feedback", state="draft")

    response = logged_in("eindredacteur").post(
        admin_url(PracticeVersion, "withdraw", version.pk), {"lock_version": "0", "reason": "Zomaar."}
    )

    version.refresh_from_db()
    assert (response.status_code, version.state) == (302, "draft")


def test_the_form_costs_no_more_queries_for_more_versions(django_assert_num_queries):
    from django.test.utils import CaptureQueriesContext

    make_source("jansen-2020")
    client = logged_in("redacteur")
    item = make_practice("feedback").item
    client.get(admin_url(type(item.versions.get().specific()), "change", item.versions.get().pk))
    page = f"/admin/practices/practice/{item.pk}/change/"
    client.get(page)
    with CaptureQueriesContext(connection) as one:
        client.get(page)
    make_version(item, state="published")
    make_version(item, state="published")
    with django_assert_num_queries(len(one)):
        response = client.get(page)
    assert len(response.context["versions"]) == 3
