"""Datasets: ADSL, ADRS, ADTTE and ADICE of a classification, made in whole columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.classification.classification import Classification, days_column, labelled
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import DATE, ENROLMENT, RESCUE_END, STOPPED, Partial
from itp_response.cohort.values import NO_DAY, NONE, Bools, Ints
from itp_response.evaluation.endpoints import Endpoint
from itp_response.evaluation.verdicts import NE, N, Verdict, Y, reason_in_words
from itp_response.outputs.adam.parameters import Parameter, flags, parameters
from itp_response.outputs.adam.sources import TREATMENT, Columns, records_of, source_records, texts_of, where
from itp_response.outputs.adam.variables import Dataset, Variable, study_days

Dates = NDArray[np.datetime64]

SUBJECT = (
    Variable("STUDYID", "Study Identifier", "text", "The study, as named."),
    Variable("USUBJID", "Unique Subject Identifier", "text", "The patient, as in the source."),
)
ARM = Variable("TRTP", "Planned Treatment", "text", "The arm, as in the source.")
PARAMETER = (
    Variable("PARAMCD", "Parameter Code", "text", "See the parameters."),
    Variable("PARAM", "Parameter", "text", "See the parameters."),
)
REASON = (
    Variable("ARSNCD", "Analysis Reason Code", "text", "The reason for the result, as a code of the program."),
    Variable("ARSN", "Analysis Reason", "text", "The reason for the result, in words."),
)
FLAGGED = "D: the day of the date was imputed; M: the month and the day were imputed."
DATED = (
    Variable(
        "ADT", "Analysis Date", "date", "The date of the result; missing where it has none, or dates are unknown."
    ),
    Variable("ADTF", "Analysis Date Imputation Flag", "text", FLAGGED),
    Variable(
        "ADY",
        "Analysis Relative Day",
        "integer",
        "The same as a study day: day 0 of the criteria is 1, the day before is -1.",
    ),
)


def _source(prefix: str, what: str) -> tuple[Variable, ...]:
    return (
        Variable(f"{prefix}DOM", f"Source Data of {what}", "text", "The domain or the file that holds the record."),
        Variable(f"{prefix}VAR", f"Source Variable of {what}", "text", "The variable of the record that was used."),
        Variable(
            f"{prefix}SEQ",
            f"Source Sequence of {what}",
            "integer",
            "The sequence number of the record, or its line in the file.",
        ),
    )


ADRS = (
    *SUBJECT,
    ARM,
    *PARAMETER,
    Variable("AVALC", "Analysis Value (C)", "text", "The result; missing where the parameter is a number of days."),
    Variable("AVAL", "Analysis Value", "integer", "1 for Y, 0 for N, otherwise missing; or a number of days."),
    *DATED,
    Variable("CNFDT", "Confirmation Date", "date", "The day of the confirming record."),
    Variable("CNFDY", "Confirmation Relative Day", "integer", "The same as a study day."),
    *REASON,
    Variable("ANL01FL", "Analysis Flag 01", "text", "Y where the endpoint is applicable: AVALC is not NA."),
    Variable("ADTREC", "Record That Gives the Analysis Date", "text", "ONSET, CONFIRMING or ENDING."),
    *_source("SRC", "Onset Record"),
    *_source("CNF", "Confirming Record"),
    *_source("END", "Ending Record"),
)
ADTTE = (
    *SUBJECT,
    ARM,
    *PARAMETER,
    Variable("AVAL", "Analysis Value", "integer", "Days from the start to the event or to censoring."),
    Variable("CNSR", "Censor", "integer", ""),
    Variable("EVNTDESC", "Event or Censoring Description", "text", "The event, or the reason for censoring."),
    Variable("CNSDTDSC", "Censor Date Description", "text", "The date at which the patient is censored."),
    Variable("STARTDT", "Time-to-Event Origin Date for Subject", "date", "The start of the time to event."),
    Variable("STARTDY", "Time-to-Event Origin Relative Day", "integer", "The same as a study day."),
    *DATED,
    *REASON,
    Variable("ANL01FL", "Analysis Flag 01", "text", "Y where there is a time to event."),
    *_source("SRC", "Event or Last Count"),
)
ADICE = (
    *SUBJECT,
    ARM,
    Variable("ASEQ", "Analysis Sequence Number", "integer", "The number of the record within the patient."),
    Variable(
        "ATERM", "Analysis Term", "text", "The rescue treatment as recorded, or the discontinuation of treatment."
    ),
    Variable("ADECOD", "Analysis Dictionary-Derived Term", "text", "RESCUE TREATMENT or TREATMENT DISCONTINUED."),
    Variable("ASTDT", "Analysis Start Date", "date", "The first day; missing for a partial date."),
    Variable("ASTDTF", "Analysis Start Date Imputation Flag", "text", FLAGGED),
    Variable(
        "AENDT", "Analysis End Date", "date", "The last day; missing for a partial date and for a discontinuation."
    ),
    Variable("AENDTF", "Analysis End Date Imputation Flag", "text", FLAGGED),
    Variable("ASTDY", "Analysis Start Relative Day", "integer", "The first day as a study day."),
    Variable("AENDY", "Analysis End Relative Day", "integer", "The last day as a study day."),
    *_source("SRC", "Event"),
)
ADSL = (
    *SUBJECT,
    Variable("SUBJID", "Subject Identifier for the Study", "text", "The patient, as in the source."),
    Variable("TRT01P", "Planned Treatment for Period 01", "text", "The arm, as in the source."),
    Variable("DAY0DT", "Date of Day 0", "date", ""),
)
LEFT_OUT = Variable(
    "NLEFTOUT", "Number of Source Rows Left Out", "integer", "Records that could not be read and were excluded."
)
"""Only in a dataset of which such rows were left out."""
IMPUTED = Variable("NIMPUTED", "Number of Source Dates Imputed", "integer", "Partial dates that were imputed.")
"""Only, like the flags of imputed dates, where dates are imputed."""
CENSORED = {
    1: "Event-free when follow-up was complete",
    2: "Follow-up ended before the event could be ruled out",
    3: "Whether the event came is not evaluable",
    4: "The event cannot come",
    5: "The event is ruled out",
}
"""The reasons for censoring, by CNSR; 0 is the event."""
NOT_SEEN = ("not_lost", "never_reached", "not_confirmed", "discounted")
"""The reasons of an endpoint that was looked for to the end of follow-up and not seen; others rule it out before."""
FLAGS = pl.Series([None, "D", "M"], dtype=pl.String)
"""The flags of imputed dates: none, the day, the month too."""
MONTH = 31
"""The most days that a date without its day can be."""
RESCUE, DISCONTINUED = "RESCUE TREATMENT", "TREATMENT DISCONTINUED"


def datasets(classification: Classification, study: str) -> dict[str, Dataset]:
    """The datasets by their names; `study` is the STUDYID."""
    in_order = (_adsl(classification, study), *_by_parameter(classification, study), _adice(classification, study))
    return {dataset.name: dataset for dataset in in_order}


# RECORDS OF A PATIENT AND A PARAMETER


def _by_parameter(classification: Classification, study: str) -> Iterator[Dataset]:
    keys = ("STUDYID", "USUBJID", "PARAMCD")
    censors = f"0: event; {'; '.join([f'{code}: {text}' for code, text in CENSORED.items()])}."
    for name, label, variables, columns in (
        ("ADRS", "Response Analysis Dataset", ADRS, _response),
        ("ADTTE", "Time-to-Event Analysis Dataset", ADTTE, _time),
    ):
        tables = [
            columns(classification, parameter)
            for parameter in parameters(classification.criteria)
            if parameter.dataset == name
        ]
        used = [
            replace(variable, means=variable.means or censors)
            for variable in _variables(classification.cohort, variables)
        ]
        frame = _frame(_subjects(classification.cohort, study), tables, used)
        yield Dataset(name, label, "One record per subject and parameter", keys, tuple(used), frame)


def _variables(cohort: Cohort, variables: Sequence[Variable]) -> tuple[Variable, ...]:
    """The variables; those that flag imputed dates only where dates are imputed."""
    return tuple(variable for variable in variables if cohort.imputed is not None or variable.means != FLAGGED)


def _subjects(cohort: Cohort, study: str) -> Columns:
    return {
        "STUDYID": pl.repeat(study, len(cohort), dtype=pl.String, eager=True),
        "USUBJID": cohort.id,
        "TRTP": cohort.arm,
    }


def _frame(subjects: Columns, tables: Sequence[Columns], variables: Sequence[Variable]) -> pl.DataFrame:
    """The tables of an entry per patient each as one frame, patient by patient."""
    names = [variable.name for variable in variables]
    frames = [_typed(pl.DataFrame({**subjects, **table}), variables) for table in tables]
    if not frames:
        return _typed(pl.DataFrame(schema=dict.fromkeys(names, pl.Null)), variables)
    patients = len(frames[0])
    order = np.arange(len(frames) * patients).reshape(len(frames), patients).T.ravel()
    return pl.concat(frames)[order]


def _typed(frame: pl.DataFrame, variables: Sequence[Variable]) -> pl.DataFrame:
    types = {"text": pl.String(), "integer": pl.Int32(), "date": pl.Date()}
    return frame.select(pl.col(variable.name).cast(types[variable.type]) for variable in variables)


def _response(classification: Classification, parameter: Parameter) -> Columns:
    verdict = classification.verdicts[parameter.endpoint]
    days = {"days": verdict.days, "of_days": verdict.of_days}.get(parameter.what)
    size = len(verdict.value)
    if days is not None:
        value, number = pl.repeat(None, size, dtype=pl.String, eager=True), days_column("AVAL", days)
        applicable = days != NO_DAY
    else:
        value = labelled("AVALC", verdict)
        binary = parameter.what == "verdict"
        number = where(binary & np.isin(verdict.value, (Y, N)), pl.Series((verdict.value == Y).astype(np.int32)))
        applicable = (value != "NA").to_numpy()
    day, confirmed = classification.days_of(verdict.dated), classification.days_of(verdict.confirming)
    return {
        **_named(parameter, size),
        "AVALC": value,
        "AVAL": number,
        **_dated(classification.cohort.day_0, "A", day),
        "ADTF": _flags(classification.cohort, verdict.dated, (DATE,)),
        **_dated(classification.cohort.day_0, "CNF", confirmed),
        **_reason(classification, verdict),
        "ANL01FL": where(applicable, pl.repeat("Y", size, eager=True)),
        "ADTREC": _dating_record(verdict),
        **records_of(classification, parameter.endpoint, "SRC", verdict.onset),
        **records_of(classification, parameter.endpoint, "CNF", verdict.confirming),
        **records_of(classification, parameter.endpoint, "END", verdict.ended, verdict.reason),
    }


def _time(classification: Classification, parameter: Parameter) -> Columns:
    endpoints, verdicts = classification.criteria.endpoints, classification.verdicts
    model, verdict = endpoints[parameter.endpoint], verdicts[parameter.endpoint]
    assert verdict.days is not None
    assert model.runs_to is not None
    timed = verdict.days != NO_DAY
    event = timed & (verdict.value == Y)
    to = verdicts[model.runs_to]
    code = _censoring(classification, event, to)
    texts = pl.Series([endpoints[model.runs_to].label, *CENSORED.values()])
    day = np.where(timed, classification.days_of(verdict.dated), np.int32(NO_DAY))
    # Where dates are known in part, a length may be known whose days are not.
    start = np.where(day != NO_DAY, day - np.where(timed, verdict.days, 0), np.int32(NO_DAY))
    size = len(timed)
    last = model.days_looked_at()[1]
    limit = f" up to day {last:g}" if np.isfinite(last) else ""
    ended, reason = np.where(timed, verdict.ended, NONE), np.where(event, to.reason, NONE)
    return {
        **_named(parameter, size),
        "AVAL": days_column("AVAL", verdict.days),
        "CNSR": where(timed, pl.Series(code)),
        "EVNTDESC": where(timed, texts.gather(code)),
        "CNSDTDSC": where(timed & ~event, pl.repeat(f"Last count{limit}", size, eager=True)),
        **_dated(classification.cohort.day_0, "START", start),
        **_dated(classification.cohort.day_0, "A", day),
        "ADTF": _flags(classification.cohort, np.where(timed, verdict.dated, NONE), (DATE,)),
        **_reason_of_time(classification, model, verdict),
        "ANL01FL": where(timed, pl.repeat("Y", size, eager=True)),
        **records_of(classification, model.runs_to, "SRC", ended, reason),
    }


def _censoring(classification: Classification, event: Bools, to: Verdict) -> Ints:
    """CNSR: 0 where the event came, else the reason for censoring in `CENSORED`."""
    codes = classification.criteria.reasons
    not_seen = np.isin(to.reason, [codes[name] for name in NOT_SEEN])
    ended = to.reason == codes["follow_up_ended"]
    is_n, is_ne = to.value == N, to.value == NE
    return np.select([event, is_n & not_seen, is_n, is_ne & ended, is_ne], [0, 1, 5, 2, 3], default=4)


def _reason_of_time(classification: Classification, model: Endpoint, verdict: Verdict) -> Columns:
    """The reason; where there is no time because the endpoint that it starts from is not met, in words whose it is."""
    columns = _reason(classification, verdict)
    for origin in model.origins():
        start = classification.verdicts[origin]
        is_of_start = (start.value != Y) & (start.reason == verdict.reason)
        label = classification.criteria.endpoints[origin].label
        named = pl.select(pl.format("{}: {}", pl.lit(label), columns["ARSN"])).to_series()
        columns["ARSN"] = columns["ARSN"].zip_with(pl.Series(~is_of_start), named)
    return columns


def _named(parameter: Parameter, size: int) -> Columns:
    texts = {"PARAMCD": parameter.code, "PARAM": parameter.text}
    return {name: pl.repeat(text, size, dtype=pl.String, eager=True) for name, text in texts.items()}


def _dated(day_0: Dates, prefix: str, day: Ints) -> Columns:
    """The days as dates, where these are known, and as study days; `day_0` has the patient's day 0 for each."""
    known = (day != NO_DAY) & ~np.isnat(day_0)
    dates = day_0 + np.where(known, day, 0).astype("timedelta64[D]")
    return {
        f"{prefix}DT": where(known, pl.Series(dates.astype("datetime64[D]"))),
        f"{prefix}DY": days_column(f"{prefix}DY", study_days(day)),
    }


