"""Errors: their classes, and the order of a message: where; what is wrong, quoted; what is known; the cure.

An error is data too: its `problems` know their code, place and value.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import accumulate
from typing import Any, ClassVar

from itp_response.messages.codes import MEANINGS, Code

MOST_COMPARED = 2_000
"""With more known words than this, a word is not compared with each of them: that takes time for every mistake."""
ROOM = 800
"""The characters that a list of names may take in a message."""
LONGEST_NAME = 100
"""The characters of a name in such a list."""
LONGEST_LINE = 990
"""The characters of a line of a message, which is 1,000 with the word before it; a longer one loses its middle."""
PLACE = ("file", "line", "column", "position")
"""The parts of a problem that say where it is."""


class Problem(str):
    """The sentence on one problem, which knows its parts; those that are not known are None.

    >>> problem = Problem("visits.csv: line 3: platelets: '4o' is no number.", line=3, column="platelets", value="4o")
    >>> problem.line, problem.value, problem.file
    (3, '4o', None)
    """

    code: Code | None
    """None: as the error that has it."""
    file: str | None
    """The file or the table, as messages name it."""
    line: int | None
    """The line of a text file, or the row of another table, from 1."""
    column: str | None
    """The column as the header has it; in a criteria file the table and the key."""
    position: int | None
    """The character in the line, or in a typed timeline, at which it begins, from 1."""
    value: str | None
    """What stands there."""

    def __new__(
        cls,
        text: str,
        *,
        code: Code | None = None,
        file: str | None = None,
        line: int | None = None,
        column: str | None = None,
        position: int | None = None,
        value: str | None = None,
    ) -> "Problem":
        problem = super().__new__(cls, text)
        problem.code, problem.value = code, value
        problem.file, problem.line, problem.column, problem.position = file, line, column, position
        return problem

    def replaced(self, text: str | None = None, **parts: Any) -> "Problem":
        """The problem with other parts; one that is None stays as it is."""
        given = {name: part for name, part in parts.items() if part is not None}
        return Problem(str(self) if text is None else text, **{**vars(self), **given})

    def after(self, where: str) -> "Problem":
        """The problem with a text before its sentence."""
        return self.replaced(f"{where}{self}")

    def as_dict(self) -> dict[str, Any]:
        """The parts as plain data: `code`, `message`, `place` (its known parts), `value` and `cure`."""
        assert self.code is not None
        place = {part: getattr(self, part) for part in PLACE if getattr(self, part) is not None}
        cure = MEANINGS[self.code].cure
        return {"code": str(self.code), "message": str(self), "place": place, "value": self.value, "cure": cure}


def as_problem(text: str, **parts: Any) -> Problem:
    """The sentence as a problem, with these parts where it has none of its own."""
    if not isinstance(text, Problem):
        return Problem(text, **parts)
    return text.replaced(**{name: part for name, part in parts.items() if getattr(text, name) is None})


class ItpResponseError(Exception):
    """An error in what the user gave; its message is shown as it stands, without a traceback.

    `problems` are all that is wrong; `code`, `file`, `line`, `column`, `position` and `value` are those of the first,
    None where they are not known, and `cure` is what to do about its code. `as_dict()` has all of it as plain data.

    Every error that the package raises on purpose is one:

    >>> import itp_response
    >>> try:
    ...     itp_response.criteria("atra_2021")
    ... except itp_response.ItpResponseError as error:
    ...     print(type(error).__name__, str(error).partition(";")[0])
    ...     print(error.code, error.value, error.cure, sep="; ")
    CriteriaError unknown criteria 'atra_2021'
    name_unknown; atra_2021; Use one of the names that the message lists.
    """

    of_no_other: ClassVar[Code] = Code.CALL_UNUSABLE
    """The code of a problem without one of its own."""

    def __init__(self, message: str, problems: Iterable[str] = ()) -> None:
        super().__init__(readable(str(message)))
        self.problems = tuple(
            as_problem(problem, code=self.of_no_other).replaced(readable(problem)) for problem in problems or [message]
        )

    @property
    def code(self) -> Code:
        return self.problems[0].code or self.of_no_other

    @property
    def file(self) -> str | None:
        return self.problems[0].file

    @property
    def line(self) -> int | None:
        return self.problems[0].line

    @property
    def column(self) -> str | None:
        return self.problems[0].column

    @property
    def position(self) -> int | None:
        return self.problems[0].position

    @property
    def value(self) -> str | None:
        return self.problems[0].value

    @property
    def cure(self) -> str:
        return MEANINGS[self.code].cure

    def as_dict(self) -> dict[str, Any]:
        """The error as plain data, ready for JSON.

        `error` (the name of its class), `message` (all of it), then `code`, `place`, `value` and `cure` of the first
        problem, and `problems`, each with its own.

        >>> UsageError(unknown("endpoint", "ORR", ["OR", "CR"])).as_dict()["code"]
        'name_unknown'
        """
        first = self.problems[0].as_dict()
        problems = [problem.as_dict() for problem in self.problems]
        return {"error": type(self).__name__, **first, "message": str(self), "problems": problems}


class CriteriaError(ItpResponseError):
    """A criteria file, or the name of a criteria set, cannot be used."""

    of_no_other = Code.CRITERIA_UNUSABLE


class CohortError(ItpResponseError):
    """Visits or patients cannot be used; the message names files, rows and columns."""

    of_no_other = Code.STUDY_UNUSABLE


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
    if len(by_lower_case) > MOST_COMPARED:
        return by_lower_case.get(word.lower())
    matches = get_close_matches(word.lower(), by_lower_case, n=1, cutoff=0.6)
    return by_lower_case[matches[0]] if matches else None


def unknown(what: str, word: str, known: Iterable[str]) -> Problem:
    """The sentence for a word that is not one of the known ones.

    >>> unknown("endpoint", "ORR", ["OR", "CR"])
    "unknown endpoint 'ORR'; known: OR, CR. Did you mean 'OR'?"
    """
    known = list(known)
    sentence = f"unknown {what} {word!r}; known: {some_of(known) or 'none'}.{nearest(word, known)}"
    return Problem(sentence, code=Code.NAME_UNKNOWN, value=word)


def some_of(names: Iterable[str], room: int = ROOM) -> str:
    """The names with commas, as many of them as a message has room for, and the number of the others.

    >>> some_of(["day", "platelets", "rescue"]), some_of(["day", "platelets", "rescue"], room=20)
    ('day, platelets, rescue', 'day, platelets, … and 1 more')
    """
    names = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in names]
    ends = accumulate(len(name) + len(", ") for name in names)
    fitting = sum(end <= room for end in ends)
    more = [f"… and {len(names) - fitting:,} more"] if fitting < len(names) else []
    return ", ".join([*names[:fitting], *more])


def readable(text: str) -> str:
    """The text, each line as long as somebody can read it; what was asked for may stand in it whole."""
    return "\n".join(map(_without_middle, text.split("\n"))) if len(text) > LONGEST_LINE else text


def _without_middle(line: str) -> str:
    """The begin and the end of a very long line, with the number of the other characters."""
    if len(line) <= LONGEST_LINE:
        return line
    begin, end = line[: LONGEST_LINE // 2], line[-(LONGEST_LINE // 4) :]
    return f"{begin} … ({len(line) - len(begin) - len(end):,} characters left out) … {end}"


def one_a_line(problems: list[str], most: int = 20) -> str:
    """The first `most` problems, one a line, and the number of the others."""
    shown = problems[:most]
    if len(problems) > most:
        shown.append(f"… and {len(problems) - most} more")
    return "\n".join(shown)
