"""ADaM: a classification as CDISC's analysis datasets, each record with the records of the source behind it."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from itp_response.classification.classification import Classification, CriteriaInput, Study, classify
from itp_response.classification.provenance import INSIDE, of_bytes
from itp_response.messages.errors import UsageError, unknown
from itp_response.outputs.adam.datasets import datasets
from itp_response.outputs.adam.define import page, table
from itp_response.outputs.adam.files import FORMATS
from itp_response.outputs.adam.parameters import parameters
from itp_response.outputs.adam.variables import TEXT, Dataset
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions

NAMES = ("adsl", "adrs", "adtte", "adice")
OWN = {*(f"{name}.{form}" for name in NAMES for form in FORMATS), "define.csv", "define.md", INSIDE}
"""The files that a folder may hold to be written anew."""


@dataclass(frozen=True)
class Adam:
    """The datasets ADSL, ADRS, ADTTE and ADICE of a classification."""

    found: Classification
    study: str
    datasets: Mapping[str, Dataset] = field(repr=False)
    """By name; each has its `frame`, with a column per variable and null where something is missing."""
    notes: tuple[str, ...] = ()

    def define(self) -> pl.DataFrame:
        """What every variable and parameter is and how it is derived: a row each."""
        return table(self.datasets, self.found.criteria)

    def summary(self) -> str:
        """The records of each dataset and what was assumed: for standard error."""
        lines = [f"{name}: {len(one.frame):,} records, {one.label}" for name, one in self.datasets.items()]
        lines += self.found.cohort.note_lines
        return "\n".join([*lines, *(f"assumed: {note}" for note in self.notes)])

    def write(self, folder: str | Path, format: str = "xpt") -> None:  # noqa: A002
        """Write the datasets, `define.csv`, `define.md` and `provenance.json` into a folder, all or nothing.

        `format` is `xpt`, `json` (Dataset-JSON), `parquet` or `csv`. What an earlier run left is replaced.
        Raises `UsageError` for another format, a folder with anything else in it, or one that cannot be written.
        """
        if format not in FORMATS:
            raise UsageError(unknown("format", format, FORMATS))
        folder = Path(folder)
        _check_own(folder)
        origin = self.found.provenance(study=self.study, format=format)
        origin = replace(origin, assumed=[*origin.assumed, *self.notes])
        made = {f"{name.lower()}.{format}": FORMATS[format](one, origin) for name, one in self.datasets.items()}
        made["define.csv"] = self.define().write_csv().encode()
        made["define.md"] = page(self.datasets, self.found.criteria).encode()
        outputs = [of_bytes(name, content) for name, content in made.items()]
        made[INSIDE] = replace(origin, outputs=outputs).text().encode()
        _put(made, folder)


def adam(
    visits: Study,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    study: str | None = None,
    options: ReadOptions | None = None,
    threads: int | None = None,
) -> Adam:
    """The classification of every patient as ADaM datasets.

    `visits`, `patients`, `criteria` and `options` are as in `classify`.
    `study` is the STUDYID; without one it is that of DM, or else the name of the source.
    Raises `UsageError` for a study that cannot be one.
    """
    found = classify(visits, patients, criteria, options=options, threads=threads)
    notes = []
    if study is None and found.cohort.origin is not None:
        study = found.cohort.origin.study
    if study is None:
        study = Path(found.cohort.source).stem or "STUDY"
        notes.append(f"STUDYID is {study!r}, the name of the source; --study says another.")
    if not study.strip() or len(study.encode()) > TEXT:
        raise UsageError(f"the study {study[:30]!r} is no STUDYID; it has 1 to {TEXT} bytes.")
    made = datasets(found, study)
    return Adam(found, study, made, (*notes, *_notes(found, made)))


def _notes(classification: Classification, made: Mapping[str, Dataset]) -> list[str]:
    codes = [
        f"{one.endpoint} is {one.code}"
        for one in parameters(classification.criteria)
        if one.what in ("verdict", "best")
    ]
    codes = [said for said in codes if said.split(" is ")[0].upper() != said.split(" is ")[1]]
    notes = [f"PARAMCD has at most 8 letters: {', '.join(codes)}; define.csv has all."] if codes else []
    untimed = made["ADTTE"].frame.filter(pl.col("AVAL").is_null())
    for code, size in untimed.group_by("PARAMCD", maintain_order=True).len().rows():
        notes.append(
            f"ADTTE: {code}: {size} of {len(classification.cohort)} patients have no time; their ANL01FL is empty."
        )
    if not classification.cohort.has_dates:
        notes.append("The source has no dates: only study days are given.")
    return notes


def _check_own(folder: Path) -> None:
    if folder.is_file():
        raise UsageError(f"{folder}: this is a file; name a folder.")
    others = sorted(path.name for path in folder.iterdir() if path.name not in OWN) if folder.is_dir() else []
    if others:
        shown = ", ".join(others[:3]) + (" …" if len(others) > 3 else "")
        raise UsageError(f"{folder}: there are other files in this folder ({shown}); name a new or an empty one.")


def _put(made: Mapping[str, bytes], folder: Path) -> None:
    """The files into the folder; what an earlier run left there goes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".") as name:
            aside = Path(name)
            for file, content in made.items():
                (aside / file).write_bytes(content)
            for file in OWN - set(made):
                (folder / file).unlink(missing_ok=True)
            for file in made:
                (aside / file).replace(folder / file)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror}.") from None
