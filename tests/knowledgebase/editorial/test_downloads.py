import csv
import io
import json

import pytest
from django.urls import reverse

from knowledgebase import results
from knowledgebase.downloads import COLUMNS, FILES, column_meanings
from knowledgebase.editorial.transitions import withdraw
from knowledgebase.evidence.records import METHOD_VERSION, Result
from knowledgebase.models import Selection, SiteState
from tests.factories import (
    anybody,
    bring_to,
    make_concept,
    make_effect,
    make_practice,
    make_source,
    make_study,
    make_summary,
    rating,
    select,
)

pytestmark = pytest.mark.django_db

BASE = "/praktijken/schrijven/cijfers/"
MEDIA = {
    "rijen.csv": "text/csv; charset=utf-8; header=present",
    "datapackage.json": "application/json",
    "resultaat.json": "application/json",
    "reken-na.py": "text/x-python; charset=utf-8",
    "reken-na.R": "text/plain; charset=utf-8",
}
each_file = pytest.mark.parametrize("name", MEDIA)


def effects(count=6, **fields):
    return [
        make_effect(0.1 + 0.07 * n, 0.02 + 0.01 * n, study=make_study(key=f"s{n}", year=2000 + n), **fields)
        for n in range(count)
    ]


@pytest.fixture
def version():
    synthesis = make_source("bangert-2004", title="Writing to learn", doi="10.3102/00346543074001029")
    last = (make_effect(2.5, 0.01, study=make_study(key="s9", year=1990)), "andere maat")
    return make_practice(
        "schrijven", title="Schrijven om te leren", effects=[*effects(), last],
        selection={"synthesis": synthesis, "caveats": "We kennen de opzet niet."},
        ratings=[rating(basis="studies", unknown_reason="", strength_reason="")],
    )  # fmt: skip


def rows_of(response):
    return list(csv.DictReader(io.StringIO(response.content.decode())))


