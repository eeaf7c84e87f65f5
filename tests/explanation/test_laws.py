"""Laws of what is said of a verdict, over random patients and all shipped sets.

They hold what `Endpoint.account` and the explanations say against the definitions, and against what the engine decides
when the patients are changed as the explanation says.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise, product
from typing import Any

import numpy as np
import own_words
import pytest
from random_studies import Decided, decided_study

from itp_response.classification.classification import Classification, classify
from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import column_of, in_table
from itp_response.cohort.edited import concatenated, copied_courses, copied_patients, copied_rows, replaced
from itp_response.cohort.observations import Observations
from itp_response.cohort.values import NONE, Column, Numbers, Texts, Truths, exactly, ranges
from itp_response.definitions.load import shipped
from itp_response.evaluation.endpoints import Endpoint
from itp_response.evaluation.endpoints.account import (
    ASIDE,
    DISCOUNTED,
    FAILS,
    PASSED_OVER,
    QUALIFIES,
    TOO_SOON,
    UNKNOWN,
    Account,
)
from itp_response.evaluation.endpoints.endpoint import OfVerdicts, excluded, without_days
from itp_response.evaluation.patient_days import Flagged, PatientDays
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.tree import Rule, cause, names_in, reason
from itp_response.evaluation.verdicts import NE, N, Y
from itp_response.explanation.decided import DecidedPatients
from itp_response.explanation.deciding import deciding_clauses
from itp_response.explanation.entries import WrittenRows
from itp_response.explanation.explain import Explanation, explained
from itp_response.explanation.missing import missing_in_words
from itp_response.explanation.one_patient import of_one, of_some
from itp_response.explanation.origins import rests_on, unmet_origin
from itp_response.explanation.partial_dates import dates_not_deciding
from itp_response.explanation.records import ExplainedRows
from itp_response.explanation.thresholds import plain_thresholds

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
PATIENTS = 2000 if LONG else 120
WORDED = 300 if LONG else 12
"""The patients of each set whose explanations are put in words, one by one."""
SEED = int(os.environ.get("LAWS_SEED", "1"))
SETS = [*shipped(), own_words.NAME]
of_every_set = pytest.mark.parametrize("name", SETS)
ENDED_IN = ("censored_count", "partial_date")
"""Reasons that belong to no row: they come of completing the data."""


def study_of(name: str) -> Decided:
    return decided_study(name, PATIENTS, SEED)


def none_of(study: Decided, name: str, wrong: np.ndarray, why: str, of_rows: bool = True) -> None:
    """Fails with the first patient for which it is wrong (a mask of rows or patients)."""
    if not wrong.any():
        return
    at = int(np.flatnonzero(wrong)[0])
    patient = int(study.cohort.patient[at]) if of_rows else at
    day = f" day {study.cohort.day[at]}" if of_rows else ""
    verdict = study.verdicts[name]
    value = verdict.labels[verdict.value[patient]]
    said = "\n".join(str(one) for one in explanations(study.classification, patient, [name]))
    pytest.fail(f"{int(wrong.sum())} times: {why}: {name} of P{patient}{day} is {value}\n{said}", pytrace=False)


def explanations(classification: Classification, patient: int, names: list[str]) -> list[Explanation]:
    return explained(of_one(classification, patient), names, {})


def on_rows(study: Decided) -> Iterator[tuple[str, Endpoint, Account, Rule]]:
    """The endpoints decided from rows, with their accounts and the rule for the state."""
    for name, model in study.criteria.endpoints.items():
        if model.state is not None:
            yield name, model, study.accounts[name], model.state


# 1. WHAT A ROW IS SAID TO DO, IT DOES


@of_every_set
def test_what_qualifies_lies_in_the_window(name):
    study = study_of(name)
    for endpoint, model, account, _ in on_rows(study):
        qualifies = account.part == QUALIFIES
        for why, where in outside(study, model).items():
            none_of(study, endpoint, qualifies & where, f"qualifies, but {why}")


def outside(study: Decided, model: Endpoint) -> dict[str, np.ndarray]:
    """(N) The rows that cannot count, by why, read from the definition."""
    pd, row = study.patient_days, np.arange(len(study.cohort.day))
    first, last = (pd.each(day)[pd.patient] for day in model.days_looked_at())
    if not hasattr(model, "days") and model.origins() and model.kind != "at":
        first = -np.inf  # it begins with the day of the other, whichever that is
    start = np.zeros(pd.patients)
    why = {"excluded": excluded(model, pd)[pd.patient]}
    for key, other in model.references().items():
        verdict = study.verdicts[other]
        met = verdict.value == Y
        if key in ("from", "after"):
            begin = verdict.last_evidence + 1 if key == "after" else verdict.dated
            if getattr(model, "counted_from", "day") == "confirming":
                begin = np.where(verdict.confirming == NONE, begin, verdict.confirming)
            why[f"{other} is not met"] = ~met[pd.patient]
            why[f"before {other}"] = row < begin[pd.patient]
            if model.kind == "at":
                start = np.where(met, pd.day_of(verdict.dated), 0)
        elif key == "until":
            # Met on all completions of the data, it may have no row.
            dated = np.where(met & (verdict.dated != NONE), verdict.dated, len(row))
            why[f"not before {other}"] = row >= dated[pd.patient]
    day = pd.day - start[pd.patient]
    why["outside the days looked at"] = (day < first) | (day > last)
    return why | by_rules(study, model, (pd.day >= first) & (pd.day <= last), day)


def by_rules(study: Decided, model: Endpoint, in_days: np.ndarray, day: np.ndarray) -> dict[str, np.ndarray]:
    """(N) The rows that cannot count for a rule: set aside, discounted, or from the row on that closes it."""
    pd, rules = study.patient_days, {key: rule for key, rule, of in model.rules() if of == "rows"}
    why = {}
    for key in ("discount", "set_aside"):
        if key in rules:
            why[key] = ~decide(rules[key].tree, pd).false
    if "closed_by" in rules:
        closing = decide(rules["closed_by"].tree, pd).true
        # What closes it is looked for on the days looked at, after the landmark's day 0, or on any day.
        closing = closing & {"achieved": in_days, "at": day > 0}.get(model.kind, True)
        first = Flagged(closing).first_in(pd.begin, pd.end)[pd.patient]
        why["closed"] = (first != NONE) & (np.arange(len(closing)) >= first)
    return why


@of_every_set
def test_the_rule_is_what_the_part_of_a_row_says(name):
    study = study_of(name)
    pd = study.patient_days
    for endpoint, model, account, rule in on_rows(study):
        state, part = decide(rule.tree, pd), account.part
        if getattr(model, "at_once", None) is not None:
            alone = decide(model.at_once.tree, pd)
            none_of(study, endpoint, (part == QUALIFIES) & ~(state.true | alone.true), "neither is so")
            none_of(study, endpoint, (part == FAILS) & ~(state.false & ~alone.true), "one is so")
            continue
        for played, truth in ((QUALIFIES, state.true), (TOO_SOON, state.true), (FAILS, state.false)):
            none_of(study, endpoint, (part == played) & ~truth, f"{rule} is not so where the part is {played}")
        none_of(study, endpoint, (part == UNKNOWN) & ~state.unknown, f"{rule} is known")
        discounts = [each for key, each, of in model.rules() if key == "discount"]
        no_evidence = ~decide(discounts[0].tree, pd).false if discounts else np.zeros(len(part), dtype=np.bool_)
        none_of(study, endpoint, (part == DISCOUNTED) & ~no_evidence, "discounted, but the rule is false")
        none_of(study, endpoint, np.isin(part, (QUALIFIES, TOO_SOON)) & no_evidence, "counts, but is discounted")


# 2. WHAT IS MET SHOWS ITS EVIDENCE


@of_every_set
def test_the_evidence_of_what_is_met_is_marked(name):
    study = study_of(name)
    for endpoint, model in study.criteria.endpoints.items():
        verdict, account = study.verdicts[endpoint], study.accounts[endpoint]
        if model.sums_up:
            continue
        for field in ("onset", "confirming", "ended"):
            row = getattr(verdict, field)
            shown = (verdict.value == Y) & (row != NONE)
            marked = np.logical_or.reduce([mark.row == row for mark in account.marks])
            none_of(study, endpoint, shown & ~marked, f"{field} has no mark", of_rows=False)
            if model.row_rules() and not (field == "onset" and model.is_lost):
                aside = np.isin(account.part[np.maximum(row, 0)], ASIDE)
                none_of(study, endpoint, shown & aside, f"{field} was not looked at", of_rows=False)


# 3. THE ROW THAT IS NAMED SHOWS THE REASON


@of_every_set
def test_the_row_that_ended_it_shows_the_reason(name):
    study = study_of(name)
    pd = study.patient_days
    for endpoint, model, account, rule in on_rows(study):
        verdict, reasons = study.verdicts[endpoint], study.reasons(endpoint)
        holds = model.is_lost is not None
        asked = (verdict.value == (Y if holds else N)) & (verdict.ended != NONE) & ~np.isin(reasons, ENDED_IN)
        for event in account.events:
            here = asked & (event.row == verdict.ended)
            wrong = here & (reasons != (reason(event.what) if isinstance(event.what, Rule) else event.what))
            none_of(study, endpoint, wrong, "the reason is not what ended it", of_rows=False)
            asked = asked & ~here
        patients = np.flatnonzero(asked)
        rows = verdict.ended[patients]
        wrong = asked.copy()
        wrong[patients] = account.part[rows] != (QUALIFIES if holds else FAILS)
        none_of(study, endpoint, wrong, "the row that ended it did not", of_rows=False)
        wrong[patients] = causes_at(rule, pd, rows, holds) != reasons[patients]
        alone = getattr(model, "at_once", None)
        if holds and alone is not None:
            by_itself = decide(alone.tree, pd).true[rows]
            wrong[patients[by_itself]] = causes_at(alone, pd, rows[by_itself], holds) != reasons[patients[by_itself]]
        none_of(study, endpoint, wrong, "another clause is named than that of the reason", of_rows=False)


def causes_at(rule: Rule, patient_days: PatientDays, rows: np.ndarray, holds: bool) -> np.ndarray:
    """What the clause is about by which the rule is true, or false, at each row."""
    deciding = deciding_clauses(rule.tree, patient_days, rows, holds=holds)
    return np.array([cause(clause) for clause, _ in deciding.clauses] or [""])[deciding.code]


def of_itself(study: Decided, endpoint: str) -> np.ndarray:
    """(P) The patients for which the endpoint is not evaluable, because of no other endpoint."""
    others = [where for _, where in study.accounts[endpoint].decided_by]
    model, patient_days = study.criteria.endpoints[endpoint], study.patient_days
    of_the_patient = excluded(model, patient_days) | without_days(model, patient_days)
    return study.is_ne(endpoint) & ~np.logical_or.reduce([*others, of_the_patient])


@of_every_set
def test_what_was_not_recorded_is_shown_at_a_row(name):
    study = study_of(name)
    pd = study.patient_days
    for endpoint, model, account, rule in on_rows(study):
        unknown = (account.part == UNKNOWN) & pd.has_count
        rules = [rule, getattr(model, "at_once", None) or rule]
        names = {each for one in rules for each in names_in(one.tree)}
        for why, missing in {
            "bleeding_not_recorded": np.isnan(study.cohort.bleeding_grade),
            "baseline_missing": np.isnan(pd.baseline.low)[pd.patient],
            "not_recorded": np.logical_or.reduce([unknown_in(pd.values(each)) for each in names]),
        }.items():
            asked = of_itself(study, endpoint) & (study.reasons(endpoint) == why)
            none_of(study, endpoint, asked & ~any_of(study, unknown & missing), f"{why}, at no row", of_rows=False)


def unknown_in(column: Column) -> np.ndarray:
    match column:
        case Numbers(low=low):
            return np.isnan(low)
        case Truths():
            return column.unknown
        case Texts(codes=codes):
            return codes < 0


def any_of(study: Decided, rows: np.ndarray) -> np.ndarray:
    """(P) The patients with such a row."""
    return np.bincount(study.patient_days.patient[rows], minlength=len(study.cohort)) > 0


# 4. WHAT IS MISSING WOULD SETTLE IT


@of_every_set
def test_with_what_is_missing_it_is_not_open_for_the_same_reason(name):
    study = study_of(name)
    for endpoint, model in study.criteria.endpoints.items():
        reasons = study.reasons(endpoint)
        asked = of_itself(study, endpoint) & ~np.isin(reasons, ENDED_IN)
        for other in model.origins():  # where it starts on different days in the completions, so do the gaps
            asked &= study.verdicts[other].dated != NONE
        if model.state is None or not asked.any():
            continue
        for fill, asked_of in ways_to_fill(study, endpoint, asked):
            for patients, filled, known in fill(study, endpoint, asked_of):
                after = Decided(classify(filled, criteria=study.criteria))
                same = after.is_ne(endpoint) & (after.reasons(endpoint) == reasons[patients]) & known(after, model)
                wrong = np.zeros(len(study.cohort), dtype=np.bool_)
                wrong[patients[same]] = True
                none_of(study, endpoint, wrong, f"still so after {fill.__name__}", of_rows=False)


Filled = Iterator[tuple[np.ndarray, Cohort, Callable[[Decided, Endpoint], np.ndarray]]]
"""Patients, each once for every value tried, with what is filled in, and (P) where that is known to count."""


def ways_to_fill(
    study: Decided, endpoint: str, asked: np.ndarray
) -> Iterator[tuple[Callable[..., Filled], np.ndarray]]:
    """What is missing of each patient asked about (P), in the order in which it is said."""
    account, reasons = study.accounts[endpoint], study.reasons(endpoint)
    nobody = np.zeros_like(asked)
    unknown = any_of(study, (account.part == UNKNOWN) & study.patient_days.has_count)
    doubtful = nobody if account.doubtful is None else any_of(study, account.doubtful)
    missed = np.logical_or.reduce([nobody, *(missed.where for missed in account.missed if missed.is_open)])
    needed = nobody if account.missing_from is None else ~np.isnan(account.missing_from)
    ways = (
        (with_the_gap_filled, reasons == "gap_in_counts"),
        (with_a_baseline, reasons == "baseline_missing"),
        (with_no_day, needed & (account.missing_from > account.missing_to) if needed.any() else nobody),
        (with_the_count_needed, needed),
        (with_all_that_is_open, unknown | doubtful | missed),
    )
    for fill, where in ways:
        patients = np.flatnonzero(asked & where)
        asked = asked & ~where
        if len(patients):
            yield fill, patients
    none_of(study, endpoint, asked, "nothing is missing", of_rows=False)


def everyone(after: Decided, model: Endpoint) -> np.ndarray:
    return np.ones(len(after.cohort), dtype=np.bool_)


def with_a_baseline(study: Decided, endpoint: str, patients: np.ndarray) -> Filled:
    each, baseline = tried(patients, (10.0, 60.0))
    yield patients[each], with_counts(study, patients[each], [], baseline=baseline), everyone


def tried(patients: np.ndarray, values: Iterable[Any]) -> tuple[np.ndarray, np.ndarray]:
    """The position of each patient once for every value, and these values."""
    each, of_values = np.meshgrid(np.arange(len(patients)), list(values), indexing="ij")
    return each.ravel(), of_values.ravel()


def with_no_day(study: Decided, endpoint: str, patients: np.ndarray) -> Filled:
    """The days of these end before they begin: no count could settle it."""
    yield from ()


def with_the_count_needed(study: Decided, endpoint: str, patients: np.ndarray) -> Filled:
    """A count of which the state is known, and that is not passed over or discounted, on a day named."""
    account = study.accounts[endpoint]
    first, last = account.missing_from[patients], account.missing_to[patients]
    first = np.where(np.isfinite(first), first, np.where(np.isfinite(last), last - 5, 0))
    last = np.where(np.isfinite(last), last, first + 40)
    days = np.array([first, last, np.floor((first + last) / 2)]).astype(np.int64)
    each, case = tried(patients, range(len(days) * len(heights(study))))
    which, height = np.divmod(case, len(heights(study)))
    day, count = days[which, each], np.array(heights(study))[height]
    yield patients[each], with_counts(study, patients[each], [(np.arange(len(each)), day, count)]), counts_on(day)


def counts_on(days: np.ndarray) -> Callable[[Decided, Endpoint], np.ndarray]:
    """(P) Where the row of each patient's day is in the state or out of it, and is neither passed over nor discounted."""

    def counts(after: Decided, model: Endpoint) -> np.ndarray:
        pd = after.patient_days
        row = pd.at_or_after(days)
        state = decide(model.state.tree, pd)
        known = state.true | state.false
        for rule in model.discounting_rules():
            known &= decide(rule.tree, pd).false
        return known[row]

    return counts


