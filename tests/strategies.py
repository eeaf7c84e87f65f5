"""Patients and criteria for property tests, crowded where the definitions turn."""

from __future__ import annotations

import copy
import datetime
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from itp_response.definitions.criteria import read_dict
from itp_response.messages.errors import CriteriaError
from itp_response.validation.literal import Observation, Patient

BASE: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent.parent / "criteria" / "atra_2022.toml").read_text(encoding="utf-8")
)
VISITS: list[int] = list(BASE["clock"]["visits"])

Count = str | float | None

PLANNED_BASELINES: list[Count] = [15, 15, 15, 14.9, 20, 10, 12, 7, 50, 60, "<10", 0]
BASELINES: list[Count] = [15, 14.9, 15.1, 10, 20, 7, 29.9, 49.9, 50, 60, 0, "<10", "<30", ">29", None]
LOW: list[Count] = [0, 5, 10, 12, 14.9, 15, 20, 29, 29.9, "<10", "<30"]
BAD: list[Count] = [12, 12, 5, "<10"]
MIDDLE: list[Count] = [30, 30.1, 31, 35, 40, 50, 60, 99.9, "<31", "<50", ">29", ">30"]
HIGH: list[Count] = [100, 100.1, 120, 250, ">100", ">1000", 1001]

# Days after a moment where a window, a run or the year ends.
AFTER = [0, 1, 6, 7, 8, 13, 14, 15, 34, 35, 36, 37, 41, 42, 55, 56, 57, 70, 71, 181, 182, 183, 184]
ABSOLUTE = [-29, -28, -1, 0, 1, 7, 34, 35, 36, 37, 41, 42, 70, 71, 183, 184]
YEAR = [336, 337, 338, 364, 365, 366, 392, 393, 394]

# Columns beyond the built-in ones, of each type and table.
COLUMNS: dict[str, dict[str, Any]] = {
    "dose": {"type": "number", "table": "visits", "empty": "unknown", "several": "highest"},
    "steroid": {"type": "truth", "table": "visits", "empty": False, "several": "last"},
    "arm": {"type": "text", "table": "patients", "empty": "unknown"},
    "age": {"type": "number", "table": "patients", "empty": 40},
}

# Rescue treatments as recorded, and the classes that variants put them in; dexamethasone may be in none.
RESCUE_NAMES = [None, None, "IVIg", "platelet transfusion", "Platelets", "dexamethasone"]
RESCUES: dict[str, list[str]] = {
    "transfusion": ["platelet transfusion", "platelets"],
    "immunoglobulin": ["IVIG"],
}

# The ends of months of different length, so that a length in months is cut now and then.
DAYS_0 = [datetime.date(*day) for day in [(2023, 1, 1), (2023, 8, 31), (2024, 2, 29), (2023, 3, 30), (2021, 11, 30)]]


def days() -> st.SearchStrategy[int]:
    """Single days near the bounds of the definitions."""
    return st.one_of(
        st.sampled_from(ABSOLUTE + YEAR),
        st.sampled_from(VISITS),
        st.builds(int.__add__, st.sampled_from(VISITS), st.sampled_from([*AFTER, -1])),
        st.integers(-30, 400),
    )


def counts(baseline: Count = 15) -> st.SearchStrategy[Count]:
    """Counts at the thresholds, and around the double of the baseline."""
    near = [30, 29.9] if baseline is None or isinstance(baseline, str) else around(baseline)
    return st.one_of(
        st.sampled_from(near), st.sampled_from(MIDDLE), st.sampled_from(HIGH), st.sampled_from(LOW), st.none()
    )


def around(baseline: float) -> list[float]:
    """Numbers where a rule over the count and the baseline turns, and their neighbours."""
    turns = [2 * baseline, baseline + 20, baseline]
    return [number for turn in turns for number in (turn, turn + 0.1, max(turn - 0.1, 0))]


def grades() -> st.SearchStrategy[int | None]:
    return st.sampled_from([0, 0, 0, 0, None, None, 1, 2, 4])


@st.composite
def observations(draw: st.DrawFn, at: int | None = None, baseline: Count = 15) -> Observation:
    """One observation: a count, bleeding, a rescue course, or any mixture of them."""
    day = draw(days()) if at is None else at
    what = draw(st.sampled_from(["count", "count", "count", "count", "bleeding", "rescue", "all", "nothing"]))
    count = draw(counts(baseline)) if what in ("count", "all") else None
    grade = draw(grades()) if what in ("count", "bleeding", "all") else None
    if what in ("rescue", "all"):
        return Observation(
            day, count, grade, rescue=True, rescue_end=draw(course_ends(day)), rescue_name=draw(rescue_names())
        )
    return Observation(day, count, grade)


def rescue_names() -> st.SearchStrategy[str | None]:
    return st.sampled_from(RESCUE_NAMES)


def course_ends(day: int) -> st.SearchStrategy[int | None]:
    return st.sampled_from([None, day, day + 1, day + 2, day + 7, day + 35])


