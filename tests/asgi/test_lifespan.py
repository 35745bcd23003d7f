"""The lifespan of a measured app, also of one that does not support the protocol."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from streamgauge.asgi import StreamMetrics
from streamgauge.asgi.recorder import Recorder

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
CHUNK = {"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True}
BOTH = ["lifespan.startup.complete", "lifespan.shutdown.complete"]


class Server:
    """A server that starts and ends the lifespan of an app, and in between runs requests that it cancels."""

    def __init__(self, app):
        self.registry = CollectorRegistry()
        self.app = StreamMetrics(app, registry=self.registry)
        self.sent = []

    async def _lifespan(self, messages):
        async def receive():
            return {"type": f"lifespan.{await messages.get()}"}

        async def send(message):
            self.sent.append(message["type"])

        await self.app({"type": "lifespan"}, receive, send)

    async def _request(self):
        async def receive():
            await asyncio.Event().wait()

        async def send(message):
            pass

        await self.app({"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send)

    async def run(self, requests=0):
        messages = asyncio.Queue()
        await messages.put("startup")
        lifespan = asyncio.create_task(self._lifespan(messages))
        await asyncio.sleep(0.01)
        running = [asyncio.create_task(self._request()) for _ in range(requests)]
        await asyncio.sleep(0.01)
        for each in running:
            each.cancel()
        await messages.put("shutdown")
        await lifespan
        self.shut_down = self.outcomes()
        await asyncio.gather(*running, return_exceptions=True)

    def outcomes(self):
        samples = [sample for family in self.registry.collect() for sample in family.samples if sample.value]
        return {s.labels["outcome"]: s.value for s in samples if s.name == "stream_server_finished_total"}

    def recorders(self):
        return self.registry.get_sample_value("stream_server_recorders")


async def stream(scope, receive, send):
    await send(START)
    await send(CHUNK)
    await asyncio.sleep(60)


async def silent(scope, receive, send):
    """Know nothing of the lifespan, and return."""
    if scope["type"] == "http":
        await stream(scope, receive, send)


async def refusing(scope, receive, send):
    """Know nothing of the lifespan, and fail, as Django does."""
    if scope["type"] != "http":
        raise ValueError("only HTTP")
    await stream(scope, receive, send)


async def supporting(scope, receive, send):
    if scope["type"] == "http":
        await stream(scope, receive, send)
        return
    for event in ("startup", "shutdown"):
        assert (await receive())["type"] == f"lifespan.{event}"
        await send({"type": f"lifespan.{event}.complete"})


async def leaving(scope, receive, send):
    """Return after the start."""
    if scope["type"] == "http":
        await stream(scope, receive, send)
        return
    await receive()
    await send({"type": "lifespan.startup.complete"})


@pytest.mark.parametrize("app", [silent, refusing, supporting, leaving])
def test_streams_that_the_server_cancelled_are_counted_before_the_lifespan_is_over(app):
    server = Server(app)
    asyncio.run(server.run(requests=3))
    assert server.sent == BOTH
    assert server.shut_down == server.outcomes() == {"shutdown": 3}


def test_a_stream_that_does_not_unwind_is_counted_all_the_same(monkeypatch):
    monkeypatch.setattr(Recorder, "UNWINDING_S", 0.05)

    async def stubborn(scope, receive, send):
        if scope["type"] == "http":
            await send(START)
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await asyncio.sleep(0.5)
                raise

    server = Server(stubborn)
    asyncio.run(server.run(requests=1))
    assert server.shut_down == server.outcomes() == {"shutdown": 1}


def test_a_recorder_is_shown_from_the_start_to_the_end_of_the_lifespan():
    seen = []

    async def app(scope, receive, send):
        seen.append(server.recorders())
        await supporting(scope, receive, send)

    server = Server(app)
    assert server.recorders() == 0
    asyncio.run(server.run())
    assert seen == [1]
    assert server.recorders() == 0


def test_an_error_after_the_start_of_the_lifespan_passes():
    async def failing(scope, receive, send):
        await receive()
        raise OSError("no database")

    server = Server(failing)
    with pytest.raises(OSError, match="no database"):
        asyncio.run(server.run())
    assert server.sent == []


def test_a_failed_start_is_passed_on_and_nothing_is_added():
    async def failing(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    server = Server(failing)
    asyncio.run(server.run())
    assert server.sent == ["lifespan.startup.failed"]
