"""Non-inferiority: the risk difference against a margin, by the limit of its interval that faces the margin."""

from collections.abc import Iterator, Sequence

from itp_response.messages.errors import UsageError
from itp_response.messages.wording import listed
from itp_response.outputs.statistics.groups import FAVOURABLE_ROLES, AnalysedPatients, Groups
from itp_response.outputs.statistics.proportions import (
    INTERVALS,
    SETS,
    Compared,
    Interval,
    Set,
    line,
    unrecorded,
)
from itp_response.outputs.statistics.tables import (
    MINUS,
    NOT_ESTIMABLE,
    Number,
    Table,
    TableRows,
    numbers_of,
    rounded,
    span,
)

NON_INFERIOR, NOT_SHOWN, INFERIOR = "non-inferior", "non-inferiority not shown", "inferior"


def check_margin(margin: float) -> None:
    """Raise `UsageError` for a margin that a risk difference cannot have."""
    if not 0 < margin < 1:
        raise UsageError(
            f"--margin {margin:g}: give a proportion between 0 and 1, such as 0.10 (10 percentage points)."
        )


def margin_in_words(margin: float) -> str:
    """The margin with two decimals, or as many as it has.

    >>> margin_in_words(0.1), margin_in_words(0.125)
    ('0.10', '0.125')
    """
    return f"{margin:.2f}" if round(margin, 2) == margin else f"{margin:g}"


def concluded(gap: Compared, margin: float, *, unfavourable: bool) -> str:
    """What a difference says of a margin; an empty text where it cannot be estimated.

    >>> from itp_response.outputs.statistics.proportions import Proportion
    >>> gap = Compared(Proportion(80, 100), Proportion(80, 100), 0.0, -0.11, 0.11, "newcombe")
    >>> concluded(gap, 0.12, unfavourable=False), concluded(gap, 0.1, unfavourable=True)
    ('non-inferior', 'non-inferiority not shown')
    """
    if gap.difference != gap.difference:
        return ""
    worst, best = (-gap.high, -gap.low) if unfavourable else (gap.low, gap.high)
    return NON_INFERIOR if worst > -margin else INFERIOR if best < -margin else NOT_SHOWN


def has_direction(patients: AnalysedPatients, name: str) -> bool:
    """Whether it is known that to meet the endpoint is good, or bad."""
    return patients.is_unfavourable(name) or patients.endpoints[name].role in FAVOURABLE_ROLES


def non_inferiority(
    patients: AnalysedPatients,
    groups: Groups,
    names: Sequence[str],
    margin: float,
    of: Set = "itt",
    interval: Interval = "newcombe",
) -> Table:
    """Per endpoint each group against the reference: which limit is compared with the margin, and the conclusion.

    Raises `UsageError` where there is only one group, or for a margin that is not between 0 and 1.
    """
    check_margin(margin)
    if not groups.pairs:
        raise UsageError("there is only one group, so none can be compared with a margin; leave out --margin.")
    directed = [name for name in names if has_direction(patients, name)]
    rows = TableRows()
    lines = [line(patients, groups, name, of, interval) for name in directed if name not in patients.without_record]
    for row in lines:
        unfavourable = patients.is_unfavourable(row.name)
        labels = [patients.classification.criteria.labelled(row.name)]
        if len(groups.pairs) > 1:
            rows.heading(labels[0])
            labels = [f"  {compared}" for compared in groups.compared()]
        for label, compared, gap in zip(labels, groups.compared(), row.compared, strict=True):
            conclusion = concluded(gap, margin, unfavourable=unfavourable)
            cells = (span(gap.difference, gap.low, gap.high, 2), _limit(gap, margin, unfavourable=unfavourable))
            numbers = _numbers(row.name, compared, gap, margin, conclusion)
            rows.add((label, *cells, conclusion or NOT_ESTIMABLE), numbers)
    without = [name for name in names if name not in directed]
    notes = [
        *_notes(groups, margin, interval),
        f"Not compared, as neither favourable nor unfavourable: {listed(without)}." if without else "",
        *unrecorded(patients, directed),
    ]
    header = ("", "risk difference (95% CI)", "limit compared", "conclusion")
    return rows.table(
        "non_inferiority", f"Non-inferiority, margin {margin_in_words(margin)}: {SETS[of]}", header, notes
    )


def _limit(gap: Compared, margin: float, *, unfavourable: bool) -> str:
    """The limit that faces the margin, and how the two compare."""
    if gap.difference != gap.difference:
        return NOT_ESTIMABLE
    if unfavourable:
        return f"upper, {_exact(gap.high, margin)} {'<' if gap.high < margin else '≥'} {margin_in_words(margin)}"
    return f"lower, {_exact(gap.low, -margin)} {'>' if gap.low > -margin else '≤'} {MINUS}{margin_in_words(margin)}"


def _exact(limit: float, margin: float) -> str:
    """A limit with as many decimals as it takes to tell it from the margin, two at least and six at most."""
    digits = next((digits for digits in range(2, 6) if round(limit, digits) != round(margin, digits)), 6)
    return rounded(limit, digits)


def _notes(groups: Groups, margin: float, interval: Interval) -> Iterator[str]:
    reference = groups.labels[groups.reference]
    which = groups.compared()[0] if len(groups.pairs) == 1 else f"each group minus {reference}"
    yield f"Risk difference: {which}; 95% CI by {INTERVALS[interval]}. Margin: {margin_in_words(margin)}."
    shown = margin_in_words(margin)
    yield (
        f"{NON_INFERIOR.capitalize()}: the lower limit lies above {MINUS}{shown}, of an unfavourable endpoint the "
        f"upper limit below {shown} (one-sided test at 2.5%). {INFERIOR.capitalize()}: the whole interval lies beyond "
        "the margin."
    )


def _numbers(name: str, compared: str, gap: Compared, margin: float, conclusion: str) -> Iterator[Number]:
    yield from numbers_of(name, compared, {"difference": gap.difference, "low": gap.low, "high": gap.high}, gap.method)
    yield Number(name, compared, "margin", margin)
    yield Number(name, compared, "non-inferior", float(conclusion == NON_INFERIOR) if conclusion else None)
