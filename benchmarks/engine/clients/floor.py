"""Reads with the least that Python allows: epoll and ``recvmsg``. Counts bytes, and parses nothing.

With ``--stamps`` each socket asks the kernel for arrival stamps, as streamgauge does, and each read returns one.
"""

import argparse
import json
import os
import select
import socket
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.engine.clients import orders

SO_TIMESTAMPNS = 35
#: Below the limit of glibc's malloc for own mappings: from 128 KiB on, each read costs an mmap and a munmap.
READ_BYTES = 65_536
ANCILLARY_BYTES = socket.CMSG_SPACE(16)
TERMINATOR = b"0\r\n\r\n"


def opened(number: int, *, stamps: bool) -> socket.socket:
    """Open a connection and request a stream."""
    where = urlsplit(orders.url())
    sock = socket.socket()
    if stamps:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.connect((where.hostname, where.port))
    sock.sendall(f"GET {orders.path(number)} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
    sock.setblocking(False)
    return sock


def read_all(sockets: list[socket.socket], ancillary_bytes: int) -> list[int]:
    """Read until each stream has ended; return the bytes of each."""
    poll = select.epoll(len(sockets))
    readers = {sock.fileno(): sock.recvmsg for sock in sockets}
    counts = dict.fromkeys(readers, 0)
    for fd in readers:
        poll.register(fd, select.EPOLLIN)
    left = len(sockets)
    while left:
        for fd, _ in poll.poll():
            data, _, _, _ = readers[fd](READ_BYTES, ancillary_bytes)
            counts[fd] += len(data)
            if data[-5:] == TERMINATOR or not data:
                poll.unregister(fd)
                left -= 1
    return [counts[sock.fileno()] for sock in sockets]


def main() -> None:
    """Open the streams, read them, and write how many bytes each had."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stamps", action="store_true")
    stamps = parser.parse_args().stamps
    sockets = [opened(number, stamps=stamps) for number in range(orders.streams())]
    counts = read_all(sockets, ANCILLARY_BYTES if stamps else 0)
    Path(os.environ[orders.OUTPUT_VARIABLE]).write_text(json.dumps({"bytes": dict(enumerate(counts))}))


if __name__ == "__main__":
    main()
