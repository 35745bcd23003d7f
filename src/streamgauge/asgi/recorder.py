"""One event loop's recorder: its series, its lag, and when they are flushed into the registry."""

import asyncio
import threading
from bisect import bisect_left
from math import inf
from time import perf_counter

from prometheus_client import Histogram

from streamgauge.asgi.instruments import Instruments, add_to_histogram
from streamgauge.asgi.multiprocess import directory
from streamgauge.asgi.series import StreamSeries
from streamgauge.asgi.worker_liveness import sign_in
from streamgauge.catalog import INTERVAL_BUCKETS


class Recorder:
    """Counts for the loop that runs when it is made, and flushes by timer, at a stream's end, at scrape and at stop.

    Its counts are plain integers: only the loop's own thread touches them, and a scrape asks the loop to flush.
    """

    #: The timer's period. How late it runs is the event loop's lag.
    TICK_S = 0.05
    #: Ticks between two flushes: 250 ms.
    TICKS_PER_FLUSH = 5

    def __init__(self, instruments: Instruments, give_way_s: float = inf) -> None:
        self.loop = asyncio.get_running_loop()
        self.give_way_at_s: float
        """When (perf_counter) a stream that still sends has kept the timer from its turn for ``give_way_s``."""
        self._give_way_s = give_way_s
        self._thread = threading.get_ident()
        self._instruments = instruments
        self._series: dict[tuple[str, str], StreamSeries] = {}
        self._requests: dict[tuple[str, str, str], Histogram] = {}
        self._lags = [0] * (len(INTERVAL_BUCKETS) + 1)
        self._lag_s = 0.0
        self._ticks = 0
        self._orphaned = threading.Lock()
        self._timer: asyncio.TimerHandle | None = None
        if (place := directory()) is not None:
            sign_in(place)
        self.start()
        instruments.add(self)

    def start(self) -> None:
        """Start the timer, if it is not running."""
        if self._timer is None:
            self._turned(perf_counter())
            self._timer = self.loop.call_later(self.TICK_S, self._tick)

    def stop(self) -> None:
        """Flush, and stop the timer; what is counted afterwards still flushes at its stream's end."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.flush()

    def series(self, route: str, protocol: str) -> StreamSeries:
        """The series of a (route, protocol), made on first use."""
        key = (route, protocol)
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = StreamSeries(self._instruments, route, protocol)
        return found

    def request(self, route: str, method: str, status_code: str, duration_s: float) -> None:
        """Count a request whose response did not stream."""
        key = (route, method, status_code)
        found = self._requests.get(key)
        if found is None:
            found = self._requests[key] = self._instruments.request_duration.labels(*key)
        found.observe(duration_s)

    def rejected(self, route: str, protocol: str, reason: str) -> None:
        """Count a stream that was refused before its first byte; from any thread."""
        self._instruments.rejected.labels(route, protocol, reason).inc()

    def flush(self) -> None:
        """Bring all counts into the registry; on the loop's thread only."""
        for series in self._series.values():
            series.flush()
        if any(self._lags):
            add_to_histogram(self._instruments.loop_lag, self._lags, self._lag_s)
            self._lags = [0] * len(self._lags)
            self._lag_s = 0.0

    def flush_for_scrape(self, timeout_s: float) -> None:
        """Flush from any thread: by the loop if it is another's, and without it once it is closed.

        A loop that does not get to it within ``timeout_s`` is busy or blocked: the scrape then shows the last flush.
        """
        if threading.get_ident() == self._thread and not self.loop.is_closed():
            self.flush()
            return
        done = threading.Event()
        try:
            self.loop.call_soon_threadsafe(self._flush_and_tell, done)
        except RuntimeError:  # closed: nobody else touches the counts any more
            with self._orphaned:
                self.flush()
            return
        done.wait(timeout_s)

    def _flush_and_tell(self, done: threading.Event) -> None:
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
        self._turned(now_s)
        self._timer = self.loop.call_later(self.TICK_S, self._tick)

    def _turned(self, now_s: float) -> None:
        self._ticked_s = now_s
        self.give_way_at_s = now_s + self._give_way_s
