"""Times: ADTTE, a record per patient and time to an event."""

from dataclasses import replace

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification, days_column
from itp_response.cohort.observations import DATE
from itp_response.cohort.values import NO_DAY, NONE, Bools, Ints
from itp_response.evaluation.endpoints import Endpoint
from itp_response.evaluation.endpoints.account import Decided
from itp_response.evaluation.endpoints.moments import AT_LAST_COUNT
from itp_response.evaluation.verdicts import NE, N, Verdict, Y
from itp_response.messages.wording import up_to
from itp_response.outputs.adam.columns import (
    ARM,
    DATED,
    PARAMETER,
    REASON,
    SOURCE,
    SUBJECT,
    by_patient,
    dated,
    imputation_flags,
    named,
    of_subjects,
    reasons_of,
    used_variables,
)
from itp_response.outputs.adam.parameters import Parameter
from itp_response.outputs.adam.sources import Columns, records_of, where
from itp_response.outputs.adam.variables import Dataset, Variable, standard

ADTTE = (
    *SUBJECT,
    ARM,
    *PARAMETER,
    standard("AVAL", "integer", "Days from the start to the event or to censoring."),
    standard("CNSR", "integer", ""),
    standard("EVNTDESC", "text", "The event, or the reason for censoring."),
    standard("CNSDTDSC", "text", "The date at which the patient is censored, or the competing event."),
    standard("STARTDT", "date", "The start of the time to event."),
    Variable("STARTDY", "Time-to-Event Origin Relative Day", "integer", "The same as a study day."),
    *DATED,
    *REASON,
    standard("ANL01FL", "text", "Y where there is a time to event."),
    *SOURCE,
)
COMPETING, AT_A_MOMENT = 2, 7
CENSORED = {
    1: "Event-free when follow-up was complete",
    COMPETING: "A competing event came first",
    3: "Follow-up ended before the event could be ruled out",
    4: "Whether the event came is not evaluable",
    5: "The event cannot come",
    6: "The event is ruled out",
    AT_A_MOMENT: "Censored on the day that the criteria name",
}
"""The reasons for censoring, by CNSR; 0 is the event."""
NOT_SEEN = ("not_lost", "never_reached", "not_confirmed", "discounted")
"""The reasons of an endpoint that was looked for to the end of follow-up and not seen; others rule it out before."""


def adtte(classification: Classification, study: str, parameters: list[Parameter], *, untimed: bool) -> Dataset:
    """The times to an event; `untimed`: with records of the patients without a time."""
    cohort = classification.cohort
    censors = f"0: event; {'; '.join([f'{code}: {text}' for code, text in CENSORED.items()])}."
    variables = [replace(variable, means=variable.means or censors) for variable in used_variables(cohort, ADTTE)]
    every = np.arange(len(cohort))
    tables = [{**of_subjects(cohort, study), **_time(classification, parameter)} for parameter in parameters]
    frame = by_patient(tables, variables, [every] * len(tables))
    return Dataset(
        name="ADTTE",
        label="Time-to-Event Analysis Dataset",
        structure="One record per subject and parameter",
        keys=("STUDYID", "USUBJID", "PARAMCD"),
        variables=tuple(variables),
        frame=frame if untimed else frame.filter(pl.col("AVAL").is_not_null()),
    )


