"""The definitions of criteria/atra_2022.toml as a plain loop: one patient and one row after the other."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from polars_scans import VERDICTS

NEVER = 10**9


class Row(NamedTuple):
    day: int
    count: float | None
    bleeding: bool | None
    rescue: bool
    rescue_end: int

    @property
    def late(self) -> bool:
        return self.rescue and self.day >= 36


def classify(visits: Path, patients: Path, out: Path, most: int | None = None) -> None:
    """The verdicts on the first patients of a file, as a file."""
    with visits.open() as of_visits, patients.open() as of_patients, out.open("w") as written:
        by_patient = itertools.groupby(csv.DictReader(of_visits), key=lambda row: row["patient_id"])
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(["patient_id", *VERDICTS])
        for patient in itertools.islice(csv.DictReader(of_patients), most):
            name, lines = next(by_patient)
            assert name == patient["patient_id"], name
            rows = [_row(line) for line in lines]
            baseline = float(patient["baseline"]) if patient["baseline"] else None
            verdicts = decided(rows, baseline, bool(patient["treatment_discontinued"]))
            writer.writerow([name, *(verdicts.get(column) for column in VERDICTS)])


def _row(line: dict[str, str]) -> Row:
    day, grade = int(line["day"]), line["bleeding_grade"]
    return Row(
        day,
        float(line["platelets"]) if line["platelets"] else None,
        int(grade) >= 1 if grade else None,
        bool(line["rescue"]),
        int(line["rescue_end"] or day),
    )


def decided(rows: list[Row], baseline: float | None, discontinued: bool) -> dict[str, Any]:
    """The verdicts on a patient by name; those without a day have none."""
    followed = any(row.day >= 337 and row.count is not None for row in rows)
    late = any(row.late for row in rows)
    verdicts: dict[str, Any] = {"late_rescue": "Y" if late else "N" if followed else "NE"}
    reached, could = _first_pair(rows, baseline, certain=True), _first_pair(rows, baseline, certain=False)
    closed = any(row.late and row.day <= 365 for row in rows)
    if discontinued or (reached is None and (closed or (followed and could is None))):
        others = dict.fromkeys(("OR", "CR", "SR", "remission"), "N")
        return verdicts | others | {"relapse": "NA", "best_response": "NR"}
    if reached is None:
        return verdicts | dict.fromkeys(("OR", "CR", "SR", "remission", "relapse", "best_response"), "NE")
    return verdicts | _of_responder(rows, *reached, followed)


def _washed_out(rows: list[Row], row: Row) -> bool:
    return any(other.rescue and other.day < row.day <= other.rescue_end + 35 for other in rows)


def _first_pair(rows: list[Row], baseline: float | None, *, certain: bool) -> tuple[int, int] | None:
    """First and confirming day of a response; if not `certain`, of one that there may have been."""
    first = None
    for row in rows:
        if row.late or row.day > 365:
            break
        if row.day < 1:
            continue
        state = _responding(row, baseline)
        if state is False:
            first = None
        shows = state if certain or row.count is None else state is not False
        if shows and not _washed_out(rows, row):
            first = row.day if first is None else first
            if row.day - first >= 7:
                return first, row.day
    return None


def _responding(row: Row, baseline: float | None) -> bool | None:
    enough: bool | None
    if row.count is None:
        enough = None
    elif row.count >= 100 or row.count < 30:
        enough = row.count >= 100
    else:
        enough = None if baseline is None else row.count >= 2 * baseline
    return _all(enough, None if row.bleeding is None else not row.bleeding)


def _all(*states: bool | None) -> bool | None:
    return False if False in states else None if None in states else True


def _kept(row: Row, rescued: bool) -> bool | None:
    above = None if row.count is None else row.count > 30
    return _all(above, None if row.bleeding is None else not row.bleeding, not rescued)


def _of_responder(rows: list[Row], first: int, confirmed: int, followed: bool) -> dict[str, Any]:
    year = [row for row in rows if row.day <= 365]
    losses = (row.day for row in year if row.day > confirmed and (_low(row) or row.bleeding or row.late))
    relapse = next(losses, None)
    good = [row.day for row in year if first <= row.day < (relapse or NEVER) and _complete(rows, row)]
    complete = bool(good) and good[-1] - good[0] >= 7
    counted = [row.day for row in year if row.count is not None]
    end = counted[-1] if relapse is None else relapse
    return {
        "best_response": "CR" if complete else "R",
        "OR": "Y",
        "OR_day": first,
        "OR_confirmed_day": confirmed,
        "CR": "Y" if complete else "N" if relapse is not None or followed else "NE",
        "CR_day": good[0] if complete else None,
        "SR": _sustained(rows, first),
        "relapse": "N" if relapse is None and followed else "NE" if relapse is None else "Y",
        "relapse_day": relapse,
        "remission": _remission(rows, first),
        "TTR_days": first,
        "DOR_days": end - first,
        "DOR_event": int(relapse is not None),
    }


def _low(row: Row) -> bool:
    return row.count is not None and row.count < 30


def _complete(rows: list[Row], row: Row) -> bool:
    return row.count is not None and row.count >= 100 and row.bleeding is False and not _washed_out(rows, row)


def _sustained(rows: list[Row], first: int) -> str:
    due = first + 182
    if due > 365:
        return "N"
    last, gap = first, 0
    for day, kept in _states(rows, first, 393):
        if not kept:
            return "N"
        gap, last = max(gap, day - last), day
        if day >= due:
            return "Y" if gap <= 56 else "NE"
    return "NE"


def _states(rows: list[Row], begin: int, end: int) -> Iterator[tuple[int, bool]]:
    for row in rows:
        kept = _kept(row, row.rescue)
        if begin <= row.day <= end and kept is not None:
            yield row.day, kept


def _remission(rows: list[Row], first: int) -> str:
    states = [(row.day, _kept(row, row.late)) for row in rows if first <= row.day <= 393]
    if any(kept is False for _, kept in states):
        return "N"
    return "Y" if any(kept and day >= 337 for day, kept in states) else "NE"
