"""The pass in C, compiled on the spot where there is a compiler."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

SOURCE = Path(__file__).with_name("pass.c")
DAYS = ("OR_day", "OR_confirmed_day", "CR_day", "relapse_day", "TTR_days", "DOR_days")
CODES = ("best_response", "OR", "CR", "SR", "relapse", "remission", "late_rescue", "DOR_event")
VERDICTS = np.dtype([(name, np.int8) for name in CODES] + [(name, np.int32) for name in DAYS])
LABELS = {"best_response": ["CR", "R", "NR", "NE"]}
NO_DAY = np.iinfo(np.int32).min


def program(folder: Path) -> Path | None:
    """For files; None: there is no compiler."""
    return _compiled(folder / "pass")


def library(folder: Path) -> Path | None:
    """For arrays in memory; None: there is no compiler."""
    return _compiled(folder / "pass.so", "-shared", "-fPIC")


def _compiled(compiled: Path, *options: str) -> Path | None:
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    subprocess.run([compiler, "-O3", "-march=native", *options, "-o", compiled, SOURCE, "-lm"], check=True)
    return compiled


def in_memory(compiled: Path, columns: dict[str, Any]) -> tuple[Callable[[], object], Callable[[], pl.DataFrame]]:
    """What runs the pass over these columns, one thread; and what gives its verdicts as a frame."""
    size = len(columns["baseline"])
    types = {"day": np.int32, "platelets": np.float64, "bleeding_grade": np.float64, "rescue": np.uint8}
    types |= {"rescue_end": np.int32, "baseline": np.float64, "treatment_discontinued": np.float64}
    first_row = np.searchsorted(columns["patient"], np.arange(size + 1)).astype(np.int64)
    arrays = [first_row, *(np.ascontiguousarray(columns[name], dtype=kind) for name, kind in types.items())]
    verdicts = np.empty(size, dtype=VERDICTS)
    addresses = [ctypes.c_void_p(array.ctypes.data) for array in (*arrays, verdicts)]
    classify = ctypes.CDLL(str(compiled)).classify
    # The arrays are kept, as the pass has only their addresses.
    return lambda: (classify(ctypes.c_int64(size), *addresses), arrays), lambda: _frame(verdicts)


def _frame(verdicts: np.ndarray) -> pl.DataFrame:
    columns = {}
    for name in CODES[:-1]:
        columns[name] = pl.Series(LABELS.get(name, ["Y", "N", "NE", "NA"])).gather(verdicts[name].astype(np.int64))
    for name in (*DAYS, "DOR_event"):
        none = verdicts[name] == (-1 if name == "DOR_event" else NO_DAY)
        columns[name] = pl.Series(verdicts[name]).set(pl.Series(none), None)
    return pl.DataFrame(columns)
