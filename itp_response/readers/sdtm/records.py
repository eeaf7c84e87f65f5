"""Records of SDTM: a domain's file as it was written, and the records that become rows of the visits."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from itp_response.cohort.declared_columns import TRUTHS
from itp_response.cohort.values import Ints
from itp_response.messages.codes import Code
from itp_response.messages.errors import CohortError, some_of
from itp_response.readers.column_names import report_file
from itp_response.readers.files import open_table
from itp_response.readers.open_table import OpenTable
from itp_response.readers.problems import BrokenLine, Cells, Location, Problems, as_json, as_text, first_few
from itp_response.readers.sdtm.terms import ONGOING, Settings

COLUMNS = {
    "DM": ("STUDYID", "SUBJID", "RFSTDTC", "RFXSTDTC", "ACTARM", "ARM", "ACTARMCD", "ARMCD", "ARMNRS"),
    "LB": (
        *("LBSEQ", "LBTESTCD", "LBLOINC", "LBSTRESN", "LBSTRESC", "LBSTRESU", "LBORRES", "LBORRESU", "LBSTAT"),
        *("LBDTC", "LBLOBXFL", "LBBLFL"),
    ),
    "FA": ("FASEQ", "FATESTCD", "FAOBJ", "FASTRESN", "FASTRESC", "FAORRES", "FASTAT", "FADTC"),
    "SUPP": ("RDOMAIN", "IDVAR", "IDVARVAL", "QNAM", "QVAL"),
    "DS": ("DSSEQ", "DSDECOD", "DSCAT", "DSSCAT", "EPOCH", "DSSTDTC"),
}
EVENT = ("SEQ", "TERM", "DECOD", "OCCUR", "STAT", "TOXGR", "SEV", "STDTC", "ENDTC", "ENRTPT", "ENRF", "OUT")
TREATMENT = (
    "SEQ",
    "TRT",
    "DECOD",
    "CAT",
    "SCAT",
    "INDC",
    "OCCUR",
    "STAT",
    "DOSE",
    "DOSU",
    "STDTC",
    "ENDTC",
    "ENRTPT",
    "ENRF",
    "ONGO",
)
REQUIRED = {
    "DM": ("USUBJID",),
    "LB": ("USUBJID", "LBDTC"),
    "FA": ("USUBJID", "FATESTCD", "FADTC"),
    **{domain: ("USUBJID", f"{domain}STDTC") for domain in ("AE", "CE", "CM", "EX", "PR")},
    "DS": ("USUBJID", "DSDECOD", "DSSTDTC"),
    "SUPP": ("USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL"),
}


@dataclass(frozen=True)
class Records:
    """The records of one file of a domain, as written; cells are texts, null where empty."""

    domain: str
    """As `LB`."""
    location: Location
    frame: pl.DataFrame
    """By CDISC's names; only the columns in the file."""
    written: Sequence[str]
    """The names of all columns in the file."""

    def __len__(self) -> int:
        return len(self.frame)

    def has(self, name: str) -> bool:
        """Whether the file has that column."""
        return name in self.frame.columns

    def texts(self, name: str) -> pl.Series:
        """The cells of a column; if it is missing, all are empty."""
        if not self.has(name):
            return pl.Series(name, [None], dtype=pl.String).new_from_index(0, len(self))
        return self.frame[name]

    def folded(self, name: str) -> pl.Series:
        """The cells of a column in capitals."""
        return self.texts(name).str.to_uppercase()

    def cells(self, name: str) -> Cells:
        """A column with its location."""
        return Cells(self.location, name, self.texts(name))

    @property
    def subject(self) -> pl.Series:
        """USUBJID."""
        return self.texts("USUBJID")

    def rows(self, chosen: pl.Series) -> Ints:
        """The numbers of the rows that are chosen."""
        return chosen.fill_null(value=False).arg_true().to_numpy().astype(np.int64)


def _columns(domain: str) -> tuple[str, ...]:
    if domain in COLUMNS:
        return COLUMNS[domain]
    return tuple(f"{domain}{name}" for name in (EVENT if domain in ("AE", "CE") else TREATMENT))


def read_records(path: Path, domain: str, order: int, declared: Iterable[str], problems: Problems) -> Records | None:
    """The records of a file; None: it cannot be read, which is reported."""
    try:
        source = open_table(path, domain)
        location = Location(source.name, order, source.row_word, source.lines)
        positions = _positions(source, ("USUBJID", *_columns(domain), *declared))
        frame = source.load(sorted(positions.values()) or [0])
    except CohortError as error:
        problems.failed(order, error)
        return None
    report_file(source, location, problems, patient_first=positions.get("USUBJID") == 0)
    columns = [as_text(frame[str(position)]).cast(pl.String).alias(name) for name, position in positions.items()]
    records = Records(domain, location, pl.DataFrame(columns), source.header)
    for name in REQUIRED[domain]:
        if not records.has(name):
            sentence = f"the column {name!r} is missing; there are: {some_of(source.header)}."
            problems.wrong(location, sentence, code=Code.COLUMN_MISSING)
    if domain in ("DM", "LB") and not len(frame):
        problems.wrong(location, "there are no rows.", code=Code.NO_ROWS)
    return records


