"""One worker: uvicorn around the app, and its drain at SIGTERM.

uvicorn's own shutdown first closes the port and every WebSocket. So the worker drains before: from the signal on it
refuses new streams and asks running ones to end. uvicorn shuts down when they have ended or the grace time is over.
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
from target_app.guard.admission import AdmissionControl
from target_app.guard.connection import guarded_protocol
from target_app.guard.count import StreamCount
from target_app.listener import BACKLOG, url_of
from target_app.sample_files import SampleFiles
from target_app.settings import Settings

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Time for uvicorn, after the drain, to send the last bytes of open connections.
_LAST_BYTES_S = 1


class Server(uvicorn.Server):
    """uvicorn that drains. ``ready`` is called once it listens, ``close`` asks running streams to end.

    ``lifeline``, if not negative, is the reading end of a pipe whose other end a supervisor holds: when the supervisor
    dies, the pipe ends, and the drain begins as at a signal.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        admission: AdmissionControl,
        grace_s: float,
        *,
        ready: Callable[[], None],
        close: Callable[[str], None],
        lifeline: int = -1,
    ) -> None:
        super().__init__(config)
        self._admission = admission
        self._grace_s = grace_s
        self._ready = ready
        self._close = close
        self._lifeline = lifeline
        self._loop: asyncio.AbstractEventLoop | None = None
        #: Infinite until the drain begins; 0 after a second signal, which may come first.
        self._cut_at_s = math.inf

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then call ``ready``."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        if self._lifeline >= 0:
            self._loop.add_reader(self._lifeline, self.drain)
        # Objects made at the start stay: without this, each full collection would stop all streams for a tenth of a
        # second.
        gc.collect()
        gc.freeze()
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Begin the drain at the first signal, end it at the second.

        Under a supervisor only SIGTERM counts, and only once: a signal to the whole process group, such as Ctrl-C in a
        terminal or systemd's SIGTERM, also comes again from the supervisor.
        """
        supervised = self._lifeline >= 0
        if supervised and (sig == signal.SIGINT or self._admission.draining):
            return
        if self._loop is None:
            self.should_exit = True
        elif not self._admission.draining:
            self._admission.draining = True
            self._loop.call_soon_threadsafe(self.drain)
        else:
            self._cut_at_s = 0.0

    def drain(self) -> None:
        """Ask all streams to end within the grace time."""
        loop = asyncio.get_running_loop()
        if self._lifeline >= 0:
            loop.remove_reader(self._lifeline)
        self._admission.draining = True
        self._cut_at_s = min(self._cut_at_s, loop.time() + self._grace_s)
        self._close("shutdown")

    async def on_tick(self, counter: int) -> bool:
        """Check, ten times a second, whether to shut down."""
        if self._admission.draining and self._loop is not None:
            late = self._loop.time() >= self._cut_at_s
            if late:
                self._admission.abort_all("shutdown")
            self.should_exit = self.should_exit or late or not self._admission.running
        return await super().on_tick(counter)


def serve_alone(settings: Settings, listener: socket.socket) -> None:
    """Serve in this process, with the metrics in a thread. Raises ``MetricsPortError``."""
    with serve_metrics(settings.metrics_port, settings.metrics_host) as metrics:

        def announce() -> None:
            print_event(event="listening", url=url, metrics_url=metrics.url, pid=os.getpid(), workers=[os.getpid()])

        url = url_of(listener, settings.host)
        run(settings, listener, announce)


def run(
    settings: Settings,
    listener: socket.socket,
    ready: Callable[[], None],
    *,
    streams: StreamCount | None = None,
    files: SampleFiles | None = None,
    lifeline: int = -1,
) -> None:
    """Serve on ``listener`` until a signal, or until the pipe ``lifeline`` ends.

    ``streams`` and ``files``: the stream count and the sample files that workers share.
    """
    app = create_app(settings, files)
    admission: AdmissionControl = app.state.admission
    if streams is not None:
        admission.streams = streams
    served: App = StreamMetrics(app, stamps=True)
    if settings.compression:
        served = Compression(served, settings.compress_from_bytes)
    config = _configuration(settings, served)
    shutdown = app.state.shutdown
    server = Server(config, admission, settings.grace_s, ready=ready, close=shutdown.request, lifeline=lifeline)
    # uvicorn raises a caught signal again after its shutdown, which would make the exit status an error.
    for number in _SIGNALS:
        signal.signal(number, server.handle_exit)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {*_SIGNALS, signal.SIGCHLD})
    server.run(sockets=[listener])


def _configuration(settings: Settings, app: App) -> uvicorn.Config:
    http = H11Protocol if settings.http == "h11" else HttpToolsProtocol
    config = uvicorn.Config(
        app,
        http=guarded_protocol(http, settings),
        ws=guarded_protocol(WSProtocol, settings),
        ws_max_size=settings.max_body_bytes,
        ws_per_message_deflate=False,  # it takes 256 KiB per connection, nearly the whole limit
        access_log=False,
        log_level=settings.log_level,
        backlog=BACKLOG,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=_LAST_BYTES_S,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_not_cancellation)
    return config


def print_event(**event: object) -> None:
    """Print one line of JSON on standard output, for programs."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def _is_not_cancellation(record: logging.LogRecord) -> bool:
    """Filter out streams that were cut at the end of the grace time, which is expected."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
