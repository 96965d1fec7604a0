"""Ways to another page that are over when the page is there: what is looked at next is not the page before."""

import re

from playwright.sync_api import Locator, Page

from .prepare_desk import PASSWORD


def log_in(page: Page, name: str) -> None:
    """As one of the accounts of a test site."""
    page.goto("/aanmelden/")
    page.locator("#id_username").fill(name)
    page.locator("#id_password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"^http://[^/]+/(?!aanmelden)"))


def follow(link: Locator) -> None:
    """Click a link or a button of a form."""
    with link.page.expect_navigation():
        link.click()
