"""Invented cohorts of any size, for timing.

The patients are a mixture (non-responders, sustained and late responders, relapsers, patients who hover about the
threshold, patients who drop out), so that every value of every verdict is common.
They are not meant to look like the patients of any trial.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

SCHEDULED = (7, 14, 21, 28, 42, 56, 70, 84, 98, 112, 126, 140, 154, 168, 196, 224, 252, 280, 308, 336, 364)
UNSCHEDULED = (35, 49, 77, 182, 238, 294)
AFTER_THE_YEAR = (378, 392, 420)

# Visits lie a week apart or more, so that shifting each by up to three days keeps the days of a patient distinct.
JITTER = 3

# share of the patients, first and last day on which the response begins, and on which it is lost again
NEVER = (100_000, 100_000)
COURSES: dict[str, tuple[float, tuple[int, int], tuple[int, int]]] = {
    "non_responder": (0.30, NEVER, NEVER),
    "sustained": (0.28, (1, 50), NEVER),
    "relapser": (0.20, (1, 60), (80, 360)),
    "brief": (0.06, (1, 40), (50, 75)),
    "late": (0.10, (100, 340), NEVER),
    "about_30": (0.06, (1, 50), NEVER),
}


def make_cohort(patients: int, visits: int = 20, seed: int = 1) -> dict[str, Array]:
    """A cohort of `patients` patients with `visits` rows each on average, `patients * visits` in all.

    Visit columns (`patient`, `day`, `platelets`, `bleeding_grade`, `rescue`, `rescue_end`) have one entry per row,
    sorted by patient and day; `baseline` and `treatment_discontinued` have one entry per patient.
    NaN is what was not observed. `rescue_end` is the last day of the course begun on that day, and the day itself
    where none was begun.
    """
    if patients < 1 or visits < 1:
        raise ValueError("a cohort needs at least one patient and one visit")
    rng = np.random.default_rng(seed)

    course = rng.choice(len(COURSES), patients, p=[share for share, _, _ in COURSES.values()])
    onset = _days_between(rng, np.array([onset for _, onset, _ in COURSES.values()])[course])
    loss = _days_between(rng, np.array([loss for _, _, loss in COURSES.values()])[course])
    last_seen = np.where(rng.random(patients) < 0.18, rng.integers(10, 400, patients), 100_000)

    untreated = np.clip(np.rint(rng.normal(15, 6, patients)), 2, 29)
    # a few enter with a higher count because they bleed; doubling it is then the harder condition
    untreated = np.where(rng.random(patients) < 0.06, rng.integers(30, 75, patients), untreated)
    treated = np.exp(rng.normal(np.log(95), 0.5, patients))
    treated = np.where(course == list(COURSES).index("about_30"), 33, np.maximum(treated, 2.3 * untreated))

    patient, day = _visit_days(rng, visits, last_seen)
    first = day == 0
    rows = day.size

    responding = (day >= onset[patient]) & (day < loss[patient])
    level = np.where(responding, treated.astype(np.float32)[patient], untreated.astype(np.float32)[patient])
    noise = np.exp(np.float32(0.16) * rng.standard_normal(rows, dtype=np.float32))
    platelets = np.maximum(np.rint(level * noise), 1).astype(np.float64)
    low = platelets < 20

    draw = rng.random(rows, dtype=np.float32)
    bleeds = draw < np.where(low, np.float32(0.10), np.float32(0.004))
    bleeding_grade = np.zeros(rows)
    bleeding_grade[bleeds] = rng.choice([1.0, 2.0, 3.0, 4.0], int(bleeds.sum()), p=[0.6, 0.25, 0.1, 0.05])
    bleeding_grade[rng.random(rows, dtype=np.float32) < 0.03] = np.nan

    draw = rng.random(rows, dtype=np.float32)
    chance = np.where(low, np.where(day < 36, np.float32(0.07), np.float32(0.036)), np.float32(0.006))
    rescue = (draw < chance) & ~first
    rescue_end = day.copy()
    rescue_end[rescue] += rng.integers(0, 6, int(rescue.sum()))

    baseline = untreated.copy()
    baseline[rng.random(patients) < 0.01] = np.nan
    platelets[rng.random(rows, dtype=np.float32) < 0.02] = np.nan
    # the count of day 0 is the baseline itself, so that there is nothing to fall back on where that is missing
    platelets[first] = baseline

    discontinued = np.where(rng.random(patients) < 0.05, rng.integers(5, 90, patients).astype(np.float64), np.nan)
    return {
        "patient": patient,
        "day": day,
        "platelets": platelets,
        "bleeding_grade": bleeding_grade,
        "rescue": rescue,
        "rescue_end": rescue_end,
        "baseline": baseline,
        "treatment_discontinued": discontinued,
    }


def _days_between(rng: np.random.Generator, bounds: Array) -> Array:
    return rng.integers(bounds[:, 0], bounds[:, 1] + 1)


def _visit_days(rng: np.random.Generator, visits: int, last_seen: Array) -> tuple[Array, Array]:
    """Patient and day of every row: day 0 of all, and of the other visits as many as make the total come out."""
    further = range(448, 448 + 28 * max(0, visits - 18), 28)
    slots = np.array(sorted((0, *SCHEDULED, *UNSCHEDULED, *AFTER_THE_YEAR, *further)))
    weight = np.ones(slots.size, dtype=np.float32)
    weight[np.isin(slots, UNSCHEDULED)] = 0.08
    weight[slots > 370] = 0.25

    # The visits with the smallest keys take place: a draw without replacement in proportion to the weights.
    # A visit after the patient was last seen takes place only where the total cannot be had without it.
    key = rng.standard_exponential((last_seen.size, slots.size), dtype=np.float32)
    key /= weight
    key[slots > last_seen[:, None]] += 1e6
    key[:, 0] = -1
    flat = key.ravel()
    wanted = last_seen.size * visits
    cut = np.partition(flat, wanted - 1)[wanted - 1]
    kept = flat < cut
    ties = np.flatnonzero(flat == cut)
    kept[ties[: wanted - int(kept.sum())]] = True

    cells = np.flatnonzero(kept)
    patient, slot = np.divmod(cells, slots.size)
    day = slots[slot]
    day += np.where(day == 0, 0, rng.integers(-JITTER, JITTER + 1, day.size))
    return patient.astype(np.int64), day.astype(np.int64)
