"""The browser that tests of pages drive: Debian's Chromium, one a worker. `conftest.py` makes the fixture known."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE

CHROMIUM = "/usr/bin/chromium"
MILLISECONDS = PATIENCE * 1000
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, started when the first test asks for it."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=MILLISECONDS)
        yield chromium
        chromium.close()


@dataclass
class Opened:
    """A page as a person sees it, and what it did that a person does not see."""

    page: Any
    requests: list[str] = field(default_factory=list)
    """Addresses asked for, the page's own first."""
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, exceptions, what a policy refused."""


@contextmanager
def opened(browser: Any, address: str | Path, **options: Any) -> Iterator[Opened]:
    """The page at an address, or of a file, in a context of its own; `options` are Playwright's of the context."""
    context = browser.new_context(**options)
    context.set_default_timeout(MILLISECONDS)
    try:
        shown = Opened(context.new_page())
        shown.page.on("request", lambda request: shown.requests.append(request.url))
        shown.page.on("pageerror", lambda error: shown.complaints.append(str(error)))
        shown.page.on(
            "console",
            lambda message: shown.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        shown.page.goto(address.as_uri() if isinstance(address, Path) else address)
        yield shown
    finally:
        context.close()
