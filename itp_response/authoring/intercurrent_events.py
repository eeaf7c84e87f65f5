"""Intercurrent events: how an endpoint handles rescue treatment and discontinuation, as strategies of ICH E9(R1).

Only what follows from the rules alone is said. An event that by itself decides against the patient is handled by the
*composite* strategy; one that neither the endpoint nor any that it is built on takes into account, by *treatment
policy*. Counts that are discounted after rescue treatment have no strategy of their own, so none is named for them.
"""

from collections.abc import Iterator

from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.rules.in_words import denied_in_words, tree_in_words
from itp_response.evaluation.rules.tree import SINCE, Tree, names_in

DISCONTINUED = "treatment_discontinued"
RESCUE, DISCONTINUATION = "rescue treatment", "discontinuation of treatment"
"""The events, in words."""


def intercurrent_events(criteria: Criteria, name: str) -> list[str]:
    """Each intercurrent event with its strategy.

    >>> from itp_response.definitions.load import load
    >>> intercurrent_events(load("atra_2022"), "SR")
    ['rescue treatment: composite strategy']
    >>> intercurrent_events(load("raise"), "longest")
    ['rescue treatment: treatment policy strategy', 'discontinuation of treatment: treatment policy strategy']
    """
    return [
        *_composite(criteria, name),
        *(f"{event}: treatment policy strategy" for event in disregarded(criteria, name)),
    ]


def deciding_rules(criteria: Criteria, name: str) -> Iterator[tuple[Tree, bool]]:
    """The rules by which an event alone decides against the patient, and whether they do so by being true."""
    for tree, holds in criteria.endpoints[name].ends_against_it():
        if _events_in(criteria, tree):
            yield tree, holds


def disregarded(criteria: Criteria, name: str) -> list[str]:
    """The events that no rule of the endpoint, or of any that it is built on, takes into account."""
    return list(_disregarded(criteria, name)) if _can_follow(criteria, name) else []


def _composite(criteria: Criteria, name: str) -> Iterator[str]:
    """The events that by themselves decide against the patient."""
    for tree, holds in deciding_rules(criteria, name):
        yield f"{tree_in_words(tree) if holds else denied_in_words(tree)}: composite strategy"


def _can_follow(criteria: Criteria, name: str) -> bool:
    """Whether an event can come before or while the endpoint looks at observations of its own."""
    model = criteria.endpoints[name]
    return bool(model.row_rules()) and model.role != "entry" and model.days_looked_at()[1] > 0


def _disregarded(criteria: Criteria, name: str) -> Iterator[str]:
    """The events that no rule takes into account; none where a rule names a column, which may stand for one."""
    used = set(_names(criteria, name))
    if used & set(criteria.file.columns):
        return
    if not _is_rescue(criteria, used):
        yield RESCUE
    if DISCONTINUED not in used:
        yield DISCONTINUATION


def _names(criteria: Criteria, name: str) -> Iterator[str]:
    """The observed names in the rules of an endpoint and of all that it is built on."""
    model = criteria.endpoints[name]
    for asked in model.rules():
        if asked.of != "endpoints":
            yield from names_in(asked.rule.tree)
    for other in model.references().values():
        yield from _names(criteria, other)


def _events_in(criteria: Criteria, tree: Tree) -> bool:
    names = set(names_in(tree))
    return DISCONTINUED in names or _is_rescue(criteria, names)


def _is_rescue(criteria: Criteria, names: set[str]) -> bool:
    return bool({"rescue", *criteria.rescues} & {name.removeprefix(SINCE) for name in names})
