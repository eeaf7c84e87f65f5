"""Left out: the completions of patients with a cell that was left out, as it cannot be read.

The cell may have held anything that its column can hold, or nothing. A completion has for each such count none or any
count, for each grade none or one of 0 to 4, and for each rescue treatment none, one without a name, or one of each
class of the set. Where a grade of 0 may be among what was left out, a completion has either no bleeding wherever there
is no grade, or it is not known. Where more than such cells was left out of a patient, no verdict is given.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np

from itp_response.cohort.build import days_since
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import LEFT_OUT_COUNT, LEFT_OUT_GRADE, LEFT_OUT_RESCUE, RescueCourses
from itp_response.cohort.values import Bools, Floats, Ints, Numbers, Texts, ranges, with_bounds
from itp_response.evaluation.completions import ROWS_AT_ONCE, Completions, chosen, in_batches

MOST_COMPLETIONS = 1_000
"""Of a patient; beyond, the patient is not evaluable."""
Rescues = Mapping[str, Collection[str]]
"""Of each class of rescue treatment, the names that are recorded for it."""
COUNTS, GRADES = 2, 6
"""The options of a cell: none or any count; none or a grade of 0 to 4."""


def undecided(cohort: Cohort, rescues: Rescues) -> Ints:
    """The positions of the patients for whom no verdict is given."""
    assert cohort.left_out is not None
    over = _Cells(cohort, rescues).numbers > MOST_COMPLETIONS
    if cohort.partial is not None:
        # A date known only in part and a cell that is not known are not completed together.
        of_cells = cohort.patient[np.concatenate([cohort.left_out.row, cohort.left_out.ungraded])]
        over[np.intersect1d(cohort.partial.patient, of_cells)] = True
    return np.flatnonzero(cohort.left_out.undecided | over)


def left_out_completions(cohort: Cohort, rescues: Rescues) -> Iterator[Completions]:
    """The completions of the patients with cells that were left out and a verdict, some patients at a time."""
    assert cohort.left_out is not None
    cells = _Cells(replace(cohort, partial=None, imputed=None), rescues)
    some = np.union1d(cells.patient, np.flatnonzero(cells.has_ungraded))
    able = np.setdiff1d(some, undecided(cohort, rescues))
    rows = np.diff(cohort.first_row)[able]
    for patients in in_batches(able, cells.numbers[able] * rows, ROWS_AT_ONCE):
        yield cells.completions(patients)


class _Cells:
    """The cells that were left out of a cohort, and how many options each has."""

    def __init__(self, cohort: Cohort, rescues: Rescues) -> None:
        assert cohort.left_out is not None
        self._cohort = cohort
        self._left_out = cohort.left_out
        self._names = tuple(dict.fromkeys(name for names in rescues.values() for name in sorted(names)[:1]))
        self.patient = cohort.patient[self._left_out.row].astype(np.int64)
        options = np.array([COUNTS, GRADES, 2 + len(self._names)])
        self._options = options[self._left_out.what]
        self.numbers: Floats = np.ones(len(cohort))
        """The number of completions of each patient."""
        np.multiply.at(self.numbers, self.patient, self._options)
        self._of_cells = self.numbers.copy()
        self.has_ungraded: Bools = np.zeros(len(cohort), dtype=np.bool_)
        """The patients with rows without a grade, of which it is not known what that means."""
        self.has_ungraded[cohort.patient[self._left_out.ungraded]] = True
        self.numbers[self.has_ungraded] *= 2

    def completions(self, patients: Ints) -> Completions:
        """All completions of these patients."""
        numbers = self.numbers[patients].astype(np.int64)
        index, number = ranges(np.zeros_like(numbers), numbers)
        patient = patients[index]
        completed = self._without_bleeding(self._cohort.select(patient), number >= self._of_cells[patient])
        completion, cell, choice = chosen(self.patient, self._options, patient, number)
        row = self._left_out.row[cell] - self._cohort.first_row[patient][completion] + completed.first_row[completion]
        of_kind = {what: (self._left_out.what[cell] == what) & (choice > 0) for what in range(3)}
        counted, graded, begun = (of_kind[what] for what in (LEFT_OUT_COUNT, LEFT_OUT_GRADE, LEFT_OUT_RESCUE))
        completed = replace(
            completed,
            platelets=_with_any(completed.platelets, row[counted]),
            bleeding_grade=_with_grades(completed.bleeding_grade, row[graded], choice[graded] - 1.0),
        )
        completed = self._with_courses(completed, row[begun], self._left_out.last[cell[begun]], choice[begun] - 2)
        return Completions(completed, patient, number)

    @staticmethod
    def _without_bleeding(completed: Cohort, which: Bools) -> Cohort:
        """The cohort with a grade of 0 where there is none, in these completions."""
        assert completed.left_out is not None
        ungraded = completed.left_out.ungraded
        grade = completed.bleeding_grade.copy()
        grade[ungraded[which[completed.patient[ungraded]]]] = 0.0
        return replace(completed, bleeding_grade=grade, left_out=None)

    def _with_courses(self, completed: Cohort, row: Ints, last: Ints, name: Ints) -> Cohort:
        """The cohort with further treatments, which begin in these rows; a name of -1 is none."""
        if not len(row):
            return completed
        courses = completed.courses
        labels = (*courses.name.labels, *self._names)
        codes = np.where(name < 0, -1, name + len(courses.name.labels)).astype(np.int32)
        rows, lasts = np.append(courses.row, row), np.append(courses.last, last)
        order = np.argsort(rows, kind="stable")
        rows, lasts = rows[order], lasts[order]
        rescue = completed.rescue.copy()
        rescue[row] = True
        return replace(
            completed,
            rescue=rescue,
            courses=RescueCourses(rows, lasts, Texts(np.append(courses.name.codes, codes)[order], labels)),
            days_since_rescue=days_since(rows, lasts, completed.patient, completed.day),
        )


def _with_any(counts: Numbers, rows: Ints) -> Numbers:
    """The counts with one more count in these rows, which may be any; the lowest of a day stands."""
    if not len(rows):
        return counts
    low, high = counts.low.copy(), counts.high.copy()
    low[rows] = 0.0
    high[rows] = np.where(np.isnan(high[rows]), np.inf, high[rows])
    return with_bounds(low, high)


def _with_grades(grades: Floats, rows: Ints, values: Floats) -> Floats:
    """The grades with one more grade in each of these rows; the highest of a day stands."""
    if not len(rows):
        return grades
    completed: Floats = grades.copy()
    np.fmax.at(completed, rows, values)
    return completed
