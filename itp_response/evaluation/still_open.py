"""Still open: which verdicts on a cohort that was cut can still change, and until when.

A verdict is final if no observation on a day after the last that is seen can change it: none of a visit, no end of a
rescue treatment that goes on, and no discontinuation of treatment. Otherwise it can change up to a day, or without
limit. What is given errs on one side: a verdict that is said to be final is.

Every kind says up to which day its own observations can change it (`Endpoint.changes_until`). Here it is put together
with what the endpoint refers to, and with what rules ask of days that may be known later.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import Bools, Column, Floats, Numbers, Truths, with_bounds
from itp_response.evaluation.censored_counts import has_censored, left_open
from itp_response.evaluation.criteria_set import CriteriaSet
from itp_response.evaluation.endpoints.account import Decided
from itp_response.evaluation.endpoints.endpoint import Endpoint, excluded, without_days
from itp_response.evaluation.evaluate import patient_days_of, with_a_day_0
from itp_response.evaluation.patient_days import PatientDays, PatientValues
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.tree import (
    SINCE,
    AtRow,
    Tree,
    constants_in,
    leaves,
    names_in,
    other_rows_in,
)
from itp_response.evaluation.verdicts import VerdictsByName, Y

STATES = ("final", "provisional", "open", "closed")
"""What a verdict is: `final`, no later observation changes it; `provisional`, one may; of those that are not evaluable
the same is `closed` and `open`."""
FINAL, PROVISIONAL, OPEN, CLOSED = range(len(STATES))


@dataclass(frozen=True)
class StillOpen:
    """Whether the verdicts on one endpoint can still change, an entry per patient (P)."""

    state: NDArray[np.int8]
    """(P) Index of `STATES`."""
    until: Floats
    """(P) The last day on which an observation can change it; infinite: no limit; NaN: none can."""
    assessed_until: Floats
    """(P) The last day of which an observation can count for the endpoint itself; infinite: no limit; NaN: none can.

    Later ones, up to `until`, show that follow-up was complete, or are of another kind, such as discontinuation."""


def still_open(criteria: CriteriaSet, cohort: Cohort, verdicts: VerdictsByName) -> dict[str, StillOpen]:
    """Of each endpoint whether the verdicts on a cohort that was cut can still change, and until when."""
    assert cohort.as_of is not None
    patient_days = patient_days_of(criteria, with_a_day_0(cohort), 0, len(cohort))
    last = cohort.as_of.last_day(cohort.day_0).astype(np.float64)
    if cohort.as_of.is_date:
        last = np.where(np.isnat(cohort.day_0), -np.inf, last)  # nothing is known of these yet
    limits = _Limits(verdicts, patient_days, _Pending(criteria, cohort, patient_days, last), last)
    for name in criteria.order:
        limits.add(name, criteria.endpoints[name])
    return {name: limits.states(name) for name in criteria.endpoints}


class _Limits:
    """The limits of the endpoints so far, by name and patient (P)."""

    def __init__(self, verdicts: VerdictsByName, patient_days: PatientDays, pending: "_Pending", last: Floats) -> None:
        self._verdicts = verdicts
        self._patient_days = patient_days
        self._pending = pending
        self._last = last
        self._changes: dict[str, Floats] = {}
        """The last day on which an observation can change the verdict; minus infinity: none can."""
        self._assessed: dict[str, Floats] = {}
        self._final: dict[str, Bools] = {}

    def add(self, name: str, model: Endpoint) -> None:
        """The limits of an endpoint, after those that it refers to."""
        decided = Decided(self._patient_days, self._verdicts, self._verdicts[name])
        of_rows, of_rules = self._pending.until(model)
        of_numbers = self._pending.numbers(model.waits_for(decided))
        depends = {
            other: where & ~self._final[other] for other, where in model.depends_on(self._verdicts, self._final).items()
        }
        nothing = np.full(len(self._last), -np.inf)
        of_others = [np.where(where, self._changes[other], -np.inf) for other, where in depends.items()]
        settled_on = np.maximum.reduce([of_rows, *of_others])
        changes = np.maximum(model.changes_until(decided, settled_on), settled_on)
        # A rule on the patient decided it for good, or an endpoint that it starts from, or a day that is not known.
        decided_before = excluded(model, self._patient_days) & np.isneginf(of_rules)
        without = without_days(model, self._patient_days) & np.isneginf(of_numbers)
        for origin in model.origins():
            decided_before |= self._final[origin] & (self._verdicts[origin].value != Y)
            without &= self._final[origin]
        decided_before |= without
        # What a rule on the patient does later, it does once for all.
        changes = np.maximum(np.where(decided_before, -np.inf, np.maximum(changes, of_numbers)), of_rules)
        self._changes[name] = np.where(self._pending.partial[name], np.inf, changes)
        self._final[name] = self._changes[name] <= self._last
        assessed = [np.where(where, self._assessed[other], -np.inf) for other, where in depends.items()]
        assessed_until = model.assessed_until(decided, np.maximum.reduce([nothing, *assessed]))
        # What only a day can change that a rule asks for, such as that of discontinuation, looks for no observation.
        of_days_alone = np.isneginf(np.maximum.reduce([model.changes_until(decided, nothing), *of_others]))
        self._assessed[name] = np.where(of_days_alone & ~self._pending.partial[name], -np.inf, assessed_until)

    def states(self, name: str) -> StillOpen:
        """Whether the verdicts on an endpoint can still change."""
        verdict, final = self._verdicts[name], self._final[name]
        is_open = verdict.value == verdict.labels.index("NE")
        state = np.where(is_open, np.where(final, CLOSED, OPEN), np.where(final, FINAL, PROVISIONAL)).astype(np.int8)
        assessed = np.minimum(self._assessed[name], self._changes[name])
        until = np.where(final, np.nan, self._changes[name])
        return StillOpen(state, until, np.where(final | np.isneginf(assessed), np.nan, assessed))


class _Pending:
    """What is not known yet of the patients (P) of a cohort that was cut, and when it will be of no consequence."""

    def __init__(self, criteria: CriteriaSet, cohort: Cohort, patient_days: PatientDays, last: Floats) -> None:
        self._cohort = cohort
        self._patient_days = patient_days
        self._last = last
        self._names = self._pending_names(criteria)
        # A count on a later day may still become the baseline.
        is_open = last < criteria.baseline.days[1]
        self._of_rows_at_baseline = np.where(is_open, np.inf, -np.inf)
        self._of_baseline = np.where(is_open & np.isnan(cohort.baseline.low), np.inf, -np.inf)
        self.partial = self._partial(criteria)
        """(P) By endpoint, whether the verdict depends on completions, so that nothing is said of when it is final."""

    def _pending_names(self, criteria: CriteriaSet) -> frozenset[str]:
        """The names of days that may be known later."""
        of_rescue = (f"{SINCE}{name}" for name in ("rescue", *criteria.rescues))
        return frozenset({"treatment_discontinued", *of_rescue, *self._cohort.day_columns})

    def _partial(self, criteria: CriteriaSet) -> dict[str, Bools]:
        incomplete = np.zeros(len(self._cohort), dtype=np.bool_)
        incomplete[self._cohort.incomplete] = True
        if not has_censored(self._cohort).any():
            return dict.fromkeys(criteria.endpoints, incomplete)
        return {name: incomplete | left for name, left in left_open(criteria, self._patient_days).items()}

    def until(self, model: Endpoint) -> tuple[Floats, Floats]:
        """(P) The last day on which what is pending can change what rules say of the rows, and of the patient."""
        until = {"rows": self._of_baseline, "patients": self._of_baseline}
        for asked in model.rules():
            for leaf in leaves(asked.rule.tree) if asked.of != "endpoints" else ():
                if any(value.function == "at_baseline" for value in other_rows_in(leaf)):
                    until[asked.of] = np.maximum(until[asked.of], self._of_rows_at_baseline)
                if self._names & set(names_in(leaf)):
                    of_leaf = self._of_leaf(leaf, of_rows=asked.of == "rows")
                    until[asked.of] = np.maximum(until[asked.of], of_leaf)
        return until["rows"], until["patients"]

    def numbers(self, waits_for: Mapping[str, Bools]) -> Floats:
        """(P) Minus infinity; without limit where a number of the patient that is waited for may still become known."""
        until = np.full(len(self._cohort), -np.inf)
        for name, waits in waits_for.items():
            if name in self._names:
                days = self._patient_days.patient_values(name)
                assert isinstance(days, Numbers)
                until[waits & ~np.isfinite(days.low)] = np.inf
        return until

    def _of_leaf(self, leaf: Tree, *, of_rows: bool) -> Floats:
        """(P) The last such day of one comparison: the first of some days from which on it is settled."""
        until = np.full(len(self._cohort), np.inf)
        for day in sorted(set(constants_in(leaf)), reverse=True):
            until[~self._differs(leaf, np.maximum(self._last, day), of_rows=of_rows)] = day
        until[~self._differs(leaf, self._last, of_rows=of_rows)] = -np.inf
        return until

    def _unknown_days(self, leaf: Tree) -> Bools:
        """(P) Whether it names a day that is not known, and may be later."""
        unknown = np.zeros(len(self._cohort), dtype=np.bool_)
        for name in set(names_in(leaf)) & set(self._cohort.day_columns):
            days = self._patient_days.patient_values(name)
            assert isinstance(days, Numbers)
            unknown |= np.isnan(days.low)
        return unknown

    def _differs(self, leaf: Tree, last: Floats, *, of_rows: bool) -> Bools:
        """(P) Whether it is, or may be, other than it seems if what is pending happens after these days."""
        rows = self._patient_days
        now = decide(leaf, rows if of_rows else PatientValues(rows))
        later = decide(leaf, _Later(self._cohort, rows, (self._last, last), of_rows=of_rows))
        differs: Bools = (now.true != later.true) | (now.false != later.false)
        unknown = self._unknown_days(leaf)  # where such a day decides nothing yet, it may once it is known
        differs |= later.unknown & (unknown[rows.patient] if of_rows else unknown)
        if not of_rows:
            return differs
        patients = np.zeros(len(last), dtype=np.bool_)
        patients[rows.patient[differs]] = True
        return patients


class _Later:
    """The rows, or the patients, as rules see them if what is pending happens on any day after a last one, or never.

    `days` (P) are the last day that is seen, and the one after which it happens.
    """

    def __init__(
        self, cohort: Cohort, patient_days: PatientDays, days: tuple[Floats, Floats], *, of_rows: bool
    ) -> None:
        self.decided: dict[Tree, Truths] = {}
        self._cohort = cohort
        self._patient_days = patient_days
        self._seen, self._last = days
        self._of_rows = of_rows

    def values(self, name: str | AtRow) -> Column:
        rows = self._patient_days
        if isinstance(name, AtRow):  # observations of the visits, of which none is pending
            return rows.values(name)
        if name.startswith(SINCE):
            return self._since(name)
        if name == "treatment_discontinued" or name in self._cohort.day_columns:
            days = rows.patient_values(name)
            assert isinstance(days, Numbers)
            not_yet = ~np.isfinite(days.low)
            low = np.where(not_yet, self._last + 1, days.low)
            later = with_bounds(low, np.where(not_yet, np.inf, days.high))
            return later.at(rows.patient) if self._of_rows else later
        return rows.values(name) if self._of_rows else PatientValues(rows).values(name)

    def _since(self, name: str) -> Column:
        """The days since a rescue treatment; one that reaches the last day that is seen may end on any later day."""
        since = self._patient_days.values(name)
        assert isinstance(since, Numbers)
        patient, day = self._patient_days.patient, self._patient_days.day
        goes_on = since.low <= day - self._seen[patient]
        low = np.where(goes_on, -np.inf, since.low)
        return Numbers(low, np.where(goes_on, day - self._last[patient], since.high))
