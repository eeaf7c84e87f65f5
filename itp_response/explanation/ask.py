"""Ask: the verdicts on one timeline typed by hand, explained."""

from collections.abc import Mapping
from typing import Any

from itp_response.classification.classification import classify
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.explanation.explain import Explanation, explain

PATIENT = "timeline"


def ask(
    timeline: str,
    criteria: Any = "atra_2022",
    *,
    endpoint: str | None = None,
    baseline: float | str | None = None,
    treatment_discontinued: int | None = None,
    turns: bool = True,
) -> list[Explanation]:
    """The verdicts on a timeline in the notation of the worked examples, `"d0 15, d21 45, d28 60"`.

    Bleeding that is not mentioned was looked for and absent. Without `turns` it is not asked what would turn a verdict.
    Raises `CohortError` with the place of what cannot be read.
    """
    definitions, cohort = cohort_asked(timeline, criteria, baseline, treatment_discontinued)
    return explain(classify(cohort, criteria=definitions), patient=PATIENT, endpoint=endpoint, turns=turns)


def cohort_asked(
    timeline: str,
    criteria: Any,
    baseline: float | str | None = None,
    treatment_discontinued: int | None = None,
    patient: Mapping[str, Any] | None = None,
) -> tuple[Criteria, Cohort]:
    """The criteria, and the cohort of that one timeline, with the columns that they declare; `patient` has his own."""
    definitions = criteria if isinstance(criteria, Criteria) else load(criteria)
    cohort = cohort_of(
        [timeline],
        visits=definitions.file.clock.visits,
        ids=[PATIENT],
        baseline=[baseline],
        treatment_discontinued=[treatment_discontinued],
        columns=definitions.file.columns,
        patient=[patient or {}],
    )
    return definitions, cohort
