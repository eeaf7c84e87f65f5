"""The law of completions: what is `NE` for something unrecorded on a row would be two things if it were recorded.

The other way round it does not hold, and is not meant to. An unknown row neither supports nor breaks,
so a `Y` may stand over an unrecorded grade.
"""

import copy
import itertools
from dataclasses import replace
from math import prod

import strategies
from hypothesis import assume, example, given
from hypothesis import strategies as st
from test_properties import CRITERIA, RAW, decided, variant

from itp_response.definitions.load import load, shipped
from itp_response.validation import literal
from itp_response.validation.literal import Observation, Patient
from itp_response.validation.random_patients import random_patients

UNRECORDED = ("bleeding_not_recorded", "not_recorded", "baseline_missing", "visits_unknown")
"""The reasons of `NE` that are about something unrecorded on a row."""
GRADES = (0, 1, 4)
COUNTS = (None, 0, 1000)
"""A count that is missing may have been low, or high, or was not taken."""
BASELINES = (1, 1000)
MOST = 1000
"""More completions than these are not tried."""
WASHED_OUT = Patient(
    (
        Observation(14, 105, 0),
        Observation(21, 45, 0),
        Observation(29, rescue=True),
        Observation(42, 20, 0),
        Observation(56, 150),
        Observation(70, 101, 0),
        Observation(364, 9, 0),
    ),
    baseline=50,
)
"""The count of day 56 lies in the wash-out, so that it is no evidence whether there was bleeding or not."""


@st.composite
def small_patients(draw):
    """A few rows near a rescue, many without a grade; most patients are followed to the end."""
    days = draw(st.sets(st.sampled_from([1, 7, 14, 21, 28, 29, 35, 36, 42, 49, 56, 63, 70, 71, 84]), max_size=6))
    observations = [draw(rows(day)) for day in sorted(days)]
    if draw(st.sampled_from([True, True, True, False])):
        observations.append(Observation(364, draw(st.sampled_from([5, 60])), draw(st.sampled_from([0, None]))))
    return Patient(tuple(observations), baseline=draw(st.sampled_from([15, 15, 15, 50, None])))


@st.composite
def rows(draw, day):
    count = draw(st.sampled_from([None, 5, 29, 30, 45, 60, 60, 100, 105]))
    rescue = draw(st.sampled_from([False, False, False, True]))
    end = draw(st.sampled_from([day, day + 7])) if rescue else None
    return Observation(day, count, draw(st.sampled_from([0, 0, 0, None, None, 1])), rescue=rescue, rescue_end=end)


@st.composite
def definitions(draw):
    """The trial's criteria with other settings of the responses, and endpoints at a landmark and on visits."""
    raw = copy.deepcopy(RAW) | {"interpretation": [], "example": []}
    for name in ("OR", "CR"):
        strategies.vary_achieved(draw, raw[name])
        if "discount" in raw[name]:
            # The interpretation by which discounted counts may have met it leaves it open for none that was unrecorded.
            raw[name]["discounted_counts"] = "do_not_meet"
    discounts = ["washout", "rescue or washout", "days_since_rescue <= 7"]
    raw["at_landmark"] = draw(strategies.at_a_landmark(strategies.STATES, strategies.CLOSINGS))
    maker = draw(st.sampled_from([strategies.on_planned_visits, strategies.on_any_counts]))
    raw["on_visits"] = draw(maker(strategies.STATES, discounts, strategies.CLOSINGS))
    # Here the definition says itself that it is unknown.
    for key in ("missing", "discounted"):
        if raw["on_visits"].get(key) == "unknown":
            del raw["on_visits"][key]
    return raw


def completions(patient):
    """The patient with all that was not recorded filled in, in every way that is tried; none if they are too many."""
    choices = [
        [
            replace(row, platelets=count, bleeding_grade=grade)
            for count in (COUNTS if row.platelets is None else [row.platelets])
            for grade in (GRADES if row.bleeding_grade is None else [row.bleeding_grade])
        ]
        for row in patient.observations
    ]
    baselines = BASELINES if patient.baseline is None else [patient.baseline]
    if len(baselines) * prod(map(len, choices)) > MOST:
        return []
    return [
        replace(patient, observations=observations, baseline=baseline)
        for *observations, baseline in map(list, itertools.product(*choices, baselines))
    ]


