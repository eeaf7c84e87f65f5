"""Systematic findings: checks that fire at most of what they look at ask about the study, not about each record.

Where a check fires at more than half of the records, it finds how the study is recorded, such as two counts on each
day. The site is asked once, with the number; the frame of findings has each of them all the same.
"""

from collections.abc import Mapping

import polars as pl

from itp_response.messages.wording import counted_patients

SHARE = 0.5
"""A check that fires at more than this share of what it looks at finds a habit of the study, and not slips."""
LEAST = 10
"""Fewer findings are each asked about: of a few records, most are soon found."""
ALL_PATIENTS = "all_patients"
"""What stands for the patient in the id of a query about all of them."""
ALL_IN_WORDS = "all patients"
COLUMNS = ("query_id", "check", "priority", "question", "observations", "patients")


def systematic_checks(findings: pl.DataFrame, looked_at: Mapping[str, tuple[int, str]]) -> list[str]:
    """The checks that fire at more than half of what they look at, and at least ten times.

    `looked_at` has for each check how many records it looks at, and what they are.
    """
    fired = findings.group_by("check", maintain_order=True).len()
    return [name for name, number in fired.iter_rows() if number >= LEAST and number > SHARE * looked_at[name][0]]


def systematic(
    findings: pl.DataFrame, looked_at: Mapping[str, tuple[int, str]], asks: Mapping[str, str]
) -> pl.DataFrame:
    """A row for each such check, with the columns `COLUMNS`; `asks` has the question of each check."""
    names = systematic_checks(findings, looked_at)
    rows = []
    for name in names:
        of_check = findings.filter(check=name)
        number, patients = len(of_check), of_check["patient_id"].n_unique()
        of, what = looked_at[name]
        # Several findings may be about one record.
        among = f"{number:,} of {of:,} {what}" if number <= of else f"{number:,} findings in {of:,} {what}"
        in_patients = "" if what == "patients" else f", in {counted_patients(patients)}"
        question = f"{among}{in_patients}: {asks[name][:1].lower()}{asks[name][1:]}"
        first = f"The first, of {of_check['patient_id'][0]}: {of_check['says'][0]}"
        text = f"{question} {first} One query for the study; the file of findings (--output) lists each."
        rows.append((f"{ALL_PATIENTS}.{name}", name, of_check["priority"][0], text, number, patients))
    types = [pl.String, pl.String, pl.String, pl.String, pl.Int64, pl.Int64]
    return pl.DataFrame(rows, schema=dict(zip(COLUMNS, types, strict=True)), orient="row")
