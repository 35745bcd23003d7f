"""How the end of a response is found: files that the server sends itself, and disconnects around the last message."""

import asyncio
from contextlib import suppress

import pytest
from prometheus_client import CollectorRegistry

from streamgauge.asgi import StreamMetrics

STARTED, LABELS = "stream_server_started_total", {"route": "none", "protocol": "websocket"}
FIELDS = [(b"content-type", b"text/plain"), (b"x-accel-buffering", b"no")]
START = {"type": "http.response.start", "status": 200, "headers": FIELDS}
CHUNK = {"type": "http.response.body", "body": b"a line of text", "more_body": True}


@pytest.mark.parametrize("parts", [1, 3])
def test_zero_copy_messages_are_chunks_and_the_last_one_completes_the_response(server, parts):
    async def app(scope, receive, send):
        await send(START)
        for number in range(1, parts + 1):
            more = {"more_body": True} if number < parts else {}
            await send({"type": "http.response.zerocopysend", "file": 3, "count": 9, **more})
        server.clock.advance(64.0)

    server.run(app)
    assert server.outcomes() == {"completed": 1}
    assert server.value("chunks_total") == parts
    assert server.value("body_bytes_total") == 9 * parts
    assert server.value("duration_seconds_sum") == 0.0


def test_a_disconnect_that_comes_with_the_end_of_the_response_is_no_hang_up(server):
    """hypercorn reports one as soon as it has the last message, which frameworks send without a body."""
    server.hangs_up_at = 3

    async def app(scope, receive, send):
        await send(START)
        await send(CHUNK)
        await send({"type": "http.response.body"})

    server.run(app)
    assert server.outcomes() == {"completed": 1}


def test_after_a_send_that_waited_for_the_reader_a_hang_up_is_noticed_at_once(server):
    """A server may return from a send that waited because the client has hung up, before it reports the hang-up."""
    sent = []

    async def app(scope, receive, send):
        await send(START)
        await send(CHUNK)
        server.send_s = 1.0
        asyncio.get_running_loop().call_soon(server.disconnected.set)
        for _ in range(100):
            sent.append(1)
            await send(CHUNK)

    server.run(app)
    assert server.outcomes() == {"client_disconnect": 1}
    assert len(sent) < 10


class ClientDisconnected(OSError):
    """The error of uvicorn's send on a closed WebSocket, by its name."""


@pytest.mark.parametrize(("code", "outcome"), [(1012, "shutdown"), (1006, "client_disconnect"), (1000, "completed")])
def test_a_websocket_whose_send_fails_before_the_disconnect_is_read_ends_by_its_code(code, outcome):
    registry, arrived = CollectorRegistry(), asyncio.Queue()

    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        while True:
            await send({"type": "websocket.send", "text": "x"})

    async def send(message):
        await asyncio.sleep(0)
        if message["type"] == "websocket.send" and registry.get_sample_value(STARTED, LABELS):
            arrived.put_nowait({"type": "websocket.disconnect", "code": code})
            raise ClientDisconnected

    measured = StreamMetrics(app, registry=registry)
    with suppress(ClientDisconnected):
        asyncio.run(measured({"type": "websocket", "path": "/"}, arrived.get, send))
    labels = {**LABELS, "outcome": outcome, "status_code": "101"}
    assert registry.get_sample_value("stream_server_finished_total", labels) == 1
