"""SDTM: a folder of CDISC's domains as a table of visits and a table of patients.

DM and LB must be there; AE, CE and FA give bleeding, CM, EX and PR rescue, DS the end of treatment.
Cells are handed on as written, dates in part too, so that the checks are those of every other source.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from itp_response.cohort import Ints, Origin
from itp_response.errors import CohortError, nearest
from itp_response.readers.cells import as_day_numbers
from itp_response.readers.files import Opened, opened
from itp_response.readers.findings import Cells, Findings, Pieces, Place, as_text, first_few, quoted
from itp_response.readers.names import VISITS, Doubt, Table
from itp_response.readers.sdtm_terms import (
    BLEEDING_LIKE,
    BLEEDING_OBJECTS,
    FILE,
    GRADE_TESTS,
    LOINC,
    MILESTONES,
    NOT_ENROLLED,
    ONGOING,
    PLATELETS,
    SEVERITIES,
    Settings,
    settings,
)
from itp_response.readers.units import KNOWN, as_factors, in_thousands
from itp_response.rules import Bools, Numbers, Texts
from itp_response.words import counted as number_of

if TYPE_CHECKING:
    import polars as pl

SUFFIXES = (".xpt", ".csv", ".parquet", ".json", ".ndjson")
DOMAINS = ("dm", "lb", "ae", "ce", "fa", "cm", "ex", "pr", "ds")
SPLIT = ("lb", "fa", "cm", "ex")
"""Domains that may be split into several files, as `lbhe`, `lbch`."""
SAID_PLAINLY = 1000
"""Counts without a unit above this are cells/µL by all likelihood."""


class Tables(NamedTuple):
    """A study as the tables that every other source is read from."""

    visits: Table
    patients: Table


# FILES


def is_study(given: object) -> bool:
    """Whether it is a folder that holds a DM and an LB."""
    if not isinstance(given, str | Path) or not Path(given).is_dir():
        return False
    found = _files(Path(given))
    return bool(found["dm"] and found["lb"])


def files_of(folder: Path) -> list[Path]:
    """The files of a study's folder that are read, in order of their names."""
    read = [path for paths in _files(folder).values() for path in paths]
    return sorted([*read, *(path for path in [folder / FILE] if path.exists())])


def _files(folder: Path) -> dict[str, list[Path]]:
    """The files of each domain, in order of their names."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return {
        domain: [path for path in paths if re.fullmatch(domain + ("[a-z0-9]{0,2}" * (domain in SPLIT)), _stem(path))]
        for domain in DOMAINS
    }


def _stem(path: Path) -> str:
    return path.stem.lower()


@dataclass(frozen=True)
class Records:
    """A domain's records as written, of one file; cells are texts, null where empty."""

    domain: str
    """`LB`."""
    place: Place
    frame: "pl.DataFrame"
    """By CDISC's names, those that are there."""
    written: Sequence[str]

    def __len__(self) -> int:
        return len(self.frame)

    def has(self, name: str) -> bool:
        return name in self.frame.columns

    def texts(self, name: str) -> "pl.Series":
        """The cells of that column; of one that is missing all are empty."""
        import polars as pl

        if not self.has(name):
            return pl.Series(name, [None], dtype=pl.String).new_from_index(0, len(self))
        return self.frame[name]

    def folded(self, name: str) -> "pl.Series":
        """The cells in capitals."""
        return self.texts(name).str.to_uppercase()

    def cells(self, name: str) -> Cells:
        return Cells(self.place, name, self.texts(name))

    @property
    def subject(self) -> "pl.Series":
        return self.texts("USUBJID")

    def rows(self, chosen: "pl.Series") -> Ints:
        """The rows that are chosen."""
        return chosen.fill_null(value=False).arg_true().to_numpy().astype(np.int64)


COLUMNS = {
    "DM": ("STUDYID", "RFSTDTC", "RFXSTDTC", "ACTARM", "ARM", "ACTARMCD", "ARMCD", "ARMNRS"),
    "LB": (
        *("LBSEQ", "LBTESTCD", "LBLOINC", "LBSTRESN", "LBSTRESC", "LBSTRESU", "LBORRES", "LBORRESU", "LBSTAT"),
        "LBDTC",
    ),
    "FA": ("FASEQ", "FATESTCD", "FAOBJ", "FASTRESN", "FASTRESC", "FAORRES", "FASTAT", "FADTC"),
    "DS": ("DSSEQ", "DSDECOD", "DSCAT", "DSSCAT", "EPOCH", "DSSTDTC"),
}
EVENT = ("SEQ", "TERM", "DECOD", "OCCUR", "TOXGR", "SEV", "STDTC", "ENDTC", "ENRTPT", "ENRF", "OUT")
TREATMENT = ("SEQ", "TRT", "DECOD", "CAT", "SCAT", "OCCUR", "DOSE", "DOSU", "STDTC", "ENDTC", "ENRTPT", "ENRF", "ONGO")
REQUIRED = {
    "DM": ("USUBJID",),
    "LB": ("USUBJID", "LBDTC"),
    "FA": ("USUBJID", "FATESTCD", "FADTC"),
    **{domain: ("USUBJID", f"{domain}STDTC") for domain in ("AE", "CE", "CM", "EX", "PR")},
    "DS": ("USUBJID", "DSDECOD", "DSSTDTC"),
}


