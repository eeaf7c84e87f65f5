"""The schema of criteria files: what they may hold, as models, and as JSON Schema for editors."""

import json
from datetime import date
from typing import Any, Literal

from pydantic import Field, TypeAdapter

from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.evaluation.clock import Baseline, Clock, NotRecorded
from itp_response.evaluation.endpoints import AnyEndpoint
from itp_response.messages.strict_model import StrictModel


class Source(StrictModel):
    """`[source]`: where the definitions are from."""

    cite: str = Field(description="the publication, as it is cited")
    where: str = Field(default="", description="where in it")
    registry: str = Field(default="", description="the number of the trial in its registry")
    link: str = ""


class Interpretation(StrictModel):
    """`[[interpretation]]`: a place where the source can be read two ways."""

    id: str = Field(description="its name in a word")
    question: str = Field(description="what the source leaves open")
    assumed: str = Field(description="the answer that this file takes, and why")
    change: dict[str, Any] = Field(default_factory=dict, description="what would take the other interpretation")
    about: str = Field(default="", description="what it is about, in a few words")


class WorkedExample(StrictModel):
    """`[[example]]`: a worked example."""

    name: str = Field(description="the patient's name")
    because: str = Field(description="what the patient shows")
    timeline: str = Field(description="what was observed, as in 'd0 15, d22 40, d42..d364 12'")
    baseline: float | str | None = None
    treatment_discontinued: int | None = Field(default=None, description="the day")
    day_0: date | None = Field(default=None, description="a date, where calendar months matter")
    patient: dict[str, float | str | bool] = Field(default_factory=dict, description="further columns of the patient")
    expect: dict[str, str | int | float] = Field(min_length=1, description="columns of the output and what they hold")
    under: dict[str, dict[str, str | int | float]] = Field(
        default_factory=dict, description="what they hold under an interpretation"
    )


class CriteriaFile(StrictModel):
    """A criteria file, its endpoints gathered under `endpoints`."""

    title: str = Field(description="the set in a line")
    short: str = Field(
        default="",
        description="the source in a few words, as outputs name it: 'Wu 2022 (ATRA trial)'; else the file's name",
    )
    checked: Literal["primary", "secondary", "unverified"] = Field(
        description="'primary' if read in the paper or registry itself, 'secondary' if elsewhere, else 'unverified'"
    )
    source: Source
    clock: Clock
    baseline: Baseline
    not_recorded: NotRecorded = Field(default_factory=NotRecorded)
    columns: dict[str, ColumnDeclared] = Field(default_factory=dict, description="further columns that rules name")
    rescues: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="classes of rescue treatment by the names recorded"
    )
    terms: dict[str, str] = Field(default_factory=dict, description="named rules")
    endpoints: dict[str, AnyEndpoint] = Field(min_length=1)
    interpretation: tuple[Interpretation, ...] = ()
    example: tuple[WorkedExample, ...] = ()


HEAD = tuple(name for name in CriteriaFile.model_fields if name != "endpoints")
"""The keys and tables of a file that are no endpoint."""


def schema() -> str:
    """The JSON Schema of criteria files, for editors."""
    document = CriteriaFile.model_json_schema()
    document["properties"].pop("endpoints")
    document["required"].remove("endpoints")
    document["additionalProperties"] = TypeAdapter(AnyEndpoint).json_schema(ref_template="#/$defs/{model}")
    document["$defs"].update(document["additionalProperties"].pop("$defs", {}))
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    document["title"] = "ITP response criteria"
    document["description"] = "A criteria file of itp_response: every table beside those named here is an endpoint."
    return json.dumps(_without_infinite(document), indent=2, ensure_ascii=False) + "\n"


def _without_infinite(value: Any) -> Any:
    """The document without defaults that are infinite, for which JSON has no word."""
    if isinstance(value, dict):
        return {
            key: _without_infinite(entry)
            for key, entry in value.items()
            if not (key == "default" and "inf" in json.dumps(entry, default=str).lower())
        }
    return [_without_infinite(entry) for entry in value] if isinstance(value, list) else value
