"""Bleeding of SDTM: events in AE and CE, on each day of a count while they last, and grades at visits in FA."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl

from itp_response.cohort.values import Ints, Numbers
from itp_response.messages.wording import counted as number_of
from itp_response.readers.dates import as_day_numbers
from itp_response.readers.lasting import lasting_days
from itp_response.readers.problems import Cells, Problems, first_few, quoted
from itp_response.readers.sdtm.counts import CountDays
from itp_response.readers.sdtm.occurrence import dated, took_place
from itp_response.readers.sdtm.records import Records, SdtmStudy, VisitRecords, either, of_all, without_end
from itp_response.readers.sdtm.terms import BLEEDING_LIKE, BLEEDING_OBJECTS, GRADE_TESTS, SEVERITIES


class _Graded(NamedTuple):
    """The records of bleeding, by the source of their grade: which records of the domain they are."""

    by_scale: pl.Series
    """Graded by the bleeding scale, in the supplement."""
    by_toxicity: pl.Series
    by_severity: pl.Series
    """All others; some may have no severity."""
    grade: pl.Series
    """Per record of the domain."""
    scales: list[str]
    """The columns of the bleeding scale."""


def bleeding_events(records: Records, counted: CountDays, study: SdtmStudy) -> None:
    """Bleeding by terms, with its grade, on its first day and on the days of counts up to its last."""
    domain = records.domain
    term = either(records.folded(f"{domain}DECOD"), records.folded(f"{domain}TERM"))
    terms = [name.upper() for name in study.settings.bleeding_terms]
    named = term.is_in(terms).fill_null(value=False)
    bleeding = took_place(records, named, "bleeding", study)
    _note_terms(records, term, bleeding, named, study)
    graded = _graded(records, bleeding, study)
    for rows, variable in (
        (graded.by_scale, " or ".join(graded.scales)),
        (graded.by_toxicity, f"{domain}TOXGR"),
        (graded.by_severity, f"{domain}SEV"),
    ):
        row, dates = dated(records, records.rows(rows), counted, "bleeding", study)
        if len(row):
            names = {"date": f"{domain}STDTC", "bleeding_grade": variable}
            cells = {"date": dates, "bleeding_grade": graded.grade.gather(row)}
            first_days = VisitRecords(records, row, variable, names, cells)
            study.visit_records.append(first_days)
            _lasting(first_days, counted, study)


def _graded(records: Records, bleeding: pl.Series, study: SdtmStudy) -> _Graded:
    """The grades of bleeding: by the scale in the supplement, else by --TOXGR, else by --SEV."""
    scales = [name for name in study.settings.bleeding_tests if records.has(name)]
    by_scale = pl.Series([False]).new_from_index(0, len(records))
    grade = records.folded(f"{records.domain}TOXGR")
    for scale in scales:
        by_scale |= records.texts(scale).is_not_null()
        grade = either(records.folded(scale), grade)
    grade = grade.str.replace(r"^GRADE\s*", "")
    by_severity = grade.is_null()
    severity = records.folded(f"{records.domain}SEV")
    of_severity = severity.replace_strict(SEVERITIES, default=None, return_dtype=pl.String)
    of_severity = _with_ungraded(records, bleeding & by_severity & severity.is_null(), of_severity, study)
    _check_severity(records, bleeding & by_severity, severity, of_severity, study)
    fatal = bleeding & (grade == "5").fill_null(value=False)
    graded = _Graded(
        by_scale=bleeding & by_scale,
        by_toxicity=bleeding & ~by_severity & ~by_scale,
        by_severity=bleeding & by_severity,
        grade=either(grade.set(fatal, "4"), of_severity),
        scales=scales,
    )
    _note_grades(records, graded, fatal, study)
    return graded


def _with_ungraded(records: Records, ungraded: pl.Series, grade: pl.Series, study: SdtmStudy) -> pl.Series:
    """The grades by severity with that which sdtm.toml tells of bleeding without a grade, if it tells one."""
    told = study.settings.ungraded_bleeding
    if told is None or not ungraded.any():
        return grade
    number = number_of(int(ungraded.sum()), "bleeding event")
    study.note(records, f"{number} without a grade, assumed to be of grade {told}, as sdtm.toml says.", warning=True)
    return grade.set(ungraded, str(told))


def _check_severity(
    records: Records, by_severity: pl.Series, severity: pl.Series, grade: pl.Series, study: SdtmStudy
) -> None:
    """Report bleeding without a grade, and severities that have none."""
    domain = records.domain
    unknown = records.rows(by_severity & severity.is_not_null() & grade.is_null())
    study.wrong_cells(
        records,
        records.cells(f"{domain}SEV"),
        unknown,
        lambda text: f"{quoted(text)} is none of {', '.join(SEVERITIES)}.",
    )
    lacking = records.rows(by_severity & severity.is_null() & grade.is_null())
    cure = f"the bleeding has no grade; fill in {domain}TOXGR or {domain}SEV, or put 'ungraded_bleeding' in sdtm.toml"
    cure += " (1: it counts where any bleeding does)"
    study.wrong_cells(records, records.cells(f"{domain}TOXGR"), lacking, lambda _: f"{cure}.")


def _note_grades(records: Records, graded: _Graded, fatal: pl.Series, study: SdtmStudy) -> None:
    """Note which variables the grades are from."""
    domain = records.domain
    if fatal.any():
        number = number_of(int(fatal.sum()), "bleeding event")
        study.note(records, f"{number} of grade 5 (death), assumed to be WHO grade 4.", warning=True)
    of_severity = graded.by_severity & records.texts(f"{domain}SEV").is_not_null()
    if of_severity.any():
        number = number_of(int(of_severity.sum()), "bleeding event")
        study.note(records, f"{number} graded by {domain}SEV: MILD 1, MODERATE 2, SEVERE 3.", warning=True)
    if graded.by_scale.any():
        number = number_of(int(graded.by_scale.sum()), "bleeding event")
        study.note(records, f"{number} graded by the scale of the supplement, {' or '.join(graded.scales)}.")
    if graded.by_toxicity.any():
        study.note(records, f"grades of {domain}TOXGR assumed to be WHO grades.", warning=True)


def _note_terms(records: Records, term: pl.Series, bleeding: pl.Series, named: pl.Series, study: SdtmStudy) -> None:
    """Note which terms count as bleeding, and which similar ones do not."""
    terms = term.filter(bleeding)
    words = f": {first_few(terms.unique().sort(), 10)}" if len(terms) else ""
    study.note(records, f"{of_all(len(terms), records)} counted as bleeding{words}.")
    alike = term.filter(~named & term.str.contains(BLEEDING_LIKE).fill_null(value=False))
    if len(alike):
        shown = first_few(alike.unique().sort(), 10)
        what = f"{number_of(len(alike), 'record')} not counted as bleeding, though like it: {shown}"
        study.note(records, f"{what}; 'bleeding_terms' in sdtm.toml says which are.", warning=True)


def _lasting(first_days: VisitRecords, counted: CountDays, study: SdtmStudy) -> None:
    """The bleeding on the days of counts after its first day up to its last; not known where it is not certain."""
    records, domain = first_days.records, first_days.records.domain
    start, end = (_interval(records, f"{domain}{name}", first_days.row, study) for name in ("STDTC", "ENDTC"))
    goes_on = without_end(records).gather(first_days.row).to_numpy() & np.isnan(end.low)
    last = np.where(goes_on, np.inf, end.low)
    for rows, what in (
        (np.isnan(last), "without an end date, assumed to have lasted one day"),
        (
            ((start.low < start.high) & ~np.isnan(last)) | (end.low < end.high),
            "with dates known in part: not known on the days of counts on which there may have been bleeding",
        ),
    ):
        if rows.any():
            study.note(records, f"{number_of(int(rows.sum()), 'bleeding event')} {what}.", warning=True)
    spans = {
        "subject": first_days.column("patient_id"),
        "grade": first_days.cells["bleeding_grade"],
        "start_low": start.low,
        "start_high": start.high,
        "end_low": last,
        "end_high": np.where(goes_on, np.inf, end.high),
    }
    inside = lasting_days(pl.DataFrame(spans), counted.days)
    if len(inside):
        event = inside["event"].to_numpy()
        cells = {"date": inside["date"], "bleeding_grade": inside["grade"]}
        study.visit_records.append(replace(first_days, row=first_days.row[event], cells=cells, only_cells=True))
        days = number_of(len(inside), "further day")
        study.note(records, f"bleeding of several days is recorded on {days} with a count.")


def _interval(records: Records, name: str, row: Ints, study: SdtmStudy) -> Numbers:
    """The first and the last possible day of dates."""
    problems = Problems()
    days = as_day_numbers(Cells(records.location, name, records.texts(name).gather(row)), problems)
    if name.endswith("ENDTC"):  # the start is the date of a visit; its problems are reported when visits are read
        for unreadable in problems.unreadable:
            study.wrong_cells(records, records.cells(name), row[unreadable.rows], unreadable.wording)
    return days


def bleeding_findings(records: Records, counted: CountDays, study: SdtmStudy) -> None:
    """Bleeding scored at visits, in FA."""
    test, finding_object = records.folded("FATESTCD"), records.folded("FAOBJ")
    terms = [*BLEEDING_OBJECTS, *(name.upper() for name in study.settings.bleeding_terms)]
    of_bleeding = finding_object.is_in(terms).fill_null(value=False)
    tests = [name.upper() for name in study.settings.bleeding_tests]
    scale = test.is_in(tests) | (test.is_in(GRADE_TESTS) & of_bleeding)
    result = either(either(records.texts("FASTRESN"), records.texts("FASTRESC")), records.texts("FAORRES"))
    grade = result.str.to_uppercase().str.replace(r"^GRADE\s*", "")
    done = (records.folded("FASTAT") != "NOT DONE").fill_null(value=True) & grade.is_not_null()
    row = records.rows(scale & done)
    other = finding_object.filter(of_bleeding & ~scale.fill_null(value=False))
    if len(other):
        codes = first_few(test.filter(of_bleeding & ~scale.fill_null(value=False)).drop_nulls().unique().sort(), 10)
        text = f"{number_of(len(other), 'record')} about bleeding not read as its grade: FATESTCD {codes}"
        study.note(records, f"{text}; 'bleeding_tests' in sdtm.toml says which are.", warning=True)
    if not len(row):
        study.note(records, f"{of_all(0, records)} read as a bleeding grade.")
        return
    codes = first_few(test.gather(row).unique().sort(), 10)
    study.note(records, f"{of_all(len(row), records)} read as a bleeding grade: FATESTCD {codes}.")
    row, dates = dated(records, row, counted, "a grade of bleeding", study)
    names = {"date": "FADTC", "bleeding_grade": "FASTRESC"}
    cells = {"date": dates, "bleeding_grade": grade.gather(row)}
    study.visit_records.append(VisitRecords(records, row, "FASTRESC", names, cells))
