"""The overview: whether the service keeps its objectives, what it carries, and whether the last run can be trusted."""

from grafanalib import core

from monitoring.config import (
    CLIENT_FAILED_OUTCOMES,
    FAILED_OUTCOMES,
    SUCCESS_OBJECTIVE,
)
from monitoring.dashboards.families import (
    BY_ROUTE,
    CLIENT_ACTIVE,
    CLIENT_FINISHED,
    CLIENT_INTERVAL,
    CLIENT_STARTED,
    CLIENT_TTFC,
    ROUTE_LEGEND,
    SERVER_ACTIVE,
    SERVER_FINISHED,
    SERVER_INTERVAL,
    SERVER_STARTED,
    SERVER_TTFC,
    TRUST,
)
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

_TAKE_AN_ID = "Take a run's id to the dashboard Compare runs; its result.json holds the exact figures."


def build() -> Json:
    """The dashboard as Grafana reads it."""
    return dashboard(
        UID,
        "Overview",
        "Is the service healthy: objectives, traffic, failures and latency, from the server and, in a load test, from "
        "the client.",
        [
            Row("Now", 4, (4,), _now()),
            Row("Service level", 8, (8,), _service_level()),
            Row("Error budget", 8, (4, 4, 4, 12), budget_panels()),
            Row("Alerts", 6, (24,), [alerts_table()]),
            Row("Traffic", 8, (8,), _traffic()),
            Row("Latency", 9, (12,), _latency()),
            Row("Load tests in this time", 5, (24,), [runs_table(_TAKE_AN_ID)]),
        ],
        [*targets_of(BOTH_SIDES), routes(), names(), runs(), *objectives()],
    )


def _now() -> list[core.Panel]:
    return [
        verdict(
            "Measurement",
            f"`{TRUST}`: whether the load test's own figures can be believed; of several runs the worst. Degraded or "
            "invalid: look at the generator on the dashboard Load test before you look at the service.",
            lowest(TRUST),
        ),
        stat(
            "First chunks in time",
            f"`{SERVER_TTFC}`: the share of streams whose first chunk the server sent within the time that the "
            "variable picks. Below the objective, see under Latency whether one route or all are slow.",
            share_within(SERVER_TTFC, "ttfc_slo"),
            "percentunit",
            TTFC_SHARE,
        ),
        stat(
            "Chunks in time",
            f"`{SERVER_INTERVAL}`: the share of chunks that followed the one before within the time that the variable "
            "picks. It must be above the pace that the routes are meant to have, or all chunks are late.",
            share_within(SERVER_INTERVAL, "interval_slo"),
            "percentunit",
            INTERVAL_SHARE,
        ),
        stat(
            "Failed streams",
            f"`{SERVER_FINISHED}`: of the streams that ended, the share that ended in {', '.join(FAILED_OUTCOMES)}. "
            "Clients that hang up do not count. Above zero, look at the outcomes, then in the app's log.",
            failed_on_server(),
            "percentunit",
            SERVER_FINISHED,
        ),
        stat(
            "Active streams",
            f"`{SERVER_ACTIVE}`: streams under way now, over all selected routes. Compare it with the load you asked "
            "for: fewer means that streams end early or do not start; ever more means that they do not end.",
            gauge_sum(SERVER_ACTIVE),
            "short",
        ),
        stat(
            "Streams started per second",
            f"`{SERVER_STARTED}`: how fast new streams come. Zero with streams active is a quiet service of long "
            "streams; zero of both is no traffic.",
            rate(SERVER_STARTED),
            per_second("streams"),
        ),
    ]


def _service_level() -> list[core.Panel]:
    return [
        _attained("First chunks in time", SERVER_TTFC, CLIENT_TTFC, "ttfc_slo", TTFC_SHARE),
        _attained("Chunks in time", SERVER_INTERVAL, CLIENT_INTERVAL, "interval_slo", INTERVAL_SHARE),
        chart(
            "Streams that did not fail",
            f"`{SERVER_FINISHED}`, `{CLIENT_FINISHED}`: the share of ended streams that did not fail, by each side's "
            f"own words. The client also sees {', '.join(CLIENT_FAILED_OUTCOMES[:3])} and what never reached the app: "
            "where it alone fails, look at the path.",
            [
                (share(SERVER_FINISHED, SERVER_SUCCEEDED), "server"),
                (share(CLIENT_FINISHED, CLIENT_SUCCEEDED, (), CLIENT_COUNTED), "client"),
            ],
            "percentunit",
            SUCCESS_OBJECTIVE,
            **_SHARE_AXIS,
        ),
    ]


#: Shares of an objective lie close to 1: an axis from zero would show a straight line.
_SHARE_AXIS: Json = {"min": None, "max": 1}


def _attained(title: str, server: str, client: str, variable: str, objective: float) -> core.TimeSeries:
    return chart(
        title,
        f"`{server}`, `{client}`: the share within the time that the variable picks, on both sides. A dip on both is "
        "the app's; a dip of the client's line alone is the path's, or the load generator's.",
        [(share_within(server, variable), "server"), (share_within(client, variable), "client")],
        "percentunit",
        objective,
        **_SHARE_AXIS,
    )


def _traffic() -> list[core.Panel]:
    outcomes = chart(
        "Streams finished, by outcome",
        f"`{SERVER_FINISHED}`: how streams end, as the server says. Failures are drawn in red. Many "
        "`client_disconnect` mean impatient clients, or a load test that hangs up on purpose.",
        [(rate(SERVER_FINISHED, ("outcome",)), "{{outcome}}")],
        per_second("streams"),
    )
    return [
        chart(
            "Streams started",
            f"`{SERVER_STARTED}`, `{CLIENT_STARTED}`: new streams per second on both sides. The client's line above "
            "the server's is streams that did not reach the app: refused connections, a proxy, a full queue.",
            [(rate(SERVER_STARTED), "server"), (rate(CLIENT_STARTED), "client")],
            per_second("streams"),
        ),
        chart(
            "Active streams",
            f"`{SERVER_ACTIVE}`, `{CLIENT_ACTIVE}`: streams under way. It should follow the load; a server's line that "
            "never comes down after the load has gone is a leak.",
            [(gauge_sum(SERVER_ACTIVE), "server"), (gauge_sum(CLIENT_ACTIVE), "client")],
            "short",
        ),
        colour(outcomes, f"/^({'|'.join(FAILED_OUTCOMES)})$/", "red"),
    ]


def _latency() -> list[core.Panel]:
    return [
        chart(
            "Time to first chunk",
            f"`{SERVER_TTFC}`: from the request until the app sent its first chunk. A p99 far above the p50 is a "
            "queue: some streams waited for others. Then look at the event loop's lag on the dashboard Server.",
            percentiles(SERVER_TTFC),
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
        chart(
            "Chunk interval, p99 by route",
            f"`{SERVER_INTERVAL}`: time between two chunks of one stream as the app sent them, pooled over streams. A "
            "p99 that leaves the route's pace as load grows marks the capacity of this service.",
            [(quantile(0.99, SERVER_INTERVAL, BY_ROUTE), ROUTE_LEGEND)],
            "s",
            SERVER_INTERVAL,
        ),
        heatmap(
            "Chunk interval, all of it",
            f"`{SERVER_INTERVAL}`: each row is a bucket, the darker the more chunks. A paced service is one narrow "
            "band; a band that spreads upwards is chunks that come late, and one far below it is bursts.",
            bucket_rate(SERVER_INTERVAL),
            "chunks",
        ),
    ]
