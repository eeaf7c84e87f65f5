"""Define: what every variable and every parameter of the datasets is, and how it is derived, as a table and to read."""

from collections.abc import Iterator, Mapping

import polars as pl

from itp_response.definitions.criteria import Criteria
from itp_response.outputs.adam.parameters import parameters
from itp_response.outputs.adam.variables import Dataset


def table(made: Mapping[str, Dataset], criteria: Criteria) -> pl.DataFrame:
    """A row per variable of each dataset, and below those of a dataset a row per parameter.

    `dataset`, `variable`, `paramcd`, `label`, `type`, `length` (of parameters missing), `endpoint`, `where` in its
    source, `derivation`.
    """
    of_dataset = {name: [one for one in parameters(criteria) if one.dataset == name] for name in made}
    rows: list[tuple[str | int | None, ...]] = []
    for name, dataset in made.items():
        for one in dataset.variables:
            rows.append((name, one.name, None, one.label, one.type, dataset.length(one), None, None, one.means))
        for parameter in of_dataset[name]:
            model = criteria.endpoints[parameter.endpoint]
            value = "AVALC" if parameter.what in ("verdict", "best") else "AVAL"
            kind = "text" if value == "AVALC" else "integer"
            about = (parameter.text, kind, None, parameter.endpoint, model.where or None, parameter.derivation)
            rows.append((name, value, parameter.code, *about))
    texts = ("dataset", "variable", "paramcd", "label", "type", "length", "endpoint", "where", "derivation")
    schema = {name: pl.Int64() if name == "length" else pl.String() for name in texts}
    return pl.DataFrame(rows, schema=schema, orient="row")


def page(made: Mapping[str, Dataset], criteria: Criteria) -> str:
    """The same to read, as Markdown."""
    return "\n".join(_page(made, criteria)) + "\n"


def _page(made: Mapping[str, Dataset], criteria: Criteria) -> Iterator[str]:
    source = criteria.file.source
    told = ", ".join(filter(None, [source.cite, source.where, source.registry, source.link]))
    yield f"# {criteria.title}"
    yield ""
    yield f"Criteria `{criteria.name}`, from {told}."
    yield f"Day 0: {criteria.file.clock.day_0}. It is day 1 in ADY and all other study days, and the day before is -1."
    yield ""
    yield from _row("Dataset", "", "A record is", "Keys", "Records")
    yield "|---|---|---|---|---|"
    for one in made.values():
        yield from _row(one.name, one.label, one.structure, ", ".join(one.keys), f"{len(one.frame):,}")
    yield ""
    yield "## Parameters"
    yield ""
    yield from _row("Dataset", "PARAMCD", "PARAM", "Endpoint", "Where", "Derivation")
    yield "|---|---|---|---|---|---|"
    for parameter in parameters(criteria):
        where = criteria.endpoints[parameter.endpoint].where
        about = (parameter.text, f"`{parameter.endpoint}`", where, parameter.derivation)
        yield from _row(parameter.dataset, parameter.code, *about)
    for one in made.values():
        yield ""
        yield f"## {one.name}"
        yield ""
        yield from _row("Variable", "Label", "Type", "Length", "Derivation")
        yield "|---|---|---|---|---|"
        for variable in one.variables:
            yield from _row(variable.name, variable.label, variable.type, str(one.length(variable)), variable.means)


def _row(*cells: str) -> Iterator[str]:
    yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
