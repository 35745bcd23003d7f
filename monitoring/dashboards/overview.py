"""The overview, as the server saw it: how many streams there are, how they end, and whether chunks come in time."""

from grafanalib import core

from monitoring.config import FAILED_OUTCOMES
from monitoring.panels import PERCENTILES, Json, chart, colour, heatmap, stat
from monitoring.promql import bucket_rate, level, quantile, rate, share
from monitoring.schema import Row, dashboard
from monitoring.variables import server_variables

UID = "streamgauge-overview"

BY_STREAM = ("route", "protocol")
STREAM_LEGEND = "{{route}} {{protocol}}"

STARTED = "stream_server_started_total"
FINISHED = "stream_server_finished_total"
ACTIVE = "stream_server_active"
TTFC = "stream_server_time_to_first_chunk_seconds"
INTERVAL = "stream_server_chunk_interval_seconds"
SEND = "stream_server_chunk_send_seconds"
DURATION = "stream_server_duration_seconds"
CHUNKS = "stream_server_chunks_total"
BODY_BYTES = "stream_server_body_bytes_total"
LOOP_LAG = "event_loop_lag_seconds"

FAILED = f'outcome=~"{"|".join(FAILED_OUTCOMES)}"'


def build() -> Json:
    """The dashboard as Grafana reads it."""
    return dashboard(
        UID,
        "Overview",
        "Streams as the server saw them: traffic, outcomes, time to first chunk, chunk intervals, what delays them.",
        [
            Row("Now", 4, (4,), _now()),
            Row("Streams", 9, (8, 8, 8, 12, 12), _streams()),
            Row("Time to first chunk", 9, (12,), _first_chunks()),
            Row("Chunks", 9, (12,), _chunks()),
            Row("What delays chunks", 9, (12,), _delays()),
        ],
        server_variables(),
    )


def _percentiles(name: str, by: tuple[str, ...] = BY_STREAM, legend: str = STREAM_LEGEND) -> list[tuple[str, str]]:
    return [(quantile(q, name, by), f"{label} {legend}") for q, label in PERCENTILES]


def _now() -> list[core.Panel]:
    return [
        stat(
            "Active streams",
            f"`{ACTIVE}`: streams under way now, over all selected routes. Compare it with the load you asked for: "
            "fewer means that streams end early or do not start; ever more means that they do not end.",
            level(ACTIVE),
            "short",
        ),
        stat(
            "Streams started per second",
            f"`{STARTED}`: how fast new streams come. Zero with streams active is a quiet service of long streams; "
            "zero of both is no traffic.",
            rate(STARTED),
            "cps",
        ),
        stat(
            "Failed streams",
            f"`{FINISHED}`: of the streams that ended, the share that ended in {', '.join(FAILED_OUTCOMES)}. Clients "
            "that hang up do not count. Above zero, look at the outcomes below, then in the app's log.",
            share(FINISHED, FAILED),
            "percentunit",
            FINISHED,
        ),
        stat(
            "Time to first chunk, p99",
            f"`{TTFC}`: 99 of 100 streams had their first chunk within this time. When it is high, see below whether "
            "one route or all are slow: all points to the event loop, one to that route's own work.",
            quantile(0.99, TTFC),
            "s",
            TTFC,
        ),
        stat(
            "Chunk interval, p99",
            f"`{INTERVAL}`: 99 of 100 chunks followed the one before within this time. Judge it against the pace that "
            "the route is meant to have: a paced stream's interval is its pace.",
            quantile(0.99, INTERVAL),
            "s",
            INTERVAL,
        ),
        stat(
            "Event loop lag, p99",
            f"`{LOOP_LAG}`: how late the event loop ran a timer. It delays every stream of the process; when it is "
            "high, look for blocking calls, or add workers.",
            quantile(0.99, LOOP_LAG),
            "s",
            LOOP_LAG,
        ),
    ]