def heights(study: Decided) -> list[float]:
    """A count below all thresholds, one above all, and one at each."""
    return [1.0, *plain_thresholds(study.criteria), 390.0]


def with_the_gap_filled(study: Decided, endpoint: str, patients: np.ndarray) -> Filled:
    """Counts in the state, a week apart, in all gaps."""
    gaps, cohort = study.accounts[endpoint].gaps, study.cohort
    after = np.flatnonzero(gaps != NONE)
    after = after[np.isin(cohort.patient[after], patients)]
    gap, day = ranges(cohort.day[gaps[after]] + 1, cohort.day[after])
    owner = np.searchsorted(patients, cohort.patient[after])[gap]
    weekly = (cohort.day[after][gap] - day) % 7 == 0
    yield patients, with_counts(study, patients, [(owner[weekly], day[weekly], 390.0)]), everyone


def with_all_that_is_open(study: Decided, endpoint: str, patients: np.ndarray) -> Filled:
    """All recorded that was not, and a count at each missed visit; of those whose rows then all count."""
    each, count = tried(patients, heights(study))
    patients, added = patients[each], []
    for missed in study.accounts[endpoint].missed:
        owner = np.flatnonzero(missed.where[patients] & missed.is_open)
        added.append((owner, missed.day[patients[owner]], count[owner]))
    yield patients, with_counts(study, patients, added, baseline=15.0, recorded=True), all_count


