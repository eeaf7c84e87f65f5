"""Day 0: the day from which each patient's days count, and the end of treatment in these days."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from itp_response.cohort.observations import BeforeDose, Origin
from itp_response.cohort.values import NONE, Bools, Floats, Ints, Numbers, Texts, exactly
from itp_response.messages.codes import Code
from itp_response.readers.cells import is_empty
from itp_response.readers.column_names import STOPPED_BY, SUBJECT, WITHOUT_DAY_0, NamedTable
from itp_response.readers.dates import DayNumbering, note_enrolled
from itp_response.readers.patients import PatientTable
from itp_response.readers.problems import (
    Cells,
    NoteText,
    Problems,
    UnreadableCells,
    and_more,
    quoted,
)
from itp_response.readers.study_notes import FEW, count_patients
from itp_response.readers.study_rows import StudyRows

FAR = 36525
"""A hundred years in days; an observation farther from day 0 is an error of writing."""


def check_enrolment(
    visits: NamedTable, patients: PatientTable, numbering: DayNumbering | None, problems: Problems
) -> None:
    """Report days of enrolment beside visits by dates; beside visits by days, they say what day 1 is."""
    table, dated = patients.table, visits.has("date")
    if not dated and table.has("enrolment_day"):
        note_enrolled(visits.cells("day"), numbering, problems)
    if dated and table.has("enrolment_day") and not table.has("enrolment_date"):
        what = f"{table.header['enrolment_day']!r} cannot be used, as {visits.location.name} has dates"
        problems.wrong(table.location, f"{what}; give 'enrolment_date'.")


def day_0_of_patients(study: StudyRows, problems: Problems) -> Numbers:
    """Day 0 of each patient, in the days of the visits; NaN: not known."""
    visits, patients = study.visits, study.patients
    table = patients.table
    name = "enrolment_date" if visits.dated else "enrolment_day"
    if table.has(name):
        enrolment = patients.enrolment_date if visits.dated else exactly(patients.enrolment_day)
        _check_enrolled(study, table.cells(name), problems)
        return enrolment.at(study.patient_row)
    if visits.dated:
        return _first_count_days(study, problems)
    if table.has("enrolment_date"):
        without = study.ids.filter(np.isnan(patients.enrolment_date.low[study.patient_row]))
        words = "No enrolment date, so no dates in the output: {}.".format
        count_patients(table.location, "no enrolment", without, lambda _, few: words(few), problems)
    return exactly(np.zeros(len(study.ids)))


def _check_enrolled(study: StudyRows, enrolment: Cells, problems: Problems) -> None:
    """Report patients without an enrolment: in the patient table, and those who are not in it."""
    visits, patients = study.visits, study.patients
    reason = "the patient's enrolment is not known."
    empty = patients.rows[is_empty(enrolment, patients.rows)]
    cure = "fill it in, exclude the patient ('only' under [patients] of a mapping says which are included)"
    cure += ", or keep the patient as not evaluable with --on-error quarantine"
    if WITHOUT_DAY_0 in patients.table.frame.columns:
        cure = 'fill it in, say why in ARMNRS, or put \'without_day_0\' in sdtm.toml: "keep" or "leave_out"'
        is_kept = patients.table.frame[WITHOUT_DAY_0].fill_null(value=False).to_numpy()
        empty = empty[~is_kept[empty]]
    problems.wrong_in_all(
        patients.table.location,
        "enrolment",
        _missing_for(f"{enrolment.name}: ", cure),
        len(empty),
        _with_locations(patients.table, patients.id.gather(empty[:FEW]).to_list(), empty),
        unreadable=[UnreadableCells(enrolment, empty, lambda _: reason)],
        code=Code.CELL_EMPTY,
    )
    not_listed = np.flatnonzero(study.patient >= study.listed)
    if len(not_listed) and patients.table.has("patient_id"):
        first = not_listed[np.unique(study.patient[not_listed], return_index=True)[1]]
        problems.wrong_in_all(
            visits.table.location,
            "enrolment",
            _missing_for("", f"add a row to {patients.table.location.name}"),
            len(first),
            _with_locations(visits.table, study.ids.gather(study.patient[first[:FEW]]).to_list(), first),
            unreadable=[UnreadableCells(visits.table.cells("patient_id"), not_listed, lambda _: reason)],
            code=Code.CELL_EMPTY,
        )


def _missing_for(where: str, cure: str) -> NoteText:
    def note_text(number: int, patients: Sequence[str]) -> str:
        return f"{where}enrolment missing for {and_more(patients, FEW, number)}; {cure}."

    return note_text


def _with_locations(table: NamedTable, ids: list[str], rows: Ints) -> list[str]:
    """The first few patients, each with the location of the row."""
    locations = [table.location.named(int(row)) for row in rows[:FEW]]
    return [f"{quoted(patient_id)} ({location})" for patient_id, location in zip(ids, locations, strict=True)]


def _first_count_days(study: StudyRows, problems: Problems) -> Numbers:
    """The day of each patient's first count; of the first row, for a patient without a count."""
    visits, location = study.visits, study.visits.table.location
    problems.note(location, "No enrolment dates supplied: each patient's first count is on day 0.", warning=True)
    choices = (~np.isnan(visits.platelets.low), visits.recorded, study.patient >= 0)
    low = [_first_day(study, visits.when.low, rows) for rows in choices]
    without = study.ids.filter(np.isnan(low[0]) & ~np.isnan(low[2]))
    words = "Without a count, day 0 is the date of the first row: {}.".format
    count_patients(location, "no count", without, lambda _, few: words(few), problems)
    if visits.when.exact:
        return exactly(_first_known(low))
    high = [_first_day(study, visits.when.high, rows) for rows in choices]
    return Numbers(_first_known(low), _first_known(high))


