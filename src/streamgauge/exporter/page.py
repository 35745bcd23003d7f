"""The page that Prometheus scrapes: the readings as metric families of the catalog, in the format that it accepts."""

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
#: Where the process measures, its event loop gets the interpreter after as many samples, for as long at least.
_BATCH, _REST_S = 25, 0.0002
_PROCESS_START_HELP = "Start time of the process since unix epoch in seconds."
#: Before any run, and a moment after the process's start itself.
_LOADED_AT_S = time.time()
#: The seconds after which Prometheus, as it says with each scrape, waits for it no longer.
_PATIENCE = "HTTP_X_PROMETHEUS_SCRAPE_TIMEOUT_SECONDS"
_FAMILIES = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}


class _Samples:
    """The samples of one family, made as they are read; the reader rests again and again, where it is to."""

    def __init__(self, metric: Metric, values: LabelledValues, *, resting: bool) -> None:
        self._metric, self._values, self._resting = metric, values, resting

    def __iter__(self) -> Iterator[Sample]:
        every = (sample for labels, value in self._values for sample in _samples(self._metric, labels, value))
        for number, sample in enumerate(every, 1):
            yield sample
            if self._resting and number % _BATCH == 0:
                time.sleep(_REST_S)


class Page:
    """A collector of ``prometheus_client``'s over what ``read`` gives.

    One that is ``resting`` lets the event loop of the process run in between: a scrape takes longer, and never holds
    up the measuring for long.
    """

    def __init__(self, read: Callable[[], Readings], *, resting: bool = False) -> None:
        self._read = read
        self._resting = resting

    def describe(self) -> Iterable[Family]:
        """The families' names."""
        return map(_family, CLIENT)

    def collect(self) -> Iterable[Family]:
        """The families that have any values now."""
        readings = self._read()
        for metric in CLIENT:
            if values := readings.get(metric.name):
                family = _family(metric)
                # the encoders go over them once, in order
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
    """This process itself: when it started, which tells its counters from those of the one before, and what it uses.

    Where there is no ``/proc``, only the start is known.
    """

    def __init__(self) -> None:
        self._of_linux = ProcessCollector(registry=None)

    def collect(self) -> Iterable[Family]:
        """The families that Prometheus's own libraries have for it."""
        started = GaugeMetricFamily("process_start_time_seconds", _PROCESS_START_HELP, _LOADED_AT_S)
        return self._of_linux.collect() or [started]


class _Sent(list[bytes]):
    """A response's body, which the server closes when it is sent."""

    def __init__(self, body: Iterable[bytes], sent: Callable[[], None]) -> None:
        super().__init__(body)
        self.close = sent


def page_app(page: Page, on_scraped: Callable[[float], None]) -> WsgiApp:
    """Serves the page at ``/metrics``; ``on_scraped`` is told, once it is sent, when it was asked for (monotonic).

    It is not told of one that was sent when its asker had given it up.
    """
    registry = CollectorRegistry()
    registry.register(page)
    registry.register(_Process())
    render = make_wsgi_app(registry)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"The metrics are at /metrics.\n"]
        asked_s = time.monotonic()
        patience_s = _seconds(environ.get(_PATIENCE))
        body: Iterable[bytes] = render(environ, start_response)

        def sent() -> None:
            if time.monotonic() - asked_s < patience_s:
                on_scraped(asked_s)

        return _Sent(body, sent)

    return app


def _seconds(text: str | None) -> float:
    """What a header says; infinity where it says nothing that can be read."""
    try:
        return float(text or "inf")
    except ValueError:
        return float("inf")
