"""Edited: patients of a cohort with one observation changed, as a cohort.

Whoever asks what would change a verdict has these decided as one cohort, so that no kind of endpoint knows of the question.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort, ranges
from itp_response.cohort.declared_columns import ColumnDeclared, column_of
from itp_response.cohort.observations import Observations
from itp_response.cohort.values import NONE, Bools, Column, Floats, Ints, Numbers, Texts, Truths, exactly, with_bounds

KINDS = ("count", "day", "bleeding", "grade", "rescue", "discontinuation", "lost", "added", "baseline")
"""What is changed: a count, the day of an observation; bleeding, a rescue treatment, the discontinuation of treatment
or an observation absent; a bleeding grade that was not recorded, none; a count more; the baseline that was given."""
COUNT, DAY, BLEEDING, GRADE, RESCUE, STOPPED, LOST, ADDED, BASELINE = range(len(KINDS))


@dataclass(frozen=True)
class Edits:
    """Edits of one thing each, an entry per change (K)."""

    patient: Ints
    """(K) Position in the cohort, in order."""
    kind: Ints
    """(K) Index of `KINDS`."""
    row: Ints
    """(K) The row of the cohort it is about; -1: none, or none yet."""
    course: Ints
    """(K) The rescue treatment it is about; -1: none."""
    day: Ints
    """(K) The day that the observation is on after the change; of what is of the patient 0."""
    count: Floats
    """(K) The count after the change, 10⁹/L; NaN: there is none, or it is not changed."""
    distance: Floats
    """(K)"""

    def __len__(self) -> int:
        return len(self.patient)

    def at(self, index: Ints | Bools | slice) -> "Edits":
        return Edits(*(getattr(self, name)[index] for name in vars(self)))


_NONE = np.empty(0, dtype=np.int64)
NO_EDITS = Edits(_NONE, _NONE, _NONE, _NONE, _NONE, np.empty(0), np.empty(0))


def joined(parts: list[Edits]) -> Edits:
    """One after the other."""
    return Edits(*(np.concatenate([getattr(one, name) for one in parts]) for name in vars(parts[0])))


def edited(cohort: Cohort, edits: Edits, columns: Mapping[str, ColumnDeclared]) -> Cohort:
    """The cohort of the changed patients, one per change, in their order; lines are rows of the cohort."""
    patient = edits.patient
    owner, of_row = ranges(cohort.first_row[patient], cohort.first_row[patient + 1])
    kind = np.where(edits.row[owner] == of_row, edits.kind[owner], NONE)
    fresh = np.isin(kind, (COUNT, ADDED))
    low, high = (
        np.where(fresh, edits.count[owner], edge[of_row]) for edge in (cohort.platelets.low, cohort.platelets.high)
    )
    grade = np.where(np.isin(kind, (BLEEDING, GRADE)), 0.0, cohort.bleeding_grade[of_row])
    day = np.where(kind == DAY, edits.day[owner], cohort.day[of_row])
    # What is taken away leaves no row, unless something else was recorded on the day.
    bare = (kind == RESCUE) & np.isnan(low) & np.isnan(grade) & (not cohort.row_columns)
    lost = kind == LOST
    low, high, grade = (np.where(lost, np.nan, values) for values in (low, high, grade))
    kept = np.flatnonzero(~(lost & (not cohort.row_columns)) & ~bare)

    first_course = np.searchsorted(cohort.courses.row, cohort.first_row)
    given, course = ranges(first_course[patient], first_course[patient + 1])
    stays = edits.course[given] != course
    given, course = given[stays], course[stays]
    begins = cohort.courses.row[course]
    moved = np.where(
        (edits.kind[given] == DAY) & (edits.row[given] == begins), edits.day[given] - cohort.day[begins], 0
    )

    new = np.flatnonzero((edits.kind == ADDED) & (edits.row == NONE))
    source = np.concatenate([of_row[kept], begins])
    nothing, none = np.full(len(course), np.nan), np.zeros(len(new))
    names = cohort.courses.name
    unnamed = (np.full(size, -1, dtype=np.int32) for size in (len(kept), len(new)))
    observed = Observations(
        patient=np.concatenate([owner[kept], given, new]),
        day=np.concatenate([day[kept], cohort.day[begins] + moved, edits.day[new]]),
        platelets=with_bounds(
            np.concatenate([low[kept], nothing, edits.count[new]]),
            np.concatenate([high[kept], nothing, edits.count[new]]),
        ),
        bleeding_grade=np.concatenate([grade[kept], nothing, none]),
        rescue=np.repeat([False, True, False], [len(kept), len(course), len(new)]),
        rescue_end=np.concatenate([day[kept], cohort.courses.last[course] + moved, edits.day[new]]),
        source_row=np.concatenate([source, np.full(len(new), NONE)]),
        rescue_name=Texts(np.concatenate([next(unnamed), names.codes[course], next(unnamed)]), names.labels),
        columns={
            name: _with_empty(column.at(source), len(new), column_of([None], columns[name]))
            for name, column in cohort.row_columns.items()
            if name in columns
        },
        several={name: column.several for name, column in columns.items()},
    )
    of_patient = edits.kind == BASELINE
    known = cohort.baseline.at(patient)
    stopped = np.where(edits.kind == STOPPED, np.inf, cohort.treatment_discontinued[patient])
    return build(
        pl.Series("patient_id", np.arange(len(edits))).cast(pl.String),
        observed,
        day_0=cohort.day_0[patient],
        baseline=with_bounds(*(np.where(of_patient, edits.count, edge) for edge in (known.low, known.high))),
        treatment_discontinued=stopped,
        patient_columns={name: column.at(patient) for name, column in cohort.patient_columns.items()},
    )


def _with_empty(column: Column, size: int, empty: Column) -> Column:
    """A column with so many empty cells after it."""
    more = empty.at(np.zeros(size, dtype=np.int64))
    match column, more:
        case Numbers(), Numbers():
            low = np.concatenate([column.low, more.low])
            return exactly(low) if column.exact else Numbers(low, np.concatenate([column.high, more.high]))
        case Truths(), Truths():
            return Truths(np.concatenate([column.true, more.true]), np.concatenate([column.false, more.false]))
        case Texts(), Texts():
            labels = tuple(dict.fromkeys([*column.labels, *more.labels]))
            place = np.array([*(labels.index(one) for one in more.labels), -1], dtype=np.int32)
            return Texts(np.concatenate([column.codes, place[more.codes]]), labels)
    raise AssertionError(column)
