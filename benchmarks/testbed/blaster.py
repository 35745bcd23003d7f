"""A paced source of event streams under remote control, fast enough that a client is the limit and not it.

Streams open with ``GET /sse?stream=ID``: the head comes at once, and then nothing until the source is told to send.

``GET /state`` says how many streams are open.
``GET /send?chunks=K&rate=R`` sends K events on each, R a second over all, each at its own moment of an absolute
schedule; with ``end=1`` the K-th is ``event: done`` and ends its stream. The answer is the log of these sends.

Each event is one transfer chunk, made before the first is sent, and carries its number within its stream. What is
logged is ``time.monotonic_ns()`` right before each send. Standard library only.
"""

import argparse
import ctypes
import gc
import json
import selectors
import socket
import sys
import time
from array import array
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
TERMINATOR = b"0\r\n\r\n"
#: From the command to the first send.
LEAD_NS = 10_000_000
#: A client that leaves no room in a socket for this long is given up.
PATIENCE_S = 20.0
_PR_SET_TIMERSLACK = 29


def framed(number: int, size_bytes: int, last: bool) -> bytes:
    """One event as one transfer chunk of at least ``size_bytes``; its number is in its data and its id."""
    name = "event: done\n" if last else ""
    fields = f"{name}data: {number:08d} \nid: {number}\n\n"
    padding = "x" * max(0, size_bytes - len(fields))
    event = fields.replace(" \n", f" {padding}\n", 1).encode()
    return b"%x\r\n%b\r\n" % (len(event), event)


