"""Table: the results of a trial as tables, its patients in groups."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from itp_response.classification.classification import Classification, CriteriaInput, Study, classify
from itp_response.classification.output_files import suffix_of
from itp_response.classification.provenance import Provenance, files, sources
from itp_response.classification.supplied import study_title, titled
from itp_response.classification.writers import put_with_provenance
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.results import DataResult, html_table
from itp_response.messages.wording import counted_patients, listed, wrapped
from itp_response.outputs.statistics.by_visit import by_visit, chosen_by_visit
from itp_response.outputs.statistics.groups import ACTUAL_ARM, ARM, AnalysedPatients, Groups, all_patients, grouped
from itp_response.outputs.statistics.imputation import imputation
from itp_response.outputs.statistics.non_inferiority import non_inferiority
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
)
from itp_response.outputs.statistics.stratified import stratified
from itp_response.outputs.statistics.subgroups import subgroup_times, subgroups
from itp_response.outputs.statistics.tables import Table
from itp_response.outputs.statistics.times import names_of_lengths, times
from itp_response.outputs.statistics.tipping import ALPHA, ConclusionRule, tipping
from itp_response.outputs.tables.adverse_events import events, read_events
from itp_response.outputs.tables.characteristics import characteristics
from itp_response.outputs.tables.flow import flow, read_screening
from itp_response.outputs.tables.forms import WRITERS, frame
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions

Shown = Literal[
    "flow",
    "characteristics",
    "responses",
    "non_inferiority",
    "best",
    "by_visit",
    "times",
    "imputation",
    "tipping",
    "subgroups",
    "subgroup_times",
    "stratified",
    "odds",
    "events",
    "all",
]
SHOWN: tuple[Shown, ...] = (
    "flow",
    "characteristics",
    "responses",
    "non_inferiority",
    "best",
    "by_visit",
    "times",
    "imputation",
    "tipping",
    "subgroups",
    "subgroup_times",
    "stratified",
    "odds",
    "events",
)
"""The tables, in the order in which they are shown."""
USUAL: tuple[Shown, ...] = ("responses", "times")
NEEDS = {
    "subgroups": "--subgroup COLUMN",
    "subgroup_times": "--subgroup COLUMN",
    "stratified": "--strata COLUMN",
    "non_inferiority": "--margin PROPORTION",
    "events": "--events FILE",
}
"""The tables that need another option."""
ONLY_IF_NAMED: tuple[Shown, ...] = ("by_visit", "imputation", "tipping")
"""The tables that are not among all."""
COMPARING: tuple[Shown, ...] = (
    "responses",
    "non_inferiority",
    "times",
    "imputation",
    "tipping",
    "subgroups",
    "subgroup_times",
    "stratified",
)
"""The tables that compare groups with a reference group."""
IMPUTATIONS = 20
ODDS_ROLES = ("response", "sustained_response")
"""Odds ratios are of the endpoints with these roles, unless endpoints are named."""


@dataclass(frozen=True, repr=False)
class Tables(DataResult):
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

        `table`, `subgroup`, `variable`, `level`, `group`, `statistic`, `value`, `method`, `library`, `version`,
        `reference`, `reference_assumed`. Shares are from 0 to 1, times in days; a value that cannot be estimated is
        null.
        """
        return frame(self.tables)

    def _headline(self) -> str:
        return f"{self.title}. {self.classification.criteria.response_definition}"

    def _pieces(self) -> Iterator[str]:
        for table in self.tables:
            yield html_table(table.header, table.rows, title=table.title, notes=table.footnotes)

    def _assumptions(self) -> list[str]:
        return [*self.groups.notes, *self.assumed, *self.classification.cohort.note_lines]

    def provenance(self) -> Provenance:
        """What made these: program, criteria, options, input files with their SHA-256."""
        origin = self.classification.provenance(**self.options)
        further = {name: files(given) for name, given in self.inputs.items()}
        read = (*origin.sources, *sources(*self.inputs.values()))
        inputs = {**origin.inputs, **further}
        return replace(origin, inputs=inputs, assumed=[*origin.assumed, *self.assumed], sources=read)

    def write(self, path: str | Path) -> None:
        """Write all tables to a `.csv` (the numbers), `.html`, `.tex`, `.rtf` or `.txt` file, whole or not at all.

        Beside it goes what made it, in `FILE.provenance.json`.
        Raises `UsageError` for another suffix or a place that cannot be written.
        """
        path = Path(path)
        suffix = suffix_of(path, WRITERS)
        if suffix not in WRITERS:
            raise UsageError(unknown("kind of output", path.suffix, WRITERS).after(f"{path.name}: "))
        content = WRITERS[suffix](
            self._stating_assumption_once(), (self.title, self.classification.criteria.response_definition)
        )
        put_with_provenance(path, lambda file: file.write(content), self.provenance())

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

    def _stating_assumption_once(self) -> tuple[Table, ...]:
        """The tables; only the first that compares with the reference group states how that group was found."""
        first = next((table for table in self.tables if table.assumed), None)
        return tuple(table if table is first else replace(table, is_assumption_stated=True) for table in self.tables)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from wrapped(self.title)
        yield from wrapped(self.classification.criteria.response_definition)
        for note in self.groups.notes:
            yield from wrapped(note)
        for table in self._stating_assumption_once():
            yield f"\n{table}"
        if self.classification.cohort.notes:
            yield from ("", *self.classification.cohort.note_lines)


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
    strata: Sequence[str] = (),
    margin: float | None = None,
    alpha: float = ALPHA,
    tau: float | None = None,
    competing: Sequence[str] = (),
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
    """Make the tables of results of a study, its patients in groups.

    A column (`by`, `subgroup`, `column`, `adjust`, `only`) is one of the patient table, or `baseline` (10⁹/L), an
    endpoint, or a condition such as `age >= 60`.

    Args:
        visits: The visits of the study: a file or a folder, a frame of polars, pandas or Arrow, a list with a dict per
            row, what `mapped` gave; or a `Cohort` or a `Classification`, which have been read already.
        patients: The patient table, in the same forms. None: there is none. Not allowed beside a study that has been
            read.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`. None: `atra_2022`,
            or the set of the `Classification`.
        by: The column that makes the groups.
        reference: The reference arm or group. None: a group recognised by its name as a control, else the last by name;
            either is an assumption, which is noted.
        show: The names of the tables, or `all`: all that these data give except by visit, imputation and tipping
            points. Left out: responses and times. What `subgroup`, `strata`, `margin`, `tau`, `competing`,
            `imputations`, `events`, `screening` and, without `show`, `column` and `adjust` ask for is added.
        endpoint: The endpoints to include. Left out: all of the set.
        only: Conditions; only patients for whom all hold are included.
        of: The analysis set: `itt` (non-evaluable patients counted as non-responders), `complete`, `per-protocol`,
            or `as-treated` (by the arm whose treatment was given, `actual_arm`).
        interval: The method of the 95% CI of risk differences.
        subgroup: The columns that make the subgroups.
        strata: Columns whose combinations are strata; groups are compared within them too.
        margin: The non-inferiority margin of the risk difference, a proportion such as 0.10. None: there is none.
        alpha: The level of the test whose conclusion the tipping point changes; with `margin`, it is that of the
            margin.
        tau: The day up to which times have a restricted mean. None: the largest time that all groups reach.
        competing: Events that compete with those of times, beside the ones of the definition, for the cumulative
            incidence: endpoints, or patient columns with a day or a date.
        column: The columns of the characteristics, the odds ratios and the imputation.
        adjust: The columns that odds ratios are adjusted for.
        imputations: The number of imputations. 0: none.
        seed: The seed of the imputation; the same seed gives the same numbers.
        events: A table of adverse events.
        screening: A table with a row per person assessed for eligibility.
        least: The adverse events that are shown by name: those in at least this per cent of the patients.
        title: The name of the study. None: its own identifier, else the name of the folder of its files.
        options: How the tables are read. None: the defaults of `ReadOptions`. Not allowed beside a study that has been
            read.

    Returns:
        The tables, with every number behind them.

    Raises:
        UsageError: A column, group, endpoint or table does not exist; or `patients` or `options` were given beside a
            study that has been read.
        CriteriaError: The criteria cannot be used.
        CohortError: The tables cannot be used; the error has every problem.

    Examples:
        >>> counts = {"A": {0: 12, 22: 45, 29: 50}, "B": {0: 20, 22: 18, 364: 25}}
        >>> visits = [
        ...     {"patient_id": patient, "day": day, "platelets": count}
        ...     for patient, of_patient in counts.items()
        ...     for day, count in of_patient.items()
        ... ]
        >>> tables = table(visits, show=["responses"], endpoint=["OR"])
        >>> print(tables["responses"])
        Response endpoints: non-evaluable patients counted as non-responders (ITT)
                                 all patients (n = 2)
          Overall response (OR)  1/2 (50.0)
          n/N (%).
        >>> tables.frame()["statistic", "value"].rows()
        [('n', 1.0), ('N', 2.0), ('share', 0.5)]
    """
    classification = classify(visits, patients, criteria, options=options)
    _check(of, interval, show, tau)
    comparing = ComparisonChoices(interval, subgroup, strata, margin, alpha, tau, competing)
    choices = TableChoices(show, endpoint, of, comparing, column, adjust, imputations, seed, events, screening, least)
    analysed = all_patients(classification).restricted_to(only)
    by = _as_treated(analysed, by) if of == "as-treated" else by
    return _tables(analysed, by, grouped(analysed, by, reference), choices, study_title(classification.cohort, title))


