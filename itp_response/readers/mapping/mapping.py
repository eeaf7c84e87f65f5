"""Mapping: a REDCap export, a wide spreadsheet or an ODM file as a table of visits and a table of patients.

A mapping file says what each column of the file is, and which visits its rows have: each `[[visits]]` makes a visit of
every row with an observation in its columns. A spreadsheet with a column per visit needs many of them. An export with a
row per visit needs one, and one more for each repeating instrument.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import Field

from itp_response.cohort.values import Bools, Ints
from itp_response.messages.errors import CohortError, UsageError, nearest, unknown
from itp_response.messages.strict_model import StrictModel
from itp_response.messages.toml_file import checked_by, file_unreadable, load_toml, tupled
from itp_response.messages.toml_positions import KeyPositions, Keys, Problem, refuse
from itp_response.messages.wording import counted_patients, listed
from itp_response.readers.cells import Wording, is_not_given
from itp_response.readers.chunks import ChunkedTable, chunked_table
from itp_response.readers.coded.study import CodedStudy, coded_kind
from itp_response.readers.column_names import CellProblem, NamedTable, beside_columns, report_file, units_said
from itp_response.readers.count_units import agreed, check_same_unit, said_by_header, unit_column
from itp_response.readers.dates import DayNumbering, cells_as_texts, check_date_format
from itp_response.readers.files import TableFile, Tabular, given_as, open_table
from itp_response.readers.ids import LongIds, SimilarIds, has, with_several
from itp_response.readers.open_table import Decimal, OpenTable
from itp_response.readers.options import ACCEPTABLE
from itp_response.readers.problems import (
    Cells,
    GatheredLocation,
    Location,
    Pieces,
    Problems,
    first_few,
    location_of,
    quoted,
)
from itp_response.readers.sdtm.domains import MappedStudy as Study
from itp_response.readers.sdtm.domains import is_study
from itp_response.readers.sdtm.terms import settings
from itp_response.readers.told import Told
from itp_response.readers.units import KNOWN, UnitSaid, exponent_of, no_unit

NO_COLUMNS = ("columns", "only", "unit", "baseline_unit", "baseline_only")
"""Keys that are not the name of a column alone."""
OPEN = "?"
"""The placeholder in a draft for what only a person can know."""
NOT_USED = "not used"
"""What is said of a column that could matter to a result and does not."""
UNUSED = f'write "{NOT_USED}"'
NOTHING_FILLED_IN = "nothing is filled in at any visit that the mapping names."
CURES = {
    "codes": "say what it stands for",
    "codes.day": f"write its day, such as 28, or '{NOT_USED}' to leave out its rows",
    "only": "say which value is meant",
    "baseline_only": "say which value is meant",
    "other_columns": f"name the column where it belongs and drop this line, or {UNUSED}",
    "day": "write the day, such as 28, or the column that has it, or drop this visit",
    "date": "name the column with the date",
    "cycle_days": "write the days of a cycle, such as 28",
    "month_days": "write the days of a month, such as 30.4375",
    "day_numbering": "write 'from-0' if enrolment is day 0, 'study-day' if it is day 1",
    "unit": f"name the unit; known: {KNOWN}, and alike",
    "patient_id": "name the column with the patient's id",
    "platelets": "name the column with the counts, or drop this visit",
    "rescue": "name the column with the treatment, or drop this visit",
}
"""How a placeholder is replaced, by its key."""


class PatientColumns(StrictModel):
    """`[patients]`: the columns of the file with one value per patient."""

    patient_id: str = Field(description="the column with the patient's id")
    site: str | None = Field(default=None, description="the column with the site, if ids begin anew at each site")
    study: str | None = Field(default=None, description="the column with the study, if ids begin anew in each study")
    arm: str | None = None
    enrolment_date: str | None = None
    enrolment_day: str | None = None
    baseline: str | None = None
    baseline_unit: str | None = Field(default=None, description="the unit of the baseline, or the column that has it")
    baseline_only: dict[str, str] = Field(
        default_factory=dict, description="the baseline is in the rows in which that column says that"
    )
    treatment_discontinued: str | None = None
    birth_date: str | None = None
    death_date: str | None = None
    columns: dict[str, str] = Field(default_factory=dict, description="further columns, as criteria declare them")
    only: dict[str, str] = Field(
        default_factory=dict, description="only patients with a row that says that in that column"
    )

    @property
    def chosen(self) -> dict[str, str]:
        """The columns of the file, by the readers' names."""
        return {name: column for name, column in _given(self).items() if name not in ("site", "study")}

    @property
    def key(self) -> dict[str, str]:
        """The columns that the patient's id is made of before the id itself."""
        return {name: column for name, column in (("study", self.study), ("site", self.site)) if column is not None}


