"""Direction: whether a higher count helps an endpoint or hurts it, by the comparisons that its own rules make."""

from collections.abc import Iterator

from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.rules.tree import Name, Relation, Tree, leaves_denied, names_in
from itp_response.explanation.thresholds import linear_comparison

HELPS = {"when": 1, "closed_by": -1, "discount": -1}
"""By the key of a rule, whether its truth helps the endpoint or hurts it. No patient rule names a count, and what is
passed over by `set_aside` may do either."""
RISES = {">": 1, ">=": 1, "<": -1, "<=": -1}
"""Whether a comparison with 0 comes true as its left side rises, or as it falls."""


def direction(criteria: Criteria, *names: str) -> int:
    """Whether a higher count helps these endpoints (1) or hurts them (-1); 0: either, or neither.

    That of the comparisons of `platelets` in the endpoint's own rules. One with a rule over endpoints has the direction
    of these, turned round of those that the rule denies. A ranked one has none of its own; its ranks have.

    >>> from itp_response.definitions.load import load
    >>> iwg = load("iwg_2009")
    >>> [direction(iwg, name) for name in ("OR", "loss_CR", "NR", "steroid_dependence")]
    [1, -1, -1, 0]
    """
    known: dict[str, frozenset[int]] = {}
    signs = {sign for name in names for sign in _signs(criteria, name, known)}
    return signs.pop() if len(signs) == 1 else 0


def _signs(criteria: Criteria, name: str, known: dict[str, frozenset[int]]) -> frozenset[int]:
    """The directions of the comparisons; of one that is not linear, both. `known` keeps those of each endpoint."""
    if name not in known:
        known[name] = frozenset(_signs_of_rules(criteria, name, known))
    return known[name]


def _signs_of_rules(criteria: Criteria, name: str, known: dict[str, frozenset[int]]) -> Iterator[int]:
    for key, rule, of in criteria.endpoints[name].rules():
        for leaf, denied in leaves_denied(rule.tree):
            helps = HELPS.get(key, 0) * (-1 if denied else 1)
            if of == "endpoints" and isinstance(leaf, Name):
                yield from (helps * one for one in _signs(criteria, leaf.name, known))
            elif helps:
                yield from (helps * one for one in _of_clause(leaf))


def _of_clause(clause: Tree) -> tuple[int, ...]:
    """Whether a clause comes true as the count rises (1) or falls (-1); both where it may do either."""
    if "platelets" not in set(names_in(clause)):
        return ()
    comparison = linear_comparison(clause)
    if comparison is None or not isinstance(clause, Relation) or clause.sign not in RISES:
        return (1, -1)
    if not comparison.per_count:
        return ()
    return (RISES[clause.sign] if comparison.per_count > 0 else -RISES[clause.sign],)