def _flags(cohort: Cohort, rows: Ints, columns: Sequence[int]) -> pl.Series:
    """Whether a date in these columns of each row (-1: none) was imputed: `D` the day, `M` the month too."""
    if cohort.imputed is None or not len(cohort.day):
        return pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    dates = cohort.imputed.dates
    flags = np.zeros(len(rows), dtype=np.int64)
    row = np.maximum(rows, 0)
    for flag, of_size in enumerate((dates.count <= MONTH, dates.count > MONTH), start=1):
        imputed = _rows_with_lines(cohort, dates.line[of_size & np.isin(dates.what, columns)])
        flags[imputed[row] & (rows != NONE)] = flag
    return FLAGS.gather(flags)


def _rows_with_lines(cohort: Cohort, lines: Ints) -> Bools:
    """For each row of the cohort, whether one of these lines is behind it."""
    hits = np.append(0, np.cumsum(np.isin(cohort.lines, lines)))
    return hits[cohort.first_line[1:]] > hits[cohort.first_line[:-1]]


def _reason(classification: Classification, verdict: Verdict) -> Columns:
    names = classification.criteria.reasons.names
    code = verdict.reason.astype(np.int64)
    words = [reason_in_words(name) for name in names]
    return {"ARSNCD": pl.Series(names).gather(code), "ARSN": pl.Series(words).gather(code)}


