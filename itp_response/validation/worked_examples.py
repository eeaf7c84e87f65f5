"""Worked examples: every cell that they expect, decided on this machine."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from itp_response.authoring.check import compared_cells
from itp_response.definitions.criteria import Criteria, read_dict
from itp_response.definitions.schema import WorkedExample
from itp_response.messages.errors import CriteriaError
from itp_response.messages.toml_file import load_toml
from itp_response.validation.section import compared

EXAMPLE = "example"
COLUMNS = ("set", EXAMPLE, "because", "timeline", "given", "interpretation", "column", "expected", "got")


def worked_example_results(sets: Sequence[Criteria]) -> pl.DataFrame:
    """A row for each cell that a worked example of these sets expects."""
    return compared(COLUMNS, (row for criteria in sets for row in _rows(criteria)))


def _rows(criteria: Criteria) -> Iterator[tuple[Any, ...]]:
    for cell in compared_cells(criteria):
        one = cell.example
        about = (criteria.marked_name, one.name, one.because, one.timeline, given(one), cell.interpretation)
        yield (*about, cell.column, cell.expected, cell.got)


def given(example: WorkedExample) -> str:
    """What a worked example says beside its timeline."""
    said: dict[str, Any] = {
        "baseline": example.baseline,
        "treatment_discontinued": example.treatment_discontinued,
        "day_0": example.day_0,
        **example.patient,
    }
    return "; ".join(f"{name} {value}" for name, value in said.items() if value is not None)


def with_examples(criteria: Criteria, path: str | Path) -> Criteria:
    """The set with the worked examples of a file in place of its own.

    Raises `CriteriaError` for a file without worked examples or with anything else in it, and for an example that
    cannot be used.
    """
    path = Path(path)
    content, positions = load_toml(path, CriteriaError)
    if others := [key for key in content if key != EXAMPLE]:
        raise CriteriaError(f"{positions.holding(others[0])}'{others[0]}': this file may hold [[example]] tables only.")
    if not content.get(EXAMPLE):
        raise CriteriaError(
            f"{path.name}: there are no worked examples; add [[example]] tables, as in a criteria file."
        )
    raw = {**criteria.raw, **content}
    return read_dict(raw, criteria.path, criteria.name, positions, whole=True)
