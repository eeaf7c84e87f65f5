"""Validate: the qualification of an installation, and of a user's own criteria set and study."""

import datetime
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from itp_response.classification.classification import Classification, CriteriaInput, Study, classify
from itp_response.classification.provenance import files, of_path
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load, shipped
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.wording import counted, counted_patients
from itp_response.readers.options import ReadOptions
from itp_response.readers.tabular import Tabular
from itp_response.validation import installation
from itp_response.validation.contents import section
from itp_response.validation.edit_checks import edit_check_results
from itp_response.validation.hand_decided import hand_decided_results
from itp_response.validation.pack import ValidationPack
from itp_response.validation.paper_tables import paper_table_results
from itp_response.validation.second_reading import SEED, second_reading_results
from itp_response.validation.section import Section
from itp_response.validation.study import expected_results, study_results
from itp_response.validation.traceability import traced
from itp_response.validation.worked_examples import with_examples, worked_example_results

GENERATED = 300
"""Generated patients of each set."""
Progress = Callable[[Sequence[str], str], Iterator[str]]
OF_REPOSITORY = "source repository: tests/evaluation/test_{kind}.py"


def _silently(items: Sequence[str], _: str) -> Iterator[str]:
    yield from items


def validate(
    visits: Study | None = None,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    examples: str | Path | None = None,
    expected: str | Path | None = None,
    sets: Sequence[str] | None = None,
    generated: int = GENERATED,
    date: datetime.date | None = None,
    options: ReadOptions | None = None,
    progress: Progress = _silently,
) -> ValidationPack:
    """Qualify this installation: what it consists of, how it works, and how it performs on your own definitions.

    Installation: environment, libraries, and the SHA-256 of every file. Operation: every worked example of the shipped
    sets, every edit check, cases decided by hand, the tables of the paper, and a second reading of generated patients.
    Performance: the same of your own criteria set, and a study with known results.

    Args:
        visits: A study of your own with known results: its visits, as `classify` takes them. None: there is none.
        patients: The patient table of the study, in the same forms. None: there is none.
        criteria: Your own criteria set: a file by its path, a shipped set by its name, or a `Criteria`. None: none is
            qualified, and a study is classified by `atra_2022`.
        examples: A TOML file of `[[example]]` tables that stand in for those of `criteria`, such as those that another
            person wrote. None: those of the set.
        expected: A CSV file with the column `patient_id` and columns of results, as `classify` writes them, with what
            is expected of the study. Required with `visits`.
        sets: The names of the shipped sets to qualify. None: all.
        generated: The number of generated patients of each set.
        date: The date on the page. None: the page has no date, so that the pack is the same on the same machine.
        options: How the study is read. None: the defaults of `ReadOptions`.
        progress: Called with the items of a long task and their label; it yields the items, and may show a bar.

    Returns:
        The sections of the qualification; `ok` if nothing differs from what was expected.

    Raises:
        UsageError: A set is not shipped; a study without expected results, or the reverse; worked examples without a
            criteria set; the expected results cannot be used.
        CriteriaError: The criteria set or the worked examples cannot be used.
        CohortError: The study cannot be used.

    Examples:
        >>> pack = validate(sets=["fit"], generated=10)
        >>> pack.result, pack.frame()["section"].to_list()[3:6]
        ('pass', ['OQ-1', 'OQ-2', 'OQ-3'])
    """
    names = _shipped_names(sets)
    if (visits is None) != (expected is None):
        raise UsageError("a study and its expected results go together: give VISITS and --expected, or neither.")
    if visits is None and (patients is not None or options is not None):
        raise UsageError("a patient table and options on reading go with a study; give VISITS too.")
    if examples is not None and criteria is None:
        raise UsageError("--examples: goes with the criteria set that they are examples of; give --criteria.")
    if generated < 1:
        raise UsageError(f"generated: {generated} patients; give at least 1.")
    own = None if criteria is None else load(criteria)
    if own is not None and examples is not None:
        own = with_examples(own, examples)
    table = None if expected is None else expected_results(expected)
    study = None if visits is None else classify(visits, patients, own, options=options)
    # What is wrong with a user's own files is told before the long work.
    of_study = [] if study is None or table is None else [_own_study(study, table, Path(str(expected)).name)]
    of_set = [] if own is None else _own_set(own, generated)
    sections = (*_installation(), *_operation(names, generated, progress), *of_set, *of_study)
    inputs = [] if own is None else [of_path(own.path)]
    inputs += [of_path(Path(path)) for path in (examples, expected) if path is not None]
    inputs += [file for given in (visits, patients) if given is not None for file in files(given)]
    return ValidationPack(sections, tuple(names), tuple(inputs), study, date)


def _shipped_names(sets: Sequence[str] | None) -> list[str]:
    """The shipped sets that are asked for, in their order."""
    for name in sets or ():
        if name not in shipped():
            raise UsageError(unknown("shipped set", name, shipped()))
    return [name for name in shipped() if sets is None or name in sets]


def _installation() -> list[Section]:
    return [
        section("iq_environment", installation.environment()),
        section("iq_libraries", installation.libraries()),
        section("iq_files", installation.files(), installation.record_in_words()),
    ]


def _operation(names: list[str], generated: int, progress: Progress) -> list[Section]:
    sets = [load(name) for name in names]
    tests = f"OQ-1, OQ-3, OQ-5; {OF_REPOSITORY}, tests/definitions/test_criteria.py, tests/test_agreement.py"
    return [
        section("oq_worked_examples", worked_example_results(sets), counted(len(sets), "shipped criteria set")),
        section("oq_edit_checks", edit_check_results()),
        section("oq_decided_by_hand", hand_decided_results(names)),
        section("oq_paper_tables", paper_table_results()),
        _second_reading("oq_second_reading", sets, generated, progress),
        section("oq_traceability", traced(sets, tests)),
    ]


def _second_reading(name: str, sets: Sequence[Criteria], generated: int, progress: Progress) -> Section:
    """A second reading of generated patients of these sets."""
    named = progress([one.name for one in sets], "criteria sets read twice")
    frames = [second_reading_results(one, generated) for one, _ in zip(sets, named, strict=True)]
    return section(name, pl.concat(frames), f"{counted(generated, 'generated patient')} of each set", SEED)


def _own_set(own: Criteria, generated: int) -> list[Section]:
    """The sections on a user's own criteria set."""
    return [
        section("pq_worked_examples", worked_example_results([own]), own.marked_name),
        _second_reading("pq_second_reading", [own], generated, _silently),
        section("pq_traceability", traced([own], f"PQ-1, PQ-2; {OF_REPOSITORY}")),
    ]


def _own_study(study: Classification, table: pl.DataFrame, name: str) -> Section:
    """The section on a user's own study; `name` is that of the file with the expected results."""
    return section(
        "pq_study",
        study_results(study, table, name),
        name,
        counted_patients(len(table)),
        counted_patients(len(study.cohort)),
        study.criteria.response_definition,
        notes=study.cohort.note_lines,
    )
