"""What is asked for: one request, checked when it is made, and the bytes it becomes."""

import json as jsonlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamgauge.client.target import Target

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class RequestError(ValueError):
    """A request that cannot be sent as it stands."""


@dataclass(frozen=True, slots=True)
class Request:
    """Method, target, fields and body. ``headers`` are sent in their order, ours first where none is given."""

    method: str
    target: Target
    headers: Mapping[str, str]
    body: bytes = b""

    def encode(self) -> bytes:
        """The request as HTTP/1.1 has it on the wire. Raises RequestError."""
        if not _TOKEN.fullmatch(self.method):
            raise RequestError(f"expected a method, got {self.method!r}")
        given = {name.lower() for name in self.headers}
        fields = {} if "host" in given else {"Host": self.target.authority}
        fields |= self.headers
        if "content-length" not in given and (self.body or self.method in ("POST", "PUT", "PATCH")):
            fields["Content-Length"] = str(len(self.body))
        lines = [f"{self.method} {self.target.resource} HTTP/1.1"]
        for name, value in fields.items():
            if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
                raise RequestError(f"expected a header field, got {name!r}: {value!r}")
            lines.append(f"{name}: {value}")
        return "\r\n".join((*lines, "", "")).encode("latin-1") + self.body


def body_of(json: Any, data: bytes | str | None) -> tuple[bytes, dict[str, str]]:
    """The body's bytes and the Content-Type that goes with them. Raises RequestError."""
    if json is not None and data is not None:
        raise RequestError("a request has either json or data, not both")
    if json is not None:
        return jsonlib.dumps(json, separators=(",", ":")).encode(), {"Content-Type": "application/json"}
    if data is None:
        return b"", {}
    return data.encode() if isinstance(data, str) else bytes(data), {}
