"""Verdicts that were decided by hand, from public reports and published cases, in `hand_decided.csv`.

One line is one result. `timeline` is in the notation of criteria files; `baseline`, `discontinued` and `columns` are
what the patient table says. The headings from `value` to `event` are the columns of the endpoint: an empty cell is not
looked at, and `-` is a column that must be empty. `because` explains the patient, not the single endpoint.
The source `constructed` is a patient made up to try the definition.
"""

import csv
from functools import cache
from pathlib import Path

import pytest
from worked import patient_of

from itp_response.classification.classification import classify
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.load import load, shipped
from itp_response.validation import literal
from itp_response.validation.bridge import as_literal

Row = dict[str, str]
"""A line of the table, from heading to cell."""
Given = tuple[str, str, str, str]
"""A patient: timeline, baseline, day of discontinuation, declared columns."""

TABLE = Path(literal.__file__).with_name("hand_decided.csv")
COLUMNS = {
    "value": "{}",
    "day": "{}_day",
    "confirmed": "{}_confirmed_day",
    "reason": "{}_reason",
    "days": "{}_days",
    "of_days": "{}_of_days",
    "event": "{}_event",
}
"""The column of the frame that a heading stands for."""

with TABLE.open(encoding="utf-8", newline="") as file:
    ROWS: list[Row] = list(csv.DictReader(file))


def given(row: Row) -> Given:
    """What a line gives of its patient."""
    return row["timeline"], row["baseline"], row["discontinued"], row["columns"]


def by_name(patient: Given) -> Row:
    """The same by name, each declared column under its own."""
    timeline, baseline, discontinued, columns = patient
    own = dict(pair.split("=") for pair in columns.split())
    return {"timeline": timeline, "baseline": baseline, "discontinued": discontinued, **own}


def wanted(row: Row) -> Row:
    """The cells that were decided by hand."""
    return {heading: row[heading] for heading in COLUMNS if row[heading]}


def told(row: Row) -> str:
    """The line as a failure names it."""
    return f"{row['set']}, {row['endpoint']} of {row['timeline']}: {row['because']} ({row['source']})"


def text(cell: object) -> str:
    return "-" if cell is None else str(cell)


@cache
def decided(name: str) -> dict[Given, tuple[Row, dict[str, literal.LiteralVerdict]]]:
    """The columns and verdicts of each patient of a set; one cohort decides them all."""
    criteria = load(name)
    declared = criteria.file.columns
    patients = list(dict.fromkeys(given(row) for row in ROWS if row["set"] == name))
    named = [by_name(patient) for patient in patients]
    cohort = cohort_of(
        [patient["timeline"] for patient in named],
        visits=criteria.file.clock.visits,
        baseline=[patient["baseline"] or None for patient in named],
        treatment_discontinued=[int(patient["discontinued"]) if patient["discontinued"] else None for patient in named],
        columns=declared,
        patient=[{column: patient[column] for column in declared if column in patient} for patient in named],
    )
    classification = classify(cohort, criteria=criteria)
    frame = classification.frame().rows(named=True)
    columns = [{column: text(cell) for column, cell in cells.items()} for cells in frame]
    return dict(zip(patients, zip(columns, as_literal(classification), strict=True), strict=True))


@cache
def read_literally(name: str, patient: Given) -> dict[str, literal.LiteralVerdict] | None:
    """The verdicts by the literal reading; None where bounds leave more completions than it tries."""
    criteria = load(name)
    try:
        return literal.verdicts(criteria.raw, patient_of(by_name(patient), criteria))
    except literal.TooManyCompletionsError:
        return None


def engine(row: Row) -> Row:
    """What the engine gives for the cells that were decided by hand."""
    columns, verdicts = decided(row["set"])[given(row)]
    endpoint = row["endpoint"]
    # A time to an event has its value in no column of the frame.
    cells = {endpoint: verdicts[endpoint].value, **columns}
    return {heading: cells[COLUMNS[heading].format(endpoint)] for heading in wanted(row)}


by_hand = pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{row['set']}-{row['endpoint']}-{row['timeline']}") for row in ROWS]
)


class TestByHand:
    """The engine and the literal reading decide each line as the hand did."""

    @by_hand
    def test_engine(self, row: Row) -> None:
        assert engine(row) == wanted(row), told(row)

    @by_hand
    def test_literal_reading(self, row: Row) -> None:
        verdicts = read_literally(row["set"], given(row))
        if verdicts is None:
            pytest.skip("bounds leave more completions than the literal reading tries")
        verdict = verdicts[row["endpoint"]]
        cells = {
            "value": verdict.value,
            "day": verdict.day,
            "confirmed": verdict.confirming,
            "reason": verdict.reason,
            "days": verdict.days,
            "of_days": verdict.of_days,
            "event": {"Y": 1, "N": 0}.get(verdict.value),
        }
        assert {heading: text(cells[heading]) for heading in wanted(row)} == wanted(row), told(row)


class TestTable:
    """The table itself: each line has its set, its source, its reason and something that is decided."""

    def test_every_line_is_whole(self) -> None:
        assert [row for row in ROWS if row["set"] not in shipped() or not row["source"] or not row["because"]] == []
        assert [row for row in ROWS if not wanted(row)] == []

    def test_no_verdict_stands_twice(self) -> None:
        verdicts = [(row["set"], row["endpoint"], given(row)) for row in ROWS]
        assert len(set(verdicts)) == len(verdicts)
