import csv
import math

import pytest
from django.conf import settings

from knowledgebase.models import EffectSize, SelectedEffect, Study, Version
from leerpunt import reference_data, study_rows
from leerpunt.content_import import take_in
from leerpunt.study_rows import StudyFile, StudyRowsError, load, read_folder
from practices.models import PracticeVersion
from tests.factories import make_concept, make_effect, make_source, make_study, make_user

pytestmark = pytest.mark.django_db
FOLDER = settings.BASE_DIR / "fixtures" / "studies"
FILES = read_folder(FOLDER)
GOOD = """\
synthesis: bos-2010
measure: g
citation: Bos (2010)
origin: ours
licence: facts
columns: {name: the study, year: the year, g: effect, v: variance, kind: a or b}
cannot_say: [nothing]
same_study: true
read:
  study: "{name}"
  year: "{year}"
  effect: "{g}"
  variance: "{v}"
  soort: {column: kind, words: {a: eerste, b: tweede}}
"""
ROWS = "name,year,g,v,kind\nBos,2001,0.3,0.04,a\nBos,2002,0.2,0.04,b\nDuin,2003,0.1,0.04,c\n"


def make_files(folder, about=GOOD, rows=ROWS):
    (folder / "bos.yaml").write_text(about)
    (folder / "bos.csv").write_text(rows)
    return folder / "bos.yaml"


def test_the_files_of_the_demonstration_are_copies_of_the_reference_data():
    assert [file.path.stem for file in FILES] == [
        "bangertdrowns2004",
        "crede2010",
        "kalaian1996",
        "konstantopoulos2011",
    ]
    for file in FILES:
        copy = settings.BASE_DIR / "tests" / "data" / "meta-analysis" / f"{file.path.stem}.csv"
        assert file.path.with_suffix(".csv").read_text() == copy.read_text()
        assert file.about["citation"]
        assert file.about["licence"].startswith("The values are facts, taken over with the citation.")
        assert file.about["cannot_say"]


def test_every_row_goes_in_once_with_the_digits_of_the_file():
    reference_data.load_folder(settings.BASE_DIR / "fixtures")
    editor = make_user(role="redacteur")
    assert load(FILES, by=editor) == 268
    assert load(FILES, by=editor) == 0
    for file, studies in zip(FILES, (48, 68, 47, 11), strict=True):
        effects = EffectSize.objects.filter(study__synthesis__key=file.about["synthesis"]).order_by("pk")
        with file.path.with_suffix(".csv").open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        assert [(e.effect, e.variance) for e in effects] == [(float(row["yi"]), float(row["vi"])) for row in rows]
        assert effects.values("study").distinct().count() == studies
    writing = Study.objects.get(key="bangert-drowns-2004-ashworth-1992")
    assert (writing.label, writing.year, writing.pupils, writing.level, writing.subject, writing.subject_text) == (
        "Ashworth 1992", 1992, 60, None, None, "Nursing",
    )  # fmt: skip
    assert writing.effects.get().moderators["schoolniveau"] == "hoger onderwijs"
    assert set(Study.objects.filter(label__startswith="Guckin").values_list("label", flat=True)) == {
        "Guckin 1992a", "Guckin 1992b",
    }  # fmt: skip
    assert Study.objects.filter(country="").count() == 174
    attendance = EffectSize.objects.filter(study__synthesis__key="crede-2010").first()
    assert (attendance.conversion, attendance.reported["r"], attendance.n) == ("z", "0.88600000000000001", 76)
    assert attendance.effect == pytest.approx(math.atanh(0.886), abs=1e-12)
    assert Study.objects.get(label="District 644").year is None  # its schools were looked at in two years


def test_words_of_the_file_and_what_has_no_word(tmp_path):
    file = StudyFile.read(make_files(tmp_path))
    assert file.table.header == ("study", "year", "effect", "variance", "soort")
    assert [cells for _line, cells in file.table.rows] == [
        ("Bos", "", "0.3", "0.04", "eerste"),
        ("Bos", "", "0.2", "0.04", "tweede"),
        ("Duin", "2003", "0.1", "0.04", ""),
    ]
    file = StudyFile.read(make_files(tmp_path, GOOD.replace("same_study: true", "same_study: false")))
    assert [cells[:2] for _line, cells in file.table.rows] == [("Bosa", "2001"), ("Bosb", "2002"), ("Duin", "2003")]


