"""The recorder of one event loop: its series, its lag, and when they are flushed into the registry."""

import asyncio
import threading
from bisect import bisect_left
from collections.abc import Callable
from math import inf
from time import monotonic, perf_counter
from typing import Protocol, TypeVar

from prometheus_client import Gauge, Histogram

from streamgauge.asgi.instruments import Instruments, add_to_histogram
from streamgauge.asgi.metrics_directory import metrics_directory
from streamgauge.asgi.process_end import watch_signals
from streamgauge.asgi.series import StreamSeries
from streamgauge.asgi.worker_liveness import mark_process_alive
from streamgauge.catalog import INTERVAL_BUCKETS

_Made = TypeVar("_Made")


class Responder(Protocol):
    """The responder of one request or WebSocket that is under way."""

    def end_at_shutdown(self) -> None:
        """Count the end of the response, since nothing of it will be sent any more."""


class Recorder:
    """The counts of the event loop on which it is made. Flushed by a timer, at a stream's end, at a scrape, at a stop.

    The counts are plain integers that only the loop's own thread touches; a scrape asks the loop to flush them.
    """

    #: The timer's period. How late the timer runs is the event loop's lag.
    TICK_S = 0.05
    #: The number of ticks from one flush to the next: 250 ms.
    TICKS_PER_FLUSH = 5
    #: How long a server that shuts down waits for the streams that it has cancelled.
    UNWINDING_S = 1.0

    def __init__(self, instruments: Instruments, yield_after_s: float = inf) -> None:
        self.loop = asyncio.get_running_loop()
        self.yield_at_s: float
        """When (perf_counter) a stream that still sends has kept the timer from running for ``yield_after_s``."""
        self._yield_after_s = yield_after_s
        self._thread = threading.get_ident()
        self._instruments = instruments
        self._series: dict[tuple[str, str], StreamSeries] = {}
        self._requests: dict[tuple[str, str, str], Histogram] = {}
        self._lags = [0] * (len(INTERVAL_BUCKETS) + 1)
        self._lag_s = 0.0
        self._ticks = 0
        self._closed_loop_lock = threading.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._directory = metrics_directory()
        self.running = set[Responder]()
        """The responders of requests that are under way."""
        instruments.claim_files()
        watch_signals()
        self.start()
        instruments.add(self)

    def start(self) -> None:
        """Start the timer, if it is not running."""
        if self._timer is None:
            self._instruments.recorders.inc()
            self._keep_alive()
            self._start_tick(perf_counter())

    def stop(self) -> None:
        """Flush and stop the timer. What is counted afterwards is still flushed at the end of its stream."""
        if self._timer is not None:
            if not self.loop.is_closed():
                self._timer.cancel()
            self._timer = None
            self._instruments.recorders.dec()
        self.flush()

    async def shut_down(self) -> None:
        """Wait a moment for the streams that the server has cancelled, count the end of those that last, and stop."""
        deadline_s = monotonic() + self.UNWINDING_S
        while self.running and monotonic() < deadline_s:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # no event, which every request would have to set
        self.end_streams()
        self.stop()

    def end_streams(self) -> None:
        """Count the end of all active streams. Only the loop's thread may call this, or any while it is stopped."""
        for responder in list(self.running):
            responder.end_at_shutdown()

    def series(self, route: str, protocol: str) -> StreamSeries:
        """Return the series of a (route, protocol); make it on first use."""
        key = (route, protocol)
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = self._with_directory(lambda: StreamSeries(self._instruments, route, protocol))
        return found

    def active(self, route: str, protocol: str) -> Gauge:
        """Return the gauge of active streams, for a response of which it is not known yet whether it is a stream."""
        return self._instruments.active.labels(route, protocol)

    def count_request(self, route: str, method: str, status_code: str, duration_s: float) -> None:
        """Count a request whose response did not stream."""
        key = (route, method, status_code)
        found = self._requests.get(key)
        if found is None:
            family = self._instruments.request_duration
            if family is None:
                return
            found = self._requests[key] = family.labels(*key)
        found.observe(duration_s)

    def count_rejected(self, route: str, protocol: str, reason: str) -> None:
        """Count a stream that was rejected before its first byte. Any thread may call this."""
        self._with_directory(lambda: self._instruments.rejected.labels(route, protocol, reason)).inc()

    def flush(self) -> None:
        """Add all counts to the registry. Only the loop's thread may call this."""
        for series in self._series.values():
            series.flush()
        if any(self._lags):
            add_to_histogram(self._instruments.loop_lag, self._lags, self._lag_s)
            self._lags = [0] * len(self._lags)
            self._lag_s = 0.0

    def flush_for_scrape(self, timeout_s: float) -> None:
        """Flush from any thread: on the loop's thread while the loop is open, on the calling thread once it is closed.

        If the loop is busy or blocked for ``timeout_s``, return: the scrape then shows the values of the last flush.
        """
        if threading.get_ident() == self._thread and not self.loop.is_closed():
            self.flush()
            return
        done = threading.Event()
        try:
            self.loop.call_soon_threadsafe(self._flush_and_set, done)
        except RuntimeError:  # the loop is closed, so only scrapes touch the counts now
            with self._closed_loop_lock:
                self.flush()
            return
        done.wait(timeout_s)

    def _flush_and_set(self, done: threading.Event) -> None:
        try:
            self.flush()
        finally:
            done.set()

    def _tick(self) -> None:
        now_s = perf_counter()
        lag_s = max(0.0, now_s - self._ticked_s - self.TICK_S)
        self._lags[bisect_left(INTERVAL_BUCKETS, lag_s)] += 1
        self._lag_s += lag_s
        self._ticks += 1
        if self._ticks % self.TICKS_PER_FLUSH == 0:
            self.flush()
            self._keep_alive()
        self._start_tick(now_s)

    def _start_tick(self, now_s: float) -> None:
        self._ticked_s = now_s
        self.yield_at_s = now_s + self._yield_after_s
        self._timer = self.loop.call_later(self.TICK_S, self._tick)

    def _keep_alive(self) -> None:
        if self._directory is not None:
            mark_process_alive(self._directory, measures=True)

    def _with_directory(self, make: Callable[[], _Made]) -> _Made:
        """Return what ``make`` returns. If its file cannot be made because the directory is gone, make that again.

        The scrape reports the loss; it must not cost the stream.
        """
        try:
            return make()
        except FileNotFoundError:
            if self._directory is None:
                raise
            self._directory.mkdir(parents=True, exist_ok=True)
            return make()