def _columns(domain: str) -> tuple[str, ...]:
    if domain in COLUMNS:
        return COLUMNS[domain]
    return tuple(f"{domain}{name}" for name in (EVENT if domain in ("AE", "CE") else TREATMENT))


def _records(path: Path, domain: str, order: int, declared: Iterable[str], found: Findings) -> Records | None:
    """The records of a file; None: it cannot be read, as was found."""
    import polars as pl

    try:
        source = opened(path, domain)
        place = Place(source.name, order, source.row_word, source.lines)
        positions = _positions(source, ("USUBJID", *_columns(domain), *declared))
        frame = source.load(sorted(positions.values()) or [0])
    except CohortError as error:
        found.failed(order, error)
        return None
    for text in source.notes:
        found.note(place, text)
    for line, text in source.problems:
        found.wrong(place, text, line)
    made = [as_text(frame[str(position)]).cast(pl.String).alias(name) for name, position in positions.items()]
    records = Records(domain, place, pl.DataFrame(made), source.header)
    for name in REQUIRED[domain]:
        if not records.has(name):
            found.wrong(place, f"the column {name!r} is missing; there are: {', '.join(source.header)}.")
    if domain in ("DM", "LB") and not len(frame):
        found.wrong(place, "there are no rows.")
    return records


def _positions(source: Opened, names: Iterable[str]) -> dict[str, int]:
    capitals = {name.upper(): position for position, name in reversed(list(enumerate(source.header)))}
    return {name: capitals[name.upper()] for name in names if name.upper() in capitals}


# PARTS


@dataclass(frozen=True)
class Part:
    """Records of a domain that become rows of the visits, one each."""

    records: Records
    row: Ints
    """Their rows in the domain."""
    variable: str
    """What was taken."""
    names: Mapping[str, str]
    """What columns of the visits are called in the domain."""
    cells: Mapping[str, "pl.Series"] = field(default_factory=dict)
    """Of the visits' columns, an entry per row."""

    def column(self, name: str) -> "pl.Series":
        import polars as pl

        if name == "patient_id":
            return self.records.subject.gather(self.row)
        if name in self.cells:
            return self.cells[name].cast(pl.String)
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(self.row))


@dataclass(frozen=True)
class Wrong:
    """What is wrong with records of a domain, to be told when the visits are read."""

    cells: Cells
    records: Records
    row: Ints
    wording: Callable[[str], str]


@dataclass(frozen=True)
class Study:
    """What is known of a study while its domains are gone through."""

    settings: Settings
    found: Findings
    parts: list[Part] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)

    def wrong_cells(self, records: Records, cells: Cells, row: Ints, wording: Callable[[str], str]) -> None:
        """A problem in each of these rows, which are among those of the parts."""
        if len(row):
            self.wrong.append(Wrong(cells, records, row, wording))

    def note(self, records: Records, text: str, *, warning: bool = False) -> None:
        """Say something of a domain's records."""
        self.found.note(records.place, f"{records.place.name}: {text}", warning=warning)


def tables(folder: Path, declared: Iterable[str], found: Findings) -> Tables | None:
    """The visits and the patients of a study's folder; `declared` are further columns of the patients, taken from DM.

    None: it cannot be read, as was found.
    """
    try:
        study = Study(settings(folder), found)
    except CohortError as error:
        found.failed(0, error)
        return None
    domains = _domains(folder, tuple(declared), found)
    if domains is None:
        return None
    day_0 = _day_0(domains["DM"][0], study)
    left = _not_enrolled(domains["DM"][0], day_0)
    for records in domains["LB"]:
        _counts(records, study)
    _check_counted(domains["LB"], study)
    lasts = _Counted(study.parts)
    for records in [*domains["AE"], *domains["CE"]]:
        _bleeding_events(records, lasts, study)
    for records in domains["FA"]:
        _bleeding_findings(records, study)
    for records in [*domains["CM"], *domains["PR"], *domains["EX"]]:
        _rescues(records, lasts, study)
    for records in domains["EX"]:
        _raised_doses(records, domains["DM"][0], day_0, study)
    stopped = _stopped(domains["DS"], study)
    patients = _patients(domains["DM"][0], day_0, left, stopped, tuple(declared), study)
    return Tables(_visits(folder, study, domains["DM"][0], left), patients)


