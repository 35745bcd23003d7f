"""The server: each route and protocol, how its streams end, and what delays their chunks."""

from grafanalib import core

from monitoring.config import FAILED_OUTCOMES
from monitoring.dashboards.families import (
    BY_ROUTE,
    HEARTBEATS,
    LOOP_LAG,
    REJECTED,
    REQUESTS,
    ROUTE_LEGEND,
    SEND,
    SERVER_ACTIVE,
    SERVER_BYTES,
    SERVER_CHUNKS,
    SERVER_DURATION,
    SERVER_FINISHED,
    SERVER_INTERVAL,
    SERVER_SIZE,
    SERVER_STARTED,
    SERVER_TTFC,
)
from monitoring.dashboards.processes import of_the_app
from monitoring.panels import Json, chart, colour, heatmap, per_second, stat
from monitoring.promql.panels import (
    above_zero,
    bucket_rate,
    failed_on_server,
    gauge_sum,
    mean_and_p99_bound,
    median_and_p99,
    observation_rate,
    quantile,
    rate,
)
from monitoring.schema import Row, dashboard
from monitoring.variables import SERVERS, STREAMS_AND_REQUESTS, routes, runs, targets_of

UID = "streamgauge-server"


def build() -> Json:
    """The dashboard as Grafana reads it."""
    return dashboard(
        UID,
        "Server",
        "Streams as the server saw them, by route and protocol: outcomes, time to first chunk, chunk intervals, and "
        "what delays them.",
        [
            Row("Now", 4, (4,), _now()),
            Row("Streams", 9, (8,), _streams()),
            Row("Time to first chunk", 9, (12,), _first_chunks()),
            Row("Chunks", 9, (12, 12, 8, 8, 8, 12, 12), _chunks()),
            Row("What delays chunks", 9, (12,), _delays()),
            Row("Processes", 8, (8,), of_the_app()),
            Row("Requests that do not stream", 8, (12,), _requests()),
        ],
        [*targets_of(SERVERS), routes(STREAMS_AND_REQUESTS), runs()],
    )


