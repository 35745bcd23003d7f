"""Server: each route and protocol, how its streams end, and what delays their chunks."""

from grafanalib import core

from monitoring.config import FAILED_OUTCOMES
from monitoring.dashboards import families as m
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
    """Build the dashboard."""
    return dashboard(
        UID,
        "Server",
        "Streams as seen by the server, by route and protocol: outcomes, time to first chunk, chunk intervals, and "
        "what delays them.",
        [
            Row("Now", 4, (4,), _now()),
            Row("Streams", 9, (8,), _streams()),
            Row("Time to first chunk", 9, (12,), _first_chunks()),
            Row("Chunks", 9, (12, 12, 8, 8, 8, 12, 12), _chunks()),
            Row("What delays chunks", 9, (12,), _delays()),
            Row("Processes", 8, (6,), [*of_the_app(), _recorders()]),
            Row("Requests that do not stream", 8, (12,), _requests()),
        ],
        [*targets_of(SERVERS), routes(STREAMS_AND_REQUESTS), runs()],
    )


def _now() -> list[core.Panel]:
    return [
        stat(
            "Active streams",
            f"`{m.SERVER_ACTIVE}`: running streams of all selected routes. Compare it with the intended load: fewer "
            "means that streams end early or do not start; a steady rise means that they do not end.",
            gauge_sum(m.SERVER_ACTIVE),
            "short",
        ),
        stat(
            "Failed streams",
            f"`{m.SERVER_FINISHED}`: the share of finished streams with the outcome {' or '.join(FAILED_OUTCOMES)}. "
            "Client disconnects do not count. Above zero, check the outcomes below, then the app's log.",
            failed_on_server(),
            "percentunit",
            m.SERVER_FINISHED,
        ),
        stat(
            "Time to first chunk, p99",
            f"`{m.SERVER_TTFC}`: 99 of 100 streams had their first chunk within this time. If it is high, check below: "
            "if all routes are slow, the event loop is the likely cause; if one is, its own work.",
            quantile(0.99, m.SERVER_TTFC),
            "s",
            m.SERVER_TTFC,
        ),
        stat(
            "Chunk interval, p99",
            f"`{m.SERVER_INTERVAL}`: 99 of 100 chunks followed the previous one within this time. Compare it with the "
            "route's intended interval: a paced stream always has that interval.",
            quantile(0.99, m.SERVER_INTERVAL),
            "s",
            m.SERVER_INTERVAL,
        ),
        stat(
            "Send time, p99",
            f"`{m.SEND}`: 99 of 100 chunks were passed to the network within this time. Above a few milliseconds, "
            "readers or the network are slower than the app.",
            quantile(0.99, m.SEND),
            "s",
            m.SEND,
        ),
        stat(
            "Event loop lag, p99",
            f"`{m.LOOP_LAG}`: how late the event loop ran a timer. It delays every stream of the process. If it is "
            "high, look for blocking calls, or add workers.",
            quantile(0.99, m.LOOP_LAG),
            "s",
            m.LOOP_LAG,
        ),
    ]