def all_count(after: Decided, model: Endpoint) -> np.ndarray:
    """(P) The patients with no row that is passed over, or discounted and leaves it open."""
    account = after.accounts[next(name for name, other in after.criteria.endpoints.items() if other is model)]
    aside = account.part == PASSED_OVER
    return ~any_of(after, aside if account.doubtful is None else aside | account.doubtful)


def with_counts(
    study: Decided,
    patients: np.ndarray,
    added: list[tuple[np.ndarray, np.ndarray, float | np.ndarray]],
    *,
    baseline: float | np.ndarray = np.nan,
    recorded: bool = False,
) -> Cohort:
    """These patients with further counts, a baseline, or all recorded that was not: no bleeding, columns false or 0."""
    cohort, declared = study.cohort, study.criteria.file.columns
    copied = copied_patients(cohort, patients)
    rows = copied_rows(cohort, patients)
    if recorded:
        grade = np.where(np.isnan(rows.bleeding_grade), 0.0, rows.bleeding_grade)
        columns = {name: known_throughout(column) for name, column in rows.columns.items()}
        rows = replace(rows, bleeding_grade=grade, columns=columns)
        copied = replace(copied, columns={name: known_throughout(each) for name, each in copied.columns.items()})
    missing = np.isnan(copied.baseline.low) & ~np.isnan(baseline)
    copied = replace(copied, baseline=replaced(copied.baseline, missing, np.full(len(patients), baseline)))
    in_visits = in_table(declared, "visits")
    further = []
    for owner, day, count in added:
        size = len(owner)
        empty = {name: known_throughout(column_of([None] * size, each)) for name, each in in_visits.items()}
        further.append(
            Observations(
                patient=owner,
                day=day,
                platelets=exactly(np.full(size, count)),
                bleeding_grade=np.zeros(size),
                rescue=np.zeros(size, dtype=np.bool_),
                rescue_end=day,
                source_row=np.full(size, NONE),
                columns=empty,
            )
        )
    observed = concatenated([rows, copied_courses(cohort, patients)[0], *further], list(in_visits))
    return build(copied, replace(observed, declared=in_visits))


