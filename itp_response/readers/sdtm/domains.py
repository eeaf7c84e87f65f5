"""SDTM: a folder of CDISC's domains as a table of visits and a table of patients.

DM and LB are required. AE, CE and FA give bleeding; CM, EX and PR give rescue; DS gives the end of treatment.
Cells are passed on as written, partial dates too, so that they get the checks of every other source.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from itp_response.cohort.observations import Origin
from itp_response.cohort.values import Bools, Ints, Texts
from itp_response.messages.errors import CohortError, some_of
from itp_response.messages.wording import counted as number_of
from itp_response.readers.column_names import REASON, STOPPED_BY, SUBJECT, WITHOUT_DAY_0, CellProblem, NamedTable
from itp_response.readers.known_names import VISITS
from itp_response.readers.problems import Location, Pieces, Problems, quoted
from itp_response.readers.sdtm.absent import Absent, without_day_0
from itp_response.readers.sdtm.baseline import flagged_baselines
from itp_response.readers.sdtm.bleeding import bleeding_events, bleeding_findings
from itp_response.readers.sdtm.counts import CountDays, check_counted, counts_of
from itp_response.readers.sdtm.folder import FILE, MappedStudy, domain_files, stem
from itp_response.readers.sdtm.occurrence import did_not_take_place
from itp_response.readers.sdtm.records import (
    REQUIRED,
    RecordProblem,
    Records,
    SdtmStudy,
    VisitRecords,
    read_records,
    whole_days_of,
)
from itp_response.readers.sdtm.supplements import keys_of, supplemented
from itp_response.readers.sdtm.terms import Settings, settings
from itp_response.readers.sdtm.treatment import raised_doses, rescues, stopped_of
from itp_response.readers.told import Told
from itp_response.readers.treatments import unknown_names
from itp_response.readers.units import UnitSaid

WRITTEN = {"treatment_discontinued": "DSSTDTC", "baseline": "the baseline flag of LB", "baseline_unit": "its unit"}
"""The names of columns of patients that come from other domains."""
UNIT_IF_MISSING = "10^9/L"
"""The unit of counts without one, which are noted where the domain is read."""
UNNAMED = (STOPPED_BY, SUBJECT, WITHOUT_DAY_0)
TREATMENT = ("CM", "PR", "EX")
"""The domains that can have rescue treatment."""
RESCUE = ("rescue", "rescue_end")


class StudyTables(NamedTuple):
    """A study as two tables, like every other source."""

    visits: NamedTable
    patients: NamedTable


def study_tables(
    given: "str | Path | MappedStudy",
    declared: Iterable[str],
    of_patients: Iterable[str],
    problems: Problems,
    unit: str | None = None,
) -> StudyTables | None:
    """The visits and the patients of a study's folder; None: it cannot be read, which is reported.

    `unit` is that of the counts, as an option tells it.

    Further columns of visits (`declared`) are those of that name in the domains of visits and their supplements;
    further columns `of_patients` are those in DM and its supplement.
    """
    folder = given.folder if isinstance(given, MappedStudy) else Path(given)
    try:
        study = SdtmStudy(_settings(folder, given, problems), problems, unit)
    except CohortError as error:
        problems.failed(0, error)
        return None
    declared, of_patients = tuple(declared), tuple(of_patients)
    domains = _domains(folder, declared, of_patients, study)
    if domains is None:
        return None
    day_0 = _day_0(domains["DM"][0], study)
    absent = without_day_0(domains["DM"][0], day_0, study)
    for records in domains["LB"]:
        counts_of(records, study)
    check_counted(domains["LB"], study)
    counted = CountDays(study.visit_records, days_0(domains["DM"][0], day_0))
    baselines = flagged_baselines(domains["LB"], days_0(domains["DM"][0], day_0), study)
    for records in [*domains["AE"], *domains["CE"]]:
        bleeding_events(records, counted, study)
    for records in domains["FA"]:
        bleeding_findings(records, counted, study)
    for records in [records for domain in TREATMENT for records in domains[domain]]:
        rescues(records, counted, study)
    for records in domains["EX"]:
        raised_doses(records, domains["DM"][0], day_0, counted, study)
    stopped = stopped_of(domains["DS"], domains["DM"][0], counted, study)
    of_subjects = stopped.join(baselines, on="subject", how="full", coalesce=True)
    patients = _patients(domains["DM"][0], day_0, absent, of_subjects, of_patients, study)
    if not domains["DS"]:
        patients = patients.without("treatment_discontinued", STOPPED_BY)
    return StudyTables(_visits(folder, study, domains, absent, declared), patients)


def doses(given: "str | Path | MappedStudy") -> pl.DataFrame:
    """The doses of a study: `subject`, `sequence`, `day` since 1970, and `dose` as written.

    Doses of 0, and those that cannot be read, are left out.
    """
    folder = given.folder if isinstance(given, MappedStudy) else Path(given)
    frames = [pl.DataFrame(schema={"subject": pl.String, "sequence": pl.Int64, "day": pl.Int64, "dose": pl.String})]
    for path in domain_files(folder)["ex"]:
        records = read_records(path, "EX", 0, (), Problems())
        if records is not None and _complete(records):
            number = records.texts("EXDOSE").cast(pl.Float64, strict=False)
            was_given = (number > 0).fill_null(value=False) & ~did_not_take_place(records)
            frame = pl.DataFrame(
                {
                    "subject": records.subject,
                    "sequence": records.texts("EXSEQ").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False),
                    "day": whole_days_of(records.texts("EXSTDTC")).cast(pl.Int64),
                    "dose": records.texts("EXDOSE"),
                }
            )
            frames.append(frame.filter(was_given).drop_nulls(["subject", "day"]))
    return pl.concat(frames)


def _settings(folder: Path, given: "str | Path | MappedStudy", problems: Problems) -> Settings:
    """The settings in a file elsewhere, else those in the folder, else the usual ones."""
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
    """The records of each domain with their supplements; None: some cannot be used, which is reported."""
    files, supplements = domain_files(folder), domain_files(folder, "supp")
    qualifiers = _qualifiers(declared, of_patients, study)
    domains: dict[str, list[Records]] = {}
    complete = True
    for order, (domain, paths) in enumerate(files.items(), 1):
        complete &= _check_different(paths, study)
        if not paths:
            _note_unused(supplements[domain], domain, order, study)
        of_supplements = [
            read_records(path, "SUPP", order, (), study.problems) for path in supplements[domain] if paths
        ]
        usable = [records for records in of_supplements if records is not None and _complete(records)]
        columns = (*(of_patients if domain == "dm" else declared), *keys_of(usable))
        of_domain = [read_records(path, domain.upper(), order, columns, study.problems) for path in paths]
        records = [of_file for of_file in of_domain if of_file is not None]
        complete &= all(of_file is not None and _complete(of_file) for of_file in (*of_domain, *of_supplements))
        wanted = qualifiers.get(domain.upper(), declared)
        domains[domain.upper()] = supplemented(records, usable, wanted, study) if complete else records
    return domains if complete else None


def _check_different(paths: Sequence[Path], study: SdtmStudy) -> bool:
    """Report two files of the same table; False: there are such files."""
    twins = [(first, second) for first, second in pairwise(paths) if stem(first) == stem(second)]
    for first, second in twins:
        problem = f"{first.name} and {second.name} are the same table; keep one."
        study.problems.failed(0, CohortError(problem))
    return not twins


def _note_unused(supplements: Sequence[Path], domain: str, order: int, study: SdtmStudy) -> None:
    """Note the supplements of a domain that is not there."""
    for path in supplements:
        text = f"{path.name}: not looked at, as there is no {domain.upper()}."
        study.problems.note(Location(path.name, order), text, warning=True)


def _complete(records: Records) -> bool:
    """Whether the required columns are there."""
    return all(records.has(name) for name in REQUIRED[records.domain])


def _qualifiers(
    declared: tuple[str, ...], of_patients: tuple[str, ...], study: SdtmStudy
) -> dict[str, tuple[str, ...]]:
    """The qualifiers of supplements that are used, by domain; in other domains, the declared columns."""
    treatment = (*declared, *study.settings.rescue_flags, *study.settings.rescue_reasons)
    bleeding = (*declared, *study.settings.bleeding_tests)
    return {
        "DM": of_patients,
        **dict.fromkeys(("CM", "PR", "EX"), treatment),
        **dict.fromkeys(("AE", "CE"), bleeding),
        "DS": (),
    }


def days_0(dm: Records, day_0: str) -> pl.DataFrame:
    """The `day_0` of each `subject`, in days since 1970; null: not known to the day."""
    return pl.DataFrame({"subject": dm.subject, "day_0": whole_days_of(dm.texts(day_0))}).unique("subject")


def _day_0(dm: Records, study: SdtmStudy) -> str:
    """The variable of DM that is day 0."""
    chosen = study.settings.day_0 or ("RFSTDTC" if dm.texts("RFSTDTC").is_not_null().any() else "RFXSTDTC")
    if not dm.has(chosen):
        cure = f"day 0 is RFSTDTC, or RFXSTDTC. There are: {some_of(dm.written)}"
        study.problems.wrong(dm.location, f"the column {chosen!r} is missing; {cure}.")
    study.problems.note(dm.location, f"Day 0 is the day of {chosen} in {dm.location.name}, CDISC's study day 1.")
    return chosen


def _patients(
    dm: Records, day_0: str, absent: Absent, of_subjects: pl.DataFrame, declared: tuple[str, ...], study: SdtmStudy
) -> NamedTable:
    """The table of patients: the subjects of DM who are not left out.

    `of_subjects` has the end of treatment and the flagged baseline of each `subject`.
    """
    header = {"patient_id": "USUBJID", "arm": "ARM", "actual_arm": "ACTARM", "enrolment_date": day_0}
    header |= {name: name for name in (*declared, SUBJECT) if dm.has(name)}
    columns = {name: dm.texts(written) for name, written in header.items() if dm.has(written)}
    frame = pl.DataFrame(columns).join(
        of_subjects.rename({"subject": "patient_id", "date": "treatment_discontinued", "sequence": STOPPED_BY}),
        on="patient_id",
        how="left",
        maintain_order="left",
    )
    frame = absent.marked(frame)
    kept = (~frame["patient_id"].is_in(absent.left_out.to_list())).fill_null(value=True)
    location = Location(
        dm.location.name,
        dm.location.order,
        dm.location.row_word,
        dm.location.all_lines(np.flatnonzero(kept.to_numpy())),
    )
    absent.note(dm, day_0, study)
    names = {name: WRITTEN.get(name, header.get(name, name)) for name in frame.columns if name not in UNNAMED}
    return NamedTable(
        location,
        frame.filter(kept),
        names,
        dm.written,
        units=_units("baseline", study),
        unit_if_missing=UNIT_IF_MISSING,
    )


def _visits(
    folder: Path, study: SdtmStudy, domains: Mapping[str, Sequence[Records]], absent: Absent, declared: tuple[str, ...]
) -> NamedTable:
    """The table of visits: the records of all domains that become visits, one after another.

    Without a domain of treatments it has no columns of rescue treatment, as nothing is recorded of it.
    """
    parts, dm = study.visit_records, domains["DM"][0]
    treated = any(domains[domain] for domain in TREATMENT)
    names = [name for name in VISITS if name != "day" and (treated or name not in RESCUE)]
    names += [REASON] if any(REASON in part.cells for part in parts) else []
    names += [name for name in declared if any(part.records.has(name) for part in parts)]
    empty = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    frame = pl.concat([empty, *(pl.DataFrame({name: part.column(name) for name in names}) for part in parts)])
    sizes = [len(part.row) for part in parts]
    piece = np.repeat(np.arange(len(parts)), sizes)
    row = np.concatenate([np.zeros(0, np.int64), *(part.row for part in parts)])
    kept = np.ones(len(frame), dtype=np.bool_)
    for subjects, who in ((absent.left_out, "who were not enrolled"), (absent.kept, "without a day 0")):
        rows = frame["patient_id"].is_in(subjects.to_list()).fill_null(value=False).to_numpy()
        kept &= ~rows
        if rows.any():
            number = number_of(int(rows.sum()), "record")
            study.problems.note(dm.location, f"{number} of subjects {who} left out.", warning=True)
    origin = Origin(
        domain=_labelled([part.records.domain for part in parts], piece[kept]),
        sequence=_sequence(parts, study)[kept],
        variable=_labelled([part.variable for part in parts], piece[kept]),
        study=_only(dm.texts("STUDYID")),
    )
    pieces = Pieces(
        [part.records.location for part in parts], piece[kept], row[kept], [part.names for part in parts], origin
    )
    location = Location(folder.resolve().name, 0, "row", None, pieces)
    cell_problems = [_of_visits(problem, parts, piece[kept], row[kept]) for problem in study.record_problems]
    header = {name: "USUBJID" if name == "patient_id" else name for name in names}
    frame = frame.filter(pl.Series(kept))
    told = _told(study.settings, frame["rescue"] if treated else pl.Series([], dtype=pl.String))
    units = _units("platelets", study)
    return NamedTable(location, frame, header, names, cell_problems, units, UNIT_IF_MISSING, told)


def _units(name: str, study: SdtmStudy) -> dict[str, list[UnitSaid]]:
    """The unit of a column of counts that the settings tell."""
    return {name: [UnitSaid(study.settings.unit, FILE)]} if study.settings.unit else {}


def _told(settings: Settings, rescues: pl.Series) -> Told:
    """What the settings say of words in the cells.

    A record of rescue treatment is told to be one by its category, its name or a flag, so its name needs no list.
    """
    return Told(tuple(settings.missing), unknown_names(rescues), tuple(settings.no_rescue))


def _of_visits(problem: RecordProblem, parts: Sequence[VisitRecords], piece: Ints, row: Ints) -> CellProblem:
    """A problem of records as a problem of the visits made of them."""
    same_records = np.array([part.records is problem.records for part in parts], dtype=np.bool_)
    rows: Bools = same_records[piece] & np.isin(row, problem.row)
    at = np.flatnonzero(rows)
    values = pl.Series([None], dtype=pl.String).new_from_index(0, len(row))
    values = values.scatter(at, problem.cells.values.gather(row[at]))
    return CellProblem(problem.cells.name, values, rows, problem.wording)


def _only(texts: pl.Series) -> str | None:
    """The only text; None: there is none, or there are several."""
    different = texts.drop_nulls().unique()
    return different[0] if len(different) == 1 else None


def _labelled(labels: Sequence[str], piece: Ints) -> Texts:
    """The label of each row's piece."""
    known = tuple(dict.fromkeys(labels))
    codes = np.array([known.index(label) for label in labels], dtype=np.int32)
    return Texts(codes[piece] if len(piece) else np.zeros(0, np.int32), known)


def _sequence(parts: Sequence[VisitRecords], study: SdtmStudy) -> Ints:
    """`--SEQ` of the rows of all parts; if a domain has none, the row of its file."""
    domains = {id(part.records): part.records for part in parts}
    numbers = {key: _numbers(records, study) for key, records in domains.items()}
    return np.concatenate([np.zeros(0, np.int64), *(numbers[id(part.records)][part.row] for part in parts)])


def _numbers(records: Records, study: SdtmStudy) -> Ints:
    """`--SEQ` of each record, else its row."""
    name = f"{records.domain}SEQ"
    if not records.has(name):
        study.note(records, f"there is no {name}: records are numbered by the rows of the file.", warning=True)
        return np.arange(1, len(records) + 1)
    numbers = records.texts(name).cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    whole: Bools = numbers == np.floor(numbers)
    study.wrong_cells(
        records, records.cells(name), np.flatnonzero(~whole), lambda text: f"{quoted(text)} is not a record number."
    )
    return np.where(whole, numbers, 0).astype(np.int64)
