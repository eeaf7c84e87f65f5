"""Code lists: the codes that variables of the datasets can have, with their meanings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.verdicts import reason_in_words
from itp_response.outputs.adam.parameters import Parameter
from itp_response.outputs.adam.times import CENSORED
from itp_response.outputs.adam.variables import Dataset, Variable

RESULTS = {"Y": "Met", "N": "Not met", "NE": "Not evaluable (missing data)", "NA": "Not applicable"}
FIXED = {
    "CL.Y": ("Yes only", {"Y": "Yes"}),
    "CL.NY": ("No or yes", {"N": "No", "Y": "Yes"}),
    "CL.RESULT": ("Result", RESULTS),
    "CL.ADTREC": ("Record of the analysis date", {"ONSET": "Onset", "CONFIRMING": "Confirmation", "ENDING": "End"}),
    "CL.ADECOD": (
        "Intercurrent event",
        {"RESCUE TREATMENT": "Rescue treatment", "TREATMENT DISCONTINUED": "Discontinuation of treatment"},
    ),
    "CL.DATEFL": ("Imputation of a date", {"D": "The day", "M": "The month and the day"}),
}
BY_NAME = {"ADTREC": "CL.ADTREC", "ADECOD": "CL.ADECOD", "CNSR": "CL.CNSR", "ARSNCD": "CL.ARSNCD"}
"""The list of a variable, by its name."""
SAME_PARAMETERS = {"ADICE": "ADRS"}
"""The datasets with parameters of another."""
YES_ONLY = ("ANL01FL", "ABLFL", "WASHFL")


@dataclass(frozen=True)
class CodeList:
    """A list of codes."""

    oid: str
    name: str
    type: str
    codes: Mapping[str, str]
    """The meanings by the codes."""


def codelists(datasets: Mapping[str, Dataset], criteria: Criteria, parameters: Sequence[Parameter]) -> list[CodeList]:
    """The lists to which a variable of the datasets refers."""
    used = {of_variable(dataset, variable) for dataset in datasets.values() for variable in dataset.variables}
    used |= {of_parameter(parameter) for parameter in parameters}
    return [codelist for codelist in _all(datasets, criteria, parameters) if codelist.oid in used]


def of_variable(dataset: Dataset, variable: Variable) -> str:
    """The list of a variable; empty: it has none."""
    name = variable.name
    if name == "PARAMCD":
        return f"CL.PARAMCD.{SAME_PARAMETERS.get(dataset.name, dataset.name)}"
    if name in YES_ONLY:
        return "CL.Y"
    if name.endswith("FL"):
        return "CL.NY"
    if name.endswith("DTF"):
        return "CL.DATEFL"
    if dataset.name == "ADITP" and name.endswith("RS") and variable.label.endswith(" Result"):
        return "CL.RESULT"
    return BY_NAME.get(name, "")


def of_parameter(parameter: Parameter) -> str:
    """The list of AVALC of a parameter; empty: it has none."""
    if parameter.what == "best":
        return f"CL.RANK.{parameter.code}"
    return "CL.RESULT" if "AVALC" in parameter.values else ""


def _all(datasets: Mapping[str, Dataset], criteria: Criteria, parameters: Sequence[Parameter]) -> Iterator[CodeList]:
    for oid, (name, codes) in FIXED.items():
        yield CodeList(oid, name, "text", codes)
    censors = {"0": "Event", **{str(code): text for code, text in CENSORED.items()}}
    yield CodeList("CL.CNSR", "Reason for censoring", "integer", censors)
    reasons = {name: reason_in_words(name) or name for name in criteria.reasons.names if name}
    yield CodeList("CL.ARSNCD", "Reason for a result", "text", reasons)
    for dataset in datasets:
        codes = {parameter.code: parameter.text for parameter in parameters if parameter.dataset == dataset}
        if codes:
            yield CodeList(f"CL.PARAMCD.{dataset}", f"Parameters of {dataset}", "text", codes)
    for parameter in parameters:
        if parameter.what == "best":
            model = criteria.endpoints[parameter.endpoint]
            endpoints = dict(zip(model.ranks, model.references().values(), strict=False))
            ranks = {rank: _meaning(criteria, endpoints.get(rank)) for rank in model.ranks}
            ranks |= {label: RESULTS[label] for label in ("NE", *(() if model.only is None else ("NA",)))}
            yield CodeList(f"CL.RANK.{parameter.code}", parameter.text, "text", ranks)


def _meaning(criteria: Criteria, endpoint: str | None) -> str:
    return "None of these" if endpoint is None else criteria.labelled(endpoint)
