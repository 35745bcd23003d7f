"""The statistics of one load generator process: by name and protocol, and how many streams are under way now."""

import time
from collections.abc import Callable

from streamgauge.stats.examples import Examples
from streamgauge.stats.histogram import Histogram
from streamgauge.stats.names import Names
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.stream_stats import StreamStats

Key = tuple[str, str]


class ProcessStats:
    """Statistics by name and protocol, the generator's lag, and the count of streams under way."""

    def __init__(self, monotonic: Callable[[], int] = time.monotonic_ns) -> None:
        self.all_stats: dict[Key, StreamStats] = {}
        self.names = Names()
        #: The generator lag of every read.
        self.lag = Histogram()
        self.active = 0
        #: The reasons of failures, as tables count them.
        self.examples = Examples()
        #: The monotonic clock, ns.
        self.now_ns = monotonic
        #: When ``reset`` was last called.
        self._reset_s = float("-inf")

    def stats(self, name: str, protocol: str) -> StreamStats:
        """Return the statistics of a name and protocol, or of the other names; create them if there are none."""
        stats = self.all_stats.get((name, protocol))
        return stats if stats is not None else self._created((self.names.counted_as(name), protocol))

    def _created(self, key: Key) -> StreamStats:
        if key not in self.all_stats:
            self.all_stats[key] = StreamStats()
        return self.all_stats[key]

    def begin(self, name: str, protocol: str) -> StreamStats:
        """Count a stream that starts."""
        stats = self.stats(name, protocol)
        stats.started += 1
        self.active += 1
        return stats

    def change_protocol(self, stats: StreamStats, name: str, protocol: str) -> StreamStats:
        """Move a stream that started with an unknown protocol to the statistics of its actual protocol."""
        stats.started -= 1
        settled = self.stats(name, protocol)
        settled.started += 1
        return settled

    def end(self, stats: StreamStats, record: StreamRecord) -> None:
        """Count a stream that ended."""
        self.active -= 1
        range_s, value_s = record.time_to_first_chunk_range_s, record.time_to_first_chunk_s
        read_s = record.start_s + (range_s[1] if range_s else value_s or 0.0)
        reason = self.examples.reason_of(record) if record.failed else ""
        stats.end(record, reason, knows_first_chunk=read_s > self._reset_s)

    def reset(self) -> None:
        """Drop all counts so far. Streams under way continue; what they do from now on counts."""
        self.take()
        if not self.active:  # else streams would go on counting in statistics that nothing takes
            self.all_stats.clear()
            self.names = Names()
        self._reset_s = self.now_ns() / 1e9

    def take(self) -> tuple[dict[Key, StreamStats], Histogram]:
        """Return the counts since the last call by name and protocol, and the lag; start again at zero."""
        taken = {key: delta for key, stats in self.all_stats.items() if not (delta := stats.take()).empty}
        lag = Histogram()
        lag.swap(self.lag)
        return taken, lag
