from datetime import date
from decimal import Decimal

import pytest

from knowledgebase.models import Item, SourceLink, Version
from leerpunt.texts import TextError, TextFile, load, read_folder
from practices.models import PracticeVersion
from tests.factories import anybody, make_concept, make_item, make_source

FRONT = """
kind: practice
key: feedback
slug: feedback-geven
title: Feedback
lead: >-
  Je vertelt wat
  beter kan.
also_searched_as:
  - hoe geef ik feedback
  - "tips en tops?"
levels: [lager]
audiences: [leerkracht]
themes: [toetsen]
sources: [hattie-2007]
checked_on: 2026-11-22
searched_on: null
ratings:
  - context: overall
    basis: synthesis
    source: hattie-2007
    metric: d
    effect: "0.48"
    interval: ["0.35", "0.61"]
    strength_reason: Nog niet berekend.
    cost_reason: Geen prijs gevonden.
  - context: "niveau:lager"
    basis: unknown
    reason: Niemand keek ernaar.
verdicts:
  - issuer: EEF
    context: overall
    months: 6
    edition: "2021"
    url: https://example.org/
    seen_on: 2026-10-05
    confidence: corroborated
    previous: [{edition: "2018", months: 8}]
"""
BODY = """
# when_not

Bij haast [@hattie-2007].

# steps

1. Doe dit.

## Tussenkop

2. Doe dat.
"""


@pytest.fixture
def write(tmp_path):
    def write(front=FRONT, body=BODY, name="feedback.md"):
        path = tmp_path / name
        path.write_text(f"---{front}---\n{body}", encoding="utf-8")
        return path

    return write


@pytest.fixture
def _reference(db):
    for scheme, slug in (("niveau", "lager"), ("publiek", "leerkracht"), ("thema", "toetsen")):
        make_concept(scheme, slug)
    make_source("hattie-2007")


def refused(path, words):
    with pytest.raises(TextError, match=words) as error:
        load([TextFile.read(path)], by=anybody())
    assert str(error.value).startswith(f"{path.name}: ")
    assert not Item.objects.exists()


# -- reading --------------------------------------------------------------------------------------


def test_a_file_is_front_matter_and_sections(write):
    file = TextFile.read(write())
    assert file.front["title"] == "Feedback"
    assert file.sections == {
        "when_not": "Bij haast [@hattie-2007].",
        "steps": "1. Doe dit.\n\n## Tussenkop\n\n2. Doe dat.",
    }
    assert file.missing_sources() == set()


def test_citations_that_are_not_in_the_sources(write):
    file = TextFile.read(write(body=BODY.replace("@hattie-2007", "@okkinga-2018")))
    assert file.missing_sources() == {"okkinga-2018"}


