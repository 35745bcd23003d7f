"""An MCP server that carries the middleware: streamable HTTP at /mcp, and the older transport at /sse.

``python mcp_app.py`` prints its addresses as JSON.
"""

import contextlib
import json
import socket
import sys

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from starlette.applications import Starlette
from starlette.responses import JSONResponse

from streamgauge.asgi import StreamMetrics, serve_metrics

river = MCPServer("river")


@river.tool()
async def read_levels(readings: int, ctx: Context) -> str:
    """Report the progress of each reading."""
    for number in range(readings):
        await ctx.report_progress(number + 1, readings)
    return f"{readings} readings"


@river.tool()
async def fail() -> str:
    """Fail: MCP says so in its answer, not by a status."""
    raise ToolError("the gauge is dry")


class Tap:
    """Counts what the middleware passes on to the server: independently, and for whoever asks at /tap."""

    def __init__(self, app):
        self.app = app
        self.streams = []

    async def __call__(self, scope, receive, send):
        if scope.get("path") == "/tap":
            await JSONResponse(self.streams)(scope, receive, send)
            return
        found = None

        async def count_and_send(message):
            nonlocal found
            if message["type"] == "http.response.start":
                if dict(message["headers"]).get(b"content-type", b"").startswith(b"text/event-stream"):
                    found = {"method": scope["method"], "events": 0, "bytes": 0}
                    self.streams.append(found)
            elif message["type"] == "http.response.body" and found is not None:
                body = message.get("body", b"")
                found["events"] += body.count(b"\r\ndata: ")
                found["bytes"] += len(body)
            await send(message)

        await self.app(scope, receive, count_and_send)


@contextlib.asynccontextmanager
async def lifespan(_):
    async with river.session_manager.run():
        yield


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    routes = [*river.streamable_http_app().routes, *river.sse_app().routes]
    app = Tap(StreamMetrics(Starlette(routes=routes, lifespan=lifespan)))
    with serve_metrics(0) as metrics:
        addresses = {"url": f"http://127.0.0.1:{listener.getsockname()[1]}", "metrics_url": metrics.url}
        sys.stdout.write(json.dumps(addresses) + "\n")
        sys.stdout.flush()
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
