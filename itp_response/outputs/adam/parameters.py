"""Parameters: the names of a set's endpoints in CDISC's datasets, and their derivations in words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.endpoints import Endpoint
from itp_response.evaluation.rules.in_words import rule_in_words
from itp_response.messages.errors import UsageError, one_a_line, unknown
from itp_response.messages.wording import labelled
from itp_response.outputs.adam.settings import DEFAULTS, AdamSettings
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
    """`verdict`, `best`, `days` in a state, `of_days` observed, `time` to an event, state at a `visit`, or `count`."""
    derivation: str

    @property
    def values(self) -> tuple[str, ...]:
        """The variables that have its value."""
        return {"verdict": ("AVALC", "AVAL"), "visit": ("AVALC", "AVAL"), "best": ("AVALC",)}.get(self.what, ("AVAL",))


@dataclass(frozen=True)
class Flag:
    """An endpoint's variables in ADSL: a flag and a result, or of a ranked list only a result."""

    endpoint: str
    flag: str | None
    flag_label: str
    result: str
    result_label: str


PLATELETS = Parameter(
    dataset="ADLB",
    code="PLAT",
    text="Platelets (10^9/L)",
    endpoint="",
    what="count",
    derivation="The platelet count of the day, in 10^9/L; of several counts of a day the lowest, which decides.",
)
"""The one parameter that is no endpoint's."""
PARAMCD = re.compile(rf"[A-Z_][A-Z0-9_]{{0,{NAME - 1}}}")


def parameters(criteria: Criteria, settings: AdamSettings = DEFAULTS) -> tuple[Parameter, ...]:
    """The parameters of a set, in the order of its file.

    PARAMCD and PARAM are those of the settings, else those of the file, else made from the endpoint's name and label.
    Raises `UsageError` with every code or text that cannot be used.
    """
    models = criteria.endpoints
    measures = [(name, what) for name, model in models.items() for what in model.measures()]
    measures += [(name, "visit") for name, model in models.items() if model.has_state_by_visit]
    wanted = {_long(name, what, models[name]): (name, what) for name, what in measures}
    codes = _codes(criteria, wanted, settings.paramcd)
    texts = _texts(criteria, wanted, settings.param)
    wrong = [*_wrong("PARAMCD", wanted, codes, settings.paramcd), *_wrong("PARAM", wanted, texts, settings.param)]
    if wrong:
        raise UsageError(one_a_line(wrong))
    in_order = []
    for long, (name, what) in wanted.items():
        derivation = " ".join(_derivation(criteria.endpoints[name], what))
        dataset = "ADTTE" if what == "time" else "ADRS"
        in_order.append(Parameter(dataset, codes[long], texts[long], name, what, derivation))
    return tuple(in_order)


def _codes(criteria: Criteria, wanted: Mapping[str, tuple[str, str]], given: Mapping[str, str]) -> dict[str, str]:
    """The code of each; a short form of the name where none is given."""
    of_file = {name: model.paramcd for name, model in criteria.endpoints.items() if model.paramcd}
    codes = {long: code for long, code in {**of_file, **given}.items() if long in wanted}
    others = [long for long in wanted if long not in codes]
    return {**codes, **dict(zip(others, short_names(others, NAME, codes.values()), strict=True))}


def _texts(criteria: Criteria, wanted: Mapping[str, tuple[str, str]], given: Mapping[str, str]) -> dict[str, str]:
    """The text of each; the label where none is given, with the name where another has it already."""
    texts: dict[str, str] = {}
    for long, (name, what) in wanted.items():
        model = criteria.endpoints[name]
        text = given.get(long) or (model.param if long == name and model.param else _text(model.label, what))
        texts[long] = text if text not in texts.values() or long in given else _text(labelled(model.label, name), what)
    return texts


def _wrong(
    what: str, wanted: Mapping[str, tuple[str, str]], used: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[str]:
    """What is wrong with the codes or texts, a sentence each."""
    for long in given:
        if long not in wanted:
            yield f"{what}: {unknown('endpoint', long, list(wanted))}"
    taken: dict[str, str] = {}
    for long, text in used.items():
        if what == "PARAMCD" and not PARAMCD.fullmatch(text):
            yield f"PARAMCD of {long}: {text!r} is not valid; it has 1 to 8 of A-Z, 0-9 and _, the first no digit."
        elif not 0 < len(text.encode()) <= TEXT:
            yield f"{what} of {long}: {text[:30]!r} is not valid; it has 1 to {TEXT} bytes."
        elif text in taken:
            yield f"{what}: {text!r} is that of {taken[text]} and of {long}; give each its own."
        taken.setdefault(text, long)


def _long(name: str, what: str, model: Endpoint) -> str:
    """The name that the code is shortened from."""
    if what in ("of_days", "visit") or (what == "days" and not model.is_length):
        return f"{name}_{what}"
    return name


def _text(label: str, what: str) -> str:
    end = {"days": " (days)", "time": " (days)", "of_days": ": days observed", "visit": " (by visit)"}.get(what, "")
    return f"{fitted(label, TEXT - len(end))}{end}"


def _derivation(model: Endpoint, what: str) -> Iterator[str]:
    if what == "visit":
        assert model.state is not None
        yield f"On each day with a count, whether this holds: {rule_in_words(model.state)}."
        yield "What discounts a count, sets it aside or closes the endpoint is applied; ARSNCD has the reason."
        yield "AVALC is Y, N or NE (not evaluable); AVAL is 1 for Y, 0 for N."
        return
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
    labels = [criteria.endpoints[name].label for name in decided]
    flag_labels, result_labels = _different(labels, stems, " Flag"), _different(labels, stems, " Result")
    for name, stem, flag, result in zip(decided, stems, flag_labels, result_labels, strict=True):
        in_order.append(Flag(name, f"{stem}FL", flag, f"{stem}RS", result))
    return tuple(in_order)


def _different(labels: Sequence[str], stems: Sequence[str], end: str) -> list[str]:
    """The labels, cut to fit before this end; with their stems where another is the same."""
    fit = [f"{fitted(label, LABEL - len(end))}{end}" for label in labels]
    return [
        text if fit.count(text) == 1 else f"{fitted(label, LABEL - len(end) - len(stem) - 3)} ({stem}){end}"
        for text, label, stem in zip(fit, labels, stems, strict=True)
    ]
