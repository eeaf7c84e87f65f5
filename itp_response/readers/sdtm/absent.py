"""Absent: the subjects of SDTM without a day 0, who were screened and not enrolled, or assigned and never treated."""

from dataclasses import dataclass

import polars as pl

from itp_response.messages.wording import counted as number_of
from itp_response.readers.column_names import WITHOUT_DAY_0
from itp_response.readers.sdtm.records import Records, SdtmStudy
from itp_response.readers.sdtm.terms import NOT_ENROLLED, NOT_TREATED, SCREEN_FAILURE

ARMS = ("ACTARMCD", "ARMCD", "ACTARM", "ARM", "ARMNRS")


@dataclass(frozen=True)
class Absent:
    """The subjects without a day 0 that DM explains, or about whom the settings say what becomes of them."""

    left_out: pl.Series
    kept: pl.Series
    """They are not evaluable."""
    as_told: bool = False
    """The settings say it, not DM."""

    def marked(self, patients: pl.DataFrame) -> pl.DataFrame:
        """The patients, with a mark on those kept, who have no end of treatment; who was treated in no arm has none."""
        kept = patients["patient_id"].is_in(self.kept.to_list()).fill_null(value=False)
        columns = [kept.alias(WITHOUT_DAY_0)]
        if "actual_arm" in patients.columns:
            arm = patients["actual_arm"]
            in_none = arm.str.to_uppercase().is_in(NOT_TREATED).fill_null(value=False)
            columns.append(arm.set(in_none, None))
        columns.append(patients["treatment_discontinued"].set(kept, None))
        return patients.with_columns(columns)

    def note(self, dm: Records, day_0: str, study: SdtmStudy) -> None:
        """Note how many subjects are left out, and how many are kept."""
        if len(self.left_out):
            number = number_of(self.left_out.n_unique(), "subject")
            study.note(
                dm, f"{number} {f'without {day_0} or not enrolled' if self.as_told else 'not enrolled'}, excluded."
            )
        if len(self.kept):
            number = number_of(self.kept.n_unique(), "subject")
            why = "" if self.as_told else " not treated,"
            text = f"{number} without {day_0},{why} kept and not evaluable, in the planned arm"
            study.note(dm, f"{text}; 'without_day_0 = \"leave_out\"' in sdtm.toml leaves them out.", warning=True)


def without_day_0(dm: Records, day_0: str, study: SdtmStudy) -> Absent:
    """The subjects without a day 0; those that neither DM nor the settings explain are a problem of reading."""
    missing = dm.texts(day_0).is_null() & dm.subject.is_not_null()
    # A subject who failed screening may have a reference date all the same.
    failed = _says(dm, SCREEN_FAILURE) & dm.subject.is_not_null()
    told = study.settings.without_day_0
    if told is not None:
        none = dm.subject.clear()
        if told == "keep":
            return Absent(none, dm.subject.filter(missing), as_told=True)
        return Absent(dm.subject.filter(missing | failed), none, as_told=True)
    if not dm.has(day_0):
        return Absent(dm.subject.clear(), dm.subject.clear())
    not_enrolled = (missing & _says(dm, NOT_ENROLLED)) | failed
    not_treated = missing & ~not_enrolled & _says(dm, NOT_TREATED)
    return Absent(dm.subject.filter(not_enrolled), dm.subject.filter(not_treated))


def _says(dm: Records, values: tuple[str, ...]) -> pl.Series:
    """Which subjects have one of the values in a variable of their arm."""
    columns = [dm.folded(name).is_in(values).fill_null(value=False) for name in ARMS]
    return pl.select(pl.any_horizontal(columns)).to_series()
