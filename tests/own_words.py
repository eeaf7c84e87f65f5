"""A set of all words about the patient that no shipped set has together, and random patients for it."""

from pathlib import Path

import numpy as np
from worked import HEAD

from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.validation.literal import Observation, Patient

NAME = "own_words"
TEXT = """
    [columns]
    cohort   = { type = "number", table = "patients" }
    landmark = { type = "number", table = "patients" }
    died     = { type = "number", table = "patients", empty = inf, is_day = true }
    [rescues]
    infusion = ["IVIg"]
    [R]
    kind          = "achieved"
    when          = "platelets >= 50"
    occasions     = 2
    apart         = "7 days"
    at_once       = "platelets >= 100 and bleeding_grade == 0"
    discount      = "0 < days_since_rescue <= 7 and cohort == 1"
    days          = [1, "landmark + 7"]
    followed_from = "landmark"
    only          = "cohort <= 2 and baseline < 30"
    [M]
    kind  = "maintained"
    from  = "R"
    when  = "platelets >= 30"
    until = ["landmark", "landmark + 14"]
    only  = "not died <= 14"
    [K]
    kind        = "maintained"
    from        = "R"
    when        = "platelets >= 30"
    for         = "14 days"
    by          = "landmark"
    evidence_by = "landmark + 7"
    [X]
    kind = "lost"
    after = "R"
    when = "platelets < 30"
    by   = "treatment_discontinued"
    unless = "cohort == 2"
    followed_from = 40
    [T]
    kind = "time_to"
    to   = "R"
    censored = "last_count"
    by   = "landmark"
    [L]
    kind          = "at"
    when          = "platelets >= 50"
    day           = "landmark"
    within        = ["landmark - 7", "landmark + 3.5"]
    closed_by     = "infusion"
    missing_after = { treatment_discontinued = "fails", died = "left_out" }
    [A]
    kind          = "at"
    from          = "R"
    when          = "platelets >= 50"
    day           = 28
    within        = [21, 35]
    missing_after = { died = "unknown", treatment_discontinued = "fails" }
    [V]
    kind          = "visits"
    when          = "platelets >= 50"
    visits        = ["landmark - 14", "landmark - 7", "landmark"]
    within        = 2
    at_least      = 2
    in_any        = 2
    missing       = "unknown"
    missing_after = { died = "left_out", treatment_discontinued = "fails" }
    only          = "cohort == 1"
    [S]
    kind          = "visits"
    when          = "platelets >= 50 and bleeding_grade == 0"
    visits        = [7, 14, 21, 28]
    share         = "1/2"
    missing_after = { treatment_discontinued = "left_out", died = "unknown" }
    [W]
    kind  = "visits"
    when  = "platelets >= 50"
    days  = ["landmark - 14", "treatment_discontinued"]
    share = "1/2"
    [E]
    kind = "extent"
    when = "platelets >= 50"
    days = [1, "landmark"]
    [C]
    kind = "combined"
    when = "R and not X or L"
    only = "cohort < 3"
    [B]
    kind      = "best"
    of        = ["M", { part = "L" }]
    otherwise = "none"
    only      = "treatment_discontinued or cohort == 1"
"""
COHORTS = (None, 1, 1, 2, 3)
LANDMARKS = (None, 28, 28, 35, 42, 20)


def criteria(folder: Path) -> Criteria:
    """The set, read from a file of its own in this folder."""
    path = folder / f"{NAME}.toml"
    path.write_text(HEAD + TEXT.replace("    kind ", 'label = "-"\nsays = "-"\nkind '))
    return load(path)


def patients(number: int, seed: int) -> list[Patient]:
    """Random patients, as the literal reading takes them."""
    draw = np.random.default_rng(seed)

    def pick(values):
        return values[int(draw.integers(len(values)))]

    made = []
    for _ in range(number):
        days = sorted({0, *draw.choice(np.arange(1, 60), size=int(draw.integers(2, 12))).tolist()})
        seen = tuple(
            Observation(
                day,
                platelets=pick([12, 25, 40, 60, 60, 120, None] if day else [12, 25, 35, "<20", None]),
                bleeding_grade=pick([0, 0, 0, 1, None]),
                rescue=pick([False] * 9 + [True]),
                rescue_name=pick([None, "IVIg"]),
            )
            for day in days
        )
        made.append(
            Patient(
                tuple(one if one.rescue else _without_name(one) for one in seen),
                treatment_discontinued=pick([None, None, None, 14, 28, 40]),
                columns={"cohort": pick(COHORTS), "landmark": pick(LANDMARKS), "died": pick([None, None, 14, 20, 28])},
            )
        )
    return made


def _without_name(seen: Observation) -> Observation:
    return Observation(seen.day, platelets=seen.platelets, bleeding_grade=seen.bleeding_grade)
