"""Observations: what was written down of patients before it is a cohort, and where it stood.

`Patients` and `Observations` are what a `Cohort` is built of. `PartialDates`, `Partial` and `Imputed` hold the dates of
which only the month or the year is known. `Note`, `Origin` and `ReadFrom` say where all of it comes from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.cohort.values import Bools, Column, Floats, Index, Ints, Numbers, Texts, offsets, ranges


@dataclass(frozen=True)
class Note:
    """An assumption made or a thing noticed while reading, to be said with the result."""

    about: str
    """What it is about: the name of a table, or `quarantine`."""
    text: str
    """A sentence."""
    warning: bool = False
    """True: a warning; False: an assumption."""


@dataclass(frozen=True)
class BeforeDose:
    """What the times of day tell of the counts of day 0: which of them were taken before the dose."""

    count: Numbers
    """(P) The last count on day 0 at the time of the dose or before it, 10⁹/L; NaN: none."""
    known: Bools
    """(P) There are counts on day 0, and their times and that of the dose are known."""

    def at(self, index: Index) -> "BeforeDose":
        """The same of the patients at these positions."""
        return BeforeDose(self.count.at(index), self.known[index])


@dataclass(frozen=True)
class Patients:
    """The patients of a cohort (P), before their observations are put in order; what is None is missing for all."""

    id: pl.Series
    """(P) Texts, each once."""
    arm: pl.Series | None = None
    """(P) Texts; null: not known."""
    actual_arm: pl.Series | None = None
    """(P) The arm whose treatment was given; texts, null: none was, or it is not known."""
    day_0: NDArray[np.datetime64] | None = None
    """(P) The date of day 0; NaT: not known."""
    baseline: Numbers | None = None
    """(P) 10⁹/L, as given in a patient table; NaN: not given."""
    treatment_discontinued: Floats | None = None
    """(P) The day; infinite: treatment was not discontinued."""
    columns: Mapping[str, Column] = field(default_factory=dict)
    """(P) Each of the further columns."""
    before_dose: BeforeDose | None = None


@dataclass(frozen=True)
class Observations:
    """What was written down, in any order; a patient may have several observations on a day.

    All arrays have one entry per observation (O).
    """

    patient: Ints
    """Position in `Patients`."""
    day: Ints
    """Whole days since day 0."""
    platelets: Numbers
    """10⁹/L; NaN: no count."""
    bleeding_grade: Floats
    """WHO 0 to 4; NaN: not recorded."""
    rescue: Bools
    """A rescue treatment begins."""
    rescue_end: Ints
    """The last day of the treatment; read only where `rescue`."""
    source_row: Ints
    """Line of the source."""
    rescue_name: Texts | None = None
    """The treatment's name in small letters; None: no name is known."""
    rescue_term: Texts | None = None
    """The treatment's name as it is written; None: as `rescue_name`."""
    columns: Mapping[str, Column] = field(default_factory=dict)
    """Further columns, an entry per observation."""
    declared: Mapping[str, ColumnDeclared] = field(default_factory=dict)
    """Of each further column: which of several values of a day stands, and what a day without one stands for.

    Of a column that is left out the last value of a day stands, and a day without one is unknown.
    """
    left_out: Bools | None = None
    """(O, 4) Whether its count, its grade or its rescue treatment was left out, and whether it has no grade, where that
    means no bleeding or not, by what was left out; None: none of these."""

    def at(self, index: Index) -> "Observations":
        """The observations at these positions, in this order."""
        return Observations(
            patient=self.patient[index],
            day=self.day[index],
            platelets=self.platelets.at(index),
            bleeding_grade=self.bleeding_grade[index],
            rescue=self.rescue[index],
            rescue_end=self.rescue_end[index],
            source_row=self.source_row[index],
            rescue_name=None if self.rescue_name is None else self.rescue_name.at(index),
            rescue_term=None if self.rescue_term is None else self.rescue_term.at(index),
            columns={name: column.at(index) for name, column in self.columns.items()},
            declared=self.declared,
            left_out=None if self.left_out is None else self.left_out[index],
        )


