from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from knowledgebase.editorial import reported
from knowledgebase.models import AuditEvent, EffectSize, Study
from tests.admin import Seen, admin_url, each_role, form_data, logged_in, messages_of
from tests.factories import make_effect, make_practice, make_source, make_study, make_user
from tests.knowledgebase.editorial.test_reported import GIVEN

pytestmark = pytest.mark.django_db
CSV = "study;year;effect;variance\nBos;2001;0,35;0,04\nDuin;2002;veel;0,04\n"


@pytest.fixture
def editor():
    return logged_in("redacteur")


def study_url(page="changelist", *args):
    return admin_url(Study, page, *args)


def add_url(study, kind="t"):
    return study_url("add_effect", study.pk, kind)


def effect_url(effect):
    return study_url("effect", effect.study_id, effect.pk)


# -- the list and the study


@each_role
def test_who_sees_studies(role):
    study = make_effect().study
    client = logged_in(role)
    for url in (study_url(), study_url("change", study.pk), effect_url(study.effects.get())):
        assert client.get(url).status_code == 200


@each_role
def test_who_enters_studies(role):
    study = make_study()
    client = logged_in(role)
    allowed = 200 if role in ("redacteur", "eindredacteur") else 403
    assert client.get(study_url("add")).status_code == allowed
    assert client.get(add_url(study)).status_code == allowed
    assert client.get(study_url("import")).status_code == allowed


def test_anonymous_people_log_in(client):
    study = make_study()
    for url in (study_url(), study_url("import"), add_url(study)):
        assert client.get(url).status_code == 302


def test_the_list_has_as_many_queries_for_many_studies(editor, django_assert_num_queries):
    make_effect(study=make_study("Bos"))
    editor.get(study_url())
    with django_assert_num_queries(12):
        editor.get(study_url())
    for number in range(3):
        make_effect(study=make_study(f"Duin {number}"))
    with django_assert_num_queries(12):
        page = Seen(editor.get(study_url()))
    assert "Duin 2" in page.text


def test_the_list_leaves_out_what_was_corrected(editor):
    old = make_study("Bos oud")
    make_study("Bos nieuw", supersedes=old)
    assert "Bos oud" not in Seen(editor.get(study_url())).text
    assert "Bos oud" in Seen(editor.get(study_url() + "?verbeterd=ja")).text


def test_a_study_is_added_with_an_event(editor):
    synthesis = make_source("bos-2010")
    data = form_data(editor.get(study_url("add")), label="Bos 2001", key="bos-2001", synthesis=synthesis.pk, year=2001)
    response = editor.post(study_url("add"), data)
    assert response.status_code == 302
    study = Study.objects.get(key="bos-2001")
    event = AuditEvent.objects.get(action="add_study")
    assert (event.actor_id, event.data) == (editor.user.pk, {"study": study.key})


def test_bad_input_is_said_and_kept(editor):
    data = form_data(editor.get(study_url("add")), label="Bos", key="bos", year=1500, country="België")
    page = Seen(editor.post(study_url("add"), data))
    assert "Dit veld is verplicht" in page.text  # the synthesis
    assert "Twee hoofdletters" in page.text
    assert 'value="Bos"' in page.html
    assert not Study.objects.exists()


def test_a_study_of_a_draft_changes_in_its_place(editor):
    study = make_effect().study
    data = form_data(editor.get(study_url("change", study.pk)), country="BE")
    editor.post(study_url("change", study.pk), data)
    study.refresh_from_db()
    assert study.country == "BE"
    assert AuditEvent.objects.get(action="change_study").data == {"study": study.key, "fields": ["country"]}


