import os
import signal
import sys
import threading
import time

import pytest
from django.core.management import CommandError, call_command

from knowledgebase.models import Item, Membership, RenderedText, User, Version
from leerpunt import demonstration
from leerpunt.accounts import DEMO_PASSWORD
from leerpunt.management.commands import load_texts
from leerpunt.management.commands.demo import password_line, run_together
from practices import facets
from practices.models import FacetIndex
from tests.factories import publish_all

from .test_load_texts import CONCEPTS, PAGE

pytestmark = pytest.mark.django_db
HOMEWORK = """\
---
kind: practice
key: homework
slug: huiswerk
title: Huiswerk
lead: Je geeft een taak mee die leerlingen thuis maken.
levels: [lager]
---
# in_short

- Je bespreekt de taak in de les.
"""
# Says that it runs, and that it was told to stop.
LISTENER = (
    "import pathlib, signal, sys, time\n"
    "def stop(*_):\n    pathlib.Path(sys.argv[1]).write_text('stopped'); sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, stop)\n"
    "pathlib.Path(sys.argv[1]).write_text('runs')\n"
    "time.sleep(30)\n"
)


def test_it_is_refused_outside_the_demonstration():
    with pytest.raises(CommandError, match="make demo"):
        call_command("demo", "--no-serve")


def publish_in_short():
    """What demonstration.play ends in, without the way there (test_demonstration.py walks it)."""
    publish_all([draft.specific() for draft in Version.objects.select_related("item")])
    facets.rebuild()


@pytest.fixture
def _small_folder(tmp_path, monkeypatch):
    """Two texts and what they refer to; all texts are loaded in tests/test_fixtures.py."""
    (tmp_path / "texts").mkdir()
    for name, text in (
        ("concepts.yaml", CONCEPTS), ("texts/homework.md", HOMEWORK), ("texts/over.md", PAGE.format(number=1)),
    ):  # fmt: skip
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(load_texts, "FIXTURES", tmp_path)


@pytest.mark.usefixtures("_small_folder")
def test_a_second_start_keeps_what_was_edited(settings, tmp_path, capsys, monkeypatch):
    settings.DEMO, settings.STATIC_ROOT = True, tmp_path
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    monkeypatch.setattr(demonstration, "play", publish_in_short)
    call_command("demo", "--no-serve", "--port=8123")

    out = capsys.readouterr().out
    assert "http://127.0.0.1:8123/aanmelden/" in out
    assert f"Accounts: {', '.join(demonstration.ACCOUNTS)}\n" in out
    assert f"Wachtwoord: {DEMO_PASSWORD}\n" in out
    assert Item.objects.published().filter(kind="practice").count() == 1
    assert Item.objects.published().count() == 2
    assert not Version.objects.filter(is_demo=False).exists()
    editor = User.objects.get(username="redacteur")
    assert [group.name for group in editor.groups.all()] == ["redacteur"]
    editor.set_password("een ander wachtwoord")
    editor.save()
    Item.objects.filter(key="homework").update(slug="taken-voor-thuis")
    Membership.objects.filter(user__username="lid-gebruikers-2").update(valid_to="2099-01-01")

    call_command("demo", "--no-serve")

    assert Item.objects.get(key="homework").slug == "taken-voor-thuis"
    assert User.objects.get(username="redacteur").check_password("een ander wachtwoord")
    assert User.objects.filter(username__in=demonstration.ACCOUNTS).count() == 9
    assert Membership.objects.count() == 6
    assert "De andere accounts kozen een eigen wachtwoord." in capsys.readouterr().out

    RenderedText.objects.all().delete()
    FacetIndex.objects.all().delete()
    call_command("render_texts")
    call_command("rebuild_facets")
    assert RenderedText.objects.filter(version__item__key="homework", field="in_short").exists()
    assert FacetIndex.objects.filter(name="niveau:lager").exists()


@pytest.mark.usefixtures("_small_folder")
def test_a_first_start_that_breaks_off_leaves_nothing(settings, tmp_path, monkeypatch):
    settings.DEMO, settings.STATIC_ROOT = True, tmp_path

    def broken():
        raise RuntimeError("the power is gone")

    monkeypatch.setattr(demonstration, "play", broken)
    with pytest.raises(RuntimeError, match="the power is gone"):
        call_command("demo", "--no-serve")
    assert (Item.objects.count(), User.objects.count()) == (0, 0)


def test_a_password_is_named_only_where_it_opens_something():
    demonstration.make_accounts("van-vroeger", chosen=True)
    assert password_line("van-vroeger") == "Wachtwoord: van-vroeger"
    demonstration.make_accounts(DEMO_PASSWORD, chosen=False)
    assert password_line(DEMO_PASSWORD).startswith("Wachtwoord: dat van een vorige start.")
    assert DEMO_PASSWORD not in password_line(DEMO_PASSWORD)
    demonstration.make_accounts("nieuw-gekozen", chosen=True)
    assert password_line("nieuw-gekozen") == "Wachtwoord: nieuw-gekozen"
    assert demonstration.accounts_with("van-vroeger") == []


# -- the server and the jobs


def wait_for(path, text):
    for _try in range(200):
        if path.exists() and path.read_text() == text:
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} never said {text}")


def test_the_jobs_end_with_the_server(tmp_path):
    said = tmp_path / "jobs"
    server = (
        "import pathlib, sys, time\nwhile not pathlib.Path(sys.argv[1]).exists():\n    time.sleep(0.02)\nsys.exit(3)"
    )
    answer = run_together([sys.executable, "-c", server, said], [sys.executable, "-c", LISTENER, said])
    assert answer == 3
    wait_for(said, "stopped")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_both_end_when_the_demonstration_is_told_to(tmp_path, number):
    server, jobs = tmp_path / "server", tmp_path / "jobs"

    def tell():
        wait_for(server, "runs")
        wait_for(jobs, "runs")
        os.kill(os.getpid(), number)

    handlers = signal.getsignal(number)
    teller = threading.Thread(target=tell)
    teller.start()
    answer = run_together(
        [sys.executable, "-c", LISTENER, server],
        [sys.executable, "-c", LISTENER, jobs],
    )
    teller.join()
    assert answer == 0
    assert (server.read_text(), jobs.read_text()) == ("stopped", "stopped")
    assert signal.getsignal(number) == handlers


def test_jobs_that_fail_do_not_stop_the_server():
    answer = run_together(
        [sys.executable, "-c", "import time; time.sleep(0.5)"], [sys.executable, "-c", "raise SystemExit(9)"]
    )
    assert answer == 0
