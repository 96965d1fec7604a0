"""Rows from files as people make them: what goes in, what is refused, and that nothing is dropped in silence."""

import pytest

from knowledgebase.editorial import study_import
from knowledgebase.editorial.refusals import NotAllowed
from knowledgebase.editorial.study_import import MOST_ROWS, Status, Table, Unreadable, enter, read
from knowledgebase.models import AuditEvent, EffectSize, Study
from tests.factories import make_concept, make_effect, make_practice, make_source, make_study, make_user

pytestmark = pytest.mark.django_db
PLAIN = "study,year,outcome,effect,variance,n1,n2\nBos,2001,lezen,0.35,0.04,50,52\nDuin,2003,lezen,-0.1,0.05,40,41\n"


@pytest.fixture
def editor():
    return make_user(role="redacteur")


@pytest.fixture
def synthesis():
    return make_source("bos-2010")


def entered(text, editor, synthesis, **choices):
    return enter(read(text), synthesis=synthesis, by=editor, **choices)


def statuses(report):
    return [str(line.status) for line in report.lines]


def remarks(report):
    return [remark for line in report.lines for remark in line.remarks]


# -- the file


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("study;effect;variance\nDelaère;0,35;0,04\n".encode(), "UTF-8"),
        ("study;effect;variance\nDelaère;0,35;0,04\n".encode("utf-8-sig"), "UTF-8"),
        ("study;effect;variance\nDelaère;0,35;0,04\n".encode("cp1252"), "Windows-1252"),
        ("study\teffect\tvariance\r\nDelaère\t0,35\t0,04\r\n".encode("utf-16"), "UTF-16"),
        ("sep=;\nstudy;effect;variance\nDelaère;0,35;0,04\n".encode("cp1252"), "Windows-1252"),
        ('"study","effect","variance"\r\n\r\n"Delaère","0,35","0,04"\r\n,,\r\n'.encode(), "UTF-8"),
        ("\n\nstudy | effect | variance\nDelae\u0300re | 0.35 | 4E-02".encode(), "UTF-8"),
    ],
    ids=["utf-8", "bom", "windows", "excel-unicode", "excel-sep", "quotes-and-empty-lines", "pipes"],
)  # fmt: skip
def test_files_as_programs_write_them(content, encoding, editor, synthesis):
    table = read(content)
    assert table.encoding == encoding
    assert statuses(enter(table, synthesis=synthesis, by=editor)) == ["read"]
    effect = EffectSize.objects.get()
    assert (effect.study.label, effect.effect, effect.variance) == ("Delaère", 0.35, 0.04)


def test_rows_know_their_line():
    table = read('study,effect,variance\n\n"Bos\nen Duin",0.1,0.2\n\nDuin,0.2,0.3\n')
    assert [number for number, _cells in table.rows] == [3, 6]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "Er staat niets in. De eerste rij heeft de namen van de kolommen."),
        (" \n ; \n", "Er staat niets in. De eerste rij heeft de namen van de kolommen."),
        (b"PK\x03\x04xlsx", "Dit is een werkmap. Kies in Excel Opslaan als, CSV UTF-8, en kies hier dat bestand."),
        (b"\xff\xfea", "Dit is geen tekst. Bewaar de tabel als CSV en kies dat bestand."),
        ("a\x00b", "Dit is geen tekst. Bewaar de tabel als CSV en kies dat bestand."),
        ("x" * 2_000_001, "Dit bestand is groter dan 2 MB. Splits het en voer de delen in."),
        ("study,effect\n" + "Bos,1\n" * (MOST_ROWS + 1),
         "Een tabel heeft hoogstens 5000 rijen. Splits ze en voer de delen in."),
        (",".join(f"kolom{number}" for number in range(81)), "Een tabel heeft hoogstens 80 kolommen."),
        ("study,effect\n" + "x" * 140_000, "Het bestand is geen CSV: field larger than field limit (131072)."),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read(content, message):
    with pytest.raises(Unreadable) as refusal:
        read(content)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("naam,effect", "Een kolom “study” ontbreekt: de naam waarmee de studie in tabellen staat."),
        ("study,jaar", "Kolommen met cijfers ontbreken: “effect” en “variance”, of statistieken zoals m1, sd1 en n1."),
        ("study,effect,yi", "Twee kolommen zeggen hetzelfde: “effect” en “yi”. Laat er een weg."),
        ("study,effect,duur,duur", "Twee kolommen heten “duur”."),
    ],
)
def test_headings_that_cannot_be_read(header, message, editor, synthesis):
    with pytest.raises(Unreadable) as refusal:
        entered(f"{header}\nBos,1,2,3\n", editor, synthesis)
    assert str(refusal.value) == message


