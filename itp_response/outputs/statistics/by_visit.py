"""By visit: how many patients of each group were in the state of an endpoint at each planned visit.

Intervals of a share are Wilson's, by statsmodels.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from itp_response.classification.by_visit import WEEK, without_visits
from itp_response.cohort.values import NONE
from itp_response.evaluation.clock import VisitWindow
from itp_response.evaluation.verdicts import NA, NE, Y
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.optional_imports import needed
from itp_response.messages.wording import listed
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups
from itp_response.outputs.statistics.proportions import LEVEL, SETS, Outcome, Proportion, Set, shares
from itp_response.outputs.statistics.tables import DASH, Number, Table, TableRows, numbers_of, percent


@dataclass(frozen=True)
class ShareWithInterval:
    """The share of a group at a visit, with its 95% CI; NaN where nobody is counted."""

    of: Proportion
    low: float
    high: float


@dataclass(frozen=True)
class VisitShares:
    """An endpoint at one planned visit, in all groups."""

    day: int
    groups: tuple[ShareWithInterval, ...]
    without_count: int
    """Patients of these groups in the denominator for whom there is no count."""


def endpoints_by_visit(patients: AnalysedPatients) -> list[str]:
    """The endpoints that have a state at planned visits, in the order of the file."""
    return list(patients.classification.visit_results.visits)


def chosen_by_visit(patients: AnalysedPatients, endpoint: str | None) -> str:
    """The endpoint asked for, else the first with the role of a response, else the first.

    Raises `UsageError` where the endpoint has no state at planned visits, or none has.
    """
    names = endpoints_by_visit(patients)
    if not names:
        raise UsageError(without_visits(patients.classification.criteria))
    if endpoint is not None:
        if endpoint not in names:
            raise UsageError(unknown("endpoint with a state at planned visits", endpoint, names))
        return endpoint
    return next((name for name in names if patients.endpoints[name].role == "response"), names[0])


def visit_shares(patients: AnalysedPatients, groups: Groups, name: str, of: Set = "itt") -> list[VisitShares]:
    """Of each planned visit how many patients of each group were in the state of the endpoint, of how many.

    A patient for whom the visit is not applicable (NA) is not in the denominator; under `complete`, neither is one for
    whom it is not evaluable. Of a study that was cut, neither is one whose visit is not due yet. Visits at which no
    patient has a count are not among them (`uncounted_visits`).

    Raises `UsageError` where no visit is due yet, or no patient has a count at any.
    """
    return [_at(patients, groups, name, visit, of) for visit in _held(patients, groups, name)]


def uncounted_visits(patients: AnalysedPatients, groups: Groups, name: str) -> list[int]:
    """The planned days that are due and at which no patient of the groups has a count: of them nothing is known."""
    held = _held(patients, groups, name)
    return [visit.day for visit in _due(patients, name) if visit not in held]


def uncounted_in_words(days: Sequence[int]) -> str:
    """What is said of visits that are not shown."""
    return f"Not shown, as no patient has a count there: {listed([visit_in_words(day) for day in days])}."


def _held(patients: AnalysedPatients, groups: Groups, name: str) -> list[VisitWindow]:
    """The planned visits at which any patient of the groups has a count."""
    results, due = patients.classification.visit_results, _due(patients, name)
    among = patients.included & groups.inside
    held = [visit for visit in due if (among & (results.row_used(name, visit) != NONE)).any()]
    if not held:
        raise UsageError(f"{name}: no patient has a count at a planned visit; check the days of the visits.")
    return held


def _due(patients: AnalysedPatients, name: str) -> list[VisitWindow]:
    """The planned visits that are due of any patient; raises `UsageError` where there is none."""
    results = patients.classification.visit_results
    due = [visit for visit in results.visits[name] if results.is_due(name, visit).any()]
    if not due:
        as_of = patients.classification.cohort.as_of
        raise UsageError(f"{name}: as of {as_of}, no planned visit is due yet; give a later date.")
    return due


def _at(patients: AnalysedPatients, groups: Groups, name: str, visit: VisitWindow, of: Set) -> VisitShares:
    results = patients.classification.visit_results
    verdict, row = results.verdict(name, visit), results.row_used(name, visit)
    applicable = patients.included & (verdict.value != NA) & results.is_due(name, visit)
    if of == "per-protocol":
        applicable = applicable & patients.per_protocol()
    counted = applicable & (verdict.value != NE) if of == "complete" else applicable
    outcome = Outcome(name, counted, counted & (verdict.value == Y), applicable & ~counted)
    without = int((counted & groups.inside & (row == NONE)).sum())
    return VisitShares(visit.day, tuple(map(_with_interval, shares(outcome, groups))), without)


def _with_interval(share: Proportion) -> ShareWithInterval:
    if not share.of:
        return ShareWithInterval(share, math.nan, math.nan)
    proportion = needed("statsmodels.stats.proportion", "stats")
    low, high = proportion.proportion_confint(share.met, share.of, alpha=1 - LEVEL, method="wilson")
    # At 0 and 1 the limits are exactly these, which a calculation misses by its last digits.
    return ShareWithInterval(share, float(low) if share.met else 0.0, float(high) if share.met < share.of else 1.0)


def by_visit(patients: AnalysedPatients, groups: Groups, names: Sequence[str], of: Set = "itt") -> Table:
    """Per endpoint and planned visit the responders of each group, with the 95% CI of their share."""
    rows = TableRows()
    without, uncounted = False, set[int]()
    for name in names:
        uncounted.update(uncounted_visits(patients, groups, name))
        rows.heading(patients.classification.criteria.labelled(name))
        for visit in visit_shares(patients, groups, name, of):
            cells = [_cell(share) for share in visit.groups]
            rows.add((f"  {visit_in_words(visit.day)}", *cells), _numbers(name, visit, groups))
            without = without or visit.without_count > 0
    notes = ["n/N (%; 95% CI by the Wilson score method).", *_notes(of, without)]
    if uncounted:
        notes.append(uncounted_in_words(sorted(uncounted)))
    return rows.table("by_visit", f"Responders by planned visit: {SETS[of]}", ("", *groups.headed()), notes)


def _notes(of: Set, without: bool) -> Iterator[str]:
    yield (
        "Each visit by itself: whether the count used for it was in the state that the endpoint asks for, not whether "
        "the endpoint was met."
    )
    if without and of != "complete":
        yield "Visits without a count are in N, as not responding unless the endpoint treats them otherwise."


def visit_in_words(day: int) -> str:
    """`week 4`; where the day is no whole week, `day 30`."""
    return f"week {day // WEEK}" if day >= 0 and day % WEEK == 0 else f"day {day}"


def _cell(share: ShareWithInterval) -> str:
    of = share.of
    if not of.of:
        return DASH
    return f"{of.met}/{of.of} ({percent(of.share)}; {percent(share.low)} to {percent(share.high)})"


def _numbers(name: str, visit: VisitShares, groups: Groups) -> Iterator[Number]:
    for group, share in zip(groups.labels, visit.groups, strict=True):
        level = f"day {visit.day}"
        statistics = {"n": float(share.of.met), "N": float(share.of.of), "share": share.of.share}
        yield from numbers_of(name, group, statistics, level=level)
        yield from numbers_of(name, group, {"low": share.low, "high": share.high}, "Wilson", level=level)
