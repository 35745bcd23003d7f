"""What a redirection leads to: odd locations, and what of the request goes along."""

import pytest

from streamgauge.stats.outcome import Outcome

COMPLETED, PROTOCOL_ERROR = Outcome.COMPLETED, Outcome.PROTOCOL_ERROR
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\n\r\ndata: 1\n\n"


def moved(location: bytes, status: int = 302, *fields: bytes) -> bytes:
    lines = (b"HTTP/1.1 %d Moved" % status, b"Location: " + location, b"Content-Length: 0", *fields, b"", b"")
    return b"\r\n".join(lines)


LOCATIONS = {
    "UTF-8": (b"/caf\xc3\xa9", "/caf%C3%A9"),
    "no UTF-8": (b"/caf\xe9", "/caf%E9"),
    "escaped": (b"/caf%C3%A9?a=%26", "/caf%C3%A9?a=%26"),
    "a blank": (b"/a b", "/a%20b"),
    "a fragment": (b"/a#b?c", "/a"),
    "a query": (b"?b=1", "/?b=1"),
    "dots": (b"a/../b/./c", "/b/c"),
}


@pytest.mark.parametrize(("location", "path"), LOCATIONS.values(), ids=LOCATIONS)
def test_a_location_is_asked_for_as_browsers_would(location, path, stream, server):
    server.scripts[path] = [EVENTS]
    record = stream([moved(location)])
    assert (record.outcome, record.chunks) == (COMPLETED, 1), record.reason


NOWHERE = {
    "no IPv6 address": (b"http://[::1/", "not a URL"),
    "no address in brackets": (b"//[zz]/", "not a URL"),
    "no port": (b"http://a:99999/", "not a URL"),
    "no host name": (b"http://a b/", "not a host name"),
    "a socket of ours": (b"http+unix://%2Frun%2Fdocker.sock/", "not for a server to choose"),
    "another protocol": (b"file:///etc/passwd", "expected a scheme"),
}


@pytest.mark.parametrize(("location", "reason"), NOWHERE.values(), ids=NOWHERE)
def test_a_location_that_leads_nowhere_is_the_servers_mistake(location, reason, stream):
    record = stream([moved(location)])
    assert (record.outcome, record.status) == (PROTOCOL_ERROR, 302)
    assert reason in record.reason


def test_port_zero_is_no_default_port(stream):
    assert stream([moved(b"http://127.0.0.1:0/")]).outcome is Outcome.CONNECT_ERROR


@pytest.mark.parametrize(
    ("name", "along"),
    [("Cookie", False), ("authorization", False), ("Proxy-Authorization", False), ("X-Request", True)],
)
def test_a_secret_goes_along_within_the_origin_alone(name, along, stream, server, make_server):
    other = make_server()
    server.scripts["/there"] = [moved(other.url("/").encode())]
    other.scripts["/"] = [EVENTS]
    record = stream([moved(b"/there")], headers={name: "session=1"})
    assert record.outcome is COMPLETED, record.reason
    assert [b"session=1" in head for head in (*server.requests, *other.requests)] == [True, True, along]


@pytest.mark.parametrize(
    ("status", "method"), [(301, b"GET"), (302, b"GET"), (303, b"GET"), (307, b"POST"), (308, b"POST")]
)
def test_the_body_goes_along_where_the_method_does(status, method, stream, server):
    bodies = []

    def read_body(connection, head):
        bodies.append(connection.recv(2) if b"Content-Length: 2" in head else b"")

    server.scripts["/there"] = [read_body, EVENTS]
    record = stream([read_body, moved(b"/there", status)], method="POST", body=b"hi")
    assert record.outcome is COMPLETED, record.reason
    assert server.requests[1].startswith(method + b" /there ")
    assert bodies == [b"hi", b"hi" if method == b"POST" else b""]


KEPT = {
    "no body": ([moved(b"/there")], 1),
    "a body": ([b"HTTP/1.1 302 Moved\r\nLocation: /there\r\nContent-Length: 5\r\n\r\nthere"], 1),
    "a body in transfer chunks": (
        [b"HTTP/1.1 302 Moved\r\nLocation: /there\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"], 1,
    ),
    "a body that is still to come": (
        [b"HTTP/1.1 302 Moved\r\nLocation: /there\r\nContent-Length: 5\r\n\r\n", "read", b"there"], 1,
    ),
    "a body until close": ([b"HTTP/1.1 302 Moved\r\nLocation: /there\r\n\r\nthere", "fin"], 2),
    "it closes": ([moved(b"/there", 302, b"Connection: close"), "fin"], 2),
    "it closes and does not say so": ([moved(b"/there"), "fin"], 2),
}  # fmt: skip


@pytest.mark.parametrize(("script", "connections"), KEPT.values(), ids=KEPT)
def test_a_redirect_within_the_origin_is_followed_on_the_same_connection_where_that_can_be(
    script, connections, stream, server
):
    server.scripts["/there"] = [EVENTS]
    record = stream(script)
    assert (record.outcome, record.chunks) == (COMPLETED, 1), record.reason
    assert server.connections == connections


@pytest.mark.parametrize(("hops", "outcome"), [(10, COMPLETED), (11, Outcome.HTTP_ERROR)])
def test_ten_redirects_are_followed_unless_the_plan_says_otherwise(hops, outcome, stream, server):
    server.scripts |= {f"/{left}": [moved(b"/%d" % (left - 1))] for left in range(1, hops)} | {"/0": [EVENTS]}
    assert stream([moved(b"/%d" % (hops - 1))]).outcome is outcome
    assert len(server.requests) == 11
