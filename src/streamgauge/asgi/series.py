"""What one (route, protocol) has counted since the last flush: plain numbers that only the loop's thread touches."""

from bisect import bisect_left
from math import inf

from prometheus_client import Counter, Histogram

from streamgauge.asgi.app_marks import OUTCOMES
from streamgauge.asgi.counters import counter_of
from streamgauge.asgi.instruments import Instruments, add_to_histogram
from streamgauge.asgi.known_bodies import KnownBodies
from streamgauge.catalog import INTERVAL_BUCKETS, SIZE_BUCKETS

#: An interval of at most this is in the first bucket, and so is the send within it.
QUICK_S = INTERVAL_BUCKETS[0]


class StreamSeries:
    """The counts of one (route, protocol).

    A *quick* chunk is one that its stream sent at most ``QUICK_S`` after the chunk before, and whose size is in the
    size bucket of the last other chunk: over ``lower_bound_bytes``, at most ``upper_bound_bytes``. Its three buckets
    are known beforehand, so counting it means adding to the four public counts and no more. ``count_send`` counts
    everything else.
    """

    __slots__ = (
        "_chunks",
        "_closing_bytes",
        "_heartbeats",
        "_idle_bytes",
        "_intervals",
        "_late_chunks",
        "_metrics",
        "_sends",
        "_size_bounds",
        "_size_bucket",
        "_sizes",
        "active",
        "interval_s",
        "known_bodies",
        "lower_bound_bytes",
        "quick_chunks",
        "send_s",
        "size_bytes",
        "started",
        "time_to_first_chunk",
        "upper_bound_bytes",
    )

    def __init__(self, instruments: Instruments, route: str, protocol: str) -> None:
        labels = (route, protocol)
        self.started = instruments.started.labels(*labels)
        self.active = instruments.active.labels(*labels)
        self.time_to_first_chunk = instruments.time_to_first_chunk.labels(*labels)
        self.known_bodies = KnownBodies()
        self._metrics = _SeriesMetrics(instruments, labels)
        self._closing_bytes = counter_of(protocol).closing_bytes
        self._size_bounds = tuple(int(bound) + self._closing_bytes for bound in SIZE_BUCKETS)
        self._size_bucket = 0
        self.lower_bound_bytes: float = 0
        self.upper_bound_bytes: float = self._size_bounds[0]
        self._clear()

    def _clear(self) -> None:
        self._intervals = [0] * (len(INTERVAL_BUCKETS) + 1)
        self._sends = [0] * (len(INTERVAL_BUCKETS) + 1)
        self._sizes = [0] * (len(SIZE_BUCKETS) + 1)
        self.interval_s = self.send_s = 0.0
        self.quick_chunks = self.size_bytes = 0
        self._chunks = self._late_chunks = self._heartbeats = self._idle_bytes = 0

    def count_send(self, interval_s: float | None, send_s: float, size_bytes: int, chunks: int = 1) -> None:
        """Count a send that completed ``chunks`` chunks. They share its bytes evenly, with intervals of 0 between them.

        ``interval_s``: the time since the chunk before; None for the first send of a stream.
        """
        if interval_s is not None:
            self._intervals[bisect_left(INTERVAL_BUCKETS, interval_s)] += 1
            self.interval_s += interval_s
        if chunks > 1:
            self._intervals[0] += chunks - 1
        self._sends[0 if send_s <= QUICK_S else bisect_left(INTERVAL_BUCKETS, send_s)] += 1
        self.send_s += send_s
        each_bytes = size_bytes if chunks == 1 else size_bytes // chunks
        if not self.lower_bound_bytes < each_bytes <= self.upper_bound_bytes:
            self._change_size_bucket(each_bytes)
        self._sizes[self._size_bucket] += chunks
        self.size_bytes += size_bytes
        self._chunks += chunks

    def count_quick(self, interval_s: float, send_s: float, size_bytes: int) -> None:
        """Count a quick chunk. ``HttpResponder.send`` repeats these lines, since a call would double their cost."""
        self.interval_s += interval_s
        self.send_s += send_s
        self.size_bytes += size_bytes
        self.quick_chunks += 1

    def _change_size_bucket(self, size_bytes: int) -> None:
        """Make the bucket of ``size_bytes`` the one of quick chunks: the next chunks are mostly of a similar size."""
        self._sort_quick_chunks()
        bounds = self._size_bounds
        bucket = self._size_bucket = bisect_left(bounds, size_bytes)
        self.lower_bound_bytes = bounds[bucket - 1] if bucket else 0
        self.upper_bound_bytes = bounds[bucket] if bucket < len(bounds) else inf

    def _sort_quick_chunks(self) -> None:
        """Add the quick chunks to their buckets."""
        self._intervals[0] += self.quick_chunks
        self._sends[0] += self.quick_chunks
        self._sizes[self._size_bucket] += self.quick_chunks
        self._chunks += self.quick_chunks
        self.quick_chunks = 0

    def count_idle(self, size_bytes: int, heartbeats: int) -> None:
        """Count bytes that belong to no chunk, and the heartbeats in them."""
        self._idle_bytes += size_bytes
        self._heartbeats += heartbeats

    def count_late_chunks(self, chunks: int) -> None:
        """Count chunks that only the stream's end completed: they have no send and no interval of their own."""
        self._late_chunks += chunks

    def expect(self, status_code: str) -> None:
        """Expose the ends of streams with this status at zero: without that, the first would not be an increase."""
        self._metrics.expect(status_code)

    @property
    def chunks(self) -> int:
        """The chunks that were counted since the last flush."""
        return self._chunks + self.quick_chunks

    def count_end(self, outcome: str, status_code: str, duration_s: float) -> None:
        """Count a stream's end, after a flush of all that was counted before."""
        self.flush()
        finished, duration = self._metrics.of_end(outcome, status_code)
        duration.observe(duration_s)
        self.active.dec()
        finished.inc()

    def flush(self) -> None:
        """Add the counts to the registry, and set them to zero."""
        self._sort_quick_chunks()
        if not (self._chunks or self._late_chunks or self._idle_bytes or self._heartbeats):
            return
        metrics = self._metrics
        add_to_histogram(metrics.intervals, self._intervals, self.interval_s)
        add_to_histogram(metrics.sends, self._sends, self.send_s)
        add_to_histogram(metrics.sizes, self._sizes, self.size_bytes - self._chunks * self._closing_bytes)
        metrics.chunks.inc(self._chunks + self._late_chunks)
        metrics.body_bytes.inc(self.size_bytes + self._idle_bytes)
        metrics.heartbeats.inc(self._heartbeats)
        self.known_bodies.review(self._chunks)
        self._clear()