def known_throughout(column: Column) -> Column:
    match column:
        case Numbers(low=low):
            return exactly(np.where(np.isnan(low), 0.0, low))
        case Truths(true=true):
            return Truths(true, ~true)
    return column


# 5. NO FOLLOW-UP ENDED THAT DID NOT


@of_every_set
def test_follow_up_ended_only_where_it_did(name):
    study = study_of(name)
    last = study.patient_days.last_counted_day
    for endpoint, model in study.criteria.endpoints.items():
        if model.state is None:
            continue
        asked = of_itself(study, endpoint) & (study.reasons(endpoint) == "follow_up_ended")
        begin = study.accounts[endpoint].missing_from
        begin = np.full(len(last), np.nan) if begin is None else begin
        none_of(study, endpoint, asked & ~(last < begin), "follow-up did not end before", of_rows=False)


# 6. WORDS DO NOT CONTRADICT


@cache
def all_explanations(name: str) -> list[tuple[int, Explanation]]:
    study = study_of(name)
    names = list(study.criteria.endpoints)
    return [(patient, one) for patient in range(WORDED) for one in explanations(study.classification, patient, names)]


@of_every_set
def test_only_what_is_not_evaluable_misses_something(name):
    for _, explanation in all_explanations(name):
        assert bool(explanation.missing) == (explanation.value == "NE"), str(explanation)
        assert not re.search(r"\b(inf|nan)\b|no limit", explanation.missing), str(explanation)