def _domains(folder: Path, declared: tuple[str, ...], found: Findings) -> dict[str, list[Records]] | None:
    """The records of each domain; None: some cannot be used, as was found."""
    domains: dict[str, list[Records]] = {}
    whole = True
    for order, (domain, paths) in enumerate(_files(folder).items(), 1):
        for one, two in pairwise(paths):
            if _stem(one) == _stem(two):
                problem = f"{one.name} and {two.name} are the same table; keep one."
                found.failed(0, CohortError(problem))
                whole = False
        capitals = domain.upper()
        read = [_records(path, capitals, order, declared if domain == "dm" else (), found) for path in paths]
        domains[capitals] = [records for records in read if records is not None]
        whole &= None not in read
        whole &= all(records.has(name) for records in domains[capitals] for name in REQUIRED[capitals])
    return domains if whole else None


def _day_0(dm: Records, study: Study) -> str:
    """The variable of DM that is day 0."""
    chosen = study.settings.day_0 or ("RFSTDTC" if dm.texts("RFSTDTC").is_not_null().any() else "RFXSTDTC")
    if not dm.has(chosen):
        there = ", ".join(dm.written)
        cure = "day 0 is RFSTDTC, or RFXSTDTC"
        study.found.wrong(dm.place, f"the column {chosen!r} is missing; {cure}. There are: {there}.")
    study.found.note(dm.place, f"Day 0 is the day of {chosen} in {dm.place.name}, CDISC's study day 1.")
    return chosen


def _not_enrolled(dm: Records, day_0: str) -> "pl.Series":
    """Subjects who have no day 0, as they did not come into the study."""
    import polars as pl

    arms = [name for name in ("ACTARMCD", "ARMCD", "ACTARM", "ARM", "ARMNRS") if dm.has(name)]
    said = [dm.folded(name).is_in(NOT_ENROLLED).fill_null(value=False) for name in arms]
    outside = pl.select(pl.any_horizontal(said) if said else pl.lit(value=False)).to_series()
    return dm.subject.filter(outside & dm.texts(day_0).is_null()) if said else dm.subject.clear()


# COUNTS


def _counts(records: Records, study: Study) -> None:
    """The platelet counts of LB: the standard result, or else the original."""
    by_code = (records.folded("LBTESTCD") == PLATELETS).fill_null(value=False)
    by_loinc = records.texts("LBLOINC").is_in(LOINC).fill_null(value=False)
    chosen = by_code | by_loinc
    not_done = (records.folded("LBSTAT") == "NOT DONE").fill_null(value=False)
    number, standard, original = (records.texts(name) for name in ("LBSTRESN", "LBSTRESC", "LBORRES"))
    empty = number.is_null() & standard.is_null() & original.is_null()
    contrary = records.rows(chosen & not_done & ~empty)
    cure = "is there, but the test was not done; correct LBSTAT, or take the result out"
    if len(contrary):
        study.parts.append(Part(records, contrary, "LBSTRESC", {"date": "LBDTC"}))
    study.wrong_cells(
        records,
        Cells(records.place, "LBSTRESC", standard.zip_with(standard.is_not_null(), original)),
        contrary,
        lambda text: f"{quoted(text)} {cure}.",
    )
    _note_counts(records, chosen, chosen & not_done, chosen & empty & ~not_done, by_loinc & ~by_code, study)
    given = chosen & ~empty & ~not_done
    # A bound stands, even where it was given a number too: LBSTRESN 10 beside LBSTRESC <10.
    bound, bound_at_first = (texts.str.contains("^[<>≤≥]").fill_null(value=False) for texts in (standard, original))
    unitless = records.texts("LBSTRESU").is_null() & records.texts("LBORRESU").is_not_null() & original.is_not_null()
    by_original = given & (unitless | (number.is_null() & standard.is_null()) | (bound_at_first & ~bound))
    by_text = given & ~by_original & (number.is_null() | (bound & standard.is_not_null()))
    by_number = given & ~by_original & ~by_text
    for rows, variable, unit in (
        (by_number, "LBSTRESN", "LBSTRESU"),
        (by_text, "LBSTRESC", "LBSTRESU"),
        (by_original, "LBORRES", "LBORRESU"),
    ):
        _counted(records, records.rows(rows), variable, unit, study)


def _note_counts(
    records: Records,
    chosen: "pl.Series",
    not_done: "pl.Series",
    empty: "pl.Series",
    by_loinc: "pl.Series",
    study: Study,
) -> None:
    for rows, what in (
        (not_done, "not done (LBSTAT), so without a count"),
        (empty, "without a result, so without a count"),
        (by_loinc, f"known by LOINC {' or '.join(LOINC)}, not by LBTESTCD"),
    ):
        if rows.any():
            study.note(records, f"{number_of(int(rows.sum()), 'platelet record')} {what}.")
    if chosen.any():
        units = records.frame.filter(chosen).select(name for name in ("LBSTRESU", "LBORRESU") if records.has(name))
        shown = [f"{name} {', '.join(map(str, units[name].drop_nulls().unique().sort()))}" for name in units.columns]
        study.note(records, f"{_of(int(chosen.sum()), records)} of platelets, in {'; '.join(shown) or 'no unit'}.")


