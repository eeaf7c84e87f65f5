"""itp_response: treatment response in immune thrombocytopenia, decided by written definitions.

An endpoint is a function from a cohort to verdicts; every verdict names the observations that support it.

    a study's files             criteria/*.toml
         | read                       | criteria
         v                            v
       Cohort ------------------- Criteria
                  | classify
                  v
            Classification     value, day, reason, evidence
              |        |
           explain   frame, write

Every result shows itself in a notebook and becomes a frame of pandas; an error knows its code, place and value.
`classify_to` does all of it chunk by chunk, from file to file, for cohorts of any length.

`compare` decides one cohort by several sets, `sensitivity` by one set under each of its interpretations.
`table` sets groups of patients beside each other, `predictors` looks for what was associated with the verdicts.
`spark` and `dask` decide frames of these systems where they are.
`validate` qualifies the installation: what a regulated user files.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from itp_response.authoring.check import CheckReport, check
    from itp_response.authoring.describe import criteria, describe
    from itp_response.authoring.mutate import Mutations, mutate
    from itp_response.authoring.new import new
    from itp_response.authoring.search import SetsFound, search
    from itp_response.authoring.visit_plan import VisitPlan, visit_plan
    from itp_response.classification import dask, spark
    from itp_response.classification.chunked.classified_file import ClassifiedFile
    from itp_response.classification.chunked.classify_to import classify_to
    from itp_response.classification.classification import Classification, classify
    from itp_response.cohort.cohort import Cohort
    from itp_response.data_review.review import Review, review
    from itp_response.definitions.criteria import Criteria
    from itp_response.definitions.schema import schema
    from itp_response.explanation.ask import ask
    from itp_response.explanation.certificate import certificate
    from itp_response.explanation.clause_results import clause_results
    from itp_response.explanation.explain import Explanation, Explanations, explain
    from itp_response.explanation.near_misses import NearMisses, near_misses
    from itp_response.messages.errors import CohortError, CriteriaError, ItpResponseError, UsageError
    from itp_response.outputs.adam.adam import Adam, adam
    from itp_response.outputs.adam.settings import AdamSettings
    from itp_response.outputs.comparison.compare import Comparison, compare
    from itp_response.outputs.comparison.sensitivity import Sensitivity, sensitivity
    from itp_response.outputs.figures.plot import plot
    from itp_response.outputs.report.report import Page, report
    from itp_response.outputs.tables.predictors import Predictors, predictors
    from itp_response.outputs.tables.table import Tables, table
    from itp_response.readers.mapping.draft import draft as map  # noqa: A004 - named as its command is
    from itp_response.readers.mapping.mapping import Mapped, mapped
    from itp_response.readers.options import ReadOptions
    from itp_response.readers.visits import read
    from itp_response.teaching.example import example
    from itp_response.teaching.quiz import Question, quiz
    from itp_response.teaching.teach import teach
    from itp_response.validation.pack import ValidationPack
    from itp_response.validation.validate import validate

_MODULES = {
    "authoring.check": (
        "CheckReport",
        "check",
    ),
    "authoring.describe": (
        "criteria",
        "describe",
    ),
    "authoring.mutate": (
        "Mutations",
        "mutate",
    ),
    "authoring.new": ("new",),
    "authoring.search": (
        "SetsFound",
        "search",
    ),
    "authoring.visit_plan": (
        "VisitPlan",
        "visit_plan",
    ),
    "classification.chunked.classified_file": ("ClassifiedFile",),
    "classification.chunked.classify_to": ("classify_to",),
    "classification.classification": (
        "Classification",
        "classify",
    ),
    "cohort.cohort": ("Cohort",),
    "data_review.review": (
        "Review",
        "review",
    ),
    "definitions.criteria": ("Criteria",),
    "definitions.schema": ("schema",),
    "explanation.ask": ("ask",),
    "explanation.certificate": ("certificate",),
    "explanation.clause_results": ("clause_results",),
    "explanation.explain": (
        "Explanation",
        "Explanations",
        "explain",
    ),
    "explanation.near_misses": (
        "NearMisses",
        "near_misses",
    ),
    "messages.errors": (
        "CohortError",
        "CriteriaError",
        "ItpResponseError",
        "UsageError",
    ),
    "outputs.adam.adam": (
        "Adam",
        "adam",
    ),
    "outputs.adam.settings": ("AdamSettings",),
    "outputs.comparison.compare": (
        "Comparison",
        "compare",
    ),
    "outputs.comparison.sensitivity": (
        "Sensitivity",
        "sensitivity",
    ),
    "outputs.figures.plot": ("plot",),
    "outputs.report.report": (
        "Page",
        "report",
    ),
    "outputs.tables.predictors": (
        "Predictors",
        "predictors",
    ),
    "outputs.tables.table": (
        "Tables",
        "table",
    ),
    "readers.mapping.mapping": (
        "Mapped",
        "mapped",
    ),
    "readers.options": ("ReadOptions",),
    "readers.visits": ("read",),
    "teaching.example": ("example",),
    "teaching.quiz": (
        "Question",
        "quiz",
    ),
    "teaching.teach": ("teach",),
    "validation.pack": ("ValidationPack",),
    "validation.validate": ("validate",),
}
"""The public names of each module; it is imported when one of them is first used."""
_WHERE = {name: module for module, names in _MODULES.items() for name in names}
_SYSTEMS = ("dask", "spark")

__all__ = [
    "Adam",
    "AdamSettings",
    "CheckReport",
    "Classification",
    "ClassifiedFile",
    "Cohort",
    "CohortError",
    "Comparison",
    "Criteria",
    "CriteriaError",
    "Explanation",
    "Explanations",
    "ItpResponseError",
    "Mapped",
    "Mutations",
    "NearMisses",
    "Page",
    "Predictors",
    "Question",
    "ReadOptions",
    "Review",
    "Sensitivity",
    "SetsFound",
    "Tables",
    "UsageError",
    "ValidationPack",
    "VisitPlan",
    "adam",
    "ask",
    "certificate",
    "check",
    "classify",
    "classify_to",
    "clause_results",
    "compare",
    "criteria",
    "dask",
    "describe",
    "example",
    "explain",
    "map",
    "mapped",
    "mutate",
    "near_misses",
    "new",
    "plot",
    "predictors",
    "quiz",
    "read",
    "report",
    "review",
    "schema",
    "search",
    "sensitivity",
    "spark",
    "table",
    "teach",
    "validate",
    "visit_plan",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("itp-response")
    if name == "map":
        return import_module("itp_response.readers.mapping.draft").draft
    if name in _SYSTEMS:
        return import_module(f"itp_response.classification.{name}")
    if name not in _WHERE:
        raise AttributeError(f"module 'itp_response' has no attribute {name!r}")
    return getattr(import_module(f"itp_response.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