@pytest.mark.parametrize(
    ("about", "rows", "message"),
    [
        ("a: [", ROWS, "is no YAML"),
        ("- a", ROWS, "says exactly: cannot_say, citation,"),
        (GOOD + "more: x\n", ROWS, "says exactly"),
        (GOOD.replace("measure: g", "measure: cm"), ROWS, "the measure is one of g, SMD, z, lnOR, SMCR"),
        (GOOD, "name,year\nBos,2001\n", "the columns are not those of the CSV"),
        (GOOD, "", "the columns are not those of the CSV"),
        (GOOD.replace('"{g}"', '"{h}"'), ROWS, "the CSV has no column 'h'"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, about, rows, message):
    with pytest.raises(StudyRowsError) as error:
        StudyFile.read(make_files(tmp_path, about, rows))
    assert message in str(error.value)
    assert str(error.value).startswith("bos.yaml")


def test_rows_need_their_source_and_must_be_good(tmp_path):
    editor, file = make_user(role="redacteur"), StudyFile.read(make_files(tmp_path))
    with pytest.raises(StudyRowsError, match=r"bos\.yaml: there is no source bos-2010"):
        load([file], by=editor)
    make_source("bos-2010")
    bad = StudyFile.read(make_files(tmp_path, rows=ROWS.replace("0.1,0.04", "0.1,0")))
    with pytest.raises(StudyRowsError, match=r"bos\.yaml, line 4: Een variantie is groter dan nul"):
        load([bad], by=editor)
    assert study_rows.load([file], by=editor) == 3


# -- texts that rest on rows

TEXT = """\
---
kind: practice
key: schrijven
slug: schrijven
title: Schrijven
levels: [lager]
sources: [bos-2010]
ratings:
  - {context: overall, basis: studies, cost_reason: Dat weten we niet.}
selections:
  - context: overall
    synthesis: bos-2010
    model: independent
    moderators: [soort]
    left_out: {studie-weg: Geen controlegroep.}
---
# in_short

- Kort [@bos-2010].
"""


def text_file(folder, text=TEXT):
    path = folder / "schrijven.md"
    path.write_text(text)
    return path


@pytest.fixture
def rows():
    make_concept("niveau", "lager")
    synthesis = make_source("bos-2010")
    effects = [make_effect(0.2 + n / 10, 0.04, study=make_study(synthesis=synthesis)) for n in range(4)]
    return [*effects, make_effect(-1.0, 0.04, study=make_study("Weg", key="studie-weg", synthesis=synthesis))]


def test_a_text_selects_every_row_but_those_with_a_reason_and_its_rating_follows(rows, tmp_path):
    old = rows[0]
    corrected = make_effect(0.25, 0.04, study=old.study, supersedes=old)
    report = take_in([text_file(tmp_path)], by=make_user(role="redacteur"))
    assert report.problems == []
    draft = PracticeVersion.objects.get()
    selection = draft.selections.get()
    assert (selection.context_key, selection.synthesis.key, selection.moderators) == ("overall", "bos-2010", ["soort"])
    chosen = SelectedEffect.objects.filter(version=draft, selection=selection.uid)
    assert list(chosen.values_list("effect", "included", "reason", "order")) == [
        (rows[1].pk, True, "", 0),
        (rows[2].pk, True, "", 1),
        (rows[3].pk, True, "", 2),
        (rows[4].pk, False, "Geen controlegroep.", 3),
        (corrected.pk, True, "", 4),
    ]
    rating = draft.ratings.get()
    assert (rating.basis, rating.source.key, rating.studies) == ("studies", "bos-2010", 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("studie-weg:", "studie-fout:"), "studie-fout"),
        (("synthesis: bos-2010", "synthesis: niets"), "there is no source “niets”"),
        (("model: independent", "model: gok"), "gok"),
        (("moderators: [soort]", "moderators: soort"), "selections.1.moderators"),
    ],
)
def test_a_selection_that_cannot_be(rows, tmp_path, change, message):
    report = take_in([text_file(tmp_path, TEXT.replace(*change))], by=make_user(role="redacteur"))
    assert [problem.line for problem in report.problems if message in str(problem)] != []
    assert not Version.objects.exists()


def test_a_synthesis_without_rows_is_said(tmp_path):
    make_concept("niveau", "lager")
    make_source("bos-2010")
    text = TEXT.replace("    left_out: {studie-weg: Geen controlegroep.}\n", "")
    [problem] = take_in([text_file(tmp_path, text)], by=make_user(role="redacteur")).problems
    assert (problem.line, problem.name) == (
        text.splitlines().index("    synthesis: bos-2010") + 1,
        "selections.1.synthesis",
    )
    assert "no study rows" in problem.message
