"""Supplements of SDTM: the qualifiers in SUPP-- as further columns of a domain's records."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from itp_response.cohort.values import Ints
from itp_response.readers.problems import first_few, quoted
from itp_response.readers.sdtm.records import Records, SdtmStudy, either, of_all


def keys_of(supplements: Sequence[Records]) -> list[str]:
    """The variables by which supplements refer to records."""
    keys = (records.folded("IDVAR").drop_nulls().unique().sort().to_list() for records in supplements)
    return list(dict.fromkeys(name for names in keys for name in names))


def supplemented(
    domain: Sequence[Records], supplements: Sequence[Records], wanted: Iterable[str], study: SdtmStudy
) -> list[Records]:
    """The records of a domain's files, with the qualifiers `wanted` as columns.

    A qualifier of no record is reported, and so are two values of a qualifier of one record. A note says which
    qualifiers are not used.
    """
    names = {name.upper(): name for name in wanted}
    no_record = partial(_no_record, " or ".join(records.location.name for records in domain))
    extended = list(domain)
    for supplement in supplements:
        used = supplement.rows(supplement.folded("QNAM").is_in(list(names)) & supplement.texts("QVAL").is_not_null())
        _note(supplement, used, study)
        matched = _matched(extended, supplement, used)
        study.leave_out(supplement, "IDVARVAL", np.setdiff1d(used, matched["from"].to_numpy()), no_record)
        contradictory = _contradictory(matched)
        study.leave_out(supplement, "QVAL", contradictory, _two_values)
        matched = matched.filter(~matched["from"].is_in(contradictory))
        extended = [
            _with_columns(records, matched.filter(matched["file"] == file), names)
            for file, records in enumerate(extended)
        ]
    return extended


def _note(records: Records, used: Ints, study: SdtmStudy) -> None:
    """Note which qualifiers are used, and which are not."""
    qualifiers = records.folded("QNAM")
    others = np.setdiff1d(np.arange(len(records)), used)
    names, other_names = (qualifiers.gather(rows).drop_nulls().unique().sort() for rows in (used, others))
    text = f"{of_all(len(used), records)} taken{f': {first_few(names, 10)}' if len(names) else ''}"
    study.note(records, f"{text}{f'; not taken: {first_few(other_names, 10)}' if len(other_names) else ''}.")


def _no_record(files: str, text: str) -> str:
    return (
        f"{quoted(text)} is not a record of the subject in {files}; correct it." if text else f"no subject of {files}."
    )


def _two_values(text: str) -> str:
    return f"{quoted(text)} beside another value of the same qualifier of the same record; keep one."


def _matched(domain: Sequence[Records], supplement: Records, used: Ints) -> pl.DataFrame:
    """The record of each qualifier: its row (`from`), `name` and `value`, the domain's `file`, and the `row` there.

    A qualifier without IDVAR belongs to all records of the subject, as in SUPPDM.
    """
    qualifiers = pl.DataFrame(
        {
            "from": used,
            "subject": supplement.subject.gather(used),
            "by": supplement.folded("IDVAR").gather(used),
            "key": supplement.texts("IDVARVAL").gather(used),
            "name": supplement.folded("QNAM").gather(used),
            "value": supplement.texts("QVAL").gather(used),
        }
    )
    matched = [qualifiers.clear().with_columns(file=pl.lit(0, pl.Int64), row=pl.lit(0, pl.Int64))]
    for file, records in enumerate(domain):
        rows = {
            "subject": records.subject,
            "file": pl.Series([file]).new_from_index(0, len(records)),
            "row": np.arange(len(records)),
        }
        for (by,), group in qualifiers.group_by("by", maintain_order=True):
            keyed = pl.DataFrame(rows if by is None else {**rows, "key": records.texts(str(by))})
            on = ["subject"] if by is None else ["subject", "key"]
            matched.append(group.join(keyed, on=on, maintain_order="left").select(matched[0].columns))
    return pl.concat(matched)


def _contradictory(matched: pl.DataFrame) -> Ints:
    """The rows of qualifiers with another value for the same record."""
    several = pl.col("value").n_unique().over("file", "row", "name") > 1
    rows: Ints = np.unique(matched.filter(several)["from"].to_numpy())
    return rows


def _with_columns(records: Records, matched: pl.DataFrame, names: dict[str, str]) -> Records:
    frame = records.frame
    for (qualifier,), group in matched.group_by("name", maintain_order=True):
        name = names[str(qualifier)]
        values = pl.Series(name, [None], dtype=pl.String).new_from_index(0, len(records))
        values = values.scatter(group["row"].to_numpy(), group["value"])
        frame = frame.with_columns(either(records.texts(name), values).alias(name))
    return replace(records, frame=frame)
