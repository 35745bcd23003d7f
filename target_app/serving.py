"""Serving: the two ports, uvicorn, the start's announcement and a clean end."""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence

import uvicorn

from streamgauge.asgi import MetricsPortError, MetricsServer, StreamMetrics, serve_metrics
from target_app.app import create_app
from target_app.settings import Settings, read_settings

_BACKLOG = 2048


class Server(uvicorn.Server):
    """uvicorn, which says on standard output where it listens once it does: one line of JSON, for programs."""

    def __init__(self, config: uvicorn.Config, announcement: dict[str, object]) -> None:
        super().__init__(config)
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then announce it."""
        await super().startup(sockets)
        sys.stdout.write(json.dumps(self._announcement) + "\n")
        sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; the exit status is 2 where a setting or a port cannot be had."""
    settings = read_settings(arguments)
    app = StreamMetrics(create_app(), stamps=True)
    try:
        listener = _listen(settings.host, settings.port)
        metrics = serve_metrics(settings.metrics_port, settings.host)
    except MetricsPortError as error:
        return _refuse(f"--metrics-port {settings.metrics_port}: {error}")
    except OSError as error:
        return _refuse(f"--port {settings.port} on --host {settings.host}: {error.strerror or error}")
    with listener, metrics:
        _serve(settings, app, listener, metrics)
    return 0


def _serve(settings: Settings, app: StreamMetrics, listener: socket.socket, metrics: MetricsServer) -> None:
    config = uvicorn.Config(
        app,
        http="h11" if settings.http == "h11" else "httptools",
        access_log=False,
        log_level=settings.log_level,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=settings.grace_s,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_no_cancellation)
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{port}"
    server = Server(config, {"event": "listening", "url": url, "metrics_url": metrics.url, "pid": os.getpid()})

    def end(*_: object) -> None:
        server.should_exit = True

    # uvicorn raises what it caught again after its shutdown; here it is taken for what it was, a wish to end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    server.run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, so that a port in use is known before anything else starts."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """Whether a log record is about anything but a stream cut at the end of the grace time, which is expected."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _refuse(reason: str) -> int:
    sys.stderr.write(f"target_app: {reason}\n")
    return 2
