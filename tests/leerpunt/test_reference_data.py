from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from knowledgebase.models import Concept, ConceptLabel, SiteState, Source
from leerpunt.reference_data import ReferenceDataError, load, load_folder

pytestmark = pytest.mark.django_db
FIXTURES = Path(settings.BASE_DIR) / "fixtures"
TEXT = """
- model: knowledgebase.concept
  fields: {scheme: niveau, slug: lager, broader: [niveau, basis], order: 10, definition: Zes jaar.}
- model: knowledgebase.concept
  fields: {scheme: niveau, slug: basis}
- model: knowledgebase.conceptlabel
  fields: {concept: [niveau, lager], label: Lager onderwijs, relation: pref, weight: 100}
- model: knowledgebase.conceptlabel
  fields: {concept: [niveau, lager], label: lagere school}
- model: knowledgebase.source
  fields: {key: hattie-2007, kind: review, title: Feedback, doi: "https://doi.org/10.3102/0034654298487", grade: A}
"""


@pytest.fixture
def file(tmp_path):
    """A file with this text."""

    def write(text=TEXT, name="concepts.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def everything():
    return [list(model.objects.order_by("pk").values()) for model in (Concept, ConceptLabel, Source)]


def test_rows_are_made_whatever_their_order(file):
    assert load(file()) == 5
    lager = Concept.objects.get(slug="lager")
    assert (lager.name, lager.broader.slug, lager.order, lager.definition) == (
        "Lager onderwijs",
        "basis",
        10,
        "Zes jaar.",
    )
    assert set(ConceptLabel.objects.values_list("label", "relation", "weight", "language")) == {
        ("Lager onderwijs", "pref", 100, "nl"),
        ("lagere school", "alt", 60, "nl"),
    }
    source = Source.objects.get()
    assert (source.key, source.doi, source.authors) == ("hattie-2007", "10.3102/0034654298487", [])


def test_pages_change_once_and_not_at_all_when_all_is_as_the_file_says(file):
    before = SiteState.current().content_version
    load(file())
    assert SiteState.current().content_version == before + 1
    rows = everything()
    assert load(file()) == 0
    assert SiteState.current().content_version == before + 1
    assert everything() == rows


def test_what_the_file_says_otherwise_is_changed_and_nothing_else(file):
    load(file())
    Concept.objects.create(scheme="niveau", slug="eigen")
    numbers = dict(Concept.objects.values_list("slug", "pk"))
    assert load(file(TEXT.replace("Zes jaar.", "Van 6 tot 12 jaar.").replace(", broader: [niveau, basis]", ""))) == 1
    lager = Concept.objects.get(slug="lager")
    assert (lager.definition, lager.broader) == ("Van 6 tot 12 jaar.", None)
    assert dict(Concept.objects.values_list("slug", "pk")) == numbers


def test_another_label_becomes_the_preferred_one(file):
    load(file())
    swapped = TEXT.replace("Lager onderwijs, relation: pref", "Lager onderwijs, relation: alt")
    assert load(file(swapped.replace("lagere school}", "lagere school, relation: pref}"))) == 2
    assert Concept.objects.get(slug="lager").name == "lagere school"
    assert load(file()) == 2
    assert Concept.objects.get(slug="lager").name == "Lager onderwijs"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (TEXT, "[", "concepts.yaml is no YAML"),
        (TEXT, "a: b", "concepts.yaml is no list"),
        ("knowledgebase.source", "auth.group", "row 5: the model is one of"),
        ("fields: {key", "pk: 1\n  fields: {key", "row 5: a row has a model and fields"),
        ("title: Feedback", "titel: Feedback", "row 5: unknown fields titel"),
        ("kind: review", "kind: gevoel", "row 5: kind: "),
        ("10.3102", "twaalf", "row 5: "),
        ("order: 10", "order: tien", "row 1: "),
        ("scheme: niveau, slug: basis", "scheme: planeet, slug: basis", "row 2: scheme: "),
        ("broader: [niveau, basis]", "broader: [niveau, maan]", "row 1: there is no concept"),
        ("broader: [niveau, basis]", "broader: basis", "row 1: there is no concept"),
        ("concept: [niveau, lager], label: lagere", "label: lagere", "row 4: there is no concept None"),
        ("label: lagere school", "label: Lager onderwijs", "row 4: stands there twice"),
        ("lagere school}", "lagere school, relation: pref}", "The database refuses a row"),
        ("slug: basis}", "slug: basis, broader: [niveau, lager]}", "Broader than themselves: lager, basis"),
        ("scheme: niveau, slug: basis", "slug: basis", "row 2: scheme: "),
    ],
)
def test_a_file_with_a_fault_is_refused_and_leaves_nothing_behind(file, old, new, message):
    assert old in TEXT
    with pytest.raises(ReferenceDataError, match=message):
        load(file(TEXT.replace(old, new)))
    assert everything() == [[], [], []]
    assert SiteState.current().content_version == 0


