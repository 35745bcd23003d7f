"""The server's metric families in one registry, with the names, help, labels and buckets of the catalog."""

import threading
from collections.abc import Iterable, Sequence
from typing import Protocol
from weakref import WeakKeyDictionary, WeakSet

import prometheus_client
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric

from streamgauge.catalog import CATALOG


class Flushable(Protocol):
    """A holder of counts that are not in the registry yet."""

    def flush_for_scrape(self, timeout_s: float) -> None:
        """Add the counts to the registry within ``timeout_s``. Any thread may call this."""


class Instruments:
    """The families of one registry. A scrape of that registry first flushes the recorders.

    ``registry``: where the families are registered. Raises ``ValueError`` if it already has one of their names. The
    ``_created`` series are switched off for the whole process, since Prometheus does not use them.
    """

    #: How long a scrape waits for a busy event loop; after that it shows the totals of the last flush.
    SCRAPE_TIMEOUT_S = 1.0

    def __init__(self, registry: CollectorRegistry) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry
        self._recorders: WeakSet[Flushable] = WeakSet()
        registry.register(_FlushCollector(self))
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
        """Return the instruments of ``registry``; make them on first use. Several apps in one process share them."""
        with _LOCK:
            found = _BY_REGISTRY.get(registry)
            if found is None:
                found = _BY_REGISTRY[registry] = cls(registry)
            return found

    @staticmethod
    def exist() -> bool:
        """Return whether this process has made any instruments."""
        return bool(_BY_REGISTRY)

    def add(self, recorder: Flushable) -> None:
        """Flush ``recorder`` before every scrape, for as long as it exists."""
        self._recorders.add(recorder)

    def flush(self) -> None:
        """Flush every recorder into the registry. Any thread may call this."""
        for recorder in list(self._recorders):
            recorder.flush_for_scrape(self.SCRAPE_TIMEOUT_S)

    def _counter(self, name: str) -> Counter:
        metric = CATALOG[name]
        return Counter(name, metric.help, metric.labels, registry=self._registry)

    def _gauge(self, name: str) -> Gauge:
        metric = CATALOG[name]
        return Gauge(name, metric.help, metric.labels, registry=self._registry, multiprocess_mode="livesum")

    def _histogram(self, name: str) -> Histogram:
        metric = CATALOG[name]
        return Histogram(name, metric.help, metric.labels, registry=self._registry, buckets=metric.buckets)


class _FlushCollector:
    """A collector without samples. It is registered first, so it is collected before the families."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments

    def describe(self) -> Iterable[Metric]:
        """Return no names."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Flush the recorders, and return no samples."""
        self._instruments.flush()
        return []


def add_to_histogram(child: Histogram, counts: Sequence[int], total: float) -> None:
    """Add ``counts[i]`` observations to bucket ``i``, and ``total`` to the sum.

    ``Histogram`` has no public method for that. A contract test checks the private names in the version of
    prometheus_client that pyproject.toml pins.
    """
    buckets = child._buckets  # noqa: SLF001
    for index, count in enumerate(counts):
        if count:
            buckets[index].inc(count)
    child._sum.inc(total)  # noqa: SLF001


_LOCK = threading.Lock()
_BY_REGISTRY: "WeakKeyDictionary[CollectorRegistry, Instruments]" = WeakKeyDictionary()
