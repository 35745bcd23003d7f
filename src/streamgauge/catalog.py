"""Every metric that streamgauge exposes, and the protocol label of every media type. Standard library only.

Both sides of a stream use this catalog: the server's middleware and the load generator have the same buckets and the
same labels, so that their curves can be compared. Dashboards may use only the metrics of this catalog.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from streamgauge.media_types import media_type

MetricType = Literal["counter", "gauge", "histogram"]
Side = Literal["server", "client"]

#: The ``protocol`` label by media type; ``TYPE/*`` stands for all subtypes without their own line.
PROTOCOL_BY_MEDIA_TYPE: dict[str, str] = {
    "text/event-stream": "sse",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson",
    "application/json-lines": "ndjson",
    "application/stream+json": "ndjson",
    "multipart/*": "multipart",
}
#: The label of every other media type.
RAW_PROTOCOL = "raw"
#: The client's label of a stream whose protocol depends on its response, before the response comes.
UNSETTLED_PROTOCOL = "auto"

#: Seconds; the OpenTelemetry GenAI convention recommends these for the time to the first token.
TIME_TO_FIRST_CHUNK_BUCKETS = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip
#: Seconds, for chunk intervals, sends and delays: from values on loopback to those of a stalled stream.
INTERVAL_BUCKETS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0,
    2.5, 5.0, 10.0,
)  # fmt: skip
#: Seconds, for durations of streams. From half a second to a minute, each bound is at most 1.7 times the previous one.
DURATION_BUCKETS = (
    0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0,
    600.0, 1800.0, 3600.0,
)  # fmt: skip
#: Bytes, for sizes of chunks: 64 B to 1 MiB, by factors of four.
SIZE_BUCKETS = (64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0)

SERVER_LABELS = ("route", "protocol")
CLIENT_LABELS = ("name", "protocol")
RUN_LABELS = ("run_id", "scenario", "host")
RESULT_LABELS = ("run_id", *CLIENT_LABELS)
#: Only if several processes form one service; a single process has no label.
PROCESS_LABELS = ("pid",)


@lru_cache(maxsize=256)
def protocol_of(content_type: str) -> str:
    """Return the ``protocol`` label of streams of this Content-Type."""
    kind = media_type(content_type)
    if found := PROTOCOL_BY_MEDIA_TYPE.get(kind):
        return found
    top, slash, _ = kind.partition("/")
    return PROTOCOL_BY_MEDIA_TYPE.get(f"{top}{slash}*", RAW_PROTOCOL)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric family. ``name`` is the family's full name as Prometheus shows it, ``_total`` included."""

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    buckets: tuple[float, ...] = ()

    @property
    def side(self) -> Side:
        """Which side of the stream exposes it: ``client`` for the load generator, else ``server``, or both."""
        return "client" if self.name.startswith("stream_client_") else "server"

    @property
    def series(self) -> tuple[str, ...]:
        """The names of the time series that Prometheus stores for the metric."""
        if self.type == "histogram":
            return (f"{self.name}_bucket", f"{self.name}_sum", f"{self.name}_count")
        return (self.name,)


def _stream_metrics(side: Side, labels: tuple[str, ...]) -> list[Metric]:
    """Return the families that both sides have; they differ only in prefix and labels."""
    seen = "the app sent" if side == "server" else "arrived at the client"

    def seconds(name: str, text: str, buckets: tuple[float, ...], extra: tuple[str, ...] = ()) -> Metric:
        return Metric(f"stream_{side}_{name}_seconds", "histogram", text, labels + extra, "seconds", buckets)

    return [
        Metric(f"stream_{side}_started_total", "counter", "Streams that started.", labels),
        Metric(f"stream_{side}_active", "gauge", "Streams under way now.", labels),
        Metric(
            f"stream_{side}_finished_total",
            "counter",
            "Streams that ended, by outcome and status." if side == "server" else "Streams that ended, by outcome.",
            (*labels, "outcome", "status_code") if side == "server" else (*labels, "outcome"),
        ),
        seconds(
            "time_to_first_chunk", "Time from the start of a stream to its first chunk.", TIME_TO_FIRST_CHUNK_BUCKETS
        ),
        seconds("chunk_interval", f"Time between two chunks of one stream, as they {seen}.", INTERVAL_BUCKETS),
        Metric(
            f"stream_{side}_chunk_size_bytes",
            "histogram",
            "Size of a chunk, without framing.",
            labels,
            "bytes",
            SIZE_BUCKETS,
        ),
        seconds(
            "duration",
            "How long a stream lasted, by outcome." if side == "server" else "How long a stream lasted.",
            DURATION_BUCKETS,
            ("outcome",) if side == "server" else (),
        ),
        Metric(f"stream_{side}_chunks_total", "counter", f"Chunks that {seen}.", labels),
        Metric(f"stream_{side}_body_bytes_total", "counter", f"Body bytes that {seen}.", labels, "bytes"),
    ]


