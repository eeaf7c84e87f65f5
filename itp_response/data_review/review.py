"""Review: what a careful data manager would ask before lock; every finding with its place and its rule."""

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
from itp_response.data_review.data_queries import queries
from itp_response.data_review.edit_checks import COLUMNS, RULES, CheckedCohort
from itp_response.data_review.source_checks import Beside, beside
from itp_response.messages.wording import aligned, counted
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions


@dataclass(frozen=True)
class Review:
    """What is to be asked of a study; `str()` is a table for people, `frame()` the same as data."""

    found: Classification
    beside: Beside
    """What the study's tables have that decides no verdict."""

    @property
    def cohort(self) -> Cohort:
        return self.found.cohort

    @cached_property
    def _frame(self) -> pl.DataFrame:
        planned = np.unique(np.array(self.found.criteria.file.clock.visits, dtype=np.int64))
        seen = CheckedCohort(self.cohort, planned, self.beside.born, self.beside.died)
        found = [rule.find(seen).with_columns(pl.lit(rule.name).alias("rule")) for rule in RULES]
        findings = pl.concat([one.select(COLUMNS) for one in (*found, self.beside.findings)])
        ids = self.cohort.id.alias("patient_id").to_frame().with_row_index("place")
        placed = findings.join(ids, on="patient_id", how="left", maintain_order="left")
        return placed.sort("place", "day", maintain_order=True, nulls_last=True).drop("place")

    def frame(self) -> pl.DataFrame:
        """A row per finding, by patient and day.

        `patient_id`, `rule`, `day`, `file`, `line`, `column`, `value` as recorded (null: nothing was), `says`.
        """
        return self._frame

    @cached_property
    def _queries(self) -> pl.DataFrame:
        return queries(self.found)

    def queries(self) -> pl.DataFrame:
        """A row per patient and endpoint that is not evaluable: which single observation would settle it.

        `patient_id`, `endpoint`, `reason`, `settled_by` (null: no single one would), `day`, `file`, `line` (null: not
        in the file yet), `asks`, `also` (how many other single observations would do as well).
        """
        return self._queries

    def write(self, path: str | Path) -> None:
        """Write `frame()` to a `.csv`, `.json` or `.parquet` file, whole or not at all."""
        write(self.frame(), path, self.found.provenance())

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        found = self.frame()
        patients = counted(found["patient_id"].n_unique(), "patient")
        yield f"{counted(len(found), 'finding')} in {patients} of {len(self.cohort):,}"
        word = f"{self.cohort.number_word} " if self.cohort.number_word else ""
        place = said(f"{{}} {word}{{}}", found["file"], found["line"])
        cells = zip(found["patient_id"], found["rule"], found["says"], place, strict=True)
        if len(found):
            yield aligned([[f"  {patient}", rule, says, where] for patient, rule, says, where in cells])
        if self.cohort.notes:
            yield from ("", *self.cohort.note_lines)


def review(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    options: ReadOptions | None = None,
) -> Review:
    """What is to be asked of a study before it is decided: findings, and queries on what is not evaluable.

    `visits`, `patients`, `criteria` and `options` are as in `classify`. A `Cohort` and a `Classification` have no dates
    of birth and death, no bleeding without a grade and no reasons for rescue, so that these are not looked at.
    `criteria` gives the planned visits, and the verdicts that the queries are about.
    """
    classification = classify(visits, patients, criteria, options=options)
    date_format = None if options is None else options.date_format
    return Review(classification, beside(visits, patients, classification.cohort, date_format))
