"""Mapping: a REDCap export, a wide spreadsheet or an ODM file as a table of visits and a table of patients.

A mapping file says which column of the file is which, and of what visits its rows are made: each `[[visits]]` makes a
visit of every row that records something for it. So a spreadsheet with a column per visit has many of them, an export
with a row per visit has one, and one more for each repeating instrument.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import Field

from itp_response.cohort.values import Ints
from itp_response.messages.errors import CohortError, nearest, unknown
from itp_response.messages.strict_model import StrictModel
from itp_response.messages.toml_file import checked_by, file_unreadable, load_toml, tupled
from itp_response.messages.toml_positions import Positions, Problem, refuse
from itp_response.readers.cells import NOT_GIVEN, Wording
from itp_response.readers.column_names import Doubt, NamedTable, tell_of_file
from itp_response.readers.files import Tabular, opened
from itp_response.readers.open_table import Opened
from itp_response.readers.problems import Location, Pieces, Problems, as_text, first_few, quoted
from itp_response.readers.sdtm.domains import MappedStudy as Study
from itp_response.readers.sdtm.domains import is_study
from itp_response.readers.sdtm.terms import settings

OPEN = "?"
"""What a draft puts where only the reader of the file can know."""


class PatientColumns(StrictModel):
    """`[patients]`: the columns of the file that say something of a patient as a whole."""

    patient_id: str = Field(description="the column with the patient's id")
    arm: str | None = None
    enrolment_date: str | None = None
    enrolment_day: str | None = None
    baseline: str | None = None
    treatment_discontinued: str | None = None
    birth_date: str | None = None
    death_date: str | None = None
    columns: dict[str, str] = Field(default_factory=dict, description="further columns, as criteria declare them")

    @property
    def taken(self) -> dict[str, str]:
        """The columns of the file, by what they are."""
        return _given(self)


class VisitColumns(StrictModel):
    """`[[visits]]`: a visit that is made of each row that records something for it."""

    day: int | str | None = Field(default=None, description="its day, or the column that has it")
    date: str | None = Field(default=None, description="the column with its date")
    platelets: str | None = None
    bleeding_grade: str | None = None
    rescue: str | None = None
    rescue_end: str | None = None
    columns: dict[str, str] = Field(default_factory=dict, description="further columns, as criteria declare them")
    only: dict[str, str] = Field(default_factory=dict, description="only rows in which that column says that")

    @property
    def taken(self) -> dict[str, str]:
        """The columns of the file, by what they are; a day that is a number is in none."""
        return _given(self)

    @property
    def recorded(self) -> dict[str, str]:
        """Those of which one that is filled in makes a visit."""
        return {name: column for name, column in self.taken.items() if name not in ("day", "date")}


class MappingFile(StrictModel):
    """A mapping file."""

    confirmed: bool = Field(description="true once a person has looked the mapping over")
    sheet: str | None = Field(default=None, description="the sheet of a workbook; else its first")
    patients: PatientColumns
    visits: tuple[VisitColumns, ...] = Field(description="the visits that rows are made of")
    codes: dict[str, dict[str, str | int | float]] = Field(
        default_factory=dict, description="of a column, what stands for each value that is written"
    )


def _given(model: StrictModel) -> dict[str, str]:
    columns: dict[str, str] = getattr(model, "columns")  # noqa: B009
    fields = {name: value for name, value in model if name not in ("columns", "only") and isinstance(value, str)}
    return fields | columns


@dataclass(frozen=True)
class Arrangement:
    """A mapping file, read and checked."""

    path: Path
    file: MappingFile
    positions: Positions


# THE FILE


def load_mapping(path: str | Path) -> Arrangement:
    """The mapping of that file.

    Raises `CohortError` with everything wrong with it; also while nobody has confirmed it.
    """
    path = Path(path)
    raw, positions = load_toml(path, CohortError, partial(_unreadable, path))
    file = checked_by(MappingFile, tupled(raw), raw, positions, CohortError)
    refuse(_wrong(file, positions), CohortError)
    return Arrangement(path, file, positions)


def _unreadable(path: Path, failure: OSError) -> str:
    if isinstance(failure, FileNotFoundError):
        return f"{path}: there is no such file; 'itp-response map' drafts one."
    return file_unreadable(str(path), failure)


def _wrong(file: MappingFile, positions: Positions) -> Iterator[Problem]:
    """What the keys of a mapping say that cannot be."""
    if not file.confirmed:
        cure = "look it over, correct it, and write 'confirmed = true'"
        yield positions.problem(("confirmed",), f"this mapping was not confirmed; {cure}.")
    timed = [{name for name in ("day", "date") if getattr(visit, name) is not None} for visit in file.visits]
    for number, (visit, times) in enumerate(zip(file.visits, timed, strict=True)):
        if len(times) != 1:
            yield positions.problem(("visits", number), "a visit has either a 'day' or a 'date'; give one.")
        elif times != timed[0] and len(timed[0]) == 1:
            yield positions.problem(
                ("visits", number), "some visits have a 'day' and some a 'date'; give all the same."
            )
        if not visit.recorded:
            yield positions.problem(("visits", number), "nothing is recorded at this visit; name a column, or drop it.")
    if not any(visit.platelets for visit in file.visits):
        yield positions.problem(("visits",), "no visit has 'platelets'; name the column with the counts.")
    known = sorted({*file.patients.taken, *(name for visit in file.visits for name in visit.taken)})
    for name, codes in file.codes.items():
        if name not in known:
            yield positions.problem_with_key(("codes", name), unknown("column", name, known))
        for code, meaning in codes.items():
            if meaning == OPEN:
                yield positions.problem(("codes", name, code), "this is still open; say what it stands for.")


# THE TABLES


@dataclass(frozen=True)
class Mapped:
    """The visits or the patients of a file as a mapping arranges them; `classify` and all that reads takes it.

    Made by `mapped`.
    """

    source: "MappedFile"
    patients: bool

    @property
    def files(self) -> tuple[Tabular, Path]:
        """What it is made of."""
        return self.source.given, self.source.arrangement.path

    def as_table(self, order: int, names: Iterable[str], problems: Problems) -> NamedTable | None:
        """The columns of these names that the mapping has; None: the file cannot be opened, as was found."""
        try:
            place = self.source.place(order)
        except CohortError as error:
            problems.failed(order, error)
            return None
        if self.patients:
            return _patients(self.source, place, names, problems)
        self.source.tell(place, problems)
        return _visits(self.source, place, names, problems)


def mapped(file: Tabular, mapping: str | Path) -> "tuple[Mapped, Mapped] | tuple[Study, None]":
    """The visits and the patients of a file by a mapping file: `classify(*mapped("export.csv", "mapping.toml"))`.

    Of an SDTM study's folder the mapping has the keys of `sdtm.toml`, and the visits have the patients with them.
    Raises `CohortError` with what is wrong with the mapping, or if it names columns that the file has not.
    """
    if isinstance(file, str | Path) and is_study(file):
        settings(Path(mapping))
        return Study(Path(file), Path(mapping)), None
    source = MappedFile(file, load_mapping(mapping))
    source.check()
    return Mapped(source, patients=False), Mapped(source, patients=True)


@dataclass(frozen=True)
class MappedFile:
    """A file and its mapping; the file is read once."""

    given: Tabular
    arrangement: Arrangement

    @property
    def file(self) -> MappingFile:
        return self.arrangement.file

    @cached_property
    def opened(self) -> Opened:
        return opened(self.given, "visits", self.file.sheet)

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The columns the mapping names, by their names in the file, as texts; null where empty."""
        names = [name for name in dict.fromkeys(name for name, _ in self.named()) if name in self.opened.header]
        positions = [self.opened.header.index(name) for name in names]
        frame = self.opened.load(positions or [0])
        columns = [as_text(frame[str(position)]) for position in positions]
        return pl.DataFrame([one.alias(name) for one, name in zip(columns, names, strict=True)])

    def place(self, order: int) -> Location:
        return Location(self.opened.name, order, self.opened.row_word, self.opened.lines)

    def named(self) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        """The columns of the file that the mapping names, and where it does."""
        for name, column in self.file.patients.taken.items():
            yield column, ("patients", *_key(name, self.file.patients.columns))
        for number, visit in enumerate(self.file.visits):
            for name, column in visit.taken.items():
                yield column, ("visits", number, *_key(name, visit.columns))
            for column in visit.only:
                yield column, ("visits", number, "only", column)

    def check(self) -> None:
        """Raises `CohortError` where the mapping names what is not in the file, or is there several times."""
        header = self.opened.header
        problems = []
        for column, path in self.named():
            times = header.count(column)
            if not times:
                there = f"there is no column {column!r} in {self.opened.name}; there are: {', '.join(header)}."
                problems.append(self.arrangement.positions.problem(path, f"{there}{nearest(column, header)}"))
            elif times > 1:
                several = f"{self.opened.name} has {times} columns {column!r}; rename all but one of them."
                problems.append(self.arrangement.positions.problem(path, several))
        refuse(problems, CohortError)

    def tell(self, location: Location, problems: Problems) -> None:
        """What was taken and what is wrong with the rows of the file as a whole."""
        first = self.opened.header[:1] == [self.file.patients.patient_id]
        tell_of_file(self.opened, location, problems, patient_first=first)
        names = {name for name, _ in self.named()}
        others = [name for name in self.opened.header if name not in names]
        if others:
            problems.note(location, f"Columns that the mapping does not take: {first_few(others)}.")

    def coded(self, name: str, column: str, rows: Ints) -> pl.Series:
        """The texts of a column in these rows, by the codes of the mapping where there are any for that name.

        What has no code is null.
        """
        texts = self.frame[column].gather(rows)
        codes = self.file.codes.get(name)
        if codes is None:
            return texts
        meanings = {code: str(meaning) for code, meaning in codes.items()}
        return texts.replace_strict(meanings, default=None, return_dtype=pl.String)

    def doubts(self, columns: Mapping[str, pl.Series], frame: pl.DataFrame, called: Mapping[str, str]) -> list[Doubt]:
        """Of each column with codes, what was written that has none; `columns` as written, `frame` as coded."""
        found = []
        for name, codes in self.file.codes.items():
            if name in columns:
                written = columns[name]
                nothing = written.is_null() | written.str.to_lowercase().is_in(NOT_GIVEN)
                strange = (frame[name].is_null() & ~nothing.fill_null(value=True)).to_numpy()
                found.append(Doubt(called[name], written, strange, _without_code(name, codes)))
        return found


