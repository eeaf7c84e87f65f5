"""Read options: how a study's files are read; every function that takes a study takes them."""

from dataclasses import dataclass
from typing import Literal, get_args

from itp_response.messages.errors import UsageError, unknown
from itp_response.readers.cells import check_date_format, check_impute

Bleeding = Literal["scored", "events"]
Impute = Literal["first", "last"]
OnError = Literal["stop", "quarantine"]


@dataclass(frozen=True)
class ReadOptions:
    """How the tables of a study are read.

    Every function that takes a study takes them as `options`. A `Cohort` and a `Classification` have been read already,
    so options beside one are refused. Raises `UsageError` for a value that an option cannot have.

    >>> ReadOptions(date_format="dmy", bleeding="events")
    ReadOptions(date_format='dmy', bleeding='events', impute=None, on_error='stop')
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
    on_error: OnError = "stop"
    """`stop`: any problem is an error. `quarantine`: rows that cannot be read are left out and reported in
    `Cohort.quarantine`."""

    def __post_init__(self) -> None:
        check_date_format(self.date_format)
        check_impute(self.impute)
        if self.bleeding not in (None, *get_args(Bleeding)):
            raise UsageError(unknown("bleeding", str(self.bleeding), get_args(Bleeding)))
        if self.on_error not in get_args(OnError):
            raise UsageError(unknown("way with errors", self.on_error, get_args(OnError)))


DEFAULTS = ReadOptions()
