"""Compare: one cohort under several sets of criteria; who comes out otherwise, and which clause moved them."""

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
from itp_response.classification.writers import write
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared
from itp_response.cohort.values import NO_DAY, Ints
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.evaluation.evaluate import TIMED, evaluate, is_length
from itp_response.evaluation.verdicts import Y
from itp_response.explanation.failing_clause import failing_clauses
from itp_response.messages.errors import CriteriaError, UsageError
from itp_response.messages.wording import aligned, counted, counted_patients, number_in_words, wrapped
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions

WAYS = 10
"""So many of the ways in which patients change are in the text; all are in the frame."""
NAMED = 4
"""So many patients are named in the text for each."""


@dataclass(frozen=True)
class Pair:
    """Like and like: the endpoint of the first set and that of another which stand for the same."""

    role: str
    one: Classification
    name: str
    other: Classification
    other_name: str

    @cached_property
    def values(self) -> tuple[pl.Series, pl.Series]:
        """Each patient's verdict under the first set and under the other."""
        first, second = (labelled(name, found.verdicts[name]) for found, name in self._sides)
        return first, second

    @cached_property
    def changed(self) -> Ints:
        """The positions of the patients whose verdict differs."""
        first, second = self.values
        return np.flatnonzero((first != second).to_numpy())

    @property
    def summed(self) -> bool:
        """One of the two only sums up others, which are compared for themselves."""
        return any(found.criteria.endpoints[name].kind == "best" for found, name in self._sides)

    @property
    def measured(self) -> bool:
        """Both are lengths, and are compared as such; of two that ask for a length, whether it is reached."""
        models = [found.criteria.endpoints[name] for found, name in self._sides]
        return all(model.kind in TIMED for model in models) and any(is_length(model) for model in models)

    @property
    def _sides(self) -> tuple[tuple[Classification, str], tuple[Classification, str]]:
        return (self.one, self.name), (self.other, self.other_name)

    @property
    def title(self) -> str:
        first, second = (f"{found.criteria.marked_name} {name}" for found, name in self._sides)
        return f"{first} | {second}"

    def cross_table(self) -> pl.DataFrame:
        """How many patients have each verdict under the first set (down) and under the other (across)."""
        first, second = self.values
        counts = pl.DataFrame({"one": first, "other": second}).group_by("one", "other").len()
        number = {(one, other): patients for one, other, patients in counts.iter_rows()}
        across = [label for label in self.other.verdicts[self.other_name].labels if label in second]
        down = [label for label in self.one.verdicts[self.name].labels if label in first]
        cells = {label: [number.get((one, label), 0) for one in down] for label in across}
        return pl.DataFrame({self.title: down, **cells}, schema_overrides={self.title: pl.String})

    def changes(self) -> pl.DataFrame:
        """A row per patient whose verdict differs: `patient_id`, `arm`, `role`, both criteria and verdicts, `why`."""
        at = self.changed
        first, second = self.values
        cohort = self.one.cohort
        return pl.DataFrame(
            [
                cohort.id[at].alias("patient_id"),
                cohort.arm[at].alias("arm"),
                first[at].alias("one_verdict"),
                second[at].alias("other_verdict"),
                self.why().alias("why"),
            ]
        ).select(
            "patient_id",
            "arm",
            pl.lit(self.role).alias("role"),
            pl.lit(f"{self.one.criteria.marked_name} {self.name}").alias("one"),
            "one_verdict",
            pl.lit(f"{self.other.criteria.marked_name} {self.other_name}").alias("other"),
            "other_verdict",
            "why",
        )

    def why(self) -> pl.Series:
        """Of each patient whose verdict differs, the clause by which he does not meet the set that he does not meet.

        Of one who meets neither, that of each.
        """
        changed = self.changed
        met = [pl.Series(found.verdicts[name].value[changed] == Y) for found, name in self._sides]
        said = [self._why(*self._sides), self._why(*self._sides[::-1])]
        frame = pl.DataFrame({"met": met[0], "other_met": met[1], "why": said[1], "why_other": said[0]})
        return frame.select(
            pl.when("met")
            .then("why_other")
            .when("other_met")
            .then("why")
            .otherwise(pl.concat_str("why", "why_other", separator="; "))
            .alias("why")
        )["why"]

    def _why(self, met: tuple[Classification, str], missed: tuple[Classification, str]) -> pl.Series:
        """Why each patient whose verdict differs does not meet the one, if he does not."""
        found, name = missed
        return f"{found.criteria.marked_name}: " + failing_clauses(found, name, met[0].verdicts[met[1]], self.changed)


