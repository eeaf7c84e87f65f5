"""Read options: how a study's files are read; every function that takes a study takes them."""

from dataclasses import dataclass
from typing import Literal, get_args

from itp_response.messages.errors import UsageError, unknown
from itp_response.readers.cells import check_date_format, check_impute
from itp_response.readers.units import check_unit

Bleeding = Literal["scored", "events"]
Impute = Literal["first", "last"]
OnError = Literal["stop", "quarantine"]
ACCEPTABLE = {
    "implausible_counts": "half of the counts, or more, are below 1 or above 1,000",
    "patient_in_another_unit": "a patient's counts differ from the cohort's by powers of ten",
    "three_decimals": "a point with three digits after it is before decimals, not between thousands",
}
"""The checks that stop the reading unless they are accepted, each with what is then taken to be right."""


@dataclass(frozen=True)
class ReadOptions:
    """How the tables of a study are read.

    Every function that takes a study takes them as `options`. A `Cohort` and a `Classification` have been read already,
    so options beside one are refused. Raises `UsageError` for a value that an option cannot have.

    >>> ReadOptions(date_format="dmy", bleeding="events")
    ReadOptions(date_format='dmy', bleeding='events', impute=None, on_error='stop', unit=None, accept=())
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
    unit: str | None = None
    """The unit of the platelet counts, such as `10^4/uL`; None: as the study tells it, else 10⁹/L."""
    accept: tuple[str, ...] = ()
    """The names of checks (`ACCEPTABLE`) that would stop the reading and whose answer is that the data are right."""

    def __post_init__(self) -> None:
        check_date_format(self.date_format)
        check_impute(self.impute)
        if self.bleeding not in (None, *get_args(Bleeding)):
            raise UsageError(unknown("bleeding", str(self.bleeding), get_args(Bleeding)))
        if self.on_error not in get_args(OnError):
            raise UsageError(unknown("way with errors", self.on_error, get_args(OnError)))
        check_unit(self.unit)
        for name in self.accept:
            if name not in ACCEPTABLE:
                raise UsageError(unknown("check", name, ACCEPTABLE))


DEFAULTS = ReadOptions()
