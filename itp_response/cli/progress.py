"""Progress: how far a long work is, in one line on standard error that is written over.

Every command has one bar. Where its share of the work is not known, the bar shows the seconds that have passed.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from threading import Event, RLock, Thread
from types import TracebackType

import click

WIDTH = 24
INTERVAL = 0.1
"""Seconds between two states that are shown."""
PATIENCE = 1.0
"""Seconds before the bar of a work whose share is not known is shown."""
BAR = "itp_response.bar"
"""The key in a context of click under which the bar stands."""


class ProgressBar:
    """A bar with a text behind it; nothing, if standard error is no terminal, or where it is not wanted."""

    def __init__(self, *, wanted: bool = True, patience: float = PATIENCE) -> None:
        self._on_terminal = wanted and sys.stderr is not None and sys.stderr.isatty()
        self._patience = patience
        self._shown_at = 0.0
        self._has_share = False
        self._shown = ""
        """The line that is shown."""
        self._writing = RLock()
        self._ended = Event()

    def __enter__(self) -> "ProgressBar":
        if self._on_terminal:
            Thread(target=self._count_seconds, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def step(self, rows: int, patients: int, share: float) -> None:
        """Show the number of rows and patients that are done, and their share of the whole, 0 to 1."""
        self._show(share, f"{rows:,} rows  {patients:,} patients")

    def over(self, items: Sequence[str], label: str) -> Iterator[str]:
        """The items one by one; those given back before are done."""
        for number, item in enumerate(items):
            self._show(number / len(items), f"{number:,} of {len(items):,} {label}")
            yield item

    def stop(self) -> None:
        """Show no more."""
        self._ended.set()
        self.clear()

    def clear(self) -> None:
        """Take the line away, so that another can be written."""
        with self._writing:
            if self._shown:
                self._write(f"\r{' ' * len(self._shown)}\r")
                self._shown = ""

    def _count_seconds(self) -> None:
        """Show the seconds for as long as nothing tells the share."""
        started = time.monotonic()
        while not self._ended.wait(INTERVAL):
            seconds = time.monotonic() - started
            if seconds > self._patience and not self._has_share:
                self._line("·" * WIDTH, f"{seconds:.0f} s")

    def _show(self, share: float, text: str) -> None:
        now = time.monotonic()
        self._has_share = True
        if self._on_terminal and now - self._shown_at > INTERVAL:
            self._shown_at = now
            full = round(WIDTH * share)
            self._line(f"{'█' * full}{'·' * (WIDTH - full)} {share:4.0%}", text)

    def _line(self, bar: str, text: str) -> None:
        with self._writing:
            line = f"{bar}  {text}"
            if line != self._shown and not self._ended.is_set():
                self._write(f"\r{line.ljust(len(self._shown))}")
                self._shown = line

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def current_bar() -> ProgressBar:
    """The bar of the command that runs; one that shows nothing where none does."""
    context = click.get_current_context(silent=True)
    bar = context.meta.get(BAR) if context else None
    return bar or ProgressBar(wanted=False)