SERVER: tuple[Metric, ...] = (
    *_stream_metrics("server", SERVER_LABELS),
    Metric(
        "stream_server_rejected_total",
        "counter",
        "Streams refused before their first byte, by reason.",
        (*SERVER_LABELS, "reason"),
    ),
    Metric(
        "stream_server_chunk_send_seconds",
        "histogram",
        "Time inside the server's send of a chunk: back-pressure from a slow reader.",
        SERVER_LABELS,
        "seconds",
        INTERVAL_BUCKETS,
    ),
    Metric(
        "stream_server_heartbeats_total",
        "counter",
        "Heartbeats sent to keep idle streams open; they are not chunks.",
        SERVER_LABELS,
    ),
    Metric(
        "stream_server_recorders",
        "gauge",
        "Event loops on which the middleware measures streams; 0 if nothing is measured.",
    ),
    Metric(
        "event_loop_lag_seconds",
        "histogram",
        "How late the event loop ran a timer: work that blocks it delays every stream.",
        (),
        "seconds",
        INTERVAL_BUCKETS,
    ),
    Metric(
        "http_server_request_duration_seconds",
        "histogram",
        "Duration of requests that do not stream.",
        ("route", "method", "status_code"),
        "seconds",
        TIME_TO_FIRST_CHUNK_BUCKETS,
    ),
)

#: The results of finished runs: values of their ``result.json``.
_RESULTS: tuple[Metric, ...] = (
    Metric(
        "stream_client_result_info",
        "gauge",
        "Always 1; its labels say what load a finished run was and whether its measurement can be trusted.",
        (*RUN_LABELS, "users", "trust"),
    ),
    Metric("stream_client_result_duration_seconds", "gauge", "How long the run lasted.", ("run_id",), "seconds"),
    Metric("stream_client_result_warm_up_seconds", "gauge", "The warm-up: not in the results.", ("run_id",), "seconds"),
    Metric("stream_client_result_steady_seconds", "gauge", "The steady window; 0: none.", ("run_id",), "seconds"),
    Metric("stream_client_result_users", "gauge", "The largest number of users in the run.", ("run_id",)),
    Metric("stream_client_result_slo_passed", "gauge", "Whether an SLO rule passed: 1 or 0.", ("run_id", "rule")),
    Metric("stream_client_result_names_left_out", "gauge", "Names whose results are not shown.", ("run_id",)),
    Metric(
        "stream_client_result_seconds",
        "gauge",
        "A statistic (mean, min, max or a percentile) of a time in a finished run.",
        (*RESULT_LABELS, "metric", "stat"),
        "seconds",
    ),
    Metric(
        "stream_client_result_counts",
        "gauge",
        "How many streams_started, streams_failed, chunks, stalls, prompt_tokens and tokens a finished run had.",
        (*RESULT_LABELS, "metric"),
    ),
    Metric(
        "stream_client_result_per_second",
        "gauge",
        "Streams, chunks and tokens of a finished run, over the time in which they were counted.",
        (*RESULT_LABELS, "metric"),
    ),
    Metric(
        "stream_client_result_ratio",
        "gauge",
        "Share of streams that failed, share of coalesced chunks, and stalls per stream of a finished run.",
        (*RESULT_LABELS, "metric"),
    ),
    Metric("stream_client_result_body_bytes", "gauge", "Body bytes of a finished run.", RESULT_LABELS, "bytes"),
)


