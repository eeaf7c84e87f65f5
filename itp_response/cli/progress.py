"""Progress: how far a long classification is, in one line that is written over."""

import sys
import time
from types import TracebackType

import click

WIDTH = 24
EVERY = 0.1
"""Seconds between two looks."""


class Progress:
    """A bar with rows and patients on standard error; nothing, where that is no terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._last = 0.0
        self._long = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._write("")

    def step(self, rows: int, patients: int, share: float) -> None:
        """So many rows and patients are done, which is that share of all."""
        now = time.monotonic()
        if self._shown and now - self._last > EVERY:
            self._last = now
            full = round(WIDTH * share)
            self._write(f"{'█' * full}{'·' * (WIDTH - full)} {share:4.0%}  {rows:,} rows  {patients:,} patients")

    def say(self, text: str) -> None:
        """A line that stays."""
        self._write("")
        click.echo(text, err=True)

    def _write(self, text: str) -> None:
        if self._shown and (text or self._long):
            sys.stderr.write(f"\r{text.ljust(self._long)}\r" if not text else f"\r{text.ljust(self._long)}")
            sys.stderr.flush()
            self._long = len(text)