@st.composite
def patients(draw: st.DrawFn, columns: bool = False) -> Patient:
    """A patient: most are responders by the visit_plan, the others observed on any days near a bound.

    With `columns` there is something in the columns of COLUMNS, as `criteria_variants(columns=True)` declares them.
    """
    if draw(st.sampled_from(["by the visit_plan"] * 4 + ["anyhow"])) == "anyhow":
        patient = draw(anyhow())
    else:
        patient = draw(by_the_schedule())
    found = patient.observations
    if columns:
        found = tuple(draw(with_columns(seen)) for seen in found)
    if draw(rarely()):
        found = tuple(draw(st.permutations(found)))
    return replace(
        patient,
        observations=found,
        treatment_discontinued=draw(st.sampled_from([0, 36, 70, 84, 400])) if draw(rarely(30)) else None,
        columns={"arm": draw(st.sampled_from(["A", "B", None])), "age": draw(st.sampled_from([39, 40, 41, None]))}
        if columns
        else {},
        day_0=draw(st.sampled_from(DAYS_0)),
    )


@st.composite
def with_columns(draw: st.DrawFn, seen: Observation) -> Observation:
    dose = draw(st.sampled_from([None, None, 0, 10, 50]))
    steroid = draw(st.sampled_from([None, None, True, False]))
    return replace(seen, columns={"dose": dose, "steroid": steroid})


def cohorts(columns: bool = False) -> st.SearchStrategy[list[Patient]]:
    """One to six patients."""
    return st.lists(patients(columns=columns), min_size=1, max_size=6)


def rarely(once_in: int = 8) -> st.SearchStrategy[bool]:
    return st.sampled_from([False] * (once_in - 1) + [True])


@st.composite
def anyhow(draw: st.DrawFn) -> Patient:
    """Days that follow each other at the lengths that matter, with anything observed on them."""
    baseline = draw(st.sampled_from(BASELINES))
    day = draw(st.sampled_from([-29, -28, -1, 0, 1, 7, 21, 28]))
    found = []
    for step in draw(st.lists(st.sampled_from([0, 1, 6, 7, 7, 7, 8, 14, 28, 35, 36, 56, 57, 182]), max_size=12)):
        found.append(draw(observations(at=day, baseline=baseline)))
        day += step
    for day in draw(st.lists(days(), max_size=4)):
        found.append(draw(observations(at=day, baseline=baseline)))
    found += draw(courses())
    if draw(rarely(4)) and found:
        found.append(draw(st.sampled_from(found)))
    return Patient(tuple(found), baseline=baseline)


@st.composite
def courses(draw: st.DrawFn) -> list[Observation]:
    """Rescue courses, of which two may overlap, contain one another, or meet on a day."""
    if not draw(rarely(4)):
        return []
    begin = draw(st.sampled_from([-1, 0, 1, 3, 7, 28, 34, 35, 36, 37, 41, 42, 100]))
    length = draw(st.sampled_from([0, 1, 7, 30]))
    first_end = draw(st.sampled_from([begin + length, begin + length, None]))
    first = Observation(begin, rescue=True, rescue_end=first_end, rescue_name=draw(rescue_names()))
    second_begin = begin + draw(st.sampled_from([0, 1, length, length + 1, length + 35]))
    second_end = second_begin + draw(st.sampled_from([0, 1, max(length - 2, 0), 14]))
    second = Observation(second_begin, rescue=True, rescue_end=second_end, rescue_name=draw(rescue_names()))
    return [first, second] if draw(st.booleans()) else [first]


@st.composite
def by_the_schedule(draw: st.DrawFn) -> Patient:
    """A course like those of the trial, on the planned visits, with a few things changed at random."""
    baseline = draw(st.sampled_from(PLANNED_BASELINES))
    response = draw(st.sampled_from([28, 28, 28, 28, 7, 14, 21, 21, 42, 56, 84, 168, 182, 183, 184]))
    level = draw(levels(baseline))
    loss = draw(st.sampled_from([None, None, None, None, None, 7, 21, 28, 181, 182, 183, 250, 337]))
    last = draw(st.sampled_from([364, 364, 364, 365, 365, 366, 393, 336, 337, 280]))
    found = []
    for day in visit_days(draw(st.sampled_from(["all", "all", "all", "56", "57", "exact"])), response, last):
        if day <= 0:
            found.append(Observation(day, baseline, draw(st.sampled_from([0, 0, 1, None]))))
        elif day < response or (loss is not None and day >= response + loss):
            found.append(Observation(day, draw(st.sampled_from(BAD)), 0))
        else:
            found.append(Observation(day, level, 0))
    if draw(rarely(3)):
        found = draw(with_a_higher_stretch(found, response))
    if draw(rarely(10)):
        found = [replace(seen, bleeding_grade=None) if draw(st.booleans()) else seen for seen in found]
    if draw(rarely(8)):
        begin = draw(st.sampled_from([0, 3, 7, 21, 34, 35]))
        end = draw(st.sampled_from([None, begin, begin + 1, 35]))
        found.append(Observation(begin, rescue=True, rescue_end=end, rescue_name=draw(rescue_names())))
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3]))):
        found = draw(changed(found, baseline, response))
    given = draw(st.sampled_from([None, None, None, baseline, 20, "<30"]))
    return Patient(tuple(found), baseline=given)


