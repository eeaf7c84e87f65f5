"""Sources: where in a study's files the records stand that a verdict or an event rests on."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import NONE, Bools, Ints, Texts
from itp_response.evaluation.rules.tree import SINCE, names_in

Columns = dict[str, "pl.Series"]


def where(condition: Bools, values: pl.Series) -> pl.Series:
    """The values where the condition holds, elsewhere missing."""
    return values.set(pl.Series(~condition), None)


def _observed(classification: Classification, endpoint: str) -> Iterator[str]:
    """The names that an endpoint's rule looks at; of one that rests on others alone, those of the others."""
    model = classification.criteria.endpoints[endpoint]
    rule = getattr(model, "when", None)
    if rule is not None and model.kind != "combined":
        yield from names_in(rule.tree)
    else:
        for other in model.references().values():
            yield from _observed(classification, other)


COUNT, TREATMENT, GRADE = range(3)
LOOKED_AT = ("platelets", "rescue", "bleeding_grade")
"""The source's variables, by these numbers."""
DOMAINS = {TREATMENT: ("CM", "EX", "EC", "PR", "SU"), GRADE: ("AE", "CE", "FA")}
"""CDISC's domains in which treatments and bleeding are."""


def records_of(
    classification: Classification, endpoint: str, prefix: str, rows: Ints, reason: Ints | None = None
) -> Columns:
    """Where in the source those rows stand, and what was looked at there; -1 is no row.

    `reason`, where given, says what a row was taken for (-1: nothing).
    """
    at = np.flatnonzero(rows != NONE)
    looked = np.full(len(rows), NONE)
    looked[at] = _looked_at(classification, endpoint, rows[at], None if reason is None else reason[at])
    return places_of(classification.cohort, prefix, rows, looked)


def places_of(cohort: Cohort, prefix: str, rows: Ints, looked: Ints) -> Columns:
    """The domain, variable and sequence number of what was looked at in those rows; -1 is no row."""
    line = _line(cohort, rows, looked)
    there = rows != NONE
    found = line != NONE
    variable = pl.Series(LOOKED_AT).gather(np.maximum(looked, 0))
    domain = pl.repeat(cohort.source or None, len(rows), dtype=pl.String, eager=True)
    number = line
    if cohort.origin is not None and len(cohort.origin.sequence):
        at = np.maximum(line - 1, 0)
        domain, number, there = texts_of(cohort.origin.domain.at(at)), cohort.origin.sequence[at], found
        looked = np.where(found, looked, NONE)
        if not cohort.origin.word:
            variable = texts_of(cohort.origin.variable.at(at))
    return {
        f"{prefix}DOM": where(there, domain),
        f"{prefix}VAR": where(looked != NONE, variable),
        f"{prefix}SEQ": where(found, pl.Series(number)),
    }


def texts_of(column: Texts) -> pl.Series:
    return pl.Series([*column.labels, None], dtype=pl.String).gather(
        np.where(column.codes < 0, len(column.labels), column.codes).astype(np.int64)
    )


def _line(cohort: Cohort, rows: Ints, looked: Ints) -> Ints:
    """The line of each row in which that was looked at; -1 where it is not known, or there is no row.

    Of a treatment or a grade on a day with several lines, it is known only where each line has its domain.
    """
    if not len(cohort.day):
        return np.full(len(rows), NONE)
    at = np.where(rows == NONE, 0, rows)
    alone = np.diff(cohort.first_line)[at] == 1
    line = np.where((rows != NONE) & (alone | (looked == COUNT)), cohort.source_row[at], NONE)
    if cohort.origin is None:
        return line
    owner = np.repeat(np.arange(len(cohort.day)), np.diff(cohort.first_line))
    domain = cohort.origin.domain.at(cohort.lines - 1)
    for what, domains in DOMAINS.items():
        told = np.flatnonzero(
            np.isin(domain.codes, [code for code, name in enumerate(domain.labels) if name in domains])
        )
        first = np.full(len(cohort.day), NONE)
        first[owner[told[::-1]]] = cohort.lines[told[::-1]]  # of several in a row the last assignment stands
        line = np.where((rows != NONE) & (looked == what), first[at], line)
    return line


def _looked_at(classification: Classification, endpoint: str, rows: Ints, reason: Ints | None) -> Ints:
    """Of each row the number of the variable that an endpoint looks at there, -1 where it is another."""
    cohort, reasons = classification.cohort, classification.criteria.reasons
    names = set(_observed(classification, endpoint))
    treatments = {"rescue", *classification.criteria.rescues}
    named = [
        "platelets" in names,
        bool({name.removeprefix(SINCE) for name in names} & treatments),
        "bleeding_grade" in names,
    ]
    there = [~np.isnan(cohort.platelets.low[rows]), cohort.rescue[rows], ~np.isnan(cohort.bleeding_grade[rows])]
    looked = np.select([*(one & has for one, has in zip(named, there, strict=True)), *there], [0, 1, 2, 0, 1, 2], NONE)
    if reason is None:
        return looked
    words = {COUNT: {"platelets"}, TREATMENT: treatments, GRADE: {"bleeding"}}
    codes = [np.isin(reason, [reasons[word] for word in sorted(told)]) for told in words.values()]
    return np.select([said & has for said, has in zip(codes, there, strict=True)], list(words), looked)
