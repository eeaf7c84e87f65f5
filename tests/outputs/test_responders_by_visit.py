"""Responders by planned visit: the table and the figure, from the states of `by_visit`."""

import math

import polars as pl
import pytest

import itp_response
from itp_response import UsageError

STUDY = ("examples/visits.csv", "examples/patients.csv")


@pytest.fixture(scope="module")
def study():
    return itp_response.classify(*STUDY)


def wilson(met, of, z=1.959963984540054):
    """Wilson's interval of a proportion, as it is printed (JASA 1927;22:209-212)."""
    share, spread = met / of, z * math.sqrt(met / of * (1 - met / of) / of + z**2 / (4 * of**2))
    return tuple((share + z**2 / (2 * of) + sign * spread) / (1 + z**2 / of) for sign in (-1, 1))


@pytest.mark.parametrize(("of", "counted"), [("itt", ("Y", "N", "NE")), ("complete", ("Y", "N"))])
def test_the_numbers_are_those_of_the_states(study, of, counted):
    numbers = itp_response.table(study, show=["by_visit"], of=of)["by_visit"].frame()
    states = study.by_visit().filter(pl.col("endpoint") == "OR", pl.col("value").is_in(counted))
    for (arm, day), rows in states.group_by("arm", "visit_day"):
        mine = numbers.filter(group=arm, level=f"day {day}")
        found = dict(mine.select("statistic", "value").rows())
        met, size = rows.filter(value="Y").height, rows.height
        low, high = wilson(met, size)
        wanted = {"n": met, "N": size, "share": met / size, "low": low, "high": high}
        assert found == pytest.approx(wanted, abs=1e-12)


def test_the_endpoint_is_the_response_unless_one_is_named(study):
    assert itp_response.table(study, show=["by_visit"])["by_visit"].rows[0] == ("Overall response (OR)",)
    assert itp_response.table(study, show=["by_visit"], endpoint=["CR"])["by_visit"].rows[0] == (
        "Complete response (CR)",
    )


def test_an_endpoint_without_a_state_is_refused(study):
    with pytest.raises(UsageError, match="unknown endpoint with a state at planned visits 'late_rescue'; known: OR"):
        itp_response.table(study, show=["by_visit"], endpoint=["late_rescue"])
    with pytest.raises(UsageError, match="unknown endpoint with a state at planned visits 'late_rescue'"):
        itp_response.plot("by-visit", study, endpoint="late_rescue")


def test_it_is_not_among_all(study):
    assert "by_visit" not in [table.name for table in itp_response.table(study, show=["all"], only=["age > 70"]).tables]


def test_the_figure_draws_the_shares(study):
    """A point per visit and arm at the share of the table."""
    numbers = itp_response.table(study, show=["by_visit"])["by_visit"].frame().filter(statistic="share")
    (axes,) = itp_response.plot("by-visit", study).axes
    drawn = [line.get_ydata().tolist() for line in axes.get_lines()]
    assert drawn == [
        numbers.filter(group=arm)["value"].to_list() for arm in numbers["group"].unique(maintain_order=True)
    ]


def test_a_visit_without_any_count_is_not_shown_and_said():
    """The example study has no visit at week 5, which RAISE plans: nothing is known of it."""
    study = itp_response.classify(*STUDY, "raise")
    table = itp_response.table(study, show=["by_visit"])["by_visit"]
    picture = itp_response.plot("by-visit", study)

    assert "  week 5" not in [row[0] for row in table.rows]
    assert 35 not in [round(day) for line in picture.axes[0].lines for day in line.get_xdata()]
    said = "Not shown, as no patient has a count there: week 5."
    assert said in table.notes
    assert said in picture.summary()
