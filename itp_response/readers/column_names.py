"""Names: which column of a table is which."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from itp_response.cohort.observations import Origin
from itp_response.cohort.values import Bools, Ints, Texts
from itp_response.messages.errors import CohortError, nearest
from itp_response.readers.files import READERS, Tabular, kind_of, open_table
from itp_response.readers.open_table import OpenTable
from itp_response.readers.problems import BrokenLine, Cells, Location, Pieces, Problems, as_text

VISITS = ("patient_id", "date", "day", "platelets", "bleeding_grade", "rescue", "rescue_end")
PATIENTS = ("patient_id", "arm", "enrolment_date", "enrolment_day", "baseline", "treatment_discontinued")

ALIASES: dict[str, tuple[str, ...]] = {
    "patient_id": ("usubjid", "subjid", "subject_id", "subject", "patient", "pid", "record_id", "id"),
    "date": ("visit_date", "lbdtc", "sample_date", "assessment_date", "visitdt"),
    "day": (
        *("days", "rel_day", "day_since_enrolment", "days_since_enrolment"),
        *("day_since_enrollment", "days_since_enrollment"),
    ),
    "platelets": ("plt", "platelet", "platelet_count", "platelets_count", "plt_count", "count", "thrombocytes"),
    "bleeding_grade": (*("bleeding", "who_bleeding", "bleeding_score", "who_grade", "bleed_grade", "bleeding_who"),),
    "rescue": ("rescue_therapy", "rescue_treatment", "rescue_medication", "rescue_drug"),
    "rescue_end": ("rescue_end_date", "rescue_end_day", "rescue_stop"),
    "arm": ("treatment_arm", "group", "treatment_group", "trt", "trt01p", "actarm"),
    "enrolment_date": (
        *("enrollment_date", "date_of_enrolment", "date_of_enrollment"),
        *("randomisation_date", "randomization_date", "rfstdtc"),
    ),
    "enrolment_day": ("enrollment_day", "day_of_enrolment", "day_of_enrollment"),
    "baseline": ("baseline_platelets", "baseline_plt", "base"),
    "treatment_discontinued": (
        *("discontinued", "treatment_discontinued_date", "treatment_discontinued_day"),
        *("discontinuation_date", "discontinuation_day"),
    ),
    "birth_date": ("birthdate", "date_of_birth", "dob", "brthdtc"),
    "death_date": ("deathdate", "date_of_death", "dod", "dthdtc"),
    "event": ("adverse_event", "aedecod"),
    "grade": ("ctcae_grade", "aetoxgr"),
}
"""Other names under which a column is known. WorkedExample, spaces, `-` and `_` do not matter.

CDISC's study days (`LBDY`, `ADY`) are not among them: they have no day 0.
"""
REASON = "rescue_reason"
"""In the frame of visits: why a rescue treatment was given; looked at by `review` alone."""
STOPPED_BY = "DSSEQ"
"""In the frame of a study's patients: the number of the record that says that treatment was stopped."""
STUDY = ("dm", "lb")
"""A folder with such a file is one of CDISC's domains, if not all that a study needs are there."""
STUDY_DAYS = ("lbdy", "ady", "visitdy")


@dataclass(frozen=True)
class CellProblem:
    """What was found wrong with rows of a table while it was made; an entry per row."""

    name: str
    """The column it stands in."""
    values: pl.Series
    rows: Bools
    wording: Callable[[str], str]


@dataclass(frozen=True)
class NamedTable:
    """A table's columns by their names."""

    location: Location
    frame: pl.DataFrame
    header: Mapping[str, str]
    """What each column is called in the table."""
    written: Sequence[str] = ()
    """All columns of the table, as they are called in it."""
    cell_problems: Sequence[CellProblem] = ()

    def has(self, name: str) -> bool:
        return name in self.header

    def cells(self, name: str) -> Cells:
        """The column of that name; of one that is missing all cells are empty."""
        if not self.has(name):
            return Cells(self.location, name, pl.Series([None], dtype=pl.String).new_from_index(0, len(self.frame)))
        return Cells(self.location, self.header[name], self.frame[name])

    def report_cell_problems(self, problems: Problems) -> None:
        """Say what was found wrong while the table was made."""
        for one in self.cell_problems:
            problems.wrong_cells(Cells(self.location, one.name, one.values), np.flatnonzero(one.rows), one.wording)

    def only(self, rows: Ints) -> "NamedTable":
        """The table of these rows alone."""
        cell_problems = [
            replace(one, values=one.values.gather(rows), rows=one.rows[rows]) for one in self.cell_problems
        ]
        return replace(self, location=self.location.only(rows), frame=self.frame[rows], cell_problems=cell_problems)

    def without(self, *names: str) -> "NamedTable":
        """The table without these columns, which are not asked for again: those of a long table take room."""
        header = {name: written for name, written in self.header.items() if name not in names}
        return replace(self, frame=self.frame.drop(names, strict=False), header=header)

    def with_empty_row(self) -> "NamedTable":
        """The table with an empty row at its end, which stands for those who are not in it."""
        # In one piece, as rows are looked up in it again and again.
        return replace(self, frame=pl.concat([self.frame, self.frame.clear(1)], rechunk=True))


