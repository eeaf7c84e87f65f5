"""Alike: edits of one patient that no endpoint tells apart, of which one is decided for all.

Endpoints see of an observation what their rules say of it, where it stands among the others, and how its day lies to
the days that they name. Edits after which all of this is the same give the same verdicts; where it is as without an
edit, none has to be decided. That holds for kinds that say so, by `Endpoint.days_compared`; of a set with another one,
of a set with days of the patient's own or with values at another row, and of edits that change more than one
observation as the rules see it, each edit is decided for itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Literal, NamedTuple

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.edited import ADDED, COUNT, DAY, Edits, joined
from itp_response.cohort.values import NONE, Bools, Column, Floats, Ints, Truths, exactly, known
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.clock import DayOf, PatientDay
from itp_response.evaluation.endpoints import Endpoint
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.patient_days import GRADE_NOT_RECORDED, PatientDays
from itp_response.evaluation.rules.decide import Observed, decide
from itp_response.evaluation.rules.tree import SINCE, AtRow, Tree, names_in, other_rows_in

MOST_RULES = 30
"""With more rules than these, no number of 64 bits holds what all of them say of an observation."""
MOST_CODES = 4_096
"""With more numbers for what the rules say than these, they are numbered anew by those that occur."""


class Alike(NamedTuple):
    """Edits (K), of which some stand for all."""

    chosen: Ints
    """The edits that stand for themselves and for others."""
    by: Ints
    """(K) Which of these stands for each edit; -1: the verdicts are as without an edit."""


def alike(criteria: Criteria, cohort: Cohort, edits: Edits, asked: Mapping[str, Bools]) -> Alike:
    """Which of the edits have to be decided, and which of these stands for each.

    `asked` (P) says by endpoint of which patients it matters what its rules say.
    """
    models = _decided(criteria)
    if not len(edits) or not _can_tell(criteria, cohort, models):
        return Alike(np.arange(len(edits)), np.arange(len(edits)))
    number = len(edits)
    edits = joined([edits, *_no_edits(cohort, edits)])
    place = _Place.of(cohort, edits)
    after = _RowsAfter(criteria, cohort, edits, place)
    matters = {name: asked[name][edits.patient] for name in models}
    code = _code(models, after, matters)
    # The patients' positions are lifted apart: where one's rows end, those of the next begin.
    places = place.group * (len(cohort.day) + len(cohort) + 1) + place.position + edits.patient
    key = places * (int(code.max()) + 1) + code
    order = np.lexsort([after.day, key])
    alone = (place.alone | _makes_baseline(criteria, cohort, after))[order]
    begins = np.ones(len(edits), dtype=np.bool_)
    begins[1:] = alone[1:] | alone[:-1]
    for column in chain([key[order]], _days_told_apart(criteria, cohort, models, after, matters, order)):
        begins[1:] |= column[1:] != column[:-1]
    like = np.empty(len(edits), dtype=np.int64)
    like[order] = np.cumsum(begins) - 1
    is_changed = np.ones(int(begins.sum()), dtype=np.bool_)
    is_changed[like[number:]] = False
    by = np.where(is_changed, np.cumsum(is_changed) - 1, NONE)
    return Alike(order[begins][is_changed], by[like[:number]])


def _no_edits(cohort: Cohort, edits: Edits) -> Iterator[Edits]:
    """Of each count and each day that is edited what it is without an edit, as an edit."""
    for kind in (COUNT, DAY):
        of_kind = edits.at(np.flatnonzero(edits.kind == kind))
        rows, first = np.unique(of_kind.row, return_index=True)
        yield replace(of_kind.at(first), day=cohort.day[rows].astype(np.int64), count=cohort.platelets.low[rows])


def _code(models: Mapping[str, Endpoint], after: "_RowsAfter", matters: Mapping[str, Bools]) -> Ints:
    """(K) A number for what the rules say of the edited observations, where it matters for the endpoint."""
    trees = _trees(models)
    code = np.zeros(len(after.day), dtype=np.int64)
    for tree, names in trees.items():
        truths = decide(tree, after)
        code *= 3
        code += (truths.true + np.int8(2) * truths.false) * np.logical_or.reduce([matters[name] for name in names])
    return code if 3 ** len(trees) <= MOST_CODES else np.unique(code, return_inverse=True)[1]


def _decided(criteria: Criteria) -> Mapping[str, Endpoint]:
    """The endpoints that have a verdict to change, or that another one refers to."""
    referred = {name for model in criteria.endpoints.values() for name in model.references().values()}
    return {name: model for name, model in criteria.endpoints.items() if name in referred or not model.is_length}


def _can_tell(criteria: Criteria, cohort: Cohort, models: Mapping[str, Endpoint]) -> bool:
    """Whether all that these endpoints see of an observation is known here."""
    trees = _trees(models)
    names = {name for tree in trees for name in names_in(tree)}
    of_rows = {*criteria.rescues, *(f"{SINCE}{name}" for name in criteria.rescues), *cohort.row_columns}
    return (
        all(model.days_compared() is not None for model in models.values())
        and not any(any(model.asked_of_patients()) for model in models.values())
        and not any(other_rows_in(tree) for tree in trees)
        and not names & of_rows
        and len(trees) <= MOST_RULES
        and cohort.platelets.exact
        and cohort.baseline.exact
        and cohort.left_out is None
        and len(cohort.day) > 0
    )


def _trees(models: Mapping[str, Endpoint]) -> dict[Tree, list[str]]:
    """What the endpoints ask of observations, each once, with those that ask it."""
    trees: dict[Tree, list[str]] = {}
    for name, model in models.items():
        for rule in model.row_rules():
            trees.setdefault(rule.tree, []).append(name)
    return trees


OTHER, OF_ROW, MOVED, ON_A_ROW, NEW = range(5)
"""How an edit is told: for itself alone; another count; another day; a count where there is a row; a row of its own."""


class _Place(NamedTuple):
    """Where the edited observations (K) stand."""

    group: Ints
    position: Ints
    """The row of the cohort or, of a new one, where it goes in."""
    alone: Bools
    """The edit is like no other."""

    @classmethod
    def of(cls, cohort: Cohort, edits: Edits) -> "_Place":
        in_row = edits.row != NONE
        is_added = edits.kind == ADDED
        group = np.select(
            [edits.kind == COUNT, edits.kind == DAY, is_added & in_row, is_added], [OF_ROW, MOVED, ON_A_ROW, NEW], OTHER
        )
        position = edits.row.copy()
        no_row = np.flatnonzero(~in_row)
        days = _DayNumbers(cohort)
        position[no_row] = np.searchsorted(days.of_rows, days.number(edits.patient[no_row], edits.day[no_row]))
        has_course = np.zeros(len(cohort.day), dtype=np.bool_)
        has_course[cohort.courses.row] = True
        # A rescue treatment that is moved changes what is seen of the observations after it.
        alone = (group == OTHER) | ((group == MOVED) & has_course[edits.row])
        return cls(group, position, alone)


class _DayNumbers:
    """Patient and day in one number; days before and after all of the cohort are alike."""

    def __init__(self, cohort: Cohort) -> None:
        self._low = int(cohort.day.min()) - 1
        self._span = int(cohort.day.max()) - self._low + 2
        self.of_rows = self.number(cohort.patient, cohort.day)
        """(N) Those of the rows, in order."""

    def number(self, patient: Ints, day: Ints) -> Ints:
        within: Ints = np.clip(day.astype(np.int64) - self._low, 0, self._span - 1)
        return patient.astype(np.int64) * self._span + within


class _RowsAfter:
    """The edited observations (K) as rules see them after the edit."""

    def __init__(self, criteria: Criteria, cohort: Cohort, edits: Edits, place: _Place) -> None:
        self.decided: dict[Tree, Truths] = {}
        self._criteria, self._cohort, self._edits = criteria, cohort, edits
        self.patient = edits.patient
        self.in_no_row = (place.group == MOVED) | (place.group == NEW)
        """(K) The day may be another than that of the row."""
        self._is_new = place.group == NEW
        self._before = place.position - 1
        self._counts = np.where(np.isin(edits.kind, (COUNT, ADDED)), edits.count, cohort.platelets.low[edits.row])
        self.all_rows: PatientDays = patient_days_of(criteria, cohort, 0, len(cohort))
        self.day = np.where(edits.row == NONE, edits.day, cohort.day[edits.row])
        self.day = np.where(place.group == MOVED, edits.day, self.day)

    def values(self, name: str | AtRow) -> Column:
        """(K) The column of that name."""
        assert isinstance(name, str)  # values at another row are not decided here
        cohort, edits = self._cohort, self._edits
        match name:
            case "platelets":
                return exactly(self._counts)
            case "bleeding_grade":
                grade = np.where(self._is_new, 0.0, cohort.bleeding_grade[edits.row])
                assumed = self._criteria.not_recorded.bleeding
                if assumed == "unknown":
                    return exactly(grade)
                where = np.isnan(grade) & ~np.isnan(self._counts)
                return exactly(np.where(where, GRADE_NOT_RECORDED[assumed], grade))
            case "rescue":
                return known(cohort.rescue[edits.row] & ~self._is_new)
            case "days_since_rescue":
                moved = self.day - cohort.day[edits.row]
                return exactly(
                    np.where(self._is_new, self._since_rescue(), cohort.days_since_rescue[edits.row] + moved)
                )
            case "day":
                return exactly(self.day.astype(np.float64))
        return self.all_rows.patient_values(name).at(edits.patient)

    def _since_rescue(self) -> Floats:
        """Days since the last day of a rescue treatment begun before, at an observation after the row `before`."""
        cohort = self._cohort
        latest = cohort.day - cohort.days_since_rescue  # minus infinity: there was none
        np.maximum.at(latest, cohort.courses.row, cohort.courses.last.astype(np.float64))
        before = np.maximum(self._before, 0)
        has_before = (self._before >= 0) & (cohort.patient[before] == self._edits.patient)
        since: Floats = self.day - np.where(has_before, latest[before], -np.inf)
        return since


def _makes_baseline(criteria: Criteria, cohort: Cohort, after: "_RowsAfter") -> Bools:
    """(K) The day is one from which a baseline is made: each of these tells something of its own."""
    first, last = criteria.baseline.days
    makes: Bools = (after.day >= first) & (after.day <= last)
    makes[makes] = np.isnan(cohort.baseline.low)[after.patient[makes]]
    return makes


def _days_told_apart(
    criteria: Criteria,
    cohort: Cohort,
    models: Mapping[str, Endpoint],
    after: "_RowsAfter",
    matters: Mapping[str, Bools],
    order: Ints,
) -> Iterator[Ints]:
    """(K) Numbers, each the same for days that lie to those that decide in the same way, in this order of the edits."""
    named = [day for model in models.values() for day in (*(model.days_compared() or ()), _followed(criteria, model))]
    finite = np.array([day for day in named if not isinstance(day, PatientDay) and np.isfinite(day)])
    limits = np.unique(np.concatenate([np.ceil(finite), np.floor(finite) + 1]))
    yield np.searchsorted(limits, after.day[order], side="right")
    days = _DayNumbers(cohort)
    at = np.empty_like(order)
    at[order] = np.arange(len(order))
    for name, model in models.items():
        for between in model.days_between():
            origin = models[between.of or name]
            first_after, first_rows = (_may_be(origin, seen) for seen in (after, after.all_rows))
            second_after, second_rows = (
                (None, None) if between.to_any else (_may_be(model, seen) for seen in (after, after.all_rows))
            )
            for seen, rows, least in (
                (first_after, second_rows, between.least),
                (second_after, first_rows, -between.least),
            ):
                tells = after.in_no_row & matters[name]
                index = np.flatnonzero(tells if seen is None else tells & seen)
                number = np.zeros(len(order), dtype=np.int32)
                number[at[index]] = _beyond(
                    days, after, index, least, days.of_rows if rows is None else days.of_rows[rows]
                )
                yield number


def _followed(criteria: Criteria, model: Endpoint) -> DayOf:
    """The day from which on a count shows that the patient was followed to the end."""
    return criteria.clock.followed_from if model.followed_from is None else model.followed_from


def _may_be(model: Endpoint, observed: Observed) -> Bools | None:
    """The observations that may be in the endpoint's state, or evidence of it; None: any may."""
    rules = model.count_rules()
    if model.state is None:
        return None
    may_be: Bools = np.logical_or.reduce([~decide(rule.tree, observed).false for rule in rules])
    return may_be


def _beyond(days: _DayNumbers, after: "_RowsAfter", index: Ints, least: int, others: Ints) -> Ints:
    """How many of the other rows come before the day that number of days later, or not after that as much earlier.

    Of the edits `index`; `others` are the numbers of the other rows' days.
    """
    side: Literal["left", "right"] = "left" if least > 0 else "right"
    return np.searchsorted(others, days.number(after.patient[index], after.day[index] + least), side=side)
