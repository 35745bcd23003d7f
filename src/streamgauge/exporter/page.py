"""The page that Prometheus scrapes: the readings as metric families of the catalog, in the format that it accepts."""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

from streamgauge.catalog import CLIENT, Metric
from streamgauge.exporter.counts import Buckets
from streamgauge.exporter.state import Readings, Value

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
#: After as many samples, the event loop gets the interpreter for a moment.
_BATCH = 100
_REST_S = 0.0005
_FAMILIES = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}


class _Restful(list[Sample]):
    """Samples whose reader stops again and again, so that a scrape never holds up the measuring for long."""

    def __iter__(self) -> Iterator[Sample]:
        for number, sample in enumerate(super().__iter__(), 1):
            yield sample
            if number % _BATCH == 0:
                time.sleep(_REST_S)


class Page:
    """A collector of ``prometheus_client``'s over what ``read`` gives."""

    def __init__(self, read: Callable[[], Readings]) -> None:
        self._read = read

    def describe(self) -> Iterable[Family]:
        """The families' names."""
        return map(_family, CLIENT)

    def collect(self) -> Iterable[Family]:
        """The families that have any values now."""
        readings = self._read()
        for metric in CLIENT:
            if values := readings.get(metric.name):
                family = _family(metric)
                family.samples = _Restful(
                    sample for labels, value in values for sample in _samples(metric, labels, value)
                )
                yield family
                time.sleep(_REST_S)


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


class _Sent(list[bytes]):
    """A response's body, which the server closes when it is sent."""

    def __init__(self, body: Iterable[bytes], sent: Callable[[], None]) -> None:
        super().__init__(body)
        self.close = sent


def page_app(read: Callable[[], Readings], on_scraped: Callable[[float], None]) -> WsgiApp:
    """Serves the page at ``/metrics``; ``on_scraped`` is told, once it is sent, when it was asked for (monotonic)."""
    registry = CollectorRegistry()
    registry.register(Page(read))
    render = make_wsgi_app(registry)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"The metrics are at /metrics.\n"]
        asked_s = time.monotonic()
        body: Iterable[bytes] = render(environ, start_response)
        return _Sent(body, lambda: on_scraped(asked_s))

    return app
