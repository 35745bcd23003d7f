"""One active stream: the times of its chunks, and its end."""

from collections.abc import Callable
from math import inf
from time import perf_counter

from streamgauge.asgi.chunk_counting import ChunkCounter, EventCounter, MessageCounter
from streamgauge.asgi.known_bodies import KnownBodies, find_none
from streamgauge.asgi.series import QUICK_S, StreamSeries
from streamgauge.asgi.token_counting import TokenCounter, starts_token_stream


class Stream:
    """The state of counting one stream into its series. Made when the stream starts.

    ``requested_s``: when the request came (perf_counter). ``status``: the response's.
    """

    __slots__ = (
        "_counter",
        "_large",
        "_partial_bytes",
        "_requested_s",
        "_status_code",
        "last_chunk_s",
        "series",
        "size_of",
    )

    def __init__(self, series: StreamSeries, counter: ChunkCounter, requested_s: float, status: int) -> None:
        self.series, known = series, series.known_bodies
        self.size_of: Callable[[bytes], int | None]
        self.size_of = known.find if counter.repeatable and not known.paused else _whole_of(counter)
        """Returns the size of a body that is exactly one chunk; 0 or None if the body must be parsed to tell."""
        self.last_chunk_s = -inf
        """When the send of the last chunk returned."""
        self._counter = counter
        self._requested_s = requested_s
        self._status_code = str(status)
        self._partial_bytes = 0
        self._large = False
        series.expect(self._status_code)
        series.started.inc()
        series.active.inc()

    def count_body(self, body: bytes, size_bytes: int, before_s: float, now_s: float) -> None:
        """Parse and count ``body``, which was sent as ``size_bytes`` from ``before_s`` to ``now_s``."""
        counter = self._counter
        between = counter.between
        if self.last_chunk_s == -inf and between:
            self._look_for_tokens(body)
        elif between and counter.repeatable and self.size_of is not counter.whole and counter.whole(body):
            self._remember(body, one_chunk=True)
            self.count_chunks(1, size_bytes, before_s, now_s)
            return
        chunks = self._counter.count(body)
        if self._counter.repeatable:
            self._learn(body, one_chunk=chunks == 1 and between)
        if not chunks:
            self._count_idle(size_bytes)
            return
        if self._partial_bytes:
            size_bytes += self._partial_bytes
            self._partial_bytes = 0
        self.count_chunks(chunks, size_bytes, before_s, now_s)

    def count_chunks(self, chunks: int, size_bytes: int, before_s: float, now_s: float) -> None:
        """Count the chunks that one send has completed."""
        series = self.series
        interval_s, self.last_chunk_s = now_s - self.last_chunk_s, now_s
        if chunks == 1 and interval_s <= QUICK_S and series.lower_bound_bytes < size_bytes <= series.upper_bound_bytes:
            series.interval_s += interval_s
            series.send_s += now_s - before_s
            series.size_bytes += size_bytes
            series.quick_chunks += 1
            return
        if interval_s == inf:
            series.time_to_first_chunk.observe(now_s - self._requested_s)
        series.count_send(interval_s if interval_s < inf else None, now_s - before_s, size_bytes, chunks)

    def end(self, outcome: str, *, cleanly: bool) -> None:
        """Count the end. After a clean one the app has sent everything, so an unfinished last line is a chunk too."""
        self.series.count_idle(self._partial_bytes, self._counter.heartbeats())
        self.series.count_late_chunks(self._counter.close() if cleanly else 0)
        self.series.count_end(outcome, self._status_code, perf_counter() - self._requested_s)

    def _look_for_tokens(self, body: bytes) -> None:
        """Count only generated content from here on if ``body`` starts a token stream."""
        if isinstance(self._counter, EventCounter) and starts_token_stream(body):
            self._counter = TokenCounter()
            self.size_of = TokenCounter.whole

    def _learn(self, body: bytes, *, one_chunk: bool) -> None:
        """Decide how to recognise the next body, and remember this one if it is exactly one chunk."""
        counter = self._counter
        if not counter.between:
            self.size_of = find_none
            return
        if one_chunk and (heartbeats := counter.heartbeats()):
            self.series.count_idle(0, heartbeats)
            one_chunk = False
        self._remember(body, one_chunk=one_chunk)

    def _remember(self, body: bytes, *, one_chunk: bool) -> None:
        """Look up the next body if this one is not large and bodies repeat, and remember this one."""
        known_bodies = self.series.known_bodies
        if self._large or len(body) > KnownBodies.MAX_BODY_BYTES:
            self._large = True
            self.size_of = self._counter.whole
        elif known_bodies.paused:
            self.size_of = self._counter.whole
        else:
            self.size_of = known_bodies.find
            if one_chunk:
                known_bodies.add(body, self.series.chunks + 1)

    def _count_idle(self, size_bytes: int) -> None:
        """Count a message that completed no chunk: heartbeats, bytes that mean nothing, or the start of a chunk."""
        heartbeats = self._counter.heartbeats()
        if heartbeats or self._counter.between:
            self.series.count_idle(size_bytes, heartbeats)
        else:
            self._partial_bytes += size_bytes


def _whole_of(counter: ChunkCounter) -> Callable[[bytes], int]:
    """Return ``counter.whole``; of messages ``len``, which costs less since it is not written in Python."""
    return len if isinstance(counter, MessageCounter) else counter.whole
