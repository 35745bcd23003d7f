"""One request, checked when it is made, and its bytes on the wire."""

import json as jsonlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamgauge.client.connect.target import Target
from streamgauge.wire.blanks import members

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
#: May be sent again when a kept connection closed before a response (RFC 9110 section 9.2.2).
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


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

    def __post_init__(self) -> None:
        """Raise RequestError for a method or a field that HTTP does not allow."""
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

    @property
    def asks_to_close(self) -> bool:
        """Whether it asks to close the connection after it (RFC 9112 section 9.6)."""
        options = ",".join(value for name, value in self.headers.items() if name.lower() == "connection")
        return "close" in (option.lower() for option in members(options))

    def encode(
        self, *, absolute: bool = False, proxy_authorization: str = "", upgrade: Mapping[str, str] | None = None
    ) -> bytes:
        """Return the request as HTTP/1.1 sends it; for a proxy that relays it, with the whole URL (``absolute``).

        With ``upgrade`` fields it is a GET without empty fields and without its body, which the new protocol sends.
        """
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
        return jsonlib.dumps(json, separators=(",", ":")).encode(), {"Content-Type": "application/json"}
    if data is None:
        return b"", {}
    return data.encode() if isinstance(data, str) else bytes(data), {}
