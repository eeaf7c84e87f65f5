"""How long a test waits for something that happens beside it: in a browser, a server, another process."""

import time
from collections.abc import Callable

PATIENCE = 120.0
"""Seconds after which what is waited for will not come. On an idle machine it comes within ten; the rest is for
machines that are ten times slower or busy. No test waits longer than it has to."""


def until(happened: Callable[[], object]) -> None:
    """Returns when it has happened; for what gives no sign of its own, such as a file of another process."""
    end = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {PATIENCE:g} seconds")
        time.sleep(0.01)
