"""Logging in as one of the accounts of a test site."""

import re

from playwright.sync_api import Page

from .prepare_desk import PASSWORD


def log_in(page: Page, name: str) -> None:
    page.goto("/aanmelden/")
    page.locator("#id_username").fill(name)
    page.locator("#id_password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"^http://[^/]+/(?!aanmelden)"))
