"""The files and names that commands take: what is completed, `-` for standard input, and what may be replaced."""

import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click
from click.shell_completion import CompletionItem

from itp_response.messages.errors import UsageError

STANDARD_INPUT = "-"
TAKEN = "itp_response.standard_input"
"""The key in a context of click that says that standard input has been read."""
BEGINNINGS = {
    b"PK\x03\x04": ".xlsx",
    b"PAR1": ".parquet",
    b"ARROW1": ".arrow",
    b"\x1f\x8b": ".csv.gz",
    b"\x28\xb5\x2f\xfd": ".csv.zst",
    b"<?xml": ".xml",
    b"{": ".json",
    b"[": ".json",
}
"""How the files of a format begin; a table on standard input that begins otherwise is CSV."""
BESIDE = ".provenance.json"
"""As `provenance.BESIDE`, which would load polars before any help is shown."""


class InputFile(click.Path):
    """A file or a folder that is read; `-` is standard input."""

    def __init__(self, suffix: str | None = None) -> None:
        """A file on standard input has this suffix; None: it is a table, of a format that its beginning shows."""
        super().__init__()
        self.name = "file"
        self._suffix = suffix

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; that of a file with what standard input holds for `-`."""
        if value == STANDARD_INPUT and ctx is not None:
            return from_standard_input(ctx, self._suffix)
        return super().convert(value, param, ctx)


class OutputFile(click.Path):
    """A file or a folder that is written: replaced only with `--force`, and named when it is written."""


class CriteriaName(InputFile):
    """A shipped set of criteria, or a criteria file."""

    def __init__(self) -> None:
        super().__init__(".toml")

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The names of the shipped sets, and files."""
        from itp_response.definitions.load import shipped

        names = [CompletionItem(name) for name in shipped() if name.startswith(incomplete)]
        return names or super().shell_complete(ctx, param, incomplete)


class EndpointName(click.ParamType):  # type: ignore[type-arg]  # it took none before click 8.4
    """An endpoint of the criteria of the command."""

    name = "x"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """The endpoints of the set that `--criteria` names so far; none where it cannot be read."""
        from itp_response.definitions.load import load
        from itp_response.messages.errors import ItpResponseError

        named: Any = ctx.params.get("criteria")
        try:
            endpoints = load(named[0] if isinstance(named, tuple) else named).endpoints
        except ItpResponseError:
            return []
        labels = {name: model.label for name, model in endpoints.items() if name.startswith(incomplete)}
        return [CompletionItem(name, help=label) for name, label in labels.items()]


def from_standard_input(ctx: click.Context, suffix: str | None) -> str:
    """The path of a file that holds what standard input gives, for as long as the command runs.

    Raises `UsageError` where it was asked for before.
    """
    if ctx.meta.get(TAKEN):
        raise UsageError("'-' stands for standard input, which can be read once; name a file for the other.")
    ctx.meta[TAKEN] = True
    # Of the context of the program, which is closed where the words of a command cannot be used.
    folder = Path(ctx.find_root().with_resource(tempfile.TemporaryDirectory(prefix="itp-response-")), "standard input")
    folder.mkdir()
    path = folder / "stdin"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    with path.open("rb") as file:
        named = path.with_name(f"stdin{suffix or _suffix_of(file)}")
    path.rename(named)
    return str(named)


def _suffix_of(file: BinaryIO) -> str:
    beginning = file.read(16).removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((suffix for start, suffix in BEGINNINGS.items() if beginning.startswith(start)), ".csv")


def outputs(ctx: click.Context, params: Iterable[click.Parameter]) -> dict[str, Path]:
    """The outputs that were named, by the option that names each."""
    return {
        max(param.opts, key=len): Path(value)
        for param in params
        if isinstance(param.type, OutputFile) and (value := ctx.params.get(str(param.name))) is not None
    }


def check_outputs(ctx: click.Context, params: Iterable[click.Parameter], *, force: bool) -> None:
    """Raises `UsageError` for an output that is there already, unless it may be replaced, and for one named twice."""
    params = list(params)
    named: dict[Path, str] = {}
    inputs = {path.resolve() for path in _inputs(ctx, params)}
    for option, path in outputs(ctx, params).items():
        place = path.resolve()
        if place in named:
            raise UsageError(f"{named[place]} and {option}: both name {path}; name two files.")
        if place in inputs:
            raise UsageError(f"{path}: this file is read and cannot be the output as well; name another file.")
        if not force and (there := _there(path)):
            what = "this folder is not empty" if there.is_dir() else "there is such a file already"
            raise UsageError(f"{there}: {what}; name another, or replace it with --force.")
        named[place] = option


def _there(path: Path) -> Path | None:
    """What an output would replace: the file, a folder that is not empty, or the provenance beside it."""
    if path.is_dir():
        return path if any(path.iterdir()) else None
    return next((one for one in (path, path.with_name(f"{path.name}{BESIDE}")) if one.exists()), None)


def _inputs(ctx: click.Context, params: Iterable[click.Parameter]) -> Iterator[Path]:
    """The files and folders that are read."""
    for param in params:
        value = ctx.params.get(str(param.name))
        if isinstance(param.type, InputFile) and value is not None:
            yield from map(Path, value if isinstance(value, tuple) else (value,))
