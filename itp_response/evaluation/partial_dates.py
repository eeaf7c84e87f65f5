"""Partial dates: the completions of patients with dates of which only the month or the year is known.

A completion has one of the possible days for each such date. A completion in which a rescue treatment ends before it
begins is impossible and is left out.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.cut import seen
from itp_response.cohort.observations import DATE, ENROLMENT, RESCUE_END, STOPPED, Partial, PartialDates, Patients
from itp_response.cohort.values import NONE, Bools, Floats, Ints, ranges
from itp_response.evaluation.completions import ROWS_AT_ONCE, Completions, choices, in_batches

MOST_COMPLETIONS = 1_000
"""Of a patient: as many as two dates of which the month is known; beyond, the patient is not evaluable."""


def numbers_of_completions(partial: Partial) -> Floats:
    """The number of completions of each patient with partial dates, with the impossible ones."""
    numbers = np.ones(len(partial.patient))
    np.multiply.at(numbers, partial.dates.patient, partial.dates.count)
    return numbers


def too_many(partial: Partial) -> Ints:
    """The positions in the cohort of the patients with more completions than are decided."""
    return partial.patient[numbers_of_completions(partial) > MOST_COMPLETIONS]


def days_in(dates: PartialDates, number: int) -> NDArray[np.datetime64]:
    """The days that the dates of one patient have in the completion of that number."""
    later = _days_later(dates, np.arange(len(dates.count)), np.int64(number))
    days: NDArray[np.datetime64] = dates.first + later.astype("timedelta64[D]")
    return days


def date_completions(partial: Partial, cohort: Cohort) -> Iterator[Completions]:
    """The completions of all patients who do not have too many, some patients at a time."""
    numbers = numbers_of_completions(partial)
    able = np.flatnonzero(numbers <= MOST_COMPLETIONS)
    observations = np.bincount(partial.observed.patient, minlength=len(partial.patient))
    for patients in in_batches(able, numbers[able] * (observations[able] + 1), ROWS_AT_ONCE):
        yield _Completed(partial, cohort, patients, numbers[patients].astype(np.int64)).completions()


class _Completed:
    """The completions of some of the patients (K), and the observations of each (O)."""

    def __init__(self, partial: Partial, cohort: Cohort, patients: Ints, numbers: Ints) -> None:
        self.partial, self.cohort = partial, cohort
        owner, self.number = ranges(np.zeros_like(numbers), numbers)
        self.patient = patients[owner]
        begin, end = (np.searchsorted(partial.observed.patient, self.patient, side=side) for side in ("left", "right"))
        self.completion, self.observation = ranges(begin, end)

    def completions(self) -> Completions:
        """Those that are possible."""
        partial, observed = self.partial, self.partial.observed.at(self.observation)
        day = observed.day + self._moved_observations(DATE)
        end = observed.rescue_end + self._moved_observations(RESCUE_END)
        end = np.where(partial.has_end[self.observation], end, day)
        possible = self._counted(observed.rescue & (end < day)) == 0

        day_0 = self._day_0(day)
        if partial.rows_from_day_0:
            day, end = day - day_0[self.completion], end - day_0[self.completion]
        kept = possible[self.completion]
        renumbered = (np.cumsum(possible) - 1)[self.completion[kept]]
        observed = replace(observed.at(kept), patient=renumbered, day=day[kept], rescue_end=end[kept])
        positions = partial.patient[self.patient[possible]]
        completed = build(self._patients(day_0, possible), observed)
        if self.cohort.as_of is not None:
            completed = seen(completed, self.cohort.as_of.last_day(completed.day_0))
        return Completions(completed, positions, self.number[possible])

    def _patients(self, day_0: Ints, possible: Bools) -> Patients:
        """The patient of each possible completion; `day_0` is in days after the first that it may be."""
        partial, cohort = self.partial, self.cohort
        positions = partial.patient[self.patient]
        stopped = cohort.treatment_discontinued[positions] + self._moved_patients(STOPPED)
        ours = positions[possible]
        return Patients(
            id=cohort.id.gather(ours),
            day_0=(partial.day_0[self.patient] + day_0.astype("timedelta64[D]"))[possible],
            baseline=cohort.baseline.at(ours),
            treatment_discontinued=(stopped - day_0 if partial.stopped_from_day_0 else stopped)[possible],
            columns={name: column.at(ours) for name, column in cohort.patient_columns.items()},
        )

    def _day_0(self, day: Ints) -> Ints:
        """Day 0 of each completion, in days after the first that it may be; `day` are the days of the observations."""
        day_0 = self._moved_patients(ENROLMENT)
        if self.partial.first_counts is None:
            return day_0
        counts = self.partial.first_counts[self.observation]
        none = np.iinfo(np.int64).max
        first = np.full(len(self.patient), none)
        np.minimum.at(first, self.completion[counts], day[counts])
        return day_0 + np.where(first == none, 0, first)

    def _counted(self, flags: Bools) -> Ints:
        """The number of flagged observations of each completion."""
        return np.bincount(self.completion[flags], minlength=len(self.patient))

    def _moved_observations(self, what: int) -> Ints:
        """Days by which such a date of each observation lies after the first that it may be."""
        return _moved(
            self.partial.dates, what, len(self.partial.has_end), self.observation, self.number[self.completion]
        )

    def _moved_patients(self, what: int) -> Ints:
        """Days by which such a date of the patient of each completion lies after the first that it may be."""
        return _moved(self.partial.dates, what, len(self.partial.patient), self.patient, self.number)


def _moved(dates: PartialDates, what: int, size: int, at: Ints, number: Ints) -> Ints:
    """Days by which such a date lies after the first that it may be, for positions `at` below `size`, by completion."""
    such = np.flatnonzero(dates.what == what)
    date_at = np.full(size, NONE)
    date_at[dates.at[such]] = such
    date = date_at[at]
    partial = date != NONE
    moved = np.zeros(len(at), dtype=np.int64)
    moved[partial] = _days_later(dates, date[partial], number[partial])
    return moved


def _days_later(dates: PartialDates, date: Ints, number: Ints | np.int64) -> Ints:
    """The day of each date in the completion of each number, counted from the first that it may be."""
    return choices(dates.patient, dates.count, MOST_COMPLETIONS, date, number)
