"""The metrics port: a small HTTP server in one thread. Whatever its clients do, it takes a bounded part of the process.

1. One thread serves all connections, so that a thousand idle ones cost no thread.
2. Each connection brings one request and gets one response. Both have a time limit, and requests a size limit.
3. With ``MAX_CONNECTIONS`` open, a new connection closes the one that has the least time left. So idle connections
   never keep Prometheus out.
"""

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from time import monotonic
from typing import NamedTuple

logger = logging.getLogger("streamgauge.asgi")

MAX_CONNECTIONS = 64
#: The request line and the header fields together.
MAX_REQUEST_BYTES = 16384
MAX_FIELDS = 100
#: How long a client may take for its request, and for reading the response. Prometheus gives up after 10 s.
REQUEST_S, RESPONSE_S = 5.0, 30.0
#: How long the server reads on after its response, so that a reset does not destroy it (RFC 9112, section 9.6).
LAST_READ_S = 2.0
#: How long the server waits before it asks again for a descriptor or a port that it did not get.
RETRY_S = 2.0
_METHODS = ("GET", "HEAD")
_READ_BYTES = 8192


class Request(NamedTuple):
    """A request: its path, its query string, and its header fields by lower-case name."""

    path: str
    query: str
    fields: dict[str, str]


class Response(NamedTuple):
    """A response: its status line without the version, its header fields, and its body."""

    status: str
    fields: list[tuple[str, str]]
    body: bytes


Handler = Callable[[Request], Response]


def text_response(status: str, text: str, *fields: tuple[str, str]) -> Response:
    """Return a response with one line of text."""
    return Response(status, [("Content-Type", "text/plain; charset=utf-8"), *fields], f"{text}\n".encode())


@dataclass(eq=False)
class _Connection:
    socket: socket.socket
    deadline_s: float
    received: bytes = b""
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))
    answered: bool = False
    sent: bool = False


