"""Files and pasted text as programs write them."""

import pytest

from knowledgebase.editorial.study_import import enter
from knowledgebase.editorial.study_tables import MOST_ROWS, Table, Unreadable, read
from knowledgebase.models import EffectSize
from tests.factories import make_source, make_user
from tests.study_files import statuses


@pytest.fixture
def editor():
    return make_user(role="redacteur")


@pytest.fixture
def synthesis():
    return make_source("bos-2010")


@pytest.mark.django_db
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


def test_a_table_of_dictionaries():
    table = Table.of([{"study": "Bos", "effect": "0.3"}])
    assert (table.header, table.rows) == (("study", "effect"), ((2, ("Bos", "0.3")),))
    assert Table.of([]).header == ()
