"""Read options: how a study's files are read; every function that takes a study takes them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, get_args

from itp_response.messages.errors import UsageError, unknown
from itp_response.readers.cells import check_date_format, check_impute
from itp_response.readers.missing_codes import MissingCodes
from itp_response.readers.told import Told

Bleeding = Literal["scored", "events"]
Impute = Literal["first", "last"]
OnError = Literal["stop", "quarantine"]


@dataclass(frozen=True)
class ReadOptions:
    """How the tables of a study are read.

    Every function that takes a study takes them as `options`. A `Cohort` and a `Classification` have been read already,
    so options beside one are refused. Raises `UsageError` for a value that an option cannot have.

    >>> ReadOptions(date_format="dmy", missing=["-99"]).missing
    ('-99',)
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
    missing: tuple[str, ...] = ()
    """Codes that stand for a missing value: `999`, or of one column alone `platelets=999`.

    `platelets=` says that no number of that column is a code. `NA`, `ND`, `not done` and the like need not be told.
    """
    rescue_names: tuple[str, ...] = ()
    """Names of rescue treatments besides those that are known."""
    no_rescue: tuple[str, ...] = ()
    """What stands in the column of rescue for no treatment, besides the words that are known."""

    def __post_init__(self) -> None:
        check_date_format(self.date_format)
        check_impute(self.impute)
        if self.bleeding not in (None, *get_args(Bleeding)):
            raise UsageError(unknown("bleeding", str(self.bleeding), get_args(Bleeding)))
        if self.on_error not in get_args(OnError):
            raise UsageError(unknown("way with errors", self.on_error, get_args(OnError)))
        for name in ("missing", "rescue_names", "no_rescue"):
            given = getattr(self, name)
            if isinstance(given, str):
                raise UsageError(f"{name} is a list of texts, not {given!r}.")
            object.__setattr__(self, name, tuple(given))
        MissingCodes.of(self.missing)

    def with_names(self, rescue_names: Collection[str]) -> "ReadOptions":
        """These options with further names of rescue treatments."""
        return replace(self, rescue_names=(*self.rescue_names, *rescue_names)) if rescue_names else self

    @property
    def told(self) -> Told:
        """What the user says of words in cells."""
        return Told(self.missing, self.rescue_names, self.no_rescue)


DEFAULTS = ReadOptions()
