"""Load test: each name's latency and outcomes as the client saw them, and whether the generator kept up."""

from grafanalib import core

from monitoring.config import CLIENT_FAILED_OUTCOMES, NO_RUN
from monitoring.dashboards import families as m
from monitoring.dashboards.arrival_panels import arrivals
from monitoring.dashboards.generator import generator_panels
from monitoring.dashboards.processes import of_the_generator
from monitoring.dashboards.slo_rules import rules_now
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
    where_counted,
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
            Row("SLO rules", 5, (24,), [rules_now()]),
            Row("By name", 6, (24,), [_by_name()]),
            Row("Load", 8, (6,), _load()),
            Row("Outcomes", 9, (8,), _outcomes()),
            Row("Latency", 9, (12,), _latency()),
            Row("Chunks", 8, (8,), _chunks()),
            Row("Tokens", 8, (8,), _tokens()),
            Row("Load generator", 8, (12, 12, 8, 4, 12), generator_panels()),
            Row("Reporting process", 8, (8,), of_the_generator()),
        ],
        [*targets_of(GENERATORS), names(), runs()],
    )


def _now() -> list[core.Panel]:
    return [
        verdict(
            "Measurement",
            f"`{m.TRUST}`: whether the figures can be trusted; the worst verdict of several runs. If it is degraded or "
            "invalid, the row Load generator shows why; give it more cores or workers, then run again.",
            lowest(m.TRUST),
        ),
        stat(
            "Users",
            f"`{m.USERS}`: Locust users that run now, over all workers. In a closed model each has one stream at a "
            "time; fewer than requested means that users are still being started, or that workers are missing.",
            gauge_sum(m.USERS),
            "short",
            noValue=NO_RUN,
        ),
        stat(
            "Workers",
            f"`{m.WORKERS}`: load generator processes connected to the master, 1 for a run of a single process. If it "
            "falls during a run, a worker died and its load is missing.",
            gauge_sum(m.WORKERS),
            "short",
            noValue=NO_RUN,
        ),
        stat(
            "Active streams",
            f"`{m.CLIENT_ACTIVE}`: running streams at the client. If it is far below the users, most users wait "
            "between two streams. The dashboard Client against server has the server's number beside it.",
            gauge_sum(m.CLIENT_ACTIVE),
            "short",
        ),
        stat(
            "Failed streams",
            f"`{m.CLIENT_FINISHED}`: the share of finished streams that failed. Streams cut off by the end of the run "
            "do not count. Above zero, the outcomes below show how they failed.",
            failed_on_client(),
            "percentunit",
            m.CLIENT_FINISHED,
        ),
        stat(
            "Generator lag, p99",
            f"`{m.GENERATOR_LAG}`: how long after its arrival the generator read a chunk: up to 10 ms on purpose, "
            "while chunks arrive fast. The kernel stamps arrivals, so the figures do not contain this lag; but a "
            "generator with a large lag starts its streams late.",
            quantile(0.99, m.GENERATOR_LAG),
            "s",
            m.GENERATOR_LAG,
        ),
    ]


def _by_name() -> Table:
    return table(
        "By name",
        f"`{m.CLIENT_STARTED}`, `{m.CLIENT_FINISHED}`, `{m.CLIENT_TTFC}`, `{m.CLIENT_INTERVAL}`, "
        f"`{m.CLIENT_DURATION}`, `{m.STALLS}`: the current figures of each name: load, failures, latency. They are "
        "interpolated within buckets; once a run has ended, the dashboard Compare runs has its exact figures.",
        {"name": "Name", "protocol": "Protocol"},
        [
            Column("Streams/s", rate(m.CLIENT_STARTED, m.BY_NAME), per_second("streams")),
            Column("Failed", failed_on_client(m.BY_NAME), "percentunit", m.CLIENT_FINISHED),
            Column("TTFC p50", quantile(0.5, m.CLIENT_TTFC, m.BY_NAME), "s", m.CLIENT_TTFC),
            Column("TTFC p99", quantile(0.99, m.CLIENT_TTFC, m.BY_NAME), "s", m.CLIENT_TTFC),
            Column("Interval p50", quantile(0.5, m.CLIENT_INTERVAL, m.BY_NAME), "s", m.CLIENT_INTERVAL),
            Column("Interval p99", quantile(0.99, m.CLIENT_INTERVAL, m.BY_NAME), "s", m.CLIENT_INTERVAL),
            Column("Duration, mean", mean(m.CLIENT_DURATION, m.BY_NAME), "s"),
            Column("Stalls/stream", ratio(m.STALLS, m.CLIENT_STARTED, m.BY_NAME), "none"),
        ],
    )