LEFT_OUT_COUNT, LEFT_OUT_GRADE, LEFT_OUT_RESCUE, UNGRADED = range(4)
"""What was left out of an observation: the columns of `Observations.left_out`."""


@dataclass(frozen=True)
class LeftOut:
    """What was left out of a cohort as it cannot be read: cells (U) of its rows, and what belongs to no row."""

    row: Ints
    """(U) Row of the cohort, in order."""
    what: Ints
    """(U) `LEFT_OUT_COUNT`, `LEFT_OUT_GRADE` or `LEFT_OUT_RESCUE`."""
    last: Ints
    """(U) The last day of the rescue treatment, if there was one."""
    ungraded: Ints
    """The rows, in order, in which there was no bleeding if none of what was left out is a grade of 0."""
    undecided: Bools
    """(P) More than such cells was left out, so that no verdict on the patient is given."""


DATES = ("date", "rescue_end", "enrolment_date", "treatment_discontinued")
"""What a date known only in part can be: the first two belong to an observation, the others to a patient."""
DATE, RESCUE_END, ENROLMENT, STOPPED = range(len(DATES))


@dataclass(frozen=True)
class PartialDates:
    """Dates of which only the month or the year is known (D), in the order of their patients."""

    patient: Ints
    """(D) The patient's position in the `Partial`, or in the cohort if the dates were imputed."""
    what: Ints
    """(D) Index of `DATES`."""
    at: Ints
    """(D) Position of the observation in the `Partial`, or of the patient."""
    first: NDArray[np.datetime64]
    """(D) The first day it may be."""
    count: Ints
    """(D) The number of days it may be, from the first on; 2 or more."""
    line: Ints
    """(D) The line of the source, of an observation; else 0."""
    written: pl.Series
    """(D) As it was written, `2019-05`."""

    def of_patients(self, positions: Ints) -> "PartialDates":
        """The dates of the patients at these positions, which are numbered anew in this order; `at` is as before."""
        begin = np.searchsorted(self.patient, positions)
        patient, date = ranges(begin, np.searchsorted(self.patient, positions, side="right"))
        return self.chosen(date, patient)

    def chosen(self, dates: Ints, patient: Ints) -> "PartialDates":
        """These of the dates, of patients at these positions; `at` is as before."""
        return PartialDates(
            patient=patient,
            what=self.what[dates],
            at=self.at[dates],
            first=self.first[dates],
            count=self.count[dates],
            line=self.line[dates],
            written=self.written.gather(dates),
        )


@dataclass(frozen=True)
class Imputed:
    """The dates known only in part for which one of the possible days was assumed, as the user asked."""

    rule: str
    """`first` or `last` of the possible days."""
    dates: PartialDates
    """Their patients are positions in the cohort; `at` is of no use."""

    @property
    def assumed(self) -> NDArray[np.datetime64]:
        """(D) The day that was assumed for each date."""
        later = self.dates.count - 1 if self.rule == "last" else np.zeros(len(self.dates.count), dtype=np.int64)
        days: NDArray[np.datetime64] = self.dates.first + later.astype("timedelta64[D]")
        return days

    @classmethod
    def nothing(cls, rule: str) -> "Imputed":
        """None of the dates was known only in part."""
        none = np.zeros(0, dtype=np.int64)
        dates = PartialDates(none, none, none, none.astype("datetime64[D]"), none, none, pl.Series([], dtype=pl.String))
        return cls(rule, dates)

    def of_patients(self, positions: Ints) -> "Imputed":
        """The imputed dates of the patients at these positions, which are numbered anew in this order."""
        return replace(self, dates=self.dates.of_patients(positions))


