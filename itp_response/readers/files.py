"""Files: how a table of each format is opened; each row keeps its line number."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl

from itp_response.messages.codes import Code
from itp_response.messages.errors import CohortError, Problem, UsageError, unknown
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import listed
from itp_response.readers.complete import arrow_source, check_arrow, check_rows, is_arrow_file, rows_of_xpt, unbroken
from itp_response.readers.dataset_json import COMPRESSED, dataset_json
from itp_response.readers.eav import is_eav, row_per_record
from itp_response.readers.odm import flat
from itp_response.readers.open_table import FIRST_ROWS, Decimal, OpenTable
from itp_response.readers.tabular import TableFile, Tabular
from itp_response.readers.text import PACKED, whole_file
from itp_response.readers.workbook import workbook


def given_as(
    table: Tabular, sheet: str | None = None, header_row: int | None = None, decimal: Decimal | None = None
) -> Tabular:
    """The table, opened as told; one that is told of already is kept.

    Raises `UsageError` if something is told of what is no file.
    """
    told = {"a sheet": sheet, "a header row": header_row, "decimals": decimal}
    if all(value is None for value in told.values()):
        return table
    if isinstance(table, TableFile):
        return table
    if isinstance(table, str | Path):
        return TableFile(Path(table), sheet, header_row, decimal)
    what = next(name for name, value in told.items() if value is not None)
    if hasattr(table, "as_table"):
        raise UsageError(f"{what}: goes into the mapping, beside its columns.")
    raise UsageError(f"{what}: only a file has one, not {type(table).__name__!r}.")


def open_table(table: Tabular, name: str) -> OpenTable:
    """The table of a file, a frame or a list of rows; `name` names a table that is no file.

    Raises `CohortError` for a file that cannot be read, and `UsageError` for an object that is no table.

    >>> table = open_table([{"patient_id": "P1", "platelets": 15}], "visits")
    >>> table.header
    ['patient_id', 'platelets']
    >>> table.load([1])["1"].to_list()
    [15]
    """
    if isinstance(table, str | Path):
        table = TableFile(Path(table))
    source = _file(table) if isinstance(table, TableFile) else _in_memory(table, name)
    return row_per_record(source) if is_eav(source.header) else source


def _in_memory(table: Tabular, name: str) -> OpenTable:
    """The table of a frame or a list of rows."""
    try:
        if isinstance(table, pl.LazyFrame):
            return _frame(table.collect(), name)
        if isinstance(table, pl.DataFrame):
            return _frame(table, name)
        if type(table).__module__.partition(".")[0] == "pandas" and hasattr(table, "columns"):
            return _frame(_from_pandas(table), name)
        if hasattr(table, "__arrow_c_stream__"):
            stream: Any = table
            return _frame(pl.DataFrame(stream), name)
    except (pl.exceptions.PolarsError, ValueError, TypeError, ImportError) as error:
        raise CohortError(f"{name}: this frame cannot be read: {str(error).splitlines()[0]}.") from None
    if isinstance(table, Sequence) and not isinstance(table, str) and all(isinstance(row, Mapping) for row in table):
        return _frame(_from_rows(table), name)
    kind = type(table).__name__
    known = "the path of a file, a frame of polars, pandas or Arrow, or a list of dicts"
    raise UsageError(f"{name} is {known}, not {kind!r}.")


def _file(file: TableFile) -> OpenTable:
    path = file.path
    kind = kind_of(path)
    reader = READERS.get(kind)
    try:
        if path.is_dir():
            study = "An SDTM study has at least a dm and an lb in it, as .xpt, .csv, .parquet, .json or .ndjson."
            raise CohortError(f"{path.name}: this is a folder; name the file in it. {study}")
        if not path.exists():
            sentence = f"{path.name}: there is no such file."
            raise CohortError(Problem(sentence, code=Code.FILE_NOT_FOUND, file=path.name))
        if reader is None:
            raise CohortError(f"{path.name}: {unknown('kind of file', kind, READERS)} Save the table as CSV.")
        return _told(reader, file)
    except OSError as error:
        raise CohortError(f"{path.name}: this cannot be read: {error.strerror or error}.") from None


def _told(reader: Callable[[Path], OpenTable], file: TableFile) -> OpenTable:
    """The table of a file, found in it as told."""
    path, sheet, header_row = file.path, file.sheet, file.header_row
    if sheet is not None and reader is not workbook:
        raise CohortError(
            f"{path.name}: only a workbook (.xlsx, .xls, .ods) has sheets, so there is no sheet {sheet!r}."
        )
    if header_row is not None and reader not in (workbook, csv, tsv):
        raise CohortError(f"{path.name}: only a text file and a workbook have a row of names; give no --header-row.")
    if reader is workbook:
        table = workbook(path, sheet, header_row)
    elif reader in (csv, tsv):
        table = whole_file(path, "," if reader is csv else "\t", header_row)
    else:
        table = reader(path)
    return table if file.decimal is None else replace(table, decimal=file.decimal)


def kind_of(path: Path) -> str:
    """The file's suffix in lower case, as in `READERS`; of a packed text file, the suffix before `.gz` or `.zst`.

    >>> kind_of(Path("visits.CSV.gz"))
    '.csv'
    """
    suffix = path.suffix.lower()
    inner = Path(path.stem).suffix.lower()
    return inner if suffix in PACKED and READERS.get(inner) in (csv, tsv) else suffix


def is_text(path: Path) -> bool:
    """Whether the file is a text with cells, packed or not."""
    return READERS.get(kind_of(path)) in (csv, tsv)


# FRAMES


def parquet(path: Path) -> OpenTable:
    """A Parquet file; its rows are numbered from 1."""
    return _scanned(path, lambda: pl.scan_parquet(path, glob=False), "Parquet")


def arrow(path: Path) -> OpenTable:
    """An Arrow IPC file (Feather), or a stream of Arrow saved; its rows are numbered from 1."""
    source = arrow_source(path)
    check_arrow(source, path.name)

    def scan() -> pl.LazyFrame:
        lazy = pl.scan_ipc(source, glob=False) if is_arrow_file(source) else pl.read_ipc_stream(source).lazy()
        assert isinstance(lazy, pl.LazyFrame)
        return lazy

    return _scanned(path, scan, "Arrow")


def _scanned(path: Path, scan: Callable[[], pl.LazyFrame], kind: str) -> OpenTable:
    lazy: pl.LazyFrame = unbroken(path.name, kind, scan)
    schema: pl.Schema = unbroken(path.name, kind, lazy.collect_schema)
    header = schema.names()
    rows: int = unbroken(path.name, kind, lambda: lazy.select(pl.len()).collect().item())

    def columns(positions: Sequence[int]) -> pl.LazyFrame:
        return lazy.select(pl.col(header[position]).alias(str(position)) for position in positions)

    def scanned(positions: Sequence[int]) -> pl.LazyFrame:
        _check_values(path.name, {header[position]: schema[header[position]] for position in positions})
        return columns(positions)

    def load(positions: Sequence[int]) -> pl.DataFrame:
        wanted = scanned(positions)
        frame = unbroken(path.name, kind, wanted.collect)
        assert isinstance(frame, pl.DataFrame)
        check_rows(path.name, kind, len(frame), rows)
        return frame

    def load_first(positions: Sequence[int]) -> pl.DataFrame:
        frame = unbroken(path.name, kind, lambda: columns(positions).head(FIRST_ROWS).collect())
        assert isinstance(frame, pl.DataFrame)
        return frame

    return OpenTable(path.name, header, load, scan=scanned, kind=kind, load_first=load_first, rows=rows)


def _check_values(name: str, columns: Mapping[str, pl.DataType]) -> None:
    """Raises `CohortError` for a column of which the cells are no single values."""
    for column, dtype in columns.items():
        if dtype.is_nested() or dtype == pl.Binary:
            what = "bytes" if dtype == pl.Binary else "records" if dtype == pl.Struct else "lists"
            raise CohortError(f"{name}: {column}: its cells are {what}, not single values; export them as texts.")


def _frame(frame: pl.DataFrame, name: str) -> OpenTable:
    def load(positions: Sequence[int]) -> pl.DataFrame:
        _check_values(name, {frame.columns[position]: frame.dtypes[position] for position in positions})
        return load_any(positions)

    def load_any(positions: Sequence[int]) -> pl.DataFrame:
        return frame.select(frame.to_series(position).alias(str(position)) for position in positions)

    return OpenTable(name, frame.columns, load, load_first=load_any)


def _from_pandas(frame: Any) -> pl.DataFrame:
    """The frame of a pandas frame, with named levels of its index as columns.

    Columns of objects become texts, as their types may differ.
    """
    levels = [name for name in frame.index.names if name is not None and name not in frame.columns]
    if levels:
        frame = frame.reset_index(level=levels)
    objects = [position for position, dtype in enumerate(frame.dtypes) if str(dtype) == "object"]
    if objects:
        frame = frame.copy()
        for position in objects:
            texts = frame.iloc[:, position].map(_as_text, na_action="ignore")
            frame.isetitem(position, texts.astype(object).where(texts.notna(), None))
    converted = pl.from_pandas(frame)
    assert isinstance(converted, pl.DataFrame)
    return converted


def _as_text(value: object) -> str:
    """The text of a value; a date has its time, as in ISO 8601, so that no format of texts is asked of it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return f"{value.isoformat()}T00:00:00" if isinstance(value, date) else str(value)


