"""Finds the route to an origin: direct, through a Unix socket or a forward proxy, and with which TLS settings.

Resolving a name may block, so the user looks up routes in its own time, never inside an exchange's callbacks.
"""

import _socket
from dataclasses import dataclass, field, replace

from streamgauge.client.connect.dial import Route
from streamgauge.client.connect.overrides import Overrides
from streamgauge.client.connect.stamped_socket import Address, resolve
from streamgauge.client.connect.target import Target, TargetError, target_of
from streamgauge.client.connect.tls import TlsSettings, context_of


class RouteError(Exception):
    """A host that cannot be found."""


@dataclass(frozen=True, slots=True)
class Network:
    """The proxy and TLS settings of all streams of a user. ``proxy`` is ``http://[user:password@]host:port``.

    ``server_name`` is the name of the service at ``address``, as in curl's ``--resolve``: requests are for the name, in
    URLs, the Host header, and TLS, and connections lead to the address. ``overrides`` lead connections elsewhere.
    """

    proxy: str | None = None
    tls: TlsSettings = field(default_factory=TlsSettings)
    server_name: str = ""
    address: str = ""
    overrides: Overrides = field(default_factory=Overrides)

    def __post_init__(self) -> None:
        """Raise TargetError or TlsError for a proxy or certificates that cannot be used."""
        if self.proxy is not None:
            target_of(self.proxy)  # raises for what is no URL
            if not self.proxy.lower().startswith("http://"):
                raise TargetError(f"proxy: expected http://host:port, got {self.proxy!r}")
        if self.tls != TlsSettings():
            context_of(self.tls)

    def reached_at(self, host: str | None) -> "Network":
        """Return these settings for a user whose service is at ``host``, a URL."""
        return replace(self, address=target_of("/", host).host) if self.server_name and host else self

    def named(self, target: Target) -> Target:
        """Return ``target`` with the service's name instead of its address."""
        if self.address and target.host == self.address:
            return replace(target, host=self.server_name)
        return target

    def route_to(self, target: Target, *, tunnel: bool = False) -> Route:
        """Return the route to ``target``, for a WebSocket with a ``tunnel`` through any proxy. Raises RouteError."""
        if target.unix_path:
            return Route(((_socket.AF_UNIX, target.unix_path),))
        tls = context_of(self.tls) if target.scheme == "https" else None
        if self.overrides.unix_socket:
            return Route(((_socket.AF_UNIX, self.overrides.unix_socket),), tls, target.host)
        place = self._located(target)
        if self.proxy is None:
            return Route(self._addresses(place), tls, target.host)
        proxy = target_of(self.proxy)
        moved = bool(self.overrides.connect_to) and place is not target
        if tls is None and not tunnel and not moved:
            return Route(self._addresses(proxy), absolute=True, proxy_authorization=proxy.authorization)
        return Route(self._addresses(proxy), tls, target.host, tunnel=_connect_request(place, proxy))

    def _located(self, target: Target) -> Target:
        """Return ``target`` with the host and port to connect to."""
        if self.address and target.host == self.server_name:
            return replace(target, host=self.address)
        return self.overrides.place_of(target) if self.overrides.connect_to else target

    def _addresses(self, place: Target) -> tuple[Address, ...]:
        """Return the addresses of a host, without the resolver where an override has them. Raises RouteError."""
        given = self.overrides.addresses_of(place.host, place.port) if self.overrides.resolve else ()
        try:
            if not given:
                return tuple(resolve(place.host, place.port))
            return tuple(address for host in given for address in resolve(host, place.port))
        except OSError as error:
            raise RouteError(f"cannot resolve {place.host!r}: {error.strerror or error}") from None


def _connect_request(target: Target, proxy: Target) -> bytes:
    lines = [f"CONNECT {target.host_and_port} HTTP/1.1", f"Host: {target.host_and_port}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    return "\r\n".join((*lines, "", "")).encode("latin-1")
