"""Choosing the study rows of a version, with fifty rows or with hundreds."""

from uuid import uuid4

import pytest

from knowledgebase.models import EffectSize, SelectedEffect, Selection
from practices.models import PracticeVersion
from tests.admin import Seen, change_url, each_role, form_data, logged_in, messages_of
from tests.factories import (
    make_effect,
    make_page,
    make_practice,
    make_source,
    make_study,
    make_summary,
    make_theme,
    select,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor():
    return logged_in("redacteur")


def rows_url(version, selection=None):
    selection = selection or version.selections.get()
    model = type(version)._meta
    return f"/admin/{model.app_label}/{model.model_name}/{version.pk}/studies/{selection.uid}/"


def draft(*effects, **fields):
    return make_practice(state="draft", effects=effects, **fields)


def named(*labels, **fields):
    return [make_effect(0.3, 0.04, study=make_study(label), **fields) for label in labels]


def lock(version):
    return type(version).objects.get(pk=version.pk).lock_version


def state(version):
    return [(str(row), row.included, row.reason) for row in version.selected_effects.all()]


def test_rows_are_counted_in_or_left_out_with_a_reason(editor):
    version = draft(*named("Bos", "Duin"))
    bos, duin = version.selected_effects.all()
    page = Seen(editor.get(rows_url(version)))
    assert "2 rijen tellen mee." in page.text
    data = {"lock_version": lock(version), "deed": "rows", "row": [bos.pk, duin.pk], f"in-{bos.pk}": "on",
            f"reason-{duin.pk}": "Geen  controlegroep. "}  # fmt: skip
    response = editor.post(rows_url(version), data, follow=True)
    assert messages_of(response) == ["1 rij is gewijzigd."]
    assert state(version) == [("Bos", True, ""), ("Duin", False, "Geen controlegroep.")]
    assert version.contributors.filter(user=editor.user).exists()
    assert lock(version) == 1


def test_a_row_that_is_left_out_needs_a_reason_and_what_was_typed_stays(editor):
    version = draft(*named("Bos", "Duin"))
    bos, duin = version.selected_effects.all()
    data = {"lock_version": lock(version), "deed": "rows", "row": [bos.pk, duin.pk], f"reason-{duin.pk}": "Te klein."}
    page = Seen(editor.post(rows_url(version), data))
    assert "Zeg waarom deze rij niet meetelt: lezers zien het." in page.text
    assert 'value="Te klein."' in page.html
    assert state(version) == [("Bos", True, ""), ("Duin", True, "")]


def test_rows_of_a_synthesis_come_in_once(editor):
    synthesis = make_source("bos-2010")
    for label in ("Bos", "Duin"):
        make_effect(study=make_study(label, synthesis=synthesis))
    make_effect(study=make_study("Andere maat", synthesis=synthesis), measure="z")
    version = make_summary(state="draft")
    select(version)
    data = {"lock_version": lock(version), "deed": "add", "synthesis": "bos-2010"}
    assert messages_of(editor.post(rows_url(version), data, follow=True)) == ["2 rijen van Jansen, 2020 kwamen erbij."]
    data["lock_version"] = lock(version)
    assert messages_of(editor.post(rows_url(version), data, follow=True)) == ["0 rijen van Jansen, 2020 kwamen erbij."]
    assert [row[0] for row in state(version)] == ["Bos", "Duin"]
    data |= {"lock_version": lock(version), "synthesis": "niets"}
    assert messages_of(editor.post(rows_url(version), data, follow=True)) == [
        "Kies een synthese die studierijen heeft."
    ]


def test_corrections_are_taken_over_with_one_button(editor):
    old, other = named("Bos", "Duin")
    version = draft(old, (other, "Te klein."))
    first = make_effect(0.4, study=old.study, supersedes=old)
    second = make_effect(0.5, study=old.study, supersedes=first)
    corrected = make_effect(0.1, study=other.study, supersedes=other)
    assert "Neem de verbeteringen over" in Seen(editor.get(rows_url(version))).text
    data = {"lock_version": lock(version), "deed": "corrections"}
    assert messages_of(editor.post(rows_url(version), data, follow=True)) == ["2 verbeteringen zijn overgenomen."]
    rows = version.selected_effects.values_list("effect", "included", "reason")
    assert list(rows) == [(second.pk, True, ""), (corrected.pk, False, "Te klein.")]


def test_all_rows_go_with_one_button(editor):
    version = draft(*named("Bos", "Duin"))
    data = {"lock_version": lock(version), "deed": "empty"}
    assert messages_of(editor.post(rows_url(version), data, follow=True)) == ["2 rijen zijn weggehaald."]
    assert not version.selected_effects.exists()
    assert EffectSize.objects.count() == 2


def test_rows_of_another_version_are_left_alone(editor):
    mine, other = draft(*named("Bos")), draft(*named("Duin"))
    [strange] = other.selected_effects.all()
    data = {
        "lock_version": lock(mine),
        "deed": "rows",
        "row": [strange.pk, "x", "9" * 30],
        f"reason-{strange.pk}": "Weg.",
    }
    assert editor.post(rows_url(mine), data).status_code == 302
    assert state(other) == [("Duin", True, "")]


def test_who_comes_too_late_is_told_and_nothing_is_saved(editor):
    version = draft(*named("Bos"))
    [row] = version.selected_effects.all()
    data = {"lock_version": lock(version) + 1, "deed": "rows", "row": [row.pk], f"reason-{row.pk}": "Te klein."}
    response = editor.post(rows_url(version), data)
    assert response.status_code == 409
    assert "wijzigde deze versie" in Seen(response).text
    assert state(version) == [("Bos", True, "")]


def test_a_frozen_version_shows_its_rows_and_changes_none(editor):
    version = make_practice(effects=named("Bos"))
    [row] = version.selected_effects.all()
    page = Seen(editor.get(rows_url(version)))
    assert "Bos" in page.text
    assert 'name="deed"' not in page.html
    data = {"lock_version": lock(version), "deed": "rows", "row": [row.pk], f"reason-{row.pk}": "Te klein."}
    response = editor.post(rows_url(version), data, follow=True)
    assert messages_of(response) == ["Deze versie ligt vast: haar selectie van studies kan niet meer veranderen."]
    assert state(version) == [("Bos", True, "")]


@each_role
def test_who_sees_and_who_chooses(role):
    version = draft(*named("Bos"))
    client = logged_in(role)
    assert client.get(rows_url(version)).status_code == 200
    expected = 302 if role in ("redacteur", "eindredacteur") else 403
    assert client.post(rows_url(version), {"lock_version": lock(version), "deed": "empty"}).status_code == expected
    assert version.selected_effects.exists() == (expected == 403)


def test_what_is_not_there_and_wrong_verbs(editor, client):
    version, other = draft(*named("Bos")), draft(*named("Duin"))
    url = rows_url(version)
    assert client.get(url).status_code == 302
    assert editor.put(url).status_code == 405
    assert editor.get(rows_url(version, other.selections.get())).status_code == 404
    assert editor.get(url.replace(str(version.selections.get().uid), str(uuid4()))).status_code == 404
    assert editor.get(url.replace(f"/{version.pk}/", "/99999/")).status_code == 404


def test_many_rows_come_in_pages_that_can_be_searched(editor, django_assert_num_queries):
    many = named(*[f"Studie {number:03}" for number in range(230)])
    version = draft(*many[:-1], (many[-1], "Geen controlegroep."))
    with django_assert_num_queries(20):
        page = Seen(editor.get(rows_url(version)))
    assert "Pagina 1 van 3." in page.text
    assert page.html.count('name="row"') == 100
    assert "Studie 229" in Seen(editor.get(rows_url(version) + "?blad=3")).text
    found = Seen(editor.get(rows_url(version) + "?toon=uit"))
    assert found.html.count('name="row"') == 1
    assert Seen(editor.get(rows_url(version) + "?q=controlegroep")).html.count('name="row"') == 1
    assert Seen(editor.get(rows_url(version) + "?q=Studie+1&toon=in&blad=zot")).html.count('name="row"') == 100


def test_doubts_stand_above_the_rows(editor):
    version = draft(*[make_effect(2.5 + n / 10, 0.4, study=make_study(f"Groot {n}")) for n in range(2)])
    assert "Groter dan twee standaardafwijkingen: Groot 0; Groot 1." in Seen(editor.get(rows_url(version))).text


# -- among the other rows of a version


def test_the_form_of_a_version_holds_the_settings_and_leads_to_the_rows(editor):
    version = draft(*named("Bos", "Duin"))
    page = Seen(editor.get(change_url(version)))
    assert "2 rijen tellen mee" in page.text
    assert rows_url(version) in page.html
    data = form_data(editor.get(change_url(version)), **{
        "selections-0-label": "Schrijven", "selections-0-model": "che", "selections-0-moderators": "feedback\nduur\n\n",
    })  # fmt: skip
    assert editor.post(change_url(version), data).status_code == 302
    selection = version.selections.get()
    assert (selection.label, selection.model, selection.moderators) == ("Schrijven", "che", ["feedback", "duur"])
    assert version.selected_effects.count() == 2


def test_what_is_wrong_in_a_selection_is_shown_where_it_stands(editor):
    version = draft(*named("Bos"))
    data = form_data(editor.get(change_url(version)))
    wrong = editor.post(change_url(version), data | {"selections-0-rho": "2", "selections-0-moderators": "feedback"})
    assert wrong.status_code == 200
    [inline] = [found for found in wrong.context["inline_admin_formsets"] if found.opts.model is Selection]
    _plain, method = next(iter(inline))
    assert "rho" in inline.formset.errors[0]
    assert method.is_collapsible is False
    assert "Kenmerken om te vergelijken:" in Seen(wrong).text
    second = {name.replace("-0-", "-1-"): value for name, value in data.items() if name.startswith("selections-0-")}
    twice = data | second | {"selections-TOTAL_FORMS": "2", "selections-1-id": "", "selections-1-uid": ""}
    page = Seen(editor.post(change_url(version), twice))
    assert "Corrigeer de dubbele gegevens voor Context." in page.text


def test_a_selection_is_added_and_taken_out_with_its_rows(editor):
    version = make_practice(state="draft")
    data = form_data(editor.get(change_url(version)), **{
        "selections-TOTAL_FORMS": "1", "selections-0-context_key": "overall", "selections-0-measure": "g",
        "selections-0-model": "independent", "selections-0-test": "adhoc", "selections-0-method": "REML",
        "selections-0-rho": "0.6", "selections-0-months": "on", "selections-0-version_ptr": "",
    })  # fmt: skip
    response = editor.post(change_url(version), data)
    assert response.status_code == 302, [i.formset.errors for i in response.context["inline_admin_formsets"]]
    selection = version.selections.get()
    SelectedEffect.objects.create(version_id=version.pk, selection=selection.uid, effect=make_effect())
    data = form_data(editor.get(change_url(version)), **{"selections-0-DELETE": "on"})
    assert editor.post(change_url(version), data).status_code == 302
    assert not version.selections.exists()
    assert not version.selected_effects.exists()


def test_only_practices_and_summaries_rest_on_rows(editor):
    for version in (make_theme(state="draft"), make_page(state="draft")):
        assert "selections-group" not in Seen(editor.get(change_url(version))).html


def test_a_frozen_version_shows_the_settings_of_its_selection(editor):
    version = make_practice(effects=named("Bos"), selection={"label": "Schrijven"})
    page = Seen(editor.get(change_url(PracticeVersion.objects.get(pk=version.pk))))
    assert "Schrijven" in page.text
    assert rows_url(version) in page.html
    assert Selection.objects.count() == 1
