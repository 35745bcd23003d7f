"""Gets a connection to the first of several addresses that accepts one: TCP, or a Unix socket.

Addresses are tried one after the other, each when the one before failed. An address that does not answer holds up only
its own family: a quarter of a second later the first address of the other family is tried beside it, and the first to
connect wins (RFC 8305), since hosts have IPv6 addresses that lead nowhere. Two addresses of one family are never tried
at once: that would be load that nobody asked for.
"""

import _socket
import os
from collections.abc import Callable
from functools import partial

from streamgauge.client.connect.stamped_socket import Address, Socket, open_socket
from streamgauge.client.reactor import Reactor, Watch

#: RFC 8305 section 8's Connection Attempt Delay.
ATTEMPT_DELAY_S = 0.25


class HappyEyeballs:
    """Calls one of the two callbacks, once, unless it is cancelled. The problem is that of the last attempt."""

    def __init__(
        self,
        addresses: tuple[Address, ...],
        reactor: Reactor,
        on_connected: Callable[[Socket], None],
        on_failed: Callable[[str], None],
        window_bytes: int = 0,
    ) -> None:
        self._window_bytes = window_bytes
        self._left = list(addresses)
        self._reactor = reactor
        self._on_connected = on_connected
        self._on_failed = on_failed
        self._attempts: dict[Socket, Watch] = {}
        self._other_family: Watch | None = None

    def start(self) -> None:
        """Begin to connect."""
        if len({family for family, _ in self._left}) > 1:
            self._other_family = self._reactor.after(ATTEMPT_DELAY_S, self._try_other_family)
        self._try_next("the host has no address")

    def cancel(self) -> None:
        """Give up. No callback is called any more."""
        if self._other_family is not None:
            self._other_family.stop()
            self._other_family = None
        for sock in list(self._attempts):
            self._forget(sock)
            sock.close()

    def _forget(self, sock: Socket) -> None:
        self._attempts.pop(sock).stop()

    def _try_next(self, problem: str) -> None:
        """Try the remaining addresses until one is under way; ``problem`` is why the one before failed."""
        while self._left:
            try:
                self._try(self._left.pop(0))
            except OSError as error:
                problem = error.strerror or str(error)
                continue
            return
        if not self._attempts:
            self.cancel()
            self._on_failed(problem)

    def _try_other_family(self) -> None:
        under_way = {sock.family for sock in self._attempts}
        other = [address for address in self._left if address[0] not in under_way]
        if other:
            self._left.remove(other[0])
            self._left.insert(0, other[0])
            self._try_next("")

    def _try(self, address: Address) -> None:
        sock = open_socket(address, window_bytes=self._window_bytes)
        self._attempts[sock] = self._reactor.on_writable(sock.fileno(), partial(self._on_writable, sock))

    def _on_writable(self, sock: Socket) -> None:
        code = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        self._forget(sock)
        if code:
            sock.close()
            self._try_next(os.strerror(code))
        else:
            self.cancel()
            self._on_connected(sock)
