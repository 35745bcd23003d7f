"""What panels ask of the streams that the dashboard's variables choose, over Grafana's rate interval."""

from collections.abc import Sequence

from monitoring.config import CENSORED, CLIENT_FAILED_OUTCOMES, FAILED_OUTCOMES
from monitoring.promql.text import (
    CHOSEN_TARGETS,
    any_of,
    chosen,
    family,
    grouping,
    histogram_quantile,
    max_by,
    none_of,
    over,
    part_of,
    quotient,
    renamed,
    sum_by,
)

RATE_INTERVAL = "$__rate_interval"
PERCENTILES = ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"))
SERVER_FAILED = any_of("outcome", FAILED_OUTCOMES)
CLIENT_FAILED = any_of("outcome", CLIENT_FAILED_OUTCOMES)
#: The streams that a client's share of failures is a share of.
CLIENT_COUNTED = f'outcome!="{CENSORED}"'
SERVER_SUCCEEDED = none_of("outcome", FAILED_OUTCOMES)
CLIENT_SUCCEEDED = f"{CLIENT_COUNTED}, {none_of('outcome', CLIENT_FAILED_OUTCOMES)}"
#: Alerts that Prometheus's rules raise now, and since when: it stores both as series.
ALERTS, ALERTS_SINCE = "ALERTS", "ALERTS_FOR_STATE"


def gauge_sum(name: str, by: Sequence[str] = ()) -> str:
    """Sum a gauge over the processes."""
    metric = family(name, "gauge")
    return sum_by(metric, by, metric.name + chosen(metric))


def lowest(name: str, by: Sequence[str] = ()) -> str:
    """Take the lowest value of a gauge."""
    metric = family(name, "gauge")
    each = f" by ({', '.join(by)}) " if by else ""
    return f"min{each}({metric.name}{chosen(metric)})"


def rate(name: str, by: Sequence[str] = (), *matchers: str) -> str:
    """Take a counter's increase per second."""
    metric = family(name, "counter")
    return sum_by(metric, by, over("rate", metric.name + chosen(metric, *matchers), RATE_INTERVAL))


def _histogram(name: str, part: str, by: Sequence[str], *matchers: str, window: str = "", buckets: bool = False) -> str:
    """Take the increase of a histogram's ``part``: per second, or in a window."""
    metric = family(name, "histogram")
    series = metric.name + part + chosen(metric, *matchers)
    increase = over("increase", series, window) if window else over("rate", series, RATE_INTERVAL)
    return sum_by(metric, by, increase, buckets=buckets)


def bucket_rate(name: str, by: Sequence[str] = ()) -> str:
    """Take the observations per second in each bucket of a histogram."""
    return _histogram(name, "_bucket", by, buckets=True)


def observation_rate(name: str, by: Sequence[str] = ()) -> str:
    """Take the observations per second of a histogram, in all its buckets."""
    return _histogram(name, "_count", by)


def quantile(q: float, name: str, by: Sequence[str] = ()) -> str:
    """Estimate the q-quantile of a histogram's observations; no answer where there were none."""
    return histogram_quantile(q, bucket_rate(name, by))


def percentiles(name: str) -> list[tuple[str, str]]:
    """Estimate the usual quantiles of a histogram, each with its legend."""
    return [(quantile(q, name), label) for q, label in PERCENTILES]


def mean(name: str, by: Sequence[str] = ()) -> str:
    """Compute the mean of a histogram's observations, which is exact; no answer where there were none."""
    return quotient(_histogram(name, "_sum", by), observation_rate(name, by))


def bucket_bound(q: float, name: str, by: Sequence[str] = ()) -> str:
    """Find the upper bound of the bucket that holds the q-quantile; no answer where there were no observations.

    ``histogram_quantile`` interpolates: where all streams last 5.1 s, it answers 5.99 s. So this cuts the bucket counts
    off at the quantile's own count and takes the highest quantile of what is left, which is the bound.
    """
    wanted = f"{q:g} * {observation_rate(name, by)}"
    buckets, labels = bucket_rate(name, by), grouping(family(name, "histogram"), by)
    on = f"on ({labels}) group_left ()"
    return histogram_quantile(1, f"({buckets} < {on} {wanted}) or (0 * {buckets} + {on} {wanted})")


def mean_and_p99_bound(name: str, by: Sequence[str], legend: str) -> list[tuple[str, str]]:
    """Show the exact mean and an upper bound of the p99: for a histogram whose buckets are too wide for more."""
    return [(mean(name, by), f"{legend} mean"), (bucket_bound(0.99, name, by), f"{legend} p99 ≤")]


def median_and_p99(name: str, by: Sequence[str], legend: str) -> list[tuple[str, str]]:
    """Show two quantiles of each kind of stream; more lines would be hard to tell apart."""
    return [(quantile(q, name, by), f"{legend} {label}") for q, label in (PERCENTILES[0], PERCENTILES[-1])]


