"""Compare: one cohort under several sets of criteria; who comes out otherwise, and which clause moved them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itp_response.classify import Classification, aligned, days_column, labelled, write
from itp_response.cohort import Cohort, Ints
from itp_response.columns import ColumnDeclared
from itp_response.criteria import Criteria, load
from itp_response.errors import CriteriaError, UsageError
from itp_response.evaluate import evaluate
from itp_response.moved import why_not
from itp_response.verdicts import NO_DAY, Y
from itp_response.words import counted, number_in_words

if TYPE_CHECKING:
    import polars as pl

MEASURED = ("time_to", "extent")
"""Kinds that are compared by their lengths."""
SHOWN = 20
"""So many of the patients who change are listed in the text; all are in the frame."""


@dataclass(frozen=True)
class Pair:
    """Like and like: the criterion of the first set and that of another which stand for the same."""

    role: str
    one: Classification
    name: str
    other: Classification
    other_name: str

    def _labels(self, found: Classification, name: str) -> "pl.Series":
        return labelled(name, found.verdicts[name])

    @cached_property
    def values(self) -> tuple["pl.Series", "pl.Series"]:
        """Each patient's verdict under the first set and under the other."""
        return self._labels(self.one, self.name), self._labels(self.other, self.other_name)

    @cached_property
    def changed(self) -> Ints:
        """The positions of the patients whose verdict differs."""
        first, second = self.values
        return np.flatnonzero((first != second).to_numpy())

    @property
    def summed(self) -> bool:
        """One of the two only sums up others, which are compared for themselves."""
        return any(found.criteria.criteria[name].kind == "best" for found, name in self._sides)

    @property
    def measured(self) -> bool:
        kinds = (found.criteria.criteria[name].kind for found, name in self._sides)
        return all(kind in MEASURED for kind in kinds)

    @property
    def _sides(self) -> tuple[tuple[Classification, str], tuple[Classification, str]]:
        return (self.one, self.name), (self.other, self.other_name)

    @property
    def title(self) -> str:
        first, second = (f"{found.criteria.name} {name}" for found, name in self._sides)
        return f"{first} | {second}"

    def cross_table(self) -> "pl.DataFrame":
        """How many patients have each verdict under the first set (down) and under the other (across)."""
        import polars as pl

        first, second = self.values
        frame = pl.DataFrame({"one": first, "other": second}).group_by("one", "other").len()
        across = [label for label in self.other.verdicts[self.other_name].labels if label in second]
        down = [label for label in self.one.verdicts[self.name].labels if label in first]
        table = frame.pivot("other", index="one", values="len")
        rows = pl.DataFrame({"one": down}).join(table, on="one", how="left", maintain_order="left")
        return rows.select(pl.col("one").alias(self.title), *(pl.col(label).fill_null(0) for label in across))

    def changes(self) -> "pl.DataFrame":
        """A row per patient whose verdict differs: `patient_id`, `arm`, `role`, both criteria and verdicts, `why`."""
        import polars as pl

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
            pl.lit(f"{self.one.criteria.name} {self.name}").alias("one"),
            "one_verdict",
            pl.lit(f"{self.other.criteria.name} {self.other_name}").alias("other"),
            "other_verdict",
            "why",
        )

    def why(self) -> "pl.Series":
        """Of each patient whose verdict differs, the clause by which he does not meet the set that he does not meet."""
        import polars as pl

        why = pl.Series([None] * len(self.changed), dtype=pl.String)
        met = [found.verdicts[name].value[self.changed] == Y for found, name in self._sides]
        for (met_by, met_name), (missed_by, missed_name), asked in (
            (*self._sides, met[0]),
            (*self._sides[::-1], met[1] & ~met[0]),
            (*self._sides, ~met[0] & ~met[1]),
        ):
            if asked.any():
                said = why_not(missed_by, missed_name, met_by.verdicts[met_name], self.changed[asked])
                why = why.scatter(np.flatnonzero(asked), f"{missed_by.criteria.name}: " + said)
        return why


@dataclass(frozen=True)
class Comparison:
    """One cohort under several sets; `str()` is the report."""

    cohort: Cohort
    found: tuple[Classification, ...]

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The criteria of the first set beside those of each other that have the same role.

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

    def frame(self) -> "pl.DataFrame":
        """One row per patient: `patient_id`, `arm`, and per role that sets share a column `ROLE SET CRITERION` of each.

        Of a time it holds the days.
        """
        import polars as pl

        shared = dict.fromkeys(pair.role for pair in self.pairs)
        columns = [self.cohort.id.alias("patient_id"), self.cohort.arm.alias("arm")]
        for role in shared:
            for found in self.found:
                name = _roles(found.criteria).get(role)
                if name is not None:
                    columns.append(_cells(found, name).alias(f"{role} {found.criteria.name} {name}"))
        return pl.DataFrame(columns)

    def changes(self) -> "pl.DataFrame":
        """One row per patient and pair of criteria whose verdicts differ, with the clause that made the difference."""
        import polars as pl

        found = [pair.changes() for pair in self.pairs if not (pair.measured or pair.summed)]
        return pl.concat(found) if found else pl.DataFrame(schema=dict.fromkeys(CHANGES, pl.String))

    def write(self, path: str | Path) -> None:
        """Write the table of verdicts to a `.csv`, `.json` or `.parquet` file, whole or not at all."""
        write(self.frame(), path)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{described(self.cohort)} under"
        yield aligned([[f"  {one.criteria.name}", one.criteria.title] for one in self.found])
        for one, name in self._alone():
            yield f"only {one} has {name}"
        for pair in self.pairs:
            yield ""
            yield f"{pair.role.replace('_', ' ')}: {pair.title}"
            yield from _lengths(pair) if pair.measured else _verdicts(pair)
        notes = sorted(self.cohort.notes, key=lambda note: note.warning)
        yield from ["", *(f"{'warning' if note.warning else 'taken'}: {note.text}" for note in notes)] if notes else []

    def _alone(self) -> Iterator[tuple[str, str]]:
        paired = {(one.criteria.name, name) for pair in self.pairs for one, name in pair._sides}
        for one in self.found:
            alone = [name for name in one.criteria.criteria if (one.criteria.name, name) not in paired]
            if alone:
                yield one.criteria.name, ", ".join(alone)


