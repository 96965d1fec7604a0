import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.db import OperationalError

from knowledgebase.editorial import jobs
from knowledgebase.models import OutboxMessage, Version
from tests.factories import make_practice, make_user

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]


def test_every_job_prints_one_line(capsys):
    call_command("run_jobs")

    lines = capsys.readouterr().out.splitlines()
    assert [line.strip().split(":")[0] for line in lines[1:]] == [
        "publish_due", "settle_overdue", "revalidate", "remind", "mail_heads", "send_mails", "renew_search",
    ]  # fmt: skip
    assert lines[1] == "  publish_due: 0 published, 0 failed, 0 busy"


def test_a_failure_is_an_exit_with_one_and_a_line_for_the_keeper(capsys):
    failed = jobs.Report("publish_due", "0 published, 1 failed, 0 busy", ["practice/feedback v1: de schijf is vol"])
    with patch.object(jobs, "JOBS", (lambda: failed,)), pytest.raises(SystemExit) as exit:
        call_command("run_jobs")

    out, err = capsys.readouterr()
    assert exit.value.code == 1
    assert out.splitlines()[1] == "  publish_due: 0 published, 1 failed, 0 busy"
    assert err == "  publish_due: practice/feedback v1: de schijf is vol\n"


def test_a_database_that_is_away_is_said(capsys):
    def away():
        raise OperationalError("the server closed the connection")

    with (
        patch.object(jobs, "JOBS", (away,)),
        patch("knowledgebase.management.commands.run_jobs.connections.close_all"),
        pytest.raises(SystemExit),
    ):
        call_command("run_jobs")

    assert capsys.readouterr().err == "  The database failed: the server closed the connection\n"


def test_without_a_mail_server_it_says_what_to_set(capsys, settings):
    settings.EMAIL_IS_ON = False
    version = make_practice(state=Version.State.WITHDRAWN)
    OutboxMessage.objects.all().delete()
    OutboxMessage.objects.create(
        recipient=make_user("an", email="an@example.org"), kind="withdrawn", item=version.item, is_urgent=True,
        dedupe_key="x", data={"version": 1},
    )  # fmt: skip

    call_command("run_jobs")

    assert "  send_mails: mail is off (set EMAIL_URL), 1 messages wait\n" in capsys.readouterr().out


def test_the_loop_goes_on_until_it_is_told_to_stop(tmp_path):
    """In a process of its own, on a database without tables: a database that fails does not end it either."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_jobs", "--loop", "--every", "1"],
        cwd=ROOT,
        env=kept | {"LEERPUNT_MODE": "development", "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen = []
    while len(seen) < 2:  # a second round, after the first failed
        seen.append(process.stderr.readline())
    process.send_signal(signal.SIGTERM)
    out, _err = process.communicate(timeout=20)

    assert [line.startswith("  The database failed: ") for line in seen] == [True, True]
    assert process.returncode == 0
    assert out.endswith("Stopped.\n")