def levels(baseline: Count) -> st.SearchStrategy[Count]:
    """Counts of a responder; good ones most often, so that the long spans are lived through."""
    good: list[Count] = [60, 60, 120, 120, 100, 99.9, ">100", ">1000", 250]
    bare: list[Count] = [30, 30.1, 31, "<50", ">30"]
    if isinstance(baseline, int | float):
        bare += [2 * baseline, 2 * baseline + 0.1] if baseline >= 15 else []
        good = [120, ">100", 100] if baseline >= 50 else good
    return st.one_of(st.sampled_from(good), st.sampled_from(good), st.sampled_from(good + bare))


def visit_days(plan: str, response: int, last: int) -> Sequence[int]:
    """All planned visits; or, after the response, few of them with gaps about the greatest allowed."""
    before = [day for day in [0, *VISITS] if day < response]
    if plan == "all":
        after = [day for day in VISITS if day >= response] + [last]
    elif plan in ("56", "57"):
        # From the span's end on as planned, so that one day more in between makes the gap and nothing else.
        after = [response, response + 7, response + 63, response + 63 + int(plan), response + 182, 337, last]
    else:
        after = [response, response + 7, response + 63, response + 119, response + 175, response + 182, 337, last]
    return sorted({day for day in (*before, *after) if day <= last})


@st.composite
def with_a_higher_stretch(draw: st.DrawFn, found: list[Observation], response: int) -> list[Observation]:
    """Some visits of the response with a count of 100 or more."""
    begin = response + draw(st.sampled_from([0, 7, 14, 56]))
    end = begin + draw(st.sampled_from([0, 7, 14, 400]))
    return [
        replace(seen, platelets=draw(st.sampled_from(HIGH)))
        if begin <= seen.day <= end and isinstance(seen.platelets, int | float) and seen.platelets >= 30
        else seen
        for seen in found
    ]


@st.composite
def changed(draw: st.DrawFn, found: list[Observation], baseline: Count, response: int) -> list[Observation]:
    """The same course with one thing changed."""
    how = draw(
        st.sampled_from(
            ["drop", "drop", "count", "count", "grade", "move", "again", "beside", "bleed", "rescue", "special"]
        )
    )
    if how in ("bleed", "rescue", "special") or not found:
        special = response + draw(st.sampled_from(AFTER))
        day = draw(st.one_of(st.just(special), st.sampled_from(ABSOLUTE + YEAR)))
        if how == "bleed":
            return [*found, Observation(day, None, draw(st.sampled_from([0, 1, 2])))]
        if how == "rescue":
            end, name = draw(course_ends(day)), draw(rescue_names())
            return [*found, *draw(courses()), Observation(day, rescue=True, rescue_end=end, rescue_name=name)]
        return [*found, draw(observations(at=day, baseline=baseline))]
    place = draw(st.integers(0, len(found) - 1))
    seen, others = found[place], [*found[:place], *found[place + 1 :]]
    if how == "drop":
        return others
    if how == "count":
        return [*others, replace(seen, platelets=draw(counts(baseline)))]
    if how == "grade":
        return [*others, replace(seen, bleeding_grade=draw(grades()))]
    if how == "move":
        return [*others, replace(seen, day=seen.day + draw(st.sampled_from([-7, -1, 1, 7])))]
    if how == "again":
        return [*found, seen]
    return [*found, draw(observations(at=seen.day, baseline=baseline))]


# Criteria that differ from the trial's.

