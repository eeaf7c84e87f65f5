"""Cohort: what was observed, in columns, one row per patient and day."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.observations import Imputed, Note, Origin, Partial, ReadFrom, RescueCourses
from itp_response.cohort.values import Bools, Column, Floats, Ints, Numbers


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
    courses: RescueCourses
    row_columns: Mapping[str, Column]
    lines: Ints
    counts: Numbers
    """In each line, 10⁹/L; NaN: none."""
    first_line: Ints

    source: str = ""
    """Name of the source, for the evidence."""
    row_word: str = "line"
    """What a place in the source is called."""
    origin: Origin | None = None
    """None: a line of the source is known by its number alone."""
    stopped_by: Origin | None = None
    """Per patient, the record that says when treatment was stopped, if it was; None: not known."""
    notes: tuple[Note, ...] = ()
    read_from: ReadFrom | None = None
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
        return [f"{'warning' if note.warning else 'assumed'}: {note.text}" for note in notes]

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
            courses=RescueCourses(course_row, self.courses.last[course], self.courses.name.at(course)),
            row_columns={name: column.at(rows) for name, column in self.row_columns.items()},
            lines=self.lines[line],
            counts=self.counts.at(line),
            first_line=_summed(np.diff(self.first_line)[rows]),
            notes=(),
            partial=None,
            quarantined=None if self.quarantined is None else self.quarantined[positions],
        )

    def courses_in(self, begin: int, end: int) -> RescueCourses:
        """The courses that begin in rows `begin` to `end` (not included), their rows counted from `begin`."""
        first, last = np.searchsorted(self.courses.row, [begin, end])
        part = slice(int(first), int(last))
        return RescueCourses(self.courses.row[part] - begin, self.courses.last[part], self.courses.name.at(part))

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
