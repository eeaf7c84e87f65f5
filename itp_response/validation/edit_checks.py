"""Edit checks: each made to fire, and not to fire, on an observation built for it."""

import csv
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl
from pydantic import Field

from itp_response.cohort.notation import cohort_of
from itp_response.data_review.review import PRIORITY, review
from itp_response.definitions.criteria import Criteria, read_dict
from itp_response.definitions.load import load
from itp_response.messages.errors import UsageError
from itp_response.messages.strict_model import StrictModel
from itp_response.messages.toml_file import checked_by, load_toml, tupled
from itp_response.readers.options import ReadOptions
from itp_response.validation.section import compared

CASES = Path(__file__).with_name("edit_check_cases.toml")
PLANNED_BY = "atra_2022"
"""The set whose visits are planned, and whose results are reviewed."""
COLUMNS = ("check", "priority", "because", "observations", "expected", "got")
FIRES, DOES_NOT = "fires", "does not fire"


class BuiltCase(StrictModel):
    """Observations built for an edit check: a timeline, or the lines of a study's tables."""

    check: str
    expect: Literal["fires", "does not fire"]
    because: str
    timeline: str = ""
    visits: tuple[str, ...] = ()
    """The lines of the table of visits, header first, as of a CSV file."""
    patients: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    """The checks of reading that are accepted."""
    columns: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Columns that the criteria set declares in addition."""

    @property
    def observations(self) -> str:
        """The case as it is printed."""
        patients = f"; patients: {' | '.join(self.patients)}" if self.patients else ""
        return self.timeline or f"{' | '.join(self.visits)}{patients}"


class BuiltCases(StrictModel):
    """The file of built cases."""

    case: tuple[BuiltCase, ...]


@cache
def built_cases() -> tuple[BuiltCase, ...]:
    """The built cases that are shipped."""
    content, positions = load_toml(CASES, UsageError)
    return checked_by(BuiltCases, tupled(content), content, positions, UsageError).case


def edit_check_results() -> pl.DataFrame:
    """A row per built case: whether the edit check fired."""
    return compared(COLUMNS, _rows())


def _rows() -> Iterator[tuple[Any, ...]]:
    fired = _fired(built_cases())
    for check, priority in PRIORITY.items():
        for case in (one for one in built_cases() if one.check == check):
            got = FIRES if (case.observations, check) in fired else DOES_NOT
            yield check, priority, case.because, case.observations, case.expect, got


def _fired(cases: Sequence[BuiltCase]) -> set[tuple[str, str]]:
    """The edit checks that fire, each with the observations; timelines are the patients of one cohort."""
    criteria = load(PLANNED_BY)
    timelines = list(dict.fromkeys(case.timeline for case in cases if case.timeline))
    cohort = cohort_of(timelines, visits=criteria.file.clock.visits, ids=timelines)
    of_timelines = review(cohort, criteria=criteria).frame().select("patient_id", "check")
    fired = set(of_timelines.iter_rows())
    for case in cases:
        if not case.timeline:
            fired |= {(case.observations, check) for check in _of_tables(case)}
    return fired


def _of_tables(case: BuiltCase) -> list[str]:
    """The edit checks that fire on the tables of a case."""
    patients = list(csv.DictReader(case.patients)) or None
    visits = list(csv.DictReader(case.visits))
    reviewed = review(visits, patients, _criteria(case), options=ReadOptions(accept=case.accept))
    return reviewed.frame()["check"].to_list()


def _criteria(case: BuiltCase) -> Criteria:
    criteria = load(PLANNED_BY)
    if not case.columns:
        return criteria
    raw = {**criteria.raw, "columns": {**criteria.raw["columns"], **case.columns}}
    return read_dict(raw, criteria.path, criteria.name, whole=False)
