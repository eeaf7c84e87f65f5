"""Criteria: a set of definitions, read from a file's content and checked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from itp_response.definitions.checks import (
    misnamed_endpoints,
    names_of,
    names_stand,
    order_of,
    repeated,
    stray,
    wrong_examples,
)
from itp_response.definitions.interpretations import changed, wrong_change
from itp_response.definitions.schema import HEAD, CriteriaFile
from itp_response.evaluation.clock import Baseline, Clock
from itp_response.evaluation.endpoints import KINDS, Endpoint
from itp_response.evaluation.verdicts import Reasons
from itp_response.messages.errors import CriteriaError, nearest, unknown
from itp_response.messages.schema_errors import worded
from itp_response.messages.toml_file import tupled
from itp_response.messages.toml_positions import Positions, Problem, refuse


@dataclass(frozen=True)
class Criteria:
    """A set of definitions, read and checked.

    `criteria` are in the order of the file; `order` is one in which each comes after those it refers to.
    """

    name: str
    path: Path
    raw: Mapping[str, Any] = field(repr=False)
    file: CriteriaFile = field(repr=False)
    order: tuple[str, ...] = field(repr=False)
    positions: Positions = field(repr=False, compare=False)

    @property
    def endpoints(self) -> dict[str, Any]:
        """The model of each endpoint by its name, in the order of the file."""
        return self.file.endpoints

    @property
    def clock(self) -> Clock:
        return self.file.clock

    @property
    def baseline(self) -> Baseline:
        return self.file.baseline

    @property
    def title(self) -> str:
        """The title; where the set is not verified, marked so."""
        return f"{self.file.title}{self._mark}"

    @property
    def marked_name(self) -> str:
        """The name; where the set is not verified, marked so."""
        return f"{self.name}{self._mark}"

    @property
    def _mark(self) -> str:
        return " (unverified)" if self.file.checked == "unverified" else ""

    @cached_property
    def reasons(self) -> Reasons:
        return Reasons([*self.file.terms, *self.file.columns, *self.file.rescues, "day", "baseline", *self.endpoints])

    @cached_property
    def rescues(self) -> dict[str, frozenset[str]]:
        """The names recorded for each class of rescue treatment, in small letters."""
        return {name: frozenset(one.strip().lower() for one in names) for name, names in self.file.rescues.items()}

    def under(self, *interpretation_ids: str) -> "Criteria":
        """The same under another interpretation, or under several, one change after the other.

        Raises `CriteriaError` for one that is not there, or if they cannot stand together.
        """
        interpretations = {interpretation.id: interpretation for interpretation in self.file.interpretation}
        content: Mapping[str, Any] = self.raw
        for interpretation_id in interpretation_ids:
            if interpretation_id not in interpretations:
                raise CriteriaError(
                    f"{self.path.name}: {unknown('interpretation', interpretation_id, interpretations)}"
                )
            content = changed(content, interpretations[interpretation_id].change)
        return _read(content, self.path, self.name, self.positions, beneath=False)


# FINDING


# READING


def read_dict(raw: Mapping[str, Any], path: Path, name: str, positions: Positions | None = None) -> Criteria:
    """The criteria set of a file's content; without the `positions` of its keys, errors name no lines.

    Raises `CriteriaError` with everything wrong with the tables; and if nothing is, with how they refer to each other.
    """
    return _read(raw, path, name, positions or Positions(path.name, raw, {}))


def _read(raw: Mapping[str, Any], path: Path, name: str, positions: Positions, *, beneath: bool = True) -> Criteria:
    """The criteria of a file's content; interpretations and worked examples are looked into only `beneath`."""
    rest = {key: value for key, value in raw.items() if key not in HEAD}
    content = {key: value for key, value in raw.items() if key in HEAD}
    content["endpoints"] = {key: value for key, value in rest.items() if isinstance(value, dict) and "kind" in value}
    strays = [key for key in rest if key not in content["endpoints"]]
    names, misnamed = names_of(raw, content["endpoints"], positions)
    problems = [stray(key, rest[key], positions) for key in strays]
    problems += [*misnamed_endpoints(content["endpoints"], positions), *misnamed]
    # What names are missing is not known where those of the file are broken or stand under another head.
    named = not misnamed and names_stand(raw) and not any(nearest(key, ("columns", "terms")) for key in strays)
    try:
        file = CriteriaFile.model_validate(tupled(content), context=names)
    except ValidationError as error:
        found = error.errors() if named else [one for one in error.errors() if one["type"] != "rule"]
        kinds = {key: str(table["kind"]) for key, table in content["endpoints"].items()}
        models = {key: _model(kind) for key, kind in kinds.items() if kind in KINDS}
        if problems:  # what has no 'kind' may have been meant as an endpoint
            found = [one for one in found if one["loc"] != ("endpoints",)]
        refuse([*problems, *worded(raw, positions, found, CriteriaFile, models)])
        raise AssertionError from error  # what is wrong with names was told
    refuse(problems)
    order, disordered = order_of(file, positions)
    if beneath:
        disordered += [*_wrong_interpretations(raw, file, path, name, positions), *wrong_examples(file, positions)]
    refuse(disordered)
    return Criteria(name=name, path=path, raw=raw, file=file, order=order, positions=positions)


def _model(kind: str) -> type[Endpoint]:
    """The model of the keys of a kind."""
    named = [one for one in vars(KINDS[kind]).values() if isinstance(one, type) and issubclass(one, Endpoint)]
    return next(one for one in named if one is not Endpoint)


def _wrong_interpretations(
    raw: Mapping[str, Any], file: CriteriaFile, path: Path, name: str, positions: Positions
) -> Iterator[Problem]:
    """Interpretations must have a name of their own and change something that is there into something that works."""
    ids = [interpretation.id for interpretation in file.interpretation]
    for number, interpretation in enumerate(file.interpretation):
        if interpretation.id in ids[:number]:
            yield repeated("interpretation", "id", ids, number, positions)
        under = positions.under(("interpretation", number, "change"))
        wrong = list(wrong_change(raw, interpretation.change, under))
        if wrong or not interpretation.change:
            yield from wrong
            continue
        content = changed(raw, interpretation.change)
        if content == raw:
            yield positions.problem(
                ("interpretation", number, "change"), "this changes nothing: the file says so already."
            )
        try:
            _read({**content, "interpretation": [], "example": []}, path, name, under)
        except CriteriaError as error:
            yield Problem(under.line(()), str(error))


# SCHEMA
