from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from knowledgebase.models import EffectSize, Item, SelectedEffect, Selection, SlugRedirect, Study, Version
from leerpunt import content
from leerpunt.content import Document, NoDocument, document_of, read, scalar, written
from tests.factories import (
    anybody,
    make_concept,
    make_page,
    make_practice,
    make_source,
    make_summary,
    make_theme,
    rating,
    verdict,
)
from tests.snapshots import built, published_texts

FIXTURES = Path(settings.BASE_DIR) / "fixtures" / "texts"
WHOLE = """\
---
kind: practice
key: feedback-key
slug: feedback
title: "Feedback: goed?"
lead: >-
  Je zegt wat beter kan.
  En je geeft tijd.
also_searched_as:
  - tips, tops
  - "hoe: feedback"
levels: [lager]
subjects: []
pupil_groups: []
audiences: [leerkracht]
themes: [toetsen]
outcomes: []
resources: []
related: [ander]
summaries: [lezen]
searched_on: null
checked_on: 2026-11-22
sources: [jansen-2020, zee-2021]
licence: CC BY-SA 4.0
is_demo: true
change_type: taal
conclusion_changed: nee
change_note: De taal is eenvoudiger.
old_slugs: [terugkoppeling]
selections:
  - context: overall
    label: "Alle studies"
    synthesis: zee-2021
    measure: z
    left_out:
      los-2001: "Te weinig leerlingen."
ratings:
  - context: overall
    basis: synthesis
    source: jansen-2020
    metric: d
    effect: "0.48"
    interval: ["0.355", "0.60"]
    studies: 435
    pupils_at_least: true
    strength_reason: "Dat weten we nog niet."
    cost_euro: "12.50"
    cost_reason: "We vonden geen prijs."
  - context: "niveau:lager"
    basis: unknown
    reason: "Niemand keek \\"ernaar\\"."
verdicts:
  - issuer: EEF
    context: overall
    months: 6
    edition: "2021"
    url: https://educationendowmentfoundation.org.uk/
    seen_on: 2026-10-05
    confidence: corroborated
    previous:
      - {edition: "2018", months: 8}
---
# in_short

- Kort [@jansen-2020].

# when_not

Nooit.

## Een kop

#  steps

En verder.
"""


@pytest.fixture
def whole(db):
    """A practice with everything that a file can hold."""
    texts = [make_practice("ander").item, make_summary("lezen").item]
    version = make_practice(
        "feedback", state="draft", title="Feedback: goed?", lead="Je zegt wat beter kan. En je geeft tijd.",
        checked_on=date(2026, 11, 22), licence="CC BY-SA 4.0", is_demo=True, change_type="taal",
        conclusion_changed="nee", change_note="De taal is eenvoudiger.", in_short="- Kort [@jansen-2020].\r\n",
        when_not="Nooit.\n\n## Een kop\n\n# steps\n\nEn verder.", related=texts,
        concepts=[make_concept("thema", "toetsen"), make_concept("niveau", "lager"), make_concept("publiek", "leerkracht")],
        sources=[make_source("jansen-2020"), make_source("zee-2021")],
        ratings=[
            rating("0.480", source=make_source("jansen-2020"), ci_low="0.355", ci_high="0.6", studies=435,
                   unknown_reason="", pupils_at_least=True, cost_euro="12.5"),
            rating(context_key="niveau:lager", unknown_reason='Niemand keek "ernaar".', strength_reason="", cost_reason=""),
        ],
        verdicts=[verdict(6, previous=[{"edition": "2018", "months": 8}])],
    )  # fmt: skip
    Item.objects.filter(pk=version.item_id).update(key="feedback-key", also_searched_as="tips, tops\n\nhoe: feedback\n")
    SlugRedirect.objects.create(item=version.item, kind="practice", slug="terugkoppeling")
    _select(version, "zee-2021", {"los-2001": "Te weinig leerlingen.", "vast-2002": ""})
    return type(version).objects.select_related("item").get(pk=version.pk)


