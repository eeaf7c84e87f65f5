"""Provenance: what made an output. It holds no time, so that the same input gives the same bytes."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from itp_response.classification.output_files import visible_files
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import ReadFrom
from itp_response.definitions.criteria import Criteria

PROGRAM = "itp-response"
KEY = "itp_response"
"""The key under which a Parquet file carries its provenance."""
BESIDE = ".provenance.json"
"""The end of the name of the file beside an output, `FILE.provenance.json`."""
INSIDE = "provenance.json"
"""The name of the file in a folder of outputs."""


@dataclass(frozen=True)
class File:
    """A file by its name and the SHA-256 of its bytes; None: an input that is no file, such as a frame."""

    name: str
    sha256: str | None


@dataclass(frozen=True)
class Provenance:
    """The program, the criteria, the options and the inputs that made an output.

    >>> Provenance("itp-response", "0.1.0", [], {"long": True}, {}, []).text().splitlines()[1]
    '  "program": "itp-response",'
    """

    program: str
    version: str
    criteria: Sequence[Mapping[str, str | None]]
    """For each set its `name`, `file`, `sha256` (None: the set was not read from a file), `checked` and `read`."""
    options: Mapping[str, Any]
    inputs: Mapping[str, Sequence[File]]
    """The files by what they were read as, `visits` or `patients`; of a folder the files in it."""
    assumed: Sequence[str]
    """The assumptions and warnings of the reading."""
    outputs: Sequence[File] = field(default=())
    sources: Sequence[Path] = field(default=(), repr=False, compare=False)
    """Where all that was read stands, so that no output is written over it; not part of the text."""

    def text(self) -> str:
        """The provenance as JSON, its keys always in the same order."""
        content = asdict(replace(self, sources=()))
        del content["sources"]
        return json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n"


def provenance(criteria: Sequence[Criteria], cohort: Cohort, **options: Any) -> Provenance:
    """The provenance of an output that was made of this cohort under these sets of criteria.

    `options` are added to those of the reading. Files are hashed as they are now, if they were not when they were read.
    Raises `CohortError` if one was changed since.
    """
    read_from = cohort.read_from or ReadFrom({"visits": cohort}, {})
    inputs = read_from.hashed() if read_from.hashed else hashed(read_from.inputs)
    read_from.check_unchanged()
    return Provenance(
        program=PROGRAM,
        version=program_version(),
        criteria=[
            {
                "name": definitions.name,
                "file": definitions.path.name,
                "sha256": _sha256(definitions.path),
                "checked": definitions.file.checked,
                "read": ", ".join(definitions.file.read),
            }
            for definitions in criteria
        ],
        options={**read_from.options, **options},
        inputs=inputs,
        assumed=[note.text for note in cohort.notes],
        sources=sources(*read_from.inputs.values(), *(definitions.path for definitions in criteria)),
    )


def sources(*tables: Any) -> tuple[Path, ...]:
    """The files behind tables that were given to be read, and the folders that hold them; none for one in memory.

    >>> sources("visits.csv", None, [{"patient_id": "A", "day": 0, "platelets": 15}])
    (PosixPath('visits.csv'),)
    """
    found: list[Path] = []
    for table in tables:
        if hasattr(table, "files"):  # a mapped study
            found += sources(*table.files)
        elif isinstance(table, str | Path):
            found += [Path(table), *_inside(Path(table))]
    return tuple(found)


def _inside(path: Path) -> Sequence[Path]:
    """The files in a folder that may be read: those of a study, else all."""
    if not os.path.isdir(path):  # noqa: PTH112 - a typed timeline is no path
        return ()
    from itp_response.readers.sdtm.folder import files_of, is_study

    try:
        return files_of(path) if is_study(path) else visible_files(path)
    except OSError:  # a folder that may not be entered; reading it says so
        return ()


def hashed(inputs: Mapping[str, Any]) -> dict[str, Sequence[File]]:
    """The files behind each input that was given (not None), with their SHA-256."""
    return {name: files(table) for name, table in inputs.items() if table is not None}


@cache
def program_version() -> str:
    """The version of the installed program; `unknown` for a checkout that is not installed."""
    try:
        return version(PROGRAM)
    except PackageNotFoundError:
        return "unknown"


def of_bytes(name: str, content: bytes) -> File:
    """The entry of a file that holds these bytes."""
    return File(name, hashlib.sha256(content).hexdigest())


def of_path(path: Path) -> File:
    """The entry of a file as it is now."""
    return File(path.name, _sha256(path))


def files(table: Any) -> tuple[File, ...]:
    """The files behind a table that was given to be read; a table in memory has an entry without SHA-256.

    >>> files([{"patient_id": "A", "day": 0, "platelets": 15}])
    (File(name='a table in memory (list)', sha256=None),)
    """
    if isinstance(table, Cohort):
        return (File(table.source or "a cohort in memory", None),)
    if hasattr(table, "files"):  # a mapped study
        return tuple(file for path in table.files for file in files(path))
    if not isinstance(table, str | Path):
        return (File(f"a table in memory ({type(table).__name__})", None),)
    path = Path(table)
    if not path.is_dir():
        return (of_path(path),)
    # The readers are imported where something was read: a typed timeline is decided without them.
    from itp_response.readers.unchanged import paths_of

    return tuple(File(f"{path.resolve().name}/{part.name}", _sha256(part)) for part in paths_of(path))


def _sha256(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
