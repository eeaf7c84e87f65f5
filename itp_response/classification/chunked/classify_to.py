"""Classify to a file: a study of any length read, classified and written chunk by chunk.

A chunk is some patients with all their rows; it is treated as a cohort of its own. What depends on all chunks is
assumed (`Assumptions`). If a chunk contradicts it, reading begins again under other assumptions (`AssumptionFailed`).
"""

import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, replace
from pathlib import Path
from threading import Thread
from typing import IO, Any

from itp_response.classification import system
from itp_response.classification.chunked.classified_file import ClassifiedFile
from itp_response.classification.chunked.one_reading import OneReading
from itp_response.classification.chunked.study import (
    AssumptionFailed,
    ChunkedStudy,
    RowsLeftOut,
    source_of,
)
from itp_response.classification.chunked.unsorted import ChunkOptions, Progress
from itp_response.classification.classification import (
    Classification,
    CriteriaInput,
    Study,
    classify,
    criteria_of,
    rows_asked,
)
from itp_response.classification.output_files import refuse_inputs, temporary_folder
from itp_response.classification.provenance import Provenance, hashed, sources
from itp_response.classification.writers import FORMATS, Format, check_suffix, put_with_provenance
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.observations import ReadFrom
from itp_response.readers.chunks import ChunkedTable, ChunkSize
from itp_response.readers.files import Tabular
from itp_response.readers.options import DEFAULTS, ReadOptions
from itp_response.readers.unchanged import InputFiles


def classify_to(
    path: str | Path,
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    long: bool = False,
    by_visit: bool = False,
    options: ReadOptions | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    notify: Callable[[str], None] | None = None,
    size: ChunkSize | None = None,
    memory: int | None = None,
) -> ClassifiedFile:
    """Classify every patient of a study into a file, whole or not at all; the memory does not grow with the study.

    The file has the same bytes as that of `classify(...).write(path, ...)`. Visits in a text, Parquet or Arrow
    file, by a mapping too, or in a folder of such files, are read in chunks; others, and those in which any row may say
    which patient the other rows belong to, are read as a whole.

    Args:
        path: The output, a `.csv`, `.json` or `.parquet` file.
        visits: The visits of the study: a file or a folder, a frame of polars, pandas or Arrow, a list with a dict per
            row, what `mapped` gave; or a `Cohort` or a `Classification`, which have been read already.
        patients: The patient table, in the same forms. None: there is none. Not allowed beside a study that has been
            read.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`. None: `atra_2022`,
            or the set of the `Classification`.
        long: One row per patient and endpoint, as `Classification.long`; else one per patient.
        by_visit: One row per patient, endpoint and planned visit, as `Classification.by_visit`.
        options: How the tables are read. None: the defaults of `ReadOptions`. Not allowed beside a study that has been
            read.
        threads: The number of threads that decide. None: one per processor. The result does not depend on it.
        progress: Called with the rows read, the patients decided and the share done (0 to 1).
        notify: Called with a sentence where the rows have to be sorted: the rows of a patient do not follow each other,
            or patients are not in the order of the patient table.
        size: The size of a chunk. None: chosen by the file.
        memory: The bytes that sorting may take before it uses the disk. None: half of the machine's memory.

    Returns:
        The number of patients with each value of each endpoint, the assumptions and the provenance.

    Raises:
        CriteriaError: The criteria cannot be used.
        CohortError: The tables cannot be used; the error has every problem.
        UsageError: The output cannot be written or is an input, or `patients` or `options` were given beside a study
            that has been read.

    Examples:
        >>> import polars as pl
        >>> visits = pl.DataFrame({"patient_id": ["A"] * 3, "day": [0, 22, 29], "platelets": [15, 40, 45]})
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     visits.write_csv(f"{folder}/visits.csv")
        ...     classified = classify_to(f"{folder}/out.csv", f"{folder}/visits.csv")
        ...     print(Path(folder, "out.csv").read_text().splitlines()[1][:12])
        A,,R,Y,22,29
        >>> classified.counts.values["OR"]["Y"]
        1
    """
    path, rows = Path(path), rows_asked(long, by_visit)
    form = FORMATS[check_suffix(path)]
    definitions = criteria_of(visits, criteria)
    files = InputFiles.of((visits, patients))
    refuse_inputs(path, sources(visits, patients, definitions.path))
    visits, patients, source = _opened(visits, patients, options)
    if source is None:
        classification = classify(visits, patients, definitions, options=options, threads=threads)
        classification.write(path, long=long, by_visit=by_visit)
        return ClassifiedFile(definitions, classification.cohort, classification.counts)
    options = (options or DEFAULTS).told_by(getattr(visits, "options", {}))
    size = size or ChunkSize()
    inputs = {"visits": visits, "patients": patients}
    workers = threads or os.cpu_count() or 1
    chunk_options = ChunkOptions(
        rows, workers, size, memory or system.memory() // 2, progress or _silent, notify or _silent
    )
    with files.unchanged():
        read_from = ReadFrom(inputs, asdict(options), _in_background(lambda: hashed(inputs)), files.check)
        study = ChunkedStudy.read(source, visits, patients, definitions, read_from, options, size)
        classified, _ = put_with_provenance(
            path, lambda file: _write(form, study, chunk_options, file), lambda written: written[1]
        )
    return classified


def _silent(*_: object) -> None:
    """Tell nobody."""


def _opened(
    visits: Any, patients: Tabular | None, options: ReadOptions | None
) -> tuple[Any, Tabular | None, ChunkedTable | None]:
    """The tables, opened as the options tell, and the visits to be read in chunks; None: they are read as a whole."""
    if isinstance(visits, Classification | Cohort):
        return visits, patients, None
    options = (options or DEFAULTS).told_by(getattr(visits, "options", {}))
    visits, patients = options.opened(visits, patients)
    return visits, patients, source_of(visits, options)


def _write(
    form: Format, study: ChunkedStudy, options: ChunkOptions, file: IO[bytes]
) -> tuple[ClassifiedFile, Provenance]:
    """Classify into an open file, from its beginning again as often as an assumption fails or rows are left out."""
    assumptions = study.assumptions
    while True:
        file.seek(0)
        file.truncate()
        with temporary_folder() as folder:
            writer = form.chunks(file, folder)
            try:
                return OneReading(study, options, assumptions, writer, folder).written()
            except AssumptionFailed as failed:
                assumptions = failed.assumptions
            except RowsLeftOut as left_out:
                # Each turn leaves out more rows, so the loop ends. What the rows left out showed does not count.
                study = study.without(left_out.left_out)
                assumptions = replace(study.assumptions, in_order=assumptions.in_order)


def _in_background(work: Callable[[], Any]) -> Callable[[], Any]:
    """Begin the work at once; the function returned waits for its result. It does not keep the program from ending."""
    result: Future[Any] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except Exception as error:
            result.set_exception(error)

    Thread(target=run, daemon=True).start()
    return result.result
