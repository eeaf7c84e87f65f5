"""Plain: the visits in plain blocks of text, read by numpy alone.

A block with any problem, or with anything unusual, is not plain. It is read as texts, so no problem is reported here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import polars as pl

from itp_response.cohort.notation import HIGHEST_COUNT
from itp_response.cohort.values import Bools, Ints, Numbers, Texts, exactly
from itp_response.readers.cells import as_counts, as_grades, ask_about_mixed, note_rescue
from itp_response.readers.dates import YEARS, as_days, ask_numbering, count_shifted
from itp_response.readers.external_sort import Records
from itp_response.readers.grid import Column, Grid
from itp_response.readers.ids import not_given, rounded
from itp_response.readers.missing_codes import NOT_KNOWN
from itp_response.readers.options import ReadOptions
from itp_response.readers.plausible_counts import expect_plain_decimals
from itp_response.readers.problems import Cells, Problems
from itp_response.readers.runs import Runs
from itp_response.readers.treatments import RescueWords, is_mixable
from itp_response.readers.visit_table import VisitTable, note_bleeding

FEW = 4
"""Up to one cell in this many may be read by itself."""


class _Rescue(NamedTuple):
    """The rows in which a treatment begins, and its name."""

    begins: Bools
    name: Texts


@dataclass(frozen=True)
class Plain:
    """The reader of the visits in plain blocks."""

    empty: VisitTable
    """The visits of a table without rows."""
    problems: Problems
    """The notes on these, to which the notes on each block are added."""
    chosen: Mapping[str, int]
    """The positions of columns, by the readers' names."""
    options: ReadOptions
    """As in `read`."""
    words: RescueWords

    @classmethod
    def of(
        cls,
        empty: VisitTable,
        problems: Problems,
        chosen: Mapping[str, int],
        options: ReadOptions,
    ) -> "Plain | None":
        """The reader; None: the table has columns that must be read as texts."""
        as_texts = options.dates_of_visits.told if empty.dated else options.day_numbering == "study-day"
        if empty.columns or empty.unit.told or as_texts or options.missing or "patient_id" not in chosen:
            return None
            return None
        return cls(empty, problems, chosen, options, RescueWords.told(options.told))

    def visits(self, grid: Grid, patient_ids: Runs | None = None) -> tuple[VisitTable, Problems] | None:
        """The visits of a block, still without a location, and the notes on them; None: they are not plain.

        `patient_ids` are the patients, if they were read already.
        """
        problems = self.problems.copy()
        patient_ids = patient_ids or _runs(grid, self.chosen["patient_id"])
        rescue = self._rescue(grid, problems)
        when, end = (self._days(grid, name, problems) for name in ("date" if self.empty.dated else "day", "rescue_end"))
        platelets = self._numbers(grid, "platelets", as_counts, problems)
        grade = self._numbers(grid, "bleeding_grade", _grades, problems)
        if patient_ids is None or rescue is None or when is None or end is None or platelets is None or grade is None:
            return None
        visits = replace(
            self.empty,
            patient_ids=patient_ids,
            when=when,
            rescue_end=end,
            platelets=platelets,
            bleeding_grade=grade.low,
            rescue=rescue.begins,
            rescue_name=rescue.name,
            recorded=~np.isnan(platelets.low) | ~np.isnan(grade.low) | rescue.begins,
            not_imputed=(when, end),
        )
        ids = patient_ids.names
        if problems.any_wrong or not _all_valid(visits) or any(lost.any() for lost in rounded(ids)) or not_given(ids):
            return None
        if not self.empty.dated:
            ask_numbering(self.empty.time, when.low, self.options.day_numbering, problems)
        note_bleeding(visits.table, grade.low, self.options.bleeding, problems)
        expect_plain_decimals(visits.table.cells("platelets"), platelets.low, self.options.accept, problems)
        return visits, problems

    def _column(self, grid: Grid, name: str) -> Column | None:
        return grid.column(self.chosen[name]) if name in self.chosen else None

    def _numbers(
        self, grid: Grid, name: str, read: Callable[[Cells, Problems], Numbers], problems: Problems
    ) -> Numbers | None:
        """The cells as numbers; `read` reads the few that are no plain numbers, such as `<10`."""
        column = self._column(grid, name)
        if column is None:
            return exactly(np.full(len(grid), np.nan))
        low, rows = column.numbers()
        if not len(rows):
            return exactly(low)
        texts = column.texts(rows) if len(rows) <= len(grid) // FEW else None
        if texts is None or (name == "bleeding_grade" and any(text.strip().lower() in NOT_KNOWN for text in texts)):
            return None
        table = self.empty.table
        others = read(Cells(table.location, table.header[name], pl.Series(texts, dtype=pl.String)), problems)
        low[rows] = others.low
        if others.exact:
            return exactly(low)
        high = low.copy()
        high[rows] = others.high
        return Numbers(low, high)

    def _days(self, grid: Grid, name: str, problems: Problems) -> Numbers | None:
        column = self._column(grid, name)
        if column is None or not self.empty.dated:
            return self._numbers(grid, name, _days, problems)
        days = column.dates(*YEARS)
        if days is None or not count_shifted(self.empty.table.cells(name), days, problems):
            return None
        return exactly(days)

    def _rescue(self, grid: Grid, problems: Problems) -> _Rescue | None:
        begins, codes = np.zeros(len(grid), dtype=np.bool_), np.full(len(grid), -1, dtype=np.int32)
        column = self._column(grid, "rescue")
        distinct = column.distinct() if column else None
        if distinct is None:
            return None if column else _Rescue(begins, Texts(codes, ()))
        rows, texts, which = distinct
        meanings = {text: self.words.meaning(text) for text in texts}
        if any(meaning.is_wrong or is_mixable(text, meanings) for text, meaning in meanings.items()):
            return None
        number = np.bincount(which, minlength=len(texts))
        cells = self.empty.table.cells("rescue")
        note_rescue(cells, dict(zip(texts, number.tolist(), strict=True)), meanings, problems)
        ask_about_mixed(cells, rows[:0], meanings, problems)
        named = sorted({text.lower() for text in texts if meanings[text].is_name})
        code = {label: number for number, label in enumerate(named)}
        begins[rows] = np.array([meanings[text].begins for text in texts], dtype=np.bool_)[which]
        codes[rows] = np.array([code.get(text.lower(), -1) for text in texts], dtype=np.int32)[which]
        return _Rescue(begins, Texts(codes, tuple(code)))


