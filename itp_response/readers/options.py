"""Read options: how a study's files are read; every function that takes a study takes them."""

from dataclasses import dataclass
from typing import Literal, get_args

from itp_response.messages.errors import UsageError, unknown
from itp_response.readers.cells import check_date_format, check_impute
from itp_response.readers.files import Tabular, given_as
from itp_response.readers.open_table import Decimal

Bleeding = Literal["scored", "events"]
Impute = Literal["first", "last"]
OnError = Literal["stop", "quarantine"]


@dataclass(frozen=True)
class ReadOptions:
    """How the tables of a study are read.

    Every function that takes a study takes them as `options`. A `Cohort` and a `Classification` have been read already,
    so options beside one are refused. Raises `UsageError` for a value that an option cannot have.

    >>> ReadOptions(date_format="dmy", bleeding="events")
    ReadOptions(date_format='dmy', bleeding='events', impute=None, sheet=None, patients_sheet=None, header_row=None, \
decimal=None, on_error='stop')
    """

    date_format: str | None = None
    """The format of dates that are not ISO 8601: `dmy`, `mdy`, `ymd`, or a pattern (`%d/%m/%Y`); None: ISO 8601."""
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

    def __post_init__(self) -> None:
        check_date_format(self.date_format)
        check_impute(self.impute)
        if self.bleeding not in (None, *get_args(Bleeding)):
            raise UsageError(unknown("bleeding", str(self.bleeding), get_args(Bleeding)))
        if self.decimal not in (None, *get_args(Decimal)):
            raise UsageError(unknown("decimal", str(self.decimal), get_args(Decimal)))
        if self.header_row is not None and self.header_row < 1:
            raise UsageError(f"header row {self.header_row}: rows are numbered from 1.")
        if self.on_error not in get_args(OnError):
            raise UsageError(unknown("way with errors", self.on_error, get_args(OnError)))

    def opened(self, visits: Tabular, patients: Tabular | None) -> tuple[Tabular, Tabular | None]:
        """The two tables, opened as the options tell; the patients may be in the workbook of the visits."""
        if patients is None and self.patients_sheet is not None:
            patients = visits
        if patients is not None:
            patients = given_as(patients, self.patients_sheet, None, self.decimal)
        return given_as(visits, self.sheet, self.header_row, self.decimal), patients


DEFAULTS = ReadOptions()
