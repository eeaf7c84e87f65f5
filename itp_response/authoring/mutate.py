"""Mutate: change a criteria file a little, one place at a time, and see whether a worked example notices.

A place that can be changed without any worked example noticing could be wrong without anybody knowing.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from itp_response.authoring.check import as_expected, unmet, worked_examples
from itp_response.classification.classification import classify
from itp_response.cohort.cohort import Cohort
from itp_response.definitions.checks import PATIENT_NAMES, ROW_NAMES
from itp_response.definitions.criteria import Criteria, read_dict
from itp_response.definitions.load import load
from itp_response.definitions.schema import HEAD, WorkedExample
from itp_response.evaluation.censored_counts import has_censored
from itp_response.evaluation.clock import PatientDay
from itp_response.evaluation.endpoints import KINDS, Endpoint
from itp_response.evaluation.endpoints.endpoint import Scope
from itp_response.evaluation.rules.tree import FUNCTIONS, SINCE
from itp_response.explanation.counterfactuals.limits import KEYS_OF_DAYS
from itp_response.messages.errors import CohortError, CriteriaError
from itp_response.messages.results import DataResult, html_frame
from itp_response.messages.wording import listed

LAST_DAYS = re.compile(r"""\s*,\s*(["'])\d+ \w+\1(?=\s*\))""")
"""The length of a function, with the comma before it."""
TOKEN = re.compile(r"\d+(?:\.\d+)?|[A-Za-z_]\w*|<=|>=|==|!=|[<>+\-*/()]")
LENGTH = re.compile(r"\d+ \w+")
COMPARISONS = {"<": ("<=", ">"), "<=": ("<", ">="), ">": (">=", "<"), ">=": (">", "<="), "==": ("!=",), "!=": ("==",)}
OTHERS = {"and": ("or",), "or": ("and",), "+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",)}
WORDS = ("label", "says", "where", "kind", "role")
CHOICES = {
    "between": ("anything", "unbroken"),
    "dated_by": ("first", "confirming"),
    "unknown_counts": ("may_meet", "do_not_meet"),
    "discounted_counts": ("may_meet", "do_not_meet"),
    "counted_from": ("day", "confirming"),
    "pick": ("last", "lowest", "mean"),
    "which": ("nearest", "first", "last"),
    "missing": ("fails", "unknown", "left_out"),
    "discounted": ("fails", "unknown", "left_out"),
    "too_few": ("N", "NE"),
    "measure": ("total", "longest"),
    "bleeding": ("unknown", "bleeding", "none"),
    "without_counts": ("N", "NE"),
    "unknown": ("passed_over", "leaves_it_open"),
}
REFERENCES = ("from", "until", "after", "to")
MOMENTS = ("last_count", "treatment_discontinued")
"""What a time can be censored at in every set."""
REMOVABLE = (
    *("by", "evidence_by", "max_gap", "apart_at_most", "until", "from", "days"),
    *("followed_from", "in_any", "of_at_least", "missing_after", "censored", "competing"),
)


