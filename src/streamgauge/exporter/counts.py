"""The counts of the exporter, at the bounds of the catalog. They only grow while the process lives.

A ``Histogram`` has finer buckets than the catalog. Each of its buckets is counted as a whole, by its middle: a bound of
the catalog inside a bucket moves to the nearer edge, by at most 0.4 %. So second reports can be added one by one, from
any number of processes, and the counts equal those of the whole run's histogram.
"""

import collections
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache

from streamgauge.catalog import CATALOG, UNSETTLED_PROTOCOL
from streamgauge.stats.bounded_times import BoundedTimes
from streamgauge.stats.generator_stats import GENERATOR_QUANTITIES, GeneratorStats
from streamgauge.stats.histogram import HIGHEST_US, Histogram, bounds_us, index_of
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.quantities import Counter
from streamgauge.stats.sizes import Sizes
from streamgauge.stats.stream_quantities import COUNTERS, DISTRIBUTIONS
from streamgauge.stats.stream_stats import StreamStats

NANOSECONDS = 1e9
_HIGHEST = index_of(HIGHEST_US)
#: The field that each metric shows, for counters and for distributions that merge without alignment.
_COUNTED = {each.metric: each.field for each in COUNTERS.values() if each.metric and each.field != "started"}
_DISTRIBUTED = {each.metric: each.field for each in DISTRIBUTIONS.values() if each.metric and not each.aligned}
_OF_PROCESS = {each.metric: each.field for each in GENERATOR_QUANTITIES if isinstance(each, Counter) and each.metric}
#: Without a value, these have no series: most servers stamp no chunks and send no tokens.
_OPTIONAL = frozenset(each.metric for each in DISTRIBUTIONS.values() if each.metric and each.optional)
#: The distribution that is known only after clocks are aligned.
(_DELAY,) = (each.metric for each in DISTRIBUTIONS.values() if each.aligned)


class _Positions(dict[int, int]):
    """Maps each bucket of a ``Histogram`` to its bound; computed when a bucket first occurs."""

    def __init__(self, bounds_s: Sequence[float]) -> None:
        self._bounds_us = [bound_s * 1e6 for bound_s in bounds_s]

    def __missing__(self, index: int) -> int:
        low_us, high_us = bounds_us(index)
        position = self[index] = bisect_left(self._bounds_us, (low_us + high_us) / 2)
        return position


_positions = cache(_Positions)


class Buckets:
    """A histogram with ``bounds``. ``total / scale`` is the sum in the metric's unit."""

    __slots__ = ("bounds", "counts", "scale", "total")

    def __init__(self, bounds: tuple[float, ...], scale: float = 1.0) -> None:
        self.bounds = bounds
        self.scale = scale
        #: How many values lie at or below each bound and above the previous one; the last count is above all bounds.
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0

    @classmethod
    def of(cls, metric: str) -> "Buckets":
        """Make an empty histogram with the catalog's bounds for ``metric``."""
        family = CATALOG[metric]
        return cls(family.buckets, NANOSECONDS if family.unit == "seconds" else 1.0)

    def add(self, values: Histogram | BoundedTimes | Sizes) -> None:
        """Add durations, or sizes, which are already counted at the catalog's bounds."""
        if isinstance(values, Sizes):
            self.counts = [mine + more for mine, more in zip(self.counts, values.counts, strict=True)]
            self.total += values.sum_bytes
        else:
            self._add_durations(values.all if isinstance(values, BoundedTimes) else values)

    def _add_durations(self, histogram: Histogram) -> None:
        counts, positions = self.counts, _positions(self.bounds)
        for index, times in histogram.counts.items():
            counts[positions[index]] += times
        if clipped := histogram.clipped:  # the histogram counts longer values in its last bucket
            counts[positions[_HIGHEST]] -= clipped
            counts[-1] += clipped
        self.total += histogram.sum_ns

    def copy(self) -> "Buckets":
        """Return a copy that later additions do not change."""
        copied = Buckets(self.bounds, self.scale)
        copied.counts, copied.total = list(self.counts), self.total
        return copied


class Kept:
    """Counts that are shown during the runs that add to them, and for a while after."""

    def __init__(self) -> None:
        #: Monotonic seconds at which the last of these runs ended; None while it continues.
        self.ended_s: float | None = None

    def end(self, now_s: float) -> None:
        """Note that the run ended."""
        self.ended_s = now_s


class NameCounts(Kept):
    """The counts of the streams of one name and protocol."""

    def __init__(self, protocol: str) -> None:
        super().__init__()
        self._settles = protocol == UNSETTLED_PROTOCOL
        self._begun = self._left = 0
        #: All outcomes exist from the start, so that the first failure is an increase.
        self.outcomes = collections.Counter({str(outcome): 0 for outcome in Outcome})
        #: By metric.
        self.counters = dict.fromkeys(_COUNTED, 0)
        self.histograms = {metric: Buckets.of(metric) for metric in (*_DISTRIBUTED, _DELAY)}

    @property
    def started(self) -> int:
        """Streams that started. A stream counts once its protocol is known, or when it ends."""
        return self.outcomes.total() + self._left if self._settles else self._begun

    def add(self, stats: StreamStats) -> None:
        """Add the counts since the last call, except delays."""
        self._begun += stats.started
        self.outcomes.update(stats.outcomes)
        for metric, field in _COUNTED.items():
            self.counters[metric] += getattr(stats, field)
        for metric, field in _DISTRIBUTED.items():
            self.histograms[metric].add(getattr(stats, field))

    def add_delays(self, delays: BoundedTimes) -> None:
        """Add delays, by the current estimate of the clocks."""
        self.histograms[_DELAY].add(delays)

    def shown(self) -> dict[str, Buckets]:
        """Return a copy of each histogram by metric; without optional ones that have no values."""
        return {
            metric: buckets.copy()
            for metric, buckets in self.histograms.items()
            if metric not in _OPTIONAL or any(buckets.counts)
        }

    def end(self, now_s: float) -> None:
        """Note that the run ended: streams that have not ended never will."""
        self._left = max(self._left, self._begun - self.outcomes.total())
        super().end(now_s)


class ProcessCounts(Kept):
    """What one process counts about itself: its lag, and what became of its arrivals."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = Buckets.of("stream_client_generator_lag_seconds")
        #: By metric.
        self.counters = dict.fromkeys(_OF_PROCESS, 0)

    def add(self, report: GeneratorStats) -> None:
        """Add the counts since the last call."""
        self.seconds.add(report.lag)
        for metric, field in _OF_PROCESS.items():
            self.counters[metric] += getattr(report, field)
