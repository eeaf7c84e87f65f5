"""Flow: how many patients were assessed, excluded, allocated, stopped treatment and were analysed (CONSORT)."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl

from itp_response.classification.supplied import UNRECORDED, records_discontinuation
from itp_response.cohort.cohort import Cohort
from itp_response.cohort.values import Bools
from itp_response.outputs.statistics.groups import PER_PROTOCOL, REASON_STOPPED, AnalysedPatients, Groups, in_words
from itp_response.outputs.statistics.tables import DASH, Number, Table, TableRows
from itp_response.outputs.tables.further_tables import named_table, refuse_beside_a_cut
from itp_response.readers.patients import positions_of
from itp_response.readers.problems import Problems, as_text, quoted

NO_REASON = "no reason recorded"
STOPPED = "discontinued treatment"


def read_screening(given: Any, cohort: Cohort) -> dict[str, int]:
    """How many were excluded for each reason, by a table with a row per person assessed: `patient_id`, `excluded`.

    A row has the id of an enrolled patient and no reason, or a reason; the id of an excluded person may be missing.
    Raises `CohortError` where the two do not fit each other or the study, and `UsageError` beside a study that was cut.
    """
    problems = Problems()
    columns = ("patient_id", "excluded")
    refuse_beside_a_cut(cohort, "screening")
    named = named_table(given, "screening", columns, columns, problems)
    ids, reasons = (as_text(named.cells(name).values) for name in columns)
    in_study = positions_of(ids, cohort.id) >= 0
    excluded = reasons.is_not_null().to_numpy()
    problems.wrong_cells(named.cells("patient_id"), np.flatnonzero(~excluded & ~in_study), _no_reason)
    problems.wrong_cells(
        named.cells("patient_id"),
        np.flatnonzero(excluded & in_study),
        lambda text: f"{quoted(text)} is in the study but also recorded as excluded; correct it.",
    )
    repeated = (ids.is_not_null() & ~ids.is_first_distinct()).arg_true().to_numpy()
    problems.wrong_cells(
        named.cells("patient_id"), repeated, lambda text: f"{quoted(text)} occurs more than once; keep one row."
    )
    absent = cohort.id.filter(~cohort.id.is_in(ids.drop_nulls().to_list()))
    if len(absent):
        problems.wrong(named.location, _absent(absent))
    problems.raise_if_wrong()
    return dict(_by_frequency(reasons.drop_nulls()))


def _no_reason(text: str) -> str:
    what = f"{quoted(text)} is not in the study" if text else "the id is missing"
    return f"{what}, and no reason for exclusion is given; correct it."


def _absent(ids: pl.Series) -> str:
    more = len(ids) - 1
    others = f" and {more} other{'s' if more > 1 else ''}" if more else ""
    return f"{quoted(ids[0])}{others} of the study {'are' if more else 'is'} missing; add a row for each."


def _by_frequency(reasons: pl.Series) -> Iterable[tuple[str, int]]:
    """The reasons and their numbers, the most frequent first."""
    return sorted(reasons.value_counts().iter_rows(), key=lambda pair: (-pair[1], pair[0]))


def flow(patients: AnalysedPatients, groups: Groups, excluded: Mapping[str, int] | None = None) -> Table:
    """The numbers of the trial's profile: all, and by group.

    `excluded` has the numbers of those assessed but not enrolled, by reason; None: not recorded.
    The per-protocol set is there where the patient table has it.
    """
    rows = TableRows()
    if excluded is not None:
        _add_screened(rows, excluded, len(patients.cohort))
    # Of patients who have no arm, or stand in other groups, no input says that they were allocated.
    _add(rows, groups, "allocated" if groups.by == "arm" else "in the study", groups.inside)
    is_recorded = records_discontinuation(patients.cohort)
    if is_recorded:
        _add_stopped(rows, patients, groups)
    else:
        rows.add((STOPPED, *[DASH] * (1 + len(groups.labels))), ())
    _add(rows, groups, "analysed (ITT)", groups.inside)
    if PER_PROTOCOL in patients.columns:
        _add(rows, groups, "analysed (per protocol)", patients.per_protocol())
    notes = (
        [f"Patients assessed for eligibility: {UNRECORDED}; no screening table was given."] if excluded is None else []
    )
    notes += [] if is_recorded else [f"{DASH} {STOPPED}: {UNRECORDED}."]
    return rows.table("flow", "Participant flow", ("", "total", *groups.labels), notes)


def _add_stopped(rows: TableRows, patients: AnalysedPatients, groups: Groups) -> None:
    """The rows of treatment that was discontinued, and of the reasons where the patient table has them."""
    stopped = np.isfinite(patients.cohort.treatment_discontinued)
    _add(rows, groups, STOPPED, stopped)
    if REASON_STOPPED in patients.columns:
        reasons = in_words(patients.columns[REASON_STOPPED]).fill_null(NO_REASON)
        for reason, _ in _by_frequency(reasons.filter(pl.Series(stopped & groups.inside))):
            _add(rows, groups, f"  {reason}", stopped & (reasons == reason).to_numpy(), of=STOPPED)


def _add_screened(rows: TableRows, excluded: Mapping[str, int], enrolled: int) -> None:
    """The rows of what was before there were groups."""
    total = sum(excluded.values())
    for label, number in (("assessed for eligibility", enrolled + total), ("excluded", total)):
        rows.add((label, f"{number:,}"), [_number(label, "", number)])
    for reason, number in excluded.items():
        rows.add((f"  {reason}", f"{number:,}"), [_number(reason, "", number, of="excluded")])


def _add(rows: TableRows, groups: Groups, label: str, selected: Bools, of: str = "") -> None:
    """A row: how many of all patients and of each group are selected."""
    members = (groups.inside, *groups.members)
    counts = [int((selected & member).sum()) for member in members]
    name = label.strip()
    numbers = [_number(name, group, count, of) for group, count in zip(("", *groups.labels), counts, strict=True)]
    rows.add((label, *(f"{count:,}" for count in counts)), numbers)


def _number(name: str, group: str, number: int, of: str = "") -> Number:
    """A number; a part of another row has that row's name `of` as its variable."""
    return Number(of or name, group, "n", float(number), level=name if of else "")
