"""Files: a dataset as the bytes of a SAS transport file, of Dataset-JSON, Parquet or CSV.

No file has the time at which it was written: where a format must have one, it is the start of 1970.
"""

import errno
import io
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import polars as pl

from itp_response.classification.output_files import temporary_folder
from itp_response.classification.provenance import KEY, Provenance
from itp_response.classification.writers import csv_bytes
from itp_response.messages.errors import UsageError, one_a_line
from itp_response.messages.optional_imports import needed
from itp_response.outputs.adam.variables import Dataset, Variable, problems

Format = Literal["xpt", "json", "ndjson", "dsjc", "parquet", "csv"]
EPOCH = "1970-01-01T00:00:00"
XPT_EPOCH = b"01JAN70:00:00:00"
XPT_TIMES = (144, 160, 464, 480)
"""Where a transport file has the times at which it was made and changed, each twice."""
LINE = 80
"""The bytes of a line of a transport file."""
VERSION = "MDV.1"
"""The OID of the metadata in define.xml."""
DATE = "DATE9."


def xpt(dataset: Dataset, _: Provenance) -> bytes:
    """A SAS transport file, version 5: numbers as SAS has them, dates with the format DATE9.

    Raises `UsageError` if pyreadstat is not installed, or such a file cannot hold a text.
    """
    pyreadstat = needed("pyreadstat", "sas-spss-stata", "xpt (json, parquet and csv need nothing more): ")
    wrong = list(problems(dataset))
    if wrong:
        cure = "XPT cannot hold this; write json, parquet or csv, or change it in the source."
        raise UsageError(f"{one_a_line(wrong)}\n{cure}")
    with temporary_folder() as folder:
        path = folder / "dataset.xpt"
        _write_xport(
            pyreadstat,
            pl.concat([dataset.frame, _longest(dataset)]),
            path,
            file_label=dataset.label,
            column_labels={variable.name: variable.label for variable in dataset.variables},
            table_name=dataset.name,
            file_format_version=5,
            variable_format={variable.name: DATE for variable in dataset.variables if variable.type == "date"},
        )
        content = bytearray(_without_last_record(path.read_bytes(), dataset))
    for offset in XPT_TIMES:
        content[offset : offset + len(XPT_EPOCH)] = XPT_EPOCH
    return bytes(content)


def _write_xport(pyreadstat: Any, frame: pl.DataFrame, path: Path, **about: Any) -> None:
    """As `pyreadstat.write_xport`, which does not say what the system says where a disk is full."""
    try:
        pyreadstat.write_xport(frame, path, **about)
    except pyreadstat.ReadstatError as error:
        raise OSError(errno.EIO, str(error), str(path)) from None


def _longest(dataset: Dataset) -> pl.DataFrame:
    """A record whose texts are as long as the variables: a file is as wide as its longest texts."""
    schema, texts = dataset.frame.schema, [variable for variable in dataset.variables if variable.type == "text"]
    cells = {variable.name: ["X" * dataset.length(variable)] for variable in texts}
    return pl.DataFrame({name: cells.get(name, [None]) for name in schema}, schema=schema)


def _without_last_record(content: bytes, dataset: Dataset) -> bytes:
    """The transport file without its last record; records follow each other, filled up with blanks to whole lines."""
    width, records = sum(map(dataset.length, dataset.variables)), len(dataset.frame)
    head = len(content) - -(-width * (records + 1) // LINE) * LINE
    kept = content[: head + width * records]
    return kept.ljust(head + -(-width * records // LINE) * LINE)


def dataset_json(dataset: Dataset, origin: Provenance) -> bytes:
    """CDISC's Dataset-JSON, version 1.1, as one object."""
    return _line({**_about(dataset, origin), "rows": _rows(dataset)})


def dataset_ndjson(dataset: Dataset, origin: Provenance) -> bytes:
    """Dataset-JSON by lines: what describes the dataset, then a line per record."""
    return b"".join(map(_line, [_about(dataset, origin), *_rows(dataset)]))


def dataset_dsjc(dataset: Dataset, origin: Provenance) -> bytes:
    """Compressed Dataset-JSON: the lines as one stream of zlib."""
    return zlib.compress(dataset_ndjson(dataset, origin), 9)


def _line(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _rows(dataset: Dataset) -> list[tuple[Any, ...]]:
    return dataset.frame.with_columns(pl.col(pl.Date).dt.to_string("%Y-%m-%d")).rows()


def _about(dataset: Dataset, origin: Provenance) -> dict[str, Any]:
    """What describes the dataset, but its rows."""
    study = dataset.frame["STUDYID"]
    return {
        "datasetJSONCreationDateTime": EPOCH,
        "datasetJSONVersion": "1.1.0",
        "fileOID": f"{origin.program}.{dataset.name}",
        "sourceSystem": {"name": origin.program, "version": origin.version},
        **({"studyOID": study[0]} if len(study) else {}),
        "metaDataVersionOID": VERSION,
        "metaDataRef": "define.xml",
        "itemGroupOID": f"IG.{dataset.name}",
        "records": len(dataset.frame),
        "name": dataset.name,
        "label": dataset.label,
        "columns": [_column(dataset, variable) for variable in dataset.variables],
    }


def _column(dataset: Dataset, variable: Variable) -> dict[str, Any]:
    types: dict[str, dict[str, Any]] = {
        "text": {"dataType": "string", "length": dataset.length(variable)},
        "integer": {"dataType": "integer"},
        "float": {"dataType": "double"},
        "date": {"dataType": "date", "targetDataType": "integer", "displayFormat": DATE},
    }
    name = {"itemOID": f"IT.{dataset.name}.{variable.name}", "name": variable.name, "label": variable.label}
    key = {"keySequence": dataset.keys.index(variable.name) + 1} if variable.name in dataset.keys else {}
    return {**name, **types[variable.type], **key}


def parquet(dataset: Dataset, origin: Provenance) -> bytes:
    """Parquet; its metadata have the provenance, and the labels of the dataset and its variables."""
    labels = {variable.name: variable.label for variable in dataset.variables}
    about = {"name": dataset.name, "label": dataset.label, "labels": labels}
    file = io.BytesIO()
    dataset.frame.write_parquet(file, metadata={KEY: origin.text(), "cdisc": json.dumps(about, ensure_ascii=False)})
    return file.getvalue()


def csv(dataset: Dataset, _: Provenance) -> bytes:
    """CSV in UTF-8."""
    return csv_bytes(dataset.frame)


FORMATS: dict[Format, Callable[[Dataset, Provenance], bytes]] = {
    "xpt": xpt,
    "json": dataset_json,
    "ndjson": dataset_ndjson,
    "dsjc": dataset_dsjc,
    "parquet": parquet,
    "csv": csv,
}
"""How a dataset is written, by the suffix of the file."""
