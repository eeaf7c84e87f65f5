"""Read options: how a study's files are read; every function that takes a study takes them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Literal, get_args

from itp_response.cohort.as_of import AsOf
from itp_response.messages.errors import UsageError, unknown
from itp_response.readers.date_forms import DateFormat, check_date_format
from itp_response.readers.dates import DayNumbering, check_impute
from itp_response.readers.files import given_as
from itp_response.readers.ids import LongIds, PatientKey, SimilarIds
from itp_response.readers.missing_codes import MissingCodes
from itp_response.readers.open_table import Decimal
from itp_response.readers.tabular import Tabular
from itp_response.readers.told import Told
from itp_response.readers.units import check_unit

Bleeding = Literal["scored", "events"]
Impute = Literal["first", "last"]
OnError = Literal["stop", "quarantine"]
ACCEPTABLE = {
    "implausible_counts": "half of the counts, or more, are below 1 or above 1,000",
    "patient_in_another_unit": "a patient's counts differ from the cohort's by powers of ten",
    "placeholder_dates": "a day such as 1900-01-01 is a date, and does not stand for one that is not known",
    "three_decimals": "a point with three digits after it is before decimals, not between thousands",
}
"""The checks that stop the reading unless they are accepted, each with what is then taken to be right."""


@dataclass(frozen=True, repr=False)
class ReadOptions:
    """How the tables of a study are read.

    Every function that takes a study takes them as `options`. A `Cohort` and a `Classification` have been read already,
    so options beside one are refused. Raises `UsageError` for a value that an option cannot have.

    >>> ReadOptions(date_format="dmy", bleeding="events")
    ReadOptions(date_format='dmy', bleeding='events')
    >>> ReadOptions(date_format="dmy", missing=["-99"]).missing
    ('-99',)
    """

    date_format: str | None = None
    """The format of dates that are texts; None: ISO 8601. Cells that are dates need none.

    `iso`, `dmy`, `mdy`, `ymd`, `excel` or `excel-1904` (a spreadsheet's numbers of days), or a pattern (`%d/%m/%Y`).
    """
    patients_date_format: str | None = None
    """The format of dates in the patient table; None: that of `date_format`."""
    day_numbering: DayNumbering | None = None
    """How columns of days are numbered: `from-0`, enrolment is day 0; `study-day`, it is day 1, after day -1.

    None: `from-0`, unless there are days before and after 0 but no day 0, which is an error.
    """
    patient_key: PatientKey | None = None
    """What one patient is: an `id`, or it with the site or the study beside it: `site-id`, `study-id`, `study-site-id`.

    None: `id`, unless one id has several sites or studies, which is an error.
    """
    similar_ids: SimilarIds | None = None
    """Ids that differ by case, blanks, invisible letters, leading zeros or a trailing `.0` alone.

    They are the `same` patient or `different` ones. None: they are an error.
    """
    long_ids: LongIds | None = None
    """`as-written`: numbers of 15 digits and more that end in zeros are ids. None: they are an error, as a spreadsheet
    may have rounded them."""
    bleeding: Bleeding | None = None
    """The meaning of an empty bleeding grade: `scored`, it is missing; `events`, there was no bleeding.

    None: `scored` if a grade of 0 occurs, else `events`; a note says which.
    """
    impute: Impute | None = None
    """Impute a partial date as its `first` or `last` possible day.

    None: it remains an interval of days, in `Cohort.partial`.
    """
    sheet: str | None = None
    """The sheet of a workbook with the visits; None: its first, and a note says which."""
    patients_sheet: str | None = None
    """The sheet with the patients: of the workbook given as patients, or else of that with the visits."""
    header_row: int | None = None
    """The row, or the line, of the visits with the names of the columns; None: it is found, and a note says so."""
    decimal: Decimal | None = None
    """What stands before decimals in the two files, `point` or `comma`; the other may stand between thousands.

    None: a point; in a file whose cells semicolons separate, what its numbers show.
    """
    on_error: OnError = "stop"
    """`stop`: any problem is an error. `quarantine`: rows that cannot be read are left out and reported in
    `Cohort.quarantine`."""
    unit: str | None = None
    """The unit of the platelet counts, such as `10^4/uL`; None: as the study tells it, else 10⁹/L."""
    accept: tuple[str, ...] = ()
    """The names of checks (`ACCEPTABLE`) that would stop the reading and whose answer is that the data are right."""
    missing: tuple[str, ...] = ()
    """Codes that stand for a missing value: `999`, or of one column alone `platelets=999`.

    `platelets=` says that no number of that column is a code. `NA`, `ND`, `not done` and the like need not be told.
    """
    rescue_names: tuple[str, ...] = ()
    """Names of rescue treatments besides those that are known."""
    no_rescue: tuple[str, ...] = ()
    """What stands in the column of rescue for no treatment, besides the words that are known."""
    as_of: str | int | date | None = None
    """Cut the study at a date (`2024-06-30`) or at a day counted from day 0 (`180`), the same for every patient.

    What was observed later is not seen, and results say what is still open. None: everything is seen.
    """

    def __post_init__(self) -> None:
        check_date_format(self.date_format)
        check_date_format(self.patients_date_format)
        check_impute(self.impute)
        for what, value, known in (
            ("bleeding", self.bleeding, Bleeding),
            ("numbering of days", self.day_numbering, DayNumbering),
            ("key of patients", self.patient_key, PatientKey),
            ("way with similar ids", self.similar_ids, SimilarIds),
            ("way with long ids", self.long_ids, LongIds),
        ):
            if value not in (None, *get_args(known)):
                raise UsageError(unknown(what, str(value), get_args(known)))
        if self.decimal not in (None, *get_args(Decimal)):
            raise UsageError(unknown("decimal", str(self.decimal), get_args(Decimal)))
        if self.header_row is not None and self.header_row < 1:
            raise UsageError(f"header row {self.header_row}: rows are numbered from 1.")
        if self.on_error not in get_args(OnError):
            raise UsageError(unknown("way with errors", self.on_error, get_args(OnError)))
        check_unit(self.unit)
        if self.as_of is not None:
            object.__setattr__(self, "as_of", AsOf.of(self.as_of).plain)
        for name in self.accept:
            if name not in ACCEPTABLE:
                raise UsageError(unknown("check", name, ACCEPTABLE))
        for name in ("missing", "rescue_names", "no_rescue"):
            given = getattr(self, name)
            if isinstance(given, str):
                raise UsageError(f"{name} is a list of texts, not {given!r}.")
            object.__setattr__(self, name, tuple(given))
        MissingCodes.of(self.missing)

    def __repr__(self) -> str:
        given = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"ReadOptions({', '.join(given)})"

    def told_by(self, mapping: Mapping[str, Any]) -> "ReadOptions":
        """The options with those that a mapping file tells.

        Checks that either accepts are accepted. Raises `UsageError` where the two differ otherwise.
        """
        accept = tuple(dict.fromkeys((*self.accept, *mapping.get("accept", ()))))
        for name, value in mapping.items():
            if name == "accept":
                continue
            if getattr(self, name) not in (None, value):
                told = f"{getattr(self, name)!r} as an option and {value!r} in the mapping"
                raise UsageError(f"{name} is told twice: {told}; keep one.")
        return replace(self, **{**mapping, "accept": accept})

    @property
    def cut_at(self) -> AsOf | None:
        """The moment at which the study is cut; None: everything is seen."""
        return None if self.as_of is None else AsOf.of(self.as_of)

    @property
    def dates_of_visits(self) -> DateFormat:
        """How the dates of the visits are written."""
        return DateFormat(self.date_format, any_day="placeholder_dates" in self.accept)

    @property
    def dates_of_patients(self) -> DateFormat:
        """How the dates of the patient table are written."""
        own = self.patients_date_format
        any_day = "placeholder_dates" in self.accept
        return DateFormat(own or self.date_format, "--patients-date-format", inherited=own is None, any_day=any_day)

    def opened(self, visits: Tabular, patients: Tabular | None) -> tuple[Tabular, Tabular | None]:
        """The two tables, opened as the options tell; the patients may be in the workbook of the visits."""
        if patients is None and self.patients_sheet is not None:
            patients = visits
        if patients is not None:
            patients = given_as(patients, self.patients_sheet, None, self.decimal)
        return given_as(visits, self.sheet, self.header_row, self.decimal), patients

    def with_names(self, rescue_names: Collection[str]) -> "ReadOptions":
        """These options with further names of rescue treatments."""
        return replace(self, rescue_names=(*self.rescue_names, *rescue_names)) if rescue_names else self

    @property
    def told(self) -> Told:
        """What the user says of words in cells."""
        return Told(self.missing, self.rescue_names, self.no_rescue)


DEFAULTS = ReadOptions()
