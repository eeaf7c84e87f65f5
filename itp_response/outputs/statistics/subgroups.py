"""Subgroups: the groups compared in each part of the patients, and whether they differ in one as in another."""

from collections.abc import Iterator, Sequence

import numpy as np

from itp_response.messages.wording import listed
from itp_response.outputs.statistics.groups import AnalysedPatients, Groups, grouped
from itp_response.outputs.statistics.interaction import (
    COX,
    COX_IN_WORDS,
    LOGISTIC,
    LOGISTIC_IN_WORDS,
    response_interaction,
    time_interaction,
)
from itp_response.outputs.statistics.proportions import (
    SETS,
    Interval,
    ProportionRow,
    Set,
    cells_of,
    header_of,
    line,
    methods_in_words,
    numbers,
    outcome,
    unrecorded,
)
from itp_response.outputs.statistics.tables import (
    DASH,
    NOT_ESTIMABLE,
    Number,
    RowTexts,
    Table,
    TableRows,
    numbers_of,
    probability,
    span,
)
from itp_response.outputs.statistics.times import (
    Times,
    hazard_numbers,
    hazards,
    lengths,
    log_rank,
    with_time,
)


def subgroups(
    patients: AnalysedPatients,
    groups: Groups,
    columns: Sequence[str],
    names: Sequence[str],
    of: Set = "itt",
    interval: Interval = "newcombe",
) -> Table:
    """The endpoints that are met or not, in each of the patients' subgroups by these columns."""
    rows = TableRows()
    lines: list[ProportionRow] = []
    notes = list(unrecorded(patients, names))
    recorded = [name for name in names if name not in patients.without_record]
    for column in columns:
        parts = grouped(patients, column)
        notes += parts.notes
        for label, member in zip(parts.labels, parts.members, strict=True):
            subgroup = f"{column}: {label}"
            rows.heading(f"{patients.title_of(column)}: {label}")
            inside = groups.within(member)
            for name in recorded:
                row = line(patients, inside, name, of, interval, plain=False)
                lines.append(row)
                label_of_row = f"  {patients.classification.criteria.labelled(name)}"
                rows.add((label_of_row, *cells_of(row)), numbers(row, groups, subgroup=subgroup))
        if groups.pairs:
            by_name = {name: response_interaction(outcome(patients, name, of), groups, parts) for name in recorded}
            _add_interaction(rows, patients, column, by_name, len(groups.labels) + len(groups.pairs), LOGISTIC)
    header = header_of(groups.labels, groups)
    title = f"Response endpoints in subgroups: {SETS[of]}"
    interaction = f"{LOGISTIC_IN_WORDS}." if groups.pairs else ""
    return rows.table("subgroups", title, header, [*methods_in_words(groups, interval, lines), interaction, *notes])


def subgroup_times(
    patients: AnalysedPatients, groups: Groups, columns: Sequence[str], names: Sequence[str], of: Set = "itt"
) -> Table | None:
    """The times that can be censored, in each of the patients' subgroups by these columns; None: there is none."""
    named = [time.of_all for time in lengths(patients, of) if time.name in names and time.of_all.censored]
    if not named or not groups.pairs:
        return None
    rows = TableRows()
    notes: list[str] = []
    for column in columns:
        parts = grouped(patients, column)
        notes += parts.notes
        for label, member in zip(parts.labels, parts.members, strict=True):
            rows.heading(f"{patients.title_of(column)}: {label}")
            for time in named:
                _add_time(rows, patients, time, groups.within(member), f"{column}: {label}")
        by_name = {time.name: time_interaction(time, groups, parts) for time in named}
        _add_interaction(rows, patients, column, by_name, len(groups.labels) + len(groups.pairs), COX)
    several = [f"hazard ratio (95% CI), {groups.labels[first]} vs reference" for first, _ in groups.pairs]
    ratios = several if len(several) > 1 else ["hazard ratio (95% CI)"]
    return rows.table(
        "subgroup_times",
        "Times to event and durations in subgroups",
        ("", *groups.labels, *ratios, "p"),
        [*_time_methods(patients, groups, named), *notes],
    )


def _time_methods(patients: AnalysedPatients, groups: Groups, times: Sequence[Times]) -> Iterator[str]:
    """How the times were compared."""
    reference = groups.labels[groups.reference]
    compared = groups.labels[groups.pairs[0][0]] if len(groups.pairs) == 1 else "each group"
    yield f"Events/patients (n/N). Hazard ratio: {compared} vs {reference}, by Cox regression; p: log-rank test."
    yield f"{COX_IN_WORDS}; not estimable where a group has no event in a subgroup."
    for time in times:
        origins = patients.endpoints[time.name].origins()
        if origins:
            yield (
                f"{time.name}: groups are compared among patients with {listed(origins)} only; this is not a "
                "randomised comparison."
            )


def _add_time(rows: TableRows, patients: AnalysedPatients, time: Times, inside: Groups, subgroup: str) -> None:
    """The row of a time in a subgroup."""
    members = with_time(time, inside)
    counts = [(int(time.event[member].sum()), int(member.sum())) for member in members]
    known = np.logical_or.reduce(members)
    days, event, code = time.days[known], time.event[known], inside.code[known]
    ratios = hazards(days, event, code, [first for first, _ in inside.pairs], inside.reference)
    p = log_rank(days, event, code)
    cells = [f"{events}/{size}" if size else DASH for events, size in counts]
    shown = [NOT_ESTIMABLE if hazard is None else span(hazard.ratio, hazard.low, hazard.high, 2) for hazard in ratios]
    numbers_of_row: list[Number] = [Number(time.name, "", "p", p, "log-rank", subgroup=subgroup)]
    for label, (events, size) in zip(inside.labels, counts, strict=True):
        statistics = {"events": float(events), "N": float(size)}
        numbers_of_row += numbers_of(time.name, label, statistics, subgroup=subgroup)
    for (first, second), hazard in zip(inside.pairs, ratios, strict=True):
        compared = f"{inside.labels[first]} vs {inside.labels[second]}"
        numbers_of_row += hazard_numbers(time.name, compared, hazard, subgroup)
    label = f"  {patients.classification.criteria.labelled(time.name)}"
    rows.add((label, *cells, *shown, probability(p)), numbers_of_row)


def _add_interaction(
    rows: TableRows, patients: AnalysedPatients, column: str, p_values: dict[str, float], before: int, method: str
) -> None:
    """The rows with the test of interaction of a column, per endpoint; `before`: the cells between name and p."""
    rows.heading(f"{patients.title_of(column)}: p for interaction")
    for name, p in p_values.items():
        row: RowTexts = (f"  {patients.classification.criteria.labelled(name)}", *[""] * before)
        numbers_of_row = [Number(name, "", "p for interaction", p, method, subgroup=column)]
        rows.add((*row, probability(p) or NOT_ESTIMABLE), numbers_of_row)