@dataclass(frozen=True)
class Partial:
    """The patients (T) of a cohort with dates known only in part, and all their observations (O).

    Days here, and in the cohort's rows, are those of the first possible day of each date.
    """

    patient: Ints
    """(T) Position in the cohort, in order."""
    dates: PartialDates
    observed: Observations
    """(O) In order of `patient`, which is the position in the `Partial`."""
    has_end: Bools
    """(O) The last day of the rescue was given; else it is the day itself."""
    day_0: NDArray[np.datetime64]
    """(T) NaT: not known."""
    first_counts: Bools | None
    """(O) The observations of which the first is day 0; None: enrolment is given."""
    rows_from_day_0: bool
    """Observations have dates, so that their days are counted from day 0; else days were given."""
    stopped_from_day_0: bool
    """The same for the day treatment was stopped."""

    def of_patients(self, positions: Ints) -> "Partial | None":
        """What is known of the patients at these positions, in this order; None: all their dates are known."""
        index = np.searchsorted(self.patient, positions)
        has_any = index < np.searchsorted(self.patient, positions, side="right")
        chosen = index[has_any]
        if not len(chosen):
            return None
        begin, end = (np.searchsorted(self.observed.patient, chosen, side=side) for side in ("left", "right"))
        patient, observation = ranges(begin, end)
        dates = self.dates.of_patients(chosen)
        # Observations and patients have new positions.
        moved = (offsets(end - begin)[:-1] - begin)[dates.patient]
        at = np.where(dates.what <= RESCUE_END, dates.at + moved, dates.patient)
        return replace(
            self,
            patient=np.flatnonzero(has_any),
            dates=replace(dates, at=at),
            observed=replace(self.observed.at(observation), patient=patient),
            has_end=self.has_end[observation],
            day_0=self.day_0[chosen],
            first_counts=None if self.first_counts is None else self.first_counts[observation],
        )


@dataclass(frozen=True)
class RescueCourses:
    """Rescue treatments (C), in order of patient and day."""

    row: Ints
    """(C) The row of the day it begins."""
    last: Ints
    """(C) Its last day."""
    name: Texts
    """(C) In small letters."""
    term: Texts | None = None
    """(C) As it is written; None: as `name`."""

    def at(self, index: Index, row: Ints) -> "RescueCourses":
        """The courses at these positions, which begin in these rows."""
        term = None if self.term is None else self.term.at(index)
        return RescueCourses(row, self.last[index], self.name.at(index), term)


@dataclass(frozen=True)
class Origin:
    """The records of a source that were used, one entry each; of lines, the first entry is line 1."""

    domain: Texts
    """CDISC's domain, `LB`; or the name of the file."""
    sequence: Ints
    """`LBSEQ`, which tells apart the records of a subject in the domain; or the line of the file."""
    variable: Texts
    """The variable of the record that was used, `LBSTRESN`."""
    study: str | None = None
    """STUDYID; None: there is none, or several."""
    word: str = ""
    """What a record is called where the domain is a file, `line`; empty: the number is a key."""

    def at(self, index: Index) -> "Origin":
        """The entries at these positions, in this order."""
        return replace(
            self, domain=self.domain.at(index), sequence=self.sequence[index], variable=self.variable.at(index)
        )

    def named(self, line: int) -> str:
        """What the record behind a line (counted from 1) is called: `LB 17`, `part-0.csv line 17`."""
        word = f"{self.word} " if self.word else ""
        return f"{self.domain.labels[self.domain.codes[line - 1]]} {word}{self.sequence[line - 1]}"


@dataclass(frozen=True)
class ReadFrom:
    """What a cohort was read from, and how; outputs name it."""

    inputs: Mapping[str, Any]
    """Paths, or tables that are not files, by what they were read as; None: there was none."""
    options: Mapping[str, Any]
    """The options of reading by their names."""
    hashed: Callable[[], Mapping[str, Any]] | None = None
    """Gives the files of the inputs with their hashes, if the hashes are taken while the files are read."""
    check_unchanged: Callable[[], None] = lambda: None
    """Raises `CohortError` if a file is no longer as it was read, so that its hash is that of other bytes."""
