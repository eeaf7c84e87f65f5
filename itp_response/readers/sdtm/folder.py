"""Folder: a folder that holds a study as domains of SDTM, known by the names of its files; none is read for that."""

import re
from dataclasses import dataclass
from pathlib import Path

FILE = "sdtm.toml"
"""The settings of the study, in its folder."""
SUFFIXES = (".xpt", ".csv", ".parquet", ".json", ".ndjson", ".dsjc", ".sas7bdat")
DOMAINS = ("dm", "lb", "ae", "ce", "fa", "cm", "ex", "pr", "ds")
SPLIT = ("lb", "fa", "cm", "ex")
"""Domains that may be split into several files, such as `lbhe` and `lbch`."""


@dataclass(frozen=True)
class MappedStudy:
    """A study's folder, and its settings (as in `sdtm.toml`) in a file elsewhere."""

    folder: Path
    file: Path

    @property
    def files(self) -> tuple[Path, Path]:
        """The folder and the file."""
        return self.folder, self.file


def is_study(given: object) -> bool:
    """Whether it is a folder with a DM and an LB, or such a folder with its settings."""
    if isinstance(given, MappedStudy):
        return True
    if not isinstance(given, str | Path) or not Path(given).is_dir():
        return False
    files = domain_files(Path(given))
    return bool(files["dm"] and files["lb"])


def files_of(folder: Path) -> list[Path]:
    """The files of a study's folder that are read, in the order of their names."""
    read = [
        path
        for files in (domain_files(folder), domain_files(folder, "supp"))
        for paths in files.values()
        for path in paths
    ]
    return sorted([*read, *(path for path in [folder / FILE] if path.exists())])


def domain_files(folder: Path, prefix: str = "") -> dict[str, list[Path]]:
    """The files of each domain, in the order of their names; with the prefix `supp`, those of its supplement."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    more = {domain: "[a-z0-9]{0,2}" * (domain in SPLIT) for domain in DOMAINS}
    return {
        domain: [path for path in paths if re.fullmatch(f"{prefix}{domain}{more[domain]}", stem(path))]
        for domain in DOMAINS
    }


def stem(path: Path) -> str:
    """The name of a file without its suffix, in small letters."""
    return path.stem.lower()
