"""Treatment of SDTM: rescue in CM, PR and EX, and early discontinuation in DS."""

import re
from collections.abc import Iterator, Sequence
from functools import reduce

import numpy as np
import polars as pl

from itp_response.cohort.values import Ints
from itp_response.messages.wording import counted as number_of
from itp_response.readers.cells import Wording
from itp_response.readers.column_names import REASON
from itp_response.readers.dates import as_day_numbers
from itp_response.readers.problems import Cells, Problems, first_few, quoted
from itp_response.readers.sdtm.counts import CountDays
from itp_response.readers.sdtm.occurrence import dated, did_not_take_place, took_place
from itp_response.readers.sdtm.records import (
    Records,
    SdtmStudy,
    VisitRecords,
    either,
    of_all,
    says_yes,
    whole_days_of,
    without_end,
)
from itp_response.readers.sdtm.terms import MILESTONES
from itp_response.readers.treatments import is_negated


def rescues(records: Records, counted: CountDays, study: SdtmStudy) -> None:
    """Rescue treatments by category, by name, or by a qualifier of the supplement."""
    domain = records.domain
    name = either(records.texts(f"{domain}DECOD"), records.texts(f"{domain}TRT"))
    words = [re.escape(word.upper()) for word in study.settings.rescue_categories]
    category = pl.Series([False]).new_from_index(0, len(records))
    for column in ("CAT", "SCAT"):
        if words:
            texts = records.folded(f"{domain}{column}")
            negated = [text for text in texts.drop_nulls().unique() if is_negated(text)]
            named = texts.str.contains("|".join(words)) & ~texts.is_in(negated)
            category |= named.fill_null(value=False)
    names = [rescue.upper() for rescue in study.settings.rescue_names]
    named = records.folded(f"{domain}DECOD").is_in(names).fill_null(value=False)
    named |= records.folded(f"{domain}TRT").is_in(names).fill_null(value=False)
    flagged = _flagged(records, study)
    given = took_place(records, category | named | flagged, "rescue treatment", study)
    row = records.rows(given)
    if len(row):
        by = [
            f"{what} {first_few(values.unique().sort(), 10)}"
            for what, values in (
                ("category", _categories(records, category & given)),
                ("name", name.filter(named & given)),
                ("its supplement", name.filter(flagged & given)),
            )
            if len(values)
        ]
        study.note(records, f"{of_all(len(row), records)} counted as rescue treatment by {' and '.join(by)}.")
        _courses(records, row, name.fill_null("1"), f"{domain}TRT", counted, study, may_go_on=True)
    elif records.domain != "EX":
        cure = "'rescue_categories' and 'rescue_names' in sdtm.toml say which are"
        study.note(records, f"{of_all(0, records)} counted as rescue treatment; {cure}.", warning=True)


def _flagged(records: Records, study: SdtmStudy) -> pl.Series:
    """The records that the supplement flags as rescue treatment."""
    flagged = pl.Series([False]).new_from_index(0, len(records))
    for name in filter(records.has, study.settings.rescue_flags):
        flagged |= says_yes(records, name, study, "not counted as rescue treatment")
    return flagged


def _categories(records: Records, chosen: pl.Series) -> pl.Series:
    columns = [records.texts(f"{records.domain}{name}").filter(chosen) for name in ("CAT", "SCAT")]
    return either(*columns).drop_nulls()


def _courses(
    records: Records,
    row: Ints,
    name: pl.Series,
    variable: str,
    counted: CountDays,
    study: SdtmStudy,
    *,
    may_go_on: bool,
) -> None:
    """Make visits of the rescue treatments in these rows.

    An ongoing treatment lasts until the last count, if it `may_go_on`; one without an end lasts one day.
    """
    domain = records.domain
    row, begin = dated(records, row, counted, "rescue treatment", study)
    end = records.texts(f"{domain}ENDTC").gather(row)
    endless = end.is_null()
    if may_go_on:
        ongoing = without_end(records).gather(row) & endless
        last = counted.last_date(records.subject.gather(row))
        begun = begin.str.contains("/", literal=True) | (whole_days_of(last) >= whole_days_of(begin))
        until_last = ongoing & begun.fill_null(value=False)
        end = last.zip_with(until_last, end)
        if ongoing.any():
            number = number_of(int(ongoing.sum()), "rescue treatment")
            study.note(records, f"{number} ongoing, assumed to have lasted until the last count.", warning=True)
        endless &= ~ongoing
    if endless.any():
        number = number_of(int(endless.sum()), "rescue treatment")
        study.note(records, f"{number} without an end date, assumed to have lasted one day.", warning=True)
    names = {"date": f"{domain}STDTC", "rescue": variable, "rescue_end": f"{domain}ENDTC"}
    cells = {"date": begin, "rescue": name.gather(row), "rescue_end": end}
    reasons = [reason for reason in (f"{domain}INDC", *study.settings.rescue_reasons) if records.has(reason)]
    if reasons:
        cells[REASON] = reduce(either, map(records.texts, reasons)).gather(row)
    study.visit_records.append(VisitRecords(records, row, variable, names, cells))


