"""Definitions page: the endpoints of all shipped sets side by side, made from their files."""

import math
from collections.abc import Iterator
from typing import Any, get_args

from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load, shipped
from itp_response.evaluation.endpoints import KINDS
from itp_response.evaluation.endpoints.endpoint import ROLES
from itp_response.evaluation.endpoints.visits import listed_days
from itp_response.evaluation.rules.in_words import rule_in_words, tree_in_words
from itp_response.evaluation.rules.tree import SINCE, And, Not, Or, Rule, Tree, names_in, opened
from itp_response.messages.wording import counted, day_in_words, days_in_words

TOP = """# The definitions side by side

Made from the criteria files by `make definitions`: the wording is that of the rules that decide.
Where a cell is empty, the endpoint says nothing of it.
A set is checked as *primary* where its source itself was read, as *secondary* where it was read elsewhere.
Sets marked **unverified** hold numbers that were read nowhere; they are not for use as they stand.
`itp-response criteria NAME` prints a set whole, with its clock and its interpretations; `itp-response compare` decides
a cohort by several.
"""
HEADS = ("set", "endpoint", "threshold", "confirmation", "bleeding", "rescue treatment", "window", "where")
COUNTS = frozenset({"platelets", "baseline"})
BLEEDING = frozenset({"bleeding_grade"})
OF_RESCUE = {
    "unless": "excluded by {}",
    "closed_by": "not met after {}",
    "discount": "no evidence: {}",
    "set_aside": "passed over: {}",
    "when": "part of the definition",
}


def definitions_page() -> str:
    """All shipped sets on one page of Markdown: the sets, then the endpoints of each role."""
    sets = [load(name) for name in shipped()]
    lines = [TOP, *_markdown(("set", "title", "source", "checked"), [_set_row(criteria) for criteria in sets])]
    for role in (*get_args(ROLES), None):
        lines += ["", f"## {'Without a role' if role is None else role.replace('_', ' ').capitalize()}", ""]
        if role is None:
            lines += ["Other endpoints of the files rest on these, or they stand for themselves.", ""]
        rows = [
            _endpoint_row(criteria, name, model)
            for criteria in sets
            for name, model in criteria.endpoints.items()
            if model.role == role
        ]
        lines += _markdown(HEADS, rows)
    return "\n".join(lines) + "\n"


def _set_row(criteria: Criteria) -> list[str]:
    source = criteria.file.source
    cited = f"[{source.cite}]({source.link})" if source.link else source.cite
    cited = ", ".join(filter(None, [cited, source.registry]))
    return [_linked(criteria), criteria.file.title, cited, _mark(criteria) or criteria.file.checked]


def _endpoint_row(criteria: Criteria, name: str, model: Any) -> list[str]:
    when: Rule | None = getattr(model, "when", None) if model.kind != "combined" else None
    rests_on = ", ".join(dict.fromkeys(model.references().values()))
    inherited = f"as {rests_on}" if rests_on else ""
    return [
        f"{_linked(criteria)} {_mark(criteria)}".strip(),
        f"`{name}`: {model.label}",
        _clauses(when, COUNTS) if when else KINDS[model.kind].sentence(model),
        _confirmation(model) or inherited,
        _clauses(when, BLEEDING) if when else inherited,
        _of_rescue(criteria, model) or inherited,
        _window(model),
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


def _window(model: Any) -> str:
    """The days in which an endpoint is decided."""
    match model.kind:
        case "at":
            since = f" after {model.from_}" if model.from_ else ""
            return f"day {model.day}{since}, a count{days_in_words(model.within).replace(',', '')}"
        case "visits" if model.visits:
            near = f", give or take {counted(model.within, 'day')}" if model.within else ""
            return f"{'day' if len(model.visits) == 1 else 'days'} {listed_days(model.visits)}{near}"
        case "maintained" if model.until:
            return f"from {model.from_} on{days_in_words((-math.inf, model.until[1])).replace(',', '')}"
        case "maintained":
            return f"from {model.from_} on{_by(model.by)}"
        case "lost":
            return f"after {model.after}{_by(model.by)}"
        case "time_to":
            return f"from {model.from_ or 'day 0'}{_by(model.by)}"
    parts = [days_in_words(getattr(model, "days", (-math.inf, math.inf))).removeprefix(", ")]
    parts += [f"from {model.from_} on"] if getattr(model, "from_", None) else []
    parts += [f"before {model.until}"] if getattr(model, "until", None) else []
    return ", ".join(filter(None, parts))


def _by(day: float) -> str:
    return f", up to {day_in_words(day)}" if math.isfinite(day) else ""


def _linked(criteria: Criteria) -> str:
    return f"[{criteria.name}](../criteria/{criteria.path.name})"


def _mark(criteria: Criteria) -> str:
    return "**unverified**" if criteria.file.checked == "unverified" else ""


def _confirmation(model: Any) -> str:
    """How often, or how long, the state must be observed; nothing where the endpoint asks for neither."""
    if model.kind == "maintained" and model.for_ is not None:
        return f"kept for {model.for_}"
    if model.kind == "maintained":
        return f"kept, and seen{days_in_words(model.until).replace(',', '')}"
    if model.kind == "visits":
        enough = f"more than {model.more_than}" if model.more_than else f"at least {model.at_least or model.share}"
        of = f" of any {model.in_any} in a row" if model.in_any else ""
        least = f", {model.of_at_least} with a count" if model.of_at_least else ""
        whole = f" of {counted(len(model.visits), 'visit')}" if model.visits else " of the visits with a count"
        return f"{enough}{of or whole}{least}"
    if model.kind == "extent":
        return f"{model.measure} time" + (f" of at least {model.at_least}" if model.at_least else "")
    occasions = getattr(model, "occasions", 1)
    return "" if occasions == 1 else f"{counted(occasions, 'occasion')}, at least {model.apart} apart"


def _of_rescue(criteria: Criteria, model: Any) -> str:
    """The rules of the endpoint itself that name rescue treatment, in words."""
    classes = {"rescue", *criteria.rescues}
    phrases = []
    for key, phrase in OF_RESCUE.items():
        rule = getattr(model, key, None)
        if isinstance(rule, Rule) and classes & {name.removeprefix(SINCE) for name in names_in(rule.tree)}:
            phrases.append(phrase.format(rule_in_words(rule)))
    return "; ".join(phrases)


def _markdown(heads: tuple[str, ...], rows: list[list[str]]) -> Iterator[str]:
    """A table in Markdown."""
    for row in [list(heads), ["---"] * len(heads), *rows]:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"
