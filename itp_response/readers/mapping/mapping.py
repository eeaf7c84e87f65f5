"""Mapping: a REDCap export, a wide spreadsheet or an ODM file as a table of visits and a table of patients.

A mapping file says what each column of the file is, and which visits its rows have: each `[[visits]]` makes a visit of
every row with an observation in its columns. A spreadsheet with a column per visit needs many of them. An export with a
row per visit needs one, and one more for each repeating instrument.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itp_response.messages.errors import CohortError
from itp_response.messages.results import Result
from itp_response.readers.coded.study import CodedStudy, coded_kind
from itp_response.readers.column_names import NamedTable, report_file
from itp_response.readers.mapping.mapped_file import MappedFile, MappedRows
from itp_response.readers.mapping.mapped_tables import patients_of, visits_of
from itp_response.readers.mapping.mapping_file import load_mapping
from itp_response.readers.problems import Problems
from itp_response.readers.sdtm.folder import MappedStudy as Study
from itp_response.readers.sdtm.folder import is_study
from itp_response.readers.sdtm.terms import settings
from itp_response.readers.tabular import Tabular
from itp_response.readers.unchanged import check_reachable

NOTHING_FILLED_IN = "nothing is filled in at any visit that the mapping names."


@dataclass(frozen=True, repr=False)
class Mapped(Result):
    """The visits, or the patients, of a file by a mapping; `mapped` makes it.

    `read`, `classify` and every other function that takes a study take it in place of a file.
    """

    source: "MappedFile"
    patients: bool
    """Whether it is the table of patients; else it is the table of visits."""
    rows: "MappedRows | None" = None
    """The rows that the table is made of; None: all rows of the file."""

    @property
    def options(self) -> dict[str, Any]:
        """The options of reading that the mapping file tells."""
        file = self.source.file
        return {name: value for name, value in file.options if value is not None} | {"accept": file.accept}

    def _headline(self) -> str:
        table = "patients" if self.patients else "visits"
        return f"the table of {table} of {self.source.table.name}, by {self.source.mapping.path.name}; not read yet"

    @property
    def files(self) -> tuple[Tabular, Path]:
        """The file and the mapping file."""
        return self.source.given, self.source.mapping.path

    def as_table(self, order: int, names: Iterable[str], problems: Problems) -> NamedTable | None:
        """The columns of these names in the mapping; None: the file cannot be opened, which is reported."""
        try:
            rows = self.rows or self.source.rows
        except CohortError as error:
            # Both tables are of one file, which is named once.
            problems.failed(0, error)
            return None
        location = rows.location(order)
        if self.patients:
            return patients_of(rows, location, names, problems)
        first = self.source.header[:1] == [self.source.file.patients.patient_id]
        report_file(self.source.table, location, problems, patient_first=first)
        rows.report(location, problems)
        visits = visits_of(rows, location, names, problems)
        rows.count_unused(location, problems)
        if not len(visits.frame) and not self.source.table.problems and rows.of_wanted.any():
            problems.wrong(location, NOTHING_FILLED_IN)
        return visits


def mapped(file: Tabular, mapping: str | Path) -> "tuple[Mapped, Mapped] | tuple[Study | CodedStudy, None]":
    """Arrange a file by a mapping file: `classify(*mapped("export.csv", "mapping.toml"))`.

    For the folder of an SDTM study, the mapping has the keys of `sdtm.toml`. For FHIR resources or OMOP tables, it says
    what their codes mean.

    Args:
        file: The table, in any form that `read` takes as visits.
        mapping: The path of the mapping file, which says what the columns are, and which a person has confirmed; `map`
            drafts it.

    Returns:
        The visits and the patients. A study that has its patients with it (SDTM, FHIR, OMOP) is the first of the two,
        and the second is None.

    Raises:
        CohortError: The mapping cannot be used, for instance as it names a column that the file does not have; the
            error has every problem.

    Examples:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> import itp_response
        >>> text = '''
        ... confirmed = true
        ... [patients]
        ... patient_id = "ID"
        ... [[visits]]
        ... day = 0
        ... platelets = "PLT baseline"
        ... [[visits]]
        ... day = 28
        ... platelets = "PLT week 4"
        ... '''
        >>> wide = [{"ID": "P1", "PLT baseline": 12, "PLT week 4": 140}]
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "mapping.toml")
        ...     _ = path.write_text(text)
        ...     cohort = itp_response.read(*mapped(wide, path))
        >>> cohort.day.tolist(), cohort.platelets.low.tolist()
        ([0, 28], [12.0, 140.0])
    """
    check_reachable((file,))
    if isinstance(file, str | Path) and is_study(file):
        settings(Path(mapping))
        return Study(Path(file), Path(mapping)), None
    if coded_kind(file) is not None and isinstance(file, str | Path):
        return CodedStudy(Path(file), Path(mapping)), None
    source = MappedFile(file, load_mapping(mapping))
    source.check()
    return Mapped(source, patients=False), Mapped(source, patients=True)
