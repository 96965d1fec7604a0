from datetime import date
from decimal import Decimal

import pytest

from knowledgebase.editorial.refusals import NotAllowed
from knowledgebase.editorial.versions import canonical, content_hash
from knowledgebase.models import AuditEvent, ConceptLink, Item, SlugRedirect, Version
from leerpunt.content import document_of, written
from leerpunt.content_import import Fate, take_in
from practices.models import EvidenceRating, PracticeVersion
from tests.factories import (
    approve,
    make_concept,
    make_practice,
    make_source,
    make_summary,
    make_user,
    make_version,
    rating,
    verdict,
)

pytestmark = pytest.mark.django_db
State = Version.State
HAND = """\
---
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
---
# when_not

Bij haast [@hattie-2007].

# steps

1. Doe dit.

## Tussenkop

2. Doe dat.
"""


@pytest.fixture
def editor():
    return make_user("schrijver", role="redacteur")


@pytest.fixture
def folder(tmp_path):
    """Files by name; `folder(name=text)` writes them and gives their paths."""

    def write(**texts):
        paths = []
        for name, text in texts.items():
            path = tmp_path / f"{name.replace('_', '-')}.md"
            path.write_text(text, encoding="utf-8")
            paths.append(path)
        return paths

    return write


def file_of(version, **changes):
    """What export writes of a version, with these lines of the front matter changed."""
    text = written(document_of(type(version).objects.select_related("item").get(pk=version.pk)))
    for name, line in changes.items():
        before = next(part for part in text.splitlines() if part.startswith(f"{name}:"))
        text = text.replace(f"{before}\n", line, 1)
    return text


def page(key="over", more="", body="Dag."):
    return f"---\nkind: page\nkey: {key}\nslug: {key}\ntitle: Over ons\n{more}---\n# body\n\n{body}\n"


def told(report):
    return [(row.file, row.fate) for row in sorted(report.told, key=lambda row: row.file)]


def _plain(said):
    """What a version says, without the names of rows, and without the order of links of different kinds."""
    for name, rows in said.items():
        if isinstance(rows, list):
            out = {"uid"} | ({"order"} if name in ("concept_links", "item_links") else set())
            said[name] = sorted(str({key: value for key, value in row.items() if key not in out}) for row in rows)
    return said


def _forget(version):
    """As if the text was never there."""
    version.delete()
    version.item.delete()


def rich(**fields):
    make_concept("thema", "toetsen")
    return make_practice(
        "feedback",
        **{
            "title": "Feedback",
            "is_demo": True,
            "checked_on": date(2026, 11, 22),
            "ratings": [rating("0.48", ci_low="0.40", ci_high="0.56"), rating(context_key="niveau:lager")],
            "verdicts": [verdict(6, previous=[{"edition": "2018", "months": 8}])],
            "related": [make_practice("ander").item, make_summary("lezen").item],
        }
        | fields,
    )


# -- into an empty place


def test_a_file_becomes_a_draft_that_says_the_same(editor, folder):
    version = rich(state=State.DRAFT)
    text, before = file_of(version), canonical(version)
    _forget(version)

    report = take_in(folder(feedback=text), by=editor)

    assert (told(report), report.problems) == ([("feedback.md", Fate.NEW)], [])
    draft = PracticeVersion.objects.get(item__key="feedback")
    assert (draft.state, draft.number, draft.created_by, draft.is_demo) == (State.DRAFT, 1, editor, True)
    assert file_of(draft) == text

    assert _plain(canonical(draft)) == _plain(before)
    assert list(AuditEvent.objects.filter(item=draft.item).values_list("action", "actor_id")) == [("begin", editor.pk)]


@pytest.fixture
def _reference():
    for scheme, slug in (("niveau", "lager"), ("publiek", "leerkracht"), ("thema", "toetsen")):
        make_concept(scheme, slug)
    make_source("hattie-2007")


@pytest.mark.usefixtures("_reference")
def test_a_file_written_by_hand_becomes_a_draft_with_its_children(editor, folder):
    report = take_in(folder(feedback=HAND), by=editor, is_demo=True)
    assert report.problems == []
    draft = PracticeVersion.objects.get()
    assert (draft.item.kind, draft.item.key, draft.item.slug) == ("practice", "feedback", "feedback-geven")
    assert draft.item.also_searched_as == "hoe geef ik feedback\ntips en tops?"
    assert (draft.state, draft.number, draft.created_by, draft.is_demo) == ("draft", 1, editor, True)
    assert (draft.title, draft.lead, draft.checked_on, draft.searched_on) == (
        "Feedback", "Je vertelt wat beter kan.", date(2026, 11, 22), None,
    )  # fmt: skip
    assert draft.when_not == "Bij haast [@hattie-2007]."
    assert draft.steps == "1. Doe dit.\n\n## Tussenkop\n\n2. Doe dat."
    assert [str(link.concept.slug) for link in draft.concept_links.all()] == ["lager", "leerkracht", "toetsen"]
    assert [link.source.key for link in draft.source_links.all()] == ["hattie-2007"]
    overall, level = draft.ratings.all()
    assert (overall.effect, overall.ci_low, overall.ci_high) == (Decimal("0.48"), Decimal("0.35"), Decimal("0.61"))
    assert overall.source.key == "hattie-2007"
    assert (level.basis, level.unknown_reason, level.concept.slug) == ("unknown", "Niemand keek ernaar.", "lager")
    verdict = draft.verdicts.get()
    assert (verdict.months, verdict.previous) == (6, [{"edition": "2018", "months": 8}])
    assert draft.publication_gaps() == []


