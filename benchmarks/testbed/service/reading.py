"""Reads streams to their end as cheaply as possible, and counts only bytes."""

import selectors
import socket
from contextlib import ExitStack

_BUFFER_BYTES = 1 << 20
_PATIENCE_S = 60.0


class ReadingError(RuntimeError):
    """A stream was incomplete. The text says what was expected and what arrived."""


def read_all(port: int, path: str, streams: int, coded_bytes: int | None) -> None:
    """Read ``path`` to its end on ``streams`` connections at once.

    Raises ReadingError unless each body has ``coded_bytes`` bytes with its transfer coding, or, for None, as many as
    the others.
    """
    sizes = read_bodies(port, path, streams)
    expected = sizes[0] if coded_bytes is None else coded_bytes
    for size in sizes:
        if size != expected:
            raise ReadingError(f"{path}: expected {expected} bytes, got {size}")


def read_bodies(port: int, path: str, streams: int) -> list[int]:
    """Read ``path`` to its end on ``streams`` connections at once; return the size of each body as sent.

    Raises ReadingError if no data arrives for long.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    came: dict[int, int] = {}
    with ExitStack() as open_ones, selectors.DefaultSelector() as selector:
        for number in range(streams):
            connection = open_ones.enter_context(socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S))
            connection.sendall(request)
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ, number)
        while selector.get_map():
            ready = selector.select(_PATIENCE_S)
            if not ready:
                raise ReadingError(f"{path}: no data arrived for {_PATIENCE_S:g} s")
            for key, _ in ready:
                size = key.fileobj.recv_into(buffer)  # type: ignore[union-attr]
                if key.data not in came:  # a server sends the head in one piece
                    came[key.data] = -(bytes(buffer[:size]).find(b"\r\n\r\n") + 4)
                came[key.data] += size
                if not size:
                    selector.unregister(key.fileobj)
    return list(came.values())
