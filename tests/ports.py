"""Ports for what tests start."""

import contextlib
import random
import socket

#: Below those that the kernel gives to anybody. No process of the suite has the same order.
_ports = iter(random.Random().sample(range(15_000, 32_000), 10_000))


def free_port() -> int:
    """A port that was free a moment ago. Each is given only once."""
    for port in _ports:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("no port is free")
