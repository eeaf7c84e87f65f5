"""Sensitivity: every interpretation of a set, on one cohort; whose verdict depends on which."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from itp_response.classification.classification import (
    Classification,
    CriteriaInput,
    Study,
    criteria_of,
    labelled,
    read_study,
)
from itp_response.classification.writers import write
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import Ints
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import evaluate, is_length
from itp_response.evaluation.verdicts import Verdict, Y
from itp_response.messages.errors import CohortError, CriteriaError, UsageError
from itp_response.messages.wording import aligned, counted, counted_patients, listed, wrapped
from itp_response.outputs.comparison.compare import described
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions

TOGETHER = "all together"
SHOWN = 10
"""So many of those whose verdict depends on an interpretation are in the text; all are in the frame."""


@dataclass(frozen=True)
class Sensitivity:
    """The verdicts on a cohort as the file has it, and under each of its interpretations; `str()` is the report.

    `base` is the `Classification` as the file has it, `under` has one for each interpretation but those of `untried`.
    """

    base: Classification
    under: Mapping[str, Classification]
    """By interpretation, in the order of the file; then, if asked for, `all together`."""
    untried: Mapping[str, str] = field(default_factory=dict)
    """Why an interpretation was not tried: it has no change in the file, or cannot decide what was read."""

    @property
    def cohort(self) -> Cohort:
        return self.base.cohort

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The criteria that have a verdict: not the lengths of time."""
        return tuple(name for name, model in self.base.criteria.endpoints.items() if not is_length(model))

    def changed(self, interpretation: str, name: str) -> Ints:
        """The positions of the patients whose verdict on an endpoint is another under an interpretation.

        All, where the interpretation takes the endpoint out.
        """
        if name not in self.under[interpretation].verdicts:
            return np.arange(len(self.cohort))
        before, after = (labelled(name, found.verdicts[name]) for found in (self.base, self.under[interpretation]))
        return np.flatnonzero((before != after).to_numpy())

    def frame(self) -> pl.DataFrame:
        """One row per interpretation, endpoint and verdict.

        `interpretation` (missing: as the file has it), `endpoint`, `verdict`, `patients`, and of the `Y` `arm_difference`:
        the share of the first arm that is `Y` less that of the second, -1 to 1, where there are two; `NE` counts as not
        met. Verdicts that nobody has are left out, but for `Y`.
        """
        rows = [
            (interpretation, name, label, number, self._difference(found.verdicts[name]) if label == "Y" else None)
            for interpretation, found in ((None, self.base), *self.under.items())
            for name in self.names
            if name in found.verdicts
            for label, number in _counts(found.verdicts[name], always="Y").items()
        ]
        columns = {
            "interpretation": pl.String,
            "endpoint": pl.String,
            "verdict": pl.String,
            "patients": pl.Int64,
            "arm_difference": pl.Float64,
        }
        return pl.DataFrame(rows, schema=columns, orient="row")

    def dependent(self) -> pl.DataFrame:
        """One row per patient, endpoint and interpretation that changes his verdict to another.

        `patient_id`, `arm`, `endpoint`, `verdict`, `interpretation`, `verdict_under`.
        """
        found = []
        for interpretation, under in self.under.items():
            for name in self.names:
                at = self.changed(interpretation, name)
                if len(at) and name in under.verdicts:
                    before, after = (labelled(name, one.verdicts[name]) for one in (self.base, under))
                    columns = [
                        self.cohort.id[at].alias("patient_id"),
                        self.cohort.arm[at].alias("arm"),
                        before[at].alias("verdict"),
                        after[at].alias("verdict_under"),
                    ]
                    named = (pl.lit(name).alias("endpoint"), pl.lit(interpretation).alias("interpretation"))
                    found.append(pl.DataFrame(columns).with_columns(named).select(DEPENDENT))
        return pl.concat(found) if found else pl.DataFrame(schema=dict.fromkeys(DEPENDENT, pl.String))

    def write(self, path: str | Path) -> None:
        """Write `dependent()` to a `.csv`, `.json` or `.parquet` file, whole or not at all."""
        write(self.dependent(), path, self.base.provenance(interpretations=list(self.under)))

    @cached_property
    def arms(self) -> tuple[str, ...]:
        """The two arms, in the order in which they come; none where there are one or three."""
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
        single = [interpretation for interpretation in self.under if interpretation != TOGETHER]
        also = ", then all together" if TOGETHER in self.under else ""
        yield f"tried: {counted(len(single), 'interpretation')} that the file does not take, one at a time{also}"
        for interpretation, why in self.untried.items():
            yield from wrapped(f"not tried: {interpretation}: {why}")
        if self.arms:
            first, second = self.arms
            yield f"points: Y in {first} less Y in {second}, in per cent of each; not evaluable counts as not met"
        yield ""
        yield aligned(list(self._table()))
        yield ""
        for interpretation in single:
            yield from self._other_lengths(interpretation)
        unmoved = [interpretation for interpretation in single if not self._moves(interpretation)]
        if unmoved:
            yield from wrapped(f"The answer does not depend on {listed(unmoved, 'or')}.")
        yield from self._patients()
        if self.cohort.notes:
            yield from ("", *self.cohort.told)

    def _table(self) -> Iterator[list[str]]:
        """Per endpoint its verdicts, and below it each interpretation that changes some: whose, and what grows or falls."""
        for name in self.names:
            base = self.base.verdicts[name]
            said = "  ".join(f"{label} {number:,}" for label, number in _counts(base).items())
            yield [name, "", said, self._points(base)]
            for interpretation, found in self.under.items():
                number = len(self.changed(interpretation, name))
                if name not in found.verdicts:
                    yield [f"  {interpretation}", "no longer there"]
                elif number:
                    moves = _moves(base, found.verdicts[name])
                    points = self._points(found.verdicts[name])
                    yield [f"  {interpretation}", counted_patients(number), moves, points]

    def _points(self, verdict: Verdict) -> str:
        """The difference of the arms in percentage points, where there are two and the verdict can be `Y`."""
        difference = self._difference(verdict) if verdict.labels[Y] == "Y" else None
        return "" if difference is None else f"{100 * difference:+.1f} points"

    def _moves(self, interpretation: str) -> bool:
        """Does the interpretation change a verdict, or a length of time."""
        return bool(self._lengths(interpretation)) or any(
            len(self.changed(interpretation, name)) for name in self.names
        )

    def _lengths(self, interpretation: str) -> dict[str, int]:
        """How many patients have another length of time under an interpretation, by endpoint that gives any."""
        numbers: dict[str, int] = {}
        for name, verdict in self.under[interpretation].verdicts.items():
            before, after = self.base.verdicts[name].days, verdict.days
            if name not in self.names and before is not None and after is not None:
                numbers[name] = int((before != after).sum())
        return {name: number for name, number in numbers.items() if number}

    def _other_lengths(self, interpretation: str) -> Iterator[str]:
        lengths = [f"{name} ({counted_patients(number)})" for name, number in self._lengths(interpretation).items()]
        if lengths:
            yield from wrapped(f"{interpretation} gives other lengths of {listed(lengths)}.")

    def _patients(self) -> Iterator[str]:
        dependent = self.dependent().filter(pl.col("interpretation") != TOGETHER)
        if not len(dependent):
            yield "Nobody's verdict depends on an interpretation."
            return
        number = dependent["patient_id"].n_unique()
        same = len(self.cohort) - number
        yield (
            f"Some verdict of {counted_patients(number)} depends on an interpretation; "
            f"{counted_patients(same)} come{'s' if same == 1 else ''} out the same under each."
        )
        moved = pl.format("{} {} -> {}", "endpoint", "verdict", "verdict_under")
        moves = dependent.group_by("patient_id", "interpretation", maintain_order=True).agg(moved.alias("moved"))
        ids = self.cohort.id.alias("patient_id").to_frame().with_row_index("place")
        moves = moves.join(ids, on="patient_id", maintain_order="left").sort("place", maintain_order=True)
        shown = moves.select("patient_id", "interpretation", pl.col("moved").list.join(", ")).head(SHOWN)
        yield aligned(
            [[f"  {patient}", interpretation, change] for patient, interpretation, change in shown.iter_rows()]
        )
        if len(moves) > SHOWN:
            yield f"  and {len(moves) - SHOWN:,} more; --output has them all"


