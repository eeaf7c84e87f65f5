"""Table: the results of a trial as tables, its patients in groups."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from itp_response.classification.classification import Classification, CriteriaInput, Study, classify
from itp_response.classification.provenance import BESIDE, Provenance, files, of_bytes
from itp_response.classification.supplied import study_title, titled
from itp_response.classification.writers import put
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.wording import counted_patients, listed, wrapped
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups, all_patients, grouped
from itp_response.outputs.statistics.imputation import imputation
from itp_response.outputs.statistics.odds import odds
from itp_response.outputs.statistics.proportions import (
    INTERVALS,
    SEED,
    SETS,
    Interval,
    Set,
    best,
    criteria_met,
    primary,
    responses,
    subgroups,
)
from itp_response.outputs.statistics.tables import Table
from itp_response.outputs.statistics.times import names_of_lengths, times
from itp_response.outputs.tables.adverse_events import events, read_events
from itp_response.outputs.tables.characteristics import characteristics
from itp_response.outputs.tables.flow import flow, read_screening
from itp_response.outputs.tables.forms import WRITERS, as_html, frame
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions

Shown = Literal[
    "flow", "characteristics", "responses", "best", "times", "imputation", "subgroups", "odds", "events", "all"
]
SHOWN: tuple[Shown, ...] = (
    "flow",
    "characteristics",
    "responses",
    "best",
    "times",
    "imputation",
    "subgroups",
    "odds",
    "events",
)
"""The tables, in the order in which they are shown."""
USUAL: tuple[Shown, ...] = ("responses", "times")
NEEDS = {"subgroups": "--subgroup COLUMN", "events": "--events FILE"}
"""The tables that need another option."""
COMPARING: tuple[Shown, ...] = ("responses", "times", "imputation", "subgroups")
"""The tables that compare groups with a reference group."""
IMPUTATIONS = 20
ODDS_ROLES = ("response", "sustained_response")
"""Odds ratios are of the endpoints with these roles, unless endpoints are named."""


@dataclass(frozen=True)
class Tables:
    """The tables of a study; `str()` of it is all of them as text."""

    classification: Classification
    groups: Groups
    tables: tuple[Table, ...]
    """Each with `title`, `header`, `rows`, `notes` and `frame()`; `str()` of one is its text."""
    options: Mapping[str, Any]
    inputs: Mapping[str, Any]
    """Further tables that were read, by name."""
    conditions: tuple[str, ...]
    """The conditions that hold for all these patients."""
    study: str
    """The name of the user's study; empty: it has none."""

    def __getitem__(self, name: str) -> Table:
        """The table of that name; raises `UsageError` where there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise UsageError(unknown("table", name, [table.name for table in self.tables]))

    def frame(self) -> pl.DataFrame:
        """Every number of every table, one to a row and not rounded.

        `table`, `subgroup`, `variable`, `level`, `group`, `statistic`, `value`, `method`, `reference`,
        `reference_assumed`. Shares are from 0 to 1, times in days; a value that cannot be estimated is null.
        """
        return frame(self.tables)

    def html(self) -> dict[str, str]:
        """Each table by its name as a piece of HTML, to be put into a page."""
        return {table.name: as_html(table) for table in self.tables}

    def provenance(self) -> Provenance:
        """What made these: program, criteria, options, input files with their SHA-256."""
        origin = self.classification.provenance(**self.options)
        further = {name: files(given) for name, given in self.inputs.items()}
        return replace(origin, inputs={**origin.inputs, **further}, assumed=[*origin.assumed, *self.assumed])

    def write(self, path: str | Path) -> None:
        """Write all tables to a `.csv` (the numbers), `.html`, `.tex`, `.rtf` or `.txt` file, whole or not at all.

        Beside it goes what made it, in `FILE.provenance.json`.
        Raises `UsageError` for another suffix or a place that cannot be written.
        """
        path = Path(path)
        if path.suffix not in WRITERS:
            raise UsageError(f"{path.name}: {unknown('kind of output', path.suffix, WRITERS)}")
        text = WRITERS[path.suffix](self.tables, (self.title, self.classification.criteria.response_definition))
        put(path, lambda file: file.write(text.encode()))
        origin = replace(self.provenance(), outputs=(of_bytes(path.name, path.read_bytes()),))
        put(path.with_name(f"{path.name}{BESIDE}"), lambda file: file.write(origin.text().encode()))

    @property
    def title(self) -> str:
        """The study and its patients."""
        number = int(self.groups.inside.sum())
        conditions = f" with {listed(self.conditions)}" if self.conditions else ""
        return titled(self.study, f"{counted_patients(number)}{conditions}")

    @property
    def assumed(self) -> tuple[str, ...]:
        """What is assumed of the reference group, if a table has one: a line with its prefix."""
        return self.groups.assumed if any(table.reference for table in self.tables) else ()

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from wrapped(self.title)
        yield from wrapped(self.classification.criteria.response_definition)
        for note in self.groups.notes:
            yield from wrapped(note)
        for table in self.tables:
            own = tuple(note for note in table.notes if note not in self.assumed)
            yield f"\n{replace(table, notes=own)}"
        notes = [*self.assumed, *self.classification.cohort.note_lines]
        if notes:
            yield from ("", *notes)


def table(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    by: str = "arm",
    reference: str | None = None,
    show: Sequence[Shown] = (),
    endpoint: Sequence[str] = (),
    only: Sequence[str] = (),
    of: Set = "itt",
    interval: Interval = "newcombe",
    subgroup: Sequence[str] = (),
    column: Sequence[str] = (),
    adjust: Sequence[str] = (),
    imputations: int = 0,
    seed: int = SEED,
    events: Tabular | None = None,
    screening: Tabular | None = None,
    least: float = 2.0,
    title: str | None = None,
    options: ReadOptions | None = None,
) -> Tables:
    """The results of a study, its patients in groups `by` their arm or another column.

    `visits`, `patients`, `criteria` and `options` are as in `classify`.
    `show` has names of `SHOWN`, or `all`: all that these data give but the imputation. Without it the tables are
    responses and times. What `subgroup`, `imputations`, `events`, `screening` and, without `show`, `column` and
    `adjust` ask for is added.
    A column (`by`, `subgroup`, `column`, `adjust`, `only`) is one of the patient table, or `baseline` (10⁹/L), or an
    endpoint, or a condition such as `age >= 60`. `only` restricts the tables to the patients for whom all of these
    hold.
    `endpoint` names the endpoints; without it all of the set.
    `of` is the analysis set, `interval` the method of the 95 % intervals of differences. `reference` is the group that
    the others are compared with; None: the one whose name says that it is a control, else the last by name. `title` is
    the name of the study; None: its own identifier, else the name of the folder.
    `events` is a table of adverse events; those that at least `least` per cent of the patients had are shown by name.
    `screening` is a table with a row per person assessed.
    Raises `UsageError` for a column, group, endpoint or table that is not there, `CohortError` and `CriteriaError` as
    `classify` does.

    >>> counts = {"A": {0: 12, 22: 45, 29: 50}, "B": {0: 20, 22: 18, 364: 25}}
    >>> visits = [
    ...     {"patient_id": patient, "day": day, "platelets": count}
    ...     for patient, of_patient in counts.items()
    ...     for day, count in of_patient.items()
    ... ]
    >>> tables = table(visits, show=["responses"], endpoint=["OR"])
    >>> print(tables["responses"])
    Responses (intention to treat: not evaluable counts as not met)
          all patients (n = 2)
      OR  1/2 (50.0)
    >>> tables.frame()["statistic", "value"].rows()
    [('n', 1.0), ('N', 2.0), ('share', 0.5)]
    """
    classification = classify(visits, patients, criteria, options=options)
    _check(of, interval, show)
    choices = TableChoices(
        show, endpoint, of, interval, subgroup, column, adjust, imputations, seed, events, screening, least
    )
    analysed = all_patients(classification).restricted_to(only)
    return _tables(analysed, by, grouped(analysed, by, reference), choices, study_title(classification.cohort, title))


@dataclass(frozen=True)
class TableChoices:
    """What is to be shown: the options of `table`, in the order of its signature."""

    show: Sequence[Shown]
    endpoint: Sequence[str]
    of: Set
    interval: Interval
    subgroup: Sequence[str]
    column: Sequence[str]
    adjust: Sequence[str]
    imputations: int
    seed: int
    events: Tabular | None
    screening: Tabular | None
    least: float

    @property
    def further_tables(self) -> dict[str, Any]:
        """The tables beside visits and patients, by name."""
        given = {"events": self.events, "screening": self.screening}
        return {name: table for name, table in given.items() if table is not None}


def _tables(patients: AnalysedPatients, by: str, groups: Groups, choices: TableChoices, study: str) -> Tables:
    _check_endpoints(patients, choices.endpoint)
    names = _wanted(choices)
    tables = [_compared(MAKERS[name](patients, groups, choices), groups) for name in names]
    # The provenance gives the options in this order.
    options = {
        "by": by,
        "reference": groups.labels[groups.reference],
        "show": names,
        "only": list(patients.conditions),
        "of": choices.of,
        "interval": choices.interval,
        "endpoint": list(choices.endpoint),
        "subgroup": list(choices.subgroup),
        "column": list(choices.column),
        "adjust": list(choices.adjust),
        "imputations": choices.imputations,
        "seed": choices.seed,
        "least": choices.least,
    }
    return Tables(
        classification=patients.classification,
        groups=groups,
        tables=tuple(table for table in tables if table is not None),
        options=options,
        inputs=choices.further_tables,
        conditions=patients.conditions,
        study=study,
    )


def _compared(table: Table | None, groups: Groups) -> Table | None:
    """The table; where it compares groups, with its reference group and what is assumed of it."""
    if table is None or table.name not in COMPARING or not groups.pairs:
        return table
    label = groups.labels[groups.reference]
    return replace(table, reference=label, found=groups.found, notes=(*table.notes, *groups.assumed))


def _check(of: str, interval: str, show: Sequence[str]) -> None:
    if of not in SETS:
        raise UsageError(unknown("analysis set", of, SETS))
    if interval not in INTERVALS:
        raise UsageError(unknown("interval", interval, INTERVALS))
    for name in show:
        if name not in (*SHOWN, "all"):
            raise UsageError(unknown("table", name, (*SHOWN, "all")))


def _check_endpoints(patients: AnalysedPatients, endpoints: Sequence[str]) -> None:
    shown = {*criteria_met(patients), *names_of_lengths(patients)}
    for name in endpoints:
        if name not in shown:
            raise UsageError(unknown("endpoint", name, [known for known in patients.endpoints if known in shown]))


def _wanted(choices: TableChoices) -> list[Shown]:
    """The tables to be made, in their order: those named, and those that other options ask for."""
    asked = {
        "flow": choices.screening is not None,
        "imputation": choices.imputations != 0,
        "subgroups": bool(choices.subgroup),
        "odds": bool(choices.adjust or (choices.column and not choices.imputations)) and not choices.show,
        "events": choices.events is not None,
    }
    for name, option in NEEDS.items():
        if name in choices.show and not asked[name]:
            raise UsageError(f"the table of {name} needs {option}.")
    # Imputing takes seconds, so that it is done only when it is asked for.
    everything = [name for name in SHOWN if name not in (*NEEDS, "imputation")] if "all" in choices.show else []
    named = {*(choices.show or USUAL), *everything, *(name for name, given in asked.items() if given)}
    return [name for name in SHOWN if name in named]


def _endpoints_met(patients: AnalysedPatients, choices: TableChoices) -> list[str]:
    """The endpoints that are met or not, of those named; else all."""
    return [name for name in criteria_met(patients) if name in choices.endpoint or not choices.endpoint]


def _flow(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table:
    screening = choices.screening
    return flow(patients, groups, None if screening is None else read_screening(screening, patients.cohort))


def _characteristics(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table:
    return characteristics(patients, groups, choices.column)


def _responses(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table | None:
    names = _endpoints_met(patients, choices)
    return responses(patients, groups, names, choices.of, choices.interval) if names else None


def _best(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table | None:
    return best(patients, groups, choices.of)


def _times(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table | None:
    names = [name for name in names_of_lengths(patients) if name in choices.endpoint or not choices.endpoint]
    return times(patients, groups, names, choices.of)


def _imputation(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table:
    named = _endpoints_met(patients, choices) if choices.endpoint else []
    return imputation(
        patients,
        groups,
        named[0] if named else primary(patients),
        imputations=choices.imputations or IMPUTATIONS,
        seed=choices.seed,
        columns=choices.column,
    )


def _subgroups(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table:
    names = _endpoints_met(patients, choices)
    return subgroups(patients, groups, choices.subgroup, names, choices.of, choices.interval)


def _odds(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table:  # noqa: ARG001 - a maker
    names = _endpoints_met(patients, choices) if choices.endpoint else []
    responses_of_set = [name for name in criteria_met(patients) if patients.endpoints[name].role in ODDS_ROLES]
    names = names or responses_of_set or [primary(patients)]
    return odds(patients, names, choices.column, choices.adjust, choices.of)


def _events(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table:
    return events(read_events(choices.events, patients.cohort), groups, choices.least)


MAKERS: Mapping[Shown, Callable[[AnalysedPatients, Groups, TableChoices], Table | None]] = {
    "flow": _flow,
    "characteristics": _characteristics,
    "responses": _responses,
    "best": _best,
    "times": _times,
    "imputation": _imputation,
    "subgroups": _subgroups,
    "odds": _odds,
    "events": _events,
}
