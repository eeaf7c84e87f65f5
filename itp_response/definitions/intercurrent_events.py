"""Intercurrent events: how a criteria set handles them, as strategies of ICH E9(R1).

The events are rescue treatment, discontinuation of treatment and death. What the rules decide is derived from them:
an event that by itself decides against the patient is handled by the *composite variable* strategy; one that neither
the endpoint nor any that it is built on takes into account, by *treatment policy*. What they leave open, as counts
that are discounted after rescue treatment, is what the file says of its source in `[[intercurrent]]`, else it is not
stated. Missing data are no intercurrent event: every kind of endpoint says for itself how it handles them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from itp_response.definitions.schema import CriteriaFile, Event, IntercurrentEvent, Strategy
from itp_response.evaluation.clock import PatientDay
from itp_response.evaluation.endpoints import Endpoint
from itp_response.evaluation.endpoints.missing_after import TREATED, after_in_words
from itp_response.evaluation.endpoints.moments import AT_LAST_COUNT
from itp_response.evaluation.rules.in_words import denied_in_words, rule_in_words, tree_in_words
from itp_response.evaluation.rules.tree import SINCE, And, Name, Or, Tree, names_in, opened
from itp_response.messages.errors import Problem, unknown
from itp_response.messages.toml_positions import KeyPositions
from itp_response.messages.wording import listed

DISCONTINUED = "treatment_discontinued"
EVENTS: dict[Event, str] = {
    "rescue": "rescue treatment",
    "discontinuation": "discontinuation of treatment",
    "death": "death",
}
"""The events by their names in a criteria file, in words."""
COMPOSITE, POLICY = "composite variable", "treatment policy"
"""The strategies that rules can decide."""
NOT_STATED = "not stated by the source"
NO_STRATEGY = "the endpoint itself"
"""In place of a strategy where the event is all that the endpoint asks for."""
MISSING = "missing data"
SAYS = {
    "only": "only patients with {} are assessed",
    "discount": "a count with {} is not evidence that it is met",
    "set_aside": "a count with {} is disregarded",
    "when": "part of the state: {}",
}
"""What the rule under a key says of an event that it does not decide."""
OTHERWISE = "named: {}"
HEADS = ("event", "strategy", "endpoints", "how the definition does it")
NO_RULE = "no rule takes it into account, and later counts are used as any other"
NO_RULE_OF_ITS_OWN = "no rule of its own takes it into account"
NO_DEATH = "no rule names it; the counts up to it decide, and what they cannot establish is missing data"


@dataclass(frozen=True)
class Handling:
    """How one endpoint handles one intercurrent event."""

    event: Event
    strategy: str
    """The strategy of ICH E9(R1), `as` another endpoint, `NO_STRATEGY`, or `NOT_STATED`."""
    how: str
    """How the definition does it, in words."""

    def __str__(self) -> str:
        return f"{EVENTS[self.event]}: {self.strategy} ({self.how})"


def handlings(file: CriteriaFile, name: str) -> list[Handling]:
    """How an endpoint handles each event; empty where it is decided from others, or before treatment.

    >>> from itp_response.definitions.load import load
    >>> for handling in handlings(load("atra_2022").file, "relapse")[:2]:
    ...     print(handling)
    rescue treatment: composite variable (rescue treatment on day 36 or later is a loss)
    discontinuation of treatment: as OR (no rule of its own takes it into account)
    """
    if not _can_follow(file.endpoints[name]):
        return []
    return [_decided(file, name, event) or _stated(file, name, event) for event in EVENTS]


def in_words(file: CriteriaFile, name: str) -> str:
    """How an endpoint handles intercurrent events and missing data, as sentences."""
    events = "; ".join(map(str, handlings(file, name))) or _why_none(file, name)
    return f"Intercurrent events (ICH E9(R1)): {events}. Missing data: {file.endpoints[name].missing_data()}."


def table(file: CriteriaFile) -> list[tuple[str, str, str, str]]:
    """A row per event and way of handling it: the event, the strategy, the endpoints, how; then missing data.

    Endpoints that are decided from others, or before treatment, have no rows of events.
    """
    endpoints: dict[Handling, list[str]] = {}
    of_each = [(name, handling) for name in file.endpoints for handling in handlings(file, name)]
    for event in EVENTS:
        for name, handling in of_each:
            if handling.event == event:
                endpoints.setdefault(handling, []).append(name)
    rows = [(EVENTS[one.event], one.strategy, ", ".join(names), one.how) for one, names in endpoints.items()]
    missing: dict[str, list[str]] = {}
    for name, model in file.endpoints.items():
        if not model.sums_up:
            missing.setdefault(model.missing_data(), []).append(name)
    return [*rows, *((MISSING, "", ", ".join(names), how) for how, names in missing.items())]


def without_events(file: CriteriaFile) -> list[str]:
    """The sentences on the endpoints that have no rows of events in the table."""
    reasons: dict[str, list[str]] = {}
    for name in file.endpoints:
        if not _can_follow(file.endpoints[name]):
            reasons.setdefault(_why_none(file, name), []).append(name)
    return [f"{', '.join(names)}: {reason}." for reason, names in reasons.items()]


def deciding_rules(file: CriteriaFile, name: str, event: Event) -> Iterator[tuple[Tree, bool]]:
    """The rules by which an event alone decides against the patient, and whether they do so by being true."""
    for tree, holds in file.endpoints[name].ends_against_it():
        if _names_of(file, event) & set(names_in(tree)):
            yield tree, holds


def strategy_of(file: CriteriaFile, name: str, event: Event) -> str:
    """The strategy of an endpoint for the events that do not by themselves decide against the patient.

    Empty where there is none: the rules and the file name none, or only that of the events that do.
    """
    if not _can_follow(file.endpoints[name]):
        return ""
    decided = _decided(file, name, event)
    strategy = (decided or _stated(file, name, event)).strategy
    if decided is None:
        return strategy if strategy in get_args(Strategy) else ""
    return strategy if strategy == POLICY else ""


def wrong_intercurrent(file: CriteriaFile, positions: KeyPositions) -> Iterator[Problem]:
    """Statements on endpoints that there are not, or that rules decide already, or that are made twice."""
    stated: set[tuple[Event, str]] = set()
    for number, entry in enumerate(file.intercurrent):
        for name in entry.endpoints:
            where = ("intercurrent", number, "endpoints")
            if name not in file.endpoints:
                yield positions.problem(where, unknown("endpoint", name, file.endpoints))
            elif (entry.event, name) in stated:
                sentence = f"{EVENTS[entry.event]} is already stated for {name}; delete one of them."
                yield positions.problem(where, sentence)
            else:
                yield from _contradicted(file, entry, name, where, positions)
            stated.add((entry.event, name))


def _contradicted(
    file: CriteriaFile, entry: IntercurrentEvent, name: str, where: tuple[str | int, ...], positions: KeyPositions
) -> Iterator[Problem]:
    decided = _decided(file, name, entry.event)
    if not _can_follow(file.endpoints[name]):
        yield positions.problem(where, f"{name} has no strategy of its own: {_why_none(file, name)}; leave it out.")
    elif decided is not None:
        sentence = f"the rules of {name} decide it: {decided}; leave it out, or change the rules."
        yield positions.problem(where, sentence)


def _can_follow(model: Endpoint) -> bool:
    """Whether an event can come before or while the endpoint looks at observations of its own."""
    return bool(model.row_rules()) and model.role != "entry" and model.limits()[1] > 0


def _why_none(file: CriteriaFile, name: str) -> str:
    model = file.endpoints[name]
    others = list(dict.fromkeys(model.references().values()))
    if model.runs_to is not None:
        of_time = [*model.origins(), model.runs_to]
        beside = []
        if competing := model.competes_with:
            what = "a competing event" if len(competing) == 1 else "competing events"
            beside.append(f"{listed(competing)} as {what}")
        if moments := [moment for moment in model.censored_at if moment != AT_LAST_COUNT]:
            beside.append(f"censoring at {listed(moments, 'or')}")
        return f"as in {listed(list(dict.fromkeys(of_time)))}{', with ' if beside else ''}{' and '.join(beside)}"
    return f"as in {listed(others)}" if not model.row_rules() and others else "decided before treatment"


def _names_of(file: CriteriaFile, event: Event) -> set[str]:
    """The names by which rules speak of an event."""
    treatments = {"rescue", *file.rescues}
    spoken: dict[Event, set[str]] = {
        "rescue": treatments | {f"{SINCE}{name}" for name in treatments},
        "discontinuation": {DISCONTINUED},
        "death": set(),
    }
    return spoken[event]


def _decided(file: CriteriaFile, name: str, event: Event) -> Handling | None:
    """What the rules decide; None: they leave it open."""
    model, names = file.endpoints[name], _names_of(file, event)
    deciding = [tree_in_words(t) if holds else denied_in_words(t) for t, holds in deciding_rules(file, name, event)]
    if deciding:
        words = " or ".join(deciding)
        how = f"not met with {words}" if model.is_lost is None else f"{words} is a loss"
        return Handling(event, COMPOSITE, how)
    if model.state is not None and names & set(names_in(model.state.tree)):
        if not set(names_in(model.state.tree)) - names - {"day"}:
            return Handling(event, NO_STRATEGY, f"met with {rule_in_words(model.state)}")
        if _is_alternative(model.state.tree, names):
            return Handling(event, COMPOSITE, f"part of the endpoint: {rule_in_words(model.state)}")
    used = set(_names(file, name))
    if event != "death" and not used & (names | set(file.columns)):
        return Handling(event, POLICY, NO_RULE)
    return None


def _is_alternative(tree: Tree, names: set[str]) -> bool:
    """Whether one of these alone makes an `or` within the condition true."""
    tree = opened(tree)
    match tree:
        case Or(parts=parts):
            return any(isinstance(opened(part), Name) and names & set(names_in(part)) for part in parts)
        case And(parts=parts):
            return any(_is_alternative(part, names) for part in parts)
    return False


def _stated(file: CriteriaFile, name: str, event: Event) -> Handling:
    """What the file says of its source where the rules leave it open."""
    how = _how(file, name, event)
    for entry in file.intercurrent:
        if entry.event == event and name in entry.endpoints:
            return Handling(event, entry.strategy, f"{entry.how or how}; {entry.where}")
    origin = _origin(file, name, event)
    return Handling(event, NOT_STATED, how) if origin is None else Handling(event, f"as {origin}", NO_RULE_OF_ITS_OWN)


def _how(file: CriteriaFile, name: str, event: Event) -> str:
    """How the rules speak of an event that they do not decide."""
    model, names = file.endpoints[name], _names_of(file, event)
    spoken = [
        SAYS.get(key, OTHERWISE).format(rule_in_words(rule))
        for key, rule, of in model.rules()
        if of != "endpoints" and names & set(names_in(rule.tree))
    ]
    spoken += [f"one of its days is {day.in_words}" for day in model.own_days() if day.name in names]
    spoken += [
        f"a missing visit {after_in_words(on)} {TREATED[how]}" for on, how in model.causes().items() if on in names
    ]
    if spoken:
        return "; ".join(spoken)
    columns = [column for column in file.columns if column in set(_names(file, name))]
    if columns:
        return f"the rules use {listed(columns)}, which may stand for it"
    return NO_DEATH


def _origin(file: CriteriaFile, name: str, event: Event) -> str | None:
    """The endpoint that the endpoint is built on and that takes the event into account, where its own rules do not."""
    model, names = file.endpoints[name], _names_of(file, event)
    own = {used for asked in model.rules() if asked.of != "endpoints" for used in names_in(asked.rule.tree)}
    if names & (own | set(model.asked_of_patients())):
        return None
    return next((other for other in model.references().values() if names & set(_names(file, other))), None)


def _names(file: CriteriaFile, name: str) -> Iterator[str]:
    """The observed names in the rules of an endpoint and of all that it is built on."""
    model = file.endpoints[name]
    for asked in model.rules():
        if asked.of != "endpoints":
            yield from names_in(asked.rule.tree)
    # A column with the day of a landmark or a planned visit stands for no event.
    planned = {day.name for day in model.single_days() if isinstance(day, PatientDay)} - {DISCONTINUED}
    yield from (used for used in model.asked_of_patients() if used not in planned - set(model.causes()))
    for other in model.references().values():
        yield from _names(file, other)
