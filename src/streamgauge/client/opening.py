"""How a stream is opened: what its request needs besides the scenario's own fields, and which response opens it."""

from collections.abc import Mapping
from typing import Protocol

from streamgauge.client.plan import StreamPlan
from streamgauge.wire.decoder import content_type_fits
from streamgauge.wire.http1_body import Framing, framing_of
from streamgauge.wire.http1_head import Head
from streamgauge.wire.websocket import WebSocketBody
from streamgauge.wire.websocket_handshake import check_accept, handshake_fields

_EXTENSIONS = "sec-websocket-extensions"


class Opening(Protocol):
    """One attempt to open a stream."""

    @property
    def upgrade(self) -> Mapping[str, str] | None:
        """The fields that ask for another protocol, in which the request's body then goes; None where there is none."""

    def refusal(self, head: Head) -> str:
        """Why a final response that is no redirect is not the stream; empty where it is."""

    def framing(self, head: Head) -> Framing:
        """The framing of the stream that ``head`` opens. Raises ProtocolError."""


class HttpOpening:
    """A response with a body."""

    upgrade = None

    def __init__(self, plan: StreamPlan) -> None:
        self._plan = plan

    def refusal(self, head: Head) -> str:
        """See ``Opening``."""
        if head.status >= 300 or head.status < 200 or (self._plan.reconnect and head.status != 200):
            return f"status {head.status} {head.reason}".rstrip()
        wanted, found = self._plan.wanted_protocol, head.fields.get("content-type", "")
        if wanted == "auto" or content_type_fits(wanted, found, self._plan.request.field("accept")):
            return ""
        return f"expected a content type of {wanted}, got {found!r}"

    def framing(self, head: Head) -> Framing:
        """See ``Opening``."""
        return framing_of(head, self._plan.request.method)


class WebSocketOpening:
    """An upgrade to a WebSocket (RFC 6455 section 4). The request's body is the first message that is sent on it.

    Compression is offered as a Sec-WebSocket-Extensions of the request says: not at all where that is empty. One with
    extensions that are not known here is passed over.
    """

    def __init__(self, plan: StreamPlan) -> None:
        self._plan = plan
        given = {name.lower(): value for name, value in plan.request.headers.items()}.get(_EXTENSIONS, "unknown")
        extensions = {extension.partition(";")[0].strip().lower() for extension in given.split(",")}
        self._deflate = extensions != {""}
        self._key, self.upgrade = handshake_fields(deflate=not extensions <= {"", "permessage-deflate"})
        offered = plan.request.field("sec-websocket-protocol")
        self._subprotocols = [name.strip() for name in offered.split(",")]

    def refusal(self, head: Head) -> str:
        """See ``Opening``."""
        return "" if head.status == 101 else f"status {head.status} {head.reason} instead of a WebSocket"

    def framing(self, head: Head) -> Framing:
        """See ``Opening``."""
        check_accept(self._key, head, self._subprotocols, deflate=self._deflate)
        body = WebSocketBody(head.fields.get(_EXTENSIONS, ""), self._plan.limits.max_chunk_bytes)
        if message := self._plan.request.body:
            _send(body, message)
        return body


def _send(body: WebSocketBody, message: bytes) -> None:
    """Send a message, as text where it is UTF-8."""
    try:
        text = message.decode()
    except UnicodeDecodeError:
        body.send_bytes(message)
    else:
        body.send_text(text)


def opening_of(plan: StreamPlan) -> Opening:
    """A fresh opening for ``plan``."""
    return WebSocketOpening(plan) if plan.protocol == "websocket" else HttpOpening(plan)
