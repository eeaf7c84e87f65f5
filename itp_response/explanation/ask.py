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
    """Decide one timeline typed by hand, and explain the results.

    Args:
        timeline: The timeline, in the notation of the worked examples: `"d0 15, d22 40 bleed 1, d28 45 rescue ivig"`.
            Days count from day 0, counts are in 10⁹/L. Bleeding that is not mentioned was absent.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`.
        endpoint: The endpoint to answer. None: all of the set.
        baseline: The baseline count, 10⁹/L or a bound such as `"<10"`. None: the baseline that the definition picks
            from the timeline.
        treatment_discontinued: The day on which treatment was discontinued. None: it was not.
        day_0: The date of day 0, which a set with calendar months needs. None: not known.
        interpretation: The id of an interpretation of the set to decide under, or several ids.
        columns: The values of the patient columns that the set declares; one that is not given is empty.
        counterfactuals: Whether to look for the smallest changes that would change the result, which takes most of the
            time.

    Returns:
        An explanation per endpoint, in the order of the criteria file.

    Raises:
        CohortError: An entry cannot be read (the error has its position), or a column is unknown or has a value of
            another type.
        CriteriaError: The criteria cannot be used, or the interpretation is unknown.
        UsageError: The endpoint is unknown.

    Examples:
        >>> (explanation,) = ask("d0 15, d21 29, d28 45, d42 12, d364 12", endpoint="OR")
        >>> explanation.value, explanation.counterfactuals[0].says
        ('N', 'a count of 30 instead of 29 on day 21')
        >>> (explanation,) = ask(
        ...     "d0 20, d22 38, d29 38",
        ...     endpoint="OR",
        ...     interpretation="doubling-not-needed-from-30",
        ...     counterfactuals=False,
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
