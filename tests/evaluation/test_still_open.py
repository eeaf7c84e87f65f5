"""What is still open at an interim look, and what no later observation changes."""

import tomllib
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import own_words
import pytest
import strategies
from cuts import by_hand
from hypothesis import given, settings
from hypothesis import strategies as st
from worked import HEAD, criteria_of

from itp_response.classification.classification import classify
from itp_response.cohort.as_of import AsOf
from itp_response.cohort.cut import cut
from itp_response.cohort.declared_columns import day_columns
from itp_response.cohort.notation import cohort_of as timelines_of
from itp_response.cohort.values import exactly
from itp_response.definitions.criteria import read_dict
from itp_response.definitions.load import criteria_folder, load
from itp_response.evaluation.still_open import CLOSED, FINAL, STATES, still_open
from itp_response.validation.bridge import cohort_of
from itp_response.validation.literal import Patient
from itp_response.validation.random_patients import random_patients

ATRA = criteria_folder() / "atra_2022.toml"
RAW = tomllib.loads(ATRA.read_text())
SETS = sorted(path.stem for path in criteria_folder().glob("*.toml"))


def variant(raw):
    """The criteria of a variant of the file."""
    return read_dict({**raw, "interpretation": [], "example": []}, ATRA, "variant")


@st.composite
def futures(draw, patient: Patient, day: int) -> Patient:
    """The patient with further observations after the day, and all that was known up to then."""
    known = [one for one in patient.observations if one.day <= day]
    later = [one for one in patient.observations if one.day > day and draw(st.booleans())]
    for _ in range(draw(st.integers(0, 4))):
        on = day + draw(st.sampled_from([1, 1, 2, 7, 28, 35, 100, 200, 400]))
        later.append(draw(strategies.observations(at=on)))
    ended = [
        replace(one, rescue_end=one.rescue_end + draw(st.sampled_from([0, 1, 5, 30])))
        if one.rescue_end is not None and one.rescue_end > day
        else one
        for one in known
    ]
    stopped = patient.treatment_discontinued
    if stopped is None or stopped > day:
        stopped = draw(st.sampled_from([None, None, day + 1, day + 50]))
    return replace(patient, observations=(*ended, *later), treatment_discontinued=stopped)


DAYS = st.one_of(st.integers(0, 400), st.sampled_from([0, 28, 35, 36, 42, 168, 336, 337, 364, 365, 393, 394, 500]))


def of_set(criteria, number: int, seed: int) -> list[Patient]:
    """Random patients for a set."""
    if criteria.name == own_words.NAME:
        return own_words.patients(number, seed)
    return random_patients(criteria.raw, number, seed)


def going_on(patient: Patient, other: Patient, day: int, criteria) -> Patient:
    """The patient as known up to the day, and from there on as the other."""
    known = [one for one in patient.observations if one.day <= day]
    later = [one for one in other.observations if one.day > day]
    stopped, of_other = patient.treatment_discontinued, other.treatment_discontinued
    if stopped is None or stopped > day:
        stopped = None if of_other is None or of_other <= day else of_other
    columns = dict(patient.columns)
    for name in day_columns(criteria.file.columns):
        told, of_other = columns.get(name), other.columns.get(name)
        if told is None or float(told) > day:
            columns[name] = None if of_other is None or float(of_other) <= day else of_other
    return replace(patient, observations=(*known, *later), treatment_discontinued=stopped, columns=columns)


def changed_though_final(now, later) -> list[tuple[str, str, str]]:
    """By endpoint and patient what is said to be final, or closed, and is another value, or length, later."""
    changed = []
    for name, state in still_open(now.criteria, now.cohort, now.verdicts).items():
        fields = ["value", *(now.criteria.endpoints[name].lengths if now.criteria.endpoints[name].is_length else ())]
        for field in fields:
            before, after = (getattr(found.verdicts[name], field) for found in (now, later))
            at = np.flatnonzero(np.isin(state.state, (FINAL, CLOSED)) & (before != after))
            changed += [
                (name, now.cohort.id[int(patient)], f"{field} {before[patient]} {after[patient]}") for patient in at
            ]
    return changed


