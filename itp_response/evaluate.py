"""Evaluate: criteria and a cohort in, verdicts out. The heart."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from itp_response.cohort import Cohort
from itp_response.criteria import Criteria
from itp_response.endpoints import KINDS
from itp_response.timeline import Timeline
from itp_response.verdicts import Verdict, Verdicts
from itp_response.worlds import Worlds, joined, too_many, undecided, worlds

ROWS_PER_PIECE = 512_000
"""Large enough that numpy's work on a piece outweighs Python's, small enough to stay in the processor's cache."""

TIMED = {"time_to": ("days",), "extent": ("days", "of_days")}
"""The kinds whose verdicts have a length, and which."""


def evaluate(criteria: Criteria, cohort: Cohort, threads: int | None = None) -> dict[str, Verdict]:
    """The verdicts on every criterion, in the order of the file; rows are counted in the cohort.

    The cohort is cut between patients into pieces, which `threads` threads decide (default: one a processor).
    Where dates are known only in part, a verdict is given that is the same on all days that they may be.
    """
    found = _evaluated(criteria, cohort, threads)
    if cohort.partial is not None:
        reason = criteria.reasons["partial_date"]
        for some in worlds(cohort.partial, cohort):
            joined(found, _evaluated(criteria, some.cohort, threads), some, cohort, reason)
        undecided(found, too_many(cohort.partial), reason)
    return found


def evaluate_worlds(criteria: Criteria, cohort: Cohort) -> Iterator[tuple[Worlds, dict[str, Verdict]]]:
    """Each possible course of the patients with dates known only in part, and the verdicts on it."""
    if cohort.partial is not None:
        for some in worlds(cohort.partial, cohort):
            yield some, _evaluated(criteria, some.cohort, 1)


def _evaluated(criteria: Criteria, cohort: Cohort, threads: int | None) -> dict[str, Verdict]:
    cuts = _cuts(cohort)
    workers = min(threads or os.cpu_count() or 1, len(cuts) - 1)
    whole = Verdicts(len(cohort), len(cohort.day))
    whole.prepare(criteria.criteria, {name: TIMED.get(model.kind, ()) for name, model in criteria.criteria.items()})

    def piece(first: int, last: int) -> None:
        rows = timeline(criteria, cohort, first, last)
        whole.fill(decided(criteria, rows), first, rows.offset, rows.nowhere)

    if workers <= 1:
        for first, last in pairwise(cuts):
            piece(first, last)
    else:
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(piece, first, last) for first, last in pairwise(cuts)]:
                done.result()
    return whole.found()


def timeline(criteria: Criteria, cohort: Cohort, first: int, last: int) -> Timeline:
    """The rows of the patients `first` to `last` (not included) as these criteria see them."""
    return Timeline(cohort, criteria.file.clock, criteria.rescues, criteria.file.baseline, first, last)


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