def _select(version, key, studies):
    """Study rows of a synthesis, and a selection of all of them; those with a reason are left out."""
    synthesis = make_source(key)
    selection = Selection.objects.create(version=version, synthesis=synthesis, label="Alle studies", measure="z")
    for order, (name, reason) in enumerate(studies.items()):
        study = Study.objects.create(key=name, label=name, synthesis=synthesis)
        effect = EffectSize.objects.create(study=study, measure="z", effect=0.2, variance=0.1, created_by=anybody())
        SelectedEffect.objects.create(
            version=version, selection=selection.uid, effect=effect, order=order, included=not reason, reason=reason
        )
    return selection


def document(kind="page", **front):
    return Document({"kind": kind, "key": "x", "slug": "x", "title": "X", **front}, {})


# -- writing


def test_everything_that_a_version_says_is_in_its_file(whole):
    assert written(document_of(whole)) == WHOLE


def test_a_page_is_written_with_what_pages_have(db):
    page = make_page("over", body="Dag.", lead="")
    assert written(document_of(page)) == (
        '---\nkind: page\nkey: over\nslug: over\ntitle: Over\nlead: ""\nsearched_on: null\nchecked_on: null\n'
        "sources: []\n---\n# body\n\nDag.\n"
    )


def test_a_theme_and_a_summary_are_written_with_what_they_have(db):
    theme = document_of(make_theme("lezen", body="Dag."))
    assert (theme.front["theme"], theme.path.as_posix()) == ("lezen", "themas/lezen.md")
    summary = document_of(make_summary("toetsen"))
    assert (summary.front["question"], summary.path.as_posix()) == ("Helpt dit?", "samenvattingen/toetsen.md")
    assert "theme" not in summary.front


def test_what_the_file_form_cannot_say_is_told(db):
    version = make_practice("feedback", state="draft", related=[make_page("over").item])
    selection = _select(version, "zee-2021", {"los-2001": ""})
    with pytest.raises(NoDocument, match="link to the page “over”") as error:
        document_of(version)
    assert len(error.value.problems) == 1
    version.item_links.all().delete()
    assert document_of(version).front["selections"][0]["synthesis"] == "zee-2021"
    SelectedEffect.objects.filter(selection=selection.uid).delete()
    with pytest.raises(NoDocument, match="chosen one by one"):
        document_of(version)


@pytest.mark.parametrize(
    ("value", "words"),
    [("0.480", "0.48"), ("0.1", "0.10"), ("12", "12."), ("0.035", "0.035"), ("-0.5", "-0.50"), ("0", "0.")],
)
def test_figures_have_two_decimals_or_more(value, words):
    assert content._value(Decimal(value)) == words.ljust(len(words.partition(".")[0]) + 3, "0")


LINE = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(LINE)
def test_any_text_is_written_so_that_it_is_read_back(text):
    assert content._load(f"- {scalar(text)}") == [text]
    assert content._load(f"x: {content._flow([{'a': text}])}") == {"x": [{"a": text}]}
    entry = "\n".join(content._folded("lead", text))
    assert content._load(entry) == {"lead": text}
    assert "\n---" not in f"\n{entry}"


@given(st.lists(st.sampled_from(["# steps", "#  steps", "#   body ", "tekst", "# Kop", "## steps", "", "---", "```"])))
def test_any_section_is_read_back(tmp_path_factory, lines):
    text = "\n".join(lines).strip()
    path = tmp_path_factory.mktemp("content") / "x.md"
    page = Document(document().front, {"body": text} if text else {})
    path.write_text(written(page), encoding="utf-8", newline="\n")
    assert read(path).sections.get("body", "") == text


# -- reading