def _counted(records: Records, row: Ints, variable: str, unit: str, study: Study) -> None:
    if not len(row):
        return
    texts, units = records.texts(variable), records.texts(unit)
    factors = as_factors(units)
    unknown = row[(units.is_not_null() & factors.is_null()).gather(row).to_numpy()]
    study.wrong_cells(
        records,
        records.cells(unit),
        unknown,
        lambda text: f"{quoted(text)} is no unit of platelets; known: {KNOWN}, and alike.",
    )
    without = row[units.is_null().gather(row).to_numpy()]
    if len(without):
        unknown = np.union1d(unknown, _without_unit(records, without, variable, unit, study))
    texts = texts.clone().scatter(unknown, [None] * len(unknown)) if len(unknown) else texts
    cells = {
        "date": records.texts("LBDTC").gather(row),
        "platelets": in_thousands(texts.gather(row), factors.fill_null(1.0).gather(row)),
    }
    study.parts.append(Part(records, row, variable, {"date": "LBDTC", "platelets": variable}, cells))


def _without_unit(records: Records, row: Ints, variable: str, unit: str, study: Study) -> Ints:
    """Of the counts without a unit, those that cannot do without; that the others can is said."""
    import polars as pl

    texts = records.texts(variable)
    number = texts.gather(row).str.strip_chars("<>=≤≥ ").cast(pl.Float64, strict=False)
    large: Ints = row[(number > SAID_PLAINLY).fill_null(value=False).to_numpy()]
    cure = f"has no unit, and looks like cells/µL; fill in {unit}"
    study.wrong_cells(records, records.cells(variable), large, lambda text: f"{quoted(text)} {cure}.")
    study.note(records, f"{number_of(len(row), 'count')} without a unit in {unit} taken as 10⁹/L.", warning=True)
    return large


def _check_counted(all_records: Sequence[Records], study: Study) -> None:
    if study.parts or any((one.folded("LBTESTCD") == PLATELETS).any() for one in all_records):
        return
    tests = sorted({test for one in all_records for test in one.texts("LBTESTCD").drop_nulls().unique()})
    there = ", ".join(tests[:20]) + (f" and {len(tests) - 20} more" if len(tests) > 20 else "")
    what = f"no record is of platelets: LBTESTCD {PLATELETS}, or LBLOINC {' or '.join(LOINC)}"
    study.found.wrong(all_records[0].place, f"{what}; LBTESTCD has {there or 'nothing'}.{nearest(PLATELETS, tests)}")


class _Counted:
    """On which days each patient was counted, as far as dates are whole."""

    def __init__(self, parts: Sequence[Part]) -> None:
        import polars as pl

        none = pl.DataFrame(schema={"subject": pl.String, "date": pl.String})
        frames = [pl.DataFrame({"subject": part.column("patient_id"), "date": part.column("date")}) for part in parts]
        frame = pl.concat([none, *frames]).with_columns(whole_days(pl.col("date")).alias("day")).drop_nulls()
        self.days = frame.unique(["subject", "day"], keep="first", maintain_order=True)
        self.last = frame.group_by("subject").agg(pl.col("date").sort_by("day").last())

    def last_date(self, subject: "pl.Series") -> "pl.Series":
        """The date of each subject's last count; null: none."""
        import polars as pl

        return pl.DataFrame({"subject": subject}).join(self.last, on="subject", how="left", maintain_order="left")[
            "date"
        ]


def whole_days(dates: "pl.Expr") -> "pl.Expr":
    """The days of ISO dates that are whole; null where one is written in part, or is none."""
    import polars as pl

    return dates.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).cast(pl.Int32)


def _days(dates: "pl.Series") -> "pl.Series":
    import polars as pl

    return pl.DataFrame({"date": dates}).select(whole_days(pl.col("date"))).to_series()


# BLEEDING