def _time(classification: Classification, parameter: Parameter) -> Columns:
    endpoints, verdicts = classification.criteria.endpoints, classification.verdicts
    model, verdict = endpoints[parameter.endpoint], verdicts[parameter.endpoint]
    assert verdict.days is not None
    assert model.runs_to is not None
    timed = verdict.days != NO_DAY
    event = timed & (verdict.value == Y)
    to = verdicts[model.runs_to]
    decided = Decided(classification.patient_days, verdicts, verdict)
    moment = np.where(timed, model.moments_of_censoring(decided), NONE)
    competed = timed & classification.competed(parameter.endpoint)
    by_count = np.isin(moment, [NONE, *(n for n, text in enumerate(model.censored_at) if text == AT_LAST_COUNT)])
    code = _censoring(classification, event, to)
    code = np.where(timed & ~event & (~by_count | (to.value == Y)), AT_A_MOMENT, code)
    code = np.where(competed, COMPETING, code)
    day = np.where(timed, classification.dated(verdict), np.int32(NO_DAY))
    # Where dates are known in part, a length may be known whose days are not.
    start = np.where(day != NO_DAY, day - np.where(timed, verdict.days, 0), np.int32(NO_DAY))
    size = len(timed)
    texts = pl.Series([endpoints[model.runs_to].label, *CENSORED.values()])
    came_first = _competing_event(classification, parameter.endpoint, competed)
    return {
        **named(parameter, size),
        "AVAL": days_column("AVAL", verdict.days),
        "CNSR": where(timed, pl.Series(code)),
        "EVNTDESC": where(timed, came_first.zip_with(pl.Series(competed), texts.gather(code))),
        "CNSDTDSC": where(
            timed & ~event,
            came_first.zip_with(pl.Series(competed), _moments(classification, parameter.endpoint, moment)),
        ),
        **dated(classification.cohort.day_0, "START", start),
        **dated(classification.cohort.day_0, "A", day),
        "ADTF": imputation_flags(classification.cohort, np.where(timed, verdict.dated, NONE), (DATE,)),
        **_reason_of_time(classification, model, verdict),
        "ANL01FL": where(timed, pl.repeat("Y", size, eager=True)),
        **_records(classification, parameter.endpoint, event, timed),
    }


def _competing_event(classification: Classification, name: str, competed: Bools) -> pl.Series:
    """The label of the event that competed with a time, for each patient with one."""
    criteria = classification.criteria
    labels = {reason: model.label for reason, model in criteria.endpoints.items()}
    reason = pl.Series(criteria.reasons.names).gather(classification.verdicts[name].reason.astype(np.int64))
    return where(competed, reason.replace_strict(labels, default=None, return_dtype=pl.String))


def _moments(classification: Classification, name: str, moment: Ints) -> pl.Series:
    """The moment at which each patient is censored, by its number; missing where it is not known which (-1)."""
    model = classification.criteria.endpoints[name]
    limit = up_to(model.days_looked_at()[1]).removeprefix(",")
    texts = [f"{text.removeprefix('the ').capitalize()}{limit}" for text in model.censored_at]
    known = moment != NONE
    return where(known, pl.Series(texts or [None], dtype=pl.String).gather(np.where(known, moment, 0)))


def _records(classification: Classification, name: str, event: Bools, timed: Bools) -> Columns:
    """The record of the day on which each time ended, and the variable that says so there."""
    verdict, verdicts = classification.verdicts[name], classification.verdicts
    model = classification.criteria.endpoints[name]
    assert model.runs_to is not None
    to = verdicts[model.runs_to]
    ended, reason = np.where(timed, verdict.ended, NONE), np.where(event, to.reason, NONE)
    columns = records_of(classification, model.runs_to, "SRC", ended, reason)
    for other in model.competes_with:
        came_first = timed & (verdict.value == N) & (verdict.reason == classification.criteria.reasons[other])
        of_other = records_of(classification, other, "SRC", np.where(came_first, verdict.ended, NONE))
        columns = {key: of_other[key].zip_with(pl.Series(came_first), column) for key, column in columns.items()}
    return columns


def _censoring(classification: Classification, event: Bools, to: Verdict) -> Ints:
    """CNSR: 0 where the event came, else the reason for censoring in `CENSORED`."""
    codes = classification.criteria.reasons
    not_seen = np.isin(to.reason, [codes[name] for name in NOT_SEEN])
    ended = to.reason == codes["follow_up_ended"]
    is_n, is_ne = to.value == N, to.value == NE
    return np.select([event, is_n & not_seen, is_n, is_ne & ended, is_ne], [0, 1, 6, 3, 4], default=5)


def _reason_of_time(classification: Classification, model: Endpoint, verdict: Verdict) -> Columns:
    """The reason; where there is no time because the endpoint that it starts from is not met, in words whose it is."""
    columns = reasons_of(classification, verdict.reason)
    for origin in model.origins():
        start = classification.verdicts[origin]
        is_of_start = (start.value != Y) & (start.reason == verdict.reason)
        label = classification.criteria.endpoints[origin].label
        in_words = pl.select(pl.format("{}: {}", pl.lit(label), columns["ARSN"])).to_series()
        columns["ARSN"] = columns["ARSN"].zip_with(pl.Series(~is_of_start), in_words)
    return columns
