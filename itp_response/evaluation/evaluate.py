"""Evaluate: criteria and a cohort in, verdicts out. The heart."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import Bools
from itp_response.evaluation.censored_counts import MOST, CensoredCounts, has_censored, left_open, of_baselines
from itp_response.evaluation.completions import ROWS_AT_ONCE, Completions, in_parts, joined, put, undecided
from itp_response.evaluation.criteria_set import CriteriaSet
from itp_response.evaluation.endpoints import KINDS
from itp_response.evaluation.partial_dates import completions_of, too_many
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.verdicts import Verdict, Verdicts

ROWS_PER_PIECE = 512_000
"""Large enough that numpy's work on a piece outweighs Python's, small enough to stay in the processor's cache."""

TIMED = {"time_to": ("days",), "extent": ("days", "of_days")}
"""The kinds whose verdicts have a length, and which."""


def evaluate(criteria: CriteriaSet, cohort: Cohort, threads: int | None = None) -> dict[str, Verdict]:
    """The verdicts on every endpoint, in the order of the file; rows are counted in the cohort.

    The cohort is cut between patients into pieces, which `threads` threads decide (default: one a processor).
    Where dates are known only in part, a verdict is given that is the same on all days that they may be.
    """
    if cohort.partial is None:
        return _evaluated(criteria, cohort, threads)
    # Of whom day 0 is not sure, a day 0 there must be all the same, for calendar months; all his courses follow.
    day_0 = cohort.day_0.copy()
    day_0[cohort.partial.patient] = cohort.partial.day_0
    found = _evaluated(criteria, replace(cohort, day_0=day_0), threads)
    reason = criteria.reasons["partial_date"]
    for some in completions_of(cohort.partial, cohort):
        joined(found, _evaluated(criteria, some.cohort, threads), some, cohort, reason)
    undecided(found, too_many(cohort.partial), reason)
    return found


def evaluate_completions(criteria: CriteriaSet, cohort: Cohort) -> Iterator[tuple[Completions, dict[str, Verdict]]]:
    """Each possible course of the patients with dates known only in part, and the verdicts on it."""
    if cohort.partial is not None:
        for some in completions_of(cohort.partial, cohort):
            yield some, _evaluated(criteria, some.cohort, 1)


def _evaluated(criteria: CriteriaSet, cohort: Cohort, threads: int | None) -> dict[str, Verdict]:
    """The verdicts where all dates are known."""
    found = _as_known(criteria, cohort, threads)
    unsure = np.flatnonzero(has_censored(cohort))
    for positions in in_parts(unsure, np.diff(cohort.first_row)[unsure], ROWS_PER_PIECE):
        some = cohort.taken(positions)
        open_ = left_open(criteria, patient_days_of(criteria, some, 0, len(some)))
        asked = np.flatnonzero(np.logical_or.reduce(list(open_.values())))
        if len(asked):
            some = some.taken(asked)
            where = {name: mask[asked] for name, mask in open_.items()}
            put(found, cohort, _of_bounds(criteria, some, threads), some, positions[asked], where)
    return found


def _of_bounds(criteria: CriteriaSet, cohort: Cohort, threads: int | None) -> dict[str, Verdict]:
    """The verdicts on patients of whom bounds leave something open: what is the same of all their courses."""
    found = _as_known(criteria, cohort, threads)
    reason = criteria.reasons["censored_count"]
    baselines, over, parts = _courses(criteria, cohort)
    each = _as_known(criteria, baselines.cohort, threads)
    for courses in parts:
        joined(each, _as_known(criteria, courses.cohort, threads), courses, baselines.cohort, reason)
    joined(found, each, baselines, cohort, reason)
    undecided(found, np.flatnonzero(over), reason)
    return found


def _courses(criteria: CriteriaSet, cohort: Cohort) -> tuple[Completions, Bools, Iterator[Completions]]:
    """The courses by baseline; whose are too many; and of the others those of each of these by counts."""
    baselines = of_baselines(criteria, cohort, patient_days_of(criteria, cohort, 0, len(cohort)))
    known = baselines.cohort
    counts = CensoredCounts(criteria, known, patient_days_of(criteria, known, 0, len(known)))
    ways = counts.ways()
    over = np.bincount(baselines.patient, ways, len(cohort)) > MOST
    able = np.flatnonzero(~over[baselines.patient])
    parts = in_parts(able, np.diff(known.first_row)[able] * ways[able], ROWS_AT_ONCE)
    return baselines, over, (counts.courses(some, ways[some].astype(np.int64)) for some in parts)


def evaluate_censored(criteria: CriteriaSet, cohort: Cohort) -> Iterator[tuple[Cohort, dict[str, Verdict]]]:
    """The possible courses of patients with counts known only as bounds, and the verdicts on them.

    A course has the rows of its patient. None is of a patient whose counts can lie in more ways than are looked at.
    """
    for courses in _courses(criteria, cohort)[2]:
        yield courses.cohort, _as_known(criteria, courses.cohort, 1)


def _as_known(criteria: CriteriaSet, cohort: Cohort, threads: int | None) -> dict[str, Verdict]:
    """The verdicts by what is known: what a bound leaves open is unknown."""
    cuts = _cuts(cohort)
    workers = min(threads or os.cpu_count() or 1, len(cuts) - 1)
    whole = Verdicts(len(cohort), len(cohort.day))
    whole.prepare(criteria.endpoints, {name: TIMED.get(model.kind, ()) for name, model in criteria.endpoints.items()})

    def piece(first: int, last: int) -> None:
        rows = patient_days_of(criteria, cohort, first, last)
        whole.fill(decided(criteria, rows), first, rows.offset, rows.nowhere)

    if workers <= 1:
        for first, last in pairwise(cuts):
            piece(first, last)
    else:
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(piece, first, last) for first, last in pairwise(cuts)]:
                done.result()
    return whole.found()


def patient_days_of(criteria: CriteriaSet, cohort: Cohort, first: int, last: int) -> PatientDays:
    """The rows of the patients `first` to `last` (not included) as these criteria see them."""
    return PatientDays(cohort, criteria.clock, criteria.rescues, criteria.baseline, first, last)


def decided(criteria: CriteriaSet, patient_days: PatientDays) -> dict[str, Verdict]:
    """The verdicts on the patients of one piece; rows are counted in the piece."""
    settled: dict[str, Verdict] = {}
    for name in criteria.order:
        model = criteria.endpoints[name]
        settled[name] = KINDS[model.kind].verdicts(model, patient_days, settled, criteria.reasons)
    return settled


def _cuts(cohort: Cohort) -> list[int]:
    """The patients at which pieces begin, and the number of patients."""
    rows = int(cohort.first_row[-1])
    wanted = np.arange(0, max(rows, 1), ROWS_PER_PIECE)
    cuts = np.unique(np.searchsorted(cohort.first_row[:-1], wanted))
    return [*(cut for cut in cuts.tolist() if cut < len(cohort)), len(cohort)] if len(cohort) else [0, 0]


def is_length(model: Any) -> bool:
    """Whether the endpoint is a length of time and no verdict."""
    return model.kind in TIMED and getattr(model, "at_least", None) is None
