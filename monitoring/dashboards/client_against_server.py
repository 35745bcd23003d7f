"""Client against server: the same quantiles on one axis, since both sides use the same buckets."""

from collections.abc import Callable

from grafanalib import core

from monitoring.dashboards import families as m
from monitoring.panels import Json, chart, heatmap, per_second
from monitoring.promql.panels import (
    bucket_rate,
    difference,
    failed_on_client,
    failed_on_server,
    gauge_sum,
    mean,
    median_and_p99,
    quantile,
    quantile_by_name,
    rate,
)
from monitoring.schema import Row, dashboard
from monitoring.tables import Column, Table, table
from monitoring.variables import BOTH_SIDES, names, routes, runs, targets_of

UID = "streamgauge-client-against-server"

BY_PROTOCOL = ("protocol",)


def build() -> Json:
    """Build the dashboard."""
    return dashboard(
        UID,
        "Client against server",
        "The same quantiles from both sides: a delay that only the client sees comes from the path. Select routes and "
        "names of the same streams.",
        [
            Row("Time to first chunk", 9, (8,), _pair("time to first chunk", m.SERVER_TTFC, m.CLIENT_TTFC)),
            Row("Chunk interval", 9, (8,), _pair("chunk interval", m.SERVER_INTERVAL, m.CLIENT_INTERVAL)),
            Row("Chunk delay", 9, (12,), _delay()),
            Row("Names that are routes", 7, (24,), [_by_stream()]),
            Row("Counts on both sides", 8, (8, 8, 8, 12, 12), _counts()),
            Row("Causes of delay", 9, (12,), _causes()),
        ],
        [*targets_of(BOTH_SIDES), routes(), names(), runs()],
    )


def _pair(what: str, server: str, client: str) -> list[core.Panel]:
    return [
        *(_quantiles(what, server, client, q, label) for q, label in ((0.5, "p50"), (0.99, "p99"))),
        chart(
            f"The path: {what}, client minus server",
            f"`{client}`, `{server}`: the difference of the two quantiles, by protocol. Above zero, the path adds "
            "delay: network, proxy, TLS. Both are interpolated within buckets, so ignore differences below a bucket's "
            "width and below zero.",
            [
                (difference(0.5, client, server, BY_PROTOCOL), "p50 {{protocol}}"),
                (difference(0.99, client, server, BY_PROTOCOL), "p99 {{protocol}}"),
            ],
            "s",
            min=None,
        ),
    ]


def _quantiles(what: str, server: str, client: str, q: float, label: str) -> core.TimeSeries:
    return chart(
        f"{what.capitalize()}, {label}",
        f"`{server}`, `{client}`: the same quantile as sent by the server and as received by the client. Equal "
        "lines: all delay comes from the app. Client higher: the path adds delay. Server higher: a buffer on the "
        "path evened out chunks that the app sent late.",
        [(quantile(q, server), "server"), (quantile(q, client), "client")],
        "s",
        client,
    )


def _delay() -> list[core.Panel]:
    return [
        chart(
            "Chunk delay",
            f"`{m.DELAY}`: from the server's stamp on a chunk until its arrival, one way; only if the server stamps "
            "its chunks. It contains the path alone and not the app; a rise with the load means a queue.",
            median_and_p99(m.DELAY, ("name",), "{{name}}"),
            "s",
            m.DELAY,
        ),
        heatmap(
            "Chunk delay, distribution",
            f"`{m.DELAY}`: each row is a bucket, darker for more chunks. A band that rises and falls means a "
            "buffer that fills and drains; a second band means a second path, such as another proxy.",
            bucket_rate(m.DELAY),
            "chunks",
        ),
    ]


