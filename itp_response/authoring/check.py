"""Check: a criteria file's worked examples, and whether they try every clause."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from itp_response.classification.classification import classify
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.definitions.schema import WorkedExample
from itp_response.evaluation.endpoints.combined import OfVerdicts
from itp_response.evaluation.evaluate import decide_endpoints, patient_days_of
from itp_response.evaluation.patient_days import PatientValues
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.in_words import tree_in_words
from itp_response.evaluation.rules.tree import Name, Rule, Tree, leaves
from itp_response.messages.errors import CohortError, CriteriaError, UsageError, unknown

T = TypeVar("T")


@dataclass(frozen=True)
class CheckReport:
    """What `check` found: how many worked examples there are, those that went wrong, the clauses not tried."""

    criteria: Criteria
    failures: tuple[str, ...]
    untried: tuple[str, ...]
    clauses: int

    @property
    def ok(self) -> bool:
        return not self.failures and not self.untried

    def __str__(self) -> str:
        cases = self.criteria.file.example
        interpretations = sum(len(case.under) for case in cases)
        wrong, untried = len(self.failures), len(self.untried)
        lines = [
            f"{self.criteria.marked_name}: {len(cases)} worked examples, "
            f"{interpretations} of them also under another interpretation: "
            f"{'all come out as expected' if not wrong else f'{wrong} not as expected'}",
            f"{self.clauses} clauses: "
            f"{'each is true and false somewhere' if not untried else f'{untried} not tried both ways'}",
        ]
        return "\n".join([*lines, *(f"  {line}" for line in (*self.failures, *self.untried))])


def check(file: str | Path | Criteria) -> CheckReport:
    """Run a criteria file's worked examples and see whether every clause is made true and false by one of them."""
    criteria = file if isinstance(file, Criteria) else load(file)
    wrong = tuple(failures(criteria))
    untried = tuple(_untried(criteria)) if criteria.file.example else ("there are no worked examples",)
    return CheckReport(criteria, wrong, untried, clauses=sum(1 for _ in _clauses(criteria)))


def worked_examples(criteria: Criteria, cases: Sequence[WorkedExample]) -> Cohort:
    """Worked examples of a criteria file as a cohort.

    Raises `CriteriaError` with the first of them that cannot be read.
    """
    return _together(criteria, cases, lambda cases: _cohort(criteria, cases))


def _together(criteria: Criteria, cases: Sequence[WorkedExample], make: Callable[[Sequence[WorkedExample]], T]) -> T:
    """What is made of all cases at once; where that fails, the error names the first with which it does."""
    try:
        return make(cases)
    except CohortError as error:
        for case in cases:
            try:
                make([case])
            except CohortError as own:
                key = str(own).partition(":")[0]
                place = criteria.places.holding("example", criteria.file.example.index(case), key)
                raise CriteriaError(f"{place}{own}") from None
        raise error


def _cohort(criteria: Criteria, cases: Sequence[WorkedExample]) -> Cohort:
    return cohort_of(
        [case.timeline for case in cases],
        visits=criteria.file.clock.visits,
        ids=[case.name for case in cases],
        baseline=[case.baseline for case in cases],
        treatment_discontinued=[case.treatment_discontinued for case in cases],
        day_0=[case.day_0 for case in cases],
        columns=criteria.file.columns,
        patient=[case.patient for case in cases],
    )


def failures(criteria: Criteria) -> Iterator[str]:
    """What the worked examples expected and did not get, a sentence each."""
    cases = criteria.file.example
    yield from _unmet(criteria, cases, [case.expect for case in cases], "")
    for interpretation in dict.fromkeys(interpretation for case in cases for interpretation in case.under):
        concerned = [case for case in cases if interpretation in case.under]
        expected = [case.under[interpretation] for case in concerned]
        yield from _unmet(criteria.under(interpretation), concerned, expected, f" under {interpretation}")


def _unmet(
    criteria: Criteria, cases: Sequence[WorkedExample], expected: Sequence[Mapping[str, str | int | float]], under: str
) -> Iterator[str]:
    if not cases:
        return
    frame = _together(criteria, cases, lambda cases: classify(_cohort(criteria, cases), criteria=criteria)).frame()
    for case, row, wanted in zip(cases, frame.iter_rows(named=True), expected, strict=True):
        for column, value in wanted.items():
            if column not in row:
                key = ("under", under.removeprefix(" under ")) if under else ("expect",)
                place = criteria.places.holding("example", criteria.file.example.index(case), *key, column)
                raise UsageError(f"{place}{unknown('column', column, row)}")
            got = "" if row[column] is None else row[column]
            if got != value:
                yield f"{case.name} ({case.because}): {column} is {got!r}{under}, expected {value!r}"


def _clauses(criteria: Criteria) -> Iterator[tuple[str, str, Tree]]:
    """Every clause with the endpoint and the key it stands under."""
    for name, model in criteria.endpoints.items():
        for key in type(model).model_fields:
            rule = getattr(model, key)
            if isinstance(rule, Rule):
                for leaf in dict.fromkeys(leaves(rule.tree)):
                    yield name, key, leaf


def _untried(criteria: Criteria) -> Iterator[str]:
    cohort = worked_examples(criteria, criteria.file.example)
    rows = patient_days_of(criteria, cohort, 0, len(cohort))
    verdicts = decide_endpoints(criteria, rows)
    for name, key, leaf in _clauses(criteria):
        of_criteria = criteria.endpoints[name].kind == "combined" and key == "when"
        asked = OfVerdicts(verdicts) if of_criteria else PatientValues(rows) if key == "unless" else rows
        truths = decide(leaf, asked)
        said = f"{leaf.name} is met" if isinstance(leaf, Name) and of_criteria else tree_in_words(leaf)
        for happened, word in ((truths.true, "true"), (truths.false, "false")):
            if not happened.any():
                yield f"[{name}] {key}: '{said}' is never {word} in a worked example"
