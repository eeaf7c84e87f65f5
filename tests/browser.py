"""The browser that tests of pages drive: Debian's Chromium, one a worker. `conftest.py` makes the fixture known."""

from collections import defaultdict
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
LEAVE = "() => { localStorage.clear(); sessionStorage.clear(); location.replace('about:blank'); }"


@dataclass
class Browser:
    """Chromium, and the windows that tests have left, by device: the options of Playwright's contexts.

    A window costs more than most of what a test does in it, so the next test takes one that is left. By then it is
    blank, and what its page had stored is gone.
    """

    chromium: Any
    left: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def window(self, device: dict[str, Any]) -> Any:
        """A blank page."""
        if self.left[repr(device)]:
            return self.left[repr(device)].pop()
        context = self.chromium.new_context(**device)
        context.set_default_timeout(MILLISECONDS)
        return context.new_page()

    def leave(self, page: Any, device: dict[str, Any]) -> None:
        """The page goes blank by itself, which keeps its process; a page that the browser sends away loses it."""
        for other in page.context.pages[1:]:
            other.close()
        page.evaluate(LEAVE)
        page.wait_for_url("about:blank")
        page.mouse.move(0, 0)
        page.mouse.up()
        self.left[repr(device)].append(page)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started when the first test asks for it."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=MILLISECONDS)
        yield Browser(chromium)
        chromium.close()


@dataclass
class Opened:
    """A page as a person sees it, and what it did that a person does not see."""

    page: Any
    requests: list[str] = field(default_factory=list)
    """Addresses asked for, the page's own first."""
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, exceptions, what a policy refused."""

    def listeners(self) -> dict[str, Any]:
        """What is called for each event of the page."""

        def console(message: Any) -> None:
            if message.type in ("error", "warning"):
                self.complaints.append(message.text)

        return {
            "request": lambda request: self.requests.append(request.url),
            "pageerror": lambda error: self.complaints.append(str(error)),
            "console": console,
        }


@contextmanager
def opened(
    browser: Browser,
    address: str | Path,
    *,
    viewport: tuple[int, int] = (1280, 720),
    color_scheme: str = "light",
    reduced_motion: str = "no-preference",
    offline: bool = False,
    **device: Any,
) -> Iterator[Opened]:
    """The page at an address, or of a file, loaded anew.

    Of a test that fails within the block, nothing is used again.
    """
    shown = Opened(browser.window(device))
    shown.page.set_viewport_size({"width": viewport[0], "height": viewport[1]})
    shown.page.emulate_media(color_scheme=color_scheme, reduced_motion=reduced_motion)
    shown.page.context.set_offline(offline)
    listeners = shown.listeners()
    for event, listener in listeners.items():
        shown.page.on(event, listener)
    try:
        shown.page.goto(address.as_uri() if isinstance(address, Path) else address)
        yield shown
    except BaseException:
        shown.page.context.close()
        raise
    for event, listener in listeners.items():
        shown.page.remove_listener(event, listener)
    browser.leave(shown.page, device)