class TestCut:
    """A cohort as of a day is that of the study as it was told by then."""

    @settings(max_examples=settings.default.max_examples // 2)
    @given(patients=strategies.cohorts(), raw=strategies.criteria_variants(), day=DAYS)
    def test_is_as_cut_by_hand(self, patients, raw, day):
        criteria = variant(raw)
        whole = cohort_of(patients, criteria.file.columns)
        told = cohort_of([by_hand(patient, day) for patient in patients], criteria.file.columns)

        seen = cut(whole, AsOf(day)).cohort

        assert seen.frame().equals(told.frame())
        assert (
            classify(replace(seen, as_of=None), criteria=criteria)
            .frame()
            .equals(classify(told, criteria=criteria).frame())
        )

    @settings(max_examples=settings.default.max_examples // 2)
    @given(patients=strategies.cohorts(), raw=strategies.criteria_variants())
    def test_at_the_last_day_or_later_it_is_the_whole(self, patients, raw):
        criteria = variant(raw)
        whole = cohort_of(patients, criteria.file.columns)
        ends = [*whole.day.tolist(), *whole.courses.last.tolist(), 0]
        ends += whole.treatment_discontinued[np.isfinite(whole.treatment_discontinued)].astype(int).tolist()

        of = cut(whole, AsOf(max(ends)))

        assert (of.records, of.courses, of.stopped, len(of.cohort.not_yet)) == (0, 0, 0, 0)
        assert (
            classify(replace(of.cohort, as_of=None), criteria=criteria)
            .frame()
            .equals(classify(whole, criteria=criteria).frame())
        )


# What is said of a patient by what was seen up to a day; the endpoint is the last of the text.
REACHED = """
[X]
kind = "achieved"
when = "platelets >= 50"
days = [1, 84]
"""
CONFIRMED = f"""{REACHED}
occasions = 2
closed_by = "rescue and day <= 70"
"""
WITHOUT_LIMIT = """
[X]
kind = "achieved"
when = "platelets >= 50 and day <= 60"
followed_from = inf
"""
EXCLUDES = f"""{REACHED}
unless = "treatment_discontinued <= 70"
"""
KEPT = f"""{REACHED}
followed_from = 84
[Y]
kind = "maintained"
from = "X"
when = "platelets >= 50"
for = "56 days"
by = 140
evidence_by = 154
"""
LOST = f"""{REACHED}
followed_from = 84
[Y]
kind = "lost"
after = "X"
when = "platelets < 50"
by = 140
followed_from = 126
"""
AT_WEEK_12 = """
[X]
kind = "at"
when = "platelets >= 50"
day = 84
within = [77, 91]
"""
AFTER_X = f"""{REACHED}
followed_from = 84
[Y]
kind = "at"
from = "X"
when = "platelets >= 50"
day = 28
within = [21, 35]
"""
VISITS = """
[X]
kind = "visits"
when = "platelets >= 50"
visits = [56, 70, 84]
within = 3
at_least = 2
"""
EXTENT = """
[X]
kind = "extent"
when = "platelets >= 50"
days = [0, 84]
"""
TIME_TO = f"""{REACHED}
followed_from = 84
[Y]
kind = "time_to"
to = "X"
"""
EITHER = f"""{REACHED}
followed_from = 84
[W]
kind = "at"
when = "platelets >= 50"
day = 140
within = [133, 147]
[Y]
kind = "combined"
when = "X or W"
"""
BEST = EITHER.replace('kind = "combined"\nwhen = "X or W"', 'kind = "best"\nof = ["X", "W"]\notherwise = "none"')
NO_LIMIT, NONE_LEFT = np.inf, np.nan


@pytest.mark.parametrize(
    ("text", "timeline", "day", "state", "until", "assessed"),
    [
        (REACHED, "d0 15, d28 60", 40, "final", NONE_LEFT, NONE_LEFT),
        (REACHED, "d0 15, d28 20", 40, "open", NO_LIMIT, 84),
        (REACHED, "d0 15, d28 20", 90, "open", NO_LIMIT, 84),
        (REACHED, "d0 15, d28 20, d340 20", 340, "final", NONE_LEFT, NONE_LEFT),
        (REACHED.replace("[1, 84]", "[1, 365]"), "d0 15, d28 20, d340 20", 340, "provisional", 365, 365),
        (CONFIRMED, "d0 15, d28 60", 40, "open", NO_LIMIT, 84),
        (CONFIRMED, "d0 15, d28 60, d30 rescue", 40, "final", NONE_LEFT, NONE_LEFT),
        (WITHOUT_LIMIT, "d0 15, d28 20", 40, "open", 60, 60),
        (WITHOUT_LIMIT, "d0 15, d28 20", 60, "closed", NONE_LEFT, NONE_LEFT),
        (EXCLUDES, "d0 15, d28 60", 40, "provisional", 70, NONE_LEFT),
        (EXCLUDES, "d0 15, d28 60", 70, "final", NONE_LEFT, NONE_LEFT),
        (KEPT, "d0 15, d28 60", 40, "open", 154, 154),
        (KEPT, "d0 15, d28 60, d84 60", 84, "final", NONE_LEFT, NONE_LEFT),
        (KEPT, "d0 15, d28 60, d40 20", 40, "final", NONE_LEFT, NONE_LEFT),
        (KEPT, "d0 15, d28 60", 154, "closed", NONE_LEFT, NONE_LEFT),
        (KEPT, "d0 15, d28 20, d84 20", 84, "final", NONE_LEFT, NONE_LEFT),
        (LOST, "d0 15, d28 60", 40, "open", NO_LIMIT, 140),
        (LOST, "d0 15, d28 60, d126 60", 126, "provisional", 140, 140),
        (LOST, "d0 15, d28 60, d126 60", 140, "final", NONE_LEFT, NONE_LEFT),
        (LOST, "d0 15, d28 60, d56 20", 56, "final", NONE_LEFT, NONE_LEFT),
        (AT_WEEK_12, "d0 15", 40, "open", 91, 91),
        (AT_WEEK_12, "d0 15, d80 60", 85, "provisional", 91, 91),
        (AT_WEEK_12, "d0 15, d80 60", 91, "final", NONE_LEFT, NONE_LEFT),
        (AT_WEEK_12, "d0 15", 91, "closed", NONE_LEFT, NONE_LEFT),
        (AFTER_X, "d0 15, d28 60", 40, "open", 63, 63),
        (AFTER_X, "d0 15, d28 60", 63, "closed", NONE_LEFT, NONE_LEFT),
        (AFTER_X, "d0 15, d28 20", 40, "open", NO_LIMIT, 119),
        (VISITS, "d0 15, d56 60", 60, "provisional", 87, 87),
        (VISITS, "d0 15, d56 60", 87, "final", NONE_LEFT, NONE_LEFT),
        (EXTENT, "d0 15, d28 60", 40, "provisional", NO_LIMIT, 84),
        (EXTENT, "d0 15, d28 60, d90 60", 90, "final", NONE_LEFT, NONE_LEFT),
        (EXTENT, "d-7 15", 40, "open", 84, 84),
        (EXTENT, "d-7 15", 84, "closed", NONE_LEFT, NONE_LEFT),
        (TIME_TO, "d0 15, d28 60", 40, "final", NONE_LEFT, NONE_LEFT),
        (TIME_TO, "d0 15, d28 20", 40, "open", NO_LIMIT, 84),
        (EITHER, "d0 15, d28 60", 40, "final", NONE_LEFT, NONE_LEFT),
        (EITHER, "d0 15, d28 20, d84 20", 90, "open", 147, 147),
        (EITHER, "d0 15, d28 20, d84 20", 147, "closed", NONE_LEFT, NONE_LEFT),
        (BEST, "d0 15, d28 60", 40, "final", NONE_LEFT, NONE_LEFT),
        (BEST, "d0 15, d28 20, d84 20", 90, "open", 147, 147),
        (BEST, "d0 15, d28 20, d84 20, d140 60", 147, "final", NONE_LEFT, NONE_LEFT),
        (REACHED, "d0 15, d28 <60", 40, "open", NO_LIMIT, 84),
    ],
)
def test_of_each_kind(text, timeline, day, state, until, assessed):
    criteria = criteria_of(text)
    seen = cut(timelines_of([timeline], columns=criteria.file.columns), AsOf(day)).cohort
    verdicts = classify(seen, criteria=criteria).verdicts

    of = still_open(criteria, seen, verdicts)[list(criteria.endpoints)[-1]]

    assert STATES[of.state[0]] == state
    assert np.array_equal([of.until[0], of.assessed_until[0]], [until, assessed], equal_nan=True)


OWN_COLUMNS = """
[columns]
landmark = { type = "number", table = "patients" }
ended    = { type = "number", table = "patients", is_day = true }
"""
OWN_LANDMARK = f"""{OWN_COLUMNS}
[X]
kind = "at"
when = "platelets >= 50"
day = "landmark"
within = ["landmark - 7", "landmark + 7"]
"""
OWN_EVENT = OWN_LANDMARK.replace('"landmark', '"ended')
MISSING_AFTER = f"""{OWN_COLUMNS}
[X]
kind = "at"
when = "platelets >= 50"
day = 56
within = [49, 63]
missing_after = {{ ended = "fails" }}
"""
ONLY = f"""{OWN_COLUMNS}{REACHED}
only = "ended <= 60"
"""
CENSORED = f"""{OWN_COLUMNS}{REACHED}
followed_from = 84
[S]
kind = "achieved"
when = "rescue"
days = [1, 84]
followed_from = 84
[Y]
kind = "time_to"
to = "X"
censored = ["ended", "last_count"]
by = 84
competing = ["S"]
"""
AT_ONCE = f"""{REACHED}
occasions = 2
at_once = "platelets >= 100"
"""
AT_BASELINE = """
[X]
kind = "achieved"
when = "platelets >= 50 and bleeding_grade < at_baseline(bleeding_grade)"
days = [1, 84]
"""

# The baseline is known; what was observed with it is not, before its days are over.
LATE_BASELINE = AT_BASELINE.replace("<", ">=")


@pytest.mark.parametrize(
    ("text", "timeline", "patient", "day", "state", "until"),
    [
        (OWN_LANDMARK, "d0 15", {"landmark": 56}, 60, "open", 63),
        (OWN_LANDMARK, "d0 15", {"landmark": 56}, 63, "closed", NONE_LEFT),
        (OWN_LANDMARK, "d0 15, d56 60", {"landmark": 56}, 63, "final", NONE_LEFT),
        (OWN_LANDMARK, "d0 15, d56 60", {}, 56, "closed", NONE_LEFT),
        (OWN_EVENT, "d0 15, d56 60", {}, 60, "open", NO_LIMIT),
        (OWN_EVENT, "d0 15, d56 60", {"ended": 61}, 60, "open", NO_LIMIT),
        (OWN_EVENT, "d0 15, d56 60", {"ended": 56}, 60, "provisional", 63),
        (OWN_EVENT, "d0 15, d56 60", {"ended": 56}, 63, "final", NONE_LEFT),
        (MISSING_AFTER, "d0 15", {}, 60, "open", 63),
        (MISSING_AFTER, "d0 15", {}, 63, "closed", NONE_LEFT),
        (MISSING_AFTER, "d0 15", {"ended": 50}, 60, "provisional", 63),
        (MISSING_AFTER, "d0 15", {"ended": 50}, 63, "final", NONE_LEFT),
        (ONLY, "d0 15, d28 60", {}, 40, "open", NO_LIMIT),
        (ONLY, "d0 15, d28 60", {"ended": 30}, 40, "final", NONE_LEFT),
        (CENSORED, "d0 15, d28 60", {}, 40, "provisional", NO_LIMIT),
        (CENSORED, "d0 15, d28 60, d84 20", {}, 84, "final", NONE_LEFT),
        (CENSORED, "d0 15, d28 20, d84 20", {}, 90, "provisional", NO_LIMIT),
        (CENSORED, "d0 15, d28 20, d84 20", {"ended": 70}, 90, "final", NONE_LEFT),
        (CENSORED, "d0 15, d28 rescue, d84 20", {"ended": 70}, 90, "final", NONE_LEFT),
        (AT_ONCE, "d0 15, d28 60, d35 120", {}, 35, "final", NONE_LEFT),
        (AT_ONCE, "d0 15, d28 120", {}, 35, "final", NONE_LEFT),
        (LATE_BASELINE, "d0 15 bleed 2, d28 60 bleed 1", {}, 28, "provisional", NO_LIMIT),
        (LATE_BASELINE, "d0 15 bleed 2, d28 60 bleed 1", {}, 30, "final", NONE_LEFT),
        (AT_BASELINE, "d0 15 bleed 2, d28 60 bleed 0", {}, 40, "final", NONE_LEFT),
    ],
)
def test_of_words_about_the_patient(text, timeline, patient, day, state, until):
    head = HEAD.replace("[-28, 0]", "[-28, 30]") if text is LATE_BASELINE else HEAD
    criteria = criteria_of(text, head)
    whole = timelines_of([timeline], columns=criteria.file.columns, patient=[patient])
    seen = cut(replace(whole, baseline=exactly(np.array([15.0]))), AsOf(day)).cohort

    of = still_open(criteria, seen, classify(seen, criteria=criteria).verdicts)[list(criteria.endpoints)[-1]]

    assert (STATES[of.state[0]], of.until[0]) == (state, pytest.approx(until, nan_ok=True))


def test_nothing_is_said_of_a_study_that_was_not_cut():
    assert classify(timelines_of(["d0 15"])).still_open == {}


class TestStillOpen:
    """A verdict that is said to be final stays, whatever is observed later."""

    @settings(max_examples=settings.default.max_examples // 2)
    @given(
        patient=strategies.patients(),
        raw=st.booleans().flatmap(lambda looks: strategies.criteria_variants(other_rows=looks)),
        day=DAYS,
        data=st.data(),
    )
    def test_what_is_final_never_changes(self, patient, raw, day, data):
        criteria = variant(raw)
        future = data.draw(futures(patient, day))
        whole = cohort_of([patient], criteria.file.columns)
        seen = cut(whole, AsOf(day)).cohort
        now = classify(seen, criteria=criteria)
        later = classify(cohort_of([future], criteria.file.columns), criteria=criteria)

        assert not changed_though_final(now, later)

    @pytest.mark.parametrize("name", [*SETS, own_words.NAME])
    def test_what_is_final_by_a_shipped_set_never_changes(self, name):
        criteria = load(name) if name != own_words.NAME else own_words.criteria(Path(mkdtemp()))
        for seed in range(1):
            drawn = [*of_set(criteria, 60, seed), *of_set(criteria, 60, seed + 100)]
            turns = sorted({one.day for patient in drawn for one in patient.observations if one.day >= 0})
            for day in np.random.default_rng(seed).choice(turns, 4):
                known, others = drawn[:60], drawn[60:]
                futures = [going_on(*pair, int(day), criteria) for pair in zip(known, others, strict=True)]
                seen = cut(cohort_of(known, criteria.file.columns), AsOf(int(day))).cohort
                now = classify(seen, criteria=criteria)
                later = classify(cohort_of(futures, criteria.file.columns), criteria=criteria)

                assert not changed_though_final(now, later), (seed, day)
