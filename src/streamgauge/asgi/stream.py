"""One stream under way: its chunks in time, and its end."""

from collections.abc import Callable
from math import inf
from time import perf_counter

from streamgauge.asgi.chunk_counting import ChunkCounter, MessageCounter
from streamgauge.asgi.familiar import Familiar, look_nowhere
from streamgauge.asgi.series import QUICK_S, StreamSeries


class Stream:
    """Counts one stream into its series. Made when it starts; it was asked for at ``began_s`` (perf_counter)."""

    __slots__ = ("_began_s", "_counter", "_large", "_partial_bytes", "last_s", "series", "size_of")

    def __init__(self, series: StreamSeries, counter: ChunkCounter, began_s: float) -> None:
        self.series = series
        self.size_of: Callable[[bytes], int | None]
        self.size_of = len if isinstance(counter, MessageCounter) else series.familiar.look
        """The size of a body that is exactly one chunk; 0 or None where that is not plain to see."""
        self.last_s = -inf
        """When the last chunk had gone out."""
        self._counter = counter
        self._began_s = began_s
        self._partial_bytes = 0
        self._large = False
        series.started.inc()
        series.active.inc()

    def sent(self, body: bytes, size_bytes: int, before_s: float, now_s: float) -> None:
        """Count ``body``, which went out as ``size_bytes`` between the two moments."""
        between = self._counter.between
        chunks = self._counter.count(body)
        if self.size_of is not len:
            self._see(body, one=chunks == 1 and between)
        if not chunks:
            self._sent_idle(size_bytes)
            return
        if self._partial_bytes:
            size_bytes += self._partial_bytes
            self._partial_bytes = 0
        self.sent_chunks(chunks, size_bytes, before_s, now_s)

    def sent_chunks(self, chunks: int, size_bytes: int, before_s: float, now_s: float) -> None:
        """Count the chunks that one send has completed."""
        series = self.series
        interval_s, self.last_s = now_s - self.last_s, now_s
        if chunks == 1 and interval_s <= QUICK_S and series.least_bytes < size_bytes <= series.most_bytes:
            series.sent_quickly(interval_s, now_s - before_s, size_bytes)
            return
        if interval_s == inf:
            series.time_to_first_chunk.observe(now_s - self._began_s)
        series.sent(interval_s if interval_s < inf else None, now_s - before_s, size_bytes, chunks)

    def end(self, outcome: str, *, cleanly: bool) -> None:
        """Count the end. After a clean one the app has sent all: a last chunk that nothing closed is one too."""
        self.series.sent_idle(self._partial_bytes, self._counter.heartbeats())
        self.series.closed_with(self._counter.close() if cleanly else 0)
        self.series.finished(outcome, perf_counter() - self._began_s)

    def _see(self, body: bytes, *, one: bool) -> None:
        """Learn from a body what bodies to expect."""
        counter, familiar = self._counter, self.series.familiar
        if len(body) > Familiar.LARGEST_BYTES:
            self._large = True
        if self._large or not counter.between:
            self.size_of = look_nowhere
            return
        self.size_of = familiar.look
        if one and not familiar.pauses():
            heartbeats = counter.heartbeats()
            if heartbeats:
                self.series.sent_idle(0, heartbeats)
            else:
                familiar.learn(body)

    def _sent_idle(self, size_bytes: int) -> None:
        """A message that ended no chunk is a heartbeat or nothing to a client, or else the beginning of a chunk."""
        heartbeats = self._counter.heartbeats()
        if heartbeats or self._counter.between:
            self.series.sent_idle(size_bytes, heartbeats)
        else:
            self._partial_bytes += size_bytes
