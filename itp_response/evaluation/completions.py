"""Completions: where data are partial, what may have been observed of a patient in full.

Each completion of a patient is decided like a patient of its own, and what is the same in all of them is the verdict.
No kind of endpoint knows of it. `partial_dates` completes dates, `censored_counts` completes counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import NO_DAY, NONE, Bools, Floats, Ints, ranges
from itp_response.evaluation.verdicts import NUMBERS, ROWS, Codes, Verdict

ROWS_AT_ONCE = 2_000_000
"""Observations of completions that are held together, at most."""


@dataclass(frozen=True)
class Completions:
    """Completions of some patients (K), each a patient of a cohort."""

    cohort: Cohort
    patient: Ints
    """(K) The patient completed: position in the cohort of the partial data, in order."""
    number: Ints
    """(K) Number among the completions of the patient; 0 has the first day of each date."""


def in_batches(positions: Ints, rows: Ints | Floats, most: int) -> Iterator[Ints]:
    """The positions in batches of about `most` rows; `rows` is the number of rows of each position.

    >>> [batch.tolist() for batch in in_batches(np.arange(4), np.array([3, 3, 3, 3]), 7)]
    [[0, 1], [2, 3]]
    """
    for batch in np.split(positions, np.flatnonzero(np.diff(np.cumsum(rows) // most)) + 1):
        if len(batch):
            yield batch


def choices(owner: Ints, options: Ints, most: int, item: Ints, number: Ints | np.int64) -> Ints:
    """Which option each completion chooses for an item: an index below the item's number of options.

    `owner` is the patient of every item, in order, and `options` its number of options; `item` and `number` are the
    items asked about and the numbers of the completions. A patient has at most `most` completions.
    They are counted like an odometer: the first item of a patient turns at every number.

    >>> item, number = np.array([0, 0, 1, 1]), np.array([1, 2, 1, 2])
    >>> choices(np.array([0, 0]), np.array([2, 3]), 100, item, number)
    array([1, 0, 0, 1])
    """
    logarithm = np.log(options)
    before = np.cumsum(logarithm) - logarithm
    first = np.searchsorted(owner, owner)
    # After how many numbers each item turns. Below `most`, logarithms are exact enough.
    step: Ints = np.rint(np.exp(np.minimum(before - before[first], np.log(most) + 1))).astype(np.int64)
    chosen: Ints = number // step[item] % options[item]
    return chosen


def chosen(owner: Ints, options: Ints, patient: Ints, number: Ints) -> tuple[Ints, Ints, Ints]:
    """What completions choose of the items of their patients: the completion, the item, and the index of the option.

    `owner` and `options` are of the items, as for `choices`; `patient` and `number` are those of the completions.

    >>> [of.tolist() for of in chosen(np.array([0, 0, 1]), np.array([2, 3, 2]), np.array([0, 1]), np.array([4, 1]))]
    [[0, 0, 1], [0, 1, 2], [0, 2, 1]]
    """
    begin, end = (np.searchsorted(owner, patient, side=side) for side in ("left", "right"))
    completion, item = ranges(begin, end)
    most = int(number.max(initial=0)) + 1
    return completion, item, choices(owner, options, most, item, number[completion])


def join(
    verdicts: Mapping[str, Verdict],
    of_completions: Mapping[str, Verdict],
    completions: Completions,
    cohort: Cohort,
    reason: np.int16,
) -> None:
    """Put into the verdicts on a cohort what is the same in all completions of a patient.

    A value that differs is `NE`, with that reason. Days, evidence and lengths that differ are missing.
    """
    start = np.flatnonzero(np.diff(completions.patient, prepend=-1))
    patients = completions.patient[start]
    for name, verdict in of_completions.items():
        whole = verdicts[name]
        sure = _same(verdict.value, start)
        same_reason = sure & _same(verdict.reason, start)
        whole.value[patients] = np.where(sure, verdict.value[start], whole.labels.index("NE"))
        whole.reason[patients] = np.where(same_reason, verdict.reason[start], reason)
        for field in ROWS:
            rows = _same_rows(getattr(verdict, field), completions.cohort, start, field != "dated")
            # The rows of the first completion are the cohort's own.
            row = rows - completions.cohort.first_row[start] + cohort.first_row[patients]
            getattr(whole, field)[patients] = np.where(sure & (rows != NONE), row, NONE)
        for field in NUMBERS:
            days = getattr(verdict, field)
            if days is not None:
                getattr(whole, field)[patients] = np.where(sure & _same(days, start), days[start], NO_DAY)


def replace_verdicts(
    verdicts: Mapping[str, Verdict],
    cohort: Cohort,
    of_selected: Mapping[str, Verdict],
    selected: Cohort,
    positions: Ints,
    where: Mapping[str, Bools],
) -> None:
    """Put into the verdicts on a cohort those on selected patients, which stand at these positions.

    `where` has the selected patients whose verdict is replaced, by endpoint.
    """
    for name, verdict in of_selected.items():
        whole, chosen = verdicts[name], np.flatnonzero(where[name])
        at = positions[chosen]
        whole.value[at], whole.reason[at] = verdict.value[chosen], verdict.reason[chosen]
        for field in ROWS:
            rows = getattr(verdict, field)[chosen]
            row = rows - selected.first_row[chosen] + cohort.first_row[at]
            getattr(whole, field)[at] = np.where(rows == NONE, NONE, row)
        for field in NUMBERS:
            if getattr(whole, field) is not None:
                getattr(whole, field)[at] = getattr(verdict, field)[chosen]


def leave_open(verdicts: Mapping[str, Verdict], patients: Ints, reason: np.int16) -> None:
    """Make the verdicts on these patients `NE`, with that reason and no evidence."""
    for verdict in verdicts.values():
        verdict.value[patients] = verdict.labels.index("NE")
        verdict.reason[patients] = reason
        for field in ROWS:
            getattr(verdict, field)[patients] = NONE
        for field in NUMBERS:
            if getattr(verdict, field) is not None:
                getattr(verdict, field)[patients] = NO_DAY


def _same(values: Ints | Codes, start: Ints) -> Bools:
    """Whether the values are equal from each start to the next."""
    return np.equal(np.minimum.reduceat(values, start), np.maximum.reduceat(values, start))


def _same_rows(rows: Ints, cohort: Cohort, start: Ints, and_line: bool) -> Ints:
    """The row of each patient's first completion, if it is of the same day (and line) in all of them; else -1."""
    if not len(cohort.day):
        return np.full(len(start), NONE)
    given, at = rows != NONE, np.maximum(rows, 0)
    same = _same(np.where(given, cohort.day[at], np.int64(NO_DAY)), start)
    if and_line:
        same &= _same(np.where(given, cohort.source_row[at], NONE), start)
    return np.where(same, rows[start], NONE)
