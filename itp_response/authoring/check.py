"""Check: a criteria file's worked examples, and whether they try every clause."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import polars as pl

from itp_response.classification.classification import classify
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.notation import cohort_of
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.definitions.schema import WorkedExample
from itp_response.evaluation.endpoints.endpoint import AskedRule, seen_by
from itp_response.evaluation.evaluate import decide_endpoints, patient_days_of
from itp_response.evaluation.rules.decide import decide
from itp_response.evaluation.rules.in_words import tree_in_words
from itp_response.evaluation.rules.tree import Name, Tree, leaves
from itp_response.messages.errors import CohortError, CriteriaError, UsageError, unknown
from itp_response.messages.results import DataResult, html_frame

T = TypeVar("T")
NO_EXAMPLES = "there are no worked examples, so that no clause is tried"


@dataclass(frozen=True, repr=False)
class CheckReport(DataResult):
    """The result of `check`; printed, it is a summary with a line for each failure and each clause not tried."""

    criteria: Criteria
    failures: tuple[str, ...]
    """A sentence for each column of the output in which a worked example differs from what it expects."""
    untried: tuple[str, ...]
    """A sentence for each clause that is never true, or never false, in a worked example."""
    clauses: int
    """The number of clauses of the criteria file."""

    @property
    def ok(self) -> bool:
        """Whether every worked example is as expected and tries every clause both ways."""
        return not self.failures and not self.untried

    def frame(self) -> pl.DataFrame:
        """A row per problem: `problem` (`failed` or `not tried`) and `says`, the sentence on it."""
        rows = [("failed", says) for says in self.failures] + [("not tried", says) for says in self.untried]
        return pl.DataFrame(rows, schema={"problem": pl.String, "says": pl.String}, orient="row")

    def _headline(self) -> str:
        return str(self).partition("\n")[0]

    def _pieces(self) -> Iterator[str]:
        if not self.ok:
            problems = self.frame()
            yield html_frame(problems, rows=len(problems))

    def _assumptions(self) -> list[str]:
        return str(self).split("\n")[1:2]

    def __str__(self) -> str:
        examples = self.criteria.file.example
        if not examples:
            return (
                f"{self.criteria.marked_name}: not checked, because it has no worked examples; add [[example]] tables "
                "that make each clause true in one and false in another"
            )
        interpretations = sum(len(example.under) for example in examples)
        wrong, untried = len(self.failures), len(self.untried)
        lines = [
            f"{self.criteria.marked_name}: {len(examples)} worked examples, "
            f"{interpretations} of them also under another interpretation: "
            f"{'all results as expected' if not wrong else f'{wrong} not as expected'}",
            f"{self.clauses} clauses: "
            f"{'each is true and false somewhere' if not untried else f'{untried} not tried both ways'}",
        ]
        return "\n".join([*lines, *(f"  {line}" for line in (*self.failures, *self.untried))])


def check(file: str | Path | Criteria) -> CheckReport:
    """Check a criteria file: decide its worked examples, and see whether they make every clause true and false.

    Args:
        file: The name of a shipped set, a path, or a `Criteria`.

    Returns:
        What differs from the expectations, and which clauses are not tried both ways.

    Raises:
        CriteriaError: The file or a worked example cannot be used.
        UsageError: A worked example expects a column that the output does not have.

    Examples:
        >>> report = check("fit")
        >>> report.ok, report.failures
        (True, ())
    """
    criteria = load(file)
    wrong = tuple(failures(criteria))
    untried = tuple(_untried(criteria)) if criteria.file.example else (NO_EXAMPLES,)
    return CheckReport(criteria, wrong, untried, clauses=sum(1 for _ in _clauses(criteria)))


def worked_examples(criteria: Criteria, examples: Sequence[WorkedExample]) -> Cohort:
    """Worked examples of a criteria file as a cohort, a patient each.

    Raises `CriteriaError` with the first of them that cannot be read.
    """
    return _naming_the_example(criteria, examples, lambda examples: _cohort(criteria, examples))


def _naming_the_example(
    criteria: Criteria, examples: Sequence[WorkedExample], make: Callable[[Sequence[WorkedExample]], T]
) -> T:
    """What `make` makes of all examples; where that fails, the error names the first example that fails alone."""
    try:
        return make(examples)
    except CohortError as error:
        for example in examples:
            try:
                make([example])
            except CohortError as own:
                raise CriteriaError(f"{_position(criteria, example, str(own).partition(':')[0])}{own}") from None
        raise error


def _position(criteria: Criteria, example: WorkedExample, *keys: str) -> str:
    """The beginning of a sentence about a key of that example."""
    return criteria.positions.holding("example", criteria.file.example.index(example), *keys)


def _cohort(criteria: Criteria, examples: Sequence[WorkedExample]) -> Cohort:
    return cohort_of(
        [example.timeline for example in examples],
        visits=criteria.file.clock.visits,
        ids=[example.name for example in examples],
        baseline=[example.baseline for example in examples],
        treatment_discontinued=[example.treatment_discontinued for example in examples],
        day_0=[example.day_0 for example in examples],
        columns=criteria.file.columns,
        patient=[example.patient for example in examples],
    )


class ComparedCell(NamedTuple):
    """A cell of the output that a worked example expects, and what it is."""

    example: WorkedExample
    interpretation: str
    """Empty: the set as it is written."""
    column: str
    expected: str | int | float
    got: str | int | float

    @property
    def says(self) -> str:
        """The sentence on a cell that is not as expected."""
        under = f" under {self.interpretation}" if self.interpretation else ""
        example = f"{self.example.name} ({self.example.because})"
        return f"{example}: {self.column} is {self.got!r}{under}, expected {self.expected!r}"


def failures(criteria: Criteria) -> Iterator[str]:
    """A sentence for each column in which a worked example is not as expected, under an interpretation too."""
    return (cell.says for cell in compared_cells(criteria) if cell.got != cell.expected)


def compared_cells(criteria: Criteria) -> Iterator[ComparedCell]:
    """Every cell that a worked example expects, under the set as it is written and under each interpretation."""
    examples = criteria.file.example
    yield from _compared(criteria, examples)
    for interpretation in dict.fromkeys(interpretation for example in examples for interpretation in example.under):
        concerned = [example for example in examples if interpretation in example.under]
        yield from _compared(criteria.under(interpretation), concerned, interpretation)


def _compared(
    criteria: Criteria, examples: Sequence[WorkedExample], interpretation: str = ""
) -> Iterator[ComparedCell]:
    if examples:
        frame = _naming_the_example(
            criteria, examples, lambda examples: classify(_cohort(criteria, examples), criteria=criteria).frame()
        )
        yield from _cells(criteria, examples, frame, interpretation)


def as_expected(criteria: Criteria) -> list[WorkedExample]:
    """The worked examples that are as expected under the set as it is written."""
    examples = criteria.file.example
    if not examples:
        return []
    frame = classify(worked_examples(criteria, examples), criteria=criteria).frame()
    return [example for row, example in enumerate(examples) if not any(unmet(criteria, [example], frame.slice(row, 1)))]


def unmet(criteria: Criteria, examples: Sequence[WorkedExample], frame: pl.DataFrame) -> Iterator[str]:
    """A sentence for each cell of the output that is not as its worked example expects.

    `frame` has a row per example. Raises `UsageError` for a column that it does not have.
    """
    return (cell.says for cell in _cells(criteria, examples, frame) if cell.got != cell.expected)


def _cells(
    criteria: Criteria, examples: Sequence[WorkedExample], frame: pl.DataFrame, interpretation: str = ""
) -> Iterator[ComparedCell]:
    for example, row in zip(examples, frame.iter_rows(named=True), strict=True):
        expected = example.under[interpretation] if interpretation else example.expect
        for column, value in expected.items():
            if column not in row:
                keys = ("under", interpretation) if interpretation else ("expect",)
                raise UsageError(f"{_position(criteria, example, *keys, column)}{unknown('column', column, row)}")
            got = "" if row[column] is None else row[column]
            yield ComparedCell(example, interpretation, column, value, got)


def _clauses(criteria: Criteria) -> Iterator[tuple[str, AskedRule, Tree]]:
    """Every clause with the endpoint and the rule that it belongs to."""
    for name, model in criteria.endpoints.items():
        for asked in model.rules():
            for leaf in dict.fromkeys(leaves(asked.rule.tree)):
                yield name, asked, leaf


class TriedClause(NamedTuple):
    """A clause of a criteria file, and the worked examples that try it."""

    endpoint: str
    asked: AskedRule
    says: str
    """The clause in words."""
    true_in: tuple[str, ...]
    """The names of the worked examples in which it is true, on a day or of the patient."""
    false_in: tuple[str, ...]


def tried_clauses(criteria: Criteria) -> Iterator[TriedClause]:
    """Every clause with the worked examples in which it is true and those in which it is false."""
    names = [example.name for example in criteria.file.example]
    cohort = worked_examples(criteria, criteria.file.example)
    patient_days = patient_days_of(criteria, cohort, 0, len(cohort))
    verdicts = decide_endpoints(criteria, patient_days)
    for name, asked, clause in _clauses(criteria):
        truths = decide(clause, seen_by(asked.of, patient_days, verdicts))
        patient = patient_days.patient if asked.of == "rows" else np.arange(patient_days.patients)
        true_in, false_in = (
            tuple(names[index] for index in np.unique(patient[np.broadcast_to(holds, len(patient))]).tolist())
            for holds in (truths.true, truths.false)
        )
        in_words = (
            f"{clause.name} is met" if isinstance(clause, Name) and asked.of == "endpoints" else tree_in_words(clause)
        )
        yield TriedClause(name, asked, in_words, true_in, false_in)


def _untried(criteria: Criteria) -> Iterator[str]:
    """A sentence for each clause that is never true, or never false, in a worked example."""
    for clause in tried_clauses(criteria):
        for tried, word in ((clause.true_in, "true"), (clause.false_in, "false")):
            if not tried:
                yield f"[{clause.endpoint}] {clause.asked.key}: '{clause.says}' is never {word} in a worked example"
