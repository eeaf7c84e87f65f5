"""What a paper prints that its own counts do not give, as a note beside the numbers."""

from collections.abc import Iterable, Mapping

PRINTED: Mapping[tuple[str, str, tuple[tuple[int, int], ...]], str] = {
    ("atra_2022", "OR", ((90, 112), (33, 56))): (
        "OR: Wu et al. 2022 report a difference of 0.22; their counts, 90/112 and 33/56, give 0.214."
    ),
}
"""By set, endpoint and the counts in the groups."""


def as_printed(criteria: str, endpoint: str, counts: Iterable[tuple[int, int]]) -> str:
    """The note on these counts, met and all per group; empty where they are not those of a paper."""
    return PRINTED.get((criteria, endpoint, tuple(counts)), "")
