"""Column names: the columns of a table by the names that the readers use."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl

from itp_response.cohort.observations import Origin
from itp_response.cohort.values import Bools, Ints, Texts
from itp_response.messages.codes import Code
from itp_response.messages.errors import ROOM, CohortError, Problem, nearest, some_of
from itp_response.readers.files import READERS, kind_of, open_table
from itp_response.readers.known_names import ALIASES, BESIDE, UNIQUE, UNIT_OF, fitting, folded
from itp_response.readers.open_table import OpenTable
from itp_response.readers.problems import (
    BrokenLine,
    Cells,
    Location,
    Pieces,
    Problems,
    and_more,
    as_text,
    location_of,
    quoted,
)
from itp_response.readers.runs import Runs
from itp_response.readers.tabular import Tabular
from itp_response.readers.told import NOTHING, Told
from itp_response.readers.units import UnitSaid, exponent_of, in_header
from itp_response.readers.value_labels import by_labels, contradictory

REASON = "rescue_reason"
"""In the frame of visits: the reason for a rescue treatment; only `review` uses it."""
STOPPED_BY = "DSSEQ"
"""In the frame of a study's patients: the number of the record of the end of treatment."""
SUBJECT = "SUBJID"
"""In the frame of a study's patients: the identifier of the subject within the study."""
WITHOUT_DAY_0 = "without_day_0"
"""In the frame of a study's patients: whether the patient is kept without a day 0."""
STUDY = ("dm", "lb")
"""A folder with such a file holds CDISC's domains, even if some that a study needs are missing."""
SHOWN = 5
"""The number of files that a note names."""
STUDY_DAYS = ("lbdy", "ady", "visitdy")


@dataclass(frozen=True)
class CellProblem:
    """A problem of a column that was noticed before the table was read; one entry per row."""

    name: str
    """The column."""
    values: pl.Series
    """Its cells as written."""
    rows: Bools
    """The rows with the problem."""
    wording: Callable[[str], str]


@dataclass(frozen=True)
class NamedTable:
    """A table with its columns under the names that the readers use."""

    location: Location
    frame: pl.DataFrame
    header: Mapping[str, str]
    """By the readers' names, those in the file."""
    written: Sequence[str] = ()
    """The names of all columns in the file."""
    cell_problems: Sequence[CellProblem] = ()
    units: Mapping[str, Sequence[UnitSaid]] = field(default_factory=dict)
    """By the readers' names, the units that the file's labels and metadata tell."""
    unit_if_missing: str | None = None
    """The unit of counts without one in the column of units, where the reader of the file has noted which these are;
    None: they are a problem."""
    told: Told = NOTHING
    """What a mapping, or the settings of a study, say of words in the cells."""
    left_out: Mapping[str, Bools] = field(default_factory=dict)
    """By the readers' names of columns, the rows of cells that were left out; those cells are empty."""
    may_be_scored: bool = False
    """A grade of 0 may be among what was left out."""
    numbers: Ints | None = None
    """The number of each row in the whole table, in any numbering; None: they are numbered from 0."""
    study: str = ""
    """As in `OpenTable`."""
    like_units: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The columns that are not used and hold units in which counts are converted, with some of these."""

    def has(self, name: str) -> bool:
        """Whether the table has that column."""
        return name in self.header

    def cells(self, name: str) -> Cells:
        """The column of that name; if it is missing, all cells are empty."""
        if not self.has(name):
            return Cells(self.location, name, pl.Series([None], dtype=pl.String).new_from_index(0, len(self.frame)))
        return Cells(self.location, self.header[name], self.frame[name])

    @cached_property
    def written_ids(self) -> Runs:
        """The ids of the patients as they were written, which must be texts."""
        return Runs.of(self.cells("patient_id").values)

    def report_cell_problems(self, problems: Problems) -> None:
        """Report the problems that were noticed before the table was read."""
        for problem in self.cell_problems:
            cells = Cells(self.location, problem.name, problem.values)
            problems.wrong_cells(cells, np.flatnonzero(problem.rows), problem.wording)

    def only(self, rows: Ints) -> "NamedTable":
        """The table of these rows alone."""
        cell_problems = [
            replace(problem, values=problem.values.gather(rows), rows=problem.rows[rows])
            for problem in self.cell_problems
        ]
        left_out = {name: mask[rows] for name, mask in self.left_out.items()}
        return replace(
            self,
            location=self.location.only(rows),
            frame=self.frame[rows],
            cell_problems=cell_problems,
            left_out=left_out,
            numbers=self.all_numbers[rows],
        )

    @property
    def all_numbers(self) -> Ints:
        """The number of each row in the whole table."""
        return np.arange(len(self.frame)) if self.numbers is None else self.numbers

    def without_cells(self, cells: Mapping[str, Ints]) -> "NamedTable":
        """The table without these cells: by the readers' names of columns, the numbers of their rows."""
        masks = {name: np.isin(self.all_numbers, numbers) for name, numbers in cells.items()}
        emptied = [self.frame[name].set(pl.Series(mask), None) for name, mask in masks.items() if self.has(name)]
        by_header = {self.header.get(name, name): mask for name, mask in masks.items()}
        cell_problems = [
            replace(problem, rows=problem.rows & ~by_header.get(problem.name, np.False_))
            for problem in self.cell_problems
        ]
        frame = self.frame.with_columns(emptied)
        return replace(self, frame=frame, cell_problems=cell_problems, left_out=masks)

    def has_left_out(self, *names: str) -> Bools:
        """The rows in which a cell of one of these columns was left out."""
        none = np.zeros(len(self.frame), dtype=np.bool_)
        rows: Bools = np.logical_or.reduce([none, *(self.left_out.get(name, none) for name in names)])
        return rows

    def without(self, *names: str) -> "NamedTable":
        """The table without these columns, to free the memory of a long table."""
        header = {name: written for name, written in self.header.items() if name not in names}
        return replace(self, frame=self.frame.drop(names, strict=False), header=header)

    def with_empty_row(self) -> "NamedTable":
        """The table with an empty row at its end, which stands for patients who are not in it."""
        # In one piece, as rows are looked up in it many times.
        return replace(self, frame=pl.concat([self.frame, self.frame.clear(1)], rechunk=True))


