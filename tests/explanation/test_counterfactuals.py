"""The smallest change that turns a verdict: made by hand on the typed timeline, it turns it; nothing smaller does."""

import re
from datetime import date

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import timelines
from worked import criteria_of

import itp_response
from itp_response.authoring.check import worked_examples
from itp_response.classification.classification import classify
from itp_response.cohort.edited import KINDS
from itp_response.cohort.edited import edited as made
from itp_response.cohort.notation import cohort_of, timeline_of
from itp_response.definitions.load import load, shipped
from itp_response.evaluation.evaluate import evaluate, patient_days_of
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.in_words import denied_in_words, tree_in_words
from itp_response.evaluation.rules.tree import leaves
from itp_response.explanation.counterfactuals.direction import direction
from itp_response.explanation.counterfactuals.edits import FARTHEST, between, edits_tried
from itp_response.explanation.counterfactuals.search import find_counterfactuals, with_many_rows
from itp_response.explanation.counterfactuals.table import counterfactual_table
from itp_response.explanation.near_misses import near_misses
from itp_response.explanation.thresholds import limits_of

COUNT = re.compile(r"(?<= )[<>≤≥]?=?\d+(\.\d+)?(?= |$)")
SETS = ["atra_2022", "fit", "hetrombopag", "iwg_2009", "luna3", "raise", "riviere_2023", "romiplostim_2008"]
"""Among them they have criteria of every kind."""
CASES = """
d0 15, d22 40, d28 45, d42 12, d364 12           | OR        | the result would be Y with the observation of day 22 moved to day 21 (timeline entry 2)
d0 15, d21 29, d28 45, d42 12, d364 12           | OR        | the result would be Y with a count of 30 instead of 29 on day 21: a count of at least 30 (timeline entry 2)
d0 15.5, d21 30.9, d28 45, d42 12, d364 12       | OR        | the result would be Y with a count of 31 instead of 30.9 on day 21: a count of at least twice the baseline (timeline entry 2)
d0 25, d21 45, d28 60, d42 12, d364 12           | OR        | the result would be Y with a count of 50 instead of 45 on day 21: a count of at least twice the baseline (timeline entry 2)
d0 26, d21 45, d28 60, d42 12, d364 12           | OR        | the result would be Y with a count of 52 instead of 45 on day 21: a count of at least twice the baseline (timeline entry 2)
d0 2, d21 45 bleed 1, d28 60, d42 2, d364 2      | OR        | the result would be Y with no bleeding on day 21 instead of grade 1: no bleeding of grade 1 or more (timeline entry 2)
d0 2, d21 45, d28 60 bleed ?, d42 2, d364 2      | OR        | the result would be N with the observation of day 21 moved to day 22 (timeline entry 2); the result would be Y with bleeding recorded as absent on day 28: no bleeding of grade 1 or more (timeline entry 3)
d0 2, d7 2 rescue IVIg, d14 40, d28 60, d364 2   | OR        | the result would be Y with no rescue treatment (ivig) on day 7 (timeline entry 2)
d0 2, d21 <29, d28 60, d84 2, d364 2             | OR        | the result would be Y with a count of 30 instead of <29 on day 21: a count of at least 30 (timeline entry 2)
d0 2, d28..d364 2                                | OR        | no single change tried would make the result Y; closest on day 28: a count of 30 instead of 2 would qualify (timeline entry 2)
d0 15, d21 30, d28 30, d42 12, d364 12           | OR        | the result would be N with a count of 29 instead of 30 on day 21: a count below 30 (timeline entry 2); depends on the observation of day 0; without it the result would be NE; depends on the observations of days 21 and 28; without any one of them the result would be N
d0 15, d21 45, d28 60, d84 60, d140 60, d200 60, d336 60 | remission | the result would be Y with the observation of day 336 moved to day 337 (timeline entry 7); the result would be N with a count of 30 instead of 45 on day 21: a count of at most 30 (timeline entry 2)
d0 15, d21 45, d28 60, d42..d336 60              | CR        | the result would be N with the observation of day 336 moved to day 337 (timeline entry 19)
"""


