import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from knowledgebase.models import Concept, Item, Source, Version
from leerpunt.management.commands import load_texts
from practices.facets import Bitmaps
from tests.factories import make_practice, make_user

pytestmark = pytest.mark.django_db
PAGE = "---\nkind: page\nkey: over\nslug: over\ntitle: Over ons\n---\n# body\n\nWij zijn {number}.\n"


CONCEPTS = """
- model: knowledgebase.concept
  fields: {scheme: niveau, slug: lager, order: 10}
- model: knowledgebase.conceptlabel
  fields: {concept: [niveau, lager], label: Lager onderwijs, relation: pref}
"""
SOURCES = """
- model: knowledgebase.source
  fields: {key: hattie-2007, kind: review, title: Feedback, authors: [], doi: "", grade: A}
"""


@pytest.fixture(autouse=True)
def _small_reference_data(tmp_path, monkeypatch):
    """The real reference data is loaded in tests/test_fixtures.py."""
    for name, text in (("concepts", CONCEPTS), ("sources", SOURCES)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(load_texts, "FIXTURES", tmp_path)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "over.md").write_text(PAGE, encoding="utf-8")
    return tmp_path / "texts"


def test_texts_are_loaded_with_the_reference_data_as_drafts(folder, capsys):
    author = make_user("redacteur", role="redacteur")
    call_command("load_texts", "--by=redacteur", f"--folder={folder}")
    version = Version.objects.get()
    assert (version.state, version.created_by, version.is_demo) == ("draft", author, False)
    assert [concept.name for concept in Concept.objects.all()] == ["Lager onderwijs"]
    assert [(source.key, source.doi) for source in Source.objects.all()] == [("hattie-2007", None)]
    assert capsys.readouterr().out == "1 new texts.\n"


def test_loading_again_leaves_what_is_there_alone(folder, capsys):
    make_user("redacteur", role="redacteur")
    arguments = ["--by=redacteur", "--demo", f"--folder={folder}"]
    call_command("load_texts", *arguments)
    version = Version.objects.get()
    assert (version.state, version.is_demo, version.lock_version) == ("draft", True, 1)
    call_command("load_texts", *arguments)
    assert Version.objects.get().lock_version == 1
    assert capsys.readouterr().out == "1 new texts.\n0 new texts.\n"


def test_another_vocabulary_is_counted_anew(folder, tmp_path):
    make_user("redacteur", role="redacteur")
    call_command("load_texts", "--by=redacteur", f"--folder={folder}")
    practice = make_practice()
    broader = "- model: knowledgebase.concept\n  fields: {scheme: niveau, slug: basis}\n"
    text = CONCEPTS.replace("order: 10", "order: 10, broader: [niveau, basis]")
    (tmp_path / "concepts.yaml").write_text(broader + text.lstrip(), encoding="utf-8")
    call_command("load_texts", "--by=redacteur", f"--folder={folder}")
    assert Bitmaps("naam")["niveau:basis"] == 1 << practice.item_id


def test_an_unknown_account_is_refused(folder):
    with pytest.raises(CommandError, match="no account wie"):
        call_command("load_texts", "--by=wie", f"--folder={folder}")


def test_an_account_that_writes_no_texts_is_refused(folder):
    make_user("lezer")
    with translation.override("en"), pytest.raises(CommandError, match="Only editors"):
        call_command("load_texts", "--by=lezer", f"--folder={folder}")
    assert not Item.objects.exists()


def test_a_text_that_cannot_be_read_leaves_nothing_behind(folder):
    make_user("redacteur", role="redacteur")
    (folder / "z.md").write_text("no front matter", encoding="utf-8")
    with pytest.raises(CommandError, match=r"z\.md"):
        call_command("load_texts", "--by=redacteur", f"--folder={folder}")
    assert not Item.objects.exists()
