"""The listening socket, opened first: a port in use is reported at once, and workers share the socket.

On Linux a connection inherits the options of the listening socket, so they are set here, once.
"""

import socket
import sys

from target_app.settings import Settings

BACKLOG = 2048
_LINUX = sys.platform.startswith("linux")
#: Linux's number; Python has no name for it before 3.12.
_NOT_SENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", 25)


def listen(settings: Settings) -> socket.socket:
    """Open the socket. Raises ``OSError`` if that fails."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _limit_buffers(listener, settings)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _limit_buffers(listener: socket.socket, settings: Settings) -> None:
    """Limit how much the kernel buffers for a client that does not read, and for how long.

    The time limit is for a stream whose app has nothing more to send: no send waits, so no send times out, and the
    kernel would probe the client's closed window forever.
    """
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.send_buffer_bytes)
    if _LINUX:
        listener.setsockopt(socket.IPPROTO_TCP, _NOT_SENT_LOWAT, settings.not_sent_bytes)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, settings.tcp_user_timeout_s * 1000)


def url_of(listener: socket.socket, host: str) -> str:
    """Write the address that clients use."""
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
