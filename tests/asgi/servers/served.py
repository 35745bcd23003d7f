"""The app that each server serves by its own command line: ``app`` is Starlette's, ``bare`` knows no lifespan."""

import asyncio
import os

from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from streamgauge.asgi import StreamMetrics, serve_metrics

EVENT, LINE, PIECE = b"data: 1\n\n", b'{"number": 1}\n', b"x" * 100
#: More than any server and kernel buffer for a reader that does not read.
FLOOD = 640, b"x" * 65536


async def several(chunk, times=5):
    for _ in range(times):
        yield chunk
        await asyncio.sleep(0.005)


async def failing():
    async for chunk in several(EVENT, 2):
        yield chunk
    raise ValueError("after the first byte")


async def endless():
    while True:
        yield EVENT
        await asyncio.sleep(0.02)


async def flood():
    times, chunk = FLOOD
    for _ in range(times):
        yield chunk


def streaming(make, media_type="text/event-stream", **headers):
    async def endpoint(request):
        return StreamingResponse(make(), media_type=media_type, headers=headers)

    return endpoint


async def plain(request):
    return JSONResponse({})


async def broken(request):
    raise ValueError("before the first byte")


async def events(request):
    async def items():
        while True:
            yield {"data": "1"}
            await asyncio.sleep(0.02)

    return EventSourceResponse(items())


async def socket(websocket):
    await websocket.accept()
    for _ in range(3):
        await websocket.send_text("x")
    await websocket.close()


async def endless_socket(websocket):
    await websocket.accept()
    while True:
        await websocket.send_text("x")
        await asyncio.sleep(0.02)


routes = [
    Route("/sse", streaming(lambda: several(EVENT))),
    Route("/ndjson", streaming(lambda: several(LINE), "application/x-ndjson")),
    Route("/raw", streaming(lambda: several(PIECE), "application/octet-stream")),
    Route("/length", streaming(lambda: several(PIECE), "application/octet-stream", **{"content-length": "500"})),
    Route("/plain", plain),
    Route("/broken", broken),
    Route("/failing", streaming(failing)),
    Route("/endless", streaming(endless)),
    Route("/left", streaming(endless)),
    Route("/flood", streaming(flood, "application/octet-stream")),
    Route("/sse-starlette", events),
    WebSocketRoute("/socket", socket),
    WebSocketRoute("/endless-socket", endless_socket),
]


async def without_lifespan(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    async for chunk in endless():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})


app = StreamMetrics(Starlette(routes=routes))
bare = StreamMetrics(without_lifespan, route=lambda scope: scope["path"])
if "METRICS_PORT" in os.environ:
    serve_metrics(port=int(os.environ["METRICS_PORT"]))
