"""Limits what is read from a socket at once, and counts it: what a slow reader takes."""

from typing import Any

from streamgauge.client.connect.stamped_socket import READ_BYTES, Socket

#: A slow reader reads about so often while data waits: often enough that a server's buffers drain evenly.
EVERY_S = 0.05


class ReadLimit:
    """At most as many bytes at once as ``bytes_per_s`` allows in ``EVERY_S``."""

    __slots__ = ("_most_bytes", "bytes_per_s", "taken_bytes")

    def __init__(self, bytes_per_s: float) -> None:
        self.bytes_per_s = bytes_per_s
        self._most_bytes = max(1, min(READ_BYTES, round(bytes_per_s * EVERY_S)))
        #: All bytes that were read so far.
        self.taken_bytes = 0

    def recvmsg(self, sock: Socket, size_bytes: int, ancillary_bytes: int) -> tuple[bytes, list[Any], int, Any]:
        """Read as ``socket.recvmsg`` does, at most the limit."""
        found = sock.recvmsg(min(size_bytes, self._most_bytes), ancillary_bytes)
        self.taken_bytes += len(found[0])
        return found
