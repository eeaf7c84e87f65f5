"""The bar: a terminal shows how far a long work is, and nothing of it stays; elsewhere there is nothing."""

import io
import sys

import click
import pytest
from patience import until

from itp_response.cli import main
from itp_response.cli.progress import BAR, ProgressBar
from itp_response.cli.terminal import say


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal():
    """Put in place by the test: pytest puts its own there after the fixtures."""
    return Terminal()


def last_line(text):
    """What is left on a line after all that was written over it."""
    shown = ""
    for written in text.split("\r"):
        shown = written + shown[len(written) :]
    return shown.strip()


def test_items_are_given_back_while_the_bar_counts_them(terminal, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal)
    with ProgressBar() as bar:
        items = bar.over(["a", "b"], "patients")
        assert next(items) == "a"
        assert last_line(terminal.getvalue()) == f"{'·' * 24}   0%  0 of 2 patients"
        assert list(items) == ["b"]

    assert last_line(terminal.getvalue()) == ""


def test_rows_and_patients(terminal, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal)
    with ProgressBar() as bar:
        bar.step(1500, 75, 0.5)
        assert last_line(terminal.getvalue()) == f"{'█' * 12}{'·' * 12}  50%  1,500 rows  75 patients"

    assert last_line(terminal.getvalue()) == ""


def test_a_sentence_stays(terminal, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal)
    with click.Context(main) as context, ProgressBar() as bar:
        context.meta[BAR] = bar
        bar.step(1, 1, 0.1)
        say("visits.csv is sorted.")

    assert terminal.getvalue().endswith("\rvisits.csv is sorted.\n")


@pytest.mark.parametrize("wanted", [True, False])
def test_nothing_is_shown_without_a_terminal_or_where_it_is_not_wanted(terminal, monkeypatch, wanted):
    monkeypatch.setattr(sys, "stderr", io.StringIO() if wanted else terminal)
    with ProgressBar(wanted=wanted, patience=0) as bar:
        bar.step(1, 1, 0.5)
        assert list(bar.over(["a"], "patients")) == ["a"]

    assert sys.stderr.getvalue() == ""


def test_a_work_whose_share_is_not_known_shows_the_seconds(terminal, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal)
    with ProgressBar(patience=0):
        until(lambda: f"{'·' * 24}  0 s" in terminal.getvalue())

    assert last_line(terminal.getvalue()) == ""


def test_nothing_is_shown_once_it_was_stopped(terminal, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal)
    with ProgressBar(patience=0) as bar:
        bar.stop()
        before = terminal.getvalue()
        bar.step(1, 1, 0.5)

    assert terminal.getvalue() == before


def test_every_command_has_a_bar_but_those_that_wait_for_somebody():
    assert {name for name, command in main.commands.items() if not command.has_bar} == {"quiz", "teach"}