def _dating_record(verdict: Verdict) -> pl.Series:
    """The role of the evidence that gives the day; where a row has several roles, the first of these."""
    roles = pl.Series(["CONFIRMING", "ENDING", "ONSET"])
    same = [verdict.dated == rows for rows in (verdict.confirming, verdict.ended, verdict.onset)]
    role = np.select(same, [0, 1, 2], default=2)
    return where((verdict.dated != NONE) & np.logical_or.reduce(same), roles.gather(role))


# RECORDS OF AN EVENT


@dataclass(frozen=True)
class IntercurrentEvents:
    """Intercurrent events in the order of the patients and of their first days, an entry each."""

    patient: Ints
    """Position in the cohort."""
    start: Ints
    """Days since day 0; `NO_DAY` where the date is known only in part."""
    end: Ints
    rescue: Bools
    """It is a course of rescue treatment; else treatment was discontinued."""
    row: Ints
    """The row of the cohort; -1 for a discontinuation."""
    term: pl.Series
    """As recorded."""


def _adice(classification: Classification, study: str) -> Dataset:
    """Rescue courses and discontinuation of treatment, as intercurrent events."""
    cohort = classification.cohort
    events = _events(cohort)
    patient, row = events.patient, events.row
    first = np.searchsorted(patient, patient)
    kind = pl.Series([DISCONTINUED, RESCUE]).gather(events.rescue.astype(np.int64))
    rescue = pl.Series(events.rescue)
    start_flags, stop_flags = _flags(cohort, row, (DATE,)), _flags_of_patients(cohort, (STOPPED,)).gather(patient)
    # A course without an end has its first day as its last, with the flag of the first.
    end_flags = _flags(cohort, row, (RESCUE_END,)).zip_with(pl.Series(events.start != events.end), start_flags)
    columns = {
        **{name: column.gather(patient) for name, column in _subjects(cohort, study).items()},
        "ASEQ": pl.Series(np.arange(len(patient)) - first + 1),
        "ATERM": events.term,
        "ADECOD": kind,
        **_dated(cohort.day_0[patient], "AST", events.start),
        "ASTDTF": start_flags.zip_with(rescue, stop_flags),
        **_dated(cohort.day_0[patient], "AEN", events.end),
        "AENDTF": end_flags,
        **_event_records(cohort, events),
    }
    variables = _variables(cohort, ADICE)
    return Dataset(
        name="ADICE",
        label="Intercurrent Events Analysis Dataset",
        structure="One record per subject and event",
        keys=("STUDYID", "USUBJID", "ASEQ"),
        variables=variables,
        frame=_typed(pl.DataFrame(columns), variables),
    )