CHANGES = ("patient_id", "arm", "role", "one", "one_verdict", "other", "other_verdict", "why")


def compare(
    visits: Any,
    patients: Any = None,
    criteria: Sequence[str | Path | Criteria] = (),
    *,
    date_format: str | None = None,
    bleeding: Any = None,
    threads: int | None = None,
) -> Comparison:
    """One cohort under several sets of criteria, the first beside each of the others; the data are read once.

    `visits` is a `Cohort`, or whatever `read` takes. Like is matched with like by the `role` of criteria.
    Raises `UsageError` if there are not two sets, or they have no role in common.
    """
    sets = [one if isinstance(one, Criteria) else load(one) for one in criteria]
    if len(sets) < 2:
        raise UsageError("give two or more sets of criteria, as --criteria atra_2022 --criteria iwg_2009.")
    cohort = read_for(sets, visits, patients, date_format=date_format, bleeding=bleeding)
    found = Comparison(cohort, tuple(Classification(one, cohort, evaluate(one, cohort, threads)) for one in sets))
    if not found.pairs:
        roles = "; ".join(f"{one.name} has {', '.join(_roles(one)) or 'none'}" for one in sets)
        raise UsageError(f"these sets have no role in common, so nothing can be compared: {roles}.")
    return found


def read_for(
    sets: Sequence[Criteria], visits: Any, patients: Any, *, date_format: str | None = None, bleeding: Any = None
) -> Cohort:
    """The cohort with the columns that any of the sets declares.

    Raises `CriteriaError` if two declare the same column otherwise.
    """
    from itp_response.readers.visits import read

    columns: dict[str, ColumnDeclared] = {}
    for one in sets:
        for name, column in one.file.columns.items():
            if columns.setdefault(name, column) != column:
                raise CriteriaError(f"{one.path.name}: [columns] {name} is declared otherwise in another of the sets.")
    if isinstance(visits, Cohort):
        return visits
    return read(visits, patients, date_format=date_format, bleeding=bleeding, columns=columns)


def _roles(criteria: Criteria) -> dict[str, str]:
    """The first criterion of each role."""
    found: dict[str, str] = {}
    for name, model in criteria.criteria.items():
        if model.role is not None:
            found.setdefault(model.role, name)
    return found


def described(cohort: Cohort) -> str:
    """How many patients, and in how many arms."""
    arms = cohort.arm.drop_nulls().n_unique()
    return counted_patients(len(cohort)) + (f" in {counted(arms, 'arm')}" if arms else "")


def counted_patients(number: int) -> str:
    """So many patients."""
    return f"{number:,} patient{'' if number == 1 else 's'}"


def _cells(found: Classification, name: str) -> "pl.Series":
    verdict = found.verdicts[name]
    return labelled(name, verdict) if verdict.days is None else days_column(name, verdict.days)


def _verdicts(pair: Pair) -> Iterator[str]:
    """The cross-table, the clauses that moved patients by how many they moved, and the patients."""
    table = pair.cross_table()
    across = table.columns[1:]
    yield aligned([["  ", *across], *([f"  {row[0]}", *map(str, row[1:])] for row in table.iter_rows())])
    if not len(pair.changed):
        yield "  nobody changes"
        return
    if pair.summed:
        yield f"  {counted_patients(len(pair.changed))} named otherwise, as the verdicts behind the names are"
        return
    changes = pair.changes()
    yield f"  {counted_patients(len(changes))} change{'s' if len(changes) == 1 else ''}"
    grouped = changes.group_by("one_verdict", "other_verdict", "why", maintain_order=True).len()
    grouped = grouped.sort("len", descending=True, maintain_order=True)
    yield aligned([[f"  {n:>6,}", f"{a} -> {b}", why] for a, b, why, n in grouped.iter_rows()])
    listed = changes.select("patient_id", "one_verdict", "other_verdict", "why").head(SHOWN)
    yield aligned([[f"  {patient}", f"{a} -> {b}", why] for patient, a, b, why in listed.iter_rows()])
    if len(changes) > SHOWN:
        yield f"  and {len(changes) - SHOWN:,} more"


def _lengths(pair: Pair) -> Iterator[str]:
    rows = []
    lengths = []
    for found, name in pair._sides:
        days = found.verdicts[name].days
        assert days is not None
        lengths.append(days)
        known = days[days != NO_DAY]
        middle = f"median {number_in_words(float(np.median(known)))} days" if len(known) else ""
        rows.append([f"  {found.criteria.name} {name}", counted_patients(len(known)), middle])
    yield aligned(rows)
    differ = int((lengths[0] != lengths[1]).sum())
    yield f"  {counted_patients(differ)} with another length under the other set, or with one under only one"
