import threading

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext as _

from knowledgebase.editorial.previews import share
from knowledgebase.editorial.transitions import settle
from knowledgebase.editorial.versions import content_hash
from knowledgebase.models import Comment, ConceptLink, CriterionAnswer, Review, Version
from practices.models import PracticeVersion
from tests.admin import admin_url, change_url, each_role, form_data, logged_in, messages_of
from tests.factories import (
    CHANGE,
    bring_to,
    chair,
    decision,
    in_review,
    make_concept,
    make_member,
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


def opened_and_overtaken(**changes):
    """Somebody has a draft open while An saves it with these changes: (version, slow client, the page they opened)."""
    version = make_practice("feedback", state="draft", title="Feedback")
    slow, quick = logged_in("redacteur"), logged_in("redacteur", username="an")
    opened = slow.get(change_url(version))
    quick.post(change_url(version), form_data(quick.get(change_url(version)), **changes))
    return version, slow, opened


def shown_conflicts(response) -> list[tuple[str, str, str]]:
    return [(conflict.label, conflict.mine, conflict.theirs) for conflict in response.context["conflicts"]]


def test_a_stale_form_shows_both_texts_names_the_other_and_keeps_what_was_typed():
    version, slow, opened = opened_and_overtaken(title="Van An")

    response = slow.post(change_url(version), form_data(opened, title="Van mij", when_not="Getypt."))

    version.refresh_from_db()
    form = response.context["adminform"].form
    assert (response.status_code, version.title, version.lock_version) == (200, "Van An", 1)
    assert "an" in form.non_field_errors()[0].split()
    assert (form["title"].value(), form["when_not"].value()) == ("Van mij", "Getypt.")
    names = {name: str(PracticeVersion._meta.get_field(name).verbose_name) for name in ("title", "when_not")}
    assert [(label.lower(), mine, theirs) for label, mine, theirs in shown_conflicts(response)] == [
        (names["title"], "Van mij", "Van An"),
        (names["when_not"], "Getypt.", "Dat weet nog niemand."),
    ]
    content = response.content.decode()
    assert "Van mij" in content
    assert "Van An" in content


def test_who_has_seen_both_texts_may_save_on_top():
    version, slow, opened = opened_and_overtaken(title="Van An")
    refused = slow.post(change_url(version), form_data(opened, title="Van mij"))

    response = slow.post(change_url(version), form_data(refused))

    version.refresh_from_db()
    assert (response.status_code, version.title, version.lock_version) == (302, "Van mij", 2)


def test_a_third_saver_in_between_is_seen_too():
    version, slow, opened = opened_and_overtaken(title="Van An")
    refused = slow.post(change_url(version), form_data(opened, title="Van mij"))
    third = logged_in("redacteur", username="bo")
    third.post(change_url(version), form_data(third.get(change_url(version)), title="Van Bo"))

    response = slow.post(change_url(version), form_data(refused))

    version.refresh_from_db()
    assert (response.status_code, version.title) == (200, "Van Bo")
    assert [theirs for _label, _mine, theirs in shown_conflicts(response)] == ["Van Bo"]


def test_a_row_that_another_took_out_is_shown_and_comes_back_when_saved_on_purpose():
    version, slow, opened = opened_and_overtaken(**{"source_links-0-DELETE": "on"})
    source = make_source("jansen-2020")

    refused = slow.post(change_url(version), form_data(opened))

    assert refused.status_code == 200
    [(_label, mine, theirs)] = shown_conflicts(refused)
    assert str(source) in mine
    assert theirs == _("not there")
    assert not version.source_links.exists()
    assert slow.post(change_url(version), form_data(refused)).status_code == 302
    assert version.source_links.get().source == source


def test_a_row_that_another_added_is_shown_and_stays():
    concept = make_concept("thema", "toetsen")
    version, slow, opened = opened_and_overtaken(
        **{
            "concept_links-TOTAL_FORMS": "3",
            "concept_links-2-concept": str(concept.pk),
            "concept_links-2-order": "",
        }
    )

    refused = slow.post(change_url(version), form_data(opened))

    assert [(mine, theirs) for _label, mine, theirs in shown_conflicts(refused)] == [(_("not there"), str(concept))]
    slow.post(change_url(version), form_data(refused))
    assert version.concept_links.count() == 3


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
    client = logged_in("redacteur")
    opened = client.get(change_url(version))
    bring_to(version, "in_review")

    response = client.post(
        change_url(version),
        form_data(opened, when_not="Een <b>lange</b> gedachte.", **{"ratings-0-note": "In een rij."}),
    )

    typed = dict(response.context["typed"]).values()
    assert response.status_code == 403
    assert {"Een <b>lange</b> gedachte.", "In een rij."} <= set(typed)
    assert "Een &lt;b&gt;lange&lt;/b&gt; gedachte." in response.content.decode()


def test_what_only_the_guards_notice_is_said_and_nothing_typed_is_lost(monkeypatch):
    version = make_practice("feedback", state="draft", title="Feedback")
    client = logged_in("redacteur")
    opened = client.get(change_url(version))
    bring_to(version, "in_review")
    monkeypatch.setattr(Version, "is_editable", True)  # as if it was frozen between the check and the write

    response = client.post(change_url(version), form_data(opened, title="Anders", when_not="Getypt."))

    assert response.status_code == 409
    assert response.context["reasons"] == [
        _("This version is with the commissions or public: nobody can change it. Start a new version.")
    ]
    assert {"Anders", "Getypt."} <= set(dict(response.context["typed"]).values())
    version.refresh_from_db()
    assert version.title == "Feedback"


@pytest.mark.parametrize("state", ["draft", *FROZEN, "changes_requested"])
def test_a_version_is_never_deleted_by_the_admin(state):
    version = make_practice("feedback", state=state)

    assert superuser().post(admin_url(PracticeVersion, "delete", version.pk), {"post": "yes"}).status_code == 403
    assert Version.objects.filter(pk=version.pk).exists()


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


# -- around the form


def test_the_form_costs_no_more_queries_for_more_versions(django_assert_num_queries):
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


# -- what the commissions said


def reviewed(**fields):
    """A version with which the commissions asked for changes: a review, two decisions and two comments."""
    version = make_practice("feedback", state="draft")
    round = in_review(version)
    member = make_member("scientific")
    review = Review.objects.create(
        round=round, commission=member.commission, membership=member, interest="none", recommendation="changes",
        body="Het cijfer klopt niet.", **fields,
    )  # fmt: skip
    CriterionAnswer.objects.create(
        review=review, criterion=member.commission.criteria.first(), criterion_text="Zoals gevraagd?", value="no"
    )
    for field, uid in (("when_not", None), ("ratings", version.ratings.get().uid)):
        Comment.objects.create(
            version=version, round=round, commission=member.commission, author=member.user, field=field, target_uid=uid,
            body=f"Over {field}.",
        )  # fmt: skip
    decision(round, "user")
    decision(round, "scientific", outcome="changes", rationale="Reken het cijfer na.", minority_note="Twee leden niet.")
    with transaction.atomic():
        settle(round, by=chair("scientific").user, role="chair scientific")
    return PracticeVersion.objects.get(pk=version.pk)


def test_editors_read_both_reports_with_links_to_the_fields():
    version = reviewed()

    response = logged_in("redacteur").get(change_url(version))

    report, content = response.context["report"], response.content.decode()
    assert [(d.commission.code, d.outcome) for d in report.decisions] == [
        ("user", "approve"),
        ("scientific", "changes"),
    ]
    assert [review.body for review in report.reviews] == ["Het cijfer klopt niet."]
    assert [(r.comment.body, r.anchor) for r in response.context["remarks"]] == [
        ("Over when_not.", "id_when_not"),
        ("Over ratings.", "ratings-group"),
    ]
    for text in (
        "Reken het cijfer na.",
        "Twee leden niet.",
        "Zoals gevraagd?",
        'href="#ratings-group"',
        'id="ratings-group"',
    ):
        assert text in content


@pytest.mark.parametrize("role", ["beheerder", "lid"])
def test_who_does_not_write_reads_the_reports_elsewhere(role):
    response = logged_in(role).get(change_url(reviewed()))

    assert "report" not in response.context
    assert "Het cijfer klopt niet." not in response.content.decode()


def test_reviews_of_an_open_round_stay_with_the_commission():
    version = make_practice("feedback", state="draft")
    round = in_review(version)
    member = make_member("user")
    Review.objects.create(
        round=round, commission=member.commission, membership=member, interest="none", recommendation="approve",
        body="Nog geheim.",
    )  # fmt: skip

    response = logged_in("redacteur").get(change_url(version))

    assert response.context["report"] is None
    assert "Nog geheim." not in response.content.decode()


def test_more_comments_and_links_cost_no_more_queries(django_assert_num_queries):
    version, client = reviewed(), logged_in("redacteur")
    share(version, by=client.user, days=3)
    client.get(change_url(version))
    with CaptureQueriesContext(connection) as captured:
        client.get(change_url(version))
    old = version.comments.first()
    for body in ("Nog een.", "En nog een."):
        Comment.objects.create(
            version=version, round=old.round, commission=old.commission, author=old.author, field="steps", body=body
        )
        share(version, by=client.user, days=3)

    with django_assert_num_queries(len(captured)):
        response = client.get(change_url(version))

    assert (len(response.context["remarks"]), len(response.context["previews"])) == (4, 3)


# -- history


def test_the_history_of_a_version_is_the_trail_of_its_text():
    version = make_practice("feedback", state="draft")
    url = f"/admin/knowledgebase/auditevent/?item__id__exact={version.item_id}"

    assert logged_in("redacteur").get(admin_url(PracticeVersion, "history", version.pk)).url == url
    assert logged_in("lid").get(admin_url(PracticeVersion, "history", version.pk)).status_code == 403
    assert logged_in("redacteur").get(admin_url(PracticeVersion, "history", 999)).status_code == 404


# -- figures


def test_a_typed_figure_that_is_not_the_data_s_is_told_on_save_and_the_text_is_kept():
    version = make_practice("feedback", state="draft", ratings=[rating("0.48")])
    client = logged_in("redacteur")
    typed = "De winst is 7 maanden [@jansen-2020].\n\nElders 0,99."

    response = client.post(
        change_url(version), form_data(client.get(change_url(version)), what_it_is=typed), follow=True
    )

    version.refresh_from_db()
    assert version.what_it_is.replace("\r\n", "\n") == typed
    told = [message for message in messages_of(response) if "“" in message]
    differs = _("Line %(line)s: “%(words)s” is not what the data says: %(says)s.")
    missing = _("Line %(line)s: “%(words)s” stands without a source. Cite it in the same paragraph, or use a token.")
    name = str(version._meta.get_field("what_it_is").verbose_name)
    assert [message for message in told if message.startswith(name)] == [
        f"{name}. {differs % {'line': 1, 'words': '7 maanden', 'says': 'jansen-2020: 6 (overall)'}}",
        f"{name}. {missing % {'line': 3, 'words': '0,99'}}",
    ]
    refused = client.get(admin_url(PracticeVersion, "submit", version.pk))
    assert refused.context["blocked"] is True


def test_many_wrong_figures_are_told_in_a_few_lines():
    version = make_practice("feedback", state="draft")
    client = logged_in("redacteur")
    typed = "\n\n".join(f"Het effect is 0,{number}." for number in range(10, 22))

    response = client.post(
        change_url(version), form_data(client.get(change_url(version)), what_it_is=typed), follow=True
    )

    assert _("And %(count)s more: “Check and submit” lists them all.") % {"count": 4} in messages_of(response)


def test_the_form_lists_the_tokens_with_their_values_and_the_sources():
    version = make_practice("feedback", state="draft", ratings=[rating("0.48")])

    response = logged_in("redacteur").get(change_url(version))

    page = response.content.decode()
    assert dict(response.context["tokens"]) == version.token_values()
    assert "<code>{{ winst-woorden }}</code>" in page
    assert "<code>[@jansen-2020]</code>" in page
    assert "token-help" not in logged_in("redacteur").get(change_url(make_page("over", state="draft"))).content.decode()
