"""A source of short streams, fast enough that the client is the limit and not the source.

``GET /C/W`` returns C events, each a transfer chunk and the last one ``event: done``, in W writes, evenly shared; the
head comes with the first. The source answers as soon as it has the request, and keeps the connection. With ``--log``
it logs when it had each request and when it wrote; ``GET /log`` returns and clears that log.
"""

import argparse
import json
import select
import socket
import sys
import time
from functools import cache
from itertools import pairwise

from benchmarks.testbed.blaster import sleep_precisely

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_END = b"0\r\n\r\n"
_READ_BYTES = 65_536
_REQUEST_END = b"\r\n\r\n"
#: Monotonic ns when the request was read, and by write: before and after it, and how many events were sent by then.
Response = tuple[int, list[tuple[int, int, int]]]


def _event(number: int, *, last: bool) -> bytes:
    name = b"event: done\n" if last else b""
    event = name + b'data: {"number": %d, "text": "twenty to thirty bytes"}\n\n' % number
    return b"%x\r\n%b\r\n" % (len(event), event)


@cache
def writes_of(chunks: int, writes: int) -> list[tuple[bytes, int]]:
    """Return what each write sends, and how many events have been sent after it."""
    events = [_event(number, last=number == chunks) for number in range(1, chunks + 1)]
    ends = [chunks * at // writes for at in range(writes + 1)]
    parts = [(b"".join(events[begin:end]), end) for begin, end in pairwise(ends)]
    (first, sent), (_, total) = parts[0], parts[-1]
    parts[0] = (HEAD + first, sent)
    return [*parts[:-1], (parts[-1][0] + _END, total)]


class Source:
    """Serves all connections in one thread. ``log`` has the writes of each response, or is None."""

    def __init__(self, *, logs: bool) -> None:
        self._log: list[Response] | None = [] if logs else None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4_096)
        self._listener.setblocking(False)
        self._connections: dict[int, socket.socket] = {}
        self._poll = select.epoll()
        self._poll.register(self._listener.fileno(), select.EPOLLIN)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        port: int = self._listener.getsockname()[1]
        return port

    def serve(self) -> None:
        """Serve until the process is ended."""
        while True:
            for fd, _ in self._poll.poll():
                if fd == self._listener.fileno():
                    self._accept()
                else:
                    self._answer(self._connections[fd])

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[connection.fileno()] = connection
        self._poll.register(connection.fileno(), select.EPOLLIN)

    def _answer(self, connection: socket.socket) -> None:
        try:
            request = connection.recv(_READ_BYTES)
            while request and not request.endswith(_REQUEST_END):
                request += connection.recv(_READ_BYTES)
            if request:
                self._respond(connection, request.split(b" ", 2)[1])
                return
        except OSError:  # the client has left
            pass
        self._poll.unregister(connection.fileno())
        del self._connections[connection.fileno()]
        connection.close()

    def _respond(self, connection: socket.socket, path: bytes) -> None:
        if path == b"/log":
            body = json.dumps(self._log).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            self._log = []
            return
        chunks, writes = path.strip(b"/").split(b"/")
        if self._log is None:
            for data, _ in writes_of(int(chunks), int(writes)):
                connection.sendall(data)
            return
        now_ns, written = time.monotonic_ns, []
        asked_ns = now_ns()
        for data, sent in writes_of(int(chunks), int(writes)):
            before_ns = now_ns()
            connection.sendall(data)
            written.append((before_ns, now_ns(), sent))
        self._log.append((asked_ns, written))


def main() -> None:
    """Listen, print the port, and serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", action="store_true", help="log the writes")
    source = Source(logs=parser.parse_args().log)
    sleep_precisely()
    print(source.port, flush=True)
    source.serve()


if __name__ == "__main__":
    sys.exit(main())
