"""What the metrics port serves: the page of one registry, or of all processes, and why it is not right if it is not."""

import logging
import os
import socket
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any
from weakref import WeakSet

from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app

from streamgauge.asgi.dead_processes import fold_dead_processes
from streamgauge.asgi.instruments import Instruments
from streamgauge.asgi.merged_metrics import MergedCollector, missing_directory
from streamgauge.asgi.metrics_directory import check_directory, metrics_directory
from streamgauge.asgi.metrics_port import MetricsPort, Request, Response, text_response
from streamgauge.asgi.processes import WorkerProcessCollector
from streamgauge.asgi.worker_liveness import mark_process_alive

logger = logging.getLogger("streamgauge.asgi")


class MetricsPortError(OSError):
    """The metrics port cannot be opened. Its text names the port, the host, the reason and a remedy."""


class MetricsServer:
    """A running metrics server. ``port`` is the port that it listens on, also if port 0 was asked for."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry, *, required: bool) -> None:
        self.host = host
        self.registry = registry
        self.forked = False
        """Whether this process has forked since it started the server."""
        self._users = 1
        self._page = _Page(self)
        listen = partial(_listener, host, port)
        listener = listen() if required else _listener_or_none(listen)
        self.port: int = listener.getsockname()[1] if listener else port
        self._port = MetricsPort(listener, listen, self._page.respond)

    @property
    def url(self) -> str:
        """The URL that Prometheus scrapes."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/metrics"

    @property
    def listening(self) -> bool:
        """Whether the port is open. Only false while a server that is not ``required`` waits for its port."""
        return self._port.listener is not None

    def close(self) -> None:
        """Stop listening, and wait for the thread to end. A server that was asked for twice goes on until the last."""
        self._users -= 1
        if self._users == 0:
            _SERVERS.discard(self)
            self._page.instruments.page_pid = None
            self._port.close()

    def share(self) -> "MetricsServer":
        """Return this server to one more user, who closes it too."""
        self._users += 1
        return self

    def abandon(self) -> None:
        """Leave the server to the process of which this one is a fork."""
        self._users = 0
        self._port.abandon()

    def __enter__(self) -> "MetricsServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve_metrics(
    port: int = 9101, host: str = "127.0.0.1", registry: CollectorRegistry = REGISTRY, *, required: bool = True
) -> MetricsServer:
    """Serve ``registry`` at ``/metrics``, in OpenMetrics or the plain text format, as the scrape accepts.

    The port asks for no password. Pass another ``host``, such as ``0.0.0.0``, if Prometheus runs on another machine.
    If ``PROMETHEUS_MULTIPROC_DIR`` is set, the metrics that all processes wrote there are served, and any process may
    serve them. Port 0 opens any free port. A second call with the same arguments returns the same server.

    A page that cannot be right, for example because nothing is measured in this process, is answered with status 503
    and the reason, which is also logged once.

    ``required``: whether to raise ``MetricsPortError`` if the port cannot be opened. If not, an error is logged, the
    service starts without its metrics, and the port is asked for again every few seconds. Raises ``MultiprocessError``
    if the directory cannot be used.
    """
    check_directory()
    if not 0 <= port <= 65535:
        raise MetricsPortError(f"cannot open metrics port {port} on {host}: expected a port from 0 to 65535")
    for server in list(_SERVERS):
        if port and (server.host, server.port) == (host, port):
            if server.registry is registry:
                return server.share()
            raise MetricsPortError(
                f"cannot open metrics port {port} on {host}: this process serves another registry there; choose "
                "another port"
            )
    server = MetricsServer(host, port, registry, required=required)
    _SERVERS.add(server)
    return server


