"""Parameters: the names of a set's endpoints in CDISC's datasets, and their derivations in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.endpoints import Endpoint
from itp_response.messages.wording import labelled
from itp_response.outputs.adam.variables import LABEL, NAME, TEXT, fitted, short_names

RESERVED = ("SAF", "ITT", "FAS", "PPROT", "COMPLT", "RAND", "ENRL", "DTH", "STUDYID", "USUBJID", "SUBJID", "TRT01P")
"""Names of other variables in ADSL, with FL behind them or without."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a dataset: one thing that is decided or measured in a patient."""

    dataset: str
    code: str
    text: str
    endpoint: str
    what: str
    """`verdict`, `best`, `days` in a state, `of_days` observed, or `time` to an event."""
    derivation: str


@dataclass(frozen=True)
class Flag:
    """An endpoint's variables in ADSL: a flag and a result, or of a ranked list only a result."""

    endpoint: str
    flag: str | None
    flag_label: str
    result: str
    result_label: str


def parameters(criteria: Criteria) -> tuple[Parameter, ...]:
    """The parameters of a set, in the order of its file."""
    wanted = [(name, what) for name, model in criteria.endpoints.items() for what in model.measures()]
    codes = short_names([_long(name, what, criteria.endpoints[name]) for name, what in wanted], NAME)
    in_order: list[Parameter] = []
    for (name, what), code in zip(wanted, codes, strict=True):
        model = criteria.endpoints[name]
        text = _text(model.label, what)
        if text in [earlier.text for earlier in in_order]:
            text = _text(labelled(model.label, name), what)
        dataset = "ADTTE" if what == "time" else "ADRS"
        in_order.append(Parameter(dataset, code, text, name, what, " ".join(_derivation(model, what))))
    return tuple(in_order)


def _long(name: str, what: str, model: Endpoint) -> str:
    """The name that the code is shortened from."""
    if what == "of_days" or (what == "days" and not model.is_length):
        return f"{name}_{what}"
    return name


def _text(label: str, what: str) -> str:
    end = {"days": " (days)", "time": " (days)", "of_days": ": days observed"}.get(what, "")
    return f"{fitted(label, TEXT - len(end))}{end}"


def _derivation(model: Endpoint, what: str) -> Iterator[str]:
    yield model.sentence()
    match what:
        case "verdict":
            yield "AVALC is Y, N, NE (not evaluable) or NA (not applicable); AVAL is 1 for Y, 0 for N."
        case "best":
            yield f"AVALC is {', '.join(model.ranks)} or NE (not evaluable)."
        case "days":
            yield "AVAL is the number of days in the state."
        case "of_days":
            yield "AVAL is the number of days on which the state is known."
        case "time":
            yield "AVAL is the number of days from the first of the two days to the second: 0 if they are the same."


def flags(criteria: Criteria) -> tuple[Flag, ...]:
    """The variables of ADSL: those of ranked lists, then the others, in the order of the file."""
    best = [name for name, model in criteria.endpoints.items() if model.is_ranked]
    decided = [name for name, model in criteria.endpoints.items() if "verdict" in model.measures()]
    stems = short_names(decided, NAME - 2, RESERVED)
    reserved = [*RESERVED, *(f"{stem}{end}" for stem in stems for end in ("FL", "RS"))]
    results = short_names(best, NAME, reserved)
    in_order = [
        Flag(name, None, "", result, fitted(criteria.endpoints[name].label))
        for name, result in zip(best, results, strict=True)
    ]
    for name, stem in zip(decided, stems, strict=True):
        label = criteria.endpoints[name].label
        flag, result = (f"{fitted(label, LABEL - len(end))}{end}" for end in (" Flag", " Result"))
        in_order.append(Flag(name, f"{stem}FL", flag, f"{stem}RS", result))
    return tuple(in_order)