def _as_treated(patients: AnalysedPatients, by: str) -> str:
    """The column of the groups in an analysis as treated: the arm whose treatment was given, where arms are asked for.

    Raises `UsageError` where no input says so.
    """
    if ACTUAL_ARM not in patients.columns:
        what = f"the as-treated set needs a column {ACTUAL_ARM!r} in the patient table (ACTARM in DM, TRT01A in ADSL)"
        raise UsageError(f"{what}; its columns are: {', '.join(patients.columns)}.")
    return ACTUAL_ARM if by == ARM else by


@dataclass(frozen=True)
class ComparisonChoices:
    """How groups are compared."""

    interval: Interval
    subgroup: Sequence[str]
    strata: Sequence[str]
    margin: float | None
    alpha: float
    tau: float | None
    competing: Sequence[str]


@dataclass(frozen=True)
class TableChoices:
    """What is to be shown: the options of `table`, in the order of its signature."""

    show: Sequence[Shown]
    endpoint: Sequence[str]
    of: Set
    comparing: ComparisonChoices
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
        "interval": choices.comparing.interval,
        "endpoint": list(choices.endpoint),
        "subgroup": list(choices.comparing.subgroup),
        "strata": list(choices.comparing.strata),
        "margin": choices.comparing.margin,
        "alpha": choices.comparing.alpha,
        "tau": choices.comparing.tau,
        "competing": list(choices.comparing.competing),
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
    return replace(table, reference=label, found=groups.found)