STATES = [
    "(response or complete) and not bleeding",
    "platelets >= 30",
    "30 <= platelets < 100 and not bleeding",
    "30 <= platelets < 2 * baseline + 50 or platelets >= 100",
    "platelets - baseline >= 20 and bleeding_grade == 0",
    "platelets / baseline >= 2 and platelets >= 30",
    "not (platelets < 30 or bleeding)",
    "not (platelets < 50) and not rescue",
    "(platelets > 30 and not late_rescue) or complete",
    "complete or response and not bleeding",
    "platelets != 30 and platelets > 29.5 and not rescue",
    "bleeding_grade <= 1 and platelets + 10 >= 40",
    "day >= 14 and platelets >= 30 and days_since_rescue > 7",
]
HEAD = {"says": "For the tests only.", "where": "nowhere"}
LOSSES = [
    "platelets < 30 or bleeding or late_rescue",
    "platelets < 30",
    "platelets < 2 * baseline or rescue",
    "platelets <= 30 and day > 28 or bleeding_grade >= 2",
    "not (platelets >= 30 and not bleeding)",
    "late_rescue or platelets - baseline < 20 or treatment_discontinued",
    "platelets / baseline < 2 or bleeding",
]
COLUMN_STATES = [
    "platelets >= 30 and not steroid",
    "platelets >= 30 and dose <= 10",
    "arm == 'A' and platelets >= 30 or platelets >= 50 and dose < 50",
    "dose >= 0",
]
OTHER_ROW_STATES = [
    "platelets >= 30 and platelets >= previous(platelets)",
    "platelets >= 2 * lowest(platelets, '4 weeks') or platelets >= 100",
    "platelets - at_baseline(platelets) >= 20 and bleeding_grade <= previous(bleeding_grade)",
    "highest(platelets) - lowest(platelets) >= 20 and platelets >= 30",
    "platelets >= first(platelets) + 10 and highest(bleeding_grade, '5 weeks') < 1",
]
OTHER_ROW_LOSSES = [
    "platelets <= 0.5 * highest(platelets) or rescue",
    "platelets < previous(platelets) / 2 or bleeding",
    "platelets < 30 or highest(bleeding_grade, '7 days') > at_baseline(bleeding_grade)",
]
LENGTHS = ["7 days", "14 days", "56 days", "12 weeks", "26 weeks", "180 days", "182 days", "183 days"]
MONTHS = ["1 month", "3 months", "6 months"]
CLASS_STATES = [
    "platelets >= 30 and not immunoglobulin",
    "platelets >= 30 and days_since_transfusion > 7",
    "not (platelets < 30 or transfusion) and not bleeding",
    "days_since_immunoglobulin > days_since_transfusion and platelets >= 30",
]
CLASS_LOSSES = [
    "platelets < 30 or transfusion",
    "immunoglobulin and day >= 36 or bleeding",
    "days_since_transfusion <= 1",
]
DISCOUNTS = ["washout", "rescue or washout", "days_since_rescue <= 7", "bleeding_grade >= 1"]
CLASS_DISCOUNTS = ["days_since_transfusion <= 7", "transfusion or days_since_immunoglobulin <= 35"]
CLOSINGS = ["late_rescue", "rescue", "bleeding_grade >= 2", "platelets < 10", "platelets < 30 and day > 7"]
CLASS_CLOSINGS = ["transfusion", "immunoglobulin and day >= 36", "0 < days_since_immunoglobulin <= 7"]
ROLES = ["response", "complete_response", "loss", "failure", "extent", "dosing", None]


@st.composite
def criteria_variants(
    draw: st.DrawFn, months: bool = True, columns: bool = False, other_rows: bool = False
) -> dict[str, Any]:
    """The trial's criteria with other settings; each key is left as it is about as often as it is changed.

    Without `months` no length is in calendar months; with `columns` rules also name the columns of COLUMNS;
    with `other_rows` they look at other rows.
    """
    criteria = copy.deepcopy(BASE)
    # Worked examples and interpretations are about the file as it stands.
    criteria.pop("example", None)
    criteria.pop("interpretation", None)
    lengths = LENGTHS + (MONTHS if months else [])
    settle(draw, criteria["baseline"], "pick", ["last", "lowest", "mean"])
    settle(draw, criteria["baseline"], "days", [[-28, 0], [-29, -1], [-28, 1], [-inf, 0]])
    settle(draw, criteria["clock"], "followed_from", [336, 337, 365, 210])
    settle(
        draw,
        criteria["terms"],
        "late_rescue",
        ["rescue and day >= 42", "day >= 36 and (rescue or day - days_since_rescue >= 36)"],
    )
    settle(draw, criteria["terms"], "washout", ["days_since_rescue <= 35", "0 < days_since_rescue < 36", "rescue"])
    vary_achieved(draw, criteria["OR"])
    settle(draw, criteria["OR"], "unless", [None, "treatment_discontinued", "baseline >= 50", "baseline < 10"])
    vary_achieved(draw, criteria["CR"])
    settle(draw, criteria["CR"], "when", ["complete and not bleeding", "complete", "platelets / baseline >= 4"])
    settle(draw, criteria["CR"], "until", ["relapse", None])
    for name in ("SR", "remission"):
        vary_maintained(draw, criteria[name], lengths)
    vary_lost(draw, criteria["relapse"])
    for name in ("OR", "CR", "relapse", "late_rescue"):
        settle(draw, criteria[name], "followed_from", [None, 210, 336, 365])
    vary_times(draw, criteria)
    settle(
        draw,
        criteria["best_response"],
        "of",
        [
            ["CR", {"R": "OR"}],
            ["OR"],
            [{"SR and more": "SR"}, "CR", "OR"],
            ["remission", {"lost": "relapse"}, {"R": "OR"}],
            ["late_rescue", "CR", {"R": "OR"}],
        ],
    )
    settle(draw, criteria["best_response"], "unknown", ["passed_over", "leaves_it_open"])
    settle(
        draw, criteria, "not_recorded", [{}, {"bleeding": "unknown"}, {"bleeding": "bleeding"}, {"bleeding": "none"}]
    )
    add_criteria(draw, criteria, lengths)
    classes = draw(st.booleans())
    add_new_kinds(draw, criteria, lengths, classes)
    if classes:
        name_rescues(draw, criteria)
    for endpoint in tables(criteria).values():
        settle(draw, endpoint, "role", ROLES)
    if columns:
        criteria["columns"] = copy.deepcopy(COLUMNS)
        settle(draw, criteria["columns"]["dose"], "several", ["highest", "lowest", "first", "last"])
        settle(draw, criteria["columns"]["dose"], "empty", [0, "unknown"])
        settle(draw, criteria["columns"]["steroid"], "empty", [False, True, "unknown"])
        for name in ("OR", "CR", "SR", "remission", *NEW_KINDS):
            if name in criteria:
                settle(draw, criteria[name], "when", COLUMN_STATES)
        settle(draw, criteria["relapse"], "when", ["dose > 10 or platelets < 30", "steroid or platelets < 30"])
        settle(draw, criteria["OR"], "unless", ["arm == 'B'", "age < 40 and arm != 'A'", "age >= 40"])
    if other_rows:
        for name in ("OR", "CR", "SR", "remission", *NEW_KINDS):
            if name in criteria:
                settle(draw, criteria[name], "when", OTHER_ROW_STATES)
        settle(draw, criteria["relapse"], "when", OTHER_ROW_LOSSES)
        settle(draw, criteria["OR"], "closed_by", ["platelets < 0.5 * highest(platelets, '8 weeks')"])
    try:
        read_dict(criteria, Path("variant.toml"), "variant")
    except CriteriaError as error:
        # What no patient could ever meet is refused with the file.
        assume("can never be met" not in str(error))
        raise
    return criteria


