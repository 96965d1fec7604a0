"""The shape of the project itself."""

import importlib
import re
import subprocess
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.urls import get_resolver

ROOT = Path(settings.BASE_DIR)
APPS = ("leerpunt", "knowledgebase", "practices")
TOP = {
    "manage.py", "leerpunt", "knowledgebase", "practices", "templates", "static", "fixtures", "tests", "locale",
    "pyproject.toml", "README.md", "Makefile", "requirements.lock", "requirements-dev.lock", "LICENSE",
    "LICENSE-CONTENT.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "deploy", ".ci", ".gitignore", ".editorconfig",
    ".gitattributes",
}  # fmt: skip


def listed():
    """Every file that is or may be committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


try:
    FILES = listed()
except (OSError, subprocess.CalledProcessError):
    FILES = []
needs_git = pytest.mark.skipif(not FILES, reason="the tests run outside a git working tree")


def text_of(path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


# -- models ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("app", ["knowledgebase", "practices"])
def test_every_model_is_imported_from_one_place(app):
    """A module of models that models/__init__.py forgets has no tables, silently."""
    package = importlib.import_module(f"{app}.models")
    defined = set()
    for path in (ROOT / app / "models").glob("*.py"):
        module = importlib.import_module(f"{app}.models.{path.stem}" if path.stem != "__init__" else f"{app}.models")
        defined |= {
            name
            for name, thing in vars(module).items()
            if isinstance(thing, type) and hasattr(thing, "_meta") and thing.__module__ == module.__name__
            and not thing._meta.abstract
        }  # fmt: skip
    assert defined <= set(package.__all__)
    assert {model.__name__ for model in apps.get_app_config(app).get_models()} == defined


@pytest.mark.django_db
def test_migrations_say_what_the_models_say():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_checks_find_nothing():
    call_command("check", fail_level="WARNING")


def test_every_address_leads_to_something():
    assert get_resolver().url_patterns


# -- layout ---------------------------------------------------------------------------------------


@needs_git
def test_top_level_holds_what_it_should():
    assert {path.relative_to(ROOT).parts[0] for path in FILES} <= TOP


@needs_git
def test_nothing_is_in_a_drawer():
    drawers = {"utils", "helpers", "common", "services", "managers", "exceptions", "misc"}
    named = {
        part.removesuffix(".py")
        for path in FILES
        if path.suffix == ".py"
        for part in path.relative_to(ROOT).parts
    }  # fmt: skip
    assert named & drawers == set()


@needs_git
def test_every_package_of_tests_has_an_init():
    folders = {path.parent for path in FILES if path.suffix == ".py" and (ROOT / "tests") in path.parents}
    assert [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()] == []


@needs_git
def test_the_folders_of_tests_are_those_of_the_source():
    """tests/practices/test_ratings.py tests practices/ratings.py; whole stories live elsewhere."""
    elsewhere = {"browser", "journeys", "bench", "factories", "data", "web"}
    folders = {path.parent.relative_to(ROOT / "tests") for path in FILES if ROOT / "tests" in path.parents}
    mirrored = [folder for folder in folders if folder.parts and folder.parts[0] not in elsewhere]
    sources = [ROOT / folder for folder in mirrored]
    assert [str(path) for path in sources if not (path.is_dir() or path.with_suffix(".py").exists())] == []


# -- what may not be in it ---------------------------------------------------------------------------


@needs_git
def test_nothing_names_a_folder_of_one_machine():
    one_machine = re.compile(r"(?<![\w.])/(?:work|home/\w+|root|Users/\w+|tmp/brief)/")
    ours = [path for path in FILES if path != Path(__file__).resolve()]
    assert [str(path.relative_to(ROOT)) for path in ours if one_machine.search(text_of(path))] == []


@needs_git
def test_nothing_needs_the_folder_beside_this_one():
    beside = re.compile(r"\.\./shared|parent\s*/\s*[\"']shared")
    ours = [path for path in FILES if path != Path(__file__).resolve()]
    assert [str(path.relative_to(ROOT)) for path in ours if beside.search(text_of(path))] == []


@needs_git
def test_no_lock_names_a_host():
    locks = [path for path in FILES if path.name.endswith(".lock") or path.name == "package-lock.json"]
    assert locks
    for path in locks:
        assert not re.search(r'--(?:extra-)?index[-]url|"resolved":', text_of(path)), path.name


SEEDS = ROOT.parent / "shared" / "seeds"
RUN = 8  # words in a row


def words(text):
    return re.findall(r"\w+", text.casefold())


def runs(text):
    found = words(text)
    return {tuple(found[start : start + RUN]) for start in range(len(found) - RUN + 1)}


@needs_git
@pytest.mark.skipif(not SEEDS.is_dir(), reason="the texts this portal was conceived from are not beside this folder")
def test_no_sentence_is_taken_from_the_texts_it_was_conceived_from():
    theirs = set()
    for path in SEEDS.rglob("*"):
        if path.is_file():
            theirs |= runs(text_of(path))
    assert theirs
    ours = [path for path in FILES if path.suffix in {".md", ".html", ".yaml", ".po", ".py", ".txt"}]
    shared = {str(path.relative_to(ROOT)): runs(text_of(path)) & theirs for path in ours}
    assert {name: sorted(same)[:2] for name, same in shared.items() if same} == {}
