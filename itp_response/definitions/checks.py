"""Checks: whether the names and references of a criteria file stand."""

import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from itp_response.cohort.declared_columns import EMPTY
from itp_response.definitions.schema import HEAD, CriteriaFile
from itp_response.evaluation.endpoints import KINDS
from itp_response.evaluation.rules.parse import Names, RuleError
from itp_response.evaluation.rules.tree import SINCE, And, Name, Or, Tree, Type
from itp_response.messages.errors import nearest, unknown
from itp_response.messages.schema_errors import ended
from itp_response.messages.toml_positions import Positions, Problem

PATIENT_NAMES: dict[str, Type] = {"baseline": "number", "treatment_discontinued": "moment"}


ROW_NAMES: dict[str, Type] = {
    "platelets": "number",
    "bleeding_grade": "number",
    "rescue": "truth",
    "days_since_rescue": "number",
    "day": "number",
    **PATIENT_NAMES,
}


MEASURES = ("best", "time_to")
"""Kinds that sum up other criteria: they are no moment that another could start from."""


MOMENTS = ("from", "after", "until", "to")
"""Keys that name an endpoint for its day."""


PATIENT_COLUMNS = ("patient_id", "arm")


COLUMNS = ("day", "date", "confirmed_day", "reason", "days", "of_days", "event")
"""What follows an endpoint's name in the names of its columns of the output."""


def stray(key: str, value: Any, positions: Positions) -> Problem:
    known = f"known: {', '.join(HEAD)}, and a table with a 'kind' for each endpoint."
    close = nearest(key, HEAD)
    if isinstance(value, dict) and not close:
        return positions.problem_with_key(
            (key,), f"[{key}] has no 'kind', so it is no endpoint; known kinds: {', '.join(KINDS)}."
        )
    if isinstance(value, list) and all(isinstance(one, dict) for one in value) and not close:
        return positions.problem_with_key(
            (key,), f"[[{key}]] is the head of a list, and an endpoint is one table; write [{key}]."
        )
    return positions.problem_with_key(
        (key,), f"unknown {'table' if isinstance(value, dict) else 'key'} {key!r}; {known}{close}"
    )


def names_of(
    raw: Mapping[str, Any], criteria: Iterable[str], positions: Positions
) -> tuple[dict[str, Names], list[Problem]]:
    """The names that rules may use, of rows, of patients alone and of criteria; and what is wrong with them.

    All terms are parsed, used or not.
    """
    problems: list[Problem] = []
    patients, rows = dict(PATIENT_NAMES), dict(ROW_NAMES)
    taken = dict.fromkeys(ROW_NAMES, "the language")

    def free(table: str, key: str, *names: str) -> bool:
        why = next(filter(None, (_why_no_name(name, taken) for name in names)), "")
        if why:
            problems.append(positions.problem_with_key((table, key), why))
        else:
            taken.update(dict.fromkeys(names, f"[{table}]"))
        return not why

    for name, column in _table(raw, "columns").items():
        if free("columns", name, name) and isinstance(column, dict) and column.get("type") in EMPTY:
            rows[name] = column["type"]
            if column.get("table") == "patients":
                patients[name] = column["type"]
    for name in _table(raw, "rescues"):
        if free("rescues", name, name, f"{SINCE}{name}"):
            rows |= {name: "truth", f"{SINCE}{name}": "number"}
    texts = _table(raw, "terms")
    terms = {name: text for name, text in texts.items() if free("terms", name, name) and isinstance(text, str)}
    names = Names(rows, terms)
    if not problems and names_stand(raw):
        problems += _wrong_terms(names, positions)
    return {"rows": names, "patients": Names(patients), "endpoints": Names(dict.fromkeys(criteria, "truth"))}, problems


