"""Mutate: change a criteria file a little, one place at a time, and see which worked example notices.

What no worked example notices could have been written wrongly without anybody knowing.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itp_response.authoring.check import failures
from itp_response.definitions.checks import PATIENT_NAMES, ROW_NAMES
from itp_response.definitions.criteria import Criteria, read_dict
from itp_response.definitions.load import load
from itp_response.definitions.schema import HEAD
from itp_response.evaluation.rules.tree import SINCE
from itp_response.messages.errors import CriteriaError, UsageError, one_a_line

TOKEN = re.compile(r"\d+(?:\.\d+)?|[A-Za-z_]\w*|<=|>=|==|!=|[<>+\-*/()]")
COMPARISONS = {"<": ("<=", ">"), "<=": ("<", ">="), ">": (">=", "<"), ">=": (">", "<="), "==": ("!=",), "!=": ("==",)}
OTHERS = {"and": ("or",), "or": ("and",), "+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",)}
RULES = ("when", "unless", "discount", "set_aside", "closed_by")
WORDS = ("label", "says", "where", "kind", "role")
CHOICES = {
    "between": ("anything", "unbroken"),
    "dated_by": ("first", "confirming"),
    "unknown_counts": ("may_meet", "do_not_meet"),
    "discounted_counts": ("may_meet", "do_not_meet"),
    "counted_from": ("day", "confirming"),
    "censored": ("last_count", None),
    "pick": ("last", "lowest", "mean"),
    "which": ("nearest", "first", "last"),
    "missing": ("fails", "unknown", "left_out"),
    "discounted": ("fails", "unknown", "left_out"),
    "too_few": ("N", "NE"),
    "measure": ("total", "longest"),
}
FOLLOWED = ("achieved", "lost")
"""The kinds that ask whether a patient was followed to the end."""
REFERENCES = ("from", "until", "after", "to")
REMOVABLE = ("by", "evidence_by", "max_gap", "until", "from", "days", "followed_from", "in_any", "of_at_least")


@dataclass(frozen=True)
class Mutation:
    """One place of a criteria file written otherwise."""

    path: tuple[str, ...]
    before: Any
    after: Any

    def __str__(self) -> str:
        before, after = ("left out" if value is None else repr(value) for value in (self.before, self.after))
        return f"[{self.path[0]}] {' '.join(self.path[1:])}: {before} -> {after}"

    def made(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The file's content with the change."""
        return _with(raw, self.path, self.after)


