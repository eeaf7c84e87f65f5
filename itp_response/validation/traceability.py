"""Traceability: from each clause of a source to its rule, its worked examples and the tests."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from itp_response.authoring.check import TriedClause, tried_clauses
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.grades import grade
from itp_response.definitions.load import criteria_folder
from itp_response.definitions.schema import WorkedExample
from itp_response.validation.hand_decided import hand_decided
from itp_response.validation.section import compared

WORDS = ("label", "says", "where", "role", "paramcd", "param")
"""The keys of an endpoint that decide nothing."""
COLUMNS = (
    *("set", "source", "where", "endpoint", "label", "says", "key", "rule", "clause"),
    *("true_in", "false_in", "by_hand", "tests", "expected", "got"),
)
TRIED = "tried both ways"
HAS_EXAMPLES = "has worked examples"


def traced(sets: Sequence[Criteria], tests: str) -> pl.DataFrame:
    """A row per endpoint of the sets, and one for each clause of its rules.

    `tests` names what tests them, `{kind}` in it the kind of the endpoint.
    """
    return compared(COLUMNS, (row for criteria in sets for row in _rows(criteria, tests)))


def _rows(criteria: Criteria, tests: str) -> Iterator[tuple[Any, ...]]:
    examples, source = criteria.file.example, criteria.file.source
    clauses: dict[str, list[TriedClause]] = {name: [] for name in criteria.endpoints}
    for clause in tried_clauses(criteria) if examples else ():
        clauses[clause.endpoint].append(clause)
    is_shipped = criteria.path.parent == criteria_folder()
    by_hand = Counter(row["endpoint"] for row in hand_decided() if is_shipped and row["set"] == criteria.name)
    for name, model in criteria.endpoints.items():
        cite = f"{source.cite} ({grade(criteria.file)})"
        about = (criteria.marked_name, cite, model.where or source.where, name, model.label, model.says)
        in_tests = (str(by_hand[name]), tests.format(kind=model.kind))
        own = [example.name for example in examples if name in _asked(criteria, example)]
        rule = "; ".join(f"{key} = {_plain(value)}" for key, value in criteria.raw[name].items() if key not in WORDS)
        yield (*about, "", rule, "", ", ".join(own), "", *in_tests, HAS_EXAMPLES, HAS_EXAMPLES if own else "has none")
        for clause in clauses[name]:
            text = _with_terms(_plain(criteria.raw[name].get(clause.asked.key, "")), criteria.file.terms)
            tried = (", ".join(clause.true_in), ", ".join(clause.false_in))
            yield (*about, clause.asked.key, text, clause.says, *tried, *in_tests, TRIED, _tried(clause))


def _with_terms(rule: str, terms: Mapping[str, str]) -> str:
    """A rule, and what the terms in it, and in these, stand for."""
    named: dict[str, str] = {}
    while found := {
        term: text
        for term, text in terms.items()
        if term not in named and re.search(rf"\b{re.escape(term)}\b", "; ".join([rule, *named.values()]))
    }:
        named |= found
    return "; ".join([rule, *(f"{term} is {text}" for term, text in named.items())])


def _tried(clause: TriedClause) -> str:
    never = [word for word, names in (("true", clause.true_in), ("false", clause.false_in)) if not names]
    return f"never {' or '.join(never)}" if never else TRIED


def _asked(criteria: Criteria, example: WorkedExample) -> set[str]:
    """The endpoints of which a worked example expects something."""
    columns: set[str] = set().union(example.expect, *example.under.values())
    return {_endpoint_of(column, criteria.endpoints) for column in columns}


def _endpoint_of(column: str, endpoints: Mapping[str, Any]) -> str:
    """The endpoint of a column of the output, `OR` of `OR_day`: the longest name that it begins with."""
    of_column = [name for name in endpoints if column == name or column.startswith(f"{name}_")]
    return max(of_column, key=len, default="")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
