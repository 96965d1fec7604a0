"""Rows from files as people make them: what goes in, what is refused, and that nothing is dropped in silence."""

import pytest

from knowledgebase.editorial.refusals import NotAllowed
from knowledgebase.editorial.study_lines import Status
from knowledgebase.models import AuditEvent, EffectSize, Study
from tests.factories import make_effect, make_practice, make_source, make_study, make_user
from tests.study_files import entered, remarks, statuses

pytestmark = pytest.mark.django_db
PLAIN = "study,year,outcome,effect,variance,n1,n2\nBos,2001,lezen,0.35,0.04,50,52\nDuin,2003,lezen,-0.1,0.05,40,41\n"


@pytest.fixture
def editor():
    return make_user(role="redacteur")


@pytest.fixture
def synthesis():
    return make_source("bos-2010")


def test_good_rows_go_in_and_the_report_says_how(editor, synthesis):
    report = entered(PLAIN, editor, synthesis)
    assert [(line.number, line.name, line.status, line.effect, line.remarks) for line in report.lines] == [
        (2, "Bos, lezen", Status.READ, 0.35, []),
        (3, "Duin, lezen", Status.READ, -0.1, []),
    ]
    assert (report.entered, report.saved, report.delimiter, report.characteristics) == (2, True, ",", [])
    effect = EffectSize.objects.get(study__label="Bos")
    assert (effect.study.key, effect.study.year, effect.n1, effect.n2) == ("bos-2010-bos-2001", 2001, 50, 52)
    assert (effect.conversion, effect.reported, effect.created_by) == ("as-reported", {}, editor)
    event = AuditEvent.objects.get(action="import_studies")
    assert (event.actor_id, event.data) == (
        editor.pk,
        {"synthesis": "bos-2010", "read": 2, "same": 0, "corrected": 0, "differs": 0, "refused": 0},
    )


def test_bad_rows_are_refused_with_a_reason_and_the_others_go_in(editor, synthesis):
    text = (
        "study;year;country;effect;variance;n1;n2\n"
        "Goed;2001;BE;0,35;0,04;50;52\n"
        ";2001;;0,3;0,04;;\n"
        "Woord;2001;;veel;0,04;;\n"
        "Half;2001;;0,3;0,04;50,5;52\n"
        "Nul;2001;;0,3;0;;\n"
        "Min;2001;;0,3;-0,04;;\n"
        "Zonder variantie;2001;;0,3;NA;;\n"
        "Zonder effect;2001;;NA;0,04;;\n"
        "Land;2001;Utopia;0,3;0,04;;\n"
        "Lang;2001;;0,3;0,04;50;52;extra\n"
        "Reus;2001;;1234567890;0,04;;\n"
        "Min leerlingen;2001;;0,3;0,04;-5;52\n"
        "Kort;2001;;0,3;0,04\n"
    )
    report = entered(text, editor, synthesis)
    assert [(line.name, str(line.status), " ".join(line.remarks)) for line in report.lines] == [
        ("Goed", "read", ""),
        ("", "refused", "De naam van de studie ontbreekt."),
        ("Woord", "refused", "effect: “veel” is geen getal."),
        ("Half", "refused", "n1: “50,5” is geen geheel getal."),
        ("Nul", "refused", "Een variantie is groter dan nul; hier is ze 0."),
        ("Min", "refused", "Een variantie is groter dan nul; hier is ze −0,04."),
        ("Zonder variantie", "refused", "De variantie ontbreekt (of de standaardfout, of het interval)."),
        ("Zonder effect", "refused", "Er is geen effect, en er zijn geen statistieken om het uit te berekenen."),
        ("Land", "refused", "country: Twee hoofdletters, zoals BE; leeg als je het niet weet."),
        ("Lang", "refused", "De rij heeft 8 cellen en de kop 7: staat er een komma in een getal of een tekst?"),
        ("Reus", "refused", "Dit effect staat op geen enkele gestandaardiseerde schaal."),
        ("Min leerlingen", "refused", "n1: “-5” is geen geheel getal."),
        ("Kort", "read", ""),
    ]  # fmt: skip
    assert EffectSize.objects.count() == 2
    assert len(report.lines) == 13


def test_rows_of_one_study_are_effects_of_that_study(editor, synthesis):
    text = "study,year,pupils,outcome,effect,variance\nBos,2001,80,lezen,0.3,0.04\nBos,2001,82,spelling,0.1,0.04\n"
    report = entered(text, editor, synthesis)
    study = Study.objects.get()
    assert [effect.outcome for effect in study.effects.all()] == ["lezen", "spelling"]
    assert remarks(report) == ["Van deze studie bewaren we aantal leerlingen “80”; deze rij zegt “82”."]


