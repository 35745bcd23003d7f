"""Send stamps: in every event if the client asks for them, and only then."""

import http.client
import re
import time

import pytest
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from streamgauge.asgi.chunk_counting import EventCounter
from streamgauge.asgi.stamps import Stamper, clock_name

STAMP = re.compile(rb": clock=[0-9a-f]{16} received=[0-9]{19}\n|: sent=[0-9]{19}\n")
EVENTS = {
    "event": (b"data: 1\n\n", 1),
    "events in one message": (b"data: 1\n\nid: 2\nevent: x\ndata: 2\n\n", 2),
    "event of bare field name": (b"data\n\n", 1),
    "crlf": (b"data: 1\r\n\r\ndata: 2\r\n\r\n", 2),
    "cr": (b"data: 1\r\rdata: 2\r\r", 2),
    "mixed line ends": (b"data: 1\r\n\rdata: 2\n\r\ndata: 3\r\n\n", 3),
    "heartbeat, then event": (b": ping\n\ndata: 1\n\n", 1),
    "comment inside an event": (b": note\ndata: 1\n\n", 1),
    "fields without data": (b"retry: 3000\n\ndatabase: 7\n\n", 0),
    "a long line": (b"data: " + b"x" * 40 + b"\n\n", 1),
    "byte order mark": (b"\xef\xbb\xbfdata: 1\n\n", 1),
    "unfinished": (b"data: 1\n\ndata: 2\n", 1),
    "blank lines": (b"\n\n\ndata: 1\n\n\n\n", 1),
}


def stamped(pieces: list[bytes]) -> bytes:
    stamper = Stamper()
    return b"".join(stamper.stamp(piece) for piece in pieces)


@pytest.mark.parametrize(("body", "events"), EVENTS.values(), ids=EVENTS)
def test_each_event_has_one_stamp_at_its_end_however_the_app_splits_it(body, events):
    cuts = [[body], [body[at : at + 1] for at in range(len(body))]]
    cuts += [[body[:cut], body[cut:]] for cut in range(1, len(body))]
    for pieces in cuts:
        found = stamped(pieces)
        assert STAMP.sub(b"", found) == body, pieces
        blocks = found.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n\n")
        assert sum(bool(re.search(rb"\n: sent=[0-9]{19}$", block)) for block in blocks) == events, pieces
        assert len(re.findall(rb": clock=", found)) == min(events, 1)
        assert EventCounter().count(found) == EventCounter().count(body)


def test_a_stamp_is_the_wall_clock_when_the_event_was_completed():
    stamper = Stamper()
    first = stamper.stamp(b"data: 1\n")
    before_ns = time.time_ns()
    assert b"sent" not in first
    (sent,) = re.findall(rb"sent=(\d+)", stamper.stamp(b"\n"))
    assert before_ns <= int(sent) <= time.time_ns()


def response(**options):
    async def endpoint(request):
        async def body():
            for chunk in (b"data: 1\n\n", b": ping\n\n", b"id: 2\nda", b"ta: 2\n\n"):
                yield chunk

        return StreamingResponse(body(), **{"media_type": "text/event-stream", **options})

    return Starlette(routes=[Route("/s", endpoint)])


PLAIN = b"data: 1\n\n: ping\n\nid: 2\ndata: 2\n\n"


def get(service, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    try:
        connection.request(method, "/s", headers=headers)
        answer = connection.getresponse()
        return answer.getheaders(), answer.read()
    finally:
        connection.close()


ASK = {"Streamgauge-Stamps": "1"}


def names(headers):
    return [name.lower() for name, _ in headers]


def test_a_stream_has_stamps_and_their_header_if_the_client_asks(serve, parser):
    service = serve(response(), parser, stamps=True)
    headers, body = get(service, **ASK)
    assert ("streamgauge-stamps", clock_name()) in [(name.lower(), value) for name, value in headers]
    assert STAMP.sub(b"", body) == PLAIN
    assert body.count(b": sent=") == 2


def test_totals_include_the_stamps(serve):
    service = serve(response(), stamps=True)
    _, body = get(service, **ASK)
    assert service.value("body_bytes_total") == len(body)
    assert service.value("chunks_total") == 2
    assert service.value("heartbeats_total") == 1
    assert service.value("chunk_size_bytes_sum") == len(body) - len(b": ping\n\n") - 2 * len(b"\n\n")


@pytest.mark.parametrize(
    ("allowed", "ask"), [(True, {}), (False, ASK), (True, {"Streamgauge-Stamps": "0"})], ids=["unasked", "off", "0"]
)
def test_a_stream_without_stamps_is_unchanged(serve, allowed, ask):
    headers, body = get(serve(response(), stamps=allowed), **ask)
    assert body == PLAIN
    assert "streamgauge-stamps" not in names(headers)


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"content-length": str(len(PLAIN))}},
        {"headers": {"content-encoding": "x-coded"}},
        {"media_type": "application/x-ndjson"},
        {"media_type": "text/plain"},
    ],
    ids=["length", "coded", "ndjson", "text"],
)
def test_a_response_that_cannot_be_stamped_is_unchanged(serve, options):
    headers, body = get(serve(response(**options), stamps=True), **ASK)
    assert body == PLAIN
    assert "streamgauge-stamps" not in names(headers)


def test_a_head_request_gets_no_stamps(serve):
    headers, _ = get(serve(response(), stamps=True), "HEAD", **ASK)
    assert "streamgauge-stamps" not in names(headers)
