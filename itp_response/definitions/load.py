"""Loading: criteria files, shipped or a user's own, found and read."""

from functools import cache, partial
from pathlib import Path

from itp_response.definitions.criteria import Criteria, read_dict
from itp_response.messages.errors import CriteriaError, nearest, unknown
from itp_response.messages.toml_file import file_unreadable, load_toml, parse_toml

SUFFIX = ".toml"


def criteria_folder() -> Path:
    """The folder of the shipped criteria files: in the package, or in a checkout beside it."""
    installed = Path(__file__).parent / "criteria_files"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "criteria"


def shipped() -> list[str]:
    """The names of the shipped criteria files."""
    return sorted(path.stem for path in criteria_folder().glob(f"*{SUFFIX}"))


def load(name_or_file: str | Path | Criteria) -> Criteria:
    """The shipped criteria set of that name, or the set of that file; a set that was loaded is given back as it is.

    Raises `CriteriaError` if there is none, or the file cannot be used.
    """
    if isinstance(name_or_file, Criteria):
        return name_or_file
    path = Path(name_or_file)
    named = str(name_or_file)
    by_name = path.suffix != SUFFIX and "/" not in named
    if by_name:
        if named not in shipped():
            sentence = unknown("criteria", named, shipped())
            raise CriteriaError(sentence.replaced(f"{sentence} For your own file, give its path."))
        path = criteria_folder() / f"{named}{SUFFIX}"
        return _shipped(path, path.stat().st_mtime_ns)
    return _read(path, named, whole=True)


@cache
def _shipped(path: Path, _: int) -> Criteria:
    """The shipped set of that file, read once for each time that the file was changed: it takes longer than a study.

    The tests check the interpretations of the shipped sets, which takes longer still.
    """
    return _read(path, path.stem, whole=False)


def _read(path: Path, named: str, *, whole: bool) -> Criteria:
    """The set of that file; `named` is what was asked for, `whole` checks its interpretations too."""
    content, positions = load_toml(path, CriteriaError, partial(_unreadable, named))
    return read_dict(content, path, path.stem, positions, whole=whole)


def _unreadable(named: str, failure: OSError) -> str:
    """The sentence for a file that cannot be opened; `named` is what was asked for."""
    if isinstance(failure, FileNotFoundError):
        close = nearest(Path(named).stem, shipped())
        return f"{named}: there is no such file; shipped criteria sets: {', '.join(shipped())}.{close}"
    if isinstance(failure, IsADirectoryError):
        return f"{named}: this is a folder; name a file in it."
    return file_unreadable(named, failure)


def loads(text: str, path: Path) -> Criteria:
    """The criteria set that `text` writes; `path` names it in errors."""
    content, positions = parse_toml(text, path.name, CriteriaError)
    return read_dict(content, path, path.stem, positions)
