"""Three that decide the same random patients: the package, the literal reading, the checker of certificates.

    python tests/agree.py --patients 3000 --of atra_2022 iwg_2009

It prints a line for each set of criteria, then each difference. Exit status 0: there is none.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass, field, fields
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import certificate_checker as checker
import literal
from bridge import as_literal, cohort_of
from random_patients import random_patients

from itp_response.classification.classification import Classification, classify
from itp_response.definitions.load import load, shipped
from itp_response.explanation.certificate import certificate

AT_ONCE = 500
"""Patients that are made and decided together."""
SHOWN = 5
"""Differences of a set that are printed."""


@dataclass
class Agreement:
    """What came of the patients of one set of criteria."""

    name: str
    patients: int = 0
    endpoints: int = 0
    """Verdicts that were decided."""
    unread: int = 0
    """Patients of whom there are more completions than the literal reading looks at."""
    unchecked: int = 0
    """Verdicts that depend on a censored count, which the checker does not decide."""
    values: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        values = ", ".join(f"{value} {number}" for value, number in sorted(self.values.items()))
        return (
            f"{self.name}: {self.patients} patients, {self.endpoints} verdicts ({values}); "
            f"{self.unread} patients not read literally, {self.unchecked} verdicts not checked; "
            f"{len(self.differences)} differences"
        )


def agreement(name: str, patients: int, seed: int) -> Agreement:
    """That of all three on so many random patients of a shipped set."""
    criteria, found = load(name), Agreement(name)
    for begin in range(0, patients, AT_ONCE):
        drawn = random_patients(criteria.raw, min(AT_ONCE, patients - begin), seed + begin)
        classification = classify(cohort_of(drawn, criteria.file.columns), criteria=criteria, threads=1)
        for position, (patient, decided) in enumerate(zip(drawn, as_literal(classification), strict=True)):
            where = f"{name}, seed {seed + begin}, patient {position}"
            wrong = [*_read(found, patient, decided, criteria.raw), *_checked(found, classification, position)]
            found.differences += [f"{where}: {one}" for one in wrong]
            for verdict in decided.values():
                found.values[verdict.value] = found.values.get(verdict.value, 0) + 1
            found.endpoints += len(decided)
        found.patients += len(drawn)
    return found


def _read(
    found: Agreement, patient: literal.Patient, decided: dict[str, literal.Verdict], raw: dict[str, Any]
) -> Iterator[str]:
    """Where the literal reading says something else."""
    try:
        read = literal.verdicts(raw, patient)
    except literal.TooManyCompletionsError:
        found.unread += 1
        return
    names = [part.name for part in fields(literal.Verdict)]
    for name, verdict in read.items():
        parts = zip(names, astuple(verdict), astuple(decided[name]), strict=True)
        different = [f"{part} {one}, not {other}" for part, one, other in parts if one != other]
        if different:
            yield f"{name}: read literally {', '.join(different)}"


def _checked(found: Agreement, classification: Classification, position: int) -> Iterator[str]:
    """What the checker does not agree with."""
    made = certificate(classification, patient=f"P{position}", counterfactuals=False)
    patient = checker.Patient(made)
    found.unchecked += sum(patient.depends_on_censored_counts(one["endpoint"]) for one in made["verdicts"])
    for said in checker.of_patient(made, patient):
        yield f"the checker: {said}"


def main() -> int:
    """Compares the sets that are named, or all, on as many processors as there are."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--patients", type=int, default=3000, help="of each set")
    options.add_argument("--seed", type=int, default=2022)
    options.add_argument("--of", nargs="*", default=shipped(), help="names of sets")
    chosen = options.parse_args()
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        compared = partial(agreement, patients=chosen.patients, seed=chosen.seed)
        found = []
        for one in processes.map(compared, chosen.of):
            print(one, *islice(one.differences, SHOWN), sep="\n", flush=True)
            found.append(one)
    different = sum(len(one.differences) for one in found)
    print(f"{sum(one.patients for one in found)} patients, {different} differences")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
