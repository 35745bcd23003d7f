"""One worker: uvicorn around the app. The app's drain comes before uvicorn's shutdown; see ``drain``."""

import asyncio
import gc
import json
import logging
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

from streamgauge.asgi import serve_metrics
from target_app.app import create_app
from target_app.guard.admission import AdmissionControl
from target_app.guard.connection import guarded_protocol
from target_app.guard.count import StreamCount
from target_app.instrumented import instrumented
from target_app.listener import BACKLOG, url_of
from target_app.sample_files import SampleFiles
from target_app.settings import Settings

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Time for uvicorn, after the drain, to send the last bytes of open connections.
_LAST_BYTES_S = 1


class Server(uvicorn.Server):
    """uvicorn that calls ``ready`` once it listens, and whose exit status does not tell of the signal that ended it."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then call ``ready``."""
        await super().startup(sockets)
        # Objects made at the start stay: without this, each full collection would stop all streams for a tenth of a
        # second.
        gc.collect()
        gc.freeze()
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Shut down. The app's drain calls this at its end; before the app has started, the signal does."""
        self.should_exit = True


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
    app = create_app(settings, files, lifeline=lifeline)
    admission: AdmissionControl = app.state.admission
    if streams is not None:
        admission.streams = streams
    server = Server(_configuration(settings, instrumented(app, settings)), ready)
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
        proxy_headers=False,  # the app reads them itself, whichever server runs it
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