class VisitColumns(StrictModel):
    """`[[visits]]`: a visit of each row with an observation in its columns."""

    day: int | str | None = Field(default=None, description="its day, or the column that has it")
    date: str | None = Field(default=None, description="the column with its date")
    cycle: int | None = Field(default=None, ge=1, description="the cycle it is in, if `cycle_days` is told")
    cycle_day: int | None = Field(default=None, ge=1, description="its day in the cycle, from 1")
    month: int | None = Field(default=None, description="the month it is in, if `month_days` is told")
    platelets: str | None = None
    unit: str | None = Field(default=None, description="the unit of the counts, or the column that has it")
    bleeding_grade: str | None = None
    rescue: str | None = None
    rescue_end: str | None = None
    columns: dict[str, str] = Field(default_factory=dict, description="further columns, as criteria declare them")
    only: dict[str, str] = Field(default_factory=dict, description="only rows in which that column says that")

    @property
    def chosen(self) -> dict[str, str]:
        """The columns of the file, by the readers' names; a day that is a number has no column."""
        return _given(self)

    @property
    def times(self) -> set[str]:
        """Which keys tell when it is."""
        return {name for name in ("day", "date", "cycle", "month") if getattr(self, name) is not None}

    @property
    def recorded(self) -> dict[str, str]:
        """The columns of observations; a row makes a visit if one of them is filled in."""
        return {name: column for name, column in self.chosen.items() if name not in ("day", "date")}


class MappedOptions(StrictModel):
    """`[options]`: how the file's cells are read, where an option of reading does not say it."""

    date_format: str | None = None
    patients_date_format: str | None = None
    day_numbering: DayNumbering | Literal["?"] | None = None
    patient_key: Literal["id"] | None = None
    similar_ids: SimilarIds | None = None
    long_ids: LongIds | None = None


class MappingFile(StrictModel):
    """A mapping file."""

    confirmed: bool = Field(description="true once a person has looked the mapping over")
    sheet: str | None = Field(default=None, description="the sheet of a workbook; else its first")
    header_row: int | None = Field(default=None, ge=1, description="the row of the names of columns; else it is found")
    decimal: Decimal | None = Field(default=None, description="what stands before decimals: `point` or `comma`")
    options: MappedOptions = MappedOptions()
    unit: str | None = Field(default=None, description="the unit of all platelet counts, such as 10^4/uL")
    accept: tuple[str, ...] = Field(default=(), description="as the option: checks that would stop the reading")
    cycle_days: int | Literal["?"] | None = Field(default=None, description="the days of a cycle of treatment")
    month_days: float | Literal["?"] | None = Field(default=None, description="the days of a month")
    patients: PatientColumns
    other_columns: dict[str, str] = Field(
        default_factory=dict, description="columns that could matter to a result and are not used"
    )
    visits: tuple[VisitColumns, ...] = Field(description="the visits that rows are made of")
    codes: dict[str, dict[str, str | int | float]] = Field(
        default_factory=dict, description="of a column, what stands for each value that is written"
    )
    missing: tuple[str | int | float, ...] = Field(
        default=(), description="codes of a missing value: 999, or of one column alone 'platelets=999'"
    )
    rescue_names: tuple[str, ...] = Field(default=(), description="names of rescue treatments")
    no_rescue: tuple[str, ...] = Field(default=(), description="what stands for no rescue treatment")

    @property
    def told(self) -> Told:
        """What the mapping says of words in the cells."""
        return Told(tuple(map(str, self.missing)), self.rescue_names, self.no_rescue)


def _given(model: StrictModel) -> dict[str, str]:
    columns: dict[str, str] = getattr(model, "columns")  # noqa: B009
    fields = {name: value for name, value in model if name not in NO_COLUMNS and isinstance(value, str)}
    return fields | columns


@dataclass(frozen=True)
class LoadedMapping:
    """A mapping file, read and checked."""

    path: Path
    file: MappingFile
    positions: KeyPositions


# THE FILE


