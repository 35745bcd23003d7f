"""Overview: whether the service meets its objectives, its load, and whether the last run can be trusted."""

from grafanalib import core

from monitoring.config import (
    CLIENT_FAILED_OUTCOMES,
    FAILED_OUTCOMES,
    SUCCESS_OBJECTIVE,
)
from monitoring.dashboards import families as m
from monitoring.dashboards.runs import runs_table
from monitoring.dashboards.service_level import INTERVAL_SHARE, TTFC_SHARE, alerts_table, budget_panels
from monitoring.panels import Json, chart, colour, heatmap, per_second, stat, verdict
from monitoring.promql.panels import (
    CLIENT_COUNTED,
    CLIENT_SUCCEEDED,
    SERVER_SUCCEEDED,
    bucket_rate,
    failed_on_server,
    gauge_sum,
    lowest,
    percentiles,
    quantile,
    rate,
    share,
    share_within,
)
from monitoring.schema import Row, dashboard
from monitoring.variables import BOTH_SIDES, names, objectives, routes, runs, targets_of

UID = "streamgauge-overview"

_COMPARE = "To compare runs, use their ids in the dashboard Compare runs; result.json has the exact figures."


def build() -> Json:
    """Build the dashboard."""
    return dashboard(
        UID,
        "Overview",
        "Service health: objectives, traffic, failures and latency, as seen by the server and, in a load test, by the "
        "client.",
        [
            Row("Now", 4, (4,), _now()),
            Row("Service level", 8, (8,), _service_level()),
            Row("Error budget", 8, (4, 4, 4, 12), budget_panels()),
            Row("Alerts", 6, (24,), [alerts_table()]),
            Row("Traffic", 8, (8,), _traffic()),
            Row("Latency", 9, (12,), _latency()),
            Row("Load tests in the time range", 5, (24,), [runs_table(_COMPARE)]),
        ],
        [*targets_of(BOTH_SIDES), routes(), names(), runs(), *objectives()],
    )


def _now() -> list[core.Panel]:
    return [
        verdict(
            "Measurement",
            f"`{m.TRUST}`: whether the load test's figures can be trusted; the worst verdict of several runs. If it is "
            "degraded or invalid, check the generator on the dashboard Load test before the service.",
            lowest(m.TRUST),
        ),
        stat(
            "First chunks in time",
            f"`{m.SERVER_TTFC}`: the share of streams whose first chunk the server sent within the time selected by "
            "the variable. Below the objective, check under Latency whether one route or all are slow.",
            share_within(m.SERVER_TTFC, "ttfc_slo"),
            "percentunit",
            TTFC_SHARE,
        ),
        stat(
            "Chunks in time",
            f"`{m.SERVER_INTERVAL}`: the share of chunks that followed the previous one within the time selected by "
            "the variable. That time must exceed the routes' intended interval, or all chunks count as late.",
            share_within(m.SERVER_INTERVAL, "interval_slo"),
            "percentunit",
            INTERVAL_SHARE,
        ),
        stat(
            "Failed streams",
            f"`{m.SERVER_FINISHED}`: the share of finished streams with the outcome {' or '.join(FAILED_OUTCOMES)}. "
            "Client disconnects do not count. Above zero, check the outcomes, then the app's log.",
            failed_on_server(),
            "percentunit",
            m.SERVER_FINISHED,
        ),
        stat(
            "Active streams",
            f"`{m.SERVER_ACTIVE}`: running streams of all selected routes. Compare it with the intended load: fewer "
            "means that streams end early or do not start; a steady rise means that they do not end.",
            gauge_sum(m.SERVER_ACTIVE),
            "short",
        ),
        stat(
            "Streams started per second",
            f"`{m.SERVER_STARTED}`: new streams per second. Zero with active streams means long streams and no new "
            "ones; zero without active streams means no traffic.",
            rate(m.SERVER_STARTED),
            per_second("streams"),
        ),
    ]


