"""What a plan of visits can show: tables to be checked by hand, and a search for courses that show what never can be."""

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import itp_response
from itp_response.authoring.visit_plan import planned_days, visit_plan
from itp_response.cli import main
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.load import load
from itp_response.messages.errors import UsageError

OTHER_ROWS = str(Path(__file__).parents[2] / "examples" / "other_rows.toml")
TABLES = {
    # Two counts a week apart from day 1 on; 182 days; with the last visit left one is not confirmed any more.
    ("atra_2022", "d0 d7 d14 d21 d28..d364 every 28"): "OR 14 336, SR 196 21, remission 364 21",
    ("atra_2022", "d0 d28..d364 every 84"): "OR 112 280, CR 112 196, SR - 112, relapse 196 364, remission 364 196",
    ("atra_2022", "d0 d28 d56"): "OR 56 56, CR 56 56, SR - 56, relapse - -, remission - 56, late_rescue 56 -",
    ("riviere_2023", "d0 d30 d182"): "CR 182 182, response 182 182, other_treatment 30 182",
    ("fit", "d0..d70 every 14"): "stable - 0",
    # The score may rise after day 0, and the count fall from 51 to 25; a score on day 0 can be none higher than itself.
    (OTHER_ROWS, "d0 d14 d28 d42 d56"): "better 56 56, half 14 28",
    (OTHER_ROWS, "d0 d56"): "better 56 56, half 56 0",
    # Eight weeks before the count of day 168 begin on day 112.
    ("romiplostim_2008", None): "stable_dose 168 112",
}


@pytest.mark.parametrize(("name", "plan"), TABLES, ids=lambda value: value)
def test_what_it_shows_and_from_when(name, plan):
    found = {one.endpoint: (one.y_from, one.n_from) for one in visit_plan(plan, name).shown}

    for line in TABLES[name, plan].split(", "):
        endpoint, *days = line.split()
        assert (endpoint, found[endpoint]) == (endpoint, tuple(None if day == "-" else int(day) for day in days))


def test_why_never_is_the_reason_of_who_is_high_throughout():
    shown = {one.endpoint: one.never for one in visit_plan("d0 d28..d364 every 84").shown}

    assert (shown["SR"], shown["OR"]) == ("gap_in_counts", "")


NEVER = [
    ("atra_2022", "d0 d28..d364 every 84", ["SR"]),
    ("atra_2022", "d0 d28 d56", ["SR", "remission", "relapse"]),
    ("iwg_2009", "d0 d28 d200", ["loss_CR", "loss_R"]),
    ("treatment_free", "d0 d28 d56 d84", ["SROT30_6", "SROT50_6"]),
]


@pytest.mark.parametrize(("name", "plan", "never"), NEVER)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_course_shows_what_is_said_never_to_be(name, plan, never, data):
    """Any counts, bleeding, rescue and events on the days of the plan; twenty patients at a time."""
    criteria = load(name)
    columns = [column for column, one in criteria.file.columns.items() if one.table == "visits"]
    entry = st.builds(
        "{} bleed {}{}{}".format,
        st.sampled_from([5, 20, 25, 29, 30, 31, 50, 51, 99, 100, 101, 300]),
        st.sampled_from([0, 0, 0, 1, "?"]),
        st.sampled_from(["", "", "", " rescue"]),
        st.sampled_from(["", "", *(f" {column}=yes" for column in columns)]),
    )
    days = planned_days(plan)
    courses = st.lists(entry, min_size=len(days), max_size=len(days))
    timelines = [
        ", ".join(f"d{day} {seen}" for day, seen in zip(days, course, strict=True))
        for course in data.draw(st.lists(courses, min_size=20, max_size=20))
    ]
    shown = {one.endpoint: one.y_from for one in _schedule(name, plan)}
    cohort = cohort_of(timelines, baseline=[10.0] * 20, day_0=[_DAY_0] * 20, columns=criteria.file.columns)
    found = itp_response.classify(cohort, criteria=criteria)

    for endpoint in never:
        assert shown[endpoint] is None
        assert "Y" not in [found.verdicts[endpoint].labels[value] for value in found.verdicts[endpoint].value]


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("d0 week4", "plan: 'week4' is not understood; write days as 'd0 d7 d14..d364 every 28'."),
        (
            "d0 d28..d7 every 7",
            "plan: 'd28..d7 every 7' has no days; the last comes after the first, and the step is 1 or more.",
        ),
        ("", "the plan has no visit; write it as 'd0 d7 d14..d364 every 28'."),
    ],
)
def test_a_plan_that_cannot_be_read_is_refused(plan, message):
    with pytest.raises(UsageError) as raised:
        planned_days(plan)

    assert str(raised.value) == message


def test_a_plan_may_be_a_file_or_that_of_the_set(tmp_path):
    (tmp_path / "plan.txt").write_text("d0\n7, 14\n")

    assert planned_days(str(tmp_path / "plan.txt")) == [0, 7, 14]
    assert visit_plan(criteria="raise").days == load("raise").file.clock.visits
    output = tmp_path / "table.csv"
    assert CliRunner().invoke(main, ["visit-plan", "d0 d28 d56", "--output", str(output)]).exit_code == 0
    assert output.read_text().splitlines()[:2] == ["endpoint,label,y_from,n_from,never", "OR,Overall response,56,56,"]


_CACHE = {}


def _schedule(name, plan):
    if (name, plan) not in _CACHE:
        _CACHE[name, plan] = visit_plan(plan, name).shown
    return _CACHE[name, plan]


_DAY_0 = date(2001, 1, 1)
