"""Evaluate: criteria and a cohort in, verdicts out. The heart."""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from itp_response.cohort import Cohort, Ints
from itp_response.criteria import Criteria
from itp_response.endpoints import KINDS
from itp_response.rules import Numbers, exactly
from itp_response.timeline import Timeline
from itp_response.verdicts import NONE, Verdict, Verdicts

ROWS_PER_PIECE = 256_000
"""Large enough that numpy's work on a piece outweighs Python's, small enough to stay in the processor's cache."""

TIMED = {"time_to": ("days",), "extent": ("days", "of_days")}
"""The kinds whose verdicts have a length, and which."""


def evaluate(criteria: Criteria, cohort: Cohort, threads: int | None = None) -> dict[str, Verdict]:
    """The verdicts on every criterion, in the order of the file; rows are counted in the cohort.

    The cohort is cut between patients into pieces, which `threads` threads decide (default: one a processor).
    """
    baseline = baseline_of(criteria, cohort)
    cuts = _cuts(cohort)
    workers = min(threads or os.cpu_count() or 1, len(cuts) - 1)
    whole = Verdicts(len(cohort), len(cohort.day))
    whole.prepare(criteria.criteria, {name: TIMED.get(model.kind, ()) for name, model in criteria.criteria.items()})

    def piece(first: int, last: int) -> None:
        rows = timeline(criteria, cohort, baseline, first, last)
        whole.fill(decided(criteria, rows), first, rows.offset)

    if workers <= 1:
        for first, last in pairwise(cuts):
            piece(first, last)
    else:
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(piece, first, last) for first, last in pairwise(cuts)]:
                done.result()
    return whole.found()


def timeline(criteria: Criteria, cohort: Cohort, baseline: Numbers, first: int, last: int) -> Timeline:
    """The rows of the patients `first` to `last` (not included) as these criteria see them."""
    return Timeline(cohort, criteria.file.clock, criteria.rescues, baseline, first, last)


def decided(criteria: Criteria, rows: Timeline) -> dict[str, Verdict]:
    """The verdicts on the patients of one piece; rows are counted in the piece."""
    settled: dict[str, Verdict] = {}
    for name in criteria.order:
        model = criteria.criteria[name]
        settled[name] = KINDS[model.kind].verdicts(model, rows, settled, criteria.reasons)
    return settled


def _cuts(cohort: Cohort) -> list[int]:
    """The patients at which pieces begin, and the number of patients."""
    rows = int(cohort.first_row[-1])
    wanted = np.arange(0, max(rows, 1), ROWS_PER_PIECE)
    cuts = np.unique(np.searchsorted(cohort.first_row[:-1], wanted))
    return [*(cut for cut in cuts.tolist() if cut < len(cohort)), len(cohort)] if len(cohort) else [0, 0]


def baseline_of(criteria: Criteria, cohort: Cohort) -> Numbers:
    """Each patient's baseline: the patient table's, else the count that `[baseline]` picks, else NaN."""
    given = cohort.baseline
    row = baseline_row(criteria, cohort)
    rule = criteria.file.baseline
    counts = cohort.platelets
    if rule.pick == "last":
        picked = _at(counts, row)
    else:
        flagged = np.flatnonzero(_eligible(criteria, cohort))
        picked = _at(counts, row)
        owner = cohort.patient[flagged]
        if len(flagged):
            begins = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
            bounds = []
            for values in (counts.low, counts.high):
                found = np.full(len(cohort), np.nan)
                if rule.pick == "lowest":
                    found[owner[begins]] = np.minimum.reduceat(values[flagged], begins)
                else:
                    number = np.diff(np.append(begins, len(flagged)))
                    found[owner[begins]] = np.add.reduceat(values[flagged], begins) / number
                bounds.append(found)
            picked = exactly(bounds[0]) if counts.exact else Numbers(*bounds)
    missing = np.isnan(given.low)
    low = np.where(missing, picked.low, given.low)
    if given.exact and picked.exact:
        return exactly(low)
    return Numbers(low, np.where(missing, picked.high, given.high))


def baseline_row(criteria: Criteria, cohort: Cohort) -> Ints:
    """The last row with a count in the days of `[baseline]`, per patient; -1 if none."""
    flagged = np.flatnonzero(_eligible(criteria, cohort))
    found = np.full(len(cohort), NONE, dtype=np.int64)
    found[cohort.patient[flagged]] = flagged  # of several for a patient the last assignment stands
    return found


def _eligible(criteria: Criteria, cohort: Cohort) -> np.ndarray:
    first, last = criteria.file.baseline.days
    return (cohort.day >= first) & (cohort.day <= last) & ~np.isnan(cohort.platelets.low)


def _at(values: Numbers, row: Ints) -> Numbers:
    if not len(values.low):
        return exactly(np.full(len(row), np.nan))
    low = np.where(row != NONE, values.low[row], np.nan)
    return exactly(low) if values.exact else Numbers(low, np.where(row != NONE, values.high[row], np.nan))
