"""Under a set: what is assumed and noticed of a cohort because a criteria set asks for it.

Reading knows of no criteria, so the notes of a cohort do not say it. These are the inputs that the set needs and nobody
supplied, the patients whose baseline is outside the entry of the source, and days with several counts for the baseline.
"""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np
import polars as pl

from itp_response.classification.supplied import records_discontinuation
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import Note
from itp_response.cohort.values import Ints, ranges
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.eligibility import ITP, entered
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.tree import SINCE
from itp_response.messages.codes import Code
from itp_response.messages.errors import CohortError, Problem, one_a_line
from itp_response.messages.wording import counted, counted_patients

UNDER_A_SET = "criteria"
"""What these notes are about; a cohort that is decided by another set has others."""


def noted(cohort: Cohort, sets: Sequence[Criteria]) -> Cohort:
    """The cohort with what is assumed and noticed of it because these sets ask for it.

    Raises `CohortError` for a column that a set needs and the cohort was read without.
    """
    problems: list[str] = [problem for criteria in sets for problem in _columns_not_read(cohort, criteria)]
    if problems:
        raise CohortError(one_a_line(problems), problems)
    notes = [note for criteria in sets for note in Noticed.of(criteria, cohort).notes(criteria, cohort)]
    return with_notes(cohort, notes)


def with_notes(cohort: Cohort, notes: Sequence[Note]) -> Cohort:
    """The cohort with these notes, each once, in place of those under another set."""
    of_reading = [note for note in cohort.notes if note.about != UNDER_A_SET]
    all_notes = (*of_reading, *dict.fromkeys(notes))
    return cohort if all_notes == cohort.notes else replace(cohort, notes=all_notes)


def _columns_not_read(cohort: Cohort, criteria: Criteria) -> Iterator[Problem]:
    """The columns that rules of the set name and the cohort, which was read already, does not have."""
    has = {*cohort.row_columns, *cohort.patient_columns}
    cure = f"give the tables in its place, or read it with columns=criteria({criteria.name!r}).file.columns"
    for name, column in criteria.file.columns.items():
        if name in criteria.names_observed and name not in has:
            table = "visits" if column.table == "visits" else "patient table"
            sentence = (
                f"the criteria set {criteria.name} needs the column {name!r} of the {table}, "
                f"and the Cohort was read without it; {cure}."
            )
            yield Problem(sentence, code=Code.COLUMN_MISSING, column=name)


@dataclass(frozen=True)
class Noticed:
    """Numbers of what is noticed of a cohort under a set; those of the chunks of a study add up."""

    patients: int
    outside: int
    """Patients with a baseline outside the entry of the source."""
    above_itp: int
    """Patients with a baseline that is not below the count that defines ITP."""
    several: int
    """Patients with several counts on a day of which one is the baseline; the lowest is."""
    by_time: int
    """The same; the last before the dose is."""
    nameless: int
    """Rescue treatments without a name, where the set tells classes of them apart."""

    @classmethod
    def of(cls, criteria: Criteria, cohort: Cohort) -> "Noticed":
        """What is noticed of a cohort, or of a chunk of one."""
        patient_days = patient_days_of(criteria, cohort, 0, len(cohort))
        how = entered(criteria.eligibility, criteria.baseline.days, patient_days)
        several, by_time = map(len, _with_several(cohort, patient_days))
        has_classes = {*criteria.rescues, *(f"{SINCE}{name}" for name in criteria.rescues)} & criteria.names_observed
        nameless = int((cohort.courses.name.codes < 0).sum()) if has_classes else 0
        return cls(len(cohort), int(how.outside.sum()), int(how.above_itp.sum()), several, by_time, nameless)

    def __add__(self, other: "Noticed") -> "Noticed":
        return Noticed(*(ours + theirs for ours, theirs in zip(astuple(self), astuple(other), strict=True)))

    def notes(self, criteria: Criteria, cohort: Cohort) -> list[Note]:
        """The notes; the cohort says which inputs there are, and its patients may be left out."""
        texts = [(text, True) for text in _not_supplied(criteria, cohort)]
        if self.nameless:
            what = counted(self.nameless, "rescue treatment")
            texts.append((f"{what} without a name, assumed to be in no class of {criteria.name}.", True))
        texts += [(text, False) for text in self._of_several(criteria)]
        texts += [(text, True) for text in self._of_entry(criteria)]
        return [Note(UNDER_A_SET, text, warning) for text, warning in texts]

    def _of_several(self, criteria: Criteria) -> Iterator[str]:
        if self.several:
            of = counted_patients(self.several)
            where = "" if criteria.baseline.several == "lowest" else ", where the times of day are not known"
            lowest = "the lowest is the baseline"
            if criteria.baseline.pick == "mean":
                lowest = "the lowest is used for its mean"
            yield f"Of several platelet counts on the day of the baseline, {lowest}{where} ({of})."
        if self.by_time:
            of = counted_patients(self.by_time)
            yield f"Of several platelet counts on day 0, the last before the dose is the baseline ({of})."

    def _of_entry(self, criteria: Criteria) -> Iterator[str]:
        entry = criteria.eligibility
        if entry is not None and self.outside:
            limit = f"outside the entry limit of {entry_in_words(criteria)}"
            yield f"{self._with_a_baseline_of(self.outside)} {entry.outside_in_words}, {limit}."
        if self.above_itp:
            unstated = "" if entry else f"; {criteria.file.short or criteria.name} states no entry limit"
            limit = f"which does not meet the definition of ITP (IWG 2009: below {ITP:g}){unstated}"
            yield f"{self._with_a_baseline_of(self.above_itp)} {ITP:g} or more, {limit}."

    def _with_a_baseline_of(self, number: int) -> str:
        has = "has" if number == 1 else "have"
        return f"{number:,} of {counted_patients(self.patients)} {has} a baseline of"


