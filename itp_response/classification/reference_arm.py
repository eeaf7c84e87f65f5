"""Reference arm: the arm that the others are compared with; the order of rows has no part in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from itp_response.cohort.cohort import Cohort
from itp_response.messages.errors import UsageError, unknown
from itp_response.messages.wording import one_line

CONTROL = re.compile(
    r"\b(placebo|controls?|standard of care|standard (care|therapy|treatment)|soc|usual care|"
    r"best available therapy|bat|best supportive care|"
    r"monotherapy|alone|observation|watchful waiting|no treatment|untreated|vehicle|comparator)\b",
    re.IGNORECASE,
)
"""Words in the name of an arm by which it is recognised as the control."""


@dataclass(frozen=True)
class Reference:
    """The reference group, and how it was found."""

    label: str
    found: str
    """Empty: it was told."""

    @property
    def assumed(self) -> tuple[str, ...]:
        """The assumption as a line with its prefix; nothing where the group was told."""
        if not self.found:
            return ()
        label = one_line(self.label)
        return (f"assumed: the reference group is {label}, {self.found}; --reference names another.",)


def reference_of(labels: Sequence[str], told: str | None = None) -> Reference:
    """The reference group of all groups of a study: the one told, else the one that its name says is a control.

    Else, or where several are, it is the last; `labels` stand by name, or in an order of their own.
    Raises `UsageError` for one that is no group.

    >>> reference_of(["ATRA", "Placebo", "Rituximab"])
    Reference(label='Placebo', found='recognised as a control by its name')
    >>> reference_of(["ATRA + LD-RTX", "LD-RTX"]).found
    'the last by name'
    """
    if told is not None:
        if told not in labels:
            raise UsageError(unknown("group", told, labels))
        return Reference(told, "")
    controls = [label for label in labels if CONTROL.search(label)]
    if len(controls) == 1:
        return Reference(controls[0], "recognised as a control by its name")
    return Reference(labels[-1], "the last by name" if list(labels) == sorted(labels) else "the last in order")


def arms_of(cohort: Cohort) -> list[str]:
    """The arms of a study, by name."""
    arms: list[str] = cohort.arm.drop_nulls().unique().sort().to_list()
    return arms
