"""Ask: the verdicts on one timeline typed by hand, explained."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from itp_response.classification.classification import CriteriaInput, classify
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.explanation.explain import Explanations, explain

PATIENT = "timeline"
"""The id of the patient of a typed timeline."""


def ask(
    timeline: str,
    criteria: CriteriaInput = "atra_2022",
    *,
    endpoint: str | None = None,
    baseline: float | str | None = None,
    treatment_discontinued: int | None = None,
    day_0: date | None = None,
    interpretation: str | Sequence[str] = (),
    columns: Mapping[str, Any] | None = None,
    counterfactuals: bool = True,
) -> Explanations:
    """The verdicts on a timeline in the notation of the worked examples, explained, in the order of the file.

    Counts are in 10⁹/L and days count from day 0. Bleeding that is not mentioned was absent. `baseline` is a count that
    is not in the timeline; without it the timeline has it. `treatment_discontinued` is a day; None: it was not.
    `day_0` is the date of day 0, which a set with calendar months needs.
    `interpretation` is the id of an interpretation of the set, or several. `columns` has the values of the columns of
    the patient table that the set declares; one that is not given is empty.
    `counterfactuals=False` leaves out what would change the verdicts, which takes most of the time.
    Raises `CohortError` with the position of what cannot be read, and for an unknown column or a value that is not of
    its type; `CriteriaError` for an unknown interpretation; `UsageError` for an unknown endpoint.

    >>> (explanation,) = ask("d0 15, d21 29, d28 45, d42 12, d364 12", endpoint="OR")
    >>> explanation.value, explanation.counterfactuals[0].says
    ('N', 'a count of 30 instead of 29 on day 21')
    >>> (explanation,) = ask(
    ...     "d0 20, d22 38, d29 38", endpoint="OR", interpretation="doubling-not-needed-from-30", counterfactuals=False
    ... )
    >>> explanation.value, explanation.title
    ('Y', 'atra_2022 under doubling-not-needed-from-30')
    """
    definitions, cohort = cohort_asked(
        timeline,
        criteria,
        baseline=baseline,
        treatment_discontinued=treatment_discontinued,
        day_0=day_0,
        interpretation=interpretation,
        columns=columns,
    )
    classification = classify(cohort, criteria=definitions)
    explanations = explain(classification, patient=PATIENT, endpoint=endpoint, counterfactuals=counterfactuals)
    notes = tuple(note.text for note in cohort.notes)
    return Explanations(replace(explanation, notes=(*notes, *explanation.notes)) for explanation in explanations)


def cohort_asked(
    timeline: str,
    criteria: CriteriaInput,
    *,
    baseline: float | str | None = None,
    treatment_discontinued: int | None = None,
    day_0: date | None = None,
    interpretation: str | Sequence[str] = (),
    columns: Mapping[str, Any] | None = None,
) -> tuple[Criteria, Cohort]:
    """The criteria under these interpretations, and the cohort of that one timeline.

    The parameters are those of `ask`, and so are the errors.
    """
    definitions = load(criteria)
    if interpretation:
        ids = [interpretation] if isinstance(interpretation, str) else interpretation
        definitions = definitions.under(*ids)
    cohort = cohort_of(
        [timeline],
        visits=definitions.file.clock.visits,
        ids=[PATIENT],
        baseline=[baseline],
        treatment_discontinued=[treatment_discontinued],
        day_0=[day_0],
        columns=definitions.file.columns,
        patient=[columns or {}],
    )
    return definitions, cohort