@pytest.mark.parametrize("case", CASES.strip().splitlines())
def test_what_would_turn_it_is_said(case):
    timeline, endpoint, said = (part.strip() for part in case.split("|"))
    (explained,) = itp_response.ask(timeline, endpoint=endpoint)

    assert "; ".join(explained.counterfactuals_in_words) == said


SETS_ASKED = """
# A change in the endpoint's own direction comes first, and an artefact not at all where there is another.
atra_2022 | d0 15, d28 60, d35 60 rescue, d84..d364 60 | SR | the result would be Y with no rescue treatment on day 35 (timeline entry 3)
atra_2022 | d0 15, d7 60, d10 60, d14 60, d28..d364 60, d10 rescue | SR | the result would be Y with no rescue treatment on day 10 (timeline entries 3, 23)
nct03304288 | d0 15, d7..d336 12, d365 60 | loss | the result would be Y with a count of 30 instead of 12 on day 7 (an artefact of two thresholds: R then begins earlier) (timeline entry 2)
# The clause named is the one by whose turning the verdict changed.
atra_2022 | d0 15, d28..d126 60, d140 29, d154..d364 105 | CR | the result would be Y with a count of 30 instead of 29 on day 140: a count of at least 30 (relapse; timeline entry 10)
iwg_2009 | d0 15, d21 60, d28 12, d56..d364 12 | OR | the result would be Y with a count of 30 instead of 12 on day 28: a count of at least 30 (R; timeline entry 3)
ema_ivig | d0 60, d1..d28 105 | loss_CR | the result would be N with a count of 52 instead of 60 on day 0: a count of at least twice the baseline (timeline entry 1); depends on the observation of day 0; without it the result would be N
# Nearest came what could have counted, and first what would if all of it were known.
atra_2022 | d0 15, d28..d336 60, d364 105 bleed ? | CR | no single change tried would make the result Y; closest on day 364: a count of 105 would qualify if bleeding had been recorded as absent (timeline entry 19)
atra_2022 | d0 15, d7..d28 12, d50 29 rescue, d56..d364 12 | OR | no single change tried would make the result Y; closest on day 7: a count of 30 instead of 12 would qualify (timeline entry 2)
# One more count is offered where it is missing.
atra_2022 | d0 15, d28..d196 60, d364 60 | SR | the result would be N with a count of 30 instead of 60 on day 28: a count of at most 30 (timeline entry 2); the result would be Y with an additional count of 60 without bleeding on day 252
atra_2022 | d0 15, d28..d196 60 | SR | the result would be N with a count of 30 instead of 60 on day 28: a count of at most 30 (timeline entry 2); the result would be Y with an additional count of 60 without bleeding on day 224
atra_2022 | d0 15, d28 60 | OR | the result would be Y with an additional count of 60 without bleeding on day 42; the result would be N with an additional count of 29 without bleeding on day 364
atra_2022 | d0 15, d28 12, d56 12 | OR | the result would be N with an additional count of 12 without bleeding on day 364
fit | d0 15, d98 60, d112 60, d126 60, d154 12, d168 12 | stable | the result would be Y with an additional count of 60 without bleeding on day 140
# Another day stays what it was.
atra_2022 | d0 15, d28..d364 60, d366 12, d380 12 | relapse | the result would be Y with the observation of day 366 moved to day 365 (timeline entry 20)
# A best response has more verdicts than two.
atra_2022 | d0 15, d7 >30, d14 >30, d28 >30, d364 >30 | best_response | no single change tried would make the result CR, R or NR
"""


@pytest.mark.parametrize("case", [line for line in SETS_ASKED.strip().splitlines() if line[0] != "#"])
def test_what_is_said_is_what_a_clinician_would_say(case):
    name, timeline, endpoint, said = (part.strip() for part in case.split("|"))
    (explained,) = itp_response.ask(timeline, name, endpoint=endpoint)

    assert "; ".join(explained.counterfactuals_in_words) == said


