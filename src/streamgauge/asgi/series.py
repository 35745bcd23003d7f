"""What one (route, protocol) has counted since the last flush: plain numbers, touched on the loop's thread only."""

from bisect import bisect_left
from math import inf

from prometheus_client import Counter, Histogram

from streamgauge.asgi.chunk_counting import counter_of
from streamgauge.asgi.familiar import Familiar
from streamgauge.asgi.instruments import Instruments, add_to_histogram
from streamgauge.asgi.notes import OUTCOMES
from streamgauge.catalog import INTERVAL_BUCKETS, SIZE_BUCKETS

#: An interval up to this is in the first bucket, and so is any send within it.
QUICK_S = INTERVAL_BUCKETS[0]


class StreamSeries:
    """The counts of one (route, protocol).

    A *quick* chunk is one that its stream sent within ``QUICK_S`` of the one before, as large as ``least_bytes`` (not
    included) to ``most_bytes``: its buckets are known beforehand. Who sends one adds to the four public counts, and
    that is all; everything else goes through ``sent``.
    """

    __slots__ = (
        "_chunks",
        "_closing_bytes",
        "_heartbeats",
        "_idle_bytes",
        "_intervals",
        "_late_chunks",
        "_out",
        "_sends",
        "_size_bounds",
        "_size_bucket",
        "_sizes",
        "active",
        "familiar",
        "interval_s",
        "least_bytes",
        "most_bytes",
        "quick",
        "send_s",
        "size_bytes",
        "started",
        "time_to_first_chunk",
    )

    def __init__(self, instruments: Instruments, route: str, protocol: str) -> None:
        labels = (route, protocol)
        self.started = instruments.started.labels(*labels)
        self.active = instruments.active.labels(*labels)
        self.time_to_first_chunk = instruments.time_to_first_chunk.labels(*labels)
        self.familiar = Familiar()
        self._out = _Outlet(instruments, labels)
        self._closing_bytes = counter_of(protocol).closing_bytes
        self._size_bounds = tuple(int(bound) + self._closing_bytes for bound in SIZE_BUCKETS)
        self._size_bucket = 0
        self.least_bytes: float = 0
        self.most_bytes: float = self._size_bounds[0]
        self._clear()

    def _clear(self) -> None:
        self._intervals = [0] * (len(INTERVAL_BUCKETS) + 1)
        self._sends = [0] * (len(INTERVAL_BUCKETS) + 1)
        self._sizes = [0] * (len(SIZE_BUCKETS) + 1)
        self.interval_s = self.send_s = 0.0
        self.quick = self.size_bytes = 0
        self._chunks = self._late_chunks = self._heartbeats = self._idle_bytes = 0

    def sent(self, interval_s: float | None, send_s: float, size_bytes: int, chunks: int = 1) -> None:
        """Count a send that ended ``chunks`` chunks: they share its bytes evenly, and no time is between them.

        ``interval_s`` is since the chunk before, None for a stream's first.
        """
        if interval_s is not None:
            self._intervals[bisect_left(INTERVAL_BUCKETS, interval_s)] += 1
            self.interval_s += interval_s
        if chunks > 1:
            self._intervals[0] += chunks - 1
        self._sends[0 if send_s <= QUICK_S else bisect_left(INTERVAL_BUCKETS, send_s)] += 1
        self.send_s += send_s
        each_bytes = size_bytes if chunks == 1 else size_bytes // chunks
        if not self.least_bytes < each_bytes <= self.most_bytes:
            self._choose_size(each_bytes)
        self._sizes[self._size_bucket] += chunks
        self.size_bytes += size_bytes
        self._chunks += chunks

    def sent_quickly(self, interval_s: float, send_s: float, size_bytes: int) -> None:
        """Count a quick chunk. ``Exchange.send`` has these lines too, for a call costs as much as they do."""
        self.interval_s += interval_s
        self.send_s += send_s
        self.size_bytes += size_bytes
        self.quick += 1

    def _choose_size(self, size_bytes: int) -> None:
        """Let quick chunks be as large as this one, which mostly is like those that follow."""
        self._count_quick()
        bounds = self._size_bounds
        bucket = self._size_bucket = bisect_left(bounds, size_bytes)
        self.least_bytes = bounds[bucket - 1] if bucket else 0
        self.most_bytes = bounds[bucket] if bucket < len(bounds) else inf

    def _count_quick(self) -> None:
        """Put the quick chunks where they belong."""
        self._intervals[0] += self.quick
        self._sends[0] += self.quick
        self._sizes[self._size_bucket] += self.quick
        self._chunks += self.quick
        self.quick = 0

    def sent_idle(self, size_bytes: int, heartbeats: int) -> None:
        """Count bytes that belong to no chunk, and the heartbeats in them."""
        self._idle_bytes += size_bytes
        self._heartbeats += heartbeats

    def closed_with(self, chunks: int) -> None:
        """Count chunks that ended with the stream itself: there was no send, and no time, of their own."""
        self._late_chunks += chunks

    def finished(self, outcome: str, duration_s: float) -> None:
        """Count a stream's end, with all that it had counted before."""
        self.flush()
        finished, duration = self._out.end(outcome)
        duration.observe(duration_s)
        self.active.dec()
        finished.inc()

    def flush(self) -> None:
        """Bring the counts into the registry, and begin anew."""
        self._count_quick()
        if not (self._chunks or self._late_chunks or self._idle_bytes or self._heartbeats):
            return
        out = self._out
        add_to_histogram(out.intervals, self._intervals, self.interval_s)
        add_to_histogram(out.sends, self._sends, self.send_s)
        add_to_histogram(out.sizes, self._sizes, self.size_bytes - self._chunks * self._closing_bytes)
        out.chunks.inc(self._chunks + self._late_chunks)
        out.body_bytes.inc(self.size_bytes + self._idle_bytes)
        out.heartbeats.inc(self._heartbeats)
        self.familiar.review(self._chunks)
        self._clear()


class _Outlet:
    """The registry's metrics of one (route, protocol)."""

    def __init__(self, instruments: Instruments, labels: tuple[str, str]) -> None:
        self._instruments = instruments
        self._labels = labels
        self._ends: dict[str, tuple[Counter, Histogram]] = {}
        for outcome in OUTCOMES:  # each from zero: where a series begins above it, its first count is no increase
            instruments.finished.labels(*labels, outcome)
        self.intervals = instruments.chunk_interval.labels(*labels)
        self.sends = instruments.chunk_send.labels(*labels)
        self.sizes = instruments.chunk_size.labels(*labels)
        self.chunks = instruments.chunks.labels(*labels)
        self.body_bytes = instruments.body_bytes.labels(*labels)
        self.heartbeats = instruments.heartbeats.labels(*labels)

    def end(self, outcome: str) -> tuple[Counter, Histogram]:
        """The outcome's counter and durations, made on first use."""
        found = self._ends.get(outcome)
        if found is None:
            labels = (*self._labels, outcome)
            found = self._instruments.finished.labels(*labels), self._instruments.duration.labels(*labels)
            self._ends[outcome] = found
        return found
