"""Times from day 0 are of all patients; what competes with the endpoint is the definition's, and the incidence lifelines'."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itp_response import classify, plot, table
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.load import load
from itp_response.evaluation.verdicts import NA, Y
from itp_response.outputs.statistics.from_day_0 import cumulative_incidence, from_day_0, interval
from itp_response.outputs.statistics.times import kaplan_meier

RESPONDS, NEVER = "d0 12, d22 45, d29 50, d364 55", "d0 12, d22 15, d180 14, d350 18"
RESCUED, STOPS, LEAVES = "d0 12, d22 15, d50 12 rescue, d364 60", "d0 12, d22 15, d30 14", "d0 12, d22 15, d80 14"


def decided(*timelines, criteria="atra_2022", stopped=None, patient=None):
    columns = load(criteria).file.columns
    cohort = cohort_of(timelines, treatment_discontinued=stopped, columns=columns, patient=patient)
    return classify(cohort, criteria=criteria)


def followed(classification, name="TTR"):
    return from_day_0(classification, name, np.ones(len(classification.cohort), dtype=np.bool_))


# a timeline, the day treatment was discontinued, the day and how the time ends
ENDS = [
    (RESPONDS, None, 22, "event"),
    (NEVER, None, 350, "censored"),
    (LEAVES, None, 80, "censored"),
    ("d0 12", None, 0, "censored"),
    (RESCUED, None, 50, "competing"),
    (STOPS, 40, 40, "competing"),
    (RESPONDS, 40, 40, "competing"),
    ("d0 12, d22 15, d364 20, d400 10", None, 364, "censored"),
]


class TestEveryPatient:
    @pytest.mark.parametrize(("timeline", "stopped", "day", "ends"), ENDS)
    def test_has_a_time(self, timeline, stopped, day, ends):
        time = followed(decided(timeline, stopped=[stopped]))
        found = "event" if time.event[0] else "competing" if time.competing[0] else "censored"

        assert (time.days[0], found) == (day, ends)

    def test_the_competing_events_are_the_definitions(self):
        stopped = [None, 40]
        assert followed(decided(RESPONDS, STOPS, stopped=stopped)).competitors == (
            "rescue treatment on day 36 or later",
            "treatment discontinued",
        )
        assert followed(decided(RESPONDS, STOPS, stopped=stopped, criteria="cm313")).competitors == (
            "rescue treatment",
        )
        assert followed(decided(RESPONDS, STOPS, stopped=stopped), "DOR") is None

    def test_of_an_endpoint_that_sums_up_others_by_all_of_them(self):
        patient = [{"corticosteroid_dependence": "no"}]
        time = followed(decided(RESCUED, criteria="iwg_2009", patient=patient))

        assert (time.days[0], bool(time.competing[0])) == (50, True)

    def test_in_the_example_as_many_have_it_as_met_it(self):
        classification = classify("examples/visits.csv", "examples/patients.csv")
        time, value = followed(classification), classification.verdicts["OR"].value

        assert np.array_equal(time.event, value == Y)
        assert not np.isnan(time.days[value != NA]).any()
        assert not (time.event & time.competing).any()


class TestIncidence:
    @given(
        st.lists(
            st.tuples(st.floats(0.5, 400), st.integers(0, 2)), min_size=8, max_size=60, unique_by=lambda pair: pair[0]
        )
    )
    def test_is_that_of_lifelines_where_no_times_are_tied(self, pairs):
        lifelines = pytest.importorskip("lifelines")
        days, code = (np.array(column) for column in zip(*pairs, strict=True))
        if not (code == 1).any():
            return
        fitted = lifelines.AalenJohansenFitter(calculate_variance=True).fit(days, code, event_of_interest=1)
        steps = cumulative_incidence(days, code == 1, code == 2)

        for day in (float(np.median(days)), float(days.max())):
            before = fitted.cumulative_density_.index <= day
            share, variance = steps.at(day)
            assert share == pytest.approx(float(fitted.cumulative_density_[before].iloc[-1, 0]))
            if steps.share[-1] < 1 and (code[days == days.max()] == 0).all():
                assert variance == pytest.approx(float(fitted.variance_[before].iloc[-1]))

    def test_with_ties_it_is_that_of_r_and_of_statsmodels(self):
        """R's survival 3.5: survfit(Surv(days, factor(code, 0:2)) ~ 1), its state 1 and the standard error of that."""
        survfunc = pytest.importorskip("statsmodels.duration.survfunc")
        days = np.array([1, 2, 2, 3, 3, 3, 5, 6, 6, 8, 9, 9, 10, 12, 12], dtype=np.float64)
        code = np.array([1, 2, 1, 0, 1, 2, 1, 2, 1, 0, 1, 1, 2, 0, 1])
        steps = cumulative_incidence(days, code == 1, code == 2)
        theirs = survfunc.CumIncidenceRight(days, code)

        of_r = {3: (0.2, 0.1032795559), 6: (0.3481481481, 0.1264236111), 12: (0.6148148148, 0.1361208389)}
        for day, (share, error) in of_r.items():
            found = steps.at(day)
            place = int(np.searchsorted(theirs.times, day))
            assert (found[0], found[1] ** 0.5) == pytest.approx((share, error))
            assert (theirs.cinc[0][place], theirs.cinc_se[0][place]) == pytest.approx((share, error))

    @given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 2)), min_size=3, max_size=40))
    def test_with_ties_those_of_all_events_and_of_none_add_up(self, pairs):
        days, code = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
        nobody = np.zeros(len(days), dtype=np.bool_)
        end = float(days.max())
        either = cumulative_incidence(days, code > 0, nobody).at(end)[0]
        each = [cumulative_incidence(days, code == one, code == 3 - one).at(end)[0] for one in (1, 2)]

        assert sum(each) == pytest.approx(either)

    def test_without_competing_events_it_is_one_less_kaplan_meier(self):
        days, event = np.array([1.0, 2, 2, 3, 5, 8]), np.array([True, True, False, True, False, True])
        steps = cumulative_incidence(days, event, ~event & False)
        median = kaplan_meier(days, event).median

        assert steps.at(median)[0] >= 0.5 > steps.at(median - 0.5)[0]

    def test_of_all_or_none_it_has_no_width(self):
        assert interval(0.0, 0.0, 1.96) == (0.0, 0.0)
        assert interval(1.0, 0.0, 1.96) == (1.0, 1.0)


