"""Evaluate: a criteria set and a cohort in, verdicts out. The heart."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import Floats, Ints
from itp_response.evaluation.censored_counts import (
    MOST_COMPLETIONS,
    CensoredCounts,
    baseline_completions,
    has_censored,
    left_open,
)
from itp_response.evaluation.completions import (
    ROWS_AT_ONCE,
    Completions,
    in_batches,
    join,
    leave_open,
    replace_verdicts,
)
from itp_response.evaluation.criteria_set import CriteriaSet
from itp_response.evaluation.endpoints.endpoint import leave_undefined
from itp_response.evaluation.left_out import left_out_completions, undecided
from itp_response.evaluation.open_comparisons import OpenComparisons, suppose
from itp_response.evaluation.partial_dates import date_completions, too_many
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.tree import Relation
from itp_response.evaluation.verdicts import Verdict, Verdicts

ROWS_PER_BLOCK = 512_000
"""Large enough that numpy's work on a block outweighs Python's, small enough to stay in the processor's cache."""


def evaluate(criteria: CriteriaSet, cohort: Cohort, threads: int | None = None) -> dict[str, Verdict]:
    """The verdicts on every endpoint, in the order of the file, an entry per patient; rows are rows of the cohort.

    `threads` threads decide blocks of patients side by side (default: one per processor).
    Where dates or counts are known only in part, or cells were left out as they cannot be read, a value that is the
    same in all completions is given, else `NE`.
    Raises `CohortError` where a rule needs a column or dates that the cohort does not have, and `CriteriaError` where a
    rule has a product of censored counts.

    >>> from itp_response.cohort.notation import cohort_of
    >>> from itp_response.definitions.load import load
    >>> verdict = evaluate(load("atra_2022"), cohort_of(["d0 15, d22 40, d29 45", "d0 15, d22 20"]))["OR"]
    >>> [verdict.labels[value] for value in verdict.value], verdict.dated.tolist()
    (['Y', 'NE'], [1, -1])
    """
    verdicts = _of_dates(criteria, cohort, threads)
    if cohort.left_out is not None:
        reason = criteria.reasons["unreadable"]
        for completions in left_out_completions(cohort, criteria.rescues):
            of_completions = _evaluated(criteria, completions.cohort, threads)
            join(verdicts, of_completions, completions, cohort, reason)
        leave_open(verdicts, undecided(cohort, criteria.rescues), reason)
    return verdicts


def _of_dates(criteria: CriteriaSet, cohort: Cohort, threads: int | None) -> dict[str, Verdict]:
    """The verdicts by all days that partial dates may be."""
    if cohort.partial is None:
        return _evaluated(criteria, cohort, threads)
    # The completions of the patients with partial dates replace what comes of a first possible day.
    verdicts = _evaluated(criteria, with_a_day_0(cohort), threads)
    reason = criteria.reasons["partial_date"]
    for completions in date_completions(cohort.partial, cohort):
        of_completions = _evaluated(criteria, completions.cohort, threads)
        join(verdicts, of_completions, completions, cohort, reason)
    leave_open(verdicts, too_many(cohort.partial), reason)
    return verdicts


def with_a_day_0(cohort: Cohort) -> Cohort:
    """The cohort as if its first possible day were day 0 where that is not known: calendar months need a date."""
    if cohort.partial is None:
        return cohort
    day_0 = cohort.day_0.copy()
    day_0[cohort.partial.patient] = cohort.partial.day_0
    return replace(cohort, day_0=day_0, partial=None)


def evaluate_partial_dates(criteria: CriteriaSet, cohort: Cohort) -> Iterator[tuple[Completions, dict[str, Verdict]]]:
    """The completions of the patients with dates known only in part, some patients at a time, and their verdicts."""
    if cohort.partial is not None:
        for completions in date_completions(cohort.partial, cohort):
            yield completions, _evaluated(criteria, completions.cohort, 1)


def evaluate_censored(criteria: CriteriaSet, cohort: Cohort) -> Iterator[tuple[Cohort, dict[str, Verdict]]]:
    """The completions of the patients with censored counts, some patients at a time, and their verdicts.

    A completion has the rows of its patient. A patient with too many completions has none here.
    """
    for completions in _count_completions(criteria, cohort)[2]:
        yield completions.cohort, _as_known(criteria, completions.cohort, 1)


def numbers_of_completions(criteria: CriteriaSet, cohort: Cohort) -> Floats:
    """(P) In how many ways the censored counts of each patient are completed, at most; 1: none of them matters."""
    numbers = np.ones(len(cohort))
    censored = np.flatnonzero(has_censored(cohort))
    if len(censored):
        selected = cohort.select(censored)
        of_counts = _count_completions(criteria, selected)[1]
        numbers[censored] = of_counts * _open_comparisons(criteria, selected).numbers
    return numbers


def patient_days_of(criteria: CriteriaSet, cohort: Cohort, first: int, last: int) -> PatientDays:
    """The rows of the patients `first` to `last` (not included) as these criteria see them."""
    return PatientDays(cohort, criteria.clock, criteria.rescues, criteria.baseline, criteria.not_recorded, first, last)


