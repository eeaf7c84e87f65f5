"""Known names: the columns that the readers know, their aliases, and which column of a header is meant."""

from collections.abc import Sequence
from functools import cache

from itp_response.readers.units import in_header

VISITS = ("patient_id", "date", "day", "platelets", "unit", "bleeding_grade", "rescue", "rescue_end")
PATIENTS = (
    *("patient_id", "arm", "actual_arm", "enrolment_date", "enrolment_day", "baseline", "baseline_unit"),
    "treatment_discontinued",
)

UNIT_WORDS = (
    *("unit", "units", "uom", "unit_of_measure", "units_of_measure", "unit_of_measurement", "einheit", "masseinheit"),
    *("maßeinheit", "unité", "unite", "unites", "unités", "unità", "unita", "unidad", "unidades", "unidade", "eenheid"),
    *("enhed", "enhet", "jednostka", "jednotka", "yksikkö", "birim", "единица", "единицы", "ед.изм.", "単位", "单位"),
    *("單位", "단위"),
)
"""Words for a unit in the names of columns."""
COUNT_WORDS = (
    *("platelet", "platelets", "plt", "plts", "count", "counts", "platelet_count", "plt_count", "result", "results"),
    *("value", "lab", "lab_test", "test", "measurement", "measure", "original", "reported", "standard", "std"),
    *("concentration", "thrombocytes", "thrombozyten", "plaquettes"),
)
"""Words for what a unit is of, in the name of a column of units."""
UNITS_OF_COUNTS = (
    *(*UNIT_WORDS, "plt_u", "platelets_u", "lbunits"),
    *(f"{of}_{word}" for word in UNIT_WORDS for of in COUNT_WORDS),
    *(f"{word}_{of}" for word in UNIT_WORDS for of in COUNT_WORDS),
    *(f"{word}_of_{of}" for word in UNIT_WORDS for of in COUNT_WORDS),
)
"""Further names of columns of units: a word for a unit with one for the counts. `dose_unit` is none of these."""