def no_table(order: int, name: str) -> NamedTable:
    """A table without columns or rows."""
    return NamedTable(Location(name, order), pl.DataFrame({"": []}), {})


def read_table(
    given: Tabular, what: str, order: int, names: Sequence[str], declared: Iterable[str], problems: Problems
) -> NamedTable | None:
    """The columns of these names, and those declared, of a table; None: it cannot be opened, as was found."""
    if hasattr(given, "as_table"):
        arranged: Any = given
        made: NamedTable | None = arranged.as_table(order, (*names, *declared), problems)
        return made
    try:
        if isinstance(given, str | Path) and is_folder(given):
            return _of_parts(Path(given), order, names, declared, problems)
        source = open_table(given, what)
        place = Location(source.name, order, source.row_word, source.lines)
        if not source.header:
            raise CohortError(f"{source.name}: there are no rows.")
        chosen = chosen_columns(source.header, names, declared, place, problems)
        made = filled(source, chosen, place, problems)
    except CohortError as error:
        problems.failed(order, error)
        return None
    for text in source.notes:
        problems.note(place, text)
    if not len(made.frame) and not source.problems:
        problems.wrong(place, no_rows(place))
    return made


def no_rows(location: Location) -> str:
    """What is said of a table without rows."""
    return "there is no row below the header." if location.row_word == "line" else "there are no rows."


def filled(source: OpenTable, chosen: Mapping[str, int], location: Location, problems: Problems) -> NamedTable:
    """The table of the rows of a source, or of a part of one, in the columns at those positions."""
    frame = source.load(sorted(set(chosen.values())) or [0])
    _report_lines(source, location, problems, patient_first=chosen.get("patient_id") == 0)
    if chosen:
        frame = frame.select(pl.col(str(position)).alias(name) for name, position in chosen.items())
    return NamedTable(
        location, frame, {name: source.header[position] for name, position in chosen.items()}, source.header
    )


def report_file(source: OpenTable, location: Location, problems: Problems, *, patient_first: bool) -> None:
    """What was noticed while a file was opened, and what is wrong with its lines, where the patient may stand first."""
    for text in source.notes:
        problems.note(location, text)
    _report_lines(source, location, problems, patient_first=patient_first)


def _report_lines(source: OpenTable, location: Location, problems: Problems, *, patient_first: bool) -> None:
    if not source.broken_lines:
        for line, text in source.problems:
            problems.wrong(location, text, line)
    # The first cell of a torn row is the one that is sure to be in its place.
    for (line, text), (raw, cell) in zip(source.problems, source.broken_lines, strict=bool(source.broken_lines)):
        problems.broken_line(BrokenLine(location, line, text, raw, (cell or None) if patient_first else None))


# FOLDERS


def is_folder(path: str | Path) -> bool:
    """A folder of files that are parts of one table."""
    if not Path(path).is_dir():
        return False
    files = part_files(Path(path))
    return bool(files) and not any(one.stem.lower() in STUDY for one in files)


def part_files(folder: Path) -> list[Path]:
    """The files in a folder that are parts of a table, in the order of their names; hidden ones are left alone."""
    return [one for one in sorted(folder.iterdir()) if one.is_file() and one.name[0] not in "._" and _readable(one)]


def _readable(path: Path) -> bool:
    return kind_of(path) in READERS


def check_parts(folder: Path) -> list[Path]:
    """The part files of a folder.

    Raises `CohortError` where there is something else in it.
    """
    files = part_files(folder)
    kinds = {kind_of(one) for one in files}
    others = [one.name for one in sorted(folder.iterdir()) if one.name[0] not in "._" and one not in files]
    if others or len(kinds) > 1:
        there = ", ".join([*sorted(kinds), *others[:3]])
        cure = "keep files of one kind in it, the parts of one table"
        raise CohortError(f"{folder.name}: this folder has {there}; {cure}.")
    return files


