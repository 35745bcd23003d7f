"""The opening handshake of a WebSocket (RFC 6455 section 4), the client's side.

1. ``handshake_fields`` returns the key and the request's fields, which offer permessage-deflate (RFC 7692).
2. ``check_accept`` checks the response: the accept value is right, and the server agreed only to what was offered.
3. ``deflate_agreed`` reads the parameters of permessage-deflate that the server agreed to.
"""

import base64
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from streamgauge.wire.blanks import members, trimmed
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.http1_head import Head

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_DEFLATE = "permessage-deflate"
_PARAMETER = re.compile(r'([!#$%&\'*+\-.^_`|~0-9A-Za-z]+)(?:[ \t]*=[ \t]*(?:([0-9]+)|"([0-9]+)"))?')
_WINDOW_BITS = {str(bits) for bits in range(8, 16)}


@dataclass(frozen=True, slots=True)
class Deflate:
    """The parameters of permessage-deflate that are needed to inflate the server's messages."""

    window_bits: int = 15
    keeps_context: bool = True


def handshake_fields(subprotocols: Sequence[str] = (), *, deflate: bool = True) -> tuple[str, dict[str, str]]:
    """Return a new key and the fields that ask for a WebSocket with it (RFC 6455 section 4.1), without Host."""
    key = base64.b64encode(os.urandom(16)).decode()
    fields = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
    }
    if subprotocols:
        fields["Sec-WebSocket-Protocol"] = ", ".join(subprotocols)
    if deflate:
        fields["Sec-WebSocket-Extensions"] = f"{_DEFLATE}; client_max_window_bits"
    return key, fields


def accept_of(key: str) -> str:
    """Return the Sec-WebSocket-Accept that answers ``key``."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def check_accept(key: str, head: Head, subprotocols: Sequence[str] = (), *, deflate: bool = True) -> None:
    """Check that ``head`` opens the WebSocket that was asked for. Raises ProtocolError if it does not."""
    if head.status != 101:
        raise ProtocolError(f"expected status 101 for a WebSocket, got {head.status} {head.reason}".rstrip(" "))
    for field, token in (("upgrade", "websocket"), ("connection", "upgrade")):
        if token not in head.tokens(field):
            raise ProtocolError(f"expected {field}: {token} of a WebSocket, got {head.fields.get(field, '')[:80]!r}")
    accept = head.fields.get("sec-websocket-accept", "")
    if accept != accept_of(key):
        raise ProtocolError(f"expected sec-websocket-accept {accept_of(key)!r}, got {accept[:80]!r}")
    subprotocol = head.fields.get("sec-websocket-protocol")
    if subprotocol is not None and subprotocol not in subprotocols:
        raise ProtocolError(f"expected a WebSocket subprotocol of {list(subprotocols)!r}, got {subprotocol[:80]!r}")
    extensions = head.fields.get("sec-websocket-extensions", "")
    if deflate_agreed(extensions) is not None and not deflate:
        raise ProtocolError(f"expected no WebSocket extension, got {extensions[:80]!r}")


def deflate_agreed(extensions: str) -> Deflate | None:
    """Read a response's Sec-WebSocket-Extensions (RFC 7692 section 7.1). Raises ProtocolError."""
    if not members(extensions):
        return None
    name, *parameters = [trimmed(part) for part in extensions.split(";")]
    if name.lower() != _DEFLATE:
        raise ProtocolError(f"expected no WebSocket extension but {_DEFLATE}, got {extensions[:80]!r}")
    agreed: dict[str, str] = {}
    for parameter in parameters:
        match = _PARAMETER.fullmatch(parameter)
        if match is None or match[1].lower() in agreed:
            raise _bad_parameter(parameter)
        agreed[match[1].lower()] = match[2] or match[3] or ""
    for parameter, value in agreed.items():
        allowed = _ALLOWED.get(parameter)
        if allowed is None or value not in allowed:
            raise _bad_parameter(f"{parameter}={value}")
    return Deflate(int(agreed.get("server_max_window_bits", 15)), "server_no_context_takeover" not in agreed)


_ALLOWED = {
    "server_max_window_bits": _WINDOW_BITS,
    "client_max_window_bits": _WINDOW_BITS,
    "server_no_context_takeover": {""},
    "client_no_context_takeover": {""},
}


def _bad_parameter(parameter: str) -> ProtocolError:
    return ProtocolError(f"expected parameters of {_DEFLATE}, got {parameter[:80]!r}")