def _now() -> list[core.Panel]:
    return [
        stat(
            "Active streams",
            f"`{SERVER_ACTIVE}`: streams under way now, over all selected routes. Compare it with the load you asked "
            "for: fewer means that streams end early or do not start; ever more means that they do not end.",
            gauge_sum(SERVER_ACTIVE),
            "short",
        ),
        stat(
            "Failed streams",
            f"`{SERVER_FINISHED}`: of the streams that ended, the share that ended in {', '.join(FAILED_OUTCOMES)}. "
            "Clients that hang up do not count. Above zero, look at the outcomes below, then in the app's log.",
            failed_on_server(),
            "percentunit",
            SERVER_FINISHED,
        ),
        stat(
            "Time to first chunk, p99",
            f"`{SERVER_TTFC}`: 99 of 100 streams had their first chunk within this time. When it is high, see below "
            "whether one route or all are slow: all points to the event loop, one to that route's own work.",
            quantile(0.99, SERVER_TTFC),
            "s",
            SERVER_TTFC,
        ),
        stat(
            "Chunk interval, p99",
            f"`{SERVER_INTERVAL}`: 99 of 100 chunks followed the one before within this time. Judge it against the "
            "pace that the route is meant to have: a paced stream's interval is its pace.",
            quantile(0.99, SERVER_INTERVAL),
            "s",
            SERVER_INTERVAL,
        ),
        stat(
            "Send time, p99",
            f"`{SEND}`: 99 of 100 chunks were handed to the network within this time. Above a few milliseconds, "
            "readers or the network are slower than the app.",
            quantile(0.99, SEND),
            "s",
            SEND,
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
        f"`{SERVER_FINISHED}`: how streams end. Failures are drawn in red: `error` is the app's own, `deadline` is a "
        "stream that lasted too long. `send_timeout` is a reader that stopped reading; many `client_disconnect` mean "
        "impatient clients.",
        [(above_zero(rate(SERVER_FINISHED, (*BY_ROUTE, "outcome"))), f"{ROUTE_LEGEND} {{{{outcome}}}}")],
        per_second("streams"),
    )
    return [
        chart(
            "Streams started",
            f"`{SERVER_STARTED}`: new streams per second. In a steady state as many finish as start; when fewer "
            "finish, active streams pile up.",
            [(rate(SERVER_STARTED, BY_ROUTE), ROUTE_LEGEND)],
            per_second("streams"),
        ),
        colour(finished, f"/ ({'|'.join(FAILED_OUTCOMES)})$/", "red"),
        chart(
            "Active streams",
            f"`{SERVER_ACTIVE}`: streams under way. It should follow the load; a line that never comes down after the "
            "load has gone is a leak.",
            [(gauge_sum(SERVER_ACTIVE, BY_ROUTE), ROUTE_LEGEND)],
            "short",
        ),
        chart(
            "Failed streams",
            f"`{SERVER_FINISHED}`: the share of ended streams that ended in {', '.join(FAILED_OUTCOMES)}. A jump on "
            "one route is that route's; a jump on all is the process or what it depends on.",
            [(failed_on_server(BY_ROUTE), ROUTE_LEGEND)],
            "percentunit",
            SERVER_FINISHED,
        ),
        chart(
            "Streams rejected",
            f"`{REJECTED}`: streams refused before their first byte, by reason: a cap, a rate limit, a missing key, a "
            "server that closes. Nothing here is the normal state; caps that are hit say that the service is full.",
            [(rate(REJECTED, ("route", "reason")), "{{route}} {{reason}}")],
            per_second("streams"),
        ),
        chart(
            "Stream duration",
            f"`{SERVER_DURATION}`: how long streams lasted that ended in this moment, by outcome. `completed` longer "
            "than chunks times pace means that chunks were late; a failure that always lasts the same is a timeout. "
            "The mean is exact; the p99 is the upper bound of the bucket that it lies in, hence ≤.",
            mean_and_p99_bound(SERVER_DURATION, (*BY_ROUTE, "outcome"), f"{ROUTE_LEGEND} {{{{outcome}}}}"),
            "s",
        ),
    ]


def _first_chunks() -> list[core.Panel]:
    return [
        chart(
            "Time to first chunk",
            f"`{SERVER_TTFC}`: from the request until the app sent its first chunk. A p99 far above the p50 is a "
            "queue: some streams waited for others. Then look at the event loop's lag and at the active streams.",
            median_and_p99(SERVER_TTFC, BY_ROUTE, ROUTE_LEGEND),
            "s",
            SERVER_TTFC,
        ),
        heatmap(
            "Time to first chunk, all of it",
            f"`{SERVER_TTFC}`: each row is a bucket, the darker the more streams. Two bands are two kinds of stream "
            "(a cache, a cold start); select routes to tell them apart.",
            bucket_rate(SERVER_TTFC),
            "streams",
        ),
    ]


def _chunks() -> list[core.Panel]:
    return [
        chart(
            "Chunk interval",
            f"`{SERVER_INTERVAL}`: time between two chunks of one stream as the app sent them, pooled over streams. "
            "The p50 is the route's pace; a p99 that leaves it as load grows marks the capacity of this service.",
            median_and_p99(SERVER_INTERVAL, BY_ROUTE, ROUTE_LEGEND),
            "s",
            SERVER_INTERVAL,
        ),
        heatmap(
            "Chunk interval, all of it",
            f"`{SERVER_INTERVAL}`: each row is a bucket, the darker the more chunks. A paced service is one narrow "
            "band; a band that spreads upwards is chunks that come late, and one far below it is chunks in bursts "
            "after a wait.",
            bucket_rate(SERVER_INTERVAL),
            "chunks",
        ),
        chart(
            "Chunks",
            f"`{SERVER_CHUNKS}`: chunks sent per second. It grows with the active streams until the service is full; "
            "active streams that grow while this does not get fewer chunks each.",
            [(rate(SERVER_CHUNKS, BY_ROUTE), ROUTE_LEGEND)],
            per_second("chunks"),
        ),
        chart(
            "Body bytes",
            f"`{SERVER_BYTES}`: bytes sent per second, without HTTP's own framing. Compare it with the network's "
            "limit before you look for a slow app.",
            [(rate(SERVER_BYTES, BY_ROUTE), ROUTE_LEGEND)],
            "binBps",
        ),
        chart(
            "Heartbeats",
            f"`{HEARTBEATS}`: comments sent to keep quiet streams open; they are no chunks. Many of them beside few "
            "chunks are streams that wait; none on quiet streams, and proxies cut them.",
            [(rate(HEARTBEATS, BY_ROUTE), ROUTE_LEGEND)],
            per_second("heartbeats"),
        ),
        chart(
            "Chunk size",
            f"`{SERVER_SIZE}`: bytes of a chunk without framing. Tiny chunks cost a system call each; chunks of "
            "megabytes make readers wait for a whole one. From 1 KiB to 64 KiB both are small.",
            median_and_p99(SERVER_SIZE, BY_ROUTE, ROUTE_LEGEND),
            "bytes",
        ),
        heatmap(
            "Chunk size, all of it",
            f"`{SERVER_SIZE}`: each row is a bucket, the darker the more chunks. The buckets grow fourfold, so a "
            "quantile beside it is a guess within its row; the row itself is exact.",
            bucket_rate(SERVER_SIZE),
            "chunks",
            "bytes",
        ),
    ]


def _delays() -> list[core.Panel]:
    return [
        chart(
            "Send time, p99 (back-pressure)",
            f"`{SEND}`: time that the app waited inside the send of a chunk. Near zero, the readers keep up; above "
            "it, readers or the network are slower than the app, and the delay is not the app's.",
            [(quantile(0.99, SEND, BY_ROUTE), ROUTE_LEGEND)],
            "s",
            SEND,
        ),
        heatmap(
            "Send time, all of it",
            f"`{SEND}`: each row is a bucket, the darker the more chunks. One dark row at the bottom is readers that "
            "keep up; a second band far above it is a few slow readers, which select a route to find.",
            bucket_rate(SEND),
            "chunks",
        ),
        chart(
            "Event loop lag",
            f"`{LOOP_LAG}`: how late each process ran a timer. Whatever it shows is added to every chunk: peaks are "
            "blocking calls, a steady rise with the load is a full core. Mend the call, or add workers.",
            median_and_p99(LOOP_LAG, ("instance",), "{{instance}}"),
            "s",
            LOOP_LAG,
        ),
        heatmap(
            "Event loop lag, all of it",
            f"`{LOOP_LAG}`: each row is a bucket, the darker the more timers. A healthy loop fills the lowest rows; "
            "single cells high above them are calls that block, each of which held up every stream.",
            bucket_rate(LOOP_LAG),
            "timers",
        ),
    ]


def _requests() -> list[core.Panel]:
    by = ("route", "method", "status_code")
    legend = "{{method}} {{route}} {{status_code}}"
    return [
        chart(
            "Requests",
            f"`{REQUESTS}`: requests per second that got an answer in one piece, by status. Health checks are here "
            "too. Statuses from 500 are the app's failures, 429 and 503 its limits.",
            [(observation_rate(REQUESTS, by), legend)],
            "reqps",
        ),
        chart(
            "Request duration, p99",
            f"`{REQUESTS}`: how long these requests took. They share the event loop with the streams: a health check "
            "that gets slow as streams grow is the same lag that the chunks have.",
            [(quantile(0.99, REQUESTS, ("route", "method")), "{{method}} {{route}}")],
            "s",
        ),
    ]
