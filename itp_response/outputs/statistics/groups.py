"""Groups: the columns of the patients besides their verdicts, and the groups that are set beside each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification, labelled
from itp_response.classification.reference_arm import Reference, reference_of
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import TRUTHS, texts_of
from itp_response.cohort.values import Bools, Column, Ints, Numbers, Truths, exactly
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.parse import Names, parse
from itp_response.evaluation.rules.tree import NOT_OBSERVED, SINCE, AtRow, Type, names_in
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.wording import counted_patients
from itp_response.outputs.statistics.names import column_in_words, result_in_words
from itp_response.readers.cells import without_not_given
from itp_response.readers.column_names import read_table
from itp_response.readers.files import open_table
from itp_response.readers.known_names import ALIASES, PATIENTS
from itp_response.readers.patients import positions_of
from itp_response.readers.problems import Problems, as_text, first_few
from itp_response.readers.sdtm.folder import files_of, is_study

PER_PROTOCOL = "per_protocol"
"""The column of the patient table that gives the per-protocol set: yes or no."""
ARM = "arm"
ACTUAL_ARM = "actual_arm"
"""The column with the arm whose treatment was given; `arm` is the one assigned."""
REASON_STOPPED = "discontinuation_reason"
"""The column with the reason for discontinuing treatment."""
UNFAVOURABLE_ROLES = ("loss", "rescue", "failure")
FAVOURABLE_ROLES = ("response", "complete_response", "sustained_response", "remission")
NO_CHARACTERISTIC = (*PATIENTS, PER_PROTOCOL, REASON_STOPPED, "birth_date", "death_date")
"""Columns of the patient table that are no characteristics at entry; `baseline` comes from the counts."""
LEVELS = 12
"""A text column with more values than this makes no groups."""


def patient_columns(classification: Classification) -> dict[str, pl.Series]:
    """The columns of the patient table by name, an entry per patient in the order of the cohort; null is missing.

    A column is of numbers if all its cells are, else of texts. `arm` (the arm assigned) and `actual_arm` (the one whose
    treatment was given, where an input says so) are those of the cohort, `baseline` the baseline
    count that the criteria take (10⁹/L; null where it is only a bound). A study in SDTM gives the columns of its DM,
    in small letters.
    """
    columns = {name: _typed(texts) for name, texts in _patient_cells(classification.cohort).items()}
    columns.pop("patient_id", None)
    counts = classification.patient_days.patient_values("baseline")
    assert isinstance(counts, Numbers)
    exact = pl.Series("baseline", np.where(counts.low == counts.high, counts.low, np.nan), dtype=pl.Float64)
    cohort = classification.cohort
    arms = {"arm": cohort.arm} if cohort.actual_arm is None else {"arm": cohort.arm, ACTUAL_ARM: cohort.actual_arm}
    return {**columns, **arms, "baseline": exact.fill_nan(None)}


def _patient_cells(cohort: Cohort) -> dict[str, pl.Series]:
    """The cells of the patient table as texts, in the order of the cohort."""
    inputs = cohort.read_from.inputs if cohort.read_from else {}
    patients, visits = inputs.get("patients"), inputs.get("visits")
    if patients is not None:
        return _table_cells(patients, cohort)
    return _study_cells(Path(visits), cohort) if visits is not None and is_study(visits) else {}


def _table_cells(patients: Any, cohort: Cohort) -> dict[str, pl.Series]:
    problems = Problems()
    named = read_table(patients, "patients", 1, ("patient_id",), (), problems)
    assert named is not None  # it was read before
    whole = read_table(patients, "patients", 1, ("patient_id",), named.written, problems)
    assert whole is not None
    cells = {name: whole.cells(name) for name in whole.header}
    texts = {name: without_not_given(column, as_text(column.values), problems) for name, column in cells.items()}
    return _in_cohort_order(texts, texts["patient_id"], cohort)


def _study_cells(folder: Path, cohort: Cohort) -> dict[str, pl.Series]:
    """The cells of DM, in a study in SDTM."""
    path = next(path for path in files_of(folder) if path.stem.lower() == "dm")
    source = open_table(path, "DM")
    frame = source.load(range(len(source.header)))
    texts = {name.lower(): as_text(frame[str(column)]) for column, name in enumerate(source.header)}
    return _in_cohort_order(texts, texts["usubjid"], cohort)


def _in_cohort_order(texts: Mapping[str, pl.Series], ids: pl.Series, cohort: Cohort) -> dict[str, pl.Series]:
    first = (ids.is_not_null() & ids.is_first_distinct()).arg_true()
    position = pl.Series(positions_of(cohort.id, ids.gather(first)))
    row = first.gather(position.set(position < 0, None))
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
        as_truths = values if values.dtype == pl.Boolean else truths(values)
        return as_truths.replace_strict({True: "yes", False: "no"}, default=None, return_dtype=pl.String)
    return as_text(values)


def levels(values: pl.Series) -> tuple[str, ...]:
    """The different values in words: numbers by size, yes before no, texts by the alphabet."""
    texts = in_words(values)
    if values.dtype.is_numeric():
        return tuple(as_text(values.drop_nulls().unique().sort()).to_list())
    known = texts.drop_nulls().unique().sort().to_list()
    return ("yes", "no") if known and set(known) <= {"yes", "no"} else tuple(known)


class _PatientRows:
    """The columns of the patients, as a rule asks for them."""

    def __init__(self, columns: Mapping[str, pl.Series]) -> None:
        self.decided: dict[Any, Truths] = {}
        self._columns = columns

    def values(self, name: str | AtRow) -> Column:
        assert isinstance(name, str)  # a patient has no other row
        column = self._columns[name]
        if column.dtype.is_numeric():
            return exactly(column.fill_null(float("nan")).to_numpy())
        if is_truth(column):
            met = truths(column)
            return Truths(met.fill_null(value=False).to_numpy(), (~met).fill_null(value=False).to_numpy())
        return texts_of(column.to_list())


@dataclass(frozen=True)
class AnalysedPatients:
    """A classified cohort with the columns of its patients, and the part of it that is analysed."""

    classification: Classification
    included: Bools
    """(P) Whether each patient is analysed."""
    conditions: tuple[str, ...] = ()
    """What holds of all the patients that are analysed."""

    @property
    def cohort(self) -> Cohort:
        return self.classification.cohort

    @property
    def endpoints(self) -> Mapping[str, Any]:
        """The models of the endpoints by name, in the order of the file."""
        return self.classification.criteria.endpoints

    @cached_property
    def without_record(self) -> frozenset[str]:
        """The endpoints that rest on rescue treatment alone, where no input records it."""
        if self.cohort.records_rescue:
            return frozenset()
        criteria = self.classification.criteria
        of_rescue = {"rescue", "days_since_rescue", *criteria.rescues, *(f"{SINCE}{name}" for name in criteria.rescues)}
        named = {
            name: {used for rule in model.count_rules() for used in names_in(rule.tree)} - {*NOT_OBSERVED}
            for name, model in criteria.endpoints.items()
        }
        return frozenset(name for name, used in named.items() if used and used <= of_rescue)

    @cached_property
    def columns(self) -> Mapping[str, pl.Series]:
        return patient_columns(self.classification)

    @cached_property
    def characteristics(self) -> dict[str, pl.Series]:
        """The columns that describe the patients at entry: no ids, dates or arms, and nothing of what came later."""
        left_out = {alias for name in NO_CHARACTERISTIC for alias in (name, *ALIASES.get(name, ()))}
        kept = {
            name: column
            for name, column in self.columns.items()
            if name.lower() not in left_out and not is_dated(column)
        }
        return {"baseline": self.columns["baseline"], **kept}

    def column(self, text: str) -> pl.Series:
        """A patient column, an endpoint's verdicts, or a condition over patient columns, `age >= 60`.

        A verdict that is not evaluable or not applicable is null, as is a condition that is unknown.
        Raises `UsageError` for what is none of these.
        """
        if text in self.columns:
            return self.columns[text]
        if text in self.endpoints and not self.endpoints[text].is_length:
            return self._verdicts(text)
        if text.isidentifier() or not self.columns:
            raise UsageError(unknown("column", text, [*self.columns, *self.endpoints]))
        rule = parse(text, Names({name: _type(column) for name, column in self.columns.items()}))
        met = decide(rule.tree, _PatientRows(self.columns))
        return pl.Series(text, met.true).set(pl.Series(met.unknown), None)

    def title_of(self, column: str) -> str:
        """What a column, an endpoint or a condition is called in a table or picture."""
        if column not in self.columns and column in self.endpoints:
            return self.classification.criteria.labelled(column)
        return column_in_words(column)

    def rank_in_words(self, label: str) -> str:
        """A label of a ranked list: with its name in full where it is an endpoint or not evaluable."""
        if label in self.endpoints:
            return self.classification.criteria.labelled(label)
        return result_in_words(label) if label in ("NE", "NA") else label

    def is_unfavourable(self, endpoint: str) -> bool:
        """Whether to meet the endpoint is bad for the patient."""
        return self.endpoints[endpoint].role in UNFAVOURABLE_ROLES

    def _verdicts(self, endpoint: str) -> pl.Series:
        labels = labelled(endpoint, self.classification.verdicts[endpoint])
        if self.endpoints[endpoint].is_ranked:
            return labels.set(labels.is_in(["NE", "NA"]), None)
        return labels.replace_strict({"Y": "yes", "N": "no"}, default=None, return_dtype=pl.String)

    def restricted_to(self, conditions: Sequence[str]) -> "AnalysedPatients":
        """The patients of these for which all the conditions hold; a condition is as in `column`.

        Raises `UsageError` for a column that is neither yes nor no.
        """
        if not conditions:
            return self
        included = self.included.copy()
        for condition in conditions:
            met = in_words(self.column(condition))
            if not is_truth(met):
                cure = "use a condition, such as 'age >= 60'"
                raise UsageError(f"--only {condition!r} is not a yes/no column or a condition; {cure}.")
            included &= truths(met).fill_null(value=False).to_numpy()
        return AnalysedPatients(self.classification, included, (*self.conditions, *conditions))

    def per_protocol(self) -> Bools:
        """(P) Whether each patient belongs to the per-protocol set; an empty cell is no.

        Raises `UsageError` where the patient table does not say.
        """
        if PER_PROTOCOL not in self.columns:
            what = f"the per-protocol set needs a yes/no column {PER_PROTOCOL!r} in the patient table"
            raise UsageError(f"{what}; its columns are: {', '.join(self.columns)}.")
        members = in_words(self.columns[PER_PROTOCOL])
        if not is_truth(members):
            wrong = [text for text in members.drop_nulls().unique().sort() if text.lower() not in TRUTHS]
            raise UsageError(f"{PER_PROTOCOL}: {first_few(wrong)} is neither yes nor no; correct it.")
        return truths(members).fill_null(value=False).to_numpy()


def all_patients(classification: Classification) -> AnalysedPatients:
    """The patients of a classification, all of them analysed."""
    return AnalysedPatients(classification, np.ones(len(classification.cohort), dtype=np.bool_))


@dataclass(frozen=True)
class Groups:
    """Patients in groups that are set beside each other."""

    by: str
    """The column that makes the groups; an empty text: all patients are one group."""
    labels: tuple[str, ...]
    code: Ints
    """(P) The group of each patient; -1: none."""
    reference: int
    """The group that the others are compared with."""
    notes: tuple[str, ...] = field(default=())
    found: str = ""
    """How the reference group was found; empty: it was told, or there is one group alone."""

    @property
    def inside(self) -> Bools:
        """(P) Whether each patient is in a group."""
        return self.code >= 0

    @property
    def members(self) -> list[Bools]:
        """(P) For each group, whether each patient is in it."""
        return [self.code == code for code in range(len(self.labels))]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Each other group and the reference group."""
        return [(code, self.reference) for code in range(len(self.labels)) if code != self.reference]

    @property
    def assumed(self) -> tuple[str, ...]:
        """What is assumed of the reference group, a line with its prefix; nothing where it was told."""
        return Reference(self.labels[self.reference], self.found).assumed if self.pairs else ()

    def sizes(self) -> list[int]:
        return [int(member.sum()) for member in self.members]

    def headed(self) -> list[str]:
        """The groups with their sizes, as they head a table."""
        return [f"{label} (n = {size:,})" for label, size in zip(self.labels, self.sizes(), strict=True)]

    def compared(self) -> list[str]:
        """The comparisons by name."""
        return [f"{self.labels[first]} minus {self.labels[second]}" for first, second in self.pairs]

    def within(self, included: Bools) -> "Groups":
        """The same groups, of these patients alone."""
        return replace(self, code=np.where(included, self.code, -1), notes=())


