"""What is still open at an interim look, and what no later observation changes."""

import tomllib
from dataclasses import replace

import numpy as np
import strategies
from cuts import by_hand
from hypothesis import given
from hypothesis import strategies as st

from itp_response.classification.classification import classify
from itp_response.cohort.as_of import AsOf
from itp_response.cohort.cut import cut
from itp_response.definitions.criteria import read_dict
from itp_response.definitions.load import criteria_folder
from itp_response.evaluation.still_open import CLOSED, FINAL, still_open
from itp_response.validation.bridge import cohort_of
from itp_response.validation.literal import Patient

ATRA = criteria_folder() / "atra_2022.toml"
RAW = tomllib.loads(ATRA.read_text())


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


class TestCut:
    """A cohort as of a day is that of the study as it was told by then."""

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


class TestStillOpen:
    """A verdict that is said to be final stays, whatever is observed later."""

    @given(
        patient=strategies.patients(),
        raw=strategies.criteria_variants(),
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

        of = still_open(criteria, seen, now.verdicts)

        for name, state in of.items():
            if state.state[0] in (FINAL, CLOSED):
                values = [found.verdicts[name].value[0] for found in (now, later)]
                assert values[0] == values[1], name
