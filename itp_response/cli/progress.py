"""Progress: how far a long work is, in one line on standard error that is written over."""

import sys
import time
from collections.abc import Iterator, Sequence
from types import TracebackType

import click

WIDTH = 24
INTERVAL = 0.1
"""Seconds between two states that are shown."""


class ProgressBar:
    """A bar with a text behind it; nothing, if standard error is no terminal."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._shown_at = 0.0
        self._length = 0
        """Of the line that is shown."""

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._clear()

    def step(self, rows: int, patients: int, share: float) -> None:
        """Show the number of rows and patients that are done, and their share of the whole, 0 to 1."""
        self._show(share, f"{rows:,} rows  {patients:,} patients")

    def over(self, items: Sequence[str], label: str) -> Iterator[str]:
        """The items one by one; those given back before are done."""
        for number, item in enumerate(items):
            self._show(number / len(items), f"{number:,} of {len(items):,} {label}")
            yield item

    def say(self, text: str) -> None:
        """Show a line that stays."""
        self._clear()
        click.echo(text, err=True)

    def _show(self, share: float, text: str) -> None:
        now = time.monotonic()
        if self._on_terminal and now - self._shown_at > INTERVAL:
            self._shown_at = now
            full = round(WIDTH * share)
            line = f"{'█' * full}{'·' * (WIDTH - full)} {share:4.0%}  {text}"
            self._write(f"\r{line.ljust(self._length)}")
            self._length = len(line)

    def _clear(self) -> None:
        if self._length:
            self._write(f"\r{' ' * self._length}\r")
            self._length = 0

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
