"""As of: the cut of a study that was read, and what is said of it."""

from collections.abc import Callable, Sequence

import numpy as np

from itp_response.cohort.as_of import AsOf
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.cut import cut
from itp_response.cohort.values import Floats
from itp_response.messages.codes import Code
from itp_response.messages.wording import counted, counted_patients
from itp_response.readers.options import ReadOptions
from itp_response.readers.problems import Problems, first_few
from itp_response.readers.study_notes import FEW
from itp_response.readers.study_rows import StudyRows


def check_as_of(study: StudyRows, date_0: Floats, options: ReadOptions, problems: Problems) -> None:
    """Report that a study cannot be cut at a date, as the date of day 0 is not known of patients with records.

    `date_0` has of each patient the date of day 0, NaN where it is not known.
    """
    as_of = options.cut_at
    if as_of is None or not as_of.is_date:
        return
    has_records = np.zeros(len(study.ids), dtype=np.bool_)
    has_records[study.patient[study.kept]] = True
    has_records |= ~np.isnan(study.patients.stopped.low[study.patient_row])
    without = study.ids.filter(has_records & np.isnan(date_0))

    def text(number: int, ids: Sequence[str]) -> str:
        what = f"as of {as_of}: the date of day 0 is not known of {counted_patients(number)}"
        cure = "give 'enrolment_date' in the patient table, or cut at a day counted from day 0, as in --as-of 180"
        return f"{what} ({first_few(ids, number=number)}), so a date is no day of the study; {cure}."

    ids = without[:FEW].to_list()
    problems.wrong_in_all(
        study.visits.table.location, "as of", text, len(without), ids, unreadable=(), code=Code.DATA_AMBIGUOUS
    )


def cut_and_noted(cohort: Cohort, study: StudyRows, options: ReadOptions, problems: Problems) -> Cohort:
    """The cohort as of the moment that is asked for, if one is; what was cut off is noted with its numbers."""
    as_of = options.cut_at
    if as_of is None:
        return cohort
    of = cut(cohort, as_of)
    location = study.visits.table.location

    def records_text(number: int, _: Sequence[str]) -> str:
        what = f"{counted(number, 'later record')} not used" if number else "there is no later record"
        return f"The study is seen as of {as_of}: {what}."

    problems.count(location, "as of", records_text, of.records)
    for about, number, words in (
        ("goes on", of.courses, _courses_in_words),
        ("stopped", of.stopped, _stopped_in_words),
        *((f"column {name}", later, _column_in_words(name)) for name, later in of.columns.items()),
    ):
        problems.count(location, f"as of: {about}", _as_of_text(as_of, words), number, beside="as of")

    def not_yet_text(number: int, ids: Sequence[str]) -> str:
        few = first_few(ids, number=number)
        return f"As of {as_of}, {counted_patients(number)} not in the study yet, not counted: {few}." if number else ""

    ids = of.cohort.not_yet[:FEW].to_list()
    problems.count(location, "as of: not yet", not_yet_text, len(of.cohort.not_yet), ids, beside="as of")
    return of.cohort


def _as_of_text(as_of: AsOf, words: Callable[[int], str]) -> Callable[[int, Sequence[str]], str]:
    return lambda number, _: f"As of {as_of}, {words(number)}." if number else ""


def _courses_in_words(number: int) -> str:
    return f"{counted(number, 'rescue treatment')} that ended later {'goes' if number == 1 else 'go'} on"


def _stopped_in_words(number: int) -> str:
    return (
        f"{counted(number, 'later discontinuation')} of treatment {'has' if number == 1 else 'have'} not happened yet"
    )


def _column_in_words(name: str) -> Callable[[int], str]:
    return lambda number: f"{counted(number, 'later day')} in {name!r} {'is' if number == 1 else 'are'} not known yet"