# -- the rows


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
        "Land;2001;België;0,3;0,04;;\n"
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
        ("Land", "refused", "country: Twee hoofdletters, zoals BE; leeg als je het niet weet. "
                            "Zorg dat deze waarde niet meer dan 2 tekens bevat (het zijn er nu 6)."),
        ("Lang", "refused", "De rij heeft 8 cellen en de kop 7: staat er een komma in een getal of een tekst?"),
        ("Reus", "refused", "Dit effect staat op geen enkele gestandaardiseerde schaal."),
        ("Min leerlingen", "refused", "n1: “-5” is geen geheel getal."),
        ("Kort", "read", ""),
    ]  # fmt: skip
    assert EffectSize.objects.count() == 2
    assert len(report.lines) == 13


def test_statistics_are_converted_and_kept_as_they_stand(editor, synthesis):
    text = (
        "study;m1;sd1;n1;m2;sd2;n2;t;p;sign;kind\n"
        "Gemiddelden;103,0;5,5;50;100,0;4,5;50;;;;\n"
        "Toets;;;20;;;20;2,00;;;\n"
        "Kans;;;20;;;20;;0,0527;1;p\n"
        "Te klein;;;1;;;20;2;;;\n"
        "Vreemd;;;20;;;20;2;;;magie\n"
    )
    report = entered(text, editor, synthesis)
    assert statuses(report) == ["read", "read", "read", "refused", "refused"]
    assert [line.converted for line in report.lines[:3]] == [
        "gemiddelden en standaardafwijkingen van twee groepen",
        "t van twee aparte groepen, zonder covariaten",
        "exacte tweezijdige p van een t-toets",
    ]
    means, t = EffectSize.objects.order_by("pk")[:2]
    assert means.reported == {"m1": "103,0", "sd1": "5,5", "n1": "50", "m2": "100,0", "sd2": "4,5", "n2": "50"}
    assert (t.conversion, t.reported, t.n1, t.n2) == ("t", {"t": "2,00", "n1": "20", "n2": "20"}, 20, 20)
    assert t.effect == pytest.approx(0.619892, abs=1e-4)
    assert report.lines[3].remarks == ["Een groep telt twee mensen of meer."]
    assert report.lines[4].remarks[0].startswith("Er is geen omrekening “magie”. Kies uit means, d, t,")


@pytest.mark.parametrize(
    ("text", "measure", "conversion"),
    [
        ("study,ri,ni\nBos,0.3,60\n", "z", "z"),
        ("study,ri,ni\nBos,0.3,60\n", "g", "r"),
        ("study,a,b,c,d\nBos,20,10,12,18\n", "lnOR", "odds"),
        ("study,a,b,c,d\nBos,20,10,12,18\n", "g", "2x2"),
        ("study,effect,lower,upper\nBos,0.4,0.1,0.7\n", "g", "interval"),
        ("study,effect,se\nBos,0.4,0.15\n", "g", "as-reported"),
    ],
)
def test_the_columns_say_which_conversion(text, measure, conversion, editor, synthesis):
    assert statuses(entered(text, editor, synthesis, measure=measure)) == ["read"]
    effect = EffectSize.objects.get()
    assert (effect.conversion, effect.measure) == (conversion, measure)


