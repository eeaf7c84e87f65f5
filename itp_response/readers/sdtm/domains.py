"""SDTM: a folder of CDISC's domains as a table of visits and a table of patients.

DM and LB must be there; AE, CE and FA give bleeding, CM, EX and PR rescue, DS the end of treatment.
Cells are handed on as written, dates in part too, so that the checks are those of every other source.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from itp_response.cohort.observations import Origin
from itp_response.cohort.values import Bools, Ints, Texts
from itp_response.messages.errors import CohortError
from itp_response.messages.wording import counted as number_of
from itp_response.readers.column_names import REASON, STOPPED_BY, VISITS, CellProblem, NamedTable
from itp_response.readers.problems import Location, Pieces, Problems, quoted
from itp_response.readers.sdtm.bleeding import bleeding_events, bleeding_findings
from itp_response.readers.sdtm.counts import CountDays, check_counted, counts_of
from itp_response.readers.sdtm.records import (
    REQUIRED,
    Records,
    SdtmStudy,
    VisitRecords,
    Wrong,
    read_records,
    whole_days_of,
)
from itp_response.readers.sdtm.supplements import keys_of, supplemented
from itp_response.readers.sdtm.terms import FILE, NOT_ENROLLED, Settings, settings
from itp_response.readers.sdtm.treatment import raised_doses, rescues, stopped_of

SUFFIXES = (".xpt", ".csv", ".parquet", ".json", ".ndjson")
DOMAINS = ("dm", "lb", "ae", "ce", "fa", "cm", "ex", "pr", "ds")
SPLIT = ("lb", "fa", "cm", "ex")
"""Domains that may be split into several files, as `lbhe`, `lbch`."""


class StudyTables(NamedTuple):
    """A study as the tables that every other source is read from."""

    visits: NamedTable
    patients: NamedTable


@dataclass(frozen=True)
class MappedStudy:
    """A study's folder and the file, outside of it, that says which of its records are what."""

    folder: Path
    file: Path

    @property
    def files(self) -> tuple[Path, Path]:
        """What it is made of."""
        return self.folder, self.file


def is_study(given: object) -> bool:
    """Whether it is a folder that holds a DM and an LB, or such a folder with its settings."""
    if isinstance(given, MappedStudy):
        return True
    if not isinstance(given, str | Path) or not Path(given).is_dir():
        return False
    found = _files(Path(given))
    return bool(found["dm"] and found["lb"])


def files_of(folder: Path) -> list[Path]:
    """The files of a study's folder that are read, in order of their names."""
    read = [path for files in (_files(folder), _files(folder, "supp")) for paths in files.values() for path in paths]
    return sorted([*read, *(path for path in [folder / FILE] if path.exists())])