def _streams() -> list[core.Panel]:
    finished = chart(
        "Streams finished, by outcome",
        f"`{FINISHED}`: how streams end. Failures are drawn in red: `error` is the app's own, `send_timeout` a reader "
        "that stopped reading, `deadline` a stream that lasted too long. Many `client_disconnect` mean impatient "
        "clients.",
        [(rate(FINISHED, (*BY_STREAM, "outcome")), f"{STREAM_LEGEND} {{{{outcome}}}}")],
        "cps",
    )
    return [
        chart(
            "Streams started",
            f"`{STARTED}`: new streams per second. In a steady state as many finish as start; when fewer finish, "
            "active streams pile up.",
            [(rate(STARTED, BY_STREAM), STREAM_LEGEND)],
            "cps",
        ),
        colour(finished, f"/ ({'|'.join(FAILED_OUTCOMES)})$/", "red"),
        chart(
            "Active streams",
            f"`{ACTIVE}`: streams under way. It should follow the load; a line that never comes down after the load "
            "has gone is a leak.",
            [(level(ACTIVE, BY_STREAM), STREAM_LEGEND)],
            "short",
        ),
        chart(
            "Failed streams",
            f"`{FINISHED}`: the share of ended streams that ended in {', '.join(FAILED_OUTCOMES)}. A jump on one "
            "route is that route's; a jump on all is the process or what it depends on.",
            [(share(FINISHED, FAILED, BY_STREAM), STREAM_LEGEND)],
            "percentunit",
            FINISHED,
        ),
        chart(
            "Stream duration",
            f"`{DURATION}`: how long streams lasted that ended in this moment, whatever their outcome. Longer than "
            "chunks times pace means that chunks were late; shorter, that streams were cut. The buckets are wide: "
            "2.5 s to 5 s is one, and what lies between is a guess.",
            _percentiles(DURATION),
            "s",
        ),
    ]


def _first_chunks() -> list[core.Panel]:
    return [
        chart(
            "Time to first chunk",
            f"`{TTFC}`: from the request until the app sent its first chunk. A p99 far above the p50 is a queue: some "
            "streams waited for others. Then look at the event loop's lag and at the number of active streams.",
            _percentiles(TTFC),
            "s",
            TTFC,
        ),
        heatmap(
            "Time to first chunk, all of it",
            f"`{TTFC}`: each row is a bucket, the darker the more streams. Two bands are two kinds of stream (a "
            "cache, a cold start); select routes to tell them apart.",
            bucket_rate(TTFC),
        ),
    ]


def _chunks() -> list[core.Panel]:
    return [
        chart(
            "Chunk interval",
            f"`{INTERVAL}`: time between two chunks of one stream as the app sent them, pooled over streams. The p50 "
            "is the route's pace; a p99 that leaves it as load grows marks the capacity of this service.",
            _percentiles(INTERVAL),
            "s",
            INTERVAL,
        ),
        heatmap(
            "Chunk interval, all of it",
            f"`{INTERVAL}`: each row is a bucket, the darker the more chunks. A paced service is one narrow band; a "
            "band that spreads upwards is chunks that come late, and one far below it is chunks in bursts after a "
            "wait.",
            bucket_rate(INTERVAL),
        ),
        chart(
            "Chunks",
            f"`{CHUNKS}`: chunks sent per second. It grows with the active streams until the service is full; active "
            "streams that grow while this does not get fewer chunks each.",
            [(rate(CHUNKS, BY_STREAM), STREAM_LEGEND)],
            "cps",
        ),
        chart(
            "Body bytes",
            f"`{BODY_BYTES}`: bytes sent per second, without HTTP's own framing. Compare it with the network's limit "
            "before you look for a slow app.",
            [(rate(BODY_BYTES, BY_STREAM), STREAM_LEGEND)],
            "binBps",
        ),
    ]


def _delays() -> list[core.Panel]:
    return [
        chart(
            "Send time, p99 (back-pressure)",
            f"`{SEND}`: time that the app waited inside the send of a chunk. Near zero, the readers keep up; above "
            "it, readers or the network are slower than the app, and the delay is not the app's.",
            [(quantile(0.99, SEND, BY_STREAM), STREAM_LEGEND)],
            "s",
            SEND,
        ),
        chart(
            "Event loop lag",
            f"`{LOOP_LAG}`: how late each process ran a timer. Whatever it shows is added to every chunk: peaks are "
            "blocking calls, a steady rise with the load is a full core. Mend the call, or add workers.",
            _percentiles(LOOP_LAG, ("instance",), "{{instance}}"),
            "s",
            LOOP_LAG,
        ),
    ]
