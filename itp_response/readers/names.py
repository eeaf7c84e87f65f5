"""Names: which column of a table is which."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from itp_response.cohort import Ints
from itp_response.errors import CohortError, nearest
from itp_response.readers.files import Opened, Tabular, opened
from itp_response.readers.findings import Cells, Findings, Place, Torn
from itp_response.rules import Bools

if TYPE_CHECKING:
    import polars as pl

VISITS = ("patient_id", "date", "day", "platelets", "bleeding_grade", "rescue", "rescue_end")
PATIENTS = ("patient_id", "arm", "enrolment_date", "enrolment_day", "baseline", "treatment_discontinued")

ALIASES: dict[str, tuple[str, ...]] = {
    "patient_id": ("usubjid", "subjid", "subject_id", "subject", "patient", "pid", "record_id", "id"),
    "date": ("visit_date", "lbdtc", "sample_date", "assessment_date", "visitdt"),
    "day": (
        *("days", "rel_day", "day_since_enrolment", "days_since_enrolment"),
        *("day_since_enrollment", "days_since_enrollment"),
    ),
    "platelets": ("plt", "platelet", "platelet_count", "platelets_count", "plt_count", "count", "thrombocytes"),
    "bleeding_grade": (*("bleeding", "who_bleeding", "bleeding_score", "who_grade", "bleed_grade", "bleeding_who"),),
    "rescue": ("rescue_therapy", "rescue_treatment", "rescue_medication", "rescue_drug"),
    "rescue_end": ("rescue_end_date", "rescue_end_day", "rescue_stop"),
    "arm": ("treatment_arm", "group", "treatment_group", "trt", "trt01p", "actarm"),
    "enrolment_date": (
        *("enrollment_date", "date_of_enrolment", "date_of_enrollment"),
        *("randomisation_date", "randomization_date", "rfstdtc"),
    ),
    "enrolment_day": ("enrollment_day", "day_of_enrolment", "day_of_enrollment"),
    "baseline": ("baseline_platelets", "baseline_plt", "base"),
    "treatment_discontinued": (
        *("discontinued", "treatment_discontinued_date", "treatment_discontinued_day"),
        *("discontinuation_date", "discontinuation_day"),
    ),
    "birth_date": ("birthdate", "date_of_birth", "dob", "brthdtc"),
    "death_date": ("deathdate", "date_of_death", "dod", "dthdtc"),
    "event": ("adverse_event", "aedecod"),
    "grade": ("ctcae_grade", "aetoxgr"),
}
"""Other names under which a column is known. Case, spaces, `-` and `_` do not matter.

CDISC's study days (`LBDY`, `ADY`) are not among them: they have no day 0.
"""
REASON = "rescue_reason"
"""In the frame of visits: why a rescue treatment was given; looked at by `review` alone."""
STOPPED_BY = "DSSEQ"
"""In the frame of a study's patients: the number of the record that says that treatment was stopped."""
STUDY_DAYS = ("lbdy", "ady", "visitdy")


@dataclass(frozen=True)
class Doubt:
    """What was found wrong with rows of a table while it was made; an entry per row."""

    name: str
    """The column it stands in."""
    values: "pl.Series"
    rows: Bools
    wording: Callable[[str], str]


@dataclass(frozen=True)
class Table:
    """A table's columns by their names."""

    place: Place
    frame: "pl.DataFrame"
    header: Mapping[str, str]
    """What each column is called in the table."""
    written: Sequence[str] = ()
    """All columns of the table, as they are called in it."""
    doubts: Sequence[Doubt] = ()

    def has(self, name: str) -> bool:
        return name in self.header

    def cells(self, name: str) -> Cells:
        """The column of that name; of one that is missing all cells are empty."""
        import polars as pl

        if not self.has(name):
            return Cells(self.place, name, pl.Series([None], dtype=pl.String).new_from_index(0, len(self.frame)))
        return Cells(self.place, self.header[name], self.frame[name])

    def tell_doubts(self, found: Findings) -> None:
        """Say what was found wrong while the table was made."""
        for one in self.doubts:
            found.wrong_cells(Cells(self.place, one.name, one.values), np.flatnonzero(one.rows), one.wording)

    def only(self, rows: Ints) -> "Table":
        """The table of these rows alone."""
        doubts = [replace(one, values=one.values.gather(rows), rows=one.rows[rows]) for one in self.doubts]
        return replace(self, place=self.place.only(rows), frame=self.frame[rows], doubts=doubts)

    def with_empty_row(self) -> "Table":
        """The table with an empty row at its end, which stands for those who are not in it."""
        import polars as pl

        return replace(self, frame=pl.concat([self.frame, self.frame.clear(1)]))


