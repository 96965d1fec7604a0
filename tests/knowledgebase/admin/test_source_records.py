from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext as _

from knowledgebase import records, registries, web
from knowledgebase.admin.source_records import KEY_FORM
from knowledgebase.models import AuditEvent, Source
from tests.admin import logged_in, messages_of
from tests.factories import make_source

pytestmark = pytest.mark.django_db
URL = "/admin/knowledgebase/source/toevoegen/"
CROSSREF = (Path(__file__).parents[2] / "data" / "doi" / "crossref.json").read_bytes()
DOI = "10.1007/s10648-018-9445-7"


def ris(*titles, author="De Smedt, Bert", extra=""):
    return "".join(f"TY  - JOUR\nAU  - {author}\nPY  - 2020\nTI  - {title}\n{extra}ER  - \n" for title in titles)


def posted(page, **changes):
    """What the form of a preview would post, with changes."""
    formset = page.context["formset"]
    data = {"origin": page.context["origin"]}
    for form in [formset.management_form, *formset.forms]:
        for bound in form:
            value = bound.value()
            if value not in (None, False):
                data[bound.html_name] = "on" if value is True else bound.field.prepare_value(value)
    return {name: value for name, value in (data | changes).items() if value is not None}


def told(page):
    return [
        (row.words, row.place, row.source.key if row.source else "", bool(row.why)) for row in page.context["report"]
    ]


def stored():
    return list(Source.objects.order_by("key").values_list("key", "title"))


@pytest.mark.parametrize("role", ["redacteur", "eindredacteur", "beheerder"])
def test_records_are_looked_over_and_added(role):
    client = logged_in(role)
    assert client.get(URL).status_code == 200

    page = client.post(URL, {"text": ris("Rekenen", "Lezen")})
    assert not Source.objects.exists()
    assert [form["key"].value() for form in page.context["formset"]] == ["de-smedt-2020", "de-smedt-2020b"]
    assert "De Smedt, B. (2020). " in page.content.decode()

    done = client.post(URL, posted(page, **{"bron-1-title": "Lezen!"}))
    assert told(done) == [
        (_("Added"), "Rekenen", "de-smedt-2020", False),
        (_("Added"), "Lezen!", "de-smedt-2020b", False),
    ]
    assert stored() == [("de-smedt-2020", "Rekenen"), ("de-smedt-2020b", "Lezen!")]
    source = Source.objects.get(key="de-smedt-2020")
    assert (source.authors, source.year, source.kind, source.grade, source.retraction) == (
        [{"family": "De Smedt", "given": "Bert"}], 2020, "article", "B", "none",
    )  # fmt: skip
    events = AuditEvent.objects.values_list("action", "actor_id", "data")
    assert list(events) == [
        ("add_source", client.user.pk, {"object": [key], "from": "file"}) for key in ("de-smedt-2020", "de-smedt-2020b")
    ]


