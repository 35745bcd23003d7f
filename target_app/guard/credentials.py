"""Who a client is: the holder of a key where keys are asked for, else an address."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from hmac import compare_digest
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import Scope

_UNKNOWN = "unknown"
#: What one site has of IPv6: it may take any address in it, and every one anew.
_IPV6_SITE_BITS = 64


class Keys:
    """The keys that let a client in, as ``X-API-Key: KEY`` or ``Authorization: Bearer KEY`` (RFC 6750).

    Only their digests are kept, which have one length, and every one is compared to its end: how long that takes tells
    nothing about a key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._digests = [_digest(key.encode()) for key in keys]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def holder(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The name of the key that the request shows; None where it shows none of these."""
        shown = [_digest(key) for key in _shown(headers)]
        found = [known for known in self._digests for digest in shown if compare_digest(known, digest)]
        return f"key {found[0].hex()[:16]}" if found else None


def shows_key(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request shows any key, right or wrong."""
    return any(True for _ in _shown(headers))


def address(scope: Scope) -> str:
    """The client's address; of an IPv6 address its site."""
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


def _shown(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[bytes]:
    for name, value in headers:
        if name == b"x-api-key":
            yield value.strip()
        elif name == b"authorization":
            scheme, _, token = value.strip().partition(b" ")
            if scheme.lower() == b"bearer":
                yield token.strip()


def _digest(key: bytes) -> bytes:
    return sha256(key).digest()