def entry_in_words(criteria: Criteria) -> str:
    """The source and the baseline with which it takes in a patient, where it states one."""
    limit = f": {criteria.eligibility.in_words}" if criteria.eligibility else ""
    return f"{criteria.file.short or criteria.name}{limit}"


def _with_several(cohort: Cohort, patient_days: PatientDays) -> tuple[Ints, Ints]:
    """The patients with different counts on a day that gives the baseline: where the lowest is it, and where not."""
    if len(cohort.counts.low) == len(cohort.day):  # no day has several
        nobody = np.zeros(0, dtype=np.int64)
        return nobody, nobody
    rows = patient_days.rows_of_baseline
    rows = rows[np.diff(cohort.first_line)[rows] > 1]
    if not len(rows):
        return rows, rows
    owner, lines = ranges(cohort.first_line[rows], cohort.first_line[rows + 1])
    counts = cohort.counts.at(lines)
    lines_of = pl.DataFrame({"row": rows[owner], "low": counts.low, "high": counts.high}).fill_nan(None).drop_nulls()
    different = lines_of.unique().group_by("row").len().filter(pl.col("len") > 1)["row"].to_numpy()
    timed = patient_days.timed_baseline[different]
    by_lowest, by_time = (np.unique(patient_days.patient[different[of]]) for of in (~timed, timed))
    return by_lowest, by_time


def _not_supplied(criteria: Criteria, cohort: Cohort) -> Iterator[str]:
    """What the rules of a set ask for and no input has; of a cohort that was not read, all was told."""
    if cohort.read_from is None:
        return
    of_rescue = {"rescue", *criteria.rescues} & criteria.names_observed
    since = {f"{SINCE}{name}" for name in ("rescue", *criteria.rescues)} & criteria.names_observed
    if (of_rescue or since) and not cohort.records_rescue:
        yield (
            "Rescue treatment is not recorded, so it is assumed that none was given. "
            "If any was given, add it (a column 'rescue'; CM in SDTM)."
        )
    elif since and not cohort.records_rescue_end:
        yield (
            "The end of rescue treatment is not recorded, so each is assumed to have lasted one day. "
            "If any lasted longer, add a column 'rescue_end'."
        )
    if "treatment_discontinued" in criteria.names_observed and not records_discontinuation(cohort):
        yield (
            "Discontinuation of treatment is not recorded, so it is assumed that no patient discontinued. "
            "If any did, add it (a column 'treatment_discontinued' of the patient table; DS in SDTM)."
        )
