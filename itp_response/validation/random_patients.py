"""Random patients for a set of criteria, by a seed: visits about its plan, counts about the thresholds and far off."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any, TypeVar

import numpy as np

from itp_response.validation.literal import Cell, Observation, Patient

T = TypeVar("T")

THRESHOLDS = (10, 20, 30, 50, 100, 150, 250, 400)
BESIDE = (0, 0, -0.1, 0.1, -1, 1)
BASELINES = (7, 12, 14.9, 15, 15.5, 20, 25, 30, 49, 50, 60)
USUAL = {"low": 12, "middle": 42, "high": 130}
"""Far from the thresholds, counts lie about these."""
JITTER = (0, 0, 0, 0, -3, -1, 1, 2)
RESCUES = (None, "IVIg", "dexamethasone", "platelet transfusion")
ENDS = (None, 0, 1, 4, 35)
NUMBERS = (0, 5, 10, 50)
DAYS = ("days", "within", "until", "by", "day", "followed_from", "evidence_by")
"""Keys of an endpoint that are days."""


def random_patients(raw: Mapping[str, Any], number: int, seed: int) -> list[Patient]:
    """So many patients, the same for the same seed; `raw` is the content of the criteria file."""
    maker = _Maker(raw, np.random.default_rng(seed))
    return [maker.patient() for _ in range(number)]


class _Maker:
    """Draws patients; one is steady, rarely seen, often rescued or the like, so that there are all kinds of them."""

    def __init__(self, raw: Mapping[str, Any], random: np.random.Generator) -> None:
        self.random = random
        tables = [table for table in raw.values() if isinstance(table, dict) and "kind" in table]
        found = [raw["clock"]["followed_from"], *(table.get(key) for table in tables for key in DAYS)]
        self.turns = sorted({int(day) for entry in found for day in _days_in(entry)})
        """Days on which something of the definitions begins or ends."""
        last = max(self.turns)
        self.plan = raw["clock"].get("visits") or [*range(0, min(56, last), 7), *range(56, last + 29, 28)]
        listed = [name for names in raw.get("rescues", {}).values() for name in names]
        self.rescue_names = [*RESCUES, *listed, *(name.upper() for name in listed)]
        columns = raw.get("columns", {})
        self.of_visits = {name: one for name, one in columns.items() if one.get("table", "visits") == "visits"}
        self.of_patients = {name: one for name, one in columns.items() if name not in self.of_visits}

    def pick(self, values: Sequence[T]) -> T:
        return values[int(self.random.integers(len(values)))]

    def once_in(self, times: float) -> bool:
        return bool(self.random.random() * times < 1)

    def any_day(self) -> int:
        if self.once_in(2):
            return self.pick(self.turns) + self.pick([-1, 0, 0, 1])
        return int(self.random.integers(-3, max(self.plan) + 1))

    def patient(self) -> Patient:
        baseline, steady = self.pick(BASELINES), self.once_in(3)
        found = list(self.visits(baseline, steady))
        found += [] if steady and not self.once_in(3) else self.uncounted()
        found = self.with_censored(found) if self.once_in(5) else found
        found = self.with_columns(found) if self.of_visits else found
        return Patient(
            tuple(found),
            baseline=self.pick([None, None, baseline, "<10", 20] if self.once_in(8) else [None, None, baseline]),
            treatment_discontinued=self.any_day() if self.once_in(10) else None,
            columns={name: self.cell(one, often=self.pick([0.2, 0.8])) for name, one in self.of_patients.items()},
            day_0=self.pick([datetime.date(2023, 8, 31), datetime.date(2024, 1, 31), datetime.date(2025, 2, 1)]),
        )

    def visits(self, baseline: float, steady: bool) -> Iterator[Observation]:
        """The planned visits up to the end of follow-up, some moved, some missed, and a few days beside them.

        Counts of a steady patient rise once, and as a rule stay high.
        """
        near, missed, unscored, bleeds = (
            self.pick(shares) for shares in ([0.1, 0.5, 0.9], [0, 0.1, 0.4], [0, 0, 0.1, 0.6, 1], [0, 0.03, 0.2])
        )
        near, bleeds = (0.02, 0) if steady else (near, bleeds)
        last, moving, usual, changes = self.end(), self.once_in(2), "low", 4
        risen = self.pick(self.plan[: len(self.plan) // 2]) if steady else None
        before = [self.pick([-20, -7, -1])] if self.once_in(2) else []
        unplanned = [self.any_day() for _ in range(self.pick([0, 0, 1, 2]))]
        for day in sorted([*before, *self.plan, *unplanned, *([last] if self.once_in(2) else [])]):
            usual = self.pick(list(USUAL)) if self.once_in(changes) else usual
            usual, changes = ("high", 60) if day == risen else (usual, changes)
            moved = day + (self.pick(JITTER) if moving and day > 0 else 0)
            if moved > last or self.random.random() < missed:
                continue
            for _ in range(2 if self.once_in(40) else 1):
                grade = self.pick([1, 2, 3]) if self.random.random() < bleeds else 0
                yield Observation(
                    moved,
                    baseline if day <= 0 and not self.once_in(6) else self.count(baseline, usual, near),
                    None if self.random.random() < unscored else grade,
                )

    def end(self) -> int:
        """The last day of follow-up; that of most patients lies beyond the last bound."""
        return self.any_day() if self.once_in(3) else max(*self.plan, *self.turns) + 30

    def count(self, baseline: float, usual: str, near: float) -> float:
        if self.random.random() < near:
            return max(self.pick([*THRESHOLDS, baseline + 20, 2 * baseline, 2 * baseline]) + self.pick(BESIDE), 0)
        return round(float(USUAL[usual] * np.exp(self.random.normal(0, 0.3))))

    def uncounted(self) -> Iterator[Observation]:
        """Rescue treatments, with a count or alone on their days, and bleeding between visits."""
        for _ in range(self.pick([0, 0, 0, 1, 1, 2, 3])):
            day = self.pick(self.plan) if self.once_in(3) else self.any_day()
            length, count = self.pick(ENDS), self.pick([None, None, *USUAL.values()])
            end = None if length is None else day + length
            yield Observation(day, count, rescue=True, rescue_end=end, rescue_name=self.pick(self.rescue_names))
        for _ in range(self.pick([0, 0, 0, 1, 2])):
            yield Observation(self.any_day(), None, self.pick([0, 1, 2, 4]))

    def with_censored(self, found: list[Observation]) -> list[Observation]:
        """One or two counts are known as bounds alone."""
        for _ in range(self.pick([1, 1, 2])):
            counted = [position for position, one in enumerate(found) if one.platelets is not None]
            if counted:
                position = self.pick(counted)
                found[position] = replace(found[position], platelets=f"{self.pick('<>')}{self.pick([*THRESHOLDS, 31])}")
        return found

    def with_columns(self, found: list[Observation]) -> list[Observation]:
        often = {name: self.pick([0.02, 0.1, 0.9]) for name in self.of_visits}
        alone = [Observation(self.any_day()) for _ in range(self.pick([0, 0, 1]))]
        return [
            replace(seen, columns={name: self.cell(one, often[name]) for name, one in self.of_visits.items()})
            for seen in (*found, *alone)
        ]

    def cell(self, column: Mapping[str, Any], often: float) -> Cell:
        """A cell of a declared column; empty as a rule where it is not said so often."""
        if self.random.random() > often:
            return False if column["type"] == "truth" and self.once_in(3) else None
        if column["type"] == "truth":
            return True
        return self.pick([*NUMBERS, *self.turns]) if column["type"] == "number" else self.pick(["A", "B"])


def _days_in(entry: Any) -> list[float]:
    """The days in an entry of the file: one, a pair, or none."""
    entries = entry if isinstance(entry, list) else [entry]
    return [day for day in entries if isinstance(day, int | float) and isfinite(day)]
