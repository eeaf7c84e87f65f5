"""Flow: who was assessed, excluded, allocated, stopped treatment and was analysed; CONSORT's numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from itp_response.cohort.cohort import Cohort
from itp_response.outputs.statistics.groups import PER_PROTOCOL, REASON_STOPPED, AnalysedPatients, Groups, in_words
from itp_response.outputs.statistics.tables import Number, Table, once
from itp_response.readers.column_names import missing_column, read_table
from itp_response.readers.patients import positions_of
from itp_response.readers.problems import Problems, as_text, quoted

NO_REASON = "no reason recorded"


def read_screening(given: Any, cohort: Cohort) -> dict[str, int]:
    """How many were excluded for each reason, by a table with a row for everyone assessed: `patient_id`, `excluded`.

    Whoever was enrolled has his id and no reason, whoever was not has a reason and need have no id.
    Raises `CohortError` where the two do not fit each other or the study.
    """
    found = Problems()
    named = read_table(given, "screening", 2, ("patient_id", "excluded"), (), found)
    if named is None:
        raise found.error()
    for name in ("patient_id", "excluded"):
        if not named.has(name):
            found.wrong(named.location, missing_column(name, named.written))
    found.raise_if_wrong()
    ids, reasons = (as_text(named.cells(name).values) for name in ("patient_id", "excluded"))
    place = positions_of(ids, cohort.id)
    out = reasons.is_not_null().to_numpy()
    found.wrong_cells(
        named.cells("patient_id"),
        np.flatnonzero(~out & (place < 0)),
        lambda text: (
            f"{f'{quoted(text)} is not in the study' if text else 'nobody is named'}, "
            "and no reason is given; correct it."
        ),
    )
    found.wrong_cells(
        named.cells("patient_id"),
        np.flatnonzero(out & (place >= 0)),
        lambda text: f"{quoted(text)} is in the study although excluded; correct it.",
    )
    again = (ids.is_not_null() & ~ids.is_first_distinct()).arg_true().to_numpy()
    found.wrong_cells(named.cells("patient_id"), again, lambda text: f"{quoted(text)} is there twice; keep one.")
    absent = cohort.id.filter(~cohort.id.is_in(ids.drop_nulls().to_list()))
    if len(absent):
        more = len(absent) - 1
        others = f" and {more} other{'s' if more > 1 else ''}" if more else ""
        who = f"{quoted(absent[0])}{others} of the study"
        found.wrong(named.location, f"{who} {'are' if more else 'is'} missing; add them.")
    found.raise_if_wrong()
    counts = reasons.drop_nulls().value_counts(sort=True)
    return dict(sorted(counts.iter_rows(), key=lambda pair: (-pair[1], pair[0])))


def flow(patients: AnalysedPatients, groups: Groups, excluded: Mapping[str, int] | None = None) -> Table:
    """The numbers of the trial's profile: all, and by group.

    `excluded` has those assessed but not enrolled, by reason; None: it is not known who was assessed.
    The per-protocol set is there where the patient table has it.
    """
    made = _Made(groups)
    if excluded is not None:
        enrolled = len(patients.cohort)
        made.all("assessed for eligibility", enrolled + sum(excluded.values()))
        made.all("excluded", sum(excluded.values()))
        for reason, number in excluded.items():
            made.all(f"  {reason}", number, of="excluded")
    made.row("allocated", groups.code >= 0)
    stopped = np.isfinite(patients.cohort.treatment_discontinued)
    made.row("discontinued treatment", stopped)
    if REASON_STOPPED in patients.columns:
        reasons = in_words(patients.columns[REASON_STOPPED]).fill_null(NO_REASON)
        here = reasons.filter(list(stopped & (groups.code >= 0)))
        for reason, _ in sorted(here.value_counts().iter_rows(), key=lambda pair: (-pair[1], pair[0])):
            made.row(f"  {reason}", stopped & (reasons == reason).to_numpy(), of="discontinued treatment")
    made.row("analysed, intention to treat", groups.code >= 0)
    if PER_PROTOCOL in patients.columns:
        made.row("analysed, per protocol", patients.per_protocol())
    unsaid = "" if excluded is not None else "Who was assessed is not known; --screening FILE says it."
    header = ("", "all", *groups.labels)
    return Table("flow", "Trial flow", header, tuple(made.rows), tuple(made.numbers), once([unsaid]))


class _Made:
    """The rows, and the numbers behind them."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self.rows: list[tuple[str, ...]] = []
        self.numbers: list[Number] = []

    def all(self, label: str, number: int, of: str = "") -> None:
        """A number of all, before there were groups."""
        self.rows.append((label, f"{number:,}"))
        self._note(label, "", number, of)

    def row(self, label: str, who: Any, of: str = "") -> None:
        """How many of all and of each group."""
        counts = [int((who & (self._groups.code == code)).sum()) for code in range(len(self._groups.labels))]
        everyone = int((who & (self._groups.code >= 0)).sum())
        self.rows.append((label, f"{everyone:,}", *(f"{count:,}" for count in counts)))
        for group, count in zip(("", *self._groups.labels), (everyone, *counts), strict=True):
            self._note(label, group, count, of)

    def _note(self, label: str, group: str, number: int, of: str) -> None:
        level = label.strip() if of else ""
        self.numbers.append(Number(of or label, group, "n", float(number), level=level))
