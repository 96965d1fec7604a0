from datetime import UTC, datetime

import pytest
from django.utils.translation import gettext as _

from knowledgebase.models import AuditEvent, LinkCheck, SiteState, Source
from tests.admin import admin_url, change_url, form_data, logged_in
from tests.factories import make_practice, make_source

pytestmark = pytest.mark.django_db
ADD = "/admin/knowledgebase/source/add/"
NEW = {
    "key": "okkinga-2018",
    "kind": "meta_analysis",
    "title": "Effectiveness of Reading-Strategy Interventions",
    "authors": "Okkinga, M.\nvan Steensel, R.\n\nOnderwijsraad",
    "year": "2018",
    "language": "en",
    "doi": " https://doi.org/10.1007/S10648-018-9445-7 ",
    "grade": "A",
    "retraction": "none",
    "open_access": "unknown",
}


@pytest.mark.parametrize("role", ["redacteur", "eindredacteur", "beheerder"])
def test_a_source_is_added_with_authors_by_line_and_any_form_of_doi(role):
    before = SiteState.current().content_version

    assert logged_in(role).post(ADD, NEW).status_code == 302

    source = Source.objects.get()
    assert source.authors == [
        {"family": "Okkinga", "given": "M."},
        {"family": "van Steensel", "given": "R."},
        {"family": "Onderwijsraad"},
    ]
    assert source.doi == "10.1007/s10648-018-9445-7"
    assert SiteState.current().content_version > before


@pytest.mark.parametrize("role", ["voorzitter", "lid"])
def test_who_only_reads_adds_no_source(role):
    assert logged_in(role).post(ADD, NEW).status_code == 403


def test_an_editor_changes_no_source():
    source = make_source("okkinga-2018")

    assert logged_in("redacteur").post(change_url(source), NEW).status_code == 403


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"doi": "11.1234/abc"}, "doi"),
        ({"doi": "geen doi"}, "doi"),
        ({"authors": "Okkinga, M.\n, R."}, "authors"),
        ({"key": "met spaties"}, "key"),
        ({"title": ""}, "title"),
        ({"url": "javascript:alert(1)"}, "url"),
    ],
)
def test_a_wrong_field_is_refused(changes, field):
    response = logged_in("eindredacteur").post(ADD, NEW | changes)

    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [field]
    assert not Source.objects.exists()


def test_a_doi_that_is_there_already_names_its_source():
    make_source("okkinga-2018", doi="10.1007/s10648-018-9445-7")

    response = logged_in("eindredacteur").post(ADD, NEW | {"key": "anders"})

    message = _("This DOI belongs to %(key)s (%(source)s): use that source.")
    assert response.context["adminform"].form.errors["doi"] == [
        message % {"key": "okkinga-2018", "source": "Jansen, 2020"}
    ]


def test_two_sources_may_lack_a_doi():
    make_source()

    assert logged_in("eindredacteur").post(ADD, NEW | {"doi": ""}).status_code == 302
    assert list(Source.objects.values_list("doi", flat=True)) == [None, None]


def test_saving_unchanged_changes_nothing_and_the_key_stays():
    source = make_source("okkinga-2018", authors=[{"family": "Okkinga", "given": "M."}, {"family": "EEF"}])
    client = logged_in("eindredacteur")
    page = client.get(change_url(source))
    assert page.context["adminform"].form["authors"].value() == "Okkinga, M.\nEEF"

    client.post(change_url(source), form_data(page, key="anders", title="Nieuw"))

    source.refresh_from_db()
    assert (source.key, source.title, source.authors) == (
        "okkinga-2018", "Nieuw", [{"family": "Okkinga", "given": "M."}, {"family": "EEF"}],
    )  # fmt: skip
    assert page.context["adminform"].form.fields["authors"].has_changed(source.authors, "Okkinga, M.\nEEF") is False


def test_an_address_without_a_scheme_is_taken_as_https():
    logged_in("eindredacteur").post(ADD, NEW | {"url": "www.example.org/a"})

    assert Source.objects.get().url == "https://www.example.org/a"


def test_a_source_in_use_is_not_deleted():
    make_practice("feedback", sources=[source := make_source("okkinga-2018")])

    logged_in("eindredacteur").post(admin_url(Source, "delete", source.pk), {"post": "yes"})

    assert Source.objects.filter(pk=source.pk).exists()


