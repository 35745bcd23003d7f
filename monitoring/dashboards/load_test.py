"""The load test: each name's latency and outcomes as the client saw them, and whether the generator kept up."""

from grafanalib import core

from monitoring.config import CLIENT_FAILED_OUTCOMES, NO_RUN
from monitoring.dashboards.families import (
    BY_NAME,
    CLIENT_ACTIVE,
    CLIENT_BYTES,
    CLIENT_CHUNKS,
    CLIENT_DURATION,
    CLIENT_FINISHED,
    CLIENT_INTERVAL,
    CLIENT_SIZE,
    CLIENT_STARTED,
    CLIENT_TTFC,
    DROPPED,
    GENERATOR_LAG,
    LATE_STARTS,
    NAME_LEGEND,
    STALLS,
    TRUST,
    USERS,
    WORKERS,
)
from monitoring.dashboards.generator import generator_panels
from monitoring.dashboards.processes import of_the_generator
from monitoring.panels import Json, chart, colour, heatmap, per_second, stat, verdict
from monitoring.promql.panels import (
    above_zero,
    bucket_rate,
    failed_on_client,
    gauge_sum,
    lowest,
    mean,
    mean_and_p99_bound,
    median_and_p99,
    quantile,
    rate,
    ratio,
)
from monitoring.schema import Row, dashboard
from monitoring.tables import Column, Table, table
from monitoring.variables import GENERATORS, names, runs, targets_of

UID = "streamgauge-load-test"


def build() -> Json:
    """The dashboard as Grafana reads it."""
    return dashboard(
        UID,
        "Load test",
        "Streams as the client saw them, by name: outcomes, latency by the kernel's arrival stamps, the offered load, "
        "and the load generator's own health.",
        [
            Row("Now", 4, (4,), _now()),
            Row("By name", 6, (24,), [_by_name()]),
            Row("Load", 8, (8,), _load()),
            Row("Outcomes", 9, (8,), _outcomes()),
            Row("Latency", 9, (12,), _latency()),
            Row("Chunks", 8, (8,), _chunks()),
            Row("The generator itself", 8, (12, 12, 8, 4, 12), generator_panels()),
            Row("The process that reports", 8, (8,), of_the_generator()),
        ],
        [*targets_of(GENERATORS), names(), runs()],
    )


def _now() -> list[core.Panel]:
    return [
        verdict(
            "Measurement",
            f"`{TRUST}`: whether the figures can be believed; of several runs the worst. Degraded or invalid: the row "
            "on the generator below says why; give it more cores or workers, then run again.",
            lowest(TRUST),
        ),
        stat(
            "Users",
            f"`{USERS}`: Locust users that run now, over all workers. In a closed model each holds one stream at a "
            "time; fewer than asked for means that they are still being started, or that workers are missing.",
            gauge_sum(USERS),
            "short",
            noValue=NO_RUN,
        ),
        stat(
            "Workers",
            f"`{WORKERS}`: load generator processes connected to the master, 1 for a run of a single process. A number "
            "that falls during a run is a worker that died, and load that is missing.",
            gauge_sum(WORKERS),
            "short",
            noValue=NO_RUN,
        ),
        stat(
            "Active streams",
            f"`{CLIENT_ACTIVE}`: streams under way at the client. Far below the users, most of them wait between two "
            "streams; compare it with the server's own number on the dashboard Client against server.",
            gauge_sum(CLIENT_ACTIVE),
            "short",
        ),
        stat(
            "Failed streams",
            f"`{CLIENT_FINISHED}`: of the streams that ended, the share that failed. Streams that the end of the run "
            "cut off do not count. Above zero, the outcomes below say how they failed.",
            failed_on_client(),
            "percentunit",
            CLIENT_FINISHED,
        ),
        stat(
            "Generator lag, p99",
            f"`{GENERATOR_LAG}`: how long after a chunk's arrival the generator looked at it: up to 10 ms on purpose, "
            "while chunks come fast. Arrivals are stamped by the kernel, so this is not in the figures; but a "
            "generator that is much later starts its streams late.",
            quantile(0.99, GENERATOR_LAG),
            "s",
            GENERATOR_LAG,
        ),
    ]


def _by_name() -> Table:
    return table(
        "By name",
        f"`{CLIENT_STARTED}`, `{CLIENT_FINISHED}`, `{CLIENT_TTFC}`, `{CLIENT_INTERVAL}`, `{CLIENT_DURATION}`, "
        f"`{STALLS}`: each name now. Read a row from the left: load, then failures, then latency. The run's own "
        "figures, exact, are on the dashboard Compare runs once it has ended; these are interpolated within buckets.",
        {"name": "Name", "protocol": "Protocol"},
        [
            Column("Streams/s", rate(CLIENT_STARTED, BY_NAME), per_second("streams")),
            Column("Failed", failed_on_client(BY_NAME), "percentunit", CLIENT_FINISHED),
            Column("TTFC p50", quantile(0.5, CLIENT_TTFC, BY_NAME), "s", CLIENT_TTFC),
            Column("TTFC p99", quantile(0.99, CLIENT_TTFC, BY_NAME), "s", CLIENT_TTFC),
            Column("Interval p50", quantile(0.5, CLIENT_INTERVAL, BY_NAME), "s", CLIENT_INTERVAL),
            Column("Interval p99", quantile(0.99, CLIENT_INTERVAL, BY_NAME), "s", CLIENT_INTERVAL),
            Column("Duration, mean", mean(CLIENT_DURATION, BY_NAME), "s"),
            Column("Stalls/stream", ratio(STALLS, CLIENT_STARTED, BY_NAME), "none"),
        ],
    )


