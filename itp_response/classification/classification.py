"""Classify: one classification per patient, as a frame, a file or a summary."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import polars as pl

from itp_response.classification.as_data import as_data, evidence
from itp_response.classification.open_counts import HEADER, LEGEND, OpenCounts
from itp_response.classification.under_a_set import Noticed, noted
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.cohort.values import NO_DAY, NONE, Bools, Ints
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.evaluation.evaluate import evaluate, patient_days_of
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.still_open import STATES, StillOpen, still_open
from itp_response.evaluation.verdicts import N, Verdict, Y
from itp_response.messages.codes import Code
from itp_response.messages.errors import CohortError, Problem, UsageError
from itp_response.messages.results import ROWS, DataResult, as_pandas, html_table
from itp_response.messages.wording import aligned, counted, in_blocks, wrapped
from itp_response.readers.tabular import Tabular

if TYPE_CHECKING:
    from itp_response.classification.by_visit import VisitResults
    from itp_response.classification.provenance import Provenance
    from itp_response.readers.options import ReadOptions

DEFAULT_CRITERIA = "atra_2022"
Rows = Literal["patients", "endpoints", "visits"]
"""What a row of an output is of."""
CENSORED, EVENT, COMPETING = range(3)
"""How a time ended, as `X_event` has it."""


@dataclass(frozen=True, repr=False)
class Classification(DataResult):
    """The verdicts on a cohort under a set of criteria: what `classify` gives.

    >>> counts = {0: 15, 22: 40, 29: 45}
    >>> visits = [{"patient_id": "A", "day": day, "platelets": count} for day, count in counts.items()]
    >>> classification = classify(visits)
    >>> classification.frame()["OR", "OR_day", "OR_reason"].row(0)
    ('Y', 22, 'met')
    >>> verdict = classification.verdicts["OR"]
    >>> classification.cohort.day[[verdict.onset[0], verdict.confirming[0]]].tolist()  # its evidence
    [22, 29]
    """

    criteria: Criteria
    cohort: Cohort
    verdicts: Mapping[str, Verdict]
    """By endpoint, in the order of the criteria file; the evidence is given as rows of the cohort."""

    @cached_property
    def patient_days(self) -> PatientDays:
        """All patient-days of the cohort as the rules of the criteria see them."""
        return patient_days_of(self.criteria, self.cohort, 0, len(self.cohort))

    @cached_property
    def still_open(self) -> Mapping[str, StillOpen]:
        """Of a study that was cut: by endpoint, whether the results can still change. Else empty."""
        return still_open(self.criteria, self.cohort, self.verdicts) if self.cohort.as_of is not None else {}

    def provenance(self, **options: Any) -> "Provenance":
        """The program, the criteria, the options and the input files with their SHA-256.

        `options` are added to those with which the study was read.

        >>> visits = [{"patient_id": "A", "day": 0, "platelets": 15}]
        >>> classify(visits).provenance(long=True).options["long"]
        True
        """
        from itp_response.classification.provenance import provenance

        return provenance([self.criteria], self.cohort, **options)

    def frame(self, *, dates: bool | None = None) -> pl.DataFrame:
        """One row per patient, in the order of the cohort; a missing value is null.

        First come `patient_id`, `arm`, `quarantined` (the number of rows left out) and `imputed` (the number of dates
        imputed), the last two only where that was asked for. Then come the endpoints of kind `best`, then the others in
        the order of the criteria file. An endpoint `X` has

        - `X`, its value; `X_day`, counted from day 0; `X_date`, where dates are known; `X_confirmed_day`, where the
          endpoint needs confirmation; `X_reason`;
        - of kind `best`: `X` alone;
        - of kind `time_to`: `X_days` and, where it can be censored, `X_event` (1: event, 0: censored, 2: competing
          event);
        - of kind `extent`: `X_days` and `X_of_days`, after all of the first where it has a limit;
        - of a study that was cut (`ReadOptions.as_of`), last: `X_open` (`open` or `closed`, where it is not evaluable:
          a later observation can decide it, or none can; else `provisional` or `final`), `X_open_until`, the last day
          on which an observation can change it (null: no limit, or none can), and `X_assessed_until`, the last day of
          which an observation counts for the endpoint itself; each with its date, where dates are known.

        `dates` says whether there are columns `X_date`. None: there are if the date of day 0 is known of any patient.

        >>> visits = [{"patient_id": "A", "day": 0, "platelets": 15}]
        >>> classify(visits).frame().columns[:6]
        ['patient_id', 'arm', 'best_response', 'OR', 'OR_day', 'OR_confirmed_day']
        """
        dates = self.cohort.has_dates if dates is None else dates
        columns = [self.cohort.id.alias("patient_id"), self.cohort.arm.alias("arm"), *self.cohort.marks()]
        for name in self._best_first():
            columns += self._columns(name, dates)
        return pl.DataFrame(columns)

    def long(self) -> pl.DataFrame:
        """One row per patient and endpoint, in the order of the cohort and of the criteria file.

        The columns are `patient_id`, `arm`, `quarantined`, `imputed` (as in `frame`), `endpoint`, `value`, `day`,
        `date`, `confirmed_day`, `reason`, `days`, `of_days`, `event` (1: event, 0: censored, 2: competing event) and,
        of a study that was cut, `open` and the others, as in `frame`. What is missing, or is no part of such an
        endpoint, is null.

        >>> visits = [{"patient_id": "A", "day": 0, "platelets": 15}]
        >>> classify(visits).long()["endpoint", "value", "reason"].row(0)
        ('OR', 'NE', 'no_counts')
        """
        tables = [self._long(name) for name in self.criteria.endpoints]
        # From all patients of each endpoint to all endpoints of each patient.
        order = np.arange(len(tables) * len(self.cohort)).reshape(len(tables), len(self.cohort)).T.ravel()
        return pl.concat(tables)[order]

    @cached_property
    def visit_results(self) -> "VisitResults":
        """The states of the endpoints at their planned visits, decided when they are first asked for."""
        from itp_response.classification.by_visit import VisitResults

        return VisitResults(self.criteria, self.cohort)

    def by_visit(self) -> pl.DataFrame:
        """One row per patient, endpoint and planned visit, in the order of the cohort, the criteria file and the days.

        The columns are `patient_id`, `arm`, `quarantined`, `imputed` (as in `frame`), `endpoint`, `visit_day` (on which
        the visit is planned), `week` (the same in weeks), `value` (`Y`, `N`, `NE`, `NA`: whether the patient was in the
        state of the endpoint), `day`, `date` and `platelets`, `platelets_low`, `platelets_high` (10⁹/L) of the count
        used (missing: there is none; a censored count has its bounds alone), and `reason`. Of a study that was cut, a
        visit has no row if it is planned after the cut, or if its window is not over and there is no count in it yet.

        Raises `UsageError` where no endpoint has a state at planned visits.

        >>> visits = [{"patient_id": "A", "day": day, "platelets": count} for day, count in {0: 15, 27: 40}.items()]
        >>> classify(visits).by_visit().filter(endpoint="OR", visit_day=28)["value", "day", "platelets"].row(0)
        ('Y', 27, 40.0)
        """
        return self.visit_results.frame()

    def table_of(self, rows: Rows = "patients", *, dates: bool | None = None) -> pl.DataFrame:
        """`frame`, `long` or `by_visit`: a row per patient, per endpoint or per visit."""
        match rows:
            case "patients":
                return self.frame(dates=dates)
            case "endpoints":
                return self.long()
            case "visits":
                return self.by_visit()

    def evidence(self) -> pl.DataFrame:
        """A row per patient, endpoint and observation that the result rests on, in the order of both.

        `patient_id`, `endpoint`, `role` (`onset`: it begins the endpoint, `confirming`: it confirms it, `ended`: it
        ends it, or shows that it is not met), `day`, `date`, `platelets` (10⁹/L; null: no count, or a censored one),
        `platelets_low`, `platelets_high` (its bounds), `bleeding_grade` (WHO 0 to 4; null: not recorded), `rescue` (a
        rescue treatment begins), `file` and `line`.

        >>> counts = {0: 15, 22: 40, 29: 45}
        >>> visits = [{"patient_id": "A", "day": day, "platelets": count} for day, count in counts.items()]
        >>> classify(visits).evidence().filter(endpoint="OR")["role", "day", "platelets"].rows()
        [('onset', 22, 40.0), ('confirming', 29, 45.0)]
        """
        return evidence(self.cohort, self.verdicts)

    def as_dict(self) -> dict[str, Any]:
        """The results with their evidence as plain data, ready for JSON; a missing value is None.

        `criteria` (`name`, `title`, `response_definition`, `interpretations`), `notes` (assumptions and warnings, a
        line each) and `patients`. Each patient has `patient_id`, `arm` and `results`, one per endpoint: `endpoint`,
        `label`, `value`, `day`, `date`, `confirmed_day`, `reason`, `because` (the reason in words), `days`, `of_days`,
        `event` (1: event, 0: censored, 2: competing event), of a study that was cut `open` and the others as in
        `long()`, and `evidence`, a list of observations as in `evidence()`.

        >>> counts = {0: 15, 22: 40, 29: 45}
        >>> visits = [{"patient_id": "A", "day": day, "platelets": count} for day, count in counts.items()]
        >>> result = classify(visits).as_dict()["patients"][0]["results"][0]
        >>> result["label"], result["value"], result["day"], [one["day"] for one in result["evidence"]]
        ('Overall response', 'Y', 22, [22, 29])
        """
        return as_data(self.criteria, self.cohort, self.verdicts, self.long())

    def to_pandas(self, *, long: bool = False, by_visit: bool = False, **options: Any) -> Any:
        """`frame`, `long` or `by_visit` as a frame of pandas; whole numbers that may be missing stay whole.

        Raises `UsageError` with the cure if pandas or pyarrow is not installed.

        >>> classify([{"patient_id": "A", "day": 0, "platelets": 15}]).to_pandas(long=True)["day"].dtype
        Int32Dtype()
        """
        return as_pandas(self.table_of(rows_asked(long, by_visit), **options))

    def _headline(self) -> str:
        return f"{self.counts.in_words(self.cohort)}. {self.criteria.response_definition}"

    def _pieces(self) -> Iterator[str]:
        yield self.counts.html(self.criteria)
        header, rows = self._table(ROWS)
        size = len(self.cohort)
        more = [f"{ROWS} of {size:,} patients are shown; .frame() has all."] if size > ROWS else []
        yield html_table(header, rows, title="Patients", notes=more)

    def _assumptions(self) -> list[str]:
        return self.cohort.note_lines

    def _long(self, name: str) -> pl.DataFrame:
        verdict, size = self.verdicts[name], len(self.cohort)
        day = self.dated(verdict)
        no_days = np.full(size, NO_DAY, dtype=np.int32)
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
                self._reasons("reason", verdict),
                days_column("days", no_days if verdict.days is None else verdict.days),
                days_column("of_days", no_days if verdict.of_days is None else verdict.of_days),
                self._events("event", name, pl.Int32),
                *self._open_columns("", name, dates=True),
            ]
        )

    def _best_first(self) -> list[str]:
        """The endpoints, ranked ones before the others."""
        endpoints = self.criteria.endpoints
        return sorted(endpoints, key=lambda name: not endpoints[name].is_ranked)

    def _columns(self, name: str, dates: bool) -> list[pl.Series]:
        """The columns of an endpoint in `frame`."""
        verdict, model = self.verdicts[name], self.criteria.endpoints[name]
        further = self._open_columns(f"{name}_", name, dates=dates)
        if model.is_ranked:
            return [labelled(name, verdict), *further]
        columns = [] if model.is_length else self._value_columns(name, dates)
        columns += [days_column(f"{name}_{length}", getattr(verdict, length)) for length in model.lengths]
        events = [self._events(f"{name}_event", name, pl.Int8)] if model.can_be_censored else []
        return [*columns, *events, *further]

    def _open_columns(self, prefix: str, name: str, *, dates: bool) -> list[pl.Series]:
        """Whether the results on an endpoint can still change, and until when; none where the study was not cut."""
        if name not in self.still_open:
            return []
        of = self.still_open[name]
        columns = [pl.Series(STATES).gather(of.state.astype(np.int64)).alias(f"{prefix}open")]
        for column, until in (("open_until", of.until), ("assessed_until", of.assessed_until)):
            days = np.where(np.isfinite(until), np.floor(until), NO_DAY).astype(np.int32)
            columns.append(days_column(f"{prefix}{column}", days))
            if dates:
                columns.append(self._dates(f"{prefix}{column}_date", days))
        return columns

    def _value_columns(self, name: str, dates: bool) -> list[pl.Series]:
        """The value of an endpoint, with its day, its date, its confirmation and its reason."""
        verdict, model = self.verdicts[name], self.criteria.endpoints[name]
        day = self.dated(verdict)
        columns = [labelled(name, verdict), days_column(f"{name}_day", day)]
        if dates:
            columns.append(self._dates(f"{name}_date", day))
        if model.is_confirmed:
            columns.append(days_column(f"{name}_confirmed_day", self.days_of(verdict.confirming)))
        return [*columns, self._reasons(f"{name}_reason", verdict)]

    def _dates(self, name: str, day: Ints) -> pl.Series:
        """The days as dates; missing where there is no day, or the date of day 0 is not known."""
        known = (day != NO_DAY) & ~np.isnat(self.cohort.day_0)
        dates = self.cohort.day_0 + np.where(known, day, 0).astype("timedelta64[D]")
        return pl.Series(name, dates.astype("datetime64[D]")).set(~pl.Series(known), None)

    def _reasons(self, name: str, verdict: Verdict) -> pl.Series:
        return pl.Series(self.criteria.reasons.names)[verdict.reason.astype(np.int64)].alias(name)

    def _events(self, name: str, endpoint: str, dtype: type[pl.DataType]) -> pl.Series:
        """1: event, 0: censored, 2: competing event; missing where there is no length, or it cannot be censored.

        Missing too where all that data known only in part leave open is whether an event competed.
        """
        verdict, model = self.verdicts[endpoint], self.criteria.endpoints[endpoint]
        if verdict.days is None or not model.can_be_censored:
            return pl.repeat(None, len(self.cohort), dtype=dtype, eager=True).alias(name)
        is_event, competed = verdict.value == Y, self.competed(endpoint)
        code = np.select([is_event, competed], [EVENT, COMPETING], default=CENSORED)
        is_open = (code == CENSORED) & (verdict.reason != self.criteria.reasons["censored"])
        return pl.Series(name, code).cast(dtype).set(pl.Series((verdict.days == NO_DAY) | is_open), None)

    def competed(self, endpoint: str) -> Bools:
        """(P) Whether an event that competes with that endpoint, a time, ended it.

        >>> counts = {0: 15, 22: 40, 29: 45}
        >>> visits = [{"patient_id": "A", "day": day, "platelets": count} for day, count in counts.items()]
        >>> classify(visits).competed("DOR").tolist()
        [False]
        """
        verdict, names = self.verdicts[endpoint], self.criteria.endpoints[endpoint].competes_with
        competed: Bools = (verdict.value == N) & np.isin(
            verdict.reason, [self.criteria.reasons[name] for name in names]
        )
        return competed

    def dated(self, verdict: Verdict) -> Ints:
        """(P) The day of the verdicts on an endpoint; `NO_DAY` where there is none."""
        return self.days_of(verdict.dated) if verdict.day is None else verdict.day

    def days_of(self, rows: Ints) -> Ints:
        """The day of each row of the cohort; `NO_DAY` where there is no row (-1).

        >>> visits = [{"patient_id": "A", "day": day, "platelets": 15} for day in (0, 22)]
        >>> classify(visits).days_of(np.array([1, 0, -1])).tolist()
        [22, 0, -2147483648]
        """
        if not len(self.cohort.day):
            return np.full(len(rows), NO_DAY, dtype=np.int32)
        return np.where(rows != NONE, self.cohort.day[np.maximum(rows, 0)], np.int32(NO_DAY))

    def table(self, most: int | None = None) -> str:
        """A line per patient as text for people: each endpoint with its day or, without one, its reason.

        `most` is the number of patients shown, the first of the cohort; None: all. Endpoints for which the lines have
        no room follow in a block below.

        >>> visits = [{"patient_id": "A", "day": 0, "platelets": 15}]
        >>> for line in classify(visits).table().splitlines():
        ...     print(line[:41].rstrip())
        patient  arm  best_response  OR
        A             NE             NE no_counts
        <BLANKLINE>
        patient  relapse       remission     late
        A        NE no_counts  NE no_counts  NE f
        """
        header, rows = self._table(len(self.cohort) if most is None else most)
        return in_blocks([header, *rows])

    def _table(self, most: int) -> tuple[list[str], list[list[str]]]:
        """The header and the lines of the first patients, at most that many."""
        endpoints = [name for name in self._best_first() if "time" not in self.criteria.endpoints[name].measures()]
        columns = [self.cohort.id.head(most).to_list(), self.cohort.arm.head(most).fill_null("").to_list()]
        columns += [self._cells(name, most) for name in endpoints]
        return ["patient", "arm", *endpoints], list(map(list, zip(*columns, strict=True)))

    def _cells(self, name: str, most: int) -> list[str]:
        """The value of an endpoint for each of the first patients, with its day or its reason, as text."""
        verdict, reasons = self.verdicts[name], self.criteria.reasons.names
        labels = [verdict.labels[value] for value in verdict.value[:most].tolist()]
        if self.criteria.endpoints[name].is_ranked:
            return labels
        days = self.dated(verdict)[:most].tolist()
        codes = verdict.reason[:most].tolist()
        return [_cell(label, day, reasons[code]) for label, day, code in zip(labels, days, codes, strict=True)]

    @property
    def counts(self) -> "ResultCounts":
        """How many patients there are, and how many have each value of each endpoint."""
        values = {}
        for name, verdict in self.verdicts.items():
            patients = np.bincount(verdict.value, minlength=len(verdict.labels)).tolist()
            values[name] = Counter(dict(zip(verdict.labels, patients, strict=True)))
        arms = frozenset(self.cohort.arm.drop_nulls().unique().to_list())
        noticed = Noticed.of(self.criteria, self.cohort)
        open_ = {name: OpenCounts.of(of, self.cohort) for name, of in self.still_open.items()}
        return ResultCounts(len(self.cohort), len(self.cohort.day), arms, values, noticed, open_)

    def summary(self) -> str:
        """The number of patients, the results on each endpoint, assumptions and warnings: for standard error.

        >>> visits = [{"patient_id": "A", "day": 0, "platelets": 15}]
        >>> classify(visits).summary().splitlines()[0]
        '1 patient, 1 patient-day from visits'
        """
        return self.counts.summary(self.criteria, self.cohort)

    def write(self, path: str | Path, *, long: bool = False, by_visit: bool = False) -> None:
        """Write `frame`, `long` or `by_visit` to a `.csv`, `.json` or `.parquet` file, whole or not at all.

        The provenance goes beside it, into `FILE.provenance.json`.
        Raises `UsageError` for another suffix, or where the file cannot be written.

        >>> classify([{"patient_id": "A", "day": 0, "platelets": 15}]).write("out.xls")
        Traceback (most recent call last):
        ...
        itp_response.messages.errors.UsageError: out.xls: unknown kind of output '.xls'; known: .csv, .json, .parquet.
        """
        from itp_response.classification.writers import write

        rows = rows_asked(long, by_visit)
        write(self.table_of(rows), path, self.provenance(**as_option(rows)))


@dataclass(frozen=True)
class ResultCounts:
    """How many patients there are, and how many have each value; those of the chunks of a study add up."""

    patients: int
    rows: int
    arms: frozenset[str]
    values: Mapping[str, Counter[str]]
    """By endpoint, in the order of the criteria file: the number of patients by the value's label."""
    noticed: Noticed
    open: Mapping[str, OpenCounts] = field(default_factory=dict)
    """Of a study that was cut, by endpoint: how many results can still change."""

    def __add__(self, other: "ResultCounts") -> "ResultCounts":
        values = {name: Counter(dict(patients)) for name, patients in self.values.items()}
        for name, patients in other.values.items():
            values[name].update(patients)
        size, rows = self.patients + other.patients, self.rows + other.rows
        noticed = self.noticed + other.noticed
        open_ = {name: counts + other.open[name] for name, counts in self.open.items()}
        return ResultCounts(size, rows, self.arms | other.arms, values, noticed, open_)

    def summary(self, criteria: Criteria, cohort: Cohort) -> str:
        """As `Classification.summary`; the cohort gives its source and its notes."""
        lines = [
            self.in_words(cohort),
            f"{criteria.response_definition}; criteria set {criteria.name} "
            f"({criteria.file.source.cite}; checked: {criteria.file.checked})",
        ]
        table = [
            [
                f"  {criteria.labelled(name)}",
                *(f"{label} {patients:,}" for label, patients in by_label.items() if patients),
            ]
            for name, by_label in self.values.items()
        ]
        return "\n".join([*lines, aligned(table), *self._open_lines(criteria, cohort), *cohort.note_lines])

    def _open_lines(self, criteria: Criteria, cohort: Cohort) -> Iterator[str]:
        """How many results can still change, a line per endpoint; none where the study was not cut."""
        if self.open:
            as_dates = cohort.as_of is not None and cohort.as_of.is_date
            cells = [[f"  {criteria.labelled(name)}", *of.cells(as_dates=as_dates)] for name, of in self.open.items()]
            yield f"Still open{cohort.as_of_in_words}:"
            yield aligned([["", *HEADER], *cells])
            yield from wrapped(LEGEND, first="  ")

    def in_words(self, cohort: Cohort) -> str:
        """The number of patients, arms and patient-days, and the source."""
        in_arms = f" in {counted(len(self.arms), 'arm')}" if self.arms else ""
        source = f" from {cohort.source}" if cohort.source else ""
        rows = counted(self.rows, "patient-day")
        return f"{counted(self.patients, 'patient')}{in_arms}, {rows}{source}{cohort.as_of_in_words}"

    def frame(self, criteria: Criteria) -> pl.DataFrame:
        """A row per endpoint and value that a patient has: `endpoint`, `label`, `value`, `patients`."""
        rows = [
            (name, criteria.endpoints[name].label, value, patients)
            for name, by_value in self.values.items()
            for value, patients in by_value.items()
            if patients
        ]
        return pl.DataFrame(rows, schema=["endpoint", "label", "value", "patients"], orient="row")

    def html(self, criteria: Criteria) -> str:
        """The number of patients with each value of each endpoint, as a table of HTML."""
        values = list(dict.fromkeys(value for by_value in self.values.values() for value in by_value))
        rows = [
            (criteria.labelled(name), *(by_value.get(value) or "" for value in values))
            for name, by_value in self.values.items()
        ]
        return html_table(["endpoint", *values], rows, title="Results (patients)")