def of_a_set(raw, seed):
    """A random patient with little unrecorded, so that all completions can be tried."""
    [patient] = random_patients(raw, 1, seed)
    unrecorded = [place for place, row in enumerate(patient.observations) if row.bleeding_grade is None]
    left = {unrecorded[(seed * step) % len(unrecorded)] for step in (1, 7)} if unrecorded else set()
    rows = [
        replace(
            row,
            platelets=45 if isinstance(row.platelets, str) else row.platelets,
            bleeding_grade=0 if row.bleeding_grade is None and place not in left else row.bleeding_grade,
        )
        for place, row in enumerate(patient.observations)
    ]
    baseline = 15 if isinstance(patient.baseline, str) else patient.baseline
    # Completions fill in a baseline that is not given; one that is picked from the counts is not unrecorded.
    baseline = baseline or (None if literal.chart_of(raw, patient).own["baseline"] is None else 20)
    columns = {name: cell or 0 for name, cell in patient.columns.items()}
    return replace(patient, observations=tuple(rows), baseline=baseline, columns=columns)


def violations(criteria, patient, completed):
    """The endpoints that are `NE` for something unrecorded, though all completions give one value."""
    raw = criteria.raw
    [before, *after] = decided(criteria, [patient, *completed])
    return [
        name
        for name, verdict in before.items()
        if completed
        and verdict.value == "NE"
        and verdict.reason in UNRECORDED
        # These definitions say themselves that it is unknown.
        and "unknown" not in (raw[name].get("missing"), raw[name].get("discounted"))
        # By definition an endpoint takes over the `NE` of the one it starts from, whatever else would fail it.
        and all(before[raw[name][key]].value == "Y" for key in ("from", "after", "to") if key in raw[name])
        and len({verdicts[name].value for verdicts in after}) < 2
    ]


class TestCompletions:
    """Two completions give two values."""

    @given(patient=small_patients())
    @example(patient=WASHED_OUT)
    def test_of_the_atra_trial(self, patient):
        """As `atra_2022.toml` has it."""
        completed = completions(patient)
        assume(completed)
        assert violations(CRITERIA, patient, completed) == []

    @given(patient=small_patients(), raw=definitions())
    def test_of_every_option(self, patient, raw):
        """With occasions, distances, windows, rules and discounts changed at will."""
        # A rule takes a missing baseline for any number, below 0 too: 5 may then be 20 more, and 30 over its double and 50.
        sums = ("platelets - baseline", "2 * baseline + 50")
        assume(patient.baseline is not None or not any(terms in str(raw) for terms in sums))
        completed = completions(patient)
        assume(completed)
        assert violations(variant(raw), patient, completed) == []

    @given(name=st.sampled_from(shipped()), seed=st.integers(0, 2**31))
    def test_of_every_set(self, name, seed):
        """As the shipped files have it."""
        criteria = load(name)
        patient = of_a_set(criteria.raw, seed)
        # As above: 5 may be 20 more than a missing baseline.
        assume(patient.baseline is not None or "baseline + 20" not in str(criteria.raw))
        assert violations(criteria, patient, completions(patient)) == []

    def test_the_law_notices(self):
        """Of the example, the interpretation without a wash-out is open, and two completions give two values."""
        raw = copy.deepcopy(RAW) | {"interpretation": [], "example": []}
        del raw["OR"]["discount"]
        del raw["OR"]["discounted_counts"]
        [before, *after] = decided(variant(raw), [WASHED_OUT, *completions(WASHED_OUT)])

        assert before["OR"].value == "NE"
        assert {verdicts["OR"].value for verdicts in after} == {"Y", "N"}
