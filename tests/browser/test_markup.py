"""Valid HTML on every kind of page, and style sheets without errors."""

import os
import shutil
import subprocess

import pytest

from tests.web.html_check import remarks

from .server import ROOT

WEB = ROOT / "tests/web"


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(f"{name} is missing")
        pytest.skip(f"{name} is missing")
    return found


@pytest.fixture(autouse=True)
def no_faults():
    """No browser is needed here."""


def test_html_is_valid(base_url):
    program("java")
    assert remarks(base_url) == []


def test_style_sheets_have_no_errors():
    command = [program("node"), "node_modules/stylelint/bin/stylelint.mjs", "--config", "stylelint.config.mjs"]
    sheets = sorted(str(path) for path in (ROOT / "static/css").glob("*.css"))
    done = subprocess.run([*command, *sheets], cwd=WEB, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
