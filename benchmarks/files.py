"""The invented patients of `cohorts` as files, made some at a time so that they may be more than memory holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from cohorts import make_cohort

AT_ONCE = 250_000
"""Patients made together."""


def tables(columns: dict[str, Any], first: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Visits and patients as a study writes them; the first patient has this number. What was not observed is empty."""
    size = len(columns["baseline"])
    names = pl.Series("patient_id", np.arange(first, first + size)).cast(pl.String).str.zfill(9)
    names = ("P" + names).alias("patient_id")
    rescue = pl.Series(columns["rescue"])
    visits = pl.DataFrame(
        [
            names.gather(columns["patient"]),
            pl.Series("day", columns["day"]),
            pl.Series("platelets", columns["platelets"]),
            pl.Series("bleeding_grade", columns["bleeding_grade"]),
            rescue.replace_strict({True: "IVIg", False: None}, return_dtype=pl.String).alias("rescue"),
            pl.Series("rescue_end", columns["rescue_end"]).set(~rescue, None),
        ]
    )
    patients = pl.DataFrame(
        [
            names,
            pl.Series("arm", np.where(np.arange(first, first + size) % 2, "A", "B")),
            pl.Series("baseline", columns["baseline"]),
            pl.Series("treatment_discontinued", columns["treatment_discontinued"]),
        ]
    )
    whole = pl.selectors.float().fill_nan(None).cast(pl.Int64)
    return visits.with_columns(whole), patients.with_columns(whole)


def in_parts(patients: int, seed: int) -> list[tuple[int, dict[str, Any]]]:
    """How many patients are made together, and the number of the first."""
    firsts = range(0, patients, AT_ONCE)
    return [(first, {"patients": min(AT_ONCE, patients - first), "seed": seed + first}) for first in firsts]


def write(patients: int, seed: int, folder: Path, kinds: tuple[str, ...] = ("csv",)) -> None:
    """Of each kind (`csv`, `parquet`) `visits.KIND` and `patients.KIND`, sorted by patient and day."""
    writers: list[Callable[[pl.DataFrame, pl.DataFrame], None]] = [_csv(folder), _parquet(folder)]
    chosen = [writer for kind, writer in zip(("csv", "parquet"), writers, strict=True) if kind in kinds]
    for first, arguments in in_parts(patients, seed):
        both = tables(make_cohort(**arguments), first)
        for writer in chosen:
            writer(*both)
    if "parquet" in kinds:
        for name in ("visits", "patients"):
            parts = sorted((folder / f"{name}.parts").glob("*.parquet"))
            pl.scan_parquet(parts).sink_parquet(folder / f"{name}.parquet", maintain_order=True)
            for part in parts:
                part.unlink()


def _csv(folder: Path) -> Callable[[pl.DataFrame, pl.DataFrame], None]:
    def write(visits: pl.DataFrame, patients: pl.DataFrame) -> None:
        for frame, name in ((visits, "visits"), (patients, "patients")):
            path = folder / f"{name}.csv"
            begun = path.exists()
            with path.open("ab") as file:
                frame.write_csv(file, include_header=not begun)

    return write


def _parquet(folder: Path) -> Callable[[pl.DataFrame, pl.DataFrame], None]:
    def write(visits: pl.DataFrame, patients: pl.DataFrame) -> None:
        for frame, name in ((visits, "visits"), (patients, "patients")):
            parts = folder / f"{name}.parts"
            parts.mkdir(exist_ok=True)
            number = len(list(parts.iterdir()))
            frame.write_parquet(parts / f"{number:05}.parquet")

    return write


def copies(folder: Path, number: int, target: Path) -> None:
    """The CSV files again, each patient `number` times (ten at most) under other names, still in order."""
    for name in ("visits.csv", "patients.csv"):
        with (target / name).open("wb") as out:
            for copy in range(number):
                with (folder / name).open("rb") as file:
                    header = file.readline()
                    out.write(b"" if copy else header)
                    # A block begins with a row, so that the name is the only thing that follows a newline.
                    while block := file.read(1 << 24):
                        block = b"\n" + block + file.readline()
                        out.write(block.replace(b"\nP0", b"\nP%d" % copy)[1:])


def shuffle(folder: Path, seed: int) -> None:
    """`shuffled.csv`, the visits in no order."""
    visits = pl.read_csv(folder / "visits.csv", schema_overrides={"rescue_end": pl.Int64})
    visits.sample(fraction=1, shuffle=True, seed=seed).write_csv(folder / "shuffled.csv")