def grouped(patients: AnalysedPatients, by: str, reference: str | None = None) -> Groups:
    """The patients in groups by what `AnalysedPatients.column` takes, in the order of `levels`: arms by name.

    The reference group is as in `reference_of` of the whole study, so that it is the same whatever part is analysed; an
    arm is there even if none of its patients is analysed. A patient without a value is in no group; the notes name
    these patients.
    Raises `UsageError` for a reference that is no group, or a column of too many values.
    """
    values = patients.column(by)
    if by == ARM and not len(values.filter(pl.Series(patients.included)).drop_nulls()):
        code = np.where(patients.included, 0, -1)
        return Groups("", ("all patients",), code, 0, ("No patient has an arm; all patients form one group.",))
    labels = _group_labels(patients, by)
    of_study = reference_of(levels(values), reference)
    if by in (ARM, ACTUAL_ARM) or reference is not None:
        labels = tuple(label for label in levels(values) if label in (*labels, of_study.label))
    compared_with = of_study if of_study.label in labels else reference_of(labels)
    codes = {label: code for code, label in enumerate(labels)}
    of_label = in_words(values).replace_strict(codes, default=-1, return_dtype=pl.Int64).to_numpy()
    code = np.where(patients.included, of_label, -1)
    without = patients.cohort.id.filter(pl.Series(patients.included & (code < 0))).to_list()
    what = "an arm" if by == ARM else f"a value for {patients.title_of(by)}"
    excluded = f"{counted_patients(len(without))} without {what} excluded from the groups: {first_few(without)}."
    notes = (*((excluded,) if without else ()), *(_as_assigned(patients) if by == ARM else ()))
    return Groups(by, labels, code, labels.index(compared_with.label), notes, compared_with.found)


