"""Account: what every row did for an endpoint, told from the same columns that decided it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort.values import NO_DAY, NONE, Bools, Floats, Ints, Truths
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.tree import Rule
from itp_response.evaluation.verdicts import Verdict, VerdictsByName, Y

PARTS = (
    "excluded",
    "before",
    "outside",
    "no_count",
    "passed_over",
    "not_taken",
    "discounted",
    "too_soon",
    "qualifies",
    "fails",
    "unknown",
    "closed",
    "after",
    "decided",
)
"""The part that a row played.

`excluded`: of a patient whom the endpoint excludes; `before` the first row that can count, `after` the last day,
`closed`: on or after the event that ends the window, `decided`: after the row with which it was decided; `outside` the
windows of planned visits or of a landmark, and in them `no_count` or `not_taken`, as another row was; `passed_over`:
set aside; `discounted`: no evidence, whatever else; `too_soon`: in the state, but too soon after an occasion to be
another; `qualifies`: in the state, and counts; `fails`; `unknown`: what decides was not observed.
"""
(
    EXCLUDED,
    BEFORE,
    OUTSIDE,
    NO_COUNT,
    PASSED_OVER,
    NOT_TAKEN,
    DISCOUNTED,
    TOO_SOON,
    QUALIFIES,
    FAILS,
    UNKNOWN,
    CLOSED,
    AFTER,
    DECIDED,
) = range(len(PARTS))
ASIDE = (EXCLUDED, BEFORE, OUTSIDE, CLOSED, AFTER, DECIDED)
"""The parts of rows that were not looked at."""


Parts = NDArray[np.int8]
"""(N) Indices of `PARTS`."""


class Event(NamedTuple):
    """What ends the window of an endpoint."""

    row: Ints
    """(P) The row on which it happens; -1: it does not."""
    what: Rule | str
    """The rule that is true there, or the endpoint that is met."""


class Mark(NamedTuple):
    """A row with a meaning of its own."""

    row: Ints
    """(P) The row; -1: there is none."""
    says: str


class DayMark(NamedTuple):
    """A day with a meaning of its own that has no row."""

    day: Ints
    """(P) The day; `NO_DAY`: there is none."""
    says: str


class Missed(NamedTuple):
    """A planned visit for which there is no row."""

    day: Ints
    """(P) The planned day."""
    where: Bools
    """(P) The patients."""
    observed: str
    says: str
    is_open: bool
    """It leaves the endpoint open."""


class Decided(NamedTuple):
    """What an endpoint was decided from, and the verdict on it."""

    patient_days: PatientDays
    earlier: VerdictsByName
    """The verdicts on the endpoints it refers to."""
    verdict: Verdict


@dataclass
class Account:
    """What the rows (N) of some patients (P) did for an endpoint, and what was looked at of each patient.

    Row numbers are those of the `PatientDays`.
    """

    part: Parts
    begin: Ints
    """(P) The first row that can count."""
    end: Ints
    """(P) The first row that can count no more."""
    marks: tuple[Mark, ...] = ()
    days: tuple[DayMark, ...] = ()
    events: tuple[Event, ...] = ()
    occasion: Ints | None = None
    """(N) Of a row that is `too_soon`, the row of the occasion before it; else -1."""
    visit: Ints | None = None
    """(N) The planned day for which a row was taken; `NO_DAY`: none."""
    missed: tuple[Missed, ...] = ()
    doubtful: Bools | None = None
    """(N) Rows that are no evidence, but may have met it; None: there are none."""
    gaps: Ints | None = None
    """(N) Of a row that lies too far from the one in the state before it, that row; else -1."""
    missing_from: Floats | None = None
    """(P) The first day on which a count would be needed that there is not; NaN: none is."""
    missing_to: Floats | None = None
    """(P) The last such day."""
    unknown_days: tuple[tuple[str, Bools], ...] = ()
    """Numbers of the patient that give a day, and the patients (P) for whom one is needed and not known."""
    decided_by: tuple[tuple[str, Bools], ...] = ()
    """Other endpoints, and the patients (P) whose verdict is what it is because of that endpoint."""

    def only(self, position: int, begin: int, end: int) -> "Account":
        """The account of the patient at that position, the rows `begin` to `end` (not included), counted from 0."""
        rows, patient = slice(begin, end), slice(position, position + 1)

        def numbered(row: Ints) -> Ints:
            return np.where(row == NONE, NONE, row - begin)

        def of_rows(column: Ints | None) -> Ints | None:
            return None if column is None else column[rows]

        def of_patient(column: Floats | None) -> Floats | None:
            return None if column is None else column[patient]

        return Account(
            part=self.part[rows],
            begin=self.begin[patient] - begin,
            end=self.end[patient] - begin,
            marks=tuple(mark._replace(row=numbered(mark.row[patient])) for mark in self.marks),
            days=tuple(mark._replace(day=mark.day[patient]) for mark in self.days),
            events=tuple(event._replace(row=numbered(event.row[patient])) for event in self.events),
            occasion=None if self.occasion is None else numbered(self.occasion[rows]),
            visit=of_rows(self.visit),
            missed=tuple(
                missed._replace(day=missed.day[patient], where=missed.where[patient]) for missed in self.missed
            ),
            doubtful=None if self.doubtful is None else self.doubtful[rows],
            gaps=None if self.gaps is None else numbered(self.gaps[rows]),
            missing_from=of_patient(self.missing_from),
            missing_to=of_patient(self.missing_to),
            unknown_days=tuple((name, where[patient]) for name, where in self.unknown_days),
            decided_by=tuple((name, where[patient]) for name, where in self.decided_by),
        )

    def leave_out(self, patients: Bools) -> None:
        """Let no row, visit, event or other endpoint have done anything for these patients (P)."""
        if not patients.any():
            return
        self.marks = tuple(mark._replace(row=np.where(patients, NONE, mark.row)) for mark in self.marks)
        self.events = tuple(event._replace(row=np.where(patients, NONE, event.row)) for event in self.events)
        self.missed = tuple(missed._replace(where=missed.where & ~patients) for missed in self.missed)
        self.decided_by = tuple((name, where & ~patients) for name, where in self.decided_by)
        for field in ("missing_from", "missing_to"):
            day = getattr(self, field)
            setattr(self, field, None if day is None else np.where(patients, np.nan, day))

    def could_count(self) -> Bools:
        """(N) The rows that counted, or would have if they had shown the state."""
        return np.isin(self.part, (QUALIFIES, FAILS, UNKNOWN))


def parts_by_state(state: Truths) -> Parts:
    """(N) The parts of rows by their state alone."""
    part = np.full(len(state.true), UNKNOWN, dtype=np.int8)
    part[state.true] = QUALIFIES
    part[state.false] = FAILS
    return part


def place(part: Parts, patient_days: PatientDays, begin: Ints, end: Ints) -> None:
    """Set the parts of the rows before and after each patient's span."""
    row, patient = np.arange(len(part)), patient_days.patient
    part[row >= end[patient]] = AFTER
    part[row < begin[patient]] = BEFORE


