"""What one (route, protocol) has counted since the last flush: plain integers, touched on the loop's thread only."""

from bisect import bisect_left

from prometheus_client import Counter, Histogram

from streamgauge.asgi.instruments import Instruments, add_to_histogram
from streamgauge.catalog import INTERVAL_BUCKETS, SIZE_BUCKETS

_INTERVAL_BOUNDS_NS = tuple(round(bound_s * 1e9) for bound_s in INTERVAL_BUCKETS)
_SIZE_BOUNDS = tuple(int(bound) for bound in SIZE_BUCKETS)
_FIRST_BOUND_NS = _INTERVAL_BOUNDS_NS[0]
_BEYOND_NS = 1 << 63


class StreamSeries:
    """The counts of one (route, protocol).

    ``interval``, ``sent`` run for every chunk and cost more than all else here together, so they remember: successive
    chunks of a paced stream mostly fall into the bucket of the one before.
    """

    __slots__ = (
        "_bucket",
        "_bucket_above_ns",
        "_bucket_upto_ns",
        "_chunks",
        "_duration",
        "_finished",
        "_heartbeats",
        "_idle_bytes",
        "_instruments",
        "_interval_ns",
        "_intervals",
        "_labels",
        "_quick_sends",
        "_send_ns",
        "_sends",
        "_size",
        "_size_bucket",
        "_size_bytes",
        "_sizes",
        "active",
        "started",
        "time_to_first_chunk",
    )

    def __init__(self, instruments: Instruments, route: str, protocol: str) -> None:
        self._instruments = instruments
        self._labels = (route, protocol)
        self.started = instruments.started.labels(*self._labels)
        self.active = instruments.active.labels(*self._labels)
        self.time_to_first_chunk = instruments.time_to_first_chunk.labels(*self._labels)
        self._finished: dict[str, tuple[Counter, Histogram]] = {}
        self._bucket = 0
        self._bucket_above_ns = self._bucket_upto_ns = -1
        self._size = -1
        self._size_bucket = 0
        self._clear()

    def _clear(self) -> None:
        self._intervals = [0] * (len(_INTERVAL_BOUNDS_NS) + 1)
        self._sends = [0] * (len(_INTERVAL_BOUNDS_NS) + 1)
        self._sizes = [0] * (len(_SIZE_BOUNDS) + 1)
        self._interval_ns = self._send_ns = self._size_bytes = 0
        self._quick_sends = self._chunks = self._heartbeats = self._idle_bytes = 0

    def interval(self, interval_ns: int) -> None:
        """Count the time between two chunks of one stream."""
        if not self._bucket_above_ns < interval_ns <= self._bucket_upto_ns:
            bucket = self._bucket = bisect_left(_INTERVAL_BOUNDS_NS, interval_ns)
            self._bucket_above_ns = _INTERVAL_BOUNDS_NS[bucket - 1] if bucket else -1
            self._bucket_upto_ns = _INTERVAL_BOUNDS_NS[bucket] if bucket < len(_INTERVAL_BOUNDS_NS) else _BEYOND_NS
        self._intervals[self._bucket] += 1
        self._interval_ns += interval_ns

    def sent(self, send_ns: int, size_bytes: int) -> None:
        """Count a message that carried one chunk, and the time inside its ``send``."""
        if send_ns <= _FIRST_BOUND_NS:
            self._quick_sends += 1
        else:
            self._sends[bisect_left(_INTERVAL_BOUNDS_NS, send_ns)] += 1
        self._send_ns += send_ns
        if size_bytes != self._size:
            self._size = size_bytes
            self._size_bucket = bisect_left(_SIZE_BOUNDS, size_bytes)
        self._sizes[self._size_bucket] += 1
        self._size_bytes += size_bytes
        self._chunks += 1

    def sent_several(self, send_ns: int, size_bytes: int, chunks: int) -> None:
        """Count a message that carried ``chunks`` chunks; they share its bytes evenly."""
        self.sent(send_ns, size_bytes // chunks)
        self._sizes[self._size_bucket] += chunks - 1
        self._size_bytes += size_bytes - size_bytes // chunks
        self._chunks += chunks - 1

    def sent_idle(self, size_bytes: int, heartbeats: int) -> None:
        """Count a message that ended no chunk, and the heartbeats in it."""
        self._idle_bytes += size_bytes
        self._heartbeats += heartbeats

    def closed_with(self, chunks: int) -> None:
        """Count chunks that ended with the stream itself; their bytes are counted already."""
        self._chunks += chunks

    def finished(self, outcome: str, duration_s: float) -> None:
        """Count a stream's end, with all that it had counted before."""
        if outcome not in self._finished:
            labels = (*self._labels, outcome)
            counter, histogram = self._instruments.finished.labels(*labels), self._instruments.duration.labels(*labels)
            self._finished[outcome] = (counter, histogram)
        self.flush()
        finished, duration = self._finished[outcome]
        duration.observe(duration_s)
        self.active.dec()
        finished.inc()

    def flush(self) -> None:
        """Bring the counts into the registry, and begin anew."""
        if not (self._chunks or self._idle_bytes or self._heartbeats):
            return
        instruments, labels = self._instruments, self._labels
        self._sends[0] += self._quick_sends
        add_to_histogram(instruments.chunk_interval.labels(*labels), self._intervals, self._interval_ns / 1e9)
        add_to_histogram(instruments.chunk_send.labels(*labels), self._sends, self._send_ns / 1e9)
        add_to_histogram(instruments.chunk_size.labels(*labels), self._sizes, self._size_bytes)
        instruments.chunks.labels(*labels).inc(self._chunks)
        instruments.body_bytes.labels(*labels).inc(self._size_bytes + self._idle_bytes)
        if self._heartbeats:
            instruments.heartbeats.labels(*labels).inc(self._heartbeats)
        self._clear()
