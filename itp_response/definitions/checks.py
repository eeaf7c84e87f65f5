"""Checks: what is wrong with the names and references of a criteria file.

Each function gives problems with their lines, so that all of them are told at once.
"""

import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from itp_response.cohort.declared_columns import EMPTY
from itp_response.cohort.notation import HIGHEST_COUNT
from itp_response.definitions.schema import HEAD, CriteriaFile
from itp_response.evaluation.endpoints import KINDS
from itp_response.evaluation.rules.parse import Names, RuleError, too_deep
from itp_response.evaluation.rules.tree import SINCE, And, Name, Or, Tree, Type
from itp_response.messages.codes import Code
from itp_response.messages.errors import Problem, nearest, some_of, unknown
from itp_response.messages.schema_errors import ended
from itp_response.messages.toml_positions import KeyPositions

PATIENT_NAMES: dict[str, Type] = {"baseline": "number", "treatment_discontinued": "moment"}
"""The names of every criteria file that rules may ask of a patient as a whole."""
ROW_NAMES: dict[str, Type] = {
    "platelets": "number",
    "bleeding_grade": "number",
    "rescue": "truth",
    "days_since_rescue": "number",
    "day": "number",
    **PATIENT_NAMES,
}
"""The names of every criteria file that rules may ask of a row."""
NUMBERS_ON_ROWS = ("platelets", "bleeding_grade")
"""The names of every criteria file of which rules may ask what they are at another row."""
RANGES = {"platelets": (0.0, HIGHEST_COUNT), "baseline": (0.0, HIGHEST_COUNT), "bleeding_grade": (0.0, 4.0)}
"""The lowest and the highest value that is read of each of them, counts in 10⁹/L."""
MOMENTS = ("from", "after", "until", "to", "censored", "competing")
"""Keys that refer to an endpoint for its day."""
PATIENT_COLUMNS = ("patient_id", "arm")
"""The columns of the output that are no endpoint's."""
MOST_REFERENCES = 50
"""The most endpoints that refer to each other in a chain."""
MOST_INTERPRETATIONS = 200
"""The most interpretations of a file."""
TOO_MANY_REFERENCES = (
    f"this begins a chain of more than {MOST_REFERENCES} endpoints that refer to each other; shorten the chain."
)
COLUMNS = ("day", "date", "confirmed_day", "reason", "days", "of_days", "event")
"""The ends of the names of an endpoint's columns of the output."""


def stray_key(key: str, value: Any, positions: KeyPositions) -> Problem:
    """The problem of a key at the top of a file that is no endpoint and none of the file's own."""
    close = nearest(key, HEAD)
    known = f"known: {', '.join(HEAD)}, and one table with a 'kind' for each endpoint."
    sentence = f"unknown {'table' if isinstance(value, dict) else 'key'} {key!r}; {known}{close}"
    if isinstance(value, dict) and not close:
        sentence = f"[{key}] has no 'kind', so it is not an endpoint; known kinds: {', '.join(KINDS)}."
    elif isinstance(value, list) and all(isinstance(entry, dict) for entry in value) and not close:
        sentence = f"[[{key}]] starts a list, but an endpoint is a single table; write [{key}]."
    return positions.problem_with_key((key,), sentence)


def rule_names(
    raw: Mapping[str, Any], endpoints: Iterable[str], positions: KeyPositions
) -> tuple[dict[str, Names], list[Problem]]:
    """The names that rules may use of rows, of patients as a whole and of endpoints; and the problems with them.

    Every term is parsed, whether or not a rule uses it.
    """
    usable, problems = _usable_names(raw, positions)
    rows, patients = dict(ROW_NAMES), dict(PATIENT_NAMES)
    for name, column in _table(raw, "columns").items():
        if ("columns", name) in usable and isinstance(column, dict) and column.get("type") in EMPTY:
            rows[name] = column["type"]
            if column.get("table") == "patients":
                patients[name] = column["type"]
    for name in _table(raw, "rescues"):
        if ("rescues", name) in usable:
            rows |= {name: "truth", f"{SINCE}{name}": "number"}
    terms = {
        name: text for name, text in _table(raw, "terms").items() if ("terms", name) in usable and isinstance(text, str)
    }
    names = Names(rows, terms, RANGES, _numbers_on_rows(raw, rows))
    if not problems and names_known(raw):
        problems += _wrong_terms(names, positions)
    of_endpoints = Names(dict.fromkeys(endpoints, "truth"))
    return {"rows": names, "patients": Names(patients, ranges=RANGES), "endpoints": of_endpoints}, problems


