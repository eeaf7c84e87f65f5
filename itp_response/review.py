"""Review: what a careful data manager would ask before lock; every finding with its place and its rule."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itp_response.classify import Classification, aligned, write
from itp_response.classify import classify as classified
from itp_response.cohort import Cohort, Ints
from itp_response.criteria import Criteria, load
from itp_response.queries import queries
from itp_response.readers.cells import as_day_numbers, is_empty
from itp_response.readers.findings import Findings, as_text
from itp_response.readers.names import table
from itp_response.readers.patients import places
from itp_response.readers.sdtm import is_study
from itp_response.rules import Floats
from itp_response.suspects import COLUMNS, RULES, Seen, said
from itp_response.words import counted

if TYPE_CHECKING:
    import polars as pl

LIVED = ("patient_id", "birth_date", "death_date")
TOLD = (
    *("bleeding", "bleeding_site", "bleeding_sites", "bleeding_event", "bleeding_term", "bleeding_type"),
    *("bleeding_description", "bleeding_reported", "bleeding_yn"),
)
"""Columns of the visits that say that there was bleeding, beside one that grades it."""
NO_BLEEDING = ("0", "no", "n", "none", "false", "na", "n/a", "nan", "null", ".", "not done", "unknown")
UNGRADED = "bleeding_without_a_grade"


@dataclass(frozen=True)
class Review:
    """What is to be asked of a study; `str()` is a table for people, `frame()` the same as data."""

    found: Classification
    ungraded: "pl.DataFrame"
    """Bleeding that was told without a grade, as findings; none where the visits have no such column."""
    born: Floats
    died: Floats

    @property
    def cohort(self) -> Cohort:
        return self.found.cohort

    @cached_property
    def _frame(self) -> "pl.DataFrame":
        import polars as pl

        planned = np.unique(np.array(self.found.criteria.file.clock.visits, dtype=np.int64))
        seen = Seen(self.cohort, planned, self.born, self.died)
        found = [rule.find(seen).with_columns(pl.lit(rule.name).alias("rule")) for rule in RULES]
        findings = pl.concat([one.select(COLUMNS) for one in (*found, self.ungraded)])
        ids = self.cohort.id.alias("patient_id").to_frame().with_row_index("place")
        placed = findings.join(ids, on="patient_id", how="left", maintain_order="left")
        return placed.sort("place", "day", maintain_order=True, nulls_last=True).drop("place")

    def frame(self) -> "pl.DataFrame":
        """A row per finding, by patient and day.

        `patient_id`, `rule`, `day`, `file`, `line`, `column`, `value` as recorded (null: nothing was), `says`.
        """
        return self._frame

    @cached_property
    def _queries(self) -> "pl.DataFrame":
        return queries(self.found)

    def queries(self) -> "pl.DataFrame":
        """A row per patient and criterion that is not evaluable: which single observation would settle it.

        `patient_id`, `criterion`, `reason`, `settled_by` (null: no single one would), `day`, `file`, `line` (null: not
        in the file yet), `asks`, `also` (how many other single observations would do as well).
        """
        return self._queries

    def write(self, path: str | Path) -> None:
        """Write `frame()` to a `.csv`, `.json` or `.parquet` file, whole or not at all."""
        write(self.frame(), path, self.found.provenance())

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        found = self.frame()
        patients = counted(found["patient_id"].n_unique(), "patient")
        yield f"{counted(len(found), 'finding')} in {patients} of {len(self.cohort):,}"
        word = f"{self.cohort.row_word} " if self.cohort.origin is None else ""
        place = said(f"{{}} {word}{{}}", found["file"], found["line"])
        cells = zip(found["patient_id"], found["rule"], found["says"], place, strict=True)
        if len(found):
            yield aligned([[f"  {patient}", rule, says, where] for patient, rule, says, where in cells])
        if self.cohort.notes:
            yield from ("", *self.cohort.told)


def review(
    visits: Any,
    patients: Any = None,
    criteria: str | Path | Criteria = "atra_2022",
    *,
    date_format: str | None = None,
    bleeding: Any = None,
    impute: Any = None,
    on_error: Any = "stop",
) -> Review:
    """What is to be asked of a study before it is decided: findings, and queries on what is not evaluable.

    `visits` is a `Cohort`, or whatever `read` takes; of a `Cohort` or an SDTM study, dates of birth and death and
    bleeding without a grade are not looked at.
    `criteria` gives the planned visits, and the verdicts that the queries are about.
    """
    definitions = criteria if isinstance(criteria, Criteria) else load(criteria)
    options = {"date_format": date_format, "bleeding": bleeding, "impute": impute, "on_error": on_error}
    found = classified(visits, patients, definitions, **options)
    tables = not isinstance(visits, Cohort) and not is_study(visits)
    return Review(
        found,
        _ungraded(visits, found.cohort) if tables else _no_findings(),
        *(_lived(patients, found.cohort, date_format) if tables and patients is not None else _unknown(found.cohort)),
    )


def _unknown(cohort: Cohort) -> tuple[Floats, Floats]:
    nothing = np.full(len(cohort), np.nan)
    return nothing, nothing


def _no_findings() -> "pl.DataFrame":
    import polars as pl

    types = {name: pl.Int64() if name in ("day", "line") else pl.String() for name in COLUMNS}
    return pl.DataFrame(schema=types)


def _lived(patients: Any, cohort: Cohort, date_format: str | None) -> tuple[Floats, Floats]:
    """The days of birth and of death counted from day 0: the earliest birth and the latest death that were possible.

    Raises `CohortError` for what is no date.
    """
    found = Findings()
    known = table(patients, "patients", 1, LIVED, (), found)
    found.raise_if_wrong()
    assert known is not None
    ids = as_text(known.cells("patient_id").values)
    first = (ids.is_not_null() & ids.is_first_distinct()).arg_true()
    row = places(cohort.id, ids.gather(first))
    at = first.to_numpy()[row] if len(first) else row
    birth, death = (as_day_numbers(known.cells(name), found, date_format) for name in LIVED[1:])
    found.raise_if_wrong()
    since = cohort.day_0.astype("datetime64[D]").astype(np.int64)
    lacking = (row < 0) | np.isnat(cohort.day_0)
    born, died = (np.where(lacking, np.nan, days[at] - since) for days in (birth.low, death.high))
    return born, died


def _ungraded(visits: Any, cohort: Cohort) -> "pl.DataFrame":
    """Bleeding that some column tells of in a line that gives no grade."""
    import polars as pl

    found = Findings()
    told = table(visits, "visits", 0, ("patient_id", "bleeding_grade", *TOLD), (), found)
    found.raise_if_wrong()
    assert told is not None
    ids = as_text(told.cells("patient_id").values)
    lines = told.place.all_lines(np.arange(len(ids)))
    findings = [_no_findings()]
    for name in filter(told.has, TOLD):
        text = as_text(told.cells(name).values)
        bleeds = (text.is_not_null() & ~text.str.to_lowercase().is_in(NO_BLEEDING)).to_numpy()
        rows = np.flatnonzero(bleeds)
        rows = rows[is_empty(told.cells("bleeding_grade"), rows)]
        values = text.gather(rows)
        findings.append(
            pl.DataFrame(
                {
                    "patient_id": ids.gather(rows),
                    "rule": pl.Series([UNGRADED]).new_from_index(0, len(rows)),
                    "day": _days_of(cohort, lines[rows]),
                    "file": pl.Series([told.place.name]).new_from_index(0, len(rows)),
                    "line": pl.Series(lines[rows], dtype=pl.Int64),
                    "column": pl.Series([told.cells(name).name]).new_from_index(0, len(rows)),
                    "value": values,
                    "says": said("bleeding ({}) without a grade: of which grade was it?", values),
                }
            )
        )
    return pl.concat(findings)


def _days_of(cohort: Cohort, lines: Ints) -> "pl.Series":
    """The day of each line; null where nothing was taken from it."""
    import polars as pl

    row = np.repeat(np.arange(len(cohort.day)), np.diff(cohort.first_line))
    known = pl.DataFrame({"line": cohort.lines.astype(np.int64), "day": cohort.day[row].astype(np.int64)})
    asked = pl.DataFrame({"line": lines.astype(np.int64)})
    one_day = known.unique("line", keep="none")
    return asked.join(one_day, on="line", how="left", maintain_order="left")["day"]
