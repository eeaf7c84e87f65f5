"""Bleeding of SDTM: by terms in AE and CE, on every day of a count while it lasts; by the scale's record in FA."""

import numpy as np
import polars as pl

from itp_response.cohort.values import Ints, Numbers
from itp_response.messages.wording import counted as number_of
from itp_response.readers.cells import as_day_numbers
from itp_response.readers.problems import Cells, Problems, first_few, quoted
from itp_response.readers.sdtm.counts import CountDays
from itp_response.readers.sdtm.records import Records, SdtmStudy, VisitRecords, either, of_all, without_end
from itp_response.readers.sdtm.terms import BLEEDING_LIKE, BLEEDING_OBJECTS, GRADE_TESTS, SEVERITIES


def bleeding_events(records: Records, counted: CountDays, study: SdtmStudy) -> None:
    """Bleeding by terms, with its grade, on its first day and on the days of counts up to its last."""
    domain = records.domain
    term = either(records.folded(f"{domain}DECOD"), records.folded(f"{domain}TERM"))
    known = [one.upper() for one in study.settings.bleeding_terms]
    is_bleeding = term.is_in(known).fill_null(value=False)
    happened = (records.folded(f"{domain}OCCUR") != "N").fill_null(value=True)
    _note_terms(records, term, is_bleeding & happened, study)
    scales = [one for one in study.settings.bleeding_tests if records.has(one)]
    by_scale = pl.Series([False]).new_from_index(0, len(records))
    grade = records.folded(f"{domain}TOXGR")
    for scale in scales:
        by_scale |= records.texts(scale).is_not_null()
        grade = either(records.folded(scale), grade)
    grade = grade.str.replace(r"^GRADE\s*", "")
    by_severity = grade.is_null()
    severity = records.folded(f"{domain}SEV")
    mapped = severity.replace_strict(SEVERITIES, default=None, return_dtype=pl.String)
    bleeding = is_bleeding & happened
    wrong = records.rows(bleeding & by_severity & severity.is_not_null() & mapped.is_null())
    study.wrong_cells(
        records,
        records.cells(f"{domain}SEV"),
        wrong,
        lambda text: f"{quoted(text)} is none of {', '.join(SEVERITIES)}.",
    )
    lacking = records.rows(bleeding & by_severity & severity.is_null())
    cure = f"the bleeding has no grade; fill in {domain}TOXGR, or {domain}SEV"
    study.wrong_cells(records, records.cells(f"{domain}TOXGR"), lacking, lambda _: f"{cure}.")
    fatal = bleeding & (grade == "5").fill_null(value=False)
    if fatal.any():
        number = number_of(int(fatal.sum()), "bleeding event")
        study.note(records, f"{number} of grade 5, which is death, taken as WHO grade 4.", warning=True)
    grade = grade.set(fatal, "4")
    if (bleeding & by_severity).any():
        number = number_of(int((bleeding & by_severity).sum()), "bleeding event")
        study.note(records, f"{number} graded by {domain}SEV: MILD 1, MODERATE 2, SEVERE 3.", warning=True)
    if (bleeding & by_scale).any():
        number = number_of(int((bleeding & by_scale).sum()), "bleeding event")
        study.note(records, f"{number} graded by the scale of the supplement, {' or '.join(scales)}.")
    by_toxicity = ~by_severity & ~by_scale
    if (bleeding & by_toxicity).any():
        study.note(records, f"grades of {domain}TOXGR taken as WHO grades.", warning=True)
    grades = either(grade, mapped)
    for chosen, variable in (
        (bleeding & by_scale, " or ".join(scales)),
        (bleeding & by_toxicity, f"{domain}TOXGR"),
        (bleeding & by_severity, f"{domain}SEV"),
    ):
        row = records.rows(chosen)
        if len(row):
            names = {"date": f"{domain}STDTC", "bleeding_grade": variable}
            cells = {"date": records.texts(f"{domain}STDTC").gather(row), "bleeding_grade": grades.gather(row)}
            part = VisitRecords(records, row, variable, names, cells)
            study.parts.append(part)
            _lasting(part, counted, study)


def _note_terms(records: Records, term: pl.Series, bleeding: pl.Series, study: SdtmStudy) -> None:
    taken = term.filter(bleeding)
    words = f": {first_few(taken.unique().sort(), 10)}" if len(taken) else ""
    study.note(records, f"{of_all(len(taken), records)} taken as bleeding{words}.")
    alike = term.filter(~bleeding & term.str.contains(BLEEDING_LIKE).fill_null(value=False))
    if len(alike):
        shown = first_few(alike.unique().sort(), 10)
        what = f"{number_of(len(alike), 'record')} not taken as bleeding, though like it: {shown}"
        study.note(records, f"{what}; 'bleeding_terms' in sdtm.toml says which are.", warning=True)