def no_table(order: int, name: str) -> Table:
    """A table without columns or rows."""
    import polars as pl

    return Table(Place(name, order), pl.DataFrame({"": []}), {})


def table(
    given: Tabular, what: str, order: int, names: Sequence[str], declared: Iterable[str], found: Findings
) -> Table | None:
    """The columns of these names, and those declared, of a table; None: it cannot be opened, as was found."""
    import polars as pl

    if hasattr(given, "as_table"):
        arranged: Any = given
        made: Table | None = arranged.as_table(order, (*names, *declared), found)
        return made
    try:
        source = opened(given, what)
        place = Place(source.name, order, source.row_word, source.lines)
        if not source.header:
            raise CohortError(f"{source.name}: there are no rows.")
        chosen = _chosen(source.header, names, declared, place, found)
        positions = sorted(set(chosen.values()))
        frame = source.load(positions or [0])
    except CohortError as error:
        found.failed(order, error)
        return None
    tell_of_file(source, place, found, patient_first=chosen.get("patient_id") == 0)
    if not len(frame) and not source.problems:
        found.wrong(place, "there is no row below the header." if source.row_word == "line" else "there are no rows.")
    if chosen:
        frame = frame.select(pl.col(str(position)).alias(name) for name, position in chosen.items())
    return Table(place, frame, {name: source.header[position] for name, position in chosen.items()}, source.header)


def tell_of_file(source: Opened, place: Place, found: Findings, *, patient_first: bool) -> None:
    """What was noticed while a file was opened, and what is wrong with its lines, where the patient may stand first."""
    for text in source.notes:
        found.note(place, text)
    if not source.torn:
        for line, text in source.problems:
            found.wrong(place, text, line)
    # The first cell of a torn row is the one that is sure to be in its place.
    for (line, text), (raw, cell) in zip(source.problems, source.torn, strict=bool(source.torn)):
        found.tear(Torn(place, line, text, raw, (cell or None) if patient_first else None))


def _chosen(
    header: Sequence[str], names: Sequence[str], declared: Iterable[str], place: Place, found: Findings
) -> dict[str, int]:
    """Of each name, the position of its column; what is ambiguous is found wrong."""
    chosen = {}
    for name in dict.fromkeys((*names, *declared)):
        columns = fitting(name, header)
        if len(columns) > 1:
            several = [header[column] for column in columns]
            cure = "keep one" if name in several else f"keep one, or name it {name!r}"
            which = "both" if len(several) == 2 else "all"
            found.wrong(place, f"the columns {' and '.join(map(repr, several))} {which} fit {name}; {cure}.")
        if columns:
            chosen[name] = columns[0]
            if _folded(header[columns[0]]) != _folded(name):
                found.note(place, f"{header[columns[0]]!r} was taken as {name}.")
    return chosen


def fitting(name: str, header: Sequence[str]) -> list[int]:
    """The columns that fit a name best: written like it, or but for case and `_`, or as one of its aliases."""
    aliases = {_folded(alias) for alias in ALIASES.get(name, ())}
    ways: Any = (
        lambda written: written == name,
        lambda written: _folded(written) == _folded(name),
        lambda written: _folded(written) in aliases,
    )
    for fits in ways:
        columns = [column for column, written in enumerate(header) if fits(written)]
        if columns:
            return columns
    return []


def _folded(name: str) -> str:
    return "".join(name.lower().split()).replace("_", "").replace("-", "")


def missing(name: str, written: Sequence[str], *instead: str) -> str:
    """What to say of a column that is not there: what is, and what is near; another would do `instead`."""
    near = [nearest(one, written) for one in (name, *instead)]
    for alias in (alias for one in (name, *instead) for alias in ALIASES.get(one, ())):
        # Aliases are many, so that only what is very like one is likely to be meant.
        near.extend(nearest(alias, [found]) for found in get_close_matches(alias, written, 1, cutoff=0.8))
    what = " or ".join(map(repr, (name, *instead)))
    return f"the column {what} is missing; there are: {', '.join(written)}.{next(filter(None, near), '')}"