def test_one_more_count_lies_in_the_gap_though_another_would_do():
    """One on day 14 would let the response begin earlier, so that the gap comes after the end."""
    (explained,) = itp_response.ask("d-7 60, d28..d196 60, d364 60", endpoint="SR", baseline=15)

    (added,) = (one for one in explained.counterfactuals if (one.change, one.becomes) == ("added", "Y"))
    assert (added.day, added.after) == (252, "60")


DIRECTIONS = """
atra_2022 | OR | 1
atra_2022 | relapse | -1
atra_2022 | late_rescue | 0
iwg_2009 | OR | 1
iwg_2009 | NR | -1
arnold_2012 | failure | -1
rozanolixizumab | entry | -1
ema_ivig | bled | 0
fit | stable | 1
godeau_2008 | entry | -1
"""


@pytest.mark.parametrize("case", DIRECTIONS.strip().splitlines())
def test_a_higher_count_helps_or_hurts(case):
    name, endpoint, expected = (part.strip() for part in case.split("|"))

    assert direction(load(name), endpoint) == int(expected)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("platelets >= 30", 1),
        ("30 > platelets", -1),
        ("not (platelets < 30 or rescue)", 1),
        ("not not platelets < 30", -1),
        ("2 * baseline - platelets <= 0", 1),
        ("platelets >= 30 and platelets < 100", 0),
        ("platelets == 30", 0),
        ("platelets * platelets > 900", 0),
        ("baseline < 30", 0),
        ("rescue", 0),
    ],
)
def test_a_rule_has_the_direction_of_its_comparisons(rule, expected):
    criteria = criteria_of(f"""
        [X]
        kind = "achieved"
        when = "{rule}"
        [denied]
        kind = "combined"
        when = "not X"
        [closed]
        kind = "achieved"
        when = "rescue"
        closed_by = "{rule}"
    """)

    assert direction(criteria, "X") == expected
    assert direction(criteria, "denied") == direction(criteria, "closed") == -expected


def test_what_tells_a_length_and_what_does_not_arise_is_not_asked():
    by_name = {one.endpoint: one for one in itp_response.ask("d0 15, d28..d364 12")}

    assert (by_name["TTR"].value, by_name["TTR"].counterfactuals) == ("NA", None)
    assert (by_name["relapse"].value, by_name["relapse"].counterfactuals) == ("NA", None)
    assert by_name["OR"].counterfactuals == ()


def test_of_a_met_endpoint_no_further_count_is_tried():
    (explained,) = itp_response.ask("d0 15, d21 100, d35 100, d42..d364 12", endpoint="OR")

    assert explained.value == "Y"
    assert {change.change for change in explained.counterfactuals} == {"count", "day", "lost"}


def test_a_given_baseline_is_changed_to_the_step():
    (explained,) = itp_response.ask("d21 45, d28 45, d42 12, d364 12", endpoint="OR", baseline=30)

    assert explained.counterfactuals_in_words == (
        "the result would be Y with a baseline of 22 instead of 30: a count of at least twice the baseline",
    )


def test_distances_are_ordered_as_the_reference_says():
    assert between(30.0, 30.0, 70.0) == 1  # a doubling, 10 added to each
    assert between(0.0, 45.0, 40.0) == 0  # within what is known
    assert between(29.0, 29.0, 30.0) < 1 / 7 < between(15.0, 15.0, 30.0) < 1


