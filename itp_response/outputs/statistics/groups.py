"""Patients: what is known of each besides the verdicts, and the groups they are put in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification, labelled
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import TRUTHS, texts_of
from itp_response.cohort.values import Bools, Column, Ints, Numbers, Truths, exactly
from itp_response.evaluation.evaluate import is_length, patient_days_of
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.parse import Names, parse
from itp_response.evaluation.rules.tree import Type
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.wording import counted_patients
from itp_response.readers.cells import without_not_given
from itp_response.readers.column_names import ALIASES, PATIENTS, read_table
from itp_response.readers.files import open_table
from itp_response.readers.patients import positions_of
from itp_response.readers.problems import Problems, as_text, first_few
from itp_response.readers.sdtm.domains import files_of, is_study

PER_PROTOCOL = "per_protocol"
"""The column of the patient table that says who belongs to the per-protocol set: yes or no."""
REASON_STOPPED = "discontinuation_reason"
"""The column with why treatment was stopped for good."""
NO_CHARACTERISTIC = (*PATIENTS, PER_PROTOCOL, REASON_STOPPED, "birth_date", "death_date")
"""Columns of the patient table that are no characteristic of a patient at entry; `baseline` comes from the counts."""
LEVELS = 12
"""A text with more different values than this is no group."""


def patient_columns(classification: Classification) -> dict[str, pl.Series]:
    """The columns of the patient table by name, an entry per patient in the order of the cohort; null is missing.

    A column is of numbers if all its cells are, else of texts. `arm` is that of the cohort, `baseline` the baseline
    count that the criteria take (10⁹/L; null where it is only a bound). A study in SDTM gives the columns of its DM,
    in small letters.
    """
    columns = {name: _typed(texts) for name, texts in _written(classification.cohort).items()}
    columns.pop("patient_id", None)
    counts = patient_days_of(
        classification.criteria, classification.cohort, 0, len(classification.cohort)
    ).patient_values("baseline")
    assert isinstance(counts, Numbers)
    low = pl.Series("baseline", np.where(counts.low == counts.high, counts.low, np.nan), dtype=pl.Float64)
    return {**columns, "arm": classification.cohort.arm, "baseline": low.fill_nan(None)}


def _written(cohort: Cohort) -> dict[str, pl.Series]:
    """The cells of the patient table as texts, in the order of the cohort."""
    given = cohort.read_from.inputs.get("patients") if cohort.read_from else None
    visits = cohort.read_from.inputs.get("visits") if cohort.read_from else None
    if given is None and is_study(visits):
        return _of_study(Path(visits), cohort)  # type: ignore[arg-type]
    if given is None:
        return {}
    found = Problems()
    named = read_table(given, "patients", 1, ("patient_id",), (), found)
    assert named is not None  # it was read before
    whole = read_table(given, "patients", 1, ("patient_id",), named.written, found)
    assert whole is not None
    texts = {
        name: without_not_given(whole.cells(name), as_text(whole.cells(name).values), found) for name in whole.header
    }
    return _in_order(texts, texts["patient_id"], cohort)


def _of_study(folder: Path, cohort: Cohort) -> dict[str, pl.Series]:
    path = next(path for path in files_of(folder) if path.stem.lower() == "dm")
    source = open_table(path, "DM")
    frame = source.load(range(len(source.header)))
    texts = {name.lower(): as_text(frame[str(place)]) for place, name in enumerate(source.header)}
    return _in_order(texts, texts["usubjid"], cohort)


def _in_order(texts: Mapping[str, pl.Series], ids: pl.Series, cohort: Cohort) -> dict[str, pl.Series]:
    first = (ids.is_not_null() & ids.is_first_distinct()).arg_true()
    place = pl.Series(positions_of(cohort.id, ids.gather(first)))
    row = first.gather(place.set(place < 0, None))
    return {name: column.gather(row).alias(name) for name, column in texts.items()}


def _typed(texts: pl.Series) -> pl.Series:
    numbers = texts.cast(pl.Float64, strict=False)
    return numbers if numbers.null_count() == texts.null_count() and texts.null_count() < len(texts) else texts


def is_truth(values: pl.Series) -> bool:
    """Whether a text column says yes or no."""
    return values.dtype == pl.String and set(values.drop_nulls().str.to_lowercase()) <= set(TRUTHS)


def truths(values: pl.Series) -> pl.Series:
    """A column of yes and no as true, false and null."""
    return values.str.to_lowercase().replace_strict(TRUTHS, default=None, return_dtype=pl.Boolean)


def in_words(values: pl.Series) -> pl.Series:
    """A column's values as texts: numbers without a needless point, truths as yes and no."""
    if values.dtype == pl.Boolean or is_truth(values):
        said = values if values.dtype == pl.Boolean else truths(values)
        return said.replace_strict({True: "yes", False: "no"}, default=None, return_dtype=pl.String)
    return as_text(values)


