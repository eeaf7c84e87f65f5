"""The package, the literal reading and the checker of certificates agree on random patients of every shipped set."""

from dataclasses import replace

import agree
import pytest

from itp_response.definitions.load import load, shipped
from itp_response.validation import random_patients
from itp_response.validation.bridge import as_literal

OF_EACH = 12
"""Patients of each set; `make long` decides thousands."""


@pytest.mark.parametrize("name", shipped())
def test_all_three_agree(name):
    found = agree.agreement(name, OF_EACH, seed=1)

    assert found.differences == []
    assert found.unread < OF_EACH / 2


def test_what_differs_is_found(monkeypatch):
    """If the package had every onset a day later, the literal reading would differ."""

    def later(classification):
        return [
            {name: replace(one, onset=one.onset and one.onset + 1) for name, one in verdicts.items()}
            for verdicts in as_literal(classification)
        ]

    monkeypatch.setattr(agree, "as_literal", later)

    assert any("OR: read literally onset" in one for one in agree.agreement("atra_2022", OF_EACH, seed=1).differences)


def test_the_patients_are_those_of_the_seed():
    """The same each time, and others by another seed; nobody is alike."""
    raw = load("nct00415532").raw
    first, again, others = (random_patients.random_patients(raw, 20, seed) for seed in (3, 3, 4))

    assert first == again
    assert len({repr(patient) for patient in (*first, *others)}) == 40