def raised_doses(records: Records, dm: Records, day_0: str, counted: CountDays, study: SdtmStudy) -> None:
    """Doses after day 0 above the last dose up to day 0, or above the first dose if there was none."""
    if not records.has("EXDOSE") or not study.settings.raised_dose_is_rescue:
        return
    doses = _doses(records, dm, day_0)
    later = (pl.col("start") > pl.col("day_0")).fill_null(value=True)
    raised = doses.select((pl.col("dose") > pl.coalesce("enrolled", "first")) & later).to_series()
    row = records.rows(took_place(records, raised.fill_null(value=False), "a raised dose", study))
    _report_doses(records, doses, row, study)
    if len(row):
        text = f"{number_of(len(row), 'dose')} above that at enrolment counted as rescue treatment"
        cure = "if they were planned, put 'raised_dose_is_rescue = false' in sdtm.toml"
        study.note(records, f"{text}; {cure}.", warning=True)
        _courses(records, row, records.texts("EXTRT").fill_null("1"), "EXDOSE", counted, study, may_go_on=False)


def _doses(records: Records, dm: Records, day_0: str) -> pl.DataFrame:
    """Per record the `dose`, its `start`, `day_0`, and the `first` dose and that when `enrolled`; null: not known."""
    of_study = pl.DataFrame({"subject": dm.subject, "day_0": whole_days_of(dm.texts(day_0))}).unique("subject")
    dose = records.texts("EXDOSE").cast(pl.Float64, strict=False)
    doses = pl.DataFrame(
        {
            "subject": records.subject,
            "treatment": records.folded("EXTRT"),
            "unit": records.folded("EXDOSU"),
            "dose": dose.set(did_not_take_place(records), None),
            "start": whole_days_of(records.texts("EXSTDTC")),
        }
    ).join(of_study, on="subject", how="left", maintain_order="left")
    treatment = ["subject", "treatment", "unit"]
    by_start = doses.filter(pl.col("start").is_not_null() & pl.col("dose").is_not_null()).sort(
        "start", maintain_order=True
    )
    first = by_start.group_by(treatment).agg(pl.col("dose").first().alias("first"))
    before = by_start.filter(pl.col("start") <= pl.col("day_0"))
    enrolled = before.group_by(treatment).agg(pl.col("dose").last().alias("enrolled"))
    for compared in (first, enrolled):
        doses = doses.join(compared, on=treatment, how="left", nulls_equal=True, maintain_order="left")
    return doses


def _report_doses(records: Records, doses: pl.DataFrame, raised: Ints, study: SdtmStudy) -> None:
    """Report doses that cannot be compared with that at enrolment; the rows `raised` are read with the visits."""
    given = records.texts("EXDOSE").is_not_null()
    _note_doses_not_known(records, given, study)
    none = given & doses["dose"].is_null()
    no_number = records.rows(given & records.texts("EXDOSE").cast(pl.Float64, strict=False).is_null())
    if int(none.sum()) > len(no_number):
        number = number_of(int(none.sum()) - len(no_number), "dose")
        study.note(records, f"{number} of 0, or not given (EXSTAT NOT DONE, EXOCCUR N), counted as no dose.")
    nameless = records.rows(records.subject.is_null() & given)
    study.leave_out(records, "USUBJID", np.setdiff1d(nameless, raised), lambda _: "the patient is missing; fill it in.")
    study.leave_out(records, "EXDOSE", no_number, lambda text: f"{quoted(text)} is not a dose; give a number.")
    problems = Problems()
    as_day_numbers(records.cells("EXSTDTC"), problems)
    invalid = np.concatenate([np.zeros(0, np.int64), *(unreadable.rows for unreadable in problems.unreadable)])
    for unreadable in problems.unreadable:
        study.leave_out(records, "EXSTDTC", np.setdiff1d(unreadable.rows, raised), unreadable.wording)
    without_start = np.setdiff1d(records.rows(doses["start"].is_null() & given & ~none), invalid)
    if len(without_start):
        text = f"{number_of(len(without_start), 'dose')} without the day it began not used as the dose at enrolment"
        study.note(records, f"{text}.", warning=True)


