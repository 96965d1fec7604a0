import pytest

from practices.models import EvidenceRating, ExternalVerdict
from tests.admin import change_url, form_data, logged_in
from tests.factories import make_concept, make_effect, make_practice, make_source, rating, verdict

pytestmark = pytest.mark.django_db
LIST = "/admin/practices/practice/"


def inline(response, model):
    return next(i for i in response.context["inline_admin_formsets"] if i.formset.model is model)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("single-source", ["Quiz"]),
        ("corroborated", ["Feedback"]),
        ("onzin", ["Feedback", "Huiswerk", "Quiz"]),
    ],
)
def test_the_list_filters_by_how_well_verdicts_are_confirmed(query, found):
    make_practice("feedback", title="Feedback", verdicts=[verdict(6)])
    make_practice("huiswerk", title="Huiswerk")
    make_practice("quiz", title="Quiz", verdicts=[verdict(2, confidence="single-source")])

    response = logged_in("redacteur").get(f"{LIST}?zekerheid={query}")

    assert [item.title for item in response.context["cl"].result_list] == found


def test_the_list_shows_the_main_theme():
    themes = [make_concept("thema", "toetsen", "Toetsen"), make_concept("thema", "lezen", "Lezen")]
    make_practice("feedback", concepts=[make_concept("niveau", "lager"), make_concept("publiek", "leraar"), *themes])
    make_practice("huiswerk")

    result = logged_in("redacteur").get(LIST).context["cl"].result_list

    assert [item.main_theme for item in result] == ["Toetsen", None]


@pytest.mark.parametrize(
    ("fields", "months"),
    [
        ({"effect": "0.48", "ci_low": "0.35", "ci_high": "0.61"}, "+6"),
        ({"effect": "-0.15"}, "\N{MINUS SIGN}2"),
        ({"effect": "1.40"}, "+12"),
    ],
)
def test_months_are_shown_as_derived_and_cannot_be_written(fields, months):
    version = make_practice("feedback", state="draft", ratings=[rating(**fields)])

    response = logged_in("redacteur").get(change_url(version))

    formset = inline(response, EvidenceRating)
    shown = [
        field.contents() for form in formset for fieldset in form for line in fieldset for field in line
        if field.is_readonly and field.field["name"] == "months_shown"
    ]  # fmt: skip
    assert months in shown[0]
    assert "months" not in formset.formset.forms[0].fields


def test_an_unknown_gain_has_no_months():
    version = make_practice("feedback", state="draft", ratings=[rating()])

    assert logged_in("redacteur").get(change_url(version)).status_code == 200


def added(version, **fields) -> dict[str, str]:
    source = make_source("okkinga-2018")
    row = {
        "version": version.pk, "context_key": "niveau:lager", "label": "", "basis": "synthesis", "source": source.pk,
        "metric": "d", "effect": "0.31", "conversion": "maanden-2021", "order": "",
    } | fields  # fmt: skip
    return {"ratings-TOTAL_FORMS": "2"} | {f"ratings-1-{name}": str(value) for name, value in row.items()}


def test_a_rating_is_added_for_a_context():
    version = make_practice("feedback", state="draft")
    client = logged_in("redacteur")

    response = client.post(change_url(version), form_data(client.get(change_url(version))) | added(version))

    assert response.status_code == 302
    new = EvidenceRating.objects.get(context_key="niveau:lager")
    assert (str(new.effect), new.concept.slug, new.order, new.ci_low) == ("0.310", "lager", 1, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"effect": ""},
        {"source": ""},
        {"metric": ""},
        {"basis": "unknown", "effect": "", "source": ""},
        {"ci_low": "0.20"},
        {"ci_low": "0.40", "ci_high": "0.60"},
        {"strength": "6"},
        {"cost": "0"},
        {"context_key": "overall"},
        {"context_key": "niveau:onbestaand"},
        {"context_key": "vorm:mondeling"},
        {"context_key": "zomaar"},
        {"effect": "veel"},
    ],
)
def test_a_wrong_rating_is_an_error_of_the_form(fields):
    version = make_practice("feedback", state="draft")
    client = logged_in("redacteur")

    response = client.post(change_url(version), form_data(client.get(change_url(version))) | added(version, **fields))

    assert response.status_code == 200
    assert list(response.context["errors"]) != []
    assert EvidenceRating.objects.count() == 1


def test_a_verdict_of_others_is_added():
    version = make_practice("feedback", state="draft")
    client = logged_in("redacteur")
    data = form_data(client.get(change_url(version))) | {
        "verdicts-TOTAL_FORMS": "1",
        "verdicts-0-version": str(version.pk),
        "verdicts-0-issuer": "EEF",
        "verdicts-0-edition": "2021",
        "verdicts-0-context_key": "overall",
        "verdicts-0-months": "6",
        "verdicts-0-url": "educationendowmentfoundation.org.uk/toolkit",
        "verdicts-0-seen_on": "2026-10-05",
        "verdicts-0-confidence": "single-source",
        "verdicts-0-previous": "[]",
    }

    response = client.post(change_url(version), data)

    assert response.status_code == 302
    saved = ExternalVerdict.objects.get()
    assert (saved.months, saved.url) == (6, "https://educationendowmentfoundation.org.uk/toolkit")


def test_what_follows_from_study_rows_is_not_typed():
    rows = [make_effect(0.3 + 0.01 * n, 0.02) for n in range(4)]
    ratings = [rating(basis="studies", unknown_reason="", strength_reason="")]
    version = make_practice("schrijven", state="draft", effects=rows, ratings=ratings)
    client = logged_in("redacteur")
    response = client.get(change_url(version))
    data = form_data(response) | {"ratings-0-effect": "0,9", "ratings-0-strength": "5", "ratings-0-studies": "500"}
    assert client.post(change_url(version), data).status_code == 302
    row = version.ratings.get()
    assert (row.studies, row.strength, row.metric, str(row.effect)) == (4, 0, "g", "0.315")
    form = inline(client.get(change_url(version)), EvidenceRating).formset.forms[0]
    assert {name for name, field in form.fields.items() if field.disabled} == {
        "source", "metric", "effect", "ci_low", "ci_high", "studies", "pupils", "pupils_at_least", "strength",
    }  # fmt: skip


def test_a_rating_of_one_synthesis_is_typed():
    version = make_practice("schrijven", state="draft", ratings=[rating("0.300")])
    form = inline(logged_in("redacteur").get(change_url(version)), EvidenceRating).formset.forms[0]
    assert [name for name, field in form.fields.items() if field.disabled] == []
