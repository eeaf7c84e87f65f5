"""Cohort: what was observed, in columns, one row per patient and day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.cohort.as_of import AsOf
from itp_response.cohort.observations import (
    BeforeDose,
    Imputed,
    LeftOut,
    Note,
    Origin,
    Partial,
    ReadFrom,
    RescueCourses,
)
from itp_response.cohort.texts import as_written
from itp_response.cohort.values import Bools, Column, Floats, Ints, Numbers, offsets, ranges
from itp_response.messages.results import DataResult, html_frame
from itp_response.messages.wording import counted, counted_patients


@dataclass(frozen=True, repr=False)
class Cohort(DataResult):
    """The patients of a study and their rows, sorted by patient and day. A reader or `build` makes one.

    Entries per patient (P) stand in the order of `id`. Rows (N) are one per patient and day.
    The lines of the source behind row i are `lines[first_line[i]:first_line[i + 1]]` (L lines in all).

    >>> from itp_response.cohort.notation import cohort_of
    >>> cohort = cohort_of(["d0 15, d22 40", "d0 8"], ids=["P1", "P2"])
    >>> cohort.day.tolist(), cohort.first_row.tolist()
    ([0, 22, 0], [0, 2, 3])
    >>> cohort.select([1]).id.to_list()
    ['P2']
    """

    id: pl.Series
    """(P) Texts, each once if the cohort was read."""
    arm: pl.Series
    """(P) Texts; null: not known."""
    day_0: NDArray[np.datetime64]
    """(P) The date of day 0; NaT: not known."""
    baseline: Numbers
    """(P) 10⁹/L, as given in the patient table; NaN: not given."""
    treatment_discontinued: Floats
    """(P) The day; infinite: treatment was not discontinued."""
    patient_columns: Mapping[str, Column]
    """(P) The further columns of the patient table."""

    first_row: Ints
    """(P + 1) Where each patient's rows begin, and where the last one's end."""
    patient: Ints
    """(N) Position of the patient."""
    day: Ints
    """(N) Whole days since day 0."""
    platelets: Numbers
    """(N) 10⁹/L; NaN: no count. The lowest count of the day."""
    bleeding_grade: Floats
    """(N) WHO 0 to 4; NaN: not recorded. The highest grade of the day."""
    rescue: Bools
    """(N) A rescue treatment begins."""
    days_since_rescue: Floats
    """(N) Days since the last day of a rescue treatment begun on an earlier day; infinite: there was none."""
    source_row: Ints
    """(N) The line of the count; of a row without a count, its first line."""
    courses: RescueCourses
    row_columns: Mapping[str, Column]
    """(N) The further columns of the visits."""
    lines: Ints
    """(L) The lines of the source, row by row."""
    counts: Numbers
    """(L) The count in each line, 10⁹/L; NaN: none."""
    first_line: Ints
    """(N + 1) Where the lines of each row begin in `lines` and `counts`."""

    actual_arm: pl.Series | None = None
    """(P) The arm whose treatment was given; texts, null: none was, or it is not known. None: no input says so.

    `arm` is the one assigned.
    """
    before_dose: BeforeDose | None = None
    """(P) The counts of day 0 before the dose; None: no times of day are known."""
    source: str = ""
    """Name of the source, for the evidence."""
    row_word: str = "line"
    """What a line of the source is called."""
    study: str = ""
    """The identifier of the study in its data; empty: there is none, or several."""
    records_rescue: bool = True
    """An input says when rescue treatment was given, be it that none was."""
    records_rescue_end: bool = True
    """An input says when rescue treatments ended, be it that none lasted longer than a day."""
    bleeding_is_log: bool = False
    """Bleeding is written down as a log of events, so that no grade was taken as a grade of 0."""
    origin: Origin | None = None
    """The records behind the lines; None: a line of the source is known by its number alone."""
    stopped_by: Origin | None = None
    """(P) The record that says when treatment was stopped, if it was; None: not known."""
    subject: pl.Series | None = None
    """(P) The identifier within the study, DM's SUBJID; None: the source has none."""
    notes: tuple[Note, ...] = ()
    read_from: ReadFrom | None = None
    """None: it was not read, but built."""
    quarantined: Ints | None = None
    """(P) The number of rows that were left out because they cannot be read; None: no row was to be left out."""
    quarantine: pl.DataFrame | None = None
    """What was left out of the source: `file`, `line`, `column`, `value`, `reason`, `row`, `patient_id`."""
    imputed: Imputed | None = None
    """The partial dates that were imputed; None: no date was to be imputed."""
    left_out: LeftOut | None = None
    """The cells that were left out as they cannot be read, and may hold anything; None: none was.

    The rows are as if nothing had been recorded there; `evaluate` decides what may have been as well.
    """
    recorded: Numbers | None = None
    """(N) The counts as they were recorded, of a completion of censored counts; None: they are `platelets`.

    `platelets` has those of the completion; other rows see those recorded.
    """
    partial: Partial | None = None
    """The partial dates; None: all are known.

    The rows of its patients stand on the first possible day of each date, and `day_0` is NaT where it is such a date
    itself; `evaluate` decides the other possible days too.
    """
    day_columns: Mapping[str, float] = field(default_factory=dict)
    """Of `patient_columns`, those that hold days on which something happened, with what stands where nothing has."""
    as_of: AsOf | None = None
    """What was observed later was cut off, as if it had not happened yet; None: nothing was."""
    not_yet: pl.Series = field(default_factory=lambda: pl.Series("patient_id", [], dtype=pl.String))
    """The ids of the patients who are not in the study yet, as it was cut; they are not among those of the cohort."""

    def __len__(self) -> int:
        return len(self.id)

    def frame(self) -> pl.DataFrame:
        """A row per patient and day, in order: what was observed.

        `patient_id`, `arm`, `day`, `date` (where the date of day 0 is known), `platelets` (10⁹/L; null: no count, or a
        censored one), `platelets_low` and `platelets_high` (the bounds of the count as they were written, `<60` like
        `<=60`), `bleeding_grade` (WHO 0 to 4), `rescue` (a rescue treatment begins).
        """
        low, high = (pl.Series(bound).fill_nan(None) for bound in as_written(self.platelets))
        dates = (self.day_0[self.patient] + self.day.astype("timedelta64[D]")).astype("datetime64[D]")
        return pl.DataFrame(
            {
                "patient_id": self.id.gather(self.patient),
                "arm": self.arm.gather(self.patient),
                "day": pl.Series(self.day, dtype=pl.Int32),
                "date": pl.Series(dates),
                "platelets": low.set((low != high).fill_null(value=False), None),
                "platelets_low": low,
                "platelets_high": high,
                "bleeding_grade": pl.Series(self.bleeding_grade).fill_nan(None).cast(pl.Int8),
                "rescue": pl.Series(self.rescue),
            }
        )

    def _headline(self) -> str:
        source = f" from {self.source}" if self.source else ""
        rows = counted(len(self.day), "patient-day")
        return f"{counted_patients(len(self))}, {rows}{source}{self.as_of_in_words}; not classified"

    def _pieces(self) -> list[str]:
        return [html_frame(self.frame())]

    def _assumptions(self) -> list[str]:
        return self.note_lines

    @property
    def note_lines(self) -> list[str]:
        """The notes as lines that are said with a result, warnings last."""
        notes = sorted(self.notes, key=lambda note: note.warning)
        return [f"{'warning' if note.warning else 'assumed'}: {note.text}" for note in notes]

    @property
    def as_of_in_words(self) -> str:
        """What a heading says after the study: `, as of 2024-06-30`; empty: nothing was cut off."""
        return "" if self.as_of is None else f", as of {self.as_of}"

    def marks(self) -> list[pl.Series]:
        """(P) each: `quarantined` rows and `imputed` dates of the patients, as far as the user asked for either."""
        marks = [] if self.quarantined is None else [pl.Series("quarantined", self.quarantined)]
        if self.imputed is not None:
            marks.append(pl.Series("imputed", np.bincount(self.imputed.dates.patient, minlength=len(self))))
        return marks

    @property
    def incomplete(self) -> Ints:
        """The positions of the patients with partial dates, or with something left out."""
        positions: Ints = np.zeros(0, dtype=np.int64)
        if self.partial is not None:
            positions = self.partial.patient
        if self.left_out is not None:
            cells = self.patient[np.concatenate([self.left_out.row, self.left_out.ungraded])]
            positions = np.unique(np.concatenate([positions, cells, np.flatnonzero(self.left_out.undecided)]))
        return positions.astype(np.int64)

    @property
    def has_dates(self) -> bool:
        """The date of day 0 is known of a patient."""
        return bool((~np.isnat(self.day_0)).any())

    def select(self, positions: Ints | Sequence[int]) -> "Cohort":
        """The patients at these positions with all that belongs to them, in this order; one named twice is there twice.

        Notes and quarantined rows belong to the whole source: notes are not kept, `quarantine` is as before.
        """
        positions = np.asarray(positions, dtype=np.int64)
        patient, rows = ranges(self.first_row[positions], self.first_row[positions + 1])
        return replace(
            self,
            id=self.id[positions],
            arm=self.arm[positions],
            actual_arm=None if self.actual_arm is None else self.actual_arm[positions],
            day_0=self.day_0[positions],
            baseline=self.baseline.at(positions),
            before_dose=None if self.before_dose is None else self.before_dose.at(positions),
            treatment_discontinued=self.treatment_discontinued[positions],
            patient_columns={name: column.at(positions) for name, column in self.patient_columns.items()},
            first_row=offsets(self.first_row[positions + 1] - self.first_row[positions]),
            patient=patient.astype(np.int32),
            **self._of_rows(rows, positions),
            stopped_by=None if self.stopped_by is None else self.stopped_by.at(positions),
            subject=None if self.subject is None else self.subject.gather(positions),
            notes=(),
            quarantined=None if self.quarantined is None else self.quarantined[positions],
            imputed=None if self.imputed is None else self.imputed.of_patients(positions),
            partial=None if self.partial is None else self.partial.of_patients(positions),
        )

    def with_rows(self, rows: Ints) -> "Cohort":
        """All patients with these rows alone, which are given in order; what is said of partial dates is as before."""
        patient = self.patient[rows]
        first_row = offsets(np.bincount(patient, minlength=len(self)))
        return replace(self, first_row=first_row, patient=patient, **self._of_rows(rows, np.arange(len(self))))

    def _of_rows(self, rows: Ints, positions: Ints) -> dict[str, Any]:
        """The fields of these rows, which are those of the patients at these positions."""
        begin_lines, end_lines = self.first_line[rows], self.first_line[rows + 1]
        _, lines = ranges(begin_lines, end_lines)
        return {
            "day": self.day[rows],
            "platelets": self.platelets.at(rows),
            "bleeding_grade": self.bleeding_grade[rows],
            "rescue": self.rescue[rows],
            "days_since_rescue": self.days_since_rescue[rows],
            "source_row": self.source_row[rows],
            "courses": self._courses_of(rows),
            "row_columns": {name: column.at(rows) for name, column in self.row_columns.items()},
            "lines": self.lines[lines],
            "counts": self.counts.at(lines),
            "first_line": offsets(end_lines - begin_lines),
            "left_out": self._left_out_of(rows, positions),
            "recorded": None if self.recorded is None else self.recorded.at(rows),
        }

    def _left_out_of(self, rows: Ints, positions: Ints) -> LeftOut | None:
        """What was left out of these patients, in these rows, in which it is numbered anew; None: nothing."""
        if self.left_out is None:
            return None
        begin, end = (np.searchsorted(self.left_out.row, rows, side=side) for side in ("left", "right"))
        row, cell = ranges(begin, end)
        undecided = self.left_out.undecided[positions]
        ungraded = np.flatnonzero(np.isin(rows, self.left_out.ungraded))
        if not len(cell) and not len(ungraded) and not undecided.any():
            return None
        return LeftOut(row, self.left_out.what[cell], self.left_out.last[cell], ungraded, undecided)

    def _courses_of(self, rows: Ints) -> RescueCourses:
        """The courses that begin in these rows, in which they are numbered anew."""
        begin, end = (np.searchsorted(self.courses.row, rows, side=side) for side in ("left", "right"))
        row, course = ranges(begin, end)
        return self.courses.at(course, row)

    def courses_in(self, begin: int, end: int) -> RescueCourses:
        """The courses that begin in rows `begin` to `end` (not included), their rows counted from `begin`."""
        first, last = np.searchsorted(self.courses.row, [begin, end])
        part = slice(int(first), int(last))
        return self.courses.at(part, self.courses.row[part] - begin)

    def keys(self, lines: Ints) -> tuple[pl.Series, pl.Series]:
        """What each of these lines is called and its number: `line` and 5; by the source's own keys `LB` and 17."""
        if self.origin is None or not len(self.origin.sequence):
            return pl.Series([self.row_word]).new_from_index(0, len(lines)), pl.Series(lines, dtype=pl.Int64)
        at = lines - 1
        domain = pl.Series(self.origin.domain.labels, dtype=pl.String).gather(self.origin.domain.codes[at])
        return domain, pl.Series(self.origin.sequence[at], dtype=pl.Int64)

    @property
    def number_word(self) -> str:
        """The word between the name of a file and the number of a record in it, `line`; empty: there is none."""
        return self.row_word if self.origin is None else self.origin.word

    def named(self, lines: list[int]) -> str:
        """What these lines are called, as `visits.csv line 12`."""
        if self.origin is not None:
            return ", ".join(dict.fromkeys(map(self.origin.named, lines)))
        many = self.row_word.replace("entry", "entrie") + "s"
        return f"{self.source} {self.row_word if len(lines) == 1 else many} {', '.join(map(str, lines))}".strip()

    def source_of(self, row: int) -> str:
        """The lines behind a row, as `visits.csv line 12`."""
        return self.named(self.lines[self.first_line[row] : self.first_line[row + 1]].tolist())

    def position(self, patient_id: str) -> int | None:
        """The position of the patient with that id; None: there is none."""
        positions = (self.id == patient_id).arg_true()
        return int(positions[0]) if len(positions) else None