def load_mapping(path: str | Path) -> LoadedMapping:
    """The mapping in a file.

    Raises `CohortError` with all its problems, or if it is not confirmed.
    """
    path = Path(path)
    raw, positions = load_toml(path, CohortError, partial(_unreadable, path))
    file = checked_by(MappingFile, tupled(raw), raw, positions, CohortError)
    refuse([*_open(raw, positions), *_wrong(file, positions), *_wrong_formats(file, positions)], CohortError)
    visits = tuple(_with_day(visit, file) for visit in file.visits)
    return LoadedMapping(path, file.model_copy(update={"visits": visits}), positions)


def _open(raw: Any, positions: KeyPositions, path: Keys = ()) -> Iterator[Problem]:
    """The placeholders of a draft that nobody has replaced."""
    if raw == OPEN:
        kind = next((key for key in path if key in ("codes", "only", "baseline_only", "other_columns")), path[-1])
        kind = "codes.day" if path[:2] == ("codes", "day") else str(kind)
        yield positions.problem(path, f"this is still open; {CURES.get(kind, 'name the column, or drop it')}.")
    elif isinstance(raw, dict | list):
        for key, entry in raw.items() if isinstance(raw, dict) else enumerate(raw):
            yield from _open(entry, positions, (*path, key))


def _with_day(visit: VisitColumns, file: MappingFile) -> VisitColumns:
    """A visit with its day, if it is told by a cycle or a month; the first day of the first cycle is day 0."""
    if visit.cycle is not None and visit.cycle_day is not None and isinstance(file.cycle_days, int):
        return visit.model_copy(update={"day": (visit.cycle - 1) * file.cycle_days + visit.cycle_day - 1})
    if visit.month is not None and isinstance(file.month_days, int | float):
        return visit.model_copy(update={"day": math.floor(visit.month * file.month_days + 0.5)})
    return visit


def _unreadable(path: Path, failure: OSError) -> str:
    if isinstance(failure, FileNotFoundError):
        return f"{path}: there is no such file; 'itp-response map' drafts one."
    return file_unreadable(str(path), failure)


def _wrong(file: MappingFile, positions: KeyPositions) -> Iterator[Problem]:
    """The problems of a mapping that need no look at the file."""
    if not file.confirmed:
        cure = "look it over, correct it, and write 'confirmed = true'"
        yield positions.problem(("confirmed",), f"this mapping was not confirmed; {cure}.")
    for number, visit in enumerate(file.visits):
        yield from _wrong_time(file, number, positions)
        if not visit.recorded:
            yield positions.problem(("visits", number), "nothing is recorded at this visit; name a column, or drop it.")
    if file.patients.baseline_only and file.patients.baseline is None:
        yield positions.problem(("patients", "baseline_only"), "there is no 'baseline'; name its column, or drop this.")
    if not any(visit.platelets for visit in file.visits):
        yield positions.problem(("visits",), "no visit has 'platelets'; name the column with the counts.")
    yield from _wrong_days(file, positions)
    yield from _wrong_lengths(file, positions)
    yield from _wrong_others(file, positions)
    yield from _wrong_options(file, positions)
    names = [name for visit in file.visits for name in visit.chosen]
    known = sorted({"unit", "baseline_unit", *file.patients.chosen, *names})
    yield from _wrong_codes(file, known, positions)


def _wrong_time(file: MappingFile, number: int, positions: KeyPositions) -> Iterator[Problem]:
    """The problems of when a visit is."""
    visit, first = file.visits[number], file.visits[0].times
    if len(visit.times) != 1:
        yield positions.problem(("visits", number), "a visit has either a 'day' or a 'date'; give one.")
    elif len(first) == 1 and ("date" in visit.times) != ("date" in first):
        yield positions.problem(("visits", number), "some visits have a 'day' and some a 'date'; give all the same.")
    if (visit.cycle is None) != (visit.cycle_day is None):
        yield positions.problem(("visits", number), "a 'cycle' has a 'cycle_day' beside it; give both.")
    for key, length in (("cycle", "cycle_days"), ("month", "month_days")):
        told = getattr(file, length)
        if getattr(visit, key) is None:
            continue
        if told is None:
            yield positions.problem(("visits", number, key), f"the length of a {key} is not told; say {length}, above.")
        elif key == "cycle" and told != OPEN and (visit.cycle_day or 0) > told:
            text = f"day {visit.cycle_day} is not in a cycle of {told} days; correct one of the two."
            yield positions.problem(("visits", number, "cycle_day"), text)