def _streams() -> list[core.Panel]:
    finished = chart(
        "Streams finished, by outcome",
        f"`{m.SERVER_FINISHED}`: how streams ended, with their status; failures are red. `error` is a failure of the "
        "app, `refused` a streamed status from 400 to 499, `deadline` a stream that lasted too long, `send_timeout` a "
        "reader that stopped reading; many `client_disconnect` mean impatient clients.",
        [
            (
                above_zero(rate(m.SERVER_FINISHED, (*m.BY_ROUTE, "status_code", "outcome"))),
                f"{m.ROUTE_LEGEND} {{{{status_code}}}} {{{{outcome}}}}",
            )
        ],
        per_second("streams"),
    )
    return [
        chart(
            "Streams started",
            f"`{m.SERVER_STARTED}`: new streams per second. In a steady state as many streams finish as start; if "
            "fewer finish, active streams accumulate.",
            [(rate(m.SERVER_STARTED, m.BY_ROUTE), m.ROUTE_LEGEND)],
            per_second("streams"),
        ),
        colour(finished, f"/ ({'|'.join(FAILED_OUTCOMES)})$/", "red"),
        chart(
            "Active streams",
            f"`{m.SERVER_ACTIVE}`: running streams. The lines should follow the load; a line that stays up after the "
            "load has ended is a leak.",
            [(gauge_sum(m.SERVER_ACTIVE, m.BY_ROUTE), m.ROUTE_LEGEND)],
            "short",
        ),
        chart(
            "Failed streams",
            f"`{m.SERVER_FINISHED}`: the share of finished streams with the outcome {' or '.join(FAILED_OUTCOMES)}. A "
            "rise on one route comes from that route; a rise on all comes from the process or a dependency.",
            [(failed_on_server(m.BY_ROUTE), m.ROUTE_LEGEND)],
            "percentunit",
            m.SERVER_FINISHED,
        ),
        chart(
            "Streams rejected",
            f"`{m.REJECTED}`: streams refused before their first byte, by reason: a limit, a rate limit, a missing "
            "key, a shutdown. Normally there are none; refusals by a limit mean that the service is full.",
            [(rate(m.REJECTED, ("route", "reason")), "{{route}} {{reason}}")],
            per_second("streams"),
        ),
        chart(
            "Stream duration",
            f"`{m.SERVER_DURATION}`: how long the streams that finish now lasted, by outcome. If `completed` takes "
            "longer than chunks times interval, chunks were late; failures of equal duration are a timeout. "
            "The mean is exact; for the p99 the upper bound of its bucket is shown, hence ≤.",
            mean_and_p99_bound(m.SERVER_DURATION, (*m.BY_ROUTE, "outcome"), f"{m.ROUTE_LEGEND} {{{{outcome}}}}"),
            "s",
        ),
    ]


def _first_chunks() -> list[core.Panel]:
    return [
        chart(
            "Time to first chunk",
            f"`{m.SERVER_TTFC}`: from the request until the app sent its first chunk. A p99 far above the p50 means a "
            "queue: some streams waited for others. Check the event loop lag and the active streams.",
            median_and_p99(m.SERVER_TTFC, m.BY_ROUTE, m.ROUTE_LEGEND),
            "s",
            m.SERVER_TTFC,
        ),
        heatmap(
            "Time to first chunk, distribution",
            f"`{m.SERVER_TTFC}`: each row is a bucket, darker for more streams. Two bands mean two kinds of stream "
            "(a cache, a cold start); select routes to separate them.",
            bucket_rate(m.SERVER_TTFC),
            "streams",
        ),
    ]


