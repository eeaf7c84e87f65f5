"""What a paper prints otherwise than its own counts give, to be said beside the figure."""

from collections.abc import Mapping, Sequence
from typing import Protocol

PRINTED: Mapping[tuple[str, str, tuple[tuple[int, int], ...]], str] = {
    ("atra_2022", "OR", ((90, 112), (33, 56))): (
        "OR: Wu et al. 2022 print a difference of 0.22; their own counts, 90/112 and 33/56, give 0.214."
    ),
}
"""By set, endpoint and the counts in the groups."""


class PrintedShare(Protocol):
    """So many of so many."""

    @property
    def met(self) -> int: ...
    @property
    def of(self) -> int: ...


def as_printed(criteria: str, name: str, counts: Sequence[PrintedShare]) -> str:
    """What is to be said of these counts; nothing where they are not those of a paper."""
    return PRINTED.get((criteria, name, tuple((one.met, one.of) for one in counts)), "")