Study: TypeAlias = Classification | Cohort | Tabular
"""What a function takes as a study: a `Classification`, a `Cohort`, or visits as `read` takes them."""
CriteriaInput: TypeAlias = str | Path | Criteria
"""A shipped set by its name, a criteria file by its path, or what `criteria` gave."""


def classify(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    options: "ReadOptions | None" = None,
    threads: int | None = None,
) -> Classification:
    """Classify every patient of a study.

    Args:
        visits: The visits of the study: a file or a folder, a frame of polars, pandas or Arrow, a list with a dict per
            row, what `mapped` gave; or a `Cohort` or a `Classification`, which have been read already.
        patients: The patient table, in the same forms. None: there is none. Not allowed beside a study that has been
            read.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`. None: `atra_2022`,
            or the set of the `Classification`.
        options: How the tables are read. None: the defaults of `ReadOptions`. Not allowed beside a study that has been
            read.
        threads: The number of threads that decide. None: one per processor. The result does not depend on it.

    Returns:
        The results on every endpoint for every patient, with the observations they rest on. A `Classification` that is
        decided by the same set is returned as it is.

    Raises:
        CriteriaError: The criteria cannot be used.
        CohortError: The tables cannot be used; the error has every problem.
        UsageError: `patients` or `options` were given beside a study that has been read.

    Examples:
        >>> counts = {0: 15, 22: 40, 29: 45, 364: 50}
        >>> visits = [{"patient_id": "A", "day": day, "platelets": count} for day, count in counts.items()]
        >>> classify(visits, criteria="atra_2022").frame()["OR", "OR_day"].row(0)
        ('Y', 22)
    """
    definitions = criteria_of(visits, criteria)
    cohort = read_study(visits, patients, definitions.file.columns, options, definitions.rescue_names)
    if isinstance(visits, Classification) and definitions is visits.criteria:
        return visits
    cohort = noted(cohort, [definitions])
    return Classification(definitions, cohort, evaluate(definitions, cohort, threads))