def _first_day(study: StudyRows, when: Floats, rows: Bools) -> Floats:
    """The first of each patient's days in these rows; NaN where there is none."""
    chosen = np.flatnonzero(rows & (study.patient >= 0) & ~np.isnan(when))
    first = np.full(len(study.ids), np.inf)
    np.minimum.at(first, study.patient[chosen], when[chosen])
    return np.where(np.isinf(first), np.nan, first)


def _first_known(days: list[Floats]) -> Floats:
    return np.where(np.isnan(days[0]), np.where(np.isnan(days[1]), days[2], days[1]), days[0])


# TIMES OF DAY


TIME_OF_DAY = r"(?i)[T\s](\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d+)?\s*([AP])?M?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$"
"""The hour, the minute and the second of a date with a time, the half of the day, and the zone."""


def counts_before_dose(study: StudyRows, day: Floats) -> BeforeDose | None:
    """What the times of day tell of the counts of day 0; `day` is that of each row that is kept, since day 0.

    The dose is given at the time of enrolment. Midnight stands for a time that is not known, and times of different
    zones are not compared. None: no time of a dose is known.
    """
    visits, table = study.visits, study.patients.table
    if not visits.dated or not table.has("enrolment_date"):
        return None
    dose, zone = _times_of_day(table.cells("enrolment_date").values.gather(study.patient_row))
    if np.isnan(dose).all():
        return None
    on_day_0 = study.kept[day == 0]
    rows = on_day_0[~np.isnan(visits.platelets.low[on_day_0])]
    patient = study.patient[rows]
    time, own_zone = _times_of_day(visits.time.values.gather(rows))
    time[(own_zone != zone.gather(patient)).to_numpy()] = np.nan
    known = ~np.isnan(dose)
    known &= np.bincount(patient, minlength=len(dose)) > 0
    known[patient[np.isnan(time)]] = False
    # A count that was left out may be any, and the last before the dose.
    known[study.patient[on_day_0[visits.table.has_left_out("platelets")[on_day_0]]]] = False
    before = np.flatnonzero(time <= dose[patient])
    # The last stands: by time, and of one time the lowest, as of one day.
    before = before[np.lexsort((-visits.platelets.low[rows[before]], time[before], patient[before]))]
    chosen = np.full(len(dose), NONE)
    chosen[patient[before]] = rows[before]
    there = known & (chosen != NONE)
    counts = visits.platelets.at(np.maximum(chosen, 0)) if len(rows) else exactly(np.full(len(dose), np.nan))
    low, high = (np.where(there, bound, np.nan) for bound in (counts.low, counts.high))
    return BeforeDose(exactly(low) if counts.exact else Numbers(low, high), known)


