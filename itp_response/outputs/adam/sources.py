"""Sources: the records in a study's files that a verdict or an event rests on."""

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
    """The names in an endpoint's rule; for an endpoint that rests on others alone, the names of the others."""
    model = classification.criteria.endpoints[endpoint]
    if model.state is not None:
        yield from names_in(model.state.tree)
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
    """The records in the source of those rows, and the variable that the endpoint uses there; -1 is no row.

    `reason`, where given, is the reason that a row stands for (-1: none); it decides the variable.
    """
    known = np.flatnonzero(rows != NONE)
    looked = np.full(len(rows), NONE)
    looked[known] = _looked_at(classification, endpoint, rows[known], None if reason is None else reason[known])
    return source_records(classification.cohort, prefix, rows, looked)


def source_records(cohort: Cohort, prefix: str, rows: Ints, looked: Ints) -> Columns:
    """The domain, variable and sequence number of what was looked at in those rows; -1 is no row."""
    line = _line(cohort, rows, looked)
    has_domain, has_line = rows != NONE, line != NONE
    variable = pl.Series(LOOKED_AT).gather(np.maximum(looked, 0))
    domain = pl.repeat(cohort.source or None, len(rows), dtype=pl.String, eager=True)
    number = line
    if cohort.origin is not None and len(cohort.origin.sequence):
        record = np.maximum(line - 1, 0)
        domain, number = texts_of(cohort.origin.domain.at(record)), cohort.origin.sequence[record]
        has_domain = has_line
        looked = np.where(has_line, looked, NONE)
        if not cohort.origin.word:
            variable = texts_of(cohort.origin.variable.at(record))
    return {
        f"{prefix}DOM": where(has_domain, domain),
        f"{prefix}VAR": where(looked != NONE, variable),
        f"{prefix}SEQ": where(has_line, pl.Series(number)),
    }


def texts_of(column: Texts) -> pl.Series:
    return pl.Series([*column.labels, None], dtype=pl.String).gather(
        np.where(column.codes < 0, len(column.labels), column.codes).astype(np.int64)
    )


def _line(cohort: Cohort, rows: Ints, looked: Ints) -> Ints:
    """The line that has what was looked at in each row; -1 where it is not known, or there is no row.

    For a treatment or a grade on a day with several lines, the line is known only where each line has its domain.
    """
    if not len(cohort.day):
        return np.full(len(rows), NONE)
    row = np.maximum(rows, 0)
    single = np.diff(cohort.first_line)[row] == 1
    line = np.where((rows != NONE) & (single | (looked == COUNT)), cohort.source_row[row], NONE)
    if cohort.origin is None:
        return line
    owner = np.repeat(np.arange(len(cohort.day)), np.diff(cohort.first_line))
    domain = cohort.origin.domain.at(cohort.lines - 1)
    for variable, domains in DOMAINS.items():
        codes = [code for code, name in enumerate(domain.labels) if name in domains]
        # The last assignment to a row stands, so the first of its lines is assigned last.
        backwards = np.flatnonzero(np.isin(domain.codes, codes))[::-1]
        first = np.full(len(cohort.day), NONE)
        first[owner[backwards]] = cohort.lines[backwards]
        line = np.where((rows != NONE) & (looked == variable), first[row], line)
    return line


def _looked_at(classification: Classification, endpoint: str, rows: Ints, reason: Ints | None) -> Ints:
    """For each row the number of the variable that an endpoint looks at there, -1 where it is another."""
    cohort, reasons = classification.cohort, classification.criteria.reasons
    names = set(_observed(classification, endpoint))
    treatments = {"rescue", *classification.criteria.rescues}
    named = [
        "platelets" in names,
        bool({name.removeprefix(SINCE) for name in names} & treatments),
        "bleeding_grade" in names,
    ]
    recorded = [~np.isnan(cohort.platelets.low[rows]), cohort.rescue[rows], ~np.isnan(cohort.bleeding_grade[rows])]
    named_and_recorded = [asked & present for asked, present in zip(named, recorded, strict=True)]
    variables = [COUNT, TREATMENT, GRADE]
    looked = np.select([*named_and_recorded, *recorded], [*variables, *variables], NONE)
    if reason is None:
        return looked
    words = [{"platelets"}, treatments, {"bleeding"}]
    codes = [[reasons[word] for word in sorted(of_variable)] for of_variable in words]
    because = [np.isin(reason, code) & present for code, present in zip(codes, recorded, strict=True)]
    return np.select(because, variables, looked)