def test_a_folder_is_read_in_order_of_addresses(write, tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("z.md", "a.md", "b/c.md"):
        write(name=name)
    (tmp_path / "notes.txt").write_text("no text")
    assert [file.path.name for file in read_folder(tmp_path)] == ["a.md", "c.md", "z.md"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "front matter"),
        ("# steps\n", "front matter"),
        ("word\n---\nkind: page\n---\n", "front matter"),
        ("---\n- a\n---\n", "kind, key and slug"),
        ("---\n---\n", "kind, key and slug"),
        ("---\nkind: page\nkey: over\n---\n", "kind, key and slug"),
        ("---\nkind: [a\n---\n", "no YAML"),
        ("---\nkind: film\nkey: x\nslug: x\n---\n", "kind is one of practice, summary, theme, page"),
        ("---\nkind: null\nkey: x\nslug: x\n---\n", "kind is one of"),
        ("---\nkind: page\nkey: x\nslug: x\nleevls: []\n---\n", "unknown in the front matter: leevls"),
        ("---\nkind: page\nkey: x\nslug: x\nalso_searched_as: wie\n---\n", "also_searched_as is a list"),
        ("---\nkind: page\nkey: x\nslug: x\nalso_searched_as: [7]\n---\n", "also_searched_as is a list"),
        ("---\nkind: page\nkey: x\nslug: x\n---\nwords\n# body\n", "text before the first section"),
        ("---\nkind: page\nkey: x\nslug: x\n---\n# steps\n", "unknown section steps"),
        ("---\nkind: page\nkey: x\nslug: x\n---\n# body\na\n# body\nb\n", "a section stands there twice"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_name_of_the_file(tmp_path, text, words):
    path = tmp_path / "tekst.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TextError, match=words) as error:
        TextFile.read(path)
    assert str(error.value).startswith("tekst.md: ")


# -- loading --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_reference")
def test_a_file_becomes_a_draft_with_its_children(write):
    author = anybody()
    [draft] = load([TextFile.read(write())], by=author, is_demo=True)
    draft = PracticeVersion.objects.get(pk=draft.pk)
    assert (draft.item.kind, draft.item.key, draft.item.slug) == ("practice", "feedback", "feedback-geven")
    assert draft.item.also_searched_as == "hoe geef ik feedback\ntips en tops?"
    assert (draft.state, draft.number, draft.created_by, draft.is_demo) == ("draft", 1, author, True)
    assert (draft.title, draft.lead, draft.checked_on, draft.searched_on) == (
        "Feedback", "Je vertelt wat beter kan.", date(2026, 11, 22), None,
    )  # fmt: skip
    assert draft.when_not == "Bij haast [@hattie-2007]."
    assert [str(link.concept.slug) for link in draft.concept_links.all()] == ["lager", "leerkracht", "toetsen"]
    assert [link.source.key for link in draft.source_links.all()] == ["hattie-2007"]
    overall, level = draft.ratings.all()
    assert (overall.effect, overall.ci_low, overall.ci_high) == (Decimal("0.48"), Decimal("0.35"), Decimal("0.61"))
    assert overall.source.key == "hattie-2007"
    assert (level.basis, level.unknown_reason, level.concept.slug) == ("unknown", "Niemand keek ernaar.", "lager")
    verdict = draft.verdicts.get()
    assert (verdict.months, verdict.previous) == (6, [{"edition": "2018", "months": 8}])
    assert draft.publication_gaps() == []


@pytest.mark.usefixtures("_reference")
def test_loading_again_changes_nothing(write):
    file = TextFile.read(write())
    [draft] = load([file], by=anybody())
    Version.objects.filter(pk=draft.pk).update(title="Door de redactie aangepast")
    before = list(Version.objects.values())
    assert load([file], by=anybody()) == []
    assert list(Version.objects.values()) == before


@pytest.mark.usefixtures("_reference")
def test_texts_refer_to_each_other_whatever_comes_first(write):
    def file(key, related):
        return TextFile.read(write(FRONT.replace("key: feedback\nslug: feedback-geven", f"key: {key}\nslug: {key}")
                                   + f"related: [{related}]\n", name=f"{key}.md"))  # fmt: skip

    one, two = load([file("een", "twee"), file("twee", "een")], by=anybody())
    assert [link.item for link in one.item_links.all()] == [two.item]
    assert [link.item for link in two.item_links.all()] == [one.item]


@pytest.mark.usefixtures("_reference")
@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("sources: [hattie-2007]", "sources: []", "not in sources: hattie-2007"),
        ("sources: [hattie-2007]", "sources: [hattie-2007, hattie-2008]", "Source matching query"),
        ("levels: [lager]", "levels: [hoger]", "Concept matching query"),
        ("title: Feedback", f"title: {'x' * 161}", "160"),
        ("title: Feedback", "title: ''", "title"),
        ('effect: "0.48"', 'effect: "0.62"', "interval|effect"),
        ("cost_reason: Geen", "cost_reden: Geen", "cost_reden"),
        ("context: overall\n    basis", "basis", "context"),
        ("niveau:lager", "niveau:hoger", "context_key"),
        ("checked_on: 2026-11-22", "checked_on: gisteren", "checked_on"),
        ("checked_on: 2026-11-22", "related: [huiswerk]", "huiswerk"),
    ],
)
def test_what_does_not_fit_is_refused_whole_with_the_name_of_the_file(write, before, after, words):
    assert before in FRONT
    refused(write(FRONT.replace(before, after, 1)), words)


@pytest.mark.django_db
def test_an_address_that_another_text_has_is_refused(write):
    make_item("practice", "feedback-geven", key="iets-anders")
    with pytest.raises(TextError, match=r"feedback\.md: another practice has the address feedback-geven"):
        load([TextFile.read(write())], by=anybody())
    assert SourceLink.objects.count() == 0


@pytest.mark.django_db
def test_a_theme_needs_its_concept(write):
    refused(write("\nkind: theme\nkey: toetsen\nslug: toetsen\ntitle: Toetsen\n", "# body\n\nTekst.\n"), "concept")
    make_concept("thema", "toetsen")
    path = write("\nkind: theme\nkey: toetsen\nslug: toetsen\ntitle: Toetsen\ntheme: toetsen\n", "# body\n\nTekst.\n")
    [draft] = load([TextFile.read(path)], by=anybody())
    assert (draft.item.key, draft.concept.slug, draft.body) == ("theme-toetsen", "toetsen", "Tekst.")


@pytest.mark.usefixtures("_reference")
@pytest.mark.parametrize(
    ("line", "asked", "is_demo"), [("", False, False), ("", True, True), ("is_demo: true", False, True)]
)
def test_a_text_is_a_demonstration_when_its_file_or_who_loads_it_says_so(write, line, asked, is_demo):
    path = write(front=f"{FRONT}{line}\n" if line else FRONT)
    [draft] = load([TextFile.read(path)], by=anybody(), is_demo=asked)
    assert draft.is_demo is is_demo