def _files(folder: Path, prefix: str = "") -> dict[str, list[Path]]:
    """The files of each domain, or with `supp` those of its supplement, in order of their names."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    more = {domain: "[a-z0-9]{0,2}" * (domain in SPLIT) for domain in DOMAINS}
    return {
        domain: [path for path in paths if re.fullmatch(f"{prefix}{domain}{more[domain]}", _stem(path))]
        for domain in DOMAINS
    }


def _stem(path: Path) -> str:
    return path.stem.lower()


def study_tables(
    given: "str | Path | MappedStudy", declared: Iterable[str], of_patients: Iterable[str], problems: Problems
) -> StudyTables | None:
    """The visits and the patients of a study's folder, with further columns that are declared.

    Those of the patients are taken from DM, those of the visits from the domains that visits are made of, by name, and
    from their supplements.

    None: it cannot be read, as was found.
    """
    folder = given.folder if isinstance(given, MappedStudy) else Path(given)
    try:
        study = SdtmStudy(_settings(folder, given, problems), problems)
    except CohortError as error:
        problems.failed(0, error)
        return None
    declared, of_patients = tuple(declared), tuple(of_patients)
    domains = _domains(folder, declared, of_patients, study)
    if domains is None:
        return None
    day_0 = _day_0(domains["DM"][0], study)
    left = _not_enrolled(domains["DM"][0], day_0)
    for records in domains["LB"]:
        counts_of(records, study)
    check_counted(domains["LB"], study)
    lasts = CountDays(study.parts)
    for records in [*domains["AE"], *domains["CE"]]:
        bleeding_events(records, lasts, study)
    for records in domains["FA"]:
        bleeding_findings(records, study)
    for records in [*domains["CM"], *domains["PR"], *domains["EX"]]:
        rescues(records, lasts, study)
    for records in domains["EX"]:
        raised_doses(records, domains["DM"][0], day_0, study)
    stopped = stopped_of(domains["DS"], domains["DM"][0], study)
    patients = _patients(domains["DM"][0], day_0, left, stopped, of_patients, study)
    return StudyTables(_visits(folder, study, domains["DM"][0], left, declared), patients)


def doses(given: "str | Path | MappedStudy") -> pl.DataFrame:
    """The doses of a study that can be read: `subject`, `sequence`, `day` since 1970 and `dose` as written; no 0."""
    folder = given.folder if isinstance(given, MappedStudy) else Path(given)
    frames = [pl.DataFrame(schema={"subject": pl.String, "sequence": pl.Int64, "day": pl.Int64, "dose": pl.String})]
    for path in _files(folder)["ex"]:
        records = read_records(path, "EX", 0, (), Problems())
        if records is not None and _complete(records):
            number = records.texts("EXDOSE").cast(pl.Float64, strict=False)
            given_ = (number > 0).fill_null(value=False) & (records.folded("EXOCCUR") != "N").fill_null(value=True)
            frame = pl.DataFrame(
                {
                    "subject": records.subject,
                    "sequence": records.texts("EXSEQ").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False),
                    "day": whole_days_of(records.texts("EXSTDTC")).cast(pl.Int64),
                    "dose": records.texts("EXDOSE"),
                }
            )
            frames.append(frame.filter(given_).drop_nulls(["subject", "day"]))
    return pl.concat(frames)


def _settings(folder: Path, given: "str | Path | MappedStudy", problems: Problems) -> Settings:
    own = folder / FILE
    if isinstance(given, MappedStudy):
        if own.exists():
            text = f"{given.file.name} was taken in place of the {FILE} in the folder."
            problems.note(Location(given.file.name, 0), text, warning=True)
        return settings(given.file)
    return settings(own) if own.exists() else Settings()


def _domains(
    folder: Path, declared: tuple[str, ...], of_patients: tuple[str, ...], study: SdtmStudy
) -> dict[str, list[Records]] | None:
    """The records of each domain, with what supplements have of them; None: some cannot be used, as was found."""
    domains: dict[str, list[Records]] = {}
    whole, supplements, further = True, _files(folder, "supp"), _further(declared, of_patients, study)
    for order, (domain, paths) in enumerate(_files(folder).items(), 1):
        for one, two in pairwise(paths):
            if _stem(one) == _stem(two):
                problem = f"{one.name} and {two.name} are the same table; keep one."
                study.found.failed(0, CohortError(problem))
                whole = False
        for path in supplements[domain] if not paths else ():
            text = f"{path.name}: not looked at, as there is no {domain.upper()}."
            study.found.note(Location(path.name, order), text, warning=True)
        capitals, wanted = domain.upper(), further.get(domain.upper(), declared)
        own = of_patients if domain == "dm" else declared
        told = [read_records(path, "SUPP", order, (), study.found) for path in supplements[domain] if paths]
        qualifiers = [records for records in told if records is not None and _complete(records)]
        read = [read_records(path, capitals, order, (*own, *keys_of(qualifiers)), study.found) for path in paths]
        records = [one for one in read if one is not None]
        whole &= None not in [*read, *told] and all(map(_complete, [*records, *(one for one in told if one)]))
        domains[capitals] = supplemented(records, qualifiers, wanted, study) if whole else records
    return domains if whole else None


def _complete(records: Records) -> bool:
    """Whether it has the columns that it must have."""
    return all(records.has(name) for name in REQUIRED[records.domain])


def _further(declared: tuple[str, ...], of_patients: tuple[str, ...], study: SdtmStudy) -> dict[str, tuple[str, ...]]:
    """The qualifiers of supplements that are looked at, by domain; of another domain those declared."""
    treatment = (*declared, *study.settings.rescue_flags, *study.settings.rescue_reasons)
    bleeding = (*declared, *study.settings.bleeding_tests)
    return {
        "DM": of_patients,
        **dict.fromkeys(("CM", "PR", "EX"), treatment),
        **dict.fromkeys(("AE", "CE"), bleeding),
        "DS": (),
    }


def _day_0(dm: Records, study: SdtmStudy) -> str:
    """The variable of DM that is day 0."""
    chosen = study.settings.day_0 or ("RFSTDTC" if dm.texts("RFSTDTC").is_not_null().any() else "RFXSTDTC")
    if not dm.has(chosen):
        there = ", ".join(dm.written)
        cure = "day 0 is RFSTDTC, or RFXSTDTC"
        study.found.wrong(dm.location, f"the column {chosen!r} is missing; {cure}. There are: {there}.")
    study.found.note(dm.location, f"Day 0 is the day of {chosen} in {dm.location.name}, CDISC's study day 1.")
    return chosen


def _not_enrolled(dm: Records, day_0: str) -> pl.Series:
    """Subjects who have no day 0, as they did not come into the study."""
    arms = [name for name in ("ACTARMCD", "ARMCD", "ACTARM", "ARM", "ARMNRS") if dm.has(name)]
    said = [dm.folded(name).is_in(NOT_ENROLLED).fill_null(value=False) for name in arms]
    outside = pl.select(pl.any_horizontal(said) if said else pl.lit(value=False)).to_series()
    return dm.subject.filter(outside & dm.texts(day_0).is_null()) if said else dm.subject.clear()


def _patients(
    dm: Records, day_0: str, left: pl.Series, stopped: pl.DataFrame, declared: tuple[str, ...], study: SdtmStudy
) -> NamedTable:
    """The table of patients: those of DM who came into the study."""
    arm = "ACTARM" if dm.has("ACTARM") else "ARM"
    header = {"patient_id": "USUBJID", "arm": arm, "enrolment_date": day_0}
    header |= {name: name for name in declared if dm.has(name)}
    columns = {name: dm.texts(written) for name, written in header.items() if dm.has(written)}
    frame = pl.DataFrame(columns).join(
        stopped.rename({"subject": "patient_id", "date": "treatment_discontinued", "sequence": STOPPED_BY}),
        on="patient_id",
        how="left",
        maintain_order="left",
    )
    kept = (~frame["patient_id"].is_in(left.to_list())).fill_null(value=True)
    place = Location(
        dm.location.name,
        dm.location.order,
        dm.location.row_word,
        dm.location.all_lines(np.flatnonzero(kept.to_numpy())),
    )
    if len(left):
        study.note(dm, f"{number_of(left.n_unique(), 'subject')} without {day_0}, not enrolled, left out.")
    names = {name: header.get(name, "DSSTDTC") for name in frame.columns if name != STOPPED_BY}
    return NamedTable(place, frame.filter(kept), names, dm.written)


def _visits(folder: Path, study: SdtmStudy, dm: Records, left: pl.Series, declared: tuple[str, ...]) -> NamedTable:
    """The table of visits: what was taken of each domain, one under another."""
    parts = study.parts
    names = [name for name in VISITS if name != "day"]
    names += [REASON] if any(REASON in part.cells for part in parts) else []
    names += [name for name in declared if any(part.records.has(name) for part in parts)]
    empty = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    frame = pl.concat([empty, *(pl.DataFrame({name: part.column(name) for name in names}) for part in parts)])
    sizes = [len(part.row) for part in parts]
    piece = np.repeat(np.arange(len(parts)), sizes)
    row = np.concatenate([np.zeros(0, np.int64), *(part.row for part in parts)])
    kept = (~frame["patient_id"].is_in(left.to_list())).fill_null(value=True).to_numpy()
    if not kept.all():
        number = number_of(int((~kept).sum()), "record")
        study.found.note(dm.location, f"{number} of subjects who were not enrolled left out.", warning=True)
    origin = Origin(
        domain=_labelled([part.records.domain for part in parts], piece[kept]),
        sequence=_sequence(parts, study)[kept],
        variable=_labelled([part.variable for part in parts], piece[kept]),
        study=_only(dm.texts("STUDYID")),
    )
    pieces = Pieces(
        [part.records.location for part in parts], piece[kept], row[kept], [part.names for part in parts], origin
    )
    place = Location(folder.resolve().name, 0, "row", None, pieces)
    cell_problems = [_doubt(wrong, parts, piece[kept], row[kept]) for wrong in study.wrong]
    header = {name: "USUBJID" if name == "patient_id" else name for name in names}
    return NamedTable(place, frame.filter(pl.Series(kept)), header, names, cell_problems)


def _doubt(wrong: Wrong, parts: Sequence[VisitRecords], piece: Ints, row: Ints) -> CellProblem:
    """What is wrong with records, as said of the rows of the visits made of them."""
    of_these = np.array([part.records is wrong.records for part in parts], dtype=np.bool_)
    there: Bools = of_these[piece] & np.isin(row, wrong.row)
    at = np.flatnonzero(there)
    values = pl.Series([None], dtype=pl.String).new_from_index(0, len(row))
    return CellProblem(wrong.cells.name, values.scatter(at, wrong.cells.values.gather(row[at])), there, wrong.wording)


def _only(texts: pl.Series) -> str | None:
    """The text that all have who have one; None: there is none, or several."""
    different = texts.drop_nulls().unique()
    return different[0] if len(different) == 1 else None


def _labelled(labels: Sequence[str], piece: Ints) -> Texts:
    known = tuple(dict.fromkeys(labels))
    codes = np.array([known.index(label) for label in labels], dtype=np.int32)
    return Texts(codes[piece] if len(piece) else np.zeros(0, np.int32), known)


def _sequence(parts: Sequence[VisitRecords], study: SdtmStudy) -> Ints:
    """`--SEQ` of the rows of all parts; where a domain has none, the row of its file."""
    domains = {id(part.records): part.records for part in parts}
    numbers = {key: _numbers(records, study) for key, records in domains.items()}
    return np.concatenate([np.zeros(0, np.int64), *(numbers[id(part.records)][part.row] for part in parts)])


def _numbers(records: Records, study: SdtmStudy) -> Ints:
    name = f"{records.domain}SEQ"
    if not records.has(name):
        study.note(records, f"there is no {name}: records are numbered by the rows of the file.", warning=True)
        return np.arange(1, len(records) + 1)
    numbers = records.texts(name).cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    whole: Bools = numbers == np.floor(numbers)
    study.wrong_cells(
        records, records.cells(name), np.flatnonzero(~whole), lambda text: f"{quoted(text)} is no number of a record."
    )
    return np.where(whole, numbers, 0).astype(np.int64)
