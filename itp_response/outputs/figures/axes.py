"""Axes: the numbers of axes of time and of counts, and the unit that suits a time."""

import math
import re
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from itp_response.outputs.statistics.tables import MINUS

MOST_TICKS = 9
"""An axis has at most this many numbers."""
SHORTEST_TICK = 0.3
"""The room that a number of an axis needs."""


@dataclass(frozen=True)
class TimeUnit:
    """A unit of time of an axis."""

    name: str
    days: float
    steps: tuple[int, ...]
    """The numbers of units that may lie between two ticks."""
    until: float
    """The longest time, in days, that an axis in this unit shows."""

    def ticks(self, first: float, last: float, most: int) -> list[int]:
        """The whole numbers of units marked between two days, at most `most`."""
        across = (last - first) / self.days
        step = next((step for step in self.steps if across / step < most), math.ceil(across / most))
        return list(range(math.ceil(first / self.days / step) * step, math.floor(last / self.days) + 1, step))


UNITS = (
    TimeUnit("Days", 1, (1, 2, 7, 14), 57),
    TimeUnit("Weeks", 7, (1, 2, 4, 8, 13, 26), 800),
    TimeUnit("Months", 365.25 / 12, (1, 2, 3, 6, 12, 24), 3700),
    TimeUnit("Years", 365.25, (1, 2, 5, 10), math.inf),
)


def time_unit(first: float, last: float) -> TimeUnit:
    """The unit of an axis from one day to another."""
    return next(unit for unit in UNITS if last - first <= unit.until)


def set_time_axis(axes: Axes, first: float, last: float, width: float, since: str = "day 0") -> None:
    """Number an axis of days in days, weeks, months or years, whichever suits its length; `width` is in inches."""
    unit = time_unit(first, last)
    numbers = unit.ticks(first, last, max(3, min(MOST_TICKS, int(width / SHORTEST_TICK))))
    axes.set_xticks([number * unit.days for number in numbers], [true_minus(f"{number}") for number in numbers])
    axes.set_xlabel(f"{unit.name} since {since}")


def day_on_axis(day: int, unit: TimeUnit) -> str:
    """A day as a text beside an axis of this unit.

    >>> day_on_axis(56, UNITS[0]), day_on_axis(56, UNITS[1])
    ('day 56', 'day 56 (week 8)')
    """
    text = true_minus(f"day {day}")
    if unit.days == 1 or day < 0:
        return text
    return f"{text} ({unit.name.lower().removesuffix('s')} {round(day / unit.days, 1):g})"


def true_minus(text: str) -> str:
    """The text with a minus sign in place of a hyphen before a number.

    >>> true_minus("-5")
    '−5'
    """
    return re.sub(r"-(?=\d)", MINUS, text)


COUNT = "Platelet count (×10⁹/L)"
"""The label of an axis of counts."""


def set_count_axis(axes: Axes, low: float, high: float) -> None:
    """Number a logarithmic axis of counts (10⁹/L) where clinicians look for marks."""
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(FixedLocator([tick for tick in COUNT_TICKS if low <= tick <= high]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_ylabel(COUNT)


COUNT_TICKS = (1, 3, 10, 30, 50, 100, 300, 1000, 3000)