def _by_stream() -> Table:
    by_name = ("name", "protocol")
    return table(
        "By stream",
        f"`{m.SERVER_TTFC}`, `{m.CLIENT_TTFC}`, `{m.SERVER_INTERVAL}`, `{m.CLIENT_INTERVAL}`, `{m.DELAY}`: both sides "
        "in one row if the load test's name is the server's route, which is the default. A row with one side alone has "
        "another name. Look for the row whose two columns differ most.",
        {"name": "Route or name", "protocol": "Protocol"},
        [
            Column("TTFC p99, server", quantile_by_name(0.99, m.SERVER_TTFC), "s", m.SERVER_TTFC),
            Column("TTFC p99, client", quantile(0.99, m.CLIENT_TTFC, by_name), "s", m.CLIENT_TTFC),
            Column("Interval p99, server", quantile_by_name(0.99, m.SERVER_INTERVAL), "s", m.SERVER_INTERVAL),
            Column("Interval p99, client", quantile(0.99, m.CLIENT_INTERVAL, by_name), "s", m.CLIENT_INTERVAL),
            Column("Delay p99", quantile(0.99, m.DELAY, by_name), "s", m.DELAY),
        ],
    )


def _counts() -> list[core.Panel]:
    return [
        _both(
            "Active streams",
            m.SERVER_ACTIVE,
            m.CLIENT_ACTIVE,
            gauge_sum,
            "short",
            "running streams on both sides. Server higher: clients have disconnected and the app does not know yet. "
            "Client higher: streams wait before the app, in a queue or a proxy.",
        ),
        _both(
            "Chunks",
            m.SERVER_CHUNKS,
            m.CLIENT_CHUNKS,
            rate,
            per_second("chunks"),
            "chunks per second, sent and received. If the lines differ, a buffer fills (server higher, then client "
            "higher), or other clients use the app.",
        ),
        _both(
            "Body bytes",
            m.SERVER_BYTES,
            m.CLIENT_BYTES,
            rate,
            "binBps",
            "body bytes per second, sent and received. If chunks agree and bytes do not, something on the path "
            "rewrites or compresses them.",
        ),
        chart(
            "Failed streams",
            f"`{m.SERVER_FINISHED}`, `{m.CLIENT_FINISHED}`: the share of finished streams that failed, as counted by "
            "each side. Failures that only the client counts come from the path, or from streams that the app ended "
            "cleanly without their end marker.",
            [(failed_on_server(), "server"), (failed_on_client(), "client")],
            "percentunit",
            m.CLIENT_FINISHED,
        ),
        chart(
            "Stream duration, mean",
            f"`{m.SERVER_DURATION}`, `{m.CLIENT_DURATION}`: how long streams lasted: on the server all that finished, "
            "on the client those that completed or were aborted on purpose. If none fails: client much longer means "
            "that streams wait before the app; server longer means that it continues after the client has "
            "disconnected.",
            [(mean(m.SERVER_DURATION), "server"), (mean(m.CLIENT_DURATION), "client")],
            "s",
        ),
    ]


def _causes() -> list[core.Panel]:
    return [
        chart(
            "Three lags on one axis, p99",
            f"`{m.LOOP_LAG}`, `{m.SEND}`, `{m.GENERATOR_LAG}`: the app's event loop, the app's wait for its readers, "
            "and the load generator. The lag that rises with the latency shows the cause: blocking calls, slow readers "
            "or network, or a load test that needs more workers. The load test reads up to 10 ms late on purpose.",
            [
                (quantile(0.99, m.LOOP_LAG), "event loop lag (app)"),
                (quantile(0.99, m.SEND), "send time (readers, network)"),
                (quantile(0.99, m.GENERATOR_LAG), "generator lag (load test)"),
            ],
            "s",
        ),
        chart(
            "Chunk interval, p99 by name",
            f"`{m.CLIENT_INTERVAL}`: the client's view of each name, to find the one that causes the difference above. "
            "Select that name and its route, then read the whole dashboard again.",
            [(quantile(0.99, m.CLIENT_INTERVAL, ("name", "protocol")), m.NAME_LEGEND)],
            "s",
            m.CLIENT_INTERVAL,
        ),
    ]


def _both(title: str, server: str, client: str, query: Callable[[str], str], unit: str, text: str) -> core.TimeSeries:
    lines = [(query(server), "server"), (query(client), "client")]
    return chart(title, f"`{server}`, `{client}`: {text}", lines, unit)
