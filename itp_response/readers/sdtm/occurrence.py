"""Occurrence in SDTM: whether an event or a treatment took place, and on which days it may lie if it has no date."""

import numpy as np
import polars as pl

from itp_response.cohort.values import Ints
from itp_response.messages.wording import counted as number_of
from itp_response.readers.problems import quoted
from itp_response.readers.sdtm.counts import CountDays
from itp_response.readers.sdtm.records import Records, SdtmStudy, either


def took_place(records: Records, chosen: pl.Series, what: str, study: SdtmStudy) -> pl.Series:
    """Which of the records `chosen` are of something that took place; `what` names it, as `rescue treatment`.

    What was not done (`--STAT`), did not occur (`--OCCUR` N) or has a dose of 0 did not take place. Of `--OCCUR` U, the
    settings say it; otherwise it is a problem.
    """
    domain = records.domain
    occurred = records.folded(f"{domain}OCCUR")
    not_done = (records.folded(f"{domain}STAT") == "NOT DONE").fill_null(value=False)
    did_not = not_done | (occurred == "N").fill_null(value=False) | no_dose(records)
    unsure = chosen & ~did_not & (occurred == "U").fill_null(value=False)
    if did_not.any() and (chosen & did_not).any():
        text = f"{number_of(int((chosen & did_not).sum()), 'record')} of {what} that did not take place"
        study.note(records, f"{text} ({domain}STAT NOT DONE, {domain}OCCUR N or a dose of 0).")
    told = study.settings.unknown_occurrence
    if unsure.any() and told is None:
        cure = 'put \'unknown_occurrence\' in sdtm.toml, "occurred" or "not_occurred"'
        study.leave_out(
            records,
            f"{domain}OCCUR",
            records.rows(unsure),
            lambda text: f"{quoted(text)} does not say whether it took place; correct it, or {cure}.",
        )
    elif unsure.any():
        number = number_of(int(unsure.sum()), "record")
        study.note(records, f"{number} of {what} with {domain}OCCUR U taken as {told}, as told.", warning=True)
    return chosen & ~did_not & (~unsure if told != "occurred" else pl.Series([True]).new_from_index(0, len(records)))


def no_dose(records: Records) -> pl.Series:
    """Which records have a dose of 0."""
    dose = records.texts(f"{records.domain}DOSE").cast(pl.Float64, strict=False)
    return (dose == 0).fill_null(value=False)


def dated(records: Records, row: Ints, counted: CountDays, what: str, study: SdtmStudy) -> tuple[Ints, pl.Series]:
    """The rows with their dates; without a date, something may lie on any day of the subject's counts, or outside them.

    Of a subject without a count nothing depends on it, so it is left out.
    """
    written = records.texts(f"{records.domain}STDTC").gather(row)
    undated = written.is_null()
    if not undated.any():
        return row, written
    subject = records.subject.gather(row)
    dates = either(written, counted.span(subject))
    # Without a subject, a record is a problem that is reported when it is read.
    kept = dates.is_not_null() | subject.is_null()
    _note_undated(records, undated & subject.is_not_null(), ~kept, what, study)
    at = np.flatnonzero(kept.to_numpy())
    return row[at], dates.gather(at)


def _note_undated(records: Records, undated: pl.Series, left_out: pl.Series, what: str, study: SdtmStudy) -> None:
    used, unused = int((undated & ~left_out).sum()), int(left_out.sum())
    if used:
        text = f"{number_of(used, 'record')} of {what} without a date"
        text += ", which may be of any day before, between or after the counts"
        study.note(records, f"{text}; what depends on it is not evaluable.", warning=True)
    if unused:
        text = f"{number_of(unused, 'record')} of {what} without a date left out"
        study.note(records, f"{text}, of subjects without a count.", warning=True)
