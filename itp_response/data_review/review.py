"""Review: what a careful data manager would ask of a study before lock."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification, CriteriaInput, Study, classify
from itp_response.classification.writers import write
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.texts import said
from itp_response.data_review.data_queries import data_queries
from itp_response.data_review.edit_checks import COLUMNS, EDIT_CHECKS, CheckedCohort, Confirmed
from itp_response.data_review.source_checks import SourceChecks, source_checks
from itp_response.messages.results import DataResult, html_frame, html_paragraph
from itp_response.messages.wording import aligned, counted
from itp_response.readers.files import Tabular
from itp_response.readers.options import DEFAULTS, ReadOptions


@dataclass(frozen=True, repr=False)
class Review(DataResult):
    """What is to be asked about a study; `str()` is a table for people, `frame()` the same as data."""

    classification: Classification
    source_checks: SourceChecks
    """The checks of the study's tables, beside those of the cohort."""

    @property
    def cohort(self) -> Cohort:
        return self.classification.cohort

    @cached_property
    def _frame(self) -> pl.DataFrame:
        planned = np.unique(np.array(self.classification.criteria.file.clock.visits, dtype=np.int64))
        checked = CheckedCohort(
            self.cohort, planned, self.source_checks.born, self.source_checks.died, tuple(self._confirmed())
        )
        of_cohort = [check.fire(checked).with_columns(pl.lit(check.name).alias("check")) for check in EDIT_CHECKS]
        fired = pl.concat([frame.select(COLUMNS) for frame in (*of_cohort, self.source_checks.fired)])
        positions = self.cohort.id.alias("patient_id").to_frame().with_row_index("position")
        fired = fired.join(positions, on="patient_id", how="left", maintain_order="left")
        return fired.sort("position", "day", maintain_order=True, nulls_last=True).drop("position")

    def _confirmed(self) -> Iterator[Confirmed]:
        """The endpoints that last and are confirmed by a second count."""
        for name, verdict in self.classification.verdicts.items():
            model = self.classification.criteria.endpoints[name]
            if model.is_confirmed and model.lasts:
                yield Confirmed(name, verdict.onset, verdict.confirming)

    def frame(self) -> pl.DataFrame:
        """A row for each observation at which an edit check fires, by patient and day.

        `patient_id`, `check`, `day`, `file`, `line`, `column`, `value` as recorded (null: nothing was), `says`.
        """
        return self._frame

    @cached_property
    def _data_queries(self) -> pl.DataFrame:
        return data_queries(self.classification)

    def data_queries(self) -> pl.DataFrame:
        """A row per patient and endpoint that is not evaluable: which single observation would settle it.

        `patient_id`, `endpoint`, `reason`, `settled_by` (null: no single observation would), `day`, `file`, `line`
        (null: not in the file yet), `asks`, `also` (how many other single observations would settle it as well).
        """
        return self._data_queries

    def write(self, path: str | Path) -> None:
        """Write `frame()` to a `.csv`, `.json` or `.parquet` file, whole or not at all, with its provenance."""
        write(self.frame(), path, self.classification.provenance())

    def sources(self) -> pl.Series:
        """Where each row of `frame()` stands, `visits.csv line 12`."""
        word = f"{self.cohort.number_word} " if self.cohort.number_word else ""
        return said(f"{{}} {word}{{}}", self.frame()["file"], self.frame()["line"])

    def _headline(self) -> str:
        fired = self.frame()
        patients = f"{fired['patient_id'].n_unique():,} of {len(self.cohort):,} patients"
        checks = counted(len(fired), "edit check", digits=True)
        return f"{checks} fired, in {patients}. {self.classification.criteria.response_definition}"

    def _pieces(self) -> Iterator[str]:
        shown = self.frame().select("patient_id", "check", "day", "says").with_columns(record=self.sources())
        yield html_frame(shown, title="Edit checks that fired")
        yield html_paragraph("The data queries on results that are not evaluable: .data_queries().")

    def _assumptions(self) -> list[str]:
        return self.cohort.note_lines

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        fired = self.frame()
        patients = counted(fired["patient_id"].n_unique(), "patient")
        yield f"{counted(len(fired), 'finding')} in {patients} of {len(self.cohort):,}"
        if len(fired):
            columns = (fired["patient_id"], fired["check"], fired["says"], self.sources())
            yield aligned(list(zip(*columns, strict=True)), indent="  ")
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
        ('ten_times_off', 14, '200 on day 14 between 20 and 22: is it ten times off?')
    """
    classification = classify(visits, patients, criteria, options=options)
    options = (options or DEFAULTS).with_names(classification.criteria.rescue_names)
    if not isinstance(visits, Classification | Cohort):
        visits, patients = options.opened(visits, patients)
    return Review(classification, source_checks(visits, patients, classification.cohort, options))