def _without_code(name: str, codes: Iterable[str]) -> Wording:
    cure = f"has no code in the mapping, which has {', '.join(codes)}; add it under [codes.{name}]"
    return lambda text: f"{quoted(text)} {cure}."


def _key(name: str, columns: Mapping[str, str]) -> tuple[str, ...]:
    return ("columns", name) if name in columns else (name,)


def _visits(source: MappedFile, location: Location, names: Iterable[str], problems: Problems) -> NamedTable:
    """One row per visit and row of the file that records something for it."""
    frames, as_written, rows_of, columns_of = [], [], [], []
    for visit in source.file.visits:
        rows = _recorded(source.frame, visit)
        columns = {"patient_id": source.file.patients.patient_id, **visit.taken}
        cells = [source.coded(name, column, rows).alias(name) for name, column in columns.items()]
        as_written.append(
            pl.DataFrame([source.frame[column].gather(rows).alias(name) for name, column in columns.items()])
        )
        if isinstance(visit.day, int):
            cells.append(pl.Series("day", [str(visit.day)]).new_from_index(0, len(rows)))
        frames.append(pl.DataFrame(cells))
        rows_of.append(rows)
        columns_of.append(columns)
    rows = np.concatenate(rows_of)
    pieces = Pieces(
        [location] * len(frames), np.repeat(np.arange(len(frames)), list(map(len, rows_of))), rows, columns_of
    )
    _note_unused(source, rows, location, problems)
    if not len(rows) and not source.opened.problems:
        problems.wrong(location, "nothing is filled in at any visit that the mapping names.")
    frame = pl.concat(frames, how="diagonal")
    called = {name: name for name in frame.columns}
    doubts = source.doubts(pl.concat(as_written, how="diagonal").to_dict(), frame, called)
    made = Location(location.name, location.order, location.row_word, location.all_lines(rows), pieces)
    return _table(made, frame, names, called, doubts)