@dataclass(frozen=True)
class Mutation:
    """One small change of a criteria file."""

    path: tuple[str, ...]
    """The keys that lead to the value."""
    before: Any
    after: Any
    """The changed value; None where the key is left out."""

    def __str__(self) -> str:
        before, after = ("left out" if value is None else repr(value) for value in (self.before, self.after))
        return f"[{self.path[0]}] {' '.join(self.path[1:])}: {before} -> {after}"

    def applied(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The file's content with the change."""
        return _with(raw, self.path, self.after)


def _with(raw: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The content with that value under the keys of the path, or without the last key where the value is None."""
    changed = dict(raw)
    if len(path) > 1:
        changed[path[0]] = _with(raw[path[0]], path[1:], value)
    elif value is None:
        changed.pop(path[0], None)
    else:
        changed[path[0]] = value
    return changed


@dataclass(frozen=True, repr=False)
class Mutations(DataResult):
    """The result of `mutate`; printed, it is a line on all changes and a line for each that nothing noticed."""

    criteria: Criteria
    noticed: tuple[Mutation, ...]
    """The changes under which a worked example is no longer as expected."""
    unnoticed: tuple[Mutation, ...]
    """The changes under which every worked example is still as expected."""
    failing: tuple[str, ...] = ()
    """The names of the worked examples that are not as expected without any change, so that they notice nothing."""

    @property
    def ok(self) -> bool:
        """Whether every worked example is as expected, and some worked example notices each change."""
        return not self.unnoticed and not self.failing

    def frame(self) -> pl.DataFrame:
        """A row per change: `change` in words, and whether it was `noticed`; those that nothing noticed come first."""
        changes = [*self.unnoticed, *self.noticed]
        noticed = [change >= len(self.unnoticed) for change in range(len(changes))]
        return pl.DataFrame({"change": pl.Series(map(str, changes), dtype=pl.String), "noticed": noticed})

    def _headline(self) -> str:
        return str(self).partition("\n")[0]

    def _pieces(self) -> Iterator[str]:
        if not self.ok:
            yield html_frame(self.frame().filter(~pl.col("noticed")))

    def __str__(self) -> str:
        tried, examples = len(self.noticed) + len(self.unnoticed), len(self.criteria.file.example)
        share = 100 * len(self.noticed) / tried if tried else 100.0
        noticed = f"the worked examples notice {len(self.noticed)} ({share:.1f}%)"
        lines = [f"{self.criteria.marked_name}: of {tried} small changes of the file, {noticed}"]
        if self.failing:
            failing = listed(self.failing)
            lines.append(f"  not used, because they are not as expected without any change: {failing}")
        if len(self.failing) < examples:
            lines += [f"  not noticed: {change}" for change in self.unnoticed]
        return "\n".join(lines)


def mutate(file: str | Path | Criteria) -> Mutations:
    """Make every small change of a criteria file, one at a time, and see whether a worked example notices it.

    A change that makes no valid criteria file is not counted. Interpretations are left aside. A worked example that is
    not as expected without any change is named in `failing` and notices nothing.

    Args:
        file: The name of a shipped set, a path, or a `Criteria`.

    Returns:
        The changes that were noticed, and those that were not.

    Raises:
        CriteriaError: The file cannot be used.

    Examples:
        >>> mutations = mutate("ritp")
        >>> mutations.ok, mutations.unnoticed
        (True, ())
    """
    criteria = load(file)
    usable = as_expected(criteria)
    batches = _batches(criteria, usable)
    noticed: list[Mutation] = []
    unnoticed: list[Mutation] = []
    for change in changes(criteria.raw):
        changed = _changed(criteria, change)
        if changed is not None:
            differs = any(_differs(changed, examples, cohort) for examples, cohort in batches)
            (noticed if differs else unnoticed).append(change)
    failing = tuple(example.name for example in criteria.file.example if example not in usable)
    return Mutations(criteria, tuple(noticed), tuple(unnoticed), failing)


def _batches(criteria: Criteria, examples: Sequence[WorkedExample]) -> list[tuple[list[WorkedExample], Cohort]]:
    """The worked examples as cohorts: those whose counts are all known, then those with censored counts.

    No change reaches the visits, the declared columns or the examples, so that the cohorts serve every change.
    Censored counts take several times as long, and are decided only where no other example notices a change.
    """
    if not examples:
        return []
    censored = has_censored(worked_examples(criteria, examples)).tolist()
    batches = (
        [example for example, of_batch in zip(examples, censored, strict=True) if of_batch is asked]
        for asked in (False, True)
    )
    return [(batch, worked_examples(criteria, batch)) for batch in batches if batch]


def _changed(criteria: Criteria, change: Mutation) -> Criteria | None:
    """The criteria set with the change, without interpretations and examples; None if it is not valid."""
    content = {**change.applied(criteria.raw), "interpretation": [], "example": [], "intercurrent": []}
    try:
        return read_dict(content, criteria.path, criteria.name)
    except CriteriaError:
        return None


def _differs(changed: Criteria, examples: Sequence[WorkedExample], cohort: Cohort) -> bool:
    """Whether a worked example is not as expected under the changed set, or can no longer be decided by it."""
    try:
        frame = classify(cohort, criteria=changed).frame()
    except CohortError:  # a day of the patient's own that cannot stand where the change puts it
        return True
    if any(column not in frame.columns for example in examples for column in example.expect):
        return True
    return any(True for _ in unmet(changed, examples, frame))


def changes(raw: Mapping[str, Any]) -> Iterator[Mutation]:
    """Every small change of a criteria file's content: numbers, comparisons, connectives, options, names."""
    endpoints = {name: table for name, table in raw.items() if name not in HEAD}
    columns = raw.get("columns", {})
    names: dict[Scope, list[str]] = {
        "rows": [*ROW_NAMES, *columns, *_rescue_names(raw), *raw.get("terms", {})],
        "patients": [*PATIENT_NAMES, *(name for name, column in columns.items() if column.get("table") == "patients")],
        "endpoints": list(endpoints),
    }
    for name, text in raw.get("terms", {}).items():
        yield from _of_rule(("terms", name), text, names["rows"])
    for name, treatments in raw.get("rescues", {}).items():
        for shorter in _without_each(treatments):
            yield Mutation(("rescues", name), treatments, shorter)
    if any(_kind(table).asks_for_follow_up and "followed_from" not in table for table in endpoints.values()):
        followed_from = raw["clock"]["followed_from"]
        for nudged in _nudged(followed_from):
            yield Mutation(("clock", "followed_from"), followed_from, nudged)
    words = TOKEN.findall(" ".join(_rules(raw, endpoints)))
    if "baseline" in words:
        yield from _of_table(("baseline",), raw["baseline"], ())
    elif "at_baseline" in words:
        yield from _of_table(("baseline",), {"days": raw["baseline"]["days"]}, ())
    if "bleeding_grade" in words:
        yield from _of_table(("not_recorded",), raw.get("not_recorded", {}), ())
    for name, table in endpoints.items():
        yield from _of_endpoint(name, table, names)


def _rules(raw: Mapping[str, Any], endpoints: Mapping[str, Any]) -> Iterator[str]:
    yield from raw.get("terms", {}).values()
    for table in endpoints.values():
        yield from (table[key] for key in _kind(table).rule_keys() if key in table)


def _kind(table: Mapping[str, Any]) -> type[Endpoint]:
    """The kind of an endpoint, by its table."""
    return KINDS[table["kind"]]


def _rescue_names(raw: Mapping[str, Any]) -> Iterator[str]:
    for name in raw.get("rescues", {}):
        yield from (name, f"{SINCE}{name}")


def _of_endpoint(name: str, table: Mapping[str, Any], names: Mapping[Scope, Sequence[str]]) -> Iterator[Mutation]:
    """Every change of one endpoint: its rules, then its other keys; `names` are those that each rule may use."""
    kind = _kind(table)
    for key, of in kind.rule_keys().items():
        if key in table:
            yield from _of_rule((name, key), table[key], names[of])
            if not kind.model_fields[key].is_required():
                yield Mutation((name, key), table[key], None)
    options = {key: value for key, value in table.items() if key not in (*kind.rule_keys(), *WORDS)}
    yield from _of_table((name,), options, [other for other in names["endpoints"] if other != name])
    for key in KEYS_OF_DAYS:
        yield from (Mutation((name, key), table[key], other) for other in _of_others(table.get(key), names["patients"]))


def _of_rule(path: tuple[str, ...], text: str, names: Iterable[str]) -> Iterator[Mutation]:
    """Every change of one token of a rule, and the rule without the length of each function."""
    lengths = list(LAST_DAYS.finditer(text))
    for length in lengths:
        yield Mutation(path, text, f"{text[: length.start()]}{text[length.end() :]}")
    for token in TOKEN.finditer(text):
        word = token[0]
        after = text[token.end() :]
        if word in FUNCTIONS and after.lstrip().startswith("("):
            others: tuple[str, ...] = tuple(function for function in FUNCTIONS if function != word)
        elif word[0].isdigit():
            others = tuple(f"{value:g}" for value in _nudged(float(word)))
        elif any(length.start() < token.start() < length.end() for length in lengths):
            others = ()  # a unit
        elif word == "not":
            others, after = ("",), after.lstrip()
        elif word in COMPARISONS or word in OTHERS:
            others = COMPARISONS.get(word, ()) + OTHERS.get(word, ())
        else:
            others = tuple(name for name in names if name != word)
        for other in others:
            yield Mutation(path, text, f"{text[: token.start()]}{other}{after}".strip())


def _of_table(path: tuple[str, ...], table: Mapping[str, Any], endpoints: Sequence[str]) -> Iterator[Mutation]:
    """Every change of the keys of a table; `endpoints` are the others to which a key may refer instead."""
    for key, value in table.items():
        others = _other_causes(table) if key == "missing_after" else _others(key, value, endpoints)
        for other in others:
            yield Mutation((*path, key), value, other)
        if key in REMOVABLE:
            yield Mutation((*path, key), value, None)


def _others(key: str, value: Any, endpoints: Sequence[str]) -> list[Any]:
    """The values that could stand under a key instead."""
    if key in CHOICES:
        return [choice for choice in CHOICES[key] if choice != value]
    if key in REFERENCES and isinstance(value, str):
        return [endpoint for endpoint in endpoints if endpoint != value]
    if key in KEYS_OF_DAYS:
        value = [_own_day(day) for day in value] if isinstance(value, list) else _own_day(value)
        changed = OTHERS_UNDER.get(key, _nudged_values)(value)
        return [[_written(day) for day in one] if isinstance(one, list) else _written(one) for one in changed]
    return OTHERS_UNDER.get(key, _nudged_values)(value)


def _other_causes(table: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Without one of the causes, or with something else made of what is missing after it; of several, turned round."""
    causes = table["missing_after"]
    # Where visits in the state are counted, one that is left out is as one that fails.
    same = {"fails", "left_out"} if "at_least" in table and "in_any" not in table else set()
    for name, treated in causes.items():
        yield {other: value for other, value in causes.items() if other != name}
        others = [other for other in CHOICES["missing"] if other != treated and not {other, treated} <= same]
        yield from ({**causes, name: other} for other in others)
    if len(causes) > 1:
        yield dict(reversed(list(causes.items())))


def _other_plans(days: list[Any]) -> list[list[Any]]:
    # The plan is moved as a whole and cut at its ends: a change of one visit in its middle would show nothing new.
    moved = ([day + by for day in days] for by in (-1, 1))
    return [*moved, days[1:], days[:-1]]


def _of_others(value: Any, names: Sequence[str]) -> Iterator[Any]:
    """A day, or several, of the patient's own by each other number of the patient; none where none is its own."""
    days = [_own_day(day) for day in (value if isinstance(value, list) else [value])]
    own = {day.name for day in days if isinstance(day, PatientDay)}
    for name in names:
        if own - {name}:
            others = [str(replace(day, name=name)) if isinstance(day, PatientDay) else day for day in days]
            yield others if isinstance(value, list) else others[0]


def _own_day(day: Any) -> Any:
    """A day as it can be moved, where it is the patient's own."""
    return PatientDay.written(day) if isinstance(day, str) else day


def _written(day: Any) -> Any:
    return str(day) if isinstance(day, PatientDay) else day


def _other_shares(share: str) -> list[str]:
    part, whole = (int(number) for number in share.split("/"))
    return [f"{part - 1}/{whole}", f"{part + 1}/{whole}", f"{part}/{whole - 1}", f"{part}/{whole + 1}"]


def _other_moments(moments: str | list[str]) -> list[Any]:
    if isinstance(moments, str):
        return [name for name in MOMENTS if name != moments]
    return [*_without_each(moments), moments[::-1]]


def _other_competitors(names: list[str]) -> list[list[str]]:
    return _without_each(names) if len(names) > 1 else []


def _other_ranks(ranked: list[Any]) -> list[list[Any]]:
    return [*_without_each(ranked), ranked[::-1]]


OTHERS_UNDER: dict[str, Callable[[Any], list[Any]]] = {
    "visits": _other_plans,
    "share": _other_shares,
    "more_than": _other_shares,
    "of": _other_ranks,
    "censored": _other_moments,
    "competing": _other_competitors,
}
"""The keys whose values are changed in a way of their own."""


def _nudged_values(value: Any) -> list[Any]:
    """A length of time, a list or a number with one number a step lower, and a step higher; of others nothing."""
    if isinstance(value, PatientDay):
        return [value + by for by in (-1, 1)]
    if isinstance(value, str) and LENGTH.fullmatch(value):
        number, unit = value.split()
        return [f"{nudged:g} {unit}" for nudged in _nudged(float(number))]
    if isinstance(value, list):
        return [
            [*value[:position], nudged, *value[position + 1 :]]
            for position, entry in enumerate(value)
            for nudged in _nudged_values(entry)
        ]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return list(_nudged(value))
    return []


def _without_each(entries: list[Any]) -> list[list[Any]]:
    return [entries[:position] + entries[position + 1 :] for position in range(len(entries))]


def _nudged(value: float) -> tuple[float, ...]:
    return (value - 1, value + 1) if math.isfinite(value) else ()
