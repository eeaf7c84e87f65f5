"""Response: ADRS, a record per patient and endpoint, and one per day with a count for the state on that day."""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from itp_response.classification.classification import Classification, days_column, labelled
from itp_response.cohort.observations import DATE
from itp_response.cohort.values import NO_DAY, NONE
from itp_response.evaluation.endpoints.at_visit import row_of_visit, states_at
from itp_response.evaluation.endpoints.endpoint import defined, leave_undefined, started
from itp_response.evaluation.verdicts import NA, NE, VALUES, Codes, N, Verdict, Y
from itp_response.outputs.adam.columns import (
    ARM,
    ASEQ,
    DATED,
    PARAMETER,
    REASON,
    SOURCE,
    SUBJECT,
    by_patient,
    dated,
    further_source,
    imputation_flags,
    missing,
    named,
    of_subjects,
    reasons_of,
    used_variables,
)
from itp_response.outputs.adam.counted import Counted
from itp_response.outputs.adam.parameters import Parameter
from itp_response.outputs.adam.sources import Columns, records_of, where
from itp_response.outputs.adam.variables import Dataset, Variable, standard
from itp_response.outputs.adam.visits import AVISIT, AnalysisVisits, analysis_visits

ADRS = (
    *SUBJECT,
    ARM,
    ASEQ,
    *PARAMETER,
    *AVISIT,
    standard("AVALC", "text", "The result; missing where the parameter is a number of days."),
    standard("AVAL", "integer", "1 for Y, 0 for N, otherwise missing; or a number of days."),
    *DATED,
    Variable("CNFDT", "Confirmation Date", "date", "The day of the confirming record."),
    Variable("CNFDY", "Confirmation Relative Day", "integer", "The same as a study day."),
    *REASON,
    standard(
        "ANL01FL",
        "text",
        "Y where the endpoint is applicable; by visit, for the record nearest to it.",
    ),
    Variable("ADTREC", "Record That Gives the Analysis Date", "text", "ONSET, CONFIRMING or ENDING."),
    *SOURCE,
    *further_source("CNF", "Confirming Record"),
    *further_source("END", "Ending Record"),
)


def adrs(classification: Classification, study: str, parameters: list[Parameter], counted: Counted) -> Dataset:
    """The results of all endpoints, and their states on the days with a count."""
    cohort = classification.cohort
    variables = used_variables(cohort, ADRS)
    subjects, every = of_subjects(cohort, study), np.arange(len(cohort))
    of_rows = {name: column.gather(counted.patient) for name, column in subjects.items()}
    tables, patients = [], []
    for parameter in parameters:
        by_visit = parameter.what == "visit"
        patients.append(counted.patient if by_visit else every)
        if by_visit:
            tables.append({**of_rows, **_state(classification, parameter, counted)})
        else:
            tables.append({**subjects, **_response(classification, parameter)})
    return Dataset(
        name="ADRS",
        label="Response Analysis Dataset",
        structure="One record per subject, parameter and analysis visit",
        keys=("STUDYID", "USUBJID", "PARAMCD", "ASEQ"),
        variables=variables,
        frame=by_patient(tables, variables, patients),
    )


def _response(classification: Classification, parameter: Parameter) -> Columns:
    verdict = classification.verdicts[parameter.endpoint]
    days = {"days": verdict.days, "of_days": verdict.of_days}.get(parameter.what)
    size = len(verdict.value)
    if days is not None:
        value, number = missing(size), days_column("AVAL", days)
        applicable = days != NO_DAY
    else:
        value = labelled("AVALC", verdict)
        binary = parameter.what == "verdict"
        number = where(binary & np.isin(verdict.value, (Y, N)), pl.Series((verdict.value == Y).astype(np.int32)))
        applicable = (value != "NA").to_numpy()
    day, confirmed = classification.days_of(verdict.dated), classification.days_of(verdict.confirming)
    return {
        **named(parameter, size),
        "AVALC": value,
        "AVAL": number,
        **dated(classification.cohort.day_0, "A", day),
        "ADTF": imputation_flags(classification.cohort, verdict.dated, (DATE,)),
        **dated(classification.cohort.day_0, "CNF", confirmed),
        **reasons_of(classification, verdict.reason),
        "ANL01FL": where(applicable, pl.repeat("Y", size, eager=True)),
        "ADTREC": _dating_record(verdict),
        **records_of(classification, parameter.endpoint, "SRC", verdict.onset),
        **records_of(classification, parameter.endpoint, "CNF", verdict.confirming),
        **records_of(classification, parameter.endpoint, "END", verdict.ended, verdict.reason),
    }


