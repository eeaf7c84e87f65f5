"""The bar: a terminal shows how far a long work is, and nothing of it stays; elsewhere there is nothing."""

import io
import sys

import pytest

from itp_response.cli.progress import ProgressBar


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
    with ProgressBar() as bar:
        bar.step(1, 1, 0.1)
        bar.say("visits.csv is sorted.")

    assert terminal.getvalue().endswith("\rvisits.csv is sorted.\n")


def test_without_a_terminal_only_sentences_are_written(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with ProgressBar() as bar:
        bar.step(1, 1, 0.5)
        assert list(bar.over(["a"], "patients")) == ["a"]
        bar.say("visits.csv is sorted.")

    assert sys.stderr.getvalue() == "visits.csv is sorted.\n"
