"""Find the percentiles that are not exactly known, and the range of each.

Times are uncertain if chunks share a read, or if the generator waits for a CPU before it sends a request.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from streamgauge.stats.bounded_times import BoundedTimes
from streamgauge.stats.histogram import Histogram, bounds_us


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a percentile may be off: by ``share`` of itself or by ``time_s``, whichever is more."""

    share: float
    time_s: float


#: A percentile with a larger error is marked. Together with the histogram's rounding of 0.4 %, the error stays within
#: 1 %; half of 0.1 ms is left for the time between the send and the stamp.
MARKED = Tolerance(0.006, 0.00005)

#: The least and the most, in seconds.
Range = tuple[float, float]


def uncertain_percentiles(
    times: BoundedTimes, quantiles: Mapping[str, float], tolerance: Tolerance = MARKED
) -> dict[str, Range]:
    """Find the percentiles of ``times.values`` that may be off by more than ``tolerance``, with their range."""
    if times.uncertain.empty:
        return {}
    least, most = times.bounds()
    return undetermined(times.values, least, most, quantiles, tolerance)


def undetermined(
    values: Histogram,
    least: Histogram,
    most: Histogram,
    quantiles: Mapping[str, float],
    tolerance: Tolerance = MARKED,
) -> dict[str, Range]:
    """Find the percentiles of ``values`` that may be off by more than ``tolerance``, if the values can be as small as
    in ``least`` and as large as in ``most``.
    """
    ranges = {name: tuple(_quantile_s(each, q) for each in (least, values, most)) for name, q in quantiles.items()}
    return {
        name: (min(low_s, value_s), max(high_s, value_s))
        for name, (low_s, value_s, high_s) in ranges.items()
        if max(high_s - value_s, value_s - low_s) > max(tolerance.share * value_s, tolerance.time_s)
    }


def _quantile_s(histogram: Histogram, q: float) -> float:
    """Return a quantile, interpolated within its bucket by rank, so that a small shift remains visible."""
    rank, seen = max(1.0, q * histogram.count), 0
    for index, times in sorted(histogram.counts.items()):
        if times and seen + times >= rank:
            low_us, high_us = bounds_us(index)
            inside_ns = (low_us + (high_us - low_us) * (rank - seen) / times) * 1000
            return min(max(inside_ns, histogram.min_ns or 0), histogram.max_ns or 0) / 1e9
        seen += times
    return (histogram.max_ns or 0) / 1e9
