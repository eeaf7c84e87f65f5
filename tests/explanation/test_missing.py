"""Missing: where a count is censored, what is said of the counts that decide holds."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itp_response.classification.classification import classify
from itp_response.cohort.notation import bounds, cohort_of
from itp_response.definitions.load import load
from itp_response.explanation.ask import ask

SAID = [
    # timeline                                  | endpoint | what is missing
    # The verdict changes at a count, which belongs to either side.
    ("d0 15, d28 60, d30 <50, d35 60", "OR", "day 30, which is only <50: NE if it is below 30, Y if it is at least 30"),
    ("d0 <50, d28 60, d35 60", "OR", "day 0, which is only <50: Y if it is at most 30, NE if it is above 30"),
    ("d0 <20, d7..d364 38", "OR", "day 0, which is only <20: Y if it is at most 19, N if it is above 19"),
    ("d0 <20, d7..d364 38.5", "OR", "day 0, which is only <20: Y if it is at most 19.25, N if it is above 19.25"),
    ("d0 >10, d7..d364 38", "OR", "day 0, which is only >10: Y if it is at most 19, N if it is above 19"),
    # It changes at the bound itself, or next to the end.
    (
        "d0 15, d7 60, d14 60, d21 <=30, d364 60",
        "relapse",
        "day 21, which is only <=30: Y if it is below 30, N if it is 30",
    ),
    # A single count, next to the bound.
    (
        "d0 15, d3 >29, d7 38, d14 38",
        "SR",
        "day 3, which is only >29: NE if it is below 30, N if it is 30, NE if it is above 30",
    ),
    ("d0 <=20, d7..d364 40", "SR", ""),
    ("d0 <0.1, d7..d364 0", "OR", ""),
    # Several counts.
    (
        "d0 15, d7 >30, d14 >30",
        "CR",
        "day 7, which is only >30 and the count of day 14, which is only >30: "
        "NE if they are 31 and 100, Y if they are 100 and 100",
    ),
]


@pytest.mark.parametrize(("timeline", "endpoint", "missing"), SAID)
def test_the_counts_are_named_that_decide(timeline, endpoint, missing):
    (explanation,) = ask(timeline, endpoint=endpoint, counterfactuals=False)

    assert explanation.missing == (missing and f"the count of {missing}")


def test_below_30_is_never_30():
    (explanation,) = ask("d0 15, d28 60, d30 <30, d31 60, d60 60", endpoint="OR", counterfactuals=False)

    assert "if it is 30" not in explanation.missing


# THE LAW

PICKS = {"last": "atra_2022", "mean": "romiplostim_2008", "lowest": "flight"}
"""A set for each way to pick a baseline."""
BASELINES = ["15", "<20", "<=20", ">10", "12.5", "<50"]
COUNTS = ["12", "29.9", "38", "60", "120", "<30", "<=30", "<50", ">30", ">=30", ">29", ">40.5", "<=100"]
DAYS = [3, 7, 14, 21, 28, 42, 56, 84, 168, 336, 364]
WHICH = re.compile(r"the (?:baseline|count of day (-?\d+)), which is only (\S+)")
ALL_TRIED = re.compile(r"(\w+) with whatever was tried, which does not show that it is \1 with all")
GIVEN = re.compile(r"(\w+) if (?:it is|they are) (.+)")


@st.composite
def timelines(draw: st.DrawFn) -> dict[int, str]:
    """Counts by their days; most are known, one or two in the follow-up are not."""
    days = draw(st.lists(st.sampled_from(DAYS), min_size=3, max_size=8, unique=True))
    counts = {day: draw(st.sampled_from(["38", "60", "120", "29.9"])) for day in sorted(days)}
    for day in draw(st.lists(st.sampled_from(sorted(days)), min_size=1, max_size=2)):
        counts[day] = draw(st.sampled_from(COUNTS))
    before = {-7: draw(st.sampled_from(BASELINES))} if draw(st.booleans()) else {}
    return {**before, 0: draw(st.sampled_from(BASELINES)), **counts}


def said(missing: str) -> list[tuple[str, list[tuple[int | None, float]]]]:
    """Each verdict of a sentence, and counts by their days that are said to give it; None: the baseline."""
    which, _, given = missing.partition(": ")
    named = WHICH.findall(which)
    claims = []
    if ALL_TRIED.fullmatch(given):
        return claims
    for claim in re.split(r", (?=\w+ if )", given) if given else []:
        verdict, counts = GIVEN.fullmatch(claim).groups()
        days = [int(day) if day else None for day, _ in named]
        if len(named) > 1:
            numbers = [float(number) for number in re.split(r", | and ", counts)]
            claims.append((verdict, list(zip(days, numbers, strict=True))))
        else:
            claims += [(verdict, [(days[0], number)]) for number in within(counts, named[0][1])]
    return claims


def within(counts: str, bound: str) -> list[float]:
    """The ends of a range in words, or numbers next to them, and its middle."""
    if re.fullmatch(r"[\d.]+", counts):
        return [float(counts)]
    low, high = bounds(bound)
    low, high = low + (0 if low == 0 or "=" in bound else 1e-6), min(high, 6000) - (0 if "=" in bound else 1e-6)
    for word, number in re.findall(r"(at least|above|at most|below) ([\d.]+)", counts):
        limit = float(number)
        match word:
            case "at least" | "above":
                low = limit + (1e-6 if word == "above" else 0)
            case _:
                high = limit - (1e-6 if word == "below" else 0)
    assert low <= high, counts
    return [low, (low + high) / 2, min(high, 4000)]


@settings(max_examples=settings.default.max_examples // 2)
@given(timelines(), st.sampled_from(sorted(PICKS)), st.sampled_from([None, None, "<20", "15", ">=15"]))
def test_each_count_that_is_said_to_give_a_verdict_gives_it(counts, pick, baseline):
    criteria = load(PICKS[pick])
    if pick == "lowest":
        criteria = criteria.under(next(one.id for one in criteria.file.interpretation if "lowest" in str(one.change)))

    def decided(cases: list[tuple[dict[int, str], str | None]]):
        lines = [", ".join(f"d{day} {count}" for day, count in case.items()) for case, _ in cases]
        cohort = cohort_of(
            lines,
            visits=criteria.file.clock.visits,
            baseline=[given for _, given in cases],
            columns=criteria.file.columns,
        )
        return classify(cohort, criteria=criteria).verdicts

    line = ", ".join(f"d{day} {count}" for day, count in counts.items())
    for explanation in ask(line, criteria, baseline=baseline, counterfactuals=False):
        if explanation.value != "NE" or explanation.reason != "censored_count":
            continue
        claims = said(explanation.missing)
        cases = []
        for _, numbers in claims:
            exact = {day: f"{number:.7f}" for day, number in numbers}
            assert all(day in counts for day in exact if day is not None)
            cases.append(({**counts, **{d: n for d, n in exact.items() if d is not None}}, exact.get(None, baseline)))
        if cases:
            verdict = decided(cases)[explanation.endpoint]
            assert [verdict.labels[value] for value in verdict.value] == [value for value, _ in claims], (
                explanation.endpoint,
                explanation.missing,
            )
