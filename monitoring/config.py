"""Intervals, selectors and limits of dashboards and rules, each with its reason. Imports no grafanalib."""

from dataclasses import dataclass

#: The stack's scrape interval: a load test lasts a minute, and its first seconds matter. The scrape configuration and
#: the data source must have the same, or ``$__rate_interval`` would be a minute.
SCRAPE_INTERVAL_S = 2

#: The uid of the provisioned data source, the default of the ``datasource`` variable.
DATASOURCE_UID = "prometheus"

#: Labels that a variable selects on every metric that has them; the second maps a label to the variable's name.
#: Prometheus adds ``job`` and ``instance`` to every series.
TARGET_LABELS = ("job", "instance")
SELECTED_LABELS = {"route": "route", "name": "name", "run_id": "run"}

#: The value of a variable's "All". ``.+`` instead of ``.*``: a series without the label is not ours.
ALL_VALUES = ".+"

#: Exposed as soon as the app is up, before any stream: finds the jobs and instances.
TARGET_METRIC = "event_loop_lag_seconds_count"

#: The same for load generators: exposed during a run.
GENERATOR_METRIC = "stream_client_users"

#: Server outcomes that count as failures of the service. Disconnects, clients that do not read and shutdowns do not.
FAILED_OUTCOMES = ("error", "deadline")

#: Client outcomes that count as failures, as in ``result.json``. A stream that the end of the run cut off is censored:
#: neither a success nor a failure.
CLIENT_FAILED_OUTCOMES = (
    "incomplete",
    "truncated",
    "in_band_error",
    "check_failed",
    "stalled",
    "protocol_error",
    "http_error",
    "connect_error",
)
CENSORED = "censored"

#: Shown if a query has no answer, because nothing streamed.
NO_TRAFFIC = "no traffic"

#: Shown if a query has no answer, because there is no load test.
NO_RUN = "no run"

#: Shown if no SLO rule has data: most runs have no rules.
NO_RULES = "no rule with data"

#: Shown if process metrics are missing: only Linux has them.
NO_PROCESS = "unknown"

#: Shown if no alert is pending or firing.
NO_ALERT = "no alert"

#: Shown if there is no run, or a run in its first seconds, which have no verdict.
NO_VERDICT = "no verdict"


@dataclass(frozen=True, slots=True)
class Limit:
    """Where a value turns from good to ``warn`` and to ``bad``, in the panel's unit, and the reason."""

    warn: float
    bad: float
    reason: str


# Limits of a histogram's quantile are bounds of its buckets: between two bounds Prometheus can only interpolate.
_FIRST_CHUNK = Limit(
    0.25, 1.0, "People notice a wait of a quarter of a second, and lose their train of thought after a second."
)
_INTERVAL = Limit(
    0.5, 1.0, "One second without a chunk is a stall by default; text stops to look fluent at half of it."
)
_FAILED = Limit(0.001, 0.01, "One failed stream in a thousand is a common objective; users notice one in a hundred.")

LIMITS = {
    "stream_server_time_to_first_chunk_seconds": _FIRST_CHUNK,
    "stream_client_time_to_first_chunk_seconds": _FIRST_CHUNK,
    "stream_server_chunk_interval_seconds": _INTERVAL,
    "stream_client_chunk_interval_seconds": _INTERVAL,
    "stream_server_finished_total": _FAILED,
    "stream_client_finished_total": _FAILED,
    "stream_server_chunk_send_seconds": Limit(
        0.01, 0.1, "A send into a buffer with room takes microseconds; ten milliseconds mean that it waited."
    ),
    "event_loop_lag_seconds": Limit(
        0.01, 0.05, "The lag delays every chunk of every stream of the process; an idle uvloop is well below 5 ms."
    ),
    "stream_client_chunk_delay_seconds": Limit(
        0.05, 0.2, "Fifty milliseconds is a path across a continent; a fifth of a second means a queue or a buffer."
    ),
    "stream_client_generator_lag_seconds": Limit(
        0.05,
        1.0,
        "Up to 10 ms are on purpose, and the figures do not contain the lag; but so late, streams start late too.",
    ),
    "stream_client_late_starts_total": Limit(
        0.01, 0.1, "An open model that starts one stream in a hundred late does not offer the requested load."
    ),
    "process_open_fds": Limit(
        0.7, 0.9, "Each connection needs a descriptor: without free ones the process opens no connections."
    ),
    "stream_client_coalesced_chunks_total": Limit(
        0.5, 0.9, "Of chunks in one read only the last has a stamp: above half, percentiles rely on intervals."
    ),
}


@dataclass(frozen=True, slots=True)
class Objective:
    """A service level: at least ``share`` of a histogram's observations within ``bound_s``, a bound of its buckets."""

    bound_s: float
    share: float
    reason: str


#: By the family's name without its side: server and client have the same objectives. A dashboard's variable has the
#: bound as its default.
OBJECTIVES = {
    "time_to_first_chunk": Objective(0.25, 0.99, "99 of 100 streams answer before people notice a wait."),
    "chunk_interval": Objective(0.5, 0.99, "99 of 100 chunks follow before text stops to look fluent."),
}


@dataclass(frozen=True, slots=True)
class Floor:
    """Limits of a value that must not be low: good from ``warn`` on, bad below ``bad``."""

    warn: float
    bad: float
    reason: str


#: The share of the error budget.
BUDGET_LEFT = Floor(0.5, 0.1, "With half of it spent, take fewer risks; keep the last tenth for the unforeseen.")

BURN_RATE = Limit(1.0, 14.4, "At 1 the budget lasts its thirty days; at 14.4 it is spent in two days.")

#: The folder of the runbooks. The stack's Prometheus serves docs/runbooks there (--web.user-assets), and fills in its
#: own address (--web.external-url) when an alert fires.
RUNBOOKS_URL = "{{ $externalURL }}/user"

#: The share of finished streams that did not fail.
SUCCESS_OBJECTIVE = 0.999
