"""Positions: the line and the table of each key of a TOML file, as errors name them.

tomllib keeps no lines. A text that it could read is read once more for the lines of its keys.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from itp_response.messages.codes import Code
from itp_response.messages.errors import CriteriaError, ItpResponseError, Problem, as_problem, one_a_line
from itp_response.messages.wording import listed

Keys = tuple[str | int, ...]
"""The keys that lead to a value, and its number in a list."""

TOKEN = re.compile(
    r"""
      \"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5}    # texts of several lines
    | "(?:\\.|[^"\\])*" | '[^']*'
    | \#[^\n]* | [\[\]{}=,.\n] | [^\s\[\]{}=,."'#]+
    """,
    re.VERBOSE | re.DOTALL,
)
NAMED_BY = {"interpretation": "id", "example": "name", "visits": "platelets"}
"""The tables of which there are several, and the key that tells them apart."""


def refuse(problems: Iterable[Problem], error: type[ItpResponseError] = CriteriaError) -> None:
    """Raises the error with all problems, in the order of the file, if there are any."""
    told = list(_each_once(sorted(problems, key=lambda problem: problem.line or 0)))
    if told:
        raise error(one_a_line([*told]), told)


def _each_once(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The problems; one for all uses of the same unknown word, as the typo may be in the one place that names it."""
    alike: dict[str, list[Problem]] = {}
    for number, problem in enumerate(problems):
        word = problem.partition("\n")[0].partition(": unknown ")[2]
        alike.setdefault(word or str(number), []).append(problem)
    for first, *others in alike.values():
        lines = [str(line) for line in dict.fromkeys(other.line for other in others) if line not in (None, first.line)]
        also = f" Also used in line{'s' if len(lines) > 1 else ''} {listed(lines)}." if lines else ""
        said, *shown = first.split("\n")
        yield first.replaced("\n".join([f"{said}{also}", *shown]))


@dataclass(frozen=True)
class KeyPositions:
    """The positions of the keys of a file; without its text, no line is known.

    Where `change` leads to the change of an interpretation, the positions are those of the file as changed.
    """

    name: str
    raw: Mapping[str, Any]
    text: str = ""
    change: Keys = ()

    def at(self, *path: str | int) -> str:
        """`file: line 12: [OR] apart: `, to begin a sentence about that value."""
        return f"{self._file(path)}{self._table(path)}"

    def holding(self, *path: str | int) -> str:
        """`file: line 12: [OR]: `, to begin a sentence that quotes the key itself."""
        return f"{self._file(path)}{self._table(path[:-1])}"

    def problem(self, path: Keys, sentence: str) -> Problem:
        """A problem with the value under that path of keys."""
        return self._placed(path, self.at(*path), sentence)

    def problem_with_key(self, path: Keys, sentence: str) -> Problem:
        """A problem with the last key of that path."""
        return self._placed(path, self.holding(*path), sentence)

    def _placed(self, path: Keys, where: str, sentence: str) -> Problem:
        problem = as_problem(sentence, code=Code.VALUE_UNUSABLE)
        keys = " ".join(str(key) for key in path) or None
        return problem.replaced(f"{where}{sentence}", file=self.name, line=self.line(path) or None, column=keys)

    def under(self, change: Keys) -> "KeyPositions":
        """The positions in the file as an interpretation changes it."""
        return replace(self, change=change)

    def line(self, path: Keys) -> int:
        """The line of the key, or of the table it is in; 0 if it is not known."""
        path, lines = (*self.change, *path), _lines_of(self.text)
        return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 0)

    def _file(self, path: Keys) -> str:
        line = self.line(path)
        return f"{self.name}: line {line}: " if line else f"{self.name}: "

    def _table(self, path: Keys) -> str:
        before = f"{self._entry(self.change[:2])}: under this interpretation: " if self.change else ""
        match path:
            case ():
                return before
            case (str(several), int(), *keys) if several in NAMED_BY:
                table = self._entry(path[:2])
            case (str(table), int()) if not isinstance(self.raw[table][path[1]], dict):
                keys = []
            case (str(table), *keys) if keys or isinstance(self.raw.get(table), dict):
                table = f"[{table}]"
            case (table, *keys):
                pass
        below = " ".join(key for key in keys if isinstance(key, str))
        return f"{before}{table}{f' {below}' if below else ''}: "

    def _entry(self, path: Keys) -> str:
        table, number = path
        assert isinstance(table, str)
        assert isinstance(number, int)
        entry = self.raw[table][number]
        name = entry.get(NAMED_BY[table]) if isinstance(entry, dict) else None
        return f"[[{table}]] {name if isinstance(name, str) else f'number {number + 1}'}"


@lru_cache(maxsize=8)
def _lines_of(text: str) -> Mapping[Keys, int]:
    """The line of each key of a file; lines are needed by errors alone, so they are looked for when one is asked."""
    return _Lines(text).line_of


class _Lines:
    """The line of every key of a text that is TOML, as `line_of`."""

    def __init__(self, text: str) -> None:
        self.line_of: dict[Keys, int] = {}
        self._lists: dict[Keys, int] = {}
        self._line = 1
        self._tokens = [match[0] for match in TOKEN.finditer(text) if not match[0].startswith("#")]
        self._next = 0
        table: Keys = ()
        while self._skipped_to_token():
            if self._skipped("["):
                table = self._headed(several=self._skipped("["))
            else:
                self._assignment(table)

    @property
    def _token(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _skipped_to_token(self) -> str:
        while self._token == "\n":
            self._advance()
        return self._token

    def _skipped(self, token: str) -> bool:
        return self._token == token and bool(self._advance())

    def _advance(self) -> str:
        token = self._token
        self._line += token.count("\n")
        self._next += 1
        return token

    def _headed(self, *, several: bool) -> Keys:
        path: Keys = ()
        for key in self._keys("]"):
            path = (*path, key)
            if several and self._token == "]":
                self._lists[path] = self._lists.get(path, -1) + 1
            if path in self._lists:
                self.line_of.setdefault(path, self._line)
                path = (*path, self._lists[path])
            self.line_of.setdefault(path, self._line)
        self._advance()
        if several:
            self._advance()
        return path

    def _keys(self, end: str) -> "list[str]":
        keys = []
        while self._token not in (end, ""):
            token = self._advance()
            if token != ".":
                keys.append(token.strip("\"'"))
        return keys

    def _assignment(self, path: Keys) -> None:
        for key in self._keys("="):
            path = (*path, key)
            self.line_of.setdefault(path, self._line)
        self._advance()
        self._value(path)

    def _value(self, path: Keys) -> None:
        if self._skipped("{"):
            while self._skipped_to_token() not in ("}", ""):
                self._assignment(path)
                self._skipped_to_token()
                self._skipped(",")
        elif self._skipped("["):
            number = 0
            while self._skipped_to_token() not in ("]", ""):
                self.line_of[*path, number] = self._line
                self._value((*path, number))
                self._skipped_to_token()
                self._skipped(",")
                number += 1
        else:
            while self._token not in (",", "}", "]", "\n", ""):
                self._advance()
            return
        self._advance()