def _as_assigned(patients: AnalysedPatients) -> Iterator[str]:
    """How many patients analysed were given the treatment of another arm than the one assigned, or of none."""
    cohort = patients.cohort
    if cohort.actual_arm is not None:
        kept_apart = cohort.arm.is_not_null() & (cohort.arm.ne_missing(cohort.actual_arm))
        number = int((patients.included & kept_apart.to_numpy()).sum())
        if number:
            yield (
                f"{counted_patients(number)} not treated as assigned, counted in the arm assigned; "
                "--set as-treated counts by treatment given."
            )


def _group_labels(patients: AnalysedPatients, by: str) -> tuple[str, ...]:
    """The groups of the patients analysed."""
    values = patients.column(by)
    labels = levels(values.filter(pl.Series(patients.included)))
    if len(labels) > LEVELS:
        cure = f"use a condition, such as --by '{by} >= …'" if values.dtype.is_numeric() else "name another column"
        raise UsageError(f"--by {by!r} has {len(labels):,} different values; at most {LEVELS} can form groups; {cure}.")
    if not labels:
        raise UsageError(f"--by {by!r} is empty for every patient, so no groups can be formed; name another column.")
    return labels


def is_dated(column: pl.Series) -> bool:
    """Whether a column is of dates."""
    known = column.drop_nulls()
    return bool(known.dtype == pl.String and len(known) and known.str.contains(r"^\d{4}-\d{2}(-\d{2})?").all())


def _type(column: pl.Series) -> Type:
    return "number" if column.dtype.is_numeric() else "truth" if is_truth(column) else "text"
