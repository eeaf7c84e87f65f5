"""Some mutants of valid inputs: each gives a result or one clear error. `make long` reads many more."""

import random

import pytest
from mutants import CHANGES, mutant
from run import in_turn, input_of, run, totals
from targets import TARGETS

EACH = 8
"""Inputs of each target, the valid ones first."""
SEED = 7
pytestmark = pytest.mark.xdist_group("damaged inputs")
"""One worker reads them, once for all."""


@pytest.fixture(scope="module")
def found():
    asked = in_turn(list(TARGETS), EACH * len(TARGETS))
    return totals(run(asked, seed=SEED, workers=1, patience=240.0))


@pytest.mark.parametrize("name", TARGETS)
def test_a_result_or_one_error(name, found):
    assert found[name].faults == {}
    assert found[name].inputs == EACH
    assert found[name].results, "no valid input was read"


def test_an_input_is_known_by_its_number(tmp_path):
    seeds = TARGETS["patients.csv"].seeds(tmp_path)

    assert input_of("patients.csv", 0, SEED, seeds) == seeds[0]
    assert input_of("patients.csv", 5, SEED, seeds) == input_of("patients.csv", 5, SEED, seeds) != seeds[0]


@pytest.mark.parametrize("content", [b"", b"a", b"a,b\n1,2\n"])
def test_every_change_is_of_bytes_of_any_length(content):
    for change in CHANGES:
        assert isinstance(change(content, random.Random(1)), bytes)
    assert isinstance(mutant(content, random.Random(1)), bytes)
