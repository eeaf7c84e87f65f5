"""Supplied: what inputs say beside observations: the name of the study, and whether discontinuation is recorded.

What no input says is neither drawn nor counted.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.readers.coded.study import coded_kind
from itp_response.readers.column_names import is_folder, read_table
from itp_response.readers.files import open_table
from itp_response.readers.known_names import fitting
from itp_response.readers.problems import Problems
from itp_response.readers.sdtm.domains import files_of, is_study

ODM = ".xml"
TREATMENT = ("cm", "pr", "ex")
"""The domains of SDTM that can have rescue treatment."""
LOG_OF_BLEEDING = ("Bleeding has no grade of 0", "No bleeding grade is recorded", "Bleeding was taken as told: events")
"""The beginnings of the notes of a study of which bleeding is a log of events."""
UNRECORDED = "not recorded"
"""What stands for a number that no input gives."""


def study_title(cohort: Cohort, title: str | None = None) -> str:
    """The name of the user's study: as told, else its own identifier, else the name of the folder of its files.

    The identifier is STUDYID of SDTM or StudyOID of ODM, if there is one alone. Empty: a table in memory, without name.

    >>> from itp_response import read
    >>> cohort = read([{"patient_id": "A", "day": 0, "platelets": 15}])
    >>> study_title(cohort), study_title(cohort, "ITP-1")
    ('', 'ITP-1')
    """
    if title is not None and title.strip():
        return title.strip()
    if cohort.origin is not None and cohort.origin.study:
        return cohort.origin.study
    paths = list(_paths(cohort))
    studies = {oid for path in paths if path.suffix.lower() == ODM for oid in _study_oids(path)}
    if len(studies) == 1:
        return studies.pop()
    return next((path.name if path.is_dir() else path.parent.name for path in paths), "")


def titled(study: str, what: str) -> str:
    """A title: the study first, then what is shown of it.

    >>> titled("ITP-1", "Subgroups"), titled("", "Subgroups")
    ('ITP-1: Subgroups', 'Subgroups')
    """
    return f"{study}: {what}" if study else what


def records_discontinuation(cohort: Cohort) -> bool:
    """Whether a source says when treatment was discontinued; if none does, it is not known that nobody did.

    A study in SDTM says so in DS, a table in a column, where an empty cell says that treatment went on.
    """
    if cohort.stopped_by is None:
        return bool(np.isfinite(cohort.treatment_discontinued).any())
    folders = [path for path in _paths(cohort) if is_study(path)]
    return not folders or any(file.stem.lower() == "ds" for folder in folders for file in files_of(folder))


def records_rescue(cohort: Cohort) -> bool:
    """Whether a source says when rescue treatment was given: visits in a column, a study in SDTM in CM, PR or EX.

    Where it cannot be asked again, as of a cohort that was built, it does.
    """
    visits = None if cohort.read_from is None else cohort.read_from.inputs.get("visits")
    folders = [path for path in _paths(cohort) if is_study(path)]
    if folders:
        return any(file.stem.lower() in TREATMENT for folder in folders for file in files_of(folder))
    if visits is None or coded_kind(visits) is not None:
        return True
    if hasattr(visits, "as_table") or (isinstance(visits, str | Path) and is_folder(visits)):
        named = read_table(visits, "visits", 0, ("rescue",), (), Problems())
        return named is None or named.has("rescue")
    return bool(fitting("rescue", open_table(visits, "visits").header))


def bleeding_is_log(cohort: Cohort) -> bool:
    """Whether bleeding is a log of events, so that a grade of 0 is assumed where none is recorded."""
    return any(note.text.startswith(LOG_OF_BLEEDING) for note in cohort.notes)


def unrecorded(cohort: Cohort) -> list[str]:
    """What no input records, a sentence each, for the notes of an output that would show it."""
    bleeds = bool((cohort.bleeding_grade > 0).any())
    notes = {
        f"Bleeding: {UNRECORDED}.": bleeding_is_log(cohort) and not bleeds,
        f"Rescue treatment: {UNRECORDED}.": not records_rescue(cohort),
        f"Discontinuation of treatment: {UNRECORDED}.": not records_discontinuation(cohort),
    }
    return [note for note, is_said in notes.items() if is_said]


def _paths(cohort: Cohort) -> Iterator[Path]:
    """The files or folders that the visits were read from."""
    visits = None if cohort.read_from is None else cohort.read_from.inputs.get("visits")
    for given in getattr(visits, "files", (visits,)):
        if isinstance(given, str | Path):
            yield Path(given).resolve()


def _study_oids(path: Path) -> set[str]:
    """The StudyOIDs of the data in an ODM file."""
    found: set[str] = set()

    def begins(name: str, attributes: dict[str, Any]) -> None:
        if name.rpartition(":")[2] == "ClinicalData":
            found.add(attributes.get("StudyOID", ""))

    parser = expat.ParserCreate()
    parser.StartElementHandler = begins
    parser.Parse(path.read_bytes(), True)
    return found - {""}
