"""Dates of which only the month or the year is known: a verdict is given where it is the same on all days."""

import calendar
import datetime
import itertools
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
import strategies
from cuts import by_hand
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from itp_response.classification.classification import classify
from itp_response.cohort.values import NONE
from itp_response.definitions.criteria import read_dict
from itp_response.definitions.load import criteria_folder, loads
from itp_response.evaluation import partial_dates
from itp_response.evaluation.partial_dates import MOST_COMPLETIONS
from itp_response.explanation.explain import explain
from itp_response.messages.errors import CohortError, UsageError
from itp_response.readers.options import ReadOptions
from itp_response.readers.visits import read
from itp_response.validation import literal
from itp_response.validation.bridge import as_literal
from itp_response.validation.literal import LiteralVerdict, Observation, Patient

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


def expected(raw, found: list[Patient]) -> dict[str, LiteralVerdict]:
    try:
        each = [literal.verdicts(raw, patient) for patient in found]
    except literal.TooManyCompletionsError:
        reject()
    return {name: literal.same([one[name] for one in each], "partial_date") for name in each[0]}


def decided(
    criteria, rows: list[Told], enrolment: str, stopped: str | None, patient: Patient, **options
) -> dict[str, LiteralVerdict] | None:
    """The engine's verdicts on the same patient, read from tables; None: the patient is not in the study."""
    visits = [
        {
            "patient_id": "P",
            "date": row.date,
            "platelets": None if row.seen.platelets is None else str(row.seen.platelets),
            "bleeding_grade": row.seen.bleeding_grade,
            "rescue": (row.seen.rescue_name or "1") if row.seen.rescue else None,
            "rescue_end": row.end if row.seen.rescue else None,
        }
        for row in rows
    ]
    baseline = None if patient.baseline is None else str(patient.baseline)
    table = [{"patient_id": "P", "enrolment_date": enrolment, "baseline": baseline, "treatment_discontinued": stopped}]
    options = ReadOptions(bleeding="scored", unit="10^9/L", **options)
    return next(iter(as_literal(classify(visits, table, criteria, options=options))), None)


EVIDENCE = ("onset", "confirming", "ended")


