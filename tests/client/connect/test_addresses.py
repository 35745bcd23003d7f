"""Where a host is: its addresses one after the other, a proxy in between, and what stays behind a Unix socket."""

import socket
import struct
import threading
from contextlib import ExitStack, suppress

import psutil
import pytest

from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.happy_eyeballs import ATTEMPT_DELAY_S
from streamgauge.client.connect.routing import Network
from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.stats.outcome import Outcome
from streamgauge.wire.sse import SSE

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\n\r\ndata: 1\n\n"


@pytest.fixture
def refusing_port():
    """A port that nobody listens on, and that nobody else is given meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def many(monkeypatch):
    """Gives the host ``many.test`` these addresses."""
    found: list[tuple[str, int]] = []
    ask = socket.getaddrinfo

    def getaddrinfo(host, *args, **options):
        if host != "many.test":
            return ask(host, *args, **options)
        families = [socket.AF_INET6 if ":" in where[0] else socket.AF_INET for where in found]
        return [(family, socket.SOCK_STREAM, 6, "", where) for family, where in zip(families, found, strict=True)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return found


@pytest.fixture
def silent():
    """Makes addresses that do not answer: their queue of connections is full."""
    with ExitStack() as stack:

        def make(host):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            try:
                listener = stack.enter_context(socket.create_server((host, 0), family=family, backlog=0))
            except OSError:
                pytest.skip(f"no {host} here")
            where = listener.getsockname()
            while True:
                waiting = stack.enter_context(socket.socket(family))
                waiting.settimeout(0.2)
                try:
                    waiting.connect(where)
                except TimeoutError:
                    return where

        yield make


@pytest.mark.parametrize("before", [1, 2])
def test_an_address_that_does_not_answer_holds_up_its_own_family_alone(before, many, silent, server, plan):
    many += [*[silent("::1")] * before, ("127.0.0.1", server.port)]
    (record,) = run_streams([plan([EVENTS], url=f"http://many.test:{server.port}/")])
    assert (record.outcome, record.chunks) == (Outcome.COMPLETED, 1), record.reason
    assert server.connections == 1


def test_two_addresses_of_one_family_are_not_tried_at_once(many, silent, server, plan):
    many += [silent("127.0.0.1"), ("127.0.0.1", server.port)]
    url = f"http://many.test:{server.port}/"
    (record,) = run_streams([plan([EVENTS], url=url, first_chunk_timeout_s=3 * ATTEMPT_DELAY_S)])
    assert record.outcome is Outcome.CONNECT_ERROR
    assert server.connections == 0


def trying():
    """The connections of this process that nobody has answered."""
    return {each.laddr for each in psutil.Process().net_connections() if each.status == psutil.CONN_SYN_SENT}


def test_who_lost_the_race_is_closed(many, silent, server, plan):
    many += [silent("::1"), ("127.0.0.1", server.port)]
    before = trying()
    run_streams([plan([EVENTS], url=f"http://many.test:{server.port}/")])
    assert trying() == before


@pytest.mark.parametrize("through", ["directly", "by a proxy"])
def test_an_address_that_refuses_is_followed_by_the_next_one(through, many, server, refusing_port):
    many += [("127.0.0.1", refusing_port), ("127.0.0.1", refusing_port), ("127.0.0.1", server.port)]
    url = f"http://many.test:{server.port}/" if through == "directly" else "http://elsewhere.test/"
    network = Network() if through == "directly" else Network(proxy=f"http://many.test:{server.port}")
    server.scripts["/" if through == "directly" else url] = [EVENTS]
    (record,) = run_streams([StreamPlan("stream", Request("GET", target_of(url), {}), SSE)], network=network)
    assert (record.outcome, record.chunks) == (Outcome.COMPLETED, 1), record.reason


def test_where_all_addresses_refuse_none_is_connected_to(many, plan, refusing_port):
    many += [("127.0.0.1", refusing_port)] * 2
    (record,) = run_streams([plan(url="http://many.test/")])
    assert record.outcome is Outcome.CONNECT_ERROR
    assert "refused" in record.reason


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answering(answer: bytes):
    """A proxy that answers CONNECT so, and then waits for the client to leave."""

    def behave(connection: socket.socket) -> None:
        connection.recv(65_536)
        for start in range(0, len(answer), 10):
            connection.sendall(answer[start : start + 10])
        connection.recv(1)

    return behave


PROXIES = {
    "resets at once": (reset, "the proxy"),
    "closes at once": (lambda connection: None, "the proxy"),
    "closes on the request": (lambda connection: connection.recv(65_536), "instead of opening a tunnel"),
    "speaks no HTTP": (answering(b"SSH-2.0-OpenSSH\r\n"), "expected a status line"),
    "sends elsewhere": (answering(b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n"), "answered 302 Found"),
    "refuses after an interim response": (
        answering(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\n\r\n"),
        "answered 403 No",
    ),
    "says nothing": (answering(b""), "no first chunk within 0.5 s"),
}


@pytest.mark.parametrize(("behave", "reason"), PROXIES.values(), ids=PROXIES)
def test_a_proxy_that_opens_no_tunnel_is_a_connect_error(behave, reason):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with suppress(OSError), listener.accept()[0] as connection:
                behave(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        network = Network(proxy=f"http://me:secret@127.0.0.1:{listener.getsockname()[1]}")
        request = Request("GET", target_of("https://elsewhere.test/"), {})
        (record,) = run_streams([StreamPlan("stream", request, limits=Limits(0.5))], network=network)
        thread.join(10)
    assert record.outcome is Outcome.CONNECT_ERROR
    assert reason in record.reason


def test_a_proxy_that_refuses_a_plain_request_is_an_http_error(server):
    server.scripts["http://elsewhere.test/"] = [
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    ]
    request = Request("GET", target_of("http://elsewhere.test/"), {})
    (record,) = run_streams([StreamPlan("stream", request)], network=Network(proxy=server.url()))
    assert (record.outcome, record.status) == (Outcome.HTTP_ERROR, 407)


def test_a_tunnel_is_asked_for_by_host_and_port_with_credentials(server):
    """An IPv6 address stands in brackets, and the port is always there."""
    server.scripts["[::1]:443"] = [b"HTTP/1.1 503 No\r\n\r\n"]
    network = Network(proxy=f"http://me:p%40ss@127.0.0.1:{server.port}")
    run_streams([StreamPlan("stream", Request("GET", target_of("https://[::1]/x"), {}))], network=network)
    lines = server.requests[0].split(b"\r\n")
    assert lines[:3] == [
        b"CONNECT [::1]:443 HTTP/1.1",
        b"Host: [::1]:443",
        b"Proxy-Authorization: Basic bWU6cEBzcw==",
    ]


@pytest.mark.parametrize("location", [b"/there", b"http://localhost/there", b"http://localhost:80/there"])
def test_a_redirect_to_the_name_that_a_unix_socket_was_asked_by_stays_there(location, tmp_path):
    """Frameworks make a location whole by the Host field, as Starlette does for a slash at the end."""
    moved = b"HTTP/1.1 307 Moved\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    heads: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()

        def serve():
            for answer in (moved, EVENTS):
                with listener.accept()[0] as connection:
                    heads.append(connection.recv(65_536))
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = "http+unix://" + str(tmp_path / "s").replace("/", "%2F") + "/here"
        (record,) = run_streams([StreamPlan("stream", Request("GET", target_of(url), {}), SSE)])
        thread.join(10)
    assert (record.outcome, record.chunks) == (Outcome.COMPLETED, 1), record.reason
    assert heads[1].startswith(b"GET /there HTTP/1.1\r\nHost: localhost\r\n")