def test_the_same_rows_again_change_nothing(editor, synthesis):
    entered(PLAIN, editor, synthesis)
    before = list(EffectSize.objects.values())
    report = entered(PLAIN.replace(",", ";").replace("0.35", "0,350"), editor, synthesis)
    assert statuses(report) == ["same", "same"]
    assert remarks(report) == ["Deze rij is er al."] * 2
    assert list(EffectSize.objects.values()) == before
    assert AuditEvent.objects.filter(action="import_studies").count() == 1


def test_a_row_twice_in_a_file_goes_in_once(editor, synthesis):
    report = entered("study,effect,variance\nBos,0.3,0.04\nBos,0.3,0.04\nBos,0.2,0.04\n", editor, synthesis)
    assert statuses(report) == ["read", "same", "read"]
    assert remarks(report) == [
        "Hetzelfde als rij 2 van dit bestand. Een ander effect? Geef het een uitkomst of een vergelijking."
    ]
    assert statuses(entered("study,effect,variance\nBos,0.2,0.04\nBos,0.3,0.04\n", editor, synthesis)) == ["same"] * 2


def test_a_row_that_is_there_with_other_values_is_refused_and_a_turned_sign_is_named(editor, synthesis):
    entered(PLAIN, editor, synthesis)
    report = entered(PLAIN.replace("0.35", "-0.35").replace("0.05", "0.06"), editor, synthesis)
    assert statuses(report) == ["differs", "differs"]
    assert remarks(report) == [
        "Deze rij is er met een ander teken (0,35 daar, −0,35 in het bestand). Welk klopt?",
        "Deze rij is er met andere waarden: −0,1 (0,05) daar, −0,1 (0,06) in het bestand, tussen haakjes de variantie.",
    ]
    assert set(EffectSize.objects.values_list("effect", flat=True)) == {0.35, -0.1}


def test_corrections_take_the_place_of_rows_that_a_text_rests_on(editor, synthesis):
    entered(PLAIN, editor, synthesis)
    used = EffectSize.objects.get(study__label="Bos")
    make_practice(effects=[used])
    report = entered(PLAIN.replace("0.35", "0.45").replace("0.05", "0.06"), editor, synthesis, corrections=True)
    assert statuses(report) == ["corrected", "corrected"]
    used.refresh_from_db()
    assert (used.effect, used.superseded_by.effect, used.superseded_by.created_by) == (0.35, 0.45, editor)
    assert EffectSize.objects.get(study__label="Duin").variance == 0.06  # nothing rests on it: changed in its place
    assert statuses(entered(PLAIN.replace("0.35", "0.45").replace("0.05", "0.06"), editor, synthesis)) == ["same"] * 2


def test_rows_of_another_synthesis_are_others(editor, synthesis):
    make_effect(0.35, 0.04, study=make_study("Bos", year=2001), outcome="lezen", n1=50, n2=52)
    assert statuses(entered(PLAIN, editor, synthesis)) == ["read", "read"]


def test_a_look_first_saves_nothing(editor, synthesis):
    report = entered(PLAIN, editor, synthesis, save=False)
    assert (statuses(report), report.saved) == (["read", "read"], False)
    assert not Study.objects.exists()
    assert not AuditEvent.objects.filter(action="import_studies").exists()


def test_only_editors_enter_rows(synthesis):
    for role in ("beheerder", "voorzitter", "lid"):
        with pytest.raises(NotAllowed):
            entered(PLAIN, make_user(role=role), synthesis)
    assert not Study.objects.exists()


def test_many_rows_go_in_with_as_many_queries(editor, synthesis, django_assert_max_num_queries):
    rows = "".join(f"Studie {number},2001,lezen,0.{number},0.04,50,52\n" for number in range(100, 300))
    with django_assert_max_num_queries(45):
        report = entered(PLAIN.splitlines()[0] + "\n" + rows, editor, synthesis)
    assert report.entered == 200


def test_keys_of_studies_stay_unique(editor, synthesis):
    make_study("Bos", key="bos-2010-bos-2001")
    entered(PLAIN, editor, synthesis)
    assert Study.objects.filter(synthesis=synthesis, label="Bos").get().key == "bos-2010-bos-2001-2"
