"""Who a client is: the holder of a key if keys are required, else an address."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from hmac import compare_digest
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import Scope

_UNKNOWN = "unknown"
#: The prefix of one site: it may use a new address of it for every request.
_IPV6_SITE_BITS = 64


class Keys:
    """The keys that let a client in, as ``X-API-Key: KEY`` or ``Authorization: Bearer KEY`` (RFC 6750).

    Only digests of one length are kept, and each is compared in constant time, so timing reveals nothing about a key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._digests = [_digest(key.encode()) for key in keys]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def holder(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """Name the key of a request; None if the request has none of these keys."""
        presented = [_digest(key) for key in _presented(headers)]
        found = [known for known in self._digests for digest in presented if compare_digest(known, digest)]
        return f"key {found[0].hex()[:16]}" if found else None


def has_key(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Tell whether a request has any key, right or wrong."""
    return any(True for _ in _presented(headers))


def address(scope: Scope) -> str:
    """Name the client by its address; an IPv6 address by its site's prefix."""
    client = scope.get("client")
    if not client:
        return _UNKNOWN
    try:
        found = ip_address(client[0].partition("%")[0])
    except ValueError:
        return str(client[0])
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ip_network((found, _IPV6_SITE_BITS), strict=False))
    return str(found)


def _presented(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[bytes]:
    for name, value in headers:
        if name == b"x-api-key":
            yield value.strip()
        elif name == b"authorization":
            scheme, _, token = value.strip().partition(b" ")
            if scheme.lower() == b"bearer":
                yield token.strip()


def _digest(key: bytes) -> bytes:
    return sha256(key).digest()
