"""Datasets: ADRS, ADTTE, ADICE and the patients' flags, made of a classification in whole columns."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.classification.classification import Classification, days_column, labelled
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import DATE, ENROLMENT, RESCUE_END, STOPPED, Partial
from itp_response.cohort.values import NO_DAY, NONE, Bools, Ints
from itp_response.evaluation.verdicts import NE, N, Verdict, Y, reason_in_words
from itp_response.outputs.adam.parameters import Parameter, flags, parameters
from itp_response.outputs.adam.sources import TREATMENT, Columns, places_of, records_of, texts_of, where
from itp_response.outputs.adam.variables import Dataset, Variable, study_days

Dates = NDArray[np.datetime64]

WHO = (
    Variable("STUDYID", "Study Identifier", "text", "The study, as it was named."),
    Variable("USUBJID", "Unique Subject Identifier", "text", "The patient, as in the source."),
)
ARM = Variable("TRTP", "Planned Treatment", "text", "The arm, as in the source.")
PARAMETER = (
    Variable("PARAMCD", "Parameter Code", "text", "See the parameters."),
    Variable("PARAM", "Parameter", "text", "See the parameters."),
)
REASON = (
    Variable("ARSNCD", "Analysis Reason Code", "text", "Why the verdict is what it is, as a word of the program."),
    Variable("ARSN", "Analysis Reason", "text", "The same in words."),
)
FLAGGED = "D where the day of the source's date was imputed, M where the month was too."
DATED = (
    Variable(
        "ADT", "Analysis Date", "date", "The day of the verdict; missing where it has none, or dates are unknown."
    ),
    Variable("ADTF", "Analysis Date Imputation Flag", "text", FLAGGED),
    Variable(
        "ADY", "Analysis Relative Day", "integer", "The same in days: day 0 of the criteria is 1, the day before -1."
    ),
)


def _source(prefix: str, what: str) -> tuple[Variable, ...]:
    return (
        Variable(f"{prefix}DOM", f"Source Data of {what}", "text", "The domain, or the file, that has the record."),
        Variable(f"{prefix}VAR", f"Source Variable of {what}", "text", "What of it was looked at."),
        Variable(
            f"{prefix}SEQ", f"Source Sequence of {what}", "integer", "Its sequence number, or its line in the file."
        ),
    )


ADRS = (
    *WHO,
    ARM,
    *PARAMETER,
    Variable("AVALC", "Analysis Value (C)", "text", "The verdict; missing where the parameter is a number of days."),
    Variable("AVAL", "Analysis Value", "integer", "1 for Y, 0 for N, else missing; or a number of days."),
    *DATED,
    Variable("CNFDT", "Confirmation Date", "date", "The day of the confirming record."),
    Variable("CNFDY", "Confirmation Relative Day", "integer", "The same as a study day."),
    *REASON,
    Variable("ANL01FL", "Analysis Flag 01", "text", "Y where the question arises: AVALC is not NA."),
    Variable("ADTREC", "Record That Gives the Analysis Date", "text", "ONSET, CONFIRMING or ENDING."),
    *_source("SRC", "Onset Record"),
    *_source("CNF", "Confirming Record"),
    *_source("END", "Ending Record"),
)
ADTTE = (
    *WHO,
    ARM,
    *PARAMETER,
    Variable("AVAL", "Analysis Value", "integer", "Days from the start to the event or to censoring."),
    Variable("CNSR", "Censor", "integer", ""),
    Variable("EVNTDESC", "Event or Censoring Description", "text", "The event, or why there is none."),
    Variable("CNSDTDSC", "Censor Date Description", "text", "Which date stands for that of the event."),
    Variable("STARTDT", "Time-to-Event Origin Date for Subject", "date", "The day from which is counted."),
    Variable("STARTDY", "Time-to-Event Origin Relative Day", "integer", "The same as a study day."),
    *DATED,
    *REASON,
    Variable("ANL01FL", "Analysis Flag 01", "text", "Y where there is a time."),
    *_source("SRC", "Event or Last Count"),
)
ADICE = (
    *WHO,
    ARM,
    Variable("ASEQ", "Analysis Sequence Number", "integer", "Counts a patient's records."),
    Variable("ATERM", "Analysis Term", "text", "The treatment as recorded; or that treatment was discontinued."),
    Variable("ADECOD", "Analysis Dictionary-Derived Term", "text", "RESCUE TREATMENT or TREATMENT DISCONTINUED."),
    Variable("ASTDT", "Analysis Start Date", "date", "Its first day; missing where it is known only in part."),
    Variable("ASTDTF", "Analysis Start Date Imputation Flag", "text", FLAGGED),
    Variable("AENDT", "Analysis End Date", "date", "Its last day, likewise; of a discontinuation missing."),
    Variable("AENDTF", "Analysis End Date Imputation Flag", "text", FLAGGED),
    Variable("ASTDY", "Analysis Start Relative Day", "integer", "Its first day as a study day."),
    Variable("AENDY", "Analysis End Relative Day", "integer", "Its last day as a study day."),
    *_source("SRC", "Event"),
)
ADSL = (
    *WHO,
    Variable("SUBJID", "Subject Identifier for the Study", "text", "The patient, as in the source."),
    Variable("TRT01P", "Planned Treatment for Period 01", "text", "The arm, as in the source."),
    Variable("DAY0DT", "Date of Day 0", "date", ""),
)
LEFT_OUT = Variable("NLEFTOUT", "Number of Source Rows Left Out", "integer", "Rows that could not be read, left out.")
"""Only where such rows are left out at all."""
IMPUTED = Variable("NIMPUTED", "Number of Source Dates Imputed", "integer", "Dates of which a part was imputed.")
"""Only, with the flags of imputed dates, where dates are imputed at all."""
CENSORED = {
    1: "Event-free when follow-up was complete",
    2: "Follow-up ended before the event could be ruled out",
    3: "Whether the event came is not evaluable",
    4: "The event cannot come",
}
"""The reasons for censoring, by CNSR; 0 is the event."""
MONTH = 31
"""Days that a date without its day may be at most."""
RESCUE, DISCONTINUED = "RESCUE TREATMENT", "TREATMENT DISCONTINUED"


def datasets(classification: Classification, study: str) -> dict[str, Dataset]:
    """The datasets by their names; `study` is the STUDYID."""
    return {
        made.name: made
        for made in (_adsl(classification, study), *_by_parameter(classification, study), _adice(classification, study))
    }


# RECORDS OF A PATIENT AND A PARAMETER


def _by_parameter(classification: Classification, study: str) -> Iterator[Dataset]:
    made = parameters(classification.criteria)
    keys = ("STUDYID", "USUBJID", "PARAMCD")
    rows = {"ADRS": _response, "ADTTE": _time}
    labels = {"ADRS": ("Response Analysis Dataset", ADRS), "ADTTE": ("Time-to-Event Analysis Dataset", ADTTE)}
    censors = "; ".join([f"{code}: {text}" for code, text in CENSORED.items()])
    for name, (label, variables) in labels.items():
        tables = [rows[name](classification, one) for one in made if one.dataset == name]
        there = _variables(classification.cohort, variables)
        told = tuple(Variable(one.name, one.label, one.type, one.means or f"0: event; {censors}.") for one in there)
        frame = _frame(_who(classification.cohort, study), tables, told)
        yield Dataset(name, label, "One record per subject and parameter", keys, told, frame)


def _variables(cohort: Cohort, variables: Sequence[Variable]) -> tuple[Variable, ...]:
    """The variables, those that flag imputed dates only where dates are imputed."""
    return tuple(one for one in variables if cohort.imputed is not None or one.means != FLAGGED)


def _who(cohort: Cohort, study: str) -> Columns:
    return {
        "STUDYID": pl.repeat(study, len(cohort), dtype=pl.String, eager=True),
        "USUBJID": cohort.id,
        "TRTP": cohort.arm,
    }


def _frame(who: Columns, tables: Sequence[Columns], variables: Sequence[Variable]) -> pl.DataFrame:
    """The tables, of an entry per patient each, patient by patient."""
    names = [one.name for one in variables]
    whole = [pl.DataFrame({**who, **table}).select(names) for table in tables]
    if not whole:
        return _typed(pl.DataFrame(schema=dict.fromkeys(names, pl.Null)), variables)
    patients = len(whole[0])
    order = np.arange(len(whole) * patients).reshape(len(whole), patients).T.ravel()
    return _typed(pl.concat([_typed(table, variables) for table in whole])[order], variables)


def _typed(frame: pl.DataFrame, variables: Sequence[Variable]) -> pl.DataFrame:
    types = {"text": pl.String(), "integer": pl.Int32(), "date": pl.Date()}
    return frame.select(pl.col(one.name).cast(types[one.type]) for one in variables)


def _response(classification: Classification, parameter: Parameter) -> Columns:
    verdict = classification.verdicts[parameter.endpoint]
    counted = {"days": verdict.days, "of_days": verdict.of_days}.get(parameter.what)
    size = len(verdict.value)
    if counted is not None:
        value, number = pl.repeat(None, size, dtype=pl.String, eager=True), days_column("AVAL", counted)
        arises = counted != NO_DAY
    else:
        value = labelled("AVALC", verdict)
        binary = parameter.what == "verdict"
        number = where(binary & np.isin(verdict.value, (Y, N)), pl.Series((verdict.value == Y).astype(np.int32)))
        arises = (value != "NA").to_numpy()
    day, confirmed = classification.days_of(verdict.dated), classification.days_of(verdict.confirming)
    return {
        **_named(parameter, size),
        "AVALC": value,
        "AVAL": number,
        **_dated(classification.cohort.day_0, "A", day),
        "ADTF": _flags(classification.cohort, verdict.dated, (DATE,)),
        **_dated(classification.cohort.day_0, "CNF", confirmed),
        **_reason(classification, verdict),
        "ANL01FL": where(arises, pl.repeat("Y", size, eager=True)),
        "ADTREC": _dating_record(verdict),
        **records_of(classification, parameter.endpoint, "SRC", verdict.onset),
        **records_of(classification, parameter.endpoint, "CNF", verdict.confirming),
        **records_of(classification, parameter.endpoint, "END", verdict.ended, verdict.reason),
    }


def _time(classification: Classification, parameter: Parameter) -> Columns:
    model, verdict = classification.criteria.endpoints[parameter.endpoint], classification.verdicts[parameter.endpoint]
    assert verdict.days is not None
    timed = verdict.days != NO_DAY
    event = timed & (verdict.value == Y)
    to = classification.verdicts[model.to]
    followed = classification.criteria.reasons["follow_up_ended"]
    code = np.select(
        [event, to.value == N, (to.value == NE) & (to.reason == followed), to.value == NE], [0, 1, 2, 3], default=4
    )
    texts = pl.Series([classification.criteria.endpoints[model.to].label, *CENSORED.values()])
    day = np.where(timed, classification.days_of(verdict.dated), np.int32(NO_DAY))
    start = np.where(timed, day - np.where(timed, verdict.days, 0), np.int32(NO_DAY))
    size = len(timed)
    limit = f" up to day {model.by:g}" if np.isfinite(model.by) else ""
    return {
        **_named(parameter, size),
        "AVAL": days_column("AVAL", verdict.days),
        "CNSR": where(timed, pl.Series(code)),
        "EVNTDESC": where(timed, texts.gather(code)),
        "CNSDTDSC": where(timed & ~event, pl.repeat(f"Last count{limit}", size, eager=True)),
        **_dated(classification.cohort.day_0, "START", start),
        **_dated(classification.cohort.day_0, "A", day),
        "ADTF": _flags(classification.cohort, np.where(timed, verdict.dated, NONE), (DATE,)),
        **_reason(classification, verdict),
        "ANL01FL": where(timed, pl.repeat("Y", size, eager=True)),
        **records_of(
            classification, model.to, "SRC", np.where(timed, verdict.ended, NONE), np.where(event, to.reason, NONE)
        ),
    }


def _named(parameter: Parameter, size: int) -> Columns:
    texts = {"PARAMCD": parameter.code, "PARAM": parameter.text}
    return {name: pl.repeat(text, size, dtype=pl.String, eager=True) for name, text in texts.items()}


def _dated(day_0: Dates, prefix: str, day: Ints) -> Columns:
    """The days as dates, where these are known, and as study days; `day_0` is that of the patient of each."""
    known = (day != NO_DAY) & ~np.isnat(day_0)
    dates = day_0 + np.where(known, day, 0).astype("timedelta64[D]")
    return {
        f"{prefix}DT": where(known, pl.Series(dates.astype("datetime64[D]"))),
        f"{prefix}DY": days_column(f"{prefix}DY", study_days(day)),
    }


def _flags(cohort: Cohort, rows: Ints, what: Sequence[int]) -> pl.Series:
    """Whether such a date behind each row (-1: none) was imputed: `D` the day, `M` the month too."""
    if cohort.imputed is None or not len(cohort.day):
        return pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    dates = cohort.imputed.dates
    flags = np.zeros(len(rows), dtype=np.int64)
    for flag, of_these in enumerate((dates.count <= MONTH, dates.count > MONTH), start=1):
        lines = dates.line[of_these & np.isin(dates.what, what)]
        hits = np.append(0, np.cumsum(np.isin(cohort.lines, lines)))
        at = np.maximum(rows, 0)
        behind = hits[cohort.first_line[at + 1]] > hits[cohort.first_line[at]]
        flags[behind & (rows != NONE)] = flag
    return pl.Series([None, "D", "M"], dtype=pl.String).gather(flags)


def _reason(classification: Classification, verdict: Verdict) -> Columns:
    names = classification.criteria.reasons.names
    code = verdict.reason.astype(np.int64)
    words = [reason_in_words(name) for name in names]
    return {"ARSNCD": pl.Series(names).gather(code), "ARSN": pl.Series(words).gather(code)}


def _dating_record(verdict: Verdict) -> pl.Series:
    """Which of the evidence gives the day: that of the same row, the confirming and the ending one first."""
    roles = ("CONFIRMING", "ENDING", "ONSET")
    same = [verdict.dated == rows for rows in (verdict.confirming, verdict.ended, verdict.onset)]
    place = np.select(same, [0, 1, 2], default=2)
    return where((verdict.dated != NONE) & np.logical_or.reduce(same), pl.Series(roles).gather(place))


# RECORDS OF AN EVENT


def _adice(classification: Classification, study: str) -> Dataset:
    """Rescue courses and discontinuation of treatment, as events that come between."""
    cohort, courses = classification.cohort, classification.cohort.courses
    who, begun, ended = cohort.patient[courses.row], cohort.day[courses.row], courses.last
    stopped = np.flatnonzero(np.isfinite(cohort.treatment_discontinued))
    day = cohort.treatment_discontinued[stopped].astype(np.int32)
    if cohort.partial is not None:
        begun = np.where(_in_part(cohort, cohort.partial, who, courses.row, (DATE,)), NO_DAY, begun)
        ended = np.where(_in_part(cohort, cohort.partial, who, courses.row, (DATE, RESCUE_END)), NO_DAY, ended)
        day = np.where(np.isin(stopped, _patients_with(cohort.partial, (ENROLMENT, STOPPED))), NO_DAY, day)
    nothing = np.full(len(stopped), NO_DAY, dtype=np.int32)
    patient = np.concatenate([who, stopped])
    start, end = np.concatenate([begun, day]), np.concatenate([ended, nothing])
    rows = np.concatenate([courses.row, np.full(len(stopped), NONE)])
    terms = pl.Series([*courses.name.labels, RESCUE, DISCONTINUED], dtype=pl.String)
    unnamed = len(courses.name.labels)
    term = np.concatenate(
        [np.where(courses.name.codes < 0, unnamed, courses.name.codes), np.full(len(stopped), unnamed + 1)]
    )
    kind = np.repeat([0, 1], [len(who), len(stopped)])
    order = np.lexsort((kind, start, patient))
    patient, kind, rows = patient[order].astype(np.int64), kind[order], rows[order]
    first = np.searchsorted(patient, patient)
    stopping = _flags_of_patients(cohort, (STOPPED,)).gather(patient)
    columns = {
        **{name: column.gather(patient) for name, column in _who(cohort, study).items()},
        "ASEQ": pl.Series(np.arange(len(patient)) - first + 1),
        "ATERM": terms.gather(term[order].astype(np.int64)),
        "ADECOD": pl.Series([RESCUE, DISCONTINUED]).gather(kind),
        **_dated(cohort.day_0[patient], "AST", start[order]),
        "ASTDTF": _flags(cohort, rows, (DATE,)).zip_with(pl.Series(kind == 0), stopping),
        **_dated(cohort.day_0[patient], "AEN", end[order]),
        # Of a course without an end its last day is its first, and as sure as that.
        "AENDTF": _flags(cohort, rows, (RESCUE_END,)).zip_with(
            pl.Series(start[order] != end[order]), _flags(cohort, rows, (DATE,))
        ),
        **_event_records(cohort, rows, patient, kind),
    }
    variables = _variables(cohort, ADICE)
    frame = _typed(pl.DataFrame(columns), variables)
    keys = ("STUDYID", "USUBJID", "ASEQ")
    return Dataset(
        "ADICE", "Intercurrent Events Analysis Dataset", "One record per subject and event", keys, variables, frame
    )


def _flags_of_patients(cohort: Cohort, what: Sequence[int]) -> pl.Series:
    """Whether such a date of each patient was imputed, as `_flags`."""
    flags = np.zeros(len(cohort), dtype=np.int64)
    if cohort.imputed is not None:
        dates = cohort.imputed.dates
        at = np.isin(dates.what, what)
        flags[dates.patient[at]] = np.where(dates.count[at] > MONTH, 2, 1)
    return pl.Series([None, "D", "M"], dtype=pl.String).gather(flags)


def _event_records(cohort: Cohort, rows: Ints, patient: Ints, kind: Ints) -> Columns:
    """Where the source has each event: a course in its row, the end of treatment (kind 1) in a record of its own."""
    found = places_of(cohort, "SRC", rows, np.where(rows == NONE, NONE, TREATMENT))
    if cohort.stopped_by is None:
        return found
    by = cohort.stopped_by.at(patient)
    stops = (texts_of(by.domain), texts_of(by.variable), pl.Series(by.sequence, dtype=pl.Int64))
    return {
        name: values.zip_with(pl.Series(kind == 0), stop)
        for (name, values), stop in zip(found.items(), stops, strict=True)
    }


def _in_part(cohort: Cohort, partial: Partial, patient: Ints, row: Ints, what: Sequence[int]) -> Bools:
    """Of each row whether such a date behind it, or day 0, is known only in part."""
    lines = partial.dates.line[np.isin(partial.dates.what, what)]
    hits = np.append(0, np.cumsum(np.isin(cohort.lines, lines)))
    behind: Bools = hits[cohort.first_line[row + 1]] > hits[cohort.first_line[row]]
    return behind | np.isin(patient, _patients_with(partial, (ENROLMENT,)))


def _patients_with(partial: Partial, what: Sequence[int]) -> Ints:
    """The positions in the cohort of those with such a date known only in part."""
    return partial.patient[partial.dates.patient[np.isin(partial.dates.what, what)]]


# RECORDS OF A PATIENT


def _adsl(classification: Classification, study: str) -> Dataset:
    """The patients with a flag and a result for each endpoint."""
    cohort, criteria = classification.cohort, classification.criteria
    day_0 = f"Day 0: {criteria.file.clock.day_0}."
    variables = [Variable(one.name, one.label, one.type, one.means or day_0) for one in ADSL]
    columns = _who(cohort, study)
    columns |= {"SUBJID": cohort.id, "TRT01P": columns.pop("TRTP")}
    columns["DAY0DT"] = _dated(cohort.day_0, "", np.zeros(len(cohort), dtype=np.int32))["DT"]
    if cohort.quarantined is not None:
        variables.append(LEFT_OUT)
        columns[LEFT_OUT.name] = pl.Series(cohort.quarantined)
    if cohort.imputed is not None:
        variables.append(IMPUTED)
        columns[IMPUTED.name] = cohort.marks()[-1]
    for one in flags(criteria):
        verdict = classification.verdicts[one.endpoint]
        result = labelled(one.result, verdict)
        if one.flag is not None:
            means = f"Y or N as {one.endpoint} was decided; missing where it is NE or NA."
            variables.append(Variable(one.flag, one.flag_label, "text", means))
            columns[one.flag] = where(np.isin(verdict.value, (Y, N)), result)
        means = f"The verdict on {one.endpoint}: {', '.join(verdict.labels)}."
        variables.append(Variable(one.result, one.result_label, "text", means))
        columns[one.result] = result
    frame = _typed(pl.DataFrame(columns), variables)
    keys = ("STUDYID", "USUBJID")
    return Dataset("ADSL", "Subject-Level Analysis Dataset", "One record per subject", keys, tuple(variables), frame)