def _grades(cells: Cells, problems: Problems) -> Numbers:
    return exactly(as_grades(cells, problems))


def _days(cells: Cells, problems: Problems) -> Numbers:
    return exactly(as_days(cells, problems))


def _runs(grid: Grid, position: int) -> Runs | None:
    runs = grid.column(position).runs()
    if runs is None:
        return None
    begin, names = runs
    texts = pl.Series(names, dtype=pl.String)
    return Runs(texts.set(texts == "", None) if "" in names else texts, begin, len(grid))


def _all_valid(visits: VisitTable) -> bool:
    """Whether all values are valid."""
    when, end, grade, platelets = visits.when.low, visits.rescue_end.low, visits.bleeding_grade, visits.platelets
    ended = ~np.isnan(end)
    wrong = (
        (platelets.low < 0) | (platelets.low > HIGHEST_COUNT),
        (grade < 0) | (grade > 4) | (grade != np.floor(grade)) & ~np.isnan(grade),
        (when != np.floor(when)) & ~np.isnan(when),
        visits.recorded & np.isnan(when),
        visits.recorded & visits.patient_ids.missing,
        ended & (~visits.rescue | ~(end >= when) | (end != np.floor(end))),
    )
    return not any(rows.any() for rows in wrong)


# RECORDS

RECORD = np.dtype(
    [
        ("when", np.float32),
        ("rescue_end", np.float32),
        ("bleeding_grade", np.float32),
        ("rescue", np.int32),
        ("platelets", np.float64),
        ("line", np.uint32),
        ("file", np.uint32),
    ]
)
"""A row of plain visits. Days and grades are small whole numbers. `rescue` is the code of the treatment, or -1."""
NAME_NOT_KNOWN = ""
"""The name of a rescue treatment without a name, among the others."""


def as_records(visits: VisitTable, lines: Ints, file: int) -> tuple[Records, tuple[str, ...]]:
    """Plain visits in those lines of a file as records, and the names of rescue treatments by their codes."""
    records = np.empty(len(visits.recorded), dtype=RECORD)
    records["when"], records["rescue_end"] = visits.when.low, visits.rescue_end.low
    records["bleeding_grade"], records["platelets"] = visits.bleeding_grade, visits.platelets.low
    codes, labels = visits.rescue_name.codes, visits.rescue_name.labels
    records["rescue"] = np.where(visits.rescue & (codes < 0), len(labels), codes)
    records["line"], records["file"] = lines, file
    return records, (*labels, NAME_NOT_KNOWN)


def of_records(records: Records, empty: VisitTable, labels: tuple[str, ...]) -> VisitTable:
    """The visits of records, without their patients; `labels` are the names of rescue treatments by their codes."""
    when, end, grade, platelets = (
        records[name].astype(np.float64) for name in ("when", "rescue_end", "bleeding_grade", "platelets")
    )
    begins = records["rescue"] >= 0
    unknown = labels.index(NAME_NOT_KNOWN)
    codes = np.where(records["rescue"] == unknown, np.int32(-1), records["rescue"])
    return replace(
        empty,
        when=exactly(when),
        rescue_end=exactly(end),
        platelets=exactly(platelets),
        bleeding_grade=grade,
        rescue=begins,
        rescue_name=Texts(codes, labels),
        recorded=~np.isnan(platelets) | ~np.isnan(grade) | begins,
        not_imputed=(exactly(when), exactly(end)),
    )
