"""Patients: the table of patients, read column by column."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from itp_response.cohort.declared_columns import ColumnDeclared, day_columns, with_empty
from itp_response.cohort.values import Column, Floats, Ints, Numbers, exactly
from itp_response.messages.codes import Code
from itp_response.readers.cell_errors import without_cell_errors
from itp_response.readers.cells import as_declared, as_texts
from itp_response.readers.column_names import NamedTable
from itp_response.readers.count_units import CountUnit, ask_about_like_units, counts_of
from itp_response.readers.dates import are_days, as_day_numbers, as_days, imputed, note_partial
from itp_response.readers.ids import check_long, note_not_given
from itp_response.readers.known_names import BESIDE
from itp_response.readers.missing_codes import ask_about_baselines, without_codes
from itp_response.readers.options import ReadOptions
from itp_response.readers.patient_index import ascend
from itp_response.readers.plausible_counts import count_sizes, expect_decimals
from itp_response.readers.problems import Cells, Problems, UnreadableCells, as_text, first_few, quoted
from itp_response.readers.runs import Runs

Stopped = Literal["days", "dates"]


@dataclass(frozen=True)
class PatientTable:
    """The patients; one entry per row, and an empty last row for patients who are not in the table. NaN: not given."""

    table: NamedTable
    id: pl.Series
    rows: Ints
    """The first row of each patient."""
    arm: pl.Series
    """The arm assigned."""
    actual_arm: pl.Series | None
    """The arm whose treatment was given; None: the table has no such column."""
    enrolment_date: Numbers
    """Days since 1970."""
    enrolment_day: Floats
    baseline: Numbers
    """In 10⁹/L."""
    baseline_unit: CountUnit
    stopped: Numbers
    """Days since 1970 where `stopped_dated`, else days as in the visits."""
    not_imputed: tuple[Numbers, Numbers]
    """Enrolment and end of treatment before dates were imputed."""
    stopped_dated: bool
    columns: Mapping[str, Column]
    day_columns: Mapping[str, float]
    """As `declared_columns.day_columns`."""

    @property
    def listed(self) -> pl.Series:
        """The id of each patient."""
        # Mostly each row is another patient, and the ids need no copy.
        all_rows = len(self.rows) and self.rows[-1] == len(self.rows) - 1
        return self.id[: len(self.rows)] if all_rows else self.id.gather(self.rows)


def read_patients(
    table: NamedTable,
    declared: Mapping[str, ColumnDeclared],
    options: ReadOptions,
    problems: Problems,
    stopped_as: Stopped | None = None,
) -> PatientTable:
    """The patients of a table; the options are those of `read`.

    `stopped_as` says whether ends of treatment are days or dates; None: what most of the cells look like.
    """
    table = without_codes(without_cell_errors(table.with_empty_row(), problems), options.told | table.told, problems)
    table.report_cell_problems(problems)
    stopped = table.cells("treatment_discontinued")
    written, numbering = options.dates_of_patients, options.day_numbering
    stopped_dated = stopped_as == "dates" or (stopped_as is None and not are_days(stopped, written))
    if stopped_dated:
        days_stopped = as_day_numbers(stopped, problems, written, " or whole days since enrolment")
    else:
        days_stopped = exactly(as_days(stopped, problems, numbering))
        if stopped_as is None:
            check_no_flag(stopped, days_stopped.low, problems)
    enrolled = as_day_numbers(table.cells("enrolment_date"), problems, written)
    for name, days in (("enrolment_date", enrolled), ("treatment_discontinued", days_stopped)):
        note_partial(table.cells(name), days, problems, options.impute)
    ids = _ids(table, options, problems)
    baseline, baseline_unit = _baseline(table, options, problems)
    arm, actual_arm = _arms(table, problems)
    return PatientTable(
        table=table,
        id=ids,
        rows=_patient_rows(table, ids, problems),
        arm=arm,
        actual_arm=actual_arm,
        enrolment_date=imputed(enrolled, options.impute),
        enrolment_day=as_days(table.cells("enrolment_day"), problems, numbering),
        baseline=baseline,
        baseline_unit=baseline_unit,
        stopped=imputed(days_stopped, options.impute),
        not_imputed=(enrolled, days_stopped),
        stopped_dated=stopped_dated,
        columns=_further_columns(table, declared, problems),
        day_columns=day_columns(declared),
    )


def _further_columns(
    table: NamedTable, declared: Mapping[str, ColumnDeclared], problems: Problems
) -> dict[str, Column]:
    return {
        name: with_empty(as_declared(table.cells(name), column, problems)[0], column)
        for name, column in declared.items()
    }


def _arms(table: NamedTable, problems: Problems) -> tuple[pl.Series, pl.Series | None]:
    """The arm assigned and the arm whose treatment was given; the second in place of the first where that is empty."""
    arm = as_texts(table.cells("arm"), problems).alias("arm")
    if not table.has("actual_arm"):
        return arm, None
    cells = table.cells("actual_arm")
    actual_arm = as_texts(cells, problems).alias("actual_arm")
    if arm.null_count() < len(arm) or actual_arm.null_count() == len(actual_arm):
        return arm, actual_arm
    text = f"no arm assigned is recorded; the arm whose treatment was given ({cells.name}) is taken in its place."
    problems.note(table.location, text)
    return actual_arm.alias("arm"), actual_arm


def _ids(table: NamedTable, options: ReadOptions, problems: Problems) -> pl.Series:
    cells = table.cells("patient_id")
    ids = as_text(cells.values)
    check_long(cells, ids, options.long_ids, problems)
    note_not_given(cells, ids, problems)
    return ids


def _baseline(table: NamedTable, options: ReadOptions, problems: Problems) -> tuple[Numbers, CountUnit]:
    """The baseline counts in 10⁹/L, and what is known of their unit."""
    ask_about_like_units(table, "baseline", "baseline_unit", options, problems)
    counts, unit = counts_of(table, "baseline", "baseline_unit", options, problems)
    if table.has("baseline"):
        cells = table.cells("baseline")
        expect_decimals(cells, options.accept, problems)
        problems.expect(count_sizes(cells, unit, counts, options.accept))
        ask_about_baselines(table, counts, options.told | table.told, problems)
    return counts, unit


def check_no_flag(stopped: Cells, days: Floats, problems: Problems) -> None:
    """Report a column of 0 and 1, which says that treatment was stopped but not when."""
    given = days[~np.isnan(days)]
    if len(given) and np.isin(given, (0, 1)).all() and not stopped.name.lower().endswith("day"):
        cure = "give the day or date; if these are days, name the column 'discontinuation_day'"
        problems.wrong(stopped.location, f"{stopped.name}: 0 and 1 do not say when treatment was stopped; {cure}.")


def _patient_rows(table: NamedTable, ids: pl.Series, problems: Problems) -> Ints:
    """The first row of each patient. A later row with another value is reported."""
    given = ids.is_not_null()
    if not table.has("patient_id"):
        return np.flatnonzero(given.to_numpy())
    nameless = (~given).arg_true().to_numpy()
    recorded = np.zeros(len(nameless), dtype=np.bool_)
    for name in table.header.keys() - BESIDE:
        recorded |= as_text(table.cells(name).values.gather(nameless)).is_not_null().to_numpy()
    cells = table.cells("patient_id")
    unreported = problems.not_reported(cells, nameless[recorded])
    problems.wrong_cells(cells, unreported, lambda _: "the patient is missing; fill it in.", Code.CELL_EMPTY)

    if ascend(ids.drop_nulls()):  # mostly, and then no row is compared with all others
        return given.arg_true().to_numpy()
    new = ids.is_first_distinct()
    rows, repeated = (given & new).arg_true().to_numpy(), (given & ~new).arg_true().to_numpy()
    if len(repeated):
        _check_repeated(table, ids, rows[positions_of(ids.gather(repeated), ids.gather(rows))], repeated, problems)
    return rows


def _check_repeated(table: NamedTable, ids: pl.Series, first: Ints, repeated: Ints, problems: Problems) -> None:
    """Report repeated rows of a patient that differ from the first, and note those that do not."""
    differ = np.zeros(len(repeated), dtype=np.bool_)
    for name, header in table.header.items():
        if name in BESIDE:
            continue
        texts = as_text(table.cells(name).values)
        other = texts.gather(repeated).ne_missing(texts.gather(first)).to_numpy()
        differ |= other
        for rows in zip(first[other].tolist(), repeated[other].tolist(), strict=True):
            _report_two_values(table, header, rows, texts, ids[rows[1]], problems)
    same = ids.gather(repeated[~differ])
    if len(same):
        patients = dict.fromkeys(same.to_list())
        problems.note(table.location, f"In more than one {table.location.row_word}, the same: {first_few(patients)}.")


def _report_two_values(
    table: NamedTable, column: str, rows: tuple[int, int], texts: pl.Series, patient: str, problems: Problems
) -> None:
    lines = [table.location.line(row) for row in rows]
    values = [quoted(texts[row]) if texts[row] is not None else "nothing" for row in rows]
    what = f"{column}: {' and '.join(values)} for the same patient {quoted(patient)}"
    reason = f"{what} (first in {table.location.row_word} {lines[0]}); keep one."
    both = UnreadableCells(table.cells("patient_id"), np.array(rows), lambda _: reason)
    problems.wrong(table.location, reason, lines[1], unreadable=[both], code=Code.CELL_CONTRADICTED)


def positions_of(ids: pl.Series, known: pl.Series) -> Ints:
    """The position of each id in `known`, which has each id once; -1: it is not there.

    >>> positions_of(pl.Series(["P2", "P2", "P9"]), pl.Series(["P1", "P2"])).tolist()
    [1, 1, -1]
    """
    if not len(ids):
        return np.zeros(0, dtype=np.int64)
    # A patient's rows mostly follow each other, and each run is looked up once.
    runs = Runs.of(ids)
    positions = pl.DataFrame({"id": known, "position": np.arange(len(known))})
    joined = runs.names.alias("id").to_frame().join(positions, on="id", how="left", maintain_order="left")
    of_rows: Ints = runs.spread(joined["position"].fill_null(-1).to_numpy())
    return of_rows
