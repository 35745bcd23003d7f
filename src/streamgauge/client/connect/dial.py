"""From addresses to a transport that is ready for a request: TCP or Unix socket, then a proxy's tunnel, then TLS.

Connecting → tunnelling (CONNECT, RFC 9110 section 9.3.6) → shaking hands → ready, or failed with a sentence that says
what was tried.
"""

import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from streamgauge.client.connect.happy_eyeballs import Connecting
from streamgauge.client.connect.stamped_socket import Address, Socket, round_trip_ns
from streamgauge.client.connect.transport import PlainTransport, TlsTransport, Transport, tls_words
from streamgauge.client.reactor import Reactor, Watch
from streamgauge.client.start_delay import StartDelay
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.http1_head import HeadParser


@dataclass(frozen=True, slots=True)
class Route:
    """How to get to an origin.

    ``tunnel`` is the CONNECT request that a proxy is sent first; ``tls`` comes after it. ``absolute`` says that a proxy
    without a tunnel is asked, by whole URLs and with ``proxy_authorization``.
    """

    addresses: tuple[Address, ...]
    tls: ssl.SSLContext | None = None
    server_name: str = ""
    tunnel: bytes = b""
    absolute: bool = False
    proxy_authorization: str = ""


class Dial:
    """One attempt to get a transport. Exactly one of the two callbacks is called, once, unless it is cancelled.

    ``delay`` is told when a connection is being made and when there is one.
    """

    def __init__(
        self,
        route: Route,
        reactor: Reactor,
        delay: StartDelay,
        on_ready: Callable[[Transport], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self._route = route
        self._reactor = reactor
        self._delay = delay
        self._on_ready = on_ready
        self._on_failed = on_failed
        self._connecting = Connecting(route.addresses, reactor, self._on_connected, self._on_unconnected)
        self._sock: Socket | None = None
        self._watch: Watch | None = None
        self._plain: PlainTransport | None = None
        self._tls: TlsTransport | None = None
        self._proxy_head = HeadParser()

    def start(self) -> None:
        """Begin."""
        self._delay.connect()
        self._connecting.start()

    def cancel(self) -> None:
        """Give up; no callback is called any more."""
        self._connecting.cancel()
        self._unwatch()
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _on_unconnected(self, problem: str) -> None:
        proxied = self._route.tunnel or self._route.absolute
        self._on_failed(f"the proxy: {problem}" if proxied else problem)

    def _on_connected(self, sock: Socket) -> None:
        self._sock = sock
        self._plain = PlainTransport(sock)
        if self._route.tunnel:
            self._ask_proxy(self._plain)
        else:
            self._secure()

    def _ask_proxy(self, plain: PlainTransport) -> None:
        plain.write(self._route.tunnel)
        with suppress(OSError):  # it may have answered before it hung up
            plain.flush()
        self._watch = self._reactor.on_readable(plain.sock.fileno(), self._on_proxy_readable)

    def _on_proxy_readable(self) -> None:
        assert self._plain is not None
        try:
            data, _ = self._plain.read()
            head = self._proxy_head.feed(data) if data else None
        except BlockingIOError:
            return
        except (OSError, ProtocolError) as error:
            self._fail(f"the proxy: {words(error)}")
            return
        if not data:
            self._fail("the proxy closed the connection instead of opening a tunnel")
        elif head is not None and not 200 <= head.status < 300:
            self._fail(f"the proxy answered {head.status} {head.reason}".rstrip())
        elif head is not None:
            self._unwatch()
            self._secure()

    def _secure(self) -> None:
        assert self._plain is not None
        if self._route.tls is None:
            self._ready(self._plain)
            return
        try:
            self._tls = TlsTransport(self._plain, self._route.tls, self._route.server_name)
        except OSError as error:
            self._fail(f"TLS: {words(error)}")
            return
        self._watch = self._reactor.on_readable(self._plain.sock.fileno(), self._on_handshake_readable)

    def _on_handshake_readable(self) -> None:
        assert self._tls is not None
        try:
            self._tls.receive()
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(f"TLS: {words(error)}")
            return
        if self._tls.handshaken:
            self._ready(self._tls)

    def _ready(self, transport: Transport) -> None:
        self._unwatch()
        self._sock = None
        one_trip = not (self._route.tls or self._route.tunnel)
        self._delay.connected(round_trip_ns(transport.sock) if one_trip else None)
        self._on_ready(transport)

    def _fail(self, reason: str) -> None:
        self.cancel()
        self._on_failed(reason)

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.stop()
            self._watch = None


def words(error: Exception) -> str:
    """What went wrong, as a sentence has it."""
    if isinstance(error, ssl.SSLError):
        return tls_words(error)
    return getattr(error, "strerror", None) or str(error)


def is_tls_failure(error: OSError) -> bool:
    """Whether TLS said it, and not that it was cut short. In TLS 1.3 a server refuses a client after the handshake."""
    return isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError)