def _numbers_on_rows(raw: Mapping[str, Any], rows: Mapping[str, Type]) -> list[str]:
    """The numbers that are observed on rows, so that they can be asked for at another row."""
    columns = _table(raw, "columns")
    own = [name for name in rows if name in columns and columns[name].get("table", "visits") == "visits"]
    return [*NUMBERS_ON_ROWS, *(name for name in own if rows[name] == "number")]


def names_known(raw: Mapping[str, Any]) -> bool:
    """Whether every column has a type and every term a rule, so that a rule can be checked against them."""
    columns, terms = (_table(raw, key).values() for key in ("columns", "terms"))
    typed = all(isinstance(column, dict) and column.get("type") in EMPTY for column in columns)
    return typed and all(isinstance(text, str) for text in terms)


def _table(raw: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The table under a key; an empty one where something else stands there."""
    table = raw.get(key)
    return table if isinstance(table, dict) else {}


def _declared_names(raw: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Each key of `[columns]`, `[rescues]` and `[terms]` with its table and the names that it gives to rules."""
    for name in _table(raw, "columns"):
        yield "columns", name, (name,)
    for name in _table(raw, "rescues"):
        yield "rescues", name, (name, f"{SINCE}{name}")
    for name in _table(raw, "terms"):
        yield "terms", name, (name,)


def _usable_names(raw: Mapping[str, Any], positions: KeyPositions) -> tuple[set[tuple[str, str]], list[Problem]]:
    """The tables and keys whose names rules can use; and a problem for each of the others."""
    usable: set[tuple[str, str]] = set()
    problems: list[Problem] = []
    owners = dict.fromkeys(ROW_NAMES, "the rule language")
    for table, key, names in _declared_names(raw):
        sentence = next(filter(None, (_why_no_name(name, owners) for name in names)), "")
        if sentence:
            problems.append(positions.problem_with_key((table, key), sentence))
        else:
            usable.add((table, key))
            owners |= dict.fromkeys(names, f"[{table}]")
    return usable, problems


def _why_no_name(name: str, owners: Mapping[str, str]) -> str:
    """The sentence on why rules cannot use that name; empty if they can. `owners` has the names in use."""
    if name in owners:
        known = f", one of {', '.join(ROW_NAMES)}" if name in ROW_NAMES else ""
        return f"{name!r} is already a name in {owners[name]}{known}; choose another."
    if not name.isidentifier() or keyword.iskeyword(name):
        return (
            f"{name!r} cannot be used as a name in rules; use letters, digits and _, and no word of the rule language."
        )
    return ""


def _wrong_terms(names: Names, positions: KeyPositions) -> Iterator[Problem]:
    """The terms that are no rule, and each circle of terms once."""
    reported = set()
    for term, text in names.terms.items():
        try:
            names.term(term)
        except RuleError as error:
            # A term with a broken term in it is not broken itself; of terms that are nested too deep one is told.
            is_deep = error.problem == too_deep()
            if not is_deep and error.text.split() != text.split():
                continue
            circle = frozenset(re.findall(r"\w+", error.problem)) if is_deep or "circle" in error.problem else term
            if circle not in reported:
                reported.add(circle)
                told = RuleError(error.problem, text) if is_deep else error
                problem = Problem(ended(str(told)), code=Code.RULE_UNREADABLE, value=text)
                yield positions.problem(("terms", term), problem)


def misnamed_endpoints(endpoints: Iterable[str], positions: KeyPositions) -> Iterator[Problem]:
    """Endpoints with names that cannot begin the names of columns, or would be those of other columns."""
    endpoints = list(endpoints)
    columns = {f"{name}_{column}": name for name in reversed(endpoints) for column in COLUMNS}
    for name in endpoints:
        if not re.fullmatch(r"\w+", name):
            sentence = (
                f"an endpoint cannot be named {name!r}, as column names start with it; use letters, digits and _."
            )
            yield positions.problem_with_key((name,), sentence)
        if name in columns or name in PATIENT_COLUMNS:
            of = f" of [{columns[name]}]" if name in columns else ""
            sentence = f"{name!r} is already the name of an output column{of}; choose another."
            yield positions.problem_with_key((name,), sentence)


def evaluation_order(file: CriteriaFile, positions: KeyPositions) -> tuple[tuple[str, ...], list[Problem]]:
    """The endpoints so that each comes after those it refers to; and the references that cannot be followed."""
    ordered: dict[str, None] = {}
    problems: list[Problem] = []
    too_long: list[Problem] = []

    def visit(name: str, before: tuple[str, ...]) -> None:
        path = (*before, name)
        for key, other in file.endpoints[name].references().items():
            sentence = _wrong_reference(file, other, path)
            place = (name, key.split(" ")[0])
            if sentence:
                problems.append(positions.problem(place, sentence))
            if other not in file.endpoints or other in path or other in ordered:
                continue
            if len(path) < MOST_REFERENCES:
                visit(other, path)
            elif not too_long:
                too_long.append(positions.problem(place, TOO_MANY_REFERENCES))
        ordered[name] = None

    for name in file.endpoints:
        if name not in ordered:
            visit(name, ())
    problems += too_long
    return tuple(ordered), problems or list(_without_a_day(file, positions))


def _wrong_reference(file: CriteriaFile, other: str, path: tuple[str, ...]) -> str:
    """The sentence on why the last endpoint of a path of references cannot refer to another; empty if it can."""
    if other not in file.endpoints:
        return unknown("endpoint", other, file.endpoints)
    if other in path:
        return f"endpoints refer to each other in a circle: {' -> '.join([*path[path.index(other) :], other])}."
    model = file.endpoints[other]
    if not model.can_be_referred_to:
        known = [name for name, model in file.endpoints.items() if model.can_be_referred_to]
        return f"{other!r} is of kind {model.kind!r}, to which no endpoint can refer; known: {some_of(known)}."
    return ""


def _without_a_day(file: CriteriaFile, positions: KeyPositions) -> Iterator[Problem]:
    """The keys that refer to an endpoint for its day where it can be met without one."""
    known: dict[str, bool] = {}
    for name, model in file.endpoints.items():
        for key, other in model.references().items():
            if key.split(" ")[0] in MOMENTS and not _has_day(file, other, known):
                sentence = f"{other!r} can be met without a day, so nothing can start or end with it."
                yield positions.problem((name, key.split(" ")[0]), sentence)


def _has_day(file: CriteriaFile, name: str, known: dict[str, bool]) -> bool:
    """Whether that endpoint, where it is met, has a day; `known` keeps the answers, which are asked for often."""
    if name not in known:
        has_day = file.endpoints[name].has_day
        known[name] = has_day if isinstance(has_day, bool) else _dated(file, has_day, known)
    return known[name]


def _dated(file: CriteriaFile, tree: Tree, known: dict[str, bool]) -> bool:
    """Whether a rule over endpoints, where it is true, has a day."""
    match tree:
        case Name(name=name):
            return name not in file.endpoints or _has_day(file, name, known)
        case And(parts=parts):
            return any(_dated(file, part, known) for part in parts)
        case Or(parts=parts):
            return all(_dated(file, part, known) for part in parts)
    return False


def wrong_examples(file: CriteriaFile, positions: KeyPositions) -> Iterator[Problem]:
    """Worked examples without a name of their own, or under an interpretation that the file does not have."""
    names = [example.name for example in file.example]
    ids = [interpretation.id for interpretation in file.interpretation]
    for number, example in enumerate(file.example):
        if example.name in names[:number]:
            yield repeated_name("example", "name", names, number, positions)
        for interpretation in example.under:
            if interpretation not in ids:
                path = ("example", number, "under", interpretation)
                yield positions.problem_with_key(path, unknown("interpretation", interpretation, ids))


def repeated_name(table: str, key: str, names: Sequence[str], number: int, positions: KeyPositions) -> Problem:
    """The problem of an entry of a list with the name of an earlier entry."""
    line = positions.line((table, names.index(names[number]), key))
    there = f", in line {line}" if line else ""
    sentence = f"the name {names[number]!r} is already used{there}; choose another."
    return positions.problem((table, number, key), sentence)
