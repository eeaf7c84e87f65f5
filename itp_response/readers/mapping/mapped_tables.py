"""Mapped tables: the table of visits and that of patients, made of rows of a mapped file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from itp_response.cohort.values import Ints
from itp_response.messages.wording import counted_patients, listed
from itp_response.readers.column_names import CellProblem, NamedTable
from itp_response.readers.mapping.mapped_file import MappedRows
from itp_response.readers.problems import (
    GatheredLocation,
    Location,
    Pieces,
    Problems,
    quoted,
)


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
    like_units = of.source.like_units
    return replace(table, told=of.file.told, units=unknown, study=of.source.study, like_units=like_units)


def patients_of(of: MappedRows, location: Location, names: Iterable[str], problems: Problems) -> NamedTable:
    """The table of patients: one row per patient, with the value of each column from any row of the file."""
    header = of.file.patients.chosen
    all_ids = of.ids
    ids = all_ids.set(~of.of_wanted, None)
    left_out = all_ids.filter(~of.of_wanted).n_unique()
    if left_out:
        said = listed([f"{column} is {value!r}" for column, value in of.file.patients.only.items()])
        problems.note(location, f"{counted_patients(left_out)} excluded, with no row that says that {said}.")
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
        from_1904=location.from_1904,
        given=location,
        rows=rows_of,
    )
    frame = pl.DataFrame(columns)
    header = header | {name: name for name in frame.columns if name not in header}
    cell_problems = of.cell_problems(as_written, frame, header)
    patients = of.file.patients
    unknown = of.unknown_units("baseline", [(patients.baseline, patients.baseline_unit)])
    table = _table(gathered, frame, names, header, cell_problems)
    return replace(table, told=of.file.told, units=unknown, like_units=of.source.like_units)


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
