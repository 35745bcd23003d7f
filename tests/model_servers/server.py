"""A server that plays scripts, and logs the moments before and after each write.

``/NAME`` plays a script, ``/NAME?torn`` writes each frame in two parts, cut inside a character of several bytes where
there is one. A part is a transfer chunk, so that frames and transfer chunks do not coincide.
"""

import socket
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.model_servers.scripts import Frame, Script

#: Between the two parts of a frame.
TEAR_S = 0.003
_ENOUGH = 65_536


@dataclass
class Played:
    """The moments of one stream, monotonic seconds: the request's, and those around the writes that matter."""

    asked_s: float
    before_s: list[float] = field(default_factory=list)
    after_s: list[float] = field(default_factory=list)

    def moments(self, script: Script, mark: str) -> tuple[float, float]:
        """Return the moments before and after the frame with this mark was written.

        What a server writes behind the last token without a pause may arrive in the same read, and counts with it.
        """
        frames = [step for step in script.steps if isinstance(step, Frame)]
        at = next(number for number, frame in enumerate(frames) if getattr(frame, mark))
        return self.before_s[at], self.after_s[at + (_behind(script, at) if mark == "last" else 0)]


def _behind(script: Script, at: int) -> int:
    """Return how many frames follow the ``at``-th without a pause."""
    frames = iter(script.steps)
    seen = -1
    for step in frames:
        seen += isinstance(step, Frame)
        if seen == at:
            break
    count = 0
    for step in frames:
        if not isinstance(step, Frame):
            break
        count += 1
    return count


class ModelServer:
    """Serves on a free port of this host."""

    def __init__(self, scripts: Mapping[str, Script]) -> None:
        self._scripts = scripts
        #: By the request's target, without its slash.
        self.played: dict[str, Played] = {}
        self.bodies: dict[str, bytes] = {}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            head, body = _request(connection)
            if not head:
                return
            target = urllib.parse.unquote(head.split()[1].decode()).removeprefix("/")
            self.bodies[target] = body
            name, _, torn = target.partition("?")
            try:
                self._play(connection, self._scripts[name], Played(time.monotonic()), target, torn=bool(torn))
            except OSError:
                return  # the client hung up at an error

    def _play(self, connection: socket.socket, script: Script, played: Played, target: str, *, torn: bool) -> None:
        self.played[target] = played
        fields = f"Content-Type: {script.content_type}\r\nTransfer-Encoding: chunked\r\nConnection: close"
        connection.sendall(f"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n".encode())
        for step in script.steps:
            if isinstance(step, float):
                time.sleep(step)
                continue
            if torn:
                cut = _cut(step.data)
                _write(connection, step.data[:cut])
                time.sleep(TEAR_S)
            played.before_s.append(time.monotonic())
            _write(connection, step.data[cut:] if torn else step.data)
            played.after_s.append(time.monotonic())
        connection.sendall(b"0\r\n\r\n")


def _request(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(_ENOUGH)):
            return b"", b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(each.split(b":")[1]) for each in head.split(b"\r\n") if each.lower().startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += connection.recv(_ENOUGH)
    return head, body


def _write(connection: socket.socket, data: bytes) -> None:
    connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))


def _cut(data: bytes) -> int:
    """Return where to cut a frame: inside its first character of several bytes, else in its middle."""
    return next((at + 1 for at, byte in enumerate(data) if byte >= 0x80), len(data) // 2)


@contextmanager
def serving(scripts: Mapping[str, Script]) -> Iterator[ModelServer]:
    """Serve scripts until the block ends."""
    server = ModelServer(scripts)
    try:
        yield server
    finally:
        server.close()
