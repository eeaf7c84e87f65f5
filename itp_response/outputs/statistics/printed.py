"""What a paper prints that its own counts do not give, as a note beside the numbers."""

from collections.abc import Mapping, Sequence
from typing import Protocol

PRINTED: Mapping[tuple[str, str, tuple[tuple[int, int], ...]], str] = {
    ("atra_2022", "OR", ((90, 112), (33, 56))): (
        "OR: Wu et al. 2022 print a difference of 0.22; their own counts, 90/112 and 33/56, give 0.214."
    ),
}
"""By set, endpoint and the counts in the groups."""


class PrintedShare(Protocol):
    """How many patients met an endpoint, of how many."""

    @property
    def met(self) -> int: ...
    @property
    def of(self) -> int: ...


def as_printed(criteria: str, endpoint: str, shares: Sequence[PrintedShare]) -> str:
    """The note on these shares; empty where they are not those of a paper."""
    return PRINTED.get((criteria, endpoint, tuple((share.met, share.of) for share in shares)), "")
