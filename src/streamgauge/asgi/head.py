"""What the start of a response says about its body."""

from streamgauge.asgi.interface import Message
from streamgauge.catalog import RAW_PROTOCOL, protocol_of

_WITHOUT_BODY = frozenset({204, 304})


class Head:
    """The status and the header fields that matter here."""

    __slots__ = ("content_encoding", "content_type", "status", "streams", "whole_bytes")

    def __init__(self, message: Message) -> None:
        fields: dict[str, str] = {
            bytes(name).decode("latin-1").lower(): bytes(value).decode("latin-1").strip()
            for name, value in message.get("headers", ())
        }
        self.status = int(message["status"])
        self.content_type = fields.get("content-type", "")
        self.content_encoding = fields.get("content-encoding", "").lower()
        length = fields.get("content-length", "")
        self.whole_bytes = int(length) if length.isdecimal() else None
        """The body's length, where it is known before the body."""
        unbuffered = fields.get("x-accel-buffering", "").lower() == "no"
        self.streams = self.status not in _WITHOUT_BODY and (
            unbuffered or protocol_of(self.content_type) != RAW_PROTOCOL
        )
        """Whether the response says by itself that it streams: by its content type, or by forbidding buffers."""