def _events(cohort: Cohort) -> IntercurrentEvents:
    courses = cohort.courses
    treated, begun, ended = cohort.patient[courses.row], cohort.day[courses.row], courses.last
    stopped = np.flatnonzero(np.isfinite(cohort.treatment_discontinued))
    day = cohort.treatment_discontinued[stopped].astype(np.int32)
    if cohort.partial is not None:
        begun = np.where(_in_part(cohort, cohort.partial, courses.row, (DATE,)), NO_DAY, begun)
        ended = np.where(_in_part(cohort, cohort.partial, courses.row, (DATE, RESCUE_END)), NO_DAY, ended)
        day = np.where(np.isin(stopped, _patients_with(cohort.partial, (ENROLMENT, STOPPED))), NO_DAY, day)
    patient = np.concatenate([treated, stopped]).astype(np.int64)
    start = np.concatenate([begun, day])
    end = np.concatenate([ended, np.full(len(stopped), NO_DAY, dtype=np.int32)])
    rescue = np.repeat([True, False], [len(treated), len(stopped)])
    row = np.concatenate([courses.row, np.full(len(stopped), NONE)])
    discontinued = pl.repeat(DISCONTINUED, len(stopped), dtype=pl.String, eager=True)
    terms = pl.concat([texts_of(courses.name).fill_null(RESCUE), discontinued])
    order = np.lexsort((~rescue, start, patient))
    return IntercurrentEvents(patient[order], start[order], end[order], rescue[order], row[order], terms.gather(order))