class Connection:
    """One accepted connection, which carries a stream or a command."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.received = b""
        self.sent_bytes = 0
        self.open = True

    def request(self) -> str | None:
        """The path of a whole request, None as long as there is none. Raises ConnectionError at the end."""
        data = self.sock.recv(65_536)
        if not data:
            raise ConnectionResetError("closed")
        self.received += data
        if b"\r\n\r\n" not in self.received:
            return None
        path = self.received.split(None, 2)[1].decode("latin-1")
        self.received = b""
        return path

    def send(self, data: bytes) -> int:
        """Send all of it; how often the client left no room. Raises OSError."""
        waits, view = 0, memoryview(data)
        while view:
            try:
                view = view[self.sock.send(view) :]
            except BlockingIOError:
                waits += 1
                self._await_room()
        self.sent_bytes += len(data)
        return waits

    def _await_room(self) -> None:
        with selectors.PollSelector() as room:
            room.register(self.sock, selectors.EVENT_WRITE)
            if not room.select(PATIENCE_S):
                raise TimeoutError(f"no room in a socket within {PATIENCE_S:g} s")


class Blaster:
    """The source: connections, the streams among them by id, and how many events each stream has had."""

    def __init__(self, event_bytes: int) -> None:
        self._event_bytes = event_bytes
        self._streams: dict[int, Connection] = {}
        self._number = 0
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self.port = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Answer until the process is ended."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._answer(key.data)

    def _accept(self) -> None:
        while True:
            try:
                connection = Connection(self._listener.accept()[0])
            except BlockingIOError:
                return
            self._selector.register(connection.sock, selectors.EVENT_READ, connection)

    def _answer(self, connection: Connection) -> None:
        try:
            path = connection.request()
            if path is not None:
                url = urlsplit(path)
                self._route(connection, url.path, dict(parse_qsl(url.query)))
        except (KeyError, ValueError, ZeroDivisionError) as error:
            self._reply(connection, {"error": repr(error)}, "400 Bad Request")
        except OSError:
            self._drop(connection)

    def _route(self, connection: Connection, path: str, query: dict[str, str]) -> None:
        if path == "/sse":
            self._streams[int(query["stream"])] = connection
            connection.send(STREAM_HEAD)
        elif path == "/state":
            self._reply(connection, {"open": len(self._streams)})
        elif path == "/send":
            self._reply(connection, self._send(int(query["chunks"]), float(query["rate"]), "end" in query))
        else:
            connection.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    @staticmethod
    def _reply(connection: Connection, answer: dict[str, Any], status: str = "200 OK") -> None:
        body = json.dumps(answer).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sock.setblocking(True)
        connection.sock.sendall(head.encode() + body)
        connection.sock.setblocking(False)

    def _drop(self, connection: Connection) -> None:
        self._selector.unregister(connection.sock)
        connection.sock.close()
        connection.open = False
        self._streams = {name: each for name, each in self._streams.items() if each is not connection}

    def _send(self, chunks: int, rate_s: float, end: bool) -> dict[str, Any]:
        numbers = range(self._number, self._number + chunks)
        payloads = [framed(number, self._event_bytes, end and number == numbers[-1]) for number in numbers]
        names = sorted(self._streams)
        connections = [self._streams[name] for name in names]
        gc.collect()
        gc.freeze()
        period_ns = 1e9 / rate_s
        begin_ns = time.monotonic_ns() + LEAD_NS
        stamps_ns, waits = blast(connections, payloads, begin_ns, period_ns)
        self._number = 0 if end else numbers.stop
        log = {
            "streams": {name: stamps_ns[at :: len(names)].tolist() for at, name in enumerate(names)},
            "late_ns": lateness(stamps_ns, begin_ns, period_ns),
            "took_ns": time.monotonic_ns() - begin_ns,
            "blocked": waits,
            "lost": [name for name, each in zip(names, connections, strict=True) if not each.open],
        }
        if end:
            self._end(connections)
        return log | {"sent_bytes": {name: each.sent_bytes for name, each in zip(names, connections, strict=True)}}

    def _end(self, connections: Sequence[Connection]) -> None:
        for connection in connections:
            if connection.open:
                connection.send(TERMINATOR)
        self._streams = {}


def blast(
    connections: Sequence[Connection], payloads: Sequence[bytes], begin_ns: int, period_ns: float
) -> tuple["array[int]", int]:
    """Send each payload on each connection, by the schedule; when each was sent, in that order, and how many waits."""
    stamps_ns = array("q", bytes(8 * len(payloads) * len(connections)))
    senders = [(each, each.sock.send) for each in connections]
    now_ns, sleep = time.monotonic_ns, time.sleep
    position = waits = 0
    for payload in payloads:
        size = len(payload)
        for connection, send in senders:
            wait_ns = begin_ns + int(position * period_ns) - now_ns()
            if wait_ns > 0:
                sleep(wait_ns / 1e9)
            stamps_ns[position] = now_ns()
            try:
                sent = send(payload)
            except BlockingIOError:
                sent = 0
            except OSError:
                connection.open, sent = False, size
            if sent != size and connection.open:
                waits += 1
                waits += _finish(connection, payload[sent:])
            position += 1
        for connection in connections:
            connection.sent_bytes += size
    return stamps_ns, waits


def _finish(connection: Connection, rest: bytes) -> int:
    try:
        waits = connection.send(rest)
    except OSError:
        connection.open = False
        return 0
    connection.sent_bytes -= len(rest)
    return max(0, waits - 1)


def lateness(stamps_ns: Sequence[int], begin_ns: int, period_ns: float) -> dict[str, int]:
    """How long after its scheduled moment each send was: median, p99 and most, in ns."""
    late_ns = sorted(stamp_ns - begin_ns - int(at * period_ns) for at, stamp_ns in enumerate(stamps_ns))
    if not late_ns:
        return {}
    return {"p50": late_ns[len(late_ns) // 2], "p99": late_ns[len(late_ns) * 99 // 100], "max": late_ns[-1]}


def sleep_precisely() -> None:
    """Let the kernel wake this process at the moment asked for, not up to 50 µs later. Linux; elsewhere nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1_000, 0, 0, 0)


def main() -> None:
    """Listen, print the port, and serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--event-bytes", type=int, default=100)
    blaster = Blaster(parser.parse_args().event_bytes)
    sleep_precisely()
    gc.disable()
    print(blaster.port, flush=True)
    blaster.serve()


if __name__ == "__main__":
    main()