def criteria_of(visits: Study, criteria: CriteriaInput | None) -> Criteria:
    """The given criteria, loaded; by default those of a `Classification`, else `atra_2022`."""
    if criteria is None:
        return visits.criteria if isinstance(visits, Classification) else load(DEFAULT_CRITERIA)
    return load(criteria)


def read_study(
    visits: Study,
    patients: Tabular | None,
    columns: Mapping[str, ColumnDeclared],
    options: "ReadOptions | None",
    rescue_names: Collection[str] = (),
) -> Cohort:
    """The cohort of a study; one that has not been read yet is read with these further columns and treatments.

    Raises `UsageError` for `patients` or `options` beside a study that has been read, and `CohortError` for one without
    patients as it was cut.
    """
    if not isinstance(visits, Classification | Cohort):
        # Imported where something is read: it takes longer than to decide a typed timeline.
        from itp_response.readers.visits import read

        cohort = read(visits, patients, options=options, columns=columns, rescue_names=rescue_names)
        check_in_study(cohort, len(cohort))
        return cohort
    for name, given in (("patients", patients), ("options", options)):
        if given is not None:
            type_name = type(visits).__name__
            sentence = f"{name}: a {type_name} has been read already; give the tables, or leave out {name!r}."
            raise UsageError(Problem(sentence, code=Code.ALREADY_READ, value=name))
    return visits.cohort if isinstance(visits, Classification) else visits


