"""Dask: a study in Dask's frames, decided by its workers with the same engine.

results = itp_response.dask.classify(visits, patients)
"""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from itp_response.classification import partitions
from itp_response.classification.classification import CriteriaInput
from itp_response.classification.partitions import PartitionPlan
from itp_response.messages.errors import UsageError
from itp_response.messages.optional_imports import needed
from itp_response.readers.files import open_table
from itp_response.readers.options import ReadOptions
from itp_response.readers.problems import as_text

KEY, ORDER = "patient, as it is read", "place before the shuffle"
"""Two columns beside those of a table."""
MOST_ROWS = 1 << 40
"""More rows than a partition has."""


def classify(
    visits: Any,
    patients: Any = None,
    criteria: CriteriaInput | None = None,
    *,
    options: ReadOptions | None = None,
) -> Any:
    """Classify a study in frames of Dask where they are: one row per patient, in no order.

    The frames are read twice: at once, for what depends on the whole study and for what is wrong with it, and when the
    result is used. All rows of a patient go into one partition; the result has as many partitions as the visits. What
    was assumed goes to the log `itp_response`.

    Args:
        visits: The visits, a frame of Dask.
        patients: The patient table, a frame of Dask. None: there is none.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`. None: `atra_2022`,
            or the set of the `Classification`.
        options: How the tables are read. None: the defaults of `ReadOptions`; rows that cannot be read are always an
            error.

    Returns:
        A Dask data frame with the columns of `Classification.frame`, of Arrow's types; a missing value is null.

    Raises:
        CohortError: The tables cannot be used; the error has every problem, each with its patient.
        CriteriaError: The criteria cannot be used.
        UsageError: A table is not a frame of Dask.

    Examples:
        >>> classify([{"patient_id": "A", "day": 0, "platelets": 15}])
        Traceback (most recent call last):
        ...
        itp_response.messages.errors.UsageError: visits is a frame of Dask, not 'list'; others go to 'classify'.
    """
    needed("dask.dataframe", "dask")
    needed("pyarrow", "dask")
    for name, frame in (("visits", visits), ("patients", patients)):
        if not hasattr(frame, "to_delayed") and not (frame is None and name == "patients"):
            raise UsageError(f"{name} is a frame of Dask, not {type(frame).__name__!r}; others go to 'classify'.")
    plan = partitions.plan_for(criteria, options)
    patient_names = None if patients is None else _names(patients)
    of_visits, of_patients = partitions.headers(plan, _names(visits), patient_names)
    if patients is not None and "treatment_discontinued" in of_patients:
        name = of_patients["treatment_discontinued"]
        values = _polars(patients[[name]].compute()).to_series()
        plan = replace(plan, stopped=partitions.stopped_on(values, name, plan.options.dates_of_patients))

    tables = [_by_patient(visits, of_visits, visits.npartitions)]
    if patients is not None:
        tables.append(_by_patient(patients, of_patients, visits.npartitions))

    def mapped(work: Any, plan: PartitionPlan, schema: Any) -> Any:
        return tables[0].map_partitions(_applied, *tables[1:], work=work, plan=plan, meta=_meta(schema))

    noticed = mapped(partitions.inspected, plan, partitions.inspected_schema()).compute()
    plan = partitions.settled(plan, _polars(noticed), patients=patients is not None)
    return mapped(partitions.results, plan, partitions.result_schema(plan))


def _names(frame: Any) -> list[str]:
    return [str(name) for name in frame.columns]


def _by_patient(frame: Any, header: partitions.Header, number: int) -> Any:
    """The columns that are read, in this number of partitions; a patient is in the same partition of each table."""
    import dask.dataframe as dd
    from dask.delayed import delayed

    names = list(dict.fromkeys(header.values()))
    parts = enumerate(frame[names].to_delayed())
    keyed = [delayed(_keyed)(part, header["patient_id"], position) for position, part in parts]
    meta = _keyed(frame[names]._meta, header["patient_id"], 0)
    return dd.from_delayed(keyed, meta=meta, verify_meta=False).shuffle(KEY, npartitions=number)


def _keyed(frame: Any, patient_column: str, position: int) -> Any:
    """The rows of the partition at this position, with the patient's id as it is read and their place among all."""
    key = as_text(_polars(frame[[patient_column]]).to_series()).fill_null("")
    order = np.arange(len(frame), dtype=np.int64) + position * MOST_ROWS
    return frame.assign(**{KEY: key.to_pandas(use_pyarrow_extension_array=True).to_numpy(), ORDER: order})


def _applied(visits: Any, patients: Any = None, *, work: Any, plan: PartitionPlan) -> Any:
    """The result of `work` on the patients of a partition, their rows in the order of the tables."""
    tables = [
        None if table is None else _polars(table.sort_values(ORDER).drop(columns=[KEY, ORDER]))
        for table in (visits, patients)
    ]
    return work(plan, *tables).to_pandas(use_pyarrow_extension_array=True)


def _meta(schema: Any) -> Any:
    return pl.DataFrame(schema=schema).to_pandas(use_pyarrow_extension_array=True)


def _polars(frame: Any) -> pl.DataFrame:
    """The frame as the reader takes those of pandas."""
    table = open_table(frame, "frame")
    return table.load(range(len(table.header))).rename({str(place): name for place, name in enumerate(table.header)})
