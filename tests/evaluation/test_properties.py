"""Laws that hold for every cohort. The first is that two interpretations of a definition agree."""

import copy
import datetime
import tomllib
from dataclasses import replace
from math import inf

import pytest
import strategies
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from itp_response.classification.classification import classify
from itp_response.cohort.values import NONE
from itp_response.definitions.criteria import read_dict
from itp_response.definitions.load import criteria_folder, loads
from itp_response.evaluation import evaluate as evaluation
from itp_response.evaluation.evaluate import evaluate
from itp_response.evaluation.verdicts import NUMBERS, ROWS
from itp_response.validation import literal
from itp_response.validation.bridge import as_literal, cohort_of
from itp_response.validation.literal import Observation, Patient

ATRA = criteria_folder() / "atra_2022.toml"
RAW = tomllib.loads(ATRA.read_text())
CRITERIA = loads(ATRA.read_text(), ATRA)


VARIANTS = st.one_of(strategies.criteria_variants(), strategies.criteria_variants(other_rows=True))
"""Without rules that look at other rows, and with them."""
FEWER = settings(max_examples=settings.default.max_examples // 2)
"""For laws that decide a cohort several times, or by a reading that takes longer."""


def decided(criteria, patients, threads=None):
    """The engine's verdicts as the literal reading writes them: one dict per patient."""
    return as_literal(classify(cohort_of(patients, criteria.file.columns), criteria=criteria, threads=threads))


def variant(raw):
    """The criteria of a variant of the file."""
    return read_dict({**raw, "interpretation": [], "example": []}, ATRA, "variant")


def one(criteria, *observations, baseline=15, **further):
    """The verdicts on one patient."""
    return decided(criteria, [Patient(tuple(observations), baseline=baseline, **further)])[0]


def differences(raw, criteria, patients):
    """Where the two readings differ: patient, endpoint, the literal verdict, the engine's."""
    pairs = zip(patients, decided(criteria, patients), strict=True)
    return [
        (place, name, verdict, found[name])
        for place, (patient, found) in enumerate(pairs)
        for name, verdict in read_literally(raw, patient).items()
        if verdict != found[name]
    ]


def has_bounds(patient):
    """Is a count of his, or the baseline, known only as a bound?"""
    return any(isinstance(count, str) for count in (patient.baseline, *(one.platelets for one in patient.observations)))


def read_literally(raw, patient):
    """The literal reading; nothing of a patient with more courses than it has the patience to look at."""
    try:
        return literal.verdicts(raw, patient)
    except literal.TooManyCompletionsError:
        return {}


class TestTwoReadings:
    """The columns agree with the literal reading on every verdict, day, reason and evidence."""

    @given(patients=strategies.cohorts())
    def test_of_the_atra_trial(self, patients):
        """As `atra_2022.toml` has it."""
        assert differences(RAW, CRITERIA, patients) == []

    @FEWER
    @given(patients=strategies.cohorts(), raw=VARIANTS)
    def test_of_every_option(self, patients, raw):
        """With occasions, distances, windows, gaps, dates and rules changed at will."""
        assert differences(raw, variant(raw), patients) == []


class TestOfOneAnother:
    """What is decided of a patient hangs on that patient alone, and on what was observed, not on how it is told."""

    @FEWER
    @given(patients=strategies.cohorts(), raw=VARIANTS, data=st.data())
    def test_the_other_patients(self, patients, raw, data):
        """Alone, or beside others in any order."""
        criteria = variant(raw)
        found = decided(criteria, patients)
        order = data.draw(st.permutations(range(len(patients))))

        assert decided(criteria, [patients[place] for place in order]) == [found[place] for place in order]
        assert [decided(criteria, [patient])[0] for patient in patients] == found

    @FEWER
    @given(patients=strategies.cohorts(), raw=VARIANTS, data=st.data())
    def test_the_order_of_the_observations(self, patients, raw, data):
        """A log may be in any order, and say a thing twice."""
        criteria = variant(raw)
        told = [
            replace(patient, observations=tuple(data.draw(st.permutations(patient.observations))))
            for patient in patients
        ]
        twice = [replace(patient, observations=patient.observations * 2) for patient in patients]

        assert decided(criteria, told) == decided(criteria, patients) == decided(criteria, twice)

    @FEWER
    @given(
        patients=strategies.cohorts(),
        raw=VARIANTS,
        rows=st.sampled_from([1, 2, 3, 7, 20, 50]),
        threads=st.sampled_from([1, 3]),
    )
    def test_in_blocks(self, patients, raw, rows, threads):
        """However the cohort is cut between patients, and whichever thread decides a block."""
        criteria = variant(raw)
        # Patients without a row stand where blocks meet.
        middle = len(patients) // 2
        patients = [Patient(()), *patients[:middle], Patient(()), *patients[middle:], Patient(())]
        with pytest.MonkeyPatch.context() as patch:
            # Thousands of completions of a patient, each a block, would take minutes and show no more.
            patch.setattr(evaluation, "MOST_COMPLETIONS", 100)
            whole = evaluate(criteria, cohort_of(patients))
            patch.setattr(evaluation, "ROWS_PER_BLOCK", rows)
            blocks = evaluate(criteria, cohort_of(patients), threads)

        assert whole.keys() == blocks.keys()
        for name, verdict in whole.items():
            for part in ("value", "reason", *ROWS, *NUMBERS):
                left, right = getattr(verdict, part), getattr(blocks[name], part)
                assert (left is None) == (right is None)
                assert left is None or left.tolist() == right.tolist(), (name, part)

    @FEWER
    @given(
        patients=strategies.cohorts(),
        raw=st.one_of(
            strategies.criteria_variants(months=False), strategies.criteria_variants(months=False, other_rows=True)
        ),
        shift=st.sampled_from([1, 28, 59, 366, -31, None]),
    )
    def test_the_date_of_day_0(self, patients, raw, shift):
        """With lengths in days, and weeks, the calendar does not matter; nor whether there are dates."""
        criteria = variant(raw)
        moved = [
            replace(patient, day_0=None if shift is None else patient.day_0 + datetime.timedelta(days=shift))
            for patient in patients
        ]

        assert decided(criteria, moved) == decided(criteria, patients)

    @FEWER
    @given(patients=strategies.cohorts(), raw=strategies.criteria_variants(), data=st.data())
    def test_endpoints_without_references(self, patients, raw, data):
        """Left out of the file, one changes no verdict on the others."""
        criteria = variant(raw)
        referred = {name for model in criteria.endpoints.values() for name in model.references().values()}
        spare = data.draw(st.sampled_from([name for name in criteria.endpoints if name not in referred]))
        without = variant({name: table for name, table in raw.items() if name != spare})

        pairs = zip(patients, decided(criteria, patients), decided(without, patients), strict=True)
        for patient, one, left in pairs:
            if has_bounds(patient):
                # Its rules tell counts apart too, so that there are more courses, at some number too many to look at.
                assert all(left[name].value in (one[name].value, "NE") or one[name].value == "NE" for name in left)
            else:
                assert left == {name: verdict for name, verdict in one.items() if name != spare}


class TestEvidence:
    """A verdict rests on rows of the patient's own that show what it says."""

    @FEWER
    @given(patients=strategies.cohorts(), raw=VARIANTS)
    def test_rows_of_the_patient(self, patients, raw):
        """Every row a verdict names; and what is `Y` has a day, what is not `Y` has none, but for times."""
        criteria, cohort = variant(raw), cohort_of(patients)
        for name, verdict in evaluate(criteria, cohort).items():
            for part in ROWS:
                row = getattr(verdict, part)
                own = (cohort.first_row[:-1] <= row) & (row < cohort.first_row[1:])
                assert (own | (row == NONE)).all(), (name, part)
            labels = [verdict.labels[value] for value in verdict.value]
            kind = criteria.endpoints[name].kind
            for patient, label, row in zip(patients, labels, verdict.dated, strict=True):
                if kind not in ("time_to", "extent"):
                    assert label == "Y" or row == NONE, name
                # Evidence that depends on a censored count is missing; a `not` and a rank have none.
                if kind not in ("combined", "best", "extent") and label == "Y" and not has_bounds(patient):
                    assert row != NONE, name

    @given(patients=strategies.cohorts())
    def test_of_a_response(self, patients):
        """Both counts of an overall response are in the state, and no evidence is discounted or came too late.

        They lie seven days apart or more, from day 1 to day 365, with no failing row and no late rescue up to them.
        """
        for patient, found in zip(patients, decided(CRITERIA, patients), strict=True):
            if has_bounds(patient):
                continue  # evidence that is not the same wherever the counts lie is missing
            response, chart = found["OR"], literal.chart_of(RAW, patient)
            shown = [row for row in chart.rows if row.day in (response.onset, response.confirming)]
            if response.value != "Y":
                assert (response.onset, response.confirming) == (None, None)
                continue
            assert [row.day for row in shown] == [response.onset, response.confirming]
            assert response.day == response.onset >= 1
            assert response.onset + 7 <= response.confirming <= 365
            assert all(literal.state(chart, RAW["OR"]["when"], row) is True for row in shown)
            assert all(not 0 <= row.days_since_rescue <= 35 for row in shown)
            for row in chart.rows:
                if response.onset <= row.day <= response.confirming:
                    assert literal.state(chart, RAW["OR"]["when"], row) is not False
                if 1 <= row.day <= response.confirming:
                    assert not (row.rescue and row.day >= 36)

    @given(patients=strategies.cohorts())
    def test_what_follows_from_what(self, patients):
        """Who has a complete or sustained response, a remission or a relapse has a response."""
        for found in decided(CRITERIA, patients):
            value = {name: verdict.value for name, verdict in found.items()}
            for name in ("CR", "SR", "remission", "relapse"):
                assert value[name] != "Y" or value["OR"] == "Y", name
            assert not value["remission"] == value["relapse"] == "Y"
            assert value["best_response"] == "CR" or value["CR"] != "Y"


RESPONSES = ("OR", "SR", "remission")


class TestMoreAndLess:
    """What can only help never harms, and what can only harm never helps."""

    @given(patient=strategies.patients(), baseline=st.sampled_from([7, 15, 20, 60]), data=st.data())
    def test_a_higher_count(self, patient, baseline, data):
        """Of one with a given baseline, a count raised leaves the response standing, and no later.

        The baseline must be given: a count raised before day 0 would else raise what must be doubled. And it holds of
        the response alone: one that comes earlier may be lost again.
        """
        patient = replace(patient, baseline=baseline)
        before = decided(CRITERIA, [patient])[0]
        counts = [place for place, seen in enumerate(patient.observations) if isinstance(seen.platelets, int | float)]
        shown = range(before["OR"].onset or 0, (before["OR"].confirming or 0) + 1)
        there = [place for place in counts if patient.observations[place].day in shown]
        assume(counts)
        place = data.draw(st.sampled_from(there or counts) | st.sampled_from(counts))
        seen = list(patient.observations)
        raised = data.draw(st.sampled_from([0.1, 1, 15, 30, 100, 1000])) + seen[place].platelets
        seen[place] = replace(seen[place], platelets=round(raised, 1))
        after = decided(CRITERIA, [replace(patient, observations=tuple(seen))])[0]

        if before["OR"].value == "Y":
            assert after["OR"].value == "Y"
            days = after["OR"].day, before["OR"].day
            # A day that is not the same wherever the counts lie is missing.
            assert (None in days and has_bounds(patient)) or days[0] <= days[1]

    @given(
        patient=strategies.patients(),
        data=st.data(),
        length=st.sampled_from([0, 1, 7, 35]),
        name=strategies.rescue_names(),
    )
    def test_rescue(self, patient, data, length, name):
        """A rescue treatment more makes no response; nor a sustained one or a remission, where the response stays.

        It may move the response to a later one, which is kept where the first was not: `test_that_moves_the_response`.
        """
        day = data.draw(days_about(patient, [-36, -35, -14, -7, -1, 0, 1]))
        no_better(patient, Observation(day, rescue=True, rescue_end=day + length, rescue_name=name))

    @given(patient=strategies.patients(), data=st.data(), grade=st.sampled_from([1, 2, 4]), recorded=st.booleans())
    def test_bleeding(self, patient, data, grade, recorded):
        """Nor does bleeding, where it was recorded as absent or not at all."""
        if not recorded:
            seen = [replace(one, bleeding_grade=None) for one in patient.observations]
            patient = replace(patient, observations=tuple(seen))
        days = data.draw(st.lists(days_about(patient, [0]), min_size=1, max_size=5))
        no_better(patient, *(Observation(day, bleeding_grade=grade) for day in days))

    @pytest.mark.parametrize("added", [Observation(1, rescue=True), Observation(10, bleeding_grade=1)])
    def test_that_moves_the_response(self, added):
        """A first response that is not kept may so be passed over for a second that is."""
        days = [7, 14, *range(42, 365, 14), 364]
        seen = [*(Observation(day, 60, 0) for day in days), Observation(28, 5, 0)]
        before, after = one(CRITERIA, *seen), one(CRITERIA, *seen, added)

        assert [before[name].value for name in RESPONSES] == ["Y", "N", "N"]
        assert [after[name].value for name in RESPONSES] == ["Y", "Y", "Y"]
        assert (before["OR"].day, after["OR"].day) == (7, 42)


@st.composite
def days_about(draw, patient, steps):
    """Days so long before or after what was observed of the patient, now and then any."""
    about = sorted({seen.day + step for seen in patient.observations for step in steps})
    return draw(strategies.days() if not about or draw(strategies.rarely(4)) else st.sampled_from(about))


def no_better(patient, *added):
    """No response comes of what is added, and where the response is the same, nothing that starts from it."""
    before, after = decided(CRITERIA, [patient, replace(patient, observations=(*patient.observations, *added))])
    assert before["OR"].value == "Y" or after["OR"].value != "Y"
    if after["OR"] == before["OR"]:
        for name in RESPONSES:
            assert before[name].value == "Y" or after[name].value != "Y", name


@st.composite
def short_responses(draw):
    """Patients whose counts in the state all lie within six days; and the same with the last moved to the eighth.

    Around them, on days of their own, are counts below 30 or bleeding; nothing between the first and the eighth day.
    """
    baseline = draw(st.sampled_from([7, 14.9, 15, 20, 60]))
    first = draw(st.sampled_from([1, 2, 28, 35, 84, 183, 357, 358]) | st.integers(1, 358))
    good = st.sampled_from([100, 120, 1001, ">100"] if baseline > 30 else [2 * baseline + 30, 60, 100, ">1000"])
    within = draw(st.sets(st.integers(1, 6), max_size=6))
    seen = [Observation(first + step, draw(good), 0) for step in sorted({0} | within)]
    around = draw(st.sets(st.integers(-28, first - 1) | st.integers(first + 8, 393), max_size=8))
    bad = [
        Observation(day, draw(st.sampled_from([5, 12, 29.9, "<10", "<30"])), draw(st.sampled_from([0, 1, None])))
        if draw(st.booleans())
        else Observation(day, draw(good), draw(st.sampled_from([1, 2])))
        for day in sorted(around)
    ]
    last = seen[-1] if within else replace(seen[0], platelets=draw(good))
    kept = seen[:-1] if within else seen
    return (
        Patient((*seen, *bad), baseline=baseline),
        Patient((*kept, replace(last, day=first + 7), *bad), baseline=baseline),
    )


class TestSevenDays:
    """Two counts confirm each other seven days apart, not six."""

    @given(pair=short_responses())
    @example(pair=(Patient((Observation(28, 60, 0), Observation(34, 60, 0)), 15), None))
    def test_within_six_days(self, pair):
        """However many there are, and whatever lies around them; with one of them moved to the seventh day they do."""
        short, moved = pair
        first = min(seen.day for seen in short.observations if literal.evidence(*atra_state(short, seen.day)) is True)
        assert decided(CRITERIA, [short])[0]["OR"].value in ("N", "NE")
        if moved is not None:
            found = decided(CRITERIA, [moved])[0]["OR"]
            assert (found.value, found.onset, found.confirming) == ("Y", first, first + 7)

    @given(
        patients=strategies.cohorts(),
        apart=st.sampled_from([2, 6, 7, 8, 14]),
        between=st.sampled_from(["anything", "unbroken"]),
    )
    def test_any_distance(self, patients, apart, between):
        """Of whatever distance: a met endpoint's evidence lie so far apart, and a lesser one is met too."""
        raw = copy.deepcopy(RAW) | {"interpretation": [], "example": []}
        raw["OR"] |= {"apart": f"{apart} days", "between": between}
        nearer = copy.deepcopy(raw)
        nearer["OR"]["apart"] = f"{apart - 1} days"
        both = zip(patients, decided(variant(raw), patients), decided(variant(nearer), patients), strict=True)
        for patient, far, near in both:
            if far["OR"].value == "Y":
                assert near["OR"].value == "Y"
                if has_bounds(patient):
                    continue  # a day that is not the same wherever the counts lie is missing
                assert far["OR"].confirming - far["OR"].onset >= apart
                assert near["OR"].day <= far["OR"].day


def atra_state(patient, day):
    """What `literal.evidence` asks of a row of that day."""
    chart = literal.chart_of(RAW, patient)
    return chart, RAW["OR"], next(row for row in chart.rows if row.day == day)


STATE = "platelets >= 30 and bleeding_grade == 0"


@st.composite
def visit_tables(draw, closed=False, planned=False):
    """An endpoint on visits over a state that names nothing but the row; closed and discounted, or not."""
    makers = [strategies.on_planned_visits] + [strategies.on_any_counts] * (not planned)
    table = draw(draw(st.sampled_from(makers))([STATE], ["days_since_rescue <= 7"], ["rescue", "bleeding_grade >= 2"]))
    if not closed:
        for key in ("closed_by", "discount", "discounted"):
            table.pop(key, None)
    return table


def decided_of(patients, **tables):
    """The verdicts under these criteria and no others."""
    head = {key: copy.deepcopy(RAW[key]) for key in ("title", "checked", "source", "clock", "baseline", "terms")}
    return decided(variant({**head, **tables}), patients)


class TestVisits:
    """Of visits."""

    @given(
        patients=strategies.cohorts(),
        table=visit_tables(),
        day=st.one_of(st.sampled_from([0, 7, 14, 21, 28, 35, 42, 49, 56, 63, 70, 84, 98, 112]), strategies.days()),
        count=st.sampled_from([30, 60, ">30"]),
    )
    def test_a_good_visit_more(self, patients, table, day, count):
        """On a day without any, it does not undo what was met; nor is what hung on unknown visits not met for it."""
        free = [one for one in patients if all(seen.day != day for seen in one.observations)]
        more = [replace(one, observations=(*one.observations, Observation(day, count, 0))) for one in free]
        for before, after in zip(decided_of(free, on=table), decided_of(more, on=table), strict=True):
            assert before["on"].value != "Y" or after["on"].value == "Y"
            assert before["on"].reason != "visits_unknown" or after["on"].value != "N"

    @given(patients=strategies.cohorts(), table=visit_tables(closed=True, planned=True))
    def test_what_is_missing(self, patients, table):
        """Met although missing visits fail, it is met where they are unknown, or left out; and open is not less.

        What cannot be met with all of the missing ones is not met without them.
        """
        tables = {name: {**table, "missing": name} for name in ("fails", "unknown", "left_out")}
        for found in decided_of(patients, **tables):
            value = {name: verdict.value for name, verdict in found.items()}
            if value["fails"] == "Y":
                assert value["unknown"] == value["left_out"] == "Y"
            if value["unknown"] == "N":
                assert value["fails"] == "N"
            if value["unknown"] == "Y":
                assert value["fails"] == "Y"

    @given(patients=strategies.cohorts(), table=visit_tables(closed=True), number=st.integers(1, 5))
    def test_fewer_are_enough(self, patients, table, number):
        """Where so many are enough, one fewer is; and of any row of visits, where it is of a shorter one."""
        first, last = table.get("days", (-inf, inf))
        most = len(table["visits"]) if "visits" in table else last - first + 1
        assume(most > 3)
        number = int(min(number, most - 3))
        for key in ("share", "more_than", "at_least", "in_any"):
            table.pop(key, None)
        tables = {
            "more": {**table, "at_least": number + 1, "in_any": number + 2},
            "fewer": {**table, "at_least": number, "in_any": number + 2},
            "longer": {**table, "at_least": number + 1, "in_any": number + 3},
            "of_all": {**table, "at_least": number + 1},
        }
        for patient, found in zip(patients, decided_of(patients, **tables), strict=True):
            if found["more"].value == "Y":
                assert {found[name].value for name in ("fewer", "longer", "of_all")} == {"Y"}
                onset, confirming = found["more"].onset, found["more"].confirming
                # By which visits it is met may hang on what a bound stands for.
                assert onset <= confirming if None not in (onset, confirming) else has_bounds(patient)


class TestExtent:
    """Of time in a state."""

    @given(patients=strategies.cohorts(), data=st.data())
    def test_a_part_of_the_time_observed(self, patients, data):
        """The longest stretch is no longer than all of it, which is no longer than the time observed.

        A limit to how long a state lasts adds nothing, nor does what is discounted.
        """
        whens, discounts = strategies.STATES, strategies.DISCOUNTS
        steps = data.draw(st.booleans())
        table = data.draw(
            strategies.steps_in_a_state(whens, discounts, strategies.LENGTHS)
            if steps
            else strategies.visits_in_a_state(whens, discounts)
        )
        plain = {key: value for key, value in table.items() if key not in ("discount", "max_gap")}
        tables = {
            "total": {**table, "measure": "total"},
            "longest": {**table, "measure": "longest"},
            "plain": {**plain, "measure": "total"},
        }
        first, last = table["days"]
        for patient, found in zip(patients, decided_of(patients, **tables), strict=True):
            if has_bounds(patient):
                continue  # a length that is not the same wherever the counts lie is missing
            total, longest, whole = (found[name] for name in tables)
            assert (total.days is None) == (longest.days is None) == (total.reason == "no_counts")
            if total.days is None:
                continue
            assert 0 <= longest.days <= total.days <= total.of_days == longest.of_days
            assert (longest.days > 0) == (total.days > 0)
            assert total.days <= (whole.days or 0)
            # A discounted row is known to be out of the state, whatever else of it is not known.
            assert "discount" in table or total.of_days <= whole.of_days
            assert not steps or max(total.of_days, whole.of_days or 0) <= last - first + 1

    @given(
        patients=strategies.cohorts(), when=st.sampled_from(strategies.STATES), gap=st.sampled_from([None, "28 days"])
    )
    def test_in_it_and_out_of_it(self, patients, when, gap):
        """The two together are all the time observed."""
        table = {**strategies.HEAD, "label": "Time", "kind": "extent", "days": [1, 365]}
        table |= {} if gap is None else {"max_gap": gap}
        tables = {"inside": {**table, "when": when}, "outside": {**table, "when": f"not ({when})"}}
        for patient, found in zip(patients, decided_of(patients, **tables), strict=True):
            inside, outside = found["inside"], found["outside"]
            assert inside.of_days == outside.of_days
            if has_bounds(patient):
                continue  # a length that is not the same wherever the counts lie is missing
            assert inside.days is None or inside.days + outside.days == inside.of_days


class TestCombined:
    """Of rules over verdicts."""

    @FEWER
    @given(patients=strategies.cohorts(), raw=strategies.criteria_variants(), data=st.data())
    def test_equal_rules(self, patients, raw, data):
        """De Morgan, double negation, distribution; the order of parts."""
        kinds = {name: table["kind"] for name, table in strategies.tables(raw).items()}
        named = [name for name, kind in kinds.items() if kind not in ("best", "time_to")]
        first, second, third = (data.draw(strategies.rules_over(named)) for _ in range(3))
        pairs = [
            (f"not (({first}) and ({second}))", f"not ({first}) or not ({second})"),
            (f"not (({first}) or ({second}))", f"not ({first}) and not ({second})"),
            (f"not (not ({first}))", first),
            (f"({first}) and ({second})", f"({second}) and ({first})"),
            (f"({first}) or ({second})", f"({second}) or ({first})"),
            (
                f"({first}) and (({second}) or ({third}))",
                f"({first}) and ({second}) or ({first}) and ({third})",
            ),
        ]
        head = {"label": "Combined", "says": "For the tests only.", "kind": "combined"}
        further = {
            f"{side}_{place}": {**head, "when": rule}
            for place, pair in enumerate(pairs)
            for side, rule in zip(("left", "right"), pair, strict=True)
        }
        for found in decided(variant({**raw, **further}), patients):
            for place, pair in enumerate(pairs):
                assert found[f"left_{place}"].value == found[f"right_{place}"].value, pair