def levels(values: pl.Series) -> tuple[str, ...]:
    """The different values in words: numbers by size, yes before no, texts by the alphabet."""
    texts = in_words(values)
    if values.dtype.is_numeric():
        return tuple(as_text(values.drop_nulls().unique().sort()).to_list())
    known = texts.drop_nulls().unique().sort().to_list()
    return ("yes", "no") if known and set(known) <= {"yes", "no"} else tuple(known)


class _PatientRows:
    """The columns of the patients as a rule asks for them."""

    def __init__(self, columns: Mapping[str, pl.Series]) -> None:
        self.decided: dict[Any, Truths] = {}
        self._columns = columns

    def values(self, name: str) -> Column:
        column = self._columns[name]
        if column.dtype.is_numeric():
            return exactly(column.fill_null(float("nan")).to_numpy())
        if is_truth(column):
            said = truths(column)
            return Truths(said.fill_null(value=False).to_numpy(), (~said).fill_null(value=False).to_numpy())
        return texts_of(column.to_list())


@dataclass(frozen=True)
class AnalysedPatients:
    """A classified cohort with what is known of its patients, and those of them that are looked at."""

    found: Classification
    only: Bools
    """(P) Who is looked at."""
    restricted: tuple[str, ...] = ()
    """By which conditions."""

    @property
    def cohort(self) -> Cohort:
        return self.found.cohort

    @cached_property
    def columns(self) -> Mapping[str, pl.Series]:
        return patient_columns(self.found)

    @cached_property
    def characteristics(self) -> dict[str, pl.Series]:
        """The columns that tell of the patients at entry: not the ids, dates, arms, and not what came later."""
        left_out = {alias for name in NO_CHARACTERISTIC for alias in (name, *ALIASES.get(name, ()))}
        kept = {name: one for name, one in self.columns.items() if name.lower() not in left_out and not _dated(one)}
        return {"baseline": self.columns["baseline"], **kept}

    def column(self, text: str) -> pl.Series:
        """A patient column, an endpoint's verdicts, or a condition over patient columns, `age >= 60`.

        A verdict that is not evaluable, or does not arise, is null, as is a condition that is unknown.
        Raises `UsageError` for what is none of these.
        """
        if text in self.columns:
            return self.columns[text]
        criteria = self.found.criteria.endpoints
        if text in criteria and not is_length(criteria[text]):
            said = labelled(text, self.found.verdicts[text])
            if criteria[text].kind == "best":
                return said.set(said == "NE", None)
            return said.replace_strict({"Y": "yes", "N": "no"}, default=None, return_dtype=pl.String)
        if text.isidentifier() or not self.columns:
            raise UsageError(unknown("column", text, [*self.columns, *criteria]))
        rule = parse(text, Names({name: _type(column) for name, column in self.columns.items()}))
        held = decide(rule.tree, _PatientRows(self.columns))
        return pl.Series(text, held.true).set(pl.Series(held.unknown), None)

    def restricted_to(self, conditions: Sequence[str]) -> "AnalysedPatients":
        """Only those of whom all these conditions hold; each is as in `column`."""
        if not conditions:
            return self
        only = self.only.copy()
        for condition in conditions:
            held = in_words(self.column(condition))
            if not is_truth(held):
                raise UsageError(f"--only {condition!r} is neither yes nor no of a patient; say as 'age >= 60'.")
            only &= truths(held).fill_null(value=False).to_numpy()
        return AnalysedPatients(self.found, only, (*self.restricted, *conditions))

    def per_protocol(self) -> Bools:
        """Who belongs to the per-protocol set; an empty cell is no.

        Raises `UsageError` where the patient table does not say.
        """
        if PER_PROTOCOL not in self.columns:
            what = f"the per-protocol set needs a column {PER_PROTOCOL!r} in the patient table, yes or no"
            raise UsageError(f"{what}; there are: {', '.join(self.columns)}.")
        said = self.columns[PER_PROTOCOL]
        if not is_truth(in_words(said)):
            wrong = [one for one in in_words(said).drop_nulls().unique().sort() if one.lower() not in TRUTHS]
            raise UsageError(f"{PER_PROTOCOL}: {first_few(wrong)} is neither yes nor no; correct it.")
        return truths(in_words(said)).fill_null(value=False).to_numpy()