def test_a_theme_needs_its_concept(editor, folder):
    theme = "---\nkind: theme\nkey: toetsen\nslug: toetsen\ntitle: Toetsen\n{more}---\n# body\n\nTekst.\n"
    [problem] = take_in(folder(toetsen=theme.format(more="")), by=editor).problems
    assert problem.name == "theme"
    assert not Item.objects.exists()
    make_concept("thema", "toetsen")
    take_in(folder(toetsen=theme.format(more="theme: toetsen\n")), by=editor)
    draft = Version.objects.get().specific()
    assert (draft.item.key, draft.concept.slug, draft.body) == ("theme-toetsen", "toetsen", "Tekst.")


@pytest.mark.parametrize(
    ("line", "asked", "is_demo"), [("", False, False), ("", True, True), ("is_demo: true\n", False, True)]
)
def test_a_text_is_a_demonstration_when_its_file_or_who_asks_says_so(editor, folder, line, asked, is_demo):
    take_in(folder(over=page(more=line)), by=editor, is_demo=asked)
    assert Version.objects.get().is_demo is is_demo


def test_what_belongs_to_a_new_text_comes_with_it(editor, folder):
    more = "also_searched_as:\n  - wie zijn jullie\n  - team\nold_slugs: [wij]\n"
    take_in(folder(over=page(more=more)), by=editor)
    item = Item.objects.get()
    assert (item.key, item.slug, item.also_searched_as) == ("page-over", "over", "wie zijn jullie\nteam")
    assert list(SlugRedirect.objects.values_list("kind", "slug", "item")) == [("page", "wij", item.pk)]


def test_texts_of_one_folder_refer_to_each_other(editor, folder):
    first, second = make_practice("een", state=State.DRAFT), make_practice("twee", state=State.DRAFT)
    texts = {name: file_of(version) for name, version in (("een", first), ("twee", second))}
    for version in (first, second):
        _forget(version)
    texts["een"] = texts["een"].replace("related: []", "related: [twee]")
    texts["twee"] = texts["twee"].replace("related: []", "related: [een]")

    report = take_in(folder(**texts), by=editor)

    assert told(report) == [("een.md", Fate.NEW), ("twee.md", Fate.NEW)]
    links = PracticeVersion.objects.get(item__key="een").item_links.values_list("item__key", flat=True)
    assert list(links) == ["twee"]


# -- what is there


@pytest.mark.parametrize(
    "state", [State.DRAFT, State.IN_REVIEW, State.CHANGES_REQUESTED, State.APPROVED, State.PUBLISHED]
)
def test_a_text_that_says_the_same_is_not_touched(editor, folder, state):
    version = rich(state=state)
    before = (Version.objects.count(), AuditEvent.objects.count(), content_hash(version))

    report = take_in(folder(feedback=file_of(version)), by=editor)

    assert told(report) == [("feedback.md", Fate.SAME)]
    version = PracticeVersion.objects.get(pk=version.pk)
    assert (Version.objects.count(), AuditEvent.objects.count(), content_hash(version)) == before


def test_a_file_that_is_laid_out_otherwise_says_the_same(editor, folder):
    version = rich()
    text = (
        file_of(version)
        .replace('effect: "0.48"', "effect: 0.480")
        .replace("\n---\n# ", '\nlicence: "CC BY 4.0"\n---\n# ')
    )
    assert told(take_in(folder(feedback=text), by=editor)) == [("feedback.md", Fate.SAME)]