def _note_doses_not_known(records: Records, given: pl.Series, study: SdtmStudy) -> None:
    """Note the treatments without a dose, beside others with one: whether it was raised is not known."""
    taken = records.texts("EXSTAT").is_null() & (records.texts("EXOCCUR").fill_null("Y").str.to_uppercase() == "Y")
    number = int((~given & taken & records.texts("EXSTDTC").is_not_null()).sum())
    if number and given.any():
        text = f"{number_of(number, 'record')} of study treatment without a dose (EXDOSE)"
        study.note(records, f"{text}: a raised dose may not be recognised.", warning=True)


def stopped_of(all_records: Sequence[Records], dm: Records, counted: CountDays, study: SdtmStudy) -> pl.DataFrame:
    """The first record of treatment stopped, per `subject`: its `date`, and its `sequence` (DSSEQ, or the row)."""
    frames = [pl.DataFrame(schema={"subject": pl.String, "date": pl.String, "sequence": pl.Int64})]
    for records in all_records:
        row, dates = dated(records, records.rows(_stops(records, study)), counted, "treatment stopped", study)
        problems = list(_wrong_stops(records, row, dm))
        for name, rows, wording in problems:
            study.leave_out(records, name, rows, wording)
        is_kept = pl.Series(~np.isin(row, np.concatenate([rows for _, rows, _ in problems])))
        kept = row[is_kept.to_numpy()]
        numbers = records.texts("DSSEQ").cast(pl.Float64, strict=False).cast(pl.Int64)
        by_row = pl.Series(np.arange(1, len(records) + 1))
        columns = {
            "subject": records.subject.gather(kept),
            "date": dates.filter(is_kept),
            "sequence": numbers.zip_with(numbers.is_not_null(), by_row).gather(kept),
        }
        frames.append(pl.DataFrame(columns))
    # ISO dates sort as texts.
    return pl.concat(frames).sort("date", maintain_order=True).unique("subject", keep="first", maintain_order=True)


def _wrong_stops(records: Records, row: Ints, dm: Records) -> Iterator[tuple[str, Ints, Wording]]:
    """The problems of the records of treatment stopped: the column, the rows, and the wording."""
    cells = {name: records.texts(name).gather(row) for name in ("USUBJID", "DSSTDTC", "DSSEQ")}
    yield "USUBJID", row[cells["USUBJID"].is_null().to_numpy()], lambda _: "the patient is missing; fill it in."
    problems = Problems()
    as_day_numbers(Cells(records.location, "DSSTDTC", cells["DSSTDTC"]), problems)
    for unreadable in problems.unreadable:
        yield "DSSTDTC", row[unreadable.rows], unreadable.wording
    not_in_dm = cells["USUBJID"].is_not_null() & ~cells["USUBJID"].is_in(dm.subject.to_list()).fill_null(value=False)
    cure = f"is not in {dm.location.name}; add a row there"
    yield "USUBJID", row[not_in_dm.to_numpy()], lambda text: f"{quoted(text)} {cure}."
    numbers = cells["DSSEQ"].cast(pl.Float64, strict=False)
    no_number = cells["DSSEQ"].is_not_null() & ~(numbers == numbers.floor()).fill_null(value=False)
    yield "DSSEQ", row[no_number.to_numpy()], lambda text: f"{quoted(text)} is not a record number."


def _stops(records: Records, study: SdtmStudy) -> pl.Series:
    """The records of DS that say that treatment was discontinued early.

    If a subject has records about the end of treatment, only these count.
    """
    decod = records.folded("DSDECOD")
    ended = ~decod.is_in([milestone for milestone in MILESTONES if milestone != "COMPLETED"]).fill_null(value=True)
    if records.texts("DSCAT").is_not_null().any():
        ended &= (records.folded("DSCAT") == "DISPOSITION EVENT").fill_null(value=False)
    ended &= ~records.folded("EPOCH").str.contains("SCREEN").fill_null(value=False)
    of_treatment = pl.Series([False]).new_from_index(0, len(records))
    for column in ("DSSCAT", "EPOCH"):
        texts = records.folded(column)
        of_treatment = (texts.str.contains("TREATMENT|DRUG") & ~texts.str.contains("FOLLOW")).fill_null(value=False)
        of_treatment &= ended
        if of_treatment.any():
            break
    known = records.subject.is_in(records.subject.filter(of_treatment).to_list()).fill_null(value=False)
    early = ended & (decod != "COMPLETED").fill_null(value=False)
    stops, others = early & (of_treatment | ~known), early & known & ~of_treatment
    for rows, what in ((stops, "taken as"), (others, "of those who have one of the treatment too, not taken as")):
        if rows.any():
            words = first_few(records.texts("DSDECOD").filter(rows).unique().sort(), 10)
            study.note(records, f"{number_of(int(rows.sum()), 'record')} {what} treatment stopped: {words}.")
    return stops