def _lasting(part: VisitRecords, counted: CountDays, study: SdtmStudy) -> None:
    """The bleeding on the days of counts after its first up to its last, as far as it was surely there."""
    records, domain = part.records, part.records.domain
    start, end = (_interval(records, f"{domain}{name}", part.row, study) for name in ("STDTC", "ENDTC"))
    goes_on = without_end(records).gather(part.row).to_numpy() & np.isnan(end.low)
    last = np.where(goes_on, np.inf, end.low)
    for rows, what in (
        (np.isnan(last), "without an end taken for the first day alone"),
        (
            (start.low < start.high) | (end.low < end.high),
            "with dates known in part taken for the days on which there surely was bleeding",
        ),
    ):
        if rows.any():
            study.note(records, f"{number_of(int(rows.sum()), 'bleeding event')} {what}.", warning=True)
    # To polars NaN is above every number.
    known = ~np.isnan(start.high) & ~np.isnan(last) & part.cells["bleeding_grade"].is_not_null().to_numpy()
    spans = pl.DataFrame({"subject": part.column("patient_id"), "start": start.high, "end": last, "known": known})
    inside = (
        spans.with_row_index("event")
        .filter(pl.col("known") & (pl.col("end") > pl.col("start")))
        .join(counted.days, on="subject", maintain_order="left")
        .filter((pl.col("day") > pl.col("start")) & (pl.col("day") <= pl.col("end")))
    )
    if len(inside):
        event = inside["event"].to_numpy().astype(np.int64)
        grades = part.cells["bleeding_grade"].gather(event)
        cells = {"date": inside["date"], "bleeding_grade": grades}
        study.parts.append(VisitRecords(records, part.row[event], part.variable, part.names, cells, again=True))
        days = number_of(len(inside), "further day")
        study.note(records, f"bleeding of several days stands on {days} with a count.")


def _interval(records: Records, name: str, row: Ints, study: SdtmStudy) -> Numbers:
    """The first and the last day that dates may be."""
    found = Problems()
    days = as_day_numbers(Cells(records.location, name, records.texts(name).gather(row)), found, None)
    if name.endswith("ENDTC"):  # the date of the start is read again with the visits, and told then
        for one in found.unreadable:
            study.wrong_cells(records, records.cells(name), row[one.rows], one.wording)
    return days


def bleeding_findings(records: Records, study: SdtmStudy) -> None:
    """Bleeding scored at visits, in FA: the scale's own record."""
    test, thing = records.folded("FATESTCD"), records.folded("FAOBJ")
    terms = [*BLEEDING_OBJECTS, *(one.upper() for one in study.settings.bleeding_terms)]
    of_bleeding = thing.is_in(terms).fill_null(value=False)
    tests = [one.upper() for one in study.settings.bleeding_tests]
    scale = test.is_in(tests) | (test.is_in(GRADE_TESTS) & of_bleeding)
    result = either(either(records.texts("FASTRESN"), records.texts("FASTRESC")), records.texts("FAORRES"))
    grade = result.str.to_uppercase().str.replace(r"^GRADE\s*", "")
    done = (records.folded("FASTAT") != "NOT DONE").fill_null(value=True) & grade.is_not_null()
    row = records.rows(scale & done)
    other = thing.filter(of_bleeding & ~scale.fill_null(value=False))
    if len(other):
        codes = first_few(test.filter(of_bleeding & ~scale.fill_null(value=False)).drop_nulls().unique().sort(), 10)
        text = f"{number_of(len(other), 'record')} about bleeding not taken as its grade: FATESTCD {codes}"
        study.note(records, f"{text}; 'bleeding_tests' in sdtm.toml says which are.", warning=True)
    if not len(row):
        study.note(records, f"{of_all(0, records)} taken as a grade of bleeding.")
        return
    codes = first_few(test.gather(row).unique().sort(), 10)
    study.note(records, f"{of_all(len(row), records)} taken as a grade of bleeding: FATESTCD {codes}.")
    names = {"date": "FADTC", "bleeding_grade": "FASTRESC"}
    cells = {"date": records.texts("FADTC").gather(row), "bleeding_grade": grade.gather(row)}
    study.parts.append(VisitRecords(records, row, "FASTRESC", names, cells))
