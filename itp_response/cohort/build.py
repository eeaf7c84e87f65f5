"""Building: the cohort of observations as they were written down, sorted, one row per patient and day."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared, with_empty
from itp_response.cohort.observations import UNGRADED, LeftOut, Observations, Patients, RescueCourses
from itp_response.cohort.values import (
    Bools,
    Column,
    Floats,
    Index,
    Ints,
    Numbers,
    Texts,
    Truths,
    exactly,
    offsets,
)


def build(patients: Patients, observed: Observations) -> Cohort:
    """The cohort of these patients and observations: sorted, one row per patient and day.

    The lowest of several counts on a day stands, the highest of several grades, and a rescue if there is any.
    What is known of the source is added by `dataclasses.replace`.

    >>> nothing = np.full(2, np.nan)
    >>> observed = Observations(
    ...     patient=np.array([0, 0]),
    ...     day=np.array([28, 0]),
    ...     platelets=exactly(np.array([40.0, 15.0])),
    ...     bleeding_grade=nothing,
    ...     rescue=np.array([False, False]),
    ...     rescue_end=np.array([28, 0]),
    ...     source_row=np.array([2, 3]),
    ... )
    >>> cohort = build(Patients(pl.Series(["P1"])), observed)
    >>> cohort.day, cohort.platelets.low
    (array([ 0, 28], dtype=int32), array([15., 40.]))
    """
    order = in_order(observed.patient, observed.day)
    patient, day = observed.patient[order], observed.day[order]
    days = _days_in(patient, day)
    courses = _courses(observed, order, days.start)
    counts, lines = observed.platelets.at(order), observed.source_row[order]
    if not days.alone:
        patient, day = patient[days.start], day[days.start]
    number = len(patients.id)
    arm, day_0, discontinued = patients.arm, patients.day_0, patients.treatment_discontinued
    return Cohort(
        id=patients.id,
        arm=pl.Series("arm", [None] * number, dtype=pl.String) if arm is None else arm,
        day_0=np.full(number, np.datetime64("NaT"), dtype="datetime64[D]") if day_0 is None else day_0,
        baseline=patients.baseline or exactly(np.full(number, np.nan)),
        treatment_discontinued=np.full(number, np.inf) if discontinued is None else discontinued,
        patient_columns=dict(patients.columns),
        actual_arm=patients.actual_arm,
        before_dose=patients.before_dose,
        first_row=offsets(np.bincount(patient, minlength=number)),
        patient=patient.astype(np.int32, copy=False),
        day=day.astype(np.int32, copy=False),
        platelets=_lowest(counts, days),
        bleeding_grade=_highest(observed.bleeding_grade[order], days),
        rescue=_any(observed.rescue[order], days),
        days_since_rescue=days_since(courses.row, courses.last, patient, day),
        source_row=_deciding_line(counts.low, lines, days),
        courses=courses,
        row_columns=_merged_columns(observed.columns, observed.declared, order, days),
        lines=lines,
        counts=counts,
        first_line=np.append(days.start, days.size),
        left_out=_left_out(observed, order, days, number),
    )


def _left_out(observed: Observations, order: Index, days: "_Days", patients: int) -> LeftOut | None:
    """The cells that were left out of the observations, each with the row of its day."""
    if observed.left_out is None:
        return None
    left_out = observed.left_out[order]
    at, what = np.nonzero(left_out[:, :UNGRADED])
    row = np.searchsorted(days.start, at, side="right") - 1
    without = np.isnan(_highest(observed.bleeding_grade[order], days)) & _any(left_out[:, UNGRADED], days)
    undecided = np.zeros(patients, dtype=np.bool_)
    return LeftOut(row, what, observed.rescue_end[order][at], np.flatnonzero(without), undecided)


def in_order(patient: Ints, day: Ints) -> Index:
    """The stable order by patient, then day; all as they are, if they stand in this order already."""
    if not len(day):
        return slice(None)
    same, later = patient[1:] == patient[:-1], patient[1:] > patient[:-1]
    if bool((later | (same & (day[1:] >= day[:-1]))).all()):
        return slice(None)
    low = int(day.min())
    span = int(day.max()) - low + 1
    packed = patient.astype(np.int64) * span + (day - low)
    bits = len(packed).bit_length()
    if int(packed.max()).bit_length() + bits > 63:
        return np.argsort(packed, kind="stable")
    # With the row packed in, plain numbers are sorted, which is several times as fast.
    return np.sort((packed << bits) | np.arange(len(packed))) & ((1 << bits) - 1)


@dataclass(frozen=True)
class _Days:
    """The days of all patients in sorted observations."""

    start: Ints
    """The first observation of each day."""
    size: int
    """The number of observations."""

    @property
    def alone(self) -> bool:
        """No day has two observations."""
        return len(self.start) == self.size


def _days_in(patient: Ints, day: Ints) -> _Days:
    begins = np.ones(len(day), dtype=np.bool_)
    begins[1:] = (patient[1:] != patient[:-1]) | (day[1:] != day[:-1])
    return _Days(np.flatnonzero(begins), len(day))


def _courses(observed: Observations, order: Index, start: Ints) -> RescueCourses:
    """The rescue treatments, each with the row of its day."""
    given = np.flatnonzero(observed.rescue[order])
    unnamed = Texts(np.full(len(given), -1, dtype=np.int32), ())
    names = (observed.rescue_name, observed.rescue_term)
    name, term = (None if texts is None else texts.at(order).at(given) for texts in names)
    row = np.searchsorted(start, given, side="right") - 1
    return RescueCourses(row=row, last=observed.rescue_end[order][given], name=name or unnamed, term=term)


def _lowest(values: Numbers, days: _Days) -> Numbers:
    if days.alone:
        return values
    # fmin passes over NaN: a count stands even where another row of the day has none.
    low = np.fmin.reduceat(values.low, days.start)
    return Numbers(low, low if values.exact else np.fmin.reduceat(values.high, days.start))


def _highest(values: Floats, days: _Days) -> Floats:
    highest: Floats = values if days.alone else np.fmax.reduceat(values, days.start)
    return highest


def _any(flags: Bools, days: _Days) -> Bools:
    return flags if days.alone else np.logical_or.reduceat(flags, days.start)


def _deciding_line(count: Floats, line: Ints, days: _Days) -> Ints:
    """The line of the lowest count of each day; where the day has no count, its first line."""
    if days.alone:
        return line
    lowest = np.repeat(np.fmin.reduceat(count, days.start), np.diff(np.append(days.start, days.size)))
    first = np.minimum.reduceat(np.where(count == lowest, np.arange(days.size), days.size), days.start)
    return line[np.where(first < days.size, first, days.start)]


def _merged_columns(
    columns: Mapping[str, Column], declared: Mapping[str, ColumnDeclared], order: Index, days: _Days
) -> dict[str, Column]:
    merged = {name: column.at(order) for name, column in columns.items()}
    if not days.alone:
        several = {name: declared[name].several if name in declared else "last" for name in merged}
        merged = {name: _merged(column, days, several[name]) for name, column in merged.items()}
    return {name: with_empty(column, declared[name]) if name in declared else column for name, column in merged.items()}


def _merged(column: Column, days: _Days, several: str) -> Column:
    """Of each day the value that stands: `highest`, `lowest`, `first` or `last`."""
    match column, several:
        case Numbers(), "lowest":
            return _lowest(column, days)
        case Numbers(low=low, high=high), "highest":
            top = _highest(low, days)
            return Numbers(top, top if column.exact else _highest(high, days))
        case Truths(true=true, false=false), "highest":
            any_true = _any(true, days)
            return Truths(any_true, _any(false, days) & ~any_true)
        case Truths(true=true, false=false), "lowest":
            any_false = _any(false, days)
            return Truths(_any(true, days) & ~any_false, any_false)
    return column.at(_known_row(column, days, several))


def _known_row(column: Column, days: _Days, several: str) -> Ints:
    """Of each day the first or the last row where the column is known."""
    match column:
        case Numbers(low=low):
            known = ~np.isnan(low)
        case Truths():
            known = ~column.unknown
        case Texts(codes=codes):
            known = codes >= 0
    rows = np.arange(days.size)
    if several == "first":
        first = np.minimum.reduceat(np.where(known, rows, days.size), days.start)
        return np.where(first < days.size, first, days.start)
    last = np.maximum.reduceat(np.where(known, rows, -1), days.start)
    return np.where(last >= 0, last, days.start)


def days_since(row: Ints, last: Ints, patient: Ints, day: Ints) -> Floats:
    """At each row, the days since the last day of a course begun on an earlier day; infinite: there was none.

    `row` are the rows on whose days courses begin, in order, and `last` their last days. The latest last day counts.
    """
    if not len(row):
        return np.full(len(day), np.inf)
    # A running maximum per patient: each patient's days are lifted above those of the patient before, so that one pass
    # serves all.
    low, high = int(last.min()), int(last.max())
    lift = patient[row].astype(np.int64) * (high - low + 1)
    latest = np.maximum.accumulate(last - low + lift) - lift + low
    # What was the latest stands from the row after a course to that of the next, or to the patient's last; then none.
    last_row = np.searchsorted(patient, patient[row], side="right") - 1
    until = np.minimum(np.append(row[1:], len(day)), last_row)
    stands = np.full(2 * len(row) + 1, -np.inf)
    stands[1::2] = latest
    bounds = np.column_stack([row, until]).ravel()
    since: Floats = day - np.repeat(stands, np.diff(bounds, prepend=-1, append=len(day) - 1))
    return since
