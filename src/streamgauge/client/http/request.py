"""One request, checked when it is made, and its bytes on the wire."""

import json as jsonlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from streamgauge.client.connect.target import Target
from streamgauge.wire.blanks import JSON_BLANKS, members
from streamgauge.wire.strict_json import json_of

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
#: May be sent again when a kept connection closed before a response (RFC 9110 section 9.2.2).
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
#: A request with a longer body is put together each time: a kept one would hold the body twice.
_MOST_KEPT_BYTES = 16_384

JSON_TYPE = {"Content-Type": "application/json"}


class RequestError(ValueError):
    """A request that cannot be sent."""


def merged(*headers: Mapping[str, str] | None) -> dict[str, str]:
    """Merge header fields. The last field of a name wins; the case of names does not matter."""
    found = {name.lower(): (name, value) for each in headers for name, value in (each or {}).items()}
    return dict(found.values())


@dataclass(frozen=True, slots=True)
class Request:
    """Method, target, fields and body. Host, Authorization and Content-Length are added if they are missing."""

    method: str
    target: Target
    headers: Mapping[str, str]
    body: bytes = b""
    asks_to_close: bool = field(init=False, repr=False, compare=False)
    """Whether it asks to close the connection after it (RFC 9112 section 9.6)."""
    _encoded: dict[tuple[bool, str], bytes] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What :meth:`encode` returned without an upgrade and a large body, since most requests are sent many times."""

    def __post_init__(self) -> None:
        """Raise RequestError for a method or a field that HTTP does not allow."""
        options = ",".join(value for name, value in self.headers.items() if name.lower() == "connection")
        object.__setattr__(self, "asks_to_close", "close" in (option.lower() for option in members(options)))
        if not _TOKEN.fullmatch(self.method):
            raise RequestError(f"expected a method, got {self.method!r}")
        for name, value in self.headers.items():
            if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
                raise RequestError(f"expected a header field, got {name!r}: {value!r}")
            if name.lower() == "transfer-encoding":
                raise RequestError(f"{name}: a body is sent as it is, with its length, got {value!r}")

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice has the same effect as sending it once."""
        return self.method in _IDEMPOTENT

    def field(self, name: str) -> str:
        """Return the value of the first field of this name, which is in lower case; empty if there is none."""
        return next((value for given, value in self.headers.items() if given.lower() == name), "")

    def encode(
        self, *, absolute: bool = False, proxy_authorization: str = "", upgrade: Mapping[str, str] | None = None
    ) -> bytes:
        """Return the request as HTTP/1.1 sends it; for a proxy that relays it, with the whole URL (``absolute``).

        With ``upgrade`` fields it is a GET without empty fields and without its body, which the new protocol sends.
        """
        if upgrade is not None:
            return self._encode(absolute, proxy_authorization, upgrade)
        encoded = self._encoded.get((absolute, proxy_authorization))
        if encoded is None:
            encoded = self._encode(absolute, proxy_authorization, None)
            if len(self.body) <= _MOST_KEPT_BYTES:
                self._encoded[absolute, proxy_authorization] = encoded
        return encoded

    def _encode(self, absolute: bool, proxy_authorization: str, upgrade: Mapping[str, str] | None) -> bytes:
        target, given = self.target, {name.lower() for name in self.headers}
        fields = {} if "host" in given else {"Host": target.authority}
        if target.authorization and "authorization" not in given:
            fields["Authorization"] = target.authorization
        if proxy_authorization:
            fields["Proxy-Authorization"] = proxy_authorization
        fields |= self.headers
        body = self.body
        if upgrade is not None:
            fields, body = {name: value for name, value in merged(fields, upgrade).items() if value}, b""
        elif "content-length" not in given and (body or self.method in ("POST", "PUT", "PATCH")):
            fields["Content-Length"] = str(len(body))
        method = self.method if upgrade is None else "GET"
        lines = [f"{method} {target.url if absolute else target.resource} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        return "\r\n".join((*lines, "", "")).encode("latin-1") + body


def body_of(json: Any, data: bytes | str | None) -> tuple[bytes, dict[str, str]]:
    """Return the body's bytes and its Content-Type. Raises RequestError."""
    if json is not None and data is not None:
        raise RequestError("a request has either json or data, not both")
    if json is not None:
        return json_bytes(json), JSON_TYPE
    if data is None:
        return b"", {}
    return utf8(data) if isinstance(data, str) else bytes(data), {}


def type_of(body: bytes) -> dict[str, str]:
    """Return the Content-Type of a body that is a JSON object or array; of other bodies it is unknown."""
    if body.lstrip(JSON_BLANKS.encode())[:1] not in (b"{", b"["):
        return {}
    try:
        json_of(body)
    except ValueError:
        return {}
    return JSON_TYPE


def json_bytes(value: Any) -> bytes:
    """Return ``value`` as JSON. Raises RequestError for a value that JSON does not have."""
    try:
        return jsonlib.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise RequestError(f"expected a value that JSON has, got {value!r:.80}: {error}") from None


def utf8(text: str) -> bytes:
    """Return ``text`` as UTF-8. Raises RequestError if it has a lone surrogate."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise RequestError(f"expected text that can be encoded as UTF-8, got {text!r:.80}") from None
