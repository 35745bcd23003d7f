"""Makes the request that follows a redirect (RFC 9110 section 15.4)."""

from dataclasses import replace
from urllib.parse import quote

from streamgauge.client.connect.target import TargetError, joined
from streamgauge.client.http.request import Request
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.http1_head import Head

_STATUSES = frozenset({301, 302, 303, 307, 308})
#: Fields that another origin must not see, and fields of a body that is not sent again.
_SECRETS = frozenset({"authorization", "cookie", "host", "proxy-authorization"})
_ASCII = "".join(map(chr, range(128)))
_OF_THE_BODY = frozenset({"content-type", "content-length", "content-encoding", "content-language"})


def is_redirect(head: Head) -> bool:
    """Return whether a response is a redirect."""
    return head.status in _STATUSES and "location" in head.fields


def redirected(request: Request, head: Head) -> Request:
    """Return the request that follows ``head``. Raises ProtocolError if its location cannot be requested."""
    location = _reference(head.fields["location"])
    try:
        target = joined(request.target, location)
    except TargetError as error:
        raise ProtocolError(f"status {head.status} points nowhere: {error}") from None
    dropped = {"host"}
    if target.origin != request.target.origin:
        dropped |= _SECRETS
    elif not target.authorization:
        target = replace(target, authorization=request.target.authorization)
    method, body = request.method, request.body
    if (head.status == 303 and method != "HEAD") or (head.status in (301, 302) and method == "POST"):
        method, body = "GET", b""
        dropped |= _OF_THE_BODY
    headers = {name: value for name, value in request.headers.items() if name.lower() not in dropped}
    return Request(method, target, headers, body)


def _reference(location: str) -> str:
    """Decode a Location as UTF-8, which its bytes beyond ASCII mostly are; else quote each byte."""
    octets = location.encode("latin-1")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return quote(octets, _ASCII)
