"""What the dashboards take for granted: intervals, selectors and limits, each with its reason. No grafanalib here."""

from dataclasses import dataclass

#: The stack scrapes this often: a load test lasts a minute, and its first seconds matter. The scrape configuration and
#: the data source say the same, or ``$__rate_interval`` would be a minute long.
SCRAPE_INTERVAL_S = 2

#: The uid of the provisioned data source, which the ``datasource`` variable starts with.
DATASOURCE_UID = "prometheus"

#: Labels that a template variable selects, wherever a metric carries them; of the second, by the variable's name.
#: ``job`` and ``instance`` are on every series, because Prometheus puts them there.
TARGET_LABELS = ("job", "instance")
SELECTED_LABELS = {"route": "route", "name": "name", "run_id": "run"}

#: What a variable's "All" stands for. ``.+`` and not ``.*``: a series without the label belongs to someone else.
ALL_VALUES = ".+"

#: Exposed as soon as the app is up, before any stream came: what finds the jobs and instances.
TARGET_METRIC = "event_loop_lag_seconds_count"

#: The same of the load generators: there as long as a run is.
GENERATOR_METRIC = "stream_client_users"

#: Server outcomes that are the service's own doing. A client that hangs up or does not read is not, nor is a server
#: that was told to stop.
FAILED_OUTCOMES = ("error", "deadline")

#: Client outcomes that count as failures, as in ``result.json``. A stream that the end of the run cut off is censored:
#: neither a success nor a failure.
CLIENT_FAILED_OUTCOMES = (
    "incomplete",
    "truncated",
    "in_band_error",
    "stalled",
    "protocol_error",
    "http_error",
    "connect_error",
)
CENSORED = "censored"

#: Shown where a query has no answer, because nothing streamed.
NO_TRAFFIC = "no traffic"

#: Shown where a query has no answer, because no load test runs or ran.
NO_RUN = "no run"

#: Shown where processes do not say what they use: only Linux tells them.
NO_PROCESS = "not known"

#: Shown where nothing fires.
NO_ALERT = "no alert"

#: Shown where a load test has none: no run, or one in its first seconds, which are not judged by themselves.
NO_VERDICT = "no verdict"


@dataclass(frozen=True, slots=True)
class Limit:
    """Where a value turns from good to ``warn`` and to ``bad``, in the panel's unit. ``reason`` says why there."""

    warn: float
    bad: float
    reason: str


# Limits of a histogram's quantile stand on bounds of its buckets: between two bounds Prometheus can only interpolate.
_FIRST_CHUNK = Limit(0.25, 1.0, "People notice a wait from about a quarter of a second, and lose the thread after one.")
_INTERVAL = Limit(0.5, 1.0, "One second without a chunk is a stall by default; half of it is where text stops to flow.")
_FAILED = Limit(
    0.001, 0.01, "One failed stream in a thousand is the usual objective; one in a hundred is seen by users."
)

LIMITS = {
    "stream_server_time_to_first_chunk_seconds": _FIRST_CHUNK,
    "stream_client_time_to_first_chunk_seconds": _FIRST_CHUNK,
    "stream_server_chunk_interval_seconds": _INTERVAL,
    "stream_client_chunk_interval_seconds": _INTERVAL,
    "stream_server_finished_total": _FAILED,
    "stream_client_finished_total": _FAILED,
    "stream_server_chunk_send_seconds": Limit(
        0.01, 0.1, "A send that finds room in the buffer takes microseconds: ten milliseconds were spent waiting."
    ),
    "event_loop_lag_seconds": Limit(
        0.01, 0.05, "The lag is added to every chunk of every stream of that process; uvloop idles well below 5 ms."
    ),
    "stream_client_chunk_delay_seconds": Limit(
        0.05, 0.2, "Fifty milliseconds is a path across a continent; a fifth of a second is a queue or a buffer."
    ),
    "stream_client_generator_lag_seconds": Limit(
        0.05,
        1.0,
        "Up to 10 ms are on purpose, and all is kept out of the figures; so late it also starts streams late.",
    ),
    "stream_client_late_starts_total": Limit(
        0.01, 0.1, "An open model that starts one stream in a hundred late no longer offers the load it was asked for."
    ),
    "process_open_fds": Limit(
        0.7, 0.9, "Each connection is a descriptor: without one left, the process accepts and opens no more."
    ),
    "stream_client_coalesced_chunks_total": Limit(
        0.5, 0.9, "Of chunks that share a read only the last has a stamp: beyond half, percentiles lean on intervals."
    ),
}


@dataclass(frozen=True, slots=True)
class Objective:
    """A service level: at least ``share`` of a histogram's observations within ``bound_s``, a bound of its buckets."""

    bound_s: float
    share: float
    reason: str


#: By the family's name without its side: server and client are held to the same. A dashboard's variable starts at the
#: bound, and may pick another bucket.
OBJECTIVES = {
    "time_to_first_chunk": Objective(0.25, 0.99, "99 of 100 streams answer before people notice a wait."),
    "chunk_interval": Objective(0.5, 0.99, "99 of 100 chunks follow before text stops to flow."),
}


@dataclass(frozen=True, slots=True)
class Floor:
    """The same of a value that must not be low: good from ``warn`` on, bad below ``bad``."""

    warn: float
    bad: float
    reason: str


#: Of what an objective allows to be bad.
BUDGET_LEFT = Floor(0.5, 0.1, "With half of it spent, take fewer risks; the last tenth is for what nobody foresees.")

#: A budget that burns at 1 lasts for the thirty days that it is meant for; at 14.4, two days, which pages.
BURN_RATE = Limit(1.0, 14.4, "At 1 the budget lasts just as long as it is meant to; at 14.4 it is gone in two days.")

#: What an alert's runbook is found below. The stack's Prometheus serves docs/runbooks there (--web.user-assets), and
#: knows its own address (--web.external-url), which it fills in when an alert fires.
RUNBOOKS_URL = "{{ $externalURL }}/user"

#: The share of ended streams that did not fail.
SUCCESS_OBJECTIVE = 0.999
