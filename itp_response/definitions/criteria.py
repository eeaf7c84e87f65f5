"""Criteria: a criteria set, read from a file's content and checked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from itp_response.definitions.checks import (
    MOST_INTERPRETATIONS,
    evaluation_order,
    misnamed_endpoints,
    names_known,
    repeated_name,
    rule_names,
    stray_key,
    wrong_examples,
)
from itp_response.definitions.grades import grade
from itp_response.definitions.intercurrent_events import wrong_intercurrent
from itp_response.definitions.interpretations import changed, offered, useless_changes
from itp_response.definitions.schema import HEAD, CriteriaFile
from itp_response.evaluation.clock import Baseline, Clock, NotRecorded
from itp_response.evaluation.eligibility import Eligibility
from itp_response.evaluation.endpoints import KINDS, Endpoint
from itp_response.evaluation.rules.tree import names_in
from itp_response.evaluation.verdicts import Reasons
from itp_response.messages.errors import CriteriaError, Problem, nearest, nearest_word, unknown
from itp_response.messages.results import DataResult, html_frame, html_paragraph
from itp_response.messages.schema_errors import worded
from itp_response.messages.toml_file import tupled
from itp_response.messages.toml_positions import KeyPositions, refuse
from itp_response.messages.wording import labelled, listed


@dataclass(frozen=True, repr=False)
class Criteria(DataResult):
    """A criteria set, read and checked: what `criteria` gives and `classify` takes.

    >>> from itp_response.definitions.load import load
    >>> criteria = load("atra_2022")
    >>> criteria.title, list(criteria.endpoints)[:3]
    ('ATRA plus low-dose rituximab in corticosteroid-resistant or relapsed ITP', ['OR', 'CR', 'SR'])
    """

    name: str
    """The name of a shipped set, or the name of the file without its suffix."""
    path: Path
    raw: Mapping[str, Any] = field(repr=False)
    """The content of the file, as tomllib gives it."""
    file: CriteriaFile = field(repr=False)
    order: tuple[str, ...] = field(repr=False)
    """The names of the endpoints, each after those it refers to."""
    positions: KeyPositions = field(repr=False, compare=False)
    interpretations: tuple[str, ...] = ()
    """The ids of the interpretations that it stands under."""

    def frame(self) -> pl.DataFrame:
        """A row per endpoint, in the order of the file: `endpoint`, `label`, `kind`, `role`, `definition` in words."""
        rows = [(name, model.label, model.kind, model.role, model.sentence()) for name, model in self.endpoints.items()]
        columns = ("endpoint", "label", "kind", "role", "definition")
        return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")

    def _headline(self) -> str:
        return f"{self.marked_name}: {self.file.title}. {self.response_definition}"

    def _pieces(self) -> list[str]:
        source = f"Source: {self.file.source.cite}. {grade(self.file).capitalize()}."
        return [html_paragraph(source), html_frame(self.frame(), rows=len(self.endpoints))]

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """The model of each endpoint by its name, in the order of the file."""
        return self.file.endpoints

    @property
    def clock(self) -> Clock:
        """Day 0, the planned visits and the end of follow-up."""
        return self.file.clock

    @property
    def baseline(self) -> Baseline:
        """The rule that picks the baseline where the patient table gives none."""
        return self.file.baseline

    @property
    def eligibility(self) -> Eligibility | None:
        """The baseline with which the source takes in a patient; None: it states none."""
        return self.file.eligibility if self.file.eligibility.is_stated else None

    @property
    def not_recorded(self) -> NotRecorded:
        """What is assumed of what was not recorded."""
        return self.file.not_recorded

    @property
    def title(self) -> str:
        """The title; where the set is not verified, marked so."""
        return f"{self.file.title}{self._mark}"

    @property
    def marked_name(self) -> str:
        """The name; where the set is not verified, marked so."""
        return f"{self.name}{self._mark}"

    @property
    def response_definition(self) -> str:
        """What outputs say of the set beneath the name of the user's study.

        >>> from itp_response.definitions.load import load
        >>> load("atra_2022").under("any-gap").response_definition
        'Response definition: Wu 2022 (ATRA trial) under any-gap'
        """
        return f"Response definition: {self.file.short or self.name}{self._mark}{self.under_in_words}"

    @property
    def under_in_words(self) -> str:
        """The interpretations that it stands under, to follow its name or title; empty: it stands as it is written.

        >>> from itp_response.definitions.load import load
        >>> load("atra_2022").under("any-gap").under_in_words
        ' under any-gap'
        """
        return f" under {listed(self.interpretations)}" if self.interpretations else ""

    def labelled(self, name: str) -> str:
        """The label of an endpoint with its id, as outputs name it at first mention; once where the two are the same.

        >>> from itp_response.definitions.load import load
        >>> load("atra_2022").labelled("OR"), load("atra_2022").labelled("relapse")
        ('Overall response (OR)', 'Relapse')
        """
        return labelled(self.endpoints[name].label, name)

    @property
    def _mark(self) -> str:
        return " (unverified)" if self.file.checked == "unverified" else ""

    @cached_property
    def reasons(self) -> Reasons:
        """The words for the reasons of verdicts, those of the file among them."""
        return Reasons([*self.file.terms, *self.file.columns, *self.file.rescues, "day", "baseline", *self.endpoints])

    @cached_property
    def sentences(self) -> dict[str, str]:
        """Each endpoint in words, made from what decides it; made once for all patients that are explained."""
        return {name: model.sentence() for name, model in self.endpoints.items()}

    @property
    def rescue_names(self) -> tuple[str, ...]:
        """The names of all treatments of `[rescues]`."""
        return tuple(name for names in self.rescues.values() for name in sorted(names))

    @cached_property
    def names_observed(self) -> frozenset[str]:
        """The names of what is observed that its rules and days use, terms opened."""
        days = [name for model in self.endpoints.values() for name in model.asked_of_patients()]
        rules = [asked for model in self.endpoints.values() for asked in model.rules() if asked.of != "endpoints"]
        return frozenset([*days, *(name for asked in rules for name in names_in(asked.rule.tree))])

    @cached_property
    def rescues(self) -> dict[str, frozenset[str]]:
        """The names recorded for each class of rescue treatment, in lower case."""
        return {
            name: frozenset(treatment.strip().lower() for treatment in treatments)
            for name, treatments in self.file.rescues.items()
        }

    def under(self, *interpretation_ids: str) -> "Criteria":
        """The set under another interpretation, or under several, one change after the other.

        Raises `CriteriaError` for an interpretation that the file does not have, or if several cannot stand together.
        """
        interpretations = {interpretation.id: interpretation for interpretation in self.file.interpretation}
        content: Mapping[str, Any] = self.raw
        ids = tuple(dict.fromkeys(interpretation_ids))
        for interpretation_id in ids:
            if interpretation_id not in interpretations:
                sentence = unknown("interpretation", interpretation_id, interpretations)
                raise CriteriaError(sentence.after(f"{self.path.name}: "))
            content = changed(content, interpretations[interpretation_id].change)
        changed_set = _read(content, self.path, self.name, self.positions, whole=False)
        # What the file itself leaves open stays so, whatever is assumed by now.
        file = changed_set.file.model_copy(update={"interpretation": self.file.interpretation})
        return replace(changed_set, file=file, interpretations=(*self.interpretations, *ids))


def read_dict(
    raw: Mapping[str, Any], path: Path, name: str, positions: KeyPositions | None = None, *, whole: bool = True
) -> Criteria:
    """The criteria set of a file's content; without the `positions` of its keys, errors name no lines.

    Interpretations and worked examples are checked if it is read `whole`.

    Raises `CriteriaError` with everything wrong with the tables; if nothing is, with all references that are wrong.
    """
    return _read(raw, path, name, positions or KeyPositions(path.name, raw), whole=whole)


def _read(raw: Mapping[str, Any], path: Path, name: str, positions: KeyPositions, *, whole: bool) -> Criteria:
    number = len(written) if isinstance(written := raw.get("interpretation"), list) else 0
    if number > MOST_INTERPRETATIONS:
        sentence = f"these are {number:,} interpretations; a file has at most {MOST_INTERPRETATIONS}. Remove some."
        refuse([positions.problem(("interpretation",), sentence)])
    file = _validated(raw, positions)
    file = file.model_copy(update={"interpretation": (*file.interpretation, *offered(file))})
    order, problems = evaluation_order(file, positions)
    if whole:
        if not problems:  # they would be told again of each interpretation
            problems += _wrong_interpretations(raw, file, path, name, positions)
            problems += wrong_intercurrent(file, positions)
        problems += wrong_examples(file, positions)
    refuse(problems)
    return Criteria(name=name, path=path, raw=raw, file=file, order=order, positions=positions)


def _validated(raw: Mapping[str, Any], positions: KeyPositions) -> CriteriaFile:
    """The file's content as the model; a table with a kind is an endpoint."""
    content = {key: value for key, value in raw.items() if key in HEAD}
    rest = {key: value for key, value in raw.items() if key not in HEAD}
    endpoints = {key: value for key, value in rest.items() if isinstance(value, dict) and "kind" in value}
    strays = [key for key in rest if key not in endpoints]
    names, misnamed = rule_names(raw, endpoints, positions)
    problems = [stray_key(key, rest[key], positions) for key in strays]
    problems += [*misnamed_endpoints(endpoints, positions), *misnamed]
    try:
        file = CriteriaFile.model_validate(tupled({**content, "endpoints": endpoints}), context=names)
    except ValidationError as failure:
        errors = failure.errors()
        # A rule cannot be held to names that are broken themselves, or that stand under a misspelled head.
        if misnamed or not names_known(raw) or any(nearest(key, ("columns", "terms")) for key in strays):
            errors = [error for error in errors if error["type"] != "rule"]
        if problems:  # a table without a 'kind' may be the endpoint that is missing
            errors = [error for error in errors if error["loc"] != ("endpoints",)]
        mistyped = [(nearest_word(key, HEAD),) for key in strays]
        errors = [error for error in errors if error["loc"] not in mistyped]
        kinds = {key: str(table["kind"]) for key, table in endpoints.items()}
        models = {key: KINDS[kind] for key, kind in kinds.items() if kind in KINDS}
        refuse([*problems, *worded(raw, positions, errors, CriteriaFile, models)])
        raise AssertionError from failure  # errors are dropped only where there are other problems
    refuse(problems)
    return file


def _wrong_interpretations(
    raw: Mapping[str, Any], file: CriteriaFile, path: Path, name: str, positions: KeyPositions
) -> Iterator[Problem]:
    """Interpretations without a name of their own, or with a change that changes nothing or does not work."""
    written = file.interpretation[: len(raw.get("interpretation", ()))]
    ids = [interpretation.id for interpretation in written]
    for number, interpretation in enumerate(written):
        if interpretation.id in ids[:number]:
            yield repeated_name("interpretation", "id", ids, number, positions)
        keys = ("interpretation", number, "change")
        under = positions.under(keys)
        useless = list(useless_changes(raw, interpretation.change, under))
        yield from useless
        if useless or not interpretation.change:
            continue
        content = changed(raw, interpretation.change)
        if content == raw:
            yield positions.problem(keys, "this change has no effect: the file already says so.")
        try:
            _read({**content, "interpretation": [], "example": [], "intercurrent": []}, path, name, under, whole=True)
        except CriteriaError as error:
            yield Problem(str(error), code=error.code, file=under.name, line=under.line(()) or None)
