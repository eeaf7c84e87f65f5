"""Review: the data queries that a careful data manager would raise before database lock."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification, CriteriaInput, Study, classify
from itp_response.classification.under_a_set import entry_in_words
from itp_response.classification.writers import write
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import said
from itp_response.cohort.values import NONE
from itp_response.data_review.data_queries import data_queries
from itp_response.data_review.edit_checks import COLUMNS, EDIT_CHECKS, Baselines, CheckedCohort, Confirmed
from itp_response.data_review.query_log import query_log, write_query_log
from itp_response.data_review.source_checks import ASKS, SourceChecks, source_checks
from itp_response.data_review.source_checks import PRIORITIES as OF_SOURCE_CHECKS
from itp_response.data_review.systematic import ALL_IN_WORDS, ALL_PATIENTS, systematic, systematic_checks
from itp_response.evaluation.eligibility import entered
from itp_response.messages.results import DataResult, html_frame
from itp_response.messages.wording import aligned, counted, counted_patients, one_line, wrapped
from itp_response.readers.options import DEFAULTS, ReadOptions
from itp_response.readers.tabular import Tabular

ADDED = ("query_id", "priority")
PRIORITY = {check.name: check.priority for check in EDIT_CHECKS} | OF_SOURCE_CHECKS
"""The priority of each edit check."""


@dataclass(frozen=True, repr=False)
class Review(DataResult):
    """The data queries of a study; `str()` lists them for people, `query_log()` is a list that a site can answer."""

    classification: Classification
    source_checks: SourceChecks
    """The checks of the study's tables, beside those of the cohort."""

    @property
    def cohort(self) -> Cohort:
        return self.classification.cohort

    @cached_property
    def _frame(self) -> pl.DataFrame:
        checked = self._checked
        of_cohort = [check.fire(checked).with_columns(pl.lit(check.name).alias("check")) for check in EDIT_CHECKS]
        fired = pl.concat([frame.select(COLUMNS) for frame in (*of_cohort, self.source_checks.fired)])
        positions = self.cohort.id.alias("patient_id").to_frame().with_row_index("position")
        fired = fired.join(positions, on="patient_id", how="left", maintain_order="left")
        fired = fired.sort("position", "day", maintain_order=True, nulls_last=True).drop("position")
        systematic = pl.col("check").is_in(systematic_checks(fired, self._looked_at))
        of_whom = pl.when(systematic).then(pl.lit(ALL_PATIENTS)).otherwise("patient_id")
        fired = self._with_dates(fired).with_columns(
            query_id=pl.format("{}.{}", of_whom, "check"),
            priority=pl.col("check").replace_strict(PRIORITY, return_dtype=pl.String),
        )
        return fired.select("query_id", "priority", *(name for name in fired.columns if name not in ADDED))

    @cached_property
    def _checked(self) -> CheckedCohort:
        planned = np.unique(np.array(self.classification.criteria.file.clock.visits, dtype=np.int64))
        source = self.source_checks
        return CheckedCohort(
            self.cohort, self._baselines(), planned, source.born, source.died, tuple(self._confirmed())
        )

    def _baselines(self) -> Baselines:
        criteria, patient_days = self.classification.criteria, self.classification.patient_days
        row = np.full(len(self.cohort), NONE)
        rows = patient_days.rows_of_baseline
        row[patient_days.patient[rows]] = rows  # the last assignment stands
        how = entered(criteria.eligibility, criteria.baseline.days, patient_days)
        limit = entry_in_words(criteria) if criteria.eligibility else ""
        return Baselines(patient_days.baseline, row, how, limit)

    @cached_property
    def _looked_at(self) -> dict[str, tuple[int, str]]:
        """How many records each check looks at, and what they are."""
        of_cohort = {check.name: (self._checked.looked_at(check.of), check.of) for check in EDIT_CHECKS}
        return of_cohort | dict(self.source_checks.looked_at)

    def _with_dates(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with the `date` of each `day` beside it; null: it has no day, or day 0 has no date."""
        cohort = self.cohort
        day_0 = pl.DataFrame({"patient_id": cohort.id, "day_0": cohort.day_0.astype("datetime64[D]")})
        frame = frame.join(day_0, on="patient_id", how="left", maintain_order="left")
        date = frame.select((pl.col("day_0") + pl.duration(days="day")).cast(pl.Date).alias("date")).to_series()
        return frame.drop("day_0").insert_column(frame.columns.index("day") + 1, date)

    def _confirmed(self) -> Iterator[Confirmed]:
        """The endpoints that last and are confirmed by a second count."""
        for name, verdict in self.classification.verdicts.items():
            model = self.classification.criteria.endpoints[name]
            if model.is_confirmed and model.lasts:
                yield Confirmed(name, verdict.onset, verdict.confirming)

    def frame(self) -> pl.DataFrame:
        """A row for each observation at which an edit check fires, by patient and day.

        `query_id` (the same for all findings of a check about a patient; of a check that fires at most of what it looks
        at, the same for all patients), `priority` (`high`: a result may change;
        `medium`: something may be missing; `low`), `patient_id`, `check`, `day`, `date` (null where day 0 has none),
        `file`, `line`, `column`, `value` as recorded (null: nothing was), `says`.
        """
        return self._frame

    @cached_property
    def _data_queries(self) -> pl.DataFrame:
        queries = self._with_dates(data_queries(self.classification))
        cause = pl.coalesce("settled_by", "reason")
        on_day = pl.when(pl.col("day").is_null()).then(pl.lit("")).otherwise(pl.format(".{}", "day"))
        query_id = queries.select(pl.format("{}.{}{}", "patient_id", cause, on_day).alias("query_id")).to_series()
        return queries.insert_column(0, query_id)

    def data_queries(self) -> pl.DataFrame:
        """A row per patient and endpoint that is not evaluable: which single observation would settle it.

        `query_id` (the same for all endpoints that wait for one observation), `patient_id`, `endpoint`, `reason`,
        `settled_by` (null: no single observation would), `day`, `date`, `file`, `line` (null: not in the file yet),
        `asks`, `also` (how many other single observations would settle it as well).
        """
        return self._data_queries

    def query_log(self) -> pl.DataFrame:
        """A row per query, one per patient and cause, for a site to answer: those of high priority first.

        A check that fires at more than half of what it looks at, and ten times or more, asks about how the study is
        recorded: it is one query for all patients, without `patient_id` and places. `frame` has each finding.

        `query_id`, `priority`, `patient_id`, `cause` (the edit check, or `not_evaluable`), `question`, `observations`
        (how many it is about), their `days`, `dates`, `places` and `values` (texts, separated by semicolons), the
        `endpoints` that are not evaluable without an answer, `status` (`open`), and `answer`, `answered_by`,
        `answered_on`, which are empty.
        """
        return self._query_log

    @cached_property
    def _query_log(self) -> pl.DataFrame:
        queries = self._data_queries
        in_file = queries["line"].is_not_null()
        return query_log(
            self._frame.with_columns(place=self._places(self._frame)),
            self._systematic,
            queries.with_columns(place=self._places(queries).set(~in_file, None)),
            self.cohort,
        )

    @cached_property
    def _systematic(self) -> pl.DataFrame:
        return systematic(self._frame, self._looked_at, {check.name: check.asks for check in EDIT_CHECKS} | ASKS)

    def listed(self) -> pl.DataFrame:
        """The findings as they are listed for people: `patient_id`, `check`, `says`, `place`.

        Those of a check that fires at most of what it looks at are one row, first, with their number.
        """
        columns = ("patient_id", "check", "says", "place")
        alone = self._frame.with_columns(place=self._places(self._frame)).filter(
            ~pl.col("check").is_in(self._systematic["check"].to_list())
        )
        together = self._systematic.with_columns(
            patient_id=pl.lit(ALL_IN_WORDS), says="question", place=pl.lit(None, dtype=pl.String)
        )
        return pl.concat([together.select(columns), alone.select(columns)])

    def write(self, path: str | Path) -> None:
        """Write `frame()` to a `.csv`, `.json` or `.parquet` file, whole or not at all, with its provenance."""
        write(self.frame(), path, self.classification.provenance())

    def write_query_log(self, path: str | Path) -> None:
        """Write `query_log()` to a `.csv`, `.xlsx`, `.json` or `.parquet` file, whole or not at all.

        A text that a spreadsheet would take for a formula has an apostrophe before it in `.csv`. `.xlsx` needs the
        extra `excel`.
        """
        write_query_log(self.query_log(), path, self.classification.provenance())

    def sources(self) -> pl.Series:
        """Where each row of `frame()` stands, `visits.csv line 12`."""
        return self._places(self._frame)

    def _places(self, frame: pl.DataFrame) -> pl.Series:
        word = f"{self.cohort.number_word} " if self.cohort.number_word else ""
        return said(f"{{}} {word}{{}}", frame["file"], frame["line"]).set(frame["file"].is_null(), None)

    def _headline(self) -> str:
        return f"{self._number_of_queries()}. {self.classification.criteria.response_definition}"

    def _number_of_queries(self) -> str:
        patients = pl.concat([self._frame["patient_id"], self._data_queries["patient_id"]]).n_unique()
        of_all = f"{counted_patients(len(self.cohort))}{self.cohort.as_of_in_words}"
        return f"Data queries: {len(self.query_log()):,}, about {patients:,} of {of_all}"

    def _pieces(self) -> Iterator[str]:
        columns = ("priority", "patient_id", "cause", "question", "places")
        yield html_frame(self.query_log().select(columns), title="Data queries")

    def _assumptions(self) -> list[str]:
        return self.cohort.note_lines

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _causes(self) -> Iterator[tuple[str, str, str, str]]:
        """Each cause of queries with its priority, its patients and its observations."""
        in_all = dict(self._systematic.select("check", "patients").iter_rows())
        causes = self.query_log().group_by("priority", "cause", maintain_order=True)
        for priority, cause, patients, number in causes.agg(
            pl.col("patient_id").n_unique(), pl.col("observations").sum()
        ).iter_rows():
            yield priority, cause, counted_patients(in_all.get(cause, patients)), counted(number, "observation")

    def _lines(self) -> Iterator[str]:
        log = self.query_log()
        yield self._number_of_queries()
        if len(log):
            yield aligned(list(self._causes()), indent="  ")
            columns = ("patient_id", "priority", "cause", "question", "places")
            for patient, priority, cause, question, places in log.select(columns).iter_rows():
                yield from ("", one_line(f"{patient or ALL_IN_WORDS}  {priority}  {cause}"))
                place = "" if places is None else f" ({places.partition(';')[0]})"
                yield from wrapped(f"{question}{place}", first="  ", further="  ")
        if self.cohort.notes:
            yield from ("", *self.cohort.note_lines)


def review(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    options: ReadOptions | None = None,
) -> Review:
    """Review a study before analysis: edit checks, and data queries on results that are not evaluable.

    `criteria` gives the planned visits, and the results that the data queries are about. A `Cohort` and a
    `Classification` hold no dates of birth and death, no bleeding without a grade and no reasons for rescue, so these
    are not checked.

    Args:
        visits: The visits of the study: a file or a folder, a frame of polars, pandas or Arrow, a list with a dict per
            row, what `mapped` gave; or a `Cohort` or a `Classification`, which have been read already.
        patients: The patient table, in the same forms. None: there is none. Not allowed beside a study that has been
            read.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`. None: `atra_2022`,
            or the set of the `Classification`.
        options: How the tables are read. None: the defaults of `ReadOptions`. Not allowed beside a study that has been
            read.

    Returns:
        The edit checks that fired and the data queries.

    Raises:
        CohortError: The tables cannot be used, or a birth or a death is not a date.
        CriteriaError: The criteria cannot be used.
        UsageError: `patients` or `options` were given beside a study that has been read.

    Examples:
        >>> counts = {0: 15, 7: 20, 14: 200, 21: 22, 28: 25}
        >>> visits = [{"patient_id": "A", "day": day, "platelets": count} for day, count in counts.items()]
        >>> reviewed = review(visits)
        >>> reviewed.frame().select("check", "day", "says").row(0)
        ('ten_times_off', 14, 'Platelet count of 200 on day 14, between 20 and 22: is it wrong by a factor of ten?')
    """
    classification = classify(visits, patients, criteria, options=options)
    options = (options or DEFAULTS).with_names(classification.criteria.rescue_names)
    if not isinstance(visits, Classification | Cohort):
        visits, patients = options.opened(visits, patients)
    return Review(classification, source_checks(visits, patients, classification.cohort, options))
