"""Where a request goes: a URL taken apart into what connecting and asking need."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urljoin, urlsplit

_PATH_SAFE = "/:@!$&'()*+,;=-._~%"
_QUERY_SAFE = _PATH_SAFE + "?"
_PORTS = {"http": 80}


class TargetError(ValueError):
    """A URL that names no host to ask, or a scheme that is not spoken."""


@dataclass(frozen=True, slots=True)
class Target:
    """One resource. ``origin`` is what a connection can be kept open to."""

    scheme: str
    host: str
    port: int
    resource: str
    """Path and query as the request line has them."""

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The Host field: the port only where it is not the scheme's own, an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def target_of(url: str, host: str | None = None, params: dict[str, object] | None = None) -> Target:
    """The target of ``url``, which may be a path below ``host``, with ``params`` added to its query.

    Raises TargetError.
    """
    if "://" not in url:
        if not host:
            raise TargetError(f"{url!r} is a path, and no host is set: give --host, or a whole URL")
        url = urljoin(host.rstrip("/") + "/", url.lstrip("/"))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetError(f"{url!r} is not a URL: {error}") from None
    if parts.scheme not in _PORTS:
        raise TargetError(f"{url!r}: expected a scheme of {', '.join(_PORTS)}, got {parts.scheme!r}")
    if not parts.hostname:
        raise TargetError(f"{url!r} names no host")
    query = "&".join(filter(None, (parts.query, urlencode(params or {}, doseq=True))))
    resource = quote(parts.path or "/", _PATH_SAFE) + (f"?{quote(query, _QUERY_SAFE)}" if query else "")
    return Target(parts.scheme, _ascii_host(parts.hostname, url), port or _PORTS[parts.scheme], resource)


def _ascii_host(host: str, url: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise TargetError(f"{url!r}: {host!r} is not a host name: {error}") from None
