"""Ask: the verdicts on one timeline typed by hand, explained."""

from collections.abc import Mapping
from typing import Any

from itp_response.classification.classification import CriteriaInput, classify
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.explanation.explain import Explanation, explain

PATIENT = "timeline"
"""The id of the patient of a typed timeline."""


def ask(
    timeline: str,
    criteria: CriteriaInput = "atra_2022",
    *,
    endpoint: str | None = None,
    baseline: float | str | None = None,
    treatment_discontinued: int | None = None,
    counterfactuals: bool = True,
) -> list[Explanation]:
    """The verdicts on a timeline in the notation of the worked examples, explained, in the order of the file.

    Counts are in 10⁹/L and days count from day 0. Bleeding that is not mentioned was absent. `baseline` is a count that
    is not in the timeline; without it the timeline has it. `treatment_discontinued` is a day; None: it was not.
    `counterfactuals=False` leaves out what would change the verdicts, which takes most of the time.
    Raises `CohortError` with the position of what cannot be read, `UsageError` for an unknown endpoint.

    >>> (explanation,) = ask("d0 15, d21 29, d28 45, d42 12, d364 12", endpoint="OR")
    >>> explanation.value, explanation.counterfactuals[0].says
    ('N', 'a count of 30 instead of 29 on day 21')
    """
    definitions, cohort = cohort_asked(timeline, criteria, baseline, treatment_discontinued)
    classification = classify(cohort, criteria=definitions)
    return explain(classification, patient=PATIENT, endpoint=endpoint, counterfactuals=counterfactuals)


def cohort_asked(
    timeline: str,
    criteria: CriteriaInput,
    baseline: float | str | None = None,
    treatment_discontinued: int | None = None,
    patient: Mapping[str, Any] | None = None,
) -> tuple[Criteria, Cohort]:
    """The criteria, and the cohort of that one timeline with the columns that they declare.

    `patient` has the values of the declared columns of the patient table.
    """
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
