"""Random studies for a set of criteria: some hundred patients at once, crowded where the set's definitions turn.

Bleeding goes unrecorded, rescue is given on days without a count, counts are censored, treatment is discontinued, and
declared columns are empty or filled.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import polars as pl

from itp_response.classification.classification import Classification, classify
from itp_response.cohort.build import build
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.declared_columns import ColumnDeclared, in_table, texts_of
from itp_response.cohort.observations import Observations, Patients
from itp_response.cohort.values import Column, Floats, Ints, Numbers, Truths, exactly, just_below, with_bounds
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.evaluation.endpoints.account import Account
from itp_response.evaluation.evaluate import patient_days_of
from itp_response.evaluation.patient_days import PatientDays
from itp_response.evaluation.rules.tree import Constant, Relation, leaves, names_in
from itp_response.evaluation.verdicts import Verdict

PLAN = [0, 7, 14, 21, 28, 42, 56, 84, 112, 140, 168, 182, 196, 224, 252, 280, 308, 336, 364, 392]
"""The visits of a set that plans none."""
BASELINES = [10, 12, 15, 15, 15, 20, 25, 29.9, 40, 60]


@dataclass(frozen=True)
class Decided:
    """A study and all that was decided of it."""

    classification: Classification

    @property
    def criteria(self) -> Criteria:
        return self.classification.criteria

    @property
    def cohort(self) -> Cohort:
        return self.classification.cohort

    @property
    def verdicts(self) -> dict[str, Verdict]:
        return self.classification.verdicts

    @cached_property
    def patient_days(self) -> PatientDays:
        return patient_days_of(self.criteria, self.cohort, 0, len(self.cohort))

    @cached_property
    def accounts(self) -> dict[str, Account]:
        endpoints, verdicts = self.criteria.endpoints, self.verdicts
        return {name: model.account(self.patient_days, verdicts, verdicts[name]) for name, model in endpoints.items()}

    def reasons(self, name: str) -> np.ndarray:
        """(P) The reasons of the verdicts on an endpoint, by name."""
        return np.array(self.criteria.reasons.names)[self.verdicts[name].reason]

    def is_ne(self, name: str) -> np.ndarray:
        """(P) The patients who are not evaluable."""
        verdict = self.verdicts[name]
        return verdict.value == verdict.labels.index("NE")


@cache
def decided_study(name: str, patients: int, seed: int) -> Decided:
    """A random study of that many patients for a shipped set, decided by it."""
    criteria = load(name)
    return Decided(classify(random_study(criteria, patients, seed), criteria=criteria))


def random_study(criteria: Criteria, patients: int, seed: int) -> Cohort:
    """A cohort of that many patients; the same for the same seed."""
    random = np.random.default_rng([seed, *criteria.name.encode()])
    patient, day = _visits(criteria, patients, random)
    baseline = random.choice(BASELINES, patients)
    platelets = _counts(criteria, patient, day, baseline, random)
    grades = _grades(patient, patients, random)
    rows = _observations(criteria, patient, day, platelets, grades, random)
    given = np.where(random.random(patients) < 0.2, random.choice(BASELINES, patients), np.nan)
    below = (random.random(patients) < 0.02) & ~np.isnan(given)
    stopped = np.where(random.random(patients) < 0.15, random.choice([20, 70, 200, 400], patients), np.inf)
    days_0 = np.array(["2023-01-01", "2023-08-31", "2024-02-29"], dtype="datetime64[D]")
    columns = in_table(criteria.file.columns, "patients")
    return build(
        Patients(
            id=pl.Series("patient_id", [f"P{number}" for number in range(patients)]),
            baseline=with_bounds(np.where(below, 0.0, given), given),
            treatment_discontinued=stopped,
            day_0=random.choice(days_0, patients),
            columns={name: _column(declared, patients, random) for name, declared in columns.items()},
        ),
        rows,
    )


def _visits(criteria: Criteria, patients: int, random: np.random.Generator) -> tuple[Ints, Ints]:
    """The patient and the day of every observation: by the plan, and next to where windows begin and end."""
    ends = np.array([model.days_looked_at() for model in criteria.endpoints.values()]).ravel()
    ends = np.append(ends[np.isfinite(ends)], max(criteria.clock.followed_from, 0)).astype(np.int64)
    plan = np.array(criteria.clock.visits or PLAN)
    grid = np.unique(np.concatenate([[-7, -1], plan, plan[plan > 0], ends, ends[ends > 1] - 1, ends + 1]))
    kept = random.random((patients, len(grid))) < random.choice([0.15, 0.5, 0.8, 0.97], (patients, 1))
    kept[:, grid < 0] &= random.random((patients, int((grid < 0).sum()))) < 0.3
    last = np.where(random.random(patients) < 0.5, grid[-1], random.choice(grid[grid >= 0], patients))
    kept &= grid <= last[:, None]
    patient, position = np.nonzero(kept)
    moved = np.where(random.random(len(patient)) < 0.85, 0, random.integers(-2, 3, len(patient)))
    return patient, grid[position] + moved


def limits(criteria: Criteria) -> Floats:
    """The counts at which the rules of a set turn."""
    clauses = [
        leaf for model in criteria.endpoints.values() for rule in model.row_rules() for leaf in leaves(rule.tree)
    ]
    found = [
        side.value
        for clause in clauses
        if isinstance(clause, Relation) and "platelets" in names_in(clause)
        for side in (clause.left, clause.right)
        if isinstance(side, Constant)
    ]
    return np.array(sorted({*found, 30.0}))


def _counts(criteria: Criteria, patient: Ints, day: Ints, baseline: Floats, random: np.random.Generator) -> Numbers:
    """Two levels a patient, of which each lasts a while, with single counts of any height; some only as bounds."""
    near = np.concatenate([limits(criteria) + by for by in (-1, -0.1, 0, 0.1, 20)])
    levels = random.choice(near, (len(baseline), 2))
    turned = np.cumsum(random.random(len(patient)) < 0.12)
    count = levels[patient, turned % 2]
    count = np.where(random.random(len(patient)) < 0.12, random.choice(near, len(patient)), count)
    count = np.where(random.random(len(patient)) < 0.05, 2 * baseline[patient], count)
    count = np.where(day <= 0, baseline[patient], count)
    count = np.where(random.random(len(patient)) < 0.05, np.nan, count)
    is_bound = (random.random(len(baseline)) < 0.1)[patient] & (random.random(len(patient)) < 0.1)
    is_above = random.random(len(patient)) < 0.5
    low, high = np.where(is_bound & ~is_above, 0.0, count), np.where(is_bound & is_above, np.inf, count)
    high = np.where(is_bound & ~is_above, just_below(count), high)
    uncounted = np.isnan(count)
    return with_bounds(np.where(uncounted, np.nan, low), np.where(uncounted, np.nan, high))


def _grades(patient: Ints, patients: int, random: np.random.Generator) -> Floats:
    """Mostly none; of some patients often not recorded, of a few never."""
    unrecorded = random.choice([0, 0, 0.1, 0.4, 1], patients)[patient] > random.random(len(patient))
    grade = np.where(random.random(len(patient)) < 0.04, random.integers(1, 5, len(patient)), 0).astype(float)
    return np.where(unrecorded, np.nan, grade)


def _observations(
    criteria: Criteria, patient: Ints, day: Ints, platelets: Numbers, grade: Floats, random: np.random.Generator
) -> Observations:
    """The visits, and rescue treatments on days of their own or of a visit."""
    given = np.flatnonzero(random.random(len(patient)) < 0.02)
    size = len(patient) + len(given)
    nothing = np.full(len(given), np.nan)
    begins = day[given] + random.choice([0, 0, 1, 2, 3], len(given))
    names = [name for known in criteria.rescues.values() for name in sorted(known)] + [None, "ivig"]
    columns = in_table(criteria.file.columns, "visits")
    return Observations(
        patient=np.append(patient, patient[given]),
        day=np.append(day, begins),
        platelets=with_bounds(np.append(platelets.low, nothing), np.append(platelets.high, nothing)),
        bleeding_grade=np.append(grade, nothing),
        rescue=np.arange(size) >= len(patient),
        rescue_end=np.append(day, begins + random.choice([0, 0, 3, 20], len(given))),
        rescue_name=texts_of([None] * len(patient) + random.choice(np.array(names, dtype=object), len(given)).tolist()),
        source_row=np.arange(1, size + 1),
        columns={name: _column(declared, size, random) for name, declared in columns.items()},
        declared=columns,
    )


def _column(declared: ColumnDeclared, size: int, random: np.random.Generator) -> Column:
    """A column of random values, a part of the cells empty."""
    empty = random.random(size) < 0.3
    if declared.type == "text":
        raise NotImplementedError("no shipped set declares a text")
    if declared.type == "number":
        filled = np.nan if declared.empty == "unknown" else float(declared.empty)
        return exactly(np.where(empty, filled, random.choice([0.0, 1, 30, 60, 200], size)))
    true = (random.random(size) < (0.05 if declared.table == "visits" else 0.3)) & ~empty
    if declared.empty != "unknown":
        true |= empty & (declared.empty is True)
        return Truths(true, ~true)
    return Truths(true, ~true & ~empty)
