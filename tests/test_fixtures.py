"""The texts that the demonstration shows: they load, refer to what exists, read easily, and can be published."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from knowledgebase.editorial.findings import OPINIONS, Rule, findings
from knowledgebase.models import Concept, ConceptLabel, Item, Scheme, Source, Version
from knowledgebase.rendering import citations_in, html_of, plain, tokens_in
from leerpunt import content
from practices.facets import EVERYTHING, Bitmaps
from practices.models import PracticeVersion
from tests.snapshots import built, published_texts

FIXTURES = Path(settings.BASE_DIR) / "fixtures"
FILES = [content.read(path) for path in content.files_in(FIXTURES / "texts")]
UNKNOWN = "onbekend"
MOST_WORDS = 35  # in a sentence; writers aim at twelve

every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.path.stem)


@pytest.fixture(scope="module")
def _texts(django_db_setup, django_db_blocker):
    """All texts, loaded and published once for the tests of this module, and taken out again after them."""
    with django_db_blocker.unblock(), transaction.atomic():
        built("texts", published_texts)
        yield
        transaction.set_rollback(True)


@pytest.fixture
def texts(_texts, db):
    """The texts, in a test of which nothing stays."""


def version_of(file):
    return Item.objects.get(key=file.item_key).versions.published().get().specific()


def prose(file):
    """Lead, question, answer and sections, each on its own."""
    fields = [file.front.get(name) or "" for name in ("lead", "question", "answer")]
    return [*fields, *file.sections.values()]


def sentences(text):
    """Sentences of a Markdown text: list items, table rows and headings end one too."""
    lines = re.sub(r"^\s*(?:[-*]|\d+\.|#+|\|)\s+", "\n\n", text, flags=re.MULTILINE)
    for block in re.split(r"\n\s*\n", lines):
        if not block.lstrip().startswith("|"):
            words = plain(re.sub(r"\{\{[^}]*\}\}", "zes maanden", block)).replace("e.a.", "ea").replace("z.d.", "zd")
            yield from re.split(r"(?<=[.?!:;])[\s”’»)]+", words)


# -- the files ------------------------------------------------------------------------------------


def test_there_are_texts_of_every_kind_with_keys_and_addresses_of_their_own():
    kinds = [file.front["kind"] for file in FILES]
    assert set(kinds) == set(Item.Kind)
    assert kinds.count("practice") >= 12
    keys = [file.item_key for file in FILES]
    addresses = [(file.front["kind"], file.front["slug"]) for file in FILES]
    assert len(set(keys)) == len(set(addresses)) == len(FILES)
    assert [file.path.name for file in FILES if file.path.stem != file.front["key"]] == []


@every_file
def test_every_citation_is_among_the_sources_and_the_sources_are_used(file):
    assert list(content.missing_sources(file)) == []
    rows = [*(file.front.get("ratings") or ()), *(file.front.get("verdicts") or ())]
    used = {row["source"] for row in rows if "source" in row}
    assert used <= set(file.front.get("sources") or ())
    cited = used | {key for text in file.sections.values() for key in citations_in(text)}
    has_verdict = {"eef-toolkit"} if file.front.get("verdicts") else set()
    assert set(file.front.get("sources") or ()) <= cited | has_verdict


@every_file
def test_sentences_are_short(file):
    long = [sentence for text in prose(file) for sentence in sentences(text) if len(sentence.split()) > MOST_WORDS]
    assert long == []


@every_file
def test_figures_are_not_typed_and_tone_is_calm(file):
    text = "\n".join(prose(file))
    assert "!" not in re.sub(r"!\[", "", text)
    assert not re.search(r"<[a-z/!]", text)
    assert not re.search(r"[\U0001F300-\U0001FAFF]", text)


def test_nobody_fixed_dates_in_the_future_of_the_texts():
    assert [
        file.path.name for file in FILES if file.front.get("searched_on") and not file.front.get("checked_on")
    ] == []


# -- loaded and published --------------------------------------------------------------------------


@pytest.mark.usefixtures("texts")
def test_all_are_published_as_demonstration_and_found():
    assert set(Item.objects.published().values_list("key", flat=True)) == {file.item_key for file in FILES}
    assert set(Version.objects.values_list("state", "is_demo", "number")) == {("published", True, 1)}
    index = Bitmaps("thema")
    assert index[EVERYTHING].bit_count() == len(index.order) == PracticeVersion.objects.count()


@every_file
@pytest.mark.usefixtures("texts")
def test_every_token_is_known_and_says_something(file):
    values = version_of(file).token_values()
    used = {token for text in file.sections.values() for token in tokens_in(text)}
    assert {token: values.get(token) for token in used if values.get(token, UNKNOWN) == UNKNOWN} == {}


@every_file
@pytest.mark.usefixtures("texts")
def test_nothing_is_found_in_a_text_and_every_figure_can_be_compared(file):
    found = [finding for finding in findings(version_of(file)) if finding.rule not in OPINIONS - {Rule.FIGURE_UNKNOWN}]
    assert [(finding.field, finding.message) for finding in found] == []


@every_file
@pytest.mark.usefixtures("texts")
def test_nothing_is_left_unfilled_in_the_html(file):
    version = version_of(file)
    html = html_of(version)
    assert set(html) == {name for name in version.markdown_fields if file.sections.get(name)}
    for text in html.values():
        assert "{{" not in text
        assert "[@" not in text
        assert "&lt;" not in text


@pytest.mark.usefixtures("texts")
def test_every_glossary_term_is_explained_and_every_concept_has_a_name():
    assert list(Concept.objects.filter(scheme=Scheme.TERM, definition="").values_list("slug", flat=True)) == []
    named = ConceptLabel.objects.filter(relation="pref", language="nl").values("concept")
    assert list(Concept.objects.exclude(pk__in=named).values_list("slug", flat=True)) == []
    assert Concept.objects.in_scheme(Scheme.TERM).count() >= 20
    for concept in Concept.objects.select_related("broader"):
        concept.clean()


@pytest.mark.usefixtures("texts")
def test_every_source_can_be_read_somewhere_or_says_where_it_stood():
    for source in Source.objects.all():
        source.full_clean()
        assert source.link or source.container, source.key


@pytest.mark.usefixtures("texts")
def test_loading_again_changes_nothing():
    def everything():
        return [list(model.objects.order_by("pk").values()) for model in (Item, Version, PracticeVersion, Concept,
                                                                           ConceptLabel, Source)]  # fmt: skip

    before = everything()
    call_command("load_texts", "--by=redacteur", "--demo", verbosity=0)
    assert everything() == before
