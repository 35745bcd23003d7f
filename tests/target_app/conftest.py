"""The app as it is run: a process of its own on free ports, and raw sockets to it."""

import asyncio
import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.waiting import wait_until

#: For what comes soon on any machine, and late on a busy one.
DEADLINE_S = 60.0
NO_HEADERS: Mapping[str, str] = {}


@dataclass
class Answer:
    """A response as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes
    chunks: list[bytes]
    """The transfer chunks, where there are any."""
    whole: bool = True
    """Whether the last transfer chunk came, or all bytes that were announced."""

    def json(self) -> Any:
        return json.loads(self.body)


class Running:
    """A running app."""

    def __init__(self, process: "subprocess.Popen[str]", announcement: dict[str, Any]) -> None:
        self.process = process
        self.announcement = announcement
        address = urllib.parse.urlsplit(announcement["url"])
        self.address = (address.hostname, address.port)

    def connect(
        self, path: str, method: str = "GET", headers: Mapping[str, str] = NO_HEADERS, body: bytes = b""
    ) -> socket.socket:
        """A connection on which ``path`` was asked for."""
        connection = socket.create_connection(self.address, timeout=DEADLINE_S)
        fields = {
            "Host": "test",
            "Connection": "close",
            **({"Content-Length": str(len(body))} if body else {}),
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        connection.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        return connection

    def get(self, path: str, **request: Any) -> Answer:
        """The response to a GET, or to what ``request`` says, to its end."""
        with self.connect(path, **request) as connection:
            answer = b"".join(iter(lambda: connection.recv(1 << 20), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
        if headers.get("transfer-encoding") != "chunked":
            return Answer(int(status.split()[1]), headers, body, [], len(body) == int(headers.get("content-length", 0)))
        chunks, whole = _transfer_chunks(body)
        return Answer(int(status.split()[1]), headers, b"".join(chunks), chunks, whole)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's scraped samples with these labels."""
        with urllib.request.urlopen(self.announcement["metrics_url"], timeout=DEADLINE_S) as answer:
            lines = [line for line in answer.read().decode().splitlines() if line.startswith((f"{name}{{", f"{name} "))]
        families = text_string_to_metric_families("\n".join(lines) + "\n")
        samples = [sample for family in families for sample in family.samples]
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    def settle(self) -> None:
        """Wait until it has ended whatever other tests have left under way, so that counts are of one test alone."""
        wait_until(lambda: self.metric("stream_server_active") == 0)

    def end(self) -> int:
        """Its exit status, once it has ended by itself."""
        return self.process.wait(DEADLINE_S)


def _transfer_chunks(body: bytes) -> tuple[list[bytes], bool]:
    """The chunks, and whether the last one, which is empty, came."""
    chunks, at = [], 0
    while (end := body.find(b"\r\n", at)) >= 0:
        length = int(body[at:end], 16)
        if not length:
            return chunks, True
        chunks.append(body[end + 2 : end + 2 + length])
        at = end + 2 + length + 2
        assert body[at - 2 : at] == b"\r\n"
    return chunks, False


def environment(**variables: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TARGET_APP_")} | variables


#: ``python -m target_app``, which has imported what it needs when it is told its arguments and its variables.
WAITING = """
import json, os, sys
import target_app.supervisor
from target_app.serving import main
arguments, variables = json.loads(sys.stdin.readline())
os.environ.update(variables)
sys.exit(main(arguments))
"""


class Starter:
    """Starts apps, each from a process that has waited for it since the last one was started."""

    def __init__(self) -> None:
        self._waiting = self._begin()

    @staticmethod
    def _begin() -> "subprocess.Popen[str]":
        command, pipe = [sys.executable, "-c", WAITING], subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment(), start_new_session=True)

    @contextlib.contextmanager
    def started(self, *arguments: str, **variables: str) -> Iterator[Running]:
        process, self._waiting = self._waiting, self._begin()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps([["--port", "0", "--metrics-port", "0", *arguments], variables]) + "\n")
            process.stdin.flush()
            yield Running(process, json.loads(process.stdout.readline()))
        finally:
            process.kill()
            process.communicate()

    def end(self) -> None:
        self._waiting.kill()
        self._waiting.communicate()


@pytest.fixture(scope="session")
def starter() -> Iterator[Starter]:
    """For all tests."""
    one = Starter()
    yield one
    one.end()


@pytest.fixture
def start(starter: Starter) -> Iterator[Callable[..., Running]]:
    """Starts apps that end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **variables: stack.enter_context(starter.started(*arguments, **variables))


@pytest.fixture(scope="module")
def start_module(starter: Starter) -> Iterator[Callable[..., Running]]:
    """Starts apps that end with the module."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **variables: stack.enter_context(starter.started(*arguments, **variables))


@pytest.fixture(scope="session")
def httptools_app(starter: Starter) -> Iterator[Running]:
    """One app for all tests that do not end it."""
    with starter.started("--http", "httptools") as running:
        yield running


@pytest.fixture(scope="session")
def h11_app(starter: Starter) -> Iterator[Running]:
    """One with the other HTTP parser."""
    with starter.started("--http", "h11") as running:
        yield running


@pytest.fixture(scope="session", params=["httptools", "h11"])
def app(request: pytest.FixtureRequest) -> Running:
    """The two of them; a module that has nothing to do with HTTP's framing takes the one."""
    running: Running = request.getfixturevalue(f"{request.param}_app")
    return running


@pytest.fixture
def run() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs ``python -m target_app`` to its end."""

    def start_and_wait(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "target_app", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=DEADLINE_S, env=environment(**variables), check=False
        )

    return start_and_wait


@pytest.fixture(scope="session")
def asked() -> Callable[..., dict[str, Any]]:
    """What a path is asked for with, beside its query: a chat completion has a body, all others have nothing."""

    def options(path: str, stream: bool = True) -> dict[str, Any]:
        if path != "/v1/chat/completions":
            return {}
        body = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": "high?"}]}
        return {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": json.dumps(body).encode()}

    return options


class Clock(selectors.DefaultSelector):
    """A loop's clock that no machine can be late for: where the loop would wait it jumps, and a turn takes 1 ms."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now_s += timeout or 0.001
        return super().select(None if timeout is None else 0)

    def loop(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.SelectorEventLoop(self)
        loop.time = lambda: self.now_s  # type: ignore[method-assign]
        return loop


@pytest.fixture
def virtually(monkeypatch: pytest.MonkeyPatch) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine in virtual time, which the producing of streams has too."""

    def run_virtually(main: Coroutine[Any, Any, Any]) -> Any:
        clock = Clock()
        monkeypatch.setattr("target_app.producer.monotonic", lambda: clock.now_s)
        with asyncio.Runner(loop_factory=clock.loop) as runner:
            return runner.run(main)

    return run_virtually