def test_a_source_is_found_by_key_title_and_doi():
    make_source("okkinga-2018", title="Reading strategies", doi="10.1007/s10648-018-9445-7")
    make_source("hattie-2009", title="Visible learning")
    client = logged_in("lid")

    for query in ("okkinga", "STRATEGIES", "10.1007"):
        found = client.get("/admin/knowledgebase/source/", {"q": query}).context["cl"].result_list
        assert [source.key for source in found] == ["okkinga-2018"]


def test_the_list_costs_the_same_number_of_queries_at_one_and_at_three(django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = logged_in("lid")
    make_source()
    client.get("/admin/knowledgebase/source/")
    with CaptureQueriesContext(connection) as one:
        client.get("/admin/knowledgebase/source/")
    make_source()
    make_source()
    with django_assert_num_queries(len(one)):
        client.get("/admin/knowledgebase/source/")


def test_changes_of_sources_are_in_the_trail():
    client = logged_in("eindredacteur")
    client.post(ADD, NEW)
    source = Source.objects.get()
    client.post(change_url(source), form_data(client.get(change_url(source)), note="Nagelezen."))
    client.post(change_url(source), form_data(client.get(change_url(source))))  # nothing changed
    client.post(admin_url(Source, "delete", source.pk), {"post": "yes"})

    events = AuditEvent.objects.filter(item=None).values_list("action", "actor_id", "actor_role", "data")
    by = (client.user.pk, "eindredacteur")
    assert list(events) == [
        ("add_source", *by, {"object": ["okkinga-2018"]}),
        ("change_source", *by, {"object": ["okkinga-2018"], "fields": ["note"]}),
        ("delete_source", *by, {"object": ["okkinga-2018"]}),
    ]


def test_figures_are_written_by_line_and_come_back_so():
    lines = "effect 0,48: alle soorten\nStudies 435\n\nleerlingen 61 000: minstens\nmaanden −2"
    client = logged_in("eindredacteur")

    assert client.post(ADD, NEW | {"reported": lines}).status_code == 302

    source = Source.objects.get()
    assert source.reported == [
        {"kind": "effect", "value": "0.48", "what": "alle soorten"},
        {"kind": "studies", "value": "435", "what": ""},
        {"kind": "pupils", "value": "61000", "what": "minstens"},
        {"kind": "months", "value": "-2", "what": ""},
    ]
    form = client.get(change_url(source)).context["adminform"].form
    assert form["reported"].value() == "effect 0,48: alle soorten\nstudies 435\nleerlingen 61000: minstens\nmaanden -2"


@pytest.mark.parametrize("line", ["gewicht 3", "effect", "effect veel", "0,48", ": 3"])
def test_a_line_that_is_no_figure_is_refused_and_kept(line):
    page = logged_in("eindredacteur").post(ADD, NEW | {"reported": f"studies 4\n{line}"})

    assert page.status_code == 200
    assert "2" in page.context["adminform"].form.errors["reported"][0]
    assert page.context["adminform"].form["reported"].value() == f"studies 4\n{line}"
    assert not Source.objects.exists()


def test_the_list_and_the_form_say_what_the_last_check_of_the_link_found():
    dead = make_source("dood-2020", url="https://dood.example/")
    make_source("nooit-2020", url="https://nooit.example/")
    LinkCheck.objects.create(
        source=dead, url="https://dood.example/", state="dead", status=404,
        checked_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    )  # fmt: skip
    client = logged_in("redacteur")

    page = client.get("/admin/knowledgebase/source/", {"link_check__state__exact": "dead"})
    assert [source.key for source in page.context["cl"].result_list] == ["dood-2020"]
    assert f'<td class="field-link_state">{LinkCheck.State.DEAD.label}</td>' in page.content.decode()
    said = _("%(state)s, %(date)s (%(more)s)")
    assert said % {"state": LinkCheck.State.DEAD.label, "date": "22 november 2026", "more": "404"} in (
        client.get(change_url(dead)).content.decode()
    )
    Source.objects.filter(pk=dead.pk).update(url="https://elders.example/")
    assert _("Not checked yet.") in client.get(change_url(dead)).content.decode()
