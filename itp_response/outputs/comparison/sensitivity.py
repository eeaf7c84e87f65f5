"""Sensitivity: one cohort under every interpretation of a set; which verdicts depend on an interpretation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from itp_response.classification.reference_arm import Reference, arms_of, reference_of
from itp_response.classification.supplied import study_title, titled
from itp_response.classification.under_a_set import noted
from itp_response.classification.writers import write
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import Ints, Numbers
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.evaluate import evaluate
from itp_response.evaluation.verdicts import Verdict, Y
from itp_response.messages.errors import CohortError, CriteriaError, UsageError
from itp_response.messages.results import DataResult, html_frame, html_table
from itp_response.messages.wording import aligned, counted, counted_patients, listed, one_line, wrapped
from itp_response.outputs.comparison.compare import described
from itp_response.readers.options import ReadOptions
from itp_response.readers.tabular import Tabular

TOGETHER = "all together"
SHOWN = 10
"""Patients with a verdict that depends on an interpretation in the text, at most; all are in the frame."""
DEPENDENT = ("patient_id", "arm", "endpoint", "verdict", "interpretation", "verdict_under")


@dataclass(frozen=True, repr=False)
class Sensitivity(DataResult):
    """The verdicts on a cohort as the file has it, and under each of its interpretations; `str()` is the report."""

    base: Classification
    """As the file has it."""
    under: Mapping[str, Classification]
    """By interpretation, in the order of the file; then, if asked for, `all together`."""
    untried: Mapping[str, str] = field(default_factory=dict)
    """By interpretation that was not tried, why: the file gives no change, or it cannot decide what was read."""
    reference: Reference | None = None
    """The arm that the other is compared with, where there are two."""
    study: str = ""
    """The name of the user's study; empty: it has none."""

    @property
    def cohort(self) -> Cohort:
        return self.base.cohort

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The endpoints that have a verdict: not the lengths of time."""
        return tuple(name for name, model in self.base.criteria.endpoints.items() if not model.is_length)

    def changed(self, interpretation: str, name: str) -> Ints:
        """The positions of the patients who are reclassified on an endpoint under an interpretation.

        All, where the interpretation removes the endpoint.
        """
        if name not in self.under[interpretation].verdicts:
            return np.arange(len(self.cohort))
        before, after = self._before_and_after(interpretation, name)
        return np.flatnonzero((before != after).to_numpy())

    def _before_and_after(self, interpretation: str, name: str) -> tuple[pl.Series, pl.Series]:
        """Each patient's verdict as the file has it, and under an interpretation."""
        after = self.under[interpretation].verdicts[name]
        return labelled(name, self.base.verdicts[name]), labelled(name, after)

    def frame(self) -> pl.DataFrame:
        """One row per interpretation, endpoint and verdict.

        `interpretation` (null: as the file has it), `endpoint`, `verdict`, `patients`, `arm_difference`. A verdict that
        no patient has is left out, except `Y`.
        `arm_difference` is given for `Y` where there are two arms: the share of the first arm that is `Y` minus that of
        the second, -1 to 1; non-evaluable patients count as non-responders.
        """
        classifications = ((None, self.base), *self.under.items())
        rows = [
            (interpretation, name, label, number, self._difference(verdicts[name]) if label == "Y" else None)
            for interpretation, verdicts in ((key, classification.verdicts) for key, classification in classifications)
            for name in self.names
            if name in verdicts
            for label, number in _counts(verdicts[name], always="Y").items()
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
        """One row per patient, endpoint and interpretation that changes the verdict to another.

        `patient_id`, `arm`, `endpoint`, `verdict`, `interpretation`, `verdict_under`.
        """
        tables = [
            self._dependent(interpretation, name)
            for interpretation, classification in self.under.items()
            for name in self.names
            if name in classification.verdicts
        ]
        return pl.concat(tables) if tables else pl.DataFrame(schema=dict.fromkeys(DEPENDENT, pl.String))

    def _dependent(self, interpretation: str, name: str) -> pl.DataFrame:
        changed = self.changed(interpretation, name)
        before, after = self._before_and_after(interpretation, name)
        columns = [
            self.cohort.id[changed].alias("patient_id"),
            self.cohort.arm[changed].alias("arm"),
            before[changed].alias("verdict"),
            after[changed].alias("verdict_under"),
        ]
        named = (pl.lit(name).alias("endpoint"), pl.lit(interpretation).alias("interpretation"))
        return pl.DataFrame(columns).with_columns(named).select(DEPENDENT)

    def write(self, path: str | Path) -> None:
        """Write `dependent()` to a `.csv`, `.json` or `.parquet` file, whole or not at all."""
        origin = self.base.provenance(interpretations=list(self.under))
        write(self.dependent(), path, replace(origin, assumed=[*origin.assumed, *self.assumed]))

    @cached_property
    def arms(self) -> tuple[str, ...]:
        """The two arms, the reference arm last; none where there are not two."""
        if self.reference is None:
            return ()
        return (*(arm for arm in arms_of(self.cohort) if arm != self.reference.label), self.reference.label)

    @property
    def assumed(self) -> tuple[str, ...]:
        """What is assumed of the reference arm, a line with its prefix."""
        return () if self.reference is None else self.reference.assumed

    def _difference(self, verdict: Verdict) -> float | None:
        if not self.arms:
            return None
        met = verdict.value == Y
        first, second = ((self.cohort.arm == arm).fill_null(value=False).to_numpy() for arm in self.arms)
        return float(met[first].mean() - met[second].mean())

    def _headline(self) -> str:
        tried = counted(len(self.under), "interpretation")
        patients = counted_patients(len(self.cohort))
        return titled(self.study, f"{patients}, {tried} tried. {self.base.criteria.response_definition}")

    def _pieces(self) -> Iterator[str]:
        header = ["endpoint, and the interpretation that changes it", "reclassified", "patients", "risk difference"]
        yield html_table(header, ([*row, *[""] * (len(header) - len(row))] for row in self._table()))
        yield html_frame(self.dependent(), title="Patients sensitive to interpretation", whole="dependent()")

    def _assumptions(self) -> list[str]:
        untried = [f"not tried: {interpretation}: {why}" for interpretation, why in self.untried.items()]
        return [*untried, *self.assumed, *self.cohort.note_lines]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield titled(self.study, described(self.cohort))
        yield self.base.criteria.response_definition
        single = [interpretation for interpretation in self.under if interpretation != TOGETHER]
        also = ", then all together" if TOGETHER in self.under else ""
        yield f"{counted(len(single), 'alternative interpretation')} tested, one at a time{also}"
        for interpretation, why in self.untried.items():
            yield from wrapped(f"not tested: {interpretation}: {why}")
        if self.arms:
            first, second = self.arms
            yield one_line(f"Risk difference ({first} minus {second}), percentage points;")
            yield "  non-evaluable patients counted as non-responders (ITT)"
            yield from self.assumed
        yield ""
        yield aligned(list(self._table()))
        yield ""
        for interpretation in single:
            yield from self._other_lengths(interpretation)
        without_effect = [interpretation for interpretation in single if not self._has_effect(interpretation)]
        if without_effect:
            yield from wrapped(f"No result depends on {listed(without_effect, 'or')}.")
        yield from self._patients()
        if self.cohort.notes:
            yield from ("", *self.cohort.note_lines)

    def _table(self) -> Iterator[list[str]]:
        """Per endpoint its verdicts, and below it what changes under each interpretation."""
        criteria = self.base.criteria
        for name in self.names:
            base = self.base.verdicts[name]
            counts = "  ".join(f"{label} {number:,}" for label, number in _counts(base).items())
            yield [criteria.labelled(name), "", counts, self._points(base)]
            for interpretation, classification in self.under.items():
                number = len(self.changed(interpretation, name))
                if name not in classification.verdicts:
                    yield [f"  {interpretation}", "endpoint removed"]
                elif number:
                    after = classification.verdicts[name]
                    moves = _moves(base, after)
                    yield [f"  {interpretation}", counted_patients(number), moves, self._points(after)]

    def _points(self, verdict: Verdict) -> str:
        """The difference of the arms in percentage points, where there are two and the verdict can be `Y`."""
        difference = self._difference(verdict) if verdict.labels[Y] == "Y" else None
        return "" if difference is None else f"{100 * difference:+.1f} points"

    def _has_effect(self, interpretation: str) -> bool:
        """Whether the interpretation changes a verdict, or a length of time."""
        return bool(self._lengths(interpretation)) or any(
            len(self.changed(interpretation, name)) for name in self.names
        )

    def _lengths(self, interpretation: str) -> dict[str, int]:
        """By endpoint, how many patients have another length of time under an interpretation; without zeros."""
        numbers: dict[str, int] = {}
        for name, verdict in self.under[interpretation].verdicts.items():
            before, after = self.base.verdicts[name].days, verdict.days
            if name not in self.names and before is not None and after is not None:
                numbers[name] = int((before != after).sum())
        return {name: number for name, number in numbers.items() if number}

    def _other_lengths(self, interpretation: str) -> Iterator[str]:
        lengths = [f"{name} ({counted_patients(number)})" for name, number in self._lengths(interpretation).items()]
        if lengths:
            yield from wrapped(f"{interpretation} changes {listed(lengths)}.")

    def _patients(self) -> Iterator[str]:
        dependent = self.dependent().filter(pl.col("interpretation") != TOGETHER)
        if not len(dependent):
            yield "No result depends on an interpretation."
            return
        number = dependent["patient_id"].n_unique()
        same = len(self.cohort) - number
        yield (
            f"At least one result of {counted_patients(number)} depends on an interpretation; "
            f"{counted_patients(same)} {'has' if same == 1 else 'have'} the same results under each."
        )
        rows = self._by_patient(dependent)
        yield aligned([[f"  {patient}", *cells] for patient, *cells in rows.head(SHOWN).iter_rows()])
        if len(rows) > SHOWN:
            yield f"  and {len(rows) - SHOWN:,} more; --output writes all of them"

    def _by_patient(self, dependent: pl.DataFrame) -> pl.DataFrame:
        """A row per patient and interpretation with all changes of verdicts, in the order of the cohort."""
        change = pl.format("{} {} -> {}", "endpoint", "verdict", "verdict_under").alias("changes")
        changes = dependent.group_by("patient_id", "interpretation", maintain_order=True).agg(change)
        ids = self.cohort.id.alias("patient_id").to_frame().with_row_index("position")
        ordered = changes.join(ids, on="patient_id", maintain_order="left").sort("position", maintain_order=True)
        return ordered.select("patient_id", "interpretation", pl.col("changes").list.join(", "))


def _moves(before: Verdict, after: Verdict) -> str:
    """By how much each verdict grows or falls."""
    was, now = _counts(before), _counts(after)
    moves = {label: now.get(label, 0) - was.get(label, 0) for label in dict.fromkeys([*was, *now])}
    return "  ".join(f"{label} {move:+,}" for label, move in moves.items() if move)


def _counts(verdict: Verdict, always: str = "") -> dict[str, int]:
    """How many patients have each verdict; without verdicts that no patient has, except `always`."""
    numbers = np.bincount(verdict.value, minlength=len(verdict.labels)).tolist()
    pairs = zip(verdict.labels, numbers, strict=True)
    return {label: number for label, number in pairs if number or label == always}


def sensitivity(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    together: bool = False,
    reference: str | None = None,
    title: str | None = None,
    options: ReadOptions | None = None,
    threads: int | None = None,
) -> Sensitivity:
    """Run the sensitivity analysis: one cohort under each interpretation of a criteria set; the data are read once.

    An interpretation that cannot decide these data, such as one by calendar months without dates, is not tried;
    `untried` says why.

    Args:
        visits: The visits of the study: a file or a folder, a frame of polars, pandas or Arrow, a list with a dict per
            row, what `mapped` gave; or a `Cohort` or a `Classification`, which have been read already.
        patients: The patient table, in the same forms. None: there is none. Not allowed beside a study that has been
            read.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`. None: `atra_2022`,
            or the set of the `Classification`.
        together: Also try all interpretations at once. Where two change the same key, the later in the file stands.
        reference: The reference arm or group. None: a group recognised by its name as a control, else the last by name;
            either is an assumption, which is noted.
        title: The name of the study. None: its own identifier, else the name of the folder of its files.
        options: How the tables are read. None: the defaults of `ReadOptions`. Not allowed beside a study that has been
            read.
        threads: The number of threads that decide. None: one per processor. The result does not depend on it.

    Returns:
        The results as the file has it, and under each interpretation.

    Raises:
        UsageError: The set has no interpretations to try, or they cannot stand together; or `patients` or `options`
            were given beside a study that has been read.
        CriteriaError: The criteria cannot be used.
        CohortError: The tables cannot be used; the error has every problem.

    Examples:
        >>> counts = {0: 15, 22: 40, 29: 45, 364: 50}
        >>> visits = [{"patient_id": "A", "day": day, "platelets": count} for day, count in counts.items()]
        >>> analysis = sensitivity(visits, criteria="atra_2022")
        >>> analysis.dependent()["endpoint", "verdict", "interpretation", "verdict_under"].rows()
        [('SR', 'NE', 'any-gap', 'Y')]
    """
    base = criteria_of(visits, criteria)
    interpretations = base.file.interpretation
    changed = {tried.id: base.under(tried.id) for tried in interpretations if tried.change}
    untried = {
        unchanged.id: "the file does not say what it changes" for unchanged in interpretations if not unchanged.change
    }
    if not changed:
        raise UsageError(f"{base.path.name}: this set has no alternative interpretations, so there is nothing to test.")
    reading = {name: definitions for name, definitions in changed.items() if _reads_as(definitions, base)}
    untried |= dict.fromkeys((name for name in changed if name not in reading), "it needs other columns of the data")
    cohort = noted(read_study(visits, patients, base.file.columns, options, base.rescue_names), [base])
    as_it_is = Classification(base, cohort, evaluate(base, cohort, threads))
    under: dict[str, Classification] = {}
    for name, definitions in reading.items():
        if unrecorded := _unrecorded(definitions, base, cohort):
            untried[name] = f"it needs the patient column {listed(unrecorded)}, in which nothing is recorded"
            continue
        try:
            under[name] = Classification(definitions, cohort, evaluate(definitions, cohort, threads))
        except CohortError as error:
            untried[name] = str(error)
    if together:
        all_of_them = _together(base, list(under))
        under[TOGETHER] = Classification(all_of_them, cohort, evaluate(all_of_them, cohort, threads))
    return Sensitivity(as_it_is, under, untried, _reference(cohort, reference), study_title(cohort, title))


def _reference(cohort: Cohort, told: str | None) -> Reference | None:
    """The reference arm; None where there are not two arms."""
    arms = arms_of(cohort)
    if len(arms) == 2:
        return reference_of(arms, told)
    if told is not None:
        raise UsageError(
            f"--reference {told!r}: a reference arm requires two arms, and there are {len(arms)}; omit it."
        )
    return None


def _reads_as(criteria: Criteria, base: Criteria) -> bool:
    """Whether a set reads the columns of another, and reads them alike."""
    own, columns = criteria.file.columns, base.file.columns
    return own.keys() == columns.keys() and all(columns[name].reads_as(column) for name, column in own.items())


def _unrecorded(criteria: Criteria, base: Criteria, cohort: Cohort) -> list[str]:
    """The patient columns that a set asks for, and its base does not, and that say nothing of any patient."""
    asked = [
        name for name, column in base.file.columns.items() if column.optional != criteria.file.columns[name].optional
    ]
    cells = {name: cohort.patient_columns[name] for name in asked if name in cohort.patient_columns}
    return [
        name
        for name, column in cells.items()
        if isinstance(column, Numbers) and bool((column.low == base.file.columns[name].empty).all())
    ]


def _together(base: Criteria, interpretations: Sequence[str]) -> Criteria:
    try:
        return base.under(*interpretations)
    except CriteriaError as error:
        problem = "its interpretations cannot be combined; omit --together to test them one at a time."
        raise UsageError(f"{base.path.name}: {problem}\n    {error}") from None