def _with(raw: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    made = dict(raw)
    if len(path) > 1:
        made[path[0]] = _with(raw[path[0]], path[1:], value)
    elif value is None:
        made.pop(path[0], None)
    else:
        made[path[0]] = value
    return made


@dataclass(frozen=True)
class Mutations:
    """What became of the changes: those a worked example noticed, and those none did."""

    criteria: Criteria
    noticed: tuple[Mutation, ...]
    unnoticed: tuple[Mutation, ...]

    @property
    def ok(self) -> bool:
        return not self.unnoticed

    def __str__(self) -> str:
        tried = len(self.noticed) + len(self.unnoticed)
        share = 100 * len(self.noticed) / tried if tried else 100.0
        noticed = f"the worked examples notice {len(self.noticed)}, {share:.1f} %"
        head = f"{self.criteria.marked_name}: of {tried} small changes {noticed}"
        return "\n".join([head, *(f"  not noticed: {change}" for change in self.unnoticed)])


def mutate(file: str | Path | Criteria) -> Mutations:
    """Make every small change of a criteria file that still is one, and see whether a worked example notices."""
    criteria = file if isinstance(file, Criteria) else load(file)
    wrong = list(failures(criteria))
    if wrong:
        raise UsageError(f"{criteria.path.name}: the worked examples do not come out as it is: {one_a_line(wrong)}")
    noticed: list[Mutation] = []
    unnoticed: list[Mutation] = []
    for change in changes(criteria.raw):
        found = _noticed(criteria, change)
        if found is not None:
            (noticed if found else unnoticed).append(change)
    return Mutations(criteria, tuple(noticed), tuple(unnoticed))


def _noticed(criteria: Criteria, change: Mutation) -> bool | None:
    """Whether a worked example comes out otherwise; None if the change makes no criteria file."""
    content = {**change.made(criteria.raw), "interpretation": [], "example": _without_interpretations(criteria.raw)}
    try:
        changed = read_dict(content, criteria.path, criteria.name)
    except CriteriaError:
        return None
    try:
        return next(failures(changed), None) is not None
    except UsageError:
        return True  # a column that a worked example expects is gone


def _without_interpretations(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{key: value for key, value in case.items() if key != "under"} for case in raw.get("example", [])]


def changes(raw: Mapping[str, Any]) -> Iterator[Mutation]:
    """Every small change of a criteria file's content: numbers, comparisons, connectives, options, names."""
    names = [*ROW_NAMES, *raw.get("columns", {}), *_rescue_names(raw), *raw.get("terms", {})]
    for name, text in raw.get("terms", {}).items():
        yield from _of_rule(("terms", name), text, names)
    for name, treatments in raw.get("rescues", {}).items():
        for place in range(len(treatments)):
            yield Mutation(("rescues", name), treatments, treatments[:place] + treatments[place + 1 :])
    criteria = {name: table for name, table in raw.items() if name not in HEAD}
    if any(table["kind"] in FOLLOWED and "followed_from" not in table for table in criteria.values()):
        clock = raw["clock"]
        for nudged in _nudged(clock["followed_from"]):
            yield Mutation(("clock", "followed_from"), clock["followed_from"], nudged)
    if "baseline" in TOKEN.findall(" ".join(_rules(raw, criteria))):
        yield from _of_table(("baseline",), raw["baseline"], raw)
    for name, table in criteria.items():
        rule_names = list(criteria) if table["kind"] == "combined" else names
        for key in RULES:
            if key in table:
                yield from _of_rule((name, key), table[key], PATIENT_NAMES if key == "unless" else rule_names)
                if key != "when":
                    yield Mutation((name, key), table[key], None)
        options = {key: value for key, value in table.items() if key not in (*RULES, *WORDS)}
        yield from _of_table((name,), options, criteria)


def _rules(raw: Mapping[str, Any], criteria: Mapping[str, Any]) -> Iterator[str]:
    yield from raw.get("terms", {}).values()
    for table in criteria.values():
        yield from (table[key] for key in RULES if key in table)


def _rescue_names(raw: Mapping[str, Any]) -> Iterator[str]:
    for name in raw.get("rescues", {}):
        yield from (name, f"{SINCE}{name}")


def _of_rule(path: tuple[str, ...], text: str, names: Iterable[str]) -> Iterator[Mutation]:
    for token in TOKEN.finditer(text):
        word = token[0]
        after = text[token.end() :]
        if word[0].isdigit():
            others: tuple[str, ...] = tuple(f"{value:g}" for value in _nudged(float(word)))
        elif word == "not":
            others, after = ("",), after.lstrip()
        elif word in COMPARISONS or word in OTHERS:
            others = COMPARISONS.get(word, ()) + OTHERS.get(word, ())
        else:
            others = tuple(name for name in names if name != word)
        for other in others:
            yield Mutation(path, text, f"{text[: token.start()]}{other}{after}".strip())


def _of_table(path: tuple[str, ...], table: Mapping[str, Any], criteria: Mapping[str, Any]) -> Iterator[Mutation]:
    for key, value in table.items():
        for other in _others(key, value, [name for name in criteria if name != path[0]]):
            yield Mutation((*path, key), value, other)
        if key in REMOVABLE:
            yield Mutation((*path, key), value, None)


def _others(key: str, value: Any, names: list[str]) -> Iterator[Any]:
    """What could stand under a key instead."""
    if key in CHOICES:
        yield from (other for other in CHOICES[key] if other != value)
    elif key in REFERENCES and isinstance(value, str):
        yield from (name for name in names if name != value)
    elif key == "visits":
        # A plan of visits is moved as a whole and cut at its ends; of each single visit nothing new would be learnt.
        yield from ([day + by for day in value] for by in (-1, 1))
        yield from (value[1:], value[:-1])
    elif key in ("share", "more_than"):
        above, below = (int(part) for part in value.split("/"))
        yield from (f"{above - 1}/{below}", f"{above + 1}/{below}")
        yield from (f"{above}/{below - 1}", f"{above}/{below + 1}")
    elif key == "of":
        yield from (value[:place] + value[place + 1 :] for place in range(len(value)))
        yield value[::-1]
    elif isinstance(value, str) and re.fullmatch(r"\d+ \w+", value):
        number, unit = value.split()
        yield from (f"{nudged:g} {unit}" for nudged in _nudged(float(number)))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from ([*value[:place], nudged, *value[place + 1 :]] for nudged in _nudged(one))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _nudged(value)


def _nudged(value: float) -> tuple[float, ...]:
    return (value - 1, value + 1) if math.isfinite(value) else ()
