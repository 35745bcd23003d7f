import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.catalog import CATALOG
from streamgauge.report.server_view import ScrapeError, quantile_bucket, server_view


def test_only_what_grew_between_the_scrapes_counts(server: Any) -> None:
    server.streamed("/a", "sse", streams=5, chunks=50, size=500)
    before = server.scrape()
    server.streamed("/a", "sse", streams=2, chunks=20, size=333)
    server.streamed("/a", "sse", streams=1, chunks=3, size=10, outcome="client_disconnect")
    (route,) = server_view(before, server.scrape())["routes"]
    assert (route["route"], route["protocol"], route["started"]) == ("/a", "sse", 3)
    assert (route["chunks"], route["bytes"]) == (23, 343)
    assert route["finished"] == {"completed": 2, "client_disconnect": 1}


def test_a_series_absent_before_counts_from_zero(server: Any) -> None:
    before = server.scrape()
    server.streamed("/new", "ndjson", streams=4, chunks=8, size=80)
    (route,) = server_view(before, server.scrape())["routes"]
    assert (route["started"], route["chunks"]) == (4, 8)
    assert server_view("", server.scrape())["routes"] == [route]


def test_a_route_where_nothing_happened_is_left_out(server: Any) -> None:
    server.streamed("/idle", "sse", streams=4, chunks=8, size=80)
    assert server_view(server.scrape(), server.scrape())["routes"] == []


def test_a_counter_that_fell_began_anew() -> None:
    series = 'stream_server_chunks_total{{route="/a",protocol="sse"}} {}\n'
    (route,) = server_view(series.format(900), series.format(30))["routes"]
    assert route["chunks"] == 30


def test_one_route_in_several_processes_is_summed() -> None:
    series = 'stream_server_chunks_total{{route="/a",protocol="sse",pid="{}"}} {}\n'
    (route,) = server_view("", series.format(1, 10) + series.format(2, 5))["routes"]
    assert route["chunks"] == 15


def test_a_percentile_is_the_bucket_that_what_grew_lies_in(server: Any) -> None:
    labels = {"route": "/a", "protocol": "sse"}
    for _ in range(50):
        server.observe("stream_server_chunk_interval_seconds", 9.0, **labels)
    before = server.scrape()
    for value_s in [0.06] * 98 + [2.0, 11.0]:
        server.observe("stream_server_chunk_interval_seconds", value_s, **labels)
    (route,) = server_view(before, server.scrape())["routes"]
    assert route["chunk_interval"] == {"count": 100, "p50": (0.05, 0.075), "p99": (1.0, 2.5)}
    assert route["time_to_first_chunk"] == {"count": 0, "p50": None, "p99": None}


BUCKETS = [(1.0, 4.0), (3.0, 8.0), (math.inf, 10.0)]


@pytest.mark.parametrize(
    ("q", "expected"),
    [(0.01, (0.0, 1.0)), (0.4, (0.0, 1.0)), (0.41, (1.0, 3.0)), (0.8, (1.0, 3.0)), (0.81, (3.0, None))],
    ids=str,
)
def test_a_value_on_a_bound_lies_below_it(q: float, expected: tuple[float, float | None]) -> None:
    assert quantile_bucket(q, BUCKETS) == expected


@given(st.lists(st.floats(1e-6, 20), min_size=1, max_size=60), st.sampled_from([0.5, 0.99]))
def test_the_true_percentile_lies_in_the_bucket(values_s: list[float], q: float) -> None:
    bounds = [*CATALOG["stream_server_chunk_interval_seconds"].buckets, math.inf]
    found = quantile_bucket(q, [(bound, float(sum(each <= bound for each in values_s))) for bound in bounds])
    assert found is not None
    above_s, at_most_s = found
    true_s = sorted(values_s)[math.ceil(q * len(values_s)) - 1]
    assert above_s < true_s <= (math.inf if at_most_s is None else at_most_s)


@pytest.mark.parametrize("buckets", [[], [(1.0, 0.0), (math.inf, 0.0)]], ids=["none", "empty"])
def test_no_values_have_no_quantile(buckets: list[tuple[float, float]]) -> None:
    assert quantile_bucket(0.5, buckets) is None


def test_something_that_is_no_scrape_is_named_in_the_error() -> None:
    with pytest.raises(ScrapeError, match="<html>"):
        server_view("", "<html>404 not found</html>")


def test_a_value_of_each_metric_is_its_own(server: Any) -> None:
    labels = {"route": "/a", "protocol": "sse"}
    server.streamed("/a", "sse", streams=3, chunks=41, size=502)
    server.count("stream_server_started_total", 60, **labels)
    for metric, values_s in (("time_to_first_chunk", [0.004] * 3), ("chunk_interval", [0.06] * 5)):
        for value_s in values_s:
            server.observe(f"stream_server_{metric}_seconds", value_s, **labels)
    (route,) = server_view("", server.scrape())["routes"]
    assert route == {
        "route": "/a", "protocol": "sse", "started": 63, "finished": {"completed": 3}, "chunks": 41, "bytes": 502,
        "time_to_first_chunk": {"count": 3, "p50": (0.001, 0.005), "p99": (0.001, 0.005)},
        "chunk_interval": {"count": 5, "p50": (0.05, 0.075), "p99": (0.05, 0.075)},
    }  # fmt: skip


def test_routes_come_in_order_and_each_protocol_for_itself(server: Any) -> None:
    for at, (route, protocol) in enumerate((("/b", "sse"), ("/a", "sse"), ("/a", "raw"))):
        server.streamed(route, protocol, streams=1 + at, chunks=10 + at, size=100 + at)
    found = [(each["route"], each["protocol"], each["chunks"]) for each in server_view("", server.scrape())["routes"]]
    assert found == [("/a", "raw", 12), ("/a", "sse", 11), ("/b", "sse", 10)]


def test_an_outcome_that_did_not_occur_is_left_out(server: Any) -> None:
    server.streamed("/a", "sse", streams=2, chunks=20, size=333, outcome="send_timeout")
    before = server.scrape()
    server.streamed("/a", "sse", streams=1, chunks=3, size=10)
    (route,) = server_view(before, server.scrape())["routes"]
    assert route["finished"] == {"completed": 1}


def test_a_series_without_labels_is_counted_under_empty_ones() -> None:
    view = server_view("", "stream_server_chunks_total 7\nanother_chunks_total 9\n")
    (route,) = view["routes"]
    assert (route["route"], route["protocol"], route["chunks"]) == ("", "", 7)
    assert (route["started"], route["bytes"], route["finished"]) == (0, 0, {})
    assert view["agreement"] == []


def test_a_counter_that_did_not_grow_did_nothing() -> None:
    series = 'stream_server_{}_total{{route="/a",protocol="sse"}} {}\n'
    before = series.format("chunks", 900) + series.format("body_bytes", 50)
    after = series.format("chunks", 900) + series.format("body_bytes", 51)
    (route,) = server_view(before, after)["routes"]
    assert (route["chunks"], route["bytes"]) == (0, 1)
