"""Three tests of whether a series kept its level: a trend, a shift, and levels that differ from part to part.

Each returns a ``Change`` if the level changed: significantly, and by more than a given amount. With enough values
every service drifts significantly, by an amount that matters to no one; with few values, large changes may be chance.
All variances are corrected for autocorrelation (``autocorrelation.py``). Series are logarithms of levels, so that a
change of 0.05 is one of 5 %, whatever the unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import erfc, exp, sqrt
from statistics import median
from typing import Literal

from streamgauge.verdict.steady.autocorrelation import inflation, ranks

#: The probability with which a test of trend or shift finds a change of noise. A run takes up to three tests of three
#: series, from several starts, so it is small.
ALPHA = 0.005
#: The parts whose levels are compared, and the distance of the extreme ones that counts, in standard errors of a level.
#: Chance exceeds 5.3 in one of a thousand series (Tukey's studentized range of five); a part of few values does not
#: show all of its autocorrelation, so it is more.
PARTS, _STUDENTIZED = 5, 6.5
#: The standard error of a median of normal noise is that of the mean times this.
_OF_A_MEDIAN = 1.2533
#: The median absolute deviation of normal noise times this is its standard deviation.
_OF_A_DEVIATION = 1.4826

Kind = Literal["trend", "shift", "wave"]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of level."""

    kind: Kind
    amount: float
    """By how much the logarithm of the level changed: from first to last, or from the lowest part to the highest."""
    at: int
    """The position of the first value at the new level; 0 for a trend and for a wave."""


def trend(values: Sequence[float], least: float) -> Change | None:
    """Test for a monotonic trend of at least ``least`` from the first value to the last: Mann-Kendall's test.

    The slope is Theil and Sen's: the median slope of all pairs. O(n²): give it a few hundred values at most.
    """
    n = len(values)
    score, slopes = 0, []
    for i in range(n - 1):
        before = values[i]
        for j in range(i + 1, n):
            step = values[j] - before
            slopes.append(step / (j - i))
            score += (step > 0) - (step < 0)
    slope = median(slopes)
    amount = slope * (n - 1)
    if abs(amount) < least:
        return None
    variance = n * (n - 1) * (2 * n + 5) / 18
    rest = [value - slope * at for at, value in enumerate(values)]
    z = (abs(score) - 1) / sqrt(variance * inflation(rest, 2))
    return Change("trend", amount, 0) if erfc(z / sqrt(2)) < ALPHA else None


def shift(values: Sequence[float], least: float) -> Change | None:
    """Test for one shift of the level by at least ``least``: Pettitt's test.

    Pettitt, "A non-parametric approach to the change-point problem", Applied Statistics 28 (1979).
    """
    n = len(values)
    running, largest, at = 0.0, 0.0, 1
    for split, rank in enumerate(ranks(values)[:-1], 1):
        running += n + 1 - 2 * rank
        if abs(running) > abs(largest):
            largest, at = running, split
    before, after = median(values[:at]), median(values[at:])
    if abs(after - before) < least:
        return None
    rest = [value - (before if position < at else after) for position, value in enumerate(values)]
    p = 2 * exp(-6 * largest * largest / inflation(rest, 2) / (n**3 + n**2))
    return Change("shift", after - before, at) if p < ALPHA else None


def wave(values: Sequence[float], least: float) -> Change | None:
    """Test whether the levels of the parts of a series differ by at least ``least``, as in a slow oscillation."""
    bounds = [len(values) * part // PARTS for part in range(PARTS + 1)]
    parts = [values[low:high] for low, high in pairwise(bounds)]
    levels = [median(part) for part in parts]
    amount = max(levels) - min(levels)
    if amount < least:
        return None
    rest = _without_wave(values, levels)
    deviation = _OF_A_DEVIATION * median(abs(each) for each in rest)
    error = _OF_A_MEDIAN * deviation * sqrt(inflation(rest, PARTS) * PARTS / len(values))
    return Change("wave", amount, 0) if amount > _STUDENTIZED * error else None


def _without_wave(values: Sequence[float], levels: Sequence[float]) -> list[float]:
    """Return ``values`` less a line through the ``levels`` of their parts: what is left is noise."""
    length = len(values) / PARTS
    rest = []
    for at, value in enumerate(values):
        position = min(max(0.0, (at + 0.5) / length - 0.5), PARTS - 1)
        low = min(int(position), PARTS - 2)
        rest.append(value - levels[low] - (levels[low + 1] - levels[low]) * (position - low))
    return rest


def change(values: Sequence[float], least: float) -> Change | None:
    """Return the change that any of the tests finds: a trend, else a shift, else a wave; None at a steady level."""
    return trend(values, least) or shift(values, least) or wave(values, least)
