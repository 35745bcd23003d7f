"""The response to a plain request: its whole body, under the names that requests and httpx use.

A plain request is an exchange as that of a stream is. Its plan takes every status for an answer, and keeps the body.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.cookies import CookieError, SimpleCookie
from typing import Any, Self

from streamgauge.client.exchange import Exchange
from streamgauge.client.http.opening import Opening, status_of
from streamgauge.client.http.redirect import is_redirect
from streamgauge.client.http.request import Request
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import Headers
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.http1_head import Head

#: Longest body that is kept, unless the call says otherwise.
MAX_BODY_BYTES = 16 * 1024 * 1024
#: The format whose chunks are the body's bytes as they come.
_BYTES = next(each for each in FORMATS.values() if each.by_transfer_chunk)


class ResponseError(Exception):
    """A response with an error status, or none at all."""


class _AnyStatus(Opening):
    """An attempt that every response answers."""

    def refusal(self, head: Head) -> str:  # noqa: ARG002
        return ""


@dataclass(frozen=True, slots=True)
class PlainPlan(StreamPlan):
    """A request whose response is read whole, whatever its status and its type are."""

    def opening(self) -> Opening:
        """Make an attempt that every response answers."""
        return _AnyStatus(self.request, self.format, self.limits.max_chunk_bytes)

    def refusal(self, head: Head) -> str:  # noqa: ARG002
        """Refuse nothing."""
        return ""


class Body:
    """Collects a body of at most ``max_bytes``."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.size = 0
        self.parts: list[bytes] = []

    def add(self, part: bytes) -> bool:
        """Keep a part; return whether there is room for more."""
        self.size += len(part)
        self.parts.append(part)
        return self.size <= self.max_bytes

    def plan(self, name: str, request: Request, limits: Limits, max_redirects: int) -> PlainPlan:
        """Return the plan of a request whose body this is."""
        return PlainPlan(name, request, _BYTES, limits=limits, on_chunk=self.add, max_redirects=max_redirects)


@dataclass
class Response:
    """A whole response; without one, ``status_code`` is 0 and ``error`` says why."""

    url: str
    """Of the last request, if it was redirected."""
    status_code: int = 0
    reason: str = ""
    """The words beside the status."""
    headers: Mapping[str, str] = field(default_factory=Headers)
    content: bytes = b""
    cookies: Mapping[str, str] = field(default_factory=dict)
    """The cookies that this response set. The client sends them with its next requests and streams."""
    error: str = ""

    @classmethod
    def of(cls, exchange: Exchange, body: Body) -> Self:
        """Make the response of an exchange that has ended."""
        record, head = exchange.record, exchange.head
        if body.size > body.max_bytes:
            return cls(record.url, error=f"the body is longer than {body.max_bytes:,} bytes; raise max_body_bytes")
        if record.outcome is not Outcome.COMPLETED or head is None:
            return cls(record.url, error=f"{record.outcome}: {record.reason}")
        error = ""
        if head.status >= 400:
            error = status_of(head)
        elif is_redirect(head) and exchange.plan.max_redirects:
            error = f"more than {exchange.plan.max_redirects} redirects"
        content, cookies = b"".join(body.parts), _cookies(head.set_cookies)
        return cls(record.url, head.status, head.reason, record.headers, content, cookies, error)

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return not self.error

    @property
    def encoding(self) -> str:
        """The charset of the body, UTF-8 unless the Content-Type names another."""
        message = Message()
        message["Content-Type"] = self.headers.get("Content-Type", "")
        charset = message.get_content_charset("utf-8")
        try:
            b"".decode(charset)
        except LookupError:
            return "utf-8"
        return charset

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode(self.encoding, "replace")

    def json(self) -> Any:
        """Return the body's JSON. Raises ValueError."""
        return json.loads(self.content)

    def raise_for_status(self) -> None:
        """Raise ResponseError unless the request succeeded."""
        if self.error:
            raise ResponseError(self.error)


def _cookies(set_cookies: tuple[str, ...]) -> dict[str, str]:
    found: SimpleCookie = SimpleCookie()
    for each in set_cookies:
        try:
            found.load(each)
        except CookieError:
            continue
    return {name: morsel.value for name, morsel in found.items()}
