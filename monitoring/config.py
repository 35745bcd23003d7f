"""What the dashboards take for granted: intervals, selectors and limits, each with its reason. No grafanalib here."""

from dataclasses import dataclass

#: The stack scrapes this often: a load test lasts a minute, and its first seconds matter. The scrape configuration and
#: the data source say the same, or ``$__rate_interval`` would be a minute long.
SCRAPE_INTERVAL_S = 2

#: The uid of the provisioned data source, which the ``datasource`` variable starts with.
DATASOURCE_UID = "prometheus"

#: Labels that a template variable of the same name selects, wherever a metric carries them. ``job`` and ``instance``
#: are on every series, because Prometheus puts them there.
TARGET_LABELS = ("job", "instance")
SELECTED_LABELS = ("route", "name")

#: What a variable's "All" stands for. ``.+`` and not ``.*``: a series without the label belongs to someone else.
ALL_VALUES = ".+"

#: Exposed as soon as the app is up, before any stream came: what finds the jobs and instances.
TARGET_METRIC = "event_loop_lag_seconds_count"

#: Server outcomes that are the service's own doing. A client that hangs up and a server that was told to stop are not.
FAILED_OUTCOMES = ("error", "send_timeout", "deadline")

#: Shown where a query has no answer, because nothing streamed.
NO_TRAFFIC = "no traffic"


@dataclass(frozen=True, slots=True)
class Limit:
    """Where a value turns from good to ``warn`` and to ``bad``, in the panel's unit. ``reason`` says why there."""

    warn: float
    bad: float
    reason: str


# Limits of a histogram's quantile stand on bounds of its buckets: between two bounds Prometheus can only interpolate.
LIMITS = {
    "stream_server_time_to_first_chunk_seconds": Limit(
        0.25, 1.0, "People notice a wait from about a quarter of a second, and lose the thread after one."
    ),
    "stream_server_chunk_interval_seconds": Limit(
        0.5, 1.0, "One second without a chunk is a stall by default; half of it is where text stops to flow."
    ),
    "stream_server_chunk_send_seconds": Limit(
        0.01, 0.1, "A send that finds room in the buffer takes microseconds: ten milliseconds were spent waiting."
    ),
    "event_loop_lag_seconds": Limit(
        0.01, 0.05, "The lag is added to every chunk of every stream of that process; uvloop idles well below 5 ms."
    ),
    "stream_server_finished_total": Limit(
        0.001, 0.01, "One failed stream in a thousand is the usual objective; one in a hundred is seen by users."
    ),
}
