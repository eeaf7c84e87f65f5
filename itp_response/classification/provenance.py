"""Provenance: what made an output, without a word of when, so that the same input gives the same bytes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import ReadFrom
from itp_response.definitions.criteria import Criteria
from itp_response.readers.column_names import part_files

PROGRAM = "itp-response"
KEY = "itp_response"
"""Under which a Parquet file carries it."""
BESIDE = ".provenance.json"
"""What follows the name of a single file in the name of the file beside it."""
INSIDE = "provenance.json"
"""Its name in a folder of outputs."""


@dataclass(frozen=True)
class File:
    """A file by its name and the SHA-256 of its bytes; None: there is no such file, as of a frame."""

    name: str
    sha256: str | None


@dataclass(frozen=True)
class Provenance:
    """The program, the criteria, the options and the inputs that made an output."""

    program: str
    version: str
    criteria: Sequence[Mapping[str, str | None]]
    """Of each set `name`, `file`, `sha256` of the file (None: there is no such file), and `checked`."""
    options: Mapping[str, Any]
    inputs: Mapping[str, Sequence[File]]
    """The files read, by what they were read as; of a folder those files in it."""
    assumed: Sequence[str]
    """What was assumed or noticed while reading."""
    outputs: Sequence[File] = field(default=())

    def text(self) -> str:
        """As JSON, always in the same order."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, default=str) + "\n"


def provenance(criteria: Sequence[Criteria], cohort: Cohort, **options: Any) -> Provenance:
    """What made an output from this cohort by these sets, with these options beside those of the reading.

    Files are hashed as they are now.
    """
    read_from = cohort.read_from or ReadFrom({"visits": cohort}, {})
    return Provenance(
        program=PROGRAM,
        version=program_version(),
        criteria=[
            {"name": one.name, "file": one.path.name, "sha256": _sha256(one.path), "checked": one.file.checked}
            for one in criteria
        ],
        options={**read_from.options, **options},
        inputs=read_from.hashed() if read_from.hashed else hashed(read_from.inputs),
        assumed=[note.text for note in cohort.notes],
    )


def hashed(inputs: Mapping[str, Any]) -> dict[str, Sequence[File]]:
    """The files behind each of the inputs; None was none."""
    return {name: files(given) for name, given in inputs.items() if given is not None}


def program_version() -> str:
    """The version of this program as installed; of a bare checkout `unknown`."""
    try:
        return version(PROGRAM)
    except PackageNotFoundError:
        return "unknown"


def of_bytes(name: str, content: bytes) -> File:
    """A file that holds these bytes."""
    return File(name, hashlib.sha256(content).hexdigest())


def of_path(path: Path) -> File:
    """A file as it is now."""
    return File(path.name, _sha256(path))


def files(given: Any) -> tuple[File, ...]:
    """The files behind what was given to be read, with their SHA-256; of a table in memory an entry without one."""
    if isinstance(given, Cohort):
        return (File(given.source or "a cohort in memory", None),)
    if hasattr(given, "files"):
        return tuple(file for one in given.files for file in files(one))
    if not isinstance(given, str | Path):
        return (File(f"a table in memory ({type(given).__name__})", None),)
    path = Path(given)
    if not path.is_dir():
        return (of_path(path),)
    from itp_response.readers.sdtm.domains import files_of, is_study

    read = files_of(path) if is_study(path) else part_files(path)
    return tuple(File(f"{path.resolve().name}/{one.name}", _sha256(one)) for one in read)


def _sha256(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