def _load() -> list[core.Panel]:
    return [
        chart(
            "Users and active streams",
            f"`{USERS}`, `{CLIENT_ACTIVE}`: the load asked for and the streams that it holds. They run side by side "
            "when each user holds a stream; a gap that grows is users that wait or streams that end early.",
            [(gauge_sum(USERS), "users"), (gauge_sum(CLIENT_ACTIVE), "active streams")],
            "short",
            noValue=NO_RUN,
        ),
        chart(
            "Streams started",
            f"`{CLIENT_STARTED}`: new streams per second. In an open model it is the rate that was asked for, or the "
            "late and dropped arrivals below say what is missing.",
            [(rate(CLIENT_STARTED, BY_NAME), NAME_LEGEND)],
            per_second("streams"),
        ),
        chart(
            "Late starts and dropped arrivals",
            f"`{LATE_STARTS}`, `{DROPPED}`: streams of an open model that began after their scheduled start, or never. "
            "Above zero the generator offers less than it was asked for: give it workers, or lower the rate.",
            [
                (rate(LATE_STARTS, ("name",)), "late {{name}}"),
                (rate(DROPPED, ("name",)), "dropped {{name}}"),
            ],
            per_second("streams"),
        ),
    ]


def _outcomes() -> list[core.Panel]:
    finished = chart(
        "Streams finished, by outcome",
        f"`{CLIENT_FINISHED}`: how streams end, failures in red. `truncated` is a transport that ended inside the "
        "body, `incomplete` a clean end without the end that was promised, `stalled` a limit of time.",
        [(above_zero(rate(CLIENT_FINISHED, ("name", "outcome"))), "{{name}} {{outcome}}")],
        per_second("streams"),
    )
    return [
        colour(finished, f"/ ({'|'.join(CLIENT_FAILED_OUTCOMES)})$/", "red"),
        chart(
            "Failed streams",
            f"`{CLIENT_FINISHED}`: the share of ended streams that failed. One name alone is that endpoint; all at "
            "once is the service, the path or the generator's own network.",
            [(failed_on_client(BY_NAME), NAME_LEGEND)],
            "percentunit",
            CLIENT_FINISHED,
        ),
        chart(
            "Stalls",
            f"`{STALLS}`: chunk intervals longer than the stall threshold, a second unless set. People watch a frozen "
            "text then. Lay it beside the server's chunk interval: stalls that it does not show arose on the path.",
            [(rate(STALLS, BY_NAME), NAME_LEGEND)],
            per_second("stalls"),
        ),
    ]


def _latency() -> list[core.Panel]:
    return [
        chart(
            "Time to first chunk",
            f"`{CLIENT_TTFC}`: from the scheduled start of a stream until its first chunk arrived; comments and "
            "heartbeats are no chunks. A p99 far above the p50 is a queue, in the app or before it.",
            median_and_p99(CLIENT_TTFC, BY_NAME, NAME_LEGEND),
            "s",
            CLIENT_TTFC,
        ),
        heatmap(
            "Time to first chunk, all of it",
            f"`{CLIENT_TTFC}`: each row is a bucket, the darker the more streams. Two bands are two kinds of stream; "
            "select names to tell them apart.",
            bucket_rate(CLIENT_TTFC),
            "streams",
        ),
        chart(
            "Chunk interval",
            f"`{CLIENT_INTERVAL}`: time between the arrivals of two chunks of one stream, pooled over streams. The "
            "p50 is the pace; where the p99 leaves it as users grow, the service is full.",
            median_and_p99(CLIENT_INTERVAL, BY_NAME, NAME_LEGEND),
            "s",
            CLIENT_INTERVAL,
        ),
        heatmap(
            "Chunk interval, all of it",
            f"`{CLIENT_INTERVAL}`: each row is a bucket, the darker the more chunks. One narrow band is a paced "
            "service; bands at the bottom and far above are chunks that came in bursts, as a buffering proxy sends.",
            bucket_rate(CLIENT_INTERVAL),
            "chunks",
        ),
        chart(
            "Stream duration",
            f"`{CLIENT_DURATION}`: how long streams lasted that completed in this moment, or were aborted on purpose: "
            "those that failed are not in it. Longer than chunks times pace is late chunks; shorter is shorter "
            "answers, or aborts. The mean is exact; the p99 is the upper bound of its bucket, hence ≤. Compare runs "
            "has that of a finished run exactly.",
            mean_and_p99_bound(CLIENT_DURATION, BY_NAME, NAME_LEGEND),
            "s",
        ),
        heatmap(
            "Stream duration, all of it",
            f"`{CLIENT_DURATION}`: completed and aborted streams; each row is a bucket, the darker the more streams. "
            "Streams of one kind fill one row; a row near zero beside it is streams that ended at once, and cleanly.",
            bucket_rate(CLIENT_DURATION),
            "streams",
        ),
    ]


def _chunks() -> list[core.Panel]:
    return [
        chart(
            "Chunks",
            f"`{CLIENT_CHUNKS}`: chunks that arrived per second. It grows with the active streams until the service "
            "is full; from there on more streams get fewer chunks each.",
            [(rate(CLIENT_CHUNKS, BY_NAME), NAME_LEGEND)],
            per_second("chunks"),
        ),
        chart(
            "Body bytes",
            f"`{CLIENT_BYTES}`: bytes that arrived per second, HTTP's own framing left out. Near the network's limit, "
            "that is what the test measures, and not the app.",
            [(rate(CLIENT_BYTES, BY_NAME), NAME_LEGEND)],
            "binBps",
        ),
        chart(
            "Chunk size",
            f"`{CLIENT_SIZE}`: bytes of a chunk without framing. It should be what the server says it sends; the "
            "buckets grow fourfold, so a value between two bounds is a guess.",
            median_and_p99(CLIENT_SIZE, BY_NAME, NAME_LEGEND),
            "bytes",
        ),
    ]
