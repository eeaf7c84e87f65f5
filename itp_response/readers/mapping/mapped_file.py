"""Mapped file: a file with its mapping, and the rows of it that its tables are made of."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import polars as pl

from itp_response.cohort.values import Bools, Ints
from itp_response.messages.errors import CohortError, nearest, some_of
from itp_response.messages.toml_positions import refuse
from itp_response.messages.wording import counted_patients
from itp_response.readers.cells import Wording, is_not_given
from itp_response.readers.chunks import ChunkedTable, chunked_table
from itp_response.readers.column_names import CellProblem, beside_columns, like_units, units_said
from itp_response.readers.count_units import agreed, check_same_unit, said_by_header, unit_column
from itp_response.readers.dates import cells_as_texts
from itp_response.readers.files import TableFile, Tabular, given_as, open_table
from itp_response.readers.ids import has, with_several
from itp_response.readers.mapping.mapping_file import NOT_USED, LoadedMapping, MappingFile, VisitColumns
from itp_response.readers.open_table import OpenTable
from itp_response.readers.problems import (
    Cells,
    Location,
    Problems,
    first_few,
    location_of,
    quoted,
)
from itp_response.readers.units import UnitSaid, exponent_of, no_unit


@dataclass(frozen=True)
class MappedFile:
    """A file and its mapping."""

    given: Tabular
    mapping: LoadedMapping

    @property
    def file(self) -> MappingFile:
        return self.mapping.file

    @cached_property
    def opened(self) -> Tabular:
        """The file, opened as the mapping tells."""
        return given_as(self.given, self.file.sheet, self.file.header_row, self.file.decimal)

    @cached_property
    def chunked(self) -> ChunkedTable | None:
        """The file, to be read in chunks; None: it can only be read as a whole, also to say why it cannot be read."""
        file = TableFile(Path(self.opened)) if isinstance(self.opened, str | Path) else self.opened
        if not isinstance(file, TableFile):
            return None
        try:
            source = chunked_table(file)
        except CohortError:
            return None
        return source if source and source.header else None

    @cached_property
    def table(self) -> OpenTable:
        """The whole file; it is read once."""
        return open_table(self.opened, "visits")

    @property
    def study(self) -> str:
        """As in `OpenTable`; a file that is read in chunks tells none."""
        return self.table.study if self.chunked is None else ""

    @property
    def header(self) -> Sequence[str]:
        return self.table.header if self.chunked is None else self.chunked.header

    @property
    def name(self) -> str:
        return self.table.name if self.chunked is None else self.chunked.name

    @cached_property
    def rows(self) -> "MappedRows":
        """All rows of the file."""
        positions = sorted({*self.of_visits, *self.of_patients})
        frame = self.texts(self.table.load(positions or [0]), positions)
        return MappedRows(self, frame, partial(location_of, self.table))

    @property
    def of_visits(self) -> list[int]:
        """The positions of the columns that the visits are made of, and those that say which rows are used."""
        patients, visits = self.file.patients, self.file.visits
        used = {*patients.chosen.values(), *patients.key.values(), *patients.only}
        used |= {column for visit in visits for column in (*visit.chosen.values(), *visit.only)}
        units = {unit_column(self.header, visit.platelets, visit.unit) for visit in visits if visit.platelets}
        return [self.header.index(name) for name in {*used, *units} if name in self.header]

    @property
    def of_patients(self) -> list[int]:
        """The positions of the columns that the patients are made of, and those that are looked at in all rows."""
        patients = self.file.patients
        used = {*patients.chosen.values(), *patients.key.values(), *patients.only, *patients.baseline_only}
        used |= {column for visit in self.file.visits for column in visit.only}
        if patients.baseline and (units := unit_column(self.header, patients.baseline, patients.baseline_unit)):
            used.add(units)
        positions = {self.header.index(name) for name in used if name in self.header}
        return list(positions | set(self.beside.values()))

    @property
    def beside(self) -> dict[str, int]:
        """The positions of a site and of a study beside the ids, if the mapping does not say what they are."""
        patients = self.file.patients
        if patients.key or self.file.options.patient_key is not None:
            return {}
        return beside_columns(self.header, self.header.index(patients.patient_id))

    def texts(self, frame: pl.DataFrame, positions: Sequence[int]) -> pl.DataFrame:
        """Columns of the file by their names in it, as texts; null where empty. Ids have their site and study."""
        columns = [cells_as_texts(frame[str(position)]).alias(self.header[position]) for position in positions]
        patients = self.file.patients
        if not patients.key:
            return pl.DataFrame(columns)
        key = [*patients.key.values(), patients.patient_id]
        return pl.DataFrame(columns).with_columns(pl.concat_str(key, separator="-").alias(patients.patient_id))

    @property
    def unused_visits(self) -> list[str]:
        """The values of the column of days whose rows are not used."""
        return [code for code, meaning in self.file.codes.get("day", {}).items() if meaning == NOT_USED]

    def named(self) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        """The columns of the file that the mapping names, each with the keys that lead to it."""
        for name, column in self.file.patients.chosen.items():
            yield column, ("patients", *_key(name, self.file.patients.columns))
        for name, column in self.file.patients.key.items():
            yield column, ("patients", name)
        for key in ("only", "baseline_only"):
            for column in getattr(self.file.patients, key):
                yield column, ("patients", key, column)
        for column in self.file.other_columns:
            yield column, ("other_columns", column)
        for number, visit in enumerate(self.file.visits):
            for name, column in visit.chosen.items():
                yield column, ("visits", number, *_key(name, visit.columns))
            for column in visit.only:
                yield column, ("visits", number, "only", column)
            if visit.platelets is not None and (units := unit_column(self.header, visit.platelets, visit.unit)):
                yield units, ("visits", number, "unit")
        patients = self.file.patients
        if patients.baseline is not None and (
            units := unit_column(self.header, patients.baseline, patients.baseline_unit)
        ):
            yield units, ("patients", "baseline_unit")

    def check(self) -> None:
        """Raises `CohortError` if the mapping names columns that the file does not have, or has several times."""
        header = self.header
        problems = []
        for column, path in self.named():
            times = header.count(column)
            if not times:
                text = f"there is no column {column!r} in {self.name}; there are: {some_of(header)}."
                problems.append(self.mapping.positions.problem(path, f"{text}{nearest(column, header)}"))
            elif times > 1:
                text = f"{self.name} has {times} columns {column!r}; rename all but one of them."
                problems.append(self.mapping.positions.problem(path, text))
        for unit, path in self._own_units():
            if unit not in header and exponent_of(unit) is None:
                text = f"there is no column {unit!r}; {no_unit(unit)}"
                problems.append(self.mapping.positions.problem(path, text))
        refuse(problems, CohortError)

    def _own_units(self) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        """The units, or columns of units, that the mapping names, each with the keys that lead to it."""
        for number, visit in enumerate(self.file.visits):
            if visit.unit is not None:
                yield visit.unit, ("visits", number, "unit")
        if self.file.patients.baseline_unit is not None:
            yield self.file.patients.baseline_unit, ("patients", "baseline_unit")

    @cached_property
    def like_units(self) -> dict[str, list[str]]:
        """As in `NamedTable`."""
        named = {column for column, _ in self.named()}
        used = [position for position, name in enumerate(self.header) if name in named]
        return like_units(self.table if self.chunked is None else self.chunked, used)

    def units_said(self, counts: str) -> list[UnitSaid]:
        """The units of a column of counts that the file tells besides its header; one that is read in chunks, none."""
        return units_said(self.table, counts) if self.chunked is None else []


@dataclass(frozen=True)
class MappedRows:
    """Rows of a mapped file: all, those of a chunk, or those that tell all of its patients."""

    source: MappedFile
    frame: pl.DataFrame
    """Columns by their names in the file, as texts; null where empty."""
    location: Callable[[int], Location]
    """The location of the rows, by the order of the table that is made of them."""
    wanted: pl.Series | None = None
    """The ids of the patients who are not left out by `only`; None: as these rows say."""

    @property
    def file(self) -> MappingFile:
        return self.source.file

    @property
    def ids(self) -> pl.Series:
        """The patient of each row."""
        return self.frame[self.file.patients.patient_id]

    @cached_property
    def of_wanted(self) -> pl.Series:
        """Which rows are of patients who are not left out by `only`; those without a patient are reported later."""
        if self.wanted is not None:
            return self.ids.is_in(self.wanted.implode()).fill_null(value=True)
        rows = pl.Series([True]).new_from_index(0, len(self.ids))
        for column, value in self.file.patients.only.items():
            wanted = self.ids.filter((self.frame[column] == value.strip()).fill_null(value=False)).unique()
            rows &= self.ids.is_in(wanted.to_list()).fill_null(value=True)
        return rows

    def at_unused_visits(self, column: str) -> pl.Series:
        """Which rows say in the column of days that they are not used."""
        return self.frame[column].is_in(self.source.unused_visits).fill_null(value=False)

    @cached_property
    def of_baseline(self) -> pl.Series:
        """Which rows have the patient's baseline, if it is filled in."""
        rows = pl.Series([True]).new_from_index(0, len(self.frame))
        for name, value in self.file.patients.baseline_only.items():
            rows &= self.frame[name].fill_null("") == value.strip()
        return rows

    def report(self, location: Location, problems: Problems) -> None:
        """Report what all rows say of the patients and of `only`, and note the columns that are not used."""
        self._check_key(location, problems)
        self._check_only(location, problems)
        names = {name for name, _ in self.source.named()} - set(self.file.other_columns)
        others = [name for name in self.source.header if name not in names]
        if others:
            problems.note(location, f"Columns that the mapping does not use: {first_few(others)}.")
        self._note_lengths(location, problems)

    def _note_lengths(self, location: Location, problems: Problems) -> None:
        """Note how long cycles and months are taken to be."""
        for key, days, first in (
            ("cycle", self.file.cycle_days, "; day 1 of cycle 1 is day 0"),
            ("month", self.file.month_days, ", counted from day 0"),
        ):
            if any(getattr(visit, key) is not None for visit in self.file.visits):
                problems.note(location, f"A {key} has {days:g} days, as the mapping says{first}.")

    def _check_key(self, location: Location, problems: Problems) -> None:
        """Report ids with several sites or studies; note what ids are made of."""
        patients, header = self.file.patients, self.source.header
        if patients.key:
            made = " and ".join(map(repr, [*patients.key.values(), patients.patient_id]))
            problems.note(location, f"Patients are identified by {made}, as the mapping says.")
        for name, position in self.source.beside.items():
            ids = with_several(self.ids, self.frame[header[position]])
            if len(ids):
                what = f"{patients.patient_id}: {first_few(ids)} {has(ids)} several {header[position]!r}"
                cure = f"name it under [patients] ({name.strip()} = {header[position]!r})"
                problems.wrong(location, f"{what}; {cure}, or write patient_key = 'id' under [options].")

    def _check_only(self, location: Location, problems: Problems) -> None:
        """Report an `only` of patients that no row says; note one of visits, and patients whose rows differ."""
        of_patients = self.file.patients.only.items()
        of_visits = [only for visit in self.file.visits for only in visit.only.items()]
        for column, value in dict.fromkeys((*of_patients, *of_visits)):
            cells = self.frame[column]
            if (cells == value.strip()).any() or not value.strip():
                continue
            there = first_few(cells.drop_nulls().unique(maintain_order=True)) or "nothing"
            text = f"only: no row says that {column} is {value!r}; it says {there}."
            if (column, value) in of_patients:
                problems.wrong(location, text)
            else:
                problems.note(location, text, warning=True)
        for column, value in of_patients:
            differ = (self.frame[column] != value.strip()).fill_null(value=False) & self.of_wanted
            others = self.ids.filter(differ).drop_nulls().unique(maintain_order=True)
            if len(others):
                what = f"{counted_patients(len(others))} included, with a row that says that {column} is {value!r}"
                problems.note(location, f"{what} and one that does not: {first_few(others)}.", warning=True)

    def units(
        self, name: str, counts: str | None, own: str | None, rows: Ints, location: Location, problems: Problems
    ) -> list[pl.Series]:
        """The column `name` of the units of the counts in these rows; none if nothing tells the unit.

        `own` is the unit that the mapping names, or its column.
        """
        if counts is None:
            return []
        column, said = self._units_said(counts, own)
        if column is None and not any(exponent_of(one.unit) is not None for one in said):
            return []
        cells = Cells(location, counts, self.frame[counts])
        whole = agreed(said, cells, problems, elsewhere=column is not None)
        unit = pl.Series(name, [whole and whole.unit], dtype=pl.String).new_from_index(0, len(rows))
        if column is not None:
            of_rows = self.coded(name, column, rows)
            if whole is not None:
                check_same_unit(Cells(location, column, of_rows), whole, problems)
            unit = of_rows.zip_with(of_rows.is_not_null(), unit).alias(name)
        return [unit]

    def _units_said(self, counts: str, own: str | None) -> tuple[str | None, list[UnitSaid]]:
        """The column of the units of a column of counts, and what tells the unit of all of it."""
        column = unit_column(self.source.header, counts, own)
        told = [unit for unit in (None if own == column else own, self.file.unit) if unit is not None]
        said = [*(UnitSaid(unit, "the mapping") for unit in told), *said_by_header(counts)]
        return column, said + self.source.units_said(counts)

    def unknown_units(self, name: str, of_counts: Iterable[tuple[str | None, str | None]]) -> dict[str, list[UnitSaid]]:
        """The units that are told of a column of counts and are none, which an option may tell.

        `of_counts` has the columns of the file and the units that the mapping names.
        """
        said = [self._units_said(counts, own)[1] for counts, own in of_counts if counts is not None]
        unknown = [one for of_column in said for one in of_column if exponent_of(one.unit) is None]
        return {name: list(dict.fromkeys(unknown))} if unknown else {}

    def coded(self, name: str, column: str, rows: Ints) -> pl.Series:
        """The texts of a column in these rows, decoded if the mapping has codes for that name.

        A text without a code is null.
        """
        texts = self.frame[column].gather(rows)
        codes = self.file.codes.get(name)
        if codes is None:
            return texts
        meanings = {code: str(meaning) for code, meaning in codes.items()}
        return texts.replace_strict(meanings, default=None, return_dtype=pl.String)

    def cell_problems(
        self, columns: Mapping[str, pl.Series], frame: pl.DataFrame, header: Mapping[str, str]
    ) -> list[CellProblem]:
        """The cells without a code, in each column with codes; `columns` are as written, `frame` is decoded."""
        problems = []
        for name, codes in self.file.codes.items():
            if name in columns:
                written = columns[name]
                not_given = written.is_null() | is_not_given(written)
                without_code = (frame[name].is_null() & ~not_given.fill_null(value=True)).to_numpy()
                problems.append(CellProblem(header[name], written, without_code, _without_code(name, codes)))
        return problems

    def recorded(self, visit: VisitColumns) -> Ints:
        """The rows with an observation for a visit, of patients who are not left out."""
        filled = pl.any_horizontal(pl.col(column).is_not_null() for column in visit.recorded.values())
        recorded = self.of_wanted & self.frame.select(filled).to_series()
        for column, value in visit.only.items():
            recorded &= self.frame[column].fill_null("") == value.strip()
        if isinstance(visit.day, str):
            recorded &= ~self.at_unused_visits(visit.day)
        return recorded.arg_true().to_numpy().astype(np.int64)

    @cached_property
    def with_visit(self) -> Bools:
        """Which rows have a visit."""
        with_visit = np.zeros(len(self.frame), dtype=np.bool_)
        for visit in self.file.visits:
            with_visit[self.recorded(visit)] = True
        return with_visit

    def count_unused(self, location: Location, problems: Problems) -> None:
        """Note the rows without a visit and without a value of the patient."""
        used = self.with_visit | ~self.of_wanted.to_numpy()
        said, word = some_of(map(quoted, self.source.unused_visits)), location.row_word
        for column in sorted({visit.day for visit in self.file.visits if isinstance(visit.day, str)}):
            unused = self.at_unused_visits(column).to_numpy() & ~used

            def not_used(number: int, _: Sequence[str], column: str = column) -> str:
                rows = f"{number} {word}{'' if number == 1 else 's'} left out"
                return f"{rows}: the mapping says of {column} that {said} is not used." if number else ""

            problems.count(location, f"not used: {column}", not_used, int(unused.sum()))
            used |= unused
        of_visits = {"patient_id"} | ({"baseline"} if self.file.patients.baseline_only else set())
        about = [column for name, column in self.file.patients.chosen.items() if name not in of_visits]
        if about:
            used |= self.frame.select(pl.any_horizontal(pl.col(about).is_not_null())).to_series().to_numpy()

        def nothing(number: int, _: Sequence[str]) -> str:
            rows = f"{number} {word}{'' if number == 1 else 's'} skipped"
            return f"{rows}: no mapped column is filled in." if number else ""

        problems.count(location, "nothing filled in", nothing, int((~used).sum()))


def _without_code(name: str, codes: Iterable[str]) -> Wording:
    cure = f"has no code in the mapping, which has {some_of(codes)}; add it under [codes.{name}]"
    return lambda text: f"{quoted(text)} {cure}."


def _key(name: str, columns: Mapping[str, str]) -> tuple[str, ...]:
    """The keys that lead to a column in its table of the mapping."""
    return ("columns", name) if name in columns else (name,)
