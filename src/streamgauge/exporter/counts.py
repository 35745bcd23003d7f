"""What the exporter counts, at the catalog's bounds: numbers that only grow for as long as the process lives.

A histogram of ours has finer buckets than the catalog. Each of ours counts as a whole, by its middle: a bound that
falls inside one of ours stands for the nearer edge, which is at most 0.4 % of it away. So slices may be added one by
one, from any number of processes, and the counts are those of a run's whole histogram.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from functools import cache

from streamgauge.catalog import CATALOG, UNSETTLED_PROTOCOL
from streamgauge.stats.clocks.raw_delays import Delays
from streamgauge.stats.histogram import HIGHEST_US, Histogram, bounds_us, index_of
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.sizes import Sizes
from streamgauge.stats.stream_stats import StreamStats

NANOSECONDS = 1e9
_HIGHEST = index_of(HIGHEST_US)


class _Positions(dict[int, int]):
    """Which of the bounds each bucket of a ``Histogram`` belongs to, found out as buckets occur."""

    def __init__(self, bounds_s: Sequence[float]) -> None:
        self._bounds_us = [bound_s * 1e6 for bound_s in bounds_s]

    def __missing__(self, index: int) -> int:
        low_us, high_us = bounds_us(index)
        position = self[index] = bisect_left(self._bounds_us, (low_us + high_us) / 2)
        return position


_positions = cache(_Positions)


class Buckets:
    """A histogram at ``bounds``. ``scale`` parts of ``total`` make one of its unit."""

    __slots__ = ("bounds", "counts", "scale", "total")

    def __init__(self, bounds: tuple[float, ...], scale: float = 1.0) -> None:
        self.bounds = bounds
        self.scale = scale
        #: How many values lie at or below each bound and above the one before; the last are above all bounds.
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0

    def add(self, histogram: Histogram) -> None:
        """Add durations."""
        counts, positions = self.counts, _positions(self.bounds)
        for index, times in histogram.counts.items():
            counts[positions[index]] += times
        if clipped := histogram.clipped:  # counted as the highest that a histogram knows, and longer than that
            counts[positions[_HIGHEST]] -= clipped
            counts[-1] += clipped
        self.total += histogram.sum_ns

    def add_sizes(self, sizes: Sizes) -> None:
        """Add sizes, which are counted at the catalog's bounds already."""
        self.counts = [mine + more for mine, more in zip(self.counts, sizes.counts, strict=True)]
        self.total += sizes.sum_bytes

    def copy(self) -> "Buckets":
        """The same counts, which stay as they are."""
        copied = Buckets(self.bounds, self.scale)
        copied.counts, copied.total = list(self.counts), self.total
        return copied


def durations(metric: str) -> Buckets:
    """An empty histogram of durations at the bounds that the catalog has for ``metric``."""
    return Buckets(CATALOG[metric].buckets, NANOSECONDS)


class Kept:
    """What is shown during the runs that count it, and for a while after."""

    def __init__(self) -> None:
        #: Monotonic seconds at which the last of these runs ended; None while it goes on.
        self.ended_s: float | None = None

    def end(self, now_s: float) -> None:
        """The run ended."""
        self.ended_s = now_s


class NameCounts(Kept):
    """Everything counted for the streams of one name and protocol."""

    def __init__(self, protocol: str) -> None:
        super().__init__()
        #: Streams of this protocol do not know yet what they speak; most will be counted under another one.
        self._settles = protocol == UNSETTLED_PROTOCOL
        self._begun = self._left = 0
        #: Every outcome from the start, so that the first failure is an increase.
        self.outcomes = Counter({str(outcome): 0 for outcome in Outcome})
        self.chunks = self.bytes = self.stalls = self.coalesced = 0
        self.time_to_first_chunk = durations("stream_client_time_to_first_chunk_seconds")
        self.chunk_interval = durations("stream_client_chunk_interval_seconds")
        self.chunk_delay = durations("stream_client_chunk_delay_seconds")
        self.duration = durations("stream_client_duration_seconds")
        self.chunk_size = Buckets(CATALOG["stream_client_chunk_size_bytes"].buckets)

    @property
    def started(self) -> int:
        """Streams that started. One that does not know its protocol yet counts when it does, or when it ends."""
        return self.outcomes.total() + self._left if self._settles else self._begun

    def add(self, stats: StreamStats) -> None:
        """Add what was counted since the last time, but for delays."""
        self._begun += stats.started
        self.outcomes.update(stats.outcomes)
        self.chunks += stats.chunks
        self.bytes += stats.bytes
        self.stalls += stats.stalls
        self.coalesced += stats.coalesced
        self.time_to_first_chunk.add(stats.time_to_first_chunk)
        self.chunk_interval.add(stats.chunk_interval)
        self.duration.add(stats.duration)
        self.chunk_size.add_sizes(stats.chunk_sizes)

    def add_delays(self, delays: Delays) -> None:
        """Add delays, as they are understood now."""
        self.chunk_delay.add(delays.all)

    def end(self, now_s: float) -> None:
        """The run ended: what did not end by now never will."""
        self._left = max(self._left, self._begun - self.outcomes.total())
        super().end(now_s)


class LagCounts(Kept):
    """How late one process read."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = durations("stream_client_generator_lag_seconds")
