"""Compare: one cohort under several sets of criteria; which patients are reclassified, and by which clause."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from itp_response.classification.classification import (
    Classification,
    CriteriaInput,
    Study,
    days_column,
    labelled,
    read_study,
)
from itp_response.classification.provenance import Provenance, provenance
from itp_response.classification.supplied import study_title, titled
from itp_response.classification.under_a_set import noted
from itp_response.classification.writers import write
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared, joined_columns
from itp_response.cohort.values import NO_DAY, Ints
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.evaluation.endpoints import Endpoint
from itp_response.evaluation.evaluate import evaluate
from itp_response.evaluation.verdicts import Verdict, Y
from itp_response.explanation.failing_clause import failing_clauses
from itp_response.messages.errors import CriteriaError, UsageError
from itp_response.messages.results import DataResult, html_frame
from itp_response.messages.wording import aligned, counted, counted_patients, listed, number_in_words, one_line, wrapped
from itp_response.readers.options import ReadOptions
from itp_response.readers.tabular import Tabular

WAYS = 10
"""Reclassifications in the text, at most; all are in the frame."""
NAMED = 4
"""Patients named in the text for each, at most."""
CHANGES = ("patient_id", "arm", "role", "first_set", "first_verdict", "second_set", "second_verdict", "why")


@dataclass(frozen=True)
class Side:
    """An endpoint of a set, with the classification by that set."""

    classification: Classification
    name: str

    @property
    def title(self) -> str:
        """The set and the endpoint."""
        return f"{self.classification.criteria.marked_name} {self.name}"

    @property
    def labelled(self) -> str:
        """The set and the endpoint, with its label."""
        criteria = self.classification.criteria
        return f"{criteria.marked_name}, {criteria.labelled(self.name)}"

    @property
    def model(self) -> Endpoint:
        return self.classification.criteria.endpoints[self.name]

    @property
    def verdict(self) -> Verdict:
        return self.classification.verdicts[self.name]

    @property
    def labels(self) -> pl.Series:
        """Each patient's verdict."""
        return labelled(self.name, self.verdict)


@dataclass(frozen=True)
class Pair:
    """Like and like: the endpoint of the first set and the endpoint of another set that has the same role."""

    role: str
    first: Side
    second: Side

    @cached_property
    def values(self) -> tuple[pl.Series, pl.Series]:
        """Each patient's verdict under the first set and under the second."""
        return self.first.labels, self.second.labels

    @cached_property
    def changed(self) -> Ints:
        """The positions of the reclassified patients."""
        first, second = self.values
        return np.flatnonzero((first != second).to_numpy())

    @property
    def summed(self) -> bool:
        """Whether an endpoint only sums up others, which are compared by themselves."""
        return any(side.model.is_ranked for side in (self.first, self.second))

    @property
    def measured(self) -> bool:
        """Whether both are lengths, and are compared as such; of two with a least length, the verdicts are compared."""
        models = (self.first.model, self.second.model)
        return all(model.lengths for model in models) and any(model.is_length for model in models)

    @property
    def title(self) -> str:
        return f"{self.first.title} | {self.second.title}"

    def cross_table(self) -> pl.DataFrame:
        """How many patients have each verdict under the first set (down) and under the second (across)."""
        first, second = self.values
        counts = pl.DataFrame({"first": first, "second": second}).group_by("first", "second").len()
        number = {(before, after): patients for before, after, patients in counts.iter_rows()}
        down = [label for label in self.first.verdict.labels if label in first]
        across = [label for label in self.second.verdict.labels if label in second]
        cells = {after: [number.get((before, after), 0) for before in down] for after in across}
        return pl.DataFrame({self.title: down, **cells}, schema_overrides={self.title: pl.String})

    def changes(self) -> pl.DataFrame:
        """A row per reclassified patient, with the columns of `CHANGES`."""
        first, second = self.values
        cohort = self.first.classification.cohort
        columns = [
            cohort.id[self.changed].alias("patient_id"),
            cohort.arm[self.changed].alias("arm"),
            first[self.changed].alias("first_verdict"),
            second[self.changed].alias("second_verdict"),
            self.why().alias("why"),
        ]
        return (
            pl.DataFrame(columns)
            .with_columns(
                pl.lit(self.role).alias("role"),
                pl.lit(self.first.title).alias("first_set"),
                pl.lit(self.second.title).alias("second_set"),
            )
            .select(CHANGES)
        )

    def why(self) -> pl.Series:
        """For each reclassified patient, the clause that fails under the set that is not met.

        For a patient who meets neither set, the clause of each.
        """
        met = {
            f"{name}_met": pl.Series(side.verdict.value[self.changed] == Y)
            for name, side in (("first", self.first), ("second", self.second))
        }
        fails = {
            "first_fails": self._failing(self.first, beside=self.second),
            "second_fails": self._failing(self.second, beside=self.first),
        }
        return pl.DataFrame(met | fails).select(
            pl.when("first_met")
            .then("second_fails")
            .when("second_met")
            .then("first_fails")
            .otherwise(pl.concat_str("first_fails", "second_fails", separator="; "))
            .alias("why")
        )["why"]

    def _failing(self, side: Side, *, beside: Side) -> pl.Series:
        """Why each changed patient does not meet this side; looked for where the other side has its evidence."""
        clause = failing_clauses(side.classification, side.name, beside.verdict, self.changed)
        return f"{side.classification.criteria.marked_name}: " + clause


