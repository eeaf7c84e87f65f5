"""Spark: a study in frames of PySpark, decided on the cluster by the same engine.

found = itp_response.spark.classify(visits, patients)
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from itp_response.classification import partitions as parts
from itp_response.classification.classification import CriteriaInput
from itp_response.classification.partitions import Plan
from itp_response.messages.errors import UsageError
from itp_response.messages.optional_imports import needed
from itp_response.readers.options import ReadOptions

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame

KEY, VISIT, ORDER = "key", "visit", "order"
"""The columns of the rows that go to the executors, beside those of the two tables."""
ROWS = 250_000
"""How many rows are decided together; more of a patient who has more."""
SPARK_TYPES = {"String": "string", "Int8": "tinyint", "Int32": "int", "Int64": "bigint", "Date": "date"}
ARROW_TYPES = {"String": "string", "Int8": "int8", "Int32": "int32", "Int64": "int64", "Date": "date32"}
Columns = dict[str, str]
"""What the columns of a table are called on the way, and what they are called in it."""


def classify(
    visits: "DataFrame",
    patients: "DataFrame | None" = None,
    criteria: CriteriaInput | None = None,
    *,
    options: ReadOptions | None = None,
) -> "DataFrame":
    """The columns of `Classification.frame`, one row per patient in no order, of visits and patients in Spark frames.

    The frames are read twice: here, for what depends on all of them and what is wrong with them, and when the result
    is used. All rows of a patient go to one executor and must fit into its memory. The package must be installed on
    the executors too. What was assumed goes to the log `itp_response`.
    The options are those of `read`; it stops at errors.
    Raises `CohortError` with what is wrong, each with its patient; `UsageError` for what is no frame of Spark.
    """
    needed("pyspark.sql", "spark")
    needed("pyarrow", "spark")
    for what, frame in (("visits", visits), ("patients", patients)):
        if not hasattr(frame, "mapInArrow") and not (frame is None and what == "patients"):
            raise UsageError(f"{what} is a frame of Spark, not {type(frame).__name__!r}; others go to 'classify'.")
    plan = parts.plan(criteria, options)
    of_visits, of_patients = parts.headers(plan, visits.columns, patients.columns if patients is not None else None)
    if patients is not None and "treatment_discontinued" in of_patients:
        name = of_patients["treatment_discontinued"]
        plan = replace(plan, stopped=parts.stopped_on(_values(patients, name), name, plan.options.date_format))

    # Columns are named by their places on the way, as the two tables may have some of the same name.
    names = {f"v{place}": name for place, name in enumerate(dict.fromkeys(of_visits.values()))}
    own = {f"p{place}": name for place, name in enumerate(dict.fromkeys(of_patients.values()))}
    rows = _keyed(visits, of_visits["patient_id"], names, visit=True)
    if patients is not None:
        patient_rows = _keyed(patients, of_patients["patient_id"], own, visit=False)
        rows = rows.unionByName(patient_rows, allowMissingColumns=True)
    tables = names, own if patients is not None else None
    rows = rows.repartition(KEY).sortWithinPartitions(KEY, VISIT, ORDER)

    found = rows.mapInArrow(partial(_mapped, parts.looked_at, plan, tables), _declared(parts.found_schema()))
    plan = parts.settled(plan, _polars(found.toArrow()), patients=patients is not None)
    return rows.mapInArrow(partial(_mapped, parts.verdicts, plan, tables), _declared(parts.schema(plan)))


def _values(frame: "DataFrame", name: str) -> pl.Series:
    """All that the column has, in any order, brought here as its different values and how often each is there."""
    column = _column(name).alias("value")
    counts = _polars(frame.select(column).groupBy("value").count().toArrow())
    return counts["value"].gather(np.repeat(np.arange(len(counts)), counts["count"].to_numpy()))


def _keyed(frame: "DataFrame", patient: str, names: Columns, *, visit: bool) -> "DataFrame":
    """The rows under the names they have on the way, with the patient's name as it is read, and their order."""
    from pyspark.sql import functions as f

    columns = [_column(name).alias(short) for short, name in names.items()]
    key = f.coalesce(_trimmed(frame, patient), f.lit("")).alias(KEY)
    return frame.select(key, f.lit(visit).alias(VISIT), f.monotonically_increasing_id().alias(ORDER), *columns)


def _trimmed(frame: "DataFrame", name: str) -> "Column":
    """The texts as `as_text` makes them, so that rows come together that are read as of one patient."""
    from pyspark.sql import functions as f

    column = _column(name)
    text = column.cast("string")
    if frame.schema[name].dataType.typeName() in ("float", "double"):
        whole = (f.abs(column) < 1e15) & (column == f.floor(column))
        text = f.when(~f.isnan(column), f.when(whole, column.cast("bigint").cast("string")).otherwise(text))
    return f.regexp_replace(text, r"(?U)^\s+|\s+$", "")


def _column(name: str) -> "Column":
    from pyspark.sql import functions as f

    return f.col("`" + name.replace("`", "``") + "`")


def _declared(columns: "Mapping[str, object]") -> str:
    """The columns in Spark's words, of polars' types."""
    return ", ".join(f"`{name}` {SPARK_TYPES[str(dtype)]}" for name, dtype in columns.items())


# ON THE EXECUTORS


def _mapped(
    work: Callable[[Plan, pl.DataFrame, pl.DataFrame | None], pl.DataFrame],
    plan: Plan,
    tables: tuple[Columns, Columns | None],
    batches: "Iterator[pa.RecordBatch]",
) -> "Iterator[pa.RecordBatch]":
    """What `work` makes of the patients in these rows, some at a time."""
    import pyarrow as pa

    of_visits, of_patients = tables
    for rows in pieces(batches):
        frame = _polars(rows)
        visits = frame.filter(pl.col(VISIT)).select(pl.col(short).alias(name) for short, name in of_visits.items())
        patients = None
        if of_patients is not None:
            own = [pl.col(short).alias(name) for short, name in of_patients.items()]
            patients = frame.filter(~pl.col(VISIT)).select(own)
        made = work(plan, visits, patients)
        types = pa.schema([(name, getattr(pa, ARROW_TYPES[str(dtype)])()) for name, dtype in made.schema.items()])
        yield from made.to_arrow().cast(types).to_batches()


def pieces(batches: "Iterable[pa.RecordBatch]", rows: int = ROWS) -> "Iterator[pa.Table]":
    """The rows of all batches, sorted by `key`, in pieces of so many or more, cut where the key changes."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    size, begin, last = 0, 0, None
    for batch in batches:
        if not len(batch):
            continue
        keys = batch.column(KEY)
        if keys[-1].as_py() != last:
            last = keys[-1].as_py()
            # Where the rows of the last patient begin; all before are whole.
            begin = size + keys.index(last).as_py()
        held.append(batch)
        size += len(batch)
        if size >= rows and begin:
            whole = pa.Table.from_batches(held)
            yield whole.slice(0, begin)
            held = whole.slice(begin).to_batches()
            size, begin = size - begin, 0
    if held:
        yield pa.Table.from_batches(held)


def _polars(rows: "pa.Table") -> pl.DataFrame:
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    return frame
