"""Classify: one classification per patient, as a frame, a file or a summary."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from itp_response.classification.provenance import Provenance, provenance
from itp_response.classification.writers import write
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.cohort.values import NO_DAY, NONE
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.evaluation.evaluate import evaluate
from itp_response.evaluation.verdicts import Verdict, Y
from itp_response.messages.errors import UsageError
from itp_response.messages.wording import aligned, counted
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions
from itp_response.readers.visits import read

DEFAULT_CRITERIA = "atra_2022"


@dataclass(frozen=True)
class Classification:
    """What `classify` gives: the verdicts on a cohort under a set of criteria."""

    criteria: Criteria
    cohort: Cohort
    verdicts: Mapping[str, Verdict]
    """By endpoint, in the order of the file; evidence are rows of the cohort."""

    def provenance(self, **options: Any) -> Provenance:
        """What made this: program, criteria, options (these too) and input files with their SHA-256."""
        return provenance([self.criteria], self.cohort, **options)

    def frame(self, *, dates: bool | None = None) -> pl.DataFrame:
        """One row per patient in the order of the cohort.

        `patient_id`, `arm`, `quarantined` (how many rows were left out, where they were to be), `imputed` (how many
        dates were, likewise), the criteria of kind `best`, then per endpoint in the file's order `X`, `X_day`,
        `X_date` (where dates are known), `X_confirmed_day` (where it is confirmed), `X_reason`; of a time `X_days` and,
        where it can be censored, `X_event` (1 the event, 0 censored). Missing is null.
        `dates` says whether they are known, where the cohort is a part of one; left out, they are if they are of any.
        """
        dates = self.cohort.has_dates if dates is None else dates

        columns = [self.cohort.id.alias("patient_id"), self.cohort.arm.alias("arm")]
        columns += self.cohort.marks()
        columns += [
            labelled(name, self.verdicts[name])
            for name, model in self.criteria.endpoints.items()
            if model.kind == "best"
        ]
        for name, model in self.criteria.endpoints.items():
            if model.kind == "time_to":
                columns += self._time_columns(name, model)
            elif model.kind == "extent":
                columns += self._extent_columns(name, model, dates)
            elif model.kind != "best":
                columns += self._verdict_columns(name, model, dates)
        return pl.DataFrame(columns)

    def long(self) -> pl.DataFrame:
        """One row per patient and endpoint, in the order of the cohort and of the file.

        `patient_id`, `arm`, `quarantined`, `imputed` (as in `frame`), `endpoint`, `value`, `day`, `date`,
        `confirmed_day`, `reason`, `days`, `of_days`, `event` (1 the event, 0 censored), as in `frame`; missing, or
        nothing that such an endpoint has, is null.
        """
        tables = [self._long(name, model) for name, model in self.criteria.endpoints.items()]
        order = np.arange(len(tables) * len(self.cohort)).reshape(len(tables), len(self.cohort)).T.ravel()
        return pl.concat(tables)[order]

    def _long(self, name: str, model: Any) -> pl.DataFrame:
        verdict, size = self.verdicts[name], len(self.cohort)
        nothing = np.full(size, NO_DAY, dtype=np.int32)
        day = self.days_of(verdict.dated)
        censors = getattr(model, "censored", None) is not None
        event = np.where(np.full(size, censors) & (verdict.days != NO_DAY), verdict.value == Y, NO_DAY)
        return pl.DataFrame(
            [
                self.cohort.id.alias("patient_id"),
                self.cohort.arm.alias("arm"),
                *self.cohort.marks(),
                pl.repeat(name, size, dtype=pl.String, eager=True).alias("endpoint"),
                labelled("value", verdict),
                days_column("day", day),
                self._dates("date", day),
                days_column("confirmed_day", self.days_of(verdict.confirming)),
                pl.Series("reason", self.criteria.reasons.names).gather(verdict.reason.astype(np.int64)),
                days_column("days", nothing if verdict.days is None else verdict.days),
                days_column("of_days", nothing if verdict.of_days is None else verdict.of_days),
                days_column("event", event),
            ]
        )

    def _dates(self, name: str, day: Any) -> pl.Series:
        """The days as dates; missing where there is no day, or day 0 is not known."""
        known = (day != NO_DAY) & ~np.isnat(self.cohort.day_0)
        dates = self.cohort.day_0 + np.where(known, day, 0).astype("timedelta64[D]")
        return pl.Series(name, dates.astype("datetime64[D]")).set(~pl.Series(known), None)

    def _verdict_columns(self, name: str, model: Any, dates: bool) -> list[pl.Series]:
        verdict = self.verdicts[name]
        day = self.days_of(verdict.dated)
        columns = [labelled(name, verdict), days_column(f"{name}_day", day)]
        if dates:
            columns.append(self._dates(f"{name}_date", day))
        if getattr(model, "occasions", 1) > 1:
            columns.append(days_column(f"{name}_confirmed_day", self.days_of(verdict.confirming)))
        reasons = pl.Series(self.criteria.reasons.names).gather(verdict.reason.astype(np.int64))
        return [*columns, reasons.alias(f"{name}_reason")]

    def _time_columns(self, name: str, model: Any) -> list[pl.Series]:
        verdict = self.verdicts[name]
        assert verdict.days is not None
        columns = [days_column(f"{name}_days", verdict.days)]
        if model.censored is not None:
            event = pl.Series(f"{name}_event", (verdict.value == Y).astype(np.int8))
            columns.append(event.set(pl.Series(verdict.days == NO_DAY), None))
        return columns

    def _extent_columns(self, name: str, model: Any, dates: bool) -> list[pl.Series]:
        verdict = self.verdicts[name]
        columns = [] if model.at_least is None else self._verdict_columns(name, model, dates)
        return [*columns, days_column(f"{name}_days", verdict.days), days_column(f"{name}_of_days", verdict.of_days)]

    def days_of(self, rows: Any) -> Any:
        """The days of rows of the cohort; `NO_DAY` where there is none (-1)."""
        if not len(self.cohort.day):
            return np.full(len(rows), NO_DAY, dtype=np.int32)
        return np.where(rows != NONE, self.cohort.day[np.maximum(rows, 0)], np.int32(NO_DAY))

    def table(self) -> str:
        """One line per patient for people to read: each verdict with its day, or with its reason."""
        shown = [name for name, model in self.criteria.endpoints.items() if model.kind != "time_to"]
        shown.sort(key=lambda name: self.criteria.endpoints[name].kind != "best")
        rows = [["patient", "arm", *shown]]
        cells = {name: self._cells(name) for name in shown}
        arms = self.cohort.arm.fill_null("").to_list()
        for place, patient in enumerate(self.cohort.id.to_list()):
            rows.append([patient, arms[place], *(cells[name][place] for name in shown)])
        return aligned(rows)

    def _cells(self, name: str) -> list[str]:
        verdict, reasons = self.verdicts[name], self.criteria.reasons.names
        best = self.criteria.endpoints[name].kind == "best"
        texts = []
        days = self.days_of(verdict.dated).tolist()
        pairs = zip(verdict.value.tolist(), days, verdict.reason.tolist(), strict=True)
        for value, day, reason in pairs:
            label = verdict.labels[value]
            said = "" if best or label == "NA" else f" d{day}" if day != NO_DAY else f" {reasons[reason]}"
            texts.append(f"{label}{said}" if label != "Y" or day != NO_DAY else label)
        return texts

    @property
    def counts(self) -> "ResultCounts":
        values = {}
        for name, verdict in self.verdicts.items():
            number = np.bincount(verdict.value, minlength=len(verdict.labels)).tolist()
            values[name] = Counter(dict(zip(verdict.labels, number, strict=True)))
        arms = frozenset(self.cohort.arm.drop_nulls().unique().to_list())
        return ResultCounts(len(self.cohort), len(self.cohort.day), arms, values)

    def summary(self) -> str:
        """Patients, verdicts on each endpoint, what was taken, and warnings: for standard error."""
        return self.counts.summary(self.criteria, self.cohort)

    def write(self, path: str | Path, *, long: bool = False) -> None:
        """Write the frame, or the `long` one, to a `.csv`, `.json` or `.parquet` file, whole or not at all.

        Beside it goes what made it, in `FILE.provenance.json`.
        Raises `UsageError` for another suffix or a place that cannot be written.
        """
        write(self.long() if long else self.frame(), path, self.provenance(long=long))


@dataclass(frozen=True)
class ResultCounts:
    """How many patients there are, and with which verdicts; those of the parts of a cohort add up."""

    patients: int
    rows: int
    arms: frozenset[str]
    values: Mapping[str, Counter[str]]
    """By endpoint, in the order of the file, by the label of the verdict."""

    def __add__(self, other: "ResultCounts") -> "ResultCounts":
        values = {name: Counter(dict(number)) for name, number in self.values.items()}
        for name, number in other.values.items():
            values[name].update(number)
        return ResultCounts(self.patients + other.patients, self.rows + other.rows, self.arms | other.arms, values)

    def summary(self, criteria: Criteria, cohort: Cohort) -> str:
        """As `Classification.summary`; of the cohort the name and the notes are taken."""
        in_arms = f" in {counted(len(self.arms), 'arm')}" if self.arms else ""
        source = f" from {cohort.source}" if cohort.source else ""
        lines = [
            f"{self.patients:,} patients{in_arms}, {self.rows:,} patient-days{source}",
            f"criteria {criteria.marked_name}: {criteria.file.title} "
            f"({criteria.file.source.cite}; checked: {criteria.file.checked})",
        ]
        table = [
            [f"  {name}", *(f"{label} {count:,}" for label, count in number.items() if count)]
            for name, number in self.values.items()
        ]
        lines.append(aligned(table))
        lines += cohort.told
        return "\n".join(lines)


Study: TypeAlias = Classification | Cohort | Tabular
"""What a function takes that asks something of a study: what was classified, what was read, or what `read` takes."""
CriteriaInput: TypeAlias = str | Path | Criteria
"""A shipped set by its name, a criteria file by its path, or what `criteria` gave."""


def classify(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    options: ReadOptions | None = None,
    threads: int | None = None,
) -> Classification:
    """Classify every patient of a study.

    `visits` is what `read` takes, `patients` the patient table beside it, and `options` say how they are read; or it is
    a `Cohort`, or a `Classification`, which have been read. `criteria` is a shipped name, a file, or what `criteria`
    gave; None: `atra_2022`, or the set of the `Classification`, which is then returned as it is.
    `threads` decide pieces of the cohort side by side; None: one a processor.
    Raises `CriteriaError` for a set that cannot be used, `CohortError` with all that is wrong with the tables, and
    `UsageError` where `patients` or `options` stand beside what has been read.

    >>> counts = {0: 15, 22: 40, 29: 45, 364: 50}
    >>> visits = [{"patient_id": "A", "day": day, "platelets": count} for day, count in counts.items()]
    >>> classify(visits, criteria="atra_2022").frame()["OR", "OR_day"].row(0)
    ('Y', 22)
    """
    definitions = criteria_of(visits, criteria)
    cohort = read_study(visits, patients, definitions.file.columns, options)
    if isinstance(visits, Classification) and definitions is visits.criteria:
        return visits
    return Classification(definitions, cohort, evaluate(definitions, cohort, threads))


def criteria_of(visits: Study, criteria: CriteriaInput | None) -> Criteria:
    """The set that is asked for; of a `Classification` its own, if none is, else the default."""
    if criteria is None:
        return visits.criteria if isinstance(visits, Classification) else load(DEFAULT_CRITERIA)
    return criteria if isinstance(criteria, Criteria) else load(criteria)


def read_study(
    visits: Study,
    patients: Tabular | None,
    columns: Mapping[str, ColumnDeclared],
    options: ReadOptions | None,
) -> Cohort:
    """The cohort of a study, with these further columns where it has not been read yet.

    Raises `UsageError` where `patients` or `options` stand beside a cohort that has been read.
    """
    if not isinstance(visits, Classification | Cohort):
        return read(visits, patients, options=options, columns=columns)
    for name, given in (("patients", patients), ("options", options)):
        if given is not None:
            what = type(visits).__name__
            raise UsageError(f"{name}: a {what} has been read already; give the tables, or leave out {name!r}.")
    return visits.cohort if isinstance(visits, Classification) else visits


def labelled(name: str, verdict: Verdict) -> pl.Series:
    """The verdicts as a column of that name."""
    return pl.Series(verdict.labels).gather(verdict.value.astype(np.int64)).alias(name)


def days_column(name: str, days: Any) -> pl.Series:
    """The days as a column of that name; `NO_DAY` is missing."""
    return pl.Series(name, days, dtype=pl.Int32).set(pl.Series(days == NO_DAY), None)
