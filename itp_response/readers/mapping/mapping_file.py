"""Mapping file: what a person says of the columns of a file, checked as far as that needs no look at the file."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from itp_response.messages.errors import CohortError, Problem, UsageError, unknown
from itp_response.messages.strict_model import StrictModel
from itp_response.messages.toml_file import checked_by, file_unreadable, load_toml, tupled
from itp_response.messages.toml_positions import KeyPositions, Keys, refuse
from itp_response.readers.date_forms import check_date_format
from itp_response.readers.dates import DayNumbering
from itp_response.readers.ids import LongIds, SimilarIds
from itp_response.readers.open_table import Decimal
from itp_response.readers.options import ACCEPTABLE
from itp_response.readers.told import Told
from itp_response.readers.units import KNOWN, exponent_of, no_unit

NO_COLUMNS = ("columns", "only", "unit", "baseline_unit", "baseline_only")
"""Keys that are not the name of a column alone."""
OPEN = "?"
"""The placeholder in a draft for what only a person can know."""
NOT_USED = "not used"
"""What is said of a column that could matter to a result and does not."""
UNUSED = f'write "{NOT_USED}"'
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
    "unit": f"name the unit; known: {KNOWN}, and similar",
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
        yield positions.problem(("cycle_days",), f"{file.cycle_days} is not a number of days; write one such as 28.")
    if isinstance(file.month_days, int | float) and not 28 <= file.month_days <= 31:
        text = f"{file.month_days:g} is not a number of days; a month has 28 to 31, on average 30.4375."
        yield positions.problem(("month_days",), text)


def _wrong_others(file: MappingFile, positions: KeyPositions) -> Iterator[Problem]:
    """The problems of the columns that are said not to be used."""
    patients = file.patients
    used = {*patients.chosen.values(), *patients.key.values(), *patients.only, *patients.baseline_only}
    used |= {column for visit in file.visits for column in (*visit.chosen.values(), *visit.only)}
    for column, said in file.other_columns.items():
        path = ("other_columns", column)
        if said not in (NOT_USED, OPEN):
            yield positions.problem(path, f"{said!r} is not an answer; name the column where it belongs, or {UNUSED}.")
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