@dataclass(frozen=True)
class Comparison:
    """One cohort under several sets; `str()` is the report."""

    cohort: Cohort
    found: tuple[Classification, ...]

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The criteria of the first set beside those of each other that have the same role, set by set.

        Of several of a role in one set the first in the file stands for it.
        """
        first, *others = self.found
        return tuple(
            Pair(role, first, name, other, roles[role])
            for other in others
            for roles in [_roles(other.criteria)]
            for role, name in _roles(first.criteria).items()
            if role in roles
        )

    def frame(self) -> pl.DataFrame:
        """One row per patient: the verdicts on each role that sets share.

        `patient_id`, `arm`, `quarantined` and `imputed` as in `classify`, then per role a column `ROLE SET ENDPOINT`
        of each set. It holds the verdict, or the days of a length of time; missing is null.
        """
        shared = dict.fromkeys(pair.role for pair in self.pairs)
        columns = [self.cohort.id.alias("patient_id"), self.cohort.arm.alias("arm"), *self.cohort.marks()]
        for role in shared:
            for found in self.found:
                name = _roles(found.criteria).get(role)
                if name is not None:
                    columns.append(_cells(found, name).alias(f"{role} {found.criteria.marked_name} {name}"))
        return pl.DataFrame(columns)

    def changes(self) -> pl.DataFrame:
        """One row per patient and pair of criteria whose verdicts differ, with the clause that made the difference.

        `patient_id`, `arm`, `role`, `one` and `other` (set and endpoint), `one_verdict`, `other_verdict`, `why`.
        Lengths of time, and a best response, which only sums up other criteria, have no rows.
        """
        found = [pair.changes() for pair in self.pairs if not (pair.measured or pair.summed)]
        return pl.concat(found) if found else pl.DataFrame(schema=dict.fromkeys(CHANGES, pl.String))

    def write(self, path: str | Path) -> None:
        """Write the table of verdicts to a `.csv`, `.json` or `.parquet` file, whole or not at all."""
        write(self.frame(), path, self.provenance())

    def provenance(self) -> Provenance:
        """What made this."""
        return provenance([one.criteria for one in self.found], self.cohort)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{described(self.cohort)} under"
        yield aligned([[f"  {one.criteria.marked_name}", one.criteria.file.title] for one in self.found])
        for one, name in self._alone():
            yield from wrapped(f"not compared, of {one}: {name}")
        for pair in self.pairs:
            yield ""
            yield f"{pair.role.replace('_', ' ')}: {pair.title}"
            yield from _lengths(pair) if pair.measured else _verdicts(pair)
        if self.cohort.notes:
            yield from ("", *self.cohort.note_lines)

    def _alone(self) -> Iterator[tuple[str, str]]:
        paired = {(one.criteria.name, name) for pair in self.pairs for one, name in pair._sides}
        for one in self.found:
            alone = [name for name in one.criteria.endpoints if (one.criteria.name, name) not in paired]
            if alone:
                yield one.criteria.name, ", ".join(alone)


CHANGES = ("patient_id", "arm", "role", "one", "one_verdict", "other", "other_verdict", "why")


def compare(
    visits: Study,
    patients: Tabular | None = None,
    criteria: Sequence[CriteriaInput] = (),
    *,
    options: ReadOptions | None = None,
    threads: int | None = None,
) -> Comparison:
    """One cohort under several sets of criteria, the first beside each of the others; the data are read once.

    `visits`, `patients` and `options` are as in `classify`. Like is matched with like by the `role` of criteria.
    Of sets with the same name the later ones are called `NAME (2)` and so on.
    Raises `UsageError` if there are not two sets, or the first has no role in common with any other; `CriteriaError`
    if two declare the same column otherwise.
    """
    if isinstance(criteria, str | Path | Criteria) or len(criteria) < 2:
        raise UsageError("give two or more sets of criteria, as --criteria atra_2022 --criteria iwg_2009.")
    sets = _told_apart([one if isinstance(one, Criteria) else load(one) for one in criteria])
    cohort = read_for(sets, visits, patients, options)
    found = Comparison(cohort, tuple(Classification(one, cohort, evaluate(one, cohort, threads)) for one in sets))
    if not found.pairs:
        roles = "; ".join(f"{one.name} has {', '.join(_roles(one)) or 'none'}" for one in sets)
        raise UsageError(f"these sets have no role in common, so nothing can be compared: {roles}.")
    return found


def _told_apart(sets: Sequence[Criteria]) -> list[Criteria]:
    """The sets with a name each that no earlier one has."""
    names = [one.name for one in sets]
    before = [names[:place].count(name) for place, name in enumerate(names)]
    return [
        replace(one, name=f"{one.name} ({number + 1})") if number else one
        for one, number in zip(sets, before, strict=True)
    ]


def read_for(sets: Sequence[Criteria], visits: Study, patients: Tabular | None, options: ReadOptions | None) -> Cohort:
    """The cohort with the columns that any of the sets declares.

    Raises `CriteriaError` if two declare the same column otherwise.
    """
    columns: dict[str, ColumnDeclared] = {}
    declared_by: dict[str, str] = {}
    for one in sets:
        for name, column in one.file.columns.items():
            first = declared_by.setdefault(name, one.path.name)
            if columns.setdefault(name, column) != column:
                raise CriteriaError(
                    f"{one.path.name}: [columns] {name} is declared otherwise than in {first}; "
                    "where sets read the same column they must declare it alike."
                )
    return read_study(visits, patients, columns, options)


def _roles(criteria: Criteria) -> dict[str, str]:
    """The first endpoint of each role."""
    found: dict[str, str] = {}
    for name, model in criteria.endpoints.items():
        if model.role is not None:
            found.setdefault(model.role, name)
    return found


def described(cohort: Cohort) -> str:
    """How many patients, and in how many arms."""
    arms = cohort.arm.drop_nulls().n_unique()
    return counted_patients(len(cohort)) + (f" in {counted(arms, 'arm')}" if arms else "")


def _cells(classification: Classification, name: str) -> pl.Series:
    verdict = classification.verdicts[name]
    if is_length(classification.criteria.endpoints[name]):
        return days_column(name, verdict.days)
    return labelled(name, verdict)


def _verdicts(pair: Pair) -> Iterator[str]:
    """The cross-table, and the clauses that moved patients by how many they moved, with the first of these."""
    table = pair.cross_table()
    across = table.columns[1:]
    if across:
        yield aligned([["  ", *across], *([f"  {row[0]}", *map(str, row[1:])] for row in table.iter_rows())])
    number = len(pair.changed)
    if not number:
        yield "  nobody changes"
        return
    change = f"{counted_patients(number)} change{'s' if number == 1 else ''}"
    if pair.summed:
        yield f"  {change}, because the criteria that it sums up do"
        return
    yield f"  {change}:"
    ways = _ways(pair.changes())
    for one, other, why, of_way, patients in ways.head(WAYS).iter_rows():
        yield f"  {of_way:>4,}  {one} -> {other}  {why}"
        yield f"        {_named(patients, of_way)}"
    if len(ways) > WAYS:
        rest = counted_patients(int(ways["patients"].slice(WAYS).sum()))
        yield f"  and {rest} in {counted(len(ways) - WAYS, 'other way')}; --changes has them all"


def _ways(changes: pl.DataFrame) -> pl.DataFrame:
    """Which verdicts became which, and why: how many patients, and the first of them; the most frequent first."""
    grouped = changes.group_by("one_verdict", "other_verdict", "why", maintain_order=True)
    ways = grouped.agg(pl.len().alias("patients"), pl.col("patient_id").head(NAMED))
    return ways.sort("patients", descending=True, maintain_order=True)


def _named(patients: Sequence[str], number: int) -> str:
    return ", ".join(patients) + (f" and {number - len(patients):,} more" if number > len(patients) else "")


def _lengths(pair: Pair) -> Iterator[str]:
    rows = []
    lengths = []
    for found, name in pair._sides:
        days = found.verdicts[name].days
        assert days is not None
        lengths.append(days)
        known = days[days != NO_DAY]
        middle = f"median {number_in_words(float(np.median(known)))} days" if len(known) else ""
        rows.append([f"  {found.criteria.marked_name} {name}", counted_patients(len(known)), middle])
    yield aligned(rows)
    both = (lengths[0] != NO_DAY) & (lengths[1] != NO_DAY)
    differ = int((both & (lengths[0] != lengths[1])).sum())
    alone = int(((lengths[0] == NO_DAY) != (lengths[1] == NO_DAY)).sum())
    yield f"  {counted_patients(differ)} with another length under the other set, {alone:,} with one under only one"