@pytest.fixture
def write(tmp_path):
    def write(text, name="tekst.md"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def test_a_file_is_read_as_it_was_written(write, whole):
    read_back, stored = read(write(WHOLE)), document_of(whole)
    assert read_back.sections == stored.sections
    assert read_back.front == {name: value for name, value in stored.front.items() if value not in (None, "")} | {
        "searched_on": None
    }
    assert (read_back.item_key, read_back.kind) == ("feedback-key", "practice")
    assert (read_back.line("ratings", 0, "effect"), read_back.line("ratings", 1, "iets"), read_back.line("steps")) == (
        WHOLE.splitlines().index('    effect: "0.48"') + 1, WHOLE.splitlines().index('  - context: "niveau:lager"') + 1, 1,
    )  # fmt: skip


def test_other_line_ends_and_a_byte_order_mark_are_read(write):
    text = written(document()) + "# body\n\nDag.\n"
    assert read(write("\ufeff" + text.replace("\n", "\r\n"))).sections == {"body": "Dag."}


GOOD = "kind: page\nkey: x\nslug: x\ntitle: X\n"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", [(1, "")]),
        ("# body\n\nDag.\n", [(1, "")]),
        (b"\xff\xfe\x00", [(1, "")]),
        ("---\n" + GOOD, [(1, "")]),
        (f"word\n---\n{GOOD}---\n", [(1, "")]),
        (f"---\n{GOOD.replace('page', 'null')}---\n", [(2, "kind"), (2, "kind")]),
        (f"---\n{GOOD}also_searched_as: wie\n---\n", [(6, "also_searched_as")]),
        (f"---\n{GOOD}also_searched_as: [7]\n---\n", [(6, "also_searched_as.1")]),
        ("---\nkind: page\nkey: [a\n---\n", [(4, "")]),
        ("---\nkind: page\ndatum: 2026-02-31\n---\n", [(2, "")]),
        ("---\n- a\n---\n", [(2, "")]),
        ("---\n---\n", [(2, "")]),
        ("---\nkind: film\nkey: x\nslug: x\n---\n", [(1, "title"), (2, "kind")]),
        (f"---\n{GOOD}leevls: []\n---\n", [(6, "leevls")]),
        (f"---\n{GOOD}lead: 7\n---\n", [(6, "lead")]),
        (f"---\n{GOOD}checked_on: gisteren\nis_demo: ja\n---\n", [(6, "checked_on"), (7, "is_demo")]),
        (f"---\n{GOOD}sources: a\n---\n", [(6, "sources")]),
        (f"---\n{GOOD}sources: [a, 7, a]\n---\n", [(6, "sources.2"), (6, "sources.3")]),
        (f"---\n{GOOD}ratings: {{}}\n---\n", [(6, "ratings")]),
        (f"---\n{GOOD}ratings:\n  - context: a\n    efect: 1\n  - x\n  - context: a\n---\n",
         [(8, "ratings.1.efect"), (9, "ratings.2"), (10, "ratings.3")]),
        (f"---\n{GOOD}verdicts:\n  - issuer: EEF\n---\n", [(7, "verdicts.1")]),
        (f"---\n{GOOD}---\nlos\n# body\na\n", [(7, "")]),
        (f"---\n{GOOD}---\n# body\na\n\n# steps\nb\n# body\nc\n", [(10, "steps"), (12, "body")]),
    ],
)  # fmt: skip
def test_what_is_wrong_has_a_line_and_a_name(write, text, places):
    with pytest.raises(NoDocument) as error:
        read(write(text))
    assert [(problem.line, problem.name) for problem in error.value.problems] == places
    assert all(str(problem).startswith(f"tekst.md, line {problem.line}") for problem in error.value.problems)


def test_files_are_found_in_the_order_of_their_addresses(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("z.md", "a.md", "b/c.md", "notes.txt"):
        (tmp_path / name).write_text("tekst")
    assert [path.name for path in content.files_in(tmp_path)] == ["a.md", "c.md", "z.md"]


@pytest.mark.django_db
def test_a_citation_that_is_no_source_is_told(write):
    page = read(write(f"---\n{GOOD}sources: [a]\n---\n# body\n\n[@a] [@b] [@b]\n"))
    [problem] = content.missing_sources(page)
    assert (problem.line, problem.name, "[@b]" in problem.message) == (8, "body", True)


@pytest.mark.django_db
def test_the_texts_of_the_demonstration_are_in_the_form_that_is_written():
    built("texts", published_texts)
    files = {path.relative_to(FIXTURES).as_posix(): path.read_text(encoding="utf-8") for path in FIXTURES.rglob("*.md")}
    documents = [document_of(version.specific()) for version in Version.objects.published().select_related("item")]
    assert len(documents) == len(files) > 100
    assert {document.path.as_posix(): written(document) for document in documents} == files
