"""Terms: what the codes of a FHIR export, or the concepts of OMOP tables, mean in a study."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from itp_response.messages.errors import CohortError
from itp_response.messages.strict_model import StrictModel
from itp_response.messages.toml_file import checked_by, load_toml, tupled
from itp_response.messages.toml_positions import refuse

OWN_VALUE = "value"
"""Of a code of bleeding: the value of the record is the grade."""
GRADES = range(5)


class Terms(StrictModel):
    """A file that says what codes mean.

    In FHIR a code is written as `code` or as `system|code`; in OMOP it is a concept id.
    """

    patient_identifier: str | None = Field(
        default=None,
        description="what the patient's id is: in FHIR the system of an identifier, in place of Patient.id; in OMOP a "
        "column of person, in place of person_id",
    )
    platelets: tuple[str, ...] | None = Field(
        default=None, description="the codes of platelet counts, in place of LOINC 777-3 and 26515-7"
    )
    rescue: dict[str, str] | None = Field(
        default=None, description="the codes of treatments that are rescue, each with its name; empty: none is"
    )
    bleeding: dict[str, int | str] | None = Field(
        default=None,
        description="the codes of bleeding, each with its WHO grade, or 'value': the record's value is the grade",
    )


@dataclass(frozen=True)
class KnownCodes:
    """The meanings of codes in one format."""

    platelets: frozenset[str]
    rescue: Mapping[str, str] | None
    """None: it was not told."""
    bleeding: Mapping[str, str] | None
    """As `rescue`; each with its grade, or `OWN_VALUE`."""
    patient_identifier: str | None

    @property
    def all(self) -> frozenset[str]:
        """All codes with a meaning."""
        return self.platelets.union(self.rescue or (), self.bleeding or ())


def known_codes(path: Path | None, platelets: frozenset[str]) -> KnownCodes:
    """The meanings in a file; None: nothing was told. `platelets` are the usual codes of counts.

    Raises `CohortError` with all problems of the file.
    """
    terms = Terms()
    if path is not None:
        raw, positions = load_toml(path, CohortError)
        terms = checked_by(Terms, tupled(raw), raw, positions, CohortError)
        cure = f"give a WHO grade from 0 to 4, or {OWN_VALUE!r} where the record has the grade"
        refuse(
            [
                positions.problem(("bleeding", code), f"{grade!r} is not a grade; {cure}.")
                for code, grade in (terms.bleeding or {}).items()
                if grade not in (*GRADES, OWN_VALUE)
            ],
            CohortError,
        )
    bleeding = None if terms.bleeding is None else {code: str(grade) for code, grade in terms.bleeding.items()}
    counts = platelets if terms.platelets is None else frozenset(terms.platelets)
    return KnownCodes(counts, terms.rescue, bleeding, terms.patient_identifier)