def _check(of: str, interval: str, show: Sequence[str], tau: float | None) -> None:
    if of not in SETS:
        raise UsageError(unknown("analysis set", of, SETS))
    if interval not in INTERVALS:
        raise UsageError(unknown("interval", interval, INTERVALS))
    if tau is not None and not 0 < tau < math.inf:
        raise UsageError(f"--tau {tau:g}: give a day after day 0.")
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
        "times": choices.comparing.tau is not None or bool(choices.comparing.competing),
        "subgroups": bool(choices.comparing.subgroup),
        "subgroup_times": bool(choices.comparing.subgroup),
        "stratified": bool(choices.comparing.strata),
        "non_inferiority": choices.comparing.margin is not None,
        "odds": bool(choices.adjust or (choices.column and not choices.imputations)) and not choices.show,
        "events": choices.events is not None,
    }
    for name, option in NEEDS.items():
        if name in choices.show and not asked[name]:
            raise UsageError(f"--show {name} needs {option}.")
    # Imputing and turning patients can take seconds, and visits make many rows: only when they are asked for.
    everything = [name for name in SHOWN if name not in (*NEEDS, *ONLY_IF_NAMED)] if "all" in choices.show else []
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
    return responses(patients, groups, names, choices.of, choices.comparing.interval) if names else None


def _non_inferiority(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table | None:
    names = _endpoints_met(patients, choices)
    if choices.comparing.margin is None or not names:
        return None
    return non_inferiority(patients, groups, names, choices.comparing.margin, choices.of, choices.comparing.interval)


def _tipping(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table:
    named = _endpoints_met(patients, choices) if choices.endpoint else []
    rule = ConclusionRule(choices.comparing.alpha, choices.comparing.margin)
    return tipping(patients, groups, named or [primary(patients)], rule, choices.of, choices.comparing.interval)


def _best(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table | None:
    return best(patients, groups, choices.of)


def _by_visit(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table:
    named = [chosen_by_visit(patients, name) for name in choices.endpoint]
    return by_visit(patients, groups, named or [chosen_by_visit(patients, None)], choices.of)


def _lengths(patients: AnalysedPatients, choices: TableChoices) -> list[str]:
    """The times, of the endpoints named; else all."""
    return [name for name in names_of_lengths(patients) if name in choices.endpoint or not choices.endpoint]


def _times(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table | None:
    return times(
        patients, groups, _lengths(patients, choices), choices.of, choices.comparing.tau, choices.comparing.competing
    )


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


def _subgroups(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table | None:
    names = _endpoints_met(patients, choices)
    return (
        subgroups(patients, groups, choices.comparing.subgroup, names, choices.of, choices.comparing.interval)
        if names
        else None
    )


def _subgroup_times(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table | None:
    return subgroup_times(patients, groups, choices.comparing.subgroup, _lengths(patients, choices), choices.of)


def _stratified(patients: AnalysedPatients, groups: Groups, choices: TableChoices) -> Table:
    shown = {*criteria_met(patients), *names_of_lengths(patients)}
    names = [name for name in patients.endpoints if name in (choices.endpoint or shown)]
    return stratified(patients, groups, choices.comparing.strata, names, choices.of)


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
    "non_inferiority": _non_inferiority,
    "best": _best,
    "by_visit": _by_visit,
    "times": _times,
    "imputation": _imputation,
    "tipping": _tipping,
    "subgroups": _subgroups,
    "subgroup_times": _subgroup_times,
    "stratified": _stratified,
    "odds": _odds,
    "events": _events,
}
