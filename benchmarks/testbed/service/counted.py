"""Sends streams through the middleware on a clock of its own, so that each run executes the same instructions.

``python -m benchmarks.testbed.service.counted RUNS``, in JSON: a list of runs, each a list of streams, each of which is
``[CONTENT, WAY, CHUNKS]``. No server, no network, and no time: what remains is the cost of one chunk.
``benchmarks.instructions`` runs it under callgrind.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import count
from typing import Any

from prometheus_client import CollectorRegistry

from streamgauge.asgi import StreamMetrics

Send = Callable[[Any], Awaitable[None]]

WAYS = ("bare", "passing on", "streamgauge")
_EVENT = b'id: %d\nevent: reading\ndata: {"station":"Oberndorf","level_m":1.25,"flow_m3s":8.5,"note":"calm calm"}\n\n'
_TOKEN = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"content":" word %d"},"finish_reason":null}]}\n\n'
)
_LINE = b'{"number":%d,"station":"Oberndorf","level_m":1.25,"flow_m3s":8.5,"note":"calm calm"}\n'
#: So many bodies are made, however many are sent, so that making them does not count.
MOST_CHUNKS = 4_000
_QUICK_S, _PACED_S = 2.0**-17, 2.0**-5
#: Content → media type, template of a chunk, whether each chunk differs, and the time between two clock readings.
CONTENTS: dict[str, tuple[bytes, bytes, bool, float]] = {
    "raw messages": (b"application/octet-stream", _EVENT, True, _QUICK_S),
    "known events": (b"text/event-stream", _EVENT, False, _QUICK_S),
    "new events": (b"text/event-stream", _EVENT, True, _QUICK_S),
    "new tokens": (b"text/event-stream", _TOKEN, True, _QUICK_S),
    "new lines": (b"application/x-ndjson", _LINE, True, _QUICK_S),
    "paced events": (b"text/event-stream", _EVENT, True, _PACED_S),
}


def app_of(media_type: bytes, bodies: Sequence[bytes]) -> Any:
    async def app(_scope: Any, _receive: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", media_type)]})
        for body in bodies:
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app


def passing_on(app: Any) -> Any:
    async def middleware(scope: Any, receive: Any, send: Send) -> None:
        async def pass_on(message: Any) -> None:
            await send(message)

        await app(scope, receive, pass_on)

    return middleware


def set_clock(readings: Iterator[float]) -> None:
    """Make every module of the middleware read the time from ``readings``."""
    for name, module in list(sys.modules.items()):
        if name.startswith("streamgauge.asgi") and hasattr(module, "perf_counter"):
            vars(module)["perf_counter"] = readings.__next__


async def stream(content: str, way: str, chunks: int) -> None:
    """Send one stream of ``chunks`` chunks."""
    media_type, template, differs, step_s = CONTENTS[content]
    bodies = [template % (number if differs else 0) for number in range(MOST_CHUNKS)]
    app = app_of(media_type, bodies[:chunks])
    if way == "streamgauge":
        app = StreamMetrics(app, registry=CollectorRegistry(), route=lambda _: "/s", yield_after_s=float("inf"))
    elif way == "passing on":
        app = passing_on(app)

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(_message: Any) -> None: ...

    set_clock(count(1024.0, step_s))
    await app({"type": "http", "method": "GET", "path": "/s", "headers": []}, receive, send)


def main(runs: list[list[tuple[str, str, int]]]) -> None:
    """Send the streams of each run in a process of its own, one after the other."""
    for streams in runs:
        if pid := os.fork():
            os.waitpid(pid, 0)
        else:
            for content, way, chunks in streams:
                asyncio.run(stream(content, way, chunks))
            os._exit(0)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
