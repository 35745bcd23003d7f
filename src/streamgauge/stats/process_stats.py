"""Where the streams of one process are counted: a tally for each name and protocol, and what is under way now."""

import time
from collections.abc import Callable

from streamgauge.stats.histogram import Histogram
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.stream_stats import StreamStats

Key = tuple[str, str]


class ProcessStats:
    """Tallies by name and protocol, the generator's lag, and the count of streams under way."""

    def __init__(self, monotonic: Callable[[], int] = time.monotonic_ns) -> None:
        self.all_stats: dict[Key, StreamStats] = {}
        #: Arrival in the kernel until the generator looked, of every read.
        self.lag = Histogram()
        self.active = 0
        #: The monotonic clock, ns.
        self.now_ns = monotonic
        #: When everything was forgotten the last time.
        self._forgot_s = float("-inf")

    def stats(self, name: str, protocol: str) -> StreamStats:
        """The tally of a name and protocol."""
        stats = self.all_stats.get((name, protocol))
        if stats is None:
            stats = self.all_stats[name, protocol] = StreamStats()
        return stats

    def begin(self, name: str, protocol: str) -> StreamStats:
        """Count a stream that starts."""
        stats = self.stats(name, protocol)
        stats.started += 1
        self.active += 1
        return stats

    def resettle(self, stats: StreamStats, name: str, protocol: str) -> StreamStats:
        """Count a stream that started under an unknown protocol under the one that it turned out to speak."""
        stats.started -= 1
        settled = self.stats(name, protocol)
        settled.started += 1
        return settled

    def end(self, stats: StreamStats, record: StreamRecord) -> None:
        """Count a stream that ended."""
        self.active -= 1
        first_s = record.start_s + (record.time_to_first_chunk_s or 0.0)
        stats.end(record, knows_first_chunk=first_s > self._forgot_s)

    def forget(self) -> None:
        """Start anew without what was counted. Streams under way go on, and count with what is still to come."""
        self.take()
        self._forgot_s = self.now_ns() / 1e9

    def take(self) -> tuple[dict[Key, StreamStats], Histogram]:
        """What was counted since the last call, empty tallies left out, and the lag; start anew."""
        taken = {key: delta for key, stats in self.all_stats.items() if not (delta := stats.take()).empty}
        lag = Histogram()
        lag.swap(self.lag)
        return taken, lag
