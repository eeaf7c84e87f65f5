"""Loading: how a criteria file is found and read."""

import tomllib
from pathlib import Path

from itp_response.definitions.criteria import Criteria, read_dict
from itp_response.messages.errors import CriteriaError, nearest, unknown
from itp_response.messages.schema_errors import not_toml

SUFFIX = ".toml"


def criteria_folder() -> Path:
    """Where the shipped criteria files are: in the package, or in a checkout beside it."""
    packed = Path(__file__).parent / "criteria_files"
    return packed if packed.is_dir() else Path(__file__).parents[2] / "criteria"


def shipped() -> list[str]:
    """The names of the shipped criteria files."""
    return sorted(path.stem for path in criteria_folder().glob(f"*{SUFFIX}"))


def load(name_or_file: str | Path) -> Criteria:
    """The criteria of that name among those shipped, or of that file.

    Raises `CriteriaError` if there is none, or it cannot be used.
    """
    path = Path(name_or_file)
    named = str(name_or_file)
    if path.suffix != SUFFIX and "/" not in named:
        if named not in shipped():
            raise CriteriaError(f"{unknown('criteria', named, shipped())} A file of your own is named by its path.")
        path = criteria_folder() / f"{named}{SUFFIX}"
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        close = nearest(path.stem, shipped())
        raise CriteriaError(f"{named}: there is no such file; shipped are: {', '.join(shipped())}.{close}") from None
    except IsADirectoryError:
        raise CriteriaError(f"{named}: this is a folder; name a file in it.") from None
    except OSError as error:
        raise CriteriaError(f"{named}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CriteriaError(f"{path.name}: line {line}: this is not UTF-8; save the file as UTF-8.") from None
    return loads(text, path)


def loads(text: str, path: Path) -> Criteria:
    """The criteria that `text` writes; `path` names it in errors."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CriteriaError(not_toml(path.name, text, str(error))) from None
    return read_dict(raw, path, path.stem, text)