def _load() -> list[core.Panel]:
    return [
        chart(
            "Users and active streams",
            f"`{m.USERS}`, `{m.CLIENT_ACTIVE}`, `{m.WANTED_USERS}`: the load, its streams, and what the shape of the "
            "run wants, where it has one. The first two are equal while each user has a stream; a growing gap means "
            "users that wait or streams that end early.",
            [
                (gauge_sum(m.USERS), "users"),
                (gauge_sum(m.CLIENT_ACTIVE), "active streams"),
                (gauge_sum(m.WANTED_USERS), "wanted users"),
            ],
            "short",
            noValue=NO_RUN,
        ),
        chart(
            "Streams started",
            f"`{m.CLIENT_STARTED}`: new streams per second. In an open model it equals the requested rate, or the late "
            "and dropped arrivals beside it are missing.",
            [(rate(m.CLIENT_STARTED, m.BY_NAME), m.NAME_LEGEND)],
            per_second("streams"),
        ),
        *arrivals(),
    ]


def _outcomes() -> list[core.Panel]:
    finished = chart(
        "Streams finished, by outcome",
        f"`{m.CLIENT_FINISHED}`: how streams ended; failures are red. `truncated`: the connection closed inside the "
        "body. `incomplete`: a clean end without the expected end marker. `stalled`: a time limit passed.",
        [(above_zero(rate(m.CLIENT_FINISHED, ("name", "outcome"))), "{{name}} {{outcome}}")],
        per_second("streams"),
    )
    return [
        colour(finished, f"/ ({'|'.join(CLIENT_FAILED_OUTCOMES)})$/", "red"),
        chart(
            "Failed streams",
            f"`{m.CLIENT_FINISHED}`: the share of finished streams that failed. A rise of one name comes from that "
            "endpoint; a rise of all comes from the service, the path or the generator's network.",
            [(failed_on_client(m.BY_NAME), m.NAME_LEGEND)],
            "percentunit",
            m.CLIENT_FINISHED,
        ),
        chart(
            "Stalls",
            f"`{m.STALLS}`: chunk intervals longer than the stall threshold (default 1 s), in which users see a frozen "
            "text. Compare with the server's chunk interval: stalls that it does not show come from the path.",
            [(rate(m.STALLS, m.BY_NAME), m.NAME_LEGEND)],
            per_second("stalls"),
        ),
    ]


