import pytest
from django.core.management import CommandError, call_command

from knowledgebase.models import Concept, Item, Source, Version
from tests.factories import make_user

pytestmark = pytest.mark.django_db
PAGE = "---\nkind: page\nkey: over\nslug: over\ntitle: Over ons\n---\n# body\n\nWij zijn {number}.\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "over.md").write_text(PAGE, encoding="utf-8")
    return tmp_path


def test_texts_are_loaded_with_the_reference_data_as_drafts(folder, capsys):
    author = make_user("redacteur")
    call_command("load_texts", "--by=redacteur", f"--folder={folder}")
    version = Version.objects.get()
    assert (version.state, version.created_by, version.is_demo) == ("draft", author, False)
    assert Concept.objects.exists()
    assert Source.objects.exists()
    assert capsys.readouterr().out == "1 new texts.\n"


def test_texts_are_published_through_another_account_and_marked(folder, capsys):
    make_user("redacteur")
    editor = make_user("eindredacteur")
    arguments = ["--by=redacteur", "--publish-by=eindredacteur", "--demo", f"--folder={folder}"]
    call_command("load_texts", *arguments)
    version = Version.objects.get()
    assert (version.state, version.published_by, version.is_demo) == ("published", editor, True)
    call_command("load_texts", *arguments)
    assert Version.objects.get().published_at == version.published_at
    assert capsys.readouterr().out == "1 new texts.\n0 new texts.\n"


def test_unknown_accounts_are_refused(folder):
    with pytest.raises(CommandError, match="no account wie"):
        call_command("load_texts", "--by=wie", f"--folder={folder}")
    make_user("redacteur")
    with pytest.raises(CommandError, match="no account wie"):
        call_command("load_texts", "--by=redacteur", "--publish-by=wie", f"--folder={folder}")


def test_a_text_that_cannot_be_read_leaves_nothing_behind(folder):
    make_user("redacteur")
    (folder / "z.md").write_text("no front matter", encoding="utf-8")
    with pytest.raises(CommandError, match=r"z\.md"):
        call_command("load_texts", "--by=redacteur", f"--folder={folder}")
    assert not Item.objects.exists()


def test_a_text_that_may_not_be_published_leaves_nothing_behind(folder):
    make_user("redacteur")
    practice = "---\nkind: practice\nkey: x\nslug: x\ntitle: X\n---\n# steps\n\n1. Doe dit.\n"
    (folder / "x.md").write_text(practice, encoding="utf-8")
    with pytest.raises(CommandError):
        call_command("load_texts", "--by=redacteur", "--publish-by=redacteur", f"--folder={folder}")
    assert not Item.objects.exists()
