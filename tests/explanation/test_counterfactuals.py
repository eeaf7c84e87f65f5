"""The smallest change that turns a verdict: made by hand on the typed timeline, it turns it; nothing smaller does."""

import re

import pytest

import itp_response
from itp_response.authoring.check import worked_examples
from itp_response.classification.classification import classify
from itp_response.cohort.notation import cohort_of, timeline_of
from itp_response.definitions.load import load
from itp_response.explanation.counterfactuals.edits import FARTHEST, between
from itp_response.explanation.near_misses import near_misses

COUNT = re.compile(r"(?<= )[<>≤≥]?=?\d+(\.\d+)?(?= |$)")
SETS = ["atra_2022", "fit", "hetrombopag", "iwg_2009", "luna3", "raise", "riviere_2023", "romiplostim_2008"]
"""Among them they have criteria of every kind."""
CASES = """
d0 15, d22 40, d28 45, d42 12, d364 12           | OR        | would be Y with the observation of day 22 on day 21 instead (timeline entry 2)
d0 15, d21 29, d28 45, d42 12, d364 12           | OR        | would be Y with a count of 30 instead of 29 on day 21: a count of at least 30 (timeline entry 2)
d0 15.5, d21 30.9, d28 45, d42 12, d364 12       | OR        | would be Y with a count of 31 instead of 30.9 on day 21: a count of at least twice the baseline (timeline entry 2)
d0 25, d21 45, d28 60, d42 12, d364 12           | OR        | would be Y with a count of 50 instead of 45 on day 21: a count of at least twice the baseline (timeline entry 2)
d0 26, d21 45, d28 60, d42 12, d364 12           | OR        | would be Y with a count of 22 instead of 26 on day 0: a count of at least twice the baseline (timeline entry 1)
d0 2, d21 45 bleed 1, d28 60, d42 2, d364 2      | OR        | would be Y with no bleeding on day 21, where there was grade 1: no bleeding of grade 1 or more (timeline entry 2)
d0 2, d21 45, d28 60 bleed ?, d42 2, d364 2      | OR        | would be N with the observation of day 21 on day 22 instead (timeline entry 2); would be Y with bleeding known to be absent on day 28: no bleeding of grade 1 or more (timeline entry 3)
d0 2, d7 2 rescue IVIg, d14 40, d28 60, d364 2   | OR        | would be Y with no rescue treatment (ivig) on day 7 (timeline entry 2)
d0 2, d21 <29, d28 60, d84 2, d364 2             | OR        | would be Y with a count of 30 instead of <29 on day 21: a count of at least 30 (timeline entry 2)
d0 2, d28..d364 2                                | OR        | none of the changes tried would make it Y; came nearest on day 28: a count of 30 instead of 2 would qualify there (timeline entry 2)
d0 15, d21 30, d28 30, d42 12, d364 12           | OR        | would be N with a count of 29 instead of 30 on day 21: a count below 30 (timeline entry 2); rests on the observation of day 0, without which it would be NE; rests on the observations of days 21 and 28, without any of which it would be N
d0 15, d21 45, d28 60, d84 60, d140 60, d200 60, d336 60 | remission | would be Y with the observation of day 336 on day 337 instead (timeline entry 7); would be N with a count of 30 instead of 45 on day 21: a count of at most 30 (timeline entry 2)
d0 15, d21 45, d28 60, d42..d336 60              | CR        | would be N with the observation of day 336 on day 337 instead (timeline entry 19)
"""


@pytest.mark.parametrize("case", CASES.strip().splitlines())
def test_what_would_turn_it_is_said(case):
    timeline, endpoint, said = (part.strip() for part in case.split("|"))
    (explained,) = itp_response.ask(timeline, endpoint=endpoint)

    assert "; ".join(explained.counterfactuals_in_words) == said


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
    (explained,) = itp_response.ask("d21 45, d28 60, d42 12, d364 12", endpoint="OR", baseline=30)

    assert explained.counterfactuals_in_words == (
        "would be Y with a baseline of 22 instead of 30: a count of at least twice the baseline",
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
