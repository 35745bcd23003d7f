"""The start of a response, and what it says about the body."""

from streamgauge.asgi.interface import Message
from streamgauge.catalog import RAW_PROTOCOL, protocol_of

_WITHOUT_BODY = frozenset({204, 304})


class Head:
    """The status and the header fields that the middleware needs."""

    __slots__ = ("content_encoding", "content_length", "content_type", "has_body", "status", "streams")

    def __init__(self, message: Message, method: str) -> None:
        fields: dict[str, str] = {
            bytes(name).decode("latin-1").lower(): bytes(value).decode("latin-1").strip(" \t")
            for name, value in message.get("headers", ())
        }
        self.status = int(message["status"])
        self.content_type = fields.get("content-type", "")
        self.content_encoding = fields.get("content-encoding", "").lower()
        length = fields.get("content-length", "")
        self.content_length = int(length) if length.isascii() and length.isdigit() and len(length) <= 18 else None
        """The body's length in bytes, if a header field states it."""
        self.has_body = method != "HEAD" and self.status not in _WITHOUT_BODY
        """Whether the response to a request with this method has a body (RFC 9110, section 6.4.1)."""
        unbuffered = fields.get("x-accel-buffering", "").lower() == "no"
        self.streams = self.has_body and (unbuffered or protocol_of(self.content_type) != RAW_PROTOCOL)
        """Whether the header fields alone show a stream: by the content type, or by ``X-Accel-Buffering: no``."""