def _recorded(frame: pl.DataFrame, visit: VisitColumns) -> Ints:
    """The rows of the file in which something is recorded for a visit."""
    some = frame.select(
        pl.any_horizontal(pl.col(column).is_not_null() for column in visit.recorded.values())
    ).to_series()
    for column, value in visit.only.items():
        some &= frame[column].fill_null("") == value.strip()
    return some.arg_true().to_numpy().astype(np.int64)


def _note_unused(source: MappedFile, rows: Ints, location: Location, problems: Problems) -> None:
    """Rows that gave no visit and say nothing of the patient but the id."""
    used = np.zeros(len(source.frame), dtype=np.bool_)
    used[rows] = True
    about = [column for name, column in source.file.patients.taken.items() if name != "patient_id"]
    if about:
        used |= source.frame.select(pl.any_horizontal(pl.col(about).is_not_null())).to_series().to_numpy()
    count = int((~used).sum())
    if count:
        word = f"{location.row_word}{'' if count == 1 else 's'}"
        problems.note(location, f"{count} {word} passed over: nothing that the mapping takes is filled in.")


@dataclass(frozen=True)
class _Gathered(Location):
    """The place of rows that were put together from several of the file, column by column."""

    given: Location | None = None
    rows: Mapping[str, Ints] = field(default_factory=dict)
    """By the column's name in the file, the row that each cell is from; by "", the first of each patient."""

    def only(self, rows: Ints) -> "Location":
        return replace(self, lines=self.all_lines(rows), rows={name: at[rows] for name, at in self.rows.items()})

    def written_in(self, rows: Ints, column: str) -> Ints:
        assert self.given is not None
        at = self.rows[column]
        # The patients' empty last row is in no row of the file.
        return self.given.all_lines(np.append(at, 0)[rows])

    def source(self, row: int, column: str = "") -> tuple[Location, int, str]:
        assert self.given is not None
        return self.given, int(self.rows.get(column, self.rows[""])[row]), column