def no_table(order: int, name: str) -> NamedTable:
    """A table without columns or rows."""
    return NamedTable(Location(name, order), pl.DataFrame({"": []}), {})


def read_table(
    given: Tabular, what: str, order: int, names: Sequence[str], declared: Iterable[str], problems: Problems
) -> NamedTable | None:
    """The columns of a table with these names and those declared; None: it cannot be opened, which is reported.

    `what` names a table that is no file. Problems of the table with the lower `order` are reported first.
    """
    if hasattr(given, "as_table"):
        mapped: Any = given
        named_table: NamedTable | None = mapped.as_table(order, (*names, *declared), problems)
        return named_table
    try:
        if isinstance(given, str | Path) and is_folder(given):
            return _of_folder(Path(given), order, names, declared, problems)
        source = open_table(given, what)
        location = location_of(source, order)
        if not source.header:
            raise CohortError(Problem(f"{source.name}: there are no rows.", code=Code.NO_ROWS, file=source.name))
        chosen = chosen_columns(source.header, names, declared, location, problems)
        table = replace(filled(source, chosen, location, problems), like_units=like_units(source, chosen.values()))
    except CohortError as error:
        problems.failed(order, error)
        return None
    for text in source.notes:
        problems.note(location, text)
    if not len(table.frame) and not source.problems:
        problems.wrong(location, no_rows(location))
    if source.others and not table.has("patient_id"):
        sheets = some_of(map(repr, source.others))
        problems.wrong(location, f"the data may be in another sheet; say --sheet, there are: {sheets}.")
    return table


def no_rows(location: Location) -> Problem:
    """The problem of a table without rows."""
    sentence = "there is no row below the header." if location.row_word == "line" else "there are no rows."
    return Problem(sentence, code=Code.NO_ROWS)


def filled(source: OpenTable, chosen: Mapping[str, int], location: Location, problems: Problems) -> NamedTable:
    """The rows of an opened table, or of a chunk of it, in the columns at the positions `chosen`."""
    frame = source.load(sorted(set(chosen.values())) or [0])
    _report_lines(source, location, problems, patient_first=chosen.get("patient_id") == 0)
    if chosen:
        frame = frame.select(pl.col(str(position)).alias(name) for name, position in chosen.items())
    header = {name: source.header[position] for name, position in chosen.items()}
    frame = _labelled(source, frame, header, location, problems)
    units = {name: units_said(source, header[name]) for name in UNIT_OF.values() if name in header}
    return NamedTable(location, frame, header, source.header, units=units, study=source.study)


def _labelled(
    source: OpenTable, frame: pl.DataFrame, header: Mapping[str, str], location: Location, problems: Problems
) -> pl.DataFrame:
    """The columns, with the labels of the codes of rescue as the file has them; grades that are none are reported."""
    if labels := source.codes.get(header.get("rescue", "")):
        frame = frame.with_columns(by_labels(frame["rescue"], labels).alias("rescue"))
    grade = header.get("bleeding_grade", "")
    for text in contradictory(grade, source.codes.get(grade, {})):
        problems.wrong(location, text)
    return frame


