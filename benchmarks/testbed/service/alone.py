"""Measures the middleware without the kernel: uvicorn and FastAPI over a transport that drops all data.

Prints, as JSON, the smallest CPU time per chunk of all rounds in ns, since disturbances only add time: by content and
app, and of the recorder alone, for chunks in quick succession and for paced chunks.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from prometheus_client import CollectorRegistry
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from benchmarks.testbed.service.app import CYCLE, EVENTS, MEDIA_TYPE
from streamgauge.asgi import Instruments, StreamMetrics
from streamgauge.asgi.series import QUICK_S, StreamSeries

service = FastAPI()


async def known(chunks: int) -> AsyncGenerator[bytes]:
    for number in range(chunks):
        yield EVENTS[number % CYCLE]


async def new(chunks: int) -> AsyncGenerator[bytes]:
    for number in range(chunks):
        yield b"data: %d%b" % (number, EVENTS[0][6:])


CONTENTS = ("known events", "new events", "raw messages")


@service.get("/known")
async def stream_known(chunks: int) -> StreamingResponse:
    return StreamingResponse(known(chunks), media_type=MEDIA_TYPE)


@service.get("/new")
async def stream_new(chunks: int) -> StreamingResponse:
    return StreamingResponse(new(chunks), media_type=MEDIA_TYPE)


@service.get("/raw")
async def stream_raw(chunks: int) -> StreamingResponse:
    return StreamingResponse(known(chunks), media_type="application/octet-stream")


async def passing(scope: Any, receive: Any, send: Any) -> None:
    """Middleware that only passes messages on."""

    async def pass_on(message: Any) -> None:
        await send(message)

    await service(scope, receive, pass_on)


class Nowhere(asyncio.Transport):
    """A transport that drops all data."""

    closed = False

    def write(self, data: Any) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_protocol(self, protocol: Any) -> None: ...

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


async def cost_ns(app: Any, content: str, chunks: int) -> float:
    """Measure the CPU time per chunk of one stream."""
    config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off")
    config.load()
    protocol, transport = HttpToolsProtocol(config, ServerState(), {}, asyncio.get_running_loop()), Nowhere()
    protocol.connection_made(transport)
    begin_ns = time.process_time_ns()
    protocol.data_received(f"GET /{content}?chunks={chunks} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
    while not transport.closed:  # noqa: ASYNC110 - setting an event would add to the measured time
        await asyncio.sleep(0)
    return (time.process_time_ns() - begin_ns) / chunks


def recording_ns(interval_s: float, count: int) -> float:
    """Measure the CPU time of counting one chunk whose send time is known."""
    series = StreamSeries(Instruments.of(CollectorRegistry()), "/s", "sse")
    count_one = series.count_quick if interval_s <= QUICK_S else series.count_send
    count_one(interval_s, 1e-5, 60)
    numbers = range(count)
    begin_ns = time.process_time_ns()
    for _ in numbers:
        pass
    empty_ns = time.process_time_ns()
    for _ in numbers:
        count_one(interval_s, 1e-5, 60)
    return (time.process_time_ns() - empty_ns - (empty_ns - begin_ns)) / count


async def measure(rounds: int, chunks: int) -> dict[str, Any]:
    apps: dict[str, Callable[..., Any]] = {
        "bare": service,
        "passing on": passing,
        "streamgauge": StreamMetrics(service, registry=CollectorRegistry()),
    }
    found: dict[str, dict[str, float]] = {content: dict.fromkeys(apps, float("inf")) for content in CONTENTS}
    for _ in range(rounds):
        for content, least in found.items():
            for name, app in apps.items():
                least[name] = min(least[name], await cost_ns(app, content.split()[0], chunks))
    pauses = {"quick": 1e-5, "paced": 0.05}
    recorder = {name: min(recording_ns(s, chunks) for _ in range(rounds)) for name, s in pauses.items()}
    return {"contents": found, "recorder": recorder}


if __name__ == "__main__":
    import uvloop

    print(json.dumps(uvloop.run(measure(int(sys.argv[1]), int(sys.argv[2])))))