def rows_asked(long: bool, by_visit: bool) -> Rows:
    """What a row of the output is; raises `UsageError` where both are asked for."""
    if long and by_visit:
        raise UsageError("long and by_visit: a row is one of the two; leave out one of them.")
    return "endpoints" if long else "visits" if by_visit else "patients"


def as_option(rows: Rows) -> dict[str, bool]:
    """The same as an option of the provenance."""
    return {"by_visit": True} if rows == "visits" else {"long": rows == "endpoints"}


def check_in_study(cohort: Cohort, patients: int) -> None:
    """Raises `CohortError` for a study that was cut so early that it has no patients; the cohort says when."""
    if cohort.as_of is not None and not patients:
        sentence = f"{cohort.source}: as of {cohort.as_of}, no patient is in the study yet: every day 0 is later"
        raise CohortError(Problem(f"{sentence}; give a later date.", code=Code.NO_ROWS, file=cohort.source))


def labelled(name: str, verdict: Verdict) -> pl.Series:
    """The values of a verdict as a column of labels of that name."""
    return pl.Series(verdict.labels)[verdict.value.astype(np.int64)].alias(name)


def days_column(name: str, days: Any) -> pl.Series:
    """The days as a column of that name; `NO_DAY` is missing."""
    return pl.Series(name, days, dtype=pl.Int32).set(pl.Series(days == NO_DAY), None)


def _cell(label: str, day: int, reason: str) -> str:
    """A value with its day or, where it has none, its reason; `NA` and a `Y` without a day stand alone."""
    if label == "NA":
        return label
    if day != NO_DAY:
        return f"{label} d{day}"
    return label if label == "Y" else f"{label} {reason}"