def _bleeding_events(records: Records, counted: _Counted, study: Study) -> None:
    """Bleeding by terms, with its grade, on its first day and on the days of counts up to its last."""
    import polars as pl

    domain = records.domain
    term = _either(records.folded(f"{domain}DECOD"), records.folded(f"{domain}TERM"))
    known = [one.upper() for one in study.settings.bleeding_terms]
    is_bleeding = term.is_in(known).fill_null(value=False)
    happened = (records.folded(f"{domain}OCCUR") != "N").fill_null(value=True)
    _note_terms(records, term, is_bleeding & happened, study)
    grade = records.folded(f"{domain}TOXGR").str.replace(r"^GRADE\s*", "")
    by_severity = grade.is_null()
    severity = records.folded(f"{domain}SEV")
    mapped = severity.replace_strict(SEVERITIES, default=None, return_dtype=pl.String)
    bleeding = is_bleeding & happened
    wrong = records.rows(bleeding & by_severity & severity.is_not_null() & mapped.is_null())
    study.wrong_cells(
        records,
        records.cells(f"{domain}SEV"),
        wrong,
        lambda text: f"{quoted(text)} is none of {', '.join(SEVERITIES)}.",
    )
    lacking = records.rows(bleeding & by_severity & severity.is_null())
    cure = f"the bleeding has no grade; fill in {domain}TOXGR, or {domain}SEV"
    study.wrong_cells(records, records.cells(f"{domain}TOXGR"), lacking, lambda _: f"{cure}.")
    fatal = bleeding & (grade == "5").fill_null(value=False)
    if fatal.any():
        number = number_of(int(fatal.sum()), "bleeding event")
        study.note(records, f"{number} of grade 5, which is death, taken as WHO grade 4.", warning=True)
    grade = grade.set(fatal, "4")
    if (bleeding & by_severity).any():
        number = number_of(int((bleeding & by_severity).sum()), "bleeding event")
        study.note(records, f"{number} graded by {domain}SEV: MILD 1, MODERATE 2, SEVERE 3.", warning=True)
    if (bleeding & ~by_severity).any():
        study.note(records, f"grades of {domain}TOXGR taken as WHO grades.", warning=True)
    grades = _either(grade, mapped)
    for chosen, variable in ((bleeding & ~by_severity, f"{domain}TOXGR"), (bleeding & by_severity, f"{domain}SEV")):
        row = records.rows(chosen)
        if len(row):
            names = {"date": f"{domain}STDTC", "bleeding_grade": variable}
            cells = {"date": records.texts(f"{domain}STDTC").gather(row), "bleeding_grade": grades.gather(row)}
            part = Part(records, row, variable, names, cells)
            study.parts.append(part)
            _lasting(part, counted, study)


def _note_terms(records: Records, term: "pl.Series", bleeding: "pl.Series", study: Study) -> None:
    taken = term.filter(bleeding)
    words = f": {first_few(taken.unique().sort(), 10)}" if len(taken) else ""
    study.note(records, f"{_of(len(taken), records)} taken as bleeding{words}.")
    alike = term.filter(~bleeding & term.str.contains(BLEEDING_LIKE).fill_null(value=False))
    if len(alike):
        shown = first_few(alike.unique().sort(), 10)
        what = f"{number_of(len(alike), 'record')} not taken as bleeding, though like it: {shown}"
        study.note(records, f"{what}; 'bleeding_terms' in sdtm.toml says which are.", warning=True)


def _lasting(part: Part, counted: _Counted, study: Study) -> None:
    """The bleeding on the days of counts after its first up to its last, as far as it was surely there."""
    import polars as pl

    records, domain = part.records, part.records.domain
    start, end = (_interval(records, f"{domain}{name}", part.row) for name in ("STDTC", "ENDTC"))
    goes_on = _goes_on(records).gather(part.row).to_numpy() & np.isnan(end.low)
    last = np.where(goes_on, np.inf, end.low)
    for rows, what in (
        (np.isnan(last), "without an end taken for the first day alone"),
        (
            (start.low < start.high) | (end.low < end.high),
            "with dates known in part taken for the days on which there surely was bleeding",
        ),
    ):
        if rows.any():
            study.note(records, f"{number_of(int(rows.sum()), 'bleeding event')} {what}.", warning=True)
    # To polars NaN is above every number.
    known = ~np.isnan(start.high) & ~np.isnan(last) & part.cells["bleeding_grade"].is_not_null().to_numpy()
    spans = pl.DataFrame({"subject": part.column("patient_id"), "start": start.high, "end": last, "known": known})
    inside = (
        spans.with_row_index("event")
        .filter(pl.col("known") & (pl.col("end") > pl.col("start")))
        .join(counted.days, on="subject", maintain_order="left")
        .filter((pl.col("day") > pl.col("start")) & (pl.col("day") <= pl.col("end")))
    )
    if len(inside):
        event = inside["event"].to_numpy().astype(np.int64)
        grades = part.cells["bleeding_grade"].gather(event)
        cells = {"date": inside["date"], "bleeding_grade": grades}
        study.parts.append(Part(records, part.row[event], part.variable, part.names, cells))
        days = number_of(len(inside), "further day")
        study.note(records, f"bleeding of several days stands on {days} with a count.")


def _interval(records: Records, name: str, row: Ints) -> Numbers:
    """The first and the last day that dates may be; what is wrong with them is found when they are read for good."""
    return as_day_numbers(Cells(records.place, name, records.texts(name).gather(row)), Findings(), None)


