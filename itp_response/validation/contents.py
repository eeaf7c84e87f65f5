"""The contents of a validation pack: what each section is called, and what it compares with what."""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from itp_response.validation.section import Section


class AboutSection(NamedTuple):
    """What is said of a section, whatever it finds."""

    number: str
    title: str
    says: str
    keys: tuple[str, ...]


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
CONTENTS = {
    "iq_environment": AboutSection(
        "IQ-1", "Environment", "What the program runs on. It is recorded, and compared with nothing.", ("item",)
    ),
    "iq_libraries": AboutSection(
        "IQ-2",
        "Libraries",
        "The installed version of every library that the program requires, of every extra that is installed, and of "
        "what these require, compared with the versions that are required. Libraries of extras that are not installed "
        "are not compared.",
        ("library", "required_by"),
    ),
    "iq_files": AboutSection("IQ-3", "Files", "{}", ("file",)),
    "oq_worked_examples": AboutSection(
        "OQ-1",
        "Worked examples of shipped sets",
        "Every worked example of {}, classified on this machine, under the set as it is written and under its "
        "interpretations.",
        EXAMPLE_KEYS,
    ),
    "oq_edit_checks": AboutSection(
        "OQ-2",
        "Edit checks",
        "Every edit check, on observations built to make it fire and on observations just beside them.",
        ("check", "because"),
    ),
    "oq_decided_by_hand": AboutSection(
        "OQ-3",
        "Results decided by hand",
        "Published cases and public reports, each with its source, and constructed patients, decided by hand and then "
        "classified on this machine. A hyphen stands for an empty cell.",
        ("set", "source", "timeline", "column"),
    ),
    "oq_paper_tables": AboutSection(
        "OQ-4",
        "Tables of the paper",
        "What the paper prints, and what is counted from the visits of the invented example study, which was made to "
        "these counts. This shows that the program counts them from observations, and nothing about the trial.",
        ("where", "statistic", "endpoint", "group"),
    ),
    "oq_second_reading": AboutSection("OQ-5", "Second reading of shipped sets", READ_TWICE, ("set", "endpoint")),
    "oq_traceability": AboutSection("OQ-6", "Traceability of shipped sets", TRACED, TRACED_KEYS),
    "pq_worked_examples": AboutSection(
        "PQ-1",
        "Worked examples of your own set",
        "Every worked example of {}, classified on this machine, under the set as it is written and under its "
        "interpretations.",
        EXAMPLE_KEYS,
    ),
    "pq_second_reading": AboutSection("PQ-2", "Second reading of your own set", READ_TWICE, ("set", "endpoint")),
    "pq_traceability": AboutSection("PQ-3", "Traceability of your own set", TRACED, TRACED_KEYS),
    "pq_study": AboutSection(
        "PQ-4",
        "Your own study",
        "The results that {} expects of {}; the study has {}. {}.",
        ("patient_id", "column"),
    ),
}
"""By the name of the table."""


def section(name: str, frame: pl.DataFrame, *said: object, notes: Sequence[str] = ()) -> Section:
    """A section with its table; `said` are the words that differ from pack to pack."""
    about = CONTENTS[name]
    return Section(about.number, about.title, about.says.format(*said), name, about.keys, frame, tuple(notes))
