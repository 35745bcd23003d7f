"""Find the statistics that are not exactly known, and the range of each.

Times are uncertain if chunks share a read, if the generator waits for a CPU before it sends a request, or if a body
ends with its connection. One rule holds for value, least and most: each is the same statistic, of the estimates, of the
least and of the most that each time can be. So a value always lies in its range.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from streamgauge.stats.bounded_times import BoundedTimes
from streamgauge.stats.histogram import Histogram


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a statistic may be off: by ``share`` of itself or by ``time_s``, whichever is more."""

    share: float
    time_s: float

    def exceeded(self, value_s: float, low_s: float, high_s: float) -> bool:
        """Whether ``value_s``, which lies between the other two, may be off by more."""
        return max(high_s - value_s, value_s - low_s) > max(self.share * value_s, self.time_s)


#: The percentiles that results have, ascending.
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
#: A statistic with a larger error is marked. Half of 0.1 ms is left for the time between the send and the stamp, and
#: the rest of 1 % for the histogram's buckets.
MARKED = Tolerance(0.006, 0.00005)

#: The least and the most, in seconds.
Range = tuple[float, float]
_Statistics = Callable[[Histogram], Mapping[str, float | None]]


def uncertain_percentiles(
    times: BoundedTimes, quantiles: Mapping[str, float], tolerance: Tolerance = MARKED
) -> dict[str, Range]:
    """Find the percentiles of ``times.values`` that may be off by more than ``tolerance``, with their range.

    ``quantiles`` must ascend.
    """
    return _undetermined(times, lambda histogram: _percentiles(histogram, quantiles), tolerance)


def uncertain_statistics(
    times: BoundedTimes, quantiles: Mapping[str, float], tolerance: Tolerance = MARKED
) -> dict[str, Range]:
    """Find the same among mean, minimum, maximum and percentiles."""
    return _undetermined(times, lambda histogram: statistics(histogram, quantiles), tolerance)


def statistics(histogram: Histogram, quantiles: Mapping[str, float]) -> dict[str, float | None]:
    """Return mean, minimum, maximum and percentiles, in seconds; None if ``histogram`` is empty."""
    plain = {"mean": histogram.mean_s, "min": histogram.min_s, "max": histogram.max_s}
    return {**plain, **_percentiles(histogram, quantiles)}


def _percentiles(histogram: Histogram, quantiles: Mapping[str, float]) -> dict[str, float | None]:
    return dict(zip(quantiles, histogram.quantiles_s(quantiles.values()), strict=True))


def _undetermined(times: BoundedTimes, of: _Statistics, tolerance: Tolerance) -> dict[str, Range]:
    if not times.some_uncertain:
        return {}
    least, most = times.bounds()
    found: dict[str, Range] = {}
    lows_s, highs_s = of(least), of(most)
    for name, value_s in of(times.values).items():
        low_s, high_s = lows_s[name], highs_s[name]
        if value_s is None or low_s is None or high_s is None:
            continue
        if tolerance.exceeded(value_s, low_s, high_s):
            found[name] = low_s, high_s
    return found