def _positions(source: OpenTable, names: Iterable[str]) -> dict[str, int]:
    capitals = {name.upper(): position for position, name in reversed(list(enumerate(source.header)))}
    return {name: capitals[name.upper()] for name in names if name.upper() in capitals}


@dataclass(frozen=True)
class VisitRecords:
    """Records of a domain that become rows of the visits, one row each."""

    records: Records
    row: Ints
    """Their rows in the domain."""
    variable: str
    """The variable that was used."""
    names: Mapping[str, str]
    """The names in the domain of columns of the visits."""
    cells: Mapping[str, pl.Series] = field(default_factory=dict)
    """Columns of the visits, one entry per row."""
    only_cells: bool = False
    """The rows are further days of records that became rows already; they have nothing but `cells`."""

    def column(self, name: str) -> pl.Series:
        """A column of the visits; null where the records have nothing."""
        if name == "patient_id":
            return self.records.subject.gather(self.row)
        if name in self.cells:
            return self.cells[name].cast(pl.String)
        if self.records.has(name) and not self.only_cells:
            return self.records.texts(name).gather(self.row)
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(self.row))


@dataclass(frozen=True)
class RecordProblem:
    """A problem of records of a domain, reported when the visits are read."""

    cells: Cells
    records: Records
    row: Ints
    wording: Callable[[str], str]


@dataclass(frozen=True)
class SdtmStudy:
    """A study while its domains are read."""

    settings: Settings
    problems: Problems
    unit: str | None = None
    """The unit of the counts, as an option tells it."""
    visit_records: list[VisitRecords] = field(default_factory=list)
    record_problems: list[RecordProblem] = field(default_factory=list)

    def wrong_cells(self, records: Records, cells: Cells, row: Ints, wording: Callable[[str], str]) -> None:
        """A problem in each of these rows, which become rows of the visits."""
        if len(row):
            self.record_problems.append(RecordProblem(cells, records, row, wording))

    def leave_out(self, records: Records, name: str, row: Ints, wording: Callable[[str], str]) -> None:
        """A problem in each of these rows, which therefore become no rows of a table."""
        rows = as_json(records.frame[row])
        subjects = records.subject.gather(row).to_list()
        values = records.texts(name).gather(row).fill_null("").to_list()
        for number, text, subject, value in zip(row.tolist(), rows.to_list(), subjects, values, strict=True):
            line = records.location.line(number)
            self.problems.broken_line(BrokenLine(records.location, line, wording(value), text, subject, name, value))

    def note(self, records: Records, text: str, *, warning: bool = False) -> None:
        """A note on a domain's records."""
        self.problems.note(records.location, f"{records.location.name}: {text}", warning=warning)


def either(first: pl.Series, second: pl.Series) -> pl.Series:
    """The first column; where it is empty, the second."""
    return first.zip_with(first.is_not_null(), second)


def says_yes(records: Records, name: str, study: SdtmStudy, otherwise: str) -> pl.Series:
    """Which records say yes in a column; what is neither yes nor no is noted, and what it is taken as `otherwise`."""
    texts = records.texts(name).str.to_lowercase()
    truth = texts.replace_strict(TRUTHS, default=None, return_dtype=pl.Boolean)
    neither = texts.filter(texts.is_not_null() & truth.is_null()).unique().sort()
    if len(neither):
        study.note(records, f"{name} is neither yes nor no: {first_few(neither)}, {otherwise}.", warning=True)
    return truth.fill_null(value=False)


def without_end(records: Records) -> pl.Series:
    """Which records say that they are ongoing."""
    domain = records.domain
    ongoing = [records.folded(f"{domain}{name}").is_in(ONGOING) for name in ("ENRTPT", "ENRF", "ONGO")]
    outcome = records.folded(f"{domain}OUT").str.starts_with("NOT RECOVERED")
    return pl.select(pl.any_horizontal([*ongoing, outcome]).fill_null(value=False)).to_series()


def of_all(number: int, records: Records) -> str:
    """The number of records, and of all records of the domain."""
    return f"{f'{number:,}' if number else 'none'} of {len(records):,} record{'' if len(records) == 1 else 's'}"


def whole_days(dates: pl.Expr) -> pl.Expr:
    """The days of complete ISO dates; null where a date is partial, an interval or invalid."""
    dates = pl.when(~dates.str.contains("/", literal=True)).then(dates)
    return dates.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).cast(pl.Int32)


def whole_days_of(dates: pl.Series) -> pl.Series:
    """`whole_days` of a column."""
    return pl.DataFrame({"date": dates}).select(whole_days(pl.col("date"))).to_series()
