import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from django.core.management import call_command

from knowledgebase import results
from knowledgebase.editorial.transitions import publish
from knowledgebase.evidence.records import METHOD_VERSION, Interval, Row, Settings, Switches
from knowledgebase.models import ComputedResult, SiteState
from tests.factories import anybody, make_concept, make_effect, make_practice, make_study, select

pytestmark = pytest.mark.django_db

EFFECTS = ((0.5, 0.04), (0.1, 0.02), (0.3, 0.05), (0.2, 0.03), (0.6, 0.06))


@pytest.fixture(autouse=True)
def nothing_kept():
    results._results.kept.clear()
    results._kept.kept.clear()
    results._stored.kept.clear()


def effects_of(*years):
    studies = [make_study(year=year) for year in years or range(2000, 2005)]
    return [make_effect(g, v, study=study) for (g, v), study in zip(EFFECTS, studies, strict=True)]


def test_rows_say_all_that_switches_and_models_need():
    primary = make_concept("niveau", "basis")
    lower = make_concept("niveau", "lager", broader=primary)
    study = make_study(
        "Ashworth 1992", key="ashworth-1992", year=1992, country="US", level=lower, pupils=60, design="quasi",
        risk_of_bias="some",
    )  # fmt: skip
    effect = make_effect(0.65, 0.07, study=study, outcome="toets", n1=30, n2=28, moderators={"meta": 1})
    other = make_effect(0.1, 0.02, study=make_study(key="zz", year=None), n=40)
    version = make_practice("schrijven", effects=[effect, (other, "andere leeftijd")], state="draft")
    rows = results.rows_of(version.selections.get())
    assert rows == (
        Row(
            str(effect.uid), "ashworth-1992", "Ashworth 1992", 1992, "US", "lager", "", "quasi", "some", "toets", "g",
            0.65, 0.07, 30, 28, 60, {"meta": 1}, True, "", ("lager", "basis"), (),
        ),
        Row(
            str(other.uid), "zz", other.study.label, None, "", "", "", "unknown", "unknown", "", "g", 0.1, 0.02,
            None, None, 40, {}, False, "andere leeftijd", (), (),
        ),
    )  # fmt: skip


def test_settings_are_those_of_the_selection():
    version = make_practice("schrijven", effects=effects_of(), selection={"model": "che", "moderators": ["graad"]})
    assert results.settings_of(version.selections.get()) == Settings(
        model="che", method="REML", test="adhoc", rho=0.6, measure="g", months=True, moderators=("graad",)
    )


@pytest.mark.parametrize("count", [1, 3])
def test_rows_are_read_in_two_queries(count, django_assert_num_queries):
    studies = [make_study() for _ in range(count)]
    version = make_practice("schrijven", effects=[make_effect(study=study) for study in studies], state="draft")
    selection = version.selections.select_related("version").get()
    with django_assert_num_queries(2):
        assert len(results.rows_of(selection)) == count


def test_a_published_result_is_stored_and_shown_without_arithmetic(monkeypatch):
    version = make_practice("schrijven", effects=effects_of(), state="approved")
    assert not ComputedResult.objects.exists()
    publish(version, by=anybody())
    stored = ComputedResult.objects.get()
    selection = version.selections.select_related("version").get()
    expected = results.result_of(results.rows_of(selection), results.settings_of(selection))
    assert (stored.version_id, stored.selection, stored.method) == (version.pk, selection.uid, METHOD_VERSION)
    assert str(stored) == f"{version.pk} {selection.uid}"
    monkeypatch.setitem(sys.modules, "knowledgebase.evidence.selection", None)
    results._results.kept.clear()
    shown = results.result_for(selection)
    assert shown == expected
    assert results.result_for(selection) is shown
    with pytest.raises(ImportError):
        results.result_for(selection, Switches(since=2002))


def test_a_result_of_another_method_is_not_read(monkeypatch):
    version = make_practice("schrijven", effects=effects_of())
    selection = version.selections.get()
    ComputedResult.objects.update(content=json.dumps({"broken": True}), method="0")
    assert results.stored_result(selection) is None
    assert results.result_for(selection).k_studies == 5