def units_said(source: OpenTable, column: str) -> list[UnitSaid]:
    """The units of a column of counts that the labels and the metadata of the file tell."""
    of_labels = [UnitSaid(unit.text, "the label") for unit in map(in_header, source.labels.get(column, ())) if unit]
    return [*(UnitSaid(unit, "the file") for unit in source.units.get(column, ())), *of_labels]


def report_file(source: OpenTable, location: Location, problems: Problems, *, patient_first: bool) -> None:
    """Report the notes on a file, and its broken lines.

    `patient_first`: the first cell of a line is the patient's id.
    """
    for text in source.notes:
        problems.note(location, text)
    _report_lines(source, location, problems, patient_first=patient_first)


def _report_lines(source: OpenTable, location: Location, problems: Problems, *, patient_first: bool) -> None:
    if not source.broken_lines:
        for line, text in source.problems:
            problems.wrong(location, text, line)
        return
    # Of a broken line, only the first cell is sure to be in its column.
    for (line, reason), (text, cell) in zip(source.problems, source.broken_lines, strict=True):
        problems.broken_line(BrokenLine(location, line, reason, text, (cell or None) if patient_first else None))


# FOLDERS


def is_folder(path: str | Path) -> bool:
    """Whether it is a folder of files that are parts of one table."""
    if not Path(path).is_dir():
        return False
    files = part_files(Path(path))
    return bool(files) and not any(file.stem.lower() in STUDY for file in files)


def part_files(folder: Path) -> list[Path]:
    """The files in a folder that are parts of a table, in the order of their names; hidden files are not."""
    return [path for path in _visible(folder) if path.is_file() and kind_of(path) in READERS]


def _visible(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.name[0] not in "._"]


def note_on_hidden(folder: Path) -> str:
    """The note on tables in a folder that are not read, as their names say that they are hidden; empty for none."""
    visible = _visible(folder)
    hidden = [path for path in sorted(folder.iterdir()) if path not in visible and kind_of(path) in READERS]
    names = [quoted(path.name) for path in hidden if path.is_file()]
    return f"Not read, as the name begins with '_' or '.': {and_more(names, SHOWN, len(names))}." if names else ""


def check_parts(folder: Path) -> list[Path]:
    """The part files of a folder.

    Raises `CohortError` if the folder holds anything else.
    """
    files = part_files(folder)
    kinds = {kind_of(file) for file in files}
    others = [path.name for path in _visible(folder) if path not in files]
    if others or len(kinds) > 1:
        contents = ", ".join([*sorted(kinds), *others[:3]])
        cure = "keep files of one kind in it, the parts of one table"
        raise CohortError(f"{folder.name}: this folder has {contents}; {cure}.")
    return files


def check_same_header(folder: Path, first: Sequence[str], name: str, header: Sequence[str]) -> None:
    """Raises `CohortError` for a part file with other columns than the first."""
    if list(header) != list(first):
        raise CohortError(
            f"{folder.name}: {name} has the columns {some_of(header, ROOM // 2)}, "
            f"but the first part has {some_of(first, ROOM // 2)}; give all the same."
        )


def _of_folder(
    folder: Path, order: int, names: Sequence[str], declared: Iterable[str], problems: Problems
) -> NamedTable:
    """The table that the files in a folder are parts of."""
    sources = [open_table(path, path.name) for path in check_parts(folder)]
    shown = next((source for source in sources if source.decimal != "usual"), sources[0])
    whole = Location(folder.resolve().name, order, decimal=shown.decimal)
    for source in sources:
        check_same_header(folder, sources[0].header, source.name, source.header)
    if hidden := note_on_hidden(folder):
        problems.note(whole, hidden)
    chosen = chosen_columns(sources[0].header, names, declared, whole, problems)
    tables = []
    for part, source in enumerate(sources):
        location = location_of(source, order, part)
        tables.append(filled(source, chosen, location, problems))
        for text in source.notes:
            problems.note(location, text)
    if not any(len(table.frame) for table in tables) and not any(source.problems for source in sources):
        problems.wrong(whole, no_rows(whole))
    return replace(together(whole, tables), like_units=like_units(sources[0], chosen.values()))


def like_units(source: "HasFirstRows", used: Collection[int]) -> dict[str, list[str]]:
    """The columns at other positions than those `used` that hold units in which counts are converted.

    A column holds units if most of its different texts in the first rows are units of platelet counts.
    """
    others = [position for position in range(len(source.header)) if position not in used]
    found = {}
    for position, cells in zip(others, source.first(others).iter_columns() if others else (), strict=True):
        if cells.dtype == pl.String or isinstance(cells.dtype, pl.Categorical | pl.Enum):
            texts = [text for text in as_text(cells).drop_nulls().unique().sort() if not text.isdecimal()]
            units = [text for text in texts if exponent_of(text) is not None]
            if 2 * len(units) > len(texts) and any(map(exponent_of, units)):
                found[source.header[position]] = units
    return found


