"""PromQL from the catalog: each function names a metric family, and refuses one, or a label, that is not there.

Nothing here can answer NaN: a quotient has a divisor above zero and a quantile is compared with zero, so that a series
without traffic is left out instead.
"""

from collections.abc import Sequence

from monitoring.config import SELECTED_LABELS, TARGET_LABELS
from streamgauge.catalog import CATALOG, Metric, MetricType


class CatalogError(LookupError):
    """A query names what the catalog does not define."""


def family(name: str, *types: MetricType) -> Metric:
    """The metric family called ``name``, of one of these types. Raises CatalogError."""
    metric = CATALOG.get(name)
    if metric is None:
        raise CatalogError(f"expected a metric of streamgauge.catalog, got {name!r}")
    if metric.type not in types:
        raise CatalogError(f"expected {name!r} to be a {' or '.join(types)}, got a {metric.type}")
    return metric


def selector(metric: Metric, *matchers: str) -> str:
    """The label matchers that the template variables make, and more."""
    labels = (*TARGET_LABELS, *(label for label in SELECTED_LABELS if label in metric.labels))
    return "{" + ", ".join([*(f'{label}=~"${label}"' for label in labels), *matchers]) + "}"


def _grouping(metric: Metric, by: Sequence[str]) -> str:
    for label in by:
        if label not in (*metric.labels, *TARGET_LABELS):
            raise CatalogError(f"expected a label of {metric.name}, one of {metric.labels!r}, got {label!r}")
    return ", ".join(by)


def _sum(metric: Metric, by: Sequence[str], expression: str, *, buckets: bool = False) -> str:
    grouping = _grouping(metric, by)
    if buckets:
        grouping = f"le, {grouping}" if grouping else "le"
    return f"sum by ({grouping}) ({expression})" if grouping else f"sum({expression})"


def level(name: str, by: Sequence[str] = ()) -> str:
    """A gauge, summed over the processes."""
    metric = family(name, "gauge")
    return _sum(metric, by, metric.name + selector(metric))


def rate(name: str, by: Sequence[str] = (), *matchers: str) -> str:
    """A counter's increase per second."""
    metric = family(name, "counter")
    return _sum(metric, by, f"rate({metric.name}{selector(metric, *matchers)}[$__rate_interval])")


def bucket_rate(name: str, by: Sequence[str] = ()) -> str:
    """Observations per second in each bucket of a histogram."""
    metric = family(name, "histogram")
    return _sum(metric, by, f"rate({metric.name}_bucket{selector(metric)}[$__rate_interval])", buckets=True)


def quantile(q: float, name: str, by: Sequence[str] = ()) -> str:
    """The q-quantile of a histogram's observations; no answer where there were none."""
    return f"histogram_quantile({q:g}, {bucket_rate(name, by)}) >= 0"


def share(name: str, matcher: str, by: Sequence[str] = ()) -> str:
    """What part of a counter's increase the matcher picks, 0 where none did; no answer where nothing was counted."""
    picked, whole = rate(name, by, matcher), rate(name, by)
    return f"({picked} or 0 * {whole}) / ({whole} > 0)"
