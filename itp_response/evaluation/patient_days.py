"""Timeline: a piece of a cohort's rows as the kinds of endpoint look at it.

Two primitives carry every kind: the first row at or after a day, and the first flagged row in a span, `Flagged`.
A span is a pair of row numbers per patient, the second not included; a row number of -1 is none.
"""

import math
from collections.abc import Container, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort.build import days_since
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import NO_DAY, NONE, Bools, Column, Floats, Ints, Numbers, Truths, exactly, known
from itp_response.evaluation.clock import Baseline, Clock, Length
from itp_response.evaluation.rules.tree import SINCE, Tree
from itp_response.messages.errors import CohortError

Rescues = Mapping[str, Container[str]]
"""Classes of rescue treatment by the names recorded, in small letters."""


class Flagged:
    """Rows of which something holds, and where they lie in a span."""

    def __init__(self, mask: Bools) -> None:
        self.mask = mask

    @cached_property
    def rows(self) -> Ints:
        """The flagged row numbers, in order."""
        return np.flatnonzero(self.mask)

    @cached_property
    def before(self) -> NDArray[np.int32]:
        """How many flagged rows lie before each row, and before the end."""
        before = np.empty(len(self.mask) + 1, dtype=np.int32)
        before[0] = 0
        np.cumsum(self.mask, out=before[1:])
        return before

    def any_in(self, begin: Ints, end: Ints) -> Bools:
        """Whether a flagged row lies in each span."""
        return self.before[begin] < self.before[end]

    def first_in(self, begin: Ints, end: Ints) -> Ints:
        """The first flagged row in each span; -1 if none."""
        place = self.before[begin]
        return self._rows_at(place, place < self.before[end])

    def last_in(self, begin: Ints, end: Ints) -> Ints:
        """The last flagged row in each span; -1 if none."""
        place = self.before[end]
        return self._rows_at(place - 1, self.before[begin] < place)

    def _rows_at(self, place: Ints, found: Bools) -> Ints:
        if not len(self.rows):
            return np.full(len(place), NONE)
        return np.where(found, self.rows.take(place, mode="clip"), NONE)