def _flags_of_patients(cohort: Cohort, columns: Sequence[int]) -> pl.Series:
    """Whether a date in these columns of each patient was imputed, as `_flags`."""
    flags = np.zeros(len(cohort), dtype=np.int64)
    if cohort.imputed is not None:
        dates = cohort.imputed.dates
        selected = np.isin(dates.what, columns)
        flags[dates.patient[selected]] = np.where(dates.count[selected] > MONTH, 2, 1)
    return FLAGS.gather(flags)


def _event_records(cohort: Cohort, events: IntercurrentEvents) -> Columns:
    """The source records: of a course its row, of a discontinuation a record of its own."""
    records = source_records(cohort, "SRC", events.row, np.where(events.rescue, TREATMENT, NONE))
    if cohort.stopped_by is None:
        return records
    by = cohort.stopped_by.at(events.patient)
    stops = (texts_of(by.domain), texts_of(by.variable), pl.Series(by.sequence, dtype=pl.Int64))
    return {
        name: values.zip_with(pl.Series(events.rescue), stop)
        for (name, values), stop in zip(records.items(), stops, strict=True)
    }


def _in_part(cohort: Cohort, partial: Partial, row: Ints, columns: Sequence[int]) -> Bools:
    """For each row whether a date in these columns, or the patient's day 0, is known only in part."""
    lines = partial.dates.line[np.isin(partial.dates.what, columns)]
    of_day_0 = np.isin(cohort.patient[row], _patients_with(partial, (ENROLMENT,)))
    return _rows_with_lines(cohort, lines)[row] | of_day_0


