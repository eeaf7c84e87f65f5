"""itp_response: treatment response in immune thrombocytopenia, decided by written definitions.

A criterion is a function from a cohort to verdicts; every verdict names the observations that bear it out.

    a study's files             criteria/*.toml
         | read                       | criteria
         v                            v
       Cohort ------------------- Criteria
                  | classify
                  v
            Classification     value, day, reason, witnesses
              |        |
           explain   frame, write

`classify_to` does all of it part by part, from file to file, for cohorts of any length.

`compare` decides one cohort by several sets, `sensitivity` by one set under each of its readings.
`table` sets groups of patients beside each other, `predictors` looks for what foretold the verdicts.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from itp_response.authoring.check import Report, check
    from itp_response.authoring.describe import criteria, describe
    from itp_response.authoring.mutate import Mutations, mutate
    from itp_response.authoring.visit_plan import Schedule, schedule
    from itp_response.classification.chunked.classify_to import Written, classify_to
    from itp_response.classification.classification import Classification, classify
    from itp_response.cohort.cohort import Cohort
    from itp_response.data_review.review import Review, review
    from itp_response.definitions.criteria import Criteria
    from itp_response.explanation.ask import ask
    from itp_response.explanation.certificate import certificate
    from itp_response.explanation.clause_results import lamps
    from itp_response.explanation.explain import Explanation, explain
    from itp_response.explanation.near_misses import NearMisses, near_misses
    from itp_response.messages.errors import CohortError, CriteriaError, ItpResponseError, UsageError
    from itp_response.outputs.adam.adam import Adam, adam
    from itp_response.outputs.comparison.compare import Comparison, compare
    from itp_response.outputs.comparison.sensitivity import Sensitivity, sensitivity
    from itp_response.outputs.figures.plot import plot
    from itp_response.outputs.report.report import Page, report
    from itp_response.outputs.tables.predictors import Predictors, predictors
    from itp_response.outputs.tables.table import Tables, table
    from itp_response.readers.mapping.draft import draft as map  # noqa: A004 - named as its command is
    from itp_response.readers.mapping.mapping import Mapped, mapped
    from itp_response.readers.visits import read
    from itp_response.teaching.quiz import Question, quiz
    from itp_response.teaching.teach import teach

__all__ = [
    "Adam",
    "Classification",
    "Cohort",
    "CohortError",
    "Comparison",
    "Criteria",
    "CriteriaError",
    "Explanation",
    "ItpResponseError",
    "Mapped",
    "Mutations",
    "NearMisses",
    "Page",
    "Predictors",
    "Question",
    "Report",
    "Review",
    "Schedule",
    "Sensitivity",
    "Tables",
    "UsageError",
    "Written",
    "adam",
    "ask",
    "certificate",
    "check",
    "classify",
    "classify_to",
    "compare",
    "criteria",
    "describe",
    "explain",
    "lamps",
    "map",
    "mapped",
    "mutate",
    "near_misses",
    "plot",
    "predictors",
    "quiz",
    "read",
    "report",
    "review",
    "schedule",
    "sensitivity",
    "table",
    "teach",
]

_WHERE = {
    "Adam": "outputs.adam.adam",
    "adam": "outputs.adam.adam",
    "ask": "explanation.ask",
    "certificate": "explanation.certificate",
    "Report": "authoring.check",
    "check": "authoring.check",
    "Classification": "classification.classification",
    "classify": "classification.classification",
    "Cohort": "cohort.cohort",
    "Comparison": "outputs.comparison.compare",
    "compare": "outputs.comparison.compare",
    "Criteria": "definitions.criteria",
    "criteria": "authoring.describe",
    "describe": "authoring.describe",
    "map": "readers.mapping.draft:draft",
    "CohortError": "messages.errors",
    "CriteriaError": "messages.errors",
    "ItpResponseError": "messages.errors",
    "UsageError": "messages.errors",
    "Explanation": "explanation.explain",
    "explain": "explanation.explain",
    "lamps": "explanation.clause_results",
    "Mutations": "authoring.mutate",
    "mutate": "authoring.mutate",
    "NearMisses": "explanation.near_misses",
    "near_misses": "explanation.near_misses",
    "plot": "outputs.figures.plot",
    "Predictors": "outputs.tables.predictors",
    "predictors": "outputs.tables.predictors",
    "Question": "teaching.quiz",
    "quiz": "teaching.quiz",
    "Mapped": "readers.mapping.mapping",
    "mapped": "readers.mapping.mapping",
    "read": "readers.visits",
    "Page": "outputs.report.report",
    "report": "outputs.report.report",
    "Review": "data_review.review",
    "review": "data_review.review",
    "Schedule": "authoring.visit_plan",
    "schedule": "authoring.visit_plan",
    "Sensitivity": "outputs.comparison.sensitivity",
    "sensitivity": "outputs.comparison.sensitivity",
    "Written": "classification.chunked.classify_to",
    "classify_to": "classification.chunked.classify_to",
    "Tables": "outputs.tables.table",
    "table": "outputs.tables.table",
    "teach": "teaching.teach",
}
"""The module of each name, which is imported when the name is first used; after a colon, what it is called there."""


class _Package(ModuleType):
    """The package, of which `classify` is the function, and not the module of that name that it is in."""


def _public(name: str) -> property:
    module, _, called = _WHERE[name].partition(":")

    def found(_: ModuleType) -> Any:
        return getattr(import_module(f"itp_response.{module}"), called or name)

    # What is imported is set as an attribute of the package by Python; a name of a function stays the function's.
    return property(found, lambda *_: None)


for _name in _WHERE:
    setattr(_Package, _name, _public(_name))
sys.modules[__name__].__class__ = _Package