@of_every_set
def test_an_endpoint_that_decides_is_named(name):
    study = study_of(name)
    for patient, explanation in all_explanations(name):
        account = study.accounts[explanation.endpoint]
        deciding = [other for other, where in account.decided_by if where[patient]]
        is_excluded = excluded(study.criteria.endpoints[explanation.endpoint], study.patient_days)[patient]
        if deciding and not is_excluded:
            said = " ".join([explanation.origin, *explanation.rests_on, explanation.because])
            named = (deciding[0], study.criteria.endpoints[deciding[0]].label)
            assert any(name in said for name in named), str(explanation)


# 7. THE REASON IS THAT OF THE ENDPOINT THAT DECIDES


@of_every_set
def test_a_sum_has_the_reason_of_the_endpoint_that_decides(name):
    study = study_of(name)
    for endpoint, model in study.criteria.endpoints.items():
        if not model.sums_up:
            continue
        reasons, value = study.reasons(endpoint), study.verdicts[endpoint].value
        left = ~excluded(model, study.patient_days) & ~np.isin(reasons, ENDED_IN)
        if not model.is_ranked:
            left &= value != Y
        decided = np.zeros_like(left)
        of_parts = np.stack([study.reasons(each) for each in model.references().values()])
        # In each completion of the data another may have decided, so that none has the reason.
        unsure = np.isin(of_parts, ENDED_IN).any(axis=0) & ~(of_parts == reasons).any(axis=0)
        for other, where in study.accounts[endpoint].decided_by:
            by_name = (study.verdicts[other].value == Y) & (not model.is_ranked)
            expected = np.where(by_name, other, study.reasons(other))
            wrong = left & where & (reasons != expected) & ~(unsure & ~by_name)
            none_of(study, endpoint, wrong, f"the reason is not that of {other}", of_rows=False)
            decided |= where
        none_of(study, endpoint, left & ~decided, "no endpoint decides", of_rows=False)


