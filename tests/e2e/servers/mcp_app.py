"""An MCP server that carries the middleware: streamable HTTP at /mcp, and the older transport at /sse.

``python mcp_app.py`` prints its addresses as JSON, and after each response of event streams the number of its events.
"""

import contextlib
import json
import socket
import sys

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from starlette.applications import Starlette

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
    raise ValueError("the gauge is dry")


class Tap:
    """Writes down what the middleware passes on to the server: an independent count."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        body, is_stream = [], False

        async def send_and_note(message):
            nonlocal is_stream
            if message["type"] == "http.response.start":
                is_stream = dict(message["headers"]).get(b"content-type", b"").startswith(b"text/event-stream")
            elif message["type"] == "http.response.body":
                body.append(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            if is_stream:
                sent = b"".join(body)
                tell(event="stream", method=scope["method"], events=sent.count(b"\r\ndata: "), bytes=len(sent))


def tell(**event):
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


@contextlib.asynccontextmanager
async def lifespan(_):
    async with river.session_manager.run():
        yield


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    routes = [*river.streamable_http_app().routes, *river.sse_app().routes]
    app = Tap(StreamMetrics(Starlette(routes=routes, lifespan=lifespan)))
    with serve_metrics(0) as metrics:
        tell(event="listening", url=f"http://127.0.0.1:{listener.getsockname()[1]}", metrics_url=metrics.url)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
