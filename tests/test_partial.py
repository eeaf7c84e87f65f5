"""Dates of which only the month or the year is known: a verdict is given where it is the same on all days."""

import calendar
import datetime
import itertools
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import literal
import pytest
import strategies
from bridge import as_literal
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from literal import Observation, Patient, Verdict

from itp_response.classify import classify
from itp_response.criteria import criteria_folder, loads, read_dict
from itp_response.errors import CohortError, UsageError
from itp_response.readers.visits import read
from itp_response.worlds import MOST

ATRA = criteria_folder() / "atra_2022.toml"
RAW = tomllib.loads(ATRA.read_text())
CRITERIA = loads(ATRA.read_text(), ATRA)
START = datetime.date(2023, 1, 1)


# The definition, read literally: every day that may be meant is tried, one after another.


@dataclass(frozen=True)
class Told:
    """One row as it is told: its dates as texts."""

    date: str
    end: str | None
    seen: Observation


def days_of(text: str) -> list[datetime.date]:
    """All days that a date may be."""
    if len(text) == 10:
        return [datetime.date.fromisoformat(text)]
    year = int(text[:4])
    months = [int(text[5:7])] if len(text) == 7 else range(1, 13)
    return [
        datetime.date(year, month, day) for month in months for day in range(1, calendar.monthrange(year, month)[1] + 1)
    ]


def courses(rows: list[Told], enrolment: str, stopped: str | None, patient: Patient) -> Iterator[Patient]:
    """Every course the patient may have had; a rescue does not end before it begins."""
    # What is not told is any one day, which is not looked at.
    dates = [
        *(row.date for row in rows),
        *(row.end or "2000-01-01" for row in rows),
        enrolment,
        stopped or "2000-01-01",
    ]
    for found in itertools.product(*map(days_of, dates)):
        day_0, stop = found[-2:]
        begin, end = found[: len(rows)], found[len(rows) : -2]
        end = tuple(last if row.end else first for row, first, last in zip(rows, begin, end, strict=True))
        if any(row.seen.rescue and last < first for row, first, last in zip(rows, begin, end, strict=True)):
            continue
        seen = tuple(
            replace(row.seen, day=(first - day_0).days, rescue_end=(last - day_0).days if row.seen.rescue else None)
            for row, first, last in zip(rows, begin, end, strict=True)
        )
        stop_day = (stop - day_0).days if stopped else None
        yield replace(patient, observations=seen, day_0=day_0, treatment_discontinued=stop_day)


def same(verdicts: list[Verdict]) -> Verdict:
    """What all of them say."""
    first = verdicts[0]
    if any(verdict.value != first.value for verdict in verdicts):
        return Verdict("NE", "partial_date")
    known = {
        field.name: getattr(first, field.name)
        for field in fields(Verdict)
        if all(getattr(verdict, field.name) == getattr(first, field.name) for verdict in verdicts)
    }
    return Verdict(**{"value": first.value, "reason": "partial_date", **known})


def expected(raw, found: list[Patient]) -> dict[str, Verdict]:
    each = [literal.verdicts(raw, patient) for patient in found]
    return {name: same([one[name] for one in each]) for name in each[0]}


def decided(criteria, rows: list[Told], enrolment: str, stopped: str | None, patient: Patient) -> dict[str, Verdict]:
    """The engine's verdicts on the same patient, read from tables."""
    visits = [
        {
            "patient_id": "P",
            "date": row.date,
            "platelets": None if row.seen.platelets is None else str(row.seen.platelets),
            "bleeding_grade": row.seen.bleeding_grade,
            "rescue": (row.seen.rescue_name or "yes") if row.seen.rescue else None,
            "rescue_end": row.end if row.seen.rescue else None,
        }
        for row in rows
    ]
    baseline = None if patient.baseline is None else str(patient.baseline)
    table = [{"patient_id": "P", "enrolment_date": enrolment, "baseline": baseline, "treatment_discontinued": stopped}]
    return as_literal(classify(visits, table, criteria, bleeding="scored"))[0]


WITNESSES = ("onset", "confirming", "ended")


def without_witnesses(verdict: Verdict) -> Verdict:
    return replace(verdict, **dict.fromkeys(WITNESSES))


def date(day_0: datetime.date, day: int) -> str:
    return (day_0 + datetime.timedelta(days=day)).isoformat()


@st.composite
def told(draw) -> tuple[list[Told], str, str | None, Patient]:
    """A patient, some of whose dates are told by their month alone."""
    patient = draw(strategies.patients())
    seen = [
        one for one in patient.observations if one.platelets is not None or one.bleeding_grade is not None or one.rescue
    ]
    assume(seen)
    assume(all(one.rescue_end is None or one.rescue_end >= one.day for one in seen))
    assume(all(one.rescue_name != "dexamethasone" for one in seen))
    rows = [
        Told(date(patient.day_0, one.day), None if one.rescue_end is None else date(patient.day_0, one.rescue_end), one)
        for one in seen
    ]
    enrolment = patient.day_0.isoformat()
    stop = patient.treatment_discontinued
    stopped = None if stop is None else date(patient.day_0, stop)
    for _ in range(draw(st.sampled_from([1, 1, 1, 1, 1, 1, 1, 2]))):
        what = draw(st.sampled_from(["date", "date", "date", "end", "end", "enrolment", "stopped"]))
        rescues = [place for place, row in enumerate(rows) if row.end]
        place = draw(st.sampled_from(rescues or range(len(rows))))
        if what == "date":
            place = draw(st.one_of(st.just(place), st.integers(0, len(rows) - 1)))
            rows[place] = replace(rows[place], date=rows[place].date[:7])
        elif what == "end" and rows[place].end:
            rows[place] = replace(rows[place], end=rows[place].end[:7])
        elif what == "enrolment":
            enrolment = enrolment[:7]
        elif stopped:
            stopped = stopped[:7]
    return rows, enrolment, stopped, patient


class TestTwoReadings:
    """The copies, decided as whole columns, agree with every day tried one after another."""

    def check(self, raw, criteria, rows, enrolment, stopped, patient):
        found = list(courses(rows, enrolment, stopped, patient))
        wanted, verdicts = expected(raw, found), decided(criteria, rows, enrolment, stopped, patient)

        assert {name: without_witnesses(verdict) for name, verdict in verdicts.items()} == {
            name: without_witnesses(verdict) for name, verdict in wanted.items()
        }
        # A witness is a line: where two lie on a day, they are told apart.
        alone = all(len({one.day for one in course.observations}) == len(rows) for course in found)
        for name, verdict in verdicts.items():
            for witness in WITNESSES:
                day = getattr(verdict, witness)
                assert day == getattr(wanted[name], witness) or (day is None and not alone), (name, witness)

    @settings(max_examples=30)
    @given(told())
    def test_of_the_atra_trial(self, case):
        self.check(RAW, CRITERIA, *case)

    @settings(max_examples=30)
    @given(told(), strategies.criteria_variants())
    def test_of_every_option(self, case, raw):
        criteria = read_dict({**raw, "reading": [], "case": []}, ATRA, "variant")
        self.check(raw, criteria, *case)
