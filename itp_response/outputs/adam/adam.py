"""ADaM: a classification as CDISC's analysis datasets, each record with the records of the source behind it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from itp_response.classification.classification import Classification, CriteriaInput, Study, classify
from itp_response.classification.output_files import refuse_inputs
from itp_response.classification.provenance import INSIDE, of_bytes
from itp_response.classification.supplied import records_discontinuation
from itp_response.classification.writers import check_folder, csv_bytes, put_folder
from itp_response.cohort.cohort import Cohort
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.results import DataResult, html_frame, html_table
from itp_response.messages.wording import counted_patients
from itp_response.outputs.adam.datasets import datasets
from itp_response.outputs.adam.define import page, table
from itp_response.outputs.adam.define_xml import Defined, define_xml
from itp_response.outputs.adam.files import FORMATS, Format
from itp_response.outputs.adam.parameters import PLATELETS, Parameter, parameters
from itp_response.outputs.adam.settings import DEFAULTS, AdamSettings
from itp_response.outputs.adam.variables import NAME, TEXT, Dataset
from itp_response.readers.options import ReadOptions
from itp_response.readers.tabular import Tabular

NAMES = ("aditp", "adrs", "adlb", "adtte", "adice")
OWN = {*(f"{name}.{form}" for name in NAMES for form in FORMATS), "define.xml", "define.csv", "define.md", INSIDE}
"""The files that may be in a folder that is written to; they are replaced."""


@dataclass(frozen=True, repr=False)
class Adam(DataResult):
    """The datasets ADITP, ADRS, ADLB, ADTTE and ADICE of a classification."""

    classification: Classification
    study: str
    """STUDYID."""
    parameters: tuple[Parameter, ...] = field(repr=False)
    """The parameters of ADRS, ADTTE and ADLB, in the order of the criteria file."""
    datasets: Mapping[str, Dataset] = field(repr=False)
    """By name; each has a `frame`, with a column per variable; missing is null."""
    notes: tuple[str, ...] = ()
    """What was assumed in making the datasets."""

    def frame(self, dataset: str = "ADRS") -> pl.DataFrame:
        """The records of one dataset, a column per variable.

        Raises `UsageError` for a dataset that there is not.
        """
        if dataset not in self.datasets:
            raise UsageError(unknown("dataset", dataset, self.datasets))
        return self.datasets[dataset].frame

    def _headline(self) -> str:
        cohort = self.classification.cohort
        patients, as_of = counted_patients(len(cohort)), cohort.as_of_in_words
        names = ", ".join(self.datasets)
        return f"{self.study}: {patients} in {names}{as_of}. {self.classification.criteria.response_definition}"

    def _pieces(self) -> Iterator[str]:
        rows = [(name, dataset.label, dataset.structure, len(dataset.frame)) for name, dataset in self.datasets.items()]
        yield html_table(["dataset", "label", "a record is", "records"], rows)
        yield html_frame(self.frame().head(3), title="ADRS, the first records")

    def _assumptions(self) -> list[str]:
        return [*self.classification.cohort.note_lines, *(f"assumed: {note}" for note in self.notes)]

    def define(self) -> pl.DataFrame:
        """A row per variable and parameter: what it is, and how it is derived."""
        return table(self.datasets, self.classification.criteria, self.parameters)

    def summary(self) -> str:
        """The records of each dataset and what was assumed: for standard error."""
        lines = [f"{name}: {len(dataset.frame):,} records, {dataset.label}" for name, dataset in self.datasets.items()]
        return "\n".join([*lines, *self._assumptions()])

    def write(self, folder: str | Path, format: Format = "xpt") -> None:  # noqa: A002
        """Write the datasets, `define.xml`, `.csv` and `.md` and `provenance.json` into a folder, all or nothing.

        `format` is `xpt`, `json`, `ndjson` or `dsjc` (Dataset-JSON, by lines, compressed), `parquet` or `csv`.
        What an earlier run left is replaced.
        Raises `UsageError` for another format, a folder with anything else in it, or one that cannot be written.
        """
        if format not in FORMATS:
            raise UsageError(unknown("format", format, FORMATS))
        folder = Path(folder)
        check_folder(folder, OWN)
        origin = self.classification.provenance(study=self.study, format=format)
        origin = replace(origin, assumed=[*origin.assumed, *self.notes])
        refuse_inputs(folder, origin.sources)
        contents = {
            f"{name.lower()}.{format}": FORMATS[format](dataset, origin) for name, dataset in self.datasets.items()
        }
        defined = Defined(self.datasets, self.classification.criteria, self.parameters, self.study, format)
        contents["define.xml"] = define_xml(defined, origin)
        contents["define.csv"] = csv_bytes(self.define())
        contents["define.md"] = page(self.datasets, self.classification.criteria, self.parameters, self.study).encode()
        outputs = [of_bytes(name, content) for name, content in contents.items()]
        contents[INSIDE] = replace(origin, outputs=outputs).text().encode()
        put_folder(contents, folder, OWN)


def adam(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    study: str | None = None,
    options: ReadOptions | None = None,
    threads: int | None = None,
    settings: AdamSettings | None = None,
) -> Adam:
    """Make the ADaM datasets ADITP, ADRS, ADLB, ADTTE and ADICE of a study.

    Args:
        visits: The visits of the study: a file or a folder, a frame of polars, pandas or Arrow, a list with a dict per
            row, what `mapped` gave; or a `Cohort` or a `Classification`, which have been read already.
        patients: The patient table, in the same forms. None: there is none. Not allowed beside a study that has been
            read.
        criteria: A shipped criteria set by its name, a criteria file by its path, or a `Criteria`. None: `atra_2022`,
            or the set of the `Classification`.
        study: The STUDYID. None: that of the data.
        options: How the tables are read. None: the defaults of `ReadOptions`. Not allowed beside a study that has been
            read.
        threads: The number of threads that decide. None: one per processor. The result does not depend on it.
        settings: PARAMCD and PARAM of endpoints, and what ADTTE has. None: the defaults of `AdamSettings`.

    Returns:
        The datasets, each record with the records of the source behind it.

    Raises:
        UsageError: There is no STUDYID, or it or a PARAMCD or PARAM is not valid; or `patients` or `options` were
            given beside a study that has been read.
        CriteriaError: The criteria cannot be used.
        CohortError: The tables cannot be used; the error has every problem.

    Examples:
        >>> counts = {0: 15, 22: 40, 29: 45, 364: 50}
        >>> visits = [{"patient_id": "A", "day": day, "platelets": count} for day, count in counts.items()]
        >>> analysis = adam(visits, criteria="atra_2022", study="ITP-1")
        >>> analysis.datasets["ADRS"].frame["USUBJID", "PARAMCD", "AVALC", "ADY", "CNFDY"].row(0)
        ('A', 'OR', 'Y', 23, 30)
    """
    classification = classify(visits, patients, criteria, options=options, threads=threads)
    settings = settings or DEFAULTS
    study = _study_id(classification.cohort) if study is None else study
    if not study.strip() or len(study.encode()) > TEXT:
        raise UsageError(f"the study {study[:30]!r} is not a valid STUDYID, which has 1 to {TEXT} bytes.")
    in_order = (*parameters(classification.criteria, settings), PLATELETS)
    by_name = datasets(classification, study, in_order, untimed=settings.untimed)
    notes = _notes(classification, in_order, by_name, untimed=settings.untimed)
    return Adam(classification, study, in_order, by_name, tuple(notes))


def _study_id(cohort: Cohort) -> str:
    """The STUDYID that the data give."""
    study = cohort.study or (cohort.origin.study if cohort.origin is not None else None)
    if not study:
        why = "the data have no identifier of the study, or several"
        raise UsageError(f"{cohort.source or 'the cohort'}: no STUDYID is known, as {why}; give it by --study ID.")
    return study


def _notes(
    classification: Classification, in_order: Sequence[Parameter], by_name: Mapping[str, Dataset], *, untimed: bool
) -> list[str]:
    codes = [
        f"{parameter.endpoint} is {parameter.code}"
        for parameter in in_order
        if parameter.what in ("verdict", "best") and len(parameter.endpoint.replace("_", "")) > NAME
    ]
    notes = [f"PARAMCD has at most 8 letters: {', '.join(codes)}; define.csv lists all of them."] if codes else []
    size = len(classification.cohort)
    timed = by_name["ADTTE"].frame.filter(pl.col("AVAL").is_not_null())["PARAMCD"].value_counts()
    numbers = dict(timed.iter_rows())
    for code in [parameter.code for parameter in in_order if parameter.dataset == "ADTTE"]:
        if without := size - numbers.get(code, 0):
            what = "their ANL01FL is empty" if untimed else "they have no record"
            notes.append(f"ADTTE: {code}: {without} of {size} patients have no time to event; {what}.")
    if not records_discontinuation(classification.cohort):
        notes.append("Discontinuation of treatment is not recorded, so ADICE has no record of it.")
    if not classification.cohort.has_dates:
        notes.append("The source has no dates: only study days are given.")
    return notes
