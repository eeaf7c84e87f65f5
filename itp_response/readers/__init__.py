"""Readers: from a study's files to a cohort.

`READERS` says how a file is opened, by its suffix; `visits.read` makes the cohort.
"""

from collections.abc import Callable
from pathlib import Path

from itp_response.readers.files import Opened, csv, parquet, tsv

READERS: dict[str, Callable[[Path], Opened]] = {
    ".csv": csv,
    ".tsv": tsv,
    ".txt": csv,
    ".parquet": parquet,
}