@pytest.mark.parametrize("role", ["voorzitter", "lid"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_only_reads_adds_nothing(role, method):
    client = logged_in(role)
    assert getattr(client, method)(URL, {"text": ris("Rekenen")}).status_code == 403
    assert not Source.objects.exists()


def test_a_stranger_logs_in_first():
    response = Client().get(URL)
    assert (response.status_code, response.headers["Location"]) == (302, f"/admin/login/?next={URL}")


@pytest.mark.parametrize("verb", ["put", "delete", "patch"])
def test_other_verbs_do_not_exist(verb):
    assert getattr(logged_in("redacteur"), verb)(URL).status_code == 405


@pytest.mark.parametrize(("role", "is_shown"), [("redacteur", True), ("lid", False)])
def test_the_list_of_sources_leads_there_for_who_may(role, is_shown):
    page = logged_in(role).get("/admin/knowledgebase/source/")
    assert (URL in page.content.decode()) is is_shown


# -- by DOI


@pytest.fixture
def registry(monkeypatch):
    """What comes back for an address; an exception is raised."""
    answers = {f"https://doi.org/{DOI}": web.Answer(200, {}, CROSSREF)}

    def ask(url, *, accept):
        answer = answers[url]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(web, "ask", ask)
    return answers


@pytest.mark.usefixtures("registry")
def test_a_doi_brings_what_the_registry_knows():
    client = logged_in("redacteur")
    page = client.post(URL, {"doi": " https://doi.org/10.1007/S10648-018-9445-7 "})
    client.post(URL, posted(page))
    source = Source.objects.get()
    assert (source.key, source.doi, source.year, source.pages, source.grade, source.kind) == (
        "okkinga-2018", DOI, 2018, "1215-1239", "A", "meta_analysis",
    )  # fmt: skip
    assert [person["family"] for person in source.authors] == ["Okkinga", "van Steensel", "van Gelderen"]
    assert AuditEvent.objects.get().data == {"object": ["okkinga-2018"], "from": "doi"}


def test_a_doi_that_we_have_is_not_asked_for(registry):
    registry.clear()
    make_source("okkinga-2018", doi=DOI)
    page = logged_in("redacteur").post(URL, {"doi": DOI})
    assert page.context["formset"] is None
    assert told(page) == [(_("Already there"), DOI, "okkinga-2018", False)]


@pytest.mark.parametrize(
    "answer", [web.NoAnswer("no network"), web.Answer(404), web.Answer(503), web.Answer(200, {}, b"<html>")]
)
def test_a_registry_that_fails_is_a_sentence_and_what_was_typed_stays(registry, answer):
    registry[f"https://doi.org/{DOI}"] = answer
    page = logged_in("redacteur").post(URL, {"doi": DOI})
    assert page.status_code == 200
    assert list(page.context["form"].errors) == ["doi"]
    assert page.context["form"]["doi"].value() == DOI
    with pytest.raises(registries.NoRecord) as error:
        registries.record_of(DOI)
    assert page.context["form"].errors["doi"] == [str(error.value)]


# -- files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_is_read_in_the_encodings_that_programs_write(encoding):
    file = SimpleUploadedFile("bronnen.ris", ris("Één", author="Müller, J.").encode(encoding))
    page = logged_in("redacteur").post(URL, {"file": file})
    form = page.context["formset"].forms[0]
    assert (form["title"].value(), form["key"].value()) == ("Één", "muller-2020")


def test_a_bibtex_file_may_hold_several_records():
    text = "@article{a, title={Een}, author={Jan De Smedt}, year=2020}\n@article{b, author={X}}\n@article{c, title={"
    page = logged_in("redacteur").post(URL, {"file": SimpleUploadedFile("b.bib", text.encode())})
    assert [form["authors"].value() for form in page.context["formset"]] == ["De Smedt, Jan"]
    assert [row[0] for row in told(page)] == [_("Refused"), _("Refused")]
    assert all(why for *_rest, why in told(page))


def test_a_file_that_cannot_be_read_leaves_its_text_in_the_form():
    file = SimpleUploadedFile("b.txt", b"geen bron")
    page = logged_in("redacteur").post(URL, {"file": file})
    assert list(page.context["form"].errors) == ["file"]
    assert page.context["form"]["text"].value() == "geen bron"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "__all__"),
        ({"doi": DOI, "text": ris("Een")}, "__all__"),
        ({"doi": "geen doi"}, "doi"),
        ({"doi": "1" * 400}, "doi"),
        ({"text": "Feedback helpt."}, "text"),
        ({"text": "x" * (records.MAX_CHARACTERS + 1)}, "text"),
        ({"text": ris(*map(str, range(51)))}, "text"),
        ({"text": "\x00"}, "text"),
    ],
)
def test_what_cannot_be_read_is_refused_and_kept(data, field):
    page = logged_in("redacteur").post(URL, data)
    assert page.status_code == 200
    assert list(page.context["form"].errors) == [field]
    for name, value in data.items():
        assert page.context["form"][name].value() == value


def test_a_file_that_is_too_large_or_no_text_is_refused():
    large = SimpleUploadedFile("b.ris", b"x" * 400_001)
    binary = SimpleUploadedFile("b.pdf", b"%PDF\x81\x8d\x00")
    for file in (large, binary):
        page = logged_in("redacteur").post(URL, {"file": file})
        assert (page.status_code, list(page.context["form"].errors)) == (200, ["file"])


# -- what is there already