class TestTable:
    def test_curves_are_over_all_and_the_quartiles_are_called_so(self):
        found = table(decided(RESPONDS, RESPONDS, NEVER, RESCUED, stopped=[None, None, None, None]), endpoint=["TTR"])[
            "times"
        ]
        rows = {row[0].strip(): row[1:] for row in found.rows}

        assert rows["events/patients (n/N)"] == ("2/4",)
        assert rows["competing events"] == ("1",)
        assert rows["patients with Overall response (OR)"] == ("2",)
        assert rows["cumulative incidence by day 365, % (95% CI)"][0].startswith("50.0 (")

    def test_no_log_rank_test_is_among_responders(self):
        numbers = table("examples/visits.csv", "examples/patients.csv", endpoint=["TTR"])["times"].frame()
        events = numbers.filter(statistic="N", method="Kaplan-Meier")

        assert events["value"].to_list() == [112, 56]
        assert set(numbers.filter(statistic="p")["method"]) == {"log-rank", "Mann-Whitney", "Cox", "restricted mean"}

    def test_a_picture_is_over_all_and_has_the_incidence_where_something_competes(self):
        drawn = plot("km", "examples/visits.csv", "examples/patients.csv", endpoint="TTR")
        texts = [text.get_text() for text in drawn.texts]

        assert "ATRA + LD-RTX: 90 events in 112 patients; median 6.0 weeks (95% CI 4.0 to 6.0)" in texts
        assert len(drawn.axes) == 2
        assert len(plot("km", "examples/visits.csv", "examples/patients.csv").axes) == 1
