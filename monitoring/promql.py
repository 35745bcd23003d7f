"""PromQL from the catalog: each function names a metric family, and refuses one, or a label, that is not there.

Nothing here can answer NaN: a quotient has a divisor above zero and a quantile is compared with zero, so that a series
without traffic is left out instead.
"""

from collections.abc import Sequence

from monitoring.config import CENSORED, CLIENT_FAILED_OUTCOMES, FAILED_OUTCOMES, SELECTED_LABELS, TARGET_LABELS
from streamgauge.catalog import CATALOG, Metric, MetricType

PERCENTILES = ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"))


def any_of(label: str, values: Sequence[str]) -> str:
    """A matcher for one of these values."""
    return f'{label}="{values[0]}"' if len(values) == 1 else f'{label}=~"{"|".join(values)}"'


SERVER_FAILED = any_of("outcome", FAILED_OUTCOMES)
CLIENT_FAILED = any_of("outcome", CLIENT_FAILED_OUTCOMES)
#: What a client's share of failures is a share of.
CLIENT_COUNTED = f'outcome!="{CENSORED}"'


class CatalogError(LookupError):
    """A query names what the catalog does not define."""


def quoted(text: str) -> str:
    """A text as a string literal of PromQL."""
    escaped = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'"{escaped}"'


def family(name: str, *types: MetricType) -> Metric:
    """The metric family called ``name``, of one of these types. Raises CatalogError."""
    metric = CATALOG.get(name)
    if metric is None:
        raise CatalogError(f"expected a metric of streamgauge.catalog, got {name!r}")
    if metric.type not in types:
        raise CatalogError(f"expected {name!r} to be a {' or '.join(types)}, got a {metric.type}")
    return metric


def selector(metric: Metric, *matchers: str, but: str = "") -> str:
    """The label matchers that the template variables make, and more; none for the label ``but``."""
    selected = {label: label for label in TARGET_LABELS}
    selected |= {label: name for label, name in SELECTED_LABELS.items() if label in metric.labels and label != but}
    return "{" + ", ".join([*(f'{label}=~"${name}"' for label, name in selected.items()), *matchers]) + "}"


def grouping(metric: Metric, by: Sequence[str]) -> str:
    """The labels to sum by, as PromQL lists them. Raises CatalogError for one that the metric lacks."""
    for label in by:
        if label not in (*metric.labels, *TARGET_LABELS):
            raise CatalogError(f"expected a label of {metric.name}, one of {metric.labels!r}, got {label!r}")
    return ", ".join(by)


def sum_by(metric: Metric, by: Sequence[str], expression: str, *, buckets: bool = False) -> str:
    """The sum of an expression of this metric, its buckets kept apart where asked for."""
    labels = grouping(metric, by)
    if buckets:
        labels = f"le, {labels}" if labels else "le"
    return f"sum by ({labels}) ({expression})" if labels else f"sum({expression})"


def level(name: str, by: Sequence[str] = ()) -> str:
    """A gauge, summed over the processes."""
    metric = family(name, "gauge")
    return sum_by(metric, by, metric.name + selector(metric))


def rate(name: str, by: Sequence[str] = (), *matchers: str) -> str:
    """A counter's increase per second."""
    metric = family(name, "counter")
    return sum_by(metric, by, f"rate({metric.name}{selector(metric, *matchers)}[$__rate_interval])")


def bucket_rate(name: str, by: Sequence[str] = ()) -> str:
    """Observations per second in each bucket of a histogram."""
    metric = family(name, "histogram")
    return sum_by(metric, by, f"rate({metric.name}_bucket{selector(metric)}[$__rate_interval])", buckets=True)


def observation_rate(name: str, by: Sequence[str] = ()) -> str:
    """Observations per second of a histogram, in all its buckets."""
    metric = family(name, "histogram")
    return sum_by(metric, by, f"rate({metric.name}_count{selector(metric)}[$__rate_interval])")


def quantile(q: float, name: str, by: Sequence[str] = ()) -> str:
    """The q-quantile of a histogram's observations; no answer where there were none."""
    return f"histogram_quantile({q:g}, {bucket_rate(name, by)}) >= 0"


def percentiles(name: str) -> list[tuple[str, str]]:
    """The usual quantiles of a histogram, each with its legend."""
    return [(quantile(q, name), label) for q, label in PERCENTILES]


def mean(name: str, by: Sequence[str] = ()) -> str:
    """The mean of a histogram's observations, which no bucket blurs; no answer where there were none."""
    metric = family(name, "histogram")
    total = sum_by(metric, by, f"rate({metric.name}_sum{selector(metric)}[$__rate_interval])")
    return f"{total} / ({observation_rate(name, by)} > 0)"


def at_most(q: float, name: str, by: Sequence[str] = ()) -> str:
    """The upper bound of the bucket that holds the q-quantile; no answer where there were no observations.

    ``histogram_quantile`` interpolates: where all streams last 5.1 s, it answers 5.99 s, as if that were measured. So
    the counts are cut off at the quantile's own, and the highest of what is left is asked for, which is the bound.
    """
    metric = family(name, "histogram")
    wanted = f"{q:g} * {observation_rate(name, by)}"
    buckets, labels = bucket_rate(name, by), grouping(metric, by)
    on = f"on ({labels}) group_left ()"
    cut = f"({buckets} < {on} {wanted}) or (0 * {buckets} + {on} {wanted})"
    return f"histogram_quantile(1, {cut}) >= 0"