def _patients(source: MappedFile, location: Location, names: Iterable[str], problems: Problems) -> NamedTable:
    """One row per patient: of each column the value that is given, in whichever row of the file."""
    taken = source.file.patients.taken
    ids = source.frame[taken["patient_id"]]
    firsts = (ids.is_not_null() & ids.is_first_distinct()).arg_true()
    known = pl.DataFrame({"id": ids.gather(firsts)})
    columns: list[pl.Series] = []
    as_written: dict[str, pl.Series] = {}
    rows_of: dict[str, Ints] = {"": firsts.to_numpy().astype(np.int64)}
    for name, column in taken.items():
        rows = _one_row(ids, source.frame[column], known, firsts, column, location, problems)
        columns.append(source.coded(name, column, rows).alias(name))
        as_written[name] = source.frame[column].gather(rows)
        rows_of[column] = rows
    lines = location.all_lines(rows_of[""])
    made = _Gathered(location.name, location.order, location.row_word, lines, given=location, rows=rows_of)
    frame = pl.DataFrame(columns)
    return _table(made, frame, names, taken, source.doubts(as_written, frame, taken))


def _one_row(
    ids: pl.Series,
    cells: pl.Series,
    known: pl.DataFrame,
    firsts: pl.Series,
    column: str,
    location: Location,
    problems: Problems,
) -> Ints:
    """Of each patient the row in which the column is filled in, or else his first; two that differ are found wrong."""
    frame = pl.DataFrame({"id": ids, "cell": cells, "row": np.arange(len(ids))}).drop_nulls()
    first = frame.unique("id", keep="first", maintain_order=True)
    other = frame.join(first, on="id", maintain_order="left").filter(pl.col("cell") != pl.col("cell_right"))
    before = dict(zip(other["row"].to_list(), other["row_right"].to_list(), strict=True))
    for row, at in list(before.items()):
        one, two = cells[at], cells[row]
        what = f"{column}: {quoted(one)} and {quoted(two)} for the same patient {quoted(ids[row])}"
        problems.wrong(
            location, f"{what} (first in {location.row_word} {location.line(at)}); keep one.", location.line(row)
        )
    rows = known.join(first, on="id", how="left", maintain_order="left")["row"]
    return rows.zip_with(rows.is_not_null(), firsts.cast(pl.Int64)).to_numpy()


def _table(
    location: Location, frame: pl.DataFrame, names: Iterable[str], header: Mapping[str, str], doubts: Sequence[Doubt]
) -> NamedTable:
    """The columns of these names, of those there are."""
    chosen = [name for name in dict.fromkeys(names) if name in frame.columns]
    return NamedTable(location, frame.select(chosen), {name: header[name] for name in chosen}, frame.columns, doubts)
