"""Order: whether the rows of a table come patient by patient, in the order in which patients are written."""

from typing import TYPE_CHECKING

import numpy as np

from itp_response.cohort import Ints

if TYPE_CHECKING:
    import polars as pl

RECENT = 100_000
"""So many patients, or a quarter of all, are kept apart before they are sorted in among the others."""


class NotAscending(Exception):  # noqa: N818 - no error, but a turn in the reading
    """Patients do not come in the order of their names, so that those seen must be remembered."""


class NotInOrder(Exception):  # noqa: N818
    """A patient comes again, or before another who is to be written first."""


class Positions:
    """The position of each patient by name: those listed first, the others in the order in which they are asked for.

    Names are looked up by their hashes, and compared.
    """

    def __init__(self, listed: "pl.Series", seed: int = 0) -> None:
        self.names = listed.cast(str).clone()
        self._seed = seed
        self._index()

    def __len__(self) -> int:
        return len(self.names)

    def of(self, names: "pl.Series") -> Ints:
        """The positions of names, none of them null; those not asked for before get the next ones."""
        hashes = self._hashed(names)
        different, first, place = np.unique(hashes, return_index=True, return_inverse=True)
        found = self._found(different)
        new = np.flatnonzero(found < 0)
        new = new[np.argsort(first[new])]
        found[new] = len(self.names) + np.arange(len(new))
        if len(new):
            self.names.append(names.gather(first[new]))
            self._remember(different[new], found[new])
        position = found[place]
        if bool((self.names.gather(position) != names).any()):
            # Two names have the same hash; with another seed they do not.
            self.names = self.names[: len(self.names) - len(new)]
            self._seed += 1
            self._index()
            return self.of(names)
        return position

    def _index(self) -> None:
        self._main = self._sorted(self._hashed(self.names), np.arange(len(self.names)))
        self._recent = self._main[0][:0], self._main[1][:0]
        if len(np.unique(self._main[0])) < len(self.names):
            self._seed += 1
            self._index()

    def _hashed(self, names: "pl.Series") -> np.ndarray:
        return names.hash(seed=self._seed).to_numpy()

    @staticmethod
    def _sorted(hashes: np.ndarray, position: Ints) -> tuple[np.ndarray, Ints]:
        order = np.argsort(hashes)
        return hashes[order], position[order]

    def _found(self, hashes: np.ndarray) -> Ints:
        """The position of each hash, which are sorted; -1: not asked for before."""
        found = np.full(len(hashes), -1, dtype=np.int64)
        for known, position in (self._main, self._recent):
            if len(known):
                at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
                found = np.where(known[at] == hashes, position[at], found)
        return found

    def _remember(self, hashes: np.ndarray, position: Ints) -> None:
        joined = (np.concatenate(pair) for pair in zip(self._recent, (hashes, position), strict=True))
        self._recent = self._sorted(*joined)
        if len(self._recent[0]) > max(RECENT, len(self._main[0]) // 4):
            joined = (np.concatenate(pair) for pair in zip(self._main, self._recent, strict=True))
            self._main = self._sorted(*joined)
            self._recent = self._main[0][:0], self._main[1][:0]


class InOrder:
    """Patients as they come; each call of `end` takes the next, and says where they end."""

    def __init__(self, positions: Positions | None) -> None:
        self._positions = positions
        self._last = -1
        self._name: pl.Series | None = None
        self._ways = {"text", "number"}

    def end(self, names: "pl.Series") -> int:
        """The position after the last of these names, of which no two that follow each other are the same.

        Raises `NotInOrder`; `NotAscending` where positions are not remembered, and so would have to be.
        """
        if len(names):
            self._last = self._without(names) if self._positions is None else self._with(names, self._positions)
        return self._last + 1

    def _with(self, names: "pl.Series", positions: Positions) -> int:
        place = positions.of(names)
        if place[0] <= self._last or bool((place[1:] <= place[:-1]).any()):
            raise NotInOrder
        return int(place[-1])

    def _without(self, names: "pl.Series") -> int:
        import polars as pl

        before = names[:0] if self._name is None else self._name
        all_names = pl.concat([before, names])
        self._name = names[-1:]
        if "number" in self._ways:
            numbers = all_names.cast(pl.Int64, strict=False)
            if numbers.has_nulls() or not _ascend(numbers):
                self._ways.remove("number")
        if "text" in self._ways and not _ascend(all_names):
            self._ways.remove("text")
        if not self._ways:
            raise NotAscending
        return self._last + len(names)


def _ascend(values: "pl.Series") -> bool:
    return bool((values[1:] > values[:-1]).all())
