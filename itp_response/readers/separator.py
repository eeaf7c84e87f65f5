"""Separator: what stands between the cells of a text file, as its first lines say or show."""

import csv
import io
import re
from collections.abc import Iterable

from itp_response.messages.errors import CohortError
from itp_response.messages.wording import listed
from itp_response.readers.header import LOOKED_AT, names_columns
from itp_response.readers.problems import quoted

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
TOLD = re.compile(rb'"?sep=(.)"?[,;\t]*\r?\n', re.IGNORECASE)
"""The first line by which Excel is told the separator of a file."""


def split(line: bytes, separator: str) -> list[str]:
    """The cells of a line; where a line cannot be taken apart as CSV, what stands between its separators."""
    text = line.decode(errors="replace")
    try:
        cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    except csv.Error:
        cells = text.split(separator)
    return [cell.strip() for cell in cells]


def told_separator(head: bytes, name: str) -> str | None:
    """The separator that the first line of a file tells, such as `sep=;`; None: it tells none.

    Raises `CohortError` for one that is not read.
    """
    told = TOLD.match(head)
    if told is None:
        return None
    separator = told[1].decode(errors="replace")
    if separator not in SEPARATORS:
        line = quoted(told[0].decode(errors="replace").strip())
        known = listed([*SEPARATORS.values()], "or")
        raise CohortError(f"{name}: line 1: {line} names a separator that is not read; separate cells by {known}.")
    return separator


def likely_separator(head: bytes, candidates: Iterable[str]) -> str:
    """The first of the candidates that makes a line name columns, else the first that the first line has.

    If that has none either, as a title has none, it is the first that is equally often in several lines.
    """
    candidates = list(dict.fromkeys(candidates))
    lines = [line for line in head.split(b"\n")[: 2 * LOOKED_AT] if line.strip()][:LOOKED_AT]
    if not lines:
        return candidates[0]
    in_first = [separator for separator in candidates if separator.encode() in lines[0]]
    in_several = [separator for separator in candidates if _in_several(lines, separator)]
    naming = (
        separator
        for line in lines
        for separator in candidates
        if separator.encode() in line and names_columns(split(line, separator))
    )
    return next(naming, None) or [*in_first, *in_several, *candidates][0]


def _in_several(lines: list[bytes], separator: str) -> bool:
    numbers = [number for number in (line.count(separator.encode()) for line in lines) if number]
    return len(numbers) > len(set(numbers))