def test_a_publication_that_we_have_is_shown_and_never_doubled():
    make_source("rekenen-2020", title="Rékenen", authors=[{"family": "De Smedt", "given": "B."}])
    client = logged_in("redacteur")
    page = client.post(URL, {"text": ris("Rekenen", "Lezen", "Lezen.")})
    assert told(page) == [
        (_("Already there"), f"{_('Record %(number)s') % {'number': 1}}: Rekenen", "rekenen-2020", False),
        (_("Already there"), f"{_('Record %(number)s') % {'number': 3}}: Lezen.", "", True),
    ]
    assert [form["title"].value() for form in page.context["formset"]] == ["Lezen"]
    assert "/admin/knowledgebase/source/" in page.content.decode()

    data = posted(page)
    client.post(URL, data)
    again = client.post(URL, data)
    assert told(again) == [(_("Already there"), "Lezen", "de-smedt-2020", False)]
    assert stored() == [("de-smedt-2020", "Lezen"), ("rekenen-2020", "Rékenen")]


def test_a_doi_that_somebody_added_meanwhile_is_there_already():
    client = logged_in("redacteur")
    page = client.post(URL, {"text": ris("Rekenen", extra="DO  - 10.1234/abc\n")})
    make_source("jansen-2020", doi="10.1234/abc")
    assert told(client.post(URL, posted(page))) == [(_("Already there"), "Rekenen", "jansen-2020", False)]


# -- mending


def test_what_is_refused_comes_back_with_what_was_typed_and_the_rest_is_added():
    client = logged_in("redacteur")
    page = client.post(URL, {"text": ris("Een", "Twee", "Drie", "Vier")})
    wrong = {"bron-0-take": None, "bron-1-key": "Met Spaties", "bron-2-year": "later", "bron-3-doi": "10.1234/vier"}
    done = client.post(URL, posted(page, **wrong))
    assert stored() == [("de-smedt-2020d", "Vier")]
    assert [row[:2] for row in told(done)] == [(_("Not chosen"), "Een"), (_("Added"), "Vier")]
    formset = done.context["formset"]
    assert [list(form.errors) for form in formset] == [["key"], ["year"]]
    assert (formset.forms[0]["key"].value(), formset.forms[1]["year"].value()) == ("Met Spaties", "later")
    assert formset.forms[0].errors["key"] == [str(KEY_FORM)]

    client.post(URL, posted(done, **{"bron-0-key": "twee-2020", "bron-1-year": "2020"}))
    assert stored() == [("de-smedt-2020c", "Drie"), ("de-smedt-2020d", "Vier"), ("twee-2020", "Twee")]


@pytest.mark.parametrize("key", ["Smedt-2020", "de_smedt", "é", ""])
def test_a_key_can_stand_in_a_citation(key):
    client = logged_in("redacteur")
    page = client.post(URL, posted(client.post(URL, {"text": ris("Een")}), **{"bron-0-key": key}))
    assert [list(form.errors) for form in page.context["formset"]] == [["key"]]
    assert not Source.objects.exists()


def test_nothing_chosen_adds_nothing_and_keeps_the_records():
    client = logged_in("redacteur")
    page = client.post(URL, posted(client.post(URL, {"text": ris("Een")}), **{"bron-0-take": None}))
    assert messages_of(page) == [_("You chose no record, so nothing was added.")]
    assert page.context["formset"].forms[0]["title"].value() == "Een"
    assert not Source.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        {"bron-TOTAL_FORMS": "x"}, {"bron-TOTAL_FORMS": "0", "bron-INITIAL_FORMS": "0"},
        {"bron-TOTAL_FORMS": "99999", "bron-INITIAL_FORMS": "0"}, {"bron-TOTAL_FORMS": "-1", "bron-INITIAL_FORMS": "0"},
        {"bron-TOTAL_FORMS": "2"},
    ],
)  # fmt: skip
def test_a_broken_form_begins_again(data):
    page = logged_in("redacteur").post(URL, data)
    assert (page.status_code, len(messages_of(page)), page.context["formset"]) == (200, 1, None)
    assert not Source.objects.exists()


def test_a_preview_costs_the_same_number_of_queries_for_one_and_for_three():
    client = logged_in("redacteur")
    counts = []
    for titles in (("Een",), ("Een", "Twee", "Drie")):
        with CaptureQueriesContext(connection) as queries:
            client.post(URL, {"text": ris(*titles)})
        counts.append(len(queries))
    assert counts[0] == counts[1]
