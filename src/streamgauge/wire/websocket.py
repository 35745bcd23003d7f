"""WebSockets (RFC 6455) as a wire format: every message is a chunk.

1. ``WebSocketUpgrade`` asks for the WebSocket and checks the response (``websocket_handshake``).
2. ``WebSocketBody`` is the framing after that. Its pieces are whole messages, which the raw decoder does not change.
"""

from collections.abc import Mapping

from streamgauge.wire.blanks import members, trimmed
from streamgauge.wire.format import Format
from streamgauge.wire.framing import Framing
from streamgauge.wire.http1_head import Head
from streamgauge.wire.raw import RawDecoder
from streamgauge.wire.websocket_body import WebSocketBody
from streamgauge.wire.websocket_handshake import check_accept, handshake_fields

_EXTENSIONS, _SUBPROTOCOLS = "sec-websocket-extensions", "sec-websocket-protocol"


class WebSocketUpgrade:
    """One attempt to open a WebSocket (RFC 6455 section 4).

    The request's own Sec-WebSocket-Extensions decides whether compression is offered; an empty field offers none.
    Unknown extensions are not offered.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        given = {name.lower(): value for name, value in headers.items()}
        extensions = {trimmed(each.partition(";")[0]).lower() for each in given.get(_EXTENSIONS, "unknown").split(",")}
        self._deflate = extensions != {""}
        self._key, self.fields = handshake_fields(deflate=not extensions <= {"", "permessage-deflate"})
        self._subprotocols = members(given.get(_SUBPROTOCOLS, ""))

    def refusal(self, head: Head) -> str:
        """See ``Upgrade``."""
        return "" if head.status == 101 else f"expected a WebSocket, got status {head.status} {head.reason}"

    def framing(self, head: Head, max_chunk_bytes: int) -> Framing:
        """See ``Upgrade``."""
        check_accept(self._key, head, self._subprotocols, deflate=self._deflate)
        return WebSocketBody(head.fields.get(_EXTENSIONS, ""), max_chunk_bytes)


WEBSOCKET = Format("websocket", "WEBSOCKET", lambda body: RawDecoder(body.max_chunk_bytes), upgrade=WebSocketUpgrade)