@of_every_set
def test_an_endpoint_that_decides_has_a_part_in_what_would_change_it(name):
    study = study_of(name)
    for endpoint, model in study.criteria.endpoints.items():
        rule = next((rule for key, rule, of in model.rules() if of == "endpoints"), None)
        if rule is None:
            continue
        left = ~excluded(model, study.patient_days) & ~np.isin(study.reasons(endpoint), ENDED_IN)
        left &= study.verdicts[endpoint].value != Y
        changing = with_a_part_in_a_change(study, rule, list(dict.fromkeys(model.references().values())))
        for other, where in study.accounts[endpoint].decided_by:
            wrong = left & where & ~changing[other]
            none_of(study, endpoint, wrong, f"{other} decides, but has no part in any change", of_rows=False)


def with_a_part_in_a_change(study: Decided, rule: Rule, names: list[str]) -> dict[str, np.ndarray]:
    """(P) Of each endpoint, where it is one of some that would change the sum if each were met, or were not.

    They are as few as possible: without any one of them the others, changed alike, would not change it.
    """
    as_it_is = sum_of(study, rule, {})
    supposed = [dict(zip(names, values, strict=True)) for values in product((None, Y, N), repeat=len(names))]
    changes = {tuple(each.items()): sum_of(study, rule, each) != as_it_is for each in supposed}
    has_part = {name: np.zeros(len(study.cohort), dtype=np.bool_) for name in names}
    for case, changed in changes.items():
        given = [name for name, value in case if value is not None]
        fewer = [changes[tuple((one, None if one == name else value) for one, value in case)] for name in given]
        least = changed & ~np.logical_or.reduce([*fewer, np.zeros_like(changed)])
        for name in given:
            has_part[name] |= least
    return has_part


