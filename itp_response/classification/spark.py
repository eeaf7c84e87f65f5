"""Spark: a study in frames of PySpark, decided on the cluster by the same engine.

results = itp_response.spark.classify(visits, patients)
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from itp_response.classification import partitions
from itp_response.classification.classification import CriteriaInput
from itp_response.classification.partitions import PartitionPlan
from itp_response.messages.errors import UsageError
from itp_response.messages.optional_imports import needed
from itp_response.readers.options import ReadOptions

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame

KEY, VISIT, ORDER = "key", "visit", "order"
"""The columns of the rows on the executors, beside those of the two tables."""
ROWS = 250_000
"""The rows that are decided together; more if a patient has more."""
SPARK_TYPES = {"String": "string", "Int8": "tinyint", "Int32": "int", "Int64": "bigint", "Date": "date"}
ARROW_TYPES = {"String": "string", "Int8": "int8", "Int32": "int32", "Int64": "int64", "Date": "date32"}
ShortNames = dict[str, str]
"""The name of each column on the way to the executors, and its name in the table."""


def classify(
    visits: "DataFrame",
    patients: "DataFrame | None" = None,
    criteria: CriteriaInput | None = None,
    *,
    options: ReadOptions | None = None,
) -> "DataFrame":
    """Classify a study in frames of Spark where they are: one row per patient, in no order.

    The frames are read twice: at once, for what depends on the whole study and for what is wrong with it, and when the
    result is used. All rows of a patient go to one executor and must fit into its memory. The package must be installed
    on the executors. What was assumed goes to the log `itp_response`.

    Args:
        visits: The visits, a frame of Spark.
        patients: The patient table, a frame of Spark. None: there is none.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`. None: `atra_2022`,
            or the set of the `Classification`.
        options: How the tables are read. None: the defaults of `ReadOptions`; rows that cannot be read are always an
            error.

    Returns:
        A frame of Spark with the columns of `Classification.frame`; a missing value is null.

    Raises:
        CohortError: The tables cannot be used; the error has every problem, each with its patient.
        CriteriaError: The criteria cannot be used.
        UsageError: A table is not a frame of Spark.

    Examples:
        >>> classify([{"patient_id": "A", "day": 0, "platelets": 15}])
        Traceback (most recent call last):
        ...
        itp_response.messages.errors.UsageError: visits is a frame of Spark, not 'list'; others go to 'classify'.
    """
    needed("pyspark.sql", "spark")
    needed("pyarrow", "spark")
    _check_frames(visits, patients)
    plan = partitions.plan_for(criteria, options)
    patient_names = None if patients is None else patients.columns
    of_visits, of_patients = partitions.headers(plan, visits.columns, patient_names)
    if patients is not None and "treatment_discontinued" in of_patients:
        name = of_patients["treatment_discontinued"]
        stopped = partitions.stopped_on(_values(patients, name), name, plan.options.dates_of_patients)
        plan = replace(plan, stopped=stopped)

    tables = _short_names("v", of_visits), _short_names("p", of_patients) if patients is not None else None
    rows = _rows(visits, patients, (of_visits["patient_id"], of_patients.get("patient_id", "")), tables)
    noticed = rows.mapInArrow(
        partial(_mapped, partitions.inspected, plan, tables), _declared(partitions.inspected_schema())
    )
    plan = partitions.settled(plan, _polars(noticed.toArrow()), patients=patients is not None)
    return rows.mapInArrow(
        partial(_mapped, partitions.results, plan, tables), _declared(partitions.result_schema(plan))
    )


def _check_frames(visits: object, patients: object) -> None:
    """Raises `UsageError` for what is no frame of Spark."""
    for name, frame in (("visits", visits), ("patients", patients)):
        if not hasattr(frame, "mapInArrow") and not (frame is None and name == "patients"):
            raise UsageError(f"{name} is a frame of Spark, not {type(frame).__name__!r}; others go to 'classify'.")


def _short_names(prefix: str, header: partitions.Header) -> ShortNames:
    """The columns of a table by names that no column of the other table has."""
    return {f"{prefix}{number}": name for number, name in enumerate(dict.fromkeys(header.values()))}


def _rows(
    visits: "DataFrame",
    patients: "DataFrame | None",
    patient_columns: tuple[str, str],
    tables: tuple[ShortNames, ShortNames | None],
) -> "DataFrame":
    """The rows of both tables, those of a patient together, each table in its order."""
    of_visits, of_patients = tables
    rows = _keyed(visits, patient_columns[0], of_visits, visit=True)
    if patients is not None and of_patients is not None:
        patient_rows = _keyed(patients, patient_columns[1], of_patients, visit=False)
        rows = rows.unionByName(patient_rows, allowMissingColumns=True)
    return rows.repartition(KEY).sortWithinPartitions(KEY, VISIT, ORDER)


def _values(frame: "DataFrame", name: str) -> pl.Series:
    """All values of a column, in any order; only the distinct values and their numbers are fetched."""
    column = _column(name).alias("value")
    counts = _polars(frame.select(column).groupBy("value").count().toArrow())
    return counts["value"].gather(np.repeat(np.arange(len(counts)), counts["count"].to_numpy()))


def _keyed(frame: "DataFrame", patient_column: str, names: ShortNames, *, visit: bool) -> "DataFrame":
    """The rows under their short names, with the patient's id as it is read, and their order."""
    from pyspark.sql import functions as f

    columns = [_column(name).alias(short) for short, name in names.items()]
    key = f.coalesce(_trimmed(frame, patient_column), f.lit("")).alias(KEY)
    return frame.select(key, f.lit(visit).alias(VISIT), f.monotonically_increasing_id().alias(ORDER), *columns)


def _trimmed(frame: "DataFrame", name: str) -> "Column":
    """The texts as `as_text` makes them, so that rows of one patient come together."""
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
    """The columns, of polars' types, as Spark declares them."""
    return ", ".join(f"`{name}` {SPARK_TYPES[str(dtype)]}" for name, dtype in columns.items())


# ON THE EXECUTORS


def _mapped(
    work: Callable[[PartitionPlan, pl.DataFrame, pl.DataFrame | None], pl.DataFrame],
    plan: PartitionPlan,
    tables: tuple[ShortNames, ShortNames | None],
    batches: "Iterator[pa.RecordBatch]",
) -> "Iterator[pa.RecordBatch]":
    """The result of `work` on the patients of these rows, a piece of them at a time."""
    import pyarrow as pa

    of_visits, of_patients = tables
    for rows in pieces(batches):
        frame = _polars(rows)
        visits = _under_own_names(frame.filter(pl.col(VISIT)), of_visits)
        patients = None if of_patients is None else _under_own_names(frame.filter(~pl.col(VISIT)), of_patients)
        result = work(plan, visits, patients)
        types = pa.schema([(name, getattr(pa, ARROW_TYPES[str(dtype)])()) for name, dtype in result.schema.items()])
        yield from result.to_arrow().cast(types).to_batches()


def _under_own_names(frame: pl.DataFrame, names: ShortNames) -> pl.DataFrame:
    return frame.select(pl.col(short).alias(name) for short, name in names.items())


def pieces(batches: "Iterable[pa.RecordBatch]", rows: int = ROWS) -> "Iterator[pa.Table]":
    """The rows of all batches, sorted by `key`, in pieces of at least this number of rows, cut where the key changes.

    >>> import pyarrow as pa
    >>> batches = [pa.RecordBatch.from_pydict({"key": list(keys)}) for keys in ("AAB", "BBC")]
    >>> ["".join(piece["key"].to_pylist()) for piece in pieces(batches, rows=2)]
    ['AA', 'BBB', 'C']
    """
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    size, begin, last_key = 0, 0, None
    for batch in batches:
        if not len(batch):
            continue
        keys = batch.column(KEY)
        if keys[-1].as_py() != last_key:
            last_key = keys[-1].as_py()
            # The rows of the last patient begin here; all patients before are whole.
            begin = size + keys.index(last_key).as_py()
        waiting.append(batch)
        size += len(batch)
        if size >= rows and begin:
            whole = pa.Table.from_batches(waiting)
            yield whole.slice(0, begin)
            waiting = whole.slice(begin).to_batches()
            size, begin = size - begin, 0
    if waiting:
        yield pa.Table.from_batches(waiting)


def _polars(rows: "pa.Table") -> pl.DataFrame:
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    return frame