ALIASES: dict[str, tuple[str, ...]] = {
    "patient_id": ("usubjid", "subjid", "subject_id", "subject", "patient", "pid", "record_id", "id"),
    "date": ("visit_date", "lbdtc", "sample_date", "assessment_date", "visitdt"),
    "day": (
        *("days", "rel_day", "day_since_enrolment", "days_since_enrolment"),
        *("day_since_enrollment", "days_since_enrollment"),
    ),
    "platelets": (
        "plt",
        "platelet",
        "platelet_count",
        "platelets_count",
        "plt_count",
        "count",
        "thrombocytes",
        *("plaquettes", "thrombozyten", "plaquetas", "piastrine", "trombocyten", "trombocytter"),
    ),
    "unit": (
        *("units", "unit_of_measure", "uom", "platelet_unit", "platelets_unit", "platelet_units", "platelets_units"),
        *("plt_unit", "plt_units", "count_unit", "count_units", "unit_concept_id", "unit_source_value", "lbunit"),
        *("lborresu", "lbstresu", "result_unit", "result_units", "einheit", "unité", "unidad", "unidade"),
    ),
    "bleeding_grade": (*("bleeding", "who_bleeding", "bleeding_score", "who_grade", "bleed_grade", "bleeding_who"),),
    "rescue": ("rescue_therapy", "rescue_treatment", "rescue_medication", "rescue_drug"),
    "rescue_end": ("rescue_end_date", "rescue_end_day", "rescue_stop"),
    "arm": ("treatment_arm", "group", "treatment_group", "trt", "trt01p"),
    "actual_arm": ("actarm", "trt01a", "arm_received", "treatment_received"),
    "enrolment_date": (
        *("enrollment_date", "date_of_enrolment", "date_of_enrollment"),
        *("randomisation_date", "randomization_date", "rfstdtc"),
    ),
    "enrolment_day": ("enrollment_day", "day_of_enrolment", "day_of_enrollment"),
    "baseline": ("baseline_platelets", "baseline_plt", "base"),
    "baseline_unit": (
        *("baseline_units", "baseline_platelets_unit", "baseline_plt_unit", "base_unit", "unit", "units"),
        *("platelet_unit", "platelets_unit", "plt_unit"),
    ),
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
BESIDE: dict[str, tuple[str, ...]] = {
    " site": (
        *("siteid", "site", "sitenumber", "siteno", "sitenr", "sitecode", "siteoid", "locationoid", "studysite"),
        *("centre", "center", "centreid", "centerid", "centreno", "centerno", "centrenumber", "centernumber"),
        *("studycentre", "studycenter", "sitename", "centrename", "centername", "centrecode", "centercode", "ctr"),
        *("hospital", "hospitalid", "hospitalname", "clinic", "clinicid", "institution", "institutionid", "facility"),
        *("facilityid", "zentrum", "zentrumnr", "zentrumsnummer", "prüfzentrum", "klinik", "centro", "centroid"),
        *("org", "orgid", "organisation", "organization", "prüfstelle", "studienzentrum", "krankenhaus", "ziekenhuis"),
        *("établissement", "etablissement", "ospedale", "szpital", "sjukhus", "sygehus", "центр", "больница", "医院"),
        *(
            "中心",
            "机构",
            "施設",
            "施設名",
            "施設番号",
            "機関",
            "병원",
            "기관",
            "investigator",
            "investigatorsite",
            "siteref",
        ),
        *("hôpital", "sede", "redcapdataaccessgroup", "dag", "country", "invid", "investigatorid"),
    ),
    " study": (
        *("usubjid", "studyid", "study", "studyoid", "studyno", "studynumber", "studycode", "studyname", "studie"),
        *("trial", "trialid", "trialno", "trialnumber", "nctid", "nctnumber"),
        *("protocol", "protocolid", "protocolno", "protocolnumber", "protocolcode"),
    ),
}
"""Columns beside a patient's id that may be a part of it, by names of letters and digits that no column of ours has."""
UNIQUE = "usubjid"
"""The id of a patient that no other patient of any study has; it goes before other columns with ids."""
UNIT_OF = {"unit": "platelets", "baseline_unit": "baseline"}
"""The columns of units, each with its column of counts, without which it is not used."""


def fitting(name: str, header: Sequence[str]) -> list[int]:
    """The positions of the columns that fit a name best.

    These are the columns of that very name; if there are none, those that differ from it by case or `_`; and if there
    are none of these either, those with one of its aliases. A unit in the header of counts is no part of the name.

    >>> fitting("platelets", ["ID", "Platelets", "PLT"])
    [1]
    >>> fitting("platelets", ["ID", "plt", "PLT"])
    [1, 2]
    >>> fitting("platelets", ["ID", "PLT (x10^9/L)"])
    [1]
    """
    exact = [position for position, written in enumerate(header) if written == name]
    all_folded = [folded(_without_unit(written) if name in UNIT_OF.values() else written) for written in header]
    similar = [position for position, written in enumerate(all_folded) if written == folded(name)]
    aliases = _aliases_of(name)
    others = [position for position, written in enumerate(all_folded) if written in aliases]
    unique = [position for position in others if all_folded[position] == UNIQUE]
    return exact or similar or unique or others


@cache
def _aliases_of(name: str) -> frozenset[str]:
    further = UNITS_OF_COUNTS if name in UNIT_OF else ()
    # They are hundreds, and are folded all at once.
    return frozenset(folded("\0".join((*ALIASES.get(name, ()), *further))).split("\0")) - {""}


def _without_unit(written: str) -> str:
    unit = in_header(written)
    return written if unit is None else unit.rest


def folded(name: str) -> str:
    """A name without what does not matter in it."""
    return "".join(name.lower().split()).replace("_", "").replace("-", "")
