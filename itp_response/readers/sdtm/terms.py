"""Terms of SDTM: which records are counts, bleeding, rescue and the end of treatment, unless the study says otherwise.

A study's own terms are in `sdtm.toml` in its folder, or in a file that is named, with the keys of `Settings`.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from itp_response.messages.errors import CohortError
from itp_response.messages.toml_file import checked_by, load_toml
from itp_response.messages.toml_positions import refuse
from itp_response.readers.units import exponent_of, no_unit

PLATELETS = "PLAT"
LOINC = ("777-3", "26515-7")
"""Platelets in blood: by automated count, and by any method."""
SCREEN_FAILURE = ("SCRNFAIL", "SCREEN FAILURE")
NOT_ENROLLED = (*SCREEN_FAILURE, "NOTASSGN", "NOT ASSIGNED")
"""Values of `ARMCD`, `ACTARMCD`, `ARM`, `ACTARM`, `ARMNRS` of a subject who was not enrolled."""
SEVERITIES = {"MILD": "1", "MODERATE": "2", "SEVERE": "3"}
ONGOING = ("ONGOING", "AFTER", "DURING/AFTER", "Y")
"""Values of `--ENRTPT`, `--ENRF`, `--ONGO` of a record that is ongoing."""
MILESTONES = (
    *("COMPLETED", "RANDOMIZED", "RANDOMISED", "ENROLLED", "SCREEN FAILURE", "INFORMED CONSENT OBTAINED"),
    *("ELIGIBILITY CRITERIA MET", "ENTERED INTO TRIAL", "FINAL LAB VISIT", "FINAL RETRIEVAL VISIT"),
)
"""Values of `DSDECOD` that are no early discontinuation of treatment."""
BLEEDING_TESTS = ("BLEEDGR", "BLDGRADE", "BLDGR", "WHOBLEED", "WHOBLD", "WHOBLDGR", "WHOGRADE", "WHOBS")
GRADE_TESTS = ("GRADE", "TOXGR", "SEV", "WHOGR")
"""Values of `FATESTCD` for the grade of the object in `FAOBJ`."""
BLEEDING_OBJECTS = ("BLEEDING", "BLEED", "HAEMORRHAGE", "HEMORRHAGE")
BLEEDING_LIKE = r"HA?EMORRH|BLEED|EPISTAX|PETECHI|ECCHYM|PURPURA|HA?EMATOMA|HA?EMATURIA|MELA?ENA|MENORRHAG|CONTUSION"
"""Terms that contain this and do not count as bleeding are noted."""
BLEEDING_TERMS = (
    *("ABDOMINAL WALL HAEMATOMA", "ABNORMAL UTERINE BLEEDING", "ADRENAL HAEMORRHAGE", "ANAL HAEMORRHAGE"),
    *("APPLICATION SITE BLEEDING", "APPLICATION SITE HAEMORRHAGE", "BLOOD BLISTER"),
    *("BRAIN STEM HAEMORRHAGE", "BREAST HAEMORRHAGE", "BRONCHIAL HAEMORRHAGE", "CATHETER SITE BRUISE"),
    *("CATHETER SITE HAEMATOMA", "CATHETER SITE HAEMORRHAGE", "CEREBELLAR HAEMORRHAGE", "CEREBRAL HAEMATOMA"),
    *("CEREBRAL HAEMORRHAGE", "CONJUNCTIVAL HAEMORRHAGE", "CONTUSION", "DIARRHOEA HAEMORRHAGIC"),
    *("DUODENAL ULCER HAEMORRHAGE", "EAR HAEMORRHAGE", "ECCHYMOSIS", "EPISTAXIS", "EXTRADURAL HAEMATOMA"),
    *("EYE HAEMORRHAGE", "GASTRIC HAEMORRHAGE", "GASTRIC ULCER HAEMORRHAGE", "GASTROINTESTINAL HAEMORRHAGE"),
    *("GENITAL HAEMORRHAGE", "GINGIVAL BLEEDING", "HAEMARTHROSIS", "HAEMATEMESIS", "HAEMATOCHEZIA", "HAEMATOMA"),
    *("HAEMATOMA MUSCLE", "HAEMATOSPERMIA", "HAEMATOTYMPANUM", "HAEMATURIA", "HAEMOPERITONEUM", "HAEMOPTYSIS"),
    *("HAEMORRHAGE", "HAEMORRHAGE INTRACRANIAL", "HAEMORRHAGE SUBCUTANEOUS", "HAEMORRHAGE URINARY TRACT"),
    *("HAEMORRHAGIC DIATHESIS", "HAEMORRHAGIC STROKE", "HAEMORRHOIDAL HAEMORRHAGE", "HAEMOTHORAX"),
    *("HEAVY MENSTRUAL BLEEDING", "INCREASED TENDENCY TO BRUISE", "INFUSION SITE BRUISING"),
    *("INFUSION SITE HAEMATOMA", "INFUSION SITE HAEMORRHAGE", "INJECTION SITE BRUISING"),
    *("INJECTION SITE HAEMATOMA", "INJECTION SITE HAEMORRHAGE", "INTERMENSTRUAL BLEEDING"),
    *("INTESTINAL HAEMORRHAGE", "INTRA-ABDOMINAL HAEMORRHAGE", "INTRAVENTRICULAR HAEMORRHAGE", "LIP HAEMORRHAGE"),
    *("LOWER GASTROINTESTINAL HAEMORRHAGE", "MELAENA", "MENOMETRORRHAGIA", "MENORRHAGIA", "METRORRHAGIA"),
    *("MOUTH HAEMORRHAGE", "MUCOSAL HAEMORRHAGE", "MUSCLE HAEMORRHAGE", "OCULAR HAEMORRHAGE"),
    *("ORAL BLOOD BLISTER", "ORAL PURPURA", "PERIORBITAL HAEMATOMA", "PERIORBITAL HAEMORRHAGE", "PETECHIAE"),
    *("PHARYNGEAL HAEMORRHAGE", "POST PROCEDURAL HAEMATOMA", "POST PROCEDURAL HAEMORRHAGE"),
    *("POSTMENOPAUSAL HAEMORRHAGE", "POSTPARTUM HAEMORRHAGE", "PROCEDURAL HAEMORRHAGE"),
    *("PULMONARY ALVEOLAR HAEMORRHAGE", "PULMONARY HAEMORRHAGE", "PURPURA", "RECTAL HAEMORRHAGE", "RENAL HAEMORRHAGE"),
    *("RETINAL HAEMORRHAGE", "RETROPERITONEAL HAEMATOMA", "RETROPERITONEAL HAEMORRHAGE", "SCLERAL HAEMORRHAGE"),
    *("SKIN HAEMORRHAGE", "SPLENIC HAEMORRHAGE", "SPONTANEOUS HAEMATOMA", "SPONTANEOUS HAEMORRHAGE"),
    *("SUBARACHNOID HAEMORRHAGE", "SUBCUTANEOUS HAEMATOMA", "SUBDURAL HAEMATOMA", "SUBDURAL HAEMORRHAGE"),
    *("SUBGALEAL HAEMATOMA", "TONGUE HAEMATOMA", "TONGUE HAEMORRHAGE", "TOOTH SOCKET HAEMORRHAGE"),
    *("TRAUMATIC HAEMATOMA", "TRAUMATIC HAEMORRHAGE", "UPPER GASTROINTESTINAL HAEMORRHAGE"),
    *("URINARY BLADDER HAEMORRHAGE", "UTERINE HAEMORRHAGE", "VAGINAL HAEMORRHAGE", "VESSEL PUNCTURE SITE BRUISE"),
    *("VESSEL PUNCTURE SITE HAEMATOMA", "VESSEL PUNCTURE SITE HAEMORRHAGE", "VITREOUS HAEMORRHAGE"),
    "WOUND HAEMORRHAGE",
)
"""MedDRA's preferred terms that are bleeding, without those of laboratory findings alone."""


