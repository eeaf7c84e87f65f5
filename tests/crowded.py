"""A study as crowded as a picture may have to bear; all of it is invented."""

import numpy as np
import polars as pl

ARMS = (
    "All-trans retinoic acid 20 mg/m² daily plus low-dose rituximab",
    "Low-dose rituximab alone, six infusions of 100 mg",
    "Best supportive care ($ as chosen)",
    "A",
)
RESCUES = (
    "intravenous immunoglobulin",
    "dexamethasone pulse, four days",
    "platelet transfusion",
    "methylprednisolone",
    "anti-D immunoglobulin",
    "romiplostim, single dose",
    "eltrombopag, short course",
    "vincristine",
)
BUSY = "SITE-0042/SUBJECT-0000001"
"""Counted every day for more than a year, bleeding and rescued most of the time."""


def crowded(patients: int = 40, arms: int = len(ARMS)) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The visits and the patients: one patient is counted every day, the others at visits, some never, one only once."""
    random = np.random.default_rng(5)
    rows = [_row(BUSY, day, random, 0.35) for day in range(-5, 430)]
    for number in range(1, patients):
        name = f"SITE-{number % 90:04}/SUBJECT-{number:07}"
        many = 0 if number == 3 else 1 if number == 4 else int(random.integers(2, 24))
        rows += [_row(name, day, random, 0.06) for day in [0, 7, 14, 21, *range(28, 400, 17)][:many]]
        if not many:
            rows.append({"patient_id": name, "day": 0, "bleeding_grade": "2"})
    table = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String))
    ids = table["patient_id"].unique(maintain_order=True)
    place = range(len(ids))
    given = {
        "patient_id": ids,
        "arm": [ARMS[one % arms] for one in place],
        "treatment_discontinued": ["60" if one % 7 == 0 else None for one in place],
        "sex": ["female" if one % 3 else "male" for one in place],
        "previous_treatments_of_any_kind": [("none", "one or two", "three or more")[one % 3] for one in place],
    }
    return table, pl.DataFrame(given)


COLUMNS = ("patient_id", "day", "platelets", "bleeding_grade", "rescue", "rescue_end")


def _row(patient: str, day: int, random: np.random.Generator, often: float) -> dict[str, str | None]:
    count = float(np.exp(random.normal(np.log(22 + min(max(day, 0), 90)), 0.9)))
    written = "<5" if count < 5 else ">1000" if count > 1000 else f"{count:.0f}"
    rescued = day > 0 and random.random() < often
    return {
        "patient_id": patient,
        "day": str(day),
        "platelets": None if random.random() < 0.05 else written,
        "bleeding_grade": None if random.random() < 0.1 else str(int(random.integers(0, 5) * (random.random() < 0.4))),
        "rescue": RESCUES[int(random.integers(0, len(RESCUES)))] if rescued else None,
        "rescue_end": str(day + int(random.integers(0, 6))) if rescued else None,
    }
