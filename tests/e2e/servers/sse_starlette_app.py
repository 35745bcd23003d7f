"""Starlette: sse-starlette's events (CRLF, comment pings) and NDJSON, with a log of ns before and after each send."""

import asyncio
import json
import socket
import time

import uvicorn
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

PING_S = 1
CONNECTIONS = set()
STREAMS = []
SENT = []


async def paced(request):
    """The numbers 1 to ``chunks`` at a pace, each logged when it is let go and when it was sent."""
    knobs = request.query_params
    chunks, interval_s = int(knobs.get("chunks", 20)), float(knobs.get("interval_ms", 50)) / 1000
    CONNECTIONS.add(request.scope["client"])
    sends, sent = [], []
    STREAMS.append(sends)
    SENT.append(sent)
    begin = time.monotonic()
    for number in range(1, chunks + 1):
        await asyncio.sleep(begin + number * interval_s - time.monotonic())
        sends.append(time.monotonic_ns())
        yield number, number == chunks
        sent.append(time.monotonic_ns())


async def sse(request):
    """Two lines of data and an id in each event; the last one is ``event: done``."""

    async def events():
        async for number, last in paced(request):
            data = f"gauge {number}\nlevel {number / 100:.2f} m — Höhe"
            yield {"event": "done" if last else "level", "id": str(number), "data": data}

    return EventSourceResponse(events(), ping=PING_S)


async def ndjson(request):
    """A line a number."""

    async def lines():
        async for number, last in paced(request):
            yield json.dumps({"number": number, "type": "done" if last else "level"}) + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


async def log(request):
    """What happened since the last call."""
    found = {"connections": len(CONNECTIONS), "streams": list(STREAMS), "sent": list(SENT)}
    CONNECTIONS.clear()
    STREAMS.clear()
    SENT.clear()
    return JSONResponse(found)


if __name__ == "__main__":
    app = Starlette(routes=[Route("/sse", sse), Route("/ndjson", ndjson), Route("/log", log)])
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])
