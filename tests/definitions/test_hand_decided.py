"""Results that were decided by hand, in `itp_response/validation/hand_decided.csv`, decided twice."""

from functools import cache

import pytest
from worked import patient_of

from itp_response.definitions.load import load, shipped
from itp_response.validation import literal
from itp_response.validation.hand_decided import (
    CELLS,
    GivenPatient,
    HandDecided,
    by_name,
    cell_text,
    decided_cells,
    engine_cells,
    given_patient,
    hand_decided,
)

ROWS = hand_decided()


def told(row: HandDecided) -> str:
    """The line as a failure names it."""
    return f"{row['set']}, {row['endpoint']} of {row['timeline']}: {row['because']} ({row['source']})"


decided = cache(engine_cells)


@cache
def read_literally(name: str, patient: GivenPatient) -> dict[str, literal.LiteralVerdict] | None:
    """The verdicts by the literal reading; None where bounds leave more completions than it tries."""
    criteria = load(name)
    try:
        return literal.verdicts(criteria.raw, patient_of(by_name(patient), criteria))
    except literal.TooManyCompletionsError:
        return None


def engine(row: HandDecided) -> HandDecided:
    """What the engine gives for the cells that were decided by hand."""
    cells = decided(row["set"])[given_patient(row)]
    return {heading: cell_text(cells[CELLS[heading].format(row["endpoint"])]) for heading in decided_cells(row)}


by_hand = pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{row['set']}-{row['endpoint']}-{row['timeline']}") for row in ROWS]
)


class TestByHand:
    """The engine and the literal reading decide each line as the hand did."""

    @by_hand
    def test_engine(self, row: HandDecided) -> None:
        assert engine(row) == decided_cells(row), told(row)

    @by_hand
    def test_literal_reading(self, row: HandDecided) -> None:
        verdicts = read_literally(row["set"], given_patient(row))
        if verdicts is None:
            pytest.skip("bounds leave more completions than the literal reading tries")
        verdict = verdicts[row["endpoint"]]
        cells = {
            "value": verdict.value,
            "day": verdict.day,
            "confirmed": verdict.confirming,
            "reason": verdict.reason,
            "days": verdict.days,
            "of_days": verdict.of_days,
            "event": {"Y": 1, "N": 0}.get(verdict.value),
        }
        assert {heading: cell_text(cells[heading]) for heading in decided_cells(row)} == decided_cells(row), told(row)


class TestTable:
    """The table itself: each line has its set, its source, its reason and something that is decided."""

    def test_every_line_is_whole(self) -> None:
        assert [row for row in ROWS if row["set"] not in shipped() or not row["source"] or not row["because"]] == []
        assert [row for row in ROWS if not decided_cells(row)] == []

    def test_no_verdict_stands_twice(self) -> None:
        verdicts = [(row["set"], row["endpoint"], given_patient(row)) for row in ROWS]
        assert len(set(verdicts)) == len(verdicts)