class HasFirstRows(Protocol):
    """A table of which the first rows can be read."""

    @property
    def header(self) -> list[str]: ...

    @property
    def first(self) -> Callable[[Sequence[int]], pl.DataFrame]: ...


def together(location: Location, tables: Sequence[NamedTable]) -> NamedTable:
    """The rows of several tables as one table; each row keeps its own location."""
    pieces = pieces_of([table.location for table in tables], [len(table.frame) for table in tables])
    frame = concatenated([table.frame for table in tables])
    return replace(tables[0], location=replace(location, pieces=pieces), frame=frame)


def pieces_of(locations: Sequence[Location], sizes: Sequence[int]) -> Pieces:
    """The rows of tables at those locations; `sizes` has the number of rows of each."""
    piece = np.repeat(np.arange(len(locations)), sizes)
    row = np.concatenate([np.arange(size) for size in sizes])
    lines = [location.all_lines(np.arange(size)) for location, size in zip(locations, sizes, strict=True)]
    origin = Origin(
        domain=Texts(piece.astype(np.int32), tuple(location.name for location in locations)),
        sequence=np.concatenate(lines),
        variable=Texts(np.full(len(piece), -1, dtype=np.int32), ()),
        word=locations[0].row_word,
    )
    return Pieces(locations, piece, row, [{}] * len(locations), origin)


def concatenated(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The rows of frames with the same columns; a column of different types becomes texts."""
    differ = [name for name in frames[0].columns if len({frame.schema[name] for frame in frames}) > 1]
    return pl.concat([frame.with_columns(as_text(frame[name]).alias(name) for name in differ) for frame in frames])


def chosen_columns(
    header: Sequence[str], names: Sequence[str], declared: Iterable[str], location: Location, problems: Problems
) -> dict[str, int]:
    """By name, the position of the column. A name that several columns fit is reported."""
    chosen = {}
    for name in dict.fromkeys((*names, *declared)):
        positions = fitting(name, header)
        if not positions or (name in UNIT_OF and UNIT_OF[name] not in chosen):
            continue
        if len(positions) > 1:
            several = [header[position] for position in positions]
            cure = "keep one" if name in several else f"keep one, or name it {name!r}"
            which = "both" if len(several) == 2 else "all"
            sentence = f"the columns {' and '.join(map(repr, several))} {which} fit {name}; {cure}."
            problems.wrong(location, sentence, code=Code.COLUMN_AMBIGUOUS)
        chosen[name] = positions[0]
        written = header[positions[0]]
        if folded(written) != folded(name):
            problems.note(location, f"{written!r} is read as {name}.")
    if "patient_id" not in chosen:
        return chosen
    # A column that the criteria declare is something else to them, such as the site of a bleeding.
    beside = beside_columns(header).items()
    return chosen | {name: position for name, position in beside if position not in chosen.values()}


def beside_columns(header: Sequence[str], of_ids: int | None = None) -> dict[str, int]:
    """The positions of a site and of a study (`BESIDE`) beside the patients' ids; none beside unique ids.

    `of_ids` is the position of the ids; None: as they are found.

    >>> beside_columns(["SITEID", "SUBJID"]), beside_columns(["SITEID", "USUBJID"])
    ({' site': 0}, {})
    """
    ids = fitting("patient_id", header) if of_ids is None else [of_ids]
    if not ids or folded(header[ids[0]]) == UNIQUE:
        return {}
    all_folded = ["".join(filter(str.isalnum, name.lower())) for name in header]
    found = {
        name: [all_folded.index(alias) for alias in aliases if alias in all_folded] for name, aliases in BESIDE.items()
    }
    return {name: positions[0] for name, positions in found.items() if positions}


def missing_column(name: str, written: Sequence[str], *instead: str) -> Problem:
    """The problem of a missing column, with the columns there are and the nearest name; `instead` would do too."""
    wanted = (name, *instead)
    near = [nearest(column, written) for column in wanted]
    for alias in (alias for column in wanted for alias in ALIASES.get(column, ())):
        # There are many aliases, so only a very similar name is likely to be a misspelling of one.
        near.extend(nearest(alias, [similar]) for similar in get_close_matches(alias, written, 1, cutoff=0.8))
    what = " or ".join(map(repr, wanted))
    sentence = f"the column {what} is missing; there are: {some_of(written)}.{next(filter(None, near), '')}"
    return Problem(sentence, code=Code.COLUMN_MISSING, column=name)