@each_file
def test_a_file_of_a_published_text(client, version, name):
    response = client.get(BASE + name)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == MEDIA[name]
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert 'rel="license"' in response.headers["Link"]
    assert response.headers["ETag"]
    assert "Set-Cookie" not in response.headers
    again = client.get(BASE + name, headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304
    SiteState.touch()
    assert client.get(BASE + name, headers={"If-None-Match": response.headers["ETag"]}).status_code == 200


def test_every_file_names_who_to_cite_and_the_licence(client, version):
    told = {name: client.get(BASE + name).content.decode() for name in MEDIA if name != "rijen.csv"}
    for name, text in told.items():
        assert "Leerpunt" in text, name
        assert "https://doi.org/10.3102/00346543074001029" in text, name
        assert "Creative Commons" in text or "creativecommons.org" in text, name


@each_file
def test_what_was_never_public_has_no_file(client, name):
    make_practice("schrijven", effects=effects(), state="in_review")
    assert client.get(BASE + name).status_code == 404


@each_file
def test_a_text_without_rows_has_no_file(client, name):
    make_practice("schrijven")
    assert client.get(BASE + name).status_code == 404


@each_file
def test_a_withdrawn_text_has_a_tombstone(client, version, name):
    withdraw(version, by=anybody(), reason="De studie is ingetrokken.")
    assert client.get(BASE + name).status_code == 410


@each_file
def test_wrong_verbs(client, version, name):
    assert client.post(BASE + name).status_code == 405
    assert client.head(BASE + name).status_code == 200


@pytest.mark.parametrize("name", ["rijen.xlsx", "rijenxcsv", "reken-na.r", "../rijen.csv"])
def test_there_are_no_other_files(client, version, name):
    assert client.get(BASE + name).status_code == 404


def test_an_old_address_leads_to_the_new_one(client, version):
    version.item.redirects.create(kind="practice", slug="oud")
    response = client.get("/praktijken/oud/cijfers/rijen.csv")
    assert (response.status_code, response.url) == (301, "/praktijken/schrijven/cijfers/rijen.csv")


def test_the_rows_are_all_there_with_all_digits_and_reasons(client, version):
    found = rows_of(client.get(f"{BASE}rijen.csv"))
    assert list(found[0]) == list(COLUMNS)
    assert [row["study"] for row in found] == ["s0", "s1", "s2", "s3", "s4", "s5", "s9"]
    assert [float(row["effect"]) for row in found] == [row.effect for row in results.rows_of(selection_of(version))]
    assert [row["used"] for row in found] == ["1"] * 6 + ["0"]
    assert (found[-1]["included"], found[-1]["reason"]) == ("0", "andere maat")


def selection_of(version):
    return Selection.objects.select_related("version").get(version=version)


def test_switches_say_which_rows_count(client, version):
    query = "?vanaf=2003&niveau=weet-niet-wat!"
    found = rows_of(client.get(f"{BASE}rijen.csv{query}"))
    assert [row["study"] for row in found if row["used"] == "1"] == ["s3", "s4", "s5"]
    result = client.get(f"{BASE}resultaat.json{query}").json()
    assert result["switches"] == {"vanaf": "2003"}
    assert result["result"]["k_studies"] == 3
    assert result["url"].endswith("/praktijken/schrijven/cijfers/?vanaf=2003")


def test_outliers_do_not_count_when_they_are_left_out(client):
    study = make_study(key="ver", year=2001)
    make_practice("schrijven", effects=[*effects(6), make_effect(4.0, 0.01, study=study)])
    found = rows_of(client.get(f"{BASE}rijen.csv?zonder-uitschieters=ja"))
    assert {row["study"]: row["used"] for row in found}["ver"] == "0"
    assert sum(row["used"] == "1" for row in found) == 6
    result = client.get(f"{BASE}resultaat.json?zonder-uitschieters=ja").json()["result"]
    assert [row["study"] for row in result["outliers"]] == ["ver"]
    assert result["outlier_rule"] == "studentised-deleted-residual-above-3"


def test_the_result_is_the_one_that_the_page_shows(client, version):
    told = client.get(f"{BASE}resultaat.json").json()
    assert Result.from_dict(told["result"]) == results.result_for(selection_of(version))
    row = version.ratings.get()
    assert told["method_version"] == METHOD_VERSION
    assert told["content_hash"] == version.content_hash
    assert told["caveats"] == "We kennen de opzet niet."
    assert told["rating"]["strength_rule"]["version"] == "sterkte-2026"
    assert (told["rating"]["months_table"], told["rating"]["strength"]) == ("maanden-2021", row.strength)
    assert [step["code"] for step in told["rating"]["strength_steps"]] == ["studies"]


def test_a_summary_has_the_files_without_a_rating(client):
    make_summary("kalender", effects=effects(), selection={"months": False})
    told = client.get("/samenvattingen/kalender/cijfers/resultaat.json").json()
    assert "rating" not in told
    assert told["result"]["k_studies"] == 6


def test_the_description_names_every_column(client, version):
    told = client.get(f"{BASE}datapackage.json").json()
    resource = told["resources"][0]
    assert [field["name"] for field in resource["schema"]["fields"]] == list(COLUMNS) == list(column_meanings())
    assert resource["path"].endswith("/praktijken/schrijven/cijfers/rijen.csv")
    assert told["licenses"][0]["name"] == "CC-BY-4.0"
    assert told["sources"] == [{"title": "Writing to learn", "path": "https://doi.org/10.3102/00346543074001029"}]


def test_characteristics_are_columns_and_formulas_are_words(client):
    study = make_study("=1+1", key="s-x")
    rows = [make_effect(-0.2, 0.02, study=study, moderators={"graad": 3, "soort": "-wat", "ja": None})]
    make_practice("schrijven", effects=[*rows, *effects(3)])
    response = client.get(f"{BASE}rijen.csv")
    row = next(row for row in rows_of(response) if row["study"] == "s-x")
    assert (row["label"], row["effect"]) == ("'=1+1", "-0.2")
    assert (row["moderator_graad"], row["moderator_soort"], row["moderator_ja"]) == ("3", "'-wat", "")
    names = [
        field["name"] for field in client.get(f"{BASE}datapackage.json").json()["resources"][0]["schema"]["fields"]
    ]
    assert names[-3:] == ["moderator_graad", "moderator_ja", "moderator_soort"]


def test_another_context_is_chosen_in_the_address(client):
    effects_ = effects()
    version = make_practice("schrijven", effects=effects_, state="draft")
    select(version, *effects_[:4], context_key="vorm:kort", label="kort")
    bring_to(version, "published")
    assert client.get(f"{BASE}resultaat.json").json()["result"]["k_studies"] == 6
    told = client.get(f"{BASE}resultaat.json?voor=vorm:kort").json()
    assert (told["context"], told["result"]["k_studies"]) == ("vorm:kort", 4)
    assert told["url"].endswith("cijfers/?voor=vorm%3Akort")
    assert client.get(f"{BASE}resultaat.json?voor=wat-dan-ook").json()["context"] == "overall"


@pytest.mark.parametrize("count", [1, 3])
def test_rows_are_read_in_a_fixed_number_of_queries(client, count, django_assert_num_queries):
    level = make_concept("niveau", "lager")
    rows = [make_effect(study=make_study(level=level)) for _ in range(count)]
    make_practice("schrijven", effects=rows)
    with django_assert_num_queries(7):
        client.get(f"{BASE}rijen.csv")


def test_the_page_links_to_the_files_with_what_was_switched(client, version):
    content = client.get(f"{BASE}?vanaf=2003").content.decode()
    for name in FILES:
        assert f'href="{reverse("practice-recount", args=["schrijven"])}{name}?vanaf=2003"' in content


def test_the_scripts_hold_their_settings_and_no_more_than_text(client):
    evil = '"""); import os #'
    make_practice("schrijven", title=f"Titel {evil}\nnog", effects=effects())
    script = client.get(f"{BASE}reken-na.py").content.decode()
    compile(script, "reken-na.py", "exec")
    assert "import os" not in [line.strip() for line in script.splitlines()]
    assert json.dumps("independent") in script
    assert "@SETTINGS@" not in script
    r = client.get(f"{BASE}reken-na.R").content.decode()
    assert '  model = "independent",' in r
    assert [line for line in r.splitlines() if "import os" in line and not line.startswith("#")] == []


def test_the_script_in_r_makes_every_part_of_the_result(client):
    make_practice("schrijven", effects=effects())
    r = client.get(f"{BASE}reken-na.R").content.decode()
    code = "\n".join(line.split("#")[0] for line in r.splitlines())
    for opened, closed in ("()", "{}", "[]"):
        assert code.count(opened) == code.count(closed)
    for part in ("rma(", "rma.mv(", "confint(", "trimfill(", "Wald_test(", "settings$groups", "settings$slopes",
                 "settings$predictor", "settings$sensitivity"):  # fmt: skip
        assert part in code
