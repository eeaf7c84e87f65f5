"""Completions: every course a patient may have had where data are partial, decided like patients and joined again.

What is the same in all completions of a patient is the verdict; no kind of endpoint knows of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import NO_DAY, NONE, Bools, Floats, Ints
from itp_response.evaluation.verdicts import LENGTHS, ROWS, Codes, Verdict

ROWS_AT_ONCE = 2_000_000
"""Observations of copies that are held together."""


@dataclass(frozen=True)
class Completions:
    """The possible courses of some patients, as a cohort; an entry per course."""

    cohort: Cohort
    patient: Ints
    """Whose course it is: position in the cohort they are from, in order."""
    way: Ints
    """Its number among those of the patient; 0 has the first day of each date."""


def in_parts(positions: Ints, rows: Ints | Floats, most: int) -> Iterator[Ints]:
    """The positions, which have so many rows each, in parts of about `most` rows."""
    for part in np.split(positions, np.flatnonzero(np.diff(np.cumsum(rows) // most)) + 1):
        if len(part):
            yield part


def counted_up(numbers: Ints) -> Ints:
    """0, 1, … below each of the numbers, one after another."""
    ends = np.cumsum(numbers)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - numbers, numbers)


def steps(owner: Ints, number: Ints, most: int) -> Ints:
    """Of the wheels of each owner's odometer, with so many digits each, after how many ways each moves on.

    Owners stand in order; products beyond `most` are not asked for.
    """
    logs = np.log(number)
    before = np.cumsum(logs) - logs
    first = np.searchsorted(owner, owner)
    # Below `most` logarithms are exact enough.
    found: Ints = np.rint(np.exp(np.minimum(before - before[first], np.log(most) + 1))).astype(np.int64)
    return found


def joined(
    found: Mapping[str, Verdict],
    each: Mapping[str, Verdict],
    completions: Completions,
    cohort: Cohort,
    reason: np.int16,
) -> None:
    """Put in what is the same of all courses of a patient; a value that is not is `NE`, with that reason.

    `each` has the verdicts on the courses. Days, evidence and lengths that are not the same are missing.
    """
    start = np.flatnonzero(np.diff(completions.patient, prepend=-1))
    patients = completions.patient[start]
    for name, verdict in each.items():
        whole = found[name]
        sure = _same(verdict.value, start)
        why = sure & _same(verdict.reason, start)
        whole.value[patients] = np.where(sure, verdict.value[start], whole.labels.index("NE"))
        whole.reason[patients] = np.where(why, verdict.reason[start], reason)
        for field in ROWS:
            rows = _same_rows(getattr(verdict, field), completions.cohort, start, field != "dated")
            # The first course is the one the cohort's own rows tell.
            row = rows - completions.cohort.first_row[start] + cohort.first_row[patients]
            getattr(whole, field)[patients] = np.where(sure & (rows != NONE), row, NONE)
        for field in LENGTHS:
            days = getattr(verdict, field)
            if days is not None:
                getattr(whole, field)[patients] = np.where(sure & _same(days, start), days[start], NO_DAY)


def put(
    found: Mapping[str, Verdict],
    cohort: Cohort,
    part: Mapping[str, Verdict],
    some: Cohort,
    positions: Ints,
    where: Mapping[str, Bools],
) -> None:
    """Put in the verdicts on some patients, taken from these positions, in the criteria where their mask says so."""
    for name, verdict in part.items():
        whole, here = found[name], np.flatnonzero(where[name])
        at = positions[here]
        whole.value[at], whole.reason[at] = verdict.value[here], verdict.reason[here]
        for field in ROWS:
            rows = getattr(verdict, field)[here]
            row = rows - some.first_row[here] + cohort.first_row[at]
            getattr(whole, field)[at] = np.where(rows == NONE, NONE, row)
        for field in LENGTHS:
            if getattr(whole, field) is not None:
                getattr(whole, field)[at] = getattr(verdict, field)[here]


def _same(values: Ints | Codes, start: Ints) -> Bools:
    """Whether the values are equal from each start to the next."""
    return np.equal(np.minimum.reduceat(values, start), np.maximum.reduceat(values, start))


def _same_rows(rows: Ints, cohort: Cohort, start: Ints, and_line: bool) -> Ints:
    """The row of each first course, if it is of the same day (and line) in all; else -1."""
    none = np.full(len(rows), NO_DAY, dtype=np.int64)
    if not len(cohort.day):
        return np.full(len(start), NONE)
    given, at = rows != NONE, np.maximum(rows, 0)
    same = _same(np.where(given, cohort.day[at], none), start)
    if and_line:
        same &= _same(np.where(given, cohort.source_row[at], NONE), start)
    return np.where(same, rows[start], NONE)


def undecided(found: Mapping[str, Verdict], patients: Ints, reason: np.int16) -> None:
    """Nothing is known of these patients, for that reason."""
    for verdict in found.values():
        verdict.value[patients] = verdict.labels.index("NE")
        verdict.reason[patients] = reason
        for field in ROWS:
            getattr(verdict, field)[patients] = NONE
        for field in LENGTHS:
            if getattr(verdict, field) is not None:
                getattr(verdict, field)[patients] = NO_DAY