def test_a_study_of_a_submitted_text_gets_a_correction_with_its_effects(editor):
    effect = make_effect(0.4, outcome="lezen")
    make_practice(effects=[effect])
    data = form_data(editor.get(study_url("change", effect.study_id)), country="BE")
    response = editor.post(study_url("change", effect.study_id), data, follow=True)
    new = Study.objects.get(country="BE")
    assert response.redirect_chain == [(study_url("change", new.pk), 302)]
    assert f"Je verbetering is de nieuwe rij {new.key}." in messages_of(response)[0]
    effect.refresh_from_db()
    assert (effect.study.country, new.supersedes, new.key) == ("", effect.study, f"{effect.study.key}-v2")
    assert (effect.superseded_by.study, effect.superseded_by.effect, effect.superseded_by.outcome) == (
        new,
        0.4,
        "lezen",
    )
    page = Seen(editor.get(study_url("change", effect.study_id)))
    assert "Een verbetering kwam in de plaats van deze rij." in page.text
    assert editor.post(study_url("change", effect.study_id), data).status_code == 403


# -- effects


@pytest.mark.parametrize("kind", sorted(reported.KINDS))
def test_every_kind_of_statistics_has_a_form_that_shows_and_saves(editor, kind):
    study, given = make_study("Bos 2001"), GIVEN[kind][0]
    url = add_url(study, kind)
    assert editor.get(url).status_code == 200
    data = given | {"outcome": "lezen", "moderators": "feedback: ja\nduur in weken: 12,5", "measure": "g"}
    page = Seen(editor.post(url, data | {"look": "x"}))
    assert "Wat deze cijfers geven" in page.text
    assert not EffectSize.objects.exists()
    assert editor.post(url, data | {"save": "x"}).status_code == 302
    effect = study.effects.get()
    assert effect.effect == pytest.approx(GIVEN[kind][1], abs=2e-4)
    assert (effect.conversion, effect.reported) == (kind, {name: text for name, text in given.items() if text})
    assert effect.moderators == {"feedback": "ja", "duur in weken": 12.5}
    assert (effect.created_by, AuditEvent.objects.get(action="add_effect").data["row"]) == (
        editor.user, str(effect.uid),
    )  # fmt: skip


def test_effect_and_variance_as_the_source_gives_them(editor):
    study = make_study()
    url = add_url(study, "as-reported")
    data = {"effect": "−0,75", "variance": "0,126", "n": "34", "measure": "SMD"}
    assert editor.post(url, data | {"save": "x"}).status_code == 302
    effect = study.effects.get()
    assert (effect.effect, effect.variance, effect.n, effect.n1, effect.measure) == (-0.75, 0.126, 34, None, "SMD")


