"""Quiz: timelines on which one clause or one day decides, to be judged and then graded with the explanation.

A question has a twin: the same timeline with the smallest change of one observation that changes the result. Hard
questions are the smallest timelines on which two interpretations of a definition differ; `tests/hard_questions.py`
finds them.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path

import numpy as np

from itp_response.classification.classification import Classification, classify
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.edited import BLEEDING, COUNT, DAY, RESCUE, Edits, edited
from itp_response.cohort.notation import cohort_of, timeline_of
from itp_response.cohort.values import Bools
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import criteria_folder, load
from itp_response.definitions.schema import Interpretation
from itp_response.explanation.ask import ask
from itp_response.explanation.clause_results import clause_results
from itp_response.explanation.counterfactuals.search import Counterfactuals, find_counterfactuals
from itp_response.explanation.counterfactuals.table import counterfactual_table
from itp_response.explanation.thresholds import limits_of
from itp_response.messages.errors import UsageError
from itp_response.messages.results import Result, html_paragraph
from itp_response.messages.wording import labelled, wrapped

HARD = Path(__file__).parent / "hard_questions.json"
POOL = 400
"""The number of random timelines from which questions are chosen."""
BASELINE = 15
"""The baseline of every timeline, 10⁹/L."""
CHANGES = (COUNT, DAY, BLEEDING, RESCUE)
"""The kinds of edits that questions are about."""
ANSWERS = ("Y", "N", "NE", "NA")
EVENTS = ("", " bleed 1", " bleed 2", " rescue")
EVENT_SHARES = tuple(accumulate((0.9, 0.04, 0.03)))
"""What happens beside a count of a random timeline, and the share of each but the last with those before it."""
IN_WORDS = {"Y": "met", "N": "not met", "NE": "not evaluable", "NA": "not applicable"}


@dataclass(frozen=True, repr=False)
class Question(Result):
    """A timeline, an endpoint, the result, and what decides it.

    >>> lines = "d0 15, d22 40, d28 45", "d0 15, d22 40, d29 45"
    >>> decides = 'decided by the day of the observation; with "d29 45" instead of "d28 45" it would be Y'
    >>> hint = 'The entry "d28 45" decides.'
    >>> question = Question("atra_2022", "OR", "Overall response", lines[0], "N", lines[1], "Y", decides, hint)
    >>> print(question.asked())
    Overall response (OR), atra_2022
      d0 15, d22 40, d28 45
    >>> print(question.in_a_sentence)
    N (not met), decided by the day of the observation; with "d29 45" instead of "d28 45" it would be Y.
    """

    criteria: str
    """The name of a shipped set, or the file of another."""
    endpoint: str
    label: str
    timeline: str
    answer: str
    """`Y`, `N`, `NE` or `NA`."""
    twin: str
    """The timeline with another result; empty for a hard question, on which another interpretation has it."""
    twin_answer: str
    """The result on the twin or under the other interpretation."""
    decides: str
    """What makes the difference, in words that follow the result."""
    hint: str
    """Where to look, in a sentence that does not give the result."""
    background: str = ""
    """Of a hard question, what its source leaves open and what is assumed."""

    @property
    def in_a_sentence(self) -> str:
        """The result and what decides it."""
        return f"{self.answer} ({IN_WORDS[self.answer]}), {self.decides}."

    def _headline(self) -> str:
        return f"{labelled(self.label, self.endpoint)} by {self.criteria}: {self.timeline}"

    def _pieces(self) -> Iterator[str]:
        # The answer stays folded until it is asked for.
        answer = html_paragraph(f"{self.answer}, {IN_WORDS[self.answer]}. {self.decides}")
        yield f"<details><summary>Answer</summary>{answer}</details>"

    def asked(self) -> str:
        """The question in words."""
        return f"{labelled(self.label, self.endpoint)}, {self.criteria}\n  {self.timeline}"

    def graded(self, answer: str) -> str:
        """The grade of an answer in a sentence, then the background and the explanation of the result."""
        grade = "Correct:" if answer.strip().upper() == self.answer else "Not correct; the result is"
        lines = wrapped(f"{grade} {self.in_a_sentence}", further="")
        lines += wrapped(self.background, further="") if self.background else []
        (explanation,) = ask(self.timeline, self.criteria, endpoint=self.endpoint, counterfactuals=False)
        return "\n".join([*lines, "", str(explanation)])


def quiz(
    criteria: Criteria | str | Path = "atra_2022", *, seed: int = 0, number: int = 5, hard: bool = False
) -> list[Question]:
    """Ask questions about a criteria set.

    On each timeline one observation decides, by one clause or by its day: the smallest change of it changes the result.

    Args:
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`.
        seed: The questions are the same for the same seed.
        number: The number of questions, at most; there are fewer if the set does not give as many.
        hard: Ask about the smallest timelines on which the file and another interpretation of its source differ.

    Returns:
        The questions, each with its answer.

    Raises:
        UsageError: There are no hard questions about the set.
        CriteriaError: The criteria cannot be used.

    Examples:
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
    known = [entry for entry in json.loads(HARD.read_text(encoding="utf-8")) if entry["criteria"] == name]
    if not known:
        return []
    criteria = load(name)
    interpretations = {interpretation.id: interpretation for interpretation in criteria.file.interpretation}
    return [_hard_question(criteria, interpretations[entry["interpretation"]], entry) for entry in known]


def _hard_question(criteria: Criteria, interpretation: Interpretation, entry: dict[str, str]) -> Question:
    other = entry["answer_under_it"]
    otherwise = f"under the other interpretation ({interpretation.id}) it would be {other}"
    return Question(
        criteria=criteria.name,
        endpoint=entry["endpoint"],
        label=criteria.endpoints[entry["endpoint"]].label,
        timeline=entry["timeline"],
        answer=entry["answer"],
        twin="",
        twin_answer=other,
        decides=f"as the set interprets its source; {otherwise}",
        hint=interpretation.question,
        background=f"{interpretation.question} Assumed: {interpretation.assumed}",
    )


def _questions(criteria: Criteria, random: np.random.Generator) -> Iterator[Question]:
    """Questions about each endpoint and each kind of change in turn, until none is left."""
    timelines = _timelines(criteria, random)
    cohort = cohort_of(timelines, visits=criteria.file.clock.visits, columns=criteria.file.columns)
    classification = classify(cohort, criteria=criteria)
    names = [name for name, model in criteria.endpoints.items() if model.is_met_or_not]
    by_name = find_counterfactuals(classification, np.arange(len(cohort)), names, _is_smallest)
    sorts = [_of_kind(by_name[name], kind, random) for name in names for kind in CHANGES]
    sorts = [sort for sort in sorts if len(sort.becomes)]
    order = random.permutation(len(sorts)).tolist()
    for turn in range(POOL):
        for index in order:
            sort = sorts[index]
            if turn < len(sort.becomes):
                question = _question(classification, sort.at(np.array([turn])), random)
                if question is not None:
                    yield question


def _is_smallest(cohort: Cohort, edits: Edits) -> Bools:
    """Whether an edit is as small as possible: a count by 1, a day by 1, an event."""
    row = np.maximum(edits.row, 0)
    by_one = np.where(edits.kind == COUNT, np.abs(edits.count - cohort.platelets.low[row]) == 1, True)
    by_one &= (edits.kind != DAY) | (np.abs(edits.day - cohort.day[row]) == 1)
    smallest: Bools = np.isin(edits.kind, CHANGES) & by_one
    return smallest


def _of_kind(changes: Counterfactuals, kind: int, random: np.random.Generator) -> Counterfactuals:
    """The changes of a kind in random order."""
    return changes.at(random.permutation(np.flatnonzero((changes.edits.kind == kind) & ~changes.is_artefact)))


def _question(classification: Classification, change: Counterfactuals, random: np.random.Generator) -> Question | None:
    """The question of one change, about the timeline or its twin; None: more than one clause decides."""
    criteria, name, edits = classification.criteria, change.endpoint, change.edits
    timeline, _ = timeline_of(classification.cohort, int(edits.patient[0]))
    twin, _ = timeline_of(edited(classification.cohort, edits, criteria.file.columns), 0)
    verdict = classification.verdicts[name]
    answer, twin_answer = (verdict.labels[int(code)] for code in (verdict.value[edits.patient[0]], change.becomes[0]))
    if not twin:
        return None
    kind = int(edits.kind[0])
    clauses = _different_clauses(criteria, name, timeline, twin) if kind in (COUNT, BLEEDING) else set()
    if len(clauses) > 1:
        return None
    is_changed = random.random() < 0.5
    if is_changed:
        timeline, twin, answer, twin_answer = twin, timeline, twin_answer, answer
    own, other = (", ".join(entries) for entries in _different_entries(timeline, twin))
    return Question(
        criteria=criteria.name if criteria.path.parent == criteria_folder() else str(criteria.path),
        endpoint=name,
        label=criteria.endpoints[name].label,
        timeline=timeline,
        answer=answer,
        twin=twin,
        twin_answer=twin_answer,
        decides=_decides(classification, change, f'with "{other}" instead of "{own}"', twin_answer, is_changed),
        hint=f'The entry "{own}" decides.',
    )


def _decides(
    classification: Classification, change: Counterfactuals, otherwise: str, becomes: str, is_changed: bool
) -> str:
    """What makes the difference: a clause, which holds on the changed timeline alone, or the day, or what was given."""
    row = counterfactual_table(classification, change).row(0, named=True)
    if row["clause"] is None:
        of_kind = {DAY: "the day of the observation", RESCUE: "the rescue treatment"}
        deciding = of_kind.get(int(change.edits.kind[0]), "the count")
        return f"decided by {deciding}; {otherwise} it would be {becomes}"
    clause = f'the clause "{row["clause"]}"' + (f" of {row['clause_of']}" if row["clause_of"] else "") + " holds"
    if is_changed:
        return f"as {clause}; {otherwise} it would be {becomes}"
    return f"but {otherwise} {clause} and it would be {becomes}"


def _different_entries(timeline: str, twin: str) -> tuple[list[str], list[str]]:
    """The entries that only one of two timelines has, for each of them."""
    own, other = timeline.split(", "), twin.split(", ")
    return [entry for entry in own if entry not in other], [entry for entry in other if entry not in own]


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
        day = visit + _one_of((0, 0, 0, -1, 1), random)
        day = visit if number and day <= before else day
        event = EVENTS[bisect_right(EVENT_SHARES, random.random())]
        entries.append(f"d{day} {_one_of(choices, random)}{event}")
        before = day
    return ", ".join(entries)


def _one_of(values: Sequence[int], random: np.random.Generator) -> int:
    """One of these values; `random.choice` makes an array of them each time."""
    return values[int(random.integers(len(values)))]