def _moves(before: Verdict, after: Verdict) -> str:
    """By how much each verdict grows or falls."""
    was, now = _counts(before), _counts(after)
    moves = {label: now.get(label, 0) - was.get(label, 0) for label in dict.fromkeys([*was, *now])}
    return "  ".join(f"{label} {move:+,}" for label, move in moves.items() if move)


def _counts(verdict: Verdict, always: str = "") -> dict[str, int]:
    """How many patients have each verdict; one that nobody has is left out, but for that which is to stay."""
    numbers = np.bincount(verdict.value, minlength=len(verdict.labels)).tolist()
    pairs = zip(verdict.labels, numbers, strict=True)
    return {label: number for label, number in pairs if number or label == always}


DEPENDENT = ("patient_id", "arm", "endpoint", "verdict", "interpretation", "verdict_under")


def sensitivity(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    together: bool = False,
    options: ReadOptions | None = None,
    threads: int | None = None,
) -> Sensitivity:
    """The verdicts on a cohort under each interpretation of a set, one at a time, and with `together` under all at once.

    `visits`, `patients`, `criteria` and `options` are as in `classify`; the data are read once. Where two interpretations change the same key,
    all together has what the later one in the file says.
    An interpretation that cannot decide these data, as one by calendar months without dates, is left out, and it is told why.
    Raises `UsageError` if the set has no interpretations to try, or they cannot stand together.
    """
    base = criteria_of(visits, criteria)
    interpretations = {
        interpretation.id: base.under(interpretation.id)
        for interpretation in base.file.interpretation
        if interpretation.change
    }
    if not interpretations:
        raise UsageError(f"{base.path.name}: this set has no interpretations, so there is nothing to try.")
    cohort = read_study(visits, patients, base.file.columns, options)
    as_it_is = Classification(base, cohort, evaluate(base, cohort, threads))
    under: dict[str, Classification] = {}
    untried = {one.id: "the file gives no change for it" for one in base.file.interpretation if not one.change}
    for name, one in interpretations.items():
        if one.file.columns != base.file.columns:
            untried[name] = "it changes the columns that are read"
            continue
        try:
            under[name] = Classification(one, cohort, evaluate(one, cohort, threads))
        except CohortError as error:
            untried[name] = str(error)
    if together:
        all_of_them = _together(base, list(under))
        under[TOGETHER] = Classification(all_of_them, cohort, evaluate(all_of_them, cohort, threads))
    return Sensitivity(as_it_is, under, untried)


def _together(base: Criteria, interpretations: Sequence[str]) -> Criteria:
    try:
        return base.under(*interpretations)
    except CriteriaError as error:
        problem = "its interpretations cannot stand together; leave out --together and try them one at a time."
        raise UsageError(f"{base.path.name}: {problem}\n    {error}") from None
