"""Quiz: timelines on which one clause or one day decides, to be judged and then graded with the explanation.

A question has a twin: the same timeline with the smallest change of one observation that changes the verdict. Hard
questions are the smallest timelines on which two interpretations of a definition differ; `tests/hard_questions.py`
finds them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from itp_response.classification.classification import Classification, classify
from itp_response.cohort.edited import BLEEDING, COUNT, DAY, RESCUE, edited
from itp_response.cohort.notation import cohort_of, timeline_of
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import criteria_folder, load
from itp_response.explanation.ask import ask
from itp_response.explanation.clause_results import clause_results
from itp_response.explanation.counterfactuals.search import Counterfactuals, find_counterfactuals
from itp_response.explanation.counterfactuals.table import clause_in_words, counterfactual_table
from itp_response.explanation.thresholds import limits_of
from itp_response.messages.errors import UsageError
from itp_response.messages.wording import wrapped

HARD = Path(__file__).parent / "hard_questions.json"
POOL = 400
"""The number of random timelines from which questions are chosen."""
BASELINE = 15
"""The baseline of every timeline, 10⁹/L."""
ANSWERS = ("Y", "N", "NE", "NA")
IN_WORDS = {"Y": "met", "N": "not met", "NE": "not evaluable", "NA": "the question does not arise"}


@dataclass(frozen=True)
class Question:
    """A timeline, an endpoint, the verdict, and what decides it.

    >>> lines = "d0 15, d22 40, d28 45", "d0 15, d22 40, d29 45"
    >>> decides = "With 45 on day 29 it would be Y. What decides: when it was observed."
    >>> question = Question("atra_2022", "OR", "Overall response", lines[0], "N", lines[1], "Y", decides)
    >>> print(question.asked())
    atra_2022, OR: Overall response
      d0 15, d22 40, d28 45
    >>> print(question.graded("n").splitlines()[0])
    Right. With 45 on day 29 it would be Y. What decides: when it was observed.
    """

    criteria: str
    """The name of a shipped set, or the file of another."""
    endpoint: str
    label: str
    timeline: str
    answer: str
    """`Y`, `N`, `NE` or `NA`."""
    twin: str
    """The timeline with another verdict; empty for a hard question, on which another interpretation has it."""
    twin_answer: str
    """The verdict on the twin or under the other interpretation."""
    decides: str
    """What makes the difference, in a sentence."""

    def asked(self) -> str:
        """The question in words."""
        return f"{self.criteria}, {self.endpoint}: {self.label}\n  {self.timeline}"

    def graded(self, answer: str) -> str:
        """The grade of an answer in words: right or wrong, what decides, and the explanation of the verdict."""
        right = answer.strip().upper() == self.answer
        grade = "Right" if right else f"No, it is {self.answer}, {IN_WORDS[self.answer]}"
        lines = wrapped(f"{grade}. {self.decides}", further="")
        (explanation,) = ask(self.timeline, self.criteria, endpoint=self.endpoint, counterfactuals=False)
        return "\n".join([*lines, "", str(explanation)])


def quiz(
    criteria: Criteria | str | Path = "atra_2022", *, seed: int = 0, number: int = 5, hard: bool = False
) -> list[Question]:
    """Up to `number` questions about a set, the same for the same seed; fewer if the set does not give as many.

    `criteria` is the name of a shipped set, a file, or a loaded set. On each timeline one observation decides, by one
    clause or by its day: the smallest change of it changes the verdict. With `hard`, the questions are the smallest
    timelines on which the file and another interpretation of its source differ.
    Raises `UsageError` if there are no hard questions about the set.

    >>> [question.answer for question in quiz("atra_2022", hard=True, number=2)]
    ['N', 'N']
    """
    definitions = load(criteria)
    random = np.random.default_rng(seed)
    if hard:
        known = hard_questions(definitions.name)
        if not known:
            raise UsageError(f"there are no hard questions about {definitions.name}; leave out --hard.")
        return [known[index] for index in random.permutation(len(known))[:number].tolist()]
    return list(islice(_questions(definitions, random), number))


def hard_questions(name: str) -> list[Question]:
    """The hard questions about a shipped set, in the order of its interpretations."""
    questions = json.loads(HARD.read_text(encoding="utf-8"))
    return [Question(**question) for question in questions if question["criteria"] == name]


def _questions(criteria: Criteria, random: np.random.Generator) -> Iterator[Question]:
    """Questions about each endpoint and each kind of change in turn, until none is left."""
    timelines = _timelines(criteria, random)
    cohort = cohort_of(timelines, visits=criteria.file.clock.visits, columns=criteria.file.columns)
    classification = classify(cohort, criteria=criteria)
    names = [name for name, model in criteria.endpoints.items() if model.is_met_or_not]
    by_name = find_counterfactuals(classification, np.arange(len(cohort)), names)
    kinds = (COUNT, DAY, BLEEDING, RESCUE)
    sorts = [_smallest(by_name[name], kind, classification, random) for name in names for kind in kinds]
    sorts = [sort for sort in sorts if len(sort.becomes)]
    order = random.permutation(len(sorts)).tolist()
    for turn in range(POOL):
        for index in order:
            sort = sorts[index]
            if turn < len(sort.becomes):
                question = _question(classification, sort.at(np.array([turn])), random)
                if question is not None:
                    yield question


def _smallest(
    changes: Counterfactuals, kind: int, classification: Classification, random: np.random.Generator
) -> Counterfactuals:
    """The changes of a kind that are as small as possible, in random order: a count by 1, a day by 1, an event."""
    edits = changes.edits
    row = np.maximum(edits.row, 0)
    smallest = np.ones(len(edits), dtype=np.bool_)
    if kind == COUNT:
        smallest = np.abs(edits.count - classification.cohort.platelets.low[row]) == 1
    elif kind == DAY:
        smallest = np.abs(edits.day - classification.cohort.day[row]) == 1
    return changes.at(random.permutation(np.flatnonzero((edits.kind == kind) & smallest & ~changes.is_artefact)))


def _question(classification: Classification, change: Counterfactuals, random: np.random.Generator) -> Question | None:
    """The question of one change, about the timeline or its twin; None: more than one clause decides."""
    criteria, name, edits = classification.criteria, change.endpoint, change.edits
    timeline, _ = timeline_of(classification.cohort, int(edits.patient[0]))
    twin, _ = timeline_of(edited(classification.cohort, edits, criteria.file.columns), 0)
    verdict = classification.verdicts[name]
    answer, twin_answer = (verdict.labels[int(code)] for code in (verdict.value[edits.patient[0]], change.becomes[0]))
    row = counterfactual_table(classification, change).row(0, named=True)
    kind = int(edits.kind[0])
    clauses = _different_clauses(criteria, name, timeline, twin) if kind in (COUNT, BLEEDING) else set()
    if len(clauses) > 1 or not twin:
        return None
    deciding = clause_in_words(row).removeprefix(": ") or {
        DAY: "when it was observed",
        RESCUE: "the rescue treatment",
    }.get(kind, "the count")
    decides = f"With {row['says']} it would be {twin_answer}. What decides: {deciding}."
    if random.random() < 0.5:
        decides = f"This is {timeline} with {row['says']}; that is {answer}. What decides: {deciding}."
        timeline, twin, answer, twin_answer = twin, timeline, twin_answer, answer
    set_name = criteria.name if criteria.path.parent == criteria_folder() else str(criteria.path)
    label = criteria.endpoints[name].label
    return Question(set_name, name, label, timeline, answer, twin, twin_answer, decides)


def _different_clauses(criteria: Criteria, name: str, timeline: str, twin: str) -> set[str]:
    """The clauses of an endpoint with different results on the two timelines."""
    truths = []
    for line in (timeline, twin):
        (verdict,) = clause_results(line, criteria, endpoint=name)["verdicts"]
        truths.append({clause["clause"]: clause["at"] for rule in verdict["rules"] for clause in rule["clauses"]})
    return {clause for clause, at in truths[0].items() if at != truths[1][clause]}


def _timelines(criteria: Criteria, random: np.random.Generator) -> list[str]:
    """Random timelines from the baseline to the end of follow-up, with counts near the limits of the definitions."""
    end = criteria.file.clock.followed_from
    last = int(end) if np.isfinite(end) and end > 0 else 364
    plan = [day for day in criteria.file.clock.visits if day > 0] or list(range(7, last + 28, 14))
    limits = limits_of(criteria, BASELINE)
    counts = sorted({int(limit) + by for limit in limits for by in (-1, 0, 1)} | {int(max(limits)) * 2})
    return [_timeline(plan, counts, last, random) for _ in range(POOL)]


def _timeline(plan: Sequence[int], counts: Sequence[int], last: int, random: np.random.Generator) -> str:
    visits = random.choice(plan, size=min(len(plan), int(random.integers(3, 8))), replace=False).tolist()
    final = next((day for day in plan if day >= last), last)
    entries = [f"d0 {BASELINE}"]
    high = random.random() < 0.7
    before = 0
    for number, visit in enumerate(sorted({*visits, final})):
        # Most counts stay on the side of the one before, so that states last. Some days differ from the plan by one.
        high = high if random.random() < 0.75 else not high
        choices = [count for count in counts if (count >= counts[len(counts) // 2]) == high]
        day = visit + int(random.choice([0, 0, 0, -1, 1]))
        day = visit if number and day <= before else day
        event = random.choice(["", " bleed 1", " bleed 2", " rescue"], p=[0.9, 0.04, 0.03, 0.03])
        entries.append(f"d{day} {random.choice(choices)}{event}")
        before = day
    return ", ".join(entries)
