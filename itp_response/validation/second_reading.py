"""The second reading: generated patients, decided by the engine and by the literal reading."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any, NamedTuple

import polars as pl

from itp_response.classification.classification import classify
from itp_response.definitions.criteria import Criteria
from itp_response.validation import literal
from itp_response.validation.bridge import as_literal, cohort_of
from itp_response.validation.literal import LiteralVerdict
from itp_response.validation.random_patients import random_patients
from itp_response.validation.section import compared

SEED = 2022
SHOWN = 5
"""Differences of an endpoint that are listed."""
COLUMNS = ("set", "endpoint", "patients", "values", "not_read", "differences", "expected", "got")


class Difference(NamedTuple):
    """A part of a verdict on which the literal reading and the engine differ."""

    endpoint: str
    part: str
    read: Any
    decided: Any


def differences(
    raw: Mapping[str, Any], patient: literal.Patient, decided: Mapping[str, LiteralVerdict]
) -> Iterator[Difference]:
    """Where the literal reading of a patient says something else than the engine decided.

    Raises `literal.TooManyCompletionsError` for a patient with more completions than the literal reading looks at.
    """
    for name, verdict in literal.verdicts(dict(raw), patient).items():
        other = asdict(decided[name])
        for part, read in asdict(verdict).items():
            if read != other[part]:
                yield Difference(name, part, read, other[part])


def second_reading_results(criteria: Criteria, number: int) -> pl.DataFrame:
    """A row per endpoint of the set, over that number of generated patients: all the results and those that agree."""
    patients = random_patients(criteria.raw, number, SEED)
    classification = classify(cohort_of(patients, criteria.file.columns), criteria=criteria)
    verdicts = as_literal(classification)
    different: dict[str, dict[int, list[Difference]]] = {name: {} for name in criteria.endpoints}
    unread = 0
    for position, (patient, decided) in enumerate(zip(patients, verdicts, strict=True)):
        try:
            for one in differences(criteria.raw, patient, decided):
                different[one.endpoint].setdefault(position, []).append(one)
        except literal.TooManyCompletionsError:
            unread += 1
    read = number - unread
    return compared(
        COLUMNS,
        [
            (
                *(criteria.marked_name, name, number, _values(verdicts, name), unread, _listed(of_endpoint)),
                *(f"{read} agree", f"{read - len(of_endpoint)} agree"),
            )
            for name, of_endpoint in different.items()
        ],
    )


def _values(verdicts: Sequence[Mapping[str, LiteralVerdict]], name: str) -> str:
    """How often each value was given."""
    numbers = Counter(decided[name].value for decided in verdicts)
    return ", ".join(f"{value} {number}" for value, number in sorted(numbers.items()))


def _listed(different: Mapping[int, Sequence[Difference]]) -> str:
    """The first patients that differ, each with what the literal reading and the engine say."""
    said = [
        f"patient {position}: {one.part} {one.read} read literally, {one.decided} by the engine"
        for position, of_patient in islice(different.items(), SHOWN)
        for one in of_patient
    ]
    return "; ".join([*said, *(["…"] if len(different) > SHOWN else [])])
