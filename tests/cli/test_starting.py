"""Tests of how commands start: what libraries are kept from, and what is as it was after a command."""

import gc
import os
import subprocess
import sys

import pytest

from itp_response.cli.starting import SELDOM, UNNEEDED, started_quickly


@pytest.fixture
def environment(monkeypatch):
    """The variables as they are where nobody has set them; put back after the test."""
    for name in UNNEEDED:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return monkeypatch


def test_libraries_are_kept_from_what_no_command_needs(environment):
    with started_quickly():
        assert {name: os.environ[name] for name in UNNEEDED} == UNNEEDED


def test_what_the_user_has_set_stays(environment):
    environment.setenv("OPENBLAS_NUM_THREADS", "2")

    with started_quickly():
        assert os.environ["OPENBLAS_NUM_THREADS"] == "2"


def test_garbage_is_looked_for_seldom_until_the_command_ends(environment):
    before = gc.get_threshold()

    with started_quickly():
        within = gc.get_threshold()

    assert within == (SELDOM, *before[1:])
    assert gc.get_threshold() == before


def test_it_is_looked_for_as_before_after_a_command_that_was_stopped(environment):
    before = gc.get_threshold()

    with pytest.raises(KeyboardInterrupt), started_quickly():
        raise KeyboardInterrupt

    assert gc.get_threshold() == before


def test_the_end_says_nothing():
    """A library that looks for what was not released finds it, and does not report it."""
    pytest.importorskip("duckdb")
    program = "import itp_response.cli.starting, duckdb; duckdb.sql('select 1').fetchall()"

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ended.stderr == ""