def check_same_header(folder: Path, first: Sequence[str], one: OpenTable) -> None:
    """Raises `CohortError` for a part whose columns are not those of the first."""
    if list(one.header) != list(first):
        raise CohortError(
            f"{folder.name}: {one.name} has the columns {', '.join(one.header)}, "
            f"but the first part has {', '.join(first)}; give all the same."
        )


def _of_parts(
    folder: Path, order: int, names: Sequence[str], declared: Iterable[str], problems: Problems
) -> NamedTable:
    """The table that the files in a folder are parts of."""
    sources = [open_table(path, path.name) for path in check_parts(folder)]
    whole = Location(folder.resolve().name, order)
    for one in sources:
        check_same_header(folder, sources[0].header, one)
    chosen = chosen_columns(sources[0].header, names, declared, whole, problems)
    made = []
    for part, one in enumerate(sources):
        place = Location(one.name, order, one.row_word, one.lines, part=part)
        made.append(filled(one, chosen, place, problems))
        for text in one.notes:
            problems.note(place, text)
    if not any(len(one.frame) for one in made) and not any(one.problems for one in sources):
        problems.wrong(whole, no_rows(whole))
    return together(whole, made)


def together(location: Location, parts: Sequence[NamedTable]) -> NamedTable:
    """The table that has the rows of these, each known by its place there."""
    pieces = pieces_of([one.location for one in parts], [len(one.frame) for one in parts])
    return replace(parts[0], location=replace(location, pieces=pieces), frame=alike([one.frame for one in parts]))


def pieces_of(places: Sequence[Location], sizes: Sequence[int]) -> Pieces:
    """The rows of the tables at those places, so many of each."""
    piece = np.repeat(np.arange(len(places)), sizes)
    row = np.concatenate([np.arange(size) for size in sizes])
    line = np.concatenate([one.all_lines(np.arange(size)) for one, size in zip(places, sizes, strict=True)])
    origin = Origin(
        domain=Texts(piece.astype(np.int32), tuple(one.name for one in places)),
        sequence=line,
        variable=Texts(np.full(len(piece), -1, dtype=np.int32), ()),
        word=places[0].row_word,
    )
    return Pieces(places, piece, row, [{}] * len(places), origin)


def alike(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The rows of all frames, which have the same columns; one that is not everywhere of one type is taken as texts."""
    differ = [name for name in frames[0].columns if len({frame.schema[name] for frame in frames}) > 1]
    return pl.concat([frame.with_columns(as_text(frame[name]).alias(name) for name in differ) for frame in frames])


def chosen_columns(
    header: Sequence[str], names: Sequence[str], declared: Iterable[str], location: Location, problems: Problems
) -> dict[str, int]:
    """Of each name, the position of its column; what is ambiguous is found wrong."""
    chosen = {}
    for name in dict.fromkeys((*names, *declared)):
        columns = fitting(name, header)
        if len(columns) > 1:
            several = [header[column] for column in columns]
            cure = "keep one" if name in several else f"keep one, or name it {name!r}"
            which = "both" if len(several) == 2 else "all"
            problems.wrong(location, f"the columns {' and '.join(map(repr, several))} {which} fit {name}; {cure}.")
        if columns:
            chosen[name] = columns[0]
            if _folded(header[columns[0]]) != _folded(name):
                problems.note(location, f"{header[columns[0]]!r} was taken as {name}.")
    return chosen


def fitting(name: str, header: Sequence[str]) -> list[int]:
    """The columns that fit a name best: written like it, or but for case and `_`, or as one of its aliases."""
    aliases = {_folded(alias) for alias in ALIASES.get(name, ())}
    ways: Any = (
        lambda written: written == name,
        lambda written: _folded(written) == _folded(name),
        lambda written: _folded(written) in aliases,
    )
    for fits in ways:
        columns = [column for column, written in enumerate(header) if fits(written)]
        if columns:
            return columns
    return []


def _folded(name: str) -> str:
    return "".join(name.lower().split()).replace("_", "").replace("-", "")


def missing_column(name: str, written: Sequence[str], *instead: str) -> str:
    """What to say of a column that is not there: what is, and what is near; another would do `instead`."""
    near = [nearest(one, written) for one in (name, *instead)]
    for alias in (alias for one in (name, *instead) for alias in ALIASES.get(one, ())):
        # Aliases are many, so that only what is very like one is likely to be meant.
        near.extend(nearest(alias, [found]) for found in get_close_matches(alias, written, 1, cutoff=0.8))
    what = " or ".join(map(repr, (name, *instead)))
    return f"the column {what} is missing; there are: {', '.join(written)}.{next(filter(None, near), '')}"