def settle(draw: st.DrawFn, table: dict[str, Any], key: str, values: Sequence[Any]) -> None:
    """Leave a key as it is, or give it another value; None takes it away."""
    if not draw(st.booleans()):
        return
    value = draw(st.sampled_from(values))
    if value is None:
        table.pop(key, None)
    else:
        table[key] = copy.deepcopy(value)


def vary_achieved(draw: st.DrawFn, endpoint: dict[str, Any]) -> None:
    settle(draw, endpoint, "when", STATES)
    settle(draw, endpoint, "occasions", [1, 2, 3, None])
    settle(draw, endpoint, "apart", ["1 day", "7 days", "14 days", "2 weeks", None])
    if endpoint.get("occasions", 1) == 2:
        settle(draw, endpoint, "apart_at_most", ["14 days", "28 days", "56 days", None])
    settle(draw, endpoint, "without_counts", ["N", "NE"])
    settle(draw, endpoint, "between", ["anything", "unbroken", None])
    settle(draw, endpoint, "dated_by", ["first", "confirming", None])
    settle(draw, endpoint, "days", [[1, 365], [7, 365], [-inf, inf], [1, inf], [28, 84], [-28, 183], None])
    settle(draw, endpoint, "discount", ["washout", "rescue or washout", "days_since_rescue <= 7", None])
    settle(draw, endpoint, "closed_by", ["late_rescue", "rescue", "bleeding_grade >= 2", "platelets < 10", None])
    settle(draw, endpoint, "unknown_counts", ["may_meet", "do_not_meet", None])
    settle(draw, endpoint, "discounted_counts", ["may_meet", "do_not_meet", None])
    if "discount" not in endpoint:
        endpoint.pop("discounted_counts", None)


def vary_maintained(draw: st.DrawFn, endpoint: dict[str, Any], lengths: Sequence[str]) -> None:
    settle(draw, endpoint, "when", [endpoint["when"], *STATES])
    settle(draw, endpoint, "counted_from", ["day", "confirming", None])
    settle(draw, endpoint, "max_gap", ["28 days", "56 days", "57 days", "8 weeks", None])
    if draw(st.booleans()):
        for key in ("for", "until", "by", "evidence_by"):
            endpoint.pop(key, None)
        if draw(st.booleans()):
            endpoint["until"] = draw(st.sampled_from([[337, 393], [336, 365], [182, 210], [365, 365]]))
        else:
            endpoint["for"] = draw(st.sampled_from(lengths))
    if "for" in endpoint:
        settle(draw, endpoint, "by", [365, 364, 210, None])
        settle(draw, endpoint, "evidence_by", [393, 365, 210, None])


def vary_lost(draw: st.DrawFn, endpoint: dict[str, Any]) -> None:
    settle(draw, endpoint, "when", LOSSES)
    settle(draw, endpoint, "by", [365, 364, 210, None])
    settle(draw, endpoint, "occasions", [1, 2, 2, None])
    settle(draw, endpoint, "apart", ["1 day", "7 days", None])
    settle(draw, endpoint, "between", ["anything", "unbroken", None])
    settle(draw, endpoint, "at_once", ["bleeding_grade >= 1", "rescue and day > 28", "platelets < 10 or rescue", None])


def vary_times(draw: st.DrawFn, criteria: dict[str, Any]) -> None:
    settle(draw, criteria["TTR"], "to", ["OR", "CR", "SR", "relapse"])
    settle(draw, criteria["TTR"], "from", [None, "late_rescue"])
    for name in ("TTR", "DOR"):
        settle(draw, criteria[name], "censored", ["last_count", None])
        settle(draw, criteria[name], "by", [365, 364, 200, None])
        if "censored" not in criteria[name]:
            criteria[name].pop("by", None)
    settle(draw, criteria["DOR"], "from", ["OR", "CR", "SR", None])


