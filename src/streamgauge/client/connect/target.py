"""Takes a URL apart into what connecting and requesting need."""

import ipaddress
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import SplitResult, quote, unquote, urlencode, urljoin, urlsplit

_PATH_SAFE = "/:@!$&'()*+,;=-._~%"
_QUERY_SAFE = _PATH_SAFE + "?"
_PORTS = {"http": 80, "https": 443}
_UNIX = "http+unix"
_WEBSOCKET = {"ws": "http", "wss": "https"}
#: A path may contain another URL in its query; a whole URL begins with its scheme.
_WHOLE_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
#: Characters that no host name contains (WHATWG URL section 3.2) and that ``urlsplit`` lets through.
_NOT_IN_HOSTS = re.compile(r'[\x00-\x20"<>\\^`{|}%\x7f]')

#: What is added to a query: by name, as pairs, or as text.
Params = Mapping[str, object] | Sequence[tuple[str, object]] | str | None


class TargetError(ValueError):
    """A URL without a host, or with a scheme that is not supported."""


class NoHostError(TargetError):
    """A path without a host."""


@dataclass(frozen=True, slots=True)
class Target:
    """One resource. Connections are kept per ``origin``."""

    scheme: str
    host: str
    port: int
    resource: str
    """Path and query, as in the request line."""
    authorization: str = ""
    """The Authorization field for the user and password in the URL."""
    unix_path: str = ""
    """The Unix socket to connect to instead of the host: ``http+unix://%2Frun%2Fapp.sock/path``."""

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host (or socket) and port."""
        return self.scheme, self.unix_path or self.host, self.port

    @property
    def authority(self) -> str:
        """The Host field: the port only if it is not the scheme's default, an IPv6 address in brackets."""
        return self.bracketed_host if self.port == _PORTS[self.scheme] else self.host_and_port

    @property
    def bracketed_host(self) -> str:
        """The host as in URLs: an IPv6 address in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def host_and_port(self) -> str:
        """Host and port, also if the port is the default."""
        return f"{self.bracketed_host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole URL, without user and password."""
        return f"{self.scheme}://{self.authority}{self.resource}"


def is_whole_url(url: str) -> bool:
    """Return whether ``url`` begins with a scheme and so needs no host."""
    return _WHOLE_URL.match(url) is not None


def target_of(url: str, host: str | None = None, params: Params = None) -> Target:
    """Return the target of ``url``, which may be a path below ``host``, with ``params`` added to its query.

    Raises TargetError.
    """
    if not is_whole_url(url):
        if not host:
            raise NoHostError(f"{url!r} is a path, and no host is set: give --host, or a whole URL")
        if "?" in host or "#" in host:
            raise TargetError(
                f"expected a host without a query (?) or a fragment (#), got {host!r}: add it to the path"
            )
        url = host.rstrip("/") + "/" + url.lstrip("/")
    parts, port = _split(url)
    more = params if isinstance(params, str) else urlencode(params or {}, doseq=True)
    query = "&".join(filter(None, (parts.query, more)))
    resource = quote(parts.path or "/", _PATH_SAFE) + (f"?{quote(query, _QUERY_SAFE)}" if query else "")
    if parts.scheme == _UNIX:
        path = unquote(parts.netloc)
        if not path.startswith("/"):
            raise TargetError(f"{url!r}: expected the socket's path with each / as %2F, got {parts.netloc!r}")
        return Target("http", "localhost", 80, resource, unix_path=path)
    scheme = _WEBSOCKET.get(parts.scheme, parts.scheme)
    if scheme not in _PORTS:
        known = ", ".join((*_PORTS, *_WEBSOCKET, _UNIX))
        raise TargetError(f"{url!r}: expected a scheme of {known}, got {parts.scheme!r}")
    if not parts.hostname:
        raise TargetError(f"{url!r} names no host")
    try:
        host = _ascii_host(parts.hostname)
    except UnicodeError as error:
        raise TargetError(f"{url!r}: {parts.hostname!r} is not a host name: {error}") from None
    return Target(scheme, host, _PORTS[scheme] if port is None else port, resource, _authorization(parts))


def joined(base: Target, location: str) -> Target:
    """Return the target of ``location``, a URL or a reference relative to ``base``. Raises TargetError.

    A URL with the host of a request through a Unix socket leads through the same socket.
    """
    try:
        target = target_of(urljoin(base.url, location))
    except TargetError:
        raise
    except ValueError as error:
        raise TargetError(f"{location!r} is not a URL: {error}") from None
    if target.unix_path:
        raise TargetError(f"{location!r}: a socket of this machine is not for a server to choose")
    same = (target.scheme, target.host, target.port) == (base.scheme, base.host, base.port)
    return replace(target, unix_path=base.unix_path) if same else target


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        url.encode()
        parts = urlsplit(url)
        return parts, None if parts.scheme == _UNIX else parts.port
    except ValueError as error:
        raise TargetError(f"{url!r} is not a URL: {error}") from None


def _authorization(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    return basic(unquote(parts.username), unquote(parts.password or ""))


def basic(user: str, password: str) -> str:
    """Return the credentials of HTTP's Basic scheme (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")


def host_name(text: str) -> str:
    """Return a host name in ASCII. Raises UnicodeError for an address, and for what is not a host name."""
    name = _ascii_host(text) if text.strip(".") else ""
    if not name or _is_address(name) or set(name) & set("/?#@:[]"):
        raise UnicodeError("not a host name")
    return name.lower()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1_024)
def _ascii_host(host: str) -> str:
    if _is_address(host):
        return str(ipaddress.ip_address(host))
    name = host.encode("idna").decode("ascii")
    if wrong := _NOT_IN_HOSTS.search(name):
        raise UnicodeError(f"{wrong[0]!r} is in none")
    return name
