"""Response: ADRS, a record per patient and endpoint, and one per day with a count for the state on that day."""

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification, days_column, labelled
from itp_response.cohort.observations import DATE
from itp_response.cohort.values import NO_DAY, NONE
from itp_response.evaluation.verdicts import NE, VALUES, N, Verdict, Y
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
from itp_response.outputs.adam.counts import Counted
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
    visits = analysis_visits(classification.criteria, cohort, counted.rows)
    tables, patients = [], []
    for parameter in parameters:
        by_visit = parameter.what == "visit"
        patients.append(counted.patient if by_visit else every)
        if by_visit:
            tables.append({**of_rows, **_state(classification, parameter, counted, visits)})
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
        **reasons_of(classification, verdict),
        "ANL01FL": where(applicable, pl.repeat("Y", size, eager=True)),
        "ADTREC": _dating_record(verdict),
        **records_of(classification, parameter.endpoint, "SRC", verdict.onset),
        **records_of(classification, parameter.endpoint, "CNF", verdict.confirming),
        **records_of(classification, parameter.endpoint, "END", verdict.ended, verdict.reason),
    }


def _state(classification: Classification, parameter: Parameter, counted: Counted, visits: AnalysisVisits) -> Columns:
    """Whether the rule of the endpoint holds on each day with a count."""
    state = classification.criteria.endpoints[parameter.endpoint].state
    assert state is not None
    truths, cohort, size = counted.truths(state.tree), counted.cohort, len(counted.rows)
    codes = np.select([truths.true, truths.false], [Y, N], default=NE)
    return {
        **named(parameter, size),
        **visits.columns(),
        "AVALC": pl.Series(VALUES).gather(codes),
        "AVAL": where(~truths.unknown, pl.Series(truths.true.astype(np.int32))),
        **dated(cohort.day_0[counted.patient], "A", counted.day),
        "ADTF": imputation_flags(cohort, counted.rows, (DATE,)),
        "ANL01FL": where(visits.analysed, pl.repeat("Y", size, dtype=pl.String, eager=True)),
        **records_of(classification, parameter.endpoint, "SRC", counted.rows),
    }


def _dating_record(verdict: Verdict) -> pl.Series:
    """The role of the evidence that gives the day; where a row has several roles, the first of these."""
    roles = pl.Series(["CONFIRMING", "ENDING", "ONSET"])
    same = [verdict.dated == rows for rows in (verdict.confirming, verdict.ended, verdict.onset)]
    role = np.select(same, [0, 1, 2], default=2)
    return where((verdict.dated != NONE) & np.logical_or.reduce(same), roles.gather(role))