RESCUE_FLAGS = ("RESCUE", "RESCFL", "RESCUEFL", "CMRESC", "CMRESCFL", "CMRESCUE", "PRRESC", "PRRESCFL", "EXRESC")
RESCUE_REASONS = ("RESCRSN", "RESCREAS", "CMRSN", "CMREAS", "CMREASND", "CMRESRSN", "PRREAS", "EXREAS")


NOT_TREATED = ("ASSIGNED, NOT TREATED", "NOT TREATED", "NOTTRT")
"""Values of the same variables of a subject who was enrolled and never treated."""


class Settings(BaseModel):
    """The keys of `sdtm.toml`; texts are compared whatever their case."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    day_0: Literal["RFSTDTC", "RFXSTDTC"] | None = Field(
        default=None, description="the variable of DM that is day 0; else RFSTDTC, or RFXSTDTC where DM has no other"
    )
    unit: str | None = Field(default=None, description="the unit of all platelet counts, such as 10^4/uL")
    bleeding_terms: list[str] = Field(
        default=list(BLEEDING_TERMS), description="AEDECOD or CEDECOD (else --TERM) that are bleeding"
    )
    bleeding_tests: list[str] = Field(
        default=list(BLEEDING_TESTS),
        description="FATESTCD that are the grade of bleeding at a visit, and QNAM of SUPPAE and SUPPCE that are one",
    )
    rescue_categories: list[str] = Field(
        default=["RESCUE", "SALVAGE"], description="what a category (--CAT or --SCAT) of rescue treatment has in it"
    )
    rescue_names: list[str] = Field(
        default=[], description="names (--DECOD or --TRT) that are rescue treatment whatever the category"
    )
    rescue_flags: list[str] = Field(
        default=list(RESCUE_FLAGS), description="QNAM of SUPPCM, SUPPPR and SUPPEX that say by Y that it is rescue"
    )
    rescue_reasons: list[str] = Field(
        default=list(RESCUE_REASONS), description="QNAM of the same that say why it was given, beside --INDC"
    )
    no_rescue: list[str] = Field(default=[], description="names (--DECOD or --TRT) that are no rescue treatment")
    missing: list[str] = Field(default=[], description="codes of a missing value: 999, or platelets=999")
    raised_dose_is_rescue: bool = Field(
        default=True, description="whether a dose in EX above that at enrolment is rescue treatment"
    )
    without_day_0: Literal["keep", "leave_out"] | None = Field(
        default=None,
        description="whether subjects without a day 0 are kept, not evaluable, or left out; else those who were not "
        "enrolled are left out, and those who were assigned and not treated are kept",
    )
    baseline_flag: Literal["LBLOBXFL", "LBBLFL", "none"] | None = Field(
        default=None, description="the flag of the count that is the baseline; `none`: the criteria choose it"
    )
    unknown_occurrence: Literal["occurred", "not_occurred"] | None = Field(
        default=None, description="what --OCCUR U means for bleeding and rescue treatment"
    )
    ungraded_bleeding: Literal[1, 2, 3, 4] | None = Field(
        default=None, description="the grade assumed of bleeding in AE and CE that has none; else it is refused"
    )


def settings(path: Path) -> Settings:
    """The settings of a study in a file.

    Raises `CohortError` with all problems of the file.
    """
    raw, positions = load_toml(path, CohortError)
    own = checked_by(Settings, raw, raw, positions, CohortError)
    if own.unit is not None and exponent_of(own.unit) is None:
        refuse([positions.problem(("unit",), no_unit(own.unit))], CohortError)
    return own
