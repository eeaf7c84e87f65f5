"""The files and names that commands take: what is completed, `-` for standard input, and what may be replaced."""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click
from click.shell_completion import CompletionItem

from itp_response.classification.output_files import (
    is_same,
    is_stream,
    refuse_inputs,
    temporary_errors,
    temporary_folder,
    visible_files,
)
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

    def __init__(self, *, may_be_csv: bool) -> None:
        super().__init__()
        self.may_be_csv = may_be_csv


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
    if sys.stdin is None:
        raise UsageError("'-' stands for standard input, which is closed; name a file.")
    # Of the context of the program, which is closed where the words of a command cannot be used.
    folder = ctx.find_root().with_resource(temporary_folder()) / "standard input"
    folder.mkdir()
    path = folder / "stdin"
    with temporary_errors(folder), path.open("wb") as file:
        _copy_standard_input(file)
    with path.open("rb") as file:
        named = path.with_name(f"stdin{suffix or _suffix_of(file)}")
    path.rename(named)
    return str(named)


def _copy_standard_input(file: BinaryIO) -> None:
    while True:
        try:
            read = sys.stdin.buffer.read(1 << 20)
        except OSError as error:  # a folder, say
            raise UsageError(f"standard input: cannot be read: {error.strerror}.") from None
        if not read:
            return
        file.write(read)


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
    """Raises `UsageError` for an output that is an input, named twice, or there already and not to be replaced."""
    params = list(params)
    named: list[tuple[Path, str]] = []
    inputs = list(_inputs(ctx, params))
    for option, path in outputs(ctx, params).items():
        if is_stream(path):
            continue
        places = _places(path)
        for place in places:
            refuse_inputs(place, inputs)
        for other, other_option in named:
            if any(is_same(place, other) for place in places):
                raise UsageError(f"{other_option} and {option}: both name {path}; name two files.")
        if not force and (there := _there(path)):
            what = "this folder is not empty" if there.is_dir() else "there is such a file already"
            raise UsageError(f"{there}: {what}; name another, or replace it with --force.")
        named += [(place, option) for place in places]


def _places(path: Path) -> tuple[Path, ...]:
    """What an output is: the file and the provenance beside it, or the folder."""
    return (path,) if path.is_dir() or not path.name else (path, path.with_name(f"{path.name}{BESIDE}"))


def _there(path: Path) -> Path | None:
    """What an output would replace: the file, a folder that is not empty, or the provenance beside it."""
    if path.is_dir():
        return path if visible_files(path) else None
    return next((place for place in _places(path) if place.exists()), None)


def _inputs(ctx: click.Context, params: Iterable[click.Parameter]) -> Iterator[Path]:
    """The files and folders that are read; an argument may name one, or be typed, as a plan of visits."""
    for param in params:
        value = ctx.params.get(str(param.name))
        is_argument = isinstance(param, click.Argument) and not isinstance(param.type, OutputFile)
        if (isinstance(param.type, InputFile) or is_argument) and value is not None:
            for path in map(Path, value if isinstance(value, tuple) else (value,)):
                yield from _with_content(path)


def _with_content(path: Path) -> Iterator[Path]:
    """A path; of a folder also what is read in it."""
    if not os.path.isdir(path):  # noqa: PTH112 - a typed timeline is no path
        yield path
        return
    from itp_response.classification.provenance import sources

    yield from sources(path)
