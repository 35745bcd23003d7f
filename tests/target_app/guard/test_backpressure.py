"""A client that does not read costs the server little, for a short time, and others nothing."""

import bisect
import itertools
import selectors
import signal
import socket
import struct
import time
from pathlib import Path

import pytest

LIMIT_BYTES = 320 * 1024
CLIENTS = 50
INTERVAL_S = 0.02
WINDOW_S = 3.0
BYTES_PER_S = 250_000
#: Linux's; its control message has the same number.
SO_TIMESTAMPNS = 35
HANDSHAKE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
)


#: What a client asks for that never reads, as fast as it comes.
ASKED = {
    "small": ("/stream/bytes?chunks=10000&interval_ms=0&chunk_bytes=1024", b""),
    "large": ("/stream/bytes?chunks=10000&interval_ms=0&chunk_bytes=65536", b""),
    "compressed": ("/stream/ndjson?chunks=10000&interval_ms=0&chunk_bytes=4096", b"Accept-Encoding: br\r\n"),
    "websocket": ("/stream/ws?chunks=10000&interval_ms=0", HANDSHAKE),
}


def all_wait(app):
    """Whether no stream has sent anything while the loop had several turns, in each of which one that can send does."""
    return len({app.metric("stream_server_body_bytes_total") for _ in range(5)}) == 1


@pytest.mark.parametrize("parser", ["httptools", "h11"])
@pytest.mark.parametrize(("path", "fields"), ASKED.values(), ids=ASKED)
def test_a_client_that_never_reads_is_bounded(start, parser, refuse_reading, memory, until, path, fields):
    app = start("--http", parser, "--send-timeout-s", "3600", "--tcp-user-timeout-s", "0")
    app.get(path.replace("/ws", "/sse").replace("10000", "10"))  # what it makes once is there
    before = memory(app)
    refuse_reading(app, CLIENTS, path, fields)
    until(lambda: app.metric("stream_server_active") == CLIENTS and all_wait(app))
    at = memory(app)
    assert at.connections >= CLIENTS
    assert at.process_bytes - before.process_bytes + at.kernel_bytes <= CLIENTS * LIMIT_BYTES