def test_a_circle_made_of_what_is_there_is_refused(file):
    load(file())
    with pytest.raises(ReferenceDataError, match="row 1: "):
        load(file("- {model: knowledgebase.concept, fields: {scheme: niveau, slug: basis, broader: [niveau, lager]}}"))
    with pytest.raises(ReferenceDataError, match="row 1: "):
        load(file("- {model: knowledgebase.concept, fields: {scheme: vak, slug: taal, broader: [niveau, lager]}}"))


NAMES = """
- {pref: Co-teaching, alt: {teamteaching, samen lesgeven: 80}, abbreviation: {CT}, related: {zorg}}
- {scheme: woordvorm, pref: lezen, hidden: {leest, las}}
- of: [niveau, lager]
  narrower: {eerste leerjaar: 70, tweede leerjaar}
"""


def test_a_row_of_names_is_a_concept_with_its_labels(file):
    load(file())
    assert load(file(NAMES, "search-terms.yaml")) == 2 + 5 + 3 + 2
    labels = ConceptLabel.objects.values_list("concept__scheme", "concept__slug", "label", "relation", "weight")
    assert set(labels.exclude(concept__scheme="niveau")) == {
        ("zoekterm", "co-teaching", "Co-teaching", "pref", 100),
        ("zoekterm", "co-teaching", "teamteaching", "alt", 90),
        ("zoekterm", "co-teaching", "samen lesgeven", "alt", 80),
        ("zoekterm", "co-teaching", "CT", "abbreviation", 90),
        ("zoekterm", "co-teaching", "zorg", "related", 50),
        ("woordvorm", "lezen", "lezen", "pref", 100),
        ("woordvorm", "lezen", "leest", "hidden", 60),
        ("woordvorm", "lezen", "las", "hidden", 60),
    }
    narrower = labels.filter(relation="narrower").values_list("concept__slug", "label", "weight")
    assert set(narrower) == {("lager", "eerste leerjaar", 70), ("lager", "tweede leerjaar", 80)}
    assert load(file(NAMES, "search-terms.yaml")) == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[niveau, lager]", "[niveau, maan]", "row 3: there is no concept"),
        ("[niveau, lager]", "lager", "row 3: there is no concept"),
        ("related: {zorg}", "related: zorg", "row 1: names stand as"),
        ("related:", "verwant:", "row 1: names stand as"),
        ("lesgeven: 80", "lesgeven: veel", "row 1: "),
        ("lesgeven: 80", "lesgeven: -1", "row 1: "),
        ("woordvorm", "planeet", "row 2: scheme: "),
        ("leest, las", "leest, lezen", "row 2: stands there twice"),
        ("pref: lezen", "pref: Co-teaching, scheme: zoekterm", "row 2: "),
    ],
)
def test_a_row_of_names_with_a_fault_is_refused(file, old, new, message):
    load(file())
    rows = everything()
    assert old in NAMES
    with pytest.raises(ReferenceDataError, match=message):
        load(file(NAMES.replace(old, new), "search-terms.yaml"))
    assert everything() == rows


def test_a_folder_is_loaded_whole(file):
    path = file()
    file(NAMES, "search-terms.yaml")
    assert load_folder(path.parent) == 5 + 12


def test_queries_do_not_grow_with_the_rows(file, django_assert_num_queries):
    more = "".join(
        f"- {{model: knowledgebase.source, fields: {{key: s-{n}, kind: review, title: T, grade: B}}}}\n"
        for n in range(3)
    )
    load(file())
    one, three = file(more.splitlines()[0], "one.yaml"), file(more, "three.yaml")
    with django_assert_num_queries(24) as captured:
        load(one)
    Source.objects.all().delete()
    with django_assert_num_queries(len(captured.captured_queries)):
        load(three)


@pytest.mark.slow
def test_our_own_files_load_as_with_loaddata():
    def told():
        concepts = Concept.objects.values_list("scheme", "slug", "definition", "broader__slug", "order", "origin")
        labels = ConceptLabel.objects.values_list(
            "concept__scheme", "concept__slug", "label", "relation", "weight", "language"
        )
        sources = list(Source.objects.order_by("key").values())
        return set(concepts), set(labels), [{**source, "id": None} for source in sources]

    files = [FIXTURES / "concepts.yaml", FIXTURES / "sources.yaml"]
    load(*files)
    ours = told()
    for model in (ConceptLabel, Source):
        model.objects.all().delete()
    Concept.objects.update(broader=None)
    Concept.objects.all().delete()
    call_command("loaddata", *files, verbosity=0)
    assert told() == ours
    assert load(*files) == 0
