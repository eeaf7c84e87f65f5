"""Baseline of SDTM: the count that a study flags as its baseline, by LBLOBXFL or LBBLFL."""

from collections.abc import Sequence

import polars as pl

from itp_response.messages.wording import counted_patients
from itp_response.readers.count_units import exponents_of
from itp_response.readers.problems import first_few, quoted
from itp_response.readers.sdtm.counts import is_count
from itp_response.readers.sdtm.records import Records, SdtmStudy, VisitRecords, says_yes, whole_days

FLAGS = ("LBLOBXFL", "LBBLFL")
"""The last observation before the first exposure, and the baseline."""
COLUMNS = {"subject": "patient_id", "baseline": "platelets", "baseline_unit": "unit", "date": "date"}
"""What is told of a baseline, and the columns of the visits that it comes from."""
MOST_REPORTED = 20


def flagged_baselines(all_records: Sequence[Records], day_0: pl.DataFrame, study: SdtmStudy) -> pl.DataFrame:
    """By `subject` the count that is flagged as the `baseline`, with its `baseline_unit`.

    `day_0` has the `day_0` of each `subject`. Reports subjects with several, and notes those with a flag that is of no
    count, or of one after day 0.
    """
    told = study.settings.baseline_flag
    flags = [flag for flag in FLAGS if told in (None, flag)]
    is_flagged = {(id(of), flag): says_yes(of, flag, study, "read as no flag") for of in all_records for flag in flags}
    counts = [part for part in study.visit_records if "platelets" in part.cells]
    empty = pl.DataFrame(schema=dict.fromkeys((*COLUMNS, "flag"), pl.String))
    found = pl.concat(
        [empty, *(_flagged(part, is_flagged[id(part.records), flag], flag) for flag in flags for part in counts)]
    )
    _report_several(found, all_records[0], study)
    subjects = [of.subject.filter(is_count(of) & is_flagged[id(of), flag]) for of in all_records for flag in flags]
    without = pl.concat([empty["subject"], *subjects]).drop_nulls().unique().sort()
    without = without.filter(~without.is_in(found["subject"].to_list()))
    _note(found, without, day_0, all_records[0], study)
    return _of_subjects(found).select("subject", "baseline", "baseline_unit")


def _of_subjects(found: pl.DataFrame) -> pl.DataFrame:
    return found.unique("subject", keep="first", maintain_order=True)


def _flagged(part: VisitRecords, is_flagged: pl.Series, flag: str) -> pl.DataFrame:
    """The counts that are flagged."""
    frame = pl.DataFrame({name: part.column(column) for name, column in COLUMNS.items()})
    flagged = frame.filter(is_flagged.gather(part.row)).drop_nulls(["subject", "baseline"])
    return flagged.with_columns(flag=pl.lit(flag))


def _report_several(found: pl.DataFrame, records: Records, study: SdtmStudy) -> None:
    """Report the subjects with several counts that are flagged; the same count in another unit is the same."""
    exponents, _ = exponents_of(found["baseline_unit"])
    number = pl.col("baseline").cast(pl.Float64, strict=False) * 10.0 ** pl.Series(exponents)
    same = pl.coalesce(number.round_sig_figs(9).cast(pl.String), "baseline")
    several = (
        found.with_columns(count=same)
        .group_by("subject", maintain_order=True)
        .agg(
            pl.col("baseline").unique(maintain_order=True),
            counts=pl.col("count").n_unique(),
            by_flag=pl.struct("flag", "count").n_unique() == pl.col("flag").n_unique(),
        )
        .filter(pl.col("counts") > 1)
    )
    for subject, values, _, by_flag in several.head(MOST_REPORTED).iter_rows():
        flags = "LBLOBXFL, LBBLFL or none" if by_flag else "none"
        cure = f"keep one, or say 'baseline_flag' in sdtm.toml ({flags})"
        text = f"{quoted(subject)} has several counts flagged as baseline: {first_few(values)}; {cure}."
        study.problems.wrong(records.location, text)


def _note(found: pl.DataFrame, without: pl.Series, day_0: pl.DataFrame, records: Records, study: SdtmStudy) -> None:
    """Note how many baselines are flagged, how many of them are after day 0, and how many flags are of no count."""
    baselines = _of_subjects(found)
    if len(baselines):
        flags = " or ".join(found["flag"].unique(maintain_order=True))
        text = f"the baseline of {counted_patients(len(baselines))} is the count that {flags} flags"
        study.note(records, f"{text}; 'baseline_flag = \"none\"' in sdtm.toml leaves it to the criteria.")
    dated = baselines.select("subject", day=whole_days(pl.col("date"))).join(day_0, on="subject")
    late = dated.filter(pl.col("day") > pl.col("day_0"))["subject"]
    if len(late):
        text = f"the flagged baseline of {counted_patients(len(late))} is of a day after day 0: {first_few(late)}"
        study.note(records, f"{text}; 'day_0' in sdtm.toml says which variable of DM is day 0.", warning=True)
    if len(without):
        text = f"the flagged baseline of {counted_patients(len(without))} has no count: {first_few(without)}"
        study.note(records, f"{text}; theirs is left to the criteria.", warning=True)