class TestWorkedPatients:
    """Of every worked example the nearest change of each endpoint, made by hand, gives the verdict that was said."""

    @pytest.mark.parametrize("met", [False, True], ids=["missed", "met"])
    @pytest.mark.parametrize("name", SETS)
    def test_a_change_made_by_hand_turns_the_verdict(self, name, met):
        criteria = load(name)
        cases = {case.name: case for case in criteria.file.example}
        cohort = worked_examples(criteria, criteria.file.example)
        found = near_misses(classify(cohort, criteria=criteria), met=met).frame().drop_nulls("distance")
        rows, made = list(found.iter_rows(named=True)), []
        for one in rows:
            text, unsaid = timeline_of(cohort, cohort.position(one["patient_id"]))
            assert not unsaid
            made.append(edited(text, one))
        # A line cannot be empty: where the only observation is lost, there is nothing to type.
        rows, made = zip(*((one, text) for one, text in zip(rows, made, strict=True) if text), strict=True)
        own = [cases[one["patient_id"]] for one in rows]
        by_hand = cohort_of(
            made,
            visits=criteria.file.clock.visits,
            baseline=[
                one["after"] if one["change"] == "baseline" else case.baseline
                for one, case in zip(rows, own, strict=True)
            ],
            treatment_discontinued=[
                None if one["change"] == "discontinuation" else case.treatment_discontinued
                for one, case in zip(rows, own, strict=True)
            ],
            day_0=[case.day_0 for case in own],
            columns=criteria.file.columns,
            patient=[case.patient for case in own],
        )
        decided = classify(by_hand, criteria=criteria)
        verdicts = {
            key: [verdict.labels[value] for value in verdict.value] for key, verdict in decided.verdicts.items()
        }

        wrong = [
            (one["patient_id"], one["endpoint"], one["says"], text)
            for place, (one, text) in enumerate(zip(rows, made, strict=True))
            if verdicts[one["endpoint"]][place] != one["becomes"]
        ]
        assert wrong == []

    @pytest.mark.parametrize("name", ["atra_2022", "iwg_2009", "luna3", "nct03304288"])
    def test_no_smaller_change_of_the_same_count_does(self, name):
        """Every count between that observed and that found, step by step."""
        criteria = load(name)
        cohort = worked_examples(criteria, criteria.file.example)
        cases = {case.name: case for case in criteria.file.example}
        found = near_misses(classify(cohort, criteria=criteria)).frame().filter(change="count")
        tried = []
        for one in found.iter_rows(named=True):
            if one["before"][0] in "<>" or "." in one["before"] + one["after"]:
                continue
            before, after = int(one["before"]), int(one["after"])
            text, _ = timeline_of(cohort, cohort.position(one["patient_id"]))
            between_them = range(min(before, after) + 1, max(before, after))
            tried += [(one, edited(text, one | {"after": str(count)})) for count in between_them]
        own = [cases[one["patient_id"]] for one, _ in tried]
        decided = classify(
            cohort_of(
                [text for _, text in tried],
                baseline=[case.baseline for case in own],
                treatment_discontinued=[case.treatment_discontinued for case in own],
                columns=criteria.file.columns,
                patient=[case.patient for case in own],
            ),
            criteria=criteria,
        )
        labels = {key: [one.labels[value] for value in one.value] for key, one in decided.verdicts.items()}
        turned = [
            (one["patient_id"], one["endpoint"], text)
            for place, (one, text) in enumerate(tried)
            if labels[one["endpoint"]][place] == one["becomes"]
        ]

        assert len(tried) > 100
        assert turned == []