@pytest.mark.parametrize("parser", ["httptools", "h11"])
def test_a_client_that_never_reads_is_gone_after_the_send_timeout(start, parser, refuse_reading, memory, until):
    app = start("--http", parser, "--send-timeout-s", "1", "--tcp-user-timeout-s", "1")
    for path, fields in ASKED.values():
        refuse_reading(app, CLIENTS // 5, path, fields)
    expected = len(ASKED) * (CLIENTS // 5)
    until(lambda: app.metric("stream_server_finished_total", outcome="send_timeout") == expected)
    until(lambda: memory(app).connections == 0 == app.metric("stream_server_active"))


def test_a_client_that_stops_reading_a_slow_stream_is_gone_too(start, memory, until):
    """No send waits there, for all fits the buffers: the kernel's own limit ends it."""
    app = start("--send-timeout-s", "60", "--tcp-user-timeout-s", "1", "--send-buffer-bytes", "1048576")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    with connection:
        connection.connect(app.address)
        connection.sendall(
            b"GET /stream/bytes?chunks=100&interval_ms=0&chunk_bytes=1024 HTTP/1.1\r\nHost: test\r\n\r\n"
        )
        until(lambda: app.metric("stream_server_started_total") == 1)
        until(lambda: memory(app).connections == 0)
    until(lambda: app.metric("stream_server_active") == 0)


def test_where_the_kernel_gives_up_first_that_counts_as_a_send_timeout(start, begin, until):
    app = start("--send-timeout-s", "60", "--tcp-user-timeout-s", "1")
    begin(app, "/stream/bytes?chunks=10000&interval_ms=0&chunk_bytes=8192")
    until(lambda: app.metric("stream_server_finished_total", outcome="send_timeout") == 1)


def test_a_client_that_reads_slowly_but_reads_is_served_to_its_end(start):
    app = start("--send-timeout-s", "2", "--tcp-user-timeout-s", "2")
    size_bytes = 100 * 8192
    with app.connect("/stream/bytes?chunks=100&interval_ms=0&chunk_bytes=8192") as connection:
        received, began_s = 0, time.monotonic()
        while received < size_bytes:
            piece = connection.recv(16384)
            assert piece, "cut"
            received += len(piece)
            # A quarter of a megabyte a second, for more than the timeout; who was late does not wait on top of that.
            time.sleep(max(0, began_s + received / BYTES_PER_S - time.monotonic()))
    assert app.metric("stream_server_finished_total", outcome="send_timeout") == 0


def test_clients_that_never_read_do_not_hold_the_drain_up(start, refuse_reading, until):
    app = start("--grace-s", "2")
    refuse_reading(app, 5)
    until(lambda: app.metric("stream_server_active") == 5)
    app.process.send_signal(signal.SIGTERM)
    assert app.end() == 0


class Waits:
    """When it was looked how long the app, or who looks, was kept from running: ready, and without a processor."""

    def __init__(self, app):
        self._schedules = [Path(f"/proc/{each}/schedstat") for each in (app.process.pid, "thread-self")]
        self._times_ns, self._waits_ns = [], []
        self.look()

    def look(self):
        self._times_ns.append(time.time_ns())
        # Of the machine's processors the host may take some: the eighth number, in hundredths of a second.
        stolen_ns = int(Path("/proc/stat").read_text().split(maxsplit=9)[8]) * 10**7
        self._waits_ns.append(stolen_ns + sum(int(each.read_text().split()[1]) for each in self._schedules))

    def between_ns(self, before_ns, after_ns):
        """At most."""
        first = max(0, bisect.bisect_right(self._times_ns, before_ns) - 1)
        last = min(len(self._times_ns) - 1, bisect.bisect_left(self._times_ns, after_ns))
        return self._waits_ns[last] - self._waits_ns[first]


def arrivals_ns(connection):
    """When the kernel had what this reads; nothing where it had it before stamps were asked for."""
    data, stamps, *_ = connection.recvmsg(65536, socket.CMSG_SPACE(16))
    assert data
    return [seconds * 10**9 + rest_ns for seconds, rest_ns in (struct.unpack("qq", stamp) for *_, stamp in stamps)]


def gaps_s(app, connections, meanwhile):
    """The chunk intervals of streams, less what the machine is to blame for, while ``meanwhile`` has been called."""
    found_ns, waits = {each: [] for each in connections}, Waits(app)
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            selector.register(connection, selectors.EVENT_READ)
        meanwhile()
        until_s = time.monotonic() + WINDOW_S
        while time.monotonic() < until_s:
            ready = selector.select(INTERVAL_S)
            waits.look()
            for key, _ in ready:
                found_ns[key.fileobj] += arrivals_ns(key.fileobj)
    pairs = [pair for each in found_ns.values() for pair in itertools.pairwise(each)]
    return sorted((after - before - waits.between_ns(before, after)) / 1e9 for before, after in pairs)


def test_200_clients_that_never_read_do_not_double_the_chunk_interval_of_others(start, begin, refuse_reading, until):
    app = start("--send-timeout-s", "2", "--tcp-user-timeout-s", "2")
    connections = [begin(app, f"/stream/sse?chunks=10000&interval_ms={INTERVAL_S * 1000:g}") for _ in range(20)]
    gaps = gaps_s(app, connections, refuse_reading(app, 200, at_once=False))
    assert len(gaps) > 200
    assert gaps[len(gaps) * 99 // 100] < 2 * INTERVAL_S
    for connection in connections:
        connection.close()
    until(lambda: app.metric("stream_server_finished_total", outcome="send_timeout") == 200)
