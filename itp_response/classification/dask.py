"""Dask: a study in Dask's frames, decided by its workers with the same engine.

found = itp_response.dask.classify(visits, patients)
"""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from itp_response.classification import partitions as parts
from itp_response.classification.classification import CriteriaInput
from itp_response.classification.partitions import Plan
from itp_response.messages.errors import UsageError
from itp_response.messages.optional_imports import needed
from itp_response.readers.files import open_table
from itp_response.readers.options import ReadOptions
from itp_response.readers.problems import as_text

KEY, ORDER = "patient, as it is read", "place before the shuffle"
"""Two columns beside those of a table."""
BEFORE = 1 << 40
"""More rows than a partition has."""


def classify(
    visits: Any,
    patients: Any = None,
    criteria: CriteriaInput | None = None,
    *,
    options: ReadOptions | None = None,
) -> Any:
    """The columns of `Classification.frame`, one row per patient in no order, of visits and patients in Dask's frames.

    The frames are read twice: here, for what depends on all of them and what is wrong with them, and when the result
    is computed. All rows of a patient go into one partition, and as many partitions are made as the visits have. What
    was assumed goes to the log `itp_response`. Columns are of Arrow's types.
    The options are those of `read`; it stops at errors.
    Raises `CohortError` with what is wrong, each with its patient; `UsageError` for what is no frame of Dask.
    """
    needed("dask.dataframe", "dask")
    needed("pyarrow", "dask")
    for what, frame in (("visits", visits), ("patients", patients)):
        if not hasattr(frame, "to_delayed") and not (frame is None and what == "patients"):
            raise UsageError(f"{what} is a frame of Dask, not {type(frame).__name__!r}; others go to 'classify'.")
    plan = parts.plan(criteria, options)
    of_visits, of_patients = parts.headers(plan, _names(visits), None if patients is None else _names(patients))
    if patients is not None and "treatment_discontinued" in of_patients:
        name = of_patients["treatment_discontinued"]
        values = _polars(patients[[name]].compute()).to_series()
        plan = replace(plan, stopped=parts.stopped_on(values, name, plan.options.date_format))

    tables = [_together(visits, of_visits, visits.npartitions)]
    if patients is not None:
        tables.append(_together(patients, of_patients, visits.npartitions))

    def mapped(work: Any, plan: Plan, schema: Any) -> Any:
        return tables[0].map_partitions(_made, *tables[1:], work=work, plan=plan, meta=_meta(schema))

    found = _polars(mapped(parts.looked_at, plan, parts.found_schema()).compute())
    plan = parts.settled(plan, found, patients=patients is not None)
    return mapped(parts.verdicts, plan, parts.schema(plan))


def _names(frame: Any) -> list[str]:
    return [str(name) for name in frame.columns]


def _together(frame: Any, header: dict[str, str], partitions: int) -> Any:
    """The columns that are read, the rows of a patient in one partition; of each table in that of the same number."""
    import dask.dataframe as dd
    from dask.delayed import delayed

    names = list(dict.fromkeys(header.values()))
    keyed = [delayed(_keyed)(one, header["patient_id"], number) for number, one in enumerate(frame[names].to_delayed())]
    made = dd.from_delayed(keyed, meta=_keyed(frame[names]._meta, header["patient_id"], 0), verify_meta=False)
    return made.shuffle(KEY, npartitions=partitions)


def _keyed(frame: Any, patient: str, number: int) -> Any:
    """The rows with the patient's name as it is read, and their place among all."""
    key = as_text(_polars(frame[[patient]]).to_series()).fill_null("")
    order = np.arange(len(frame), dtype=np.int64) + number * BEFORE
    return frame.assign(**{KEY: key.to_pandas(use_pyarrow_extension_array=True).to_numpy(), ORDER: order})


def _made(visits: Any, patients: Any = None, *, work: Any, plan: Plan) -> Any:
    tables = [
        None if one is None else _polars(one.sort_values(ORDER).drop(columns=[KEY, ORDER]))
        for one in (visits, patients)
    ]
    return work(plan, *tables).to_pandas(use_pyarrow_extension_array=True)


def _meta(schema: Any) -> Any:
    return pl.DataFrame(schema=schema).to_pandas(use_pyarrow_extension_array=True)


def _polars(frame: Any) -> pl.DataFrame:
    """The frame as the reader takes those of pandas."""
    table = open_table(frame, "frame")
    return table.load(range(len(table.header))).rename({str(place): name for place, name in enumerate(table.header)})