def _state(classification: Classification, parameter: Parameter, counted: Counted) -> Columns:
    """The state of the endpoint on each day with a count; on the days used for visits, that of the visit."""
    states = _states(classification, parameter.endpoint, counted)
    size, value = len(counted.rows), states.value
    return {
        **named(parameter, size),
        **states.visits.columns(),
        "AVALC": pl.Series(VALUES).gather(value.astype(np.int64)),
        "AVAL": where(np.isin(value, (Y, N)), pl.Series((value == Y).astype(np.int32))),
        **dated(counted.cohort.day_0[counted.patient], "A", counted.day),
        "ADTF": imputation_flags(counted.cohort, counted.rows, (DATE,)),
        **reasons_of(classification, states.reason),
        "ANL01FL": where(states.visits.analysed & (value != NA), pl.repeat("Y", size, dtype=pl.String, eager=True)),
        **records_of(classification, parameter.endpoint, "SRC", counted.rows),
    }


class _States(NamedTuple):
    """The state of an endpoint on each day with a count (K), and the visits of these days."""

    value: NDArray[np.int8]
    reason: Codes
    visits: AnalysisVisits


def _states(classification: Classification, name: str, counted: Counted) -> _States:
    criteria, patient_days = classification.criteria, counted.patient_days
    model, windows = criteria.endpoints[name], criteria.endpoints[name].visit_windows(criteria.clock, criteria.baseline)
    value, why = states_at(model, patient_days, counted.rows, criteria.reasons)
    value[counted.in_part], why[counted.in_part] = NE, criteria.reasons["not_recorded"]
    alone, open_ = started(model, patient_days, {}, criteria.reasons, None)
    leave_undefined(model, alone, patient_days, criteria.reasons)
    open_ = open_ & defined(model, patient_days).true
    is_open = open_[counted.patient] if len(counted.rows) else np.zeros(0, dtype=np.bool_)
    owner = counted.patient[~is_open]
    value[~is_open], why[~is_open] = alone.value[owner], alone.reason[owner]

    index = np.full(len(patient_days.day) + 1, len(counted.rows))  # the last stands for no row
    index[counted.rows] = np.arange(len(counted.rows))
    used = [counted.rows[:0]]
    for window in windows:
        if not window.is_planned:
            used.append(row_of_visit(model, window, patient_days))
            continue
        verdict = classification.visit_results.verdict(name, window)
        patient = np.flatnonzero(verdict.dated != NONE)
        at = index[verdict.dated[patient]]
        value[at], why[at] = verdict.value[patient], verdict.reason[patient]
        used.append(verdict.dated[patient])
    return _States(value, why, analysis_visits(windows, counted, np.concatenate(used)))


def _dating_record(verdict: Verdict) -> pl.Series:
    """The role of the evidence that gives the day; where a row has several roles, the first of these."""
    roles = pl.Series(["CONFIRMING", "ENDING", "ONSET"])
    same = [verdict.dated == rows for rows in (verdict.confirming, verdict.ended, verdict.onset)]
    role = np.select(same, [0, 1, 2], default=2)
    return where((verdict.dated != NONE) & np.logical_or.reduce(same), roles.gather(role))
