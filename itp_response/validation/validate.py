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
from itp_response.messages.wording import counted
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions
from itp_response.validation import installation
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
EXAMPLE_KEYS = ("set", "example", "interpretation", "column")
TRACED_KEYS = ("set", "endpoint", "key", "clause")
READ_TWICE = (
    "{}, by seed {}, classified by the engine over whole columns and by the literal reading: a second program, shipped "
    "for this purpose, that shares nothing with the engine and reads one observation at a time. Results, days, reasons "
    "and evidence must agree. Patients with more possible completions of censored counts than the literal reading "
    "tries are counted as not read."
)
TRACED = (
    "From each definition of a source to its rule, each clause of the rule, the worked examples in which the clause is "
    "true and those in which it is false, and the tests. A clause passes if worked examples make it true and false."
)
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
    sections = [*_installation(), *_operation(names, generated, progress)]
    sections += [] if own is None else _own_set(own, generated)
    if study is not None and table is not None:
        sections.append(_own_study(study, table, Path(str(expected)).name))
    inputs = [] if own is None else [of_path(own.path)]
    inputs += [of_path(Path(path)) for path in (examples, expected) if path is not None]
    inputs += [file for given in (visits, patients) if given is not None for file in files(given)]
    return ValidationPack(tuple(sections), tuple(names), tuple(inputs), study, date)


def _shipped_names(sets: Sequence[str] | None) -> list[str]:
    """The shipped sets that are asked for, in their order."""
    for name in sets or ():
        if name not in shipped():
            raise UsageError(unknown("shipped set", name, shipped()))
    return [name for name in shipped() if sets is None or name in sets]


def _installation() -> list[Section]:
    return [
        Section(
            "IQ-1",
            "Environment",
            "What the program runs on. It is recorded, and compared with nothing.",
            "iq_environment",
            ("item",),
            installation.environment(),
        ),
        Section(
            "IQ-2",
            "Libraries",
            "The installed version of every library that the program requires, of every extra that is installed, and "
            "of what these require, compared with the versions that are required. Libraries of extras that are not "
            "installed are not compared.",
            "iq_libraries",
            ("library", "required_by"),
            installation.libraries(),
        ),
        Section("IQ-3", "Files", installation.record_in_words(), "iq_files", ("file",), installation.files()),
    ]


def _operation(names: list[str], generated: int, progress: Progress) -> list[Section]:
    sets = [load(name) for name in names]
    tests = f"OQ-1, OQ-3, OQ-5; {OF_REPOSITORY}, tests/definitions/test_criteria.py, tests/test_agreement.py"
    return [
        Section(
            "OQ-1",
            "Worked examples of the shipped sets",
            f"Every worked example of {counted(len(sets), 'shipped criteria set')}, classified on this machine, under "
            "the set as it is written and under its interpretations.",
            "oq_worked_examples",
            EXAMPLE_KEYS,
            worked_example_results(sets),
        ),
        Section(
            "OQ-2",
            "Edit checks",
            "Every edit check, on observations built to make it fire and on observations just beside them.",
            "oq_edit_checks",
            ("check", "because"),
            edit_check_results(),
        ),
        Section(
            "OQ-3",
            "Results decided by hand",
            "Published cases and public reports, each with its source, and constructed patients, decided by hand and "
            "then classified on this machine. A minus stands for an empty cell.",
            "oq_decided_by_hand",
            ("set", "source", "timeline", "column"),
            hand_decided_results(names),
        ),
        Section(
            "OQ-4",
            "Tables of the paper",
            "What the paper prints, and what is counted from the visits of the invented example study, which was made "
            "to these counts. This shows that the program counts them from observations, and nothing about the trial.",
            "oq_paper_tables",
            ("where", "statistic", "endpoint", "group"),
            paper_table_results(),
        ),
        _second_reading("OQ-5", "oq", sets, generated, progress),
        Section(
            "OQ-6", "Traceability of the shipped sets", TRACED, "oq_traceability", TRACED_KEYS, traced(sets, tests)
        ),
    ]


def _second_reading(
    number: str, qualification: str, sets: Sequence[Criteria], generated: int, progress: Progress
) -> Section:
    """A second reading of generated patients of these sets."""
    named = progress([one.name for one in sets], "criteria sets read twice")
    frames = [second_reading_results(one, generated) for one, _ in zip(sets, named, strict=True)]
    says = READ_TWICE.format(f"{counted(generated, 'generated patient')} of each set", SEED)
    name = f"{qualification}_second_reading"
    return Section(number, "Second reading of generated patients", says, name, ("set", "endpoint"), pl.concat(frames))


def _own_set(own: Criteria, generated: int) -> list[Section]:
    """The sections on a user's own criteria set."""
    name = own.marked_name
    return [
        Section(
            "PQ-1",
            f"Worked examples of {name}",
            f"Every worked example of {name}, classified on this machine.",
            "pq_worked_examples",
            EXAMPLE_KEYS,
            worked_example_results([own]),
        ),
        _second_reading("PQ-2", "pq", [own], generated, _silently),
        Section(
            "PQ-3",
            f"Traceability of {name}",
            TRACED,
            "pq_traceability",
            TRACED_KEYS,
            traced([own], f"PQ-1, PQ-2; {OF_REPOSITORY}"),
        ),
    ]


def _own_study(study: Classification, table: pl.DataFrame, name: str) -> Section:
    """The section on a user's own study; `name` is that of the file with the expected results."""
    return Section(
        "PQ-4",
        "Your own study",
        f"The results that {name} expects of {counted(len(table), 'patient')}; the study has "
        f"{counted(len(study.cohort), 'patient')}. {study.criteria.response_definition}.",
        "pq_study",
        ("patient_id", "column"),
        study_results(study, table, name),
        tuple(study.cohort.note_lines),
    )