def add_criteria(draw: st.DrawFn, criteria: dict[str, Any], lengths: Sequence[str]) -> None:
    """Further criteria that start from others than the response."""
    if draw(st.booleans()):
        criteria["recovery"] = {**HEAD, "label": "Response after relapse", "kind": "achieved", "when": "response"}
        vary_achieved(draw, criteria["recovery"])
        criteria["recovery"]["from"] = "relapse"
    if draw(st.booleans()):
        criteria["loss_of_CR"] = {
            **HEAD,
            "label": "Loss of the complete response",
            "kind": "lost",
            "after": draw(st.sampled_from(["CR", "SR", "relapse", "remission"])),
            "when": "not complete or bleeding",
        }
        vary_lost(draw, criteria["loss_of_CR"])
    if draw(st.booleans()):
        criteria["kept_CR"] = {
            **HEAD,
            "label": "Complete response kept",
            "kind": "maintained",
            "from": draw(st.sampled_from(["CR", "late_rescue"])),
            "when": "complete",
            "for": draw(st.sampled_from(lengths)),
        }
        vary_maintained(draw, criteria["kept_CR"], lengths)
    if draw(st.booleans()):
        criteria["time_to_late_rescue"] = {
            **HEAD,
            "label": "Time to late rescue",
            "kind": "time_to",
            "to": "late_rescue",
            "censored": "last_count",
        }
        vary_time(draw, criteria, criteria["time_to_late_rescue"])


def vary_time(draw: st.DrawFn, criteria: dict[str, Any], table: dict[str, Any]) -> None:
    """Where a time is censored, by when, and what competes with its event."""
    others = [name for name in ("OR", "CR", "SR", "relapse", "remission", "late_rescue") if name in tables(criteria)]
    others = [name for name in others if name != table["to"]]
    moments = [
        "last_count",
        "treatment_discontinued",
        *others,
        *(["age"] if "age" in criteria.get("columns", {}) else []),
    ]
    settle(draw, table, "censored", [*moments, draw(st.lists(st.sampled_from(moments), min_size=2, unique=True))])
    settle(draw, table, "by", [28, 40, 183, 364, 365])
    settle(draw, table, "competing", [[draw(st.sampled_from(others))], draw(st.permutations(others))[:2]])


# The kinds that look at landmarks, visits, time and other verdicts.

NEW_KINDS = ("at_landmark", "at_after", "on_visits", "on_counts", "time_in_state", "visits_in_state")
"""The fresh names whose `when` is a state."""


