"""Supplied: what inputs say beside observations: the name of the study, and whether discontinuation is recorded.

What no input says is neither drawn nor counted.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.messages.wording import one_line

UNRECORDED = "not recorded"
"""What stands for a number that no input gives."""


def study_title(cohort: Cohort, title: str | None = None) -> str:
    """The name of the user's study: as told, else its own identifier, else the name of the folder of its files.

    The identifier is STUDYID of SDTM or StudyOID of ODM, if there is one alone. Empty: a table in memory, without name.
    Of a study that was cut it says the moment, too.

    >>> from itp_response import read
    >>> cohort = read([{"patient_id": "A", "day": 0, "platelets": 15}])
    >>> study_title(cohort), study_title(cohort, "ITP-1")
    ('', 'ITP-1')
    """
    name = (title or "").strip() or _own_name(cohort)
    return f"{name}{cohort.as_of_in_words}" if name or cohort.as_of is None else f"as of {cohort.as_of}"


def _own_name(cohort: Cohort) -> str:
    """As `study_title`, where no title is told."""
    own = cohort.study if cohort.origin is None else cohort.origin.study
    return own or next((path.name if path.is_dir() else path.parent.name for path in _paths(cohort)), "")


def titled(study: str, what: str) -> str:
    """A title: the study first, then what is shown of it.

    >>> titled("ITP-1", "Subgroups"), titled("", "Subgroups")
    ('ITP-1: Subgroups', 'Subgroups')
    """
    return one_line(f"{study}: {what}" if study else what)


def records_discontinuation(cohort: Cohort) -> bool:
    """Whether a source says when treatment was discontinued; if none does, it is not known that nobody did.

    A study in SDTM says so in DS, a table in a column, where an empty cell says that treatment went on.
    """
    return cohort.stopped_by is not None or bool(np.isfinite(cohort.treatment_discontinued).any())


def unrecorded(cohort: Cohort, *, bleeding: bool = True) -> list[str]:
    """What no input records, a sentence each, for the notes of an output that would show it.

    Without `bleeding`, nothing of bleeding, which the output does not show.
    """
    bleeds = bool((cohort.bleeding_grade > 0).any())
    notes = {
        f"Bleeding: {UNRECORDED}.": bleeding and cohort.bleeding_is_log and not bleeds,
        f"Rescue treatment: {UNRECORDED}.": not cohort.records_rescue,
        f"Discontinuation of treatment: {UNRECORDED}.": not records_discontinuation(cohort),
    }
    return [note for note, is_said in notes.items() if is_said]


def _paths(cohort: Cohort) -> Iterator[Path]:
    """The files or folders that the visits were read from."""
    visits = None if cohort.read_from is None else cohort.read_from.inputs.get("visits")
    for given in getattr(visits, "files", (visits,)):
        if isinstance(given, str | Path):
            yield Path(given).resolve()
