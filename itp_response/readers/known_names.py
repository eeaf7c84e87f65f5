"""Known names: the columns that the readers know, their aliases, and which column of a header is meant."""

from collections.abc import Sequence

VISITS = ("patient_id", "date", "day", "platelets", "bleeding_grade", "rescue", "rescue_end")
PATIENTS = ("patient_id", "arm", "enrolment_date", "enrolment_day", "baseline", "treatment_discontinued")

ALIASES: dict[str, tuple[str, ...]] = {
    "patient_id": ("usubjid", "subjid", "subject_id", "subject", "patient", "pid", "record_id", "id"),
    "date": ("visit_date", "lbdtc", "sample_date", "assessment_date", "visitdt"),
    "day": (
        *("days", "rel_day", "day_since_enrolment", "days_since_enrolment"),
        *("day_since_enrollment", "days_since_enrollment"),
    ),
    "platelets": ("plt", "platelet", "platelet_count", "platelets_count", "plt_count", "count", "thrombocytes"),
    "bleeding_grade": (*("bleeding", "who_bleeding", "bleeding_score", "who_grade", "bleed_grade", "bleeding_who"),),
    "rescue": ("rescue_therapy", "rescue_treatment", "rescue_medication", "rescue_drug"),
    "rescue_end": ("rescue_end_date", "rescue_end_day", "rescue_stop"),
    "arm": ("treatment_arm", "group", "treatment_group", "trt", "trt01p", "actarm"),
    "enrolment_date": (
        *("enrollment_date", "date_of_enrolment", "date_of_enrollment"),
        *("randomisation_date", "randomization_date", "rfstdtc"),
    ),
    "enrolment_day": ("enrollment_day", "day_of_enrolment", "day_of_enrollment"),
    "baseline": ("baseline_platelets", "baseline_plt", "base"),
    "treatment_discontinued": (
        *("discontinued", "treatment_discontinued_date", "treatment_discontinued_day"),
        *("discontinuation_date", "discontinuation_day"),
    ),
    "birth_date": ("birthdate", "date_of_birth", "dob", "brthdtc"),
    "death_date": ("deathdate", "date_of_death", "dod", "dthdtc"),
    "event": ("adverse_event", "aedecod"),
    "grade": ("ctcae_grade", "aetoxgr"),
}
"""Other names of a column. Case, spaces, `-` and `_` do not matter.

CDISC's study days (`LBDY`, `ADY`) are not among them: they have no day 0.
"""


def fitting(name: str, header: Sequence[str]) -> list[int]:
    """The positions of the columns that fit a name best.

    These are the columns of that very name; if there are none, those that differ from it by case or `_`; and if there
    are none of these either, those with one of its aliases.

    >>> fitting("platelets", ["ID", "Platelets", "PLT"])
    [1]
    >>> fitting("platelets", ["ID", "plt", "PLT"])
    [1, 2]
    """
    exact = [position for position, written in enumerate(header) if written == name]
    all_folded = [folded(written) for written in header]
    similar = [position for position, written in enumerate(all_folded) if written == folded(name)]
    aliases = {folded(alias) for alias in ALIASES.get(name, ())}
    return exact or similar or [position for position, written in enumerate(all_folded) if written in aliases]


def folded(name: str) -> str:
    """A name without what does not matter in it."""
    return "".join(name.lower().split()).replace("_", "").replace("-", "")
