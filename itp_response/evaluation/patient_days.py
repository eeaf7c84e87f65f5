"""Patient days: the rows of some patients of a cohort as the kinds of endpoint look at them.

Two primitives carry every kind: the first row at or after a day, and the first flagged row in a span, `Flagged`.
A span is a pair of row numbers per patient, the second not included; a row number of -1 is none.
"""

import math
from collections.abc import Container, Mapping
from functools import cached_property

import numpy as np
from dateutil.relativedelta import relativedelta
from numpy.typing import NDArray

from itp_response.cohort.build import days_since
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import BeforeDose
from itp_response.cohort.values import NO_DAY, NONE, Bools, Column, Floats, Ints, Numbers, Truths, exactly, known
from itp_response.evaluation.clock import FARTHEST, Baseline, Clock, DayOf, Length, NotRecorded, PatientDay
from itp_response.evaluation.other_rows import LookedAt, at_other_row
from itp_response.evaluation.rules.tree import SINCE, AtRow, Tree
from itp_response.messages.errors import CohortError

Rescues = Mapping[str, Container[str]]
"""Of each class of rescue treatment, the names that are recorded for it, in small letters."""
BEYOND = 1e9
"""Days, more than any patient was observed, and few enough to be counted on from any day."""
GRADE_NOT_RECORDED = {"unknown": np.nan, "bleeding": np.inf, "none": 0.0}
"""The grade of a row with a count but no grade; an infinite one is bleeding by every rule."""


def counted_days(days: Floats) -> Ints:
    """Whole days as integers; one that is infinite, or not known, lies beyond all rows.

    >>> counted_days(np.array([84.0, np.inf])).tolist()
    [84, 1000000000]
    """
    counted: Ints = np.nan_to_num(np.clip(days, -BEYOND, BEYOND), nan=BEYOND).astype(np.int64)
    return counted


class Flagged:
    """Rows of which something holds, and where they lie in a span.

    >>> qualifying = Flagged(np.array([False, True, True, False]))
    >>> qualifying.first_in(np.array([0, 3]), np.array([3, 4]))
    array([ 1, -1])
    """

    def __init__(self, mask: Bools) -> None:
        self.mask = mask

    @cached_property
    def rows(self) -> Ints:
        """The flagged row numbers, in order."""
        return np.flatnonzero(self.mask)

    @cached_property
    def before(self) -> NDArray[np.int32]:
        """The number of flagged rows before each row, and before the end."""
        before = np.empty(len(self.mask) + 1, dtype=np.int32)
        before[0] = 0
        np.cumsum(self.mask, out=before[1:])
        return before

    def any_in(self, begin: Ints, end: Ints) -> Bools:
        """Whether a flagged row lies in each span."""
        return np.not_equal(self.first_in(begin, end), NONE)

    def first_in(self, begin: Ints, end: Ints) -> Ints:
        """The first flagged row in each span; -1 if none."""
        row = self._rows_numbered(np.searchsorted(self.rows, begin))
        return np.where((row >= begin) & (row < end), row, NONE)

    def last_in(self, begin: Ints, end: Ints) -> Ints:
        """The last flagged row in each span; -1 if none."""
        row = self._rows_numbered(np.searchsorted(self.rows, end) - 1)
        return np.where((row >= begin) & (row < end), row, NONE)

    def _rows_numbered(self, number: Ints) -> Ints:
        """The flagged rows of these numbers, counted from 0; where there is none any other, or -1."""
        return self.rows.take(number, mode="clip") if len(self.rows) else np.full(len(number), NONE)