class _Page:
    """The page of ``server``: of its registry, or of the metrics directory."""

    def __init__(self, server: MetricsServer) -> None:
        self.instruments = Instruments.of(server.registry)
        self.instruments.claim_files()
        self.instruments.page_pid = os.getpid()
        self._server = server
        self._directory = metrics_directory()
        self._merged = MergedCollector(self._directory) if self._directory else None
        self._logged = set[str]()
        exposed = server.registry
        if self._directory and self._merged:
            exposed = CollectorRegistry()
            exposed.register(self._merged)
            exposed.register(WorkerProcessCollector(self._directory))
        self._render = make_wsgi_app(exposed)

    def respond(self, request: Request) -> Response:
        """Answer a scrape."""
        if request.path != "/metrics":
            return text_response("404 Not Found", "The metrics are at /metrics.")
        problem = self._directory_problem() if self._directory else self._own_problem()
        if problem:
            if problem not in self._logged:
                self._logged.add(problem)
                logger.error("The metrics page is not right, so scrapes fail. %s", problem)
            return text_response("503 Service Unavailable", problem)
        return self._rendered(request)

    def _rendered(self, request: Request) -> Response:
        started: list[Any] = []
        environ = {
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query,
            "REQUEST_METHOD": "GET",
            "HTTP_ACCEPT": request.fields.get("accept", ""),
            "HTTP_ACCEPT_ENCODING": request.fields.get("accept-encoding", ""),
        }
        body = b"".join(self._render(environ, lambda *answer: started.extend(answer)))
        return Response(started[0], started[1], body)

    def _directory_problem(self) -> str | None:
        """Bring the sum of all processes up to date. Return what is wrong with it."""
        directory, merged = self._directory, self._merged
        if directory is None or merged is None:
            return None
        if missing := missing_directory(directory):
            return missing
        self.instruments.flush()
        mark_process_alive(directory)
        fold_dead_processes(directory)
        merged.read()
        return merged.problem()

    def _own_problem(self) -> str | None:
        instruments = self.instruments
        if instruments.obstacle or instruments.fed:
            return instruments.obstacle and f"{instruments.obstacle}."
        if self._server.forked:
            return (
                "No stream is measured in this process, which has forked: workers that are its forks count for "
                "themselves, and this page cannot see it. Call streamgauge.asgi.prepare_multiprocess() before "
                "StreamMetrics and serve_metrics, or let the server load the app in its workers (without --preload)."
            )
        if instruments.wrapped_apps:
            return (
                "The server has not called the app that StreamMetrics wraps. If it has served requests, it serves the "
                "app inside: name the wrapped app on its command line, or add StreamMetrics with "
                "app.add_middleware(StreamMetrics), which `fastapi run` needs. A server without lifespan calls the "
                "app at its first request."
            )
        if Instruments.others_fed(instruments):
            return (
                "No StreamMetrics counts into this registry, but one counts into another: pass the same registry to "
                "StreamMetrics and serve_metrics."
            )
        return (
            "No StreamMetrics counts into this registry in this process. Wrap the app, StreamMetrics(app); if other "
            "processes run it, call streamgauge.asgi.prepare_multiprocess() before they start."
        )


def _listener(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises ``MetricsPortError``."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        dual = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
        return socket.create_server((host, port), family=family, backlog=64, dualstack_ipv6=dual)
    except OSError as error:
        number = error.errno or 0  # a negative one is of getaddrinfo
        reason = os.strerror(number) if number > 0 else error.strerror or error
        raise MetricsPortError(
            f"cannot open metrics port {port} on {host}: {reason}; choose another port or host. If several workers of "
            "a service call serve_metrics, let only the process that starts them call it, after "
            "streamgauge.asgi.prepare_multiprocess()"
        ) from error


def _listener_or_none(listen: Callable[[], socket.socket]) -> socket.socket | None:
    try:
        return listen()
    except MetricsPortError as error:
        logger.error("The service starts without its metrics port, which is asked for again: %s", error)
        return None


def _note_fork() -> None:
    for server in _SERVERS:
        server.forked = True


def _leave_to_parent() -> None:
    for server in list(_SERVERS):
        server.abandon()
    _SERVERS.clear()


_SERVERS: "WeakSet[MetricsServer]" = WeakSet()
os.register_at_fork(after_in_parent=_note_fork, after_in_child=_leave_to_parent)