def without_evidence(verdict: LiteralVerdict) -> LiteralVerdict:
    return replace(verdict, **dict.fromkeys(EVIDENCE))


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

        assert {name: without_evidence(verdict) for name, verdict in verdicts.items()} == {
            name: without_evidence(verdict) for name, verdict in wanted.items()
        }
        # Evidence is a line: where two lie on a day, they are told apart.
        alone = all(len({one.day for one in course.observations}) == len(rows) for course in found)
        for name, verdict in verdicts.items():
            for evidence in EVIDENCE:
                day = getattr(verdict, evidence)
                assert day == getattr(wanted[name], evidence) or (day is None and not alone), (name, evidence)

    @settings(max_examples=settings.default.max_examples // 3)
    @given(told())
    def test_of_the_atra_trial(self, case):
        self.check(RAW, CRITERIA, *case)

    @settings(max_examples=4)
    @given(told(), strategies.criteria_variants())
    def test_of_every_option(self, case, raw):
        criteria = read_dict({**raw, "interpretation": [], "example": []}, ATRA, "variant")
        self.check(raw, criteria, *case)


class TestAsOf:
    """Each possible day is cut for itself; what is the same in all of them is given."""

    @settings(max_examples=10)
    @given(case=told(), on=st.integers(0, 400), by_date=st.booleans())
    def test_is_as_every_completion_cut_by_hand(self, case, on, by_date):
        rows, enrolment, stopped, patient = case
        moment = date(patient.day_0, on) if by_date else on
        found = list(courses(rows, enrolment, stopped, patient))
        verdicts = decided(CRITERIA, rows, enrolment, stopped, patient, as_of=moment)
        if by_date and max(days_of(enrolment)) > datetime.date.fromisoformat(moment):
            assert verdicts is None  # the patient may not be in the study yet
            return
        last = [on if not by_date else (datetime.date.fromisoformat(moment) - one.day_0).days for one in found]
        seen = [by_hand(one, day) for one, day in zip(found, last, strict=True)]

        wanted = expected(RAW, seen)

        assert {name: verdict.value for name, verdict in verdicts.items()} == {
            name: verdict.value for name, verdict in wanted.items()
        }


# How dates are told


def cohort(*rows, patients=None, **options):
    """The cohort of rows of date, count, rescue and its end."""
    names = ("date", "platelets", "rescue", "rescue_end")
    return read(
        [{"patient_id": "P", **dict(zip(names, row, strict=False))} for row in rows],
        patients,
        options=ReadOptions(**options),
    )


FIRST = ("2019-01-01", 15)


class TestReading:
    @pytest.mark.parametrize(
        ("written", "first", "days"),
        [
            ("2019-05", 120, 31),
            ("2019-02", 31, 28),
            ("2020-02", 396, 29),
            ("2020", 365, 366),
            ("2019-05-??", 120, 31),
            ("2019-05-UN", 120, 31),
            ("2019-05-unk", 120, 31),
            ("2019-05-XX", 120, 31),
            ("2020-??-??", 365, 366),
            ("2020-UN-UNK", 365, 366),
        ],
    )
    def test_as_the_days_it_may_be(self, written, first, days):
        found = cohort(FIRST, (written, 20))
        assert found.partial is not None
        dates = found.partial.dates
        assert found.day.tolist() == [0, first]
        assert (str(dates.first[0]), dates.count.tolist()) == (str(days_of_first(first)), [days])
        assert (dates.line.tolist(), dates.written.to_list()) == ([2], [written])

    def test_nothing_is_kept_where_all_is_known(self):
        assert cohort(FIRST, ("2019-05-02", 20)).partial is None

    def test_is_said(self):
        notes = [note for note in cohort(FIRST, ("2019-05", 20), ("2019-05", 20), ("2020", 20)).notes if note.warning]
        assert notes[0].text == (
            "date: 3 dates are known only in part ('2019-05', '2020'); "
            "results are given where they are the same for every possible date."
        )

    def test_a_year_alone_beside_dates_is_no_day(self):
        patients = [
            {"patient_id": "P", "enrolment_date": "2019-01-01", "treatment_discontinued": "2020"},
            {"patient_id": "Q", "enrolment_date": "2019-01-01", "treatment_discontinued": "2019-07-01"},
        ]
        found = cohort(FIRST, patients=patients)
        assert found.treatment_discontinued.tolist() == [365, 181]
        assert found.partial.dates.count.tolist() == [366]

    def test_day_0_known_only_in_part_gives_no_dates(self):
        found = cohort(FIRST, patients=[{"patient_id": "P", "enrolment_date": "2018-12"}])
        assert not found.has_dates
        assert found.partial.day_0.tolist() == [datetime.date(2018, 12, 1)]

    @pytest.mark.parametrize(
        ("begin", "end", "begins", "ends"),
        [
            ("2019-05-20", "2019-05", (139, 1), (139, 12)),
            ("2019-05", "2019-05-03", (120, 3), (122, 1)),
            ("2019-05-31", "2019-05", (150, 1), (150, 1)),
        ],
    )
    def test_a_rescue_does_not_end_before_it_begins(self, begin, end, begins, ends):
        found = cohort(FIRST, (begin, None, "IVIg", end))
        assert (int(found.day[1]), int(found.courses.last[0])) == (begins[0], ends[0])
        counts = [] if found.partial is None else found.partial.dates.count.tolist()
        assert counts == [number for _, number in (begins, ends) if number > 1]

    def test_a_rescue_that_cannot_but_end_before_it_begins(self):
        with pytest.raises(CohortError) as error:
            cohort(FIRST, ("2019-05-20", None, "IVIg", "2019-04"))
        assert str(error.value) == (
            "visits: row 2: rescue_end: '2019-04' is before the start of the rescue treatment; correct one of the two."
        )

    def test_not_in_another_format(self):
        with pytest.raises(CohortError, match=r"'2019-05' does not match the date format 'dmy'"):
            cohort(("01/01/2019", 15), ("2019-05", 20), date_format="dmy")


def days_of_first(day):
    return datetime.date(2019, 1, 1) + datetime.timedelta(days=day)


class TestImputing:
    @pytest.mark.parametrize(
        ("impute", "days", "last"),
        [("first", [0, 120], 122), ("last", [0, 122], 122)],
    )
    def test_by_rule(self, impute, days, last):
        """A rule does not have a treatment end before it begins."""
        found = cohort(FIRST, ("2019-05", None, "IVIg", "2019-05-03"), impute=impute)
        assert found.partial is None
        assert (found.day.tolist(), found.courses.last.tolist()) == (days, [last])
        said = f"imputed as the {impute} possible day, as specified."
        assert f"date: 1 date is known only in part ('2019-05'); {said}" in [note.text for note in found.notes]

    @pytest.mark.parametrize(("impute", "day"), [("first", 0), ("last", 30)])
    def test_of_enrolment_and_the_end_of_treatment(self, impute, day):
        patients = [{"patient_id": "P", "enrolment_date": "2019-01", "treatment_discontinued": "2019-03"}]
        found = cohort(("2019-01-31", 15), patients=patients, impute=impute)
        assert found.day_0.tolist() == [datetime.date(2019, 1, 1 + day)]
        assert found.treatment_discontinued.tolist() == [59]

    def test_by_a_rule_that_there_is_not(self):
        with pytest.raises(UsageError, match=r"unknown rule of imputing 'middle'; known: first, last\."):
            cohort(FIRST, impute="middle")


# What is done with them


RESPONDER = [("2019-01-01", 15), ("2019-01-22", 45), ("2019-01-29", 60), ("2019-02-05", 60)]


def told_of(*rows):
    names = ("date", "platelets", "rescue", "rescue_end")
    return [{"patient_id": "P", **dict(zip(names, row, strict=False))} for row in rows]


class TestVerdicts:
    def test_given_where_the_day_does_not_matter(self):
        found = classify(told_of(*RESPONDER, ("2019-02", None, "IVIg"))).frame()
        assert found["OR"].to_list() == ["Y"]
        assert found["OR_day"].to_list() == [21]

    def test_left_open_where_it_does(self):
        found = classify(told_of(*RESPONDER, ("2019-02", None, "IVIg"))).frame()
        assert found.select("late_rescue", "late_rescue_day", "late_rescue_reason").row(0) == (
            "NE",
            None,
            "partial_date",
        )

    def test_without_a_day_where_only_that_hangs_on_it(self):
        found = classify(told_of(*RESPONDER, ("2019-03", None, "IVIg"))).frame()
        assert found.select("late_rescue", "late_rescue_day").row(0) == ("Y", None)
        assert found.select("DOR_days", "DOR_event").row(0) == (None, None)

    def test_with_more_completions_than_are_decided(self):
        rows = told_of(*RESPONDER, ("2019", None, "IVIg"), ("2019", None, "IVIg"))
        found = classify(rows)
        assert set(found.frame()["OR"]) == {"NE"}
        notes = [note.text for note in found.cohort.notes]
        assert (
            "The partial dates of 1 patient may lie in more than 1,000 ways together; not evaluable throughout."
            in notes
        )
        assert MOST_COMPLETIONS == 1_000

    def test_of_others_are_as_they_would_be_alone(self):
        """Also with more completions than are held together."""
        unsure = told_of(*RESPONDER, ("2019-02", None, "IVIg"))
        several = [{**row, "patient_id": name} for name in "ABCD" for row in unsure]
        sure = [{**row, "patient_id": "E"} for row in told_of(*RESPONDER)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(partial_dates, "ROWS_AT_ONCE", 200)
            found = as_literal(classify([*several, *sure]))
        assert found[:4] == as_literal(classify(unsure)) * 4
        assert found[4:] == as_literal(classify(told_of(*RESPONDER)))


class TestExplained:
    def test_what_it_hangs_on(self):
        (said,) = explain(told_of(*RESPONDER, ("2019-02", None, "IVIg")), patient="P", endpoint="late_rescue")
        assert str(said).splitlines()[2:] == [
            "  missing: the date of visits row 5, which is only '2019-02': Y if it is",
            "  2019-02-06, NE if it is 2019-02-01",
        ]

    def test_that_it_does_not_hang_on_it(self):
        (said,) = explain(told_of(*RESPONDER, ("2019-02", None, "IVIg")), patient="P", endpoint="OR")
        assert said.partial_dates == (
            "the result is the same for every possible date: "
            "the date of visits row 5 is only '2019-02'; shown with the earliest"
        )

    def test_of_evidence_that_depends_on_it(self):
        """Rescue is late from day 36 on: the day is known, but not whether line 2 or line 3 begins it."""
        rows = told_of(("2019-01-23", 15), ("2019-02", None, "IVIg"), ("2019-02-28", None, "IVIg"))
        (said,) = explain(rows, patient="P", endpoint="late_rescue")
        assert (said.value, said.day) == ("Y", 36)
        assert classify(rows).verdicts["late_rescue"].onset.tolist() == [NONE]

    def test_of_too_many_completions(self):
        rows = told_of(*RESPONDER, ("2019", None, "IVIg"), ("2020", None, "IVIg"))
        (said,) = explain(rows, patient="P", endpoint="OR")
        assert said.missing == (
            "the date of visits row 5, which is only '2019' and the date of visits row 6, which is only '2020'; "
            "with more possible combinations than are tried"
        )
