"""What can go wrong, and how it is worded: where; what, quoted; what is known; the cure."""

from collections.abc import Iterable
from difflib import get_close_matches


class ItpResponseError(Exception):
    """An error to be shown to the user as it stands, without a traceback."""


class CriteriaError(ItpResponseError):
    """A criteria file, or the name of one, cannot be used."""


class CohortError(ItpResponseError):
    """Observations or patients cannot be used."""


class UsageError(ItpResponseError):
    """A call asks for something that does not exist."""


def nearest(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` with the known word nearest to `word`, or nothing."""
    known = list(known)
    folded = {name.lower(): name for name in known}
    matches = get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return f" Did you mean {folded[matches[0]]!r}?" if matches else ""


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """The sentence for a word that is not one of the known ones."""
    known = list(known)
    return f"unknown {what} {word!r}; known: {', '.join(known) or 'none'}.{nearest(word, known)}"


def one_a_line(problems: list[str], most: int = 20) -> str:
    """All problems, one a line: the first `most` and how many more there are."""
    shown = problems[:most]
    if len(problems) > most:
        shown.append(f"… and {len(problems) - most} more")
    return "\n".join(shown)
