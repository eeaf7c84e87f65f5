"""Cohort: what was observed, in columns, one row per patient and day."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.evaluation.rules.language import Bools, Column, Floats, Index, Numbers, Texts

Ints = NDArray[np.integer]


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
class Courses:
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
class Reading:
    """What a cohort was read from, and how: what is said of it in its outputs."""

    inputs: Mapping[str, Any]
    """Paths, or tables that are no files, by what they were read as; None: there was none."""
    options: Mapping[str, Any]
    hashed: Callable[[], Mapping[str, Any]] | None = None
    """What gives the files of the inputs with their hashes, where that is done while they are read."""


@dataclass(frozen=True)
class Cohort:
    """A cohort's patients and their rows, sorted by patient and day; build it with `cohort()` or a reader.

    Per patient (P): `id`, `arm` (missing: None), `day_0` (NaT: not known), `baseline` as given in 10⁹/L (NaN: not
    given), `treatment_discontinued` (day; infinite: it was not).
    Per row (N): as in `criteria/README.md`. Lines of the source behind row i: `lines[first_line[i]:first_line[i + 1]]`,
    and the counts written there: `counts` of the same places.
    """

    id: pl.Series
    arm: pl.Series
    day_0: NDArray[np.datetime64]
    baseline: Numbers
    treatment_discontinued: Floats
    patient_columns: Mapping[str, Column]

    first_row: Ints
    """(P + 1) where each patient's rows begin."""
    patient: Ints
    day: Ints
    platelets: Numbers
    bleeding_grade: Floats
    rescue: Bools
    days_since_rescue: Floats
    source_row: Ints
    """The line the count was taken from; of a row without a count its first line."""
    courses: Courses
    row_columns: Mapping[str, Column]
    lines: Ints
    counts: Numbers
    """In each line, 10⁹/L; NaN: none."""
    first_line: Ints

    source: str = ""
    """Name of the source, for the witnesses."""
    row_word: str = "line"
    """What a place in the source is called."""
    origin: Origin | None = None
    """None: a line of the source is known by its number alone."""
    stopped_by: Origin | None = None
    """Per patient, the record that says when treatment was stopped, if it was; None: not known."""
    notes: tuple[Note, ...] = ()
    reading: Reading | None = None
    """None: it was not read, but built."""
    quarantined: Ints | None = None
    """Per patient, how many of his rows were left out as they cannot be read; None: nothing was to be left out."""
    quarantine: pl.DataFrame | None = None
    """What was left out: `file`, `line`, `column`, `value`, `reason`, `row`, `patient_id`."""
    imputed: Imputed | None = None
    """The dates known only in part that were taken as a day; None: none was to be."""
    partial: Partial | None = None
    """What dates are known only in part; None: all are known.

    The rows of the patients it names stand on the first of the days that they may be of, and `day_0` is NaT where it
    is such a day itself; `evaluate` looks at the other days too.
    """

    def __len__(self) -> int:
        return len(self.id)

    @property
    def told(self) -> list[str]:
        """The notes as lines to be said with a result, warnings last."""
        notes = sorted(self.notes, key=lambda note: note.warning)
        return [f"{'warning' if note.warning else 'taken'}: {note.text}" for note in notes]

    def marks(self) -> list[pl.Series]:
        """Of each patient, how much was not taken as written: `quarantined` rows, `imputed` dates, where so told."""
        marks = [] if self.quarantined is None else [pl.Series("quarantined", self.quarantined)]
        if self.imputed is not None:
            marks.append(pl.Series("imputed", np.bincount(self.imputed.dates.patient, minlength=len(self))))
        return marks

    @property
    def has_dates(self) -> bool:
        return bool((~np.isnat(self.day_0)).any())

    def only(self, position: int) -> "Cohort":
        """The cohort of one of its patients, who keeps the lines of the source."""
        begin, end = (int(row) for row in self.first_row[position : position + 2])
        one, rows = slice(position, position + 1), slice(begin, end)
        return replace(
            self,
            id=self.id[one],
            arm=self.arm[one],
            day_0=self.day_0[one],
            baseline=self.baseline.at(one),
            treatment_discontinued=self.treatment_discontinued[one],
            patient_columns={name: column.at(one) for name, column in self.patient_columns.items()},
            first_row=np.array([0, end - begin]),
            patient=np.zeros(end - begin, dtype=np.int32),
            day=self.day[rows],
            platelets=self.platelets.at(rows),
            bleeding_grade=self.bleeding_grade[rows],
            rescue=self.rescue[rows],
            days_since_rescue=self.days_since_rescue[rows],
            source_row=self.source_row[rows],
            courses=self.courses_in(begin, end),
            row_columns={name: column.at(rows) for name, column in self.row_columns.items()},
            first_line=self.first_line[begin : end + 1],
            notes=(),
            stopped_by=None if self.stopped_by is None else self.stopped_by.at(one),
            partial=None if self.partial is None else self.partial.only(position),
            imputed=None if self.imputed is None else self.imputed.only(position),
            quarantined=None if self.quarantined is None else self.quarantined[one],
        )

    def taken(self, positions: Ints) -> "Cohort":
        """The cohort of the patients at these positions, in this order; one named twice is there twice.

        Their dates, as far as they are not known, are left as the rows have them.
        """
        owner, rows = ranges(self.first_row[positions], self.first_row[positions + 1])
        _, line = ranges(self.first_line[rows], self.first_line[rows + 1])
        courses = (np.searchsorted(self.courses.row, rows, side=side) for side in ("left", "right"))
        course_row, course = ranges(*courses)
        return replace(
            self,
            id=self.id.gather(positions),
            arm=self.arm.gather(positions),
            day_0=self.day_0[positions],
            baseline=self.baseline.at(positions),
            treatment_discontinued=self.treatment_discontinued[positions],
            patient_columns={name: column.at(positions) for name, column in self.patient_columns.items()},
            first_row=_summed(np.diff(self.first_row)[positions]),
            patient=owner.astype(np.int32),
            day=self.day[rows],
            platelets=self.platelets.at(rows),
            bleeding_grade=self.bleeding_grade[rows],
            rescue=self.rescue[rows],
            days_since_rescue=self.days_since_rescue[rows],
            source_row=self.source_row[rows],
            courses=Courses(course_row, self.courses.last[course], self.courses.name.at(course)),
            row_columns={name: column.at(rows) for name, column in self.row_columns.items()},
            lines=self.lines[line],
            counts=self.counts.at(line),
            first_line=_summed(np.diff(self.first_line)[rows]),
            notes=(),
            partial=None,
            quarantined=None if self.quarantined is None else self.quarantined[positions],
        )

    def courses_in(self, begin: int, end: int) -> Courses:
        """The courses that begin in rows `begin` to `end` (not included), their rows counted from `begin`."""
        first, last = np.searchsorted(self.courses.row, [begin, end])
        part = slice(int(first), int(last))
        return Courses(self.courses.row[part] - begin, self.courses.last[part], self.courses.name.at(part))

    def keys(self, lines: Ints) -> tuple[pl.Series, pl.Series]:
        """What each of these lines is called and its number: `line` and 5; by the source's own keys `LB` and 17."""
        if self.origin is None or not len(self.origin.sequence):
            return pl.Series([self.row_word]).new_from_index(0, len(lines)), pl.Series(lines, dtype=pl.Int64)
        at = lines - 1
        domain = pl.Series(self.origin.domain.labels, dtype=pl.String).gather(self.origin.domain.codes[at])
        return domain, pl.Series(self.origin.sequence[at], dtype=pl.Int64)

    @property
    def number_word(self) -> str:
        """What stands between a file and the number of a place in it, `line`; empty: nothing."""
        return self.row_word if self.origin is None else self.origin.word

    def named(self, lines: list[int]) -> str:
        """Where these lines stand, as `visits.csv line 12`."""
        if self.origin is not None:
            return ", ".join(dict.fromkeys(map(self.origin.named, lines)))
        many = self.row_word.replace("entry", "entrie") + "s"
        return f"{self.source} {self.row_word if len(lines) == 1 else many} {', '.join(map(str, lines))}".strip()

    def place(self, row: int) -> str:
        """Where what was observed in a row stands."""
        return self.named(self.lines[self.first_line[row] : self.first_line[row + 1]].tolist())

    def position(self, patient_id: str) -> int | None:
        """Where the patient of that id stands; None: there is none."""
        found = (self.id == patient_id).arg_true()
        return int(found[0]) if len(found) else None


def ranges(begin: Ints, end: Ints) -> tuple[Ints, Ints]:
    """All numbers from each begin to its end (not included), after which of the pairs each belongs to."""
    size = end - begin
    owner = np.repeat(np.arange(len(begin)), size)
    start = np.cumsum(size) - size
    return owner, np.arange(int(size.sum())) - start[owner] + begin[owner]


def _summed(sizes: Ints) -> Ints:
    """Where each of stretches of these sizes begins, one after another, and where the last ends."""
    return np.append(0, np.cumsum(sizes))
