"""Subjects: ADITP, a record per patient with the results on all endpoints, to be joined to the study's own ADSL.

It is not called ADSL, which is the sponsor's, has the populations and the treatments, and of which a study has one.
"""

from dataclasses import replace

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification, labelled
from itp_response.evaluation.verdicts import N, Y
from itp_response.outputs.adam.columns import SUBJECT, dated, of_subjects, typed
from itp_response.outputs.adam.parameters import flags
from itp_response.outputs.adam.sources import where
from itp_response.outputs.adam.variables import Dataset, Variable, standard

SUBJID = standard("SUBJID", "text", "SUBJID of DM.")
"""Only where the source has one."""
ADITP = (
    *SUBJECT,
    standard("TRT01P", "text", "The arm assigned, as in the source."),
    Variable("DAY0DT", "Date of Day 0", "date", ""),
)
TRT01A = standard("TRT01A", "text", "The arm with the treatment that was given, as in the source.")
"""Only where the source has it."""
LEFT_OUT = Variable(
    "NLEFTOUT", "Number of Source Rows Left Out", "integer", "Records that could not be read and were excluded."
)
"""Only in a dataset of which such rows were left out."""
IMPUTED = Variable("NIMPUTED", "Number of Source Dates Imputed", "integer", "Partial dates that were imputed.")
"""Only, like the flags of imputed dates, where dates are imputed."""


def aditp(classification: Classification, study: str) -> Dataset:
    """The patients with a flag and a result for each endpoint."""
    cohort, criteria = classification.cohort, classification.criteria
    day_0 = f"Day 0 as read from the source; by the definition it is {criteria.file.clock.day_0}."
    variables = [replace(variable, means=variable.means or day_0) for variable in ADITP]
    columns = of_subjects(cohort, study)
    columns["TRT01P"] = columns.pop("TRTP")
    if cohort.subject is not None:
        variables.insert(len(SUBJECT), SUBJID)
        columns["SUBJID"] = cohort.subject
    if cohort.actual_arm is not None:
        variables.insert([variable.name for variable in variables].index("DAY0DT"), TRT01A)
        columns["TRT01A"] = cohort.actual_arm
    columns["DAY0DT"] = dated(cohort.day_0, "", np.zeros(len(cohort), dtype=np.int32))["DT"]
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
            means = f"Y or N as the result on {names.endpoint}; missing where it is NE or NA."
            variables.append(Variable(names.flag, names.flag_label, "text", means))
            columns[names.flag] = where(np.isin(verdict.value, (Y, N)), result)
        means = f"The result on {names.endpoint}: {', '.join(verdict.labels)}."
        variables.append(Variable(names.result, names.result_label, "text", means))
        columns[names.result] = result
    frame = typed(pl.DataFrame(columns), variables)
    return Dataset(
        name="ADITP",
        label="ITP Response Results by Subject",
        structure="One record per subject",
        keys=("STUDYID", "USUBJID"),
        variables=tuple(variables),
        frame=frame,
    )