def _latency() -> list[core.Panel]:
    return [
        chart(
            "Time to first chunk",
            f"`{m.CLIENT_TTFC}`: from the scheduled start of a stream until its first chunk arrived; comments and "
            "heartbeats are not chunks. A p99 far above the p50 means a queue, in the app or before it.",
            median_and_p99(m.CLIENT_TTFC, m.BY_NAME, m.NAME_LEGEND),
            "s",
            m.CLIENT_TTFC,
        ),
        heatmap(
            "Time to first chunk, distribution",
            f"`{m.CLIENT_TTFC}`: each row is a bucket, darker for more streams. Two bands mean two kinds of stream; "
            "select names to separate them.",
            bucket_rate(m.CLIENT_TTFC),
            "streams",
        ),
        chart(
            "Chunk interval",
            f"`{m.CLIENT_INTERVAL}`: time between the arrivals of two chunks of one stream, pooled over streams. The "
            "p50 is the usual interval; when the p99 rises above it as users increase, the service is full.",
            median_and_p99(m.CLIENT_INTERVAL, m.BY_NAME, m.NAME_LEGEND),
            "s",
            m.CLIENT_INTERVAL,
        ),
        heatmap(
            "Chunk interval, distribution",
            f"`{m.CLIENT_INTERVAL}`: each row is a bucket, darker for more chunks. One narrow band means a paced "
            "service; bands at the bottom and far above mean bursts of chunks, typical of a buffering proxy.",
            bucket_rate(m.CLIENT_INTERVAL),
            "chunks",
        ),
        chart(
            "Stream duration",
            f"`{m.CLIENT_DURATION}`: how long the streams that complete now lasted, or those aborted on purpose; "
            "failed streams are left out. Longer than chunks times interval means late chunks; shorter means shorter "
            "responses or aborts. The mean is exact; for the p99 the upper bound of its bucket is shown, hence ≤. "
            "Compare runs has the exact p99 of a finished run.",
            mean_and_p99_bound(m.CLIENT_DURATION, m.BY_NAME, m.NAME_LEGEND),
            "s",
        ),
        heatmap(
            "Stream duration, distribution",
            f"`{m.CLIENT_DURATION}`: completed and aborted streams; each row is a bucket, darker for more streams. "
            "Streams of one kind fill one row; a row near zero means streams that ended at once, and cleanly.",
            bucket_rate(m.CLIENT_DURATION),
            "streams",
        ),
    ]


def _chunks() -> list[core.Panel]:
    return [
        chart(
            "Chunks",
            f"`{m.CLIENT_CHUNKS}`: chunks that arrived per second. It grows with the active streams until the service "
            "is full; from then on each stream gets fewer chunks.",
            [(rate(m.CLIENT_CHUNKS, m.BY_NAME), m.NAME_LEGEND)],
            per_second("chunks"),
        ),
        chart(
            "Body bytes",
            f"`{m.CLIENT_BYTES}`: bytes that arrived per second, without HTTP's framing. Near the network's limit the "
            "test measures the network instead of the app.",
            [(rate(m.CLIENT_BYTES, m.BY_NAME), m.NAME_LEGEND)],
            "binBps",
        ),
        chart(
            "Chunk size",
            f"`{m.CLIENT_SIZE}`: bytes of a chunk without framing. It should equal the server's chunk size; the "
            "buckets grow fourfold, so values between two bounds are interpolated.",
            median_and_p99(m.CLIENT_SIZE, m.BY_NAME, m.NAME_LEGEND),
            "bytes",
        ),
    ]


def _tokens() -> list[core.Panel]:
    return [
        chart(
            "Output tokens",
            f"`{m.OUTPUT_TOKENS}`: tokens that language models generated per second, by the servers' own count. They "
            "are added when a stream ends, so long answers come in steps. A plateau while users increase is the "
            "model's capacity.",
            [(above_zero(rate(m.OUTPUT_TOKENS, m.BY_NAME)), m.NAME_LEGEND)],
            per_second("tokens"),
        ),
        chart(
            "Prompt tokens",
            f"`{m.PROMPT_TOKENS}`: tokens of prompts per second, of servers that count them. More of them mean more "
            "work before the first token: compare with the time to first chunk of the same name.",
            [(above_zero(rate(m.PROMPT_TOKENS, m.BY_NAME)), m.NAME_LEGEND)],
            per_second("tokens"),
        ),
        chart(
            "Time per output token",
            f"`{m.TOKENS_TIME}`: the mean time between the output tokens of each stream that did not fail. When it "
            "rises as users increase, the model shares its batches among more streams.",
            median_and_p99(m.TOKENS_TIME, m.BY_NAME, m.NAME_LEGEND),
            "s",
        ),
        chart(
            "Time to first token",
            f"`{m.CLIENT_TTFC}`: time to first chunk of the names that have output tokens: waiting in the model's "
            "queue, and reading the prompt. It rises first when a model has more requests than it can batch.",
            [
                (where_counted(query, m.OUTPUT_TOKENS, m.BY_NAME), legend)
                for query, legend in median_and_p99(m.CLIENT_TTFC, m.BY_NAME, m.NAME_LEGEND)
            ],
            "s",
            m.CLIENT_TTFC,
        ),
    ]
