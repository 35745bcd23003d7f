"""Sums up a histogram for ``result.json``: count, mean, extremes, percentiles, and the encoded buckets."""

from collections.abc import Mapping
from typing import Any

from streamgauge.report.hdr import encode
from streamgauge.report.result import MetricSummary
from streamgauge.stats.bounded_times import BoundedTimes
from streamgauge.stats.enough import missing
from streamgauge.stats.histogram import RELATIVE_ERROR, Histogram
from streamgauge.stats.quantities import Distribution
from streamgauge.stats.uncertainty import QUANTILES, uncertain_statistics


def times_summary(times: BoundedTimes | Histogram) -> MetricSummary:
    """Sum ``times`` up, with the statistics that are not exactly known."""
    if isinstance(times, Histogram):
        return summary(times)
    return summary(times.values, uncertain_statistics(times, QUANTILES))


def summary_of(distribution: Distribution, streams: Mapping[str, object]) -> MetricSummary | None:
    """Return the summary of ``distribution`` in a result's ``streams``; None if they have none."""
    found: Any = streams.get(distribution.key)
    return found or None


def summary(histogram: Histogram, uncertain: Mapping[str, tuple[float, float]] | None = None) -> MetricSummary:
    """Sum ``histogram`` up. ``uncertain`` has the ranges in seconds of the statistics that are not exactly known."""
    p50, p90, p95, p99, p999 = histogram.quantiles_s(QUANTILES.values())
    return MetricSummary(
        count=histogram.count,
        mean=histogram.mean_s,
        min=histogram.min_s,
        max=histogram.max_s,
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
        p999=p999,
        error=RELATIVE_ERROR,
        uncertain=dict(uncertain or {}),
        samples_needed=missing(histogram.count, QUANTILES),
        hdr=encode(histogram),
    )