def sum_of(study: Decided, rule: Rule, values: dict[str, int | None]) -> np.ndarray:
    """(P) The value of the sum if these endpoints had these values; None: their own."""
    known = study.verdicts
    changed = {
        name: replace(known[name], value=np.full_like(known[name].value, value))
        for name, value in values.items()
        if value is not None
    }
    truths = decide(rule.tree, OfVerdicts({**known, **changed}))
    return np.where(truths.true, Y, np.where(truths.false, N, NE))


# 8. ROWS THAT WERE NOT LOOKED AT ARE FOLDED


@of_every_set
def test_rows_not_looked_at_are_folded(name):
    for _, explanation in all_explanations(name):
        aside = {row.means for row in explanation.rows if row.aside}
        lines = [means for _, _, means, _ in explanation.observations]
        assert not any(one == other and one in aside for one, other in pairwise(lines)), str(explanation)


# 9. WHAT IS SAID OF A PATIENT IS THE SAME AMONG OTHERS


@of_every_set
def test_patients_explained_together_are_explained_as_each_alone(name):
    study = study_of(name)
    together = DecidedPatients(of_some(study.classification, 0, WORDED))
    written = WrittenRows(together.classification.cohort)
    rows = {endpoint: ExplainedRows(together.by(endpoint), written) for endpoint in study.criteria.endpoints}
    for patient, alone in all_explanations(name):
        one, of_endpoint = together.at(patient, alone.endpoint), rows[alone.endpoint]
        assert one.in_words == alone.verdict
        assert (tuple(of_endpoint.rows(one)), tuple(of_endpoint.lines(one))) == (alone.rows, alone.lines), str(alone)
        assert (unmet_origin(one), tuple(rests_on(one))) == (alone.origin, alone.rests_on), str(alone)
        assert (missing_in_words(one), dates_not_deciding(one)) == (alone.missing, alone.partial_dates), str(alone)
