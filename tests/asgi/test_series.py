"""The sums of one route's streams: every kind of send counts in every sum that it belongs to."""

import pytest
from prometheus_client import CollectorRegistry

from streamgauge.asgi.instruments import Instruments
from streamgauge.asgi.series import StreamSeries

ROUTE = {"route": "/s", "protocol": "raw"}
COMPLETED = {**ROUTE, "outcome": "completed"}
#: Per round. A quick chunk is in the size bucket of the send before it.
CHUNKS, BYTES, IDLE_BYTES, QUICK_S = 1 + 3 + 1 + 1 + 1, 100 + 900 + 300 + 5000 + 4500, 17, 0.00001


@pytest.fixture
def value():
    """Count two flushed rounds of every kind of send and the end of one of three streams; return a sample lookup."""
    registry = CollectorRegistry()
    series = StreamSeries(Instruments(registry), "/s", "raw")
    series.active.inc(3)
    for number in (1, 2):
        series.count_send(None, 0.02 * number, 100)
        series.count_send(0.7, 0.004, 900, chunks=3)
        series.count_quick(QUICK_S, QUICK_S / 2, 300)
        series.count_send(0.3 * number, 0.003 * number, 5000)
        series.count_quick(QUICK_S, QUICK_S / 2, 4500)
        series.count_idle(IDLE_BYTES, heartbeats=2)
        series.count_late_chunks(chunks=4)
        series.flush() if number == 1 else series.count_end("completed", "200", 3.5)
    return lambda name, labels=ROUTE, **more: registry.get_sample_value(name, {**labels, **more})


def test_chunks_bytes_and_heartbeats_are_counted_once(value):
    assert value("stream_server_chunks_total") == 2 * (CHUNKS + 4)
    assert value("stream_server_body_bytes_total") == 2 * (BYTES + IDLE_BYTES)
    assert value("stream_server_heartbeats_total") == 2 * 2


def test_intervals_are_counted_and_those_within_one_send_are_zero(value):
    assert value("stream_server_chunk_interval_seconds_count") == 2 * (1 + 1 + 2 + 2)
    assert value("stream_server_chunk_interval_seconds_bucket", le="0.0001") == 2 * (2 + 2)
    assert value("stream_server_chunk_interval_seconds_sum") == pytest.approx(0.3 + 0.6 + 2 * (0.7 + 2 * QUICK_S))


def test_sends_are_counted(value):
    assert value("stream_server_chunk_send_seconds_count") == 2 * (3 + 2)
    assert value("stream_server_chunk_send_seconds_bucket", le="0.0001") == 2 * 2
    assert value("stream_server_chunk_send_seconds_sum") == pytest.approx(0.06 + 0.009 + 2 * (0.004 + QUICK_S))


def test_the_size_of_each_chunk_is_counted(value):
    buckets = {le: value("stream_server_chunk_size_bytes_bucket", le=le) for le in ("256.0", "1024.0", "16384.0")}
    assert buckets == {"256.0": 2, "1024.0": 2 + 2 * 4, "16384.0": 2 * CHUNKS}
    assert value("stream_server_chunk_size_bytes_count") == 2 * CHUNKS
    assert value("stream_server_chunk_size_bytes_sum") == 2 * BYTES


def test_a_stream_that_ended_is_not_active(value):
    assert value("stream_server_active") == 2
    assert value("stream_server_finished_total", {**COMPLETED, "status_code": "200"}) == 1
    assert value("stream_server_duration_seconds_count", COMPLETED) == 1
    assert value("stream_server_duration_seconds_sum", COMPLETED) == 3.5
