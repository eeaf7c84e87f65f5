"""Errors: their classes, and the order of a message: where; what is wrong, quoted; what is known; the cure."""

from collections.abc import Iterable
from difflib import get_close_matches


class ItpResponseError(Exception):
    """An error in what the user gave; its message is shown as it stands, without a traceback.

    Every error that the package raises on purpose is one:

    >>> import itp_response
    >>> try:
    ...     itp_response.criteria("atra_2021")
    ... except itp_response.ItpResponseError as error:
    ...     print(type(error).__name__, str(error).partition(";")[0])
    CriteriaError unknown criteria 'atra_2021'
    """


class CriteriaError(ItpResponseError):
    """A criteria file, or the name of a criteria set, cannot be used."""


class CohortError(ItpResponseError):
    """Visits or patients cannot be used; the message names files, rows and columns."""


class UsageError(ItpResponseError):
    """A call asks for something that does not exist, or for options that do not go together."""


def nearest(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` with the known word nearest to `word`; nothing where none is near.

    >>> nearest("platelet", ["platelets", "rescue"]), nearest("zz", ["platelets"])
    (" Did you mean 'platelets'?", '')
    """
    match = nearest_word(word, known)
    return f" Did you mean {match!r}?" if match is not None else ""


def nearest_word(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to `word`; None where none is near."""
    by_lower_case = {name.lower(): name for name in known}
    matches = get_close_matches(word.lower(), by_lower_case, n=1, cutoff=0.6)
    return by_lower_case[matches[0]] if matches else None


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """The sentence for a word that is not one of the known ones.

    >>> unknown("endpoint", "ORR", ["OR", "CR"])
    "unknown endpoint 'ORR'; known: OR, CR. Did you mean 'OR'?"
    """
    known = list(known)
    return f"unknown {what} {word!r}; known: {', '.join(known) or 'none'}.{nearest(word, known)}"


def one_a_line(problems: list[str], most: int = 20) -> str:
    """The first `most` problems, one a line, and the number of the others."""
    shown = problems[:most]
    if len(problems) > most:
        shown.append(f"… and {len(problems) - most} more")
    return "\n".join(shown)
