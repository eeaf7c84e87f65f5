"""Finds the hard questions of the quiz: the smallest timelines on which a set and another interpretation of it differ.

    python tests/hard_questions.py [SET ...]

It writes itp_response/teaching/hard_questions.json and keeps the questions of sets that are not named. Hypothesis looks
for a timeline and shrinks it, the same each time. An interpretation without a timeline in that time has no question.
"""

import json
import sys

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from itp_response.cohort.notation import cohort_of
from itp_response.definitions.load import load, shipped
from itp_response.evaluation.evaluate import evaluate
from itp_response.explanation.thresholds import limits_of
from itp_response.messages.errors import CriteriaError, ItpResponseError
from itp_response.teaching.quiz import ANSWERS, BASELINE, HARD

SEARCH = settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def timelines(criteria):
    """Timelines from the baseline on, at the limits of the definitions and near the planned days."""
    clock = criteria.file.clock
    plan = [day for day in clock.visits if day > 0] or list(range(7, 400, 14))
    days = sorted({day + by for day in plan for by in (0, 1, -1)} - {0})
    counts = sorted({int(limit) + by for limit in limits_of(criteria, BASELINE) for by in (-1, 0, 1)})
    columns = [
        name for name, column in criteria.file.columns.items() if column.table == "visits" and column.type == "truth"
    ]
    events = ["", " bleed 1", " bleed 2", " rescue", *(f" {name}=yes" for name in columns)]
    observation = st.builds("{}{}".format, st.sampled_from(counts), st.sampled_from(events))
    # Most counts equal the one before, so that states last.
    stretch = st.tuples(st.integers(0, len(days) - 1), st.integers(1, 6), observation)
    return st.lists(stretch, min_size=1, max_size=4).map(lambda stretches: line_of(stretches, days))


def line_of(stretches, days):
    entries = {}
    for begin, number, observation in stretches:
        count = observation.split()[0]
        for index, day in enumerate(days[begin : begin + 3 * number : 3]):
            entries[day] = observation if index == 0 else count
    return ", ".join([f"d0 {BASELINE}", *(f"d{day} {entries[day]}" for day in sorted(entries))])


def difference(criteria, other, timeline):
    """The first endpoint with another verdict under another interpretation, and the two verdicts; None: there is none."""
    cohort = cohort_of([timeline], visits=criteria.file.clock.visits, columns=criteria.file.columns)
    own, others = (evaluate(definitions, cohort, threads=1) for definitions in (criteria, other))
    for name, model in criteria.endpoints.items():
        if name in others and model.is_met_or_not:
            labels = [verdict.labels[int(verdict.value[0])] for verdict in (own[name], others[name])]
            if labels[0] != labels[1] and set(labels) <= set(ANSWERS):
                return name, *labels
    return None


def question(criteria, interpretation):
    try:
        other = criteria.under(interpretation.id)
        least = find(timelines(criteria), lambda line: difference(criteria, other, line) is not None, settings=SEARCH)
    except (CriteriaError, ItpResponseError, NoSuchExample):
        return None
    name, answer, other_answer = difference(criteria, other, least)
    return {
        "criteria": criteria.name,
        "interpretation": interpretation.id,
        "endpoint": name,
        "timeline": least,
        "answer": answer,
        "answer_under_it": other_answer,
    }


def main(names):
    known = json.loads(HARD.read_text()) if HARD.exists() else []
    for name in names or shipped():
        criteria = load(name)
        candidates = (question(criteria, interpretation) for interpretation in criteria.file.interpretation)
        questions = [candidate for candidate in candidates if candidate is not None]
        others = [other for other in known if other["criteria"] != name]
        known = sorted(others + questions, key=lambda entry: entry["criteria"])
        HARD.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
        print(f"{name}: {len(questions)} of {len(criteria.file.interpretation)} interpretations")


if __name__ == "__main__":
    main(sys.argv[1:])
