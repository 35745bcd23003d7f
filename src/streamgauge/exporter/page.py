"""The page that Prometheus scrapes: the readings as metric families of the catalog, in the format that it asks for."""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

from streamgauge.catalog import CLIENT, Metric
from streamgauge.exporter.counts import Buckets
from streamgauge.exporter.readings import LabelledValues, Readings, Value

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
#: A resting page sleeps for this long after this many samples, so that the event loop can run.
_BATCH, _REST_S = 25, 0.0002
_PROCESS_START_HELP = "Start time of the process since unix epoch in seconds."
#: About when the process started; before any run.
_LOADED_AT_S = time.time()
#: The header with which Prometheus gives the timeout of each scrape, in seconds.
_SCRAPE_TIMEOUT = "HTTP_X_PROMETHEUS_SCRAPE_TIMEOUT_SECONDS"
_FAMILIES = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}


class _Samples:
    """The samples of one family, made as they are read; with ``resting``, reading pauses regularly."""

    def __init__(self, metric: Metric, values: LabelledValues, *, resting: bool) -> None:
        self._metric, self._values, self._resting = metric, values, resting

    def __iter__(self) -> Iterator[Sample]:
        every = (sample for labels, value in self._values for sample in _samples(self._metric, labels, value))
        for number, sample in enumerate(every, 1):
            yield sample
            if self._resting and number % _BATCH == 0:
                time.sleep(_REST_S)


class Page:
    """A ``prometheus_client`` collector of the readings that ``read`` returns.

    With ``resting``, the event loop of the process runs in between: a scrape takes longer, but never delays the
    measurement for long.
    """

    def __init__(self, read: Callable[[], Readings], *, resting: bool = False) -> None:
        self._read = read
        self._resting = resting

    def describe(self) -> Iterable[Family]:
        """Return the empty families, for their names."""
        return map(_family, CLIENT)

    def collect(self) -> Iterable[Family]:
        """Return the families that have values now."""
        readings = self._read()
        for metric in CLIENT:
            if values := readings.get(metric.name):
                family = _family(metric)
                # the encoders iterate once, in order
                family.samples = _Samples(metric, values, resting=self._resting)  # type: ignore[assignment]
                yield family


def _family(metric: Metric) -> Family:
    made: Family = _FAMILIES[metric.type](metric.name.removesuffix("_total"), metric.help, unit=metric.unit)
    return made


def _samples(metric: Metric, labels: tuple[str, ...], value: Value) -> Iterator[Sample]:
    named = dict(zip(metric.labels, labels, strict=True))
    if not isinstance(value, Buckets):
        yield Sample(metric.name, named, value)
        return
    seen = list(accumulate(value.counts))
    for bound, count in zip((*value.bounds, float("inf")), seen, strict=True):
        yield Sample(f"{metric.name}_bucket", {**named, "le": _go(bound)}, count)
    yield Sample(f"{metric.name}_count", named, seen[-1])
    yield Sample(f"{metric.name}_sum", named, value.total / value.scale)


def _go(bound: float) -> str:
    text: str = floatToGoString(bound)  # type: ignore[no-untyped-call]
    return text


class _Process:
    """A collector of this process: its start, which shows that counters began at zero, and its use of resources.

    Without ``/proc``, only the start is known.
    """

    def __init__(self) -> None:
        self._of_linux = ProcessCollector(registry=None)

    def collect(self) -> Iterable[Family]:
        """Return the families of Prometheus's own libraries."""
        started = GaugeMetricFamily("process_start_time_seconds", _PROCESS_START_HELP, _LOADED_AT_S)
        return self._of_linux.collect() or [started]


class _Sent(list[bytes]):
    """A response's body, which the server closes once it is sent."""

    def __init__(self, body: Iterable[bytes], sent: Callable[[], None]) -> None:
        super().__init__(body)
        self.close = sent


def page_app(page: Page, on_scraped: Callable[[float], None]) -> WsgiApp:
    """Make the WSGI app that serves the page at ``/metrics``.

    Once the page is sent, calls ``on_scraped`` with the monotonic time of the request, unless the request had timed out
    by then.
    """
    registry = CollectorRegistry()
    registry.register(page)
    registry.register(_Process())
    render = make_wsgi_app(registry)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"The metrics are at /metrics.\n"]
        requested_s = time.monotonic()
        timeout_s = _seconds(environ.get(_SCRAPE_TIMEOUT))
        body: Iterable[bytes] = render(environ, start_response)

        def sent() -> None:
            if time.monotonic() - requested_s < timeout_s:
                on_scraped(requested_s)

        return _Sent(body, sent)

    return app


def _seconds(text: str | None) -> float:
    """Read the seconds in a header; infinity if there are none or they are invalid."""
    try:
        return float(text or "inf")
    except ValueError:
        return float("inf")
