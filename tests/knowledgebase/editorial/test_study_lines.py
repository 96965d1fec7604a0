"""What the columns and the cells of one row become."""

import pytest

from knowledgebase.editorial.study_tables import Unreadable
from knowledgebase.models import EffectSize
from tests.factories import make_concept, make_source, make_user
from tests.study_files import entered, remarks, statuses

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor():
    return make_user(role="redacteur")


@pytest.fixture
def synthesis():
    return make_source("bos-2010")


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
        ("study,niveau,effect,lower,upper\nBos,lager,0.4,0.1,0.7\n", "g", "interval"),
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
        "We kennen “toeval” niet in de kolom opzet: ingevoerd als onbekend.",
        "We kennen het niveau “hogeschool” niet: bewaard als kenmerk.",
        "We kennen het vak “Nursing” niet: bewaard in de woorden van het bestand.",
    ]


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("Studie;Jaar;g;variantie\nBos;20x1;0,3;0,04\n", "Jaar: “20x1” is geen geheel getal."),
        ("Auteur;g;Standaardfout\nBos;0,3;veel\n", "Standaardfout: “veel” is geen getal."),
        ("Auteur;g;Standaardfout\nBos;0,3;-0,2\n", "Een standaardfout is groter dan nul; hier is ze −0,2."),
        (
            "study;land;g;variantie\nBos;Utopia;0,3;0,04\n",
            "land: Twee hoofdletters, zoals BE; leeg als je het niet weet.",
        ),
        (
            "study;m1;sd1;n1;m2\nBos;1;2;30;1\n",
            "Er is geen effect, en er zijn geen statistieken om het uit te berekenen. Voor gemiddelden en"
            " standaardafwijkingen van twee groepen ontbreken: sd2, n2.",
        ),
        (
            "study;n1;n2;effect;variance\nBos;30;30;;0,04\n",
            "Er is geen effect, en er zijn geen statistieken om het uit te berekenen.",
        ),
    ],
)
def test_what_is_refused_is_named_as_the_file_names_it(text, remark, editor, synthesis):
    report = entered(text, editor, synthesis)
    assert (statuses(report), remarks(report)) == (["refused"], [remark])


def test_countries_may_be_written_in_dutch(editor, synthesis):
    text = "study;land;g;variantie\nBos;België;0,3;0,04\nDuin;verenigde staten;0,2;0,04\nHei;nl;0,1;0,04\n"
    assert statuses(entered(text, editor, synthesis)) == ["read"] * 3
    assert [effect.study.country for effect in EffectSize.objects.order_by("pk")] == ["BE", "US", "NL"]


def test_an_effect_that_the_statistics_replace_is_said(editor, synthesis):
    report = entered("study,effect,t,n1,n2\nBos,0.5,2,20,20\nDuin,0.62,2,20,20\n", editor, synthesis)
    assert [line.remarks for line in report.lines] == [
        ["Het bestand geeft geen variantie. We berekenden dus allebei: het effect is 0,62 en niet 0,5."],
        [],
    ]


def test_the_report_counts_what_became_of_the_rows(editor, synthesis):
    text = "study,effect,variance\nBos,0.3,0.04\nBos,0.3,0.04\nDuin,veel,0.04\nHei,0.1,0.04\n"
    assert entered(text, editor, synthesis).summary == "4 rijen (gaat erin: 2; is er al: 1; geweigerd: 1)."
    assert entered("study,effect,variance\n", editor, synthesis).summary == "0 rijen."


def test_the_level_of_an_interval_has_a_column_of_its_own(editor, synthesis):
    text = "study,niveau,effect,lower,upper,confidence\nBos,lager,0.4,0.1,0.7,\nDuin,lager,0.4,0.1,0.7,0.90\n"
    assert statuses(entered(text, editor, synthesis)) == ["read"] * 2
    bos, duin = EffectSize.objects.order_by("pk")
    assert (bos.reported, duin.reported["level"]) == ({"estimate": "0.4", "lower": "0.1", "upper": "0.7"}, "0.90")
    assert bos.variance < duin.variance
