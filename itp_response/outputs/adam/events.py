"""Events: ADICE, the intercurrent events: rescue treatment and discontinuation of treatment."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import DATE, ENROLMENT, RESCUE_END, STOPPED
from itp_response.cohort.values import NO_DAY, NONE, Bools, Ints
from itp_response.definitions.intercurrent_events import COMPOSITE, deciding_rules, strategy_of
from itp_response.definitions.intercurrent_events import DISCONTINUED as DISCONTINUED_NAME
from itp_response.definitions.schema import Event
from itp_response.evaluation.patient_days import PatientValues
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.tree import Tree, names_in
from itp_response.outputs.adam.columns import (
    ARM,
    ASEQ,
    FLAGGED,
    FLAGS,
    MONTH,
    PARAMETER,
    SOURCE,
    SUBJECT,
    by_patient,
    dated,
    imputation_flags,
    in_part,
    named,
    numbered,
    of_subjects,
    patients_with,
    used_variables,
)
from itp_response.outputs.adam.counted import Counted
from itp_response.outputs.adam.parameters import Parameter
from itp_response.outputs.adam.sources import TREATMENT, Columns, source_records, texts_of
from itp_response.outputs.adam.variables import Dataset, Variable, standard

ADICE = (
    *SUBJECT,
    ARM,
    ASEQ,
    Variable("ICESEQ", "Intercurrent Event Sequence Number", "integer", "The number of the event within the patient."),
    *PARAMETER,
    Variable(
        "ICESTRAT",
        "Intercurrent Event Strategy",
        "text",
        "The strategy of ICH E9(R1) by which the endpoint handles the event: COMPOSITE VARIABLE where the event alone "
        "decides against the patient, TREATMENT POLICY where no rule takes such an event into account, or what the "
        "criteria state of their source; else missing, and the comment on the parameter says what the event does.",
    ),
    Variable(
        "ATERM",
        "Analysis Term",
        "text",
        "The rescue treatment as it is written, or the discontinuation of treatment.",
    ),
    Variable("ADECOD", "Analysis Dictionary-Derived Term", "text", "RESCUE TREATMENT or TREATMENT DISCONTINUED."),
    standard("ASTDT", "date", "The first day; missing for a partial date."),
    standard("ASTDTF", "text", FLAGGED),
    standard("AENDT", "date", "The last day; missing for a partial date and for a discontinuation."),
    standard("AENDTF", "text", FLAGGED),
    standard("ASTDY", "integer", "The first day as a study day."),
    standard("AENDY", "integer", "The last day as a study day."),
    *SOURCE,
)
RESCUE, DISCONTINUED = "RESCUE TREATMENT", "TREATMENT DISCONTINUED"


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


def adice(classification: Classification, study: str, parameters: list[Parameter], counted: Counted) -> Dataset:
    """Rescue courses and discontinuation of treatment, as intercurrent events of each endpoint."""
    cohort = classification.cohort
    events = _events(cohort)
    patient, row = events.patient, events.row
    kind = pl.Series([DISCONTINUED, RESCUE]).gather(events.rescue.astype(np.int64))
    rescue = pl.Series(events.rescue)
    start_flags, stop_flags = (
        imputation_flags(cohort, row, (DATE,)),
        _flags_of_patients(cohort, (STOPPED,)).gather(patient),
    )
    # A course without an end has its first day as its last, with the flag of the first.
    end_flags = imputation_flags(cohort, row, (RESCUE_END,)).zip_with(
        pl.Series(events.start != events.end), start_flags
    )
    columns = {
        **{name: column.gather(patient) for name, column in of_subjects(cohort, study).items()},
        "ICESEQ": numbered(patient),
        "ATERM": events.term,
        "ADECOD": kind,
        **dated(cohort.day_0[patient], "AST", events.start),
        "ASTDTF": start_flags.zip_with(rescue, stop_flags),
        **dated(cohort.day_0[patient], "AEN", events.end),
        "AENDTF": end_flags,
        **_event_records(cohort, events),
    }
    variables = used_variables(cohort, ADICE)
    tables = [
        {**columns, **named(parameter, len(patient)), "ICESTRAT": _strategy(counted, events, parameter.endpoint)}
        for parameter in parameters
    ]
    return Dataset(
        name="ADICE",
        label="Intercurrent Events Analysis Dataset",
        structure="One record per subject, intercurrent event and parameter",
        keys=("STUDYID", "USUBJID", "ASEQ"),
        variables=variables,
        frame=by_patient(tables, variables, [patient] * len(tables)),
    )


def _strategy(counted: Counted, events: IntercurrentEvents, endpoint: str) -> pl.Series:
    """The strategy by which the endpoint handles each event."""
    file = counted.criteria.file
    composite = np.zeros(len(events.patient), dtype=np.bool_)
    kinds: tuple[Event, Event] = ("discontinuation", "rescue")
    for kind in kinds:
        for tree, holds in deciding_rules(file, endpoint, kind):
            composite |= _decides(counted, events, tree, holds)
    others = [strategy_of(file, endpoint, kind).upper() or None for kind in kinds]
    strategies = pl.Series([COMPOSITE.upper(), *others], dtype=pl.String)
    return strategies.gather(np.select([composite, events.rescue], [0, 2], default=1))


def _decides(counted: Counted, events: IntercurrentEvents, tree: Tree, holds: bool) -> Bools:
    """The events on whose day a rule that names them decides: that of the rescue treatment, or the end of treatment."""
    names, patient_days = set(names_in(tree)), counted.patient_days
    if names == {DISCONTINUED_NAME}:
        truths = decide(tree, PatientValues(patient_days))
        return ~events.rescue & (truths.true if holds else truths.false)[events.patient]
    if not len(patient_days.day):
        return np.zeros(len(events.patient), dtype=np.bool_)
    truths = decide(tree, patient_days)
    against = (truths.true if holds else truths.false)[np.maximum(events.row, 0)]
    known = events.start != NO_DAY
    decides: Bools = against & events.rescue & known
    return decides


def _events(cohort: Cohort) -> IntercurrentEvents:
    courses = cohort.courses
    treated, begun, ended = cohort.patient[courses.row], cohort.day[courses.row], courses.last
    stopped = np.flatnonzero(np.isfinite(cohort.treatment_discontinued))
    day = cohort.treatment_discontinued[stopped].astype(np.int32)
    if cohort.partial is not None:
        begun = np.where(in_part(cohort, cohort.partial, courses.row, (DATE,)), NO_DAY, begun)
        ended = np.where(in_part(cohort, cohort.partial, courses.row, (DATE, RESCUE_END)), NO_DAY, ended)
        day = np.where(np.isin(stopped, patients_with(cohort.partial, (ENROLMENT, STOPPED))), NO_DAY, day)
    patient = np.concatenate([treated, stopped]).astype(np.int64)
    start = np.concatenate([begun, day])
    end = np.concatenate([ended, np.full(len(stopped), NO_DAY, dtype=np.int32)])
    rescue = np.repeat([True, False], [len(treated), len(stopped)])
    row = np.concatenate([courses.row, np.full(len(stopped), NONE)])
    discontinued = pl.repeat(DISCONTINUED, len(stopped), dtype=pl.String, eager=True)
    written = texts_of(courses.name if courses.term is None else courses.term)
    terms = pl.concat([written.fill_null(RESCUE), discontinued])
    order = np.lexsort((~rescue, start, patient))
    return IntercurrentEvents(patient[order], start[order], end[order], rescue[order], row[order], terms.gather(order))


def _flags_of_patients(cohort: Cohort, columns: Sequence[int]) -> pl.Series:
    """Whether a date in these columns of each patient was imputed, as `imputation_flags`."""
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
