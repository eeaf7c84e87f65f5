"""Results that were decided by hand, from published cases and public reports, in `hand_decided.csv`.

One line is one result. `timeline` is in the notation of criteria files; `baseline`, `discontinued` and `columns` are
what the patient table says. The headings from `value` to `event` are the columns of the endpoint: an empty cell is not
looked at, and `-` is a column that must be empty. `because` explains the patient, not the single endpoint.
The source `constructed` is a patient made up to try the definition.
"""

import csv
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from itp_response.classification.classification import Classification, classify
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.load import load
from itp_response.validation.section import compared

HandDecided = dict[str, str]
"""A line of the table, from heading to cell."""
GivenPatient = tuple[str, str, str, str]
"""A patient: timeline, baseline, day of discontinuation, declared columns."""
TABLE = Path(__file__).with_name("hand_decided.csv")
CELLS = {
    "value": "{}",
    "day": "{}_day",
    "confirmed": "{}_confirmed_day",
    "reason": "{}_reason",
    "days": "{}_days",
    "of_days": "{}_of_days",
    "event": "{}_event",
}
"""The column of the frame that a heading stands for."""
COLUMNS = ("set", "source", "because", "timeline", "given", "column", "expected", "got")


@cache
def hand_decided() -> tuple[HandDecided, ...]:
    """The lines of the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def given_patient(row: HandDecided) -> GivenPatient:
    """What a line gives of its patient."""
    return row["timeline"], row["baseline"], row["discontinued"], row["columns"]


def by_name(patient: GivenPatient) -> HandDecided:
    """The same by name, each declared column under its own."""
    timeline, baseline, discontinued, columns = patient
    own = dict(pair.split("=") for pair in columns.split())
    return {"timeline": timeline, "baseline": baseline, "discontinued": discontinued, **own}


def decided_cells(row: HandDecided) -> HandDecided:
    """The cells that were decided by hand."""
    return {heading: row[heading] for heading in CELLS if row[heading]}


def classified(name: str) -> tuple[tuple[GivenPatient, ...], Classification]:
    """The patients of a set, and their classification; one cohort decides them all."""
    criteria = load(name)
    declared = criteria.file.columns
    patients = tuple(dict.fromkeys(given_patient(row) for row in hand_decided() if row["set"] == name))
    named = [by_name(patient) for patient in patients]
    cohort = cohort_of(
        [patient["timeline"] for patient in named],
        visits=criteria.file.clock.visits,
        baseline=[patient["baseline"] or None for patient in named],
        treatment_discontinued=[int(patient["discontinued"]) if patient["discontinued"] else None for patient in named],
        columns=declared,
        patient=[{column: patient[column] for column in declared if column in patient} for patient in named],
    )
    return patients, classify(cohort, criteria=criteria)


def engine_cells(name: str) -> dict[GivenPatient, dict[str, Any]]:
    """The columns of each patient of a set, as the engine decides them."""
    patients, classification = classified(name)
    values = {
        endpoint: [verdict.labels[code] for code in verdict.value.tolist()]
        for endpoint, verdict in classification.verdicts.items()
    }
    # A time to an event has its value in no column of the frame.
    return {
        patient: {**{endpoint: of_all[place] for endpoint, of_all in values.items()}, **cells}
        for place, (patient, cells) in enumerate(
            zip(patients, classification.frame().iter_rows(named=True), strict=True)
        )
    }


def cell_text(cell: object) -> str:
    """A cell as the table has it."""
    return "-" if cell is None else str(cell)


def hand_decided_results(names: Sequence[str]) -> pl.DataFrame:
    """A row per cell that was decided by hand for these shipped sets."""
    return compared(COLUMNS, (row for name in names for row in _rows(name)))


def _rows(name: str) -> Iterator[tuple[Any, ...]]:
    rows = [row for row in hand_decided() if row["set"] == name]
    decided = engine_cells(name) if rows else {}
    for row in rows:
        patient = given_patient(row)
        given = "; ".join(f"{key} {value}" for key, value in by_name(patient).items() if value and key != "timeline")
        about = (load(name).marked_name, row["source"], row["because"], row["timeline"], given)
        for heading, expected in decided_cells(row).items():
            column = CELLS[heading].format(row["endpoint"])
            yield (*about, column, expected, cell_text(decided[patient][column]))
