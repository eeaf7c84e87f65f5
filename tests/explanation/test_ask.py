"""A timeline typed by hand is asked in full: under interpretations, with the patient's columns, and with its notes."""

from datetime import date

import pytest

from itp_response.cohort.declared_columns import in_table
from itp_response.definitions.load import load, shipped
from itp_response.explanation.ask import ask
from itp_response.explanation.clause_results import clause_results
from itp_response.messages.errors import CohortError, CriteriaError
from itp_response.outputs.figures.plot import plot

VALUES = {"truth": "yes", "number": "3", "text": "a"}
SWITCHER = "d0 15, d14..d168 60"
REFUSED = [
    (
        {"criteria": "fit", "interpretation": "resuce"},
        CriteriaError,
        "fit.toml: unknown interpretation 'resuce'; known: ",
    ),
    (
        {"criteria": "bivv020", "columns": {"switchr": "yes"}},
        CohortError,
        "patient: unknown column 'switchr'; known: switcher. Did you mean 'switcher'?",
    ),
    (
        {"criteria": "bivv020", "columns": {"switcher": "perhaps"}},
        CohortError,
        "patient: switcher: 'perhaps' is not yes or no.",
    ),
    (
        {"criteria": "arnold_2012", "columns": {"standard_treatment_stopped": "week 3"}},
        CohortError,
        "patient: standard_treatment_stopped: 'week 3' is not a number.",
    ),
    (
        {"criteria": "fit", "columns": {"switcher": "yes"}},
        CohortError,
        "patient: unknown column 'switcher'; known: none.",
    ),
    (
        {"criteria": "ash_2019", "columns": {"corticosteroid_dependence": "1", "age": 3}},
        CohortError,
        "patient: unknown column 'age'; known: corticosteroid_dependence.",
    ),
    ({"baseline": 15000}, CohortError, "baseline: '15000' looks like cells/µL; give 10⁹/L (15)."),
    ({"baseline": "<10000"}, CohortError, "baseline: '<10000' looks like cells/µL; give 10⁹/L (<10)."),
]


class TestEverySet:
    @pytest.mark.parametrize("name", shipped())
    def test_is_asked_with_every_column_of_the_patient_table(self, name):
        criteria = load(name)
        columns = {
            column: VALUES[declared.type] for column, declared in in_table(criteria.file.columns, "patients").items()
        }
        timeline = "d0 15, d7 60, d14 60, d28 60"

        explanations = ask(timeline, name, columns=columns, counterfactuals=False)

        assert [explanation.endpoint for explanation in explanations] == list(criteria.endpoints)
        asked = clause_results(timeline, name, columns=columns)["patient"]
        expected = {"truth": True, "number": 3, "text": "a"}
        for column, declared in in_table(criteria.file.columns, "patients").items():
            assert asked[column] == expected[declared.type]

    @pytest.mark.parametrize("name", shipped())
    def test_is_asked_under_each_of_its_interpretations(self, name):
        for interpretation in load(name).file.interpretation:
            asked = clause_results(
                "d0 15, d7 60, d14 60, d28 60", name, interpretation=interpretation.id, day_0=date(2024, 1, 31)
            )

            assert asked["interpretations"] == [interpretation.id]


class TestColumns:
    def test_a_column_decides(self):
        values = {
            value: {
                verdict["endpoint"]: verdict["value"]
                for verdict in clause_results(SWITCHER, "bivv020", columns=given)["verdicts"]
            }
            for value, given in {"yes": {"switcher": True}, "no": {"switcher": "no"}, "": None}.items()
        }

        assert values["yes"] != values["no"]
        assert "NE" in values[""].values()


class TestInterpretations:
    def test_one_decides_and_the_head_names_it(self):
        timeline = "d0 20, d22 38, d29 38, d364 12"
        (as_written,) = ask(timeline, endpoint="OR")
        (otherwise,) = ask(timeline, endpoint="OR", interpretation="doubling-not-needed-from-30")

        assert (as_written.value, otherwise.value) == ("N", "Y")
        assert str(as_written).splitlines()[0].endswith("    atra_2022")
        assert str(otherwise).splitlines()[0].endswith("    atra_2022 under doubling-not-needed-from-30")

    def test_several_are_named_in_their_order_and_each_once(self):
        ids = ["any-gap", "no-washout", "any-gap"]
        (explanation,) = ask("d0 15", endpoint="OR", interpretation=ids, counterfactuals=False)

        assert explanation.title == "atra_2022 under any-gap and no-washout"

    def test_a_set_under_one_is_asked_under_another(self):
        criteria = load("atra_2022").under("any-gap")
        (explanation,) = ask("d0 15", criteria, endpoint="OR", interpretation="no-washout", counterfactuals=False)

        assert explanation.title == "atra_2022 under any-gap and no-washout"

    def test_a_picture_is_drawn_under_one(self):
        picture = plot("timeline", "d0 20, d22 38, d29 38", interpretation="doubling-not-needed-from-30", endpoint="OR")

        assert picture.result.frame()["OR"].to_list() == ["Y"]
        assert picture.origin.options["interpretation"] == "doubling-not-needed-from-30"

    def test_a_picture_is_drawn_with_columns(self):
        picture = plot("timeline", SWITCHER, criteria="bivv020", columns={"switcher": "yes"})

        assert picture.result.cohort.patient_columns["switcher"].true.tolist() == [True]


@pytest.mark.parametrize(("options", "error", "message"), REFUSED)
def test_what_is_not_known_or_not_of_its_type_is_refused(options, error, message):
    with pytest.raises(error) as refused:
        ask("d0 15", **options)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_days_that_are_not_planned_are_noted():
    note = "'d40..d364' stands for the planned days 42 to 364; day 40 is not planned and is left out."

    for explanation in ask("d0 15, d40..d364 40", counterfactuals=False):
        assert explanation.notes == (note,)
    assert clause_results("d0 15, d40..d364 40")["notes"] == [note]
    assert plot("timeline", "d0 15, d40..d364 40").summary().endswith(f"assumed: {note}")
    assert clause_results("d0 15, d42..d364 40")["notes"] == []
