"""The browser that tests of pages drive: Debian's Chromium, one a worker. `conftest.py` makes the fixture known."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, started when the first test asks for it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@dataclass
class Opened:
    """A page as a person has it before him, and what it did that he does not see."""

    page: Any
    requests: list[str] = field(default_factory=list)
    """Addresses asked for, the page's own first."""
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, exceptions, what a policy refused."""


@contextmanager
def opened(browser: Any, address: str | Path, **options: Any) -> Iterator[Opened]:
    """The page at an address, or of a file, in a context of its own; `options` are Playwright's of the context."""
    context = browser.new_context(**options)
    try:
        found = Opened(context.new_page())
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on(
            "console",
            lambda message: found.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        found.page.goto(address.as_uri() if isinstance(address, Path) else address)
        yield found
    finally:
        context.close()
