"""A real uvicorn in a thread, on a free port, with a registry of its own."""

import asyncio
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from types import MappingProxyType
from typing import Any

import pytest
import uvicorn
from prometheus_client import CollectorRegistry

from streamgauge.asgi import StreamMetrics
from streamgauge.asgi.instruments import Instruments
from tests.asgi.played import Clock, Stage

#: For what comes soon on any machine, and late on a busy one.
DEADLINE_S = 60.0


def wait_until(condition: Callable[[], object]) -> None:
    """Poll until ``condition`` holds; fail at the deadline."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to pass"
        time.sleep(0.01)


class Server(uvicorn.Server):
    """uvicorn that ends at once, and not at its next tick."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop, self._asked = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._asked.wait()

    def ask_to_end(self) -> None:
        """From any thread, once it has started."""
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._asked.set)


class Service:
    """An app behind ``StreamMetrics``, served."""

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
        """Begin its end, and do not wait for that."""
        self._server.ask_to_end()

    @property
    def connections(self) -> int:
        """How many the server knows of: one less as soon as it has read of a hang-up."""
        return len(self._server.server_state.connections)

    def get(self, path: str, method: str = "GET", headers: Mapping[str, str] = MappingProxyType({})) -> bytes:
        """The whole body of one response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            connection.request(method, path, headers=headers)
            return connection.getresponse().read()
        finally:
            connection.close()

    def open(self, path: str) -> socket.socket:
        """A connection on which ``path`` was asked for."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S)
        connection.sendall(b"GET %b HTTP/1.1\r\nHost: test\r\n\r\n" % path.encode())
        return connection

    def value(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels, as a scrape sees them; without "stream_server_"."""
        name = name if name.startswith(("http_", "event_")) else "stream_server_" + name
        samples = [sample for family in self.registry.collect() for sample in family.samples if sample.name == name]
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    def routes(self, name: str) -> set[str]:
        """The ``route`` labels that a metric has."""
        return {s.labels["route"] for family in self.registry.collect() for s in family.samples if s.name == name}


@pytest.fixture(autouse=True)
def patient_scrapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scrape waits for the loop as long as the machine keeps it from running, so that what it shows is exact."""
    monkeypatch.setattr(Instruments, "SCRAPE_PATIENCE_S", DEADLINE_S)


@pytest.fixture(params=["httptools", "h11"])
def parser(request: pytest.FixtureRequest) -> str:
    """Each of uvicorn's HTTP parsers."""
    return str(request.param)


@pytest.fixture(scope="module")
def ending() -> Iterator[ExitStack]:
    """The services of tests that are over. A server takes a tenth of a second to end, which the next test need not."""
    with ExitStack() as services:
        yield services


@pytest.fixture
def serve(ending: ExitStack) -> Iterator[Callable[..., Service]]:
    """Serves apps until the test ends."""
    started: list[Service] = []

    def start(app: Any, parser: str = "httptools", **options: Any) -> Service:
        started.append(ending.enter_context(Service(app, parser, **options)))
        return started[-1]

    yield start
    for service in started:
        service.ask_to_end()


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Polls a condition."""
    return wait_until


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Plays streams in this process, on a clock that stands still by itself."""
    return Stage(Clock(monkeypatch))
