"""Decided: patients with all that their verdicts were decided from, and one verdict of them.

What can be told of all patients at once is a column, made once; a `DecidedEndpoint` looks at one patient of it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from itp_response.classification.classification import Classification
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import NO_DAY, Bools, Ints
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.endpoints import Endpoint
from itp_response.evaluation.endpoints.account import Account, Decided
from itp_response.evaluation.endpoints.endpoint import defined, excluded
from itp_response.evaluation.evaluate import patient_days_of, with_a_day_0
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.verdicts import Verdict, reason_in_words
from itp_response.messages.wording import counted


class DecidedPatients:
    """The patients of a classification (P) with their rows (N), and by name what they were decided from."""

    def __init__(self, classification: Classification) -> None:
        self.classification = classification
        # Where day 0 is known only in part, accounts stand on its first possible day.
        cohort = with_a_day_0(classification.cohort)
        self.patient_days = patient_days_of(classification.criteria, cohort, 0, len(cohort))
        self.first_row: list[int] = cohort.first_row.tolist()
        self._by_name: dict[str, DecidedColumns] = {}
        self._alone: dict[int, Cohort] = {}

    def by(self, name: str) -> "DecidedColumns":
        """The verdicts on the endpoint of that name."""
        if name not in self._by_name:
            self._by_name[name] = DecidedColumns(self.classification, self.patient_days, name)
        return self._by_name[name]

    def at(self, position: int, name: str) -> "DecidedEndpoint":
        """The verdict on an endpoint of the patient at that position."""
        return DecidedEndpoint(self, self.by(name), position)

    def alone(self, position: int) -> Cohort:
        """The patient at that position alone."""
        if position not in self._alone:
            cohort = self.classification.cohort
            self._alone[position] = cohort if len(cohort) == 1 else cohort.select([position])
        return self._alone[position]

    @cached_property
    def with_partial_dates(self) -> frozenset[int]:
        """The positions of the patients with partial dates."""
        partial = self.classification.cohort.partial
        return frozenset() if partial is None else frozenset(partial.patient.tolist())


@dataclass(frozen=True)
class DecidedColumns:
    """The verdicts on one endpoint, as columns with an entry per patient (P)."""

    classification: Classification
    patient_days: PatientDays
    name: str

    @cached_property
    def model(self) -> Endpoint:
        return self.classification.criteria.endpoints[self.name]

    @cached_property
    def verdict(self) -> Verdict:
        return self.classification.verdicts[self.name]

    @cached_property
    def account(self) -> Account:
        """What every row did for the endpoint."""
        return self.model.account(self.patient_days, self.classification.verdicts, self.verdict)

    @cached_property
    def value(self) -> list[str]:
        return [self.verdict.labels[value] for value in self.verdict.value.tolist()]

    @cached_property
    def reason(self) -> list[str]:
        names = self.classification.criteria.reasons.names
        return [names[reason] for reason in self.verdict.reason.tolist()]

    @cached_property
    def day(self) -> list[int]:
        """`NO_DAY`: it has none."""
        days: list[int] = self.classification.dated(self.verdict).tolist()
        return days

    @cached_property
    def is_defined(self) -> Bools:
        """The endpoint is known to be defined for the patient."""
        return defined(self.model, self.patient_days).true

    @cached_property
    def is_excluded(self) -> Bools:
        """The endpoint excludes the patient."""
        return excluded(self.model, self.patient_days)

    @cached_property
    def deciding(self) -> list[str | None]:
        """The endpoint because of which the verdict is what it is; None: it rests on rows."""
        deciding: list[str | None] = [None] * self.patient_days.patients
        for name, where in reversed(self.account.decided_by):
            for position in np.flatnonzero(where & ~self.is_excluded).tolist():
                deciding[position] = name
        return deciding

    @cached_property
    def length(self) -> list[str]:
        """How long it is, in words; empty: it has no length."""
        verdict, value, is_length = self.verdict, self.value, self.model.is_length
        if verdict.days is None:
            return [""] * len(value)
        days = verdict.days.tolist()
        if verdict.of_days is not None:
            return [
                "" if length == NO_DAY else f"{'' if is_length else f'{label}, '}{_of_days(length, observed)}"
                for label, length, observed in zip(value, days, verdict.of_days.tolist(), strict=True)
            ]
        return [
            "" if length == NO_DAY else f"{counted(length, 'day')}, {end}"
            for length, end in zip(days, self._ends(), strict=True)
        ]

    def _ends(self) -> list[str]:
        """How the time that it is ended, in words."""
        decided = Decided(self.patient_days, self.classification.verdicts, self.verdict)
        at = [*(f" at {moment}" for moment in self.model.censored_at), ""]  # the last stands for none, -1
        moments = self.model.moments_of_censoring(decided).tolist()
        competed = self.classification.competed(self.name).tolist()
        return [
            f"to day {day}"
            if value == "Y"
            else f"to a competing event on day {day}"
            if competes
            else f"censored{at[moment]} on day {day}"
            for value, day, competes, moment in zip(self.value, self._days_shown(), competed, moments, strict=True)
        ]

    def _days_shown(self) -> list[int | None]:
        return [None if day == NO_DAY else day for day in self.day]


def _of_days(days: int, observed: int) -> str:
    return f"{counted(days, 'day')} of {counted(observed, 'day')} observed"


@dataclass(frozen=True)
class DecidedEndpoint:
    """The verdict on one endpoint of the patient at a position."""

    patients: DecidedPatients
    columns: DecidedColumns
    position: int

    @property
    def name(self) -> str:
        return self.columns.name

    @property
    def criteria(self) -> Criteria:
        return self.columns.classification.criteria

    @property
    def patient_days(self) -> PatientDays:
        """The rows of all patients."""
        return self.columns.patient_days

    def rows_where(self, mask: Bools) -> Ints:
        """The rows of the patient at which a mask of all rows holds."""
        begin, end = self.patients.first_row[self.position : self.position + 2]
        return begin + np.flatnonzero(mask[begin:end])

    @property
    def cohort(self) -> Cohort:
        """The patient alone."""
        return self.patients.alone(self.position)

    @property
    def model(self) -> Endpoint:
        """The endpoint's model."""
        return self.columns.model

    @property
    def account(self) -> Account:
        """What every row of all patients did for the endpoint."""
        return self.columns.account

    @property
    def value(self) -> str:
        return self.columns.value[self.position]

    @property
    def reason(self) -> str:
        return self.columns.reason[self.position]

    @property
    def because(self) -> str:
        """The reason in words; where another endpoint decides by being met, that it is."""
        other = self.decided_by if self.model.sums_up and self.value == "N" else None
        return f"{other.name} is met" if other is not None and other.value == "Y" else reason_in_words(self.reason)

    @property
    def day(self) -> int | None:
        """The day of the verdict; None: it has none."""
        day = self.columns.day[self.position]
        return None if day == NO_DAY else day

    @property
    def is_defined(self) -> bool:
        """The endpoint is known to be defined for the patient."""
        return bool(self.columns.is_defined[self.position])

    @property
    def decided_by(self) -> "DecidedEndpoint | None":
        """The endpoint because of which the verdict is what it is; None: it rests on rows."""
        name = self.columns.deciding[self.position]
        return None if name is None else self.other(name)

    @property
    def length(self) -> str:
        """How long it is, in words; empty: it has no length."""
        return self.columns.length[self.position]

    @property
    def has_days(self) -> bool:
        """The days of its observations are known: it depends on no partial date, and on nothing that was left out."""
        return self.value != "NE" or self.reason not in ("partial_date", "unreadable")

    def other(self, name: str) -> "DecidedEndpoint":
        """The verdict on another endpoint."""
        return self.patients.at(self.position, name)

    @property
    def in_words(self) -> str:
        """The verdict with its day and its reason."""
        return verdict_in_words(self.value, self.day, self.length, self.reason, self.because)


def verdict_in_words(value: str, day: int | None, length: str, reason: str, because: str) -> str:
    """A verdict with its day and its reason, `N on day 42 (bleeding)`; of a time, how long it is."""
    when = f" on day {day}" if day is not None else ""
    why = "" if reason in ("met", "event", "censored") else f" ({because})"
    return f"{length or f'{value}{when}'}{why}"
