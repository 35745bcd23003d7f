"""Load test: each name's latency and outcomes as the client saw them, and whether the generator kept up."""

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
    """Build the dashboard."""
    return dashboard(
        UID,
        "Load test",
        "Streams as seen by the client, by name: outcomes, latency by the kernel's arrival stamps, the offered load, "
        "and the load generator's own health.",
        [
            Row("Now", 4, (4,), _now()),
            Row("By name", 6, (24,), [_by_name()]),
            Row("Load", 8, (8,), _load()),
            Row("Outcomes", 9, (8,), _outcomes()),
            Row("Latency", 9, (12,), _latency()),
            Row("Chunks", 8, (8,), _chunks()),
            Row("Load generator", 8, (12, 12, 8, 4, 12), generator_panels()),
            Row("Reporting process", 8, (8,), of_the_generator()),
        ],
        [*targets_of(GENERATORS), names(), runs()],
    )


def _now() -> list[core.Panel]:
    return [
        verdict(
            "Measurement",
            f"`{TRUST}`: whether the figures can be trusted; the worst verdict of several runs. If it is degraded or "
            "invalid, the row Load generator shows why; give it more cores or workers, then run again.",
            lowest(TRUST),
        ),
        stat(
            "Users",
            f"`{USERS}`: Locust users that run now, over all workers. In a closed model each has one stream at a "
            "time; fewer than requested means that users are still being started, or that workers are missing.",
            gauge_sum(USERS),
            "short",
            noValue=NO_RUN,
        ),
        stat(
            "Workers",
            f"`{WORKERS}`: load generator processes connected to the master, 1 for a run of a single process. If it "
            "falls during a run, a worker died and its load is missing.",
            gauge_sum(WORKERS),
            "short",
            noValue=NO_RUN,
        ),
        stat(
            "Active streams",
            f"`{CLIENT_ACTIVE}`: running streams at the client. If it is far below the users, most users wait between "
            "two streams. The dashboard Client against server has the server's number beside it.",
            gauge_sum(CLIENT_ACTIVE),
            "short",
        ),
        stat(
            "Failed streams",
            f"`{CLIENT_FINISHED}`: the share of finished streams that failed. Streams cut off by the end of the run do "
            "not count. Above zero, the outcomes below show how they failed.",
            failed_on_client(),
            "percentunit",
            CLIENT_FINISHED,
        ),
        stat(
            "Generator lag, p99",
            f"`{GENERATOR_LAG}`: how long after its arrival the generator read a chunk: up to 10 ms on purpose, while "
            "chunks arrive fast. The kernel stamps arrivals, so the figures do not contain this lag; but a "
            "generator with a large lag starts its streams late.",
            quantile(0.99, GENERATOR_LAG),
            "s",
            GENERATOR_LAG,
        ),
    ]


def _by_name() -> Table:
    return table(
        "By name",
        f"`{CLIENT_STARTED}`, `{CLIENT_FINISHED}`, `{CLIENT_TTFC}`, `{CLIENT_INTERVAL}`, `{CLIENT_DURATION}`, "
        f"`{STALLS}`: the current figures of each name: load, failures, latency. They are interpolated within "
        "buckets; once a run has ended, the dashboard Compare runs has its exact figures.",
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
            f"`{USERS}`, `{CLIENT_ACTIVE}`: the load and its streams. The lines are equal while each user has a "
            "stream; a growing gap means users that wait or streams that end early.",
            [(gauge_sum(USERS), "users"), (gauge_sum(CLIENT_ACTIVE), "active streams")],
            "short",
            noValue=NO_RUN,
        ),
        chart(
            "Streams started",
            f"`{CLIENT_STARTED}`: new streams per second. In an open model it equals the requested rate, or the late "
            "and dropped arrivals beside it are missing.",
            [(rate(CLIENT_STARTED, BY_NAME), NAME_LEGEND)],
            per_second("streams"),
        ),
        chart(
            "Late starts and dropped arrivals",
            f"`{LATE_STARTS}`, `{DROPPED}`: streams of an open model that started after their scheduled start, or "
            "never. Above zero, the generator offers less load than requested: add workers, or lower the rate.",
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
        f"`{CLIENT_FINISHED}`: how streams ended; failures are red. `truncated`: the connection closed inside the "
        "body. `incomplete`: a clean end without the expected end marker. `stalled`: a time limit passed.",
        [(above_zero(rate(CLIENT_FINISHED, ("name", "outcome"))), "{{name}} {{outcome}}")],
        per_second("streams"),
    )
    return [
        colour(finished, f"/ ({'|'.join(CLIENT_FAILED_OUTCOMES)})$/", "red"),
        chart(
            "Failed streams",
            f"`{CLIENT_FINISHED}`: the share of finished streams that failed. A rise of one name comes from that "
            "endpoint; a rise of all comes from the service, the path or the generator's network.",
            [(failed_on_client(BY_NAME), NAME_LEGEND)],
            "percentunit",
            CLIENT_FINISHED,
        ),
        chart(
            "Stalls",
            f"`{STALLS}`: chunk intervals longer than the stall threshold (default 1 s), in which users see a frozen "
            "text. Compare with the server's chunk interval: stalls that it does not show come from the path.",
            [(rate(STALLS, BY_NAME), NAME_LEGEND)],
            per_second("stalls"),
        ),
    ]


