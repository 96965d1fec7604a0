"""Debian's chromium, through Playwright, against the real server. Nothing here touches the tests' own database."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, expect

from .server import ROOT, serving

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
AXE = Path(os.environ.get("AXE_JS", ROOT / "tests/web/node_modules/axe-core/axe.min.js"))
PATIENCE = 20_000  # milliseconds for what a page must show: a busy machine is no fault of the page
expect.set_options(timeout=PATIENCE)
WCAG22AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    quiet = [
        "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ]  # fmt: skip
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": quiet}


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """The site, with the demonstration's texts; `page.goto("/praktijken/")` asks it."""
    with serving() as url:
        yield url


@pytest.fixture(scope="module")  # a module may serve another site
def browser_context_args(browser_context_args: dict[str, Any], base_url: str) -> dict[str, Any]:
    # Smooth scrolling would make "is it in view after Tab?" a question of time.
    return {**browser_context_args, "base_url": base_url, "reduced_motion": "reduce", "locale": "nl-BE"}


@pytest.fixture
def faults(context: BrowserContext, base_url: str) -> list[str]:
    """Requests to other hosts, errors in the console and errors on the page, of all pages of this test."""
    found: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((base_url + "/", "data:", "blob:", "about:")):
            found.append(f"another host: {request.url}")

    def said(message: ConsoleMessage) -> None:
        # a page that answers 404 or 410 on purpose is told in the console as well
        expected = message.location.get("url") == message.page.url if message.page else False
        if message.type in ("error", "warning") and not (expected and "Failed to load resource" in message.text):
            found.append(f"console: {message.text}")

    context.on("request", asked)
    context.on("console", said)
    context.on("weberror", lambda error: found.append(f"error: {error.error}"))
    return found


@pytest.fixture(autouse=True)
def no_faults(faults: list[str]) -> Iterator[None]:
    """Everything comes from our own host and nothing complains, the content security policy included."""
    yield
    assert faults == []


@pytest.fixture
def axe(page: Page) -> Callable[[], list[tuple[str, list[str]]]]:
    """Runs axe on the page as it is; which rules of WCAG 2.2 A and AA fail, and on what."""
    source = AXE.read_text(encoding="utf-8")

    def run() -> list[tuple[str, list[str]]]:
        page.evaluate(f"if (!window.axe) {{ {source} }}")  # unlike a script tag, the policy lets this through
        result = page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", WCAG22AA
        )
        return [
            (rule["id"], [f"{node['target']} {node['failureSummary']}" for node in rule["nodes"]])
            for rule in result["violations"]
        ]

    return run