def _goes_on(records: Records) -> "pl.Series":
    """Which records say that they have no end yet."""
    import polars as pl

    domain = records.domain
    said = [records.folded(f"{domain}{name}").is_in(ONGOING) for name in ("ENRTPT", "ENRF", "ONGO")]
    outcome = records.folded(f"{domain}OUT").str.starts_with("NOT RECOVERED")
    return pl.select(pl.any_horizontal([*said, outcome]).fill_null(value=False)).to_series()


def _bleeding_findings(records: Records, study: Study) -> None:
    """Bleeding scored at visits, in FA: the scale's own record."""
    test, thing = records.folded("FATESTCD"), records.folded("FAOBJ")
    terms = [*BLEEDING_OBJECTS, *(one.upper() for one in study.settings.bleeding_terms)]
    of_bleeding = thing.is_in(terms).fill_null(value=False)
    tests = [one.upper() for one in study.settings.bleeding_tests]
    scale = test.is_in(tests) | (test.is_in(GRADE_TESTS) & of_bleeding)
    result = _either(_either(records.texts("FASTRESN"), records.texts("FASTRESC")), records.texts("FAORRES"))
    grade = result.str.to_uppercase().str.replace(r"^GRADE\s*", "")
    done = (records.folded("FASTAT") != "NOT DONE").fill_null(value=True) & grade.is_not_null()
    row = records.rows(scale & done)
    other = thing.filter(of_bleeding & ~scale.fill_null(value=False))
    if len(other):
        codes = first_few(test.filter(of_bleeding & ~scale.fill_null(value=False)).drop_nulls().unique().sort(), 10)
        text = f"{number_of(len(other), 'record')} about bleeding not taken as its grade: FATESTCD {codes}"
        study.note(records, f"{text}; 'bleeding_tests' in sdtm.toml says which are.", warning=True)
    if not len(row):
        study.note(records, f"{_of(0, records)} taken as a grade of bleeding.")
        return
    codes = first_few(test.gather(row).unique().sort(), 10)
    study.note(records, f"{_of(len(row), records)} taken as a grade of bleeding: FATESTCD {codes}.")
    names = {"date": "FADTC", "bleeding_grade": "FASTRESC"}
    cells = {"date": records.texts("FADTC").gather(row), "bleeding_grade": grade.gather(row)}
    study.parts.append(Part(records, row, "FASTRESC", names, cells))


def _either(one: "pl.Series", other: "pl.Series") -> "pl.Series":
    return one.zip_with(one.is_not_null(), other)


# RESCUE


def _rescues(records: Records, counted: _Counted, study: Study) -> None:
    """Rescue treatments by their category or their name."""
    import polars as pl

    domain = records.domain
    name = _either(records.texts(f"{domain}DECOD"), records.texts(f"{domain}TRT"))
    words = [re.escape(one.upper()) for one in study.settings.rescue_categories]
    category = pl.Series([False]).new_from_index(0, len(records))
    for column in ("CAT", "SCAT"):
        if words:
            category |= records.folded(f"{domain}{column}").str.contains("|".join(words)).fill_null(value=False)
    names = [one.upper() for one in study.settings.rescue_names]
    named = records.folded(f"{domain}DECOD").is_in(names).fill_null(value=False)
    named |= records.folded(f"{domain}TRT").is_in(names).fill_null(value=False)
    given = (records.folded(f"{domain}OCCUR") != "N").fill_null(value=True)
    row = records.rows((category | named) & given)
    if len(row):
        by = [
            f"{what} {first_few(values.unique().sort(), 10)}"
            for what, values in (
                ("category", _categories(records, category & given)),
                ("name", name.filter(named & given)),
            )
            if len(values)
        ]
        study.note(records, f"{_of(len(row), records)} taken as rescue treatment by {' and '.join(by)}.")
        _courses(records, row, name.fill_null("1"), f"{domain}TRT", counted, study)
    elif records.domain != "EX":
        cure = "'rescue_categories' and 'rescue_names' in sdtm.toml say which are"
        study.note(records, f"{_of(0, records)} taken as rescue treatment; {cure}.", warning=True)


def _of(number: int, records: Records) -> str:
    """How many of a domain's records."""
    return f"{f'{number:,}' if number else 'none'} of {len(records):,} record{'' if len(records) == 1 else 's'}"


def _categories(records: Records, chosen: "pl.Series") -> "pl.Series":
    columns = [records.texts(f"{records.domain}{name}").filter(chosen) for name in ("CAT", "SCAT")]
    return _either(*columns).drop_nulls()


