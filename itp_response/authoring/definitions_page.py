"""Definitions page: the endpoints of all shipped sets side by side, made from their files."""

from collections.abc import Iterator
from typing import get_args

from itp_response.authoring.search import drugs_studied
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.grades import read_in_words
from itp_response.definitions.intercurrent_events import EVENTS, MISSING, table
from itp_response.definitions.load import load, shipped
from itp_response.evaluation.endpoints.endpoint import ROLES, Endpoint
from itp_response.evaluation.rules.in_words import rule_in_words, tree_in_words
from itp_response.evaluation.rules.tree import SINCE, And, Not, Or, Rule, Tree, names_in, opened

TOP = """# The definitions side by side

`make definitions` writes this page from the criteria files; its wording is generated from the rules that decide.
An empty cell means that the endpoint does not specify it; *entry* is the baseline with which the source takes in a
patient.
*Primary*: the source's own words were read. *Secondary*: at least in part another's account was read.
**Unverified**: its numbers were not checked against any source; do not use it as it stands. *Read* says how far.
`itp-response criteria NAME` prints a whole set, with its clock and its interpretations; `itp-response criteria
--search WORDS` finds sets by drug, trial, registry number, year and population; `itp-response compare` applies several
sets to the same patients.
"""
DRUGS_TOP = """## Index by drug
"""
EVENTS_TOP = """## Intercurrent events and missing data

The strategies of ICH E9(R1) by which each set handles an event, with the endpoints.
`itp-response criteria NAME` says how the definition does it.
Endpoints that are decided from others handle them as these do.
"""
HEADS = ("set", "endpoint", "threshold", "confirmation", "bleeding", "rescue treatment", "window", "where")
COUNTS = frozenset({"platelets", "baseline"})
BLEEDING = frozenset({"bleeding_grade"})
OF_RESCUE = {
    "unless": "not met with {}",
    "closed_by": "no longer met after {}",
    "discount": "not evidence: {}",
    "set_aside": "disregarded: {}",
    "when": "part of the definition",
}
"""What the rule under a key says, in the order of the page."""
OTHER_OF_RESCUE = "named: {}"
"""The same of a key that one kind alone has."""


def definitions_page() -> str:
    """All shipped sets on one page of Markdown: the sets, then the endpoints of each role."""
    sets = [load(name) for name in shipped()]
    heads = ("set", "title", "trial", "population", "source", "checked", "read", "entry")
    lines = [TOP, *_markdown(heads, [_set_row(criteria) for criteria in sets])]
    lines += [f"\n{DRUGS_TOP}", *_markdown(("drug or procedure", "sets"), _drug_rows(sets))]
    lines += [f"\n{EVENTS_TOP}", *_markdown(("set", *EVENTS.values(), MISSING), [_events_row(one) for one in sets])]
    for role in (*get_args(ROLES), None):
        lines += ["", f"## {'Without a role' if role is None else role.replace('_', ' ').capitalize()}", ""]
        if role is None:
            lines += ["Other endpoints are built on these, or they stand alone.", ""]
        rows = [
            _endpoint_row(criteria, name, model)
            for criteria in sets
            for name, model in criteria.endpoints.items()
            if model.role == role
        ]
        lines += _markdown(HEADS, rows)
    return "\n".join(lines) + "\n"


def _events_row(criteria: Criteria) -> list[str]:
    """How a set handles each intercurrent event and missing data: the strategies, each with its endpoints."""
    cells: dict[str, dict[str, list[str]]] = {event: {} for event in (*EVENTS.values(), MISSING)}
    for event, strategy, names, how in table(criteria.file):
        cells[event].setdefault(strategy or how, []).extend(f"`{name}`" for name in names.split(", "))
    return [
        f"{_linked(criteria)} {_mark(criteria)}".strip(),
        *(
            "<br>".join(f"{strategy}: {', '.join(names)}" for strategy, names in cell.items())
            for cell in cells.values()
        ),
    ]


def _set_row(criteria: Criteria) -> list[str]:
    file, source = criteria.file, criteria.file.source
    trial, population = ", ".join(file.study.trial), ", ".join(file.study.population)
    cited = f"[{source.cite}]({source.link})" if source.link else source.cite
    cited = ", ".join(filter(None, [cited, source.registry]))
    entry = criteria.eligibility.in_words if criteria.eligibility else ""
    checked, read = _mark(criteria) or file.checked, read_in_words(file.read)
    return [_linked(criteria), file.title, trial, population, cited, checked, read, entry]


def _drug_rows(sets: list[Criteria]) -> list[list[str]]:
    """The sets of each drug; those of no drug, such as guidelines, come last."""
    rows = [[drug, ", ".join(map(_linked, of_drug))] for drug, of_drug in drugs_studied(sets).items()]
    return [*rows, ["any", ", ".join(_linked(criteria) for criteria in sets if not criteria.file.study.drugs)]]


def _endpoint_row(criteria: Criteria, name: str, model: Endpoint) -> list[str]:
    when = model.state
    rests_on = ", ".join(dict.fromkeys(model.references().values()))
    inherited = f"as {rests_on}" if rests_on else ""
    return [
        f"{_linked(criteria)} {_mark(criteria)}".strip(),
        f"`{name}`: {model.label}{f' (only patients with {rule_in_words(model.only)})' if model.only else ''}",
        _clauses(when, COUNTS) if when else model.sentence(),
        model.confirmation() or inherited,
        _clauses(when, BLEEDING) if when else inherited,
        _of_rescue(criteria, model) or inherited,
        model.window(),
        model.where,
    ]


def _clauses(rule: Rule, names: frozenset[str]) -> str:
    """The clauses of a rule that name any of these, in words; nothing where none does."""
    left = _pruned(rule.tree, names)
    return tree_in_words(left) if left is not None else ""


def _pruned(tree: Tree, names: frozenset[str]) -> Tree | None:
    """The tree without the clauses that name none of these."""
    tree = opened(tree)
    match tree:
        case And(parts=parts) | Or(parts=parts):
            left = tuple(kept for kept in (_pruned(part, names) for part in parts) if kept is not None)
            return None if not left else left[0] if len(left) == 1 else type(tree)(left)
        case Not(part=part):
            inside = _pruned(part, names)
            return None if inside is None else Not(inside)
    return tree if names & set(names_in(tree)) else None


def _linked(criteria: Criteria) -> str:
    return f"[{criteria.name}](../criteria/{criteria.path.name})"


def _mark(criteria: Criteria) -> str:
    return "**unverified**" if criteria.file.checked == "unverified" else ""


def _of_rescue(criteria: Criteria, model: Endpoint) -> str:
    """The rules of the endpoint itself that name rescue treatment, in words."""
    classes = {"rescue", *criteria.rescues}
    phrases = []
    rules = {key: rule for key, rule, of in model.rules() if of != "endpoints"}
    for key in (*OF_RESCUE, *(key for key in rules if key not in OF_RESCUE)):
        rule = rules.get(key)
        if rule is not None and classes & {name.removeprefix(SINCE) for name in names_in(rule.tree)}:
            phrases.append(OF_RESCUE.get(key, OTHER_OF_RESCUE).format(rule_in_words(rule)))
    return "; ".join(phrases)


def _markdown(heads: tuple[str, ...], rows: list[list[str]]) -> Iterator[str]:
    """A table in Markdown."""
    for row in [list(heads), ["---"] * len(heads), *rows]:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"
