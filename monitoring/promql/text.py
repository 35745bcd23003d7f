"""Builds PromQL text from the catalog. Nothing here can answer NaN: a divisor is above zero, and so is a quantile."""

from collections.abc import Sequence

from monitoring.config import SELECTED_LABELS, TARGET_LABELS
from streamgauge.catalog import CATALOG, Metric, MetricType


class CatalogError(LookupError):
    """A query names what the catalog does not define."""


def family(name: str, *types: MetricType) -> Metric:
    """Look up the metric family called ``name``, of one of these types. Raises CatalogError."""
    metric = CATALOG.get(name)
    if metric is None:
        raise CatalogError(f"expected a metric of streamgauge.catalog, got {name!r}")
    if metric.type not in types:
        raise CatalogError(f"expected {name!r} to be a {' or '.join(types)}, got a {metric.type}")
    return metric


def quoted(text: str) -> str:
    """Write a text as a string literal."""
    escaped = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'"{escaped}"'


def any_of(label: str, values: Sequence[str]) -> str:
    """Write a matcher for one of these values."""
    return f'{label}="{values[0]}"' if len(values) == 1 else f'{label}=~"{"|".join(values)}"'


def none_of(label: str, values: Sequence[str]) -> str:
    """Write a matcher for any value but these."""
    return f'{label}!~"{"|".join(values)}"'


def braced(*matchers: str) -> str:
    """Join matchers to a selector."""
    return "{" + ", ".join(matchers) + "}" if matchers else ""


#: The targets that a dashboard's variables select.
CHOSEN_TARGETS = braced(*(f'{label}=~"${label}"' for label in TARGET_LABELS))


def chosen(metric: Metric, *matchers: str, but: str = "") -> str:
    """Select what a dashboard's variables choose, and more matchers; all values of the label ``but``."""
    selected = {label: label for label in TARGET_LABELS}
    selected |= {label: name for label, name in SELECTED_LABELS.items() if label in metric.labels and label != but}
    return braced(*(f'{label}=~"${name}"' for label, name in selected.items()), *matchers)


def narrowed(selector: str, *matchers: str) -> str:
    """Add matchers to a selector, or to a bare metric name."""
    return f"{selector[:-1]}, {', '.join(matchers)}}}" if selector.endswith("}") else selector + braced(*matchers)


def grouping(metric: Metric, by: Sequence[str]) -> str:
    """List the labels to group by. Raises CatalogError for one that the metric lacks."""
    for label in by:
        if label not in (*metric.labels, *TARGET_LABELS):
            raise CatalogError(f"expected a label of {metric.name}, one of {metric.labels!r}, got {label!r}")
    return ", ".join(by)


def sum_by(metric: Metric, by: Sequence[str], expression: str, *, buckets: bool = False) -> str:
    """Sum an expression of this metric; ``buckets`` keeps its buckets apart."""
    labels = ", ".join(filter(None, ("le" * buckets, grouping(metric, by))))
    return f"sum by ({labels}) ({expression})" if labels else f"sum({expression})"


def max_by(labels: str, expression: str) -> str:
    """Take the highest value for each set of labels."""
    return f"max by ({labels}) ({expression})"


def over(function: str, series: str, window: str) -> str:
    """Apply ``rate``, ``increase``, ``last_over_time`` or the like to a window of samples."""
    return f"{function}({series}[{window}])"


def histogram_quantile(q: float, buckets: str) -> str:
    """Estimate the q-quantile from buckets; no answer where there were no observations."""
    return f"histogram_quantile({q:g}, {buckets}) >= 0"


def part_of(part: str, whole: str) -> str:
    """Give 0 where the part was never counted: a counter has no series before its first count."""
    return f"({part} or 0 * {whole})"


def quotient(part: str, whole: str) -> str:
    """Divide; no answer where the whole is 0."""
    return f"{part} / ({whole} > 0)"


def renamed(expression: str, label: str, to: str) -> str:
    """Copy a label to another name, so that the answer joins series that have that one."""
    return f'label_replace({expression}, "{to}", "$1", "{label}", "(.*)")'


def label_values(series: str, label: str) -> str:
    """Write a variable's query for the values of a label."""
    return f"label_values({series}, {label})"
