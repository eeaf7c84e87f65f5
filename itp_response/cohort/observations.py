"""Observations: what was written down of patients before it is a cohort, and what is known of where it stood."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.values import Bools, Column, Floats, Index, Ints, Numbers, Texts


@dataclass(frozen=True)
class Note:
    """Something taken or noticed while reading, to be said with the result."""

    about: str
    text: str
    warning: bool = False


@dataclass(frozen=True)
class Observations:
    """What was written down, in any order, several to a day allowed: the stuff of a `Cohort`.

    All arrays have one entry per observation.
    """

    patient: Ints
    """Position in the patient table."""
    day: Ints
    """Whole days since day 0."""
    platelets: Numbers
    """10⁹/L; NaN: no count."""
    bleeding_grade: Floats
    """WHO 0 to 4; NaN: not recorded."""
    rescue: Bools
    """A rescue treatment begins."""
    rescue_end: Ints
    """Its last day; read only where `rescue`."""
    source_row: Ints
    """Line of the source."""
    rescue_name: Texts | None = None
    """The treatment's name, small letters throughout; None: no name is known."""
    columns: Mapping[str, Column] = field(default_factory=dict)
    several: Mapping[str, str] = field(default_factory=dict)
    """Of each further column: which of several values of a day stands, `highest`, `lowest`, `first` or `last`."""

    def at(self, index: Index) -> "Observations":
        """Those of these places, in this order."""
        return Observations(
            patient=self.patient[index],
            day=self.day[index],
            platelets=self.platelets.at(index),
            bleeding_grade=self.bleeding_grade[index],
            rescue=self.rescue[index],
            rescue_end=self.rescue_end[index],
            source_row=self.source_row[index],
            rescue_name=None if self.rescue_name is None else self.rescue_name.at(index),
            columns={name: column.at(index) for name, column in self.columns.items()},
            several=self.several,
        )


DATES = ("date", "rescue_end", "enrolment_date", "treatment_discontinued")
"""What a date that is known only in part can be of; the first two are of an observation, the others of a patient."""


DATE, RESCUE_END, ENROLMENT, STOPPED = range(len(DATES))


@dataclass(frozen=True)
class PartialDates:
    """Dates of which only the month or the year is known, one entry each, in the order of their patients."""

    patient: Ints
    """The patient's position in the `Partial`."""
    what: Ints
    """Index of `DATES`."""
    at: Ints
    """Position of the observation in the `Partial`, or of the patient."""
    first: NDArray[np.datetime64]
    """The first day it may be."""
    count: Ints
    """How many days it may be, from the first on; 2 or more."""
    line: Ints
    """The line of the source, of an observation; else 0."""
    written: pl.Series
    """As it was written, `2019-05`."""

    def of(self, patient: int, observations: int) -> "PartialDates":
        """Those of one patient alone, whose observations begin at that position."""
        one = np.flatnonzero(self.patient == patient)
        at = np.where(self.what[one] <= RESCUE_END, self.at[one] - observations, 0)
        return PartialDates(
            patient=np.zeros(len(one), dtype=np.int64),
            what=self.what[one],
            at=at,
            first=self.first[one],
            count=self.count[one],
            line=self.line[one],
            written=self.written.gather(one),
        )


@dataclass(frozen=True)
class Imputed:
    """The dates known only in part that were taken as one of the days they may be, as told."""

    rule: str
    """`first` or `last` of those days."""
    dates: PartialDates
    """Their patients are positions in the cohort."""

    @property
    def taken(self) -> NDArray[np.datetime64]:
        """The day each was taken as."""
        later = self.dates.count - 1 if self.rule == "last" else np.zeros(len(self.dates.count), dtype=np.int64)
        taken: NDArray[np.datetime64] = self.dates.first + later.astype("timedelta64[D]")
        return taken

    @classmethod
    def nothing(cls, rule: str) -> "Imputed":
        """None of the dates was known only in part."""
        none = np.zeros(0, dtype=np.int64)
        dates = PartialDates(none, none, none, none.astype("datetime64[D]"), none, none, pl.Series([], dtype=pl.String))
        return cls(rule, dates)

    def only(self, position: int) -> "Imputed":
        """Those of one patient of the cohort alone."""
        return replace(self, dates=self.dates.of(position, 0))


@dataclass(frozen=True)
class Partial:
    """The patients (T) of a cohort with dates known only in part, and all (O) that was observed of them.

    Days here, and in the cohort's rows, are those of the first of the days that each of the dates may be.
    """

    patient: Ints
    """(T) Position in the cohort, in order."""
    dates: PartialDates
    observed: Observations
    """(O) In order of patient, who is the position in the `Partial`."""
    has_end: Bools
    """(O) The last day of the rescue was given; else it is the day itself."""
    day_0: NDArray[np.datetime64]
    """(T) NaT: not known."""
    first_counts: Bools | None
    """(O) Those whose first day is day 0; None: enrolment is given."""
    rows_from_day_0: bool
    """Observations have dates, so that their days are counted from day 0; else days were given."""
    stopped_from_day_0: bool
    """The same of the day treatment was stopped."""

    def only(self, position: int) -> "Partial | None":
        """That of one patient of the cohort alone; None: all his dates are known."""
        found = np.flatnonzero(self.patient == position)
        if not len(found):
            return None
        one = int(found[0])
        begin, end = (int(row) for row in np.searchsorted(self.observed.patient, [one, one + 1]))
        part = slice(begin, end)
        return replace(
            self,
            patient=np.zeros(1, dtype=np.int64),
            dates=self.dates.of(one, begin),
            observed=replace(self.observed.at(part), patient=np.zeros(end - begin, dtype=np.int64)),
            has_end=self.has_end[part],
            day_0=self.day_0[one : one + 1],
            first_counts=None if self.first_counts is None else self.first_counts[part],
        )


@dataclass(frozen=True)
class RescueCourses:
    """Rescue treatments, one entry each, in order of patient and day."""

    row: Ints
    """The row of the day it begins."""
    last: Ints
    """Its last day."""
    name: Texts


@dataclass(frozen=True)
class Origin:
    """Where a source has what was taken, one entry each: of lines the first is that of line 1."""

    domain: Texts
    """CDISC's domain, `LB`; or the name of the file."""
    sequence: Ints
    """`LBSEQ`: tells the records of a subject in the domain apart; or the line of the file."""
    variable: Texts
    """What was taken from the record, `LBSTRESN`."""
    study: str | None = None
    """STUDYID; None: there is none, or several."""
    word: str = ""
    """What a place is called where the domain is a file, `line`; empty: the number is a key."""

    def at(self, index: Index) -> "Origin":
        """The entries of these places, in this order."""
        return replace(
            self, domain=self.domain.at(index), sequence=self.sequence[index], variable=self.variable.at(index)
        )

    def named(self, line: int) -> str:
        """`LB 17`, `part-0.csv line 17`."""
        word = f"{self.word} " if self.word else ""
        return f"{self.domain.labels[self.domain.codes[line - 1]]} {word}{self.sequence[line - 1]}"


@dataclass(frozen=True)
class ReadFrom:
    """What a cohort was read from, and how: what is said of it in its outputs."""

    inputs: Mapping[str, Any]
    """Paths, or tables that are no files, by what they were read as; None: there was none."""
    options: Mapping[str, Any]
    hashed: Callable[[], Mapping[str, Any]] | None = None
    """What gives the files of the inputs with their hashes, where that is done while they are read."""
