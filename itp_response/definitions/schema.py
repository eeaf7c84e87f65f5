"""The schema of criteria files: what they may hold, as models, and as JSON Schema for editors."""

import json
from datetime import date
from typing import Any, Literal

from pydantic import Field, TypeAdapter, field_validator
from pydantic_core import PydanticCustomError

from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.evaluation.clock import Baseline, Clock, NotRecorded
from itp_response.evaluation.eligibility import Eligibility
from itp_response.evaluation.endpoints import AnyEndpoint
from itp_response.messages.strict_model import StrictModel


class Source(StrictModel):
    """`[source]`: where the definitions are from."""

    cite: str = Field(description="the publication, as it is cited")
    where: str = Field(default="", description="the place in the publication")
    registry: str = Field(default="", description="the number of the trial in its registry")
    link: str = ""


class Studied(StrictModel):
    """`[study]`: what was studied; by this a set is found."""

    drugs: tuple[str, ...] = Field(default=(), description="the drugs or procedures studied")
    trial: tuple[str, ...] = Field(default=(), description="the names of the trial, or of the guideline")
    year: int | None = Field(
        default=None, ge=1900, le=2100, description="the year of publication; of registration where there is none"
    )
    population: tuple[str, ...] = Field(
        default=(), description="who was studied, such as adults, children, newly diagnosed, persistent, chronic"
    )


class Interpretation(StrictModel):
    """`[[interpretation]]`: a place where the source can be read two ways."""

    id: str = Field(description="its id, a short name")
    question: str = Field(description="the question that the source leaves open")
    assumed: str = Field(description="the answer that this file assumes, and why")
    change: dict[str, Any] = Field(
        default_factory=dict, description="the change of this file that gives the other interpretation"
    )
    about: str = Field(default="", description="its subject in a few words")


Event = Literal["rescue", "discontinuation", "death"]
Strategy = Literal["treatment policy", "composite variable", "while on treatment", "hypothetical", "principal stratum"]
"""The strategies of ICH E9(R1)."""


class IntercurrentEvent(StrictModel):
    """`[[intercurrent]]`: the strategy of ICH E9(R1) by which the source handles an event that the rules leave open."""

    event: Event = Field(description="the intercurrent event")
    strategy: Strategy = Field(description="its strategy, as the source states it")
    endpoints: tuple[str, ...] = Field(min_length=1, description="the endpoints for which it is stated")
    where: str = Field(min_length=1, description="the place in the source that states it")
    how: str = Field(default="", description="how the definition does it; default: made from the rules")


class WorkedExample(StrictModel):
    """`[[example]]`: a worked example."""

    name: str = Field(description="the name of the example")
    because: str = Field(description="what the example demonstrates")
    timeline: str = Field(description="the observations, as in 'd0 15, d22 40, d42..d364 12'")
    baseline: float | str | None = None
    treatment_discontinued: int | None = Field(default=None, description="the day on which treatment was discontinued")
    day_0: date | None = Field(default=None, description="the date of day 0, required for calendar months")
    patient: dict[str, float | str | bool] = Field(
        default_factory=dict, description="further columns of the patient table"
    )
    expect: dict[str, str | int | float] = Field(min_length=1, description="expected output: column and cell")
    under: dict[str, dict[str, str | int | float]] = Field(
        default_factory=dict, description="expected cells that differ under an interpretation"
    )


Read = Literal["whole", "part", "abstract", "registry", "label", "account", "not recorded", "copy", "cut"]
"""What was read of a source; the last two say how."""


