"""Copies: patients with one observation changed, as a cohort.

Whoever asks what would turn a verdict has these copies decided as one cohort, so that the kinds of endpoint need know
nothing of the question.
"""

import numpy as np
import polars as pl

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort, Observations, ranges
from itp_response.cohort.declared_columns import column_of
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.rules.language import Column, Numbers, Texts, Truths, exactly, with_bounds
from itp_response.evaluation.verdicts import NONE
from itp_response.explanation.counterfactuals.edits import (
    ADDED,
    BASELINE,
    BLEEDING,
    COUNT,
    DAY,
    GRADE,
    LOST,
    RESCUE,
    STOPPED,
    Changes,
)


def copies(criteria: Criteria, cohort: Cohort, made: Changes) -> Cohort:
    """The cohort of the changed patients, one per change, in their order; lines are rows of the cohort."""
    patient = made.patient
    owner, of_row = ranges(cohort.first_row[patient], cohort.first_row[patient + 1])
    kind = np.where(made.row[owner] == of_row, made.kind[owner], NONE)
    fresh = np.isin(kind, (COUNT, ADDED))
    low, high = (
        np.where(fresh, made.count[owner], edge[of_row]) for edge in (cohort.platelets.low, cohort.platelets.high)
    )
    grade = np.where(np.isin(kind, (BLEEDING, GRADE)), 0.0, cohort.bleeding_grade[of_row])
    day = np.where(kind == DAY, made.day[owner], cohort.day[of_row])
    # What is taken away leaves no row, unless something else was recorded on the day.
    bare = (kind == RESCUE) & np.isnan(low) & np.isnan(grade) & (not cohort.row_columns)
    lost = kind == LOST
    low, high, grade = (np.where(lost, np.nan, values) for values in (low, high, grade))
    kept = np.flatnonzero(~(lost & (not cohort.row_columns)) & ~bare)

    first_course = np.searchsorted(cohort.courses.row, cohort.first_row)
    given, course = ranges(first_course[patient], first_course[patient + 1])
    stays = made.course[given] != course
    given, course = given[stays], course[stays]
    begins = cohort.courses.row[course]
    moved = np.where((made.kind[given] == DAY) & (made.row[given] == begins), made.day[given] - cohort.day[begins], 0)

    new = np.flatnonzero((made.kind == ADDED) & (made.row == NONE))
    source = np.concatenate([of_row[kept], begins])
    nothing, none = np.full(len(course), np.nan), np.zeros(len(new))
    names = cohort.courses.name
    unnamed = (np.full(size, -1, dtype=np.int32) for size in (len(kept), len(new)))
    observed = Observations(
        patient=np.concatenate([owner[kept], given, new]),
        day=np.concatenate([day[kept], cohort.day[begins] + moved, made.day[new]]),
        platelets=with_bounds(
            np.concatenate([low[kept], nothing, made.count[new]]),
            np.concatenate([high[kept], nothing, made.count[new]]),
        ),
        bleeding_grade=np.concatenate([grade[kept], nothing, none]),
        rescue=np.repeat([False, True, False], [len(kept), len(course), len(new)]),
        rescue_end=np.concatenate([day[kept], cohort.courses.last[course] + moved, made.day[new]]),
        source_row=np.concatenate([source, np.full(len(new), NONE)]),
        rescue_name=Texts(np.concatenate([next(unnamed), names.codes[course], next(unnamed)]), names.labels),
        columns={
            name: _with_empty(column.at(source), len(new), column_of([None], criteria.file.columns[name]))
            for name, column in cohort.row_columns.items()
            if name in criteria.file.columns
        },
        several={name: column.several for name, column in criteria.file.columns.items()},
    )
    of_patient = made.kind == BASELINE
    known = cohort.baseline.at(patient)
    stopped = np.where(made.kind == STOPPED, np.inf, cohort.treatment_discontinued[patient])
    return build(
        pl.Series("patient_id", np.arange(len(made))).cast(pl.String),
        observed,
        day_0=cohort.day_0[patient],
        baseline=with_bounds(*(np.where(of_patient, made.count, edge) for edge in (known.low, known.high))),
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
