"""Sensitivity: every reading of a set, on one cohort; whose verdict depends on which."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itp_response.classify import Classification, aligned, labelled, write
from itp_response.cohort import Cohort, Ints
from itp_response.compare import SHOWN, counted_patients, described, read_for
from itp_response.criteria import Criteria, load
from itp_response.errors import UsageError
from itp_response.evaluate import evaluate
from itp_response.verdicts import Verdict, Y

if TYPE_CHECKING:
    import polars as pl

TOGETHER = "all together"


@dataclass(frozen=True)
class Sensitivity:
    """The verdicts on a cohort as the file has it, and under each of its readings; `str()` is the report."""

    base: Classification
    under: Mapping[str, Classification]
    """By reading, in the order of the file; then, if asked for, all together."""

    @property
    def cohort(self) -> Cohort:
        return self.base.cohort

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The criteria that have a verdict: not the lengths of time."""
        return tuple(name for name, verdict in self.base.verdicts.items() if verdict.days is None)

    def changed(self, reading: str, name: str) -> Ints:
        """The positions of the patients whose verdict on a criterion is another under a reading."""
        if name not in self.under[reading].verdicts:
            return np.arange(len(self.cohort))
        before, after = (labelled(name, found.verdicts[name]) for found in (self.base, self.under[reading]))
        return np.flatnonzero((before != after).to_numpy())

    def frame(self) -> "pl.DataFrame":
        """One row per reading, criterion and verdict.

        `reading` (missing: as the file has it), `criterion`, `verdict`, `patients`, and of the `Y` `arm_difference`:
        the share of the first arm that is `Y` less that of the second, where there are two; `NE` counts as not met.
        """
        import polars as pl

        rows = [
            (reading, name, label, number, self._difference(found.verdicts[name]) if label == "Y" else None)
            for reading, found in ((None, self.base), *self.under.items())
            for name in self.names
            if name in found.verdicts
            for label, number in _counts(found.verdicts[name]).items()
        ]
        columns = {
            "reading": pl.String,
            "criterion": pl.String,
            "verdict": pl.String,
            "patients": pl.Int64,
            "arm_difference": pl.Float64,
        }
        return pl.DataFrame(rows, schema=columns, orient="row")

    def dependent(self) -> "pl.DataFrame":
        """One row per patient, criterion and reading that changes his verdict.

        `patient_id`, `arm`, `criterion`, `verdict`, `reading`, `verdict_under`.
        """
        import polars as pl

        found = []
        for reading, under in self.under.items():
            for name in self.names:
                at = self.changed(reading, name)
                if len(at) and name in under.verdicts:
                    before, after = (labelled(name, one.verdicts[name]) for one in (self.base, under))
                    columns = [
                        self.cohort.id[at].alias("patient_id"),
                        self.cohort.arm[at].alias("arm"),
                        before[at].alias("verdict"),
                        after[at].alias("verdict_under"),
                    ]
                    named = (pl.lit(name).alias("criterion"), pl.lit(reading).alias("reading"))
                    found.append(pl.DataFrame(columns).with_columns(named).select(DEPENDENT))
        return pl.concat(found) if found else pl.DataFrame(schema=dict.fromkeys(DEPENDENT, pl.String))

    def write(self, path: str | Path) -> None:
        """Write `dependent()` to a `.csv`, `.json` or `.parquet` file, whole or not at all."""
        write(self.dependent(), path)

    @cached_property
    def arms(self) -> tuple[str, ...]:
        """The two arms, in the order in which they come; none where there are not two."""
        arms = self.cohort.arm.drop_nulls().unique(maintain_order=True).to_list()
        return tuple(arms) if len(arms) == 2 else ()

    def _difference(self, verdict: Verdict) -> float | None:
        if not self.arms:
            return None
        met = verdict.value == Y
        first, second = ((self.cohort.arm == arm).fill_null(value=False).to_numpy() for arm in self.arms)
        return float(met[first].mean() - met[second].mean())

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        criteria = self.base.criteria
        yield f"{described(self.cohort)} under {criteria.name}: {criteria.title}"
        yield f"{len(criteria.file.reading)} readings that were not taken, one at a time{self._also()}"
        yield ""
        yield aligned([["", *self.names], ["as the file has it", *map(self._said, self.names)], *self._changing()])
        unmoved = [reading for reading in self.under if not any(len(self.changed(reading, one)) for one in self.names)]
        for reading in unmoved:
            yield f"{reading}: the answer does not depend on it"
        if self.arms:
            yield ""
            first, second = self.arms
            yield f"Y in {first} less Y in {second}, in percentage points; those not evaluable count as not met"
            yield aligned(list(self._arm_table()))
        yield ""
        yield from self._patients()

    def _also(self) -> str:
        return ", then all together" if TOGETHER in self.under else ""

    def _said(self, name: str) -> str:
        return " ".join(f"{label} {number:,}" for label, number in _counts(self.base.verdicts[name]).items())

    def _changing(self) -> Iterator[list[str]]:
        """Per reading that changes something, by how much each verdict grows or falls."""
        for reading, found in self.under.items():
            cells = []
            for name in self.names:
                number = len(self.changed(reading, name))
                if not number or name not in found.verdicts:
                    cells.append("" if not number else "no longer there")
                    continue
                before, after = _counts(self.base.verdicts[name]), _counts(found.verdicts[name])
                moves = {one: after.get(one, 0) - before.get(one, 0) for one in dict.fromkeys([*before, *after])}
                said = " ".join(f"{one} {move:+,}" for one, move in moves.items() if move)
                cells.append(said or f"{number:,} change places")
            if any(cells):
                yield [reading, *cells]

    def _arm_table(self) -> Iterator[list[str]]:
        names = [name for name in self.names if self.base.verdicts[name].labels[Y] == "Y"]
        base = {name: self._difference(self.base.verdicts[name]) for name in names}
        yield ["", *names]
        yield ["as the file has it", *(f"{100 * (base[name] or 0):+.1f}" for name in names)]
        for reading, found in self.under.items():
            moved = []
            for name in names:
                after = self._difference(found.verdicts[name]) if name in found.verdicts else None
                before = base[name]
                moved.append("" if after is None or before is None or after == before else f"{100 * after:+.1f}")
            if any(moved):
                yield [reading, *moved]

    def _patients(self) -> Iterator[str]:
        import polars as pl

        dependent = self.dependent().filter(pl.col("reading") != TOGETHER)
        if not len(dependent):
            yield "Nobody's verdict depends on a reading."
            return
        listed = dependent.group_by("patient_id", "criterion", "verdict", maintain_order=True).agg(
            pl.concat_str("reading", pl.lit(" "), "verdict_under")
        )
        number = dependent["patient_id"].n_unique()
        same = counted_patients(len(self.cohort) - number)
        yield f"Some verdict of {counted_patients(number)} depends on a reading; {same} come out the same under each."
        ids = self.cohort.id.alias("patient_id").to_frame().with_row_index("place")
        listed = listed.join(ids, on="patient_id").sort("place", maintain_order=True).drop("place")
        rows = listed.head(SHOWN).iter_rows()
        yield aligned([[f"  {patient}", f"{name} {value}", ", ".join(by)] for patient, name, value, by in rows])
        if len(listed) > SHOWN:
            yield f"  and {len(listed) - SHOWN:,} more; --output has them all"