def tables(criteria: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The criteria of a file by name."""
    return {name: table for name, table in criteria.items() if isinstance(table, dict) and "kind" in table}


def name_rescues(draw: st.DrawFn, criteria: dict[str, Any]) -> None:
    """Put rescue treatments in classes, and name the classes in rules of the trial's criteria."""
    criteria["rescues"] = copy.deepcopy(RESCUES)
    settle(draw, criteria["rescues"], "transfusion", [["PLATELETS"], ["platelet Transfusion"], ["platelets", "ivig"]])
    settle(draw, criteria["rescues"], "immunoglobulin", [["ivig", "Dexamethasone"], ["anti-D"]])
    settle(draw, criteria["terms"], "late_rescue", ["transfusion and day >= 36", "immunoglobulin or rescue"])
    settle(draw, criteria["terms"], "washout", ["days_since_transfusion <= 7 or 0 < days_since_immunoglobulin <= 35"])
    for name in ("OR", "CR"):
        settle(draw, criteria[name], "discount", CLASS_DISCOUNTS)
        settle(draw, criteria[name], "closed_by", CLASS_CLOSINGS)
    for name in ("OR", "CR", "SR", "remission"):
        settle(draw, criteria[name], "when", [criteria[name]["when"], *CLASS_STATES])
    settle(draw, criteria["relapse"], "when", [criteria["relapse"]["when"], *CLASS_LOSSES])


def add_new_kinds(draw: st.DrawFn, criteria: dict[str, Any], lengths: Sequence[str], classes: bool) -> None:
    """Criteria of the kinds `at`, `visits`, `extent`, `combined`, and some that start from them."""
    whens = STATES + (CLASS_STATES if classes else [])
    discounts = DISCOUNTS + (CLASS_DISCOUNTS if classes else [])
    closings = CLOSINGS + (CLASS_CLOSINGS if classes else [])
    made = {
        "at_landmark": at_a_landmark(whens, closings),
        "at_after": at_a_landmark_after(whens, closings),
        "on_visits": on_planned_visits(whens, discounts, closings),
        "on_counts": on_any_counts(whens, discounts, closings),
        "time_in_state": steps_in_a_state(whens, discounts, LENGTHS),
        "visits_in_state": visits_in_a_state(whens, discounts),
    }
    for name, strategy in made.items():
        if draw(st.booleans()):
            criteria[name] = draw(strategy)
            if draw(rarely()):
                criteria[name]["unless"] = draw(st.sampled_from(["treatment_discontinued", "baseline >= 50"]))
    starts = [name for name in NEW_KINDS[:4] if name in criteria]
    if draw(st.booleans()) and starts:
        add_those_that_start_from(draw, criteria, starts, lengths)
    for name in ("either", "both"):
        if draw(st.booleans()):
            # One combined rule may name another that is there already.
            named = [known for known, table in tables(criteria).items() if table["kind"] not in ("best", "time_to")]
            criteria[name] = {**HEAD, "label": "Combined", "kind": "combined", "when": draw(rules_over(named))}


def add_those_that_start_from(
    draw: st.DrawFn, criteria: dict[str, Any], starts: Sequence[str], lengths: Sequence[str]
) -> None:
    """What is kept, lost, timed or reached from the day of a landmark or of visits."""
    start = st.sampled_from(starts)
    kind = draw(st.sampled_from(["maintained", "lost", "time_to", "achieved", "best"]))
    table: dict[str, Any] = {**HEAD, "label": "From a landmark or visits", "kind": kind}
    if kind == "maintained":
        table |= {"from": draw(start), "when": "platelets >= 30", "for": draw(st.sampled_from(lengths))}
        vary_maintained(draw, table, lengths)
    elif kind == "lost":
        table |= {"after": draw(start), "when": "platelets < 30"}
        vary_lost(draw, table)
    elif kind == "time_to":
        table |= {"to": draw(start), "censored": "last_count"}
        settle(draw, table, "from", ["OR", "late_rescue", draw(start)])
        vary_time(draw, criteria, table)
    elif kind == "achieved":
        table |= {"when": "platelets >= 100", "from": draw(start)}
        settle(draw, table, "until", [draw(start)])
    else:
        table |= {"of": ["CR", {"visits": draw(start)}, "OR"], "otherwise": "none"}
    criteria["from_new_kinds"] = table


@st.composite
def at_a_landmark(draw: st.DrawFn, whens: Sequence[str], closings: Sequence[str]) -> dict[str, Any]:
    """A landmark counted from day 0, with windows that reach to the visits beside it or just not."""
    day, within = draw(
        st.sampled_from(
            [
                (28, [21, 35]),
                (28, [22, 34]),
                (28, [28, 28]),
                (35, [28, 42]),
                (42, [36, 84]),
                (49, [42, 56]),
                (168, [140, 196]),
                (182, [168, 196]),
                (183, [169, 196]),
                (364, [337, 393]),
                (0, [-28, 7]),
            ]
        )
    )
    table: dict[str, Any] = {**HEAD, "label": "At a landmark", "kind": "at", "when": draw(st.sampled_from(whens))}
    table |= {"day": day, "within": list(within)}
    settle(draw, table, "which", ["nearest", "first", "last"])
    settle(draw, table, "closed_by", closings)
    return table


@st.composite
def at_a_landmark_after(draw: st.DrawFn, whens: Sequence[str], closings: Sequence[str]) -> dict[str, Any]:
    """A landmark counted from the day of another endpoint."""
    table: dict[str, Any] = draw(at_a_landmark(whens, closings))
    table["from"] = draw(st.sampled_from(["OR", "OR", "CR", "SR", "relapse", "remission", "late_rescue"]))
    day, within = draw(
        st.sampled_from(
            [
                (7, [0, 14]),
                (7, [1, 13]),
                (0, [0, 0]),
                (28, [14, 42]),
                (35, [28, 42]),
                (84, [57, 111]),
                (182, [154, 210]),
            ]
        )
    )
    return table | {"day": day, "within": list(within)}


@st.composite
def on_planned_visits(
    draw: st.DrawFn, whens: Sequence[str], discounts: Sequence[str], closings: Sequence[str]
) -> dict[str, Any]:
    """So many of some planned visits, each with a window that does not reach the next one's."""
    planned, widest = draw(
        st.sampled_from(
            [
                ([28, 42, 56, 70, 84, 98], 6),
                ([28, 42, 56, 70], 6),
                ([0, 7, 14, 21, 28], 3),
                ([112, 140, 168, 196, 224, 252], 13),
                ([35, 49, 63, 77, 91], 6),
            ]
        )
    )
    table: dict[str, Any] = {
        **HEAD,
        "label": "On planned visits",
        "kind": "visits",
        "when": draw(st.sampled_from(whens)),
    }
    table["visits"] = list(planned)
    settle(draw, table, "within", [0, 1, 3, widest])
    settle(draw, table, "missing", ["fails", "unknown", "left_out"])
    vary_visits(draw, table, discounts, closings)
    return table


@st.composite
def on_any_counts(
    draw: st.DrawFn, whens: Sequence[str], discounts: Sequence[str], closings: Sequence[str]
) -> dict[str, Any]:
    """So many of all rows with a count."""
    table: dict[str, Any] = {**HEAD, "label": "On counts", "kind": "visits", "when": draw(st.sampled_from(whens))}
    settle(draw, table, "days", [[28, 98], [1, 365], [-inf, 28], [337, inf], [7, 7]])
    vary_visits(draw, table, discounts, closings)
    return table


def vary_visits(draw: st.DrawFn, table: dict[str, Any], discounts: Sequence[str], closings: Sequence[str]) -> None:
    """How many of the visits, which of them count, and what closes."""
    how = draw(st.sampled_from(["at_least", "at_least", "in_any", "in_any", "share", "more_than"]))
    most = 1 if table.get("days") == [7, 7] else 4
    if how in ("share", "more_than"):
        table[how] = draw(st.sampled_from(["1/2", "2/3", "3/4", "1/1"] if how == "share" else ["1/2", "2/3", "3/4"]))
    else:
        table["at_least"] = draw(st.integers(1, most))
        if how == "in_any":
            table["in_any"] = draw(st.integers(table["at_least"], most))
    settle(draw, table, "of_at_least", list(range(most + 1)))
    if "of_at_least" in table:
        settle(draw, table, "too_few", ["N", "NE"])
    settle(draw, table, "discount", discounts)
    settle(draw, table, "set_aside", discounts)
    if "discount" in table:
        settle(draw, table, "discounted", ["fails", "unknown", "left_out"])
    if draw(rarely(4)):
        table["closed_by"] = draw(st.sampled_from(closings))


TIMES = {"1 day": 1, "7 days": 7, "56 days": 56, "57 days": 57, "8 weeks": 56, "26 weeks": 182, "183 days": 183}
"""How long a patient is to be in a state, with its days."""


def extents(draw: st.DrawFn, whens: Sequence[str], discounts: Sequence[str], each: int = 1) -> dict[str, Any]:
    """The time in a state, with a row standing for `each` days: no more is asked than the days looked at can show."""
    table: dict[str, Any] = {**HEAD, "label": "Time in a state", "kind": "extent", "when": draw(st.sampled_from(whens))}
    table["days"] = list(
        draw(st.sampled_from([[1, 365], [0, 364], [28, 84], [29, 83], [-28, 183], [336, 400], [7, 7]]))
    )
    settle(draw, table, "measure", ["total", "longest", "longest"])
    longest = (table["days"][1] - table["days"][0] + 1) * each
    settle(draw, table, "at_least", [time for time, days in TIMES.items() if days <= longest])
    settle(draw, table, "discount", discounts)
    settle(draw, table, "set_aside", discounts)
    return table


@st.composite
def steps_in_a_state(
    draw: st.DrawFn, whens: Sequence[str], discounts: Sequence[str], lengths: Sequence[str]
) -> dict[str, Any]:
    """A row's state lasts until the next, for so long at most, or where the next is in it too."""
    table = extents(draw, whens, discounts)
    first, last = table["days"]
    if draw(st.booleans()) and TIMES.get(table.get("at_least"), 0) <= last - first:
        return table | {"lasting": "first_to_last"}
    settle(draw, table, "lasting", ["step"])
    settle(draw, table, "max_gap", ["1 day", "6 days", "28 days", *lengths])
    return table


@st.composite
def visits_in_a_state(draw: st.DrawFn, whens: Sequence[str], discounts: Sequence[str]) -> dict[str, Any]:
    """A row in the state stands for a visit of some length."""
    each, days = draw(st.sampled_from([("1 day", 1), ("7 days", 7), ("14 days", 14), ("4 weeks", 28)]))
    return extents(draw, whens, discounts, days) | {"lasting": "visit", "each": each}


def rules_over(names: Sequence[str]) -> st.SearchStrategy[str]:
    """Rules of `and`, `or`, `not` and parentheses over the names of criteria."""
    return st.recursive(
        st.sampled_from(names),
        lambda inner: st.one_of(
            st.builds("not {}".format, st.builds("({})".format, inner)),
            st.builds("({}) and {}".format, inner, st.sampled_from(names)),
            st.builds("{} or ({})".format, st.sampled_from(names), inner),
            st.builds("({}) and ({})".format, inner, inner),
            st.builds("({}) or ({})".format, inner, inner),
            st.builds("{} or not {} and {}".format, *[st.sampled_from(names)] * 3),
        ),
        max_leaves=5,
    )


EVENTS = ["", "", "", "", "", "", " bleed 1", " bleed 2", " bleed ?", " rescue", " rescue IVIg"]


@st.composite
def timelines(draw: st.DrawFn, limits: Sequence[float], visits: Sequence[int]) -> str:
    """A typed timeline from the baseline on, with counts at the limits of a set on its visits or near them."""
    near = [round(limit + by) for limit in limits for by in (-1, 0, 1, 20)]
    plan = [day for day in visits if day > 0] or [7, 14, 21, 28, 56, 84, 168, 182, 364, 365, 392]
    # Two counts make most of a timeline, so that states last.
    usual = draw(st.lists(st.sampled_from(near), min_size=2, max_size=2))
    days = draw(st.lists(st.sampled_from(plan), min_size=2, max_size=12, unique=True))
    entries = [f"d0 {draw(st.sampled_from([15, 15, 20, 25, 60]))}"]
    for number, day in enumerate(sorted(days)):
        moved = day + draw(st.sampled_from([0, 0, 0, 0, 1, 2]))
        later = sorted(days)[number + 1 : number + 2]
        count = draw(st.sampled_from([*usual * 4, *near, f"<{near[1]}"]))
        entries.append(f"d{day if later and moved >= later[0] else moved} {count}{draw(st.sampled_from(EVENTS))}")
    return ", ".join(entries)