def _table(raw: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = raw.get(key)
    return found if isinstance(found, dict) else {}


def names_stand(raw: Mapping[str, Any]) -> bool:
    """Every column has a type and every term a rule, so that rules can be held to them."""
    columns, terms = (_table(raw, key).values() for key in ("columns", "terms"))
    typed = all(isinstance(column, dict) and column.get("type") in EMPTY for column in columns)
    return typed and all(isinstance(text, str) for text in terms)


def _why_no_name(name: str, taken: Mapping[str, str]) -> str:
    """Why that cannot be a name in rules; empty if it can."""
    if name in taken:
        known = f" of {', '.join(ROW_NAMES)}" if name in ROW_NAMES else ""
        return f"{name!r} is a name of {taken[name]} already{', one' if known else ''}{known}; choose another."
    if not name.isidentifier() or keyword.iskeyword(name):
        return (
            f"{name!r} is no name that a rule can use; it is written with letters, digits and _, and no 'and' or 'or'."
        )
    return ""


def _wrong_terms(names: Names, positions: Positions) -> Iterator[Problem]:
    circles = set()
    for term, text in names.terms.items():
        try:
            names.term(term)
        except RuleError as error:
            # A term with a broken term in it is not broken itself.
            if " ".join(str(error).split("\n")[1:-1]).split() != text.split():
                continue
            circle = frozenset(re.findall(r"\w+", error.problem)) if "circle" in error.problem else term
            if circle not in circles:
                circles.add(circle)
                yield positions.problem(("terms", term), ended(str(error)))


def misnamed_endpoints(criteria: Mapping[str, Any], positions: Positions) -> Iterator[Problem]:
    """Criteria whose names cannot begin the names of columns, or would be those of other columns."""
    for name in criteria:
        if not re.fullmatch(r"\w+", name):
            yield positions.problem_with_key(
                (name,),
                f"an endpoint cannot be named {name!r}: its name begins those of columns; use letters, digits, _.",
            )
        others = [other for other in criteria if name in (f"{other}_{what}" for what in COLUMNS)]
        if others or name in PATIENT_COLUMNS:
            of = f" of [{others[0]}]" if others else ""
            yield positions.problem_with_key(
                (name,), f"{name!r} is the name of a column of the output{of} already; choose another."
            )


def order_of(file: CriteriaFile, positions: Positions) -> tuple[tuple[str, ...], list[Problem]]:
    """The criteria so that each comes after those it refers to; and what hinders that."""
    done: list[str] = []
    open_: list[str] = []
    problems = []

    def visit(name: str) -> None:
        open_.append(name)
        for key, other in file.endpoints[name].references().items():
            path = (name, key.split(" ")[0])
            if other not in file.endpoints:
                problems.append(positions.problem(path, unknown("endpoint", other, file.endpoints)))
            elif other in open_:
                circle = " -> ".join([*open_[open_.index(other) :], other])
                problems.append(positions.problem(path, f"endpoints go in a circle: {circle}."))
            else:
                kind = file.endpoints[other].kind
                if kind in MEASURES:
                    known = [one for one, model in file.endpoints.items() if model.kind not in MEASURES]
                    problem = f"{other!r} is of kind {kind!r}, on which nothing can rest; known: {', '.join(known)}."
                    problems.append(positions.problem(path, problem))
                if other not in done:
                    visit(other)
        open_.pop()
        done.append(name)

    for name in file.endpoints:
        if name not in done:
            visit(name)
    return tuple(done), problems or list(_without_a_day(file, positions))


def _without_a_day(file: CriteriaFile, positions: Positions) -> Iterator[Problem]:
    """The keys that name an endpoint for its day, which whoever meets it may not have."""
    for name, model in file.endpoints.items():
        for key, other in model.references().items():
            if key in MOMENTS and not _has_day(file, other):
                problem = f"{other!r} can be met without a day, so that nothing can start or end with it."
                yield positions.problem((name, key), problem)


def _has_day(file: CriteriaFile, name: str) -> bool:
    """Whoever meets that endpoint has a day of it."""
    model = file.endpoints[name]
    if model.kind == "extent":
        return model.at_least is not None
    return model.kind != "combined" or _dated(file, model.when.tree)


def _dated(file: CriteriaFile, tree: Tree) -> bool:
    match tree:
        case Name(name=name):
            return name not in file.endpoints or _has_day(file, name)
        case And(parts=parts):
            return any(_dated(file, part) for part in parts)
        case Or(parts=parts):
            return all(_dated(file, part) for part in parts)
    return False


def wrong_examples(file: CriteriaFile, positions: Positions) -> Iterator[Problem]:
    """Worked examples must have a name of their own and name interpretations that are."""
    names = [case.name for case in file.example]
    ids = [interpretation.id for interpretation in file.interpretation]
    for number, case in enumerate(file.example):
        if case.name in names[:number]:
            yield repeated("example", "name", names, number, positions)
        for interpretation_id in case.under:
            if interpretation_id not in ids:
                yield positions.problem_with_key(
                    ("example", number, "under", interpretation_id), unknown("interpretation", interpretation_id, ids)
                )


def repeated(table: str, key: str, names: Sequence[str], number: int, positions: Positions) -> Problem:
    line = positions.line((table, names.index(names[number]), key))
    there = f", in line {line}" if line else ""
    return positions.problem(
        (table, number, key), f"the name {names[number]!r} is taken already{there}; choose another."
    )