class MetricsPort:
    """The server of one listening socket. ``listen`` makes that socket; it is called again if it raises ``OSError``.

    ``listener``: the socket, if ``listen`` was already called with success.
    """

    def __init__(self, listener: socket.socket | None, listen: Callable[[], socket.socket], handler: Handler) -> None:
        self._listen = listen
        self._handler = handler
        self._selector = selectors.DefaultSelector()
        self._connections = set[_Connection]()
        self._wake, self._woken = socket.socketpair()
        self._closed = False
        self.listener: socket.socket | None = None
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._retry_at_s = monotonic() + RETRY_S
        if listener is not None:
            self._accept_from(listener)
        self._thread = threading.Thread(target=self._run, name="streamgauge-metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, close all connections, and wait for the thread to end."""
        self._closed = True
        with suppress(OSError):
            self._wake.send(b".")
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def abandon(self) -> None:
        """Close the sockets that this process, a fork, has from its parent, in which the server goes on."""
        self._selector.close()
        for connection in self._connections:
            connection.socket.close()
        for each in (self._wake, self._woken, self.listener):
            if each is not None:
                each.close()

    def _run(self) -> None:
        try:
            while not self._closed:
                self._pass()
        finally:
            self.abandon()

    def _pass(self) -> None:
        """Handle what is ready, or wait for it."""
        deadlines_s = [connection.deadline_s for connection in self._connections]
        if self.listener is None:
            deadlines_s.append(self._retry_at_s)
        timeout_s = max(0.0, min(deadlines_s) - monotonic()) if deadlines_s else None
        for key, _ in self._selector.select(timeout_s):
            if key.fileobj is self.listener:
                self._accept(self.listener)
            elif key.data in self._connections:
                self._serve(key.data)
        for connection in [each for each in self._connections if each.deadline_s <= monotonic()]:
            self._expire(connection)
        if self.listener is None and self._retry_at_s <= monotonic():
            self._retry_at_s = monotonic() + RETRY_S
            with suppress(OSError):
                self._accept_from(self._listen())
                logger.info("The metrics port is open now.")

    def _accept_from(self, listener: socket.socket) -> None:
        listener.setblocking(False)
        self.listener = listener
        self._selector.register(listener, selectors.EVENT_READ)

    def _accept(self, listener: socket.socket) -> None:
        if len(self._connections) >= MAX_CONNECTIONS:
            self._drop(min(self._connections, key=lambda each: each.deadline_s))
        try:
            client, _ = listener.accept()
        except BlockingIOError:
            return
        except OSError as error:  # no descriptor is left, or the client has gone: let others have time
            logger.debug("cannot accept a connection: %s", error)
            threading.Event().wait(0.1)
            return
        client.setblocking(False)
        connection = _Connection(client, monotonic() + REQUEST_S)
        self._connections.add(connection)
        self._selector.register(client, selectors.EVENT_READ, connection)

    def _serve(self, connection: _Connection) -> None:
        try:
            if connection.sent:
                if not connection.socket.recv(_READ_BYTES):
                    self._drop(connection)
            elif connection.answered:
                self._send(connection)
            else:
                self._read(connection)
        except BlockingIOError:
            pass
        except OSError:  # the client has reset the connection
            self._drop(connection)

    def _read(self, connection: _Connection) -> None:
        received = connection.socket.recv(_READ_BYTES)
        connection.received += received
        head, end, _ = connection.received.replace(b"\r\n", b"\n").partition(b"\n\n")
        if end or len(connection.received) > MAX_REQUEST_BYTES:
            self._answer(connection, head)
        elif not received:
            self._drop(connection)

    def _expire(self, connection: _Connection) -> None:
        """End a connection whose time is up. A client whose request is not complete learns why."""
        if connection.received and not connection.answered:
            self._start_response(connection, text_response("408 Request Timeout", "The request took too long."), b"")
            with suppress(OSError):
                self._send(connection)
        else:
            self._drop(connection)

    def _answer(self, connection: _Connection, head: bytes) -> None:
        method = head.partition(b" ")[0]
        self._start_response(connection, self._response_to(head), method)
        self._send(connection)

    def _response_to(self, head: bytes) -> Response:
        lines = head.decode("latin-1").split("\n")
        if len(head) > MAX_REQUEST_BYTES or len(lines) > MAX_FIELDS + 1:
            limits = f"{MAX_REQUEST_BYTES} bytes and {MAX_FIELDS} header fields"
            return text_response("431 Request Header Fields Too Large", f"A request may have {limits}.")
        method, _, rest = lines[0].partition(" ")
        target, _, version = rest.rpartition(" ")
        if not version.startswith("HTTP/1.") or not target.startswith("/"):
            return text_response("400 Bad Request", "Expected a request of HTTP/1, such as GET /metrics HTTP/1.1.")
        if method not in _METHODS:
            return text_response("405 Method Not Allowed", "The metrics are read with GET.", ("Allow", "GET, HEAD"))
        path, _, query = target.partition("?")
        pairs = (line.partition(":") for line in lines[1:])
        return self._handled(
            Request(path, query, {name.strip(" \t").lower(): value.strip(" \t") for name, _, value in pairs})
        )

    def _handled(self, request: Request) -> Response:
        try:
            return self._handler(request)
        except Exception as error:
            logger.exception("The metrics cannot be rendered.")
            return text_response("500 Internal Server Error", f"The metrics cannot be rendered: {error}")

    def _start_response(self, connection: _Connection, response: Response, method: bytes) -> None:
        fields = [
            *response.fields,
            ("Content-Length", str(len(response.body))),
            ("Date", formatdate(usegmt=True)),
            ("Connection", "close"),
        ]
        head = "".join([f"HTTP/1.1 {response.status}\r\n", *(f"{name}: {value}\r\n" for name, value in fields), "\r\n"])
        connection.unsent = memoryview(head.encode("latin-1") + (b"" if method == b"HEAD" else response.body))
        connection.answered = True
        connection.deadline_s = monotonic() + RESPONSE_S
        self._selector.modify(connection.socket, selectors.EVENT_WRITE, connection)

    def _send(self, connection: _Connection) -> None:
        with suppress(BlockingIOError):
            while connection.unsent:
                connection.unsent = connection.unsent[connection.socket.send(connection.unsent) :]
            connection.sent = True
            connection.deadline_s = monotonic() + LAST_READ_S
            connection.socket.shutdown(socket.SHUT_WR)
            self._selector.modify(connection.socket, selectors.EVENT_READ, connection)

    def _drop(self, connection: _Connection) -> None:
        self._connections.discard(connection)
        self._selector.unregister(connection.socket)
        connection.socket.close()
