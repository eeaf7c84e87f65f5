"""Patients: the table of patients as it was written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.cohort.values import Column, Floats, Ints, Numbers, exactly
from itp_response.readers.cells import (
    are_days,
    as_counts,
    as_day_numbers,
    as_days,
    as_declared,
    as_texts,
    imputed,
    note_partial,
)
from itp_response.readers.column_names import NamedTable
from itp_response.readers.problems import Cells, Problems, UnreadableCells, as_text, first_few, quoted
from itp_response.readers.runs import Runs

Stopped = Literal["days", "dates"]


@dataclass(frozen=True)
class PatientTable:
    """The patients as written; an entry per row, the last empty."""

    table: NamedTable
    id: pl.Series
    rows: Ints
    """The row of each patient, twice the same taken once."""
    arm: pl.Series
    enrolment_date: Numbers
    """Days of the calendar."""
    enrolment_day: Floats
    baseline: Numbers
    stopped: Numbers
    """Days of the calendar where `stopped_dated`, else as counted in the visits."""
    not_imputed: tuple[Numbers, Numbers]
    """Enrolment and end of treatment before anything was imputed."""
    stopped_dated: bool
    columns: Mapping[str, Column]

    @property
    def listed(self) -> pl.Series:
        """The name of each patient."""
        # Mostly every row is a patient of his own, and no name need be held twice.
        alike = len(self.rows) and self.rows[-1] == len(self.rows) - 1
        return self.id[: len(self.rows)] if alike else self.id.gather(self.rows)


def read_patients(
    table: NamedTable,
    declared: Mapping[str, ColumnDeclared],
    date_format: str | None,
    problems: Problems,
    impute: str | None = None,
    told: Stopped | None = None,
) -> PatientTable:
    """The patients of that table; `told` is what the ends of treatment are, else it is seen from the cells."""
    table = table.with_empty_row()
    table.report_cell_problems(problems)
    stopped = table.cells("treatment_discontinued")
    stopped_dated = told == "dates" or (told is None and not are_days(stopped, date_format))
    or_day = " or whole days since enrolment"
    if stopped_dated:
        days_stopped = as_day_numbers(stopped, problems, date_format, or_day)
    else:
        days_stopped = exactly(as_days(stopped, problems))
        if told is None:
            check_no_flag(stopped, days_stopped.low, problems)
    enrolled = as_day_numbers(table.cells("enrolment_date"), problems, date_format)
    for name, days in (("enrolment_date", enrolled), ("treatment_discontinued", days_stopped)):
        note_partial(table.cells(name), days, problems, impute)
    ids = as_text(table.cells("patient_id").values)
    return PatientTable(
        table=table,
        id=ids,
        rows=_patient_rows(table, ids, problems),
        arm=as_texts(table.cells("arm"), problems).alias("arm"),
        enrolment_date=imputed(enrolled, impute),
        enrolment_day=as_days(table.cells("enrolment_day"), problems),
        baseline=as_counts(table.cells("baseline"), problems),
        stopped=imputed(days_stopped, impute),
        not_imputed=(enrolled, days_stopped),
        stopped_dated=stopped_dated,
        columns={name: as_declared(table.cells(name), column, problems)[0] for name, column in declared.items()},
    )


def check_no_flag(stopped: Cells, days: Floats, problems: Problems) -> None:
    """A column of 0 and 1 says that treatment was stopped, not when."""
    given = days[~np.isnan(days)]
    if len(given) and np.isin(given, (0, 1)).all() and not stopped.name.lower().endswith("day"):
        cure = "give the day or date; if these are days, name the column 'discontinuation_day'"
        problems.wrong(stopped.location, f"{stopped.name}: 0 and 1 do not say when treatment was stopped; {cure}.")


def _patient_rows(table: NamedTable, ids: pl.Series, problems: Problems) -> Ints:
    """The first row of each patient; what a later one has otherwise is found wrong."""
    given = ids.is_not_null()
    if not table.has("patient_id"):
        return np.flatnonzero(given.to_numpy())
    nameless = (~given).arg_true().to_numpy()
    recorded = np.zeros(len(nameless), dtype=np.bool_)
    for name in table.header:
        recorded |= as_text(table.cells(name).values.gather(nameless)).is_not_null().to_numpy()
    problems.wrong_cells(table.cells("patient_id"), nameless[recorded], lambda _: "the patient is missing; fill it in.")

    new = ids.is_first_distinct()
    rows, again = (given & new).arg_true(), (given & ~new).arg_true()
    if not len(again):
        return rows.to_numpy()
    texts = {name: as_text(table.cells(name).values) for name in table.header}
    first = rows.to_numpy()[positions_of(ids.gather(again), ids.gather(rows))]
    differ = np.zeros(len(again), dtype=np.bool_)
    for name, text in texts.items():
        other = text.gather(again).ne_missing(text.gather(first)).to_numpy()
        differ |= other
        for one, two in zip(first[other].tolist(), again.to_numpy()[other].tolist(), strict=True):
            _found_twice(table, table.header[name], (one, two), text, ids[two], problems)
    same = ids.gather(again).to_numpy()[~differ]
    if len(same):
        patients = dict.fromkeys(same.tolist())
        problems.note(table.location, f"In more than one {table.location.row_word}, the same: {first_few(patients)}.")
    return rows.to_numpy()


def _found_twice(
    table: NamedTable, column: str, rows: tuple[int, int], texts: pl.Series, patient: str, problems: Problems
) -> None:
    lines = [table.location.line(row) for row in rows]
    values = [quoted(texts[row]) if texts[row] is not None else "nothing" for row in rows]
    what = f"{column}: {' and '.join(values)} for the same patient {quoted(patient)}"
    reason = f"{what} (first in {table.location.row_word} {lines[0]}); keep one."
    both = UnreadableCells(table.cells("patient_id"), np.array(rows), lambda _: reason)
    problems.wrong(table.location, reason, lines[1], unreadable=[both])


def positions_of(ids: pl.Series, known: pl.Series) -> Ints:
    """Where each id stands among those known; -1: nowhere."""
    if not len(ids):
        return np.zeros(0, dtype=np.int64)
    # A patient's rows mostly follow each other, so that each run need be looked up but once.
    runs = Runs.of(ids)
    places = pl.DataFrame({"id": known, "place": np.arange(len(known))})
    asked = runs.names.alias("id").to_frame()
    place = asked.join(places, on="id", how="left", maintain_order="left")["place"].fill_null(-1).to_numpy()
    found: Ints = runs.spread(place)
    return found
