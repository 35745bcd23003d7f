import math
from typing import Any

import pytest

from streamgauge.report.server_view import ScrapeError, histogram_quantile, server_view


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


def test_percentiles_are_interpolated_in_what_the_buckets_grew_by(server: Any) -> None:
    labels = {"route": "/a", "protocol": "sse"}
    for _ in range(50):
        server.observe("stream_server_chunk_interval_seconds", 9.0, **labels)
    before = server.scrape()
    for _ in range(100):
        server.observe("stream_server_chunk_interval_seconds", 0.06, **labels)
    (route,) = server_view(before, server.scrape())["routes"]
    assert route["chunk_interval"] == {"count": 100, "p50": pytest.approx(0.0625), "p99": pytest.approx(0.07475)}
    assert route["time_to_first_chunk"] == {"count": 0, "p50": None, "p99": None}


@pytest.mark.parametrize(
    ("q", "expected"), [(0.25, 0.5), (0.5, 1.0), (0.75, 2.0), (0.9, 3.0), (0.99, 3.0)], ids=lambda value: str(value)
)
def test_a_quantile_is_what_promql_computes(q: float, expected: float) -> None:
    buckets = [(1.0, 4.0), (3.0, 8.0), (math.inf, 8.0)] if q <= 0.75 else [(3.0, 1.0), (math.inf, 100.0)]
    assert histogram_quantile(q, buckets) == pytest.approx(expected)


@pytest.mark.parametrize("buckets", [[], [(1.0, 0.0), (math.inf, 0.0)]], ids=["none", "empty"])
def test_no_values_have_no_quantile(buckets: list[tuple[float, float]]) -> None:
    assert histogram_quantile(0.5, buckets) is None


def test_something_that_is_no_scrape_is_named_in_the_error() -> None:
    with pytest.raises(ScrapeError, match="<html>"):
        server_view("", "<html>404 not found</html>")
