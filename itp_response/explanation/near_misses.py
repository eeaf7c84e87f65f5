"""Near misses: by how small a change each verdict of a cohort would have been another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification, CriteriaInput, Study, classify
from itp_response.classification.supplied import study_title, titled
from itp_response.classification.writers import write
from itp_response.cohort.values import Bools, Ints
from itp_response.evaluation.verdicts import Verdict
from itp_response.explanation.counterfactuals.search import (
    MOST_ROWS,
    Counterfactuals,
    nearest_counterfactuals,
    not_searched,
    with_many_rows,
)
from itp_response.explanation.counterfactuals.table import clause_in_words, counterfactual_table
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.results import DataResult, html_frame
from itp_response.messages.wording import aligned, counted, counted_patients
from itp_response.readers.options import ReadOptions
from itp_response.readers.tabular import Tabular

SHOWN = 10
"""The number of patients that are shown of each endpoint."""


@dataclass(frozen=True, repr=False)
class NearMisses(DataResult):
    """What `near_misses` gives: the smallest change that would change each verdict asked about.

    `str()` lists the nearest patients of each endpoint, `text(most)` at most that many.
    """

    classification: Classification
    met: bool
    """Asked about were the verdicts of `Y`."""
    patients: Mapping[str, Ints]
    """By endpoint, the positions of the patients asked about."""
    _frame: pl.DataFrame

    def frame(self) -> pl.DataFrame:
        """A row per endpoint and patient asked about, with the first change of `counterfactuals.ranking`.

        They are in the order of the distance; artefacts come after, and last those that no change tried would change.
        `patient_id`, `arm`, `endpoint`, `value`, `reason`, `becomes`, `distance`, `change`, `day`, `before`, `after`,
        `file`, `line`, `says`, `clause`, `clause_of`, `artefact`. From `becomes` on all is null where no change would
        do. `day` is null of what is of the patient, `before` and `after` where no count and no day changes, `line`
        where the observation is not in the file yet, `clause` where it is when or how often a clause holds that
        decides, and `clause_of` where the clause is one of the endpoint asked about.
        """
        return self._frame

    def write(self, path: str | Path) -> None:
        """Write the frame to a `.csv`, `.json` or `.parquet` file, whole or not at all, and its provenance."""
        write(self._frame, path, self.classification.provenance(met=self.met))

    def _headline(self) -> str:
        asked = f"{len(self._frame):,} results asked about in {counted_patients(len(self.classification.cohort))}"
        turned = f"{self._frame['becomes'].is_not_null().sum():,} would change by one observation"
        return f"{asked}, {turned}. {self.classification.criteria.response_definition}"

    def _pieces(self) -> Iterator[str]:
        shown = ("patient_id", "arm", "value", "becomes", "distance", "says")
        for name in self.patients:
            near = self._frame.filter(endpoint=name).drop_nulls("distance")
            if len(near):
                label = self.classification.criteria.labelled(name)
                yield html_frame(near.select(shown), title=label, rows=SHOWN)

    def _assumptions(self) -> list[str]:
        return self.classification.cohort.note_lines

    def __str__(self) -> str:
        return self.text()

    def text(self, most: int = SHOWN) -> str:
        """The nearest patients of each endpoint, a line each, at most that many."""
        return "\n".join(self._lines(most))

    def _lines(self, most: int) -> Iterator[str]:
        cohort, criteria = self.classification.cohort, self.classification.criteria
        yield titled(study_title(cohort), counted_patients(len(cohort)))
        yield criteria.response_definition
        with_verdict = " with Y" if self.met else " with N or NE"
        for name, patients in self.patients.items():
            near = self._frame.filter(endpoint=name).drop_nulls("distance")
            asked = counted(len(patients), "patient") + (with_verdict if not criteria.endpoints[name].is_ranked else "")
            reclassified = f"{len(near):,}" if len(near) else "none"
            yield f"\n{criteria.labelled(name)}: {asked}; a single change would reclassify {reclassified}"
            if len(near):
                yield _table(near.head(most))
            if len(near) > most:
                yield f"  and {len(near) - most:,} more; --output writes all of them"
        if len(cohort.incomplete):
            lack = "with partial dates" if cohort.left_out is None else "with excluded records or partial dates"
            yield f"\nnot analysed: {counted(len(cohort.incomplete), 'patient')} {lack}"
        many = with_many_rows(criteria, cohort)
        long = np.diff(cohort.first_row)[many] > MOST_ROWS
        if long.any():
            yield f"\nnot analysed: {counted(int(long.sum()), 'patient')} with more than {MOST_ROWS:,} observations"
        if not long.all():
            what = "censored counts that have too many combinations of values"
            yield f"\nnot analysed: {counted(int((~long).sum()), 'patient')} with {what}"
        if cohort.notes:
            yield from ("", *cohort.note_lines)


def _table(near: pl.DataFrame) -> str:
    rows = [
        (
            row["patient_id"],
            f"{row['value']} -> {row['becomes']}",
            f"{row['distance']:.2f}",
            row["says"] + clause_in_words(row),
        )
        for row in near.iter_rows(named=True)
    ]
    return aligned(rows, indent="  ")


def near_misses(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    endpoint: str | Sequence[str] | None = None,
    met: bool = False,
    options: ReadOptions | None = None,
) -> NearMisses:
    """List the patients by the smallest change of one observation that would change their result.

    Patients with partial dates and those with more than 1,500 observations are not asked about.

    Args:
        visits: The visits of the study: a file or a folder, a frame of polars, pandas or Arrow, a list with a dict per
            row, what `mapped` gave; or a `Cohort` or a `Classification`, which have been read already.
        patients: The patient table, in the same forms. None: there is none. Not allowed beside a study that has been
            read.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`. None: `atra_2022`,
            or the set of the `Classification`.
        endpoint: The endpoint to ask about. None: every endpoint that is not a length of time.
        met: Ask about the results of `Y`; else about those of `N` and `NE`. Of a `best` endpoint, all results are asked
            about.
        options: How the tables are read. None: the defaults of `ReadOptions`. Not allowed beside a study that has been
            read.

    Returns:
        The nearest change of each result asked about.

    Raises:
        UsageError: The endpoint is unknown or is a length of time, or `patients` or `options` were given beside a study
            that has been read.
        CriteriaError: The criteria cannot be used.
        CohortError: The tables cannot be used; the error has every problem.

    Examples:
        >>> counts = {0: 15, 21: 29, 28: 45, 42: 12, 364: 12}
        >>> visits = [
        ...     {"patient_id": "A", "day": day, "platelets": count, "bleeding_grade": 0}
        ...     for day, count in counts.items()
        ... ]
        >>> near_misses(visits, endpoint="OR").frame().select("value", "becomes", "says").row(0)
        ('N', 'Y', 'a count of 30 instead of 29 on day 21')
    """
    classification = classify(visits, patients, criteria, options=options)
    names = _names(classification, endpoint)
    asked = {name: _is_asked(classification.verdicts[name], met) for name in names}
    left_out = not_searched(classification.criteria, classification.cohort)
    for is_asked in asked.values():
        is_asked[left_out] = False
    counterfactuals = nearest_counterfactuals(classification, asked)
    positions = {name: np.flatnonzero(is_asked) for name, is_asked in asked.items()}
    return NearMisses(classification, met, positions, _frame(classification, counterfactuals, positions))


def _names(classification: Classification, endpoint: str | Sequence[str] | None) -> list[str]:
    """The endpoints asked about: all that give a verdict, or those named."""
    models = classification.criteria.endpoints
    names = [name for name, model in models.items() if not model.is_length]
    if endpoint is None:
        return names
    asked = [endpoint] if isinstance(endpoint, str) else list(dict.fromkeys(endpoint))
    for name in asked:
        if name not in models:
            raise UsageError(unknown("endpoint", name, models))
        if name not in names:
            raise UsageError(f"{name} is a duration, which a single change cannot reverse; known: {', '.join(names)}.")
    return asked


def _is_asked(verdict: Verdict, met: bool) -> Bools:
    if "Y" not in verdict.labels:
        labels: tuple[str, ...] = tuple(label for label in verdict.labels if label != "NA")
    else:
        labels = ("Y",) if met else ("N", "NE")
    is_asked: Bools = np.isin(verdict.value, [verdict.labels.index(label) for label in labels])
    return is_asked


def _frame(
    classification: Classification, counterfactuals: Mapping[str, Counterfactuals], patients: Mapping[str, Ints]
) -> pl.DataFrame:
    tables = [
        _of_endpoint(classification, name, counterfactuals[name], positions) for name, positions in patients.items()
    ]
    return pl.concat(tables).sort("artefact", "distance", nulls_last=True, maintain_order=True)


def _of_endpoint(classification: Classification, name: str, first: Counterfactuals, patients: Ints) -> pl.DataFrame:
    """The patients asked about (positions) with their verdict on an endpoint and the first change of it."""
    cohort, verdict = classification.cohort, classification.verdicts[name]
    changes = counterfactual_table(classification, first).drop("patient_id", "arm", "endpoint", "value")
    changes = changes.with_columns(position=pl.Series(first.edits.patient))
    verdicts = pl.DataFrame(
        {
            "position": patients,
            "patient_id": cohort.id.gather(patients),
            "arm": cohort.arm.gather(patients),
            "endpoint": pl.Series([name]).new_from_index(0, len(patients)),
            "value": pl.Series(verdict.labels).gather(verdict.value[patients].astype(np.int64)),
            "reason": pl.Series(classification.criteria.reasons.names).gather(
                verdict.reason[patients].astype(np.int64)
            ),
        }
    )
    return verdicts.join(changes, on="position", how="left", maintain_order="left").drop("position")
