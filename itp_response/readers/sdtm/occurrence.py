"""Occurrence in SDTM: whether an event or a treatment took place, and on which days it may lie if it has no date."""

import numpy as np
import polars as pl

from itp_response.cohort.declared_columns import TRUTHS
from itp_response.cohort.values import Ints
from itp_response.messages.wording import counted as number_of
from itp_response.readers.dates import as_day_numbers
from itp_response.readers.problems import Cells, Problems, quoted
from itp_response.readers.sdtm.counts import CountDays
from itp_response.readers.sdtm.records import Records, SdtmStudy, either

DONE_NOT = "NOT DONE"
FINDINGS = ("FA", "LB")


def took_place(records: Records, chosen: pl.Series, what: str, study: SdtmStudy) -> pl.Series:
    """Which of the records `chosen` are of something that took place; `what` names it, as `rescue treatment`.

    What was not done (`--STAT`), did not occur (`--OCCUR` N) or has a dose of 0 did not take place. Of what else stands
    there, such as `--OCCUR` U, the settings say it; otherwise it is a problem.
    """
    domain = records.domain
    did_not = did_not_take_place(records)
    unsure = {name: chosen & ~did_not & _says_other(records, name) for name in (f"{domain}OCCUR", f"{domain}STAT")}
    any_unsure = pl.select(pl.any_horizontal(*unsure.values())).to_series()
    if did_not.any() and (chosen & did_not).any():
        text = f"{number_of(int((chosen & did_not).sum()), 'record')} of {what} that did not take place"
        study.note(records, f"{text} ({domain}STAT NOT DONE, {domain}OCCUR N or a dose of 0).")
    told = study.settings.unknown_occurrence
    if told is None:
        cure = 'put \'unknown_occurrence\' in sdtm.toml, "occurred" or "not_occurred"'
        for name, rows in unsure.items():
            study.leave_out(
                records,
                name,
                records.rows(rows),
                lambda text: f"{quoted(text)} does not say whether it took place; correct it, or {cure}.",
            )
    elif any_unsure.any():
        number = number_of(int(any_unsure.sum()), "record")
        text = f"{number} of {what} of which {domain}OCCUR or {domain}STAT do not say whether it took place"
        study.note(records, f"{text} taken as {told}, as told.", warning=True)
    return chosen & ~did_not & (~any_unsure if told != "occurred" else chosen)


def _says_other(records: Records, name: str) -> pl.Series:
    """Which records have something else in `--OCCUR` than yes or no, or in `--STAT` than NOT DONE."""
    texts = records.folded(name)
    known = [DONE_NOT] if name.endswith("STAT") else [text.upper() for text in TRUTHS]
    return (texts.is_not_null() & ~texts.is_in(known)).fill_null(value=False)


def did_not_take_place(records: Records) -> pl.Series:
    """Which records are of something that was not done or did not occur, or have a dose of 0."""
    domain = records.domain
    not_done = records.folded(f"{domain}STAT") == DONE_NOT
    did_not_occur = records.folded(f"{domain}OCCUR").is_in([text.upper() for text, yes in TRUTHS.items() if not yes])
    no_dose = records.texts(f"{domain}DOSE").cast(pl.Float64, strict=False) == 0
    return pl.select(pl.any_horizontal(not_done, did_not_occur, no_dose).fill_null(value=False)).to_series()


def dated(records: Records, row: Ints, counted: CountDays, what: str, study: SdtmStudy) -> tuple[Ints, pl.Series]:
    """The rows with their dates; without a date, something may lie on any day of the subject's counts, or outside them.

    It does not begin after its end, if that is known. Of a subject without a count nothing depends on it, so it is left
    out.
    """
    written = records.texts(date_of(records.domain)).gather(row)
    undated = written.is_null()
    if not undated.any():
        return row, written
    subject = records.subject.gather(row)
    dates = either(written, counted.span(subject, _last_days(records, row)))
    # Without a subject, a record is a problem that is reported when it is read.
    kept = dates.is_not_null() | subject.is_null()
    _note_undated(records, undated & subject.is_not_null(), ~kept, what, study)
    at = np.flatnonzero(kept.to_numpy())
    return row[at], dates.gather(at)


def date_of(domain: str) -> str:
    """The variable with the day on which something is, or begins."""
    return f"{domain}{'DTC' if domain in FINDINGS else 'STDTC'}"


def _last_days(records: Records, row: Ints) -> pl.Series:
    """The last possible day of each end, in days since 1970; null: not known."""
    ends = Cells(records.location, "", records.texts(f"{records.domain}ENDTC").gather(row))
    # An end that is no date is reported where it is read.
    return pl.Series(as_day_numbers(ends, Problems()).high, nan_to_null=True).cast(pl.Int32)


def _note_undated(records: Records, undated: pl.Series, left_out: pl.Series, what: str, study: SdtmStudy) -> None:
    used, unused = int((undated & ~left_out).sum()), int(left_out.sum())
    if used:
        text = f"{number_of(used, 'record')} of {what} without a date"
        text += ", which may be of any day before, between or after the counts"
        study.note(records, f"{text}; what depends on it is not evaluable.", warning=True)
    if unused:
        text = f"{number_of(unused, 'record')} of {what} without a date left out"
        study.note(records, f"{text}, of subjects without a count.", warning=True)
