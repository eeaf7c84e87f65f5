"""Read options: how a study's files are to be understood; every function that takes a study takes them."""

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

    Every function that takes a study takes them as `options`; a `Cohort` and a `Classification` have been read, so that
    options beside one are refused. Raises `UsageError` for a value that an option cannot have.

    >>> ReadOptions(date_format="dmy", bleeding="events")
    ReadOptions(date_format='dmy', bleeding='events', impute=None, on_error='stop')
    """

    date_format: str | None = None
    """How dates are written that are not ISO 8601: `dmy`, `mdy`, `ymd`, or a pattern (`%d/%m/%Y`)."""
    bleeding: Bleeding | None = None
    """What a visit without a grade means: `scored`, bleeding was not recorded; `events`, there was none.

    None: `scored` where a grade of 0 occurs, else `events`; it is said which.
    """
    impute: Impute | None = None
    """Take a date of which only the month or the year is known as the `first` or `last` day that it may be.

    None: it stays an interval of days, `Cohort.partial`.
    """
    on_error: OnError = "stop"
    """`stop`: read nothing past an error. `quarantine`: leave out the rows that cannot be read, and report them in
    `Cohort.quarantine`."""

    def __post_init__(self) -> None:
        check_date_format(self.date_format)
        check_impute(self.impute)
        if self.bleeding not in (None, *get_args(Bleeding)):
            raise UsageError(unknown("bleeding", str(self.bleeding), get_args(Bleeding)))
        if self.on_error not in get_args(OnError):
            raise UsageError(unknown("way with errors", self.on_error, get_args(OnError)))


DEFAULTS = ReadOptions()
