"""The metrics port: a small HTTP server in a thread of its own, so that no scrape runs on the loop that streams."""

import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from types import TracebackType
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app

from streamgauge.asgi.instruments import Instruments
from streamgauge.asgi.multiprocess import MergedCollector, check_directory, metrics_directory
from streamgauge.asgi.processes import WorkerProcessCollector
from streamgauge.asgi.worker_liveness import remove_dead_processes

_WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class MetricsPortError(OSError):
    """The metrics port cannot be opened. Its text names the port, the host, the reason and a remedy."""


class MetricsServer:
    """A running metrics server. ``port`` is the port that it listens on, also if port 0 was asked for."""

    def __init__(self, server: WSGIServer, host: str) -> None:
        self._server = server
        self.host = host
        self.port: int = server.server_port
        self._thread = threading.Thread(target=server.serve_forever, name="streamgauge-metrics", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The URL that Prometheus scrapes."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/metrics"

    def close(self) -> None:
        """Stop listening, and wait for the thread to end."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> "MetricsServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve_metrics(port: int = 9101, host: str = "127.0.0.1", registry: CollectorRegistry = REGISTRY) -> MetricsServer:
    """Serve ``registry`` at ``/metrics``, in OpenMetrics or the plain text format, as the scrape accepts.

    The port asks for no password. Pass another ``host``, such as ``0.0.0.0``, if Prometheus runs on another machine.
    If ``PROMETHEUS_MULTIPROC_DIR`` is set, the metrics that all processes wrote there are served, and any process may
    serve them. Port 0 opens any free port. Raises ``MetricsPortError`` if the port cannot be opened, and
    ``MultiprocessError`` if the directory does not exist.
    """
    check_directory()
    app = _metrics_app(Instruments.of(registry), registry)
    try:
        server = _server_class(host, port)((host, port), _QuietHandler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MetricsPortError(
            f"cannot open metrics port {port} on {host}: {reason}; choose another port or host"
        ) from error
    server.set_app(app)
    return MetricsServer(server, host)


def _metrics_app(instruments: Instruments, registry: CollectorRegistry) -> _WsgiApp:
    """Return the WSGI app that serves ``registry``, or the metrics directory after a flush of this process."""
    directory = metrics_directory()
    exposed = CollectorRegistry() if directory else registry
    if directory:
        exposed.register(MergedCollector(directory))
        exposed.register(WorkerProcessCollector(directory))
    render = make_wsgi_app(exposed)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"The metrics are at /metrics.\n"]
        if directory:
            instruments.flush()
            remove_dead_processes(directory)
        body: Iterable[bytes] = render(environ, start_response)
        return body

    return app


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing: a line per scrape would flood the log."""


def _server_class(host: str, port: int) -> type[WSGIServer]:
    """Return a server class for the address family of ``host``. It binds without looking up its own host name."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]

    class Server(ThreadingMixIn, WSGIServer):
        address_family = family
        daemon_threads = True

        def server_bind(self) -> None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind((host, port))
            self.server_address = self.socket.getsockname()
            self.server_name, self.server_port = host, self.server_address[1]
            self.setup_environ()

    return Server
