"""Header: the row of a file with the names of its columns, which may stand below a title or a preamble."""

from collections.abc import Sequence

from itp_response.messages.errors import CohortError
from itp_response.readers.known_names import PATIENTS, VISITS, fitting
from itp_response.readers.problems import quoted

LOOKED_AT = 50
"""The first rows of a file, among which the header is."""
OTHERS = tuple(name for name in dict.fromkeys((*VISITS, *PATIENTS)) if name != "patient_id")


def names_columns(cells: Sequence[str]) -> bool:
    """Whether a row names the patient's column and one more that the readers know, and has no number.

    >>> names_columns(["ID", "Visit date", "PLT"]), names_columns(["Printed for", "Ward 3", ""])
    (True, False)
    """
    if any(map(_is_number, cells)):
        return False
    return bool(fitting("patient_id", cells)) and any(fitting(name, cells) for name in OTHERS)


def header_position(rows: Sequence[Sequence[str]]) -> int | None:
    """The position of the header among the first rows of a file; None: they are all empty.

    It is the first row that names columns, else the first that is not empty. One cell alone in a wider table is a
    title; then it is the first row below with more cells, none of them a number.

    >>> header_position([["Ward 3", "", ""], ["", "", ""], ["Nr", "Datum", "PLT"], ["7", "2021-01-04", "9"]])
    2
    """
    filled = [position for position, cells in enumerate(rows) if any(cells)]
    named = next((position for position in filled if names_columns(rows[position])), None)
    if not filled or named is not None:
        return named
    if len(list(filter(None, rows[filled[0]]))) > 1:
        return filled[0]
    wider = (position for position in filled if len(list(filter(None, rows[position]))) > 1)
    return next((position for position in wider if not any(map(_is_number, rows[position]))), filled[0])


def _is_number(text: str) -> bool:
    return text.replace(".", "").replace(",", "").isdecimal()


def no_such_header(told: int, rows: int, word: str, name: str) -> CohortError:
    """The error of a header that was told to be in a row which is empty, or in none of the `rows` of the file."""
    if told > rows:
        return CohortError(f"{name}: there is no {word} {told} for the header; the file has {rows} {word}s.")
    return CohortError(
        f"{name}: {word} {told} is empty, so it is not a header; give the {word} with the names of columns."
    )


def note_on_header(rows: Sequence[Sequence[str]], numbers: Sequence[int], position: int, told: bool, word: str) -> str:
    """The note on a header that is not the first row that is not empty; an empty text if it is.

    `numbers` are the numbers of the rows as messages give them.
    """
    above = [cell for cells in rows[:position] for cell in cells if cell]
    if not above:
        return ""
    how = "as told" if told else "say --header-row if it is another"
    return f"The header is {word} {numbers[position]}, below {quoted(above[0])}; {how}."
