"""Near misses: whose verdict would have been another by how little, over a whole cohort."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification, CriteriaInput, Study, classify
from itp_response.classification.writers import write
from itp_response.cohort.values import Bools, Ints
from itp_response.evaluation.verdicts import Verdict
from itp_response.explanation.counterfactuals.search import Counterfactuals, asks, counterfactuals, frame
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.wording import aligned, counted
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions

SHOWN = 10
"""So many patients are shown of each endpoint."""


@dataclass(frozen=True)
class NearMisses:
    """What `near_misses` gives: the smallest change that would turn each verdict asked about."""

    found: Classification
    met: bool
    asked: Mapping[str, Ints]
    """By endpoint, the positions of the patients asked about."""
    _frame: pl.DataFrame

    def frame(self) -> pl.DataFrame:
        """A row per endpoint and patient asked about, by distance; last those whom no change tried would turn.

        `patient_id`, `arm`, `endpoint`, `value`, `reason`, `becomes`, `distance`, `change`, `day`, `before`, `after`,
        `file`, `line`, `says`, `clause`. From `becomes` on all is null where no change turns the verdict; `day` is null
        of what is of the patient, `before` and `after` where no count and no day is changed, `line` where the
        observation is not in the file yet, `clause` where it is when or how often that decides.
        """
        return self._frame

    def write(self, path: str | Path) -> None:
        """Write the frame to a `.csv`, `.json` or `.parquet` file, whole or not at all, with what made it beside it."""
        write(self._frame, path, self.found.provenance(met=self.met))

    def __str__(self) -> str:
        return self.text()

    def text(self, most: int = SHOWN) -> str:
        """The nearest patients of each endpoint, a line each."""
        return "\n".join(self._lines(most))

    def _lines(self, most: int) -> Iterator[str]:
        cohort, criteria = self.found.cohort, self.found.criteria
        yield f"{len(cohort):,} patients under {criteria.marked_name}: {criteria.file.title}"
        what = " with Y" if self.met else " with N or NE"
        for name, patients in self.asked.items():
            own = self._frame.filter(endpoint=name)
            near = own.drop_nulls("distance")
            told = counted(len(patients), "patient") + (what if criteria.endpoints[name].kind != "best" else "")
            yield f"\n{name}: {told}; a single change would turn {'none' if not len(near) else f'{len(near):,}'}"
            if len(near):
                yield _table(near.head(most))
            if len(near) > most:
                yield f"  and {len(near) - most:,} more; --output has them all"
        if cohort.partial is not None:
            yield f"\nnot asked: {counted(len(cohort.partial.patient), 'patient')} with dates known only in part"


def _table(near: pl.DataFrame) -> str:
    rows = [
        (
            one["patient_id"],
            f"{one['value']} -> {one['becomes']}",
            f"{one['distance']:.2f}",
            one["says"] + (f": {one['clause']}" if one["clause"] else ""),
        )
        for one in near.iter_rows(named=True)
    ]
    return aligned(rows, indent="  ")


def near_misses(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    endpoint: str | None = None,
    met: bool = False,
    options: ReadOptions | None = None,
) -> NearMisses:
    """Who came how near to another verdict: patients by the smallest change of one observation that would turn theirs.

    Of every endpoint that gives a verdict, or of one: those who are `N` or `NE`, and with `met` those who are `Y`,
    by how little would undo it. Of a best all, what would make it another.
    `visits`, `patients`, `criteria` and `options` are as in `classify`.
    Raises `UsageError` for an endpoint that is not there, or that tells a length alone.
    """
    found = classify(visits, patients, criteria, options=options)
    models = found.criteria.endpoints
    if endpoint is not None and endpoint not in models:
        raise UsageError(unknown("endpoint", endpoint, models))
    names = [name for name in models if asks(models[name])]
    if endpoint is not None and endpoint not in names:
        raise UsageError(f"{endpoint} tells a length, not a verdict that could turn; known: {', '.join(names)}.")
    names = names if endpoint is None else [endpoint]
    wanted = {name: _asked(found.verdicts[name], met) for name in names}
    if found.cohort.partial is not None:
        for verdict in wanted.values():
            verdict[found.cohort.partial.patient] = False
    some = np.flatnonzero(np.logical_or.reduce(list(wanted.values())))
    turning = counterfactuals(found, some, names)
    asked = {name: np.flatnonzero(where) for name, where in wanted.items()}
    return NearMisses(found, met, asked, _frame(found, turning, asked))


def _asked(verdict: Verdict, met: bool) -> Bools:
    if "Y" not in verdict.labels:
        return np.ones(len(verdict.value), dtype=np.bool_)
    labels = ("Y",) if met else ("N", "NE")
    found: Bools = np.isin(verdict.value, [verdict.labels.index(label) for label in labels])
    return found


def _frame(
    classification: Classification, turning: Mapping[str, Counterfactuals], asked: Mapping[str, Ints]
) -> pl.DataFrame:
    reasons = classification.criteria.reasons.names
    tables = []
    for name, patients in asked.items():
        verdict = classification.verdicts[name]
        nearest = turning[name].nearest
        of_asked = nearest.at(np.isin(nearest.changes.patient, patients))
        told = frame(classification, of_asked).with_columns(place=pl.Series(of_asked.changes.patient))
        whole = pl.DataFrame(
            {
                "place": patients,
                "patient_id": classification.cohort.id.gather(patients),
                "arm": classification.cohort.arm.gather(patients),
                "endpoint": pl.Series([name]).new_from_index(0, len(patients)),
                "value": pl.Series(verdict.labels).gather(verdict.value[patients].astype(np.int64)),
                "reason": pl.Series(reasons).gather(verdict.reason[patients].astype(np.int64)),
            }
        )
        rest = told.drop("patient_id", "arm", "endpoint", "value")
        tables.append(whole.join(rest, on="place", how="left", maintain_order="left"))
    joined = pl.concat(tables).sort("distance", nulls_last=True, maintain_order=True)
    return joined.drop("place")