def _times_of_day(dates: pl.Series) -> tuple[Floats, pl.Series]:
    """The time of day of each date in seconds, NaN where it is not known, and its zone, empty where it has none."""
    if isinstance(dates.dtype, pl.Datetime):
        dates = dates.dt.replace_time_zone(None).dt.strftime("%Y-%m-%dT%H:%M:%S")
    texts = dates.cast(pl.String) if dates.dtype != pl.String else dates
    parts = texts.str.strip_chars().str.extract_groups(TIME_OF_DAY).struct.unnest()
    hour, minute, second = (parts.to_series(part).cast(pl.Float64, strict=False) for part in range(3))
    half, zone = (parts.to_series(part).str.to_uppercase() for part in (3, 4))
    # 12 AM is the hour 0, 12 PM the hour 12.
    hour = hour.zip_with(half.is_null(), hour % 12 + (half == "P").cast(pl.Float64) * 12)
    time = (hour * 3600 + minute * 60 + second.fill_null(0)).fill_null(np.nan).to_numpy()
    return np.where(time == 0, np.nan, time), zone.fill_null("")


def check_near(cells: Cells, rows: Ints, day: Floats, problems: Problems) -> None:
    far = np.abs(day) > FAR
    problems.wrong_cells(
        cells,
        rows[far] if far.any() else rows[:0],
        lambda text: f"{quoted(text)} is more than 100 years from day 0; correct it, or the date of day 0.",
    )


# END OF TREATMENT


def days_stopped(study: StudyRows, day_0: Floats, date_0: Floats, problems: Problems) -> Floats:
    """The day since day 0 on which each patient stopped treatment permanently; infinite: not recorded."""
    patients, row = study.patients, study.patient_row
    cells = patients.table.cells("treatment_discontinued")
    stopped = patients.stopped.low[row]
    given = ~np.isnan(stopped)
    if patients.stopped_dated:
        without_date_0 = given & np.isnan(date_0)
        problems.wrong_cells(
            cells,
            row[without_date_0],
            lambda text: f"{quoted(text)} cannot be counted in days, as enrolment is not known; give 'enrolment_date'.",
        )
        stopped = stopped - date_0
    elif not study.visits.dated:
        stopped = stopped - day_0
    check_near(cells, row, stopped, problems)
    return np.where(given, stopped, np.inf)


def subjects(table: NamedTable, row: Ints) -> pl.Series | None:
    """DM's SUBJID of the patients in these rows; None: the source has none."""
    return table.frame[SUBJECT].gather(row) if SUBJECT in table.frame.columns else None


def stopped_by_record(table: NamedTable, row: Ints) -> Origin | None:
    """Where the end of treatment of the patients in these rows was written."""
    last = len(table.frame) - 2
    if not table.has("treatment_discontinued") or last < 0:
        return None
    first_label = np.zeros(len(row), dtype=np.int32)
    variable = Texts(first_label, (table.header["treatment_discontinued"],))
    if STOPPED_BY in table.frame.columns:
        numbers = table.frame[STOPPED_BY].fill_null(0).to_numpy()[row]
        return Origin(Texts(first_label, ("DS",)), numbers, variable)
    pieces = table.location.pieces
    # The empty row at the end stands for patients who are not in the table; they did not stop.
    row = np.minimum(row, last)
    if pieces is not None and pieces.origin is not None:
        return replace(pieces.origin.at(table.location.all_lines(row) - 1), variable=variable)
    lines = table.location.written_in(row, variable.labels[0])
    return Origin(Texts(first_label, (table.location.name,)), lines, variable, word=table.location.row_word)