class _SeriesMetrics:
    """The registry's metrics of one (route, protocol)."""

    def __init__(self, instruments: Instruments, labels: tuple[str, str]) -> None:
        self._instruments = instruments
        self._labels = labels
        self._finished: dict[str, dict[str, Counter]] = {}
        self._durations: dict[str, Histogram] = {}
        self.intervals = instruments.chunk_interval.labels(*labels)
        self.sends = instruments.chunk_send.labels(*labels)
        self.sizes = instruments.chunk_size.labels(*labels)
        self.chunks = instruments.chunks.labels(*labels)
        self.body_bytes = instruments.body_bytes.labels(*labels)
        self.heartbeats = instruments.heartbeats.labels(*labels)

    def expect(self, status_code: str) -> None:
        """Make the counters of all outcomes with this status, once."""
        if status_code not in self._finished:
            finished, labels = self._instruments.finished, self._labels
            self._finished[status_code] = {each: finished.labels(*labels, each, status_code) for each in OUTCOMES}

    def of_end(self, outcome: str, status_code: str) -> tuple[Counter, Histogram]:
        """Return the counter of ends and the durations; make the durations on first use."""
        durations = self._durations.get(outcome)
        if durations is None:
            durations = self._durations[outcome] = self._instruments.duration.labels(*self._labels, outcome)
        self.expect(status_code)
        return self._finished[status_code][outcome], durations
