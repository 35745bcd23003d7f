"""Fixtures: a real uvicorn in a thread, on a free port, with its own registry; and a simulated server."""

import asyncio
import http.client
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from types import MappingProxyType
from typing import Any

import pytest
import uvicorn
from prometheus_client import CollectorRegistry

from streamgauge.asgi import StreamMetrics
from streamgauge.asgi.instruments import Instruments
from tests.asgi.simulated_server import Clock, SimulatedServer
from tests.waiting import wait_until

#: For events that come soon on any machine, and late on a busy one.
DEADLINE_S = 60.0


class Server(uvicorn.Server):
    """uvicorn that shuts down at once instead of at its next tick."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop, self._asked = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._asked.wait()

    def ask_to_end(self) -> None:
        """Ask the server to shut down. Any thread may call this after the start."""
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._asked.set)


class Service:
    """An app behind ``StreamMetrics``, served by uvicorn."""

    def __init__(self, app: Any, parser: str, **options: Any) -> None:
        self.registry = CollectorRegistry()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        measured = StreamMetrics(app, registry=self.registry, **options)
        config = uvicorn.Config(measured, http=parser, log_level="critical", access_log=False, ws="wsproto")
        config.timeout_graceful_shutdown = 1
        self._server = Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})

    def __enter__(self) -> "Service":
        self._thread.start()
        wait_until(lambda: self._server.started)
        return self

    def __exit__(self, *_: object) -> None:
        self.ask_to_end()
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive(), "the server does not end"
        self._listener.close()

    def ask_to_end(self) -> None:
        """Ask the server to shut down, and do not wait for it."""
        self._server.ask_to_end()

    @property
    def connections(self) -> int:
        """The number of connections that the server knows: one less after it has read a hang-up."""
        return len(self._server.server_state.connections)

    def get(self, path: str, method: str = "GET", headers: Mapping[str, str] = MappingProxyType({})) -> bytes:
        """Return the whole body of one response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            connection.request(method, path, headers=headers)
            return connection.getresponse().read()
        finally:
            connection.close()

    def open(self, path: str) -> socket.socket:
        """Return a connection on which ``path`` was requested."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S)
        connection.sendall(b"GET %b HTTP/1.1\r\nHost: test\r\n\r\n" % path.encode())
        return connection

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples with these labels, in a scrape. ``name``: without "stream_server_"."""
        name = name if name.startswith(("http_", "event_")) else "stream_server_" + name
        samples = [sample for family in self.registry.collect() for sample in family.samples if sample.name == name]
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    def routes(self, name: str) -> set[str]:
        """Return the ``route`` labels of a metric."""
        return {s.labels["route"] for family in self.registry.collect() for s in family.samples if s.name == name}


@pytest.fixture(autouse=True)
def patient_scrapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make scrapes wait for the loop even on a busy machine, so that their values are exact."""
    monkeypatch.setattr(Instruments, "SCRAPE_TIMEOUT_S", DEADLINE_S)


@pytest.fixture(params=["httptools", "h11"])
def parser(request: pytest.FixtureRequest) -> str:
    """Run the test with each of uvicorn's HTTP parsers."""
    return str(request.param)


@pytest.fixture(scope="module")
def ending() -> Iterator[ExitStack]:
    """Collect services that shut down: each takes 0.1 s, so tests ask for it and only the module's end waits."""
    with ExitStack() as services:
        yield services


@pytest.fixture
def serve(ending: ExitStack) -> Iterator[Callable[..., Service]]:
    """Serve apps until the test ends."""
    started: list[Service] = []

    def start(app: Any, parser: str = "httptools", **options: Any) -> Service:
        started.append(ending.enter_context(Service(app, parser, **options)))
        return started[-1]

    yield start
    for service in started:
        service.ask_to_end()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> SimulatedServer:
    """Simulate a server in this process, on a clock that moves only when told to."""
    return SimulatedServer(Clock(monkeypatch))