def mean_and_tail(name: str, by: Sequence[str], legend: str) -> list[tuple[str, str]]:
    """The mean, which is exact, and what the p99 is at most: for a histogram whose buckets are too wide for more."""
    return [(mean(name, by), f"{legend} mean"), (at_most(0.99, name, by), f"{legend} p99 ≤")]


def middle_and_tail(name: str, by: Sequence[str], legend: str) -> list[tuple[str, str]]:
    """Two quantiles of each kind of stream: with more, nobody finds a line."""
    return [(quantile(q, name, by), f"{legend} {label}") for q, label in (PERCENTILES[0], PERCENTILES[-1])]


def occurring(expression: str) -> str:
    """What is not zero: of ten outcomes a healthy service has one, and nine lines at zero hide it."""
    return f"{expression} > 0"


def share(name: str, matcher: str, by: Sequence[str] = (), *of: str) -> str:
    """What part of a counter's increase the matcher picks, 0 where none did; no answer where nothing was counted.

    ``of`` are matchers that the whole must meet too.
    """
    return part_of(rate(name, by, matcher), rate(name, by, *of))


def failed_on_server(by: Sequence[str] = ()) -> str:
    """The share of ended streams whose end was a failure of the service."""
    return share("stream_server_finished_total", SERVER_FAILED, by)


def failed_on_client(by: Sequence[str] = ()) -> str:
    """The share of ended streams that failed, those left out that the end of the run cut off."""
    return share("stream_client_finished_total", CLIENT_FAILED, by, CLIENT_COUNTED)


def ratio(part: str, whole: str, by: Sequence[str] = ()) -> str:
    """One counter's increase for each of another's; no answer where the other stood still."""
    return part_of(rate(part, by), rate(whole, by))


def attainment(name: str, variable: str, by: Sequence[str] = ()) -> str:
    """What part of a histogram's observations was within the bucket bound that a template variable picks."""
    metric = family(name, "histogram")
    matchers = selector(metric, f'le="${variable}"')
    within = sum_by(metric, by, f"rate({metric.name}_bucket{matchers}[$__rate_interval])")
    return f"{within} / ({observation_rate(name, by)} > 0)"


def bad_share_of_streams(window: str) -> str:
    """What part of the streams that ended in a window failed, as the server says."""
    metric = family("stream_server_finished_total", "counter")
    picked, whole = (
        f"sum(increase({metric.name}{selector(metric, *matchers)}[{window}]))" for matchers in ([SERVER_FAILED], [])
    )
    return part_of(picked, whole)


def late_share(name: str, variable: str, window: str) -> str:
    """What part of a histogram's observations in a window was longer than the bound that a variable picks."""
    metric = family(name, "histogram")
    matchers = selector(metric, f'le="${variable}"')
    within = f"sum(increase({metric.name}_bucket{matchers}[{window}]))"
    return f"1 - {within} / (sum(increase({metric.name}_count{selector(metric)}[{window}])) > 0)"


def burn_rate(bad_share: str, objective: float) -> str:
    """How many times as fast as its objective allows a service uses up what may be bad."""
    return f"({bad_share}) / {1 - objective:.6g}"


def budget_left(bad_share: str, objective: float) -> str:
    """What part of what may be bad is left; 0 where more was bad."""
    return f"clamp_min(1 - {burn_rate(bad_share, objective)}, 0)"


def part_of(picked: str, whole: str) -> str:
    """A quotient that is 0 where nothing was picked, and no answer where there is nothing to divide by."""
    return f"({picked} or 0 * {whole}) / ({whole} > 0)"


def process(expression: str, of: str) -> str:
    """What processes use, of those targets that expose ``of``: Prometheus and others have the same families."""
    return f"sum by (instance, pid) ({expression} and on (job, instance) {of}{_TARGETS})"


_TARGETS = "{" + ", ".join(f'{label}=~"${label}"' for label in TARGET_LABELS) + "}"


def cpu_of(of: str) -> str:
    """How many cores a process keeps busy."""
    return process(f"rate(process_cpu_seconds_total{_TARGETS}[$__rate_interval])", of)


def memory_of(of: str) -> str:
    """Bytes that a process holds."""
    return process(f"process_resident_memory_bytes{_TARGETS}", of)


def descriptors_of(of: str) -> str:
    """What part of its file descriptors a process has open."""
    return process(f"process_open_fds{_TARGETS} / (process_max_fds{_TARGETS} > 0)", of)


def worst(name: str) -> str:
    """The lowest value of a gauge."""
    metric = family(name, "gauge")
    return f"min({metric.name}{selector(metric)})"


def difference(q: float, name: str, other: str, by: Sequence[str]) -> str:
    """The q-quantile of one histogram less that of another, where both have these labels."""
    return f"({quantile(q, name, by)}) - on ({', '.join(by)}) ({quantile(q, other, by)})"


def renamed(expression: str, label: str, to: str) -> str:
    """The same answer under another label, so that it joins series that have that one."""
    return f'label_replace({expression}, "{to}", "$1", "{label}", "(.*)")'


def as_names(q: float, name: str) -> str:
    """The q-quantile of a server's histogram, under the names that a load test has for the routes."""
    quantiles = renamed(quantile(q, name, ("route", "protocol")), "route", "name")
    return f"max by (name, protocol) ({quantiles})"