def test_switches_that_leave_the_same_rows_are_computed_once(monkeypatch):
    version = make_practice("schrijven", effects=effects_of())
    selection = version.selections.select_related("version").get()
    first = results.result_for(selection, Switches(since=2002))
    monkeypatch.setitem(sys.modules, "knowledgebase.evidence.selection", None)
    assert (first.k_studies, first.total_studies) == (3, 5)
    assert results.result_for(selection, Switches(since=2002)) is first
    with pytest.raises(ImportError):
        results.result_for(selection, Switches(since=2003))
    monkeypatch.undo()
    assert results.result_for(selection, Switches(since=1900)) is results.result_for(selection, Switches(since=1950))


def test_a_process_keeps_a_bounded_number_of_results():
    kept = results._Recent(2)
    assert [kept.keep(name, name) for name in "abc"] == ["a", "b", "c"]
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (None, "b", "c")


def test_rows_of_a_frozen_version_are_read_once_until_reference_data_change(django_assert_num_queries):
    version = make_practice("schrijven", effects=effects_of())
    selection = version.selections.select_related("version").get()
    first = results.rows_of(selection)
    with django_assert_num_queries(1):  # the content version of the site
        assert results.rows_of(selection) is first
    SiteState.touch()
    assert results.rows_of(selection) is not first


def test_a_draft_is_computed_from_what_it_holds_now():
    version = make_practice("schrijven", effects=effects_of()[:2], state="draft")
    selection = version.selections.select_related("version").get()
    assert results.result_for(selection).refusal == "too-few-studies"
    version.selected_effects.create(selection=selection.uid, effect=make_effect(0.3, 0.02))
    found = results.result_for(selection)
    assert (found.refusal, found.k_studies, type(found.ci)) == ("", 3, Interval)


def test_a_selection_of_another_context_stands_apart():
    version = make_practice("schrijven", effects=effects_of(), state="draft")
    select(version, *effects_of(), context_key="vorm:kort", label="kort")
    assert [results.result_for(selection).k_studies for selection in version.selections.all()] == [5, 5]


# -- processes that show no plot


ROOT = Path(__file__).parents[2]
START = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "leerpunt.settings"
import django
django.setup()
"""


def in_a_process(code, **environment):
    """What a fresh process prints that sets Django up and runs this."""
    done = subprocess.run(
        [sys.executable, "-c", START + textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "LEERPUNT_MODE": "development"} | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_site_starts_without_numpy():
    assert in_a_process("""
        from django.urls import get_resolver
        from django.contrib import admin
        import leerpunt.wsgi
        assert get_resolver().url_patterns and admin.site.urls
        print([name for name in ("numpy", "scipy", "knowledgebase.evidence.selection") if name in sys.modules])
    """) == ["[]"]


@pytest.mark.slow
def test_pages_with_a_stored_result_are_shown_without_numpy(tmp_path):
    database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'pages.sqlite3'}"}
    in_a_process("""
        from django.core.management import call_command
        call_command("migrate", verbosity=0)
        from tests.factories import make_effect, make_practice, rating
        rows = [make_effect(0.1 * n, 0.02 + 0.01 * n) for n in range(12)]
        make_practice("schrijven", effects=rows, ratings=[rating(basis="studies", strength_reason="", unknown_reason="")])
    """, **database)  # fmt: skip
    assert in_a_process("""
        from django.test import Client
        from django.test.utils import setup_test_environment
        setup_test_environment()
        client = Client()
        for page in ("/", "/praktijken/", "/praktijken/schrijven/", "/praktijken/schrijven/cijfers/",
                     "/praktijken/schrijven/cijfers/resultaat.json", "/praktijken/schrijven/cijfers/rijen.csv"):
            assert client.get(page).status_code == 200, page
            assert "numpy" not in sys.modules, page
        assert client.get("/praktijken/schrijven/cijfers/?zonder-uitschieters=ja").status_code == 200
        print("numpy" in sys.modules)
    """, **database) == ["True"]  # fmt: skip


def test_stored_results_are_made_anew_by_command():
    version = make_practice("schrijven", effects=effects_of())
    before = ComputedResult.objects.get().content
    ComputedResult.objects.update(method="0", content="{}")
    call_command("render_texts")
    stored = ComputedResult.objects.get()
    assert (stored.version_id, stored.method, stored.content) == (version.pk, METHOD_VERSION, before)


def test_a_process_forgets_when_asked():
    version = make_practice("schrijven", effects=effects_of())
    results.result_for(version.selections.get(), Switches(since=2002))
    assert results._results.kept
    results.forget()
    assert not results._results.kept
