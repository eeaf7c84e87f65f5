"""Quiz: timelines on which one thing decides, to be judged and then graded with the explanation.

Each question has a twin, the same timeline with one observation changed by the least that turns the verdict. The hard
ones are the smallest timelines on which two interpretations of a definition differ, as `tests/hard_questions.py` found them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from itp_response.classification.classification import Classification, classify
from itp_response.cohort.edited import BLEEDING, COUNT, DAY, RESCUE, edited
from itp_response.cohort.notation import cohort_of, timeline_of
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import criteria_folder, load
from itp_response.evaluation.evaluate import is_length
from itp_response.explanation.ask import ask
from itp_response.explanation.clause_results import clause_results
from itp_response.explanation.counterfactuals.limits import limits_of
from itp_response.explanation.counterfactuals.search import Counterfactuals, find_counterfactuals
from itp_response.explanation.counterfactuals.table import counterfactual_table
from itp_response.explanation.explain import WIDTH
from itp_response.messages.errors import UsageError
from itp_response.messages.wording import wrapped

HARD = Path(__file__).parent / "hard_questions.json"
POOL = 400
"""So many timelines are made to choose from."""
BASELINE = 15
ANSWERS = ("Y", "N", "NE", "NA")
IN_WORDS = {"Y": "met", "N": "not met", "NE": "not evaluable", "NA": "the question does not arise"}


@dataclass(frozen=True)
class Question:
    """A timeline, an endpoint, and what decides."""

    criteria: str
    """The name of a shipped set, or the file of another."""
    endpoint: str
    label: str
    timeline: str
    answer: str
    """`Y`, `N`, `NE` or `NA`."""
    twin: str
    """The timeline on which it is otherwise; of a hard question empty: there the interpretation is."""
    twin_answer: str
    decides: str
    """What makes the difference, a sentence."""

    def asked(self) -> str:
        """The question in words."""
        return f"{self.criteria}, {self.endpoint}: {self.label}\n  {self.timeline}"

    def graded(self, answer: str) -> str:
        """What is said to an answer: whether it is right, why, and what decides."""
        given = answer.strip().upper()
        right = "Right" if given == self.answer else f"No, it is {self.answer}, {IN_WORDS[self.answer]}"
        told = "\n".join(wrapped(f"{right}. {self.decides}", WIDTH, further=""))
        (explained,) = ask(self.timeline, self.criteria, endpoint=self.endpoint, counterfactuals=False)
        return f"{told}\n\n{explained}"


def quiz(criteria: Any = "atra_2022", *, seed: int = 0, number: int = 5, hard: bool = False) -> list[Question]:
    """So many questions about a set, the same for the same seed; fewer, where there are not so many.

    On each timeline one observation decides by one clause, or by when it was made: changed by the least, it turns the
    verdict. The `hard` ones are the smallest timelines on which the file and another interpretation of its source differ.
    Raises `UsageError` where there are no hard questions about a set.
    """
    definitions = criteria if isinstance(criteria, Criteria) else load(criteria)
    draw = np.random.default_rng(seed)
    if hard:
        known = hard_questions(definitions.name)
        if not known:
            raise UsageError(f"there are no hard questions about {definitions.name}; leave out --hard.")
        return [known[place] for place in draw.permutation(len(known))[:number].tolist()]
    found: list[Question] = []
    for question in _made(definitions, draw):
        if len(found) < number:
            found.append(question)
        else:
            break
    return found


def hard_questions(name: str) -> list[Question]:
    """The hard questions about a shipped set, in the order of its interpretations."""
    return [Question(**one) for one in json.loads(HARD.read_text(encoding="utf-8")) if one["criteria"] == name]


def _made(criteria: Criteria, draw: np.random.Generator) -> Iterator[Question]:
    """Questions in turn about each endpoint and each kind of change, as long as there are some."""
    timelines = _timelines(criteria, draw)
    cohort = cohort_of(timelines, visits=criteria.file.clock.visits, columns=criteria.file.columns)
    found = classify(cohort, criteria=criteria)
    names = [name for name, model in criteria.endpoints.items() if not is_length(model) and model.kind != "best"]
    turning = find_counterfactuals(found, np.arange(len(cohort)), names)
    kinds = (COUNT, DAY, BLEEDING, RESCUE)
    heaps = [_fitting(turning[name], kind, found, draw) for name in names for kind in kinds]
    heaps = [heap for heap in heaps if len(heap.becomes)]
    order = draw.permutation(len(heaps)).tolist()
    for turn in range(POOL):
        for place in order:
            heap = heaps[place]
            if turn < len(heap.becomes):
                question = _question(found, heap.at(np.array([turn])), draw)
                if question is not None:
                    yield question


def _fitting(
    one: Counterfactuals, kind: int, classification: Classification, draw: np.random.Generator
) -> Counterfactuals:
    """The changes of that kind that go as little far as can be: a count by 1, a day by 1, an event."""
    made = one.edits
    row = np.maximum(made.row, 0)
    least = np.ones(len(made), dtype=np.bool_)
    if kind == COUNT:
        least = np.abs(made.count - classification.cohort.platelets.low[row]) == 1
    elif kind == DAY:
        least = np.abs(made.day - classification.cohort.day[row]) == 1
    return one.at(draw.permutation(np.flatnonzero((made.kind == kind) & least)))


def _question(classification: Classification, one: Counterfactuals, draw: np.random.Generator) -> Question | None:
    """The question of one change, asked of the timeline or of its twin; None: more than one clause decides."""
    criteria, name = classification.criteria, one.endpoint
    twin, _ = timeline_of(edited(classification.cohort, one.edits, criteria.file.columns), 0)
    own, _ = timeline_of(classification.cohort, int(one.edits.patient[0]))
    verdict = classification.verdicts[name]
    was, becomes = (verdict.labels[int(place)] for place in (verdict.value[one.edits.patient[0]], one.becomes[0]))
    told = counterfactual_table(classification, one).row(0, named=True)
    kind = int(one.edits.kind[0])
    clauses = _different(criteria, name, own, twin) if kind in (COUNT, BLEEDING) else set()
    if len(clauses) > 1 or not twin:
        return None
    by = told["clause"] or {DAY: "when it was observed", RESCUE: "the rescue treatment"}.get(kind, "the count")
    decides = f"With {told['says']} it would be {becomes}. What decides: {by}."
    if draw.random() < 0.5:
        decides = f"This is {own} with {told['says']}; that is {was}. What decides: {by}."
        own, twin, was, becomes = twin, own, becomes, was
    named = criteria.name if criteria.path.parent == criteria_folder() else str(criteria.path)
    return Question(named, name, criteria.endpoints[name].label, own, was, twin, becomes, decides)


def _different(criteria: Criteria, name: str, own: str, twin: str) -> set[str]:
    """The clauses of an endpoint that some observation answers otherwise on the two timelines."""
    truths = []
    for line in (own, twin):
        (verdict,) = clause_results(line, criteria, endpoint=name)["verdicts"]
        truths.append({part["clause"]: part["at"] for rule in verdict["rules"] for part in rule["clauses"]})
    return {clause for clause, at in truths[0].items() if at != truths[1][clause]}


def _timelines(criteria: Criteria, draw: np.random.Generator) -> list[str]:
    """Timelines crowded at the limits of the definitions, from the baseline to the end of follow-up."""
    end = criteria.file.clock.followed_from
    last = int(end) if np.isfinite(end) and end > 0 else 364
    plan = [day for day in criteria.file.clock.visits if day > 0] or list(range(7, last + 28, 14))
    limits = limits_of(criteria, BASELINE)
    counts = sorted({int(limit) + by for limit in limits for by in (-1, 0, 1)} | {int(max(limits)) * 2})
    return [_timeline(plan, counts, last, draw) for _ in range(POOL)]


def _timeline(plan: Sequence[int], counts: Sequence[int], last: int, draw: np.random.Generator) -> str:
    days = sorted(draw.choice(plan, size=min(len(plan), int(draw.integers(3, 8))), replace=False).tolist())
    ends = [day for day in plan if day >= last] or [last]
    days = sorted({*days, ends[0]})
    entries = [f"d0 {BASELINE}"]
    high = draw.random() < 0.7
    for place, day in enumerate(days):
        # Most counts stay on their side, so that states last; a day is now and then a little off.
        high = high if draw.random() < 0.75 else not high
        some = [count for count in counts if (count >= counts[len(counts) // 2]) == high]
        moved = day + int(draw.choice([0, 0, 0, -1, 1]))
        moved = day if place and moved <= int(entries[-1].split()[0][1:]) else moved
        more = draw.choice(["", " bleed 1", " bleed 2", " rescue"], p=[0.9, 0.04, 0.03, 0.03])
        entries.append(f"d{moved} {draw.choice(some)}{more}")
    return ", ".join(entries)