@dataclass(frozen=True, repr=False)
class Comparison(DataResult):
    """One cohort under several sets; `str()` is the report."""

    cohort: Cohort
    classifications: tuple[Classification, ...]
    """By each set, in the order in which the sets were given."""

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The endpoints of the first set, each paired with that of every other set with the same role, set by set.

        If several endpoints of a set have a role, the first in the file is compared.
        """
        first, *others = self.classifications
        roles = _roles(first.criteria)
        pairs = []
        for other in others:
            roles_of_other = _roles(other.criteria)
            for role, name in roles.items():
                if role in roles_of_other:
                    pairs.append(Pair(role, Side(first, name), Side(other, roles_of_other[role])))
        return tuple(pairs)

    def frame(self) -> pl.DataFrame:
        """One row per patient: the verdicts on each role that sets share.

        `patient_id`, `arm`, `quarantined` and `imputed` as in `classify`, then per role a column `ROLE SET ENDPOINT`
        of each set. It holds the verdict, or the days of a length of time; missing is null.
        """
        shared = dict.fromkeys(pair.role for pair in self.pairs)
        columns = [self.cohort.id.alias("patient_id"), self.cohort.arm.alias("arm"), *self.cohort.marks()]
        for role in shared:
            for classification in self.classifications:
                name = _roles(classification.criteria).get(role)
                if name is not None:
                    side = Side(classification, name)
                    columns.append(_cells(side).alias(f"{role} {side.title}"))
        return pl.DataFrame(columns)

    def changes(self) -> pl.DataFrame:
        """One row per reclassified patient and pair of endpoints, with the clause that made the difference.

        `patient_id`, `arm`, `role`, `first_set` and `second_set` (set and endpoint), `first_verdict`, `second_verdict`,
        `why`. Lengths of time have no rows, nor has a best response, which only sums up other endpoints.
        """
        tables = [pair.changes() for pair in self.pairs if not (pair.measured or pair.summed)]
        return pl.concat(tables) if tables else pl.DataFrame(schema=dict.fromkeys(CHANGES, pl.String))

    def write(self, path: str | Path) -> None:
        """Write the table of verdicts to a `.csv`, `.json` or `.parquet` file, whole or not at all."""
        write(self.frame(), path, self.provenance())

    def provenance(self) -> Provenance:
        """What made this: program, sets of criteria and input files with their SHA-256."""
        return provenance([classification.criteria for classification in self.classifications], self.cohort)

    def _headline(self) -> str:
        sets = [classification.criteria.marked_name for classification in self.classifications]
        return titled(study_title(self.cohort), f"{counted_patients(len(self.cohort))} under {listed(sets)}")

    def _pieces(self) -> Iterator[str]:
        for pair in self.pairs:
            if not pair.measured:
                title = f"{pair.role.replace('_', ' ')}: {pair.first.title} (down), {pair.second.title} (across)"
                yield html_frame(pair.cross_table().rename({pair.title: ""}), title=title)
        yield html_frame(self.changes(), title="Reclassified patients", whole="changes()")

    def _assumptions(self) -> list[str]:
        return self.cohort.note_lines

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        sets = [classification.criteria for classification in self.classifications]
        yield titled(study_title(self.cohort), described(self.cohort))
        yield aligned([[f"  {criteria.name}", criteria.response_definition] for criteria in sets])
        for name, endpoints in self._not_compared():
            yield from wrapped(f"no counterpart for these endpoints of {name}: {endpoints}")
        for pair in self.pairs:
            yield ""
            yield pair.role.replace("_", " ").capitalize()
            if not pair.measured:
                yield f"  down: {pair.first.labelled}; across: {pair.second.labelled}"
            yield from _lengths(pair) if pair.measured else _verdicts(pair)
        if self.cohort.notes:
            yield from ("", *self.cohort.note_lines)

    def _not_compared(self) -> Iterator[tuple[str, str]]:
        """The sets and their endpoints that have no counterpart."""
        compared = {
            (side.classification.criteria.name, side.name) for pair in self.pairs for side in (pair.first, pair.second)
        }
        for classification in self.classifications:
            criteria = classification.criteria
            alone = [name for name in criteria.endpoints if (criteria.name, name) not in compared]
            if alone:
                yield criteria.name, ", ".join(alone)


def compare(
    visits: Study,
    patients: Tabular | None = None,
    criteria: Sequence[CriteriaInput] = (),
    *,
    options: ReadOptions | None = None,
    threads: int | None = None,
) -> Comparison:
    """Compare one cohort under several criteria sets, the first beside each of the others; the data are read once.

    Endpoints with the same `role` are compared. A set with the name of an earlier one is called `NAME (2)` and so on.

    Args:
        visits: The visits of the study: a file or a folder, a frame of polars, pandas or Arrow, a list with a dict per
            row, what `mapped` gave; or a `Cohort` or a `Classification`, which have been read already.
        patients: The patient table, in the same forms. None: there is none. Not allowed beside a study that has been
            read.
        criteria: Two sets or more, each as in `classify`.
        options: How the tables are read. None: the defaults of `ReadOptions`. Not allowed beside a study that has been
            read.
        threads: The number of threads that decide. None: one per processor. The result does not depend on it.

    Returns:
        The results under each set, the patients reclassified, and the clause that made the difference.

    Raises:
        UsageError: There are not two sets, or the first has no role in common with any other; or `patients` or
            `options` were given beside a study that has been read.
        CriteriaError: A set cannot be used, or two declare the same column differently.
        CohortError: The tables cannot be used; the error has every problem.

    Examples:
        >>> counts = {0: 15, 28: 40, 35: 45, 84: 50}
        >>> visits = [{"patient_id": "A", "day": day, "platelets": count} for day, count in counts.items()]
        >>> comparison = compare(visits, criteria=["atra_2022", "cm313"])
        >>> comparison.changes()["first_set", "first_verdict", "second_set", "second_verdict", "why"].row(0)
        ('atra_2022 OR', 'Y', 'cm313 response', 'N', 'cm313: fails: a count below 50')
    """
    if isinstance(criteria, str | Path | Criteria) or len(criteria) < 2:
        raise UsageError("give two or more sets of criteria, as --criteria atra_2022 --criteria iwg_2009.")
    sets = _told_apart([load(given) for given in criteria])
    cohort = noted(read_for(sets, visits, patients, options), sets)
    comparison = Comparison(
        cohort,
        tuple(Classification(definitions, cohort, evaluate(definitions, cohort, threads)) for definitions in sets),
    )
    if not comparison.pairs:
        roles = "; ".join(f"{definitions.name} has {', '.join(_roles(definitions)) or 'none'}" for definitions in sets)
        raise UsageError(f"these sets have no role in common, so no endpoints can be compared: {roles}.")
    return comparison


def _told_apart(sets: Sequence[Criteria]) -> list[Criteria]:
    """The sets, each with a name that no earlier set has."""
    names = [criteria.name for criteria in sets]
    earlier = [names[:position].count(name) for position, name in enumerate(names)]
    return [
        replace(criteria, name=f"{criteria.name} ({number + 1})") if number else criteria
        for criteria, number in zip(sets, earlier, strict=True)
    ]


def read_for(sets: Sequence[Criteria], visits: Study, patients: Tabular | None, options: ReadOptions | None) -> Cohort:
    """The cohort with the columns that any of the sets declares.

    Raises `CriteriaError` if two sets declare the same column differently.
    """
    columns: dict[str, ColumnDeclared] = {}
    declared_by: dict[str, str] = {}
    for criteria in sets:
        for name, column in criteria.file.columns.items():
            first = declared_by.setdefault(name, criteria.path.name)
            if not columns.setdefault(name, column).reads_as(column):
                raise CriteriaError(
                    f"{criteria.path.name}: [columns] {name} is declared differently in {first}; "
                    "sets that read the same column must declare it in the same way."
                )
    rescue_names = [name for criteria in sets for name in criteria.rescue_names]
    columns = joined_columns(criteria.file.columns for criteria in sets)
    return read_study(visits, patients, columns, options, rescue_names)


def _roles(criteria: Criteria) -> dict[str, str]:
    """The first endpoint of each role."""
    roles: dict[str, str] = {}
    for name, model in criteria.endpoints.items():
        if model.role is not None:
            roles.setdefault(model.role, name)
    return roles


def described(cohort: Cohort) -> str:
    """How many patients, and in how many arms."""
    arms = cohort.arm.drop_nulls().n_unique()
    return counted_patients(len(cohort)) + (f" in {counted(arms, 'arm')}" if arms else "")


def _cells(side: Side) -> pl.Series:
    return days_column(side.name, side.verdict.days) if side.model.is_length else side.labels


def _verdicts(pair: Pair) -> Iterator[str]:
    """The cross-table and the reclassifications, each with its number and its first patients."""
    table = pair.cross_table()
    across = table.columns[1:]
    if across:
        yield aligned([["  ", *across], *([f"  {row[0]}", *map(str, row[1:])] for row in table.iter_rows())])
    number = len(pair.changed)
    if not number:
        yield "  no patient reclassified"
        return
    change = f"{counted_patients(number)} reclassified"
    if pair.summed:
        yield f"  {change}, because the endpoints that it combines differ"
        return
    yield f"  {change}:"
    ways = _ways(pair.changes())
    for first, second, why, of_way, patients in ways.head(WAYS).iter_rows():
        yield f"  {of_way:>4,}  {first} -> {second}  {why}"
        yield f"        {_named(patients, of_way)}"
    if len(ways) > WAYS:
        rest = counted_patients(int(ways["patients"].slice(WAYS).sum()))
        yield f"  and {rest} in {counted(len(ways) - WAYS, 'other way')}; --changes writes all of them"


def _ways(changes: pl.DataFrame) -> pl.DataFrame:
    """Which verdicts became which, and why: how many patients, and the first of them; the most frequent first."""
    grouped = changes.group_by("first_verdict", "second_verdict", "why", maintain_order=True)
    ways = grouped.agg(pl.len().alias("patients"), pl.col("patient_id").head(NAMED))
    return ways.sort("patients", descending=True, maintain_order=True)


def _named(patients: Sequence[str], number: int) -> str:
    return one_line(", ".join(patients)) + (f" and {number - len(patients):,} more" if number > len(patients) else "")


def _lengths(pair: Pair) -> Iterator[str]:
    yield aligned([_length_row(side) for side in (pair.first, pair.second)])
    first, second = pair.first.verdict.days, pair.second.verdict.days
    assert first is not None
    assert second is not None
    both = (first != NO_DAY) & (second != NO_DAY)
    differ = int((both & (first != second)).sum())
    alone = int(((first == NO_DAY) != (second == NO_DAY)).sum())
    yield f"  a different duration by the two sets: {counted_patients(differ)}; a duration by one set only: {alone:,}"


def _length_row(side: Side) -> list[str]:
    days = side.verdict.days
    assert days is not None
    known = days[days != NO_DAY]
    median = f"median {number_in_words(float(np.median(known)))} days" if len(known) else ""
    return [f"  {side.labelled}", counted_patients(len(known)), median]