@pytest.mark.parametrize(
    ("kind", "change", "sentence"),
    [
        ("t", {"t": "veel"}, "t (t): “veel” is geen getal."),
        ("t", {"n1": "1"}, "Een groep telt twee mensen of meer."),
        ("t", {"n1": ""}, "Dit veld is verplicht."),
        ("F", {"sign": "7"}, "Selecteer een geldige keuze"),
        ("t", {"moderators": "feedback"}, "Regel 1: schrijf een naam, een dubbelpunt en een waarde"),
        ("t", {"moderators": "a: 1\na: 2"}, "Regel 2: “a” staat er twee keer."),
        ("as-reported", {"variance": "0"}, "Een variantie is groter dan nul."),
        ("as-reported", {"variance": "veel"}, "Geef een getal, zoals 0,35."),
        ("as-reported", {"effect": "NA"}, "Geef een getal, zoals 0,35."),
        ("as-reported", {"effect": "1e9"}, "Dit effect staat op geen enkele gestandaardiseerde schaal."),
        ("as-reported", {"n": "2,5"}, "Geef een geheel getal, of laat het leeg."),
        ("as-reported", {"n": "-4"}, "Geef een geheel getal, of laat het leeg."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_and_kept(editor, kind, change, sentence):
    study = make_study()
    given = {"effect": "0,3", "variance": "0,04", "measure": "g"} if kind == "as-reported" else GIVEN[kind][0]
    response = editor.post(add_url(study, kind), given | {"outcome": "zeldzaam woord"} | change | {"save": "x"})
    assert response.status_code == 200
    page = Seen(response)
    assert sentence in page.text
    assert "zeldzaam woord" in page.html
    assert not EffectSize.objects.exists()


def test_an_effect_shows_how_it_came_about_and_what_is_doubtful(editor):
    effect = make_effect(2.4, 0.4, study=make_study("Groot"))
    page = Seen(editor.post(effect_url(effect), {"effect": "2,5", "variance": "0,4", "measure": "g", "look": "x"}))
    assert "Groter dan twee standaardafwijkingen: Groot. Kijk de cijfers na." in page.text
    assert "1,26" in page.text  # the interval from
    effect.refresh_from_db()
    assert effect.effect == 2.4


def test_an_effect_of_a_submitted_text_is_superseded_and_a_turned_sign_is_said(editor):
    effect = make_effect(0.65, 0.07)
    make_practice(effects=[effect])
    data = {"effect": "-0,65", "variance": "0,07", "measure": "g", "save": "x"}
    response = editor.post(effect_url(effect), data, follow=True)
    assert messages_of(response) == [
        "Het teken veranderde: 0,65 werd −0,65. Staat het zo in de bron?",
        "Een ingediende tekst steunt op de oude rij, en die blijft. Je verbetering is een nieuwe rij.",
    ]
    effect.refresh_from_db()
    assert (effect.effect, effect.superseded_by.effect) == (0.65, -0.65)
    assert AuditEvent.objects.get(action="correct_effect").data["sign_changed"] is True
    again = editor.post(effect_url(effect), data, follow=True)
    assert messages_of(again) == ["Een verbetering kwam al in de plaats van deze rij: verbeter die."]


def test_an_effect_of_nothing_is_changed_and_removed(editor):
    effect = make_effect(0.65, 0.07)
    editor.post(effect_url(effect), {"effect": "0,66", "variance": "0,07", "measure": "g", "save": "x"})
    effect.refresh_from_db()
    assert effect.effect == 0.66
    url = study_url("remove_effect", effect.study_id, effect.pk)
    assert editor.get(url).status_code == 405
    assert editor.post(url).status_code == 302
    assert not EffectSize.objects.exists()
    assert editor.post(url).status_code == 404


def test_an_effect_that_a_text_chose_is_not_removed(editor):
    effect = make_effect()
    make_practice(state="draft", effects=[effect])
    response = editor.post(study_url("remove_effect", effect.study_id, effect.pk), follow=True)
    assert "Een tekst steunt op deze rij" in messages_of(response)[0]
    assert EffectSize.objects.exists()


def test_pages_that_are_not_there_and_wrong_verbs(editor):
    study, effect = make_study(), make_effect()
    assert editor.get(add_url(study, "magie")).status_code == 404
    assert editor.get(study_url("add_effect", 999, "t")).status_code == 404
    assert editor.get(study_url("effect", study.pk, effect.pk)).status_code == 404
    for url in (add_url(study), effect_url(effect), study_url("import")):
        assert editor.put(url).status_code == 405
        assert editor.delete(url).status_code == 405


@pytest.mark.parametrize("role", ["beheerder", "voorzitter"])
def test_readers_of_the_admin_change_no_effect(role):
    effect = make_effect(0.3)
    client = logged_in(role)
    assert (
        client.post(effect_url(effect), {"effect": "9", "variance": "1", "measure": "g", "save": "x"}).status_code
        == 403
    )
    assert client.post(study_url("remove_effect", effect.study_id, effect.pk)).status_code == 403
    assert client.post(study_url("import"), {}).status_code == 403


# -- a file


def uploaded(content):
    return SimpleUploadedFile("rijen.csv", content if isinstance(content, bytes) else content.encode())


def post_file(editor, synthesis, content, **data):
    return editor.post(
        study_url("import"), {"synthesis": synthesis.pk, "measure": "g", "file": uploaded(content)} | data
    )


def test_a_file_is_looked_at_first_and_then_entered(editor):
    synthesis = make_source("bos-2010")
    page = Seen(post_file(editor, synthesis, CSV, look="x"))
    assert "Wat er met elke rij zou gebeuren; er is nog niets bewaard" in page.text
    for words in ("Bos", "gaat erin", "Duin", "geweigerd", "effect: “veel” is geen getal."):
        assert words in page.text
    assert not Study.objects.exists()
    page = Seen(post_file(editor, synthesis, CSV, save="x"))
    assert "Wat er met elke rij gebeurde" in page.text
    assert "2 rijen (gaat erin: 1; geweigerd: 1)." in page.text
    assert Study.objects.get().label == "Bos"
    assert "is er al" in Seen(post_file(editor, synthesis, CSV, save="x")).text
    assert EffectSize.objects.count() == 1


def test_what_was_looked_at_is_entered_without_choosing_the_file_again(editor):
    synthesis = make_source("bos-2010")
    looked = post_file(editor, synthesis, CSV.encode("utf-16"), look="x")
    assert looked.context["kept"] == CSV
    assert '<input type="hidden" name="kept" value="study;year;effect;variance\nBos;' in Seen(looked).html
    given = {"synthesis": synthesis.pk, "measure": "g", "kept": CSV, "save": "x"}
    wrong = editor.post(study_url("import"), given | {"measure": "cm"})
    assert wrong.context["kept"] == CSV
    entered = editor.post(study_url("import"), given)
    assert "Wat er met elke rij gebeurde" in Seen(entered).text
    assert entered.context["kept"] == ""
    assert EffectSize.objects.get().effect == 0.35


def test_another_file_takes_the_place_of_what_was_looked_at(editor):
    synthesis = make_source("bos-2010")
    post_file(editor, synthesis, CSV.replace("Bos", "Hei"), kept=CSV, save="x")
    assert Study.objects.get().label == "Hei"


def test_a_table_is_pasted(editor):
    synthesis = make_source("bos-2010")
    editor.post(study_url("import"), {"synthesis": synthesis.pk, "measure": "g", "text": CSV, "save": "x"})
    assert EffectSize.objects.get().effect == 0.35


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "Kies een bestand of plak een tabel: een van de twee."),
        ({"text": CSV, "file": CSV}, "Kies een bestand of plak een tabel: een van de twee."),
        ({"text": "naam;effect\nBos;1\n"}, "Een kolom “study” ontbreekt"),
        ({"file": "x" * 2_000_001}, "Dit bestand is groter dan 2 MB. Splits het en voer de delen in."),
        ({"file": b"PK\x03\x04"}, "Dit is een werkmap."),
        ({"text": CSV, "measure": "cm"}, "Selecteer een geldige keuze"),
        ({"text": CSV, "synthesis": "999"}, "Selecteer een geldige keuze"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_and_what_was_pasted_is_kept(editor, data, sentence):
    make_source("bos-2010")
    given = {"synthesis": make_source("bos-2010").pk, "measure": "g", "save": "x"} | data
    if "file" in given:
        given["file"] = uploaded(given["file"])
    response = editor.post(study_url("import"), given)
    assert response.status_code == 200
    page = Seen(response)
    assert sentence in page.text
    if "text" in data:
        assert data["text"].splitlines()[0] in page.text
    assert not Study.objects.exists()


def test_an_import_without_a_token_of_the_form_is_refused():
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(role="redacteur"))
    assert client.post(study_url("import"), {"file": BytesIO(b"x")}).status_code == 403


def test_the_list_leads_to_the_import_and_a_study_to_every_kind(editor):
    study = make_study()
    assert reverse("admin:knowledgebase_study_import") in Seen(editor.get(study_url())).html
    html = Seen(editor.get(study_url("change", study.pk))).html
    for kind in [*reported.KINDS, "as-reported"]:
        assert add_url(study, kind) in html
