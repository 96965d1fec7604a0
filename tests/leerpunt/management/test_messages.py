from io import StringIO
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command


def test_every_word_of_the_interface_is_translated_and_compiled():
    call_command("messages", "--check")


@pytest.fixture
def project(tmp_path, settings):
    """A project of its own, with one message and a Dutch catalogue that lacks it."""
    settings.BASE_DIR = tmp_path
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    (tmp_path / "leerpunt").mkdir()
    (tmp_path / "leerpunt/views.py").write_text('_("Title")')
    (tmp_path / "locale/nl/LC_MESSAGES").mkdir(parents=True)
    (tmp_path / "locale/nl/LC_MESSAGES/django.po").write_text('msgid ""\nmsgstr ""\n')
    return tmp_path / "locale/nl/LC_MESSAGES/django.po"


def test_finds_compiles_and_says_what_is_missing(project):
    out = StringIO()
    call_command("messages", stdout=out)
    assert out.getvalue() == "Not translated: “Title”.\n"
    catalogue = polib.pofile(str(project))
    catalogue[0].msgstr = "Titel"
    catalogue.save()
    with pytest.raises(CommandError, match=r"django\.mo is not what django\.po compiles to"):
        call_command("messages", "--check")
    call_command("messages", stdout=out)
    call_command("messages", "--check")
    assert [entry.msgstr for entry in polib.mofile(str(project.with_suffix(".mo")))] == ["Titel"]


def test_a_second_run_changes_nothing(project):
    call_command("messages", stdout=StringIO())
    before = (project.read_bytes(), project.with_suffix(".mo").read_bytes())
    call_command("messages", stdout=StringIO())
    assert (project.read_bytes(), project.with_suffix(".mo").read_bytes()) == before


def test_check_writes_nothing(project):
    with pytest.raises(CommandError, match="Not in the catalogue: “Title”"):
        call_command("messages", "--check")
    assert project.read_text() == 'msgid ""\nmsgstr ""\n'
    assert not project.with_suffix(".mo").exists()


def test_conflicting_plurals_are_an_error(project):
    (Path(settings.BASE_DIR) / "leerpunt/views.py").write_text('ngettext("a", "b", 1); ngettext("a", "c", 1)')
    with pytest.raises(CommandError, match="has the plurals"):
        call_command("messages")