def _from_rows(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The frame of a list of dicts; a column of different types becomes texts."""
    columns = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        types = {type(value) for value in values if value is not None}
        if len(types) > 1 and types != {int, float}:
            values = [None if value is None else _as_text(value) for value in values]
        columns[str(name)] = pl.Series(values, dtype=None if types else pl.String, strict=False)
    return pl.DataFrame(columns)


# STATISTICS PROGRAMS AND CDISC


class StatisticsFormat(NamedTuple):
    """A format of a statistics program, which pyreadstat reads."""

    function: str
    """The function of pyreadstat."""
    name: str


STATISTICS = {
    ".xpt": StatisticsFormat("read_xport", "SAS transport"),
    ".sas7bdat": StatisticsFormat("read_sas7bdat", "SAS data"),
    ".sav": StatisticsFormat("read_sav", "SPSS"),
    ".zsav": StatisticsFormat("read_sav", "SPSS"),
    ".dta": StatisticsFormat("read_dta", "Stata"),
}


def statistics(path: Path) -> OpenTable:
    """A SAS transport file (version 5 or 8) or a file of SAS, SPSS or Stata; its rows are numbered from 1.

    Values are those of the file, not their labels. The labels of columns and of values are handed on.
    """
    form = STATISTICS[path.suffix.lower()]
    pyreadstat = needed("pyreadstat", "sas-spss-stata", f"{path.name}: ", CohortError)
    function = getattr(pyreadstat, form.function)

    def read(**wanted: Any) -> Any:
        def of_library() -> Any:
            try:
                return function(path, output_format="polars", **wanted)
            except UnicodeDecodeError:
                raise CohortError(f"{path.name}: {_not_utf_8(path, function, wanted)}") from None

        return unbroken(path.name, form.name, of_library)

    about = read(metadataonly=True)[1]
    header = about.column_names
    length = sum(about.variable_storage_width.values())
    rows = rows_of_xpt(path, length) if path.suffix.lower() == ".xpt" else about.number_rows

    def load(positions: Sequence[int]) -> pl.DataFrame:
        frame = read(usecols=[header[position] for position in positions])[0]
        assert isinstance(frame, pl.DataFrame)
        check_rows(path.name, form.name, len(frame), rows)
        return frame.select(pl.col(header[position]).alias(str(position)) for position in positions)

    labels = {name: (label,) for name, label in about.column_names_to_labels.items() if label}
    codes = {
        name: {f"{value:g}" if isinstance(value, float) else str(value): str(label) for value, label in of_name.items()}
        for name, of_name in about.variable_value_labels.items()
    }
    return OpenTable(path.name, header, load, labels=labels, codes=codes)


def _not_utf_8(path: Path, function: Callable[..., Any], wanted: Mapping[str, Any]) -> str:
    """Which columns of a file of a statistics program are not UTF-8, and the cure."""
    frame, _ = function(path, encoding="WINDOWS-1252", output_format="polars", **wanted)
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    odd = [name for name in texts if frame[name].str.contains(r"[^\x00-\x7F]").any()]
    which = f"{listed(odd)} {'has' if len(odd) == 1 else 'have'}" if odd else "its names and labels have"
    return f"{which} letters that are not UTF-8; write the file again in UTF-8, or with ASCII letters alone."


def odm(path: Path) -> OpenTable:
    """An ODM 1.3 file: a row per event, and one per record of an item group that repeats."""
    flat_file = flat(path)

    def load(positions: Sequence[int]) -> pl.DataFrame:
        columns = {
            str(position): [row.get(flat_file.header[position]) for row in flat_file.rows] for position in positions
        }
        return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))

    lines = None if flat_file.lines is None else np.array(flat_file.lines, dtype=np.int64)
    word: Literal["line", "row"] = "row" if lines is None else "line"
    return OpenTable(
        path.name,
        flat_file.header,
        load,
        lines,
        word,
        labels=flat_file.labels,
        codes=flat_file.codes,
        units=flat_file.units,
        notes=flat_file.notes,
        study=flat_file.study,
    )


# TEXT


def csv(path: Path) -> OpenTable:
    """A text file with cells separated by commas; by semicolons or tabs, if its header has these and no comma."""
    return whole_file(path, ",")


def tsv(path: Path) -> OpenTable:
    """A text file with cells separated by tabs."""
    return whole_file(path, "\t")


READERS: dict[str, Callable[[Path], OpenTable]] = {
    ".csv": csv,
    ".tsv": tsv,
    ".txt": csv,
    ".parquet": parquet,
    **dict.fromkeys((".arrow", ".feather", ".ipc"), arrow),
    **dict.fromkeys(STATISTICS, statistics),
    ".json": dataset_json,
    ".ndjson": dataset_json,
    COMPRESSED: dataset_json,
    ".xml": odm,
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods"), workbook),
}
"""The function that opens a file, by the file's suffix. Each takes a path and gives an `OpenTable`."""
