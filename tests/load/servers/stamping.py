"""A real uvicorn whose event streams are stamped, held up for a known time on their way, and logged.

Arguments: how far its clock is ahead, in seconds, and its drift in ppm; both 0 for the machine's own clock. It prints
its port. ``/log`` tells the delay of each event from its stamp to the moments before and after it was sent, the totals,
and how far the clock is ahead by now.
"""

import asyncio
import random
import re
import socket
import sys
import time

import uvicorn
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from streamgauge.asgi import StreamMetrics, stamps

OFFSET_S, DRIFT_PPM = map(float, sys.argv[1:])
BEGAN_NS = time.time_ns()
SENT = re.compile(rb": sent=(\d+)\n")
registry = CollectorRegistry()
before_ns: list[int] = []
after_ns: list[int] = []


def server_ns() -> int:
    """The server's wall clock."""
    now_ns = time.time_ns()
    return now_ns + round(OFFSET_S * 1e9 + (now_ns - BEGAN_NS) * DRIFT_PPM * 1e-6)


async def events(request):
    async def body():
        for number in range(int(request.query_params["chunks"])):
            yield f"id: {number}\ndata: {{}}\n\n"
            await asyncio.sleep(0.02)
        yield "event: done\ndata: {}\n\n"

    return StreamingResponse(body(), media_type="text/event-stream")


async def log(request):
    samples = {sample.name: sample.value for family in registry.collect() for sample in family.samples}
    names = ("stream_server_chunks_total", "stream_server_body_bytes_total", "stream_server_started_total")
    found = {"before_ns": before_ns, "after_ns": after_ns, "ahead_s": (server_ns() - time.time_ns()) / 1e9}
    return JSONResponse({**found, **{name: samples[name] for name in names}})


measured = StreamMetrics(Starlette(routes=[Route("/sse", events), Route("/log", log)]), registry=registry, stamps=True)


async def app(scope, receive, send):
    async def hold_up(message):
        if found := SENT.search(message.get("body", b"")):
            await asyncio.sleep(max(0.0, random.expovariate(1 / 0.005) - 0.002))
        before = server_ns()
        await send(message)
        if found:
            before_ns.append(before - int(found[1]))
            after_ns.append(server_ns() - int(found[1]))

    await measured(scope, receive, hold_up)


if OFFSET_S or DRIFT_PPM:
    stamps.time_ns = server_ns
    stamps.clock_name = lambda: b"another clock".hex()[:16]
# of the protocol, or asyncio leaves Nagle's algorithm on
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
# asyncio's own transports send at once, uvloop's at the end of the loop's turn
config = uvicorn.Config(app, loop="asyncio", log_level="critical", access_log=False, ws="none")
uvicorn.Server(config).run(sockets=[listener])
