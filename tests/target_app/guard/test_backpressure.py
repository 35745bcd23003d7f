"""A client that does not read costs the server little, for a short time, and others nothing."""

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

LIMIT_BYTES = 320 * 1024
CLIENTS = 50
WINDOW_S = 3.0
HANDSHAKE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
)


def warm(app, path):
    """What the app makes once is there before its memory is looked at."""
    app.get(path.replace("/ws", "/sse").replace("10000", "10"))


@pytest.fixture(params=["httptools", "h11"])
def impatient(request, start):
    """An app that gives up on a client after two seconds."""
    return start("--http", request.param, "--send-timeout-s", "2", "--tcp-user-timeout-s", "2")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/stream/bytes?chunks=10000&interval_ms=0&chunk_bytes=1024", b""),
        ("/stream/bytes?chunks=10000&interval_ms=0&chunk_bytes=65536", b""),
        ("/stream/ndjson?chunks=10000&interval_ms=0&chunk_bytes=4096", b"Accept-Encoding: br\r\n"),
        ("/stream/ws?chunks=10000&interval_ms=0", HANDSHAKE),
    ],
    ids=["small", "large", "compressed", "websocket"],
)
def test_a_client_that_never_reads_is_bounded_then_gone(impatient, refuse_reading, memory, eventually, path, fields):
    warm(impatient, path)
    before = memory(impatient)
    refuse_reading(impatient, CLIENTS, path, fields)
    eventually(lambda: impatient.metric("stream_server_active") == CLIENTS)
    most = before
    while impatient.metric("stream_server_active") == CLIENTS:
        most = max(most, memory(impatient), key=lambda at: at.process_bytes + at.kernel_bytes)
    assert most.connections >= CLIENTS
    assert most.process_bytes - before.process_bytes + most.kernel_bytes <= CLIENTS * LIMIT_BYTES
    eventually(lambda: memory(impatient).connections == 0)
    eventually(lambda: impatient.metric("stream_server_active") == 0)
    assert impatient.metric("stream_server_finished_total", outcome="send_timeout") == CLIENTS


def test_a_client_that_stops_reading_a_slow_stream_is_gone_too(start, memory, eventually):
    """No send waits there, for all fits the buffers: the kernel's own limit ends it."""
    app = start("--send-timeout-s", "60", "--tcp-user-timeout-s", "1", "--send-buffer-bytes", "1048576")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    with connection:
        connection.connect(app.address)
        connection.sendall(
            b"GET /stream/bytes?chunks=100&interval_ms=0&chunk_bytes=1024 HTTP/1.1\r\nHost: test\r\n\r\n"
        )
        eventually(lambda: app.metric("stream_server_started_total") == 1)
        eventually(lambda: memory(app).connections == 0)
    assert app.metric("stream_server_active") == 0


def test_where_the_kernel_gives_up_first_that_counts_as_a_send_timeout(start, begin, eventually):
    app = start("--send-timeout-s", "60", "--tcp-user-timeout-s", "1")
    begin(app, "/stream/bytes?chunks=10000&interval_ms=0&chunk_bytes=8192")
    eventually(lambda: app.metric("stream_server_finished_total", outcome="send_timeout") == 1)


def test_a_client_that_reads_slowly_but_reads_is_served_to_its_end(start):
    app = start("--send-timeout-s", "2", "--tcp-user-timeout-s", "2")
    size_bytes = 100 * 8192
    with app.connect("/stream/bytes?chunks=100&interval_ms=0&chunk_bytes=8192") as connection:
        received = 0
        while received < size_bytes:
            piece = connection.recv(16384)
            assert piece, "cut"
            received += len(piece)
            time.sleep(0.05)  # a reader at a third of a megabyte a second, for more than the timeout
    assert app.metric("stream_server_finished_total", outcome="send_timeout") == 0


def test_clients_that_never_read_do_not_hold_the_drain_up(start, refuse_reading, eventually):
    app = start("--grace-s", "2")
    refuse_reading(app, 5)
    eventually(lambda: app.metric("stream_server_active") == 5)
    app.process.send_signal(signal.SIGTERM)
    assert app.process.wait(20) == 0


class Listener(threading.Thread):
    """A client that notes when the chunks of one stream came."""

    def __init__(self, connection, until_s):
        super().__init__()
        self.connection, self.until_s = connection, until_s
        self.gaps_s = []

    def run(self):
        last_s = None
        while time.monotonic() < self.until_s and self.connection.recv(65536):
            now_s = time.monotonic()
            if last_s is not None:
                self.gaps_s.append(now_s - last_s)
            last_s = now_s


def _waited_s(app):
    """How long the app was ready to run, and had no processor to run on."""
    return int(Path(f"/proc/{app.process.pid}/schedstat").read_text().split()[1]) / 1e9


def _p99_s(app, begin, others):
    """Of the chunk intervals of twenty streams, while ``others`` happens; and whether the app had its processor."""
    connections, waited_s = [begin(app) for _ in range(20)], _waited_s(app)
    listeners = [Listener(connection, time.monotonic() + WINDOW_S) for connection in connections]
    for listener in listeners:
        listener.start()
    others()
    for listener in listeners:
        listener.join()
    for connection in connections:
        connection.close()
    gaps_s = sorted(gap_s for listener in listeners for gap_s in listener.gaps_s)
    return gaps_s[len(gaps_s) * 99 // 100], _waited_s(app) - waited_s < WINDOW_S / 8


def test_200_clients_that_never_read_do_not_double_the_chunk_interval_of_others(start, begin, refuse_reading):
    app = start("--send-timeout-s", "2", "--tcp-user-timeout-s", "2")
    for _ in range(5):
        without_s, quiet = _p99_s(app, begin, lambda: None)
        with_s, still_quiet = _p99_s(app, begin, lambda: refuse_reading(app, 200))
        if quiet and (still_quiet or with_s < 2 * without_s):
            break
    else:
        assert "CI" not in os.environ, "the machine is too busy"
        pytest.skip("the machine is too busy to tell whose fault a late chunk is")
    assert with_s < 2 * without_s
    assert app.metric("stream_server_finished_total", outcome="send_timeout") >= 200
