"""Streams without end whose client hangs up: of every kind, with both HTTP parsers, unpaced and between two chunks.

Afterwards the app must answer others, and count nothing as under way any longer.
"""

import socket
import time

import pytest

from target_app.streams.catalogue import STREAMS

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
UNPACED, IDLE = "chunks=100000&interval_ms=0", "chunks=50&interval_ms=60000"
#: The knobs of those that do not take these.
UNPACED_KNOBS = {
    "/v1/chat/completions": "chunks=10000&interval_ms=0&chunk_bytes=4096",
    "/pathologies/blocking": "chunks=10000&interval_ms=0&block_ms=250",
    "/pathologies/never-awaits": "",
    "/pathologies/buffered": "chunks=2000&interval_ms=30",
    "/pathologies/unterminated": "chunks=10000&interval_ms=0&chunk_bytes=4096",
    "/pathologies/hidden-error": "chunks=10000&interval_ms=0&chunk_bytes=4096",
}
IDLE_KNOBS = {
    "/v1/chat/completions": "chunks=300&interval_ms=10000",
    **{f"/pathologies/{name}": "chunks=60&interval_ms=1000" for name in ("unterminated", "hidden-error")},
}
UNPACED_PATHS = [stream.path for stream in STREAMS]
IDLE_PATHS = [path for path in UNPACED_PATHS if path in IDLE_KNOBS or not path.startswith("/pathologies/")]


@pytest.fixture
def hang_up(app, asked):
    """Asks for a stream, reads its first bytes, if it sends any, and resets the connection; so many times at once."""

    def leave(path, query, times=3):
        target = f"{path.replace('{name}', 'telemetry.bin')}?{query}"
        options = {"headers": UPGRADE} if path == "/stream/ws" else asked(path)
        reset([app.connect(target, **options) for _ in range(times)], path)

    return leave


def reset(connections, path):
    for connection in connections:
        if "buffered" in path:
            time.sleep(0.1)  # there is nothing that could be waited for
        else:
            assert connection.recv(100)
        # Unread data, or this option, make a reset of it, as a process makes that is killed.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()


def check_all_is_well(app):
    """A worker that a stream holds for good answers nobody any longer."""
    assert app.get("/healthz").status == 200
    app.settle()


@pytest.mark.parametrize("path", UNPACED_PATHS)
def test_a_hang_up_amid_chunks_ends_the_stream(app, hang_up, path):
    hang_up(path, UNPACED_KNOBS.get(path, UNPACED))
    check_all_is_well(app)


@pytest.mark.parametrize("path", IDLE_PATHS)
def test_a_hang_up_between_two_chunks_ends_the_stream(app, until, hang_up, path):
    app.settle()
    labels = {"route": path, "outcome": "client_disconnect"}
    before = app.metric("stream_server_finished_total", **labels)
    hang_up(path, IDLE_KNOBS.get(path, IDLE))
    check_all_is_well(app)
    until(lambda: app.metric("stream_server_finished_total", **labels) == before + 3)


@pytest.mark.parametrize(
    ("path", "query", "metric"),
    [
        ("/v1/chat/completions", "chunks=2000&interval_ms=30", "http_server_request_duration_seconds_count"),
        ("/v1/chat/completions", "fail_at=0&fail_how=stall", "http_server_request_duration_seconds_count"),
        ("/pathologies/buffered", "chunks=2000&interval_ms=30", "stream_server_finished_total"),
    ],
)
def test_what_nobody_waits_for_is_not_gathered(app, until, asked, path, query, metric):
    """The answer in one piece: it is given up, long before it would have been there."""
    app.settle()
    before = app.metric(metric, route=path)
    with app.connect(f"{path}?{query}", **asked(path, stream=False)):
        time.sleep(0.1)  # there is nothing that could be waited for
    until(lambda: app.metric(metric, route=path) == before + 1)
