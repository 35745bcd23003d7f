"""The service: event streams of one content in three forms, with the instrument that the environment names.

``/fast`` sends pre-encoded events, ``/encoding`` encodes each event, and ``/native`` lets FastAPI encode it.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel

from benchmarks.testbed.service import BARE, VARIABLE

#: Number of different events; then they repeat.
CYCLE = 256
MEDIA_TYPE = "text/event-stream"


class Reading(BaseModel):
    """The data of one event."""

    number: int
    station: str
    level_m: float
    flow_m3s: float
    note: str


def reading(number: int) -> Reading:
    level_m, flow_m3s = 1.25 + number % 7 / 100, 8.5 + number % 11 / 10
    return Reading(number=number, station="Oberndorf", level_m=level_m, flow_m3s=flow_m3s, note="calm " * 12)


def encoded(one: Reading) -> bytes:
    """Encode the event as FastAPI's native form does."""
    return b"data: %b\n\n" % one.model_dump_json().encode()


READINGS = [reading(number) for number in range(CYCLE)]
EVENTS = [encoded(one) for one in READINGS]


def coded_bytes(chunks: int) -> int:
    """Return the bytes of a stream of ``chunks`` events, one transfer chunk each, with the last chunk."""
    sizes = (len(EVENTS[number % CYCLE]) for number in range(chunks))
    return sum(len(f"{size:x}\r\n\r\n") + size for size in sizes) + len("0\r\n\r\n")


async def pre_encoded(chunks: int, interval_s: float) -> AsyncGenerator[bytes]:
    now = asyncio.get_running_loop().time
    begin_s = now()
    for number in range(chunks):
        if interval_s:
            await asyncio.sleep(begin_s + number * interval_s - now())
        yield EVENTS[number % CYCLE]


async def encoding(chunks: int) -> AsyncGenerator[bytes]:
    for number in range(chunks):
        yield encoded(READINGS[number % CYCLE])


service = FastAPI()


@service.get("/fast")
async def stream_fast(chunks: int, interval_ms: float = 0) -> StreamingResponse:
    return StreamingResponse(pre_encoded(chunks, interval_ms / 1000), media_type=MEDIA_TYPE)


@service.get("/encoding")
async def stream_encoding(chunks: int) -> StreamingResponse:
    return StreamingResponse(encoding(chunks), media_type=MEDIA_TYPE)


@service.get("/native", response_class=EventSourceResponse)
async def stream_native(chunks: int) -> AsyncIterable[Reading]:
    for number in range(chunks):
        yield READINGS[number % CYCLE]


def instrumented(name: str) -> Any:
    """Return the service with the named instrument, set up as its documentation says."""
    if name == "streamgauge":
        from streamgauge.asgi import StreamMetrics

        return StreamMetrics(service)
    if name == "prometheus-fastapi-instrumentator":
        from prometheus_fastapi_instrumentator import Instrumentator

        Instrumentator().instrument(service)
    if name == "starlette-exporter":
        from starlette_exporter import PrometheusMiddleware

        service.add_middleware(PrometheusMiddleware)
    return service


app = instrumented(os.environ.get(VARIABLE, BARE))
