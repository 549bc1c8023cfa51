"""Headless Chromium for page tests: the system's own, driven through playwright.

Where there is none, a test is skipped by name and reason, unless CI is set: then it fails.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from support.web import PASSWORD

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Return the path of a Chromium on PATH; skip the test (fail it under CI) when there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is not None:
        return found
    reason = f"no Chromium on PATH (looked for {', '.join(NAMES)}): this page was NOT tested in a browser"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Give a headless browser, closed at the end of the block."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def signed_in(browser: Browser, address: str, name: str, **context: Any) -> Iterator[Page]:
    """Give the first page of a user who signs in; what goes wrong in its scripts fails the test at the end.

    `context`: options of the browser's context, such as its viewport.
    """
    opened = browser.new_context(base_url=address, **context)
    page = opened.new_page()
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.goto("/sign-in")
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    yield page
    opened.close()
    assert mistakes == []
