"""Edited: copies of a cohort's patients in which one observation was changed, as a cohort.

They are decided like any patients, so that no kind of endpoint knows why a change was tried. The parts of which a
changed copy is made, `copied_rows`, `copied_courses` and `copied_patients`, serve other changes too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared, column_of
from itp_response.cohort.observations import Observations, Patients
from itp_response.cohort.values import (
    NONE,
    Bools,
    Column,
    Floats,
    Ints,
    Numbers,
    Texts,
    Truths,
    exactly,
    ranges,
    with_bounds,
)

KINDS = ("count", "day", "bleeding", "grade", "rescue", "discontinuation", "lost", "added", "baseline")
"""The changes: another count; another day of an observation; no bleeding; grade 0 where none was recorded; no rescue
treatment; no discontinuation of treatment; no observation; a further count; another baseline than the one given."""
COUNT, DAY, BLEEDING, GRADE, RESCUE, STOPPED, LOST, ADDED, BASELINE = range(len(KINDS))


@dataclass(frozen=True)
class Edits:
    """Changes of one thing each, an entry per change (K)."""

    patient: Ints
    """(K) Position in the cohort."""
    kind: Ints
    """(K) Index of `KINDS`."""
    row: Ints
    """(K) The row of the cohort it is about; -1: none, or none yet."""
    course: Ints
    """(K) The rescue treatment it is about; -1: none."""
    day: Ints
    """(K) The day of the observation after the change; 0 where the change is not of an observation."""
    count: Floats
    """(K) The count (or baseline) after the change, 10⁹/L; NaN: there is none, or it is not changed."""
    distance: Floats
    """(K) How large the change is, without a unit; the search for counterfactuals sets it and reads it."""

    def __len__(self) -> int:
        return len(self.patient)

    def at(self, index: Ints | Bools | slice) -> "Edits":
        return Edits(*(getattr(self, name)[index] for name in vars(self)))


ROWS_AT_ONCE = 500_000
"""About how many rows of copies are made at a time, so that the memory does not grow with their number."""


def in_pieces(cohort: Cohort, edits: Edits) -> Iterator[slice]:
    """The edits in pieces, each of so many that their copies have some `ROWS_AT_ONCE` rows."""
    rows = np.cumsum(np.diff(cohort.first_row)[edits.patient].astype(np.int64) + 1)
    cuts = np.flatnonzero(np.diff(rows // ROWS_AT_ONCE)) + 1
    yield from (slice(first, last) for first, last in pairwise([0, *cuts.tolist(), len(edits)]))


_NONE = np.empty(0, dtype=np.int64)
NO_EDITS = Edits(_NONE, _NONE, _NONE, _NONE, _NONE, np.empty(0), np.empty(0))


def joined(parts: list[Edits]) -> Edits:
    """The edits of all parts, one part after the other."""
    return Edits(*(np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])))


def edited(cohort: Cohort, edits: Edits, columns: Mapping[str, ColumnDeclared]) -> Cohort:
    """The cohort of the changed patients, one per change, in their order.

    `columns` are the further columns to keep. `source_row` and `lines` are rows of the unchanged cohort, -1 for a
    further count.
    """
    kept = {name: columns[name] for name in cohort.row_columns if name in columns}
    parts = [_changed_rows(cohort, edits, kept), *_further_courses(cohort, edits)]
    observed = concatenated(parts, list(kept)) if len(parts) > 1 else parts[0]
    return build(_changed_patients(cohort, edits), replace(observed, declared=columns))


def copied_patients(cohort: Cohort, patients: Ints) -> Patients:
    """The patients at these positions, one copy per entry; the id of a copy is its number, and it has no arm."""
    return Patients(
        id=pl.Series("patient_id", np.arange(len(patients))).cast(pl.String),
        day_0=cohort.day_0[patients],
        baseline=cohort.baseline.at(patients),
        before_dose=None if cohort.before_dose is None else cohort.before_dose.at(patients),
        treatment_discontinued=cohort.treatment_discontinued[patients],
        columns={name: column.at(patients) for name, column in cohort.patient_columns.items()},
    )


def copied_rows(cohort: Cohort, patients: Ints) -> Observations:
    """The rows of the patients at these positions, without rescue treatments; `source_row` is the row of the cohort."""
    copy, row = ranges(cohort.first_row[patients], cohort.first_row[patients + 1])
    return Observations(
        patient=copy,
        day=cohort.day[row],
        platelets=cohort.platelets.at(row),
        bleeding_grade=cohort.bleeding_grade[row],
        rescue=np.zeros(len(row), dtype=np.bool_),
        rescue_end=cohort.day[row],
        source_row=row,
        columns={name: column.at(row) for name, column in cohort.row_columns.items()},
    )


def copied_courses(cohort: Cohort, patients: Ints) -> tuple[Observations, Ints]:
    """The rescue treatments of the patients at these positions, an observation each, and which of the cohort they are.

    An observation has no count and no grade; `source_row` is the row of the cohort.
    """
    first_course = np.searchsorted(cohort.courses.row, cohort.first_row)
    copy, course = ranges(first_course[patients], first_course[patients + 1])
    row = cohort.courses.row[course]
    nothing = np.full(len(course), np.nan)
    observed = Observations(
        patient=copy,
        day=cohort.day[row],
        platelets=exactly(nothing),
        bleeding_grade=nothing,
        rescue=np.ones(len(course), dtype=np.bool_),
        rescue_end=cohort.courses.last[course],
        source_row=row,
        rescue_name=cohort.courses.name.at(course),
        columns={name: column.at(row) for name, column in cohort.row_columns.items()},
    )
    return observed, course


def concatenated(parts: Sequence[Observations], columns: Sequence[str]) -> Observations:
    """The observations of all parts, one part after the other, with these of their further columns."""
    unnamed = [Texts(np.full(len(part.day), -1, dtype=np.int32), ()) for part in parts]
    names = [part.rescue_name or none for part, none in zip(parts, unnamed, strict=True)]
    return Observations(
        patient=np.concatenate([part.patient for part in parts]),
        day=np.concatenate([part.day for part in parts]),
        platelets=_concatenated_numbers([part.platelets for part in parts]),
        bleeding_grade=np.concatenate([part.bleeding_grade for part in parts]),
        rescue=np.concatenate([part.rescue for part in parts]),
        rescue_end=np.concatenate([part.rescue_end for part in parts]),
        source_row=np.concatenate([part.source_row for part in parts]),
        rescue_name=_concatenated_texts(names),
        columns={name: _concatenated([part.columns[name] for part in parts]) for name in columns},
    )


def replaced(numbers: Numbers, where: Bools, values: Floats) -> Numbers:
    """The numbers with these values in place of those of `where`; all three have one entry per number."""
    low = np.where(where, values, numbers.low)
    return exactly(low) if numbers.exact else with_bounds(low, np.where(where, values, numbers.high))


def _changed_patients(cohort: Cohort, edits: Edits) -> Patients:
    baseline = replaced(cohort.baseline.at(edits.patient), edits.kind == BASELINE, edits.count)
    discontinued = np.where(edits.kind == STOPPED, np.inf, cohort.treatment_discontinued[edits.patient])
    patients = copied_patients(cohort, edits.patient)
    return replace(patients, baseline=baseline, treatment_discontinued=discontinued)


def _changed_rows(cohort: Cohort, edits: Edits, columns: Mapping[str, ColumnDeclared]) -> Observations:
    """The rows of the copies after the changes, in order, each with the first rescue treatment that begins on it.

    Of all rows the unchanged values are taken at once; then each change is made where it belongs.
    """
    copy, row, at = _copied(cohort, edits)
    course = _first_courses(cohort)[row]
    removed = edits.course != NONE
    course[at[removed][course[at[removed]] == edits.course[removed]]] = NONE
    day, low, grade = (
        _at(cohort.day, row, 0),
        _at(cohort.platelets.low, row, np.nan),
        _at(cohort.bleeding_grade, row, 0.0),
    )
    high = low if cohort.platelets.exact else _at(cohort.platelets.high, row, np.nan)
    rescue_end = day.copy()
    given = np.flatnonzero(course != NONE)
    rescue_end[given] = cohort.courses.last[course[given]]

    moved, counted, lost = (np.isin(edits.kind, kinds) & (at != NONE) for kinds in ((DAY,), (COUNT, ADDED), (LOST,)))
    rescue_end[at[moved]] += (edits.day[moved] - day[at[moved]]).astype(rescue_end.dtype)
    day[at[moved]] = edits.day[moved]
    day[at[counted]] = edits.day[counted]
    for bound in (low, high):
        bound[at[counted]] = edits.count[counted]
        bound[at[lost]] = np.nan
    grade[at[np.isin(edits.kind, (BLEEDING, GRADE))]] = 0.0
    grade[at[lost]] = np.nan
    changed = Observations(
        patient=copy,
        day=day,
        platelets=exactly(low) if high is low else with_bounds(low, high),
        bleeding_grade=grade,
        rescue=course != NONE,
        rescue_end=rescue_end,
        source_row=row,
        rescue_name=Texts(_at(cohort.courses.name.codes, course, NONE), cohort.courses.name.labels),
        columns={name: _with_an_empty_cell(cohort.row_columns[name], columns[name]).at(row) for name in columns},
    )
    if cohort.row_columns:
        return changed
    # A row of which nothing is left is no row.
    bare = at[(lost | removed)]
    bare = bare[np.isnan(low[bare]) & np.isnan(grade[bare]) & (course[bare] == NONE)]
    return changed.at(np.delete(np.arange(len(row)), bare)) if len(bare) else changed


def _copied(cohort: Cohort, edits: Edits) -> tuple[Ints, Ints, Ints]:
    """Of the rows of the copies, in order, the copy and the row of the cohort; and which of them each edit is about.

    The row of a further count on a new day is -1, and so is that of an edit that is about none.
    """
    first, last = cohort.first_row[edits.patient], cohort.first_row[edits.patient + 1]
    copy, row = ranges(first, last)
    moved_by = np.cumsum(last - first) - last
    new = np.flatnonzero((edits.kind == ADDED) & (edits.row == NONE))
    if len(new):
        low, high = int(cohort.day.min()), int(cohort.day.max())
        span = high - low + 3
        keys = cohort.patient.astype(np.int64) * span + (cohort.day - low + 1)
        asked = edits.patient[new] * span + np.clip(edits.day[new] - low + 1, 0, span - 1)
        where = np.searchsorted(keys, asked) + moved_by[new]
        copy, row = np.insert(copy, where, new), np.insert(row, where, NONE)
        before = np.searchsorted(new, np.arange(len(edits)))
        moved_by = moved_by + before
    at = np.where(edits.row == NONE, NONE, edits.row + moved_by)
    if len(new):
        at[new] = where + before[new]
    return copy, row, at


def _at(values: NDArray[Any], index: Ints, otherwise: float) -> NDArray[Any]:
    """The values at these positions; at -1 another."""
    return np.append(values, np.array([otherwise], dtype=values.dtype))[index]


def _with_an_empty_cell(column: Column, declared: ColumnDeclared) -> Column:
    """The column with one entry more, as of an empty cell: that of a row which is not there."""
    return _concatenated([column, column_of([None], declared)])


def _first_courses(cohort: Cohort) -> Ints:
    """(N + 1) Of each row the first rescue treatment that begins on it, -1 if none; the last entry is of no row."""
    first = np.full(len(cohort.day) + 1, NONE)
    courses = np.arange(len(cohort.courses.row))[::-1]
    first[cohort.courses.row[courses]] = courses  # of several for a row the last assignment stands
    return first


def _further_courses(cohort: Cohort, edits: Edits) -> list[Observations]:
    """The rescue treatments of the copies that are not the first of their day, after the changes; none, or one part."""
    row = cohort.courses.row
    is_further = np.append(False, row[1:] == row[:-1])[: len(row)]
    if not is_further.any():
        return []
    courses, course = copied_courses(cohort, edits.patient)
    courses = courses.at(np.flatnonzero(is_further[course] & (edits.course[courses.patient] != course)))
    here = (edits.kind[courses.patient] == DAY) & (edits.row[courses.patient] == courses.source_row)
    moved = np.where(here, edits.day[courses.patient] - courses.day, 0)
    return [replace(courses, day=courses.day + moved, rescue_end=courses.rescue_end + moved)]


def _concatenated(parts: Sequence[Column]) -> Column:
    numbers = [part for part in parts if isinstance(part, Numbers)]
    truths = [part for part in parts if isinstance(part, Truths)]
    texts = [part for part in parts if isinstance(part, Texts)]
    if numbers:
        return _concatenated_numbers(numbers)
    if truths:
        return Truths(np.concatenate([part.true for part in truths]), np.concatenate([part.false for part in truths]))
    return _concatenated_texts(texts)


def _concatenated_numbers(parts: Sequence[Numbers]) -> Numbers:
    low = np.concatenate([part.low for part in parts])
    if all(part.exact for part in parts):
        return exactly(low)
    return with_bounds(low, np.concatenate([part.high for part in parts]))


def _concatenated_texts(parts: Sequence[Texts]) -> Texts:
    labels = tuple(dict.fromkeys(label for part in parts for label in part.labels))
    # The last position stands for -1, which is unknown.
    positions = [np.array([*map(labels.index, part.labels), -1], dtype=np.int32) for part in parts]
    codes = [position[part.codes] for position, part in zip(positions, parts, strict=True)]
    return Texts(np.concatenate(codes), labels)