class CriteriaFile(StrictModel):
    """A criteria file, its endpoints gathered under `endpoints`."""

    title: str = Field(description="the title of the set, one line")
    short: str = Field(
        default="",
        description="the source in a few words, as outputs name it: 'Wu 2022 (ATRA trial)'; default: the file's name",
    )
    checked: Literal["primary", "secondary", "unverified"] = Field(
        description="the source's own words were read (primary), another's account (secondary), nothing (unverified)"
    )
    read: tuple[Read, ...] = Field(
        default=("not recorded",),
        description="how far: whole, part, abstract, registry, label, account, not recorded; with copy, cut",
    )
    source: Source
    study: Studied = Field(default_factory=Studied)
    clock: Clock
    baseline: Baseline
    eligibility: Eligibility = Field(default_factory=Eligibility)
    not_recorded: NotRecorded = Field(default_factory=NotRecorded)
    columns: dict[str, ColumnDeclared] = Field(default_factory=dict, description="further columns that rules use")
    rescues: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="classes of rescue treatment by the names recorded"
    )
    terms: dict[str, str] = Field(
        default_factory=dict,
        description="named rules; previous(dose), highest(dose, '8 weeks') and the like look at other rows",
    )
    endpoints: dict[str, AnyEndpoint] = Field(min_length=1)
    intercurrent: tuple[IntercurrentEvent, ...] = ()
    interpretation: tuple[Interpretation, ...] = ()
    example: tuple[WorkedExample, ...] = ()

    @field_validator("read")
    @classmethod
    def _says_what(cls, read: tuple[Read, ...]) -> tuple[Read, ...]:
        what = set(read) - {"copy", "cut"}
        if not what:
            raise PydanticCustomError("read", "'read' must say what was read, such as 'abstract'")
        if "not recorded" in what and len(read) > 1:
            raise PydanticCustomError("read", "'not recorded' stands alone in 'read'")
        return read


HEAD = tuple(name for name in CriteriaFile.model_fields if name != "endpoints")
"""The keys and tables of a file that are no endpoint."""


def schema() -> str:
    """Give the JSON Schema of criteria files, for editors. One mistyped key gives one error, which names the key.

    Returns:
        The text of the schema.

    Examples:
        >>> import json
        >>> json.loads(schema())["$schema"]
        'https://json-schema.org/draft/2020-12/schema'
    """
    document = CriteriaFile.model_json_schema()
    document["properties"].pop("endpoints")
    required = [key for key in document.pop("required") if key != "endpoints"]
    endpoint = TypeAdapter(AnyEndpoint).json_schema(ref_template="#/$defs/{model}")
    document["$defs"].update(endpoint.pop("$defs", {}))
    document = _plain(document)
    known: dict[str, Any] = {"properties": dict.fromkeys(document["properties"], True)}
    known["additionalProperties"] = {"type": "object", "required": ["kind"]}
    document |= _required_where(known, required)
    document["additionalProperties"] = _by_kind(endpoint["discriminator"]["mapping"], document["$defs"])
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    document["title"] = "ITP response criteria"
    document["description"] = "A criteria file of itp_response. Every table other than those named here is an endpoint."
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _by_kind(kinds: dict[str, str], models: dict[str, Any]) -> dict[str, Any]:
    """An endpoint, checked by the model of its kind alone: a choice of models would give an error for each of them."""
    keys = {key: field for ref in kinds.values() for key, field in models[ref.split("/")[-1]]["properties"].items()}
    # An editor offers the keys that stand here.
    offered = {key: {"description": field["description"]} for key, field in keys.items() if "description" in field}
    of_kind = [
        {
            "if": {"type": "object", "properties": {"kind": {"const": kind}}, "required": ["kind"]},
            "then": {"$ref": ref},
        }
        for kind, ref in kinds.items()
    ]
    kind = {"enum": list(kinds), "description": "how the endpoint is decided"}
    return {"type": "object", "properties": {"kind": kind, **offered}, "required": ["kind"], "allOf": of_kind}


def _required_where(known: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """The keys that must be there, asked for where all that are there are known: a mistyped key is not missing too."""
    return {"if": known, "then": {"required": required}}


def _plain(value: Any) -> Any:
    """The document without what TOML has no word for, null and infinite defaults, and with one error for a typo."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    plain = {key: _plain(entry) for key, entry in value.items() if not (key == "default" and _is_not_written(entry))}
    if {"type": "null"} in plain.get("anyOf", ()):
        kept = [entry for entry in plain.pop("anyOf") if entry != {"type": "null"}]
        plain = (kept[0] if len(kept) == 1 else {"anyOf": kept}) | plain
    if plain.get("additionalProperties") is False and "required" in plain:
        plain |= _required_where({"propertyNames": {"enum": list(plain["properties"])}}, plain.pop("required"))
    return plain


def _is_not_written(default: Any) -> bool:
    """Whether a default is null or infinite."""
    return default is None or "inf" in json.dumps(default, default=str).lower()
