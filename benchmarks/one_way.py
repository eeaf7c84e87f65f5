"""One way from a study's files to a file of verdicts, in a process of its own: what `bench.py` runs and measures.

Called as `python benchmarks/one_way.py WAY VISITS PATIENTS OUT [FURTHER]`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _read(path: str) -> Any:
    """A table in polars; the types of columns are given, as the first rows may have no values."""
    import polars as pl

    if path.endswith(".parquet"):
        return pl.read_parquet(path)
    names = ("platelets", "bleeding_grade", "rescue_end", "baseline", "treatment_discontinued")
    with Path(path).open() as file:
        header = file.readline().strip().split(",")
    return pl.read_csv(path, schema_overrides={name: pl.Int64 for name in names if name in header})


def polars_script(visits: str, patients: str, out: str) -> None:
    """The best script known: whole-column scans, read and written by polars."""
    import polars_scans

    _in_polars(polars_scans.classify, visits, patients, out)


def polars_windows_script(visits: str, patients: str, out: str) -> None:
    """As it is ordinarily written: window expressions, read and written by polars."""
    import polars_windows

    _in_polars(polars_windows.classify, visits, patients, out)


def _in_polars(classify: Callable[[Any, Any], Any], visits: str, patients: str, out: str) -> None:
    import polars as pl

    rows = _read(visits).select(
        pl.col("patient_id").alias("patient"),
        "day",
        pl.col("platelets", "bleeding_grade").cast(pl.Float64),
        pl.col("rescue").is_not_null(),
        pl.col("rescue_end").fill_null(pl.col("day")),
    )
    results = classify(rows, _read(patients).rename({"patient_id": "patient"}))
    results.rename({"patient": "patient_id"}).write_csv(out)


def polars_read(visits: str, patients: str, out: str) -> None:
    """Only reads the files."""
    Path(out).write_text(f"{len(_read(visits))} {len(_read(patients))}\n")


def polars_sort(visits: str, _: str, out: str) -> None:
    """Only reads and sorts the visits."""
    Path(out).write_text(f"{len(_read(visits).sort('patient_id', 'day'))}\n")


def duckdb_sort(visits: str, _: str, out: str) -> None:
    """Only reads and sorts the visits, into a table in memory."""
    import duckdb

    duckdb.sql(f"CREATE TABLE sorted AS SELECT * FROM read_csv('{visits}') ORDER BY patient_id, day")
    Path(out).write_text(f"{duckdb.sql('SELECT count(*) FROM sorted').fetchall()}\n")


def duckdb_script(visits: str, patients: str, out: str) -> None:
    import duckdb
    from duckdb_windows import QUERY

    duckdb.sql(
        f"CREATE TABLE visits AS SELECT * REPLACE (rescue IS NOT NULL AS rescue, "
        f"coalesce(rescue_end, day) AS rescue_end) FROM read_csv('{visits}')"
    )
    duckdb.sql(f"CREATE TABLE patients AS SELECT * FROM read_csv('{patients}')")
    duckdb.sql(QUERY).write_csv(out)


def pandas_script(visits: str, patients: str, out: str) -> None:
    import pandas as pd
    import pandas_columns

    rows = pd.read_csv(visits)
    rows = rows.assign(rescue=rows["rescue"].notna(), rescue_end=rows["rescue_end"].fillna(rows["day"]))
    pandas_columns.classify(rows, pd.read_csv(patients)).to_csv(out, index=False)


def plain_loop(visits: str, patients: str, out: str, most: str) -> None:
    import plain_loop as loop

    loop.classify(Path(visits), Path(patients), Path(out), int(most))


WAYS = {
    "polars": polars_script,
    "polars-windows": polars_windows_script,
    "polars-read": polars_read,
    "polars-sort": polars_sort,
    "duckdb": duckdb_script,
    "duckdb-sort": duckdb_sort,
    "pandas": pandas_script,
    "loop": plain_loop,
}


if __name__ == "__main__":
    WAYS[sys.argv[1]](*sys.argv[2:])
