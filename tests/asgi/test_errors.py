"""Errors and cancellations pass the middleware unchanged."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from streamgauge.asgi import StreamMetrics

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}


def run(app, registry, scope=None):
    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        pass

    return asyncio.run(
        StreamMetrics(app, registry=registry)(scope or {"type": "http", "method": "GET", "path": "/"}, receive, send)
    )


@pytest.mark.parametrize("error", [ValueError("broken"), OSError("disk"), KeyboardInterrupt(), SystemExit(3)])
def test_does_not_swallow_exceptions(error):
    async def app(scope, receive, send):
        await send(START)
        raise error

    registry = CollectorRegistry()
    with pytest.raises(type(error)) as caught:
        run(app, registry)
    assert caught.value is error
    labels = {"route": "none", "protocol": "sse", "outcome": "error", "status_code": "200"}
    assert registry.get_sample_value("stream_server_finished_total", labels) == 1


@pytest.mark.parametrize("kind", ["websocket", "something.else"])
def test_other_scopes_pass(kind):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    run(app, CollectorRegistry(), {"type": kind})
    assert seen == [kind]
