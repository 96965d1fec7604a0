"""The torture of `make torture`, in small: processes killed while they move texts."""

import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite writes one at a time: PostgreSQL is what is tortured")
def test_ten_kills_lose_nothing_and_leave_nothing_half_done():
    command = [sys.executable, "-m", "tests.torture", "--kills", "10", "--seed", "7"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    figures = dict(re.findall(r"^\| (.+?) \| (\d+) \|$", done.stdout, re.MULTILINE))
    assert figures["kills"] == "10"
    assert int(figures["moves acknowledged"]) > 0
    assert [figures[name] for name in ("faults found", "acknowledged moves lost", "– there in part")] == ["0"] * 3
