"""OMOP: the tables of the common data model, as a folder of files or a DuckDB database, as records with concepts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from itp_response.cohort.values import Ints
from itp_response.messages.errors import CohortError, some_of
from itp_response.messages.optional_imports import needed
from itp_response.readers.coded.records import COLUMNS, CodedRecords, WrongRecord
from itp_response.readers.coded.terms import KnownCodes
from itp_response.readers.files import READERS, kind_of, open_table
from itp_response.readers.open_table import OpenTable
from itp_response.readers.problems import as_text, quoted

PLATELETS = frozenset({"3024929", "3007461"})
"""The standard concepts of LOINC 777-3 and 26515-7."""
OPERATORS = {"0": "", "4172703": "", "4171756": "<", "4172704": ">", "4171754": "<=", "4171755": ">="}
"""The signs of `operator_concept_id`: =, <, >, <=, >=."""
DATABASE = ".duckdb"
NONE = "0"
"""The concept of what has none."""


@dataclass(frozen=True)
class _Table:
    """A table of the model, and its columns; of several, the first that is filled in counts."""

    name: str
    role: str
    code: str = ""
    called: str = ""
    date: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    value: str = ""
    unit: tuple[str, ...] = ()
    operator: str = ""
    source: str = ""
    """The value as its source has it, such as `<10`, where it is no number."""

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that it must have."""
        return tuple(filter(None, ("person_id", self.code, self.value if self.unit else "")))

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are read."""
        rest = (self.called, *self.date, *self.end, self.value, *self.unit, self.operator, self.source)
        return tuple(dict.fromkeys(filter(None, (*self.needed, *rest))))


TABLES = (
    _Table("person", "patient"),
    _Table(
        *("measurement", "result", "measurement_concept_id", "measurement_source_value"),
        date=("measurement_date", "measurement_datetime"),
        value="value_as_number",
        unit=("unit_concept_id", "unit_source_value"),
        operator="operator_concept_id",
        source="value_source_value",
    ),
    _Table(
        *("observation", "result", "observation_concept_id", "observation_source_value"),
        date=("observation_date", "observation_datetime"),
        value="value_as_number",
    ),
    _Table(
        *("drug_exposure", "treatment", "drug_concept_id", "drug_source_value"),
        date=("drug_exposure_start_date", "drug_exposure_start_datetime"),
        end=("drug_exposure_end_date", "drug_exposure_end_datetime"),
    ),
    _Table(
        *("condition_occurrence", "condition", "condition_concept_id", "condition_source_value"),
        date=("condition_start_date", "condition_start_datetime"),
        end=("condition_end_date", "condition_end_datetime"),
    ),
)
REQUIRED = ("person", "measurement")


def is_omop(path: Path) -> bool:
    """Whether it is a DuckDB database, or a folder with the tables of persons and measurements."""
    return path.suffix.lower() == DATABASE if path.is_file() else set(REQUIRED) <= set(_files(path))


def _files(folder: Path) -> dict[str, Path]:
    """The files of the tables that are read, by the names of these."""
    if not folder.is_dir():
        return {}
    files = {path.name.partition(".")[0].lower(): path for path in sorted(folder.iterdir()) if kind_of(path) in READERS}
    return {table.name: files[table.name] for table in TABLES if table.name in files}


def files_of(path: Path) -> list[Path]:
    """The files that are read."""
    return [path] if path.is_file() else list(_files(path).values())


def omop_records(path: Path, codes: KnownCodes) -> list[CodedRecords]:
    """The records of each table that there is.

    Raises `CohortError` for a table that cannot be read or has not the columns that are needed.
    """
    opened = list(_database(path) if path.is_file() else _folder(path))
    records = [_records(table, source) for table, source in opened]
    if codes.patient_identifier is None:
        return records
    persons = next(source for table, source in opened if table.name == "person")
    ids = _identified(persons, codes.patient_identifier)
    named = dict(ids.iter_rows())
    return [
        replace(
            of_table,
            frame=_renamed(of_table.frame, ids),
            problems=[problem._replace(patient=named.get(problem.patient)) for problem in of_table.problems],
        )
        for of_table in records
    ]


def _identified(persons: OpenTable, column: str) -> pl.DataFrame:
    """The patient's id of each person (`person_id`), from another column of the table of persons."""
    header = [name.lower() for name in persons.header]
    if column.lower() not in header:
        there = some_of(persons.header)
        raise CohortError(
            f"{persons.name}: the column {column!r} with the patient's id is missing; there are: {there}."
        )
    positions = [header.index("person_id"), header.index(column.lower())]
    loaded = persons.load(positions)
    person, named = (as_text(loaded[str(position)]) for position in positions)
    return pl.DataFrame({"patient_id": person, "named": named}).unique("patient_id", keep="first")


def _renamed(frame: pl.DataFrame, ids: pl.DataFrame) -> pl.DataFrame:
    """The records with the patient's ids in place of the persons'."""
    named = frame.join(ids, on="patient_id", how="left", maintain_order="left")
    return named.with_columns(patient_id=pl.col("named")).drop("named")


