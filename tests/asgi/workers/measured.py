"""The app that each worker process imports."""

import asyncio
import os

from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from streamgauge.asgi import StreamMetrics


async def stream(request):
    """Stream ``chunks`` events that name the worker; with ``hold``, then wait until the client hangs up."""
    chunks, hold = int(request.query_params["chunks"]), "hold" in request.query_params

    async def events():
        for number in range(chunks):
            yield b"data: %d pid=%d\n\n" % (number, os.getpid())
            await asyncio.sleep(0.001 * (number % 2))
        if hold:
            await asyncio.sleep(600)

    return StreamingResponse(events(), media_type="text/event-stream")


app = StreamMetrics(Starlette(routes=[Route("/s", stream)]))