def _wrong_days(file: MappingFile, positions: KeyPositions) -> Iterator[Problem]:
    """The visits with a cycle or a month whose counts come to lie on the day of others, unless that day is written."""
    counts = [(number, _with_day(visit, file)) for number, visit in enumerate(file.visits) if visit.platelets]
    for number, visit in counts:
        same = [other for at, other in counts if at != number and other.day == visit.day and other.only == visit.only]
        if isinstance(visit.day, int) and same and visit.times != {"day"} and visit.platelets != same[0].platelets:
            key = "cycle" if visit.cycle is not None else "month"
            text = f"this is day {visit.day}, as {same[0].platelets!r} is; write the 'day' of this visit, or drop one."
            yield positions.problem(("visits", number, key), text)


def _wrong_lengths(file: MappingFile, positions: KeyPositions) -> Iterator[Problem]:
    """The problems of the lengths of cycles and months."""
    if isinstance(file.cycle_days, int) and file.cycle_days < 1:
        yield positions.problem(("cycle_days",), f"{file.cycle_days} is no number of days; write one such as 28.")
    if isinstance(file.month_days, int | float) and not 28 <= file.month_days <= 31:
        text = f"{file.month_days:g} is no number of days; a month has 28 to 31, on average 30.4375."
        yield positions.problem(("month_days",), text)


def _wrong_others(file: MappingFile, positions: KeyPositions) -> Iterator[Problem]:
    """The problems of the columns that are said not to be used."""
    patients = file.patients
    used = {*patients.chosen.values(), *patients.key.values(), *patients.only, *patients.baseline_only}
    used |= {column for visit in file.visits for column in (*visit.chosen.values(), *visit.only)}
    for column, said in file.other_columns.items():
        path = ("other_columns", column)
        if said not in (NOT_USED, OPEN):
            yield positions.problem(path, f"{said!r} is no answer; name the column where it belongs, or {UNUSED}.")
        elif said == NOT_USED and column in used:
            yield positions.problem(path, "this is said not to be used, and used above; drop one of the two.")


def _wrong_codes(file: MappingFile, known: list[str], positions: KeyPositions) -> Iterator[Problem]:
    """The problems of what the mapping says of single values; `known` are the readers' names that it uses."""
    for number, code in enumerate(file.told.missing):
        if not code.strip(" ="):
            yield positions.problem(("missing", number), "this has no code; write a code, or COLUMN=CODE.")
    for name in file.codes:
        if name not in known:
            yield positions.problem_with_key(("codes", name), unknown("column", name, known))


def _wrong_formats(file: MappingFile, positions: KeyPositions) -> Iterator[Problem]:
    for name in ("date_format", "patients_date_format"):
        try:
            check_date_format(getattr(file.options, name))
        except UsageError as error:
            yield positions.problem(("options", name), str(error))


def _wrong_options(file: MappingFile, positions: KeyPositions) -> Iterator[Problem]:
    """The problems of the keys of a mapping that are options too."""
    if file.unit not in (None, OPEN) and exponent_of(file.unit) is None:
        yield positions.problem(("unit",), no_unit(file.unit))
    for name in file.accept:
        if name not in ACCEPTABLE:
            yield positions.problem(("accept",), unknown("check", name, ACCEPTABLE))


# THE TABLES


@dataclass(frozen=True)
class Mapped:
    """The visits, or the patients, of a file by a mapping; `mapped` makes it.

    `read`, `classify` and every other function that takes a study take it in place of a file.
    """

    source: "MappedFile"
    patients: bool
    """Whether it is the table of patients; else it is the table of visits."""
    rows: "MappedRows | None" = None
    """The rows that the table is made of; None: all rows of the file."""

    @property
    def options(self) -> dict[str, Any]:
        """The options of reading that the mapping file tells."""
        file = self.source.file
        return {name: value for name, value in file.options if value is not None} | {"accept": file.accept}

    @property
    def files(self) -> tuple[Tabular, Path]:
        """The file and the mapping file."""
        return self.source.given, self.source.mapping.path

    def as_table(self, order: int, names: Iterable[str], problems: Problems) -> NamedTable | None:
        """The columns of these names in the mapping; None: the file cannot be opened, which is reported."""
        try:
            rows = self.rows or self.source.rows
        except CohortError as error:
            # Both tables are of one file, which is named once.
            problems.failed(0, error)
            return None
        location = rows.location(order)
        if self.patients:
            return patients_of(rows, location, names, problems)
        first = self.source.header[:1] == [self.source.file.patients.patient_id]
        report_file(self.source.table, location, problems, patient_first=first)
        rows.report(location, problems)
        visits = visits_of(rows, location, names, problems)
        rows.count_unused(location, problems)
        if not len(visits.frame) and not self.source.table.problems and rows.of_wanted.any():
            problems.wrong(location, NOTHING_FILLED_IN)
        return visits