@dataclass(frozen=True)
class Groups:
    """Patients in groups that are set beside each other."""

    by: str
    """What makes the groups; an empty text: all are one."""
    labels: tuple[str, ...]
    code: Ints
    """(P) Which group each is in; -1: none."""
    reference: int
    """The group that the others are compared with."""
    notes: tuple[str, ...] = field(default=())

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Each other group and the one it is compared with."""
        return [(one, self.reference) for one in range(len(self.labels)) if one != self.reference]

    def sizes(self) -> list[int]:
        return [int((self.code == one).sum()) for one in range(len(self.labels))]

    def headed(self) -> list[str]:
        """The groups with their sizes, as they head a table."""
        return [f"{label} (n = {size:,})" for label, size in zip(self.labels, self.sizes(), strict=True)]

    def compared(self) -> list[str]:
        """The comparisons by name."""
        return [f"{self.labels[one]} less {self.labels[other]}" for one, other in self.pairs]

    def within(self, only: Bools) -> "Groups":
        """The same groups, of these patients alone."""
        return Groups(self.by, self.labels, np.where(only, self.code, -1), self.reference)


def grouped(patients: AnalysedPatients, by: str, reference: str | None = None) -> Groups:
    """The patients in groups by a column, or by whatever `Patients.column` takes; arms in the order they come in.

    The group compared with is the last, unless another is named. Who has no value is in no group, and it is told.
    Raises `UsageError` for a reference that is no group, or a column of too many values.
    """
    values = in_words(patients.column(by))
    said = values.filter(pl.Series(patients.only)).drop_nulls()
    if by == "arm" and not len(said):
        code = np.where(patients.only, 0, -1)
        return Groups("", ("all patients",), code, 0, ("No patient has an arm, so all are one group.",))
    among = levels(patients.column(by).filter(pl.Series(patients.only)))
    labels = tuple(said.unique(maintain_order=True)) if by == "arm" else among
    if len(labels) > LEVELS:
        cure = f"say a condition, as --by '{by} >= …'" if patients.column(by).dtype.is_numeric() else "name another"
        raise UsageError(f"--by {by!r} has {len(labels)} different values, too many for groups; {cure}.")
    if not labels:
        raise UsageError(f"--by {by!r} is empty for every patient, so there are no groups.")
    if reference is not None and reference not in labels:
        raise UsageError(unknown("group", reference, labels))
    codes = texts_of(values.to_list())
    place = np.array([labels.index(one) if one in labels else -1 for one in codes.labels] + [-1])
    code = np.where(patients.only, place[codes.codes], -1)
    without = patients.cohort.id.filter(pl.Series(patients.only & (code < 0))).to_list()
    lost = f"{counted_patients(len(without))} without {by} in no group: {first_few(without)}." if without else ""
    last = len(labels) - 1 if reference is None else labels.index(reference)
    return Groups(by, labels, code, last, tuple(filter(None, [lost])))


def _dated(column: pl.Series) -> bool:
    """Whether a column is of dates."""
    given = column.drop_nulls()
    return bool(given.dtype == pl.String and len(given) and given.str.contains(r"^\d{4}-\d{2}(-\d{2})?").all())


def _type(column: pl.Series) -> Type:
    return "number" if column.dtype.is_numeric() else "truth" if is_truth(column) else "text"