def _folder(folder: Path) -> Iterator[tuple[_Table, OpenTable]]:
    files = _files(folder)
    yield from ((table, open_table(files[table.name], table.name)) for table in TABLES if table.name in files)


def _database(path: Path) -> Iterator[tuple[_Table, OpenTable]]:
    duckdb = needed("duckdb", "omop")
    needed("pyarrow", "omop")
    try:
        with duckdb.connect(str(path), read_only=True) as database:
            rows = database.execute("SELECT table_name FROM information_schema.tables").fetchall()
            named = {name.lower(): name for (name,) in rows}
            for table in TABLES:
                if table.name in named:
                    frame = pl.DataFrame(database.table(f'"{named[table.name]}"').to_arrow_table())
                    yield table, replace(open_table(frame, table.name), name=f"{path.name} {table.name}")
    except duckdb.Error as error:
        raise CohortError(f"{path.name}: this DuckDB database cannot be read: {str(error).splitlines()[0]}") from None
    missing = [name for name in REQUIRED if name not in named]
    if missing:
        raise CohortError(f"{path.name}: there is no table {' and no '.join(map(repr, missing))} of OMOP in it.")


def _records(table: _Table, opened: OpenTable) -> CodedRecords:
    header = {name.lower(): position for position, name in enumerate(opened.header)}
    missing = [name for name in table.needed if name not in header]
    if table.date and not set(table.date) & set(header):
        missing.append(table.date[0])
    if missing:
        raise CohortError(f"{opened.name}: the column {missing[0]!r} is missing; there are: {some_of(opened.header)}.")
    columns = {name: header[name] for name in table.columns if name in header}
    loaded = opened.load(list(columns.values()))
    texts = pl.DataFrame([as_text(loaded[str(position)]).alias(name) for name, position in columns.items()])
    names = {"patient_id": "person_id", "platelets": table.value, "bleeding_grade": table.value or table.code}
    names |= {"date": _first(table.date, texts), "rescue": table.code, "rescue_end": _first(table.end, texts)}
    frame = pl.DataFrame(
        {
            "role": pl.Series([table.role]).new_from_index(0, len(texts)),
            "patient_id": texts["person_id"],
            "code": _filled((table.code,), texts),
            "called": _filled((table.called,), texts),
            "date": _filled(table.date, texts),
            "end": _filled(table.end, texts),
            "value": _signed(table, texts),
            "unit": _units(table, texts),
        },
        schema=dict.fromkeys(COLUMNS, pl.String),
    )
    names["unit"] = _first(table.unit, texts)
    problems = [WrongRecord(line, text) for line, text in opened.problems]
    problems += _unknown_operators(table, texts, opened.lines)
    return CodedRecords(opened.name, frame, names, opened.lines, opened.row_word, problems, opened.notes)


def _first(names: Sequence[str], texts: pl.DataFrame) -> str:
    return next((name for name in names if name in texts.columns), "")


def _filled(names: Sequence[str], texts: pl.DataFrame) -> pl.Series:
    """The first of the columns that is filled in, in each row."""
    there = [name for name in names if name in texts.columns]
    empty = pl.Series([None], dtype=pl.String).new_from_index(0, len(texts))
    return texts.select(pl.coalesce(there)).to_series() if there else empty


def _units(table: _Table, texts: pl.DataFrame) -> pl.Series:
    """The concept of each unit; where it has none, its text in the source."""
    concepts = [pl.when(pl.col(name) != NONE).then(pl.col(name)).alias(name) for name in table.unit[:1]]
    return _filled(table.unit, texts.with_columns(concept for concept in concepts if table.unit[0] in texts.columns))


def _signed(table: _Table, texts: pl.DataFrame) -> pl.Series:
    """The values, each with the sign of its operator; none where the operator is not known.

    Where there is no number, the value as its source has it.
    """
    values, source = _filled((table.value,), texts), _filled((table.source,), texts)
    if table.operator not in texts.columns:
        return values.zip_with(values.is_not_null(), source)
    signs = texts[table.operator].fill_null(NONE).replace_strict(OPERATORS, default=None, return_dtype=pl.String)
    return (signs + values).zip_with(values.is_not_null(), source)


def _unknown_operators(table: _Table, texts: pl.DataFrame, lines: Ints | None) -> Iterator[WrongRecord]:
    if table.operator not in texts.columns:
        return
    given = texts.select(
        (pl.col(table.code).is_in(PLATELETS) & ~pl.col(table.operator).is_in(list(OPERATORS))).fill_null(value=False)
    ).to_series()
    for row in given.arg_true().to_list():
        cure = "known: 4172703 (=), 4171756 (<), 4172704 (>), 4171754 (<=), 4171755 (>=)"
        operator = quoted(texts[table.operator][row])
        line = row + 1 if lines is None else int(lines[row])
        yield WrongRecord(line, f"{table.operator}: {operator} is not a sign; {cure}.", texts["person_id"][row])