def decide_endpoints(criteria: CriteriaSet, patient_days: PatientDays) -> dict[str, Verdict]:
    """The verdicts on the patients of one block; rows are rows of the block."""
    verdicts: dict[str, Verdict] = {}
    for name in criteria.order:
        model = criteria.endpoints[name]
        verdicts[name] = model.verdicts(patient_days, verdicts, criteria.reasons)
        leave_undefined(model, verdicts[name], patient_days, criteria.reasons)
    return verdicts


def _evaluated(criteria: CriteriaSet, cohort: Cohort, threads: int | None) -> dict[str, Verdict]:
    """The verdicts where all dates are known."""
    verdicts = _as_known(criteria, cohort, threads)
    censored = np.flatnonzero(has_censored(cohort))
    for positions in in_batches(censored, np.diff(cohort.first_row)[censored], ROWS_PER_BLOCK):
        selected = cohort.select(positions)
        left = left_open(criteria, patient_days_of(criteria, selected, 0, len(selected)))
        open_ = np.flatnonzero(np.logical_or.reduce(list(left.values())))
        if len(open_):
            selected = selected.select(open_)
            where = {name: mask[open_] for name, mask in left.items()}
            completed = _completed(criteria, selected, threads)
            replace_verdicts(verdicts, cohort, completed, selected, positions[open_], where)
    return verdicts


def _completed(criteria: CriteriaSet, cohort: Cohort, threads: int | None) -> dict[str, Verdict]:
    """The verdicts that are the same in all completions of the censored counts of each patient."""
    verdicts = _as_known(criteria, cohort, threads)
    reason = criteria.reasons["censored_count"]
    baselines, of_counts_alone, by_counts = _count_completions(criteria, cohort)
    of_baselines = _as_known(criteria, baselines.cohort, threads)
    numbers = np.zeros(len(cohort))
    for completions in by_counts:
        comparisons = _open_comparisons(criteria, completions.cohort)
        owner = baselines.patient[completions.patient]
        numbers += np.bincount(owner, comparisons.numbers, len(cohort))
        of_counts = _as_known(criteria, completions.cohort, threads)
        for of_truths, supposed in comparisons.completions(numbers[owner] <= MOST_COMPLETIONS):
            with_truths = _as_known(criteria, of_truths.cohort, threads, supposed)
            join(of_counts, with_truths, of_truths, completions.cohort, reason)
        join(of_baselines, of_counts, completions, baselines.cohort, reason)
    join(verdicts, of_baselines, baselines, cohort, reason)
    leave_open(verdicts, np.flatnonzero(np.maximum(of_counts_alone, numbers) > MOST_COMPLETIONS), reason)
    return verdicts


def _open_comparisons(criteria: CriteriaSet, cohort: Cohort) -> OpenComparisons:
    return OpenComparisons(criteria, cohort, patient_days_of(criteria, cohort, 0, len(cohort)))


def _count_completions(criteria: CriteriaSet, cohort: Cohort) -> tuple[Completions, Floats, Iterator[Completions]]:
    """The completions of the baselines; how many each patient has; and those of the counts, for each baseline."""
    cohort = replace(cohort, partial=None, imputed=None)
    baselines = baseline_completions(criteria, cohort, patient_days_of(criteria, cohort, 0, len(cohort)))
    known = baselines.cohort
    counts = CensoredCounts(criteria, known, patient_days_of(criteria, known, 0, len(known)))
    numbers = counts.numbers_of_completions()
    of_patients = np.bincount(baselines.patient, numbers, len(cohort)).astype(np.float64)
    able = np.flatnonzero(of_patients[baselines.patient] <= MOST_COMPLETIONS)
    batches = in_batches(able, np.diff(known.first_row)[able] * numbers[able], ROWS_AT_ONCE)
    return baselines, of_patients, (counts.completions(batch, numbers[batch].astype(np.int64)) for batch in batches)


def _as_known(
    criteria: CriteriaSet, cohort: Cohort, threads: int | None, supposed: Mapping[Relation, Ints] | None = None
) -> dict[str, Verdict]:
    """The verdicts by what is known, and by what is supposed of comparisons on rows: what is left open is unknown."""
    cuts = _cuts(cohort)
    workers = min(threads or os.cpu_count() or 1, len(cuts) - 1)
    whole = Verdicts(len(cohort), len(cohort.day))
    whole.prepare({name: model.numbers() for name, model in criteria.endpoints.items()})

    def decide_block(first: int, last: int) -> None:
        patient_days = patient_days_of(criteria, cohort, first, last)
        suppose(patient_days, supposed or {})
        whole.fill(decide_endpoints(criteria, patient_days), first, patient_days.offset, patient_days.nowhere)

    if workers <= 1:
        for first, last in pairwise(cuts):
            decide_block(first, last)
    else:
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(decide_block, first, last) for first, last in pairwise(cuts)]:
                done.result()
    return whole.by_name


def _cuts(cohort: Cohort) -> list[int]:
    """The patients with whom blocks begin, and the number of patients."""
    rows = int(cohort.first_row[-1])
    wanted = np.arange(0, max(rows, 1), ROWS_PER_BLOCK)
    cuts = np.unique(np.searchsorted(cohort.first_row[:-1], wanted))
    return [*(cut for cut in cuts.tolist() if cut < len(cohort)), len(cohort)] if len(cohort) else [0, 0]
