"""The metrics port takes a bounded part of the process, whatever its clients do."""

import re
import socket
import struct
import threading
import time

import pytest

from streamgauge.asgi import metrics_port
from streamgauge.asgi.metrics_port import MAX_CONNECTIONS, MAX_FIELDS, MAX_REQUEST_BYTES, MetricsPort, Response

PAGE = b"river_level_meters 1.5\n"
GET = b"GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n"


def listen():
    return socket.create_server(("127.0.0.1", 0))


@pytest.fixture
def body():
    return PAGE


@pytest.fixture
def port(body):
    def handle(request):
        if request.path == "/broken":
            raise ValueError("a page that cannot be made")
        return Response("200 OK", [("Content-Type", "text/plain")], body)

    running = MetricsPort(listen(), listen, handle)
    yield running
    running.close()


@pytest.fixture
def connect(port):
    opened = []

    def open_connection(sent=b""):
        opened.append(socket.create_connection(port.listener.getsockname(), timeout=60))
        opened[-1].sendall(sent)
        return opened[-1]

    yield open_connection
    for each in opened:
        each.close()


def answer(connection):
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def status(answered):
    return int(answered.split()[1])


def test_answers_one_request_and_closes(connect):
    answered = answer(connect(GET + GET))
    assert answered.count(b"HTTP/1.1 200 OK\r\n") == 1
    assert re.search(rb"\r\nContent-Length: 23\r\n", answered)
    assert answered.endswith(b"\r\n\r\n" + PAGE)


def test_a_request_may_come_byte_by_byte(connect):
    connection = connect()
    for byte in GET:
        connection.sendall(bytes([byte]))
    assert answer(connection).endswith(PAGE)


def test_head_has_the_fields_of_get_and_no_body(connect):
    answered = answer(connect(GET.replace(b"GET", b"HEAD")))
    assert b"Content-Length: 23\r\n" in answered
    assert answered.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody", 405),
        (b"DELETE /metrics HTTP/1.1\r\n\r\n", 405),
        (b"GET /metrics\r\n\r\n", 400),
        (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        (b"GET /" + b"x" * MAX_REQUEST_BYTES + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET /metrics HTTP/1.1\r\n" + b"a: b\r\n" * (MAX_FIELDS + 1) + b"\r\n", 431),
        (b"x" * (MAX_REQUEST_BYTES + 1), 431),
        (b"GET /metrics HTTP/1.1\r\n" + b"a: b\r\n" * MAX_FIELDS + b"\r\n", 200),
        (b"GET /metrics HTTP/1.0\n\n", 200),
    ],
)
def test_limits_of_a_request(connect, sent, expected):
    assert status(answer(connect(sent))) == expected


def test_an_error_of_the_page_is_a_500_that_names_it(connect, caplog):
    answered = answer(connect(b"GET /broken HTTP/1.1\r\n\r\n"))
    assert status(answered) == 500
    assert b"a page that cannot be made" in answered
    assert "cannot be rendered" in caplog.text
    assert answer(connect(GET)).endswith(PAGE)


def test_resets_and_half_closed_connections_are_no_errors(connect, caplog, capfd):
    for sent in (b"", GET[:10], GET):
        connection = connect(sent)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    half_closed = connect(GET[:10])
    half_closed.shutdown(socket.SHUT_WR)
    assert half_closed.recv(100) == b""
    assert answer(connect(GET)).endswith(PAGE)
    assert caplog.text == capfd.readouterr().err == ""


def test_idle_connections_take_no_thread_and_never_keep_a_scrape_out(connect):
    threads = threading.active_count()
    idle = [connect() for _ in range(2 * MAX_CONNECTIONS)]
    assert answer(connect(GET)).endswith(PAGE)
    assert threading.active_count() == threads
    assert idle[0].recv(100) == b"", "the oldest are closed"


def test_a_request_that_does_not_come_in_time_is_answered_and_an_idle_connection_closed(connect, monkeypatch):
    monkeypatch.setattr(metrics_port, "REQUEST_S", 0.1)
    slow, silent = connect(GET[:10]), connect()
    assert status(answer(slow)) == 408
    assert answer(silent) == b""


@pytest.mark.parametrize("body", [b"x" * 50_000_000], ids=["more than the kernel takes"])
def test_a_scraper_that_does_not_read_is_dropped(connect, port, monkeypatch, until):
    monkeypatch.setattr(metrics_port, "RESPONSE_S", 0.2)
    reader = connect(GET)
    until(lambda: port._connections)
    until(lambda: not port._connections)
    assert len(reader.recv(100)) == 100


def test_a_slow_scrape_of_a_large_page_is_whole(connect, monkeypatch):
    connection = connect(GET)
    time.sleep(0.05)
    assert answer(connection).endswith(PAGE)


def test_the_port_is_asked_for_again_until_it_is_free(monkeypatch, until):
    monkeypatch.setattr(metrics_port, "RETRY_S", 0.01)
    tries = []

    def third_time():
        tries.append(1)
        if len(tries) < 3:
            raise OSError("in use")
        return listen()

    running = MetricsPort(None, third_time, lambda request: Response("200 OK", [], PAGE))
    try:
        until(lambda: running.listener is not None)
        with socket.create_connection(running.listener.getsockname(), timeout=60) as connection:
            connection.sendall(GET)
            assert answer(connection).endswith(PAGE)
    finally:
        running.close()