def _counts(verdict: Verdict) -> dict[str, int]:
    """How many patients have each verdict; those nobody has are left out."""
    numbers = np.bincount(verdict.value, minlength=len(verdict.labels)).tolist()
    return {label: number for label, number in zip(verdict.labels, numbers, strict=True) if number}


DEPENDENT = ("patient_id", "arm", "criterion", "verdict", "reading", "verdict_under")


def sensitivity(
    visits: Any,
    patients: Any = None,
    criteria: str | Path | Criteria = "atra_2022",
    *,
    together: bool = False,
    date_format: str | None = None,
    bleeding: Any = None,
    threads: int | None = None,
) -> Sensitivity:
    """The verdicts on a cohort under each reading of a set, one at a time, and with `together` under all at once.

    The data are read once. `visits` is a `Cohort`, or whatever `read` takes. Where two readings change the same key,
    all together has what the later one in the file says.
    Raises `UsageError` if the set has no readings.
    """
    base = criteria if isinstance(criteria, Criteria) else load(criteria)
    if not base.file.reading:
        raise UsageError(f"{base.path.name}: this set has no readings.")
    readings = {reading.id: base.under(reading.id) for reading in base.file.reading if reading.change}
    if together:
        readings[TOGETHER] = base.under(*readings)
    cohort = read_for([base, *readings.values()], visits, patients, date_format=date_format, bleeding=bleeding)
    found = {name: Classification(one, cohort, evaluate(one, cohort, threads)) for name, one in readings.items()}
    return Sensitivity(Classification(base, cohort, evaluate(base, cohort, threads)), found)