def mapped(file: Tabular, mapping: str | Path) -> "tuple[Mapped, Mapped] | tuple[Study | CodedStudy, None]":
    """The visits and the patients of a file by a mapping file: `classify(*mapped("export.csv", "mapping.toml"))`.

    `file` is anything that `read` takes as visits: a path, a frame or a list of rows. `mapping` is the path of a TOML
    file that says what the columns are, and that a person has confirmed; `map` drafts it.
    For the folder of an SDTM study, the mapping has the keys of `sdtm.toml`; the study has its patients with it, so the
    second table is None. For FHIR resources or OMOP tables, it says what their codes mean; the second table is None.
    Raises `CohortError` with all problems of the mapping, such as a column that is not in the file.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import itp_response
    >>> text = '''
    ... confirmed = true
    ... [patients]
    ... patient_id = "ID"
    ... [[visits]]
    ... day = 0
    ... platelets = "PLT baseline"
    ... [[visits]]
    ... day = 28
    ... platelets = "PLT week 4"
    ... '''
    >>> wide = [{"ID": "P1", "PLT baseline": 12, "PLT week 4": 140}]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "mapping.toml")
    ...     _ = path.write_text(text)
    ...     cohort = itp_response.read(*mapped(wide, path))
    >>> cohort.day.tolist(), cohort.platelets.low.tolist()
    ([0, 28], [12.0, 140.0])
    """
    if isinstance(file, str | Path) and is_study(file):
        settings(Path(mapping))
        return Study(Path(file), Path(mapping)), None
    if coded_kind(file) is not None and isinstance(file, str | Path):
        return CodedStudy(Path(file), Path(mapping)), None
    source = MappedFile(file, load_mapping(mapping))
    source.check()
    return Mapped(source, patients=False), Mapped(source, patients=True)


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
                text = f"there is no column {column!r} in {self.name}; there are: {', '.join(header)}."
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
            problems.note(location, f"Columns that the mapping does not take: {first_few(others)}.")
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
            problems.note(location, f"Patients are told apart by {made}, as the mapping says.")
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
                what = f"{counted_patients(len(others))} taken, with a row that says that {column} is {value!r}"
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
        said, word = ", ".join(map(quoted, self.source.unused_visits)), location.row_word
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
            rows = f"{number} {word}{'' if number == 1 else 's'} passed over"
            return f"{rows}: nothing that the mapping takes is filled in." if number else ""

        problems.count(location, "nothing filled in", nothing, int((~used).sum()))


def _without_code(name: str, codes: Iterable[str]) -> Wording:
    cure = f"has no code in the mapping, which has {', '.join(codes)}; add it under [codes.{name}]"
    return lambda text: f"{quoted(text)} {cure}."


def _key(name: str, columns: Mapping[str, str]) -> tuple[str, ...]:
    """The keys that lead to a column in its table of the mapping."""
    return ("columns", name) if name in columns else (name,)


def visits_of(of: MappedRows, location: Location, names: Iterable[str], problems: Problems) -> NamedTable:
    """The table of visits: of each row of the file, one row per visit for which it has an observation."""
    frames, as_written, rows_of, columns_of = [], [], [], []
    for visit in of.file.visits:
        rows = of.recorded(visit)
        columns = {"patient_id": of.file.patients.patient_id, **visit.chosen}
        cells = [of.coded(name, column, rows).alias(name) for name, column in columns.items()]
        as_written.append(pl.DataFrame([of.frame[column].gather(rows).alias(name) for name, column in columns.items()]))
        if isinstance(visit.day, int):
            cells.append(pl.Series("day", [str(visit.day)]).new_from_index(0, len(rows)))
        cells += of.units("unit", visit.platelets, visit.unit, rows, location, problems)
        frames.append(pl.DataFrame(cells))
        rows_of.append(rows)
        columns_of.append(columns)
    rows = np.concatenate(rows_of)
    # In the order of the file, as its chunks have them.
    order = np.argsort(rows, kind="stable")
    rows, piece = rows[order], np.repeat(np.arange(len(frames)), list(map(len, rows_of)))[order]
    frame = pl.concat(frames, how="diagonal")[order]
    header = {name: name for name in frame.columns}
    cell_problems = of.cell_problems(pl.concat(as_written, how="diagonal")[order].to_dict(), frame, header)
    pieces = Pieces([location] * len(frames), piece, rows, columns_of)
    of_visits = replace(location, lines=location.all_lines(rows), pieces=pieces)
    unknown = of.unknown_units("platelets", ((visit.platelets, visit.unit) for visit in of.file.visits))
    table = _table(of_visits, frame, names, header, cell_problems)
    return replace(table, told=of.file.told, units=unknown, study=of.source.study)


