"""Where connections lead instead of where the URL says, by the rules of curl's ``--connect-to``, ``--resolve`` and
``--unix-socket``. The Host field, SNI and the certificate's name stay those of the URL.
"""

import ipaddress
import re
from dataclasses import dataclass, replace

from streamgauge.client.connect.target import Target, TargetError, target_of
from streamgauge.wire.blanks import trimmed
from streamgauge.wire.digits import whole_number

#: A colon that is not inside the brackets of an IPv6 address.
_COLON = re.compile(r":(?![^\[]*\])")
_ENTRY = re.compile(r"\+?(?!-)(\*|\[[^\[\]]+\]|[^:\[\]]+):([0-9]+):(.+)")
#: Linux's struct sockaddr_un has 108 bytes, the last of which is a zero.
MAX_SOCKET_PATH_BYTES = 107


@dataclass(frozen=True, slots=True)
class ConnectTo:
    """Requests for ``of_host`` and ``of_port`` connect to ``host`` and ``port``.

    An empty ``of_host`` and an ``of_port`` of 0 match any; an empty ``host`` and a ``port`` of 0 are the request's own.
    """

    of_host: str
    of_port: int
    host: str
    port: int

    def matches(self, target: Target) -> bool:
        """Return whether the rule is for this target."""
        return self.of_host in ("", target.host) and self.of_port in (0, target.port)

    def applied_to(self, target: Target) -> Target:
        """Return where a request for ``target`` connects."""
        return replace(target, host=self.host or target.host, port=self.port or target.port)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The addresses of ``host`` at ``port``; the host ``*`` is any."""

    host: str
    port: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overrides:
    """All rules of a user. The first of ``connect_to`` that matches applies; of ``resolve``, the last one does."""

    connect_to: tuple[ConnectTo, ...] = ()
    resolve: tuple[Resolved, ...] = ()
    unix_socket: str = ""

    def place_of(self, target: Target) -> Target:
        """Return the host and port that a request for ``target`` connects to."""
        rule = next((rule for rule in self.connect_to if rule.matches(target)), None)
        return target if rule is None else rule.applied_to(target)

    def addresses_of(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses to use for a host instead of those that the resolver has; empty if no rule has any."""
        for name in (host, "*"):
            for each in reversed(self.resolve):
                if (each.host, each.port) == (name, port):
                    return each.addresses
        return ()


def read_connect_to(text: str) -> ConnectTo:
    """Read ``HOST:PORT`` or ``HOST1:PORT1:HOST2:PORT2``. Raises ValueError."""
    text = trimmed(text)
    pieces = _COLON.split(text)
    try:
        if len(pieces) not in (2, 4):
            raise ValueError
        of_host, of_port = (_host(pieces[0]), _port(pieces[1])) if len(pieces) == 4 else ("", 0)
        host, port = _host(pieces[-2]), _port(pieces[-1])
        if not (host or port):
            raise ValueError
    except ValueError:
        raise ValueError(f"expected HOST:PORT or HOST1:PORT1:HOST2:PORT2, got {text!r}") from None
    return ConnectTo(of_host, of_port, host, port)


def read_resolved(text: str) -> Resolved:
    """Read ``HOST:PORT:ADDRESS[,ADDRESS]…``. Raises ValueError."""
    found = _ENTRY.fullmatch(trimmed(text))
    try:
        if found is None or not (port := _port(found[2])):
            raise ValueError
        addresses = tuple(
            str(ipaddress.ip_address(trimmed(each).removeprefix("[").removesuffix("]"))) for each in found[3].split(",")
        )
        return Resolved(found[1] if found[1] == "*" else _host(found[1]), port, addresses)
    except ValueError:
        raise ValueError(
            f"expected HOST:PORT:ADDRESS such as shop.example.com:443:127.0.0.1, got {trimmed(text)!r}"
        ) from None


def read_socket_path(text: str) -> str:
    """Read the path of a Unix socket. Raises ValueError."""
    if not trimmed(text) or "\0" in text or len(text.encode(errors="replace")) > MAX_SOCKET_PATH_BYTES:
        raise ValueError(f"expected the path of a Unix socket, of at most {MAX_SOCKET_PATH_BYTES} bytes, got {text!r}")
    return text


def _host(text: str) -> str:
    """Return a host as targets have it. Raises ValueError."""
    if not text:
        return ""
    target = target_of(f"http://{text}/")
    if target.authorization or target.resource != "/" or text != trimmed(text):
        raise TargetError(f"{text!r} is not a host name")
    return target.host


def _port(text: str) -> int:
    """Return a port, 0 for none. Raises ValueError."""
    port = whole_number(text) if text else 0
    if port is None or port > 65535 or (text and not port):
        raise ValueError(f"{text!r} is not a port")
    return port
