import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext as _

from knowledgebase.models import AuditEvent, Concept, ConceptLabel
from knowledgebase.search.wordforms import WordForms, word_forms
from tests.admin import change_url, form_data, logged_in, messages_of
from tests.factories import make_concept, make_theme

pytestmark = pytest.mark.django_db
LIST, ADD = "/admin/knowledgebase/concept/", "/admin/knowledgebase/concept/add/"


def labels(*rows, **fields) -> dict[str, str]:
    data = {"scheme": "vak", "slug": "lezen", "order": "0", "origin": "leerpunt"} | fields
    data |= {"labels-TOTAL_FORMS": str(len(rows)), "labels-INITIAL_FORMS": "0", "labels-MIN_NUM_FORMS": "0"}
    for number, (label, relation, language) in enumerate(rows):
        data |= {
            f"labels-{number}-label": label,
            f"labels-{number}-relation": relation,
            f"labels-{number}-language": language,
            f"labels-{number}-weight": "60",
        }
    return data


@pytest.mark.parametrize("role", ["eindredacteur", "beheerder"])
def test_a_concept_is_added_with_its_labels(role):
    response = logged_in(role).post(ADD, labels(("Lezen", "pref", "nl"), ("leesles", "alt", "nl")))

    assert response.status_code == 302
    assert str(Concept.objects.get()) == "Lezen"
    assert list(ConceptLabel.objects.values_list("label", "relation")) == [("Lezen", "pref"), ("leesles", "alt")]


def test_a_word_form_is_kept_and_it_is_said_when_search_knows_it():
    rows = (("tekenen", "pref", "nl"), ("tekening", "hidden", "nl"), ("tekenkunst", "whole", "nl"))
    response = logged_in("eindredacteur").post(ADD, labels(*rows, scheme="woordvorm", slug="tekenen"), follow=True)

    assert word_forms() == WordForms(
        {"tekenen": "tekenen", "tekening": "tekenen"}, frozenset({"tekenen"}), frozenset({"tekenkunst"})
    )
    said = _("Search knows this word in all texts once the jobs of the site have indexed them anew.")
    assert said in messages_of(response)


@pytest.mark.parametrize("role", ["redacteur", "voorzitter", "lid"])
def test_others_only_read_them(role):
    client = logged_in(role)
    make_concept("vak", "wiskunde")

    assert client.post(ADD, labels(("Lezen", "pref", "nl"))).status_code == 403
    assert client.get(LIST).status_code == 200


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("Lezen", "pref", "nl"), ("Leesles", "pref", "nl")], "Give one preferred label per language."),
        ([("Reading", "pref", "en")], "Give a preferred label in Dutch (nl): it is the name of the concept."),
    ],
)
def test_a_concept_has_one_name_in_dutch(rows, message):
    response = logged_in("eindredacteur").post(ADD, labels(*rows))

    formset = response.context["inline_admin_formsets"][0].formset
    assert list(formset.non_form_errors()) == [_(message)]
    assert not Concept.objects.exists()


def test_a_concept_without_labels_or_with_the_same_one_twice_is_refused():
    client = logged_in("eindredacteur")

    for rows in ([], [("Lezen", "pref", "nl"), ("Lezen", "alt", "nl")]):
        assert client.post(ADD, labels(*rows)).status_code == 200
    assert not Concept.objects.exists()


def test_a_broader_concept_is_of_the_same_vocabulary():
    other = make_concept("niveau", "basis")

    response = logged_in("eindredacteur").post(ADD, labels(("Lezen", "pref", "nl"), broader=str(other.pk)))

    assert list(response.context["adminform"].form.errors) == ["broader"]


def test_vocabulary_and_address_stay():
    concept = make_concept("vak", "lezen")
    client = logged_in("eindredacteur")

    client.post(change_url(concept), form_data(client.get(change_url(concept)), slug="anders", definition="Tekst."))

    concept.refresh_from_db()
    assert (concept.slug, concept.definition) == ("lezen", "Tekst.")


def test_autocompletes_name_the_vocabulary_and_find_any_label():
    concept = make_concept("vak", "lezen", "Lezen")
    make_concept("uitkomst", "lezen", "Lezen")
    make_concept("vak", "wiskunde")
    ConceptLabel.objects.create(concept=concept, label="begrijpend lezen", relation="alt")
    query = {"app_label": "knowledgebase", "model_name": "conceptlink", "field_name": "concept"}
    client = logged_in("redacteur")

    both = client.get("/admin/autocomplete/", query | {"term": "lezen"}).json()["results"]
    one = client.get("/admin/autocomplete/", query | {"term": "begrijpend"}).json()["results"]

    assert {row["text"] for row in both} == {f"Lezen ({scheme})" for scheme in (_("Subject"), _("Outcome"))}
    assert one == [{"id": str(concept.pk), "text": f"Lezen ({_('Subject')})"}]


def test_an_autocomplete_of_one_vocabulary_offers_no_other():
    theme = make_concept("thema", "lezen", "Lezen")
    make_concept("vak", "lezen", "Lezen")

    results = logged_in("redacteur").get(
        "/admin/autocomplete/",
        {"app_label": "knowledgebase", "model_name": "themeversion", "field_name": "concept", "term": "lezen"},
    )

    assert [row["id"] for row in results.json()["results"]] == [str(theme.pk)]


def test_a_concept_in_use_is_not_deleted():
    version = make_theme("toetsen")

    logged_in("eindredacteur").post(f"{LIST}{version.concept_id}/delete/", {"post": "yes"})

    assert Concept.objects.filter(pk=version.concept_id).exists()


def test_the_list_names_the_broader_concept_and_costs_the_same_at_one_and_three(django_assert_num_queries):
    client = logged_in("lid")
    basis = make_concept("niveau", "basis", "Basisonderwijs")
    client.get(LIST)
    with CaptureQueriesContext(connection) as one:
        client.get(LIST)
    make_concept("niveau", "lager", "Lager onderwijs", broader=basis)
    make_concept("niveau", "kleuter", "Kleuteronderwijs", broader=basis)
    with django_assert_num_queries(len(one)):
        response = client.get(LIST)

    rows = {(concept.name, concept.broader_label) for concept in response.context["cl"].result_list}
    assert rows == {
        ("Basisonderwijs", None),
        ("Lager onderwijs", "Basisonderwijs"),
        ("Kleuteronderwijs", "Basisonderwijs"),
    }


def test_changes_of_concepts_and_their_labels_are_in_the_trail():
    concept, client = make_concept("vak", "lezen"), logged_in("eindredacteur")
    page = form_data(client.get(change_url(concept)))

    client.post(change_url(concept), page | {"labels-0-label": "Leesles"})

    event = AuditEvent.objects.get(item=None)
    assert (event.action, event.actor_id, event.data) == (
        "change_concept", client.user.pk,
        {"object": ["vak", "lezen"], "rows": {"conceptlabel": {"changed": {"Leesles": ["label"]}}}},
    )  # fmt: skip