def _latency() -> list[core.Panel]:
    return [
        chart(
            "Time to first chunk",
            f"`{CLIENT_TTFC}`: from the scheduled start of a stream until its first chunk arrived; comments and "
            "heartbeats are not chunks. A p99 far above the p50 means a queue, in the app or before it.",
            median_and_p99(CLIENT_TTFC, BY_NAME, NAME_LEGEND),
            "s",
            CLIENT_TTFC,
        ),
        heatmap(
            "Time to first chunk, distribution",
            f"`{CLIENT_TTFC}`: each row is a bucket, darker for more streams. Two bands mean two kinds of stream; "
            "select names to separate them.",
            bucket_rate(CLIENT_TTFC),
            "streams",
        ),
        chart(
            "Chunk interval",
            f"`{CLIENT_INTERVAL}`: time between the arrivals of two chunks of one stream, pooled over streams. The "
            "p50 is the usual interval; when the p99 rises above it as users increase, the service is full.",
            median_and_p99(CLIENT_INTERVAL, BY_NAME, NAME_LEGEND),
            "s",
            CLIENT_INTERVAL,
        ),
        heatmap(
            "Chunk interval, distribution",
            f"`{CLIENT_INTERVAL}`: each row is a bucket, darker for more chunks. One narrow band means a paced "
            "service; bands at the bottom and far above mean bursts of chunks, typical of a buffering proxy.",
            bucket_rate(CLIENT_INTERVAL),
            "chunks",
        ),
        chart(
            "Stream duration",
            f"`{CLIENT_DURATION}`: how long the streams that complete now lasted, or those aborted on purpose; failed "
            "streams are left out. Longer than chunks times interval means late chunks; shorter means shorter "
            "responses or aborts. The mean is exact; for the p99 the upper bound of its bucket is shown, hence ≤. "
            "Compare runs has the exact p99 of a finished run.",
            mean_and_p99_bound(CLIENT_DURATION, BY_NAME, NAME_LEGEND),
            "s",
        ),
        heatmap(
            "Stream duration, distribution",
            f"`{CLIENT_DURATION}`: completed and aborted streams; each row is a bucket, darker for more streams. "
            "Streams of one kind fill one row; a row near zero means streams that ended at once, and cleanly.",
            bucket_rate(CLIENT_DURATION),
            "streams",
        ),
    ]


def _chunks() -> list[core.Panel]:
    return [
        chart(
            "Chunks",
            f"`{CLIENT_CHUNKS}`: chunks that arrived per second. It grows with the active streams until the service "
            "is full; from then on each stream gets fewer chunks.",
            [(rate(CLIENT_CHUNKS, BY_NAME), NAME_LEGEND)],
            per_second("chunks"),
        ),
        chart(
            "Body bytes",
            f"`{CLIENT_BYTES}`: bytes that arrived per second, without HTTP's framing. Near the network's limit the "
            "test measures the network instead of the app.",
            [(rate(CLIENT_BYTES, BY_NAME), NAME_LEGEND)],
            "binBps",
        ),
        chart(
            "Chunk size",
            f"`{CLIENT_SIZE}`: bytes of a chunk without framing. It should equal the server's chunk size; the "
            "buckets grow fourfold, so values between two bounds are interpolated.",
            median_and_p99(CLIENT_SIZE, BY_NAME, NAME_LEGEND),
            "bytes",
        ),
    ]