class PatientDays:
    """The rows of the patients `first` to `last` (not included) of a cohort.

    Row numbers are counted within the piece; `offset` added, they are rows of the cohort.
    """

    def __init__(
        self, cohort: Cohort, clock: Clock, rescues: Rescues, baseline: Baseline, first: int, last: int
    ) -> None:
        begin, end = int(cohort.first_row[first]), int(cohort.first_row[last])
        self._cohort = cohort
        self._patients = slice(first, last)
        self._rows = slice(begin, end)
        self._picks_baseline = baseline
        self._rescues = rescues
        self.clock = clock
        self.offset = begin
        self.patients = last - first
        self.start: Ints = cohort.first_row[first : last + 1] - begin
        self.begin, self.end = self.start[:-1], self.start[1:]
        self.patient: Ints = cohort.patient[begin:end] - np.int32(first)
        self.day: Ints = cohort.day[begin:end]
        self.nowhere: Ints = np.full(self.patients, NONE)
        """No row, for each patient; shared, not to be changed."""
        self.nowhere.flags.writeable = False
        self.decided: dict[Tree, Truths] = {}
        self._values: dict[str, Column] = {}
        self._first_rows: dict[float, Ints] = {}
        self._low = int(self.day.min()) if len(self.day) else 0
        self._span = (int(self.day.max()) if len(self.day) else 0) - self._low + 2

    # what rules ask for

    def values(self, name: str) -> Column:
        """The column of that name, one entry per row."""
        found = self._values.get(name)
        if found is None:
            found = self._values[name] = self._column(name)
        return found

    def _column(self, name: str) -> Column:
        match name:
            case "platelets":
                return self._cohort.platelets.at(self._rows)
            case "bleeding_grade":
                return exactly(self._cohort.bleeding_grade[self._rows])
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

    def _begun(self, name: str) -> tuple[Bools, Floats]:
        """Where a rescue treatment of that class begins, and the days since one."""
        courses = self._cohort.courses_in(self._rows.start, self._rows.stop)
        wanted = [code for code, label in enumerate(courses.name.labels) if label in self._rescues[name]]
        ours = np.isin(courses.name.codes, wanted)
        row = courses.row[ours]
        begins = np.zeros(len(self.day), dtype=np.bool_)
        begins[row] = True
        return begins, days_since(row, courses.last[ours], self.patient, self.day)

    def patient_values(self, name: str) -> Column:
        """The patient column of that name, one entry per patient."""
        if name == "baseline":
            return self.baseline
        if name == "treatment_discontinued":
            return exactly(self._cohort.treatment_discontinued[self._patients])
        if name not in self._cohort.patient_columns:
            raise CohortError(f"the criteria need a column {name!r}, which these observations do not have")
        return self._cohort.patient_columns[name].at(self._patients)

    @cached_property
    def baseline(self) -> Numbers:
        """Each patient's baseline: the patient table's, else the count that `[baseline]` picks, else NaN."""
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
        """The count that `[baseline]` picks for each patient; NaN where he has none in its days."""
        counts = self.values("platelets")
        assert isinstance(counts, Numbers)
        row = self._baseline_rows
        owner = self.patient[row]
        begins = np.flatnonzero(np.append(True, owner[1:] != owner[:-1])) if len(row) else row
        ends = np.append(begins[1:], len(row)) if len(row) else row

        def picked(values: Floats) -> Floats:
            found = np.full(self.patients, np.nan)
            match self._picks_baseline.pick:
                case "last":
                    found[owner[begins]] = values[row[ends - 1]]
                case "lowest" if len(row):
                    found[owner[begins]] = np.minimum.reduceat(values[row], begins)
                case "mean" if len(row):
                    found[owner[begins]] = np.add.reduceat(values[row], begins) / (ends - begins)
            return found

        return exactly(picked(counts.low)) if counts.exact else Numbers(picked(counts.low), picked(counts.high))

    @cached_property
    def _baseline_rows(self) -> Ints:
        """The rows with a count on the days that `[baseline]` picks from."""
        first, last = self._picks_baseline.days
        return np.flatnonzero((self.day >= first) & (self.day <= last) & self.has_count)

    @cached_property
    def last_before(self) -> Ints:
        """Each patient's last row that `[baseline]` could pick; -1 if none, or the patient table has a baseline."""
        row = self.nowhere.copy()
        row[self.patient[self._baseline_rows]] = self._baseline_rows  # the last assignment stands
        row[~np.isnan(self._cohort.baseline.low[self._patients])] = NONE
        return row

    # the two primitives

    @cached_property
    def key(self) -> NDArray[np.int64]:
        """Patient and day in one number, in the order of the rows."""
        return self.patient.astype(np.int64) * self._span + (self.day - self._low)

    def keys(self, patient: Ints, day: Ints) -> NDArray[np.int64]:
        """The key of a day of a patient; a day after the last row has a key above all his rows' keys."""
        within = np.clip(day.astype(np.int64) - self._low, 0, self._span - 1)
        return patient.astype(np.int64) * self._span + within

    def at_or_after(self, day: Ints | float) -> Ints:
        """Each patient's first row on that day (or his own of them) or later; the end of his rows if none."""
        if isinstance(day, int | float):
            return self._at_or_after_one(day)
        return np.searchsorted(self.key, self.keys(np.arange(self.patients), day))

    def after(self, day: Ints | float) -> Ints:
        """Each patient's first row later than that day; the end of his rows if none."""
        if isinstance(day, int | float):
            return self._at_or_after_one(math.floor(day) + 1 if math.isfinite(day) else day)
        return self.at_or_after(day + 1)

    def from_day(self, start: Ints, length: float) -> Ints:
        """Each patient's first row so many days after his own day or later; the end of his rows if none."""
        if not math.isfinite(length):
            return self.begin if length < 0 else self.end
        return self.at_or_after(start + math.ceil(length))

    def _at_or_after_one(self, day: float) -> Ints:
        """As `at_or_after`, for a day that is the same for all: counting the earlier rows beats searching."""
        found = self._first_rows.get(day)
        if found is None:
            if day <= self._low:
                found = self.begin
            elif day > self._low + self._span - 2:
                found = self.end
            else:
                earlier = Flagged(self.day < day).before
                found = self.begin + (earlier[self.end] - earlier[self.begin])
            self._first_rows[day] = found
        return found

    # what more than one kind asks

    @cached_property
    def has_count(self) -> Bools:
        counts = self.values("platelets")
        assert isinstance(counts, Numbers)
        return ~np.isnan(counts.low)

    @cached_property
    def counted(self) -> "Flagged":
        """The rows with a count."""
        return Flagged(self.has_count)

    @cached_property
    def last_count(self) -> Ints:
        """Each patient's last row with a count; -1 if none."""
        return self.counted.last_in(self.begin, self.end)

    @cached_property
    def last_counted_day(self) -> Ints:
        """The day of each patient's last count; `NO_DAY` if none."""
        return self.day_of(self.last_count)

    def followed(self, followed_from: float | None) -> Bools:
        """Per patient: followed to the end, which is a count on that day (else the clock's) or later."""
        since = self.clock.followed_from if followed_from is None else followed_from
        return self.last_counted_day >= max(since, NO_DAY + 1)

    def first_of_each(self, mask: Bools) -> Ints:
        """Each patient's first row of which the mask holds; -1 if none. Cheap where it holds of few."""
        row = np.flatnonzero(mask)[::-1]
        found = self.nowhere.copy()
        found[self.patient[row]] = row  # of several for a patient the last assignment stands
        return found

    def day_of(self, row: Ints) -> Ints:
        """The day of each row; `NO_DAY` where there is none."""
        if not len(self.day):
            return np.full(len(row), NO_DAY, dtype=np.int32)
        return np.where(row >= 0, self.day[np.maximum(row, 0)], np.int32(NO_DAY))

    def later(self, patient: Ints, day: Ints, length: Length) -> Ints:
        """The day that lies so long after; months are calendar months from the patient's date of day 0."""
        if length.unit == "days":
            return day + length.number
        return self._months_later(patient, day, length)

    def _months_later(self, patient: Ints, day: Ints, length: Length) -> Ints:
        from dateutil.relativedelta import relativedelta

        day_0 = self._cohort.day_0[self._patients][patient]
        asked = day != NO_DAY
        if bool(np.isnat(day_0[asked]).any()):
            raise CohortError(
                f"{length} are calendar months, which need dates; these observations have only days. "
                "Give dates, or write the length in days or weeks in the criteria file."
            )
        begin = day_0[asked] + day[asked].astype("timedelta64[D]")
        # One step per calendar date that occurs, not per patient.
        dates, place = np.unique(begin, return_inverse=True)
        moved = [one + relativedelta(months=length.number) for one in dates.tolist()]
        end = np.array(moved, dtype="datetime64[D]")[place] if len(dates) else begin
        later = day.copy()
        later[asked] = (end - day_0[asked]).astype(np.int64)
        return later


class PatientValues:
    """The patients of a timeline as rules see them that name nothing of the rows: `unless`."""

    def __init__(self, timeline: PatientDays) -> None:
        self.decided: dict[Tree, Truths] = {}
        self._timeline = timeline

    def values(self, name: str) -> Column:
        return self._timeline.patient_values(name)