def test_a_published_text_gets_a_draft_and_stays(editor, folder):
    version = rich()
    before = content_hash(version)
    text = file_of(version, title="title: Anders\n").replace("- Het kost weinig tijd.", "- Het kost veel tijd.")
    text = text.replace("levels: [lager]\n", "levels: []\n").replace("related: [ander]", "related: []")
    text = text.replace(
        "\n---\n# ", "\nchange_type: taal\nconclusion_changed: nee\nchange_note: Het kost meer.\n---\n# "
    )

    report = take_in(folder(feedback=text), by=editor)

    assert told(report) == [("feedback.md", Fate.DRAFT)]
    public, draft = PracticeVersion.objects.filter(item=version.item).order_by("number")
    assert (public.state, content_hash(public)) == (State.PUBLISHED, before)
    assert (draft.state, draft.number, draft.title, draft.in_short, draft.change_note, draft.based_on_id) == (
        State.DRAFT, 2, "Anders", "- Het kost veel tijd.", "Het kost meer.", public.pk,
    )  # fmt: skip
    assert not draft.concept_links.filter(concept__scheme="niveau").exists()
    kept = EvidenceRating.objects.filter(version=draft).values_list("uid", flat=True)
    assert set(kept) == set(EvidenceRating.objects.filter(version=public).values_list("uid", flat=True))
    assert take_in(folder(feedback=text), by=editor).told[0].fate == Fate.SAME


@pytest.mark.parametrize("state", [State.IN_REVIEW, State.APPROVED])
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_with_the_commissions_is_left_and_told(editor, folder, state, overwrite):
    version = rich(state=state)
    before = content_hash(version)
    text = file_of(version, title="title: Anders\n")

    report = take_in(folder(feedback=text), by=editor, overwrite_drafts=overwrite)

    assert told(report) == [("feedback.md", Fate.LEFT)]
    assert state in report.told[0].words
    version = PracticeVersion.objects.get(pk=version.pk)
    assert (version.state, version.title, content_hash(version)) == (state, "Feedback", before)


def test_a_published_text_with_a_next_version_at_the_commissions_is_left(editor, folder):
    version = rich()
    approve(make_version(version.item, title="Nieuw"))
    report = take_in(folder(feedback=file_of(version, title="title: Anders\n")), by=editor)
    assert told(report) == [("feedback.md", Fate.LEFT)]
    assert Version.objects.filter(item=version.item).count() == 2


def test_a_draft_of_somebody_is_left_unless_one_asks(editor, folder):
    version = rich(state=State.DRAFT)
    files = folder(feedback=file_of(version, title="title: Anders\n", verdicts="verdicts: []\n").replace(
        file_of(version).partition("verdicts:\n")[2].partition("---\n")[0], ""))  # fmt: skip

    assert told(take_in(files, by=editor)) == [("feedback.md", Fate.LEFT)]
    assert PracticeVersion.objects.get(item=version.item).title == "Feedback"

    assert told(take_in(files, by=editor, overwrite_drafts=True)) == [("feedback.md", Fate.CHANGED)]
    draft = PracticeVersion.objects.get(item=version.item)
    assert (draft.title, draft.verdicts.count(), draft.ratings.count()) == ("Anders", 0, 2)
    assert draft.contributors.filter(user=editor).exists()


def test_what_is_there_is_left_when_only_new_texts_are_asked_for(editor, folder):
    take_in(folder(over=page()), by=editor)
    Version.objects.update(title="Door de redactie aangepast")
    before = list(Version.objects.values())

    report = take_in(folder(over=page(), team=page("team")), by=editor, only_new=True)

    assert told(report) == [("over.md", Fate.LEFT), ("team.md", Fate.NEW)]
    assert list(Version.objects.filter(item__slug="over").values()) == before


def test_a_withdrawn_text_gets_a_draft_and_stays_withdrawn(editor, folder):
    version = rich(state=State.WITHDRAWN)
    text = file_of(version, title="title: Anders\n")
    assert told(take_in(folder(feedback=text), by=editor)) == [("feedback.md", Fate.DRAFT)]
    assert list(version.item.versions.order_by("number").values_list("state", flat=True)) == ["withdrawn", "draft"]


def test_what_belongs_to_a_public_text_is_told_not_changed(editor, folder):
    version = rich()
    text = file_of(version, slug="slug: terugkoppeling\nalso_searched_as:\n  - tips\n")
    report = take_in(folder(feedback=text), by=editor)
    assert told(report) == [("feedback.md", Fate.SAME)]
    assert report.told[0].words == "slug and also_searched_as differ: change that in the admin."
    item = Item.objects.get(key="feedback")
    assert (item.slug, item.also_searched_as) == ("feedback", "")