def patients_of(of: MappedRows, location: Location, names: Iterable[str], problems: Problems) -> NamedTable:
    """The table of patients: one row per patient, with the value of each column from any row of the file."""
    header = of.file.patients.chosen
    all_ids = of.ids
    ids = all_ids.set(~of.of_wanted, None)
    left_out = all_ids.filter(~of.of_wanted).n_unique()
    if left_out:
        said = listed([f"{column} is {value!r}" for column, value in of.file.patients.only.items()])
        problems.note(location, f"{counted_patients(left_out)} left out, with no row that says that {said}.")
    firsts = (ids.is_not_null() & ids.is_first_distinct()).arg_true()
    columns: list[pl.Series] = []
    as_written: dict[str, pl.Series] = {}
    rows_of: dict[str, Ints] = {"": firsts.to_numpy().astype(np.int64)}
    for name, column in header.items():
        elsewhere = ~of.of_baseline & (name == "baseline")
        cells = of.frame[column].set(elsewhere, None)
        rows = _filled_rows(ids, cells, firsts, location, problems)
        columns.append(of.coded(name, column, rows).set(elsewhere.gather(rows), None).alias(name))
        if name == "baseline":
            own = of.file.patients.baseline_unit
            columns += of.units("baseline_unit", column, own, rows, location, problems)
        as_written[name] = cells.gather(rows)
        rows_of[column] = rows
    lines = location.all_lines(rows_of[""])
    gathered = GatheredLocation(
        location.name,
        location.order,
        location.row_word,
        lines,
        decimal=location.decimal,
        given=location,
        rows=rows_of,
    )
    frame = pl.DataFrame(columns)
    header = header | {name: name for name in frame.columns if name not in header}
    cell_problems = of.cell_problems(as_written, frame, header)
    patients = of.file.patients
    unknown = of.unknown_units("baseline", [(patients.baseline, patients.baseline_unit)])
    return replace(_table(gathered, frame, names, header, cell_problems), told=of.file.told, units=unknown)


def _filled_rows(ids: pl.Series, cells: pl.Series, firsts: pl.Series, location: Location, problems: Problems) -> Ints:
    """The first row of each patient in which a column is filled in, else the patient's first row (`firsts`).

    A row with another value is reported.
    """
    frame = pl.DataFrame({"id": ids, "cell": cells, "row": np.arange(len(ids))}).drop_nulls()
    first = frame.unique("id", keep="first", maintain_order=True)
    other = frame.join(first, on="id", maintain_order="left").filter(pl.col("cell") != pl.col("cell_right"))
    for row, first_row in zip(other["row"].to_list(), other["row_right"].to_list(), strict=True):
        values = f"{quoted(cells[first_row])} and {quoted(cells[row])}"
        what = f"{cells.name}: {values} for the same patient {quoted(ids[row])}"
        where = f"first in {location.row_word} {location.line(first_row)}"
        problems.wrong(location, f"{what} ({where}); keep one.", location.line(row))
    rows = pl.DataFrame({"id": ids.gather(firsts)}).join(first, on="id", how="left", maintain_order="left")["row"]
    return rows.zip_with(rows.is_not_null(), firsts.cast(pl.Int64)).to_numpy()


def _table(
    location: Location,
    frame: pl.DataFrame,
    names: Iterable[str],
    header: Mapping[str, str],
    cell_problems: Sequence[CellProblem],
) -> NamedTable:
    """The columns of these names that there are, as a table."""
    chosen = [name for name in dict.fromkeys(names) if name in frame.columns]
    return NamedTable(
        location, frame.select(chosen), {name: header[name] for name in chosen}, frame.columns, cell_problems
    )