def above_zero(expression: str) -> str:
    """Leave out lines at zero: of ten outcomes a healthy service has one, and nine such lines would hide it."""
    return f"{expression} > 0"


def where_counted(expression: str, name: str, by: Sequence[str]) -> str:
    """Keep the lines of labels for which a counter increased in the time range."""
    metric = family(name, "counter")
    counted = sum_by(metric, by, over("increase", metric.name + chosen(metric), "$__range"))
    return f"({expression}) and on ({', '.join(by)}) ({above_zero(counted)})"


def share(name: str, matcher: str, by: Sequence[str] = (), *of: str) -> str:
    """Compute the share of a counter's increase that the matcher picks; ``of`` restricts the whole as well."""
    return share_of(rate(name, by, matcher), rate(name, by, *of))


def share_of(part: str, whole: str) -> str:
    """Divide a part by its whole: 0 where no part was counted, no answer where nothing was."""
    return quotient(part_of(part, whole), whole)


def failed_on_server(by: Sequence[str] = ()) -> str:
    """Compute the share of finished streams that the service failed."""
    return share("stream_server_finished_total", SERVER_FAILED, by)


def failed_on_client(by: Sequence[str] = ()) -> str:
    """Compute the share of finished streams that failed, without those that the end of the run cut off."""
    return share("stream_client_finished_total", CLIENT_FAILED, by, CLIENT_COUNTED)


def ratio(part: str, whole: str, by: Sequence[str] = ()) -> str:
    """Divide one counter's increase by another's; no answer where the other did not increase."""
    return share_of(rate(part, by), rate(whole, by))


def share_within(name: str, variable: str, by: Sequence[str] = ()) -> str:
    """Compute the share of a histogram's observations within the bucket bound that a variable picks."""
    return quotient(_histogram(name, "_bucket", by, f'le="${variable}"'), observation_rate(name, by))


def bad_share_of_streams(window: str) -> str:
    """Compute the share of the streams finished in a window that the server failed."""
    metric = family("stream_server_finished_total", "counter")
    part, whole = (
        sum_by(metric, (), over("increase", metric.name + chosen(metric, *matchers), window))
        for matchers in ([SERVER_FAILED], [])
    )
    return share_of(part, whole)


def late_share(name: str, variable: str, window: str) -> str:
    """Compute the share of a histogram's observations in a window that exceeded the bound that a variable picks."""
    within = _histogram(name, "_bucket", (), f'le="${variable}"', window=window)
    return f"1 - {quotient(within, _histogram(name, '_count', (), window=window))}"


def burn_rate(bad_share: str, objective: float) -> str:
    """Compute how many times as fast as its objective allows a service uses up its error budget."""
    return f"({bad_share}) / {1 - objective:.6g}"


def budget_left(bad_share: str, objective: float) -> str:
    """Compute the share of the error budget that is left; 0 where it is overspent."""
    return f"clamp_min(1 - {burn_rate(bad_share, objective)}, 0)"


def _of_processes(expression: str, exposed: str) -> str:
    """Restrict a process metric to targets that expose this series: Prometheus itself has the same metrics."""
    return f"sum by (instance, pid) ({expression} and on (job, instance) {exposed}{CHOSEN_TARGETS})"


def cpu_of(exposed: str) -> str:
    """Take how many cores each process uses."""
    return _of_processes(over("rate", f"process_cpu_seconds_total{CHOSEN_TARGETS}", RATE_INTERVAL), exposed)


def memory_of(exposed: str) -> str:
    """Take the resident bytes of each process."""
    return _of_processes(f"process_resident_memory_bytes{CHOSEN_TARGETS}", exposed)


def descriptors_of(exposed: str) -> str:
    """Compute the share of its file descriptors that each process has open."""
    opened, limit = (f"process_{word}_fds{CHOSEN_TARGETS}" for word in ("open", "max"))
    return _of_processes(quotient(opened, limit), exposed)


def difference(q: float, name: str, other: str, by: Sequence[str]) -> str:
    """Subtract the q-quantile of another histogram, where both have these labels."""
    return f"({quantile(q, name, by)}) - on ({', '.join(by)}) ({quantile(q, other, by)})"


def quantile_by_name(q: float, name: str) -> str:
    """Estimate the q-quantile of a server's histogram, with the route as a load test's name."""
    return max_by("name, protocol", renamed(quantile(q, name, ("route", "protocol")), "route", "name"))


def alerts_since(labels: str) -> str:
    """Take the time since when each alert of the chosen jobs has been pending or firing, in milliseconds."""
    alerts, since = (f'{name}{{job=~"$job"}}' for name in (ALERTS, ALERTS_SINCE))
    return max_by(labels, f"1000 * {alerts} * ignoring (alertstate) group_left () {since}")
