"""Clients of every manner against a running app: with keys and without, that hang up, that never read."""

import contextlib
import http.client
import json
import re
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

DEADLINE_S = 60.0
UNPACED = "/stream/bytes?chunks=100000&interval_ms=0&chunk_bytes=1024"


@dataclass
class Reply:
    """A whole response."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@pytest.fixture
def ask() -> Callable[..., Reply]:
    """Sends one request, and gives its whole response."""

    def send(app, path, method="GET", body=None, **fields):
        connection = http.client.HTTPConnection(*app.address, timeout=DEADLINE_S)
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Reply(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())

    return send


@pytest.fixture
def begin() -> Iterator[Callable[..., socket.socket]]:
    """Begins streams, and returns once their first bytes are there."""
    with contextlib.ExitStack() as stack:

        def begin_one(app, path="/stream/sse?chunks=50&interval_ms=60000", *, fields=b"", first=b"HTTP/1.1 200"):
            connection = stack.enter_context(socket.create_connection(app.address, timeout=DEADLINE_S))
            connection.sendall(b"GET %b HTTP/1.1\r\nHost: test\r\n%b\r\n" % (path.encode(), fields))
            assert connection.recv(65536).startswith(first)
            return connection

        yield begin_one


@pytest.fixture
def reset() -> Callable[[socket.socket], None]:
    """Hangs up abruptly: with a reset, unread bytes or not."""

    def hang_up(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return hang_up


@pytest.fixture
def refuse_reading() -> Iterator[Callable[..., Callable[[], None] | None]]:
    """Clients that ask for a stream as fast as it goes, at once or when what this gives is called, and never read."""
    with contextlib.ExitStack() as stack:

        def ask_many(app, number, path=UNPACED, fields=b"", *, at_once=True):
            clients = [stack.enter_context(socket.create_connection(app.address)) for _ in range(number)]

            def ask_now():
                for client in clients:
                    client.sendall(b"GET %b HTTP/1.1\r\nHost: test\r\n%b\r\n" % (path.encode(), fields))

            return ask_now() if at_once else ask_now

        yield ask_many


@dataclass
class Memory:
    """What an app's connections take: of its own memory, and of the kernel's."""

    process_bytes: int
    connections: int
    kernel_bytes: int


@pytest.fixture(scope="session")
def memory(program: Callable[..., str]) -> Callable[..., Memory]:
    """Looks at an app's memory."""
    ss = program("ss")

    def look(app):
        status = Path(f"/proc/{app.process.pid}/status").read_text()
        command = [ss, "-tmnH", "state", "connected", "exclude", "time-wait", f"sport = :{app.address[1]}"]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        sizes = [dict(re.findall(r"([a-z]+)(\d+)", line)) for line in re.findall(r"skmem:\((.*?)\)", lines)]
        kernel_bytes = sum(max(int(size["t"]), int(size["w"])) for size in sizes)
        return Memory(int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024, len(sizes), kernel_bytes)

    return look
