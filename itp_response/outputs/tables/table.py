"""Table: the trial's results from its patients, as tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification, CriteriaInput, Study, classify
from itp_response.classification.provenance import BESIDE, Provenance, files, of_bytes
from itp_response.classification.writers import put
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.wording import counted_patients, listed, wrapped
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups, grouped
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
from itp_response.outputs.statistics.times import lengths, times
from itp_response.outputs.tables.adverse_events import events as events_table
from itp_response.outputs.tables.adverse_events import read_events
from itp_response.outputs.tables.characteristics import characteristics
from itp_response.outputs.tables.flow import flow, read_screening
from itp_response.outputs.tables.forms import WRITERS, as_html, frame
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions

SHOWN = ("flow", "characteristics", "responses", "best", "times", "imputation", "subgroups", "odds", "events")
"""The tables, in the order in which they are shown."""
USUAL = ("responses", "times")
IMPUTATIONS = 20
ODDS_ROLES = ("response", "sustained_response")
"""The roles of the criteria that odds ratios are given of, unless criteria are named."""


@dataclass(frozen=True)
class Tables:
    """The tables of a study; `str()` of it is all of them as text."""

    found: Classification
    groups: Groups
    tables: tuple[Table, ...]
    """Each with `title`, `header`, `rows`, `notes`, `frame()` and the text of it."""
    options: Mapping[str, Any]
    inputs: Mapping[str, Any]
    """Further tables that were read, by what they were read as."""
    restricted: tuple[str, ...]
    """The conditions that hold of all these patients."""

    def __getitem__(self, name: str) -> Table:
        """The table of that name; raises `UsageError` where there is none."""
        for one in self.tables:
            if one.name == name:
                return one
        raise UsageError(unknown("table", name, [one.name for one in self.tables]))

    def frame(self) -> pl.DataFrame:
        """Every number of every table, one to a row and not rounded.

        `table`, `subgroup`, `variable`, `level`, `group`, `statistic`, `value`, `method`; what could not be worked out
        is null.
        """
        return frame(self.tables)

    def html(self) -> dict[str, str]:
        """Each table by its name as a piece of HTML, to be put into a page."""
        return {one.name: as_html(one) for one in self.tables}

    def provenance(self) -> Provenance:
        """What made these: program, criteria, options, input files with their SHA-256."""
        made = self.found.provenance(**self.options)
        return replace(made, inputs={**made.inputs, **{name: files(given) for name, given in self.inputs.items()}})

    def write(self, path: str | Path) -> None:
        """Write all tables to a `.csv` (the numbers), `.html`, `.tex`, `.rtf` or `.txt` file, whole or not at all.

        Beside it goes what made it, in `FILE.provenance.json`.
        Raises `UsageError` for another suffix or a place that cannot be written.
        """
        path = Path(path)
        if path.suffix not in WRITERS:
            raise UsageError(f"{path.name}: {unknown('kind of output', path.suffix, WRITERS)}")
        text = WRITERS[path.suffix](self.tables, self.title)
        put(path, lambda file: file.write(text.encode()))
        origin = replace(self.provenance(), outputs=(of_bytes(path.name, path.read_bytes()),))
        put(path.with_name(f"{path.name}{BESIDE}"), lambda file: file.write(origin.text().encode()))

    @property
    def title(self) -> str:
        """Who was classified by what."""
        number = int((self.groups.code >= 0).sum())
        only = f", of whom {listed(self.restricted)}" if self.restricted else ""
        return f"{counted_patients(number)}{only}, under {self.found.criteria.marked_name}"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        criteria = self.found.criteria
        yield from wrapped(f"{self.title}: {criteria.title}")
        for note in self.groups.notes:
            yield from wrapped(note)
        for one in self.tables:
            yield f"\n{one}"
        if self.found.cohort.notes:
            yield from ("", *self.found.cohort.told)


def table(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    by: str = "arm",
    reference: str | None = None,
    show: Sequence[str] = (),
    endpoint: Sequence[str] = (),
    only: Sequence[str] = (),
    of: Set = "itt",
    interval: Interval = "newcombe",
    subgroup: Sequence[str] = (),
    column: Sequence[str] = (),
    adjust: Sequence[str] = (),
    imputations: int = 0,
    seed: int = SEED,
    events: Any = None,
    screening: Any = None,
    least: float = 2.0,
    options: ReadOptions | None = None,
) -> Tables:
    """The results of a study, its patients in groups `by` their arm or another column.

    `visits`, `patients`, `criteria` and `options` are as in `classify`.
    `show` has names of `SHOWN`, or `all`: all that these data give but the imputation; without it, responses and times.
    What `subgroup`, `imputations`, `events`, `screening` and, without `show`, `column` and `adjust` ask for is added.
    A column (`by`, `subgroup`, `column`, `adjust`, `only`) is one of the patient table, or `baseline`, or an endpoint,
    or a condition such as `age >= 60`; `only` takes the patients of whom all of these hold.
    `of` is the analysis set, `interval` that of the differences; `reference` is the group that is taken off the others.
    Raises `UsageError` for what these data have not.
    """
    found = classify(visits, patients, criteria, options=options)
    _check(of, interval, show)
    everyone = AnalysedPatients(found, np.ones(len(found.cohort), dtype=np.bool_))
    here = everyone.restricted_to(only)
    groups = grouped(here, by, reference)
    names, timed = _asked_for(here, endpoint)
    asked = {
        "flow": screening is not None,
        "imputation": imputations != 0,
        "subgroups": bool(subgroup),
        "odds": bool(adjust or (column and not imputations)) and not show,
        "events": events is not None,
    }
    made: Mapping[str, Callable[[], Table | None]] = {
        "flow": lambda: flow(here, groups, None if screening is None else read_screening(screening, found.cohort)),
        "characteristics": lambda: characteristics(here, groups, column),
        "responses": lambda: responses(here, groups, names, of, interval) if names else None,
        "best": lambda: best(here, groups, of),
        "times": lambda: times(here, groups, timed, of),
        "imputation": lambda: imputation(
            here,
            groups,
            names[0] if endpoint and names else primary(here),
            imputations=imputations or IMPUTATIONS,
            seed=seed,
            columns=column,
        ),
        "subgroups": lambda: subgroups(here, groups, subgroup, names, of, interval),
        "odds": lambda: odds(here, _of_odds(here, names if endpoint else ()), column, adjust, of),
        "events": lambda: events_table(read_events(events, found.cohort), groups, least),
    }
    wanted = _wanted(show, asked)
    choices = {
        "by": by,
        "reference": groups.labels[groups.reference],
        "show": list(wanted),
        "only": list(only),
        "of": of,
        "interval": interval,
        "endpoint": list(endpoint),
        "subgroup": list(subgroup),
        "column": list(column),
        "adjust": list(adjust),
        "imputations": imputations,
        "seed": seed,
        "least": least,
    }
    inputs = {name: given for name, given in (("events", events), ("screening", screening)) if given is not None}
    return Tables(found, groups, tuple(filter(None, (made[one]() for one in wanted))), choices, inputs, tuple(only))


def _check(of: str, interval: str, show: Sequence[str]) -> None:
    if of not in SETS:
        raise UsageError(unknown("analysis set", of, SETS))
    if interval not in INTERVALS:
        raise UsageError(unknown("interval", interval, INTERVALS))
    for one in show:
        if one not in (*SHOWN, "all"):
            raise UsageError(unknown("table", one, (*SHOWN, "all")))


def _wanted(show: Sequence[str], asked: Mapping[str, bool]) -> list[str]:
    """The tables to be made, in their order: those named, and those that other options ask for."""
    needs = {"subgroups": "--subgroup COLUMN", "events": "--events FILE"}
    for one, option in needs.items():
        if one in show and not asked[one]:
            raise UsageError(f"the table of {one} needs {option}.")
    # Imputing takes seconds, so that it is done only when it is asked for.
    everything = [one for one in SHOWN if one not in (*needs, "imputation")] if "all" in show else []
    named = {*(show or USUAL), *everything, *(one for one, given in asked.items() if given)}
    return [one for one in SHOWN if one in named]


def _asked_for(patients: AnalysedPatients, endpoint: Sequence[str]) -> tuple[list[str], list[str]]:
    """The criteria that are met or not, and the lengths of time, of those named; else all."""
    models = patients.found.criteria.endpoints
    met, timed = criteria_met(patients), [one.name for one in lengths(patients)]
    for one in endpoint:
        if one not in (*met, *timed):
            raise UsageError(unknown("endpoint", one, [name for name in models if name in (*met, *timed)]))
    if not endpoint:
        return met, timed
    return [one for one in met if one in endpoint], [one for one in timed if one in endpoint]


def _of_odds(patients: AnalysedPatients, names: Sequence[str]) -> Sequence[str]:
    """The criteria that odds ratios are given of."""
    models = patients.found.criteria.endpoints
    return names or [one for one in criteria_met(patients) if models[one].role in ODDS_ROLES] or [primary(patients)]
