"""Three that decide the same random patients: the package, the literal reading, the checker of certificates.

    python tests/agree.py --patients 3000 --under 100 --of atra_2022 iwg_2009

It prints a line for every 500 patients of a set or of one of its interpretations, with what differs, and at the end a
line for each. Exit status 0: nothing differs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, fields, replace
from functools import reduce
from itertools import count, islice
from operator import add
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import certificate_checker as checker

from itp_response.classification.classification import Classification, classify
from itp_response.definitions.load import load, shipped
from itp_response.explanation.certificate import certificate
from itp_response.validation import literal
from itp_response.validation.bridge import as_literal, cohort_of
from itp_response.validation.random_patients import random_patients
from itp_response.validation.second_reading import differences

AT_ONCE = 500
"""Patients that are made and decided together."""
SHOWN = 5
"""Differences of them that are printed."""


@dataclass
class Agreement:
    """What came of the patients of one set of criteria."""

    name: str
    patients: int = 0
    values: Counter[str] = field(default_factory=Counter)
    """The number of verdicts of each value."""
    unread: int = 0
    """Patients with more completions than the literal reading looks at."""
    unchecked: int = 0
    """Verdicts that depend on a censored count, which the checker does not decide."""
    differences: list[str] = field(default_factory=list)

    def __add__(self, other: Agreement) -> Agreement:
        """That of the patients of both."""
        sums = {part.name: getattr(self, part.name) + getattr(other, part.name) for part in fields(self)[1:]}
        return Agreement(self.name, **sums)

    def __str__(self) -> str:
        values = ", ".join(f"{value} {number}" for value, number in sorted(self.values.items()))
        return (
            f"{self.name}: {self.patients} patients, {self.values.total()} verdicts ({values}); "
            f"{self.unread} patients not read literally, {self.unchecked} verdicts not checked; "
            f"{len(self.differences)} differences"
        )


def agreement(asked: str, patients: int, seed: int) -> Agreement:
    """That of all three on that number of random patients of a shipped set, `atra_2022`, or of `atra_2022/late-rescue`."""
    name, *interpretations = asked.split("/")
    criteria = load(name).under(*interpretations)
    found, drawn = Agreement(asked, patients), random_patients(criteria.raw, patients, seed)
    classification = classify(cohort_of(drawn, criteria.file.columns), criteria=criteria, threads=1)
    for position, (patient, decided) in enumerate(zip(drawn, as_literal(classification), strict=True)):
        found.values.update(verdict.value for verdict in decided.values())
        wrong = [*_read(found, patient, decided, criteria.raw), *_checked(found, classification, position)]
        found.differences += [f"  {asked}, seed {seed}, patient {position}: {one}" for one in wrong]
    return found


def _read(
    found: Agreement, patient: literal.Patient, decided: dict[str, literal.LiteralVerdict], raw: dict[str, Any]
) -> Iterator[str]:
    """Where the literal reading says something else."""
    try:
        for one in differences(raw, patient, decided):
            yield f"{one.endpoint}: read literally {one.part} {one.read}, not {one.decided}"
    except literal.TooManyCompletionsError:
        found.unread += 1


def _checked(found: Agreement, classification: Classification, position: int) -> Iterator[str]:
    """What the checker does not know, and what it does not agree with."""
    made = certificate(classification, patient=f"P{position}", counterfactuals=False)
    yield from checker.not_known(made)
    patient = checker.Patient(made)
    found.unchecked += sum(patient.depends_on_censored_counts(one["endpoint"]) for one in made["verdicts"])
    for said in checker.of_patient(made, patient):
        yield f"the checker: {said}"


def main() -> int:
    """Compares the sets that are named, or all, on as many processors as there are."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--patients", type=int, default=3000, help="of each set")
    options.add_argument("--under", type=int, default=100, help="patients under each interpretation of each set")
    options.add_argument("--seed", type=int, default=2022)
    options.add_argument("--of", nargs="*", default=shipped(), help="names of sets")
    chosen = options.parse_args()
    of_each = dict.fromkeys(chosen.of, chosen.patients)
    of_each |= {f"{name}/{one.id}": chosen.under for name in chosen.of for one in load(name).file.interpretation}
    work = [
        (name, min(AT_ONCE, patients - begin))
        for begin in range(0, max(of_each.values()), AT_ONCE)
        for name, patients in of_each.items()
        if patients > begin
    ]
    found: dict[str, Agreement] = {}
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        for one in processes.map(agreement, *zip(*work, strict=True), count(chosen.seed)):
            print(one, *islice(one.differences, SHOWN), sep="\n", flush=True)
            found[one.name] = found[one.name] + one if one.name in found else one
    of_all = reduce(add, found.values())
    print("", *found.values(), replace(of_all, name="all"), sep="\n")
    return 1 if of_all.differences else 0


if __name__ == "__main__":
    sys.exit(main())