def _client_time(name: str, text: str) -> Metric:
    """Return the histogram of a time that only the client knows; ``text`` is its help."""
    return Metric(name, "histogram", text, CLIENT_LABELS, "seconds", INTERVAL_BUCKETS)


CLIENT: tuple[Metric, ...] = (
    *_stream_metrics("client", CLIENT_LABELS),
    _client_time(
        "stream_client_chunk_delay_seconds",
        "Time from the server's send stamp to the chunk's arrival, one way; only if the server stamps its chunks.",
    ),
    Metric(
        "stream_client_prompt_tokens_total",
        "counter",
        "Tokens of prompts, if servers count them; added when a stream ends.",
        CLIENT_LABELS,
    ),
    Metric(
        "stream_client_output_tokens_total",
        "counter",
        "Tokens that language models generated; added when a stream ends.",
        CLIENT_LABELS,
    ),
    _client_time(
        "stream_client_time_per_output_token_seconds",
        "Mean time between the output tokens of one stream, for each stream with tokens that did not fail.",
    ),
    Metric("stream_client_stalls_total", "counter", "Chunk intervals longer than the stall threshold.", CLIENT_LABELS),
    Metric(
        "stream_client_coalesced_chunks_total",
        "counter",
        "Chunks that shared a read with other data, so that their arrival is known as an interval only.",
        CLIENT_LABELS,
    ),
    Metric(
        "stream_client_generator_lag_seconds",
        "histogram",
        "Time from the arrival in the kernel until the load generator read; up to 10 ms on purpose while chunks "
        "come fast.",
        ("worker",),
        "seconds",
        INTERVAL_BUCKETS,
    ),
    _client_time(
        "stream_client_start_delay_seconds",
        "How much later than scheduled a stream of an open model began; its other times contain it.",
    ),
    Metric("stream_client_scheduled_arrivals_total", "counter", "Arrivals that started or were dropped.", ("worker",)),
    Metric("stream_client_late_starts_total", "counter", "Arrivals that started more than 10 ms late.", ("worker",)),
    Metric("stream_client_dropped_arrivals_total", "counter", "Arrivals that never started.", ("worker",)),
    Metric("stream_client_users", "gauge", "Users running now."),
    Metric("stream_client_wanted_users", "gauge", "Users that the shape of the run wants now; absent without one."),
    Metric(
        "stream_client_wanted_arrivals_per_second", "gauge", "Arrivals/s that a shape wants now; absent without one."
    ),
    Metric("stream_client_workers", "gauge", "Load generator processes connected now."),
    Metric("stream_client_run_info", "gauge", "Always 1; its labels say which run this is.", RUN_LABELS),
    Metric(
        "stream_client_run_start_timestamp_seconds", "gauge", "When the run started, Unix time.", RUN_LABELS, "seconds"
    ),
    Metric("stream_client_trust", "gauge", "Verdict on the measurement: 2 trusted, 1 degraded, 0 invalid.", RUN_LABELS),
    Metric("stream_client_slo_passed", "gauge", "Whether an SLO rule holds so far, or passed: 1 or 0.", ("rule",)),
    Metric(
        "stream_client_names_left_out",
        "gauge",
        "Names of this run beyond the limit; their streams are counted under the name (other names).",
    ),
    *_RESULTS,
)

#: Metrics of each process of the app and of the load generator, named as in Prometheus's own libraries.
PROCESS: tuple[Metric, ...] = (
    Metric("process_cpu_seconds_total", "counter", "CPU time that the process used.", PROCESS_LABELS),
    Metric("process_resident_memory_bytes", "gauge", "Memory that the process holds.", PROCESS_LABELS, "bytes"),
    Metric("process_open_fds", "gauge", "File descriptors that are open; each connection is one.", PROCESS_LABELS),
    Metric("process_max_fds", "gauge", "File descriptors that may be open.", PROCESS_LABELS),
)

#: Every metric by its name.
CATALOG: Mapping[str, Metric] = {metric.name: metric for metric in (*SERVER, *CLIENT, *PROCESS)}