# -- what is wrong


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("levels: [lager]", "levels: [lager, maan]"), ("levels.2", "maan")),
        (("sources: [jansen-2020]", "sources: [niemand-1900]"), ("sources.1", "niemand-1900")),
        (("- Het kost", "[@niemand-1900] Het kost"), ("in_short", "niemand-1900")),
        (("related: []", "related: [nergens]"), ("related.1", "nergens")),
        (("title: Feedback", f"title: {'x' * 161}"), ("title", "160")),
        (("slug: feedback", "slug: Met Spaties"), ("slug", "")),
        (("slug: feedback", "slug: ander"), ("slug", "ander")),
        (("checked_on: null", "checked_on: 7"), ("checked_on", "")),
        (("context: overall", "context: maan"), ("ratings.1.context", "")),
        (("context: overall", "context: niveau:maan"), ("ratings.1.context", "")),
        (('effect: "0.48"', "effect: veel"), ("ratings.1.effect", "veel")),
        (('effect: "0.48"', 'effect: "9.48"'), ("ratings.1", "")),
        (('effect: "0.48"', 'effect: "123.48"'), ("ratings.1.effect", "")),
        (("source: jansen-2020", "source: niemand"), ("ratings.1.source", "niemand")),
        (('interval: ["0.40", "0.56"]', "interval: 7"), ("ratings.1.interval", "")),
        (("basis: synthesis", "basis: gevoel"), ("ratings.1.basis", "")),
        (("ratings:", "selections:\n  - context: overall\n    synthesis: jansen-2020\nratings:"), ("selections.1.synthesis", "")),
        (("ratings:", "selections:\n  - context: overall\nratings:"), ("selections.1.synthesis", "")),
    ],
)  # fmt: skip
def test_an_error_names_file_line_and_field_and_writes_nothing(editor, folder, change, place):
    make_practice("ander")
    version = make_practice(
        "feedback", state=State.DRAFT, title="Feedback", ratings=[rating("0.48", ci_low="0.40", ci_high="0.56")]
    )
    text = file_of(version)
    assert change[0] in text
    lines = text.replace(*change, 1).splitlines()
    before = list(Version.objects.order_by("pk").values())

    report = take_in(folder(feedback="\n".join(lines)), by=editor, overwrite_drafts=True)

    assert told(report) == [("feedback.md", Fate.REFUSED)]
    problem = report.problems[0]
    assert (problem.file, problem.name) == ("feedback.md", place[0])
    assert place[1] in problem.message
    last = place[0].rpartition(".")[2]
    if any(line.strip().removeprefix("- ").startswith(f"{last}:") for line in lines):
        assert lines[problem.line - 1].strip().removeprefix("- ").startswith(f"{last}:")
    assert list(Version.objects.order_by("pk").values()) == before


def test_one_bad_file_does_not_stop_the_rest_and_every_error_is_told(editor, folder):
    bad = page("slecht", more="levels: [maan]\nsources: [niemand, niets]\n")
    report = take_in(folder(goed=page("goed"), slecht=bad, stuk="geen front matter"), by=editor)
    assert told(report) == [("goed.md", Fate.NEW), ("slecht.md", Fate.REFUSED), ("stuk.md", Fate.REFUSED)]
    assert [(problem.file, problem.line) for problem in report.problems] == [
        ("stuk.md", 1), ("slecht.md", 6), ("slecht.md", 7), ("slecht.md", 7),
    ]  # fmt: skip
    assert list(Item.objects.values_list("slug", flat=True)) == ["goed"]


def test_a_text_that_relies_on_a_refused_one_is_refused_too(editor, folder):
    version = make_practice("een", state=State.DRAFT)
    text = file_of(version).replace("related: []", "related: [twee]")
    _forget(version)
    other = (
        text.replace("een", "twee")
        .replace("related: [twee]", "related: []")
        .replace("levels: [lager]", "levels: [maan]")
    )
    report = take_in(folder(een=text, twee=other), by=editor)
    assert told(report) == [("een.md", Fate.REFUSED), ("twee.md", Fate.REFUSED)]
    assert not Item.objects.exists()


def test_two_files_for_one_text_are_refused(editor, folder):
    report = take_in(folder(a=page("over"), b=page("over")), by=editor)
    assert told(report) == [("a.md", Fate.NEW), ("b.md", Fate.REFUSED)]
    assert [problem.name for problem in report.problems] == ["key", "slug"]


def test_rows_that_a_kind_does_not_have_are_refused(editor, folder):
    report = take_in(
        folder(over=page(more="ratings:\n  - context: overall\n    basis: unknown\n    reason: x\n")), by=editor
    )
    assert [(problem.line, problem.name) for problem in report.problems] == [(6, "ratings")]


@pytest.mark.parametrize("role", ["lid", "beheerder"])
def test_who_does_not_write_makes_no_drafts(folder, role):
    with pytest.raises(NotAllowed):
        take_in(folder(over=page()), by=make_user(role=role))
    assert not Item.objects.exists()


def test_a_source_that_is_not_cited_is_no_error(editor, folder):
    make_source("jansen-2020")
    take_in(folder(over=page(more="sources: [jansen-2020]\n")), by=editor)
    assert Version.objects.get().source_links.count() == 1
    assert not ConceptLink.objects.exists()