def _courses(
    records: Records, row: Ints, name: "pl.Series", variable: str, counted: "_Counted | None", study: Study
) -> None:
    domain = records.domain
    begin, end = (records.texts(f"{domain}{one}").gather(row) for one in ("STDTC", "ENDTC"))
    endless = end.is_null()
    if counted is not None:
        goes_on = _goes_on(records).gather(row) & endless
        last = counted.last_date(records.subject.gather(row))
        until = goes_on & (_days(last) >= _days(begin)).fill_null(value=False)
        end = last.zip_with(until, end)
        if goes_on.any():
            number = number_of(int(goes_on.sum()), "rescue treatment")
            study.note(records, f"{number} still going on, taken to the last count.", warning=True)
        endless &= ~goes_on
    if endless.any():
        number = number_of(int(endless.sum()), "rescue treatment")
        study.note(records, f"{number} without an end taken as of one day.", warning=True)
    names = {"date": f"{domain}STDTC", "rescue": variable, "rescue_end": f"{domain}ENDTC"}
    cells = {"date": begin, "rescue": name.gather(row), "rescue_end": end}
    study.parts.append(Part(records, row, variable, names, cells))


def _raised_doses(records: Records, dm: Records, day_0: str, study: Study) -> None:
    """Doses above that at day 0, or if there was none yet, above the first."""
    import polars as pl

    if not records.has("EXDOSE") or not study.settings.raised_dose_is_rescue:
        return
    of_study = pl.DataFrame({"subject": dm.subject, "day_0": _days(dm.texts(day_0))}).unique("subject")
    doses = pl.DataFrame(
        {
            "subject": records.subject,
            "treatment": records.folded("EXTRT"),
            "unit": records.folded("EXDOSU"),
            "dose": records.texts("EXDOSE").cast(pl.Float64, strict=False),
            "start": _days(records.texts("EXSTDTC")),
        }
    ).join(of_study, on="subject", how="left", maintain_order="left")
    of_one = ["subject", "treatment", "unit"]
    by_start = doses.filter(pl.col("start").is_not_null() & pl.col("dose").is_not_null()).sort(
        "start", maintain_order=True
    )
    first = by_start.group_by(of_one).agg(pl.col("dose").first().alias("first"))
    before = by_start.filter(pl.col("start") <= pl.col("day_0"))
    enrolled = before.group_by(of_one).agg(pl.col("dose").last().alias("enrolled"))
    for one in (first, enrolled):
        doses = doses.join(one, on=of_one, how="left", nulls_equal=True, maintain_order="left")
    later = (pl.col("start") > pl.col("day_0")).fill_null(value=True)
    raised = doses.select((pl.col("dose") > pl.coalesce("enrolled", "first")) & later).to_series()
    row = records.rows(raised)
    if len(row):
        text = f"{number_of(len(row), 'dose')} above that at enrolment taken as rescue treatment"
        cure = "if they were planned, put 'raised_dose_is_rescue = false' in sdtm.toml"
        study.note(records, f"{text}; {cure}.", warning=True)
        _courses(records, row, records.texts("EXTRT").fill_null("1"), "EXDOSE", None, study)


# THE END OF TREATMENT


def _stopped(all_records: Sequence[Records], study: Study) -> "pl.DataFrame":
    """Of each subject whose treatment was stopped, `subject` and `date`, the first."""
    import polars as pl

    frames = [pl.DataFrame(schema={"subject": pl.String, "date": pl.String})]
    for records in all_records:
        row = records.rows(_stops(records, study))
        date = records.texts("DSSTDTC").gather(row)
        study.found.wrong_cells(
            records.cells("DSSTDTC"),
            row[date.is_null().to_numpy()],
            lambda _: "the date on which treatment was stopped is missing; fill it in.",
        )
        frames.append(pl.DataFrame({"subject": records.subject.gather(row), "date": date}))
    # ISO dates sort as texts.
    return pl.concat(frames).drop_nulls().group_by("subject", maintain_order=True).agg(pl.col("date").min())


def _stops(records: Records, study: Study) -> "pl.Series":
    """The records of DS that say that treatment was stopped before its time.

    Of a subject with a record of how treatment ended, no other record does.
    """
    import polars as pl

    decod = records.folded("DSDECOD")
    ended = ~decod.is_in([one for one in MILESTONES if one != "COMPLETED"]).fill_null(value=True)
    if records.texts("DSCAT").is_not_null().any():
        ended &= (records.folded("DSCAT") == "DISPOSITION EVENT").fill_null(value=False)
    ended &= ~records.folded("EPOCH").str.contains("SCREEN").fill_null(value=False)
    of_treatment = pl.Series([False]).new_from_index(0, len(records))
    for column in ("DSSCAT", "EPOCH"):
        said = records.folded(column)
        of_treatment = (said.str.contains("TREATMENT|DRUG") & ~said.str.contains("FOLLOW")).fill_null(value=False)
        of_treatment &= ended
        if of_treatment.any():
            break
    known = records.subject.is_in(records.subject.filter(of_treatment).to_list()).fill_null(value=False)
    early = ended & (decod != "COMPLETED").fill_null(value=False)
    stops, others = early & (of_treatment | ~known), early & known & ~of_treatment
    for rows, what in ((stops, "taken as"), (others, "of those who have one of the treatment too, not taken as")):
        if rows.any():
            words = first_few(records.texts("DSDECOD").filter(rows).unique().sort(), 10)
            study.note(records, f"{number_of(int(rows.sum()), 'record')} {what} treatment stopped: {words}.")
    return stops