def test_two_conversions_that_fit_ask_for_a_choice(editor, synthesis):
    text = "study,pre1,post1,sd1,n1,pre2,post2,sd2,n2,r\nBos,10,14,4,30,10,12,4,30,0.6\n"
    report = entered(text, editor, synthesis)
    assert remarks(report) == ["Meer dan één omrekening past: zeg welke in een kolom “kind” (ppc2, becker)."]
    report = entered(text.replace("r\n", "r,kind\n", 1).replace("0.6\n", "0.6,ppc2\n"), editor, synthesis)
    assert statuses(report) == ["read"]


def test_a_sign_against_the_statistics_is_said_at_once(editor, synthesis):
    report = entered("study,effect,variance,t,n1,n2\nBos,-0.62,0.105,2,20,20\n", editor, synthesis)
    assert statuses(report) == ["read"]
    assert remarks(report) == [
        "Het teken verschilt van de gerapporteerde cijfers: −0,62 in het bestand, 0,62 berekend."
    ]
    assert report.doubts == ["Bos: het teken verschilt van de gerapporteerde cijfers (−0,62 hier, 0,62 berekend)."]


def test_other_columns_are_kept_as_characteristics_and_unknown_words_are_said(editor, synthesis):
    lager, wiskunde = make_concept("niveau", "lager", "Lager onderwijs"), make_concept("vak", "wiskunde", "Wiskunde")
    text = (
        "study;niveau;vak;opzet;risk;yi;vi;feedback;duur (weken)\n"
        "Bos;Lager onderwijs;wiskunde;RCT;laag;0,3;0,04;ja;12,5\n"
        "Duin;hogeschool;Nursing;toeval;?;0,2;0,04;NA;10\n"
    )
    report = entered(text, editor, synthesis)
    assert report.characteristics == ["feedback", "duur (weken)"]
    assert report.columns == {
        "study": "study", "niveau": "level", "vak": "subject", "opzet": "design", "risk": "risk", "yi": "effect",
        "vi": "variance",
    }  # fmt: skip
    bos, duin = EffectSize.objects.order_by("pk")
    assert (bos.study.level, bos.study.subject, bos.study.design, bos.study.risk_of_bias) == (
        lager, wiskunde, "randomised", "low",
    )  # fmt: skip
    assert bos.moderators == {"feedback": "ja", "duur (weken)": 12.5}
    assert duin.moderators == {"niveau": "hogeschool", "duur (weken)": 10}
    assert (duin.study.level, duin.study.subject_text, duin.study.design) == (None, "Nursing", "unknown")
    assert report.lines[1].remarks == [
        "We kennen “toeval” niet in de kolom design: ingevoerd als onbekend.",
        "We kennen het niveau “hogeschool” niet: bewaard als kenmerk.",
        "We kennen het vak “Nursing” niet: bewaard in de woorden van het bestand.",
    ]


def test_rows_of_one_study_are_effects_of_that_study(editor, synthesis):
    text = "study,year,pupils,outcome,effect,variance\nBos,2001,80,lezen,0.3,0.04\nBos,2001,82,spelling,0.1,0.04\n"
    report = entered(text, editor, synthesis)
    study = Study.objects.get()
    assert [effect.outcome for effect in study.effects.all()] == ["lezen", "spelling"]
    assert remarks(report) == ["Van deze studie bewaren we aantal leerlingen “80”; deze rij zegt “82”."]


# -- again


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


def test_a_table_of_dictionaries():
    table = Table.of([{"study": "Bos", "effect": "0.3"}])
    assert (table.header, table.rows) == (("study", "effect"), ((2, ("Bos", "0.3")),))
    assert study_import.Table.of([]).header == ()
