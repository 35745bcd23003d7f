"""One worker: uvicorn around the app, and its drain at SIGTERM.

uvicorn's own shutdown closes the port first, and a WebSocket with it. So the drain comes before: from the signal on
new streams are refused, those under way are asked to end, and only when they have, or the grace time is over, does
uvicorn shut down.
"""

import asyncio
import gc
import json
import logging
import math
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp as App
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from streamgauge.asgi import StreamMetrics, serve_metrics
from target_app.app import create_app
from target_app.compression import Compression
from target_app.guard.connection import watched
from target_app.guard.count import StreamCount
from target_app.guard.gate import Gate
from target_app.library import Library
from target_app.listener import BACKLOG, url_of
from target_app.settings import Settings

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: What uvicorn gets, when the drain is over, for connections whose last bytes are still on their way.
_LAST_BYTES_S = 1


class Server(uvicorn.Server):
    """uvicorn that drains. ``ready`` is called once it listens, ``close`` asks the streams under way to end.

    ``lifeline``, if not negative, is the reading end of a pipe whose other end a supervisor holds: when that ends, it
    is dead, and the drain begins as at a signal.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        gate: Gate,
        grace_s: float,
        *,
        ready: Callable[[], None],
        close: Callable[[str], None],
        lifeline: int = -1,
    ) -> None:
        super().__init__(config)
        self._gate = gate
        self._grace_s = grace_s
        self._ready = ready
        self._close = close
        self._lifeline = lifeline
        self._loop: asyncio.AbstractEventLoop | None = None
        #: Not before the drain has begun, whose signal may come just ahead of a tick; a second signal, before it has.
        self._cut_at_s = math.inf

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        if self._lifeline >= 0:
            self._loop.add_reader(self._lifeline, self.drain)
        # What is there now stays: no collection need walk it again, which would hold all streams up for a tenth of a
        # second each time.
        gc.collect()
        gc.freeze()
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """A signal: the first begins the drain, the second ends it.

        Under a supervisor SIGTERM alone does, and only begins it: what is sent to the whole group, as Ctrl-C in a
        terminal and systemd's SIGTERM are, arrives here beside what the supervisor makes of it, and is one wish.
        """
        supervised = self._lifeline >= 0
        if supervised and (sig == signal.SIGINT or self._gate.draining):
            return
        if self._loop is None:
            self.should_exit = True
        elif not self._gate.draining:
            self._gate.draining = True
            self._loop.call_soon_threadsafe(self.drain)
        else:
            self._cut_at_s = 0.0

    def drain(self) -> None:
        """Ask all streams to end, and give them the grace time."""
        loop = asyncio.get_running_loop()
        if self._lifeline >= 0:
            loop.remove_reader(self._lifeline)
        self._gate.draining = True
        self._cut_at_s = min(self._cut_at_s, loop.time() + self._grace_s)
        self._close("shutdown")

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to shut down."""
        if self._gate.draining and self._loop is not None:
            late = self._loop.time() >= self._cut_at_s
            if late:
                self._gate.cut_all("shutdown")
            self.should_exit = self.should_exit or late or not self._gate.running
        return await super().on_tick(counter)


def serve_alone(settings: Settings, listener: socket.socket) -> None:
    """Serve in this process, its metrics in a thread of it. Raises ``MetricsPortError``."""
    with serve_metrics(settings.metrics_port, settings.metrics_host) as metrics:

        def announce() -> None:
            say(event="listening", url=url, metrics_url=metrics.url, pid=os.getpid(), workers=[os.getpid()])

        url = url_of(listener, settings.host)
        run(settings, listener, announce)


def run(
    settings: Settings,
    listener: socket.socket,
    ready: Callable[[], None],
    *,
    streams: StreamCount | None = None,
    library: Library | None = None,
    lifeline: int = -1,
) -> None:
    """Serve on ``listener`` until a signal, or until the pipe ``lifeline`` ends.

    ``streams`` and ``library``: the count and the files that this worker shares with others.
    """
    app = create_app(settings, library)
    gate: Gate = app.state.gate
    if streams is not None:
        gate.streams = streams
    served: App = StreamMetrics(app, stamps=True)
    if settings.compression:
        served = Compression(served, settings.compress_from_bytes)
    config = _configuration(settings, served)
    closing = app.state.closing
    server = Server(config, gate, settings.grace_s, ready=ready, close=closing.close, lifeline=lifeline)
    # uvicorn raises what it caught again after its shutdown; here it is taken for what it was, a wish to end.
    for number in _SIGNALS:
        signal.signal(number, server.handle_exit)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {*_SIGNALS, signal.SIGCHLD})
    server.run(sockets=[listener])


def _configuration(settings: Settings, app: App) -> uvicorn.Config:
    http = H11Protocol if settings.http == "h11" else HttpToolsProtocol
    config = uvicorn.Config(
        app,
        http=watched(http, settings),
        ws=watched(WSProtocol, settings),
        ws_max_size=settings.max_body_bytes,
        ws_per_message_deflate=False,  # it takes a quarter of a megabyte of each connection, whose limit that nearly is
        access_log=False,
        log_level=settings.log_level,
        backlog=BACKLOG,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=_LAST_BYTES_S,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_no_cancellation)
    return config


def say(**event: object) -> None:
    """One line of JSON on standard output, for programs."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """Whether a log record is about anything but a stream cut at the end of the grace time, which is expected."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
