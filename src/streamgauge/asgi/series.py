"""What one (route, protocol) has counted since the last flush: plain integers, touched on the loop's thread only."""

from bisect import bisect_left

from prometheus_client import Counter, Histogram

from streamgauge.asgi.framing import CLOSING_BYTES
from streamgauge.asgi.instruments import Instruments, add_to_histogram
from streamgauge.catalog import INTERVAL_BUCKETS, SIZE_BUCKETS

_INTERVAL_BOUNDS_NS = tuple(round(bound_s * 1e9) for bound_s in INTERVAL_BUCKETS)
_FIRST_BOUND_NS = _INTERVAL_BOUNDS_NS[0]


class StreamSeries:
    """The counts of one (route, protocol).

    ``sent`` runs for every chunk and costs more than all else here together, so it looks up as little as it can: nearly
    every send falls into the first bucket, and most chunks are as large as the one before.
    """

    def __init__(self, instruments: Instruments, route: str, protocol: str) -> None:
        labels = (route, protocol)
        self.started = instruments.started.labels(*labels)
        self.active = instruments.active.labels(*labels)
        self.time_to_first_chunk = instruments.time_to_first_chunk.labels(*labels)
        self._out = _Outlet(instruments, labels)
        self._closing_bytes = CLOSING_BYTES.get(protocol, 0)
        self._size_bounds = tuple(int(bound) + self._closing_bytes for bound in SIZE_BUCKETS)
        self._size, self._size_bucket = -1, 0
        self._clear()

    def _clear(self) -> None:
        self._intervals = [0] * (len(_INTERVAL_BOUNDS_NS) + 1)
        self._sends = [0] * (len(_INTERVAL_BOUNDS_NS) + 1)
        self._sizes = [0] * (len(SIZE_BUCKETS) + 1)
        self._interval_ns = self._send_ns = self._size_bytes = 0
        self._quick_sends = self._chunks = self._late_chunks = self._heartbeats = self._idle_bytes = 0

    def sent(self, interval_ns: int | None, send_ns: int, size_bytes: int) -> None:
        """Count a message that ended one chunk; ``interval_ns`` is None for a stream's first."""
        if interval_ns is not None:
            self._intervals[bisect_left(_INTERVAL_BOUNDS_NS, interval_ns)] += 1
            self._interval_ns += interval_ns
        if send_ns <= _FIRST_BOUND_NS:
            self._quick_sends += 1
        else:
            self._sends[bisect_left(_INTERVAL_BOUNDS_NS, send_ns)] += 1
        self._send_ns += send_ns
        if size_bytes != self._size:
            self._size = size_bytes
            self._size_bucket = bisect_left(self._size_bounds, size_bytes)
        self._sizes[self._size_bucket] += 1
        self._size_bytes += size_bytes
        self._chunks += 1

    def sent_several(self, interval_ns: int | None, send_ns: int, size_bytes: int, chunks: int) -> None:
        """Count a message that ended ``chunks`` chunks: they share its bytes evenly, and no time is between them."""
        self.sent(interval_ns, send_ns, size_bytes // chunks)
        self._intervals[0] += chunks - 1
        self._sizes[self._size_bucket] += chunks - 1
        self._size_bytes += size_bytes - size_bytes // chunks
        self._chunks += chunks - 1

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
        if not (self._chunks or self._late_chunks or self._idle_bytes or self._heartbeats):
            return
        out = self._out
        self._sends[0] += self._quick_sends
        add_to_histogram(out.intervals, self._intervals, self._interval_ns / 1e9)
        add_to_histogram(out.sends, self._sends, self._send_ns / 1e9)
        add_to_histogram(out.sizes, self._sizes, self._size_bytes - self._chunks * self._closing_bytes)
        out.chunks.inc(self._chunks + self._late_chunks)
        out.body_bytes.inc(self._size_bytes + self._idle_bytes)
        out.heartbeats.inc(self._heartbeats)
        self._clear()


class _Outlet:
    """The registry's metrics of one (route, protocol)."""

    def __init__(self, instruments: Instruments, labels: tuple[str, str]) -> None:
        self._instruments = instruments
        self._labels = labels
        self._ends: dict[str, tuple[Counter, Histogram]] = {}
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