def _chunks() -> list[core.Panel]:
    return [
        chart(
            "Chunk interval",
            f"`{m.SERVER_INTERVAL}`: time between two chunks of one stream as the app sent them, pooled over streams. "
            "The p50 is the usual interval; the load at which the p99 rises above it is the service's capacity.",
            median_and_p99(m.SERVER_INTERVAL, m.BY_ROUTE, m.ROUTE_LEGEND),
            "s",
            m.SERVER_INTERVAL,
        ),
        heatmap(
            "Chunk interval, distribution",
            f"`{m.SERVER_INTERVAL}`: each row is a bucket, darker for more chunks. A paced service has one narrow "
            "band; a band that widens upwards means late chunks, and one far below it means bursts of chunks "
            "after a delay.",
            bucket_rate(m.SERVER_INTERVAL),
            "chunks",
        ),
        chart(
            "Chunks",
            f"`{m.SERVER_CHUNKS}`: chunks sent per second. It grows with the active streams until the service is full; "
            "from then on each stream gets fewer chunks.",
            [(rate(m.SERVER_CHUNKS, m.BY_ROUTE), m.ROUTE_LEGEND)],
            per_second("chunks"),
        ),
        chart(
            "Body bytes",
            f"`{m.SERVER_BYTES}`: bytes sent per second, without HTTP's framing. Compare it with the network's "
            "limit before you suspect the app.",
            [(rate(m.SERVER_BYTES, m.BY_ROUTE), m.ROUTE_LEGEND)],
            "binBps",
        ),
        chart(
            "Heartbeats",
            f"`{m.HEARTBEATS}`: comments that keep silent streams open; they are not chunks. Many heartbeats and few "
            "chunks mean streams that wait. Without heartbeats, proxies close silent streams.",
            [(rate(m.HEARTBEATS, m.BY_ROUTE), m.ROUTE_LEGEND)],
            per_second("heartbeats"),
        ),
        chart(
            "Chunk size",
            f"`{m.SERVER_SIZE}`: bytes of a chunk without framing. Each tiny chunk costs a system call; a chunk of "
            "megabytes makes readers wait. Sizes from 1 KiB to 64 KiB avoid both.",
            median_and_p99(m.SERVER_SIZE, m.BY_ROUTE, m.ROUTE_LEGEND),
            "bytes",
        ),
        heatmap(
            "Chunk size, distribution",
            f"`{m.SERVER_SIZE}`: each row is a bucket, darker for more chunks. The buckets grow fourfold, so the "
            "quantiles beside it are interpolated within a row; the rows are exact.",
            bucket_rate(m.SERVER_SIZE),
            "chunks",
            "bytes",
        ),
    ]


def _delays() -> list[core.Panel]:
    return [
        chart(
            "Send time, p99 (back-pressure)",
            f"`{m.SEND}`: how long the app waited while it sent a chunk. Near zero, the readers keep up; if it is "
            "higher, readers or the network are slower than the app and cause the delay.",
            [(quantile(0.99, m.SEND, m.BY_ROUTE), m.ROUTE_LEGEND)],
            "s",
            m.SEND,
        ),
        heatmap(
            "Send time, distribution",
            f"`{m.SEND}`: each row is a bucket, darker for more chunks. One dark row at the bottom means that the "
            "readers keep up; a second band far above it means a few slow readers: select a route to find them.",
            bucket_rate(m.SEND),
            "chunks",
        ),
        chart(
            "Event loop lag",
            f"`{m.LOOP_LAG}`: how late each process ran a timer, which delays every chunk by as much. Peaks mean "
            "blocking calls: fix them. A steady rise with the load means a full core: add workers.",
            median_and_p99(m.LOOP_LAG, ("instance",), "{{instance}}"),
            "s",
            m.LOOP_LAG,
        ),
        heatmap(
            "Event loop lag, distribution",
            f"`{m.LOOP_LAG}`: each row is a bucket, darker for more timers. A healthy loop fills the lowest rows; "
            "single cells far above them are blocking calls, each of which delayed every stream.",
            bucket_rate(m.LOOP_LAG),
            "timers",
        ),
    ]


def _recorders() -> core.Panel:
    return chart(
        "Measured event loops",
        f"`{m.RECORDERS}`: the event loops on which the middleware measures streams, usually one for each worker. 0 "
        "while the service answers means that nothing is measured: its server serves the app without the middleware.",
        [(gauge_sum(m.RECORDERS, ("instance",)), "{{instance}}")],
        "short",
    )


def _requests() -> list[core.Panel]:
    by = ("route", "method", "status_code")
    legend = "{{method}} {{route}} {{status_code}}"
    return [
        chart(
            "Requests",
            f"`{m.REQUESTS}`: requests per second with a response that is not streamed, by status; health checks are "
            "included. Statuses from 500 are failures of the app, 429 and 503 its limits.",
            [(observation_rate(m.REQUESTS, by), legend)],
            "reqps",
        ),
        chart(
            "Request duration, p99",
            f"`{m.REQUESTS}`: how long these requests took. They share the event loop with the streams: a health check "
            "that slows down as streams increase shows the same lag as the chunks.",
            [(quantile(0.99, m.REQUESTS, ("route", "method")), "{{method}} {{route}}")],
            "s",
        ),
    ]
