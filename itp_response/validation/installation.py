"""The installation: its environment, the versions of its libraries, and the hash of each of its files."""

import platform
import sys
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution
from pathlib import Path
from typing import Any

import polars as pl
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from itp_response.classification.provenance import PROGRAM, of_path, program_version
from itp_response.definitions.load import criteria_folder
from itp_response.validation.section import compared

PACKAGE = Path(__file__).parents[1]
TOOLS = ("dev",)
"""Extras that no user installs: the tools of the tests."""
NOT_IN_RECORD = "not in the record of the installation"
MISSING = "missing"
ANY = "any version"
UNRECORDED = (".pyc", ".pyo")
"""Suffixes of files that Python makes itself."""


def environment() -> pl.DataFrame:
    """What the program runs on; a row per item, none of which is compared."""
    items = {
        "program": f"{PROGRAM} {program_version()}",
        "package": str(PACKAGE),
        "criteria files": str(criteria_folder()),
        "Python": f"{platform.python_implementation()} {sys.version}",
        "interpreter": sys.executable,
        "operating system": platform.platform(),
        "machine": platform.machine(),
        "byte order": sys.byteorder,
        "encoding of file names": sys.getfilesystemencoding(),
    }
    return compared(("item", "expected", "got"), [(item, None, value) for item, value in items.items()])


def libraries() -> pl.DataFrame:
    """A row per requirement of the program, and of each library that it needs: whether the installed version fits."""
    columns = ("library", "installed", "required_by", "extra", "expected", "got")
    return compared(columns, sorted(set(_requirements(PROGRAM, set(), "")), key=str))


def _requirements(name: str, seen: set[tuple[str, str]], extras: str) -> Iterator[tuple[Any, ...]]:
    """The requirements of a distribution with these extras, and of all that they need, each once."""
    installed = _installed(name)
    if installed is None or (name, extras) in seen:
        return
    seen.add((name, extras))
    own = _extras_of(installed) if name == PROGRAM else ["", *extras.split()]
    for text in installed.requires or ():
        requirement = Requirement(text)
        needed = canonicalize_name(requirement.name)
        extra = next((one for one in own if _applies(requirement, one)), None)
        if extra is None or needed == PROGRAM:
            continue
        other = _installed(needed)
        expected = str(requirement.specifier) or ANY
        yield needed, other.version if other else "", name, extra, expected, _fit(requirement, other, extra)
        yield from _requirements(needed, seen, " ".join(sorted(requirement.extras)))


def _extras_of(program: Distribution) -> list[str]:
    extras = program.metadata.get_all("Provides-Extra") or []
    return ["", *(extra for extra in extras if extra not in TOOLS)]


def _applies(requirement: Requirement, extra: str) -> bool:
    """Whether a requirement holds with this extra on this machine; without an extra: empty."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _fit(requirement: Requirement, installed: Distribution | None, extra: str) -> str | None:
    """What is expected, if the version fits; None for a library of an extra that is not there."""
    if installed is None:
        return None if extra else "not installed"
    fits = requirement.specifier.contains(installed.version, prereleases=True)
    return (str(requirement.specifier) or ANY) if fits else installed.version


@cache
def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def files() -> pl.DataFrame:
    """A row per file of the installed package: its SHA-256 in the record of the installation, and as it is now.

    A package that is used from a checkout has no record: its files are not compared.
    """
    recorded = _recorded()
    rows: list[tuple[Any, ...]] = [
        (str(path), _sha256_of(path), of_path(Path(str(path.locate()))).sha256 or MISSING) for path in recorded
    ]
    located = {Path(str(path.locate())).resolve() for path in recorded}
    root = PACKAGE.parent
    others = [
        path
        for path in (*PACKAGE.rglob("*"), *criteria_folder().glob("*"))
        if path.is_file() and path.suffix not in UNRECORDED and path.resolve() not in located
    ]
    expected = NOT_IN_RECORD if recorded else None
    rows += [(path.relative_to(root).as_posix(), expected, of_path(path).sha256) for path in dict.fromkeys(others)]
    return compared(("file", "expected", "got"), sorted(rows, key=lambda row: row[0]))


def _recorded() -> list[PackagePath]:
    """The files that the record of the installation has with a hash; none where another package is in use."""
    program = _installed(PROGRAM)
    paths = [path for path in (program.files if program else None) or () if path.hash is not None]
    face = Path(__file__).resolve()
    return paths if any(Path(str(path.locate())).resolve() == face for path in paths) else []


def _sha256_of(path: PackagePath) -> str:
    """The hash of the record as hexadecimal digits; of an unusual algorithm, with its name."""
    assert path.hash is not None  # only such are asked for
    value = urlsafe_b64decode(f"{path.hash.value}==").hex()
    return value if path.hash.mode == "sha256" else f"{path.hash.mode}:{value}"


def record_in_words() -> str:
    """What the files are compared with."""
    if _recorded():
        return (
            "The SHA-256 of every file of the installation, compared with the record (RECORD) of the installed package."
        )
    return (
        "The SHA-256 of every file. The program runs from a checkout, or its installation has no record (RECORD) of "
        "the package in use, so the hashes are recorded here and not compared."
    )
