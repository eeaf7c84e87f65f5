"""Supplements of SDTM: the qualifiers that SUPP-- has of a domain's records, as further columns of these records."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from itp_response.cohort.values import Ints
from itp_response.readers.problems import first_few, quoted
from itp_response.readers.sdtm.records import Records, SdtmStudy, either, of_all


def keys_of(supplements: Sequence[Records]) -> list[str]:
    """The variables by which supplements name the records that they are of."""
    names = (records.folded("IDVAR").drop_nulls().unique().sort().to_list() for records in supplements)
    return list(dict.fromkeys(name for few in names for name in few))


def supplemented(
    domain: Sequence[Records], supplements: Sequence[Records], wanted: Iterable[str], study: SdtmStudy
) -> list[Records]:
    """The records of a domain's files, with those qualifiers that are wanted as columns of these names.

    A qualifier of no record, and one that is told twice otherwise, is found wrong; which are not taken is said.
    """
    names = {name.upper(): name for name in wanted}
    made = list(domain)
    for records in supplements:
        taken = records.rows(records.folded("QNAM").is_in(list(names)) & records.texts("QVAL").is_not_null())
        _note(records, taken, study)
        matched = _matched(made, records, taken)
        no_record = partial(_no_record, " or ".join(one.location.name for one in domain))
        study.left_out(records, "IDVARVAL", np.setdiff1d(taken, matched["from"].to_numpy()), no_record)
        twice = _told_otherwise(matched)
        study.left_out(records, "QVAL", twice, _told_twice)
        made = [
            _with_columns(one, matched.filter((matched["file"] == file) & ~matched["from"].is_in(twice)), names)
            for file, one in enumerate(made)
        ]
    return made


def _note(records: Records, taken: Ints, study: SdtmStudy) -> None:
    qualifiers = records.folded("QNAM")
    others = np.setdiff1d(np.arange(len(records)), taken)
    called, rest = (qualifiers.gather(rows).drop_nulls().unique().sort() for rows in (taken, others))
    said = f"{of_all(len(taken), records)} taken{f': {first_few(called, 10)}' if len(called) else ''}"
    study.note(records, f"{said}{f'; not taken: {first_few(rest, 10)}' if len(rest) else ''}.")


def _no_record(files: str, text: str) -> str:
    return f"{quoted(text)} is no record of the subject in {files}; correct it." if text else f"no subject of {files}."


def _told_twice(text: str) -> str:
    return f"{quoted(text)} beside another value of the same qualifier of the same record; keep one."


def _matched(domain: Sequence[Records], records: Records, taken: Ints) -> pl.DataFrame:
    """Which record each qualifier is of: `from` its row, `name` and `value`, the domain's `file` and the `row` there.

    One without IDVAR is of all records of the subject, as in SUPPDM.
    """
    told = pl.DataFrame(
        {
            "from": taken,
            "subject": records.subject.gather(taken),
            "by": records.folded("IDVAR").gather(taken),
            "key": records.texts("IDVARVAL").gather(taken),
            "name": records.folded("QNAM").gather(taken),
            "value": records.texts("QVAL").gather(taken),
        }
    )
    found = [told.clear().with_columns(file=pl.lit(0, pl.Int64), row=pl.lit(0, pl.Int64))]
    for file, one in enumerate(domain):
        rows = {
            "subject": one.subject,
            "file": pl.Series([file]).new_from_index(0, len(one)),
            "row": np.arange(len(one)),
        }
        for (by,), few in told.group_by("by", maintain_order=True):
            there = pl.DataFrame(rows if by is None else {**rows, "key": one.texts(str(by))})
            on = ["subject"] if by is None else ["subject", "key"]
            found.append(few.join(there, on=on, maintain_order="left").select(found[0].columns))
    return pl.concat(found)


def _told_otherwise(matched: pl.DataFrame) -> Ints:
    """The rows of qualifiers of which the same record has another value too."""
    several = pl.col("value").n_unique().over("file", "row", "name") > 1
    rows: Ints = np.unique(matched.filter(several)["from"].to_numpy())
    return rows


def _with_columns(records: Records, matched: pl.DataFrame, names: dict[str, str]) -> Records:
    frame = records.frame
    for (qualifier,), few in matched.group_by("name", maintain_order=True):
        name = names[str(qualifier)]
        told = pl.Series(name, [None], dtype=pl.String).new_from_index(0, len(records))
        told = told.scatter(few["row"].to_numpy(), few["value"])
        frame = frame.with_columns(either(records.texts(name), told).alias(name))
    return replace(records, frame=frame)
