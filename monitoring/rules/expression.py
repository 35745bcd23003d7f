"""PromQL for rules, from the catalog: refuses a metric, a label or a bucket that is not there.

The dashboards' queries have template variables; a rule has none, and is for every job that exposes the metric.
"""

from collections.abc import Sequence

from monitoring.promql import CatalogError, family
from streamgauge.catalog import MetricType

_FROM_PROMETHEUS = ("job", "instance")


def _labels(name: str, type_: MetricType, by: Sequence[str]) -> str:
    metric = family(name, type_)
    for label in by:
        if label not in (*metric.labels, *_FROM_PROMETHEUS):
            raise CatalogError(f"expected a label of {name}, one of {metric.labels!r}, got {label!r}")
    return ", ".join(by)


def counted(name: str, by: Sequence[str], over: str, window: str, *matchers: str) -> str:
    """A counter's ``rate`` or ``increase``, which is ``over``, in the window."""
    return f"sum by ({_labels(name, 'counter', by)}) ({over}({name}{_braced(*matchers)}[{window}]))"


def observed(name: str, by: Sequence[str], over: str, window: str, *matchers: str) -> str:
    """How many observations of a histogram came, as ``rate`` or ``increase``."""
    return f"sum by ({_labels(name, 'histogram', by)}) ({over}({name}_count{_braced(*matchers)}[{window}]))"


def totalled(name: str, by: Sequence[str], over: str, window: str) -> str:
    """What the observations of a histogram add up to."""
    return f"sum by ({_labels(name, 'histogram', by)}) ({over}({name}_sum[{window}]))"


def within(name: str, bound_s: float, by: Sequence[str], over: str, window: str) -> str:
    """How many of them were no longer than ``bound_s``, which has to be a bound of its buckets."""
    buckets = family(name, "histogram").buckets
    if bound_s not in buckets:
        raise CatalogError(f"expected a bound of the buckets of {name}, one of {buckets!r}, got {bound_s!r}")
    bucket = f'{name}_bucket{{le="{float(bound_s)}"}}'
    return f"sum by ({_labels(name, 'histogram', by)}) ({over}({bucket}[{window}]))"


def longer(name: str, bound_s: float, by: Sequence[str], over: str, window: str) -> str:
    """How many of them were longer than ``bound_s``."""
    return f"({observed(name, by, over, window)} - {within(name, bound_s, by, over, window)})"


def quantile(q: float, name: str, by: Sequence[str], window: str) -> str:
    """The q-quantile of a histogram's observations in the window; no answer where there were none."""
    labels = _labels(name, "histogram", by)
    return f"histogram_quantile({q}, sum by (le, {labels}) (rate({name}_bucket[{window}]))) >= 0"


def gauged(name: str, by: Sequence[str], over: str, window: str) -> str:
    """A gauge's ``avg_over_time`` and the like in the window, summed over the processes."""
    return f"sum by ({_labels(name, 'gauge', by)}) ({over}({name}[{window}]))"


def part_of(part: str, whole: str) -> str:
    """The part, or 0 where it was never seen: a counter has no series before its first count."""
    return f"({part} or 0 * {whole})"


def ratio(part: str, whole: str) -> str:
    """The part over the whole; no answer where the whole is 0."""
    return f"{part}\n/\n({whole} > 0)"


def _braced(*matchers: str) -> str:
    return "{" + ", ".join(matchers) + "}" if matchers else ""