def begin_where_open(patient_days: PatientDays, first: float, shown: Ints) -> Ints:
    """(P) Where rows begin to count if the start depends on a count known only as a bound, so that there is no row.

    It is the row that shows the verdict in any case; without one (-1), the first row that can be looked at.
    """
    return np.where(shown == NONE, patient_days.at_or_after(first), shown)


def from_row(part: Parts, patient_days: PatientDays, row: Ints, value: int) -> None:
    """Set the part of each patient's rows from this row (-1: none) on."""
    first = row[patient_days.patient]
    part[(first != NONE) & (np.arange(len(part)) >= first)] = value


def after_row(part: Parts, patient_days: PatientDays, row: Ints, value: int) -> None:
    """Set the part of each patient's rows after this row (-1: none)."""
    from_row(part, patient_days, np.where(row == NONE, NONE, row + 1), value)


def with_the_reason(number: Ints, names: Sequence[str], decided: Decided) -> Ints:
    """(P) The endpoint that decides, as its number in `names`: one that has the reason of the verdict, if any has.

    Where data are completed, verdicts that are the same in all completions can have reasons that are not, and the one
    that decides by its value is not always the one that decided in each completion.
    """
    value = np.stack([decided.earlier[name].value for name in names])
    reason = np.stack([decided.earlier[name].reason for name in names])
    patient = np.arange(len(number))
    alike = (value == value[number, patient]) & (reason == decided.verdict.reason)
    is_other = alike.any(axis=0) & ~alike[number, patient] & (value[number, patient] != Y)
    return np.where(is_other, np.argmax(alike, axis=0), number)


def decided_by(number: Ints, names: Sequence[str]) -> tuple[tuple[str, Bools], ...]:
    """Each endpoint with the patients (P) for which it decides; `number` (P) has its number in `names`."""
    return tuple((name, number == index) for index, name in enumerate(names))


def needed(where: Bools, day: Ints | Floats | float) -> Floats:
    """(P) The day where one is needed, else NaN."""
    return np.where(where, day, np.nan)


def visits_of(row: Ints, day: Ints, size: int) -> Ints:
    """(N) The planned day for which each of `size` rows was taken; `row` and `day` go together, -1 is no row."""
    visit = np.full(size, NO_DAY, dtype=np.int64)
    taken = row != NONE
    visit[row[taken]] = day[taken]
    return visit
