"""From addresses to a transport that is ready for a request: TCP or Unix socket, then a proxy's tunnel, then TLS.

One step follows the other, each an object of its own: ``HappyEyeballs`` → ``_Tunnel`` (CONNECT, RFC 9110 section 9.3.6)
→ ``_Handshake`` → ready, or failed with a sentence that says what was tried.
"""

import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from streamgauge.client.connect.happy_eyeballs import HappyEyeballs
from streamgauge.client.connect.stamped_socket import Address, Socket, round_trip_ns
from streamgauge.client.connect.transport import PlainTransport, TlsTransport, Transport, describe_tls
from streamgauge.client.reactor import Reactor
from streamgauge.client.start_delay import StartDelay
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.foreign_protocols import is_tls
from streamgauge.wire.http1_head import HeadParser


@dataclass(frozen=True, slots=True)
class Route:
    """How to get to an origin.

    ``tunnel`` is the CONNECT request that is sent to a proxy first; ``tls`` comes after it. ``absolute`` says that a
    proxy relays the request, which then has the whole URL and ``proxy_authorization``. ``window_bytes`` limits the
    receive window of the connection; 0 leaves it to the kernel.
    """

    addresses: tuple[Address, ...]
    tls: ssl.SSLContext | None = None
    server_name: str = ""
    tunnel: bytes = b""
    absolute: bool = False
    proxy_authorization: str = ""
    window_bytes: int = 0


class _Step(Protocol):
    """What a dial is doing now."""

    def cancel(self) -> None:
        """Stop it and close its socket."""


class Dial:
    """One attempt to get a transport. Calls one of the two callbacks, once, unless it is cancelled.

    It tells ``delay`` when it begins to connect and when it is connected.
    """

    def __init__(
        self,
        route: Route,
        reactor: Reactor,
        delay: StartDelay,
        on_ready: Callable[[Transport], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self._route, self._reactor, self._delay = route, reactor, delay
        self._on_ready, self._on_failed = on_ready, on_failed
        self._eyeballs = HappyEyeballs(
            route.addresses, reactor, self._on_connected, self._on_unconnected, route.window_bytes
        )
        self._step: _Step = self._eyeballs

    def start(self) -> None:
        """Begin to connect."""
        self._delay.connect()
        self._eyeballs.start()

    def cancel(self) -> None:
        """Give up. No callback is called any more."""
        self._step.cancel()

    def _on_unconnected(self, problem: str) -> None:
        proxied = self._route.tunnel or self._route.absolute
        self._on_failed(f"the proxy: {problem}" if proxied else problem)

    def _on_connected(self, sock: Socket) -> None:
        plain = PlainTransport(sock)
        if self._route.tunnel:
            self._step = _Tunnel(plain, self._route.tunnel, self._reactor, self._secure, self._on_failed)
        else:
            self._secure(plain)

    def _secure(self, plain: PlainTransport) -> None:
        if self._route.tls is None:
            self._ready(plain)
            return
        try:
            tls = TlsTransport(plain, self._route.tls, self._route.server_name)
        except OSError as error:
            plain.close()
            self._on_failed(f"TLS: {describe(error)}")
        else:
            self._step = _Handshake(tls, self._reactor, self._ready, self._on_failed)

    def _ready(self, transport: Transport) -> None:
        one_trip = not (self._route.tls or self._route.tunnel)
        self._delay.connected(round_trip_ns(transport.sock) if one_trip else None)
        self._on_ready(transport)


class _Tunnel:
    """Asks a proxy for a tunnel and waits for its answer."""

    def __init__(
        self,
        plain: PlainTransport,
        request: bytes,
        reactor: Reactor,
        on_open: Callable[[PlainTransport], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self._plain, self._on_open, self._on_failed = plain, on_open, on_failed
        self._head_parser = HeadParser()
        plain.write(request)
        with suppress(OSError):  # the proxy may have answered before it hung up
            plain.flush()
        self._watch = reactor.on_readable(plain.sock.fileno(), self._on_readable)

    def _on_readable(self) -> None:
        try:
            data, _ = self._plain.read()
            head = self._head_parser.feed(data) if data else None
        except BlockingIOError:
            return
        except (OSError, ProtocolError) as error:
            self._fail(f"the proxy: {describe(error)}")
            return
        if not data:
            self._fail("the proxy closed the connection instead of opening a tunnel")
        elif head is not None and not 200 <= head.status < 300:
            self._fail(f"the proxy answered {head.status} {head.reason}".rstrip(" "))
        elif head is not None:
            self._watch.stop()
            self._on_open(self._plain)

    def _fail(self, reason: str) -> None:
        self.cancel()
        self._on_failed(reason)

    def cancel(self) -> None:
        self._watch.stop()
        self._plain.close()


class _Handshake:
    """Does the rest of a TLS handshake whose first message is sent."""

    def __init__(
        self,
        tls: TlsTransport,
        reactor: Reactor,
        on_done: Callable[[TlsTransport], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self._tls, self._on_done, self._on_failed = tls, on_done, on_failed
        self._watch = reactor.on_readable(tls.sock.fileno(), self._on_readable)

    def _on_readable(self) -> None:
        try:
            self._tls.receive()
        except BlockingIOError:
            return
        except OSError as error:
            self.cancel()
            first = self._tls.first
            plain = (
                ""
                if is_tls(first) or not first
                else f": the server answered without TLS, {first!r}; use http:// or ws://"
            )
            self._on_failed(f"TLS: {describe(error)}{plain}")
            return
        if self._tls.handshaken:
            self._watch.stop()
            self._on_done(self._tls)

    def cancel(self) -> None:
        self._watch.stop()
        self._tls.close()


def describe(error: Exception) -> str:
    """Return what went wrong, as part of a sentence."""
    if isinstance(error, ssl.SSLError):
        return describe_tls(error)
    return getattr(error, "strerror", None) or str(error)


def is_tls_failure(error: OSError) -> bool:
    """Whether TLS reports a failure, not a connection cut short. TLS 1.3 servers refuse clients after the handshake."""
    return isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError)
