"""The types of the server's metric families: those of prometheus_client, without what belongs to other owners.

1. They have no ``_created`` series, which Prometheus does not use. prometheus_client can only switch these off for the
   whole process, and so for the app's own metrics too.
2. A family whose name OpenTelemetry exports as well is left out. A page with the same family twice is not valid, and
   Prometheus would add up both.
"""

import logging
from collections.abc import Iterable

import prometheus_client
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric

logger = logging.getLogger("streamgauge.asgi")


class _WithoutCreated(MetricWrapperBase):
    def collect(self) -> Iterable[Metric]:
        """Return the family without its ``_created`` samples."""
        for family in super().collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family


class Counter(_WithoutCreated, prometheus_client.Counter):
    """A counter without ``_created`` series."""


class Histogram(_WithoutCreated, prometheus_client.Histogram):
    """A histogram without ``_created`` series."""


class SharedHistogram(Histogram):
    """A histogram whose name OpenTelemetry may export too; then this one is left out.

    ``others``: the registry whose collectors are asked. OpenTelemetry's collector names no families when it is
    registered, only when it is collected, so every scrape asks until a clash is found.
    """

    others: CollectorRegistry | None = None
    _clashes = False

    def collect(self) -> Iterable[Metric]:
        """Return the family, or nothing if OpenTelemetry's collector returns one of this name."""
        if not self._clashes and self._is_exported():
            self._clashes = True
            logger.warning(
                "OpenTelemetry exports %s to the same registry, so streamgauge leaves its own family of that name out. "
                "To have both, rename OpenTelemetry's, PrometheusMetricReader(prefix='otel'), or give streamgauge "
                "another registry; to have this one left out without this warning, StreamMetrics(app, requests=False).",
                self._name,
            )
        return () if self._clashes else super().collect()

    def _is_exported(self) -> bool:
        collectors = list(self.others._collector_to_names) if self.others else []  # noqa: SLF001
        theirs = (each for each in collectors if type(each).__module__.startswith("opentelemetry."))
        return any(family.name == self._name for each in theirs for family in each.collect())
