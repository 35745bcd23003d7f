"""Connections under TLS: a WebSocket, and odd ends: refused after the handshake, damaged, or closed in half."""

import itertools
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.routing import Network
from streamgauge.client.connect.target import target_of
from streamgauge.client.connect.tls import TlsSettings
from streamgauge.client.exchange import Exchange
from streamgauge.client.http.request import Request
from streamgauge.client.plan import StreamPlan
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.session import Session
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.wire.rules import read_end
from streamgauge.wire.sse import SSE
from streamgauge.wire.websocket import WEBSOCKET
from streamgauge.wire.websocket_handshake import accept_of

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
EVENT = b"data: 1\n\n"
WHOLE = HEAD + b"Content-Length: 9\r\n\r\n" + EVENT
HALF = HEAD + b"Content-Length: 18\r\n\r\n" + EVENT


class Authority:
    """A certificate authority, what trusts it, and servers with its certificates."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self._ca.cert_pem.write_to_path(str(folder / "ca.pem"))
        self.network = Network(tls=TlsSettings(str(folder / "ca.pem")))
        self._listeners: list[socket.socket] = []

    def serve(self, answer: Callable[[ssl.SSLSocket, bytes], None], *, mutual: bool = False) -> str:
        """The URL of a server that answers each connection's first request."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert("localhost").configure_cert(context)
        if mutual:
            self._ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        listener = socket.create_server(("127.0.0.1", 0))
        self._listeners.append(listener)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection = listener.accept()[0]
                    threading.Thread(target=converse, args=(connection,), daemon=True).start()

        def converse(connection: socket.socket) -> None:
            with suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
                answer(secured, secured.recv(65_536))

        threading.Thread(target=accept, daemon=True).start()
        return f"https://localhost:{listener.getsockname()[1]}/"

    def close(self) -> None:
        for listener in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


@pytest.fixture
def authority(tmp_path):
    authority = Authority(tmp_path)
    yield authority
    authority.close()


def plan_of(url: str, method: str = "GET") -> StreamPlan:
    return StreamPlan("stream", Request(method, target_of(url), {}), SSE)


def test_a_client_that_is_refused_after_the_handshake_is_a_tls_failure(authority):
    url = authority.serve(lambda secured, request: None, mutual=True)
    (record,) = run_streams([plan_of(url)], network=authority.network)
    assert record.outcome is Outcome.CONNECT_ERROR
    assert "certificate required" in record.reason


def test_what_came_before_a_damaged_record_counts(authority):
    def answer(secured, request):
        secured.sendall(HALF)
        with socket.socket(fileno=secured.detach()) as connection:
            connection.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
            connection.recv(1)

    (record,) = run_streams([plan_of(authority.serve(answer))], network=authority.network)
    assert (record.outcome, record.chunks) == (Outcome.TRUNCATED, 1)
    assert "record" in record.reason  # how it is named depends on the version of OpenSSL


def test_a_connection_that_only_tls_has_closed_is_not_kept(authority):
    """The server says goodbye and leaves TCP open: a second request on it, which may not be repeated, would be lost."""

    def answer(secured, request):
        secured.sendall(WHOLE)
        with suppress(ssl.SSLError):
            secured.unwrap()

    url = authority.serve(answer)
    reactor, session = SelectorReactor(), Session(authority.network)
    context = ProcessContext(ProcessStats(), reactor)
    for _ in range(3):
        paused = []
        exchange = Exchange(plan_of(url, "POST"), context, lambda paused=paused: paused.append(True))
        session.run(exchange, lambda paused=paused: reactor.run_until(lambda: bool(paused)))
        assert exchange.record.outcome is Outcome.COMPLETED, exchange.record.reason
    session.close()
    reactor.close()


REFUSED = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\n"


@pytest.mark.parametrize("pieces", [(REFUSED + b"gone",), (REFUSED, b"gone")], ids=["one record", "two records"])
def test_a_refusal_says_why_and_leaves_its_connection(authority, pieces):
    ports = set()

    def answer(secured, request):
        while request:
            ports.add(secured.getpeername())
            for piece in pieces:
                secured.sendall(piece)
            request = secured.recv(65_536)

    url = authority.serve(answer)
    reactor, session = SelectorReactor(), Session(authority.network)
    context = ProcessContext(ProcessStats(), reactor)
    for _ in range(3):
        paused = []
        exchange = Exchange(plan_of(url, "POST"), context, lambda paused=paused: paused.append(True))
        session.run(exchange, lambda paused=paused: reactor.run_until(lambda: bool(paused)))
        assert exchange.record.reason == "status 404 Not Found, body: gone"
    session.close()
    reactor.close()
    assert len(ports) == 1


def test_a_wait_for_a_cpu_while_shaking_hands_leaves_the_time_to_first_chunk_open(authority):
    """It may have delayed the handshake by all of it or not at all: the account says an hour each time it is read."""
    reactor, session, paused = SelectorReactor(), Session(authority.network), []
    hours = itertools.count(0, 3_600 * 10**9)
    context = ProcessContext(ProcessStats(), reactor, cpu_waited_ns=lambda: next(hours))
    url = authority.serve(lambda secured, request: secured.sendall(WHOLE))
    exchange = Exchange(plan_of(url), context, lambda: paused.append(True))
    session.run(exchange, lambda: reactor.run_until(lambda: bool(paused)))
    session.close()
    reactor.close()
    record = exchange.record
    assert record.chunks > 0
    least_s, most_s = record.time_to_first_chunk_range_s
    assert least_s == 0 < record.time_to_first_chunk_s < most_s
    assert record.duration_range_s[0] == 0 < record.duration_s < record.duration_range_s[1]


def test_a_websocket_under_tls_is_streamed_from(authority):
    def answer(secured, request):
        (key,) = (line[19:] for line in request.decode().split("\r\n") if line.startswith("Sec-WebSocket-Key: "))
        upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        secured.sendall(f"{upgrade}Sec-WebSocket-Accept: {accept_of(key)}\r\n\r\n".encode())
        for _ in range(3):
            secured.sendall(b"\x82\x01x")
        secured.sendall(b"\x88\x02\x03\xe8")
        secured.recv(1)

    url = authority.serve(answer).replace("https", "wss")
    plan = StreamPlan("stream", Request("GET", target_of(url), {}), WEBSOCKET, end=read_end("chunks:3"))
    (record,) = run_streams([plan], network=authority.network)
    assert (record.outcome, record.chunks, record.bytes) == (Outcome.COMPLETED, 3, 3), record.reason