class PatientDays:
    """The rows (N) of the patients (P) `first` to `last` (not included) of a cohort.

    Row numbers are counted from the first of these rows; with `offset` added, they are rows of the cohort.
    """

    def __init__(
        self,
        cohort: Cohort,
        clock: Clock,
        rescues: Rescues,
        baseline: Baseline,
        not_recorded: NotRecorded,
        first: int,
        last: int,
    ) -> None:
        begin, end = int(cohort.first_row[first]), int(cohort.first_row[last])
        self._cohort = cohort
        self._patients = slice(first, last)
        self._rows = slice(begin, end)
        self._picks_baseline = baseline
        self._not_recorded = not_recorded
        self._rescues = rescues
        self.clock = clock
        self.offset = begin
        self.patients = last - first
        self.start: Ints = cohort.first_row[first : last + 1] - begin
        self.begin, self.end = self.start[:-1], self.start[1:]
        self.patient: Ints = cohort.patient[begin:end] - np.int32(first)
        self.day: Ints = cohort.day[begin:end]
        self.nowhere: Ints = np.full(self.patients, NONE)
        """(P) No row, for each patient; shared, so it must not be changed."""
        self.nowhere.flags.writeable = False
        self.decided: dict[Tree, Truths] = {}
        self._values: dict[str | AtRow, Column] = {}
        self._first_rows: dict[float, Ints] = {}
        self._own_days: dict[PatientDay, Floats] = {}
        self._low = int(self.day.min()) if len(self.day) else 0
        self._span = (int(self.day.max()) if len(self.day) else 0) - self._low + 2

    def values(self, name: str | AtRow) -> Column:
        """(N) The column of that name, or of a number at another row, as rules ask for it."""
        column = self._values.get(name)
        if column is None:
            column = self._column(name) if isinstance(name, str) else at_other_row(name, self.looked_at(name))
            self._values[name] = column
        return column

    def looked_at(self, value: AtRow) -> LookedAt:
        """The rows that a value at another row is picked from, and what was observed on them."""
        observed = self.values(value.name)
        if value.name == "platelets" and self._cohort.recorded is not None:
            observed = self._cohort.recorded.at(self._rows)
        assert isinstance(observed, Numbers)
        return LookedAt(observed, *self._rows_looked_at(value))

    def _rows_looked_at(self, value: AtRow) -> tuple[Ints, Ints]:
        """(N) Of each row the first and the last of the rows that a value at another row may be picked from.

        Where the first comes after the last there is none.
        """
        row = np.arange(len(self.day))
        match value.function:
            case "previous":
                return self.begin[self.patient], row - 1
            case "at_baseline":
                first, last = self._picks_baseline.days
                return self.at_or_after(first)[self.patient], self.after(last)[self.patient] - 1
        if value.length is None:
            return self.at_or_after(0)[self.patient], row
        earliest = self.day.astype(np.int64) - value.length.number
        return np.searchsorted(self.key, self.keys(self.patient, earliest)), row

    def _column(self, name: str) -> Column:
        match name:
            case "platelets":
                return self._cohort.platelets.at(self._rows)
            case "bleeding_grade":
                return exactly(self._grades())
            case "rescue":
                return known(self._cohort.rescue[self._rows])
            case "days_since_rescue":
                return exactly(self._cohort.days_since_rescue[self._rows])
            case "day":
                return exactly(self.day.astype(np.float64))
        if name in self._rescues:
            return known(self._begun(name)[0])
        if name.removeprefix(SINCE) in self._rescues:
            return exactly(self._begun(name.removeprefix(SINCE))[1])
        if name in self._cohort.row_columns:
            return self._cohort.row_columns[name].at(self._rows)
        return self.patient_values(name).at(self.patient)

    def _grades(self) -> Floats:
        """The grades, where none was recorded at a count as `[not_recorded]` has it; NaN: not known."""
        grade = self._cohort.bleeding_grade[self._rows]
        if self._not_recorded.bleeding == "unknown":
            return grade
        return np.where(np.isnan(grade) & self.has_count, GRADE_NOT_RECORDED[self._not_recorded.bleeding], grade)

    def _begun(self, name: str) -> tuple[Bools, Floats]:
        """Where a rescue treatment of that class begins, and the days since one."""
        courses = self._cohort.courses_in(self._rows.start, self._rows.stop)
        codes = [code for code, label in enumerate(courses.name.labels) if label in self._rescues[name]]
        of_class = np.isin(courses.name.codes, codes)
        row = courses.row[of_class]
        begins = np.zeros(len(self.day), dtype=np.bool_)
        begins[row] = True
        return begins, days_since(row, courses.last[of_class], self.patient, self.day)

    def patient_values(self, name: str) -> Column:
        """(P) The patient column of that name; raises `CohortError` if there is none."""
        if name == "baseline":
            return self.baseline
        if name == "treatment_discontinued":
            return exactly(self._cohort.treatment_discontinued[self._patients])
        if name not in self._cohort.patient_columns:
            raise CohortError(f"the criteria need a column {name!r}, which these observations do not have")
        return self._cohort.patient_columns[name].at(self._patients)

    def patient_day(self, name: str) -> Ints:
        """(P) The day that a number of the patient is, or is within; `NO_DAY`: it is not known, or never comes.

        Raises `CohortError` for a day farther from day 0 than days lie.
        """
        column = self.patient_values(name)
        assert isinstance(column, Numbers)
        comes = np.isfinite(column.low)
        day = np.floor(np.where(comes, column.low, 0.0))
        far = np.flatnonzero(np.abs(day) > FARTHEST)
        if len(far):
            patient, value = self._cohort.id[self._patients.start + int(far[0])], column.low[far[0]]
            raise CohortError(
                f"patient {patient!r} has {name} = {value:.12g}, which the criteria use as a day; "
                f"days lie at most {FARTHEST:,} from day 0. Correct the patient table, or leave the cell empty."
            )
        return np.where(comes, day, NO_DAY).astype(np.int32)

    @cached_property
    def baseline(self) -> Numbers:
        """(P) The baseline: the patient table's, else the count that `[baseline]` picks, else NaN; 10⁹/L."""
        given = self._cohort.baseline.at(self._patients)
        missing = np.isnan(given.low)
        if not missing.any():
            return given
        picked = self._picked()
        low = np.where(missing, picked.low, given.low)
        if given.exact and picked.exact:
            return exactly(low)
        return Numbers(low, np.where(missing, picked.high, given.high))

    def _picked(self) -> Numbers:
        """(P) The count that `[baseline]` picks; NaN where the patient has none in its days."""
        counts = self._baseline_counts
        low = self._picked_of(counts.low)
        return exactly(low) if counts.exact else Numbers(low, self._picked_of(counts.high))

    def _picked_of(self, counts: Floats) -> Floats:
        """(P) The last, lowest or mean of the counts, which are those of the baseline rows."""
        picked = np.full(self.patients, np.nan)
        if not len(counts):
            return picked
        owner = self.patient[self._baseline_rows]
        begins = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
        ends = np.append(begins[1:], len(counts))
        match self._picks_baseline.pick:
            case "last":
                picked[owner[begins]] = counts[ends - 1]
            case "lowest":
                picked[owner[begins]] = np.minimum.reduceat(counts, begins)
            case "mean":
                picked[owner[begins]] = np.add.reduceat(counts, begins) / (ends - begins)
        return picked

    @cached_property
    def _baseline_rows(self) -> Ints:
        """The rows with a count on the days from which `[baseline]` picks."""
        first, last = self._picks_baseline.days
        chosen = (self.day >= first) & (self.day <= last) & self.has_count
        if self._before_dose is not None:
            is_after = self._before_dose.known & np.isnan(self._before_dose.count.low)
            chosen &= ~((self.day == 0) & is_after[self.patient])
        return np.flatnonzero(chosen)

    @property
    def _baseline_counts(self) -> Numbers:
        """The counts of the baseline rows; of day 0 the last before the dose, where `[baseline]` asks for it."""
        rows, counts = self._baseline_rows, self.counts.at(self._baseline_rows)
        timed, before = self.timed_baseline[rows], self._before_dose
        if before is None or not timed.any():
            return counts
        by_time = before.count.at(self.patient[rows])
        low = np.where(timed, by_time.low, counts.low)
        return Numbers(low, np.where(timed, by_time.high, counts.high))

    @cached_property
    def _before_dose(self) -> BeforeDose | None:
        """(P) What times tell of day 0; None: nothing, or `[baseline]` does not ask."""
        told = self._cohort.before_dose
        return None if told is None or self._picks_baseline.several == "lowest" else told.at(self._patients)

    @cached_property
    def timed_baseline(self) -> Bools:
        """(N) The rows of day 0 of which the last count before the dose is taken for the baseline, by its time."""
        if self._before_dose is None:
            return np.zeros(len(self.day), dtype=np.bool_)
        timed: Bools = (self.day == 0) & self._before_dose.known[self.patient]
        return timed

    @property
    def rows_of_baseline(self) -> Ints:
        """The rows from which the baseline comes, where the patient table gives none."""
        given = ~np.isnan(self._cohort.baseline.low[self._patients])
        rows = self._baseline_rows
        if self._picks_baseline.pick == "last":
            rows = rows[np.append(self.patient[rows[1:]] != self.patient[rows[:-1]], np.ones(len(rows[:1]), np.bool_))]
        return rows[~given[self.patient[rows]]]

    @cached_property
    def last_before(self) -> Ints:
        """(P) The last row that `[baseline]` could pick; -1 if none, or if the baseline is not the row's count.

        The patient table may have it, or it is another count of that day.
        """
        row = self.nowhere.copy()
        row[self.patient[self._baseline_rows]] = self._baseline_rows  # the last assignment stands
        row[~np.isnan(self._cohort.baseline.low[self._patients])] = NONE
        by_time = (row != NONE) & self.timed_baseline[np.maximum(row, 0)] if len(self.day) else row != NONE
        row[by_time] = NONE
        return row

    @cached_property
    def key(self) -> NDArray[np.int64]:
        """(N) Patient and day in one number, in the order of the rows."""
        return self.patient.astype(np.int64) * self._span + (self.day - self._low)

    def keys(self, patient: Ints, day: Ints) -> NDArray[np.int64]:
        """The key of a patient's day; that of a day after the last row lies above the keys of the patient's rows."""
        within = np.clip(day.astype(np.int64) - self._low, 0, self._span - 1)
        return patient.astype(np.int64) * self._span + within

    def each(self, day: DayOf) -> Floats:
        """(P) The day of each patient; NaN: not known.

        Raises `CohortError` for a patient's own day that is too far from day 0.
        """
        if not isinstance(day, PatientDay):
            return np.full(self.patients, float(day))
        days = self._own_days.get(day)
        if days is None:
            values = self.patient_values(day.name)
            assert isinstance(values, Numbers)
            days = self._own_days[day] = values.low + day.plus
            self._refuse(
                day, np.isfinite(days) & (np.abs(days) > FARTHEST), f"farther than {FARTHEST:,} days from day 0"
            )
        return days

    def each_whole(self, day: DayOf) -> Ints:
        """(P) The day of each patient, 0 where there is none; raises `CohortError` for one that is no whole number."""
        days = self.each(day)
        there_is = np.isfinite(days)
        whole: Ints = np.where(there_is, days, 0).astype(np.int64)
        self._refuse(day, there_is & (whole != days), "not a whole day, as a landmark or a planned visit must be")
        return whole

    def _refuse(self, day: DayOf, wrong: Bools, why: str) -> None:
        """Raise an error that names the first patient with a wrong day, if there is one."""
        if isinstance(day, PatientDay) and wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise self.error(at, f"{str(day)!r} is day {self.each(day)[at]:.12g}, {why}; correct {day.name!r}")

    def error(self, at: int, problem: str) -> CohortError:
        """The error of a problem of the patient at that position."""
        return CohortError(f"patient {self._cohort.id[self._patients][at]}: {problem}.")

    def at_or_after(self, day: Ints | Floats | DayOf) -> Ints:
        """(P) The first row on that day (one for all or each) or later; the end of the patient's rows if none."""
        if isinstance(day, int | float):
            return self._at_or_after_one(day)
        if isinstance(day, PatientDay):
            day = self.each(day)
        whole = day.astype(np.int64) if np.issubdtype(day.dtype, np.integer) else counted_days(np.ceil(day))
        return np.searchsorted(self.key, self.keys(np.arange(self.patients), whole))

    def after(self, day: Ints | Floats | DayOf) -> Ints:
        """(P) The first row later than that day; the end of the patient's rows if none."""
        if isinstance(day, int | float):
            return self._at_or_after_one(math.floor(day) + 1 if math.isfinite(day) else day)
        if isinstance(day, PatientDay):
            day = self.each(day)
        return self.at_or_after(day + 1 if np.issubdtype(day.dtype, np.integer) else np.floor(day) + 1)

    def _at_or_after_one(self, day: float) -> Ints:
        """As `at_or_after`, for a day that is the same for all: counting the earlier rows is faster than searching."""
        row = self._first_rows.get(day)
        if row is None:
            if day <= self._low:
                row = self.begin
            elif day > self._low + self._span - 2:
                row = self.end
            else:
                row = self.begin.copy()
                row[self._with_rows] += np.add.reduceat(self.day < day, row[self._with_rows], dtype=row.dtype)
            self._first_rows[day] = row
        return row

    @cached_property
    def _with_rows(self) -> Ints:
        """The patients with rows; at least one, where a day is asked for that some row has."""
        return np.flatnonzero(self.begin < self.end)

    @cached_property
    def counts(self) -> Numbers:
        """(N) The counts, 10⁹/L; NaN: none."""
        counts = self.values("platelets")
        assert isinstance(counts, Numbers)
        return counts

    @cached_property
    def has_count(self) -> Bools:
        """(N) The row has a count."""
        return ~np.isnan(self.counts.low)

    @cached_property
    def counted(self) -> Flagged:
        """The rows with a count."""
        return Flagged(self.has_count)

    @cached_property
    def last_count(self) -> Ints:
        """(P) The last row with a count; -1 if none."""
        return self.counted.last_in(self.begin, self.end)

    @cached_property
    def last_counted_day(self) -> Ints:
        """(P) The day of the last count; `NO_DAY` if none."""
        return self.day_of(self.last_count)

    def followed(self, followed_from: DayOf | None) -> Bools:
        """(P) The patient was followed to the end: there is a count on that day (else the clock's) or later."""
        return self.last_counted_day >= np.maximum(self.end_of_follow_up(followed_from), NO_DAY + 1)

    def end_of_follow_up(self, followed_from: DayOf | None) -> Floats | float:
        """The day from which on a count shows that a patient was followed to the end: that day, else the clock's."""
        if isinstance(followed_from, PatientDay):
            return self.each(followed_from)
        return self.clock.followed_from if followed_from is None else followed_from

    def row_on(self, day: Ints) -> Ints:
        """(P) The row of a day of each patient; -1 where there is none, or no day (`NO_DAY`)."""
        row = np.minimum(self.at_or_after(day), max(len(self.day) - 1, 0))
        return np.where((day != NO_DAY) & (row < self.end) & (self.day_of(row) == day), row, NONE)

    def first_of_each(self, mask: Bools) -> Ints:
        """(P) The first row of the mask; -1 if none. Cheap where the mask has few rows."""
        row = np.flatnonzero(mask)
        return self.first_by_patient(self.patient[row], row)

    def first_by_patient(self, patient: Ints, row: Ints) -> Ints:
        """(P) The first of these rows, which stand in order; -1 if none."""
        first = self.nowhere.copy()
        first[patient[::-1]] = row[::-1]  # of several for a patient the last assignment stands
        return first

    def day_of(self, row: Ints) -> Ints:
        """The day of each row; `NO_DAY` where there is none."""
        if not len(self.day):
            return np.full(len(row), NO_DAY, dtype=np.int32)
        return np.where(row >= 0, self.day[np.maximum(row, 0)], np.int32(NO_DAY))

    def later(self, patient: Ints, day: Ints, length: Length) -> Ints:
        """The day that lies `length` after the day of each patient; months are calendar months by the dates."""
        if length.unit == "days":
            return day + length.number
        return self._months_later(patient, day, length)

    def _months_later(self, patient: Ints, day: Ints, length: Length) -> Ints:
        day_0 = self._cohort.day_0[self._patients][patient]
        asked = day != NO_DAY
        if bool(np.isnat(day_0[asked]).any()):
            raise CohortError(
                f"{length} are calendar months, which need dates; these observations have only days. "
                "Give dates, or write the length in days or weeks in the criteria file."
            )
        begin = day_0[asked] + day[asked].astype("timedelta64[D]")
        # One step per calendar date that occurs, not per patient.
        dates, index = np.unique(begin, return_inverse=True)
        try:
            moved = [date + relativedelta(months=length.number) for date in dates.tolist()]
        except (OverflowError, TypeError, ValueError):
            raise CohortError(
                f"{length} after {dates.max()} lies beyond the calendar; give dates before the year 9000."
            ) from None
        end = np.array(moved, dtype="datetime64[D]")[index] if len(dates) else begin
        later = day.copy()
        later[asked] = (end - day_0[asked]).astype(np.int64)
        return later


class PatientValues:
    """The patients of some rows, as the rule `unless` sees them: it names nothing that is observed on a day."""

    def __init__(self, patient_days: PatientDays) -> None:
        self.decided: dict[Tree, Truths] = {}
        self._patient_days = patient_days

    def values(self, name: str | AtRow) -> Column:
        assert isinstance(name, str)  # a rule over patients has no other row
        return self._patient_days.patient_values(name)
