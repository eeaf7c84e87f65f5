"""Define: every variable and parameter of the datasets and its derivation, as a table and as a page."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from itp_response.definitions.criteria import Criteria
from itp_response.definitions.intercurrent_events import HEADS, without_events
from itp_response.definitions.intercurrent_events import table as events
from itp_response.messages.wording import one_line
from itp_response.outputs.adam.parameters import Parameter
from itp_response.outputs.adam.variables import Dataset


def table(datasets: Mapping[str, Dataset], criteria: Criteria, parameters: Sequence[Parameter]) -> pl.DataFrame:
    """A row per variable of each dataset, and below those of a dataset a row per parameter.

    `dataset`, `variable`, `paramcd`, `label`, `type`, `length` (in bytes; null for parameters), `endpoint`, `where`
    (in the source of the criteria), `derivation`.
    """
    rows: list[tuple[str | int | None, ...]] = []
    for name, dataset in datasets.items():
        for variable in dataset.variables:
            about = (variable.label, variable.type, dataset.length(variable), None, None, variable.means)
            rows.append((name, variable.name, None, *about))
        for parameter in (parameter for parameter in parameters if parameter.dataset == name):
            value = parameter.values[0]
            kind = next(variable.type for variable in dataset.variables if variable.name == value)
            where = _where(criteria, parameter) or None
            derived = (parameter.text, kind, None, parameter.endpoint or None, where, parameter.derivation)
            rows.append((name, value, parameter.code, *derived))
    columns = ("dataset", "variable", "paramcd", "label", "type", "length", "endpoint", "where", "derivation")
    schema = {name: pl.Int64() if name == "length" else pl.String() for name in columns}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _where(criteria: Criteria, parameter: Parameter) -> str:
    """Where in the source the endpoint is defined."""
    return criteria.endpoints[parameter.endpoint].where if parameter.endpoint else ""


def page(datasets: Mapping[str, Dataset], criteria: Criteria, parameters: Sequence[Parameter], study: str) -> str:
    """The same as a page of Markdown; `study` is the name of the user's study."""
    return "\n".join(_page(datasets, criteria, parameters, study)) + "\n"


def _page(
    datasets: Mapping[str, Dataset], criteria: Criteria, parameters: Sequence[Parameter], study: str
) -> Iterator[str]:
    source = criteria.file.source
    reference = ", ".join(filter(None, [source.cite, source.where, source.registry, source.link]))
    yield f"# {_plain(study)}"
    yield ""
    yield f"{_plain(criteria.response_definition)}."
    yield f"Criteria set `{criteria.name}`, from {_plain(reference)}."
    yield f"Day 0 by the definition: {_plain(criteria.file.clock.day_0)}."
    yield "Day 0 of the criteria is day 1 in ADY and all other study days; the day before is day -1."
    yield ""
    yield from _row("Dataset", "", "Structure", "Keys", "Records")
    yield "|---|---|---|---|---|"
    for dataset in datasets.values():
        keys = ", ".join(dataset.keys)
        yield from _row(dataset.name, dataset.label, dataset.structure, keys, f"{len(dataset.frame):,}")
    yield ""
    yield "## Parameters"
    yield ""
    yield from _row("Dataset", "PARAMCD", "PARAM", "Endpoint", "Where", "Derivation")
    yield "|---|---|---|---|---|---|"
    for parameter in parameters:
        endpoint = f"`{parameter.endpoint}`" if parameter.endpoint else ""
        about = (parameter.text, endpoint, _where(criteria, parameter), parameter.derivation)
        yield from _row(parameter.dataset, parameter.code, *about)
    yield from _events(criteria)
    for dataset in datasets.values():
        yield ""
        yield f"## {dataset.name}"
        yield ""
        yield from _row("Variable", "Label", "Type", "Length", "Derivation")
        yield "|---|---|---|---|---|"
        for variable in dataset.variables:
            length = str(dataset.length(variable))
            yield from _row(variable.name, variable.label, variable.type, length, variable.means)


def _events(criteria: Criteria) -> Iterator[str]:
    """How the endpoints handle intercurrent events and missing data."""
    yield ""
    yield "## Intercurrent events (ICH E9(R1)) and missing data"
    yield ""
    yield from _row(*(head.capitalize() for head in HEADS))
    yield "|---|---|---|---|"
    for cells in events(criteria.file):
        yield from _row(*cells)
    yield ""
    yield from without_events(criteria.file)


def _row(*cells: str) -> Iterator[str]:
    yield f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    r"""A text in which Markdown finds no column, tag or link.

    >>> print(_plain("a|b <i> [c](d)"))
    a/b &lt;i> \[c](d)
    """
    return one_line(text).replace("|", "/").replace("<", "&lt;").replace("[", r"\[")