def _patients_with(partial: Partial, columns: Sequence[int]) -> Ints:
    """The positions in the cohort of the patients with a date in these columns that is known only in part."""
    return partial.patient[partial.dates.patient[np.isin(partial.dates.what, columns)]]


# RECORDS OF A PATIENT


def _adsl(classification: Classification, study: str) -> Dataset:
    """The patients with a flag and a result for each endpoint."""
    cohort, criteria = classification.cohort, classification.criteria
    day_0 = f"Day 0 as read from the source; by the definition it is {criteria.file.clock.day_0}."
    variables = [replace(variable, means=variable.means or day_0) for variable in ADSL]
    columns = _subjects(cohort, study)
    columns |= {"SUBJID": cohort.id, "TRT01P": columns.pop("TRTP")}
    columns["DAY0DT"] = _dated(cohort.day_0, "", np.zeros(len(cohort), dtype=np.int32))["DT"]
    if cohort.quarantined is not None:
        variables.append(LEFT_OUT)
        columns[LEFT_OUT.name] = pl.Series(cohort.quarantined)
    if cohort.imputed is not None:
        variables.append(IMPUTED)
        columns[IMPUTED.name] = cohort.marks()[-1]
    for names in flags(criteria):
        verdict = classification.verdicts[names.endpoint]
        result = labelled(names.result, verdict)
        if names.flag is not None:
            means = f"Y or N as {names.endpoint} was decided; missing where it is NE or NA."
            variables.append(Variable(names.flag, names.flag_label, "text", means))
            columns[names.flag] = where(np.isin(verdict.value, (Y, N)), result)
        means = f"The verdict on {names.endpoint}: {', '.join(verdict.labels)}."
        variables.append(Variable(names.result, names.result_label, "text", means))
        columns[names.result] = result
    frame = _typed(pl.DataFrame(columns), variables)
    keys = ("STUDYID", "USUBJID")
    return Dataset("ADSL", "Subject-Level Analysis Dataset", "One record per subject", keys, tuple(variables), frame)