def _service_level() -> list[core.Panel]:
    return [
        _attained("First chunks in time", m.SERVER_TTFC, m.CLIENT_TTFC, "ttfc_slo", TTFC_SHARE),
        _attained("Chunks in time", m.SERVER_INTERVAL, m.CLIENT_INTERVAL, "interval_slo", INTERVAL_SHARE),
        chart(
            "Streams that did not fail",
            f"`{m.SERVER_FINISHED}`, `{m.CLIENT_FINISHED}`: the share of finished streams that did not fail, as "
            f"counted by each side. The client also counts {', '.join(CLIENT_FAILED_OUTCOMES[:3])} and streams that "
            "never reached the app: if only the client's line drops, check the path.",
            [
                (share(m.SERVER_FINISHED, SERVER_SUCCEEDED), "server"),
                (share(m.CLIENT_FINISHED, CLIENT_SUCCEEDED, (), CLIENT_COUNTED), "client"),
            ],
            "percentunit",
            SUCCESS_OBJECTIVE,
            **_SHARE_AXIS,
        ),
    ]


#: Shares close to 1: on an axis from zero they would look like a straight line.
_SHARE_AXIS: Json = {"min": None, "max": 1}


def _attained(title: str, server: str, client: str, variable: str, objective: float) -> core.TimeSeries:
    return chart(
        title,
        f"`{server}`, `{client}`: the share within the time selected by the variable, on both sides. A dip of both "
        "lines comes from the app; a dip of the client's line alone comes from the path or the load generator.",
        [(share_within(server, variable), "server"), (share_within(client, variable), "client")],
        "percentunit",
        objective,
        **_SHARE_AXIS,
    )


def _traffic() -> list[core.Panel]:
    outcomes = chart(
        "Streams finished, by outcome",
        f"`{m.SERVER_FINISHED}`: how streams ended, as counted by the server; failures are red. Many "
        "`client_disconnect` mean impatient clients, or a load test that disconnects on purpose.",
        [(rate(m.SERVER_FINISHED, ("outcome",)), "{{outcome}}")],
        per_second("streams"),
    )
    return [
        chart(
            "Streams started",
            f"`{m.SERVER_STARTED}`, `{m.CLIENT_STARTED}`: new streams per second on both sides. If the client's line "
            "is higher, streams did not reach the app: refused connections, a proxy, a full queue.",
            [(rate(m.SERVER_STARTED), "server"), (rate(m.CLIENT_STARTED), "client")],
            per_second("streams"),
        ),
        chart(
            "Active streams",
            f"`{m.SERVER_ACTIVE}`, `{m.CLIENT_ACTIVE}`: running streams. Both lines should follow the load; a server's "
            "line that stays up after the load has ended is a leak.",
            [(gauge_sum(m.SERVER_ACTIVE), "server"), (gauge_sum(m.CLIENT_ACTIVE), "client")],
            "short",
        ),
        colour(outcomes, f"/^({'|'.join(FAILED_OUTCOMES)})$/", "red"),
    ]


def _latency() -> list[core.Panel]:
    return [
        chart(
            "Time to first chunk",
            f"`{m.SERVER_TTFC}`: from the request until the app sent its first chunk. A p99 far above the p50 means a "
            "queue: some streams waited for others. Check the event loop lag on the dashboard Server.",
            percentiles(m.SERVER_TTFC),
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
        chart(
            "Chunk interval, p99 by route",
            f"`{m.SERVER_INTERVAL}`: time between two chunks of one stream as the app sent them, pooled over streams. "
            "The load at which the p99 rises above the route's usual interval is the service's capacity.",
            [(quantile(0.99, m.SERVER_INTERVAL, m.BY_ROUTE), m.ROUTE_LEGEND)],
            "s",
            m.SERVER_INTERVAL,
        ),
        heatmap(
            "Chunk interval, distribution",
            f"`{m.SERVER_INTERVAL}`: each row is a bucket, darker for more chunks. A paced service has one narrow "
            "band; a band that widens upwards means late chunks, and one far below it means bursts.",
            bucket_rate(m.SERVER_INTERVAL),
            "chunks",
        ),
    ]
