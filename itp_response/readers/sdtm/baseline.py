"""Baseline of SDTM: the count that a study flags as its baseline, by LBLOBXFL or LBBLFL."""

import polars as pl

from itp_response.messages.wording import counted_patients
from itp_response.readers.problems import first_few, quoted
from itp_response.readers.sdtm.records import SdtmStudy, VisitRecords

FLAGS = ("LBLOBXFL", "LBBLFL")
"""The last observation before the first exposure, and the baseline; the former decides if both are given alike."""


def flagged_baselines(study: SdtmStudy) -> pl.DataFrame:
    """By `subject` the count that is flagged as the `baseline`, with its `baseline_unit`.

    Reports subjects with several.
    """
    counts = [part for part in study.visit_records if "platelets" in part.cells]
    told = study.settings.baseline_flag
    of_flags = [_flagged(counts, flag) for flag in FLAGS if told in (None, flag)]
    found = pl.concat([_flagged([], ""), *of_flags])
    several = (
        found.group_by("subject", maintain_order=True)
        .agg(pl.col("baseline").unique(maintain_order=True))
        .filter(pl.col("baseline").list.len() > 1)
    )
    for subject, values in several.head(20).iter_rows():
        cure = "keep one, or say 'baseline_flag' in sdtm.toml (LBLOBXFL, LBBLFL or none)"
        text = f"{quoted(subject)} has several counts flagged as baseline: {first_few(values)}; {cure}."
        study.problems.wrong(counts[0].records.location, text)
    baselines = found.unique("subject", keep="first", maintain_order=True)
    if len(baselines):
        by = " or ".join(
            flag
            for flag, rows in zip([flag for flag in FLAGS if told in (None, flag)], of_flags, strict=True)
            if len(rows)
        )
        text = f"the baseline of {counted_patients(len(baselines))} is the count that {by} flags"
        study.note(counts[0].records, f"{text}; 'baseline_flag = \"none\"' in sdtm.toml leaves it to the criteria.")
    return baselines


def _flagged(counts: list[VisitRecords], flag: str) -> pl.DataFrame:
    """The counts with that flag."""
    names = {"subject": "patient_id", "baseline": "platelets", "baseline_unit": "unit"}
    frames = [pl.DataFrame(schema=dict.fromkeys(names, pl.String))]
    for part in counts:
        is_flagged = (part.records.folded(flag).gather(part.row) == "Y").fill_null(value=False)
        frame = pl.DataFrame({name: part.column(column) for name, column in names.items()})
        frames.append(frame.filter(is_flagged).drop_nulls(["subject", "baseline"]))
    return pl.concat(frames)