# TABLES


def _patients(
    dm: Records, day_0: str, left: "pl.Series", stopped: "pl.DataFrame", declared: tuple[str, ...], study: Study
) -> Table:
    """The table of patients: those of DM who came into the study."""
    import polars as pl

    arm = "ACTARM" if dm.has("ACTARM") else "ARM"
    header = {"patient_id": "USUBJID", "arm": arm, "enrolment_date": day_0}
    header |= {name: name for name in declared if dm.has(name)}
    columns = {name: dm.texts(written) for name, written in header.items() if dm.has(written)}
    frame = pl.DataFrame(columns).join(
        stopped.rename({"subject": "patient_id", "date": "treatment_discontinued"}),
        on="patient_id",
        how="left",
        maintain_order="left",
    )
    kept = (~frame["patient_id"].is_in(left.to_list())).fill_null(value=True)
    place = Place(dm.place.name, dm.place.order, dm.place.row_word, dm.place.all_lines(np.flatnonzero(kept.to_numpy())))
    if len(left):
        study.note(dm, f"{number_of(left.n_unique(), 'subject')} without {day_0}, not enrolled, left out.")
    names = {name: header.get(name, "DSSTDTC") for name in frame.columns}
    return Table(place, frame.filter(kept), names, dm.written)


def _visits(folder: Path, study: Study, dm: Records, left: "pl.Series") -> Table:
    """The table of visits: what was taken of each domain, one under another."""
    import polars as pl

    parts = study.parts
    names = [name for name in VISITS if name != "day"]
    empty = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    frame = pl.concat([empty, *(pl.DataFrame({name: part.column(name) for name in names}) for part in parts)])
    sizes = [len(part.row) for part in parts]
    piece = np.repeat(np.arange(len(parts)), sizes)
    row = np.concatenate([np.zeros(0, np.int64), *(part.row for part in parts)])
    kept = (~frame["patient_id"].is_in(left.to_list())).fill_null(value=True).to_numpy()
    if not kept.all():
        number = number_of(int((~kept).sum()), "record")
        study.found.note(dm.place, f"{number} of subjects who were not enrolled left out.", warning=True)
    origin = Origin(
        domain=_labelled([part.records.domain for part in parts], piece[kept]),
        sequence=_sequence(parts, study)[kept],
        variable=_labelled([part.variable for part in parts], piece[kept]),
        study=_only(dm.texts("STUDYID")),
    )
    pieces = Pieces(
        [part.records.place for part in parts], piece[kept], row[kept], [part.names for part in parts], origin
    )
    place = Place(folder.resolve().name, 0, "row", None, pieces)
    doubts = [_doubt(wrong, parts, piece[kept], row[kept]) for wrong in study.wrong]
    header = {name: "USUBJID" if name == "patient_id" else name for name in names}
    return Table(place, frame.filter(pl.Series(kept)), header, names, doubts)


def _doubt(wrong: Wrong, parts: Sequence[Part], piece: Ints, row: Ints) -> Doubt:
    """What is wrong with records, as said of the rows of the visits made of them."""
    import polars as pl

    of_these = np.array([part.records is wrong.records for part in parts], dtype=np.bool_)
    there: Bools = of_these[piece] & np.isin(row, wrong.row)
    at = np.flatnonzero(there)
    values = pl.Series([None], dtype=pl.String).new_from_index(0, len(row))
    return Doubt(wrong.cells.name, values.scatter(at, wrong.cells.values.gather(row[at])), there, wrong.wording)


def _only(texts: "pl.Series") -> str | None:
    """The text that all have who have one; None: there is none, or several."""
    different = texts.drop_nulls().unique()
    return different[0] if len(different) == 1 else None


def _labelled(labels: Sequence[str], piece: Ints) -> Texts:
    known = tuple(dict.fromkeys(labels))
    codes = np.array([known.index(label) for label in labels], dtype=np.int32)
    return Texts(codes[piece] if len(piece) else np.zeros(0, np.int32), known)


def _sequence(parts: Sequence[Part], study: Study) -> Ints:
    """`--SEQ` of the rows of all parts; where a domain has none, the row of its file."""
    domains = {id(part.records): part.records for part in parts}
    numbers = {key: _numbers(records, study) for key, records in domains.items()}
    return np.concatenate([np.zeros(0, np.int64), *(numbers[id(part.records)][part.row] for part in parts)])


def _numbers(records: Records, study: Study) -> Ints:
    import polars as pl

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
