"""The server's metric families in one registry, made from the catalog: names, help, labels and buckets are its."""

import threading
from collections.abc import Iterable, Sequence
from typing import Protocol
from weakref import WeakKeyDictionary, WeakSet

import prometheus_client
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric as Sampled

from streamgauge.catalog import CATALOG


class Flushable(Protocol):
    """What holds counts that the registry does not know yet."""

    def flush_for_scrape(self, timeout_s: float) -> None:
        """Bring them into the registry, from any thread, within ``timeout_s``."""


class Instruments:
    """The families of one registry. A scrape of that registry first flushes what the recorders hold.

    ``registry``: where the families are registered; a name that is there already raises ``ValueError``. Families have
    no ``_created`` series: these are switched off for the process, since Prometheus has no use for them.
    """

    #: How long a scrape waits for a busy event loop before it shows the last flush's totals.
    SCRAPE_PATIENCE_S = 1.0

    def __init__(self, registry: CollectorRegistry) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry
        self._recorders: WeakSet[Flushable] = WeakSet()
        registry.register(_FlushFirst(self))
        self.started = self._counter("stream_server_started_total")
        self.active = self._gauge("stream_server_active")
        self.finished = self._counter("stream_server_finished_total")
        self.rejected = self._counter("stream_server_rejected_total")
        self.time_to_first_chunk = self._histogram("stream_server_time_to_first_chunk_seconds")
        self.chunk_interval = self._histogram("stream_server_chunk_interval_seconds")
        self.chunk_send = self._histogram("stream_server_chunk_send_seconds")
        self.chunk_size = self._histogram("stream_server_chunk_size_bytes")
        self.duration = self._histogram("stream_server_duration_seconds")
        self.chunks = self._counter("stream_server_chunks_total")
        self.body_bytes = self._counter("stream_server_body_bytes_total")
        self.heartbeats = self._counter("stream_server_heartbeats_total")
        self.loop_lag = self._histogram("event_loop_lag_seconds")
        self.request_duration = self._histogram("http_server_request_duration_seconds")

    @classmethod
    def of(cls, registry: CollectorRegistry = REGISTRY) -> "Instruments":
        """The registry's instruments, made on first use: several apps in one process share them."""
        with _LOCK:
            found = _BY_REGISTRY.get(registry)
            if found is None:
                found = _BY_REGISTRY[registry] = cls(registry)
            return found

    @staticmethod
    def exist() -> bool:
        """Whether this process has any."""
        return bool(_BY_REGISTRY)

    def add(self, recorder: Flushable) -> None:
        """Flush ``recorder`` before every scrape for as long as it lives."""
        self._recorders.add(recorder)

    def flush(self) -> None:
        """Bring what every recorder holds into the registry, from any thread."""
        for recorder in list(self._recorders):
            recorder.flush_for_scrape(self.SCRAPE_PATIENCE_S)

    def _counter(self, name: str) -> Counter:
        metric = CATALOG[name]
        return Counter(name, metric.help, metric.labels, registry=self._registry)

    def _gauge(self, name: str) -> Gauge:
        metric = CATALOG[name]
        return Gauge(name, metric.help, metric.labels, registry=self._registry, multiprocess_mode="livesum")

    def _histogram(self, name: str) -> Histogram:
        metric = CATALOG[name]
        return Histogram(name, metric.help, metric.labels, registry=self._registry, buckets=metric.buckets)


class _FlushFirst:
    """A collector without samples; it is registered first, so that its turn comes before the families'."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments

    def describe(self) -> Iterable[Sampled]:
        """No names: it clashes with nothing."""
        return []

    def collect(self) -> Iterable[Sampled]:
        """Flush, and show nothing."""
        self._instruments.flush()
        return []


def add_to_histogram(child: Histogram, counts: Sequence[int], total: float) -> None:
    """Add ``counts[i]`` observations to bucket ``i`` and their sum: one call for thousands of observations.

    ``Histogram`` has no public way to do so. The private names are those of the prometheus_client that pyproject.toml
    pins, and a contract test holds them.
    """
    buckets = child._buckets  # noqa: SLF001
    for index, count in enumerate(counts):
        if count:
            buckets[index].inc(count)
    child._sum.inc(total)  # noqa: SLF001


_LOCK = threading.Lock()
_BY_REGISTRY: "WeakKeyDictionary[CollectorRegistry, Instruments]" = WeakKeyDictionary()
