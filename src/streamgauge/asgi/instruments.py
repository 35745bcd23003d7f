"""The server's metric families in one registry, with the names, help, labels and buckets of the catalog."""

import logging
import os
import threading
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from prometheus_client import REGISTRY, CollectorRegistry, Gauge
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from streamgauge.asgi.families import Counter, Histogram, SharedHistogram
from streamgauge.asgi.metrics_directory import check_directory, metrics_directory
from streamgauge.asgi.process_end import at_end
from streamgauge.asgi.worker_liveness import mark_process_alive
from streamgauge.catalog import CATALOG

logger = logging.getLogger("streamgauge.asgi")
_Family = TypeVar("_Family", bound=Collector)


class Flushable(Protocol):
    """A holder of counts that are not in the registry yet."""

    def flush_for_scrape(self, timeout_s: float) -> None:
        """Add the counts to the registry within ``timeout_s``. Any thread may call this."""

    def end_streams(self) -> None:
        """Count the end of all active streams, since the process ends. Nothing else runs meanwhile."""


class Instruments:
    """The families of one registry. A scrape of that registry first flushes the recorders.

    ``registry``: where the families are registered. ``requests``: whether
    ``http_server_request_duration_seconds`` is one of them. Raises ``ValueError`` if the registry already has one of
    their names, and ``MultiprocessError`` if the metrics directory does not exist.
    """

    #: How long a scrape waits for a busy event loop; after that it shows the totals of the last flush.
    SCRAPE_TIMEOUT_S = 1.0

    def __init__(self, registry: CollectorRegistry, *, requests: bool = True) -> None:
        check_directory()
        self._registry = registry
        self._recorders: WeakSet[Flushable] = WeakSet()
        self._families: list[Collector] = [_FlushCollector(self)]
        self.fed = False
        """Whether any recorder has ever counted into these."""
        self.wrapped_apps = 0
        """How many ``StreamMetrics`` use these."""
        self.obstacle = ""
        """Why the middleware cannot measure anything in this process; empty if it can."""
        self.page_pid: int | None = None
        """The process that serves these on a metrics port, as far as this process or the one it is a fork of knows."""
        if (directory := metrics_directory()) is not None:
            mark_process_alive(directory)  # before any file is opened: see ``dead_processes``
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
        self.recorders = self._gauge("stream_server_recorders")
        self.request_duration: Histogram | None = self._request_duration() if requests else None
        self._register()

    @classmethod
    def of(cls, registry: CollectorRegistry = REGISTRY, *, requests: bool = True) -> "Instruments":
        """Return the instruments of ``registry``; make them on first use. Several apps in one process share them."""
        with _LOCK:
            found = _BY_REGISTRY.get(registry)
            if found is None:
                found = _BY_REGISTRY[registry] = cls(registry, requests=requests)
            return found

    @staticmethod
    def exist() -> bool:
        """Return whether this process has made any instruments."""
        return bool(_BY_REGISTRY)

    @staticmethod
    def others_fed(but: "Instruments") -> bool:
        """Return whether the app of another registry is measured."""
        return any(each.fed for each in list(_BY_REGISTRY.values()) if each is not but)

    def leave_out_requests(self) -> None:
        """Remove ``http_server_request_duration_seconds``, and count no more requests."""
        if self.request_duration is not None:
            self._registry.unregister(self.request_duration)
            self.request_duration = None

    def claim_files(self) -> None:
        """Make the files of this process, if it keeps its metrics in a directory. A fork has none of its own yet."""
        if (directory := metrics_directory()) is not None:
            mark_process_alive(directory)
            self.recorders.inc(0)

    def add(self, recorder: Flushable) -> None:
        """Flush ``recorder`` before every scrape, for as long as it exists."""
        self._recorders.add(recorder)
        self.fed = True
        if self.page_pid not in (None, os.getpid()) and metrics_directory() is None:
            logger.error(
                "Process %s measures streams that no metrics page shows: it is a fork of process %s, which serves the "
                "page and cannot see what its forks count. Call streamgauge.asgi.prepare_multiprocess() before "
                "StreamMetrics and serve_metrics, or let the server load the app in its workers (without --preload).",
                os.getpid(),
                self.page_pid,
            )

    def flush(self) -> None:
        """Flush every recorder into the registry. Any thread may call this."""
        for recorder in list(self._recorders):
            recorder.flush_for_scrape(self.SCRAPE_TIMEOUT_S)

    def end_streams(self) -> None:
        """Count the end of all active streams, since the process ends."""
        for recorder in list(self._recorders):
            recorder.end_streams()

    def _register(self) -> None:
        """Register all families, or none."""
        for number, family in enumerate(self._families):
            try:
                self._registry.register(family)
            except ValueError as error:
                for registered in self._families[:number]:
                    self._registry.unregister(registered)
                raise ValueError(
                    f"the registry already has a metric named {getattr(family, '_name', family)!r}: {error}; give "
                    "streamgauge another one, StreamMetrics(app, registry=CollectorRegistry()), or remove that metric"
                ) from error

    def _add_family(self, family: _Family) -> _Family:
        self._families.append(family)
        return family

    def _counter(self, name: str) -> Counter:
        metric = CATALOG[name]
        return self._add_family(Counter(name, metric.help, metric.labels, registry=None))

    def _gauge(self, name: str) -> Gauge:
        metric = CATALOG[name]
        return self._add_family(Gauge(name, metric.help, metric.labels, registry=None, multiprocess_mode="livesum"))

    def _histogram(self, name: str, kind: type[Histogram] = Histogram) -> Histogram:
        metric = CATALOG[name]
        return self._add_family(kind(name, metric.help, metric.labels, registry=None, buckets=metric.buckets))

    def _request_duration(self) -> Histogram:
        found = self._histogram("http_server_request_duration_seconds", SharedHistogram)
        found.others = self._registry  # type: ignore[attr-defined]
        return found


class _FlushCollector(Collector):
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


@at_end
def _end_all_streams() -> None:
    directory = metrics_directory()
    if directory is not None and directory.is_dir():  # the metrics of a single process end with it
        for instruments in list(_BY_REGISTRY.values()):
            instruments.end_streams()
