"""Opens sockets whose arrivals the kernel stamps, without blocking, and finds the stamps in reads."""

import _socket
import atexit
import errno
import os
import struct
import sys
from collections.abc import Sequence
from typing import Any

#: Linux's SO_TIMESTAMPNS, which ``socket`` does not name; its control message has the same number.
SO_TIMESTAMPNS = 35
HAS_KERNEL_STAMPS = sys.platform == "linux" and struct.calcsize("l") == 8
#: The C library maps buffers of 128 KiB or more again for each read.
READ_BYTES = 65_536
ANCILLARY_BYTES = _socket.CMSG_SPACE(16)
_SOL_SOCKET = _socket.SOL_SOCKET
_STAMP = struct.Struct("qq")
#: Linux's struct tcp_info: the smoothed round trip in µs follows 8 bytes and 15 words of 4 bytes.
_TCP_INFO = getattr(_socket, "TCP_INFO", 11)
#: Since Linux 4.6: how many segments with data have come, behind 8 bytes, 24 words, 4 of 8 bytes and 4 more words.
_SEGMENTS_AT = 8 + 24 * 4 + 4 * 8 + 4 * 4
_ROUND_TRIP, _ROUND_TRIP_AT = struct.Struct("I"), 8 + 15 * 4

#: The C socket: a framework may have replaced ``socket.socket``, which adds nothing that is needed here.
Socket = _socket.socket
Address = tuple[int, Any]

#: The kernel stamps segments only while some socket asks for it, and begins late: this socket never closes.
_asking: list[Socket] = []


def open_socket(address: Address, *, stamps: bool = HAS_KERNEL_STAMPS, window_bytes: int = 0) -> Socket:
    """Return a non-blocking TCP or Unix socket that is connecting to ``address``. Raises OSError.

    ``window_bytes`` limits TCP's receive window, which has to be known before the connection is made; 0 leaves it to
    the kernel. Of a Unix socket, the sender has the buffer.
    """
    family, where = address
    sock = Socket(family, _socket.SOCK_STREAM | getattr(_socket, "SOCK_CLOEXEC", 0))
    try:
        sock.setblocking(False)
        if family != _socket.AF_UNIX:
            sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            if window_bytes:
                _limit_window(sock, window_bytes)
        if stamps:
            _ask_for_stamps()
            sock.setsockopt(_socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        code = sock.connect_ex(where)
        if code not in (0, errno.EINPROGRESS):
            full = family == _socket.AF_UNIX and code == errno.EAGAIN
            raise OSError(code, "the queue of the Unix socket is full" if full else os.strerror(code))
    except BaseException:
        sock.close()
        raise
    return sock


def _limit_window(sock: Socket, window_bytes: int) -> None:
    sock.setsockopt(_SOL_SOCKET, _socket.SO_RCVBUF, window_bytes)  # Linux doubles it for its own bookkeeping
    if sys.platform == "linux":
        sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_WINDOW_CLAMP, window_bytes)


def _ask_for_stamps() -> None:
    if not _asking:
        sock = Socket(_socket.AF_INET, _socket.SOCK_DGRAM)
        sock.setsockopt(_socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        _asking.append(sock)
        atexit.register(sock.close)


def round_trip_ns(sock: Socket) -> int:
    """Return the kernel's estimate of the round trip; 0 if it has none, as for Unix sockets."""
    try:
        info = sock.getsockopt(_socket.IPPROTO_TCP, _TCP_INFO, _ROUND_TRIP_AT + _ROUND_TRIP.size)
        return int(_ROUND_TRIP.unpack_from(info, _ROUND_TRIP_AT)[0]) * 1000
    except (OSError, struct.error):
        return 0


def segments_of(sock: Socket) -> int | None:
    """Return how many segments with data have come on a TCP connection; None if the system does not say."""
    if not HAS_KERNEL_STAMPS:
        return None
    try:
        info = sock.getsockopt(_socket.IPPROTO_TCP, _TCP_INFO, _SEGMENTS_AT + _ROUND_TRIP.size)
        return int(_ROUND_TRIP.unpack_from(info, _SEGMENTS_AT)[0])
    except (OSError, struct.error):
        return None


def stamp_ns(messages: Sequence[tuple[int, int, bytes]]) -> int | None:
    """Return the kernel's wall-clock stamp in ns from the control messages of a read, or None."""
    for level, kind, data in messages:
        if kind == SO_TIMESTAMPNS and level == _SOL_SOCKET:
            seconds, nanoseconds = _STAMP.unpack(data)
            return seconds * 1_000_000_000 + nanoseconds  # type: ignore[no-any-return]
    return None


def stamps_of(reads: Sequence[Sequence[tuple[int, int, bytes]]]) -> list[int | None]:
    """Return the stamps from the control messages of many reads, in ns; None for a read without."""
    try:
        stamps = b"".join([data for ((_, kind, data),) in reads if kind == SO_TIMESTAMPNS])
    except ValueError:  # one with more messages, or with none
        stamps = b""
    if len(stamps) != len(reads) * _STAMP.size:
        return [stamp_ns(messages) for messages in reads]
    return [seconds * 1_000_000_000 + nanoseconds for seconds, nanoseconds in _STAMP.iter_unpack(stamps)]


def resolve(host: str, port: int) -> list[Address]:
    """Return the TCP addresses of a host, in the resolver's order. Raises OSError."""
    try:
        found: list[Any] = [*_socket.getaddrinfo(host, port, 0, _socket.SOCK_STREAM, 0, _socket.AI_NUMERICHOST)]
    except OSError:
        import socket  # at call time: a framework's cooperative resolver serves where it is in place

        found = [*socket.getaddrinfo(host, port, type=_socket.SOCK_STREAM)]
    return [(family, where) for family, _, _, _, where in found]
