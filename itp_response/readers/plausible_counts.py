"""Plausible counts: whether counts, of which nothing told the unit, can be in 10⁹/L, all of them and each patient's.

What is looked at can be added up over the chunks of a table, so that a table of any length is asked about alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import polars as pl

from itp_response.cohort.values import Floats, Ints, Numbers
from itp_response.readers.count_units import THREE_DECIMALS, CountUnit
from itp_response.readers.decimals import points_assumed
from itp_response.readers.problems import Cells, Location, Problems, as_text, first_few

LOWEST, HIGHEST = 1.0, 1000.0
"""10⁹/L. Half of the counts of an ITP study are never below the one or above the other."""
WRITTEN_SMALL = 10.0
"""If no count reaches this and most have decimals, they are lakhs: labs give counts in 10⁹/L in whole numbers."""
BANDS = 5
"""Medians are compared by bands of a fifth of a power of ten."""
HUNDREDFOLD = 8
"""Bands apart (40 times): nearer to a hundred times than any patient of a study is to the others."""
TENFOLD = 4
"""Bands below (6 times): so far a refractory patient may be, unless the counts alone are written with decimals."""
FEW_COUNTS = 3
"""A patient with fewer counts may have left the study while low."""
FEW_WITH_DECIMALS = 2
"""Likewise, of counts with decimals, which few studies have."""
FEW_DECIMALS = 0.25
"""The largest share of patients with decimals in a study of whole numbers."""
FEW = 5
CLOSE = 1e-6
"""By as much may a number differ that was multiplied."""
THOUSANDS = r"^[<>=≤≥\s]*[1-9]\d{0,2}\.\d\d0$"


class _Band(NamedTuple):
    """Patients with alike counts."""

    number: int
    patients: tuple[str, ...]
    """The first few."""


@dataclass(frozen=True)
class CountSizes:
    """How large the counts of a table are; what follows is asked when the last chunk has been read."""

    location: Location
    name: str
    """The column of the counts."""
    unit: CountUnit
    accept: tuple[str, ...]
    number: int = 0
    below: int = 0
    above: int = 0
    decimals: int = 0
    """The counts that are no whole numbers."""
    highest: float = 0.0
    bands: dict[tuple[int, bool], _Band] = field(default_factory=dict)
    """By the band of the patient's median, and whether some of the patient's counts are no whole numbers."""

    def joined(self, other: "CountSizes") -> "CountSizes":
        """The sizes of both."""
        bands = dict(self.bands)
        for key, band in other.bands.items():
            before = bands.get(key, _Band(0, ()))
            bands[key] = _Band(before.number + band.number, (*before.patients, *band.patients)[:FEW])
        return replace(
            self,
            number=self.number + other.number,
            below=self.below + other.below,
            above=self.above + other.above,
            decimals=self.decimals + other.decimals,
            highest=max(self.highest, other.highest),
            bands=bands,
        )

    def problems(self) -> Iterator[str]:
        """What must be answered before anything is decided."""
        implausible = self._implausible()
        if implausible and not self.unit.by_option and "implausible_counts" not in self.accept:
            yield f"{self.name}: {implausible}"
        elif self.asks_of_patients:
            yield from self._others()

    @property
    def asks_of_patients(self) -> bool:
        """Whether each patient's counts are compared with the others', by `bands`."""
        return not self.unit.told and "patient_in_another_unit" not in self.accept

    def _implausible(self) -> str:
        for number, what in ((self.below, f"below {LOWEST:g}"), (self.above, f"above {HIGHEST:,g}")):
            if 2 * number >= self.number > 0:
                return f"{number:,} of {self.number:,} counts {'is' if number == 1 else 'are'} {what}{self._cure()}"
        if 0 < self.highest < WRITTEN_SMALL and 2 * self.decimals > self.number and not self.unit.told:
            return f"all counts are below {WRITTEN_SMALL:g}, and most have decimals{self._cure()}"
        return ""

    def _cure(self) -> str:
        if self.unit.told:
            return " × 10⁹/L in the specified unit; correct the unit, or say --accept implausible_counts."
        return "; say in which unit they are, such as --unit 10^4/uL, or --unit 10^9/L if they are right."

    def _others(self) -> Iterator[str]:
        others = in_another_unit(self.bands)
        number = sum(self.bands[key].number for key in others)
        if number:
            ids = [patient for key in others for patient in self.bands[key].patients]
            patients = f"patient{'s' * (number > 1)} {first_few(ids, FEW, number)}"
            what = f"the counts of {patients} differ from the others' by powers of ten"
            cure = "add a column 'unit' if they are in another unit, or say --accept patient_in_another_unit"
            yield f"{self.name}: {what}; {cure}."


def in_another_unit(bands: "dict[tuple[int, bool], _Band]") -> list[tuple[int, bool]]:
    """The bands whose patients' counts differ from the cohort's by powers of ten."""
    keys = sorted(bands)
    numbers = np.array([bands[key].number for key in keys])
    if len(keys) < 2:
        return []
    middle = keys[int(np.searchsorted(np.cumsum(numbers), numbers.sum() / 2))][0]
    with_decimals = sum(bands[key].number for key in keys if key[1]) / numbers.sum()
    return [
        (band, decimals)
        for band, decimals in keys
        if band - middle >= HUNDREDFOLD
        or (decimals and middle - band >= (TENFOLD if with_decimals <= FEW_DECIMALS else HUNDREDFOLD))
    ]


def patient_bands(patient: Ints, counts: Numbers) -> pl.DataFrame:
    """The band of each patient with enough counts: `patient`, `band`, `decimals`; one entry per count is given.

    >>> from itp_response.cohort.values import exactly
    >>> patient_bands(np.array([0, 0, 0]), exactly(np.array([0.12, 1.5, 1.8]))).row(0)
    (0, 0, True)
    """
    exact = counts.low if counts.exact else np.where(counts.low == counts.high, counts.low, np.nan)
    above_0 = np.flatnonzero(exact > 0)
    count, patients = exact[above_0], pl.Series("patient", patient[above_0])
    if patients.is_sorted():
        patients = patients.set_sorted()  # groups are then found in half the time
    decimals = pl.lit(value=False)  # mostly no count of any patient has decimals
    if (count != np.round(count)).any():
        decimals = (pl.col("count") != pl.col("count").round()).any()
    return (
        pl.DataFrame([patients, pl.Series("count", count)])
        .group_by("patient", maintain_order=True)
        .agg(
            pl.len().alias("number"),
            (pl.col("count").median().log10() * BANDS).floor().cast(pl.Int64).alias("band"),
            decimals.alias("decimals"),
        )
        .filter(pl.col("number") >= pl.when("decimals").then(FEW_WITH_DECIMALS).otherwise(FEW_COUNTS))
        .drop("number")
    )


def banded(frame: pl.DataFrame, ids: pl.Series) -> dict[tuple[int, bool], _Band]:
    """The patients of `patient_bands` by band; `ids` has the id of each patient."""
    named = frame.with_columns(ids.gather(frame["patient"]).cast(pl.String).alias("id"))
    groups = named.group_by("band", "decimals", maintain_order=True).agg(
        pl.len().alias("number"), pl.col("id").head(FEW)
    )
    return {(band, decimals): _Band(number, tuple(few)) for band, decimals, number, few in groups.iter_rows()}


def count_sizes(cells: Cells, unit: CountUnit, counts: Numbers, accept: tuple[str, ...]) -> CountSizes:
    """The size of the counts in a column, which were read as `counts`."""
    low: Floats = counts.low[~np.isnan(counts.low)]
    high = counts.low if counts.exact else counts.high
    return CountSizes(
        _named(cells.location),
        cells.name,
        unit,
        accept,
        number=len(low),
        below=int((high < LOWEST).sum()),
        above=int((low > HIGHEST).sum()),
        decimals=int((low != np.round(low)).sum()),
        highest=float(low.max()) if len(low) else 0.0,
    )


# POINTS


@dataclass(frozen=True)
class PointedCounts:
    """The counts that were written with three decimals, which may be thousands.

    No program writes 1.250 beside 12.5: it writes three decimals throughout, or no zero at the end.
    """

    location: Location
    name: str
    others: bool = False
    """There are counts without three decimals."""
    ending_in_0: tuple[str, ...] = ()
    """The first few texts whose third decimal is 0."""

    def joined(self, other: "PointedCounts") -> "PointedCounts":
        """The counts of both."""
        texts = (*self.ending_in_0, *other.ending_in_0)[:FEW]
        return replace(self, others=self.others or other.others, ending_in_0=texts)

    def problems(self) -> Iterator[str]:
        """What must be answered before anything is decided."""
        if self.ending_in_0 and self.others:
            what = f"is the point in {first_few(self.ending_in_0, 2)} before decimals, or between thousands?"
            cure = "write nothing between thousands, or say --accept three_decimals if it is before decimals"
            yield f"{self.name}: {what} Correct it: {cure}."


def expect_decimals(cells: Cells, accept: tuple[str, ...], problems: Problems) -> None:
    """Ask about points between thousands once all counts have been read."""
    if "three_decimals" in accept or not points_assumed(cells):
        return
    if cells.values.dtype.is_numeric():
        # Of other chunks of the table the counts may be texts.
        problems.expect(PointedCounts(_named(cells.location), cells.name, not _all_have_three(cells.values)))
    elif cells.values.dtype == pl.String:
        texts = as_text(cells.values).drop_nulls()
        few = texts.filter(texts.str.contains(THOUSANDS)).head(FEW).to_list()
        others = not texts.str.contains(THREE_DECIMALS).all()
        problems.expect(PointedCounts(_named(cells.location), cells.name, others, tuple(few)))


def _all_have_three(counts: pl.Series) -> bool:
    """Whether all counts were written with three decimals, none of which was a zero at the end."""
    # Mostly the first counts are whole numbers, and the others are not looked at.
    if (counts.head(FEW) == counts.head(FEW).round()).any():
        return False
    given = counts.drop_nulls()
    thousandfold = given.cast(pl.Float64) * 1000
    three = (given < 1000) & (thousandfold.round() - thousandfold).abs().lt(CLOSE)
    return bool((three & ((thousandfold / 10).round() - thousandfold / 10).abs().gt(CLOSE)).all())


def _named(location: Location) -> Location:
    """The name of a location alone, which does not hold on to its lines."""
    return Location(location.name, location.order)