class TestRandomPatients:
    """What holds of every patient under every shipped set."""

    @settings(max_examples=settings.default.max_examples // 2)
    @given(data=st.data())
    def test_a_change_made_by_hand_turns_the_verdict_and_the_clause(self, data):
        criteria, texts, _, classification = drawn(data)
        rows = [row for _, row in all_offered(classification)]
        assume(rows)
        after = classification_of(criteria, [edited(texts[int(row["patient_id"])], row) for row in rows])
        decided = {name: labels_of(verdict) for name, verdict in after.verdicts.items()}
        turned = [row for place, row in enumerate(rows) if turns(criteria, classification, after, place, row)]

        assert [row for place, row in enumerate(rows) if decided[row["endpoint"]][place] != row["becomes"]] == []
        assert [row for row in rows if row["clause"] is not None and row not in turned] == []

    @settings(max_examples=settings.default.max_examples // 2)
    @given(data=st.data())
    def test_no_artefact_is_offered_where_there_is_another_change(self, data):
        criteria, _, patients, classification = drawn(data)
        tried = edits_tried(criteria, classification.cohort, patients)
        after = evaluate(criteria, made(classification.cohort, tried, criteria.file.columns))
        no_count = ~np.isin(tried.kind, [KINDS.index(kind) for kind in ("count", "added", "baseline")])
        for place, row in all_offered(classification):
            becomes = np.array(labels_of(after[row["endpoint"]])) == row["becomes"]
            others = np.array(KINDS)[tried.kind[becomes & no_count & (tried.patient == place)]]
            assert not (row["artefact"] and len(others)), (row, others)
            way = {"Y": 1, "N": -1}.get(row["becomes"], 0) * direction(criteria, row["endpoint"])
            if (
                row["change"] == "count"
                and row["day"] > 0
                and row["before"][0] != "<"
                and starts(criteria, classification, place, row)
            ):
                raised = float(row["after"]) > float(row["before"])
                assert row["artefact"] == (way == (-1 if raised else 1)), row

    @settings(max_examples=settings.default.max_examples // 3)
    @given(data=st.data(), met=st.booleans())
    def test_near_misses_and_explain_begin_with_the_same_change(self, data, met):
        *_, classification = drawn(data)
        near = near_misses(classification, met=met).frame()
        explained = {
            (one.patient, one.endpoint): one.counterfactuals
            for patient in classification.cohort.id
            for one in itp_response.explain(classification, patient=patient)
        }
        for row in near.iter_rows(named=True):
            first = explained[row["patient_id"], row["endpoint"]]
            said = (first[0].says, first[0].distance, first[0].artefact) if first else (None, None, None)
            assert (row["says"], row["distance"], row["artefact"]) == said


def drawn(data):
    """A shipped set, timelines of some patients, their positions, and the classification."""
    criteria = load(data.draw(st.sampled_from(shipped())))
    visits = criteria.file.clock.visits
    texts = data.draw(st.lists(timelines(limits_of(criteria, 15), visits), min_size=2, max_size=2))
    return criteria, texts, np.arange(len(texts)), classification_of(criteria, texts)


def classification_of(criteria, texts):
    cohort = cohort_of(
        texts,
        visits=criteria.file.clock.visits,
        ids=[str(place) for place in range(len(texts))],
        day_0=[date(2023, 1, 31)] * len(texts),
        columns=criteria.file.columns,
    )
    return classify(cohort, criteria=criteria)


def all_offered(classification):
    """The position of the patient and the row of the table, of each change offered on each endpoint."""
    names = [name for name, model in classification.criteria.endpoints.items() if not model.is_length]
    offered = find_counterfactuals(classification, np.arange(len(classification.cohort)), names)
    for changes in offered.values():
        rows = counterfactual_table(classification, changes).iter_rows(named=True)
        yield from zip(changes.edits.patient.tolist(), rows, strict=True)


def labels_of(verdict):
    return [verdict.labels[value] for value in verdict.value]


def starts(criteria, classification, place, row):
    """The endpoint is no rank, and what it starts from is met."""
    model = criteria.endpoints[row["endpoint"]]
    return not model.is_ranked and all(
        labels_of(classification.verdicts[origin])[place] == "Y" for origin in model.origins()
    )


def turns(criteria, before, after, place, row):
    """Whether the clause named, as worded, was not true on a day of the patient's and is true there after."""
    model = criteria.endpoints[row["clause_of"] or row["endpoint"]]
    position = int(row["patient_id"])
    names = [model, *(criteria.endpoints[name] for name in criteria.endpoints)] if row["clause_of"] is None else [model]
    for leaf, holds in {
        (leaf, holds)
        for one in names
        for _, rule, of in one.rules()
        if of != "endpoints"
        for leaf in leaves(rule.tree)
        for holds in (True, False)
        if (tree_in_words if holds else denied_in_words)(leaf) == row["clause"]
    }:
        was = by_day(before, position, leaf, holds)
        becomes = by_day(after, place, leaf, holds)
        if any(becomes[day] and not was.get(day, False) for day in becomes):
            return True
    return False


def by_day(classification, position, leaf, holds):
    """Whether a clause holds, or is false, by day of a patient."""
    days = patient_days_of(classification.criteria, classification.cohort, position, position + 1)
    truths = decide(leaf, days)
    return dict(zip(days.day.tolist(), (truths.true if holds else truths.false).tolist(), strict=True))


def edited(text, one):
    """A typed timeline with the change made in its text."""
    entries, day, after = text.split(", "), one["day"], one["after"]
    ours = [place for place, entry in enumerate(entries) if entry.split()[0] == f"d{day}"]
    match one["change"]:
        case "count":
            entries[ours[0]] = COUNT.sub(after, entries[ours[0]], count=1)
        case "day":
            by = int(after) - day
            assert 0 < abs(by) <= FARTHEST
            for place in ours:
                moved = re.sub(r"to d(-?\d+)", lambda match: f"to d{int(match[1]) + by}", entries[place])
                entries[place] = re.sub(r"^d-?\d+", f"d{after}", moved)
        case "bleeding" | "grade":
            for place in ours:
                entries[place] = re.sub(r"bleed [1-4?]", "bleed 0", entries[place])
        case "rescue":
            for place in ours:
                entries[place] = re.sub(r" rescue.*", "", entries[place])
            entries = [entry for entry in entries if not re.fullmatch(r"d-?\d+( bleed \?)?", entry)]
        case "lost":
            for place in ours:
                if " rescue" in entries[place] or "=" in entries[place]:
                    entries[place] = re.sub(r" bleed \d", "", COUNT.sub("", entries[place], count=1)) + " bleed ?"
                else:
                    entries[place] = ""
        case "added":
            if ours:
                entries[ours[0]] = re.sub(r"^(d-?\d+)( bleed \?)?", rf"\1 {after} bleed 0", entries[ours[0]])
            else:
                entries.append(f"d{day} {after}")
    return ", ".join(filter(None, entries))


class TestManyObservations:
    """Each change is a copy of all observations of the patient, so that the work grows with their square."""

    def study(self, rows):
        visits = [("A", day, 15) for day in range(rows)] + [("B", 0, 15), ("B", 21, 29), ("B", 28, 45), ("B", 364, 12)]
        columns = ("patient_id", "day", "platelets")
        return classify([dict(zip(columns, visit, strict=True)) for visit in visits])

    def test_of_more_than_the_limit_none_is_tried_and_it_is_said(self):
        study = self.study(1_501)
        said = "no changes were tried: the patient has 1,501 observations, and changes are tried of at most 1,500"
        by_endpoint = {one.endpoint: one for one in itp_response.explain(study, patient="A")}
        assert by_endpoint["OR"].counterfactuals_in_words == (said,)
        assert by_endpoint["OR"].counterfactuals is None
        assert by_endpoint["relapse"].counterfactuals_in_words == ()  # an NA, of which none is ever tried
        (unasked,) = itp_response.explain(study, patient="A", endpoint="OR", counterfactuals=False)
        assert unasked.counterfactuals_in_words == ()
        (verdict,) = itp_response.certificate(study, patient="A", endpoint="OR")["verdicts"]
        assert "counterfactuals" not in verdict

    def test_the_other_patients_are_analysed(self):
        near = near_misses(self.study(1_501), endpoint="OR")
        assert near.frame()["patient_id"].to_list() == ["B"]
        assert near.text().splitlines()[3].startswith("Overall response (OR): 1 patient with N or NE")
        assert "\nnot analysed: 1 patient with more than 1,500 observations\n" in near.text()

    def test_as_many_as_the_limit_are_not_too_many(self):
        study = self.study(1_500)
        assert not len(with_many_rows(study.criteria, study.cohort))

    def test_censored_counts_multiply_them(self):
        """A change is decided for each combination: of a count below 50 rules tell three apart."""
        six = "d0 15, " + ", ".join(f"d{day} <50" for day in range(28, 34))
        (found,) = itp_response.ask(f"{six}, d364 5", endpoint="OR")
        assert found.counterfactuals is not None
        timeline = f"{six}, d90 <50, d364 5"
        (found,) = itp_response.ask(timeline, endpoint="OR")
        assert found.counterfactuals is None
        assert found.counterfactuals_in_words == (
            "no changes were tried: the patient has 9 observations for each of 2,187 combinations of values that "
            "censored counts may have, and changes are tried of at most 10,000 together",
        )
        near = near_misses(classify(cohort_of([timeline])), endpoint="OR")
        assert "\nnot analysed: 1 patient with censored counts that have too many combinations of values" in near.text()
